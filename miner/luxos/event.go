package luxos

import (
	"strings"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// event says what one of Luxor's event codes means in neutral words. The states
// among them (asleep, rebooting on request) are no complaints: code 0.
type event struct {
	code     miner.Code
	severity miner.Severity
}

// events are those of docs.luxor.tech/firmware/api/luxminer/events.
var events = map[string]event{
	"SLEEP":              {},
	"IDLE":               {},
	"MINER_TUNING":       {},
	"MINER_TUNED":        {},
	"REBOOT_USER":        {},
	"HASH_ON_DISCONNECT": {},

	"SHUTDOWN_USER":  {miner.BoardDisabled, miner.Info},
	"REBOOT_SYSINIT": {miner.BoardInit, miner.Info},

	"NOPIC_PROTECTION":    {miner.BoardOther, miner.Critical},
	"NOPIC_SHUTDOWN":      {miner.BoardOther, miner.Critical},
	"OVERTEMP_PROTECTION": {miner.ThermalBoard, miner.Critical},
	"NO_ACTIVE_POOLS":     {miner.ControlPool, miner.Critical},
	"FAN_PANIC":           {miner.FanMissing, miner.Critical},
	"FAN_FAILURE":         {miner.FanMissing, miner.Major},
	"PSU_PANIC":           {miner.PSUShutdown, miner.Critical},

	"BAD_DOMAIN":                       {miner.RailVoltage, miner.Major},
	"BOARD_ASIC_ENUMERATION_FAILURE":   {miner.ChipMissing, miner.Major},
	"BOARD_ASIC_INIT_FAILURE":          {miner.BoardInit, miner.Major},
	"BOARD_CRITICAL_PIC_FAILURE":       {miner.RailPower, miner.Major},
	"BOARD_CRITICAL_SENSOR_FAILURE":    {miner.SensorTemperature, miner.Major},
	"BOARD_NOT_ENOUGH_SENSORS_FAILURE": {miner.SensorTemperature, miner.Major},
	"BOARD_HIGH_TEMPERATURE":           {miner.ThermalBoard, miner.Minor},
	"BOARD_OVERTEMP_SHUTDOWN":          {miner.ThermalBoard, miner.Major},
	"BOARD_NOT_DETECTED":               {miner.BoardMissing, miner.Major},
	"REBOOT_NOT_HASHING":               {miner.BoardNoHash, miner.Major},
	"NO_BOARDS":                        {miner.BoardMissing, miner.Critical},

	"CANT_READ_PSU_PROTOCOL": {miner.PSUMissing, miner.Major},
	"CANT_READ_PSU_TYPE":     {miner.PSUEEPROM, miner.Major},
	"DETECTION_ERROR":        {miner.FirmwareOther, miner.Major},
	"EXTERNAL_ERROR":         {miner.FirmwareOther, miner.Minor},
	"I2C_ERROR":              {miner.ControlBoard, miner.Minor},
	"INCOMPATIBLE_PIC":       {miner.BoardMismatch, miner.Major},
	"INVALID_MINER_MODEL":    {miner.FirmwareConfig, miner.Critical},
}

// guess files an event that Luxor added since under its group's "other".
func guess(code, target string) event {
	severity := miner.Minor
	if strings.Contains(code, "FAIL") || strings.Contains(code, "PANIC") || strings.Contains(code, "SHUTDOWN") || strings.Contains(code, "PROTECTION") {
		severity = miner.Major
	}
	for _, g := range []struct {
		word string
		code miner.Code
	}{
		{"PSU", miner.PSUOther}, {"SENSOR", miner.SensorOther}, {"TEMP", miner.ThermalOther}, {"FAN", miner.ThermalOther}, {"WATER", miner.ThermalOther},
		{"POOL", miner.ControlPool}, {"TUN", miner.AdvisoryTuning}, {"UPDATE", miner.FirmwareUpdate}, {"BOARD", miner.BoardOther}, {"ASIC", miner.BoardOther}, {"CHIP", miner.BoardOther},
	} {
		if strings.Contains(code, g.word) {
			return event{g.code, severity}
		}
	}
	switch strings.ToUpper(target) {
	case "BOARD":
		return event{miner.BoardOther, severity}
	case "FAN":
		return event{miner.ThermalOther, severity}
	case "PSU":
		return event{miner.PSUOther, severity}
	}
	return event{miner.AdvisoryOther, severity}
}

// readEvents turns events into faults and returns the codes that were there.
func readEvents(r *miner.Reading, reply cgminer.Reply) map[string]bool {
	codes := map[string]bool{}
	for _, o := range reply.Section("EVENTS") {
		code := o.Text("Code")
		if code == "" {
			continue
		}
		codes[code] = true
		e, known := events[code]
		if !known {
			e = guess(code, o.Text("Target"))
			r.Warn(miner.WarnUnknown, "events", code)
		}
		if e.code == 0 {
			continue
		}
		index := -1
		if id, ok := o.Count("ID").Get(); ok && id < 64 && !strings.EqualFold(o.Text("Target"), "MINER") {
			index = int(id)
		}
		f := miner.NewFault(e.code, e.severity, index, code, o.Text("Description"))
		if t, err := time.Parse(time.RFC3339, o.Text("CreatedAt")); err == nil {
			f.Since = t
		}
		r.Faults = append(r.Faults, f)
	}
	return codes
}
