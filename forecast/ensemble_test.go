package forecast

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEnsemble(t *testing.T) {
	p := invented(1, 175)
	a, b := quick(), quick()
	b.Workers = 3
	var loss, naive, held, n float64
	for d := 160; d < 175; d++ {
		got, err := a.Forecast(p, d)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Values) != Hours || len(got.Levels) != 99 || len(got.Spike) != Hours || !got.Start.Equal(p.Date(d)) {
			t.Fatalf("%d slots, %d levels, %d spikes from %s", len(got.Values), len(got.Levels), len(got.Spike), got.Start)
		}
		for h := range Hours {
			s := got.Score(h, p.Price[d][h])
			loss += s.Error
			naive += math.Abs(p.Price[d][h] - p.Price[d-7][h])
			n++
			if s.In90 {
				held++
			}
			if q := got.Quantile(h, 0.5); (q > 60) != (got.Spike[h] > 0.5) {
				t.Errorf("day %d, hour %d: median %.1f and spike chance %.2f at 60", d, h, q, got.Spike[h])
			}
		}
		if d != 167 {
			continue
		}
		// Asked only for this day, without the future, and with other workers.
		cut := &Panel{Market: p.Market, First: p.First, Names: p.Names, Price: p.Price[:d]}
		for _, k := range p.Known {
			cut.Known = append(cut.Known, k[:d+1])
		}
		again, err := b.Forecast(cut, d)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, again) {
			t.Error("another forecast without the future, without the days before, or with other workers")
		}
	}
	t.Logf("mean absolute error %.2f, the week before %.2f, 90 %% held %.2f", loss/n, naive/n, held/n)
	if loss > 0.6*naive || held/n < 0.75 {
		t.Errorf("errs by %.2f against %.2f, holds %.2f", loss/n, naive/n, held/n)
	}
}

func TestEnsembleWithoutWhatIsMissing(t *testing.T) {
	p := invented(2, 120)
	const d = 110
	p.Known[1][d][5] = math.NaN()  // wind of the day
	p.Known[0][30][3] = math.NaN() // a gap in the past load
	p.Price[50][7] = math.NaN()    // and in the prices
	p.Price[d][0] = math.Inf(1)    // never read
	e := quick()
	got, err := e.Forecast(p, d)
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(got.Notes, "\n")
	for _, want := range []string{"wind is missing", "load: 1 past hours", "1 past hours without a price"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes without %q: %s", want, notes)
		}
	}
	p.Known, p.Names = nil, nil
	if got, err = e.Forecast(p, d); err != nil || got.Check() != nil {
		t.Errorf("without known series: %v", err)
	}
	if _, err := e.Forecast(p, 40); !errors.Is(err, ErrTooShort) {
		t.Errorf("40 days: %v", err)
	}
}

func TestNewPanel(t *testing.T) {
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Skip(err)
	}
	var hours []Hourly
	from := time.Date(2024, 3, 9, 5, 0, 0, 0, zone)
	for at := from; at.Before(time.Date(2024, 11, 5, 0, 0, 0, 0, zone)); at = at.Add(time.Hour) {
		hours = append(hours, Hourly{At: at, Price: float64(at.In(zone).Hour()), Known: []float64{float64(len(hours))}})
	}
	p, err := NewPanel("x", zone, []string{"count"}, hours)
	if err != nil {
		t.Fatal(err)
	}
	if p.First.Format("2006-01-02") != "2024-03-10" || p.Days() != 240 {
		t.Fatalf("%d days from %s", p.Days(), p.First)
	}
	for d, day := range p.Price {
		for h, v := range day {
			if v != float64(h) {
				t.Fatalf("%s hour %d: %v", p.Date(d), h, v)
			}
		}
	}
	if a := p.Known[0][0]; a[2] != (a[1]+a[3])/2 {
		t.Errorf("the hour that does not exist: %v", a[:4])
	}
	autumn := int(time.Date(2024, 11, 3, 0, 0, 0, 0, time.UTC).Sub(p.First).Hours() / 24)
	if a := p.Known[0][autumn]; a[1]-a[0] != 1.5 || a[2]-a[1] != 1.5 {
		t.Errorf("the hour that is there twice: %v", a[:4])
	}
	for date, want := range map[time.Time]int{p.First: 23, p.Date(1): 24, p.Date(autumn): 25} {
		d := &Distribution{Start: date, Slot: time.Hour, Levels: []float64{0.5}, Values: make([][]float64, Hours), Mean: make([]float64, Hours)}
		for h := range Hours {
			d.Values[h], d.Mean[h] = []float64{float64(h)}, float64(h)
		}
		local := d.Local(zone)
		if err := local.Check(); err != nil || len(local.Mean) != want {
			t.Errorf("%s: %d slots, want %d: %v", date, len(local.Mean), want, err)
		}
		for s, v := range local.Mean {
			if h := local.At(s).In(zone).Hour(); v != float64(h) {
				t.Errorf("%s slot %d: hour %d has the forecast of %v", date, s, h, v)
			}
		}
	}
}
