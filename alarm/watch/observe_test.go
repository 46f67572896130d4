package watch

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ballast/alarm"
	"ballast/fleet"
	"ballast/ledger"
	"ballast/miner"
	"ballast/plant"
	"ballast/site"
	"ballast/unit"
)

const ranch = `
name: ranch
cap: 5MW
feeders:
  - {name: F1, cap: 2.5MW}
pdus:
  - {name: P1, feeder: F1, cap: 80kW, source: pdu-1}
meters:
  - {name: M1, feeder: F1, source: meter-f1}
loops:
  - {name: L1, cooling: hydro, supply: 35, source: loop-1}
containers:
  - name: C01
    loop: L1
    racks:
      - {name: R1, pdu: P1, slots: 4, addresses: 10.20.1.1-4}
`

func (s *stage) layout(text string) {
	s.t.Helper()
	d, err := site.Parse([]byte(text))
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := json.Marshal(d)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.record.SaveSite(s.t.Context(), ledger.Site{Name: "ranch", Title: "Ranch", Layout: b}, ledger.By("test")); err != nil {
		s.t.Fatal(err)
	}
}

func status(id int64, addr string, change func(*fleet.Status)) *fleet.Status {
	now := time.Now()
	s := &fleet.Status{Machine: ledger.Machine{ID: id, Site: "ranch", Firmware: string(miner.Antminer)}, Condition: fleet.CondHashing, LastPoll: now, LastAnswer: now,
		Reading: &miner.Reading{State: miner.Hashing, Power: unit.Some(3 * unit.Kilowatt)}}
	if addr != "" {
		s.Machine.Addr = netip.MustParseAddr(addr)
	}
	if change != nil {
		change(s)
	}
	return s
}

func (s *stage) observe(w *Watch, all ...*fleet.Status) alarm.Observation {
	s.t.Helper()
	s.now = s.now.Add(freshSites + time.Second) // descriptions are read again
	if err := w.locate(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	for _, x := range all {
		if !x.LastAnswer.IsZero() && s.now.Sub(x.LastAnswer) < 20*time.Minute {
			x.LastAnswer = s.now
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.observe(all, s.now)
}

func capOf(t *testing.T, o alarm.Observation, subject string) alarm.Cap {
	t.Helper()
	i := slices.IndexFunc(o.Caps, func(c alarm.Cap) bool { return c.Subject == subject })
	if i < 0 {
		t.Fatalf("no %s among %+v", subject, o.Caps)
	}
	return o.Caps[i]
}

// A machine stands where the description says, by its address; else where the
// record has it; and an edit of the description moves it.
func TestMachinesStandWhereTheSiteSays(t *testing.T) {
	s := newStage(t)
	s.layout(ranch)
	w := s.watch(s.record)
	byHand := func(x *fleet.Status) { x.Machine.Place = ledger.Place{Container: "C01", Rack: "R1", Slot: "4"} }
	elsewhere := func(x *fleet.Status) { x.Machine.Place = ledger.Place{Building: "Hall", Rack: "R9", Slot: "1"} }
	all := []*fleet.Status{status(1, "10.20.1.2", nil), status(2, "10.30.0.7", byHand), status(3, "10.30.0.8", elsewhere), status(4, "", nil)}
	o := s.observe(w, all...)
	for i, want := range []alarm.Where{
		{Site: "ranch", Container: "C01", Rack: "R1", Slot: "2", PDU: "P1", Feeder: "F1", Loop: "L1", Segment: "10.20.1.0/24"},
		{Site: "ranch", Container: "C01", Rack: "R1", Slot: "4", PDU: "P1", Feeder: "F1", Loop: "L1", Segment: "10.30.0.0/24"},
		{Site: "ranch", Building: "Hall", Rack: "R9", Slot: "1", Segment: "10.30.0.0/24"},
		{Site: "ranch"},
	} {
		if got := o.Machines[i].Where; fmt.Sprint(*got) != fmt.Sprint(*alarm.NewWhere(want)) {
			t.Errorf("machine %d stands at %+v, want %+v", i+1, *got, want)
		}
	}
	if o.Machines[0].Where != s.observe(w, all...).Machines[0].Where {
		t.Error("a place is worked out anew at every look")
	}
	s.layout(strings.ReplaceAll(ranch, "name: C01", "name: C02"))
	if got := s.observe(w, all...).Machines[0].Where; got.Container != "C02" {
		t.Errorf("after the edit it stands at %+v", *got)
	}
	// What is out of service is not observed.
	gone := status(5, "10.20.1.3", func(x *fleet.Status) { x.Machine.Retired = time.Now() })
	if o := s.observe(w, gone); len(o.Machines) != 0 {
		t.Errorf("retired: %+v", o.Machines)
	}
}

// A description that cannot be read costs places, not alarms.
func TestUnreadableDescription(t *testing.T) {
	s := newStage(t)
	if err := s.record.SaveSite(t.Context(), ledger.Site{Name: "ranch", Layout: json.RawMessage(`{"feeders": 7}`)}, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	w := s.watch(s.record)
	if o := s.observe(w, status(1, "10.20.1.2", nil)); len(o.Machines) != 1 || o.Machines[0].Where.Site != "ranch" || len(o.Caps) != 0 {
		t.Errorf("%+v", o)
	}
}

func TestContact(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		change func(*fleet.Status)
		want   alarm.Contact
	}{
		"answers":        {func(*fleet.Status) {}, alarm.Answers},
		"not asked yet":  {func(s *fleet.Status) { s.LastPoll, s.Reading, s.Condition = time.Time{}, nil, fleet.CondUnknown }, alarm.Waiting},
		"asked once":     {func(s *fleet.Status) { s.Reading, s.Condition = nil, fleet.CondUnknown }, alarm.Waiting},
		"silent":         {func(s *fleet.Status) { s.Condition = fleet.CondSilent }, alarm.Silent},
		"silent, no try": {func(s *fleet.Status) { s.Condition, s.LastPoll = fleet.CondSilent, time.Time{} }, alarm.Silent},
		"locked":         {func(s *fleet.Status) { s.Condition, s.Reading = fleet.CondLocked, nil }, alarm.Locked},
		"unreadable":     {func(s *fleet.Status) { s.Condition, s.Reading, s.Trouble = fleet.CondUnknown, nil, "garbage" }, alarm.Unreadable},
		"asleep":         {func(s *fleet.Status) { s.Condition, s.LastAnswer = fleet.CondSleeping, now }, alarm.Answers},
	} {
		if got := contact(status(1, "10.20.1.1", c.change)); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// What is drawn under a cap is what its meter says, as long as that may be acted
// on; else the sum of the machines, when nearly all of them say; else nothing.
func TestWhatIsDrawnUnderACap(t *testing.T) {
	s := newStage(t)
	s.layout(ranch)
	w := s.watch(s.record)
	var plantNow []plant.Reading
	w.Plant = func(time.Time) []plant.Reading { return plantNow }
	mute := func(x *fleet.Status) { x.Reading = &miner.Reading{State: miner.Hashing} }
	asleep := func(x *fleet.Status) {
		x.Reading = &miner.Reading{State: miner.Sleeping}
		x.Condition = fleet.CondSleeping
	}
	old := func(x *fleet.Status) { x.LastAnswer = time.Now().Add(-time.Hour) }
	two := []*fleet.Status{status(1, "10.20.1.1", nil), status(2, "10.20.1.2", nil)}
	meter := func(change func(*plant.Reading)) []plant.Reading {
		r := plant.Reading{Source: "meter-f1", Kind: plant.MeterKind, At: s.now.Add(freshSites), Quality: plant.Good, Life: time.Minute, Meter: &plant.Meter{Power: unit.Some(1.2 * unit.Megawatt)}}
		if change != nil {
			change(&r)
		}
		return []plant.Reading{r}
	}
	const feeder = "cap/ranch/feeder/F1"
	for _, c := range []struct {
		name   string
		plant  []plant.Reading
		all    []*fleet.Status
		drawn  unit.Opt[unit.Power]
		source string
	}{
		{"the meter", meter(nil), two, unit.Some(1.2 * unit.Megawatt), "meter-f1"},
		{"a stale meter", meter(func(r *plant.Reading) { r.At = r.At.Add(-time.Hour) }), two, unit.Some(6 * unit.Kilowatt), "the sum of 2 machines"},
		{"a lost meter", meter(func(r *plant.Reading) { r.Quality = plant.Lost }), two, unit.Some(6 * unit.Kilowatt), "the sum of 2 machines"},
		{"a meter without power", meter(func(r *plant.Reading) { r.Meter = &plant.Meter{} }), two, unit.Some(6 * unit.Kilowatt), "the sum of 2 machines"},
		{"no meter, one asleep", nil, append(slices.Clone(two), status(3, "10.20.1.3", asleep)), unit.Some(6 * unit.Kilowatt), "the sum of 2 machines"},
		{"one draws and does not say", nil, append(slices.Clone(two), status(3, "10.20.1.3", mute)), unit.None[unit.Power](), ""},
		{"one was not heard for an hour", nil, append(slices.Clone(two), status(3, "10.20.1.3", old)), unit.Some(6 * unit.Kilowatt), "the sum of 2 machines"},
		{"nobody", nil, nil, unit.None[unit.Power](), ""},
	} {
		plantNow = c.plant
		for i := range plantNow { // read just before the look, or as long before it as said
			plantNow[i].At = plantNow[i].At.Add(s.now.Add(freshSites).Sub(meter(nil)[0].At))
		}
		o := s.observe(w, c.all...)
		got := capOf(t, o, feeder)
		if got.Drawn != c.drawn || got.Source != c.source || got.Limit != 2.5*unit.Megawatt {
			t.Errorf("%s: %v from %q under %v, want %v from %q", c.name, got.Drawn, got.Source, got.Limit, c.drawn, c.source)
		}
	}
	// Every cap on the way up counts the machine, and only those.
	plantNow = nil
	o := s.observe(w, two...)
	for _, subject := range []string{"cap/ranch/pdu/P1", feeder, "cap/ranch/site/"} {
		if got := capOf(t, o, subject); got.Drawn != unit.Some(6*unit.Kilowatt) {
			t.Errorf("%s: %v", subject, got.Drawn)
		}
	}
	if len(o.Caps) != 3 {
		t.Errorf("%d caps: %+v", len(o.Caps), o.Caps)
	}
}

// Devices stand where the description has them; weather is none; what is lost
// says so and since when.
func TestDevices(t *testing.T) {
	s := newStage(t)
	s.layout(ranch)
	w := s.watch(s.record)
	good := s.now.Add(-time.Hour)
	w.Plant = func(now time.Time) []plant.Reading {
		return []plant.Reading{
			{Source: "meter-f1", Kind: plant.MeterKind, At: now, Quality: plant.Lost, Err: "no route", LastGood: good, Meter: &plant.Meter{Power: unit.Some(1 * unit.Megawatt)}},
			{Source: "loop-1", Kind: plant.CoolingKind, At: now, Quality: plant.Good, Cooling: &plant.Cooling{Supply: unit.Some(unit.Temperature(41)), Alarms: []string{"pump 2"}}},
			{Source: "roof", Kind: plant.WeatherKind, At: now, Quality: plant.Good},
			{Source: "stray", Kind: plant.MeterKind, At: now, Quality: plant.Good, Life: time.Minute, Meter: &plant.Meter{Power: unit.Some(1 * unit.Kilowatt)}},
		}
	}
	o := s.observe(w)
	if len(o.Devices) != 3 {
		t.Fatalf("%+v", o.Devices)
	}
	meter, loop, stray := o.Devices[0], o.Devices[1], o.Devices[2]
	if meter.Subject != "device/meter-f1" || meter.Trouble != "no route" || !meter.Good.Equal(good) || meter.Power.Ok() || meter.Where.Feeder != "F1" {
		t.Errorf("a lost meter: %+v", meter)
	}
	if v, _ := loop.Setpoint.Get(); v != 35 || loop.Where.Container != "C01" || loop.Where.Loop != "L1" || len(loop.Alarms) != 1 || !loop.Good.Equal(s.now) {
		t.Errorf("a loop that is held to what the description says: %+v", loop)
	}
	if stray.Where.Site != "ranch" || stray.Where.Feeder != "" || stray.MaxAge != time.Minute {
		t.Errorf("a device that is in no description: %+v", stray)
	}
}

// What a command does excuses a machine until it has settled, not longer.
func TestCommandsExcuse(t *testing.T) {
	s := newStage(t)
	w := s.watch(s.record)
	at := func(state ledger.CommandState, kind miner.Kind, change func(*ledger.Command)) ledger.Command {
		c := ledger.Command{Machine: 1, Kind: string(kind), State: state, UpdatedAt: s.now, Actor: "maria"}
		if change != nil {
			change(&c)
		}
		return c
	}
	soon := s.now.Add(5 * time.Second)
	for name, c := range map[string]struct {
		cmd    ledger.Command
		until  time.Time // zero: no excuse
		asleep string
	}{
		"open":                       {at(ledger.Dispatched, miner.SetReboot, nil), s.now.Add(w.Every + 30*time.Second), ""},
		"open, to its deadline":      {at(ledger.Dispatched, miner.SetReboot, func(c *ledger.Command) { c.Deadline = soon }), soon, ""},
		"just confirmed":             {at(ledger.Confirmed, miner.SetPower, nil), s.now.Add(afterSettle), ""},
		"confirmed long ago":         {at(ledger.Confirmed, miner.SetPower, func(c *ledger.Command) { c.UpdatedAt = s.now.Add(-time.Hour) }), time.Time{}, ""},
		"refused":                    {at(ledger.Refused, miner.SetSleep, nil), time.Time{}, ""},
		"asleep by a standing one":   {at(ledger.Confirmed, miner.SetSleep, func(c *ledger.Command) { c.UpdatedAt = s.now.Add(-time.Hour) }), time.Time{}, "maria"},
		"asleep, nobody says by who": {at(ledger.Confirmed, miner.SetSleep, func(c *ledger.Command) { c.Actor, c.UpdatedAt = "", s.now.Add(-time.Hour) }), time.Time{}, "a command"},
	} {
		m := alarm.Machine{ID: 1}
		w.wishes(&m, []ledger.Command{c.cmd}, s.now)
		var until time.Time
		if len(m.Wishes) > 0 {
			until = m.Wishes[0].Until
		}
		if !until.Equal(c.until) || m.AsleepBy != c.asleep {
			t.Errorf("%s: excused until %v, want %v; asleep by %q", name, until, c.until, m.AsleepBy)
		}
	}
}

// A letter says what, where, since when and what to do; what machines say of
// themselves is text, whatever it holds; a long list is cut and says so.
func TestCompose(t *testing.T) {
	s := newStage(t)
	w := s.watch(s.record)
	a := alarm.Alarm{ID: 7, Site: "ranch", Severity: alarm.Critical, Class: alarm.Gone, Title: `Machine does not answer: <b>C01</b>`, Means: "It is off.", Safe: "Yes.", Press: "Go and look.", Since: s.now.Add(-90 * time.Minute)}
	for i := range letterMembers + 5 {
		a.Members = append(a.Members, alarm.Member{Subject: fmt.Sprint("machine/", i), Name: fmt.Sprint("<script>m", i), Place: "C01/R1", Detail: "silent"})
	}
	a.Members = append(a.Members, alarm.Member{Subject: "machine/99", Name: "well again", Left: s.now})
	m := w.compose(alarm.Notice{Alarm: &a, Verb: alarm.Trigger, Why: "Night shift, step 1"}, s.now)
	if m.Subject != "[CRITICAL] "+a.Title || m.Link != "https://ballast.example/alarms/7" || m.Dedup == "" || m.Details["affected"] != "17" {
		t.Errorf("%+v", m)
	}
	for _, want := range []string{"Since: ", "(1 h 30 min)", "What to do: Go and look.", "- <script>m0 (C01/R1): silent", "and 5 more", "You are told by Night shift, step 1."} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the text lacks %q:\n%s", want, m.Text)
		}
	}
	if strings.Contains(m.Text, "well again") || strings.Contains(m.HTML, "<script>") || strings.Contains(m.HTML, "<b>") || !strings.Contains(m.HTML, "&lt;script&gt;m0") {
		t.Errorf("the page:\n%s", m.HTML)
	}
	a.Phase, a.Ended, a.Peak = alarm.Resolved, s.now, 17
	if m := w.compose(alarm.Notice{Alarm: &a, Verb: alarm.Resolve}, s.now); !strings.HasPrefix(m.Subject, "[over] ") || !strings.Contains(m.Text, "At worst: 17 at once") {
		t.Errorf("%+v", m)
	}
	a.Phase, a.Into = alarm.Merged, 9
	if m := w.compose(alarm.Notice{Alarm: &a, Verb: alarm.Resolve}, s.now); !strings.HasPrefix(m.Subject, "[part of alarm 9] ") {
		t.Errorf("%+v", m)
	}
	// Two servers that report to one place keep apart; one server is always the same.
	here := w.dedup(&a)
	w.URL = "https://other.example"
	if there := w.dedup(&a); here == there || strings.ContainsAny(here, "/:") {
		t.Errorf("%q and %q", here, there)
	}
	for d, want := range map[time.Duration]string{-time.Second: "0 s", 59 * time.Second: "59 s", 90 * time.Minute: "1 h 30 min", 47*time.Hour + 59*time.Minute: "47 h 59 min", 72 * time.Hour: "3 days"} {
		if got := span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
