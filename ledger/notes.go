package ledger

import (
	"context"
	"time"
)

// Note is what somebody wrote down about a machine.
type Note struct {
	ID      int64     `json:"id"`
	Machine int64     `json:"machine"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Text    string    `json:"text"`
}

// SavedFilter is a choice of machines that somebody looks at again: the part
// of a page's address that makes it. Owner 0 is everybody.
type SavedFilter struct {
	ID        int64     `json:"id"`
	Owner     int64     `json:"owner"`
	Name      string    `json:"name"`
	Query     string    `json:"query"`
	Actor     string    `json:"actor"` // who saved it
	UpdatedAt time.Time `json:"updated_at"`
}

// Longest texts that people may write.
const (
	NoteLimit   = 4000 // bytes
	FilterLimit = 4000
)

// Notes are what people keep beside the inventory.
type Notes interface {
	// AddNote writes a note: ErrNotFound without its machine, ErrInvalid when it
	// is empty.
	AddNote(ctx context.Context, machine int64, text string, by Audit) (Note, error)
	// DeleteNote removes a note of a machine, or ErrNotFound.
	DeleteNote(ctx context.Context, machine, id int64, by Audit) error
	// NotesOf are the notes about a machine, newest first.
	NotesOf(ctx context.Context, machine int64) ([]Note, error)

	// SaveFilter keeps a filter under its owner and name; one of that name is
	// replaced and keeps its ID.
	SaveFilter(ctx context.Context, f SavedFilter, by Audit) (SavedFilter, error)
	// SavedFilters are those of an owner, and those of everybody, by name.
	SavedFilters(ctx context.Context, owner int64) ([]SavedFilter, error)
	// SavedFilter is one, or ErrNotFound.
	SavedFilter(ctx context.Context, id int64) (SavedFilter, error)
	// DeleteFilter removes a filter, or ErrNotFound.
	DeleteFilter(ctx context.Context, id int64, by Audit) error
}
