package braiins

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/unit"
)

// rest speaks the public API over HTTP.
type rest struct {
	web     *web
	token   string
	slashed bool // whether this machine wants "/pools/" and not "/pools"
}

// restPaths are the resources by the names of their replies.
var restPaths = map[string]string{
	"miner_details":               "miner/details",
	"miner_stats":                 "miner/stats",
	"miner_status":                "miner/status",
	"miner_errors":                "miner/errors",
	"miner_hw_hashboards":         "miner/hw/hashboards",
	"cooling_state":               "cooling/state",
	"performance_tuner_state":     "performance/tuner-state",
	"performance_target_profiles": "performance/target-profiles",
	"configuration_miner":         "configuration/miner",
	"configuration_constraints":   "configuration/constraints",
	"actions_locate":              "actions/locate",
	"license_license":             "license/license",
	"pools":                       "pools",
	"network":                     "network",
	"version":                     "version",
}

// rooted tells the resources that the API's description writes with a slash at
// the end, while machines are known to answer without one.
func rooted(path string) bool { return path == "pools" || path == "network" || path == "version" }

func (c *rest) generation() string { return "rest" }

func (c *rest) plan() []ask { return publicPlan }

func (c *rest) close() {}

func (c *rest) fetch(ctx context.Context, name string) ([]byte, error) {
	r, err := c.call(ctx, http.MethodGet, restPaths[name], nil)
	if err != nil {
		return nil, err
	}
	return r.body, nil
}

// call sends a request with a token, and with a new one when the old has
// expired.
func (c *rest) call(ctx context.Context, method, path string, body []byte) (reply, error) {
	fresh := false
	if c.token == "" {
		if err := c.login(ctx); err != nil {
			return reply{}, err
		}
		fresh = true
	}
	for {
		r, err := c.send(ctx, method, path, body)
		if err != nil {
			return reply{}, fmt.Errorf("asking %s: %w", path, err)
		}
		if r.status == http.StatusUnauthorized && !fresh {
			if err := c.login(ctx); err != nil {
				return reply{}, err
			}
			fresh = true
			continue
		}
		if err := r.err(); err != nil {
			return reply{}, fmt.Errorf("asking %s: %w", path, err)
		}
		return r, nil
	}
}

// send sends one request, to the form of the path that this machine knows.
func (c *rest) send(ctx context.Context, method, path string, body []byte) (reply, error) {
	full := "/api/v1/" + path
	if rooted(path) && c.slashed {
		full += "/"
	}
	r, err := c.web.do(ctx, method, full, body, "Authorization", c.token)
	if err != nil || !rooted(path) || r.status != http.StatusNotFound && r.status/100 != 3 {
		return r, err
	}
	c.slashed = !c.slashed
	if full = strings.TrimSuffix(full, "/"); c.slashed {
		full += "/"
	}
	return c.web.do(ctx, method, full, body, "Authorization", c.token)
}

// login gets a token. It lives for an hour after its last use.
func (c *rest) login(ctx context.Context) error {
	c.token = ""
	user, password, err := signIn(c.web.target.Credentials)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"username": user, "password": password})
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	r, err := c.web.do(ctx, http.MethodPost, "/api/v1/auth/login", body)
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	if err := r.err(); err != nil {
		if r.status == http.StatusBadRequest { // how some versions call bad credentials
			return fmt.Errorf("signing in: %w", miner.ErrDenied)
		}
		return fmt.Errorf("signing in: %w", err)
	}
	c.token = gjson.GetBytes(r.body, "token").Str
	if c.token == "" {
		return fmt.Errorf("signing in: %w: no token in the reply", miner.ErrGarbage)
	}
	return nil
}

// apply sends a setting.
func (c *rest) apply(ctx context.Context, s miner.Setting, k known) error {
	put := func(path string, body any) (reply, error) {
		var b []byte
		if body != nil {
			var err error
			if b, err = json.Marshal(body); err != nil {
				return reply{}, fmt.Errorf("writing the request: %w", err)
			}
		}
		return c.call(ctx, http.MethodPut, path, b)
	}
	act := func(path string) error { _, err := put(path, nil); return err }
	switch s.Kind {
	case miner.SetPower, miner.SetProfile:
		power, rate := s.Power, unit.Hashrate(0)
		if s.Kind == miner.SetProfile {
			power, rate, _ = profileTarget(s.Profile)
		}
		if rate > 0 {
			r, err := put("performance/hashrate-target", map[string]float64{"terahash_per_second": rate.TH()})
			if err != nil {
				return err
			}
			return taken(gjson.GetBytes(r.body, "terahash_per_second"), rate.TH(), "TH/s")
		}
		r, err := put("performance/power-target", map[string]int64{"watt": int64(power)})
		if err != nil {
			return err
		}
		return taken(gjson.GetBytes(r.body, "watt"), float64(int64(power)), "W")
	case miner.SetSleep:
		return act("actions/pause")
	case miner.SetWake:
		if k.stopped {
			return act("actions/start")
		}
		return act("actions/resume")
	case miner.SetReboot:
		return act("actions/reboot")
	case miner.SetRestart:
		return act("actions/restart")
	case miner.SetPools:
		_, err := put("pools/batch", restPools(s.Pools, k.group))
		return err
	case miner.SetLocate:
		_, err := put("actions/locate", s.On)
		return err
	}
	return miner.ErrUnsupported
}

// taken compares the set-point that the machine answers with the one it was
// given: it may have its own idea.
func taken(got gjson.Result, want float64, unit string) error {
	x, ok := number(got).Get()
	if !ok || x-want < 0.5 && want-x < 0.5 {
		return nil
	}
	return fmt.Errorf("%w: it set %s%s instead of %s%s", miner.ErrRefused,
		strconv.FormatFloat(x, 'f', -1, 64), unit, strconv.FormatFloat(want, 'f', -1, 64), unit)
}

// restPools is the body that replaces all pool groups by one.
func restPools(pools []miner.PoolSetting, group string) any {
	type pool struct {
		URL      string `json:"url"`
		User     string `json:"user"`
		Password string `json:"password,omitempty"`
		Enabled  bool   `json:"enabled"`
	}
	list := make([]pool, len(pools))
	for i, p := range pools {
		list[i] = pool{p.URL, p.User, string(p.Password), true}
	}
	return []map[string]any{{
		"name":                  group,
		"load_balance_strategy": map[string]any{"quota": map[string]int{"value": 1}},
		"pools":                 list,
	}}
}
