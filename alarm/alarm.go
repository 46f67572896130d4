// Package alarm decides what a person must be told about a site, and what not.
//
// The story in order:
//
//   - An [Observation] is everything that is known at one instant: machines,
//     meters, caps, cooling, Ballast itself. What is old or missing says so.
//   - A [Rule] watches one thing ([Watch]) of every machine, device or place: it
//     is raised beyond one level for long enough, and cleared beyond another, so
//     that a value near the edge does not chatter.
//   - Each rule and subject beyond its level is a condition. Conditions that
//     begin together and share a place, a switch or a firmware rollout become
//     one [Alarm] that names what they have in common ([Cause]); it grows,
//     narrows, splits, merges and ends as they do.
//   - [Policy] says who is told, when, and what keeps quiet: silences,
//     maintenance windows, quiet hours, an acknowledgement.
//
// The staleness contract: what is off on purpose raises nothing. What an open
// command does while it settles raises nothing. A value that is old is never
// compared: it neither raises nor clears, and missing data is an alarm of its
// own. A rule that cannot judge counts how often it could not ([RuleState]).
//
// [State.Step] is a pure function of the state it is given, the observation and
// the time: no clock, no I/O, no chance. The same input gives the same alarms.
package alarm

import (
	"errors"
	"time"
)

// Errors of this room.
var (
	ErrInvalid  = errors.New("not valid")
	ErrNotFound = errors.New("no such alarm")
	ErrClosed   = errors.New("the alarm is over")
)

// Severity says how soon a person is needed.
type Severity string

// The severities.
const (
	Info     Severity = "info"     // worth knowing, tells nobody by itself
	Minor    Severity = "minor"    // in the morning
	Major    Severity = "major"    // today
	Critical Severity = "critical" // now
)

var severities = []Severity{Info, Minor, Major, Critical}

// Severities are all, from the least to the most urgent.
func Severities() []Severity { return append([]Severity{}, severities...) }

// Rank orders severities; -1 is none at all.
func (s Severity) Rank() int {
	for i, o := range severities {
		if o == s {
			return i
		}
	}
	return -1
}

func (s Severity) up(n int) Severity {
	return severities[min(max(s.Rank(), 0)+n, len(severities)-1)]
}

// Class is a kind of trouble; only conditions of one class are explained by one
// cause.
type Class string

// The classes.
const (
	Gone   Class = "gone"   // does not answer
	Unread Class = "unread" // answers, and cannot be read
	Work   Class = "work"   // does not hash as it should
	Heat   Class = "heat"
	Pool   Class = "pool"
	Change Class = "change" // of firmware
	Load   Class = "load"   // power above a cap
	Gear   Class = "gear"   // a meter or controller is missing
	Self   Class = "self"   // Ballast's own trouble
)

// Phase is where in its life an alarm is.
type Phase string

// The phases.
const (
	Open     Phase = "open"
	Resolved Phase = "resolved"
	Merged   Phase = "merged" // became part of another alarm
)

// Alarm is one thing for a person to know: a cause and what it hits.
type Alarm struct {
	ID       int64    `json:"id"`
	Class    Class    `json:"class"`
	Phase    Phase    `json:"phase"`
	Severity Severity `json:"severity"`
	Rule     int64    `json:"rule"` // that most of its members are under
	Title    string   `json:"title"`
	Cause    Cause    `json:"cause"`
	Also     []Cause  `json:"also,omitempty"` // other things that the same machines share
	Hint     string   `json:"hint,omitempty"` // what else speaks for one explanation
	Site     string   `json:"site"`
	Means    string   `json:"means"`
	Safe     string   `json:"safe"`
	Press    string   `json:"press"`

	Since    time.Time `json:"since"` // when the first condition began
	Opened   time.Time `json:"opened"`
	Updated  time.Time `json:"updated"`
	Grown    time.Time `json:"grown"` // when a member came last
	Ended    time.Time `json:"ended,omitzero"`
	AckedAt  time.Time `json:"acked_at,omitzero"`
	AckedBy  string    `json:"acked_by,omitempty"`
	AckNote  string    `json:"ack_note,omitempty"`
	Reopened int       `json:"reopened,omitempty"` // times it came back soon after it ended
	Flapping bool      `json:"flapping,omitempty"`
	Into     int64     `json:"into,omitempty"`  // the alarm it was merged into
	From     int64     `json:"from,omitempty"`  // the alarm it was split from
	Peak     int       `json:"peak"`            // most subjects at once
	Quiet    string    `json:"quiet,omitempty"` // why nobody is told: a silence or a window
	Members  []Member  `json:"members"`
	Told     []Told    `json:"told,omitempty"`
}

// Member is one condition of an alarm: a rule and what it is raised on.
type Member struct {
	Subject  string    `json:"subject"` // "machine/17", "device/meter-f1", "cap/feeder/F1", "self/storage"
	Name     string    `json:"name"`
	Rule     int64     `json:"rule"`
	Watch    Watch     `json:"watch"`
	Severity Severity  `json:"severity"`
	Value    float64   `json:"value"` // in the watch's unit, the newest that was known
	Detail   string    `json:"detail,omitempty"`
	Place    string    `json:"place,omitempty"`
	Since    time.Time `json:"since"`  // when the condition began
	Raised   time.Time `json:"raised"` // when it had lasted long enough
	Left     time.Time `json:"left,omitzero"`
	Why      string    `json:"why,omitempty"`    // it left
	Raises   int       `json:"raises,omitempty"` // times it was raised in the last hours
	Stale    bool      `json:"stale,omitempty"`  // held, but cannot be judged at present
}

// Active counts the distinct subjects that are still in trouble.
func (a *Alarm) Active() int {
	n, last := 0, map[string]bool{}
	for i := range a.Members {
		if m := &a.Members[i]; m.Left.IsZero() && !last[m.Subject] {
			last[m.Subject] = true
			n++
		}
	}
	return n
}

// Acked tells whether somebody took the alarm on.
func (a *Alarm) Acked() bool { return !a.AckedAt.IsZero() }

// EventKind is what happened to an alarm.
type EventKind string

// The kinds of event.
const (
	EventOpened       EventKind = "opened"
	EventReopened     EventKind = "reopened"
	EventGrew         EventKind = "grew"
	EventShrank       EventKind = "shrank"
	EventCause        EventKind = "cause" // was widened or narrowed
	EventSplit        EventKind = "split"
	EventMerged       EventKind = "merged"
	EventSeverity     EventKind = "severity"
	EventAcknowledged EventKind = "acknowledged"
	EventQuiet        EventKind = "quiet" // silenced, or in a maintenance window
	EventLoud         EventKind = "loud"  // not any more
	EventTold         EventKind = "told"
	EventResolved     EventKind = "resolved"
)

// Event is one step of an alarm's life.
type Event struct {
	Alarm  int64     `json:"alarm"`
	At     time.Time `json:"at"`
	Kind   EventKind `json:"kind"`
	Actor  string    `json:"actor,omitempty"` // a person; empty is Ballast
	Detail string    `json:"detail,omitempty"`
}
