// Package antminer reads and sets Bitmain Antminers under stock firmware.
//
// # What it speaks
//
// Port 4028, the cgminer API in Bitmain's dialect, without a password:
//
//   - S9, S15, S17 and S19 until about 2021: stats with chain_acn1,
//     chain_acs1 (one letter a chip), chain_rate1, temp_pcb1 "40-42-45-47",
//     often without the comma between its two objects. S9 and S17 take
//     multi-commands, S19 does not.
//   - later ones besides answer {"command":"stats","new_api":true} with the
//     form of the web interface: one object per chain with its serial number,
//     the work mode, and in summary the firmware's own complaints. On hydro
//     models the board sensors 0 and 2 are the coolant's inlet and outlet.
//
// Port 80, CGI under HTTP digest (realm "antMiner Configuration"), with a
// password: MAC, serial number, configuration, and everything that is set. When
// 4028 is closed the readings come from here too.
//
// Port 6060, some hydro models and S21: wall power and the current error.
//
// # Reply names
//
//	version, summary, stats, pools, devs  as the 4028 commands, old form
//	                                      (devs in saved sets only)
//	stats_new, summary_new, pools_new     with new_api; also stats.cgi, ...
//	chain_map                             the chip maps of an old-form stats
//	miner_type, get_system_info, get_miner_conf, get_network_info,
//	get_blink_status, kernel_log          from CGI
//	miner_power, warning                  from port 6060
//
// Any of them is recognised by its content under any name.
//
// # What it sets
//
// Needs credentials, see [Driver.Open]. Work modes (low, normal, high), sleep
// and wake through the work mode, pools, locate, restart of the mining process,
// reboot. There is no power setting. The work mode is part of the
// configuration, which is written back whole, under both names that firmwares
// give it; the mining process restarts, and full hashrate is minutes away.
//
// # Economy
//
// Each reading asks 4028 for summary, stats and pools. What hardly changes
// (version, chip maps, everything from CGI) is asked at first, after a setting,
// and about every 30th time, at moments spread over the fleet. The kernel log is
// read when the machine complains or stands still, no more often than that.
package antminer
