package cgminer

import (
	"testing"

	"ballast/miner"
	"ballast/unit"
)

func fill(t *testing.T, raw, model string) miner.Reading {
	t.Helper()
	r := miner.Reading{}
	m := miner.Model{}
	if model != "" {
		var ok bool
		if m, ok = miner.LookupModel(model); !ok {
			t.Fatalf("no model %q", model)
		}
	}
	if !FillChains(&r, object(raw), m) {
		t.Fatal("no chains")
	}
	return r
}

func indices(r miner.Reading) (out []int) {
	for _, b := range r.Boards {
		out = append(out, b.Index)
	}
	return out
}

// An S9 has 16 slots of which 6 to 8 are used; here the middle board is dead,
// and a chip of the first.
func TestFillChainsS9(t *testing.T) {
	r := fill(t, `{"STATS":0,"ID":"BC50","Elapsed":3600,"GHS 5s":"9000.50","GHS av":9100.10,"miner_count":2,"frequency":"650","fan_num":2,
		"fan1":0,"fan2":0,"fan3":5640,"fan4":0,"fan5":0,"fan6":4440,"fan7":0,"fan8":0,"temp_num":3,
		"temp6":60,"temp7":0,"temp8":62,"temp2_6":75,"temp2_7":0,"temp2_8":77,"freq_avg6":650.00,"freq_avg7":0.00,"freq_avg8":646.13,
		"total_rateideal":9000.00,"chain_rateideal6":4500.12,"chain_rateideal7":0,"chain_rateideal8":4500.00,"no_matching_work":21,
		"chain_acn1":0,"chain_acn6":62,"chain_acn7":0,"chain_acn8":63,"chain_acn16":0,
		"chain_acs1":"","chain_acs6":" oooooooo oooooooo oooooooo oooooooo oooooooo oooooooo oooooooo oooooox","chain_acs7":"","chain_acs8":" oooooooo oooooooo oooooooo oooooooo oooooooo oooooooo oooooooo ooooooo",
		"chain_hw6":4,"chain_hw7":0,"chain_hw8":17,"chain_rate1":"","chain_rate6":"4480.20","chain_rate7":"","chain_rate8":"4520.30"}`, "Antminer S9")
	if got := indices(r); len(got) != 3 || got[0] != 0 || got[2] != 2 {
		t.Fatalf("boards %v", got)
	}
	b0, b1, b2 := r.Boards[0], r.Boards[1], r.Boards[2]
	want := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	want("hashrate", r.HashrateNow, unit.Some(unit.Hashrate(9000.50)/1000))
	want("nominal", r.HashrateNominal, unit.Some(unit.Hashrate(9000)/1000))
	want("errors", r.HWErrors, unit.Some(int64(21)))
	want("chips", b0.Chips, unit.Some(62))
	want("chips expected", b0.ChipsExpected, unit.Some(63))
	want("dead chips", b0.Chip.Or(miner.ChipSummary{}).Dead, unit.Some(1))
	want("board hashrate", b0.Hashrate, unit.Some(unit.Hashrate(4480.20)/1000))
	want("board temperature", b0.TempBoard, unit.Some(unit.Temperature(60)))
	want("chip temperature", b0.TempChipMax, unit.Some(unit.Temperature(75)))
	want("frequency", b2.Frequency, unit.Some(unit.Frequency(646.13)*unit.Megahertz))
	want("dead board", b1.Present, unit.Some(false))
	want("dead board's temperature", b1.TempBoard, unit.None[unit.Temperature]())
	want("dead board's hashrate", b1.Hashrate, unit.None[unit.Hashrate]())
	if len(r.Fans) != 2 || r.Fans[0].Name != "fan3" || r.Fans[1].Speed.Or(0) != 4440 || r.Fans[1].Index != 1 {
		t.Errorf("fans %+v", r.Fans)
	}
	if len(r.Warnings) > 0 {
		t.Errorf("warnings %v", r.Warnings)
	}
}

func TestFillChainsS19(t *testing.T) {
	raw := `{"Elapsed":100,"rate_unit":"GH","rate_30m":95000.5,"fan_num":3,"fan1":5880,"fan2":0,"fan3":5900,"fan4":65535,
		"temp_pcb1":"50-48-64-62","temp_chip1":"65-63-79-77","temp_pcb2":"50-48--273-62","temp_chip2":"65-0-79-77","temp_pcb3":"0-0-0-0","temp_chip3":"0-0-0-0","temp_pcb4":"0-0-0-0",
		"total_rateideal":"95000.00","chain_acn1":76,"chain_acn2":70,"chain_acn3":0,"chain_acn4":0,
		"chain_acs1":" oooo","chain_acs2":" ooxx","chain_acs3":"","chain_acs4":"","chain_rate1":"31800.12","chain_rate2":29000,"chain_rate3":"0.00","chain_rate4":"","freq1":"675 MHz","freq2":675}`
	r := fill(t, raw, "Antminer S19")
	if got := indices(r); len(got) != 3 {
		t.Fatalf("boards %v", got)
	}
	b := r.Boards
	if b[0].TempBoard.Or(0) != 64 || b[0].TempChipMax.Or(0) != 79 || b[0].TempChipMin.Or(0) != 63 || b[0].TempChipMean.Or(0) != 71 {
		t.Errorf("temperatures of board 0: %+v", b[0])
	}
	if b[0].TempInlet.Ok() || b[0].Frequency.Or(0) != 675*unit.Megahertz {
		t.Errorf("board 0: %+v", b[0])
	}
	if b[1].TempBoard.Or(0) != 62 || b[1].TempChipMin.Or(0) != 65 || b[1].Chips.Or(0) != 70 {
		t.Errorf("board 1: %+v", b[1])
	}
	if b[2].Present.Or(true) || b[2].TempBoard.Ok() || b[2].Chips.Or(-1) != 0 {
		t.Errorf("board 2, which is lost: %+v", b[2])
	}
	if r.HashrateAverage.Or(0) != unit.Hashrate(95000.5)/1000 || r.HashrateNow.Ok() {
		t.Errorf("hashrates %v %v", r.HashrateNow, r.HashrateAverage)
	}
	if len(r.Fans) != 4 || r.Fans[1].Speed.Or(-1) != 0 || r.Fans[3].Speed.Ok() {
		t.Errorf("fans %+v", r.Fans)
	}
	if len(r.Warnings) != 2 { // -273 and 65535
		t.Errorf("warnings %v", r.Warnings)
	}
	// Of an unknown model there are as many boards as answer.
	if got := indices(fill(t, raw, "")); len(got) != 2 {
		t.Errorf("boards of an unknown model: %v", got)
	}
}

func TestFillChainsHydro(t *testing.T) {
	r := fill(t, `{"Elapsed":100,"temp_in_pcb_1":"41-42","temp_out_pcb_1":"50-52","temp_in_chip_1":"55","temp_out_chip_1":"64","temp1":52,"temp2_1":64,"chain_acn1":180,"chain_rate1":66000}`, "")
	b := r.Boards[0]
	if b.TempInlet.Or(0) != 42 || b.TempOutlet.Or(0) != 52 || b.TempBoard.Or(0) != 52 || b.TempChipMax.Or(0) != 64 || b.TempChipMin.Or(0) != 55 {
		t.Errorf("board %+v", b)
	}
}

// A machine without power on its boards says nothing of which boards it has.
func TestFillChainsAsleep(t *testing.T) {
	r := fill(t, `{"Elapsed":100,"chain_acn1":0,"chain_acn2":0,"chain_acn3":0,"chain_acn4":0,"chain_rate1":"0.00","temp_pcb1":"0-0-0-0","freq1":0}`, "Antminer S19")
	for _, b := range r.Boards {
		if b.Present.Ok() || b.Chips.Ok() || b.TempBoard.Ok() || b.Frequency.Ok() {
			t.Errorf("board %+v", b)
		}
	}
	if len(r.Warnings) > 0 {
		t.Errorf("warnings %v", r.Warnings)
	}
}

func TestNumbered(t *testing.T) {
	for _, c := range []struct {
		key, name string
		n         int
	}{{"chain_rate12", "chain_rate", 12}, {"temp2_6", "temp2_", 6}, {"fan1", "fan", 1}, {"Elapsed", "Elapsed", 0}, {"7", "", 7}, {"x12345", "x12345", 0}} {
		if name, n := numbered(c.key); name != c.name || n != c.n {
			t.Errorf("%q: %q, %d", c.key, name, n)
		}
	}
}
