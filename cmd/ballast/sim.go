package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"time"

	"ballast/config"
	"ballast/miner"
	"ballast/sim"
	"ballast/sim/dialect/all"
	"ballast/site"
	"ballast/unit"
)

type simCmd struct {
	Machines int            `default:"100" help:"How many machines."`
	Mix      string         `placeholder:"FILE" help:"What machines: a YAML file of groups with share, firmware, model, version, age, cooling, user, password. Default: a usual mid-size site with every firmware." type:"path"`
	Seed     uint64         `default:"1" help:"Of everything random: the same seed gives the same site."`
	Network  netip.Prefix   `default:"127.20.0.0/16" help:"Addresses of the machines, inside 127.0.0.0/8."`
	Scatter  bool           `help:"Addresses at random in the network, instead of one after another."`
	Silent   []netip.Prefix `placeholder:"RANGE" help:"Addresses that swallow packets instead of refusing them. May be repeated."`
	Hush     bool           `help:"Every address without a machine swallows packets instead of refusing them; needs no privileges."`
	Speed    float64        `default:"1" help:"Simulated seconds per second."`
	Control  string         `placeholder:"ADDR" help:"Address of the control API that injects faults, such as 127.0.0.1:8490. Default: none."`
	Pristine bool           `help:"Nothing ages or breaks of its own accord."`
	Password string         `default:"simulated" help:"Password of the machines whose group in the mix names none."`
	Ready    bool           `help:"Print one line of JSON when all sockets are open, and stop when standard input ends."`
}

// ready is the line that tells another program how to reach the site.
type ready struct {
	Machines    int                   `json:"machines"`
	Network     netip.Prefix          `json:"network"`
	Ports       map[uint16]uint16     `json:"ports"`
	Control     string                `json:"control"`
	Credentials []config.Credential   `json:"-"`
	Keys        []readyKey            `json:"credentials"`
	Meters      []config.ModbusDevice `json:"meters"`
	Cooling     []config.ModbusDevice `json:"cooling"`
	Shared      bool                  `json:"shared_listeners"`
	Layout      *site.Site            `json:"layout"`  // as its owner would describe it
	Nominal     unit.Power            `json:"nominal"` // sum of the machines' nameplates
}

type readyKey struct {
	Firmware miner.Firmware `json:"firmware"`
	User     string         `json:"user"`
	Password string         `json:"password"`
}

// accounts are the names that firmwares want beside a password.
var accounts = map[miner.Firmware]string{miner.Antminer: "root", miner.Braiins: "root", miner.Whatsminer: "super", miner.Avalon: "root"}

func (c *simCmd) site() (*sim.Site, []readyKey, error) {
	mix := sim.DefaultMix()
	if c.Mix != "" {
		text, err := os.ReadFile(c.Mix)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: reading the mix: %w", errUsage, err)
		}
		if mix, err = sim.ParseMix(text); err != nil {
			return nil, nil, fmt.Errorf("%w: %s: %w", errUsage, c.Mix, err)
		}
	}
	var keys []readyKey
	for i := range mix.Groups {
		g := &mix.Groups[i]
		if g.Password == "" {
			g.User, g.Password = accounts[g.Firmware], c.Password
		}
		if k := (readyKey{g.Firmware, g.User, g.Password}); !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	s, err := sim.New(sim.Config{Machines: c.Machines, Mix: &mix, Seed: c.Seed, Network: c.Network, Scatter: c.Scatter, Silent: c.Silent, Hush: c.Hush,
		Speed: c.Speed, Control: c.Control, Pristine: c.Pristine}, all.Dialects())
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return s, keys, nil
}

func (c *simCmd) Run(ctx context.Context, common *common, s *streams) error {
	place, keys, err := c.site()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	meters, cooling, err := gear(place)
	if err != nil {
		return err
	}
	how, err := place.Listen()
	if err != nil {
		return err
	}
	layout, err := place.Layout()
	if err != nil {
		return err
	}
	r := ready{Machines: c.Machines, Network: c.Network, Ports: how.Ports, Control: how.Control, Keys: keys, Shared: how.Shared, Meters: meters, Cooling: cooling, Layout: layout, Nominal: place.NominalPower()}
	if c.Ready {
		go func() { // whoever started us holds the other end; when it dies, so do we
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s\n", b)
	} else if common.JSON {
		if err := s.json(r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(s.out, "%d simulated machines at %s, seed %d\n", c.Machines, c.Network, c.Seed)
		for from, to := range how.Ports {
			fmt.Fprintf(s.out, "port %d is %d here (no privilege for ports below 1024): poll with --set or fleet.ports {%d: %d}\n", from, to, from, to)
		}
		if how.Shared {
			fmt.Fprintf(s.out, "one listener for every port on the loopback device: %d open files are too few for one for each machine\n", how.Limit)
		}
		if how.Control != "" {
			fmt.Fprintf(s.out, "control API: http://%s\n", how.Control)
		}
		fmt.Fprintf(s.out, "password of the machines: %s\n", c.Password)
	}
	return place.Serve(ctx)
}

// readReady waits for the simulator's line.
func readReady(out io.Reader) (ready, error) {
	type answer struct {
		line []byte
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(out).ReadBytes('\n')
		got <- answer{line, err}
	}()
	var r ready
	select {
	case a := <-got:
		if a.err != nil {
			return r, a.err
		}
		if err := json.Unmarshal(a.line, &r); err != nil {
			return r, err
		}
	case <-time.After(time.Minute):
		return r, context.DeadlineExceeded
	}
	for _, k := range r.Keys {
		r.Credentials = append(r.Credentials, config.Credential{Range: r.Network, Firmware: k.Firmware, User: k.User, Password: miner.Secret(k.Password)})
	}
	return r, nil
}
