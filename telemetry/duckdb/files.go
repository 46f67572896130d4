package duckdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ballast/telemetry"
)

// folders by resolution.
var folders = [telemetry.Resolutions]string{"raw", "minute", "quarter", "hour"}

// periodOf is the stretch that the file with time ts of a resolution covers,
// and its name: a day, a month for quarter-hours, a year for hours.
func periodOf(r telemetry.Resolution, ts int64) (string, telemetry.Span) {
	t := time.UnixMilli(ts).UTC()
	y, m, d := t.Date()
	layout, from, to := time.DateOnly, time.Date(y, m, d, 0, 0, 0, 0, time.UTC), time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC)
	switch r {
	case telemetry.Quarter:
		layout, from, to = "2006-01", time.Date(y, m, 1, 0, 0, 0, 0, time.UTC), time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC)
	case telemetry.Hour:
		layout, from, to = "2006", time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(y+1, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return from.Format(layout), telemetry.Span{From: from.UnixMilli(), To: to.UnixMilli()}
}

// file is one attached database file. The fields below mu's line belong to the
// catalog's lock.
type file struct {
	resolution telemetry.Resolution
	period     telemetry.Span
	gen        int
	name       string // "raw/2026-11-23.g0.duckdb"
	path       string
	alias      string
	columns    [2][]string // of the tables machine and board, in their order

	until   int64 // a roll-up holds everything before this
	ordered bool  // rewritten in the order of machines, nothing added since
	late    []lateSpan
	seq     int64   // of the last late stretch
	noted   int64   // the last late stretch that a roll-up has taken note of
	counts  *counts // of rows, when they were counted and none came since
	users   int
	retired func() // set when out of the catalog: what to do after the last user
}

// lateSpan is a stretch of a day that got rows after it was rolled up.
type lateSpan struct {
	seq int64
	telemetry.Span
}

// catalog knows the files of a store. What a query has acquired stays attached
// until it is released, whatever takes its place in the meantime.
type catalog struct {
	s       *Store
	mu      sync.Mutex
	files   [telemetry.Resolutions]map[string]*file // by period name
	damaged []string
}

var fileName = regexp.MustCompile(`^(\d{4}(?:-\d\d){0,2})\.g(\d{1,9})\.duckdb$`)

// openCatalog attaches the files in the folders.
func openCatalog(ctx context.Context, s *Store) (*catalog, error) {
	c := &catalog{s: s}
	if err := emptyFolder(filepath.Join(s.opt.Dir, "tmp")); err != nil {
		return nil, err
	}
	for r := range telemetry.Resolution(telemetry.Resolutions) {
		c.files[r] = map[string]*file{}
		entries, err := os.ReadDir(filepath.Join(s.opt.Dir, folders[r]))
		if err != nil {
			return nil, err
		}
		var found []*file
		for _, e := range entries {
			if f := c.parse(r, e.Name()); f != nil {
				found = append(found, f)
			}
		}
		// The highest generation of a period first; lower ones were replaced.
		slices.SortFunc(found, func(a, b *file) int { return cmp.Or(cmp.Compare(a.period.From, b.period.From), b.gen-a.gen) })
		for _, f := range found {
			period, _ := periodOf(r, f.period.From)
			if c.files[r][period] != nil {
				if err := errors.Join(os.Remove(f.path), removeIfThere(f.path+".wal")); err != nil {
					return nil, err
				}
				continue
			}
			if err := c.attach(ctx, f); err != nil {
				if err := c.setAside(f, err); err != nil {
					return nil, err
				}
				continue
			}
			c.files[r][period] = f
		}
	}
	return c, nil
}

// parse makes a file of a name in a folder, nil when it is none.
func (c *catalog) parse(r telemetry.Resolution, name string) *file {
	m := fileName.FindStringSubmatch(name)
	if m == nil {
		return nil
	}
	layout := map[telemetry.Resolution]string{telemetry.Raw: time.DateOnly, telemetry.Minute: time.DateOnly, telemetry.Quarter: "2006-01", telemetry.Hour: "2006"}[r]
	t, err := time.Parse(layout, m[1])
	gen, err2 := strconv.Atoi(m[2])
	if err != nil || err2 != nil {
		return nil
	}
	return c.make(r, t.UnixMilli(), gen)
}

func (c *catalog) make(r telemetry.Resolution, ts int64, gen int) *file {
	period, span := periodOf(r, ts)
	name := fmt.Sprintf("%s.g%d.duckdb", period, gen)
	return &file{
		resolution: r, period: span, gen: gen, name: folders[r] + "/" + name,
		path:  filepath.Join(c.s.opt.Dir, folders[r], name),
		alias: fmt.Sprintf("%s_%s_g%d", folders[r], strings.ReplaceAll(period, "-", ""), gen),
	}
}

// attach opens a file and reads what the catalog keeps of it. On an error the
// file is not attached.
func (c *catalog) attach(ctx context.Context, f *file) (err error) {
	db := c.s.db
	// An empty file is what a crash leaves of one that was never written.
	if st, err := os.Stat(f.path); err != nil {
		return err
	} else if st.Size() == 0 {
		return errors.New("the file is empty")
	}
	if _, err := db.ExecContext(ctx, attachment(f.resolution, f.path, f.alias, true)); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, err2 := db.ExecContext(context.WithoutCancel(ctx), "DETACH "+f.alias)
			err = errors.Join(err, err2)
		}
	}()
	rows, err := db.QueryContext(ctx, "SELECT key, value FROM "+f.alias+".meta")
	if err != nil {
		return err
	}
	defer rows.Close()
	meta := map[string]int64{}
	for rows.Next() {
		var k string
		var v int64
		if err := rows.Scan(&k, &v); err != nil {
			return err
		}
		meta[k] = v
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if v, ok := meta["version"]; !ok || v > schemaVersion {
		return fmt.Errorf("its version is %d, this program knows %d", v, schemaVersion)
	}
	if meta["resolution"] != int64(f.resolution) {
		return fmt.Errorf("it holds %v rows", telemetry.Resolution(meta["resolution"]))
	}
	f.until, f.ordered = meta["until"], meta["ordered"] == 1
	for i, t := range []table{machines, boards} {
		if f.columns[i], err = amend(ctx, db, f.alias, f.resolution, t); err != nil {
			return err
		}
	}
	if f.resolution == telemetry.Raw {
		return c.readLate(ctx, f)
	}
	return nil
}

// attachment is the statement that opens a file. Roll-ups have three columns for
// each of the raw rows' and get row groups a quarter as long as usual: a row
// group is written from memory. A file that grows gets shorter ones still: every
// checkpoint, which commits wait for, holds the last row group in memory and
// writes it again (at 260 columns, 10,000 rows are 20 MB). Once the day is over
// the file is rewritten in order, in longer row groups.
func attachment(r telemetry.Resolution, path, alias string, grows bool) string {
	return fmt.Sprintf("ATTACH %s AS %s (ROW_GROUP_SIZE %d)", quote(path), alias, rowGroup(r, grows))
}

func rowGroup(r telemetry.Resolution, grows bool) int {
	switch {
	case grows:
		return 8192
	case r != telemetry.Raw:
		return 30_720
	}
	return 122_880
}

// creation is the statement that makes a file. What is appended is held in whole
// blocks for each column until the next checkpoint: in a file that grows they are
// as long as a row group of eight-byte numbers, and not four times that.
func creation(f *file, path, alias string) string {
	st := attachment(f.resolution, path, alias, f.gen == 0)
	if f.gen == 0 {
		st = strings.TrimSuffix(st, ")") + ", BLOCK_SIZE 65536)"
	}
	return st
}

func (c *catalog) readLate(ctx context.Context, f *file) error {
	rows, err := c.s.db.QueryContext(ctx, "SELECT seq, lo, hi FROM "+f.alias+".late")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var l lateSpan
		if err := rows.Scan(&l.seq, &l.From, &l.To); err != nil {
			return err
		}
		f.late = append(f.late, l)
		f.seq = max(f.seq, l.seq)
	}
	return rows.Err()
}

// setAside moves a file that cannot be read into damaged/, where it stays for
// whoever wants to salvage it.
func (c *catalog) setAside(f *file, cause error) error {
	to := filepath.Join(c.s.opt.Dir, "damaged", strings.ReplaceAll(f.name, "/", "-"))
	for n := 1; ; n++ {
		if _, err := os.Lstat(to); errors.Is(err, os.ErrNotExist) {
			break
		}
		to = filepath.Join(c.s.opt.Dir, "damaged", fmt.Sprintf("%s.%d", strings.ReplaceAll(f.name, "/", "-"), n))
	}
	if err := os.Rename(f.path, to); err != nil {
		return fmt.Errorf("putting the damaged file %s aside: %w", f.name, err)
	}
	if err := os.Rename(f.path+".wal", to+".wal"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("putting the damaged file %s aside: %w", f.name, err)
	}
	c.s.log.Error("a telemetry file is damaged and was put aside; the rest is in use", "file", f.name, "to", to, "error", cause)
	c.mu.Lock()
	c.damaged = append(c.damaged, fmt.Sprintf("%s: %v", f.name, cause))
	c.mu.Unlock()
	return nil
}

// of lists the files of a resolution by time.
func (c *catalog) of(r telemetry.Resolution) []*file {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sorted(r)
}

func (c *catalog) sorted(r telemetry.Resolution) []*file {
	out := make([]*file, 0, len(c.files[r]))
	for _, f := range c.files[r] {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *file) int { return cmp.Compare(a.period.From, b.period.From) })
	return out
}

func (c *catalog) list() []*file {
	var out []*file
	for r := range telemetry.Resolution(telemetry.Resolutions) {
		out = append(out, c.of(r)...)
	}
	return out
}

// at finds the file of a resolution that covers ts, nil when there is none.
func (c *catalog) at(r telemetry.Resolution, ts int64) *file {
	c.mu.Lock()
	defer c.mu.Unlock()
	period, _ := periodOf(r, ts)
	return c.files[r][period]
}

// until is the time before which the file that covers ts was rolled up.
func (c *catalog) until(r telemetry.Resolution, ts int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	period, _ := periodOf(r, ts)
	if f := c.files[r][period]; f != nil {
		return f.until
	}
	return math.MinInt64
}

// rolledUntil is the time before which some roll-up of the day of ts holds
// everything that was there.
func (c *catalog) rolledUntil(ts int64) int64 {
	until := int64(math.MinInt64)
	for r := telemetry.Minute; r < telemetry.Resolutions; r++ {
		until = max(until, c.until(r, ts))
	}
	return until
}

// marked tells whether a stretch is late already and no roll-up has taken note
// of that: then it needs no mark of its own.
func (c *catalog) marked(f *file, late telemetry.Span) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(f.late, func(l lateSpan) bool { return l.seq > f.noted && l.From <= late.From && late.To <= l.To })
}

// acquire picks files and keeps them attached until release.
func (c *catalog) acquire(pick func(of func(telemetry.Resolution) []*file) []*file) (files []*file, release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	files = pick(c.sorted)
	for _, f := range files {
		f.users++
	}
	return files, sync.OnceFunc(func() {
		var last []func()
		c.mu.Lock()
		for _, f := range files {
			if f.users--; f.users == 0 && f.retired != nil {
				last = append(last, f.retired)
			}
		}
		c.mu.Unlock()
		for _, do := range last {
			do()
		}
	})
}

// overlapping picks the files of a resolution that meet a span.
func overlapping(files []*file, s telemetry.Span) []*file {
	var out []*file
	for _, f := range files {
		if f.period.From < s.To && f.period.To > s.From {
			out = append(out, f)
		}
	}
	return out
}

// create makes the file of a resolution for ts, or returns the one there is.
// Only the writer and the upkeep call it, never both for one resolution.
func (c *catalog) create(ctx context.Context, r telemetry.Resolution, ts int64) (*file, error) {
	if f := c.at(r, ts); f != nil {
		return f, nil
	}
	f := c.make(r, ts, 0)
	if err := c.build(ctx, f, func(string) error { return nil }); err != nil {
		return nil, err
	}
	if err := c.attach(ctx, f); err != nil {
		return nil, fmt.Errorf("opening the new file %s: %w", f.name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	period, _ := periodOf(r, ts)
	c.files[r][period] = f
	return f, nil
}

// build makes a file beside the others, fills it, and renames it to its place
// when it is whole: a crash leaves nothing half made.
func (c *catalog) build(ctx context.Context, f *file, fill func(alias string) error) error {
	b, err := c.start(ctx, f)
	if err != nil {
		return err
	}
	if err := fill(b.alias); err != nil {
		return errors.Join(err, b.abandon())
	}
	return b.finish(ctx)
}

// building is a file on its way.
type building struct {
	c     *catalog
	f     *file
	tmp   string
	alias string
}

func (c *catalog) start(ctx context.Context, f *file) (*building, error) {
	b := &building{c: c, f: f, tmp: filepath.Join(c.s.opt.Dir, "tmp", strings.ReplaceAll(f.name, "/", "-")), alias: "new_" + f.alias}
	if err := errors.Join(removeIfThere(b.tmp), removeIfThere(b.tmp+".wal")); err != nil {
		return nil, err
	}
	if err := run(ctx, c.s.db, "making the file "+f.name, creation(f, b.tmp, b.alias)); err != nil {
		return nil, err
	}
	if err := createSchema(ctx, c.s.db, b.alias, f.resolution); err != nil {
		return nil, errors.Join(err, b.abandon())
	}
	if f.resolution == telemetry.Raw {
		if err := createViews(ctx, c.s.db, b.alias); err != nil {
			return nil, errors.Join(err, b.abandon())
		}
	}
	return b, nil
}

func (b *building) abandon() error {
	_, err := b.c.s.db.ExecContext(context.Background(), "DETACH "+b.alias)
	return errors.Join(err, removeIfThere(b.tmp), removeIfThere(b.tmp+".wal"))
}

func (b *building) finish(ctx context.Context) error {
	err := run(ctx, b.c.s.db, "writing the file "+b.f.name, "CHECKPOINT "+b.alias)
	if err == nil {
		err = run(ctx, b.c.s.db, "closing the file "+b.f.name, "DETACH "+b.alias)
	}
	if err == nil {
		err = syncFile(b.tmp)
	}
	if err == nil {
		err = os.Rename(b.tmp, b.f.path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(b.f.path))
	}
	if err != nil {
		return errors.Join(err, b.abandon())
	}
	return nil
}

// replace puts a rewritten file in the place of an older generation, which goes
// when its last user is done.
func (c *catalog) replace(f, old *file) {
	c.mu.Lock()
	period, _ := periodOf(f.resolution, f.period.From)
	c.files[f.resolution][period] = f
	c.mu.Unlock()
	c.retire(old, func() error { return errors.Join(os.Remove(old.path), removeIfThere(old.path+".wal")) })
}

// remove forgets a file.
func (c *catalog) remove(f *file) {
	c.drop(f)
	c.retire(f, func() error { return errors.Join(os.Remove(f.path), removeIfThere(f.path+".wal")) })
}

// quarantine takes a file that turned out damaged out of use.
func (c *catalog) quarantine(f *file, cause error) {
	if c.drop(f) {
		c.retire(f, func() error { return c.setAside(f, cause) })
	}
}

func (c *catalog) drop(f *file) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	period, _ := periodOf(f.resolution, f.period.From)
	if c.files[f.resolution][period] != f {
		return false
	}
	delete(c.files[f.resolution], period)
	return true
}

// retire detaches a file that is out of the catalog, and then does the rest,
// now or after the last user.
func (c *catalog) retire(f *file, then func() error) {
	do := func() {
		_, err := c.s.db.ExecContext(context.Background(), "DETACH "+f.alias)
		if err = errors.Join(err, then()); err != nil {
			c.s.log.Error("retiring a telemetry file", "file", f.name, "error", err)
		}
	}
	c.mu.Lock()
	now := f.users == 0
	f.retired = do
	c.mu.Unlock()
	if now {
		do()
	}
}

func emptyFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
