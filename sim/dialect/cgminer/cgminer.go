// Package cgminer serves the plain cgminer API (API-README of ckolivas/cgminer)
// on TCP 4028, as machines do whose firmware no one knows by name: one device
// per board, fan speeds in stats, no power, no sleep.
//
// It takes JSON and text, multi-commands included, ends every reply with NUL
// and closes. Privileged commands are allowed (api-allow W:0/0) unless the rig is
// write-locked, and then answer Code 45.
package cgminer

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/sim"
	"ballast/unit"
)

// Dialect is the family's.
type Dialect struct{}

var _ sim.Dialect = Dialect{}

// New is the dialect.
func New() sim.Dialect { return Dialect{} }

// Firmware names the family.
func (Dialect) Firmware() miner.Firmware { return miner.CGMiner }

// Ports are those that machines listen on.
func (Dialect) Ports(sim.Spec) []uint16 { return []uint16{4028} }

// Serve answers one request.
func (Dialect) Serve(ctx context.Context, _ uint16, conn net.Conn, rig *sim.Rig) {
	sim.ServeRPC(ctx, conn, func(q sim.RPCRequest) []byte { return answer(rig, q) })
}

const description = "cgminer 4.12.1"

// The API's message codes (api.c).
const (
	codeInvalid   = 14
	codeMissingID = 15
	codeDenied    = 45
	codeBadJSON   = 23
	codeInvPool   = 26
)

// view is one request's view of a rig.
type view struct {
	rig  *sim.Rig
	json bool
	snap sim.Snapshot
}

func answer(rig *sim.Rig, q sim.RPCRequest) []byte {
	v := &view{rig: rig, json: q.JSON, snap: rig.Snapshot()}
	if v.snap.Phase == sim.PhaseOff || v.snap.Phase == sim.PhaseBooting {
		return nil
	}
	if q.Broken {
		return append(v.only("E", codeBadJSON, "Invalid JSON"), 0)
	}
	if len(q.Commands) == 1 {
		if reply, ok := v.command(q.Commands[0], q.Parameter); ok {
			return append(reply, 0)
		}
	}
	return sim.JoinRPC(q, v.print)
}

func (v *view) only(kind string, code int, msg string) []byte {
	w := sim.NewRPCWriter(v.json, nil)
	v.head(w, kind, code, msg)
	return w.End()
}

func (v *view) head(w *sim.RPCWriter, kind string, code int, msg string) {
	w.Status(kind, v.snap.Now.Unix(), code, msg, description)
}

// command carries out a privileged command; ok is false for the others.
func (v *view) command(name, parameter string) (reply []byte, ok bool) {
	do := map[string]func(string) []byte{
		"privileged": func(string) []byte { return v.only("S", 46, "Privileged access OK") },
		"restart":    v.restart, "quit": v.restart,
		"addpool": v.addPool, "removepool": v.removePool, "switchpool": v.switchPool,
	}[name]
	if do == nil {
		return nil, false
	}
	if v.rig.Spec().WriteLock {
		return v.only("E", codeDenied, "Access denied to '"+name+"' command"), true
	}
	return do(parameter), true
}

func (v *view) restart(string) []byte {
	_ = v.rig.Do(sim.Action{Kind: sim.DoRestart})
	return []byte(`{"STATUS":"RESTART"}`)
}

// splitParameter takes "a\,b,c" apart at the commas that no backslash escapes.
func splitParameter(s string) []string {
	out := []string{""}
	for i := 0; i < len(s); i++ {
		last := &out[len(out)-1]
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			*last += s[i : i+1]
		case s[i] == ',':
			out = append(out, "")
		default:
			*last += s[i : i+1]
		}
	}
	return out
}

func (v *view) addPool(parameter string) []byte {
	parts := splitParameter(parameter)
	if len(parts) != 3 || parts[0] == "" {
		return v.only("E", 52, "Invalid addpool details '"+parameter+"'")
	}
	pools := append(slices.Clone(v.snap.Pools), sim.PoolSnapshot{URL: parts[0], User: parts[1], Password: parts[2]})
	v.setPools(pools)
	return v.only("S", 55, "Added pool "+strconv.Itoa(len(pools)-1)+": '"+parts[0]+"'")
}

func (v *view) setPools(pools []sim.PoolSnapshot) {
	_ = v.rig.Do(sim.Action{Kind: sim.DoPools, Pools: pools})
}

// pool finds the pool that a parameter numbers.
func (v *view) pool(parameter string) (int, []byte) {
	if parameter == "" {
		return 0, v.only("E", 25, "Missing pool id parameter")
	}
	n, err := strconv.Atoi(parameter)
	if err != nil || n < 0 || n >= len(v.snap.Pools) {
		return 0, v.only("E", codeInvPool, "Invalid pool id "+parameter+" - range is 0 - "+strconv.Itoa(len(v.snap.Pools)-1))
	}
	return n, nil
}

func (v *view) removePool(parameter string) []byte {
	n, refusal := v.pool(parameter)
	switch {
	case refusal != nil:
		return refusal
	case len(v.snap.Pools) == 1:
		return v.only("E", 66, "Cannot remove last pool "+parameter+":'"+v.snap.Pools[n].URL+"'")
	case v.active() == n:
		return v.only("E", 67, "Cannot remove active pool "+parameter+":'"+v.snap.Pools[n].URL+"'")
	}
	v.setPools(slices.Delete(slices.Clone(v.snap.Pools), n, n+1))
	if a := v.active(); n < a {
		v.choose(a - 1)
	}
	return v.only("S", 68, "Removed pool "+parameter+":'"+v.snap.Pools[n].URL+"'")
}

func (v *view) switchPool(parameter string) []byte {
	n, refusal := v.pool(parameter)
	if refusal != nil {
		return refusal
	}
	v.choose(n)
	return v.only("S", 27, "Switching to pool "+parameter+":'"+v.snap.Pools[n].URL+"'")
}

// choice is the pool that switchpool chose: a rig of its own mines at the first
// that lives.
type choice struct{ pool int }

func (v *view) chosen() *choice {
	return v.rig.Memo("cgminer.pool", func() any { return &choice{} }).(*choice)
}

func (v *view) choose(n int) { v.chosen().pool = n }

func (v *view) active() int { return min(v.chosen().pool, len(v.snap.Pools)-1) }

// print prints what a report says.
func (v *view) print(command string, into []byte) []byte {
	w := sim.NewRPCWriter(v.json, into)
	switch command {
	case "version":
		v.head(w, "S", 22, "CGMiner versions")
		w.Section("VERSION")
		w.Object("VERSION")
		w.Text("CGMiner", "4.12.1")
		w.Text("API", "3.7")
		w.Text("Type", v.rig.Spec().Model.Name)
	case "summary":
		v.summary(w)
	case "devs", "edevs":
		v.devs(w)
	case "pools":
		v.pools(w)
	case "stats", "estats":
		v.stats(w)
	case "devdetails":
		v.head(w, "S", 69, "Device Details")
		w.Section("DEVDETAILS")
		for i := range v.snap.Boards {
			v.object(w, "DEVDETAILS", i)
			w.Text("Name", "SOC")
			w.Int("ID", int64(i))
			w.Text("Driver", "soc")
			w.Text("Kernel", "")
			w.Text("Model", v.rig.Spec().Model.ChipType)
			w.Text("Device Path", "")
		}
	case "config":
		v.head(w, "S", 33, "CGMiner config")
		w.Section("CONFIG")
		w.Object("CONFIG")
		w.Int("ASC Count", int64(len(v.snap.Boards)))
		w.Int("PGA Count", 0)
		w.Int("Pool Count", int64(len(v.snap.Pools)))
		w.Text("Strategy", "Failover")
		w.Int("Log Interval", 5)
		w.Text("Device Code", "SOC")
		w.Text("OS", "Linux")
		w.Text("Hotplug", "None")
	case "coin":
		v.head(w, "S", 78, "CGMiner coin")
		w.Section("COIN")
		w.Object("COIN")
		w.Text("Hash Method", "sha256")
		w.Bool("LP", true)
	default:
		v.head(w, "E", codeInvalid, "Invalid command")
	}
	return w.End()
}

// object opens an object that begins with its own number: ASC=0 in text, "ASC":0
// in JSON.
func (v *view) object(w *sim.RPCWriter, name string, n int) {
	w.Object(name + "=" + strconv.Itoa(n))
	if v.json {
		w.Int(name, int64(n))
	}
}

func mhs(h unit.Hashrate) float64 { return float64(h) * 1e6 }

func (v *view) summary(w *sim.RPCWriter) {
	s := &v.snap
	v.head(w, "S", 11, "Summary")
	w.Section("SUMMARY")
	w.Object("SUMMARY")
	w.Int("Elapsed", int64(s.MinerUptime/time.Second))
	w.Float("MHS av", mhs(s.HashrateAvg), 2)
	w.Float("MHS 5s", mhs(s.Hashrate5s), 2)
	w.Float("MHS 1m", mhs(s.Hashrate1m), 2)
	w.Float("MHS 15m", mhs(s.Hashrate15m), 2)
	w.Int("Found Blocks", 0)
	w.Int("Getworks", s.Accepted/2+1)
	w.Int("Accepted", s.Accepted)
	w.Int("Rejected", s.Rejected)
	w.Int("Hardware Errors", s.HWErrors)
	w.Float("Utility", perMinute(s.Accepted, s.MinerUptime), 2)
	w.Int("Discarded", 0)
	w.Int("Stale", s.Stale)
	w.Int("Get Failures", 0)
	w.Int("Local Work", s.Accepted*40)
	w.Int("Remote Failures", 0)
	w.Int("Network Blocks", int64(s.MinerUptime/(10*time.Minute)))
	w.Float("Total MH", mhs(s.HashrateAvg)*s.MinerUptime.Seconds(), 4)
	w.Float("Work Utility", 0, 2)
	w.Float("Difficulty Accepted", float64(s.Accepted)*s.Difficulty, 8)
	w.Float("Difficulty Rejected", float64(s.Rejected)*s.Difficulty, 8)
	w.Float("Difficulty Stale", float64(s.Stale)*s.Difficulty, 8)
	w.Float("Best Share", s.BestShare, 0)
	w.Float("Device Hardware%", percent(s.HWErrors, s.HWErrors+s.Accepted*int64(max(s.Difficulty, 1))), 4)
	w.Float("Pool Rejected%", percent(s.Rejected, s.Accepted+s.Rejected), 4)
	w.Int("Last getwork", s.Now.Unix())
}

func perMinute(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Minutes()
}

func percent(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

func (v *view) devs(w *sim.RPCWriter) {
	s := &v.snap
	v.head(w, "S", 9, strconv.Itoa(len(s.Boards))+" ASC(s)")
	w.Section("DEVS")
	for i := range s.Boards {
		b := &s.Boards[i]
		v.object(w, "ASC", i)
		w.Text("Name", "SOC")
		w.Int("ID", int64(i))
		w.Text("Enabled", yes(b.Enabled))
		w.Text("Status", status(s, b))
		w.Float("Temperature", hottest(b), 2)
		w.Float("MHS av", mhs(b.Hashrate), 2)
		w.Float("MHS 5s", mhs(b.Hashrate), 2)
		w.Int("Hardware Errors", b.HWErrors)
		w.Int("Last Valid Work", s.Now.Unix())
		w.Int("Device Elapsed", int64(s.MinerUptime/time.Second))
	}
}

func yes(b bool) string {
	if b {
		return "Y"
	}
	return "N"
}

func status(s *sim.Snapshot, b *sim.BoardSnapshot) string {
	switch {
	case !b.Present:
		return "Dead"
	case s.Phase == sim.PhaseStarting:
		return "Initialising"
	}
	return "Alive"
}

func hottest(b *sim.BoardSnapshot) float64 {
	t := 0.0
	for _, o := range b.PCB {
		t = max(t, float64(o.Or(0)))
	}
	return t
}

func (v *view) pools(w *sim.RPCWriter) {
	s := &v.snap
	v.head(w, "S", 7, strconv.Itoa(len(s.Pools))+" Pool(s)")
	w.Section("POOLS")
	active := v.active()
	for i, p := range s.Pools {
		v.object(w, "POOL", i)
		w.Text("URL", p.URL)
		if p.Alive {
			w.Text("Status", "Alive")
		} else {
			w.Text("Status", "Dead")
		}
		w.Int("Priority", int64((i-active+len(s.Pools))%len(s.Pools)))
		w.Int("Quota", 1)
		w.Text("Long Poll", "N")
		w.Int("Getworks", p.Accepted/2)
		w.Int("Accepted", p.Accepted)
		w.Int("Rejected", p.Rejected)
		w.Int("Stale", p.Stale)
		w.Text("User", p.User)
		last := int64(0)
		if !p.LastShare.IsZero() {
			last = p.LastShare.Unix()
		}
		w.Int("Last Share Time", last)
		w.Bool("Has Stratum", true)
		w.Bool("Stratum Active", p.Active)
		w.Text("Stratum URL", strings.TrimPrefix(p.URL, "stratum+tcp://"))
		w.Float("Stratum Difficulty", s.Difficulty, 8)
	}
}

func (v *view) stats(w *sim.RPCWriter) {
	s := &v.snap
	v.head(w, "S", 70, "CGMiner stats")
	w.Section("STATS")
	v.object(w, "STATS", 0)
	w.Text("ID", "SOC0")
	w.Int("Elapsed", int64(s.MinerUptime/time.Second))
	w.Int("Calls", 0)
	w.Float("Wait", 0, 6)
	w.Float("Max", 0, 6)
	w.Float("Min", 99999999, 6)
	w.Int("fan_num", int64(len(s.Fans)))
	for i, f := range s.Fans {
		w.Int("fan"+strconv.Itoa(i+1), int64(f.Speed))
	}
	for i := range s.Pools {
		v.object(w, "STATS", i+1)
		w.Text("ID", "POOL"+strconv.Itoa(i))
		w.Int("Elapsed", int64(s.MinerUptime/time.Second))
		w.Int("Calls", 0)
	}
}
