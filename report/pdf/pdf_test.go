package pdf

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ballast/report"
	"ballast/unit"
)

// sample is a report with everything in it.
func sample(t testing.TB) *report.Report {
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, zone)
	r := &report.Report{
		Site: "hood", Title: "Hood County, Łódź 北", Day: "2026-11-01", Zone: "America/Chicago", From: from, To: from.Add(25 * time.Hour), Hours: 25, MadeAt: from.Add(26 * time.Hour),
		Machines: 120, Coverage: 0.957, Holes: []report.Hole{{From: from.Add(5 * time.Hour), To: from.Add(6 * time.Hour), Coverage: 0.02}},
		Hashrate: unit.Some(unit.Hashrate(12650)), Nominal: unit.Some(unit.Hashrate(13900)), Work: 12650 * 24 / 25.0, Potential: unit.Some(unit.Ratio(0.913)), Uptime: unit.Some(unit.Ratio(0.9712)),
		Time:     report.Times{Expected: 3000, Hashing: 2700, Off: 150, Silent: 80, Down: 20, Unknown: 50},
		Energy:   report.Energy{From: "meter", Total: unit.Some(unit.Energy(9.6e9 * 3.6)), MeterNames: []string{"m1", "m2"}, MeterCover: 1, Told: 1, Efficiency: unit.Some(unit.Efficiency(24.3)), SiteJTH: unit.Some(unit.Efficiency(26.1))},
		Losses:   []report.Loss{{Reason: report.Curtailed, Lost: 610, Machines: 40}, {Reason: report.Silent, Lost: 430, Machines: 4}, {Reason: report.Degraded, Lost: 160.4, Machines: 9}, {Reason: report.Hot, Lost: 31, Machines: 2}},
		Faults:   []report.FaultKind{{Code: 2010, Kind: "fan lost", Group: "thermal", Machines: 3, Hours: 41.2}, {Code: 3010, Kind: "chips missing", Group: "board", Machines: 7, Hours: 120}},
		Commands: []report.CommandCount{{Kind: "sleep", State: "confirmed", Count: 40}, {Kind: "wake", State: "confirmed", Count: 39}, {Kind: "wake", State: "unreachable", Count: 1}},
	}
	for q := range 100 {
		p := report.QuarterPoint{At: from.Add(time.Duration(q) * report.Quarter), Hashing: 116, Silent: 4}
		if q >= 20 && q < 24 {
			p = report.QuarterPoint{At: p.At, Unknown: 120}
		} else {
			rate := 13200 + 200*math.Sin(float64(q)/7)
			if q > 60 && q < 76 {
				p.Hashing, p.Off = 76, 40
				rate *= 76.0 / 116
			}
			p.Hashrate, p.Power, p.Metered = unit.Some(unit.Hashrate(rate)), unit.Some(unit.Power(rate*24.3)), unit.Some(unit.Power(rate*26.1))
		}
		r.Quarters = append(r.Quarters, p)
	}
	for i := range 50 {
		r.Worst = append(r.Worst, report.MachineDay{ID: int64(i + 1), Name: fmt.Sprintf("10.20.3.%d", i+1), Model: "Antminer S19j Pro", Place: fmt.Sprintf("B1 / C2 / R%02d", i/4), Lost: 104 / float64(i+1), Uptime: unit.Some(unit.Ratio(float64(i) / 50)),
			Why: []report.Loss{{Reason: report.Silent, Lost: 90 / float64(i+1)}, {Reason: report.Degraded, Lost: 14 / float64(i+1)}}})
	}
	for i := range 14 {
		r.Racks = append(r.Racks, report.RackDay{Rack: fmt.Sprintf("B1 / C2 / R%02d", i), Machines: 8, Work: 700, Lost: 120 / float64(i+1), Why: []report.Loss{{Reason: report.Silent, Lost: 100 / float64(i+1)}}})
	}
	return r
}

// The document holds what the report says, is the same bytes every time, and an
// empty report makes one too.
func TestWrite(t *testing.T) {
	empty := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for name, r := range map[string]*report.Report{
		"full":  sample(t),
		"empty": {Site: "hood", Day: "2026-11-22", Zone: "UTC", From: empty, To: empty.Add(time.Hour), Hours: 24, Partial: true, MadeAt: empty, Energy: report.Energy{From: "none"}, NoFaults: true},
	} {
		var one, two bytes.Buffer
		for _, w := range []*bytes.Buffer{&one, &two} {
			if err := Write(w, r); err != nil {
				t.Fatal(name, err)
			}
		}
		if !bytes.HasPrefix(one.Bytes(), []byte("%PDF-1.")) || !bytes.Equal(one.Bytes(), two.Bytes()) || one.Len() > 200_000 {
			t.Errorf("%s: %d bytes, the same again: %v", name, one.Len(), bytes.Equal(one.Bytes(), two.Bytes()))
		}
		if dir := os.Getenv("BALLAST_PDF"); dir != "" { // to look at it: pdftoppm -r 80 -png FILE NAME
			if err := os.WriteFile(filepath.Join(dir, name+".pdf"), one.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := exec.LookPath("pdftotext"); err != nil {
			t.Log("pdftotext (poppler-utils) is not there: the text is not read back")
			continue
		}
		cmd := exec.CommandContext(t.Context(), "pdftotext", "-layout", "-", "-")
		cmd.Stdin = &one
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(name, err)
		}
		want := []string{"Daily report", "The day is not over", "Nothing was lost", "no longer kept"}
		if name == "full" {
			want = []string{"Hood County, Łódź", "Sunday, 1 November 2026, a day of 25 hours", "12.65", "97.12", "91.3", "9.60", "24.3", "from 2 meters", "Hardly known from 04:00 to 05:00",
				"off or set lower on purpose", "10.20.3.25", "fan lost", "unreachable", "page 1 of "}
		}
		for _, w := range want {
			if !strings.Contains(string(out), w) {
				t.Errorf("%s: %q is not in\n%s", name, w, out)
			}
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	r := sample(b)
	for b.Loop() {
		if err := Write(new(bytes.Buffer), r); err != nil {
			b.Fatal(err)
		}
	}
}
