package alarm

import (
	"testing"
	"time"
)

func TestWindowCovers(t *testing.T) {
	chicago, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, chicago)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	weekly := Window{Title: "w", Zone: "America/Chicago", Days: []int{3}, Start: "23:00", Minutes: 180, Match: Match{Sites: []string{"s"}}} // Wednesdays into Thursday
	once := Window{Title: "o", Zone: "UTC", From: at("2026-03-01 10:00"), To: at("2026-03-01 12:00"), Match: Match{Sites: []string{"s"}}}
	for _, w := range []Window{weekly, once} {
		if err := w.Check(); err != nil {
			t.Error(err)
		}
	}
	for when, want := range map[string]bool{
		"2026-03-04 22:59": false, "2026-03-04 23:00": true, "2026-03-05 01:59": true, "2026-03-05 02:00": false, "2026-03-05 23:30": false,
		"2026-07-01 23:30": true, // in summer time too, by the wall clock
	} {
		if _, got := weekly.Covers(at(when)); got != want {
			t.Errorf("weekly at %s: %v", when, got)
		}
	}
	if _, ok := once.Covers(at("2026-03-01 11:00")); !ok {
		t.Error("once, in the middle")
	}
	if _, ok := once.Covers(at("2026-03-01 12:00")); ok {
		t.Error("once, at its end")
	}
}

func TestEscalation(t *testing.T) {
	b := newBench(1, hot(0, 0))
	e := Escalation{ID: 1, Title: "e", Severities: []Severity{Minor}, Steps: []Step{{0, []int64{7}}, {15, []int64{8}}, {30, []int64{9}}}, Ends: true,
		Quiet: Quiet{From: "22:00", To: "06:00", Zone: "UTC", Below: Major}}
	if err := e.Check(); err != nil {
		t.Fatal(err)
	}
	p := Policy{Escalations: []Escalation{e}}
	told := func(out Outcome) (r []int64) {
		n, _ := b.state.Notices(p, out.Changed, b.now)
		for _, x := range n {
			r = append(r, x.Receiver)
		}
		return r
	}
	b.temp(0, 120)
	var got []int64
	run := func(d time.Duration) {
		for end := b.now.Add(d); b.now.Before(end); {
			got = append(got, told(b.step(30*time.Second))...)
		}
	}
	run(5*time.Hour + 50*time.Minute) // the clock starts at midnight
	if len(got) != 0 {
		t.Fatalf("told %v in quiet hours", got)
	}
	run(20 * time.Minute)
	if len(got) != 3 { // it is open for hours: all steps are due
		t.Fatalf("told %v after quiet hours", got)
	}
	if _, err := b.state.Acknowledge(1, "alice", "", b.now); err != nil {
		t.Fatal(err)
	}
	b.temp(0, 50)
	got = nil
	run(2 * time.Minute)
	// Each is told once more: taken on at the change, or over; nobody twice the same.
	if len(got) < 3 {
		t.Errorf("the end was told to %v", got)
	}
}

// A silence keeps quiet what it covers as a whole, and no longer than it lasts.
func TestSilence(t *testing.T) {
	b := newBench(2, hot(0, 0))
	p := Policy{Silences: []Silence{{Match: Match{Subjects: []string{"machine/1"}}, Until: t0.Add(10 * time.Minute), Reason: "x", By: "alice"}},
		Escalations: []Escalation{{ID: 1, Title: "e", Severities: []Severity{Minor}, Steps: []Step{{0, []int64{7}}}}}}
	b.temp(0, 120)
	b.temp(1, 120)
	told := map[string]time.Duration{}
	for b.now.Before(t0.Add(20 * time.Minute)) {
		out := b.step(10 * time.Second)
		b.state.Quieten(p, &b.obs, b.now)
		n, _ := b.state.Notices(p, out.Changed, b.now)
		for _, x := range n {
			told[x.Alarm.Members[0].Subject] = b.now.Sub(t0)
		}
	}
	if told["machine/2"] == 0 || told["machine/2"] > time.Minute || told["machine/1"] != 10*time.Minute {
		t.Errorf("told %v", told)
	}
	for name, s := range map[string]Silence{
		"everything": {Until: t0.Add(time.Hour), Reason: "x"}, "past": {Alarm: 1, Until: t0, Reason: "x"}, "no reason": {Alarm: 1, Until: t0.Add(time.Hour)},
	} {
		if s.Check(t0) == nil {
			t.Errorf("a silence of %s was taken", name)
		}
	}
}
