package tariff

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"ballast/unit"
)

// Lines that are charged for power, for the month, and on other lines.

// demand bills the highest average power of the month, at the meter, or what
// ratchet or minimum make of it.
func (w *work) demand(p *Part) {
	peak, at, status, unknown := w.highest(p)
	billed, note := peak, "measured, "+at.In(w.c.loc).Format(stamp)
	if at.IsZero() {
		billed, note, status = new(big.Rat), "no demand could be measured", Missing
	} else {
		f, _ := new(big.Rat).Mul(peak, big.NewRat(1000, 1)).Float64()
		w.demands = append(w.demands, PastDemand{Part: p.Name, Demand: unit.Power(f), At: at, Status: status})
	}
	if unknown > 0 && status < Estimated {
		status = Estimated
		note += fmt.Sprintf("; %d of the averages are not known", unknown)
	}
	if m := kilowatts(p.Minimum); m.Cmp(billed) > 0 {
		note = fmt.Sprintf("minimum of %v; measured %s kW", p.Minimum, exactOf(peak))
		billed = m
	}
	if p.Ratchet != nil {
		floor, from, absent := w.ratchet(p)
		if floor.Cmp(billed) > 0 {
			note = fmt.Sprintf("ratchet: %v of %s kW in %s; measured %s kW", p.Ratchet.Share, exactOf(from.kw), from.month, exactOf(peak))
			billed = floor
			status = max(status, from.status)
		}
		if len(absent) > 0 {
			note += "; the demand of " + strings.Join(absent, ", ") + " is not known"
			status = max(status, Estimated)
		}
	}
	rate := p.Capacity.monthly()
	amount := new(big.Rat).Mul(billed, rate)
	l := Line{Part: p.Name, Kind: p.Kind, What: p.Period, Quantity: Exact{billed}, Unit: "kW", Rate: Exact{rate}, Source: inContract, Status: status, Note: note}
	w.put(w.prorate(l, amount))
}

func (w *work) prorate(l Line, amount *big.Rat) (Line, *big.Rat) {
	if w.share.Cmp(big.NewRat(1, 1)) != 0 {
		l.Factor = Exact{new(big.Rat).Set(w.share)}
		amount.Mul(amount, w.share)
		l.Note = strings.TrimPrefix(l.Note+"; "+w.share.RatString()+" of the month", "; ")
	}
	return l, amount
}

func kilowatts(p unit.Power) *big.Rat {
	r := new(big.Rat).SetFloat64(float64(p))
	if r == nil {
		return new(big.Rat)
	}
	return r.Quo(r, big.NewRat(1000, 1))
}

// highest is the highest average over p.Over within p.Period, in kW.
func (w *work) highest(p *Part) (peak *big.Rat, at time.Time, status Status, unknown int) {
	period := w.c.period(p.Period)
	per := int(p.Over / w.c.Interval)
	var most int64 = -1
	for i := 0; i+per <= len(w.slots); i += per {
		if period != nil && !period.has(w.c, w.slots[i].at) {
			continue
		}
		var j int64
		missing, estimated := false, false
		for k := range per {
			s := &w.slots[i+k]
			j += s.joules
			missing = missing || s.missing
			estimated = estimated || s.estimated
		}
		if missing {
			unknown++
			continue
		}
		if j > most {
			most, at, status = j, w.slots[i].start, Settled
			if estimated {
				status = Estimated
			}
		}
	}
	if most < 0 {
		return new(big.Rat), time.Time{}, Missing, unknown
	}
	return big.NewRat(most, 1000*int64(p.Over/time.Second)), at, status, unknown
}

type past struct {
	kw     *big.Rat
	month  Month
	status Status
}

// ratchet is the least that is billed because of months before, which month
// made it so, and months in force that should be known and are not.
func (w *work) ratchet(p *Part) (floor *big.Rat, from past, absent []string) {
	now := MonthOf(w.a.In(w.c.loc))
	begun := Month{w.c.Versions[0].From.Year, w.c.Versions[0].From.Month}
	from.kw = new(big.Rat)
	for back := 1; back <= p.Ratchet.Months; back++ {
		m := now.Add(-back)
		if m.Since(begun) < 0 || len(p.Ratchet.Of) > 0 && !slices.Contains(p.Ratchet.Of, int(m.Month)) {
			continue
		}
		known := false
		for _, d := range w.state.Demands {
			if d.Part != p.Name || d.Month != m {
				continue
			}
			known = true
			if kw := kilowatts(d.Demand); kw.Cmp(from.kw) > 0 {
				from = past{kw, m, d.Status}
			}
		}
		if !known {
			absent = append(absent, m.String())
		}
	}
	return new(big.Rat).Mul(from.kw, p.Ratchet.Share.rat()), from, absent
}

// coincident charges the mean of the site's power at the peaks of the year
// before, or of this month.
func (w *work) coincident(p *Part) {
	now := w.a.In(w.c.loc)
	set := w.c.peaks(p.PeakSet)
	year, month := now.Year()-1, time.Month(0)
	if p.Charged == "same-month" {
		year, month = now.Year(), now.Month()
	}
	want := set.count(year, month)
	if want == 0 && month != 0 {
		return // no peak is looked for in this month
	}
	sum := new(big.Rat)
	n := int64(0)
	status := Settled
	var when []string
	for _, d := range w.state.Peaks {
		t := d.Start.In(w.c.loc)
		if d.Set != p.PeakSet || t.Year() != year || month != 0 && t.Month() != month {
			continue
		}
		sum.Add(sum, kilowatts(d.Demand))
		n++
		status = max(status, d.Status)
		when = append(when, fmt.Sprintf("%s: %v", t.Format(stamp), d.Demand))
	}
	kw := new(big.Rat)
	note := fmt.Sprintf("mean at %d peaks of %d (%s)", n, year, strings.Join(when, ", "))
	source := inContract
	switch {
	case int(n) == want && n > 0:
		kw.Quo(sum, big.NewRat(n, 1))
	case p.Assumed > 0:
		kw, status = kilowatts(p.Assumed), Estimated
		note = fmt.Sprintf("assumed: %d of the %d peaks of %d are known", n, want, year)
	case n > 0:
		kw.Quo(sum, big.NewRat(n, 1))
		status = Estimated
		note += fmt.Sprintf("; the rule wants %d", want)
	default:
		status = Missing
		note = fmt.Sprintf("none of the %d peaks of %d is known: not charged", want, year)
	}
	rate := p.Capacity.monthly()
	l := Line{Part: p.Name, Kind: p.Kind, What: p.PeakSet, Quantity: Exact{kw}, Unit: "kW", Rate: Exact{rate}, Source: source, Status: status, Note: note}
	w.put(w.prorate(l, new(big.Rat).Mul(kw, rate)))
}

func (w *work) fee(p *Part) {
	amount := big.NewRat(p.Amount.Minor, 1)
	for range w.c.Currency.Digits() {
		amount.Quo(amount, big.NewRat(10, 1))
	}
	l := Line{Part: p.Name, Kind: p.Kind, Quantity: ExactInt(1), Unit: "month", Rate: exactOf(amount), Source: inContract}
	if p.Per == "day" {
		y, m, _ := w.a.In(w.c.loc).Date()
		days := new(big.Rat).Mul(w.share, big.NewRat(int64(time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day()), 1))
		l.Quantity, l.Unit = Exact{days}, "days"
		w.put(l, new(big.Rat).Mul(amount, days))
		return
	}
	w.put(w.prorate(l, amount))
}

// tax is charged on the rounded amounts of lines before it, as they stand on
// the statement.
func (w *work) tax(p *Part, first int) {
	base := new(big.Rat)
	status := Settled
	for _, l := range w.lines[first:] {
		if len(p.On) == 0 && l.Kind == Tax || len(p.On) > 0 && !slices.Contains(p.On, l.Part) {
			continue
		}
		base.Add(base, big.NewRat(l.Amount.Minor, 1))
		status = max(status, l.Status)
	}
	for range w.c.Currency.Digits() {
		base.Quo(base, big.NewRat(10, 1))
	}
	on := "all lines before"
	if len(p.On) > 0 {
		on = strings.Join(p.On, ", ")
	}
	l := Line{Part: p.Name, Kind: p.Kind, Quantity: exactOf(base), Unit: string(w.c.Currency), Rate: Exact{p.Share.rat()}, Source: inContract, Status: status, Note: "on " + on}
	w.put(l, new(big.Rat).Mul(base, p.Share.rat()))
}
