package sim

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// Component is a part that can fail.
type Component string

// The components.
const (
	PartBoard   Component = "board"   // chips and their signal chain
	PartVRM     Component = "vrm"     // a board's power stages
	PartPSU     Component = "psu"     //
	PartPSUFan  Component = "psu-fan" //
	PartFan     Component = "fan"     //
	PartPaste   Component = "paste"   // between chips and heat sink
	PartDust    Component = "dust"    // on the heat sinks
	PartSensor  Component = "sensor"  // a board's temperature sensors
	PartControl Component = "control" // control board and network
	PartSoft    Component = "soft"    // nothing broken: a hang that a power cycle or a reflash mends
)

// EventKind is what an event of the truth log is.
type EventKind string

// The kinds of event.
const (
	EventOnset    EventKind = "onset"    // a component began to degrade
	EventHealed   EventKind = "healed"   // a degradation that came to nothing
	EventFailure  EventKind = "failure"  // a component failed
	EventStop     EventKind = "stop"     // a firmware stopped the machine to protect it
	EventStart    EventKind = "start"    // the mining process started
	EventCrash    EventKind = "crash"    // the mining process started anew of its own accord
	EventShock    EventKind = "shock"    // something hit a whole rack, PDU or container
	EventTrip     EventKind = "trip"     // a breaker opened
	EventClose    EventKind = "close"    // and was closed again
	EventOrder    EventKind = "order"    // a work order was opened
	EventRepair   EventKind = "repair"   // and done
	EventInject   EventKind = "inject"   // somebody injected a fault
	EventClear    EventKind = "clear"    // and cleared it
	EventIdentity EventKind = "identity" // an address, a version or credentials changed
)

// Event is one line of what really happened, which no firmware tells.
type Event struct {
	At          time.Time `json:"at"` // simulated
	Kind        EventKind `json:"kind"`
	Rig         int       `json:"rig"` // number in the site; -1 when it is none
	Place       string    `json:"place,omitempty"`
	Component   Component `json:"component,omitempty"`
	Index       int       `json:"index"`
	Predictable bool      `json:"predictable"`        // a failure that telemetry could have foretold
	Onset       time.Time `json:"onset,omitzero"`     // of a failure: when its signs began
	AtStart     bool      `json:"at_start,omitempty"` // the failure showed when power came back
	Detail      string    `json:"detail,omitempty"`
}

// note writes to the truth log of the site the rig stands in, if any.
func (r *Rig) note(e Event) {
	if r.log == nil {
		return
	}
	e.At = time.Unix(0, r.body.t).UTC()
	r.log(e)
}

// whyStopped says why the firmware protects its machine.
func (r *Rig) whyStopped(b *body) string {
	switch b.why {
	case miner.ThermalChip:
		return "chips too hot"
	case miner.PSUOverTemperature:
		return "power supply too hot"
	case miner.PSUShutdown:
		return "power supply protects itself"
	case miner.FanMissing:
		return "a fan does not turn"
	case miner.BoardMissing:
		return "no boards, or one too few"
	case miner.BoardInit:
		return "boards did not start"
	}
	return "protection"
}

// PartTruth is the latent health of one part.
type PartTruth struct {
	Component Component `json:"component"`
	Index     int       `json:"index"`
	Severity  float64   `json:"severity"` // 0 sound, 1 failed
	Failed    bool      `json:"failed"`
	Onset     time.Time `json:"onset,omitzero"`
}

// RigTruth is what a rig really is and does.
type RigTruth struct {
	Rig       int            `json:"rig"`
	Addr      netip.Addr     `json:"addr"`
	Firmware  miner.Firmware `json:"firmware"`
	Version   string         `json:"version,omitempty"`
	Model     string         `json:"model"`
	Serial    string         `json:"serial"`
	MAC       string         `json:"mac"`
	Container string         `json:"container"`
	Rack      int            `json:"rack"`
	Slot      int            `json:"slot"`
	PDU       string         `json:"pdu"`
	Outlet    int            `json:"outlet"`
	Locked    bool           `json:"write_lock,omitempty"`

	Phase    Phase            `json:"phase"`
	Power    unit.Power       `json:"power_w"`
	Hashrate unit.Hashrate    `json:"hashrate_ths"`
	Inlet    unit.Temperature `json:"inlet_c"`
	Chip     unit.Temperature `json:"chip_c"` // hottest, true
	Duty     unit.Ratio       `json:"fan_duty"`
	Dust     float64          `json:"dust"`
	Starts   int              `json:"starts"`
	Energy   unit.Energy      `json:"energy_j"` // at the wall, since the site began
	Parts    []PartTruth      `json:"parts,omitempty"`
	Faults   []Fault          `json:"injected,omitempty"`
}

// RigTruth is the truth about rig i as of the last tick. Of its parts, only
// those that are not sound are listed.
func (s *Site) RigTruth(i int) (RigTruth, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i < 0 || i >= len(s.nodes) {
		return RigTruth{}, fmt.Errorf("rig %d: %w: 0 to %d", i, ErrNoRig, len(s.nodes)-1)
	}
	return s.rigTruth(i), nil
}

func (s *Site) rigTruth(i int) RigTruth {
	nd := &s.nodes[i]
	r := nd.rig
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.present(s.clock.now())
	t := RigTruth{
		Rig: i, Addr: nd.addr, Firmware: r.firmware, Version: r.spec.Version, Model: r.model.Name, Serial: r.spec.Serial, MAC: r.spec.MAC,
		Container: s.zones[nd.zone].name, Rack: nd.rack + 1, Slot: nd.slot + 1, PDU: s.pdus[nd.pdu].name, Outlet: nd.outlet + 1, Locked: r.spec.WriteLock,
		Phase: b.phase, Power: unit.Power(b.wall), Hashrate: unit.Hashrate(b.hash), Inlet: unit.Temperature(r.env.inlet),
		Duty: unit.Ratio(b.duty), Dust: r.effects.dust, Energy: unit.Energy(b.energy),
	}
	for j := range r.design.boards {
		t.Chip = max(t.Chip, unit.Temperature(b.boards[j].chip))
	}
	if r.parts != nil {
		t.Starts = r.parts.starts
		for j := range r.parts.list {
			if p := &r.parts.list[j]; p.severity > 0 {
				pt := PartTruth{Component: kinds[p.kind].component, Index: int(p.index), Severity: p.severity, Failed: p.failed != 0}
				if p.onset != 0 {
					pt.Onset = unixUTC(p.onset)
				}
				t.Parts = append(t.Parts, pt)
			}
		}
	}
	t.Faults = slices.Clone(r.injected)
	return t
}

// PlaceTruth is a container as it really is.
type PlaceTruth struct {
	Name    string           `json:"name"`
	Cooling miner.Cooling    `json:"cooling"`
	First   int              `json:"first_rig"`
	Count   int              `json:"rigs"`
	Feeder  string           `json:"feeder"`
	Power   unit.Power       `json:"power_w"`
	Supply  unit.Temperature `json:"supply_c"`
	Return  unit.Temperature `json:"return_c"`
	Flow    unit.Ratio       `json:"flow"`
	Fans    unit.Ratio       `json:"fans"`
	Tripped bool             `json:"tripped,omitempty"`
	NoNet   bool             `json:"network_out,omitempty"`
}

// Truth is the whole site as it really is.
type Truth struct {
	At         time.Time     `json:"at"`
	Speed      float64       `json:"speed"`
	Weather    Weather       `json:"weather"`
	Power      unit.Power    `json:"power_w"`
	Energy     unit.Energy   `json:"energy_j"`
	Hashrate   unit.Hashrate `json:"hashrate_ths"`
	Phases     map[Phase]int `json:"phases"`
	Containers []PlaceTruth  `json:"containers"`
	Faults     int           `json:"injected_faults"`
	Orders     int           `json:"open_orders"`
	Rigs       []RigTruth    `json:"rigs,omitempty"`
}

// Truth is the site as it really is; with every rig when rigs is true.
func (s *Site) Truth(rigs bool) Truth {
	speed, _ := s.clock.pace()
	s.mu.Lock()
	defer s.mu.Unlock()
	t := Truth{At: s.Now(), Speed: speed, Weather: s.weather(s.at), Phases: map[Phase]int{}, Faults: len(s.faults), Orders: len(s.open)}
	for i := range s.feeders {
		t.Power += unit.Power(s.feeders[i].power)
		t.Energy += unit.Energy(s.feeders[i].energy)
	}
	for i := range s.nodes {
		r := s.rigTruth(i)
		t.Phases[r.Phase]++
		t.Hashrate += r.Hashrate
		if rigs {
			t.Rigs = append(t.Rigs, r)
		}
	}
	for i := range s.zones {
		z := &s.zones[i]
		t.Containers = append(t.Containers, PlaceTruth{
			Name: z.name, Cooling: z.cooling, First: z.first, Count: z.count, Feeder: s.feeders[z.feeder].name, Power: unit.Power(z.power),
			Supply: unit.Temperature(z.supply), Return: unit.Temperature(z.back), Flow: unit.Ratio(z.flow), Fans: unit.Ratio(z.fans),
			Tripped: z.open > 0 || s.feeders[z.feeder].breaker.open, NoNet: z.cut,
		})
	}
	return t
}

// Events are the lines of the truth log from number since on, and the number to
// ask for next.
func (s *Site) Events(since int) ([]Event, int) {
	s.logMu.Lock()
	defer s.logMu.Unlock()
	from := min(max(since-s.forgotten, 0), len(s.events))
	return slices.Clone(s.events[from:]), s.forgotten + len(s.events)
}
