package whatsminer

import (
	"strconv"
	"time"

	"ballast/miner"
	"ballast/sim"
)

// vendorCode is the code that MicroBT's firmware has for a fault, or the
// nearest that it has. Codes of a board carry its slot as the last digit.
func vendorCode(f miner.Fault) int {
	slot := max(f.Index, 0)
	switch f.Code {
	case miner.PSUMissing:
		return 200
	case miner.PSUInputVoltage:
		return 206
	case miner.PSUOutputVoltage:
		return 202
	case miner.PSUOverCurrent:
		return 236
	case miner.PSUOverTemperature:
		return 233
	case miner.PSUFan:
		return 253
	case miner.PSUEEPROM:
		return 201
	case miner.PSUShutdown:
		return 267

	case miner.ThermalChip:
		return 5040 + slot
	case miner.ThermalBoard:
		return 350 + slot
	case miner.ThermalAmbient:
		return 600
	case miner.ThermalCold:
		return 370
	case miner.FanMissing:
		return 110 + min(slot, 1)
	case miner.FanSlow, miner.FanImbalance:
		return 120 + min(slot, 1)
	case miner.CoolantFlow:
		return 5070 + slot

	case miner.BoardMissing:
		return 530 + slot
	case miner.BoardNoHash, miner.BoardDisabled:
		return 580 + slot
	case miner.BoardEEPROM:
		return 410 + slot
	case miner.BoardLowHash:
		return 590 + slot
	case miner.BoardInit:
		return 540 + slot
	case miner.BoardMismatch:
		return 510 + slot
	case miner.ChipMissing, miner.ChipFault:
		return 550 + slot
	case miner.ChipCRC:
		return 5120 + slot
	case miner.ChipErrorRate:
		return 520000 + slot*1000
	case miner.BoardOther:
		return 5130 + slot

	case miner.RailVoltage, miner.RailOther:
		return 5010 + slot
	case miner.RailPower:
		return 560 + slot

	case miner.SensorTemperature:
		if f.Index < 0 {
			return 329
		}
		return 300 + slot
	case miner.SensorHumidity:
		return 381
	case miner.SensorCurrent:
		return 219
	case miner.SensorOther:
		return 329

	case miner.FirmwareFile:
		return 800
	case miner.FirmwareConfig, miner.FirmwareUpdate:
		return 8400
	case miner.FirmwareCrash, miner.FirmwareOther:
		return 902

	case miner.ControlBoard, miner.ControlMemory, miner.ControlOther:
		return 710
	case miner.ControlNetwork:
		return 714
	case miner.ControlPool:
		return 2010
	case miner.ControlClock:
		return 713
	case miner.ControlTamper:
		return 110000

	case miner.AdvisoryTuning:
		return 5110 + slot
	case miner.AdvisoryReduced:
		return 8010
	case miner.AdvisoryLowHash:
		return 2310
	}
	switch f.Code / 1000 {
	case 1:
		return 210
	case 2:
		return 140
	}
	return 901
}

// complaint is a code with its time.
type complaint struct {
	code   string
	since  time.Time
	reason string
}

// complaints are the snapshot's faults in the vendor's codes, each once. A
// machine that gave up says so.
func complaints(s *sim.Snapshot) []complaint {
	var out []complaint
	add := func(code int, since time.Time, reason string) {
		text := strconv.Itoa(code)
		for _, c := range out {
			if c.code == text {
				return
			}
		}
		if since.IsZero() {
			since = s.Now
		}
		out = append(out, complaint{text, since, reason})
	}
	for _, f := range s.Faults {
		add(vendorCode(f), f.Since, f.Text)
	}
	if s.Phase == sim.PhaseFailed {
		add(902, s.Now.Add(-s.MinerUptime), "Process exited abnormally")
	}
	return out
}
