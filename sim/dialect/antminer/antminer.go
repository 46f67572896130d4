// Package antminer serves the dialects of Bitmain's stock firmware: the cgminer
// API on 4028, CGI under HTTP digest on 80, and on machines that measure their
// power, port 6060.
//
// Three generations, chosen by the rig's model and version:
//
//   - S9 and T9: 16 chain slots of which 6, 7 and 8 are used, eight fan slots,
//     multi-commands, CGI by forms, no work mode.
//   - S15, S17, T17: chain slots from 1, a comma missing between the objects of
//     stats, multi-commands, CGI by forms; the work mode 254 is sleep.
//   - S19 and later. Versions that say a year before 2022 ("2021" or "Tue Dec
//     21 10:05:11 CST 2021") have the old form only; later ones, and rigs
//     without a version, know "new_api". None takes multi-commands. CGI is JSON;
//     the work mode 1 is sleep.
//
// The work mode and every other part of the configuration are written with the
// whole configuration, and the mining process restarts. Only reports are
// answered on 4028, anything else is Code 45.
package antminer

import (
	"bytes"
	"context"
	"net"
	"regexp"
	"strings"
	"sync"

	"ballast/miner"
	"ballast/sim"
)

// Dialect is the family's.
type Dialect struct{}

var _ sim.Dialect = Dialect{}

// New is the dialect.
func New() sim.Dialect { return Dialect{} }

// Firmware names the family.
func (Dialect) Firmware() miner.Firmware { return miner.Antminer }

const (
	apiPort  = 4028
	webPort  = 80
	infoPort = 6060
)

// Ports are those that this rig's generation listens on.
func (Dialect) Ports(s sim.Spec) []uint16 {
	if generationOf(s) == modern && tellsPower(s) {
		return []uint16{apiPort, webPort, infoPort}
	}
	return []uint16{apiPort, webPort}
}

// Serve talks on one connection.
func (Dialect) Serve(ctx context.Context, port uint16, conn net.Conn, rig *sim.Rig) {
	m := &machine{rig: rig, spec: rig.Spec(), gen: generationOf(rig.Spec())}
	switch port {
	case apiPort:
		sim.ServeRPC(ctx, conn, m.answer)
	case webPort:
		sim.ServeHTTP(ctx, conn, &web{m})
	default:
		sim.ServeHTTP(ctx, conn, &info{m})
	}
}

// generation is a form of the API.
type generation int

const (
	s9 generation = iota
	s17
	s19
	modern
)

var year = regexp.MustCompile(`20[12]\d`)

func generationOf(s sim.Spec) generation {
	name := s.Model.Name
	for _, word := range []string{"S9", "T9", "R4", "S7"} {
		if strings.Contains(name, word) {
			return s9
		}
	}
	for _, word := range []string{"S11", "S15", "T15", "S17", "T17"} {
		if strings.Contains(name, word) {
			return s17
		}
	}
	if y := year.FindString(s.Version); y != "" && y < "2022" {
		return s19
	}
	return modern
}

// tellsPower tells the models that MiningOS reads wall power from: S21 and the
// hydro ones.
func tellsPower(s sim.Spec) bool {
	return strings.Contains(s.Model.Name, "S21") || strings.Contains(s.Model.Name, "T21") || s.Model.Cooling == miner.Hydro
}

// compiled is the build date that stands for the firmware's version.
func compiled(s sim.Spec) string {
	if strings.Contains(s.Version, " ") {
		return s.Version
	}
	switch generationOf(s) {
	case s9:
		return "Fri Nov 17 17:57:49 CST 2017"
	case s17:
		return "Tue Jun  2 21:17:38 CST 2020"
	case s19:
		return "Tue Dec 21 10:05:11 CST 2021"
	}
	return "Mon Aug 19 14:27:21 CST 2024"
}

// machine is one connection's view of a rig.
type machine struct {
	rig  *sim.Rig
	spec sim.Spec
	gen  generation
}

// state is what the firmware keeps of a rig.
type state struct {
	mu    sync.Mutex
	nonce string
	count int64
}

func (m *machine) state() *state {
	return m.rig.Memo("antminer", func() any { return &state{} }).(*state)
}

// up tells whether the control board answers at all.
func up(s *sim.Snapshot) bool { return s.Phase != sim.PhaseOff && s.Phase != sim.PhaseBooting }

// reports are what anybody may ask on 4028 ("api-groups":"A:stats:pools:devs:
// summary:version").
var reports = map[string]bool{"version": true, "summary": true, "stats": true, "pools": true, "devs": true, "estats": true}

// known are further commands of the API, which are denied.
var known = map[string]bool{
	"restart": true, "quit": true, "addpool": true, "removepool": true, "switchpool": true, "enablepool": true, "disablepool": true,
	"poolpriority": true, "privileged": true, "save": true, "config": true, "devdetails": true, "coin": true, "notify": true, "asccount": true,
}

func (m *machine) answer(q sim.RPCRequest) []byte {
	snap := m.rig.Snapshot()
	if !up(&snap) {
		return nil
	}
	p := &printer{machine: m, snap: &snap, json: q.JSON}
	if q.Broken {
		return append(p.only(nil, "E", 23, "Invalid JSON"), 0)
	}
	if q.NewAPI && m.gen == modern && len(q.Commands) == 1 {
		if reply := p.newAPI(q.Commands[0]); reply != nil {
			return append(reply, 0)
		}
	}
	if len(q.Commands) > 1 && m.gen >= s19 {
		return append(p.only(nil, "E", 14, "Invalid command"), 0)
	}
	return sim.JoinRPC(q, p.print)
}

// only prints a status and nothing else.
func (p *printer) only(into []byte, kind string, code int, msg string) []byte {
	w := sim.NewRPCWriter(p.json, into)
	p.head(w, kind, code, msg)
	return w.End()
}

// dropCommas leaves out the comma before each second object of stats, as the
// firmware's printing does.
func dropCommas(reply []byte) []byte {
	return bytes.Replace(reply, []byte(`},{"STATS":`), []byte(`}{"STATS":`), 1)
}
