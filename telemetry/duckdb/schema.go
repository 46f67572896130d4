package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"ballast/telemetry"
)

// schemaVersion is the version of the files. New metrics are columns that older
// files get when they are opened, and need no new version.
const schemaVersion = 1

// column is one column of a table.
type column struct{ name, kind string }

// The columns before the metrics. Times are Unix milliseconds: the cheapest to
// bucket. Outcome, state and severities are the codes of telemetry/codes.go;
// mode, profile, tuning and serial are numbers of words.
var (
	machineHead = []column{
		{"ts", "BIGINT"}, {"machine", "BIGINT"}, {"tags", "UINTEGER"},
		{"outcome", "UTINYINT"}, {"state", "UTINYINT"}, {"power_source", "UTINYINT"},
		{"mode", "UINTEGER"}, {"profile", "UINTEGER"}, {"tuning", "UINTEGER"},
		{"fault_first", "INTEGER"}, {"fault_worst", "UTINYINT"}, {"fault_bits", "UBIGINT"}, {"warning_bits", "UTINYINT"},
	}
	boardHead = []column{
		{"ts", "BIGINT"}, {"machine", "BIGINT"}, {"board", "UTINYINT"}, {"tags", "UINTEGER"}, {"serial", "UINTEGER"},
		{"fault_first", "INTEGER"}, {"fault_worst", "UTINYINT"}, {"fault_bits", "UBIGINT"},
	}
)

func rawColumns(t table) []column {
	out := t.head()
	for _, m := range t.metrics() {
		out = append(out, column{m.Info().Column, kindOf(m)})
	}
	return out
}

func kindOf(m telemetry.Metric) string {
	switch m.Info().Number {
	case telemetry.Integer:
		return "INTEGER"
	case telemetry.Big:
		return "BIGINT"
	}
	return "FLOAT"
}

// table is one of the two wide tables.
type table bool

const (
	machines table = false
	boards   table = true
)

func tableOf(m telemetry.Metric) table { return table(m.OfBoard()) }

func (t table) String() string {
	if t == boards {
		return "board"
	}
	return "machine"
}

func (t table) head() []column {
	if t == boards {
		return append([]column(nil), boardHead...)
	}
	return append([]column(nil), machineHead...)
}

func (t table) metrics() []telemetry.Metric {
	if t == boards {
		return telemetry.BoardMetrics()
	}
	return telemetry.MachineMetrics()
}

// keys are the columns that say whose row it is.
func (t table) keys() string {
	if t == boards {
		return "machine, board"
	}
	return "machine"
}

// rolledColumns are those of a roll-up table: for each gauge how many samples,
// their sum, least and most; for a counter how many and its increase; for an
// elapsed time also its falls. Sums and not means, because they stay on the
// rounding grid of the samples and so compress better.
func rolledColumns(t table) []column {
	out := []column{{"ts", "BIGINT"}, {"machine", "BIGINT"}, {"tags", "UINTEGER"}}
	if t == boards {
		out = append(out, column{"board", "UTINYINT"})
	}
	for _, m := range t.metrics() {
		in := m.Info()
		c := in.Column
		out = append(out, column{c + "_n", "INTEGER"})
		if in.Kind == telemetry.Counter {
			out = append(out, column{c + "_inc", "BIGINT"})
			continue
		}
		sum := "FLOAT"
		if in.Kind == telemetry.Elapsed {
			sum = "DOUBLE" // of thousands of millions of seconds
		}
		out = append(out, column{c + "_sum", sum}, column{c + "_min", kindOf(m)}, column{c + "_max", kindOf(m)})
		if in.Kind == telemetry.Elapsed {
			out = append(out, column{c + "_rst", "INTEGER"})
		}
	}
	return out
}

func columnsOf(r telemetry.Resolution, t table) []column {
	if r == telemetry.Raw {
		return rawColumns(t)
	}
	return rolledColumns(t)
}

// createSchema makes the tables of an empty file.
func createSchema(ctx context.Context, db *sql.DB, alias string, r telemetry.Resolution) error {
	statements := []string{
		"CREATE TABLE %s.meta (key VARCHAR, value BIGINT)",
		fmt.Sprintf("INSERT INTO %%s.meta VALUES ('version', %d), ('resolution', %d), ('until', 0), ('ordered', 0)", schemaVersion, r),
		"CREATE TABLE %s.tags (id UINTEGER, site VARCHAR, grp VARCHAR, model VARCHAR, firmware VARCHAR, version VARCHAR)",
	}
	for _, t := range []table{machines, boards} {
		statements = append(statements, "CREATE TABLE %s."+t.String()+" ("+definitions(columnsOf(r, t))+")")
	}
	if r == telemetry.Raw {
		statements = append(statements,
			"CREATE TABLE %s.words (id UINTEGER, text VARCHAR)",
			// Stretches that got rows after they were rolled up.
			"CREATE TABLE %s.late (seq BIGINT, lo BIGINT, hi BIGINT)")
	}
	for _, st := range statements {
		if err := run(ctx, db, "making the tables of a file", strings.ReplaceAll(st, "%s", alias)); err != nil {
			return err
		}
	}
	return nil
}

// createViews makes the views for people, with names and times spelled out.
func createViews(ctx context.Context, db *sql.DB, alias string) error {
	tags := "t.site, t.grp AS \"group\", t.model, t.firmware, t.version"
	for _, st := range []string{
		"CREATE OR REPLACE VIEW %s.readings AS SELECT make_timestamp_ms(m.ts) AS time, m.machine, " + tags +
			", m.* EXCLUDE (ts, machine, tags, mode, profile, tuning), wm.text AS mode, wp.text AS profile, wt.text AS tuning" +
			" FROM machine m LEFT JOIN tags t ON t.id = m.tags LEFT JOIN words wm ON wm.id = m.mode LEFT JOIN words wp ON wp.id = m.profile LEFT JOIN words wt ON wt.id = m.tuning",
		"CREATE OR REPLACE VIEW %s.boards AS SELECT make_timestamp_ms(b.ts) AS time, b.machine, b.board, " + tags +
			", w.text AS serial, b.* EXCLUDE (ts, machine, board, tags, serial)" +
			" FROM board b LEFT JOIN tags t ON t.id = b.tags LEFT JOIN words w ON w.id = b.serial",
	} {
		if err := run(ctx, db, "making the views of a file", strings.ReplaceAll(st, "%s", alias)); err != nil {
			return err
		}
	}
	return nil
}

func definitions(cols []column) string {
	var b strings.Builder
	for i, c := range cols {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.name + " " + c.kind)
	}
	return b.String()
}

// amend gives a file of an older version the columns that it lacks, and tells
// the order of columns it has now.
func amend(ctx context.Context, db *sql.DB, alias string, r telemetry.Resolution, t table) ([]string, error) {
	have, err := columnNames(ctx, db, alias, t)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(have))
	for _, c := range have {
		known[c] = true
	}
	for _, c := range columnsOf(r, t) {
		if known[c.name] {
			continue
		}
		if err := run(ctx, db, "adding a column", fmt.Sprintf("ALTER TABLE %s.%s ADD COLUMN %s %s", alias, t, c.name, c.kind)); err != nil {
			return nil, err
		}
		have = append(have, c.name)
	}
	return have, nil
}

func columnNames(ctx context.Context, db *sql.DB, alias string, t table) ([]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND table_name = ? ORDER BY column_index", alias, t.String())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		names = append(names, n)
	}
	return names, rows.Err()
}
