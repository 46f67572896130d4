package debt

import "ballast/unit"

// SourcedInput is one figure that the claim is held against, with where it was
// read. Figures are facts of public sources, keyed by hand.
type SourcedInput struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	AsOf   string  `json:"as_of"`
	Source string  `json:"source"`
	Kind   string  `json:"kind" enum:"quoted,derived,market"`
}

// SourcedClaimInputs are the figures that the claim can be held against without
// any feed, of mid-2026 and before. Whoever has newer ones puts them in.
func SourcedClaimInputs() (ClaimInputs, []SourcedInput) {
	in := ClaimInputs{StatePower: map[string]float64{"Nevada": 10.36, "Texas": 6.60}, RatioCases: 13}
	var list []SourcedInput
	put := func(into *unit.Opt[float64], name string, v float64, u, asOf, source, kind string) {
		*into = unit.Some(v)
		list = append(list, SourcedInput{name, v, u, asOf, source, kind})
	}
	const chain = "the chain's own targets and times (Electrum's checkpoints)"
	put(&in.NetworkThen, "network hashrate, mean of January to June 2025", 848, "EH/s", "2025-06", chain, "derived")
	put(&in.NetworkEH, "network hashrate", 894, "EH/s", "2026-06", chain, "derived")
	put(&in.PublicEH, "realised hashrate of the public miners together", 326, "EH/s", "2025-09", "TheMinerMag, by Cointelegraph", "quoted")
	put(&in.SectorDebt, "debt of the sector", 12.7, "bn USD", "2025-10", "VanEck, Bitcoin ChainCheck of October 2025", "quoted")
	put(&in.SectorBefore, "debt of the sector, a year before", 2.1, "bn USD", "2024-10", "VanEck, Bitcoin ChainCheck of October 2025", "quoted")
	put(&in.QuarterFlow, "debt and convertibles issued by 15 public miners in a quarter", 4.6, "bn USD", "2024-12", "TheMinerMag, Miner Weekly of 16 October 2025", "quoted")
	put(&in.IndexPerTH, "machines, newest quote", 22.9, "USD/TH", "2025-08", "a dealer's offer of a hydro-cooled machine", "quoted")
	put(&in.IndexLow, "machines, lowest index on record", 15.71, "USD/TH", "2022-12", "Hashrate Index", "quoted")
	put(&in.IndexHigh, "machines, highest index on record", 119.25, "USD/TH", "2021-05", "Hashrate Index", "quoted")
	put(&in.Hashprice, "hashprice", 28, "USD/PH/day", "2026-06", "reckoned of price and difficulty, subsidy only", "derived")
	put(&in.SatPHDay, "1 PH/s earns", 50_318, "sat/PH/day", "2026-06", "difficulty of 14 June 2026, 124.93e12; subsidy only", "derived")
	put(&in.MinerPower, "power, miners' median", 0.045, "USD/kWh", "2024", "Cambridge Centre for Alternative Finance, survey of 2025", "quoted")
	put(&in.USPower, "power, all US customers", 0.127, "USD/kWh", "2023", "US Energy Information Administration", "quoted")
	put(&in.RatioAUC, "AUC of the ratio on 13 firms of 2022-24", 0.71, "", "2024", "Ballast's back-test; docs/debt.md", "derived")
	put(&in.TailDepth, "fall of difficulty through the defaults of winter 2022", -0.077, "", "2023-01", chain, "derived")
	put(&in.RetargetNow, "newest retarget", -0.1009, "", "2026-06-14", chain, "derived")
	list = append(list, SourcedInput{"industrial power, Nevada and Texas", 10.36 / 6.60, "c/kWh over c/kWh", "2023", "US Energy Information Administration", "derived"})
	return in, list
}
