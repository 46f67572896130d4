package cgminer

import (
	"bytes"
)

// isText tells whether a reply is in the API's text form.
func isText(b []byte) bool {
	return bytes.HasPrefix(b, []byte("STATUS=")) || bytes.HasPrefix(b, []byte("CMD="))
}

// sections are the names that a text reply's sections have as JSON.
var sections = map[string]string{"POOL": "POOLS", "ASC": "DEVS", "PGA": "DEVS", "GPU": "DEVS", "CPU": "DEVS"}

// textToJSON rewrites the text form
//
//	STATUS=S,When=1,Code=7,Msg=1 Pool(s),Description=cgminer|POOL=0,URL=..|
//
// as the JSON form, every value a text. A part that is no key=value belongs to
// the value before it: MM IDs hold commas that firmwares forget to escape.
func textToJSON(raw []byte) []byte {
	w := textWriter{out: append(make([]byte, 0, len(raw)*2), '{')}
	for len(raw) > 0 {
		var part []byte
		part, raw = cutText(raw, '|')
		w.section(trim(part))
	}
	w.endSection()
	if w.inPart {
		w.out = append(w.out, "}]"...)
	}
	return append(w.out, '}')
}

type textWriter struct {
	out       []byte
	open      string // the section being written
	inSection bool
	any       bool // something precedes at this level
	inPart    bool // inside one command's reply of several
}

func (w *textWriter) comma() {
	if w.any {
		w.out = append(w.out, ',')
	}
	w.any = true
}

func (w *textWriter) endSection() {
	if w.inSection {
		w.out = append(w.out, ']')
		w.inSection = false
	}
}

func (w *textWriter) section(part []byte) {
	if len(part) == 0 {
		return
	}
	head, rest := cutText(part, ',')
	key, value := cutText(head, '=')
	name := string(key)
	if name == "CMD" {
		w.endSection()
		if w.inPart {
			w.out = append(w.out, "}]"...)
			w.any = true // this part
		}
		w.comma()
		w.out = appendString(w.out, string(unescape(value)))
		w.out = append(w.out, ":[{"...)
		w.inPart, w.any = true, false
		return
	}
	plural, ok := sections[name]
	if !ok {
		plural = name
	}
	if w.inSection && w.open == plural {
		w.out = append(w.out, ',')
	} else {
		w.endSection()
		w.comma()
		w.out = appendString(w.out, plural)
		w.out = append(w.out, ":["...)
		w.open, w.inSection = plural, true
	}
	w.object(name, head, value, rest)
}

func (w *textWriter) object(name string, head, value, rest []byte) {
	w.out = append(w.out, '{')
	n := 0
	if bytes.IndexByte(head, '=') >= 0 {
		w.pair(&n, name, value)
	}
	for len(rest) > 0 {
		var field []byte
		field, rest = cutText(rest, ',')
		for len(rest) > 0 {
			// Look ahead: what has no '=' of its own continues this value.
			peek, after := cutText(rest, ',')
			if k, _ := cutText(peek, '='); len(k) != len(peek) {
				break
			}
			field = field[:len(field)+1+len(peek)] // both are slices of one array
			rest = after
		}
		key, value := cutText(field, '=')
		w.pair(&n, string(trim(key)), value)
	}
	w.out = append(w.out, '}')
}

func (w *textWriter) pair(n *int, key string, value []byte) {
	if *n > 0 {
		w.out = append(w.out, ',')
	}
	*n++
	w.out = appendString(w.out, key)
	w.out = append(w.out, ':')
	w.out = appendString(w.out, string(unescape(value)))
}

// cutText cuts at the first sep that no backslash escapes.
func cutText(b []byte, sep byte) (before, after []byte) {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case sep:
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}

func unescape(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+1 < len(b) {
			i++
		}
		out = append(out, b[i])
	}
	return out
}
