package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ballast/ledger"
)

const (
	facilityColumns = "id, version, principal, currency, body, actor, at"
	entryColumns    = "id, kind, day, name, part, amount, currency, doc, actor, at"
)

func scanFacility(rows *sql.Rows) (f ledger.Facility, err error) {
	var body string
	var at int64
	err = rows.Scan(&f.ID, &f.Version, &f.Principal, &f.Currency, &body, &f.Actor, &at)
	f.Body, f.At = json.RawMessage(body), moment(at)
	return f, err
}

func scanEntry(rows *sql.Rows) (e ledger.MoneyEntry, err error) {
	var doc string
	var at int64
	err = rows.Scan(&e.ID, &e.Kind, &e.Day, &e.Name, &e.Part, &e.Amount, &e.Currency, &doc, &e.Actor, &at)
	e.Doc, e.At = json.RawMessage(doc), moment(at)
	return e, err
}

// MoneyBook implements ledger.Money.
func (s *Store) MoneyBook(ctx context.Context) (ledger.MoneyBook, error) {
	if s.tx != nil {
		return moneyBook(ctx, s.tx)
	}
	// Revision and rows must be of one instant, or a change made from them could
	// undo one that it never saw.
	tx, err := s.e.read.BeginTx(ctx, s.e.dialect.Snapshot)
	if err != nil {
		return ledger.MoneyBook{}, fmt.Errorf("beginning to read the money book: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	return moneyBook(ctx, tx)
}

func moneyBook(ctx context.Context, q querier) (b ledger.MoneyBook, err error) {
	if err := q.QueryRowContext(ctx, "SELECT value FROM counters WHERE name = 'money'").Scan(&b.Rev); err != nil {
		return b, fmt.Errorf("reading the revision of the money book: %w", err)
	}
	if b.Facilities, err = query(ctx, q, scanFacility, "SELECT "+facilityColumns+" FROM facilities ORDER BY id"); err != nil {
		return b, fmt.Errorf("reading facilities: %w", err)
	}
	if b.Entries, err = query(ctx, q, scanEntry, "SELECT "+entryColumns+" FROM money_entries ORDER BY kind, day, name, part"); err != nil {
		return b, fmt.Errorf("reading the money book: %w", err)
	}
	var body string
	var at int64
	err = q.QueryRowContext(ctx, "SELECT version, body, actor, at FROM money_terms ORDER BY version DESC LIMIT 1").Scan(&b.Terms.Version, &body, &b.Terms.Actor, &at)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return b, nil
	case err != nil:
		return b, fmt.Errorf("reading the company's terms: %w", err)
	}
	b.Terms.Body, b.Terms.At = json.RawMessage(body), moment(at)
	return b, nil
}

// ChangeMoney implements ledger.Money.
func (s *Store) ChangeMoney(ctx context.Context, c ledger.MoneyChange, by ledger.Audit) (rev int64, err error) {
	if c, err = c.Normal(); err != nil {
		return 0, err
	}
	err = s.change(ctx, func(t *txn) error {
		// The counter's row is the lock of the whole book.
		if rev, err = t.bump(ctx, "money", 1); err != nil {
			return err
		}
		if rev != c.Seen+1 {
			return fmt.Errorf("the money book: %w", ledger.ErrStale)
		}
		for _, f := range c.Facilities {
			if err := t.saveFacility(ctx, f, by); err != nil {
				return err
			}
		}
		for _, id := range c.Remove {
			if err := t.removeFacility(ctx, id, by); err != nil {
				return err
			}
		}
		if err := t.saveEntries(ctx, c, by); err != nil {
			return err
		}
		if c.Terms == nil {
			return nil
		}
		var version int64
		if err := t.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) + 1 FROM money_terms").Scan(&version); err != nil {
			return fmt.Errorf("counting the company's terms: %w", err)
		}
		if _, err := t.exec(ctx, "INSERT INTO money_terms (version, body, actor, at) VALUES ($1, $2, $3, $4)", version, string(c.Terms), by.Actor, micros(t.now())); err != nil {
			return fmt.Errorf("writing the company's terms: %w", err)
		}
		return t.audit(by.Or("money.terms", fmt.Sprintf("money-terms/%d", version), string(c.Terms)))
	})
	if err != nil {
		return 0, err
	}
	return rev, nil
}

func (t *txn) facility(ctx context.Context, id string) (ledger.Facility, bool, error) {
	fs, err := query(ctx, t, scanFacility, "SELECT "+facilityColumns+" FROM facilities WHERE id = $1"+t.e.dialect.Lock, id)
	if err != nil || len(fs) == 0 {
		return ledger.Facility{}, false, err
	}
	return fs[0], true, nil
}

func (t *txn) saveFacility(ctx context.Context, f ledger.Facility, by ledger.Audit) error {
	old, there, err := t.facility(ctx, f.ID)
	if err != nil {
		return fmt.Errorf("reading facility %s: %w", f.ID, err)
	}
	// One that comes back after it was removed goes on counting.
	var last int
	if err := t.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM facility_versions WHERE id = $1", f.ID).Scan(&last); err != nil {
		return fmt.Errorf("counting versions of facility %s: %w", f.ID, err)
	}
	f.Version, f.Actor, f.At = last+1, by.Actor, t.now()
	_, err = t.exec(ctx, "INSERT INTO facilities ("+facilityColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7) "+
		"ON CONFLICT (id) DO UPDATE SET version = excluded.version, principal = excluded.principal, currency = excluded.currency, body = excluded.body, actor = excluded.actor, at = excluded.at",
		f.ID, f.Version, f.Principal, f.Currency, string(f.Body), f.Actor, micros(f.At))
	if err != nil {
		return fmt.Errorf("writing facility %s: %w", f.ID, err)
	}
	if err := t.keepVersion(ctx, f); err != nil {
		return err
	}
	action, detail := "facility.add", map[string]any{"version": f.Version, "now": f.Body}
	if there {
		action = "facility.change"
		detail["was"] = old.Body
	}
	return t.audit(by.Or(action, "facility/"+f.ID, jsonText(detail)))
}

func (t *txn) keepVersion(ctx context.Context, f ledger.Facility) error {
	_, err := t.exec(ctx, "INSERT INTO facility_versions (id, version, principal, currency, body, removed, actor, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		f.ID, f.Version, f.Principal, f.Currency, string(f.Body), number(f.Removed), f.Actor, micros(f.At))
	if err != nil {
		return fmt.Errorf("keeping version %d of facility %s: %w", f.Version, f.ID, err)
	}
	return nil
}

func (t *txn) removeFacility(ctx context.Context, id string, by ledger.Audit) error {
	old, there, err := t.facility(ctx, id)
	if err != nil {
		return fmt.Errorf("reading facility %s: %w", id, err)
	}
	if !there {
		return notFound("facility", id, ledger.ErrNotFound)
	}
	if _, err := t.exec(ctx, "DELETE FROM facilities WHERE id = $1", id); err != nil {
		return fmt.Errorf("removing facility %s: %w", id, err)
	}
	gone := old
	gone.Version, gone.Removed, gone.Actor, gone.At = old.Version+1, true, by.Actor, t.now()
	if err := t.keepVersion(ctx, gone); err != nil {
		return err
	}
	return t.audit(by.Or("facility.remove", "facility/"+id, jsonText(map[string]any{"version": gone.Version, "was": old.Body})))
}

// saveEntries writes and drops entries, and tells the audit log what they were.
func (t *txn) saveEntries(ctx context.Context, c ledger.MoneyChange, by ledger.Audit) error {
	if len(c.Entries)+len(c.Drop) == 0 {
		return nil
	}
	type was struct {
		Was *ledger.MoneyEntry `json:"was,omitempty"`
		Now *ledger.MoneyEntry `json:"now,omitempty"`
	}
	var told []was
	for _, e := range c.Entries {
		old, err := query(ctx, t, scanEntry, "SELECT "+entryColumns+" FROM money_entries WHERE kind = $1 AND day = $2 AND name = $3 AND part = $4", e.Kind, e.Day, e.Name, e.Part)
		if err != nil {
			return fmt.Errorf("reading %s of %s: %w", e.Kind, e.Name, err)
		}
		w := was{Now: &e}
		e.Actor, e.At = by.Actor, t.now()
		if len(old) > 0 {
			w.Was, e.ID = &old[0], old[0].ID
			_, err = t.exec(ctx, "UPDATE money_entries SET amount = $1, currency = $2, doc = $3, actor = $4, at = $5 WHERE id = $6", e.Amount, e.Currency, string(e.Doc), e.Actor, micros(e.At), e.ID)
		} else {
			if e.ID, err = t.bump(ctx, "money entry", 1); err != nil {
				return err
			}
			_, err = t.exec(ctx, "INSERT INTO money_entries ("+entryColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
				e.ID, e.Kind, e.Day, e.Name, e.Part, e.Amount, e.Currency, string(e.Doc), e.Actor, micros(e.At))
		}
		if err != nil {
			return fmt.Errorf("writing %s of %s on %s: %w", e.Kind, e.Name, e.Day, err)
		}
		told = append(told, w)
	}
	for _, id := range c.Drop {
		old, err := query(ctx, t, scanEntry, "SELECT "+entryColumns+" FROM money_entries WHERE id = $1", id)
		if err != nil {
			return fmt.Errorf("reading entry %d: %w", id, err)
		}
		if len(old) == 0 {
			return notFound("entry", id, ledger.ErrNotFound)
		}
		if _, err := t.exec(ctx, "DELETE FROM money_entries WHERE id = $1", id); err != nil {
			return fmt.Errorf("dropping entry %d: %w", id, err)
		}
		told = append(told, was{Was: &old[0]})
	}
	return t.audit(by.Or("money.entries", "money", jsonText(told)))
}

// FacilityVersions implements ledger.Money.
func (s *Store) FacilityVersions(ctx context.Context, id string) ([]ledger.Facility, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (f ledger.Facility, err error) {
		var body string
		var at, removed int64
		err = rows.Scan(&f.ID, &f.Version, &f.Principal, &f.Currency, &body, &removed, &f.Actor, &at)
		f.Body, f.Removed, f.At = json.RawMessage(body), removed != 0, moment(at)
		return f, err
	}, "SELECT id, version, principal, currency, body, removed, actor, at FROM facility_versions WHERE id = $1 ORDER BY version DESC", id)
	if err != nil {
		return nil, fmt.Errorf("reading versions of facility %s: %w", id, err)
	}
	if len(out) == 0 {
		return nil, notFound("facility", id, ledger.ErrNotFound)
	}
	return out, nil
}

// SaveDebtDay implements ledger.Money.
func (s *Store) SaveDebtDay(ctx context.Context, d ledger.DebtDay) error {
	if _, err := time.Parse(time.DateOnly, d.Day); err != nil || !json.Valid(d.Body) {
		return fmt.Errorf("position of %q: %w: a day and JSON must be given", d.Day, ledger.ErrInvalid)
	}
	return s.change(ctx, func(t *txn) error {
		_, err := t.exec(ctx, "INSERT INTO debt_days (day, body, at) VALUES ($1, $2, $3) ON CONFLICT (day) DO UPDATE SET body = excluded.body, at = excluded.at", d.Day, string(d.Body), micros(d.At))
		if err != nil {
			return fmt.Errorf("keeping the position of %s: %w", d.Day, err)
		}
		return nil
	})
}

// DebtDays implements ledger.Money.
func (s *Store) DebtDays(ctx context.Context, first, last string) ([]ledger.DebtDay, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (d ledger.DebtDay, err error) {
		var body string
		var at int64
		err = rows.Scan(&d.Day, &body, &at)
		d.Body, d.At = json.RawMessage(body), moment(at)
		return d, err
	}, "SELECT day, body, at FROM debt_days WHERE day >= $1 AND day <= $2 ORDER BY day", first, last)
	if err != nil {
		return nil, fmt.Errorf("reading positions: %w", err)
	}
	return out, nil
}
