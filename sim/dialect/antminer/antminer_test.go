package antminer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"ballast/miner"
	"ballast/sim"
)

func newRig(t testing.TB, name, version string) *sim.Rig {
	t.Helper()
	m, ok := miner.LookupModel(name)
	if !ok {
		t.Fatalf("no model %q", name)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rig := sim.NewRig(sim.Spec{Model: m, Firmware: miner.Antminer, Version: version, MAC: "02:be:ef:00:12:34", Serial: "SN1", Password: "pw", Seed: 3}, func() time.Time { return now })
	for range 240 {
		if rig.Snapshot().Phase == sim.PhaseHashing {
			return rig
		}
		now = now.Add(30 * time.Second)
	}
	t.Fatal("the rig does not come up")
	return nil
}

// ask sends a request over a pipe and returns everything until the end.
func ask(t testing.TB, rig *sim.Rig, port uint16, request string) string {
	t.Helper()
	here, there := net.Pipe()
	go Dialect{}.Serve(context.Background(), port, there, rig)
	defer here.Close()
	_ = here.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(here, request); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(here)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

func TestQuirks(t *testing.T) {
	old, s9, late := newRig(t, "Antminer S19 Pro", "2021"), newRig(t, "Antminer S9", ""), newRig(t, "Antminer S21", "")
	for name, c := range map[string]struct {
		rig        *sim.Rig
		request    string
		has, lacks []string
	}{
		"comma forgotten":             {old, `{"command":"stats"}`, []string{`}{"STATS":0`, `"chain_acn4":0`, `"temp_pcb1":"`, `"fan4":`}, []string{`},{"STATS"`, `"fan5"`}},
		"no multi-commands":           {old, `{"command":"summary+stats"}`, []string{`"STATUS":"E"`, `"Code":14`}, []string{"SUMMARY"}},
		"extension unknown":           {old, `{"command":"stats","new_api":true}`, []string{`"chain_acn1"`}, []string{`"chain":[`}},
		"extension":                   {late, `{"command":"stats","new_api":true}`, []string{`"chain":[`, `"miner-mode":0`, `"sn":"`}, []string{`"chain_acn1"`}},
		"extension inside parameter":  {late, `{"command":"stats","parameter":{"new_api":true}}`, []string{`"chain_acn1"`}, []string{`"chain":[`}},
		"denied":                      {late, `{"command":"restart"}`, []string{`"Code":45`, "Access denied"}, nil},
		"unknown":                     {late, `{"command":"fly"}`, []string{`"Code":14`}, nil},
		"broken request":              {late, `{"command":"stats",}`, []string{`"Code":23`}, nil},
		"S9 slots":                    {s9, `{"command":"stats"}`, []string{`"chain_acn1":0`, `"chain_acn6":63`, `"chain_acn16":0`, `"fan1":0`, `"temp2_6":`, `"chain_rate6":"`}, []string{`"fan9"`, `"temp_pcb6"`}},
		"S9 takes multi-commands":     {s9, `{"command":"summary+pools"}`, []string{`"summary":[{`, `"pools":[{`}, nil},
		"S9 quotes its hashrate":      {s9, `{"command":"summary"}`, []string{`"GHS 5s":"1`}, nil},
		"text asked, text answered":   {s9, "summary", []string{"STATUS=S,When=", "|SUMMARY,Elapsed="}, []string{"{"}},
		"pools tell the time elapsed": {old, `{"command":"pools"}`, []string{`"Last Share Time":"0:0`, `"Diff":"65.5K"`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			reply := ask(t, c.rig, apiPort, c.request)
			if !strings.HasSuffix(reply, "\x00") {
				t.Errorf("the reply does not end with NUL: %q", reply)
			}
			for _, s := range c.has {
				if !strings.Contains(reply, s) {
					t.Errorf("no %s in %s", s, reply)
				}
			}
			for _, s := range c.lacks {
				if strings.Contains(reply, s) {
					t.Errorf("%s in %s", s, reply)
				}
			}
		})
	}
}

func TestNewFormIsJSON(t *testing.T) {
	for _, name := range []string{"Antminer S21", "Antminer S19 XP Hyd"} {
		rig := newRig(t, name, "")
		for _, command := range []string{"stats", "summary", "pools"} {
			reply := strings.TrimSuffix(ask(t, rig, apiPort, `{"command":"`+command+`","new_api":true}`), "\x00")
			if !json.Valid([]byte(reply)) {
				t.Errorf("%s %s: %s", name, command, reply)
			}
		}
	}
}

func get(t *testing.T, rig *sim.Rig, port uint16, path string) *http.Response {
	t.Helper()
	raw := ask(t, rig, port, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestWebWantsPassword(t *testing.T) {
	rig := newRig(t, "Antminer S19 XP", "")
	for _, path := range []string{"/cgi-bin/get_system_info.cgi", "/cgi-bin/reboot.cgi", "/"} {
		res := get(t, rig, webPort, path)
		if res.StatusCode != http.StatusUnauthorized || !strings.Contains(res.Header.Get("WWW-Authenticate"), `realm="antMiner Configuration"`) {
			t.Errorf("%s: %s %v", path, res.Status, res.Header)
		}
	}
	if rig.Snapshot().Phase != sim.PhaseHashing {
		t.Error("a stranger rebooted the machine")
	}
}

func TestInfoPort(t *testing.T) {
	rig := newRig(t, "Antminer S21", "")
	body, _ := io.ReadAll(get(t, rig, infoPort, "/miner_power").Body)
	if !bytes.HasPrefix(body, []byte("power:")) {
		t.Errorf("power: %q", body)
	}
	body, _ = io.ReadAll(get(t, rig, infoPort, "/warning").Body)
	if string(body) != `{"error_message":"None"}` {
		t.Errorf("warning: %q", body)
	}
	if ports := (Dialect{}).Ports(newRig(t, "Antminer S19 XP", "").Spec()); len(ports) != 2 {
		t.Errorf("an S19 XP listens on %v", ports)
	}
}

func TestAsleep(t *testing.T) {
	rig := newRig(t, "Antminer S19 XP", "")
	if err := rig.Do(sim.Action{Kind: sim.DoSleep}); err != nil {
		t.Fatal(err)
	}
	reply := ask(t, rig, apiPort, `{"command":"stats","new_api":true}`)
	if !strings.Contains(reply, `"miner-mode":1`) {
		t.Errorf("asleep it says %s", reply)
	}
}

func BenchmarkAnswer(b *testing.B) {
	for _, c := range []struct{ name, model, version, request string }{
		{"S19 stats", "Antminer S19 Pro", "2021", `{"command":"stats"}`},
		{"S21 stats", "Antminer S21", "", `{"command":"stats","new_api":true}`},
		{"S21 summary", "Antminer S21", "", `{"command":"summary","new_api":true}`},
		{"S21 pools", "Antminer S21", "", `{"command":"pools","new_api":true}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			rig := newRig(b, c.model, c.version)
			m := &machine{rig: rig, spec: rig.Spec(), gen: generationOf(rig.Spec())}
			b.ReportAllocs()
			for b.Loop() {
				if len(m.answer(sim.ParseRPC([]byte(c.request)))) == 0 {
					b.Fatal("no answer")
				}
			}
		})
	}
}
