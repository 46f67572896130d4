package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"ballast/miner"
)

// errStranger reports that another machine answers at a machine's address.
var errStranger = errors.New("another machine answers at this address")

// poll asks one machine and makes its status and its row from what comes.
func (f *Fleet) poll(ctx context.Context, id miner.ID, due time.Time) bool {
	b, ok := f.member(id)
	if !ok {
		return false
	}
	start := time.Now()
	r, err := f.read(ctx, b)
	end := time.Now()
	s := b.status.Load()
	p := Poll{Machine: s.Machine, Due: due, Start: start, End: end, Err: err}
	if err == nil {
		p.Reading = r
	}
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled) {
		return false // Ballast is stopping: that says nothing about the machine
	}
	f.publish(b, func(s *Status) {
		s.LastPoll = end
		if err != nil {
			s.Misses++
			s.Trouble = err.Error()
			s.become(whenSilent(s, err), end)
			return
		}
		s.LastAnswer, s.Misses, s.Trouble = end, 0, ""
		s.keep(r)
		s.become(conditionOf(r), end)
	})
	if err == nil {
		f.Commander.Reading(id, r)
	}
	if f.OnPoll != nil {
		f.OnPoll(p)
	}
	return err == nil || !errors.Is(err, miner.ErrUnreachable)
}

// conditionOf puts a reading in one word.
func conditionOf(r *miner.Reading) Condition {
	switch r.State {
	case miner.Hashing:
		if r.Degraded() {
			return CondDegraded
		}
		return CondHashing
	case miner.Starting:
		return CondStarting
	case miner.Sleeping:
		return CondSleeping
	case miner.Stopped:
		return CondDown
	}
	return CondUnknown
}

// whenSilent is the condition after a poll that gave no reading. A single miss
// changes nothing: packets get lost.
func whenSilent(s *Status, err error) Condition {
	switch {
	case errors.Is(err, miner.ErrDenied):
		return CondLocked
	case errors.Is(err, errStranger):
		return CondSilent
	case s.Misses < 2 && s.Reading != nil:
		return s.Condition
	case errors.Is(err, miner.ErrGarbage), errors.Is(err, miner.ErrNotMine):
		return CondUnknown
	}
	return CondSilent
}

// read takes one reading and makes sure whose it is.
//
// Between two polls an address can change hands (a lease ran out, two cables
// were swapped), and a device that answers as before may be another one. So
// after any failure, and whenever the uptime did not pass as the clock did, the
// machine is asked who it is before its reading is believed.
func (f *Fleet) read(ctx context.Context, b *member) (*miner.Reading, error) {
	b.mu.Lock()
	dev, suspect := b.device, b.suspect
	lastUp, lastUpAt, verified := b.lastUp, b.lastUpAt, b.verified
	b.mu.Unlock()
	s := b.status.Load()
	if dev == nil {
		if s.Machine.Addr.IsValid() {
			f.look(s.Machine.Addr)
		}
		return nil, fmt.Errorf("%w: no driver for firmware %q", miner.ErrNotMine, s.Machine.Firmware)
	}
	r, err := dev.Read(ctx)
	if err != nil {
		b.mu.Lock()
		b.suspect = true
		b.mu.Unlock()
		if s.Misses >= 2 && somebody(err) {
			f.look(s.Machine.Addr) // flashed, or someone else
		}
		return nil, err
	}
	r.Detach()
	if s.Reading != nil && r.Envelope.Same(s.Reading.Envelope) {
		r.Envelope = s.Reading.Envelope
	} else {
		r.Envelope = f.alike.one(s.Machine.Firmware+" "+s.Machine.Model, r.Envelope)
	}
	r.Identity.Addr = s.Machine.Addr
	up, told := r.Uptime.OrElse(r.MinerUptime).Get()
	if told && !lastUpAt.IsZero() {
		drift := (up - lastUp) - r.At.Sub(lastUpAt)
		suspect = suspect || drift < -2*time.Minute && up > 5*time.Minute || drift > 2*time.Minute
	}
	// Readings tell a MAC that was asked for long before, or none, and machines
	// that were started together have the same uptime.
	suspect = suspect || time.Since(verified) > f.verify()
	if suspect {
		if who, err := dev.Identify(ctx); err == nil {
			r.Identity.MAC, r.Identity.Serial = who.MAC, who.Serial
		} else if !errors.Is(err, miner.ErrDenied) {
			if errors.Is(err, miner.ErrNotMine) {
				f.look(s.Machine.Addr)
			}
			return nil, fmt.Errorf("asking who is there: %w", err)
		}
	}
	if stranger(s.Machine.MAC, r.Identity.MAC) || s.Machine.MAC == "" && stranger(s.Machine.Serial, r.Identity.Serial) {
		f.look(s.Machine.Addr)
		return nil, fmt.Errorf("%w: %s %s", errStranger, r.Identity.MAC, r.Identity.Serial)
	}
	b.mu.Lock()
	if suspect {
		b.suspect, b.verified = false, time.Now()
	}
	if told {
		b.lastUp, b.lastUpAt = up, r.At
	}
	if r.Envelope != nil {
		b.envelope, b.known = *r.Envelope, true
	}
	ask := !b.known && time.Since(b.asked) > 10*time.Minute
	if ask {
		b.asked = time.Now()
	}
	b.mu.Unlock()
	if ask {
		if e, err := dev.Envelope(ctx); err == nil {
			b.mu.Lock()
			b.envelope, b.known = *f.alike.one(s.Machine.Firmware+" "+s.Machine.Model, &e), true
			b.mu.Unlock()
		}
	}
	return &r, nil
}

func stranger(was, is string) bool { return was != "" && is != "" && was != is }

func (f *Fleet) verify() time.Duration {
	if f.Verify > 0 {
		return f.Verify
	}
	return 15 * time.Minute
}

// somebody tells whether a read failed at a host that is there. When an address
// has gone to a machine of another firmware, it may refuse the port, end the
// conversation, want a password, know no such page or talk gibberish. Where
// nobody is at all is left to the next scan.
func somebody(err error) bool {
	var op *net.OpError
	return !errors.As(err, &op) || op.Op != "dial" || errors.Is(err, syscall.ECONNREFUSED)
}

// look asks for an address to be recognised anew; it never blocks.
func (f *Fleet) look(a netip.Addr) {
	select {
	case f.moved <- a:
	default:
	}
}

// asked is when an address was last recognised anew, and how long it then rests:
// half a minute at first, twice as long each time, a quarter of an hour at most,
// so that a machine that stays out of reach costs next to nothing. When somebody
// else is found there than the last time, it begins anew: who moved once may move
// back.
type asked struct {
	at   time.Time
	rest time.Duration
	who  miner.Identity
}

const firstRest, longestRest = 30 * time.Second, 15 * time.Minute

func (a asked) again(now time.Time) asked {
	if a.rest == 0 || now.Sub(a.at) > 4*longestRest {
		return asked{now, firstRest, a.who}
	}
	return asked{now, min(2*a.rest, longestRest), a.who}
}

// found is what follows from who was recognised.
func (a asked) found(id miner.Identity) asked {
	if a.who != (miner.Identity{}) && (a.who.MAC != id.MAC || a.who.Serial != id.Serial || a.who.Firmware != id.Firmware) {
		a.rest = firstRest
	}
	a.who = id
	return a
}

// follow recognises addresses whose machine is not who it was.
func (f *Fleet) follow(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	asked := map[netip.Addr]asked{}
	pending := map[netip.Addr]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-f.moved:
			if was := asked[a]; time.Since(was.at) > was.rest {
				pending[a] = true
			}
			continue
		case <-tick.C:
		}
		if len(pending) == 0 {
			continue
		}
		// Both ends of a swap should be settled in one batch, so that neither
		// takes the other's address for a moment.
		var (
			found []Found
			mu    sync.Mutex
			wg    sync.WaitGroup
			room  = make(chan struct{}, 64)
		)
		for a := range pending {
			asked[a] = asked[a].again(time.Now())
			delete(pending, a)
			room <- struct{}{}
			wg.Go(func() {
				defer func() { <-room }()
				limit, cancel := context.WithTimeout(ctx, 10*time.Second)
				defer cancel()
				if id, err := f.Reach.Recognise(limit, a, nil); err == nil {
					mu.Lock()
					found = append(found, Found{Addr: a, Identity: id})
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(found) == 0 {
			continue
		}
		for _, m := range found {
			asked[m.Addr] = asked[m.Addr].found(m.Identity)
		}
		if _, err := f.Observe(ctx, found); err != nil && ctx.Err() == nil {
			f.Log.Error("recording machines that moved", "error", err)
		}
	}
}
