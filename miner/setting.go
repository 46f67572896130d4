package miner

import (
	"fmt"
	"slices"
	"time"

	"ballast/unit"
)

// Kind is a kind of setting.
type Kind string

// The kinds of setting.
const (
	SetPower   Kind = "power"   // wall watts: Setting.Power
	SetProfile Kind = "profile" // a preset or profile by its name: Setting.Profile
	SetMode    Kind = "mode"    // a work mode: Setting.Mode
	SetSleep   Kind = "sleep"   // stop hashing, stay reachable
	SetWake    Kind = "wake"    // hash again
	SetReboot  Kind = "reboot"
	SetRestart Kind = "restart" // the mining process only
	SetPools   Kind = "pools"   // replace the list: Setting.Pools
	SetLocate  Kind = "locate"  // the light: Setting.On
)

// Work modes in words of our own; drivers translate.
const (
	ModeLow    = "low" // eco, efficiency
	ModeNormal = "normal"
	ModeHigh   = "high" // turbo, performance
)

// PoolSetting is one pool to mine at.
type PoolSetting struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Password Secret `json:"password,omitempty"`
}

// Setting is one desired state (or, for reboot and restart, one act).
type Setting struct {
	Kind    Kind          `json:"kind"`
	Power   unit.Power    `json:"power_w,omitempty"`
	Profile string        `json:"profile,omitempty"`
	Mode    string        `json:"mode,omitempty"`
	Pools   []PoolSetting `json:"pools,omitempty"`
	On      bool          `json:"on,omitempty"`
}

// String says the setting in words.
func (s Setting) String() string {
	switch s.Kind {
	case SetPower:
		return "power " + s.Power.String()
	case SetProfile:
		return "profile " + s.Profile
	case SetMode:
		return "mode " + s.Mode
	case SetPools:
		return fmt.Sprintf("pools (%d)", len(s.Pools))
	case SetLocate:
		if s.On {
			return "locate on"
		}
		return "locate off"
	}
	return string(s.Kind)
}

// Envelope is what one machine can be set to and what it costs to get there.
// Everything that dispatch does is done on envelopes. A machine may offer
// several ways at once (watts and sleep); Kinds lists what Apply takes.
type Envelope struct {
	Kinds []Kind `json:"kinds"` // what Apply accepts on this machine

	// Continuous power, when Kinds has SetPower.
	PowerMin     unit.Opt[unit.Power] `json:"power_min_w,omitzero"`
	PowerMax     unit.Opt[unit.Power] `json:"power_max_w,omitzero"`
	PowerDefault unit.Opt[unit.Power] `json:"power_default_w,omitzero"`

	// Discrete steps, when Kinds has SetProfile or SetMode, lowest power first.
	Steps []Step `json:"steps,omitempty"`

	Idle   unit.Opt[unit.Power] `json:"idle_w,omitzero"` // drawn asleep
	Settle Settle               `json:"settle"`          // how long a change takes to show
	Source string               `json:"source"`          // "told" by the machine, "published", or "assumed"
}

// Step is one discrete setting with what it yields.
type Step struct {
	Setting   Setting                  `json:"setting"`
	Name      string                   `json:"name"`
	Power     unit.Opt[unit.Power]     `json:"power_w,omitzero"`
	Hashrate  unit.Opt[unit.Hashrate]  `json:"hashrate_ths,omitzero"`
	Frequency unit.Opt[unit.Frequency] `json:"frequency_hz,omitzero"`
	Voltage   unit.Opt[unit.Voltage]   `json:"voltage_v,omitzero"`
	Tuned     unit.Opt[bool]           `json:"tuned,omitzero"`
}

// Settle is the time from an acknowledgement until telemetry must show it.
type Settle struct {
	Sleep  time.Duration `json:"sleep_ns"`
	Wake   time.Duration `json:"wake_ns"`
	Adjust time.Duration `json:"adjust_ns"` // watts, profile or mode
	Reboot time.Duration `json:"reboot_ns"`
}

// Can tells whether the machine takes settings of this kind.
func (e Envelope) Can(k Kind) bool { return slices.Contains(e.Kinds, k) }

// For is the settle time of a kind of setting.
func (s Settle) For(k Kind) time.Duration {
	switch k {
	case SetSleep:
		return s.Sleep
	case SetWake:
		return s.Wake
	case SetReboot, SetRestart:
		return s.Reboot
	case SetPower, SetProfile, SetMode:
		return s.Adjust
	}
	return 10 * time.Second
}
