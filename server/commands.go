package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/miner"
	"ballast/unit"
)

func opt[T any](p *T) unit.Opt[T] {
	if p == nil {
		return unit.None[T]()
	}
	return unit.Some(*p)
}

// recordError turns what the record says into an HTTP problem.
func (s *Server) recordError(what string, err error) error {
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, ledger.ErrConflict):
		return huma.Error409Conflict(err.Error())
	case errors.Is(err, ledger.ErrStale):
		return huma.Error412PreconditionFailed(err.Error() + "; " + readAnew)
	case errors.Is(err, ledger.ErrLastAdmin):
		return huma.Error409Conflict(err.Error())
	case errors.Is(err, ledger.ErrInvalid):
		return huma.Error422UnprocessableEntity(err.Error())
	}
	return s.fail(what, err)
}

type commandInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"200" doc:"The same key with the same wish gives the same commands, however often it is sent."`
	Body struct {
		Machines []int64     `json:"machines" minItems:"1" maxItems:"20000"`
		Setting  commandWish `json:"setting"`
		Reason   string      `json:"reason,omitempty" maxLength:"500"`
		Deadline int         `json:"deadline_s,omitempty" minimum:"0" maximum:"86400" doc:"Seconds until it must be confirmed; 0 is the configured default."`
		Preview  bool        `json:"preview,omitempty" doc:"Only say what would happen."`
	}
}

type commandWish struct {
	Kind    string              `json:"kind" enum:"power,profile,mode,sleep,wake,reboot,restart,pools,locate"`
	PowerW  float64             `json:"power_w,omitempty" doc:"kind power: wall watts"`
	Profile string              `json:"profile,omitempty" doc:"kind profile: its name"`
	Mode    string              `json:"mode,omitempty" doc:"kind mode: low, normal or high"`
	Pools   []miner.PoolSetting `json:"pools,omitempty" doc:"kind pools: replaces the list"`
	On      bool                `json:"on,omitempty" doc:"kind locate"`
}

func (w commandWish) setting() miner.Setting {
	return miner.Setting{Kind: miner.Kind(w.Kind), Power: unit.Power(w.PowerW), Profile: w.Profile, Mode: w.Mode, Pools: w.Pools, On: w.On}
}

// Refusal is a machine that a wish cannot work on, and why.
type Refusal struct {
	Machine int64  `json:"machine"`
	Why     string `json:"why"`
}

type commandBody struct {
	Effect
	Batch    string            `json:"batch,omitempty" doc:"The batch to follow it by; none for a preview."`
	Commands []ledger.Command  `json:"commands" doc:"Written, in the order of the machines that can take the wish. Empty for a preview."`
	Takes    int               `json:"takes" doc:"Machines that can take it."`
	Refused  []Refusal         `json:"refused" doc:"Machines that cannot, with the reason; nothing is sent to them."`
	Reasons  []ledger.Refusals `json:"reasons" doc:"The same by reason, most machines first."`
}

func (s *Server) registerCommands() {
	op(s, huma.Operation{OperationID: "command", Method: http.MethodPost, Path: "/api/v1/commands", Summary: "Command machines", Tags: []string{"commands"}, Errors: []int{404, 409, 422},
		Description: "Each machine gets a command of its own that goes pending, dispatched, acknowledged, and confirmed only by a later reading (or drifted, refused, unreachable, expired)."}, s.command)
	op(s, huma.Operation{OperationID: "commands", Method: http.MethodGet, Path: "/api/v1/commands", Summary: "List commands, newest first", Tags: []string{"commands"}}, s.commands)
	op(s, huma.Operation{OperationID: "command-events", Method: http.MethodGet, Path: "/api/v1/commands/{id}", Summary: "One command and its life", Tags: []string{"commands"}, Errors: []int{404}}, s.commandEvents)
	op(s, huma.Operation{OperationID: "batches", Method: http.MethodGet, Path: "/api/v1/batches", Summary: "What was asked of machines, newest first, and how far it is", Tags: []string{"commands"}}, s.batches)
	op(s, huma.Operation{OperationID: "batch", Method: http.MethodGet, Path: "/api/v1/batches/{id}", Summary: "One batch: how far, how long, and which machines did not", Tags: []string{"commands"}, Errors: []int{404}}, s.batch)
	op(s, huma.Operation{OperationID: "cancel-batch", Method: http.MethodPost, Path: "/api/v1/batches/{id}/cancel", Summary: "Take back what was not sent yet", Tags: []string{"commands"}, Errors: []int{404}}, s.cancelBatch)
}

func (s *Server) command(ctx context.Context, in *commandInput) (*struct{ Body commandBody }, error) {
	p, _ := principal(ctx)
	body := commandBody{Commands: []ledger.Command{}, Refused: []Refusal{}}
	setting := in.Body.Setting.setting()
	sum := newReckoning()
	seen := make(map[int64]bool, len(in.Body.Machines))
	var wishes []fleet.Request
	for _, id := range in.Body.Machines {
		st, err := s.status(ctx, id)
		if err != nil {
			return nil, err
		}
		if seen[id] {
			continue // named twice, meant once
		}
		seen[id] = true
		if !p.May(commandRight(setting.Kind), st.Machine.Site) {
			return nil, huma.Error403Forbidden(fmt.Sprintf("%s may not %s machine %d: it takes the right to %s, which %s", p.Name(), setting.Kind, id, commandRight(setting.Kind), whoHas(commandRight(setting.Kind))))
		}
		e, _ := s.Fleet.Envelope(miner.ID(id))
		if err := takes(st, setting, e); err != nil {
			body.Refused = append(body.Refused, Refusal{id, err.Error()})
			continue
		}
		sum.add(st, setting, e)
		w := fleet.Request{Machine: miner.ID(id), Setting: setting, Actor: p.Name(), Reason: in.Body.Reason, Deadline: time.Duration(in.Body.Deadline) * time.Second}
		if in.Key != "" {
			w.Key = in.Key + "/" + strconv.FormatInt(id, 10)
		}
		wishes = append(wishes, w)
	}
	sum.price(s.Prices, time.Now())
	body.Effect, body.Takes, body.Reasons = sum.Effect, len(wishes), reasons(body.Refused)
	if in.Body.Preview || len(wishes) == 0 {
		if len(wishes) == 0 && !in.Body.Preview {
			return nil, huma.Error422UnprocessableEntity(body.Refused[0].Why)
		}
		return &struct{ Body commandBody }{body}, nil
	}
	batch, cmds, err := s.Fleet.Commander.SubmitBatch(ctx, ledger.NewBatch{Kind: string(setting.Kind), Actor: p.Name(), Reason: in.Body.Reason,
		IdempotencyKey: in.Key, Machines: len(wishes), Refused: body.Reasons}, wishes)
	if err != nil {
		return nil, s.recordError("writing the commands", err)
	}
	body.Batch, body.Commands = batch.ID, cmds
	return &struct{ Body commandBody }{body}, nil
}

type commandsInput struct {
	Machine int64  `query:"machine" minimum:"0"`
	Batch   string `query:"batch" maxLength:"64" doc:"Only commands of this batch."`
	State   string `query:"state" enum:"pending,dispatched,acknowledged,confirmed,drifted,refused,unreachable,expired,superseded,cancelled"`
	Kind    string `query:"kind" maxLength:"40" doc:"Only commands of this kind."`
	Actor   string `query:"actor" maxLength:"200" doc:"Only what this person, or part of Ballast, asked for."`
	Site    string `query:"site" maxLength:"100" doc:"Only machines at this site."`
	Before  string `query:"before" doc:"The id that the page before ended with."`
	Limit   int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (s *Server) commands(ctx context.Context, in *commandsInput) (*struct{ Body []ledger.Command }, error) {
	f := ledger.CommandFilter{Machine: in.Machine, Batch: in.Batch, Actor: in.Actor, Sites: only(scope(ctx).Narrow(in.Site)), Before: in.Before, Limit: in.Limit}
	if in.State != "" {
		f.States = []ledger.CommandState{ledger.CommandState(in.State)}
	}
	if in.Kind != "" {
		f.Kinds = []string{in.Kind}
	}
	out, err := s.Record.Commands(ctx, f)
	if err != nil {
		return nil, s.recordError("reading the commands", err)
	}
	if out == nil {
		out = []ledger.Command{}
	}
	return &struct{ Body []ledger.Command }{out}, nil
}

// only is a scope as the record filters by it: nil is everything.
func only(s Scope) []string {
	if s.All {
		return nil
	}
	return append([]string{}, s.Sites...)
}

type commandLife struct {
	Command ledger.Command        `json:"command"`
	Events  []ledger.CommandEvent `json:"events"`
}

func (s *Server) commandEvents(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*struct{ Body commandLife }, error) {
	c, err := s.Record.Command(ctx, in.ID)
	if err != nil {
		return nil, s.recordError("reading the command", err)
	}
	if _, err := s.status(ctx, c.Machine); err != nil && !scope(ctx).All {
		return nil, huma.Error404NotFound("there is no command " + in.ID)
	}
	events, err := s.Record.CommandEvents(ctx, in.ID)
	if err != nil {
		return nil, s.recordError("reading the command's life", err)
	}
	return &struct{ Body commandLife }{commandLife{c, events}}, nil
}

// settingOf reads a command's setting back.
func settingOf(c ledger.Command) (set miner.Setting, err error) {
	err = json.Unmarshal(c.Setting, &set)
	return set, err
}
