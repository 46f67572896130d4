package price

import (
	"math"
	"strings"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/tariff"
)

// What power usually costs is the newest statement's price, and before there is
// one, last month's for a flat load, demand charge and tax in.
func TestUsual(t *testing.T) {
	w := newWorld(t, time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC), 40*24*time.Hour)
	ctx, by := t.Context(), ledger.By("alice")
	if u, ok := w.Usual(ctx, "odessa"); ok {
		t.Errorf("without a contract: %+v", u)
	}
	if err := w.Sow(ctx, "odessa", "test", contract, by); err != nil {
		t.Fatal(err)
	}
	july := tariff.Month{Year: 2026, Month: 7}
	from, to := july.Span(w.zone)
	w.poller.Poll(ctx)
	var sum, n float64
	for at := from; at.Before(to); at = at.Add(quarter) {
		q, ok := w.Prices().At("sim.rtm", at)
		if !ok {
			t.Fatal("no price at", at)
		}
		sum, n = sum+q.Price.PerMWh()+1, n+1
	}
	// 1 MW at $30, 0.2 MW at the market, $2 for each of 1,200 kW, and a tenth of all.
	const hours = 744
	want := 1.1 * (hours*30 + 0.2*hours*sum/n + 2400) / (1.2 * hours)
	u, ok := w.Usual(ctx, "odessa")
	if !ok || math.Abs(u.Price.PerMWh()-want) > 0.001 || !strings.Contains(u.From, "flat 1.2MW in 2026-07") || !u.At.Equal(to) || u.Billed {
		t.Errorf("%+v %v, want %.4f", u, ok, want)
	}
	// A statement of a meter that saw a tenth of the month says nothing; a whole one does.
	w.meter(t, from, to, 0.9e6)
	st, err := w.Issue(ctx, "odessa", july, by)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := w.Usual(ctx, "odessa"); again.Price != u.Price {
		t.Error("reckoned anew within the hour")
	}
	w.clock.to(w.clock.Now().Add(2 * time.Hour))
	u, ok = w.Usual(ctx, "odessa")
	if want := st.Body.Total.Float() / st.Body.Metered.Float(); !ok || math.Abs(u.Price.PerMWh()-want) > 1e-5 || !u.Billed || u.From != "statement of 2026-07, all charges" {
		t.Errorf("%+v %v, want %.4f", u, ok, want)
	}
}

func TestUsualOfAMeterWithGaps(t *testing.T) {
	w := newWorld(t, time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC), 40*24*time.Hour)
	ctx, by := t.Context(), ledger.By("alice")
	if err := w.Sow(ctx, "odessa", "test", contract, by); err != nil {
		t.Fatal(err)
	}
	july := tariff.Month{Year: 2026, Month: 7}
	from, _ := july.Span(w.zone)
	w.poller.Poll(ctx)
	w.meter(t, from, from.Add(72*time.Hour), 0.9e6)
	if _, err := w.Issue(ctx, "odessa", july, by); err != nil {
		t.Fatal(err)
	}
	if u, ok := w.Usual(ctx, "odessa"); !ok || !strings.Contains(u.From, "flat") {
		t.Errorf("%+v %v", u, ok)
	}
}
