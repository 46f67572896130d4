package cgminer

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ballast/miner"
	"ballast/sim"
)

func newRig(t *testing.T, locked bool) *sim.Rig {
	t.Helper()
	m, ok := miner.LookupModel("Antminer S19j Pro")
	if !ok {
		t.Fatal("no model")
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rig := sim.NewRig(sim.Spec{Model: m, Firmware: miner.CGMiner, WriteLock: locked, Seed: 3}, func() time.Time { return now })
	for range 240 {
		if rig.Snapshot().Phase == sim.PhaseHashing {
			return rig
		}
		now = now.Add(30 * time.Second)
	}
	t.Fatal("the rig does not come up")
	return nil
}

func ask(t *testing.T, rig *sim.Rig, request string) string {
	t.Helper()
	here, there := net.Pipe()
	go Dialect{}.Serve(context.Background(), 4028, there, rig)
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

func TestAnswers(t *testing.T) {
	rig, locked := newRig(t, false), newRig(t, true)
	for name, c := range map[string]struct {
		rig     *sim.Rig
		request string
		has     string
	}{
		"summary":        {rig, `{"command":"summary"}`, `"SUMMARY":[{"Elapsed":`},
		"several":        {rig, `{"command":"summary+devs"}`, `"devs":[{"STATUS":`},
		"text":           {rig, "version", "|VERSION,CGMiner=4.12.1,API=3.7,"},
		"unknown":        {rig, `{"command":"fly"}`, `"Code":14`},
		"privileged":     {rig, `{"command":"privileged"}`, `"STATUS":"S"`},
		"not privileged": {locked, `{"command":"addpool","parameter":"a,b,c"}`, `"Code":45`},
		"bad pool":       {rig, `{"command":"switchpool","parameter":"9"}`, `"Code":26`},
		"last pool":      {rig, `{"command":"removepool","parameter":"0"}`, `"Code":66`},
		"broken":         {rig, `{"command":}`, `"Code":23`},
	} {
		t.Run(name, func(t *testing.T) {
			if reply := ask(t, c.rig, c.request); !strings.Contains(reply, c.has) || !strings.HasSuffix(reply, "\x00") {
				t.Errorf("no %s in %q", c.has, reply)
			}
		})
	}
}

func TestSplitParameter(t *testing.T) {
	if got := splitParameter(`stratum+tcp://a\,b:1,us\\er,`); len(got) != 3 || got[0] != "stratum+tcp://a,b:1" || got[1] != `us\er` || got[2] != "" {
		t.Errorf("%q", got)
	}
}
