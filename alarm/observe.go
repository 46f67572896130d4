package alarm

import (
	"time"

	"ballast/miner"
	"ballast/unit"
)

// Observation is what is known at one instant. Times in it are of the same clock
// as Step's now.
type Observation struct {
	Machines []Machine
	Devices  []Device
	Caps     []Cap
	Self     Ballast
}

// Contact is how far a machine can be read.
type Contact uint8

// The contacts.
const (
	Waiting    Contact = iota // not asked often enough since the start to say
	Answers                   // the last poll gave a reading
	Silent                    // nobody answers
	Locked                    // answers, and wants a password that Ballast does not have
	Unreadable                // answers what cannot be read
)

// Machine is one machine in service.
type Machine struct {
	ID      int64
	Subject string // "machine/17"
	Name    string
	Where   *Where
	Model   string
	Family  string // firmware family
	Group   string

	Contact  Contact
	Answered time.Time      // of Reading; zero is never since the start
	Watched  time.Time      // since when it is polled: silence counts from here when it never answered
	MaxAge   time.Duration  // older than this the reading is not compared
	Reading  *miner.Reading // the last good one
	Version  string         // of its firmware, as the record has it
	Trouble  string         // why the last poll gave nothing
	AsleepBy string         // the standing command that put it to sleep; empty is none
	Wishes   []Wish
}

// Wish is a command that is open or was fulfilled a moment ago.
type Wish struct {
	Kind  miner.Kind
	Until time.Time // when it must have settled
}

// Device is a meter, a cooling controller or a PDU.
type Device struct {
	Subject  string // "device/meter-f1"
	Name     string
	Kind     string // "meter", "cooling", "pdu"
	Where    *Where
	Good     time.Time     // of its last usable reading; zero is never since the start
	Watched  time.Time     // since when it is read
	MaxAge   time.Duration // how long a reading may be acted on
	Trouble  string
	Power    unit.Opt[unit.Power] // through it
	Supply   unit.Opt[unit.Temperature]
	Setpoint unit.Opt[unit.Temperature] // that Supply is held to
	Alarms   []string                   // of the controller itself
}

// Cap is a limit on power with what is drawn under it.
type Cap struct {
	Subject string // "cap/feeder/F1"
	Name    string // "feeder F1"
	Where   *Where
	Limit   unit.Power
	Drawn   unit.Opt[unit.Power]
	At      time.Time
	MaxAge  time.Duration
	Source  string // "meter-f1", "sum of 40 machines"
}

// Ballast is how Ballast itself is doing. Counts are since its start.
type Ballast struct {
	At        time.Time // zero is not known
	Failing   bool      // storing history fails now
	Error     string
	Dropped   int64 // rows lost
	PollsDue  int64
	PollsLate int64 // skipped for want of time
}

// Dimension is one way in which machines belong together.
type Dimension uint8

// The dimensions, in the order in which equal explanations are preferred.
const (
	ByPDU Dimension = iota
	ByRack
	ByLoop
	ByContainer
	ByFeeder
	ByBuilding
	BySegment
	BySite
	ByVersion // a firmware rollout
	dimensions
	BySubject // a machine or device alone
)

var dimensionNames = [...]string{"PDU", "rack", "cooling loop", "container", "feeder", "building", "network segment", "site", "firmware", "", "alone"}

// String is the dimension in words.
func (d Dimension) String() string { return dimensionNames[d] }

// MarshalText writes the dimension in words.
func (d Dimension) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Dimension) UnmarshalText(b []byte) error {
	for i, n := range dimensionNames {
		if n == string(b) && n != "" {
			*d = Dimension(i)
			return nil
		}
	}
	return ErrInvalid
}

// Where is everything a machine or device belongs to. Make it with [NewWhere],
// once for each machine and whenever it moves.
type Where struct {
	Site, Building, Container, Rack, Slot string
	PDU, Feeder, Loop, Segment            string

	keys [dimensions]string // empty: does not belong to one
}

// NewWhere works out the keys under which w is grouped.
func NewWhere(w Where) *Where {
	at := w.Site + "\x1f"
	set := func(d Dimension, name, key string) {
		if name != "" {
			w.keys[d] = at + key
		}
	}
	set(ByPDU, w.PDU, w.PDU)
	set(ByRack, w.Rack, w.Building+"\x1f"+w.Container+"\x1f"+w.Rack)
	set(ByLoop, w.Loop, w.Loop)
	set(ByContainer, w.Container, w.Building+"\x1f"+w.Container)
	set(ByFeeder, w.Feeder, w.Feeder)
	set(ByBuilding, w.Building, w.Building)
	set(BySegment, w.Segment, w.Segment)
	set(BySite, w.Site, "")
	return &w
}

// Place is where it stands, in words.
func (w *Where) Place() string {
	if w == nil {
		return ""
	}
	out := ""
	for _, p := range []string{w.Building, w.Container, w.Rack, w.Slot} {
		if p != "" {
			if out != "" {
				out += " / "
			}
			out += p
		}
	}
	return out
}

// name is what a dimension of w is called.
func (w *Where) name(d Dimension) string {
	switch d {
	case ByPDU:
		return w.PDU
	case ByRack:
		if w.Container != "" {
			return w.Container + " / " + w.Rack
		}
		return w.Rack
	case ByLoop:
		return w.Loop
	case ByContainer:
		return w.Container
	case ByFeeder:
		return w.Feeder
	case ByBuilding:
		return w.Building
	case BySegment:
		return w.Segment
	case BySite:
		return w.Site
	}
	return ""
}
