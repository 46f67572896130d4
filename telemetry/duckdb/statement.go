package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// statement is SQL in the making, with its arguments.
type statement struct {
	sql  strings.Builder
	args []any
}

func (b *statement) add(parts ...string) {
	for _, p := range parts {
		b.sql.WriteString(p)
	}
}

func (b *statement) addf(format string, args ...any) { fmt.Fprintf(&b.sql, format, args...) }

// arg adds a value as an argument.
func (b *statement) arg(v any) {
	b.sql.WriteByte('?')
	b.args = append(b.args, v)
}

type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

// query runs the statement and hands each row to scan.
func (b *statement) query(ctx context.Context, db querier, scan func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, b.sql.String(), b.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
