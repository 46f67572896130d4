package ledger

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var dawn = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

func addr(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}) }
func mac(n int) string      { return fmt.Sprintf("aa:bb:cc:00:%02x:%02x", n>>8, n&0xff) }
func serial(n int) string   { return fmt.Sprintf("SN-%05d", n) }

// book is an inventory in memory that follows batches.
type book struct {
	machines map[int64]Machine
	shared   []SharedIdentity
	next     int64
	now      time.Time
	open     map[int64]netip.Addr // as the spans tell
}

func newBook() *book {
	return &book{machines: map[int64]Machine{}, next: 1, now: dawn, open: map[int64]netip.Addr{}}
}

func (b *book) observe(batch ...Sighting) []int64 {
	b.now = b.now.Add(time.Minute)
	known := slices.Collect(maps.Values(b.machines))
	slices.SortFunc(known, func(x, y Machine) int { return int(x.ID - y.ID) })
	f := Follow(known, b.shared, batch, b.next, b.now)
	for id, m := range f.Touched {
		b.machines[id] = *m
	}
	for _, c := range f.Closed {
		delete(b.open, c.Machine)
	}
	for _, o := range f.Opened {
		if o.Until.IsZero() {
			b.open[o.Machine] = o.Addr
		}
	}
	b.shared = append(b.shared, f.Shared...)
	b.next = f.Next
	return f.Seen
}

// sound checks what must hold after every batch.
func (b *book) sound(t rapid.TB) {
	t.Helper()
	macs, serials, addrs := map[string]int64{}, map[string]int64{}, map[siteAddr]int64{}
	for id, m := range b.machines {
		if was, ok := macs[m.MAC]; ok && m.MAC != "" {
			t.Fatalf("machines %d and %d both hold MAC %s", was, id, m.MAC)
		}
		if was, ok := serials[m.Serial]; ok && m.Serial != "" {
			t.Fatalf("machines %d and %d both hold serial %s", was, id, m.Serial)
		}
		key := siteAddr{m.Site, m.Addr}
		if was, ok := addrs[key]; ok && m.Addr.IsValid() {
			t.Fatalf("machines %d and %d both hold address %s", was, id, m.Addr)
		}
		macs[m.MAC], serials[m.Serial], addrs[key] = id, id, id
		if b.open[id] != m.Addr {
			t.Fatalf("machine %d is at %v, its open span says %v", id, m.Addr, b.open[id])
		}
	}
}

func TestFollow(t *testing.T) {
	at := func(a int, m, s string) Sighting { return Sighting{Addr: addr(a), MAC: m, Serial: s, Site: "odessa"} }
	type step struct {
		batch []Sighting
		want  []int64
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"address changes", []step{
			{[]Sighting{at(1, mac(1), serial(1))}, []int64{1}},
			{[]Sighting{at(2, mac(1), serial(1))}, []int64{1}},
		}},
		{"two swap addresses in one batch", []step{
			{[]Sighting{at(1, mac(1), ""), at(2, mac(2), "")}, []int64{1, 2}},
			{[]Sighting{at(2, mac(1), ""), at(1, mac(2), "")}, []int64{1, 2}},
		}},
		{"control board exchanged", []step{
			{[]Sighting{at(1, mac(1), serial(1))}, []int64{1}},
			{[]Sighting{at(5, mac(9), serial(1))}, []int64{1}},
			{[]Sighting{at(5, mac(9), "")}, []int64{1}},
		}},
		{"same board, another serial", []step{
			{[]Sighting{at(1, mac(1), serial(1))}, []int64{1}},
			{[]Sighting{at(5, mac(1), serial(2))}, []int64{1}},
		}},
		{"control boards of two machines exchanged", []step{
			{[]Sighting{at(1, mac(1), serial(1)), at(2, mac(2), serial(2))}, []int64{1, 2}},
			{[]Sighting{at(1, mac(2), serial(1)), at(2, mac(1), serial(2))}, []int64{1, 2}},
		}},
		{"board moved, its old machine seen without one later", []step{
			{[]Sighting{at(1, mac(1), serial(1)), at(2, mac(2), serial(2))}, []int64{1, 2}},
			{[]Sighting{at(1, mac(2), serial(1))}, []int64{1}},
			{[]Sighting{at(2, mac(7), serial(2))}, []int64{2}},
		}},
		{"both changed at once is a new machine", []step{
			{[]Sighting{at(1, mac(1), serial(1))}, []int64{1}},
			{[]Sighting{at(1, mac(2), serial(2))}, []int64{2}},
			{[]Sighting{at(3, mac(1), serial(1))}, []int64{1}},
		}},
		{"address only", []step{
			{[]Sighting{at(1, "", ""), at(2, "", "")}, []int64{1, 2}},
			{[]Sighting{at(2, "", ""), at(1, "", "")}, []int64{2, 1}},
		}},
		{"address only learns who it is", []step{
			{[]Sighting{at(1, "", "")}, []int64{1}},
			{[]Sighting{at(1, mac(1), "")}, []int64{1}},
			{[]Sighting{at(1, "", serial(1))}, []int64{1}},
			{[]Sighting{at(4, mac(1), serial(1))}, []int64{1}},
		}},
		{"a poll that does not tell who it is", []step{
			{[]Sighting{at(1, mac(1), serial(1))}, []int64{1}},
			{[]Sighting{at(1, "", "")}, []int64{1}},
		}},
		{"identified first, whatever the order", []step{
			{[]Sighting{at(1, mac(1), "")}, []int64{1}},
			// A stranger without identity is where machine 1 was; machine 1 is elsewhere.
			{[]Sighting{at(1, "", ""), at(2, mac(1), "")}, []int64{2, 1}},
		}},
		{"another make at the address is another machine", []step{
			{[]Sighting{{Addr: addr(1), Make: "Bitmain"}}, []int64{1}},
			{[]Sighting{{Addr: addr(1), Make: "MicroBT"}}, []int64{2}},
			{[]Sighting{{Addr: addr(1), Make: "microbt"}}, []int64{2}},
		}},
		{"sites have addresses of their own", []step{
			{[]Sighting{{Addr: addr(1), Site: "a"}, {Addr: addr(1), Site: "b"}}, []int64{1, 2}},
		}},
		{"moved to another site", []step{
			{[]Sighting{{Addr: addr(1), MAC: mac(1), Site: "a"}}, []int64{1}},
			{[]Sighting{{Addr: addr(1), MAC: mac(1), Site: "b"}, {Addr: addr(1), Site: "a"}}, []int64{1, 2}},
		}},
		{"cloned serial", []step{
			{[]Sighting{at(1, mac(1), serial(1)), at(2, mac(2), serial(1))}, []int64{1, 2}},
			{[]Sighting{at(2, mac(2), serial(1))}, []int64{2}},
			{[]Sighting{at(1, mac(1), serial(1))}, []int64{1}},
		}},
		{"cloned MAC, found late", []step{
			{[]Sighting{at(1, mac(1), serial(1))}, []int64{1}},
			{[]Sighting{at(1, mac(1), serial(1)), at(2, mac(1), serial(2))}, []int64{1, 2}},
			{[]Sighting{at(2, mac(1), serial(2))}, []int64{2}},
			{[]Sighting{at(1, mac(1), serial(1))}, []int64{1}},
		}},
		{"a newcomer with another's board, seen first", []step{
			{[]Sighting{at(1, mac(1), serial(1))}, []int64{1}},
			{[]Sighting{at(9, mac(1), serial(9)), at(1, mac(7), serial(1))}, []int64{2, 1}},
		}},
		{"placeholders are as good as none", []step{
			{[]Sighting{at(1, "00:00:00:00:00:00", "N/A"), at(2, "ff:ff:ff:ff:ff:ff", "00000000")}, []int64{1, 2}},
		}},
		{"forms of a MAC", []step{
			{[]Sighting{at(1, "AA-BB-CC-00-00-01", "")}, []int64{1}},
			{[]Sighting{at(2, "aabb.cc00.0001", "")}, []int64{1}},
		}},
		{"nothing to go by", []step{
			{[]Sighting{{}, at(1, "", "")}, []int64{0, 1}},
		}},
		{"seen twice in a batch", []step{
			{[]Sighting{at(1, mac(1), ""), at(2, mac(1), "")}, []int64{1, 1}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBook()
			for i, s := range c.steps {
				if got := b.observe(s.batch...); !slices.Equal(got, s.want) {
					t.Fatalf("step %d: machines %v, want %v", i+1, got, s.want)
				}
				b.sound(t)
			}
		})
	}
}

func TestFollowRecords(t *testing.T) {
	old := []Machine{
		{ID: 1, MAC: mac(1), Serial: serial(1), Addr: addr(1), Firmware: "antminer", FirmwareVersion: "1", Site: "a", Place: Place{Rack: "R1"}, LastSeen: dawn},
		{ID: 2, MAC: mac(2), Serial: serial(2), Addr: addr(2), Site: "a", LastSeen: dawn},
	}
	later := dawn.Add(time.Hour)
	f := Follow(old, nil, []Sighting{
		{MAC: mac(2), Serial: serial(1), Addr: addr(2), Site: "a", Firmware: "vnish", At: later},
	}, 3, later)
	wantChanges := []IdentityChange{
		{1, later, "firmware", "antminer", "vnish"},
		{1, later, "mac", mac(1), mac(2)},
		{2, later, "mac", mac(2), ""},
	}
	slices.SortFunc(f.Changes, func(a, b IdentityChange) int {
		return int(a.Machine-b.Machine)*100 + int(a.Field[0]) - int(b.Field[0])
	})
	if !slices.Equal(f.Changes, wantChanges) {
		t.Errorf("changes %v, want %v", f.Changes, wantChanges)
	}
	if m := f.Touched[2]; m.MAC != "" || m.Addr.IsValid() || m.Serial != serial(2) {
		t.Errorf("the machine that lost board and address: %+v", m)
	}
	wantClosed := []AddressSpan{{Machine: 1, Site: "a", Addr: addr(1), Until: later}, {Machine: 2, Site: "a", Addr: addr(2), Until: later}}
	if !slices.Equal(f.Closed, wantClosed) {
		t.Errorf("closed %v, want %v", f.Closed, wantClosed)
	}
	if f.Touched[1].Place.Rack != "R1" {
		t.Error("lost its place within its site")
	}
	if old[0].MAC != mac(1) {
		t.Error("Follow changed its input")
	}
	// A sighting from before the last changes nothing.
	f = Follow(old, nil, []Sighting{{MAC: mac(1), Addr: addr(9), Site: "a", At: dawn.Add(-time.Hour)}}, 3, later)
	if f.Seen[0] != 1 || len(f.Touched) != 0 {
		t.Errorf("old sighting: machine %d, touched %v", f.Seen[0], f.Touched)
	}
	// To another site: the place there is unknown.
	f = Follow(old, nil, []Sighting{{MAC: mac(1), Addr: addr(1), Site: "b", At: later}}, 3, later)
	if m := f.Touched[1]; m.Site != "b" || m.Place != (Place{}) || m.Addr != addr(1) {
		t.Errorf("moved to b: %+v", m)
	}
	// A retired machine is known by its MAC, not by its address.
	old[0].Retired = dawn
	f = Follow(old, nil, []Sighting{{Addr: addr(1), Site: "a", At: later}, {MAC: mac(1), Addr: addr(7), Site: "a", At: later}}, 3, later)
	if !slices.Equal(f.Seen, []int64{3, 1}) || f.Touched[1].Retired.IsZero() {
		t.Errorf("retired: seen %v", f.Seen)
	}
}

// chassis is a machine of the physical world, for the property below.
type chassis struct {
	serial string
	board  int // which control board is in it
	addr   int
	tells  string // "both", "mac", "nothing"
	id     int64  // that the ledger gave it
}

// In a world where chassis, boards and addresses are moved about, every chassis
// that tells its serial keeps its ID; one that tells only a MAC is followed by
// its control board; one that tells nothing is who is at its address.
func TestFollowProperty(t *testing.T) {
	for range 10 { // a hundred worlds each: they are small and what breaks is rare
		rapid.Check(t, followWorld)
	}
}

func followWorld(t *rapid.T) {
	b := newBook()
	var world []*chassis
	boards, addrs := 0, 0
	boardID := map[int]int64{} // for chassis that tell only a MAC
	addrID := map[int]int64{}  // for chassis that tell nothing
	fresh := func() int { addrs++; return addrs }
	add := func(tells string) {
		boards++
		world = append(world, &chassis{serial: serial(len(world) + 1), board: boards, addr: fresh(), tells: tells})
	}
	for range rapid.IntRange(1, 8).Draw(t, "machines") {
		add(rapid.SampledFrom([]string{"both", "mac", "nothing"}).Draw(t, "tells"))
	}
	one := func(label string) *chassis { return rapid.SampledFrom(world).Draw(t, label) }
	// Board swaps keep to chassis that tell a serial: without one the board
	// is the machine. Addresses of the silent stay: without an identity the
	// address is the machine.
	for range rapid.IntRange(1, 12).Draw(t, "rounds") {
		for range rapid.IntRange(0, 3).Draw(t, "events") {
			switch rapid.SampledFrom([]string{"move", "swap addresses", "swap boards", "new board", "arrive"}).Draw(t, "event") {
			case "move":
				if c := one("who"); c.tells != "nothing" {
					c.addr = fresh()
				}
			case "swap addresses":
				if c, d := one("one"), one("other"); c.tells != "nothing" && d.tells != "nothing" {
					c.addr, d.addr = d.addr, c.addr
				}
			case "swap boards":
				if c, d := one("one"), one("other"); c.tells == "both" && d.tells == "both" {
					c.board, d.board = d.board, c.board
				}
			case "new board":
				if c := one("who"); c.tells == "both" {
					boards++
					c.board = boards
				}
			case "arrive":
				add(rapid.SampledFrom([]string{"both", "mac", "nothing"}).Draw(t, "tells"))
			}
		}
		var batch []Sighting
		var who []*chassis
		for _, c := range world {
			// Everything is seen each round, in random order: what is not
			// seen cannot be followed when two things change at once.
			s := Sighting{Addr: addr(c.addr), Site: "odessa"}
			switch c.tells {
			case "both":
				s.Serial, s.MAC = c.serial, mac(c.board)
			case "mac":
				s.MAC = mac(c.board)
			}
			batch, who = append(batch, s), append(who, c)
		}
		order := make([]int, len(batch))
		for i := range order {
			order[i] = i
		}
		order = rapid.Permutation(order).Draw(t, "order")
		shuffled, owners := make([]Sighting, len(batch)), make([]*chassis, len(batch))
		for i, k := range order {
			shuffled[i], owners[i] = batch[k], who[k]
		}
		for i, id := range b.observe(shuffled...) {
			c := owners[i]
			want := c.id
			switch c.tells {
			case "mac":
				want = boardID[c.board]
			case "nothing":
				want = addrID[c.addr]
			}
			if want != 0 && id != want {
				t.Fatalf("%+v was taken for machine %d", *c, id)
			}
			c.id, boardID[c.board], addrID[c.addr] = id, id, id
		}
		ids := map[int64]bool{}
		for _, c := range world {
			if ids[c.id] {
				t.Fatalf("two machines were taken for %d", c.id)
			}
			ids[c.id] = true
		}
		if len(b.machines) != len(world) {
			t.Fatalf("%d machines in the world, %d in the ledger", len(world), len(b.machines))
		}
		b.sound(t)
	}
}

// Whatever is told, no two machines hold one MAC, serial or address, and every
// sighting that tells anything is some machine.
func TestFollowAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBook()
		sighting := rapid.Custom(func(t *rapid.T) Sighting {
			s := Sighting{Site: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "site")}
			if rapid.Bool().Draw(t, "has addr") {
				s.Addr = addr(rapid.IntRange(1, 5).Draw(t, "addr"))
			}
			if rapid.Bool().Draw(t, "has mac") {
				s.MAC = mac(rapid.IntRange(1, 5).Draw(t, "mac"))
			}
			if rapid.Bool().Draw(t, "has serial") {
				s.Serial = serial(rapid.IntRange(1, 5).Draw(t, "serial"))
			}
			s.Make = rapid.SampledFrom([]string{"", "Bitmain", "MicroBT"}).Draw(t, "make")
			s.At = b.now.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "at")) * time.Minute)
			return s
		})
		for range rapid.IntRange(1, 10).Draw(t, "batches") {
			batch := rapid.SliceOfN(sighting, 0, 6).Draw(t, "batch")
			for i, id := range b.observe(batch...) {
				if _, ok := b.machines[id]; ok != (id != 0) {
					t.Fatalf("sighting %+v became machine %d", batch[i], id)
				}
				if told := batch[i].Addr.IsValid() || batch[i].MAC != "" || batch[i].Serial != ""; !told && id != 0 {
					t.Fatalf("a sighting that tells nothing became machine %d", id)
				}
			}
			b.sound(t)
		}
	})
}

func BenchmarkFollow10000(b *testing.B) {
	known := make([]Machine, 10_000)
	batch := make([]Sighting, len(known))
	for i := range known {
		known[i] = Machine{ID: int64(i + 1), MAC: mac(i), Serial: serial(i), Addr: addr(i), Site: "odessa", LastSeen: dawn}
		batch[i] = Sighting{MAC: mac(i), Serial: serial(i), Addr: addr(i), Site: "odessa", At: dawn.Add(time.Minute)}
	}
	for b.Loop() {
		if f := Follow(known, nil, batch, 10_001, dawn); len(f.Touched) != len(known) {
			b.Fatal(len(f.Touched))
		}
	}
}
