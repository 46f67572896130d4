package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"ballast/server"
)

// benchStage is what the benchmarks of the running product stand on: a
// simulated site and a `ballast run` that has found it, each a process of its
// own.
type benchStage struct {
	sim    int // process
	run    *exec.Cmd
	site   server.Site // when everything was found
	client *client
	undo   []func()
}

// openBench starts both and waits until the first scan is over; close ends them
// and removes what they wrote.
func openBench(ctx context.Context, errs io.Writer, machines int, interval time.Duration, simArgs []string, runArgs ...string) (_ *benchStage, err error) {
	b := &benchStage{}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	dir, err := os.MkdirTemp("", "ballast-bench-")
	if err != nil {
		return nil, err
	}
	b.undo = append(b.undo, func() { _ = os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	b.undo = append(b.undo, cancel)
	sim, site, stop, err := startSim(ctx, self, errs, append([]string{"--machines", strconv.Itoa(machines)}, simArgs...)...)
	if err != nil {
		return nil, err
	}
	b.sim = sim
	b.undo = append(b.undo, stop)
	text, err := json.Marshal(runConfig(site, dir, interval)) // JSON is YAML
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "ballast.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	run := exec.CommandContext(ctx, self, append([]string{"run", "--config", file}, runArgs...)...) //nolint:gosec // our own binary
	run.Stderr = errs
	run.Cancel = func() error { return run.Process.Signal(os.Interrupt) }
	run.WaitDelay = 20 * time.Second
	if err := run.Start(); err != nil {
		return nil, err
	}
	b.run = run
	b.undo = append(b.undo, func() { _ = run.Process.Signal(os.Interrupt); _ = run.Wait() })
	fmt.Fprintf(errs, "finding %d machines…\n", machines)
	b.site, b.client, err = awaitFleet(ctx, dir, machines)
	return b, err
}

// pid is of the `ballast run`.
func (b *benchStage) pid() int { return b.run.Process.Pid }

func (b *benchStage) close() {
	for _, undo := range slices.Backward(b.undo) {
		undo()
	}
}

// startSim starts the simulator as a process of its own and waits for its
// sockets.
func startSim(ctx context.Context, self string, errs io.Writer, args ...string) (pid int, r ready, stop func(), err error) {
	cmd := exec.CommandContext(ctx, self, append([]string{"sim", "--ready"}, args...)...) //nolint:gosec // our own binary
	cmd.Stderr = errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, r, nil, err
	}
	if _, err := cmd.StdinPipe(); err != nil {
		return 0, r, nil, err
	}
	if err := cmd.Start(); err != nil {
		return 0, r, nil, fmt.Errorf("starting the simulator: %w", err)
	}
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	if r, err = readReady(out); err != nil {
		stop()
		return 0, r, nil, fmt.Errorf("the simulator did not start: %w", err)
	}
	go func() { _, _ = io.Copy(io.Discard, bufio.NewReader(out)) }()
	return cmd.Process.Pid, r, stop, nil
}

// runConfig points a `ballast run` at a simulated site.
func runConfig(r ready, dir string, interval time.Duration) map[string]any {
	var keys []map[string]any
	for _, k := range r.Keys {
		keys = append(keys, map[string]any{"firmware": k.Firmware, "user": k.User, "password": k.Password})
	}
	return map[string]any{
		"data": filepath.Join(dir, "data"), "listen": "127.0.0.1:0", "log": map[string]any{"level": "warn"}, "credentials": keys,
		"site":  map[string]any{"name": "bench"},
		"fleet": map[string]any{"ranges": []netip.Prefix{r.Network}, "interval": interval.String(), "rescan": "0s", "ports": r.Ports},
	}
}

// awaitFleet waits until the first scan is over and every machine was polled.
func awaitFleet(ctx context.Context, dir string, machines int) (server.Site, *client, error) {
	var site server.Site
	var cl *client
	deadline := time.Now().Add(10 * time.Minute)
	for time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
			return site, nil, ctx.Err()
		case <-time.After(time.Second):
		}
		if cl == nil {
			var err error
			if cl, err = connect(filepath.Join(dir, "data")); err != nil {
				continue
			}
		}
		if err := cl.call(ctx, http.MethodGet, "/api/v1/site", nil, &site); err != nil {
			continue
		}
		if !site.Scan.Running && site.Scan.Progress.Total > 0 && site.Conditions["unknown"] == 0 && site.Polls.Due >= int64(site.Machines) {
			// A few lost on a busy machine do not spoil a measurement; the report
			// says how many were found.
			if site.Machines < machines-machines/200 {
				return site, cl, fmt.Errorf("the scan found %d of %d machines", site.Machines, machines)
			}
			return site, cl, nil
		}
	}
	return site, cl, fmt.Errorf("after ten minutes %d machines are known, %d not read yet", site.Machines, site.Conditions["unknown"])
}
