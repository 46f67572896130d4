package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"ballast/unit"
)

// number writes an optional quantity; missing is an empty field, never zero.
func number[T ~float64](o unit.Opt[T], scale float64, places int) string {
	v, ok := o.Get()
	if !ok {
		return ""
	}
	return strconv.FormatFloat(float64(v)*scale, 'f', places, 64)
}

func plain(v float64, places int) string { return strconv.FormatFloat(v, 'f', places, 64) }

// inert keeps a spreadsheet from taking a machine's name for a formula.
func inert(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// Part is what a CSV file is of.
type Part string

// The parts.
const (
	PartMachines Part = "machines" // a line a machine
	PartQuarters Part = "quarters" // a line a quarter of an hour
	PartSummary  Part = "summary"  // a line a figure
)

// WriteCSV writes one part of a report with a head line.
func WriteCSV(w io.Writer, part Part, r *Report, machines []MachineDay) error {
	out := csv.NewWriter(w)
	var err error
	write := func(fields ...string) {
		if err == nil {
			err = out.Write(fields)
		}
	}
	switch part {
	case PartMachines:
		head := []string{"day", "site", "machine", "name", "model", "place", "hashrate_ths", "nominal_ths", "work_th_days", "lost_th_days", "uptime", "hashing_h", "starting_h", "off_on_purpose_h", "down_h", "silent_h", "unclear_h", "not_known_h", "energy_kwh", "efficiency_j_per_th", "coverage"}
		for _, reason := range Reasons() {
			head = append(head, "lost_"+string(reason)+"_th_days")
		}
		write(append(head, "faults")...)
		for _, m := range machines {
			line := []string{r.Day, inert(r.Site), strconv.FormatInt(m.ID, 10), inert(m.Name), inert(m.Model), inert(m.Place), number(m.Hashrate, 1, 3), number(m.Nominal, 1, 3), plain(m.Work, 4), plain(m.Lost, 4),
				number(m.Uptime, 1, 5), plain(m.Time.Hashing, 4), plain(m.Time.Starting, 4), plain(m.Time.Off, 4), plain(m.Time.Down, 4), plain(m.Time.Silent, 4), plain(m.Time.Unclear, 4), plain(m.Time.Unknown, 4),
				number(m.Energy, 1/3.6e6, 3), number(m.JTH, 1, 3), plain(m.Coverage, 5)}
			for _, reason := range Reasons() {
				lost := 0.0
				for _, l := range m.Why {
					if l.Reason == reason {
						lost = l.Lost
					}
				}
				line = append(line, plain(lost, 4))
			}
			write(append(line, strings.Join(m.Faults, "; "))...)
		}
	case PartQuarters:
		write("from", "hashrate_ths", "power_w", "metered_w", "hashing", "off_on_purpose", "starting", "down", "silent", "not_known")
		for _, q := range r.Quarters {
			write(q.At.In(r.From.Location()).Format(time.RFC3339), number(q.Hashrate, 1, 3), number(q.Power, 1, 0), number(q.Metered, 1, 0), plain(q.Hashing, 3), plain(q.Off, 3), plain(q.Starting, 3), plain(q.Down, 3), plain(q.Silent, 3), plain(q.Unknown, 3))
		}
	case PartSummary:
		write("figure", "value", "unit")
		for _, f := range Figures(r) {
			write(f.Name, f.Value, f.Unit)
		}
		for _, l := range r.Losses {
			write("lost: "+l.Reason.Words(), plain(l.Lost, 3), "TH-days")
		}
		for _, f := range r.Faults {
			write("fault: "+f.Kind, plain(f.Hours, 2), "machine-hours")
		}
		for _, c := range r.Commands {
			write("commands: "+c.Kind+" "+c.State, strconv.Itoa(c.Count), "")
		}
	default:
		return fmt.Errorf("%w: no part of a report is called %.20q", ErrDay, string(part))
	}
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	if err != nil {
		return fmt.Errorf("writing the report as CSV: %w", err)
	}
	return nil
}

// Figure is one number of a report for people: the same on every face.
type Figure struct {
	Name, Value, Unit string
	Note              string
}

// Dash stands where nothing is known.
const Dash = "–"

// Figures are the head of a report.
func Figures(r *Report) []Figure {
	show := func(v string, f, unit, note string) Figure {
		if v == "" {
			v, unit = Dash, ""
		}
		return Figure{f, v, unit, note}
	}
	percent := func(o unit.Opt[unit.Ratio], places int) string { return number(o, 100, places) }
	hashes, hUnit := scaled(r.Hashrate)
	nominal, nUnit := scaled(r.Nominal)
	against := ""
	if nominal != "" {
		against = "of " + nominal + " " + nUnit + " nominal"
	}
	energy := "from nothing: no machine told its power"
	switch r.Energy.From {
	case "meter":
		energy = "from " + countOf(len(r.Energy.MeterNames), "meter")
	case "machines":
		energy = "sum of the machines"
	}
	off := ""
	if r.Time.Expected > 0 {
		off = plain(100*r.Time.Off/r.Time.Expected, 1) + " % of machine time off on purpose"
	}
	site := ""
	if s := number(r.Energy.SiteJTH, 1, 1); s != "" {
		site = s + " J/TH of the whole site, metered"
	}
	used, eUnit := number(r.Energy.Total, 1/3.6e9, 2), "MWh"
	if v, ok := r.Energy.Total.Get(); ok && v < 3.6e9 {
		used, eUnit = number(r.Energy.Total, 1/3.6e6, 1), "kWh"
	}
	return []Figure{
		show(hashes, "Hashrate", hUnit, against),
		show(percent(r.Potential, 1), "Of the potential", "%", thousands(r.Work)+" TH-days produced"),
		show(percent(r.Uptime, 2), "Uptime", "%", off),
		show(used, "Energy", eUnit, energy),
		show(number(r.Energy.Efficiency, 1, 1), "Efficiency", "J/TH", site),
		show(plain(100*r.Coverage, 1), "Known", "%", "of machine time; the rest was not polled"),
	}
}

func countOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// scaled writes a hashrate with the prefix that reads best.
func scaled(h unit.Opt[unit.Hashrate]) (value, symbol string) {
	v, ok := h.Get()
	switch {
	case !ok:
		return "", ""
	case v >= 1e6:
		return plain(float64(v)/1e6, 3), "EH/s"
	case v >= 1e3:
		return plain(float64(v)/1e3, 2), "PH/s"
	}
	return plain(float64(v), 1), "TH/s"
}

// Remarks are what a reader must know before the numbers.
func Remarks(r *Report) []string {
	var out []string
	zone := r.From.Location()
	if r.Partial {
		out = append(out, "The day is not over: this report ends at "+r.To.In(zone).Format("15:04")+".")
	}
	if !r.Since.IsZero() && r.Since.Sub(r.From) >= time.Minute {
		out = append(out, "The first machine was entered at "+r.Since.In(zone).Format("15:04")+": means are from then on.")
	}
	if r.Machines > 0 && r.Coverage < 0.99 {
		out = append(out, plain(100*(1-r.Coverage), 1)+" % of machine time is not known: there are no polls of it.")
	}
	for i, h := range r.Holes {
		if i == 4 {
			out = append(out, countOf(len(r.Holes)-i, "more hole")+".")
			break
		}
		out = append(out, "Hardly known from "+h.From.In(zone).Format("15:04")+" to "+h.To.In(zone).Format("15:04")+": "+plain(100*h.Coverage, 0)+" % of the polls exist.")
	}
	if r.Unknown > 0 {
		out = append(out, countOf(r.Unknown, "machine")+" of "+strconv.Itoa(r.Machines)+" without a single poll.")
	}
	if e := r.Energy; len(e.MeterNames) > 0 && e.From != "meter" {
		out = append(out, "The meters cover "+plain(100*e.MeterCover, 0)+" % of the day, so the energy is the machines' own.")
	}
	if e := r.Energy; e.From == "machines" && e.Told < 0.99 {
		out = append(out, "Power was told for "+plain(100*e.Told, 0)+" % of hashing machine time: the energy lacks the rest.")
	}
	return out
}

// thousands writes a large number with a tenth and commas.
func thousands(v float64) string {
	whole, tenth, _ := strings.Cut(plain(v, 1), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole + "." + tenth
}
