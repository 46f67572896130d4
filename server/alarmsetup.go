package server

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/alarm"
	"ballast/alarm/watch"
)

// WindowNow is a maintenance window and whether it is open.
type WindowNow struct {
	alarm.Window
	Version int64 `json:"version" doc:"Send it back as If-Match with an edit."`
	Open    bool  `json:"open"`
	Until   int64 `json:"until" doc:"Unix seconds; 0 when it is not open."`
}

// EscalationNow is an escalation with its version.
type EscalationNow struct {
	alarm.Escalation
	Version int64 `json:"version" doc:"Send it back as If-Match with an edit."`
}

func (s *Server) registerAlarmSetup() {
	s.registerSilences()
	s.registerWindows()
	s.registerEscalations()
}

type placeSilence struct {
	Match  alarm.Match    `json:"match,omitempty"`
	Rules  []int64        `json:"rules,omitempty" maxItems:"100"`
	Most   alarm.Severity `json:"most,omitempty" doc:"Only up to this severity."`
	Until  time.Time      `json:"until"`
	Reason string         `json:"reason" minLength:"1" maxLength:"500"`
}

func (s *Server) registerSilences() {
	const tag = "silences"
	op(s, huma.Operation{OperationID: "silences", Method: http.MethodGet, Path: "/api/v1/silences", Summary: "Silences, newest first", Tags: []string{tag}},
		func(ctx context.Context, in *struct {
			All bool `query:"all" doc:"Those that are over, too."`
		}) (*struct{ Body []alarm.Silence }, error) {
			all, err := watch.All[alarm.Silence](ctx, s.Record, watch.SilenceKind)
			if err != nil {
				return nil, s.recordError("reading the silences", err)
			}
			now := time.Now()
			out := []alarm.Silence{}
			for _, x := range slices.Backward(all) {
				if (in.All || x.Active(now)) && s.seesSilence(ctx, x) {
					out = append(out, x)
				}
			}
			return &struct{ Body []alarm.Silence }{out}, nil
		})
	op(s, huma.Operation{OperationID: "add-silence", Method: http.MethodPost, Path: "/api/v1/silences", Summary: "Silence machines, places or rules for a while", Tags: []string{tag}, Errors: []int{403, 422}, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *struct {
			Body placeSilence
		}) (*struct{ Body alarm.Silence }, error) {
			p, _ := principal(ctx)
			now := time.Now().UTC()
			x := alarm.Silence{Match: in.Body.Match, Rules: in.Body.Rules, Most: in.Body.Most, Until: in.Body.Until.UTC(), Reason: in.Body.Reason, By: p.Name(), Created: now}
			if err := x.Check(now); err != nil {
				return nil, s.alarmError("checking the silence", err)
			}
			if err := overSites(ctx, x.Match.Sites); err != nil {
				return nil, err
			}
			var err error
			if x.ID, err = s.saveDocument(ctx, watch.SilenceKind, 0, 0, x); err != nil {
				return nil, err
			}
			return &struct{ Body alarm.Silence }{x}, nil
		})
	op(s, huma.Operation{OperationID: "end-silence", Method: http.MethodDelete, Path: "/api/v1/silences/{id}", Summary: "End a silence; it stays in the record", Tags: []string{tag}, Errors: []int{404}},
		func(ctx context.Context, in *AlarmID) (*struct{}, error) {
			x, err := document[alarm.Silence](ctx, s, watch.SilenceKind, in.ID)
			if err != nil {
				return nil, err
			}
			if !s.seesSilence(ctx, x) || !x.Active(time.Now()) {
				return nil, huma.Error404NotFound("no such silence is in force")
			}
			if x.Alarm == 0 {
				if err := overSites(ctx, x.Match.Sites); err != nil {
					return nil, err
				}
			}
			p, _ := principal(ctx)
			x.Ended, x.EndedBy = time.Now().UTC(), p.Name()
			_, err = s.saveDocument(ctx, watch.SilenceKind, in.ID, 0, x)
			return nil, err
		})
}

func (s *Server) seesSilence(ctx context.Context, x alarm.Silence) bool {
	sc := scope(ctx)
	switch {
	case sc.All:
		return true
	case x.Alarm != 0:
		_, err := s.alarmAt(ctx, x.Alarm)
		return err == nil
	}
	return len(x.Match.Sites) == 0 || slices.ContainsFunc(x.Match.Sites, sc.Covers)
}

func (s *Server) registerWindows() {
	const tag = "maintenance"
	op(s, huma.Operation{OperationID: "maintenance-windows", Method: http.MethodGet, Path: "/api/v1/maintenance-windows", Summary: "Maintenance windows", Tags: []string{tag}},
		func(ctx context.Context, _ *struct{}) (*struct{ Body []WindowNow }, error) {
			all, versions, err := watch.Versions[alarm.Window](ctx, s.Record, watch.WindowKind)
			if err != nil {
				return nil, s.recordError("reading the windows", err)
			}
			out := []WindowNow{}
			for i, x := range all {
				if sc := scope(ctx); !sc.All && len(x.Match.Sites) > 0 && !slices.ContainsFunc(x.Match.Sites, sc.Covers) {
					continue
				}
				until, open := x.Covers(time.Now())
				n := WindowNow{Window: x, Version: versions[i], Open: open}
				if open {
					n.Until = until.Unix()
				}
				out = append(out, n)
			}
			return &struct{ Body []WindowNow }{out}, nil
		})
	save := func(ctx context.Context, id, version int64, x alarm.Window) (*struct{ Body alarm.Window }, error) {
		if err := x.Check(); err != nil {
			return nil, s.alarmError("checking the window", err)
		}
		if err := overSites(ctx, x.Match.Sites); err != nil {
			return nil, err
		}
		var err error
		if x.ID, err = s.saveDocument(ctx, watch.WindowKind, id, version, x); err != nil {
			return nil, err
		}
		return &struct{ Body alarm.Window }{x}, nil
	}
	crud(s, tag, "maintenance-window", "/api/v1/maintenance-windows", watch.WindowKind, func(x alarm.Window) []string { return x.Match.Sites }, save)
}

func (s *Server) registerEscalations() {
	const tag = "escalations"
	op(s, huma.Operation{OperationID: "escalations", Method: http.MethodGet, Path: "/api/v1/escalations", Summary: "Who is told, and who next", Tags: []string{tag}},
		func(ctx context.Context, _ *struct{}) (*struct{ Body []EscalationNow }, error) {
			all, versions, err := watch.Versions[alarm.Escalation](ctx, s.Record, watch.EscalationKind)
			if err != nil {
				return nil, s.recordError("reading the escalations", err)
			}
			out := []EscalationNow{}
			for i, x := range all {
				if sc := scope(ctx); sc.All || len(x.Sites) == 0 || slices.ContainsFunc(x.Sites, sc.Covers) {
					out = append(out, EscalationNow{x, versions[i]})
				}
			}
			return &struct{ Body []EscalationNow }{out}, nil
		})
	save := func(ctx context.Context, id, version int64, x alarm.Escalation) (*struct{ Body alarm.Escalation }, error) {
		if err := x.Check(); err != nil {
			return nil, s.alarmError("checking the escalation", err)
		}
		if err := overSites(ctx, x.Sites); err != nil {
			return nil, err
		}
		titles, err := s.receiverTitles(ctx)
		if err != nil {
			return nil, err
		}
		for _, st := range x.Steps {
			for _, r := range st.Receivers {
				if _, ok := titles[r]; !ok {
					return nil, huma.Error422UnprocessableEntity("a step tells a receiver that there is not")
				}
			}
		}
		if x.ID, err = s.saveDocument(ctx, watch.EscalationKind, id, version, x); err != nil {
			return nil, err
		}
		return &struct{ Body alarm.Escalation }{x}, nil
	}
	crud(s, tag, "escalation", "/api/v1/escalations", watch.EscalationKind, func(x alarm.Escalation) []string { return x.Sites }, save)
}

// crud registers adding, changing and deleting of one kind of document: the
// operations add-<name>, edit-<name> and delete-<name>.
func crud[T any](s *Server, tag, name, path, kind string, sites func(T) []string, save func(ctx context.Context, id, version int64, x T) (*struct{ Body T }, error)) {
	mine := func(ctx context.Context, id int64) error {
		was, err := document[T](ctx, s, kind, id)
		if err != nil {
			return err
		}
		return overSites(ctx, sites(was))
	}
	op(s, huma.Operation{OperationID: "add-" + name, Method: http.MethodPost, Path: path, Summary: "Add one", Tags: []string{tag}, Errors: []int{403, 422}, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *struct{ Body T }) (*struct{ Body T }, error) {
			return save(ctx, 0, 0, in.Body)
		})
	op(s, huma.Operation{OperationID: "edit-" + name, Method: http.MethodPut, Path: path + "/{id}", Summary: "Change one", Tags: []string{tag}, Errors: []int{404, 412, 422}},
		func(ctx context.Context, in *struct {
			AlarmID
			Based
			Body T
		}) (*struct{ Body T }, error) {
			if err := mine(ctx, in.ID); err != nil {
				return nil, err
			}
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return save(ctx, in.ID, version, in.Body)
		})
	op(s, huma.Operation{OperationID: "delete-" + name, Method: http.MethodDelete, Path: path + "/{id}", Summary: "Delete one", Tags: []string{tag}, Errors: []int{404}},
		func(ctx context.Context, in *AlarmID) (*struct{}, error) {
			if err := mine(ctx, in.ID); err != nil {
				return nil, err
			}
			return nil, s.deleteDocument(ctx, kind, in.ID)
		})
}
