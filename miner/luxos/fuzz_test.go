package luxos

import (
	"encoding/json"
	"testing"

	"ballast/miner"
)

func FuzzParse(f *testing.F) {
	for name, raw := range machine(
		"temps", `"METADATA":[{"BottomLeft":{"Label":"Board Exhaust (bottom)","Position":[1,0]}}],"TEMPS":[{"ID":0,"TEMP":0,"BottomLeft":47.0,"TopRight":34.0}]`,
		"fans", `"FANCTRL":[{"MinFans":3}],"FANS":[{"FAN":"FAN4","ID":0,"RPM":1920,"Speed":20}]`,
		"healthchipget_0", `"CHIPS":[{"Board":0,"Chip":0,"GHS 5m":271.46,"Frequency":300,"ChipTemp":71.5,"Healthy":"Y","IsChecking":false}]`,
		"voltageget_0", `"VOLTAGE":[{"Board":0,"IsOnBoard":false,"Voltage":11.88}]`,
		"profiles", `"PROFILES":[{"Profile Name":"default","Watts":2794,"Hashrate":121.8,"Frequency":590,"Voltage":13.5,"IsTuned":false,"Step":"0"}]`,
		"stats", `"STATS":[{"Type":"Antminer S19k Pro"},{"chain_acn1":77,"freq1":300.0,"temp_chip1":"47-34-34-47","temp_pcb1":"47-34-34-46","total_rateideal":61954.2}]`,
		"limits", `"LIMITS":[{"PowerTargetMin":1000,"PowerTargetMax":4000}]`,
		"events", `"EVENTS":[{"Code":"FAN_FAILURE","Target":"FAN","ID":2,"CreatedAt":"2026-04-08T03:38:27+00:00"}]`,
		"pools", `"POOLS":[{"POOL":0,"URL":"stratum+tcp://a:1","User":"u","Status":"Alive","Diff":"32K","Last Share Time":"00:00:01","Accepted":1,"GROUP":0}]`,
		"power", `"POWER":[{"PSU":false,"Watts":1051}]`,
	) {
		f.Add(name, raw)
	}
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		r, err := New().Parse(miner.Replies{name: raw})
		if err != nil {
			return
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
		if len(r.Boards) > mostBoards {
			t.Errorf("%d boards", len(r.Boards))
		}
		for _, b := range r.Boards {
			if v, ok := b.TempBoard.Get(); ok && !(v > -60 && v < 200) {
				t.Errorf("board %v", v)
			}
		}
		if v, ok := r.Power.Get(); ok && v < 0 {
			t.Errorf("power %v", v)
		}
	})
}
