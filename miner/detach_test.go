package miner_test

import (
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ballast/miner"
	"ballast/unit"
)

func TestExtrasComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.MapOf(rapid.String(), rapid.String())
		was := miner.PackExtras(words.Draw(t, "before"), miner.Extras{})
		m := words.Draw(t, "now")
		if rapid.Bool().Draw(t, "same keys") {
			for k := range m {
				m[k] = rapid.String().Draw(t, "other")
			}
			was = miner.PackExtras(m, was)
		}
		got := miner.PackExtras(m, was).Map()
		if !maps.Equal(got, m) {
			t.Fatalf("%q came back as %q", m, got)
		}
	})
	if got := miner.PackExtras(map[string]string{"k": strings.Repeat("x", 5000)}, miner.Extras{}).Map(); len(got["k"]) != 5000 {
		t.Errorf("a long value came back with %d bytes", len(got["k"]))
	}
	if (miner.Extras{}).Map() != nil {
		t.Error("none is a map")
	}
}

// A detached reading says the same, and does not hold the reply.
func TestDetach(t *testing.T) {
	freed := make(chan bool, 1)
	r := func() miner.Reading {
		reply := new([1 << 20]byte)
		copy(reply[:], "serial-of-a-board hostname-of-this-one")
		runtime.AddCleanup(reply, func(int) { freed <- true }, 0)
		text := unsafeString(reply[:])
		r := miner.Reading{StateTold: "mining", Boards: []miner.Board{{Serial: text[:17]}}, Pools: []miner.Pool{{URL: "stratum+tcp://pool:3333"}}}
		r.Identity.Hostname = text[18:38]
		r.Warn(miner.WarnMissing, "stats", text[:6])
		before := fmt.Sprint(r)
		r.Detach()
		if after := fmt.Sprint(r); after != before {
			t.Errorf("was %s, is %s", before, after)
		}
		return r
	}()
	for range 10 {
		runtime.GC()
		select {
		case <-freed:
			if r.Boards[0].Serial != "serial-of-a-board" || r.Identity.Hostname != "hostname-of-this-one" {
				t.Errorf("%+v", r)
			}
			return
		default:
		}
	}
	t.Error("the reply is still in memory")
}

// Every string of a reading is detached: a field that is added later and
// forgotten in Detach fails here.
func TestDetachMissesNoString(t *testing.T) {
	var r miner.Reading
	fill(reflect.ValueOf(&r).Elem())
	r.Envelope, r.Extra = nil, nil
	before := strs(reflect.ValueOf(r))
	r.Detach()
	after := strs(reflect.ValueOf(r))
	if len(before) != len(after) || len(before) < 25 {
		t.Fatalf("%d strings before, %d after", len(before), len(after))
	}
	for path, p := range before {
		if after[path] == p && !constant[path] {
			t.Errorf("%s is not detached", path)
		}
	}
}

// Words of ours, never cut out of a reply.
var constant = map[string]bool{".State": true, ".PowerSource": true, ".Faults[0].Severity": true, ".Warnings[0].Kind": true}

func TestEnvelopeSame(t *testing.T) {
	a := func() *miner.Envelope {
		return &miner.Envelope{Kinds: []miner.Kind{miner.SetPower}, PowerMax: unit.Some(unit.Power(3000)), Steps: []miner.Step{{Name: "a"}}}
	}
	b := a()
	if !a().Same(b) || (*miner.Envelope)(nil).Same(b) || b.Same(nil) || !(*miner.Envelope)(nil).Same(nil) {
		t.Error("the same is not the same")
	}
	b.Steps[0].Power = unit.Some(unit.Power(1))
	if a().Same(b) {
		t.Error("another step is the same")
	}
}
