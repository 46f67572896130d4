package ledger

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Followed is what a batch of sightings does to the inventory.
type Followed struct {
	Seen    []int64            // for each sighting, the ID of its machine; 0 when it told nothing to go by
	Touched map[int64]*Machine // machines to write, new ones among them
	Old     map[int64]Machine  // the touched machines as they were; new ones are absent
	Opened  []AddressSpan      // addresses taken; Until is zero unless left again in this batch
	Closed  []AddressSpan      // addresses left; Since is zero, the open span of that machine ends at Until
	Changes []IdentityChange
	Shared  []SharedIdentity // newly found
	Next    int64            // the next free machine ID
}

// Follow decides which machine each sighting is. It must be given every machine
// that holds a MAC, a serial or an address (in its site) of the batch; others
// do no harm. New machines get IDs from next on. It is pure: the same input
// gives the same outcome.
//
// The rules, strongest first:
//
//  1. The serial decides. A known serial with a new MAC is the same machine with
//     another control board. When that MAC belonged to another machine, the board
//     was moved: the MAC goes with it, and the other machine has none until it is
//     seen again.
//  2. Else the MAC decides. A known MAC with a new serial is the same machine,
//     re-flashed: firmwares read serials from different places. (A serial that
//     belongs to another machine falls under rule 1.)
//  3. Else the address decides, within its site: a machine in service that last
//     had this address and contradicts nothing that the sighting tells (MAC,
//     serial, make) is the same machine, and learns what it did not know. A
//     machine of which both MAC and serial changed at once is a new machine.
//  4. Else it is a new machine.
//
// An address has one machine: who is seen there takes it from who was there
// before. Within a batch the surest sightings are settled first, whatever their
// order: known serials, known MACs, unknown ones, and last those with only an
// address. So two machines that swap addresses do not get confused with a third
// that tells nothing, nor a machine with the newcomer that got its old board.
//
// A serial told by two sightings of one batch with different MACs at different
// addresses (or a MAC with different serials) is cloned: it identifies nobody,
// in this batch and from then on. Placeholder serials ("N/A", "00000000") are
// as good as none.
//
// A machine that moves to another site loses its place. A sighting older than
// the machine's last changes nothing. Retired machines are recognised by serial
// and MAC, never by address, and stay retired.
func Follow(known []Machine, shared []SharedIdentity, batch []Sighting, next int64, now time.Time) Followed {
	f := follower{
		out:     Followed{Seen: make([]int64, len(batch)), Touched: map[int64]*Machine{}, Old: map[int64]Machine{}, Next: next},
		macs:    make(map[string]*Machine, len(known)),
		serials: make(map[string]*Machine, len(known)),
		addrs:   make(map[siteAddr]*Machine, len(known)),
		opened:  map[int64]int{},
	}
	known = slices.Clone(known)
	for i := range known {
		f.index(&known[i])
	}
	seen := make([]Sighting, len(batch))
	order := make([]int, len(batch))
	for i, s := range batch {
		seen[i], order[i] = s.Normal(now), i
	}
	f.strip(seen, shared)
	evidence := make([]int, len(batch))
	for i, s := range seen {
		evidence[i] = f.evidence(s)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(evidence[a], evidence[b]), seen[a].At.Compare(seen[b].At))
	})
	for _, i := range order {
		f.settle(i, seen[i])
	}
	return f.out
}

func (s Sighting) identified() bool { return s.MAC != "" || s.Serial != "" }

// evidence ranks a sighting: the surest are settled first. A machine that is
// known by its serial must get the board that it has now before a newcomer with
// its old board is looked at.
func (f *follower) evidence(s Sighting) int {
	switch {
	case f.serials[s.Serial] != nil:
		return 0
	case f.macs[s.MAC] != nil:
		return 1
	case s.identified():
		return 2
	}
	return 3
}

type siteAddr struct {
	site string
	addr netip.Addr
}

type follower struct {
	out     Followed
	macs    map[string]*Machine
	serials map[string]*Machine
	addrs   map[siteAddr]*Machine // machines in service only
	opened  map[int64]int         // machine to its open span in out.Opened
}

func (f *follower) index(m *Machine) {
	if m.MAC != "" {
		f.macs[m.MAC] = m
	}
	if m.Serial != "" {
		f.serials[m.Serial] = m
	}
	if m.Addr.IsValid() && m.Retired.IsZero() {
		f.addrs[siteAddr{m.Site, m.Addr}] = m
	}
}

// strip removes cloned MACs and serials from the batch and finds new ones.
func (f *follower) strip(seen []Sighting, shared []SharedIdentity) {
	cloned := map[[2]string]bool{}
	for _, s := range shared {
		cloned[[2]string{s.Field, s.Value}] = true
	}
	type first struct {
		other string // the MAC told with this serial, or the serial told with this MAC
		at    siteAddr
	}
	firsts := map[[2]string]first{}
	check := func(field, value, other string, s Sighting) {
		if value == "" || other == "" || !s.Addr.IsValid() {
			return
		}
		key, at := [2]string{field, value}, siteAddr{s.Site, s.Addr}
		was, ok := firsts[key]
		if !ok {
			firsts[key] = first{other, at}
			return
		}
		if was.other != other && was.at != at && !cloned[key] {
			cloned[key] = true
			f.out.Shared = append(f.out.Shared, SharedIdentity{Field: field, Value: value, Since: s.At})
		}
	}
	for _, s := range seen {
		check("serial", s.Serial, s.MAC, s)
		check("mac", s.MAC, s.Serial, s)
	}
	if len(cloned) == 0 {
		return
	}
	for i := range seen {
		if cloned[[2]string{"serial", seen[i].Serial}] {
			seen[i].Serial = ""
		}
		if cloned[[2]string{"mac", seen[i].MAC}] {
			seen[i].MAC = ""
		}
	}
	for _, s := range f.out.Shared { // whoever held it holds it no more
		switch m := f.holder(s); {
		case m == nil:
		case s.Field == "serial":
			f.setSerial(m, "", s.Since)
		default:
			f.setMAC(m, "", s.Since)
		}
	}
}

func (f *follower) holder(s SharedIdentity) *Machine {
	if s.Field == "serial" {
		return f.serials[s.Value]
	}
	return f.macs[s.Value]
}

// settle finds the machine of one sighting and writes the sighting to it.
func (f *follower) settle(i int, s Sighting) {
	m := f.serials[s.Serial]
	if m == nil {
		m = f.macs[s.MAC]
	}
	if m == nil && s.Addr.IsValid() {
		if c := f.addrs[siteAddr{s.Site, s.Addr}]; c != nil && !contradicts(*c, s) {
			m = c
		}
	}
	if m == nil {
		if !s.identified() && !s.Addr.IsValid() {
			return
		}
		m = &Machine{ID: f.out.Next, FirstSeen: s.At}
		f.out.Next++
		f.out.Touched[m.ID] = m
	}
	f.out.Seen[i] = m.ID
	if s.At.Before(m.LastSeen) {
		return
	}
	f.write(m, s)
}

func contradicts(m Machine, s Sighting) bool {
	differ := func(a, b string) bool { return a != "" && b != "" && a != b }
	return differ(m.MAC, s.MAC) || differ(m.Serial, s.Serial) || (differ(m.Make, s.Make) && !strings.EqualFold(m.Make, s.Make))
}

func (f *follower) write(m *Machine, s Sighting) {
	f.touch(m)
	if s.Serial != "" {
		f.setSerial(m, s.Serial, s.At)
	}
	if s.MAC != "" {
		f.setMAC(m, s.MAC, s.At)
	}
	f.move(m, s)
	for _, field := range []struct {
		name string
		to   *string
		now  string
	}{
		{"make", &m.Make, s.Make}, {"model", &m.Model, s.Model},
		{"firmware", &m.Firmware, s.Firmware}, {"firmware_version", &m.FirmwareVersion, s.FirmwareVersion},
	} {
		if field.now == "" || *field.to == field.now {
			continue
		}
		f.change(m, field.name, *field.to, field.now, s.At)
		*field.to = field.now
	}
	if s.Hostname != "" {
		m.Hostname = s.Hostname
	}
	m.LastSeen = s.At
}

// move gives m the sighting's site and address.
func (f *follower) move(m *Machine, s Sighting) {
	site := m.Site
	if s.Site != "" {
		site = s.Site
	}
	addr := m.Addr
	if s.Addr.IsValid() {
		addr = s.Addr
	}
	to, from := siteAddr{site, addr}, siteAddr{m.Site, m.Addr}
	if to != from {
		f.leave(m, s.At)
		if site != m.Site {
			f.change(m, "site", m.Site, site, s.At)
			m.Place, m.Placed = Place{}, PlacedByNobody
		}
		m.Site = site
	}
	if !s.Addr.IsValid() {
		return // a move to another site without a word on the address there
	}
	if h := f.addrs[to]; h != nil && h != m {
		f.touch(h)
		f.leave(h, s.At)
	}
	if to != from {
		m.Addr = addr
		f.opened[m.ID] = len(f.out.Opened)
		f.out.Opened = append(f.out.Opened, AddressSpan{Machine: m.ID, Site: site, Addr: addr, Since: s.At})
	}
	if m.Retired.IsZero() {
		f.addrs[to] = m
	}
}

// leave takes m's address away.
func (f *follower) leave(m *Machine, at time.Time) {
	if !m.Addr.IsValid() {
		return
	}
	key := siteAddr{m.Site, m.Addr}
	if f.addrs[key] == m {
		delete(f.addrs, key)
	}
	if i, ok := f.opened[m.ID]; ok { // in this very batch: close it in the list
		f.out.Opened[i].Until = at
		delete(f.opened, m.ID)
	} else {
		f.out.Closed = append(f.out.Closed, AddressSpan{Machine: m.ID, Site: m.Site, Addr: m.Addr, Until: at})
	}
	m.Addr = netip.Addr{}
}

func (f *follower) setSerial(m *Machine, serial string, at time.Time) {
	if m.Serial == serial {
		return
	}
	f.change(m, "serial", m.Serial, serial, at)
	delete(f.serials, m.Serial)
	m.Serial = serial
	if serial != "" {
		f.serials[serial] = m
	}
}

func (f *follower) setMAC(m *Machine, mac string, at time.Time) {
	if m.MAC == mac {
		return
	}
	if h := f.macs[mac]; h != nil && h != m {
		f.change(h, "mac", h.MAC, "", at)
		h.MAC = ""
	}
	f.change(m, "mac", m.MAC, mac, at)
	delete(f.macs, m.MAC)
	m.MAC = mac
	if mac != "" {
		f.macs[mac] = m
	}
}

// change notes a change of what was told before; a first telling is no change.
func (f *follower) change(m *Machine, field, was, now string, at time.Time) {
	f.touch(m)
	if was != "" {
		f.out.Changes = append(f.out.Changes, IdentityChange{Machine: m.ID, At: at, Field: field, Was: was, Now: now})
	}
}

func (f *follower) touch(m *Machine) {
	if _, ok := f.out.Touched[m.ID]; !ok {
		f.out.Old[m.ID] = *m
		f.out.Touched[m.ID] = m
	}
}
