package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
	"ballast/miner"
	"ballast/telemetry"
)

// MachineEvent is something that happened to a machine, as a mark on its charts.
type MachineEvent struct {
	At      int64  `json:"at" doc:"Unix seconds."`
	Kind    string `json:"kind" enum:"command,confirmed,drifted,restart,identity,address,note"`
	Text    string `json:"text"`
	Command string `json:"command,omitempty"`
}

type eventsInput struct {
	ID   int64     `path:"id" minimum:"1"`
	From time.Time `query:"from" doc:"Start; default one hour before to."`
	To   time.Time `query:"to" doc:"End, not included; default now."`
}

// mostEvents bounds an answer; the newest stay.
const mostEvents = 500

func (s *Server) machineEvents(ctx context.Context, in *eventsInput) (*struct{ Body []MachineEvent }, error) {
	if _, err := s.status(ctx, in.ID); err != nil {
		return nil, err
	}
	from, to := in.From, in.To
	if to.IsZero() {
		to = time.Now()
	}
	if from.IsZero() {
		from = to.Add(-time.Hour)
	}
	if !from.Before(to) {
		return nil, huma.Error422UnprocessableEntity("from must be before to")
	}
	out := []MachineEvent{}
	add := func(at time.Time, e MachineEvent) {
		if !at.Before(from) && at.Before(to) {
			e.At = at.Unix()
			out = append(out, e)
		}
	}
	// A command given before the window may drift within it.
	cmds, err := s.Record.Commands(ctx, ledger.CommandFilter{Machine: in.ID, Until: to, Limit: 200})
	if err != nil {
		return nil, s.fail("reading the machine's commands", err)
	}
	for _, c := range cmds {
		what := c.Kind
		if set, err := settingOf(c); err == nil {
			what = set.String()
		}
		add(c.CreatedAt, MachineEvent{Kind: "command", Command: c.ID, Text: what + ", asked for by " + c.Actor})
		if !c.ConfirmedAt.IsZero() {
			add(c.ConfirmedAt, MachineEvent{Kind: "confirmed", Command: c.ID, Text: what + " confirmed by telemetry"})
		}
		if c.State == ledger.Drifted {
			add(c.UpdatedAt, MachineEvent{Kind: "drifted", Command: c.ID, Text: what + " drifted: " + c.Detail})
		}
	}
	changes, err := s.Record.IdentityHistory(ctx, in.ID)
	if err != nil {
		return nil, s.fail("reading what the machine was", err)
	}
	for _, c := range changes {
		add(c.At, MachineEvent{Kind: "identity", Text: fmt.Sprintf("%s %s, was %s", strings.ReplaceAll(c.Field, "_", " "), orDash(c.Now), orDash(c.Was))})
	}
	spans, err := s.Record.AddressHistory(ctx, in.ID)
	if err != nil {
		return nil, s.fail("reading where the machine was", err)
	}
	for _, a := range spans {
		add(a.Since, MachineEvent{Kind: "address", Text: "at " + a.Addr.String()})
	}
	notes, err := s.Record.NotesOf(ctx, in.ID)
	if err != nil {
		return nil, s.fail("reading the machine's notes", err)
	}
	for _, n := range notes {
		add(n.At, MachineEvent{Kind: "note", Text: n.Actor + ": " + n.Text})
	}
	restarts, err := s.restarts(ctx, in.ID, from, to)
	if err != nil {
		return nil, err
	}
	out = append(out, restarts...)
	slices.SortStableFunc(out, func(a, b MachineEvent) int { return int(a.At - b.At) })
	return &struct{ Body []MachineEvent }{out[max(0, len(out)-mostEvents):]}, nil
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// restarts are the times at which an uptime fell, from history.
func (s *Server) restarts(ctx context.Context, id int64, from, to time.Time) ([]MachineEvent, error) {
	bucket := 60 * time.Second
	for to.Sub(from)/bucket > 2000 {
		bucket *= 5
	}
	res, err := s.History.Query(ctx, telemetry.Query{Metrics: []telemetry.Metric{telemetry.Uptime, telemetry.MinerUptime}, Aggregate: telemetry.Resets, GroupBy: telemetry.ByMachine,
		Bucket: bucket, From: from, To: to, Filter: telemetry.Filter{Machines: []miner.ID{miner.ID(id)}}})
	if err != nil {
		return nil, s.fail("reading restarts from history", err)
	}
	board := map[int64]bool{}
	var out []MachineEvent
	for _, metric := range []telemetry.Metric{telemetry.Uptime, telemetry.MinerUptime} {
		what := "the control board restarted"
		if metric == telemetry.MinerUptime {
			what = "the mining process restarted"
		}
		for _, series := range res.Series {
			if series.Metric != metric {
				continue
			}
			for _, p := range series.Points {
				if at := p.At.Unix(); p.Value > 0 && !board[at] {
					out = append(out, MachineEvent{At: at, Kind: "restart", Text: what})
					board[at] = metric == telemetry.Uptime // the process went down with its board: one event
				}
			}
		}
	}
	return out, nil
}
