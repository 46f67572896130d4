package fleet_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/ledger/sqlite"
	"ballast/miner"
	"ballast/site"
	"ballast/unit"
)

func layout(t interface{ Fatal(...any) }, text string) *site.Site {
	s, err := site.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func at(rack, slot string) ledger.Place {
	return ledger.Place{Container: "C", Rack: rack, Slot: slot}
}

func TestAssign(t *testing.T) {
	l := layout(t, `
name: x
containers:
  - name: C
    racks:
      - {name: R1, slots: 4, addresses: 10.0.0.1-4}
      - {name: R2, slots: 3, machines: [{slot: 1, mac: "02:aa:00:00:00:01"}, {slot: 2, serial: S002, addr: 10.0.0.12}]}
`)
	addr := netip.MustParseAddr
	for _, c := range []struct {
		name      string
		machines  []ledger.Machine
		places    map[int64]ledger.Place
		conflicts []fleet.PlaceTrouble
	}{
		{"by address", []ledger.Machine{{ID: 1, Addr: addr("10.0.0.3")}}, map[int64]ledger.Place{1: at("R1", "3")}, nil},
		{"MAC before address", []ledger.Machine{{ID: 1, Addr: addr("10.0.0.3"), MAC: "02:aa:00:00:00:01"}}, map[int64]ledger.Place{1: at("R2", "1")}, nil},
		{"nowhere", []ledger.Machine{{ID: 1, Addr: addr("10.9.9.9")}}, map[int64]ledger.Place{1: {}}, []fleet.PlaceTrouble{fleet.PlaceNowhere}},
		{"a slot claimed twice goes to the surer one", []ledger.Machine{{ID: 1, Addr: addr("10.0.0.12")}, {ID: 2, Serial: "S002"}},
			map[int64]ledger.Place{1: {}, 2: at("R2", "2")}, []fleet.PlaceTrouble{fleet.PlaceClaimed}},
		{"another than described", []ledger.Machine{{ID: 1, Addr: addr("10.0.0.12"), Serial: "S999"}}, map[int64]ledger.Place{1: at("R2", "2")}, []fleet.PlaceTrouble{fleet.PlaceOther}},
		{"by hand wins", []ledger.Machine{{ID: 1, Addr: addr("10.0.0.3"), Place: at("R2", "3"), Placed: ledger.PlacedByHand}, {ID: 2, Addr: addr("10.0.0.2")}},
			map[int64]ledger.Place{2: at("R1", "2")}, []fleet.PlaceTrouble{fleet.PlaceByHand}},
		{"a hand in another's slot", []ledger.Machine{{ID: 1, Addr: addr("10.0.0.3"), Place: at("R1", "2"), Placed: ledger.PlacedByHand}, {ID: 2, Addr: addr("10.0.0.2")}},
			map[int64]ledger.Place{2: {}}, []fleet.PlaceTrouble{fleet.PlaceByHand, fleet.PlaceClaimed}},
		{"by hand where there is no slot", []ledger.Machine{{ID: 1, Place: at("R7", "1"), Placed: ledger.PlacedByHand}}, map[int64]ledger.Place{}, []fleet.PlaceTrouble{fleet.PlaceUnknown}},
		{"retired", []ledger.Machine{{ID: 1, Addr: addr("10.0.0.3"), Retired: time.Now()}}, map[int64]ledger.Place{}, nil},
	} {
		got := fleet.Assign(l, c.machines)
		var kinds []fleet.PlaceTrouble
		for _, x := range got.Conflicts {
			kinds = append(kinds, x.Kind)
		}
		if fmt.Sprint(got.Places) != fmt.Sprint(c.places) || !slices.Equal(kinds, c.conflicts) {
			t.Errorf("%s: %v %v, want %v %v", c.name, got.Places, kinds, c.places, c.conflicts)
		}
		filled := 0
		for _, p := range got.Places {
			if p.Slot != "" {
				filled++
			}
		}
		if n := len(got.Empty) + filled; n > 7 || c.name == "by address" && n != 7 {
			t.Errorf("%s: %d slots", c.name, n)
		}
	}
	if got := fleet.Assign(nil, []ledger.Machine{{ID: 1, Place: at("R1", "1"), Placed: ledger.PlacedByLayout}}); got.Places[1] != (ledger.Place{}) || len(got.Conflicts) != 0 {
		t.Errorf("without a layout: %+v", got)
	}
}

// Whatever machines and hands there are: no slot is given twice, no hand is
// overruled, and the same machines give the same places in any order.
func TestAssignHoldsOneEach(t *testing.T) {
	l := layout(t, "name: x\ncontainers: [{name: C, racks: [{name: R1, slots: 6, addresses: 10.0.0.1-6}, {name: R2, slots: 2, machines: [{slot: 1, mac: \"02:aa:00:00:00:01\"}, {slot: 2, serial: S002}]}]}]")
	rapid.Check(t, func(t *rapid.T) {
		var ms []ledger.Machine
		for i := range rapid.IntRange(0, 8).Draw(t, "machines") {
			m := ledger.Machine{ID: int64(i + 1), Addr: netip.AddrFrom4([4]byte{10, 0, 0, byte(rapid.IntRange(1, 9).Draw(t, "addr"))})}
			m.MAC = rapid.SampledFrom([]string{"", "02:aa:00:00:00:01", "02:aa:00:00:00:09"}).Draw(t, "mac")
			m.Serial = rapid.SampledFrom([]string{"", "S002", "S003"}).Draw(t, "serial")
			if n := rapid.IntRange(0, 12).Draw(t, "hand"); n > 0 && n <= 6 && !slices.ContainsFunc(ms, func(o ledger.Machine) bool { return o.Place == at("R1", fmt.Sprint(n)) }) {
				m.Place, m.Placed = at("R1", fmt.Sprint(n)), ledger.PlacedByHand
			}
			ms = append(ms, m)
		}
		got := fleet.Assign(l, ms)
		holds := map[ledger.Place]int64{}
		for _, m := range ms {
			p := m.Place
			if m.Placed != ledger.PlacedByHand {
				p = got.Places[m.ID]
			} else if _, ok := got.Places[m.ID]; ok {
				t.Fatalf("machine %d was placed by hand and is moved", m.ID)
			}
			if p.Slot == "" {
				continue
			}
			if other, taken := holds[p]; taken {
				t.Fatalf("machines %d and %d in %v", other, m.ID, p)
			}
			holds[p] = m.ID
		}
		if len(holds)+len(got.Empty) != l.Slots() {
			t.Fatalf("%d held, %d empty, %d slots", len(holds), len(got.Empty), l.Slots())
		}
		slices.Reverse(ms)
		if again := fleet.Assign(l, ms); fmt.Sprint(again.Places) != fmt.Sprint(got.Places) {
			t.Fatalf("in another order: %v, %v", got.Places, again.Places)
		}
	})
}

func TestSow(t *testing.T) {
	record, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer record.Close()
	sow := func(s fleet.Seed) ledger.Site {
		t.Helper()
		if err := fleet.Sow(t.Context(), record, s); err != nil {
			t.Fatal(err)
		}
		rec, err := record.Site(t.Context(), s.Name)
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	one := layout(t, "name: x\ncontainers: [{name: C, racks: [{name: R1, slots: 6}]}]")
	two := layout(t, "name: x\ncontainers: [{name: C, racks: [{name: R1, slots: 9}]}]")
	p := netip.MustParsePrefix
	rec := sow(fleet.Seed{Name: "x", Ranges: []netip.Prefix{p("10.0.0.0/24")}, Layout: one})
	if rec.Version != 1 || !slices.Equal(rec.Ranges, []string{"10.0.0.0/24"}) {
		t.Fatalf("%+v", rec)
	}
	if rec = sow(fleet.Seed{Name: "x", Ranges: []netip.Prefix{p("10.0.0.0/24")}, Layout: one}); rec.Version != 1 {
		t.Error("sown again, it was written again")
	}
	if rec = sow(fleet.Seed{Name: "x", Ranges: []netip.Prefix{p("10.0.1.0/24")}, Layout: two}); rec.Version != 2 || len(rec.Ranges) != 2 {
		t.Errorf("a range that it lacked and a layout that nobody touched: %+v", rec)
	}
	// A person changed it: the record rules.
	rec.Layout = []byte(`{"name":"Mine"}`)
	if err := record.SaveSite(t.Context(), rec, ledger.By("alice")); err != nil {
		t.Fatal(err)
	}
	if rec = sow(fleet.Seed{Name: "x", Layout: one}); string(rec.Layout) != `{"name":"Mine"}` {
		t.Errorf("a layout that a person made was written over: %s", rec.Layout)
	}
}

func TestKeys(t *testing.T) {
	k := &fleet.Keys{Where: func(netip.Addr) (string, string) { return "odessa", "new" }}
	key := func(id int64, password string, change func(*fleet.Key)) fleet.Key {
		x := fleet.Key{ID: id, Credentials: miner.Credentials{Password: miner.Secret(password)}}
		change(&x)
		return x
	}
	prefix := func(s string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(s)} }
	k.Set([]fleet.Key{
		key(1, "all", func(*fleet.Key) {}),
		key(2, "site", func(x *fleet.Key) { x.Site = "odessa" }),
		key(3, "firmware", func(x *fleet.Key) { x.Firmware = miner.Antminer }),
		key(4, "wide", func(x *fleet.Key) { x.Ranges = prefix("10.0.0.0/8") }),
		key(5, "narrow", func(x *fleet.Key) { x.Ranges = prefix("10.1.0.0/16") }),
		key(6, "group", func(x *fleet.Key) { x.Group = "old" }),
		key(7, "elsewhere", func(x *fleet.Key) { x.Site, x.Firmware = "hood", miner.Antminer }),
	})
	for addr, want := range map[string]int64{"10.1.2.3": 5, "10.2.2.3": 4, "192.168.0.1": 3} {
		if _, id := k.For(netip.MustParseAddr(addr), miner.Antminer); id != want {
			t.Errorf("%s: key %d, want %d", addr, id, want)
		}
	}
	if c, id := k.For(netip.MustParseAddr("192.168.0.1"), miner.Braiins); id != 2 || string(c.Password) != "site" {
		t.Errorf("another firmware: %d", id)
	}
	k.First = given{}
	if c, id := k.For(netip.MustParseAddr("10.1.2.3"), miner.Antminer); id != 0 || c.User != "configured" {
		t.Errorf("the configuration comes first: %d", id)
	}
}

type given struct{}

func (given) Credentials(netip.Addr, miner.Firmware) miner.Credentials {
	return miner.Credentials{User: "configured"}
}

// Whose range has an address, the narrowest, says which site it belongs to.
func TestWhere(t *testing.T) {
	f := fleet.New(fleet.Reach{}, nil, "default", time.Second, nil)
	p := netip.MustParsePrefix
	f.SetGrounds([]fleet.Ground{{Name: "odessa", Ranges: []netip.Prefix{p("10.0.0.0/8")}}, {Name: "hood", Ranges: []netip.Prefix{p("10.7.0.0/16")}}})
	for addr, want := range map[string]string{"10.1.1.1": "odessa", "10.7.1.1": "hood", "::ffff:10.7.1.1": "hood", "192.168.1.1": "default"} {
		if site, _ := f.Where(netip.MustParseAddr(addr)); site != want {
			t.Errorf("%s is at %s, want %s", addr, site, want)
		}
	}
	if got := fleet.Networks([]netip.Prefix{p("10.1.2.3/24"), p("10.1.2.9/24"), p("127.0.0.1/8"), p("8.8.8.8/24"), p("10.0.0.1/8"), p("fe80::1/64"), p("192.168.1.7/24")}); fmt.Sprint(got) != "[10.1.2.0/24 192.168.1.0/24]" {
		t.Errorf("networks to offer: %v", got)
	}
}

// A scan says what it found as it comes, and what it did not find and why; the
// machines stand where the layout has them, and follow it when it changes.
func TestScansAndPlaces(t *testing.T) {
	w := newWorld(t, 20, 5*time.Second)
	first := w.network.Addr().Next()
	text := fmt.Sprintf("name: here\ncontainers: [{name: C, racks: [{name: R1, slots: 24, addresses: %v-24}]}]", first)
	if err := fleet.Sow(t.Context(), w.record, fleet.Seed{Name: "here", Ranges: []netip.Prefix{w.network}, Layout: layout(t, text)}); err != nil {
		t.Fatal(err)
	}
	w.run()
	w.until("the sites are loaded", 5*time.Second, func() bool { return len(w.fleet.Grounds()) == 1 })
	scans := &fleet.Scans{Fleet: w.fleet, Log: w.fleet.Log}
	if _, err := scans.Start(t.Context(), "nowhere", nil, ledger.By("alice")); err == nil {
		t.Error("a site without ranges was scanned")
	}
	st, err := scans.Start(t.Context(), "here", nil, ledger.By("alice"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scans.Start(t.Context(), "here", nil, ledger.By("alice")); err == nil {
		t.Error("two scans of one site at once")
	}
	run, _ := scans.Run(st.ID)
	w.until("the scan ends", 30*time.Second, func() bool { return !run.State().Running })
	r := scans.Report(run)
	if r.End != ledger.ScanDone || r.Machines != 20 || r.New != 20 || len(r.Missing) != 4 || r.Missing[0].Place != "C/R1/21" {
		t.Errorf("report %+v", r)
	}
	if found := run.Found(15, 100); len(found) != 5 || found[0].Seq != 16 {
		t.Errorf("what came after the 15th: %d", len(found))
	}
	for _, s := range w.fleet.All() {
		a := s.Machine.Addr.As4()
		if s.Machine.Place != (ledger.Place{Container: "C", Rack: "R1", Slot: fmt.Sprint(a[3])}) {
			t.Errorf("%v stands in %v", s.Machine.Addr, s.Machine.Place)
		}
	}
	if kept, err := w.record.Scan(t.Context(), st.ID); err != nil || kept.End != ledger.ScanDone || kept.Actor != "alice" {
		t.Errorf("in the record: %+v, %v", kept, err)
	}
	// A hand, and its end.
	m := w.at(first).Machine
	hand := ledger.Place{Container: "C", Rack: "R1", Slot: "24"}
	if err := w.record.EditMachines(t.Context(), []int64{m.ID}, ledger.MachineEdit{Place: unit.Some(hand)}, ledger.By("alice")); err != nil {
		t.Fatal(err)
	}
	if err := w.fleet.Renew(t.Context(), []int64{m.ID}); err != nil {
		t.Fatal(err)
	}
	if got := w.at(first).Machine; got.Place != hand || got.Placed != ledger.PlacedByHand {
		t.Errorf("by hand: %+v", got.Place)
	}
	if err := w.record.EditMachines(t.Context(), []int64{m.ID}, ledger.MachineEdit{Place: unit.Some(ledger.Place{})}, ledger.By("alice")); err != nil {
		t.Fatal(err)
	}
	if err := w.fleet.Renew(t.Context(), []int64{m.ID}); err != nil {
		t.Fatal(err)
	}
	if got := w.at(first).Machine; got.Place != m.Place || got.Placed != ledger.PlacedByLayout {
		t.Errorf("cleared: %+v %q", got.Place, got.Placed)
	}
	// Cancelled: what was found stays.
	st, err = scans.Start(t.Context(), "here", []netip.Prefix{netip.PrefixFrom(w.network.Addr(), 16).Masked()}, ledger.By("alice"))
	if err != nil {
		t.Fatal(err)
	}
	run, _ = scans.Run(st.ID)
	run.Cancel()
	w.until("the scan is cancelled", 20*time.Second, func() bool { return !run.State().Running })
	if s := run.State(); s.End != ledger.ScanCancelled || s.Progress.Probed >= s.Progress.Total {
		t.Errorf("cancelled: %+v", s)
	}
}
