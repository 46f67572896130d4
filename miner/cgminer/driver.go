package cgminer

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// Driver reads any machine that speaks the cgminer API.
type Driver struct{}

var (
	_ miner.Driver = (*Driver)(nil)
	_ miner.Hinter = (*Driver)(nil)
)

// New makes the driver.
func New() miner.Driver { return &Driver{} }

// Firmware is [miner.CGMiner].
func (*Driver) Firmware() miner.Firmware { return miner.CGMiner }

// Hint tells whether reply, from the API's port, is one of the API at all. The
// families that have a driver of their own say so more precisely.
func (*Driver) Hint(port uint16, reply []byte) bool {
	return port == Port && (bytes.Contains(reply, []byte(`"STATUS"`)) || isText(trim(reply)))
}

// Open makes a device without any traffic.
func (d *Driver) Open(t miner.Target) miner.Device {
	return &Device{target: t, driver: d, cadence: NewCadence(t)}
}

// noise are keys of STATS and SUMMARY that say nothing of the machine.
var noise = []string{"STATS", "ID", "Calls", "Wait", "Max", "Min", "Works"}

// Parse reads replies named by their commands; see the package's comment. What
// the pools count beyond [miner.Pool]'s fields (difficulty-weighted shares, get
// failures, quotas) is left out.
func (*Driver) Parse(replies miner.Replies) (miner.Reading, error) {
	r := miner.Reading{Identity: miner.Identity{Firmware: miner.CGMiner}, State: miner.Unknown}
	b := Collect(replies, r.Warn)
	if len(b.Parts) == 0 {
		return r, fmt.Errorf("reading %d replies: %w", len(replies), nothing(&r))
	}
	fillIdentity(&r, b)
	m, _ := miner.LookupModel(r.Identity.ModelTold)
	if !chosen(m) {
		m, _ = miner.LookupModel(r.Identity.Model)
	}
	fillReports(&r, b, m)
	fillState(&r)
	return r, nil
}

func chosen(m miner.Model) bool { return m.Name != "" }

// nothing says why nothing was read: the machine declined everything, or sent
// rubbish.
func nothing(r *miner.Reading) error {
	for _, w := range r.Warnings {
		if w.Kind == miner.WarnRefused {
			return fmt.Errorf("%w: %s", miner.ErrRefused, w.Detail)
		}
	}
	if len(r.Warnings) > 0 {
		return fmt.Errorf("%w: %s: %s", miner.ErrGarbage, r.Warnings[0].Where, r.Warnings[0].Detail)
	}
	return fmt.Errorf("%w: no replies", miner.ErrGarbage)
}

func fillIdentity(r *miner.Reading, b Bundle) {
	if version, ok := b.With("VERSION"); ok {
		FillVersion(r, version)
		version.First("VERSION").Rest(r, "version.")
	}
	stats, _ := b.With("STATS")
	for _, o := range stats.Section("STATS") {
		if told := o.Text("Type"); told != "" && r.Identity.Model == "" {
			SetModel(r, told)
		}
	}
}

func fillReports(r *miner.Reading, b Bundle, m miner.Model) {
	if reply, ok := b.With("SUMMARY"); ok {
		o := reply.First("SUMMARY")
		FillSummary(r, o)
		o.Use(noise...)
		o.Rest(r, "")
	}
	chains := false
	if reply, ok := b.With("STATS"); ok {
		for _, o := range reply.Section("STATS") {
			o.Use("Type", "CompileTime", "Miner", "BMMiner", "CGMiner")
			if strings.HasPrefix(o.Text("ID"), "POOL") {
				continue // cgminer lists its pools' getwork times here too
			}
			if FillChains(r, o, m) {
				chains = true
			} else if len(r.Fans) == 0 {
				FillFans(r, o, m.Fans)
			}
			o.Use(noise...)
			o.Rest(r, "stats.")
		}
	}
	if reply, ok := b.With("DEVS"); ok && !chains {
		FillDevs(r, reply)
		nameChips(r, m)
	}
	if reply, ok := b.With("POOLS"); ok {
		FillPools(r, reply)
		FaultDeadPools(r)
	}
	if reply, ok := b.With("DEVDETAILS"); ok {
		for i, o := range reply.Section("DEVDETAILS") {
			o.Use("DEVDETAILS", "ID", "Kernel", "Device Path")
			o.Rest(r, "device"+itoa(i%100)+".")
		}
	}
	for _, section := range []string{"CONFIG", "COIN"} {
		if reply, ok := b.With(section); ok {
			o := reply.First(section)
			o.Use("Pool Count", "ASC Count", "PGA Count", "Log Interval", "Current Block Hash")
			o.Rest(r, strings.ToLower(section)+".")
		}
	}
	FillTemps(r)
}

func nameChips(r *miner.Reading, m miner.Model) {
	for i := range r.Boards {
		if m.ChipType != "" && len(r.Boards) == m.Boards {
			r.Boards[i].ChipType = m.ChipType
		}
	}
}

// warmUp is how long a machine may hash nothing after its process started
// before that is called a standstill.
const warmUp = 10 * time.Minute

// fillState judges by the evidence: the API has no word for what a machine is
// doing, nor for sleep.
func fillState(r *miner.Reading) {
	rate, ok := r.HashrateNow.OrElse(r.HashrateAverage).Get()
	switch {
	case !ok:
		return
	case rate > 0:
		r.State = miner.Hashing
	case r.MinerUptime.Or(warmUp) < warmUp:
		r.State = miner.Starting
	default:
		r.State = miner.Stopped
	}
	if r.State != miner.Hashing {
		dropIdleZeros(r)
	}
}

// dropIdleZeros leaves the averages of a machine that does not hash, which are
// true, and drops what only looks like a measurement.
func dropIdleZeros(r *miner.Reading) {
	for i := range r.Boards {
		b := &r.Boards[i]
		if b.Frequency.Or(1) == 0 {
			b.Frequency = unit.None[unit.Frequency]()
		}
	}
}
