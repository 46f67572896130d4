package sim

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// MeterTruth is what an ideal power meter reads. Meter 0 is the whole site's,
// the others stand behind one feeder each.
type MeterTruth struct {
	Name        string
	Addr        netip.Addr
	At          time.Time
	Voltage     [3]unit.Voltage // phase to neutral
	Current     [3]unit.Current
	Power       unit.Power // real
	Reactive    float64    // var
	Apparent    float64    // VA
	PowerFactor float64
	Frequency   float64 // Hz
	Import      unit.Energy
	Cap         unit.Power // that the contract or the transformer allows
	Closed      bool       // the breaker
}

// CoolingTruth is what a cooling controller knows: of a container's fan wall,
// of a hydro loop with its dry cooler, or of immersion tanks.
type CoolingTruth struct {
	Name       string // of the container
	Addr       netip.Addr
	At         time.Time
	Kind       miner.Cooling
	Outside    unit.Temperature
	Humidity   unit.Ratio
	Supply     unit.Temperature // to the machines
	Return     unit.Temperature // from them
	Setpoint   unit.Temperature
	Flow       unit.Flow     // liquid only
	Pressure   unit.Pressure // across the pump, liquid only
	PumpOn     bool
	Pump       unit.Ratio // commanded speed
	FansAuto   bool
	Fans       unit.Ratio // commanded speed
	FanSpeed   unit.Speed // what they turn at
	Power      unit.Power // of pumps and fans
	Heat       unit.Power // taken from the machines
	HighTemp   bool       // alarm
	LowFlow    bool       // alarm
	FanFailure bool       // alarm
}

// CoolingCommand sets what is present in it.
type CoolingCommand struct {
	Setpoint unit.Opt[unit.Temperature]
	PumpOn   unit.Opt[bool]
	Pump     unit.Opt[unit.Ratio]
	FansAuto unit.Opt[bool]
	Fans     unit.Opt[unit.Ratio] // ends automatic fans
}

// PDUTruth is what a rack's power distribution unit knows.
type PDUTruth struct {
	Name    string
	Addr    netip.Addr
	At      time.Time
	Voltage unit.Voltage // phase to neutral
	Current unit.Current // a phase, balanced
	Power   unit.Power
	Energy  unit.Energy
	Cap     unit.Power
	Closed  bool
	Outlets []Outlet
}

// Outlet is one outlet of a PDU.
type Outlet struct {
	Rig   int
	On    bool
	Power unit.Power
}

// Meters counts the meters: the main one and one for each feeder.
func (s *Site) Meters() int { return len(s.feeders) + 1 }

// Coolings counts the containers.
func (s *Site) Coolings() int { return len(s.zones) }

// PDUs counts the racks.
func (s *Site) PDUs() int { return len(s.pdus) }

// gearAddr gives meters, controllers and PDUs addresses at the end of the
// network, in this order; the zero Addr when it is too small for all.
func (s *Site) gearAddr(i int) netip.Addr {
	if i >= len(s.reserve) {
		return netip.Addr{}
	}
	return s.reserve[i]
}

// Meter reads meter i.
func (s *Site) Meter(i int) (MeterTruth, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i < 0 || i > len(s.feeders) {
		return MeterTruth{}, fmt.Errorf("meter %d: %w: 0 to %d", i, ErrOutOfRange, len(s.feeders))
	}
	m := MeterTruth{Name: "main", Addr: s.gearAddr(i), At: unixUTC(s.at), Closed: true}
	power, energy, cap := 0.0, 0.0, 0.0
	from, to := 0, len(s.feeders)
	if i > 0 {
		from, to = i-1, i
		m.Name, m.Closed = s.feeders[i-1].name, !s.feeders[i-1].breaker.open
	}
	volts := 0.0
	for j := from; j < to; j++ {
		f := &s.feeders[j]
		power += f.power
		energy += f.energy
		cap += f.cap
		volts += s.mains(f, s.at) / float64(to-from)
	}
	if !m.Closed {
		volts = 0
	}
	// Power supplies correct their power factor well at load, badly when idle.
	load := power / max(cap, 1)
	m.PowerFactor = 0.995 - 0.25*math.Exp(-load*20)
	m.Power, m.Import, m.Cap = unit.Power(power), unit.Energy(energy), unit.Power(cap)
	m.Apparent = power / m.PowerFactor
	m.Reactive = math.Sqrt(max(m.Apparent*m.Apparent-power*power, 0))
	m.Frequency = 60 + 0.015*wave(s.cfg.Seed, drawMains+100, seconds(s.at), 10)
	for p := range 3 {
		// Phases are never loaded quite alike.
		skew := 1 + 0.01*gauss(s.cfg.Seed+uint64(i), drawMains+200, int64(p))
		m.Voltage[p] = unit.Voltage(volts * (1 + 0.003*gauss(s.cfg.Seed+uint64(i), drawMains+300, int64(p))))
		if volts > 0 {
			m.Current[p] = unit.Current(m.Apparent / 3 / volts * skew)
		}
	}
	return m, nil
}

// Cooling reads the controller of container i.
func (s *Site) Cooling(i int) (CoolingTruth, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i < 0 || i >= len(s.zones) {
		return CoolingTruth{}, fmt.Errorf("container %d: %w: 0 to %d", i, ErrOutOfRange, len(s.zones)-1)
	}
	z := &s.zones[i]
	w := s.weather(s.at)
	c := CoolingTruth{
		Name: z.name, Addr: s.gearAddr(1 + len(s.feeders) + i), At: unixUTC(s.at), Kind: z.cooling,
		Outside: w.Temperature, Humidity: w.Humidity, Supply: unit.Temperature(z.supply), Return: unit.Temperature(z.back),
		Setpoint: unit.Temperature(z.setpoint), PumpOn: z.pumpOn && z.liquid(), FansAuto: z.fansAuto, Fans: unit.Ratio(z.fans),
		FanSpeed: unit.Speed(z.fans * z.fansLeft * 900), Power: unit.Power(z.aux), Heat: unit.Power(z.heat), FanFailure: z.fansLeft < 0.95,
	}
	if z.liquid() {
		perK := 4186.0 * 1.0 / 60
		if z.cooling == miner.Immersion {
			perK = 2100 * 0.82 / 60
		}
		c.Pump = unit.Ratio(z.pump)
		c.Flow = unit.Flow(z.carry / perK * z.flow)
		c.Pressure = unit.Pressure(0.2 + 2.3*z.flow*z.flow)
		c.LowFlow = z.flow < 0.5
		c.HighTemp = z.supply > z.setpoint+8
	} else {
		c.HighTemp = z.supply > 40
	}
	return c, nil
}

// SetCooling commands the controller of container i.
func (s *Site) SetCooling(i int, c CoolingCommand) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i < 0 || i >= len(s.zones) {
		return fmt.Errorf("container %d: %w: 0 to %d", i, ErrOutOfRange, len(s.zones)-1)
	}
	z := &s.zones[i]
	if v, ok := c.Setpoint.Get(); ok {
		if !(v >= 10 && v <= 60) {
			return fmt.Errorf("setpoint %v: %w: 10 °C to 60 °C", v, ErrOutOfRange)
		}
		z.setpoint = float64(v)
	}
	for _, speed := range []unit.Opt[unit.Ratio]{c.Pump, c.Fans} {
		if v, ok := speed.Get(); ok && !(v >= 0 && v <= 1) {
			return fmt.Errorf("speed %v: %w: 0 to 1", v, ErrOutOfRange)
		}
	}
	z.pumpOn = c.PumpOn.Or(z.pumpOn)
	z.pump = float64(c.Pump.Or(unit.Ratio(z.pump)))
	z.fansAuto = c.FansAuto.Or(z.fansAuto)
	if v, ok := c.Fans.Get(); ok {
		z.fans, z.fansAuto = float64(v), false
	}
	return nil
}

// PDU reads the PDU of rack i, counted through all containers.
func (s *Site) PDU(i int) (PDUTruth, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i < 0 || i >= len(s.pdus) {
		return PDUTruth{}, fmt.Errorf("PDU %d: %w: 0 to %d", i, ErrOutOfRange, len(s.pdus)-1)
	}
	p := &s.pdus[i]
	z := &s.zones[p.zone]
	t := PDUTruth{
		Name: p.name, Addr: s.gearAddr(1 + len(s.feeders) + len(s.zones) + i), At: unixUTC(s.at), Power: unit.Power(p.power),
		Energy: unit.Energy(p.energy), Cap: unit.Power(p.cap), Closed: !p.breaker.open && p.held == 0,
	}
	if t.Closed && z.open == 0 && !s.feeders[z.feeder].breaker.open {
		t.Voltage = unit.Voltage(s.mains(&s.feeders[z.feeder], s.at) * (1 - z.brown))
		t.Current = unit.Current(p.power / 3 / 0.99 / float64(t.Voltage))
	}
	for j, on := range p.outlets {
		t.Outlets = append(t.Outlets, Outlet{Rig: p.first + j, On: on, Power: unit.Power(s.nodes[p.first+j].power)})
	}
	return t, nil
}

// SwitchOutlet switches one outlet of PDU i. The machine on it is off, or
// boots, from now on.
func (s *Site) SwitchOutlet(i, outlet int, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i < 0 || i >= len(s.pdus) || outlet < 0 || outlet >= len(s.pdus[i].outlets) {
		return fmt.Errorf("outlet %d of PDU %d: %w", outlet, i, ErrOutOfRange)
	}
	s.pdus[i].outlets[outlet] = on
	nd := &s.nodes[s.pdus[i].first+outlet]
	now := max(s.clock.now(), s.at)
	nd.move(s.around(nd, now), now)
	s.wire.changed()
	return nil
}

// Attach serves something else beside the machines, a meter's Modbus say, at
// an address of the network. It must be called before Listen.
func (s *Site) Attach(at netip.AddrPort, serve func(context.Context, net.Conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gear[at] = serve
}
