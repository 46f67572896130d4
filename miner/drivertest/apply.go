package drivertest

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"ballast/miner"
	"ballast/unit"
)

const (
	wrongPassword = "Wr0ng-p4ssphrase"
	poolPassword  = "P00l-w0rker-secret"
)

var allKinds = []miner.Kind{
	miner.SetPower, miner.SetProfile, miner.SetMode, miner.SetLocate, miner.SetPools, miner.SetSleep, miner.SetWake, miner.SetRestart, miner.SetReboot,
}

func checkEnvelope(t *testing.T, b *bench) {
	e := b.envelope(t)
	for i, k := range e.Kinds {
		if !slices.Contains(allKinds, k) || slices.Contains(e.Kinds[:i], k) {
			t.Errorf("kind %q is unknown or there twice", k)
		}
		if e.Settle.For(k) <= 0 {
			t.Errorf("%s has no settle time", k)
		}
	}
	if len(e.Kinds) == 0 {
		t.Error("the machine can be set to nothing")
	}
	if e.Can(miner.SetSleep) != e.Can(miner.SetWake) {
		t.Error("sleep and wake belong together")
	}
	if !slices.Contains([]string{"told", "published", "assumed"}, e.Source) {
		t.Errorf("source %q", e.Source)
	}
	low, ok1 := e.PowerMin.Get()
	high, ok2 := e.PowerMax.Get()
	if e.Can(miner.SetPower) && (!ok1 || !ok2 || !(0 < low && low < high)) {
		t.Errorf("power from %v (%v) to %v (%v)", low, ok1, high, ok2)
	}
	if d, ok := e.PowerDefault.Get(); ok && e.Can(miner.SetPower) && (d < low || d > high) {
		t.Errorf("default power %v is outside %v to %v", d, low, high)
	}
	if idle, ok := e.Idle.Get(); ok && (idle <= 0 || ok1 && idle >= low) {
		t.Errorf("idle power %v", idle)
	}
	steps := map[miner.Kind]int{}
	last := unit.Power(math.Inf(-1))
	for _, s := range e.Steps {
		steps[s.Setting.Kind]++
		if !e.Can(s.Setting.Kind) {
			t.Errorf("step %q is a %s, which the machine does not take", s.Name, s.Setting.Kind)
		}
		if s.Name == "" {
			t.Error("a step without a name")
		}
		if p, ok := s.Power.Get(); ok {
			if p < last || p <= 0 {
				t.Errorf("step %q: %v after %v", s.Name, p, last)
			}
			last = p
		}
	}
	for _, k := range []miner.Kind{miner.SetProfile, miner.SetMode} {
		if e.Can(k) && steps[k] == 0 {
			t.Errorf("%s can be set, but no step says to what", k)
		}
	}
}

func checkApply(t *testing.T, b *bench) {
	e := b.envelope(t)
	b.mustRead(t)
	for _, check := range []struct {
		kind miner.Kind
		name string
		run  func(*testing.T)
	}{
		{miner.SetPower, "power", func(t *testing.T) { b.applyPower(t, e) }},
		{miner.SetProfile, "profile", func(t *testing.T) { b.applySteps(t, e, miner.SetProfile) }},
		{miner.SetMode, "mode", func(t *testing.T) { b.applySteps(t, e, miner.SetMode) }},
		{miner.SetLocate, "locate", func(t *testing.T) { b.applyLocate(t, e) }},
		{miner.SetPools, "pools", func(t *testing.T) { b.applyPools(t, e) }},
		{miner.SetSleep, "sleep and wake", func(t *testing.T) { b.applySleep(t, e) }},
		{miner.SetRestart, "restart", func(t *testing.T) { b.applyRestart(t, e, miner.SetRestart) }},
		{miner.SetReboot, "reboot", func(t *testing.T) { b.applyRestart(t, e, miner.SetReboot) }},
	} {
		if e.Can(check.kind) {
			b.settle(t) // what was set before may have restarted it
			t.Run(check.name, check.run)
		}
	}
}

func (b *bench) applied(t *testing.T, s miner.Setting) bool {
	t.Helper()
	if err := b.apply(t, s); err != nil {
		t.Errorf("applying %v: %v", s, err)
		return false
	}
	return true
}

func (b *bench) applyPower(t *testing.T, e miner.Envelope) {
	low, high := e.PowerMin.Or(0), e.PowerMax.Or(0)
	for _, share := range []unit.Power{0.3, 0.8} {
		want := unit.Power(math.Round(float64(low+(high-low)*share)/50) * 50)
		want = min(max(want, low), high)
		if !b.applied(t, miner.Setting{Kind: miner.SetPower, Power: want}) {
			continue
		}
		b.until(t, "power "+want.String(), e.Settle.Adjust, func(r miner.Reading) bool {
			if limit, ok := r.PowerLimit.Get(); ok {
				return near(float64(limit), float64(want), 0.03)
			}
			p, ok := r.Power.Get()
			return ok && near(float64(p), float64(want), 0.1)
		})
	}
}

func (b *bench) applySteps(t *testing.T, e miner.Envelope, kind miner.Kind) {
	var steps []miner.Step
	for _, s := range e.Steps {
		if s.Setting.Kind == kind {
			steps = append(steps, s)
		}
	}
	if len(steps) > 3 { // the lowest, one in the middle, the highest that is tuned
		top := len(steps) - 1
		for top > 1 && !steps[top].Tuned.Or(true) {
			top--
		}
		steps = []miner.Step{steps[0], steps[top/2], steps[top]}
	}
	for _, s := range steps {
		if !b.applied(t, s.Setting) {
			continue
		}
		b.until(t, s.Setting.String(), e.Settle.Adjust, func(r miner.Reading) bool {
			if kind == miner.SetMode {
				return r.Mode == s.Setting.Mode
			}
			return r.Profile == s.Setting.Profile
		})
	}
}

func (b *bench) applyLocate(t *testing.T, e miner.Envelope) {
	for _, on := range []bool{true, false, false} {
		s := miner.Setting{Kind: miner.SetLocate, On: on}
		if !b.applied(t, s) {
			return
		}
		b.until(t, s.String(), e.Settle.For(miner.SetLocate), func(r miner.Reading) bool {
			now, ok := r.Locating.Get()
			return ok && now == on
		})
	}
}

func (b *bench) applyPools(t *testing.T, e miner.Envelope) {
	for _, pools := range [][]miner.PoolSetting{
		{{URL: "stratum+tcp://pool-a.example:3333", User: "acct.rig42", Password: poolPassword}, {URL: "stratum+tcp://pool-b.example:443", User: "acct.rig42", Password: poolPassword}},
		{{URL: "stratum+tcp://pool-c.example:25", User: "other.rig42", Password: "x"}},
	} {
		if b.suite.OnePool && len(pools) > 1 {
			if err := b.apply(t, miner.Setting{Kind: miner.SetPools, Pools: pools}); !errors.Is(err, miner.ErrRefused) {
				t.Errorf("two pools for a firmware that has room for one: %v, want a refusal", err)
			}
			continue
		}
		if !b.applied(t, miner.Setting{Kind: miner.SetPools, Pools: pools}) {
			return
		}
		r := b.until(t, "pools", e.Settle.For(miner.SetPools)*6, func(r miner.Reading) bool {
			var told []miner.Pool
			for _, p := range r.Pools {
				if p.URL != "" { // firmwares with fixed slots show the empty ones
					told = append(told, p)
				}
			}
			if len(told) != len(pools) {
				return false
			}
			for i, p := range told {
				if !sameURL(p.URL, pools[i].URL) || !sameUser(p.User, pools[i].User) {
					return false
				}
			}
			return true
		})
		for _, p := range r.Pools {
			if strings.Contains(p.User+p.URL+p.Status, poolPassword) {
				t.Error("a pool's password is in the reading")
			}
		}
		for k, v := range r.Extra {
			if strings.Contains(v, poolPassword) || b.spec.Password != "" && len(b.spec.Password) > 4 && strings.Contains(v, b.spec.Password) {
				t.Errorf("extra %q tells a password", k)
			}
		}
	}
}

func (b *bench) applySleep(t *testing.T, e miner.Envelope) {
	if !b.applied(t, miner.Setting{Kind: miner.SetSleep}) {
		return
	}
	r := b.until(t, "sleep", e.Settle.Sleep, func(r miner.Reading) bool { return r.State == miner.Sleeping })
	for _, f := range r.Faults {
		if f.Severity == miner.Major || f.Severity == miner.Critical {
			t.Errorf("a machine asleep complains: %+v", f)
		}
	}
	if h := r.HashrateNow.Or(0); h > b.spec.Model.Hashrate*0.05 {
		t.Errorf("a machine asleep hashes %v", h)
	}
	// Once more: asleep stays asleep, and saying so again is no error.
	b.applied(t, miner.Setting{Kind: miner.SetSleep})
	b.until(t, "sleep again", e.Settle.Sleep, func(r miner.Reading) bool { return r.State == miner.Sleeping })
	if !b.applied(t, miner.Setting{Kind: miner.SetWake}) {
		return
	}
	r = b.until(t, "wake", e.Settle.Wake, func(r miner.Reading) bool { return r.State == miner.Hashing && r.HashrateNow.Or(0) > 0 })
	if r.State == miner.Sleeping || r.State == miner.Stopped {
		t.Errorf("after waking: %s", r.State)
	}
}

func (b *bench) applyRestart(t *testing.T, e miner.Envelope, kind miner.Kind) {
	b.advance(2 * time.Hour)
	b.settle(t)
	before := b.mustRead(t)
	if !b.applied(t, miner.Setting{Kind: kind}) {
		return
	}
	younger := func(now, was unit.Opt[time.Duration]) bool {
		n, ok1 := now.Get()
		w, ok2 := was.Get()
		return ok1 && ok2 && n < w
	}
	b.until(t, string(kind), e.Settle.Reboot, func(r miner.Reading) bool {
		return younger(r.MinerUptime, before.MinerUptime) || younger(r.Uptime, before.Uptime)
	})
	b.until(t, "hashing after "+string(kind), e.Settle.Reboot+e.Settle.Wake, func(r miner.Reading) bool { return r.State == miner.Hashing })
}

func near(got, want, share float64) bool { return math.Abs(got-want) <= share*want }

// sample is a setting of the kind that would make sense if it were supported.
func sample(k miner.Kind) miner.Setting {
	s := miner.Setting{Kind: k}
	switch k {
	case miner.SetPower:
		s.Power = 2000
	case miner.SetProfile:
		s.Profile = "2000"
	case miner.SetMode:
		s.Mode = miner.ModeNormal
	case miner.SetPools:
		s.Pools = []miner.PoolSetting{{URL: "stratum+tcp://pool-a.example:3333", User: "acct.rig42", Password: poolPassword}}
	}
	return s
}

func checkUnsupported(t *testing.T, b *bench) {
	e := b.envelope(t)
	for _, k := range append(slices.Clone(allKinds), "paint it blue") {
		if e.Can(k) {
			continue
		}
		if err := b.apply(t, sample(k)); !errors.Is(err, miner.ErrUnsupported) {
			t.Errorf("%s is not in the envelope, and applying it gives %v", k, err)
		}
	}
}

// What the envelope rules out is refused, by the driver or the machine, and
// leaves the machine as it is.
func checkInvalid(t *testing.T, b *bench) {
	e := b.envelope(t)
	var bad []miner.Setting
	if e.Can(miner.SetPower) {
		for _, p := range []unit.Power{0, -5, e.PowerMin.Or(0) / 2, e.PowerMax.Or(0) * 3, unit.Power(math.NaN()), unit.Power(math.Inf(1))} {
			bad = append(bad, miner.Setting{Kind: miner.SetPower, Power: p})
		}
	}
	if e.Can(miner.SetProfile) {
		bad = append(bad, miner.Setting{Kind: miner.SetProfile}, miner.Setting{Kind: miner.SetProfile, Profile: "no such profile\r\n\",{"})
	}
	if e.Can(miner.SetMode) {
		bad = append(bad, miner.Setting{Kind: miner.SetMode}, miner.Setting{Kind: miner.SetMode, Mode: "ludicrous"})
	}
	if e.Can(miner.SetPools) {
		bad = append(bad, miner.Setting{Kind: miner.SetPools}, miner.Setting{Kind: miner.SetPools, Pools: []miner.PoolSetting{{User: "acct"}}})
	}
	for _, s := range bad {
		if err := b.apply(t, s); !errors.Is(err, miner.ErrRefused) {
			t.Errorf("applying %+v gives %v, want a refusal", s, err)
		}
	}
	b.advance(time.Minute)
	if r := b.mustRead(t); r.State != miner.Hashing || len(r.Pools) > 0 && r.Pools[0].URL == "" {
		t.Errorf("after refused settings: %s, pools %+v", r.State, r.Pools)
	}
}

func checkPassword(t *testing.T, b *bench) {
	if b.suite.NoPassword {
		t.Skip("this firmware has none")
	}
	e := b.envelope(t)
	for name, c := range map[string]miner.Credentials{
		"wrong": {User: b.spec.User, Password: wrongPassword},
		"none":  {},
	} {
		target := b.target
		target.Credentials = c
		dev := b.suite.Driver.Open(target)
		defer dev.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for _, k := range e.Kinds {
			err := dev.Apply(ctx, valid(e, k))
			b.checkError(t, err)
			if !errors.Is(err, miner.ErrDenied) {
				t.Errorf("%s password: %s gives %v, want a denial", name, k, err)
			} else if name == "none" && !strings.Contains(err.Error(), "credentials") {
				t.Errorf("no password: the error does not say that credentials are to be configured: %v", err)
			}
		}
		r, err := dev.Read(ctx)
		b.checkError(t, err)
		if err == nil && r.Identity.Firmware != b.suite.Driver.Firmware() || err != nil && !errors.Is(err, miner.ErrDenied) {
			t.Errorf("%s password: reading gives %v, firmware %q", name, err, r.Identity.Firmware)
		}
		if _, err := dev.Identify(ctx); err != nil && !errors.Is(err, miner.ErrDenied) {
			t.Errorf("%s password: identifying gives %v", name, err)
		}
	}
	// None of that did anything, and the right password still works.
	if r := b.mustRead(t); r.State != miner.Hashing || r.Locating.Or(false) {
		t.Errorf("after denied settings: %s, locating %v", r.State, r.Locating.Or(false))
	}
}

// valid is a setting of the kind that the envelope allows.
func valid(e miner.Envelope, k miner.Kind) miner.Setting {
	for _, s := range e.Steps {
		if s.Setting.Kind == k {
			return s.Setting
		}
	}
	s := sample(k)
	s.On = true
	if k == miner.SetPower {
		s.Power = e.PowerMin.Or(0)
	}
	return s
}
