package telemetrytest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"ballast/miner"
	"ballast/telemetry"
	"ballast/unit"
)

// testExport writes rows out and reads them back.
func testExport(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	rnd := rand.New(rand.NewPCG(3, 4))
	var rows []telemetry.Row
	for i := range 40 {
		for id := range miner.ID(3) {
			r := everything(rnd, id+1, noon.Add(time.Duration(i-80)*time.Hour/2))
			r.Profile = `a "quoted", comma'd` + "\nprofile"
			if i%7 == 0 {
				r = telemetry.FromReading(telemetry.Poll{Machine: id + 1, At: r.At, Err: miner.ErrDenied}, nil)
			}
			rows = append(rows, r)
		}
	}
	f.append(rows...)
	f.maintain(noon)
	from, to := noon.Add(-30*time.Hour), noon.Add(-10*time.Hour)
	for _, level := range []telemetry.Level{telemetry.MachineLevel, telemetry.BoardLevel} {
		for _, format := range []telemetry.Format{telemetry.CSV, telemetry.JSONL, telemetry.Parquet} {
			var out bytes.Buffer
			q := telemetry.ExportQuery{Format: format, Level: level, From: from, To: to, Filter: telemetry.Machines(1, 3)}
			n, err := f.Export(t.Context(), &out, q)
			if err != nil {
				t.Fatalf("exporting %s rows as %s: %v", level, format, err)
			}
			want := expectExport(rows, level, func(r *telemetry.Row) bool {
				return r.Machine != 2 && !r.At.Before(from) && r.At.Before(to)
			})
			if n != int64(len(want)) {
				t.Errorf("%s rows as %s: %d, want %d", level, format, n, len(want))
			}
			if format == telemetry.Parquet {
				if b := out.Bytes(); !bytes.HasPrefix(b, []byte("PAR1")) || !bytes.HasSuffix(b, []byte("PAR1")) {
					t.Errorf("%s rows as parquet: not a Parquet file", level)
				}
				continue
			}
			got := readExport(t, format, &out)
			if len(got) != len(want) {
				t.Fatalf("%s rows as %s: read back %d, want %d", level, format, len(got), len(want))
			}
			for key, w := range want {
				g := got[key]
				for name, text := range w {
					if !sameCell(g[name], text) {
						t.Fatalf("%s rows as %s: %s of %s is %q, want %q", level, format, name, key, g[name], text)
					}
				}
				if len(g) != len(w) {
					t.Fatalf("%s rows as %s: %d columns, want %d", level, format, len(g), len(w))
				}
			}
		}
	}
	var out bytes.Buffer
	if _, err := f.Export(t.Context(), &out, telemetry.ExportQuery{Format: telemetry.CSV, Level: telemetry.MachineLevel, Metrics: []telemetry.Metric{telemetry.Power}}); err != nil {
		t.Fatal(err)
	}
	if head, _, _ := strings.Cut(out.String(), "\n"); head != "time,machine,site,group,model,firmware,version,outcome,state,power_source,mode,profile,tuning,power" {
		t.Errorf("columns of a chosen export: %s", head)
	}
	if _, err := f.Export(t.Context(), brokenPipe{}, telemetry.ExportQuery{Format: telemetry.CSV, Level: telemetry.MachineLevel}); !errors.Is(err, errBroken) {
		t.Errorf("exporting to a writer that fails: %v", err)
	}
}

var errBroken = errors.New("the reader went away")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }

// expectExport lists the cells of an export by time, machine and board. A
// missing number is an empty cell.
func expectExport(rows []telemetry.Row, level telemetry.Level, keep func(*telemetry.Row) bool) map[string]map[string]string {
	want := map[string]map[string]string{}
	for _, r := range rows {
		if !keep(&r) {
			continue
		}
		cells := func(board string) map[string]string {
			c := map[string]string{"time": r.At.Format("2006-01-02 15:04:05.999"), "machine": strconv.Itoa(int(r.Machine)), "site": r.Site, "group": r.Group, "model": r.Model,
				"firmware": string(r.Firmware), "version": r.Version}
			want[c["time"]+"/"+c["machine"]+"/"+board] = c
			return c
		}
		number := func(c map[string]string, m telemetry.Metric, v unit.Opt[float64]) {
			c[m.String()] = ""
			if x, ok := v.Get(); ok {
				c[m.String()] = strconv.FormatFloat(x, 'g', -1, 64)
			}
		}
		if level == telemetry.MachineLevel {
			c := cells("")
			c["outcome"], c["state"], c["power_source"] = string(r.Outcome), string(r.State), string(r.PowerSource)
			c["mode"], c["profile"], c["tuning"] = r.Mode, r.Profile, r.Tuning
			for _, m := range telemetry.MachineMetrics() {
				number(c, m, r.Get(m))
			}
			continue
		}
		for _, b := range r.Boards {
			c := cells(strconv.Itoa(b.Index))
			c["board"], c["serial"] = strconv.Itoa(b.Index), b.Serial
			for _, m := range telemetry.BoardMetrics() {
				number(c, m, b.Get(m))
			}
		}
	}
	return want
}

func readExport(t *testing.T, format telemetry.Format, in *bytes.Buffer) map[string]map[string]string {
	t.Helper()
	var rows []map[string]string
	if format == telemetry.CSV {
		records, err := csv.NewReader(in).ReadAll()
		if err != nil {
			t.Fatalf("reading the CSV back: %v", err)
		}
		for _, rec := range records[1:] {
			c := map[string]string{}
			for i, name := range records[0] {
				c[name] = rec[i]
			}
			rows = append(rows, c)
		}
	} else {
		for dec := json.NewDecoder(in); dec.More(); {
			var one map[string]any
			dec.UseNumber()
			if err := dec.Decode(&one); err != nil {
				t.Fatalf("reading the JSON lines back: %v", err)
			}
			c := map[string]string{}
			for name, v := range one {
				switch v := v.(type) {
				case nil:
					c[name] = ""
				case string:
					c[name] = v
				case json.Number:
					c[name] = v.String()
				default:
					t.Fatalf("%s is a %T", name, v)
				}
			}
			rows = append(rows, c)
		}
	}
	out := map[string]map[string]string{}
	for _, c := range rows {
		at, err := time.Parse("2006-01-02 15:04:05.999", c["time"])
		if err != nil {
			t.Fatalf("a time of %q: %v", c["time"], err)
		}
		c["time"] = at.Format("2006-01-02 15:04:05.999")
		out[c["time"]+"/"+c["machine"]+"/"+c["board"]] = c
	}
	return out
}

// sameCell compares as numbers where both are. Decimals are kept as float32, and
// may be written with as many digits as tell it from its neighbours.
func sameCell(a, b string) bool {
	if a == b {
		return true
	}
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err1 == nil && err2 == nil && (x == y || float32(x) == float32(y) && math.Abs(x-y) < 1)
}
