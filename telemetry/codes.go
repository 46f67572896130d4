package telemetry

import (
	"errors"
	"slices"

	"ballast/miner"
)

// Outcome is how a poll ended.
type Outcome string

// The outcomes.
const (
	OK          Outcome = "ok"
	Unreachable Outcome = "unreachable" // no answer
	Denied      Outcome = "denied"      // password refused
	Garbage     Outcome = "garbage"     // nothing readable
	NotMine     Outcome = "not_mine"    // another firmware answers
	Busy        Outcome = "busy"        // another session holds the machine
	Refused     Outcome = "refused"     // understood and declined
	Failed      Outcome = "failed"      // anything else
)

// OutcomeOf names the outcome of a poll by the error of its driver.
func OutcomeOf(err error) Outcome {
	for _, o := range []struct {
		is  error
		out Outcome
	}{
		{nil, OK},
		{miner.ErrDenied, Denied}, {miner.ErrLocked, Denied}, {miner.ErrNotMine, NotMine}, {miner.ErrGarbage, Garbage},
		{miner.ErrBusy, Busy}, {miner.ErrRefused, Refused}, {miner.ErrUnsupported, Refused}, {miner.ErrUnreachable, Unreachable},
	} {
		if errors.Is(err, o.is) {
			return o.out
		}
	}
	return Failed
}

// Words that engines keep as small numbers: their place in these lists. The
// lists only ever grow at the end, since files hold the numbers. Place 0 is the
// empty word.
var (
	outcomes     = []Outcome{"", OK, Unreachable, Denied, Garbage, NotMine, Busy, Refused, Failed}
	states       = []miner.State{"", miner.Hashing, miner.Starting, miner.Sleeping, miner.Stopped, miner.Unknown}
	powerSources = []miner.PowerSource{"", miner.PowerMetered, miner.PowerPSU, miner.PowerEstimated}
	severities   = []miner.Severity{"", miner.Info, miner.Minor, miner.Major, miner.Critical}
	warningKinds = []miner.WarningKind{miner.WarnBroken, miner.WarnRepaired, miner.WarnTruncated, miner.WarnMissing,
		miner.WarnImplausible, miner.WarnUnknown, miner.WarnRefused, miner.WarnConflict}
)

func codeOf[T comparable](words []T, w T) uint8 { return uint8(max(slices.Index(words, w), 0)) }

func wordOf[T any](words []T, c uint8) (w T) {
	if int(c) < len(words) {
		w = words[c]
	}
	return w
}

// Code is the outcome as a small number for engines.
func (o Outcome) Code() uint8 { return codeOf(outcomes, o) }

// OutcomeCoded undoes Outcome.Code.
func OutcomeCoded(c uint8) Outcome { return wordOf(outcomes, c) }

// StateCode is a state as a small number for engines.
func StateCode(s miner.State) uint8 { return codeOf(states, s) }

// StateCoded undoes StateCode.
func StateCoded(c uint8) miner.State { return wordOf(states, c) }

// PowerSourceCode is a source of power figures as a small number for engines.
func PowerSourceCode(s miner.PowerSource) uint8 { return codeOf(powerSources, s) }

// PowerSourceCoded undoes PowerSourceCode.
func PowerSourceCoded(c uint8) miner.PowerSource { return wordOf(powerSources, c) }

// SeverityCode is a severity as a small number for engines; worse is more.
func SeverityCode(s miner.Severity) uint8 { return codeOf(severities, s) }

// SeverityCoded undoes SeverityCode.
func SeverityCoded(c uint8) miner.Severity { return wordOf(severities, c) }

// WarningKinds are the kinds of warning in a row's WarningBits.
func WarningKinds(bits uint8) []miner.WarningKind {
	var out []miner.WarningKind
	for i, k := range warningKinds {
		if bits&(1<<i) != 0 {
			out = append(out, k)
		}
	}
	return out
}

func warningBit(k miner.WarningKind) uint8 {
	if i := slices.Index(warningKinds, k); i >= 0 {
		return 1 << i
	}
	return 0
}

// FaultSummary condenses the faults of a machine or a board: how many there are
// is a metric, which ones is here.
type FaultSummary struct {
	First miner.Code     `json:"first,omitempty"` // of the worst severity; 0 for none
	Worst miner.Severity `json:"worst,omitempty"`
	Bits  uint64         `json:"bits,omitempty"` // every code: FaultCodes
}

func (s *FaultSummary) add(f miner.Fault) {
	if s.First == 0 || SeverityCode(f.Severity) > SeverityCode(s.Worst) {
		s.First, s.Worst = f.Code, f.Severity
	}
	s.Bits |= faultBit(f.Code)
}

// faultCodes are the bits of FaultSummary.Bits. The list only grows at the end,
// up to 64.
var faultCodes = []miner.Code{
	miner.PSUOther, miner.PSUMissing, miner.PSUInputVoltage, miner.PSUOutputVoltage, miner.PSUOverCurrent, miner.PSUOverTemperature,
	miner.PSUFan, miner.PSUEEPROM, miner.PSUShutdown,
	miner.ThermalOther, miner.ThermalChip, miner.ThermalBoard, miner.ThermalAmbient, miner.ThermalCold, miner.FanMissing, miner.FanSlow,
	miner.FanImbalance, miner.CoolantFlow,
	miner.BoardOther, miner.BoardMissing, miner.BoardDisabled, miner.BoardEEPROM, miner.BoardNoHash, miner.BoardLowHash, miner.BoardInit,
	miner.BoardMismatch, miner.ChipMissing, miner.ChipFault, miner.ChipCRC, miner.ChipErrorRate,
	miner.RailOther, miner.RailVoltage, miner.RailPower,
	miner.SensorOther, miner.SensorTemperature, miner.SensorCurrent, miner.SensorHumidity,
	miner.FirmwareOther, miner.FirmwareFile, miner.FirmwareConfig, miner.FirmwareUpdate, miner.FirmwareCrash,
	miner.ControlOther, miner.ControlBoard, miner.ControlNetwork, miner.ControlPool, miner.ControlClock, miner.ControlTamper, miner.ControlMemory,
	miner.AdvisoryOther, miner.AdvisoryTuning, miner.AdvisoryReduced, miner.AdvisoryLowHash,
}

// faultBit is the bit of a code, or of its group's "other" when the code is
// newer than the list.
func faultBit(c miner.Code) uint64 {
	i := slices.Index(faultCodes, c)
	if i < 0 {
		i = slices.Index(faultCodes, c/1000*1000)
	}
	if i < 0 {
		return 0
	}
	return 1 << i
}

// FaultCodes are the codes in a FaultSummary's Bits.
func FaultCodes(bits uint64) []miner.Code {
	var out []miner.Code
	for i, c := range faultCodes {
		if bits&(1<<i) != 0 {
			out = append(out, c)
		}
	}
	return out
}
