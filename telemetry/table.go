package telemetry

import "cmp"

// The table of metrics. A new metric is a constant in metric.go, a line here,
// and its source in reading.go; engines add its column to the files they have.
//
// Rounding: temperatures to 0.1 °C (sensors resolve 0.1 to 1 °C), hashrate over
// short windows to 4 significant digits (the window's own noise is 1 to 5 %),
// averages and nominal rates to 5, wall power to 1 W, voltages to 10 mV (chips
// to 1 mV), currents to 0.1 A, clocks to 0.1 MHz, ratios to 3 digits.
var table = complete([metricEnd]Info{
	Up:       {Name: "up", Unit: InFlag, Help: "1 when the machine answered the poll, 0 when it did not."},
	Hashing:  {Name: "hashing", Unit: InFlag, Help: "1 when the machine works on shares."},
	Starting: {Name: "starting", Unit: InFlag, Help: "1 when the machine boots, tunes or ramps up."},
	Sleeping: {Name: "sleeping", Unit: InFlag, Help: "1 when the machine was told not to hash (curtailed, paused)."},
	Stopped:  {Name: "stopped", Unit: InFlag, Help: "1 when the machine does not hash and should."},
	Degraded: {Name: "degraded", Unit: InFlag, Help: "1 when the machine hashes with a serious fault, missing chips, or under 90 % of its nominal rate."},

	Hashrate:        {Name: "hashrate", Unit: InTerahashSec, Number: Decimal, Significant: 4, Help: "Hashrate over the shortest window that the firmware tells."},
	HashrateAverage: {Name: "hashrate_average", Unit: InTerahashSec, Number: Decimal, Significant: 5, Help: "Hashrate over the longest window that the firmware tells."},
	HashrateNominal: {Name: "hashrate_nominal", Unit: InTerahashSec, Number: Decimal, Significant: 5, Help: "Hashrate that the firmware expects at its present setting."},
	Power:           {Name: "power", Unit: InWatt, Number: Decimal, Help: "Power at the wall."},
	PowerLimit:      {Name: "power_limit", Unit: InWatt, Number: Decimal, Help: "Power set-point in force, when it is in watts."},

	TempAmbient: {Name: "temp_ambient", Unit: InCelsius, Number: Decimal, Places: 1, Help: "Air at the intake, as the machine tells."},
	TempInlet:   {Name: "temp_inlet", Unit: InCelsius, Number: Decimal, Places: 1, Help: "Coolant or air into the machine."},
	TempOutlet:  {Name: "temp_outlet", Unit: InCelsius, Number: Decimal, Places: 1, Help: "Coolant or air out of the machine."},
	TempBoard:   {Name: "temp_board", Unit: InCelsius, Number: Decimal, Places: 1, Help: "Hottest board sensor of the machine."},
	TempChip:    {Name: "temp_chip", Unit: InCelsius, Number: Decimal, Places: 1, Help: "Hottest chip of the machine."},
	Flow:        {Name: "flow", Unit: InLitreMinute, Number: Decimal, Places: 2, Help: "Coolant flow."},

	FanDuty: {Name: "fan_duty", Unit: InRatio, Number: Decimal, Places: 3, Help: "Commanded fan speed, 0 to 1."},
	Fan1:    {Name: "fan_1", Level: FanLevel, Unit: InRPM, Help: "Speed of case fan 1."},
	Fan2:    {Name: "fan_2", Level: FanLevel, Unit: InRPM, Help: "Speed of case fan 2."},
	Fan3:    {Name: "fan_3", Level: FanLevel, Unit: InRPM, Help: "Speed of case fan 3."},
	Fan4:    {Name: "fan_4", Level: FanLevel, Unit: InRPM, Help: "Speed of case fan 4."},
	Fan5:    {Name: "fan_5", Level: FanLevel, Unit: InRPM, Help: "Speed of case fan 5."},
	Fan6:    {Name: "fan_6", Level: FanLevel, Unit: InRPM, Help: "Speed of case fan 6."},
	Fan7:    {Name: "fan_7", Level: FanLevel, Unit: InRPM, Help: "Speed of case fan 7."},
	Fan8:    {Name: "fan_8", Level: FanLevel, Unit: InRPM, Help: "Speed of case fan 8."},

	// A machine with several supplies: powers and currents are sums, voltages
	// the lowest, temperatures the highest, the fan the slowest.
	PSUs:          {Name: "psus", Level: PSULevel, Unit: InCount, Help: "Power supplies that the machine sees."},
	PSUPowerIn:    {Name: "psu_power_in", Level: PSULevel, Unit: InWatt, Number: Decimal, Help: "Power into the supplies."},
	PSUPowerOut:   {Name: "psu_power_out", Level: PSULevel, Unit: InWatt, Number: Decimal, Help: "Power out of the supplies."},
	PSUVoltageIn:  {Name: "psu_voltage_in", Level: PSULevel, Unit: InVolt, Number: Decimal, Places: 1, Help: "Mains voltage, the lowest of several."},
	PSUVoltageOut: {Name: "psu_voltage_out", Level: PSULevel, Unit: InVolt, Number: Decimal, Places: 2, Help: "Output voltage, the lowest of several."},
	PSUVoltageSet: {Name: "psu_voltage_set", Level: PSULevel, Unit: InVolt, Number: Decimal, Places: 2, Help: "Output voltage that is asked for."},
	PSUCurrentIn:  {Name: "psu_current_in", Level: PSULevel, Unit: InAmpere, Number: Decimal, Places: 1, Help: "Current into the supplies."},
	PSUCurrentOut: {Name: "psu_current_out", Level: PSULevel, Unit: InAmpere, Number: Decimal, Places: 1, Help: "Current out of the supplies."},
	PSUTemp:       {Name: "psu_temp", Level: PSULevel, Unit: InCelsius, Number: Decimal, Places: 1, Help: "Temperature of the supply, the highest of several."},
	PSUTempMax:    {Name: "psu_temp_max", Level: PSULevel, Unit: InCelsius, Number: Decimal, Places: 1, Help: "Hottest sensor of the supplies."},
	PSUFan:        {Name: "psu_fan", Level: PSULevel, Unit: InRPM, Help: "Fan of the supply, the slowest of several."},

	Uptime:       {Name: "uptime", Kind: Elapsed, Unit: InSecond, Help: "Time since the control board started."},
	MinerUptime:  {Name: "miner_uptime", Kind: Elapsed, Unit: InSecond, Help: "Time since the mining process started."},
	Accepted:     {Name: "shares_accepted", Kind: Counter, Unit: InCount, Number: Big, Help: "Accepted shares since the mining process started."},
	Rejected:     {Name: "shares_rejected", Kind: Counter, Unit: InCount, Number: Big, Help: "Rejected shares since the mining process started."},
	Stale:        {Name: "shares_stale", Kind: Counter, Unit: InCount, Number: Big, Help: "Stale shares since the mining process started."},
	HWErrors:     {Name: "hw_errors", Kind: Counter, Unit: InCount, Number: Big, Help: "Hardware errors since the mining process started."},
	HWErrorRatio: {Name: "hw_error", Unit: InRatio, Number: Decimal, Significant: 3, Help: "Share of hardware errors in the work done, as told."},
	BestShare:    {Name: "best_share_difficulty", Unit: InCount, Number: Decimal, Significant: 6, Help: "Difficulty of the best share."},
	BlocksFound:  {Name: "blocks_found", Kind: Counter, Unit: InCount, Number: Big, Help: "Blocks found, as the machine tells."},

	BoardSlots:    {Name: "board_slots", Unit: InCount, Help: "Hash boards that the machine told of, present or not."},
	BoardsPresent: {Name: "boards_present", Unit: InCount, Help: "Hash boards that the controller sees."},
	Chips:         {Name: "chips", Unit: InCount, Help: "Chips that answer, all boards."},
	ChipsExpected: {Name: "chips_expected", Unit: InCount, Help: "Chips that should answer, all boards."},
	Pools:         {Name: "pools", Unit: InCount, Help: "Configured pools."},
	PoolsAlive:    {Name: "pools_alive", Unit: InCount, Help: "Configured pools that the machine calls alive."},
	Faults:        {Name: "faults", Unit: InCount, Help: "Faults that the firmware complains of."},
	Warnings:      {Name: "warnings", Unit: InCount, Help: "Data-quality remarks on the reading."},
	Locating:      {Name: "locating", Unit: InFlag, Help: "1 when the locate light is on."},
	PollLatency:   {Name: "poll_latency", Unit: InSecond, Number: Decimal, Places: 3, Help: "From the first byte out to the last byte in."},
	PollDelay:     {Name: "poll_delay", Unit: InSecond, Number: Decimal, Places: 3, Help: "From when the poll was due to when its result was known."},

	BoardPresent:         {Name: "board_present", Column: "present", Unit: InFlag, Help: "1 when the controller sees the board."},
	BoardEnabled:         {Name: "board_enabled", Column: "enabled", Unit: InFlag, Help: "1 when the board is switched on."},
	BoardHashrate:        {Name: "board_hashrate", Column: "hashrate", Unit: InTerahashSec, Number: Decimal, Significant: 4, Help: "Hashrate of the board."},
	BoardHashrateNominal: {Name: "board_hashrate_nominal", Column: "hashrate_nominal", Unit: InTerahashSec, Number: Decimal, Significant: 5, Help: "Hashrate that the firmware expects of the board."},
	BoardPower:           {Name: "board_power", Column: "power", Unit: InWatt, Number: Decimal, Help: "Power of the board."},
	BoardChips:           {Name: "board_chips", Column: "chips", Unit: InCount, Help: "Chips of the board that answer."},
	BoardChipsExpected:   {Name: "board_chips_expected", Column: "chips_expected", Unit: InCount, Help: "Chips of the board that should answer."},
	BoardTempInlet:       {Name: "board_temp_inlet", Column: "temp_inlet", Unit: InCelsius, Number: Decimal, Places: 1, Help: "Inlet side of the board."},
	BoardTempOutlet:      {Name: "board_temp_outlet", Column: "temp_outlet", Unit: InCelsius, Number: Decimal, Places: 1, Help: "Outlet side of the board."},
	BoardTemp:            {Name: "board_temp", Column: "temp", Unit: InCelsius, Number: Decimal, Places: 1, Help: "Hottest PCB sensor of the board."},
	BoardTempChipMax:     {Name: "board_temp_chip_max", Column: "temp_chip_max", Unit: InCelsius, Number: Decimal, Places: 1, Help: "Hottest chip sensor of the board."},
	BoardTempChipMean:    {Name: "board_temp_chip_mean", Column: "temp_chip_mean", Unit: InCelsius, Number: Decimal, Places: 1, Help: "Mean of the board's chip sensors."},
	BoardTempChipMin:     {Name: "board_temp_chip_min", Column: "temp_chip_min", Unit: InCelsius, Number: Decimal, Places: 1, Help: "Coolest chip sensor of the board."},
	BoardVoltage:         {Name: "board_voltage", Column: "voltage", Unit: InVolt, Number: Decimal, Places: 2, Help: "Input voltage of the board or its domains."},
	BoardCurrent:         {Name: "board_current", Column: "current", Unit: InAmpere, Number: Decimal, Places: 1, Help: "Input current of the board."},
	BoardFrequency:       {Name: "board_frequency", Column: "frequency", Unit: InMegahertz, Number: Decimal, Places: 1, Help: "Mean clock of the board."},
	BoardHWErrors:        {Name: "board_hw_errors", Column: "hw_errors", Kind: Counter, Unit: InCount, Number: Big, Help: "Hardware errors of the board since the mining process started."},
	BoardHWErrorRatio:    {Name: "board_hw_error", Column: "hw_error", Unit: InRatio, Number: Decimal, Significant: 3, Help: "Share of hardware errors in the board's work, as told."},
	BoardFaults:          {Name: "board_faults", Column: "faults", Unit: InCount, Help: "Faults that the firmware tells of the board."},

	ChipCount:          {Name: "chips_told", Unit: InCount, Help: "Chips of the board that told anything."},
	ChipsDead:          {Name: "chips_dead", Unit: InCount, Help: "Chips of the board that failed, or hash nothing while others do."},
	ChipsWeak:          {Name: "chips_weak", Unit: InCount, Help: "Chips under 80 % of the board's median rate."},
	ChipHashrateMin:    {Name: "chip_hashrate_min", Unit: InTerahashSec, Number: Decimal, Significant: 4, Help: "Slowest chip."},
	ChipHashrateMedian: {Name: "chip_hashrate_median", Unit: InTerahashSec, Number: Decimal, Significant: 4, Help: "Median chip."},
	ChipHashrateSD:     {Name: "chip_hashrate_sd", Unit: InTerahashSec, Number: Decimal, Significant: 3, Help: "Standard deviation over the chips."},
	ChipTempMax:        {Name: "chip_temp_max", Unit: InCelsius, Number: Decimal, Places: 1, Help: "Hottest chip of the board."},
	ChipTempMean:       {Name: "chip_temp_mean", Unit: InCelsius, Number: Decimal, Places: 1, Help: "Mean over the chips."},
	ChipTempSD:         {Name: "chip_temp_sd", Unit: InCelsius, Number: Decimal, Places: 2, Help: "Standard deviation over the chips."},
	ChipFrequencyMin:   {Name: "chip_frequency_min", Unit: InMegahertz, Number: Decimal, Places: 1, Help: "Slowest clock."},
	ChipFrequencyMean:  {Name: "chip_frequency_mean", Unit: InMegahertz, Number: Decimal, Places: 1, Help: "Mean clock."},
	ChipVoltageMin:     {Name: "chip_voltage_min", Unit: InVolt, Number: Decimal, Places: 3, Help: "Lowest chip voltage."},
	ChipVoltageMean:    {Name: "chip_voltage_mean", Unit: InVolt, Number: Decimal, Places: 3, Help: "Mean chip voltage."},
	ChipErrors:         {Name: "chip_errors", Kind: Counter, Unit: InCount, Number: Big, Help: "Errors of the board's chips, summed."},
	ChipErrorsMax:      {Name: "chip_errors_max", Unit: InCount, Help: "Errors of the board's worst chip."},
})

// complete fills in what most lines leave out.
func complete(t [metricEnd]Info) [metricEnd]Info {
	for m := Up; m < metricEnd; m++ {
		in := &t[m]
		in.Column = cmp.Or(in.Column, in.Name)
		in.Kind = cmp.Or(in.Kind, Gauge)
		if in.Level == "" {
			in.Level = MachineLevel
			if m.OfBoard() {
				in.Level = BoardLevel
			}
		}
	}
	return t
}
