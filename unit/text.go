package unit

import (
	"encoding/json"
	"math"
	"strconv"
)

func trim(v float64) string {
	return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
}

// Configuration and commands write quantities as text ("3.25kW"), so that a
// file never leaves the unit to the reader's guess. JSON output writes numbers
// in the base unit, and the field's name says which ("power_w",
// "hashrate_ths"); JSON input takes either.

func fromJSON[T ~float64](b []byte, to *T, parse func(string) (T, error)) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		v, err := parse(s)
		if err == nil {
			*to = v
		}
		return err
	}
	var v float64
	err := json.Unmarshal(b, &v)
	if err == nil {
		*to = T(v)
	}
	return err
}

func fromText[T any](b []byte, to *T, parse func(string) (T, error)) error {
	v, err := parse(string(b))
	if err == nil {
		*to = v
	}
	return err
}

// UnmarshalText reads "110TH/s".
func (h *Hashrate) UnmarshalText(b []byte) error { return fromText(b, h, ParseHashrate) }

// UnmarshalJSON reads a number of TH/s or "110TH/s".
func (h *Hashrate) UnmarshalJSON(b []byte) error { return fromJSON(b, h, ParseHashrate) }

// UnmarshalText reads "3.25kW".
func (p *Power) UnmarshalText(b []byte) error { return fromText(b, p, ParsePower) }

// UnmarshalJSON reads a number of W or "3.25kW".
func (p *Power) UnmarshalJSON(b []byte) error { return fromJSON(b, p, ParsePower) }

// UnmarshalText reads "12.5MWh".
func (e *Energy) UnmarshalText(b []byte) error { return fromText(b, e, ParseEnergy) }

// UnmarshalJSON reads a number of J or "12.5MWh".
func (e *Energy) UnmarshalJSON(b []byte) error { return fromJSON(b, e, ParseEnergy) }

// UnmarshalText reads "29.5J/TH".
func (e *Efficiency) UnmarshalText(b []byte) error { return fromText(b, e, ParseEfficiency) }

// UnmarshalJSON reads a number of J/TH or "29.5J/TH".
func (e *Efficiency) UnmarshalJSON(b []byte) error { return fromJSON(b, e, ParseEfficiency) }

// UnmarshalText reads "$42.10/MWh".
func (p *EnergyPrice) UnmarshalText(b []byte) error { return fromText(b, p, ParseEnergyPrice) }

// MarshalText writes "$42.1/MWh".
func (p EnergyPrice) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads "$55/PH/day".
func (p *Hashprice) UnmarshalText(b []byte) error { return fromText(b, p, ParseHashprice) }

// MarshalText writes "$55/PH/day".
func (p Hashprice) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads "$1234.50".
func (m *Money) UnmarshalText(b []byte) error { return fromText(b, m, ParseMoney) }

// MarshalText writes "$1234.50".
func (m Money) MarshalText() ([]byte, error) { return []byte(m.String()), nil }
