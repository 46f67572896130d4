// Package cgminer speaks the cgminer API (TCP 4028) and its many forks, and is
// the driver of any machine that speaks it and is no better known.
//
// # For other drivers
//
// The wire, the broken JSON and the common sections are solved here once:
//
//	Ask(ctx, target, "summary", "")        one request, one reply (raw bytes)
//	AskRaw(ctx, target, port, request)     a request of any form, to any port
//	Asker.Ask(ctx, target, "summary", ..)  several reports, in one request if the machine can
//	Cadence.Due()                          when to ask for what hardly changes
//	Mend(raw)                              valid JSON from nearly valid JSON
//	Read("stats", raw, reading.Warn)       a Reply: status, sections, sub-replies
//	Collect(replies, reading.Warn)         all replies of a set, to search by section
//	reply.Section("POOLS")                 []Object, tolerant of {} for [{}]
//	object.Float("GHS 5s"), .Int, .Text    typed getters; missing is missing
//	object.Temperature(reading.Warn, "temp1")  leaves out and warns of what cannot be
//	object.Rest(&reading, "stats.")        what no getter used, into Extra
//	FillSummary, FillPools, FillDevs, FillVersion, SetModel
//	FillChains, FillFans, BoardAt, FillTemps   stats with chain_acn1, fan1, ...
//	Do(ctx, target, "ascset", "0,reboot,0")    a privileged command, errors mapped
//
// # What the driver speaks
//
// The cgminer API since 1.10 in its JSON form and, when a saved reply is in
// it, in its text form (`STATUS=S,When=..|SUMMARY,Elapsed=..|`). Reply names
// are the commands: summary, stats (or estats), pools, devs (or edevs),
// devdetails, version, config, coin. A combined reply ("summary+stats") is
// taken apart.
//
// # What it can set
//
// Pools (addpool, enablepool, switchpool, removepool), restart of the mining
// process, and nothing else: the API has no power setting. All of these need
// the machine's api-allow to grant W: to our address; otherwise Code 45, which
// is [miner.ErrLocked].
package cgminer
