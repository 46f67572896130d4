package plant

import (
	"time"

	"ballast/unit"
)

// Counter follows an energy counter and says what was counted between two
// looks, through roll-overs and resets.
type Counter struct {
	// Wrap is where the counter goes back to zero, 0 when it never does.
	Wrap unit.Energy
	// Most is the most power that can flow, 0 when it is not known. A step that
	// would need more is not believed.
	Most unit.Power

	last unit.Energy
	at   time.Time
}

// Step is what a look at a counter means.
type Step string

// The steps.
const (
	Counted    Step = "counted"
	First      Step = "first"       // nothing to compare with
	RolledOver Step = "rolled over" // past its end; counted all the same
	Reset      Step = "reset"       // set back or exchanged: not known what was counted
	Jumped     Step = "jumped"      // further than power can flow: not believed
)

// See looks at the counter: what was counted since the last look, if that can
// be known.
func (c *Counter) See(value unit.Energy, at time.Time) (unit.Opt[unit.Energy], Step) {
	last, before := c.last, c.at
	c.last, c.at = value, at
	if before.IsZero() || !at.After(before) {
		return unit.None[unit.Energy](), First
	}
	// Meters update their counters slower than they are asked: a minute's grace.
	most := c.Most.Over(at.Sub(before) + time.Minute)
	credible := func(d unit.Energy) bool { return c.Most <= 0 || d <= most }
	switch {
	case value >= last && credible(value-last):
		return unit.Some(value - last), Counted
	case value >= last:
		return unit.None[unit.Energy](), Jumped
	}
	// Back: only a counter that was near its end and is near its start went round.
	if d := c.Wrap - last + value; c.Wrap > 0 && last <= c.Wrap && d < c.Wrap/10 && credible(d) {
		return unit.Some(d), RolledOver
	}
	return unit.None[unit.Energy](), Reset
}
