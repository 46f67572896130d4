package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Batch is what one person or program asked of several machines at once. Its
// commands carry its ID; how far they are is counted from them.
type Batch struct {
	ID             string               `json:"id"` // UUIDv7: sorts by time of creation
	Kind           string               `json:"kind"`
	Setting        json.RawMessage      `json:"setting"`
	Actor          string               `json:"actor"`
	Reason         string               `json:"reason,omitempty"`
	IdempotencyKey string               `json:"idempotency_key,omitempty"`
	Machines       int                  `json:"machines"` // that got a command
	Refused        []Refusals           `json:"refused"`  // that got none, by the reason
	CreatedAt      time.Time            `json:"created_at"`
	CancelledAt    time.Time            `json:"cancelled_at,omitzero"`
	CancelledBy    string               `json:"cancelled_by,omitempty"`
	States         map[CommandState]int `json:"states"` // commands in each state, now
}

// Refusals are machines that a wish cannot work on for one and the same reason.
type Refusals struct {
	Why      string  `json:"why"`
	Machines []int64 `json:"machines"`
}

// NewBatch is a wish for several machines.
type NewBatch struct {
	Kind           string
	Setting        json.RawMessage // as the commands have it
	Actor          string
	Reason         string
	IdempotencyKey string // "" is none; unique among batches
	Machines       int
	Refused        []Refusals
}

// BatchFilter picks batches. Zero fields do not restrict.
type BatchFilter struct {
	Actor  string
	Kind   string
	Sites  []string // with commands for machines at these, and counting only those
	Before string   // the ID that the page before ended with
	Limit  int      // 0 is all
}

// Batches are the record of what was asked of several machines at once.
type Batches interface {
	// CreateBatch writes a batch. One with an idempotency key that was used
	// before returns the first batch when kind, setting and actor are the same,
	// and ErrConflict when they are not. Its commands are made in the same Tx
	// with [NewCommand].Batch.
	CreateBatch(ctx context.Context, b NewBatch) (Batch, error)
	// Batch is one batch as its commands at sites stand now (nil is all sites);
	// ErrNotFound when there is none, or none of its commands lies there.
	Batch(ctx context.Context, id string, sites []string) (Batch, error)
	// Batches are those that f picks, newest first.
	Batches(ctx context.Context, f BatchFilter) ([]Batch, error)
	// MarkCancelled writes down who stopped a batch. The commands are moved on
	// with TransitionAll in the same Tx.
	MarkCancelled(ctx context.Context, id string, by Audit) error
}

// Normal checks a batch and puts it in the ledger's forms.
func (b NewBatch) Normal() (NewBatch, error) {
	if b.Kind == "" || b.Actor == "" {
		return b, fmt.Errorf("batch: %w: kind and actor must be given", ErrInvalid)
	}
	if len(bytes.TrimSpace(b.Setting)) == 0 {
		b.Setting = json.RawMessage("null")
	}
	setting, err := canonicalJSON(b.Setting)
	if err != nil {
		return b, fmt.Errorf("batch: %w: setting: %w", ErrInvalid, err)
	}
	b.Setting = setting
	b.Kind, b.Actor, b.Reason, b.IdempotencyKey = Clean(b.Kind, 0), Clean(b.Actor, 0), Clean(b.Reason, 0), Clean(b.IdempotencyKey, 0)
	for i := range b.Refused {
		b.Refused[i].Why = Clean(b.Refused[i].Why, 500)
	}
	if b.Refused == nil {
		b.Refused = []Refusals{}
	}
	return b, nil
}

// SameWish tells whether b is what w asks for.
func (b Batch) SameWish(w NewBatch) bool {
	return b.Kind == w.Kind && b.Actor == w.Actor && bytes.Equal(b.Setting, w.Setting)
}
