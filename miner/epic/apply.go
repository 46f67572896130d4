package epic

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/miner/internal/web"
	"ballast/unit"
)

// mostPools is PowerPlay's own limit.
const mostPools = 3

// Apply sends one setting.
func (d *Device) Apply(ctx context.Context, set miner.Setting) error {
	s := d.open()
	defer s.Close()
	if err := d.apply(ctx, s, set); err != nil {
		return fmt.Errorf("setting %v on an ePIC machine: %w", set, err)
	}
	d.forget()
	return nil
}

func (d *Device) apply(ctx context.Context, s *web.Session, set miner.Setting) error {
	switch set.Kind {
	case miner.SetSleep, miner.SetWake, miner.SetReboot, miner.SetRestart, miner.SetLocate:
	case miner.SetPools:
		if err := cgminer.CheckPools(set.Pools, mostPools); err != nil {
			return err
		}
	case miner.SetPower, miner.SetProfile:
	default:
		return miner.ErrUnsupported
	}
	if d.target.Credentials.Password == "" {
		return fmt.Errorf("%w: PowerPlay wants a password; none is configured (credentials)", miner.ErrDenied)
	}
	switch set.Kind {
	case miner.SetSleep:
		return d.post(ctx, s, "/miner", "Stop")
	case miner.SetWake:
		return d.post(ctx, s, "/miner", "Autostart")
	case miner.SetReboot:
		return d.post(ctx, s, "/reboot", 1) // in a second: at once would cut off the reply
	case miner.SetRestart:
		return d.post(ctx, s, "/softreboot", nil)
	case miner.SetLocate:
		return d.post(ctx, s, "/identify", set.On)
	case miner.SetPools:
		return d.setPools(ctx, s, set.Pools)
	case miner.SetPower:
		return d.setPower(ctx, s, set.Power)
	}
	return d.setPreset(ctx, s, set.Profile)
}

// post sends one command. A machine that understands answers with HTTP 200 and
// says in the body whether it will.
func (d *Device) post(ctx context.Context, s *web.Session, path string, param any) error {
	password := string(d.target.Credentials.Password)
	body, err := json.Marshal(map[string]any{"param": param, "password": password})
	if err != nil {
		return fmt.Errorf("writing %s: %w: %w", path, miner.ErrRefused, err)
	}
	reply, err := s.Do(ctx, web.Request{Method: http.MethodPost, Path: path, Body: body})
	if err != nil {
		return err
	}
	result := gjson.GetBytes(reply.Body, "result")
	if !gjson.ValidBytes(reply.Body) || !result.Exists() {
		if reply.Status == http.StatusNotFound {
			return fmt.Errorf("%s: %w by this version of PowerPlay", path, miner.ErrUnsupported)
		}
		return fmt.Errorf("%s: %w: status %d", path, miner.ErrGarbage, reply.Status)
	}
	if result.Bool() {
		return nil
	}
	name, words := apiError(gjson.GetBytes(reply.Body, "error"))
	words = strings.ReplaceAll(words, password, "[hidden]")
	switch name {
	case "BadPassword":
		return fmt.Errorf("%s: %w", path, miner.ErrDenied)
	case "LastCmdStillPending", "SystemUpdateInProgress":
		return fmt.Errorf("%s: %w: %s", path, miner.ErrBusy, words)
	case "InvalidUrl", "InvalidMethod":
		return fmt.Errorf("%s: %w by this version of PowerPlay", path, miner.ErrUnsupported)
	}
	return fmt.Errorf("%s: %w: %s", path, miner.ErrRefused, words)
}

// apiError is an error's name and words: "BadPassword", or
// {"LastCmdStillPending":"Stop"}.
func apiError(v gjson.Result) (name, words string) {
	name, words = v.String(), v.String()
	if v.IsObject() {
		v.ForEach(func(k, d gjson.Result) bool {
			name, words = k.Str, k.Str+": "+d.String()
			return false
		})
	}
	if strings.EqualFold(strings.ReplaceAll(name, " ", ""), "badpassword") {
		name = "BadPassword"
	}
	const most = 160
	return name, strings.ToValidUTF8(words[:min(len(words), most)], "")
}

// now asks for the tuner's present setting, which a new one must not undo.
func (d *Device) now(ctx context.Context, s *web.Session) (*summary, error) {
	var p parts
	if err := fetch(ctx, s, &p, replySummary); err != nil {
		return nil, err
	}
	return p.summary, nil
}

func (d *Device) setPools(ctx context.Context, s *web.Session, pools []miner.PoolSetting) error {
	now, err := d.now(ctx, s)
	if err != nil {
		return err
	}
	type config struct {
		Pool     string `json:"pool"`
		Login    string `json:"login"`
		Password string `json:"password"`
	}
	configs := make([]config, len(pools))
	for i, p := range pools {
		configs[i] = config{p.URL, p.User, string(p.Password)}
	}
	coin, unique := "BTC", false
	for _, e := range now.extra {
		switch e.key {
		case "Coin":
			coin = strings.ToUpper(e.value)
		case "Worker Unique Id":
			unique = e.value == "true"
		}
	}
	return d.post(ctx, s, "/coin", map[string]any{"coin": coin, "stratum_configs": configs, "unique_id": unique})
}

func (d *Device) setPower(ctx context.Context, s *web.Session, watts unit.Power) error {
	p, err := d.capabilities(ctx, s)
	if err != nil {
		return err
	}
	a, ok := p.capabilities.powerTuner()
	if !ok {
		return fmt.Errorf("%w: this machine offers no power tuner", miner.ErrUnsupported)
	}
	if !(float64(watts) >= a.min && float64(watts) <= a.max) {
		return fmt.Errorf("%w: %v is outside %gW to %gW", miner.ErrRefused, watts, a.min, a.max)
	}
	now, err := d.now(ctx, s)
	if err != nil {
		return err
	}
	return d.tune(ctx, s, now.tuner, a.name, float64(watts))
}

// setPreset goes to a preset by the tuner that runs, if it aims at a hashrate
// that it can, else by setting the preset's clock and voltage.
func (d *Device) setPreset(ctx context.Context, s *web.Session, name string) error {
	p, err := d.capabilities(ctx, s)
	if err != nil {
		return err
	}
	var to *preset
	for i := range p.capabilities.presets {
		if p.capabilities.presets[i].name() == name {
			to = &p.capabilities.presets[i]
		}
	}
	switch {
	case len(p.capabilities.presets) == 0:
		return fmt.Errorf("%w: this machine has no presets", miner.ErrUnsupported)
	case to == nil:
		return fmt.Errorf("%w: no such preset: %q", miner.ErrRefused, name)
	}
	now, err := d.now(ctx, s)
	if err != nil {
		return err
	}
	if t := now.tuner; t.running.Or(false) {
		if !t.isPower() && p.capabilities.reaches(t.algorithm, float64(to.hashrate)) {
			return d.tune(ctx, s, t, t.algorithm, float64(to.hashrate))
		}
		if err := d.post(ctx, s, "/perpetualtune", false); err != nil {
			return err
		}
	}
	return d.post(ctx, s, "/tune", map[string]any{
		"clks":    strconv.FormatFloat(to.clockMHz, 'f', -1, 64),
		"voltage": strconv.FormatFloat(to.millivolt, 'f', -1, 64),
	})
}

// reaches tells whether a tuner takes a target.
func (c *capabilities) reaches(algorithm string, target float64) bool {
	for _, a := range c.algorithms {
		if a.name == algorithm {
			return target >= a.min && target <= a.max
		}
	}
	return len(c.algorithms) == 0
}

// tune sets the perpetual tuner, keeping how it throttles.
func (d *Device) tune(ctx context.Context, s *web.Session, now tuner, algorithm string, target float64) error {
	param := map[string]any{"algo": algorithm, "target": int64(math.Round(target))}
	if v, ok := now.minThrottle.Get(); ok && now.algorithm == algorithm {
		param["min_throttle"] = v
	}
	if v, ok := now.throttleStep.Get(); ok && now.algorithm == algorithm {
		param["throttle_step"] = v
	}
	return d.post(ctx, s, "/perpetualtune/algo", param)
}
