package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/debt/play"
	"ballast/ledger"
)

// runner plays scenarios, one at a time, on all processors but one: polling and
// the pages come first. What waits is bounded.
type runner struct {
	turn chan struct{}
	mu   sync.Mutex
	live map[int64]*underWay
}

type underWay struct {
	cancel context.CancelFunc
	done   atomic.Uint64 // millionths of the work
	begun  atomic.Bool
}

// mostWaiting is how many runs may be under way or wait.
const mostWaiting = 8

func newRunner() *runner {
	return &runner{turn: make(chan struct{}, 1), live: map[int64]*underWay{}}
}

// stop cancels all that is under way; the server is going.
func (r *runner) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.live {
		l.cancel()
	}
}

// ScenarioRun is a run with how far it has come.
type ScenarioRun struct {
	ID        int64           `json:"id"`
	Scenario  int64           `json:"scenario,omitempty" doc:"The saved scenario that it was of."`
	Name      string          `json:"name"`
	State     ledger.RunState `json:"state" enum:"waiting,running,done,failed,cancelled"`
	Done      float64         `json:"done" doc:"Share of the work, 0 to 1."`
	Detail    string          `json:"detail,omitempty"`
	Actor     string          `json:"actor"`
	StartedAt time.Time       `json:"started_at"`
	EndedAt   *time.Time      `json:"ended_at,omitempty"`
	Outcome   *play.Outcome   `json:"outcome,omitempty" doc:"With the scenario as it was played."`
}

func (s *Server) registerRuns(tags []string) {
	op(s, huma.Operation{OperationID: "play-scenario", Method: http.MethodPost, Path: "/api/v1/outlook/runs", Summary: "Play a scenario", Tags: tags, Errors: []int{404, 422, 429}, DefaultStatus: http.StatusAccepted,
		Description: "It runs beside; ask for the run until it is done."}, s.playScenario)
	op(s, huma.Operation{OperationID: "runs", Method: http.MethodGet, Path: "/api/v1/outlook/runs", Summary: "Runs of scenarios, newest first", Tags: tags}, s.runs)
	op(s, huma.Operation{OperationID: "run", Method: http.MethodGet, Path: "/api/v1/outlook/runs/{id}", Summary: "A run, and its outcome when it is done", Tags: tags, Errors: []int{404}}, s.run)
	op(s, huma.Operation{OperationID: "cancel-run", Method: http.MethodDelete, Path: "/api/v1/outlook/runs/{id}", Summary: "Cancel a run", Tags: tags, Errors: []int{404, 409}}, s.cancelRun)
}

type playInput struct {
	Body struct {
		Scenario play.Scenario `json:"scenario"`
		Of       int64         `json:"of,omitempty" minimum:"0" doc:"The saved scenario that this is a run of."`
		Name     string        `json:"name,omitempty" maxLength:"200"`
	}
}

func (s *Server) playScenario(ctx context.Context, in *playInput) (*struct{ Body ScenarioRun }, error) {
	sc, name := in.Body.Scenario, in.Body.Name
	if in.Body.Of > 0 {
		saved, err := s.Record.Scenario(ctx, in.Body.Of)
		if err != nil {
			return nil, s.recordError("reading the scenario", err)
		}
		if name == "" {
			name = saved.Name
		}
	}
	k, err := s.knownMarket(ctx)
	if err != nil {
		return nil, s.fail("reading the market", err)
	}
	if err := sc.Check(k); err != nil {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	body, err := json.Marshal(sc)
	if err != nil {
		return nil, s.fail("writing the scenario", err)
	}
	p, _ := principal(ctx)
	r := s.runner
	r.mu.Lock()
	if len(r.live) >= mostWaiting {
		r.mu.Unlock()
		return nil, huma.Error429TooManyRequests("as many runs as can wait are under way: wait for one, or cancel one")
	}
	rec, err := s.Record.BeginRun(ctx, ledger.ScenarioRun{Scenario: in.Body.Of, Name: name, Body: body, State: ledger.RunWaiting}, ledger.By(p.Name()))
	if err != nil {
		r.mu.Unlock()
		return nil, s.recordError("noting the run", err)
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	live := &underWay{cancel: cancel}
	r.live[rec.ID] = live
	r.mu.Unlock()
	s.background.Go(func() { s.playOut(life, rec, sc, k, live) })
	return &struct{ Body ScenarioRun }{runOf(rec, live)}, nil
}

// playOut plays a run and writes down how it ended.
func (s *Server) playOut(ctx context.Context, rec ledger.ScenarioRun, sc play.Scenario, k play.Known, live *underWay) {
	defer live.cancel()
	r := s.runner
	defer func() {
		r.mu.Lock()
		delete(r.live, rec.ID)
		r.mu.Unlock()
	}()
	var out play.Outcome
	var err error
	select {
	case r.turn <- struct{}{}:
		live.begun.Store(true)
		out, err = play.Play(ctx, sc, k, max(1, runtime.GOMAXPROCS(0)-1), func(done float64) { live.done.Store(uint64(done * 1e6)) })
		<-r.turn
	case <-ctx.Done():
		err = ctx.Err()
	}
	rec.State, rec.EndedAt = ledger.RunDone, time.Now()
	switch {
	case errors.Is(err, context.Canceled):
		rec.State = ledger.RunCancelled
	case err != nil:
		rec.State, rec.Detail = ledger.RunFailed, err.Error()
	default:
		if rec.Result, err = json.Marshal(out); err != nil {
			rec.State, rec.Detail, rec.Result = ledger.RunFailed, err.Error(), nil
		}
	}
	limit, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	if err := s.Record.EndRun(limit, rec); err != nil {
		s.Log.Error("writing a run's end", "run", rec.ID, "error", err)
	}
}

func runOf(rec ledger.ScenarioRun, live *underWay) ScenarioRun {
	out := ScenarioRun{ID: rec.ID, Scenario: rec.Scenario, Name: rec.Name, State: rec.State, Detail: rec.Detail, Actor: rec.Actor, StartedAt: rec.StartedAt}
	if !rec.EndedAt.IsZero() {
		out.EndedAt = &rec.EndedAt
	}
	switch {
	case rec.State == ledger.RunDone:
		out.Done = 1
	case live != nil:
		out.Done = float64(live.done.Load()) / 1e6
		if live.begun.Load() {
			out.State = ledger.RunRunning
		}
	case rec.State == ledger.RunWaiting || rec.State == ledger.RunRunning:
		out.State, out.Detail = ledger.RunFailed, "Ballast was stopped while it ran; play it again"
	}
	return out
}

func (s *Server) liveRun(id int64) *underWay {
	s.runner.mu.Lock()
	defer s.runner.mu.Unlock()
	return s.runner.live[id]
}

type runsInput struct {
	Scenario int64 `query:"scenario" minimum:"0" doc:"Only of this saved scenario."`
	Before   int64 `query:"before" minimum:"0" doc:"The id that the page before ended with."`
	Limit    int   `query:"limit" default:"20" minimum:"1" maximum:"200"`
}

func (s *Server) runs(ctx context.Context, in *runsInput) (*struct{ Body []ScenarioRun }, error) {
	rs, err := s.Record.Runs(ctx, in.Scenario, in.Before, in.Limit)
	if err != nil {
		return nil, s.recordError("reading the runs", err)
	}
	out := make([]ScenarioRun, 0, len(rs))
	for _, r := range rs {
		out = append(out, runOf(r, s.liveRun(r.ID)))
	}
	return &struct{ Body []ScenarioRun }{out}, nil
}

func (s *Server) run(ctx context.Context, in *idInput) (*struct{ Body ScenarioRun }, error) {
	live := s.liveRun(in.ID) // before the record is read: a run that ends between is then told as ended
	rec, err := s.Record.Run(ctx, in.ID)
	if err != nil {
		return nil, s.recordError("reading the run", err)
	}
	out := runOf(rec, live)
	if len(rec.Result) > 0 {
		out.Outcome = new(play.Outcome)
		if err := json.Unmarshal(rec.Result, out.Outcome); err != nil {
			return nil, s.fail("reading the run's outcome", err)
		}
	}
	return &struct{ Body ScenarioRun }{out}, nil
}

func (s *Server) cancelRun(ctx context.Context, in *idInput) (*struct{ Body ScenarioRun }, error) {
	rec, err := s.Record.Run(ctx, in.ID)
	if err != nil {
		return nil, s.recordError("reading the run", err)
	}
	live := s.liveRun(in.ID)
	if live == nil {
		return nil, huma.Error409Conflict("this run is over: there is nothing to cancel")
	}
	p, _ := principal(ctx)
	if err := s.Record.Audit(ctx, ledger.Audit{Actor: p.Name(), Action: "scenario.cancel", Subject: "scenario-run/" + strconvID(in.ID)}); err != nil {
		return nil, s.fail("writing the audit log", err)
	}
	live.cancel()
	rec.State = ledger.RunCancelled
	return &struct{ Body ScenarioRun }{runOf(rec, nil)}, nil
}
