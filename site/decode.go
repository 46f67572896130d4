package site

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"ballast/unit"
)

// The YAML library reads a value that unmarshals itself by formatting its whole
// document anew, which takes minutes for ten thousand machines. So the tree it
// parses is walked here: in one pass, with every mistake told at its line, and
// with names and serials kept as they were written.

// decoder fills Go values from a YAML tree.
type decoder struct {
	checker
	anchors map[string]ast.Node
}

const deepest = 40 // of any sensible nesting; an anchor may contain itself

func (d *decoder) decode(n ast.Node, into reflect.Value, at string, depth int) {
	n = d.resolve(n)
	if n == nil || depth > deepest {
		if depth > deepest {
			d.bad(at, "nested too deeply")
		}
		return
	}
	if _, null := n.(*ast.NullNode); null {
		return
	}
	if text, ok := scalar(n); ok {
		if err := fromScalar(text, into); err != nil {
			d.bad(at, "%s", err)
		}
		return
	}
	switch n := n.(type) {
	case *ast.SequenceNode:
		if into.Kind() != reflect.Slice {
			d.bad(at, "a list where there should be %s", wanted(into))
			return
		}
		list := reflect.MakeSlice(into.Type(), len(n.Values), len(n.Values))
		for i, v := range n.Values {
			d.decode(v, list.Index(i), fmt.Sprintf("%s[%d]", at, i), depth+1)
		}
		into.Set(list)
	case *ast.MappingNode:
		d.decodeMap(n.Values, into, at, depth)
	case *ast.MappingValueNode:
		d.decodeMap([]*ast.MappingValueNode{n}, into, at, depth)
	default:
		d.bad(at, "%s is not read here", n.Type())
	}
}

func (d *decoder) decodeMap(pairs []*ast.MappingValueNode, into reflect.Value, at string, depth int) {
	if into.Kind() != reflect.Struct || into.Addr().Type().Implements(textual) {
		d.bad(at, "keys where there should be %s", wanted(into))
		return
	}
	for _, p := range pairs {
		key, _ := scalar(d.resolve(p.Key))
		field := fieldOf(into, key)
		path := join(at, key)
		if !field.IsValid() {
			d.bad(path, "no such key; there are %s", strings.Join(keysOf(into.Type()), ", "))
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

var textual = reflect.TypeFor[encoding.TextUnmarshaler]()

// fromScalar reads text into a value of any kind that a description has.
func fromScalar(text string, into reflect.Value) error {
	switch v := into.Addr().Interface().(type) {
	case *unit.Voltage:
		return number(text, "V", func(f float64) { *v = unit.Voltage(f) })
	case *unit.Opt[unit.Temperature]:
		return number(text, "°C", func(f float64) { *v = unit.Some(unit.Temperature(f)) })
	case encoding.TextUnmarshaler:
		return v.UnmarshalText([]byte(text))
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
	case reflect.Float64:
		return number(text, "°", into.SetFloat)
	default:
		return fmt.Errorf("%q where there should be %s", text, wanted(into))
	}
	return nil
}

// number reads a plain number, whose unit its key's documentation says, or one
// with that unit.
func number(text, symbol string, set func(float64)) error {
	f, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, symbol)), 64)
	if err != nil {
		return fmt.Errorf("%q: want a number of %s", text, symbol)
	}
	set(f)
	return nil
}

func wanted(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Slice:
		return "a list"
	case reflect.Struct:
		if !v.Addr().Type().Implements(textual) {
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

// lineOf is where in the text a path such as "feeders[1].cap" stands: the line
// of its key, or of the nearest parent that the text has; 0 when unknown.
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
			if err != nil || !ok || i >= len(list.Values) {
				return line
			}
			next = list.Values[i]
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
					if t := p.Key.GetToken(); t != nil && t.Position != nil {
						line = t.Position.Line
					}
				}
			}
		}
		n = d.resolve(next)
		if n != nil && n.GetToken() != nil && n.GetToken().Position != nil && len(pairsOf(n)) > 0 {
			if k := pairsOf(n)[0].Key.GetToken(); k != nil && k.Position != nil {
				line = k.Position.Line
			}
		}
	}
	return line
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
