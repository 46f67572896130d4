package telemetry

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/miner"
	"ballast/unit"
)

var instant = time.Date(2026, 11, 23, 12, 0, 0, 123_456_789, time.UTC)

func full() *miner.Reading {
	r := &miner.Reading{At: instant, Took: 25 * time.Millisecond, State: miner.Hashing,
		Identity:    miner.Identity{Model: "Antminer S21", Firmware: miner.VNish, FirmwareVersion: "1.2.6"},
		HashrateNow: unit.Some(unit.Hashrate(199.96)), HashrateNominal: unit.Some(unit.Hashrate(200)),
		Power: unit.Some(unit.Power(3500.4)), PowerSource: miner.PowerEstimated, Profile: "3500", Mode: miner.ModeHigh,
		Uptime: unit.Some(90 * time.Minute), TempChip: unit.Some(unit.Temperature(71.24)), Accepted: unit.Some(int64(12)),
		Locating: unit.Some(true),
		Boards: []miner.Board{
			{Index: 2, Serial: "B2", Chips: unit.Some(107), ChipsExpected: unit.Some(108), Frequency: unit.Some(545 * unit.Megahertz), Hashrate: unit.Some(unit.Hashrate(66.1)),
				Chip: unit.Some(miner.ChipSummary{Count: 107, Dead: unit.Some(1), TempSD: unit.Some(2.456), FrequencyMin: unit.Some(500 * unit.Megahertz)})},
			{Index: 0, Chips: unit.Some(108), ChipsExpected: unit.Some(108)},
			{Index: 1, Present: unit.Some(false)},
			{Index: 0, Serial: "again"}, {Index: -1}, {Index: 99},
		},
		Fans:  []miner.Fan{{Index: 0, Speed: unit.Some(unit.Speed(5400)), Duty: unit.Some(unit.Ratio(0.5))}, {Index: 3, Speed: unit.Some(unit.Speed(0)), Duty: unit.Some(unit.Ratio(0.7))}, {Index: 20, Speed: unit.Some(unit.Speed(1))}, {PSU: true, Speed: unit.Some(unit.Speed(9000))}},
		PSUs:  []miner.PSU{{PowerIn: unit.Some(unit.Power(1800)), VoltageOut: unit.Some(unit.Voltage(12.31)), Temp: unit.Some(unit.Temperature(50))}, {Index: 1, Present: unit.Some(true), PowerIn: unit.Some(unit.Power(1700)), VoltageOut: unit.Some(unit.Voltage(12.11)), Temp: unit.Some(unit.Temperature(61))}},
		Pools: []miner.Pool{{Alive: unit.Some(true)}, {Alive: unit.Some(false)}, {}},
		Faults: []miner.Fault{miner.NewFault(miner.AdvisoryTuning, miner.Info, -1, "", ""), miner.NewFault(miner.ChipMissing, miner.Major, 2, "", ""), miner.NewFault(miner.FanMissing, miner.Minor, 2, "", ""),
			miner.NewFault(3999, miner.Minor, 0, "", "")},
	}
	r.Warn(miner.WarnImplausible, "x", "y")
	r.Warn(miner.WarnMissing, "x", "y")
	return r
}

func TestFromReading(t *testing.T) {
	row := FromReading(Poll{Machine: 7, Tags: Tags{Site: "north", Group: "a", Model: "?", Firmware: miner.CGMiner}, Due: instant.Add(-40 * time.Millisecond)}, full())
	if row.Tags != (Tags{"north", "a", "Antminer S21", miner.VNish, "1.2.6"}) || !row.At.Equal(instant.Truncate(time.Millisecond)) || row.Outcome != OK || row.State != miner.Hashing {
		t.Errorf("%+v", row)
	}
	want := map[Metric]float64{Up: 1, Hashing: 1, Sleeping: 0, Stopped: 0, Starting: 0, Degraded: 1, Hashrate: 200, HashrateNominal: 200, Power: 3500, Uptime: 5400, TempChip: 71.2, Accepted: 12,
		Fan1: 5400, Fan4: 0, FanDuty: 0.6, PSUFan: 9000, PSUs: 2, PSUPowerIn: 3500, PSUVoltageOut: 12.11, PSUTemp: 61, Pools: 3, PoolsAlive: 1, BoardSlots: 6, BoardsPresent: 2, Chips: 215, ChipsExpected: 216,
		Faults: 4, Warnings: 2, Locating: 1, PollLatency: 0.025, PollDelay: 0.04}
	for _, m := range MachineMetrics() {
		got, ok := row.Get(m).Get()
		if w, wanted := want[m]; ok != wanted || got != w {
			t.Errorf("%v is %v, %v; want %v, %v", m, got, ok, w, wanted)
		}
	}
	if row.Faults.First != miner.ChipMissing || row.Faults.Worst != miner.Major {
		t.Errorf("faults: %+v", row.Faults)
	}
	if got := FaultCodes(row.Faults.Bits); !slices.Equal(got, []miner.Code{miner.FanMissing, miner.BoardOther, miner.ChipMissing, miner.AdvisoryTuning}) {
		t.Errorf("fault codes: %v", got)
	}
	if got := WarningKinds(row.WarningBits); !slices.Equal(got, []miner.WarningKind{miner.WarnMissing, miner.WarnImplausible}) {
		t.Errorf("warnings: %v", got)
	}
	if len(row.Boards) != 3 || row.Boards[0].Index != 0 || row.Boards[2].Serial != "B2" || row.Boards[0].Serial != "" {
		t.Fatalf("boards: %+v", row.Boards)
	}
	b := row.Boards[2]
	for m, w := range map[Metric]float64{BoardFrequency: 545, BoardHashrate: 66.1, BoardChips: 107, ChipCount: 107, ChipsDead: 1, ChipTempSD: 2.46, ChipFrequencyMin: 500, BoardFaults: 1} {
		if got, ok := b.Get(m).Get(); !ok || got != w {
			t.Errorf("%v is %v, %v; want %v", m, got, ok, w)
		}
	}
	if b.Get(BoardPower).Ok() || b.Get(BoardPresent).Ok() || row.Boards[1].Get(BoardPresent).Or(1) != 0 {
		t.Error("missing is not missing, or told is not told")
	}
	if err := row.Problem(); err != nil {
		t.Error(err)
	}

	silent := FromReading(Poll{Machine: 7, At: instant, Latency: 2 * time.Second, Err: fmt.Errorf("dialing: %w", miner.ErrUnreachable)}, nil)
	if silent.Outcome != Unreachable || silent.State != "" || silent.Get(Up).Or(1) != 0 || silent.Get(PollLatency).Or(0) != 2 || silent.Get(Hashrate).Ok() || silent.Due().Ok() {
		t.Errorf("%+v", silent)
	}
	denied := FromReading(Poll{Machine: 7, At: instant, Err: miner.ErrDenied}, full())
	if denied.Outcome != Denied || denied.Get(Hashrate).Ok() {
		t.Errorf("a reading that failed is kept: %+v", denied)
	}
}

func TestOutcomes(t *testing.T) {
	for err, want := range map[error]Outcome{nil: OK, miner.ErrUnreachable: Unreachable, miner.ErrDenied: Denied, miner.ErrGarbage: Garbage, miner.ErrNotMine: NotMine,
		miner.ErrBusy: Busy, miner.ErrRefused: Refused, errors.New("?"): Failed} {
		if got := OutcomeOf(err); got != want || OutcomeCoded(got.Code()) != want {
			t.Errorf("%v is %s", err, got)
		}
	}
	if len(faultCodes) > 64 {
		t.Errorf("%d fault codes do not fit into 64 bits", len(faultCodes))
	}
	if OutcomeCoded(200) != "" || StateCoded(99) != "" || StateCode("?") != 0 {
		t.Error("unknown codes have words")
	}
}

func TestRowJSON(t *testing.T) {
	row := FromReading(Poll{Machine: 7, Due: instant}, full())
	b, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	var back Row
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if !back.Equal(&row) {
		t.Errorf("%s came back as\n%+v", b, back)
	}
}

// FuzzRowJSON: what reads as a row writes and reads as the same row.
func FuzzRowJSON(f *testing.F) {
	b, _ := json.Marshal(FromReading(Poll{Machine: 7}, full()))
	f.Add(b)
	f.Add([]byte(`{"machine":1,"values":{"hashrate":1e300,"up":0.4},"boards":[{"index":-5,"values":{"board_power":1}}]}`))
	f.Add([]byte(`{"values":{"board_power":1}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var row, back Row
		if json.Unmarshal(b, &row) != nil {
			return
		}
		again, err := json.Marshal(row)
		if err != nil {
			return // a time that JSON cannot write
		}
		if err := json.Unmarshal(again, &back); err != nil || !back.Equal(&row) {
			t.Errorf("%s came back as %+v, %v; want %+v", again, back, err, row)
		}
		_ = row.Problem()
	})
}

func TestNewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var n Newest
		want := map[miner.ID]time.Time{}
		for range rapid.IntRange(0, 20).Draw(t, "rows") {
			r := Row{Machine: miner.ID(rapid.IntRange(1, 4).Draw(t, "machine")), At: instant.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, "at")) * time.Second)}
			n.Add([]Row{r})
			if have, ok := want[r.Machine]; !ok || r.At.After(have) {
				want[r.Machine] = r.At
			}
		}
		rows := n.Latest(Filter{})
		if len(rows) != len(want) || n.Len() != len(want) {
			t.Fatalf("%d rows of %d machines", len(rows), len(want))
		}
		for _, r := range rows {
			if !r.At.Equal(want[r.Machine]) {
				t.Fatalf("machine %d at %v, want %v", r.Machine, r.At, want[r.Machine])
			}
		}
	})
}

func BenchmarkFromReading(b *testing.B) {
	in := full()
	for b.Loop() {
		FromReading(Poll{Machine: 7, Due: instant}, in)
	}
}

func BenchmarkTop(b *testing.B) {
	var n Newest
	for i := range 10_000 {
		r := Row{Machine: miner.ID(i + 1), At: instant}
		r.Set(TempChip, float64(i*7919%1000)/10)
		n.Add([]Row{r})
	}
	for b.Loop() {
		if _, err := n.Top(TopQuery{Metric: TempChip, N: 20}); err != nil {
			b.Fatal(err)
		}
	}
}
