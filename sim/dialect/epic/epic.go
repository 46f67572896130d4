// Package epic is ePIC PowerPlay's dialect: HTTP on port 4028, JSON with the
// firmware's spaced keys, writes with the password in the body and refusals with
// status 200.
//
// Versions below 1.22 are PowerPlay-BMS as it ran on the first units: no serial
// of the machine, no power tuner, a supply that reports one figure. The rest is
// 1.30.
package epic

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"

	"ballast/miner"
	"ballast/sim"
)

const port = 4028

// Dialect is PowerPlay.
type Dialect struct{}

var _ sim.Dialect = Dialect{}

// New makes the dialect.
func New() sim.Dialect { return Dialect{} }

// Firmware is miner.EPIC.
func (Dialect) Firmware() miner.Firmware { return miner.EPIC }

// Ports is the cgminer port, on which PowerPlay speaks HTTP.
func (Dialect) Ports(sim.Spec) []uint16 { return []uint16{port} }

// Serve answers requests until the peer leaves.
func (Dialect) Serve(ctx context.Context, _ uint16, conn net.Conn, rig *sim.Rig) {
	sim.ServeHTTP(ctx, conn, handler{rig})
}

type handler struct{ rig *sim.Rig }

// obj is a JSON object. Its keys come out sorted, as PowerPlay's do.
type obj = map[string]any

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var out any
	switch r.Method {
	case http.MethodGet:
		out = h.get(r.URL.Path)
	case http.MethodPost:
		out = h.post(r)
	}
	if out == nil {
		reply(w, http.StatusNotFound, obj{"result": false, "error": obj{"InvalidUrl": r.URL.Path}})
		return
	}
	reply(w, http.StatusOK, out)
}

func reply(w http.ResponseWriter, status int, out any) {
	b, err := json.Marshal(out)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"result":false,"error":{"UnknownError":"encoding"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

func (h handler) get(path string) any {
	switch path {
	case "/summary":
		return h.summary()
	case "/capabilities":
		return h.capabilities()
	case "/network", "/ethernet":
		return obj{"dhcp": obj{
			"address": h.rig.Spec().Addr.String(), "dns": "8.8.8.8", "gateway": "10.0.0.1",
			"mac_address": strings.ToUpper(h.rig.Spec().MAC), "netmask": "255.255.255.0",
		}}
	case "/temps", "/temps/board":
		return h.temps()
	case "/hashrate":
		return h.chips(func(b sim.BoardSnapshot, c sim.ChipSnapshot) any {
			mh, expected := float64(c.Hashrate)*1e6, float64(b.HashrateNominal)*1e6/float64(max(len(b.PerChip), 1))
			percent := 0.0
			if expected > 0 {
				percent = 100 * mh / expected
			}
			return []float64{round(mh, 2), round(percent, 1), 3.9}
		})
	case "/clocks":
		return h.chips(func(_ sim.BoardSnapshot, c sim.ChipSnapshot) any { return round(c.Frequency.MHz(), 3) })
	case "/voltages": // no chip of these tells its voltage, nor its temperature
		return h.chips(func(sim.BoardSnapshot, sim.ChipSnapshot) any { return 0.0 })
	case "/temps/chip":
		return h.chips(func(sim.BoardSnapshot, sim.ChipSnapshot) any { return 0.0 })
	case "/perpetualtune":
		t := h.tuning().now()
		return obj{"Enable": t.running, "Running": t.running, "Current Algorithm": t.algorithm, "Algorithms": obj{t.algorithm: h.algorithmStats(t)}}
	}
	return nil
}

// old tells the first generation.
func (h handler) old() bool {
	v := h.rig.Spec().Version
	if v == "" {
		return false
	}
	major, rest, _ := strings.Cut(strings.TrimPrefix(v, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	m, err := strconv.Atoi(minor)
	return major == "1" && err == nil && m < 22
}

func (h handler) software() string {
	v := h.rig.Spec().Version
	switch {
	case v == "":
		v = "1.30.0"
	case h.old():
		return "PowerPlay-BMS v" + v
	}
	return "PowerPlay v" + v
}
