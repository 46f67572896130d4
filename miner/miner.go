// Package miner says what a bitcoin mining machine is to the rest of Ballast:
// who it is ([Identity]), what it reports ([Reading]), what it can be set to
// ([Envelope], [Setting]) and how it is reached ([Driver], [Device]).
//
// One folder below this one holds one firmware family. A driver is two halves:
//
//   - a pure half, [Driver].Parse, that turns the raw replies of a machine into
//     an identity and a reading. It is total: whatever bytes come in, it returns
//     what could be read and a [Warning] for what could not, and never panics.
//   - a wire half, [Device], that fetches those replies from one machine and
//     applies settings to it. It holds what one machine needs between calls
//     (tokens, nonces, slow-changing replies).
//
// Missing is missing, never zero: every measured field is a [unit.Opt]. Off is
// a state, not an error: a machine that sleeps on purpose reads without error.
package miner

import (
	"context"
	"net/netip"
	"time"

	"ballast/unit"
)

// Firmware names a firmware family, which is also the folder of its driver and
// the value of the --firmware flag.
type Firmware string

// The firmware families.
const (
	Antminer   Firmware = "antminer"   // Bitmain stock
	Whatsminer Firmware = "whatsminer" // MicroBT stock, API v2 and v3
	Avalon     Firmware = "avalon"     // Canaan stock
	Braiins    Firmware = "braiins"    // Braiins OS and OS+
	LuxOS      Firmware = "luxos"      // Luxor
	VNish      Firmware = "vnish"      // AnthillOS / VNish
	EPIC       Firmware = "epic"       // ePIC PowerPlay (UMC)
	Bitaxe     Firmware = "bitaxe"     // ESP-Miner / AxeOS
	CGMiner    Firmware = "cgminer"    // anything else that speaks the cgminer API
)

// Identity says which machine this is. Only what the machine told is filled.
type Identity struct {
	Make            string     `json:"make,omitempty"`             // "Bitmain", "MicroBT", "Canaan", ...
	Model           string     `json:"model,omitempty"`            // as in the table of models when known, else as told
	ModelTold       string     `json:"model_told,omitempty"`       // the machine's own words, when they differ
	Firmware        Firmware   `json:"firmware"`                   // family
	FirmwareVersion string     `json:"firmware_version,omitempty"` // as told
	APIVersion      string     `json:"api_version,omitempty"`
	MAC             string     `json:"mac,omitempty"`    // lower case, colons: NormalMAC
	Serial          string     `json:"serial,omitempty"` // of the machine, else of its control board
	ControlBoard    string     `json:"control_board,omitempty"`
	Hostname        string     `json:"hostname,omitempty"`
	Addr            netip.Addr `json:"addr,omitzero"`
}

// State is what a machine is doing. Degraded is not a state but a judgement on
// a hashing machine's faults and shortfall; see [Reading.Degraded].
type State string

// The states.
const (
	Hashing  State = "hashing"  // working on shares
	Starting State = "starting" // booting, tuning or ramping up
	Sleeping State = "sleeping" // told not to hash: curtailed, paused, stopped, standby. Calm, not an error
	Stopped  State = "stopped"  // does not hash and says it should: a fault
	Unknown  State = "unknown"  // the replies do not tell
)

// Reading is one machine at one instant, as wide as its firmware tells.
type Reading struct {
	At        time.Time     `json:"at"`                // when the last reply came in
	Took      time.Duration `json:"took_ns,omitempty"` // from first byte out to last byte in
	Identity  Identity      `json:"identity"`
	State     State         `json:"state"`
	StateTold string        `json:"state_told,omitempty"` // the machine's own words

	Uptime      unit.Opt[time.Duration] `json:"uptime_ns,omitzero"`       // of the control board
	MinerUptime unit.Opt[time.Duration] `json:"miner_uptime_ns,omitzero"` // of the mining process ("Elapsed")

	HashrateNow     unit.Opt[unit.Hashrate]   `json:"hashrate_now_ths,omitzero"`     // shortest window the firmware tells (5 s to 1 min)
	HashrateAverage unit.Opt[unit.Hashrate]   `json:"hashrate_average_ths,omitzero"` // longest window (30 min, or since start)
	HashrateNominal unit.Opt[unit.Hashrate]   `json:"hashrate_nominal_ths,omitzero"` // what the firmware expects at its present setting
	Efficiency      unit.Opt[unit.Efficiency] `json:"efficiency_j_per_th,omitzero"`  // as told; else see Reading.JTH

	Power       unit.Opt[unit.Power] `json:"power_w,omitzero"` // at the wall
	PowerSource PowerSource          `json:"power_source,omitempty"`
	PowerLimit  unit.Opt[unit.Power] `json:"power_limit_w,omitzero"` // the set-point in force, when it is watts
	Profile     string               `json:"profile,omitempty"`      // the preset or profile in force
	Mode        string               `json:"mode,omitempty"`         // the work mode in force, in the Mode* words when known
	Tuning      string               `json:"tuning,omitempty"`       // the tuner's own words

	TempAmbient unit.Opt[unit.Temperature] `json:"temp_ambient_c,omitzero"` // air at the intake, as the control board or PSU tells
	TempInlet   unit.Opt[unit.Temperature] `json:"temp_inlet_c,omitzero"`   // coolant or air in
	TempOutlet  unit.Opt[unit.Temperature] `json:"temp_outlet_c,omitzero"`  // coolant or air out
	TempBoard   unit.Opt[unit.Temperature] `json:"temp_board_c,omitzero"`   // hottest board sensor
	TempChip    unit.Opt[unit.Temperature] `json:"temp_chip_c,omitzero"`    // hottest chip
	Flow        unit.Opt[unit.Flow]        `json:"flow_lpm,omitzero"`       // coolant

	Boards  []Board              `json:"boards,omitempty"`
	Fans    []Fan                `json:"fans,omitempty"`
	FanDuty unit.Opt[unit.Ratio] `json:"fan_duty,omitzero"` // commanded, 0..1
	PSUs    []PSU                `json:"psus,omitempty"`
	Pools   []Pool               `json:"pools,omitempty"`
	Faults  []Fault              `json:"faults,omitempty"` // what the firmware complains of, in neutral codes

	Accepted     unit.Opt[int64]      `json:"accepted,omitzero"` // shares, since the mining process started
	Rejected     unit.Opt[int64]      `json:"rejected,omitzero"`
	Stale        unit.Opt[int64]      `json:"stale,omitzero"`
	HWErrors     unit.Opt[int64]      `json:"hw_errors,omitzero"`
	HWErrorRatio unit.Opt[unit.Ratio] `json:"hw_error_ratio,omitzero"`
	BestShare    unit.Opt[float64]    `json:"best_share,omitzero"` // difficulty
	Blocks       unit.Opt[int64]      `json:"blocks_found,omitzero"`
	Locating     unit.Opt[bool]       `json:"locating,omitzero"` // the locate light is on

	Envelope *Envelope         `json:"envelope,omitempty"` // what the machine can be set to, when these replies tell
	Extra    map[string]string `json:"extra,omitempty"`    // told by the firmware, named as there, not (yet) typed here
	Warnings []Warning         `json:"warnings,omitempty"` // data quality: what could not be read, or cannot be true
}

// PowerSource says how a power figure came to be.
type PowerSource string

// The sources of a power figure, best first.
const (
	PowerMetered   PowerSource = "metered"   // an instrument outside the machine
	PowerPSU       PowerSource = "psu"       // measured by the machine's power supply
	PowerEstimated PowerSource = "estimated" // the firmware's own estimate
)

// Board is one hash board. Index is its slot from 0, so that a missing board
// leaves a hole and does not rename its neighbours.
type Board struct {
	Index    int            `json:"index"`
	Serial   string         `json:"serial,omitempty"`
	ChipType string         `json:"chip_type,omitempty"`
	Present  unit.Opt[bool] `json:"present,omitzero"` // the controller sees it
	Enabled  unit.Opt[bool] `json:"enabled,omitzero"` // switched on (an operator or the firmware may disable one)
	Status   string         `json:"status,omitempty"` // the firmware's own words

	Hashrate        unit.Opt[unit.Hashrate] `json:"hashrate_ths,omitzero"`
	HashrateNominal unit.Opt[unit.Hashrate] `json:"hashrate_nominal_ths,omitzero"`
	Power           unit.Opt[unit.Power]    `json:"power_w,omitzero"`

	Chips         unit.Opt[int] `json:"chips,omitzero"`          // that answer
	ChipsExpected unit.Opt[int] `json:"chips_expected,omitzero"` // by the firmware, else by the table of models

	TempInlet    unit.Opt[unit.Temperature] `json:"temp_inlet_c,omitzero"`
	TempOutlet   unit.Opt[unit.Temperature] `json:"temp_outlet_c,omitzero"`
	TempBoard    unit.Opt[unit.Temperature] `json:"temp_board_c,omitzero"` // hottest PCB sensor
	TempChipMax  unit.Opt[unit.Temperature] `json:"temp_chip_max_c,omitzero"`
	TempChipMean unit.Opt[unit.Temperature] `json:"temp_chip_mean_c,omitzero"`
	TempChipMin  unit.Opt[unit.Temperature] `json:"temp_chip_min_c,omitzero"`

	Voltage   unit.Opt[unit.Voltage]   `json:"voltage_v,omitzero"` // board or domain input
	Current   unit.Opt[unit.Current]   `json:"current_a,omitzero"`
	Frequency unit.Opt[unit.Frequency] `json:"frequency_hz,omitzero"` // mean

	HWErrors     unit.Opt[int64]      `json:"hw_errors,omitzero"`
	HWErrorRatio unit.Opt[unit.Ratio] `json:"hw_error_ratio,omitzero"`

	Chip unit.Opt[ChipSummary] `json:"chip_summary,omitzero"` // where the firmware tells per chip
}

// ChipSummary condenses a board's per-chip figures to what failure prediction
// needs, so that a poll stays a row and not a thousand.
type ChipSummary struct {
	Count          int                        `json:"count"`         // chips that told anything
	Dead           unit.Opt[int]              `json:"dead,omitzero"` // told as failed, or hash nothing while others do
	Weak           unit.Opt[int]              `json:"weak,omitzero"` // below 80 % of the board's median rate
	HashrateMin    unit.Opt[unit.Hashrate]    `json:"hashrate_min_ths,omitzero"`
	HashrateMedian unit.Opt[unit.Hashrate]    `json:"hashrate_median_ths,omitzero"`
	HashrateSD     unit.Opt[unit.Hashrate]    `json:"hashrate_sd_ths,omitzero"`
	TempMax        unit.Opt[unit.Temperature] `json:"temp_max_c,omitzero"`
	TempMean       unit.Opt[unit.Temperature] `json:"temp_mean_c,omitzero"`
	TempSD         unit.Opt[float64]          `json:"temp_sd_c,omitzero"`
	FrequencyMin   unit.Opt[unit.Frequency]   `json:"frequency_min_hz,omitzero"`
	FrequencyMean  unit.Opt[unit.Frequency]   `json:"frequency_mean_hz,omitzero"`
	VoltageMin     unit.Opt[unit.Voltage]     `json:"voltage_min_v,omitzero"`
	VoltageMean    unit.Opt[unit.Voltage]     `json:"voltage_mean_v,omitzero"`
	Errors         unit.Opt[int64]            `json:"errors,omitzero"` // sum of per-chip error counters
	ErrorsMax      unit.Opt[int64]            `json:"errors_max,omitzero"`
}

// Fan is one fan, of the case or of the power supply.
type Fan struct {
	Index int                  `json:"index"`
	Name  string               `json:"name,omitempty"` // the firmware's
	Speed unit.Opt[unit.Speed] `json:"speed_rpm,omitzero"`
	Duty  unit.Opt[unit.Ratio] `json:"duty,omitzero"`
	PSU   bool                 `json:"psu,omitempty"` // belongs to the power supply
}

// PSU is one power supply.
type PSU struct {
	Index      int                        `json:"index"`
	Model      string                     `json:"model,omitempty"`
	Serial     string                     `json:"serial,omitempty"`
	Version    string                     `json:"version,omitempty"` // firmware
	Present    unit.Opt[bool]             `json:"present,omitzero"`
	PowerIn    unit.Opt[unit.Power]       `json:"power_in_w,omitzero"`
	PowerOut   unit.Opt[unit.Power]       `json:"power_out_w,omitzero"`
	VoltageIn  unit.Opt[unit.Voltage]     `json:"voltage_in_v,omitzero"`
	VoltageOut unit.Opt[unit.Voltage]     `json:"voltage_out_v,omitzero"`
	VoltageSet unit.Opt[unit.Voltage]     `json:"voltage_set_v,omitzero"`
	CurrentIn  unit.Opt[unit.Current]     `json:"current_in_a,omitzero"`
	CurrentOut unit.Opt[unit.Current]     `json:"current_out_a,omitzero"`
	Temp       unit.Opt[unit.Temperature] `json:"temp_c,omitzero"`
	TempMax    unit.Opt[unit.Temperature] `json:"temp_max_c,omitzero"` // hottest of several sensors
	Fan        unit.Opt[unit.Speed]       `json:"fan_rpm,omitzero"`
	Status     string                     `json:"status,omitempty"`
}

// Pool is one configured pool, as the machine sees it.
type Pool struct {
	Index      int                 `json:"index"`
	URL        string              `json:"url"`
	User       string              `json:"user,omitempty"`
	Priority   unit.Opt[int]       `json:"priority,omitzero"`
	Alive      unit.Opt[bool]      `json:"alive,omitzero"`
	Active     unit.Opt[bool]      `json:"active,omitzero"` // takes work now
	Status     string              `json:"status,omitempty"`
	Accepted   unit.Opt[int64]     `json:"accepted,omitzero"`
	Rejected   unit.Opt[int64]     `json:"rejected,omitzero"`
	Stale      unit.Opt[int64]     `json:"stale,omitzero"`
	Difficulty unit.Opt[float64]   `json:"difficulty,omitzero"`
	LastShare  unit.Opt[time.Time] `json:"last_share,omitzero"`
}

// WarningKind says what is wrong with a piece of data.
type WarningKind string

// The kinds of warning.
const (
	WarnBroken      WarningKind = "broken"      // bytes that no repair could read
	WarnRepaired    WarningKind = "repaired"    // broken, mended, read
	WarnTruncated   WarningKind = "truncated"   // the reply ended early; what came was read
	WarnMissing     WarningKind = "missing"     // an expected reply or field is not there
	WarnImplausible WarningKind = "implausible" // read, but cannot be true; left out
	WarnUnknown     WarningKind = "unknown"     // a model, code or field that Ballast does not know
	WarnRefused     WarningKind = "refused"     // the machine declined to tell (locked, password, unsupported)
	WarnConflict    WarningKind = "conflict"    // two replies disagree
)

// Warning is one data-quality remark on a reading.
type Warning struct {
	Kind   WarningKind `json:"kind"`
	Where  string      `json:"where"`            // reply and field: "stats.chain_rate2"
	Detail string      `json:"detail,omitempty"` // what was seen, shortened; never a secret
}

// Warn adds a warning.
func (r *Reading) Warn(kind WarningKind, where, detail string) {
	const most = 160
	if len(detail) > most {
		detail = detail[:most] + "…"
	}
	r.Warnings = append(r.Warnings, Warning{kind, where, detail})
}

// JTH is the machine's efficiency: power over present hashrate, when both are
// known and it hashes.
func (r *Reading) JTH() unit.Opt[unit.Efficiency] {
	p, ok1 := r.Power.Get()
	h, ok2 := r.HashrateNow.OrElse(r.HashrateAverage).Get()
	if e, ok := unit.EfficiencyOf(p, h); ok && ok1 && ok2 && r.State == Hashing {
		return unit.Some(e)
	}
	return unit.None[unit.Efficiency]()
}

// Replies are the raw bytes that a machine sent, by the name of what was asked
// ("summary", "get_miner_info", "GET /api/v1/summary" shortened to "summary").
// Each driver documents its names; they are the names of the files in a saved
// set of replies without their extension.
type Replies map[string][]byte

// Driver is a firmware family.
type Driver interface {
	// Firmware names the family.
	Firmware() Firmware
	// Parse turns replies into a reading (its Identity filled in as far as they
	// tell). It is pure and total: any subset of replies, any bytes. A reply
	// under an unknown name (a saved file) is recognised by its content if it
	// can be. Only when nothing at all could be read is the error non-nil, and
	// it says why.
	Parse(Replies) (Reading, error)
	// Open makes a device for the machine at t without any traffic.
	Open(t Target) Device
}

// Device is one machine under one driver. Its methods honour the context's
// deadline and are safe for concurrent use; errors wrap the sentinels of this
// package.
type Device interface {
	// Identify asks who is there. ErrNotMine when something else answers.
	Identify(ctx context.Context) (Identity, error)
	// Read asks for everything that changes, and for the rest when it is due.
	// On a partial failure it returns what it has with warnings and no error.
	Read(ctx context.Context) (Reading, error)
	// Envelope asks what the machine can be set to.
	Envelope(ctx context.Context) (Envelope, error)
	// Apply sends one setting. A nil error means the machine acknowledged it,
	// which proves nothing: only a later reading does.
	Apply(ctx context.Context, s Setting) error
	// Close drops connections and tokens.
	Close()
}
