// Package ledger is the door to the relational record of a mining company: its
// machines and where they stand, the commands given to them, the people who
// may give them, and an audit log that shows tampering.
//
// There is no SQL here. The engines stand behind this door and pass one suite
// of tests (ledger/ledgertest): ledger/sqlite is embedded and is the default,
// ledger/postgres is for companies that outgrow one machine or have a database
// team. Both run the same queries and the same migrations; which one is a line
// of configuration.
//
// What is decided, rather than stored, is here as pure functions: which machine
// a sighting is ([Follow]), which way a command may go ([CommandState.Can]),
// how the audit chain is hashed and checked ([AuditRow.Sum], [ChainCheck]).
//
// Everything that a person causes is written to the audit log in the same
// transaction as the change itself: methods that change something take an
// [Audit] that says who; [Store.Tx] joins several changes into one.
//
// Times are kept to the microsecond, in UTC.
package ledger

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"ballast/unit"
)

// The ways a call can fail. Stores wrap them, and what they wrap says which
// row: errors.Is tells what to do.
var (
	ErrNotFound  = errors.New("not in the ledger")
	ErrConflict  = errors.New("conflicts with what the ledger holds") // lost race, taken name, illegal transition, reused key
	ErrInvalid   = errors.New("not valid")                            // the caller's mistake
	ErrStale     = errors.New("was changed by somebody else meanwhile")
	ErrLastAdmin = errors.New("would leave nobody who is admin at all sites and can sign in")
	ErrTampered  = errors.New("the audit log was tampered with")
	ErrNewer     = errors.New("the ledger was written by a newer Ballast")
)

// Tx is everything that can be read and changed as one. Calls made on one Tx
// see each other's changes, and either all of them last or none.
type Tx interface {
	Inventory
	Notes
	Discovery
	MachinePasswords
	PoolProfiles
	Commands
	Batches
	People
	Sessions
	Credentials
	Settings
	Reports
	PowerPrices
	PowerContracts
	SiteImports
	Forecasts
	Alarms
	Market
	Money
	Outlook
	AuditLog
}

// Store is an open ledger. It is safe for concurrent use; each call is a
// transaction of its own, durable when it returns: a kill or a power cut after
// that loses nothing.
type Store interface {
	Tx

	// Tx runs do in one transaction and commits it when do returns nil. The
	// engine may run do again after losing a race, so do must have no effect
	// outside the Tx it is given. A Tx within a Tx joins the outer one.
	Tx(ctx context.Context, do func(Tx) error) error
	// Ping tells whether the engine answers.
	Ping(ctx context.Context) error
	// Close waits for calls under way and lets go of the engine.
	Close() error
}

// Settings are small values that the product keeps about itself, by key. They
// are not the configuration file.
type Settings interface {
	// Setting is the value of key, or ErrNotFound.
	Setting(ctx context.Context, key string) (string, error)
	// Settings are all values whose key starts with prefix.
	Settings(ctx context.Context, prefix string) (map[string]string, error)
	// SetSetting writes the value of key.
	SetSetting(ctx context.Context, key, value string, by Audit) error
	// ReplaceSetting is SetSetting for whoever read was (None: that there is no
	// value); ErrStale when there is another by now.
	ReplaceSetting(ctx context.Context, key string, was unit.Opt[string], value string, by Audit) error
	// DeleteSetting removes key; ErrNotFound when it is not there.
	DeleteSetting(ctx context.Context, key string, by Audit) error
}

// Moment cuts t to what the ledger keeps: microseconds, UTC.
func Moment(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// Clean makes text from outside storable in every engine: valid UTF-8, no NUL,
// at most limit bytes (0 is no limit), cut at a whole character.
func Clean(s string, limit int) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	if limit > 0 && len(s) > limit {
		cut := limit
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	return s
}
