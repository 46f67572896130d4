package braiins

import (
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"ballast/sim"
	"ballast/unit"
)

// message is a protobuf message, encoded. The field numbers are facts of the
// public API; its .proto files are under GPL-3.0 and not used here.
type message []byte

func (m *message) putUint(n protowire.Number, x uint64) {
	if x != 0 { // proto3 leaves zeros out
		*m = protowire.AppendVarint(protowire.AppendTag(*m, n, protowire.VarintType), x)
	}
}

// putPresent writes a number whose zero is told too.
func (m *message) putPresent(n protowire.Number, x uint64) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, n, protowire.VarintType), x)
}

func (m *message) putBool(n protowire.Number, x bool) {
	if x {
		m.putUint(n, 1)
	}
}

func (m *message) putText(n protowire.Number, s string) {
	if s != "" {
		*m = protowire.AppendString(protowire.AppendTag(*m, n, protowire.BytesType), s)
	}
}

func (m *message) putDouble(n protowire.Number, x float64) {
	*m = protowire.AppendFixed64(protowire.AppendTag(*m, n, protowire.Fixed64Type), math.Float64bits(x))
}

func (m *message) put(n protowire.Number, sub message) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, n, protowire.BytesType), sub)
}

// quantity is a message of one number, as all quantities are.
func quantity(x float64) (m message) {
	if x != 0 {
		m.putDouble(1, x)
	}
	return m
}

func quantityUint(x uint64) (m message) { m.putUint(1, x); return m }

func flag(on bool) (m message) { m.putBool(1, on); return m }

func moment(t time.Time) (m message) {
	m.putUint(1, uint64(t.Unix()))
	m.putUint(2, uint64(t.Nanosecond()))
	return m
}

// find calls f with each value of field n; a value is its varint or its bytes.
func (m message) find(n protowire.Number, f func(x uint64, b []byte)) {
	for b := []byte(m); len(b) > 0; {
		number, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return
		}
		b = b[size:]
		var x uint64
		var v []byte
		switch kind {
		case protowire.VarintType:
			x, size = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			x, size = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			v, size = protowire.ConsumeBytes(b)
		default:
			size = protowire.ConsumeFieldValue(number, kind, b)
		}
		if size < 0 {
			return
		}
		if b = b[size:]; number == n {
			f(x, v)
		}
	}
}

func (m message) uint(n protowire.Number) (out uint64) {
	m.find(n, func(x uint64, _ []byte) { out = x })
	return out
}

func (m message) double(n protowire.Number) float64 { return math.Float64frombits(m.uint(n)) }

func (m message) text(n protowire.Number) (out string) {
	m.find(n, func(_ uint64, b []byte) { out = string(b) })
	return out
}

func (m message) message(n protowire.Number) (out message) {
	m.find(n, func(_ uint64, b []byte) { out = b })
	return out
}

func (m message) messages(n protowire.Number) (out []message) {
	m.find(n, func(_ uint64, b []byte) { out = append(out, b) })
	return out
}

// Below: the documents of documents.go as messages, with the fields that the
// release had.

func (c *call) version() (out message) {
	minor, pre := c.m.at().apiVersion()
	out.putUint(1, 1)
	out.putUint(2, uint64(minor))
	out.putText(4, strings.TrimSuffix(pre, ".0"))
	return out
}

func (c *call) details() (out message) {
	spec, at, s := c.m.rig.Spec(), c.m.at(), &c.s
	minor, _ := at.apiVersion()
	var id, version message
	id.putUint(1, uint64(brand(spec.Model)))
	id.putText(3, spec.Model.Name)
	if !at.before(23, 11) {
		id.putText(4, spec.Model.Name)
	}
	version.putText(1, at.version())
	version.putText(2, "2022-09-13-0-11012d53-22.08-plus")
	version.putBool(3, true)
	out.putText(1, c.m.uid())
	out.put(2, id)
	out.putUint(3, 4)
	out.putUint(4, 4)
	out.put(5, version)
	out.putText(6, c.m.hostname())
	out.putText(7, spec.MAC)
	out.putUint(8, uint64(s.Uptime/time.Second))
	out.put(9, quantity(spec.Model.Hashrate.TH()*1e3))
	if !at.before(23, 10) {
		out.putUint(10, uint64(c.m.minerUptime(s)/time.Second))
	}
	if !at.before(23, 11) {
		out.putUint(11, uint64(s.Uptime/time.Second))
	}
	if !at.before(24, 3) {
		out.putUint(12, uint64(c.m.status(s)))
	}
	if minor >= 1 {
		out.putText(13, "4.9.113")
	}
	if minor >= 5 {
		var psu message
		psu.put(1, quantityUint(117))
		psu.putText(4, "APW121215d/e")
		psu.put(5, quantity(11.96))
		psu.put(6, quantity(15.2))
		out.put(14, psu)
		out.putUint(15, 3)
		out.putText(16, spec.Serial)
	}
	return out
}

func (c *call) solver(w solver) (out message) {
	var real message
	for i, x := range w.windows {
		real.put(protowire.Number(i+1), quantity(x.rate.TH()*1e3))
	}
	out.put(1, real)
	out.put(2, quantity(w.nominal.TH()*1e3))
	out.put(3, quantity(w.errors))
	out.putUint(4, uint64(w.blocks))
	out.putUint(5, uint64(w.best))
	return out
}

func (c *call) poolStats(accepted, rejected, stale int64, last time.Time) (out message) {
	out.putUint(1, uint64(accepted))
	out.putUint(2, uint64(rejected))
	out.putUint(3, uint64(stale))
	out.putUint(4, uint64(c.s.Difficulty))
	if accepted > 0 {
		out.putUint(5, uint64(c.s.BestShare))
	}
	out.putUint(6, uint64(float64(accepted)*c.s.Difficulty))
	if minor, _ := c.m.at().apiVersion(); minor >= 1 && !last.IsZero() {
		out.put(7, moment(last))
	}
	return out
}

func (c *call) stats() (out message) {
	s := &c.s
	last := time.Time{}
	for _, p := range s.Pools {
		if p.LastShare.After(last) {
			last = p.LastShare
		}
	}
	var power message
	power.put(1, quantityUint(uint64(s.Power)))
	if e, ok := unit.EfficiencyOf(s.Power, s.Hashrate5s); ok {
		power.put(2, quantity(float64(e)))
	}
	out.put(1, c.poolStats(s.Accepted, s.Rejected, s.Stale, last))
	out.put(2, c.solver(machineSolver(s)))
	out.put(3, power)
	return out
}

func chipSensor(id int, t unit.Temperature) (out message) {
	if id > 0 {
		out.putPresent(1, uint64(id))
	}
	out.putUint(2, 1)
	out.put(3, quantity(float64(t)))
	return out
}

func (c *call) hashboards() (out message) {
	minor, _ := c.m.at().apiVersion()
	model := c.m.rig.Spec().Model
	for i := range c.s.Boards {
		b, h := &c.s.Boards[i], heatOf(&c.s.Boards[i])
		if !b.Present {
			continue
		}
		var x message
		x.putText(1, c.m.boardID(i))
		x.putBool(2, b.Enabled)
		if b.Enabled {
			x.put(3, quantityUint(uint64(b.Chips)))
			x.put(4, quantity(float64(b.Voltage)))
			x.put(5, quantity(float64(b.Frequency)))
		}
		if t, ok := h.chip.Get(); ok {
			x.put(6, chipSensor(h.sensor, t))
		}
		put := func(n protowire.Number, t unit.Opt[unit.Temperature]) {
			if v, ok := t.Get(); ok {
				x.put(n, quantity(float64(v)))
			}
		}
		put(7, h.board)
		x.put(8, c.solver(boardSolver(&c.s, i)))
		if minor >= 2 {
			x.putText(9, boardName(model.Name))
		}
		if minor >= 5 {
			put(10, h.inlet)
			put(11, h.outlet)
			x.putText(12, b.Serial)
			x.putText(13, boardName(model.Name))
			x.putText(14, model.ChipType)
		}
		if minor >= 11 && c.s.Flow.Ok() {
			put(15, c.s.Inlet)
			put(16, c.s.Outlet)
		}
		out.put(1, x)
	}
	return out
}

func (c *call) cooling() (out message) {
	for i, f := range c.s.Fans {
		var x message
		x.putPresent(1, uint64(i))
		x.putUint(2, uint64(f.Speed))
		x.putDouble(3, c.s.FanDuty)
		out.put(1, x)
	}
	if t, ok := hottest(&c.s).Get(); ok {
		out.put(2, chipSensor(0, t))
	}
	return out
}

func (c *call) powerProfile(p sim.ProfileSpec, target int64) (out message) {
	out.put(1, moment(c.m.made))
	out.put(2, quantityUint(uint64(target)))
	out.put(3, quantity(p.Hashrate.TH()*1e3))
	out.put(4, quantityUint(uint64(p.Power)))
	return out
}

func (c *call) tunerState() (out message) {
	target := c.m.powerTarget(&c.s)
	p := c.m.inForce(unit.Power(target))
	out.putUint(1, uint64(tunerState(&c.s)))
	var mode message
	if h := c.m.rateTarget(); h > 0 {
		var profile message
		profile.put(1, moment(c.m.made))
		profile.put(2, quantity(h.TH()))
		profile.put(3, quantity(p.Hashrate.TH()*1e3))
		profile.put(4, quantityUint(uint64(p.Power)))
		mode.put(1, profile)
		mode.put(2, quantity(h.TH()))
		out.put(3, mode)
		return out
	}
	mode.put(1, c.powerProfile(p, target))
	mode.put(2, quantityUint(uint64(target)))
	out.put(2, mode)
	return out
}

func (c *call) group() (out message) {
	out.putText(1, c.m.groupUID())
	out.putText(2, c.m.groupName())
	out.put(3, quantityUint(1))
	for i, p := range c.s.Pools {
		var x message
		x.putText(1, c.m.poolUID(i))
		x.putText(2, p.URL)
		x.putText(3, p.User)
		x.putText(4, p.Password)
		x.putPresent(5, 1)
		out.put(5, x)
	}
	return out
}

func (c *call) configuration() (out message) {
	out.put(1, c.group())
	var auto, temperature, tuner, dps message
	auto.put(1, quantity(60))
	auto.put(2, quantity(90))
	auto.put(3, quantity(100))
	temperature.put(2, auto)
	out.put(2, temperature)
	tuner.putPresent(1, 1)
	if h := c.m.rateTarget(); h > 0 {
		tuner.putPresent(2, 2)
		tuner.put(4, quantity(h.TH()))
	} else {
		tuner.putPresent(2, 1)
		tuner.put(3, quantityUint(uint64(c.m.powerTarget(&c.s))))
	}
	out.put(3, tuner)
	dps.putPresent(1, 0)
	dps.put(2, quantityUint(300))
	out.put(4, dps)
	return out
}

func (c *call) constraints() (out message) {
	low, byDefault, high := c.m.limits()
	profiles := c.m.rig.Profiles()
	bounds := func(byDefault, low, high message) (m message) {
		m.put(1, byDefault)
		m.put(2, low)
		m.put(3, high)
		return m
	}
	var tuner, boards message
	tuner.put(1, bounds(quantityUint(uint64(byDefault)), quantityUint(uint64(low)), quantityUint(uint64(high))))
	tuner.put(2, bounds(quantity(c.m.rig.Spec().Model.Hashrate.TH()), quantity(profiles[0].Hashrate.TH()), quantity(profiles[len(profiles)-1].Hashrate.TH())))
	tuner.put(3, flag(true))
	tuner.putUint(4, 1)
	out.put(1, tuner)
	for i := range c.m.rig.Spec().Model.Boards {
		boards.putText(1, c.m.boardID(i))
	}
	boards.put(2, flag(true))
	out.put(4, boards)
	return out
}

func (c *call) pools() (out message) {
	var group message
	group.putText(1, c.m.groupName())
	group.put(2, quantityUint(1))
	for i, p := range c.s.Pools {
		var x message
		x.putText(1, c.m.poolUID(i))
		x.putText(2, p.URL)
		x.putText(3, p.User)
		x.putBool(4, true)
		x.putBool(5, p.Alive)
		x.putBool(6, p.Active)
		x.put(7, c.poolStats(p.Accepted, p.Rejected, p.Stale, p.LastShare))
		group.put(4, x)
	}
	if minor, _ := c.m.at().apiVersion(); minor >= 8 {
		group.putText(5, c.m.groupUID())
	}
	out.put(1, group)
	return out
}

func (c *call) errors() (out message) {
	for _, e := range c.m.errorLog(&c.s) {
		var x, component message
		x.putText(1, e.at.UTC().Format(errorTime))
		x.putText(2, e.message)
		component.putText(1, e.component)
		component.putUint(2, uint64(e.index))
		x.put(4, component)
		out.put(1, x)
	}
	return out
}

func (c *call) network() (out message) {
	spec := c.m.rig.Spec()
	out.putText(1, "eth0")
	out.putText(2, spec.MAC)
	out.putText(3, c.m.hostname())
	out.putPresent(4, 1)
	out.putText(5, "127.0.0.1")
	if spec.Addr.IsValid() {
		var x message
		x.putText(1, spec.Addr.String())
		x.putText(2, "255.0.0.0")
		out.put(6, x)
	}
	out.putText(7, "127.0.0.1")
	return out
}
