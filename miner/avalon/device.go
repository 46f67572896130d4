package avalon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// device is one Avalon. Canaan's manual wants one request at a time, so turn
// lets one in.
type device struct {
	turn chan struct{}

	// What is known of the machine, under turn.
	version  cgminer.Reply
	chips    []cgminer.Reply // the last stats, where the fast replies leave the chips out
	reads    int             // left until these are asked anew
	nested   bool            // the newer generation
	lite     bool            // it knows litestats
	known    bool            // these two, and version, are known
	together cgminer.Together
	plain    bool          // it does not know estats
	clock    time.Duration // the machine's clock less ours
	last     miner.Reading
}

// slowEvery is the number of reads after which the slow replies are asked anew.
const slowEvery = 30

func newDevice(t miner.Target) *device {
	return &device{together: cgminer.Together{Target: t}, turn: make(chan struct{}, 1)}
}

func (d *device) enter(ctx context.Context) error {
	select {
	case d.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: waiting for another request: %w", miner.ErrUnreachable, context.Cause(ctx))
	}
}

func (d *device) leave() { <-d.turn }

// Close drops what is known of the machine; connections last one request only.
func (d *device) Close() {
	select {
	case d.turn <- struct{}{}:
		d.chips, d.reads, d.known, d.last = nil, 0, false, miner.Reading{}
		d.leave()
	default: // a request is under way and ends by its own deadline
	}
}

// Identify asks for the version and, where that names no product (A8, A9), for
// the devices.
func (d *device) Identify(ctx context.Context) (miner.Identity, error) {
	if err := d.enter(ctx); err != nil {
		return miner.Identity{}, err
	}
	defer d.leave()
	stats, err := d.askVersion(ctx)
	if err != nil {
		return miner.Identity{}, fmt.Errorf("identifying: %w", err)
	}
	r := blank()
	read(&r, file(append(stats, d.version), r.Warn))
	r.Identity.Addr = d.together.Target.Addr
	return r.Identity, nil
}

// askVersion asks for the version, and is ErrNotMine elsewhere. The stats that
// decided it are returned, if any.
func (d *device) askVersion(ctx context.Context) (stats []cgminer.Reply, err error) {
	raw, err := cgminer.Ask(ctx, d.together.Target, "version", "")
	if err != nil {
		return nil, err
	}
	reply, ok := cgminer.Read("version", raw, nil)
	if !ok {
		return nil, fmt.Errorf("%w: %s", miner.ErrNotMine, cgminer.Excerpt(raw))
	}
	o := reply.First("VERSION")
	if !strings.Contains(strings.ToLower(o.Text("PROD")), "avalon") && !strings.HasPrefix(o.Text("SWTYPE"), "MM") {
		if o.Text("CGMiner") == "" || o.Has("LUXminer", "BOSer", "BOSminer", "BOSminer+", "BMMiner") {
			return nil, miner.ErrNotMine
		}
		raw, err := cgminer.Ask(ctx, d.together.Target, "stats", "")
		if err != nil {
			return nil, err
		}
		s, ok := cgminer.Read("stats", raw, nil)
		if !ok || !bytes.Contains(raw, []byte(`"MM ID`)) {
			return nil, miner.ErrNotMine
		}
		stats = s.Parts()
	}
	d.tick(reply)
	d.version = reply
	if d.nested = o.Has("LVERSION", "CGVERSION"); !d.known {
		d.lite, d.known = d.nested, true
	}
	return stats, nil
}

// tick learns the machine's clock from a reply.
func (d *device) tick(reply cgminer.Reply) {
	if when := reply.JSON().Get("STATUS.0.When"); when.Exists() {
		d.clock = time.Until(time.Unix(when.Int(), 0))
	}
}

// Read asks for summary, pools and the machine text in one request, and once in
// slowEvery times for the version and, where a short form of the text leaves
// them out, the chips.
func (d *device) Read(ctx context.Context) (miner.Reading, error) {
	if err := d.enter(ctx); err != nil {
		return miner.Reading{}, err
	}
	defer d.leave()
	return d.read(ctx)
}

func (d *device) read(ctx context.Context) (miner.Reading, error) {
	begin := time.Now()
	fresh := !d.known
	if fresh {
		if _, err := d.askVersion(ctx); err != nil {
			return miner.Reading{}, fmt.Errorf("reading: %w", err)
		}
	}
	r := blank()
	parts, err := d.askFast(ctx, r.Warn)
	if err != nil {
		return miner.Reading{}, fmt.Errorf("reading: %w", err)
	}
	if d.reads--; d.reads < 0 {
		d.reads, d.together.Singles = slowEvery-1, d.together.Singles && fresh // try again now and then
		if err := d.askSlow(ctx, fresh); err != nil {
			r.Warn(miner.WarnMissing, "stats", err.Error())
		}
	}
	parts = append(parts, d.version)
	if d.lite {
		parts = append(parts, d.chips...)
	}
	end := time.Now()
	found := file(parts, r.Warn)
	if found.seen < 2 { // the version alone
		return miner.Reading{}, fmt.Errorf("reading: %w: no section of an Avalon's", miner.ErrGarbage)
	}
	read(&r, found)
	r.At, r.Took = end, end.Sub(begin)
	r.Identity.Addr = d.together.Target.Addr
	d.last = r
	return r, nil
}

// askFast asks what changes from poll to poll.
func (d *device) askFast(ctx context.Context, warn cgminer.Warn) ([]cgminer.Reply, error) {
	if d.lite {
		parts, err := d.ask(ctx, warn, "summary", "litestats", "pools")
		if err != nil || slices.ContainsFunc(parts, func(p cgminer.Reply) bool { return p.Has("STATS") }) {
			return parts, err
		}
		d.lite = false
	}
	if !d.plain {
		parts, err := d.ask(ctx, warn, "summary", "estats", "pools")
		if err != nil || slices.ContainsFunc(parts, func(p cgminer.Reply) bool { return p.Has("STATS") || p.Name == "estats" && p.Status.OK() }) {
			return parts, err
		}
		d.plain = true
	}
	return d.ask(ctx, warn, "summary", "stats", "pools")
}

// askSlow asks what does not. fresh tells that the version has just been asked.
func (d *device) askSlow(ctx context.Context, fresh bool) error {
	var err1, err2 error
	if !fresh {
		_, err1 = d.askVersion(ctx)
		d.lite, d.plain = d.nested, false // a reply cut short may have said otherwise
	}
	if d.lite {
		var parts []cgminer.Reply
		if parts, err2 = d.ask(ctx, nil, "stats"); err2 == nil {
			d.chips = parts
		}
	}
	return errors.Join(err1, err2)
}

// ask sends commands as one request where the machine takes that, and returns
// the replies.
func (d *device) ask(ctx context.Context, warn cgminer.Warn, commands ...string) ([]cgminer.Reply, error) {
	replies, joined, err := d.together.Ask(ctx, warn, commands...)
	if joined {
		d.tick(replies[0])
	}
	return replies, err
}

// Envelope is what the last reading said; it reads when there is none.
func (d *device) Envelope(ctx context.Context) (miner.Envelope, error) {
	if err := d.enter(ctx); err != nil {
		return miner.Envelope{}, err
	}
	defer d.leave()
	if err := d.ready(ctx); err != nil {
		return miner.Envelope{}, err
	}
	if d.last.Envelope == nil {
		return miner.Envelope{}, fmt.Errorf("what it can be set to: %w", miner.ErrUnsupported)
	}
	return *d.last.Envelope, nil
}

// ready makes sure that there is a reading.
func (d *device) ready(ctx context.Context) error {
	if d.last.Envelope != nil {
		return nil
	}
	_, err := d.read(ctx)
	return err
}
