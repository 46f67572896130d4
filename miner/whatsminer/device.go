package whatsminer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// Device is one machine. One dialogue runs at a time: the firmware serves no
// more either.
type Device struct {
	target miner.Target
	now    func() time.Time
	parse  func(miner.Replies) (miner.Reading, error)
	closed atomic.Bool
	turn   chan struct{} // full while a dialogue runs; it guards what follows

	v3     line
	seal   sealer // API v2's token
	salt   string // API v3's
	locked bool   // the operator's switch for writes is off
	speaks api

	known   miner.Replies // last answers of what is not asked every time
	cadence *cgminer.Cadence
	reads   int
	afresh  bool // ask everything at the next read
	apart3  bool // get.miner.status takes one section at a time
	apart2  bool // summary and pools cannot be joined
	failed  int  // reads in a row without an answer
	noV2    bool // a machine of API v3 does not answer on v2's port
	last    miner.State
	version string // of the API
	limits  *miner.Envelope
}

// api is which API a machine is read over.
type api int

const (
	apiUnknown api = iota
	apiV2
	apiV3
)

const (
	// mediumEvery is how often what changes seldom is asked, in reads. What
	// hardly ever changes has its [cgminer.Cadence].
	mediumEvery = 3
	// retries is after how many silent reads a machine is asked anew which API
	// it speaks: firmware may have been changed.
	retries = 3
)

// enter waits for the machine's turn.
func (d *Device) enter(ctx context.Context) error {
	select {
	case d.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: waiting for another dialogue: %w", miner.ErrUnreachable, context.Cause(ctx))
	}
}

func (d *Device) leave() {
	<-d.turn
	if d.closed.Load() {
		d.sweep()
	}
}

// Close drops the connection and the token. A dialogue under way ends first.
func (d *Device) Close() {
	d.closed.Store(true)
	d.sweep()
}

func (d *Device) sweep() {
	select {
	case d.turn <- struct{}{}:
		d.v3.close()
		d.seal, d.salt = sealer{}, ""
		<-d.turn
	default: // whoever has the turn will sweep
	}
}

// Identify asks who is there.
func (d *Device) Identify(ctx context.Context) (miner.Identity, error) {
	if err := d.enter(ctx); err != nil {
		return miner.Identity{}, err
	}
	defer d.leave()
	got, err := d.detect(ctx)
	if err != nil {
		return miner.Identity{}, err
	}
	if d.speaks == apiV2 {
		for _, name := range []string{"get_miner_info", "devdetails"} {
			raw, err := d.askV2(ctx, name)
			if len(raw) > 0 {
				got[name] = raw
			}
			if err != nil && ctx.Err() != nil {
				break
			}
		}
	}
	r, err := d.parse(got)
	if err != nil {
		return miner.Identity{}, err
	}
	r.Identity.Addr = d.target.Addr
	return r.Identity, nil
}

// detect finds out which API the machine speaks, and returns the answer that
// told it.
func (d *Device) detect(ctx context.Context) (miner.Replies, error) {
	raw, err3 := d.probeV3(ctx)
	if err3 == nil {
		d.speaks = apiV3
		return miner.Replies{"get_device_info": raw}, nil
	}
	name, raw, err := d.probeV2(ctx)
	if err == nil {
		d.speaks = apiV2
		return miner.Replies{name: raw}, nil
	}
	if errors.Is(err, miner.ErrUnreachable) && !errors.Is(err3, miner.ErrUnreachable) {
		return nil, fmt.Errorf("%w: %w", miner.ErrNotMine, err3) // something else has the port of v3
	}
	return nil, err
}

// probeV3 asks the port of API v3, and leaves time for the other one.
func (d *Device) probeV3(ctx context.Context) ([]byte, error) {
	if until, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(until)/2)
		defer cancel()
	}
	raw, err := d.readV3(ctx, "get.device.info", "")
	if err != nil {
		return nil, err
	}
	reply, ok := cgminer.Read("get_device_info", raw, nil)
	if !ok {
		return nil, fmt.Errorf("%w: %s", miner.ErrGarbage, cgminer.Excerpt(raw))
	}
	if found, _ := recognise(reply); len(found) == 0 || found[0].kind != kindDeviceInfo {
		return nil, fmt.Errorf("%w: %w", miner.ErrGarbage, errNotWhatsminer)
	}
	d.noteInfo(reply.JSON())
	return raw, nil
}

// probeV2 asks what only MicroBT's firmware knows; where that is not known
// either (API 1.x), the summary must have the vendor's fields.
func (d *Device) probeV2(ctx context.Context) (name string, raw []byte, err error) {
	for _, name := range []string{"get_version", "summary"} {
		raw, err := d.askV2(ctx, name)
		reply, ok := cgminer.Read(name, raw, nil)
		if !ok && len(raw) > 0 {
			return "", nil, fmt.Errorf("%w: %w: %s", miner.ErrNotMine, errNotWhatsminer, cgminer.Excerpt(raw))
		}
		if err != nil {
			return "", nil, err
		}
		found, _ := recognise(reply)
		switch {
		case name == "get_version" && len(found) > 0 && found[0].kind == kindVersion:
			return name, raw, nil
		case name == "summary" && microbtSummary(raw):
			return name, raw, nil
		}
	}
	return "", nil, fmt.Errorf("%w: %w", miner.ErrNotMine, errNotWhatsminer)
}

// microbtSummary knows the fields that no other firmware's summary has, and the
// refusal of MicroBT's while it sleeps.
func microbtSummary(raw []byte) bool {
	for _, mark := range []string{`"Factory GHS"`, `"HS RT"`, `"Hash Stable"`, `btminer`, `whatsminer`} {
		if bytes.Contains(raw, []byte(mark)) {
			return true
		}
	}
	return false
}

func (d *Device) askV2(ctx context.Context, command string) ([]byte, error) {
	return cgminer.Ask(ctx, d.target, command, "")
}

// Read asks for what changes, and for the rest when it is due.
func (d *Device) Read(ctx context.Context) (miner.Reading, error) {
	if err := d.enter(ctx); err != nil {
		return miner.Reading{}, err
	}
	defer d.leave()
	return d.read(ctx)
}

func (d *Device) read(ctx context.Context) (miner.Reading, error) {
	start := d.now()
	p := poll{d: d, got: miner.Replies{}, slow: d.cadence.Due() || d.afresh}
	if d.speaks == apiUnknown || d.failed >= retries {
		got, err := d.detect(ctx)
		if err != nil {
			d.failed++
			return miner.Reading{}, err
		}
		maps.Copy(p.got, got)
		d.failed, p.slow = 0, true
	}
	ask := p.v2
	if d.speaks == apiV3 {
		ask = p.v3
	}
	r, err := ask(ctx)
	if err != nil {
		d.failed++
		return miner.Reading{}, err
	}
	d.failed = 0
	d.reads++
	d.afresh = d.afresh && !p.slow
	d.last, d.version = r.State, r.Identity.APIVersion
	if r.Envelope != nil {
		d.limits = r.Envelope
	}
	r.At = d.now()
	r.Took = r.At.Sub(start)
	r.Identity.Addr = d.target.Addr
	return r, nil
}

// Envelope tells what the machine can be set to.
func (d *Device) Envelope(ctx context.Context) (miner.Envelope, error) {
	if err := d.enter(ctx); err != nil {
		return miner.Envelope{}, err
	}
	defer d.leave()
	r, err := d.read(ctx)
	if err != nil {
		return miner.Envelope{}, fmt.Errorf("asking for the limits: %w", err)
	}
	if r.Envelope == nil { // it tells no limit, and the model is unknown
		return miner.Envelope{
			Kinds:  []miner.Kind{miner.SetMode, miner.SetSleep, miner.SetWake, miner.SetReboot, miner.SetRestart, miner.SetPools, miner.SetLocate},
			Settle: settle(""), Source: "assumed",
		}, nil
	}
	return *r.Envelope, nil
}
