package debt

import (
	"fmt"
	"math"

	"ballast/unit"
)

// Verdict is what came of checking a figure.
type Verdict string

// The verdicts. Coherent says that the figures fit together, not that they are
// true.
const (
	Coherent   Verdict = "coherent"
	Incoherent Verdict = "not coherent"
	Unsourced  Verdict = "not sourced" // no source was found, or sources say otherwise
	Undefined  Verdict = "not defined" // means different things to different readers
	Unchecked  Verdict = "not checked" // the data to check it with is not here
)

// ClaimInputs are measured or sourced figures that the claim is held against.
// What is missing leaves the rows that need it unchecked.
type ClaimInputs struct {
	NetworkEH    unit.Opt[float64] // the network's hashrate now, EH/s
	NetworkThen  unit.Opt[float64] // and at the claim's date, the first half of 2025
	PublicEH     unit.Opt[float64] // realised, of the public miners
	SectorDebt   unit.Opt[float64] // USD bn, sourced stock
	SectorBefore unit.Opt[float64] // USD bn, a year before
	QuarterFlow  unit.Opt[float64] // USD bn issued in the quarter that is taken for a stock
	IndexPerTH   unit.Opt[float64] // USD, of machines today
	IndexLow     unit.Opt[float64] // lowest on record
	IndexHigh    unit.Opt[float64] // highest on record
	Hashprice    unit.Opt[float64] // USD/PH/day now
	SatPHDay     unit.Opt[float64] // satoshi/PH/day now
	MinerPower   unit.Opt[float64] // USD/kWh, miners' median
	StatePower   map[string]float64
	USPower      unit.Opt[float64] // USD/kWh, all sectors, mean of the states listed
	RatioAUC     unit.Opt[float64]
	RatioCases   int
	TailDepth    unit.Opt[float64] // fall of difficulty through the defaults of winter 2022
	RetargetNow  unit.Opt[float64] // the newest retarget
}

// ClaimRow is one figure of the press article, checked.
type ClaimRow struct {
	No      int     `json:"no"`
	Figure  string  `json:"figure"` // as claimed
	Verdict Verdict `json:"verdict"`
	// Formula with the numbers put in, and what it gives.
	Formula string  `json:"formula,omitempty"`
	Result  float64 `json:"result,omitzero"`
	Unit    string  `json:"unit,omitempty"`
	Note    string  `json:"note"`
}

// The claim's figures. They are the article's, not ours.
const (
	claimDebt      = 25.0 // USD bn, early 2025
	claimDebt2023  = 15.0 // USD bn, mid-2023
	claimRatio     = 1.8
	claimStable    = 1.5
	claimRigs      = 15_000
	claimRigTH     = 100.0
	claimRigUSD    = 1500.0
	claimUSPower   = 0.12
	claimCNPower   = 0.07
	claimLossPrice = 25_000.0
)

// Claims checks the article's figures one by one, in its order. Every result
// is reckoned from the inputs.
func Claims(in ClaimInputs) []ClaimRow {
	var rows []ClaimRow
	add := func(figure string, v Verdict, note string) *ClaimRow {
		rows = append(rows, ClaimRow{No: len(rows) + 1, Figure: figure, Verdict: v, Note: note})
		return &rows[len(rows)-1]
	}
	calc := func(r *ClaimRow, result float64, unit, format string, args ...any) {
		r.Result, r.Unit, r.Formula = result, unit, fmt.Sprintf(format, args...)
	}

	// 25/1.8 over the network.
	r := add("$25 bn of debt at a ratio of 1.8", Unchecked, "The hashpower that this ratio divides by is the whole network's at a market price, so its debt must be everybody's, public and private, mining and AI.")
	if eh, ok := in.NetworkThen.Get(); ok {
		per := claimDebt * 1e9 / claimRatio / (eh * 1e6)
		calc(r, per, "USD/TH", "25e9 / 1.8 / %.0f EH/s, the network of early 2025", eh)
		lo, hi := in.IndexLow.Or(math.NaN()), in.IndexHigh.Or(math.NaN())
		switch {
		case per >= 0.75*lo && per <= hi:
			r.Verdict = Coherent
			r.Note += fmt.Sprintf(" It lies in the range of machine prices on record, %.2f to %.2f.", lo, hi)
		case per < 0.75*lo || per > hi:
			r.Verdict = Incoherent
		}
	}
	r = add("$25 bn of debt against public miners", Unchecked, "Against the hashrate of those whose debt is known, the same debt and ratio ask for machines at a price they have not had since 2022.")
	if eh, ok := in.PublicEH.Get(); ok {
		per := claimDebt * 1e9 / claimRatio / (eh * 1e6)
		calc(r, per, "USD/TH", "25e9 / 1.8 / %.0f EH/s", eh)
		if p, ok := in.IndexPerTH.Get(); ok {
			r.Verdict = Coherent
			if per > 1.5*p || per < p/1.5 {
				r.Verdict = Incoherent
				r.Note += fmt.Sprintf(" They trade at about %.1f.", p)
			}
		}
	}
	r = add("debt of $25 bn, early 2025", Unsourced, "In no source. The nearest stock is VanEck's, by a year later about half of it; shown as a claim that the user may edit.")
	if d, ok := in.SectorDebt.Get(); ok {
		calc(r, claimDebt/d, "times the sourced stock", "25 / %.1f", d)
	}
	r = add("debt of $15 bn, mid-2023", Unsourced, "In no source; public miners' liabilities were over $4 bn in September 2022, and VanEck has $2.1 bn of debt in late 2024.")
	if d, ok := in.SectorBefore.Get(); ok {
		calc(r, claimDebt2023/d, "times the sourced stock of late 2024", "15 / %.1f", d)
	}
	r = add("debt grew 67 % from $15 bn to $25 bn", Coherent, "The two figures fit each other; neither has a source, and the sourced stock grew far faster.")
	calc(r, 100*(claimDebt/claimDebt2023-1), "%", "25 / 15 - 1")
	if a, ok := in.SectorBefore.Get(); ok {
		if b, ok := in.SectorDebt.Get(); ok {
			r.Note += fmt.Sprintf(" (%.1f to %.1f bn is %+.0f %%.)", a, b, 100*(b/a-1))
		}
	}
	r = add("debt as one number", Undefined, "Stock and flow are mixed: $4.6 bn is what fifteen miners issued in one quarter, $12.7 bn what is owed. Much of the newer debt is for AI halls.")
	if f, ok := in.QuarterFlow.Get(); ok {
		if d, ok := in.SectorDebt.Get(); ok {
			calc(r, 4*f/d, "years' stock issued a year at that pace", "4 x %.1f / %.1f", f, d)
		}
	}
	r = add("1.8 and 1.5 as lines of danger and stability", Unsourced, "In no source, and no calibrated probabilities.")
	if a, ok := in.RatioAUC.Get(); ok {
		calc(r, a, "AUC", "distressed against surviving firms, n = %d", in.RatioCases)
		r.Note += " The ratio has signal but is weak alone."
	}
	r = add("the ratio itself", Undefined, "Whose debt, and hashpower at which price? The same debt gives these ratios at the lowest and the highest machine price on record.")
	lo, ok1 := in.IndexLow.Get()
	hi, ok2 := in.IndexHigh.Get()
	if ok1 && ok2 {
		calc(r, hi/lo, "times between the two", "%.2f / %.2f", hi, lo)
	}
	r = add("sector's ratio on sourced figures", Unchecked, "Sourced debt over the public miners' realised hashrate at today's machine price: over the claim's 1.8 unless AI debt is left out.")
	if d, ok := in.SectorDebt.Get(); ok {
		eh, ok1 := in.PublicEH.Get()
		p, ok2 := in.IndexPerTH.Get()
		if ok1 && ok2 {
			x := d * 1e9 / (eh * 1e6 * p)
			calc(r, x, "ratio", "%.1fe9 / (%.0f EH/s x %.1f USD/TH)", d, eh, p)
			r.Verdict = Coherent
			if x <= claimRatio {
				r.Note = "Sourced debt over the public miners' realised hashrate at today's machine price: under the claim's 1.8."
			}
		}
	}
	r = add("100 GH/s for $1,500", Incoherent, "A machine of 100 GH/s has not been sold for a decade. 100 TH/s for $1,500 is meant, and that price is coherent with the index of late 2022.")
	calc(r, claimRigUSD/claimRigTH, "USD/TH", "1500 / 100 TH/s")
	r = add("kWh/TH/s as efficiency", Undefined, "Not a unit of efficiency without a time. J/TH is; kWh per TH/s and day is J/TH x 0.024.")
	calc(r, 15*0.024, "kWh per TH/s and day at 15 J/TH", "15 x 86400 / 3.6e6")
	r = add("US power at $0.12/kWh", Incoherent, "About what all customers pay on average. Miners pay far less, and at 12 c only machines better than this earn their power.")
	if h, ok := in.Hashprice.Get(); ok {
		calc(r, h/(24*claimUSPower), "J/TH at break-even", "%.2f / (24 x 0.12)", h)
		if p, ok := in.MinerPower.Get(); ok {
			r.Note += fmt.Sprintf(" Miners' median is %.1f c.", 100*p)
		}
	}
	r = add("China at $0.07/kWh", Undefined, "Mining is forbidden there since 2021; about a fifth of hashrate was still counted there in January 2022. A price without a lawful buyer is no cost advantage.")
	if h, ok := in.Hashprice.Get(); ok {
		calc(r, h/(24*claimCNPower), "J/TH at break-even", "%.2f / (24 x 0.07)", h)
	}
	r = add("15,000 machines moved from China to the US, 2023-25", Incoherent, "The exodus was in mid-2021. At 100 TH/s each the machines are this share of the network.")
	if eh, ok := in.NetworkEH.Get(); ok {
		calc(r, 100*claimRigs*claimRigTH/1e6/eh, "% of the network", "15000 x 100 TH/s / %.0f EH/s", eh)
	}
	r = add("Nevada as a mining hub", Unsourced, "Not among the leading states of the Cambridge map (Georgia, Texas, Kentucky).")
	if nv, ok := in.StatePower["Nevada"]; ok {
		if tx, ok := in.StatePower["Texas"]; ok {
			calc(r, nv/tx, "times the industrial price of Texas", "%.2f / %.2f c/kWh", nv, tx)
		}
	}
	r = add("losses under $25,000 a bitcoin", Incoherent, "Of 2022 and 2023. The line depends on the machine and the power price and is reckoned: this is it for 29.5 J/TH at 5 c now; better machines have lower ones.")
	if s, ok := in.SatPHDay.Get(); ok && s > 0 {
		line := func(e float64) float64 { return e * 24 * 0.05 / (s / 1e8) }
		calc(r, line(29.5), "USD a bitcoin", "29.5 x 24 x 0.05 / (%.0f sat/PH/day)", s)
		r.Note += fmt.Sprintf(" At 11 J/TH it is %.0f.", line(11))
		if l := line(11); l > 0.9*claimLossPrice && l < 1.1*claimLossPrice {
			r.Note += " So today the figure is that of the best machines, and not of the sector."
		}
	}
	add("ROI negative", Undefined, "Cash break-even, all-in cost and payback are three things; each is told apart here.")
	add("mid-tier miners gain ground", Undefined, "True of realised hashrate; that is not profit. Installed hashrate is not realised: 81 to 95 % of it was, October 2024.")
	r = add("a ratio under 1.5 by the end of 2026 means stability", Unsourced, "A forecast told as a fact. Nothing ties the ratio to the network's stability; the newest retarget on record is no sign of it either way.")
	if c, ok := in.RetargetNow.Get(); ok {
		calc(r, 100*c, "%", "newest retarget")
	}
	r = add("miners' default as a crash of hashrate", Incoherent, "Two events. Through the defaults of winter 2022 difficulty fell by this much and stood at a new high in January: machines changed owners. The largest fall, 2021, was a law.")
	if d, ok := in.TailDepth.Get(); ok {
		calc(r, 100*d, "%", "difficulty, November 2022 to January 2023")
	}
	add("cheaper capital where taxes are kind", Incoherent, "Taxes change cash flow after tax. The cost of capital is set by lender and collateral; the two are reckoned apart.")
	return rows
}
