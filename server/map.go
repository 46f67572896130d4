package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/miner"
	"ballast/site"
)

// Map is the site as it stands: every place, and the machine in it. State is
// asked for apart, in the order of Machines, and is much smaller.
type Map struct {
	Version   string    `json:"version" doc:"Changes whenever anything here does."`
	Areas     []MapArea `json:"areas" doc:"Buildings and containers, in their order."`
	Machines  []int64   `json:"machines" doc:"Ids, in the order that state comes in: rack by rack, then those without a place by address."`
	Unplaced  int       `json:"unplaced" doc:"How many of the machines, at the end, have no place."`
	Models    []string  `json:"models" doc:"What the values of the metric model stand for."`
	Firmwares []string  `json:"firmwares" doc:"What the values of the metric firmware stand for."`
	Groups    []string  `json:"groups" doc:"What the values of the metric group stand for."`
}

// MapArea is one room: a container, or the racks that stand in a building
// itself.
type MapArea struct {
	Site      string    `json:"site"`
	Building  string    `json:"building,omitempty"`
	Container string    `json:"container,omitempty"`
	Racks     []MapRack `json:"racks"`
}

// MapRack is one rack, shelf or tank.
type MapRack struct {
	Name      string `json:"name"`
	Slots     int    `json:"slots"`
	Columns   int    `json:"columns" doc:"Slots side by side; slot 1 is at the floor, at the left."`
	Described bool   `json:"described" doc:"The layout says how many slots there are; else it is guessed from the machines."`
	First     int    `json:"first" doc:"Index of the rack's first machine."`
	Count     int    `json:"count" doc:"Machines in it."`
	At        []int  `json:"at,omitempty" doc:"Slot of each machine, from 0; left out when they fill slots 0, 1, 2 …"`
}

// spot names a rack.
type spot struct{ site, building, container, rack string }

// layMap lays machines in service out by their place; layouts, where there are
// any, say which racks there are and in which order.
func layMap(all []*fleet.Status, layouts map[string]*site.Site) Map {
	m := Map{Areas: []MapArea{}, Machines: []int64{}}
	type rack struct {
		MapRack
		in []*fleet.Status
	}
	racks := map[spot]*rack{}
	var order []spot
	add := func(k spot, slots, columns int) {
		if racks[k] == nil {
			racks[k] = &rack{MapRack: MapRack{Name: k.rack, Slots: slots, Columns: columns, Described: slots > 0}}
			order = append(order, k)
		}
	}
	var names []string
	for name := range layouts {
		names = append(names, name)
	}
	slices.SortFunc(names, natural)
	for _, name := range names {
		describe(name, layouts[name], add)
	}
	described := len(order)
	var loose []*fleet.Status
	for _, st := range all {
		p := st.Machine.Place
		if p == (ledger.Place{}) {
			loose = append(loose, st)
			continue
		}
		k := spot{st.Machine.Site, p.Building, p.Container, p.Rack}
		add(k, 0, 0)
		racks[k].in = append(racks[k].in, st)
	}
	slices.SortFunc(order[described:], compareSpots)
	areas := map[spot]int{}
	for _, k := range order {
		r := racks[k]
		room := spot{k.site, k.building, k.container, ""}
		i, ok := areas[room]
		if !ok {
			i = len(m.Areas)
			areas[room] = i
			m.Areas = append(m.Areas, MapArea{Site: k.site, Building: k.building, Container: k.container, Racks: []MapRack{}})
		}
		fill(&r.MapRack, r.in)
		m.Areas[i].Racks = append(m.Areas[i].Racks, r.MapRack)
	}
	// Machines follow in the order of areas, which may gather racks from afar.
	for i := range m.Areas {
		for j := range m.Areas[i].Racks {
			r := &m.Areas[i].Racks[j]
			r.First = len(m.Machines)
			for _, st := range racks[spot{m.Areas[i].Site, m.Areas[i].Building, m.Areas[i].Container, r.Name}].in {
				m.Machines = append(m.Machines, st.Machine.ID)
			}
		}
	}
	slices.SortFunc(loose, func(a, b *fleet.Status) int {
		return cmp.Or(natural(a.Machine.Site, b.Machine.Site), a.Machine.Addr.Compare(b.Machine.Addr), cmp.Compare(a.Machine.ID, b.Machine.ID))
	})
	for _, st := range loose {
		m.Machines = append(m.Machines, st.Machine.ID)
	}
	m.Unplaced = len(loose)
	m.Models, m.Firmwares, m.Groups = kinds(all)
	return m
}

// describe hands out the racks of a layout.
func describe(name string, l *site.Site, add func(k spot, slots, columns int)) {
	each := func(building, container string, racks []site.Rack) {
		for _, r := range racks {
			add(spot{name, building, container, r.Name}, r.Slots, cmp.Or(r.Columns, r.Slots))
		}
	}
	for _, b := range l.Buildings {
		each(b.Name, "", b.Racks)
		for _, c := range b.Containers {
			each(b.Name, c.Name, c.Racks)
		}
	}
	for _, c := range l.Containers {
		each("", c.Name, c.Racks)
	}
}

// maxGuess bounds the slots of a rack that no layout describes.
const maxGuess = 1000

// fill puts a rack's machines in the order of their slots and finds a cell for
// each: the slot it says, else the next that is free.
func fill(r *MapRack, in []*fleet.Status) {
	slices.SortFunc(in, func(a, b *fleet.Status) int {
		return cmp.Or(natural(a.Machine.Place.Slot, b.Machine.Place.Slot), cmp.Compare(a.Machine.ID, b.Machine.ID))
	})
	r.Count = len(in)
	most := r.Slots
	if !r.Described {
		most = maxGuess
	}
	cell := make([]int, len(in))
	taken := map[int]bool{}
	var homeless []int
	for i, st := range in {
		n, err := strconv.Atoi(st.Machine.Place.Slot)
		if err != nil || n < 1 || n > most || taken[n-1] {
			homeless = append(homeless, i)
			continue
		}
		cell[i], taken[n-1] = n-1, true
		r.Slots = max(r.Slots, n)
	}
	next := 0
	for _, i := range homeless {
		for taken[next] {
			next++
		}
		cell[i], taken[next] = next, true
		r.Slots = max(r.Slots, next+1)
	}
	if r.Columns == 0 { // shelves are wider than they are high
		r.Columns = r.Slots
		for r.Columns > 6 && r.Columns*r.Columns*2 > r.Slots*3 {
			r.Columns--
		}
	}
	for i := range cell {
		if cell[i] != i {
			r.At = cell
			return
		}
	}
}

// kinds are the different models, firmwares and groups, sorted.
func kinds(all []*fleet.Status) (models, firmwares, groups []string) {
	sets := [3]map[string]bool{{}, {}, {}}
	for _, st := range all {
		sets[0][st.Machine.Model] = true
		sets[1][st.Machine.Firmware] = true
		sets[2][st.Machine.Group] = true
	}
	sorted := func(set map[string]bool) []string {
		out := []string{}
		for k := range set {
			if k != "" {
				out = append(out, k)
			}
		}
		slices.SortFunc(out, natural)
		return out
	}
	return sorted(sets[0]), sorted(sets[1]), sorted(sets[2])
}

func compareSpots(a, b spot) int {
	return cmp.Or(natural(a.site, b.site), natural(a.building, b.building), natural(a.container, b.container), natural(a.rack, b.rack))
}

// natural compares names as people count: "R2" before "R10".
func natural(a, b string) int {
	for a != "" && b != "" {
		if digit(a[0]) && digit(b[0]) {
			i, j := number0(a), number0(b)
			x, y := strings.TrimLeft(a[:i], "0"), strings.TrimLeft(b[:j], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); c != 0 {
				return c
			}
			if c := cmp.Compare(i, j); c != 0 {
				return c // "2" before "02": names that differ never tie
			}
			a, b = a[i:], b[j:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// number0 is the length of the number that s begins with.
func number0(s string) int {
	i := 0
	for i < len(s) && digit(s[i]) {
		i++
	}
	return i
}

// mapView is a map as people of one scope see it.
type mapView struct {
	Map
	laid    uint64    // of the fleet, when it was made
	layouts string    // which layouts it was made from
	checked time.Time // when the record was last asked for newer ones
	version uint64
}

// mapViews keeps the maps that are looked at.
type mapViews struct {
	mu    sync.Mutex
	views map[string]*mapView
}

// layoutsEvery is how long a changed layout may take to show.
const layoutsEvery = 2 * time.Second

// mapOf is the map of a scope, made anew when anything stands elsewhere.
func (s *Server) mapOf(ctx context.Context, sites Scope) (*mapView, error) {
	s.maps.mu.Lock()
	v := s.maps.views[sites.Key()]
	s.maps.mu.Unlock()
	laid := s.Fleet.Laid()
	if v != nil && v.laid == laid && time.Since(v.checked) < layoutsEvery {
		return v, nil
	}
	known, err := s.Record.Sites(ctx)
	if err != nil {
		return nil, s.fail("reading the sites", err)
	}
	known = slices.DeleteFunc(known, func(k ledger.Site) bool { return !sites.Covers(k.Name) })
	var sign strings.Builder
	for _, k := range known {
		sign.WriteString(k.Name + "\x00" + strconv.FormatInt(k.UpdatedAt.UnixMicro(), 36) + "\x00")
	}
	next := &mapView{laid: laid, layouts: sign.String(), checked: time.Now()}
	if v != nil && v.laid == laid && v.layouts == next.layouts {
		next.Map, next.version = v.Map, v.version
	} else {
		layouts := map[string]*site.Site{}
		for _, k := range known {
			if l := s.layoutOf(k); l != nil {
				layouts[k.Name] = l
			}
		}
		inService := slices.DeleteFunc(slices.Clone(within(sites, s.Fleet.All())), func(st *fleet.Status) bool { return !st.Machine.Retired.IsZero() })
		next.Map = layMap(inService, layouts)
		text, err := json.Marshal(next.Map)
		if err != nil {
			return nil, s.fail("writing the map", err)
		}
		sum := sha256.Sum256(text)
		next.Version, next.version = hex.EncodeToString(sum[:8]), binary.BigEndian.Uint64(sum[:8])
	}
	s.maps.mu.Lock()
	defer s.maps.mu.Unlock()
	if len(s.maps.views) > 64 {
		clear(s.maps.views) // scopes are few; whatever made so many is over
	}
	s.maps.views[sites.Key()] = next
	return next, nil
}

// layoutOf reads a site's layout; nil when it has none that can be read.
func (s *Server) layoutOf(k ledger.Site) *site.Site {
	if trimmed := strings.TrimSpace(string(k.Layout)); trimmed == "" || trimmed == "null" || trimmed == "{}" {
		return nil
	}
	l, err := site.FromJSON(k.Layout)
	if err != nil {
		s.Log.Warn("a site's layout cannot be read; the map goes by the machines alone", "site", k.Name, "error", err)
		return nil
	}
	return l
}

type mapInput struct {
	SiteQuery
	Seen string `header:"If-None-Match"`
}

type mapOutput struct {
	Status int
	ETag   string `header:"ETag"`
	Cache  string `header:"Cache-Control"`
	Body   *Map
}

func (s *Server) registerMap() {
	op(s, huma.Operation{OperationID: "map", Method: http.MethodGet, Path: "/api/v1/map", Summary: "The site as it stands: buildings, containers, racks and slots", Tags: []string{"map"},
		Description: "Changes seldom: ask with If-None-Match. State comes apart, from /api/v1/map/state, in the order of machines."},
		func(ctx context.Context, in *mapInput) (*mapOutput, error) {
			v, err := s.mapOf(ctx, scope(ctx).Narrow(in.Only))
			if err != nil {
				return nil, err
			}
			out := &mapOutput{Status: http.StatusOK, ETag: `"` + v.Version + `"`, Cache: "private, no-cache", Body: &v.Map}
			if in.Seen == out.ETag || in.Seen == "W/"+out.ETag {
				out.Status, out.Body = http.StatusNotModified, nil
			}
			return out, nil
		})
	op(s, mapStateOperation(), s.mapState)
}

// status of the machine at each place of a map; nil for one that is gone.
func (s *Server) statuses(v *mapView) func(yield func(int, *fleet.Status) bool) {
	return func(yield func(int, *fleet.Status) bool) {
		for i, id := range v.Machines {
			st, _ := s.Fleet.Get(miner.ID(id))
			if !yield(i, st) {
				return
			}
		}
	}
}
