package register

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"ballast/plant"
	"ballast/plant/modbus"
	"ballast/unit"
)

// The ways a write can fail before or after the device is told.
var (
	ErrReadOnly     = errors.New("the map does not allow it to be written")
	ErrLimit        = errors.New("outside the limits of the map")
	ErrStep         = errors.New("too large a change for one write")
	ErrNoSight      = errors.New("what is set now cannot be read, so nothing is changed")
	ErrNotConfirmed = errors.New("written, and the device shows something else")
)

// Written is a write that the device has shown to be in force. Values are in
// the field's base unit.
type Written struct {
	Field plant.Field
	Was   float64
	Now   float64 // as read back, rounded by the device
}

// confirmTries and confirmPause are how a written value is looked for: some
// controllers take a moment to take a value over.
const (
	confirmTries = 4
	confirmPause = 250 * time.Millisecond
)

// SetSetpoint sets the supply temperature of a cooling controller, with the
// care of Set.
func (d *Device) SetSetpoint(ctx context.Context, t unit.Temperature) (Written, error) {
	return d.Set(ctx, "setpoint", float64(t))
}

// Set writes one field, in its base unit, and returns when the device shows
// it. It refuses, with nothing written, what the map does not allow
// (ErrReadOnly, ErrLimit, ErrStep) and when the present value cannot be read
// (ErrNoSight). When the device shows something else afterwards, the former
// value is written back, as far as the device lets it, and the error is
// ErrNotConfirmed. Any other error after the first write means that it is not
// known what is set: read before acting.
func (d *Device) Set(ctx context.Context, f plant.Field, v float64) (Written, error) {
	return d.set(ctx, f, v, true)
}

// SetSafe writes the safe value of a field, whatever the step. It does not
// need to see the present value.
func (d *Device) SetSafe(ctx context.Context, f plant.Field) (Written, error) {
	p := d.byField[f]
	if p == nil || p.Write == nil || p.Write.Safe == nil {
		return Written{}, fmt.Errorf("making %s of %s safe: %w", f, d.c.Name, ErrReadOnly)
	}
	return d.set(ctx, f, p.conv.Base(*p.Write.Safe), false)
}

func (d *Device) set(ctx context.Context, f plant.Field, v float64, careful bool) (Written, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w, err := d.setLocked(ctx, f, v, careful)
	if err != nil {
		return w, fmt.Errorf("setting %s of %s: %w", f, d.c.Name, err)
	}
	return w, nil
}

func (d *Device) setLocked(ctx context.Context, f plant.Field, v float64, careful bool) (Written, error) {
	p := d.byField[f]
	if p == nil || p.Write == nil {
		return Written{}, ErrReadOnly
	}
	// Limits are in the map's unit, and so is the comparison: 30 °C is not less
	// than 86 °F by a rounding.
	in := p.conv.From(v)
	if slack := 1e-9 * math.Max(1, math.Abs(in)); !(in >= p.Write.Min-slack && in <= p.Write.Max+slack) {
		return Written{}, fmt.Errorf("%w: %v is not within %v to %v %s", ErrLimit, in, p.Write.Min, p.Write.Max, p.Unit)
	}
	words, err := p.encode(v)
	if err != nil {
		return Written{}, fmt.Errorf("%w: %w", ErrLimit, err)
	}
	before, err := d.fetch(ctx, p.table, int(p.Address), p.words)
	was, seen := 0.0, false
	if err == nil {
		was, seen = p.decode(before)
	}
	if careful {
		if err != nil {
			return Written{}, fmt.Errorf("%w: %w", ErrNoSight, err)
		}
		if !seen || was < p.min || was > p.max {
			return Written{}, fmt.Errorf("%w: it shows %v", ErrNoSight, was)
		}
		if change := math.Abs(in - p.conv.From(was)); p.Write.Step > 0 && change > p.Write.Step*(1+1e-9) {
			return Written{}, fmt.Errorf("%w: from %v to %v is more than %v %s", ErrStep, p.conv.From(was), in, p.Write.Step, p.Unit)
		}
	}
	if seen && slices.Equal(before, words) {
		return Written{f, was, was}, nil
	}
	if err := d.store(ctx, p, words); err != nil {
		return Written{f, was, v}, err
	}
	now, err := d.confirm(ctx, p, v)
	if err == nil {
		return Written{f, was, now}, nil
	}
	if errors.Is(err, ErrNotConfirmed) && careful {
		if back := d.store(ctx, p, before); back != nil {
			err = errors.Join(err, fmt.Errorf("and the former value could not be put back: %w", back))
		}
	}
	return Written{f, was, now}, err
}

func (d *Device) store(ctx context.Context, p *point, words []uint16) error {
	if p.table == modbus.Coils {
		return d.c.Client.WriteCoil(ctx, d.c.Unit, p.Address, words[0] != 0)
	}
	return d.c.Client.WriteRegisters(ctx, d.c.Unit, p.Address, words)
}

// confirm reads until the device shows v.
func (d *Device) confirm(ctx context.Context, p *point, v float64) (now float64, err error) {
	for try := range confirmTries {
		if try > 0 {
			select {
			case <-time.After(confirmPause):
			case <-ctx.Done():
				return now, ctx.Err()
			}
		}
		words, err := d.fetch(ctx, p.table, int(p.Address), p.words)
		if err != nil {
			return now, err
		}
		var ok bool
		// A device may round to its own step: half of the point's is let pass.
		if now, ok = p.decode(words); ok && math.Abs(now-v) <= 0.51*p.resolution(v)+1e-9 {
			return now, nil
		}
	}
	return now, fmt.Errorf("%w: %v instead of %v", ErrNotConfirmed, p.conv.From(now), p.conv.From(v))
}
