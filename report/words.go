package report

import (
	"fmt"

	"ballast/miner"
)

// faultNames are the kinds of fault in the words of people who mend machines.
var faultNames = map[miner.Code]string{
	miner.PSUOther: "power supply", miner.PSUMissing: "power supply missing", miner.PSUInputVoltage: "mains voltage", miner.PSUOutputVoltage: "supply voltage",
	miner.PSUOverCurrent: "supply over current", miner.PSUOverTemperature: "supply too hot", miner.PSUFan: "supply fan", miner.PSUEEPROM: "supply not readable", miner.PSUShutdown: "supply shut down",
	miner.ThermalOther: "temperature", miner.ThermalChip: "chip too hot", miner.ThermalBoard: "board too hot", miner.ThermalAmbient: "inlet too hot", miner.ThermalCold: "too cold",
	miner.FanMissing: "fan lost", miner.FanSlow: "fan slow", miner.FanImbalance: "fans differ", miner.CoolantFlow: "coolant flow",
	miner.BoardOther: "hash board", miner.BoardMissing: "board missing", miner.BoardDisabled: "board disabled", miner.BoardEEPROM: "board not readable", miner.BoardNoHash: "board does not hash",
	miner.BoardLowHash: "board hashes low", miner.BoardInit: "board does not start", miner.BoardMismatch: "boards do not match", miner.ChipMissing: "chips missing", miner.ChipFault: "chip fault",
	miner.ChipCRC: "chip communication", miner.ChipErrorRate: "hardware errors",
	miner.RailOther: "board power", miner.RailVoltage: "rail voltage", miner.RailPower: "board power lost",
	miner.SensorOther: "sensor", miner.SensorTemperature: "temperature sensor", miner.SensorCurrent: "current sensor", miner.SensorHumidity: "humidity sensor",
	miner.FirmwareOther: "firmware", miner.FirmwareFile: "firmware file", miner.FirmwareConfig: "firmware settings", miner.FirmwareUpdate: "firmware update", miner.FirmwareCrash: "miner restarts",
	miner.ControlOther: "control board", miner.ControlBoard: "control board", miner.ControlNetwork: "network", miner.ControlPool: "no live pool", miner.ControlClock: "clock wrong",
	miner.ControlTamper: "tampering", miner.ControlMemory: "memory low",
	miner.AdvisoryOther: "advice", miner.AdvisoryTuning: "tuning", miner.AdvisoryReduced: "throttles itself", miner.AdvisoryLowHash: "hashes low",
}

// FaultName is a kind of fault in words.
func FaultName(c miner.Code) string {
	if name, ok := faultNames[c]; ok {
		return name
	}
	if name, ok := faultNames[c/1000*1000]; ok {
		return name
	}
	return fmt.Sprintf("fault %d", c)
}

// Words says what a reason means.
func (r Reason) Words() string {
	switch r {
	case Silent:
		return "no reading"
	case Curtailed:
		return "off or set lower on purpose"
	case Pool:
		return "no live pool"
	case Hot:
		return "too hot, fans or coolant"
	case Down:
		return "stopped"
	case Starting:
		return "starting or tuning"
	case Degraded:
		return "hashing below nominal"
	case Unclear:
		return "state not told"
	}
	return string(r)
}
