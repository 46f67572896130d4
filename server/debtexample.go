package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ballast/debt"
	"ballast/debt/desk"
	"ballast/ledger"
	"ballast/unit"
)

// What a simulated machine hashes and draws on average, to size the debt of the
// example company to the site.
const (
	exampleTHs   = 160.0
	exampleWatts = 3400.0
)

// SeedExample gives a simulated site a made-up company with debts, unless the
// record has something of a company already. It waits for the simulated market
// for a while, so that the company fits it. It is never called for a real site.
func (s *Server) SeedExample(ctx context.Context, machines int) error {
	record := s.Record
	have, err := record.MoneyBook(ctx)
	if err != nil {
		return fmt.Errorf("reading the money book: %w", err)
	}
	if have.Rev > 0 {
		return nil
	}
	price, difficulty := int64(98_400), 128.4e12
	for range 400 {
		if s.Market == nil {
			break // nobody will tell
		}
		m := marketOf(s.MarketNow())
		if m.Price.Ok && m.Difficulty.Ok {
			price, difficulty = int64(m.Price.Value.Float()), m.Difficulty.Value
			break
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(250 * time.Millisecond):
		}
	}
	now := time.Now()
	ths, watts := float64(machines)*exampleTHs, float64(machines)*exampleWatts
	b, err := exampleBook(now, ths, watts, price, difficulty)
	if err != nil {
		return err
	}
	all := desk.Draft{Balances: b.Balances, Flows: b.Flows, Paid: b.Paid, Rates: b.Rates, Rigs: b.Rigs}
	for _, f := range b.Facilities {
		all.Facilities = append(all.Facilities, f.Facility)
	}
	change, err := writeDraft(0, all)
	if err != nil {
		return err
	}
	if change.Terms, err = json.Marshal(b.Terms); err != nil {
		return err
	}
	by := ledger.By("example")
	err = record.Tx(ctx, func(tx ledger.Tx) error {
		if err := writeRigs(ctx, tx, desk.Book{}, all, by); err != nil {
			return err
		}
		_, err := tx.ChangeMoney(ctx, change, by)
		return err
	})
	if errors.Is(err, ledger.ErrStale) {
		return nil // another program on the same record was faster
	}
	if err != nil {
		return fmt.Errorf("writing the example company: %w", err)
	}
	// A position of a week ago, so that the page can say what changed: fewer
	// machines and a lower price, made up like all of it.
	then := now.AddDate(0, 0, -7)
	b.Terms.Market.Price.Minor = b.Terms.Market.Price.Minor * 97 / 100
	b.Terms.Market.On = debt.DateOf(then)
	for i := range b.Balances { // known a week earlier, a little more cash
		b.Balances[i].On -= 7
		b.Balances[i].Amount.Minor = b.Balances[i].Amount.Minor * 104 / 100
	}
	for i := range b.Rigs {
		b.Rigs[i].At = b.Rigs[i].At.AddDate(0, 0, -7)
	}
	d := desk.Open(desk.In{Now: then, Book: b, Scope: ScopeQuery{Converts: true}.scope(b.Terms), Fleet: desk.Fleet{At: then, Groups: []desk.Group{{
		Site: "simulated", Machines: machines, Hashing: machines, Active: unit.Hashrate(ths * 0.94), Installed: unit.Hashrate(ths), Efficiency: unit.Efficiency(watts / ths),
		Power: desk.Of(b.Terms.Power["*"], desk.Source{How: desk.Entered, What: "made up", At: then}),
	}}}})
	body, err := json.Marshal(d.Day())
	if err != nil {
		return err
	}
	return record.SaveDebtDay(ctx, ledgerDay(d.On.String(), body, then))
}

// exampleBook is the example company as a book.
func exampleBook(now time.Time, ths, watts float64, price int64, difficulty float64) (desk.Book, error) {
	terms, files := desk.ExampleAt(now, ths, watts, price, difficulty)
	b := desk.Book{Terms: terms}
	for _, k := range desk.Kinds {
		draft, bad := desk.Read(k, files[k])
		if len(bad) == 0 {
			draft, _, bad = desk.Compare(b, draft)
		}
		if len(bad) > 0 {
			return b, fmt.Errorf("the example's %s, line %d, %s: %s", k, bad[0].Line, bad[0].Column, bad[0].Reason)
		}
		b = b.With(draft, desk.Source{How: desk.Entered, What: "made up", At: now})
	}
	return b, nil
}
