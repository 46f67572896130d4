package debt

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"ballast/market"
	"ballast/unit"
)

// PeerReport is what a miner says about a month.
type PeerReport struct {
	Firm      string
	Month     time.Time // its first day, UTC
	Mined     unit.Money
	Installed unit.Opt[unit.Hashrate] // or energised, as told
	Luck      bool                    // mines solo or by PPLNS
	Source    string
}

// PeerRow is one miner in the league table of a month.
type PeerRow struct {
	Rank      int
	Firm      string
	Realised  market.Realised
	Share     float64              // of the network's hashrate
	Rate      unit.Opt[unit.Ratio] // realised over installed
	Growth    unit.Opt[float64]    // of realised hashrate since the month before
	ShareGain unit.Opt[float64]    // points of share since the month before
	Class     string
	Source    string
}

// SizeClass is miners from a realised hashrate up.
type SizeClass struct {
	Name string
	From unit.Hashrate
}

// SizeClasses part the public miners of 2025; a user may set others.
func SizeClasses() []SizeClass {
	return []SizeClass{{"small", 0}, {"mid-tier", 8 * unit.EHs}, {"large", 35 * unit.EHs}}
}

// ClassRow is all miners of a size class together. Growth counts those alone
// that reported both months, in the class they had the month before: a miner
// that grows out of its class counts for the class it grew in.
type ClassRow struct {
	Class    string
	Firms    int
	Realised unit.Hashrate
	Share    float64
	Growth   unit.Opt[float64]
}

// League ranks the miners of a month by realised hashrate. Fees are the
// network's fee share in a month and how far it may be off.
func League(reports []PeerReport, month time.Time, h market.History, fees func(time.Time) (share, off float64), classes []SizeClass) ([]PeerRow, []ClassRow, error) {
	if len(classes) == 0 {
		classes = SizeClasses()
	}
	before := month.AddDate(0, -1, 0)
	of := func(m time.Time) (map[string]market.Realised, float64, error) {
		out := map[string]market.Realised{}
		share, off := fees(m)
		for _, r := range reports {
			if !r.Month.Equal(m) {
				continue
			}
			if _, twice := out[r.Firm]; twice {
				return nil, 0, fmt.Errorf("%s reports %s twice: %w", r.Firm, m.Format("2006-01"), ErrInvalid)
			}
			x, err := market.RealisedHashrate(market.Production{From: m, To: m.AddDate(0, 1, 0), Mined: r.Mined, FeeShare: share, FeeShareError: off, Luck: r.Luck}, h)
			if err != nil {
				return nil, 0, fmt.Errorf("%s, %s: %w", r.Firm, m.Format("2006-01"), err)
			}
			out[r.Firm] = x
		}
		n, err := network(h, m, m.AddDate(0, 1, 0))
		return out, n, err
	}
	now, all, err := of(month)
	if err != nil {
		return nil, nil, err
	}
	if len(now) == 0 {
		return nil, nil, fmt.Errorf("no report for %s: %w", month.Format("2006-01"), ErrNoData)
	}
	then, allThen, errThen := of(before)
	if errThen != nil {
		then = nil
	}
	var rows []PeerRow
	for _, r := range reports {
		x, ok := now[r.Firm]
		if !ok || !r.Month.Equal(month) {
			continue
		}
		row := PeerRow{Firm: r.Firm, Realised: x, Share: float64(x.Hashrate) / all, Source: r.Source, Class: class(classes, x.Hashrate)}
		if i, ok := r.Installed.Get(); ok {
			if rate, ok := market.RealisationRate(x.Hashrate, i); ok {
				row.Rate = unit.Some(rate)
			}
		}
		if p, ok := then[r.Firm]; ok && p.Hashrate > 0 {
			row.Growth = unit.Some(float64(x.Hashrate/p.Hashrate) - 1)
			row.ShareGain = unit.Some(row.Share - float64(p.Hashrate)/allThen)
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b PeerRow) int { return cmp.Compare(b.Realised.Hashrate, a.Realised.Hashrate) })
	for i := range rows {
		rows[i].Rank = i + 1
	}
	var sums []ClassRow
	for _, c := range classes {
		s := ClassRow{Class: c.Name}
		var was, is unit.Hashrate
		for _, r := range rows {
			if r.Class == c.Name {
				s.Firms++
				s.Realised += r.Realised.Hashrate
				s.Share += r.Share
			}
			if p, ok := then[r.Firm]; ok && class(classes, p.Hashrate) == c.Name {
				was += p.Hashrate
				is += r.Realised.Hashrate
			}
		}
		if was > 0 {
			s.Growth = unit.Some(float64(is/was) - 1)
		}
		sums = append(sums, s)
	}
	return rows, sums, nil
}

func class(classes []SizeClass, h unit.Hashrate) string {
	name := ""
	var from unit.Hashrate = -1
	for _, c := range classes {
		if h >= c.From && c.From > from {
			name, from = c.Name, c.From
		}
	}
	return name
}

// network is the network's mean hashrate in a span, in TH/s: each epoch by the
// time that it takes of it.
func network(h market.History, from, to time.Time) (float64, error) {
	var sum float64
	for t := from; t.Before(to); {
		e, ok := h.At(t)
		if !ok {
			return 0, fmt.Errorf("no difficulty known at %v: %w", t, ErrNoData)
		}
		end := to
		if next, ok := h.Epoch(e.Number + 1); ok && next.Start.Before(end) {
			end = next.Start
		}
		hs, ok := e.Hashrate()
		if !ok {
			// The epoch still runs: what its difficulty stands for.
			x, _ := e.Target.Hashes().Float64()
			hs = x / market.Spacing
		}
		sum += hs / 1e12 * end.Sub(t).Seconds()
		t = end
	}
	return sum / to.Sub(from).Seconds(), nil
}
