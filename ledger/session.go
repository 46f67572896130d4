package ledger

import (
	"context"
	"time"
)

// Session is one browser that somebody signed in with. The ledger holds the
// SHA-256 of its token only.
type Session struct {
	ID        int64
	Sum       string // HashSecret of the token in the browser's cookie
	User      int64
	Method    string // "password", "passkey", "oidc", "link"
	Device    string // what the browser says it is
	Address   string // where it was last seen
	CreatedAt time.Time
	LastSeen  time.Time
	Expires   time.Time
}

// SessionFilter picks sessions. Zero fields do not restrict.
type SessionFilter struct {
	User   int64
	ID     int64
	Except int64 // not the one with this ID
}

// Sessions is the record of who is signed in where. Beginning and using one is
// not audited here (the sign-in is, by its caller); ending one is.
type Sessions interface {
	// AddSession adds a session and returns it with its ID and times. ID,
	// CreatedAt and LastSeen of x are ignored. ErrNotFound when there is no such
	// user.
	AddSession(ctx context.Context, x Session) (Session, error)
	// SessionBySum finds a session that has not expired, or ErrNotFound.
	SessionBySum(ctx context.Context, sum string) (Session, error)
	// Sessions are those that f picks and that have not expired, the last used
	// first.
	Sessions(ctx context.Context, f SessionFilter) ([]Session, error)
	// TouchSession notes that a session was used, from where, and how long it
	// lasts from now on; ErrNotFound when it ended. Call it at most once a minute.
	TouchSession(ctx context.Context, id int64, address string, expires time.Time) error
	// EndSessions ends those that f picks and says how many. It is audited when
	// there was one. ErrInvalid when f picks everybody's.
	EndSessions(ctx context.Context, f SessionFilter, by Audit) (int, error)
	// PurgeSessions forgets expired sessions and says how many.
	PurgeSessions(ctx context.Context) (int, error)
}

// Passkey is a WebAuthn credential of a user. Its public part is no secret.
type Passkey struct {
	ID         int64
	Credential string // base64url of the credential's ID
	User       int64
	Name       string // as its owner calls it
	Data       string // the credential record, JSON
	CreatedAt  time.Time
	LastUsed   time.Time
}

// Identity is who a user is at an OpenID Connect provider.
type Identity struct {
	Issuer    string
	Subject   string // the provider's own number for the person; never reused
	User      int64
	Email     string // as the provider last told
	CreatedAt time.Time
	LastUsed  time.Time
}

// Credentials is the record of what people sign in with beside passwords.
type Credentials interface {
	// AddPasskey adds a passkey and returns it with its ID; ErrConflict when the
	// credential is known already.
	AddPasskey(ctx context.Context, p Passkey, by Audit) (Passkey, error)
	// PasskeyByCredential finds a passkey, or ErrNotFound.
	PasskeyByCredential(ctx context.Context, credential string) (Passkey, error)
	// Passkeys are those of a user, by ID.
	Passkeys(ctx context.Context, user int64) ([]Passkey, error)
	// NamePasskey renames a passkey of a user, or ErrNotFound.
	NamePasskey(ctx context.Context, id, user int64, name string, by Audit) error
	// UsePasskey notes that a passkey was used and keeps its new data (the
	// signature counter). It is not audited.
	UsePasskey(ctx context.Context, id int64, data string) error
	// RemovePasskey removes a passkey of a user, or ErrNotFound.
	RemovePasskey(ctx context.Context, id, user int64, by Audit) error

	// AddIdentity joins an identity to a user; ErrConflict when it belongs to
	// somebody already.
	AddIdentity(ctx context.Context, i Identity, by Audit) error
	// IdentityBySubject finds an identity, or ErrNotFound.
	IdentityBySubject(ctx context.Context, issuer, subject string) (Identity, error)
	// Identities are those of a user.
	Identities(ctx context.Context, user int64) ([]Identity, error)
	// UseIdentity notes that an identity was used, and its e-mail now. It is not
	// audited.
	UseIdentity(ctx context.Context, issuer, subject, email string) error
	// RemoveIdentity parts an identity from a user, or ErrNotFound.
	RemoveIdentity(ctx context.Context, issuer, subject string, user int64, by Audit) error
}
