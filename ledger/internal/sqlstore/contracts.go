package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"ballast/ledger"
)

const contractColumns = "id, site, name, text, revision, source, created_at, updated_at, removed_at"

func scanContract(rows *sql.Rows) (c ledger.PowerContract, err error) {
	var created, updated, removed int64
	err = rows.Scan(&c.ID, &c.Site, &c.Name, &c.Text, &c.Revision, &c.Source, &created, &updated, &removed)
	c.CreatedAt, c.UpdatedAt, c.Removed = moment(created), moment(updated), moment(removed)
	return c, err
}

// contractDetail is what the audit log says of a contract: the text itself is
// among the contract's texts.
func contractDetail(c ledger.PowerContract) string {
	return jsonText(map[string]any{"site": c.Site, "name": c.Name, "revision": c.Revision, "source": c.Source})
}

// AddPowerContract implements ledger.PowerContracts.
func (s *Store) AddPowerContract(ctx context.Context, c ledger.PowerContract, by ledger.Audit) (ledger.PowerContract, error) {
	c, err := c.Normal()
	if err != nil {
		return c, err
	}
	err = s.change(ctx, func(t *txn) (err error) {
		if c.ID, err = t.bump(ctx, "power contract", 1); err != nil {
			return err
		}
		c.Revision, c.CreatedAt, c.UpdatedAt, c.Removed = 1, t.now(), t.now(), moment(0)
		_, err = t.exec(ctx, "INSERT INTO power_contracts ("+contractColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			c.ID, c.Site, c.Name, c.Text, c.Revision, c.Source, micros(c.CreatedAt), micros(c.UpdatedAt), 0)
		if err != nil {
			return fmt.Errorf("writing an electricity contract: %w", err)
		}
		if err := t.contractText(ctx, c, by); err != nil {
			return err
		}
		return t.audit(by.Or("contract.add", fmt.Sprintf("contract/%d", c.ID), contractDetail(c)))
	})
	return c, err
}

func (t *txn) contractText(ctx context.Context, c ledger.PowerContract, by ledger.Audit) error {
	_, err := t.exec(ctx, "INSERT INTO power_contract_texts (contract, revision, text, actor, at) VALUES ($1, $2, $3, $4, $5)", c.ID, c.Revision, c.Text, by.Actor, micros(t.now()))
	if err != nil {
		return fmt.Errorf("writing the text of an electricity contract: %w", err)
	}
	return nil
}

// EditPowerContract implements ledger.PowerContracts.
func (s *Store) EditPowerContract(ctx context.Context, c ledger.PowerContract, by ledger.Audit) (ledger.PowerContract, error) {
	c, err := c.Normal()
	if err != nil {
		return c, err
	}
	var out ledger.PowerContract
	err = s.change(ctx, func(t *txn) error {
		old, err := query(ctx, t, scanContract, "SELECT "+contractColumns+" FROM power_contracts WHERE id = $1"+t.e.dialect.Lock, c.ID)
		if err != nil {
			return fmt.Errorf("reading an electricity contract: %w", err)
		}
		if len(old) == 0 || !old[0].Removed.IsZero() {
			return notFound("electricity contract", c.ID, ledger.ErrNotFound)
		}
		out = old[0]
		if c.Revision != out.Revision {
			return fmt.Errorf("electricity contract %d: %w: it is at revision %d", c.ID, ledger.ErrStale, out.Revision)
		}
		if out.Text == c.Text && out.Name == c.Name && out.Source == c.Source {
			return nil
		}
		out.Name, out.Text, out.Source, out.UpdatedAt = c.Name, c.Text, c.Source, t.now()
		out.Revision++
		_, err = t.exec(ctx, "UPDATE power_contracts SET name = $1, text = $2, revision = $3, source = $4, updated_at = $5 WHERE id = $6",
			out.Name, out.Text, out.Revision, out.Source, micros(out.UpdatedAt), out.ID)
		if err != nil {
			return fmt.Errorf("writing an electricity contract: %w", err)
		}
		if err := t.contractText(ctx, out, by); err != nil {
			return err
		}
		return t.audit(by.Or("contract.edit", fmt.Sprintf("contract/%d", out.ID), contractDetail(out)))
	})
	return out, err
}

// RemovePowerContract implements ledger.PowerContracts.
func (s *Store) RemovePowerContract(ctx context.Context, id int64, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "UPDATE power_contracts SET removed_at = $1 WHERE id = $2 AND removed_at = 0", micros(t.now()), id)
		if err != nil {
			return fmt.Errorf("removing an electricity contract: %w", err)
		}
		if n == 0 {
			return notFound("electricity contract", id, ledger.ErrNotFound)
		}
		return t.audit(by.Or("contract.remove", fmt.Sprintf("contract/%d", id), ""))
	})
}

// PowerContracts implements ledger.PowerContracts.
func (s *Store) PowerContracts(ctx context.Context, site string) ([]ledger.PowerContract, error) {
	var w where
	w.and("removed_at = 0")
	if site != "" {
		w.and("site = ?", site)
	}
	out, err := query(ctx, s.reader(), scanContract, "SELECT "+contractColumns+" FROM power_contracts"+w.sql("id", 0), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading electricity contracts: %w", err)
	}
	return out, nil
}

// PowerContract implements ledger.PowerContracts.
func (s *Store) PowerContract(ctx context.Context, id int64) (ledger.PowerContract, error) {
	out, err := query(ctx, s.reader(), scanContract, "SELECT "+contractColumns+" FROM power_contracts WHERE id = $1", id)
	if err != nil {
		return ledger.PowerContract{}, fmt.Errorf("reading an electricity contract: %w", err)
	}
	if len(out) == 0 {
		return ledger.PowerContract{}, notFound("electricity contract", id, ledger.ErrNotFound)
	}
	return out[0], nil
}

// ContractTexts implements ledger.PowerContracts.
func (s *Store) ContractTexts(ctx context.Context, id int64) ([]ledger.ContractText, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (c ledger.ContractText, err error) {
		var at int64
		err = rows.Scan(&c.Contract, &c.Revision, &c.Text, &c.Actor, &at)
		c.At = moment(at)
		return c, err
	}, "SELECT contract, revision, text, actor, at FROM power_contract_texts WHERE contract = $1 ORDER BY revision DESC", id)
	if err != nil {
		return nil, fmt.Errorf("reading the texts of an electricity contract: %w", err)
	}
	return out, nil
}

// IssueStatement implements ledger.PowerContracts.
func (s *Store) IssueStatement(ctx context.Context, st ledger.IssuedStatement, by ledger.Audit) (ledger.IssuedStatement, error) {
	if st.Contract == 0 || st.Site == "" || st.Month == "" || !json.Valid(st.Body) {
		return st, fmt.Errorf("electricity statement: %w: contract, site, month and JSON must be given", ledger.ErrInvalid)
	}
	if st.Detail == nil {
		st.Detail = []byte{}
	}
	err := s.change(ctx, func(t *txn) error {
		var there int
		if err := t.QueryRowContext(ctx, "SELECT count(*) FROM power_statements WHERE contract = $1 AND month = $2", st.Contract, st.Month).Scan(&there); err != nil {
			return fmt.Errorf("looking for the statement of %s: %w", st.Month, err)
		}
		if there > 0 {
			return fmt.Errorf("the statement of %s: %w: it was issued already", st.Month, ledger.ErrConflict)
		}
		var err error
		if st.ID, err = t.bump(ctx, "power statement", 1); err != nil {
			return err
		}
		st.IssuedBy, st.IssuedAt = by.Actor, t.now()
		_, err = t.exec(ctx, "INSERT INTO power_statements (id, contract, revision, site, month, body, detail, issued_by, issued_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			st.ID, st.Contract, st.Revision, st.Site, st.Month, string(st.Body), st.Detail, st.IssuedBy, micros(st.IssuedAt))
		if t.e.dialect.Classify(err) == Reference {
			return notFound("electricity contract", st.Contract, ledger.ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("writing the statement of %s: %w", st.Month, err)
		}
		return t.audit(by.Or("statement.issue", fmt.Sprintf("statement/%d", st.ID), jsonText(map[string]any{"site": st.Site, "month": st.Month, "contract": st.Contract, "revision": st.Revision})))
	})
	return st, err
}

func scanStatement(rows *sql.Rows) (st ledger.IssuedStatement, err error) {
	var body string
	var at int64
	err = rows.Scan(&st.ID, &st.Contract, &st.Revision, &st.Site, &st.Month, &body, &st.Detail, &st.IssuedBy, &at)
	st.Body, st.IssuedAt = json.RawMessage(body), moment(at)
	return st, err
}

// IssuedStatements implements ledger.PowerContracts.
func (s *Store) IssuedStatements(ctx context.Context, site string, contract int64, first, last string) ([]ledger.IssuedStatement, error) {
	var w where
	if site != "" {
		w.and("site = ?", site)
	}
	if contract != 0 {
		w.and("contract = ?", contract)
	}
	if first != "" {
		w.and("month >= ?", first)
	}
	if last != "" {
		w.and("month <= ?", last)
	}
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (st ledger.IssuedStatement, err error) {
		var body string
		var at int64
		err = rows.Scan(&st.ID, &st.Contract, &st.Revision, &st.Site, &st.Month, &body, &st.IssuedBy, &at)
		st.Body, st.IssuedAt = json.RawMessage(body), moment(at)
		return st, err
	}, "SELECT id, contract, revision, site, month, body, issued_by, issued_at FROM power_statements"+w.sql("month, id", 0), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading electricity statements: %w", err)
	}
	return out, nil
}

// IssuedStatement implements ledger.PowerContracts.
func (s *Store) IssuedStatement(ctx context.Context, id int64) (ledger.IssuedStatement, error) {
	out, err := query(ctx, s.reader(), scanStatement, "SELECT id, contract, revision, site, month, body, detail, issued_by, issued_at FROM power_statements WHERE id = $1", id)
	if err != nil {
		return ledger.IssuedStatement{}, fmt.Errorf("reading an electricity statement: %w", err)
	}
	if len(out) == 0 {
		return ledger.IssuedStatement{}, notFound("electricity statement", id, ledger.ErrNotFound)
	}
	return out[0], nil
}
