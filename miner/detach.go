package miner

import (
	"encoding/binary"
	"maps"
	"slices"
	"unique"
)

// Detach gives every string of a reading memory of its own. Parsers cut strings
// out of replies, and one serial number keeps a whole reply in memory for as long
// as the reading lives; at ten thousand machines that is more than all the rest.
// Words that machines share are kept once. The envelope is left as it is: devices
// may share theirs.
func (r *Reading) Detach() {
	id := &r.Identity
	pin(&id.Make, &id.Model, &id.ModelTold, (*string)(&id.Firmware), &id.FirmwareVersion, &id.APIVersion, &id.MAC, &id.Serial, &id.ControlBoard, &id.Hostname)
	pin(&r.StateTold, &r.Profile, &r.Mode, &r.Tuning)
	for i := range r.Boards {
		b := &r.Boards[i]
		pin(&b.Serial, &b.ChipType, &b.Status)
	}
	for i := range r.Fans {
		pin(&r.Fans[i].Name)
	}
	for i := range r.PSUs {
		p := &r.PSUs[i]
		pin(&p.Model, &p.Serial, &p.Version, &p.Status)
	}
	for i := range r.Pools {
		p := &r.Pools[i]
		pin(&p.URL, &p.User, &p.Status)
	}
	for i := range r.Faults {
		f := &r.Faults[i]
		pin(&f.Group, &f.Vendor, &f.Text)
	}
	for i := range r.Warnings {
		w := &r.Warnings[i]
		pin(&w.Where, &w.Detail)
	}
}

func pin(all ...*string) {
	for _, s := range all {
		if *s != "" {
			*s = unique.Make(*s).Value() // clones what it has not seen
		}
	}
}

// Extras is what a reading's Extra holds, packed: a map of a hundred words is
// five times as large, and the collector has to look at each. The zero value is
// none.
type Extras struct {
	keys   unique.Handle[string] // sorted; the same for all machines that tell the same
	values string                // in the keys' order
	n      int
}

// PackExtras packs a map. Was is what the same machine's map was packed to
// before: its keys are mostly the same.
func PackExtras(m map[string]string, was Extras) Extras {
	if len(m) == 0 {
		return Extras{}
	}
	if was.n == len(m) {
		if v, ok := was.pack(m); ok {
			return Extras{was.keys, v, was.n}
		}
	}
	var keys []byte
	sorted := slices.Sorted(maps.Keys(m))
	for _, k := range sorted {
		keys = appendPacked(keys, k)
	}
	e := Extras{keys: unique.Make(string(keys)), n: len(m)}
	e.values, _ = e.pack(m)
	return e
}

// pack writes the values in the keys' order; false when a key has none.
func (e Extras) pack(m map[string]string) (string, bool) {
	values := make([]byte, 0, max(64, len(e.values)+16))
	for rest := e.keys.Value(); rest != ""; {
		var k string
		k, rest = cutPacked(rest)
		v, ok := m[k]
		if !ok {
			return "", false
		}
		values = appendPacked(values, v)
	}
	return string(values), true
}

// Map unpacks; nil when there is nothing.
func (e Extras) Map() map[string]string {
	if e.n == 0 {
		return nil
	}
	m := make(map[string]string, e.n)
	keys, values := e.keys.Value(), e.values
	for keys != "" {
		var k, v string
		k, keys = cutPacked(keys)
		v, values = cutPacked(values)
		m[k] = v
	}
	return m
}

func appendPacked(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutPacked(s string) (word, rest string) {
	n, shift := 0, 0
	for i := range len(s) {
		n |= int(s[i]&0x7f) << shift
		if s[i] < 0x80 {
			return s[i+1 : i+1+n], s[i+1+n:]
		}
		shift += 7
	}
	return "", ""
}

// Same tells whether two envelopes say the same of what a machine can be set to.
func (e *Envelope) Same(o *Envelope) bool {
	return e == o || e != nil && o != nil && slices.Equal(e.Kinds, o.Kinds) && e.PowerMin == o.PowerMin && e.PowerMax == o.PowerMax &&
		e.PowerDefault == o.PowerDefault && e.Idle == o.Idle && e.Settle == o.Settle && e.Source == o.Source &&
		slices.EqualFunc(e.Steps, o.Steps, Step.same)
}

func (s Step) same(o Step) bool {
	return s.Setting.same(o.Setting) && s.Name == o.Name && s.Power == o.Power && s.Hashrate == o.Hashrate && s.Frequency == o.Frequency && s.Voltage == o.Voltage && s.Tuned == o.Tuned
}

func (s Setting) same(o Setting) bool {
	return s.Kind == o.Kind && s.Power == o.Power && s.Profile == o.Profile && s.Mode == o.Mode && s.On == o.On && slices.Equal(s.Pools, o.Pools)
}
