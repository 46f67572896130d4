// Package doc reads declarations written in YAML: every mistake is collected
// with the place it stands at, so that a person mends a file once.
//
// A value is a string, a number, a flag, a duration ("15m"), anything that
// unmarshals text, a list, or keys; [Reader.Value] reads what is written in a
// way of its own. Unknown keys are mistakes.
//
// The YAML library reads a value that unmarshals itself by formatting its whole
// document anew, which takes minutes for a site of ten thousand machines. So the
// tree that it parses is walked here, in one pass, and names and serials are kept
// as they were written.
package doc

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Problem is one thing wrong with a declaration.
type Problem struct {
	At   string `json:"at" doc:"Where: a path such as feeders[1].cap."`
	What string `json:"what"`
	Line int    `json:"line,omitempty" doc:"In the text that was read; 0 when there was none."`
}

// Problems collects what is wrong and where. The zero value is ready.
type Problems struct {
	list []Problem
	line func(at string) int
}

// most is how many problems an error lists.
const most = 20

// Bad notes a problem at a place such as "versions[0].parts[2].price".
func (p *Problems) Bad(at, format string, args ...any) {
	p.list = append(p.list, Problem{At: at, What: fmt.Sprintf(format, args...)})
}

// None tells whether nothing is wrong so far.
func (p *Problems) None() bool { return len(p.list) == 0 }

// Err is nil, or wraps sentinel and lists the problems, each with its line when
// the text is known; [List] takes them apart again.
func (p *Problems) Err(sentinel error) error {
	if p.None() {
		return nil
	}
	var b strings.Builder
	for i := range p.list {
		q := &p.list[i]
		if p.line != nil {
			q.Line = p.line(q.At)
		}
		if i >= most {
			continue
		}
		b.WriteString("\n  ")
		if q.Line > 0 {
			fmt.Fprintf(&b, "line %d: ", q.Line)
		}
		if q.At != "" {
			b.WriteString(q.At + ": ")
		}
		b.WriteString(q.What)
	}
	if n := len(p.list) - most; n > 0 {
		fmt.Fprintf(&b, "\n  and %d more", n)
	}
	return &invalid{fmt.Errorf("%w:%s", sentinel, b.String()), p.list}
}

// invalid is an error that remembers each problem for itself.
type invalid struct {
	error
	problems []Problem
}

func (e *invalid) Unwrap() error { return e.error }

// List are the problems that an error of [Problems.Err] has to say, one by one;
// none for any other error.
func List(err error) []Problem {
	if e, ok := errors.AsType[*invalid](err); ok {
		return e.problems
	}
	return nil
}

// Reader reads declarations. The zero value reads the kinds that the package
// names.
type Reader struct {
	// Value reads a scalar that is written in a way of its own, such as a number
	// without its unit; false leaves it to the reader. It may be nil.
	Value func(text string, into any) (bool, error)
}

// Decode reads with a [Reader] of the plain kinds.
func Decode(text []byte, into any) *Problems { return Reader{}.Decode(text, into) }

// Decode reads one YAML document into the struct that into points to. Problems
// say what could not be read; what could be read is filled in.
func (r Reader) Decode(text []byte, into any) (p *Problems) {
	p = new(Problems)
	defer func() {
		// The YAML library panics on some malformed input.
		if r := recover(); r != nil {
			p.Bad("", "the text is not readable as YAML: %v", r)
		}
	}()
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		p.Bad("", "%s", yaml.FormatError(err, false, true))
		return p
	}
	if len(tree.Docs) > 1 {
		p.Bad("", "%d documents in one file: want one", len(tree.Docs))
		return p
	}
	var root ast.Node
	if len(tree.Docs) > 0 {
		root = tree.Docs[0].Body
	}
	if root == nil {
		p.Bad("", "the text is empty")
		return p
	}
	d := &decoder{Problems: p, Reader: r, anchors: map[string]ast.Node{}, most: max(leastNodes, len(text))}
	p.line = func(at string) int { return d.lineOf(root, at) }
	d.decode(root, reflect.ValueOf(into).Elem(), "", 0)
	return p
}

type decoder struct {
	*Problems
	Reader
	anchors     map[string]ast.Node
	nodes, most int
}

const (
	deepest    = 40     // of any sensible nesting; an anchor may contain itself
	leastNodes = 50_000 // that any file may have; anchors can multiply, and no text has more nodes than bytes without them
)

func (d *decoder) decode(n ast.Node, into reflect.Value, at string, depth int) {
	d.nodes++
	if depth > deepest || d.nodes > d.most {
		if depth == deepest+1 || d.nodes == d.most+1 {
			d.Bad(at, "nested too deeply, or too much")
		}
		return
	}
	n = d.resolve(n)
	if n == nil {
		return
	}
	if _, null := n.(*ast.NullNode); null {
		return
	}
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	if text, ok := scalar(n); ok {
		// One value stands for a list of one.
		if into.Kind() == reflect.Slice && !isText(into) {
			one := reflect.MakeSlice(into.Type(), 1, 1)
			if first := one.Index(0); first.Kind() != reflect.Struct || isText(first) {
				into.Set(one)
				into = first
			}
		}
		if err := d.fromScalar(text, into); err != nil {
			d.Bad(at, "%s", err)
		}
		return
	}
	switch n := n.(type) {
	case *ast.SequenceNode:
		if into.Kind() != reflect.Slice {
			d.Bad(at, "a list where there should be %s", wanted(into))
			return
		}
		list := reflect.MakeSlice(into.Type(), len(n.Values), len(n.Values))
		into.Set(list)
		for i, v := range n.Values {
			d.decode(v, list.Index(i), fmt.Sprintf("%s[%d]", at, i), depth+1)
		}
	case *ast.MappingNode:
		d.decodeMap(n.Values, into, at, depth)
	case *ast.MappingValueNode:
		d.decodeMap([]*ast.MappingValueNode{n}, into, at, depth)
	default:
		d.Bad(at, "%s is not read here", n.Type())
	}
}

func (d *decoder) decodeMap(pairs []*ast.MappingValueNode, into reflect.Value, at string, depth int) {
	if into.Kind() != reflect.Struct || isText(into) {
		d.Bad(at, "keys where there should be %s", wanted(into))
		return
	}
	for _, p := range pairs {
		key, _ := scalar(d.resolve(p.Key))
		path := join(at, key)
		field := fieldOf(into, key)
		if !field.IsValid() {
			d.Bad(path, "no such key; there are %s", strings.Join(keysOf(into.Type()), ", "))
			continue
		}
		d.decode(p.Value, field, path, depth+1)
	}
}

// resolve looks through anchors, aliases and tags.
func (d *decoder) resolve(n ast.Node) ast.Node {
	for range deepest {
		switch v := n.(type) {
		case *ast.AnchorNode:
			if v.Name != nil {
				d.anchors[v.Name.GetToken().Value] = v.Value
			}
			n = v.Value
		case *ast.AliasNode:
			if v.Value == nil {
				return nil
			}
			n = d.anchors[v.Value.GetToken().Value]
		case *ast.TagNode:
			n = v.Value
		default:
			return n
		}
	}
	return nil
}

// scalar is the text of a scalar as it was written.
func scalar(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		if v.Value == nil {
			return "", true
		}
		return v.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func isText(v reflect.Value) bool {
	if !v.CanAddr() {
		return false
	}
	_, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr())
	return ok
}

// fromScalar reads text into a value.
func (r Reader) fromScalar(text string, into reflect.Value) error {
	if r.Value != nil {
		if ok, err := r.Value(text, into.Addr().Interface()); ok || err != nil {
			return err
		}
	}
	switch v := into.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		return v.UnmarshalText([]byte(text))
	case *time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q: want a duration such as %q", text, "15m")
		}
		*v = d
		return nil
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q: want a whole number", text)
		}
		into.SetInt(int64(n))
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q: want true or false", text)
		}
		into.SetBool(b)
	default:
		return fmt.Errorf("%q where there should be %s", text, wanted(into))
	}
	return nil
}

func wanted(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Slice:
		return "a list"
	case reflect.Struct:
		if !isText(v) {
			return "keys"
		}
	}
	return "one value"
}

func fieldOf(v reflect.Value, key string) reflect.Value {
	for f, value := range v.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && name == key {
			return value
		}
	}
	return reflect.Value{}
}

func keysOf(t reflect.Type) []string {
	var out []string
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
			out = append(out, name)
		}
	}
	return out
}

func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

// lineOf is where in the text a place stands: the line of its key, or of the
// nearest parent that the text has; 0 when unknown.
func (d *decoder) lineOf(root ast.Node, path string) int {
	line := 0
	n := d.resolve(root)
	for path != "" && n != nil {
		var next ast.Node
		if strings.HasPrefix(path, "[") {
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return line
			}
			i, err := strconv.Atoi(path[1:end])
			path = strings.TrimPrefix(path[end+1:], ".")
			list, ok := n.(*ast.SequenceNode)
			if err != nil || !ok || i < 0 || i >= len(list.Values) {
				return line
			}
			next = list.Values[i]
			line = lineAt(next, line)
		} else {
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			key := path[:end]
			path = strings.TrimPrefix(path[end:], ".")
			for _, p := range pairsOf(n) {
				if k, _ := scalar(d.resolve(p.Key)); k == key {
					next = p.Value
					line = lineAt(p.Key, line)
				}
			}
		}
		n = d.resolve(next)
	}
	return line
}

// lineAt is the line at which a node begins. A mapping's own token is the colon
// of its first key.
func lineAt(n ast.Node, otherwise int) int {
	if pairs := pairsOf(n); len(pairs) > 0 {
		n = pairs[0].Key
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return otherwise
	}
	return n.GetToken().Position.Line
}

func pairsOf(n ast.Node) []*ast.MappingValueNode {
	switch v := n.(type) {
	case *ast.MappingNode:
		return v.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{v}
	}
	return nil
}
