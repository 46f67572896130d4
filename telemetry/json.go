package telemetry

import (
	"encoding/json"
	"fmt"
)

// In JSON a row has its numbers under "values" by the metric's name, in the
// metric's unit. Missing numbers are left out.

type rowJSON Row

// MarshalJSON writes the row with its numbers.
func (r Row) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		rowJSON
		Values map[string]float64 `json:"values"`
	}{rowJSON(r), named(MachineMetrics(), r.values)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Row) UnmarshalJSON(b []byte) error {
	in := struct {
		*rowJSON
		Values map[string]float64 `json:"values"`
	}{rowJSON: (*rowJSON)(r)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	r.values = nil
	return unnamed(in.Values, r.Set, false)
}

type boardJSON BoardRow

// MarshalJSON writes the board with its numbers.
func (b BoardRow) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		boardJSON
		Values map[string]float64 `json:"values"`
	}{boardJSON(b), named(BoardMetrics(), b.values)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (b *BoardRow) UnmarshalJSON(in []byte) error {
	v := struct {
		*boardJSON
		Values map[string]float64 `json:"values"`
	}{boardJSON: (*boardJSON)(b)}
	if err := json.Unmarshal(in, &v); err != nil {
		return err
	}
	b.values = nil
	return unnamed(v.Values, b.Set, true)
}

func named(metrics []Metric, v values) map[string]float64 {
	out := make(map[string]float64, len(v))
	for i, m := range metrics {
		if x, ok := v.get(i).Get(); ok {
			out[m.String()] = x
		}
	}
	return out
}

func unnamed(in map[string]float64, set func(Metric, float64), board bool) error {
	for name, v := range in {
		m, err := ParseMetric(name)
		if err != nil {
			return err
		}
		if m.OfBoard() != board {
			return fmt.Errorf("%w: %v is in the wrong kind of row", ErrInvalid, m)
		}
		set(m, v)
	}
	return nil
}
