package braiins

import (
	"iter"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// What no machine tells truly.
const (
	mostRate  = unit.Hashrate(1e5)   // TH/s
	mostPower = unit.Power(1e5)      // W
	mostSpeed = unit.Speed(60000)    // rpm, short of the sentinel 65535
	mostVolts = unit.Voltage(1000)   // V
	mostClock = unit.Frequency(1e10) // Hz
)

const megahash = unit.GHs / 1e3

// text is a value as words, its own copy: a reading must not keep the whole
// reply in memory. Objects, lists and null are not text.
func text(v gjson.Result) string {
	switch v.Type {
	case gjson.String:
		return strings.Clone(strings.TrimSpace(strings.ToValidUTF8(v.Str, "�")))
	case gjson.Number, gjson.True, gjson.False:
		return strings.Clone(v.Raw)
	}
	return ""
}

// number is a value as a number, written as one or as text ("3137", as protobuf
// writes 64-bit integers; "3137 W", as nobody should).
func number(v gjson.Result) unit.Opt[float64] {
	switch v.Type {
	case gjson.Number:
		if math.IsInf(v.Num, 0) || math.IsNaN(v.Num) {
			return unit.None[float64]()
		}
		return unit.Some(v.Num)
	case gjson.String:
		return cgminer.Number(v.Str)
	}
	return unit.None[float64]()
}

// count is a number of things.
func count(v gjson.Result) unit.Opt[int64] {
	if v.Type != gjson.Number && v.Type != gjson.String {
		return unit.None[int64]()
	}
	if n, err := strconv.ParseInt(strings.Trim(v.Raw, `" `), 10, 64); err == nil {
		if n < 0 {
			return unit.None[int64]()
		}
		return unit.Some(n)
	}
	x, ok := number(v).Get()
	if !ok || x < 0 || x >= 1<<63 {
		return unit.None[int64]()
	}
	return unit.Some(int64(x))
}

func countInt(v gjson.Result) unit.Opt[int] {
	n, ok := count(v).Get()
	if !ok || n > 1<<31 {
		return unit.None[int]()
	}
	return unit.Some(int(n))
}

// truth is a boolean, also as text.
func truth(v gjson.Result) unit.Opt[bool] {
	switch {
	case v.Type == gjson.True, v.Type == gjson.String && strings.EqualFold(v.Str, "true"):
		return unit.Some(true)
	case v.Type == gjson.False, v.Type == gjson.String && strings.EqualFold(v.Str, "false"):
		return unit.Some(false)
	}
	return unit.None[bool]()
}

// seconds is a duration in whole seconds.
func seconds(v gjson.Result) unit.Opt[time.Duration] {
	x, ok := number(v).Get()
	if !ok || x < 0 || x > 1e10 {
		return unit.None[time.Duration]()
	}
	return unit.Some(time.Duration(x * float64(time.Second)))
}

// moment is a time: {"seconds":..,"nanos":..}, RFC 3339, or seconds since 1970.
func moment(v gjson.Result) time.Time {
	var t time.Time
	switch {
	case v.IsObject():
		s, ok := number(v.Get("seconds")).Get()
		if !ok {
			return t
		}
		t = time.Unix(int64(s), int64(number(v.Get("nanos")).Or(0)))
	case v.Type == gjson.String && strings.Contains(v.Str, "T"):
		t, _ = time.Parse(time.RFC3339Nano, v.Str)
	default:
		s, ok := number(v).Get()
		if !ok || s > 1e11 {
			return t
		}
		t = time.Unix(int64(s), 0)
	}
	return t.UTC()
}

// dated tells whether a time can be one of this machine's: without a clock
// battery it begins at 1970 or 2015 and jumps when the network comes.
func dated(t time.Time) bool { return t.Year() >= 2018 && t.Year() < 2200 }

// quantity takes {"gigahash_per_second": 47980.85} apart. protobuf's JSON leaves
// zero out, so {} is a zero of unknown unit, if not the end of the reply made it
// so. A reading has near a hundred of
// them, so the first key and its value are looked up by hand; v is valid JSON.
func (p *parser) quantity(v gjson.Result) (name string, x unit.Opt[float64]) {
	if !v.IsObject() {
		return "", number(v)
	}
	_, rest, ok := strings.Cut(v.Raw, `"`)
	if !ok {
		if p.cut {
			return "", unit.None[float64]()
		}
		return "", unit.Some(0.0)
	}
	name, rest, _ = strings.Cut(rest, `"`)
	_, rest, _ = strings.Cut(rest, ":")
	rest = strings.TrimLeft(rest, " \t\r\n\"")
	if end := strings.IndexAny(rest, ",} \t\r\n\""); end >= 0 {
		rest = rest[:end]
	}
	if f, err := strconv.ParseFloat(rest, 64); err == nil && f-f == 0 {
		return name, unit.Some(f)
	}
	return name, cgminer.Number(rest)
}

// members walks through an object of quantities, {"last_5s":{..},"last_1m":{..}},
// by hand: there are forty of them in a reading. raw is valid JSON.
func members(raw string) iter.Seq2[string, gjson.Result] {
	return func(yield func(string, gjson.Result) bool) {
		for {
			_, rest, ok := strings.Cut(raw, `"`)
			if !ok {
				return
			}
			key, rest, _ := strings.Cut(rest, `"`)
			_, rest, _ = strings.Cut(rest, ":")
			rest = strings.TrimLeft(rest, " \t\r\n")
			end := strings.IndexByte(rest, ',')
			v := gjson.Result{Type: gjson.Null}
			if strings.HasPrefix(rest, "{") {
				end = strings.IndexByte(rest, '}') + 1
				v = gjson.Result{Type: gjson.JSON, Raw: rest[:end]}
			}
			if !yield(key, v) || end < 0 {
				return
			}
			raw = rest[end:]
		}
	}
}

// rate is a hashrate in the unit that its field names.
func (p *parser) rate(v gjson.Result, where string) unit.Opt[unit.Hashrate] {
	name, x := p.quantity(v)
	one := unit.GHs
	switch name {
	case "megahash_per_second":
		one = megahash
	case "terahash_per_second":
		one = unit.THs
	}
	return scaled(p, x, one, mostRate, where)
}

// plain is a quantity in its base unit.
func plain[T ~float64](p *parser, v gjson.Result, most T, where string) unit.Opt[T] {
	_, x := p.quantity(v)
	return scaled(p, x, T(1), most, where)
}

func scaled[T ~float64](p *parser, x unit.Opt[float64], one, most T, where string) unit.Opt[T] {
	f, ok := x.Get()
	if !ok {
		return unit.None[T]()
	}
	if t := T(f) * one; t >= 0 && t <= most {
		return unit.Some(t)
	}
	p.r.Warn(miner.WarnImplausible, where, strconv.FormatFloat(f, 'g', -1, 64))
	return unit.None[T]()
}

// temperature is in °C. A sensor that does not answer reads 0 or far out.
func (p *parser) temperature(v gjson.Result, where string) unit.Opt[unit.Temperature] {
	_, x := p.quantity(v)
	f, ok := x.Get()
	if !ok || f == 0 {
		return unit.None[unit.Temperature]()
	}
	return cgminer.Temperature(p.r.Warn, where, f)
}

// extra keeps what has no field of its own.
func (p *parser) extra(key, value string) {
	const most, longest = 400, 2048
	if value == "" || len(p.r.Extra) >= most {
		return
	}
	if p.r.Extra == nil {
		p.r.Extra = make(map[string]string, 64)
	}
	if len(value) > longest {
		value = value[:longest] + "…"
	}
	p.r.Extra[key] = value
}

// extraNumber keeps a number whose unit its key names.
func (p *parser) extraNumber(key string, x float64) {
	p.extra(key, strconv.FormatFloat(x, 'f', -1, 64))
}

// keep puts a value of any shape into Extra under its dotted name. Passwords
// are no telemetry.
func (p *parser) keep(key string, v gjson.Result) { p.keepDeep(key, v, 0) }

func (p *parser) keepDeep(key string, v gjson.Result, depth int) {
	lower := strings.ToLower(key)
	if depth > 8 || strings.Contains(lower, "password") || strings.Contains(lower, "token") {
		return
	}
	switch {
	case v.IsArray():
		i := 0
		v.ForEach(func(_, e gjson.Result) bool {
			p.keepDeep(key+"."+strconv.Itoa(i), e, depth+1)
			i++
			return i < 64
		})
	case v.IsObject():
		v.ForEach(func(k, e gjson.Result) bool {
			p.keepDeep(key+"."+k.Str, e, depth+1)
			return true
		})
	default:
		p.extra(key, text(v))
	}
}

// strange keeps a field that Ballast does not know and says so.
func (p *parser) strange(key string, v gjson.Result) {
	if v.Type == gjson.Null {
		return
	}
	p.keep(key, v)
	p.r.Warn(miner.WarnUnknown, key, p.r.Extra[key])
}

// enum is a protobuf enumeration: its number, or its name with or without the
// type's prefix, as the number. Unknown names are -1.
func enum(v gjson.Result, prefix string, names []string) int {
	if v.Type == gjson.Number {
		return int(number(v).Or(-1))
	}
	word := strings.ToUpper(strings.TrimSpace(v.Str))
	word = strings.TrimPrefix(word, prefix)
	for i, n := range names {
		if n == word {
			return i
		}
	}
	if n, err := strconv.Atoi(word); err == nil {
		return n
	}
	return -1
}

// word is an enumeration's value in lower case: "paused". What the list does not
// have is told as it came.
func word(v gjson.Result, prefix string, names []string) string {
	if i := enum(v, prefix, names); i >= 0 && i < len(names) {
		return strings.ToLower(names[i])
	}
	return text(v)
}
