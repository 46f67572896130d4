package fleet

import (
	"testing"

	"ballast/miner"
	"ballast/unit"
)

func TestEnvelopesAlikeAreOne(t *testing.T) {
	of := func(watts unit.Power) *miner.Envelope {
		return &miner.Envelope{Kinds: []miner.Kind{miner.SetPower}, PowerMax: unit.Some(watts), Steps: []miner.Step{{Name: "low"}, {Name: "high"}}}
	}
	var x envelopes
	a := x.one("M50", of(3000))
	if x.one("M50", of(3000)) != a {
		t.Error("two that are equal")
	}
	if x.one("M50", of(3100)) == a || x.one("M60", of(3000)) == a {
		t.Error("one for two that differ")
	}
	if x.one("M50", nil) != nil {
		t.Error("none became one")
	}
	for i := range 3 * mostAlike {
		if e := of(unit.Power(4000 + i)); !x.one("M50", e).Same(e) {
			t.Error("another machine's")
		}
	}
	if n := len(x.kept["M50"]); n != mostAlike {
		t.Errorf("%d kept", n)
	}
}
