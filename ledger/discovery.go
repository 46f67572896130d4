package ledger

import (
	"context"
	"encoding/json"
	"time"
)

// Scan is one search of address ranges for machines, as the record remembers it.
type Scan struct {
	ID      int64           `json:"id"`
	Site    string          `json:"site"`
	Ranges  []string        `json:"ranges"`
	Actor   string          `json:"actor"`
	Started time.Time       `json:"started"`
	Ended   time.Time       `json:"ended,omitzero"`
	End     ScanEnd         `json:"end,omitempty"`
	Detail  string          `json:"detail,omitempty"` // why it failed
	Report  json.RawMessage `json:"report,omitempty"` // what it found, in figures; the ledger does not look inside
}

// ScanEnd says how a scan ended; empty while it runs.
type ScanEnd string

// The ends. A scan that the record has without an end when Ballast starts was
// cut off.
const (
	ScanDone      ScanEnd = "done"
	ScanCancelled ScanEnd = "cancelled"
	ScanFailed    ScanEnd = "failed"
	ScanCutOff    ScanEnd = "cut-off"
)

// ScanFilter picks scans. Zero fields do not restrict.
type ScanFilter struct {
	Site   string
	Before int64 // the ID that the page before ended with
	Limit  int   // 0 is all
}

// Discovery is the record of scans.
type Discovery interface {
	// BeginScan writes that a scan began, and returns its ID.
	BeginScan(ctx context.Context, s Scan, by Audit) (int64, error)
	// EndScan writes how a scan ended. ErrNotFound; ErrConflict when it has ended.
	EndScan(ctx context.Context, s Scan) error
	// CutOffScans ends all scans that have no end, at start.
	CutOffScans(ctx context.Context) error
	// Scans are those that f picks, newest first.
	Scans(ctx context.Context, f ScanFilter) ([]Scan, error)
	// Scan is one scan, or ErrNotFound.
	Scan(ctx context.Context, id int64) (Scan, error)
}

// MachinePassword is a password of machines and where it fits; empty fields fit
// all. The secret is sealed, and never leaves the record otherwise.
type MachinePassword struct {
	ID       int64
	Site     string
	Range    string // of addresses
	Firmware string
	Group    string
	User     string
	Sealed   string // by ledger/secretbox
	Note     string
	Created  time.Time
	Updated  time.Time
	By       string // who wrote it last
}

// MachinePasswords is the record of passwords.
type MachinePasswords interface {
	// SaveMachinePassword adds a password (ID 0) or replaces one, and returns its
	// ID. ErrNotFound when there is none to replace; ErrStale when Updated is set
	// and it was changed since.
	SaveMachinePassword(ctx context.Context, p MachinePassword, by Audit) (int64, error)
	// DeleteMachinePassword forgets one; ErrNotFound.
	DeleteMachinePassword(ctx context.Context, id int64, by Audit) error
	// MachinePasswords are all, by ID.
	MachinePasswords(ctx context.Context) ([]MachinePassword, error)
}

// PoolProfile is a named list of pools that machines are to mine at. Site and
// Group say whose it is; empty is everybody's.
type PoolProfile struct {
	ID      int64
	Name    string
	Site    string
	Group   string
	Pools   []ProfilePool
	Created time.Time
	Updated time.Time
	By      string
}

// ProfilePool is one of its pools.
type ProfilePool struct {
	URL    string `json:"url"`
	User   string `json:"user"`
	Sealed string `json:"sealed,omitempty"` // the password, by ledger/secretbox
}

// PoolProfiles is the record of pool profiles.
type PoolProfiles interface {
	// SavePoolProfile adds a profile (ID 0) or replaces one, and returns its ID.
	// ErrConflict when its name is taken, ErrNotFound; ErrStale when Updated is set
	// and it was changed since.
	SavePoolProfile(ctx context.Context, p PoolProfile, by Audit) (int64, error)
	// DeletePoolProfile forgets one; ErrNotFound.
	DeletePoolProfile(ctx context.Context, id int64, by Audit) error
	// PoolProfiles are all, by ID.
	PoolProfiles(ctx context.Context) ([]PoolProfile, error)
}
