package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"

	"ballast/config"
	"ballast/plant"
	"ballast/plant/modbus"
	"ballast/plant/mqtt"
	"ballast/plant/register"
	"ballast/plant/snmp"
)

// withPort adds a well-known port where the configuration names none.
func withPort(address, port string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(strings.Trim(address, "[]"), port)
}

// sources makes a source of each configured device.
func (h *house) sources() ([]plant.Source, error) {
	p := h.cfg.Plant
	var out []plant.Source
	gateways := map[string]*modbus.Client{}
	registers := func(kind string, devices []config.ModbusDevice) error {
		for i, d := range devices {
			m, err := registerMap(d.Map)
			if err != nil {
				return fmt.Errorf("%w: plant.%s[%d].map: %w", errUsage, kind, i, err)
			}
			address := withPort(d.Address, "502")
			cl, ok := gateways[address]
			if !ok {
				cl = modbus.NewClient(modbus.Options{Address: address})
				gateways[address] = cl
			}
			s, err := register.New(register.Config{Name: d.Name, Map: m, Client: cl, Unit: d.Unit, Every: d.Interval, Log: h.log})
			if err != nil {
				return fmt.Errorf("%w: plant.%s[%d]: %w", errUsage, kind, i, err)
			}
			out = append(out, s)
		}
		return nil
	}
	if err := registers("meters", p.Meters); err != nil {
		return nil, err
	}
	if err := registers("cooling", p.Cooling); err != nil {
		return nil, err
	}
	for i, d := range p.PDUs {
		m, err := snmp.Builtin(d.Map)
		if err != nil {
			return nil, fmt.Errorf("%w: plant.pdus[%d].map: %w; there are %s", errUsage, i, err, strings.Join(snmp.BuiltinNames(), ", "))
		}
		s, err := snmp.New(snmp.Config{Name: d.Name, Map: m, Address: d.Address, Community: plant.Secret(d.Community), Every: d.Interval, Log: h.log})
		if err != nil {
			return nil, fmt.Errorf("%w: plant.pdus[%d]: %w", errUsage, i, err)
		}
		out = append(out, s)
	}
	for i, b := range p.MQTT {
		text, err := os.ReadFile(b.Mapping)
		if err != nil {
			return nil, fmt.Errorf("%w: plant.mqtt[%d].mapping: %w", errUsage, i, err)
		}
		m, err := mqtt.ParseMapping(text)
		if err != nil {
			return nil, fmt.Errorf("%w: plant.mqtt[%d].mapping: %s: %w", errUsage, i, b.Mapping, err)
		}
		host, _ := os.Hostname()
		s, err := mqtt.New(mqtt.Config{Name: b.Name, Broker: b.Broker, ClientID: fmt.Sprintf("ballast-%s-%d", host, os.Getpid()), User: b.User, Password: plant.Secret(b.Password), Mapping: m, Log: h.log})
		if err != nil {
			return nil, fmt.Errorf("%w: plant.mqtt[%d]: %w", errUsage, i, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// registerMap is a built-in map, or a file.
func registerMap(name string) (register.Map, error) {
	if m, err := register.Builtin(name); err == nil {
		return m, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return register.Map{}, fmt.Errorf("%q is neither a built-in map (%s) nor a file", name, strings.Join(register.BuiltinNames(), ", "))
	}
	return register.ParseMap(text)
}

// plant reads all sources until ctx ends.
func (h *house) plant(ctx context.Context) error {
	if err := plant.RunAll(ctx, h.devices, h.bookMeters()); err != nil && ctx.Err() == nil {
		h.log.Error("a meter or controller cannot be read", "error", err)
	}
	<-ctx.Done()
	return nil
}
