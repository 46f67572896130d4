package miner

import "ballast/unit"

// ID is a machine's number in the record, stable over addresses and names.
type ID int64

// Degraded tells whether a hashing machine needs a look: a fault that costs
// hashrate, a board or chips missing, or less than 90 % of what the firmware
// expects at its present setting.
func (r *Reading) Degraded() bool {
	if r.State != Hashing {
		return false
	}
	for _, f := range r.Faults {
		if f.Severity == Major || f.Severity == Critical {
			return true
		}
	}
	for _, b := range r.Boards {
		if present, ok := b.Present.Get(); ok && !present {
			return true
		}
		chips, ok1 := b.Chips.Get()
		expected, ok2 := b.ChipsExpected.Get()
		if ok1 && ok2 && chips < expected {
			return true
		}
	}
	now, ok1 := r.HashrateAverage.OrElse(r.HashrateNow).Get()
	nominal, ok2 := r.HashrateNominal.Get()
	return ok1 && ok2 && nominal > 0 && now < nominal*0.9
}

// MaxTemp is the hottest chip, else the hottest board, that the reading tells.
func (r *Reading) MaxTemp() unit.Opt[unit.Temperature] {
	return r.TempChip.OrElse(r.TempBoard)
}
