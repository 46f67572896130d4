package braiins

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// bosminer speaks what BOS had before the public API: the cgminer API for
// reading and pausing, GraphQL for the rest.
type bosminer struct {
	web     *web
	session string
	older   bool // its GraphQL knows no macAddress
}

// bosminerPlan is what those are asked for.
var bosminerPlan = []ask{
	{"bosminer", 1}, {"bosminer_config", 30},
	{"graphql_system", 30}, {"graphql_limits", 30}, {"graphql_errors", 10}, {"graphql_events", 30},
	{"iface_status", 30},
}

// commands are the cgminer API's, by the names of their replies.
var commands = map[string]string{
	"bosminer":        "summary+devs+devdetails+temps+fans+tunerstatus+pools",
	"bosminer_config": "version+config+tempctrl",
}

// queries are GraphQL's. A server refuses a query with a field that it does not
// know, so what came later is asked for apart.
var queries = map[string]string{
	"graphql_system":     `{bos{hostname hwid macAddress faultLight uptime{durationS} info{mode version{full isPlus}}}bosminer{info{modelName}}}`,
	"graphql_system_old": `{bos{hostname hwid faultLight uptime{durationS} info{mode version{full isPlus}}}bosminer{info{modelName}}}`,
	"graphql_limits":     `{bosminer{metadata{autotuning{powerTarget{default min max}}hashChain{indexNames}}config{... on BosminerConfig{autotuning{enabled mode powerTarget}performanceScaling{enabled powerStep minPowerTarget shutdownEnabled}groups{id name strategy{... on QuotaStrategy{quota}}}}}}}`,
	"graphql_errors":     `{bos{errors{timestamp message errorCodes{code reason hint}components{name index}}}}`,
	"graphql_events":     `{events{appeals{id kind timestamp message}}}`,
}

func (c *bosminer) generation() string { return "bosminer" }

func (c *bosminer) plan() []ask { return bosminerPlan }

func (c *bosminer) close() {}

func (c *bosminer) fetch(ctx context.Context, name string) ([]byte, error) {
	if command, ok := commands[name]; ok {
		return cgminer.Ask(ctx, c.web.target, command, "")
	}
	if name == "iface_status" {
		return c.interfaces(ctx)
	}
	if name == "graphql_system" && c.older {
		return c.query(ctx, queries["graphql_system_old"], nil)
	}
	raw, err := c.query(ctx, queries[name], nil)
	if name == "graphql_system" && errors.Is(err, miner.ErrUnsupported) {
		c.older = true
		return c.query(ctx, queries["graphql_system_old"], nil)
	}
	return raw, err
}

// query sends a GraphQL request in a session, and in a new one when the old has
// expired.
func (c *bosminer) query(ctx context.Context, query string, variables map[string]any) ([]byte, error) {
	fresh := false
	if c.session == "" {
		if err := c.login(ctx); err != nil {
			return nil, err
		}
		fresh = true
	}
	for {
		r, err := c.post(ctx, query, variables)
		if err != nil {
			return nil, err
		}
		err = graphqlError(r)
		if err == nil {
			return r.body, nil
		}
		if fresh || !errors.Is(err, miner.ErrDenied) {
			return nil, err
		}
		if err := c.login(ctx); err != nil {
			return nil, err
		}
		fresh = true
	}
}

func (c *bosminer) post(ctx context.Context, query string, variables map[string]any) (reply, error) {
	body, err := json.Marshal(struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables,omitempty"`
	}{query, variables})
	if err != nil {
		return reply{}, fmt.Errorf("writing the query: %w", err)
	}
	var cookie []string
	if c.session != "" {
		cookie = []string{"Cookie", "session_id=" + c.session}
	}
	r, err := c.web.do(ctx, http.MethodPost, "/graphql", body, cookie...)
	if err != nil {
		return reply{}, fmt.Errorf("asking GraphQL: %w", err)
	}
	return r, nil
}

// login opens a session; its name comes in a cookie.
func (c *bosminer) login(ctx context.Context) error {
	c.session = ""
	user, password, err := signIn(c.web.target.Credentials)
	if err != nil {
		return err
	}
	r, err := c.post(ctx, `mutation($username:String!,$password:String!){auth{login(username:$username,password:$password){... on VoidResult{void}... on AuthError{message}}}}`,
		map[string]any{"username": user, "password": password})
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	if err := graphqlError(r); err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	for _, line := range r.header.Values("Set-Cookie") {
		if cookie, err := http.ParseSetCookie(line); err == nil && cookie.Name == "session_id" && cookie.Value != "" {
			c.session = cookie.Value
			return nil
		}
	}
	if words := gjson.GetBytes(r.body, "data.auth.login.message").Str; words != "" {
		return fmt.Errorf("signing in: %w: %s", miner.ErrDenied, words)
	}
	return fmt.Errorf("signing in: %w: no session in the reply", miner.ErrGarbage)
}

// graphqlError is what an answer complains of. An answer that has data beside
// its complaints is one, unless it is for want of a session that data lack.
func graphqlError(r reply) error {
	if err := r.err(); err != nil && !gjson.ValidBytes(r.body) {
		return fmt.Errorf("asking GraphQL: %w", err)
	}
	if !gjson.ValidBytes(r.body) {
		return fmt.Errorf("asking GraphQL: %w: %s", miner.ErrGarbage, cgminer.Excerpt(r.body))
	}
	v := gjson.ParseBytes(r.body)
	words := text(v.Get("errors.0.message"))
	said := strings.ToLower(words + " " + v.Get("errors.0.extensions").Raw)
	switch {
	case strings.Contains(said, "unauthor"), strings.Contains(said, "authenticat"), strings.Contains(said, "credentials"):
		return fmt.Errorf("asking GraphQL: %w: %s", miner.ErrDenied, words)
	case v.Get("data").IsObject() && !hasOnlyNulls(v.Get("data")):
		return nil
	case words == "":
		return r.err()
	case strings.Contains(said, "unknown field"), strings.Contains(said, "cannot query field"):
		return fmt.Errorf("asking GraphQL: %w: %s", miner.ErrUnsupported, words)
	}
	return fmt.Errorf("asking GraphQL: %w: %s", miner.ErrRefused, words)
}

// hasOnlyNulls tells data in which every branch failed.
func hasOnlyNulls(v gjson.Result) bool {
	only := true
	v.ForEach(func(_, v gjson.Result) bool {
		only = v.Type == gjson.Null
		return only
	})
	return only
}

func (c *bosminer) apply(ctx context.Context, s miner.Setting, k known) error {
	if c.session == "" {
		// 4028 would pause for anybody. Who changes a machine has its password.
		if err := c.login(ctx); err != nil {
			return err
		}
	}
	switch s.Kind {
	case miner.SetPower:
		got, err := c.mutate(ctx, `mutation($w:Int!){bosminer{config{updateAutotuning(input:{powerTarget:$w},apply:true){... on AutotuningOut{autotuning{powerTarget enabled}}... on AutotuningError{message powerTarget}... on AttributeError{message}}}}}`,
			"bosminer.config.updateAutotuning", map[string]any{"w": int64(s.Power)})
		if err != nil {
			return err
		}
		return taken(got.Get("autotuning.powerTarget"), float64(int64(s.Power)), "W")
	case miner.SetSleep:
		return c.command(ctx, "pause")
	case miner.SetWake:
		if !k.stopped {
			return c.command(ctx, "resume")
		}
		_, err := c.mutate(ctx, `mutation{bosminer{start{... on VoidResult{void}... on BosminerError{message}}}}`, "bosminer.start", nil)
		return err
	case miner.SetReboot:
		_, err := c.mutate(ctx, `mutation{bos{reboot{... on VoidResult{void}... on BosError{message}}}}`, "bos.reboot", nil)
		return err
	case miner.SetRestart:
		_, err := c.mutate(ctx, `mutation{bosminer{restart{... on VoidResult{void}... on BosminerError{message}}}}`, "bosminer.restart", nil)
		return err
	case miner.SetLocate:
		_, err := c.mutate(ctx, `mutation($on:Boolean!){bos{setFaultLight(enable:$on){enabled}}}`, "bos.setFaultLight", map[string]any{"on": s.On})
		return err
	case miner.SetPools:
		return c.pools(ctx, s.Pools, k.group)
	}
	return miner.ErrUnsupported
}

// pools replaces all groups by one and restarts the mining process, without
// which the new ones are only saved.
func (c *bosminer) pools(ctx context.Context, pools []miner.PoolSetting, group string) error {
	list := make([]map[string]any, len(pools))
	for i, p := range pools {
		list[i] = map[string]any{"url": p.URL, "user": p.User, "password": string(p.Password), "enabled": true}
	}
	groups := []map[string]any{{"name": group, "quota": 1, "pools": list}}
	if _, err := c.mutate(ctx, `mutation($g:[Group!]!){bosminer{config{updateGroups(groups:$g){... on GroupList{groups{id}}... on GroupListError{message}... on AttributeError{message}}}}}`,
		"bosminer.config.updateGroups", map[string]any{"g": groups}); err != nil {
		return err
	}
	_, err := c.mutate(ctx, `mutation{bosminer{restart{... on VoidResult{void}... on BosminerError{message}}}}`, "bosminer.restart", nil)
	return err
}

// mutate sends a mutation. Its result tells a failure by a message.
func (c *bosminer) mutate(ctx context.Context, query, path string, variables map[string]any) (gjson.Result, error) {
	raw, err := c.query(ctx, query, variables)
	if err != nil {
		return gjson.Result{}, err
	}
	got := gjson.GetBytes(raw, "data."+path)
	if words := text(got.Get("message")); words != "" {
		return got, fmt.Errorf("%w: %s", miner.ErrRefused, words)
	}
	if !got.Exists() || got.Type == gjson.Null {
		words := text(gjson.GetBytes(raw, "errors.0.message"))
		return got, fmt.Errorf("%w: %s", miner.ErrRefused, words)
	}
	return got, nil
}

// command sends a command of the cgminer API. What it answers beside its status
// is a list of one truth that no document explains.
func (c *bosminer) command(ctx context.Context, command string) error {
	_, err := cgminer.Do(ctx, c.web.target, command, "")
	return err
}

// interfaces asks LuCI for the network interface, which is where an old release
// tells its MAC address. It minds the client's name.
func (c *bosminer) interfaces(ctx context.Context) ([]byte, error) {
	if !c.older {
		return nil, fmt.Errorf("asking LuCI: %w: GraphQL tells", miner.ErrUnsupported)
	}
	user, password, err := signIn(c.web.target.Credentials)
	if err != nil {
		return nil, err
	}
	const luci, agent = "/cgi-bin/luci", "BTC Tools v0.1"
	form := url.Values{"luci_username": {user}, "luci_password": {password}}.Encode()
	r, err := c.web.do(ctx, http.MethodPost, luci, []byte(form), "User-Agent", agent, "Content-Type", "application/x-www-form-urlencoded")
	if err != nil {
		return nil, fmt.Errorf("signing in to LuCI: %w", err)
	}
	var cookies []string
	for _, line := range r.header.Values("Set-Cookie") {
		if cookie, err := http.ParseSetCookie(line); err == nil && cookie.Value != "" {
			cookies = append(cookies, cookie.Name+"="+cookie.Value)
		}
	}
	if len(cookies) == 0 {
		if err := r.err(); err != nil {
			return nil, fmt.Errorf("signing in to LuCI: %w", err)
		}
		return nil, fmt.Errorf("signing in to LuCI: %w", miner.ErrDenied)
	}
	r, err = c.web.do(ctx, http.MethodGet, luci+"/admin/network/iface_status/lan", nil, "User-Agent", agent, "Cookie", strings.Join(cookies, "; "))
	if err != nil {
		return nil, fmt.Errorf("asking LuCI: %w", err)
	}
	if err := r.err(); err != nil {
		return nil, fmt.Errorf("asking LuCI: %w", err)
	}
	return r.body, nil
}
