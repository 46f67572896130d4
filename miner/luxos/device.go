package luxos

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// device is one machine under LuxOS. turn lets one request in at a time.
type device struct {
	turn chan struct{}

	// What is known of the machine, under turn.
	slow     *slow
	reads    int // left until slow is asked anew
	together cgminer.Together
	session  string
	last     miner.Reading
}

// slowEvery is the number of reads after which the slow replies are asked anew.
const slowEvery = 30

// fastCommands are asked at every read, in one request.
var fastCommands = []string{"summary", "devs", "power", "temps", "fans", "events", "config", "pools"}

// slowCommands are asked at first, then seldom and after a setting. stats is
// asked for the number of chips that answer.
var slowCommands = []string{"version", "profiles", "limits", "atm", "tunerstatus", "stats"}

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
		d.slow, d.reads, d.last = nil, 0, miner.Reading{}
		d.leave()
	default: // a request is under way and ends by its own deadline
	}
}

// Identify asks for version and config.
func (d *device) Identify(ctx context.Context) (miner.Identity, error) {
	if err := d.enter(ctx); err != nil {
		return miner.Identity{}, err
	}
	defer d.leave()
	raw, err := cgminer.Ask(ctx, d.together.Target, "version", "")
	if err != nil {
		return miner.Identity{}, fmt.Errorf("identifying: %w", err)
	}
	reply, ok := cgminer.Read("version", raw, nil)
	if !ok || !reply.First("VERSION").Has("LUXminer") && !strings.HasPrefix(reply.Status.Description, "LUXminer") {
		return miner.Identity{}, fmt.Errorf("identifying: %w", miner.ErrNotMine)
	}
	config, err := cgminer.Ask(ctx, d.together.Target, "config", "")
	if err != nil {
		return miner.Identity{}, fmt.Errorf("identifying: %w", err)
	}
	r, err := Driver{}.Parse(miner.Replies{"version": raw, "config": config})
	if err != nil {
		return miner.Identity{}, fmt.Errorf("identifying: %w", err)
	}
	r.Identity.Addr = d.together.Target.Addr
	return r.Identity, nil
}

// Read asks for what changes, and for the rest when it is due.
func (d *device) Read(ctx context.Context) (miner.Reading, error) {
	if err := d.enter(ctx); err != nil {
		return miner.Reading{}, err
	}
	defer d.leave()
	return d.read(ctx)
}

func (d *device) read(ctx context.Context) (miner.Reading, error) {
	begin := time.Now()
	r := miner.Reading{State: miner.Unknown}
	r.Identity.Firmware = miner.LuxOS
	var f fast
	parts, err := d.ask(ctx, r.Warn, fastCommands...)
	if err != nil {
		return r, fmt.Errorf("reading: %w", err)
	}
	taken := 0
	for _, p := range parts {
		if f.take(p) {
			taken++
		} else if !p.Status.OK() {
			r.Warn(miner.WarnRefused, p.Name, p.Status.Msg)
		}
	}
	if taken == 0 {
		return r, fmt.Errorf("reading: %w: no section of LuxOS's", miner.ErrGarbage)
	}
	if d.slow == nil || d.reads <= 0 {
		d.breathe(ctx)
		d.askSlow(ctx, &f, r.Warn)
	}
	d.reads--
	end := time.Now()
	read(&r, &f, d.slow)
	r.At, r.Took = end, end.Sub(begin)
	r.Identity.Addr = d.together.Target.Addr
	d.last = r
	return r, nil
}

// askSlow asks for the rest, board by board where the API wants it so. What
// fails keeps its last value and is asked again at the next read.
func (d *device) askSlow(ctx context.Context, f *fast, warn cgminer.Warn) {
	next := &slow{}
	d.reads, d.together.Singles = slowEvery, d.together.Singles && d.slow == nil // try again now and then
	parts, err := d.ask(ctx, func(miner.WarningKind, string, string) {}, slowCommands...)
	for _, p := range parts {
		next.take(p)
	}
	for _, o := range f.devs.Section("DEVS") {
		id, ok := o.Count("ASC", "ID").Get()
		if !ok || id >= mostBoards || err != nil {
			continue
		}
		for _, command := range []string{"voltageget", "healthchipget"} {
			d.breathe(ctx)
			err = errors.Join(err, d.askBoard(ctx, next, command, int(id)))
		}
	}
	if err != nil {
		d.reads = 0
		warn(miner.WarnMissing, "slow replies", err.Error())
		if d.slow != nil {
			return
		}
	}
	d.slow = next
}

// pause is how far apart connections are kept: a LUXminer of 2026 refuses one
// that comes within a millisecond of another.
const pause = 5 * time.Millisecond

func (d *device) breathe(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}

func (d *device) askBoard(ctx context.Context, into *slow, command string, board int) error {
	raw, err := cgminer.Ask(ctx, d.together.Target, command, strconv.Itoa(board))
	if err != nil {
		return err
	}
	if reply, ok := cgminer.Read(command+"_"+strconv.Itoa(board), raw, nil); ok {
		into.take(reply)
	}
	return nil
}

// ask sends commands as one request where the firmware takes that, and returns
// the replies.
func (d *device) ask(ctx context.Context, warn cgminer.Warn, commands ...string) ([]cgminer.Reply, error) {
	replies, _, err := d.together.Ask(ctx, warn, commands...)
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
