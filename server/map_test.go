package server

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/miner"
	"ballast/site"
	"ballast/unit"
)

func at(id int64, building, container, rack, slot string) *fleet.Status {
	return &fleet.Status{Machine: ledger.Machine{ID: id, Site: "odessa", Model: "S21", Place: ledger.Place{Building: building, Container: container, Rack: rack, Slot: slot},
		Addr: netip.AddrFrom4([4]byte{10, 0, byte(id >> 8), byte(id)})}, Condition: fleet.CondHashing}
}

func TestLayMap(t *testing.T) {
	loose := at(9, "", "", "", "")
	earlier := at(8, "", "", "", "")
	loose.Machine.Addr, earlier.Machine.Addr = netip.MustParseAddr("10.0.0.10"), netip.MustParseAddr("10.0.0.9")
	m := layMap([]*fleet.Status{at(1, "H", "C2", "R10", "1"), at(2, "H", "C2", "R2", "2"), at(3, "H", "C2", "R2", "1"), at(4, "H", "C10", "R1", "top"), at(5, "H", "C10", "R1", "3"), at(6, "H", "C10", "R1", "3"), loose, earlier}, nil)
	if want := []int64{3, 2, 1, 5, 6, 4, 8, 9}; !slices.Equal(m.Machines, want) || m.Unplaced != 2 {
		t.Errorf("order %v, want %v; %d unplaced", m.Machines, want, m.Unplaced)
	}
	if len(m.Areas) != 2 || m.Areas[0].Container != "C2" || m.Areas[1].Container != "C10" || m.Areas[0].Racks[1].Name != "R10" || m.Areas[0].Racks[1].First != 2 {
		t.Errorf("areas %+v", m.Areas)
	}
	// A slot twice, and one that is no number, find a cell of their own.
	if r := m.Areas[1].Racks[0]; r.Slots != 3 || !slices.Equal(r.At, []int{2, 0, 1}) || r.Described {
		t.Errorf("rack %+v", r)
	}
}

func TestLayMapByLayout(t *testing.T) {
	l, err := site.Parse([]byte("name: Odessa\ncontainers:\n  - {name: Z, racks: [{name: R2, slots: 20, columns: 5}, {name: R1, slots: 4}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	m := layMap([]*fleet.Status{at(1, "", "Z", "R1", "4"), at(2, "", "A", "R1", "1")}, map[string]*site.Site{"odessa": l})
	if len(m.Areas) != 2 || m.Areas[0].Container != "Z" || m.Areas[0].Racks[0].Name != "R2" || m.Areas[0].Racks[0].Slots != 20 || m.Areas[0].Racks[0].Columns != 5 || m.Areas[0].Racks[0].Count != 0 {
		t.Errorf("areas %+v", m.Areas)
	}
	if r := m.Areas[0].Racks[1]; r.Columns != 4 || !slices.Equal(r.At, []int{3}) || !r.Described {
		t.Errorf("rack %+v", r)
	}
}

// However odd the places are, every machine is on the map once, and no two
// share a cell.
func TestLayMapKeepsEverybody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SampledFrom([]string{"", "A", "B", "1", "02", "10"})
		slots := rapid.SampledFrom([]string{"", "0", "1", "2", "3", "-1", "999", "99999999999999999999", "x"})
		var all []*fleet.Status
		for id := range rapid.IntRange(0, 40).Draw(t, "machines") {
			all = append(all, at(int64(id+1), names.Draw(t, "building"), names.Draw(t, "container"), names.Draw(t, "rack"), slots.Draw(t, "slot")))
		}
		m := layMap(all, nil)
		seen := map[int64]bool{}
		for _, id := range m.Machines {
			if seen[id] {
				t.Fatalf("%d is there twice", id)
			}
			seen[id] = true
		}
		if len(seen) != len(all) {
			t.Fatalf("%d of %d machines", len(seen), len(all))
		}
		next := 0
		for _, a := range m.Areas {
			for _, r := range a.Racks {
				if r.First != next {
					t.Fatalf("rack %+v begins at %d, want %d", r, r.First, next)
				}
				next += r.Count
				cells := map[int]bool{}
				for i := range r.Count {
					c := i
					if r.At != nil {
						c = r.At[i]
					}
					if c < 0 || c >= r.Slots || cells[c] {
						t.Fatalf("rack %+v: cell %d", r, c)
					}
					cells[c] = true
				}
			}
		}
		if next+m.Unplaced != len(all) {
			t.Fatalf("%d in racks and %d without a place are not %d", next, m.Unplaced, len(all))
		}
	})
}

func TestNatural(t *testing.T) {
	names := []string{"", "1", "01", "2", "10", "A", "R1", "R2", "R2b", "R10", "Z"}
	for i, a := range names {
		for j, b := range names {
			if got, want := natural(a, b), min(max(i-j, -1), 1); got != want {
				t.Errorf("%q to %q: %d, want %d", a, b, got, want)
			}
		}
	}
}

// decoded is a state as a page reads it.
type decoded struct {
	delta         bool
	values        map[int]float64
	low, high     float32
	names         string
	machines      int
	version, rev  uint64
	scale, offset float32
}

func decodeState(t *testing.T, b []byte) decoded {
	t.Helper()
	le := binary.LittleEndian
	if string(b[:4]) != "BMAP" || le.Uint16(b[4:]) != 1 || le.Uint64(b[16:]) != thisEpoch {
		t.Fatalf("header %x", b[:mapHeader])
	}
	f := func(at int) float32 { return math.Float32frombits(le.Uint32(b[at:])) }
	d := decoded{delta: le.Uint16(b[6:])&1 != 0, version: le.Uint64(b[8:]), rev: le.Uint64(b[24:]), machines: int(le.Uint32(b[32:])), scale: f(40), offset: f(44), low: f(48), high: f(52), values: map[int]float64{}}
	entries, rest := int(le.Uint32(b[36:])), b[mapHeader:]
	raws := rest
	if d.delta {
		raws = rest[4*entries:]
	}
	for k := range entries {
		i := k
		if d.delta {
			i = int(le.Uint32(rest[4*k:]))
		}
		if raw := le.Uint16(raws[2*k:]); raw != mapMissing {
			d.values[i] = float64(d.offset) + float64(d.scale)*float64(raw)
		}
	}
	d.names = string(raws[2*entries:])
	if len(d.names) != int(le.Uint32(b[56:])) {
		t.Fatalf("%d bytes of names, %d promised", len(d.names), le.Uint32(b[56:]))
	}
	return d
}

func TestMapState(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	all := make([]*fleet.Status, 100)
	for i := range all {
		st := at(int64(i+1), "", "C", "R", strconv.Itoa(i+1))
		st.Rev, st.LastAnswer = uint64(i+1), now.Add(-time.Duration(i)*time.Second)
		st.Reading = &miner.Reading{State: miner.Hashing, HashrateNow: unit.Some(unit.Hashrate(i)), HashrateNominal: unit.Some[unit.Hashrate](100), Power: unit.Some(unit.Power(1000 * i)), TempChip: unit.Some(unit.Temperature(-20 + float64(i)/2))}
		all[i] = st
	}
	all[7].Reading.TempChip = unit.None[unit.Temperature]()
	all[8].Condition = fleet.CondSilent
	v := &mapView{Map: layMap(all, nil), version: 77}
	each := func(yield func(int, *fleet.Status) bool) {
		for i := range v.Machines {
			if !yield(i, all[i]) {
				return
			}
		}
	}
	read := func(metric string, since uint64) decoded {
		return decodeState(t, encodeState(v, mapMetrics[metric], each, since, 100, now))
	}
	for metric, want := range map[string]func(i int) (float64, bool){
		"condition": func(i int) (float64, bool) {
			if i == 8 {
				return float64(slices.Index(fleet.Conditions(), fleet.CondSilent)), true
			}
			return 0, true
		},
		"hashrate": func(i int) (float64, bool) { return float64(i), i != 8 },
		"temp":     func(i int) (float64, bool) { return -20 + float64(i)/2, i != 7 && i != 8 },
		"power":    func(i int) (float64, bool) { return min(1000*float64(i), 65534), i != 8 },
		"faults":   func(i int) (float64, bool) { return 0, i != 8 },
		"age":      func(i int) (float64, bool) { return float64(i), true },
		"model":    func(i int) (float64, bool) { return 0, true },
		"group":    func(i int) (float64, bool) { return 0, false },
	} {
		got := read(metric, 0)
		if got.delta || got.machines != 100 || got.version != 77 || got.rev != 100 {
			t.Errorf("%s: %+v", metric, got)
		}
		for i := range 100 {
			w, told := want(i)
			if g, ok := got.values[i]; ok != told || told && math.Abs(g-w) > 0.051 {
				t.Errorf("%s of %d: %v %v, want %v %v", metric, i, g, ok, w, told)
			}
		}
	}
	if d := read("hashrate", 0); d.low != 0 || d.high != 99 {
		t.Errorf("range %v to %v", d.low, d.high)
	}
	if d := read("model", 0); d.names != "S21" || !math.IsNaN(float64(d.low)) {
		t.Errorf("names %q, low %v", d.names, d.low)
	}
	if d := read("hashrate", 90); !d.delta || len(d.values) != 10 || math.Abs(d.values[95]-95) > 0.05 {
		t.Errorf("since 90: %+v", d)
	}
	// A change of nearly everything is shorter as everything.
	if d := read("hashrate", 10); d.delta || len(d.values) != 99 {
		t.Errorf("since 10: delta %v, %d values", d.delta, len(d.values))
	}
}

// A person of one site gets that site's map and nothing else of it; an answer
// is not sent again to those who have it.
func TestMapInScope(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	found := []fleet.Found{}
	for i := range 4 {
		found = append(found, fleet.Found{Addr: netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), Identity: miner.Identity{MAC: "02:00:00:00:00:0" + strconv.Itoa(i+1), Model: "S21", Firmware: miner.Antminer}})
	}
	ms, err := s.Fleet.Observe(t.Context(), found)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Record.EditMachines(t.Context(), []int64{ms[0].ID}, ledger.MachineEdit{Site: unit.Some("elsewhere")}, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	if err := s.Fleet.Renew(t.Context(), []int64{ms[0].ID}); err != nil {
		t.Fatal(err)
	}
	here := grantKey(t, s, ledger.Grant{Role: ledger.Technician, Site: "site"})
	code, got := v.do("GET", "/api/v1/map", nil, "Authorization", "Bearer "+here)
	if code != 200 || len(got["machines"].([]any)) != 3 || got["unplaced"] != 3.0 {
		t.Fatalf("%d %v", code, got)
	}
	if code, _ := v.do("GET", "/api/v1/map", nil, "Authorization", "Bearer "+here, "If-None-Match", `"`+got["version"].(string)+`"`); code != 304 {
		t.Errorf("the same map again: %d", code)
	}
	id := strconv.FormatInt(ms[1].ID, 10)
	if code, out := v.do("PATCH", "/api/v1/machines/"+id, map[string]any{"place": map[string]any{"container": "C1", "rack": "R1", "slot": "3"}, "add_tags": []string{"hot"}}, "Authorization", "Bearer "+here); code != 200 {
		t.Fatalf("placing: %d %v", code, out)
	}
	code, moved := v.do("GET", "/api/v1/map", nil, "Authorization", "Bearer "+here, "If-None-Match", `"`+got["version"].(string)+`"`)
	if code != 200 || moved["unplaced"] != 2.0 || moved["version"] == got["version"] {
		t.Errorf("after placing one: %d %v", code, moved)
	}
	if code, out := v.do("GET", "/api/v1/map?site=elsewhere", nil, "Authorization", "Bearer "+here); code != 200 || len(out["machines"].([]any)) != 0 {
		t.Errorf("another site: %d %v", code, out)
	}
	if code, out := v.do("PATCH", "/api/v1/machines/"+strconv.FormatInt(ms[2].ID, 10), map[string]any{"place": map[string]any{"container": "C1", "rack": "R1", "slot": "3"}}, "Authorization", "Bearer "+here); code != 409 {
		t.Errorf("a second machine in one slot: %d %v", code, out)
	}
}

func grantKey(t *testing.T, s *Server, grants ...ledger.Grant) string {
	t.Helper()
	key, prefix, sum := ledger.NewAPIKey()
	u, err := s.Record.AddUser(t.Context(), ledger.User{Name: prefix, Grants: grants}, ledger.By("test"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Record.AddAPIKey(t.Context(), ledger.APIKey{Prefix: prefix, Sum: sum, User: u.ID, Name: "k", Scopes: AllScopes()}, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	return key
}

// What the server spends on a map of 200,000 machines.
func BenchmarkMap(b *testing.B) {
	all := make([]*fleet.Status, 200_000)
	for i := range all {
		st := at(int64(i+1), "H"+strconv.Itoa(i/50_000), "C"+strconv.Itoa(i/600), "R"+strconv.Itoa(i/60%10), strconv.Itoa(i%60+1))
		st.Rev, st.Reading = uint64(i+1), &miner.Reading{State: miner.Hashing, TempChip: unit.Some(unit.Temperature(i % 90))}
		all[i] = st
	}
	v := &mapView{Map: layMap(all, nil)}
	each := func(yield func(int, *fleet.Status) bool) {
		for i, st := range all {
			if !yield(i, st) {
				return
			}
		}
	}
	b.Run("lay", func(b *testing.B) {
		for b.Loop() {
			layMap(all, nil)
		}
	})
	b.Run("state", func(b *testing.B) {
		for b.Loop() {
			b.ReportMetric(float64(len(encodeState(v, mapMetrics["temp"], each, 0, 200_000, time.Now()))), "bytes")
		}
	})
	b.Run("changes", func(b *testing.B) {
		for b.Loop() {
			b.ReportMetric(float64(len(encodeState(v, mapMetrics["temp"], each, 196_000, 200_000, time.Now()))), "bytes")
		}
	})
}
