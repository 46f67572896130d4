package metering

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decode turns what spreadsheets write into UTF-8.
func decode(data []byte) ([]byte, error) {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return nil, fmt.Errorf("it is empty: %w", ErrFormat)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return nil, fmt.Errorf("it is a spreadsheet or an archive: save the sheet as CSV, or unpack it: %w", ErrFormat)
	case bytes.HasPrefix(data, []byte("%PDF")):
		return nil, fmt.Errorf("it is a PDF: ask the utility for interval data as CSV or Green Button: %w", ErrFormat)
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		big := data[0] == 0xfe
		data = data[2:]
		words := make([]uint16, len(data)/2)
		for i := range words {
			a, b := uint16(data[2*i]), uint16(data[2*i+1])
			if big {
				a, b = b, a
			}
			words[i] = a | b<<8
		}
		return []byte(string(utf16.Decode(words))), nil
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.IndexByte(data, 0) >= 0 {
		return nil, fmt.Errorf("it is no text: %w", ErrFormat)
	}
	if !utf8.Valid(data) { // Windows-1252: only names have such letters
		out := make([]rune, 0, len(data))
		for _, c := range data {
			out = append(out, rune(c))
		}
		return []byte(string(out)), nil
	}
	return data, nil
}

// row is a line of a table.
type row struct {
	line  int
	cells []string
}

func (r *row) cell(i int) string {
	if i < 0 || i >= len(r.cells) {
		return ""
	}
	return r.cells[i]
}

// delimiter is what parts the columns: of the usual ones that which most lines
// have most of.
func delimiter(text []byte) rune {
	best, most := ',', 0
	for _, d := range []rune{',', ';', '\t', '|'} {
		n := 0
		for i, line := range bytes.Split(text[:min(len(text), 64<<10)], []byte("\n")) {
			if i == 60 {
				break
			}
			n += min(strings.Count(string(line), string(d)), 120)
		}
		if d == ',' {
			n /= 2 // a decimal comma is no delimiter
		}
		if n > most {
			best, most = d, n
		}
	}
	return best
}

// rows splits a text into its lines.
func rows(text []byte) ([]row, rune, error) {
	in := csv.NewReader(bytes.NewReader(text))
	in.Comma = delimiter(text)
	in.FieldsPerRecord, in.LazyQuotes, in.ReuseRecord = -1, true, false
	var out []row
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			return out, in.Comma, nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%w: %w", err, ErrFormat)
		}
		line, _ := in.FieldPos(0)
		empty := true
		for i := range cells {
			cells[i] = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(cells[i]), "'"))
			empty = empty && cells[i] == ""
		}
		if !empty && !strings.HasPrefix(cells[0], "#") {
			out = append(out, row{line, cells})
		}
		if len(out) > maxReadings+1000 {
			return nil, 0, fmt.Errorf("it has more than %d lines: split it: %w", maxReadings, ErrFormat)
		}
	}
}

// readTable reads CSV: it finds the head, and then either a row an interval or a
// row a day.
func (f *File) readTable(text []byte) error {
	all, comma, err := rows(text)
	if err != nil {
		return err
	}
	for i := 0; i < min(len(all), 60); i++ {
		c := columnsOf(all[i].cells, f.award)
		switch {
		case c.good():
			f.Format = "CSV, a row an interval"
			f.remark("the head is line %d; %s", all[i].line, c.said(all[i].cells))
			return f.readRows(c, all[i], all[i+1:], comma != ',')
		case c.wide():
			f.Format = fmt.Sprintf("CSV, a row a day with %d columns", len(c.slots))
			f.remark("the head is line %d; %d columns from %q to %q", all[i].line, len(c.slots), clip(all[i].cells[c.slots[0].at]), clip(all[i].cells[c.slots[len(c.slots)-1].at]))
			return f.readDays(c, all[i], all[i+1:], comma != ',')
		}
	}
	want := "a column with times (start, end, or date and hour ending) and one with kWh, MWh or kW"
	if f.award {
		want = "a column with times (start, or date and hour ending) and one with MW or MWh"
	}
	f.Format = "CSV"
	f.problem(0, "", "give the columns a first line with their names", "no line names %s", want)
	return nil
}
