package luxos

import (
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/sim"
)

// rigOf is a rig of the model, on a clock that the test moves.
func rigOf(t testing.TB, name, version string) (*sim.Rig, *time.Time) {
	t.Helper()
	m, ok := miner.LookupModel(name)
	if !ok {
		t.Fatalf("no model %q", name)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return sim.NewRig(sim.Spec{Firmware: miner.LuxOS, Model: m, MAC: "02:be:ef:00:12:34", Serial: "JYZZ", Version: version}, func() time.Time { return now }), &now
}

func ask(rig *sim.Rig, request string) string {
	return string(answer(rig, sim.ParseRPC([]byte(request))))
}

// Every reply ends in a NUL, is JSON when it was asked in JSON and text when not.
func TestForms(t *testing.T) {
	for _, model := range []string{"Antminer S19k Pro (120T)", "Antminer S21 (200T)", "Antminer S21 Hydro (335T)"} {
		for _, version := range []string{"", "2023.10.12.160237-4aee9a3d"} {
			rig, _ := rigOf(t, model, version)
			for _, c := range []string{"version", "summary", "devs", "devdetails", "pools", "config", "power", "temps", "fans", "events", "profiles", "limits", "atm", "tunerstatus", "groups", "stats", "session",
				"voltageget|0", "voltageget|9", "voltageget", "healthchipget|1", "nosuch", "curtail|x,sleep", "profileset", "logoff|x", "addpool|", "removepool|7", "switchpool|x", "summary+devs+temps", "summary+voltageget"} {
				command, parameter, _ := strings.Cut(c, "|")
				reply := ask(rig, `{"command":"`+command+`","parameter":"`+parameter+`"}`)
				if body, ok := strings.CutSuffix(reply, "\x00"); !ok || !gjson.Valid(body) || strings.Contains(body, "\x00") {
					t.Errorf("%s %s: %q", model, c, reply)
				}
				text := ask(rig, c)
				if body, ok := strings.CutSuffix(text, "\x00"); !ok || !strings.HasPrefix(body, "STATUS=") && !strings.HasPrefix(body, "CMD=") || !strings.HasSuffix(body, "|") {
					t.Errorf("%s %s in text: %q", model, c, text)
				}
			}
		}
	}
}

// One session at a time, and only for a minute without use.
func TestSession(t *testing.T) {
	rig, now := rigOf(t, "Antminer S19k Pro (120T)", "")
	id := gjson.Get(ask(rig, `{"command":"logon"}`), "SESSION.0.SessionID").Str
	if len(id) != 8 {
		t.Fatalf("session %q", id)
	}
	if code := gjson.Get(ask(rig, `{"command":"logon"}`), "STATUS.0.Code").Int(); code != 402 {
		t.Errorf("a second session: %d", code)
	}
	set := func(session, what string) string {
		return gjson.Get(ask(rig, `{"command":"ledset","parameter":"`+session+`,red,`+what+`"}`), "STATUS.0.STATUS").Str
	}
	if got := set("other000", "blink"); got != "E" {
		t.Errorf("another session's ID: %s", got)
	}
	for range 3 { // every use prolongs it
		*now = now.Add(50 * time.Second)
		if got := set(id, "blink"); got != "S" {
			t.Errorf("a live session: %s", got)
		}
	}
	if !rig.Snapshot().Locating {
		t.Error("it does not blink")
	}
	*now = now.Add(61 * time.Second)
	if got := set(id, "auto"); got != "E" || !rig.Snapshot().Locating {
		t.Errorf("an expired session: %s", got)
	}
	next := gjson.Get(ask(rig, `{"command":"logon"}`), "SESSION.0.SessionID").Str
	if next == "" || next == id {
		t.Errorf("the next session is %q after %q", next, id)
	}
	if got := gjson.Get(ask(rig, `{"command":"session"}`), "SESSION.0.SessionID").Str; got != next {
		t.Errorf("session tells %q", got)
	}
	ask(rig, `{"command":"logoff","parameter":"`+next+`"}`)
	if got := gjson.Get(ask(rig, `{"command":"session"}`), "SESSION.0.SessionID").Str; got != "" {
		t.Errorf("after logoff session tells %q", got)
	}
}

// Sleep outlasts a reboot.
func TestSleepOutlastsReboot(t *testing.T) {
	rig, now := rigOf(t, "Antminer S19k Pro (120T)", "")
	do := func(command, parameters string) {
		id := gjson.Get(ask(rig, `{"command":"logon"}`), "SESSION.0.SessionID").Str
		if reply := ask(rig, `{"command":"`+command+`","parameter":"`+id+parameters+`"}`); !strings.Contains(reply, `"STATUS":"S"`) {
			t.Fatalf("%s: %s", command, reply)
		}
		ask(rig, `{"command":"logoff","parameter":"`+id+`"}`)
	}
	do("curtail", ",sleep")
	ask(rig, "version")
	do("rebootdevice", "")
	mode := ""
	for range 40 {
		*now = now.Add(30 * time.Second)
		if reply := ask(rig, `{"command":"config"}`); reply != "" {
			mode = gjson.Get(ask(rig, `{"command":"config"}`), "CONFIG.0.CurtailMode").Str
		}
	}
	if mode != "Sleep" || rig.Snapshot().Phase != sim.PhaseSleeping {
		t.Errorf("after a reboot: %q, %s", mode, rig.Snapshot().Phase)
	}
	do("curtail", ",wakeup")
	*now = now.Add(20 * time.Minute)
	if p := rig.Snapshot().Phase; p != sim.PhaseHashing {
		t.Errorf("after waking: %s", p)
	}
}

// What the generations tell.
func TestGenerations(t *testing.T) {
	for _, c := range []struct {
		model, version, command, path string
		told                          bool
	}{
		{"Antminer S21 (200T)", "", "temps", "METADATA.0.TopLeft.Label", true},
		{"Antminer S21 (200T)", "2023.10.12.160237-4aee9a3d", "temps", "METADATA", false},
		{"Antminer S21 (200T)", "", "profiles", "PROFILES.0.Step", true},
		{"Antminer S21 (200T)", "2023.10.12.160237-4aee9a3d", "profiles", "PROFILES.0.Step", false},
		{"Antminer S21 (200T)", "", "limits", "LIMITS.0.PowerTargetMin", true},
		{"Antminer S19k Pro (120T)", "", "limits", "LIMITS.0.PowerTargetMin", false},
		{"Antminer S21 (200T)", "2023.10.12.160237-4aee9a3d", "limits", "LIMITS.0.PowerTargetMin", false},
	} {
		rig, _ := rigOf(t, c.model, c.version)
		if got := gjson.Get(ask(rig, `{"command":"`+c.command+`"}`), c.path); got.Exists() != c.told {
			t.Errorf("%s %s: %s %s is %q", c.model, c.version, c.command, c.path, got.Raw)
		}
	}
}

func BenchmarkAnswer(b *testing.B) {
	rig, _ := rigOf(b, "Antminer S19k Pro (120T)", "")
	for name, request := range map[string]string{"poll": `{"command":"summary+devs+power+temps+fans+events+config+pools"}`, "chips": `{"command":"healthchipget","parameter":"0"}`} {
		b.Run(name, func(b *testing.B) {
			q := sim.ParseRPC([]byte(request))
			b.ReportAllocs()
			for b.Loop() {
				if len(answer(rig, q)) == 0 {
					b.Fatal("no answer")
				}
			}
		})
	}
}
