package avalon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// device is one Avalon. Canaan's manual wants one request at a time, so turn
// lets one in.
type device struct {
	target miner.Target
	turn   chan struct{}

	// What is known of the machine, under turn.
	slow    miner.Replies // the last version and, nested form, stats
	reads   int           // since slow was asked
	nested  bool          // the newer generation
	lite    bool          // it knows litestats
	known   bool          // these two are known
	singles bool          // combined requests are refused
	clock   time.Duration // the machine's clock less ours
	ticking bool          // clock is known
	last    miner.Reading
}

// slowEvery is the number of reads after which the slow replies are asked anew.
const slowEvery = 30

func newDevice(t miner.Target) *device {
	return &device{target: t, turn: make(chan struct{}, 1), slow: miner.Replies{}}
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
		d.slow, d.reads, d.known, d.ticking, d.last = miner.Replies{}, 0, false, false, miner.Reading{}
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
	if err := d.askVersion(ctx); err != nil {
		return miner.Identity{}, err
	}
	r, err := Driver{}.Parse(d.slow)
	if err != nil {
		return miner.Identity{}, fmt.Errorf("identifying: %w", err)
	}
	r.Identity.Addr = d.target.Addr
	return r.Identity, nil
}

// askVersion fills the version into slow, and is ErrNotMine elsewhere.
func (d *device) askVersion(ctx context.Context) error {
	raw, err := cgminer.Ask(ctx, d.target, "version", "")
	if err != nil {
		return fmt.Errorf("identifying: %w", err)
	}
	reply, ok := cgminer.Read("version", raw, nil)
	if !ok {
		return fmt.Errorf("identifying: %w: %s", miner.ErrNotMine, cgminer.Excerpt(raw))
	}
	d.tick(reply)
	o := reply.First("VERSION")
	mine := strings.Contains(strings.ToLower(o.Text("PROD")), "avalon") || strings.HasPrefix(o.Text("SWTYPE"), "MM")
	replies := miner.Replies{"version": raw}
	if !mine {
		if o.Text("CGMiner") == "" || o.Has("LUXminer", "BOSer", "BOSminer", "BOSminer+", "BMMiner") {
			return fmt.Errorf("identifying: %w", miner.ErrNotMine)
		}
		stats, err := cgminer.Ask(ctx, d.target, "stats", "")
		if err != nil {
			return fmt.Errorf("identifying: %w", err)
		}
		if !strings.Contains(string(stats), `"MM ID`) {
			return fmt.Errorf("identifying: %w", miner.ErrNotMine)
		}
		replies["stats"] = stats
	}
	d.nested, d.known = o.Has("LVERSION", "CGVERSION"), true
	d.lite = d.nested
	maps.Copy(d.slow, replies)
	return nil
}

// tick learns the machine's clock from a reply.
func (d *device) tick(reply cgminer.Reply) {
	if when := reply.JSON().Get("STATUS.0.When"); when.Exists() {
		d.clock = time.Until(time.Unix(when.Int(), 0))
		d.ticking = true
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
	fresh := !d.known || d.slow["version"] == nil
	if fresh {
		if err := d.askVersion(ctx); err != nil {
			return miner.Reading{}, err
		}
	}
	replies, err := d.askFast(ctx)
	if err != nil {
		return miner.Reading{}, err
	}
	var trouble error
	if d.reads--; d.reads < 0 {
		trouble = d.askSlow(ctx, fresh)
		d.reads = slowEvery - 1
	}
	replies["version"] = d.slow["version"]
	if chips := d.slow["stats"]; d.lite && chips != nil {
		replies["stats"] = chips
	}
	end := time.Now()
	r, err := Driver{}.Parse(replies)
	if err != nil {
		return r, fmt.Errorf("reading: %w", err)
	}
	if trouble != nil {
		r.Warn(miner.WarnMissing, "stats", trouble.Error())
	}
	r.At, r.Took = end, end.Sub(begin)
	r.Identity.Addr = d.target.Addr
	d.last = r
	return r, nil
}

// askFast asks what changes from poll to poll.
func (d *device) askFast(ctx context.Context) (miner.Replies, error) {
	if d.lite {
		replies, err := d.ask(ctx, "summary", "litestats", "pools")
		if err != nil || hasStats(replies["litestats"]) {
			return replies, err
		}
		d.lite = false
	}
	return d.ask(ctx, "summary", "estats", "pools")
}

func hasStats(raw []byte) bool { return strings.Contains(string(raw), "MM ID") }

// askSlow asks what does not. fresh tells that the version has just been asked.
func (d *device) askSlow(ctx context.Context, fresh bool) error {
	var commands []string
	if !fresh {
		commands = append(commands, "version")
	}
	if d.lite {
		commands = append(commands, "stats")
	}
	if len(commands) == 0 {
		return nil
	}
	replies, err := d.ask(ctx, commands...)
	maps.Copy(d.slow, replies)
	return err
}

// ask sends commands as one request, or one by one to a machine that refuses
// that, and returns the replies by command. With some replies there, the error
// is nil unless the context is over.
func (d *device) ask(ctx context.Context, commands ...string) (miner.Replies, error) {
	out := miner.Replies{}
	if !d.singles && len(commands) > 1 {
		raw, err := cgminer.Ask(ctx, d.target, strings.Join(commands, "+"), "")
		if err != nil && len(raw) == 0 {
			return nil, err
		}
		reply, ok := cgminer.Read("combined", raw, nil)
		if !ok {
			return nil, fmt.Errorf("asking: %w: %s", miner.ErrGarbage, cgminer.Excerpt(raw))
		}
		if reply.Combined() {
			for _, part := range reply.Parts() {
				d.tick(part)
				out[part.Name] = []byte(part.JSON().Raw)
			}
			return out, nil
		}
		d.singles = !reply.Status.OK() // else it is cut, and worth another try next time
	}
	var failed error
	for _, c := range commands {
		raw, err := cgminer.Ask(ctx, d.target, c, "")
		if len(raw) > 0 {
			out[c] = raw
		}
		if failed = errors.Join(failed, err); ctx.Err() != nil {
			break
		}
	}
	if len(out) == 0 || ctx.Err() != nil {
		return nil, failed
	}
	return out, nil
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
	if d.last.Envelope != nil && d.ticking {
		return nil
	}
	_, err := d.read(ctx)
	return err
}
