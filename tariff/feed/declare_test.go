package feed

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const declared = `
feeds:
  - {kind: ercot-mis, report: rtm, points: [HB_NORTH, LZ_WEST], every: 5m}
  - {kind: ercot-api, report: dam, points: HB_NORTH, user: me, password: hidden, key: hidden}
  - {kind: caiso, report: dam, points: TH_NP15_GEN-APND}
  - {kind: entsoe, report: dam, area: 10Y1001A1001A82H, label: DE_LU, token: hidden}
  - kind: json
    series: spot
    currency: EUR
    interval: 15m
    day_ahead: 13h30m
    url: https://example.org/prices?from={from:2006-01-02}
    headers: [{name: Authorization, value: hidden}]
    shape: {rows: data.items, time: start, value: price, zone: Europe/Berlin, scale: 1000, where: [{name: kind, is: final}]}
  - {kind: csv, series: load, quantity: load, interval: 60m, lag: 30m, url: "http://127.0.0.1/load.csv", shape: {time: t, value: mw}}
`

func TestDeclarations(t *testing.T) {
	plans, err := Parse([]byte(declared), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range plans {
		for _, s := range p.Feed.Series() {
			got = append(got, fmt.Sprintf("%s: %s %s %v", p.Feed.Name(), s.Name, s.Unit(), s.Interval))
		}
	}
	want := `ercot mis rtm: ercot.rtm.HB_NORTH USD/MWh 15m0s
ercot mis rtm: ercot.rtm.LZ_WEST USD/MWh 15m0s
ercot dam: ercot.dam.HB_NORTH USD/MWh 1h0m0s
caiso dam: caiso.dam.TH_NP15_GEN-APND USD/MWh 1h0m0s
entsoe dam DE_LU: entsoe.dam.DE_LU EUR/MWh 15m0s
spot: spot EUR/MWh 15m0s
load: load MW 1h0m0s`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	// Due: day-ahead prices on the day before, at half past one on that clock.
	for _, p := range plans {
		s := p.Feed.Series()[0]
		switch s.Name {
		case "spot":
			if due := s.Due(time.Date(2026, 7, 2, 3, 0, 0, 0, time.UTC)); due.UTC().Format(time.RFC3339) != "2026-07-01T11:30:00Z" {
				t.Error(due)
			}
		case "ercot.rtm.HB_NORTH":
			if due := s.Due(day0); due.Sub(day0) != 25*time.Minute {
				t.Error(due)
			}
		}
	}
	// Secrets do not print, wherever they are.
	for _, v := range []any{Secret("hidden"), Declared{Password: "hidden", Headers: []Header{{"Authorization", "hidden"}}}, &ERCOTSignIn{Password: "hidden", Key: "hidden"}} {
		if s := fmt.Sprintf("%v %+v", v, v); strings.Contains(s, "hidden") {
			t.Error(s)
		}
	}
}

func TestDeclarationsAreChecked(t *testing.T) {
	_, err := Parse([]byte(`feeds:
  - {kind: nasdaq}
  - {kind: ercot-mis, report: ram, points: []}
  - {kind: ercot-api, report: dam, points: [A, A]}
  - {kind: entsoe, report: rtm, area: DE, points: [X]}
  - {kind: csv, series: "", interval: 15m, every: 1s, url: "ftp://x", shape: {time: t, value: v, zone: Mars}}
  - {kind: caiso, report: dam, points: [N]}
  - {kind: caiso, report: dam, points: [N]}
`), time.Now)
	if !errors.Is(err, ErrInvalid) {
		t.Fatal(err)
	}
	for _, want := range []string{"line 2: feeds[0].kind", "feeds[1].report", "feeds[1].points", "feeds[2].points[1]", "feeds[2].user", "feeds[3].report", "feeds[3].area", "feeds[3].points", "feeds[3].token",
		"feeds[4].series", "feeds[4].every", "feeds[4].url", "feeds[4].shape", "feeds[4].currency", "feeds[6]: caiso.dam.N comes from feeds[5]"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
}

func FuzzDeclarations(f *testing.F) {
	f.Add([]byte(declared))
	f.Fuzz(func(t *testing.T, text []byte) {
		plans, err := Parse(text, time.Now)
		if err != nil && !errors.Is(err, ErrInvalid) {
			t.Fatal(err)
		}
		for _, p := range plans {
			for _, s := range p.Feed.Series() {
				_ = s.Due(day0)
			}
		}
	})
}
