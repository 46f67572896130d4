// Package epic drives machines under ePIC PowerPlay (UMC, PowerPlay-BMS): an
// HTTP API on port 4028, the cgminer port, since 1.5; written for 1.5 to 1.30.
//
// # Replies
//
//	summary          GET /summary        every poll: state, boards, fans, PSU, pool, tuner
//	capabilities     GET /capabilities   model, serials, chips, presets
//	network          GET /network        MAC
//	temps            GET /temps          board sensors
//	chip_hashrates   GET /hashrate       per chip: MH/s, % of expected, error of the estimate
//	chip_clocks      GET /clocks         per chip: MHz
//	chip_voltages    GET /voltages       per chip: mV
//	chip_temps       GET /temps/chip     per chip: °C
//
// All but summary change slowly and are asked at first, after a setting, after
// a failure and every 30th time; temps goes with every third. A bare list under
// another name is recognised by its form.
//
// # What zero means here
//
// PowerPlay writes 0 for what a machine has no meter for: board current and
// power, PSU input voltage and current, per-chip voltages and temperatures. Such
// zeros are left out. A fan at 0 rpm is a fan that stands still; a fan that does
// not exist is null.
//
// # What it can set
//
// Sleep and wake (/miner Stop and Autostart), reboot, restart (/softreboot),
// pools (/coin, at most three), the light (/identify), the presets that
// /capabilities lists (through the running perpetual tuner as a hashrate target,
// else as clock and voltage through /tune), and watts where /capabilities
// offers the power tuner. Every write carries the password in its body; a
// refusal comes with HTTP 200 and result false.
package epic
