package alarm

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Watch is what a rule looks at.
type Watch string

// The watches.
const (
	MachineSilent  Watch = "machine-silent"
	MachineUnread  Watch = "machine-unread"
	MachineDown    Watch = "machine-down"
	HashrateLow    Watch = "hashrate-low"
	ChipHot        Watch = "chip-hot"
	BoardHot       Watch = "board-hot"
	FanFault       Watch = "fan-fault"
	BoardMissing   Watch = "board-missing"
	ChipsMissing   Watch = "chips-missing"
	PoolDead       Watch = "pool-dead"
	RejectRate     Watch = "reject-rate"
	FirmwareChange Watch = "firmware-change"
	FaultTold      Watch = "fault-told"
	DataMissing    Watch = "data-missing"
	PowerOverCap   Watch = "power-over-cap"
	DeviceMissing  Watch = "device-missing"
	SupplyHot      Watch = "supply-hot"
	CoolingAlarm   Watch = "cooling-alarm"
	StorageFailing Watch = "storage-failing"
	PollsLate      Watch = "polls-late"
)

// WatchInfo describes a watch.
type WatchInfo struct {
	Watch Watch  `json:"watch"`
	Of    string `json:"of" enum:"machine,device,cap,ballast" doc:"What the rule is held against."`
	Class Class  `json:"class"`
	Unit  string `json:"unit" doc:"Of its levels; empty is yes (1) or no (0)."`
	Above bool   `json:"above" doc:"Raised above its level; else below."`
	About string `json:"about"`

	excused []string // kinds of command that do this for a while
}

var (
	anyChange = []string{"sleep", "wake", "reboot", "restart", "power", "profile", "mode", "pools"}
	restarts  = []string{"sleep", "wake", "reboot", "restart", "power", "profile", "mode"}
)

var watches = []WatchInfo{
	{MachineSilent, "machine", Gone, "s", true, "Seconds since a machine answered last.", []string{"reboot", "sleep", "wake", "restart", "power", "profile", "mode"}},
	{MachineUnread, "machine", Unread, "s", true, "Seconds since a machine that answers could be read: password refused, replies that make no sense.", restarts},
	{MachineDown, "machine", Work, "", true, "A machine answers, does not hash, and was not told to stop.", anyChange},
	{HashrateLow, "machine", Work, "share", false, "Hashrate as a share of what the firmware expects at its present setting.", anyChange},
	{ChipHot, "machine", Heat, "°C", true, "Hottest chip. A machine that complains of heat itself counts as beyond the level.", nil},
	{BoardHot, "machine", Heat, "°C", true, "Hottest board sensor.", nil},
	{FanFault, "machine", Work, "fans", true, "Fans that stand still or that the firmware complains of, while the machine works.", []string{"sleep", "wake", "reboot", "restart"}},
	{BoardMissing, "machine", Work, "boards", true, "Hash boards that are not detected or do not hash.", restarts},
	{ChipsMissing, "machine", Work, "chips", true, "Chips that do not answer, over all boards.", restarts},
	{PoolDead, "machine", Pool, "", true, "No pool that a machine is set to is alive.", []string{"reboot", "restart", "wake", "pools", "mode", "profile", "power"}},
	{RejectRate, "machine", Pool, "share", true, "Rejected shares of all, over the last half hour.", []string{"pools", "reboot", "restart"}},
	{FirmwareChange, "machine", Change, "", true, "A machine reports another firmware version than before; holds for an hour.", nil},
	{FaultTold, "machine", Work, "faults", true, "Faults that the firmware reports, of the groups that the rule names.", restarts},
	{DataMissing, "machine", Unread, "", true, "A machine says that it hashes and tells no hashrate.", anyChange},
	{PowerOverCap, "cap", Load, "share", true, "Power drawn as a share of the cap of a feeder, PDU, container, building or site.", nil},
	{DeviceMissing, "device", Gear, "s", true, "Seconds since a meter, cooling controller or PDU gave a usable reading.", nil},
	{SupplyHot, "device", Heat, "K", true, "Cooling supply above its setpoint.", nil},
	{CoolingAlarm, "device", Heat, "alarms", true, "Alarms that a cooling controller reports itself.", nil},
	{StorageFailing, "ballast", Self, "", true, "Ballast cannot write history.", nil},
	{PollsLate, "ballast", Self, "share", true, "Polls that Ballast was too late for, of those due, over the last minutes.", nil},
}

// Watches describes every watch.
func Watches() []WatchInfo { return slices.Clone(watches) }

func infoOf(w Watch) (WatchInfo, bool) {
	i := slices.IndexFunc(watches, func(x WatchInfo) bool { return x.Watch == w })
	if i < 0 {
		return WatchInfo{}, false
	}
	return watches[i], true
}

// Rule says what is watched and when a person should know.
type Rule struct {
	ID         int64    `json:"id"`
	Key        string   `json:"key,omitempty"` // of a rule that came with Ballast; it may be changed like any other
	Title      string   `json:"title"`
	Watch      Watch    `json:"watch"`
	Raise      float64  `json:"raise"`         // level, in the watch's unit
	Clear      float64  `json:"clear"`         // level on the calm side of Raise
	RaiseAfter int      `json:"raise_after_s"` // beyond Raise
	ClearAfter int      `json:"clear_after_s"` // beyond Clear
	Severity   Severity `json:"severity"`
	Faults     []string `json:"faults,omitempty"` // groups, for fault-told
	Match      Match    `json:"match,omitzero"`
	Means      string   `json:"means"` // in plain words
	Safe       string   `json:"safe"`
	Press      string   `json:"press"`
	Off        bool     `json:"off,omitempty"`
}

const longest = 7 * 24 * 3600 // seconds that a rule may wait

// Check says what is wrong with a rule.
func (r Rule) Check() error {
	w, ok := infoOf(r.Watch)
	switch {
	case !ok:
		return fmt.Errorf("rule: %w: there is no watch %q", ErrInvalid, r.Watch)
	case strings.TrimSpace(r.Title) == "":
		return fmt.Errorf("rule: %w: it needs a title", ErrInvalid)
	case r.Severity.Rank() < 0:
		return fmt.Errorf("rule: %w: there is no severity %q", ErrInvalid, r.Severity)
	case math.IsNaN(r.Raise) || math.IsNaN(r.Clear) || math.IsInf(r.Raise, 0) || math.IsInf(r.Clear, 0):
		return fmt.Errorf("rule: %w: levels are numbers", ErrInvalid)
	case w.Above && r.Clear >= r.Raise:
		return fmt.Errorf("rule: %w: it is raised at %g and above, so it must clear below that, not at %g", ErrInvalid, r.Raise, r.Clear)
	case !w.Above && r.Clear <= r.Raise:
		return fmt.Errorf("rule: %w: it is raised at %g and below, so it must clear above that, not at %g", ErrInvalid, r.Raise, r.Clear)
	case r.RaiseAfter < 0 || r.ClearAfter < 0 || r.RaiseAfter > longest || r.ClearAfter > longest:
		return fmt.Errorf("rule: %w: times are 0 to %d s", ErrInvalid, longest)
	case r.Watch == FaultTold && len(r.Faults) == 0:
		return fmt.Errorf("rule: %w: name the groups of faults", ErrInvalid)
	}
	return nil
}

func (r *Rule) raiseAfter() time.Duration { return time.Duration(r.RaiseAfter) * time.Second }
func (r *Rule) clearAfter() time.Duration { return time.Duration(r.ClearAfter) * time.Second }

// Match picks machines, devices and caps. Empty fields do not restrict.
type Match struct {
	Sites      []string `json:"sites,omitempty"`
	Buildings  []string `json:"buildings,omitempty"`
	Containers []string `json:"containers,omitempty"`
	Racks      []string `json:"racks,omitempty"`
	Groups     []string `json:"groups,omitempty"`
	Models     []string `json:"models,omitempty"` // or their beginning
	Firmwares  []string `json:"firmwares,omitempty"`
	Subjects   []string `json:"subjects,omitempty"` // "machine/17"
}

// All tells whether m picks everything.
func (m *Match) All() bool {
	return len(m.Sites)+len(m.Buildings)+len(m.Containers)+len(m.Racks)+len(m.Groups)+len(m.Models)+len(m.Firmwares)+len(m.Subjects) == 0
}

// traits are what a Match looks at.
type traits struct {
	subject              string
	where                *Where
	model, family, group string
}

func oneOf(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }

func (m *Match) picks(t traits) bool {
	if m.All() {
		return true
	}
	w := t.where
	if w == nil {
		w = &Where{}
	}
	model := len(m.Models) == 0 || t.model != "" && slices.ContainsFunc(m.Models, func(p string) bool { return strings.HasPrefix(t.model, p) })
	return model && oneOf(m.Sites, w.Site) && oneOf(m.Buildings, w.Building) && oneOf(m.Containers, w.Container) && oneOf(m.Racks, w.Rack) &&
		oneOf(m.Groups, t.group) && oneOf(m.Firmwares, t.family) && oneOf(m.Subjects, t.subject)
}
