package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"ballast/miner"
	"ballast/telemetry"
	"ballast/telemetry/duckdb"
)

type exportCmd struct {
	From     string  `default:"24h" help:"Start: a time (2026-11-01, 2026-11-01T08:00:00Z) or how long ago (36h, 14d)."`
	To       string  `default:"now" help:"End, not included: as --from, or now."`
	Format   string  `default:"csv" enum:"csv,jsonl,parquet" help:"File format: ${enum}."`
	Level    string  `default:"machine" enum:"machine,board" help:"One row a machine or a board and poll: ${enum}."`
	Machines []int64 `help:"Only these machines, by number."`
	Out      string  `short:"o" placeholder:"FILE" help:"Where to write. Default: standard output." type:"path"`
}

func (c *exportCmd) Run(ctx context.Context, common *common, s *streams) error {
	cfg, err := common.config()
	if err != nil {
		return err
	}
	now := time.Now()
	from, err := when(c.From, now)
	if err != nil {
		return err
	}
	to, err := when(c.To, now)
	if err != nil {
		return err
	}
	if !from.Before(to) {
		return fmt.Errorf("%w: --from %s is not before --to %s", errUsage, c.From, c.To)
	}
	if common.JSON {
		c.Format = "jsonl"
	}
	if f, ok := s.file(); c.Out == "" && c.Format == "parquet" && ok && term.IsTerminal(int(f.Fd())) {
		return fmt.Errorf("%w: Parquet is no text; give a file with -o", errUsage)
	}
	out, finish, err := c.open(s)
	if err != nil {
		return err
	}
	err = c.write(ctx, cfg.Data, telemetryPath(cfg), from, to, out)
	return finish(err)
}

// open makes the file under another name and moves it to its own when it is
// whole, so that a broken export never passes for a good one.
func (c *exportCmd) open(s *streams) (io.Writer, func(error) error, error) {
	if c.Out == "" {
		return s.out, func(err error) error { return err }, nil
	}
	f, err := os.CreateTemp(filepath.Dir(c.Out), ".ballast-export-*")
	if err != nil {
		return nil, nil, fmt.Errorf("making the file: %w", err)
	}
	var out io.Writer = f
	var bar *progressbar.ProgressBar
	if e, ok := s.err.(*os.File); ok && term.IsTerminal(int(e.Fd())) {
		bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(s.err), progressbar.OptionSetDescription("exporting"), progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish())
		out = io.MultiWriter(f, bar)
	}
	return out, func(err error) error {
		if bar != nil {
			_ = bar.Finish()
		}
		size, _ := f.Seek(0, io.SeekCurrent)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err == nil {
			err = os.Rename(f.Name(), c.Out)
		}
		if err != nil {
			_ = os.Remove(f.Name())
			return fmt.Errorf("exporting: %w", err)
		}
		fmt.Fprintf(s.err, "%s: %d bytes\n", c.Out, size)
		return nil
	}, nil
}

// write asks the running server, which holds the history open; without one it
// opens the history itself.
func (c *exportCmd) write(ctx context.Context, data, dir string, from, to time.Time, out io.Writer) error {
	if cl, err := connect(data); err == nil {
		ids := make([]string, len(c.Machines))
		for i, m := range c.Machines {
			ids[i] = strconv.FormatInt(m, 10)
		}
		q := query("format", c.Format, "level", c.Level, "machines", strings.Join(ids, ","), "from", from.UTC().Format(time.RFC3339), "to", to.UTC().Format(time.RFC3339))
		res, err := cl.request(ctx, http.MethodGet, "/api/v1/export?"+q, nil)
		if err == nil {
			defer res.Body.Close()
			_, err = io.Copy(out, res.Body)
			return err
		}
	}
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("%w, and no history in %s", errNoServer, dir)
	}
	store, err := duckdb.Open(ctx, duckdb.Options{Dir: dir})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // only read from
	q := telemetry.ExportQuery{Format: telemetry.Format(c.Format), Level: telemetry.Level(c.Level), From: from, To: to}
	for _, m := range c.Machines {
		q.Filter.Machines = append(q.Filter.Machines, miner.ID(m))
	}
	_, err = store.Export(ctx, out, q)
	return err
}

// when reads a time as people give it.
func when(text string, now time.Time) (time.Time, error) {
	if text == "now" || text == "" {
		return now, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n >= 0 {
			return now.Add(-time.Duration(n * 24 * float64(time.Hour))), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return now, fmt.Errorf("%w: %q is no time; want 2026-11-01, 2026-11-01T08:00:00Z, 36h or 14d", errUsage, text)
}
