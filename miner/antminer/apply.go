package antminer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// mostPools is how many pools the configuration has room for.
const mostPools = 3

// settle times: a new mode or configuration restarts the mining process, which
// takes minutes to full hashrate.
var settle = miner.Settle{Sleep: 2 * time.Minute, Wake: 8 * time.Minute, Adjust: 8 * time.Minute, Reboot: 10 * time.Minute}

// idlePower is what an Antminer draws asleep: control board and fans at their
// slowest. Assumed; nobody publishes it for stock firmware.
const idlePower unit.Power = 25

// envelope is what a machine with this configuration can be set to.
func envelope(conf cgminer.Object, m miner.Model) miner.Envelope {
	e := miner.Envelope{
		Kinds:  []miner.Kind{miner.SetPools, miner.SetLocate, miner.SetRestart, miner.SetReboot},
		Settle: settle,
		Source: "assumed",
	}
	switch {
	case conf.Has("miner-mode") || conf.Has("bitmain-work-mode") && !isOldConf(conf):
		e.Kinds = append([]miner.Kind{miner.SetMode, miner.SetSleep, miner.SetWake}, e.Kinds...)
		e.Idle = unit.Some(idlePower)
		e.Steps = []miner.Step{modeStep(miner.ModeLow), modeStep(miner.ModeNormal), modeStep(miner.ModeHigh)}
		if m.Power > 0 {
			e.Steps[1].Power, e.Steps[1].Hashrate = unit.Some(m.Power), unit.Some(m.Hashrate)
			e.Source = "published"
		}
	case conf.Has("bitmain-work-mode"):
		e.Kinds = append([]miner.Kind{miner.SetSleep, miner.SetWake}, e.Kinds...)
		e.Idle = unit.Some(idlePower)
	}
	return e
}

func modeStep(mode string) miner.Step {
	return miner.Step{Setting: miner.Setting{Kind: miner.SetMode, Mode: mode}, Name: mode}
}

// isOldConf tells the configuration of the web interface before the S19's: it
// is set by a form, not by JSON, and has no frequency level.
func isOldConf(conf cgminer.Object) bool { return !conf.Has("bitmain-freq-level", "freq-level") }

// Envelope asks for the configuration. Without credentials nothing can be set.
func (d *device) Envelope(ctx context.Context) (miner.Envelope, error) {
	if d.cgi.signed == nil {
		return miner.Envelope{Settle: settle, Source: "assumed"}, nil
	}
	replies := miner.Replies{}
	for _, name := range []string{"get_miner_conf", "get_system_info"} {
		raw, err := d.cgi.get(ctx, name)
		if err != nil {
			return miner.Envelope{}, err
		}
		replies[name] = raw
	}
	r, err := d.driver.Parse(replies)
	if err != nil || r.Envelope == nil {
		return miner.Envelope{}, fmt.Errorf("asking for the configuration: %w: it has none of the fields known", miner.ErrGarbage)
	}
	return *r.Envelope, nil
}

// Apply sends one setting over CGI.
func (d *device) Apply(ctx context.Context, s miner.Setting) error {
	err := d.apply(ctx, s)
	if err == nil {
		d.forget()
	}
	return err
}

func (d *device) apply(ctx context.Context, s miner.Setting) error {
	switch s.Kind {
	case miner.SetMode:
		number, ok := map[string]int{miner.ModeLow: modeLow, miner.ModeNormal: modeNormal, miner.ModeHigh: modeHigh}[s.Mode]
		if !ok {
			return fmt.Errorf("setting the mode: %w: there is no mode %q", miner.ErrRefused, s.Mode)
		}
		return d.setConf(ctx, change{mode: unit.Some(number), step: true})
	case miner.SetSleep:
		return d.setConf(ctx, change{mode: unit.Some(modeSleep)})
	case miner.SetWake:
		return d.wake(ctx)
	case miner.SetPools:
		if err := cgminer.CheckPools(s.Pools, mostPools); err != nil {
			return fmt.Errorf("setting pools: %w", err)
		}
		return d.setConf(ctx, change{pools: s.Pools})
	case miner.SetRestart:
		return d.setConf(ctx, change{}) // writing the configuration back restarts the mining process
	case miner.SetReboot:
		return d.reboot(ctx)
	case miner.SetLocate:
		return d.locate(ctx, s.On)
	}
	return fmt.Errorf("setting %s: %w", s.Kind, miner.ErrUnsupported)
}

// wake returns to the mode before sleep, as far as it was seen.
func (d *device) wake(ctx context.Context) error {
	d.mu.Lock()
	mode := d.modeAwake
	d.mu.Unlock()
	number := modeNormal
	switch mode {
	case miner.ModeLow:
		number = modeLow
	case miner.ModeHigh:
		number = modeHigh
	}
	return d.setConf(ctx, change{mode: unit.Some(number)})
}

// change is what is to be different in the configuration.
type change struct {
	mode  unit.Opt[int]
	step  bool // mode is a step of power, not sleep or waking
	pools []miner.PoolSetting
}

// setConf reads the configuration, changes it and writes it back whole: what is
// left out of the form is lost on the machine.
func (d *device) setConf(ctx context.Context, c change) error {
	raw, err := d.cgi.get(ctx, "get_miner_conf")
	if err != nil {
		return err
	}
	fixed, _, ok := cgminer.Mend(raw)
	if !ok {
		return fmt.Errorf("reading the configuration: %w: %s", miner.ErrGarbage, cgminer.Excerpt(raw))
	}
	conf := cgminer.NewObject("get_miner_conf", gjson.ParseBytes(fixed))
	if conf.Empty() {
		return fmt.Errorf("reading the configuration: %w: it is empty", miner.ErrGarbage)
	}
	if c.mode.Ok() && !conf.Has("miner-mode", "bitmain-work-mode") {
		return fmt.Errorf("setting the work mode: %w: its configuration has none", miner.ErrUnsupported)
	}
	contentType, write := "application/json", newConf
	if isOldConf(conf) {
		contentType, write = "application/x-www-form-urlencoded", oldConf
	}
	body, err := write(conf, c)
	if err != nil {
		return err
	}
	answer, err := d.cgi.post(ctx, "set_miner_conf", contentType, body)
	if err != nil {
		return err
	}
	return judgeAnswer("writing the configuration", answer)
}

// newConf is the configuration as JSON: everything as it was, the frequency
// level under the name that the form has for it, and the mode under both.
func newConf(conf cgminer.Object, c change) ([]byte, error) {
	out := make(map[string]any, len(conf.Fields())+3)
	for _, f := range conf.Fields() {
		raw := f.Raw()
		if raw.Type == gjson.String {
			out[f.Key] = raw.Str
		} else {
			out[f.Key] = json.RawMessage(raw.Raw)
		}
	}
	if level := conf.Text("bitmain-freq-level", "freq-level"); level != "" {
		out["freq-level"] = level
	}
	mode, ok := c.mode.Get()
	if !ok {
		now, told := conf.Int("miner-mode", "bitmain-work-mode").Get()
		mode, ok = int(now), told
	}
	if ok {
		out["miner-mode"], out["bitmain-work-mode"] = mode, mode
	}
	if c.pools != nil {
		pools := make([]map[string]string, mostPools)
		for i := range pools {
			pools[i] = map[string]string{"url": "", "user": "", "pass": ""}
			if i < len(c.pools) {
				p := c.pools[i]
				pools[i] = map[string]string{"url": p.URL, "user": p.User, "pass": string(p.Password)}
			}
		}
		out["pools"] = pools
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("writing the configuration: %w: %w", miner.ErrGarbage, err)
	}
	return body, nil
}

// oldConf is the configuration as the form of S9 and S17.
func oldConf(conf cgminer.Object, c change) ([]byte, error) {
	if c.step {
		return nil, fmt.Errorf("setting the work mode: %w: this generation sleeps or does not", miner.ErrUnsupported)
	}
	form := url.Values{
		"_ant_nobeeper":             {"false"},
		"_ant_notempoverctrl":       {"false"},
		"_ant_fan_customize_switch": {"false"},
		"_ant_fan_customize_value":  {conf.Text("bitmain-fan-pwm")},
		"_ant_freq":                 {conf.Text("bitmain-freq")},
		"_ant_voltage":              {conf.Text("bitmain-voltage")},
	}
	for key, name := range map[string]string{"bitmain-nobeeper": "_ant_nobeeper", "bitmain-notempoverctrl": "_ant_notempoverctrl", "bitmain-fan-ctrl": "_ant_fan_customize_switch"} {
		if conf.Bool(key).Or(false) {
			form.Set(name, "true")
		}
	}
	for i := range mostPools {
		n := fmt.Sprintf("_ant_pool%d", i+1)
		var p miner.PoolSetting
		if c.pools == nil {
			if old := conf.List("pools"); i < len(old) {
				p = miner.PoolSetting{URL: old[i].Text("url"), User: old[i].Text("user"), Password: miner.Secret(old[i].Text("pass"))}
			}
		} else if i < len(c.pools) {
			p = c.pools[i]
		}
		form.Set(n+"url", p.URL)
		form.Set(n+"user", p.User)
		form.Set(n+"pw", string(p.Password))
	}
	if conf.Has("bitmain-work-mode") {
		mode := c.mode.Or(int(conf.Int("bitmain-work-mode").Or(modeNormal)))
		switch mode {
		case modeSleep:
			mode = modeOldSleep
		case modeLow, modeHigh: // seen under another firmware
			mode = modeNormal
		}
		form.Set("_ant_work_mode", fmt.Sprint(mode))
	}
	return []byte(form.Encode()), nil
}

// judgeAnswer reads {"stats":"success","code":"M000","msg":"OK!"}, the old "ok",
// and no answer at all, which is a yes.
func judgeAnswer(what string, answer []byte) error {
	text := strings.TrimSpace(string(bytes.Trim(answer, "\x00")))
	if text == "" || strings.EqualFold(text, "ok") {
		return nil
	}
	fixed, _, ok := cgminer.Mend([]byte(text))
	if !ok {
		return fmt.Errorf("%s: %w: %s", what, miner.ErrGarbage, cgminer.Excerpt(answer))
	}
	o := cgminer.NewObject("answer", gjson.ParseBytes(fixed))
	state, code, msg := strings.ToLower(o.Text("stats", "status")), o.Text("code"), o.Text("msg")
	switch {
	case state == "success", state == "s", state == "" && strings.HasSuffix(code, "00"), state == "" && o.Has("isBlinking"):
		return nil
	}
	return fmt.Errorf("%s: %w: %s %s", what, miner.ErrRefused, code, msg)
}

// reboot asks for a reboot. A machine that goes down before it answers did as
// it was told.
func (d *device) reboot(ctx context.Context) error {
	if _, err := d.cgi.get(ctx, "get_blink_status"); err != nil && !errors.Is(err, errNoEndpoint) {
		return err // so that a silence afterwards has one meaning
	}
	_, err := d.cgi.get(ctx, "reboot")
	if errors.Is(err, miner.ErrUnreachable) && ctx.Err() == nil {
		return nil
	}
	return err
}

// locate switches the blinking lights.
func (d *device) locate(ctx context.Context, on bool) error {
	answer, err := d.cgi.post(ctx, "blink", "application/json", fmt.Appendf(nil, `{"blink":"%t"}`, on))
	if err == nil && answersOldBlink(answer) {
		action := "stopBlink"
		if on {
			action = "startBlink"
		}
		answer, err = d.oldBlink(ctx, action)
	}
	if err != nil {
		return err
	}
	return judgeAnswer("switching the light", answer)
}

// answersOldBlink tells the S9's blink.cgi, which knows only actions, by its
// reply.
func answersOldBlink(answer []byte) bool { return bytes.Contains(answer, []byte("isBlinking")) }

func (d *device) oldBlink(ctx context.Context, action string) ([]byte, error) {
	return d.cgi.post(ctx, "blink", "application/x-www-form-urlencoded", []byte("action="+action))
}
