package miner

// Advice says what a fault means, and what to do about it, to somebody who
// stands at the rack. Codes that are not known get their group's words.
func (c Code) Advice() (means, do string) {
	a, ok := advices[c]
	if !ok {
		a, ok = advices[c/1000*1000]
	}
	if !ok {
		a = [2]string{"The machine complains of something that Ballast does not know.", "Read the vendor's code and text; restart the machine if it hashes less than it should."}
	}
	return a[0], a[1]
}

// advices are in the order of the codes: what it means, what to do.
var advices = map[Code][2]string{
	PSUOther:           {"The power supply complains.", "Read its code; if it comes back after a restart, exchange the power supply."},
	PSUMissing:         {"The control board cannot talk to the power supply.", "Reseat the signal cable between them; then exchange the power supply, then the control board."},
	PSUInputVoltage:    {"The mains voltage is too low, too high, or a phase is missing.", "Measure at the outlet and at the PDU. If neighbours say the same, it is the feeder and not the machine."},
	PSUOutputVoltage:   {"The power supply cannot hold the voltage it was asked for.", "Lower the power once to see whether it recovers; exchange the power supply if it does not."},
	PSUOverCurrent:     {"The power supply delivers more current than it may.", "Look for a shorted board: run with one board at a time. Lower the power until then."},
	PSUOverTemperature: {"The power supply is too hot.", "Clean its fan and filter; check the intake air."},
	PSUFan:             {"The fan of the power supply stands still or is slow.", "Exchange the fan or the power supply before it switches itself off."},
	PSUEEPROM:          {"The power supply cannot be read or is of a type this firmware does not support.", "Check that model and firmware fit each other; exchange the power supply."},
	PSUShutdown:        {"The power supply switched itself off to protect itself.", "Take the machine off power for a minute, look for a short, then start it again."},

	ThermalOther:   {"The machine complains of heat.", "Compare with its neighbours: one machine is dust or a fan, all of them is the air or the coolant."},
	ThermalChip:    {"A chip is over its limit; the machine slows down or stops.", "Check fans, dust and intake temperature; then the heat sink of that board."},
	ThermalBoard:   {"A hash board is over its limit.", "Check fans, dust and intake temperature; then the heat sink of that board."},
	ThermalAmbient: {"The air or coolant that comes in is too hot.", "It is the room and not the machine: look at cooling, at recirculation of hot air, at the weather."},
	ThermalCold:    {"It is too cold to start.", "Let it warm up, or close the louvres."},
	FanMissing:     {"A fan does not turn or does not tell its speed.", "Reseat its plug, then exchange it. Most machines stop without it."},
	FanSlow:        {"A fan turns slower than it was told to.", "Clean it; exchange it if it stays slow."},
	FanImbalance:   {"The fans turn at speeds that differ too much.", "Clean the filters; exchange the slowest fan."},
	CoolantFlow:    {"Too little coolant flows.", "Check pump, valves, level and the machine's couplings. Neighbours on the same loop say whether it is the loop."},

	BoardOther:    {"A hash board complains.", "Restart the machine; if it comes back, take the board out for repair."},
	BoardMissing:  {"A hash board is not seen.", "Reseat its cables with the power off; swap it with a neighbour's slot to tell the board from the control board."},
	BoardDisabled: {"A hash board is switched off.", "Somebody or the firmware did that. Switch it on again only once the reason is known."},
	BoardEEPROM:   {"The memory of a hash board cannot be read or is wrong.", "Have it written anew in the workshop; the board itself may be good."},
	BoardNoHash:   {"A hash board is seen but does not hash.", "Restart; then check its supply voltage; then repair."},
	BoardLowHash:  {"A hash board hashes less than it should.", "Look at its chips and temperatures; lower its frequency, or plan a repair."},
	BoardInit:     {"A hash board failed to start: its chips could not be counted or brought to frequency.", "Restart once. If it fails again, check voltage and temperature, then repair the board."},
	BoardMismatch: {"Boards that do not belong together are in one machine.", "Put boards of one type and bin together."},
	ChipMissing:   {"Fewer chips answer than the board has.", "The chain breaks at the first that does not: repair that chip or its neighbours."},
	ChipFault:     {"A chip errs, hangs or resets.", "Lower the frequency; repair if the count grows."},
	ChipCRC:       {"The chips' answers arrive damaged.", "Reseat the board's cable; check its voltage; repair if it goes on."},
	ChipErrorRate: {"Too many of the answers are wrong.", "The chips are pushed too far or too hot: lower frequency or power, improve cooling."},

	RailOther:   {"A supply rail of a hash board is off.", "Measure the rail; repair the board."},
	RailVoltage: {"The voltage of a domain is off.", "Measure the domain; often one bad chip pulls it down. Repair the board."},
	RailPower:   {"A hash board lost its power.", "Check its power cables and bus bars with the power off; then the power supply."},

	SensorOther:       {"A sensor does not tell, or tells nonsense.", "The machine runs blind in that place: plan an exchange."},
	SensorTemperature: {"A temperature sensor does not tell, or tells nonsense.", "Exchange it soon: without it the machine cannot protect itself."},
	SensorCurrent:     {"A current sensor does not tell, or tells nonsense.", "Power figures of this machine are not to be trusted until it is repaired."},
	SensorHumidity:    {"The humidity sensor does not tell, or tells nonsense.", "No danger by itself; exchange it at the next service."},

	FirmwareOther:  {"The firmware complains.", "Restart the machine; install the firmware anew if it comes back."},
	FirmwareFile:   {"A file of the firmware is missing, damaged or not signed.", "Install the firmware anew."},
	FirmwareConfig: {"The configuration is damaged or does not fit.", "Set pools and power again; reset to defaults if that does not help."},
	FirmwareUpdate: {"An update failed.", "Do not switch it off; install the firmware again."},
	FirmwareCrash:  {"The mining process crashes and restarts.", "Look whether power or frequency are too high; else install the firmware anew."},

	ControlOther:   {"The control board complains.", "Restart; exchange the control board if it comes back."},
	ControlBoard:   {"The control board is faulty.", "Exchange it."},
	ControlNetwork: {"The network is bad or the address wrong.", "Check cable and switch port; look for a second machine with the same address."},
	ControlPool:    {"No pool answers.", "If other machines mine at the same pool, check this one's settings; if none does, it is the pool or the line."},
	ControlClock:   {"The clock is wrong.", "Check that it reaches a time server; shares may be refused until it does."},
	ControlTamper:  {"The password is wrong, or somebody tampered with the machine.", "Take it off the network, install the firmware anew, change its password, and look at its neighbours."},
	ControlMemory:  {"Memory or storage of the control board runs low.", "Restart; exchange the card or the control board if it comes back."},

	AdvisoryOther:   {"The machine has a remark.", "Nothing to do unless it hashes less than it should."},
	AdvisoryTuning:  {"Tuning has not finished, or failed.", "Give it the hours it needs; then choose a profile by hand."},
	AdvisoryReduced: {"The machine throttles itself.", "Look for the reason beside this: heat, a fan, the mains."},
	AdvisoryLowHash: {"It hashes less than it should and does not say why.", "Compare its boards; restart once; then look at power and temperature."},
}
