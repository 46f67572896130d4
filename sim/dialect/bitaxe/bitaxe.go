// Package bitaxe is the dialect of ESP-Miner (AxeOS) and of NerdAxe, its fork
// for more chips: HTTP on port 80, no password.
//
// Versions that differ: before 2.4 no MAC address, before 2.7 no asic reply,
// before 2.11 the best difficulty as text and the fan as one, before 2.12 no
// means of the hashrate, since 2.14 pause and resume, since 2.15 (the branch of
// development of August 2026) a list of pools. A model whose name begins with
// Nerd speaks the fork's dialect.
package bitaxe

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"ballast/miner"
	"ballast/sim"
)

const port = 80

// Dialect is ESP-Miner.
type Dialect struct{}

var _ sim.Dialect = Dialect{}

// New makes the dialect.
func New() sim.Dialect { return Dialect{} }

// Firmware is miner.Bitaxe.
func (Dialect) Firmware() miner.Firmware { return miner.Bitaxe }

// Ports is the dashboard's.
func (Dialect) Ports(sim.Spec) []uint16 { return []uint16{port} }

// Serve answers requests until the peer leaves.
func (Dialect) Serve(ctx context.Context, _ uint16, conn net.Conn, rig *sim.Rig) {
	spec := rig.Spec()
	sim.ServeHTTP(ctx, conn, handler{rig: rig, spec: spec, chip: chipOf(spec.Model), minor: minorOf(spec.Version), nerd: isNerd(spec.Model)})
}

func isNerd(m miner.Model) bool { return strings.HasPrefix(m.Name, "Nerd") }

// newest is the version of a Spec that names none.
const newest = "2.14.2"

// minorOf is the second figure of a version of the second generation.
func minorOf(version string) int {
	if version == "" {
		version = newest
	}
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	if m, err2 := strconv.Atoi(major); err != nil || err2 != nil || m < 2 {
		return 0
	}
	return n
}

// chip is what the firmware has in its tables for one ASIC.
type chip struct {
	name           string
	smallCores     int
	clock, core    float64 // MHz, mV
	clocks, cores  []float64
	family, colour string // of the board with one such chip
}

var chips = map[string]chip{
	"BM1397": {"BM1397", 672, 425, 1400, []float64{400, 425, 450, 475, 485, 500, 525, 550, 575, 600}, []float64{1100, 1150, 1200, 1250, 1300, 1350, 1400, 1450, 1500}, "Max", "red"},
	"BM1366": {"BM1366", 894, 485, 1200, []float64{400, 425, 450, 475, 485, 500, 525, 550, 575}, []float64{1100, 1150, 1200, 1250, 1300}, "Ultra", "purple"},
	"BM1368": {"BM1368", 1276, 490, 1166, []float64{400, 425, 450, 475, 485, 490, 500, 525, 550, 575}, []float64{1100, 1150, 1166, 1200, 1250, 1300}, "Supra", "blue"},
	"BM1370": {"BM1370", 2040, 525, 1150, []float64{400, 490, 525, 550, 600, 625}, []float64{1000, 1060, 1100, 1150, 1200, 1250}, "Gamma", "green"},
}

func chipOf(m miner.Model) chip {
	if c, ok := chips[m.ChipType]; ok {
		return c
	}
	return chips["BM1370"]
}

// setting is what the flash remembers and the rig has no notion of.
type setting struct {
	mu          sync.Mutex
	clock, core float64
}

func (s *setting) now() (clock, core float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock, s.core
}

func (s *setting) set(clock, core float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock, s.core = clock, core
}

type handler struct {
	rig   *sim.Rig
	spec  sim.Spec
	chip  chip
	minor int
	nerd  bool
}

func (h handler) setting() *setting {
	return h.rig.Memo("bitaxe setting", func() any { return &setting{clock: h.chip.clock, core: h.chip.core} }).(*setting)
}

// obj is a JSON object.
type obj = map[string]any

const dashboard = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>%</title><base href="/"></head><body><app-root></app-root></body></html>`

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/":
		title := "AxeOS"
		if h.nerd {
			title = h.spec.Model.Name
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(strings.Replace(dashboard, "%", title, 1)))
	case r.Method == http.MethodGet && r.URL.Path == "/api/system/info":
		reply(w, h.info())
	case r.Method == http.MethodGet && r.URL.Path == "/api/system/asic" && (h.minor >= 7 || h.nerd):
		reply(w, h.asic())
	case r.Method == http.MethodPatch && r.URL.Path == "/api/system":
		if !h.patch(r) {
			http.Error(w, "Wrong API input", http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusOK)
	case r.Method == http.MethodDelete && strings.HasPrefix(r.URL.Path, "/api/system/pools/") && h.slots():
		h.dropPool(w, strings.TrimPrefix(r.URL.Path, "/api/system/pools/"))
	case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/api/system/") && h.command(strings.TrimPrefix(r.URL.Path, "/api/system/")):
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("System will restart shortly."))
	case strings.HasPrefix(r.URL.Path, "/api/"):
		http.Error(w, `{"error":"unknown route"}`, http.StatusNotFound)
	default: // the dashboard sends strangers home
		w.Header().Set("Location", "/")
		w.WriteHeader(http.StatusFound)
	}
}

func reply(w http.ResponseWriter, out any) {
	b, err := json.Marshal(out)
	if err != nil {
		http.Error(w, "encoding", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b)
}

// slots tells the versions with a list of pools.
func (h handler) slots() bool { return h.minor >= 15 && !h.nerd }

// pauses tells the versions with pause and resume.
func (h handler) pauses() bool { return h.minor >= 14 && !h.nerd }
