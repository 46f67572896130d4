package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/fleet"
	"ballast/miner"
	"ballast/server"
	"ballast/telemetry"
)

type benchCmd struct {
	Fleet   benchFleet   `cmd:"" help:"Poll a simulated site in a process of its own: polls in time, delay to disk, memory, processor, bytes."`
	Clients benchClients `cmd:"" help:"Compare the cost of a poll with a client that keeps nothing between two questions."`
	Debt    benchDebt    `cmd:"" help:"Reckon the figures of market and debt from outside data, beside their references."`
	EPF     benchEPF     `cmd:"" help:"Forecast the open benchmark of day-ahead prices as published: errors, distributions, processor time, beside the published forecasts."`
	ERCOT   benchERCOT   `cmd:"" help:"Forecast a year of ERCOT's hub prices: day-ahead, the next quarter of an hour, spikes, the month's peaks."`
	Live    benchLive    `cmd:"" help:"Open many live streams at once: processor, bytes, lag, memory; some stop reading."`
	Scan    benchScan    `cmd:"" help:"Scan a range with machines scattered in it, where the other addresses refuse, and where they are silent."`
}

type benchFleet struct {
	Machines int           `default:"10000" help:"How many."`
	Interval time.Duration `default:"10s" help:"Of polling."`
	For      time.Duration `default:"10m" help:"How long to measure, after all machines are known and warm."`
	Seed     uint64        `default:"1" help:"Of the site."`
}

// fleetFigures is what a run of bench fleet measured.
type fleetFigures struct {
	Machine       string  `json:"machine"`
	Cores         int     `json:"cores"`
	Simulated     int     `json:"simulated_machines"`
	Interval      string  `json:"interval"`
	Measured      string  `json:"measured"`
	Found         int     `json:"found"`
	Polls         int64   `json:"polls"`
	InTime        int64   `json:"in_time"`
	InTimePercent float64 `json:"in_time_percent"`
	Failed        int64   `json:"failed"`
	Skipped       int64   `json:"skipped"`
	P50           string  `json:"reply_to_stored_p50"`
	P99           string  `json:"reply_to_stored_p99"`
	Max           string  `json:"reply_to_stored_max"`
	PeakMemory    int64   `json:"ballast_peak_rss_bytes"`
	BallastCPU    float64 `json:"ballast_cpu_ms_per_poll"`
	SimulatorCPU  float64 `json:"simulator_cpu_ms_per_poll"`
	Cores1        float64 `json:"ballast_cores"`
	Cores2        float64 `json:"simulator_cores"`
	RawBytes      int64   `json:"raw_bytes"`
	BytesPerDay   float64 `json:"raw_bytes_per_machine_and_day"`
	PerPoll       float64 `json:"raw_bytes_per_poll"`
}

func (c *benchFleet) Run(ctx context.Context, common *common, s *streams) error {
	b, err := openBench(ctx, s.err, c.Machines, c.Interval, []string{"--seed", strconv.FormatUint(c.Seed, 10), "--pristine"}, "--profile", "127.0.0.1:6061")
	if err != nil {
		return err
	}
	defer b.close()
	now := b.site
	fmt.Fprintf(s.err, "%d machines known after scanning %d addresses in %.1f s; measuring for %v\n", now.Machines, now.Scan.Progress.Total, now.Scan.Progress.Elapsed.Seconds(), c.For)
	// The first polls ask everything; the measurement is of the steady state.
	select {
	case <-ctx.Done():
	case <-time.After(max(30*time.Second, 3*c.Interval)):
	}
	before := sample(ctx, b.client, b.pid(), b.sim)
	if before.err != nil {
		return before.err
	}
	var peak int64
	end := time.Now().Add(c.For)
	for time.Now().Before(end) && ctx.Err() == nil {
		peak = max(peak, residentBytes(b.pid()))
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	after := sample(ctx, b.client, b.pid(), b.sim)
	if err := errors.Join(ctx.Err(), before.err, after.err); err != nil {
		return err
	}
	f := figures(c, before, after, peak)
	if common.JSON {
		return s.json(f)
	}
	f.print(s.out)
	return nil
}

// instant is what is counted at the ends of a measurement.
type instant struct {
	at       time.Time
	site     server.Site
	storage  telemetry.Stats
	ages     []telemetry.Age
	cpu, sim time.Duration
	err      error
}

func sample(ctx context.Context, cl *client, pid, sim int) (i instant) {
	i.at = time.Now()
	i.err = cl.call(ctx, http.MethodGet, "/api/v1/site", nil, &i.site)
	if err := cl.call(ctx, http.MethodGet, "/api/v1/storage", nil, &i.storage); err != nil {
		i.err = err
	}
	if err := cl.call(ctx, http.MethodGet, "/api/v1/storage/ages", nil, &i.ages); err != nil {
		i.err = err
	}
	i.cpu, i.sim = cpuTime(pid), cpuTime(sim)
	return i
}

func figures(c *benchFleet, a, b instant, peak int64) fleetFigures {
	took := b.at.Sub(a.at)
	polls := b.site.Polls.Due - a.site.Polls.Due
	raw := func(i instant) (n int64) {
		for _, s := range i.storage.BytesAt {
			if s.Resolution == telemetry.Raw {
				n += s.Bytes
			}
		}
		return n
	}
	was := map[time.Duration]int64{}
	for _, x := range a.ages {
		was[x.Upto] = x.Rows
	}
	var between []telemetry.Age
	for _, x := range b.ages {
		if n := x.Rows - was[x.Upto]; n > 0 {
			between = append(between, telemetry.Age{Upto: x.Upto, Rows: n})
		}
	}
	f := fleetFigures{
		Machine: machineName(), Cores: runtime.NumCPU(), Simulated: c.Machines, Interval: c.Interval.String(), Measured: took.Round(time.Second).String(), Found: b.site.Machines,
		Polls: polls, InTime: b.site.Polls.InTime - a.site.Polls.InTime, Failed: b.site.Polls.Failed - a.site.Polls.Failed,
		Skipped: b.site.Polls.Overrun + b.site.Polls.Crowded - a.site.Polls.Overrun - a.site.Polls.Crowded,
		P50:     telemetry.QuantileOf(between, 0.5).String(), P99: telemetry.QuantileOf(between, 0.99).String(), Max: telemetry.QuantileOf(between, 1).String(), PeakMemory: peak,
		Cores1: (b.cpu - a.cpu).Seconds() / took.Seconds(), Cores2: (b.sim - a.sim).Seconds() / took.Seconds(), RawBytes: raw(b) - raw(a),
	}
	if polls > 0 {
		// Polls that were due before and answered in the measured time must not make up
		// for those that were skipped.
		f.InTimePercent = 100 * float64(f.InTime) / float64(max(polls, f.InTime+f.Failed+f.Skipped))
		f.BallastCPU = (b.cpu - a.cpu).Seconds() * 1000 / float64(polls)
		f.SimulatorCPU = (b.sim - a.sim).Seconds() * 1000 / float64(polls)
		f.PerPoll = float64(f.RawBytes) / float64(polls)
		f.BytesPerDay = f.PerPoll * float64(24*time.Hour) / float64(c.Interval)
	}
	return f
}

func (f fleetFigures) print(w io.Writer) {
	fmt.Fprintf(w, "machine                      %s, %d cores\n", f.Machine, f.Cores)
	fmt.Fprintf(w, "simulated machines           %d (found %d), every %s for %s\n", f.Simulated, f.Found, f.Interval, f.Measured)
	fmt.Fprintf(w, "polls due                    %d\n", f.Polls)
	fmt.Fprintf(w, "polls in time                %d = %.3f %% (failed %d, skipped %d)\n", f.InTime, f.InTimePercent, f.Failed, f.Skipped)
	fmt.Fprintf(w, "reply to stored              p50 %s, p99 %s, max %s\n", f.P50, f.P99, f.Max)
	fmt.Fprintf(w, "memory of ballast run, peak  %.0f MiB resident\n", float64(f.PeakMemory)/(1<<20))
	fmt.Fprintf(w, "processor                    ballast %.3f ms a poll (%.2f cores), simulator %.3f ms a poll (%.2f cores)\n", f.BallastCPU, f.Cores1, f.SimulatorCPU, f.Cores2)
	fmt.Fprintf(w, "raw history                  %.0f bytes a poll, %.0f kB a machine and day at this interval, before compaction\n", f.PerPoll, f.BytesPerDay/1000)
}

type benchScan struct {
	Machines int          `default:"2000" help:"How many."`
	Network  netip.Prefix `default:"127.24.0.0/16" help:"Where they are scattered."`
	Seed     uint64       `default:"1" help:"Of the site."`
	Silent   bool         `help:"Only the case where the other addresses are silent." xor:"case"`
	Refusing bool         `help:"Only the case where the other addresses refuse." xor:"case"`
}

type scanFigures struct {
	Machine    string         `json:"machine"`
	Cores      int            `json:"cores"`
	Case       string         `json:"other_addresses"`
	Addresses  int64          `json:"addresses"`
	Machines   int            `json:"machines"`
	Found      int            `json:"found"`
	Identified int            `json:"with_model_and_firmware"`
	Seconds    float64        `json:"seconds"`
	Firmwares  map[string]int `json:"firmwares"`
	Missed     []string       `json:"missed,omitempty"`
}

func (c *benchScan) Run(ctx context.Context, common *common, s *streams) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var all []scanFigures
	for _, silent := range []bool{false, true} {
		if silent && c.Refusing || !silent && c.Silent {
			continue
		}
		f, err := c.one(ctx, self, silent, s)
		if err != nil {
			return err
		}
		all = append(all, f)
		if !common.JSON {
			fmt.Fprintf(s.out, "others %s: %d addresses in %.1f s, %d of %d machines found, %d with model and firmware (%s, %d cores)\n", f.Case, f.Addresses, f.Seconds, f.Found, f.Machines, f.Identified, f.Machine, f.Cores)
			for _, m := range f.Missed[:min(len(f.Missed), 10)] {
				fmt.Fprintln(s.out, "  missed:", m)
			}
		}
	}
	if common.JSON {
		return s.json(all)
	}
	return nil
}

func (c *benchScan) one(ctx context.Context, self string, silent bool, s *streams) (scanFigures, error) {
	f := scanFigures{Machine: machineName(), Cores: runtime.NumCPU(), Case: "refuse", Machines: c.Machines, Firmwares: map[string]int{}}
	args := []string{"--machines", strconv.Itoa(c.Machines), "--seed", strconv.FormatUint(c.Seed, 10), "--network", c.Network.String(), "--scatter", "--pristine"}
	if silent {
		f.Case = "are silent"
		args = append(args, "--hush")
	}
	_, r, stop, err := startSim(ctx, self, s.err, args...)
	if err != nil {
		return f, err
	}
	defer stop()
	cfg, err := defaults()
	if err != nil {
		return f, err
	}
	cfg.Keys = r.Credentials
	for from, to := range r.Ports {
		if cfg.Fleet.Ports == nil {
			cfg.Fleet.Ports = map[uint16]uint16{}
		}
		cfg.Fleet.Ports[from] = to
	}
	re, err := reach(cfg, nil)
	if err != nil {
		return f, err
	}
	progress, done := scanBar(s.err)
	scanner := fleet.Scanner{Reach: re}
	p, err := scanner.Scan(ctx, []netip.Prefix{c.Network}, func(x fleet.Found) {
		if x.Err == nil || errors.Is(x.Err, miner.ErrDenied) {
			f.Found++
			f.Firmwares[string(x.Identity.Firmware)]++
		}
		if x.Err == nil && x.Identity.Firmware != "" && x.Identity.Model != "" && x.Identity.FirmwareVersion+x.Identity.APIVersion != "" {
			f.Identified++
		} else {
			f.Missed = append(f.Missed, fmt.Sprintf("%v ports %v %s %q %q: %s", x.Addr, x.Open, x.Identity.Firmware, x.Identity.Model, x.Identity.FirmwareVersion, x.Note))
		}
	}, progress)
	done()
	f.Addresses, f.Seconds = p.Total, p.Elapsed.Seconds()
	slices.Sort(f.Missed)
	return f, err
}

// machineName is the processor, as /proc tells it.
func machineName() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOOS + "/" + runtime.GOARCH
	}
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, " \t:"))
		}
	}
	return runtime.GOARCH
}

// cpuTime is the processor time of a process, from /proc (clock ticks of 10 ms).
func cpuTime(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}

func residentBytes(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(f[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
