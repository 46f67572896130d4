package braiins

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"ballast/sim"
	"ballast/unit"
)

// webHandler is the HTTP server on port 80.
type webHandler struct{ m *machine }

const page = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Braiins OS</title></head><body><div id="app"></div></body></html>`

func (h webHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := h.m
	switch path := r.URL.Path; {
	case path == "/" || path == "/index.html":
		w.Header()["Content-Type"] = []string{"text/html"}
		_, _ = w.Write([]byte(page))
	case path == "/graphql":
		m.serveGraphQL(w, r)
	case strings.HasPrefix(path, "/cgi-bin/luci") && m.at().before(23, 3):
		m.serveLuCI(w, r)
	case strings.HasPrefix(path, "/api/v1/") && !m.at().before(25, 7):
		m.serveREST(w, r, strings.TrimSuffix(strings.TrimPrefix(path, "/api/v1/"), "/"))
	default:
		refuse(w, http.StatusNotFound, "")
	}
}

// serveLuCI is what is left of OpenWrt's web pages: a sign-in and the state of
// the network interface.
func (m *machine) serveLuCI(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("User-Agent") != "BTC Tools v0.1" {
		refuse(w, http.StatusForbidden, "")
		return
	}
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil || !m.accepts(r.PostForm.Get("luci_username"), r.PostForm.Get("luci_password")) {
			refuse(w, http.StatusForbidden, "")
			return
		}
		w.Header().Set("Set-Cookie", "session_id="+m.newToken()+"; path=/cgi-bin/luci")
		w.Header().Set("Location", "/cgi-bin/luci")
		refuse(w, http.StatusFound, "")
		return
	}
	c, err := r.Cookie("session_id")
	switch {
	case err != nil || !m.knows(c.Value):
		refuse(w, http.StatusForbidden, "")
	case r.URL.Path == "/cgi-bin/luci/admin/network/iface_status/lan":
		d := doc("[")
		d.object()
		d.text("id", "lan")
		d.text("proto", "dhcp")
		d.int("uptime", int64(m.rig.Snapshot().Uptime.Seconds()))
		d.text("ifname", "br-lan")
		d.text("type", "ethernet")
		d.text("macaddr", strings.ToUpper(m.rig.Spec().MAC))
		d.bool("is_up", true)
		d.close()
		d.endList()
		answer(w, d)
	default:
		refuse(w, http.StatusNotFound, "")
	}
}

func refuse(w http.ResponseWriter, status int, words string) {
	if words != "" {
		w.Header()["Content-Type"] = []string{"text/plain; charset=utf-8"}
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(words))
}

func answer(w http.ResponseWriter, d doc) {
	w.Header()["Content-Type"] = []string{"application/json"}
	_, _ = w.Write(d)
}

// body reads a request's JSON. Numbers keep their digits.
func body(r *http.Request, into any) error {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

func (m *machine) serveREST(w http.ResponseWriter, r *http.Request, path string) {
	switch path {
	case "auth/login":
		m.login(w, r)
		return
	case "version":
		d := make(doc, 0, 64)
		d.object()
		d.int("major", 1)
		d.int("minor", m.at().restVersion())
		d.int("patch", 0)
		d.close()
		answer(w, d)
		return
	}
	if !m.knows(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
		refuse(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	switch r.Method {
	case http.MethodGet:
		if m.get(w, path) {
			return
		}
	case http.MethodPut, http.MethodPatch:
		if m.put(w, r, path) {
			return
		}
	}
	refuse(w, http.StatusNotFound, "")
}

func (m *machine) login(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Username *string `json:"username"`
		Password *string `json:"password"`
	}
	if r.Method != http.MethodPost {
		refuse(w, http.StatusMethodNotAllowed, "")
		return
	}
	if err := body(r, &in); err != nil || in.Username == nil || in.Password == nil {
		refuse(w, http.StatusUnprocessableEntity, "Failed to deserialize the JSON body into the target type")
		return
	}
	if !m.accepts(*in.Username, *in.Password) {
		refuse(w, http.StatusUnauthorized, "Bad credentials")
		return
	}
	d := make(doc, 0, 64)
	d.object()
	d.text("token", m.newToken())
	d.int("timeout_s", int64(tokenLife.Seconds()))
	d.close()
	answer(w, d)
}

// get answers a reading request; false when there is no such resource.
func (m *machine) get(w http.ResponseWriter, path string) bool {
	d := make(doc, 0, 4096)
	s := m.rig.Snapshot()
	switch path {
	case "miner/details":
		m.details(&d, &s)
	case "miner/status":
		d.object()
		d.int("status", int64(m.status(&s)))
		d.close()
	case "miner/stats":
		m.stats(&d, &s)
	case "miner/hw/hashboards":
		m.hashboards(&d, &s)
	case "miner/errors":
		m.errors(&d, &s)
	case "cooling/state":
		m.cooling(&d, &s)
	case "performance/tuner-state":
		m.tunerState(&d, &s)
	case "performance/target-profiles":
		m.profiles(&d)
	case "performance/mode":
		d.object()
		d.open("tunermode")
		d.open("target")
		d.open("powertarget")
		d.watts("power_target", m.powerTarget(&s))
		d.close()
		d.close()
		d.close()
		d.close()
	case "configuration/constraints":
		m.constraints(&d)
	case "configuration/miner":
		m.configuration(&d, &s)
	case "pools":
		m.pools(&d, &s)
	case "network":
		m.network(&d)
	case "actions/locate":
		d = strconv.AppendBool(d, s.Locating)
	case "license/license":
		d.object()
		d.open("state")
		d.open("valid")
		d.int("type", 1)
		d.text("contract_name", "Standard")
		d.int("time_to_restricted", 86400)
		d.open("dev_fee")
		d.int("bsp", 200)
		d.close()
		d.close()
		d.close()
		d.close()
	default:
		return false
	}
	answer(w, d)
	return true
}

// put answers a changing request; false when there is no such resource.
func (m *machine) put(w http.ResponseWriter, r *http.Request, path string) bool {
	act := func(a sim.Action, already bool) {
		if err := m.do(a); err != nil {
			refuse(w, http.StatusBadRequest, err.Error())
			return
		}
		answer(w, strconv.AppendBool(nil, already))
	}
	s := m.rig.Snapshot()
	switch path {
	case "actions/pause":
		act(sim.Action{Kind: sim.DoSleep}, s.Phase == sim.PhaseSleeping)
	case "actions/resume":
		if m.isStopped() {
			refuse(w, http.StatusInternalServerError, "BOSminer is not running")
			return true
		}
		act(sim.Action{Kind: sim.DoWake}, s.Phase == sim.PhaseHashing)
	case "actions/stop":
		already := m.isStopped()
		act(sim.Action{Kind: sim.DoSleep}, already)
		m.setStopped(true)
	case "actions/start":
		already := !m.isStopped()
		if already {
			answer(w, doc("true"))
			return true
		}
		act(sim.Action{Kind: sim.DoWake}, false)
	case "actions/restart":
		m.setStopped(false)
		act(sim.Action{Kind: sim.DoRestart}, true)
	case "actions/reboot":
		if err := m.do(sim.Action{Kind: sim.DoReboot}); err != nil {
			refuse(w, http.StatusInternalServerError, err.Error())
			return true
		}
		w.WriteHeader(http.StatusNoContent)
	case "actions/locate":
		var on bool
		if err := body(r, &on); err != nil {
			refuse(w, http.StatusUnprocessableEntity, "Failed to deserialize the JSON body into the target type")
			return true
		}
		act(sim.Action{Kind: sim.DoLocate, On: on}, on)
	case "pools/batch":
		m.putPools(w, r)
	case "miner/hw/hashboards":
		m.patchBoards(w, r)
	default:
		return m.putTarget(w, r, path, &s)
	}
	return true
}

// putTarget answers the resources of the tuner's set-point.
func (m *machine) putTarget(w http.ResponseWriter, r *http.Request, path string, s *sim.Snapshot) bool {
	var in struct {
		Watt *int64   `json:"watt"`
		Tera *float64 `json:"terahash_per_second"`
	}
	kind, how, _ := strings.Cut(strings.TrimPrefix(path, "performance/"), "/")
	if !strings.HasPrefix(path, "performance/") || kind != "power-target" && kind != "hashrate-target" {
		return false
	}
	if how != "default" {
		if err := body(r, &in); err != nil || (kind == "power-target") != (in.Watt != nil) || (kind == "hashrate-target") != (in.Tera != nil) {
			refuse(w, http.StatusUnprocessableEntity, "Failed to deserialize the JSON body into the target type")
			return true
		}
	}
	d := make(doc, 0, 64)
	d.object()
	var err error
	if kind == "power-target" {
		target := m.powerTarget(s)
		switch how {
		case "":
			target = *in.Watt
		case "default":
			_, target, _ = m.limits()
		case "increment":
			target += *in.Watt
		case "decrement":
			target -= *in.Watt
		default:
			return false
		}
		err = m.setPower(target)
		d.int("watt", target)
	} else {
		target := m.rateTarget()
		switch how {
		case "":
			target = unit.Hashrate(*in.Tera)
		case "default":
			target = m.rig.Spec().Model.Hashrate
		case "increment":
			target += unit.Hashrate(*in.Tera)
		case "decrement":
			target -= unit.Hashrate(*in.Tera)
		default:
			return false
		}
		err = m.setRate(target)
		d.float("terahash_per_second", target.TH())
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return true
	}
	d.close()
	answer(w, d)
	return true
}

func (m *machine) putPools(w http.ResponseWriter, r *http.Request) {
	var groups []struct {
		Name  string `json:"name"`
		Pools []struct {
			URL      string `json:"url"`
			User     string `json:"user"`
			Password string `json:"password"`
		} `json:"pools"`
	}
	if err := body(r, &groups); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "Failed to deserialize the JSON body into the target type")
		return
	}
	var pools []sim.PoolSnapshot
	name := "default"
	for _, g := range groups {
		name = g.Name
		for _, p := range g.Pools {
			if !validPool(p.URL) {
				refuse(w, http.StatusBadRequest, "Invalid pool URL")
				return
			}
			pools = append(pools, sim.PoolSnapshot{URL: p.URL, User: p.User, Password: p.Password})
		}
	}
	if err := m.setPools(name, pools); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	s := m.rig.Snapshot()
	d := make(doc, 0, 1024)
	d = append(d, '[')
	d.object()
	d.text("uid", m.groupUID())
	d.text("name", name)
	d.list("pools")
	for i, p := range s.Pools {
		d.object()
		d.text("uid", m.poolUID(i))
		d.text("url", p.URL)
		d.text("user", p.User)
		d.orNull("password", p.Password)
		d.bool("enabled", true)
		d.close()
	}
	d.endList()
	d.close()
	d.endList()
	answer(w, d)
}

// validPool is what Braiins OS takes for a pool's address.
func validPool(url string) bool {
	scheme, host, ok := strings.Cut(url, "://")
	return ok && host != "" && strings.HasPrefix(scheme, "stratum")
}

func (m *machine) patchBoards(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Enable bool     `json:"enable"`
		IDs    []string `json:"hashboard_ids"`
	}
	if err := body(r, &in); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "Failed to deserialize the JSON body into the target type")
		return
	}
	d := make(doc, 0, 256)
	d.object()
	d.list("hashboards")
	for _, id := range in.IDs {
		i, ok := m.boardIndex(id)
		if !ok {
			refuse(w, http.StatusNotFound, "Hashboard "+id+" not found")
			return
		}
		if err := m.do(sim.Action{Kind: sim.DoBoard, Index: i, On: in.Enable}); err != nil {
			refuse(w, http.StatusBadRequest, err.Error())
			return
		}
		d.object()
		d.text("id", id)
		d.bool("is_enabled", in.Enable)
		d.close()
	}
	d.endList()
	d.close()
	answer(w, d)
}
