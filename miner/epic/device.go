package epic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"

	"ballast/miner"
	"ballast/miner/internal/web"
)

// How often what changes slowly is asked for, in readings.
const (
	everySlow  = 30
	everyTemps = 3
)

// slow are the replies that keep between polls, in the order in which they are
// asked for.
var slow = []string{replyCapabilities, replyNetwork, replyHashrates, replyClocks, replyVoltages, replyChipTemps}

// Device is one machine.
type Device struct {
	driver *Driver
	target miner.Target

	mu    sync.Mutex
	parts parts
	reads int
	stale bool // ask for everything next time
}

var _ miner.Device = (*Device)(nil)

func (d *Device) open() *web.Session { return d.driver.client.Open(d.target, Port) }

// Close is here for the interface: no connection outlives a call.
func (d *Device) Close() {}

// Identify asks for the capabilities, which no other firmware has, then for
// what else names the machine.
func (d *Device) Identify(ctx context.Context) (miner.Identity, error) {
	s := d.open()
	defer s.Close()
	var p parts
	if err := fetch(ctx, s, &p, replyCapabilities); err != nil {
		if errors.Is(err, miner.ErrGarbage) {
			err = fmt.Errorf("%w: %w", miner.ErrNotMine, err)
		}
		return miner.Identity{}, fmt.Errorf("identifying an ePIC machine: %w", err)
	}
	for _, name := range []string{replyNetwork, replySummary} {
		if err := fetch(ctx, s, &p, name); err != nil && ctx.Err() != nil {
			return miner.Identity{}, fmt.Errorf("identifying an ePIC machine: %w", err)
		}
	}
	r := p.reading()
	r.Identity.Addr = d.target.Addr
	return r.Identity, nil
}

// fetch asks for one reply. ErrGarbage when what comes back is not it.
func fetch(ctx context.Context, s *web.Session, p *parts, name string) error {
	reply, err := s.Get(ctx, paths[name])
	if err != nil {
		return err
	}
	if reply.Status != http.StatusOK {
		return fmt.Errorf("%s: %w: status %d", name, miner.ErrGarbage, reply.Status)
	}
	p.take(name, reply.Body)
	if !p.has(name) {
		return fmt.Errorf("%s: %w", name, miner.ErrGarbage)
	}
	return nil
}

// has tells whether a reply was read, and is what it should be.
func (p *parts) has(name string) bool {
	switch name {
	case replySummary:
		return p.summary != nil && (p.summary.state != "" || p.summary.software != "" || len(p.summary.boards) > 0)
	case replyCapabilities:
		return p.capabilities != nil && (p.capabilities.model != "" || p.capabilities.chipType != "" || len(p.capabilities.presets) > 0)
	case replyNetwork:
		return p.network != nil && len(p.network.extra) > 0
	case replyTemps:
		return p.temps != nil
	case replyHashrates:
		return p.hashrates != nil
	case replyClocks:
		return p.clocks != nil
	case replyVoltages:
		return p.voltages != nil
	case replyChipTemps:
		return p.chipTemps != nil
	}
	return false
}

// merge takes over what fresh has. Nothing that p had is changed in place: a
// copy of p that another call works on stays as it is.
func (p *parts) merge(fresh parts) {
	take := func(to, from **boardLists) {
		if *from != nil {
			*to = *from
		}
	}
	if fresh.summary != nil {
		p.summary = fresh.summary
	}
	if fresh.capabilities != nil {
		p.capabilities = fresh.capabilities
	}
	if fresh.network != nil {
		p.network = fresh.network
	}
	take(&p.temps, &fresh.temps)
	take(&p.hashrates, &fresh.hashrates)
	take(&p.clocks, &fresh.clocks)
	take(&p.voltages, &fresh.voltages)
	take(&p.chipTemps, &fresh.chipTemps)
	if fresh.hashrates != nil || fresh.clocks != nil || fresh.voltages != nil || fresh.chipTemps != nil {
		p.chips = map[int]chipFigures{}
		for _, lists := range []*boardLists{p.hashrates, p.clocks, p.voltages, p.chipTemps} {
			if lists != nil {
				for _, l := range lists.boards {
					p.chips[l.index] = p.condense(l.index)
				}
			}
		}
	}
	warnings := maps.Clone(p.warnings)
	if warnings == nil {
		warnings = map[string][]miner.Warning{}
	}
	maps.Copy(warnings, fresh.warnings)
	p.warnings = warnings
}

// Read asks for the summary, and for the rest when it is due.
func (d *Device) Read(ctx context.Context) (miner.Reading, error) {
	d.mu.Lock()
	n := d.reads
	all := d.stale || n%everySlow == 0
	d.reads++
	d.mu.Unlock()

	s := d.open()
	defer s.Close()
	start := d.driver.now()
	var fresh parts
	if err := fetch(ctx, s, &fresh, replySummary); err != nil {
		d.forget()
		return miner.Reading{}, fmt.Errorf("reading an ePIC machine: %w", err)
	}
	var due []string
	if all {
		due = append(due, slow...)
	}
	if all || n%everyTemps == 0 {
		due = append(due, replyTemps)
	}
	failed := map[string]error{}
	for _, name := range due {
		if err := fetch(ctx, s, &fresh, name); err != nil {
			failed[name] = err
			if errors.Is(err, miner.ErrUnreachable) { // the rest would fare no better
				break
			}
		}
	}
	d.mu.Lock()
	d.parts.merge(fresh)
	if all {
		d.stale = len(failed) > 0
	}
	p := d.parts
	d.mu.Unlock()

	r := p.reading()
	for name, err := range failed {
		r.Warn(miner.WarnMissing, name, err.Error())
	}
	r.At = d.driver.now()
	r.Took = r.At.Sub(start)
	r.Identity.Addr = d.target.Addr
	return r, nil
}

// forget makes the next reading ask for everything: after a failure the machine
// may be another one, or itself after a restart.
func (d *Device) forget() {
	d.mu.Lock()
	d.stale = true
	d.mu.Unlock()
}

// Envelope is what the capabilities allow.
func (d *Device) Envelope(ctx context.Context) (miner.Envelope, error) {
	s := d.open()
	defer s.Close()
	p, err := d.capabilities(ctx, s)
	if err != nil {
		return miner.Envelope{}, fmt.Errorf("asking an ePIC machine for its capabilities: %w", err)
	}
	return p.envelope(), nil
}

// capabilities are the parts with the capabilities in them, asked for unless
// they are known.
func (d *Device) capabilities(ctx context.Context, s *web.Session) (parts, error) {
	d.mu.Lock()
	p := d.parts
	d.mu.Unlock()
	if p.capabilities != nil {
		return p, nil
	}
	var fresh parts
	if err := fetch(ctx, s, &fresh, replyCapabilities); err != nil {
		return p, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.parts.merge(fresh)
	return d.parts, nil
}
