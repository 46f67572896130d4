// Package pdf writes a daily report as a printable document.
package pdf

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"ballast/report"
)

// An A4 page in millimetres.
const (
	pageWidth, pageHeight = 210.0, 297.0
	margin                = 16.0
	width                 = pageWidth - 2*margin
	bottom                = pageHeight - 18.0
)

// rgb is a colour. Conditions have the colours of the dashboard.
type rgb [3]int

var (
	ink     = rgb{28, 32, 38}
	faint   = rgb{110, 118, 128}
	rule    = rgb{214, 219, 225}
	blue    = rgb{0, 114, 178}
	hashing = rgb{0, 158, 115}
	orange  = rgb{230, 159, 0}
	sky     = rgb{86, 180, 233}
	slate   = rgb{150, 163, 181}
	red     = rgb{213, 94, 0}
	plum    = rgb{176, 48, 106}
	blank   = rgb{236, 239, 242}
)

var reasonColour = map[report.Reason]rgb{
	report.Silent: plum, report.Down: red, report.Hot: {180, 60, 20}, report.Pool: {138, 99, 210}, report.Degraded: orange,
	report.Starting: sky, report.Curtailed: slate, report.Unclear: {143, 143, 143},
}

// Write writes the document.
func Write(w io.Writer, r *report.Report) error {
	f := fpdf.New("P", "mm", "A4", "")
	p := &page{Fpdf: f, r: r, zone: r.From.Location()}
	f.SetMargins(margin, margin, margin)
	f.SetAutoPageBreak(false, 0)
	f.AddUTF8FontFromBytes("go", "", goregular.TTF)
	f.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	f.SetTitle("Daily report: "+p.site()+", "+r.Day, true)
	f.SetCreator("Ballast", true)
	f.SetLang("en")
	f.SetCreationDate(r.MadeAt)
	f.SetModificationDate(r.MadeAt)
	f.SetCatalogSort(true) // the same report is the same bytes
	f.AliasNbPages("{pages}")
	f.SetFooterFunc(p.footer)
	f.AddPage()
	p.head()
	p.figures()
	p.charts()
	p.losses()
	p.worst()
	p.racks()
	p.small()
	if err := f.Error(); err != nil {
		return fmt.Errorf("laying out the report: %w", err)
	}
	if err := f.Output(w); err != nil {
		return fmt.Errorf("writing the report as PDF: %w", err)
	}
	return nil
}

type page struct {
	*fpdf.Fpdf
	r    *report.Report
	zone *time.Location
	y    float64
}

func (p *page) site() string {
	if p.r.Title != "" {
		return p.r.Title
	}
	return p.r.Site
}

func (p *page) colour(c rgb) { p.SetTextColor(c[0], c[1], c[2]) }
func (p *page) fill(c rgb)   { p.SetFillColor(c[0], c[1], c[2]) }
func (p *page) stroke(c rgb, thick float64) {
	p.SetDrawColor(c[0], c[1], c[2])
	p.SetLineWidth(thick)
}

// say writes one line of text in a box, shortened to fit; align is L, R or C.
func (p *page) say(x, y, w, size float64, style string, c rgb, align, text string) {
	p.SetFont("go", style, size)
	p.colour(c)
	text = printable(text)
	if p.GetStringWidth(text) > w {
		runes := []rune(text)
		for len(runes) > 1 && p.GetStringWidth(string(runes)+"…") > w {
			runes = runes[:len(runes)-1]
		}
		text = string(runes) + "…"
	}
	p.SetXY(x, y)
	p.SetCellMargin(0)
	p.CellFormat(w, size*0.45, text, "", 0, align+"M", false, 0, "")
}

// printable leaves out what the font has no glyph for: it knows Latin, Greek and
// Cyrillic letters and the signs that go with them.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > 0x052f && r < 0x1e00 || r > 0x266f {
			return '?'
		}
		return r
	}, s)
}

// room starts a new page when less than h is left on this one.
func (p *page) room(h float64) {
	if p.y+h > bottom {
		p.AddPage()
		p.y = margin
	}
}

func (p *page) heading(text, note string) {
	p.y += 3
	p.say(margin, p.y, width, 10.5, "B", ink, "L", text)
	w := p.GetStringWidth(text)
	p.say(margin+w+3, p.y+0.2, width-w-3, 8, "", faint, "L", note)
	p.y += 6.5
}

func (p *page) footer() {
	y := pageHeight - 12.0
	p.stroke(rule, 0.2)
	p.Line(margin, y-1.5, pageWidth-margin, y-1.5)
	p.say(margin, y, width*0.75, 7, "", faint, "L", "Made by Ballast "+p.r.MadeAt.In(p.zone).Format("2006-01-02 15:04 MST")+". Rates and shares are of the time that polls exist for.")
	p.say(margin+width*0.75, y, width*0.25, 7, "", faint, "R", fmt.Sprintf("%s, page %d of {pages}", p.r.Day, p.PageNo()))
}

func (p *page) head() {
	p.y = margin
	p.say(margin, p.y, width/2, 9, "", faint, "L", "Daily report")
	p.say(margin+width/2, p.y, width/2, 9, "", faint, "R", p.r.Zone)
	p.y += 5.5
	p.say(margin, p.y, width, 18, "B", ink, "L", p.site())
	p.y += 9
	date := p.r.Day
	if d, err := report.ParseDay(p.r.Day, p.zone); err == nil {
		date = d.Date()
	}
	if p.r.Hours != 24 {
		date += fmt.Sprintf(", a day of %g hours", p.r.Hours)
	}
	p.say(margin, p.y, width, 11, "", ink, "L", date)
	p.y += 7
	for _, remark := range report.Remarks(p.r) {
		p.fill(rgb{253, 243, 224})
		p.Rect(margin, p.y, width, 6, "F")
		p.fill(orange)
		p.Rect(margin, p.y, 1, 6, "F")
		p.say(margin+3, p.y+1.2, width-5, 8.5, "", ink, "L", remark)
		p.y += 7
	}
	p.y += 1
}

func (p *page) figures() {
	const columns, height = 3, 17.0
	w := width / columns
	for i, f := range report.Figures(p.r) {
		x, y := margin+float64(i%columns)*w, p.y+float64(i/columns)*height
		p.say(x, y, w-4, 8.5, "", faint, "L", f.Name)
		p.say(x, y+4.6, w-4, 16, "B", ink, "L", f.Value)
		p.SetFont("go", "B", 16)
		used := p.GetStringWidth(f.Value)
		p.say(x+used+1.5, y+6.0, 20, 9, "", faint, "L", f.Unit)
		p.say(x, y+11.6, w-3, 7.5, "", faint, "L", f.Note)
	}
	p.y += 2*height + 1
}

// curve is a line of a chart.
type curve struct {
	name   string
	colour rgb
	values []float64 // NaN where nothing is known
}

func (p *page) charts() {
	n := len(p.r.Quarters)
	rate, power, metered := make([]float64, n), make([]float64, n), make([]float64, n)
	anyPower, anyMetered := false, false
	for i, q := range p.r.Quarters {
		rate[i], power[i], metered[i] = math.NaN(), math.NaN(), math.NaN()
		if v, ok := q.Hashrate.Get(); ok {
			rate[i] = v.PH()
		}
		if v, ok := q.Power.Get(); ok {
			power[i], anyPower = v.MW(), true
		}
		if v, ok := q.Metered.Get(); ok {
			metered[i], anyMetered = v.MW(), true
		}
	}
	nominal := 0.0
	if v, ok := p.r.Nominal.Get(); ok {
		nominal = v.PH()
	}
	unit, scale := "PH/s", 1.0
	if nominal < 1 {
		unit, scale = "TH/s", 1e3
	}
	p.chart("Hashrate", unit, scale, nominal, []curve{{"hashed", hashing, rate}})
	var lines []curve
	if anyPower {
		lines = append(lines, curve{"as the machines tell", blue, power})
	}
	if anyMetered {
		lines = append(lines, curve{"metered", red, metered})
	}
	if len(lines) > 0 {
		unit, scale := "MW", 1.0
		if top(lines, 0) < 1 {
			unit, scale = "kW", 1e3
		}
		p.chart("Power", unit, scale, 0, lines)
	}
	p.states()
}

func top(lines []curve, least float64) float64 {
	most := least
	for _, l := range lines {
		for _, v := range l.values {
			if v > most {
				most = v
			}
		}
	}
	return most
}

// nice is the step of a scale of about four steps up to most.
func nice(most float64) float64 {
	if most <= 0 {
		return 1
	}
	raw := most / 4
	size := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if m*size >= raw {
			return m * size
		}
	}
	return 10 * size
}

const left, chartHeight = 13.0, 30.0

// hours draws the axis of time under a chart, in the site's hours.
func (p *page) hours(x0, y0, w, h float64) {
	length := p.r.Hours * 3600
	p.stroke(rule, 0.15)
	for at := p.r.From; ; at = at.Add(time.Hour) {
		since := at.Sub(p.r.From).Seconds()
		if since > length {
			break
		}
		if hour := at.In(p.zone).Hour(); hour%3 != 0 || at.In(p.zone).Minute() != 0 {
			continue
		}
		x := x0 + w*since/length
		p.Line(x, y0, x, y0+h)
		label := at.In(p.zone).Format("15:04")
		if since >= length {
			label = "24:00"
		}
		p.say(x-6, y0+h+0.8, 12, 6.5, "", faint, "C", label)
	}
}

func (p *page) chart(name, unit string, scale, line float64, curves []curve) {
	p.room(chartHeight + 16)
	p.heading(name+", "+unit, "")
	x := pageWidth - margin
	for _, c := range slices.Backward(curves) { // the legend, from the right
		p.SetFont("go", "", 7.5)
		w := p.GetStringWidth(c.name)
		x -= w
		p.say(x, p.y-5.8, w+1, 7.5, "", faint, "L", c.name)
		x -= 2
		p.stroke(c.colour, 0.6)
		p.Line(x-4, p.y-4.2, x-0.5, p.y-4.2)
		x -= 8
	}
	most := max(top(curves, line)*scale, 1e-9)
	step := nice(most)
	ceiling := math.Ceil(most/step*1.0001) * step
	x0, y0, w := margin+left, p.y, width-left
	p.hours(x0, y0, w, chartHeight)
	for v := 0.0; v <= ceiling*1.0001; v += step {
		y := y0 + chartHeight*(1-v/ceiling)
		p.stroke(rule, 0.15)
		p.Line(x0, y, x0+w, y)
		p.say(margin, y-1.5, left-2, 6.5, "", faint, "R", strconv.FormatFloat(v, 'f', -1, 64))
	}
	if line > 0 {
		y := y0 + chartHeight*(1-line*scale/ceiling)
		p.stroke(faint, 0.25)
		p.SetDashPattern([]float64{1.2, 1}, 0)
		p.Line(x0, y, x0+w, y)
		p.SetDashPattern([]float64{}, 0)
		p.say(x0+w-30, y-3.4, 29.5, 6.5, "", faint, "R", "nominal")
	}
	whole := p.r.Hours * 4
	for _, c := range curves {
		p.stroke(c.colour, 0.45)
		p.SetLineJoinStyle("round")
		open := false
		for i, v := range c.values {
			if math.IsNaN(v) {
				if open {
					p.DrawPath("D")
				}
				open = false
				continue
			}
			px, py := x0+w*(float64(i)+0.5)/whole, y0+chartHeight*(1-v*scale/ceiling)
			switch {
			case !open:
				p.MoveTo(px, py)
				if i+1 == len(c.values) || math.IsNaN(c.values[i+1]) {
					p.Line(px-0.3, py, px+0.3, py) // a point on its own
					p.MoveTo(px, py)
				}
				open = true
			default:
				p.LineTo(px, py)
			}
		}
		if open {
			p.DrawPath("D")
		}
	}
	p.y += chartHeight + 5.5
}

// states draws what the machines did, stacked.
func (p *page) states() {
	const height = 16.0
	p.room(height + 16)
	p.heading("Machines by what they did", "")
	kinds := []struct {
		name   string
		colour rgb
		of     func(report.QuarterPoint) float64
	}{
		{"hashing", hashing, func(q report.QuarterPoint) float64 { return q.Hashing }},
		{"starting", sky, func(q report.QuarterPoint) float64 { return q.Starting }},
		{"off on purpose", slate, func(q report.QuarterPoint) float64 { return q.Off }},
		{"down", red, func(q report.QuarterPoint) float64 { return q.Down }},
		{"silent", plum, func(q report.QuarterPoint) float64 { return q.Silent }},
		{"not known", blank, func(q report.QuarterPoint) float64 { return q.Unknown }},
	}
	x := pageWidth - margin
	for _, kind := range slices.Backward(kinds) {
		p.SetFont("go", "", 7.5)
		w := p.GetStringWidth(kind.name)
		x -= w
		p.say(x, p.y-5.8, w+1, 7.5, "", faint, "L", kind.name)
		x -= 4
		p.fill(kind.colour)
		p.Rect(x, p.y-5.5, 2.6, 2.6, "F")
		x -= 4
	}
	x0, w := margin+left, width-left
	bar := w / (p.r.Hours * 4)
	for i, q := range p.r.Quarters {
		total := 0.0
		for _, k := range kinds {
			total += k.of(q)
		}
		if total <= 0 {
			continue
		}
		y := p.y + height
		for _, k := range kinds {
			h := height * k.of(q) / total
			if h <= 0 {
				continue
			}
			y -= h
			p.fill(k.colour)
			p.Rect(x0+float64(i)*bar, y, bar+0.05, h, "F")
		}
	}
	p.hours(x0, p.y, w, height)
	p.say(margin, p.y-1.2, left-2, 6.5, "", faint, "R", strconv.Itoa(p.r.Machines))
	p.say(margin, p.y+height-1.6, left-2, 6.5, "", faint, "R", "0")
	p.y += height + 6
}
