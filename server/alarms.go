package server

import (
	"context"
	"encoding/json"
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

// AlarmRow is one alarm as lists and the live stream show it.
type AlarmRow struct {
	ID       int64  `json:"id"`
	Site     string `json:"site"`
	Class    string `json:"class" enum:"gone,unread,work,heat,pool,change,load,gear,self"`
	Phase    string `json:"phase" enum:"open,resolved,merged"`
	Severity string `json:"severity" enum:"info,minor,major,critical"`
	Title    string `json:"title"`
	CauseBy  string `json:"cause_by" doc:"What its members have in common: container, rack, PDU, network segment, firmware, site; alone for a single machine."`
	Cause    string `json:"cause"`
	Active   int    `json:"active" doc:"Machines or devices in trouble now."`
	Peak     int    `json:"peak" doc:"Most at once."`
	Total    int    `json:"total" doc:"That should work where the cause is; those off on purpose do not count."`
	Since    int64  `json:"since" doc:"Unix seconds when the first of it began."`
	Opened   int64  `json:"opened"`
	Ended    int64  `json:"ended" doc:"0 while open."`
	AckedAt  int64  `json:"acked_at" doc:"0 while nobody took it on."`
	AckedBy  string `json:"acked_by,omitempty"`
	AckNote  string `json:"ack_note,omitempty"`
	Quiet    string `json:"quiet,omitempty" doc:"Why nobody is told: a silence or a maintenance window."`
	Flapping bool   `json:"flapping"`
	Reopened int    `json:"reopened" doc:"Times it came back soon after it ended."`
	Hint     string `json:"hint,omitempty" doc:"What the instruments say."`
	Means    string `json:"means"`
	Safe     string `json:"safe"`
	Press    string `json:"press"`
	Into     int64  `json:"into,omitempty" doc:"The alarm that it was merged into."`
	From     int64  `json:"from,omitempty" doc:"The alarm that it was split from."`
	Rule     int64  `json:"rule"`
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func alarmRow(a *alarm.Alarm, active int) AlarmRow {
	return AlarmRow{ID: a.ID, Site: a.Site, Class: string(a.Class), Phase: string(a.Phase), Severity: string(a.Severity), Title: a.Title, CauseBy: a.Cause.By.String(), Cause: a.Cause.Name,
		Active: active, Peak: a.Peak, Total: a.Cause.Total, Since: unix(a.Since), Opened: unix(a.Opened), Ended: unix(a.Ended), AckedAt: unix(a.AckedAt), AckedBy: a.AckedBy, AckNote: a.AckNote,
		Quiet: a.Quiet, Flapping: a.Flapping, Reopened: a.Reopened, Hint: a.Hint, Means: a.Means, Safe: a.Safe, Press: a.Press, Into: a.Into, From: a.From, Rule: a.Rule}
}

// AlarmMember is one machine, device or cap in an alarm.
type AlarmMember struct {
	Subject  string  `json:"subject"`
	Machine  int64   `json:"machine,omitempty" doc:"Its number, when it is a machine."`
	Name     string  `json:"name"`
	Place    string  `json:"place,omitempty"`
	Rule     int64   `json:"rule"`
	Watch    string  `json:"watch"`
	Severity string  `json:"severity"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	Detail   string  `json:"detail"`
	Since    int64   `json:"since"`
	Left     int64   `json:"left" doc:"Unix seconds since when it is well again; 0 while it is not."`
	Why      string  `json:"why,omitempty" doc:"Why it left."`
	Raises   int     `json:"raises" doc:"Times it was raised in the last two hours."`
	Stale    bool    `json:"stale" doc:"Held: nothing new is known of it."`
}

func memberOf(m *alarm.Member) AlarmMember {
	out := AlarmMember{Subject: m.Subject, Name: m.Name, Place: m.Place, Rule: m.Rule, Watch: string(m.Watch), Severity: string(m.Severity), Value: m.Value, Detail: m.Detail,
		Since: unix(m.Since), Left: unix(m.Left), Why: m.Why, Raises: m.Raises, Stale: m.Stale, Machine: machineOf(m.Subject), Unit: unitOf(m.Watch)}
	return out
}

// AlarmDelivery is one message about an alarm.
type AlarmDelivery struct {
	Receiver int64  `json:"receiver"`
	Title    string `json:"title"`
	State    string `json:"state" enum:"waiting,delivered,failed"`
	What     string `json:"what" enum:"trigger,acknowledge,resolve,report"`
	Attempts int    `json:"attempts"`
	At       int64  `json:"at"`
	Answer   string `json:"answer,omitempty" doc:"What the receiver said last."`
}

// AlarmBody is everything about one alarm.
type AlarmBody struct {
	AlarmRow
	Members    []AlarmMember       `json:"members"`
	Events     []ledger.AlarmEvent `json:"events" doc:"Its life, oldest first."`
	Deliveries []AlarmDelivery     `json:"deliveries"`
}

func (s *Server) registerAlarms() {
	op(s, huma.Operation{OperationID: "alarms", Method: http.MethodGet, Path: "/api/v1/alarms", Summary: "List alarms", Tags: []string{"alarms"},
		Description: "State open (the default) is what is not over, the most urgent first and on one page. Ended and all come from the record, newest first."}, s.listAlarms)
	op(s, huma.Operation{OperationID: "alarm", Method: http.MethodGet, Path: "/api/v1/alarms/{id}", Summary: "One alarm: its machines and its life", Tags: []string{"alarms"}, Errors: []int{404}}, s.oneAlarm)
	op(s, huma.Operation{OperationID: "acknowledge-alarm", Method: http.MethodPost, Path: "/api/v1/alarms/{id}/acknowledge", Summary: "Take an alarm on: nobody else is told", Tags: []string{"alarms"}, Errors: []int{404}}, s.acknowledge)
	op(s, huma.Operation{OperationID: "silence-alarm", Method: http.MethodPost, Path: "/api/v1/alarms/{id}/silence", Summary: "Keep one alarm quiet for a while", Tags: []string{"alarms"}, Errors: []int{404, 422}, DefaultStatus: http.StatusCreated}, s.silenceAlarm)
	s.registerAlarmRules()
	s.registerAlarmSetup()
	s.registerReceivers()
}

// watching is the watch, or why there is none.
func (s *Server) watching() (*watch.Watch, error) {
	if s.Alarms == nil {
		return nil, huma.Error503ServiceUnavailable("this server does not watch for alarms")
	}
	return s.Alarms, nil
}

// alarmError turns what the alarm rooms say into an HTTP problem.
func (s *Server) alarmError(what string, err error) error {
	switch {
	case errors.Is(err, alarm.ErrInvalid), errors.Is(err, notify.ErrInvalid), errors.Is(err, watch.ErrNoBox):
		return huma.Error422UnprocessableEntity(err.Error())
	case errors.Is(err, alarm.ErrNotFound):
		return huma.Error404NotFound(err.Error())
	}
	return s.recordError(what, err)
}

type alarmsInput struct {
	SiteQuery
	State    string `query:"state" default:"open" enum:"open,unacknowledged,ended,all"`
	Severity string `query:"severity" enum:"info,minor,major,critical" doc:"This one and worse."`
	Before   int64  `query:"before" minimum:"0" doc:"The id that the page before ended with."`
	Limit    int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (s *Server) listAlarms(ctx context.Context, in *alarmsInput) (*struct{ Body []AlarmRow }, error) {
	w, err := s.watching()
	if err != nil {
		return nil, err
	}
	sites := scope(ctx).Narrow(in.Only)
	least := alarm.Severity(in.Severity).Rank()
	out := []AlarmRow{}
	if in.State == "open" || in.State == "unacknowledged" {
		for _, a := range w.Open() {
			if sites.Covers(a.Site) && a.Severity.Rank() >= least && (in.State == "open" || !a.Acked() && a.Quiet == "") {
				out = append(out, alarmRow(&a.Alarm, a.Active))
			}
		}
		return &struct{ Body []AlarmRow }{out}, nil
	}
	f := ledger.AlarmFilter{Before: in.Before, Limit: in.Limit}
	if in.State == "ended" {
		f.Phases = []string{string(alarm.Resolved), string(alarm.Merged)}
	}
	for _, v := range alarm.Severities() {
		if least > 0 && v.Rank() >= least {
			f.Severities = append(f.Severities, string(v))
		}
	}
	if !sites.All {
		if f.Sites = sites.Sites; len(f.Sites) == 0 {
			return &struct{ Body []AlarmRow }{out}, nil
		}
	}
	rows, err := s.Record.Alarms(ctx, f)
	if err != nil {
		return nil, s.recordError("reading the alarms", err)
	}
	for _, r := range rows {
		a, err := watch.Decode(r)
		if err != nil {
			return nil, s.fail("reading an alarm", err)
		}
		out = append(out, alarmRow(a, a.Active()))
	}
	return &struct{ Body []AlarmRow }{out}, nil
}

// alarmAt is an alarm that the caller may see: the live one, else the record's.
func (s *Server) alarmAt(ctx context.Context, id int64) (*alarm.Alarm, error) {
	w, err := s.watching()
	if err != nil {
		return nil, err
	}
	a, live := w.Get(id)
	if !live {
		r, err := s.Record.Alarm(ctx, id)
		if err != nil {
			return nil, s.recordError("reading the alarm", err)
		}
		old, err := watch.Decode(r)
		if err != nil {
			return nil, s.fail("reading the alarm", err)
		}
		a = *old
	}
	if !scope(ctx).Covers(a.Site) {
		return nil, huma.Error404NotFound("there is no such alarm")
	}
	return &a, nil
}

// AlarmID is the number in the path. It is exported because huma passes over
// embedded structs that are not.
type AlarmID struct {
	ID int64 `path:"id" minimum:"1"`
}

func (s *Server) oneAlarm(ctx context.Context, in *AlarmID) (*struct{ Body AlarmBody }, error) {
	a, err := s.alarmAt(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	body := AlarmBody{AlarmRow: alarmRow(a, a.Active()), Members: make([]AlarmMember, 0, len(a.Members)), Deliveries: []AlarmDelivery{}}
	for i := range a.Members {
		body.Members = append(body.Members, memberOf(&a.Members[i]))
	}
	// Those in trouble first, the latest of those that left after them.
	slices.SortStableFunc(body.Members, func(x, y AlarmMember) int {
		switch {
		case (x.Left == 0) != (y.Left == 0):
			return int(min(x.Left, 1) - min(y.Left, 1))
		case x.Left != y.Left:
			return int(y.Left - x.Left)
		}
		return 0
	})
	if body.Events, err = s.Record.AlarmEvents(ctx, in.ID); err != nil {
		return nil, s.recordError("reading the alarm's life", err)
	}
	messages, err := s.Record.AlarmMessages(ctx, in.ID)
	if err != nil {
		return nil, s.recordError("reading the messages", err)
	}
	titles, err := s.receiverTitles(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		var what struct {
			State string `json:"state"`
		}
		if err := json.Unmarshal(m.Doc, &what); err != nil {
			return nil, s.fail("reading a message", err)
		}
		body.Deliveries = append(body.Deliveries, AlarmDelivery{m.Receiver, titles[m.Receiver], string(m.State), what.State, m.Attempts, unix(m.UpdatedAt), m.Detail})
	}
	return &struct{ Body AlarmBody }{body}, nil
}

type ackWish struct {
	Note string `json:"note,omitempty" maxLength:"500" doc:"What you are about to do, for those who look later."`
}

type silenceWish struct {
	Minutes int    `json:"minutes" minimum:"1" maximum:"129600"`
	Reason  string `json:"reason" minLength:"1" maxLength:"500"`
}

func (s *Server) acknowledge(ctx context.Context, in *struct {
	AlarmID
	Body ackWish
}) (*struct{ Body AlarmBody }, error) {
	w, err := s.watching()
	if err != nil {
		return nil, err
	}
	a, err := s.alarmAt(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if a.Phase != alarm.Open {
		return nil, huma.Error404NotFound("this alarm is over")
	}
	p, _ := principal(ctx)
	if err := w.Acknowledge(ctx, in.ID, p.Name(), in.Body.Note); err != nil {
		return nil, s.alarmError("acknowledging the alarm", err)
	}
	return s.oneAlarm(ctx, &in.AlarmID)
}

func (s *Server) silenceAlarm(ctx context.Context, in *struct {
	AlarmID
	Body silenceWish
}) (*struct{ Body alarm.Silence }, error) {
	w, err := s.watching()
	if err != nil {
		return nil, err
	}
	if _, err := s.alarmAt(ctx, in.ID); err != nil {
		return nil, err
	}
	p, _ := principal(ctx)
	now := time.Now().UTC()
	x := alarm.Silence{Alarm: in.ID, Until: now.Add(time.Duration(in.Body.Minutes) * time.Minute), Reason: in.Body.Reason, By: p.Name(), Created: now}
	if err := x.Check(now); err != nil {
		return nil, s.alarmError("silencing the alarm", err)
	}
	if x.ID, err = s.saveDocument(ctx, watch.SilenceKind, 0, 0, x); err != nil {
		return nil, err
	}
	if err := w.Step(ctx); err != nil {
		return nil, s.recordError("silencing the alarm", err)
	}
	return &struct{ Body alarm.Silence }{x}, nil
}

// saveDocument writes something that people set up and lets the watch take it up.
func (s *Server) saveDocument(ctx context.Context, kind string, id, version int64, v any) (int64, error) {
	w, err := s.watching()
	if err != nil {
		return 0, err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return 0, s.fail("writing", err)
	}
	p, _ := principal(ctx)
	d := ledger.Document{ID: id, Kind: kind, Doc: b}
	if version != 0 {
		d.UpdatedAt = time.UnixMicro(version)
	}
	d, err = s.Record.SaveDocument(ctx, d, ledger.By(p.Name()))
	if err != nil {
		return 0, s.recordError("writing", err)
	}
	if err := w.Reload(ctx); err != nil {
		return 0, s.recordError("reading what was set up", err)
	}
	return d.ID, nil
}

func (s *Server) deleteDocument(ctx context.Context, kind string, id int64) error {
	w, err := s.watching()
	if err != nil {
		return err
	}
	p, _ := principal(ctx)
	if err := s.Record.DeleteDocument(ctx, kind, id, ledger.By(p.Name())); err != nil {
		return s.recordError("deleting", err)
	}
	if err := w.Reload(ctx); err != nil {
		return s.recordError("reading what was set up", err)
	}
	return nil
}

// AlarmsEvent is the event "alarms": all that is open, and how many of each
// severity nobody took on yet.
type AlarmsEvent struct {
	Counts map[string]int `json:"counts" doc:"Open alarms by severity that nobody acknowledged and nothing keeps quiet."`
	Open   []AlarmRow     `json:"open" doc:"The most urgent first, at most 200."`
	More   int            `json:"more" doc:"Open ones beyond those."`
}

const liveAlarms = 200

// alarmsEvent makes the event for a scope unless nothing changed since rev.
func (s *Server) alarmsEvent(sites Scope, was []byte, rev uint64) ([]byte, uint64) {
	if s.Alarms == nil {
		return nil, 0
	}
	now := s.Alarms.Rev()
	if now == rev {
		return was, rev
	}
	ev := AlarmsEvent{Counts: map[string]int{}, Open: []AlarmRow{}}
	for _, v := range alarm.Severities() {
		ev.Counts[string(v)] = 0
	}
	for _, a := range s.Alarms.Open() {
		if !sites.Covers(a.Site) {
			continue
		}
		if !a.Acked() && a.Quiet == "" {
			ev.Counts[string(a.Severity)]++
		}
		if len(ev.Open) < liveAlarms {
			ev.Open = append(ev.Open, alarmRow(&a.Alarm, a.Active))
		} else {
			ev.More++
		}
	}
	return event("alarms", 0, ev), now
}
