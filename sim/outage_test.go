package sim

import (
	"testing"
	"time"

	"ballast/miner"
)

// A sleep that stands in the configuration outlasts a short power cut and a
// restart; one that was only told to the running process does not.
func TestSleepAfterPowerCut(t *testing.T) {
	for firmware, stays := range map[miner.Firmware]bool{miner.Antminer: true, miner.LuxOS: true, miner.Whatsminer: false, miner.Braiins: false, miner.VNish: false} {
		model := "Antminer S19 Pro (110T)"
		if firmware == miner.Whatsminer {
			model = "Whatsminer M30S++ VH40"
		}
		b := newBench(t, model, firmware, 3)
		must(t, b.Do(Action{Kind: DoSleep}))
		b.wait(5 * time.Minute)
		for _, how := range []string{"power cut", "restart of the board"} {
			if how == "power cut" {
				var mains float64
				b.place(func(e *surroundings) { mains, e.mains = e.mains, 0 })
				if s := b.wait(10 * time.Second); s.Phase != PhaseOff || s.Power != 0 {
					t.Fatalf("%s: without power it is %s at %v", firmware, s.Phase, s.Power)
				}
				b.place(func(e *surroundings) { e.mains = mains })
			} else {
				must(t, b.Do(Action{Kind: DoReboot}))
			}
			s := b.wait(30 * time.Minute)
			if got := s.Phase == PhaseSleeping; got != stays {
				t.Errorf("%s, half an hour after a %s: %s, want asleep %v", firmware, how, s.Phase, stays)
			}
			if stays && (s.Hashrate5s != 0 || s.Power > 60) {
				t.Errorf("%s: asleep at %v and %v", firmware, s.Hashrate5s, s.Power)
			}
		}
		if stays {
			must(t, b.Do(Action{Kind: DoWake}))
			if s := b.wait(30 * time.Minute); s.Phase != PhaseHashing {
				t.Errorf("%s: woken, and it is %s", firmware, s.Phase)
			}
			must(t, b.Do(Action{Kind: DoReboot}))
			if s := b.wait(30 * time.Minute); s.Phase != PhaseHashing {
				t.Errorf("%s: woken and restarted, and it is %s", firmware, s.Phase)
			}
		}
	}
}
