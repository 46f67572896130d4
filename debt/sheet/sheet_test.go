package sheet_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"ballast/debt/sheet"
)

func TestCSVPassesThrough(t *testing.T) {
	text, err := sheet.CSV([]byte("a,b\n1,2\n"), "", nil)
	if err != nil || text != "a,b\n1,2\n" {
		t.Errorf("%q, %v", text, err)
	}
	for name, file := range map[string][]byte{"binary": {0xff, 0xfe, 0, 1}, "nul": []byte("a\x00b"), "a zip of nothing": []byte("PK\x03\x04rubbish"), "too long": bytes.Repeat([]byte("x"), 9<<20)} {
		if text, err := sheet.CSV(file, "", nil); !errors.Is(err, sheet.ErrInvalid) || text != "" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

// What a person's spreadsheet holds comes out as the importers want it: dates
// that were typed as dates, numbers without binary dust, rows where they stand.
func TestSpreadsheet(t *testing.T) {
	f := excelize.NewFile()
	defer f.Close()
	set := func(cell string, v any) {
		if err := f.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	for i, v := range []any{"id", "drawn", "rate", "principal", "note"} {
		cell, _ := excelize.CoordinatesToCellName(i+1, 2) // under a blank row
		set(cell, v)
	}
	set("A4", "007")
	set("B4", 46037) // 2026-01-15
	set("C4", 0.1+0.015)
	set("D4", 35_000_000.5)
	set("E4", "two\nlines, with a comma")
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	text, err := sheet.CSV(b.Bytes(), "facilities", []string{"drawn"})
	want := "\nid,drawn,rate,principal,note\n\n007,2026-01-15,0.115,35000000.5,\"two lines, with a comma\"\n"
	if err != nil || text != want {
		t.Errorf("%q, %v\nwant %q", text, err, want)
	}
}

func TestTemplate(t *testing.T) {
	lines := [][]string{{"a", "2026-01-15", "11.5%"}, {"b", "", "0.05"}}
	for _, spreadsheet := range []bool{false, true} {
		b, err := sheet.Template([]string{"id", "drawn", "rate"}, lines, "facilities", spreadsheet)
		if err != nil {
			t.Fatal(err)
		}
		text, err := sheet.CSV(b, "facilities", []string{"drawn"})
		if err != nil || text != "id,drawn,rate\na,2026-01-15,11.5%\nb,,0.05\n" {
			t.Errorf("%q, %v", text, err)
		}
	}
}

func FuzzCSV(f *testing.F) {
	b, err := sheet.Template([]string{"id", "drawn"}, [][]string{{"a", "2026-01-15"}}, "x", true)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("a,b\n1,2\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		text, err := sheet.CSV(file, "x", []string{"drawn"})
		if err != nil && (text != "" || !errors.Is(err, sheet.ErrInvalid)) {
			t.Fatalf("%q, %v", text, err)
		}
		if strings.ContainsRune(text, 0) {
			t.Fatal("NUL")
		}
	})
}
