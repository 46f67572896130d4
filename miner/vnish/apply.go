package vnish

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/miner/internal/web"
)

// mostPoolsSet is how many pools the firmware's own page has room for.
const mostPoolsSet = 3

// Apply sends one setting.
func (d *Device) Apply(ctx context.Context, set miner.Setting) error {
	s := d.open()
	defer s.Close()
	if err := s.apply(ctx, set); err != nil {
		return fmt.Errorf("setting %v on a VNish machine: %w", set, err)
	}
	d.forget()
	return nil
}

func (s session) apply(ctx context.Context, set miner.Setting) error {
	switch set.Kind {
	case miner.SetSleep:
		return s.post(ctx, "mining/stop")
	case miner.SetWake:
		return s.post(ctx, "mining/start")
	case miner.SetRestart:
		return s.post(ctx, "mining/restart")
	case miner.SetReboot:
		return s.post(ctx, "system/reboot")
	case miner.SetLocate:
		return s.locate(ctx, set.On)
	case miner.SetPools:
		if err := cgminer.CheckPools(set.Pools, mostPoolsSet); err != nil {
			return err
		}
		return s.setPools(ctx, set.Pools)
	case miner.SetProfile:
		return s.setPreset(ctx, set.Profile)
	}
	return miner.ErrUnsupported
}

// post sends a command without a body.
func (s session) post(ctx context.Context, path string) error {
	reply, err := s.call(ctx, http.MethodPost, path, nil, true)
	if err != nil {
		return err
	}
	return s.check(path, reply)
}

// check tells an acknowledgement from a refusal.
func (s session) check(path string, reply web.Reply) error {
	switch {
	case reply.Status >= 200 && reply.Status < 300:
		return nil
	case reply.Status == http.StatusNotFound || reply.Status == http.StatusMethodNotAllowed:
		return fmt.Errorf("%s: %w by this version of VNish", path, miner.ErrUnsupported)
	case reply.Status == http.StatusTooManyRequests:
		return fmt.Errorf("%s: %w", path, miner.ErrBusy)
	}
	words := gjson.GetBytes(reply.Body, "err").String()
	if words == "" {
		words = http.StatusText(reply.Status)
	}
	const most = 160
	words = strings.ToValidUTF8(words[:min(len(words), most)], "")
	words = strings.ReplaceAll(words, string(s.d.target.Credentials.Password), "[hidden]")
	return fmt.Errorf("%s: %w: status %d: %s", path, miner.ErrRefused, reply.Status, words)
}

// locate switches the light. find-miner takes the wanted state since 1.3 and
// toggles before, so its answer decides whether it has to be sent again.
func (s session) locate(ctx context.Context, on bool) error {
	var now parts
	if err := s.fetch(ctx, &now, replyStatus); err != nil {
		return err
	}
	body := fmt.Appendf(nil, `{"on":%v}`, on)
	lit := now.status.locating.Or(!on)
	for range 2 {
		if lit == on {
			// Also when it was so before: a password is still wanted.
			_, err := s.signedIn(ctx)
			return err
		}
		reply, err := s.call(ctx, http.MethodPost, "find-miner", body, true)
		if err != nil {
			return err
		}
		if err := s.check("find-miner", reply); err != nil {
			return err
		}
		told := gjson.GetBytes(reply.Body, "on")
		if !told.IsBool() {
			return nil // 1.2 may answer nothing: a reading will show
		}
		lit = told.Bool()
	}
	if lit != on {
		return fmt.Errorf("find-miner: %w: the light stays as it is", miner.ErrRefused)
	}
	return nil
}

// signedIn makes sure that the password is good.
func (s session) signedIn(ctx context.Context) (string, error) {
	s.d.mu.Lock()
	token := s.d.token
	s.d.mu.Unlock()
	if token != "" {
		return token, nil
	}
	return s.unlock(ctx)
}

// save posts a part of the settings. The answer is the same whether it is taken
// or not.
func (s session) save(ctx context.Context, part map[string]any) error {
	body, err := json.Marshal(map[string]any{"miner": part})
	if err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	reply, err := s.call(ctx, http.MethodPost, "settings", body, true)
	if err != nil {
		return err
	}
	return s.check("settings", reply)
}

// settle restarts mining after a setting that asks for it, unless the machine
// sleeps: it is not to be woken, and will start with the setting.
func (s session) settle(ctx context.Context) error {
	var now parts
	if err := s.fetch(ctx, &now, replyStatus); err != nil {
		return err
	}
	due := false
	for _, e := range now.status.extras {
		due = due || e.key == "restart_required" && e.value == "true"
	}
	if !due || stateOf(now.status.state, &miner.Reading{}) == miner.Sleeping {
		return nil
	}
	return s.post(ctx, "mining/restart")
}

// configured reads the settings back.
func (s session) configured(ctx context.Context) (*settings, gjson.Result, error) {
	reply, err := s.call(ctx, http.MethodGet, "settings", nil, true)
	if err != nil {
		return nil, gjson.Result{}, err
	}
	if err := s.check("settings", reply); err != nil {
		return nil, gjson.Result{}, err
	}
	root := gjson.ParseBytes(reply.Body)
	if !gjson.ValidBytes(reply.Body) || !root.Get("miner").IsObject() {
		return nil, root, fmt.Errorf("settings: %w", miner.ErrGarbage)
	}
	return readSettings(cgminer.NewObject(replySettings, root)), root, nil
}

func (s session) setPreset(ctx context.Context, name string) error {
	p, err := s.d.withPresets(ctx, s)
	if err != nil {
		return err
	}
	known := false
	for _, step := range p.envelope().Steps {
		known = known || step.Setting.Profile == name
	}
	if !known {
		return fmt.Errorf("%w: no such preset: %q", miner.ErrRefused, name)
	}
	now, root, err := s.configured(ctx)
	if err != nil {
		return err
	}
	overclock := map[string]json.RawMessage{}
	if raw := root.Get("miner.overclock").Raw; raw != "" {
		if err := json.Unmarshal([]byte(raw), &overclock); err != nil {
			return fmt.Errorf("settings: %w: %w", miner.ErrGarbage, err)
		}
	}
	overclock["preset"], _ = json.Marshal(name)
	if now.preset != name {
		if err := s.save(ctx, map[string]any{"overclock": overclock}); err != nil {
			return err
		}
		if now, _, err = s.configured(ctx); err != nil {
			return err
		}
		if now.preset != name {
			return fmt.Errorf("%w: it acknowledged preset %s and keeps %q", miner.ErrRefused, name, now.preset)
		}
	}
	return s.settle(ctx)
}

func (s session) setPools(ctx context.Context, pools []miner.PoolSetting) error {
	type pool struct {
		URL  string `json:"url"`
		User string `json:"user"`
		Pass string `json:"pass"`
	}
	list := make([]pool, len(pools))
	for i, p := range pools {
		list[i] = pool{p.URL, p.User, string(p.Password)}
	}
	if err := s.save(ctx, map[string]any{"pools": list}); err != nil {
		return err
	}
	now, _, err := s.configured(ctx)
	if err != nil {
		return err
	}
	same := len(now.pools) == len(pools)
	for i := range pools {
		same = same && bareURL(now.pools[i].URL) == bareURL(pools[i].URL) && now.pools[i].User == pools[i].User
	}
	if !same {
		return fmt.Errorf("%w: it acknowledged %d pools and keeps its own", miner.ErrRefused, len(pools))
	}
	return s.settle(ctx)
}

// bareURL is a pool's address without the scheme, which firmwares drop.
func bareURL(s string) string {
	if _, after, ok := strings.Cut(s, "://"); ok {
		s = after
	}
	return strings.TrimSuffix(s, "/")
}
