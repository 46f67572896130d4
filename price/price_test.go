package price

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ballast/forecast"
	"ballast/ledger"
	"ballast/ledger/sqlite"
	"ballast/sim"
	"ballast/tariff"
	"ballast/tariff/feed"
	"ballast/unit"
)

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) to(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// world is a desk on a real record that polls a simulated operator over HTTP.
type world struct {
	*Desk
	clock  *clock
	record *sqlite.Store
	zone   *time.Location
	wrong  map[int64]float64 // by Unix second: what real-time prices are revised to
	open   func() *Desk
}

func newWorld(t *testing.T, now time.Time, past time.Duration) *world {
	t.Helper()
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{clock: &clock{now: now}, zone: zone, wrong: map[int64]float64{}}
	market := sim.Market{Climate: sim.WestTexas, Seed: 1, Zone: zone}
	operator := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		from, _ := time.Parse(time.RFC3339, r.FormValue("from"))
		to, _ := time.Parse(time.RFC3339, r.FormValue("to"))
		series := strings.TrimPrefix(r.URL.Path, "/")
		values, err := market.Values(series, from, to, w.clock.Now())
		if err != nil {
			http.Error(out, err.Error(), http.StatusBadRequest)
			return
		}
		if series == sim.RealTime {
			for i, v := range values {
				if x, ok := w.wrong[v.Start.Unix()]; ok {
					values[i].Value = x
				}
			}
		}
		_ = json.NewEncoder(out).Encode(map[string]any{"data": values})
	}))
	t.Cleanup(operator.Close)
	w.record, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.record.Close() })
	declare := func(series string, q feed.Quantity, interval, lag, ahead time.Duration) feed.Declared {
		d := feed.Declared{Kind: "json", URL: operator.URL + "/" + series + "?from={from:2006-01-02T15:04:05Z}&to={to:2006-01-02T15:04:05Z}", Series: "sim." + series, Quantity: q,
			Interval: interval, Lag: lag, DayAhead: ahead, Past: past, Revisit: time.Hour, Shape: &feed.Shape{Rows: "data", Time: "start", Value: "value", Zone: "America/Chicago"}}
		if q == feed.EnergyPrice {
			d.Currency = unit.USD
		}
		return d
	}
	plans, err := feed.Plans([]feed.Declared{
		declare(sim.DayAhead, feed.EnergyPrice, time.Hour, 0, 13*time.Hour+30*time.Minute),
		declare(sim.RealTime, feed.EnergyPrice, 15*time.Minute, time.Minute, 0),
		declare(sim.LoadForecast, feed.Load, time.Hour, 0, 6*time.Hour),
	}, w.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	w.open = func() *Desk {
		d, err := Open(t.Context(), Options{Record: w.record, Plans: plans, Now: w.clock.Now, Forecast: How{Enabled: true, SpikeAt: 200, History: 28, Trial: 3, Threads: 1},
			Load: func(string) (unit.Power, string, bool) { return 1.2e6, "meter main", true }})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	w.Desk = w.open()
	return w
}

const contract = `name: Block and market
currency: USD
zone: America/Chicago
interval: 15m
versions:
  - from: 2025-01-01
    parts:
      - name: Energy
        kind: ppa
        blocks: [{power: 1MW, price: $30/MWh}]
        excess: {series: sim.rtm, adder: $1/MWh, fallback: {hold: 30m, price: $50/MWh}}
        sell_back: {series: sim.rtm}
      - {name: Demand, kind: demand, capacity: $2/kW, ratchet: {share: 80%, months: 11}}
      - {name: Tax, kind: tax, share: 10%}
`

// meter gives the site a flat draw over a span.
func (w *world) meter(t *testing.T, from, to time.Time, power unit.Power) {
	t.Helper()
	var rows []ledger.MeterEnergy
	for at := from; at.Before(to); at = at.Add(quarter) {
		rows = append(rows, ledger.MeterEnergy{Site: "odessa", Meter: "main", At: at, Joules: int64(float64(power) * 900), Covered: quarter})
	}
	if err := w.record.AddMeterEnergy(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
}

func TestContracts(t *testing.T) {
	w := newWorld(t, time.Date(2026, 7, 15, 15, 5, 0, 0, time.UTC), 24*time.Hour)
	ctx, by := t.Context(), ledger.By("alice")
	if _, err := w.At(ctx, "odessa", w.clock.Now()); !errors.Is(err, ErrNoContract) {
		t.Errorf("without a contract: %v", err)
	}
	_, err := w.Save(ctx, ledger.PowerContract{Site: "odessa", Text: strings.Replace(contract, "$30/MWh", "thirty", 1)}, by)
	bad, ok := errors.AsType[*Refused](err)
	if !ok || len(bad.Problems) != 1 || bad.Problems[0].Line != 10 || !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("a text that makes no sense: %v", err)
	}
	one, err := w.Save(ctx, ledger.PowerContract{Site: "odessa", Text: contract}, by)
	if err != nil || one.Name != "Block and market" {
		t.Fatal(one, err)
	}
	if _, err := w.Save(ctx, ledger.PowerContract{Site: "odessa", Text: contract}, by); err == nil || !strings.Contains(err.Error(), "is in force on 2025-01-01 too") {
		t.Errorf("two in force at once: %v", err)
	}
	if _, err := w.Save(ctx, ledger.PowerContract{Site: "hood", Text: contract}, by); err != nil {
		t.Errorf("at another site: %v", err)
	}
	_, problems, warnings, err := w.Check(ctx, "odessa", one.ID, strings.Replace(contract, "sim.rtm", "ercot.rtm.HB_NORTH", 1))
	if err != nil || len(problems) != 0 || len(warnings) != 1 || !strings.Contains(warnings[0], "no feed gives ercot.rtm.HB_NORTH") {
		t.Errorf("an unknown series: %v %v %v", problems, warnings, err)
	}
	// A file is taken in once, and again only when it changed.
	for n, text := range []string{strings.Replace(contract, "2025", "2035", 1), strings.Replace(contract, "2025", "2035", 1), strings.Replace(contract, "2025", "2036", 1)} {
		if err := w.Sow(ctx, "far", "file far.yaml", text, by); err != nil {
			t.Fatal(err)
		}
		all, _ := w.Contracts(ctx)
		last := all[len(all)-1]
		if want := []int{1, 1, 2}[n]; last.Revision != want || last.Site != "far" {
			t.Errorf("sown %d times: revision %d", n+1, last.Revision)
		}
	}
}

// The price now is the contract's, with what is published, and forecasts where
// nothing is.
func TestAt(t *testing.T) {
	now := time.Date(2026, 7, 15, 15, 5, 0, 0, time.UTC)
	w := newWorld(t, now, 48*time.Hour)
	ctx := t.Context()
	if err := w.Sow(ctx, "odessa", "test", contract, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	w.meter(t, time.Date(2026, 7, 1, 5, 0, 0, 0, time.UTC), now.Truncate(quarter), 1.3e6)
	w.poller.Poll(ctx)
	n, err := w.At(ctx, "odessa", now.Add(-20*time.Minute)) // published
	if err != nil {
		t.Fatal(err)
	}
	rtm, ok := w.Prices().At("sim.rtm", now.Add(-20*time.Minute))
	if !ok {
		t.Fatal("no price")
	}
	// Beyond the block: market and adder, and the tax on it; the demand is billed already.
	want := (rtm.Price.PerMWh() + 1) * 1.1
	if math.Abs(n.PerMWh-want) > 1e-5 || n.Price.Status != tariff.Provisional || *n.Load != 1.2e6 {
		t.Errorf("%.6f, want %.6f; %+v", n.PerMWh, want, n.Price)
	}
	// The interval that runs is not published: the last price holds, and says so.
	n, err = w.At(ctx, "odessa", now)
	if err != nil || n.Price.Status != tariff.Estimated || !strings.Contains(n.Price.Components[0].Source, "last known price") {
		t.Errorf("%v %+v", err, n.Price)
	}
	market := n.Markets[0]
	if !market.Newest || market.Price == nil || market.AgeS != 0 || market.LateS != 0 {
		t.Errorf("the market %+v", market)
	}
	w.clock.to(now.Add(25 * time.Minute)) // the feed was not asked again
	if n, _ = w.At(ctx, "odessa", w.clock.Now()); n.Markets[0].AgeS != 1500 {
		t.Errorf("age %v", n.Markets[0].AgeS)
	}
	if p, ok := w.Marginal(ctx, "odessa", now.Add(-20*time.Minute)).Get(); !ok || math.Abs(p.PerMWh()-want) > 1e-5 {
		t.Errorf("marginal %v, want %.6f", p, want)
	}
	// Prices, ages and revisions are there after a restart.
	again := w.open()
	v, ok := again.Latest(ctx, "sim.rtm")
	was, _ := w.Latest(ctx, "sim.rtm")
	if !ok || v.Micro != was.Micro || !v.Received.Equal(was.Received.Truncate(time.Microsecond)) {
		t.Errorf("after a restart %+v, was %+v", v, was)
	}
}

// A month is settled, issued and frozen; the next one has the ratchet from its
// demands, and a correction when a price was revised.
func TestStatements(t *testing.T) {
	w := newWorld(t, time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC), 40*24*time.Hour)
	ctx, by := t.Context(), ledger.By("alice")
	if err := w.Sow(ctx, "odessa", "test", contract, by); err != nil {
		t.Fatal(err)
	}
	july, august := tariff.Month{Year: 2026, Month: 7}, tariff.Month{Year: 2026, Month: 8}
	from, mid := july.Span(w.zone)
	_, to := august.Span(w.zone)
	w.meter(t, from, mid, 1.5e6)
	w.meter(t, mid, to, 0.8e6)
	w.poller.Poll(ctx)
	st, err := w.Month(ctx, "odessa", july, true)
	if err != nil {
		t.Fatal(err)
	}
	line := func(s Statement, part, what string) tariff.Line {
		t.Helper()
		for _, l := range s.Body.Lines {
			if l.Part == part && strings.HasPrefix(l.What, what) && l.Corrects == nil {
				return l
			}
		}
		t.Fatalf("no line %s %s in %+v", part, what, s.Body.Lines)
		return tariff.Line{}
	}
	// 1 MW x 744 h x $30, and half a MW beyond it; the demand is 1500 kW x $2.
	if got := line(st, "Energy", "block").Amount.String(); got != "$22320.00" {
		t.Errorf("block %s", got)
	}
	if got := line(st, "Energy", "beyond").Quantity.String(); got != "372" {
		t.Errorf("beyond the block %s MWh", got)
	}
	if got := line(st, "Demand", "").Amount.String(); got != "$3000.00" {
		t.Errorf("demand %s", got)
	}
	if st.Running || !st.Meter.Measured || st.Meter.Whole != 744*4 || st.Meter.Lost != 0 {
		t.Errorf("meter %+v, running %v", st.Meter, st.Running)
	}
	days := ByDay(&st.Body, w.zone)
	if n := len(days); n != 62 || days[0].Day != "2026-07-01" || days[0].Intervals != 96 {
		t.Errorf("%d days, first %+v", n, days[0])
	}
	if _, err := w.Issue(ctx, "odessa", august, by); !errors.Is(err, ErrMonth) {
		t.Errorf("a month that is not over: %v", err)
	}
	issued, err := w.Issue(ctx, "odessa", july, by)
	if err != nil || issued.ID == 0 || issued.Body.Total != st.Body.Total {
		t.Fatal(issued.Body.Total, err)
	}
	if _, err := w.Issue(ctx, "odessa", july, by); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("issued twice: %v", err)
	}
	// Another contract text changes nothing of what was issued, and its intervals
	// are those of then.
	if err := w.Sow(ctx, "odessa", "test", strings.Replace(contract, "$30/MWh", "$31/MWh", 1), by); err != nil {
		t.Fatal(err)
	}
	kept, err := w.Month(ctx, "odessa", july, true)
	if err != nil || kept.Body.Total != st.Body.Total || kept.Revision != 1 || len(kept.Body.Detail) != len(st.Body.Detail) || kept.IssuedBy != "alice" {
		t.Errorf("kept %v %v of %d intervals, %v", kept.Body.Total, kept.Revision, len(kept.Body.Detail), err)
	}
	// The operator revises a quarter of July by $400, far beyond the block.
	at := mid.Add(-100 * time.Hour) // within what the feed reads again
	old, _ := w.Prices().At("sim.rtm", at)
	w.clock.to(time.Date(2026, 9, 2, 12, 0, 0, 0, time.UTC))
	w.wrong[at.Unix()] = old.Price.PerMWh() + 400
	if _, err := w.poller.Backfill(ctx, mid.Add(-time.Hour), w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.poller.Poll(ctx)
	next, err := w.Month(ctx, "odessa", august, false)
	if err != nil {
		t.Fatal(err)
	}
	// 80 % of July's 1500 kW, by what was issued.
	if got := line(next, "Demand", "").Quantity.String(); got != "1200" {
		t.Errorf("billed demand %s kW", got)
	}
	var corrected []string
	for _, l := range next.Body.Lines {
		if l.Corrects != nil {
			corrected = append(corrected, fmt.Sprint(*l.Corrects, " ", l.Part, " ", l.Amount))
		}
	}
	// 0.5 MW x 1/4 h x $400 = $50, and the tax on it.
	if !slices.Contains(corrected, "2026-07 Energy $50.00") || !slices.Contains(corrected, "2026-07 Tax $5.00") {
		t.Errorf("corrections %q", corrected)
	}
	if _, err := w.Issue(ctx, "odessa", august, by); err != nil {
		t.Fatal(err)
	}
	// What was corrected once is not corrected again.
	w.clock.to(time.Date(2026, 10, 3, 12, 0, 0, 0, time.UTC))
	c, err := w.contractOf(ctx, "odessa", august)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.corrections(ctx, c, august.Add(1)); err != nil || len(again) != 0 {
		t.Errorf("corrected again: %+v, %v", again, err)
	}
	heads, err := w.Months(ctx, "odessa", 13)
	if err != nil || len(heads) < 2 || heads[len(heads)-1].Month != july || heads[len(heads)-1].Total.String() != st.Body.Total.String() {
		t.Errorf("months %+v, %v", heads, err)
	}
}

// A running month is projected: nothing is missing, and it says that it is not over.
func TestRunningMonth(t *testing.T) {
	now := time.Date(2026, 7, 15, 15, 5, 0, 0, time.UTC)
	w := newWorld(t, now, 20*24*time.Hour)
	ctx := t.Context()
	if err := w.Sow(ctx, "odessa", "test", contract, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	from, _ := tariff.Month{Year: 2026, Month: 7}.Span(w.zone)
	w.meter(t, from, now.Truncate(quarter), 1.5e6)
	w.poller.Poll(ctx)
	st, err := w.Month(ctx, "odessa", tariff.Month{Year: 2026, Month: 7}, false)
	if err != nil || !st.Running || st.Body.Status == tariff.Missing || !st.Until.Equal(now) {
		t.Errorf("%+v %v %v", st.Body.Status, st.Body.Problems, err)
	}
	if _, err := w.Month(ctx, "odessa", tariff.Month{Year: 2026, Month: 9}, false); !errors.Is(err, ErrMonth) {
		t.Errorf("a month to come: %v", err)
	}
}

// Quarters that were read in part are reckoned up, those that were hardly read
// are left to the contract.
func TestMetered(t *testing.T) {
	w := newWorld(t, time.Date(2026, 7, 15, 15, 5, 0, 0, time.UTC), 24*time.Hour)
	at := time.Date(2026, 7, 15, 10, 0, 0, 0, time.UTC)
	row := func(n int, meter string, joules int64, covered time.Duration) ledger.MeterEnergy {
		return ledger.MeterEnergy{Site: "odessa", Meter: meter, At: at.Add(time.Duration(n) * quarter), Joules: joules, Covered: covered}
	}
	err := w.record.AddMeterEnergy(t.Context(), []ledger.MeterEnergy{
		row(0, "a", 900, quarter), row(0, "b", 100, quarter),
		row(1, "a", 900, quarter), row(1, "b", 50, quarter/2),
		row(2, "a", 900, quarter), row(2, "b", 10, quarter/10),
		row(3, "a", 900, quarter),
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := w.Metered(t.Context(), "odessa", at, at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if m.Whole != 1 || m.Partly != 1 || m.Lost != 2 || !m.Measured || m.Source != "2 meters: a, b" {
		t.Errorf("%+v", m)
	}
	for i, want := range []float64{1000, 1000} {
		if e := float64(m.Intervals[i].Energy.Or(0)); math.Abs(e-want) > 1 || m.Intervals[i].Estimated != (i == 1) {
			t.Errorf("quarter %d: %v J, estimated %v", i, e, m.Intervals[i].Estimated)
		}
	}
}

// The service forecasts what is due, replays a new model's last days, scores
// what came, and never looks ahead of the issue time.
func TestService(t *testing.T) {
	now := time.Date(2026, 7, 15, 13, 10, 0, 0, time.UTC) // 8:10 in Texas: the auction is at 13:30
	w := newWorld(t, now, 60*24*time.Hour)
	ctx := t.Context()
	w.Forecast.Series = []string{"sim.dam"}
	lear := &forecast.Ensemble{Windows: []int{28}, Nets: &forecast.Nets{}, Softs: &forecast.Nets{}, Fans: &forecast.Nets{}, Smooth: &forecast.Smooth{}, History: 14, SpikeAt: 200}
	w.models["sim.dam"] = []*model{{Forecaster: naive{naiveDay, 1, 200}, least: 14, base: true}, {Forecaster: naive{naiveWeek, 7, 200}, least: 14, base: true}, {Forecaster: named{firstChampion, lear}, least: 400}}
	w.poller.Poll(ctx)
	s := &service{Desk: w.Desk, failed: map[string]time.Time{}, next: map[string]*nextModel{}, rescored: now}
	s.pass(ctx)
	list, err := w.Forecasts(ctx, "sim.dam", DayAhead, naiveDay, now.AddDate(0, 0, -20), now.AddDate(0, 0, 3), 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != replayed+1 || list[0].Replayed || !list[1].Replayed {
		t.Fatalf("%d forecasts, the newest replayed: %v", len(list), list[0].Replayed)
	}
	tomorrow := time.Date(2026, 7, 16, 5, 0, 0, 0, time.UTC)
	if !list[0].Start.Equal(tomorrow) || !list[0].Issued.Equal(now) || len(list[0].Mean) != 24 {
		t.Errorf("the newest begins %v, issued %v", list[0].Start, list[0].Issued)
	}
	// Repeating the day before is what it says.
	for h := range 24 {
		q, _ := w.Prices().At("sim.dam", tomorrow.Add(time.Duration(h-24)*time.Hour))
		if math.Abs(list[0].Mean[h]-q.Price.PerMWh()) > 1e-3 {
			t.Errorf("hour %d: %v, the day before %v", h, list[0].Mean[h], q.Price)
		}
	}
	// A model that cannot says why on its card, and somebody else speaks.
	cards, err := w.Cards(ctx, 28)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, c := range cards {
		found = found || c.Model == firstChampion && strings.Contains(c.Error, "400 are needed")
	}
	if !found {
		t.Errorf("cards %+v", cards)
	}
	if f, n, ok := w.Saying("sim.dam", tomorrow.Add(90*time.Minute)); !ok || n != 1 || f.Model != naiveWeek {
		t.Errorf("%v %d %v", f.Model, n, ok)
	}
	if q, ok := w.Ahead().At("sim.dam", tomorrow.Add(time.Hour)); !ok || q.Status != tariff.Expected || !strings.Contains(q.Source, "forecast by naive-week@1") {
		t.Errorf("ahead %+v %v", q, ok)
	}
	// Nothing is done twice.
	s.pass(ctx)
	again, _ := w.Forecasts(ctx, "sim.dam", DayAhead, naiveDay, now.AddDate(0, 0, -20), now.AddDate(0, 0, 3), 0)
	if len(again) != len(list) {
		t.Errorf("%d forecasts after a second pass", len(again))
	}
	// Two days later the forecast is scored against what came, by hand.
	w.clock.to(now.Add(48 * time.Hour))
	w.poller.Poll(ctx)
	s.pass(ctx)
	scored, _ := w.Forecasts(ctx, "sim.dam", DayAhead, naiveDay, tomorrow, tomorrow.Add(time.Hour), 0)
	var mae float64
	for h := range 24 {
		q, _ := w.Prices().At("sim.dam", tomorrow.Add(time.Duration(h)*time.Hour))
		mae += math.Abs(q.Price.PerMWh()-scored[0].Mean[h]) / 24
	}
	sc := scored[0].Score
	if sc == nil || sc.Slots != 24 || math.Abs(sc.MAE-mae) > 1e-4 || math.Abs(sc.MAE-sc.NaiveDay) > 1e-4 || sc.Settled {
		t.Errorf("score %+v, MAE by hand %v", sc, mae)
	}
	board, err := w.Board(ctx, 28, true)
	if err != nil || len(board) != 2 || board[0].Days < 1 || board[0].Replayed != 0 {
		t.Errorf("live board %+v, %v", board, err)
	}
	whole, _ := w.Board(ctx, 28, false)
	if whole[0].Replayed == 0 || whole[0].Unit != "USD/MWh" {
		t.Errorf("whole board %+v", whole)
	}
}

// A challenger leads only after enough shared days that were forecast in advance.
func TestBetter(t *testing.T) {
	day := time.Date(2026, 7, 1, 5, 0, 0, 0, time.UTC)
	row := func(model string, n int, pinball, mae float64, hindsight bool) ledger.StoredForecast {
		b, _ := json.Marshal(Score{Slots: 24, Pinball: pinball, MAE: mae, Replayed: hindsight})
		return ledger.StoredForecast{Model: model, Start: day.AddDate(0, 0, n), Score: b}
	}
	rows := func(days int, pinball, mae float64, hindsight bool) (out []ledger.StoredForecast) {
		for n := range days {
			out = append(out, row("lead", n, 1, 2, false), row("new", n, pinball, mae, hindsight))
		}
		return out
	}
	for _, c := range []struct {
		name string
		rows []ledger.StoredForecast
		want bool
	}{
		{"better by far", rows(7, 0.8, 1.9, false), true},
		{"a day too few", rows(6, 0.8, 1.9, false), false},
		{"by less than the margin", rows(7, 0.995, 1.9, false), false},
		{"better quantiles and a worse mean", rows(7, 0.8, 2.1, false), false},
		{"only in hindsight", rows(7, 0.8, 1.9, true), false},
		{"worse", rows(7, 1.2, 2.2, false), false},
		{"nothing", nil, false},
	} {
		m, why, ok := better(c.rows, "lead", 7)
		if ok != c.want || ok && (m != "new" || !strings.Contains(why, "over 7 settled days")) {
			t.Errorf("%s: %q %q %v", c.name, m, why, ok)
		}
	}
}

func TestNaive(t *testing.T) {
	p := &forecast.Panel{Market: "m", First: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for d := range 40 {
		var row [forecast.Hours]float64
		for h := range row {
			row[h] = 30 + float64(h) + 5*math.Sin(float64(d*7+h))
		}
		p.Price = append(p.Price, row)
	}
	p.Price[39][3] = math.NaN()
	d, err := naive{naiveDay, 1, 50}.Forecast(p, 40)
	if err != nil {
		t.Fatal(err)
	}
	if d.Mean[4] != p.Price[39][4] || d.Mean[3] != p.Price[32][3] || len(d.Notes) != 1 {
		t.Errorf("means %v, notes %v", d.Mean, d.Notes)
	}
	if _, err := (naive{naiveWeek, 7, 0}).Forecast(p, 10); !errors.Is(err, forecast.ErrTooShort) {
		t.Errorf("ten days: %v", err)
	}
	if got := thin(d); got.Check() != nil || len(got.Levels) != 21 {
		t.Errorf("thinned: %v", got.Check())
	}
}

func TestStays(t *testing.T) {
	zone := time.UTC
	end := time.Date(2026, 8, 1, 0, 0, 0, 0, zone)
	var meter []tariff.Interval
	for d := range 30 {
		meter = append(meter, tariff.Interval{Start: time.Date(2026, 6, 1+d, 12, 0, 0, 0, zone), Length: quarter, Energy: unit.Some(unit.Energy(float64(1000+d) * 900))})
	}
	early, late := stays(meter, 1015, end.AddDate(0, 0, -20), end, zone), stays(meter, 1015, end.AddDate(0, 0, -1), end, zone)
	if !(early < 0.001) || !(late > 0.4 && late < 0.6) {
		t.Errorf("half of the days are above: %v with twenty left, %v with one", early, late)
	}
	if p := stays(meter, 2000, end.Add(-time.Hour), end, zone); p < 0.99 {
		t.Errorf("above every day, an hour before the end: %v", p)
	}
}

func TestInert(t *testing.T) {
	for in, want := range map[string]string{"=1+1": "'=1+1", "@x": "'@x", "Wires": "Wires", "": ""} {
		if got := inert(in); got != want {
			t.Errorf("%q is %q", in, got)
		}
	}
}
