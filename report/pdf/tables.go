package pdf

import (
	"fmt"
	"strconv"
	"strings"

	"ballast/report"
)

// column is a column of a table.
type column struct {
	title string
	width float64
	align string
}

const rowHeight = 5.0

func (p *page) tableHead(columns []column) {
	x := margin
	for _, c := range columns {
		p.say(x, p.y, c.width-2, 7.5, "B", faint, c.align, c.title)
		x += c.width
	}
	p.y += 4.6
	p.stroke(rule, 0.25)
	p.Line(margin, p.y, margin+width, p.y)
	p.y += 0.8
}

// row writes a line, on a new page under the same head when this one is full.
func (p *page) row(columns []column, cells ...string) {
	if p.y+rowHeight > bottom {
		p.AddPage()
		p.y = margin
		p.tableHead(columns)
	}
	x := margin
	for i, c := range columns {
		p.say(x, p.y+0.5, c.width-2, 8, "", ink, c.align, cells[i])
		x += c.width
	}
	p.y += rowHeight
	p.stroke(blank, 0.15)
	p.Line(margin, p.y-0.2, margin+width, p.y-0.2)
}

func (p *page) losses() {
	p.room(14 + rowHeight*float64(1+len(p.r.Losses)))
	total := 0.0
	for _, l := range p.r.Losses {
		total += l.Lost
	}
	p.heading("What was lost, and why", fmt.Sprintf("%.1f TH-days against the potential of the known time", total))
	if len(p.r.Losses) == 0 {
		p.nothing("Nothing was lost.")
		return
	}
	columns := []column{{"Reason", 56, "L"}, {"TH-days", 22, "R"}, {"Share", 18, "R"}, {"Machines", 20, "R"}, {"", width - 116, "L"}}
	p.tableHead(columns)
	for _, l := range p.r.Losses {
		y := p.y
		p.row(columns, l.Reason.Words(), fmt.Sprintf("%.1f", l.Lost), fmt.Sprintf("%.1f %%", 100*l.Lost/total), strconv.Itoa(l.Machines), "")
		if p.y > y { // the bar, unless the row moved to a new page
			p.fill(reasonColour[l.Reason])
			p.Rect(margin+118, p.y-rowHeight+1, max(0.3, (width-118)*l.Lost/p.r.Losses[0].Lost), rowHeight-2.4, "F")
		}
	}
}

func (p *page) nothing(text string) {
	p.say(margin, p.y, width, 8.5, "", faint, "L", text)
	p.y += 6
}

func why(ls []report.Loss) string {
	var out strings.Builder
	for i, l := range ls {
		if i == 3 {
			break
		}
		if i > 0 {
			out.WriteString(", ")
		}
		fmt.Fprintf(&out, "%s %.1f", l.Reason.Words(), l.Lost)
	}
	return out.String()
}

const most = 25 // machines on paper

func (p *page) worst() {
	p.room(30)
	p.heading("Machines that lost most", "TH-days")
	if len(p.r.Worst) == 0 {
		p.nothing("None lost anything that is known.")
		return
	}
	columns := []column{{"Machine", 34, "L"}, {"Model", 34, "L"}, {"Place", 26, "L"}, {"Lost", 14, "R"}, {"Uptime", 16, "R"}, {"Why", width - 124, "L"}}
	p.tableHead(columns)
	for _, m := range p.r.Worst[:min(len(p.r.Worst), most)] {
		up := report.Dash
		if v, ok := m.Uptime.Get(); ok {
			up = fmt.Sprintf("%.1f %%", 100*float64(v))
		}
		p.row(columns, m.Name, m.Model, m.Place, fmt.Sprintf("%.1f", m.Lost), up, why(m.Why))
	}
}

func (p *page) racks() {
	if len(p.r.Racks) == 0 {
		return
	}
	p.room(30)
	p.heading("Racks that lost most", "TH-days")
	columns := []column{{"Rack", 68, "L"}, {"Machines", 20, "R"}, {"Produced", 20, "R"}, {"Lost", 16, "R"}, {"Why", width - 124, "L"}}
	p.tableHead(columns)
	for _, k := range p.r.Racks[:min(len(p.r.Racks), 12)] {
		p.row(columns, k.Rack, strconv.Itoa(k.Machines), fmt.Sprintf("%.1f", k.Work), fmt.Sprintf("%.1f", k.Lost), why(k.Why))
	}
}

// small are the tables of faults and commands.
func (p *page) small() {
	p.room(26)
	p.heading("Faults by kind", "as the firmwares tell")
	switch {
	case p.r.NoFaults:
		p.nothing("Not known: the raw readings of that day are no longer kept.")
	case len(p.r.Faults) == 0:
		p.nothing("None.")
	default:
		columns := []column{{"Fault", 60, "L"}, {"Group", 30, "L"}, {"Machines", 22, "R"}, {"Machine-hours", 28, "R"}, {"", width - 140, "L"}}
		p.tableHead(columns)
		for _, f := range p.r.Faults[:min(len(p.r.Faults), 20)] {
			p.row(columns, f.Kind, f.Group, strconv.Itoa(f.Machines), fmt.Sprintf("%.1f", f.Hours), "")
		}
	}
	p.room(26)
	p.heading("Commands", "created that day, and how they stand")
	if len(p.r.Commands) == 0 {
		p.nothing("None.")
		return
	}
	columns := []column{{"Kind", 60, "L"}, {"State", 40, "L"}, {"Count", 22, "R"}, {"", width - 122, "L"}}
	p.tableHead(columns)
	for _, c := range p.r.Commands {
		p.row(columns, c.Kind, c.State, strconv.Itoa(c.Count), "")
	}
}
