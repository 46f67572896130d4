package antminer

import (
	"testing"

	"ballast/miner"
)

func TestTroubleOf(t *testing.T) {
	for _, c := range []struct {
		in    string
		code  miner.Code
		index int
		ok    bool
	}{
		{"J0:8", miner.BoardMissing, -1, true},
		{"J1:2", miner.ChipMissing, 1, true},
		{"J2:4", miner.BoardEEPROM, 2, true},
		{"L2:1", miner.FirmwareConfig, 2, true},
		{"L255:2", miner.BoardMismatch, -1, true},
		{"P:1", miner.ThermalChip, -1, true},
		{"error R:1 since an hour", miner.AdvisoryLowHash, -1, true},
		{"Z:9", 0, -1, false}, {"", 0, -1, false}, {"12:30", 0, -1, false},
	} {
		trouble, index, ok := troubleOf(c.in)
		if trouble.code != c.code || index != c.index || ok != c.ok {
			t.Errorf("%q: %v, board %d, %v", c.in, trouble, index, ok)
		}
	}
	for name, trouble := range codes {
		if trouble.code.Group() == "unknown" || trouble.severity == "" || trouble.text == "" {
			t.Errorf("%s: %+v", name, trouble)
		}
	}
}

func TestTakePower(t *testing.T) {
	for in, want := range map[string]float64{"power:3412\n": 3412, "miner_power: 5400 W": 5400, "Power:0": 0} {
		p := parser{}
		if !p.takePower([]byte(in)) || float64(p.power.Or(-1)) != want {
			t.Errorf("%q: %v", in, p.power)
		}
	}
	for _, in := range []string{"", "error 6060 cmd", `{"power":1}`, "<html>power:1", "uptime:5", "power:", "power:n/a"} {
		p := parser{}
		if p.takePower([]byte(in)) {
			t.Errorf("%q is power", in)
		}
	}
}

func TestIsStock(t *testing.T) {
	for in, want := range map[string]bool{
		`{"VERSION":[{"BMMiner":"1.0.0","Type":"Antminer S19 Pro"}]}`:               true,
		`{"VERSION":[{"CGMiner":"4.9.0","Type":"ANTMINER BHB42XXX"}]}`:              true,
		`{"VERSION":[{"LUXminer":"2025","Type":"Antminer S19k Pro"}]}`:              false,
		`{"VERSION":[{"BMMiner":"2.0.0","Type":"Antminer S19 (vnish 1.2.6)"}]}`:     false,
		`{"VERSION":[{"BOSer":"boser-buildroot 0.1.0","Type":"Antminer S19"}]}`:     false,
		`{"VERSION":[{"BMMiner":"1.0.0","Type":"Antminer S17 Pro (Hiveon 1.02)"}]}`: false,
		`{"VERSION":[{"CGMiner":"4.11.1","PROD":"AvalonMiner 1246"}]}`:              false,
		"HTTP/1.1 400 Bad Request": false,
	} {
		if got := isStock([]byte(in)); got != want {
			t.Errorf("%s: %v", in, got)
		}
	}
}

func TestJudgeAnswer(t *testing.T) {
	for in, ok := range map[string]bool{
		`{"stats":"success","code":"M000","msg":"OK!"}`: true, "ok": true, "": true, `{"code":"B000"}`: true, `{"code":"B100"}`: true, `{"isBlinking":true}`: true,
		`{"stats":"error","code":"M001","msg":"Invalid configuration"}`: false, "<html>": false, "error": false,
	} {
		if err := judgeAnswer("x", []byte(in)); (err == nil) != ok {
			t.Errorf("%q: %v", in, err)
		}
	}
}
