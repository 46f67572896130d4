package avalon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// notice is how far ahead softoff and softon are dated: they want a time to come.
const notice = 5 * time.Second

// Apply sends one setting. Pools and a classic machine's work mode take effect
// with a reboot, which is sent with them.
func (d *device) Apply(ctx context.Context, s miner.Setting) error {
	if err := d.enter(ctx); err != nil {
		return err
	}
	defer d.leave()
	if err := d.ready(ctx); err != nil {
		return fmt.Errorf("setting %v: %w", s, err)
	}
	if !d.last.Envelope.Can(s.Kind) {
		return fmt.Errorf("setting %v: %w", s, miner.ErrUnsupported)
	}
	if err := d.apply(ctx, s); err != nil {
		return fmt.Errorf("setting %v: %w", s, err)
	}
	d.reads = 0 // ask everything anew next time
	return nil
}

func (d *device) apply(ctx context.Context, s miner.Setting) error {
	switch s.Kind {
	case miner.SetSleep:
		return d.sleep(ctx)
	case miner.SetWake:
		return d.wake(ctx)
	case miner.SetReboot:
		return d.reboot(ctx)
	case miner.SetRestart:
		_, err := cgminer.Do(ctx, d.together.Target, "restart", "")
		return d.silently(err)
	case miner.SetLocate:
		on := "0"
		if s.On {
			on = "1"
		}
		return d.set(ctx, "led,1-"+on)
	case miner.SetMode:
		return d.setMode(ctx, s.Mode)
	case miner.SetProfile:
		return d.setLevel(ctx, s.Profile)
	case miner.SetPools:
		return d.setPools(ctx, s.Pools)
	}
	return miner.ErrUnsupported
}

// sleep switches the hashing off: at once where the firmware takes softoff
// without a time, as Canaan's own management system sends it to classic
// machines, else in a few seconds.
func (d *device) sleep(ctx context.Context) error {
	switch {
	case !d.soft():
		return d.set(ctx, "hashpower,0")
	case d.nested:
		return d.setSoon(ctx, "softoff,1:")
	}
	return d.set(ctx, "softoff")
}

// wake switches it on again: by a reboot, as that same system does, where there
// is no softon.
func (d *device) wake(ctx context.Context) error {
	if d.soft() {
		err := d.silently(d.setSoon(ctx, "softon,1:"))
		if d.nested || !errors.Is(err, miner.ErrUnsupported) && !errors.Is(err, miner.ErrRefused) {
			return err
		}
	}
	return d.reboot(ctx)
}

// soft tells whether the machine knows softoff; the first A10 firmwares have
// only hashpower.
func (d *device) soft() bool { return d.last.Extra["SoftOFF"] != "" }

// setSoon sends an option that takes effect at a time shortly to come, by the
// machine's clock, which is asked for right before.
func (d *device) setSoon(ctx context.Context, option string) error {
	if _, err := d.askVersion(ctx); err != nil {
		return err
	}
	return d.set(ctx, option+strconv.FormatInt(time.Now().Add(d.clock+notice).Unix(), 10))
}

// silently takes a connection that was closed without a reply as done: some
// commands end the process that should answer. A later reading proves it.
func (d *device) silently(err error) error {
	if errors.Is(err, cgminer.ErrSilent) {
		return nil
	}
	return err
}

func (d *device) reboot(ctx context.Context) error {
	return d.silently(d.set(ctx, "reboot,0"))
}

func (d *device) setMode(ctx context.Context, mode string) error {
	names := modes(d.last.Identity.Model, d.nested)
	number := slices.Index(names, mode)
	if number < 0 {
		return fmt.Errorf("%w: the work modes are %s", miner.ErrRefused, strings.Join(names, ", "))
	}
	if d.nested {
		return d.set(ctx, "workmode,set,"+strconv.Itoa(number))
	}
	if err := d.set(ctx, "workmode,"+strconv.Itoa(number)); err != nil {
		return err
	}
	return d.reboot(ctx)
}

func (d *device) setLevel(ctx context.Context, profile string) error {
	text, ok := strings.CutPrefix(profile, levelPrefix)
	level, err := strconv.ParseInt(text, 10, 8)
	if !ok || err != nil {
		return fmt.Errorf("%w: a work level is written %q", miner.ErrRefused, levelPrefix+"1")
	}
	return d.set(ctx, "worklevel,set,"+strconv.FormatInt(level, 10))
}

// set sends one ascset option.
func (d *device) set(ctx context.Context, option string) error {
	reply, err := cgminer.Do(ctx, d.together.Target, "ascset", "0,"+option)
	if err != nil && !errors.Is(err, miner.ErrRefused) {
		return err
	}
	return judge(reply.Status)
}

// no are words of an "info" that is a refusal. Firmwares answer both successes
// and refusals as info; see set_avalon_device_* in the Nano 3S source.
var no = []string{"fail", "error", "err:", "unknown", "invalid", "permit", "not support", "missing", "wrong", "should be", "we need", "must ", "denied", "out of range"}

// judge reads the words of an acknowledgement, or of a refusal.
func judge(s cgminer.Status) error {
	if s.Kind == 'S' {
		return nil
	}
	words := strings.TrimPrefix(strings.TrimPrefix(s.Msg, "ASC 0 set info: "), "ASC 0 set failed: ")
	lower := strings.ToLower(words)
	if s.OK() && strings.Contains(lower, "success") {
		return nil
	}
	switch {
	case strings.Contains(lower, "is caling"), strings.Contains(lower, "permit switch"): // it calibrates
		return fmt.Errorf("%w: %s", miner.ErrBusy, words)
	case strings.Contains(lower, "unknown option"):
		return fmt.Errorf("%w: %s", miner.ErrUnsupported, words)
	case strings.Contains(lower, "auth fail"), strings.Contains(lower, "password"), strings.Contains(lower, "userpass err"), strings.Contains(lower, "username err"):
		return fmt.Errorf("%w: %s", miner.ErrDenied, words)
	case !s.OK(), slices.ContainsFunc(no, func(w string) bool { return strings.Contains(lower, w) }):
		return fmt.Errorf("%w: %s", miner.ErrRefused, words)
	}
	return nil
}

// mostPools is the number of pool slots.
const mostPools = 3

// setPools writes the slots in turn. Slots that the machine has beyond the new
// list repeat its last pool, because a slot cannot be emptied.
func (d *device) setPools(ctx context.Context, pools []miner.PoolSetting) error {
	c := d.together.Target.Credentials
	switch {
	case len(pools) == 0 || len(pools) > mostPools:
		return fmt.Errorf("%w: an Avalon takes 1 to %d pools", miner.ErrRefused, mostPools)
	case c.User == "" || c.Password == "":
		return fmt.Errorf("%w: setpool wants the web login: set `credentials` for this machine", miner.ErrDenied)
	}
	for _, p := range pools {
		if p.URL == "" || p.User == "" || strings.Contains(p.URL+p.User+string(p.Password)+c.User+string(c.Password), ",") {
			return fmt.Errorf("%w: a pool needs an address and a user, and no comma in anything", miner.ErrRefused)
		}
	}
	used := len(d.last.Pools)
	if n, ok := small(d.last.Extra[slotsKey]); ok {
		used = n
	}
	slots := max(len(pools), min(used, mostPools))
	if d.onePool() {
		slots = 1
	}
	for i := range slots {
		if err := d.setPool(ctx, i, pools[min(i, len(pools)-1)]); err != nil {
			return fmt.Errorf("pool %d: %w", i, err)
		}
	}
	return d.reboot(ctx)
}

// onePool tells the A10, whose setpool knows no slots (A10 API manual, 2.5).
func (d *device) onePool() bool { return strings.HasPrefix(d.last.Identity.Model, "Avalon 10") }

func (d *device) setPool(ctx context.Context, slot int, p miner.PoolSetting) error {
	c := d.together.Target.Credentials
	password := string(p.Password)
	if password == "" {
		password = "x"
	}
	list := []string{c.User, string(c.Password)}
	if !d.onePool() {
		list = append(list, strconv.Itoa(slot))
	}
	parameter := strings.Join(append(list, p.URL, p.User, password), ",")
	command := "setpool"
	if !d.nested {
		command, parameter = "ascset", "0,setpool,"+parameter
	}
	reply, err := cgminer.Do(ctx, d.together.Target, command, parameter)
	if err != nil && !errors.Is(err, miner.ErrRefused) {
		return err
	}
	return judgePool(reply.Status)
}

// judgePool reads setpool's reply without repeating it: it quotes the pool's
// password.
func judgePool(s cgminer.Status) error {
	lower := strings.ToLower(s.Msg)
	switch {
	case s.OK() && strings.Contains(lower, "success"):
		return nil
	case strings.Contains(lower, "userpass err"), strings.Contains(lower, "username err"), strings.Contains(lower, "auth fail"):
		return fmt.Errorf("%w: the web login in `credentials`", miner.ErrDenied)
	case !s.OK(), slices.ContainsFunc(no, func(w string) bool { return strings.Contains(lower, w) }):
		return fmt.Errorf("%w: the pool was not taken", miner.ErrRefused)
	}
	return nil
}
