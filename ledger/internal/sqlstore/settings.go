package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"ballast/ledger"
	"ballast/unit"
)

// Setting implements ledger.Settings.
func (s *Store) Setting(ctx context.Context, key string) (string, error) {
	var value string
	err := s.reader().QueryRowContext(ctx, "SELECT value FROM settings WHERE name = $1", key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", notFound("setting", key, ledger.ErrNotFound)
	}
	if err != nil {
		return "", fmt.Errorf("reading setting %s: %w", key, err)
	}
	return value, nil
}

// Settings implements ledger.Settings.
func (s *Store) Settings(ctx context.Context, prefix string) (map[string]string, error) {
	// substr and not LIKE, which SQLite matches in any case.
	kvs, err := query(ctx, s.reader(), func(rows *sql.Rows) (kv [2]string, err error) {
		err = rows.Scan(&kv[0], &kv[1])
		return kv, err
	}, "SELECT name, value FROM settings WHERE substr(name, 1, length($1)) = $1", prefix)
	if err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	out := make(map[string]string, len(kvs))
	for _, kv := range kvs {
		out[kv[0]] = kv[1]
	}
	return out, nil
}

// SetSetting implements ledger.Settings.
func (s *Store) SetSetting(ctx context.Context, key, value string, by ledger.Audit) error {
	if key == "" || key != ledger.Clean(key, 0) || value != ledger.Clean(value, 0) {
		return fmt.Errorf("setting %q: %w: key or value is no clean text", key, ledger.ErrInvalid)
	}
	return s.change(ctx, func(t *txn) error {
		_, err := t.exec(ctx, "INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3) "+
			"ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at", key, value, micros(t.now()))
		if err != nil {
			return fmt.Errorf("writing setting %s: %w", key, err)
		}
		return t.audit(by.Or("setting.set", "setting/"+key, jsonText(map[string]string{"value": value})))
	})
}

// ReplaceSetting implements ledger.Settings.
func (s *Store) ReplaceSetting(ctx context.Context, key string, was unit.Opt[string], value string, by ledger.Audit) error {
	if key == "" || key != ledger.Clean(key, 0) || value != ledger.Clean(value, 0) {
		return fmt.Errorf("setting %q: %w: key or value is no clean text", key, ledger.ErrInvalid)
	}
	return s.change(ctx, func(t *txn) error {
		query, args := "INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING", []any{key, value, micros(t.now())}
		if old, ok := was.Get(); ok {
			query, args = "UPDATE settings SET value = $2, updated_at = $3 WHERE name = $1 AND value = $4", append(args, old)
		}
		n, err := t.exec(ctx, query, args...)
		if err != nil {
			return fmt.Errorf("writing setting %s: %w", key, err)
		}
		if n == 0 {
			return fmt.Errorf("setting %s: %w", key, ledger.ErrStale)
		}
		return t.audit(by.Or("setting.set", "setting/"+key, jsonText(map[string]string{"value": value})))
	})
}

// DeleteSetting implements ledger.Settings.
func (s *Store) DeleteSetting(ctx context.Context, key string, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "DELETE FROM settings WHERE name = $1", key)
		if err != nil {
			return fmt.Errorf("deleting setting %s: %w", key, err)
		}
		if n == 0 {
			return notFound("setting", key, ledger.ErrNotFound)
		}
		return t.audit(by.Or("setting.delete", "setting/"+key, ""))
	})
}
