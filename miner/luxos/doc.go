// Package luxos is the driver for LuxOS, Luxor's firmware for Antminers: the
// cgminer API on TCP 4028 with Luxor's own commands beside it.
//
// # What it speaks
//
// LuxOS since 2023, by Luxor's API documentation (docs.luxor.tech/firmware/api)
// and the list of commands of luxos-tooling (src/luxos/api.json). Reply names
// are the commands, those about one board with its number: summary, devs, power,
// temps, fans, events, config, pools, version, profiles, limits, atm,
// tunerstatus, stats, groups, devdetails, tempctrl, voltageget_0,
// healthchipget_0. A combined reply ("summary+devs", which the firmware takes
// for commands without parameters) is taken apart, and a reply under any other
// name is recognised by its sections.
//
// # What the fields mean
//
// temps names its four sensors by labels ("Board Intake (top)", "Water Inlet"),
// and the driver goes by those. They are board sensors; chip temperatures exist
// where healthchipget tells them (S21, T21). stats repeats the boards' under
// Bitmain's names for chips, which is not believed. power says whether the PSU
// measured or the firmware estimated. Nominal MHS is what a board should do at
// the present profile. devs and temps come in any order and are sorted by ID;
// stats counts its chains from 1 in the order of the IDs. events are complaints
// and states; their codes are Luxor's (docs.luxor.tech/firmware/kb/
// eventstroubleshooting).
//
// # What it can set
//
// Profile (profileset by name), power (powertargetset power=<W>, on models that
// say IsPowerTargetSupported), sleep and wake (curtail), reboot (rebootdevice),
// restart (resetminer), pools (addpool, removepool, switchpool), locate (ledset
// red). LuxOS asks for no password. Writing wants a session: logon, the command
// with the session's ID in front of its parameters, logoff. There is one session
// at a time, and it expires after a minute without use; a session of somebody
// else is waited for a moment and then is [miner.ErrBusy], never taken over.
package luxos
