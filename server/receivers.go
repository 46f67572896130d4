package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/alarm"
	"ballast/alarm/watch"
	"ballast/ledger"
	"ballast/notify"
)

// ReceiverInfo is a receiver as it is shown: of its secrets only their names.
type ReceiverInfo struct {
	ID       int64           `json:"id"`
	Title    string          `json:"title"`
	Settings notify.Settings `json:"settings"`
	Secrets  []string        `json:"secrets" doc:"Names of the secrets that are set. Their values are never told."`
	Off      bool            `json:"off"`
	Version  int64           `json:"version,omitempty" doc:"In lists. Send it back as If-Match with an edit."`
}

type receiverWish struct {
	Title    string            `json:"title" minLength:"1" maxLength:"100"`
	Settings notify.Settings   `json:"settings"`
	Secrets  map[string]string `json:"secrets,omitempty" doc:"Secrets to set, by name: password, key, url or token. Those left out stay; an empty one is removed."`
	Off      bool              `json:"off,omitempty"`
}

type testBody struct {
	Delivered bool   `json:"delivered"`
	Answer    string `json:"answer" doc:"What the receiver said, or why nothing arrived."`
	TookMs    int64  `json:"took_ms"`
}

func receiverInfo(r watch.Receiver) ReceiverInfo {
	out := ReceiverInfo{ID: r.ID, Title: r.Title, Settings: r.Settings, Secrets: []string{}, Off: r.Off}
	for k := range r.Sealed {
		out.Secrets = append(out.Secrets, k)
	}
	slices.Sort(out.Secrets)
	return out
}

// registerReceivers: receivers belong to the whole company, so changing them
// takes the right to configure at every site.
func (s *Server) registerReceivers() {
	const tag = "receivers"
	op(s, huma.Operation{OperationID: "receivers", Method: http.MethodGet, Path: "/api/v1/receivers", Summary: "Who can be told, and how", Tags: []string{tag}},
		func(ctx context.Context, _ *struct{}) (*struct{ Body []ReceiverInfo }, error) {
			all, versions, err := watch.Versions[watch.Receiver](ctx, s.Record, watch.ReceiverKind)
			if err != nil {
				return nil, s.recordError("reading the receivers", err)
			}
			out := []ReceiverInfo{}
			for i, r := range all {
				info := receiverInfo(r)
				info.Version = versions[i]
				out = append(out, info)
			}
			return &struct{ Body []ReceiverInfo }{out}, nil
		})
	op(s, huma.Operation{OperationID: "add-receiver", Method: http.MethodPost, Path: "/api/v1/receivers", Summary: "Add a receiver", Tags: []string{tag}, Errors: []int{403, 422}, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *struct{ Body receiverWish }) (*struct{ Body ReceiverInfo }, error) {
			return s.saveReceiver(ctx, 0, 0, nil, in.Body)
		})
	op(s, huma.Operation{OperationID: "edit-receiver", Method: http.MethodPut, Path: "/api/v1/receivers/{id}", Summary: "Change a receiver", Tags: []string{tag}, Errors: []int{404, 412, 422}},
		func(ctx context.Context, in *struct {
			AlarmID
			Based
			Body receiverWish
		}) (*struct{ Body ReceiverInfo }, error) {
			was, err := document[watch.Receiver](ctx, s, watch.ReceiverKind, in.ID)
			if err != nil {
				return nil, err
			}
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return s.saveReceiver(ctx, in.ID, version, &was, in.Body)
		})
	op(s, huma.Operation{OperationID: "delete-receiver", Method: http.MethodDelete, Path: "/api/v1/receivers/{id}", Summary: "Delete a receiver", Tags: []string{tag}, Errors: []int{404, 409}}, s.deleteReceiver)
	op(s, huma.Operation{OperationID: "test-receiver", Method: http.MethodPost, Path: "/api/v1/receivers/{id}/test", Summary: "Send a labelled test message now", Tags: []string{tag}, Errors: []int{404}}, s.testReceiver)
}

func (s *Server) saveReceiver(ctx context.Context, id, version int64, was *watch.Receiver, in receiverWish) (*struct{ Body ReceiverInfo }, error) {
	w, err := s.watching()
	if err != nil {
		return nil, err
	}
	if err := overSites(ctx, nil); err != nil {
		return nil, err
	}
	r, err := w.Seal(watch.Receiver{ID: id, Title: in.Title, Settings: in.Settings, Off: in.Off}, was, in.Secrets)
	if err != nil {
		return nil, s.alarmError("checking the receiver", err)
	}
	p, _ := principal(ctx)
	if r, err = w.SaveReceiver(ctx, r, version, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("writing the receiver", err)
	}
	return &struct{ Body ReceiverInfo }{receiverInfo(r)}, nil
}

func (s *Server) deleteReceiver(ctx context.Context, in *AlarmID) (*struct{}, error) {
	if err := overSites(ctx, nil); err != nil {
		return nil, err
	}
	all, err := watch.All[alarm.Escalation](ctx, s.Record, watch.EscalationKind)
	if err != nil {
		return nil, s.recordError("reading the escalations", err)
	}
	for _, e := range all {
		for _, st := range e.Steps {
			if slices.Contains(st.Receivers, in.ID) {
				return nil, huma.Error409Conflict("the escalation " + e.Title + " tells this receiver; take it out there first")
			}
		}
	}
	return nil, s.deleteDocument(ctx, watch.ReceiverKind, in.ID)
}

func (s *Server) testReceiver(ctx context.Context, in *AlarmID) (*struct{ Body testBody }, error) {
	w, err := s.watching()
	if err != nil {
		return nil, err
	}
	if err := overSites(ctx, nil); err != nil {
		return nil, err
	}
	p, _ := principal(ctx)
	begin := time.Now()
	limit, cancel := context.WithTimeout(ctx, 25*time.Second)
	defer cancel()
	answer, err := w.Test(limit, in.ID, p.Name())
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, s.recordError("testing the receiver", err)
	}
	body := testBody{Delivered: err == nil, Answer: answer, TookMs: time.Since(begin).Milliseconds()}
	said := answer
	if err != nil {
		body.Answer, said = err.Error(), err.Error()
	}
	if err := s.Record.Audit(ctx, ledger.Audit{Actor: p.Name(), Action: "alarm_receiver.test", Subject: watch.Subject(in.ID), Detail: said}); err != nil {
		return nil, s.fail("writing the audit log", err)
	}
	return &struct{ Body testBody }{body}, nil
}

// receiverTitles are the receivers' titles by number.
func (s *Server) receiverTitles(ctx context.Context) (map[int64]string, error) {
	all, err := watch.All[watch.Receiver](ctx, s.Record, watch.ReceiverKind)
	if err != nil {
		return nil, s.recordError("reading the receivers", err)
	}
	out := map[int64]string{}
	for _, r := range all {
		out[r.ID] = r.Title
	}
	return out, nil
}
