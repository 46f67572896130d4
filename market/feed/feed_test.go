package feed_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"ballast/market"
	"ballast/market/feed"
	"ballast/unit"
)

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func sources(t *testing.T, c *fakeChain, k *clock) map[string]feed.Chain {
	t.Helper()
	url := c.serve(t).URL
	o := feed.Options{Now: k.now, Timeout: 2 * time.Second, Jitter: func() float64 { return 1 }}
	m, err := feed.NewMempool(url, o)
	if err != nil {
		t.Fatal(err)
	}
	n, err := feed.NewNode(strings.Replace(url, "http://", "http://ballast:hunter2@", 1), o)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(n.Name(), "hunter2") {
		t.Error("the name tells the password: ", n.Name())
	}
	return map[string]feed.Chain{"explorer": m, "node": n}
}

func at(c *fakeChain) *clock { return &clock{c.tip().Time.Add(3 * time.Minute)} }

func TestFollow(t *testing.T) {
	for _, kind := range []string{"explorer", "node", "btcd"} {
		t.Run(kind, func(t *testing.T) {
			c := newChain(400)
			c.btcd = kind == "btcd"
			k := at(c)
			src := sources(t, c, k)["node"]
			if kind == "explorer" {
				src = sources(t, c, k)["explorer"]
			}
			f := feed.NewFollower(src, rules(t), 150, k.now)
			ch, err := f.Update(t.Context())
			if err != nil || len(ch.Added) != 150 || len(ch.Removed) != 0 {
				t.Fatalf("%d added, %d removed, %v", len(ch.Added), len(ch.Removed), err)
			}
			// Nothing new: one question.
			before := c.count()
			if ch, err = f.Update(t.Context()); err != nil || len(ch.Added) != 0 || c.count() != before+1 {
				t.Fatalf("%+v, %v, %d questions", ch, err, c.count()-before)
			}
			c.extend(3, 0)
			k.t = c.tip().Time.Add(time.Minute)
			if ch, err = f.Update(t.Context()); err != nil || len(ch.Added) != 3 {
				t.Fatalf("%+v, %v", ch, err)
			}
			// Fees of block h are 1,000,000+h: the mean of 144 of them.
			r, err := f.Reward()
			want := big.NewRat(2*1_000_000+402+(402-143), 2)
			if err != nil || r.Value.Fees.Cmp(want) != 0 || r.Value.Subsidy != 50e8 {
				t.Fatalf("%v, %v; want fees of %s", r.Value, err, want.FloatString(1))
			}
			e, err := f.Epoch(t.Context())
			if err != nil || e.Value.Intervals != 402 || e.Value.Elapsed != 4020*time.Minute || e.Value.Since != time.Minute || e.Age(k.t) != time.Minute {
				t.Fatalf("%+v, %v", e, err)
			}
		})
	}
}

func TestFollowReorganises(t *testing.T) {
	c := newChain(200)
	k := at(c)
	f := feed.NewFollower(sources(t, c, k)["explorer"], rules(t), 150, k.now)
	if _, err := f.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A node that lags three blocks behind: refused, nothing lost.
	was := f.Blocks()
	c.drop(3)
	if _, err := f.Update(t.Context()); !errors.Is(err, feed.ErrWork) {
		t.Fatalf("rolled back: %v", err)
	}
	// Another branch of the same length: refused too, the first seen stays.
	c.extend(3, 7)
	if _, err := f.Update(t.Context()); !errors.Is(err, feed.ErrWork) {
		t.Fatalf("changed sides for nothing: %v", err)
	}
	if now := f.Blocks(); now[len(now)-1].Hash != was[len(was)-1].Hash {
		t.Fatal("blocks changed after an error")
	}
	// One block more: taken, and the three are told as removed, newest first.
	c.extend(1, 7)
	k.t = c.tip().Time
	ch, err := f.Update(t.Context())
	if err != nil || len(ch.Removed) != 3 || len(ch.Added) != 4 || ch.Removed[0].Hash != was[len(was)-1].Hash || ch.Added[3].Hash != c.tip().Hash {
		t.Fatalf("%d removed, %d added, %v", len(ch.Removed), len(ch.Added), err)
	}
	bs := f.Blocks()
	for i := 1; i < len(bs); i++ {
		if bs[i].Prev != bs[i-1].Hash || bs[i].Height != bs[i-1].Height+1 {
			t.Fatalf("a gap at %d", bs[i].Height)
		}
	}
	// Away for longer than what is kept: starts over at the new end.
	c.extend(400, 7)
	k.t = c.tip().Time
	if ch, err = f.Update(t.Context()); err != nil || len(ch.Added) != 150 || len(f.Blocks()) != 150 {
		t.Fatalf("%d added, %v", len(ch.Added), err)
	}
}

func TestFollowRefuses(t *testing.T) {
	lie := func(change func(*feed.Block)) func(*fakeChain) {
		return func(c *fakeChain) {
			b := c.tip()
			change(&b)
			c.byHash[b.Hash] = b
			c.best[len(c.best)-1] = b
		}
	}
	mined := func(change func(*feed.Block)) func(*fakeChain) {
		return lie(func(b *feed.Block) { change(b); mine(b) })
	}
	for name, v := range map[string]struct {
		spoil func(*fakeChain)
		want  error
	}{
		"another nonce":        {lie(func(b *feed.Block) { b.Nonce++ }), feed.ErrProof},
		"another time":         {lie(func(b *feed.Block) { b.Time = b.Time.Add(time.Hour) }), feed.ErrProof},
		"no proof of work":     {lie(func(b *feed.Block) { b.Bits = market.LimitBits; b.Hash = b.Sum() }), feed.ErrProof},
		"easier than allowed":  {mined(func(b *feed.Block) { b.Bits = 0x2100ffff }), feed.ErrProof},
		"target in an epoch":   {mined(func(b *feed.Block) { b.Bits = 0x207ffffe }), feed.ErrLink},
		"height skips":         {mined(func(b *feed.Block) { b.Height += 5 }), feed.ErrLink},
		"before its parents":   {mined(func(b *feed.Block) { b.Time = b.Time.Add(-4 * time.Hour) }), feed.ErrLink},
		"in the future":        {mined(func(b *feed.Block) { b.Time = b.Time.Add(4 * time.Hour) }), feed.ErrLink},
		"more fees than coins": {lie(func(b *feed.Block) { b.Fees = unit.Some(int64(22e14)) }), feed.ErrFormat},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChain(200)
			k := at(c)
			v.spoil(c)
			f := feed.NewFollower(sources(t, c, k)["explorer"], rules(t), 150, k.now)
			if _, err := f.Update(t.Context()); !errors.Is(err, v.want) {
				t.Errorf("%v, want %v", err, v.want)
			}
			if len(f.Blocks()) != 0 {
				t.Error("blocks of a refused chain are kept")
			}
		})
	}
}

// A source that fails half way is not asked again for what it already told.
func TestFollowResumes(t *testing.T) {
	c := newChain(300)
	k := at(c)
	n := 0
	c.Spoil = func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		if n++; n == 100 {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		return false
	}
	f := feed.NewFollower(sources(t, c, k)["explorer"], rules(t), 150, k.now)
	if _, err := f.Update(t.Context()); !errors.Is(err, feed.ErrUnavailable) {
		t.Fatal(err)
	}
	asked := c.count()
	if _, err := f.Update(t.Context()); !errors.Is(err, feed.ErrWaiting) || c.count() != asked {
		t.Fatalf("asked again at once: %v", err)
	}
	k.t = k.t.Add(2 * time.Second)
	if ch, err := f.Update(t.Context()); err != nil || len(ch.Added) != 150 {
		t.Fatalf("%d added, %v", len(ch.Added), err)
	}
	if again := c.count() - asked; again > 60 {
		t.Errorf("%d questions after the failure; 98 blocks were known", again)
	}
}

func TestMisbehavingSources(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	for name, v := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		want   error
	}{
		"gateway page": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, "<html>")
		}, feed.ErrUnavailable},
		"page as answer": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Just a moment...</html>") }, feed.ErrFormat},
		"too many": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "90")
			w.WriteHeader(http.StatusTooManyRequests)
		}, feed.ErrUnavailable},
		"forbidden": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, feed.ErrUnavailable},
		"endless":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, long) }, feed.ErrFormat},
		"silent":    {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, feed.ErrUnavailable},
		"hangs up":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, feed.ErrUnavailable},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.9:1/", http.StatusFound)
		}, feed.ErrUnavailable},
		"empty": {func(http.ResponseWriter, *http.Request) {}, feed.ErrFormat},
		"null":  {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "null") }, feed.ErrFormat},
		"wrong types": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"time":[],"USD":{},"result":5,"error":7}`)
		}, feed.ErrFormat},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChain(2)
			c.Spoil = func(w http.ResponseWriter, r *http.Request, _ string) bool { v.answer(w, r); return true }
			k := at(c)
			url := c.serve(t).URL
			patience := 10 * time.Second
			if name == "silent" {
				patience = 100 * time.Millisecond
			}
			o := feed.Options{Now: k.now, Timeout: patience, User: "ballast", Pass: "hunter2", Jitter: func() float64 { return 0 }}
			m, _ := feed.NewMempool(url, o)
			n, _ := feed.NewNode(url, o)
			if _, err := m.Price(t.Context(), unit.USD); !errors.Is(err, v.want) {
				t.Errorf("price: %v, want %v", err, v.want)
			}
			if _, err := n.Tip(t.Context()); !errors.Is(err, v.want) {
				t.Errorf("tip: %v, want %v", err, v.want)
			}
			if errors.Is(v.want, feed.ErrUnavailable) {
				if _, err := m.Tip(t.Context()); !errors.Is(err, feed.ErrWaiting) {
					t.Errorf("asked again at once: %v", err)
				}
			}
			if name == "too many" {
				k.t = k.t.Add(89 * time.Second)
				if _, err := m.Tip(t.Context()); !errors.Is(err, feed.ErrWaiting) {
					t.Errorf("asked before Retry-After: %v", err)
				}
				c.mu.Lock()
				c.Spoil = nil
				c.mu.Unlock()
				k.t = k.t.Add(2 * time.Second)
				if _, err := m.Tip(t.Context()); err != nil {
					t.Errorf("not asked after Retry-After: %v", err)
				}
			}
		})
	}
	// Whoever gives up waiting does not make the source look bad.
	c := newChain(2)
	k := at(c)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := sources(t, c, k)["explorer"]
	if _, err := m.Tip(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := m.Tip(t.Context()); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "ftp://a", "127.0.0.1:8332", "http://", "http://a b"} {
		if _, err := feed.NewNode(bad, feed.Options{}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestBackoff(t *testing.T) {
	b := feed.Backoff{First: time.Second, Most: time.Minute}
	for _, v := range []struct {
		n     int
		asked time.Duration
		u     float64
		want  time.Duration
	}{
		{0, 0, 1, 0}, {1, 0, 1, time.Second}, {1, 0, 0, time.Second / 2}, {3, 0, 1, 4 * time.Second}, {7, 0, 1, time.Minute}, {4000, 0, 0, 30 * time.Second},
		{1, time.Hour, 0, time.Hour}, {1, 1000 * time.Hour, 0, 24 * time.Hour},
	} {
		if got := b.After(v.n, v.asked, v.u); got != v.want {
			t.Errorf("after failure %d: %v, want %v", v.n, got, v.want)
		}
	}
}

func TestPrices(t *testing.T) {
	c := newChain(200)
	k := &clock{time.Unix(1780300060, 0).UTC()}
	m := sources(t, c, k)["explorer"].(*feed.Mempool)
	p, err := m.Price(t.Context(), unit.USD)
	if err != nil || p.Value.Minor != 6_412_357 || p.Age(k.t) != time.Minute || !strings.HasSuffix(p.Source, "/api/v1/prices") {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, cur := range []unit.Currency{unit.GBP, "CHF"} { // -1, and not there
		if p, err := m.Price(t.Context(), cur); !errors.Is(err, feed.ErrFormat) {
			t.Errorf("%s: %+v, %v", cur, p, err)
		}
	}
	file := func(text string) feed.File {
		return feed.File{Label: "prices.csv", Now: k.now, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
	}
	old := file("date,close\n2026-05-01,70000\n")
	if p, err := old.Price(t.Context(), unit.USD); err != nil || p.Age(k.t) < 29*24*time.Hour || p.Value.String() != "$70000.00" {
		t.Errorf("%+v, %v", p, err)
	}
	fresh := file("timestamp,price\n2026-06-01T07:45:00Z,65000.005\n")
	med := feed.Median{Of: []feed.Quotes{m, old, fresh, file("bad"), file("date,close\n")}, MaxAge: time.Hour, Least: 2, Now: k.now}
	p, err = med.Price(t.Context(), unit.USD)
	if err != nil || p.Value.Minor != 6_412_357 || !strings.HasPrefix(p.Source, "median of ") || p.Age(k.t) < time.Minute {
		t.Errorf("%+v, %v", p, err)
	}
	med.Least = 3
	if p, err := med.Price(t.Context(), unit.USD); !errors.Is(err, feed.ErrUnavailable) || !errors.Is(err, feed.ErrStale) {
		t.Errorf("%+v, %v", p, err)
	}
	pools, err := m.Pools(t.Context(), "1w")
	if err != nil || len(pools.Value) != 2 || pools.Value[1] != (feed.PoolShare{Pool: "AntPool", Blocks: 190}) {
		t.Errorf("%+v, %v", pools, err)
	}
}

func TestSnapshot(t *testing.T) {
	c := newChain(200)
	k := &clock{c.tip().Time.Add(4 * time.Minute)}
	m := sources(t, c, k)["explorer"].(*feed.Mempool)
	f := feed.NewFollower(m, rules(t), 150, k.now)
	if _, err := feed.Take(t.Context(), f, m, unit.USD); !errors.Is(err, market.ErrNoData) {
		t.Errorf("a snapshot of nothing: %v", err)
	}
	if _, err := f.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	// At this target hashprice is beyond what an integer of millionths holds:
	// it must say so, not wrap around.
	if s, err := feed.Take(t.Context(), f, m, unit.USD); !errors.Is(err, unit.ErrRange) {
		t.Errorf("%+v, %v", s.Hashprice, err)
	}
}

// Esplora and pruned nodes do not tell fees; then there is no reward, not one
// without fees.
func TestFeesMissing(t *testing.T) {
	c := newChain(200)
	c.noFees, c.btcd = true, true
	k := at(c)
	for name, src := range sources(t, c, k) {
		f := feed.NewFollower(src, rules(t), 150, k.now)
		if _, err := f.Update(t.Context()); err != nil {
			t.Fatal(name, err)
		}
		if r, err := f.Reward(); !errors.Is(err, market.ErrNoData) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}
