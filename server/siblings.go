package server

import (
	"context"
	"math"
	"slices"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/miner"
)

// Siblings is a machine among those of its model nearby.
type Siblings struct {
	Among   string       `json:"among" enum:"rack,container,building,site,all" doc:"How far one has to look for at least five others that hash."`
	Where   string       `json:"where" doc:"The rack, container, building or site by name."`
	Model   string       `json:"model"`
	Others  int          `json:"others" doc:"Machines compared with, this one left out."`
	Figures []Comparison `json:"figures" doc:"Empty when there is nothing to compare with."`
}

// Comparison is one figure of a machine among its siblings'.
type Comparison struct {
	Name    string   `json:"name"`
	Unit    string   `json:"unit"`
	Value   *float64 `json:"value" doc:"Of this machine; null when it does not tell."`
	Others  int      `json:"others" doc:"Siblings that tell it."`
	Low     float64  `json:"low"`
	Quarter float64  `json:"quarter" doc:"A quarter of the siblings lie below."`
	Median  float64  `json:"median"`
	Three   float64  `json:"three_quarters" doc:"A quarter lie above."`
	High    float64  `json:"high"`
	Below   *float64 `json:"below" doc:"Share of the siblings with a lower value, 0 to 1."`
	Better  string   `json:"better" enum:"high,low" doc:"Which way is good."`
}

// enough siblings make a spread worth reading.
const enough = 5

// compared are the figures in which siblings are held against each other.
var compared = []struct {
	name, unit, better string
	of                 func(r *miner.Reading) (float64, bool)
}{
	{"hashrate", "TH/s", "high", func(r *miner.Reading) (float64, bool) {
		v, ok := r.HashrateAverage.OrElse(r.HashrateNow).Get()
		return float64(v), ok
	}},
	{"efficiency", "J/TH", "low", func(r *miner.Reading) (float64, bool) { v, ok := r.JTH().Get(); return float64(v), ok }},
	{"temperature", "°C", "low", func(r *miner.Reading) (float64, bool) { v, ok := r.MaxTemp().Get(); return float64(v), ok }},
	{"hardware errors", "% of work", "low", func(r *miner.Reading) (float64, bool) {
		v, ok := r.HWErrorRatio.Get()
		return 100 * float64(v), ok
	}},
	{"rejected shares", "%", "low", func(r *miner.Reading) (float64, bool) {
		a, ok1 := r.Accepted.Get()
		b, ok2 := r.Rejected.Get()
		if !ok1 || !ok2 || a+b <= 0 {
			return 0, false
		}
		return 100 * float64(b) / float64(a+b), true
	}},
	{"faults", "", "low", func(r *miner.Reading) (float64, bool) { return float64(len(r.Faults)), true }},
}

func (s *Server) siblings(ctx context.Context, in *idInput) (*struct{ Body Siblings }, error) {
	me, err := s.status(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &struct{ Body Siblings }{compare(me, within(scope(ctx), s.Fleet.All()))}, nil
}

// compare holds a machine against the nearest ones of its model that hash.
func compare(me *fleet.Status, all []*fleet.Status) Siblings {
	m := me.Machine
	out := Siblings{Among: "all", Model: m.Model, Figures: []Comparison{}}
	if m.Model == "" {
		return out
	}
	var family []*fleet.Status
	for _, st := range all {
		if st.Machine.ID != m.ID && st.Machine.Model == m.Model && st.Machine.Retired.IsZero() && st.Reading != nil && st.Condition != fleet.CondSilent && st.Reading.State == miner.Hashing {
			family = append(family, st)
		}
	}
	p := m.Place
	for _, ring := range []struct {
		among, where string
		there        bool
		same         func(o ledger.Machine) bool
	}{
		{"rack", placeText(p.Building, p.Container, p.Rack), p.Rack != "", func(o ledger.Machine) bool {
			return o.Site == m.Site && o.Place.Building == p.Building && o.Place.Container == p.Container && o.Place.Rack == p.Rack
		}},
		{"container", placeText(p.Building, p.Container), p.Container != "", func(o ledger.Machine) bool {
			return o.Site == m.Site && o.Place.Building == p.Building && o.Place.Container == p.Container
		}},
		{"building", p.Building, p.Building != "", func(o ledger.Machine) bool { return o.Site == m.Site && o.Place.Building == p.Building }},
		{"site", m.Site, true, func(o ledger.Machine) bool { return o.Site == m.Site }},
		{"all", "", true, func(ledger.Machine) bool { return true }},
	} {
		if !ring.there {
			continue
		}
		var near []*fleet.Status
		for _, st := range family {
			if ring.same(st.Machine) {
				near = append(near, st)
			}
		}
		out.Among, out.Where, out.Others = ring.among, ring.where, len(near)
		if len(near) >= enough || ring.among == "all" {
			family = near
			break
		}
	}
	for _, f := range compared {
		var v []float64
		for _, st := range family {
			if x, ok := f.of(st.Reading); ok && !math.IsNaN(x) && !math.IsInf(x, 0) {
				v = append(v, x)
			}
		}
		if len(v) == 0 {
			continue
		}
		slices.Sort(v)
		c := Comparison{Name: f.name, Unit: f.unit, Others: len(v), Low: v[0], Quarter: quantile(v, 0.25), Median: quantile(v, 0.5), Three: quantile(v, 0.75), High: v[len(v)-1], Better: f.better}
		if me.Reading != nil && me.Condition != fleet.CondSilent {
			if x, ok := f.of(me.Reading); ok && !math.IsNaN(x) && !math.IsInf(x, 0) {
				below, _ := slices.BinarySearch(v, x)
				c.Value, c.Below = &x, new(float64(below)/float64(len(v)))
			}
		}
		out.Figures = append(out.Figures, c)
	}
	return out
}
