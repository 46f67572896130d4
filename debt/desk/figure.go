package desk

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"ballast/unit"
)

// Figure is a number that can be opened: how it is reckoned, from what, from
// where and how old.
type Figure struct {
	Key     string            `json:"key"`
	Name    string            `json:"name"`
	Value   unit.Opt[float64] `json:"value" doc:"Null when it cannot be had, or when it is not finite: then text says what it is."`
	Text    string            `json:"text" doc:"As a person reads it, without its unit; a dash when it cannot be had."`
	Unit    string            `json:"unit"`
	Formula string            `json:"formula,omitempty"`
	With    string            `json:"with,omitempty" doc:"The formula with the numbers put in."`
	Inputs  []Input           `json:"inputs"`
	At      time.Time         `json:"at,omitzero" doc:"Of the oldest input."`
	Missing string            `json:"missing,omitempty" doc:"Why it cannot be had."`
	Note    string            `json:"note,omitempty"`
	Lines   []ClaimMark       `json:"lines,omitempty" doc:"Lines that somebody claims for it."`
}

// Input is one number that a figure is made of.
type Input struct {
	Name   string `json:"name"`
	Text   string `json:"text"`
	Source Source `json:"source"`
	Of     string `json:"of,omitempty" doc:"Key of the figure that it is, when it is one."`
}

// ClaimMark is a line that somebody draws, with whose it is.
type ClaimMark struct {
	At    float64 `json:"at"`
	Over  bool    `json:"over"`
	Claim string  `json:"claim"`
}

const dash = "–"

// figure starts a figure; set or lack ends it.
func figure(key, name, unitName, formula string, inputs ...Input) Figure {
	f := Figure{Key: key, Name: name, Unit: unitName, Formula: formula, Text: dash, Inputs: []Input{}}
	for _, i := range inputs {
		f.Inputs = append(f.Inputs, i)
		if !i.Source.At.IsZero() && (f.At.IsZero() || i.Source.At.Before(f.At)) {
			f.At = i.Source.At
		}
	}
	return f
}

// set gives the figure its value, as text and with the numbers put in.
func (f Figure) set(v float64, text, with string) Figure {
	if !math.IsInf(v, 0) && !math.IsNaN(v) {
		f.Value = unit.Some(v)
	}
	f.Text, f.With = text, with
	return f
}

func (f Figure) lack(why string) Figure {
	f.Missing = why
	return f
}

func (f Figure) noted(format string, args ...any) Figure {
	f.Note = fmt.Sprintf(format, args...)
	return f
}

// as makes a figure an input of another.
func (f Figure) as() Input {
	text := f.Text
	if f.Unit != "" && f.Text != dash {
		text += " " + f.Unit
	}
	return Input{Name: f.Name, Text: text, Of: f.Key, Source: Source{How: Modelled, What: "reckoned, see there", At: f.At}}
}

// grouped writes digits with commas.
func grouped(digits string) string {
	n := len(digits)
	if n <= 3 {
		return digits
	}
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (n-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Full writes an amount to its last minor unit: "$1,234.50", "0.50000000 BTC".
func Full(m unit.Money) string {
	sign, digits := "", strconv.FormatInt(m.Minor, 10)
	if m.Minor < 0 {
		sign, digits = "−", digits[1:]
	}
	places := m.Currency.Digits()
	if len(digits) <= places {
		digits = strings.Repeat("0", places-len(digits)+1) + digits
	}
	whole, rest := digits[:len(digits)-places], digits[len(digits)-places:]
	text := grouped(whole)
	if places > 0 {
		text += "." + rest
	}
	return sign + signed(text, m.Currency)
}

func signed(text string, c unit.Currency) string {
	switch c {
	case unit.USD:
		return "$" + text
	case unit.EUR:
		return "€" + text
	case unit.GBP:
		return "£" + text
	}
	return text + " " + string(c)
}

// Short writes an amount for a page: "$12.35 M", "$8,420".
func Short(m unit.Money) string { return short(m.Float(), m.Currency) }

func short(v float64, c unit.Currency) string {
	sign := ""
	if v < 0 {
		sign, v = "−", -v
	}
	switch {
	case c == unit.BTC:
		return sign + strconv.FormatFloat(v, 'f', 2, 64) + " BTC"
	case v >= 999.5e6:
		return sign + signed(strconv.FormatFloat(v/1e9, 'f', 2, 64)+" B", c)
	case v >= 999.5e3:
		return sign + signed(strconv.FormatFloat(v/1e6, 'f', 2, 64)+" M", c)
	}
	return sign + signed(grouped(strconv.FormatFloat(v, 'f', 0, 64)), c)
}

// plain writes a number with commas and so many decimals.
func plain(v float64, places int) string {
	text := strconv.FormatFloat(math.Abs(v), 'f', places, 64)
	whole, rest, _ := strings.Cut(text, ".")
	out := grouped(whole)
	if rest != "" {
		out += "." + rest
	}
	if v < 0 && strings.Trim(out, "0.,") != "" {
		return "−" + out
	}
	return out
}

// multiple writes a ratio: "1.25", "∞".
func multiple(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "∞"
	case math.IsInf(v, -1):
		return "−∞"
	}
	return plain(v, 2)
}

func percent(v float64) string { return plain(v*100, 1) + " %" }

func hashrate(h unit.Hashrate) string {
	switch {
	case h >= unit.EHs:
		return plain(float64(h/unit.EHs), 3) + " EH/s"
	case h >= unit.PHs:
		return plain(float64(h/unit.PHs), 2) + " PH/s"
	}
	return plain(float64(h), 1) + " TH/s"
}

func hashprice(p unit.Hashprice) string {
	return signed(plain(p.PerPHDay(), 2), p.Currency) + "/PH/day"
}
