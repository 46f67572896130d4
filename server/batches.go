package server

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
	"ballast/miner"
)

type batchesInput struct {
	SiteQuery
	Kind   string `query:"kind" maxLength:"40" doc:"Only batches of this kind of command."`
	Actor  string `query:"actor" maxLength:"200" doc:"Only what this person, or part of Ballast, asked for."`
	Before string `query:"before" maxLength:"64" doc:"The id that the page before ended with."`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
}

func (s *Server) batches(ctx context.Context, in *batchesInput) (*struct{ Body []ledger.Batch }, error) {
	out, err := s.Record.Batches(ctx, ledger.BatchFilter{Kind: in.Kind, Actor: in.Actor, Sites: only(scope(ctx).Narrow(in.Only)), Before: in.Before, Limit: in.Limit})
	if err != nil {
		return nil, s.recordError("reading the batches", err)
	}
	if out == nil {
		out = []ledger.Batch{}
	}
	return &struct{ Body []ledger.Batch }{out}, nil
}

// BatchDetail is one batch with what people look for in it.
type BatchDetail struct {
	ledger.Batch
	Open    int              `json:"open" doc:"Commands that are not settled yet."`
	MedianS *float64         `json:"median_s" doc:"Seconds from the wish to its first confirmation, median of those confirmed."`
	MaxS    *float64         `json:"max_s" doc:"The same, longest."`
	Failed  []ledger.Command `json:"failed" doc:"Commands that were not, or are no longer, in force: drifted, refused, unreachable, expired. At most 1,000."`
	Waiting []ledger.Command `json:"waiting" doc:"Commands that are not settled yet, oldest change first. At most 1,000."`
}

// mostListed bounds the commands that a batch lists.
const mostListed = 1000

type batchInput struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *Server) batch(ctx context.Context, in *batchInput) (*struct{ Body BatchDetail }, error) {
	sites := only(scope(ctx))
	b, err := s.Record.Batch(ctx, in.ID, sites)
	if err != nil {
		return nil, s.recordError("reading the batch", err)
	}
	cmds, err := s.Record.Commands(ctx, ledger.CommandFilter{Batch: in.ID, Sites: sites})
	if err != nil {
		return nil, s.recordError("reading the batch's commands", err)
	}
	d := BatchDetail{Batch: b, Failed: []ledger.Command{}, Waiting: []ledger.Command{}}
	var took []float64
	for _, c := range cmds {
		if !c.ConfirmedAt.IsZero() {
			took = append(took, c.ConfirmedAt.Sub(c.CreatedAt).Seconds())
		}
		switch {
		case c.State.Open():
			d.Open++
			d.Waiting = append(d.Waiting, c)
		case c.State == ledger.Drifted, c.State == ledger.Refused, c.State == ledger.Unreachable, c.State == ledger.Expired:
			d.Failed = append(d.Failed, c)
		}
	}
	slices.SortFunc(d.Waiting, func(a, b ledger.Command) int { return a.UpdatedAt.Compare(b.UpdatedAt) })
	d.Failed, d.Waiting = d.Failed[:min(len(d.Failed), mostListed)], d.Waiting[:min(len(d.Waiting), mostListed)]
	if len(took) > 0 {
		slices.Sort(took)
		tenth := func(v float64) *float64 { return new(math.Round(v*10) / 10) }
		d.MedianS, d.MaxS = tenth(quantile(took, 0.5)), tenth(took[len(took)-1])
	}
	return &struct{ Body BatchDetail }{d}, nil
}

// quantile is the q-quantile of sorted values, between neighbours by weight; v
// must not be empty.
func quantile(v []float64, q float64) float64 {
	at := q * float64(len(v)-1)
	i := int(at)
	if i+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}

// Cancelled is what was taken back.
type Cancelled struct {
	Cancelled int `json:"cancelled" doc:"Commands that were not sent, and now never will be."`
}

func (s *Server) cancelBatch(ctx context.Context, in *batchInput) (*struct{ Body Cancelled }, error) {
	p, _ := principal(ctx)
	b, err := s.Record.Batch(ctx, in.ID, only(scope(ctx)))
	if err != nil {
		return nil, s.recordError("reading the batch", err)
	}
	// What lies elsewhere cannot be taken back by somebody who may not command it.
	right := commandRight(miner.Kind(b.Kind))
	cmds, err := s.Record.Commands(ctx, ledger.CommandFilter{Batch: in.ID, States: []ledger.CommandState{ledger.Pending}})
	if err != nil {
		return nil, s.recordError("reading the batch's commands", err)
	}
	if len(cmds) == 0 {
		return &struct{ Body Cancelled }{}, nil
	}
	for _, c := range cmds {
		st, ok := s.Fleet.Get(miner.ID(c.Machine))
		if !ok || !p.May(right, st.Machine.Site) {
			return nil, huma.Error403Forbidden(fmt.Sprintf("%s may not take this back: it takes the right to %s at every site of its machines, which %s", p.Name(), right, whoHas(right)))
		}
	}
	limit, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	n, err := s.Fleet.Commander.Cancel(limit, in.ID, ledger.By(p.Name()))
	if err != nil {
		return nil, s.recordError("cancelling the batch", err)
	}
	return &struct{ Body Cancelled }{Cancelled{n}}, nil
}
