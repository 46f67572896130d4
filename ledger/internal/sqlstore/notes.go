package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ballast/ledger"
)

// AddNote implements ledger.Notes.
func (s *Store) AddNote(ctx context.Context, machine int64, text string, by ledger.Audit) (ledger.Note, error) {
	text = strings.TrimSpace(ledger.Clean(text, ledger.NoteLimit))
	if text == "" {
		return ledger.Note{}, fmt.Errorf("note on machine %d: %w: it is empty", machine, ledger.ErrInvalid)
	}
	var n ledger.Note
	err := s.change(ctx, func(t *txn) error {
		id, err := t.bump(ctx, "machine_note", 1)
		if err != nil {
			return err
		}
		n = ledger.Note{ID: id, Machine: machine, At: t.now(), Actor: by.Actor, Text: text}
		if _, err := t.exec(ctx, "INSERT INTO machine_notes (id, machine, at, actor, text) VALUES ($1, $2, $3, $4, $5)", n.ID, n.Machine, micros(n.At), n.Actor, n.Text); err != nil {
			return fmt.Errorf("writing a note: %w", err)
		}
		return t.audit(by.Or("note.add", fmt.Sprintf("machine/%d", machine), jsonText(map[string]any{"note": id, "text": text})))
	})
	return n, err
}

// DeleteNote implements ledger.Notes.
func (s *Store) DeleteNote(ctx context.Context, machine, id int64, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "DELETE FROM machine_notes WHERE id = $1 AND machine = $2", id, machine)
		if err != nil {
			return fmt.Errorf("deleting a note: %w", err)
		}
		if n == 0 {
			return notFound("note", id, ledger.ErrNotFound)
		}
		return t.audit(by.Or("note.delete", fmt.Sprintf("machine/%d", machine), jsonText(map[string]any{"note": id})))
	})
}

// NotesOf implements ledger.Notes.
func (s *Store) NotesOf(ctx context.Context, machine int64) ([]ledger.Note, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (n ledger.Note, err error) {
		var at int64
		err = rows.Scan(&n.ID, &n.Machine, &at, &n.Actor, &n.Text)
		n.At = moment(at)
		return n, err
	}, "SELECT id, machine, at, actor, text FROM machine_notes WHERE machine = $1 ORDER BY id DESC", machine)
	if err != nil {
		return nil, fmt.Errorf("reading notes: %w", err)
	}
	return out, nil
}

const filterColumns = "id, owner, name, query, actor, updated_at"

func scanFilter(rows *sql.Rows) (f ledger.SavedFilter, err error) {
	var at int64
	err = rows.Scan(&f.ID, &f.Owner, &f.Name, &f.Query, &f.Actor, &at)
	f.UpdatedAt = moment(at)
	return f, err
}

// SaveFilter implements ledger.Notes.
func (s *Store) SaveFilter(ctx context.Context, f ledger.SavedFilter, by ledger.Audit) (ledger.SavedFilter, error) {
	f.Name, f.Query = strings.TrimSpace(ledger.Clean(f.Name, 200)), ledger.Clean(f.Query, 0)
	if f.Name == "" || len(f.Query) > ledger.FilterLimit {
		return f, fmt.Errorf("filter %q: %w: it needs a name and at most %d bytes", f.Name, ledger.ErrInvalid, ledger.FilterLimit)
	}
	f.Actor = by.Actor
	err := s.change(ctx, func(t *txn) error {
		f.UpdatedAt = t.now()
		err := t.QueryRowContext(ctx, "SELECT id FROM saved_filters WHERE owner = $1 AND name = $2", f.Owner, f.Name).Scan(&f.ID)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			if f.ID, err = t.bump(ctx, "saved_filter", 1); err != nil {
				return err
			}
			_, err = t.exec(ctx, "INSERT INTO saved_filters ("+filterColumns+") VALUES ($1, $2, $3, $4, $5, $6)", f.ID, f.Owner, f.Name, f.Query, f.Actor, micros(f.UpdatedAt))
		case err == nil:
			_, err = t.exec(ctx, "UPDATE saved_filters SET query = $1, actor = $2, updated_at = $3 WHERE id = $4", f.Query, f.Actor, micros(f.UpdatedAt), f.ID)
		}
		if err != nil {
			return fmt.Errorf("writing filter %s: %w", f.Name, err)
		}
		return t.audit(by.Or("filter.save", fmt.Sprintf("filter/%d", f.ID), jsonText(map[string]any{"name": f.Name, "owner": f.Owner, "query": f.Query})))
	})
	return f, err
}

// SavedFilters implements ledger.Notes.
func (s *Store) SavedFilters(ctx context.Context, owner int64) ([]ledger.SavedFilter, error) {
	out, err := query(ctx, s.reader(), scanFilter, "SELECT "+filterColumns+" FROM saved_filters WHERE owner = $1 OR owner = 0", owner)
	if err != nil {
		return nil, fmt.Errorf("reading saved filters: %w", err)
	}
	slices.SortFunc(out, func(a, b ledger.SavedFilter) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return int(a.ID - b.ID)
	})
	return out, nil
}

// SavedFilter implements ledger.Notes.
func (s *Store) SavedFilter(ctx context.Context, id int64) (ledger.SavedFilter, error) {
	out, err := query(ctx, s.reader(), scanFilter, "SELECT "+filterColumns+" FROM saved_filters WHERE id = $1", id)
	if err != nil {
		return ledger.SavedFilter{}, fmt.Errorf("reading a saved filter: %w", err)
	}
	if len(out) == 0 {
		return ledger.SavedFilter{}, notFound("filter", id, ledger.ErrNotFound)
	}
	return out[0], nil
}

// DeleteFilter implements ledger.Notes.
func (s *Store) DeleteFilter(ctx context.Context, id int64, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "DELETE FROM saved_filters WHERE id = $1", id)
		if err != nil {
			return fmt.Errorf("deleting a saved filter: %w", err)
		}
		if n == 0 {
			return notFound("filter", id, ledger.ErrNotFound)
		}
		return t.audit(by.Or("filter.delete", fmt.Sprintf("filter/%d", id), ""))
	})
}
