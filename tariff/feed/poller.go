package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Plan says how a feed is polled. Zero values are sensible.
type Plan struct {
	Feed    Feed
	Every   time.Duration // between polls; 5 minutes when 0
	Behind  time.Duration // a poll asks for so much of the past; 6 hours when 0
	Ahead   time.Duration // and so much of the future; 48 hours when 0
	Revisit time.Duration // how often the past is read again for corrections; 6 hours when 0
	Past    time.Duration // how far back, and how far back gaps are repaired; 7 days when 0
}

func (p *Plan) fill() {
	p.Every = cmp.Or(p.Every, 5*time.Minute)
	p.Behind = cmp.Or(p.Behind, 6*time.Hour)
	p.Ahead = cmp.Or(p.Ahead, 48*time.Hour)
	p.Revisit = cmp.Or(p.Revisit, 6*time.Hour)
	p.Past = cmp.Or(p.Past, 7*24*time.Hour)
}

// Backing off: the pause doubles from First up to Longest, and each is drawn
// between half of it and all of it, so that sites do not knock together.
const (
	firstPause   = 30 * time.Second
	longestPause = time.Hour
	grace        = 2 * time.Minute // after a value is due, before it is missed
	maxRepairs   = 4               // gaps asked for after one poll
	maxGaps      = 100             // gaps that health lists
)

// Poller keeps a store up to date.
type Poller struct {
	web   *Web
	store Store
	log   *slog.Logger
	now   func() time.Time
	rand  *rand.Rand
	heard func([]Change)

	mu    sync.Mutex
	feeds []*polled
}

// polled is a feed with what happened to it. Only one poll of a feed runs at a
// time.
type polled struct {
	Plan
	series  map[string]*Series
	busy    sync.Mutex
	next    time.Time
	revisit time.Time
	repair  time.Time
	tries   int // repairs that brought nothing, one after another
	h       Health
}

// Health is how a feed is.
type Health struct {
	Feed      string     `json:"feed"`
	Series    []string   `json:"series"`
	OK        bool       `json:"ok"`                  // the last poll succeeded
	Succeeded *time.Time `json:"succeeded,omitempty"` // last
	Tried     *time.Time `json:"tried,omitempty"`     // last
	Next      time.Time  `json:"next"`
	Failures  int        `json:"failures"` // one after another
	Error     string     `json:"error,omitempty"`
	Problems  []string   `json:"problems,omitempty"` // of the last reply: rows left out
	Values    int        `json:"values"`             // received since start, changed ones only
	Revisions int        `json:"revisions"`          // of these, corrections of a known value
	Gaps      []Gap      `json:"gaps,omitempty"`
}

// Gap is a span of a series that should be there and is not.
type Gap struct {
	Series string    `json:"series"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
}

// NewPoller makes a poller. heard, when not nil, is called after each poll with
// what changed, from the poll's goroutine.
func NewPoller(web *Web, store Store, plans []Plan, now func() time.Time, seed uint64, log *slog.Logger, heard func([]Change)) *Poller {
	p := &Poller{web: web, store: store, log: log, now: now, rand: rand.New(rand.NewPCG(seed, 1)), heard: heard}
	for _, plan := range plans {
		plan.fill()
		f := &polled{Plan: plan, series: map[string]*Series{}}
		all := plan.Feed.Series()
		for i := range all {
			f.series[all[i].Name] = &all[i]
		}
		f.h = Health{Feed: plan.Feed.Name(), Series: sortedKeys(f.series), OK: false}
		p.feeds = append(p.feeds, f)
	}
	return p
}

// Run polls until ctx ends. Feeds are polled side by side.
func (p *Poller) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, f := range p.feeds {
		wg.Go(func() {
			for ctx.Err() == nil {
				p.poll(ctx, f)
				p.mu.Lock()
				pause := f.next.Sub(p.now())
				p.mu.Unlock()
				_ = wait(ctx, max(pause, time.Second))
			}
		})
	}
	wg.Wait()
}

// Poll polls every feed that is due, one after another.
func (p *Poller) Poll(ctx context.Context) {
	for _, f := range p.feeds {
		p.mu.Lock()
		due := !p.now().Before(f.next)
		p.mu.Unlock()
		if due && ctx.Err() == nil {
			p.poll(ctx, f)
		}
	}
}

// Backfill asks every feed for a span of the past, however long ago, a week at a
// time, and gives the gaps that are left: before a month is settled.
func (p *Poller) Backfill(ctx context.Context, from, to time.Time) ([]Gap, error) {
	var left []Gap
	var failed error
	for _, f := range p.feeds {
		gaps, err := p.backfill(ctx, f, from, to)
		left = append(left, gaps...)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", f.h.Feed, err))
		}
	}
	return left, failed
}

func (p *Poller) backfill(ctx context.Context, f *polled, from, to time.Time) ([]Gap, error) {
	f.busy.Lock()
	defer f.busy.Unlock()
	now := p.now()
	var failed error
	for a := from; a.Before(to) && failed == nil; a = a.AddDate(0, 0, 7) {
		z := earlier(a.AddDate(0, 0, 7), to)
		if len(p.gaps(ctx, f, now, a, z)) == 0 {
			continue
		}
		b, err := f.Feed.Fetch(ctx, p.web, Ask{From: a, To: z, Fresh: true})
		changes, e := p.keep(ctx, f, b, now)
		if len(changes) > 0 && p.heard != nil {
			p.heard(changes)
		}
		if err != nil && !errors.Is(err, ErrNoData) && !errors.Is(err, ErrUnchanged) {
			failed = err
		}
		failed = errors.Join(failed, e)
	}
	return p.gaps(ctx, f, now, from, to), failed
}

// Health tells how every feed is.
func (p *Poller) Health() []Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Health, len(p.feeds))
	for i, f := range p.feeds {
		out[i] = f.h
		out[i].Next = f.next
	}
	return out
}

func (p *Poller) poll(ctx context.Context, f *polled) {
	f.busy.Lock()
	defer f.busy.Unlock()
	now := p.now()
	ask := Ask{From: now.Add(-f.Behind), To: now.Add(f.Ahead)}
	again := !now.Before(f.revisit)
	if again {
		ask.From = now.Add(-max(f.Behind, f.Past))
	}
	b, err := f.Feed.Fetch(ctx, p.web, ask)
	changes, e := p.keep(ctx, f, b, now)
	if e != nil && err == nil {
		err = e
	}
	if errors.Is(err, ErrUnchanged) {
		err = nil
	}
	if err == nil && again {
		f.revisit = now.Add(f.Revisit)
	}
	var gaps []Gap
	if err == nil || errors.Is(err, ErrNoData) {
		var repaired []Change
		gaps, repaired = p.repair(ctx, f, now)
		changes = append(changes, repaired...)
	} else {
		gaps = p.recent(ctx, f, now)
	}
	p.done(f, now, changes, gaps, err)
	if len(changes) > 0 && p.heard != nil {
		p.heard(changes)
	}
}

// keep puts the points that can be true into the store.
func (p *Poller) keep(ctx context.Context, f *polled, b Batch, now time.Time) ([]Change, error) {
	var good []Point
	ahead := 0
	for _, pt := range b.Points {
		s, ok := f.series[pt.Series]
		if !ok {
			continue
		}
		if pt.Start.After(now.Add(cmp.Or(s.Horizon, 72*time.Hour))) {
			ahead++
			continue
		}
		if pt.Published.After(now.Add(time.Hour)) {
			pt.Published = time.Time{} // a wrong clock must not outrank what comes later
		}
		good = append(good, pt)
	}
	if ahead > 0 {
		b.problem("%d values lie too far in the future to be true and are left out", ahead)
	}
	p.mu.Lock()
	f.h.Problems = b.Problems
	p.mu.Unlock()
	if len(good) == 0 {
		return nil, nil
	}
	changes, err := p.store.Put(ctx, now, good)
	if err != nil {
		return changes, fmt.Errorf("keeping the values: %w", err)
	}
	return changes, nil
}

func (p *Poller) done(f *polled, now time.Time, changes []Change, gaps []Gap, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := &f.h
	h.Tried = &now
	h.Values += len(changes)
	h.Gaps = gaps
	revised := 0
	for _, c := range changes {
		if c.Was != nil {
			revised++
		}
	}
	h.Revisions += revised
	if err == nil || errors.Is(err, ErrNoData) {
		if h.Failures > 0 {
			p.log.Info("the feed is back", "feed", h.Feed, "failures", h.Failures)
		}
		h.OK, h.Failures, h.Error = err == nil, 0, ""
		if err != nil {
			h.Error = err.Error() // it answers, but has nothing
		} else {
			h.Succeeded = &now
		}
		f.next = now.Add(f.Every)
		return
	}
	h.OK, h.Error = false, err.Error()
	h.Failures++
	pause := p.pause(h.Failures)
	if asked, ok := errors.AsType[*RetryError](err); ok {
		pause = max(pause, asked.After)
	}
	f.next = now.Add(pause)
	p.log.Warn("the feed failed", "feed", h.Feed, "error", err, "failures", h.Failures, "again", f.next)
}

// pause is how long to wait after so many failures. p.mu is held: it guards the
// randomness.
func (p *Poller) pause(failures int) time.Duration {
	d := longestPause
	if failures < 20 {
		d = min(firstPause<<(failures-1), longestPause)
	}
	return d/2 + time.Duration(p.rand.Int64N(int64(d/2)+1))
}

// recent are the gaps of the past that is repaired, and of what is ahead.
func (p *Poller) recent(ctx context.Context, f *polled, now time.Time) []Gap {
	return p.gaps(ctx, f, now, now.Add(-f.Past).Truncate(time.Hour), now.Add(f.Ahead))
}

// gaps are the spans of [from, end) that should be there by now and are not.
func (p *Poller) gaps(ctx context.Context, f *polled, now, from, end time.Time) []Gap {
	var out []Gap
	for _, name := range f.h.Series {
		s := f.series[name]
		values, err := p.store.Range(ctx, name, from.Add(-24*time.Hour), end)
		if err != nil {
			continue
		}
		i := 0
		for at := from; at.Before(end) && len(out) < maxGaps; at = at.Add(s.Interval) {
			if now.Before(s.Due(at).Add(grace)) {
				break // what is later is due later
			}
			for i < len(values) && !values[i].Start.Add(values[i].Length).After(at) {
				i++
			}
			if i < len(values) && !values[i].Start.After(at) {
				continue
			}
			if n := len(out); n > 0 && out[n-1].Series == name && out[n-1].To.Equal(at) {
				out[n-1].To = at.Add(s.Interval)
				continue
			}
			out = append(out, Gap{name, at, at.Add(s.Interval)})
		}
	}
	return out
}

// repair asks for gaps anew, and less and less often while that brings nothing.
func (p *Poller) repair(ctx context.Context, f *polled, now time.Time) ([]Gap, []Change) {
	gaps := p.recent(ctx, f, now)
	if len(gaps) == 0 {
		f.tries = 0
		return nil, nil
	}
	if now.Before(f.repair) {
		return gaps, nil
	}
	var all []Change
	for _, span := range spans(gaps) {
		b, err := f.Feed.Fetch(ctx, p.web, Ask{From: span.From, To: span.To, Fresh: true})
		changes, e := p.keep(ctx, f, b, now)
		all = append(all, changes...)
		if (err != nil && !errors.Is(err, ErrNoData) && !errors.Is(err, ErrUnchanged)) || e != nil {
			break
		}
	}
	if len(all) > 0 {
		f.tries = 0
	} else {
		f.tries++
	}
	p.mu.Lock()
	f.repair = now.Add(p.pause(min(f.tries+1, 20)))
	p.mu.Unlock()
	return p.recent(ctx, f, now), all
}

// spans joins the gaps of all series, nearest to now first, into a few
// requests.
func spans(gaps []Gap) []Gap {
	var out []Gap
	for _, g := range slices.Backward(gaps) {
		joined := false
		for j := range out {
			if !g.From.After(out[j].To.Add(6*time.Hour)) && !out[j].From.After(g.To.Add(6*time.Hour)) {
				out[j].From, out[j].To = earlier(out[j].From, g.From), later(out[j].To, g.To)
				joined = true
				break
			}
		}
		if !joined && len(out) < maxRepairs {
			out = append(out, g)
		}
	}
	return out
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
