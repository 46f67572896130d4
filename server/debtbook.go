package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"ballast/debt"
	"ballast/debt/desk"
	"ballast/fleet"
	"ballast/ledger"
	"ballast/market"
	"ballast/market/ticker"
	"ballast/miner"
	"ballast/unit"
)

// entryDoc is what an entry of the money book says beside its columns.
type entryDoc struct {
	Pledged bool       `json:"pledged,omitempty"`
	Every   desk.Every `json:"every,omitempty"`
	Until   debt.Date  `json:"until,omitzero"`
	Source  string     `json:"source,omitempty"`
}

// The kinds of entry, as the record has them.
const (
	entryBalance = "balance"
	entryFlow    = "flow"
	entryPayment = "payment"
	entryRate    = "rate"
)

// readBook makes the desk's book of the record's. What cannot be read is told,
// and is in no figure: one damaged row must not hide a company's debt.
func readBook(b ledger.MoneyBook) (desk.Book, []string) {
	out := desk.Book{Rev: b.Rev}
	var trouble []string
	t, err := desk.ReadTerms(b.Terms.Body)
	if err != nil {
		trouble = append(trouble, "The company's terms cannot be used: "+err.Error())
	}
	out.Terms = t
	if b.Terms.Version > 0 {
		out.TermsFrom = desk.Source{How: desk.Entered, What: "by " + b.Terms.Actor, At: b.Terms.At}
	}
	for _, f := range b.Facilities {
		r := desk.Recorded{Version: f.Version, Source: desk.Source{How: desk.Entered, What: fmt.Sprintf("facility %s, version %d, by %s", f.ID, f.Version, f.Actor), At: f.At}}
		if err := json.Unmarshal(f.Body, &r.Facility); err != nil {
			trouble = append(trouble, fmt.Sprintf("Facility %s cannot be read and is in no figure: %v", f.ID, err))
			continue
		}
		if r.Facility.Source != "" {
			r.Source.What += ", from " + r.Facility.Source
		}
		out.Facilities = append(out.Facilities, r)
	}
	for _, e := range b.Entries {
		if err := readEntry(&out, e); err != nil {
			trouble = append(trouble, fmt.Sprintf("The %s of %s on %s cannot be read and is in no figure: %v", e.Kind, e.Name, e.Day, err))
		}
	}
	return out, trouble
}

func readEntry(out *desk.Book, e ledger.MoneyEntry) error {
	var doc entryDoc
	if err := json.Unmarshal(e.Doc, &doc); err != nil {
		return err
	}
	on, err := debt.ParseDate(e.Day)
	if err != nil {
		return err
	}
	what := "by " + e.Actor
	if doc.Source != "" {
		what += ", from " + doc.Source
	}
	s := desk.Source{How: desk.Entered, What: what, At: on.Time()}
	amount := unit.Money{Minor: e.Amount, Currency: unit.Currency(e.Currency)}
	switch e.Kind {
	case entryBalance:
		out.Balances = append(out.Balances, desk.Balance{ID: e.ID, On: on, Account: e.Name, Amount: amount, Pledged: doc.Pledged, Note: doc.Source, Source: s})
	case entryFlow:
		s.At = e.At
		out.Flows = append(out.Flows, desk.Flow{ID: e.ID, On: on, Line: debt.Line(e.Name), Amount: amount, Every: doc.Every, Until: doc.Until, Name: e.Part, Note: doc.Source, Source: s})
	case entryPayment:
		due, err := debt.ParseDate(e.Part)
		if err != nil {
			return err
		}
		out.Paid = append(out.Paid, desk.Paid{ID: e.ID, Facility: e.Name, Due: due, On: on, Amount: amount, Note: doc.Source, Source: s})
	case entryRate:
		out.Rates = append(out.Rates, desk.RatePoint{ID: e.ID, Name: e.Name, On: on, Rate: debt.Rate(e.Amount), Note: doc.Source, Source: s})
	}
	return nil
}

// writeRigs puts a draft's prices of machines into the record, in place of those
// of the same day, tier and kind.
func writeRigs(ctx context.Context, tx ledger.Tx, b desk.Book, d desk.Draft, by ledger.Audit) error {
	if len(d.Rigs) == 0 {
		return nil
	}
	var add []ledger.RigPrice
	for _, x := range d.Rigs {
		for i, old := range b.Rigs {
			if old.At.Equal(x.At) && old.Tier == x.Tier && old.Kind == x.Kind {
				if err := tx.DeleteRigPrice(ctx, b.RigIDs[i], by); err != nil {
					return err
				}
			}
		}
		add = append(add, ledger.RigPrice{At: x.At, Tier: x.Tier.String(), Micro: x.Rate.Micro, Currency: string(x.Rate.Currency), Kind: string(x.Kind), Source: x.Source})
	}
	_, err := tx.AddRigPrices(ctx, add, by)
	return err
}

// writeDraft makes the record's change of a draft, all but prices of machines:
// these are the market's, see writeRigs.
func writeDraft(seen int64, d desk.Draft) (ledger.MoneyChange, error) {
	c := ledger.MoneyChange{Seen: seen}
	for _, f := range d.Facilities {
		r, err := writeFacility(f)
		if err != nil {
			return c, err
		}
		c.Facilities = append(c.Facilities, r)
	}
	var err error
	add := func(e ledger.MoneyEntry, doc entryDoc) {
		b, bad := json.Marshal(doc)
		if bad != nil {
			err = bad
		}
		e.Doc = b
		c.Entries = append(c.Entries, e)
	}
	for _, x := range d.Balances {
		add(ledger.MoneyEntry{Kind: entryBalance, Day: x.On.String(), Name: x.Account, Amount: x.Amount.Minor, Currency: string(x.Amount.Currency)}, entryDoc{Pledged: x.Pledged, Source: x.Note})
	}
	for _, x := range d.Flows {
		add(ledger.MoneyEntry{Kind: entryFlow, Day: x.On.String(), Name: string(x.Line), Part: x.Name, Amount: x.Amount.Minor, Currency: string(x.Amount.Currency)}, entryDoc{Every: x.Every, Until: x.Until, Source: x.Note})
	}
	for _, x := range d.Paid {
		add(ledger.MoneyEntry{Kind: entryPayment, Day: x.On.String(), Name: x.Facility, Part: x.Due.String(), Amount: x.Amount.Minor, Currency: string(x.Amount.Currency)}, entryDoc{Source: x.Note})
	}
	for _, x := range d.Rates {
		add(ledger.MoneyEntry{Kind: entryRate, Day: x.On.String(), Name: x.Name, Amount: int64(x.Rate)}, entryDoc{Source: x.Note})
	}
	return c, err
}

func writeFacility(f debt.Facility) (ledger.Facility, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return ledger.Facility{}, fmt.Errorf("writing facility %s: %w", f.ID, err)
	}
	return ledger.Facility{ID: f.ID, Principal: f.Principal.Minor, Currency: string(f.Principal.Currency), Body: b}, nil
}

// moneyBook reads the company's book.
func (s *Server) moneyBook(ctx context.Context) (desk.Book, []string, error) {
	b, err := s.Record.MoneyBook(ctx)
	if err != nil {
		return desk.Book{}, nil, s.recordError("reading the money book", err)
	}
	out, trouble := readBook(b)
	prices, err := s.Record.RigPrices(ctx)
	if err != nil {
		return desk.Book{}, nil, s.recordError("reading the machine prices", err)
	}
	return out, append(trouble, readRigs(&out, prices)...), nil
}

// readRigs puts the record's prices of machines into a book.
func readRigs(out *desk.Book, prices []ledger.RigPrice) []string {
	var trouble []string
	for _, p := range prices {
		t, err := market.ParseTier(strings.TrimSuffix(p.Tier, " J/TH"))
		if err != nil {
			trouble = append(trouble, fmt.Sprintf("The price of machines of %s for %s cannot be read and is in no figure: %v", p.At.Format(time.DateOnly), p.Tier, err))
			continue
		}
		out.Rigs = append(out.Rigs, market.RigPrice{At: p.At, Tier: t, Rate: market.RigRate{Micro: p.Micro, Currency: unit.Currency(p.Currency)}, Kind: market.RigPriceKind(p.Kind), Source: p.Source})
		out.RigIDs = append(out.RigIDs, p.ID)
	}
	return trouble
}

// marketOf is the market of now as the desk takes it.
func marketOf(st ticker.State) desk.Market {
	var m desk.Market
	if q, ok := st.Price.Get(); ok {
		m.Price = desk.Of(q.Value, quoteSource(q))
	}
	if q, ok := st.Difficulty.Get(); ok {
		m.Difficulty = desk.Of(q.Value, quoteSource(q))
	}
	if q, ok := st.Tip.Get(); ok {
		m.Height = desk.Of(q.Value, quoteSource(q))
	}
	fees, ok := st.Fees.Get()
	subsidy, ok2 := st.Subsidy.Get()
	if all := fees.Value + float64(subsidy.Value); ok && ok2 && all > 0 {
		src := quoteSource(fees)
		src.What = "fees of a block over subsidy and fees, mean of 144 blocks, " + src.What
		m.FeeShare = desk.Of(fees.Value/all, src)
	}
	return m
}

func quoteSource[T any](q ticker.Quote[T]) desk.Source {
	if q.ByHand {
		return desk.Source{How: desk.Entered, What: "by hand: " + q.Source, At: q.At}
	}
	return desk.Source{How: desk.Quoted, What: q.Source, At: q.At}
}

func (s *Server) deskOf(b desk.Book, trouble []string, sc debt.Scope, now time.Time) *desk.Desk {
	d := desk.Open(desk.In{Now: now, Book: b, Scope: sc, Fleet: s.liveFleet(b.Terms, b.TermsFrom, now), Market: marketOf(s.MarketNow())})
	d.Remarks = append(trouble, d.Remarks...)
	return d
}

// liveFleet is the fleet as it hashes now, by site and model.
func (s *Server) liveFleet(t desk.Terms, from desk.Source, now time.Time) desk.Fleet {
	type sum struct {
		desk.Group
		age   time.Duration
		watts float64 // of those that tell both
		told  float64 // hashrate of those
		rest  float64 // hashrate of those that do not tell their power
		plate float64 // J/TH of the nameplate
	}
	out := desk.Fleet{}
	at := map[[2]string]*sum{}
	for _, st := range s.Fleet.All() {
		m := st.Machine
		if !m.Retired.IsZero() {
			continue
		}
		k := [2]string{m.Site, m.Model}
		g, ok := at[k]
		if !ok {
			g = &sum{Group: desk.Group{Site: m.Site, Model: m.Model}}
			if row, ok := miner.LookupModel(m.Model); ok {
				g.plate = float64(row.Efficiency())
			}
			at[k] = g
		}
		g.Machines++
		g.age += now.Sub(m.FirstSeen)
		if st.Reading == nil {
			continue
		}
		nominal := float64(st.Reading.HashrateNominal.Or(0))
		h := float64(st.Reading.HashrateNow.OrElse(st.Reading.HashrateAverage).Or(0))
		g.Installed += unit.Hashrate(max(nominal, 0))
		if st.Condition != fleet.CondHashing && st.Condition != fleet.CondDegraded || !(h > 0) {
			continue
		}
		g.Hashing++
		if out.At.IsZero() || st.LastAnswer.Before(out.At) {
			out.At = st.LastAnswer
		}
		if w, ok := st.Reading.Power.Get(); ok && w > 0 {
			g.watts += float64(w)
			g.told += h
		} else {
			g.rest += h
		}
	}
	for _, g := range at {
		switch {
		case g.told > 0:
			g.Active = unit.Hashrate(g.told + g.rest)
			g.Efficiency = unit.Efficiency(g.watts / g.told)
		case g.rest > 0 && g.plate > 0:
			g.Active, g.Efficiency, g.Nameplate = unit.Hashrate(g.rest), unit.Efficiency(g.plate), true
		case g.rest > 0:
			out.Untold += g.Hashing
			continue
		case g.plate > 0:
			g.Efficiency, g.Nameplate = unit.Efficiency(g.plate), true
		default:
			continue // nothing hashes, and nobody knows what it would draw
		}
		g.Installed = max(g.Installed, g.Active)
		g.Age = g.age / time.Duration(max(1, g.Machines))
		g.Power = s.powerOf(t, from, g.Site, now)
		out.Groups = append(out.Groups, g.Group)
	}
	slices.SortFunc(out.Groups, func(a, b desk.Group) int {
		if a.Active != b.Active {
			if a.Active > b.Active {
				return -1
			}
			return 1
		}
		if a.Site+a.Model < b.Site+b.Model {
			return -1
		}
		return 1
	})
	return out
}

// powerOf is what power costs at a site: as entered for that very site, as its
// contract has charged over a month, as it charges now, or as entered for all
// sites.
func (s *Server) powerOf(t desk.Terms, from desk.Source, site string, now time.Time) desk.Known[unit.EnergyPrice] {
	entered := from
	if p, ok := t.Power[site]; ok {
		entered.What = "power price of " + site + ", " + from.What
		return desk.Of(p, entered)
	}
	if s.PriceDesk != nil {
		if u, ok := s.PriceDesk.Usual(context.Background(), site); ok {
			how := desk.Modelled
			if u.Billed {
				how = desk.Quoted
			}
			return desk.Of(u.Price, desk.Source{How: how, What: "power at " + site + ": " + u.From, At: u.At})
		}
	}
	if s.Prices != nil {
		if p, ok := s.Prices(site, now).Power.Get(); ok {
			return desk.Of(p, desk.Source{How: desk.Quoted, What: "electricity contract of " + site + ", the price of this moment", At: now})
		}
	}
	if p, ok := t.Power["*"]; ok {
		entered.What = "power price of all sites, " + from.What
		return desk.Of(p, entered)
	}
	return desk.Known[unit.EnergyPrice]{}
}
