package cgminer

import (
	"slices"
	"strings"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// windows are the averaging windows of hashrate keys, shortest first.
var windows = []string{"5s", "10s", "15s", "20s", "30s", "1m", "5m", "15m", "30m", "60m", "1h", "24h"}

// sinceStart is the window over the life of the mining process.
const sinceStart = "av"

// rates finds the hashrate over the shortest window and that since the start,
// among keys such as "GHS 5s", "MHS 1m" and "GHS av".
func rates(o Object, warn Warn) (now, average unit.Opt[unit.Hashrate]) {
	best := len(windows)
	for i := range o.fields {
		f := &o.fields[i]
		if len(f.Key) < 6 || f.Key[1:4] != "HS " || !f.filled() {
			continue
		}
		one, ok := rateUnit(f.Key[:2])
		if !ok {
			continue
		}
		if f.Key[4:] == sinceStart {
			f.used = true
			average = f.hashrate(warn, o.where, one)
			continue
		}
		if rank := slices.Index(windows, f.Key[4:]); rank >= 0 && rank < best {
			if v := f.hashrate(warn, o.where, one); v.Ok() {
				best, now = rank, v
				f.used = true
			}
		}
	}
	return now, average
}

// nominal is the hashrate that the firmware expects, where it has a key for it.
func nominal(o Object, warn Warn) unit.Opt[unit.Hashrate] {
	return nonzero(o.Hashrate(warn, unit.GHs/1e3, "Nominal MHS", "MHS nominal").OrElse(o.Hashrate(warn, unit.GHs, "Factory GHS", "Nominal GHS")))
}

// FillSummary reads a SUMMARY object: hashrates ("GHS 5s", "MHS av" and their
// kin), elapsed time and share counters.
func FillSummary(r *miner.Reading, o Object) {
	r.MinerUptime = o.Seconds("Elapsed").OrElse(r.MinerUptime)
	now, average := rates(o, r.Warn)
	r.HashrateNow, r.HashrateAverage = now.OrElse(r.HashrateNow), average.OrElse(r.HashrateAverage)
	r.HashrateNominal = nominal(o, r.Warn).OrElse(r.HashrateNominal)
	r.Accepted = o.Count("Accepted").OrElse(r.Accepted)
	r.Rejected = o.Count("Rejected").OrElse(r.Rejected)
	r.Stale = o.Count("Stale").OrElse(r.Stale)
	r.HWErrors = o.Count("Hardware Errors").OrElse(r.HWErrors)
	r.HWErrorRatio = o.Percent("Device Hardware%").OrElse(r.HWErrorRatio)
	r.Blocks = o.Count("Found Blocks").OrElse(r.Blocks)
	if v, ok := o.Scaled("Best Share").Get(); ok && v >= 0 {
		r.BestShare = unit.Some(v)
	}
}

// FillPools reads the POOLS section. Slots without an address are not pools.
func FillPools(r *miner.Reading, reply Reply) {
	for i, o := range reply.Section("POOLS") {
		p := miner.Pool{
			Index:      int(o.Count("POOL", "index").Or(int64(i))),
			URL:        o.Text("URL", "Stratum URL", "url"),
			User:       o.Text("User", "user"),
			Priority:   intOf(o.Int("Priority", "priority")),
			Active:     o.Bool("Stratum Active", "Active"),
			Status:     o.Text("Status", "status"),
			Accepted:   o.Count("Accepted", "accepted"),
			Rejected:   o.Count("Rejected", "rejected"),
			Stale:      o.Count("Stale", "stale"),
			Difficulty: positive(o.Scaled("Stratum Difficulty")).OrElse(positive(o.Scaled("Diff", "diff", "Work Difficulty"))),
			LastShare:  LastShare(o.Text("Last Share Time", "lstime"), reply.Status.When),
		}
		if p.URL == "" {
			continue
		}
		switch strings.ToLower(p.Status) {
		case "alive":
			p.Alive = unit.Some(true)
		case "dead", "unreachable":
			p.Alive = unit.Some(false)
		case "disabled":
			p.Active = unit.Some(false)
		}
		r.Pools = append(r.Pools, p)
	}
}

func positive(v unit.Opt[float64]) unit.Opt[float64] {
	if v.Or(0) > 0 {
		return v
	}
	return unit.None[float64]()
}

func intOf(v unit.Opt[int64]) unit.Opt[int] {
	if n, ok := v.Get(); ok {
		return unit.Some(int(n))
	}
	return unit.None[int]()
}

// LastShare reads the time of a pool's last share: seconds since 1970 or, in
// Bitmain's and Luxor's form, "h:mm:ss" before the time of the reply. 0 is
// never, and seconds since boot (a machine without a clock) are no date.
func LastShare(text string, now time.Time) unit.Opt[time.Time] {
	parts := strings.Split(text, ":")
	if len(parts) == 1 {
		if t := clock(Number(text).Or(0)); !t.IsZero() {
			return unit.Some(t)
		}
		return unit.None[time.Time]()
	}
	if now.IsZero() || len(parts) != 3 {
		return unit.None[time.Time]()
	}
	seconds := 0.0
	for _, p := range parts {
		v, ok := Number(p).Get()
		if !ok || v < 0 {
			return unit.None[time.Time]()
		}
		seconds = seconds*60 + v
	}
	if seconds > 10*365*86400 { // since 1970: never
		return unit.None[time.Time]()
	}
	return unit.Some(now.Add(-time.Duration(seconds * float64(time.Second))))
}

// FaultDeadPools adds a fault when the machine says of every pool that it is
// dead, and did not complain of that already.
func FaultDeadPools(r *miner.Reading) {
	if slices.ContainsFunc(r.Faults, func(f miner.Fault) bool { return f.Code == miner.ControlPool }) {
		return
	}
	for _, p := range r.Pools {
		if p.Alive.Or(true) {
			return
		}
	}
	if len(r.Pools) > 0 {
		r.Faults = append(r.Faults, miner.NewFault(miner.ControlPool, miner.Critical, -1, "", "all pools are dead"))
	}
}

// FillDevs reads a DEVS section into boards, for firmwares where a device is a
// board. A board that the reading has already is completed.
func FillDevs(r *miner.Reading, reply Reply) {
	for i, o := range reply.Section("DEVS") {
		b := BoardAt(r, int(o.Count("ASC", "PGA", "ID").Or(int64(i))))
		o.Use("ID", "ASC")
		b.Present = b.Present.OrElse(unit.Some(true))
		b.Enabled = o.Bool("Enabled").OrElse(b.Enabled)
		if s := o.Text("Status"); s != "" {
			b.Status = s
		}
		now, average := rates(o, r.Warn)
		b.Hashrate = now.OrElse(average).OrElse(b.Hashrate)
		b.HashrateNominal = nominal(o, r.Warn).OrElse(b.HashrateNominal)
		if v := o.Temperature(r.Warn, "Temperature"); v.Or(0) != 0 { // 0 is a device without a sensor
			b.TempBoard = v
		}
		b.Frequency = o.Frequency(r.Warn, "Frequency").OrElse(b.Frequency)
		b.HWErrors = o.Count("Hardware Errors").OrElse(b.HWErrors)
		b.HWErrorRatio = o.Percent("Device Hardware%").OrElse(b.HWErrorRatio)
		if s := o.Text("SerialNumber", "PCB SN"); s != "" {
			b.Serial = s
		}
	}
}

// BoardAt is the reading's board in slot index, made when it is not there.
// The pointer holds until the next board is made.
func BoardAt(r *miner.Reading, index int) *miner.Board {
	at, found := slices.BinarySearchFunc(r.Boards, index, func(b miner.Board, i int) int { return b.Index - i })
	if !found {
		r.Boards = slices.Insert(r.Boards, at, miner.Board{Index: index})
	}
	return &r.Boards[at]
}

// FillVersion reads the VERSION section: API version, MAC, the machine's model
// and the miner software's version (as the firmware's, unless it has one).
func FillVersion(r *miner.Reading, reply Reply) {
	o := reply.First("VERSION")
	if v := o.Text("API", "api_ver"); v != "" {
		r.Identity.APIVersion = v
	}
	if v := o.Text("LUXminer", "BOSer", "BOSminer+", "BOSminer", "CGMiner", "BMMiner", "Miner", "fw_ver"); v != "" && r.Identity.FirmwareVersion == "" {
		r.Identity.FirmwareVersion = v
	}
	if mac := miner.NormalMAC(o.Text("MAC")); mac != "" {
		r.Identity.MAC = mac
	}
	if told := o.Text("Type", "PROD"); told != "" {
		SetModel(r, told)
	}
}

// SetModel names the machine's make and model by what it tells, through the
// table of models, and returns the row. An unknown model keeps the machine's
// words, with a warning.
func SetModel(r *miner.Reading, told string) (miner.Model, bool) {
	if told == "" {
		return miner.Model{}, false
	}
	id := &r.Identity
	m, ok := miner.LookupModel(told)
	if !ok {
		id.Model, id.ModelTold = told, told
		r.Warn(miner.WarnUnknown, "model", told)
		return m, false
	}
	id.Make, id.Model, id.ModelTold = m.Make, m.Name, ""
	if told != m.Name {
		id.ModelTold = told
	}
	return m, true
}
