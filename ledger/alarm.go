package ledger

import (
	"context"
	"encoding/json"
	"time"
)

// Alarm is one alarm as the record keeps it. Doc is the alarm room's own value
// (JSON); the ledger does not look inside. The other fields are what lists are
// picked by.
type Alarm struct {
	ID       int64           `json:"id"`
	Site     string          `json:"site"`
	Phase    string          `json:"phase"`
	Severity string          `json:"severity"`
	Class    string          `json:"class"`
	Opened   time.Time       `json:"opened"`
	Ended    time.Time       `json:"ended,omitzero"`
	Acked    time.Time       `json:"acked,omitzero"`
	Doc      json.RawMessage `json:"doc"`
}

// AlarmEvent is one step in an alarm's life.
type AlarmEvent struct {
	Alarm  int64     `json:"alarm"`
	Seq    int       `json:"seq"` // from 1, without a hole
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Actor  string    `json:"actor,omitempty"` // empty is Ballast itself
	Detail string    `json:"detail,omitempty"`
}

// AlarmFilter picks alarms. Zero fields do not restrict.
type AlarmFilter struct {
	Phases     []string
	Severities []string
	Sites      []string
	EndedSince time.Time // ended at or after; those that are open are left out
	Before     int64     // the ID that the page before ended with
	Limit      int       // 0 is all
}

// Document is something that people set up and one room understands: an alarm
// rule, a silence, a receiver. Doc is JSON and must hold no secret in clear.
type Document struct {
	ID        int64           `json:"id"`
	Kind      string          `json:"kind"`
	Doc       json.RawMessage `json:"doc"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// Message is one message in the outbox.
type Message struct {
	ID        int64           `json:"id"`
	Receiver  int64           `json:"receiver"`
	Alarm     int64           `json:"alarm,omitempty"` // that it is about; 0 is none
	State     MessageState    `json:"state"`
	Attempts  int             `json:"attempts"`
	Next      time.Time       `json:"next"` // not before
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
	Detail    string          `json:"detail,omitempty"` // what the receiver answered last
	Doc       json.RawMessage `json:"doc"`
}

// MessageState is how far a message has come.
type MessageState string

// The states of a message.
const (
	MessageWaiting   MessageState = "waiting"
	MessageDelivered MessageState = "delivered"
	MessageFailed    MessageState = "failed" // given up
)

// AlarmChange is what one moment changed: alarms as they stand now, the events
// that led there, and the messages that are to go out. Either all of it is kept
// or none.
type AlarmChange struct {
	Alarms   []Alarm
	Events   []AlarmEvent // Seq is given by the ledger
	Messages []Message    // ID and times are given by the ledger
}

// Alarms is the record of alarms, of what people set up for them, and of the
// messages about them.
type Alarms interface {
	// SaveAlarms writes a change. A person's part in it is audited with by; the
	// zero Audit is for what Ballast finds itself, whose history are the events.
	SaveAlarms(ctx context.Context, c AlarmChange, by Audit) error
	// Alarm is one alarm, or ErrNotFound.
	Alarm(ctx context.Context, id int64) (Alarm, error)
	// Alarms are those that f picks, newest first.
	Alarms(ctx context.Context, f AlarmFilter) ([]Alarm, error)
	// AlarmEvents are the life of an alarm, oldest first.
	AlarmEvents(ctx context.Context, alarm int64) ([]AlarmEvent, error)
	// LastAlarm is the highest ID of any alarm; 0 when there was none.
	LastAlarm(ctx context.Context) (int64, error)

	// Documents are all of one kind, by ID.
	Documents(ctx context.Context, kind string) ([]Document, error)
	// Document is one, or ErrNotFound.
	Document(ctx context.Context, kind string, id int64) (Document, error)
	// SaveDocument adds a document (ID 0) or replaces one (ErrNotFound when it is
	// not there). With UpdatedAt set, a replacement takes only the version that
	// this is of: else ErrStale. UpdatedAt grows with every change. The audit row
	// carries what the document says.
	SaveDocument(ctx context.Context, d Document, by Audit) (Document, error)
	// DeleteDocument removes one; ErrNotFound when it is not there.
	DeleteDocument(ctx context.Context, kind string, id int64, by Audit) error

	// DueMessages are those that wait and may be sent at now, oldest first.
	DueMessages(ctx context.Context, now time.Time, limit int) ([]Message, error)
	// AlarmMessages are all about one alarm, oldest first.
	AlarmMessages(ctx context.Context, alarm int64) ([]Message, error)
	// MarkMessage writes how an attempt went.
	MarkMessage(ctx context.Context, id int64, to MessageState, next time.Time, detail string) error
	// PurgeMessages forgets delivered and failed messages older than before.
	PurgeMessages(ctx context.Context, before time.Time) (int, error)
}
