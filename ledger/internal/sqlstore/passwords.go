package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"ballast/ledger"
)

// SaveMachinePassword implements ledger.MachinePasswords.
func (s *Store) SaveMachinePassword(ctx context.Context, p ledger.MachinePassword, by ledger.Audit) (id int64, err error) {
	if p.Sealed == "" {
		return 0, fmt.Errorf("password: %w: it is not sealed", ledger.ErrInvalid)
	}
	for _, f := range []*string{&p.Site, &p.Range, &p.Firmware, &p.Group, &p.User, &p.Note} {
		*f = strings.TrimSpace(ledger.Clean(*f, 200))
	}
	err = s.change(ctx, func(t *txn) error {
		now, action := micros(t.now()), "password.change"
		if id = p.ID; id == 0 {
			action = "password.add"
			if id, err = t.bump(ctx, "firmware_password", 1); err != nil {
				return err
			}
			if _, err := t.exec(ctx, "INSERT INTO firmware_passwords (id, site, addrs, firmware, group_name, user_name, secret, note, created_at, updated_at, updated_by) "+
				"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", id, p.Site, p.Range, p.Firmware, p.Group, p.User, p.Sealed, p.Note, now, now, by.Actor); err != nil {
				return fmt.Errorf("writing password %d: %w", id, err)
			}
		} else {
			if _, err := t.revise(ctx, "password", "firmware_passwords", id, p.Updated, []string{"site", "addrs", "firmware", "group_name", "user_name", "secret", "note", "updated_by"},
				p.Site, p.Range, p.Firmware, p.Group, p.User, p.Sealed, p.Note, by.Actor); err != nil {
				return err
			}
		}
		// Where it fits, never what it is.
		return t.audit(by.Or(action, fmt.Sprintf("password/%d", id), jsonText(map[string]any{"site": p.Site, "range": p.Range, "firmware": p.Firmware, "group": p.Group, "user": p.User})))
	})
	return id, err
}

// DeleteMachinePassword implements ledger.MachinePasswords.
func (s *Store) DeleteMachinePassword(ctx context.Context, id int64, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "DELETE FROM firmware_passwords WHERE id = $1", id)
		if err != nil {
			return fmt.Errorf("deleting password %d: %w", id, err)
		}
		if n == 0 {
			return notFound("password", id, ledger.ErrNotFound)
		}
		return t.audit(by.Or("password.delete", fmt.Sprintf("password/%d", id), ""))
	})
}

// MachinePasswords implements ledger.MachinePasswords.
func (s *Store) MachinePasswords(ctx context.Context) ([]ledger.MachinePassword, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (p ledger.MachinePassword, err error) {
		var created, updated int64
		err = rows.Scan(&p.ID, &p.Site, &p.Range, &p.Firmware, &p.Group, &p.User, &p.Sealed, &p.Note, &created, &updated, &p.By)
		p.Created, p.Updated = moment(created), moment(updated)
		return p, err
	}, "SELECT id, site, addrs, firmware, group_name, user_name, secret, note, created_at, updated_at, updated_by FROM firmware_passwords ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("reading passwords: %w", err)
	}
	return out, nil
}

// SavePoolProfile implements ledger.PoolProfiles.
func (s *Store) SavePoolProfile(ctx context.Context, p ledger.PoolProfile, by ledger.Audit) (id int64, err error) {
	for _, f := range []*string{&p.Name, &p.Site, &p.Group} {
		*f = strings.TrimSpace(ledger.Clean(*f, 200))
	}
	if p.Name == "" {
		return 0, fmt.Errorf("pool profile: %w: it has no name", ledger.ErrInvalid)
	}
	type shown struct{ URL, User string }
	pools := make([]ledger.ProfilePool, len(p.Pools))
	said := make([]shown, len(p.Pools))
	for i, q := range p.Pools {
		pools[i] = ledger.ProfilePool{URL: ledger.Clean(q.URL, 500), User: ledger.Clean(q.User, 200), Sealed: q.Sealed}
		said[i] = shown{pools[i].URL, pools[i].User}
	}
	err = s.change(ctx, func(t *txn) error {
		now, action := micros(t.now()), "pool-profile.change"
		if id = p.ID; id == 0 {
			action = "pool-profile.add"
			if id, err = t.bump(ctx, "pool_profile", 1); err != nil {
				return err
			}
			if _, err := t.exec(ctx, "INSERT INTO pool_profiles (id, name, site, group_name, pools, created_at, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
				id, p.Name, p.Site, p.Group, jsonText(pools), now, now, by.Actor); err != nil {
				return fmt.Errorf("writing pool profile %s: %w", p.Name, err)
			}
		} else {
			if _, err := t.revise(ctx, "pool profile", "pool_profiles", id, p.Updated, []string{"name", "site", "group_name", "pools", "updated_by"}, p.Name, p.Site, p.Group, jsonText(pools), by.Actor); err != nil {
				return err
			}
		}
		return t.audit(by.Or(action, fmt.Sprintf("pool-profile/%d", id), jsonText(map[string]any{"name": p.Name, "site": p.Site, "group": p.Group, "pools": said})))
	})
	return id, err
}

// DeletePoolProfile implements ledger.PoolProfiles.
func (s *Store) DeletePoolProfile(ctx context.Context, id int64, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "DELETE FROM pool_profiles WHERE id = $1", id)
		if err != nil {
			return fmt.Errorf("deleting pool profile %d: %w", id, err)
		}
		if n == 0 {
			return notFound("pool profile", id, ledger.ErrNotFound)
		}
		return t.audit(by.Or("pool-profile.delete", fmt.Sprintf("pool-profile/%d", id), ""))
	})
}

// PoolProfiles implements ledger.PoolProfiles.
func (s *Store) PoolProfiles(ctx context.Context) ([]ledger.PoolProfile, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (p ledger.PoolProfile, err error) {
		var created, updated int64
		var pools string
		if err = rows.Scan(&p.ID, &p.Name, &p.Site, &p.Group, &pools, &created, &updated, &p.By); err != nil {
			return p, err
		}
		p.Created, p.Updated = moment(created), moment(updated)
		return p, json.Unmarshal([]byte(pools), &p.Pools)
	}, "SELECT id, name, site, group_name, pools, created_at, updated_at, updated_by FROM pool_profiles ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("reading pool profiles: %w", err)
	}
	return out, nil
}
