package telemetry

import (
	"fmt"
	"math"
	"strings"
)

// Metric is one number that a poll yields: a machine's or a board's. The zero
// Metric is none.
type Metric uint8

// The metrics of a machine. Their meaning is in the table below.
const (
	NoMetric Metric = iota

	Up
	Hashing
	Starting
	Sleeping
	Stopped
	Degraded

	Hashrate
	HashrateAverage
	HashrateNominal
	Power
	PowerLimit

	TempAmbient
	TempInlet
	TempOutlet
	TempBoard
	TempChip
	Flow

	FanDuty
	Fan1
	Fan2
	Fan3
	Fan4
	Fan5
	Fan6
	Fan7
	Fan8

	PSUs
	PSUPowerIn
	PSUPowerOut
	PSUVoltageIn
	PSUVoltageOut
	PSUVoltageSet
	PSUCurrentIn
	PSUCurrentOut
	PSUTemp
	PSUTempMax
	PSUFan

	Uptime
	MinerUptime
	Accepted
	Rejected
	Stale
	HWErrors
	HWErrorRatio
	BestShare
	BlocksFound

	BoardSlots
	BoardsPresent
	Chips
	ChipsExpected
	Pools
	PoolsAlive
	Faults
	Warnings
	Locating
	PollLatency
	PollDelay

	// The metrics of a hash board.
	BoardPresent
	BoardEnabled
	BoardHashrate
	BoardHashrateNominal
	BoardPower
	BoardChips
	BoardChipsExpected
	BoardTempInlet
	BoardTempOutlet
	BoardTemp
	BoardTempChipMax
	BoardTempChipMean
	BoardTempChipMin
	BoardVoltage
	BoardCurrent
	BoardFrequency
	BoardHWErrors
	BoardHWErrorRatio
	BoardFaults

	// The summary of a board's chips, where the firmware tells per chip.
	ChipCount
	ChipsDead
	ChipsWeak
	ChipHashrateMin
	ChipHashrateMedian
	ChipHashrateSD
	ChipTempMax
	ChipTempMean
	ChipTempSD
	ChipFrequencyMin
	ChipFrequencyMean
	ChipVoltageMin
	ChipVoltageMean
	ChipErrors
	ChipErrorsMax

	metricEnd
)

// Level is the part of a machine that a metric is about.
type Level string

// The levels. Fan and PSU metrics are columns of the machine's row, board
// metrics have a row of their own for each board.
const (
	MachineLevel Level = "machine"
	BoardLevel   Level = "board"
	FanLevel     Level = "fan"
	PSULevel     Level = "psu"
)

// MetricKind says how a metric behaves over time, and so what may be asked.
type MetricKind string

// The kinds.
const (
	Gauge   MetricKind = "gauge"   // a level: mean, min, max, sum
	Counter MetricKind = "counter" // grows, and starts again at 0: increase
	Elapsed MetricKind = "elapsed" // seconds since a start: a gauge whose falls are restarts
)

// Number says how a metric is kept.
type Number uint8

// The ways a metric is kept. Decimals are rounded before they are stored, and
// the stored float32 reads back as the rounded decimal.
const (
	Integer Number = iota // int32
	Big                   // int64, exact to 2^53
	Decimal               // float32 after rounding
)

// Unit is a metric's unit, and how Prometheus writes it.
type Unit struct {
	Symbol string  // "TH/s"
	Base   string  // Prometheus suffix in base units: "hashes_per_second"; "" for counts
	Factor float64 // base units per unit
}

// The units.
var (
	InCount       = Unit{"", "", 1}
	InFlag        = Unit{"0/1", "", 1}
	InTerahashSec = Unit{"TH/s", "hashes_per_second", 1e12}
	InWatt        = Unit{"W", "watts", 1}
	InCelsius     = Unit{"°C", "celsius", 1}
	InVolt        = Unit{"V", "volts", 1}
	InAmpere      = Unit{"A", "amperes", 1}
	InMegahertz   = Unit{"MHz", "hertz", 1e6}
	InRPM         = Unit{"rpm", "rpm", 1}
	InLitreMinute = Unit{"L/min", "liters_per_minute", 1}
	InRatio       = Unit{"ratio", "ratio", 1}
	InSecond      = Unit{"s", "seconds", 1}
)

// Info is a metric's entry in the table.
type Info struct {
	Name   string // of the API, unique: "board_hashrate"
	Column string // of the engines, unique within machine and board rows
	Level  Level
	Kind   MetricKind
	Unit   Unit
	Number Number
	// Rounding of a Decimal: to Places decimals when Significant is 0, else to
	// that many significant digits. Both are well below what the instruments
	// and the noise of mining allow, and let columns compress.
	Places      int
	Significant int
	Help        string
}

// Info is the metric's entry in the table; the zero Info for none.
func (m Metric) Info() Info {
	if m >= metricEnd {
		return Info{}
	}
	return table[m]
}

// String is the metric's name.
func (m Metric) String() string {
	if !m.Valid() {
		return fmt.Sprintf("metric(%d)", uint8(m))
	}
	return table[m].Name
}

// Valid tells whether m is in the table.
func (m Metric) Valid() bool { return m > NoMetric && m < metricEnd }

// OfBoard tells whether the metric is kept in board rows.
func (m Metric) OfBoard() bool { return m >= BoardPresent && m < metricEnd }

// slot is the metric's place in a row's values.
func (m Metric) slot() int {
	if m.OfBoard() {
		return int(m - BoardPresent)
	}
	return int(m - Up)
}

// Slots of values in machine and board rows.
const (
	machineSlots = int(BoardPresent - Up)
	boardSlots   = int(metricEnd - BoardPresent)
)

// MarshalText writes the name.
func (m Metric) MarshalText() ([]byte, error) {
	if !m.Valid() {
		return nil, fmt.Errorf("%w: no metric %d", ErrInvalid, uint8(m))
	}
	return []byte(m.String()), nil
}

// UnmarshalText reads the name.
func (m *Metric) UnmarshalText(b []byte) error {
	v, err := ParseMetric(string(b))
	if err == nil {
		*m = v
	}
	return err
}

// ParseMetric finds a metric by its name.
func ParseMetric(name string) (Metric, error) {
	if m, ok := byName[name]; ok {
		return m, nil
	}
	const most = 40
	if len(name) > most {
		name = name[:most] + "…"
	}
	return NoMetric, fmt.Errorf("%w: no metric is called %q", ErrInvalid, name)
}

// Metrics lists every metric, machines' first.
func Metrics() []Metric {
	out := make([]Metric, 0, metricEnd-1)
	for m := Up; m < metricEnd; m++ {
		out = append(out, m)
	}
	return out
}

// MachineMetrics lists the metrics of machine rows, in column order.
func MachineMetrics() []Metric { return Metrics()[:machineSlots] }

// BoardMetrics lists the metrics of board rows, in column order.
func BoardMetrics() []Metric { return Metrics()[machineSlots:] }

// Round is v as the metric keeps it, NaN when it cannot be kept (not finite, or
// out of the column's range).
func (m Metric) Round(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return math.NaN()
	}
	in := &table[m]
	switch in.Number {
	case Integer:
		if v = math.Round(v); v < math.MinInt32 || v > math.MaxInt32 {
			return math.NaN()
		}
		return v
	case Big:
		if v = math.Round(v); math.Abs(v) > 1<<53 {
			return math.NaN()
		}
		return v
	}
	if math.Abs(v) > math.MaxFloat32 {
		return math.NaN()
	}
	places := in.Places
	if in.Significant > 0 {
		if v == 0 {
			return 0
		}
		places = in.Significant - 1 - int(math.Floor(math.Log10(math.Abs(v))))
	}
	// By way of float32, so that what is stored reads back as the same number
	// even where float32 is coarser than the rounding.
	return roundTo(float64(float32(roundTo(v, places))), places)
}

// roundTo rounds to a number of decimal places, which may be negative.
func roundTo(v float64, places int) float64 {
	switch {
	case places < -60 || places > 60:
		return 0 // beyond float32 either way
	case places < 0:
		p := math.Pow10(-places)
		return math.Round(v/p) * p
	}
	p := math.Pow10(places)
	return math.Round(v*p) / p
}

var byName = func() map[string]Metric {
	names := make(map[string]Metric, metricEnd)
	for m := Up; m < metricEnd; m++ {
		names[table[m].Name] = m
	}
	return names
}()

// Prometheus is the name of the metric in expositions, and the labels it adds
// ("fan" for the fans). By the conventions of Prometheus: ballast as prefix,
// the level, what is measured, the base unit, and _total for counters.
func (m Metric) Prometheus() (name, label, value string) {
	in := &table[m]
	what := in.Column
	if rest, ok := strings.CutPrefix(what, "fan_"); ok && in.Level == FanLevel {
		what, label, value = "fan_speed", "fan", rest
	}
	prefix := "ballast_machine_"
	if m.OfBoard() {
		prefix = "ballast_board_"
	}
	what = strings.Replace("_"+what+"_", "_temp_", "_temperature_", 1)
	name = prefix + strings.Trim(what, "_")
	if in.Unit.Base != "" && !strings.HasSuffix(name, "_"+in.Unit.Base) {
		name += "_" + in.Unit.Base
	}
	if in.Kind == Counter {
		name += "_total"
	}
	return name, label, value
}
