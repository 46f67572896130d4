package pdf

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"ballast/report"
)

// layers are the colours of stacked bars, those of the dashboard's charts.
var layers = []rgb{{0, 114, 178}, {179, 107, 0}, {0, 122, 89}, {168, 68, 127}, {42, 143, 199}, {179, 74, 0}, {91, 95, 151}, {107, 112, 92}}

// WriteBoard writes a board pack.
func WriteBoard(w io.Writer, b *report.Board) error {
	f := fpdf.New("P", "mm", "A4", "")
	p := &page{Fpdf: f, zone: time.UTC}
	f.SetMargins(margin, margin, margin)
	f.SetAutoPageBreak(false, 0)
	f.AddUTF8FontFromBytes("go", "", goregular.TTF)
	f.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	f.SetTitle(printable("Board pack: "+b.Title+", "+b.Day), true)
	f.SetCreator("Ballast", true)
	f.SetLang("en")
	f.SetCreationDate(b.At)
	f.SetModificationDate(b.At)
	f.SetCatalogSort(true)
	f.AliasNbPages("{pages}")
	f.SetFooterFunc(func() {
		y := pageHeight - 12.0
		p.stroke(rule, 0.2)
		p.Line(margin, y-1.5, pageWidth-margin, y-1.5)
		foot := "Made by Ballast " + b.At.UTC().Format("2006-01-02 15:04 MST") + ". Formulas and sources of every figure are at the end."
		p.say(margin, y, width*0.75, 7, "", faint, "L", foot)
		p.say(margin+width*0.75, y, width*0.25, 7, "", faint, "R", fmt.Sprintf("%s, page %d of {pages}", b.Day, p.PageNo()))
	})
	f.AddPage()
	p.y = margin
	p.say(margin, p.y, width, 9, "", faint, "L", "Board pack")
	p.y += 5.5
	p.say(margin, p.y, width, 18, "B", ink, "L", b.Title)
	p.y += 9
	p.say(margin, p.y, width, 11, "", ink, "L", b.Day+"  "+b.Subtitle)
	p.y += 8
	for _, r := range b.Remarks {
		p.box(r)
	}
	for _, s := range b.Sections {
		p.section(s)
	}
	if err := f.Error(); err != nil {
		return fmt.Errorf("laying out the board pack: %w", err)
	}
	if err := f.Output(w); err != nil {
		return fmt.Errorf("writing the board pack as PDF: %w", err)
	}
	return nil
}

func (p *page) box(text string) {
	lines := p.wrap(text, width-8, 8.5)
	h := 2.4 + 3.8*float64(len(lines))
	p.room(h + 1)
	p.fill(rgb{253, 243, 224})
	p.Rect(margin, p.y, width, h, "F")
	p.fill(orange)
	p.Rect(margin, p.y, 1, h, "F")
	for i, l := range lines {
		p.say(margin+3, p.y+1.2+3.8*float64(i), width-5, 8.5, "", ink, "L", l)
	}
	p.y += h + 1
}

func (p *page) section(s report.Section) {
	if s.NewPage {
		p.AddPage()
		p.y = margin
	}
	p.room(30)
	p.heading(s.Title, s.Note)
	if len(s.Figures) > 0 {
		p.boardFigures(s.Figures)
	}
	if s.Bars != nil {
		p.bars(*s.Bars)
	}
	if s.Curve != nil {
		p.curve(*s.Curve)
	}
	if s.Heat != nil {
		p.heat(*s.Heat)
	}
	for _, t := range s.Tables {
		p.boardTable(t)
	}
	for _, t := range s.Text {
		for _, l := range p.wrap(t, width, 8) {
			p.room(4)
			p.say(margin, p.y, width, 8, "", ink, "L", l)
			p.y += 3.8
		}
		p.y += 1.5
	}
}

func (p *page) boardFigures(fs []report.BoardFigure) {
	const columns, height = 4, 15.5
	w := width / columns
	for i := 0; i < len(fs); i += columns {
		p.room(height)
		for j, f := range fs[i:min(i+columns, len(fs))] {
			x := margin + float64(j)*w
			p.say(x, p.y, w-3, 7.5, "", faint, "L", f.Name)
			p.say(x, p.y+3.9, w-3, 13, "B", ink, "L", f.Value)
			p.SetFont("go", "B", 13)
			used := p.GetStringWidth(printable(f.Value))
			p.say(x+used+1.2, p.y+5.1, w-used-4, 8, "", faint, "L", f.Unit)
			p.say(x, p.y+9.9, w-3, 6.5, "", faint, "L", f.Note)
		}
		p.y += height
	}
}

// axis draws the lines of a scale from least to the ceiling of most, and returns
// where a value lies.
func (p *page) axis(least, most, x0, w, h float64) func(float64) float64 {
	step := nice(max(most, -least, 1e-9))
	ceiling := math.Ceil(most/step*1.0001) * step
	floor := 0.0
	if least < 0 {
		floor = -math.Ceil(-least/step*1.0001) * step
	}
	at := func(v float64) float64 { return p.y + h*(1-(v-floor)/(ceiling-floor)) }
	for v := floor; v <= ceiling*1.0001; v += step {
		p.stroke(rule, 0.15)
		p.Line(x0, at(v), x0+w, at(v))
		p.say(margin, at(v)-1.5, left-1, 6.5, "", faint, "R", axisText(v))
	}
	return at
}

func axisText(v float64) string {
	switch a := math.Abs(v); {
	case a >= 999.5e6:
		return fmt.Sprintf("%.3g B", v/1e9)
	case a >= 999.5e3:
		return fmt.Sprintf("%.3g M", v/1e6)
	case a >= 1000:
		return fmt.Sprintf("%.3g k", v/1e3)
	}
	return fmt.Sprintf("%.3g", v)
}

func (p *page) bars(b report.Bars) {
	const h = 44.0
	p.room(h + 16)
	most := b.Line
	for i := range b.Labels {
		sum := 0.0
		for _, l := range b.Values {
			sum += l[i]
		}
		most = max(most, sum)
	}
	x0, w := margin+left, width-left
	at := p.axis(0, most, x0, w, h)
	slot := w / float64(max(1, len(b.Labels)))
	for i, label := range b.Labels {
		sum := 0.0
		for k, l := range b.Values {
			if l[i] <= 0 {
				continue
			}
			p.fill(layers[k%len(layers)])
			p.Rect(x0+slot*(float64(i)+0.18), at(sum+l[i]), slot*0.64, at(sum)-at(sum+l[i]), "F")
			sum += l[i]
		}
		if sum > 0 {
			p.say(x0+slot*float64(i), at(sum)-3.2, slot, 6, "", ink, "C", axisText(sum))
		}
		p.say(x0+slot*float64(i), p.y+h+0.8, slot, 6.5, "", faint, "C", label)
	}
	if b.Line > 0 {
		p.stroke(hashing, 0.4)
		p.SetDashPattern([]float64{1.5, 1}, 0)
		p.Line(x0, at(b.Line), x0+w, at(b.Line))
		p.SetDashPattern([]float64{}, 0)
		p.say(x0, at(b.Line)-3.4, w, 6.5, "", hashing, "R", b.Says)
	}
	p.y += h + 5
	p.legend(b.Names, func(i int) rgb { return layers[i%len(layers)] })
}

func (p *page) legend(names []string, colour func(int) rgb) {
	x := margin + left
	for i, n := range names {
		p.SetFont("go", "", 7)
		w := p.GetStringWidth(printable(n)) + 8
		if x+w > pageWidth-margin {
			x = margin + left
			p.y += 4
		}
		p.fill(colour(i))
		p.Rect(x, p.y+0.4, 2.4, 2.4, "F")
		p.say(x+3.4, p.y, w, 7, "", faint, "L", n)
		x += w
	}
	p.y += 6
}

func (p *page) curve(c report.Curve) {
	const h = 48.0
	p.room(h + 16)
	least, most := 0.0, c.Floor
	for i := range c.Labels {
		least, most = min(least, c.End[i]), max(most, c.In[i], c.Out[i], c.End[i])
	}
	x0, w := margin+left, width-left
	at := p.axis(least, most, x0, w, h)
	slot := w / float64(max(1, len(c.Labels)))
	for i, label := range c.Labels {
		x := x0 + slot*float64(i)
		p.fill(hashing)
		p.Rect(x+slot*0.16, at(c.In[i]), slot*0.32, at(0)-at(c.In[i]), "F")
		p.fill(orange)
		p.Rect(x+slot*0.52, at(c.Out[i]), slot*0.32, at(0)-at(c.Out[i]), "F")
		p.say(x, p.y+h+0.8, slot, 6.5, "", faint, "C", label)
	}
	if c.Floor > 0 {
		p.stroke(red, 0.3)
		p.SetDashPattern([]float64{1.5, 1}, 0)
		p.Line(x0, at(c.Floor), x0+w, at(c.Floor))
		p.SetDashPattern([]float64{}, 0)
	}
	p.stroke(blue, 0.6)
	for i := range c.Labels {
		x := x0 + slot*(float64(i)+0.5)
		if i == 0 {
			p.MoveTo(x, at(c.End[i]))
		} else {
			p.LineTo(x, at(c.End[i]))
		}
	}
	p.DrawPath("D")
	p.y += h + 5
	names, colours := []string{"receipts", "payments", "cash at the end of the week"}, []rgb{hashing, orange, blue}
	if c.Floor > 0 {
		names, colours = append(names, "floor"), append(colours, red)
	}
	p.legend(names, func(i int) rgb { return colours[i] })
}

func (p *page) heat(t report.HeatTable) {
	const rowH, head = 5.2, 24.0
	p.room(rowH*float64(len(t.Row)+2) + 4)
	w := (width - head) / float64(max(1, len(t.Column)))
	p.say(margin, p.y, head, 6.5, "", faint, "L", t.Rows+" \\ "+t.Columns)
	for j, c := range t.Column {
		p.say(margin+head+w*float64(j), p.y, w, 6.5, "", faint, "C", c)
	}
	p.y += 4.2
	for i, r := range t.Row {
		p.say(margin, p.y+1.1, head-2, 6.5, "", faint, "R", r)
		for j, text := range t.Text[i] {
			x := margin + head + w*float64(j)
			g := t.Good[i][j]
			full := rgb{63, 136, 201}
			if g < 0 {
				full, g = rgb{213, 94, 0}, -g
			}
			k := 0.06 + 0.55*min(1, g)
			mix := rgb{}
			for n := range mix {
				mix[n] = int(255 - k*float64(255-full[n]))
			}
			p.fill(mix)
			p.Rect(x+0.2, p.y+0.2, w-0.4, rowH-0.4, "F")
			if i == t.TodayR && j == t.TodayC {
				p.stroke(ink, 0.4)
				p.Rect(x+0.3, p.y+0.3, w-0.6, rowH-0.6, "D")
			}
			p.say(x, p.y+1.1, w, 6.8, "", ink, "C", text)
		}
		p.y += rowH
	}
	p.y += 3
}

func (p *page) boardTable(t report.BoardTable) {
	columns := make([]column, len(t.Head))
	for i, h := range t.Head {
		share := 1 / float64(len(t.Head))
		if t.Wide != nil {
			share = t.Wide[i]
		}
		align := "L"
		if strings.HasPrefix(h, "#") {
			h, align = h[1:], "R"
		}
		columns[i] = column{h, width * share, align}
	}
	p.room(rowHeight * 3)
	p.tableHead(columns)
	for i, r := range t.Rows {
		if !t.Bold[i] {
			p.row(columns, r...)
			continue
		}
		if p.y+rowHeight > bottom {
			p.AddPage()
			p.y = margin
			p.tableHead(columns)
		}
		x := margin
		for j, c := range columns {
			p.say(x, p.y+0.5, c.width-2, 8, "B", ink, c.align, r[j])
			x += c.width
		}
		p.y += rowHeight
		p.stroke(rule, 0.2)
		p.Line(margin, p.y-0.2, margin+width, p.y-0.2)
	}
	p.y += 2
}
