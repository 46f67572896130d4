// Package report says what a site did in a day: what it hashed against what it
// could have, how long its machines worked, what they drew, what was lost and
// why, what was commanded, and how much of all that is really known.
//
// It is pure. What it needs of the history and of the record comes through
// [Source]; the clock comes in as an argument. [Build] makes a [Report]; the
// files beside it write one as CSV and as an e-mail, report/pdf as a printable
// document. [Schedule] says when one is due by e-mail and [Sender] sends it.
//
// How time is counted. A machine that answers is polled every interval, so each
// answered poll stands for one interval of the state that it shows. A machine
// that does not answer is polled less often: an unanswered poll stands for the
// time to the next one, at most a minute or six intervals. What neither covers
// is a hole: it is counted as not known, never as down and never as up. Rates
// and shares are of the time that is known, and the coverage says how much of
// the day that is.
package report

import (
	"context"
	"errors"
	"iter"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// Errors of this room.
var (
	ErrFuture = errors.New("that day has not begun")
	ErrDay    = errors.New("no such day")
)

// Quarter is the length of a [Cell]. Every time zone in use is a whole number of
// quarters away from UTC, so days begin and end with one.
const Quarter = 15 * time.Minute

// Source is what a report is made of.
type Source interface {
	// Machines are those in service at the site at any time in the span.
	Machines(ctx context.Context, site string, from, to time.Time) ([]Machine, error)
	// Cells are the quarters of machines that have rows, in any order.
	Cells(ctx context.Context, site string, from, to time.Time) iter.Seq2[Cell, error]
	// Faults are what the firmwares complained of; known is false when what
	// tells it is no longer kept.
	Faults(ctx context.Context, site string, from, to time.Time) (cells []FaultCell, known bool, err error)
	// Commands are those created in the span, counted by kind and state.
	Commands(ctx context.Context, site string, from, to time.Time) ([]CommandCount, error)
	// Meters is the energy through the meters that feed the site.
	Meters(ctx context.Context, site string, from, to time.Time) ([]MeterCell, error)
	// Intervals is how often machines were polled, oldest first; none when
	// nobody wrote it down.
	Intervals(ctx context.Context) ([]Interval, error)
}

// Machine is a machine as the record has it.
type Machine struct {
	ID      miner.ID
	Name    string
	Model   string
	Rack    string // "B1 / C2 / R07"; empty when it has no place
	Place   string
	Since   time.Time               // first seen
	Until   time.Time               // retired; zero while in service
	Nominal unit.Opt[unit.Hashrate] // last told, or its nameplate: for days on which it does not tell
}

// Sample is a mean over the polls that told the number.
type Sample struct {
	N    int64
	Mean float64
}

// Cell is one machine in one quarter.
type Cell struct {
	Machine  miner.ID
	At       time.Time // start
	Polls    int64     // that exist, answered or not
	Answered float64   // of these
	// Answered polls in each state.
	Hashing, Starting, Sleeping, Stopped float64

	Hashrate Sample // TH/s; the firmware's shortest window, else its average
	Nominal  Sample // TH/s, at its settings
	Power    Sample // W at the wall
	NoPool   bool   // told of pools, and none alive
}

// FaultCell is what one machine complained of in one quarter.
type FaultCell struct {
	Machine miner.ID
	At      time.Time
	Codes   []miner.Code
	Polls   int64 // answered polls with just these
}

// CommandCount is how many commands of a kind stand in a state.
type CommandCount struct {
	Kind  string `json:"kind"`
	State string `json:"state"`
	Count int    `json:"count"`
}

// MeterCell is the energy through one meter in one quarter.
type MeterCell struct {
	Meter   string
	At      time.Time
	Energy  unit.Energy
	Covered time.Duration // of the quarter
}

// Interval is a polling interval and since when it holds.
type Interval struct {
	Since time.Time
	Every time.Duration
}

// Reason is why hashrate was lost.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	Silent    Reason = "silent"    // no reading: off, unplugged, unreachable, wants a password
	Curtailed Reason = "curtailed" // on purpose: asleep, or set below what it can do
	Pool      Reason = "pool"      // no pool takes its work
	Hot       Reason = "hot"       // a thermal fault stopped or slowed it
	Down      Reason = "down"      // answers, does not hash, and should
	Starting  Reason = "starting"  // boots, tunes or ramps up
	Degraded  Reason = "degraded"  // hashes below its nominal rate
	Unclear   Reason = "unclear"   // answers, and does not tell what it does
)

// Reasons lists all, in the order to show them.
func Reasons() []Reason {
	return []Reason{Silent, Down, Hot, Pool, Degraded, Starting, Curtailed, Unclear}
}

// Report is one day of one site. Hashrates are in TH/s, work in TH·day.
type Report struct {
	Site     string    `json:"site"`
	Title    string    `json:"title" doc:"The site as people call it."`
	Day      string    `json:"day" doc:"2026-11-22, in the site's zone."`
	Zone     string    `json:"zone"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to" doc:"Where the report ends: of a day that is not over, when it was made."`
	Hours    float64   `json:"hours" doc:"Length of the whole day: 23 or 25 when clocks change."`
	Since    time.Time `json:"since,omitzero" doc:"When the first machine was entered, on a day that began without one: means are from then on."`
	Partial  bool      `json:"partial" doc:"The day is not over."`
	MadeAt   time.Time `json:"made_at"`
	Machines int       `json:"machines" doc:"In service at any time of the day."`
	Unknown  int       `json:"machines_unknown" doc:"Of these, without a single poll."`
	Every    float64   `json:"poll_interval_s" doc:"Seconds between polls, as configured; estimated from the rows when that is not known."`

	Remarks  []string `json:"remarks" doc:"What a reader must know before the numbers."`
	Coverage float64  `json:"coverage" doc:"Share of the expected machine time that polls exist for."`
	Holes    []Hole   `json:"holes" doc:"Stretches of which less than nine tenths is known."`

	Hashrate  unit.Opt[unit.Hashrate] `json:"hashrate_ths,omitzero" doc:"Mean over the known time."`
	Nominal   unit.Opt[unit.Hashrate] `json:"nominal_ths,omitzero" doc:"What the machines in service can do: of each the most that it called nominal in the day, else the last it told, else its nameplate."`
	Work      float64                 `json:"work_th_days" doc:"Produced in the known time."`
	Potential unit.Opt[unit.Ratio]    `json:"potential,omitzero" doc:"Share of the known time's potential that was produced."`
	Above     float64                 `json:"above_th_days" doc:"Produced beyond nominal by machines that did so."`

	Uptime   unit.Opt[unit.Ratio] `json:"uptime,omitzero" doc:"Share of known machine time hashing, without what was off on purpose."`
	Time     Times                `json:"time"`
	Energy   Energy               `json:"energy"`
	Losses   []Loss               `json:"losses" doc:"By reason, most first."`
	Worst    []MachineDay         `json:"worst" doc:"Machines that lost most, at most 50."`
	Racks    []RackDay            `json:"racks" doc:"Racks that lost most, at most 30."`
	Faults   []FaultKind          `json:"faults" doc:"By kind, most machine time first."`
	NoFaults bool                 `json:"faults_unknown" doc:"Fault kinds of that day are no longer kept."`
	Commands []CommandCount       `json:"commands"`
	Quarters []QuarterPoint       `json:"quarters"`
}

// Hole is a stretch of the day that is hardly known.
type Hole struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Coverage float64   `json:"coverage"`
}

// Times is machine time by what it was spent on, in hours.
type Times struct {
	Expected float64 `json:"expected_h" doc:"Of machines in service."`
	Hashing  float64 `json:"hashing_h"`
	Starting float64 `json:"starting_h"`
	Off      float64 `json:"off_h" doc:"Asleep on purpose: no downtime."`
	Down     float64 `json:"down_h"`
	Silent   float64 `json:"silent_h"`
	Unclear  float64 `json:"unclear_h"`
	Unknown  float64 `json:"unknown_h" doc:"No polls exist."`
}

// Energy is what was drawn, and who says so.
type Energy struct {
	From        string                    `json:"from" enum:"meter,machines,none" doc:"Who the total is from: the meters when they cover nine tenths of the day, else the machines."`
	Total       unit.Opt[unit.Energy]     `json:"total_j,omitzero"`
	Meters      unit.Opt[unit.Energy]     `json:"meters_j,omitzero"`
	MeterNames  []string                  `json:"meter_names,omitempty"`
	MeterCover  float64                   `json:"meters_coverage" doc:"Share of the day that the meters cover."`
	Machines    unit.Opt[unit.Energy]     `json:"machines_j,omitzero" doc:"As the machines tell, at the wall; asleep ones that tell nothing are left out."`
	Told        float64                   `json:"machines_told" doc:"Share of hashing machine time whose power was told."`
	Efficiency  unit.Opt[unit.Efficiency] `json:"efficiency_j_per_th,omitzero" doc:"Of the machines, over the time in which they told both."`
	SiteJTH     unit.Opt[unit.Efficiency] `json:"site_j_per_th,omitzero" doc:"Metered energy over all work: cooling and losses are in it."`
	MeanPower   unit.Opt[unit.Power]      `json:"mean_power_w,omitzero"`
	HighestMean unit.Opt[unit.Power]      `json:"highest_quarter_w,omitzero" doc:"The quarter-hour with the highest mean power, which demand charges look at."`
	HighestAt   time.Time                 `json:"highest_at,omitzero"`
}

// Loss is what one reason took.
type Loss struct {
	Reason   Reason  `json:"reason" enum:"silent,down,hot,pool,degraded,starting,curtailed,unclear"`
	Lost     float64 `json:"lost_th_days"`
	Machines int     `json:"machines" doc:"That lost a hundredth of their day or more to it."`
}

// MachineDay is one machine's day.
type MachineDay struct {
	ID       int64                     `json:"id"`
	Name     string                    `json:"name"`
	Model    string                    `json:"model"`
	Place    string                    `json:"place"`
	Hashrate unit.Opt[unit.Hashrate]   `json:"hashrate_ths,omitzero"`
	Nominal  unit.Opt[unit.Hashrate]   `json:"nominal_ths,omitzero"`
	Uptime   unit.Opt[unit.Ratio]      `json:"uptime,omitzero"`
	Time     Times                     `json:"time"`
	Work     float64                   `json:"work_th_days"`
	Energy   unit.Opt[unit.Energy]     `json:"energy_j,omitzero"`
	JTH      unit.Opt[unit.Efficiency] `json:"efficiency_j_per_th,omitzero"`
	Lost     float64                   `json:"lost_th_days"`
	Why      []Loss                    `json:"why" doc:"Most first."`
	Faults   []string                  `json:"faults,omitempty"`
	Coverage float64                   `json:"coverage"`

	rack string
}

// RackDay is what a rack lost.
type RackDay struct {
	Rack     string  `json:"rack"`
	Machines int     `json:"machines"`
	Work     float64 `json:"work_th_days"`
	Lost     float64 `json:"lost_th_days"`
	Why      []Loss  `json:"why"`
}

// FaultKind is one kind of complaint.
type FaultKind struct {
	Code     int     `json:"code" doc:"Of the vendor-neutral taxonomy."`
	Kind     string  `json:"kind"`
	Group    string  `json:"group"`
	Machines int     `json:"machines"`
	Hours    float64 `json:"machine_h"`
}

// QuarterPoint is a quarter of the site. Missing is not known.
type QuarterPoint struct {
	At       time.Time               `json:"at"`
	Hashrate unit.Opt[unit.Hashrate] `json:"hashrate_ths,omitzero"`
	Power    unit.Opt[unit.Power]    `json:"power_w,omitzero" doc:"As the machines tell."`
	Metered  unit.Opt[unit.Power]    `json:"metered_w,omitzero"`
	Hashing  float64                 `json:"hashing" doc:"Machines, as shares of the quarter."`
	Off      float64                 `json:"off"`
	Starting float64                 `json:"starting"`
	Down     float64                 `json:"down"`
	Silent   float64                 `json:"silent"`
	Unknown  float64                 `json:"unknown"`
}
