// Package sheet turns a file that people keep figures in, CSV or a spreadsheet
// (.xlsx), into the lines of CSV that the importers read, and makes templates in
// both. Row numbers stay those that the person sees in front of them.
package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// ErrInvalid reports a file that is neither.
var ErrInvalid = errors.New("is neither CSV nor a spreadsheet (.xlsx)")

// Bounds of a file: what a page may send, and what it may unfold to.
const (
	mostBytes   = 8 << 20
	mostRows    = 10_000
	mostColumns = 200
	mostCell    = 2000
)

// CSV is the file's lines. Of a spreadsheet it is the sheet called name, or the
// first. Cells of the columns in dates that hold a spreadsheet's day number
// become 2026-06-30; a number is written with the 15 digits that a spreadsheet
// has, whatever its format on the screen.
func CSV(file []byte, name string, dates []string) (text string, err error) {
	if len(file) > mostBytes {
		return "", fmt.Errorf("the file has %d bytes, at most %d: %w", len(file), mostBytes, ErrInvalid)
	}
	if !bytes.HasPrefix(file, []byte("PK")) {
		if !utf8.Valid(file) || bytes.IndexByte(file, 0) >= 0 {
			return "", fmt.Errorf("the file %w: save it as CSV in UTF-8, or as .xlsx", ErrInvalid)
		}
		return string(file), nil
	}
	// The library panics on some damaged files; a file from outside must not.
	defer func() {
		if p := recover(); p != nil {
			text, err = "", fmt.Errorf("the spreadsheet is damaged: %w", ErrInvalid)
		}
	}()
	return unfold(file, name, dates)
}

func unfold(file []byte, name string, dates []string) (string, error) {
	book, err := excelize.OpenReader(bytes.NewReader(file), excelize.Options{RawCellValue: true, UnzipSizeLimit: 64 << 20, UnzipXMLSizeLimit: 32 << 20})
	if err != nil {
		return "", fmt.Errorf("the spreadsheet cannot be opened: %w: %w", ErrInvalid, err)
	}
	defer func() { _ = book.Close() }()
	sheets := book.GetSheetList()
	if len(sheets) == 0 {
		return "", fmt.Errorf("the spreadsheet has no sheet: %w", ErrInvalid)
	}
	at := sheets[0]
	for _, s := range sheets {
		if strings.EqualFold(s, name) {
			at = s
		}
	}
	since1904 := false
	if p, err := book.GetWorkbookProps(); err == nil && p.Date1904 != nil {
		since1904 = *p.Date1904
	}
	rows, err := book.Rows(at)
	if err != nil {
		return "", fmt.Errorf("the sheet %s cannot be read: %w: %w", at, ErrInvalid, err)
	}
	defer func() { _ = rows.Close() }()
	var out strings.Builder
	var head []string
	blank := 0 // lines that hold nothing, not written yet
	for n := 1; rows.Next(); n++ {
		if n > mostRows {
			return "", fmt.Errorf("the sheet %s has more than %d rows: %w", at, mostRows, ErrInvalid)
		}
		cells, err := rows.Columns()
		if err != nil {
			return "", fmt.Errorf("row %d of the sheet %s cannot be read: %w: %w", n, at, ErrInvalid, err)
		}
		if len(cells) > mostColumns {
			return "", fmt.Errorf("row %d of the sheet %s has more than %d columns: %w", n, at, mostColumns, ErrInvalid)
		}
		for i := range cells {
			cells[i] = clean(cells[i])
		}
		if strings.Join(cells, "") == "" {
			blank++
			continue
		}
		if head == nil {
			for _, c := range cells {
				head = append(head, strings.ToLower(c))
			}
		} else {
			for i := range cells {
				cells[i] = number(cells[i], i < len(head) && slices.Contains(dates, head[i]), since1904)
			}
		}
		out.WriteString(strings.Repeat("\n", blank))
		blank = 0
		w := csv.NewWriter(&out)
		if err := w.Write(cells); err != nil {
			return "", err
		}
		w.Flush()
	}
	if err := rows.Error(); err != nil {
		return "", fmt.Errorf("the sheet %s cannot be read: %w: %w", at, ErrInvalid, err)
	}
	return out.String(), nil
}

// clean makes one line of a cell.
func clean(s string) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(strings.ReplaceAll(s, "\x00", "")), " "), "\uFFFD")
	if len(s) > mostCell {
		s = strings.ToValidUTF8(s[:mostCell], "")
	}
	return s
}

// number writes what a spreadsheet keeps as a binary number in 15 digits: it
// knows no more, and 0.115 is kept as 0.11500000000000001.
func number(s string, date, since1904 bool) string {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return s
	}
	if date && v > 1 && v < 200_000 {
		t, err := excelize.ExcelDateToTime(math.Floor(v), since1904)
		if err == nil {
			return t.Format("2006-01-02")
		}
	}
	if !strings.ContainsAny(s, ".eE") {
		return s // whole as it stands: ids may have leading zeros
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64)
	if err != nil {
		return s
	}
	return strconv.FormatFloat(short, 'f', -1, 64)
}

// Template makes a file with the names of columns and some lines below: as CSV,
// or as a spreadsheet whose sheet is called name.
func Template(columns []string, lines [][]string, name string, spreadsheet bool) ([]byte, error) {
	all := append([][]string{columns}, lines...)
	if !spreadsheet {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		if err := w.WriteAll(all); err != nil {
			return nil, err
		}
		return b.Bytes(), nil
	}
	book := excelize.NewFile()
	defer func() { _ = book.Close() }()
	if err := book.SetSheetName("Sheet1", name); err != nil {
		return nil, fmt.Errorf("naming the sheet: %w", err)
	}
	for i, cells := range all {
		at, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return nil, err
		}
		// As text: a person's spreadsheet must not turn 2026-06-30 or 11.5% into
		// something of its own.
		row := make([]any, len(cells))
		for j, c := range cells {
			row[j] = c
		}
		if err := book.SetSheetRow(name, at, &row); err != nil {
			return nil, fmt.Errorf("writing the sheet: %w", err)
		}
	}
	last, err := excelize.ColumnNumberToName(max(1, len(columns)))
	if err != nil {
		return nil, err
	}
	bold, err := book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(book.SetColWidth(name, "A", last, 16), book.SetCellStyle(name, "A1", last+"1", bold), book.SetPanes(name, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})); err != nil {
		return nil, fmt.Errorf("laying out the sheet: %w", err)
	}
	b, err := book.WriteToBuffer()
	if err != nil {
		return nil, fmt.Errorf("writing the spreadsheet: %w", err)
	}
	return b.Bytes(), nil
}
