package braiins

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"ballast/sim"
	"ballast/unit"
)

var (
	errUnauthorized = errors.New("Unauthorized")         //nolint:staticcheck // the firmware's words
	errUnavailable  = errors.New("BOSminer unavailable") //nolint:staticcheck // the firmware's words
)

// session is one request's view of the machine.
type session struct {
	m      *machine
	s      sim.Snapshot
	signed bool
	cookie string // set when the request signed in
	at     release
}

func (m *machine) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	if r.Method != http.MethodPost {
		refuse(w, http.StatusMethodNotAllowed, "")
		return
	}
	b, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(b, &in)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "Invalid JSON")
		return
	}
	op, err := parseQuery(in.Query, in.Variables)
	if err != nil {
		answer(w, graphqlRefusal(err))
		return
	}
	q := &session{m: m, s: m.rig.Snapshot(), at: m.at()}
	if c, err := r.Cookie("session_id"); err == nil {
		q.signed = m.knows(c.Value)
	}
	root := q.query()
	if op.mutation {
		root = q.mutation()
	}
	walk := &walker{}
	if err := walk.object(root, op.picks); err != nil {
		answer(w, graphqlRefusal(err))
		return
	}
	if q.cookie != "" {
		w.Header().Set("Set-Cookie", "session_id="+q.cookie+"; Path=/; HttpOnly; SameSite=Strict")
	}
	answer(w, walk.answer())
}

func graphqlRefusal(err error) doc {
	d := make(doc, 0, 128)
	d.object()
	d.null("data")
	d.list("errors")
	d.object()
	d.text("message", err.Error())
	d.close()
	d.endList()
	d.close()
	return d
}

// fields makes a node of plain values.
func fields(kind string, values map[string]any) node {
	return node{kind, func(name string, _ map[string]any) (any, error) {
		v, ok := values[name]
		if !ok {
			return nil, errUnknown{name, kind}
		}
		return v, nil
	}}
}

// need guards what only a session may see.
func (q *session) need(v any) (any, error) {
	if !q.signed {
		return nil, errUnauthorized
	}
	return v, nil
}

func (q *session) query() node {
	return node{"Query", func(name string, _ map[string]any) (any, error) {
		switch name {
		case "bos":
			return q.bos(), nil
		case "bosminer":
			return q.bosminer(), nil
		case "events":
			return q.need(q.events())
		}
		return nil, errUnknown{name, "Query"}
	}}
}

func (q *session) bos() node {
	newer := !q.at.before(23, 3)
	return node{"BosQuery", func(name string, _ map[string]any) (any, error) {
		switch {
		case name == "info":
			return fields("BosInfo", map[string]any{
				"mode":    "NAND",
				"version": fields("BosVersion", map[string]any{"full": q.at.version(), "isPlus": true}),
			}), nil
		case name == "hostname":
			return q.need(q.m.hostname())
		case name == "hwid":
			return q.need(q.m.uid())
		case name == "faultLight":
			return q.need(q.s.Locating)
		case name == "autoUpgrade":
			return q.need(false)
		case name == "uptime":
			return q.need(fields("BosUptime", map[string]any{
				"since": q.s.Now.Add(-q.s.Uptime).Unix(), "durationS": int64(q.s.Uptime / time.Second),
			}))
		case name == "macAddress" && newer:
			return q.need(q.m.rig.Spec().MAC)
		case name == "errors" && newer:
			return q.need(q.errors())
		case name == "logTargets":
			return q.need([]string{"DMESG", "SYSLOG", "BOSMINER", "BOSER", "MONITOR"})
		}
		return nil, errUnknown{name, "BosQuery"}
	}}
}

func (q *session) errors() []node {
	log := q.m.errorLog(&q.s)
	out := make([]node, len(log))
	for i, e := range log {
		out[i] = fields("ErrorEntry", map[string]any{
			"timestamp": e.at.UTC().Format(errorTime), "message": e.message, "errorCodes": []node{},
			"components": []node{fields("Component", map[string]any{"name": e.component, "index": e.index})},
		})
	}
	return out
}

func (q *session) events() node {
	log := q.m.errorLog(&q.s)
	list := make([]node, len(log))
	for i, e := range log {
		kind := "WARNING"
		if e.severe {
			kind = "ERROR"
		}
		list[i] = fields("Appeal", map[string]any{
			"id": string(rune('a' + i%26)), "kind": kind, "timestamp": e.at.Unix(), "message": e.message,
		})
	}
	return fields("EventQuery", map[string]any{"appeals": list})
}

func (q *session) bosminer() node {
	return node{"BosminerQuery", func(name string, _ map[string]any) (any, error) {
		switch name {
		case "info":
			return q.info(), nil
		case "metadata":
			return q.need(q.metadata())
		case "config":
			return q.need(q.config())
		case "uptime":
			if q.at.before(23, 3) {
				break
			}
			up := q.m.minerUptime(&q.s)
			return q.need(fields("BosminerUptime", map[string]any{"since": q.s.Now.Add(-up).Unix(), "durationS": int64(up / time.Second)}))
		}
		return nil, errUnknown{name, "BosminerQuery"}
	}}
}

// info is the mining process's view, which is not there while it does not run.
func (q *session) info() node {
	s := &q.s
	return node{"BosminerInfo", func(name string, _ map[string]any) (any, error) {
		if name == "modelName" {
			model := q.m.rig.Spec().Model
			if q.at.before(23, 3) {
				return model.Make + " " + model.Name, nil
			}
			return model.Name, nil
		}
		if !q.signed {
			return nil, errUnauthorized
		}
		if q.m.isStopped() {
			return nil, errUnavailable
		}
		switch name {
		case "summary":
			return q.summary(), nil
		case "workSolver":
			return q.workSolver(), nil
		case "poolGroups":
			return []node{fields("GroupInfo", map[string]any{"name": q.m.groupName(), "pools": q.poolInfos()})}, nil
		case "fans":
			list := make([]node, len(s.Fans))
			for i, f := range s.Fans {
				list[i] = fields("FanInfo", map[string]any{"name": "Fan " + string(rune('1'+i%9)), "speed": int64(s.FanDuty*100 + 0.5), "rpm": int64(f.Speed)})
			}
			return list, nil
		case "tempCtrl":
			return fields("TempCtrlInfo", map[string]any{"targetC": 60.0, "hotC": 90.0, "dangerousC": 100.0}), nil
		}
		return nil, errUnknown{name, "BosminerInfo"}
	}}
}

func (q *session) poolInfos() []node {
	s := &q.s
	list := make([]node, len(s.Pools))
	for i, p := range s.Pools {
		state := "DEAD"
		if p.Alive {
			state = "ALIVE"
		}
		list[i] = fields("PoolInfo", map[string]any{
			"url": p.URL, "user": p.User, "status": state, "active": p.Active, "shares": shares(p.Accepted, p.Rejected, p.Stale, s.Difficulty),
			"lastDifficulty": s.Difficulty, "generatedWork": p.Accepted * int64(s.Difficulty), "bestShare": int64(s.BestShare),
		})
	}
	return list
}

func shares(accepted, rejected, stale int64, difficulty float64) node {
	return fields("SharesInfo", map[string]any{
		"acceptedSolutions": accepted, "rejectedSolutions": rejected, "staleSolutions": stale,
		"acceptedDifficulty": int64(float64(accepted) * difficulty), "rejectedDifficulty": int64(float64(rejected) * difficulty),
		"staleDifficulty": int64(float64(stale) * difficulty), "rejectedRatio": ratio(rejected, accepted+rejected) / 100, "staleRatio": ratio(stale, accepted+stale) / 100,
	})
}

func (q *session) power() node {
	s := &q.s
	watts := int64(s.Power)
	if s.Phase == sim.PhaseSleeping {
		watts = 0
	}
	values := map[string]any{"limitW": q.m.powerTarget(s), "approxConsumptionW": watts, "efficiencyWMhs": nil}
	if h := mhs(s.Hashrate1m); h > 0 {
		values["efficiencyWMhs"] = float64(watts) / h
	}
	return fields("PowerInfo", values)
}

func (q *session) tuner() string {
	switch tunerState(&q.s) {
	case tunerTuning:
		return "RUNNING"
	case tunerError:
		return "FAILED"
	}
	return "STABLE"
}

func (q *session) summary() node {
	s := &q.s
	poolStatus := "DEAD"
	for _, p := range s.Pools {
		if p.Alive {
			poolStatus = "ALIVE"
		}
	}
	values := map[string]any{
		"realHashrate": q.rates(windows(s, 1)), "poolStatus": poolStatus, "shares": shares(s.Accepted, s.Rejected, s.Stale, s.Difficulty),
		"foundBlocks": int64(0), "bestShare": int64(s.BestShare), "power": q.power(), "tunerStatus": q.tuner(),
		"dynamicPerformanceScaling": fields("DynamicPerformanceScaling", map[string]any{"status": "DISABLED", "statusMessage": "Disabled"}),
		"temperature":               nil,
	}
	if t, ok := hottest(s).Get(); ok {
		values["temperature"] = q.sensor("Chip", "MAX_CHIP", unit.Some(t))
	}
	return fields("SummaryInfo", values)
}

// rates is RealHashrate, in MH/s.
func (q *session) rates(w [10]window) node {
	values := map[string]any{"mhsAv": mhs(w[9].rate)}
	names := [10]string{"mhs5S", "mhs15S", "mhs30S", "mhs1M", "mhs5M", "mhs15M", "mhs30M", "mhs1H", "mhs24H", "mhsSinceRestart"}
	for i, name := range names {
		if newer := name == "mhs15S" || name == "mhs30S" || name == "mhs30M" || name == "mhs1H" || name == "mhsSinceRestart"; newer && q.at.before(23, 3) {
			continue
		}
		values[name] = mhs(w[i].rate)
	}
	return fields("RealHashrate", values)
}

// sensor is a Temperature: named by a word before 25.05, by an enumeration since.
func (q *session) sensor(word, enum string, t unit.Opt[unit.Temperature]) node {
	name := word
	if !q.at.before(25, 5) {
		name = enum
	}
	values := map[string]any{"name": name, "degreesC": nil}
	if v, ok := t.Get(); ok {
		values["degreesC"] = float64(v)
	}
	return fields("Temperature", values)
}

func (q *session) workSolver() node {
	s := &q.s
	w := machineSolver(s)
	children := make([]node, 0, len(s.Boards))
	for _, i := range working(s) {
		children = append(children, q.childSolver(i))
	}
	return fields("WorkSolverInfo", map[string]any{
		"name": "Miner", "nominalMhs": mhs(w.nominal), "realHashrate": q.rates(w.windows), "hwErrorMhs15M": w.errors, "hwDetails": nil,
		"power": q.power(), "tuner": nil, "temperatures": nil, "childSolvers": children,
	})
}

func (q *session) childSolver(i int) node {
	s := &q.s
	b, w, h := &s.Boards[i], boardSolver(s, i), heatOf(&s.Boards[i])
	details := map[string]any{"chips": int64(b.Chips), "frequencyMhz": b.Frequency.MHz(), "voltageV": float64(b.Voltage)}
	var temps []node
	if h.board.Ok() {
		temps = append(temps, q.sensor("Board", "MAX_BOARD", h.board))
	}
	if h.chip.Ok() {
		temps = append(temps, q.sensor("Chip", "MAX_CHIP", h.chip))
	}
	if !q.at.before(25, 3) {
		details["hbSerialNumber"], details["hashboardName"], details["chipType"] = b.Serial, boardName(q.m.rig.Spec().Model.Name), q.m.rig.Spec().Model.ChipType
	}
	if !q.at.before(25, 5) {
		temps = append(temps, q.sensor("", "INLET", h.inlet), q.sensor("", "OUTLET", h.outlet))
	}
	words, _ := chainWords(s)
	return fields("WorkSolverInfo", map[string]any{
		"name": q.m.boardID(i), "nominalMhs": mhs(w.nominal), "realHashrate": q.rates(w.windows), "hwErrorMhs15M": w.errors,
		"hwDetails": fields("HwDetails", details), "temperatures": temps, "childSolvers": nil,
		"power": fields("PowerInfo", map[string]any{"limitW": nil, "approxConsumptionW": int64(b.Power), "efficiencyWMhs": nil}),
		"tuner": fields("TunerInfo", map[string]any{
			"status": q.tuner(), "statusMessages": []string{words}, "loadedProfileTimestamp": q.m.made.Unix(),
			"iteration": int64(0), "uptimeS": int64(s.MinerUptime / time.Second), "stageDurationS": int64(0),
		}),
	})
}

func (q *session) metadata() node {
	low, byDefault, high := q.m.limits()
	ids := make([]string, q.m.rig.Spec().Model.Boards)
	for i := range ids {
		ids[i] = q.m.boardID(i)
	}
	return fields("BosminerMetadata", map[string]any{
		"autotuning": fields("AutotuningMetadata", map[string]any{
			"enabled":     fields("BooleanMetadata", map[string]any{"default": true}),
			"powerTarget": fields("UsizeMetadata", map[string]any{"default": byDefault, "min": low, "max": high, "unit": "W"}),
		}),
		"hashChain": fields("HashChainMetadata", map[string]any{"indexNames": ids, "voltagePerHashChain": true}),
	})
}

func (q *session) config() node {
	s := &q.s
	pools := make([]node, len(s.Pools))
	for i, p := range s.Pools {
		pools[i] = fields("PoolConfig", map[string]any{"id": q.m.poolUID(i), "enabled": true, "url": p.URL, "user": p.User, "password": p.Password})
	}
	return fields("BosminerConfig", map[string]any{
		"autotuning":         q.autotuning(),
		"performanceScaling": fields("PerformanceScaling", map[string]any{"enabled": false, "powerStep": nil, "minPowerTarget": nil, "shutdownEnabled": false}),
		"groups": []node{fields("GroupConfig", map[string]any{
			"id": q.m.groupUID(), "name": q.m.groupName(), "strategy": fields("QuotaStrategy", map[string]any{"quota": int64(1)}), "pools": pools,
		})},
	})
}

func (q *session) autotuning() node {
	return fields("Autotuning", map[string]any{"enabled": true, "mode": "POWER_TARGET", "powerTarget": q.m.powerTarget(&q.s), "hashrateTarget": nil})
}
