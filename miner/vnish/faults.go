package vnish

import (
	"strconv"
	"strings"

	"ballast/miner"
)

// judge tells the state, and what the machine complains of.
func (p *parts) judge(r *miner.Reading) {
	var st status
	if p.summary != nil {
		st = p.summary.status
	}
	if p.status != nil {
		r.Locating = p.status.locating
		if st.state == "" {
			st = *p.status
		}
	}
	r.StateTold = st.state
	r.State = stateOf(st.state, r)
	if r.State == miner.Stopped || st.failureCode != "" && st.failureCode != "0" || st.description != "" {
		severity := miner.Critical
		if r.State == miner.Hashing {
			severity = miner.Minor
		}
		text := st.description
		if text == "" {
			text = "failure"
		}
		r.Faults = append(r.Faults, miner.NewFault(codeOf(text, miner.FirmwareOther), severity, -1, st.failureCode, text))
	}
	if t, ok := st.throttled.Get(); ok && t > 0 && t < 100 {
		r.Faults = append(r.Faults, miner.NewFault(miner.AdvisoryReduced, miner.Info, -1, "", "throttled to "+strconv.FormatInt(t, 10)+" %"))
	}
	if s := p.summary; s != nil {
		base := p.base()
		for _, c := range s.chains {
			board := c.id - base
			switch c.state {
			case "failure":
				r.Faults = append(r.Faults, miner.NewFault(codeOf(c.description, miner.BoardOther), miner.Major, board, "", orElse(c.description, "board failure")))
			case "disconnected":
				r.Faults = append(r.Faults, miner.NewFault(miner.BoardMissing, miner.Major, board, "", "board disconnected"))
			case "disabled":
				r.Faults = append(r.Faults, miner.NewFault(miner.BoardDisabled, miner.Major, board, "", "board disabled"))
			case "mining":
				if r.State == miner.Hashing && c.rate.Ok() && c.rate.Or(0) == 0 {
					r.Faults = append(r.Faults, miner.NewFault(miner.BoardNoHash, miner.Major, board, "", "board hashes nothing"))
				}
			}
		}
		for _, i := range s.lostFans {
			if !s.immersed {
				r.Faults = append(r.Faults, miner.NewFault(miner.FanMissing, miner.Major, i, "lost", "fan lost"))
			}
		}
	}
	p.judgePools(r)
}

func (p *parts) judgePools(r *miner.Reading) {
	if r.State != miner.Hashing || len(r.Pools) == 0 {
		return
	}
	for _, pool := range r.Pools {
		if pool.Alive.Or(true) {
			return
		}
	}
	r.Faults = append(r.Faults, miner.NewFault(miner.ControlPool, miner.Major, -1, "", "no pool is alive"))
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// stateOf reads the machine's word. VNish has a word for a fault, so stopped is
// what somebody told it to be.
func stateOf(word string, r *miner.Reading) miner.State {
	switch word {
	case "mining":
		return miner.Hashing
	case "auto-tuning", "auto_tuning", "tuning", "initializing", "starting", "restarting":
		return miner.Starting
	case "stopped", "paused", "shutting-down":
		return miner.Sleeping
	case "failure", "failed":
		return miner.Stopped
	case "":
		if r.HashrateNow.Or(0) > 0 {
			return miner.Hashing
		}
		return miner.Unknown
	}
	r.Warn(miner.WarnUnknown, "miner_state", word)
	return miner.Unknown
}

// failureWords are what VNish's descriptions and log lines speak of, the more
// telling ones first.
var failureWords = []struct {
	word string
	code miner.Code
}{
	{"fan", miner.FanMissing}, {"water", miner.CoolantFlow}, {"cold", miner.ThermalCold}, {"low temp", miner.ThermalCold},
	{"chip temp", miner.ThermalChip}, {"overheat", miner.ThermalBoard}, {"temperature", miner.ThermalBoard}, {"temp sensor", miner.SensorTemperature},
	{"sensor", miner.SensorTemperature}, {"eeprom", miner.BoardEEPROM}, {"psu", miner.PSUOther}, {"power supply", miner.PSUOther},
	{"voltage", miner.RailVoltage}, {"asic", miner.ChipMissing}, {"chip", miner.ChipMissing}, {"chain break", miner.ChipFault},
	{"crc", miner.ChipCRC}, {"nonce", miner.ChipCRC}, {"pic", miner.BoardInit}, {"init", miner.BoardInit}, {"pool", miner.ControlPool},
	{"network", miner.ControlNetwork}, {"no chains", miner.BoardMissing}, {"no boards", miner.BoardMissing}, {"board", miner.BoardOther},
	{"chain", miner.BoardOther}, {"tun", miner.AdvisoryTuning},
}

func codeOf(text string, other miner.Code) miner.Code {
	lower := strings.ToLower(text)
	for _, f := range failureWords {
		if strings.Contains(lower, f.word) {
			return f.code
		}
	}
	return other
}
