package tariff

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"ballast/unit"
	"ballast/unit/doc"
)

// ErrInvalid reports a contract that makes no sense; the error lists every
// problem with its place.
var ErrInvalid = errors.New("not a valid electricity contract")

// Parse reads a contract and checks it as a whole. Unknown keys are problems.
func Parse(text []byte) (*Contract, error) {
	c := new(Contract)
	p := doc.Decode(text, c)
	if err := p.Err(ErrInvalid); err != nil {
		return nil, err
	}
	c.check(p)
	if err := p.Err(ErrInvalid); err != nil {
		return nil, err
	}
	return c, nil
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

var currencies = regexp.MustCompile(`^[A-Z]{3}$`)

// Intervals are the lengths that settlement intervals may have.
var Intervals = []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}

type checker struct {
	*doc.Problems
	c                           *Contract
	periods, calendars, seasons map[string]bool
	peaks                       map[string]bool
}

func (k *checker) names(what string, n int, name func(int) string) map[string]bool {
	seen := map[string]bool{}
	for i := range n {
		at := fmt.Sprintf("%s[%d].name", what, i)
		switch v := name(i); {
		case strings.TrimSpace(v) == "" || v != strings.TrimSpace(v):
			k.Bad(at, "%q: want a name that does not begin or end with a space", v)
		case seen[v]:
			k.Bad(at, "%q is there already", v)
		default:
			seen[v] = true
		}
	}
	return seen
}

func (k *checker) refer(at, kind, name string, known map[string]bool) {
	if name == "" || known[name] {
		return
	}
	hint := "there are none"
	if len(known) > 0 {
		hint = "there are " + strings.Join(sorted(known), ", ")
	}
	k.Bad(at, "no %s is named %q; %s", kind, name, hint)
}

func (k *checker) oneOf(at, v string, allowed ...string) {
	if !slices.Contains(allowed, v) {
		k.Bad(at, "%q: want %s", v, strings.TrimPrefix(strings.Join(allowed, ", "), ", "))
	}
}

func (k *checker) interval(at string, d time.Duration) {
	if !slices.Contains(Intervals, d) {
		k.Bad(at, "%v: want 5m, 15m, 30m or 60m", d)
	}
}

func (k *checker) months(at string, months []int) {
	for i, m := range months {
		if m < 1 || m > 12 || slices.Contains(months[:i], m) {
			k.Bad(fmt.Sprintf("%s[%d]", at, i), "%d: want months 1 to 12, each once", m)
		}
	}
}

func (c *Contract) check(p *doc.Problems) {
	k := &checker{Problems: p, c: c}
	if strings.TrimSpace(c.Name) == "" {
		k.Bad("name", "a contract needs a name")
	}
	if !currencies.MatchString(string(c.Currency)) {
		k.Bad("currency", "%q: want an ISO 4217 code such as %q", c.Currency, "USD")
	}
	loc, err := time.LoadLocation(c.Zone)
	if err != nil || c.Zone == "" || c.Zone == "Local" {
		k.Bad("zone", "%q: want an IANA time zone such as %q", c.Zone, "America/Chicago")
		loc = time.UTC
	}
	c.loc = loc
	k.interval("interval", c.Interval)
	if c.Rounding == "" {
		c.Rounding = HalfEven
	}
	k.oneOf("rounding", string(c.Rounding), string(HalfEven), string(HalfUp))
	k.calendar()
	k.peakSets()
	if c.Meter.rules, err = meterRules(c.Meter.Missing); err != nil {
		k.Bad("meter.missing", "%s", err)
	}
	k.versions()
}

func (k *checker) calendar() {
	c := k.c
	k.calendars = k.names("calendars", len(c.Calendars), func(i int) string { return c.Calendars[i].Name })
	k.seasons = k.names("seasons", len(c.Seasons), func(i int) string { return c.Seasons[i].Name })
	k.periods = k.names("periods", len(c.Periods), func(i int) string { return c.Periods[i].Name })
	for i, s := range c.Seasons {
		for name, d := range map[string]MonthDay{"from": s.From, "to": s.To} {
			if d == (MonthDay{}) {
				k.Bad(fmt.Sprintf("seasons[%d].%s", i, name), "a season needs its first and last day")
			}
		}
	}
	for i := range c.Periods {
		p, at := &c.Periods[i], fmt.Sprintf("periods[%d]", i)
		for j, s := range p.Seasons {
			k.refer(fmt.Sprintf("%s.seasons[%d]", at, j), "season", s, k.seasons)
			for l := range c.Seasons {
				if c.Seasons[l].Name == s {
					p.seasons = append(p.seasons, &c.Seasons[l])
				}
			}
		}
		k.refer(at+".calendar", "calendar", p.Calendar, k.calendars)
		for j := range c.Calendars {
			if c.Calendars[j].Name == p.Calendar {
				p.calendar = &c.Calendars[j]
			}
		}
		k.oneOf(at+".holidays", p.Holidays, HolidaysIgnored, HolidaysExclude, HolidaysOnly, HolidaysInclude)
		if (p.Holidays != "") != (p.Calendar != "") {
			k.Bad(at+".holidays", "a period that minds holidays names their calendar, and the other way round")
		}
		for j, h := range p.Hours {
			if (h.from%5 != 0 || h.to%5 != 0) || c.Interval > 0 && (h.from%int(c.Interval.Minutes()+0.5) != 0 || h.to%int(c.Interval.Minutes()+0.5) != 0) {
				k.Bad(fmt.Sprintf("%s.hours[%d]", at, j), "a period begins and ends with an interval of %v", c.Interval)
			}
		}
	}
}

func (k *checker) peakSets() {
	c := k.c
	k.peaks = k.names("peaks", len(c.Peaks), func(i int) string { return c.Peaks[i].Name })
	for i := range c.Peaks {
		s, at := &c.Peaks[i], fmt.Sprintf("peaks[%d]", i)
		if s.Series == "" {
			k.Bad(at+".series", "a set of peaks names the series of system load that decides")
		}
		k.interval(at+".interval", s.Interval)
		if len(s.Rules) == 0 {
			k.Bad(at+".rules", "a set of peaks needs a rule")
		}
		for j, r := range s.Rules {
			at := fmt.Sprintf("%s.rules[%d]", at, j)
			if r.Since < 1900 || r.Since > 2200 || j > 0 && r.Since <= s.Rules[j-1].Since {
				k.Bad(at+".since", "%d: want years, in order", r.Since)
			}
			if len(r.Groups) == 0 {
				k.Bad(at+".groups", "a rule needs a group of months")
			}
			for l, g := range r.Groups {
				at := fmt.Sprintf("%s.groups[%d]", at, l)
				if len(g.Months) == 0 {
					k.Bad(at+".months", "a group needs months")
				}
				k.months(at+".months", g.Months)
				if g.Count < 1 || g.Count > 1000 {
					k.Bad(at+".count", "%d: want 1 to 1000 peaks", g.Count)
				}
				k.oneOf(at+".per", g.Per, "", "month", "group")
				k.refer(at+".period", "period", g.Period, k.periods)
			}
		}
	}
}

func (k *checker) versions() {
	c := k.c
	if len(c.Versions) == 0 {
		k.Bad("versions", "a contract needs a version")
	}
	for i := range c.Versions {
		v, at := &c.Versions[i], fmt.Sprintf("versions[%d]", i)
		if v.From == (Date{}) {
			k.Bad(at+".from", "a version needs its first day")
		}
		if v.To != (Date{}) && v.To.Before(v.From) {
			k.Bad(at+".to", "%v is before its first day, %v", v.To, v.From)
		}
		if i > 0 {
			switch before := c.Versions[i-1].To; {
			case before == Date{}:
				k.Bad(fmt.Sprintf("versions[%d].to", i-1), "a version that another follows needs its last day")
			case v.From != before.AddDays(1):
				k.Bad(at+".from", "%v: the version before ends on %v, so this one begins on %v", v.From, before, before.AddDays(1))
			}
		}
		if v.Losses < 0 || v.Losses > whole/2 {
			k.Bad(at+".losses", "%v: want 0%% to 50%%", v.Losses)
		}
		if len(v.Parts) == 0 {
			k.Bad(at+".parts", "a version needs a part")
		}
		k.names(at+".parts", len(v.Parts), func(j int) string { return v.Parts[j].Name })
		for j := range v.Parts {
			k.part(v, j, fmt.Sprintf("%s.parts[%d]", at, j))
		}
	}
}

// keys are the keys that a part of a kind takes beside name and kind; those
// with a star it needs.
var keys = map[Kind][]string{
	Fixed:         {"price*", "period", "at_meter"},
	Adder:         {"price*", "period", "at_meter"},
	TimeOfUse:     {"rates*", "otherwise", "at_meter"},
	Index:         {"market*", "at_meter"},
	Block:         {"blocks*", "take", "excess", "sell_back", "at_meter"},
	PPA:           {"blocks*", "take", "excess", "sell_back", "at_meter"},
	TwoSettlement: {"day_ahead*", "real_time*", "at_meter"},
	Demand:        {"capacity*", "period", "over", "minimum", "ratchet"},
	Coincident:    {"capacity*", "peaks*", "charged", "assumed"},
	Fee:           {"amount*", "per"},
	Tax:           {"share*", "on"},
}

func (k *checker) part(v *Version, j int, at string) {
	p := &v.Parts[j]
	takes, ok := keys[p.Kind]
	if !ok {
		var all []string
		for _, kind := range Kinds() {
			all = append(all, string(kind))
		}
		k.Bad(at+".kind", "%q: want one of %s", p.Kind, strings.Join(all, ", "))
		return
	}
	for f, value := range reflect.ValueOf(p).Elem().Fields() {
		key := f.Tag.Get("yaml")
		switch {
		case key == "name" || key == "kind":
		case slices.Contains(takes, key+"*"):
			if value.IsZero() {
				k.Bad(at+"."+key, "a part of kind %s needs it", p.Kind)
			}
		case !value.IsZero() && !slices.Contains(takes, key):
			k.Bad(at+"."+key, "a part of kind %s does not have it", p.Kind)
		}
	}
	k.refer(at+".period", "period", p.Period, k.periods)
	k.price(at+".price", p.Price)
	k.price(at+".otherwise", p.Otherwise)
	if p.Capacity != nil {
		k.currency(at+".capacity", p.Capacity.Currency)
		if p.Capacity.Micro < 0 || p.Capacity.Micro > maxPrice/1000 {
			k.Bad(at+".capacity", "%v: a price of demand is not negative, nor a million a kW", p.Capacity)
		}
	}
	for name, m := range map[string]*Market{"market": p.Market, "excess": p.Excess, "sell_back": p.SellBack, "day_ahead": p.DayAhead, "real_time": p.RealTime} {
		if m != nil {
			k.market(at+"."+name, m)
		}
	}
	for name, w := range map[string]unit.Power{"minimum": p.Minimum, "assumed": p.Assumed} {
		if !(w >= 0 && w < 1e11) {
			k.Bad(at+"."+name, "%v cannot be", w)
		}
	}
	switch p.Kind {
	case TimeOfUse:
		k.timeOfUse(v, p, at)
	case Block, PPA:
		k.blocks(p, at)
	case Demand:
		k.demand(p, at)
	case Coincident:
		k.refer(at+".peaks", "set of peaks", p.PeakSet, k.peaks)
		k.oneOf(at+".charged", p.Charged, "", "next-year", "same-month")
		if set := k.c.peaks(p.PeakSet); set != nil && p.Charged == "same-month" {
			for _, r := range set.Rules {
				if slices.ContainsFunc(r.Groups, func(g PeakGroup) bool { return g.Per == "group" }) {
					k.Bad(at+".charged", "the peaks of a group of months are not known in the same month")
				}
			}
		}
	case Fee:
		if p.Amount != nil {
			k.currency(at+".amount", p.Amount.Currency)
		}
		k.oneOf(at+".per", p.Per, "", "month", "day")
	case Tax:
		if p.Share < 0 || p.Share > whole {
			k.Bad(at+".share", "%v: want up to 100%%", p.Share)
		}
		before := map[string]bool{}
		for i := range j {
			before[v.Parts[i].Name] = true
		}
		for i, name := range p.On {
			k.refer(fmt.Sprintf("%s.on[%d]", at, i), "part before this one", name, before)
			if slices.Contains(p.On[:i], name) {
				k.Bad(fmt.Sprintf("%s.on[%d]", at, i), "%q is there twice", name)
			}
		}
	}
}

func (k *checker) price(at string, p *unit.EnergyPrice) {
	if p != nil {
		k.currency(at, p.Currency)
		k.sane(at, p.Micro)
	}
}

// maxPrice bounds prices, in micro-units per MWh: a billion a MWh is a mistake.
const maxPrice = 1_000_000_000 * 1_000_000

func (k *checker) sane(at string, micro int64) {
	if micro > maxPrice || micro < -maxPrice {
		k.Bad(at, "a price of more than a billion a MWh cannot be")
	}
}

func (k *checker) currency(at string, c unit.Currency) {
	if c != k.c.Currency {
		k.Bad(at, "%q: the contract is in %s", c, k.c.Currency)
	}
}

func (k *checker) market(at string, m *Market) {
	if strings.TrimSpace(m.Series) == "" {
		k.Bad(at+".series", "which market series?")
	}
	if m.Multiplier != nil && (*m.Multiplier < 0 || *m.Multiplier > 10*whole) {
		k.Bad(at+".multiplier", "%v: want 0%% to 1000%%", *m.Multiplier)
	}
	k.price(at+".floor", m.Floor)
	k.price(at+".cap", m.Cap)
	if m.Floor != nil && m.Cap != nil && m.Floor.Micro > m.Cap.Micro {
		k.Bad(at+".floor", "%v is above the cap, %v", m.Floor, m.Cap)
	}
	if m.Adder.Currency == "" && m.Adder.Micro == 0 {
		m.Adder.Currency = k.c.Currency
	}
	k.price(at+".adder", &m.Adder)
	f := &m.Fallback
	if f.Hold < 0 || f.Hold > 7*24*time.Hour {
		k.Bad(at+".fallback.hold", "%v: want up to a week, 168h", f.Hold)
	}
	if f.Series != "" && f.Series == m.Series {
		k.Bad(at+".fallback.series", "%q is the series that is missing", f.Series)
	}
	if f.SameHour < 0 || f.SameHour > 60 {
		k.Bad(at+".fallback.same_hour", "%d: want up to 60 days", f.SameHour)
	}
	k.price(at+".fallback.price", f.Price)
}

// maxBlocks bounds the blocks of a part, in W: their energy in an hour fits an
// integer of microjoules.
const maxBlocks = 2e9

func (k *checker) blocks(p *Part, at string) {
	var sum unit.Power
	for i := range p.Blocks {
		b, at := &p.Blocks[i], fmt.Sprintf("%s.blocks[%d]", at, i)
		if !(b.Power > 0 && b.Power <= unit.Power(maxBlocks)) || b.Power != unit.Power(int64(b.Power)) {
			k.Bad(at+".power", "%v: want whole watts, and at most %v", b.Power, unit.Power(maxBlocks))
		} else if sum += b.Power; sum > unit.Power(maxBlocks) {
			k.Bad(at+".power", "the blocks together have more than %v", unit.Power(maxBlocks))
		}
		k.price(at+".price", &b.Price)
		k.refer(at+".period", "period", b.Period, k.periods)
	}
	k.oneOf(at+".take", p.Take, "", "pay", "use")
	if p.Take == "use" && p.SellBack != nil {
		k.Bad(at+".sell_back", "what was not paid for cannot be sold: sell-back needs take: pay")
	}
	if p.Excess == nil && p.Kind == Block {
		k.Bad(at+".excess", "a block needs a price for what is used beyond it")
	}
}

func (k *checker) demand(p *Part, at string) {
	if p.Over == 0 {
		p.Over = k.c.Interval
	}
	k.interval(at+".over", p.Over)
	if k.c.Interval > 0 && p.Over%k.c.Interval != 0 {
		k.Bad(at+".over", "%v is no multiple of the contract's interval, %v", p.Over, k.c.Interval)
	}
	if r := p.Ratchet; r != nil {
		if r.Share <= 0 || r.Share > whole {
			k.Bad(at+".ratchet.share", "%v: want up to 100%%", r.Share)
		}
		if r.Months < 1 || r.Months > 60 {
			k.Bad(at+".ratchet.months", "%d: want 1 to 60 months", r.Months)
		}
		k.months(at+".ratchet.of", r.Of)
	}
}

// timeOfUse also looks for instants without a price, on every day of a year.
func (k *checker) timeOfUse(v *Version, p *Part, at string) {
	periods := make([]*Period, len(p.Rates))
	edges := map[int]bool{0: true}
	for i := range p.Rates {
		r, at := &p.Rates[i], fmt.Sprintf("%s.rates[%d]", at, i)
		k.price(at+".price", &r.Price)
		if r.Period == "" {
			k.Bad(at+".period", "a rate names its period")
		}
		k.refer(at+".period", "period", r.Period, k.periods)
		if periods[i] = k.c.period(r.Period); periods[i] == nil {
			return
		}
		for _, h := range periods[i].Hours {
			edges[h.from], edges[h.to%1440] = true, true
		}
	}
	if p.Otherwise != nil || v.From == (Date{}) {
		return
	}
	minutes := slices.Sorted(maps.Keys(edges))
	for d, n := v.From, 0; n < 366 && (v.To == Date{} || !v.To.Before(d)); d, n = d.AddDays(1), n+1 {
		for _, minute := range minutes {
			m := moment{d, d.In(time.UTC).Weekday(), minute}
			if !slices.ContainsFunc(periods, func(p *Period) bool { return p.has(k.c, m) }) {
				k.Bad(at+".rates", "no rate for %s %v at %02d:%02d, and no price otherwise", dayNames[m.weekday], d, minute/60, minute%60)
				return
			}
		}
	}
}
