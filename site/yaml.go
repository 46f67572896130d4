package site

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/goccy/go-yaml"

	"ballast/unit"
	"ballast/unit/doc"
)

// Parse reads a description and checks it as a whole. Unknown keys are errors;
// every problem is told with its line.
func Parse(text []byte) (*Site, error) {
	s := new(Site)
	p := reader.Decode(text, s)
	if err := p.Err(ErrInvalid); err != nil {
		return nil, err
	}
	if err := s.check(p); err != nil {
		return nil, err
	}
	return s, nil
}

// YAML writes the description so that Parse reads the same again.
func (s *Site) YAML() ([]byte, error) {
	b, err := yaml.MarshalWithOptions(s, yaml.Indent(2), yaml.IndentSequence(true),
		yaml.CustomMarshaler(func(p unit.Power) ([]byte, error) { return []byte(p.String()), nil }),
		yaml.CustomMarshaler(func(v unit.Voltage) ([]byte, error) { return plain(float64(v)), nil }),
		yaml.CustomMarshaler(func(t unit.Opt[unit.Temperature]) ([]byte, error) { return plain(float64(t.Or(0))), nil }),
		yaml.CustomMarshaler(func(a Addr) ([]byte, error) { return []byte(a.String()), nil }),
		yaml.CustomMarshaler(func(r Range) ([]byte, error) { return []byte(r.String()), nil }),
	)
	if err != nil {
		return nil, fmt.Errorf("writing the site: %w", err)
	}
	return b, nil
}

func plain(v float64) []byte { return strconv.AppendFloat(nil, v, 'f', -1, 64) }

// Problems are what err, which Parse, FromJSON or Check gave, has to say one by
// one; none for any other error.
func Problems(err error) []Problem { return doc.List(err) }

// FromJSON reads a description as the record keeps it, and checks it as a whole.
func FromJSON(b []byte) (*Site, error) {
	s := new(Site)
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return s, nil
}
