package register

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"ballast/plant"
	"ballast/plant/modbus"
	"ballast/unit"
)

// Config is one device.
type Config struct {
	Name    string
	Map     Map
	Client  *modbus.Client // shared by the devices behind one gateway
	Unit    byte           // 0 is the map's
	Every   time.Duration  // 0 is 5 s
	Timeout time.Duration  // for all requests of one reading; 0 is Every
	Life    time.Duration  // 0 is three times Every
	Rated   unit.Power     // the most that can flow through a meter, if known: energy beyond it is not believed
	Log     *slog.Logger
}

// Device is one meter or controller: a plant.Source.
type Device struct {
	c       Config
	points  []point
	byField map[plant.Field]*point

	mu      sync.Mutex // one reading or writing at a time
	blocks  []block
	counter plant.Counter
}

var _ plant.Source = (*Device)(nil)

// New makes a device. It does not talk to it yet.
func New(c Config) (*Device, error) {
	points, err := c.Map.prepare()
	if err != nil {
		return nil, err
	}
	if c.Client == nil {
		return nil, fmt.Errorf("device %s: no client", c.Name)
	}
	if c.Every <= 0 {
		c.Every = 5 * time.Second
	}
	if c.Unit == 0 {
		c.Unit = max(c.Map.Unit, 1)
	}
	d := &Device{c: c, points: points, byField: map[plant.Field]*point{}}
	list := make([]*point, len(points))
	for i := range points {
		p := &points[i]
		list[i], d.byField[p.Field] = p, p
	}
	gap := c.Map.MaxGap
	switch {
	case gap == 0:
		gap = 16
	case gap < 0:
		gap = 0
	}
	d.blocks = plan(list, c.Map.MaxBlock, gap)
	if p := d.byField["energy_import"]; p != nil {
		d.counter = plant.Counter{Wrap: unit.Energy(p.wrap()), Most: c.Rated}
	}
	return d, nil
}

// Name implements plant.Source.
func (d *Device) Name() string { return d.c.Name }

// Run implements plant.Source.
func (d *Device) Run(ctx context.Context, emit func(plant.Reading)) error {
	return plant.Poller{Name: d.c.Name, Kind: d.c.Map.Kind, Every: d.c.Every, Timeout: d.c.Timeout, Life: d.c.Life, Read: d.Read, Log: d.c.Log}.Run(ctx, emit)
}

// Read reads everything once. It fails only when nothing could be read;
// otherwise what is missing is a warning.
func (d *Device) Read(ctx context.Context) (plant.Reading, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	start := time.Now()
	r := plant.Reading{Source: d.c.Name, Kind: d.c.Map.Kind, Life: d.c.Life}
	missing := 0
	var failed error
	for i := 0; i < len(d.blocks); i++ {
		b := d.blocks[i]
		err := d.readBlock(ctx, b, &r)
		if err == nil {
			continue
		}
		refusal, refused := errors.AsType[modbus.Exception](err)
		if refused && (refusal == modbus.IllegalDataAddress || refusal == modbus.IllegalDataValue) && !b.whole(d.c.Map.MaxBlock) {
			// The device refuses the gaps: read around them from now on.
			d.blocks = append(append(d.blocks[:i:i], b.split(d.c.Map.MaxBlock)...), d.blocks[i+1:]...)
			i--
			continue
		}
		failed = err
		missing += len(b.points)
		if !refused { // the line is dead, not the register
			return plant.Reading{}, fmt.Errorf("reading %s: %w", d.c.Name, err)
		}
		for _, p := range b.points {
			r.Warn(plant.WarnMissing, string(p.Field), refusal.Error())
		}
	}
	if missing == len(d.points) {
		return plant.Reading{}, fmt.Errorf("reading %s: %w", d.c.Name, failed)
	}
	r.At = time.Now()
	r.Took = r.At.Sub(start)
	d.finish(&r)
	return r, nil
}

func (d *Device) readBlock(ctx context.Context, b block, r *plant.Reading) error {
	words, err := d.fetch(ctx, b.table, b.address, b.count)
	if err != nil {
		return err
	}
	for _, p := range b.points {
		v, ok := p.decode(words[int(p.Address)-b.address:])
		if !ok {
			r.Warn(plant.WarnMissing, string(p.Field), "the device has no value")
			continue
		}
		r.PutInfo(p.Field, p.info, v, p.min, p.max)
	}
	return nil
}

// fetch reads words, or bits as words of 0 and 1.
func (d *Device) fetch(ctx context.Context, t modbus.Table, address, n int) ([]uint16, error) {
	if !t.Bits() {
		return d.c.Client.ReadRegisters(ctx, d.c.Unit, t, uint16(address), n)
	}
	bits, err := d.c.Client.ReadBits(ctx, d.c.Unit, t, uint16(address), n)
	if err != nil {
		return nil, err
	}
	words := make([]uint16, len(bits))
	for i, on := range bits {
		if on {
			words[i] = 1
		}
	}
	return words, nil
}

// finish works out what follows from the values together.
func (d *Device) finish(r *plant.Reading) {
	if m := r.Meter; m != nil {
		if total, ok := m.EnergyImport.Get(); ok {
			since, step := d.counter.See(total, r.At)
			m.ImportSince = since
			if step != plant.Counted && step != plant.First {
				r.Warn(plant.WarnRollOver, "energy_import", string(step))
			}
		}
		checkPhases(r)
	}
	r.Quality = plant.Good
	for _, w := range r.Warnings {
		if w.Kind != plant.WarnRollOver {
			r.Quality = plant.Partial
		}
	}
}

// checkPhases compares the total with the sum of the phases. They are measured
// a moment apart, so only a gross difference tells of a wrong map or a meter
// that is wired wrong.
func checkPhases(r *plant.Reading) {
	total, ok := r.Meter.Power.Get()
	if !ok {
		return
	}
	var sum unit.Power
	for _, p := range r.Meter.PowerPhase {
		v, ok := p.Get()
		if !ok {
			return
		}
		sum += v
	}
	if diff := math.Abs(float64(total - sum)); diff > 0.1*math.Abs(float64(total)) && diff > 1000 {
		r.Warn(plant.WarnConflict, "power", fmt.Sprintf("total %s, phases together %s", total, sum))
	}
}
