package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Facility is one contract of debt as the record keeps it. The ledger does not
// look into Body; Principal and Currency stand beside it so that the record can
// be added up without.
type Facility struct {
	ID        string          `json:"id"`
	Version   int             `json:"version"`   // from 1, one up with each change
	Principal int64           `json:"principal"` // minor units
	Currency  string          `json:"currency"`
	Body      json.RawMessage `json:"body"`
	Removed   bool            `json:"removed,omitempty"` // this version took it away
	Actor     string          `json:"actor"`
	At        time.Time       `json:"at"`
}

// MoneyEntry is a dated line of a company's book. Kind, Day, Name and Part
// together are its own: an entry with the same takes its place.
type MoneyEntry struct {
	ID       int64           `json:"id"`
	Kind     string          `json:"kind"` // "balance", "flow", "payment", "machine-price", "rate"
	Day      string          `json:"day"`  // 2026-11-22
	Name     string          `json:"name"` // account, line, facility, tier, index
	Part     string          `json:"part"` // what else tells it from others
	Amount   int64           `json:"amount"`
	Currency string          `json:"currency"`
	Doc      json.RawMessage `json:"doc"` // what else there is to say
	Actor    string          `json:"actor"`
	At       time.Time       `json:"at"`
}

// MoneyTerms are what a company's figures are reckoned with.
type MoneyTerms struct {
	Version int             `json:"version"` // 0: none were ever given
	Body    json.RawMessage `json:"body"`
	Actor   string          `json:"actor"`
	At      time.Time       `json:"at"`
}

// MoneyBook is all of it at one instant.
type MoneyBook struct {
	Rev        int64        // one up with every change
	Terms      MoneyTerms   // the newest
	Facilities []Facility   // in force, by ID
	Entries    []MoneyEntry // by kind, day, name and part
}

// MoneyChange is a change of the book: all of it is kept or none.
type MoneyChange struct {
	// Seen is the Rev that the change was made from; ErrStale when the book is
	// another one by now.
	Seen       int64
	Facilities []Facility   // added, or put in place of those with the same ID
	Remove     []string     // facilities
	Entries    []MoneyEntry // added, or put in place of those with the same kind, day, name and part
	Drop       []int64      // entries
	Terms      json.RawMessage
}

// Empty tells whether nothing would change.
func (c MoneyChange) Empty() bool {
	return len(c.Facilities)+len(c.Remove)+len(c.Entries)+len(c.Drop) == 0 && c.Terms == nil
}

// DebtDay is a company's position as it was seen last on a day.
type DebtDay struct {
	Day  string          `json:"day"`
	Body json.RawMessage `json:"body"`
	At   time.Time       `json:"at"`
}

// Money is what a company owes and owns.
type Money interface {
	// MoneyBook is the whole book, of one instant.
	MoneyBook(ctx context.Context) (MoneyBook, error)
	// ChangeMoney makes a change, with an audit row for each facility, one for
	// the terms and one for all entries together. It returns the new Rev.
	ChangeMoney(ctx context.Context, c MoneyChange, by Audit) (int64, error)
	// FacilityVersions are all that a facility ever was, newest first; ErrNotFound.
	FacilityVersions(ctx context.Context, id string) ([]Facility, error)

	// SaveDebtDay keeps a day's position, in place of one that was kept before.
	SaveDebtDay(ctx context.Context, d DebtDay) error
	// DebtDays are those from first to last, oldest first.
	DebtDays(ctx context.Context, first, last string) ([]DebtDay, error)
}

// Normal checks a change and puts it in the ledger's forms.
func (c MoneyChange) Normal() (MoneyChange, error) {
	bad := func(format string, args ...any) (MoneyChange, error) {
		return c, fmt.Errorf("money: %w: "+format, append([]any{ErrInvalid}, args...)...)
	}
	if c.Empty() {
		return bad("nothing changes")
	}
	if c.Terms != nil && !json.Valid(c.Terms) {
		return bad("the terms are no JSON")
	}
	fs, seen := make([]Facility, len(c.Facilities)), map[string]bool{}
	for i, f := range c.Facilities {
		if id := Clean(f.ID, 100); f.ID == "" || id != f.ID || strings.ContainsAny(id, "/\\?#%") {
			return bad("%.100q cannot be the id of a facility", f.ID)
		}
		if f.Principal <= 0 || f.Currency == "" || !json.Valid(f.Body) || seen[f.ID] {
			return bad("facility %s needs a principal, a currency and a body, and to be there once", f.ID)
		}
		seen[f.ID], fs[i] = true, f
	}
	for _, id := range c.Remove {
		if seen[id] {
			return bad("facility %s is changed and removed", id)
		}
		seen[id] = true
	}
	es, have := make([]MoneyEntry, len(c.Entries)), map[[4]string]bool{}
	for i, e := range c.Entries {
		e.Name, e.Part = Clean(e.Name, 200), Clean(e.Part, 400)
		if len(e.Doc) == 0 {
			e.Doc = json.RawMessage("{}")
		}
		if _, err := time.Parse(time.DateOnly, e.Day); err != nil || e.Kind == "" || e.Name == "" || !json.Valid(e.Doc) {
			return bad("entry %d needs a kind, a day and a name", i+1)
		}
		key := [4]string{e.Kind, e.Day, e.Name, e.Part}
		if have[key] {
			return bad("%s of %s on %s is there twice", e.Kind, e.Name, e.Day)
		}
		have[key] = true
		es[i] = e
	}
	c.Facilities, c.Entries = fs, es
	return c, nil
}
