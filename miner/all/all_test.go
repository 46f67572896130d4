package all_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"ballast/miner"
	"ballast/miner/all"
	"ballast/sim"
	dialects "ballast/sim/dialect/all"
)

// machines are rigs of every family and of the generations that look different
// from outside.
var machines = map[miner.Firmware][]struct{ model, version string }{
	miner.Antminer:   {{"Antminer S21", ""}, {"Antminer S19 Pro", "2021"}, {"Antminer S9", ""}},
	miner.Whatsminer: {{"M60S_VK40", "20250214.16.Rel"}, {"M30S++_VH70", "20240827.13.Rel"}, {"M30S+_VE40", "20220506.11.REL"}},
	miner.Avalon:     {{"Avalon 1466", ""}, {"1246-83", "21072802_4ec6bb0_211fc46"}, {"Avalon Q", ""}, {"Avalon Nano 3S", ""}},
	miner.Braiins:    {{"Antminer S19j Pro (104T)", "26.04"}, {"Antminer S19 Pro (110T)", "23.12"}, {"Antminer S9", "22.08"}},
	miner.LuxOS:      {{"Antminer S19k Pro (120T)", ""}, {"Antminer S19j Pro (104T)", "2023.10.12.160237-4aee9a3d"}},
	miner.VNish:      {{"Antminer S19 Pro (110T)", ""}, {"Antminer S19j Pro (104T)", "1.2.6"}, {"Antminer S17 Pro", "1.1.0"}},
	miner.EPIC:       {{"Antminer S19 XP (140T)", ""}, {"Antminer S19j Pro (104T)", "1.5.13"}},
	miner.Bitaxe:     {{"Bitaxe Gamma 601", ""}, {"Bitaxe Max 102", "2.2.0"}, {"NerdQAxe++", "1.0.37"}},
	miner.CGMiner:    {{"SealMiner A2", ""}},
}

func TestEveryFamilyOnce(t *testing.T) {
	var drivers, served []miner.Firmware
	for _, d := range all.Drivers() {
		fw := d.Firmware()
		if slices.Contains(drivers, fw) {
			t.Errorf("%s is there twice", fw)
		}
		drivers = append(drivers, fw)
		if got, ok := all.ByName(fw); !ok || got.Firmware() != fw {
			t.Errorf("%s is not found by its name", fw)
		}
		if len(machines[fw]) == 0 {
			t.Errorf("no machine of %s stands in this test", fw)
		}
	}
	for _, d := range dialects.Dialects() {
		served = append(served, d.Firmware())
	}
	if !slices.Equal(drivers, served) {
		t.Errorf("drivers for %v, dialects of %v", drivers, served)
	}
	if last := drivers[len(drivers)-1]; last != miner.CGMiner {
		t.Errorf("the generic driver, which takes whoever speaks the API, comes before %s", last)
	}
	if _, ok := all.ByName("toaster"); ok {
		t.Error("there is a driver for toasters")
	}
}

// Every driver knows its own machines and declines everybody else's, or finds
// nobody to talk to. The generic one declines whoever does not speak the
// cgminer API.
func TestWhoIsWho(t *testing.T) {
	for _, dialect := range dialects.Dialects() {
		fw := dialect.Firmware()
		for n, m := range machines[fw] {
			t.Run(string(fw)+" "+m.model+" "+m.version, func(t *testing.T) {
				t.Parallel()
				target, spec := stand(t, dialect, m.model, m.version, n)
				for _, d := range all.Drivers() {
					limit := 20 * time.Second
					if d.Firmware() != fw {
						limit = 2 * time.Second // HTTP on 4028 is silent when asked as cgminer is
					}
					ctx, cancel := context.WithTimeout(t.Context(), limit)
					defer cancel()
					dev := d.Open(target)
					id, err := dev.Identify(ctx)
					dev.Close()
					switch {
					case d.Firmware() == fw:
						if err != nil || id.Firmware != fw || id.Model != spec.Model.Name {
							t.Errorf("its own driver says %+v, %v", id, err)
						}
					case d.Firmware() == miner.CGMiner && err == nil:
						if target.Ports[4028] == 0 {
							t.Errorf("the generic driver found the API where there is none: %+v", id)
						}
					case !errors.Is(err, miner.ErrNotMine) && !errors.Is(err, miner.ErrUnreachable):
						t.Errorf("the driver of %s says %q, %v; want ErrNotMine", d.Firmware(), id.Model, err)
					}
				}
			})
		}
	}
}

// The first words of a machine make its own driver the first to be asked, and
// leave most others out.
func TestHints(t *testing.T) {
	for _, dialect := range dialects.Dialects() {
		fw := dialect.Firmware()
		for n, m := range machines[fw] {
			t.Run(string(fw)+" "+m.model+" "+m.version, func(t *testing.T) {
				t.Parallel()
				target, _ := stand(t, dialect, m.model, m.version, n)
				words := map[uint16][]byte{}
				for port := range target.Ports {
					words[port] = firstWords(t, target, port)
				}
				own, hinted := false, []miner.Firmware{}
				for _, d := range all.Drivers() {
					h, ok := d.(miner.Hinter)
					if !ok {
						continue
					}
					for port, said := range words {
						if len(said) > 0 && h.Hint(port, said) {
							hinted = append(hinted, d.Firmware())
							own = own || d.Firmware() == fw
							break
						}
					}
				}
				if d, _ := all.ByName(fw); !own {
					if _, can := d.(miner.Hinter); can {
						t.Errorf("its own driver takes no hint from %.200q", slices.Collect(maps.Values(words)))
					}
				}
				if len(hinted) > 4 {
					t.Errorf("hints for %v", hinted)
				}
			})
		}
	}
}

func stand(t *testing.T, dialect sim.Dialect, name, version string, n int) (miner.Target, sim.Spec) {
	t.Helper()
	m, ok := miner.LookupModel(name)
	if !ok {
		t.Fatalf("no model %q", name)
	}
	spec := sim.Spec{Model: m, Firmware: dialect.Firmware(), Version: version, MAC: "02:be:ef:00:12:3" + string(rune('0'+n)), Serial: "BLST0042X7", Hostname: "rig-42", Seed: uint64(n)}
	target, err := sim.Stand(t.Context(), dialect, sim.NewRig(spec, nil))
	if err != nil {
		t.Fatal(err)
	}
	return target, spec
}

// firstWords asks as a scan does.
func firstWords(t *testing.T, target miner.Target, port uint16) []byte {
	t.Helper()
	asks := []string{"GET / HTTP/1.1\r\nHost: rig\r\nConnection: close\r\n\r\n"}
	if port == 4028 {
		asks = slices.Insert(asks, 0, `{"command":"version"}`)
	}
	for _, ask := range asks {
		if got := say(t, target, port, ask); len(got) > 0 {
			return got
		}
	}
	return nil
}

func say(t *testing.T, target miner.Target, port uint16, ask string) []byte {
	t.Helper()
	c, err := target.DialPort(t.Context(), port)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(c, ask)
	got, err := io.ReadAll(io.LimitReader(c, 16<<10))
	if ne := (net.Error)(nil); err != nil && !(errors.As(err, &ne) && ne.Timeout()) && !strings.Contains(err.Error(), "reset") {
		t.Fatal(err)
	}
	return got
}
