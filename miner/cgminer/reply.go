package cgminer

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
)

// Status is the head of a reply.
type Status struct {
	Kind        byte // 'S' success, 'I' info, 'W' warning, 'E' error, 'F' fatal; 0 when the reply has none
	Code        int
	Msg         string
	Description string
	When        time.Time // the machine's clock; zero when it has no idea of the date
}

// OK tells whether the machine did not complain. A reply without a status
// counts as fine.
func (s Status) OK() bool { return s.Kind != 'E' && s.Kind != 'F' }

// Reply is one reply, read.
type Reply struct {
	Name   string // what was asked, for warnings
	Status Status
	root   gjson.Result
	top    []Field // its keys
}

// Read parses a reply: JSON, nearly JSON, or the API's text form. name is what
// was asked; warnings are reported under it. ok is false when nothing could be
// read, and then a warning says why. warn may be nil.
func Read(name string, raw []byte, warn Warn) (Reply, bool) {
	if warn == nil {
		warn = func(miner.WarningKind, string, string) {}
	}
	body := trim(raw)
	if len(body) == 0 {
		warn(miner.WarnBroken, name, "empty reply")
		return Reply{}, false
	}
	if isText(body) {
		body = textToJSON(body)
	} else {
		fixed, repairs, ok := Mend(body)
		if !ok {
			warn(miner.WarnBroken, name, Excerpt(body))
			return Reply{}, false
		}
		switch {
		case slices.Contains(repairs, RepairTruncated):
			warn(miner.WarnTruncated, name, strings.Join(repairs, ", "))
		case len(repairs) > 0:
			warn(miner.WarnRepaired, name, strings.Join(repairs, ", "))
		}
		body = fixed
	}
	return newReply(name, gjson.ParseBytes(body)), true
}

// Excerpt says in a few words what unreadable bytes look like.
func Excerpt(raw []byte) string {
	head := trim(raw)
	switch lower := bytes.ToLower(head[:min(len(head), 512)]); {
	case len(head) == 0:
		return "empty reply"
	case bytes.HasPrefix(lower, []byte("<")), bytes.Contains(lower, []byte("<html")):
		return "an HTML page"
	}
	const most = 60
	cut := head[:min(len(head), most)]
	return fmt.Sprintf("not readable: %q", cut)
}

func newReply(name string, root gjson.Result) Reply {
	r := Reply{Name: name, root: root}
	if root.IsObject() {
		r.top = fieldsOf(root.Raw)
	}
	r.Status = readStatus(r.top)
	return r
}

// readStatus takes STATUS as a list, as an object, and as MicroBT writes it:
// {"STATUS":"S","When":..,"Code":..,"Msg":..} at the top.
func readStatus(top []Field) Status {
	at := slices.IndexFunc(top, func(f Field) bool { return f.Key == "STATUS" })
	if at < 0 {
		return Status{}
	}
	fields := top
	if f := &top[at]; f.kind == isNested {
		fields = firstIn("", f.value).fields
	} else if f.kind != isQuoted {
		return Status{}
	}
	s := Status{}
	for i := range fields {
		f := &fields[i]
		switch f.Key {
		case "STATUS":
			if f.kind == isQuoted && f.value != "" {
				s.Kind = f.value[0] &^ 0x20
			}
		case "Code":
			s.Code = int(f.Float().Or(0))
		case "Msg":
			s.Msg = strings.Clone(f.value)
		case "Description":
			s.Description = strings.Clone(f.value)
		case "When", "when":
			s.When = clock(f.Float().Or(0))
		}
	}
	return s
}

// clock reads a time in seconds since 1970. A machine without a clock counts
// from zero, and that is no time.
func clock(seconds float64) time.Time {
	const sane = 1262304000 // 2010: before the first ASIC
	if seconds < sane || seconds > 1e11 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// Root is the reply as one object.
func (r Reply) Root() Object { return Object{where: r.Name, fields: slices.Clone(r.top)} }

// JSON is the reply, valid JSON.
func (r Reply) JSON() gjson.Result { return r.root }

// Section returns the objects of a section ("SUMMARY", "STATS", "POOLS").
// A lone object is a list of one. The name matches in any case, and inside a
// combined reply too: {"summary":[{"SUMMARY":[{..}]}]}.
func (r Reply) Section(name string) []Object {
	if f := r.find(name); f != nil && f.kind == isNested {
		return objectsIn(r.Name, f.value)
	}
	return nil
}

// First is the first object of a section, empty when there is none.
func (r Reply) First(name string) Object {
	if f := r.find(name); f != nil && f.kind == isNested {
		return firstIn(r.Name, f.value)
	}
	return Object{where: r.Name}
}

// Has tells whether the section is there at all, be it empty.
func (r Reply) Has(name string) bool { return r.find(name) != nil }

func (r Reply) find(name string) *Field {
	for i := range r.top {
		if f := &r.top[i]; f.Key == name && subReply(f) == "" {
			return f
		}
	}
	for i := range r.top {
		f := &r.top[i]
		if sub := subReply(f); sub != "" {
			inner := fieldsOf(sub)
			for k := range inner {
				if strings.EqualFold(inner[k].Key, name) {
					return &inner[k]
				}
			}
		} else if strings.EqualFold(f.Key, name) {
			return f
		}
	}
	return nil
}

// Parts takes a combined reply apart: {"summary":[{..}],"stats":[{..}]} gives
// two replies with the commands as names. A plain reply gives itself.
func (r Reply) Parts() []Reply {
	var out []Reply
	for i := range r.top {
		if sub := subReply(&r.top[i]); sub != "" {
			out = append(out, newReply(r.top[i].Key, gjson.Result{Type: gjson.JSON, Raw: sub}))
		}
	}
	if len(out) == 0 {
		return []Reply{r}
	}
	return out
}

// Combined tells whether the reply holds other replies.
func (r Reply) Combined() bool {
	return slices.ContainsFunc(r.top, func(f Field) bool { return subReply(&f) != "" })
}

// subReply is the reply inside a combined one, "" when f is none: under the
// command's name, in lower case as commands are, an object with a STATUS or a
// list that starts with one.
func subReply(f *Field) string {
	if f.kind != isNested || f.Key == "" || f.Key[0] < 'a' || f.Key[0] > 'z' {
		return ""
	}
	raw := f.value
	if raw[0] == '[' {
		raw = ""
		elementsOf(f.value, func(first string) bool {
			raw = first
			return false
		})
	}
	if len(raw) == 0 || raw[0] != '{' || !strings.Contains(raw, `"STATUS"`) {
		return ""
	}
	top := fieldsOf(raw)
	has := func(key string) *Field {
		for i := range top {
			if top[i].Key == key {
				return &top[i]
			}
		}
		return nil
	}
	status := has("STATUS")
	switch {
	case status == nil:
		return ""
	case status.kind == isNested, status.kind == isQuoted && len(status.value) == 1 && has("Msg") != nil:
		return raw
	}
	return ""
}

func objectsIn(where, raw string) []Object {
	var out []Object
	objects(raw, func(fields []Field) bool {
		out = append(out, Object{where: where, fields: fields})
		return true
	})
	return out
}

func firstIn(where, raw string) Object {
	o := Object{where: where}
	objects(raw, func(fields []Field) bool {
		o.fields = fields
		return false
	})
	return o
}
