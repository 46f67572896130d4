package server

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/fleet"
	"ballast/plant"
	"ballast/site"
)

// PowerLine is one part of a site's power tree now: what it may draw, what its
// meter reads, and what the machines behind it say that they draw.
type PowerLine struct {
	Site    string     `json:"site"`
	Of      string     `json:"of" doc:"\"site\", \"feeder F1\", \"pdu P1\", or the meter's own name when nothing says what it measures."`
	Cap     *float64   `json:"cap_w,omitempty" doc:"From the site's layout."`
	Metered *float64   `json:"metered_w,omitempty" doc:"Missing when there is no meter, or its reading is too old to act on."`
	Meter   string     `json:"meter,omitempty"`
	Quality string     `json:"quality,omitempty" enum:"good,partial,stale,lost"`
	At      *time.Time `json:"at,omitempty" doc:"Of the meter's reading."`
	Trouble string     `json:"trouble,omitempty" doc:"Why the meter gives nothing."`
	Guessed bool       `json:"guessed,omitempty" doc:"That the meter measures the whole site is taken from its name: no layout says so."`

	Told      *float64 `json:"told_w,omitempty" doc:"Sum of what the machines behind it tell of themselves at the wall."`
	Machines  int      `json:"machines" doc:"Machines behind it."`
	Unmetered int      `json:"unmetered" doc:"Hashing machines behind it that do not tell their power."`
}

func (s *Server) registerPower() {
	op(s, huma.Operation{OperationID: "power", Method: http.MethodGet, Path: "/api/v1/power", Summary: "Power drawn against what may be drawn", Tags: []string{"site"},
		Description: "For each site a line of its own, then its feeders and PDUs that have a cap or a meter."},
		func(ctx context.Context, in *SiteQuery) (*struct{ Body []PowerLine }, error) {
			lines, err := s.power(ctx, scope(ctx).Narrow(in.Only), time.Now())
			if err != nil {
				return nil, s.recordError("reading the sites", err)
			}
			return &struct{ Body []PowerLine }{lines}, nil
		})
}

func (s *Server) power(ctx context.Context, sites Scope, now time.Time) ([]PowerLine, error) {
	recorded, err := s.Record.Sites(ctx)
	if err != nil {
		return nil, err
	}
	layouts := map[string]*site.Site{}
	for _, r := range recorded {
		if sites.Covers(r.Name) {
			layouts[r.Name] = s.layouts.parse(r.Name, r.Layout)
		}
	}
	bySite := map[string][]*fleet.Status{}
	for _, st := range within(sites, s.Fleet.All()) {
		if st.Machine.Retired.IsZero() {
			bySite[st.Machine.Site] = append(bySite[st.Machine.Site], st)
		}
	}
	var meters []plant.Reading
	if s.Plant != nil && sites.Covers(s.Options.Site) {
		meters = s.Plant(now)
	}
	names := map[string]bool{}
	for name := range bySite {
		names[name] = true
	}
	for name := range layouts {
		names[name] = true
	}
	if len(meters) > 0 {
		names[s.Options.Site] = true
	}
	out := []PowerLine{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		var of []plant.Reading
		if name == s.Options.Site {
			of = meters
		}
		out = append(out, powerLines(name, layouts[name], bySite[name], of, now)...)
	}
	return out, nil
}

// whole are names of meters at the grid connection.
var whole = regexp.MustCompile(`(?i)(^|[^a-z])(main|mains|site|grid|utility|poc|pcc)([^a-z]|$)`)

// powerLines is one site's power. Layout may be nil: then only meters and
// machines speak, and a meter is the whole site's when its name says so.
func powerLines(name string, layout *site.Site, machines []*fleet.Status, readings []plant.Reading, now time.Time) []PowerLine {
	lines := []*PowerLine{{Site: name, Of: "site"}}
	byOf := map[string]*PowerLine{"site": lines[0]}
	line := func(of string) *PowerLine {
		l, ok := byOf[of]
		if !ok {
			l = &PowerLine{Site: name, Of: of}
			byOf[of] = l
			lines = append(lines, l)
		}
		return l
	}
	measures := map[string]string{} // the plant device: what it measures
	if layout != nil {
		lines[0].Cap = watts(float64(layout.Cap))
		for _, f := range layout.Feeders {
			line("feeder " + f.Name).Cap = watts(float64(f.Cap))
		}
		for _, p := range layout.PDUs {
			if p.Cap > 0 || p.Source != "" {
				line("pdu " + p.Name).Cap = watts(float64(p.Cap))
			}
			if p.Source != "" {
				measures[p.Source] = "pdu " + p.Name
			}
		}
		for _, m := range layout.Meters {
			switch {
			case m.Source == "":
			case m.Feeder != "":
				measures[m.Source] = "feeder " + m.Feeder
			case m.PDU != "":
				measures[m.Source] = "pdu " + m.PDU
			default:
				measures[m.Source] = "site"
			}
		}
	}
	for _, r := range readings {
		if r.Kind != plant.MeterKind && measures[r.Source] == "" {
			continue
		}
		of, told := measures[r.Source]
		guessed := false
		if !told {
			of = r.Source
			if byOf["site"].Meter == "" && whole.MatchString(r.Source) {
				of, guessed = "site", true
			}
		}
		l := line(of)
		l.Meter, l.Guessed, l.Trouble, l.Quality, l.At = r.Source, guessed, r.Err, string(r.QualityAt(now)), &r.At
		if !r.Usable(now) {
			continue
		}
		switch {
		case r.Meter != nil:
			l.Metered = number(r.Meter.Power, 0)
		case r.PDU != nil:
			l.Metered = number(r.PDU.Power, 0)
		}
	}
	for _, st := range machines {
		behind := []*PowerLine{lines[0]}
		if layout != nil {
			if p, ok := layout.Find(st.Machine.Addr, st.Machine.MAC, st.Machine.Serial); ok {
				for _, f := range layout.FeedersOf(p) {
					behind = append(behind, line("feeder "+f.Name))
				}
				if l, ok := byOf["pdu "+p.PDU]; ok {
					behind = append(behind, l)
				}
			}
		}
		for _, l := range behind {
			l.take(st)
		}
	}
	out := make([]PowerLine, 0, len(lines))
	for _, l := range lines {
		if l.Told != nil {
			*l.Told = math.Round(*l.Told)
		}
		if l.Of == "site" || l.Cap != nil || l.Meter != "" {
			out = append(out, *l)
		}
	}
	return out
}

// take adds a machine to what stands behind a line.
func (l *PowerLine) take(st *fleet.Status) {
	l.Machines++
	if st.Reading == nil || st.Condition == fleet.CondSilent {
		return
	}
	p, ok := st.Reading.Power.Get()
	switch {
	case ok:
		if l.Told == nil {
			l.Told = new(float64)
		}
		*l.Told += float64(p)
	case st.Condition == fleet.CondHashing, st.Condition == fleet.CondDegraded, st.Condition == fleet.CondStarting:
		l.Unmetered++
	}
}

// watts is a cap; none when it is zero.
func watts(p float64) *float64 {
	if p <= 0 {
		return nil
	}
	return &p
}

// layouts keeps what descriptions of sites say, read once each time they change:
// one of ten thousand slots takes a while.
type layouts struct {
	mu   sync.Mutex
	read map[string]readLayout
}

type readLayout struct {
	text string
	site *site.Site
}

// parse reads a site's layout as the record keeps it. Nil when there is none or
// it makes no sense: whoever saves one is told why it does not, here is not the
// place.
func (l *layouts) parse(name string, raw json.RawMessage) *site.Site {
	text := strings.TrimSpace(string(raw))
	if text == "" || text == "null" || text == "{}" {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if was, ok := l.read[name]; ok && was.text == text {
		return was.site
	}
	parsed, err := site.FromJSON(raw)
	if err != nil {
		parsed = nil
	}
	if l.read == nil {
		l.read = map[string]readLayout{}
	}
	l.read[name] = readLayout{text, parsed}
	return parsed
}
