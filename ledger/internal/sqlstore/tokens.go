package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"ballast/ledger"
)

const tokenColumns = "id, sum, purpose, note, user_id, grants, created_at, expires_at" //nolint:gosec // columns

type scanner interface{ Scan(...any) error }

func readToken(row scanner) (tok ledger.SetupToken, err error) {
	var grants string
	var created, expires int64
	if err := row.Scan(&tok.ID, &tok.Sum, &tok.Purpose, &tok.Note, &tok.User, &grants, &created, &expires); err != nil {
		return tok, err
	}
	tok.CreatedAt, tok.Expires = moment(created), moment(expires)
	tok.Grants, err = readGrants(grants)
	return tok, err
}

func scanToken(rows *sql.Rows) (ledger.SetupToken, error) { return readToken(rows) }

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
		id, err := t.bump(ctx, "setup_token", 1)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, "INSERT INTO setup_tokens ("+tokenColumns+", used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
			id, tok.Sum, ledger.Clean(string(tok.Purpose), 0), ledger.Clean(tok.Note, 0), tok.User, jsonText(grants), micros(t.now()), micros(ledger.Moment(tok.Expires)))
		if err != nil {
			return fmt.Errorf("writing a set-up token: %w", err)
		}
		return t.audit(by.Or("setup_token.add", "setup_token/"+string(tok.Purpose), jsonText(map[string]any{"for": tok.Note, "user": tok.User, "grants": grants, "expires": ledger.Moment(tok.Expires)})))
	})
}

// UseSetupToken implements ledger.People.
func (s *Store) UseSetupToken(ctx context.Context, sum string, by ledger.Audit) (ledger.SetupToken, error) {
	var tok ledger.SetupToken
	err := s.change(ctx, func(t *txn) error {
		// One statement, so that of two callers one finds it used.
		var err error
		tok, err = readToken(t.QueryRowContext(ctx, "UPDATE setup_tokens SET used_at = $1 WHERE sum = $2 AND used_at = 0 AND expires_at > $1 RETURNING "+tokenColumns, micros(t.now()), ledger.Clean(sum, 0)))
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("set-up token: %w, or used, or expired", ledger.ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("using a set-up token: %w", err)
		}
		return t.audit(by.Or("setup_token.use", "setup_token/"+string(tok.Purpose), ""))
	})
	if err != nil {
		return ledger.SetupToken{}, err
	}
	return tok, nil
}

// SetupTokenBySum implements ledger.People.
func (s *Store) SetupTokenBySum(ctx context.Context, sum string) (ledger.SetupToken, error) {
	ts, err := query(ctx, s.reader(), scanToken, "SELECT "+tokenColumns+" FROM setup_tokens WHERE sum = $1 AND used_at = 0 AND expires_at > $2", ledger.Clean(sum, 0), s.nowMicros())
	if err != nil {
		return ledger.SetupToken{}, fmt.Errorf("reading a set-up token: %w", err)
	}
	if len(ts) == 0 {
		return ledger.SetupToken{}, fmt.Errorf("set-up token: %w, or used, or expired", ledger.ErrNotFound)
	}
	return ts[0], nil
}

// SetupTokens implements ledger.People.
func (s *Store) SetupTokens(ctx context.Context) ([]ledger.SetupToken, error) {
	out, err := query(ctx, s.reader(), scanToken, "SELECT "+tokenColumns+" FROM setup_tokens WHERE used_at = 0 AND expires_at > $1 ORDER BY id", s.nowMicros())
	if err != nil {
		return nil, fmt.Errorf("reading set-up tokens: %w", err)
	}
	return out, nil
}

// RevokeSetupToken implements ledger.People.
func (s *Store) RevokeSetupToken(ctx context.Context, id int64, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "DELETE FROM setup_tokens WHERE id = $1 AND used_at = 0 AND expires_at > $2", id, micros(t.now()))
		if err != nil {
			return fmt.Errorf("revoking set-up token %d: %w", id, err)
		}
		if n == 0 {
			return notFound("set-up token", id, ledger.ErrNotFound)
		}
		return t.audit(by.Or("setup_token.revoke", fmt.Sprintf("setup_token/%d", id), ""))
	})
}
