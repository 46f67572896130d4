package feed

import (
	"fmt"
	"math/big"
	"strings"
)

// maxMicro bounds values: a billion of any unit is a mistake.
const maxMicro = 1_000_000_000_000_000

// micro reads a decimal into millionths, half to even beyond six places. JSON
// writes small numbers with an exponent.
func micro(text string) (int64, error) {
	s := strings.TrimSpace(text)
	if s == "" || len(s) > 40 || strings.Trim(s, "+-.0123456789eE") != "" {
		return 0, fmt.Errorf("%.40q is no number", text)
	}
	if _, exponent, ok := strings.Cut(strings.ToLower(s), "e"); ok && len(strings.Trim(exponent, "+-")) > 2 {
		return 0, fmt.Errorf("%.40q is no number", text)
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return 0, fmt.Errorf("%.40q is no number", text)
	}
	return microOf(r)
}

func microOf(r *big.Rat) (int64, error) {
	r = new(big.Rat).Mul(r, big.NewRat(1_000_000, 1))
	q, rem := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	twice := rem.Abs(rem)
	twice.Lsh(twice, 1)
	if c := twice.Cmp(r.Denom()); c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(int64(r.Sign())))
	}
	if !q.IsInt64() || q.Int64() > maxMicro || q.Int64() < -maxMicro {
		return 0, fmt.Errorf("%s is too large to be true", r.FloatString(0))
	}
	return q.Int64(), nil
}

// ParseMicro reads a decimal into millionths, half to even beyond six places.
func ParseMicro(text string) (int64, error) { return micro(text) }
