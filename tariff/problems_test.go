package tariff

import "testing"

func TestProblemsOf(t *testing.T) {
	for _, c := range []struct {
		name, text string
		line       int
	}{
		{"an unknown key", "name: A\ncurrency: USD\nzone: UTC\ninterval: 15m\nwrong: 1\n", 5},
		{"no YAML", "name: A\nversions: [\n", 2},
		{"a bad price", "name: A\ncurrency: USD\nzone: UTC\ninterval: 15m\nversions:\n  - from: 2026-01-01\n    parts:\n      - {name: E, kind: fixed, price: cheap}\n", 8},
	} {
		_, err := Parse([]byte(c.text))
		ps := ProblemsOf(err)
		found := false
		for _, p := range ps {
			found = found || p.Line == c.line && p.What != ""
		}
		if !found {
			t.Errorf("%s: no problem at line %d in %+v", c.name, c.line, ps)
		}
	}
	if ProblemsOf(nil) != nil {
		t.Error("no error has problems")
	}
}
