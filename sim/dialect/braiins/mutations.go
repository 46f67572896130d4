package braiins

import (
	"strings"

	"ballast/sim"
)

var void = fields("VoidResult", map[string]any{"void": "void"})

func (q *session) mutation() node {
	return node{"Mutation", func(name string, _ map[string]any) (any, error) {
		switch name {
		case "auth":
			return node{"Auth", q.auth}, nil
		case "bos":
			return q.need(node{"BosMutation", q.bosMutation})
		case "bosminer":
			return q.need(node{"BosminerMutation", q.bosminerMutation})
		}
		return nil, errUnknown{name, "Mutation"}
	}}
}

func (q *session) auth(name string, args map[string]any) (any, error) {
	switch name {
	case "login":
		user, _ := args["username"].(string)
		password, _ := args["password"].(string)
		if !q.m.accepts(user, password) {
			return fields("AuthError", map[string]any{"message": "Bad credentials"}), nil
		}
		q.cookie, q.signed = q.m.newToken(), true
		return void, nil
	case "logout", "extend":
		return void, nil
	}
	return nil, errUnknown{name, "Auth"}
}

// did turns an action's outcome into a result of a union type.
func (q *session) did(a sim.Action, failure string) (any, error) {
	if err := q.m.do(a); err != nil {
		return fields(failure, map[string]any{"message": err.Error()}), nil //nolint:nilerr // the failure is the reply
	}
	q.s = q.m.rig.Snapshot()
	return void, nil
}

func (q *session) bosMutation(name string, args map[string]any) (any, error) {
	switch name {
	case "reboot":
		return q.did(sim.Action{Kind: sim.DoReboot}, "BosError")
	case "setFaultLight":
		on, _ := args["enable"].(bool)
		if err := q.m.do(sim.Action{Kind: sim.DoLocate, On: on}); err != nil {
			return nil, err
		}
		return fields("BosFaultLight", map[string]any{"enabled": on}), nil
	}
	return nil, errUnknown{name, "BosMutation"}
}

func (q *session) bosminerMutation(name string, _ map[string]any) (any, error) {
	switch name {
	case "start":
		if !q.m.isStopped() {
			return fields("BosminerError", map[string]any{"message": "BOSminer is already running"}), nil
		}
		return q.did(sim.Action{Kind: sim.DoWake}, "BosminerError")
	case "stop":
		v, err := q.did(sim.Action{Kind: sim.DoSleep}, "BosminerError")
		q.m.setStopped(true)
		return v, err
	case "restart":
		q.m.setStopped(false)
		return q.did(sim.Action{Kind: sim.DoRestart}, "BosminerError")
	case "config":
		return node{"BosminerConfigurator", q.configurator}, nil
	}
	return nil, errUnknown{name, "BosminerMutation"}
}

func (q *session) configurator(name string, args map[string]any) (any, error) {
	switch name {
	case "updateAutotuning":
		in, _ := args["input"].(map[string]any)
		w, ok := in["powerTarget"].(float64)
		if !ok {
			return fields("AttributeError", map[string]any{"message": "Nothing to change"}), nil
		}
		if err := q.m.setPower(int64(w)); err != nil {
			return fields("AutotuningError", map[string]any{"message": "Invalid value", "powerTarget": err.Error()}), nil //nolint:nilerr // the failure is the reply
		}
		q.s = q.m.rig.Snapshot()
		return fields("AutotuningOut", map[string]any{"autotuning": q.autotuning()}), nil
	case "updateGroups":
		return q.updateGroups(args)
	}
	return nil, errUnknown{name, "BosminerConfigurator"}
}

func (q *session) updateGroups(args map[string]any) (any, error) {
	groups, _ := args["groups"].([]any)
	var pools []sim.PoolSnapshot
	name := "default"
	for _, g := range groups {
		group, _ := g.(map[string]any)
		if s, ok := group["name"].(string); ok {
			name = s
		}
		list, _ := group["pools"].([]any)
		for _, p := range list {
			pool, _ := p.(map[string]any)
			url, _ := pool["url"].(string)
			user, _ := pool["user"].(string)
			password, _ := pool["password"].(string)
			if !validPool(url) {
				return fields("GroupListError", map[string]any{"message": "Invalid pool URL: " + strings.TrimSpace(url)}), nil
			}
			pools = append(pools, sim.PoolSnapshot{URL: url, User: user, Password: password})
		}
	}
	if err := q.m.setPools(name, pools); err != nil {
		return fields("GroupListError", map[string]any{"message": err.Error()}), nil //nolint:nilerr // the failure is the reply
	}
	q.s = q.m.rig.Snapshot()
	return fields("GroupList", map[string]any{"groups": []node{fields("GroupConfig", map[string]any{"id": q.m.groupUID(), "name": name})}}), nil
}
