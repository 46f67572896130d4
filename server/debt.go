package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/debt"
	"ballast/debt/desk"
	"ballast/unit"
)

// Amount is money: an integer of minor units, and as a person reads it.
type Amount struct {
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
	Text     string `json:"text"`
}

func amount(m unit.Money) Amount { return Amount{m.Minor, string(m.Currency), desk.Full(m)} }

// Company is whose figures a page shows.
type Company struct {
	Name     string    `json:"name"`
	Currency string    `json:"currency"`
	Example  string    `json:"example,omitempty" doc:"Says that the company is made up; every page must show it."`
	Empty    bool      `json:"empty" doc:"Nothing was entered yet."`
	Rev      int64     `json:"rev" doc:"Of the book; a change names the revision that it was made from."`
	Day      string    `json:"day"`
	Now      time.Time `json:"now"`
	Remarks  []string  `json:"remarks" doc:"What whoever reads the figures must know first."`
}

func companyOf(d *desk.Desk) Company {
	t := d.Book.Terms
	c := Company{t.Company, string(t.Currency), t.Example, d.Book.Empty(), d.Book.Rev, d.On.String(), d.Now, []string{}}
	c.Remarks = append(c.Remarks, d.Remarks...)
	return c
}

// wholeCompany refuses who has the right at some sites only: a company's debt
// is no site's.
func wholeCompany(ctx context.Context) error {
	if !scope(ctx).All {
		return huma.Error403Forbidden("debt is the whole company's: it takes the right to money at all sites")
	}
	return nil
}

// ScopeQuery says which debt the ratio counts.
type ScopeQuery struct {
	Scope       string `query:"scope" enum:"mining,all" default:"mining" doc:"mining leaves out what is for AI."`
	Converts    bool   `query:"converts" default:"true" doc:"Count convertibles."`
	Prepayments bool   `query:"prepayments" default:"false" doc:"Count prepayments that are owed in service."`
}

func (q ScopeQuery) scope(t desk.Terms) debt.Scope {
	s := debt.Scope{Converts: !q.Converts, InKind: !q.Prepayments, SharePrice: t.SharePrice}
	if q.Scope != "all" {
		s.Purposes = []debt.Purpose{debt.ForMining, debt.ForGeneral}
	}
	return s
}

// open is the desk of a request.
func (s *Server) open(ctx context.Context, q ScopeQuery) (*desk.Desk, error) {
	if err := wholeCompany(ctx); err != nil {
		return nil, err
	}
	b, trouble, err := s.moneyBook(ctx)
	if err != nil {
		return nil, err
	}
	return s.deskOf(b, trouble, q.scope(b.Terms), time.Now()), nil
}

func (s *Server) registerDebt() {
	tags := []string{"debt"}
	op(s, huma.Operation{OperationID: "debt-position", Method: http.MethodGet, Path: "/api/v1/debt/position", Summary: "Where the company stands today", Tags: tags,
		Description: "The hashrate-debt ratio on four bases that are never mixed, what predicts distress better beside it, covenants, the maturity wall, and what changed since last week. Every figure carries its formula, its inputs, and their sources and ages."}, s.debtPosition)
	op(s, huma.Operation{OperationID: "debt-covenants", Method: http.MethodGet, Path: "/api/v1/debt/covenants", Summary: "Covenants with their headroom", Tags: tags}, s.debtCovenants)
	op(s, huma.Operation{OperationID: "debt-weeks", Method: http.MethodGet, Path: "/api/v1/debt/weeks", Summary: "Thirteen weeks of cash, to the cent", Tags: tags}, s.debtWeeks)
	op(s, huma.Operation{OperationID: "debt-hashcost", Method: http.MethodGet, Path: "/api/v1/debt/hashcost", Summary: "Hashcost step by step, and what moves of the market do", Tags: tags, Errors: []int{422}}, s.debtHashcost)
	s.registerRegister(tags)
	s.registerDebtImport(tags)
	s.registerBoard(tags)
}

// DebtPosition is where the company stands.
type DebtPosition struct {
	Company
	Scope     string              `json:"scope" doc:"Which debt the ratio counts, in words."`
	Counted   []CountedLine       `json:"counted" doc:"Each facility's part in the ratio."`
	Figures   []desk.Figure       `json:"figures"`
	Bases     []BasisSays         `json:"bases" doc:"What each basis of valuation means. Values on different bases are never added or averaged."`
	Covenants []desk.CovenantLine `json:"covenants"`
	Wall      []WallQuarter       `json:"wall" doc:"Cash that falls due in each of the next twelve quarters."`
	Changes   DebtChanges         `json:"changes"`
	LeftOut   []desk.LeftOut      `json:"left_out" doc:"Facilities that are in no figure, and why."`
}

// CountedLine is a facility's part in the ratio.
type CountedLine struct {
	Facility string `json:"facility"`
	Name     string `json:"name"`
	Purpose  string `json:"purpose"`
	Balance  Amount `json:"balance"`
	Excluded string `json:"excluded,omitempty" doc:"Why it is not counted."`
}

// BasisSays is what a basis of valuation means.
type BasisSays struct {
	Basis string `json:"basis"`
	Says  string `json:"says"`
}

// WallQuarter is a quarter of the maturity wall.
type WallQuarter struct {
	From      string            `json:"from" doc:"First day."`
	To        string            `json:"to"`
	Cash      Amount            `json:"cash"`
	Principal Amount            `json:"principal"`
	Interest  Amount            `json:"interest"`
	Fees      Amount            `json:"fees"`
	By        map[string]Amount `json:"by" doc:"Cash by facility."`
}

// DebtChanges is what changed since an earlier day.
type DebtChanges struct {
	Since   string        `json:"since,omitempty" doc:"The day that is compared with; none when no position was kept."`
	Note    string        `json:"note,omitempty"`
	Figures []desk.Change `json:"figures"`
	Drivers []desk.Driver `json:"drivers" doc:"What moved the ratio at market index; the parts add up."`
}

func (s *Server) debtPosition(ctx context.Context, in *ScopeQuery) (*struct{ Body DebtPosition }, error) {
	d, err := s.open(ctx, *in)
	if err != nil {
		return nil, err
	}
	body, err := s.positionOf(ctx, d)
	return &struct{ Body DebtPosition }{body}, err
}

func (s *Server) positionOf(ctx context.Context, d *desk.Desk) (DebtPosition, error) {
	body := DebtPosition{Company: companyOf(d), Scope: d.Scope.String(), Counted: []CountedLine{}, Figures: d.Figures(), Covenants: append([]desk.CovenantLine{}, d.Covenants()...), Wall: wallOf(d), LeftOut: append([]desk.LeftOut{}, d.LeftOut...)}
	for _, b := range desk.Bases {
		body.Bases = append(body.Bases, BasisSays{string(b), b.Says()})
	}
	if r, err := d.RatioOf(debt.AtIndex); err == nil {
		for _, l := range r.Counted {
			c := CountedLine{Facility: l.Facility, Balance: amount(l.Balance), Excluded: l.Excluded}
			for _, f := range d.Book.Facilities {
				if f.ID == l.Facility {
					c.Name, c.Purpose = f.Name, string(f.Purpose)
				}
			}
			body.Counted = append(body.Counted, c)
		}
	}
	var err error
	body.Changes, err = s.changesOf(ctx, d)
	return body, err
}

func wallOf(d *desk.Desk) []WallQuarter {
	out := []WallQuarter{}
	if len(d.Position.Book.Schedules) == 0 {
		return out
	}
	for _, p := range d.Position.Book.Wall(d.On, 3, 12) {
		q := WallQuarter{From: (p.From + 1).String(), To: p.To.String(), Cash: amount(p.Service.Cash), Principal: amount(p.Service.Principal), Interest: amount(p.Service.Interest), Fees: amount(p.Service.Fees), By: map[string]Amount{}}
		for id, m := range p.By {
			q.By[id] = amount(m)
		}
		out = append(out, q)
	}
	return out
}

// changesOf compares with the position kept about a week ago: the newest that is
// at least six days old, and at most fourteen.
func (s *Server) changesOf(ctx context.Context, d *desk.Desk) (DebtChanges, error) {
	out := DebtChanges{Figures: []desk.Change{}, Drivers: []desk.Driver{}}
	kept, err := s.Record.DebtDays(ctx, (d.On - 14).String(), (d.On - 6).String())
	if err != nil {
		return out, s.recordError("reading earlier positions", err)
	}
	if len(kept) == 0 {
		out.Note = "No position of a week ago is kept. Ballast keeps one each day; the comparison appears when the first is a week old."
		return out, nil
	}
	var then desk.Day
	last := kept[len(kept)-1]
	if err := json.Unmarshal(last.Body, &then); err != nil {
		return out, s.fail("reading the position of "+last.Day, err)
	}
	changes, drivers := d.Since(then)
	out.Since = last.Day
	out.Figures, out.Drivers = append(out.Figures, changes...), append(out.Drivers, drivers...)
	if len(drivers) == 0 {
		out.Note = "What moved the ratio cannot be told: it had no value then or has none now, or the scope is another one."
	}
	return out, nil
}

// keepDebtDays keeps the position of each day until ctx ends, as the day's last
// look had it.
func (s *Server) keepDebtDays(ctx context.Context) {
	// Machines answer within the first minutes; a position without them would say
	// that nothing hashes.
	wait := time.NewTimer(5 * time.Minute)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		if err := s.keepDebtDay(ctx, time.Now()); err != nil && ctx.Err() == nil {
			s.Log.Error("keeping the day's position", "error", err)
		}
		wait.Reset(time.Hour)
	}
}

func (s *Server) keepDebtDay(ctx context.Context, now time.Time) error {
	book, _, err := s.moneyBook(ctx)
	if err != nil {
		return err
	}
	if book.Empty() {
		return nil
	}
	d := s.deskOf(book, nil, ScopeQuery{Converts: true}.scope(book.Terms), now)
	body, err := json.Marshal(d.Day())
	if err != nil {
		return err
	}
	day := d.Day()
	return s.Record.SaveDebtDay(ctx, ledgerDay(day.On.String(), body, now))
}
