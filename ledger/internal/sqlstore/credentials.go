package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"ballast/ledger"
)

const passkeyColumns = "id, credential, user_id, name, data, created_at, last_used" //nolint:gosec // columns

func scanPasskey(rows *sql.Rows) (p ledger.Passkey, err error) {
	var created, used int64
	err = rows.Scan(&p.ID, &p.Credential, &p.User, &p.Name, &p.Data, &created, &used)
	p.CreatedAt, p.LastUsed = moment(created), moment(used)
	return p, err
}

// AddPasskey implements ledger.Credentials.
func (s *Store) AddPasskey(ctx context.Context, p ledger.Passkey, by ledger.Audit) (ledger.Passkey, error) {
	if p.Credential == "" || p.Data == "" {
		return ledger.Passkey{}, fmt.Errorf("passkey: %w: credential and data must be given", ledger.ErrInvalid)
	}
	p.Name = ledger.Clean(p.Name, 0)
	err := s.change(ctx, func(t *txn) (err error) {
		if p.ID, err = t.bump(ctx, "passkey", 1); err != nil {
			return err
		}
		p.CreatedAt, p.LastUsed = t.now(), moment(0)
		_, err = t.exec(ctx, "INSERT INTO passkeys ("+passkeyColumns+") VALUES ($1, $2, $3, $4, $5, $6, 0)",
			p.ID, p.Credential, p.User, p.Name, p.Data, micros(p.CreatedAt))
		switch t.e.dialect.Classify(err) {
		case Unique:
			return fmt.Errorf("passkey: %w: it is registered already", ledger.ErrConflict)
		case Reference:
			return notFound("user", p.User, ledger.ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("writing a passkey: %w", err)
		}
		return t.audit(by.Or("passkey.add", fmt.Sprintf("user/%d", p.User), jsonText(map[string]any{"passkey": p.ID, "name": p.Name})))
	})
	if err != nil {
		return ledger.Passkey{}, err
	}
	return p, nil
}

// PasskeyByCredential implements ledger.Credentials.
func (s *Store) PasskeyByCredential(ctx context.Context, credential string) (ledger.Passkey, error) {
	ps, err := query(ctx, s.reader(), scanPasskey, "SELECT "+passkeyColumns+" FROM passkeys WHERE credential = $1", ledger.Clean(credential, 0))
	if err != nil {
		return ledger.Passkey{}, fmt.Errorf("reading a passkey: %w", err)
	}
	if len(ps) == 0 {
		return ledger.Passkey{}, fmt.Errorf("passkey: %w", ledger.ErrNotFound)
	}
	return ps[0], nil
}

// Passkeys implements ledger.Credentials.
func (s *Store) Passkeys(ctx context.Context, user int64) ([]ledger.Passkey, error) {
	out, err := query(ctx, s.reader(), scanPasskey, "SELECT "+passkeyColumns+" FROM passkeys WHERE user_id = $1 ORDER BY id", user)
	if err != nil {
		return nil, fmt.Errorf("reading passkeys: %w", err)
	}
	return out, nil
}

// NamePasskey implements ledger.Credentials.
func (s *Store) NamePasskey(ctx context.Context, id, user int64, name string, by ledger.Audit) error {
	name = ledger.Clean(name, 0)
	return s.changeOne(ctx, "passkey", id, by.Or("passkey.name", fmt.Sprintf("user/%d", user), jsonText(map[string]any{"passkey": id, "name": name})),
		"UPDATE passkeys SET name = $1 WHERE id = $2 AND user_id = $3", name, id, user)
}

// UsePasskey implements ledger.Credentials.
func (s *Store) UsePasskey(ctx context.Context, id int64, data string) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "UPDATE passkeys SET last_used = $1, data = $2 WHERE id = $3", micros(t.now()), data, id)
		if err == nil && n == 0 {
			return notFound("passkey", id, ledger.ErrNotFound)
		}
		return err
	})
}

// RemovePasskey implements ledger.Credentials.
func (s *Store) RemovePasskey(ctx context.Context, id, user int64, by ledger.Audit) error {
	return s.changeOne(ctx, "passkey", id, by.Or("passkey.remove", fmt.Sprintf("user/%d", user), jsonText(map[string]any{"passkey": id})),
		"DELETE FROM passkeys WHERE id = $1 AND user_id = $2", id, user)
}

// changeOne runs a statement that must hit a row, and audits it.
func (s *Store) changeOne(ctx context.Context, what string, key any, a ledger.Audit, text string, args ...any) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, text, args...)
		if err != nil {
			return fmt.Errorf("changing %s %v: %w", what, key, err)
		}
		if n == 0 {
			return notFound(what, key, ledger.ErrNotFound)
		}
		return t.audit(a)
	})
}

const identityColumns = "issuer, subject, user_id, email, created_at, last_used"

func scanIdentity(rows *sql.Rows) (i ledger.Identity, err error) {
	var created, used int64
	err = rows.Scan(&i.Issuer, &i.Subject, &i.User, &i.Email, &created, &used)
	i.CreatedAt, i.LastUsed = moment(created), moment(used)
	return i, err
}

// AddIdentity implements ledger.Credentials.
func (s *Store) AddIdentity(ctx context.Context, i ledger.Identity, by ledger.Audit) error {
	if i.Issuer == "" || i.Subject == "" || i.Subject != ledger.Clean(i.Subject, 0) {
		return fmt.Errorf("identity: %w: issuer and subject must be given", ledger.ErrInvalid)
	}
	i.Email = ledger.Clean(i.Email, 0)
	return s.change(ctx, func(t *txn) error {
		_, err := t.exec(ctx, "INSERT INTO identities ("+identityColumns+") VALUES ($1, $2, $3, $4, $5, $6)", i.Issuer, i.Subject, i.User, i.Email, micros(t.now()), micros(t.now()))
		switch t.e.dialect.Classify(err) {
		case Unique:
			return fmt.Errorf("identity: %w: it belongs to an account already", ledger.ErrConflict)
		case Reference:
			return notFound("user", i.User, ledger.ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("writing an identity: %w", err)
		}
		return t.audit(by.Or("identity.add", fmt.Sprintf("user/%d", i.User), jsonText(map[string]any{"issuer": i.Issuer, "email": i.Email})))
	})
}

// IdentityBySubject implements ledger.Credentials.
func (s *Store) IdentityBySubject(ctx context.Context, issuer, subject string) (ledger.Identity, error) {
	is, err := query(ctx, s.reader(), scanIdentity, "SELECT "+identityColumns+" FROM identities WHERE issuer = $1 AND subject = $2", issuer, ledger.Clean(subject, 0))
	if err != nil {
		return ledger.Identity{}, fmt.Errorf("reading an identity: %w", err)
	}
	if len(is) == 0 {
		return ledger.Identity{}, fmt.Errorf("identity: %w", ledger.ErrNotFound)
	}
	return is[0], nil
}

// Identities implements ledger.Credentials.
func (s *Store) Identities(ctx context.Context, user int64) ([]ledger.Identity, error) {
	out, err := query(ctx, s.reader(), scanIdentity, "SELECT "+identityColumns+" FROM identities WHERE user_id = $1 ORDER BY issuer, subject", user)
	if err != nil {
		return nil, fmt.Errorf("reading identities: %w", err)
	}
	return out, nil
}

// UseIdentity implements ledger.Credentials.
func (s *Store) UseIdentity(ctx context.Context, issuer, subject, email string) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "UPDATE identities SET last_used = $1, email = $2 WHERE issuer = $3 AND subject = $4", micros(t.now()), ledger.Clean(email, 0), issuer, subject)
		if err == nil && n == 0 {
			return notFound("identity", subject, ledger.ErrNotFound)
		}
		return err
	})
}

// RemoveIdentity implements ledger.Credentials.
func (s *Store) RemoveIdentity(ctx context.Context, issuer, subject string, user int64, by ledger.Audit) error {
	return s.changeOne(ctx, "identity", subject, by.Or("identity.remove", fmt.Sprintf("user/%d", user), jsonText(map[string]any{"issuer": issuer})),
		"DELETE FROM identities WHERE issuer = $1 AND subject = $2 AND user_id = $3", issuer, ledger.Clean(subject, 0), user)
}
