package tariff

import (
	"os"
	"strings"
	"testing"
	"time"

	"ballast/unit"
)

// The worked example of docs/tariff.md is true.
func TestTheWorkedExampleOfTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../docs/tariff.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	yaml, rest, _ := strings.Cut(rest, "```")
	c, err := Parse([]byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	dear := within(t, "2026-03-09 17:00", 4)
	var prices Table
	priced(&prices, "ercot.rtm.HB_NORTH", c, march, 15*time.Minute, func(x time.Time) float64 {
		if dear(x) {
			return 640
		}
		return 22
	})
	meter := metered(c, march, 15*time.Minute, func(x time.Time) unit.Power {
		if dear(x) {
			return 0
		}
		return 31e6
	})
	state := State{Demands: []PastDemand{{Part: "Demand", Month: Month{2026, time.January}, Demand: 31e6}, {Part: "Demand", Month: Month{2026, time.February}, Demand: 31e6}}}
	for when, power := range map[string]unit.Power{"2025-06-30 16:45": 0, "2025-07-30 17:00": 0, "2025-08-18 16:30": 1.6e6, "2025-09-05 16:45": 0.4e6} {
		state.Peaks = append(state.Peaks, PeakDemand{Set: "texas", Start: at(t, when), Demand: power})
	}
	s, err := c.Statement(march, meter, &prices, state)
	if err != nil {
		t.Fatal(err)
	}
	var lines []want
	for row := range strings.Lines(rest) {
		f := strings.Split(row, "|")
		if len(f) != 7 || strings.Contains(f[1], "---") || strings.TrimSpace(f[1]) == "line" {
			if len(lines) > 0 {
				break
			}
			continue
		}
		for i := range f {
			f[i] = strings.TrimSpace(f[i])
		}
		if strings.Contains(f[1], "total") {
			check(t, s, lines, strings.Trim(f[4], "*"))
			break
		}
		part, what, _ := strings.Cut(f[1], ", ")
		lines = append(lines, want{part, what, f[2], f[3], f[4]})
	}
	if len(lines) != 8 || s.Status != Settled {
		t.Errorf("%d lines, %v %v", len(lines), s.Status, s.Problems)
	}
	// And the second block of the page is a rule that parses.
	_, rest, _ = strings.Cut(rest, "```yaml\n")
	rule, _, _ := strings.Cut(rest, "```")
	if c, err = Parse([]byte(strings.Replace(yaml, "versions:", rule+"versions:", 1))); err != nil || c.peaks("texas").count(2027, 0) != 10 {
		t.Error(err)
	}
}
