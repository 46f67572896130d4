package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"time"
)

// Board is a board pack: what a company's pages show, as a document to hand
// out. It knows nothing of what its figures mean.
type Board struct {
	Title    string
	Subtitle string
	Day      string
	At       time.Time
	Remarks  []string // shown on the first page, in boxes
	Sections []Section
}

// Section is a part of a board pack that begins with a heading. What is empty
// in it is left out.
type Section struct {
	Title   string
	Note    string
	NewPage bool
	Figures []BoardFigure
	Bars    *Bars
	Curve   *Curve
	Heat    *HeatTable
	Tables  []BoardTable
	Text    []string
}

// BoardFigure is a number with its unit, a word on it, and where it is from.
type BoardFigure struct {
	Name, Value, Unit, Note string
	Formula, Source         string
}

// Bars are stacked bars over labels; Line, when positive, is drawn across.
type Bars struct {
	Unit   string
	Labels []string
	Names  []string    // of the layers
	Values [][]float64 // [layer][label]
	Line   float64
	Says   string // of the line
}

// Curve is two columns a label, and a line: money in, money out, and what is
// left.
type Curve struct {
	Unit         string
	Labels       []string
	In, Out, End []float64
	Floor        float64
}

// HeatTable is a grid of numbers, each with how good it is from -1 to 1.
type HeatTable struct {
	Rows, Columns  string
	Row, Column    []string
	Text           [][]string
	Good           [][]float64
	TodayR, TodayC int
}

// BoardTable is a table; a heading that starts with # is of a column of numbers.
type BoardTable struct {
	Head []string
	Rows [][]string
	// Wide is the share of the width that each column takes; nil: all the same.
	Wide []float64
	Bold map[int]bool // rows
}

// WriteBoardCSV writes a board pack's figures and tables: a line each, with the
// section in the first column.
func WriteBoardCSV(w io.Writer, b *Board) error {
	out := csv.NewWriter(w)
	write := func(cells ...string) {
		for i, c := range cells {
			cells[i] = safeCell(c)
		}
		_ = out.Write(cells) // told by Error below
	}
	write("section", "name", "value", "unit", "note", "formula", "source")
	write("board pack", b.Title, b.Day, "", b.Subtitle, "", "made "+b.At.UTC().Format(time.RFC3339))
	for _, r := range b.Remarks {
		write("remark", r)
	}
	for _, s := range b.Sections {
		for _, f := range s.Figures {
			write(s.Title, f.Name, f.Value, f.Unit, f.Note, f.Formula, f.Source)
		}
		for _, t := range s.Tables {
			head := []string{s.Title}
			for _, h := range t.Head {
				if len(h) > 0 && h[0] == '#' {
					h = h[1:]
				}
				head = append(head, h)
			}
			write(head...)
			for _, r := range t.Rows {
				write(append([]string{s.Title}, r...)...)
			}
		}
		if h := s.Heat; h != nil {
			write(append([]string{s.Title, h.Rows + " \\ " + h.Columns}, h.Column...)...)
			for i, r := range h.Text {
				write(append([]string{s.Title, h.Row[i]}, r...)...)
			}
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("writing the board pack as CSV: %w", err)
	}
	return nil
}

// safeCell keeps a spreadsheet from taking text that people wrote for a formula.
func safeCell(s string) string {
	if s != "" && (s[0] == '=' || s[0] == '@' || s[0] == '\t' || s[0] == '\r' || (s[0] == '+' || s[0] == '-') && !(len(s) > 1 && s[1] >= '0' && s[1] <= '9')) {
		return "'" + s
	}
	return s
}
