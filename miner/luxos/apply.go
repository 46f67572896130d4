package luxos

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
	"ballast/unit"
)

// Apply sends one setting, in a session of its own where the command wants one.
func (d *device) Apply(ctx context.Context, s miner.Setting) error {
	if err := d.enter(ctx); err != nil {
		return err
	}
	defer d.leave()
	if err := d.ready(ctx); err != nil {
		return fmt.Errorf("setting %v: %w", s, err)
	}
	e := d.last.Envelope
	if e == nil || !e.Can(s.Kind) {
		return fmt.Errorf("setting %v: %w", s, miner.ErrUnsupported)
	}
	if err := d.apply(ctx, s, e); err != nil {
		return fmt.Errorf("setting %v: %w", s, err)
	}
	d.reads = 0 // ask everything anew next time
	return nil
}

func (d *device) apply(ctx context.Context, s miner.Setting, e *miner.Envelope) error {
	switch s.Kind {
	case miner.SetSleep:
		return d.write(ctx, "curtail", "sleep")
	case miner.SetWake:
		return d.write(ctx, "curtail", "wakeup")
	case miner.SetReboot:
		return d.silently(d.write(ctx, "rebootdevice"))
	case miner.SetRestart:
		return d.silently(d.write(ctx, "resetminer"))
	case miner.SetLocate:
		if s.On {
			return d.write(ctx, "ledset", "red", "blink")
		}
		return d.write(ctx, "ledset", "red", "auto")
	case miner.SetProfile:
		return d.setProfile(ctx, s.Profile, e)
	case miner.SetPower:
		if !(s.Power >= e.PowerMin.Or(0) && s.Power <= e.PowerMax.Or(0)) {
			return fmt.Errorf("%w: it takes %v to %v", miner.ErrRefused, e.PowerMin.Or(0), e.PowerMax.Or(0))
		}
		return d.write(ctx, "powertargetset", "power="+strconv.Itoa(int(s.Power/unit.Watt)))
	case miner.SetPools:
		return d.setPools(ctx, s.Pools)
	}
	return miner.ErrUnsupported
}

// silently takes a connection that was closed without a reply as done: a later
// reading proves it.
func (d *device) silently(err error) error {
	if errors.Is(err, cgminer.ErrSilent) {
		return nil
	}
	return err
}

// setProfile sets a profile that the machine listed. One named by a single digit
// from 0 to 3 cannot be set: the firmware takes it for a board's number.
func (d *device) setProfile(ctx context.Context, name string, e *miner.Envelope) error {
	known := slices.ContainsFunc(e.Steps, func(s miner.Step) bool { return s.Setting.Profile == name })
	switch {
	case !known || strings.Contains(name, ","):
		return fmt.Errorf("%w: it has no profile %q", miner.ErrRefused, name)
	case len(name) == 1 && name[0] >= '0' && name[0] <= '3':
		return fmt.Errorf("%w: profileset takes %q for a board's number", miner.ErrRefused, name)
	}
	return d.write(ctx, "profileset", name)
}

// Luxor's status codes and words about sessions. 402 is in luxos-tooling; the
// words are there for the rest.
const codeOtherSession = 402

// patience is how long a session of somebody else is waited for. It may last a
// minute: longer waits are the caller's to decide.
const patience = 2 * time.Second

// write sends a command that wants a session: the one that could not be ended
// last time, if it still lives, else a new one.
func (d *device) write(ctx context.Context, command string, parameters ...string) error {
	for range 2 {
		if d.session == "" {
			if err := d.logon(ctx); err != nil {
				return err
			}
			d.breathe(ctx)
		}
		reply, err := cgminer.Do(ctx, d.together.Target, command, strings.Join(append([]string{d.session}, parameters...), ","))
		if aboutSession(reply.Status) {
			d.session = "" // it expired: a minute without use
			continue
		}
		d.logoff(ctx)
		return err
	}
	return fmt.Errorf("%w: the session does not last", miner.ErrBusy)
}

// aboutSession tells a refusal for want of a valid session.
func aboutSession(s cgminer.Status) bool {
	return !s.OK() && strings.Contains(strings.ToLower(s.Msg), "session")
}

func (d *device) logon(ctx context.Context) error {
	until := time.Now().Add(patience)
	for wait := 200 * time.Millisecond; ; wait *= 2 {
		raw, err := cgminer.Ask(ctx, d.together.Target, "logon", "")
		if err != nil {
			return fmt.Errorf("logging on: %w", err)
		}
		reply, ok := cgminer.Read("logon", raw, nil)
		if !ok {
			return fmt.Errorf("logging on: %w: %s", miner.ErrGarbage, cgminer.Excerpt(raw))
		}
		if id := reply.First("SESSION").Text("SessionID"); id != "" && reply.Status.OK() {
			d.session = id
			return nil
		}
		if reply.Status.Code != codeOtherSession && !aboutSession(reply.Status) {
			if err := reply.Status.Err(); err != nil {
				return fmt.Errorf("logging on: %w", err)
			}
			return fmt.Errorf("logging on: %w: no session ID in the reply", miner.ErrGarbage)
		}
		if time.Now().Add(wait).After(until) {
			return fmt.Errorf("logging on: %w: %s; it ends after a minute without use", miner.ErrBusy, reply.Status.Msg)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("logging on: %w: %s", miner.ErrBusy, reply.Status.Msg)
		case <-time.After(wait):
		}
	}
}

// logoff ends the session for the next one who wants to write. If that fails
// (a rebooting machine does not answer) the ID is kept and tried first the next
// time, when it may live still.
func (d *device) logoff(ctx context.Context) {
	if ctx.Err() != nil {
		return // too late already; the session ends by itself
	}
	d.breathe(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, err := cgminer.Do(ctx, d.together.Target, "logoff", d.session); err == nil || errors.Is(err, miner.ErrRefused) {
		d.session = ""
	}
}

// setPools replaces the pools of the first group: the new ones are added, the
// machine is moved to the first of them, and the old ones are removed, the last
// first, because a removal renumbers those behind it. These commands want no
// session.
func (d *device) setPools(ctx context.Context, pools []miner.PoolSetting) error {
	if len(pools) == 0 {
		return fmt.Errorf("%w: at least one pool", miner.ErrRefused)
	}
	for _, p := range pools {
		if p.URL == "" || p.User == "" || strings.Contains(p.URL+p.User+string(p.Password), ",") {
			return fmt.Errorf("%w: a pool needs an address and a user, and no comma in anything", miner.ErrRefused)
		}
	}
	old, err := d.poolIDs(ctx)
	if err != nil {
		return err
	}
	for _, p := range pools {
		d.breathe(ctx)
		if err := d.addPool(ctx, p); err != nil {
			return err
		}
	}
	d.breathe(ctx)
	all, err := d.poolIDs(ctx)
	if err != nil {
		return err
	}
	added := slices.DeleteFunc(all, func(id int) bool { return slices.Contains(old, id) })
	if len(added) == 0 {
		return fmt.Errorf("%w: it lists no new pool", miner.ErrRefused)
	}
	d.breathe(ctx)
	if _, err := cgminer.Do(ctx, d.together.Target, "switchpool", strconv.Itoa(added[0])); err != nil {
		return fmt.Errorf("moving to the new pool: %w", err)
	}
	for _, id := range slices.Backward(old) {
		d.breathe(ctx)
		if _, err := cgminer.Do(ctx, d.together.Target, "removepool", strconv.Itoa(id)); err != nil {
			return fmt.Errorf("removing pool %d: %w", id, err)
		}
	}
	return nil
}

// poolIDs are the IDs of the pools that there are, the lowest first.
func (d *device) poolIDs(ctx context.Context) ([]int, error) {
	reply, err := cgminer.Do(ctx, d.together.Target, "pools", "")
	if err != nil && !errors.Is(err, miner.ErrRefused) {
		return nil, err
	}
	var out []int
	for i, o := range reply.Section("POOLS") {
		out = append(out, int(o.Count("POOL").Or(int64(i))))
	}
	slices.Sort(out)
	return out, nil
}

// addPool adds one pool to the first group. Its errors do not repeat the
// machine's words, which may quote the password.
func (d *device) addPool(ctx context.Context, p miner.PoolSetting) error {
	_, err := cgminer.Do(ctx, d.together.Target, "addpool", strings.Join([]string{p.URL, p.User, string(p.Password), "0"}, ","))
	if errors.Is(err, miner.ErrRefused) {
		return fmt.Errorf("adding pool %s: %w", p.URL, miner.ErrRefused)
	}
	return err
}
