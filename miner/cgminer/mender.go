package cgminer

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// mender rewrites in into out. Commas are written before an element, not after
// one, so stray ones vanish and missing ones appear.
type mender struct {
	in    []byte
	i     int
	out   []byte
	stack []level
	did   int
	cut   int // where the element being written began in out, to take it back
}

// level is one open object or list.
type level struct {
	kind  byte // '{' or '['
	open  int  // where its bracket is in out
	n     int  // elements written
	comma bool // the last thing seen was a comma
	was   byte // the bracket that opened it in the input
}

// start finds the first bracket, or invents it.
func (m *mender) start() bool {
	const mostJunk = 256
	at := bytes.IndexAny(m.in, "{[")
	if first := m.in[0]; first == ',' || first == '"' {
		// `,"id":1}`: the tail of an object.
		if head := m.in[:max(at, 0)]; at >= 0 && bytes.IndexByte(head, ':') < 0 || bytes.IndexByte(m.in, ':') < 0 {
			return false
		}
		m.did |= missingStart
		if first == ',' {
			m.i = 1
		}
		m.push('{')
		return true
	}
	if at < 0 || at > mostJunk {
		return false
	}
	if at > 0 {
		m.did |= garbage
	}
	m.i = at
	m.push(m.in[at])
	m.i++
	return true
}

func (m *mender) push(kind byte) {
	m.stack = append(m.stack, level{kind: kind, open: len(m.out), was: kind})
	m.out = append(m.out, kind)
}

// run rewrites until the first value is closed or the input ends.
func (m *mender) run() bool {
	for len(m.stack) > 0 {
		if len(m.stack) > deepest {
			return false
		}
		m.blanks()
		if m.i >= len(m.in) {
			m.end()
			break
		}
		top := &m.stack[len(m.stack)-1]
		switch c := m.in[m.i]; {
		case c == ',':
			if top.comma || top.n == 0 {
				m.did |= strayComma
			}
			top.comma = true
			m.i++
		case c == '}' || c == ']':
			m.close(c)
		case c == ':':
			m.colon(top)
		case top.kind == '{':
			m.member(top)
		default:
			m.element(top)
		}
	}
	if m.i < len(m.in) && len(trim(m.in[m.i:])) > 0 {
		m.did |= garbage
	}
	return true
}

// blanks skips white space and, noting it, other control characters.
func (m *mender) blanks() {
	for ; m.i < len(m.in) && m.in[m.i] <= ' '; m.i++ {
		switch m.in[m.i] {
		case ' ', '\t', '\r', '\n':
		default:
			m.did |= control
		}
	}
}

// next begins an element: it writes the comma and remembers the place.
func (m *mender) next(top *level) {
	m.cut = len(m.out)
	if top.n > 0 {
		if !top.comma {
			m.did |= missingComma
		}
		m.out = append(m.out, ',')
	}
}

func (m *mender) done(top *level) { top.n++; top.comma = false }

// back takes the element being written out again.
func (m *mender) back() { m.out = m.out[:m.cut] }

// close closes the innermost level that c fits, and what is open inside it.
func (m *mender) close(c byte) {
	opener := byte('{')
	if c == ']' {
		opener = '['
	}
	at := len(m.stack) - 1
	for at >= 0 && m.stack[at].kind != opener && m.stack[at].was != opener {
		at--
	}
	m.i++
	if at < 0 {
		m.did |= garbage
		return
	}
	if at != len(m.stack)-1 {
		m.did |= missingEnd
	}
	for len(m.stack) > at {
		m.pop()
	}
}

func (m *mender) pop() {
	top := m.stack[len(m.stack)-1]
	if top.comma && top.n > 0 {
		m.did |= strayComma
	}
	m.stack = m.stack[:len(m.stack)-1]
	m.out = append(m.out, top.kind+2) // '{'+2 is '}', '['+2 is ']'
}

// colon meets a colon where none belongs. In a list after its first text, the
// list is an object; elsewhere the colon separates.
func (m *mender) colon(top *level) {
	m.i++
	if top.kind == '[' && top.n == 1 && !top.comma && m.out[len(m.out)-1] == '"' && m.out[top.open+1] == '"' {
		m.did |= listObject
		m.out[top.open] = '{'
		top.kind, top.n = '{', 0
		m.cut = top.open + 1
		m.value(top)
		return
	}
	m.did |= garbage
}

// member reads one `"key": value` of an object.
func (m *mender) member(top *level) {
	m.next(top)
	switch c := m.in[m.i]; c {
	case '"':
		if !m.text(true) {
			m.back() // cut off inside the key
			return
		}
	case '{', '[':
		m.did |= missingValue
		m.out = append(m.out, `"":`...)
		m.nest(top, c)
		return
	default:
		word := m.word(true)
		if m.i >= len(m.in) || m.in[m.i] != ':' {
			m.did |= garbage
			m.back()
			return
		}
		m.did |= bareWord
		m.quote(word)
	}
	m.blanks()
	if m.i >= len(m.in) || m.in[m.i] != ':' {
		m.did |= garbage // a key without a value says nothing
		m.back()
		return
	}
	m.i++
	m.value(top)
}

// value reads what follows a key.
func (m *mender) value(top *level) {
	m.out = append(m.out, ':')
	m.blanks()
	if m.i >= len(m.in) {
		m.back()
		return
	}
	switch c := m.in[m.i]; c {
	case ',', '}', ']', ':':
		m.did |= missingValue
		m.out = append(m.out, "null"...)
		m.done(top)
	case '{', '[':
		m.nest(top, c)
	default:
		m.scalar(top)
	}
}

// element reads one element of a list.
func (m *mender) element(top *level) {
	m.next(top)
	if c := m.in[m.i]; c == '{' || c == '[' {
		m.nest(top, c)
		return
	}
	m.scalar(top)
}

func (m *mender) nest(top *level, c byte) {
	m.done(top)
	m.i++
	m.push(c)
}

// scalar reads a text, a number or a word; it is taken back when the end of the
// input may have cut it.
func (m *mender) scalar(top *level) {
	if m.in[m.i] == '"' {
		if m.text(false) {
			m.done(top)
		} else {
			m.back()
		}
		return
	}
	word := m.word(false)
	atEnd := m.i >= len(m.in)
	switch {
	case len(word) == 0: // a lone control character: word consumed it
		m.did |= garbage
		m.back()
		return
	case string(word) == "true", string(word) == "false", string(word) == "null":
		m.out = append(m.out, word...)
	case atEnd:
		m.back()
		return
	case isNumber(word):
		m.out = append(m.out, word...)
	default:
		m.odd(word)
	}
	m.done(top)
}

// odd writes a word that is no JSON value.
func (m *mender) odd(word []byte) {
	switch strings.ToLower(strings.TrimLeft(string(word), "+-")) {
	case "inf", "nan", "infinity":
		m.did |= notNumber
		m.out = append(m.out, "null"...)
		return
	}
	if n, ok := plainNumber(word); ok {
		m.did |= numberForm
		m.out = append(m.out, n...)
		return
	}
	m.did |= bareWord
	m.quote(word)
}

// word takes what is not quoted, up to what must end it.
func (m *mender) word(key bool) []byte {
	from := m.i
	for m.i++; m.i < len(m.in); m.i++ { // the first byte always belongs to it
		c := m.in[m.i]
		if c == ',' || c == '}' || c == ']' || c == '{' || c == '[' || c == '"' || c == '\n' || key && c == ':' {
			break
		}
	}
	whole := m.in[from:m.i]
	word := trim(whole)
	for _, c := range whole[len(word):] { // behind it; a word begins with itself
		if c < ' ' && c != '\t' && c != '\r' && c != '\n' {
			m.did |= control
		}
	}
	return word
}

// quote writes a word as text.
func (m *mender) quote(word []byte) {
	m.out = append(m.out, '"')
	for _, c := range word {
		switch {
		case c < ' ':
			m.did |= control
			continue
		case c == '"' || c == '\\':
			m.out = append(m.out, '\\')
		}
		m.out = append(m.out, c)
	}
	m.out = append(m.out, '"')
}

// text copies a quoted text. It is false when the end of the input cut it (and
// a long value is then kept nevertheless).
func (m *mender) text(key bool) bool {
	from := len(m.out)
	m.out = append(m.out, '"')
	for m.i++; m.i < len(m.in); m.i++ {
		switch c := m.in[m.i]; {
		case c == '"':
			if m.closes(key) {
				m.i++
				m.out = append(m.out, '"')
				return true
			}
			m.did |= quoteInside
			m.out = append(m.out, '\\', '"')
		case c == '\\':
			m.escape()
		case c < ' ':
			m.did |= control
		default:
			m.out = append(m.out, c)
		}
	}
	if key || len(m.out)-from < keepCut {
		return false
	}
	for len(m.out) > from && !utf8.Valid(m.out[len(m.out)-1:]) && !utf8.Valid(m.out[max(from, len(m.out)-utf8.UTFMax):]) {
		m.out = m.out[:len(m.out)-1] // half a character
	}
	m.out = append(m.out, '"')
	return true
}

// closes tells whether the quote at i ends its text: what follows a text must
// be able to follow it.
func (m *mender) closes(key bool) bool {
	j := m.i + 1
	for j < len(m.in) && m.in[j] <= ' ' {
		j++
	}
	if j >= len(m.in) {
		return true
	}
	if key {
		return m.in[j] == ':' || !bytes.Contains(m.in[j:min(len(m.in), j+64)], []byte(`":`))
	}
	return strings.IndexByte(`,:}]"{[`, m.in[j]) >= 0
}

// escape copies a backslash and what it escapes.
func (m *mender) escape() {
	if m.i+1 < len(m.in) {
		switch c := m.in[m.i+1]; c {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			m.out = append(m.out, '\\', c)
			m.i++
			return
		case 'u':
			if m.i+6 <= len(m.in) && isHex(m.in[m.i+2:m.i+6]) {
				m.out = append(m.out, m.in[m.i:m.i+6]...)
				m.i += 5
				return
			}
		}
	}
	m.did |= badEscape
	m.out = append(m.out, '\\', '\\')
}

// end closes what the end of the input left open.
func (m *mender) end() {
	m.did |= truncated
	for len(m.stack) > 0 {
		m.pop()
	}
}
