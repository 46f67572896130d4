package braiins

import (
	"math"
	"strconv"
)

// doc is JSON being written. Commas come by themselves.
type doc []byte

// next puts a comma where one is due.
func (d *doc) next() {
	if n := len(*d); n > 0 {
		switch (*d)[n-1] {
		case '{', '[', ':', ',':
		default:
			*d = append(*d, ',')
		}
	}
}

func (d *doc) key(k string) {
	d.next()
	*d = append(append(append(*d, '"'), k...), '"', ':')
}

func (d *doc) open(k string) { d.key(k); *d = append(*d, '{') }
func (d *doc) object()       { d.next(); *d = append(*d, '{') }
func (d *doc) close()        { *d = append(*d, '}') }
func (d *doc) list(k string) { d.key(k); *d = append(*d, '[') }
func (d *doc) endList()      { *d = append(*d, ']') }

func (d *doc) text(k, v string) { d.key(k); *d = appendQuoted(*d, v) }
func (d *doc) null(k string)    { d.key(k); *d = append(*d, "null"...) }
func (d *doc) int(k string, v int64) {
	d.key(k)
	*d = strconv.AppendInt(*d, v, 10)
}
func (d *doc) bool(k string, v bool) { d.key(k); *d = strconv.AppendBool(*d, v) }

// float writes a number as Rust does: with a decimal point, always.
func (d *doc) float(k string, v float64) {
	d.key(k)
	*d = appendFloat(*d, v)
}

// quantity writes {"degree_c":70.5}.
func (d *doc) quantity(k, unit string, v float64) {
	d.open(k)
	d.float(unit, v)
	d.close()
}

// watts writes {"watt":3031}.
func (d *doc) watts(k string, v int64) {
	d.open(k)
	d.int("watt", v)
	d.close()
}

// orNull writes text, and nothing as null.
func (d *doc) orNull(k, v string) {
	if v == "" {
		d.null(k)
		return
	}
	d.text(k, v)
}

func appendFloat(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(b, "null"...)
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return append(strconv.AppendInt(b, int64(v), 10), '.', '0')
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

func appendQuoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
