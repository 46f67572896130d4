package ballast_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// may says which rooms a room may import. A room not listed here does not
// exist; a room's subfolders follow its rule unless they have one of their own.
// docs/architecture.md says why each line is as it is.
var may = map[string][]string{
	"unit":      {},
	"learn":     {},
	"miner":     {"unit"},
	"miner/all": {"miner", "unit"},
	// The contract suite plays every driver against its simulated machine.
	"miner/drivertest": {"miner", "unit", "sim"},
	"plant":            {"unit"},
	"site":             {"unit", "miner", "plant"},
	"ledger":           {"unit"},
	"telemetry":        {"unit", "miner"},
	"market":           {"unit"},
	"debt":             {"unit", "market", "learn"},
	// The part of the room that looks: sources into the record.
	"market/ticker": {"unit", "ledger"},
	"fleet":         {"unit", "miner", "plant", "site", "ledger", "telemetry"},
	"sim":           {"unit", "miner", "plant", "site"},
	"tariff":        {"unit"},
	"forecast":      {"unit", "tariff", "learn"},
	// The desk that runs what tariff and forecast know.
	"price":  {"unit", "tariff", "forecast", "learn", "ledger"},
	"config": {"unit", "miner"},
	// A report is made of what the server's doors hold, without knowing them.
	"report": {"unit", "miner"},
	"server": {"unit", "miner", "plant", "site", "fleet", "ledger", "telemetry", "report", "alarm", "notify", "config", "web", "market", "debt", "tariff", "forecast", "price"},
	"alarm":  {"unit", "miner", "site"},
	// The part of the room that looks: observations from the live fleet, alarms
	// into the record, messages out.
	"alarm/watch": {"unit", "miner", "plant", "site", "fleet", "ledger", "notify", "telemetry"},
	"notify":      {"ledger"},
	"web":         {},
	"cmd/ballast": {"*"},
}

// The domain and its doors must not know an engine, a server or a clock of
// their own.
var engines = []string{"database/sql", "github.com/duckdb", "github.com/jackc/pgx", "modernc.org/sqlite"}

func TestHouseRules(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != "." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || path == "tools" || path == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		rule, room := ruleOf(dir)
		if room == "" {
			if dir != "." {
				t.Errorf("%s: no room of the house; add it to house_test.go and docs/architecture.md", path)
			}
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, im := range f.Imports {
			p, _ := strconv.Unquote(im.Path.Value)
			if rest, ok := strings.CutPrefix(p, "ballast/"); ok {
				_, other := ruleOf(rest)
				if top(other) != top(room) && !slices.Contains(rule, "*") && !slices.Contains(rule, top(other)) {
					t.Errorf("%s imports %s: %s may import %v", path, p, room, rule)
				}
			}
			for _, e := range engines {
				if strings.HasPrefix(p, e) && !engineRoom(dir) {
					t.Errorf("%s imports %s: engines stay behind the doors telemetry and ledger", path, p)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Files stay small enough to hold in the head.
func TestFilesStaySmall(t *testing.T) {
	_ = filepath.WalkDir(".", func(path string, d fs.DirEntry, _ error) error {
		if d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".tsx") && !strings.HasSuffix(path, ".ts") {
			return nil
		}
		if strings.Contains(path, ".gen.") || strings.HasSuffix(path, ".pb.go") || strings.Contains(path, "_gen") {
			return nil
		}
		b, err := os.ReadFile(path)
		if n := strings.Count(string(b), "\n"); err == nil && n > 700 {
			t.Errorf("%s has %d lines: split it by what its parts are for", path, n)
		}
		return nil
	})
}

func top(room string) string {
	if strings.HasPrefix(room, "cmd/") {
		return room
	}
	first, _, _ := strings.Cut(room, "/")
	return first
}

func ruleOf(dir string) ([]string, string) {
	for d := dir; d != "." && d != ""; {
		if r, ok := may[d]; ok {
			return r, d
		}
		i := strings.LastIndexByte(d, '/')
		if i < 0 {
			break
		}
		d = d[:i]
	}
	return nil, ""
}

func engineRoom(dir string) bool {
	return strings.HasPrefix(dir, "telemetry/") || strings.HasPrefix(dir, "ledger/")
}
