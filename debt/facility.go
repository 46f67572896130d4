package debt

import (
	"errors"
	"fmt"

	"ballast/unit"
)

// Kind is what sort of debt a facility is.
type Kind string

// The kinds of facility that miners have.
const (
	ASICBacked       Kind = "asic-backed"        // a loan on machines
	CoinBacked       Kind = "btc-collateralised" // a loan on bitcoin, with margin calls
	Convertible      Kind = "convertible"        // notes that may become shares
	Equipment        Kind = "equipment"          // a maker's or bank's credit on what was bought
	Lease            Kind = "lease"              // paid in advance of each period
	HostingPrepaid   Kind = "hosting-prepayment" // customers paid ahead; owed in service, not in cash
	NonRecourseSPV   Kind = "non-recourse-spv"   // owed by a company that owns only its machines
	GeneralCorporate Kind = "corporate"          // anything else
)

// Purpose is what the money is for. Much of miners' newer debt is for AI
// halls, and counting it against hashrate says nothing about mining.
type Purpose string

// The purposes.
const (
	ForMining  Purpose = "mining"
	ForAI      Purpose = "ai"
	ForGeneral Purpose = "general"
)

// Recourse is what a lender can reach.
type Recourse string

// The kinds of recourse.
const (
	FullRecourse    Recourse = "full"
	LimitedRecourse Recourse = "limited"
	NoRecourse      Recourse = "none"
)

// Interest is the price of a facility.
type Interest struct {
	// Fixed is the rate when Index is empty.
	Fixed Rate `json:"fixed,omitzero"`
	// Index names a reference rate; then the rate is max(index, Floor) +
	// Margin, at most Cap, set at the start of each period.
	Index    string         `json:"index,omitempty"`
	Margin   Rate           `json:"margin,omitzero"`
	Floor    unit.Opt[Rate] `json:"floor,omitzero"`
	Cap      unit.Opt[Rate] `json:"cap,omitzero"`
	DayCount DayCount       `json:"day_count"`
}

// Shape is how principal is paid back.
type Shape string

// The shapes.
const (
	Annuity Shape = "annuity" // level payments
	Linear  Shape = "linear"  // equal parts of principal
	Bullet  Shape = "bullet"  // all at the end
	Stated  Shape = "stated"  // given shares of the original principal, the rest at the end
)

// Repayment says how a facility is paid back.
type Repayment struct {
	Shape  Shape `json:"shape"`
	Months int   `json:"months"` // between payments: 1, 3, 6, 12
	// InterestOnly is how many first payments carry no principal.
	InterestOnly int `json:"interest_only,omitzero"`
	// Balloon is left over for the last payment (annuity, linear).
	Balloon unit.Money `json:"balloon,omitzero"`
	// Shares of the original principal, payment by payment (stated).
	Shares []Rate `json:"shares,omitempty"`
	// Sweep is the share of excess cash that pays down principal as well.
	Sweep Rate `json:"sweep,omitzero"`
	// Capitalised is the share of interest that is added to principal and not
	// paid (PIK): 100 % for all of it.
	Capitalised Rate `json:"capitalised,omitzero"`
	// Advance: payments at the start of each period, as leases have it.
	Advance bool `json:"advance,omitzero"`
}

// FeeKind is when a fee falls due.
type FeeKind string

// The kinds of fee.
const (
	UpfrontFee FeeKind = "upfront" // when drawn, on the principal
	ExitFee    FeeKind = "exit"    // at maturity, on the principal
	AnnualFee  FeeKind = "annual"  // with each payment, a rate a year on the balance
	SweepFee   FeeKind = "sweep"   // on what is swept
)

// Fee is a rate, an amount, or both together. An annual fee takes a rate only.
type Fee struct {
	Kind   FeeKind    `json:"kind"`
	Rate   Rate       `json:"rate,omitzero"`
	Amount unit.Money `json:"amount,omitzero"`
}

// CollateralKind is what secures a facility.
type CollateralKind string

// The kinds of collateral.
const (
	CoinCollateral CollateralKind = "btc"
	RigCollateral  CollateralKind = "machines"
	CashCollateral CollateralKind = "cash"
	SiteCollateral CollateralKind = "site"
)

// Collateral secures a facility. Coins are counted in BTC, machines in
// hashrate and efficiency and priced at the door; others carry a value.
type Collateral struct {
	Kind       CollateralKind  `json:"kind"`
	Coins      unit.Money      `json:"coins,omitzero"`
	Hashrate   unit.Hashrate   `json:"hashrate_ths,omitzero"`
	Efficiency unit.Efficiency `json:"efficiency_jth,omitzero"`
	Value      unit.Money      `json:"value,omitzero"`
}

// Conversion are the terms of a convertible.
type Conversion struct {
	Price unit.Money `json:"price"`         // of principal for one share
	Cap   unit.Money `json:"cap,omitzero"`  // of a capped call; zero: none
	Cash  bool       `json:"cash,omitzero"` // principal is settled in cash whatever the share does
	From  Date       `json:"from,omitzero"` // first day of conversion; zero: any
}

// CrossDefault says whose default makes this facility fall due.
type CrossDefault struct {
	// Of names facilities. Any means every facility of the same obligor.
	Of  []string `json:"of,omitempty"`
	Any bool     `json:"any,omitzero"`
	// Threshold: defaults on less than this do not count.
	Threshold unit.Money `json:"threshold,omitzero"`
}

// Facility is one contract of debt, drawn once.
type Facility struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Lender    string       `json:"lender,omitempty"`
	Obligor   string       `json:"obligor,omitempty"`   // who owes; empty is the parent
	Guarantor string       `json:"guarantor,omitempty"` // who answers for it as well
	Kind      Kind         `json:"kind"`
	Purpose   Purpose      `json:"purpose"`
	Recourse  Recourse     `json:"recourse"`
	Principal unit.Money   `json:"principal"`
	Drawn     Date         `json:"drawn"`
	Maturity  Date         `json:"maturity"`
	Interest  Interest     `json:"interest"`
	Repayment Repayment    `json:"repayment"`
	Fees      []Fee        `json:"fees,omitempty"`
	Secured   []Collateral `json:"secured,omitempty"`
	Margin    *Margin      `json:"margin,omitempty"`
	Convert   *Conversion  `json:"convert,omitempty"`
	Cross     CrossDefault `json:"cross,omitzero"`
	Covenants []Covenant   `json:"covenants,omitempty"`
	Source    string       `json:"source,omitempty"` // the document, for people
}

// InKind tells whether the facility is owed in service and not in cash.
func (f Facility) InKind() bool { return f.Kind == HostingPrepaid }

// Check returns everything that is wrong with f, joined.
func (f Facility) Check() error {
	var bad []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			bad = append(bad, fmt.Errorf("facility %q: "+format+": %w", append(append([]any{f.ID}, args...), ErrInvalid)...))
		}
	}
	c := f.Principal.Currency
	same := func(m unit.Money) bool { return m == unit.Money{} || m.Currency == c && m.Minor >= 0 }
	want(f.ID != "", "no id")
	want(f.Principal.Minor > 0 && c != "", "principal %s", f.Principal)
	want(f.Principal.Minor <= 1e16, "principal %s is beyond what is reckoned with", f.Principal)
	want(f.Maturity > f.Drawn, "matures %s, drawn %s", f.Maturity, f.Drawn)
	want(f.Maturity-f.Drawn <= 50*366, "runs more than 50 years")
	switch f.Kind {
	case ASICBacked, CoinBacked, Convertible, Equipment, Lease, HostingPrepaid, NonRecourseSPV, GeneralCorporate:
	default:
		want(false, "kind %q", f.Kind)
	}
	switch f.Purpose {
	case ForMining, ForAI, ForGeneral:
	default:
		want(false, "purpose %q", f.Purpose)
	}
	switch f.Recourse {
	case FullRecourse, LimitedRecourse, NoRecourse:
	default:
		want(false, "recourse %q", f.Recourse)
	}
	want((f.Kind == Convertible) == (f.Convert != nil), "conversion terms belong to a convertible, and to nothing else")
	want(f.Kind != NonRecourseSPV || f.Obligor != "", "a non-recourse facility of no company of its own")
	want(f.Margin == nil || f.coins() > 0, "margin terms without coins as collateral")
	i := f.Interest
	switch i.DayCount {
	case Actual360, Actual365, ActualActual, Thirty360, ThirtyE360, Periods:
	default:
		want(false, "day count %q", i.DayCount)
	}
	want(i.Fixed >= 0 && i.Fixed <= 10*million, "rate %s", i.Fixed)
	want(i.Index == "" || i.Fixed == 0, "both a fixed rate and the index %s", i.Index)
	want(i.Index != "" || i.Margin == 0 && !i.Floor.Ok() && !i.Cap.Ok(), "margin, floor or cap without an index")
	r := f.Repayment
	switch r.Months {
	case 1, 2, 3, 4, 6, 12:
	default:
		want(false, "%d months between payments", r.Months)
	}
	want(r.InterestOnly >= 0 && r.Sweep >= 0 && r.Sweep <= million && r.Capitalised >= 0 && r.Capitalised <= million, "repayment %+v", r)
	want(same(r.Balloon) && r.Balloon.Minor <= f.Principal.Minor, "balloon %s", r.Balloon)
	var sum Rate
	for _, s := range r.Shares {
		want(s >= 0, "share %s", s)
		sum += s
	}
	switch r.Shape {
	case Annuity:
		want(r.Capitalised == 0, "level payments and capitalised interest")
	case Linear, Bullet:
	case Stated:
		want(len(r.Shares) > 0 && sum <= million, "shares that sum to %s", sum)
	default:
		want(false, "shape %q", r.Shape)
	}
	want(r.Shape == Stated || len(r.Shares) == 0, "shares, but the shape is %s", r.Shape)
	for _, fee := range f.Fees {
		switch fee.Kind {
		case UpfrontFee, ExitFee, SweepFee:
		case AnnualFee:
			want(fee.Amount == unit.Money{}, "an annual fee takes a rate")
		default:
			want(false, "fee %q", fee.Kind)
		}
		want(same(fee.Amount) && fee.Rate >= 0 && fee.Rate <= million, "fee of %s and %s", fee.Rate, fee.Amount)
	}
	for _, s := range f.Secured {
		want(s.Kind == CoinCollateral && s.Coins.Currency == unit.BTC && s.Coins.Minor > 0 ||
			s.Kind == RigCollateral && s.Hashrate > 0 && s.Efficiency > 0 ||
			(s.Kind == CashCollateral || s.Kind == SiteCollateral) && s.Value.Currency == c && s.Value.Minor > 0, "collateral %+v", s)
	}
	if m := f.Margin; m != nil {
		want(m.Initial > 0 && m.Initial <= m.Call && m.Call < m.Liquidate && m.Cure >= 0, "margin terms %+v", *m)
	}
	if v := f.Convert; v != nil {
		want(v.Price.Currency == c && v.Price.Minor > 0 && same(v.Cap), "conversion at %s", v.Price)
	}
	for _, v := range f.Covenants {
		if err := v.Check(); err != nil {
			bad = append(bad, fmt.Errorf("facility %q: %w", f.ID, err))
		}
	}
	return errors.Join(bad...)
}

// coins is the bitcoin that secures f, in satoshi.
func (f Facility) coins() int64 {
	var sum int64
	for _, s := range f.Secured {
		if s.Kind == CoinCollateral {
			sum += s.Coins.Minor
		}
	}
	return sum
}

// Shares is how many whole shares the given principal converts into.
func (c Conversion) Shares(principal unit.Money) int64 {
	if c.Price.Minor <= 0 || principal.Currency != c.Price.Currency {
		return 0
	}
	return principal.Minor / c.Price.Minor
}

// InMoney tells whether a share is worth at least the conversion price.
func (c Conversion) InMoney(sharePrice unit.Money) bool {
	return sharePrice.Currency == c.Price.Currency && sharePrice.Minor >= c.Price.Minor
}

// CashAtMaturity is what must be paid in cash for the given principal when a
// share is worth sharePrice: all of it under the conversion price or when cash
// settles; otherwise only the part that no whole share is made of.
func (c Conversion) CashAtMaturity(principal, sharePrice unit.Money) unit.Money {
	if c.Cash || !c.InMoney(sharePrice) {
		return principal
	}
	return unit.Money{Minor: principal.Minor - c.Shares(principal)*c.Price.Minor, Currency: principal.Currency}
}
