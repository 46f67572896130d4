package cgminer

import (
	"testing"

	"pgregory.net/rapid"
)

// skipText goes where a plain walk over the bytes goes.
func TestSkipText(t *testing.T) {
	walk := func(raw string) (int, bool) {
		for i := 1; i < len(raw); i++ {
			switch raw[i] {
			case '\\':
				i++
			case '"':
				return i + 1, true
			}
		}
		return 0, false
	}
	rapid.Check(t, func(t *rapid.T) {
		raw := `"` + rapid.StringOf(rapid.SampledFrom([]rune{'"', '\\', 'a', '{', 'é'})).Draw(t, "text")
		s := scanner{raw: raw}
		got := s.skipText()
		end, want := walk(raw)
		if got != want || got && s.i != end {
			t.Fatalf("%q: %v at %d, want %v at %d", raw, got, s.i, want, end)
		}
	})
}
