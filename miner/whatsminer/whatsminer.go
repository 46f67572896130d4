package whatsminer

import (
	"bytes"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// Driver is MicroBT's stock firmware.
type Driver struct {
	now    func() time.Time
	models models
}

var (
	_ miner.Driver = (*Driver)(nil)
	_ miner.Hinter = (*Driver)(nil)
	_ miner.Device = (*Device)(nil)
)

// New makes the driver.
func New() miner.Driver { return &Driver{now: time.Now} }

// Firmware is miner.Whatsminer.
func (d *Driver) Firmware() miner.Firmware { return miner.Whatsminer }

// Open makes a device without traffic.
func (d *Driver) Open(t miner.Target) miner.Device {
	return &Device{
		target: t, now: d.now, parse: d.Parse, turn: make(chan struct{}, 1), cadence: cgminer.NewCadence(t),
		v3: line{target: t}, known: miner.Replies{},
	}
}

// Hint knows MicroBT by its names in a reply on 4028, by the status that it
// writes as a text instead of a list, and by any API v3 frame on 4433.
func (d *Driver) Hint(port uint16, reply []byte) bool {
	switch port {
	case portV2:
		for _, mark := range []string{"btminer", "bitmicro", "whatsminer"} {
			if bytes.Contains(bytes.ToLower(reply), []byte(mark)) {
				return true
			}
		}
		return bytes.Contains(reply, []byte(`"STATUS":"`)) && !bytes.Contains(reply, []byte(`"STATUS":[`))
	case portV3:
		return bytes.Contains(reply, []byte(`"code"`)) && (bytes.Contains(reply, []byte("get.device.info")) || bytes.Contains(reply, []byte(`"msg"`)))
	}
	return false
}
