package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"ballast/ledger"
)

const auditColumns = "seq, at, actor, action, subject, detail, prev, hash"

func scanAudit(rows *sql.Rows) (r ledger.AuditRow, err error) {
	var at int64
	err = rows.Scan(&r.Seq, &at, &r.Actor, &r.Action, &r.Subject, &r.Detail, &r.Prev, &r.Hash)
	r.At = moment(at)
	return r, err
}

// audit notes a to be chained when the transaction commits: the head of the
// chain is then locked last and for a moment only.
func (t *txn) audit(a ledger.Audit) error {
	if a.Actor == "" || a.Action == "" {
		return fmt.Errorf("audit of %q on %q: %w: actor and action must be given", a.Action, a.Subject, ledger.ErrInvalid)
	}
	t.audits = append(t.audits, a)
	return nil
}

func (t *txn) flushAudit(ctx context.Context) error {
	if len(t.audits) == 0 {
		return nil
	}
	var head ledger.AuditHead
	err := t.QueryRowContext(ctx, "SELECT seq, hash FROM audit_head WHERE id = 1"+t.e.dialect.Lock).Scan(&head.Seq, &head.Hash)
	if err != nil {
		return fmt.Errorf("reading the head of the audit log: %w", err)
	}
	now := t.now()
	rows := make([][]any, len(t.audits))
	for i, a := range t.audits {
		r := a.Chain(head, now)
		head = r.Head()
		rows[i] = []any{r.Seq, micros(r.At), r.Actor, r.Action, r.Subject, r.Detail, r.Prev, r.Hash}
	}
	if err := t.bulk(ctx, "INSERT INTO audit ("+auditColumns+")", 8, "", rows); err != nil {
		return fmt.Errorf("writing the audit log: %w", err)
	}
	if _, err := t.exec(ctx, "UPDATE audit_head SET seq = $1, hash = $2 WHERE id = 1", head.Seq, head.Hash); err != nil {
		return fmt.Errorf("writing the head of the audit log: %w", err)
	}
	t.audits = nil
	return nil
}

// Audit implements ledger.AuditLog.
func (s *Store) Audit(ctx context.Context, a ledger.Audit) error {
	return s.change(ctx, func(t *txn) error { return t.audit(a) })
}

// AuditRows implements ledger.AuditLog.
func (s *Store) AuditRows(ctx context.Context, f ledger.AuditFilter) ([]ledger.AuditRow, error) {
	if err := s.flushed(ctx); err != nil {
		return nil, err
	}
	var w where
	if f.Actor != "" {
		w.and("actor = ?", f.Actor)
	}
	switch {
	case strings.HasSuffix(f.Action, "."):
		w.and(`action LIKE ? ESCAPE '\'`, prefixPattern(f.Action))
	case f.Action != "":
		w.and("action = ?", f.Action)
	}
	if f.Subject != "" {
		w.and("subject = ?", f.Subject)
	}
	if !f.Since.IsZero() {
		w.and("at >= ?", micros(f.Since))
	}
	if !f.Until.IsZero() {
		w.and("at < ?", micros(f.Until))
	}
	if f.Before > 0 {
		w.and("seq < ?", f.Before)
	}
	out, err := query(ctx, s.reader(), scanAudit, "SELECT "+auditColumns+" FROM audit"+w.sql("seq DESC", f.Limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	return out, nil
}

// AuditHead implements ledger.AuditLog.
func (s *Store) AuditHead(ctx context.Context) (ledger.AuditHead, error) {
	if err := s.flushed(ctx); err != nil {
		return ledger.AuditHead{}, err
	}
	return auditHead(ctx, s.reader())
}

func auditHead(ctx context.Context, q querier) (head ledger.AuditHead, err error) {
	err = q.QueryRowContext(ctx, "SELECT seq, hash FROM audit_head WHERE id = 1").Scan(&head.Seq, &head.Hash)
	if errors.Is(err, sql.ErrNoRows) {
		return head, fmt.Errorf("%w: its head is missing", ledger.ErrTampered)
	}
	if err != nil {
		return head, fmt.Errorf("reading the head of the audit log: %w", err)
	}
	return head, nil
}

// flushed chains what waits for the commit, so that it can be read.
func (s *Store) flushed(ctx context.Context) error {
	if s.tx == nil {
		return nil
	}
	return s.change(ctx, func(t *txn) error { return t.flushAudit(ctx) })
}

// WalkAudit implements ledger.AuditLog.
func (s *Store) WalkAudit(ctx context.Context, each func(ledger.AuditRow) error) (ledger.AuditHead, error) {
	if err := s.flushed(ctx); err != nil {
		return ledger.AuditHead{}, err
	}
	if s.tx != nil {
		return walkAudit(ctx, s.tx, each)
	}
	// Rows and head must be of one instant, or a row written in between would
	// look like tampering.
	tx, err := s.e.read.BeginTx(ctx, s.e.dialect.Snapshot)
	if err != nil {
		return ledger.AuditHead{}, fmt.Errorf("beginning to read the audit log: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	return walkAudit(ctx, tx, each)
}

func walkAudit(ctx context.Context, q querier, each func(ledger.AuditRow) error) (ledger.AuditHead, error) {
	rows, err := q.QueryContext(ctx, "SELECT "+auditColumns+" FROM audit ORDER BY seq")
	if err != nil {
		return ledger.AuditHead{}, fmt.Errorf("reading the audit log: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanAudit(rows)
		if err != nil {
			return ledger.AuditHead{}, fmt.Errorf("reading the audit log: %w", err)
		}
		if err := each(r); err != nil {
			return ledger.AuditHead{}, err
		}
	}
	if err := rows.Err(); err != nil {
		return ledger.AuditHead{}, fmt.Errorf("reading the audit log: %w", err)
	}
	if err := rows.Close(); err != nil {
		return ledger.AuditHead{}, fmt.Errorf("reading the audit log: %w", err)
	}
	return auditHead(ctx, q)
}

// VerifyAudit implements ledger.AuditLog.
func (s *Store) VerifyAudit(ctx context.Context, anchors ...ledger.AuditHead) (ledger.AuditHead, error) {
	check := ledger.NewChainCheck(anchors...)
	claimed, err := s.WalkAudit(ctx, check.Next)
	if err != nil {
		return ledger.AuditHead{}, err
	}
	return check.End(claimed)
}
