package bitaxe

import (
	"cmp"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"ballast/sim"
	"ballast/unit"
)

// command carries out one POST. It reports whether there is such a command.
func (h handler) command(name string) bool {
	var kind sim.ActionKind
	switch {
	case name == "restart":
		kind = sim.DoReboot // which also ends a shutdown
	case name == "pause" && h.pauses(), name == "shutdown" && h.nerd:
		kind = sim.DoSleep
	case name == "resume" && h.pauses():
		kind = sim.DoWake
	case name == "identify" && h.minor >= 11 && !h.nerd:
		return h.rig.Do(sim.Action{Kind: sim.DoLocate, On: !h.rig.Snapshot().Locating}) == nil
	default:
		return false
	}
	return h.rig.Do(sim.Action{Kind: kind}) == nil
}

// patch changes what it names. It reports whether all of it made sense; the
// firmware takes nothing of what does not.
func (h handler) patch(r *http.Request) bool {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	var in struct {
		Frequency       *float64 `json:"frequency"`
		CoreVoltage     *float64 `json:"coreVoltage"`
		StratumURL      *string  `json:"stratumURL"`
		StratumPort     *int     `json:"stratumPort"`
		StratumUser     *string  `json:"stratumUser"`
		StratumPassword *string  `json:"stratumPassword"`
		FallbackURL     *string  `json:"fallbackStratumURL"`
		FallbackPort    *int     `json:"fallbackStratumPort"`
		FallbackUser    *string  `json:"fallbackStratumUser"`
		FallbackPass    *string  `json:"fallbackStratumPassword"`
		Pools           []slot   `json:"pools"`
		Primary         *int     `json:"primaryPoolIndex"`
		Secondary       *int     `json:"secondaryPoolIndex"`
	}
	if json.Unmarshal(body, &in) != nil {
		return false
	}
	if bad(in.Frequency, 1, 1200) || bad(in.CoreVoltage, 1, 2000) || badPort(in.StratumPort) || badPort(in.FallbackPort) {
		return false
	}
	if in.Frequency != nil || in.CoreVoltage != nil {
		clock, core := h.setting().now()
		h.tune(or(in.Frequency, clock), or(in.CoreVoltage, core))
	}
	memo := h.pools()
	memo.mu.Lock()
	defer memo.mu.Unlock()
	before := slices.Clone(memo.slots)
	if h.slots() {
		if slices.ContainsFunc(in.Pools, func(p slot) bool { return p.ID < 0 || p.ID >= mostSlots || badPort(&p.Port) }) {
			return false
		}
		for _, p := range in.Pools {
			memo.put(p)
		}
		memo.primary, memo.secondary = or(in.Primary, memo.primary), or(in.Secondary, memo.secondary)
	} else {
		first, second := memo.get(0), memo.get(1)
		first = slot{0, or(in.StratumURL, first.URL), or(in.StratumPort, first.Port), or(in.StratumUser, first.User), or(in.StratumPassword, first.Password)}
		second = slot{1, or(in.FallbackURL, second.URL), or(in.FallbackPort, second.Port), or(in.FallbackUser, second.User), or(in.FallbackPass, second.Password)}
		memo.put(first)
		memo.put(second)
	}
	if !slices.Equal(before, memo.slots) || in.Primary != nil || in.Secondary != nil {
		h.connect(memo)
	}
	return true
}

func bad(v *float64, low, high float64) bool { return v != nil && !(*v >= low && *v <= high) }

func badPort(v *int) bool { return v != nil && (*v < 0 || *v > 65535) }

func or[T any](v *T, otherwise T) T {
	if v == nil {
		return otherwise
	}
	return *v
}

// tune goes to the point of the rig's own curve that is as far from its default
// clock.
func (h handler) tune(clock, core float64) {
	h.setting().set(clock, core)
	ratio := clock / h.chip.clock
	profiles := h.rig.Profiles()
	base := h.defaultClock()
	near := slices.MinFunc(profiles, func(a, b sim.ProfileSpec) int {
		return cmp.Compare(math.Abs(float64(a.Frequency)/base-ratio), math.Abs(float64(b.Frequency)/base-ratio))
	})
	_ = h.rig.Do(sim.Action{Kind: sim.DoProfile, Text: near.Name, Power: near.Power})
}

// defaultClock is the rig's clock at its nameplate, in hertz.
func (h handler) defaultClock() float64 {
	profiles := h.rig.Profiles()
	return float64(slices.MinFunc(profiles, func(a, b sim.ProfileSpec) int {
		want := h.spec.Model.Hashrate
		return cmp.Compare(math.Abs(float64(a.Hashrate-want)), math.Abs(float64(b.Hashrate-want)))
	}).Frequency)
}

// slot is one stored pool.
type slot struct {
	ID       int    `json:"id"`
	URL      string `json:"stratumURL"`
	Port     int    `json:"stratumPort"`
	User     string `json:"stratumUser"`
	Password string `json:"stratumPassword"`
}

const mostSlots = 8

type pools struct {
	mu                 sync.Mutex
	slots              []slot
	primary, secondary int
}

func (p *pools) get(id int) slot {
	for _, s := range p.slots {
		if s.ID == id {
			return s
		}
	}
	return slot{ID: id}
}

func (p *pools) put(s slot) {
	p.slots = slices.DeleteFunc(p.slots, func(o slot) bool { return o.ID == s.ID })
	if s.URL != "" {
		p.slots = append(p.slots, s)
		slices.SortFunc(p.slots, func(a, b slot) int { return cmp.Compare(a.ID, b.ID) })
	}
}

// pools is what the flash holds, at first what the rig was born with.
func (h handler) pools() *pools {
	return h.rig.Memo("bitaxe pools", func() any {
		p := &pools{}
		for i, one := range h.rig.Snapshot().Pools {
			host, number := splitURL(one.URL)
			p.slots = append(p.slots, slot{i, host, number, one.User, one.Password})
			p.secondary = min(i, 1)
		}
		return p
	}).(*pools)
}

// connect makes the rig mine at the pools chosen.
func (h handler) connect(p *pools) {
	ids := []int{p.primary, p.secondary}
	if !h.slots() {
		ids = []int{0, 1}
	}
	var out []sim.PoolSnapshot
	for n, id := range ids {
		s := p.get(id)
		if s.URL == "" || n > 0 && id == ids[0] {
			continue
		}
		out = append(out, sim.PoolSnapshot{URL: "stratum+tcp://" + s.URL + ":" + strconv.Itoa(s.Port), User: s.User, Password: s.Password, Alive: true, Active: n == 0})
	}
	_ = h.rig.Do(sim.Action{Kind: sim.DoPools, Pools: out})
}

func (h handler) dropPool(w http.ResponseWriter, text string) {
	id, err := strconv.Atoi(text)
	memo := h.pools()
	memo.mu.Lock()
	defer memo.mu.Unlock()
	if err != nil || memo.get(id).URL == "" || id == memo.primary {
		http.Error(w, "Wrong API input", http.StatusBadRequest)
		return
	}
	memo.put(slot{ID: id})
	if memo.secondary == id {
		memo.secondary = memo.primary
	}
	h.connect(memo)
	w.WriteHeader(http.StatusOK)
}

// frequency is the clock at which the rig runs, in the chip's own terms.
func (h handler) frequency(f unit.Frequency) float64 {
	return float64(f) / h.defaultClock() * h.chip.clock
}
