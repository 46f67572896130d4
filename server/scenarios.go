package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/debt/play"
	"ballast/ledger"
)

// SavedScenario is a what-if that somebody saved.
type SavedScenario struct {
	ID        int64         `json:"id"`
	Name      string        `json:"name"`
	Version   int64         `json:"version"`
	Actor     string        `json:"actor" doc:"Who changed it last."`
	CreatedAt time.Time     `json:"created_at"`
	UpdatedAt time.Time     `json:"updated_at"`
	Scenario  play.Scenario `json:"scenario"`
}

func strconvID(id int64) string { return strconv.FormatInt(id, 10) }

func (s *Server) registerScenarios(tags []string) {
	op(s, huma.Operation{OperationID: "scenarios", Method: http.MethodGet, Path: "/api/v1/outlook/scenarios", Summary: "Saved scenarios, by name", Tags: tags}, s.scenarios)
	op(s, huma.Operation{OperationID: "save-scenario", Method: http.MethodPost, Path: "/api/v1/outlook/scenarios", Summary: "Save a scenario", Tags: tags, Errors: []int{404, 409, 412, 422},
		Description: "Without an id a new one; with an id and the version that was read, a change."}, s.saveScenario)
	op(s, huma.Operation{OperationID: "delete-scenario", Method: http.MethodDelete, Path: "/api/v1/outlook/scenarios/{id}", Summary: "Remove a scenario; its runs stay", Tags: tags, Errors: []int{404}},
		func(ctx context.Context, in *idInput) (*struct{}, error) {
			p, _ := principal(ctx)
			if err := s.Record.DeleteScenario(ctx, in.ID, ledger.By(p.Name())); err != nil {
				return nil, s.recordError("removing the scenario", err)
			}
			return nil, nil
		})
}

func savedOf(r ledger.Scenario) (SavedScenario, error) {
	out := SavedScenario{ID: r.ID, Name: r.Name, Version: r.Version, Actor: r.Actor, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	return out, json.Unmarshal(r.Body, &out.Scenario)
}

func (s *Server) scenarios(ctx context.Context, _ *struct{}) (*struct{ Body []SavedScenario }, error) {
	rs, err := s.Record.Scenarios(ctx)
	if err != nil {
		return nil, s.recordError("reading the scenarios", err)
	}
	out := make([]SavedScenario, 0, len(rs))
	for _, r := range rs {
		x, err := savedOf(r)
		if err != nil {
			return nil, s.fail("reading the scenario "+r.Name, err)
		}
		out = append(out, x)
	}
	return &struct{ Body []SavedScenario }{out}, nil
}

type saveScenarioInput struct {
	Body struct {
		ID       int64         `json:"id,omitempty" minimum:"0"`
		Version  int64         `json:"version,omitempty" minimum:"0"`
		Name     string        `json:"name" minLength:"1" maxLength:"200"`
		Scenario play.Scenario `json:"scenario"`
	}
}

func (s *Server) saveScenario(ctx context.Context, in *saveScenarioInput) (*struct{ Body SavedScenario }, error) {
	k, err := s.knownMarket(ctx)
	if err != nil {
		return nil, s.fail("reading the market", err)
	}
	if err := in.Body.Scenario.Check(k); err != nil {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	body, err := json.Marshal(in.Body.Scenario)
	if err != nil {
		return nil, s.fail("writing the scenario", err)
	}
	p, _ := principal(ctx)
	r, err := s.Record.SaveScenario(ctx, ledger.Scenario{ID: in.Body.ID, Version: in.Body.Version, Name: in.Body.Name, Body: body}, ledger.By(p.Name()))
	if err != nil {
		return nil, s.recordError("saving the scenario", err)
	}
	out, err := savedOf(r)
	if err != nil {
		return nil, s.fail("reading the scenario", err)
	}
	return &struct{ Body SavedScenario }{out}, nil
}
