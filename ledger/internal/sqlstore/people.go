package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"ballast/ledger"
)

const userColumns = "id, name, full_name, password_hash, grants, disabled_at, created_at, updated_at, version"

func scanUser(rows *sql.Rows) (u ledger.User, err error) {
	var grants string
	var disabled, created, updated int64
	if err := rows.Scan(&u.ID, &u.Name, &u.FullName, &u.PasswordHash, &grants, &disabled, &created, &updated, &u.Version); err != nil {
		return u, err
	}
	u.Disabled, u.CreatedAt, u.UpdatedAt = moment(disabled), moment(created), moment(updated)
	u.Grants, err = readGrants(grants)
	return u, err
}

func readGrants(text string) (gs []ledger.Grant, err error) {
	if err := json.Unmarshal([]byte(text), &gs); err != nil {
		return nil, fmt.Errorf("reading grants: %w", err)
	}
	return gs, nil
}

func checkGrants(gs []ledger.Grant) ([]ledger.Grant, error) {
	if gs == nil {
		gs = []ledger.Grant{}
	}
	for _, g := range gs {
		if !g.Role.Known() {
			return nil, fmt.Errorf("role %q: %w: there is no such role", g.Role, ledger.ErrInvalid)
		}
	}
	return gs, nil
}

func foldName(s string) string { return strings.ToLower(strings.TrimSpace(ledger.Clean(s, 0))) }

// AddUser implements ledger.People.
func (s *Store) AddUser(ctx context.Context, u ledger.User, by ledger.Audit) (ledger.User, error) {
	u.Name, u.FullName = strings.TrimSpace(ledger.Clean(u.Name, 0)), ledger.Clean(u.FullName, 0)
	if u.Name == "" {
		return ledger.User{}, fmt.Errorf("user: %w: it has no name", ledger.ErrInvalid)
	}
	var err error
	if u.Grants, err = checkGrants(u.Grants); err != nil {
		return ledger.User{}, err
	}
	err = s.change(ctx, func(t *txn) (err error) {
		if u.ID, err = t.bump(ctx, "user", 1); err != nil {
			return err
		}
		u.CreatedAt, u.UpdatedAt, u.Version = t.now(), t.now(), 1
		u.Disabled = ledger.Moment(u.Disabled)
		_, err = t.exec(ctx, "INSERT INTO users ("+userColumns+", name_folded) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			u.ID, u.Name, u.FullName, u.PasswordHash, jsonText(u.Grants), micros(u.Disabled), micros(u.CreatedAt), micros(u.UpdatedAt), u.Version, foldName(u.Name))
		if t.e.dialect.Classify(err) == Unique {
			return fmt.Errorf("user %s: %w: the name is taken", u.Name, ledger.ErrConflict)
		}
		if err != nil {
			return fmt.Errorf("writing user %s: %w", u.Name, err)
		}
		return t.audit(by.Or("user.add", fmt.Sprintf("user/%d", u.ID), jsonText(map[string]any{"name": u.Name, "grants": u.Grants})))
	})
	if err != nil {
		return ledger.User{}, err
	}
	return u, nil
}

// User implements ledger.People.
func (s *Store) User(ctx context.Context, id int64) (ledger.User, error) {
	return oneUser(ctx, s.reader(), "id = ?", id, "")
}

// UserByName implements ledger.People.
func (s *Store) UserByName(ctx context.Context, name string) (ledger.User, error) {
	return oneUser(ctx, s.reader(), "name_folded = ?", foldName(name), "")
}

func oneUser(ctx context.Context, q querier, condition string, key any, lock string) (ledger.User, error) {
	var w where
	w.and(condition, key)
	us, err := query(ctx, q, scanUser, "SELECT "+userColumns+" FROM users"+w.sql("id", 0)+lock, w.args...)
	if err != nil {
		return ledger.User{}, fmt.Errorf("reading user %v: %w", key, err)
	}
	if len(us) == 0 {
		return ledger.User{}, notFound("user", key, ledger.ErrNotFound)
	}
	return us[0], nil
}

// Users implements ledger.People.
func (s *Store) Users(ctx context.Context) ([]ledger.User, error) {
	out, err := query(ctx, s.reader(), scanUser, "SELECT "+userColumns+" FROM users ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("reading users: %w", err)
	}
	return out, nil
}

// EditUser implements ledger.People.
func (s *Store) EditUser(ctx context.Context, id int64, e ledger.UserEdit, by ledger.Audit) (ledger.User, error) {
	var u ledger.User
	err := s.change(ctx, func(t *txn) (err error) {
		// The counter's row is the lock under which admins come and go: of two who
		// lower each other at once, the second sees what the first did.
		if e.Grants.Ok() || e.Disabled.Ok() {
			if _, err := t.bump(ctx, "user", 0); err != nil {
				return err
			}
		}
		if u, err = oneUser(ctx, t, "id = ?", id, t.e.dialect.Lock); err != nil {
			return err
		}
		if v, ok := e.Version.Get(); ok && v != u.Version {
			return fmt.Errorf("user %d: %w", id, ledger.ErrStale)
		}
		was := u.Everywhere(ledger.Admin)
		detail := map[string]any{}
		if v, ok := e.FullName.Get(); ok {
			u.FullName = ledger.Clean(v, 0)
			detail["full_name"] = u.FullName
		}
		if v, ok := e.PasswordHash.Get(); ok {
			u.PasswordHash = v
			detail["password"] = "changed"
		}
		if v, ok := e.Grants.Get(); ok {
			if u.Grants, err = checkGrants(v); err != nil {
				return err
			}
			detail["grants"] = u.Grants
		}
		if v, ok := e.Disabled.Get(); ok {
			detail["disabled"] = v
			switch {
			case !v:
				u.Disabled = time.Time{}
			case u.Disabled.IsZero():
				u.Disabled = t.now()
			}
		}
		if was && !u.Everywhere(ledger.Admin) {
			if err := t.keepsAdmin(ctx, id); err != nil {
				return err
			}
		}
		u.UpdatedAt = t.now()
		u.Version++
		_, err = t.exec(ctx, "UPDATE users SET full_name = $1, password_hash = $2, grants = $3, disabled_at = $4, updated_at = $5, version = $6 WHERE id = $7",
			u.FullName, u.PasswordHash, jsonText(u.Grants), micros(u.Disabled), micros(u.UpdatedAt), u.Version, id)
		if err != nil {
			return fmt.Errorf("writing user %d: %w", id, err)
		}
		return t.audit(by.Or("user.edit", fmt.Sprintf("user/%d", id), jsonText(detail)))
	})
	if err != nil {
		return ledger.User{}, err
	}
	return u, nil
}

// keepsAdmin fails unless somebody else than the user is admin at all sites and
// has a way to sign in: a password, a passkey or an identity at a provider.
func (t *txn) keepsAdmin(ctx context.Context, but int64) error {
	able, err := query(ctx, t, scanUser, "SELECT "+userColumns+" FROM users WHERE id <> $1 AND disabled_at = 0 AND (password_hash <> ''"+
		" OR EXISTS (SELECT 1 FROM passkeys WHERE passkeys.user_id = users.id) OR EXISTS (SELECT 1 FROM identities WHERE identities.user_id = users.id))", but)
	if err != nil {
		return fmt.Errorf("reading who else is admin: %w", err)
	}
	for _, u := range able {
		if u.Everywhere(ledger.Admin) {
			return nil
		}
	}
	return fmt.Errorf("user %d: %w", but, ledger.ErrLastAdmin)
}
