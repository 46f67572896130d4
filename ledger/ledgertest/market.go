package ledgertest

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"ballast/ledger"
)

func testMarket(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	point := func(series string, after time.Duration, v float64) ledger.MarketPoint {
		return ledger.MarketPoint{Series: series, At: at.Add(after), Value: v, Source: "here"}
	}
	ok(t, s.SaveMarketPoints(ctx, []ledger.MarketPoint{point("p", 0, 1), point("p", time.Hour, 2), point("p", 25*time.Hour, 3), point("p", 25*time.Hour, 1.0669e14), point("q", 0, 9)}))
	ok(t, s.SaveMarketPoints(ctx, []ledger.MarketPoint{point("p", time.Hour, 2.5)}))
	ok(t, s.SaveMarketPoints(ctx, nil))
	all := must(s.MarketPoints(ctx, "p", at, at.Add(48*time.Hour), 0))(t)
	if len(all) != 3 || all[1].Value != 2.5 || all[2].Value != 1.0669e14 || !all[0].At.Equal(at) || all[0].Source != "here" {
		t.Errorf("points %+v", all)
	}
	if days := must(s.MarketPoints(ctx, "p", at, at.Add(48*time.Hour), 24*time.Hour))(t); len(days) != 2 || days[0].Value != 2.5 {
		t.Errorf("by day %+v", days)
	}
	for _, bad := range []ledger.MarketPoint{{Series: "", At: at}, {Series: "p"}, {Series: "p", At: at, Value: math.NaN()}} {
		if err := s.SaveMarketPoints(ctx, []ledger.MarketPoint{bad}); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}

	block := func(h int64, body string) ledger.MarketBlock {
		return ledger.MarketBlock{Source: "node", Height: h, Body: json.RawMessage(body)}
	}
	ok(t, s.SaveMarketBlocks(ctx, []ledger.MarketBlock{block(1, "1"), block(2, "2"), block(3, "3")}, 0))
	ok(t, s.SaveMarketBlocks(ctx, []ledger.MarketBlock{{Source: "other", Height: 7, Body: json.RawMessage("7")}}, 0))
	// A reorganisation to a branch that is shorter by a block, and forgetting.
	ok(t, s.SaveMarketBlocks(ctx, []ledger.MarketBlock{block(2, "22")}, 2))
	if bs := must(s.MarketBlocks(ctx, "node"))(t); len(bs) != 1 || bs[0].Height != 2 || string(bs[0].Body) != "22" {
		t.Errorf("blocks %+v", bs)
	}
	if bs := must(s.MarketBlocks(ctx, "other"))(t); len(bs) != 1 {
		t.Errorf("another source's blocks %+v", bs)
	}
	if err := s.SaveMarketBlocks(ctx, []ledger.MarketBlock{{Source: "x", Height: 1, Body: json.RawMessage("{")}}, 0); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("a block that is no JSON: %v", err)
	}

	ok(t, s.SaveMarketEpochs(ctx, []ledger.MarketEpoch{{Number: 3, At: at, Bits: 0x1d00ffff, Source: "a"}, {Number: 2, At: at, Bits: 0xffffffff}}))
	ok(t, s.SaveMarketEpochs(ctx, []ledger.MarketEpoch{{Number: 3, At: at.Add(time.Hour), Bits: 0x1d00d86a, Source: "b"}}))
	if es := must(s.MarketEpochs(ctx))(t); len(es) != 2 || es[0].Bits != 0xffffffff || es[1].Number != 3 || es[1].Bits != 0x1d00d86a || es[1].Source != "b" {
		t.Errorf("epochs %+v", es)
	}
	if err := s.SaveMarketEpochs(ctx, []ledger.MarketEpoch{{Number: -1, At: at, Bits: 1}}); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("epoch -1: %v", err)
	}

	e := must(s.AddMarketEntry(ctx, ledger.MarketEntry{Series: ledger.SeriesPrice, Value: 61234.5, At: at, Source: "the exchange's page"}, ledger.By("alice")))(t)
	if e.ID == 0 || e.Actor != "alice" || e.EnteredAt != c.Now() {
		t.Errorf("entered %+v", e)
	}
	for _, bad := range []ledger.MarketEntry{
		{Series: "hashprice_usd", Value: 1, At: at, Source: "x"}, {Series: ledger.SeriesPrice, At: at, Source: "x"}, {Series: ledger.SeriesPrice, Value: 1, Source: "x"},
		{Series: ledger.SeriesPrice, Value: 1, At: at}, {Series: ledger.SeriesDifficulty, Value: math.Inf(1), At: at, Source: "x"}, {Series: ledger.SeriesFees, Value: -1, At: at, Source: "x"},
	} {
		if _, err := s.AddMarketEntry(ctx, bad, ledger.By("alice")); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	next := must(s.AddMarketEntry(ctx, ledger.MarketEntry{Series: ledger.SeriesFees, At: at, Source: "x"}, ledger.By("bob")))(t)
	ok(t, s.WithdrawMarketEntry(ctx, e.ID, ledger.By("bob")))
	if err := s.WithdrawMarketEntry(ctx, e.ID, ledger.By("bob")); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("withdrawn twice: %v", err)
	}
	if err := s.WithdrawMarketEntry(ctx, 99, ledger.By("bob")); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("withdrawing nothing: %v", err)
	}
	es := must(s.MarketEntries(ctx, 0, 10))(t)
	if len(es) != 2 || es[0].ID != next.ID || es[1].WithdrawnBy != "bob" || es[1].WithdrawnAt != c.Now() || es[1].Value != 61234.5 || !es[0].WithdrawnAt.IsZero() {
		t.Errorf("entries %+v", es)
	}
	if es := must(s.MarketEntries(ctx, next.ID, 10))(t); len(es) != 1 {
		t.Errorf("the second page %+v", es)
	}

	rig := ledger.RigPrice{At: at, Tier: "15-20 J/TH", Micro: 16_500_000, Currency: "USD", Kind: "index", Source: "x"}
	older := rig
	older.At = at.AddDate(0, -1, 0)
	rigs := must(s.AddRigPrices(ctx, []ledger.RigPrice{rig, older}, ledger.By("alice")))(t)
	if rigs[1].ID != rigs[0].ID+1 {
		t.Errorf("rig prices %+v", rigs)
	}
	if _, err := s.AddRigPrices(ctx, []ledger.RigPrice{{At: at, Tier: "all", Micro: 1, Currency: "USD", Kind: "index", Source: "y"}, rig}, ledger.By("alice")); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("the same price twice: %v", err)
	}
	if _, err := s.AddRigPrices(ctx, []ledger.RigPrice{{At: at, Tier: "all", Currency: "USD", Kind: "index", Source: "y"}}, ledger.By("alice")); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("a price of nothing: %v", err)
	}
	ok(t, s.DeleteRigPrice(ctx, rigs[0].ID, ledger.By("alice")))
	if err := s.DeleteRigPrice(ctx, rigs[0].ID, ledger.By("alice")); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if left := must(s.RigPrices(ctx))(t); len(left) != 1 || left[0].Micro != 16_500_000 || !left[0].At.Equal(older.At) || left[0].Actor != "alice" {
		t.Errorf("rig prices %+v", left)
	}
	if rows := must(s.AuditRows(ctx, ledger.AuditFilter{}))(t); len(rows) != 5 {
		t.Errorf("%d audit rows, want 5: two entries, a withdrawal, prices in and out", len(rows))
	}
	must(s.VerifyAudit(ctx))(t)
}
