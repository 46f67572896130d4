// Package sim is a mining site that does not exist, on real sockets. Every
// machine has a loopback address of its own and speaks its firmware's dialect,
// quirks included, on its real ports; underneath is physics.
//
// Below this folder, sim/dialect/<firmware> serves one firmware family's
// protocols from a [Rig]. A dialect knows nothing of physics: it prints a
// [Snapshot] in its firmware's words and turns its firmware's commands into an
// [Action].
//
// The rest of this folder, from the inside out:
//
//   - A [Rig] is one machine. design.go derives the constants of its physics
//     from its model; body.go is its state and how that moves (power from clock,
//     voltage and leakage, two thermal masses a board, fans, supply, counters);
//     firmware.go is what its firmware does (phases, ramps, set-points,
//     protection), at the pace of tempo.go; snapshot.go is what its sensors make
//     of it all.
//   - health.go is the latent health of its parts, faults.go what can be
//     injected; both end in effects on the same physics.
//   - A [Site] is many rigs and what couples them: zone.go (air, coolant),
//     power.go (breakers, mains), weather.go, and tick.go, which moves it all.
//     crew.go repairs. truth.go and gear.go tell what is really going on.
//   - serve.go, wire.go and listen_*.go put it on the network; control.go is the
//     API through which it is disturbed, described in README.md.
//
// Randomness is a function of seed, place and time (noise.go), never a
// sequence: the same seed and the same commands give the same site, whoever
// looks at it and however often.
package sim

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// Spec is what a rig is. Only the control API changes it later: a swapped
// address, new firmware, new credentials, the write lock.
type Spec struct {
	Addr         netip.Addr
	Model        miner.Model
	Firmware     miner.Firmware
	Version      string // firmware version, which picks the API generation in a dialect; "" is the newest
	Serial       string
	MAC          string
	Hostname     string
	User         string // accepted by the firmware's sign-in; "" is the vendor's factory default
	Password     string
	WriteLock    bool   // writes refused until an operator unlocks on the machine (Whatsminer)
	Seed         uint64 // of everything random about this rig
	BoardSerials []string
}

// Phase is what a rig's firmware is doing.
type Phase string

// The phases.
const (
	PhaseOff      Phase = "off"      // no mains: does not answer at all
	PhaseBooting  Phase = "booting"  // control board up to nothing yet: does not answer
	PhaseStarting Phase = "starting" // mining process up, boards initialising
	PhaseRamping  Phase = "ramping"  // frequency rising, tuning
	PhaseHashing  Phase = "hashing"
	PhaseSleeping Phase = "sleeping" // told to
	PhaseFailed   Phase = "failed"   // gave up: a fault
)

// Snapshot is everything a rig's firmware can know at one instant: the sensors'
// view, with their faults, not the physical truth. A missing Opt is a sensor
// that does not answer; dialects print it as their firmware would.
type Snapshot struct {
	Now         time.Time // simulated
	Phase       Phase
	Uptime      time.Duration // of the control board
	MinerUptime time.Duration // of the mining process; 0 while it does not run

	Mode         string     // miner.ModeLow, ModeNormal, ModeHigh
	PowerTarget  unit.Power // set-point in watts, 0 when none was given
	PowerPercent float64    // quick percentage limit, 100 when none
	Profile      string     // preset or profile in force, "" when none
	Progress     float64    // of starting and ramping, 0..1
	Locating     bool

	Hashrate5s, Hashrate1m, Hashrate15m, Hashrate30m, HashrateAvg unit.Hashrate
	HashrateNominal                                               unit.Hashrate // at the present setting, all chips well
	Power                                                         unit.Power    // at the wall
	Ambient, Inlet, Outlet                                        unit.Opt[unit.Temperature]
	Flow                                                          unit.Opt[unit.Flow] // hydro only

	Boards  []BoardSnapshot
	Fans    []FanSnapshot // case fans; none when cooled by liquid
	FanDuty float64       // commanded, 0..1
	PSU     PSUSnapshot
	Pools   []PoolSnapshot
	Faults  []miner.Fault // active, in neutral codes; dialects translate

	Accepted, Rejected, Stale, HWErrors int64 // since the mining process started
	BestShare                           float64
	Difficulty                          float64
}

// BoardSnapshot is one board slot. A slot without a working board has Present
// false and nothing else to say.
type BoardSnapshot struct {
	Present, Enabled          bool
	Serial                    string
	Chips                     int // that answer
	Hashrate, HashrateNominal unit.Hashrate
	Power                     unit.Power
	Voltage                   unit.Voltage // board input
	Current                   unit.Current
	Frequency                 unit.Frequency                // mean
	PCB                       [4]unit.Opt[unit.Temperature] // sensors in the order inlet, outlet, inlet, outlet
	Chip                      [4]unit.Opt[unit.Temperature] // the chips beside them
	HWErrors                  int64
	// PerChip is filled by SnapshotChips only.
	PerChip []ChipSnapshot
}

// ChipSnapshot is one chip.
type ChipSnapshot struct {
	Alive     bool
	Hashrate  unit.Hashrate
	Temp      unit.Temperature
	Frequency unit.Frequency
	Voltage   unit.Voltage
	Errors    int64
}

// FanSnapshot is one case fan; a dead one turns at 0.
type FanSnapshot struct {
	Speed unit.Speed
}

// PSUSnapshot is the power supply.
type PSUSnapshot struct {
	VoltageIn             unit.Voltage
	VoltageOut            unit.Voltage // sagging under load
	VoltageSet            unit.Voltage
	CurrentIn, CurrentOut unit.Current
	PowerIn               unit.Power
	Temp                  [3]unit.Temperature
	Fan                   unit.Speed
}

// PoolSnapshot is one configured pool.
type PoolSnapshot struct {
	URL, User                 string
	Password                  string
	Alive, Active             bool
	Accepted, Rejected, Stale int64
	LastShare                 time.Time
}

// ActionKind is what a firmware can be told.
type ActionKind string

// The actions.
const (
	DoSleep   ActionKind = "sleep"
	DoWake    ActionKind = "wake"
	DoReboot  ActionKind = "reboot"
	DoRestart ActionKind = "restart"
	DoPower   ActionKind = "power"   // Action.Power: set-point in watts
	DoPercent ActionKind = "percent" // Action.Percent of nominal power, quick
	DoMode    ActionKind = "mode"    // Action.Text: miner.ModeLow, ModeNormal, ModeHigh
	DoProfile ActionKind = "profile" // Action.Text names it, Action.Power is its watts
	DoPools   ActionKind = "pools"
	DoLocate  ActionKind = "locate" // Action.On
	DoBoard   ActionKind = "board"  // Action.Index, Action.On: enable or disable
	// Whatsminer only: power fast boot (Action.On) and the speed of frequency
	// rise (Action.Index, 0 to 10). They change how later actions settle.
	DoFastBoot ActionKind = "fast boot"
	DoUpfreq   ActionKind = "upfreq speed"
)

// Action is a command after a dialect has understood it.
type Action struct {
	Kind    ActionKind
	Power   unit.Power
	Percent float64
	Text    string
	Pools   []PoolSnapshot // URL, User, Password
	Index   int
	On      bool
}

// ErrOutOfRange is a rig's refusal of a set-point outside its Limits.
var ErrOutOfRange = errors.New("out of range")

// Limits are what a rig's firmware accepts as a power set-point.
type Limits struct {
	Min, Default, Max unit.Power
}

// ProfileSpec is one preset: a point of the rig's own watts-to-hashrate curve.
type ProfileSpec struct {
	Name      string
	Frequency unit.Frequency
	Voltage   unit.Voltage
	Power     unit.Power
	Hashrate  unit.Hashrate
	Tuned     bool
}

// Dialect serves one firmware family.
type Dialect interface {
	Firmware() miner.Firmware
	// Ports are the well-known TCP ports that this rig's version listens on.
	Ports(s Spec) []uint16
	// Serve talks on one accepted connection and closes it. It returns when the
	// peer is gone, the dialogue is over, or ctx ends. Per-rig state (tokens,
	// sessions, nonces) is kept by the dialect under rig.Memo.
	Serve(ctx context.Context, port uint16, conn net.Conn, rig *Rig)
}
