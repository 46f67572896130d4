package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"ballast/ledger"
	"ballast/miner"
	"ballast/site"
)

// Ground is a site as the fleet knows it: whose addresses are whose, and where
// machines stand.
type Ground struct {
	Name   string
	Ranges []netip.Prefix
	Layout *site.Site // nil when nobody described it
}

// SetGrounds says which sites there are. Addresses that are in nobody's ranges
// belong to f.Site.
func (f *Fleet) SetGrounds(all []Ground) {
	all = slices.Clone(all)
	f.grounds.Store(&all)
}

// Grounds are the sites that there are.
func (f *Fleet) Grounds() []Ground {
	if all := f.grounds.Load(); all != nil {
		return *all
	}
	return nil
}

// Ground is one of them.
func (f *Fleet) Ground(name string) (Ground, bool) {
	all := f.Grounds()
	i := slices.IndexFunc(all, func(g Ground) bool { return g.Name == name })
	if i < 0 {
		return Ground{}, false
	}
	return all[i], true
}

// SiteOf is the site whose narrowest range has addr, "" when no range has it.
func (f *Fleet) SiteOf(addr netip.Addr) string {
	name, bits := "", -1
	for _, g := range f.Grounds() {
		for _, r := range g.Ranges {
			if r.Contains(addr.Unmap()) && r.Bits() > bits {
				name, bits = g.Name, r.Bits()
			}
		}
	}
	return name
}

// LoadGrounds reads the sites from the record. A layout that can no longer be
// read is told and passed over: machines are polled wherever they stand.
func (f *Fleet) LoadGrounds(ctx context.Context) error {
	sites, err := f.Record.Sites(ctx)
	if err != nil {
		return fmt.Errorf("reading the sites: %w", err)
	}
	var all []Ground
	for _, s := range sites {
		g, err := GroundOf(s)
		if err != nil {
			f.Log.Error("a site's description in the record", "site", s.Name, "error", err)
		}
		all = append(all, g)
	}
	f.SetGrounds(all)
	return nil
}

// GroundOf reads a site of the record. With an error the name is right still.
func GroundOf(s ledger.Site) (Ground, error) {
	g := Ground{Name: s.Name}
	ranges, err := ParseRanges(s.Ranges)
	if err != nil {
		return g, err
	}
	g.Ranges = ranges
	if len(s.Layout) > 0 && string(s.Layout) != "null" {
		if g.Layout, err = site.FromJSON(s.Layout); err != nil {
			g.Layout = nil
			return g, err
		}
	}
	return g, nil
}

// Seed is a site that the record must have when Ballast starts.
type Seed struct {
	Name   string
	Zone   string // IANA time zone
	Ranges []netip.Prefix
	Layout *site.Site
}

// seeded is the setting that remembers which layout a site was seeded with.
const seeded = "site.seed."

// Sow writes the site of the configuration into the record when it is not there,
// and adds ranges that it lacks; else the record rules. A layout is written over
// the one that an earlier Sow wrote, never over one that people changed.
func Sow(ctx context.Context, record ledger.Store, s Seed) error {
	if s.Layout == nil {
		s.Layout = &site.Site{Name: s.Name, Zone: s.Zone}
	}
	layout, err := json.Marshal(s.Layout)
	if err != nil {
		return fmt.Errorf("writing the layout of %s: %w", s.Name, err)
	}
	return record.Tx(ctx, func(tx ledger.Tx) error {
		now, err := tx.Site(ctx, s.Name)
		fresh := errors.Is(err, ledger.ErrNotFound)
		if err != nil && !fresh {
			return err
		}
		was := now
		if fresh {
			now = ledger.Site{Name: s.Name, Title: s.Name}
		}
		for _, r := range s.Ranges {
			if text := r.String(); !slices.Contains(now.Ranges, text) {
				now.Ranges = append(slices.Clone(now.Ranges), text)
			}
		}
		key := seeded + s.Name
		last, err := tx.Setting(ctx, key)
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return err
		}
		untouched := len(now.Layout) == 0 || string(now.Layout) == "null" || sum(now.Layout) == last
		replace := untouched && sum(layout) != last
		if replace {
			now.Layout = layout
		}
		if !fresh && !replace && slices.Equal(was.Ranges, now.Ranges) {
			return nil
		}
		if err := tx.SaveSite(ctx, now, ledger.By("system")); err != nil {
			return err
		}
		if replace {
			return tx.SetSetting(ctx, key, sum(layout), ledger.By("system"))
		}
		return nil
	})
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// Placement is where the machines of a site belong, and what speaks against it.
type Placement struct {
	Places    map[int64]ledger.Place // of machines in service that nobody placed by hand; empty where the layout has none
	Conflicts []PlaceConflict
	Empty     []site.Place // slots that no machine is in
}

// PlaceTrouble is a kind of PlaceConflict.
type PlaceTrouble string

// The kinds of conflict.
const (
	PlaceClaimed PlaceTrouble = "claimed" // two machines claim one slot
	PlaceOther   PlaceTrouble = "other"   // a machine stands where another is described
	PlaceByHand  PlaceTrouble = "by-hand" // placed by hand elsewhere than the layout says
	PlaceUnknown PlaceTrouble = "no-slot" // placed by hand where the layout has no slot
	PlaceNowhere PlaceTrouble = "nowhere" // the layout has no slot for it
)

// PlaceConflict is a machine whose place is in doubt.
type PlaceConflict struct {
	Kind    PlaceTrouble `json:"kind" enum:"claimed,other,by-hand,no-slot,nowhere"`
	Machine int64        `json:"machine"`
	Other   int64        `json:"other,omitempty" doc:"The machine that has the slot."`
	Place   string       `json:"place,omitempty" doc:"The slot in question."`
	Why     string       `json:"why"`
}

// Assign finds the place of each machine of a site. What is set by hand wins;
// of two machines that claim one slot the one that is described more surely
// gets it (by MAC before serial before address), then the one with the lower
// ID. It changes nothing.
func Assign(layout *site.Site, machines []ledger.Machine) Placement {
	out := Placement{Places: map[int64]ledger.Place{}}
	holds := map[ledger.Place]int64{}
	type claim struct {
		m    ledger.Machine
		at   site.Place
		rank int
	}
	var claims []claim
	for _, m := range machines {
		if !m.Retired.IsZero() {
			continue
		}
		at, ok := find(layout, m)
		if m.Placed != ledger.PlacedByHand {
			if ok {
				claims = append(claims, claim{m, at, surety(at, m)})
				continue
			}
			out.Places[m.ID] = ledger.Place{}
			if layout != nil && layout.Slots() > 0 {
				out.Conflicts = append(out.Conflicts, PlaceConflict{Kind: PlaceNowhere, Machine: m.ID, Why: "the layout has no slot for its address, MAC or serial"})
			}
			continue
		}
		if m.Place.Slot != "" {
			holds[m.Place] = m.ID
		}
		switch {
		case layout == nil || m.Place == placeOf(at):
		case ok:
			out.Conflicts = append(out.Conflicts, PlaceConflict{Kind: PlaceByHand, Machine: m.ID, Place: at.String(), Why: fmt.Sprintf("placed by hand in %s; the layout has it in %s", m.Place, at)})
		}
	}
	slices.SortStableFunc(claims, func(a, b claim) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return int(a.m.ID - b.m.ID)
	})
	for _, c := range claims {
		p := placeOf(c.at)
		if other, taken := holds[p]; taken {
			out.Places[c.m.ID] = ledger.Place{}
			out.Conflicts = append(out.Conflicts, PlaceConflict{Kind: PlaceClaimed, Machine: c.m.ID, Other: other, Place: c.at.String(), Why: fmt.Sprintf("machine %d has the slot %s, which this one claims too", other, c.at)})
			continue
		}
		holds[p] = c.m.ID
		out.Places[c.m.ID] = p
		if c.at.MAC != "" && c.m.MAC != "" && c.at.MAC != c.m.MAC {
			out.Conflicts = append(out.Conflicts, PlaceConflict{Kind: PlaceOther, Machine: c.m.ID, Place: c.at.String(), Why: fmt.Sprintf("found in %s, where the layout has %s", c.at, c.at.MAC)})
		} else if c.at.MAC == "" && c.at.Serial != "" && c.m.Serial != "" && c.at.Serial != c.m.Serial {
			out.Conflicts = append(out.Conflicts, PlaceConflict{Kind: PlaceOther, Machine: c.m.ID, Place: c.at.String(), Why: fmt.Sprintf("found in %s, where the layout has serial %s", c.at, c.at.Serial)})
		}
	}
	if layout == nil {
		return out
	}
	slots := map[ledger.Place]bool{}
	for p := range layout.Places() {
		slots[placeOf(p)] = true
		if _, taken := holds[placeOf(p)]; !taken {
			out.Empty = append(out.Empty, p)
		}
	}
	for _, m := range machines {
		if m.Placed == ledger.PlacedByHand && m.Retired.IsZero() && m.Place.Slot != "" && !slots[m.Place] {
			out.Conflicts = append(out.Conflicts, PlaceConflict{Kind: PlaceUnknown, Machine: m.ID, Place: m.Place.String(), Why: fmt.Sprintf("placed by hand in %s, and the layout has no such slot", m.Place)})
		}
	}
	return out
}

func find(layout *site.Site, m ledger.Machine) (site.Place, bool) {
	if layout == nil {
		return site.Place{}, false
	}
	return layout.Find(m.Addr, m.MAC, m.Serial)
}

// surety ranks how a slot knows a machine: 0 is the surest.
func surety(p site.Place, m ledger.Machine) int {
	switch {
	case p.MAC != "" && p.MAC == m.MAC:
		return 0
	case p.Serial != "" && p.Serial == m.Serial:
		return 1
	}
	return 2
}

// placeOf is a slot as the record writes it.
func placeOf(p site.Place) ledger.Place {
	if p.Slot == 0 {
		return ledger.Place{}
	}
	return ledger.Place{Building: p.Building, Container: p.Container, Rack: p.Rack, Slot: strconv.Itoa(p.Slot)}
}

// Place puts the machines of a site where its layout has them, in one step of
// the record, and takes up what that changed. tx is a transaction that the
// caller has under way, or f.Record; layout may be one that is being saved in
// it. It returns the machines that moved: the caller calls Renew with them once
// tx is through.
func (f *Fleet) Place(ctx context.Context, tx ledger.Tx, name string, layout *site.Site, by ledger.Audit) ([]int64, error) {
	machines, err := tx.Machines(ctx, ledger.MachineFilter{Site: name})
	if err != nil {
		return nil, fmt.Errorf("reading the machines of %s: %w", name, err)
	}
	return tx.PlaceMachines(ctx, name, Assign(layout, machines).Places, by)
}

// settle places the machines of sites after some of them came, moved or were
// edited.
func (f *Fleet) settle(ctx context.Context, sites map[string]bool) error {
	f.placing.Lock()
	defer f.placing.Unlock()
	for _, name := range slices.Sorted(maps.Keys(sites)) {
		g, ok := f.Ground(name)
		if !ok || g.Layout == nil {
			continue
		}
		machines := f.machinesAt(name)
		places := Assign(g.Layout, machines).Places
		for _, m := range machines {
			if m.Place == places[m.ID] {
				delete(places, m.ID)
			}
		}
		moved, err := f.Record.PlaceMachines(ctx, name, places, ledger.By("system"))
		if errors.Is(err, ledger.ErrConflict) {
			continue // a hand was quicker; the next sighting sees it
		}
		if err != nil {
			return err
		}
		for _, id := range moved {
			m, err := f.Record.Machine(ctx, id)
			if err != nil {
				return err
			}
			f.admit(m)
		}
	}
	return nil
}

// Placement is where the machines of a site belong now, and what speaks against
// it.
func (f *Fleet) Placement(name string) Placement {
	g, _ := f.Ground(name)
	return Assign(g.Layout, f.machinesAt(name))
}

func (f *Fleet) machinesAt(site string) []ledger.Machine {
	var out []ledger.Machine
	for _, s := range f.All() {
		if s.Machine.Site == site {
			out = append(out, s.Machine)
		}
	}
	return out
}

// At finds the machine in service that the fleet has at an address.
func (f *Fleet) At(addr netip.Addr) (*Status, bool) {
	id, ok := f.addrs.Load(addr)
	if !ok {
		return nil, false
	}
	s, ok := f.Get(id.(miner.ID))
	if !ok || s == nil || s.Machine.Addr != addr || !s.Machine.Retired.IsZero() {
		return nil, false
	}
	return s, true
}

// Where tells the site that an address belongs to (the one whose range has it,
// else that of the machine which is there, else f.Site), and that machine's
// group.
func (f *Fleet) Where(addr netip.Addr) (site, group string) {
	site = f.SiteOf(addr)
	if s, ok := f.At(addr); ok {
		group = s.Machine.Group
		if site == "" {
			site = s.Machine.Site
		}
	}
	if site == "" {
		site = f.Site
	}
	return site, group
}
