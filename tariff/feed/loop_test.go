package feed

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ballast/tariff"
	"ballast/unit"
)

// From the operator to the bill: a month of real-time prices over the wire, with
// a day that comes late and a price that is corrected after the statement.
func TestFromTheOperatorToTheBillAndItsCorrection(t *testing.T) {
	loc := zone0(t, "America/Chicago")
	contract, err := tariff.Parse([]byte(`name: hub
currency: USD
zone: America/Chicago
interval: 15m
versions:
  - from: 2026-01-01
    parts:
      - {name: Energy, kind: index, market: {series: ercot.rtm.HB_NORTH, adder: $1/MWh, fallback: {price: $99/MWh}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	march := tariff.Month{Year: 2026, Month: time.March}
	from, to := march.Span(loc)
	spike := time.Date(2026, 3, 20, 17, 0, 0, 0, loc)
	revised, late := false, true
	o := newOperator(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		a, err1 := time.ParseInLocation(time.DateOnly, q.Get("deliveryDateFrom"), loc)
		z, err2 := time.ParseInLocation(time.DateOnly, q.Get("deliveryDateTo"), loc)
		if err1 != nil || err2 != nil || q.Get("settlementPoint") != "HB_NORTH" || !strings.HasSuffix(r.URL.Path, "/np6-905-cd/spp_node_zone_hub") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var data [][]any
		for at := a; at.Before(z.AddDate(0, 0, 1)); at = at.Add(15 * time.Minute) {
			if late && at.Day() == 5 {
				continue
			}
			price := 25.0
			if at.Equal(spike) {
				if price = 5000; revised {
					price = 4750.5
				}
			}
			data = append(data, []any{at.Format(time.DateOnly), at.Hour() + 1, at.Minute()/15 + 1, "HB_NORTH", "HU", price, false})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"_meta": map[string]int{"totalPages": 1}, "data": data, "fields": []map[string]string{{"name": "deliveryDate"}, {"name": "deliveryHour"}, {"name": "deliveryInterval"}, {"name": "settlementPoint"}, {"name": "settlementPointType"}, {"name": "settlementPointPrice"}, {"name": "DSTFlag"}}})
	})
	c := (&clock{}).reach(to.Add(26 * time.Hour))
	store, _, err := OpenFile(t.TempDir() + "/prices")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	f := &ERCOTAPI{Report: ERCOTRealTime, Points: []string{"HB_NORTH"}, URL: o.URL}
	web := &Web{Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, Timeout: 20 * time.Second}
	p := NewPoller(web, store, []Plan{{Feed: f, Ahead: time.Hour, Past: 40 * 24 * time.Hour}}, c.now, 1, quiet, nil)
	gaps, err := p.Backfill(t.Context(), from, to)
	if err != nil || fmt.Sprint(gaps) != fmt.Sprint([]Gap{{"ercot.rtm.HB_NORTH", time.Date(2026, 3, 5, 0, 0, 0, 0, loc), time.Date(2026, 3, 6, 0, 0, 0, 0, loc)}}) {
		t.Fatal(gaps, err)
	}
	var meter []tariff.Interval
	for at := from; at.Before(to); at = at.Add(15 * time.Minute) {
		meter = append(meter, tariff.Interval{Start: at, Length: 15 * time.Minute, Energy: unit.Some(unit.MegawattHour)})
	}
	book := NewBook(store, f.Series(), c.now)
	statement := func() *tariff.Statement {
		s, err := contract.Statement(march, meter, book, tariff.State{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	// 2972 MWh in 743 h. The 5th, 96 MWh, at the fallback of 99 + 1; the rest, 2875
	// MWh, at 26, and one at 5001: 9600 + 74750 + 5001 = 89351.
	s := statement()
	if s.Total.String() != "$89351.00" || s.Status != tariff.Estimated || s.Lines[0].Estimates != 96 {
		t.Errorf("%v %v %+v", s.Total, s.Status, s.Lines[0])
	}
	// The 5th comes in late: 96 x 26 = 2496 instead of 9600.
	late = false
	if gaps, err = p.Backfill(t.Context(), from, to); err != nil || len(gaps) != 0 {
		t.Fatal(gaps, err)
	}
	s = statement()
	if s.Total.String() != "$82247.00" || s.Status != tariff.Provisional {
		t.Errorf("%v %v", s.Total, s.Status)
	}
	// Later the operator corrects the spike, and polling reads the past again.
	revised = true
	c.pass(48 * time.Hour)
	p.Poll(t.Context())
	if h := p.Health()[0]; h.Revisions != 1 || !h.OK {
		t.Fatalf("%+v", h)
	}
	c.pass(20 * 24 * time.Hour)
	now := statement()
	lines, err := tariff.Correct(s, now, nil)
	if err != nil || len(lines) != 1 || lines[0].Amount.String() != "-$249.50" || now.Status != tariff.Settled || s.Total.String() != "$82247.00" {
		t.Errorf("%+v %v %v", lines, now.Status, err)
	}
	all, err := store.Revisions(t.Context(), "ercot.rtm.HB_NORTH", spike)
	if err != nil || len(all) != 2 || all[0].Micro != 5000e6 || all[1].Micro != 4750.5e6 {
		t.Errorf("%+v %v", all, err)
	}
}
