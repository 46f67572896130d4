package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// What bench live says of two hundred sessions is right about the one that is
// not well.
func TestLiveFigures(t *testing.T) {
	listeners := func() []*liveClient {
		var out []*liveClient
		for range 200 {
			c := &liveClient{lags: []time.Duration{time.Millisecond, 3 * time.Millisecond}, events: 120, bytes: 6000, beat: time.Now(), silence: time.Second}
			c.wire.Store(3000)
			out = append(out, c)
		}
		for _, c := range out[:10] {
			c.stopAt, c.cut, c.back, c.missed = time.Now().Add(-time.Minute), true, true, 7
		}
		return out
	}
	for _, c := range []struct {
		what                     string
		change                   func([]*liveClient, *liveFigures)
		fed, bounded, cutAndBack bool
		starved, recovered       int
	}{
		{"all is well", func([]*liveClient, *liveFigures) {}, true, true, true, 0, 10},
		{"one heard nothing for long", func(c []*liveClient, _ *liveFigures) { c[50].silence = 6 * time.Second }, false, true, true, 1, 10},
		{"one hears nothing any more", func(c []*liveClient, _ *liveFigures) { c[50].beat = time.Now().Add(-time.Minute) }, false, true, true, 1, 10},
		{"one never heard a thing", func(c []*liveClient, _ *liveFigures) { c[50].lags = nil }, false, true, true, 0, 10},
		{"a slow one is not counted as starved", func(c []*liveClient, _ *liveFigures) { c[5].silence = time.Minute }, true, true, true, 0, 10},
		{"a slow one was not cut off", func(c []*liveClient, _ *liveFigures) { c[5].cut, c[5].back = false, false }, true, true, false, 0, 9},
		{"one began afresh", func(c []*liveClient, _ *liveFigures) { c[5].back, c[5].afresh = false, true }, true, true, false, 0, 9},
		{"memory grew", func(_ []*liveClient, f *liveFigures) { f.RSSSecond = f.RSSFirst + 100<<20 }, true, false, true, 0, 10},
	} {
		f := liveFigures{Clients: 200, Stopped: 10, CPUBefore: 0.3, CPU: 0.5, RSSBefore: 300e6, RSSFirst: 340e6, RSSSecond: 330e6}
		all := listeners()
		c.change(all, &f)
		f.add(all, 60*time.Second)
		f.judge()
		if f.NoneStarved != c.fed || f.Bounded != c.bounded || f.SlowCutBack != c.cutAndBack || f.Starved != c.starved || f.Recovered != c.recovered {
			t.Errorf("%s: %+v", c.what, f)
		}
		if f.CPUEach < 0.00099 || f.CPUEach > 0.00101 {
			t.Errorf("%s: a session takes %v of a core", c.what, f.CPUEach)
		}
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"server_cores_per_session", "no_client_starved", "longest_silence_of_any_client", "memory_bounded", "server_rss_per_session", "cut_off", "came_back_with_what_they_missed", "slow_clients_cut_off_and_back"} {
			if !strings.Contains(string(text), `"`+name+`":`) {
				t.Errorf("%s is not told: %s", name, text)
			}
		}
		var out bytes.Buffer
		f.print(&out)
		if !strings.Contains(out.String(), "0.100 % of a core for each session") {
			t.Errorf("%s", out.String())
		}
	}
}
