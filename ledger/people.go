package ledger

import (
	"context"
	"slices"
	"time"

	"ballast/unit"
)

// Role is what a person is at one site, or at all. What each role may do is the
// server's policy; the record only keeps who has which.
type Role string

// The roles.
const (
	Viewer     Role = "viewer"     // looks
	Technician Role = "technician" // works at the racks
	Operator   Role = "operator"   // commands machines
	Engineer   Role = "engineer"   // changes sites, limits, rules
	Finance    Role = "finance"    // looks, and sees to debt and contracts
	Admin      Role = "admin"      // everything, people and keys too
	Tenant     Role = "tenant"     // rents hashrate; sees what is theirs
)

// Roles are all roles.
func Roles() []Role {
	return []Role{Viewer, Technician, Operator, Engineer, Finance, Admin, Tenant}
}

// Known tells whether r is a role at all.
func (r Role) Known() bool { return slices.Contains(Roles(), r) }

// Grant gives a role at one site, or at all when Site is empty.
type Grant struct {
	Role Role   `json:"role"`
	Site string `json:"site,omitempty"`
}

// User is a person who may sign in.
type User struct {
	ID           int64     `json:"id"`
	Name         string    `json:"name"` // to sign in with; unique in any case
	FullName     string    `json:"full_name,omitempty"`
	PasswordHash string    `json:"-"` // encoded argon2id; "" cannot sign in with a password
	Grants       []Grant   `json:"grants"`
	Disabled     time.Time `json:"disabled,omitzero"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	Version      int64     `json:"version"` // from 1; each edit counts
}

// Everywhere tells whether u has a role at all sites and may sign in with it.
func (u User) Everywhere(r Role) bool {
	return u.Disabled.IsZero() && slices.Contains(u.Grants, Grant{Role: r})
}

// UserEdit is what may change about a user. Missing fields stay.
type UserEdit struct {
	Version      unit.Opt[int64] // ErrStale unless the user still has this version
	FullName     unit.Opt[string]
	PasswordHash unit.Opt[string]
	Grants       unit.Opt[[]Grant]
	Disabled     unit.Opt[bool]
}

// SetupToken lets its bearer set up one account, once. The ledger holds the
// SHA-256 of the token only.
type SetupToken struct {
	ID        int64
	Sum       string // HashSecret of the token
	Purpose   Purpose
	Note      string // for whom, in words
	User      int64  // for whom, when there is an account already
	Grants    []Grant
	CreatedAt time.Time
	Expires   time.Time
}

// Purpose is what a set-up token is good for.
type Purpose string

// The purposes.
const (
	ForConsole Purpose = "admin"          // from the console of Ballast's own machine: makes or recovers any account
	ForInvite  Purpose = "invite"         // makes a new account and touches no other
	ForReset   Purpose = "reset-password" // gives one account a new password and nothing else
)

// APIKey lets a program in. The ledger holds the SHA-256 of its secret only.
type APIKey struct {
	ID        int64     `json:"id"`
	Prefix    string    `json:"prefix"` // shown, and looked up by
	Sum       string    `json:"-"`      // HashSecret of the whole key
	User      int64     `json:"user"`   // whose key it is
	Name      string    `json:"name"`
	Scopes    []string  `json:"scopes"`
	CreatedAt time.Time `json:"created_at"`
	Expires   time.Time `json:"expires,omitzero"` // zero is never
	Revoked   time.Time `json:"revoked,omitzero"`
	LastUsed  time.Time `json:"last_used,omitzero"`
}

// Valid tells whether k opens the door for this secret at now, in a time that
// does not depend on how much of it is right.
func (k APIKey) Valid(key string, now time.Time) bool {
	return SameSum(k.Sum, HashSecret(key)) && k.Revoked.IsZero() && (k.Expires.IsZero() || now.Before(k.Expires))
}

// People is the record of users, set-up tokens and API keys.
type People interface {
	// AddUser adds a user and returns it with its ID; ErrConflict when the name
	// is taken. ID and times of u are ignored.
	AddUser(ctx context.Context, u User, by Audit) (User, error)
	// User is one user, or ErrNotFound.
	User(ctx context.Context, id int64) (User, error)
	// UserByName finds a user by name in any case, or ErrNotFound.
	UserByName(ctx context.Context, name string) (User, error)
	// Users are all users, by ID.
	Users(ctx context.Context) ([]User, error)
	// EditUser changes a user, or ErrNotFound. ErrStale when somebody else did
	// since the version that e names; ErrLastAdmin when nobody would be left who is
	// admin at all sites and has a way to sign in.
	EditUser(ctx context.Context, id int64, e UserEdit, by Audit) (User, error)

	// AddSetupToken writes a token that works until it is used or expires.
	AddSetupToken(ctx context.Context, t SetupToken, by Audit) error
	// SetupTokenBySum is the token with this sum when it would work, or
	// ErrNotFound. It uses nothing up.
	SetupTokenBySum(ctx context.Context, sum string) (SetupToken, error)
	// SetupTokens are those that would work, by ID.
	SetupTokens(ctx context.Context) ([]SetupToken, error)
	// RevokeSetupToken takes back a token that would work, or ErrNotFound.
	RevokeSetupToken(ctx context.Context, id int64, by Audit) error
	// UseSetupToken takes the token with this sum, which then works no more.
	// ErrNotFound when it was never there, was used, or has expired. Of two
	// callers at once exactly one gets it.
	UseSetupToken(ctx context.Context, sum string, by Audit) (SetupToken, error)

	// AddAPIKey adds a key and returns it with its ID. ID and CreatedAt of k are
	// ignored.
	AddAPIKey(ctx context.Context, k APIKey, by Audit) (APIKey, error)
	// APIKeyByPrefix finds a key, or ErrNotFound. Ask APIKey.Valid.
	APIKeyByPrefix(ctx context.Context, prefix string) (APIKey, error)
	// APIKey is one key, or ErrNotFound.
	APIKey(ctx context.Context, id int64) (APIKey, error)
	// APIKeys are the keys of a user, or all when user is 0, by ID.
	APIKeys(ctx context.Context, user int64) ([]APIKey, error)
	// RevokeAPIKey ends a key, or ErrNotFound.
	RevokeAPIKey(ctx context.Context, id int64, by Audit) error
	// TouchAPIKey notes that a key was used. It is not audited; call it at most
	// once a minute.
	TouchAPIKey(ctx context.Context, id int64) error
}
