package epic

import (
	"strings"

	"github.com/tidwall/gjson"

	"ballast/miner"
)

// judge tells the state, and what the machine complains of.
func (s *summary) judge(r *miner.Reading) {
	r.State = s.stateOf(r)
	s.complaints(r, s.lastError)
	s.complaints(r, s.licenseError)
	awake := r.State == miner.Hashing || r.State == miner.Starting
	for _, b := range r.Boards {
		switch {
		case !b.Present.Or(true):
			r.Faults = append(r.Faults, miner.NewFault(miner.BoardMissing, miner.Major, b.Index, "", "board not detected"))
		case !b.Enabled.Or(true):
			r.Faults = append(r.Faults, miner.NewFault(miner.BoardDisabled, miner.Major, b.Index, "", "board disabled"))
		case r.State == miner.Hashing && b.Hashrate.Ok() && b.Hashrate.Or(0) == 0:
			r.Faults = append(r.Faults, miner.NewFault(miner.BoardNoHash, miner.Major, b.Index, "", "board hashes nothing"))
		}
	}
	for _, f := range r.Fans {
		if v, ok := f.Speed.Get(); ok && v == 0 && awake && r.FanDuty.Or(1) > 0 {
			r.Faults = append(r.Faults, miner.NewFault(miner.FanMissing, miner.Major, f.Index, "", "fan stands still"))
		}
	}
	if connected, ok := s.poolConnected.Get(); ok && !connected && (awake || r.State == miner.Stopped) {
		r.Faults = append(r.Faults, miner.NewFault(miner.ControlPool, miner.Major, -1, "", "no pool connected"))
	}
}

// stateOf reads the machine's word. Idling is what it does when it was told to
// stop, and also when it gave up: an error or a lost pool tells those apart.
func (s *summary) stateOf(r *miner.Reading) miner.State {
	switch s.state {
	case "Mining":
		return miner.Hashing
	case "Initializing", "Loading", "PreInitCooldown", "Rebooting", "SoftRebooting", "AdjustingClockVoltage", "Testing", "UpdatingFirmware":
		return miner.Starting
	case "Stopping":
		return miner.Sleeping
	case "Idling":
		switch {
		case isSet(s.lastError) || isSet(s.licenseError):
			return miner.Stopped
		case strings.Contains(strings.ToLower(s.lastCommand), "stop"):
			return miner.Sleeping
		case s.poolLostIdles && !s.poolConnected.Or(true) && s.lastCommand != "":
			return miner.Stopped
		}
		return miner.Sleeping
	case "":
		if r.HashrateNow.Or(0) > 0 {
			return miner.Hashing
		}
		return miner.Unknown
	}
	r.Warn(miner.WarnUnknown, "summary.Status.Operating State", s.state)
	if r.HashrateNow.Or(0) > 0 {
		return miner.Hashing
	}
	return miner.Unknown
}

func isSet(v gjson.Result) bool {
	return v.Exists() && v.Type != gjson.Null && v.String() != ""
}

// codes are PowerPlay's MinerError names, from its API description (1.30).
var codes = map[string]miner.Code{
	"UserCoreConfigMismatch": miner.FirmwareConfig, "NoCorePllConfig": miner.FirmwareConfig, "CoreClockIndexError": miner.FirmwareConfig,
	"UserConfigPktError": miner.ChipCRC, "UserClkPktError": miner.ChipCRC, "RxMissing": miner.ChipCRC,
	"NoHashboardsConnected": miner.BoardMissing, "NoHashboardsEnabled": miner.BoardDisabled, "MismatchingBoardTypes": miner.BoardMismatch,
	"UartReadError": miner.ControlBoard, "GReadEmptyData": miner.ControlBoard, "GReadPanic": miner.FirmwareCrash,
	"ChipTypeParseError": miner.FirmwareConfig, "TestParseError": miner.FirmwareConfig, "CoinParseError": miner.FirmwareConfig,
	"NetworkInfoParseError": miner.ControlNetwork, "NoConfigFile": miner.FirmwareConfig, "SyncHbError": miner.BoardInit,
	"NoNewWorkError": miner.ControlPool, "ChipDetectError": miner.ChipMissing, "HbChipDetectError": miner.ChipMissing,
	"ChipDetectTimeout": miner.BoardInit, "ChipIdInitError": miner.BoardInit, "BoardTypeUndefined": miner.BoardEEPROM,
	"BadOTPError": miner.BoardEEPROM, "BadSolutionError": miner.ChipFault, "MinimumFansError": miner.FanMissing,
	"CriticalTempReached": miner.ThermalBoard, "ShutdownTempReached": miner.ThermalBoard, "ChipShutdownTempReached": miner.ThermalChip,
	"InitializationShutdown": miner.BoardInit, "NotEnoughMemory": miner.ControlMemory, "LegacyChipDetectError": miner.ChipMissing,
	"OutdatedChipDetectError": miner.ChipMissing, "NoSolutions": miner.BoardNoHash, "NoSolutionForHbs": miner.BoardNoHash,
	"Chainbreak": miner.ChipFault, "EepromDeviceNotFound": miner.BoardEEPROM, "EepromFieldError": miner.BoardEEPROM,
	"EepromError": miner.BoardEEPROM, "GetPerfEstimatorError": miner.FirmwareConfig, "UnableToReachTemp": miner.ThermalCold,
	"SystemUpdateError": miner.FirmwareUpdate, "SystemUpdateNetworkError": miner.FirmwareUpdate, "ReachedCutoffVoltage": miner.PSUOutputVoltage,
	"UnsupportedChipType": miner.BoardMismatch, "MissingCliParam": miner.FirmwareConfig, "ClkDivError": miner.FirmwareConfig,
	"PsuStatusError": miner.PSUOther, "NoTempSensors": miner.SensorTemperature, "NoTempSensorsForChamber": miner.SensorTemperature,
	"InsufficientTempSensors": miner.SensorTemperature, "MismatchingChipTypes": miner.BoardMismatch, "PsuError": miner.PSUOther,
	"LicenseError": miner.FirmwareOther, "PsuInitError": miner.PSUMissing, "StaticIpError": miner.ControlNetwork,
	"HashboardError": miner.BoardOther, "HashboardInitError": miner.BoardInit, "UnknownError": miner.FirmwareOther,
}

// complaints turns a MinerError into faults: a bare name, or a name with
// details of which a list of whole numbers names boards.
func (s *summary) complaints(r *miner.Reading, v gjson.Result) {
	if !isSet(v) {
		return
	}
	name, detail := v.String(), gjson.Result{}
	if v.IsObject() {
		v.ForEach(func(k, d gjson.Result) bool { name, detail = k.Str, d; return false })
	}
	severity := miner.Minor // it hashes: the last error is history
	switch r.State {
	case miner.Stopped, miner.Unknown:
		severity = miner.Critical
	case miner.Starting:
		severity = miner.Major
	}
	code, known := codes[name]
	if !known {
		code = miner.FirmwareOther
		r.Warn(miner.WarnUnknown, "summary.Status.Last Error", name)
	}
	text := name
	if detail.Exists() {
		text += " " + detail.String()
	}
	const most = 200
	text = strings.ToValidUTF8(text[:min(len(text), most)], "")
	added := false
	for _, board := range boardsIn(name, detail) {
		r.Faults = append(r.Faults, miner.NewFault(code, severity, board, strings.Clone(name), text))
		added = true
	}
	if !added {
		r.Faults = append(r.Faults, miner.NewFault(code, severity, -1, strings.Clone(name), text))
	}
}

// boardsIn are the boards that an error names.
func boardsIn(name string, detail gjson.Result) []int {
	switch name {
	case "HbChipDetectError", "NoSolutionForHbs", "Chainbreak", "ChipIdInitError", "HashboardInitError", "MismatchingBoardTypes":
	default:
		return nil
	}
	var out []int
	detail.ForEach(func(_, v gjson.Result) bool {
		if v.IsArray() {
			v = v.Get("0")
		}
		if v.Type == gjson.Number && v.Num >= 0 && v.Num < 16 {
			out = append(out, int(v.Num))
		}
		return len(out) < 16
	})
	return out
}
