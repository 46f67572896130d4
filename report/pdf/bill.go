package pdf

import (
	"fmt"
	"io"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// Bill is a statement of account, in words as they are to be read.
type Bill struct {
	Title   string // "Electricity, October 2026"
	Party   string // the site
	Under   []string
	Lines   []BillLine
	Total   string
	Remarks []string // below the lines
	Draft   string   // why it is no final statement; empty when it is one
	MadeAt  time.Time
}

// BillLine is one line of it.
type BillLine struct {
	Name, Note                   string
	Quantity, Unit, Rate, Amount string
	Status                       string
}

// WriteBill writes the document. The same bill is the same bytes.
func WriteBill(w io.Writer, b *Bill) error {
	f := fpdf.New("P", "mm", "A4", "")
	p := &page{Fpdf: f, zone: b.MadeAt.Location()}
	f.SetMargins(margin, margin, margin)
	f.SetAutoPageBreak(false, 0)
	f.AddUTF8FontFromBytes("go", "", goregular.TTF)
	f.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	f.SetTitle(b.Title+", "+b.Party, true)
	f.SetCreator("Ballast", true)
	f.SetLang("en")
	f.SetCreationDate(b.MadeAt)
	f.SetModificationDate(b.MadeAt)
	f.SetCatalogSort(true)
	f.AliasNbPages("{pages}")
	f.SetFooterFunc(func() {
		y := pageHeight - 12.0
		p.stroke(rule, 0.2)
		p.Line(margin, y-1.5, pageWidth-margin, y-1.5)
		p.say(margin, y, width, 7.5, "", faint, "L", fmt.Sprintf("%s · %s · made %s by Ballast", b.Title, b.Party, b.MadeAt.Format("2006-01-02 15:04 MST")))
		p.say(margin, y, width, 7.5, "", faint, "R", fmt.Sprintf("%d of {pages}", f.PageNo()))
	})
	f.AddPage()
	p.y = margin
	p.say(margin, p.y, width, 17, "B", ink, "L", b.Title)
	p.y += 9
	p.say(margin, p.y, width, 11, "", ink, "L", b.Party)
	p.y += 7
	if b.Draft != "" {
		p.fill(rgb{253, 240, 214})
		p.Rect(margin, p.y, width, 8, "F")
		p.say(margin+3, p.y+2, width-6, 9, "B", rgb{140, 84, 0}, "L", b.Draft)
		p.y += 11
	}
	for _, u := range b.Under {
		p.say(margin, p.y, width, 8.5, "", faint, "L", u)
		p.y += 4.6
	}
	p.y += 4
	columns := []column{{"Line", 74, "L"}, {"Quantity", 26, "R"}, {"", 12, "L"}, {"Rate", 26, "R"}, {"Amount", 26, "R"}, {"", width - 164, "L"}}
	p.tableHead(columns)
	for _, l := range b.Lines {
		p.room(rowHeight + 8)
		p.row(columns, l.Name, l.Quantity, l.Unit, l.Rate, l.Amount, "")
		for _, text := range p.wrap(l.Note, width-4, 7.2) {
			if p.y+4 > bottom {
				p.AddPage()
				p.y = margin
			}
			p.say(margin+3, p.y, width-6, 7.2, "", faint, "L", text)
			p.y += 3.6
		}
		p.y += 0.6
	}
	p.room(16)
	p.y += 1
	p.stroke(ink, 0.4)
	p.Line(margin, p.y, margin+width, p.y)
	p.y += 2
	p.say(margin, p.y, 100, 11, "B", ink, "L", "Total")
	p.say(margin, p.y, 162, 11, "B", ink, "R", b.Total)
	p.y += 11
	for _, r := range b.Remarks {
		for _, text := range p.wrap(r, width, 8) {
			p.room(4.4)
			p.say(margin, p.y, width, 8, "", faint, "L", text)
			p.y += 4.2
		}
	}
	if err := f.Error(); err != nil {
		return fmt.Errorf("laying out the statement: %w", err)
	}
	if err := f.Output(w); err != nil {
		return fmt.Errorf("writing the statement as PDF: %w", err)
	}
	return nil
}

// wrap breaks text into lines of at most w millimetres.
func (p *page) wrap(text string, w, size float64) []string {
	if text == "" {
		return nil
	}
	p.SetFont("go", "", size)
	return p.SplitText(printable(text), w)
}
