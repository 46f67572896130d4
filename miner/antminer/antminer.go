package antminer

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// Ports that stock firmware listens on.
const (
	apiPort  = cgminer.Port
	webPort  = 80
	infoPort = 6060
)

// realm is what the web interface calls itself.
const realm = "antMiner Configuration"

// Driver is the driver of stock Antminers.
type Driver struct {
	transport *http.Transport // shared by all devices: one pool of idle connections
}

var (
	_ miner.Driver = (*Driver)(nil)
	_ miner.Hinter = (*Driver)(nil)
)

// New makes the driver.
func New() miner.Driver { return &Driver{transport: newTransport()} }

// Firmware is [miner.Antminer].
func (*Driver) Firmware() miner.Firmware { return miner.Antminer }

// Open makes a device without any traffic. Credentials are those of the web
// interface; without them it can be read as far as port 4028 tells, and nothing
// can be set. A password without a user is root's.
func (d *Driver) Open(t miner.Target) miner.Device { return newDevice(d, t) }

// Hint recognises Bitmain's version reply, and the web interface's realm.
func (*Driver) Hint(port uint16, reply []byte) bool {
	switch port {
	case apiPort:
		return isStock(reply)
	case webPort:
		return bytes.Contains(reply, []byte(realm))
	}
	return false
}

// foreign are the words by which other firmwares for Antminers name themselves
// in their version reply.
var foreign = [][]byte{[]byte("luxminer"), []byte("boser"), []byte("bosminer"), []byte("vnish"), []byte("hiveon"), []byte("mara"), []byte("anthill"), []byte("epic"), []byte("btminer"), []byte("avalon")}

// isStock tells whether a version reply is Bitmain's own firmware's.
func isStock(version []byte) bool {
	lower := bytes.ToLower(version)
	if !bytes.Contains(lower, []byte("antminer")) {
		return false
	}
	for _, word := range foreign {
		if bytes.Contains(lower, word) {
			return false
		}
	}
	return true
}

// Parse reads replies by their content; see the package's comment for the names
// that the device gives them. Pools' counters beyond [miner.Pool]'s fields are
// left out, and of the configuration the pools' passwords and the API's access
// rules.
func (*Driver) Parse(replies miner.Replies) (miner.Reading, error) {
	p := parser{r: miner.Reading{Identity: miner.Identity{Make: "Bitmain", Firmware: miner.Antminer}, State: miner.Unknown}}
	for _, name := range slices.Sorted(maps.Keys(replies)) {
		p.take(name, replies[name])
	}
	if p.taken == 0 {
		return p.r, p.nothing(len(replies))
	}
	p.identify()
	p.readModern()
	p.readLegacy()
	p.readPools()
	p.readTold()
	p.judge()
	cgminer.FillTemps(&p.r)
	return p.r, nil
}

// parser gathers what the replies are before it reads them: what one says
// decides how another is read.
type parser struct {
	r     miner.Reading
	taken int

	version                            cgminer.Object   // 4028, old form
	summary                            cgminer.Object   //
	stats, chainMap                    []cgminer.Object //
	pools, devs                        cgminer.Reply    //
	statsNew, summaryNew               cgminer.Object   // new form
	info                               cgminer.Object   // INFO beside one of them
	system, kind, conf, network, blink cgminer.Object   // CGI
	warning                            cgminer.Object   // port 6060
	power                              unit.Opt[unit.Power]
	log                                []byte

	model    miner.Model
	mode     unit.Opt[int64] // work mode as told by stats, else by the configuration
	modeFrom string
}

// take files one reply under what it is.
func (p *parser) take(name string, raw []byte) {
	switch {
	case isKernelLog(name, raw):
		p.log = raw
		p.taken++
		return
	case p.takePower(raw):
		p.taken++
		return
	}
	reply, ok := cgminer.Read(name, withCommas(raw), p.r.Warn)
	if !ok {
		return
	}
	for _, part := range reply.Parts() {
		if !part.Status.OK() {
			p.r.Warn(miner.WarnRefused, part.Name, part.Status.Msg)
			continue
		}
		if p.file(part) {
			p.taken++
		} else {
			p.r.Warn(miner.WarnUnknown, part.Name, "not an Antminer's reply")
		}
	}
}

// withCommas puts the comma between the objects of stats that bmminer always
// forgets: a habit, not damage to be warned of.
func withCommas(raw []byte) []byte {
	forgotten := []byte(`}{"STATS":`)
	if !bytes.Contains(raw, forgotten) {
		return raw
	}
	return bytes.ReplaceAll(raw, forgotten, []byte(`},{"STATS":`))
}

// file tells what a reply is by its sections or keys.
func (p *parser) file(part cgminer.Reply) bool {
	if part.Status.Kind == 0 && p.fileFlat(part.Root()) {
		return true
	}
	switch {
	case part.Has("STATS"):
		p.fileStats(part)
	case part.Has("SUMMARY"):
		if o := part.First("SUMMARY"); isModern(o) {
			p.summaryNew = o
			p.fileInfo(part)
		} else {
			p.summary = o
		}
	case part.Has("POOLS"):
		p.pools = part
	case part.Has("VERSION"):
		p.version = part.First("VERSION")
	case part.Has("DEVS"):
		p.devs = part
	default:
		return false
	}
	return true
}

func (p *parser) fileStats(part cgminer.Reply) {
	objects := part.Section("STATS")
	for _, o := range objects {
		switch {
		case isModern(o):
			p.statsNew = o
			p.fileInfo(part)
			return
		case o.Has("chain_acs1", "chain_acs6") && !o.Has("Elapsed"):
			p.chainMap = objects
			return
		}
	}
	p.stats = objects
}

func (p *parser) fileInfo(part cgminer.Reply) {
	if o := part.First("INFO"); !o.Empty() {
		p.info = o
	}
	if s := part.First("STATUS"); p.r.Identity.APIVersion == "" {
		p.r.Identity.APIVersion = s.Text("api_version")
	}
}

// isModern tells the form of the web interface from the cgminer API's.
func isModern(o cgminer.Object) bool { return o.Has("rate_5s", "rate_avg", "chain", "rate_ideal") }

// nothing says why nothing was read.
func (p *parser) nothing(n int) error {
	for _, w := range p.r.Warnings {
		if w.Kind == miner.WarnRefused {
			return fmt.Errorf("reading %d replies: %w: %s", n, miner.ErrRefused, w.Detail)
		}
	}
	if len(p.r.Warnings) > 0 {
		w := p.r.Warnings[0]
		return fmt.Errorf("reading %d replies: %w: %s: %s", n, miner.ErrGarbage, w.Where, w.Detail)
	}
	return fmt.Errorf("%w: no replies", miner.ErrGarbage)
}

// identify finds out which machine it is. Several replies name the model; the
// first name that the table of models knows wins.
func (p *parser) identify() {
	id := &p.r.Identity
	if v := p.version.Text("API"); v != "" {
		id.APIVersion = v
	}
	id.FirmwareVersion = firstText(p.system.Text("system_filesystem_version", "file_system_version"), p.version.Text("CompileTime"),
		p.info.Text("CompileTime"), p.kind.Text("fw_version"), p.version.Text("Miner"))
	names := []string{p.version.Text("Type"), p.info.Text("type"), p.kind.Text("miner_type"), p.system.Text("minertype")}
	for _, o := range p.stats {
		names = append(names, o.Text("Type"))
		if id.FirmwareVersion == "" {
			id.FirmwareVersion = o.Text("CompileTime")
		}
	}
	p.nameModel(names)
	if mac := miner.NormalMAC(firstText(p.system.Text("macaddr"), p.network.Text("macaddr"))); mac != "" {
		id.MAC = mac
	}
	id.Serial = p.system.Text("serinum", "serial_no")
	id.Hostname = firstText(p.system.Text("hostname"), p.network.Text("conf_hostname"))
	id.ControlBoard = p.kind.Text("subtype")
}

func firstText(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

func (p *parser) nameModel(names []string) {
	told := ""
	for _, name := range names {
		if name == "" {
			continue
		}
		if m, ok := miner.LookupModel(name); ok {
			p.model, told = m, name
			break
		}
		if told == "" {
			told = name
		}
	}
	id := &p.r.Identity
	switch {
	case told == "":
		return
	case p.model.Name == "":
		id.Model, id.ModelTold = told, told
		p.r.Warn(miner.WarnUnknown, "model", told)
		return
	}
	id.Make, id.Model, id.ModelTold = p.model.Make, p.model.Name, ""
	if told != p.model.Name {
		id.ModelTold = told
	}
}

// readPools reads the live list, or failing that the configured one.
func (p *parser) readPools() {
	cgminer.FillPools(&p.r, p.pools)
	for i := range p.r.Pools {
		p.countShares(&p.r.Pools[i])
	}
	if len(p.r.Pools) > 0 {
		return
	}
	for i, o := range p.conf.List("pools") {
		if url := o.Text("url"); url != "" {
			p.r.Pools = append(p.r.Pools, miner.Pool{Index: i, URL: url, User: o.Text("user")})
		}
	}
}

// countShares adds a pool's shares to the machine's when its summary, in the
// new form, has none.
func (p *parser) countShares(pool *miner.Pool) {
	if !p.summary.Empty() {
		return
	}
	add := func(sum *unit.Opt[int64], v unit.Opt[int64]) {
		if n, ok := v.Get(); ok {
			*sum = unit.Some(sum.Or(0) + n)
		}
	}
	add(&p.r.Accepted, pool.Accepted)
	add(&p.r.Rejected, pool.Rejected)
	add(&p.r.Stale, pool.Stale)
}

// Work modes (set_miner_conf.cgi). 254 is sleep on the S17.
const (
	modeNormal   = 0
	modeSleep    = 1
	modeHigh     = 2
	modeLow      = 3
	modeOldSleep = 254
)

// warmUp is how long a machine may take to hash after its process started.
const warmUp = 10 * time.Minute

// judge decides what the machine is doing: by its work mode, then by what it
// hashes.
func (p *parser) judge() {
	r := &p.r
	if mode, ok := p.mode.Get(); ok {
		switch mode {
		case modeSleep, modeOldSleep:
			p.asleep(mode)
			return
		case modeNormal:
			r.Mode = miner.ModeNormal
		case modeHigh:
			r.Mode = miner.ModeHigh
		case modeLow:
			r.Mode = miner.ModeLow
		default:
			r.Warn(miner.WarnUnknown, p.modeFrom, fmt.Sprintf("work mode %d", mode))
		}
	}
	rate, ok := r.HashrateNow.OrElse(r.HashrateAverage).Get()
	if !ok {
		return
	}
	young := r.MinerUptime.Or(warmUp) < warmUp
	switch {
	case rate > 0 && young && rate < r.HashrateNominal.Or(0)/2:
		r.State = miner.Starting
	case rate > 0:
		r.State = miner.Hashing
	case young:
		r.State = miner.Starting
	case p.mode.Ok() || p.neverSleeps() || p.complains():
		r.State = miner.Stopped
	}
}

// asleep leaves what a sleeping machine truly tells: no measurements of boards
// without power, and no complaint that it does not hash.
func (p *parser) asleep(mode int64) {
	r := &p.r
	r.State, r.StateTold = miner.Sleeping, fmt.Sprintf("work mode %d", mode)
	r.Faults = slices.DeleteFunc(r.Faults, func(f miner.Fault) bool { return f.Code == miner.AdvisoryLowHash || f.Code == miner.ControlPool })
	for i := range r.Boards {
		b := &r.Boards[i]
		if b.Chips.Or(0) == 0 {
			b.Chips, b.Present = unit.None[int](), unit.None[bool]()
		}
	}
}

// neverSleeps tells of the generation without a sleep mode, where standing
// still is a fault.
func (p *parser) neverSleeps() bool {
	return strings.Contains(p.r.Identity.Model, "S9") || strings.Contains(p.r.Identity.Model, "T9")
}

func (p *parser) complains() bool {
	return slices.ContainsFunc(p.r.Faults, func(f miner.Fault) bool { return f.Severity == miner.Critical })
}
