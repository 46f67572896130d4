package ledgertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"ballast/ledger"
)

func testMarketValues(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	at := c.Now()
	value := func(series string, n int, micro int64) ledger.MarketValue {
		return ledger.MarketValue{Series: series, Start: at.Add(time.Duration(n) * time.Hour), Length: time.Hour, Micro: micro, Published: at.Add(time.Minute), Received: at.Add(time.Duration(n) * time.Second)}
	}
	var want []ledger.MarketValue
	keep := func(vs ...ledger.MarketValue) {
		t.Helper()
		ok(t, s.KeepMarketValues(ctx, vs))
		want = append(want, vs...)
	}
	late := value("rtm", 0, -7_500_000) // below zero, revised, and without a time of publication
	late.Published = time.Time{}
	var many []ledger.MarketValue // more than one statement takes
	for n := range 450 {
		many = append(many, value("dam", n, int64(n)*1e6))
	}
	keep(value("rtm", 0, 31_000_000), value("dam", 0, 1), value("rtm", 1, 5))
	keep(late)
	keep(many...)
	keep()
	var got []ledger.MarketValue
	ok(t, s.WalkMarketValues(ctx, func(v ledger.MarketValue) error { got = append(got, v); return nil }))
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %d values, want %d; first %v", len(got), len(want), got[:min(4, len(got))])
	}
	stop := errors.New("stop")
	if err := s.WalkMarketValues(ctx, func(ledger.MarketValue) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the walker's error: %v", err)
	}
	for _, bad := range []ledger.MarketValue{{}, {Series: "x", Start: at, Received: at}, {Series: "x", Length: time.Hour, Received: at}, {Series: "x", Start: at, Length: time.Hour}} {
		if err := s.KeepMarketValues(ctx, []ledger.MarketValue{value("rtm", 9, 9), bad}); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	n := 0
	ok(t, s.WalkMarketValues(ctx, func(ledger.MarketValue) error { n++; return nil }))
	if n != len(want) {
		t.Errorf("a refused batch left %d values", n-len(want))
	}
}

func testPowerContracts(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	by := ledger.By("alice")
	one := must(s.AddPowerContract(ctx, ledger.PowerContract{Site: " odessa ", Name: "PPA", Text: "a: 1"}, by))(t)
	two := must(s.AddPowerContract(ctx, ledger.PowerContract{Site: "hood", Name: "Fixed", Text: "b: 1", Source: "file hood.yaml"}, by))(t)
	if one.ID == two.ID || one.Site != "odessa" || one.Revision != 1 || one.Source != "page" || !one.CreatedAt.Equal(c.Now()) {
		t.Errorf("added %+v", one)
	}
	for _, bad := range []ledger.PowerContract{{}, {Site: "x", Name: "n"}, {Site: "x", Text: "t"}, {Name: "n", Text: "t"}} {
		if _, err := s.AddPowerContract(ctx, bad, by); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	c.Advance(time.Hour)
	edited := one
	edited.Text = "a: 2"
	edited = must(s.EditPowerContract(ctx, edited, ledger.By("bob")))(t)
	if edited.Revision != 2 || !edited.UpdatedAt.Equal(c.Now()) || !edited.CreatedAt.Equal(one.CreatedAt) {
		t.Errorf("edited %+v", edited)
	}
	one.Text = "a: 3"
	if _, err := s.EditPowerContract(ctx, one, by); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("an edit of an old revision: %v", err)
	}
	if same := must(s.EditPowerContract(ctx, edited, by))(t); same.Revision != 2 {
		t.Errorf("the same text makes revision %d", same.Revision)
	}
	texts := must(s.ContractTexts(ctx, one.ID))(t)
	if len(texts) != 2 || texts[0].Text != "a: 2" || texts[0].Actor != "bob" || texts[1].Text != "a: 1" || texts[1].Actor != "alice" {
		t.Errorf("texts %+v", texts)
	}
	if all := must(s.PowerContracts(ctx, ""))(t); len(all) != 2 || all[0].Text != "a: 2" {
		t.Errorf("all %+v", all)
	}

	body, detail := json.RawMessage(`{"total":"$1.00"}`), []byte{0, 1, 2, 255}
	st := must(s.IssueStatement(ctx, ledger.IssuedStatement{Contract: one.ID, Revision: 2, Site: "odessa", Month: "2026-02", Body: body, Detail: detail}, by))(t)
	if st.ID == 0 || st.IssuedBy != "alice" || !st.IssuedAt.Equal(c.Now()) {
		t.Errorf("issued %+v", st)
	}
	if _, err := s.IssueStatement(ctx, ledger.IssuedStatement{Contract: one.ID, Site: "odessa", Month: "2026-02", Body: body}, by); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("issued twice: %v", err)
	}
	if _, err := s.IssueStatement(ctx, ledger.IssuedStatement{Contract: 99, Site: "odessa", Month: "2026-02", Body: body}, by); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("of no contract: %v", err)
	}
	if _, err := s.IssueStatement(ctx, ledger.IssuedStatement{Contract: one.ID, Site: "odessa", Month: "2026-03", Body: []byte("{")}, by); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("no JSON: %v", err)
	}
	must(s.IssueStatement(ctx, ledger.IssuedStatement{Contract: one.ID, Site: "odessa", Month: "2026-01", Body: body}, by))(t)
	must(s.IssueStatement(ctx, ledger.IssuedStatement{Contract: two.ID, Site: "hood", Month: "2026-02", Body: body}, by))(t)
	list := must(s.IssuedStatements(ctx, "odessa", one.ID, "2026-01", "2026-02"))(t)
	if len(list) != 2 || list[0].Month != "2026-01" || list[1].Month != "2026-02" || list[1].Detail != nil {
		t.Errorf("listed %+v", list)
	}
	if list := must(s.IssuedStatements(ctx, "", 0, "2026-02", ""))(t); len(list) != 2 {
		t.Errorf("of all: %+v", list)
	}
	if got := must(s.IssuedStatement(ctx, st.ID))(t); string(got.Body) != string(body) || string(got.Detail) != string(detail) || got.Revision != 2 {
		t.Errorf("read %+v", got)
	}
	if _, err := s.IssuedStatement(ctx, 99); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("none: %v", err)
	}

	ok(t, s.RemovePowerContract(ctx, one.ID, by))
	if err := s.RemovePowerContract(ctx, one.ID, by); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if _, err := s.EditPowerContract(ctx, edited, by); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("edited a removed one: %v", err)
	}
	if left := must(s.PowerContracts(ctx, "odessa"))(t); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
	if got := must(s.PowerContract(ctx, one.ID))(t); got.Removed.IsZero() || got.Text != "a: 2" {
		t.Errorf("the removed one %+v", got)
	}
	if _, err := s.PowerContract(ctx, 99); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("none: %v", err)
	}
	actions := map[string]int{}
	for _, r := range must(s.AuditRows(ctx, ledger.AuditFilter{}))(t) {
		actions[r.Action]++
	}
	for action, n := range map[string]int{"contract.add": 2, "contract.edit": 1, "contract.remove": 1, "statement.issue": 3} {
		if actions[action] != n {
			t.Errorf("%s is audited %d times, want %d", action, actions[action], n)
		}
	}
}

func testForecasts(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	day := func(n int) time.Time { return c.Now().Add(time.Duration(n) * 24 * time.Hour) }
	add := func(series, model, horizon string, n int) ledger.StoredForecast {
		t.Helper()
		return must(s.AddForecast(ctx, ledger.StoredForecast{Series: series, Model: model, Horizon: horizon, Issued: day(n - 1), Start: day(n), End: day(n + 1), Body: json.RawMessage(`{"v":1}`)}))(t)
	}
	one := add("dam", "lear@1", "day", 1)
	add("dam", "naive@1", "day", 1)
	two := add("dam", "lear@1", "day", 2)
	add("dam", "next@1", "next", 1)
	add("rtm", "lear@1", "day", 1)
	if _, err := s.AddForecast(ctx, ledger.StoredForecast{Series: "dam", Model: "lear@1", Horizon: "day", Start: day(1), End: day(2), Body: []byte("{}")}); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("the same forecast twice: %v", err)
	}
	if _, err := s.AddForecast(ctx, ledger.StoredForecast{Series: "dam", Model: "x", Horizon: "day", Start: day(2), End: day(2), Body: []byte("{}")}); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("no length: %v", err)
	}
	ids := func(f ledger.ForecastFilter) (out []int64) {
		t.Helper()
		for _, v := range must(s.Forecasts(ctx, f))(t) {
			out = append(out, v.ID)
		}
		return out
	}
	if got := ids(ledger.ForecastFilter{Series: "dam", Model: "lear@1", Horizon: "day"}); len(got) != 2 || got[0] != two.ID || got[1] != one.ID {
		t.Errorf("of a model %v", got)
	}
	ok(t, s.ScoreForecast(ctx, one.ID, json.RawMessage(`{"error":1.5}`)))
	ok(t, s.ScoreForecast(ctx, one.ID, json.RawMessage(`{"error":1.25}`)))
	if err := s.ScoreForecast(ctx, 99, []byte(`{}`)); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("scored none: %v", err)
	}
	if err := s.ScoreForecast(ctx, one.ID, []byte(`{`)); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("no JSON: %v", err)
	}
	scored := must(s.Forecasts(ctx, ledger.ForecastFilter{Scored: true, NoBody: true}))(t)
	if len(scored) != 1 || string(scored[0].Score) != `{"error":1.25}` || scored[0].Body != nil || scored[0].Scored.IsZero() {
		t.Errorf("scored %+v", scored)
	}
	if got := ids(ledger.ForecastFilter{Unscored: true, EndBefore: day(2)}); len(got) != 3 {
		t.Errorf("unscored and over: %v", got)
	}
	if got := ids(ledger.ForecastFilter{From: day(2), To: day(3)}); len(got) != 1 || got[0] != two.ID {
		t.Errorf("of a span: %v", got)
	}
	if got := ids(ledger.ForecastFilter{Before: two.ID, Limit: 1}); len(got) != 1 || got[0] != two.ID-1 {
		t.Errorf("a page: %v", got)
	}
	if n := must(s.DropForecasts(ctx, "next", day(9)))(t); n != 1 {
		t.Errorf("dropped %d", n)
	}

	must(s.SetChampion(ctx, ledger.Champion{Series: "dam", Horizon: "day", Model: "lear@1", Reason: "first"}, ledger.By("system")))(t)
	c.Advance(time.Hour)
	must(s.SetChampion(ctx, ledger.Champion{Series: "dam", Horizon: "day", Model: "ensemble@1", Reason: "beat it"}, ledger.By("system")))(t)
	if _, err := s.SetChampion(ctx, ledger.Champion{Series: "dam"}, ledger.By("system")); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("no model: %v", err)
	}
	champions := must(s.Champions(ctx, "dam"))(t)
	if len(champions) != 2 || champions[0].Model != "ensemble@1" || !champions[0].Since.Equal(c.Now()) || len(must(s.Champions(ctx, "rtm"))(t)) != 0 {
		t.Errorf("champions %+v", champions)
	}
	if rows := must(s.AuditRows(ctx, ledger.AuditFilter{Action: "forecast.champion"}))(t); len(rows) != 2 {
		t.Errorf("%d champions are audited", len(rows))
	}
	card := ledger.ModelCard{Series: "dam", Horizon: "day", Model: "lear@1", At: c.Now(), Body: json.RawMessage(`{"n":1}`)}
	ok(t, s.SaveModelCard(ctx, card))
	card.Body = json.RawMessage(`{"n":2}`)
	ok(t, s.SaveModelCard(ctx, card))
	if cards := must(s.ModelCards(ctx, ""))(t); len(cards) != 1 || string(cards[0].Body) != `{"n":2}` || !cards[0].At.Equal(c.Now()) {
		t.Errorf("cards %+v", cards)
	}
	if err := s.SaveModelCard(ctx, ledger.ModelCard{}); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("no card: %v", err)
	}
}
