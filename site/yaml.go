package site

import (
	"fmt"
	"strconv"

	"github.com/goccy/go-yaml"

	"ballast/unit"
)

// Parse reads a description and checks it as a whole. Unknown keys are errors.
func Parse(text []byte) (s *Site, err error) {
	defer func() {
		// The YAML library panics on some malformed input.
		if p := recover(); p != nil {
			s, err = nil, fmt.Errorf("%w: the text is not readable as YAML: %v", ErrInvalid, p)
		}
	}()
	s = new(Site)
	if err := yaml.UnmarshalWithOptions(text, s, yaml.Strict(), yaml.CustomUnmarshaler(readVoltage), yaml.CustomUnmarshaler(readTemperature)); err != nil {
		return nil, fmt.Errorf("%w: %s", ErrInvalid, yaml.FormatError(err, false, true))
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return s, nil
}

// YAML writes the description so that Parse reads the same again.
func (s *Site) YAML() ([]byte, error) {
	b, err := yaml.MarshalWithOptions(s, yaml.Indent(2), yaml.IndentSequence(true),
		yaml.CustomMarshaler(func(p unit.Power) ([]byte, error) { return []byte(p.String()), nil }),
		yaml.CustomMarshaler(func(v unit.Voltage) ([]byte, error) { return number(float64(v)), nil }),
		yaml.CustomMarshaler(func(t unit.Opt[unit.Temperature]) ([]byte, error) { return number(float64(t.Or(0))), nil }),
	)
	if err != nil {
		return nil, fmt.Errorf("writing the site: %w", err)
	}
	return b, nil
}

func number(v float64) []byte { return strconv.AppendFloat(nil, v, 'f', -1, 64) }

func readVoltage(v *unit.Voltage, b []byte) error {
	f, err := readNumber(b, "V")
	*v = unit.Voltage(f)
	return err
}

func readTemperature(t *unit.Opt[unit.Temperature], b []byte) error {
	f, err := readNumber(b, "°C")
	if err == nil {
		*t = unit.Some(unit.Temperature(f))
	}
	return err
}

// readNumber reads a plain number, whose unit its key's documentation says, or
// one with that unit.
func readNumber(b []byte, symbol string) (float64, error) {
	var text string
	if err := yaml.Unmarshal(b, &text); err != nil {
		return 0, fmt.Errorf("%q: want a number of %s", b, symbol)
	}
	if cut, ok := cutUnit(text, symbol); ok {
		text = cut
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%q: want a number of %s", text, symbol)
	}
	return f, nil
}

func cutUnit(text, symbol string) (string, bool) {
	n := len(text) - len(symbol)
	if n <= 0 || text[n:] != symbol {
		return text, false
	}
	for n > 0 && text[n-1] == ' ' {
		n--
	}
	return text[:n], true
}
