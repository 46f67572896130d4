package avalon

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// replies is a set of replies sorted by what they hold, whatever their names.
type replies struct {
	summary cgminer.Object
	version cgminer.Object
	pools   cgminer.Reply
	devs    cgminer.Object
	others  []cgminer.Object // config, coin, devdetails, check: nothing typed here
	stats   []entry          // the most trusted first
	help    string           // what ascset lists as its options
	hasPool bool
	seen    int // sections understood
}

// entry is one STATS object of a device (not of a pool).
type entry struct {
	device int // its place among the reply's devices: litestats gives no ID
	when   time.Time
	o      cgminer.Object
}

// sort reads replies and files them.
func sort(in miner.Replies, warn cgminer.Warn) replies {
	var parts []cgminer.Reply
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if reply, ok := cgminer.Read(name, in[name], warn); ok {
			parts = append(parts, reply.Parts()...)
		}
	}
	return file(parts, warn)
}

// file files replies by their sections.
func file(parts []cgminer.Reply, warn cgminer.Warn) replies {
	slices.SortStableFunc(parts, func(a, b cgminer.Reply) int { return trust(a.Name) - trust(b.Name) })
	var out replies
	for _, part := range parts {
		out.file(part, warn)
	}
	return out
}

// trust orders replies so that a later one wins: litestats is fresher than
// stats, which a device asks seldom.
func trust(name string) int {
	switch name {
	case "stats", "estats":
		return 1
	case "litestats":
		return 2
	}
	return 0
}

func (out *replies) file(part cgminer.Reply, warn cgminer.Warn) {
	known := false
	if part.Has("SUMMARY") {
		out.summary, known = part.First("SUMMARY"), true
	}
	if part.Has("VERSION") {
		out.version, known = part.First("VERSION"), true
	}
	if part.Has("POOLS") {
		out.pools, out.hasPool, known = part, true, true
	}
	if part.Has("DEVS") {
		out.devs, known = part.First("DEVS"), true
	}
	if part.Has("STATS") {
		known = true
		device := 0
		for _, o := range part.Section("STATS") {
			if !strings.HasPrefix(o.Text("ID"), "POOL") {
				out.stats = slices.Insert(out.stats, 0, entry{device, part.Status.When, o})
				device++
			}
		}
	}
	for _, name := range []string{"CONFIG", "COIN", "DEVDETAILS", "CHECK"} {
		if part.Has(name) {
			out.others, known = append(out.others, part.First(name)), true
		}
	}
	if known {
		out.seen++
		return
	}
	s := part.Status
	switch options, isHelp := strings.CutPrefix(s.Msg, "ASC 0 set info: help|"); {
	case isHelp:
		out.help = "help|" + options
		out.seen++
	case !s.OK():
		warn(miner.WarnRefused, part.Name, s.Msg)
	case s.Kind != 0: // what a command was answered: nothing to read
		out.seen++
	default:
		warn(miner.WarnUnknown, part.Name, "no section that Ballast knows")
	}
}

// modules finds the machine texts, and the boards' texts that belong to them.
func (out *replies) modules(warn cgminer.Warn) []*module {
	var found []*module
	for _, e := range out.stats {
		for _, f := range e.o.Fields() {
			id, isMM := strings.CutPrefix(f.Key, "MM ID")
			if !isMM {
				continue
			}
			e.o.Use(f.Key)
			id, _, _ = strings.Cut(id, ":")
			number, _ := strconv.Atoi(id)
			if slices.ContainsFunc(found, func(m *module) bool { return m.device == e.device && m.number == number }) {
				continue
			}
			if m := newModule(e.o.Where()+"."+f.Key, f.Raw().Str, warn); m != nil {
				m.device, m.number, m.when = e.device, number, e.when
				found = append(found, m)
			}
		}
	}
	for _, e := range out.stats {
		text := e.o.Raw("HBinfo").Str
		at := slices.IndexFunc(found, func(m *module) bool { return m.device == e.device })
		if text == "" || at < 0 || found[at].nested {
			continue
		}
		parts, whole := groups(text)
		if !whole {
			warn(miner.WarnTruncated, e.o.Where()+".HBinfo", "the last board's text is not closed")
		}
		for _, g := range parts {
			if _, n := numbered(g.name); n >= 0 {
				found[at].boardText(n, g.body)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b *module) int { return cmp.Or(a.device-b.device, a.number-b.number) })
	return found
}

func extra(r *miner.Reading, key, value string) {
	const most = 512 // keys in one reading
	if r.Extra == nil {
		r.Extra = make(map[string]string, 64)
	}
	if len(r.Extra) < most {
		r.Extra[kept(key)] = kept(value)
	}
}

// kept is a text to keep in a reading: a copy, because what was cut out of a
// reply would hold all of it in memory.
func kept(s string) string { return strings.Clone(strings.ToValidUTF8(s, "�")) }

func errNothing(in miner.Replies) error {
	if len(in) == 0 {
		return fmt.Errorf("%w: no replies", miner.ErrGarbage)
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		return fmt.Errorf("%w: %s: %s", miner.ErrGarbage, name, cgminer.Excerpt(in[name]))
	}
	return miner.ErrGarbage
}
