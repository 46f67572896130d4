// Package mqtt takes readings that others publish: gateways of meters, cooling
// controllers and weather stations that speak MQTT 3.1.1. Which topic means
// what is declared by a [Mapping].
//
// [Mapping.Message] is pure: a topic and a payload in, readings out, whatever
// the bytes. [Subscriber] is the source: it keeps a subscription alive and
// feeds it.
package mqtt

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/tidwall/gjson"

	"ballast/plant"
)

// Mapping says what the topics of a broker are.
type Mapping struct {
	Topics []Topic `yaml:"topics"`
}

// Topic is one kind of message.
type Topic struct {
	Filter string `yaml:"filter"` // with + and #, as in MQTT
	// Source names the device; {2} is the second level of the topic.
	Source string     `yaml:"source"`
	Kind   plant.Kind `yaml:"kind"`
	Time   Time       `yaml:"time,omitempty"`
	// Life is how long a reading may be acted on; 0 is five minutes.
	Life   time.Duration `yaml:"life,omitempty"`
	Points []Point       `yaml:"points"`
}

// Time says where a message tells when it was measured.
type Time struct {
	Path string `yaml:"path,omitempty"` // in the JSON payload; "" is nowhere
	Form string `yaml:"form,omitempty"` // rfc3339, unix, unix_ms; rfc3339 when not said
}

// Point is one value. Value = number * Scale in Unit.
type Point struct {
	Field plant.Field `yaml:"field"`
	// Path is where in the JSON payload the value is, as gjson has it
	// ("phases.0.power"). "" is the whole payload, which is then a bare number
	// or word.
	Path  string  `yaml:"path,omitempty"`
	Scale float64 `yaml:"scale,omitempty"` // 0 is 1
	Unit  string  `yaml:"unit,omitempty"`
	// Values translates words ("ON": 1). true, false and null need none.
	Values   map[string]float64 `yaml:"values,omitempty"`
	Optional bool               `yaml:"optional,omitempty"` // not missed when it is not there
	Min      *float64           `yaml:"min,omitempty"`      // in Unit
	Max      *float64           `yaml:"max,omitempty"`
}

// ErrMapping reports a mapping that cannot be used.
var ErrMapping = errors.New("not a valid MQTT mapping")

// Longest message that is looked into. A reading is a few hundred bytes.
const longest = 256 << 10

// ParseMapping reads a mapping from YAML and checks it. Unknown keys are
// errors.
func ParseMapping(text []byte) (Mapping, error) {
	var m Mapping
	if err := yaml.UnmarshalWithOptions(text, &m, yaml.Strict()); err != nil {
		return Mapping{}, fmt.Errorf("%w: %s", ErrMapping, yaml.FormatError(err, false, true))
	}
	if _, err := m.prepare(); err != nil {
		return Mapping{}, err
	}
	return m, nil
}

// Reader turns messages into readings by a mapping.
type Reader struct {
	topics []topic
}

type topic struct {
	Topic
	levels []string
	points []point
}

type point struct {
	Point
	info     plant.FieldInfo
	conv     plant.Conversion
	scale    float64
	min, max float64
}

// NewReader prepares a mapping.
func NewReader(m Mapping) (*Reader, error) {
	topics, err := m.prepare()
	if err != nil {
		return nil, err
	}
	return &Reader{topics}, nil
}

// Filters are the topic filters to subscribe to.
func (r *Reader) Filters() []string {
	var out []string
	for _, t := range r.topics {
		if !slices.Contains(out, t.Filter) {
			out = append(out, t.Filter)
		}
	}
	return out
}

func (m Mapping) prepare() ([]topic, error) {
	if len(m.Topics) == 0 {
		return nil, fmt.Errorf("%w: it has no topics", ErrMapping)
	}
	out := make([]topic, 0, len(m.Topics))
	for i, t := range m.Topics {
		x, err := t.prepare()
		if err != nil {
			return nil, fmt.Errorf("%w: topic %d (%s): %w", ErrMapping, i+1, t.Filter, err)
		}
		out = append(out, x)
	}
	return out, nil
}

func (t Topic) prepare() (topic, error) {
	x := topic{Topic: t, levels: strings.Split(t.Filter, "/")}
	for i, level := range x.levels {
		wild := strings.ContainsAny(level, "+#")
		if t.Filter == "" || strings.ContainsRune(level, 0) || (wild && len(level) > 1) || (level == "#" && i != len(x.levels)-1) {
			return x, errors.New("it is no topic filter")
		}
	}
	if t.Source == "" || len(t.Points) == 0 {
		return x, errors.New("it needs a source and points")
	}
	if t.Time.Path == "" && t.Time.Form != "" {
		return x, errors.New("a form of time without a path to it")
	}
	switch t.Time.Form {
	case "", "rfc3339", "unix", "unix_ms":
	default:
		return x, fmt.Errorf("there is no form of time %q", t.Time.Form)
	}
	if t.Life < 0 {
		return x, fmt.Errorf("a life of %v", t.Life)
	}
	if x.Life == 0 {
		x.Life = 5 * time.Minute
	}
	seen := map[plant.Field]bool{}
	for _, p := range t.Points {
		y, err := p.prepare(t.Kind)
		if err == nil && seen[p.Field] {
			err = errors.New("it is there twice")
		}
		if err != nil {
			return x, fmt.Errorf("%s: %w", p.Field, err)
		}
		seen[p.Field] = true
		x.points = append(x.points, y)
	}
	return x, nil
}

func (p Point) prepare(k plant.Kind) (point, error) {
	x := point{Point: p, scale: p.Scale}
	var err error
	if x.info, err = p.Field.Info(k); err != nil {
		return x, err
	}
	if x.conv, err = plant.ConversionOf(x.info.Quantity, p.Unit); err != nil {
		return x, err
	}
	if x.scale == 0 {
		x.scale = 1
	}
	if math.IsNaN(x.scale) || math.IsInf(x.scale, 0) {
		return x, fmt.Errorf("a scale of %v", x.scale)
	}
	x.min, x.max = x.info.Min, x.info.Max
	if p.Min != nil {
		x.min = math.Max(x.min, x.conv.Base(*p.Min))
	}
	if p.Max != nil {
		x.max = math.Min(x.max, x.conv.Base(*p.Max))
	}
	if !(x.min <= x.max) { // NaN too
		return x, errors.New("its range is empty")
	}
	return x, nil
}

// matches tells whether a topic fits the filter.
func (t *topic) matches(levels []string) bool {
	if strings.HasPrefix(levels[0], "$") && (t.levels[0] == "+" || t.levels[0] == "#") {
		return false // the broker's own topics, as MQTT has it
	}
	for i, level := range t.levels {
		if level == "#" {
			return true
		}
		if i >= len(levels) || (level != "+" && level != levels[i]) {
			return false
		}
	}
	return len(levels) == len(t.levels)
}

// name is the source's name for a topic.
func (t *topic) name(levels []string) string {
	name := t.Source
	for i, level := range levels {
		name = strings.ReplaceAll(name, "{"+strconv.Itoa(i+1)+"}", level)
	}
	return name
}

// Message reads one message that came at now: a reading for each topic of the
// mapping that it fits, none when it fits none. retained says that the broker
// had kept it, so that its age is unknown unless it tells.
func (r *Reader) Message(name string, payload []byte, retained bool, now time.Time) []plant.Reading {
	levels := strings.Split(name, "/")
	var out []plant.Reading
	for i := range r.topics {
		if t := &r.topics[i]; t.matches(levels) {
			out = append(out, t.read(t.name(levels), payload, retained, now))
		}
	}
	return out
}

func (t *topic) read(source string, payload []byte, retained bool, now time.Time) plant.Reading {
	r := plant.Reading{Source: source, Kind: t.Kind, At: now, Life: t.Life, Quality: plant.Good}
	if len(payload) > longest {
		r.Warn(plant.WarnBroken, "payload", fmt.Sprintf("%d bytes", len(payload)))
		return lose(r, "the message is too long")
	}
	doc := parse(payload)
	if !doc.ok && t.wantsJSON() {
		r.Warn(plant.WarnBroken, "payload", strings.ToValidUTF8(string(payload[:min(len(payload), 80)]), "\uFFFD"))
		return lose(r, "the message is no JSON")
	}
	t.date(&r, doc, retained, now)
	values := 0
	for i := range t.points {
		p := &t.points[i]
		v, ok := p.value(doc)
		if !ok {
			if !p.Optional {
				r.Warn(plant.WarnMissing, string(p.Field), "not in the message, or no number")
			}
			continue
		}
		before := len(r.Warnings)
		if r.PutInfo(p.Field, p.info, v, p.min, p.max); len(r.Warnings) == before {
			values++
		}
	}
	if values == 0 {
		return lose(r, "the message has none of the values")
	}
	if len(r.Warnings) > 0 {
		r.Quality = plant.Partial
	}
	return r
}

// lose makes a reading of nothing.
func lose(r plant.Reading, why string) plant.Reading {
	r.Quality, r.Err = plant.Lost, why
	r.Meter, r.Cooling, r.PDU, r.Weather = nil, nil, nil, nil
	return r
}

func (t *topic) wantsJSON() bool {
	return t.Time.Path != "" || slices.ContainsFunc(t.points, func(p point) bool { return p.Path != "" })
}

// date finds out when the values were measured.
func (t *topic) date(r *plant.Reading, doc document, retained bool, now time.Time) {
	if t.Time.Path != "" {
		at, ok := t.Time.read(doc.at(t.Time.Path))
		switch {
		case !ok:
			r.Warn(plant.WarnUndated, t.Time.Path, "no time there")
		case at.After(now.Add(time.Minute)):
			r.Warn(plant.WarnUndated, t.Time.Path, "it is in the future: "+at.UTC().Format(time.RFC3339))
		default:
			r.At = at
			return
		}
	}
	if retained {
		r.Warn(plant.WarnUndated, "payload", "kept by the broker: it may be old")
	}
}

func (t Time) read(v gjson.Result) (time.Time, bool) {
	switch t.Form {
	case "unix", "unix_ms":
		n, ok := numberOf(v)
		if t.Form == "unix_ms" {
			n /= 1000
		}
		if !ok || n < 0 || n > 1e11 {
			return time.Time{}, false
		}
		whole, part := math.Modf(n)
		return time.Unix(int64(whole), int64(part*1e9)).UTC().Round(time.Microsecond), true
	}
	at, err := time.Parse(time.RFC3339, v.String())
	return at.UTC(), err == nil && at.Year() > 1970
}

// document is a payload: JSON, or a bare word.
type document struct {
	json gjson.Result
	word string
	ok   bool // it is JSON
}

func parse(payload []byte) document {
	if gjson.ValidBytes(payload) {
		return document{json: gjson.ParseBytes(payload), ok: true}
	}
	return document{word: strings.TrimSpace(strings.ToValidUTF8(string(payload), "\uFFFD"))}
}

// at is the value at a path, or the whole.
func (d document) at(path string) gjson.Result {
	switch {
	case path != "" && d.ok:
		return d.json.Get(path)
	case path == "" && d.ok:
		return d.json
	case path == "":
		return gjson.Result{Type: gjson.String, Str: d.word}
	}
	return gjson.Result{}
}

func (p *point) value(d document) (float64, bool) {
	v := d.at(p.Path)
	if p.Values != nil {
		if x, ok := p.Values[v.String()]; ok && v.Exists() {
			return x, true
		}
	}
	x, ok := numberOf(v)
	return p.conv.Base(x * p.scale), ok
}

// numberOf is the number that a JSON value says, be it as text.
func numberOf(v gjson.Result) (float64, bool) {
	switch v.Type {
	case gjson.Number:
		return v.Num, !math.IsInf(v.Num, 0) && !math.IsNaN(v.Num)
	case gjson.True:
		return 1, true
	case gjson.False:
		return 0, true
	case gjson.String:
		x, err := strconv.ParseFloat(strings.TrimSpace(v.Str), 64)
		return x, err == nil && !math.IsInf(x, 0) && !math.IsNaN(x)
	}
	return 0, false
}
