package price

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/ledger/sqlite"
	"ballast/tariff"
	"ballast/tariff/feed"
)

// texas serves ERCOT's documents of load and of load forecasts as its market
// information system has them: a list, and CSV. Loads come a day late; forecasts
// of a day are published at 8:00 of the day before and again within the day, then
// as if it had known.
func texas(t *testing.T, zone *time.Location, now time.Time, load func(at time.Time) float64) *httptest.Server {
	t.Helper()
	first := time.Date(now.In(zone).Year(), now.In(zone).Month(), now.In(zone).Day()-30, 0, 0, 0, 0, zone)
	type document struct {
		at   time.Time
		text string
	}
	docs := map[string]map[string]document{"13101": {}, "12312": {}}
	// A day ahead it is off by up to 2 %, another sign each day.
	off := func(day, hour int) float64 { return 1 + 0.02*math.Sin(float64(day)*2.1+float64(hour)*0.2) }
	for d := range 34 {
		day := first.AddDate(0, 0, d)
		table := func(value func(at time.Time) float64, head, zones string) string {
			var b strings.Builder
			b.WriteString(head + "\n")
			for h := range 24 {
				at := day.Add(time.Duration(h) * time.Hour)
				fmt.Fprintf(&b, "%s,%02d:00,%s%.2f,%s\n", day.Format("01/02/2006"), h+1, zones, value(at), map[bool]string{true: "A6,Y,N", false: "N"}[strings.Contains(head, "Model")])
			}
			return b.String()
		}
		if at := day.Add(30 * time.Hour); !at.After(now) {
			docs["13101"][fmt.Sprint("a", d)] = document{at, table(load, "OperDay,HourEnding,NORTH,TOTAL,DSTFlag", "1700.5,")}
		}
		if at := day.Add(-16 * time.Hour); !at.After(now) {
			docs["12312"][fmt.Sprint("f", d)] = document{at, table(func(at time.Time) float64 { return load(at) * off(d, at.Hour()) }, "DeliveryDate,HourEnding,North,SystemTotal,Model,InUseFlag,DSTFlag", "1700.25,")}
		}
		if at := day.Add(26 * time.Hour); !at.After(now) {
			docs["12312"][fmt.Sprint("g", d)] = document{at, table(load, "DeliveryDate,HourEnding,North,SystemTotal,Model,InUseFlag,DSTFlag", "1700.25,")}
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/misapp/servlets/IceDocListJsonWS", func(w http.ResponseWriter, r *http.Request) {
		var list []any
		for id, d := range docs[r.FormValue("reportTypeId")] {
			list = append(list, map[string]any{"Document": map[string]string{"DocID": id, "FriendlyName": "load_csv", "ConstructedName": id + ".csv", "PublishDate": d.at.Format(time.RFC3339)}})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"ListDocsByRptTypeRes": map[string]any{"DocumentList": list}})
	})
	mux.HandleFunc("/misdownload/servlets/mirDownload", func(w http.ResponseWriter, r *http.Request) {
		for _, kind := range docs {
			if d, ok := kind[r.FormValue("doclookupId")]; ok {
				_, _ = w.Write([]byte(d.text))
				return
			}
		}
		http.NotFound(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// The chance of a coincident peak comes from ERCOT's own reports, end to end: the
// hottest afternoon to come has most of it, and an interval its share of the hour.
func TestPeakRiskFromERCOT(t *testing.T) {
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 8, 29, 9, 10, 0, 0, zone)
	hot := time.Date(2026, 8, 30, 16, 0, 0, 0, zone)
	load := func(at time.Time) float64 {
		l := at.In(zone)
		day := 70_000 + 1_500*math.Sin(float64(l.YearDay())*0.9)
		if l.Day() == 30 && l.Month() == 8 {
			day = 75_000
		}
		return day * (0.72 + 0.28*math.Exp(-math.Pow(float64(l.Hour())-16, 2)/18))
	}
	operator := texas(t, zone, now, load)
	plans, err := feed.Plans([]feed.Declared{
		{Kind: "ercot-mis", URL: operator.URL, Report: "load", Points: []string{"TOTAL"}, Past: 30 * 24 * time.Hour},
		{Kind: "ercot-mis", URL: operator.URL, Report: "load_forecast", Points: []string{"North", "SystemTotal"}, Past: 30 * 24 * time.Hour},
	}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	record, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = record.Close() })
	d, err := Open(t.Context(), Options{Record: record, Plans: plans, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	text := "name: 4CP\ncurrency: USD\nzone: America/Chicago\ninterval: 15m\npeaks:\n  - name: texas\n    series: ercot.load.TOTAL\n    interval: 15m\n    rules:\n      - since: 2015\n        groups: [{months: [6, 7, 8, 9], count: 1}]\nversions:\n  - from: 2026-01-01\n    parts:\n      - {name: Energy, kind: fixed, price: $30/MWh}\n      - {name: Transmission, kind: coincident, capacity: $71.36/kW-year, peaks: texas, assumed: 1MW}\n"
	if err := d.Sow(t.Context(), "odessa", "test", text, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	d.poller.Poll(t.Context())
	risk, err := d.Risk(t.Context(), "odessa", now)
	if err != nil || len(risk.Peaks) != 1 || risk.Peaks[0].Why != "" {
		t.Fatalf("%+v %v", risk, err)
	}
	best, sum := Chance{}, 0.0
	for _, h := range risk.Peaks[0].Hours {
		if h.P > best.P {
			best = h
		}
		if h.From.Month() == 8 {
			sum += h.P
		}
	}
	if gap := best.From.Sub(hot).Abs(); gap > time.Hour || best.P < 0.2 || sum < 0.5 || sum > 1.0001 {
		t.Errorf("the likeliest hour is %v with %v; all in all %v", best.From.In(zone), best.P, sum)
	}
	contract, err := d.InForce(t.Context(), "odessa", now)
	if err != nil {
		t.Fatal(err)
	}
	for q := range 4 {
		p, ok := d.PeakChance(t.Context(), contract.Parsed, "texas", best.From.Add(time.Duration(q)*quarter))
		if !ok || math.Abs(p-best.P/4) > 1e-9 {
			t.Errorf("quarter %d has %v of %v", q, p, best.P)
		}
	}
	// Errors are those of a day ahead, not of the last word: with them more than one
	// hour has a chance.
	said, err := d.loadAhead(t.Context(), "ercot.load.TOTAL", mustLoads(t, d, now), now)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 8, 10, 15, 0, 0, 0, zone)
	if ratio := said[at.Unix()] / load(at); math.Abs(ratio-1) < 1e-4 {
		t.Errorf("a past forecast is what came: %v", ratio)
	}
}

func mustLoads(t *testing.T, d *Desk, now time.Time) []tariff.SystemLoad {
	t.Helper()
	loads, err := d.book.SystemLoads(t.Context(), "ercot.load.TOTAL", now.Add(-peakPast), now)
	if err != nil {
		t.Fatal(err)
	}
	return loads
}
