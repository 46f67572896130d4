package server

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/config"
	"ballast/fleet"
	"ballast/ledger"
	"ballast/plant"
	"ballast/telemetry"
	"ballast/unit"
)

// System is the health of Ballast itself.
type System struct {
	Now      time.Time              `json:"now"`
	Started  time.Time              `json:"started"`
	Version  Versions               `json:"version"`
	Process  Process                `json:"process"`
	Interval float64                `json:"poll_interval_s"`
	Polls    fleet.PollStats        `json:"polls"`
	Storing  telemetry.BatcherStats `json:"storing" doc:"From reply to disk."`
	Ages     []telemetry.Age        `json:"ages" doc:"Rows by the time from their reply to the disk, since the start."`
	History  telemetry.Stats        `json:"history"`
	Disk     Disk                   `json:"disk"`
	Record   RecordSize             `json:"record"`
	Live     int                    `json:"live_listeners" doc:"Streams that are open."`
	Scan     fleet.ScanState        `json:"scan"`
	Commands int                    `json:"open_commands"`
	Plant    []PlantHealth          `json:"plant" doc:"Meters, controllers and PDUs: how good their newest readings are."`
	Troubles []Trouble              `json:"troubles" doc:"Warnings and errors of the last day, newest first."`
}

// Versions are what runs.
type Versions struct {
	Ballast  string `json:"ballast"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	System   string `json:"system"`
	History  string `json:"history_engine"`
	Record   string `json:"record_engine"`
}

// Process is what this process takes.
type Process struct {
	PID        int               `json:"pid"`
	CPUs       int               `json:"cpus"`
	CPUSeconds unit.Opt[float64] `json:"cpu_s,omitzero" doc:"Since the start."`
	CPUNow     unit.Opt[float64] `json:"cpu_now,omitzero" doc:"Cores in use, over the time since somebody last asked, at least some seconds."`
	Memory     unit.Opt[int64]   `json:"memory_bytes,omitzero" doc:"Resident."`
	Heap       int64             `json:"heap_bytes" doc:"Of it, Go's live objects."`
	Goroutines int               `json:"goroutines"`
	Files      unit.Opt[int]     `json:"open_files,omitzero"`
	FilesMost  unit.Opt[int]     `json:"open_files_limit,omitzero"`
}

// Disk is how long the disk of the history will do.
type Disk struct {
	Free     unit.Opt[int64]   `json:"free_bytes,omitzero"`
	Size     unit.Opt[int64]   `json:"size_bytes,omitzero"`
	PerDay   unit.Opt[float64] `json:"growth_bytes_per_day,omitzero" doc:"Of history and record together."`
	Watched  float64           `json:"watched_h" doc:"Hours that the growth was measured over; below 1 it is worked out from the size of a machine's day."`
	DaysLeft unit.Opt[float64] `json:"days_left,omitzero" doc:"At that growth. Retention makes the growth smaller with time."`
}

// RecordSize is what the record takes.
type RecordSize struct {
	Bytes unit.Opt[int64] `json:"bytes,omitzero" doc:"Of the embedded engine; another one's size is its own affair."`
}

// PlantHealth is how good a device's newest reading is.
type PlantHealth struct {
	Name    string    `json:"name"`
	Kind    string    `json:"kind"`
	Quality string    `json:"quality"`
	At      time.Time `json:"at"`
	Error   string    `json:"error,omitempty"`
}

// health is what must be watched over time.
type health struct {
	started time.Time

	mu      sync.Mutex
	cpuAt   time.Time
	cpu     time.Duration
	cpuNow  unit.Opt[float64]
	samples []sizeSample // of the last day, oldest first
}

type sizeSample struct {
	at    time.Time
	bytes int64
}

func newHealth() *health {
	h := &health{started: time.Now()}
	h.cpuAt, h.cpu = h.started, cpuTime().Or(0)
	return h
}

// cores is how many cores were in use since the last time, over at least a few
// seconds.
func (h *health) cores(now time.Time) unit.Opt[float64] {
	used, ok := cpuTime().Get()
	h.mu.Lock()
	defer h.mu.Unlock()
	if past := now.Sub(h.cpuAt); ok && past >= 5*time.Second {
		h.cpuNow = unit.Some(float64(used-h.cpu) / float64(past))
		h.cpuAt, h.cpu = now, used
	}
	return h.cpuNow
}

// sampleEvery is how often the size of what is stored is looked at.
const sampleEvery = 10 * time.Minute

// sampleGrowth watches how fast the store grows.
func (s *Server) sampleGrowth(ctx context.Context) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		if st, err := s.History.Stats(ctx); err == nil {
			s.health.sampled(time.Now(), st.Bytes+recordBytes(s.Files.Record).Or(0))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (h *health) sampled(at time.Time, bytes int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.samples = append(h.samples, sizeSample{at, bytes})
	h.samples = slices.DeleteFunc(h.samples, func(s sizeSample) bool { return at.Sub(s.at) > 24*time.Hour })
}

// growth is bytes a day as watched, and over how many hours.
func (h *health) growth(now time.Time, bytes int64) (perDay unit.Opt[float64], hours float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.samples) == 0 {
		return unit.None[float64](), 0
	}
	first := h.samples[0]
	hours = now.Sub(first.at).Hours()
	if hours < 1 {
		return unit.None[float64](), hours
	}
	return unit.Some(float64(bytes-first.bytes) / hours * 24), hours
}

// recordBytes is the record's file with what waits beside it.
func recordBytes(path string) unit.Opt[int64] {
	if path == "" {
		return unit.None[int64]()
	}
	sum, found := int64(0), false
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(path + suffix); err == nil {
			sum, found = sum+info.Size(), true
		}
	}
	if !found {
		return unit.None[int64]()
	}
	return unit.Some(sum)
}

func (s *Server) registerSystem() {
	tags := []string{"system"}
	op(s, huma.Operation{OperationID: "system", Method: http.MethodGet, Path: "/api/v1/system", Summary: "The health of Ballast itself", Tags: tags},
		func(ctx context.Context, _ *struct{}) (*struct{ Body System }, error) {
			out, err := s.system(ctx)
			if err != nil {
				return nil, s.fail("asking the store", err)
			}
			return &struct{ Body System }{out}, nil
		})
	op(s, huma.Operation{OperationID: "settings", Method: http.MethodGet, Path: "/api/v1/settings", Summary: "The configuration in force, secrets hidden", Tags: tags},
		func(context.Context, *struct{}) (*struct{ Body []config.Entry }, error) {
			return &struct{ Body []config.Entry }{append([]config.Entry{}, s.Settings...)}, nil
		})
	op(s, huma.Operation{OperationID: "support-bundle", Method: http.MethodGet, Path: "/api/v1/system/bundle", Summary: "Everything that helps to find a fault in Ballast, as a zip file without secrets", Tags: tags}, s.bundle)
}

func (s *Server) system(ctx context.Context) (System, error) {
	now := time.Now()
	history, err := s.History.Stats(ctx)
	if err != nil {
		return System{}, err
	}
	out := System{Now: now.UTC(), Started: s.health.started.UTC(), Interval: s.Fleet.Poller.Interval.Seconds(), Polls: s.Fleet.Poller.Stats(), Ages: []telemetry.Age{},
		History: history, Commands: s.Fleet.Commander.Open(), Live: s.hub.listening(), Plant: []PlantHealth{}, Troubles: s.Troubles.Since(now.Add(-24 * time.Hour)),
		Record: RecordSize{recordBytes(s.Files.Record)}}
	out.Version = Versions{Ballast: s.Options.Version, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, History: strings.TrimSpace(history.Engine.Name + " " + history.Engine.Version), Record: s.RecordEngine}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, kv := range info.Settings {
			if kv.Key == "vcs.revision" {
				out.Version.Revision = kv.Value
			}
		}
	}
	if s.Batcher != nil {
		out.Storing = s.Batcher.Stats()
		out.Ages = append(out.Ages, s.Batcher.Ages()...)
	}
	if s.Scans != nil {
		out.Scan, _ = s.Scans.Latest(Scope{All: true}.Covers)
	}
	if s.Plant != nil {
		for _, r := range s.Plant(now) {
			out.Plant = append(out.Plant, PlantHealth{r.Source, string(r.Kind), string(r.QualityAt(now)), r.At, Redact(r.Err)})
		}
	}
	out.Process = s.process(now)
	out.Disk = s.disk(now, history)
	return out, nil
}

func (s *Server) process(now time.Time) Process {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	p := Process{PID: os.Getpid(), CPUs: runtime.GOMAXPROCS(0), CPUNow: s.health.cores(now), Memory: residentMemory(), Heap: int64(m.HeapAlloc), Goroutines: runtime.NumGoroutine()} //nolint:gosec // no heap overflows
	if t, ok := cpuTime().Get(); ok {
		p.CPUSeconds = unit.Some(t.Seconds())
	}
	p.Files, p.FilesMost = openFiles()
	return p
}

func (s *Server) disk(now time.Time, history telemetry.Stats) Disk {
	var d Disk
	d.Free, d.Size = diskSpace(s.Files.History)
	d.PerDay, d.Watched = s.health.growth(now, history.Bytes+recordBytes(s.Files.Record).Or(0))
	if !d.PerDay.Ok() && history.PerDay > 0 && history.Machines > 0 {
		d.PerDay = unit.Some(history.PerDay * float64(history.Machines))
	}
	if free, ok := d.Free.Get(); ok {
		if g, ok := d.PerDay.Get(); ok && g > 0 {
			d.DaysLeft = unit.Some(float64(free) / g)
		}
	}
	return d
}

// listening is how many streams are open.
func (h *hub) listening() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, v := range h.views {
		n += v.listeners
	}
	return n
}

func (s *Server) bundle(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	p, _ := principal(ctx)
	sys, err := s.system(ctx)
	if err != nil {
		return nil, s.fail("asking the store", err)
	}
	if err := s.Record.Audit(ctx, ledger.Audit{Actor: p.Name(), Action: "system.bundle", Subject: "site/" + s.Options.Site}); err != nil {
		return nil, s.fail("writing the audit log", err)
	}
	b, err := s.pack(sys)
	if err != nil {
		return nil, s.fail("making the support bundle", err)
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		out.SetHeader("Content-Type", "application/zip")
		out.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename="ballast-support-%s.zip"`, sys.Now.Format("20060102T1504Z")))
		out.SetHeader("Cache-Control", "no-store")
		_, _ = out.BodyWriter().Write(b)
	}}, nil
}

const bundleText = `A support bundle of Ballast.

system.json       health of Ballast itself, with the warnings and errors of the last day
settings.json     the configuration in force; of secrets only whether they are set
machines.json     how many machines of each model, firmware and version are in which condition
plant.json        newest readings of meters, controllers and PDUs
goroutines.txt    what the process is doing

There are no passwords, keys or people in it. Addresses of machines, meters and
mail servers are: look through it before you hand it on.
`

// pack makes the zip.
func (s *Server) pack(sys System) ([]byte, error) {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	add := func(name string, content []byte) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: sys.Now})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			return fmt.Errorf("adding %s: %w", name, err)
		}
		return nil
	}
	type kind struct{ Make, Model, Firmware, Version, Condition string }
	count := map[kind]int{}
	for _, st := range s.Fleet.All() {
		m := st.Machine
		count[kind{m.Make, m.Model, m.Firmware, m.FirmwareVersion, string(st.Condition)}]++
	}
	type counted struct {
		kind
		Machines int
	}
	machines := []counted{}
	for k, n := range count {
		machines = append(machines, counted{k, n})
	}
	slices.SortFunc(machines, func(a, b counted) int { return strings.Compare(fmt.Sprint(a.kind), fmt.Sprint(b.kind)) })
	readings := []plant.Reading{}
	if s.Plant != nil {
		readings = append(readings, s.Plant(sys.Now)...)
	}
	var threads bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&threads, 1); err != nil {
		return nil, fmt.Errorf("listing goroutines: %w", err)
	}
	files := []struct {
		name string
		v    any
	}{{"system.json", sys}, {"settings.json", s.Settings}, {"machines.json", machines}, {"plant.json", readings}}
	if err := add("README.txt", []byte(bundleText)); err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := json.MarshalIndent(f.v, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("writing %s: %w", f.name, err)
		}
		if err := add(f.name, text); err != nil {
			return nil, err
		}
	}
	if err := add("goroutines.txt", threads.Bytes()); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("closing the zip: %w", err)
	}
	return buf.Bytes(), nil
}
