package main

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"ballast/config"
	"ballast/plant"
	"ballast/plant/modbus"
	"ballast/plant/register"
	"ballast/sim"
	"ballast/unit"
)

// gearPort is where the simulated meters and controllers speak Modbus TCP: not
// 502, which takes privileges.
const gearPort = 5020

// The register maps that simulated gear is built to.
const (
	meterMap   = "schneider-pm5000"
	coolingMap = "ballast-cooling"
)

// mainMeter is the simulated meter that everything stands behind.
const mainMeter = "main"

// gear puts the site's power meters and cooling controllers on its network. It
// must be called before the site listens.
func gear(site *sim.Site) (meters, cooling []config.ModbusDevice, err error) {
	attach := func(addr netip.Addr, name, mapName string, get func(plant.Field) (float64, bool), set func(plant.Field, float64) error) (config.ModbusDevice, error) {
		m, err := register.Builtin(mapName)
		if err != nil {
			return config.ModbusDevice{}, err
		}
		bank, err := register.NewBank(m)
		if err != nil {
			return config.ModbusDevice{}, err
		}
		bank.Get, bank.Set = get, set
		server := &modbus.Server{Handler: bank}
		at := netip.AddrPortFrom(addr, gearPort)
		site.Attach(at, func(ctx context.Context, conn net.Conn) { server.ServeConn(ctx, conn) })
		return config.ModbusDevice{Name: name, Address: at.String(), Unit: 1, Map: mapName, Interval: 5 * time.Second}, nil
	}
	for i := range site.Meters() {
		t, err := site.Meter(i)
		if err != nil {
			return nil, nil, err
		}
		if !t.Addr.IsValid() {
			continue // the network is full of machines
		}
		d, err := attach(t.Addr, "meter "+t.Name, meterMap, func(f plant.Field) (float64, bool) {
			t, err := site.Meter(i)
			if err != nil {
				return 0, false
			}
			return meterField(t, string(f))
		}, nil)
		if err != nil {
			return nil, nil, err
		}
		if t.Name != mainMeter {
			d.Behind = "meter " + mainMeter
		}
		meters = append(meters, d)
	}
	for i := range site.Coolings() {
		t, err := site.Cooling(i)
		if err != nil {
			return nil, nil, err
		}
		if !t.Addr.IsValid() {
			continue
		}
		d, err := attach(t.Addr, "cooling "+t.Name, coolingMap, func(f plant.Field) (float64, bool) {
			t, err := site.Cooling(i)
			if err != nil {
				return 0, false
			}
			return coolingField(t, string(f))
		}, func(f plant.Field, v float64) error {
			if f != "setpoint" {
				return modbus.IllegalDataAddress
			}
			return site.SetCooling(i, sim.CoolingCommand{Setpoint: unit.Some(unit.Temperature(v))})
		})
		if err != nil {
			return nil, nil, err
		}
		cooling = append(cooling, d)
	}
	return meters, cooling, nil
}

// meterField is a truth of the simulated feeder as its meter shows it.
func meterField(t sim.MeterTruth, field string) (float64, bool) {
	name, phase, _ := strings.Cut(field, ".l")
	i := 0
	if phase == "1" || phase == "2" || phase == "3" {
		i = int(phase[0] - '1')
	} else if phase != "" {
		return 0, false // line to line: this meter is asked to neutral only
	}
	switch name {
	case "power":
		if phase != "" {
			return float64(t.Power) / 3, true
		}
		return float64(t.Power), true
	case "voltage":
		return float64(t.Voltage[i]), phase != ""
	case "current":
		return float64(t.Current[i]), phase != ""
	case "power_factor":
		return t.PowerFactor, phase == ""
	case "frequency":
		return t.Frequency, true
	case "energy_import":
		return float64(t.Import), true
	case "energy_export":
		return 0, true
	}
	return 0, false
}

// coolingField is a truth of the simulated loop as its controller shows it.
func coolingField(t sim.CoolingTruth, field string) (float64, bool) {
	liquid := t.Flow > 0 || t.Pressure > 0
	flag := func(b bool) (float64, bool) {
		if b {
			return 1, true
		}
		return 0, true
	}
	switch field {
	case "supply":
		return float64(t.Supply), true
	case "return":
		return float64(t.Return), true
	case "ambient":
		return float64(t.Outside), true
	case "setpoint":
		return float64(t.Setpoint), true
	case "flow":
		return float64(t.Flow), liquid
	case "pressure_supply":
		return float64(t.Pressure), liquid
	case "power":
		return float64(t.Power), true
	case "running":
		return flag(t.PumpOn || t.Fans > 0)
	case "pump.1.duty":
		return float64(t.Pump), liquid
	case "pump.1.running":
		return flag(t.PumpOn)
	case "fan.1.duty":
		return float64(t.Fans), true
	case "fan.1.speed":
		return float64(t.FanSpeed), true
	case "alarm.high_supply_temperature":
		return flag(t.HighTemp)
	case "alarm.low_flow":
		return flag(t.LowFlow)
	case "alarm.fan_failed":
		return flag(t.FanFailure)
	}
	return 0, false
}
