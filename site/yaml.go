package site

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"ballast/unit"
)

// Parse reads a description and checks it as a whole. Unknown keys are errors;
// every problem is told with its line.
func Parse(text []byte) (s *Site, err error) {
	defer func() {
		// The YAML library panics on some malformed input.
		if p := recover(); p != nil {
			s, err = nil, fmt.Errorf("%w: the text is not readable as YAML: %v", ErrInvalid, p)
		}
	}()
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrInvalid, yaml.FormatError(err, false, true))
	}
	var root ast.Node
	if len(tree.Docs) > 0 {
		root = tree.Docs[0].Body
	}
	if len(tree.Docs) > 1 {
		return nil, fmt.Errorf("%w: %d documents in one file: want one", ErrInvalid, len(tree.Docs))
	}
	s = new(Site)
	d := &decoder{anchors: map[string]ast.Node{}}
	d.decode(root, reflect.ValueOf(s).Elem(), "", 0)
	line := func(at string) int { return d.lineOf(root, at) }
	if err := d.err(line); err != nil {
		return nil, err
	}
	if err := s.check(line); err != nil {
		return nil, err
	}
	return s, nil
}

// YAML writes the description so that Parse reads the same again.
func (s *Site) YAML() ([]byte, error) {
	b, err := yaml.MarshalWithOptions(s, yaml.Indent(2), yaml.IndentSequence(true),
		yaml.CustomMarshaler(func(p unit.Power) ([]byte, error) { return []byte(p.String()), nil }),
		yaml.CustomMarshaler(func(v unit.Voltage) ([]byte, error) { return plain(float64(v)), nil }),
		yaml.CustomMarshaler(func(t unit.Opt[unit.Temperature]) ([]byte, error) { return plain(float64(t.Or(0))), nil }),
		yaml.CustomMarshaler(func(a Addr) ([]byte, error) { return []byte(a.String()), nil }),
		yaml.CustomMarshaler(func(r Range) ([]byte, error) { return []byte(r.String()), nil }),
	)
	if err != nil {
		return nil, fmt.Errorf("writing the site: %w", err)
	}
	return b, nil
}

func plain(v float64) []byte { return strconv.AppendFloat(nil, v, 'f', -1, 64) }

// err is nil, or lists the problems, each with its line when that is known.
func (c *checker) err(line func(at string) int) error {
	n := len(c.problems)
	if n == 0 {
		return nil
	}
	for i := range c.problems {
		c.problems[i].Line = line(c.problems[i].At)
	}
	var b strings.Builder
	for _, p := range c.problems[:min(n, most)] {
		b.WriteString("\n  ")
		if p.Line > 0 {
			fmt.Fprintf(&b, "line %d: ", p.Line)
		}
		if p.At != "" {
			b.WriteString(p.At + ": ")
		}
		b.WriteString(p.What)
	}
	if n > most {
		fmt.Fprintf(&b, "\n  and %d more", n-most)
	}
	return &invalid{fmt.Errorf("%w:%s", ErrInvalid, b.String()), c.problems}
}

// invalid is an error that remembers each problem for itself.
type invalid struct {
	error
	problems []Problem
}

func (e *invalid) Unwrap() error { return e.error }

// Problems are what err, which Parse, FromJSON or Check gave, has to say one by
// one; none for any other error.
func Problems(err error) []Problem {
	if e, ok := errors.AsType[*invalid](err); ok {
		return e.problems
	}
	return nil
}

// FromJSON reads a description as the record keeps it, and checks it as a whole.
func FromJSON(b []byte) (*Site, error) {
	s := new(Site)
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return s, nil
}
