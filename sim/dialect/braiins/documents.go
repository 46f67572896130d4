package braiins

import (
	"strconv"
	"strings"
	"time"

	"ballast/sim"
	"ballast/unit"
)

// The documents that REST answers with.

func (m *machine) details(d *doc, s *sim.Snapshot) {
	spec, at := m.rig.Spec(), m.at()
	d.object()
	d.text("uid", m.uid())
	d.open("miner_identity")
	d.int("brand", brand(spec.Model))
	d.int("model", 0)
	d.text("name", spec.Model.Name)
	d.text("miner_model", spec.Model.Name)
	d.close()
	d.int("platform", 4)
	d.int("bos_mode", 4)
	d.open("bos_version")
	d.text("current", at.version())
	d.text("major", "2022-09-13-0-11012d53-22.08-plus")
	d.bool("bos_plus", true)
	d.close()
	d.text("hostname", m.hostname())
	d.text("mac_address", spec.MAC)
	up := int64(s.Uptime / time.Second)
	d.int("system_uptime", up)
	d.quantity("sticker_hashrate", "gigahash_per_second", spec.Model.Hashrate.TH()*1e3)
	d.int("bosminer_uptime_s", int64(m.minerUptime(s)/time.Second))
	d.int("system_uptime_s", up)
	d.int("status", int64(m.status(s)))
	d.text("kernel_version", "4.9.113")
	d.open("psu_info")
	d.int("version", 117)
	d.null("fw_version")
	d.null("serial_number")
	d.text("model_name", "APW121215d/e")
	d.quantity("min_voltage", "volt", 11.96)
	d.quantity("max_voltage", "volt", 15.2)
	d.close()
	d.int("control_board_soc_family", 3)
	d.orNull("serial_number", spec.Serial)
	d.close()
}

func (m *machine) solver(d *doc, key string, w solver) {
	d.open(key)
	d.open("real_hashrate")
	for _, x := range w.windows {
		d.quantity(x.name, "gigahash_per_second", x.rate.TH()*1e3)
	}
	d.close()
	d.quantity("nominal_hashrate", "gigahash_per_second", w.nominal.TH()*1e3)
	d.quantity("error_hashrate", "megahash_per_second", w.errors)
	d.int("found_blocks", w.blocks)
	m.best(d, w.best)
	d.close()
}

// best writes the best share; 26.04 began to write it as text, too.
func (m *machine) best(d *doc, n int64) {
	d.int("best_share", n)
	if !m.at().before(26, 4) {
		d.text("best_share_str", strconv.FormatInt(n, 10))
	}
}

func (m *machine) poolStats(d *doc, key string, accepted, rejected, stale int64, s *sim.Snapshot, last time.Time) {
	d.open(key)
	d.int("accepted_shares", accepted)
	d.int("rejected_shares", rejected)
	d.int("stale_shares", stale)
	d.int("last_difficulty", int64(s.Difficulty))
	best := int64(0)
	if accepted > 0 {
		best = int64(s.BestShare)
	}
	m.best(d, best)
	d.int("generated_work", accepted*int64(s.Difficulty))
	timestamp(d, "last_share_time", last)
	d.close()
}

func timestamp(d *doc, key string, t time.Time) {
	if t.IsZero() {
		d.null(key)
		return
	}
	d.open(key)
	d.int("seconds", t.Unix())
	d.int("nanos", int64(t.Nanosecond()))
	d.close()
}

func (m *machine) stats(d *doc, s *sim.Snapshot) {
	last := time.Time{}
	for _, p := range s.Pools {
		if p.LastShare.After(last) {
			last = p.LastShare
		}
	}
	d.object()
	m.poolStats(d, "pool_stats", s.Accepted, s.Rejected, s.Stale, s, last)
	m.solver(d, "miner_stats", machineSolver(s))
	d.open("power_stats")
	d.watts("approximated_consumption", int64(s.Power))
	if e, ok := unit.EfficiencyOf(s.Power, s.Hashrate5s); ok {
		d.quantity("efficiency", "joule_per_terahash", float64(e))
	} else {
		d.null("efficiency")
	}
	d.close()
	d.close()
}

func temperature(d *doc, key string, t unit.Opt[unit.Temperature]) {
	v, ok := t.Get()
	if !ok {
		d.null(key)
		return
	}
	d.quantity(key, "degree_c", float64(v))
}

func sensor(d *doc, key string, id int, t unit.Opt[unit.Temperature]) {
	v, ok := t.Get()
	if !ok {
		d.null(key)
		return
	}
	d.open(key)
	if id > 0 {
		d.int("id", int64(id))
	} else {
		d.null("id")
	}
	d.int("location", 1)
	d.quantity("temperature", "degree_c", float64(v))
	d.close()
}

func (m *machine) hashboards(d *doc, s *sim.Snapshot) {
	d.object()
	d.list("hashboards")
	for i := range s.Boards {
		if s.Boards[i].Present { // what is not detected is not listed
			m.hashboard(d, s, i)
		}
	}
	d.endList()
	d.close()
}

func (m *machine) hashboard(d *doc, s *sim.Snapshot, i int) {
	b, h := &s.Boards[i], heatOf(&s.Boards[i])
	chip := m.rig.Spec().Model.ChipType
	d.object()
	d.text("id", m.boardID(i))
	d.bool("enabled", b.Enabled)
	if b.Enabled {
		d.int("chips_count", int64(b.Chips))
		d.quantity("current_voltage", "volt", float64(b.Voltage))
		d.quantity("current_frequency", "hertz", float64(b.Frequency))
	} else {
		d.null("chips_count")
		d.null("current_voltage")
		d.null("current_frequency")
	}
	sensor(d, "highest_chip_temp", h.sensor, h.chip)
	temperature(d, "board_temp", h.board)
	m.solver(d, "stats", boardSolver(s, i))
	d.text("model", boardName(m.rig.Spec().Model.Name))
	temperature(d, "lowest_inlet_temp", h.inlet)
	temperature(d, "highest_outlet_temp", h.outlet)
	d.orNull("serial_number", b.Serial)
	d.text("board_name", boardName(m.rig.Spec().Model.Name))
	d.orNull("chip_type", chip)
	if !m.at().before(26, 5) && s.Flow.Ok() {
		temperature(d, "lowest_water_inlet_temp", s.Inlet)
		temperature(d, "highest_water_outlet_temp", s.Outlet)
	}
	d.close()
}

// boardName is the hash board's type. The simulator knows no part numbers.
func boardName(model string) string {
	_, after, ok := strings.Cut(model, " ")
	if !ok {
		after = model
	}
	return "HB-" + strings.ReplaceAll(after, " ", "")
}

func (m *machine) cooling(d *doc, s *sim.Snapshot) {
	d.object()
	d.list("fans")
	for i, f := range s.Fans {
		d.object()
		d.int("position", int64(i))
		d.int("rpm", int64(f.Speed))
		d.float("target_speed_ratio", s.FanDuty)
		d.close()
	}
	d.endList()
	sensor(d, "highest_temperature", 0, hottest(s))
	d.close()
}

// inForce is the profile nearest to a power.
func (m *machine) inForce(w unit.Power) sim.ProfileSpec {
	profiles := m.rig.Profiles()
	best := profiles[0]
	for _, p := range profiles {
		if p.Power <= w || p.Power-w < 1 {
			best = p
		}
	}
	return best
}

func (m *machine) tunerState(d *doc, s *sim.Snapshot) {
	d.object()
	d.int("overall_tuner_state", int64(tunerState(s)))
	target := m.powerTarget(s)
	p := m.inForce(unit.Power(target))
	d.open("mode_state")
	if h := m.rateTarget(); h > 0 {
		d.open("hashratetargetmodestate")
		m.rateProfile(d, "profile", p, h)
		d.quantity("current_target", "terahash_per_second", h.TH())
	} else {
		d.open("powertargetmodestate")
		m.powerProfile(d, "profile", p, target)
		d.watts("current_target", target)
	}
	d.close()
	d.close()
	d.close()
}

func (m *machine) powerProfile(d *doc, key string, p sim.ProfileSpec, target int64) {
	if key == "" {
		d.object()
	} else {
		d.open(key)
	}
	timestamp(d, "created", m.made)
	d.watts("target", target)
	d.quantity("measured_hashrate", "gigahash_per_second", p.Hashrate.TH()*1e3)
	d.watts("estimated_power_consumption", int64(p.Power))
	d.close()
}

func (m *machine) rateProfile(d *doc, key string, p sim.ProfileSpec, target unit.Hashrate) {
	d.open(key)
	timestamp(d, "created", m.made)
	d.quantity("target", "terahash_per_second", target.TH())
	d.quantity("measured_hashrate", "gigahash_per_second", p.Hashrate.TH()*1e3)
	d.watts("estimated_power_consumption", int64(p.Power))
	d.close()
}

// tuned are the profiles that the tuner has learned.
func (m *machine) tuned() []sim.ProfileSpec {
	l := m.rig.Limits()
	var out []sim.ProfileSpec
	for _, p := range m.rig.Profiles() {
		if p.Tuned && p.Power >= l.Min && p.Power <= l.Max {
			out = append(out, p)
		}
	}
	return out
}

func (m *machine) profiles(d *doc) {
	d.object()
	d.list("power_target_profiles")
	for _, p := range m.tuned() {
		m.powerProfile(d, "", p, int64(p.Power))
	}
	d.endList()
	d.list("hashrate_target_profiles")
	d.endList()
	d.close()
}

func (m *machine) constraints(d *doc) {
	low, byDefault, high := m.limits()
	profiles := m.rig.Profiles()
	bounds := func(key string, byDefault, low, high func(string)) {
		d.open(key)
		byDefault("default")
		low("min")
		high("max")
		d.close()
	}
	watts := func(w int64) func(string) { return func(k string) { d.watts(k, w) } }
	tera := func(h unit.Hashrate) func(string) {
		return func(k string) { d.quantity(k, "terahash_per_second", h.TH()) }
	}
	celsius := func(t float64) func(string) { return func(k string) { d.quantity(k, "degree_c", t) } }
	d.object()
	d.open("tuner_constraints")
	bounds("power_target", watts(byDefault), watts(low), watts(high))
	bounds("hashrate_target", tera(m.rig.Spec().Model.Hashrate), tera(profiles[0].Hashrate), tera(profiles[len(profiles)-1].Hashrate))
	d.open("enabled")
	d.bool("default", true)
	d.close()
	d.int("default_mode", 1)
	d.close()
	d.open("cooling_constraints")
	d.int("default_cooling_mode", 1)
	bounds("target_temperature", celsius(60), celsius(0), celsius(200))
	bounds("hot_temperature", celsius(90), celsius(0), celsius(200))
	bounds("dangerous_temperature", celsius(100), celsius(0), celsius(200))
	d.close()
	d.open("dps_constraints")
	bounds("power_step", watts(300), watts(100), watts(1000))
	bounds("min_power_target", watts(low), watts(low), watts(high))
	d.int("mode", 1)
	d.close()
	d.open("hashboards_constraints")
	d.list("hashboard_ids")
	for i := range m.rig.Spec().Model.Boards {
		d.next()
		*d = appendQuoted(*d, m.boardID(i))
	}
	d.endList()
	d.open("enabled")
	d.bool("default", true)
	d.close()
	d.close()
	d.close()
}

func (m *machine) configuration(d *doc, s *sim.Snapshot) {
	d.object()
	d.list("pool_groups")
	d.object()
	d.text("uid", m.groupUID())
	d.text("name", m.groupName())
	d.open("load_balance_strategy")
	d.open("quota")
	d.int("value", 1)
	d.close()
	d.close()
	d.list("pools")
	for i, p := range s.Pools {
		d.object()
		d.text("uid", m.poolUID(i))
		d.text("url", p.URL)
		d.text("user", p.User)
		d.orNull("password", p.Password)
		d.bool("enabled", true)
		d.close()
	}
	d.endList()
	d.close()
	d.endList()
	d.open("temperature")
	d.open("mode")
	d.open("auto")
	d.quantity("target_temperature", "degree_c", 60)
	d.quantity("hot_temperature", "degree_c", 90)
	d.quantity("dangerous_temperature", "degree_c", 100)
	d.int("minimum_required_fans", 1)
	d.close()
	d.close()
	d.close()
	d.open("tuner")
	d.bool("enabled", true)
	if h := m.rateTarget(); h > 0 {
		d.int("tuner_mode", 2)
		d.null("power_target")
		d.quantity("hashrate_target", "terahash_per_second", h.TH())
	} else {
		d.int("tuner_mode", 1)
		d.watts("power_target", m.powerTarget(s))
		d.null("hashrate_target")
	}
	d.close()
	d.open("dps")
	d.bool("enabled", false)
	d.watts("power_step", 300)
	d.bool("shutdown_enabled", false)
	d.close()
	d.close()
}

func (m *machine) groupUID() string     { return m.uid()[:12] + "GRUP" }
func (m *machine) poolUID(i int) string { return m.uid()[:12] + "PL" + strconv.Itoa(10+i) }

func (m *machine) pools(d *doc, s *sim.Snapshot) {
	*d = append(*d, '[')
	d.object()
	d.text("name", m.groupName())
	d.open("strategy")
	d.open("quota")
	d.int("value", 1)
	d.close()
	d.close()
	d.list("pools")
	for i, p := range s.Pools {
		d.object()
		d.text("uid", m.poolUID(i))
		d.text("url", p.URL)
		d.text("user", p.User)
		d.bool("enabled", true)
		d.bool("alive", p.Alive)
		d.bool("active", p.Active)
		m.poolStats(d, "stats", p.Accepted, p.Rejected, p.Stale, s, p.LastShare)
		d.close()
	}
	d.endList()
	if !m.at().before(25, 11) {
		d.text("uid", m.groupUID())
	}
	d.close()
	d.endList()
}

// errorTime is how the log writes times.
const errorTime = "2006-01-02T15:04:05.000000Z"

func (m *machine) errors(d *doc, s *sim.Snapshot) {
	d.object()
	d.list("errors")
	for _, e := range m.errorLog(s) {
		d.object()
		d.text("timestamp", e.at.UTC().Format(errorTime))
		d.text("message", e.message)
		d.list("error_codes")
		d.endList()
		d.list("components")
		d.object()
		d.text("name", e.component)
		d.int("index", e.index)
		d.close()
		d.endList()
		d.close()
	}
	d.endList()
	d.close()
}

func (m *machine) network(d *doc) {
	spec := m.rig.Spec()
	d.object()
	d.text("name", "eth0")
	d.orNull("mac_address", spec.MAC)
	d.text("hostname", m.hostname())
	d.int("protocol", 1)
	d.list("dns_servers")
	d.next()
	*d = appendQuoted(*d, "127.0.0.1")
	d.endList()
	d.list("networks")
	if spec.Addr.IsValid() {
		d.object()
		d.text("address", spec.Addr.String())
		d.text("netmask", "255.0.0.0")
		d.close()
	}
	d.endList()
	d.orNull("default_gateway", "127.0.0.1")
	d.close()
}
