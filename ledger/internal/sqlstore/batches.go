package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"ballast/ledger"
)

const batchColumns = "id, kind, setting, actor, reason, idempotency_key, machines, refused, created_at, cancelled_at, cancelled_by"

func scanBatch(rows *sql.Rows) (b ledger.Batch, err error) {
	var setting, refused string
	var created, cancelled int64
	err = rows.Scan(&b.ID, &b.Kind, &setting, &b.Actor, &b.Reason, &b.IdempotencyKey, &b.Machines, &refused, &created, &cancelled, &b.CancelledBy)
	if err != nil {
		return b, err
	}
	b.Setting, b.CreatedAt, b.CancelledAt = json.RawMessage(setting), moment(created), moment(cancelled)
	b.States = map[ledger.CommandState]int{}
	if err := json.Unmarshal([]byte(refused), &b.Refused); err != nil {
		return b, fmt.Errorf("reading the refusals of batch %s: %w", b.ID, err)
	}
	return b, nil
}

// atSites keeps rows whose machine stands at one of sites.
func atSites(w *where, column string, sites []string) {
	if len(sites) == 0 {
		w.and("1 = 0")
		return
	}
	args := make([]any, len(sites))
	for i, s := range sites {
		args[i] = s
	}
	w.and(column+" IN (SELECT id FROM machines WHERE site IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(sites)), ", ")+"))", args...)
}

// CreateBatch implements ledger.Batches.
func (s *Store) CreateBatch(ctx context.Context, n ledger.NewBatch) (ledger.Batch, error) {
	n, err := n.Normal()
	if err != nil {
		return ledger.Batch{}, err
	}
	refused, err := json.Marshal(n.Refused)
	if err != nil {
		return ledger.Batch{}, fmt.Errorf("writing a batch: %w", err)
	}
	var out ledger.Batch
	err = s.change(ctx, func(t *txn) error {
		if n.IdempotencyKey != "" {
			found, err := query(ctx, t, scanBatch, "SELECT "+batchColumns+" FROM batches WHERE idempotency_key <> '' AND idempotency_key = $1", n.IdempotencyKey)
			if err != nil {
				return fmt.Errorf("looking for a batch: %w", err)
			}
			if len(found) > 0 {
				if out = found[0]; !out.SameWish(n) {
					return fmt.Errorf("idempotency key %q: %w: it belongs to batch %s, which asks for something else", n.IdempotencyKey, ledger.ErrConflict, out.ID)
				}
				return nil
			}
		}
		now := t.now()
		out = ledger.Batch{ID: t.e.ids.New(now), Kind: n.Kind, Setting: n.Setting, Actor: n.Actor, Reason: n.Reason, IdempotencyKey: n.IdempotencyKey,
			Machines: n.Machines, Refused: n.Refused, CreatedAt: now, States: map[ledger.CommandState]int{}}
		_, err := t.exec(ctx, "INSERT INTO batches ("+batchColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, '')",
			out.ID, out.Kind, string(out.Setting), out.Actor, out.Reason, out.IdempotencyKey, out.Machines, string(refused), micros(now))
		if err != nil {
			return fmt.Errorf("writing a batch: %w", err)
		}
		return nil // its commands are audited
	})
	return out, err
}

// Batch implements ledger.Batches.
func (s *Store) Batch(ctx context.Context, id string, sites []string) (ledger.Batch, error) {
	found, err := query(ctx, s.reader(), scanBatch, "SELECT "+batchColumns+" FROM batches WHERE id = $1", id)
	if err != nil {
		return ledger.Batch{}, fmt.Errorf("reading a batch: %w", err)
	}
	if err := s.countStates(ctx, found, sites); err != nil {
		return ledger.Batch{}, err
	}
	if len(found) == 0 || sites != nil && len(found[0].States) == 0 {
		return ledger.Batch{}, notFound("batch", id, ledger.ErrNotFound)
	}
	return found[0], nil
}

// Batches implements ledger.Batches.
func (s *Store) Batches(ctx context.Context, f ledger.BatchFilter) ([]ledger.Batch, error) {
	var w where
	if f.Actor != "" {
		w.and("actor = ?", f.Actor)
	}
	if f.Kind != "" {
		w.and("kind = ?", f.Kind)
	}
	if f.Sites != nil {
		var c where
		c.and("batch <> ''")
		atSites(&c, "machine", f.Sites)
		text := c.text.String()
		for i := range c.args { // back to marks, numbered anew by w
			text = strings.Replace(text, fmt.Sprintf("$%d", i+1), "?", 1)
		}
		w.and("id IN (SELECT batch FROM commands"+text+")", c.args...)
	}
	if f.Before != "" {
		w.and("id < ?", f.Before)
	}
	out, err := query(ctx, s.reader(), scanBatch, "SELECT "+batchColumns+" FROM batches"+w.sql("id DESC", f.Limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading batches: %w", err)
	}
	return out, s.countStates(ctx, out, f.Sites)
}

// countStates counts the commands of batches by state, and of machines at some
// sites only unless sites is nil.
func (s *Store) countStates(ctx context.Context, batches []ledger.Batch, sites []string) error {
	at := map[string]int{}
	ids := make([]string, len(batches))
	for i, b := range batches {
		at[b.ID], ids[i] = i, b.ID
	}
	if len(ids) == 0 {
		return nil
	}
	type count struct {
		batch string
		state ledger.CommandState
		n     int
	}
	var w where
	w.and("batch <> ''")
	in(&w, "batch", ids)
	if sites != nil {
		atSites(&w, "machine", sites)
	}
	counts, err := query(ctx, s.reader(), func(rows *sql.Rows) (c count, err error) {
		err = rows.Scan(&c.batch, &c.state, &c.n)
		return c, err
	}, "SELECT batch, state, count(*) FROM commands"+w.text.String()+" GROUP BY batch, state", w.args...)
	if err != nil {
		return fmt.Errorf("counting the commands of batches: %w", err)
	}
	for _, c := range counts {
		batches[at[c.batch]].States[c.state] = c.n
	}
	if sites != nil {
		for i := range batches {
			batches[i].Machines = 0
			for _, n := range batches[i].States {
				batches[i].Machines += n
			}
			batches[i].Refused = []ledger.Refusals{} // of machines that may lie elsewhere
		}
	}
	return nil
}

// MarkCancelled implements ledger.Batches.
func (s *Store) MarkCancelled(ctx context.Context, id string, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		var at int64
		err := t.QueryRowContext(ctx, "SELECT cancelled_at FROM batches WHERE id = $1", id).Scan(&at)
		if errors.Is(err, sql.ErrNoRows) {
			return notFound("batch", id, ledger.ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("reading a batch: %w", err)
		}
		if at == 0 {
			if _, err := t.exec(ctx, "UPDATE batches SET cancelled_at = $1, cancelled_by = $2 WHERE id = $3", micros(t.now()), by.Actor, id); err != nil {
				return fmt.Errorf("writing a batch: %w", err)
			}
		}
		return t.audit(by.Or("batch.cancel", "batch/"+id, ""))
	})
}
