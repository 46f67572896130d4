package whatsminer

import "ballast/miner"

// The codes of MicroBT's firmware, from the vendor's public list "WhatsMiner
// error code" (support site, 2024) and from pyasic's table (2026-03), which
// agree on the numbers; the words are ours, shortened.
//
// The last digit of many codes is a slot: 410 is slot 0, 411 slot 1. They stand
// here once, without it, and their words carry a %d.

// explained is what a code means. at is the index of the fan or PSU, or
// atMachine.
type explained struct {
	code miner.Code
	sev  miner.Severity
	at   int
	text string
}

const atMachine = -1

var plainCodes = map[int]explained{
	110: {miner.FanMissing, miner.Critical, 0, "intake fan: no speed detected"},
	111: {miner.FanMissing, miner.Critical, 1, "exhaust fan: no speed detected"},
	120: {miner.FanSlow, miner.Major, 0, "intake fan off its commanded speed by over 2000 rpm"},
	121: {miner.FanSlow, miner.Major, 1, "exhaust fan off its commanded speed by over 2000 rpm"},
	130: {miner.FanSlow, miner.Critical, 0, "intake fan off its commanded speed by over 3000 rpm"},
	131: {miner.FanSlow, miner.Critical, 1, "exhaust fan off its commanded speed by over 3000 rpm"},
	140: {miner.ThermalOther, miner.Minor, atMachine, "fans run too fast: hot surroundings"},

	200: {miner.PSUMissing, miner.Critical, 0, "no power supply found"},
	201: {miner.PSUEEPROM, miner.Critical, 0, "power supply is not of the configured type"},
	202: {miner.PSUOutputVoltage, miner.Critical, 0, "output voltage wrong"},
	203: {miner.PSUOverTemperature, miner.Critical, 0, "protects itself: surroundings too hot"},
	204: {miner.PSUOverCurrent, miner.Critical, 0, "current protection: surroundings too hot"},
	205: {miner.PSUOverCurrent, miner.Major, 0, "current wrong"},
	206: {miner.PSUInputVoltage, miner.Major, 0, "input voltage low"},
	207: {miner.PSUInputVoltage, miner.Critical, 0, "input current protection: poor mains"},
	208: {miner.PSUOther, miner.Major, 0, "power reading jumps"},
	209: {miner.PSUOutputVoltage, miner.Major, 0, "offset between set and actual voltage changed"},
	210: {miner.PSUOther, miner.Critical, 0, "power supply in an error state"},
	211: {miner.PSUOverCurrent, miner.Major, 0, "output current off"},
	212: {miner.PSUOutputVoltage, miner.Major, 0, "output voltage at its border"},
	213: {miner.PSUOther, miner.Major, 0, "input and output power do not match"},
	214: {miner.PSUOther, miner.Major, 0, "input power does not change"},
	215: {miner.PSUOutputVoltage, miner.Critical, 0, "output voltage cannot be set"},
	216: {miner.PSUOther, miner.Minor, 0, "power reading unchanged for long"},
	217: {miner.PSUOther, miner.Critical, 0, "power supply cannot be switched on"},
	218: {miner.PSUInputVoltage, miner.Major, 0, "input below 230 V in high power mode"},
	219: {miner.PSUOther, miner.Major, 0, "input current wrong"},
	233: {miner.PSUOverTemperature, miner.Critical, 0, "output over temperature"},
	234: {miner.PSUOverTemperature, miner.Critical, 0, "output over temperature"},
	235: {miner.PSUOverTemperature, miner.Critical, 0, "output over temperature"},
	236: {miner.PSUOverCurrent, miner.Critical, 0, "output over current"},
	237: {miner.PSUOverCurrent, miner.Critical, 0, "output over current"},
	238: {miner.PSUOverCurrent, miner.Critical, 0, "output over current"},
	239: {miner.PSUOutputVoltage, miner.Critical, 0, "output over voltage"},
	240: {miner.PSUOutputVoltage, miner.Critical, 0, "output under voltage"},
	241: {miner.PSUOverCurrent, miner.Major, 0, "output currents differ"},
	243: {miner.PSUOverTemperature, miner.Critical, 0, "input over temperature"},
	244: {miner.PSUOverTemperature, miner.Critical, 0, "input over temperature"},
	245: {miner.PSUOverTemperature, miner.Critical, 0, "input over temperature"},
	246: {miner.PSUOverCurrent, miner.Critical, 0, "input over current"},
	247: {miner.PSUOverCurrent, miner.Critical, 0, "input over current"},
	248: {miner.PSUInputVoltage, miner.Critical, 0, "input over voltage"},
	249: {miner.PSUInputVoltage, miner.Critical, 0, "input over voltage"},
	250: {miner.PSUInputVoltage, miner.Critical, 0, "input under voltage"},
	251: {miner.PSUInputVoltage, miner.Critical, 0, "input under voltage"},
	253: {miner.PSUFan, miner.Critical, 0, "fan of the power supply failed"},
	254: {miner.PSUFan, miner.Critical, 0, "fan of the power supply failed"},
	255: {miner.PSUShutdown, miner.Critical, 0, "output over power"},
	256: {miner.PSUShutdown, miner.Critical, 0, "output over power"},
	257: {miner.PSUOverCurrent, miner.Critical, 0, "primary side over current"},
	258: {miner.PSUInputVoltage, miner.Minor, 0, "phases of the input differ"},
	259: {miner.PSUInputVoltage, miner.Critical, 0, "phases of the input differ: protection"},
	263: {miner.PSUMissing, miner.Minor, 0, "communication disturbed"},
	264: {miner.PSUMissing, miner.Major, 0, "no communication"},
	265: {miner.PSUOther, miner.Major, 0, "unknown error of the power supply"},
	266: {miner.PSUOther, miner.Major, 0, "unknown error of the power supply"},
	267: {miner.PSUShutdown, miner.Critical, 0, "watchdog protection"},
	268: {miner.PSUOverCurrent, miner.Critical, 0, "output over current"},
	269: {miner.PSUOverCurrent, miner.Critical, 0, "input over current"},
	270: {miner.PSUInputVoltage, miner.Critical, 0, "input over voltage"},
	271: {miner.PSUInputVoltage, miner.Critical, 0, "input under voltage"},
	272: {miner.PSUOther, miner.Minor, 0, "output power high"},
	273: {miner.PSUOther, miner.Minor, 0, "input power high"},
	274: {miner.PSUFan, miner.Minor, 0, "fan of the power supply weak"},
	275: {miner.PSUOverTemperature, miner.Minor, 0, "power supply hot"},

	309: {miner.SensorTemperature, miner.Critical, atMachine, "no temperature sensor detected"},
	326: {miner.SensorTemperature, miner.Major, atMachine, "liquid temperature sensor does not answer"},
	329: {miner.SensorTemperature, miner.Minor, atMachine, "control board temperature sensor does not answer"},
	370: {miner.ThermalAmbient, miner.Minor, atMachine, "surrounding temperature fluctuates"},
	380: {miner.SensorHumidity, miner.Minor, atMachine, "humidity sensor not found"},
	381: {miner.SensorHumidity, miner.Minor, atMachine, "humidity sensor unreadable"},
	382: {miner.SensorHumidity, miner.Minor, atMachine, "humidity sensor unreadable"},
	383: {miner.SensorHumidity, miner.Critical, atMachine, "humidity protection"},

	400: {miner.BoardEEPROM, miner.Major, atMachine, "EEPROM error"},
	500: {miner.FirmwareConfig, miner.Critical, atMachine, "firmware has no configuration for this model"},

	600: {miner.ThermalAmbient, miner.Major, atMachine, "surroundings too hot"},
	610: {miner.ThermalAmbient, miner.Major, atMachine, "surroundings too hot for high power mode"},
	620: {miner.ThermalAmbient, miner.Critical, atMachine, "coolant too hot: protection"},

	700: {miner.ControlBoard, miner.Major, atMachine, "MAC address invalid"},
	701: {miner.ControlBoard, miner.Critical, atMachine, "control board does not support the chips"},
	702: {miner.ControlBoard, miner.Major, atMachine, "control board version unknown"},
	710: {miner.ControlBoard, miner.Minor, atMachine, "control board rebooted by itself"},
	711: {miner.ControlBoard, miner.Minor, atMachine, "control board rebooted by itself and was slowed"},
	712: {miner.ControlBoard, miner.Minor, atMachine, "control board rebooted by itself"},
	713: {miner.ControlClock, miner.Minor, atMachine, "clock changed: network unstable"},
	714: {miner.ControlNetwork, miner.Major, atMachine, "network unstable"},

	800: {miner.FirmwareFile, miner.Major, atMachine, "checksum of the mining program wrong"},
	801: {miner.FirmwareFile, miner.Major, atMachine, "checksum of the system monitor wrong"},
	802: {miner.FirmwareFile, miner.Major, atMachine, "checksum of the remote daemon wrong"},
	810: {miner.FirmwareConfig, miner.Critical, atMachine, "firmware is for another way of cooling"},
	820: {miner.FirmwareConfig, miner.Critical, atMachine, "firmware is for another way of cooling"},
	901: {miner.AdvisoryOther, miner.Minor, atMachine, "power rate off: hardware modified?"},
	902: {miner.FirmwareCrash, miner.Major, atMachine, "mining process exited"},

	2000: {miner.ControlPool, miner.Critical, atMachine, "no pool configured"},
	2010: {miner.ControlPool, miner.Critical, atMachine, "all pools fail"},
	2020: {miner.ControlPool, miner.Minor, atMachine, "pool 0 does not connect"},
	2021: {miner.ControlPool, miner.Minor, atMachine, "pool 1 does not connect"},
	2022: {miner.ControlPool, miner.Minor, atMachine, "pool 2 does not connect"},
	2030: {miner.ControlPool, miner.Minor, atMachine, "pool rejects many shares"},
	2040: {miner.ControlPool, miner.Major, atMachine, "pool does not support version rolling"},
	2050: {miner.ControlPool, miner.Minor, atMachine, "pool switch failed"},
	2310: {miner.AdvisoryLowHash, miner.Major, atMachine, "hashrate too low"},
	2320: {miner.AdvisoryLowHash, miner.Major, atMachine, "hashrate too low"},
	2330: {miner.AdvisoryLowHash, miner.Major, atMachine, "hashrate loss too high"},
	2340: {miner.AdvisoryLowHash, miner.Major, atMachine, "hashrate loss too high"},
	2350: {miner.AdvisoryLowHash, miner.Major, atMachine, "hashrate loss"},

	8000: {miner.AdvisoryOther, miner.Info, atMachine, "the vendor's tool is too old"},
	8010: {miner.AdvisoryReduced, miner.Minor, atMachine, "frequency below standard"},
	8020: {miner.AdvisoryLowHash, miner.Minor, atMachine, "hashrate below standard"},
	8035: {miner.ThermalAmbient, miner.Minor, atMachine, "surroundings hot"},
	8100: {miner.BoardOther, miner.Minor, atMachine, "chip data wrong"},
	8200: {miner.PSUEEPROM, miner.Minor, 0, "power supply version wrong"},
	8210: {miner.BoardMismatch, miner.Minor, atMachine, "miner type wrong"},
	8220: {miner.FirmwareConfig, miner.Minor, atMachine, "version information wrong"},
	8300: {miner.FirmwareConfig, miner.Minor, atMachine, "power level not set"},
	8400: {miner.FirmwareConfig, miner.Minor, atMachine, "firmware old or not official"},
	8410: {miner.FirmwareConfig, miner.Major, atMachine, "firmware is for another generation"},
	8600: {miner.AdvisoryOther, miner.Info, atMachine, "product serial number missing"},
	8610: {miner.AdvisoryOther, miner.Info, atMachine, "product type missing"},
	8620: {miner.AdvisoryOther, miner.Info, atMachine, "miner serial number missing"},
	8621: {miner.AdvisoryOther, miner.Info, atMachine, "miner serial number of wrong length"},
	8630: {miner.AdvisoryOther, miner.Info, atMachine, "power supply serial number missing"},
	8631: {miner.AdvisoryOther, miner.Info, atMachine, "power supply serial number wrong"},
	8632: {miner.AdvisoryOther, miner.Info, atMachine, "miner serial number faulty"},
	8640: {miner.PSUEEPROM, miner.Info, 0, "power supply model missing"},
	8641: {miner.PSUEEPROM, miner.Minor, 0, "power supply model wrong"},
	8642: {miner.PSUEEPROM, miner.Minor, 0, "power supply model's voltage wrong"},
	8643: {miner.PSUEEPROM, miner.Minor, 0, "power supply model's rating wrong"},
	8644: {miner.PSUEEPROM, miner.Minor, 0, "power supply model's form wrong"},
	8650: {miner.BoardMismatch, miner.Minor, atMachine, "hash board structure wrong"},
	8660: {miner.FirmwareConfig, miner.Minor, atMachine, "way of cooling wrong"},
	8670: {miner.AdvisoryOther, miner.Info, atMachine, "board serial number missing"},
	8700: {miner.PSUEEPROM, miner.Major, 0, "miner and power supply do not match"},
	9000: {miner.FirmwareCrash, miner.Major, atMachine, "mining process crashed"},
	9010: {miner.FirmwareCrash, miner.Major, atMachine, "mining process crashed"},
	9999: {miner.FirmwareOther, miner.Major, atMachine, "unknown error of the firmware"},

	100000: {miner.FirmwareFile, miner.Critical, atMachine, "security library damaged"},
	100001: {miner.FirmwareFile, miner.Critical, atMachine, "illegal signature"},
	100002: {miner.FirmwareFile, miner.Critical, atMachine, "illegal init.d digest"},
	100003: {miner.FirmwareFile, miner.Critical, atMachine, "illegal partial digest"},
	100100: {miner.ControlTamper, miner.Critical, atMachine, "mining program was removed"},
	110000: {miner.ControlTamper, miner.Critical, atMachine, "illegal file"},
	110001: {miner.ControlTamper, miner.Critical, atMachine, "virus 0001 was removed"},
}

// slotCodes are codes without their last digit, the slot.
var slotCodes = map[int]explained{
	30: {miner.SensorTemperature, miner.Major, 0, "board %d: temperature sensor not detected"},
	31: {miner.SensorTemperature, miner.Major, 0, "board %d: temperature unreadable"},
	32: {miner.SensorTemperature, miner.Major, 0, "board %d: temperature unreadable"},
	35: {miner.ThermalBoard, miner.Critical, 0, "board %d: temperature protection"},
	36: {miner.ThermalBoard, miner.Critical, 0, "board %d: too hot"},

	41: {miner.BoardEEPROM, miner.Major, 0, "board %d: EEPROM not detected"},
	42: {miner.BoardEEPROM, miner.Major, 0, "board %d: EEPROM cannot be understood"},
	43: {miner.BoardMismatch, miner.Major, 0, "board %d: chip bin in the EEPROM wrong"},
	44: {miner.BoardMismatch, miner.Major, 0, "board %d: number of chips in the EEPROM wrong"},
	45: {miner.BoardEEPROM, miner.Major, 0, "board %d: EEPROM transfer failed"},

	51: {miner.BoardMismatch, miner.Major, 0, "board %d: of another miner type"},
	52: {miner.BoardMismatch, miner.Major, 0, "board %d: chips of another bin"},
	53: {miner.BoardMissing, miner.Major, 0, "board %d: not found"},
	54: {miner.BoardInit, miner.Major, 0, "board %d: chip ids cannot be read"},
	55: {miner.ChipFault, miner.Major, 0, "board %d: bad chips"},
	56: {miner.RailVoltage, miner.Major, 0, "board %d: voltages out of balance"},
	57: {miner.ChipCRC, miner.Major, 0, "board %d: transfer to a chip failed"},
	58: {miner.BoardNoHash, miner.Major, 0, "board %d: resets"},
	59: {miner.BoardLowHash, miner.Major, 0, "board %d: frequency too low"},

	72: {miner.ControlBoard, miner.Major, 0, "board %d: serial port of the control board disturbed"},

	211: {miner.BoardOther, miner.Minor, 0, "board %d: factory test failed"},

	501: {miner.RailVoltage, miner.Major, 0, "board %d: chip voltage too low"},
	502: {miner.RailVoltage, miner.Major, 0, "board %d: chip voltage changed"},
	503: {miner.ThermalChip, miner.Minor, 0, "board %d: chip temperatures differ"},
	504: {miner.ThermalChip, miner.Major, 0, "board %d: hottest chip over its limit"},
	505: {miner.ThermalChip, miner.Critical, 0, "board %d: stopped, chip temperature protection"},
	507: {miner.CoolantFlow, miner.Major, 0, "board %d: coolant flow abnormal"},
	508: {miner.SensorTemperature, miner.Minor, 0, "board %d: chip temperature calibration failed"},
	509: {miner.SensorTemperature, miner.Minor, 0, "board %d: chip temperature calibration uneven"},
	511: {miner.BoardInit, miner.Major, 0, "board %d: frequency did not rise in time"},
	512: {miner.ChipCRC, miner.Major, 0, "board %d: many CRC errors"},
	513: {miner.BoardOther, miner.Major, 0, "board %d: unstable"},
	517: {miner.BoardInit, miner.Major, 0, "board %d: frequency did not rise in time"},
}

// chipCodes are the first two digits of codes of a chip: a digit for the slot
// and the chip's number follow.
var chipCodes = map[int]explained{
	52: {miner.ChipErrorRate, miner.Minor, 0, "board %d chip %d: wrong nonces"},
	53: {miner.ChipFault, miner.Minor, 0, "board %d chip %d: too few nonces"},
	54: {miner.ThermalChip, miner.Major, 0, "board %d chip %d: temperature protection"},
	55: {miner.ChipFault, miner.Minor, 0, "board %d chip %d: was reset"},
	56: {miner.ChipFault, miner.Major, 0, "board %d chip %d: no nonces"},
}

// levelCodes are 85n0 to 85n4: the factory's judgement, by level n.
var levelCodes = [...]explained{
	{miner.AdvisoryLowHash, miner.Minor, atMachine, "hashrate substandard, level %d"},
	{miner.AdvisoryOther, miner.Minor, atMachine, "power substandard, level %d"},
	{miner.FanSlow, miner.Minor, atMachine, "fan speed substandard, level %d"},
	{miner.FanSlow, miner.Minor, atMachine, "fan speed substandard, level %d"},
	{miner.RailVoltage, miner.Minor, atMachine, "voltage substandard, level %d"},
}
