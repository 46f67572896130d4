// Package desk is the CFO's desk: it sets a company's book ([Book]), its
// machines as they hash now ([Fleet]) and the market ([Market]) side by side and
// works out where the company stands ([Open]): what it owes and when, what its
// hashpower is worth on each basis, the hashrate-debt ratio with its scope and
// basis, what tells distress better beside it, covenants with their headroom,
// thirteen weeks of cash, hashcost step by step, and what a move of the market
// would do.
//
// Every number is a [Figure]: it carries its formula, the formula with the
// numbers put in, and its inputs, each with where it is from and how old it is.
// What cannot be known is missing and says why; it is never zero.
//
// The package reads and checks what people import ([Read]) and says what an
// import would change ([Compare]). It knows no file, no store and no clock.
package desk

import (
	"errors"
	"time"

	"ballast/debt"
	"ballast/market"
	"ballast/unit"
)

// ErrInvalid reports what is wrong with what was given.
var ErrInvalid = errors.New("not valid")

// How a number came about.
type How string

// The ways.
const (
	Measured How = "measured" // by machines and meters of this company
	Quoted   How = "quoted"   // by a market, an index, a document
	Entered  How = "entered"  // by a person
	Modelled How = "modelled" // reckoned from others by a stated model
)

// Source says where a number is from.
type Source struct {
	How  How       `json:"how" enum:"measured,quoted,entered,modelled"`
	What string    `json:"what" doc:"In words: which feed, which document, who."`
	At   time.Time `json:"at,omitzero" doc:"When the number was true."`
}

// Known is a number with its source; Ok is false when there is none.
type Known[T any] struct {
	Value  T
	Ok     bool
	Source Source
}

// Of makes a number that is known.
func Of[T any](v T, s Source) Known[T] { return Known[T]{v, true, s} }

// Market is the market as of now. Hashprice is reckoned from the others.
type Market struct {
	Price      Known[unit.Money] // of a bitcoin
	Difficulty Known[float64]
	FeeShare   Known[float64] // of a block's reward
	Height     Known[int64]
}

// Group is machines of one model at one site.
type Group struct {
	Site, Model string
	Machines    int           // in service
	Hashing     int           // of them, now
	Active      unit.Hashrate // of those that hash
	Installed   unit.Hashrate // nominal, of all
	// Efficiency is measured at the wall over those that tell their power; of
	// nameplates when Nameplate.
	Efficiency unit.Efficiency
	Nameplate  bool
	Age        time.Duration // mean, since Ballast first saw them
	Power      Known[unit.EnergyPrice]
}

// Fleet is all machines as they stand now.
type Fleet struct {
	At     time.Time // of the oldest reading that counts
	Groups []Group
	// Untold is how many machines hash without a known efficiency: their
	// hashrate is in no group.
	Untold int
}

// Balance is what an account held on a day.
type Balance struct {
	ID      int64      `json:"id,omitzero"`
	On      debt.Date  `json:"on"`
	Account string     `json:"account"`
	Amount  unit.Money `json:"amount"` // in BTC for coins
	Pledged bool       `json:"pledged,omitzero"`
	Note    string     `json:"source,omitempty"`
	Source  Source     `json:"-"`
}

// Flow is a planned receipt or payment, once or again and again.
type Flow struct {
	ID     int64      `json:"id,omitzero"`
	On     debt.Date  `json:"on"`
	Line   debt.Line  `json:"line"`
	Amount unit.Money `json:"amount"`
	Every  Every      `json:"every,omitempty"`
	Until  debt.Date  `json:"until,omitzero"` // last day; zero: without end
	Name   string     `json:"name,omitempty"` // what tells two of a line and day apart
	Note   string     `json:"source,omitempty"`
	Source Source     `json:"-"`
}

// Every is how often a flow comes again; empty is once.
type Every string

// The rhythms.
const (
	Weekly    Every = "week"
	Monthly   Every = "month"
	Quarterly Every = "quarter"
	Yearly    Every = "year"
)

// Paid is a payment that was made on a facility.
type Paid struct {
	ID       int64      `json:"id,omitzero"`
	Facility string     `json:"facility"`
	Due      debt.Date  `json:"due"` // the payment of the schedule that it is for
	On       debt.Date  `json:"on"`
	Amount   unit.Money `json:"amount"`
	Note     string     `json:"source,omitempty"`
	Source   Source     `json:"-"`
}

// RatePoint is a reference rate on a day; it holds until the next one.
type RatePoint struct {
	ID     int64     `json:"id,omitzero"`
	Name   string    `json:"name"`
	On     debt.Date `json:"on"`
	Rate   debt.Rate `json:"rate"`
	Note   string    `json:"source,omitempty"`
	Source Source    `json:"-"`
}

// Recorded is a facility with where the record has it from.
type Recorded struct {
	debt.Facility
	Version int
	Source  Source
}

// Book is what the record has of a company.
type Book struct {
	Rev        int64
	Terms      Terms
	TermsFrom  Source
	Facilities []Recorded
	Balances   []Balance
	Flows      []Flow
	Paid       []Paid
	Rates      []RatePoint
	Rigs       market.Rigs // prices of machines
	RigIDs     []int64     // of Rigs, in their order
}

// Empty tells whether nothing was entered yet.
func (b Book) Empty() bool {
	return len(b.Facilities)+len(b.Balances)+len(b.Flows)+len(b.Paid) == 0
}

// index is the reference rate on a day: the newest at or before it.
func (b Book) index(name string, on debt.Date) (debt.Rate, bool) {
	var best RatePoint
	found := false
	for _, p := range b.Rates {
		if p.Name == name && p.On <= on && (!found || p.On > best.On) {
			best, found = p, true
		}
	}
	if found {
		return best.Rate, true
	}
	// Before the first the first holds: a facility drawn before its index was
	// entered still has a schedule.
	for _, p := range b.Rates {
		if p.Name == name && (!found || p.On < best.On) {
			best, found = p, true
		}
	}
	return best.Rate, found
}

// Env is what schedules need of the book.
func (b Book) Env() debt.Env { return debt.Env{Index: b.index} }

// Dates are the days of a flow from a day on, both included.
func (f Flow) Dates(from, to debt.Date) []debt.Date {
	last := to
	if f.Until != 0 {
		last = min(last, f.Until)
	}
	var out []debt.Date
	for k := 0; ; k++ {
		d := f.On
		switch f.Every {
		case Weekly:
			d += debt.Date(7 * k)
		case Monthly:
			d = f.On.AddMonths(k)
		case Quarterly:
			d = f.On.AddMonths(3 * k)
		case Yearly:
			d = f.On.AddMonths(12 * k)
		default:
			if k > 0 {
				return out
			}
		}
		if d > last {
			return out
		}
		if d >= from {
			out = append(out, d)
		}
	}
}

// newest are the balances that hold on a day: of each account the last one.
func newest(all []Balance, on debt.Date) []Balance {
	at := map[string]int{}
	var out []Balance
	for _, b := range all {
		if b.On > on {
			continue
		}
		i, ok := at[b.Account]
		switch {
		case !ok:
			at[b.Account] = len(out)
			out = append(out, b)
		case b.On >= out[i].On:
			out[i] = b
		}
	}
	return out
}
