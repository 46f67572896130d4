package ledgertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/ledger"
	"ballast/unit"
)

func addr(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}
func mac(n int) string    { return fmt.Sprintf("aa:bb:cc:%02x:%02x:%02x", n>>16&0xff, n>>8&0xff, n&0xff) }
func serial(n int) string { return fmt.Sprintf("SN-%06d", n) }

// fleet is n sightings of n machines.
func fleet(n int) []ledger.Sighting {
	batch := make([]ledger.Sighting, n)
	for i := range batch {
		batch[i] = ledger.Sighting{Addr: addr(i + 1), MAC: mac(i + 1), Serial: serial(i + 1), Make: "Bitmain", Model: "Antminer S19",
			Firmware: "antminer", FirmwareVersion: "2024.1", Hostname: fmt.Sprintf("m%d", i+1), Site: "odessa"}
	}
	return batch
}

// seed puts n machines into the store and returns their IDs.
func seed(t fataler, s ledger.Store, n int) []int64 {
	t.Helper()
	ms := must(s.ObserveMachines(t.Context(), fleet(n)))(t)
	ids := make([]int64, n)
	for i, m := range ms {
		ids[i] = m.ID
	}
	return ids
}

func testObserve(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	batch := fleet(3)
	batch = append(batch, ledger.Sighting{}, ledger.Sighting{Addr: netip.MustParseAddr("::ffff:10.0.0.9"), Hostname: "a\x00b\xffc"})
	got := must(s.ObserveMachines(ctx, batch))(t)
	if len(got) != 5 || got[0].ID == 0 || got[3].ID != 0 || got[4].ID == 0 {
		t.Fatalf("observed %+v", got)
	}
	if got[4].Addr != netip.MustParseAddr("10.0.0.9") || got[4].Hostname != "ab\uFFFDc" {
		t.Errorf("outside text and address: %+v", got[4])
	}
	want := ledger.Machine{ID: got[0].ID, MAC: mac(1), Serial: serial(1), Addr: addr(1), Make: "Bitmain", Model: "Antminer S19", Firmware: "antminer",
		FirmwareVersion: "2024.1", Hostname: "m1", Site: "odessa", FirstSeen: c.Now(), LastSeen: c.Now()}
	if m := must(s.Machine(ctx, got[0].ID))(t); !sameMachine(m, want) || !sameMachine(got[0], want) {
		t.Errorf("machine\n%+v\nobserved\n%+v\nwant\n%+v", m, got[0], want)
	}
	if _, err := s.Machine(ctx, 999); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("machine 999: %v", err)
	}

	c.Advance(time.Hour)
	moved := must(s.ObserveMachines(ctx, []ledger.Sighting{{Addr: addr(77), MAC: mac(1), Site: "odessa", FirmwareVersion: "2025.2"}}))(t)[0]
	if moved.ID != got[0].ID || moved.Serial != serial(1) || moved.LastSeen != c.Now() || moved.FirstSeen != want.FirstSeen {
		t.Errorf("moved %+v", moved)
	}
	history := must(s.AddressHistory(ctx, moved.ID))(t)
	if wantSpans := []ledger.AddressSpan{
		{Machine: moved.ID, Site: "odessa", Addr: addr(1), Since: want.FirstSeen, Until: c.Now()},
		{Machine: moved.ID, Site: "odessa", Addr: addr(77), Since: c.Now()},
	}; !slices.Equal(history, wantSpans) {
		t.Errorf("addresses %+v", history)
	}
	changes := must(s.IdentityHistory(ctx, moved.ID))(t)
	if !slices.Equal(changes, []ledger.IdentityChange{{Machine: moved.ID, At: c.Now(), Field: "firmware_version", Was: "2024.1", Now: "2025.2"}}) {
		t.Errorf("changes %+v", changes)
	}
	if empty := must(s.ObserveMachines(ctx, nil))(t); len(empty) != 0 {
		t.Errorf("an empty batch gave %v", empty)
	}
}

func sameMachine(a, b ledger.Machine) bool {
	if !slices.Equal(a.Tags, b.Tags) {
		return false
	}
	a.Tags, b.Tags = nil, nil
	return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b)
}

// The store does what ledger.Follow says and forgets nothing of it: any
// sequence of batches leaves it with the machines and spans of an inventory
// kept in memory.
func testObserveFollows(t *testing.T, open Open) {
	c := newClock()
	s := open(t, c.Now)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		ctx := t.Context()
		round++
		site := fmt.Sprintf("site-%d", round) // each check has a world of its own in the one store
		base := round * 10
		var known []ledger.Machine // as the model has them, by ID
		var spans []ledger.AddressSpan
		cloned := must(s.SharedIdentities(ctx))(t)
		next := int64(0)
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			c.Advance(time.Minute)
			var batch []ledger.Sighting
			for range rapid.IntRange(0, 6).Draw(t, "sightings") {
				x := ledger.Sighting{Site: site}
				if rapid.Bool().Draw(t, "has addr") {
					x.Addr = addr(rapid.IntRange(1, 4).Draw(t, "addr"))
				}
				if rapid.Bool().Draw(t, "has mac") {
					x.MAC = mac(base + rapid.IntRange(1, 4).Draw(t, "mac"))
				}
				if rapid.Bool().Draw(t, "has serial") {
					x.Serial = serial(base + rapid.IntRange(1, 4).Draw(t, "serial"))
				}
				x.Firmware = rapid.SampledFrom([]string{"", "luxos", "vnish"}).Draw(t, "firmware")
				batch = append(batch, x)
			}
			if next == 0 { // IDs go on from where the checks before ended
				all := must(s.Machines(ctx, ledger.MachineFilter{}))(t)
				next = int64(len(all)) + 1
			}
			f := ledger.Follow(known, cloned, batch, next, c.Now())
			next = f.Next
			cloned = append(cloned, f.Shared...)
			for i := range spans {
				for _, closed := range f.Closed {
					if spans[i].Machine == closed.Machine && spans[i].Until.IsZero() {
						spans[i].Until = closed.Until
					}
				}
			}
			spans = append(spans, f.Opened...)
			for id, m := range f.Touched {
				i := slices.IndexFunc(known, func(k ledger.Machine) bool { return k.ID == id })
				if i < 0 {
					known = append(known, *m)
				} else {
					known[i] = *m
				}
			}
			got := must(s.ObserveMachines(ctx, batch))(t)
			for i := range got {
				if got[i].ID != f.Seen[i] {
					t.Fatalf("sighting %d became machine %d, the model says %d", i, got[i].ID, f.Seen[i])
				}
			}
		}
		slices.SortFunc(known, func(a, b ledger.Machine) int { return int(a.ID - b.ID) })
		for _, m := range known {
			stored := must(s.Machine(ctx, m.ID))(t)
			if !sameMachine(stored, m) {
				t.Fatalf("stored\n%+v\nmodel\n%+v", stored, m)
			}
			var want []string
			for _, sp := range spans {
				if sp.Machine == m.ID {
					want = append(want, fmt.Sprint(sp))
				}
			}
			var have []string
			for _, sp := range must(s.AddressHistory(ctx, m.ID))(t) {
				have = append(have, fmt.Sprint(sp))
			}
			slices.Sort(want)
			slices.Sort(have)
			if !slices.Equal(have, want) {
				t.Fatalf("machine %d was at\n%v\nthe model says\n%v", m.ID, have, want)
			}
		}
		if n := len(must(s.Machines(ctx, ledger.MachineFilter{}))(t)); int64(n) != next-1 && next != 0 {
			t.Fatalf("%d machines, IDs up to %d", n, next-1)
		}
	})
}

// A small batch looks machines up one by one, a large one reads them all: both
// must find the same.
func testObserveBatchKinds(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	ids := seed(t, s, 1500)
	c.Advance(time.Minute)
	for _, k := range []int{0, 700, 1499} {
		for name, x := range map[string]ledger.Sighting{
			"MAC": {MAC: mac(k + 1)}, "serial": {Serial: serial(k + 1)}, "address": {Addr: addr(k + 1), Site: "odessa"},
		} {
			if m := must(s.ObserveMachines(ctx, []ledger.Sighting{x}))(t)[0]; m.ID != ids[k] || m.MAC != mac(k+1) {
				t.Errorf("by %s: machine %d, want %d", name, m.ID, ids[k])
			}
		}
	}
	// Everybody's address moves up by one, and the last one's goes to the first.
	batch := fleet(1500)
	for i := range batch {
		batch[i].Addr = addr((i+1)%1500 + 1)
	}
	for i, m := range must(s.ObserveMachines(ctx, batch))(t) {
		if m.ID != ids[i] || m.Addr != batch[i].Addr {
			t.Fatalf("machine %d became %d at %s", ids[i], m.ID, m.Addr)
		}
	}
}

// Writers at the same time do not invent a machine twice.
func testObserveAtOnce(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for k := range 5 {
				if _, err := s.ObserveMachines(ctx, fleet(20)[k*4:k*4+4]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if ms := must(s.Machines(ctx, ledger.MachineFilter{}))(t); len(ms) != 20 {
		t.Errorf("%d machines, want 20", len(ms))
	}
}

func testMachines(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	ids := seed(t, s, 30)
	ok(t, s.EditMachines(ctx, ids[:10], ledger.MachineEdit{Group: unit.Some("north"), AddTags: []string{"loud", "loud", "  old "}}, ledger.By("alice")))
	ok(t, s.EditMachines(ctx, ids[5:7], ledger.MachineEdit{Retired: unit.Some(true), RemoveTags: []string{"old"}}, ledger.By("alice")))
	ok(t, s.EditMachines(ctx, ids[20:21], ledger.MachineEdit{Name: unit.Some("100%_Sure")}, ledger.By("alice")))
	list := func(f ledger.MachineFilter) (out []int64) {
		t.Helper()
		for _, m := range must(s.Machines(ctx, f))(t) {
			out = append(out, m.ID)
		}
		return out
	}
	for name, c := range map[string]struct {
		f    ledger.MachineFilter
		want []int64
	}{
		"all":             {ledger.MachineFilter{}, ids},
		"group":           {ledger.MachineFilter{Group: "north"}, ids[:10]},
		"tag":             {ledger.MachineFilter{Tag: "old"}, slices.Concat(ids[:5], ids[7:10])},
		"in service":      {ledger.MachineFilter{Retired: unit.Some(false), Group: "north"}, slices.Concat(ids[:5], ids[7:10])},
		"retired":         {ledger.MachineFilter{Retired: unit.Some(true)}, ids[5:7]},
		"site":            {ledger.MachineFilter{Site: "odessa"}, ids},
		"other site":      {ledger.MachineFilter{Site: "hood"}, nil},
		"address":         {ledger.MachineFilter{Addr: addr(4)}, ids[3:4]},
		"page":            {ledger.MachineFilter{After: ids[9], Limit: 3}, ids[10:13]},
		"search MAC":      {ledger.MachineFilter{Search: "CC:00:00:05"}, ids[4:5]},
		"search model":    {ledger.MachineFilter{Search: "antMINER", Limit: 2}, ids[:2]},
		"search name":     {ledger.MachineFilter{Search: "100%_s"}, ids[20:21]},
		"search wildcard": {ledger.MachineFilter{Search: "%"}, ids[20:21]},
	} {
		if got := list(c.f); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if m := must(s.Machine(ctx, ids[0]))(t); !slices.Equal(m.Tags, []string{"loud", "old"}) {
		t.Errorf("tags %v", m.Tags)
	}
	if g := must(s.Groups(ctx))(t); !slices.Equal(g, []ledger.Group{{Name: "north", Machines: 8}}) {
		t.Errorf("groups %v", g)
	}
}

func testEditMachines(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	ids := seed(t, s, 3)
	if err := s.EditMachines(ctx, []int64{ids[0], 999}, ledger.MachineEdit{Name: unit.Some("x")}, ledger.By("alice")); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("editing a machine that is not there: %v", err)
	}
	if m := must(s.Machine(ctx, ids[0]))(t); m.Name != "" {
		t.Error("a failed edit was half done")
	}
	if err := s.EditMachines(ctx, ids, ledger.MachineEdit{Name: unit.Some("x")}, ledger.Audit{}); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("an edit by nobody: %v", err)
	}
	// A retired machine's address is free for another; back in service it has none.
	ok(t, s.EditMachines(ctx, ids[:1], ledger.MachineEdit{Retired: unit.Some(true)}, ledger.By("alice")))
	stranger := must(s.ObserveMachines(ctx, []ledger.Sighting{{Addr: addr(1), Site: "odessa"}}))(t)[0]
	if slices.Contains(ids, stranger.ID) {
		t.Fatalf("the stranger was taken for machine %d", stranger.ID)
	}
	c.Advance(time.Hour)
	ok(t, s.EditMachines(ctx, ids[:1], ledger.MachineEdit{Retired: unit.Some(false)}, ledger.By("alice")))
	back := must(s.Machine(ctx, ids[0]))(t)
	if back.Addr.IsValid() || !back.Retired.IsZero() {
		t.Errorf("back in service: %+v", back)
	}
	if h := must(s.AddressHistory(ctx, ids[0]))(t); len(h) != 1 || h[0].Until != c.Now() {
		t.Errorf("its address: %+v", h)
	}
	// To another site, where its address is taken or free.
	must(s.ObserveMachines(ctx, []ledger.Sighting{{Addr: addr(2), Site: "hood"}}))(t)
	if err := s.EditMachines(ctx, ids[1:2], ledger.MachineEdit{Site: unit.Some("hood")}, ledger.By("alice")); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("a taken address: %v", err)
	}
	ok(t, s.EditMachines(ctx, ids[2:3], ledger.MachineEdit{Site: unit.Some("hood")}, ledger.By("alice")))
	if m := must(s.ObserveMachines(ctx, []ledger.Sighting{{Addr: addr(3), Site: "hood"}}))(t)[0]; m.ID != ids[2] {
		t.Errorf("at its new site it is machine %d, want %d", m.ID, ids[2])
	}
	if h := must(s.AddressHistory(ctx, ids[2]))(t); len(h) != 2 || h[1].Site != "hood" || !h[1].Until.IsZero() {
		t.Errorf("addresses after a change of site: %+v", h)
	}
}

func testPlaces(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	ids := seed(t, s, 3)
	place := func(rack, slot string) ledger.MachineEdit {
		return ledger.MachineEdit{Place: unit.Some(ledger.Place{Building: "B1", Container: "C2", Rack: rack, Slot: slot})}
	}
	ok(t, s.EditMachines(ctx, ids[:1], place("R1", "07"), ledger.By("alice")))
	if m := must(s.Machine(ctx, ids[0]))(t); m.Place != (ledger.Place{Building: "B1", Container: "C2", Rack: "R1", Slot: "07"}) {
		t.Errorf("place %+v", m.Place)
	}
	if err := s.EditMachines(ctx, ids[1:2], place("R1", "07"), ledger.By("alice")); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("a taken slot: %v", err)
	}
	if err := s.EditMachines(ctx, ids[1:], place("R1", "08"), ledger.By("alice")); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("two machines into one slot: %v", err)
	}
	ok(t, s.EditMachines(ctx, ids[1:], place("R1", ""), ledger.By("alice"))) // a rack holds many
	ok(t, s.EditMachines(ctx, ids[:1], ledger.MachineEdit{Retired: unit.Some(true)}, ledger.By("alice")))
	ok(t, s.EditMachines(ctx, ids[1:2], place("R1", "07"), ledger.By("alice")))
	if err := s.EditMachines(ctx, ids[:1], ledger.MachineEdit{Retired: unit.Some(false)}, ledger.By("alice")); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("back into a taken slot: %v", err)
	}
}

func testSites(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	ok(t, s.SaveSite(ctx, ledger.Site{Name: "odessa", Title: "Odessa, Texas", Layout: json.RawMessage(`{"racks": 12}`)}, ledger.By("alice")))
	ok(t, s.SaveSite(ctx, ledger.Site{Name: "hood"}, ledger.By("alice")))
	born := c.Now()
	c.Advance(time.Hour)
	ok(t, s.SaveSite(ctx, ledger.Site{Name: "odessa", Title: "Odessa"}, ledger.By("alice")))
	sites := must(s.Sites(ctx))(t)
	if len(sites) != 2 || sites[0].Name != "hood" || sites[1].Title != "Odessa" || string(sites[1].Layout) != "null" ||
		sites[1].CreatedAt != born || sites[1].UpdatedAt != c.Now() {
		t.Errorf("sites %+v", sites)
	}
	for _, bad := range []ledger.Site{{}, {Name: "x", Layout: json.RawMessage("{")}} {
		if err := s.SaveSite(ctx, bad, ledger.By("alice")); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("site %+v: %v", bad, err)
		}
	}
}

func testSharedIdentities(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	must(s.ObserveMachines(ctx, []ledger.Sighting{
		{Addr: addr(1), MAC: mac(1), Serial: serial(1)}, {Addr: addr(2), MAC: mac(2), Serial: serial(1)},
	}))(t)
	want := []ledger.SharedIdentity{{Field: "serial", Value: serial(1), Since: c.Now()}}
	if got := must(s.SharedIdentities(ctx))(t); !slices.Equal(got, want) {
		t.Errorf("shared %+v", got)
	}
	one := must(s.ObserveMachines(ctx, []ledger.Sighting{{Addr: addr(2), MAC: mac(2), Serial: serial(1)}}))(t)[0]
	if one.Serial != "" {
		t.Errorf("a shared serial identifies machine %d", one.ID)
	}
	ok(t, s.ClearShared(ctx, "serial", serial(1), ledger.By("alice")))
	if err := s.ClearShared(ctx, "serial", serial(1), ledger.By("alice")); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("cleared twice: %v", err)
	}
	again := must(s.ObserveMachines(ctx, []ledger.Sighting{{Addr: addr(2), MAC: mac(2), Serial: serial(1)}}))(t)[0]
	if again.ID != one.ID || again.Serial != serial(1) {
		t.Errorf("after clearing: %+v", again)
	}
}
