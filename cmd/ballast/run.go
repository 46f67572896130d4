package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"

	"sync"
	"time"

	"ballast/alarm/watch"
	"ballast/config"
	"ballast/fleet"
	"ballast/ledger"
	"ballast/ledger/postgres"
	"ballast/ledger/secretbox"
	"ballast/ledger/sqlite"
	"ballast/market/ticker"
	"ballast/plant"
	"ballast/price"
	"ballast/report"
	"ballast/server"
	"ballast/site"
	"ballast/telemetry"
	"ballast/telemetry/duckdb"
	"ballast/web"
)

type runCmd struct {
	Simulate int    `placeholder:"N" help:"Start a simulated site of N machines beside, and poll that. Every page says that it is simulated."`
	Seed     uint64 `default:"1" help:"Seed of the simulated site."`
	Network  string `default:"127.20.0.0/16" env:"BALLAST_SIM_NETWORK" placeholder:"CIDR" help:"Addresses of the simulated machines, inside 127.0.0.0/8. Two simulated sites at once need two networks."`
	Mix      string `type:"existingfile" placeholder:"FILE" help:"What machines the simulated site has, as of ballast sim --mix. Default: a usual mid-size site with every firmware."`
	Profile  string `placeholder:"ADDR" help:"Serve Go's profiler at this loopback address, to find where time and memory go." hidden:""`
}

func (c *runCmd) Run(ctx context.Context, common *common, s *streams) error {
	cfg, places, problems := common.places()
	if err := config.Problems(problems); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	// What is worth a warning is kept for the page of Ballast's own health.
	troubles := server.NewTroubles()
	log := slog.New(slog.NewMultiHandler(logHandler(cfg.Log, s.err), troubles))
	slog.SetDefault(log)
	boundMemory()
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if c.Profile != "" {
		stop, err := profile(ctx, c.Profile)
		if err != nil {
			return err
		}
		defer stop()
	}
	var layout *site.Site
	var simulated ready
	if c.Simulate > 0 {
		ready, stop, err := c.simulate(ctx, &cfg, s.err)
		if err != nil {
			return err
		}
		defer stop()
		for _, key := range []string{"fleet.ranges", "fleet.ports", "site.name", "credentials", "plant.meters", "plant.cooling", "power.feeds"} {
			places[key] = "--simulate"
		}
		layout, simulated = ready.Layout, ready
	}
	h, err := open(ctx, cfg, c.Simulate > 0, log)
	if err != nil {
		return err
	}
	defer h.close()
	if err := fleet.Sow(ctx, h.record, fleet.Seed{Name: cfg.Site.Name, Zone: cfg.Site.Zone, Ranges: cfg.Fleet.Ranges, Layout: layout}); err != nil {
		return fmt.Errorf("writing the site into the record: %w", err)
	}
	if err := h.fleet.LoadGrounds(ctx); err != nil {
		return err
	}
	if err := h.openDesk(ctx, version); err != nil {
		return err
	}
	if c.Simulate > 0 {
		if err := h.sowSimulated(ctx, cfg.Site.Name, simulated); err != nil {
			return err
		}
	}
	h.troubles, h.settings = troubles, config.Explain(cfg, places)
	h.example = c.Simulate
	bitcoin, stopMarket, err := h.marketWatch(ctx, c.Seed)
	if err != nil {
		return err
	}
	defer stopMarket()
	h.market = bitcoin
	return h.run(ctx, s)
}

// boundMemory keeps the heap of a large fleet from doubling between two
// collections: its readings are alive all the time, so half as much
// again is room enough. GOGC and GOMEMLIMIT say otherwise when they are set.
func boundMemory() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(50)
	}
}

// simulate starts `ballast sim` as a process of its own, so that the site's
// memory and time are not Ballast's, and points the configuration at it.
func (c *runCmd) simulate(ctx context.Context, cfg *config.Config, errs io.Writer) (r ready, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return r, nil, fmt.Errorf("finding this program: %w", err)
	}
	args := []string{"sim", "--machines", strconv.Itoa(c.Simulate), "--seed", strconv.FormatUint(c.Seed, 10), "--network", c.Network, "--ready", "--control", "127.0.0.1:0"}
	if c.Mix != "" {
		args = append(args, "--mix", c.Mix)
	}
	cmd := exec.CommandContext(ctx, self, args...) //nolint:gosec // our own binary
	cmd.Stderr = errs
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return r, nil, err
	}
	// A pipe that we hold tells the simulator that we are gone, even after kill -9.
	if _, err := cmd.StdinPipe(); err != nil {
		return r, nil, err
	}
	if err := cmd.Start(); err != nil {
		return r, nil, fmt.Errorf("starting the simulator: %w", err)
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	r, err = readReady(out)
	if err != nil {
		stop()
		return r, nil, fmt.Errorf("the simulator did not start: %w", err)
	}
	cfg.Fleet.Ranges = []netip.Prefix{r.Network}
	cfg.Site.Name = "Simulated site"
	if cfg.Fleet.Ports == nil {
		cfg.Fleet.Ports = map[uint16]uint16{}
	}
	maps.Copy(cfg.Fleet.Ports, r.Ports)
	cfg.Keys = append(r.Credentials, cfg.Keys...)
	cfg.Plant.Meters = append(cfg.Plant.Meters, r.Meters...)
	cfg.Plant.Cooling = append(cfg.Plant.Cooling, r.Cooling...)
	simulatedPower(cfg, r.Control)
	if cfg.Power.Forecast.History == config.Default().Power.Forecast.History {
		cfg.Power.Forecast.History = 35 // a simulated past is as good as a long one, and a demonstration should not wait
	}
	fmt.Fprintf(errs, "Simulated site: %d machines at %s. Its faults are controlled at http://%s\n", c.Simulate, r.Network, r.Control)
	go func() { _, _ = io.Copy(io.Discard, bufio.NewReader(out)) }()
	return r, stop, nil
}

// house is everything that runs in one process.
type house struct {
	cfg       config.Config
	simulated bool
	example   int // machines that the debts of an example company are sized to; 0: there is none
	log       *slog.Logger
	record    ledger.Store
	history   telemetry.Store
	batcher   *telemetry.Batcher
	fleet     *fleet.Fleet
	scans     *fleet.Scans
	keys      *fleet.Keys
	box       *secretbox.Box
	devices   []plant.Source
	latest    plant.Latest
	meters    report.MeterBook
	desk      *price.Desk
	troubles  *server.Troubles
	settings  []config.Entry
	market    *ticker.Ticker
}

func open(ctx context.Context, cfg config.Config, simulated bool, log *slog.Logger) (*house, error) {
	h := &house{cfg: cfg, simulated: simulated, log: log}
	var err error
	if h.record, err = openLedger(ctx, cfg); err != nil {
		return nil, fmt.Errorf("opening the record: %w", err)
	}
	t := cfg.Telemetry
	h.history, err = duckdb.Open(ctx, duckdb.Options{
		Dir:     telemetryPath(cfg),
		Options: telemetry.Options{Keep: [telemetry.Resolutions]time.Duration{telemetry.Raw: t.Raw, telemetry.Minute: t.Minute, telemetry.Quarter: t.Quarter, telemetry.Hour: t.Hour}},
		Memory:  t.Memory, Log: log,
		// Small pieces: what is rolled up at once is in memory at once.
		RollUpEvery: 2 * time.Minute, Gentle: true,
	})
	if err != nil {
		_ = h.record.Close()
		return nil, fmt.Errorf("opening the history: %w", err)
	}
	r, err := reach(cfg, nil)
	if err != nil {
		h.close()
		return nil, err
	}
	if h.box, err = secretbox.Open(filepath.Join(cfg.Data, "secrets.key")); err != nil {
		h.close()
		return nil, err
	}
	h.keys = &fleet.Keys{First: r.Keys}
	r.Keys = h.keys
	h.batcher = telemetry.NewBatcher(h.history, telemetry.BatcherOptions{Every: t.Flush, Log: log})
	h.fleet = fleet.New(r, h.record, cfg.Site.Name, cfg.Fleet.Interval, log)
	h.fleet.Poller.Deadline, h.fleet.Poller.Slowest, h.fleet.Poller.InFlight = cfg.Fleet.Deadline, cfg.Fleet.Slowest, cfg.Fleet.InFlight
	h.fleet.Commander.Deadline, h.fleet.Commander.Parallel = cfg.Fleet.Commands.Deadline, cfg.Fleet.Commands.Parallel
	h.fleet.OnPoll = func(p fleet.Poll) { h.batcher.Add(p.Row()) }
	if h.devices, err = h.sources(); err != nil {
		h.close()
		return nil, err
	}
	h.keys.Where = h.fleet.Where
	if err := server.LoadKeys(ctx, h.record, h.box, h.keys); err != nil {
		log.Error("some machine passwords are not in use: was the key file in the data folder replaced?", "error", err)
	}
	h.scans = &fleet.Scans{Fleet: h.fleet, Log: log}
	return h, nil
}

// recordFile is the file of an embedded record; "" when it is elsewhere.
func recordFile(cfg config.Config) string {
	if cfg.Ledger.Engine != "sqlite" {
		return ""
	}
	return ledgerPath(cfg)
}

func openLedger(ctx context.Context, cfg config.Config) (ledger.Store, error) {
	if cfg.Ledger.Engine == "postgres" {
		return postgres.Open(ctx, string(cfg.Ledger.URL), postgres.Options{})
	}
	return sqlite.Open(ctx, ledgerPath(cfg), sqlite.Options{})
}

func (h *house) close() {
	if h.batcher != nil {
		if err := h.batcher.Close(); err != nil {
			h.log.Error("storing the last readings", "error", err)
		}
	}
	if err := h.history.Close(); err != nil {
		h.log.Error("closing the history", "error", err)
	}
	if err := h.record.Close(); err != nil {
		h.log.Error("closing the record", "error", err)
	}
}

func (h *house) run(ctx context.Context, s *streams) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", h.cfg.Listen)
	if err != nil {
		return fmt.Errorf("opening %s: %w", h.cfg.Listen, err)
	}
	entry, err := h.openEntry(ctx, l)
	if err != nil {
		_ = l.Close()
		return err
	}
	defer entry.close()
	url, local := entry.url, entry.local
	metrics, stopMetrics, err := h.metrics(ctx)
	if err != nil {
		return err
	}
	defer stopMetrics()
	alarms := h.watch(url)
	srv := server.New(server.Options{
		Alarms: alarms, Mailer: mailer{alarms}, Fleet: h.fleet, Record: h.record, History: h.history, Batcher: h.batcher, Metrics: metrics, Web: web.Dist(), Site: h.cfg.Site.Name, Zone: h.cfg.Site.Zone,
		Version: version, Simulated: h.simulated, URL: url, Scans: h.scans, Keys: h.keys, Box: h.box, Plant: h.latest.All, Meters: &h.meters, Log: h.log, PriceDesk: h.desk,
		Troubles: h.troubles, Settings: h.settings, Files: server.Files{Data: h.cfg.Data, History: telemetryPath(h.cfg), Record: recordFile(h.cfg)}, RecordEngine: h.cfg.Ledger.Engine, Market: h.market,
		OIDC: entry.oidc, TrustedProxies: h.cfg.TrustedProxies, Limits: server.Limits{Address: float64(h.cfg.Limits.Address), Principal: float64(h.cfg.Limits.Principal)},
	})
	if err := openDoor(ctx, h.record, h.cfg.Data, local, url); err != nil {
		return err
	}
	defer func() { _ = os.Remove(doorPath(h.cfg.Data)) }() // what stays leads nowhere
	h.welcome(ctx, s, url)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	failed := make(chan error, 3)
	begin := func(what string, do func(context.Context) error) {
		wg.Go(func() {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("%s: %w", what, err)
				cancel()
			}
		})
	}
	begin("the fleet", h.fleet.Run)
	if entry.keep != nil {
		begin("the certificates", entry.keep)
	}
	if h.example > 0 {
		begin("the example company", func(ctx context.Context) error { return srv.SeedExample(ctx, h.example) })
	}
	begin("the server", func(ctx context.Context) error { return srv.Run(ctx, entry.doors...) })
	begin("maintenance", h.maintain)
	begin("scanning", func(ctx context.Context) error { return h.scans.Every(ctx, h.cfg.Fleet.Rescan) })
	begin("the plant", h.plant)
	begin("the alarms", alarms.Run)
	begin("prices", h.desk.Run)
	begin("the market", h.market.Run)
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// welcome says where the dashboard is, and how to get in the first time.
func (h *house) welcome(ctx context.Context, s *streams, url string) {
	users, err := h.record.Users(ctx)
	if err != nil {
		h.log.Error("reading the accounts", "error", err)
		return
	}
	for _, u := range users {
		if u.PasswordHash != "" {
			fmt.Fprintf(s.out, "Dashboard: %s\n", url)
			return
		}
	}
	link, err := server.Link(ctx, h.record, url, 24*time.Hour)
	if err != nil {
		h.log.Error("making the set-up link", "error", err)
		return
	}
	fmt.Fprintf(s.out, "\nOpen this link once to set up your account (it works for a day):\n\n    %s\n\n", link)
}

// maintain rolls up and forgets history, and drops dead sessions.
func (h *house) maintain(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	var anchored time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		// Wherever this log is collected, it holds anchors of the audit log.
		if time.Since(anchored) > 24*time.Hour {
			if head, err := h.record.AuditHead(ctx); err == nil {
				h.log.Info("anchor of the audit log", "seq", head.Seq, "hash", head.Hash)
				anchored = time.Now()
			}
		}
		for more := true; more && ctx.Err() == nil; {
			done, err := h.history.Maintain(ctx, time.Now())
			if err != nil && ctx.Err() == nil {
				h.log.Error("maintaining history", "error", err)
			}
			more = err == nil && done.More
		}
		if _, err := h.record.PurgeSessions(ctx); err != nil && ctx.Err() == nil {
			h.log.Error("dropping dead sessions", "error", err)
		}
	}
}

type linkCmd struct {
	For time.Duration `default:"1h" help:"How long it works."`
}

func (c *linkCmd) Run(ctx context.Context, common *common, s *streams) error {
	cfg, err := common.config()
	if err != nil {
		return err
	}
	if cfg.Ledger.Engine == "sqlite" {
		if _, err := os.Stat(ledgerPath(cfg)); err != nil {
			return fmt.Errorf("%w: there is no record in %s yet", errNoServer, filepath.Dir(ledgerPath(cfg)))
		}
	}
	record, err := openLedger(ctx, cfg)
	if err != nil {
		return fmt.Errorf("opening the record: %w", err)
	}
	defer func() { _ = record.Close() }() // what was written is there
	url := addressOf(cfg, cfg.Listen)
	if cl, err := connect(cfg.Data); err == nil && cl.door.People != "" {
		url = cl.door.People // as the running server has it
	}
	link, err := server.Link(ctx, record, url, c.For)
	if err != nil {
		return err
	}
	if common.JSON {
		return s.json(map[string]string{"link": link})
	}
	fmt.Fprintln(s.out, link)
	return nil
}

type openAPICmd struct{}

func (openAPICmd) Run(ctx context.Context, common *common, s *streams) error {
	dir, err := os.MkdirTemp("", "ballast-openapi-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	record, err := sqlite.Open(ctx, filepath.Join(dir, "ledger.db"), sqlite.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = record.Close() }() // what was written is there
	f := fleet.New(fleet.Reach{}, record, "", time.Second, slog.New(slog.DiscardHandler))
	srv := server.New(server.Options{Fleet: f, Record: record, Version: "1", Alarms: watch.New(watch.Options{Fleet: f, Record: record}), Metrics: http.NotFoundHandler(), Log: slog.New(slog.DiscardHandler)})
	b, err := srv.OpenAPI(common.JSON)
	if err != nil {
		return err
	}
	_, err = s.out.Write(b)
	return err
}
