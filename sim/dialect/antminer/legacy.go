package antminer

import (
	"math"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/sim"
	"ballast/unit"
)

// printer prints one snapshot.
type printer struct {
	*machine
	snap *sim.Snapshot
	json bool
}

func (p *printer) head(w *sim.RPCWriter, kind string, code int, msg string) {
	description := "cgminer 1.0.0"
	if p.gen == s9 {
		description = "cgminer 4.9.0"
	}
	w.Status(kind, p.snap.Now.Unix(), code, msg, description)
}

// print prints a report in the cgminer API's form.
func (p *printer) print(command string, into []byte) []byte {
	w := sim.NewRPCWriter(p.json, into)
	switch {
	case !reports[command] && !known[command]:
		p.head(w, "E", 14, "Invalid command")
	case !reports[command]:
		p.head(w, "E", 45, "Access denied to '"+command+"' command")
	case command == "version":
		p.version(w)
	case command == "summary":
		p.summary(w)
	case command == "pools":
		p.pools(w)
	case command == "devs":
		p.devs(w)
	default:
		p.stats(w)
		return append(into, dropCommas(w.End()[len(into):])...)
	}
	return w.End()
}

// told is the model in the machine's own words.
func (p *printer) told() string { return p.spec.Model.Name }

func (p *printer) software(w *sim.RPCWriter, api bool) {
	if p.gen == s9 {
		w.Text("BMMiner", "2.0.0")
	} else {
		w.Text("BMMiner", "1.0.0")
	}
	if api {
		w.Text("API", "3.1")
	}
	w.Text("Miner", p.minerVersion())
	w.Text("CompileTime", compiled(p.spec))
	w.Text("Type", p.told())
}

func (p *printer) minerVersion() string {
	switch p.gen {
	case s9:
		return "30.0.1.3"
	case s17:
		return "49.0.1.3"
	}
	return "uart_trans.1.3"
}

func (p *printer) version(w *sim.RPCWriter) {
	p.head(w, "S", 22, "CGMiner versions")
	w.Section("VERSION")
	w.Object("VERSION")
	p.software(w, true)
}

func ghs(h unit.Hashrate) float64 { return float64(h) * 1e3 }

func elapsed(s *sim.Snapshot) int64 { return int64(s.MinerUptime / time.Second) }

func (p *printer) summary(w *sim.RPCWriter) {
	s := p.snap
	p.head(w, "S", 11, "Summary")
	w.Section("SUMMARY")
	w.Object("SUMMARY")
	w.Int("Elapsed", elapsed(s))
	if p.gen == s9 { // a number in quotes
		w.Text("GHS 5s", strconv.FormatFloat(ghs(s.Hashrate5s), 'f', 2, 64))
	} else {
		w.Float("GHS 5s", ghs(s.Hashrate5s), 2)
	}
	w.Float("GHS av", ghs(s.HashrateAvg), 2)
	if p.gen >= s19 {
		w.Float("GHS 30m", ghs(s.Hashrate30m), 2)
	}
	w.Int("Found Blocks", 0)
	w.Int("Getworks", s.Accepted/2+1)
	w.Int("Accepted", s.Accepted)
	w.Int("Rejected", s.Rejected)
	w.Int("Hardware Errors", s.HWErrors)
	w.Float("Utility", perMinute(s.Accepted, s.MinerUptime), 2)
	w.Int("Discarded", 0)
	w.Int("Stale", s.Stale)
	w.Int("Get Failures", 0)
	w.Int("Local Work", s.Accepted*30)
	w.Int("Remote Failures", 0)
	w.Int("Network Blocks", int64(s.MinerUptime/(10*time.Minute)))
	w.Float("Total MH", ghs(s.HashrateAvg)*1e3*s.MinerUptime.Seconds(), 4)
	w.Float("Work Utility", perMinute(s.Accepted, s.MinerUptime)*s.Difficulty, 2)
	w.Float("Difficulty Accepted", float64(s.Accepted)*s.Difficulty, 8)
	w.Float("Difficulty Rejected", float64(s.Rejected)*s.Difficulty, 8)
	w.Float("Difficulty Stale", float64(s.Stale)*s.Difficulty, 8)
	w.Int("Best Share", int64(s.BestShare))
	w.Float("Device Hardware%", p.hardware(), 4)
	w.Float("Device Rejected%", share(s.Rejected, s.Accepted+s.Rejected), 4)
	w.Float("Pool Rejected%", share(s.Rejected, s.Accepted+s.Rejected), 4)
	w.Float("Pool Stale%", share(s.Stale, s.Accepted+s.Stale), 4)
	w.Int("Last getwork", s.Now.Unix())
}

// hardware is errors in percent of the nonces returned, of which each is worth
// 256 hashes of difficulty 1 on these machines.
func (p *printer) hardware() float64 {
	s := p.snap
	nonces := float64(s.HashrateAvg) * 1e12 * s.MinerUptime.Seconds() / (1 << 40)
	if nonces <= 0 {
		return 0
	}
	return 100 * float64(s.HWErrors) / (nonces + float64(s.HWErrors))
}

func perMinute(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Minutes()
}

func share(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

func (p *printer) pools(w *sim.RPCWriter) {
	s := p.snap
	p.head(w, "S", 7, strconv.Itoa(len(s.Pools))+" Pool(s)")
	w.Section("POOLS")
	for i := range s.Pools {
		l := &s.Pools[i]
		w.Object("POOL=" + strconv.Itoa(i))
		if p.json {
			w.Int("POOL", int64(i))
		}
		w.Text("URL", l.URL)
		w.Text("Status", life(l))
		w.Int("Priority", int64(i))
		w.Int("Quota", 1)
		w.Text("Long Poll", "N")
		w.Int("Getworks", l.Accepted/2)
		w.Int("Accepted", l.Accepted)
		w.Int("Rejected", l.Rejected)
		w.Int("Discarded", 0)
		w.Int("Stale", l.Stale)
		w.Int("Get Failures", 0)
		w.Int("Remote Failures", 0)
		w.Text("User", l.User)
		w.Text("Last Share Time", ago(s, l))
		w.Text("Diff", difficulty(s.Difficulty))
		w.Int("Diff1 Shares", 0)
		w.Text("Proxy Type", "")
		w.Text("Proxy", "")
		w.Float("Difficulty Accepted", float64(l.Accepted)*s.Difficulty, 8)
		w.Float("Difficulty Rejected", float64(l.Rejected)*s.Difficulty, 8)
		w.Float("Difficulty Stale", 0, 8)
		w.Float("Last Share Difficulty", s.Difficulty, 8)
		w.Bool("Has Stratum", true)
		w.Bool("Stratum Active", l.Active)
		w.Text("Stratum URL", strings.TrimPrefix(l.URL, "stratum+tcp://"))
		w.Bool("Has GBT", false)
		w.Int("Best Share", int64(s.BestShare))
		w.Float("Pool Rejected%", share(l.Rejected, l.Accepted+l.Rejected), 4)
		w.Float("Pool Stale%", share(l.Stale, l.Accepted+l.Stale), 4)
	}
}

func life(l *sim.PoolSnapshot) string {
	if l.Alive {
		return "Alive"
	}
	return "Dead"
}

// ago is the time since the last share, h:mm:ss.
func ago(s *sim.Snapshot, l *sim.PoolSnapshot) string {
	if l.LastShare.IsZero() {
		return "0"
	}
	t := int(s.Now.Sub(l.LastShare) / time.Second)
	two := func(n int) string { return string([]byte{byte('0' + n/10), byte('0' + n%10)}) }
	return strconv.Itoa(t/3600) + ":" + two(t/60%60) + ":" + two(t%60)
}

// difficulty prints 65536 as "65.5K".
func difficulty(d float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "K"}} {
		if d >= u.size {
			return strconv.FormatFloat(d/u.size, 'g', 3, 64) + u.name
		}
	}
	return strconv.FormatFloat(d, 'f', -1, 64)
}

func (p *printer) devs(w *sim.RPCWriter) {
	s := p.snap
	boards := len(s.Boards)
	if p.gen == s9 {
		boards = 1 // the machine is one device
	}
	p.head(w, "S", 9, strconv.Itoa(boards)+" ASC(s)")
	w.Section("DEVS")
	for i := range boards {
		b := &s.Boards[i]
		w.Object("ASC=" + strconv.Itoa(i))
		if p.json {
			w.Int("ASC", int64(i))
		}
		w.Text("Name", "BTM_SOC")
		w.Int("ID", int64(i))
		w.Text("Enabled", "Y")
		state := "Alive"
		if !b.Present && p.gen != s9 {
			state = "Dead"
		}
		w.Text("Status", state)
		w.Float("Temperature", 0, 2)
		rate, errors := b.Hashrate, b.HWErrors
		if p.gen == s9 {
			rate, errors = s.HashrateAvg, s.HWErrors
		}
		w.Float("MHS av", ghs(rate)*1e3, 2)
		w.Float("MHS 5s", ghs(rate)*1e3, 2)
		w.Int("Hardware Errors", errors)
		w.Int("Last Valid Work", s.Now.Unix())
		w.Int("Device Elapsed", elapsed(s))
	}
}

// slot is the number of board i in the keys.
func (p *printer) slot(i int) string {
	if p.gen == s9 {
		i += 5
	}
	return strconv.Itoa(i + 1)
}

// stats prints the two objects of stats: the software, and the machine.
func (p *printer) stats(w *sim.RPCWriter) {
	s := p.snap
	p.head(w, "S", 70, "CGMiner stats")
	w.Section("STATS")
	w.Object("BMMiner")
	p.software(w, false)
	w.Object("STATS=0")
	if p.json {
		w.Int("STATS", 0)
	}
	w.Text("ID", "BTM_SOC0")
	w.Int("Elapsed", elapsed(s))
	w.Int("Calls", 0)
	w.Bare("Wait", "0.000000")
	w.Bare("Max", "0.000000")
	w.Bare("Min", "99999999.000000")
	w.Float("GHS 5s", ghs(s.Hashrate5s), 2)
	w.Float("GHS av", ghs(s.HashrateAvg), 2)
	if p.gen >= s19 {
		w.Float("rate_30m", ghs(s.Hashrate30m), 2)
		w.Int("Mode", 2)
	}
	w.Int("miner_count", int64(len(s.Boards)))
	w.Text("frequency", strconv.FormatFloat(math.Round(meanFrequency(s)), 'f', -1, 64))
	p.fans(w)
	w.Int("temp_num", int64(len(s.Boards)))
	p.temps(w)
	w.Float("total_rateideal", ghs(s.HashrateNominal), 2)
	w.Text("rate_unit", "GH")
	w.Float("total_freqavg", meanFrequency(s), 2)
	w.Int("total_acn", chips(s))
	w.Float("total_rate", ghs(s.Hashrate5s), 2)
	w.Int("temp_max", int64(hottest(s)))
	w.Float("Device Hardware%", p.hardware(), 4)
	w.Int("no_matching_work", s.HWErrors)
	p.chains(w)
	w.Text("miner_version", p.minerVersion())
	w.Text("miner_id", "no miner id now")
}

func meanFrequency(s *sim.Snapshot) float64 {
	sum, n := 0.0, 0
	for i := range s.Boards {
		if f := s.Boards[i].Frequency; f > 0 {
			sum += f.MHz()
			n++
		}
	}
	return sum / float64(max(n, 1))
}

func chips(s *sim.Snapshot) (n int64) {
	for i := range s.Boards {
		n += int64(answering(&s.Boards[i]))
	}
	return n
}

// answering is how many chips a board shows: none without power.
func answering(b *sim.BoardSnapshot) int {
	if !b.Present || !b.Enabled || b.Voltage == 0 {
		return 0
	}
	return b.Chips
}

func hottest(s *sim.Snapshot) (t float64) {
	for i := range s.Boards {
		t = max(t, highest(s.Boards[i].Chip))
	}
	return t
}

func highest(sensors [4]unit.Opt[unit.Temperature]) (t float64) {
	for _, o := range sensors {
		t = max(t, math.Round(float64(o.Or(0))))
	}
	return t
}

// fans prints the fans in the slots that the generation has.
func (p *printer) fans(w *sim.RPCWriter) {
	s := p.snap
	slots, at := len(s.Fans), 0
	if p.gen == s9 {
		slots = 8
	}
	turning := 0
	for _, f := range s.Fans {
		if f.Speed > 0 {
			turning++
		}
	}
	w.Int("fan_num", int64(turning))
	for i := range slots {
		rpm := int64(0)
		if p.gen != s9 || i == 2 || i == 5 { // an S9's fans are on 3 and 6
			if at < len(s.Fans) {
				rpm = int64(s.Fans[at].Speed)
				at++
			}
		}
		w.Int("fan"+strconv.Itoa(i+1), rpm)
	}
}

func (p *printer) temps(w *sim.RPCWriter) {
	for i := range p.snap.Boards {
		b, n := &p.snap.Boards[i], p.slot(i)
		on := answering(b) > 0
		pcb, chip := b.PCB, b.Chip
		if !on {
			pcb, chip = [4]unit.Opt[unit.Temperature]{}, [4]unit.Opt[unit.Temperature]{}
		}
		w.Int("temp"+n, int64(highest(pcb)))
		w.Int("temp2_"+n, int64(highest(chip)))
		switch {
		case p.gen == s9:
		case p.spec.Model.Cooling == miner.Hydro && p.gen >= s19:
			w.Text("temp_in_pcb_"+n, four(pcb[0], pcb[2]))
			w.Text("temp_out_pcb_"+n, four(pcb[1], pcb[3]))
			w.Text("temp_in_chip_"+n, four(chip[0], chip[2]))
			w.Text("temp_out_chip_"+n, four(chip[1], chip[3]))
		default:
			w.Text("temp_pcb"+n, four(pcb[0], pcb[2], pcb[1], pcb[3]))
			w.Text("temp_chip"+n, four(chip[0], chip[2], chip[1], chip[3]))
			w.Text("temp_pic"+n, four(pcb[0], pcb[0], pcb[1], pcb[1]))
		}
	}
}

// four prints sensors as "40-42-45-47"; one that does not answer is 0.
func four(sensors ...unit.Opt[unit.Temperature]) string {
	b := make([]byte, 0, 16)
	for i, o := range sensors {
		if i > 0 {
			b = append(b, '-')
		}
		b = strconv.AppendInt(b, int64(math.Round(float64(o.Or(0)))), 10)
	}
	return string(b)
}

func (p *printer) chains(w *sim.RPCWriter) {
	s := p.snap
	last := 4
	if p.gen == s9 {
		last = 16
	}
	board := func(n int) *sim.BoardSnapshot {
		i := n - 1
		if p.gen == s9 {
			i = n - 6
		}
		if i < 0 || i >= len(s.Boards) {
			return &sim.BoardSnapshot{}
		}
		return &s.Boards[i]
	}
	last = max(last, len(s.Boards))
	for n := 1; n <= last; n++ {
		w.Int("chain_acn"+strconv.Itoa(n), int64(answering(board(n))))
	}
	for n := 1; n <= last; n++ {
		w.Text("chain_acs"+strconv.Itoa(n), p.chipMap(board(n)))
	}
	for n := 1; n <= last; n++ {
		w.Int("chain_hw"+strconv.Itoa(n), board(n).HWErrors)
	}
	for n := 1; n <= last; n++ {
		rate := ""
		if b := board(n); b.Present {
			rate = strconv.FormatFloat(ghs(b.Hashrate), 'f', 2, 64)
		} else if p.gen >= s19 {
			rate = "0.00"
		}
		w.Text("chain_rate"+strconv.Itoa(n), rate)
	}
	for n := 1; n <= last; n++ {
		key := "freq" + strconv.Itoa(n)
		if p.gen == s9 {
			key = "freq_avg" + strconv.Itoa(n)
		}
		w.Float(key, board(n).Frequency.MHz(), 2)
	}
	if p.gen == s9 {
		for n := 1; n <= last; n++ {
			w.Float("chain_rateideal"+strconv.Itoa(n), ghs(board(n).HashrateNominal), 2)
		}
	}
}

// chipMap prints one letter a chip, in groups of eight, x for a dead one. The
// chips that live are told by number only, so the dead are put at the end.
func (p *printer) chipMap(b *sim.BoardSnapshot) string {
	alive := answering(b)
	total := max(alive, p.spec.Model.Chips)
	if alive == 0 {
		return ""
	}
	out := make([]byte, 0, total+total/8+1)
	for c := range total {
		if c%8 == 0 {
			out = append(out, ' ')
		}
		if c < alive {
			out = append(out, 'o')
		} else {
			out = append(out, 'x')
		}
	}
	return string(out)
}
