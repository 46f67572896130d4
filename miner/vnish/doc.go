// Package vnish drives Antminers under VNish (AnthillOS, xminer-api): HTTP on
// port 80 below /api/v1, generations 1.2 and 1.3.
//
// # Replies
//
//	summary        GET summary               every poll: state, hashrate, chains, fans, pools
//	status         GET status                the light, whether a restart is due; every poll while nothing mines
//	info           GET info                  model, versions, MAC, uptime
//	perf-summary   GET perf-summary          the preset in force
//	chains         GET chains, 1.3: boards   per chip
//	factory-info   GET chains/factory-info   serials, PSU
//	model          GET model                 chips a board, power metering
//	presets        GET autotune/presets      what it can be set to (needs the password)
//	settings       GET settings              pools and preset as configured (needs the password)
//	chips          GET chips                 per chip, deprecated by chains; saved replies only
//
// All but summary are asked at first, after a setting, after a failure and every
// 30th time. Names are also known with "_" for "-", with a "web_" in front, and
// by content. Replies of the cgminer API on port 4028 are read, where a set has
// nothing else, as package cgminer reads them.
//
// # Sign-in
//
// POST unlock {"pw":..} gives a token for the Authorization header. 1.2.6 and
// later take "Bearer <token>" everywhere, older ones want the bare token but for
// system/*; the device finds out which and remembers. A token that is no longer
// taken (401) is renewed once.
//
// # What it can set
//
// Sleep and wake (mining/stop, mining/start), reboot, restart, pools, the light,
// and the autotune presets. POST settings answers the same whether it took the
// setting or not, so it is read back. Presets that want a modified power supply
// are offered only to a machine set up for one. find-miner toggles in 1.2,
// whatever it is sent, so its reply is checked. The throttle of 1.3 (20-100 %)
// is read, not set: it is a percentage of nothing that the API names.
package vnish
