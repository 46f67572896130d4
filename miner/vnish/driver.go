package vnish

import (
	"bytes"
	"fmt"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/miner/internal/web"
)

// Port is where the API listens.
const Port = 80

// Driver is the VNish family.
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

// Firmware is miner.VNish.
func (*Driver) Firmware() miner.Firmware { return miner.VNish }

// Hint knows the dashboard by its title and the cgminer API by the version that
// VNish adds to the model.
func (*Driver) Hint(_ uint16, reply []byte) bool {
	lower := bytes.ToLower(reply)
	return bytes.Contains(lower, []byte("anthill")) || bytes.Contains(lower, []byte("vnish")) || bytes.Contains(lower, []byte("xminer"))
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
	if p.any() {
		return p.reading(), nil
	}
	// The cgminer API of the same machine.
	if r, err := cgminer.New().Parse(replies); err == nil && (r.Identity.Model != "" || r.State != miner.Unknown) {
		r.Identity.Firmware = miner.VNish
		return r, nil
	}
	r := p.reading()
	return r, fmt.Errorf("reading %d replies of a VNish machine: %w", len(replies), miner.ErrGarbage)
}
