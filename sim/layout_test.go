package sim

import (
	"encoding/json"
	"testing"

	"ballast/site"
)

// What the simulated site says of itself is a description that its own machines
// are found in, each in the slot where the simulator has it.
func TestLayout(t *testing.T) {
	for _, c := range []Config{{Machines: 520}, {Machines: 90, Scatter: true}, {Machines: 1}} {
		s := newSite(t, c)
		l, err := s.Layout()
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		again, err := site.FromJSON(b)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for i := range s.nodes {
			nd := &s.nodes[i]
			p, ok := again.Find(nd.addr, "", "")
			if !ok || p.Container != s.zones[nd.zone].name || p.Slot != nd.slot+1 || p.Row != nd.level+1 || p.PDU != s.pdus[nd.pdu].name || p.Outlet != nd.outlet+1 || p.Cooling != s.zones[nd.zone].cooling {
				t.Fatalf("machine %d: %+v, %v", i, p, ok)
			}
			if seen[p.String()] {
				t.Fatalf("two machines in %v", p)
			}
			seen[p.String()] = true
			if caps := again.Caps(p); len(caps) != 3 {
				t.Fatalf("caps of %v: %v", p, caps)
			}
		}
		if text, err := l.YAML(); err != nil {
			t.Error(err)
		} else if _, err := site.Parse(text); err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
	}
}
