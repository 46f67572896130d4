package feed

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	maxRows     = 1_000_000 // of one reply
	maxUnpacked = 256 << 20 // bytes of a member of a zip
	maxMembers  = 1000
)

// table is rows under named columns, whatever they were written in. Names are
// compared without case, spaces and underscores.
type table struct {
	columns map[string]int
	rows    [][]string
}

func plainName(s string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "_", "", "\ufeff", "").Replace(strings.TrimSpace(s)))
}

// column is where the first of some names stands, or -1.
func (t *table) column(names ...string) int {
	for _, n := range names {
		if i, ok := t.columns[plainName(n)]; ok {
			return i
		}
	}
	return -1
}

// need is column for what must be there.
func (t *table) need(names ...string) (int, error) {
	if i := t.column(names...); i >= 0 {
		return i, nil
	}
	var have []string
	for n := range t.columns {
		have = append(have, n)
	}
	slices.Sort(have)
	return -1, fmt.Errorf("%w: no column %s; there are %.200s", ErrFormat, names[0], strings.Join(have, ", "))
}

func cell(row []string, i int) string {
	if i < 0 || i >= len(row) {
		return ""
	}
	return row[i]
}

func header(names []string) map[string]int {
	out := map[string]int{}
	for i, n := range names {
		if n = plainName(n); n != "" {
			if _, taken := out[n]; !taken {
				out[n] = i
			}
		}
	}
	return out
}

// csvTable reads CSV with a header line. A row that breaks off is left out.
func csvTable(body []byte, comma rune, skip int, b *Batch) (*table, error) {
	for range skip {
		i := bytes.IndexByte(body, '\n')
		if i < 0 {
			return nil, fmt.Errorf("%w: fewer than %d lines", ErrFormat, skip)
		}
		body = body[i+1:]
	}
	r := csv.NewReader(bytes.NewReader(body))
	r.Comma = comma
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	names, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%w: no header line: %w", ErrFormat, err)
	}
	t := &table{columns: header(names)}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			b.problem("%v", err)
			if len(row) == 0 {
				return t, nil // the reader cannot go on behind an open quote
			}
			continue
		}
		if len(t.rows) == maxRows {
			b.problem("more than %d rows: the rest is left out", maxRows)
			return t, nil
		}
		if len(row) < len(names) {
			b.problem("row %d has %d of %d columns", len(t.rows)+1, len(row), len(names))
			continue
		}
		t.rows = append(t.rows, row)
	}
}

// unzip gives the members of an archive whose names end so, or the body itself
// when it is no archive.
func unzip(body []byte, endings ...string) (map[string][]byte, error) {
	if !bytes.HasPrefix(body, []byte("PK\x03\x04")) {
		return map[string][]byte{"": body}, nil
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, fmt.Errorf("%w: opening the archive: %w", ErrFormat, err)
	}
	out := map[string][]byte{}
	left := int64(maxUnpacked)
	for _, f := range z.File[:min(len(z.File), maxMembers)] {
		if !slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(strings.ToLower(f.Name), e) }) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("%w: opening %.80q: %w", ErrFormat, f.Name, err)
		}
		b, err := io.ReadAll(io.LimitReader(r, left+1))
		_ = r.Close()
		if err != nil {
			return nil, fmt.Errorf("%w: unpacking %.80q: %w", ErrFormat, f.Name, err)
		}
		if left -= int64(len(b)); left < 0 {
			return nil, fmt.Errorf("%w: the archive unpacks to more than %d MB", ErrFormat, maxUnpacked>>20)
		}
		out[f.Name] = b
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: the archive has no %s", ErrFormat, strings.Join(endings, " or "))
	}
	return out, nil
}

// noPage refuses a web page: what operators' gateways send with status 200 when
// something behind them is down.
func noPage(body []byte) error {
	head := bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(body[:min(len(body), 512)], []byte("\xef\xbb\xbf"))))
	if bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html")) {
		return fmt.Errorf("%w: a web page", ErrFormat)
	}
	if len(head) == 0 {
		return fmt.Errorf("%w: an empty reply", ErrFormat)
	}
	return nil
}

// text is a JSON value as a cell, digits as they were written.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}
