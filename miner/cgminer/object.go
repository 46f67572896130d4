package cgminer

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/unit"
)

// Warn takes a data-quality remark: [miner.Reading.Warn] as a method value.
type Warn = func(kind miner.WarningKind, where, detail string)

// Object is one object of a reply, read once and looked up by key. Getters take
// several keys, for the names that firmwares give one thing; the first that
// has a value wins. What is missing, null, "" or of the wrong kind is missing.
// An Object remembers which keys were used (see [Object.Rest]), so it is not
// for concurrent use.
type Object struct {
	where  string
	fields []Field
}

// Field is one key with its value.
type Field struct {
	Key   string
	value string // text unescaped, everything else as written
	kind  kind
	used  bool // a getter returned it
}

// kind is what a value is in JSON.
type kind uint8

const (
	isNull kind = iota
	isFalse
	isTrue
	isNumeric
	isQuoted
	isNested
)

// NewObject reads a JSON object; anything else gives an empty Object. where
// names it in warnings.
func NewObject(where string, v gjson.Result) Object {
	if !v.IsObject() {
		return Object{where: where}
	}
	return Object{where: where, fields: fieldsOf(v.Raw)}
}

// Where names the object in warnings: "stats".
func (o Object) Where() string { return o.where }

// Fields are all keys with their values, in order.
func (o Object) Fields() []Field { return o.fields }

// Keys are all keys, in order.
func (o Object) Keys() []string {
	out := make([]string, len(o.fields))
	for i, f := range o.fields {
		out[i] = f.Key
	}
	return out
}

// Empty tells whether there is nothing in it.
func (o Object) Empty() bool { return len(o.fields) == 0 }

// Has tells whether a key is there, whatever its value.
func (o Object) Has(keys ...string) bool {
	for _, key := range keys {
		for i := range o.fields {
			if o.fields[i].Key == key {
				return true
			}
		}
	}
	return false
}

// find is the first of keys that has a value.
func (o Object) find(keys []string) (Field, bool) {
	for _, key := range keys {
		for i := range o.fields {
			if f := &o.fields[i]; f.Key == key && f.filled() {
				f.used = true
				return *f, true
			}
		}
	}
	return Field{}, false
}

func (f *Field) filled() bool {
	return f.kind != isNull && (f.kind != isQuoted || strings.TrimSpace(f.value) != "")
}

// Text is a value as text: text as it is (trimmed), numbers and booleans as
// written. Objects and lists are not text.
func (o Object) Text(keys ...string) string {
	f, ok := o.find(keys)
	if !ok {
		return ""
	}
	return f.Text()
}

// Text is the field's value as text; see [Object.Text].
func (f Field) Text() string {
	if f.kind == isNested || f.kind == isNull {
		return ""
	}
	// A copy: a reading must not keep the whole reply in memory.
	return strings.Clone(strings.TrimSpace(strings.ToValidUTF8(f.value, "�")))
}

// Use marks keys as dealt with, for [Object.Rest].
func (o Object) Use(keys ...string) {
	for _, key := range keys {
		for i := range o.fields {
			if o.fields[i].Key == key {
				o.fields[i].used = true
			}
		}
	}
}

// Rest puts every plain value that no getter used into the reading's Extra,
// under prefix and its own name. Nothing that Extra has is overwritten.
func (o Object) Rest(r *miner.Reading, prefix string) {
	for i := range o.fields {
		f := &o.fields[i]
		if f.used || f.kind == isNested || !f.filled() {
			continue
		}
		if r.Extra == nil {
			r.Extra = make(map[string]string, len(o.fields))
		}
		if key := prefix + f.Key; r.Extra[key] == "" {
			r.Extra[strings.Clone(key)] = f.Text()
		}
	}
}

// Raw is the value as JSON, for nested ones.
func (o Object) Raw(keys ...string) gjson.Result {
	f, ok := o.find(keys)
	if !ok {
		return gjson.Result{}
	}
	return f.Raw()
}

// Raw is the field's value as JSON.
func (f Field) Raw() gjson.Result {
	if f.kind == isQuoted {
		return gjson.Result{Type: gjson.String, Str: f.value, Raw: f.value}
	}
	return gjson.Parse(f.value)
}

// Object is a nested object.
func (o Object) Object(keys ...string) Object {
	f, ok := o.find(keys)
	if !ok || f.kind != isNested {
		return Object{where: o.where}
	}
	if !strings.HasPrefix(f.value, "{") {
		return Object{where: o.where}
	}
	return Object{where: o.where + "." + f.Key, fields: fieldsOf(f.value)}
}

// List is a nested list of objects; a lone object is a list of one.
func (o Object) List(keys ...string) []Object {
	f, ok := o.find(keys)
	if !ok || f.kind != isNested {
		return nil
	}
	return objectsIn(o.where+"."+f.Key, f.value)
}

// Floats are the numbers of a list, or of text such as "40-42-45-47" or
// "40 42 45". What is no number in it is NaN, to keep places.
func (o Object) Floats(keys ...string) []float64 {
	f, ok := o.find(keys)
	if !ok {
		return nil
	}
	return f.Floats()
}

// Floats are the numbers of the field; see [Object.Floats].
func (f Field) Floats() []float64 {
	var out []float64
	if f.kind == isNested {
		elementsOf(f.value, func(raw string) bool {
			out = append(out, Number(strings.Trim(raw, `"`)).Or(math.NaN()))
			return true
		})
		return out
	}
	return Dashed(f.value)
}

// Dashed reads "40-42-45-47" (and a space, comma, slash or semicolon as the
// separator, and "-5--3" with negative numbers in it).
func Dashed(s string) []float64 {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil
	}
	out := make([]float64, 0, 4)
	for s != "" {
		// A sign belongs to the number; the next one separates.
		end := 0
		if s[0] == '-' || s[0] == '+' {
			end = 1
		}
		for end < len(s) && !strings.ContainsRune("-, /;\t", rune(s[end])) {
			end++
		}
		out = append(out, Number(s[:end]).Or(math.NaN()))
		if end < len(s) {
			end++
		}
		s = strings.TrimLeft(s[end:], " \t")
	}
	return out
}

// Float is a number, however written: 13630.55, "13630.55", "55.0 C", "72%".
// A unit in the text is passed over; "inf", "nan" and text without a leading
// number are missing.
func (o Object) Float(keys ...string) unit.Opt[float64] {
	f, ok := o.find(keys)
	if !ok {
		return unit.None[float64]()
	}
	return f.Float()
}

// Float is the field's value as a number; see [Object.Float].
func (f Field) Float() unit.Opt[float64] {
	switch f.kind {
	case isNumeric, isQuoted:
		return Number(f.value)
	case isTrue:
		return unit.Some(1.0)
	case isFalse:
		return unit.Some(0.0)
	}
	return unit.None[float64]()
}

// Number reads the leading number of s; see [Object.Float].
func Number(s string) unit.Opt[float64] {
	s = strings.TrimSpace(s)
	end := 0
	for end < len(s) {
		c := s[end]
		if c >= '0' && c <= '9' || c == '.' || (c == '-' || c == '+') && (end == 0 || s[end-1]|0x20 == 'e') {
			end++
			continue
		}
		if c|0x20 == 'e' && end > 0 && end+1 < len(s) && strings.IndexByte("+-0123456789", s[end+1]) >= 0 {
			end++
			continue
		}
		break
	}
	if end == 0 {
		return unit.None[float64]()
	}
	v, err := strconv.ParseFloat(s[:end], 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return unit.None[float64]()
	}
	return unit.Some(v)
}

// Int is a whole number; fractions are cut off.
func (o Object) Int(keys ...string) unit.Opt[int64] {
	f, ok := o.find(keys)
	if !ok {
		return unit.None[int64]()
	}
	if f.kind == isNumeric || f.kind == isQuoted {
		if v, err := strconv.ParseInt(strings.TrimSpace(f.value), 10, 64); err == nil {
			return unit.Some(v)
		}
	}
	v, ok := f.Float().Get()
	if !ok || math.Abs(v) >= 1<<63 {
		return unit.None[int64]()
	}
	return unit.Some(int64(v))
}

// Count is a number of things: a whole number, not negative.
func (o Object) Count(keys ...string) unit.Opt[int64] {
	if v, ok := o.Int(keys...).Get(); ok && v >= 0 {
		return unit.Some(v)
	}
	return unit.None[int64]()
}

// Bool is a truth: true, "true", "Y", "yes", "on", "enabled", 1 and their
// opposites.
func (o Object) Bool(keys ...string) unit.Opt[bool] {
	f, ok := o.find(keys)
	if !ok {
		return unit.None[bool]()
	}
	switch f.kind {
	case isTrue:
		return unit.Some(true)
	case isFalse:
		return unit.Some(false)
	}
	switch strings.ToLower(strings.TrimSpace(f.value)) {
	case "true", "y", "yes", "on", "enable", "enabled", "1":
		return unit.Some(true)
	case "false", "n", "no", "off", "disable", "disabled", "0":
		return unit.Some(false)
	}
	return unit.None[bool]()
}

// Seconds is a duration given in seconds, not negative.
func (o Object) Seconds(keys ...string) unit.Opt[time.Duration] {
	v, ok := o.Float(keys...).Get()
	if !ok || v < 0 || v > 1e9 {
		return unit.None[time.Duration]()
	}
	return unit.Some(time.Duration(v * float64(time.Second)))
}

// Scaled is a number with a decimal multiplier: "32K", "1.05M", "65536".
func (o Object) Scaled(keys ...string) unit.Opt[float64] {
	text := o.Text(keys...)
	v, ok := Number(text).Get()
	if !ok {
		return unit.None[float64]()
	}
	switch strings.TrimLeft(text, "+-0123456789. ") {
	case "K", "k":
		v *= 1e3
	case "M":
		v *= 1e6
	case "G":
		v *= 1e9
	case "T":
		v *= 1e12
	case "P":
		v *= 1e15
	}
	return unit.Some(v)
}
