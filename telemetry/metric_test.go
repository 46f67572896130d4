package telemetry

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTable(t *testing.T) {
	names, columns, proms := map[string]bool{}, map[string]bool{}, map[string]Metric{}
	plain := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	for _, m := range Metrics() {
		in := m.Info()
		if in.Name == "" || in.Help == "" || !strings.HasSuffix(in.Help, ".") {
			t.Errorf("metric %d has no name or help: %+v", m, in)
		}
		if !plain.MatchString(in.Name) || !plain.MatchString(in.Column) || names[in.Name] {
			t.Errorf("%v: a bad or double name", m)
		}
		names[in.Name] = true
		column := in.Column
		if m.OfBoard() {
			column = "board." + column
		}
		if columns[column] {
			t.Errorf("%v: column %s is there twice", m, column)
		}
		columns[column] = true
		if m.OfBoard() != (in.Level == BoardLevel) {
			t.Errorf("%v: level %s", m, in.Level)
		}
		if in.Kind == Counter && in.Number != Big || in.Kind == Elapsed && in.Unit != InSecond {
			t.Errorf("%v: kind %s does not fit", m, in.Kind)
		}
		name, label, value := m.Prometheus()
		if !plain.MatchString(name) || !strings.HasPrefix(name, "ballast_") || strings.HasSuffix(name, "_total") != (in.Kind == Counter) {
			t.Errorf("%v: Prometheus name %s", m, name)
		}
		if in.Unit.Base != "" && !strings.HasSuffix(name, "_"+in.Unit.Base) {
			t.Errorf("%v: Prometheus name %s has no unit %s", m, name, in.Unit.Base)
		}
		if o, ok := proms[name+label+value]; ok {
			t.Errorf("%v and %v are both %s", m, o, name)
		}
		proms[name+label+value] = m
		if back, err := ParseMetric(in.Name); err != nil || back != m {
			t.Errorf("%v parses to %v, %v", m, back, err)
		}
	}
	if len(MachineMetrics()) != machineSlots || len(BoardMetrics()) != boardSlots || MachineMetrics()[0] != Up || BoardMetrics()[0] != BoardPresent {
		t.Error("machine and board metrics are not two ranges")
	}
	for _, m := range []Metric{NoMetric, metricEnd, 255} {
		if m.Valid() || m.Info() != (Info{}) || !strings.Contains(m.String(), "metric(") {
			t.Errorf("%d passes for a metric", m)
		}
		if _, err := m.MarshalText(); err == nil {
			t.Errorf("%d marshals", m)
		}
	}
	for want, m := range map[string]Metric{
		"ballast_machine_hashrate_hashes_per_second": Hashrate, "ballast_machine_power_watts": Power, "ballast_machine_temperature_chip_celsius": TempChip,
		"ballast_machine_shares_accepted_total": Accepted, "ballast_machine_uptime_seconds": Uptime, "ballast_machine_fan_duty_ratio": FanDuty,
		"ballast_board_hashrate_hashes_per_second": BoardHashrate, "ballast_board_frequency_hertz": BoardFrequency, "ballast_board_chips_dead": ChipsDead,
		"ballast_machine_fan_speed_rpm": Fan3, "ballast_machine_psu_temperature_max_celsius": PSUTempMax, "ballast_machine_up": Up,
	} {
		if got, _, _ := m.Prometheus(); got != want {
			t.Errorf("%v is %s, want %s", m, got, want)
		}
	}
}

// TestRound: rounding is idempotent, survives float32, and stays near.
func TestRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(Metrics()).Draw(t, "metric")
		v := rapid.OneOf(rapid.Float64(), rapid.Float64Range(-1e4, 1e4), rapid.Float64Range(0, 1)).Draw(t, "value")
		r := m.Round(v)
		if math.IsNaN(r) {
			if !math.IsNaN(v) && !math.IsInf(v, 0) && math.Abs(v) < math.MaxInt32-1 {
				t.Fatalf("%v cannot keep %v", m, v)
			}
			return
		}
		if again := m.Round(r); again != r {
			t.Fatalf("%v rounds %v to %v and that to %v", m, v, r, again)
		}
		in := m.Info()
		if in.Number == Decimal {
			if back := m.Round(float64(float32(r))); back != r {
				t.Fatalf("%v rounds %v to %v, which comes back from float32 as %v", m, v, r, back)
			}
		}
		slack := 0.5
		switch {
		case in.Significant > 0:
			slack = math.Abs(v) * 0.5 * math.Pow10(1-in.Significant)
		case in.Number == Decimal:
			slack = 0.5 * math.Pow10(-in.Places)
		}
		if math.Abs(r-v) > slack*1.01+math.Abs(v)*1e-7+1e-30 {
			t.Fatalf("%v rounds %v to %v", m, v, r)
		}
	})
	if got := Hashrate.Round(110.237); got != 110.2 {
		t.Errorf("110.237 TH/s is kept as %v", got)
	}
	if got := TempChip.Round(65.349); got != 65.3 {
		t.Errorf("65.349 °C is kept as %v", got)
	}
}

func FuzzParseMetric(f *testing.F) {
	for _, s := range []string{"hashrate", "board_temp_chip_max", "", "HASHRATE", "\x00", strings.Repeat("x", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMetric(s)
		if (err == nil) != m.Valid() || err == nil && m.String() != s {
			t.Errorf("%q parses to %v, %v", s, m, err)
		}
	})
}
