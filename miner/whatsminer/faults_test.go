package whatsminer

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
)

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		n     int
		code  miner.Code
		sev   miner.Severity
		index int
		words string
	}{
		{110, miner.FanMissing, miner.Critical, 0, "intake"},
		{131, miner.FanSlow, miner.Critical, 1, "exhaust"},
		{206, miner.PSUInputVoltage, miner.Major, 0, "input voltage low"},
		{302, miner.SensorTemperature, miner.Major, 2, "board 2"},
		{309, miner.SensorTemperature, miner.Critical, -1, "no temperature sensor"},
		{329, miner.SensorTemperature, miner.Minor, -1, "control board"},
		{350, miner.ThermalBoard, miner.Critical, 0, "board 0"},
		{411, miner.BoardEEPROM, miner.Major, 1, "board 1"},
		{500, miner.FirmwareConfig, miner.Critical, -1, "configuration"},
		{510, miner.BoardMismatch, miner.Major, 0, "board 0"},
		{532, miner.BoardMissing, miner.Major, 2, "board 2: not found"},
		{600, miner.ThermalAmbient, miner.Major, -1, "hot"},
		{720, miner.ControlBoard, miner.Major, 0, "serial port"},
		{2010, miner.ControlPool, miner.Critical, -1, "all pools"},
		{2112, miner.BoardOther, miner.Minor, 2, "factory test"},
		{2310, miner.AdvisoryLowHash, miner.Major, -1, "too low"},
		{5011, miner.RailVoltage, miner.Major, 1, "board 1"},
		{5072, miner.CoolantFlow, miner.Major, 2, "coolant"},
		{5110, miner.BoardInit, miner.Major, 0, "frequency"},
		{520012, miner.ChipErrorRate, miner.Minor, 0, "board 0 chip 12"},
		{562105, miner.ChipFault, miner.Major, 2, "board 2 chip 105"},
		{5213, miner.ChipErrorRate, miner.Minor, 1, "board 1 chip 3"},
		{8531, miner.AdvisoryOther, miner.Minor, -1, "level 3"},
		{8410, miner.FirmwareConfig, miner.Major, -1, "another generation"},
		{100001, miner.FirmwareFile, miner.Critical, -1, "signature"},
		{110001, miner.ControlTamper, miner.Critical, -1, "virus"},
	} {
		e, known := explain(c.n)
		if !known || e.code != c.code || e.sev != c.sev || e.at != c.index || !strings.Contains(e.text, c.words) {
			t.Errorf("%d: %+v, known %v; want %+v", c.n, e, known, c)
		}
	}
}

// A code of no list goes to its group's "other" and keeps number and text.
func TestExplainUnknown(t *testing.T) {
	for n, want := range map[int]miner.Code{
		199: miner.ThermalOther, 288: miner.PSUOther, 399: miner.SensorOther, 499: miner.BoardOther, 699: miner.ThermalOther, 799: miner.ControlOther,
		899: miner.FirmwareOther, 2099: miner.ControlOther, 5999: miner.BoardOther, 7777: miner.AdvisoryOther, 199999: miner.FirmwareOther, 1: miner.AdvisoryOther,
	} {
		e, known := explain(n)
		if known || e.code != want {
			t.Errorf("%d: %+v, known %v; want %d", n, e, known, want)
		}
	}
}

// Every text of the tables is complete, and no explanation keeps a verb of fmt.
func TestExplainIsTotal(t *testing.T) {
	for n := range 1_200_000 {
		e, _ := explain(n)
		if e.code < 1000 || e.text == "" || strings.Contains(e.text, "%!") || strings.Contains(e.text, "%d") {
			t.Fatalf("%d: %+v", n, e)
		}
		if n == 9999 {
			break
		}
	}
	for _, n := range []int{520000, 569999, 999999, 1_199_999} {
		if e, _ := explain(n); e.code < 1000 || strings.Contains(e.text, "%") {
			t.Errorf("%d: %+v", n, e)
		}
	}
}

func TestComplaintsInEveryForm(t *testing.T) {
	type one = complaint
	for raw, want := range map[string][]one{
		`["111"]`:                           {{code: "111"}},
		`[111, 206]`:                        {{code: "111"}, {code: "206"}},
		`["0"]`:                             nil,
		`[]`:                                nil,
		`"111,410"`:                         {{code: "111"}, {code: "410"}},
		`{"329":"2022-01-17 11:28:11"}`:     {{code: "329", since: "2022-01-17 11:28:11"}},
		`[{"329":"2022-01-17 11:28:11"}]`:   {{code: "329", since: "2022-01-17 11:28:11"}},
		`[{"530":"a","531":"b"}]`:           {{code: "530", since: "a"}, {code: "531", since: "b"}},
		`[{"reason":"why 12","264":"t"}]`:   {{code: "264", since: "t", reason: "why 12"}},
		`[{"264":"t","reason":"why"},"9x"]`: {{code: "264", since: "t", reason: "why"}},
		`null`:                              nil,
		`{"error_code":["111"]}`:            {{code: "111"}},
	} {
		got := complaints(gjson.Parse(raw))
		if len(got) != len(want) {
			t.Errorf("%s: %+v, want %+v", raw, got, want)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: %+v, want %+v", raw, got[i], want[i])
			}
		}
	}
}

func TestFaultTimes(t *testing.T) {
	east := posixZone("CST-8")
	f, _ := complaint{code: "410", since: "2025-02-03 08:00:00"}.fault(east)
	if want := time.Date(2025, 2, 3, 0, 0, 0, 0, time.UTC); !f.Since.Equal(want) {
		t.Errorf("since %v, want %v", f.Since, want)
	}
	for _, since := range []string{"", "1970-01-01 00:10:00", "yesterday"} {
		if f, _ := (complaint{code: "410", since: since}).fault(east); !f.Since.IsZero() {
			t.Errorf("%q gives %v", since, f.Since)
		}
	}
	for words, hours := range map[string]float64{"CST-8": 8, "EST5": -5, "IST-5:30": 5.5, "UTC0": 0, "": 0, "8": 0, "X99": 0, "AB+3": -3} {
		_, offset := time.Unix(0, 0).In(posixZone(words)).Zone()
		if float64(offset) != hours*3600 {
			t.Errorf("zone %q is %d s east, want %v h", words, offset, hours)
		}
	}
}

// The worst that a machine has sent: hundreds of codes.
func TestManyComplaints(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"STATUS":"S","When":1,"Code":131,"Msg":{"error_code":[`)
	for i := range 300 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"` + strconv.Itoa(520000+i) + `":"2024-01-01 00:00:00"}`)
	}
	whole := b.String() + `]},"Description":""}`
	for _, raw := range []string{whole, whole[:len(whole)/2]} {
		r, err := testDriver.Parse(miner.Replies{"get_error_code": []byte(raw)})
		if err != nil || len(r.Faults) < 100 {
			t.Errorf("%d faults, %v", len(r.Faults), err)
		}
	}
}
