// Package whatsminer drives MicroBT's stock firmware (btminer), air, immersion
// and hydro cooled, M20 to M79.
//
// # What it speaks
//
//   - API v2 (and 1.x before it) on TCP 4028: the cgminer API's summary, pools
//     and devs, and MicroBT's own status, get_version, get_miner_info,
//     get_error_code, get_psu. Firmware up to the autumn of 2024; later
//     firmware keeps a part of it. Writes are sealed with a key that comes from
//     the password (package crypt); a token is good for 30 minutes.
//   - API v3 on TCP 4433: JSON in frames with a length, get.miner.status,
//     get.device.info and the settings. Firmware from the middle of 2024 on.
//     Writes are signed one by one. The connection stays open between polls.
//
// A machine that speaks v3 is read over v3; of v2 it then still tells the
// counts of shares, which v3 before 3.0.5 does not. Which one a machine speaks
// is found out by asking, never by its version.
//
// # Reply names
//
// API v2: summary, pools, devs (or edevs), devdetails, status, get_version,
// get_miner_info, get_error_code, get_psu. API v3: get_device_info,
// get_miner_status (or get_miner_status_summary, .._edevs, .._pools),
// get_miner_setting, get_system_setting, get_fan_setting. Replies are
// recognised by their content first, so any other name does too, and a combined
// v2 reply ("summary+pools") is taken apart.
//
// # What it can set
//
//	SetPower    adjust_power_limit, set.miner.power_limit: the process restarts
//	SetMode     set_low_power .. set_high_power, set.miner.power_mode
//	SetProfile  "80%" of the machine's own stable power within minutes:
//	            set_power_pct_v2, set_power_pct, set.miner.power_percent;
//	            only where the machine tells the percentage in force
//	SetSleep    power_off, set.miner.service stop
//	SetWake     power_on, set.miner.service start
//	SetRestart, SetReboot, SetPools (three at most), SetLocate
//
// The vendor's fast way to a percentage (within a second, with a loss of
// efficiency) is not offered: the machine tells the percentage and not how it
// came to it, so no reading could confirm it.
//
// Writes need the password of the account admin (v2) or super (v3; another
// account by its name), and the switch "API write access" that the operator
// sets with the vendor's tool. A machine whose switch is off is
// [miner.ErrLocked], and is left so: the vendor's unlock commands are not used.
//
// # Economy
//
// Each Read asks what changes: v3 in two frames over the open connection
// (status and device info) and v2's pools beside it where v3 counts no shares,
// v2 in two connections (summary+pools, devs). Every
// third Read, and whenever the machine does not hash, v2 asks status,
// get_error_code and get_psu as well. The rest (identity, settings) is asked at
// first, every thirtieth Read, and after an Apply. What was not asked is filled
// in from the last answer.
package whatsminer
