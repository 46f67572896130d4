package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"ballast/config"
	"ballast/fleet"
	"ballast/miner"
	"ballast/miner/all"
)

type scanCmd struct {
	Ranges  []string      `arg:"" optional:"" help:"Address ranges: 10.20.0.0/16, 10.20.0.5, 10.20.0.5-10.20.1.9. Default: those of the configuration."`
	Timeout time.Duration `default:"1s" help:"How long an address may stay silent."`
	Hosts   int           `default:"1500" help:"Addresses tried at once."`
	Retry   bool          `help:"Try silent addresses a second time: for networks that lose packets."`
	Port    []string      `placeholder:"80=8080" help:"Use another port for a well-known one. May be repeated."`
	Unknown bool          `help:"List addresses that answer in no miner's dialect too."`
}

type scanResult struct {
	Found    []fleet.Found  `json:"machines"`
	Unknown  []fleet.Found  `json:"unknown"`
	Progress fleet.Progress `json:"progress"`
}

func (c *scanCmd) Run(ctx context.Context, common *common, s *streams) error {
	cfg, err := common.config()
	if err != nil {
		return err
	}
	ranges, err := fleet.ParseRanges(c.Ranges)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if len(ranges) == 0 {
		ranges = cfg.Fleet.Ranges
	}
	if len(ranges) == 0 {
		return fmt.Errorf("%w: no address range given; say for example `ballast scan 10.20.0.0/16`", errUsage)
	}
	r, err := reach(cfg, c.Port)
	if err != nil {
		return err
	}
	scanner := fleet.Scanner{Reach: r, Connect: c.Timeout, Hosts: c.Hosts, Retry: c.Retry}
	var res scanResult
	res.Found, res.Unknown = []fleet.Found{}, []fleet.Found{}
	progress, done := scanBar(s.err)
	res.Progress, err = scanner.Scan(ctx, ranges, func(f fleet.Found) {
		if f.Err == nil || errors.Is(f.Err, miner.ErrDenied) {
			res.Found = append(res.Found, f)
		} else {
			res.Unknown = append(res.Unknown, f)
		}
	}, progress)
	done()
	if err != nil {
		return fmt.Errorf("scanning: %w", err)
	}
	byAddr := func(a, b fleet.Found) int { return a.Addr.Compare(b.Addr) }
	slices.SortFunc(res.Found, byAddr)
	slices.SortFunc(res.Unknown, byAddr)
	if common.JSON {
		return s.json(res)
	}
	for _, f := range res.Found {
		fmt.Fprintf(s.out, "%-15s  %-10s  %-28s  %-24s  %-17s  %s\n", f.Addr, f.Identity.Firmware, f.Identity.Model, f.Identity.FirmwareVersion, f.Identity.MAC, f.Note)
	}
	if c.Unknown {
		for _, f := range res.Unknown {
			fmt.Fprintf(s.out, "%-15s  ?           ports %v: %s\n", f.Addr, f.Open, f.Note)
		}
	}
	p := res.Progress
	fmt.Fprintf(s.err, "%d machines in %d addresses after %.1f s (%d more addresses answer but are no miner, %d refuse, %d are silent)\n",
		len(res.Found), p.Total, p.Elapsed.Seconds(), len(res.Unknown), p.Refused, p.Silent)
	return nil
}

// scanBar shows progress when somebody watches.
func scanBar(w io.Writer) (func(fleet.Progress), func()) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, func() {}
	}
	bar := progressbar.NewOptions64(1, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("scanning"), progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())
	return func(p fleet.Progress) {
		bar.ChangeMax64(p.Total)
		bar.Describe(fmt.Sprintf("scanning: %d machines", p.Identified))
		_ = bar.Set64(p.Probed)
	}, func() { _ = bar.Finish() }
}

// reach puts drivers, keys and ports together.
func reach(cfg config.Config, ports []string) (fleet.Reach, error) {
	keys, err := cfg.Keyring()
	if err != nil {
		return fleet.Reach{}, fmt.Errorf("%w: %w", errUsage, err)
	}
	r := fleet.Reach{Drivers: all.Drivers(), Keys: keys, Ports: map[uint16]uint16{}}
	maps.Copy(r.Ports, cfg.Fleet.Ports)
	for _, p := range ports {
		var from, to uint16
		if n, err := fmt.Sscanf(strings.ReplaceAll(p, "=", " "), "%d %d", &from, &to); n != 2 || err != nil {
			return r, fmt.Errorf("%w: --port %s: want two port numbers, such as 80=8080", errUsage, p)
		}
		r.Ports[from] = to
	}
	return r, nil
}

// parseAddr reads "10.20.0.5" or "10.20.0.5:4028" (the port is then for
// whatever the firmware's first port is).
func parseAddr(text string) (netip.Addr, uint16, error) {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr(), ap.Port(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return a, 0, fmt.Errorf("%w: %q is no IP address", errUsage, text)
	}
	return a, 0, nil
}
