package cgminer

import (
	"bytes"
	"strings"

	"github.com/tidwall/gjson"
)

// What Mend may have done, as it says so.
const (
	RepairMissingComma = "missing comma"                    // S9 and S17 stats: }{ ; btminer of 2023-01: "..""temp0"
	RepairStrayComma   = "stray comma"                      // btminer: ,} ; bmminer: [,{
	RepairControl      = "control characters"               // btminer: line breaks inside text
	RepairNotNumber    = "inf or nan"                       // Avalon: becomes null
	RepairNumber       = "number form"                      // 05, +5, .5, 5.
	RepairBareWord     = "text without quotes"              // N/A
	RepairQuote        = "quote inside text"                // Msg: "Access denied to "x""
	RepairEscape       = "bad escape"                       // \x
	RepairMissingValue = "missing value"                    // "a":, becomes null
	RepairMissingStart = "missing start"                    // Avalon: ,"id":1}
	RepairMissingEnd   = "missing bracket"                  // [{..] or {[..}
	RepairListObject   = "object written as a list"         // Whatsminer 2.0.4: "error_code":["110":"2020-01-01"]
	RepairGarbage      = "bytes that do not belong dropped" // before the start or after the end
	RepairTruncated    = "truncated"                        // what came last and whole is kept
)

// repairNames is in the order of the bits below.
var repairNames = [...]string{RepairMissingComma, RepairStrayComma, RepairControl, RepairNotNumber, RepairNumber, RepairBareWord,
	RepairQuote, RepairEscape, RepairMissingValue, RepairMissingStart, RepairMissingEnd, RepairListObject, RepairGarbage, RepairTruncated}

const (
	missingComma = 1 << iota
	strayComma
	control
	notNumber
	numberForm
	bareWord
	quoteInside
	badEscape
	missingValue
	missingStart
	missingEnd
	listObject
	garbage
	truncated
)

const (
	// deepest bounds nesting; miners nest to about six.
	deepest = 200
	// keepCut is the length from which a text that the end of the reply cut
	// off is kept: Avalon packs a whole machine into one text, field by field.
	keepCut = 256
)

// Mend turns what miners send into JSON: it removes trailing NULs and blanks,
// and if the rest is not valid JSON, reads it as what it must have meant. It
// returns valid JSON (an object or a list) and what was done, or ok=false.
// Valid input is returned as it is, a part of raw, without allocation.
//
// A truncated reply loses the element that the cut hit: half a number is no
// number. inf and nan become null, because missing is not zero.
func Mend(raw []byte) (fixed []byte, repairs []string, ok bool) {
	in := trim(raw)
	if len(in) == 0 || in[0] == '<' {
		return nil, nil, false
	}
	if (in[0] == '{' || in[0] == '[') && !tooDeep(in) && gjson.ValidBytes(in) {
		return in, nil, true
	}
	m := mender{in: in, out: make([]byte, 0, len(in)+64)}
	if !m.start() || !m.run() || tooDeep(m.out) || !gjson.ValidBytes(m.out) {
		return nil, nil, false
	}
	if len(bytes.Trim(m.out, "[]{}, ")) == 0 {
		return nil, nil, false // brackets with nothing in them: nothing was read
	}
	for i, name := range repairNames {
		if m.did&(1<<i) != 0 {
			repairs = append(repairs, name)
		}
	}
	return m.out, repairs, true
}

// trim cuts NULs, blanks and a byte order mark off both ends.
func trim(raw []byte) []byte {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	for len(raw) > 0 && raw[0] <= ' ' {
		raw = raw[1:]
	}
	for len(raw) > 0 && raw[len(raw)-1] <= ' ' {
		raw = raw[:len(raw)-1]
	}
	return raw
}

// tooDeep guards the validator, which recurses.
func tooDeep(b []byte) bool {
	if bytes.Count(b, []byte("[")) <= deepest && bytes.Count(b, []byte("{")) <= deepest {
		return false
	}
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if depth++; depth > deepest {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

func isHex(b []byte) bool {
	for _, c := range b {
		if digit, letter := c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'f'; !digit && !letter {
			return false
		}
	}
	return true
}

// isNumber tells whether b is a number in JSON's strict form.
func isNumber(b []byte) bool {
	return len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9') && gjson.ValidBytes(b)
}

// plainNumber gives +5, 05, .5 and 5. their JSON form.
func plainNumber(word []byte) (string, bool) {
	s, sign := string(word), ""
	switch s[0] {
	case '+':
		s = s[1:]
	case '-':
		s, sign = s[1:], "-"
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if whole == "" && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return "", false
	}
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return sign + whole, true
}
