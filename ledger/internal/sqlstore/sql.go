package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// micros is how a time is stored: microseconds since 1970, 0 for never.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// where collects conditions; each ? in a condition takes the next argument.
type where struct {
	text strings.Builder
	args []any
}

func (w *where) and(condition string, args ...any) {
	if w.text.Len() == 0 {
		w.text.WriteString(" WHERE ")
	} else {
		w.text.WriteString(" AND ")
	}
	for _, a := range args {
		before, after, _ := strings.Cut(condition, "?")
		w.args = append(w.args, a)
		w.text.WriteString(before + "$" + strconv.Itoa(len(w.args)))
		condition = after
	}
	w.text.WriteString(condition)
}

// in adds "column IN (...)".
func in[T any](w *where, column string, values []T) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")
	w.and(column+" IN ("+marks+")", args...)
}

// sql is the conditions, and then order and limit.
func (w *where) sql(order string, limit int) string {
	out := w.text.String() + " ORDER BY " + order
	if limit > 0 {
		out += " LIMIT " + strconv.Itoa(limit)
	}
	return out
}

// query reads all rows of a query.
func query[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), text string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// bulkRows is how many rows go into one statement: enough to make the round
// trip and the parsing cheap, few enough for every engine's limit of arguments
// (SQLite 32,766, PostgreSQL 65,535).
const bulkRows = 200

// bulk runs "<head> VALUES (...), (...) <tail>" for rows of width values.
func (t *txn) bulk(ctx context.Context, head string, width int, tail string, rows [][]any) error {
	return t.bulkAs(ctx, head, width, "", tail, rows)
}

// bulkAs is bulk with every value cast to a type, for values that go nowhere
// which would tell PostgreSQL what they are.
func (t *txn) bulkAs(ctx context.Context, head string, width int, as, tail string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	var prepared *sql.Stmt
	for len(rows) > 0 {
		n := min(len(rows), bulkRows)
		args := make([]any, 0, n*width)
		for _, r := range rows[:n] {
			args = append(args, r...)
		}
		rows = rows[n:]
		if n == bulkRows && len(rows) >= bulkRows && prepared == nil {
			var err error
			if prepared, err = t.PrepareContext(ctx, t.e.dialect.bulk(head, width, as, n, tail)); err != nil {
				return err
			}
			defer prepared.Close()
		}
		var err error
		if n == bulkRows && prepared != nil {
			_, err = prepared.ExecContext(ctx, args...)
		} else {
			_, err = t.ExecContext(ctx, t.e.dialect.bulk(head, width, as, n, tail), args...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bulk is the text of a statement of n rows. SQLite gets its bare question
// marks here: it finds the name of the k-th named argument in k steps, which at
// thousands of arguments is most of the time a statement takes.
func (d Dialect) bulk(head string, width int, as string, n int, tail string) string {
	var b strings.Builder
	b.Grow(len(head) + len(tail) + 16 + n*width*8)
	b.WriteString(head)
	b.WriteString(" VALUES ")
	k := 0
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for j := range width {
			if j > 0 {
				b.WriteString(", ")
			}
			k++
			if as != "" {
				b.WriteString("CAST(")
			}
			if d.BareMarks {
				b.WriteByte('?')
			} else {
				b.WriteByte('$')
				b.WriteString(strconv.Itoa(k))
			}
			if as != "" {
				b.WriteString(" AS " + as + ")")
			}
		}
		b.WriteByte(')')
	}
	b.WriteByte(' ')
	b.WriteString(tail)
	return b.String()
}

// like makes a pattern that finds s anywhere.
func like(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(s)) + "%"
}

// prefixPattern makes a pattern that finds what starts with prefix.
func prefixPattern(prefix string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(prefix) + "%"
}

func notFound(what string, key any, sentinel error) error {
	return fmt.Errorf("%s %v: %w", what, key, sentinel)
}
