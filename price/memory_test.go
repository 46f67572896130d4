package price

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"ballast/forecast"
	"ballast/tariff"
)

// A desk that is opened again says the same of tomorrow without asking its models
// for the past; what it cannot take up it leaves, and says so.
func TestModelsRemember(t *testing.T) {
	now := time.Date(2026, 7, 15, 13, 10, 0, 0, time.UTC)
	w := newWorld(t, now, 110*24*time.Hour)
	ctx, folder := t.Context(), filepath.Join(t.TempDir(), "forecast")
	w.Forecast.Series = []string{"sim.dam"}
	w.poller.Poll(ctx)
	const name = "ensemble@2"
	asked := 0
	fresh := func() *forecast.Ensemble {
		return &forecast.Ensemble{Windows: []int{28}, Nets: &forecast.Nets{}, Fans: &forecast.Nets{}, Groves: []forecast.Grove{}, History: 28, SpikeAt: 200, Progress: func(int, int) { asked++ }}
	}
	tomorrow := tariff.Date{Year: 2026, Month: 7, Day: 16}
	// open is a desk as after a restart; say makes its forecast of tomorrow.
	var log bytes.Buffer
	open := func(make func() *forecast.Ensemble) (*service, *model) {
		d := w.open()
		d.Memory, d.Log = folder, slog.New(slog.NewTextHandler(&log, nil))
		d.poller.Poll(ctx)
		m := &model{Forecaster: d.recall("sim.dam", name, make), least: 70}
		return &service{Desk: d, failed: map[string]time.Time{}, next: map[string]*nextModel{}}, m
	}
	say := func(make func() *forecast.Ensemble) *forecast.Distribution {
		t.Helper()
		s, m := open(make)
		l, err := s.panel(ctx, "sim.dam", tomorrow)
		if err != nil {
			t.Fatal(err)
		}
		asked = 0
		dist, err := m.Forecast(l.panel, l.day(tomorrow))
		if err != nil {
			t.Fatal(err)
		}
		return dist
	}
	s, m := open(fresh)
	if err := s.forecastDay(ctx, "sim.dam", tomorrow, m, false); err != nil {
		t.Fatal(err)
	}
	if asked < 28 {
		t.Fatalf("the first forecast asked for %d past days", asked)
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*"))
	if len(files) != 1 || !strings.HasPrefix(filepath.Base(files[0]), "sim.dam-ensemble_2-") {
		t.Fatalf("kept %v", files)
	}
	stored, err := w.Forecasts(ctx, "sim.dam", DayAhead, name, now, now.AddDate(0, 0, 3), 1)
	if err != nil || len(stored) != 1 {
		t.Fatal(stored, err)
	}
	was := say(fresh)
	if asked != 0 || log.Len() > 0 {
		t.Errorf("after a restart it asked for %d past days; log %s", asked, log.String())
	}
	if got := thin(was.Local(w.zone)); !reflect.DeepEqual(got.Values, stored[0].Values) || !reflect.DeepEqual(got.Mean, stored[0].Mean) {
		t.Error("after a restart it says something else")
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := bytes.Cut(whole, []byte("\n"))
	other := func() *forecast.Ensemble { e := fresh(); e.Windows = []int{35}; return e }
	for what, x := range map[string]struct {
		text []byte
		make func() *forecast.Ensemble
	}{
		"cut short":          {whole[:len(whole)/2], fresh},
		"a byte changed":     {append(append(append([]byte{}, head...), '\n'), bytes.Replace(body, []byte("1"), []byte("2"), 1)...), fresh},
		"empty":              {nil, fresh},
		"of another series":  {bytes.Replace(whole, []byte("sim.dam"), []byte("sim.rtm"), 1), fresh},
		"of another setting": {whole, other},
		"something else":     {[]byte("{}\n{}"), fresh},
		"not what it says":   {append([]byte(`{"ballast":"memory of a day-ahead model, 1"}`+"\n"), body...), fresh},
	} {
		log.Reset()
		if err := os.WriteFile(files[0], x.text, 0o600); err != nil {
			t.Fatal(err)
		}
		dist := say(x.make)
		if asked < 28 || !strings.Contains(log.String(), "not taken up") {
			t.Errorf("%s: asked for %d past days; log %q", what, asked, log.String())
		}
		if what != "of another setting" && !reflect.DeepEqual(dist.Values, was.Values) {
			t.Errorf("%s: it says something else", what)
		}
	}
	// Nowhere to keep it: it goes on, and says so.
	log.Reset()
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Log = slog.New(slog.NewTextHandler(&log, nil))
	s.save("sim.dam", m)
	if !strings.Contains(log.String(), "keeping what a model said") {
		t.Errorf("log %q", log.String())
	}
}
