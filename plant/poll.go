package plant

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Poller asks one device at a steady pace. It is the Run of every source that
// is polled.
type Poller struct {
	Name    string
	Kind    Kind
	Every   time.Duration // from start to start
	Timeout time.Duration // for one reading; 0 is Every
	Life    time.Duration // how long a reading may be acted on; 0 is three times Every
	Rest    time.Duration // the longest pause while the device does not answer; 0 is one minute
	// Read asks the device once. A reading comes back without Source, Kind and
	// Life; an error means that there is none.
	Read func(ctx context.Context) (Reading, error)
	Log  *slog.Logger // nil is silent
}

// Run asks until ctx ends. The pace does not drift: a slow answer makes later
// ones no later, and pollings that were missed are not made up for. While the
// device fails, each failure gives a Lost reading and a longer pause, with some
// chance in it so that a site's devices do not come back all at once.
func (p Poller) Run(ctx context.Context, emit func(Reading)) error {
	log := p.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if p.Timeout <= 0 {
		p.Timeout = p.Every
	}
	if p.Life <= 0 {
		p.Life = 3 * p.Every
	}
	if p.Rest <= 0 {
		p.Rest = time.Minute
	}
	var lastGood time.Time
	failures := 0
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		r, err := p.once(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if failures == 0 {
				log.Warn("device does not answer", "device", p.Name, "error", err)
			}
			failures++
			r = Reading{At: time.Now(), Quality: Lost, Err: err.Error(), LastGood: lastGood}
		} else {
			if failures > 0 {
				log.Info("device answers again", "device", p.Name, "failures", failures)
			}
			failures = 0
			lastGood = r.At
		}
		r.Source, r.Kind, r.Life = p.Name, p.Kind, p.Life
		emit(r)
		next = p.after(next, time.Now(), failures)
		timer.Reset(time.Until(next))
	}
}

func (p Poller) once(ctx context.Context) (Reading, error) {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	return p.Read(ctx)
}

// after is when to ask again.
func (p Poller) after(last, now time.Time, failures int) time.Time {
	if failures > 1 {
		pause := p.Rest
		if failures < 20 {
			pause = min(p.Rest, p.Every<<(failures-1))
		}
		pause = max(pause, p.Every)
		return now.Add(pause*4/5 + rand.N(pause*2/5+1))
	}
	next := last.Add(p.Every)
	if missed := now.Sub(next); missed > 0 {
		next = next.Add((missed/p.Every + 1) * p.Every) //nolint:durationcheck // the quotient is a count
	}
	return next
}
