package avalon

import (
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/sim"
)

// rigOf is a rig of the model, on a clock that the test moves.
func rigOf(t testing.TB, name string) (*sim.Rig, *time.Time) {
	t.Helper()
	m, ok := miner.LookupModel(name)
	if !ok {
		t.Fatalf("no model %q", name)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return sim.NewRig(sim.Spec{Firmware: miner.Avalon, Model: m, MAC: "02:be:ef:00:12:34", Serial: "0201000077bdc7ab", User: "root", Password: "pass"}, func() time.Time { return now }), &now
}

func ask(rig *sim.Rig, request string) string {
	return string(answer(rig, sim.ParseRPC([]byte(request))))
}

// Every reply ends in a NUL and, but for the garbage, is JSON when it was asked
// in JSON and text when not.
func TestForms(t *testing.T) {
	for _, name := range []string{"1246-83", "Avalon A15 Pro", "Avalon 1566HA", "Avalon Q", "Avalon Nano 3S", "Avalon Mini 3"} {
		rig, _ := rigOf(t, name)
		for _, c := range []string{"version", "summary", "stats", "estats", "litestats", "pools", "devs", "devdetails", "config", "coin", "check", "nosuch", "summary+estats+pools", "ascset|0,help", "ascset|1,help", "ascset|0", "ascset|0,nosuch,1", "ascset|0,workmode,255", "ascset|0,workmode,get", "ascset|0,softoff,xyz", "ascset|0,led,9"} {
			command, parameter, _ := strings.Cut(c, "|")
			reply := ask(rig, `{"command":"`+command+`","parameter":"`+parameter+`"}`)
			if body, ok := strings.CutSuffix(reply, "\x00"); !ok || !gjson.Valid(body) || strings.Contains(body, "\x00") {
				t.Errorf("%s %s: %q", name, c, reply)
			}
			text := ask(rig, c)
			if body, ok := strings.CutSuffix(text, "\x00"); !ok || !strings.HasPrefix(body, "STATUS=") && !strings.HasPrefix(body, "CMD=") || !strings.HasSuffix(body, "|") {
				t.Errorf("%s %s in text: %q", name, c, text)
			}
		}
		if reply := ask(rig, `{"command":`); !strings.Contains(reply, "Invalid JSON") {
			t.Errorf("broken JSON: %q", reply)
		}
	}
}

// The machine text is where each generation has it, with the keys that it has.
func TestTexts(t *testing.T) {
	for _, c := range []struct{ model, path, want, not string }{
		{"1246-83", "STATS.0.MM ID0", "Ver[1246-83-", "WALLPOWER["},
		{"Avalon A15 Pro", "STATS.0.MM ID0", "WALLPOWER[", "LVer["},
		{"Avalon Q", `STATS.0.MM ID0\:Summary`, "'STATS':{Ver[Q-", "PVT_T0["},
		{"Avalon Q", "STATS.0.HBinfo", "'HB0':{PVT_T0[", "Ver["},
		{"Avalon Nano 3S", "STATS.0.MM ID0", "WORKLEVEL[", "'STATS'"},
	} {
		rig, _ := rigOf(t, c.model)
		got := gjson.Get(ask(rig, `{"command":"stats"}`), c.path).Str
		if !strings.Contains(got, c.want) || strings.Contains(got, c.not) {
			t.Errorf("%s: %s is %.300q", c.model, c.path, got)
		}
	}
}

// While it starts, averages are no numbers and pools says garbage.
func TestStarting(t *testing.T) {
	rig, now := rigOf(t, "1246-83")
	if reply := ask(rig, "ascset|0,reboot,0"); reply != "" {
		t.Errorf("a reboot answers %q", reply)
	}
	if reply := ask(rig, "summary"); reply != "" {
		t.Errorf("a booting machine answers %q", reply)
	}
	for range 600 {
		*now = now.Add(time.Second)
		if rig.Snapshot().Phase == sim.PhaseStarting {
			break
		}
	}
	if reply := ask(rig, `{"command":"pools"}`); reply != ",\"id\":1}\x00" {
		t.Errorf("pools: %q", reply)
	}
	if reply := ask(rig, `{"command":"summary"}`); !strings.Contains(reply, `"MHS av":nan`) && rig.Snapshot().MinerUptime < time.Second {
		t.Errorf("summary: %q", reply)
	}
}

// A time that has passed is acknowledged, and nothing happens; by the machine's
// own clock, which of a classic machine is its uptime.
func TestSoftOff(t *testing.T) {
	for _, c := range []struct {
		model, command, words string
		asleep                bool
	}{
		{"1246-83", "softoff", "ASC 0 set OK", true},
		{"1246-83", "softoff,1:3700", "success softoff:3700", false}, // in a while
		{"1246-83", "softoff,1:60", "success softoff:60", false},     // long ago
		{"1246-83", "softoff,1:1772366405", "success softoff:1772366405", false},
		{"Avalon Q", "softoff,1:1772366405", "success softoff:1772366405", true},
		{"Avalon Q", "softoff,1:1772366395", "success softoff:1772366395", false},
		{"Avalon Q", "softoff", "unknown argument", false},
	} {
		rig, _ := rigOf(t, c.model)
		reply := ask(rig, "ascset|0,"+c.command)
		if !strings.Contains(reply, c.words) {
			t.Errorf("%s %s: %q", c.model, c.command, reply)
		}
		if asleep := rig.Snapshot().Phase == sim.PhaseSleeping; asleep != c.asleep {
			t.Errorf("%s %s: asleep %v", c.model, c.command, asleep)
		}
	}
}

// Asleep, chips are as they were last, and the rest is not.
func TestChipsFromBefore(t *testing.T) {
	rig, now := rigOf(t, "Avalon Q")
	before := gjson.Get(ask(rig, `{"command":"stats"}`), "STATS.0.HBinfo").Str
	ask(rig, "ascset|0,softoff,1:1772366405")
	*now = now.Add(time.Minute)
	after := ask(rig, `{"command":"stats"}`)
	if got := gjson.Get(after, "STATS.0.HBinfo").Str; got != before {
		t.Errorf("chips were %.80q, are %.80q", before, got)
	}
	if text := gjson.Get(after, `STATS.0.MM ID0\:Summary`).Str; !strings.Contains(text, "TMax[0]") || !strings.Contains(text, "In Idle") || !strings.Contains(text, "SoftOFF[4]") {
		t.Errorf("asleep: %q", text)
	}
}

// Pools and modes of a classic machine wait for the reboot.
func TestWaitForReboot(t *testing.T) {
	rig, now := rigOf(t, "1246-83")
	if reply := ask(rig, "ascset|0,setpool,root,wrong,0,stratum+tcp://a:1,u,p"); !strings.Contains(reply, "userpass err") {
		t.Errorf("a wrong password: %q", reply)
	}
	if reply := ask(rig, "ascset|0,setpool,root,pass,0,stratum+tcp://a:1,u,p"); !strings.Contains(reply, "workerpassword is p") {
		t.Errorf("setpool: %q", reply)
	}
	ask(rig, "ascset|0,workmode,1")
	if s := rig.Snapshot(); strings.Contains(s.Pools[0].URL, "//a:1") || s.Mode == miner.ModeHigh {
		t.Error("it did not wait")
	}
	ask(rig, "ascset|0,reboot,0")
	*now = now.Add(20 * time.Minute)
	if s := rig.Snapshot(); !strings.Contains(s.Pools[0].URL, "//a:1") || s.Mode != miner.ModeHigh {
		t.Errorf("after the reboot: %s, %s", s.Pools[0].URL, s.Mode)
	}
}

func BenchmarkAnswer(b *testing.B) {
	for name, c := range map[string][2]string{"classic": {"1246-83", "summary+estats+pools"}, "nested": {"Avalon Q", "summary+litestats+pools"}} {
		b.Run(name, func(b *testing.B) {
			rig, _ := rigOf(b, c[0])
			q := sim.ParseRPC([]byte(`{"command":"` + c[1] + `"}`))
			b.ReportAllocs()
			for b.Loop() {
				if len(answer(rig, q)) == 0 {
					b.Fatal("no answer")
				}
			}
		})
	}
}
