package sim

import (
	"math"
	"testing"

	"ballast/site"
)

func TestPlan(t *testing.T) {
	for _, scatter := range []bool{false, true} {
		s := newSite(t, Config{Machines: 700, Seed: 1, Scatter: scatter, Pristine: true})
		p, err := s.Plan()
		if err != nil {
			t.Fatal(err)
		}
		text, err := p.YAML()
		if err != nil {
			t.Fatal(err)
		}
		read, err := site.Parse(text)
		if err != nil {
			t.Fatalf("%v in\n%.2000s", err, text)
		}
		if read.Slots() != 700 {
			t.Errorf("%d slots", read.Slots())
		}
		for i := range 700 {
			truth, _ := s.RigTruth(i)
			got, ok := read.Find(truth.Addr, "", "")
			if !ok || got.Container != truth.Container || got.Slot != truth.Slot || got.PDU != truth.PDU || got.Outlet != truth.Outlet || got.Row != s.nodes[i].level+1 {
				t.Fatalf("rig %d at %s: %+v, %v; is in %+v", i, truth.Addr, got, ok, truth)
			}
			if caps := read.Caps(got); len(caps) != 3 || math.Abs(float64(caps[0].Power)-s.pdus[s.nodes[i].pdu].cap) > 100 {
				t.Fatalf("caps %v", caps)
			}
		}
	}
}
