package sim

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"ballast/miner"
	"ballast/unit"
)

// Mix is what machines a site has.
type Mix struct {
	Groups []Group `yaml:"groups"`
}

// Group is one kind of machine and how many of them there are.
type Group struct {
	Share    float64        `yaml:"share"` // of all machines, relative to the sum of shares
	Firmware miner.Firmware `yaml:"firmware"`
	Model    string         `yaml:"model"`   // as miner.LookupModel takes it: "Antminer S19 Pro (110T)"
	Version  string         `yaml:"version"` // of the firmware; empty is the newest that the dialect speaks
	Age      Years          `yaml:"age"`     // of the machines: "18mo", "2.5y"
	Cooling  miner.Cooling  `yaml:"cooling"` // other than the model's: immersed air machines
	User     string         `yaml:"user"`    // empty is the vendor's
	Password string         `yaml:"password"`
	Locked   float64        `yaml:"locked"` // share whose writes are locked

	// What the table of models does not know, or should not say.
	Boards   int           `yaml:"boards"`
	Chips    int           `yaml:"chips"`
	Fans     int           `yaml:"fans"`
	Hashrate unit.Hashrate `yaml:"hashrate"`
	Power    unit.Power    `yaml:"power"`

	model miner.Model
}

// Years is a span of time in years.
type Years float64

// UnmarshalText reads "2y", "18mo" or a number of years.
func (y *Years) UnmarshalText(b []byte) error {
	text, per := string(b), 1.0
	if cut, ok := strings.CutSuffix(text, "mo"); ok {
		text, per = cut, 12
	} else {
		text = strings.TrimSuffix(text, "y")
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || v < 0 || v > 50*per {
		return fmt.Errorf("%q: not an age such as %q or %q", string(b), "2y", "18mo")
	}
	*y = Years(v / per)
	return nil
}

//go:embed mix.yaml
var defaultMix []byte

// ErrMix reports a mix that makes no sense.
var ErrMix = errors.New("not a valid mix of machines")

// DefaultMix is a usual site with every firmware.
func DefaultMix() Mix {
	m, err := ParseMix(defaultMix)
	if err != nil {
		panic("the built-in mix: " + err.Error()) // a mistake in this package, found by its tests
	}
	return m
}

// ParseMix reads a mix file.
func ParseMix(text []byte) (m Mix, err error) {
	defer func() {
		// The YAML library panics on some malformed input.
		if p := recover(); p != nil {
			m, err = Mix{}, fmt.Errorf("%w: the text is not readable as YAML: %v", ErrMix, p)
		}
	}()
	if err := yaml.UnmarshalWithOptions(text, &m, yaml.Strict()); err != nil {
		return Mix{}, fmt.Errorf("%w: %s", ErrMix, yaml.FormatError(err, false, true))
	}
	if err := m.check(); err != nil {
		return Mix{}, err
	}
	return m, nil
}

func (m *Mix) check() error {
	if len(m.Groups) == 0 {
		return fmt.Errorf("%w: no groups", ErrMix)
	}
	for i := range m.Groups {
		g := &m.Groups[i]
		if err := g.check(); err != nil {
			return fmt.Errorf("%w: groups[%d] (%s %s): %w", ErrMix, i, g.Firmware, g.Model, err)
		}
	}
	return nil
}

func (g *Group) check() error {
	if !(g.Share > 0 && g.Share <= 1e9) {
		return errors.New("share must be above 0")
	}
	if _, ok := tempos[g.Firmware]; !ok {
		return fmt.Errorf("firmware %q: not one of %v", g.Firmware, firmwares())
	}
	if !(g.Locked >= 0 && g.Locked <= 1) {
		return errors.New("locked must be between 0 and 1")
	}
	model, ok := miner.LookupModel(g.Model)
	if !ok {
		if g.Boards <= 0 || g.Hashrate <= 0 || g.Power <= 0 {
			return errors.New("model not in the table of models: give its boards, chips, fans, hashrate and power here")
		}
		model = miner.Model{Name: g.Model}
	}
	set(&model.Boards, g.Boards)
	set(&model.Chips, g.Chips)
	set(&model.Fans, g.Fans)
	set(&model.Hashrate, g.Hashrate)
	set(&model.Power, g.Power)
	switch g.Cooling {
	case "":
	case miner.Air, miner.Hydro, miner.Immersion:
		model.Cooling = g.Cooling
		if g.Cooling != miner.Air {
			model.Fans = 0
		}
	default:
		return fmt.Errorf("cooling %q: not one of air, hydro, immersion", g.Cooling)
	}
	if model.Boards < 0 || model.Chips < 0 || model.Fans < 0 || model.Chips > 4096 || model.Power < 0 || model.Hashrate < 0 {
		return errors.New("boards, chips, fans, hashrate and power cannot be negative, nor chips above 4096")
	}
	g.model = model
	return nil
}

func set[T int | unit.Hashrate | unit.Power](to *T, v T) {
	if v != 0 {
		*to = v
	}
}

func firmwares() []miner.Firmware {
	var all []miner.Firmware
	for f := range tempos {
		all = append(all, f)
	}
	slices.Sort(all)
	return all
}

// only keeps the groups of these firmwares.
func (m Mix) only(have func(miner.Firmware) bool) Mix {
	var out Mix
	for _, g := range m.Groups {
		if have(g.Firmware) {
			out.Groups = append(out.Groups, g)
		}
	}
	return out
}

// counts says how many machines of each group make n: shares rounded by
// largest remainder, so that the same n always gives the same site.
func (m Mix) counts(n int) []int {
	sum := 0.0
	for _, g := range m.Groups {
		sum += g.Share
	}
	out := make([]int, len(m.Groups))
	type rest struct {
		part float64
		i    int
	}
	rests := make([]rest, len(out))
	left := n
	for i, g := range m.Groups {
		exact := float64(n) * g.Share / sum
		out[i] = int(exact)
		left -= out[i]
		rests[i] = rest{exact - float64(out[i]), i}
	}
	slices.SortStableFunc(rests, func(a, b rest) int {
		switch {
		case a.part > b.part:
			return -1
		case a.part < b.part:
			return 1
		}
		return 0
	})
	for i := range left {
		out[rests[i%len(rests)].i]++
	}
	return out
}
