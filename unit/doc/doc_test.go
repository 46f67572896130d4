package doc

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ballast/unit"
)

var errTest = errors.New("not a valid thing")

type thing struct {
	Name  string           `yaml:"name"`
	Count int              `yaml:"count"`
	On    bool             `yaml:"on"`
	Every time.Duration    `yaml:"every"`
	Price unit.EnergyPrice `yaml:"price"`
	Tags  []string         `yaml:"tags"`
	Sub   *thing           `yaml:"sub"`
	List  []thing          `yaml:"list"`
}

func TestDecodeReadsEveryKind(t *testing.T) {
	var got thing
	p := Decode([]byte(`
name: 1e2
count: 7
on: true
every: 15m
price: $42.10/MWh
tags: one
sub: {name: inner}
list:
  - name: a
  - name: b
`), &got)
	if err := p.Err(errTest); err != nil {
		t.Fatal(err)
	}
	if got.Name != "1e2" || got.Count != 7 || !got.On || got.Every != 15*time.Minute || got.Price.Micro != 42_100_000 ||
		len(got.Tags) != 1 || got.Sub.Name != "inner" || got.List[1].Name != "b" {
		t.Errorf("%+v", got)
	}
}

func TestEveryProblemIsToldWithItsLine(t *testing.T) {
	var got thing
	p := Decode([]byte(`name: x
count: seven
colour: red
list:
  - name: a
  - price: 42
    every: soon
sub: [1]
`), &got)
	p.Bad("list[1].count", "missing")
	err := p.Err(errTest)
	if !errors.Is(err, errTest) {
		t.Fatal(err)
	}
	for _, want := range []string{"line 2: count", "line 3: colour", "line 6: list[1].price", "line 7: list[1].every", "line 8: sub", "line 6: list[1].count: missing"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"name: x", "list: [{name: a}]", "a: &a [*a]", "sub: {sub: {sub: {}}}", "{", "- a\n- b", "on: yes", "--- \n---\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got thing
		p := Decode([]byte(s), &got)
		_ = p.Err(errTest)
	})
}
