package fleet

import (
	"testing"
	"time"

	"ballast/miner"
)

// An address rests longer the more often it was looked at in vain, and as at first
// once somebody else is there.
func TestAskedRests(t *testing.T) {
	now := time.Date(2026, 7, 1, 3, 0, 0, 0, time.UTC)
	one, two := miner.Identity{MAC: "02:00:00:00:00:01", Firmware: "luxos"}, miner.Identity{MAC: "02:00:00:00:00:02", Firmware: "vnish"}
	var a asked
	for i, step := range []struct {
		found miner.Identity // none: nobody was recognised
		after time.Duration
		want  time.Duration
	}{
		{one, 0, 30 * time.Second},
		{one, time.Minute, time.Minute}, // who he was: the trouble is another
		{miner.Identity{}, time.Minute, 2 * time.Minute},
		{miner.Identity{}, 3 * time.Minute, 4 * time.Minute},
		{two, 5 * time.Minute, 30 * time.Second}, // moved
		{one, time.Minute, 30 * time.Second},     // and back
		{one, time.Minute, time.Minute},
		{one, 2 * time.Minute, 2 * time.Minute},
		{one, 3 * time.Minute, 4 * time.Minute},
		{one, 5 * time.Minute, 8 * time.Minute},
		{one, 9 * time.Minute, 15 * time.Minute},
		{one, 16 * time.Minute, 15 * time.Minute},
		{one, 2 * time.Hour, 30 * time.Second}, // long ago
	} {
		now = now.Add(step.after)
		a = a.again(now)
		if step.found != (miner.Identity{}) {
			a = a.found(step.found)
		}
		if a.rest != step.want {
			t.Fatalf("step %d: rests %s, want %s", i, a.rest, step.want)
		}
	}
}
