package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"ballast/unit"
)

// Machine is one machine of the inventory. Its ID never changes and is never
// used again.
type Machine struct {
	ID              int64      `json:"id"`
	MAC             string     `json:"mac,omitempty"`    // lower case, colons
	Serial          string     `json:"serial,omitempty"` // of the machine, else of its control board
	Addr            netip.Addr `json:"addr,omitzero"`    // invalid when another machine took the address since
	Make            string     `json:"make,omitempty"`
	Model           string     `json:"model,omitempty"`
	Firmware        string     `json:"firmware,omitempty"`
	FirmwareVersion string     `json:"firmware_version,omitempty"`
	Hostname        string     `json:"hostname,omitempty"`
	Site            string     `json:"site,omitempty"`
	Place           Place      `json:"place,omitzero"`
	Placed          PlacedBy   `json:"placed,omitempty"` // who put it there
	Group           string     `json:"group,omitempty"`
	Name            string     `json:"name,omitempty"` // given by an operator
	Tags            []string   `json:"tags,omitempty"` // sorted
	Retired         time.Time  `json:"retired,omitzero"`
	FirstSeen       time.Time  `json:"first_seen"`
	LastSeen        time.Time  `json:"last_seen"`
}

// Version tells states of what people edit of a machine from one another: where
// it stands, its name, group and tags, and whether it is in service.
func (m Machine) Version() int64 {
	return VersionOf(append([]string{m.Site, m.Place.Building, m.Place.Container, m.Place.Rack, m.Place.Slot, string(m.Placed), m.Group, m.Name, strconv.FormatInt(m.Retired.UnixMicro(), 10)}, m.Tags...)...)
}

// VersionOf tells states of a thing from one another that keeps no count of its
// changes. It is no counter: what is set back to what it was has its old version.
// It fits into the whole numbers of JavaScript and is never 0.
func VersionOf(parts ...string) int64 {
	h := sha256.New()
	for _, s := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(s), s) // a hash takes everything
	}
	return int64(binary.BigEndian.Uint64(h.Sum(nil))>>11) | 1
}

// Place is where in its site a machine stands, in the owner's own names.
type Place struct {
	Building  string `json:"building,omitempty"`
	Container string `json:"container,omitempty"`
	Rack      string `json:"rack,omitempty"`
	Slot      string `json:"slot,omitempty"`
}

// String prints "Hall/C01/R02/7", "" for no place.
func (p Place) String() string {
	var parts []string
	for _, s := range []string{p.Building, p.Container, p.Rack, p.Slot} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "/")
}

// PlacedBy says who put a machine where it stands.
type PlacedBy string

// The ways to a place. By hand wins over the layout until it is cleared.
const (
	PlacedByNobody PlacedBy = ""
	PlacedByHand   PlacedBy = "hand"
	PlacedByLayout PlacedBy = "layout"
)

// Site is one mining site. Layout is the owner's description of it, kept as
// given (JSON, as site.FromJSON reads it); the ledger does not look inside.
type Site struct {
	Name      string          `json:"name"` // short and stable: "odessa-1"
	Title     string          `json:"title,omitempty"`
	Ranges    []string        `json:"ranges,omitempty"` // addresses that belong to it: "10.20.0.0/16"
	Layout    json.RawMessage `json:"layout,omitempty"`
	Version   int64           `json:"version"` // grows with every save, from 1
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// Group is the name that some machines share for dispatch and passwords.
type Group struct {
	Name     string `json:"name"`
	Machines int    `json:"machines"` // in service
}

// Sighting is one look at a machine: what it told about itself, where and when.
// Empty fields were not told and change nothing. Addresses mean something only
// within their site, since sites may use the same private ranges.
type Sighting struct {
	Addr            netip.Addr
	MAC             string
	Serial          string
	Make            string
	Model           string
	Firmware        string
	FirmwareVersion string
	Hostname        string
	Site            string
	At              time.Time // zero is now
}

// AddressSpan is a time that a machine had an address. Until is zero while it
// still has it.
type AddressSpan struct {
	Machine int64      `json:"machine"`
	Site    string     `json:"site,omitempty"`
	Addr    netip.Addr `json:"addr"`
	Since   time.Time  `json:"since"`
	Until   time.Time  `json:"until,omitzero"`
}

// IdentityChange is a change in what a machine says it is: a control board
// exchanged, a firmware flashed.
type IdentityChange struct {
	Machine int64     `json:"machine"`
	At      time.Time `json:"at"`
	Field   string    `json:"field"` // "mac", "serial", "make", "model", "firmware", "firmware_version", "site"
	Was     string    `json:"was"`
	Now     string    `json:"now"`
}

// SharedIdentity is a MAC or serial that two machines told at the same time,
// as cloned control-board images do. It identifies nobody until an operator
// clears it.
type SharedIdentity struct {
	Field string    `json:"field"` // "mac" or "serial"
	Value string    `json:"value"`
	Since time.Time `json:"since"`
}

// MachineFilter picks machines. Zero fields do not restrict.
type MachineFilter struct {
	Site    string
	Group   string
	Tag     string
	Addr    netip.Addr
	Search  string         // part of name, hostname, MAC, serial, address or model, in any case
	Retired unit.Opt[bool] // None is both
	After   int64          // the ID that the page before ended with
	Limit   int            // 0 is all
}

// MachineEdit is what an operator may change. Missing fields stay.
type MachineEdit struct {
	Name       unit.Opt[string]
	Group      unit.Opt[string]
	Site       unit.Opt[string]
	Place      unit.Opt[Place]
	Retired    unit.Opt[bool]
	Version    unit.Opt[int64] // ErrStale unless the machine still has this [Machine.Version]
	AddTags    []string
	RemoveTags []string
}

// Inventory is the record of sites and machines.
type Inventory interface {
	// SaveSite adds a site or replaces its title, ranges and layout. With
	// s.Version set it must be the one that the ledger holds: else ErrConflict.
	SaveSite(ctx context.Context, s Site, by Audit) error
	// Sites are all sites, by name.
	Sites(ctx context.Context) ([]Site, error)
	// Site is one of them, or ErrNotFound.
	Site(ctx context.Context, name string) (Site, error)
	// RemoveSite takes a site out of the record: ErrConflict while machines in
	// service are at it, ErrNotFound when it is not there.
	RemoveSite(ctx context.Context, name string, by Audit) error
	// PlaceMachines puts machines where the layout of their site has them, all or
	// none, and returns the machines that this changed, by ID. An empty Place
	// takes a machine out of its slot. Machines that stand where they do by hand,
	// or are retired, or at another site, stay as they are. ErrConflict when a
	// slot would hold two machines in service.
	PlaceMachines(ctx context.Context, site string, places map[int64]Place, by Audit) ([]int64, error)

	// ObserveMachines records a batch of sightings and returns the machine that
	// each is, in the same order, as it stands after the batch. Which machine a
	// sighting is, and when it is a new one, is decided by [Follow]. A sighting
	// that tells neither address, MAC nor serial gives a Machine without ID.
	ObserveMachines(ctx context.Context, batch []Sighting) ([]Machine, error)
	// Machine is one machine, or ErrNotFound.
	Machine(ctx context.Context, id int64) (Machine, error)
	// Machines are those that f picks, by ID.
	Machines(ctx context.Context, f MachineFilter) ([]Machine, error)
	// EditMachines changes machines alike, all or none: ErrNotFound when one is
	// not there, ErrStale when one has another version than the edit names,
	// ErrConflict when a slot would hold two machines in service. A Place is then set by hand; an empty one lets the layout decide again.
	EditMachines(ctx context.Context, ids []int64, e MachineEdit, by Audit) error
	// Groups are the groups in use, by name.
	Groups(ctx context.Context) ([]Group, error)

	// AddressHistory is where a machine was, oldest first.
	AddressHistory(ctx context.Context, machine int64) ([]AddressSpan, error)
	// IdentityHistory is what a machine said it was, oldest first.
	IdentityHistory(ctx context.Context, machine int64) ([]IdentityChange, error)
	// SharedIdentities are the MACs and serials that identify nobody.
	SharedIdentities(ctx context.Context) ([]SharedIdentity, error)
	// ClearShared lets a MAC or serial identify a machine again.
	ClearShared(ctx context.Context, field, value string, by Audit) error
}

// Longest text that is kept of what a machine tells about itself.
const identityLimit = 200

// Normal is the sighting in the ledger's forms: addresses unmapped, MACs as
// "aa:bb:cc:dd:ee:ff", placeholder serials dropped, text storable, now when it
// has no time.
func (s Sighting) Normal(now time.Time) Sighting {
	s.Addr = s.Addr.Unmap().WithZone("")
	s.MAC = normalMAC(s.MAC)
	s.Serial = normalSerial(s.Serial)
	for _, f := range []*string{&s.Make, &s.Model, &s.Firmware, &s.FirmwareVersion, &s.Hostname, &s.Site} {
		*f = strings.TrimSpace(Clean(*f, identityLimit))
	}
	if s.At.IsZero() {
		s.At = now
	}
	s.At = Moment(s.At)
	return s
}

// normalMAC writes a MAC as "aa:bb:cc:dd:ee:ff"; what is none, or an address
// that firmwares invent when they have none, gives "".
func normalMAC(s string) string {
	hex := make([]byte, 0, 12)
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f':
			hex = append(hex, c)
		case c >= 'A' && c <= 'F':
			hex = append(hex, c+'a'-'A')
		case c == ':', c == '-', c == '.', c == ' ':
		default:
			return ""
		}
	}
	if len(hex) != 12 || same(hex) {
		return ""
	}
	out := make([]byte, 0, 17)
	for i := 0; i < 12; i += 2 {
		if i > 0 {
			out = append(out, ':')
		}
		out = append(out, hex[i], hex[i+1])
	}
	return string(out)
}

// normalSerial drops the words that firmwares print when they know no serial.
func normalSerial(s string) string {
	s = strings.TrimSpace(Clean(s, identityLimit))
	switch strings.ToLower(s) {
	case "n/a", "na", "none", "null", "nil", "unknown", "undefined", "default", "empty", "invalid", "serial", "to be filled by o.e.m.":
		return ""
	}
	if len(s) < 4 || same([]byte(s)) {
		return "" // "0", "00000000", "FFFFFFFFFFFF", "--------"
	}
	return s
}

func same(b []byte) bool {
	for _, c := range b {
		if c != b[0] {
			return false
		}
	}
	return true
}
