package avalon

import (
	"math"
	"strconv"
	"strings"
)

// field is one KEY[value] of a machine's text.
type field struct {
	key, value string
}

// block is one machine text, in its order.
type block []field

// fields reads KEY[value] pairs: the key is the word before the bracket, the
// value goes to the next closing one. whole is false when the text ends inside
// a value, which is then left out.
func fields(text string) (b block, whole bool) {
	b = make(block, 0, strings.Count(text, "["))
	for {
		open := strings.IndexByte(text, '[')
		if open < 0 {
			return b, true
		}
		start := open
		for start > 0 && wordByte(text[start-1]) {
			start--
		}
		length := strings.IndexByte(text[open:], ']')
		if length < 0 {
			return b, false
		}
		if start < open {
			b = append(b, field{text[start:open], strings.TrimSpace(text[open+1 : open+length])})
		}
		text = text[open+length+1:]
	}
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_'
}

// group is one 'NAME':{..} of the nested form.
type group struct {
	name, body string
}

// groups reads 'STATS':{..} 'HB0':{..}. A text without any is one nameless
// group. whole is false when the last one is not closed; its body is kept.
func groups(text string) (out []group, whole bool) {
	rest := text
	for {
		quote := strings.Index(rest, "':{")
		if quote < 0 {
			break
		}
		name := rest[:quote]
		name = name[strings.LastIndexByte(name, '\'')+1:]
		body, after, closed := strings.Cut(rest[quote+3:], "}")
		out = append(out, group{name, body})
		if !closed {
			return out, false
		}
		rest = after
	}
	if out == nil {
		return []group{{"", text}}, true
	}
	return out, true
}

// get is the value of a key, the first one if it comes twice.
func (b block) get(key string) (string, bool) {
	for i := range b {
		if b[i].key == key {
			return b[i].value, true
		}
	}
	return "", false
}

// number reads a plain decimal, passing over what follows it ("72%", "269880 B").
func number(s string) (float64, bool) {
	if i, ok := small(s); ok {
		return float64(i), true
	}
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.' || (s[end] == '-' || s[end] == '+') && end == 0) {
		end++
	}
	v, err := strconv.ParseFloat(s[:end], 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, false
	}
	return v, true
}

// small reads what most values are: an integer of up to nine digits.
func small(s string) (int, bool) {
	if len(s) == 0 {
		return 0, false
	}
	digits, negative := s, s[0] == '-'
	if negative {
		digits = s[1:]
	}
	if len(digits) == 0 || len(digits) > 9 {
		return 0, false
	}
	n := 0
	for i := range len(digits) {
		c := digits[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int(c)
	}
	if negative {
		n = -n
	}
	return n, true
}

// numbers reads a list of decimals separated by blanks. What is no number in
// it is NaN, so that places stay.
func numbers(s string) []float64 { return numbersAs[float64](s) }

func numbersAs[T ~float64](s string) []T {
	if s == "" {
		return nil
	}
	out := make([]T, 0, 1+strings.Count(s, " "))
	for i := 0; i < len(s); {
		if s[i] == ' ' {
			i++
			continue
		}
		start, n := i, 0
		for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
			n = n*10 + int(s[i]-'0')
		}
		if (i == len(s) || s[i] == ' ') && i-start < 18 { // a whole number, as nearly all are
			out = append(out, T(n))
			continue
		}
		for i < len(s) && s[i] != ' ' {
			i++
		}
		v, ok := number(s[start:i])
		if !ok {
			v = math.NaN()
		}
		out = append(out, T(v))
	}
	return out
}

// numbered splits a key like "PVT_T2" into "PVT_T" and 2; n is -1 when it does
// not end in a number, or in one that is no index.
func numbered(key string) (stem string, n int) {
	end := len(key)
	for end > 0 && key[end-1] >= '0' && key[end-1] <= '9' {
		end--
	}
	if n, ok := small(key[end:]); ok && n < mostBoards {
		return key[:end], n
	}
	return key, -1
}

// mostBoards bounds indices from outside: no module has more boards, no
// controller more modules times boards.
const mostBoards = 64
