package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// Shape declares how times and values stand in CSV or JSON of any make.
type Shape struct {
	Rows      string  `yaml:"rows"`      // JSON: the path of the list of rows; empty is the document itself
	Delimiter string  `yaml:"delimiter"` // CSV: what separates columns; "," when empty
	Skip      int     `yaml:"skip"`      // CSV: lines before the header
	Time      string  `yaml:"time"`      // column, or path within a row, of the interval's time
	Date      string  `yaml:"date"`      // of the day, when Time is the time of day only
	Layout    string  `yaml:"layout"`    // "rfc3339" (default), "unix", "unix-ms", or as Go writes it: "2006-01-02 15:04"; with Date, both joined by a space
	Zone      string  `yaml:"zone"`      // IANA, for layouts without an offset; UTC when empty
	Ends      bool    `yaml:"ends"`      // the time is the interval's end
	Value     string  `yaml:"value"`     // column or path
	Scale     string  `yaml:"scale"`     // values times this are in the series' unit: "1000" for prices per kWh; "1" when empty
	Comma     bool    `yaml:"comma"`     // decimals are written "42,10"
	Where     []Match `yaml:"where"`     // what a row must have to count
}

// Match is a column or path that must have a value.
type Match struct {
	Name string `yaml:"name"`
	Is   string `yaml:"is"`
}

// Generic is a series in CSV or JSON at an address.
type Generic struct {
	Label  string
	Of     Series
	JSON   bool
	URL    string // "{from}" and "{to}" are replaced by times, "{from:20060102}" in that layout
	Shape  Shape
	Header map[string]string // "Authorization"
}

// Name implements Feed.
func (f *Generic) Name() string { return cmp.Or(f.Label, f.Of.Name) }

// Series implements Feed.
func (f *Generic) Series() []Series { return []Series{f.Of} }

// Check tells what is wrong with the declaration.
func (f *Generic) Check() error {
	_, err := f.Shape.reader(f.Of.Interval)
	if err != nil {
		return err
	}
	address, err := f.address(Ask{From: time.Unix(0, 0), To: time.Unix(0, 0)})
	if err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("want an address that begins with http:// or https://")
	}
	return nil
}

// Fetch implements Feed.
func (f *Generic) Fetch(ctx context.Context, web *Web, ask Ask) (Batch, error) {
	address, err := f.address(ask)
	if err != nil {
		return Batch{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Batch{}, errors.Join(ErrRefused, bare(err))
	}
	for k, v := range f.Header {
		req.Header.Set(k, v)
	}
	reply, err := web.Get(ctx, req, ask.Fresh)
	if err != nil {
		return Batch{}, err
	}
	b, err := f.Parse(reply.Body)
	if err != nil {
		return b, err
	}
	for i := range b.Points {
		b.Points[i].Published = reply.Modified
	}
	reply.Keep()
	return b, nil
}

// address fills the times into the URL.
func (f *Generic) address(ask Ask) (string, error) {
	loc, err := zone(f.Shape.Zone)
	if err != nil {
		return "", err
	}
	out := f.URL
	for name, t := range map[string]time.Time{"from": ask.From, "to": ask.To} {
		for {
			i := strings.Index(out, "{"+name)
			if i < 0 {
				break
			}
			n := strings.IndexByte(out[i:], '}')
			if n < 0 {
				return "", fmt.Errorf("the address has a { without its }")
			}
			layout, given := strings.CutPrefix(out[i+1+len(name):i+n], ":")
			text := t.UTC().Format(time.RFC3339)
			switch {
			case given && layout == "unix":
				text = strconv.FormatInt(t.Unix(), 10)
			case given && layout == "unix-ms":
				text = strconv.FormatInt(t.UnixMilli(), 10)
			case given:
				text = t.In(loc).Format(layout)
			case layout != "":
				return "", fmt.Errorf("want {%s} or {%s:layout} in the address", name, name)
			}
			if strings.Contains(text, "{"+name) {
				return "", fmt.Errorf("the layout of {%s} names itself", name)
			}
			out = out[:i] + url.QueryEscape(text) + out[i+n+1:]
		}
	}
	return out, nil
}

func zone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("%.60q: want an IANA time zone such as %q", name, "America/Chicago")
	}
	return loc, nil
}

// Parse reads a reply.
func (f *Generic) Parse(body []byte) (Batch, error) {
	var b Batch
	if err := noPage(body); err != nil {
		return b, err
	}
	r, err := f.Shape.reader(f.Of.Interval)
	if err != nil {
		return b, err
	}
	r.series = f.Of.Name
	if f.JSON {
		return b, r.json(body, &b)
	}
	files, err := unzip(body, ".csv", ".txt")
	if err != nil {
		return b, err
	}
	for _, name := range sortedKeys(files) {
		if err := r.csv(files[name], &b); err != nil {
			return b, err
		}
	}
	return b, nil
}

// rowReader turns rows into points. It is used for one reply.
type rowReader struct {
	Shape
	series string
	step   time.Duration
	loc    *time.Location
	scale  *big.Rat
	comma  rune
	before time.Time // the instant of the row before: the clock may show an hour twice
}

func (s Shape) reader(step time.Duration) (*rowReader, error) {
	r := &rowReader{Shape: s, step: step, scale: big.NewRat(1, 1), comma: ','}
	var err error
	if r.loc, err = zone(s.Zone); err != nil {
		return nil, err
	}
	if s.Time == "" || s.Value == "" {
		return nil, errors.New("want the names of the time and of the value")
	}
	if step < time.Minute || step > 24*time.Hour {
		return nil, fmt.Errorf("an interval of %v", step)
	}
	if s.Scale != "" {
		v, err := micro(s.Scale)
		if err != nil || v == 0 {
			return nil, fmt.Errorf("scale %.40q: want a number such as 1000", s.Scale)
		}
		r.scale = big.NewRat(v, 1_000_000)
	}
	if s.Delimiter != "" {
		d := []rune(strings.ReplaceAll(s.Delimiter, `\t`, "\t"))
		if len(d) != 1 || d[0] == '"' || d[0] == '\n' || d[0] == '\r' || d[0] == 0xFFFD {
			return nil, fmt.Errorf("delimiter %.10q: want one character", s.Delimiter)
		}
		r.comma = d[0]
	}
	if s.Skip < 0 || s.Skip > 1000 {
		return nil, fmt.Errorf("%d lines before the header", s.Skip)
	}
	return r, nil
}

func (r *rowReader) csv(body []byte, b *Batch) error {
	t, err := csvTable(body, r.comma, r.Skip, b)
	if err != nil {
		return err
	}
	at, err1 := t.need(r.Time)
	value, err2 := t.need(r.Value)
	date := -1
	var err3 error
	if r.Date != "" {
		date, err3 = t.need(r.Date)
	}
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	where := map[int]string{}
	for _, m := range r.Where {
		i, err := t.need(m.Name)
		if err != nil {
			return err
		}
		where[i] = m.Is
	}
rows:
	for i, row := range t.rows {
		for c, want := range where {
			if strings.TrimSpace(cell(row, c)) != want {
				continue rows
			}
		}
		r.row(i, cell(row, date), cell(row, at), cell(row, value), b)
	}
	return b.none(len(t.rows))
}

func (r *rowReader) json(body []byte, b *Batch) error {
	if !gjson.ValidBytes(body) {
		return fmt.Errorf("%w: no JSON", ErrFormat)
	}
	rows := gjson.ParseBytes(body)
	if r.Rows != "" {
		rows = rows.Get(r.Rows)
	}
	if !rows.IsArray() {
		return fmt.Errorf("%w: no list of rows at %.60q", ErrFormat, r.Rows)
	}
	n := 0
	rows.ForEach(func(_, row gjson.Result) bool {
		if n++; n > maxRows {
			b.problem("more than %d rows: the rest is left out", maxRows)
			return false
		}
		for _, m := range r.Where {
			if row.Get(m.Name).String() != m.Is {
				return true
			}
		}
		date := ""
		if r.Date != "" {
			date = plain(row.Get(r.Date))
		}
		r.row(n-1, date, plain(row.Get(r.Time)), plain(row.Get(r.Value)), b)
		return true
	})
	return b.none(n)
}

// plain is a JSON value with the digits it was written with.
func plain(v gjson.Result) string {
	if v.Type == gjson.Number {
		return v.Raw
	}
	if v.Type == gjson.Null {
		return ""
	}
	return v.String()
}

func (r *rowReader) row(i int, date, at, value string, b *Batch) {
	if strings.TrimSpace(value) == "" {
		return // an interval without a value is missing, not wrong
	}
	start, err := r.when(date, at)
	if err == nil {
		r.before = start
		if r.Ends {
			start = start.Add(-r.step)
		}
		if r.Comma {
			value = strings.Replace(strings.ReplaceAll(value, ".", ""), ",", ".", 1)
		}
		var v int64
		if v, err = micro(value); err == nil {
			if v, err = microOf(new(big.Rat).Mul(big.NewRat(v, 1_000_000), r.scale)); err == nil {
				b.Points = append(b.Points, Point{Series: r.series, Start: start, Length: r.step, Micro: v})
				return
			}
		}
	}
	b.problem("row %d: %v", i+1, err)
}

func (r *rowReader) when(date, at string) (time.Time, error) {
	s := strings.TrimSpace(at)
	if r.Date != "" {
		s = strings.TrimSpace(date) + " " + s
	}
	switch r.Layout {
	case "", "rfc3339":
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return t, fmt.Errorf("%.40q is no time", s)
		}
		return t.UTC(), years(t)
	case "unix", "unix-ms":
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n > 1<<43 || n < 0 {
			return time.Time{}, fmt.Errorf("%.40q is no time", s)
		}
		t := time.Unix(n, 0).UTC()
		if r.Layout == "unix-ms" {
			t = time.UnixMilli(n).UTC()
		}
		return t, years(t)
	}
	return r.local(s)
}

// local reads a time of the declared zone. Of an hour that the clock shows twice
// the second is meant when the rows before have reached the first.
func (r *rowReader) local(s string) (time.Time, error) {
	// "24:00" is the midnight after.
	late := false
	if i := strings.LastIndex(s, "24:00"); i >= 0 && strings.Contains(r.Layout, "15:04") {
		s, late = s[:i]+"00:00"+s[i+len("24:00"):], true
	}
	t, err := time.Parse(r.Layout, s)
	if err != nil {
		return t, fmt.Errorf("%.40q is no time as %q", s, r.Layout)
	}
	if err := years(t); err != nil {
		return t, err
	}
	if strings.Contains(r.Layout, "Z07") || strings.Contains(r.Layout, "-07") {
		return t.UTC(), nil // it has its offset
	}
	if late {
		t = t.AddDate(0, 0, 1)
	}
	y, m, d := t.Date()
	found := wall(y, m, d, t.Hour(), t.Minute(), r.loc)
	switch {
	case len(found) == 0:
		return t, fmt.Errorf("%s does not exist: the clock skips it", s)
	case len(found) == 2 && !r.before.IsZero() && !r.before.Before(found[0]) && r.before.Before(found[1]):
		return found[1], nil
	}
	return found[0], nil
}
