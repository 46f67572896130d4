package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/fleet"
	"ballast/ledger"
)

// Activity is one thing that happened: a decision that became commands, a
// scan, machines found, machines that stopped answering.
type Activity struct {
	ID     string    `json:"id" doc:"The same for the same thing each time it is asked for."`
	Kind   string    `json:"kind" enum:"command,scan,found,lost"`
	At     time.Time `json:"at" doc:"When it began."`
	Until  time.Time `json:"until" doc:"When the last of it happened."`
	Actor  string    `json:"actor,omitempty" doc:"Who decided; none for what happened by itself."`
	Reason string    `json:"reason,omitempty"`
	Site   string    `json:"site,omitempty" doc:"When all of it is at one site."`

	Machines int     `json:"machines" doc:"How many it is about."`
	IDs      []int64 `json:"ids,omitempty" doc:"Of the machines, the first few."`
	Place    string  `json:"place,omitempty" doc:"The building, container or rack that all of them stand in."`

	Wish    string          `json:"wish,omitempty" doc:"kind command: what was wished, such as sleep or power."`
	Setting json.RawMessage `json:"setting,omitempty" doc:"kind command: of the first machine."`
	Differ  bool            `json:"differ,omitempty" doc:"kind command: the settings are not the same for all."`
	States  map[string]int  `json:"states,omitempty" doc:"kind command: how many commands are in each state. Confirmed is what telemetry shows."`
	Trouble string          `json:"trouble,omitempty" doc:"kind command: what the first of those that failed says. kind scan: its error."`

	New int `json:"new,omitempty" doc:"kind scan: machines that the record did not know."`
}

type activityInput struct {
	SiteQuery
	Since time.Time `query:"since" doc:"From then on; default one hour ago, at most a week."`
	Limit int       `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

type activityBody struct {
	Since time.Time  `json:"since"`
	More  bool       `json:"more" doc:"There is more than is told: too many commands, or more than limit."`
	Items []Activity `json:"items" doc:"Newest first."`
}

// mostCommands bounds what one question reads of the ledger.
const mostCommands = 20_000

// Things of a kind that follow each other closer than this are one thing.
const (
	oneDecision = time.Minute
	oneEvent    = 2 * time.Minute
)

func (s *Server) registerActivity() {
	op(s, huma.Operation{OperationID: "activity", Method: http.MethodGet, Path: "/api/v1/activity", Summary: "What was decided and what happened", Tags: []string{"site"}, Errors: []int{422},
		Description: "Commands are grouped by who decided, what and why, as long as they follow each other within a minute."}, s.activity)
}

func (s *Server) activity(ctx context.Context, in *activityInput) (*struct{ Body activityBody }, error) {
	now := time.Now()
	since := in.Since
	if since.IsZero() {
		since = now.Add(-time.Hour)
	}
	if now.Sub(since) > 7*24*time.Hour+time.Minute {
		return nil, huma.Error422UnprocessableEntity("since is more than a week ago; the list of commands goes back further")
	}
	sites := scope(ctx).Narrow(in.Only)
	cmds, err := s.Record.Commands(ctx, ledger.CommandFilter{Since: since, Limit: mostCommands})
	if err != nil {
		return nil, s.recordError("reading the commands", err)
	}
	body := activityBody{Since: since.UTC(), More: len(cmds) == mostCommands, Items: []Activity{}}
	known := map[int64]ledger.Machine{}
	all := within(sites, s.Fleet.All())
	for _, st := range all {
		known[st.Machine.ID] = st.Machine
	}
	body.Items = append(body.Items, decisions(cmds, known)...)
	body.Items = append(body.Items, comings(all, since)...)
	scans, err := s.Record.Scans(ctx, ledger.ScanFilter{Limit: 50})
	if err != nil {
		return nil, s.recordError("reading the scans", err)
	}
	for _, row := range scans {
		sc := s.scanState(row)
		if sc.Started.Before(since) || !sites.Covers(sc.Site) {
			continue
		}
		body.Items = append(body.Items, Activity{ID: "scan-" + strconv.FormatInt(sc.ID, 10), Kind: "scan", At: sc.Started.UTC(), Until: sc.Started.Add(sc.Progress.Elapsed).UTC(), Site: sc.Site,
			Machines: int(sc.Progress.Identified), New: sc.New, Trouble: sc.Detail})
	}
	slices.SortStableFunc(body.Items, func(a, b Activity) int {
		return cmp.Or(b.Until.Compare(a.Until), cmp.Compare(b.ID, a.ID))
	})
	if len(body.Items) > in.Limit {
		body.Items, body.More = body.Items[:in.Limit], true
	}
	return &struct{ Body activityBody }{body}, nil
}

// decisions groups commands, newest first, by who wished what and why. Those of
// machines that are not known (elsewhere, to the one who asks) are left out.
func decisions(cmds []ledger.Command, known map[int64]ledger.Machine) []Activity {
	type wish struct{ actor, kind, reason string }
	open := map[wish]*group{}
	var groups []*group
	for _, c := range slices.Backward(cmds) { // oldest first
		m, ok := known[c.Machine]
		if !ok {
			continue
		}
		w := wish{c.Actor, c.Kind, c.Reason}
		g := open[w]
		if g == nil || c.CreatedAt.Sub(g.Until) > oneDecision {
			g = &group{Activity: Activity{ID: c.ID, Kind: "command", At: c.CreatedAt, Actor: c.Actor, Reason: c.Reason, Wish: c.Kind, Setting: c.Setting, States: map[string]int{}}}
			open[w] = g
			groups = append(groups, g)
		}
		g.add(m, c.CreatedAt)
		g.States[string(c.State)]++
		g.Differ = g.Differ || !bytes.Equal(g.Setting, c.Setting)
		switch c.State {
		case ledger.Refused, ledger.Unreachable, ledger.Expired, ledger.Drifted:
			g.Trouble = cmp.Or(g.Trouble, c.Detail)
		}
	}
	return closed(groups)
}

// comings are the machines that were seen for the first time, and those that
// went silent and still are, since then. Machines of one site that came or went
// together are one item.
func comings(all []*fleet.Status, since time.Time) []Activity {
	type coming struct {
		at   time.Time
		kind string
		m    ledger.Machine
	}
	var list []coming
	for _, st := range all {
		switch m := st.Machine; {
		case !m.Retired.IsZero():
		case !m.FirstSeen.Before(since):
			list = append(list, coming{m.FirstSeen, "found", m})
			fallthrough
		default:
			if st.Condition == fleet.CondSilent && !st.Since.Before(since) {
				list = append(list, coming{st.Since, "lost", m})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b coming) int { return a.at.Compare(b.at) })
	type side struct{ kind, site string }
	open := map[side]*group{}
	var groups []*group
	for _, c := range list {
		k := side{c.kind, c.m.Site}
		g := open[k]
		if g == nil || c.at.Sub(g.Until) > oneEvent {
			g = &group{Activity: Activity{ID: c.kind + "-" + strconv.FormatInt(c.m.ID, 10) + "-" + strconv.FormatInt(c.at.UnixMilli(), 36), Kind: c.kind, At: c.at.UTC()}}
			open[k] = g
			groups = append(groups, g)
		}
		g.add(c.m, c.at)
	}
	return closed(groups)
}

// group is an activity as it gathers its machines.
type group struct {
	Activity
	seen  map[int64]bool
	place ledger.Place
}

// fewIDs is how many machines an activity names.
const fewIDs = 12

func (g *group) add(m ledger.Machine, at time.Time) {
	if g.seen == nil {
		g.seen, g.place, g.Site = map[int64]bool{}, m.Place, m.Site
	}
	g.Until = at.UTC()
	if g.seen[m.ID] {
		return
	}
	g.seen[m.ID] = true
	g.Machines++
	if len(g.IDs) < fewIDs {
		g.IDs = append(g.IDs, m.ID)
	}
	if g.Site != m.Site {
		g.Site = ""
	}
	g.place = common(g.place, m.Place)
}

// common is the part of two places that is the same, from the outside in.
func common(a, b ledger.Place) (p ledger.Place) {
	if a.Building != b.Building {
		return p
	}
	p.Building = a.Building
	if a.Container != b.Container {
		return p
	}
	p.Container = a.Container
	if a.Rack != b.Rack {
		return p
	}
	p.Rack = a.Rack
	if a.Slot == b.Slot {
		p.Slot = a.Slot
	}
	return p
}

func closed(groups []*group) []Activity {
	out := make([]Activity, len(groups))
	for i, g := range groups {
		if p := g.place; g.Site != "" {
			g.Place = placeText(p.Building, p.Container, p.Rack, p.Slot)
		}
		out[i] = g.Activity
	}
	return out
}
