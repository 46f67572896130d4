package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ballast/ledger"
)

const userColumns = "id, name, full_name, password_hash, grants, disabled_at, created_at, updated_at"

func scanUser(rows *sql.Rows) (u ledger.User, err error) {
	var grants string
	var disabled, created, updated int64
	if err := rows.Scan(&u.ID, &u.Name, &u.FullName, &u.PasswordHash, &grants, &disabled, &created, &updated); err != nil {
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
		u.CreatedAt, u.UpdatedAt = t.now(), t.now()
		u.Disabled = ledger.Moment(u.Disabled)
		_, err = t.exec(ctx, "INSERT INTO users ("+userColumns+", name_folded) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			u.ID, u.Name, u.FullName, u.PasswordHash, jsonText(u.Grants), micros(u.Disabled), micros(u.CreatedAt), micros(u.UpdatedAt), foldName(u.Name))
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
		if u, err = oneUser(ctx, t, "id = ?", id, t.e.dialect.Lock); err != nil {
			return err
		}
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
		u.UpdatedAt = t.now()
		_, err = t.exec(ctx, "UPDATE users SET full_name = $1, password_hash = $2, grants = $3, disabled_at = $4, updated_at = $5 WHERE id = $6",
			u.FullName, u.PasswordHash, jsonText(u.Grants), micros(u.Disabled), micros(u.UpdatedAt), id)
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

// AddSetupToken implements ledger.People.
func (s *Store) AddSetupToken(ctx context.Context, tok ledger.SetupToken, by ledger.Audit) error {
	if tok.Sum == "" || tok.Expires.IsZero() {
		return fmt.Errorf("set-up token: %w: sum and expiry must be given", ledger.ErrInvalid)
	}
	grants, err := checkGrants(tok.Grants)
	if err != nil {
		return err
	}
	return s.change(ctx, func(t *txn) error {
		_, err := t.exec(ctx, "INSERT INTO setup_tokens (sum, purpose, user_id, grants, created_at, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, 0)",
			tok.Sum, ledger.Clean(tok.Purpose, 0), tok.User, jsonText(grants), micros(t.now()), micros(ledger.Moment(tok.Expires)))
		if err != nil {
			return fmt.Errorf("writing a set-up token: %w", err)
		}
		return t.audit(by.Or("setup_token.add", "setup_token/"+tok.Purpose, jsonText(map[string]any{"user": tok.User, "grants": grants, "expires": ledger.Moment(tok.Expires)})))
	})
}

// UseSetupToken implements ledger.People.
func (s *Store) UseSetupToken(ctx context.Context, sum string, by ledger.Audit) (ledger.SetupToken, error) {
	var tok ledger.SetupToken
	err := s.change(ctx, func(t *txn) error {
		var grants string
		var created, expires int64
		// One statement, so that of two callers one finds it used.
		err := t.QueryRowContext(ctx, "UPDATE setup_tokens SET used_at = $1 WHERE sum = $2 AND used_at = 0 AND expires_at > $3 "+
			"RETURNING sum, purpose, user_id, grants, created_at, expires_at", micros(t.now()), sum, micros(t.now())).
			Scan(&tok.Sum, &tok.Purpose, &tok.User, &grants, &created, &expires)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("set-up token: %w, or used, or expired", ledger.ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("using a set-up token: %w", err)
		}
		tok.CreatedAt, tok.Expires = moment(created), moment(expires)
		if tok.Grants, err = readGrants(grants); err != nil {
			return err
		}
		return t.audit(by.Or("setup_token.use", "setup_token/"+tok.Purpose, ""))
	})
	if err != nil {
		return ledger.SetupToken{}, err
	}
	return tok, nil
}

const keyColumns = "id, prefix, sum, user_id, name, scopes, created_at, expires_at, revoked_at, last_used"

func scanKey(rows *sql.Rows) (k ledger.APIKey, err error) {
	var scopes string
	var created, expires, revoked, used int64
	if err := rows.Scan(&k.ID, &k.Prefix, &k.Sum, &k.User, &k.Name, &scopes, &created, &expires, &revoked, &used); err != nil {
		return k, err
	}
	k.CreatedAt, k.Expires, k.Revoked, k.LastUsed = moment(created), moment(expires), moment(revoked), moment(used)
	if err := json.Unmarshal([]byte(scopes), &k.Scopes); err != nil {
		return k, fmt.Errorf("reading scopes: %w", err)
	}
	return k, nil
}

// AddAPIKey implements ledger.People.
func (s *Store) AddAPIKey(ctx context.Context, k ledger.APIKey, by ledger.Audit) (ledger.APIKey, error) {
	if k.Prefix == "" || k.Sum == "" {
		return ledger.APIKey{}, fmt.Errorf("API key: %w: prefix and sum must be given", ledger.ErrInvalid)
	}
	k.Name, k.Expires, k.Revoked, k.LastUsed = ledger.Clean(k.Name, 0), ledger.Moment(k.Expires), time.Time{}, time.Time{}
	if k.Scopes = slices.Clone(k.Scopes); k.Scopes == nil {
		k.Scopes = []string{}
	}
	err := s.change(ctx, func(t *txn) (err error) {
		if k.ID, err = t.bump(ctx, "api_key", 1); err != nil {
			return err
		}
		k.CreatedAt = t.now()
		_, err = t.exec(ctx, "INSERT INTO api_keys ("+keyColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0)",
			k.ID, k.Prefix, k.Sum, k.User, k.Name, jsonText(k.Scopes), micros(k.CreatedAt), micros(k.Expires))
		if t.e.dialect.Classify(err) == Reference {
			return notFound("user", k.User, ledger.ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("writing an API key: %w", err)
		}
		return t.audit(by.Or("api_key.add", "api_key/"+k.Prefix, jsonText(map[string]any{"user": k.User, "name": k.Name, "scopes": k.Scopes, "expires": k.Expires})))
	})
	if err != nil {
		return ledger.APIKey{}, err
	}
	return k, nil
}

// APIKeyByPrefix implements ledger.People.
func (s *Store) APIKeyByPrefix(ctx context.Context, prefix string) (ledger.APIKey, error) {
	ks, err := query(ctx, s.reader(), scanKey, "SELECT "+keyColumns+" FROM api_keys WHERE prefix = $1", prefix)
	if err != nil {
		return ledger.APIKey{}, fmt.Errorf("reading API key %s: %w", prefix, err)
	}
	if len(ks) == 0 {
		return ledger.APIKey{}, notFound("API key", prefix, ledger.ErrNotFound)
	}
	return ks[0], nil
}

// APIKeys implements ledger.People.
func (s *Store) APIKeys(ctx context.Context, user int64) ([]ledger.APIKey, error) {
	var w where
	if user != 0 {
		w.and("user_id = ?", user)
	}
	out, err := query(ctx, s.reader(), scanKey, "SELECT "+keyColumns+" FROM api_keys"+w.sql("id", 0), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading API keys: %w", err)
	}
	return out, nil
}

// RevokeAPIKey implements ledger.People.
func (s *Store) RevokeAPIKey(ctx context.Context, id int64, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		var prefix string
		err := t.QueryRowContext(ctx, "UPDATE api_keys SET revoked_at = CASE revoked_at WHEN 0 THEN $1 ELSE revoked_at END WHERE id = $2 RETURNING prefix",
			micros(t.now()), id).Scan(&prefix)
		if errors.Is(err, sql.ErrNoRows) {
			return notFound("API key", id, ledger.ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("revoking API key %d: %w", id, err)
		}
		return t.audit(by.Or("api_key.revoke", "api_key/"+prefix, ""))
	})
}

// TouchAPIKey implements ledger.People.
func (s *Store) TouchAPIKey(ctx context.Context, id int64) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "UPDATE api_keys SET last_used = $1 WHERE id = $2", micros(t.now()), id)
		if err != nil {
			return fmt.Errorf("touching API key %d: %w", id, err)
		}
		if n == 0 {
			return notFound("API key", id, ledger.ErrNotFound)
		}
		return nil
	})
}
