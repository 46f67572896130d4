package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"ballast/alarm"
	"ballast/alarm/watch"
)

func machineOf(subject string) int64 {
	n, ok := strings.CutPrefix(subject, "machine/")
	if !ok {
		return 0
	}
	id, err := strconv.ParseInt(n, 10, 64)
	if err != nil {
		return 0
	}
	return id
}

var watchUnits = func() map[alarm.Watch]string {
	out := map[alarm.Watch]string{}
	for _, w := range alarm.Watches() {
		out[w.Watch] = w.Unit
	}
	return out
}()

func unitOf(w alarm.Watch) string { return watchUnits[w] }

// RuleNow is a rule with what it did at the last look.
type RuleNow struct {
	alarm.Rule
	Version int64           `json:"version" doc:"Send it back as If-Match with an edit."`
	Now     alarm.RuleState `json:"now" doc:"At the last look: how many it judged, left alone because they are off on purpose or under a command, could not judge, and raised."`
}

type rulesBody struct {
	At      int64             `json:"at" doc:"Unix seconds of the last look; 0 is not yet."`
	TookMs  float64           `json:"took_ms" doc:"How long that look took."`
	Watches []alarm.WatchInfo `json:"watches" doc:"What a rule can watch."`
	Rules   []RuleNow         `json:"rules"`
}

type previewBody struct {
	Now     alarm.RuleState `json:"now"`
	Members []AlarmMember   `json:"members" doc:"At or beyond the level now, the worst first; at most 500."`
}

func (s *Server) registerAlarmRules() {
	const tag = "alarm rules"
	op(s, huma.Operation{OperationID: "alarm-rules", Method: http.MethodGet, Path: "/api/v1/alarm-rules", Summary: "The rules that raise alarms, and what each does now", Tags: []string{tag}}, s.alarmRules)
	op(s, huma.Operation{OperationID: "add-alarm-rule", Method: http.MethodPost, Path: "/api/v1/alarm-rules", Summary: "Add a rule", Tags: []string{tag}, Errors: []int{403, 422}, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *struct{ Body alarm.Rule }) (*struct{ Body alarm.Rule }, error) {
			in.Body.Key = ""
			return s.saveRule(ctx, 0, 0, in.Body)
		})
	op(s, huma.Operation{OperationID: "edit-alarm-rule", Method: http.MethodPut, Path: "/api/v1/alarm-rules/{id}", Summary: "Change a rule", Tags: []string{tag}, Errors: []int{404, 412, 422}},
		func(ctx context.Context, in *struct {
			AlarmID
			Based
			Body alarm.Rule
		}) (*struct{ Body alarm.Rule }, error) {
			was, err := document[alarm.Rule](ctx, s, watch.RuleKind, in.ID)
			if err != nil {
				return nil, err
			}
			if err := overSites(ctx, was.Match.Sites); err != nil {
				return nil, err
			}
			in.Body.Key = was.Key
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return s.saveRule(ctx, in.ID, version, in.Body)
		})
	op(s, huma.Operation{OperationID: "delete-alarm-rule", Method: http.MethodDelete, Path: "/api/v1/alarm-rules/{id}", Summary: "Delete a rule", Tags: []string{tag}, Errors: []int{404}},
		func(ctx context.Context, in *AlarmID) (*struct{}, error) {
			was, err := document[alarm.Rule](ctx, s, watch.RuleKind, in.ID)
			if err != nil {
				return nil, err
			}
			if err := overSites(ctx, was.Match.Sites); err != nil {
				return nil, err
			}
			return nil, s.deleteDocument(ctx, watch.RuleKind, in.ID)
		})
	op(s, huma.Operation{OperationID: "preview-alarm-rule", Method: http.MethodPost, Path: "/api/v1/alarm-rules/preview", Summary: "What a rule would raise right now", Tags: []string{tag}, Errors: []int{422}}, s.previewRule)
}

// document reads one thing that people set up.
func document[T any](ctx context.Context, s *Server, kind string, id int64) (T, error) {
	var v T
	d, err := s.Record.Document(ctx, kind, id)
	if err != nil {
		return v, s.recordError("reading", err)
	}
	if err := json.Unmarshal(d.Doc, &v); err != nil {
		return v, s.fail("reading "+kind, err)
	}
	return v, nil
}

// overSites refuses what reaches beyond the sites that the caller has.
func overSites(ctx context.Context, sites []string) error {
	sc := scope(ctx)
	if sc.All {
		return nil
	}
	if len(sites) == 0 {
		return huma.Error403Forbidden("this reaches all sites, and you may change it only for some: name your sites in it")
	}
	for _, site := range sites {
		if !sc.Covers(site) {
			return huma.Error404NotFound("there is no site " + site + " that you may change")
		}
	}
	return nil
}

func (s *Server) alarmRules(ctx context.Context, _ *struct{}) (*struct{ Body rulesBody }, error) {
	w, err := s.watching()
	if err != nil {
		return nil, err
	}
	rules, versions, err := watch.Versions[alarm.Rule](ctx, s.Record, watch.RuleKind)
	if err != nil {
		return nil, s.recordError("reading the rules", err)
	}
	states, at := w.RuleStates()
	body := rulesBody{At: unix(at), TookMs: float64(w.Took().Microseconds()) / 1000, Watches: alarm.Watches(), Rules: []RuleNow{}}
	for i, r := range rules {
		body.Rules = append(body.Rules, RuleNow{r, versions[i], states[r.ID]})
	}
	return &struct{ Body rulesBody }{body}, nil
}

func (s *Server) saveRule(ctx context.Context, id, version int64, r alarm.Rule) (*struct{ Body alarm.Rule }, error) {
	if err := r.Check(); err != nil {
		return nil, s.alarmError("checking the rule", err)
	}
	if err := overSites(ctx, r.Match.Sites); err != nil {
		return nil, err
	}
	var err error
	if r.ID, err = s.saveDocument(ctx, watch.RuleKind, id, version, r); err != nil {
		return nil, err
	}
	return &struct{ Body alarm.Rule }{r}, nil
}

func (s *Server) previewRule(ctx context.Context, in *struct{ Body alarm.Rule }) (*struct{ Body previewBody }, error) {
	w, err := s.watching()
	if err != nil {
		return nil, err
	}
	if sc := scope(ctx); !sc.All && len(in.Body.Match.Sites) == 0 {
		in.Body.Match.Sites = sc.Sites
	}
	if err := overSites(ctx, in.Body.Match.Sites); err != nil {
		return nil, err
	}
	members, now, err := w.Preview(in.Body)
	if err != nil {
		return nil, s.alarmError("trying the rule", err)
	}
	body := previewBody{Now: now, Members: []AlarmMember{}}
	for i := range members[:min(len(members), 500)] {
		body.Members = append(body.Members, memberOf(&members[i]))
	}
	return &struct{ Body previewBody }{body}, nil
}
