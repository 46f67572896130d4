package sim_test

import (
	"fmt"
	"time"

	"ballast/miner"
	"ballast/sim"
)

// A rig on its own, on a clock of the caller's: what dialects are tested with.
func ExampleNewRig() {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	model, _ := miner.LookupModel("Antminer S19 Pro (110T)")
	rig := sim.NewRig(sim.Spec{Model: model, Firmware: miner.LuxOS, Seed: 1}, func() time.Time { return now })

	if err := rig.Do(sim.Action{Kind: sim.DoSleep}); err != nil {
		fmt.Println(err)
	}
	now = now.Add(10 * time.Minute)
	s := rig.Snapshot()
	fmt.Printf("%s at %.0f W\n", s.Phase, float64(s.Power))
	// Output: sleeping at 26 W
}

// A site in process, faster than real time: a summer's day in about as many
// milliseconds as it has machines.
func ExampleSite() {
	site, err := sim.New(sim.Config{Machines: 40, Seed: 1, Start: time.Date(2026, 7, 1, 6, 0, 0, 0, time.UTC), Pristine: true}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := site.Inject(sim.Fault{Kind: sim.FaultFanDead, Rig: 3, Index: 1}); err != nil {
		fmt.Println(err)
	}
	site.Advance(24 * time.Hour)
	fmt.Println(site.Now().Format(time.DateTime), site.Rig(3).Snapshot().Phase, site.Rig(4).Snapshot().Phase)
	// Output: 2026-07-02 06:00:00 failed hashing
}
