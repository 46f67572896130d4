package miner

import (
	"strings"
	"testing"
)

// Every code of the taxonomy has words of its own, and none is promised that
// does not exist.
func TestAdvice(t *testing.T) {
	seen := map[string]Code{}
	for c, words := range advices {
		if c.Group() == "unknown" {
			t.Errorf("%d is in no group", c)
		}
		for _, w := range words {
			if !strings.HasSuffix(w, ".") || len(w) < 10 {
				t.Errorf("%d: %q is no sentence", c, w)
			}
		}
		if other, twice := seen[words[0]]; twice {
			t.Errorf("%d and %d mean the same: %q", c, other, words[0])
		}
		seen[words[0]] = c
	}
	for _, c := range []Code{PSUOther, PSUShutdown, ThermalOther, CoolantFlow, BoardOther, ChipErrorRate, RailPower, SensorHumidity, FirmwareCrash, ControlMemory, AdvisoryLowHash} {
		if advices[c] == [2]string{} {
			t.Errorf("%d has no words", c)
		}
	}
	if a, _ := Code(3099).Advice(); a != advices[BoardOther][0] {
		t.Errorf("an unknown board fault: %q", a)
	}
	if a, b := Code(9999).Advice(); a == "" || b == "" {
		t.Error("an unknown group has no words")
	}
}
