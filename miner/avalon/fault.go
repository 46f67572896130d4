package avalon

import (
	"strconv"
	"strings"

	"ballast/miner"
)

// bit is one bit of an error word in neutral words.
type bit struct {
	code     miner.Code
	severity miner.Severity
	text     string
}

// moduleBits are the bits of ECHU (one word for each board) and ECMM (the
// module), by their names in Canaan's own management system and in cgminer's
// miner.php, which also says which are warnings. Every healthy A10 shows 512.
var moduleBits = []bit{
	0:  {miner.AdvisoryOther, miner.Info, "IDLE"},
	1:  {miner.ControlBoard, miner.Minor, "MMCRCFAILED: errors on the bus to the module"},
	2:  {miner.FanMissing, miner.Critical, "NOFAN"},
	3:  {miner.ControlOther, miner.Minor, "LOCK"},
	4:  {miner.FirmwareOther, miner.Minor, "APIFIFOOVERFLOW"},
	5:  {miner.FirmwareOther, miner.Minor, "RBOVERFLOW"},
	6:  {miner.ThermalChip, miner.Critical, "TOOHOT"},
	7:  {miner.ThermalChip, miner.Minor, "HOTBEFORE: has been too hot"},
	8:  {miner.BoardInit, miner.Critical, "LOOPFAILED: the chain of chips is broken"},
	9:  {miner.ChipFault, miner.Info, "CORETESTFAILED: cores failed their test"},
	10: {miner.RailPower, miner.Critical, "INVALIDPMU: the power unit of a board is not found"},
	11: {miner.RailPower, miner.Critical, "PGFAILED: board power is not good"},
	12: {miner.SensorTemperature, miner.Major, "NTC_ERR: temperature sensor"},
	13: {miner.RailVoltage, miner.Major, "VOL_ERR: input voltage of a board"},
	14: {miner.RailVoltage, miner.Major, "VCORE_ERR: core voltage"},
	15: {miner.RailOther, miner.Minor, "PMUCRCFAILED: errors on the bus to the power unit"},
	16: {miner.FirmwareConfig, miner.Minor, "INVALID_PLL_VALUE"},
	17: {miner.BoardOther, miner.Critical, "HUFAILED: hash unit failed"},
}

// supplyBits are the bits of PS[0], by the A10 API manual's appendix 1.
var supplyBits = []bit{
	0:  {miner.PSUInputVoltage, miner.Critical, "Input_UV: input voltage low"},
	1:  {miner.PSUOverTemperature, miner.Critical, "OT1: over hot"},
	2:  {miner.PSUOverTemperature, miner.Critical, "OT2: over hot"},
	3:  {miner.PSUOverTemperature, miner.Critical, "OT3: over hot"},
	4:  {miner.PSUOverCurrent, miner.Critical, "OC_Pri: input over current"},
	5:  {miner.PSUOutputVoltage, miner.Critical, "UV_out: output voltage low"},
	6:  {miner.PSUOverCurrent, miner.Critical, "OC_out: output over current"},
	7:  {miner.PSUOther, miner.Major, "CS_error"},
	8:  {miner.PSUOverCurrent, miner.Major, "OC_IOSA"},
	9:  {miner.PSUOverCurrent, miner.Major, "OC_IOSB"},
	10: {miner.PSUOverCurrent, miner.Major, "OC_IOSC"},
	11: {miner.PSUFan, miner.Major, "FAN_error: fan failed"},
}

// decode adds a fault for each bit of word. Unknown bits are one fault of the
// group's "other", with the word kept.
func decode(r *miner.Reading, table []bit, other bit, word float64, field string, index int) {
	if word <= 0 || word >= 1<<32 {
		return
	}
	bits, unknown := uint32(word), uint32(0)
	for i := range 32 {
		mask := uint32(1) << i
		switch {
		case bits&mask == 0:
		case i < len(table):
			b := table[i]
			r.Faults = append(r.Faults, miner.NewFault(b.code, b.severity, index, field+" "+strconv.Itoa(int(mask)), b.text))
		default:
			unknown |= mask
		}
	}
	if unknown != 0 {
		r.Faults = append(r.Faults, miner.NewFault(other.code, other.severity, index, field+" "+strconv.FormatUint(uint64(unknown), 10), other.text))
		r.Warn(miner.WarnUnknown, field, strconv.FormatUint(uint64(bits), 10))
	}
}

// faults reads what the module complains of. boards are those that it has just
// been read into, supply is the index of its PSU.
func (m *module) faults(r *miner.Reading, state miner.State, boards []miner.Board, supply int) {
	for i, word := range m.list("ECHU") {
		index := -1
		if i < len(boards) {
			index = boards[i].Index
		}
		m.boardFaults(r, state, boards, i, index, word)
	}
	if v, ok := m.num("ECMM").Get(); ok {
		if uint32(max(0, min(v, 1<<31)))&1 != 0 { // idle says the state
			v--
		}
		decode(r, moduleBits, bit{miner.ControlOther, miner.Major, "unknown module error"}, v, "ECMM", -1)
	}
	m.supplyFaults(r, supply)
	for i, v := range m.list("HASHS") {
		if v != 0 && i < len(boards) {
			r.Faults = append(r.Faults, miner.NewFault(miner.BoardOther, miner.Major, boards[i].Index, "HASHS "+strconv.FormatFloat(v, 'f', -1, 64), "hash board error"))
		}
	}
	if v, ok := m.num("POOLS").Get(); ok && v != 0 {
		r.Faults = append(r.Faults, miner.NewFault(miner.ControlPool, miner.Critical, -1, "POOLS "+m.get("POOLS"), "pool connection failed"))
	}
	if v, ok := m.num("FanErr").Get(); ok && v != 0 {
		r.Faults = append(r.Faults, miner.NewFault(miner.FanMissing, miner.Major, -1, "FanErr "+m.get("FanErr"), "fan error"))
	}
	if strings.Contains(m.get("SYSTEMSTATU"), "In Fault") && len(r.Faults) == 0 {
		r.Faults = append(r.Faults, miner.NewFault(miner.ControlOther, miner.Critical, -1, "In Fault", kept(m.get("SYSTEMSTATU"))))
	}
	for _, b := range boards {
		if present, ok := b.Present.Get(); ok && !present {
			r.Faults = append(r.Faults, miner.NewFault(miner.BoardMissing, miner.Major, b.Index, "", "told: "+m.get("SYSTEMSTATU")))
		}
	}
}

func (m *module) boardFaults(r *miner.Reading, state miner.State, boards []miner.Board, i, index int, word float64) {
	if word >= 1 && word < 1<<32 && uint32(word)&1 != 0 {
		// Idle is no fault of a machine that sleeps; of one that works, a board
		// that idles beside others does not hash.
		word--
		if state == miner.Hashing {
			b := bit{miner.AdvisoryOther, miner.Minor, "IDLE"}
			if i < len(boards) && boards[i].Hashrate.Or(1) == 0 {
				b = bit{miner.BoardNoHash, miner.Major, "IDLE"}
			}
			r.Faults = append(r.Faults, miner.NewFault(b.code, b.severity, index, "ECHU 1", b.text))
		}
	}
	decode(r, moduleBits, bit{miner.BoardOther, miner.Major, "unknown board error"}, word, "ECHU", index)
}

func (m *module) supplyFaults(r *miner.Reading, index int) {
	ps := m.list("PS")
	if len(ps) > 0 {
		if allZero(ps) {
			r.Faults = append(r.Faults, miner.NewFault(miner.PSUMissing, miner.Critical, index, "PS 0", "the power supply tells nothing"))
		}
		decode(r, supplyBits, bit{miner.PSUOther, miner.Major, "unknown power supply error"}, ps[psError], "PS", index)
	}
	if v, ok := m.num("POWS").Get(); ok && v != 0 {
		r.Faults = append(r.Faults, miner.NewFault(miner.PSUOther, miner.Major, index, "POWS "+m.get("POWS"), "power supply error"))
	}
	if v, ok := m.num("PCOMM_E").Get(); ok && v != 0 {
		r.Faults = append(r.Faults, miner.NewFault(miner.PSUOther, miner.Minor, index, "PCOMM_E "+m.get("PCOMM_E"), "errors on the bus to the power supply"))
	}
	for _, key := range []string{"POW_I2C", "POW_I2C_CONN"} {
		if v := m.get(key); v != "" && v != "OK" && !strings.HasPrefix(v, "SUCC") {
			r.Faults = append(r.Faults, miner.NewFault(miner.PSUMissing, miner.Major, index, key+" "+v, "no communication with the power supply"))
		}
	}
}
