// Package bitaxe drives ESP-Miner (AxeOS) machines: Bitaxe, and the NerdAxe
// family that forked it. HTTP on port 80, no password.
//
// # Replies
//
//	info   GET /api/system/info   every poll: everything there is
//	asic   GET /api/system/asic   model, chips, the clocks and voltages it offers (since 2.7)
//
// The asic reply is asked at first, after a setting, after a failure and every
// 30th time. Both are also recognised by content. Names and units moved over the
// years and all of them are read: fan speeds (fanSpeed, fanSpeedRpm, fanrpm),
// best difficulty (29.8M or 29800000), pools (stratumURL and fallbackStratumURL,
// since August 2026 the list pools), millivolts and milliamperes throughout.
//
// # What zero means here
//
// A temperature of 0 or -1 is a sensor that is not there or not powered, a
// second fan at 0 is no fan (unless fanCount says that there are two), an
// hour's mean of 0 on a machine that hashes is an hour that is not over.
//
// # What it can set
//
// Clock and core voltage as a pair from the lists that the machine offers: a
// profile. Clocks up to the default go with the default voltage; each step above
// takes the next higher voltage of the list. Pools (two, before 2.4 one; ESP-Miner
// restarts to use them), reboot, and sleep and wake where the firmware has them:
// pause and resume (ESP-Miner since 2.14, known by miningPaused), shutdown
// and restart (NerdAxe, known by shutdown). A NerdAxe that wants a one-time
// password refuses writes, and is reported as locked. The light toggles and is
// told nowhere, so it is not offered.
package bitaxe
