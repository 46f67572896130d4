// Package avalon is the driver for Canaan's AvalonMiners with their stock
// firmware: cgminer 4.11.1 (4.10 on an A8) on TCP 4028, whose "stats" pack a
// whole machine into one text of KEY[value] pairs.
//
// # What it speaks
//
//   - The classic form (A8, A9, A10 to A15): STATS[0]."MM ID0" = "Ver[1246-83-..]
//     SYSTEMSTATU[Work: In Work, Hash Board: 3 ] .. PVT_T0[..] MW0[..]". An A8 or
//     A9 controller has one such text for each module; their boards and fans are
//     counted on.
//   - The nested form (Q, Mini 3): "MM ID0:Summary" = "'STATS':{..}" and "HBinfo" =
//     "'HB0':{PVT_T0[..] ..}". A Nano 3S has the commands of this generation and
//     the keys in one "MM ID0".
//
// Both in JSON, and saved replies also in the API's text form. Reply names are
// the commands: version, summary, stats (or estats), litestats, pools, devs,
// devdetails, config, coin, check, ascset_help. A combined reply is taken apart,
// and a reply under any other name is recognised by its sections.
//
// Read asks summary, estats (nested: litestats) and pools in one request; version
// and, nested, stats with the chips every 30th time and after Apply.
//
// # What the fields mean
//
// Canaan's A10 API manual (github.com/Canaan-Creative/avalon10-docs) says what
// PS, DH, GHSmm, Temp, TMax, Fan1.. and the PSU error bits are; the ECHU and ECMM
// bits are those of Canaan's own management system and of cgminer's miner.php;
// the states "In Init", "In Work", "In Idle" and "In Fault" and the field
// wallpower = PS[6] are in the source of the Nano 3S firmware
// (github.com/Canaan-Creative/Avalon_Nano3s, cg_miner/cgminer/driver-avalon.c).
//
// PS[error control-cV hash-cV A output-W set-cV wall-W]: the fifth figure is
// what the PSU delivers to the hash boards (it is volts times amperes), the
// seventh what it draws from the wall (an A15 repeats it as WALLPOWER; a Q at
// its 1674 W nameplate says 1598 and 1670). Reading.Power is at the wall:
// WALLPOWER where told, else the seventh, else (A10, with six figures) the fifth,
// which leaves the PSU's losses out. MPO is the output the firmware aims at.
//
// MGHS is an average since start, MW the nonces of each chip; a chip's rate is
// its share of its board's. Temperatures and voltages of chips are left from
// before while the machine sleeps, and not believed then. SoftOFF is why it was
// switched off, 0 when it was not.
//
// # What it can set
//
// By ascset: work mode (classic: normal and high, effective after the reboot
// that Apply sends with it; nested: low, normal, high at once), work level as
// profile "level N" where the firmware has levels, sleep (softoff; hashpower on
// the first A10) and wake (softon, or a reboot where there is none), reboot,
// restart (classic), pools (setpool and a reboot; setpool wants the web login),
// locate (led, classic). No watts. The API knows no password otherwise; where its
// operator closed it, ascset answers Code 45, which is [miner.ErrLocked].
//
// softoff and softon can take the time at which to act, by the machine's own
// clock, which may be its uptime: the driver asks for it first. Success is told
// as "S .. OK" or as "I .. info: ..", and softon and reboot may close the
// connection without a word; what an info says decides.
package avalon
