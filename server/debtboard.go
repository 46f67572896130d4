package server

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/debt"
	"ballast/debt/desk"
	"ballast/report"
	"ballast/report/pdf"
)

func (s *Server) registerBoard(tags []string) {
	op(s, huma.Operation{OperationID: "board-pack", Method: http.MethodGet, Path: "/api/v1/debt/board/{file}", Summary: "The board pack as PDF or CSV, or every payment of every facility as CSV", Tags: tags, Errors: []int{404}}, s.boardPack)
}

type boardInput struct {
	ScopeQuery
	File string `path:"file" maxLength:"50" doc:"board-pack.pdf, board-pack.csv or schedules.csv"`
}

func (s *Server) boardPack(ctx context.Context, in *boardInput) (*huma.StreamResponse, error) {
	d, err := s.open(ctx, in.ScopeQuery)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	mime := "text/csv; charset=utf-8"
	switch in.File {
	case "board-pack.pdf", "board-pack.csv":
		body, err := s.positionOf(ctx, d)
		if err != nil {
			return nil, err
		}
		pack, err := boardOf(d, body)
		if err != nil {
			return nil, s.fail("making the board pack", err)
		}
		if in.File == "board-pack.csv" {
			err = report.WriteBoardCSV(&b, pack)
		} else {
			mime = "application/pdf"
			err = pdf.WriteBoard(&b, pack)
		}
		if err != nil {
			return nil, s.fail("writing the board pack", err)
		}
	case "schedules.csv":
		if err := writeSchedules(&b, d); err != nil {
			return nil, s.fail("writing the schedules", err)
		}
	default:
		return nil, huma.Error404NotFound("there is no file " + in.File)
	}
	base, ending, _ := strings.Cut(in.File, ".")
	name := base + "-" + d.On.String() + "." + ending
	return &huma.StreamResponse{Body: func(out huma.Context) {
		out.SetHeader("Content-Type", mime)
		out.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename=%q`, name))
		out.SetHeader("Cache-Control", "no-store")
		_, _ = out.BodyWriter().Write(b.Bytes())
	}}, nil
}

func writeSchedules(b *bytes.Buffer, d *desk.Desk) error {
	w := csv.NewWriter(b)
	_ = w.Write([]string{"facility", "from", "due", "currency", "rate", "opening", "drawn", "interest", "capitalised", "principal", "swept", "fees", "in_kind", "cash", "closing", "paid", "state"})
	for _, f := range d.Book.Facilities {
		st, ok := d.Statement(f.ID)
		if !ok {
			continue
		}
		for _, l := range st.Lines {
			row := []string{f.ID, l.From.String(), l.Due.String(), string(f.Principal.Currency), l.Rate.String()}
			for _, m := range []int64{l.Opening.Minor, l.Drawn.Minor, l.Interest.Minor, l.Capitalised.Minor, l.Principal.Minor, l.Swept.Minor, l.Fees.Minor, l.InKind.Minor, l.Cash.Minor, l.Closing.Minor, l.Paid.Minor} {
				v := f.Principal
				v.Minor = m
				row = append(row, v.Rat().FloatString(v.Currency.Digits()))
			}
			_ = w.Write(append(row, string(l.State)))
		}
	}
	w.Flush()
	return w.Error()
}

// boardOf lays the company's pages out as a board pack.
func boardOf(d *desk.Desk, p DebtPosition) (*report.Board, error) {
	name := p.Name
	if name == "" {
		name = "The company"
	}
	b := &report.Board{Title: name, Day: p.Day, Subtitle: "amounts in " + p.Currency, At: d.Now}
	if p.Example != "" {
		b.Remarks = append(b.Remarks, p.Example)
	}
	b.Remarks = append(b.Remarks, p.Remarks...)
	by := map[string]desk.Figure{}
	for _, f := range p.Figures {
		by[f.Key] = f
	}
	pick := func(keys ...string) []report.BoardFigure {
		var out []report.BoardFigure
		for _, k := range keys {
			if f, ok := by[k]; ok {
				out = append(out, boardFigure(f))
			}
		}
		return out
	}
	ratio := report.Section{Title: "Hashrate-debt ratio", Note: "counts " + p.Scope, Figures: pick("ratio-index", "ratio-replacement", "ratio-liquidation", "ratio-option")}
	for _, l := range by["ratio-index"].Lines {
		ratio.Text = append(ratio.Text, fmt.Sprintf("%g: %s.", l.At, l.Claim))
	}
	b.Sections = append(b.Sections, ratio,
		report.Section{Title: "What tells distress better", Figures: pick("dscr", "icr", "runway-months", "liquidity", "coin-ltv", "machine-ltv", "wall", "distance", "default", "leverage", "service", "cfads")},
		boardCovenants(p), boardWall(p, by["liquidity"]), boardChanges(p),
		report.Section{Title: "Debt and hashpower", Figures: pick("balance", "hashrate", "hashprice", "hashpower-index", "hashpower-replacement", "hashpower-liquidation", "hashpower-option"), Tables: []report.BoardTable{boardRegister(d)}},
		boardWeeks(d), boardCost(d))
	for _, against := range []debt.Against{debt.Difficulty, debt.PowerPrice} {
		s, err := boardHeat(d, against)
		if err != nil {
			return nil, err
		}
		b.Sections = append(b.Sections, s)
	}
	sources := report.BoardTable{Head: []string{"Figure", "Value", "Formula", "Sources"}, Wide: []float64{0.2, 0.12, 0.34, 0.34}}
	for _, f := range p.Figures {
		sources.Rows = append(sources.Rows, []string{f.Name, strings.TrimSpace(f.Text + " " + f.Unit), f.Formula, sourceWords(f)})
	}
	b.Sections = append(b.Sections, report.Section{Title: "Formulas and sources", NewPage: true, Tables: []report.BoardTable{sources}})
	return b, nil
}

func boardFigure(f desk.Figure) report.BoardFigure {
	out := report.BoardFigure{Name: f.Name, Value: f.Text, Unit: f.Unit, Note: f.Note, Formula: f.Formula, Source: sourceWords(f)}
	if f.Missing != "" {
		out.Note, out.Unit = f.Missing, ""
	}
	return out
}

func sourceWords(f desk.Figure) string {
	var out []string
	for _, i := range f.Inputs {
		text := i.Name + " " + i.Text
		if i.Of == "" {
			text += " (" + string(i.Source.How) + ": " + i.Source.What
			if !i.Source.At.IsZero() {
				text += ", " + i.Source.At.Format(time.DateOnly)
			}
			text += ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func boardCovenants(p DebtPosition) report.Section {
	t := report.BoardTable{Head: []string{"State", "Covenant", "Facility", "#Now", "#Headroom", "#Bitcoin", "#Hashprice", "#Days"}, Wide: []float64{0.09, 0.31, 0.13, 0.09, 0.11, 0.09, 0.11, 0.07}}
	for _, c := range p.Covenants {
		cell := map[string]string{}
		for _, f := range c.Figures {
			cell[f.Key[strings.LastIndexByte(f.Key, '/')+1:]] = f.Text
		}
		for _, k := range []string{"price", "hashprice", "days"} {
			if cell[k] == "" {
				cell[k] = "–"
			}
		}
		t.Rows = append(t.Rows, []string{string(c.State), c.Rule, c.Facility, c.Reading.Text, c.Text, cell["price"], cell["hashprice"], cell["days"]})
	}
	s := report.Section{Title: "Covenants", Note: "bitcoin, hashprice and days: at the breach"}
	if len(t.Rows) == 0 {
		s.Text = []string{"No covenant is entered."}
	} else {
		s.Tables = []report.BoardTable{t}
	}
	return s
}

func boardWall(p DebtPosition, liquidity desk.Figure) report.Section {
	s := report.Section{Title: "Maturity wall", Note: "cash due by quarter"}
	if len(p.Wall) == 0 {
		s.Text = []string{"No facility is entered."}
		return s
	}
	bars := &report.Bars{Unit: p.Currency}
	layer := map[string]int{}
	for _, c := range p.Counted {
		layer[c.Facility] = len(bars.Names)
		name := c.Name
		if name == "" {
			name = c.Facility
		}
		bars.Names = append(bars.Names, name)
		bars.Values = append(bars.Values, make([]float64, len(p.Wall)))
	}
	for i, q := range p.Wall {
		at, _ := time.Parse(time.DateOnly, q.To)
		bars.Labels = append(bars.Labels, at.Format("Jan 06"))
		for id, a := range q.By {
			k, ok := layer[id]
			if !ok {
				k = len(bars.Names)
				layer[id] = k
				bars.Names, bars.Values = append(bars.Names, id), append(bars.Values, make([]float64, len(p.Wall)))
			}
			bars.Values[k][i] = float64(a.Minor) / 100
		}
	}
	if v, ok := liquidity.Value.Get(); ok {
		bars.Line, bars.Says = v, "liquidity today "+liquidity.Text
	}
	s.Bars = bars
	return s
}

func boardChanges(p DebtPosition) report.Section {
	s := report.Section{Title: "What changed", Note: "since " + p.Changes.Since}
	if len(p.Changes.Figures) == 0 {
		s.Note, s.Text = "", []string{p.Changes.Note}
		return s
	}
	t := report.BoardTable{Head: []string{"Figure", "#Then", "#Now", "#Change", ""}, Wide: []float64{0.34, 0.17, 0.17, 0.14, 0.18}}
	for _, c := range p.Changes.Figures {
		move, word := "–", ""
		if c.Then != 0 {
			move = fmt.Sprintf("%+.1f %%", (c.Now/c.Then-1)*100)
		}
		switch c.Better {
		case 1:
			word = "better"
		case -1:
			word = "worse"
		}
		t.Rows = append(t.Rows, []string{c.Name, c.Was, c.Text, move, word})
	}
	s.Tables = []report.BoardTable{t}
	var parts []string
	for _, x := range p.Changes.Drivers {
		parts = append(parts, fmt.Sprintf("%s %+.2f (%s to %s)", x.Name, x.Part, x.Then, x.Now))
	}
	if len(parts) > 0 {
		s.Text = []string{"The ratio at market index moved by: " + strings.Join(parts, ", ") + "."}
	}
	return s
}

func boardRegister(d *desk.Desk) report.BoardTable {
	t := report.BoardTable{Head: []string{"Facility", "Lender", "Kind", "For", "#Owed today", "#Due in a year", "Rate", "Matures"}, Wide: []float64{0.19, 0.13, 0.13, 0.07, 0.14, 0.13, 0.12, 0.09}, Bold: map[int]bool{}}
	reg := registerOf(d)
	var year int64
	for _, r := range reg.Facilities {
		name := r.Name
		if name == "" {
			name = r.ID
		}
		year += r.Year.Minor
		t.Rows = append(t.Rows, []string{name, r.Lender, r.Kind, r.Purpose, r.Balance.Text, r.Year.Text, r.Rate, r.Maturity})
	}
	total := d.Position.Book.Balance(d.On)
	total.Minor = year
	t.Bold[len(t.Rows)] = true
	t.Rows = append(t.Rows, []string{"Together", "", "", "", reg.Total.Text, desk.Full(total), "", ""})
	return t
}

func boardWeeks(d *desk.Desk) report.Section {
	w := weeksOf(d)
	s := report.Section{Title: "Thirteen weeks of cash", NewPage: true}
	if w.Missing != "" {
		s.Text = []string{"There is no plan: " + w.Missing + "."}
		return s
	}
	units := func(a Amount) float64 { return float64(a.Minor) / math.Pow10(d.Currency.Digits()) }
	c := &report.Curve{Unit: w.Currency, Floor: units(w.Floor)}
	head, wide := []string{w.Currency}, []float64{0.16}
	for i, x := range w.Weeks {
		at, _ := time.Parse(time.DateOnly, x.From)
		c.Labels = append(c.Labels, at.Format("2 Jan"))
		c.In, c.Out, c.End = append(c.In, units(x.Receipts)), append(c.Out, units(x.Payments)), append(c.End, units(x.Closing))
		head, wide = append(head, fmt.Sprintf("#%d", i+1)), append(wide, 0.84/13)
	}
	t := report.BoardTable{Head: head, Wide: wide, Bold: map[int]bool{}}
	// Thirteen columns leave room for thousands; the cents are in the CSV.
	add := func(name string, bold bool, of func(int) Amount) {
		row := []string{name}
		for i := range w.Weeks {
			row = append(row, fmt.Sprintf("%.1f", units(of(i))/1000))
		}
		t.Bold[len(t.Rows)] = bold
		t.Rows = append(t.Rows, row)
	}
	add("Cash at the start", true, func(i int) Amount { return w.Weeks[i].Opening })
	for _, l := range w.Lines {
		add(l.Line, false, func(i int) Amount { return l.Amounts[i] })
	}
	add("Cash at the end", true, func(i int) Amount { return w.Weeks[i].Closing })
	s.Note, s.Curve, s.Tables = "the table in thousands; to the cent in the CSV", c, []report.BoardTable{t}
	switch {
	case w.Overdrawn > 0:
		s.Text = append(s.Text, fmt.Sprintf("Cash goes under zero in week %d, with all free bitcoin sold.", w.Overdrawn))
	case w.Short > 0:
		s.Text = append(s.Text, fmt.Sprintf("From week %d on cash stays under the floor of %s, with all free bitcoin sold.", w.Short, w.Floor.Text))
	}
	return s
}

func boardCost(d *desk.Desk) report.Section {
	c := d.Hashcost()
	s := report.Section{Title: "Hashcost", Note: "per PH/s and day"}
	if c.Missing != "" {
		s.Text = []string{"It cannot be had: " + c.Missing + "."}
		return s
	}
	t := report.BoardTable{Head: []string{"Step", "#Cost", "#Together", "#Leaves"}, Wide: []float64{0.4, 0.2, 0.2, 0.2}}
	for _, x := range c.Steps {
		t.Rows = append(t.Rows, []string{x.Name, fmt.Sprintf("%.2f", x.Cost.PerPHDay()), fmt.Sprintf("%.2f", x.Total.PerPHDay()), fmt.Sprintf("%.2f", x.Margin.PerPHDay())})
	}
	s.Note += fmt.Sprintf("; hashprice %.2f", d.Position.Hashprice.PerPHDay())
	s.Tables = []report.BoardTable{t}
	return s
}

func boardHeat(d *desk.Desk, against debt.Against) (report.Section, error) {
	h, err := heatOf(d, debt.DSCR, against)
	s := report.Section{Title: "Debt service cover", Note: "by price of a bitcoin and " + string(against)}
	if err != nil {
		return s, err
	}
	if h.Missing != "" {
		s.Text = []string{"It cannot be had: " + h.Missing + "."}
		return s, nil
	}
	limit := 1.0
	if len(h.Limits) > 0 {
		limit = h.Limits[0].At
	}
	t := &report.HeatTable{Rows: string(against), Columns: "bitcoin", Row: h.Others, Column: h.Prices}
	for y, row := range h.Cells {
		if h.Other[y] == 1 {
			t.TodayR = y
		}
		text, good := make([]string, len(row)), make([]float64, len(row))
		for x, v := range row {
			if h.Price[x] == 1 {
				t.TodayC = x
			}
			text[x] = "–"
			if v != nil {
				text[x] = fmt.Sprintf("%.2f", *v)
				good[x] = max(-1, min(1, math.Log2(max(*v, 1e-3)/limit)))
			}
		}
		t.Text, t.Good = append(t.Text, text), append(t.Good, good)
	}
	s.Heat = t
	s.Text = []string{fmt.Sprintf("Blue is over %g, orange under it. The framed cell is today.", limit)}
	return s, nil
}
