package server

import (
	"slices"

	"ballast/miner"
)

// Advice is a fault in plain words.
type Advice struct {
	Code  int    `json:"code"`
	Means string `json:"means"`
	Do    string `json:"do"`
}

// advice is what the faults of a reading mean, one for each different code.
func advice(r *miner.Reading) []Advice {
	out := []Advice{}
	if r == nil {
		return out
	}
	for _, f := range r.Faults {
		if !slices.ContainsFunc(out, func(a Advice) bool { return a.Code == int(f.Code) }) {
			means, do := f.Code.Advice()
			out = append(out, Advice{int(f.Code), means, do})
		}
	}
	return out
}
