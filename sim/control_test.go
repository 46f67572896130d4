package sim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ballast/miner"
)

type client struct {
	t *testing.T
	h http.Handler
}

// do sends a request and decodes the answer into out.
func (c client) do(method, path, body string, want int, out any) string {
	c.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	text, _ := io.ReadAll(w.Body)
	if w.Code != want {
		c.t.Fatalf("%s %s %s: %d %s; want %d", method, path, body, w.Code, text, want)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return string(text)
}

func TestControlAPI(t *testing.T) {
	s := newSite(t, Config{Machines: 60, Seed: 2, Pristine: true})
	c := client{t, s.Handler()}

	var state Truth
	c.do("GET", "/state", "", 200, &state)
	if state.Phases[PhaseHashing] != 60 || len(state.Containers) == 0 || len(state.Rigs) != 0 {
		t.Errorf("state %+v", state)
	}
	c.do("GET", "/state?rigs=true", "", 200, &state)
	if len(state.Rigs) != 60 {
		t.Errorf("%d rigs", len(state.Rigs))
	}
	var rigs []RigTruth
	c.do("GET", "/rigs?firmware=luxos&limit=2", "", 200, &rigs)
	if len(rigs) != 2 || rigs[0].Firmware != miner.LuxOS {
		t.Errorf("rigs %+v", rigs)
	}

	// One machine, by each of its names.
	me := rigs[0]
	for _, name := range []string{me.Addr.String(), me.MAC, me.Serial, s.Rig(me.Rig).Spec().Hostname} {
		var got struct {
			Rig  int      `json:"rig"`
			Seen Snapshot `json:"seen"`
		}
		text := c.do("GET", "/rigs/"+name, "", 200, &got)
		if got.Rig != me.Rig || got.Seen.Phase != PhaseHashing {
			t.Errorf("%s: rig %d, %s", name, got.Rig, got.Seen.Phase)
		}
		if strings.Contains(text, `"Password": "x"`) {
			t.Error("tells a pool password")
		}
	}

	// Inject, see, clear.
	var faults []Fault
	c.do("POST", "/faults", `{"kind":"fan-dead","rig":"`+me.Serial+`","index":1,"for":"10m"}`, 200, &faults)
	if len(faults) != 1 || faults[0].Rig != me.Rig || faults[0].Until.Sub(faults[0].Since) != 10*time.Minute {
		t.Errorf("injected %+v", faults)
	}
	s.Advance(time.Minute)
	if snap := s.Rig(me.Rig).Snapshot(); snap.Fans[1].Speed != 0 || snap.Fans[0].Speed == 0 {
		t.Errorf("fans %+v", snap.Fans)
	}
	c.do("GET", "/faults", "", 200, &faults)
	if len(faults) != 1 {
		t.Errorf("in force: %+v", faults)
	}
	s.Advance(10 * time.Minute)
	if left := c.do("GET", "/faults", "", 200, &faults); len(faults) != 0 {
		t.Errorf("after its time: %s", left)
	}
	if snap := s.Rig(me.Rig).Snapshot(); snap.Fans[1].Speed == 0 {
		t.Error("the fan still stands")
	}

	c.do("POST", "/faults", `{"kind":"hashrate-drop","container":"C01","amount":0.5}`, 200, &faults)
	n := len(faults)
	var cleared map[string]int
	c.do("DELETE", "/faults?kind=hashrate-drop&rig=0", "", 200, &cleared)
	if cleared["cleared"] != 1 {
		t.Errorf("cleared %v", cleared)
	}
	c.do("DELETE", "/faults?container=C01", "", 200, &cleared)
	if cleared["cleared"] != n-1 {
		t.Errorf("cleared %v of %d", cleared, n-1)
	}
	c.do("POST", "/faults", `{"kind":"heat-wave","amount":6}`, 200, &faults)
	c.do("DELETE", "/faults/"+itoa(faults[0].ID), "", 200, &cleared)
	c.do("POST", "/faults", `{"kind":"reboot","rigs":[1,"2"]}`, 200, &faults)
	if s.Rig(1).Phase() != PhaseBooting || s.Rig(2).Phase() != PhaseBooting || len(faults) != 2 {
		t.Errorf("rebooting: %s, %s", s.Rig(1).Phase(), s.Rig(2).Phase())
	}
	c.do("POST", "/faults", `{"kind":"password","rig":3,"text":"secret"}`, 200, &faults)
	if s.Rig(3).Spec().Password != "secret" {
		t.Error("the password did not change")
	}
	c.do("DELETE", "/faults/"+itoa(faults[0].ID), "", 200, nil)
	if s.Rig(3).Spec().Password != "" {
		t.Error("the password did not change back")
	}

	// Orders, outlets, time.
	var order Order
	c.do("POST", "/rigs/5/repair", "", 200, &order)
	c.do("POST", "/outlets/0/1/off", "", 200, nil)
	if s.Rig(1).Phase() != PhaseOff {
		t.Errorf("outlet off: %s", s.Rig(1).Phase())
	}
	before := s.Now()
	c.do("POST", "/clock", `{"advance":"90m"}`, 200, nil)
	if d := s.Now().Sub(before); d != 90*time.Minute {
		t.Errorf("advanced by %v", d)
	}
	var log struct {
		Events []Event `json:"events"`
		Next   int     `json:"next"`
	}
	c.do("GET", "/events?kind=inject&limit=3", "", 200, &log)
	if len(log.Events) != 3 || log.Next == 0 {
		t.Errorf("log %+v", log)
	}
	first := log.Events
	c.do("GET", "/events?kind=inject&limit=1&since="+itoa(int64(log.Next)), "", 200, &log)
	if len(log.Events) != 1 || log.Events[0] == first[2] {
		t.Errorf("the next page is %+v", log.Events)
	}
}

func itoa(n int64) string { b, _ := json.Marshal(n); return string(b) }

func TestControlAPIExplains(t *testing.T) {
	s := newSite(t, Config{Machines: 30, Seed: 2, Pristine: true})
	c := client{t, s.Handler()}
	for _, q := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "/faults", `{"kind":"gremlins","rig":1}`, 400, "GET /kinds"},
		{"POST", "/faults", `{"kind":"fan-dead"}`, 400, "which?"},
		{"POST", "/faults", `{"kind":"fan-dead","rig":99}`, 404, "0 to 29"},
		{"POST", "/faults", `{"kind":"fan-dead","rig":"nobody"}`, 404, "serial"},
		{"POST", "/faults", `{"kind":"fan-dead","rig":"127.20.99.99"}`, 404, "no such rig"},
		{"POST", "/faults", `{"kind":"fan-dead","rig":1,"index":9}`, 400, "this machine has"},
		{"POST", "/faults", `{"kind":"fan-slow","rig":1,"amount":7}`, 400, "0.01 to 1"},
		{"POST", "/faults", `{"kind":"fan-dead","container":"C99"}`, 404, "no such container"},
		{"POST", "/faults", `{"kind":"container-trip","rig":1}`, 400, "falls on a container"},
		{"POST", "/faults", `{"kind":"container-trip"}`, 400, "which?"},
		{"POST", "/faults", `{"kind":"pump","container":"C01"}`, 400, "cooled by air"},
		{"POST", "/faults", `{"kind":"swap","rig":1,"text":"1"}`, 400, "itself"},
		{"POST", "/faults", `{"kind":"upgrade","rig":1}`, 400, "version"},
		{"POST", "/faults", `{"kind":"fan-dead","rig":1,"for":"soon"}`, 400, "10m"},
		{"POST", "/faults", `{"kind":"fan-dead","rig":1,"colour":"red"}`, 400, "colour"},
		{"POST", "/faults", `{"kind":`, 400, "reading the request"},
		{"POST", "/faults", `{"kind":"fan-dead","rig":[1]}`, 400, "number or a text"},
		{"DELETE", "/faults/77", "", 400, "no such fault"},
		{"DELETE", "/faults/x", "", 400, "no such fault"},
		{"DELETE", "/faults?container=C99", "", 404, "no such container"},
		{"GET", "/rigs/77", "", 404, "0 to 29"},
		{"GET", "/rigs?limit=-1", "", 400, "limit"},
		{"GET", "/events?since=never", "", 400, "since"},
		{"POST", "/clock", `{"speed":-1}`, 400, "more than 0"},
		{"POST", "/clock", `{"advance":"1000h"}`, 400, "744h"},
		{"POST", "/outlets/0/x/off", "", 400, "on or off"},
		{"POST", "/outlets/0/77/off", "", 400, "outlet 77"},
		{"POST", "/rigs/77/repair", "", 404, "0 to 29"},
	} {
		var e struct{ Error string }
		c.do(q.method, q.path, q.body, q.status, &e)
		if !strings.Contains(e.Error, q.says) {
			t.Errorf("%s %s %s: %q does not say %q", q.method, q.path, q.body, e.Error, q.says)
		}
	}
}

// Every kind of fault can be injected with its defaults and cleared again, and
// leaves a healthy site behind.
func TestEveryFaultComesAndGoes(t *testing.T) {
	for _, info := range FaultKinds() {
		t.Run(string(info.Kind), func(t *testing.T) {
			s := zoneSite(t)
			f := Fault{Kind: info.Kind, Rig: 50, Text: "51"}
			if info.Scope == ScopeContainer || info.Scope == ScopeSite {
				f.Rig, f.Container = -1, "C02"
			}
			if info.Index == "fan" {
				f.Rig = 0 // cooled by air
			}
			before := s.Truth(true)
			done, err := s.Inject(f)
			if err != nil || len(done) != 1 {
				t.Fatalf("%+v, %v", done, err)
			}
			s.Advance(5 * time.Minute)
			for i := range s.Machines() {
				s.Rig(i).SnapshotChips()
			}
			s.Clear(0, "", -1, "")
			if left := s.Faults(); len(left) > 0 {
				t.Errorf("left %+v", left)
			}
			s.Advance(30 * time.Minute)
			for i := range s.Machines() {
				if s.Rig(i).Phase() == PhaseFailed {
					_ = s.Rig(i).Do(Action{Kind: DoRestart})
				}
			}
			s.Advance(20 * time.Minute)
			after := s.Truth(true)
			if after.Phases[PhaseHashing] != before.Phases[PhaseHashing] {
				t.Errorf("afterwards %v", after.Phases)
			}
			if x := float64(after.Hashrate / before.Hashrate); x < 0.97 || x > 1.03 {
				t.Errorf("%v before, %v after", before.Hashrate, after.Hashrate)
			}
		})
	}
}

func FuzzControl(f *testing.F) {
	for _, body := range []string{
		`{"kind":"fan-dead","rig":1,"index":0,"for":"10m"}`, `{"kind":"wire-slow","rigs":["0","127.20.0.2"],"amount":3}`,
		`{"kind":"swap","rig":2,"text":"3"}`, `{"kind":"container-trip","container":"C01"}`, `{"kind":"heat-wave","amount":-4}`,
		`{"kind":"chips-dying","all":true,"amount":1e3}`, `{"kind":"upgrade","rig":0,"text":"x"}`, `{"kind":"sensor-stuck","rig":4,"index":2,"amount":-60}`,
		`{"kind":"pool-down","rig":4,"index":-1}`, `{"kind":"pdu-trip","container":"C01","index":9999999999}`,
	} {
		f.Add([]byte(body))
	}
	m, err := ParseMix([]byte("groups: [{share: 1, firmware: luxos, model: Antminer S19}, {share: 1, firmware: bitaxe, model: Bitaxe Gamma}]"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := New(Config{Machines: 6, Mix: &m, Start: summer, Pristine: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/faults", strings.NewReader(string(body))))
		if w.Code != 200 && w.Code != 400 && w.Code != 404 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		s.Advance(2 * time.Minute)
		for i := range 6 {
			s.Rig(i).SnapshotChips()
		}
		s.Clear(0, "", -1, "")
		if left := s.Faults(); len(left) > 0 {
			t.Fatalf("left %v", left)
		}
		if _, err := json.Marshal(s.Truth(true)); err != nil {
			t.Fatalf("the truth cannot be told: %v", err)
		}
	})
}
