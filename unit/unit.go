// Package unit gives the quantities of a mining company their own types, so
// that a hashrate can never be added to a power and a price never loses its
// currency.
//
// Three kinds of quantity live here:
//
//   - Physical quantities ([Hashrate], [Power], [Energy], [Efficiency],
//     [Temperature], ...) are float64 in one base unit, named in the type's
//     comment. They parse and print with SI prefixes; a printed value parses
//     back to the same bits ("exact" means: one correctly rounded step from the
//     decimal text to the float, never a chain of multiplications).
//   - Money and prices ([Money], [EnergyPrice], [Hashprice]) are integers with
//     a currency: minor units for money, millionths for prices.
//   - [Opt] carries a value that may be missing. Missing is never zero.
package unit

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// ErrSyntax reports text that is no quantity, or a quantity of another kind.
var ErrSyntax = errors.New("not a valid quantity")

// symbol is one way to write a quantity: its suffix and its size in base units
// as num/den (exact).
type symbol struct {
	text string
	num  float64 // exactly representable
	den  float64 // exactly representable; 0 means 1
}

func (s symbol) rat() *big.Rat {
	r := new(big.Rat).SetFloat64(s.num)
	if s.den != 0 {
		r.Quo(r, new(big.Rat).SetFloat64(s.den))
	}
	return r
}

// scale is the family of symbols of one quantity, largest first; the first
// symbol not larger than the value prints it.
type scale struct {
	what    string // "hashrate": for errors
	example string // "110TH/s": for errors
	symbols []symbol
	base    string // the symbol to print zero with
}

func (sc scale) find(text string) (symbol, bool) {
	for _, s := range sc.symbols {
		if s.text == text {
			return s, true
		}
	}
	// Case is significant only where it changes the meaning (m and M), so a
	// second, case-folded pass accepts "th/s" and "KW".
	var hit symbol
	n := 0
	for _, s := range sc.symbols {
		if strings.EqualFold(s.text, text) {
			hit = s
			n++
		}
	}
	return hit, n == 1
}

// parse reads "<decimal><space?><symbol>" into base units with a single
// rounding.
func (sc scale) parse(text string) (float64, error) {
	number, suffix := splitNumber(strings.TrimSpace(text))
	sym, ok := sc.find(suffix)
	if number == "" || !ok {
		return 0, fmt.Errorf("%q: %w: want a %s such as %q", text, ErrSyntax, sc.what, sc.example)
	}
	r, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, fmt.Errorf("%q: %w: %q is no number", text, ErrSyntax, number)
	}
	v, _ := r.Mul(r, sym.rat()).Float64()
	if math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q: %w: too large", text, ErrSyntax)
	}
	return v, nil
}

// format prints v (base units) with the largest symbol that leaves at least 1
// before the point, as the shortest decimal that parses back to v.
func (sc scale) format(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'f', -1, 64) + sc.base
	}
	sym := sc.symbols[len(sc.symbols)-1]
	for _, s := range sc.symbols {
		size, _ := s.rat().Float64()
		if math.Abs(v) >= size {
			sym = s
			break
		}
	}
	return sc.shortest(v, sym) + sym.text
}

// shortest finds the shortest decimal d for which parse(d+symbol) gives v.
func (sc scale) shortest(v float64, sym symbol) string {
	exact := new(big.Rat).SetFloat64(v)
	in := exact.Quo(exact, sym.rat())
	f, _ := in.Float64()
	size := sym.rat()
	for prec := 1; prec <= 20; prec++ {
		text := strconv.FormatFloat(f, 'g', prec, 64)
		if prec > 17 {
			text = bigDecimal(in, prec)
		}
		r, ok := new(big.Rat).SetString(text)
		if !ok {
			continue
		}
		if back, _ := r.Mul(r, size).Float64(); back == v {
			return plainDecimal(text)
		}
	}
	return plainDecimal(strconv.FormatFloat(f, 'g', -1, 64))
}

func bigDecimal(r *big.Rat, digits int) string {
	return new(big.Float).SetPrec(200).SetRat(r).Text('g', digits)
}

// plainDecimal turns "1.1e+02" into "110".
func plainDecimal(text string) string {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return text
	}
	n, _ := r.FloatPrec()
	return r.FloatString(n)
}

// splitNumber separates the leading decimal of s from the rest.
func splitNumber(s string) (number, rest string) {
	i := 0
	for i < len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c == '.', (c == '-' || c == '+') && i == 0:
			i++
			continue
		case (c == 'e' || c == 'E') && i > 0 && exponentFollows(s[i+1:]):
			i++
			if s[i] == '-' || s[i] == '+' {
				i++
			}
			continue
		}
		break
	}
	number = s[:i]
	if strings.Trim(number, "+-.") == "" {
		return "", s
	}
	return number, strings.TrimSpace(s[i:])
}

func exponentFollows(s string) bool {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n > 0 && n < 4
}
