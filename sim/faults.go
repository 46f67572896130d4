package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// FaultKind names a fault that can be injected.
type FaultKind string

// Faults of one rig's parts. Index picks the board, fan or pool from 0; Amount
// is what the table of kinds says, its default when 0.
const (
	FaultBoardDead    FaultKind = "board-dead"
	FaultChipsDead    FaultKind = "chips-dead"
	FaultChipsDying   FaultKind = "chips-dying"
	FaultBoardErrors  FaultKind = "board-errors"
	FaultRailDroop    FaultKind = "rail-droop"
	FaultFanDead      FaultKind = "fan-dead"
	FaultFanSlow      FaultKind = "fan-slow"
	FaultPSUSag       FaultKind = "psu-sag"
	FaultPSUStop      FaultKind = "psu-stop"
	FaultPSUDead      FaultKind = "psu-dead"
	FaultPSUFan       FaultKind = "psu-fan"
	FaultPaste        FaultKind = "paste"
	FaultDust         FaultKind = "dust"
	FaultSensorStuck  FaultKind = "sensor-stuck"
	FaultSensorOffset FaultKind = "sensor-offset"
	FaultSensorLost   FaultKind = "sensor-lost"
	FaultAmbientLost  FaultKind = "ambient-lost"
	FaultMeter        FaultKind = "meter-off"
	FaultPoolDown     FaultKind = "pool-down"
	FaultHashrate     FaultKind = "hashrate-drop"
	FaultHung         FaultKind = "miner-hung"
	FaultPowerOff     FaultKind = "power-off"
	FaultControlDead  FaultKind = "control-dead"
)

// Faults on the wire of one rig.
const (
	FaultWireHung      FaultKind = "wire-hung"
	FaultWireSilent    FaultKind = "wire-silent"
	FaultWireRefused   FaultKind = "wire-refused"
	FaultWireGarbage   FaultKind = "wire-garbage"
	FaultWireSlow      FaultKind = "wire-slow"
	FaultWireReset     FaultKind = "wire-reset"
	FaultWireTruncated FaultKind = "wire-truncated"
	FaultWireDelay     FaultKind = "wire-delay"
)

// Things that are done to one rig, at once. Password and write lock can be
// cleared; the others cannot, only done again.
const (
	FaultReboot    FaultKind = "reboot"
	FaultRestart   FaultKind = "restart"
	FaultPassword  FaultKind = "password"
	FaultWriteLock FaultKind = "write-lock"
	FaultUpgrade   FaultKind = "upgrade"
	FaultSwap      FaultKind = "swap"
)

// Faults of a container, or of the site.
const (
	FaultTrip       FaultKind = "container-trip"
	FaultPDUTrip    FaultKind = "pdu-trip"
	FaultFanWall    FaultKind = "cooling-fans"
	FaultPump       FaultKind = "pump"
	FaultSurge      FaultKind = "voltage-surge"
	FaultBrownout   FaultKind = "brownout"
	FaultHeatWave   FaultKind = "heat-wave"
	FaultNetworkOut FaultKind = "network-out"
)

// Scope is what a kind of fault falls upon.
type Scope string

// The scopes.
const (
	ScopeRig       Scope = "rig"
	ScopeWire      Scope = "wire"
	ScopeAct       Scope = "act"
	ScopeContainer Scope = "container"
	ScopeSite      Scope = "site"
)

// FaultInfo describes one kind of fault.
type FaultInfo struct {
	Kind    FaultKind `json:"kind"`
	Scope   Scope     `json:"scope"`
	Index   string    `json:"index,omitempty"`  // what Fault.Index picks
	Amount  string    `json:"amount,omitempty"` // what Fault.Amount means
	Default float64   `json:"default,omitempty"`
	Text    string    `json:"text,omitempty"` // what Fault.Text means
	Does    string    `json:"does"`
	min     float64
	max     float64
}

var faultKinds = []FaultInfo{
	{Kind: FaultBoardDead, Scope: ScopeRig, Index: "board", Does: "the board is not detected any more"},
	{Kind: FaultChipsDead, Scope: ScopeRig, Index: "board", Amount: "chips", Default: 10, min: 1, max: 1000, Does: "chips stop answering"},
	{Kind: FaultChipsDying, Scope: ScopeRig, Index: "board", Amount: "chips per hour", Default: 2, min: 0.01, max: 10000, Does: "chips stop answering one after another"},
	{Kind: FaultBoardErrors, Scope: ScopeRig, Index: "board", Amount: "times the usual errors", Default: 50, min: 1, max: 10000, Does: "hardware errors, as of a failing signal chain"},
	{Kind: FaultRailDroop, Scope: ScopeRig, Index: "board", Amount: "share of voltage lost", Default: 0.04, min: 0.001, max: 0.3, Does: "the board's power stages sag: errors, and weak chips that change"},
	{Kind: FaultFanDead, Scope: ScopeRig, Index: "fan", Does: "the fan stands"},
	{Kind: FaultFanSlow, Scope: ScopeRig, Index: "fan", Amount: "share of its speed", Default: 0.5, min: 0.01, max: 1, Does: "the fan turns slower than commanded"},
	{Kind: FaultPSUSag, Scope: ScopeRig, Amount: "share of output voltage lost at full load", Default: 0.04, min: 0.001, max: 0.3, Does: "output voltage sags under load: errors, less hashrate"},
	{Kind: FaultPSUStop, Scope: ScopeRig, Does: "the supply protects itself: hashing stops, the control board lives"},
	{Kind: FaultPSUDead, Scope: ScopeRig, Does: "no output at all: the machine is off"},
	{Kind: FaultPSUFan, Scope: ScopeRig, Amount: "share of its speed", Default: 0.3, min: 0, max: 1, Does: "the supply's fan slows, its temperature rises"},
	{Kind: FaultPaste, Scope: ScopeRig, Index: "board", Amount: "times the resistance from chip to heat sink", Default: 2, min: 1, max: 10, Does: "chips run hotter than their heat sink explains"},
	{Kind: FaultDust, Scope: ScopeRig, Amount: "0 clean to 1 clogged", Default: 0.6, min: 0.01, max: 1, Does: "less air, hotter heat sinks, faster fans"},
	{Kind: FaultSensorStuck, Scope: ScopeRig, Index: "board", Amount: "°C", Default: 45, min: -60, max: 200, Does: "the board's sensors tell one value, and the fans believe it"},
	{Kind: FaultSensorOffset, Scope: ScopeRig, Index: "board", Amount: "K", Default: 12, min: -100, max: 100, Does: "the board's sensors tell too much or too little"},
	{Kind: FaultSensorLost, Scope: ScopeRig, Index: "board", Does: "the board's sensors do not answer"},
	{Kind: FaultAmbientLost, Scope: ScopeRig, Does: "the intake sensor does not answer"},
	{Kind: FaultMeter, Scope: ScopeRig, Amount: "factor", Default: 1.2, min: 0, max: 10, Does: "the told power is wrong"},
	{Kind: FaultPoolDown, Scope: ScopeRig, Index: "pool; -1 is all", Does: "a pool is unreachable; without any, no work"},
	{Kind: FaultHashrate, Scope: ScopeRig, Amount: "share that is left", Default: 0.7, min: 0, max: 1, Does: "less hashrate for no visible reason"},
	{Kind: FaultHung, Scope: ScopeRig, Does: "the mining process hangs: it answers, and hashes nothing, until it is restarted"},
	{Kind: FaultPowerOff, Scope: ScopeRig, Does: "no mains: no answer"},
	{Kind: FaultControlDead, Scope: ScopeRig, Does: "the control board is dead: no answer"},

	{Kind: FaultWireHung, Scope: ScopeWire, Does: "connections are accepted and never answered"},
	{Kind: FaultWireSilent, Scope: ScopeWire, Does: "packets are dropped: connecting times out"},
	{Kind: FaultWireRefused, Scope: ScopeWire, Does: "connections are refused (reset at once where all machines share one listener)"},
	{Kind: FaultWireGarbage, Scope: ScopeWire, Does: "replies are random bytes"},
	{Kind: FaultWireSlow, Scope: ScopeWire, Amount: "bytes per second", Default: 20, min: 0.1, max: 1e6, Does: "replies drip"},
	{Kind: FaultWireReset, Scope: ScopeWire, Amount: "bytes before", Default: 40, min: 0, max: 1e6, Does: "the connection is reset in the middle of a reply"},
	{Kind: FaultWireTruncated, Scope: ScopeWire, Amount: "bytes before", Default: 200, min: 0, max: 1e6, Does: "the connection is closed in the middle of a reply"},
	{Kind: FaultWireDelay, Scope: ScopeWire, Amount: "seconds", Default: 2, min: 0, max: 600, Does: "replies come late"},

	{Kind: FaultReboot, Scope: ScopeAct, Does: "the control board reboots"},
	{Kind: FaultRestart, Scope: ScopeAct, Does: "the mining process restarts, counters begin at zero"},
	{Kind: FaultPassword, Scope: ScopeAct, Text: "new password, default \"changed\"", Does: "the password is another now"},
	{Kind: FaultWriteLock, Scope: ScopeAct, Does: "writes are refused"},
	{Kind: FaultUpgrade, Scope: ScopeAct, Text: "new version", Does: "another firmware version, after a reboot"},
	{Kind: FaultSwap, Scope: ScopeAct, Text: "the other rig", Does: "two machines exchange their addresses"},

	{Kind: FaultTrip, Scope: ScopeContainer, Does: "the container's breaker is open"},
	{Kind: FaultPDUTrip, Scope: ScopeContainer, Index: "PDU", Does: "a PDU's breaker is open"},
	{Kind: FaultFanWall, Scope: ScopeContainer, Amount: "share of the fans that is left", Default: 0.4, min: 0, max: 1, Does: "container fans or dry cooler fans fail"},
	{Kind: FaultPump, Scope: ScopeContainer, Amount: "share of the flow that is left", Default: 0, min: 0, max: 1, Does: "the coolant pump fails"},
	{Kind: FaultSurge, Scope: ScopeContainer, Amount: "strength", Default: 1, min: 0.01, max: 100, Does: "a voltage surge ages every supply and board (some fail)"},
	{Kind: FaultBrownout, Scope: ScopeContainer, Amount: "share of mains voltage lost", Default: 0.15, min: 0.01, max: 0.9, Does: "low mains; supplies drop out below 180 V"},
	{Kind: FaultNetworkOut, Scope: ScopeContainer, Does: "the container's switch is out: no machine of it answers"},
	{Kind: FaultHeatWave, Scope: ScopeSite, Amount: "K", Default: 10, min: -30, max: 30, Does: "warmer weather"},
}

// FaultKinds describes every fault that can be injected.
func FaultKinds() []FaultInfo { return slices.Clone(faultKinds) }

// Errors of injecting faults and of looking things up.
var (
	ErrFault   = errors.New("no such fault")
	ErrNoRig   = errors.New("no such rig")
	ErrNoPlace = errors.New("no such container")
)

// Fault is one injected fault.
type Fault struct {
	ID        int64     `json:"id"`
	Kind      FaultKind `json:"kind"`
	Rig       int       `json:"rig"`                 // number in the site; -1 for a container or the site
	Container string    `json:"container,omitempty"` // of a fault that falls on one
	Index     int       `json:"index"`
	Amount    float64   `json:"amount,omitempty"`
	Text      string    `json:"text,omitempty"`
	Since     time.Time `json:"since"`          // simulated
	Until     time.Time `json:"until,omitzero"` // simulated; zero is until cleared
	undo      string    // what was before
}

func infoOf(k FaultKind) (FaultInfo, error) {
	i := slices.IndexFunc(faultKinds, func(f FaultInfo) bool { return f.Kind == k })
	if i < 0 {
		return FaultInfo{}, fmt.Errorf("%q: %w", k, ErrFault)
	}
	return faultKinds[i], nil
}

// check fills in the default amount and refuses what makes no sense.
func (f *Fault) check(info FaultInfo) error {
	if f.Amount == 0 {
		f.Amount = info.Default
	}
	if info.Amount != "" && !(f.Amount >= info.min && f.Amount <= info.max) {
		return fmt.Errorf("%s: amount %v (%s): %w: %v to %v", f.Kind, f.Amount, info.Amount, ErrOutOfRange, info.min, info.max)
	}
	return nil
}

// inject adds a fault to the rig's parts. The lock is held.
func (r *Rig) inject(f Fault) error {
	most := 1
	switch f.Kind {
	case FaultBoardDead, FaultChipsDead, FaultChipsDying, FaultBoardErrors, FaultRailDroop, FaultPaste, FaultSensorStuck, FaultSensorOffset, FaultSensorLost:
		most = r.design.boards
	case FaultFanDead, FaultFanSlow:
		most = r.design.fans
	case FaultPoolDown:
		most = max(len(r.pools), 1)
		if f.Index == -1 {
			f.Index = 0
			for i := range most {
				f.Index = i
				r.injected = append(r.injected, f)
			}
			r.refresh()
			return nil
		}
	}
	if f.Index < 0 || f.Index >= most {
		return fmt.Errorf("%s: index %d: %w: this machine has %d", f.Kind, f.Index, ErrOutOfRange, most)
	}
	r.injected = append(r.injected, f)
	r.refresh()
	return nil
}

// clear removes the injected faults that gone picks. The lock is held.
func (r *Rig) clear(gone func(Fault) bool) {
	before := len(r.injected)
	r.injected = slices.DeleteFunc(r.injected, gone)
	if len(r.injected) != before {
		r.refresh()
	}
}

// refresh works out what all faults together do. The lock is held.
func (r *Rig) refresh() {
	e := unharmed()
	e.poolDown = make([]bool, len(r.pools))
	if r.parts != nil {
		r.parts.apply(&e, r)
	}
	for _, f := range r.injected {
		r.applyInjected(&e, f)
	}
	air := 0.0
	for i := range r.design.fans {
		air += e.fans[i]
	}
	if r.design.fans > 0 {
		e.airflow = air / float64(r.design.fans)
	}
	r.effects = e
	r.choosePool()
	r.body.settled = false
	r.surroundings(&r.body)
}

func (r *Rig) applyInjected(e *effects, f Fault) {
	var b *boardEffect
	if f.Index >= 0 && f.Index < maxBoards {
		b = &e.boards[f.Index]
	}
	switch f.Kind {
	case FaultBoardDead:
		b.missing = true
	case FaultChipsDead:
		b.dead += int(f.Amount)
	case FaultChipsDying:
		b.dead += int(time.Unix(0, r.body.t).Sub(f.Since).Hours() * f.Amount)
	case FaultBoardErrors:
		b.errors *= f.Amount
	case FaultRailDroop:
		b.droop += f.Amount
	case FaultPaste:
		b.paste *= f.Amount
	case FaultSensorStuck:
		b.sense = sense{senseStuck, f.Amount}
	case FaultSensorOffset:
		b.sense = sense{senseOffset, f.Amount}
	case FaultSensorLost:
		b.sense = sense{kind: senseLost}
	case FaultFanDead:
		e.fans[f.Index] = 0
	case FaultFanSlow:
		e.fans[f.Index] *= f.Amount
	case FaultPSUSag:
		e.sag += f.Amount
	case FaultPSUStop:
		e.psuStop = true
	case FaultPSUFan:
		e.psuFan *= f.Amount
	case FaultDust:
		e.dust = max(e.dust, f.Amount)
	case FaultAmbientLost:
		e.ambient = sense{kind: senseLost}
	case FaultMeter:
		e.meter *= f.Amount
	case FaultPoolDown:
		if f.Index < len(e.poolDown) {
			e.poolDown[f.Index] = true
		}
	case FaultHashrate:
		e.hash *= f.Amount
	case FaultHung:
		e.hung = true
	case FaultPSUDead, FaultPowerOff, FaultControlDead:
		e.dark = true
	}
}

// choosePool lets the firmware work for the first pool that lives.
func (r *Rig) choosePool() {
	r.effects.noPool = true
	for i := range r.pools {
		p := &r.pools[i]
		p.Alive = !r.effects.poolDown[i]
		p.Active = p.Alive && r.effects.noPool
		if p.Active {
			r.effects.noPool = false
		}
	}
}

// tend ends injected faults whose time is over and moves on those that grow.
// The lock is held.
func (r *Rig) tend() {
	if len(r.injected) == 0 {
		return
	}
	now := time.Unix(0, r.body.t)
	grows := false
	r.clear(func(f Fault) bool {
		grows = grows || f.Kind == FaultChipsDying
		return !f.Until.IsZero() && !f.Until.After(now)
	})
	if grows {
		settled := r.body.settled
		r.refresh()
		r.body.settled = settled
	}
}

// rehang forgets a hang when the mining process starts anew.
func (r *Rig) rehang() {
	r.clear(func(f Fault) bool { return f.Kind == FaultHung })
}
