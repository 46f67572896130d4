package whatsminer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"ballast/miner"
)

// mostPools is how many pools the firmware holds.
const mostPools = 3

// order is a setting in the words of both APIs.
type order struct {
	v2    map[string]any // nil: API v2 cannot do it
	v3    string
	param any
	// quiet is set for orders that stop or restart what would answer: several
	// firmwares close the connection, or fall silent, after having obeyed.
	quiet bool
}

// Apply sends one setting.
func (d *Device) Apply(ctx context.Context, s miner.Setting) error {
	if d.target.Credentials.Password == "" {
		return fmt.Errorf("setting %s: %w", s, errNoPassword)
	}
	if err := d.enter(ctx); err != nil {
		return err
	}
	defer d.leave()
	if err := d.apply(ctx, s); err != nil {
		return fmt.Errorf("setting %s: %w", s, err)
	}
	d.afresh = true
	return nil
}

func (d *Device) apply(ctx context.Context, s miner.Setting) error {
	if d.limits == nil && needsRange(s.Kind) || d.speaks == apiUnknown {
		if _, err := d.read(ctx); err != nil {
			return err
		}
	}
	if d.limits != nil && !d.limits.Can(s.Kind) {
		return fmt.Errorf("%w: %s", miner.ErrUnsupported, s.Kind)
	}
	o, err := d.order(s)
	if err != nil {
		return err
	}
	if d.speaks == apiV2 {
		if o.v2 == nil {
			return fmt.Errorf("%w: by API %s", miner.ErrUnsupported, d.version)
		}
		return d.writeV2(ctx, o.v2, o.quiet)
	}
	err = d.writeV3(ctx, o.v3, o.param, o.quiet)
	if errors.Is(err, miner.ErrUnsupported) && o.v2 != nil && !d.noV2 {
		// Early v3 firmware does not know every command yet, and still takes
		// v2's.
		if err2 := d.writeV2(ctx, o.v2, o.quiet); err2 == nil {
			return nil
		}
	}
	return err
}

func needsRange(k miner.Kind) bool { return k == miner.SetPower || k == miner.SetProfile }

// order translates a setting, refusing what is out of range.
func (d *Device) order(s miner.Setting) (order, error) {
	switch s.Kind {
	case miner.SetPower:
		return d.power(s)
	case miner.SetProfile:
		return d.percent(s.Profile)
	case miner.SetMode:
		switch s.Mode {
		case miner.ModeLow, miner.ModeNormal, miner.ModeHigh:
			return order{v2: cmd("set_" + s.Mode + "_power"), v3: "set.miner.power_mode", param: s.Mode, quiet: true}, nil
		}
		return order{}, fmt.Errorf("%w: mode %q is none of low, normal, high", miner.ErrRefused, s.Mode)
	case miner.SetSleep:
		return order{v2: cmd("power_off", "respbefore", "true"), v3: "set.miner.service", param: "stop", quiet: true}, nil
	case miner.SetWake:
		return order{v2: cmd("power_on"), v3: "set.miner.service", param: "start"}, nil
	case miner.SetRestart:
		return order{v2: cmd("restart_btminer"), v3: "set.miner.service", param: "restart", quiet: true}, nil
	case miner.SetReboot:
		return order{v2: cmd("reboot"), v3: "set.system.reboot", quiet: true}, nil
	case miner.SetLocate:
		return locate(s.On), nil
	case miner.SetPools:
		return pools(s.Pools)
	}
	return order{}, fmt.Errorf("%w: %s", miner.ErrUnsupported, s.Kind)
}

func (d *Device) power(s miner.Setting) (order, error) {
	if e := d.limits; e != nil {
		low, high := e.PowerMin.Or(0), e.PowerMax.Or(99999)
		if !(s.Power >= low && s.Power <= high) {
			return order{}, fmt.Errorf("%w: %v is outside %v to %v", miner.ErrRefused, s.Power, low, high)
		}
	}
	if !(s.Power >= 1 && s.Power < 99998) { // 99999 lifts the limit
		return order{}, fmt.Errorf("%w: %v is no power limit", miner.ErrRefused, s.Power)
	}
	watts := int(math.Round(float64(s.Power)))
	return order{v2: cmd("adjust_power_limit", "power_limit", strconv.Itoa(watts)), v3: "set.miner.power_limit", param: watts}, nil
}

// percent is a percentage of the machine's stable power, such as "80%", reached
// in the way that keeps its efficiency.
func (d *Device) percent(profile string) (order, error) {
	words := strings.TrimSpace(profile)
	n, err := strconv.Atoi(strings.TrimSuffix(words, "%"))
	if err != nil || !strings.HasSuffix(words, "%") {
		return order{}, fmt.Errorf("%w: profile %q: want a percentage such as \"80%%\"", miner.ErrRefused, profile)
	}
	if n < lowestPercent || n > 100 {
		return order{}, fmt.Errorf("%w: %d%% is outside %d%% to 100%%", miner.ErrRefused, n, lowestPercent)
	}
	// The firmware reads the number as a text, whatever the document says.
	o := order{v3: "set.miner.power_percent", param: map[string]string{"percent": strconv.Itoa(n), "mode": "normal"}}
	switch {
	case atLeast(d.version, 2, 0, 5):
		o.v2 = cmd("set_power_pct_v2", "percent", strconv.Itoa(n))
	case atLeast(d.version, 2, 0, 4):
		o.v2 = cmd("set_power_pct", "percent", strconv.Itoa(n))
	}
	return o, nil
}

// locate lets the red light flash five times a second.
func locate(on bool) order {
	if !on {
		return order{v2: cmd("set_led", "param", "auto"), v3: "set.system.led", param: "auto"}
	}
	v2 := map[string]any{"cmd": "set_led", "color": "red", "period": 200, "duration": 100, "start": 0}
	v3 := []map[string]any{{"color": "red", "period": 200, "duration": 100, "start": 0}}
	return order{v2: v2, v3: "set.system.led", param: v3}
}

func pools(list []miner.PoolSetting) (order, error) {
	if len(list) == 0 || len(list) > mostPools {
		return order{}, fmt.Errorf("%w: %d pools; the machine holds 1 to %d", miner.ErrRefused, len(list), mostPools)
	}
	v2 := cmd("update_pools")
	v3 := make([]map[string]string, 0, mostPools)
	for i := range mostPools {
		var p miner.PoolSetting
		if i < len(list) {
			p = list[i]
			if p.URL == "" {
				return order{}, fmt.Errorf("%w: pool %d has no URL", miner.ErrRefused, i)
			}
			v3 = append(v3, map[string]string{"pool": p.URL, "worker": p.User, "passwd": string(p.Password)})
		}
		n := strconv.Itoa(i + 1)
		v2["pool"+n], v2["worker"+n], v2["passwd"+n] = p.URL, p.User, string(p.Password)
	}
	return order{v2: v2, v3: "set.miner.pools", param: v3}, nil
}

// cmd is a v2 command with pairs of parameters.
func cmd(name string, pairs ...string) map[string]any {
	c := map[string]any{"cmd": name}
	for i := 0; i+1 < len(pairs); i += 2 {
		c[pairs[i]] = pairs[i+1]
	}
	return c
}
