package braiins

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A GraphQL request taken apart: enough of the language for what clients of
// mining machines send (one operation, variables, arguments, aliases, inline
// fragments).

// pick is one field of a selection, or an inline fragment.
type pick struct {
	alias, name string
	on          string // an inline fragment's type
	args        map[string]any
	picks       []pick
}

// operation is a request's one operation.
type operation struct {
	mutation bool
	picks    []pick
}

var errQuery = errors.New("cannot parse the query")

// deepestQuery bounds nesting.
const deepestQuery = 24

// parseQuery reads a document with its variables.
func parseQuery(text string, variables map[string]any) (operation, error) {
	p := &queryParser{text: text, variables: variables}
	op := operation{}
	switch word := p.word(); word {
	case "", "query", "mutation":
		op.mutation = word == "mutation"
	default:
		return op, fmt.Errorf("%w: %q is not supported", errQuery, word)
	}
	p.word() // the operation's name
	if p.eat('(') {
		for p.err == nil && !p.eat(')') {
			if p.done() {
				return op, errQuery
			}
			p.at++ // the variables' types are taken on trust
		}
	}
	op.picks = p.selection(0)
	if p.err == nil && !p.done() {
		p.err = errQuery
	}
	return op, p.err
}

type queryParser struct {
	text      string
	at        int
	variables map[string]any
	err       error
}

func (p *queryParser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r', ',':
			p.at++
		case '#':
			for p.at < len(p.text) && p.text[p.at] != '\n' {
				p.at++
			}
		default:
			return
		}
	}
}

func (p *queryParser) done() bool { p.space(); return p.at >= len(p.text) }

func (p *queryParser) eat(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *queryParser) fail() { p.err = errQuery }

func (p *queryParser) word() string {
	p.space()
	start := p.at
	for p.at < len(p.text) {
		c := p.text[p.at]
		if c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || p.at > start && c >= '0' && c <= '9' {
			p.at++
			continue
		}
		break
	}
	return p.text[start:p.at]
}

// selection reads "{ a b(c: 1) { d } ... on E { f } }".
func (p *queryParser) selection(depth int) []pick {
	if depth > deepestQuery || !p.eat('{') {
		p.fail()
		return nil
	}
	var out []pick
	for p.err == nil && !p.eat('}') {
		if p.done() || len(out) > 256 {
			p.fail()
			return nil
		}
		out = append(out, p.pick(depth))
	}
	return out
}

func (p *queryParser) pick(depth int) (f pick) {
	if strings.HasPrefix(p.text[p.at:], "...") {
		p.at += 3
		if p.word() != "on" {
			p.fail()
			return f
		}
		f.on = p.word()
		f.picks = p.selection(depth + 1)
		return f
	}
	f.name = p.word()
	if f.name == "" {
		p.fail()
		return f
	}
	f.alias = f.name
	if p.eat(':') {
		f.name = p.word()
	}
	if p.eat('(') {
		f.args = map[string]any{}
		for p.err == nil && !p.eat(')') {
			name := p.word()
			if name == "" || !p.eat(':') {
				p.fail()
				return f
			}
			f.args[name] = p.value(depth)
		}
	}
	p.space()
	if p.at < len(p.text) && p.text[p.at] == '{' {
		f.picks = p.selection(depth + 1)
	}
	return f
}

func (p *queryParser) value(depth int) any {
	p.space()
	if p.at >= len(p.text) || depth > deepestQuery {
		p.fail()
		return nil
	}
	switch c := p.text[p.at]; {
	case c == '$':
		p.at++
		return p.variables[p.word()]
	case c == '"':
		end := p.at + 1
		for end < len(p.text) && p.text[end] != '"' {
			if p.text[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(p.text) {
			p.fail()
			return nil
		}
		var s string
		if err := json.Unmarshal([]byte(p.text[p.at:end+1]), &s); err != nil {
			p.fail()
		}
		p.at = end + 1
		return s
	case c == '[':
		p.at++
		list := []any{}
		for p.err == nil && !p.eat(']') {
			list = append(list, p.value(depth+1))
		}
		return list
	case c == '{':
		p.at++
		object := map[string]any{}
		for p.err == nil && !p.eat('}') {
			name := p.word()
			if name == "" || !p.eat(':') {
				p.fail()
				return nil
			}
			object[name] = p.value(depth + 1)
		}
		return object
	case c == '-' || c >= '0' && c <= '9':
		start := p.at
		for p.at < len(p.text) && strings.IndexByte("+-.eE0123456789", p.text[p.at]) >= 0 {
			p.at++
		}
		x, err := strconv.ParseFloat(p.text[start:p.at], 64)
		if err != nil {
			p.fail()
		}
		return x
	}
	switch w := p.word(); w {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	case "":
		p.fail()
		return nil
	default:
		return w // an enumeration's value
	}
}

// node is an object that a query walks through: its type's name, and its fields.
// A field is a scalar, a node, a list of nodes, or nil.
type node struct {
	kind  string
	field func(name string, args map[string]any) (any, error)
}

// errUnknown says that a type has no such field: the query as a whole is wrong.
type errUnknown struct{ field, kind string }

func (e errUnknown) Error() string {
	return fmt.Sprintf("Unknown field %q on type %q.", e.field, e.kind)
}

// errField is a field that failed; the rest of the answer stands.
type errField struct {
	path    []string
	message string
	code    string
}

// walker prints what a query picks.
type walker struct {
	out    doc
	errors []errField
	path   []string
}

func (w *walker) object(n node, picks []pick) error {
	w.out.object()
	if err := w.fields(n, picks); err != nil {
		return err
	}
	w.out.close()
	return nil
}

func (w *walker) fields(n node, picks []pick) error {
	for _, f := range picks {
		if f.on != "" {
			if f.on == n.kind {
				if err := w.fields(n, f.picks); err != nil {
					return err
				}
			}
			continue
		}
		w.out.key(f.alias)
		if f.name == "__typename" {
			w.out = appendQuoted(w.out, n.kind)
			continue
		}
		v, err := n.field(f.name, f.args)
		if bad, ok := errors.AsType[errUnknown](err); ok {
			return bad
		}
		w.path = append(w.path, f.alias)
		if err != nil {
			w.fault(err)
			w.out = append(w.out, "null"...)
		} else if err := w.value(v, f.picks); err != nil {
			return err
		}
		w.path = w.path[:len(w.path)-1]
	}
	return nil
}

func (w *walker) fault(err error) {
	f := errField{path: append([]string(nil), w.path...), message: err.Error()}
	if errors.Is(err, errUnauthorized) {
		f.code = "UNAUTHORIZED"
	} else if errors.Is(err, errUnavailable) {
		f.code = "UNAVAILABLE"
	}
	w.errors = append(w.errors, f)
}

func (w *walker) value(v any, picks []pick) error {
	switch v := v.(type) {
	case nil:
		w.out = append(w.out, "null"...)
	case node:
		// The node writes its own brackets after the key's colon.
		return w.object(v, picks)
	case []node:
		w.out = append(w.out, '[')
		for _, n := range v {
			if err := w.object(n, picks); err != nil {
				return err
			}
		}
		w.out = append(w.out, ']')
	case []string:
		w.out = append(w.out, '[')
		for _, s := range v {
			w.out.next()
			w.out = appendQuoted(w.out, s)
		}
		w.out = append(w.out, ']')
	case string:
		w.out = appendQuoted(w.out, v)
	case bool:
		w.out = strconv.AppendBool(w.out, v)
	case int64:
		w.out = strconv.AppendInt(w.out, v, 10)
	case float64:
		w.out = appendFloat(w.out, v)
	default:
		return fmt.Errorf("a %T cannot be answered", v)
	}
	return nil
}

// answer is the whole reply.
func (w *walker) answer() doc {
	d := make(doc, 0, len(w.out)+256)
	d.object()
	d.key("data")
	d = append(d, w.out...)
	if len(w.errors) > 0 {
		d.list("errors")
		for _, e := range w.errors {
			d.object()
			d.text("message", e.message)
			d.list("path")
			for _, s := range e.path {
				d.next()
				d = appendQuoted(d, s)
			}
			d.endList()
			if e.code != "" {
				d.open("extensions")
				d.text("code", e.code)
				d.close()
			}
			d.close()
		}
		d.endList()
	}
	d.close()
	return d
}
