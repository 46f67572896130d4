package site

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ballast/miner"
	"ballast/unit"
)

const ranch = `
name: Ranch
jurisdiction: US-TX
zone: America/Chicago
latitude: 31.8
longitude: -102.4
tariff: ercot-west-index
cap: 20MW
feeders:
  - {name: F0, cap: 18MW, voltage: 25000, phases: 3}
  - {name: F1, from: F0, cap: 2.5MW, voltage: 415V}
pdus:
  - {name: P1, feeder: F1, cap: 80kW, outlets: 24, source: pdu-1}
meters:
  - {name: main, source: meter-main}
  - {name: m1, feeder: F1, source: meter-f1}
loops:
  - {name: air-1, cooling: air}
  - {name: hydro-1, cooling: hydro, heat: 1MW, supply: 35, hottest: 40 °C, source: cdu-1}
buildings:
  - name: Hall
    feeder: F0
    loop: air-1
    cap: 5MW
    racks:
      - {name: H1, slots: 4}
    containers:
      - name: C01
        feeder: F1
        cap: 800kW
        racks:
          - {name: R1, pdu: P1, slots: 20, columns: 4, addresses: 10.20.1.1-20, machines: [{slot: 3, mac: "02-AA-00-00-00-07", outlet: 24}]}
containers:
  - name: C02
    feeder: F1
    loop: hydro-1
    racks:
      - {name: R1, slots: 3, machines: [{slot: 2, serial: X9, addr: 10.20.2.7}]}
`

func TestParse(t *testing.T) {
	s, err := Parse([]byte(ranch))
	if err != nil {
		t.Fatal(err)
	}
	if s.Cap != 20*unit.Megawatt || s.Feeders[1].Cap != 2.5e6 || s.Feeders[1].Voltage != 415 || s.Loops[1].Supply.Or(0) != 35 || s.Loops[1].Hottest.Or(0) != 40 || s.Loops[0].Supply.Ok() {
		t.Errorf("%+v", s)
	}
	if s.Slots() != 27 || len(slices.Collect(s.Places())) != 27 {
		t.Errorf("%d slots", s.Slots())
	}
	seven, ok := s.Find(netip.MustParseAddr("10.20.1.7"), "", "")
	want := Place{Building: "Hall", Container: "C01", Rack: "R1", Slot: 7, Row: 2, Column: 3, PDU: "P1", Outlet: 7, Feeder: "F1", Loop: "air-1", Cooling: miner.Air, Addr: netip.MustParseAddr("10.20.1.7")}
	if !ok || seven != want {
		t.Errorf("%+v, want %+v", seven, want)
	}
	if got := seven.String(); got != "Hall/C01/R1/7" {
		t.Errorf("prints %q", got)
	}
	// What is known by MAC is found wherever it got its address.
	three, ok := s.Find(netip.MustParseAddr("10.20.1.19"), "02:aa:00:00:00:07", "")
	if !ok || three.Slot != 3 || three.Outlet != 24 || three.Addr.IsValid() {
		t.Errorf("by MAC: %+v, %v", three, ok)
	}
	if _, ok := s.Find(netip.MustParseAddr("10.20.1.3"), "", ""); ok {
		t.Error("the address of slot 3 is not expected there: it is known by MAC")
	}
	if p, ok := s.Find(netip.Addr{}, "", "X9"); !ok || p.Container != "C02" || p.Cooling != miner.Hydro || p.PDU != "" {
		t.Errorf("by serial: %+v", p)
	}
	if _, ok := s.Find(netip.MustParseAddr("9.9.9.9"), "02:aa:00:00:00:99", "nobody"); ok {
		t.Error("found a stranger")
	}
	caps := s.Caps(seven)
	wantCaps := []Cap{{"pdu P1", 80e3}, {"container C01", 800e3}, {"building Hall", 5e6}, {"feeder F1", 2.5e6}, {"feeder F0", 18e6}, {"site", 20e6}}
	if !slices.Equal(caps, wantCaps) {
		t.Errorf("caps %v, want %v", caps, wantCaps)
	}
	if f := s.FeedersOf(seven); len(f) != 2 || f[1].Name != "F0" {
		t.Errorf("feeders %v", f)
	}
}

func TestYAMLRoundTrip(t *testing.T) {
	s, err := Parse([]byte(ranch))
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if a, b := slices.Collect(s.Places()), slices.Collect(again.Places()); !slices.Equal(a, b) {
		t.Errorf("places differ after a round trip:\n%s", text)
	}
	twice, _ := again.YAML()
	if string(twice) != string(text) {
		t.Errorf("written twice:\n%s\n%s", text, twice)
	}
	if strings.Contains(string(text), "2500000") || !strings.Contains(string(text), "2.5MW") {
		t.Errorf("quantities lose their unit:\n%s", text)
	}
}

func TestErrorsSayWhere(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"name: Ranch", "name: ''", "name: a site needs a name"},
		{"US-TX", "Texas", `jurisdiction: "Texas": want an ISO 3166 code`},
		{"America/Chicago", "Texas time", "IANA"},
		{"latitude: 31.8", "latitude: 131", "latitude: 131"},
		{"cap: 20MW", "cap: 20 horses", "3.25kW"},
		{"cap: 20MW", "cap: -3MW", "cap: -3MW cannot be a cap"},
		{"{name: F1, from: F0", "{name: F0, from: F0", `feeders[1].name: feeder "F0" is already feeders[0]`},
		{"{name: F0, cap", "{name: F0, from: F1, cap", "feeders go in a circle: F0 on F1 on F0"},
		{"feeder: F1, cap: 80kW", "feeder: F9, cap: 80kW", `pdus[0].feeder: no feeder is named "F9"; there are F0, F1`},
		{"feeder: F1, cap: 80kW", "cap: 80kW", "pdus[0].feeder: a PDU hangs on a feeder"},
		{"phases: 3", "phases: 2", "feeders[0].phases: 2: want 1 or 3"},
		{"voltage: 415V", "voltage: lots", "want a number of V"},
		{"{name: m1, feeder: F1", "{name: m1, feeder: F1, pdu: P1", "not both"},
		{"cooling: hydro", "cooling: hope", "loops[1].cooling"},
		{"supply: 35", "supply: 350", "loops[1].supply"},
		{"loop: air-1", "loop: air-9", `buildings[0].loop: no loop is named "air-9"; there are air-1, hydro-1`},
		{"pdu: P1, slots: 20", "pdu: P7, slots: 20", `buildings[0].containers[0].racks[0].pdu: no PDU is named "P7"`},
		{"pdu: P1, slots: 20", "pdu: P1, feeder: F1, slots: 20", "is on that PDU's feeder"},
		{"slots: 20, columns: 4", "slots: many", "want a whole number"},
		{"phases: 3", "phases: [3]", "a list where there should be one value"},
		{"tariff: ercot-west-index", "tariff: {a: b}", "keys where there should be one value"},
		{"tariff: ercot-west-index", "tariff: a\ntariff: b", "already defined at [7:1]"},
		{"cap: 20MW", "cap: 20MW\n---\nname: two", "2 documents"},
		{"from: F0, cap: 2.5MW", "from: F0, cap: 2.5", "line 11: feeders[1].cap"},
		{"slots: 20, columns: 4", "slots: 0", "buildings[0].containers[0].racks[0].slots"},
		{"columns: 4", "columns: 40", "columns: 40"},
		{"10.20.1.1-20", "10.20.1.1-30", "more addresses than the rack has slots"},
		{"10.20.1.1-20", "10.20.1.20-1", "ends before it begins"},
		{"10.20.1.1-20", "here", "not an address"},
		{"slot: 3", "slot: 33", "machines[0].slot: 33: the rack has slots 1 to 20"},
		{"02-AA-00-00-00-07", "nonsense", "is not a MAC address"},
		{"addr: 10.20.2.7", "addr: 10.20.1.7", "10.20.1.7 already stands in Hall/C01/R1/7"},
		{"name: C02", "name: C01", `containers[0]`},
		{"tariff: ercot", "tarif: ercot", "tarif"},
		{"slots: 3, machines: [{slot: 2, serial", "slots: 3, machines: [{slot: 2, serial: Y}, {slot: 2, serial", "2 is already machines[0]"},
	} {
		text := strings.Replace(ranch, c.from, c.to, 1)
		if text == ranch {
			t.Fatalf("%q is not in the example", c.from)
		}
		if _, err := Parse([]byte(text)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q instead of %q: %v; want %q in it", c.to, c.from, err, c.want)
		}
	}
	// All problems at once, not one by one.
	text := strings.NewReplacer("US-TX", "Texas", "phases: 3", "phases: 2", "columns: 4", "columns: 40").Replace(ranch)
	_, err := Parse([]byte(text))
	for _, want := range []string{"jurisdiction", "phases", "columns"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("three mistakes: %v; %q is not told", err, want)
		}
	}
}

func TestRange(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.1-10.0.1.4": "10.0.0.1-10.0.1.4", "10.0.0.1-7": "10.0.0.1-10.0.0.7", "10.0.0.9": "10.0.0.9",
		"10.0.0.77/29": "10.0.0.73-10.0.0.78", "10.0.0.4/31": "10.0.0.4-10.0.0.5", "2001:db8::1-2001:db8::9": "2001:db8::1-2001:db8::9",
	} {
		r, err := ParseRange(text)
		if err != nil || r.String() != want {
			t.Errorf("%q: %v, %v; want %s", text, r, err, want)
		}
	}
	for _, text := range []string{"", "-", "10.0.0.1-", "10.0.0.9-3", "10.0.0.1-2001:db8::1", "10.0.0.0/40", "fe80::1%eth0", "10.0.0.1-300"} {
		if r, err := ParseRange(text); err == nil {
			t.Errorf("%q reads as %v", text, r)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "addr")))
		n := rapid.IntRange(0, 3000).Draw(t, "n")
		last, step := a, 0
		for range n {
			if next := last.Next(); next.IsValid() {
				last = next
				step++
			}
		}
		r := Range{a, last}
		got, ok := r.at(step)
		if !ok || got != last {
			t.Fatalf("%v: address %d is %v, %v", r, step, got, ok)
		}
		if _, ok := r.at(step + 1); ok {
			t.Fatalf("%v goes on", r)
		}
		back, err := ParseRange(r.String())
		if err != nil || back != r {
			t.Fatalf("%v reads as %v, %v", r, back, err)
		}
	})
}

func TestEmptySite(t *testing.T) {
	var s Site
	if _, ok := s.Find(netip.MustParseAddr("10.0.0.1"), "", ""); ok || s.Slots() != 0 || s.Caps(Place{}) != nil || s.FeedersOf(Place{}) != nil {
		t.Error("an unchecked site knows things")
	}
	if err := s.Check(); !errors.Is(err, ErrInvalid) {
		t.Errorf("an empty site: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(ranch))
	f.Add([]byte("name: x\ncontainers: [{name: a, racks: [{name: b, slots: 2, addresses: 10.0.0.0/30}]}]"))
	f.Add([]byte("name: x\nfeeders: [{name: a, from: a}]"))
	f.Add([]byte("name: &a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		for p := range s.Places() {
			s.Caps(p)
			if p.Addr.IsValid() {
				if q, ok := s.Find(p.Addr, "", ""); !ok || q.Addr.Unmap() != p.Addr.Unmap() {
					t.Fatalf("%v is not found at its own address: %v", p, q)
				}
			}
		}
		again, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(again); err != nil {
			t.Fatalf("%v in what was written:\n%s", err, again)
		}
	})
}
