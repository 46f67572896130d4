// Package plant reads what feeds and cools the machines: power meters, cooling
// controllers, power distribution units (PDUs), weather stations.
//
// A device is a [Source]: it is asked, or tells, at its own pace and streams
// typed [Reading]s. Below this folder are the ways to reach one:
//
//   - plant/modbus is the protocol (Modbus TCP, client and server);
//   - plant/register turns registers into readings by a declared map, writes
//     set-points with care, and serves the same map for the simulator;
//   - plant/snmp reads and switches PDUs by declared OIDs;
//   - plant/mqtt takes what others publish, by declared topics.
//
// The maps are data: a new meter is a YAML file and no code. They name what
// they read by [Field].
//
// A reading says how good it is. Missing is missing, never zero; a value that
// cannot be true is left out with a [Warning]; a device that does not answer
// gives a reading with quality [Lost]; and every reading has a life after which
// it is [Stale] and must not be acted on.
package plant

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"ballast/unit"
)

// Source is one way to readings: a device that is polled, or a subscription.
type Source interface {
	// Name is what the configuration calls it.
	Name() string
	// Run reads until ctx ends and hands every reading to emit, one at a time.
	// It keeps trying when the device fails; it returns early only when it can
	// never work.
	Run(ctx context.Context, emit func(Reading)) error
}

// Kind is a kind of device.
type Kind string

// The kinds.
const (
	MeterKind   Kind = "meter"
	CoolingKind Kind = "cooling"
	PDUKind     Kind = "pdu"
	WeatherKind Kind = "weather"
)

// Quality says what a reading is worth.
type Quality string

// The qualities, best first.
const (
	Good    Quality = "good"    // everything that was asked for is there and plausible
	Partial Quality = "partial" // something is missing or was left out; see Warnings
	Stale   Quality = "stale"   // was good or partial, and is too old to act on
	Lost    Quality = "lost"    // the device did not answer: no values
)

// Reading is one device at one instant. Exactly the part of its kind is there,
// unless it is Lost.
type Reading struct {
	Source  string        `json:"source"` // the name of the device
	Kind    Kind          `json:"kind"`
	At      time.Time     `json:"at"`                // when it was measured, as near as known
	Took    time.Duration `json:"took_ns,omitempty"` // from first byte out to last byte in
	Quality Quality       `json:"quality"`
	Life    time.Duration `json:"life_ns,omitempty"` // how long it may be acted on; 0 is for ever

	Meter   *Meter   `json:"meter,omitempty"`
	Cooling *Cooling `json:"cooling,omitempty"`
	PDU     *PDU     `json:"pdu,omitempty"`
	Weather *Weather `json:"weather,omitempty"`

	Err      string    `json:"error,omitempty"`    // why it is Lost
	LastGood time.Time `json:"last_good,omitzero"` // of the same source, before a Lost reading
	Warnings []Warning `json:"warnings,omitempty"`
}

// Age is how old the reading is at now.
func (r Reading) Age(now time.Time) time.Duration { return now.Sub(r.At) }

// QualityAt is the quality at now: a reading past its life is stale.
func (r Reading) QualityAt(now time.Time) Quality {
	if r.Quality != Lost && r.Life > 0 && r.Age(now) > r.Life {
		return Stale
	}
	return r.Quality
}

// Usable tells whether the reading may be acted on at now.
func (r Reading) Usable(now time.Time) bool {
	q := r.QualityAt(now)
	return q == Good || q == Partial
}

// Meter is a power meter. Phases are L1, L2, L3; power is positive when it is
// drawn from the grid.
type Meter struct {
	Power            unit.Opt[unit.Power]      `json:"power_w,omitzero"` // active, total
	PowerPhase       [3]unit.Opt[unit.Power]   `json:"power_phase_w"`
	Voltage          [3]unit.Opt[unit.Voltage] `json:"voltage_v"`      // phase to neutral
	VoltageLine      [3]unit.Opt[unit.Voltage] `json:"voltage_line_v"` // L1-L2, L2-L3, L3-L1
	Current          [3]unit.Opt[unit.Current] `json:"current_a"`
	CurrentNeutral   unit.Opt[unit.Current]    `json:"current_neutral_a,omitzero"`
	PowerFactor      unit.Opt[unit.Ratio]      `json:"power_factor,omitzero"` // -1..1, total
	PowerFactorPhase [3]unit.Opt[unit.Ratio]   `json:"power_factor_phase"`
	Frequency        unit.Opt[unit.Frequency]  `json:"frequency_hz,omitzero"`
	EnergyImport     unit.Opt[unit.Energy]     `json:"energy_import_j,omitzero"` // the meter's own counter
	EnergyExport     unit.Opt[unit.Energy]     `json:"energy_export_j,omitzero"`
	ImportSince      unit.Opt[unit.Energy]     `json:"import_since_j,omitzero"` // since the reading before; roll-over is dealt with
}

// Cooling is a cooling controller: a loop with pumps and a dry cooler, an
// immersion tank, the fans of a container.
type Cooling struct {
	Supply         unit.Opt[unit.Temperature] `json:"supply_c,omitzero"` // to the machines
	Return         unit.Opt[unit.Temperature] `json:"return_c,omitzero"` // from the machines
	Ambient        unit.Opt[unit.Temperature] `json:"ambient_c,omitzero"`
	Setpoint       unit.Opt[unit.Temperature] `json:"setpoint_c,omitzero"` // of Supply
	Flow           unit.Opt[unit.Flow]        `json:"flow_lpm,omitzero"`
	PressureSupply unit.Opt[unit.Pressure]    `json:"pressure_supply_bar,omitzero"`
	PressureReturn unit.Opt[unit.Pressure]    `json:"pressure_return_bar,omitzero"`
	Power          unit.Opt[unit.Power]       `json:"power_w,omitzero"` // drawn by pumps and fans
	Level          unit.Opt[unit.Ratio]       `json:"level,omitzero"`   // of the tank
	Running        unit.Opt[bool]             `json:"running,omitzero"`
	Pumps          []Motor                    `json:"pumps,omitempty"`
	Fans           []Motor                    `json:"fans,omitempty"`
	Alarms         []string                   `json:"alarms,omitempty"` // active ones, as the map names them, sorted
}

// Motor is a pump or a fan. Index counts from 1, as on the label.
type Motor struct {
	Index   int                  `json:"index"`
	Speed   unit.Opt[unit.Speed] `json:"speed_rpm,omitzero"`
	Duty    unit.Opt[unit.Ratio] `json:"duty,omitzero"` // commanded
	Running unit.Opt[bool]       `json:"running,omitzero"`
}

// PDU is a rack power distribution unit.
type PDU struct {
	Power       unit.Opt[unit.Power]  `json:"power_w,omitzero"`
	PowerFactor unit.Opt[unit.Ratio]  `json:"power_factor,omitzero"`
	Energy      unit.Opt[unit.Energy] `json:"energy_j,omitzero"`
	Phases      []PDUPhase            `json:"phases,omitempty"`
	Outlets     []Outlet              `json:"outlets,omitempty"`
}

// PDUPhase is one phase of a PDU's inlet. Index counts from 1.
type PDUPhase struct {
	Index   int                    `json:"index"`
	Voltage unit.Opt[unit.Voltage] `json:"voltage_v,omitzero"`
	Current unit.Opt[unit.Current] `json:"current_a,omitzero"`
	Power   unit.Opt[unit.Power]   `json:"power_w,omitzero"`
}

// Outlet is one outlet of a PDU. Index counts from 1.
type Outlet struct {
	Index       int                    `json:"index"`
	Name        string                 `json:"name,omitempty"`
	On          unit.Opt[bool]         `json:"on,omitzero"`
	Power       unit.Opt[unit.Power]   `json:"power_w,omitzero"`
	Current     unit.Opt[unit.Current] `json:"current_a,omitzero"`
	Voltage     unit.Opt[unit.Voltage] `json:"voltage_v,omitzero"`
	PowerFactor unit.Opt[unit.Ratio]   `json:"power_factor,omitzero"`
	Energy      unit.Opt[unit.Energy]  `json:"energy_j,omitzero"`
}

// Weather is the air outside.
type Weather struct {
	Temperature unit.Opt[unit.Temperature] `json:"temperature_c,omitzero"`
	WetBulb     unit.Opt[unit.Temperature] `json:"wet_bulb_c,omitzero"`
	Humidity    unit.Opt[unit.Ratio]       `json:"humidity,omitzero"` // relative
	Pressure    unit.Opt[unit.Pressure]    `json:"pressure_bar,omitzero"`
}

// WarningKind says what is wrong with a piece of data.
type WarningKind string

// The kinds of warning.
const (
	WarnBroken      WarningKind = "broken"      // bytes that could not be read
	WarnMissing     WarningKind = "missing"     // declared, and not there
	WarnImplausible WarningKind = "implausible" // read, but cannot be true; left out
	WarnConflict    WarningKind = "conflict"    // two values disagree
	WarnRollOver    WarningKind = "roll-over"   // a counter went round or was reset
	WarnUndated     WarningKind = "undated"     // the age is not known
	WarnDropped     WarningKind = "dropped"     // readings came faster than they were taken
)

// Warning is one data-quality remark on a reading.
type Warning struct {
	Kind   WarningKind `json:"kind"`
	Where  string      `json:"where"`
	Detail string      `json:"detail,omitempty"` // shortened
}

// Warn adds a warning.
func (r *Reading) Warn(kind WarningKind, where, detail string) {
	const most = 160
	if len(detail) > most {
		detail = detail[:most] + "…"
	}
	r.Warnings = append(r.Warnings, Warning{kind, where, detail})
}

// Latest keeps the last reading of every device. It is safe for concurrent
// use, and Put can be given to Source.Run as it is.
type Latest struct {
	mu       sync.RWMutex
	readings map[string]Reading
}

// Put keeps r if it is not older than what is there.
func (l *Latest) Put(r Reading) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readings == nil {
		l.readings = map[string]Reading{}
	}
	if was, ok := l.readings[r.Source]; ok && r.At.Before(was.At) {
		return
	}
	l.readings[r.Source] = r
}

// Get is the last reading of a device as it stands at now: past its life its
// quality is Stale.
func (l *Latest) Get(source string, now time.Time) (Reading, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	r, ok := l.readings[source]
	r.Quality = r.QualityAt(now)
	return r, ok
}

// All are the last readings of all devices at now, by name.
func (l *Latest) All(now time.Time) []Reading {
	l.mu.RLock()
	out := slices.Collect(maps.Values(l.readings))
	l.mu.RUnlock()
	slices.SortFunc(out, func(a, b Reading) int { return cmp.Compare(a.Source, b.Source) })
	for i := range out {
		out[i].Quality = out[i].QualityAt(now)
	}
	return out
}
