package cgminer

import (
	"strings"

	"github.com/tidwall/gjson"
)

// fieldsOf takes a JSON object apart without looking into its nested values.
// raw has been validated; what is not JSON nevertheless ends the scan early.
func fieldsOf(raw string) []Field {
	s := scanner{raw: raw}
	s.blanks()
	return s.object()
}

// object reads the object at hand and goes behind it.
func (s *scanner) object() []Field {
	if !s.take('{') {
		return nil
	}
	// As many fields as there are up to the first nested value, and some.
	flat := s.raw[s.i:min(len(s.raw), s.i+16<<10)]
	if nested := strings.IndexAny(flat, "{[}"); nested >= 0 {
		flat = flat[:nested]
	}
	out := make([]Field, 0, 2+strings.Count(flat, `":`))
	for {
		s.blanks()
		if s.take(',') {
			continue
		}
		if s.take('}') {
			return out
		}
		key, ok := s.text()
		if !ok {
			return out
		}
		s.blanks()
		if !s.take(':') {
			return out
		}
		s.blanks()
		f, ok := s.value()
		if !ok {
			return out
		}
		f.Key = key
		out = append(out, f)
	}
}

// objects reads the objects of a list, those of lists in it included, or one
// object alone; f takes each and says whether to go on.
func objects(raw string, f func([]Field) bool) {
	s := scanner{raw: raw}
	for s.i < len(raw) {
		s.blanks()
		switch {
		case s.i >= len(raw):
			return
		case raw[s.i] == '{':
			if !f(s.object()) {
				return
			}
		case raw[s.i] == '[', raw[s.i] == ']', raw[s.i] == ',':
			s.i++
		default:
			if _, ok := s.value(); !ok {
				return
			}
		}
	}
}

// elementsOf calls f with every element of a JSON list until it is false.
func elementsOf(raw string, f func(raw string) bool) {
	s := scanner{raw: raw}
	s.blanks()
	if !s.take('[') {
		return
	}
	for {
		s.blanks()
		if s.take(',') {
			continue
		}
		from := s.i
		if _, ok := s.value(); !ok || !f(raw[from:s.i]) {
			return
		}
	}
}

type scanner struct {
	raw string
	i   int
}

func (s *scanner) blanks() {
	for s.i < len(s.raw) && s.raw[s.i] <= ' ' {
		s.i++
	}
}

func (s *scanner) take(c byte) bool {
	if s.i < len(s.raw) && s.raw[s.i] == c {
		s.i++
		return true
	}
	return false
}

// text reads a quoted text and takes its escapes back.
func (s *scanner) text() (string, bool) {
	if s.i >= len(s.raw) || s.raw[s.i] != '"' {
		return "", false
	}
	from := s.i + 1
	end := strings.IndexByte(s.raw[from:], '"')
	if end < 0 {
		return "", false
	}
	if plain := s.raw[from : from+end]; strings.IndexByte(plain, '\\') < 0 {
		s.i = from + end + 1
		return plain, true
	}
	start := s.i
	if !s.skipText() {
		return "", false
	}
	return gjson.Parse(s.raw[start:s.i]).Str, true
}

// skipText goes behind a quoted text: to the next quote with an even number of
// backslashes before it.
func (s *scanner) skipText() bool {
	start := s.i + 1
	for from := start; ; {
		n := strings.IndexByte(s.raw[min(from, len(s.raw)):], '"')
		if n < 0 {
			s.i = len(s.raw)
			return false
		}
		end := from + n
		escaped := false
		for k := end - 1; k >= start && s.raw[k] == '\\'; k-- {
			escaped = !escaped
		}
		if !escaped {
			s.i = end + 1
			return true
		}
		from = end + 1
	}
}

// value reads any value; of a nested one it takes the text as it is.
func (s *scanner) value() (Field, bool) {
	if s.i >= len(s.raw) {
		return Field{}, false
	}
	from := s.i
	switch c := s.raw[s.i]; c {
	case '"':
		text, ok := s.text()
		return Field{kind: isQuoted, value: text}, ok
	case '{', '[':
		ok := s.skipNested()
		return Field{kind: isNested, value: s.raw[from:s.i]}, ok
	case '}', ']', ',', ':':
		return Field{}, false
	}
	for s.i < len(s.raw) {
		if c := s.raw[s.i]; c == ',' || c == '}' || c == ']' || c <= ' ' {
			break
		}
		s.i++
	}
	f := Field{kind: isNumeric, value: s.raw[from:s.i]}
	switch f.value {
	case "true":
		f.kind = isTrue
	case "false":
		f.kind = isFalse
	case "null":
		f.kind = isNull
	}
	return f, true
}

// skipNested goes behind an object or a list.
func (s *scanner) skipNested() bool {
	depth := 0
	for s.i < len(s.raw) {
		switch s.raw[s.i] {
		case '"':
			if !s.skipText() {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				s.i++
				return true
			}
		}
		s.i++
	}
	return false
}
