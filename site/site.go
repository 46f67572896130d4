// Package site is a mining site as its owner describes it: where it is, how
// power comes in and what it may draw, what cools it, and which machine stands
// in which slot.
//
// The description is data, one YAML file, checked as a whole by [Parse]: every
// problem is reported with the place it stands at. It says nothing of what the
// site does right now; that is measured.
//
// Three trees meet at a slot:
//
//   - place: buildings hold containers and racks, containers hold racks, racks
//     hold slots;
//   - power: a slot's outlet is on its rack's PDU, the PDU on a feeder, the
//     feeder on another or on the grid. Each may have a cap, and all caps on the
//     way bind at once: see [Site.Caps];
//   - cooling: a rack or container is on a loop.
//
// What a machine's place is, [Site.Find] tells from its address, MAC or serial.
//
// The same description in JSON ([FromJSON]) is what the record keeps and the API
// speaks: there each quantity is a number whose unit the key names ("cap_w").
package site

import (
	"errors"

	"ballast/miner"
	"ballast/unit"
)

// ErrInvalid reports a description that makes no sense; the error lists every
// problem.
var ErrInvalid = errors.New("not a valid site")

// Site is the whole description. Names are unique within their kind.
type Site struct {
	Name         string     `json:"name" yaml:"name"`
	Jurisdiction string     `json:"jurisdiction,omitempty" yaml:"jurisdiction,omitempty"` // ISO 3166: "US-TX", "PY"
	Zone         string     `json:"zone,omitempty" yaml:"zone,omitempty"`                 // IANA time zone: "America/Chicago"
	Latitude     float64    `json:"latitude,omitempty" yaml:"latitude,omitempty"`         // degrees north
	Longitude    float64    `json:"longitude,omitempty" yaml:"longitude,omitempty"`       // degrees east
	Tariff       string     `json:"tariff,omitempty" yaml:"tariff,omitempty"`             // the electricity contract, by its name in the configuration
	Cap          unit.Power `json:"cap_w,omitempty" yaml:"cap,omitempty"`                 // of the whole site at the grid connection; 0 is none

	Feeders    []Feeder    `json:"feeders,omitempty" yaml:"feeders,omitempty"`
	PDUs       []PDU       `json:"pdus,omitempty" yaml:"pdus,omitempty"`
	Meters     []Meter     `json:"meters,omitempty" yaml:"meters,omitempty"`
	Loops      []Loop      `json:"loops,omitempty" yaml:"loops,omitempty"`
	Buildings  []Building  `json:"buildings,omitempty" yaml:"buildings,omitempty"`
	Containers []Container `json:"containers,omitempty" yaml:"containers,omitempty"` // in the open

	index *index
}

// Feeder is a line or transformer that brings power to what hangs on it.
type Feeder struct {
	Name    string       `json:"name" yaml:"name"`
	From    string       `json:"from,omitempty" yaml:"from,omitempty"`         // the feeder it hangs on; empty is the grid
	Cap     unit.Power   `json:"cap_w,omitempty" yaml:"cap,omitempty"`         // that contract, transformer or breaker allow; 0 is none of its own
	Voltage unit.Voltage `json:"voltage_v,omitempty" yaml:"voltage,omitempty"` // between phases, V
	Phases  int          `json:"phases,omitempty" yaml:"phases,omitempty"`     // 1 or 3; 0 is 3
}

// PDU is a power distribution unit.
type PDU struct {
	Name    string     `json:"name" yaml:"name"`
	Feeder  string     `json:"feeder" yaml:"feeder"`
	Cap     unit.Power `json:"cap_w,omitempty" yaml:"cap,omitempty"`
	Outlets int        `json:"outlets,omitempty" yaml:"outlets,omitempty"` // that can be switched; 0 is none
	Source  string     `json:"source,omitempty" yaml:"source,omitempty"`   // the plant device that reads and switches it
}

// Meter measures one part of the power tree.
type Meter struct {
	Name   string `json:"name" yaml:"name"`
	Feeder string `json:"feeder,omitempty" yaml:"feeder,omitempty"` // what it measures: a feeder,
	PDU    string `json:"pdu,omitempty" yaml:"pdu,omitempty"`       // a PDU, or, without either, the whole site
	Source string `json:"source,omitempty" yaml:"source,omitempty"` // the plant device that reads it
}

// Loop is one cooling circuit: a fan wall, a hydro loop with its dry cooler, a
// row of immersion tanks.
type Loop struct {
	Name     string                     `json:"name" yaml:"name"`
	Cooling  miner.Cooling              `json:"cooling" yaml:"cooling"`
	Heat     unit.Power                 `json:"heat_w,omitempty" yaml:"heat,omitempty"`           // that it can carry off in the worst weather; 0 is not known
	Supply   unit.Opt[unit.Temperature] `json:"supply_c,omitzero" yaml:"supply,omitempty"`        // °C it is to supply
	Hottest  unit.Opt[unit.Temperature] `json:"hottest_c,omitzero" yaml:"hottest,omitempty"`      // °C of supply from which machines must be derated
	Source   string                     `json:"source,omitempty" yaml:"source,omitempty"`         // the plant device that is its controller
	FanPower unit.Power                 `json:"fan_power_w,omitempty" yaml:"fan_power,omitempty"` // of fans and pumps at full speed
}

// Building is a hall. It holds racks directly, containers, or both.
type Building struct {
	Name       string      `json:"name" yaml:"name"`
	Feeder     string      `json:"feeder,omitempty" yaml:"feeder,omitempty"`
	Loop       string      `json:"loop,omitempty" yaml:"loop,omitempty"`
	Cap        unit.Power  `json:"cap_w,omitempty" yaml:"cap,omitempty"`
	Racks      []Rack      `json:"racks,omitempty" yaml:"racks,omitempty"`
	Containers []Container `json:"containers,omitempty" yaml:"containers,omitempty"`
}

// Container is a container, or any other space with an air or coolant of its
// own. Feeder and Loop default to its building's.
type Container struct {
	Name   string     `json:"name" yaml:"name"`
	Feeder string     `json:"feeder,omitempty" yaml:"feeder,omitempty"`
	Loop   string     `json:"loop,omitempty" yaml:"loop,omitempty"`
	Cap    unit.Power `json:"cap_w,omitempty" yaml:"cap,omitempty"`
	Racks  []Rack     `json:"racks" yaml:"racks"`
}

// Rack is a rack, shelf or tank. Its name is unique within its container or
// building. Feeder is only for a rack without PDU.
type Rack struct {
	Name      string `json:"name" yaml:"name"`
	PDU       string `json:"pdu,omitempty" yaml:"pdu,omitempty"`
	Feeder    string `json:"feeder,omitempty" yaml:"feeder,omitempty"`
	Loop      string `json:"loop,omitempty" yaml:"loop,omitempty"`
	Slots     int    `json:"slots" yaml:"slots"`                            // how many
	Columns   int    `json:"columns,omitempty" yaml:"columns,omitempty"`    // slots side by side, counted left to right and from the floor up; 0 is all
	Addresses Range  `json:"addresses,omitzero" yaml:"addresses,omitempty"` // of the machines in slot 1, 2, ...
	Machines  []Slot `json:"machines,omitempty" yaml:"machines,omitempty"`  // that are known otherwise, or elsewhere than Addresses says
}

// Slot says which machine stands in a slot: by address, MAC or serial.
type Slot struct {
	Slot   int    `json:"slot" yaml:"slot"` // from 1
	Addr   Addr   `json:"addr,omitzero" yaml:"addr,omitempty"`
	MAC    string `json:"mac,omitempty" yaml:"mac,omitempty"`
	Serial string `json:"serial,omitempty" yaml:"serial,omitempty"`
	Outlet int    `json:"outlet,omitempty" yaml:"outlet,omitempty"` // of the rack's PDU, from 1; 0 is the slot's number
}
