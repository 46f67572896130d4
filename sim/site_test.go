package sim

import (
	"encoding/json"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/miner"
)

var summer = time.Date(2026, 7, 1, 6, 0, 0, 0, time.UTC)

func newSite(t testing.TB, cfg Config) *Site {
	t.Helper()
	if cfg.Start.IsZero() {
		cfg.Start = summer
	}
	s, err := New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSiteDeterminism(t *testing.T) {
	run := func(seed uint64, look bool) string {
		s := newSite(t, Config{Machines: 120, Seed: seed})
		for i := range 20 {
			s.Advance(17 * time.Minute)
			if look {
				for j := range 120 {
					s.Rig(j).Snapshot()
				}
			}
			if i == 7 {
				_ = s.Rig(3).Do(Action{Kind: DoSleep})
				if _, err := s.Inject(Fault{Kind: FaultFanWall, Container: "C01"}.until(s)); err != nil {
					t.Fatal(err)
				}
			}
		}
		events, _ := s.Events(0)
		snaps := []Snapshot{s.Rig(0).SnapshotChips(), s.Rig(77).Snapshot()}
		b, err := json.Marshal([]any{s.Truth(true), events, s.Orders(), snaps})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	one := run(5, false)
	if again := run(5, false); again != one {
		t.Error("the same seed and schedule give two sites")
	}
	if watched := run(5, true); watched != one {
		t.Error("looking at machines changes what becomes of them")
	}
	if other := run(6, false); other == one {
		t.Error("two seeds give the same site")
	}
}

func (f Fault) until(s *Site) Fault {
	f.Until = s.Now().Add(time.Hour)
	return f
}

// The tick of Advance is a matter of cost, not of outcome.
func TestTickDoesNotMatter(t *testing.T) {
	run := func(tick time.Duration) Truth {
		s := newSite(t, Config{Machines: 120, Seed: 2, Tick: tick, Pristine: true})
		s.Advance(9 * time.Hour)
		return s.Truth(true)
	}
	ref := run(20 * time.Second)
	for _, tick := range []time.Duration{time.Minute, 10 * time.Minute, time.Hour} {
		got := run(tick)
		if p := float64(got.Power / ref.Power); math.Abs(p-1) > 0.004 {
			t.Errorf("tick %v: %v, %v in ticks of 20 s", tick, got.Power, ref.Power)
		}
		if e := float64(got.Energy / ref.Energy); math.Abs(e-1) > 0.004 {
			t.Errorf("tick %v: %v, %v in ticks of 20 s", tick, got.Energy, ref.Energy)
		}
		for i, c := range got.Containers {
			if d := float64(c.Supply - ref.Containers[i].Supply); math.Abs(d) > 0.8 {
				t.Errorf("tick %v: %s supplies %v, %v in ticks of 20 s", tick, c.Name, c.Supply, ref.Containers[i].Supply)
			}
		}
	}
}

func TestSiteLayout(t *testing.T) {
	s := newSite(t, Config{Machines: 1000, Seed: 1, PerContainer: 150})
	tr := s.Truth(true)
	seen, serials, macs := map[netip.Addr]bool{}, map[string]bool{}, map[string]bool{}
	slots := map[string]bool{}
	count := map[miner.Firmware]int{}
	for _, r := range tr.Rigs {
		seen[r.Addr], serials[r.Serial], macs[r.MAC] = true, true, true
		slots[strings.Join([]string{r.Container, r.PDU, string(rune(r.Outlet))}, "/")] = true
		count[r.Firmware]++
		if i, ok := s.At(r.Addr); !ok || i != r.Rig {
			t.Errorf("%s answers as %d, is %d", r.Addr, i, r.Rig)
		}
		if miner.NormalMAC(r.MAC) != r.MAC {
			t.Errorf("MAC %q", r.MAC)
		}
	}
	if len(seen) != 1000 || len(serials) != 1000 || len(macs) != 1000 || len(slots) != 1000 {
		t.Errorf("of 1000 machines: %d addresses, %d serials, %d MACs, %d outlets", len(seen), len(serials), len(macs), len(slots))
	}
	for _, f := range firmwares() {
		if f != miner.CGMiner && count[f] < 10 {
			t.Errorf("%d machines with %s in the usual mix", count[f], f)
		}
	}
	first := 0
	for _, c := range tr.Containers {
		if c.Count > 150 || c.First != first {
			t.Errorf("container %+v", c)
		}
		first += c.Count
	}
	if got := tr.Phases[PhaseHashing]; got < 990 {
		t.Errorf("%d of 1000 hash at the start", got)
	}
	if p := float64(tr.Power / s.nominalPower()); p < 0.9 || p > 1.15 {
		t.Errorf("%v of nameplate %v", tr.Power, s.nominalPower())
	}
}

func TestScatter(t *testing.T) {
	network := netip.MustParsePrefix("127.40.0.0/16")
	s := newSite(t, Config{Machines: 2000, Seed: 1, Scatter: true, Network: network, Pristine: true})
	seen := map[netip.Addr]bool{}
	blocks := map[byte]bool{}
	for i := range 2000 {
		a := s.Addr(i)
		seen[a] = true
		blocks[a.As4()[2]] = true
		if last := a.As4()[3]; !network.Contains(a) || last == 0 || last == 255 {
			t.Errorf("address %s", a)
		}
	}
	if len(seen) != 2000 || len(blocks) < 240 {
		t.Errorf("%d addresses in %d blocks", len(seen), len(blocks))
	}
	for i := range s.Meters() {
		m, err := s.Meter(i)
		if err != nil || !m.Addr.IsValid() || seen[m.Addr] {
			t.Errorf("meter %d at %s, %v", i, m.Addr, err)
		}
	}
}

func TestAddressesOfAnyNetwork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(10, 29).Draw(t, "bits")
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{127, byte(rapid.IntRange(0, 255).Draw(t, "b")), byte(rapid.IntRange(0, 255).Draw(t, "c")), 0}), bits).Masked()
		usable := usableHosts(p)
		n := rapid.IntRange(1, min(usable-min(usable/64, 512), 300)).Draw(t, "n")
		machines, gear, err := addresses(Config{Machines: n, Network: p, Scatter: rapid.Bool().Draw(t, "scatter"), Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[netip.Addr]bool{}
		for _, a := range append(machines, gear...) {
			if !p.Contains(a) || seen[a] || a.As4()[3] == 0 || a.As4()[3] == 255 {
				t.Fatalf("%s: %s", p, a)
			}
			seen[a] = true
		}
	})
}

func BenchmarkAdvance(b *testing.B) {
	for _, tick := range []time.Duration{10 * time.Second, time.Minute, time.Hour} {
		b.Run(tick.String(), func(b *testing.B) {
			s := newSite(b, Config{Machines: 10_000, Seed: 3, Tick: tick})
			for b.Loop() {
				s.Advance(tick)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/machine-step")
		})
	}
}
