package feed

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Every hour of every year is found again by its name, with the flag on the
// second of two of the same name.
func TestEveryHourHasOneName(t *testing.T) {
	for _, name := range []string{"America/Chicago", "America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo"} {
		loc := zone0(t, name)
		last := ""
		for at := time.Date(2026, 1, 1, 0, 0, 0, 0, loc); at.Year() == 2026; at = at.Add(time.Hour) {
			label := at.Format("2006-01-02 15")
			y, m, d := at.Date()
			got, err := hourEnding(time.Date(y, m, d, 0, 0, 0, 0, time.UTC), at.Hour()+1, label == last, loc)
			if err != nil || !got.Equal(at) {
				t.Fatalf("%s %s: %v %v", name, at, got, err)
			}
			last = label
		}
	}
}

// Rows in order with local times and no offset give back the instants, also
// where the clock shows an hour, or half of one, twice.
func TestLocalTimesInOrder(t *testing.T) {
	zones := []string{"America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"}
	// Shortly before the clocks go back or forward in 2026.
	around := []string{"2026-03-08T00:00:00Z", "2026-03-28T18:00:00Z", "2026-04-04T08:00:00Z", "2026-10-03T08:00:00Z", "2026-10-24T20:00:00Z", "2026-10-31T22:00:00Z"}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		start, _ := time.Parse(time.RFC3339, rapid.SampledFrom(around).Draw(t, "start"))
		step := rapid.SampledFrom([]time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute}).Draw(t, "step")
		start = start.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "later")) * step)
		var b strings.Builder
		b.WriteString("t,v\n")
		var want []time.Time
		for i := range 300 {
			at := start.Add(time.Duration(i) * step)
			fmt.Fprintf(&b, "%s,%d\n", at.In(loc).Format("2006-01-02 15:04"), i)
			want = append(want, at)
		}
		// A file that begins within the second of two equal hours cannot tell.
		if found := wall(start.In(loc).Year(), start.In(loc).Month(), start.In(loc).Day(), start.In(loc).Hour(), start.In(loc).Minute(), loc); !found[0].Equal(start) {
			t.Skip("ambiguous")
		}
		g := Generic{Of: Series{Name: "s", Interval: step}, Shape: Shape{Time: "t", Value: "v", Layout: "2006-01-02 15:04", Zone: zone}}
		got, err := g.Parse([]byte(b.String()))
		if err != nil || len(got.Problems) > 0 || len(got.Points) != len(want) {
			t.Fatal(got.Problems, err)
		}
		for i, p := range got.Points {
			if !p.Start.Equal(want[i]) {
				t.Fatalf("row %d: %v, want %v", i, p.Start.In(loc), want[i].In(loc))
			}
		}
	})
}

func TestLastModified(t *testing.T) {
	changed := "Wed, 01 Jul 2026 11:00:00 GMT"
	full := 0
	o := newOperator(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Last-Modified", changed)
		if r.Header.Get("If-Modified-Since") == changed {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		full++
		_, _ = w.Write([]byte(hours(0, 12, flat("20"))))
	})
	c := (&clock{}).reach(day0.Add(12 * time.Hour))
	var store Memory
	p := poller(o, c, &store)
	p.feeds[0].Feed.(*Generic).URL = o.URL
	for range 3 {
		p.Poll(t.Context())
		c.pass(5 * time.Minute)
	}
	if v, ok, _ := store.At(t.Context(), "spot", day0); full != 1 || !ok || v.Published.Format(http.TimeFormat) != changed {
		t.Errorf("%d full replies, %+v", full, v)
	}
}
