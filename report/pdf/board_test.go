package pdf

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"os"

	"ballast/report"
)

func board() *report.Board {
	b := &report.Board{Title: "Łódź 北 Mining", Subtitle: "amounts in USD", Day: "2026-11-22", At: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Remarks: []string{strings.Repeat("A long remark that takes more than one line. ", 6)}}
	rows := [][]string{}
	for range 90 {
		rows = append(rows, []string{"a facility", "1,000.00"})
	}
	b.Sections = []report.Section{
		{Title: "Figures", Figures: []report.BoardFigure{{Name: "Cover", Value: "1.25", Note: "a year"}, {Name: "Runway", Value: "∞", Unit: "months"}, {Name: "Missing", Value: "–", Note: "no price"}, {Name: "Fourth", Value: "4"}}},
		{Title: "Wall", Bars: &report.Bars{Labels: []string{"Jan", "Feb"}, Names: []string{"a", "b"}, Values: [][]float64{{1e6, 0}, {2e6, 5}}, Line: 2.5e6, Says: "liquidity"}},
		{Title: "Cash", Curve: &report.Curve{Labels: []string{"1", "2"}, In: []float64{10, 20}, Out: []float64{40, 5}, End: []float64{-20, -5}, Floor: 8}},
		{Title: "Heat", Heat: &report.HeatTable{Rows: "difficulty", Columns: "bitcoin", Row: []string{"100 T"}, Column: []string{"$1", "$2"}, Text: [][]string{{"0.5", "1.5"}}, Good: [][]float64{{-1, 0.5}}}},
		{Title: "Table", NewPage: true, Tables: []report.BoardTable{{Head: []string{"Facility", "#Owed"}, Rows: rows, Bold: map[int]bool{89: true}}}},
		{Title: "Nothing", Text: []string{"There is nothing."}},
	}
	return b
}

func TestWriteBoard(t *testing.T) {
	var one, two bytes.Buffer
	if err := WriteBoard(&one, board()); err != nil {
		t.Fatal(err)
	}
	if err := WriteBoard(&two, board()); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Errorf("the same board pack is not the same bytes: %v", err)
	}
	if err := WriteBoard(&two, &report.Board{Title: "Empty"}); err != nil {
		t.Error(err)
	}
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Skip("no pdftotext")
	}
	file := filepath.Join(t.TempDir(), "b.pdf")
	if err := os.WriteFile(file, one.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command(tool, "-layout", file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Łódź", "1.25", "months", "liquidity", "0.5", "a facility", "There is nothing.", "page 1 of"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in the document", want)
		}
	}
	if n := strings.Count(string(text), "a facility"); n != 90 {
		t.Errorf("%d rows of 90", n)
	}
}

func TestWriteBoardCSV(t *testing.T) {
	var b bytes.Buffer
	x := board()
	x.Title = "=HYPERLINK(1)"
	if err := report.WriteBoardCSV(&b, x); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"'=HYPERLINK(1)", "Figures,Cover,1.25", "Table,Facility,Owed", "Heat,100 T,0.5,1.5"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%.600s", want, b.String())
		}
	}
}
