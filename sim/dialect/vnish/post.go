package vnish

import (
	"encoding/json"
	"net/http"

	"ballast/sim"
)

func (h handler) posts() map[string]func([]byte) (int, any) {
	posts := map[string]func([]byte) (int, any){
		"mining/start":   h.act(sim.DoWake),
		"mining/stop":    h.act(sim.DoSleep),
		"mining/pause":   h.act(sim.DoSleep),
		"mining/resume":  h.act(sim.DoWake),
		"mining/restart": h.restart,
		"system/reboot":  h.reboot,
		"find-miner":     h.findMiner,
		"settings":       h.save,
	}
	if h.is13() {
		posts["mining/throttle"], posts["locate-miner"] = h.throttle, h.findMiner
	}
	return posts
}

func (h handler) act(kind sim.ActionKind) func([]byte) (int, any) {
	return func([]byte) (int, any) {
		h.force()
		return h.do(sim.Action{Kind: kind})
	}
}

func (h handler) do(a sim.Action) (int, any) {
	if err := h.rig.Do(a); err != nil {
		return http.StatusInternalServerError, obj{"err": err.Error()}
	}
	return http.StatusOK, nil
}

// force puts the configured preset in force, which happens when mining starts.
func (h handler) force() {
	m := h.memory()
	m.mu.Lock()
	name, due := m.preset, m.pending
	m.pending = false
	m.mu.Unlock()
	if !due {
		return
	}
	for _, p := range h.rig.Profiles() {
		if p.Name == name {
			_ = h.rig.Do(sim.Action{Kind: sim.DoProfile, Text: p.Name, Power: p.Power})
		}
	}
}

func (h handler) restart([]byte) (int, any) {
	h.force()
	return h.do(sim.Action{Kind: sim.DoRestart})
}

func (h handler) reboot([]byte) (int, any) {
	h.force()
	if status, out := h.do(sim.Action{Kind: sim.DoReboot}); status != http.StatusOK {
		return status, out
	}
	m := h.memory()
	m.mu.Lock()
	clear(m.tokens)
	m.mu.Unlock()
	return http.StatusOK, obj{"after": 3}
}

// findMiner toggles the light; 1.3 listens to what is wanted.
func (h handler) findMiner(body []byte) (int, any) {
	on := !h.rig.Snapshot().Locating
	var in struct{ On *bool }
	if h.is13() && json.Unmarshal(body, &in) == nil && in.On != nil {
		on = *in.On
	}
	if status, out := h.do(sim.Action{Kind: sim.DoLocate, On: on}); status != http.StatusOK {
		return status, out
	}
	return http.StatusOK, obj{"on": on}
}

func (h handler) throttle(body []byte) (int, any) {
	var in struct{ Percent int }
	if json.Unmarshal(body, &in) != nil || in.Percent < 20 || in.Percent > 100 {
		return http.StatusInternalServerError, obj{"err": "percent must be 20 to 100"}
	}
	m := h.memory()
	m.mu.Lock()
	m.percent = in.Percent
	m.mu.Unlock()
	if status, out := h.do(sim.Action{Kind: sim.DoPercent, Percent: float64(in.Percent)}); status != http.StatusOK {
		return status, out
	}
	return http.StatusOK, obj{"restart_required": false, "reboot_required": false}
}

// save takes what it understands of the settings and says the same to everything.
func (h handler) save(body []byte) (int, any) {
	var in struct {
		Miner struct {
			Overclock *struct{ Preset *string }
			Pools     []struct{ URL, User, Pass string }
		}
	}
	if json.Unmarshal(body, &in) != nil {
		return http.StatusInternalServerError, obj{"err": "parsing the settings"}
	}
	m := h.memory()
	if o := in.Miner.Overclock; o != nil && o.Preset != nil {
		for _, p := range h.rig.Profiles() {
			if p.Name == *o.Preset {
				m.mu.Lock()
				m.preset, m.pending = p.Name, true
				m.mu.Unlock()
			}
		}
	}
	if in.Miner.Pools != nil && len(in.Miner.Pools) <= 3 {
		var pools []sim.PoolSnapshot
		for i, p := range in.Miner.Pools {
			if p.URL != "" {
				pools = append(pools, sim.PoolSnapshot{URL: p.URL, User: p.User, Password: p.Pass, Alive: true, Active: i == 0})
			}
		}
		if len(pools) > 0 {
			_ = h.rig.Do(sim.Action{Kind: sim.DoPools, Pools: pools})
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return http.StatusOK, obj{"restart_required": false, "reboot_required": false}
}
