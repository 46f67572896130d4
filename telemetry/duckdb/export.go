package duckdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"ballast/telemetry"
)

// Export writes raw rows in bulk. See telemetry.Store. DuckDB writes the file
// itself, into a pipe, so that memory holds little of it.
func (s *Store) Export(ctx context.Context, w io.Writer, q telemetry.ExportQuery) (int64, error) {
	if err := q.Check(); err != nil {
		return 0, err
	}
	var n int64
	out := &counting{w: w}
	err := s.read(ctx, func() error {
		var err error
		n, err = s.export(ctx, out, q)
		if err != nil && out.n > 0 {
			// Part of the file is out: writing once more would repeat it.
			return fmt.Errorf("exporting: %s", err) //nolint:errorlint // not to be known as one that is tried again
		}
		return err
	})
	return n, err
}

func (s *Store) export(ctx context.Context, w io.Writer, q telemetry.ExportQuery) (int64, error) {
	span := telemetry.SpanOf(q.From, q.To)
	files, release := s.files.acquire(func(of func(telemetry.Resolution) []*file) []*file {
		return overlapping(of(telemetry.Raw), span)
	})
	defer release()
	b := exportStatement(files, q, span)
	r, pw, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	copied := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, err := io.Copy(w, r)
		if err != nil {
			cancel()
			_, _ = io.Copy(io.Discard, r) // DuckDB is to find the pipe whole until it stops
		}
		copied <- err
	}()
	to := fmt.Sprintf("/dev/fd/%d", pw.Fd())
	if runtime.GOOS == "windows" {
		pw.Close()
		return 0, errors.New("exporting is not possible on Windows")
	}
	format := map[telemetry.Format]string{
		telemetry.CSV: "FORMAT csv, HEADER true", telemetry.JSONL: "FORMAT json", telemetry.Parquet: "FORMAT parquet, COMPRESSION zstd",
	}[q.Format]
	res, err := s.db.ExecContext(ctx, "COPY ("+b.sql.String()+") TO "+quote(to)+" ("+format+")", b.args...)
	pw.Close()
	if err != nil {
		// DuckDB may hold on to its end of the pipe after it was interrupted.
		_ = r.SetReadDeadline(time.Now())
	}
	if err2 := <-copied; err2 != nil && !errors.Is(err2, os.ErrDeadlineExceeded) {
		return 0, fmt.Errorf("writing the export: %w", err2)
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// exportStatement selects rows with everything spelled out. The columns are the
// same whether there are files or none.
func exportStatement(files []*file, q telemetry.ExportQuery, span telemetry.Span) *statement {
	t := table(q.Level == telemetry.BoardLevel)
	b := &statement{}
	if len(files) == 0 {
		b.add("SELECT NULL::TIMESTAMP_MS AS time, NULL::BIGINT AS machine")
		if t == boards {
			b.add(", NULL::UTINYINT AS board")
		}
		for _, c := range exportTexts(t) {
			b.add(", NULL::VARCHAR AS ", c)
		}
		for _, m := range q.Metrics {
			b.addf(", NULL::%s AS %s", exportKind(m, q.Format), m)
		}
		b.add(" WHERE false")
		return b
	}
	for i, f := range files {
		if i > 0 {
			b.add(" UNION ALL ")
		}
		exportFile(b, f, t, q, span)
	}
	return b
}

// exportTexts are the columns of an export that are text, after time, machine
// and board.
func exportTexts(t table) []string {
	tags := []string{"site", `"group"`, "model", "firmware", "version"}
	if t == boards {
		return append(tags, "serial")
	}
	return append(tags, "outcome", "state", "power_source", "mode", "profile", "tuning")
}

// exportKind is the type of a metric in an export. JSON lines get doubles,
// rounded again: DuckDB would write a float32 of 65.3 with all its binary digits
// there, and with its shortest decimal ones elsewhere.
func exportKind(m telemetry.Metric, f telemetry.Format) string {
	if m.Info().Number == telemetry.Decimal && f == telemetry.JSONL {
		return "DOUBLE"
	}
	return kindOf(m)
}

func exportFile(b *statement, f *file, t table, q telemetry.ExportQuery, span telemetry.Span) {
	b.add("SELECT make_timestamp_ms(x.ts)::TIMESTAMP_MS AS time, x.machine")
	if t == boards {
		b.add(", x.board")
	}
	b.add(`, t.site, t.grp AS "group", t.model, t.firmware, t.version`)
	joins := []string{"serial"}
	if t == boards {
		b.add(", coalesce(w_serial.text, '') AS serial")
	} else {
		b.add(", ", coded("x.outcome", func(c uint8) string { return string(telemetry.OutcomeCoded(c)) }), " AS outcome, ",
			coded("x.state", func(c uint8) string { return string(telemetry.StateCoded(c)) }), " AS state, ",
			coded("x.power_source", func(c uint8) string { return string(telemetry.PowerSourceCoded(c)) }), " AS power_source",
			", coalesce(w_mode.text, '') AS mode, coalesce(w_profile.text, '') AS profile, coalesce(w_tuning.text, '') AS tuning")
		joins = []string{"mode", "profile", "tuning"}
	}
	for _, m := range q.Metrics {
		in := m.Info()
		switch {
		case exportKind(m, q.Format) == kindOf(m):
			b.addf(", x.%s AS %s", in.Column, m)
		case in.Significant > 0:
			// Seven digits are what a float32 holds; printing them shortest
			// gives the rounded decimal back.
			b.addf(", x.%s::VARCHAR::DOUBLE AS %s", in.Column, m)
		default:
			b.addf(", round(x.%s::DOUBLE, %d) AS %s", in.Column, in.Places, m)
		}
	}
	b.add(" FROM ", f.alias, ".", t.String(), " x JOIN ", f.alias, ".tags t ON t.id = x.tags")
	for _, j := range joins {
		b.add(" LEFT JOIN ", f.alias, ".words w_", j, " ON w_", j, ".id = x.", j)
	}
	b.addf(" WHERE x.ts >= %d AND x.ts < %d", span.From, span.To)
	filter(b, f, q.Filter)
}

// coded spells out a column of codes.
func coded(column string, word func(uint8) string) string {
	var s strings.Builder
	s.WriteString("CASE " + column)
	for c := uint8(1); word(c) != ""; c++ {
		fmt.Fprintf(&s, " WHEN %d THEN %s", c, quote(word(c)))
	}
	return s.String() + " ELSE '' END"
}

// counting counts what is written.
type counting struct {
	w io.Writer
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
