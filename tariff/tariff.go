// Package tariff is what electricity costs: a contract as it was signed, what
// it makes of a month's meter and prices, and what one more MWh costs now.
//
// A [Contract] is made of parts, each of which makes lines on a [Statement]:
// energy at a fixed, time-of-use or market price, blocks and power purchase
// agreements with sell-back, day-ahead and real-time settlement, adders, demand
// charges with ratchet, coincident peaks, fees and taxes. It is declared in
// YAML, in versions with days of validity; [Parse] checks it as a whole.
//
// [Contract.Statement] settles a month line by line, so that an accountant can
// check each: quantity, rate, where the price came from, rounding. [Correct]
// makes lines of what was revised later. [Contract.PriceAt] is the marginal
// price by component.
//
// Money is exact: energy in whole joules, prices in millionths of a currency
// unit per MWh, a line's amount their exact sum, rounded once. What is missing
// is replaced by what the contract says and marked, or named as missing; it is
// never zero. Nothing here reads a clock, a file or the network.
package tariff

import (
	"time"

	"ballast/unit"
)

// Contract is an electricity contract as it was signed: parts that each make
// lines on a statement, in versions with days of validity. Parse reads and
// checks one; a Contract that Parse gave is not to be changed and may be used
// by any number of goroutines.
type Contract struct {
	Name     string        `yaml:"name"`
	Currency unit.Currency `yaml:"currency"` // ISO 4217: "USD"
	Zone     string        `yaml:"zone"`     // IANA: "America/Chicago"
	Interval time.Duration `yaml:"interval"` // of settlement: 5m, 15m, 30m or 60m
	Rounding Rounding      `yaml:"rounding"` // of a line to minor units; half-even when empty

	Calendars []Calendar `yaml:"calendars"`
	Seasons   []Season   `yaml:"seasons"`
	Periods   []Period   `yaml:"periods"`
	Peaks     []PeakSet  `yaml:"peaks"`
	Meter     MeterRule  `yaml:"meter"`
	Versions  []Version  `yaml:"versions"` // in the order of their days, without overlap

	loc *time.Location
}

// Version is what was agreed for a span of days.
type Version struct {
	From   Date   `yaml:"from"`   // first day
	To     Date   `yaml:"to"`     // last day; without one, until further notice
	Source string `yaml:"source"` // the paper: "amendment 2 of 2026-02-11"
	Losses Share  `yaml:"losses"` // energy at the settlement point is metered energy times 1 + losses
	Parts  []Part `yaml:"parts"`
}

// Kind is what a part charges for.
type Kind string

// The kinds of parts.
const (
	Fixed         Kind = "fixed"          // one price for all energy, or for that of a period
	TimeOfUse     Kind = "time-of-use"    // prices by period
	Index         Kind = "index"          // market price, plus adder
	Block         Kind = "block"          // blocks at a price, the difference at an index
	PPA           Kind = "ppa"            // power purchase agreement: a block, usually with sell-back
	TwoSettlement Kind = "two-settlement" // day-ahead award, and real-time deviation
	Adder         Kind = "adder"          // per MWh beside the energy price: retail, transmission
	Demand        Kind = "demand"         // the month's highest power
	Coincident    Kind = "coincident"     // power when the system peaks
	Fee           Kind = "fee"            // an amount by month or day
	Tax           Kind = "tax"            // a share of other parts
)

// Kinds are all kinds of parts.
func Kinds() []Kind {
	return []Kind{Fixed, TimeOfUse, Index, Block, PPA, TwoSettlement, Adder, Demand, Coincident, Fee, Tax}
}

// energy tells whether the part's lines are sums over intervals.
func (k Kind) energy() bool {
	switch k {
	case Fixed, TimeOfUse, Index, Block, PPA, TwoSettlement, Adder:
		return true
	}
	return false
}

// Part is one component of a contract. Which keys it takes depends on its kind;
// the check names those that do not belong.
type Part struct {
	Name string `yaml:"name"` // on the statement: "Energy"
	Kind Kind   `yaml:"kind"`

	Price     *unit.EnergyPrice `yaml:"price"`     // fixed, adder
	Period    string            `yaml:"period"`    // fixed, adder, demand: only within it
	Unscaled  bool              `yaml:"at_meter"`  // energy parts: on metered energy, without losses
	Rates     []Rate            `yaml:"rates"`     // time-of-use: the first period that holds the instant
	Otherwise *unit.EnergyPrice `yaml:"otherwise"` // time-of-use: outside all of them
	Market    *Market           `yaml:"market"`    // index
	Blocks    []Quantity        `yaml:"blocks"`    // block, ppa
	Take      string            `yaml:"take"`      // block, ppa: "pay" (default): pay for the block whether used or not; "use": for what is used
	Excess    *Market           `yaml:"excess"`    // block, ppa: what is used beyond the blocks
	SellBack  *Market           `yaml:"sell_back"` // block, ppa: what of the blocks is not used is sold
	DayAhead  *Market           `yaml:"day_ahead"` // two-settlement
	RealTime  *Market           `yaml:"real_time"` // two-settlement

	Capacity *CapacityPrice `yaml:"capacity"` // demand, coincident: price of power
	Over     time.Duration  `yaml:"over"`     // demand: averaging time; the contract's interval when empty
	Minimum  unit.Power     `yaml:"minimum"`  // demand: billed at least
	Ratchet  *Ratchet       `yaml:"ratchet"`  // demand

	PeakSet string     `yaml:"peaks"`   // coincident: a declared set
	Charged string     `yaml:"charged"` // coincident: "next-year" (default) or "same-month"
	Assumed unit.Power `yaml:"assumed"` // coincident: power to charge, as an estimate, while the peaks are not known

	Amount *unit.Money `yaml:"amount"` // fee
	Per    string      `yaml:"per"`    // fee: "month" (default) or "day"

	Share Share    `yaml:"share"` // tax
	On    []string `yaml:"on"`    // tax: parts by name, standing before it; empty is all before it that are no taxes
}

// Rate is a price within a period.
type Rate struct {
	Period string           `yaml:"period"`
	Price  unit.EnergyPrice `yaml:"price"`
}

// Quantity is a block of power bought at a price.
type Quantity struct {
	Power  unit.Power       `yaml:"power"`
	Price  unit.EnergyPrice `yaml:"price"`
	Period string           `yaml:"period"` // only within it; empty is around the clock
}

// Market is a price that follows a market series: index times Multiplier,
// bounded by Floor and Cap, plus Adder; each interval's price is rounded to a
// millionth, half to even.
type Market struct {
	Series     string            `yaml:"series"`     // "ercot.rtm.HB_NORTH"
	Multiplier *Share            `yaml:"multiplier"` // 100 % when empty
	Floor      *unit.EnergyPrice `yaml:"floor"`
	Cap        *unit.EnergyPrice `yaml:"cap"`
	Adder      unit.EnergyPrice  `yaml:"adder"` // negative is a discount
	Fallback   Fallback          `yaml:"fallback"`
}

// Fallback is what stands in for a market price that is not known, tried in
// this order. Whatever stands in is marked as an estimate.
type Fallback struct {
	Hold     time.Duration     `yaml:"hold"`      // the last known price, when no older than this
	Series   string            `yaml:"series"`    // another series: day-ahead for a missing real-time price
	SameHour int               `yaml:"same_hour"` // the same clock time of up to so many days before, nearest first
	Price    *unit.EnergyPrice `yaml:"price"`     // the contract's own
}

// Ratchet bills at least a share of the highest demand of months before.
type Ratchet struct {
	Share  Share `yaml:"share"`
	Months int   `yaml:"months"` // how many months back
	Of     []int `yaml:"of"`     // months of the year that count, 1 to 12; empty is all
}

// MeterRule says what stands in for a meter interval that is missing, tried in
// order: "yesterday" and "last-week" (the same clock time), "average" (of the
// known intervals of the month), or a power ("12MW"). Empty is last-week,
// yesterday, average.
type MeterRule struct {
	Missing []string `yaml:"missing"`

	rules []meterRule
}

// PeakSet is a rule set that tells which intervals of a year are coincident
// peaks. Rules change: the rule of a year is the last whose Since is not after
// it.
type PeakSet struct {
	Name     string        `yaml:"name"`
	Series   string        `yaml:"series"`   // system load that decides: "ercot.load"
	Interval time.Duration `yaml:"interval"` // of the peak: 15m at ERCOT
	Rules    []PeakRule    `yaml:"rules"`
}

// PeakRule is the rule from a year on.
type PeakRule struct {
	Since  int         `yaml:"since"` // first year measured so
	Source string      `yaml:"source"`
	Groups []PeakGroup `yaml:"groups"`
	Apart  bool        `yaml:"apart"` // at most one peak on a day
}

// PeakGroup is so many highest intervals of some months.
type PeakGroup struct {
	Months []int  `yaml:"months"` // 1 to 12
	Count  int    `yaml:"count"`  // how many peaks
	Per    string `yaml:"per"`    // "month" (default): so many in each; "group": in all of them together
	Period string `yaml:"period"` // only within it
}

// Location is the contract's time zone.
func (c *Contract) Location() *time.Location { return c.loc }

// VersionAt is the version in force at t.
func (c *Contract) VersionAt(t time.Time) (*Version, bool) {
	d := DateOf(t.In(c.loc))
	for i := range c.Versions {
		v := &c.Versions[i]
		if !d.Before(v.From) && (v.To == Date{} || !v.To.Before(d)) {
			return v, true
		}
	}
	return nil, false
}

// span is the version's validity within [from, to).
func (v *Version) span(loc *time.Location, from, to time.Time) (time.Time, time.Time, bool) {
	a, z := v.From.In(loc), to
	if v.To != (Date{}) {
		z = v.To.AddDays(1).In(loc)
	}
	if a.Before(from) {
		a = from
	}
	if z.After(to) {
		z = to
	}
	return a, z, a.Before(z)
}

func (c *Contract) period(name string) *Period {
	for i := range c.Periods {
		if c.Periods[i].Name == name {
			return &c.Periods[i]
		}
	}
	return nil
}

func (c *Contract) peaks(name string) *PeakSet {
	for i := range c.Peaks {
		if c.Peaks[i].Name == name {
			return &c.Peaks[i]
		}
	}
	return nil
}

// Series are the market series that the contract asks for, with those that it
// falls back to, sorted, each once. Series of system load are not among them.
func (c *Contract) Series() []string {
	seen := map[string]bool{}
	for i := range c.Versions {
		for j := range c.Versions[i].Parts {
			for _, m := range c.Versions[i].Parts[j].markets() {
				seen[m.Series] = true
				if m.Fallback.Series != "" {
					seen[m.Fallback.Series] = true
				}
			}
		}
	}
	return sorted(seen)
}

// LoadSeries are the series of system load that decide on the contract's
// coincident peaks, sorted, each once.
func (c *Contract) LoadSeries() []string {
	seen := map[string]bool{}
	for i := range c.Peaks {
		seen[c.Peaks[i].Series] = true
	}
	return sorted(seen)
}

func (p *Part) markets() []*Market {
	var out []*Market
	for _, m := range []*Market{p.Market, p.Excess, p.SellBack, p.DayAhead, p.RealTime} {
		if m != nil {
			out = append(out, m)
		}
	}
	return out
}
