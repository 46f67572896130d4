package metering

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// amount is a number as it stands in a file: an exact decimal.
func amount(text string, comma bool) (*big.Rat, error) {
	s := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\u00a0', '\u202f', '\'', '_':
			return -1
		case '\u2212':
			return '-'
		}
		return r
	}, text)
	negative := strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") // as accountants write it
	if negative {
		s = s[1 : len(s)-1]
	}
	if comma {
		s = strings.ReplaceAll(s, ".", "")
		s = strings.ReplaceAll(s, ",", ".")
	} else {
		s = strings.ReplaceAll(s, ",", "")
	}
	bad := fmt.Errorf("%q is no number", clip(text))
	mantissa, power, found := strings.Cut(strings.ToLower(s), "e")
	digits := 0
	for i, c := range mantissa {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.', (c == '-' || c == '+') && i == 0:
		default:
			return nil, bad
		}
	}
	if digits == 0 || digits > 30 || found && (len(power) == 0 || len(strings.TrimLeft(power, "+-0")) > 2) {
		return nil, bad
	}
	v, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, bad
	}
	if negative {
		v.Neg(v)
	}
	return v, nil
}

// hasDecimalComma tells whether numbers of a file have a comma for the decimal
// point: "1.234,5". Only where the columns are not parted by commas.
func hasDecimalComma(cells []string) bool {
	for _, c := range cells {
		point, comma := strings.LastIndexByte(c, '.'), strings.LastIndexByte(c, ',')
		switch {
		case comma < 0 && point >= 0:
			return false
		case comma >= 0 && point > comma:
			return false
		case comma >= 0 && (point >= 0 || len(c)-comma-1 != 3 || strings.Count(c, ",") == 1 && strings.HasPrefix(c, "0,")):
			return true
		}
	}
	return len(cells) > 0
}

// joulesIn are the joules of one of a unit; powers are over an interval.
func joulesIn(unit string, over time.Duration) *big.Rat {
	seconds := int64(over / time.Second)
	switch unit {
	case "Wh":
		return big.NewRat(3_600, 1)
	case "kWh":
		return big.NewRat(3_600_000, 1)
	case "MWh":
		return big.NewRat(3_600_000_000, 1)
	case "kW":
		return big.NewRat(1_000*seconds, 1)
	}
	return big.NewRat(1_000_000*seconds, 1) // MW
}

// maxWatts is more than any site draws.
const maxWatts = 100_000_000_000

// value is a number in a unit over an interval: joules, or watts of an award,
// rounded half to even.
func (f *File) value(v *big.Rat, unit string, over time.Duration) (int64, error) {
	joules := new(big.Rat).Mul(v, joulesIn(unit, over))
	most := big.NewRat(maxWatts*int64(over/time.Second), 1)
	if new(big.Rat).Abs(joules).Cmp(most) > 0 {
		return 0, fmt.Errorf("%s %s in %v is more than a site can draw", clip(v.FloatString(3)), unit, over)
	}
	if f.award {
		joules.Quo(joules, big.NewRat(int64(over/time.Second), 1))
	}
	return halfEven(joules), nil
}

func halfEven(v *big.Rat) int64 {
	q, m := new(big.Int).DivMod(v.Num(), v.Denom(), new(big.Int))
	switch m.Lsh(m, 1).Cmp(v.Denom()) {
	case 1:
		q.Add(q, big.NewInt(1))
	case 0:
		q.Add(q, new(big.Int).And(q, big.NewInt(1)))
	}
	return q.Int64()
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
