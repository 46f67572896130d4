package braiins

import (
	"bytes"
	"net/http"
	"sync"
	"sync/atomic"

	"ballast/miner"
)

// Driver is the Braiins family.
type Driver struct {
	transport *http.Transport

	// models remembers what the table of models said: a fleet has a handful
	// of models and a lookup takes words apart.
	models      sync.Map // string to foundModel
	modelsCount atomic.Int32
}

type foundModel struct {
	model miner.Model
	known bool
}

// lookupModel is [miner.LookupModel], remembered. Words come from outside, so
// only so many are.
func (d *Driver) lookupModel(told string) (miner.Model, bool) {
	if f, ok := d.models.Load(told); ok {
		return f.(foundModel).model, f.(foundModel).known
	}
	m, known := miner.LookupModel(told)
	if d.modelsCount.Add(1) < 1024 {
		d.models.Store(told, foundModel{m, known})
	}
	return m, known
}

var (
	_ miner.Driver = (*Driver)(nil)
	_ miner.Hinter = (*Driver)(nil)
)

// New makes the driver.
func New() miner.Driver { return &Driver{transport: newTransport()} }

// Firmware names the family.
func (*Driver) Firmware() miner.Firmware { return miner.Braiins }

// Hint tells BOSminer and BOSer by their names on 4028, and the web page by its
// title.
func (*Driver) Hint(port uint16, reply []byte) bool {
	switch port {
	case 4028:
		return isBOS(reply)
	case 80, 443:
		return bytes.Contains(reply, []byte("Braiins OS"))
	}
	return false
}
