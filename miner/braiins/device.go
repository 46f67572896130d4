package braiins

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// channel is one generation of the interface, connected.
type channel interface {
	// generation is its name: "rest", "grpc" or "bosminer".
	generation() string
	// plan lists what to ask for, and how often.
	plan() []ask
	// fetch asks for one reply by its name.
	fetch(ctx context.Context, name string) ([]byte, error)
	// apply sends a setting that has been checked.
	apply(ctx context.Context, s miner.Setting, k known) error
	close()
}

// ask is one reply to ask for at every so-many-th reading.
type ask struct {
	name  string
	every int
}

// publicPlan is what the public API is asked for.
var publicPlan = []ask{
	{"miner_details", 1}, {"miner_stats", 1}, {"miner_hw_hashboards", 1}, {"cooling_state", 1},
	{"performance_tuner_state", 3}, {"pools", 3},
	{"miner_errors", 6}, {"actions_locate", 10},
	{"network", 30}, {"version", 30}, {"configuration_miner", 30}, {"configuration_constraints", 30},
	{"performance_target_profiles", 30}, {"license_license", 30},
}

// constantly are the replies that every reading asks for, and constant the same
// as a set.
var (
	constantly = []string{"bosminer", "cooling_state", "miner_details", "miner_hw_hashboards", "miner_stats"}
	constant   = map[string]bool{"bosminer": true, "cooling_state": true, "miner_details": true, "miner_hw_hashboards": true, "miner_stats": true}
)

const (
	// often is the longest period that is shortened to every reading while a
	// setting takes effect.
	often = 10
	// watched is for how many readings that is.
	watched = 12
)

// known is what a generation needs to know of the machine to apply a setting.
type known struct {
	stopped bool   // the mining process does not run
	group   string // the name of the first pool group
}

// device is one machine.
type device struct {
	driver *Driver
	target miner.Target
	web    *web
	turn   chan struct{} // one operation at a time

	mu     sync.Mutex // guards what Close needs
	via    channel
	cancel context.CancelCauseFunc // of the operation under way

	// Below: only for the operation whose turn it is.
	replies  miner.Replies
	fetched  map[string]time.Time
	missed   map[string]miner.Warning
	useless  map[string]bool // what this machine does not have
	reads    int
	phase    int // spreads the rare questions of a fleet over time
	watching int // readings left of a setting's taking effect
	stale    bool
	paused   bool   // told to sleep by us, where the machine does not say so itself
	version  string // of the firmware, at the last reading
	envelope *miner.Envelope
	rare     *parser // what the replies tell that are not asked for each time; nil when one has changed
}

// Open makes a device without any traffic.
func (d *Driver) Open(t miner.Target) miner.Device {
	v := &device{
		driver: d, target: t, web: newWeb(d.transport, t), turn: make(chan struct{}, 1),
	}
	h := fnv.New32a()
	_, _ = h.Write(t.Addr.AsSlice())
	v.phase = int(h.Sum32() % 1024)
	v.begin()
	return v
}

// begin forgets what was learned of the machine.
func (v *device) begin() {
	v.replies, v.fetched = miner.Replies{}, map[string]time.Time{}
	v.missed, v.useless = map[string]miner.Warning{}, map[string]bool{}
	v.version, v.envelope, v.rare = "", nil, nil
}

// errClosed is what an operation under way at Close ends with.
var errClosed = errors.New("the device was closed")

// take waits for the device's turn. The context that it returns ends at Close;
// done gives the turn to the next.
func (v *device) take(ctx context.Context) (_ context.Context, done func(), err error) {
	late := func() (context.Context, func(), error) {
		return nil, nil, fmt.Errorf("waiting for an earlier request: %w: %w", miner.ErrUnreachable, context.Cause(ctx))
	}
	if ctx.Err() != nil {
		return late()
	}
	select {
	case v.turn <- struct{}{}:
	case <-ctx.Done():
		return late()
	}
	bound := func() {}
	if _, ok := ctx.Deadline(); !ok {
		ctx, bound = context.WithTimeout(ctx, patience)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	v.mu.Lock()
	v.cancel = cancel
	v.mu.Unlock()
	return ctx, func() {
		cancel(nil)
		bound()
		<-v.turn
	}, nil
}

// patience bounds an operation whose context has no deadline.
const patience = 30 * time.Second

// Read asks for what changes, and for the rest when it is due.
func (v *device) Read(ctx context.Context) (miner.Reading, error) {
	ctx, done, err := v.take(ctx)
	if err != nil {
		return miner.Reading{}, err
	}
	defer done()
	begin := time.Now()
	via, err := v.channel(ctx)
	if err != nil {
		return miner.Reading{}, err
	}
	warnings, err := v.collect(ctx, via)
	if err != nil {
		return miner.Reading{}, err
	}
	r, err := v.reading(via)
	if err != nil {
		return r, err
	}
	r.Warnings = append(r.Warnings, warnings...)
	if old := v.version; r.Identity.FirmwareVersion != "" {
		if v.version = r.Identity.FirmwareVersion; old != "" && old != v.version {
			v.forget(via) // another release may be spoken to in another way
		}
	}
	r.At, r.Identity.Addr = time.Now(), v.target.Addr
	r.Took = r.At.Sub(begin)
	return r, nil
}

// collect fetches what is due. It fails only when nothing at all came.
func (v *device) collect(ctx context.Context, via channel) ([]miner.Warning, error) {
	var first error
	got := 0
	for i, a := range via.plan() {
		if v.useless[a.name] || !v.due(a, i) {
			continue
		}
		raw, err := via.fetch(ctx, a.name)
		if err == nil {
			v.keep(a.name, raw)
			got++
			continue
		}
		if errors.Is(err, miner.ErrDenied) && got == 0 {
			return nil, err
		}
		if first == nil || errors.Is(first, miner.ErrUnsupported) {
			first = err
		}
		v.miss(a, err)
		if errors.Is(err, miner.ErrUnreachable) && (got == 0 || ctx.Err() != nil) {
			break
		}
	}
	if got == 0 && first != nil {
		// Perhaps another firmware, or another version, runs here by now.
		v.forget(via)
		if errors.Is(first, miner.ErrUnsupported) {
			first = fmt.Errorf("%w: %w", miner.ErrNotMine, first)
		}
		return nil, first
	}
	v.reads++
	v.stale = v.stale && ctx.Err() != nil
	v.watching = max(v.watching-1, 0)
	var warnings []miner.Warning
	for _, a := range via.plan() {
		if w, ok := v.missed[a.name]; ok {
			warnings = append(warnings, w)
		}
	}
	return warnings, nil
}

// miss notes that a reply did not come.
func (v *device) miss(a ask, err error) {
	switch {
	case errors.Is(err, miner.ErrUnsupported):
		v.useless[a.name] = true
		v.drop(a.name)
		return
	case a.every == 1:
		v.drop(a.name) // what was true ten seconds ago is not told as if it were
	case !errors.Is(err, miner.ErrUnreachable):
		v.fetched[a.name] = time.Now() // a refusal is an answer: ask again when due
	}
	kind := miner.WarnMissing
	if errors.Is(err, miner.ErrRefused) || errors.Is(err, miner.ErrDenied) {
		kind = miner.WarnRefused
	}
	v.missed[a.name] = miner.Warning{Kind: kind, Where: a.name, Detail: err.Error()}
}

// due tells whether a reply is to be asked for at this reading.
func (v *device) due(a ask, i int) bool {
	switch _, have := v.fetched[a.name]; {
	case a.every == 1, !have, v.stale:
		return true
	case v.watching > 0 && a.every <= often:
		return true
	}
	return (v.reads+v.phase+7*i)%a.every == 0
}

func (v *device) keep(name string, raw []byte) {
	v.replies[name], v.fetched[name] = raw, time.Now()
	delete(v.missed, name)
	v.forgetRare(name)
}

// forgetRare notes that a rare reply has changed.
func (v *device) forgetRare(name string) {
	if !constant[name] {
		v.rare = nil
	}
}

func (v *device) drop(name string) {
	v.forgetRare(name)
	delete(v.replies, name)
	delete(v.fetched, name)
}

// reading parses what there is. Most of it is as it was the last time.
func (v *device) reading(via channel) (miner.Reading, error) {
	if v.rare == nil {
		rare := miner.Replies{}
		for name, raw := range v.replies {
			if !constant[name] {
				rare[name] = raw
			}
		}
		v.rare = &parser{lookup: v.driver.lookupModel}
		v.rare.all(rare)
	}
	p := v.rare.clone()
	for _, name := range constantly {
		if raw, ok := v.replies[name]; ok {
			p.reply(name, raw)
		}
	}
	p.extra("interface", via.generation())
	p.finish()
	r := p.r
	if err := p.err(len(v.replies)); err != nil {
		return r, err
	}
	if at, ok := v.fetched["graphql_system"]; ok {
		// The only uptime that is not asked for each time.
		if up, ok := r.Uptime.Get(); ok {
			r.Uptime = unit.Some(up + time.Since(at).Truncate(time.Second))
		}
	}
	if r.Envelope != nil {
		v.envelope = r.Envelope
	}
	if v.paused && r.StateTold == "" && r.State != miner.Hashing && r.State != miner.Unknown {
		r.State = miner.Sleeping
	}
	return r, nil
}

// Envelope asks what the machine can be set to.
func (v *device) Envelope(ctx context.Context) (miner.Envelope, error) {
	ctx, done, err := v.take(ctx)
	if err != nil {
		return miner.Envelope{}, err
	}
	defer done()
	via, err := v.channel(ctx)
	if err != nil {
		return miner.Envelope{}, err
	}
	return v.askEnvelope(ctx, via)
}

func (v *device) askEnvelope(ctx context.Context, via channel) (miner.Envelope, error) {
	for _, name := range []string{"configuration_constraints", "performance_target_profiles", "graphql_limits"} {
		if !planned(via, name) || v.useless[name] {
			continue
		}
		raw, err := via.fetch(ctx, name)
		switch {
		case err == nil:
			v.keep(name, raw)
		case errors.Is(err, miner.ErrUnsupported):
			v.useless[name] = true
		case errors.Is(err, miner.ErrUnreachable), errors.Is(err, miner.ErrDenied):
			return miner.Envelope{}, err
		}
	}
	p := v.driver.parse(v.replies)
	if p.r.Envelope == nil {
		p.r.Envelope = p.envelope()
	}
	v.envelope = p.r.Envelope
	return *v.envelope, nil
}

func planned(via channel, name string) bool {
	for _, a := range via.plan() {
		if a.name == name {
			return true
		}
	}
	return false
}

// Apply sends one setting.
func (v *device) Apply(ctx context.Context, s miner.Setting) error {
	ctx, done, err := v.take(ctx)
	if err != nil {
		return err
	}
	defer done()
	via, err := v.channel(ctx)
	if err != nil {
		return fmt.Errorf("setting %s: %w", s, err)
	}
	if err := v.check(ctx, via, s); err != nil {
		return fmt.Errorf("setting %s: %w", s, err)
	}
	k := known{group: "default"}
	if s.Kind == miner.SetWake || s.Kind == miner.SetPools {
		k = v.know(ctx, via)
	}
	if err := via.apply(ctx, s, k); err != nil {
		return fmt.Errorf("setting %s: %w", s, err)
	}
	v.stale, v.watching = true, watched
	switch s.Kind {
	case miner.SetSleep:
		v.paused = true
	case miner.SetWake, miner.SetReboot, miner.SetRestart:
		v.paused = false
	}
	return nil
}

// check refuses what the machine would, or worse, would not.
func (v *device) check(ctx context.Context, via channel, s miner.Setting) error {
	switch s.Kind {
	case miner.SetMode:
		return fmt.Errorf("%w: Braiins OS has no work modes", miner.ErrUnsupported)
	case miner.SetPools:
		if len(s.Pools) == 0 {
			return fmt.Errorf("%w: no pools given", miner.ErrRefused)
		}
		for _, p := range s.Pools {
			if p.URL == "" || p.User == "" {
				return fmt.Errorf("%w: a pool needs an address and a user", miner.ErrRefused)
			}
		}
		return nil
	case miner.SetPower, miner.SetProfile:
	default:
		return nil
	}
	if v.envelope == nil || !v.envelope.Can(s.Kind) {
		if _, err := v.askEnvelope(ctx, via); err != nil {
			return err
		}
	}
	e := v.envelope
	if s.Kind == miner.SetProfile {
		if !e.Can(miner.SetProfile) {
			return fmt.Errorf("%w: the machine tells no tuned profiles", miner.ErrUnsupported)
		}
		for _, step := range e.Steps {
			if step.Name == s.Profile {
				return nil
			}
		}
		return fmt.Errorf("%w: it has no tuned profile %q", miner.ErrRefused, s.Profile)
	}
	if !e.Can(miner.SetPower) {
		return fmt.Errorf("%w: the machine tells no power limits", miner.ErrUnsupported)
	}
	if !(s.Power > 0 && s.Power >= e.PowerMin.Or(0) && s.Power <= e.PowerMax.Or(mostPower)) { // NaN is refused too
		return fmt.Errorf("%w: it takes %s to %s", miner.ErrRefused, e.PowerMin.Or(0), e.PowerMax.Or(mostPower))
	}
	return nil
}

// know asks for what applying needs. What cannot be had is assumed.
func (v *device) know(ctx context.Context, via channel) known {
	k := known{group: "default"}
	for _, name := range []string{"miner_details", "pools", "bosminer"} {
		if planned(via, name) {
			if raw, err := via.fetch(ctx, name); err == nil {
				v.keep(name, raw)
			}
		}
	}
	p := v.driver.parse(v.replies)
	k.stopped = p.silent || p.status == statusNotStarted || p.status == 0 && p.r.Extra["bosminer_uptime_s"] == "0"
	if name := p.r.Extra["pool_groups.0.name"]; name != "" {
		k.group = name
	}
	return k
}

// Close drops connections and tokens.
func (v *device) Close() {
	v.mu.Lock()
	via, cancel := v.via, v.cancel
	v.via = nil
	v.mu.Unlock()
	if cancel != nil {
		cancel(errClosed)
	}
	v.web.close()
	if via != nil {
		via.close()
	}
}

// channel is the generation that this machine speaks, found out when it is not
// known yet.
func (v *device) channel(ctx context.Context) (channel, error) {
	v.mu.Lock()
	via := v.via
	v.mu.Unlock()
	if via != nil {
		return via, nil
	}
	found, err := v.probe(ctx)
	if err != nil {
		return nil, err
	}
	v.begin()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.via = found.via
	return v.via, nil
}

// forget drops a generation that no longer answers.
func (v *device) forget(via channel) {
	v.mu.Lock()
	if v.via == via {
		v.via = nil
	}
	v.mu.Unlock()
	via.close()
}

// Replies are the raw replies that the last reading was made of, for saving
// them. They are the caller's own.
func (v *device) Replies(ctx context.Context) (miner.Replies, error) {
	_, done, err := v.take(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	out := make(miner.Replies, len(v.replies))
	for name, raw := range v.replies {
		out[name] = bytes.Clone(raw)
	}
	return out, nil
}
