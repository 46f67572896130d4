package alarm

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Silence keeps alarms from telling anybody for a while. They are seen all the
// same.
type Silence struct {
	ID      int64     `json:"id"`
	Match   Match     `json:"match,omitzero"`
	Alarm   int64     `json:"alarm,omitempty"` // only this one; 0 is any
	Rules   []int64   `json:"rules,omitempty"` // only these; none is any
	Most    Severity  `json:"most,omitempty"`  // only up to this severity; empty is any
	Until   time.Time `json:"until"`
	Reason  string    `json:"reason"`
	By      string    `json:"by"`
	Created time.Time `json:"created"`
	Ended   time.Time `json:"ended,omitzero"` // by hand, before Until
	EndedBy string    `json:"ended_by,omitempty"`
}

// Check says what is wrong with a silence made at now.
func (s *Silence) Check(now time.Time) error {
	switch {
	case strings.TrimSpace(s.Reason) == "":
		return fmt.Errorf("silence: %w: say why", ErrInvalid)
	case !s.Until.After(now):
		return fmt.Errorf("silence: %w: it ends in the past", ErrInvalid)
	case s.Until.After(now.Add(90 * 24 * time.Hour)):
		return fmt.Errorf("silence: %w: at most 90 days; a rule that is always silenced should be changed", ErrInvalid)
	case s.Most != "" && s.Most.Rank() < 0:
		return fmt.Errorf("silence: %w: there is no severity %q", ErrInvalid, s.Most)
	case s.Alarm == 0 && len(s.Rules) == 0 && s.Match.All():
		return fmt.Errorf("silence: %w: it would silence everything; name an alarm, a rule or a place", ErrInvalid)
	}
	return nil
}

// Active tells whether the silence is in force.
func (s *Silence) Active(now time.Time) bool { return s.Ended.IsZero() && now.Before(s.Until) }

// Window is a maintenance window: a place where work goes on, once or again and
// again.
type Window struct {
	ID      int64     `json:"id"`
	Title   string    `json:"title"`
	Match   Match     `json:"match,omitzero"`
	Zone    string    `json:"zone"`          // IANA time zone of the site
	From    time.Time `json:"from,omitzero"` // once
	To      time.Time `json:"to,omitzero"`
	Days    []int     `json:"days,omitempty"`    // again and again: 0 is Sunday
	Start   string    `json:"start,omitempty"`   // "02:00", local
	Minutes int       `json:"minutes,omitempty"` // how long
	Off     bool      `json:"off,omitempty"`
}

// Check says what is wrong with a window.
func (w *Window) Check() error {
	if strings.TrimSpace(w.Title) == "" {
		return fmt.Errorf("window: %w: it needs a title", ErrInvalid)
	}
	if w.Match.All() {
		return fmt.Errorf("window: %w: say where: a site, a container, a rack", ErrInvalid)
	}
	if _, err := time.LoadLocation(w.Zone); err != nil || w.Zone == "Local" {
		return fmt.Errorf("window: %w: %q is no time zone such as America/Chicago", ErrInvalid, w.Zone)
	}
	if len(w.Days) == 0 {
		if w.From.IsZero() || !w.To.After(w.From) {
			return fmt.Errorf("window: %w: it needs a beginning and an end after it, or days of the week", ErrInvalid)
		}
		return nil
	}
	if slices.ContainsFunc(w.Days, func(d int) bool { return d < 0 || d > 6 }) {
		return fmt.Errorf("window: %w: days are 0 (Sunday) to 6", ErrInvalid)
	}
	if _, err := clock(w.Start); err != nil {
		return fmt.Errorf("window: %w: start: %w", ErrInvalid, err)
	}
	if w.Minutes < 1 || w.Minutes > 24*60 {
		return fmt.Errorf("window: %w: 1 to 1440 minutes", ErrInvalid)
	}
	return nil
}

// clock reads "02:30" as minutes since midnight.
func clock(s string) (int, error) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("%q is no time of day such as 02:30", s)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// Covers tells whether the window is open at now, and until when. A window of
// some hours is as long by the clock on the wall on the days when that jumps.
func (w *Window) Covers(now time.Time) (until time.Time, ok bool) {
	if w.Off {
		return time.Time{}, false
	}
	if len(w.Days) == 0 {
		return w.To, !now.Before(w.From) && now.Before(w.To)
	}
	zone, err := time.LoadLocation(w.Zone)
	if err != nil {
		return time.Time{}, false
	}
	start, err := clock(w.Start)
	if err != nil {
		return time.Time{}, false
	}
	local := now.In(zone)
	for back := 0; back <= 1; back++ { // one that began yesterday may still be open
		day := time.Date(local.Year(), local.Month(), local.Day()-back, 0, 0, 0, 0, zone)
		if !slices.Contains(w.Days, int(day.Weekday())) {
			continue
		}
		from := time.Date(day.Year(), day.Month(), day.Day(), start/60, start%60, 0, 0, zone)
		to := time.Date(day.Year(), day.Month(), day.Day(), start/60, start%60+w.Minutes, 0, 0, zone)
		if !now.Before(from) && now.Before(to) {
			return to, true
		}
	}
	return time.Time{}, false
}

// Escalation says who is told of which alarms, and who next when nobody takes
// them on.
type Escalation struct {
	ID         int64      `json:"id"`
	Title      string     `json:"title"`
	Sites      []string   `json:"sites,omitempty"` // none is all
	Severities []Severity `json:"severities"`
	Steps      []Step     `json:"steps"`
	Quiet      Quiet      `json:"quiet,omitzero"`
	Ends       bool       `json:"ends"` // tell too when it is over
	Off        bool       `json:"off,omitempty"`
}

// Step tells receivers some minutes after the alarm opened, unless somebody
// acknowledged it.
type Step struct {
	After     int     `json:"after_min"`
	Receivers []int64 `json:"receivers"`
}

// Quiet are hours in which all but the urgent waits.
type Quiet struct {
	From  string   `json:"from,omitempty"` // "22:00", local; empty is no quiet hours
	To    string   `json:"to,omitempty"`
	Zone  string   `json:"zone,omitempty"`
	Below Severity `json:"below,omitempty"` // waits; this and worse does not
}

// Check says what is wrong with an escalation.
func (e *Escalation) Check() error {
	switch {
	case strings.TrimSpace(e.Title) == "":
		return fmt.Errorf("escalation: %w: it needs a title", ErrInvalid)
	case len(e.Severities) == 0:
		return fmt.Errorf("escalation: %w: for which severities", ErrInvalid)
	case len(e.Steps) == 0 || len(e.Steps) > 10:
		return fmt.Errorf("escalation: %w: 1 to 10 steps", ErrInvalid)
	}
	for _, v := range e.Severities {
		if v.Rank() < 0 {
			return fmt.Errorf("escalation: %w: there is no severity %q", ErrInvalid, v)
		}
	}
	last := -1
	for i, st := range e.Steps {
		if st.After <= last || st.After > 7*24*60 {
			return fmt.Errorf("escalation: %w: step %d: each comes later than the one before, within a week", ErrInvalid, i+1)
		}
		if len(st.Receivers) == 0 {
			return fmt.Errorf("escalation: %w: step %d tells nobody", ErrInvalid, i+1)
		}
		last = st.After
	}
	if e.Quiet.From == "" {
		return nil
	}
	if _, err := clock(e.Quiet.From); err != nil {
		return fmt.Errorf("escalation: %w: quiet hours: %w", ErrInvalid, err)
	}
	if _, err := clock(e.Quiet.To); err != nil {
		return fmt.Errorf("escalation: %w: quiet hours: %w", ErrInvalid, err)
	}
	if _, err := time.LoadLocation(e.Quiet.Zone); err != nil {
		return fmt.Errorf("escalation: %w: quiet hours: %q is no time zone", ErrInvalid, e.Quiet.Zone)
	}
	if e.Quiet.Below.Rank() < 0 {
		return fmt.Errorf("escalation: %w: quiet hours: below which severity", ErrInvalid)
	}
	return nil
}

// holds tells whether quiet hours keep an alarm of a severity back.
func (q *Quiet) holds(v Severity, now time.Time) bool {
	if q.From == "" || v.Rank() >= q.Below.Rank() {
		return false
	}
	zone, err := time.LoadLocation(q.Zone)
	from, err1 := clock(q.From)
	to, err2 := clock(q.To)
	if err != nil || err1 != nil || err2 != nil {
		return false
	}
	local := now.In(zone)
	at := local.Hour()*60 + local.Minute()
	if from <= to {
		return at >= from && at < to
	}
	return at >= from || at < to
}

// Policy is everything that decides who is told.
type Policy struct {
	Silences    []Silence
	Windows     []Window
	Escalations []Escalation
}

// Told is one receiver that knows of an alarm.
type Told struct {
	Escalation int64     `json:"escalation"`
	Step       int       `json:"step"`
	Receiver   int64     `json:"receiver"`
	At         time.Time `json:"at"`
	What       Verb      `json:"what"`
}

// Verb is what a receiver is told.
type Verb string

// The verbs.
const (
	Trigger     Verb = "trigger"
	Acknowledge Verb = "acknowledge"
	Resolve     Verb = "resolve"
)

// Notice is one message to send.
type Notice struct {
	Alarm    *Alarm
	Verb     Verb
	Receiver int64
	Why      string // "step 2 of Night shift: nobody acknowledged it for 15 min"
}

// Quieten says which open alarms tell nobody at present, and why, and which do
// again. traits finds what a subject is.
func (s *State) Quieten(p Policy, o *Observation, now time.Time) Outcome {
	s.events, s.touched = nil, map[int64]*Alarm{}
	if len(s.open) == 0 {
		return Outcome{}
	}
	var of map[string]traits
	for _, a := range s.Open() {
		why := ""
		for i := range p.Silences {
			x := &p.Silences[i]
			if !x.Active(now) || x.Alarm != 0 && x.Alarm != a.ID || len(x.Rules) > 0 && !slices.Contains(x.Rules, a.Rule) || x.Most != "" && a.Severity.Rank() > x.Most.Rank() {
				continue
			}
			if of == nil {
				of = o.traits()
			}
			if all(a, &x.Match, of) {
				why = fmt.Sprintf("silenced by %s until %s: %s", x.By, x.Until.UTC().Format("2006-01-02 15:04 UTC"), x.Reason)
			}
		}
		for i := range p.Windows {
			x := &p.Windows[i]
			until, ok := x.Covers(now)
			if !ok {
				continue
			}
			if of == nil {
				of = o.traits()
			}
			if all(a, &x.Match, of) {
				why = fmt.Sprintf("maintenance until %s: %s", until.UTC().Format("2006-01-02 15:04 UTC"), x.Title)
			}
		}
		if why == a.Quiet {
			continue
		}
		a.Quiet = why
		if why == "" {
			s.tell(a, EventLoud, now, "")
		} else {
			s.tell(a, EventQuiet, now, why)
		}
	}
	return s.outcome()
}

func (o *Observation) traits() map[string]traits {
	out := make(map[string]traits, len(o.Machines)+len(o.Devices)+len(o.Caps))
	for i := range o.Machines {
		m := &o.Machines[i]
		out[m.Subject] = traits{m.Subject, m.Where, m.Model, m.Family, m.Group}
	}
	for i := range o.Devices {
		out[o.Devices[i].Subject] = traits{subject: o.Devices[i].Subject, where: o.Devices[i].Where}
	}
	for i := range o.Caps {
		out[o.Caps[i].Subject] = traits{subject: o.Caps[i].Subject, where: o.Caps[i].Where}
	}
	return out
}

// all tells whether a match has everything that is active in an alarm: an alarm
// that reaches beyond the place of a silence is told.
func all(a *Alarm, m *Match, of map[string]traits) bool {
	if m.All() {
		return true
	}
	for i := range a.Members {
		if x := &a.Members[i]; x.Left.IsZero() && !m.picks(of[x.Subject]) {
			return false
		}
	}
	return true
}

// Notices are the messages that are due now. What it returns is taken as told:
// the caller sees to it that it is delivered.
func (s *State) Notices(p Policy, changed []*Alarm, now time.Time) (out []Notice, o Outcome) {
	s.events, s.touched = nil, map[int64]*Alarm{}
	for _, a := range s.Open() {
		if a.Quiet != "" || a.Acked() {
			continue
		}
		for i := range p.Escalations {
			e := &p.Escalations[i]
			if e.Off || !slices.Contains(e.Severities, a.Severity) || !oneOf(e.Sites, a.Site) || e.Quiet.holds(a.Severity, now) {
				continue
			}
			for n, st := range e.Steps {
				if now.Sub(a.Opened) < time.Duration(st.After)*time.Minute || a.told(e.ID, n) {
					continue
				}
				for _, r := range st.Receivers {
					why := fmt.Sprintf("step %d of %s", n+1, e.Title)
					if n > 0 {
						why += fmt.Sprintf(": nobody acknowledged it for %d min", st.After)
					}
					out = append(out, Notice{a, Trigger, r, why})
					a.Told = append(a.Told, Told{e.ID, n, r, now, Trigger})
					s.tell(a, EventTold, now, why)
				}
			}
		}
	}
	for _, a := range changed {
		switch {
		case a.Phase != Open:
			for _, r := range a.knows(Resolve) {
				if p.ends(a, r) {
					out = append(out, Notice{a, Resolve, r, ""})
					a.Told = append(a.Told, Told{Receiver: r, At: now, What: Resolve, Step: -1})
					s.touch(a)
				}
			}
		case a.Acked():
			for _, r := range a.knows(Acknowledge) {
				out = append(out, Notice{a, Acknowledge, r, ""})
				a.Told = append(a.Told, Told{Receiver: r, At: now, What: Acknowledge, Step: -1})
				s.touch(a)
			}
		}
	}
	return out, s.outcome()
}

func (a *Alarm) told(escalation int64, step int) bool {
	return slices.ContainsFunc(a.Told, func(t Told) bool { return t.Escalation == escalation && t.Step == step && t.What == Trigger })
}

// knows are the receivers that were told of the alarm and not yet of what.
func (a *Alarm) knows(what Verb) (out []int64) {
	for _, t := range a.Told {
		if t.What == Trigger && !slices.Contains(out, t.Receiver) {
			out = append(out, t.Receiver)
		}
	}
	return slices.DeleteFunc(out, func(r int64) bool {
		for _, t := range slices.Backward(a.Told) { // told again since?
			if t.Receiver == r {
				return t.What == what
			}
		}
		return false
	})
}

func (p *Policy) ends(a *Alarm, receiver int64) bool {
	for _, t := range a.Told {
		if t.Receiver != receiver || t.What != Trigger {
			continue
		}
		i := slices.IndexFunc(p.Escalations, func(e Escalation) bool { return e.ID == t.Escalation })
		if i < 0 || p.Escalations[i].Ends {
			return true // who told it may be gone, its receiver still waits for the end
		}
	}
	return false
}

// Acknowledge says that somebody takes an alarm on: nobody else is told of it.
func (s *State) Acknowledge(id int64, by, note string, now time.Time) (Outcome, error) {
	a, ok := s.open[id]
	if !ok {
		return Outcome{}, fmt.Errorf("alarm %d: %w", id, ErrNotFound)
	}
	s.events, s.touched = nil, map[int64]*Alarm{}
	a.AckedAt, a.AckedBy, a.AckNote, a.Updated = now, by, note, now
	s.events = append(s.events, Event{Alarm: id, At: now, Kind: EventAcknowledged, Actor: by, Detail: note})
	s.touch(a)
	return s.outcome(), nil
}
