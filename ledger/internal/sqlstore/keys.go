package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"ballast/ledger"
)

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

// APIKey implements ledger.People.
func (s *Store) APIKey(ctx context.Context, id int64) (ledger.APIKey, error) {
	ks, err := query(ctx, s.reader(), scanKey, "SELECT "+keyColumns+" FROM api_keys WHERE id = $1", id)
	if err != nil {
		return ledger.APIKey{}, fmt.Errorf("reading API key %d: %w", id, err)
	}
	if len(ks) == 0 {
		return ledger.APIKey{}, notFound("API key", id, ledger.ErrNotFound)
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
