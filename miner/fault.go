package miner

import "time"

// Code is a fault in vendor-neutral words. The first digit is the group:
// 1 PSU, 2 thermal and fan, 3 board and chip, 4 rail, 5 sensor, 6 firmware,
// 7 control, 8 advisory.
type Code int

// The codes. Drivers map every vendor code they know to one of these, and the
// rest to the group's "other" with the vendor's code and text kept.
const (
	PSUOther           Code = 1000 // any other PSU complaint
	PSUMissing         Code = 1001 // not detected, no communication
	PSUInputVoltage    Code = 1002 // mains under or over voltage, phase
	PSUOutputVoltage   Code = 1003 // cannot hold or reach the set voltage
	PSUOverCurrent     Code = 1004
	PSUOverTemperature Code = 1005
	PSUFan             Code = 1006
	PSUEEPROM          Code = 1007 // unreadable, wrong or unsupported type
	PSUShutdown        Code = 1008 // protected itself

	ThermalOther   Code = 2000
	ThermalChip    Code = 2001 // chip over its limit
	ThermalBoard   Code = 2002
	ThermalAmbient Code = 2003 // inlet air or coolant too hot
	ThermalCold    Code = 2004 // too cold to start
	FanMissing     Code = 2010 // lost, no tacho
	FanSlow        Code = 2011 // below the commanded speed
	FanImbalance   Code = 2012 // fans differ too much
	CoolantFlow    Code = 2020 // pump, flow or level

	BoardOther    Code = 3000
	BoardMissing  Code = 3001 // not detected
	BoardDisabled Code = 3002
	BoardEEPROM   Code = 3003
	BoardNoHash   Code = 3004 // detected, does not hash
	BoardLowHash  Code = 3005
	BoardInit     Code = 3006 // start-up, enumeration or frequency rise failed
	BoardMismatch Code = 3007 // types or bins that do not belong together
	ChipMissing   Code = 3010 // fewer chips than there should be
	ChipFault     Code = 3011 // a chip resets, errs or hangs
	ChipCRC       Code = 3012 // communication errors (CRC, nonce)
	ChipErrorRate Code = 3013 // hardware errors above the limit

	RailOther   Code = 4000
	RailVoltage Code = 4001 // domain or LDO voltage off
	RailPower   Code = 4002 // board power lost

	SensorOther       Code = 5000
	SensorTemperature Code = 5001
	SensorCurrent     Code = 5002
	SensorHumidity    Code = 5003

	FirmwareOther  Code = 6000
	FirmwareFile   Code = 6001 // signature, missing or damaged file
	FirmwareConfig Code = 6002
	FirmwareUpdate Code = 6003
	FirmwareCrash  Code = 6004 // the mining process restarts or panics

	ControlOther   Code = 7000
	ControlBoard   Code = 7001
	ControlNetwork Code = 7002
	ControlPool    Code = 7003 // no live pool
	ControlClock   Code = 7004
	ControlTamper  Code = 7005 // password, intrusion, virus
	ControlMemory  Code = 7006 // memory or storage low

	AdvisoryOther   Code = 8000
	AdvisoryTuning  Code = 8001 // tuning unfinished or failed
	AdvisoryReduced Code = 8002 // the machine throttles itself
	AdvisoryLowHash Code = 8003 // below what it should do, cause untold
)

// Group is the taxonomy's first digit in words.
func (c Code) Group() string {
	switch c / 1000 {
	case 1:
		return "psu"
	case 2:
		return "thermal"
	case 3:
		return "board"
	case 4:
		return "rail"
	case 5:
		return "sensor"
	case 6:
		return "firmware"
	case 7:
		return "control"
	case 8:
		return "advisory"
	}
	return "unknown"
}

// Severity ranks a fault by what it does to hashing.
type Severity string

// The severities.
const (
	Info     Severity = "info"
	Minor    Severity = "minor"    // hashes as it should
	Major    Severity = "major"    // hashes less
	Critical Severity = "critical" // does not hash, or is in danger
)

// Fault is one complaint of a machine.
type Fault struct {
	Code     Code      `json:"code"`
	Group    string    `json:"group"`
	Severity Severity  `json:"severity"`
	Index    int       `json:"index"`            // board, fan or PSU from 0; -1 when the machine as a whole
	Vendor   string    `json:"vendor,omitempty"` // the vendor's code, as told
	Text     string    `json:"text,omitempty"`   // the vendor's words, or ours when it has none
	Since    time.Time `json:"since,omitzero"`
}

// NewFault makes a fault with its group filled in.
func NewFault(c Code, s Severity, index int, vendor, text string) Fault {
	return Fault{Code: c, Group: c.Group(), Severity: s, Index: index, Vendor: vendor, Text: text}
}
