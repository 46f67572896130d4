package site

import (
	"fmt"
	"strconv"
	"strings"

	"ballast/unit"
	"ballast/unit/doc"
)

// reader reads a site's description: quantities whose unit its key's
// documentation says may be written without it.
var reader = doc.Reader{Value: func(text string, into any) (bool, error) {
	switch v := into.(type) {
	case *unit.Voltage:
		return true, number(text, "V", func(f float64) { *v = unit.Voltage(f) })
	case *unit.Opt[unit.Temperature]:
		return true, number(text, "°C", func(f float64) { *v = unit.Some(unit.Temperature(f)) })
	case *float64:
		return true, number(text, "°", func(f float64) { *v = f })
	}
	return false, nil
}}

// number reads a plain number, or one with its unit.
func number(text, symbol string, set func(float64)) error {
	f, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, symbol)), 64)
	if err != nil {
		return fmt.Errorf("%q: want a number of %s", text, symbol)
	}
	set(f)
	return nil
}
