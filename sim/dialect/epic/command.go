package epic

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"ballast/sim"
	"ballast/unit"
)

// factoryPassword is what PowerPlay ships with.
const factoryPassword = "letmein"

// tuning is the tuner's setting, which the rig has no notion of.
type tuning struct {
	algorithm string
	target    float64
	unit      string
	running   bool
	clock     float64 // MHz, when set by hand
	millivolt float64
}

type tuningMemo struct {
	mu sync.Mutex
	t  tuning
}

func (m *tuningMemo) now() tuning {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.t
}

func (m *tuningMemo) set(f func(*tuning)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.t)
}

func (h handler) tuning() *tuningMemo {
	return h.rig.Memo("epic tuning", func() any {
		return &tuningMemo{t: tuning{algorithm: "VoltageOptimizer", target: math.Round(float64(h.rig.Spec().Model.Hashrate)), unit: "TH/s", running: true}}
	}).(*tuningMemo)
}

func (h handler) algorithmStats(t tuning) obj {
	s := h.rig.Snapshot()
	return obj{
		"Min Throttle Target": 50, "Optimized": s.Progress >= 1 && s.Phase == sim.PhaseHashing, "Target": t.target, "Throttle Step": 5,
		"Throttle Target": nil, "Unit": t.unit,
	}
}

// post answers one command: nil when there is none of that name.
func (h handler) post(r *http.Request) any {
	commands := map[string]func(json.RawMessage) any{
		"/authenticate": func(json.RawMessage) any { return nil }, "/miner": h.operate, "/reboot": h.act(sim.DoReboot), "/softreboot": h.act(sim.DoRestart),
		"/identify": h.identify, "/coin": h.coin, "/tune": h.tune, "/perpetualtune": h.perpetual, "/perpetualtune/algo": h.algorithm,
		"/boardenable": h.boardEnable, "/hashratesplit/enable": func(json.RawMessage) any { return nil },
	}
	command, ok := commands[r.URL.Path]
	if !ok {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return refused("MissingParam")
	}
	var in struct {
		Param    json.RawMessage `json:"param"`
		Password *string         `json:"password"`
	}
	if json.Unmarshal(body, &in) != nil || in.Password == nil {
		return refused("MissingParam")
	}
	if *in.Password != cmp.Or(h.rig.Spec().Password, factoryPassword) {
		return refused("BadPassword")
	}
	if e := command(in.Param); e != nil {
		return refused(e)
	}
	return obj{"result": true, "error": nil}
}

func refused(e any) obj { return obj{"result": false, "error": e} }

func (h handler) do(a sim.Action) any {
	if err := h.rig.Do(a); err != nil {
		return obj{"UnknownError": err.Error()}
	}
	return nil
}

func (h handler) act(kind sim.ActionKind) func(json.RawMessage) any {
	return func(json.RawMessage) any { return h.do(sim.Action{Kind: kind}) }
}

func (h handler) operate(param json.RawMessage) any {
	switch strings.Trim(string(param), `"`) {
	case "Stop":
		return h.do(sim.Action{Kind: sim.DoSleep})
	case "Autostart":
		return h.do(sim.Action{Kind: sim.DoWake})
	}
	return "MissingParam"
}

func (h handler) identify(param json.RawMessage) any {
	var on bool
	if json.Unmarshal(param, &on) != nil {
		return "MissingParam"
	}
	return h.do(sim.Action{Kind: sim.DoLocate, On: on})
}

func (h handler) boardEnable(param json.RawMessage) any {
	var boards []struct {
		Data  bool
		Index int
	}
	if json.Unmarshal(param, &boards) != nil {
		return "MissingParam"
	}
	for _, b := range boards {
		if err := h.rig.Do(sim.Action{Kind: sim.DoBoard, Index: b.Index, On: b.Data}); err != nil {
			return "InvalidBoardId"
		}
	}
	return nil
}

func (h handler) coin(param json.RawMessage) any {
	var in struct {
		Coin           string
		StratumConfigs []struct{ Pool, Login, Password string } `json:"stratum_configs"`
	}
	if json.Unmarshal(param, &in) != nil || !strings.EqualFold(in.Coin, "BTC") || len(in.StratumConfigs) == 0 || len(in.StratumConfigs) > 3 {
		return "InvalidPoolConfig"
	}
	var pools []sim.PoolSnapshot
	for i, c := range in.StratumConfigs {
		if c.Pool == "" {
			return obj{"InvalidPoolAddr": c.Pool}
		}
		pools = append(pools, sim.PoolSnapshot{URL: c.Pool, User: c.Login, Password: c.Password, Alive: true, Active: i == 0})
	}
	return h.do(sim.Action{Kind: sim.DoPools, Pools: pools})
}

// tune takes clock and voltage as text, and goes to the nearest point of the
// rig's own curve.
func (h handler) tune(param json.RawMessage) any {
	var in struct{ Clks, Voltage string }
	if json.Unmarshal(param, &in) != nil {
		return "MissingParam"
	}
	clk, err1 := strconv.ParseFloat(in.Clks, 64)
	mv, err2 := strconv.ParseFloat(in.Voltage, 64)
	if err1 != nil || err2 != nil {
		return "MissingParam"
	}
	near := slices.MinFunc(h.rig.Profiles(), func(a, b sim.ProfileSpec) int {
		return cmp.Compare(math.Abs(clockOf(a)-clk), math.Abs(clockOf(b)-clk))
	})
	if e := h.do(sim.Action{Kind: sim.DoProfile, Text: near.Name, Power: near.Power}); e != nil {
		return e
	}
	h.tuning().set(func(t *tuning) { t.running, t.clock, t.millivolt = false, clk, mv })
	return nil
}

func (h handler) perpetual(param json.RawMessage) any {
	var on bool
	if json.Unmarshal(param, &on) != nil {
		return "MissingParam"
	}
	h.tuning().set(func(t *tuning) { t.running = on })
	return nil
}

func (h handler) algorithm(param json.RawMessage) any {
	var in struct {
		Algo   string
		Target float64
	}
	if json.Unmarshal(param, &in) != nil || in.Target <= 0 {
		return "MissingParam"
	}
	set := tuning{algorithm: in.Algo, target: in.Target, unit: "TH/s", running: true}
	switch in.Algo {
	case "VoltageOptimizer", "ChipTune", "BoardTune":
		near := slices.MinFunc(h.rig.Profiles(), func(a, b sim.ProfileSpec) int {
			return cmp.Compare(math.Abs(targetOf(a)-in.Target), math.Abs(targetOf(b)-in.Target))
		})
		if e := h.do(sim.Action{Kind: sim.DoProfile, Text: near.Name, Power: near.Power}); e != nil {
			return e
		}
	case "Power", "PowerTune":
		if h.old() {
			return obj{"InvalidMethod": in.Algo}
		}
		err := h.rig.Do(sim.Action{Kind: sim.DoPower, Power: unit.Power(in.Target)})
		if errors.Is(err, sim.ErrOutOfRange) {
			return obj{"UnknownError": "target out of range"}
		} else if err != nil {
			return obj{"UnknownError": err.Error()}
		}
		set.unit = "W"
	default:
		return obj{"InvalidMethod": in.Algo}
	}
	h.tuning().set(func(t *tuning) { *t = set })
	return nil
}
