package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// CommandState is how far a command has come.
type CommandState string

// The states of a command. An acknowledgement is never trusted: only a later
// reading confirms.
const (
	Pending      CommandState = "pending"      // written, not yet sent
	Dispatched   CommandState = "dispatched"   // sent, or about to be: after a crash it may have arrived
	Acknowledged CommandState = "acknowledged" // the machine said yes
	Confirmed    CommandState = "confirmed"    // a reading shows it
	Drifted      CommandState = "drifted"      // it was, or should be, in force and readings show something else
	Refused      CommandState = "refused"      // the machine said no, for good
	Unreachable  CommandState = "unreachable"  // nobody answered until the deadline
	Expired      CommandState = "expired"      // the deadline passed without confirmation
	Superseded   CommandState = "superseded"   // a newer command took its place
	Cancelled    CommandState = "cancelled"    // taken back before it was sent
)

// commandStates is in the order of a life.
var commandStates = []CommandState{Pending, Dispatched, Acknowledged, Confirmed, Drifted, Refused, Unreachable, Expired, Superseded, Cancelled}

// CommandStates are all states, in the order in which a command may pass them.
func CommandStates() []CommandState { return slices.Clone(commandStates) }

// next are the legal transitions.
var next = map[CommandState][]CommandState{
	Pending:      {Dispatched, Refused, Unreachable, Expired, Superseded, Cancelled},
	Dispatched:   {Dispatched, Acknowledged, Confirmed, Drifted, Refused, Unreachable, Expired, Superseded},
	Acknowledged: {Dispatched, Confirmed, Drifted, Refused, Unreachable, Expired, Superseded},
	Confirmed:    {Drifted, Superseded},
	Drifted:      {Dispatched, Confirmed, Refused, Unreachable, Expired, Superseded},
}

// Can tells whether a command may go from s to to. Dispatched to dispatched is
// another attempt; acknowledged or drifted to dispatched is a repetition of a
// command that did not take or did not last.
func (s CommandState) Can(to CommandState) bool { return slices.Contains(next[s], to) }

// Open tells whether there is still something to do: send, or wait for proof.
func (s CommandState) Open() bool { return s == Pending || s == Dispatched || s == Acknowledged }

// Standing tells whether the command says what the machine should be doing, so
// that readings are held against it.
func (s CommandState) Standing() bool { return s == Confirmed || s == Drifted }

// Final tells whether the command can never change again.
func (s CommandState) Final() bool { return s.Known() && len(next[s]) == 0 }

// Known tells whether s is a state at all.
func (s CommandState) Known() bool { return slices.Contains(commandStates, s) }

// Command is one command to one machine, from the wish to its proof.
type Command struct {
	ID             string          `json:"id"` // UUIDv7: sorts by time of creation
	Machine        int64           `json:"machine"`
	Kind           string          `json:"kind"`
	Setting        json.RawMessage `json:"setting"`
	Actor          string          `json:"actor"`
	Reason         string          `json:"reason,omitempty"`
	IdempotencyKey string          `json:"idempotency_key,omitempty"`
	Deadline       time.Time       `json:"deadline,omitzero"`
	State          CommandState    `json:"state"`
	Attempts       int             `json:"attempts"` // times dispatched
	CreatedAt      time.Time       `json:"created_at"`
	UpdatedAt      time.Time       `json:"updated_at"`
	Detail         string          `json:"detail,omitempty"`      // of the last transition
	Batch          string          `json:"batch,omitempty"`       // the batch it came with
	ConfirmedAt    time.Time       `json:"confirmed_at,omitzero"` // when a reading first showed it
}

// NewCommand is a wish. Setting is JSON and must hold no secret. Kinds listed
// in Supersedes are replaced: open and standing commands of those kinds for
// the same machine become superseded in the same transaction.
type NewCommand struct {
	Machine        int64
	Kind           string
	Setting        json.RawMessage // nil is null
	Actor          string
	Reason         string
	IdempotencyKey string    // "" is none; unique in the ledger
	Deadline       time.Time // zero is none
	Supersedes     []string
	Batch          string // "" is none
}

// Transition moves one command on, if it is still in From.
type Transition struct {
	ID     string
	From   CommandState
	To     CommandState
	Actor  string
	Detail string
}

// Transitioned is the outcome of one Transition: the command as it now stands,
// or why not (ErrNotFound, ErrConflict).
type Transitioned struct {
	Command Command
	Err     error
}

// CommandEvent is one step in a command's life. The first has no From.
type CommandEvent struct {
	Command string       `json:"command"`
	Seq     int          `json:"seq"` // from 1, without a hole
	At      time.Time    `json:"at"`
	From    CommandState `json:"from,omitempty"`
	To      CommandState `json:"to"`
	Actor   string       `json:"actor"`
	Detail  string       `json:"detail,omitempty"`
}

// CommandFilter picks commands. Zero fields do not restrict.
type CommandFilter struct {
	Machine int64
	Batch   string
	Sites   []string // of the machines; nil is all
	States  []CommandState
	Kinds   []string
	Actor   string
	Since   time.Time // created at or after
	Until   time.Time // created before
	Before  string    // the ID that the page before ended with
	Limit   int       // 0 is all
}

// Commands is the command ledger.
type Commands interface {
	// CreateCommand writes a wish as a pending command. A wish with an
	// idempotency key that was used before returns the first command, as it now
	// stands, when machine, kind, setting and actor are the same, and
	// ErrConflict when they are not. ErrNotFound: no such machine.
	CreateCommand(ctx context.Context, c NewCommand) (Command, error)
	// CreateCommands writes many wishes, all or none, with one audit row for
	// each actor, reason and kind among them. The result has the same order.
	CreateCommands(ctx context.Context, cs []NewCommand) ([]Command, error)
	// Transition moves a command on: ErrConflict when it is not in From any
	// more, or when From to To is no legal step.
	Transition(ctx context.Context, t Transition) (Command, error)
	// TransitionAll moves many commands on in one transaction; each succeeds or
	// fails on its own. A command may occur once.
	TransitionAll(ctx context.Context, ts []Transition) ([]Transitioned, error)
	// Command is one command, or ErrNotFound.
	Command(ctx context.Context, id string) (Command, error)
	// Commands are those that f picks, newest first.
	Commands(ctx context.Context, f CommandFilter) ([]Command, error)
	// OpenCommands are all open commands, oldest first: what is to be taken up
	// again after a start.
	OpenCommands(ctx context.Context) ([]Command, error)
	// CommandEvents is the life of one command, oldest first, or ErrNotFound.
	CommandEvents(ctx context.Context, id string) ([]CommandEvent, error)
}

// Normal checks a wish and puts it in the ledger's forms.
func (c NewCommand) Normal() (NewCommand, error) {
	if c.Kind == "" || c.Actor == "" {
		return c, fmt.Errorf("command for machine %d: %w: kind and actor must be given", c.Machine, ErrInvalid)
	}
	if len(bytes.TrimSpace(c.Setting)) == 0 {
		c.Setting = json.RawMessage("null")
	}
	setting, err := canonicalJSON(c.Setting)
	if err != nil {
		return c, fmt.Errorf("command for machine %d: %w: setting: %w", c.Machine, ErrInvalid, err)
	}
	c.Setting = setting
	c.Kind, c.Actor, c.Reason, c.IdempotencyKey = Clean(c.Kind, 0), Clean(c.Actor, 0), Clean(c.Reason, 0), Clean(c.IdempotencyKey, 0)
	c.Deadline = Moment(c.Deadline)
	return c, nil
}

// SameWish tells whether c is what w asks for, so that a repeated request may
// be answered with it.
func (c Command) SameWish(w NewCommand) bool {
	return c.Machine == w.Machine && c.Kind == w.Kind && c.Actor == w.Actor && bytes.Equal(c.Setting, w.Setting)
}

// Apply is the pure half of a transition: the command after t at now, or why
// not.
func (c Command) Apply(t Transition, now time.Time) (Command, error) {
	switch {
	case t.Actor == "" || !t.To.Known():
		return c, fmt.Errorf("command %s to %q: %w: actor and state must be given", c.ID, t.To, ErrInvalid)
	case c.State != t.From:
		return c, fmt.Errorf("command %s to %s: %w: it is %s, not %s", c.ID, t.To, ErrConflict, c.State, t.From)
	case !c.State.Can(t.To):
		return c, fmt.Errorf("command %s: %w: a %s command cannot become %s", c.ID, ErrConflict, c.State, t.To)
	}
	c.State, c.Detail = t.To, Clean(t.Detail, 0)
	if now = Moment(now); now.After(c.UpdatedAt) {
		c.UpdatedAt = now
	}
	switch {
	case t.To == Dispatched:
		c.Attempts++
	case t.To == Confirmed && c.ConfirmedAt.IsZero():
		c.ConfirmedAt = c.UpdatedAt
	}
	return c, nil
}

// canonicalJSON writes any JSON value with sorted keys and without blanks, and
// numbers as they were written.
func canonicalJSON(b []byte) (json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("more than one value")
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return json.RawMessage(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), nil
}
