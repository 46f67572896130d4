package epic

import (
	"bytes"
	"fmt"
	"time"

	"ballast/miner"
	"ballast/miner/internal/web"
)

// Port is where PowerPlay listens.
const Port = 4028

// Driver is the ePIC family.
type Driver struct {
	client web.Client
	now    func() time.Time
}

var (
	_ miner.Driver = (*Driver)(nil)
	_ miner.Hinter = (*Driver)(nil)
)

// New makes the driver.
func New() miner.Driver { return &Driver{now: time.Now} }

// Firmware is miner.EPIC.
func (*Driver) Firmware() miner.Firmware { return miner.EPIC }

// Hint knows PowerPlay by its HTTP on the cgminer port, and by the title of its
// dashboard.
func (*Driver) Hint(port uint16, reply []byte) bool {
	if port == Port {
		return bytes.HasPrefix(reply, []byte("HTTP/"))
	}
	return bytes.Contains(reply, []byte("Miner Web Dashboard"))
}

// Open makes a device without any traffic.
func (d *Driver) Open(t miner.Target) miner.Device {
	return &Device{driver: d, target: t}
}

// Parse reads any subset of the replies that the package comment lists. It
// fails only when nothing in them could be read.
func (d *Driver) Parse(replies miner.Replies) (miner.Reading, error) {
	var p parts
	for name, raw := range replies {
		p.take(name, raw)
	}
	r := p.reading()
	if !p.any() {
		return r, fmt.Errorf("reading %d replies of an ePIC machine: %w", len(replies), miner.ErrGarbage)
	}
	return r, nil
}
