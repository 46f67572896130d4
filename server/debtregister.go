package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/debt"
	"ballast/debt/desk"
	"ballast/ledger"
	"ballast/unit"
)

func (s *Server) registerRegister(tags []string) {
	op(s, huma.Operation{OperationID: "facilities", Method: http.MethodGet, Path: "/api/v1/debt/facilities", Summary: "The register of facilities", Tags: tags}, s.facilities)
	op(s, huma.Operation{OperationID: "facility", Method: http.MethodGet, Path: "/api/v1/debt/facilities/{id}", Summary: "One facility with its schedule to the last cent, what was paid, and its versions", Tags: tags, Errors: []int{404}}, s.facility)
	op(s, huma.Operation{OperationID: "save-facility", Method: http.MethodPut, Path: "/api/v1/debt/facilities/{id}", Summary: "Add or change a facility, or only see its schedule", Tags: tags, Errors: []int{412, 422}}, s.saveFacility)
	op(s, huma.Operation{OperationID: "remove-facility", Method: http.MethodDelete, Path: "/api/v1/debt/facilities/{id}", Summary: "Take a facility off the register; its versions stay", Tags: tags, Errors: []int{404, 412}}, s.removeFacility)
	op(s, huma.Operation{OperationID: "debt-terms", Method: http.MethodGet, Path: "/api/v1/debt/terms", Summary: "What the company's figures are reckoned with", Tags: tags}, s.debtTerms)
	op(s, huma.Operation{OperationID: "save-debt-terms", Method: http.MethodPut, Path: "/api/v1/debt/terms", Summary: "Change the company's terms and assumptions", Tags: tags, Errors: []int{412, 422}}, s.saveDebtTerms)
	op(s, huma.Operation{OperationID: "drop-debt-entry", Method: http.MethodDelete, Path: "/api/v1/debt/entries/{id}", Summary: "Drop a balance, planned flow, payment, price or rate", Tags: tags, Errors: []int{404, 412}}, s.dropDebtEntry)
}

// FacilityRow is one line of the register.
type FacilityRow struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Lender     string `json:"lender"`
	Obligor    string `json:"obligor"`
	Kind       string `json:"kind"`
	Purpose    string `json:"purpose"`
	Recourse   string `json:"recourse"`
	Principal  Amount `json:"principal"`
	Balance    Amount `json:"balance"`
	Rate       string `json:"rate"`
	Drawn      string `json:"drawn"`
	Maturity   string `json:"maturity"`
	NextDue    string `json:"next_due,omitempty"`
	NextCash   Amount `json:"next_cash"`
	Year       Amount `json:"due_in_a_year"`
	Short      Amount `json:"short" doc:"Due and not recorded as paid, where payments are recorded."`
	Covenants  int    `json:"covenants"`
	Version    int    `json:"version"`
	Trouble    string `json:"trouble,omitempty" doc:"Why it has no schedule."`
	Collateral string `json:"collateral,omitempty"`
}

// Register is the register of facilities.
type Register struct {
	Company
	Facilities []FacilityRow `json:"facilities"`
	Total      Amount        `json:"total" doc:"Of what is owed today."`
}

func (s *Server) facilities(ctx context.Context, _ *struct{}) (*struct{ Body Register }, error) {
	d, err := s.open(ctx, ScopeQuery{Converts: true})
	if err != nil {
		return nil, err
	}
	return &struct{ Body Register }{registerOf(d)}, nil
}

func registerOf(d *desk.Desk) Register {
	out := Register{Company: companyOf(d), Facilities: []FacilityRow{}, Total: amount(d.Position.Book.Balance(d.On))}
	for _, f := range d.Book.Facilities {
		out.Facilities = append(out.Facilities, rowOfFacility(d, f))
	}
	return out
}

func rateWords(i debt.Interest) string {
	if i.Index == "" {
		return i.Fixed.String()
	}
	text := i.Index + " + " + i.Margin.String()
	if v, ok := i.Floor.Get(); ok {
		text += ", floor " + v.String()
	}
	if v, ok := i.Cap.Get(); ok {
		text += ", cap " + v.String()
	}
	return text
}

func rowOfFacility(d *desk.Desk, f desk.Recorded) FacilityRow {
	zero := amount(unit.Money{Currency: f.Principal.Currency})
	r := FacilityRow{ID: f.ID, Name: f.Name, Lender: f.Lender, Obligor: f.Obligor, Kind: string(f.Kind), Purpose: string(f.Purpose), Recourse: string(f.Recourse), Principal: amount(f.Principal),
		Balance: zero, Rate: rateWords(f.Interest), Drawn: f.Drawn.String(), Maturity: f.Maturity.String(), NextCash: zero, Year: zero, Short: zero, Covenants: len(f.Covenants), Version: f.Version, Collateral: desk.SecuredBy(f.Secured)}
	for _, l := range d.LeftOut {
		if l.Facility == f.ID {
			r.Trouble = l.Why
		}
	}
	st, ok := d.Statement(f.ID)
	if !ok {
		return r
	}
	r.Balance = amount(st.Balance)
	for _, l := range st.Lines {
		if l.Due > d.On {
			r.NextDue, r.NextCash = l.Due.String(), amount(l.Cash)
			break
		}
	}
	for _, sch := range d.Position.Book.Schedules {
		if sch.Facility.ID == f.ID {
			r.Year = amount(sch.Due(d.On, d.On.AddMonths(12)).Cash)
		}
	}
	if st.Recorded > 0 {
		r.Short = amount(st.Short)
	}
	return r
}

// FacilityPage is one facility.
type FacilityPage struct {
	Company
	Facility  debt.Facility     `json:"facility"`
	Row       FacilityRow       `json:"row"`
	Source    desk.Source       `json:"source"`
	Accrued   Amount            `json:"accrued" doc:"Interest since the last payment."`
	Due       Amount            `json:"due_to_date"`
	Paid      Amount            `json:"paid_to_date"`
	Short     Amount            `json:"short" doc:"Due and not paid."`
	Recorded  int               `json:"recorded" doc:"Payments that are recorded; with none, what is due counts as neither paid nor missed."`
	Schedule  []ScheduleLine    `json:"schedule"`
	Payments  []PaymentLine     `json:"payments"`
	Contagion []ContagionLine   `json:"contagion" doc:"Who falls due when this one defaults, by cross-default clauses."`
	Versions  []FacilityVersion `json:"versions"`
	Margin    *MarginPage       `json:"margin,omitempty"`
}

// ScheduleLine is one payment of a schedule. To the cent, closing = opening +
// drawn + capitalised - principal - swept.
type ScheduleLine struct {
	From        string `json:"from"`
	Due         string `json:"due"`
	Rate        string `json:"rate"`
	Opening     Amount `json:"opening"`
	Drawn       Amount `json:"drawn"`
	Interest    Amount `json:"interest"`
	Capitalised Amount `json:"capitalised"`
	Principal   Amount `json:"principal"`
	Swept       Amount `json:"swept"`
	Fees        Amount `json:"fees"`
	InKind      Amount `json:"in_kind"`
	Cash        Amount `json:"cash"`
	Closing     Amount `json:"closing"`
	Paid        Amount `json:"paid"`
	State       string `json:"state" enum:"drawn,paid,part paid,overdue,to come,not recorded"`
}

// PaymentLine is a payment that was made.
type PaymentLine struct {
	ID     int64       `json:"id"`
	Due    string      `json:"due"`
	On     string      `json:"on"`
	Amount Amount      `json:"amount"`
	Source desk.Source `json:"source"`
	Stray  bool        `json:"stray,omitempty" doc:"Nothing is due on that day."`
}

// ContagionLine is a facility that falls due because another did.
type ContagionLine struct {
	Facility string `json:"facility"`
	Because  string `json:"because"`
	Round    int    `json:"round"`
	Amount   Amount `json:"amount"`
}

// FacilityVersion is one state that a facility was in.
type FacilityVersion struct {
	Version int                `json:"version"`
	At      time.Time          `json:"at"`
	Actor   string             `json:"actor"`
	Removed bool               `json:"removed,omitempty"`
	Changed []desk.FieldChange `json:"changed" doc:"Against the version before."`
}

// MarginPage is where a loan on bitcoin stands.
type MarginPage struct {
	LTV       float64 `json:"ltv"`
	Called    bool    `json:"called"`
	Liquidate bool    `json:"liquidate"`
	CallAt    Amount  `json:"call_price" doc:"Of a bitcoin, at which the lender calls."`
	SellAt    Amount  `json:"liquidation_price"`
	Pay       Amount  `json:"pay" doc:"Restores the initial loan to value."`
	Post      Amount  `json:"post" doc:"So do these coins."`
}

type facilityInput struct {
	ID string `path:"id" maxLength:"100"`
}

func (s *Server) facility(ctx context.Context, in *facilityInput) (*struct{ Body FacilityPage }, error) {
	d, err := s.open(ctx, ScopeQuery{Converts: true})
	if err != nil {
		return nil, err
	}
	page, err := s.facilityPage(ctx, d, in.ID)
	if err != nil {
		return nil, err
	}
	return &struct{ Body FacilityPage }{page}, nil
}

func (s *Server) facilityPage(ctx context.Context, d *desk.Desk, id string) (FacilityPage, error) {
	i := slices.IndexFunc(d.Book.Facilities, func(f desk.Recorded) bool { return f.ID == id })
	if i < 0 {
		return FacilityPage{}, huma.Error404NotFound("there is no facility " + id)
	}
	page := pageOf(d, d.Book.Facilities[i])
	versions, err := s.Record.FacilityVersions(ctx, id)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return page, s.recordError("reading versions of the facility", err)
	}
	for k, v := range versions {
		line := FacilityVersion{v.Version, v.At, v.Actor, v.Removed, []desk.FieldChange{}}
		if k+1 < len(versions) && !v.Removed {
			line.Changed = append(line.Changed, desk.Fields(versions[k+1].Body, v.Body)...)
		}
		page.Versions = append(page.Versions, line)
	}
	return page, nil
}

// pageOf is a facility as the desk has it.
func pageOf(d *desk.Desk, f desk.Recorded) FacilityPage {
	zero := amount(unit.Money{Currency: f.Principal.Currency})
	page := FacilityPage{Company: companyOf(d), Facility: f.Facility, Row: rowOfFacility(d, f), Source: f.Source, Accrued: zero, Due: zero, Paid: zero, Short: zero, Schedule: []ScheduleLine{}, Payments: []PaymentLine{}, Contagion: []ContagionLine{}, Versions: []FacilityVersion{}}
	st, ok := d.Statement(f.ID)
	if !ok {
		return page
	}
	page.Accrued, page.Due, page.Paid, page.Short, page.Recorded = amount(st.Accrued), amount(st.DueToDate), amount(st.PaidToDate), amount(st.Short), st.Recorded
	for _, l := range st.Lines {
		page.Schedule = append(page.Schedule, ScheduleLine{l.From.String(), l.Due.String(), l.Rate.String(), amount(l.Opening), amount(l.Drawn), amount(l.Interest), amount(l.Capitalised), amount(l.Principal), amount(l.Swept), amount(l.Fees), amount(l.InKind), amount(l.Cash), amount(l.Closing), amount(l.Paid), string(l.State)})
	}
	for _, p := range d.Book.Paid {
		if p.Facility == f.ID {
			stray := slices.ContainsFunc(st.Stray, func(x desk.Paid) bool { return x.ID == p.ID })
			page.Payments = append(page.Payments, PaymentLine{p.ID, p.Due.String(), p.On.String(), amount(p.Amount), p.Source, stray})
		}
	}
	for _, x := range d.Position.Book.Contagion(d.On, f.ID) {
		if x.Round > 0 {
			page.Contagion = append(page.Contagion, ContagionLine{x.Facility, x.Because, x.Round, amount(x.Amount)})
		}
	}
	if m, ok := d.MarginOf(f.ID); ok {
		page.Margin = &MarginPage{m.LTV, m.Called, m.Liquidate, amount(m.CallPrice), amount(m.LiquidationPrice), amount(m.Pay), amount(m.Post)}
	}
	return page
}

type saveFacilityInput struct {
	ID string `path:"id" maxLength:"100"`
	Based
	Body struct {
		Seen     int64           `json:"seen,omitempty" doc:"The revision of the book that this was made from; If-Match goes first."`
		Preview  bool            `json:"preview,omitempty" doc:"Only work out the schedule."`
		Facility json.RawMessage `json:"facility" doc:"As GET answers it; amounts such as \"$1250000.00\", rates such as \"11.5%\", dates 2026-06-30."`
	}
}

func (s *Server) saveFacility(ctx context.Context, in *saveFacilityInput) (*struct{ Body FacilityPage }, error) {
	if err := wholeCompany(ctx); err != nil {
		return nil, err
	}
	var f debt.Facility
	dec := json.NewDecoder(bytes.NewReader(in.Body.Facility))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return nil, huma.Error422UnprocessableEntity("the facility cannot be read: " + err.Error())
	}
	if f.ID == "" {
		f.ID = in.ID
	}
	if f.ID != in.ID {
		return nil, huma.Error422UnprocessableEntity("the facility is called " + f.ID + " and not " + in.ID)
	}
	if err := f.Check(); err != nil {
		return nil, facilityTrouble(err)
	}
	b, trouble, err := s.moneyBook(ctx)
	if err != nil {
		return nil, err
	}
	if in.Body.Preview {
		b = b.With(desk.Draft{Facilities: []debt.Facility{f}}, desk.Source{How: desk.Entered, What: "not saved yet", At: time.Now()})
		d := s.deskOf(b, trouble, ScopeQuery{Converts: true}.scope(b.Terms), time.Now())
		i := slices.IndexFunc(d.Book.Facilities, func(x desk.Recorded) bool { return x.ID == f.ID })
		return &struct{ Body FacilityPage }{pageOf(d, d.Book.Facilities[i])}, nil
	}
	seen, err := in.or(in.Body.Seen)
	if err != nil {
		return nil, err
	}
	change, err := writeDraft(seen, desk.Draft{Facilities: []debt.Facility{f}})
	if err != nil {
		return nil, s.fail("writing the facility", err)
	}
	p, _ := principal(ctx)
	if _, err := s.Record.ChangeMoney(ctx, change, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("saving the facility", err)
	}
	return s.facility(ctx, &facilityInput{in.ID})
}

// facilityTrouble tells everything that is wrong with a facility, one by one.
func facilityTrouble(err error) error {
	var all []error
	if j, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // a join, taken apart
		for _, e := range j.Unwrap() {
			all = append(all, &huma.ErrorDetail{Message: e.Error(), Location: "body.facility"})
		}
	}
	return huma.Error422UnprocessableEntity(err.Error(), all...)
}

type removeInput struct {
	ID   string `path:"id" maxLength:"100"`
	Seen int64  `query:"seen" doc:"The revision of the book that this was made from."`
}

func (s *Server) removeFacility(ctx context.Context, in *removeInput) (*struct{ Body Register }, error) {
	if err := wholeCompany(ctx); err != nil {
		return nil, err
	}
	p, _ := principal(ctx)
	if _, err := s.Record.ChangeMoney(ctx, ledger.MoneyChange{Seen: in.Seen, Remove: []string{in.ID}}, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("removing the facility", err)
	}
	return s.facilities(ctx, nil)
}

// DebtTerms are the company's terms, with what they are made of.
type DebtTerms struct {
	Company
	Terms  desk.Terms   `json:"terms"`
	Source desk.Source  `json:"source"`
	Sites  []string     `json:"sites" doc:"Those that have machines, for power prices."`
	Market []desk.Input `json:"market" doc:"What the market's numbers are now, and from where."`
	Prices []RigLine    `json:"machine_prices"`
	Rates  []RateLine   `json:"rates"`
}

// RigLine is a price of machines.
type RigLine struct {
	ID     int64  `json:"id"`
	On     string `json:"on"`
	Tier   string `json:"tier"`
	Price  string `json:"price"`
	Kind   string `json:"kind"`
	Source string `json:"source"`
}

// RateLine is a reference rate on a day.
type RateLine struct {
	ID     int64       `json:"id"`
	Name   string      `json:"name"`
	On     string      `json:"on"`
	Rate   string      `json:"rate"`
	Source desk.Source `json:"source"`
}

func (s *Server) debtTerms(ctx context.Context, _ *struct{}) (*struct{ Body DebtTerms }, error) {
	d, err := s.open(ctx, ScopeQuery{Converts: true})
	if err != nil {
		return nil, err
	}
	out := DebtTerms{Company: companyOf(d), Terms: d.Book.Terms, Source: d.Book.TermsFrom, Sites: []string{}, Market: d.MarketInputs(), Prices: []RigLine{}, Rates: []RateLine{}}
	for _, g := range d.Fleet.Groups {
		if !slices.Contains(out.Sites, g.Site) {
			out.Sites = append(out.Sites, g.Site)
		}
	}
	for i, r := range d.Book.Rigs {
		out.Prices = append(out.Prices, RigLine{d.Book.RigIDs[i], r.At.Format(time.DateOnly), r.Tier.String(), r.Rate.String(), string(r.Kind), r.Source})
	}
	for _, r := range d.Book.Rates {
		out.Rates = append(out.Rates, RateLine{r.ID, r.Name, r.On.String(), r.Rate.String(), r.Source})
	}
	return &struct{ Body DebtTerms }{out}, nil
}

type saveTermsInput struct {
	Based
	Body struct {
		Seen  int64           `json:"seen,omitempty" doc:"The revision of the book that this was made from; If-Match goes first."`
		Terms json.RawMessage `json:"terms" doc:"As GET answers them; what is left out is as Ballast's defaults."`
	}
}

func (s *Server) saveDebtTerms(ctx context.Context, in *saveTermsInput) (*struct{ Body DebtTerms }, error) {
	if err := wholeCompany(ctx); err != nil {
		return nil, err
	}
	t := desk.Defaults()
	dec := json.NewDecoder(bytes.NewReader(in.Body.Terms))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&t); err != nil {
		return nil, huma.Error422UnprocessableEntity("the terms cannot be read: " + err.Error())
	}
	if err := t.Check(); err != nil {
		return nil, facilityTrouble(err)
	}
	body, err := json.Marshal(t)
	if err != nil {
		return nil, s.fail("writing the terms", err)
	}
	seen, err := in.or(in.Body.Seen)
	if err != nil {
		return nil, err
	}
	p, _ := principal(ctx)
	if _, err := s.Record.ChangeMoney(ctx, ledger.MoneyChange{Seen: seen, Terms: body}, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("saving the terms", err)
	}
	return s.debtTerms(ctx, nil)
}

func (s *Server) dropDebtEntry(ctx context.Context, in *struct {
	ID   int64 `path:"id" minimum:"1"`
	Seen int64 `query:"seen" doc:"The revision of the book that this was made from."`
}) (*struct {
	Body struct {
		Rev int64 `json:"rev"`
	}
}, error) {
	if err := wholeCompany(ctx); err != nil {
		return nil, err
	}
	p, _ := principal(ctx)
	rev, err := s.Record.ChangeMoney(ctx, ledger.MoneyChange{Seen: in.Seen, Drop: []int64{in.ID}}, ledger.By(p.Name()))
	if err != nil {
		return nil, s.recordError("dropping the entry", err)
	}
	out := &struct {
		Body struct {
			Rev int64 `json:"rev"`
		}
	}{}
	out.Body.Rev = rev
	return out, nil
}
