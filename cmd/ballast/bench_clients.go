package main

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"ballast/miner"
	"ballast/miner/all"
)

// benchClients compares two ways to ask the same machine: Ballast's poll, which
// keeps connections, tokens and slow replies between polls, and a client that
// knows nothing between two questions, as libraries that read "everything of
// one machine" in one call do: each time new connections, a new sign-in, every
// reply.
type benchClients struct {
	Polls int    `default:"300" help:"Polls of each kind and firmware."`
	Seed  uint64 `default:"1" help:"Of the site."`
}

type clientFigures struct {
	Firmware miner.Firmware `json:"firmware"`
	Model    string         `json:"model"`
	Warm     float64        `json:"poll_cpu_us"`
	Cold     float64        `json:"one_call_cpu_us"`
	WarmWall float64        `json:"poll_wall_us"`
	ColdWall float64        `json:"one_call_wall_us"`
}

func (c *benchClients) Run(ctx context.Context, common *common, s *streams) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	_, r, stop, err := startSim(ctx, self, s.err, "--machines", "120", "--pristine", "--network", "127.25.0.0/24", "--control", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer stop()
	cfg, err := defaults()
	if err != nil {
		return err
	}
	cfg.Keys = r.Credentials
	cfg.Fleet.Ports = r.Ports
	re, err := reach(cfg, nil)
	if err != nil {
		return err
	}
	rigs, err := simulatedRigs(ctx, r.Control)
	if err != nil {
		return err
	}
	var out []clientFigures
	for _, d := range all.Drivers() {
		i := slices.IndexFunc(rigs, func(x simulatedRig) bool { return x.Firmware == d.Firmware() })
		if i < 0 {
			continue
		}
		target := miner.Target{Addr: rigs[i].address(), Ports: re.Ports, Credentials: re.Keys.Credentials(rigs[i].address(), d.Firmware())}
		f := clientFigures{Firmware: d.Firmware(), Model: rigs[i].Model}
		dev := d.Open(target)
		if _, err := dev.Read(ctx); err != nil {
			return fmt.Errorf("%s: %w", d.Firmware(), err)
		}
		f.Warm, f.WarmWall, err = c.measure(func() error { _, err := dev.Read(ctx); return err })
		dev.Close()
		if err == nil {
			f.Cold, f.ColdWall, err = c.measure(func() error {
				dev := d.Open(target)
				defer dev.Close()
				if _, err := dev.Identify(ctx); err != nil {
					return err
				}
				_, err := dev.Read(ctx)
				return err
			})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", d.Firmware(), err)
		}
		out = append(out, f)
	}
	if common.JSON {
		return s.json(out)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "firmware\tmodel\tpoll, CPU µs\tone call, CPU µs\tratio\tpoll, wall µs\tone call, wall µs\t")
	for _, f := range out {
		fmt.Fprintf(w, "%s\t%s\t%.0f\t%.0f\t%.1f\t%.0f\t%.0f\t\n", f.Firmware, f.Model, f.Warm, f.Cold, f.Cold/f.Warm, f.WarmWall, f.ColdWall)
	}
	_ = w.Flush()
	fmt.Fprintf(s.out, "processor time of the client process alone, %d polls each (%s)\n", c.Polls, machineName())
	return nil
}

func (c *benchClients) measure(do func() error) (cpu, wall float64, err error) {
	used := func() time.Duration {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before, begin := used(), time.Now()
	for range c.Polls {
		if err := do(); err != nil {
			return 0, 0, err
		}
	}
	n := float64(c.Polls)
	return float64((used() - before).Microseconds()) / n, float64(time.Since(begin).Microseconds()) / n, nil
}

// simulatedRig is a machine as the simulator's control API lists it.
type simulatedRig struct {
	Addr     string         `json:"addr"`
	Firmware miner.Firmware `json:"firmware"`
	Model    string         `json:"model"`
}

func simulatedRigs(ctx context.Context, control string) ([]simulatedRig, error) {
	cl := &client{door: door{URL: "http://" + strings.TrimPrefix(control, "http://")}, http: &http.Client{}}
	var rigs []simulatedRig
	if err := cl.call(ctx, http.MethodGet, "/rigs", nil, &rigs); err != nil {
		return nil, fmt.Errorf("asking the simulator for its machines: %w", err)
	}
	return rigs, nil
}

func (r simulatedRig) address() netip.Addr {
	a, _ := netip.ParseAddr(r.Addr)
	return a
}
