package vnish

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"time"

	"ballast/sim"
)

// serveRPC answers one request in the cgminer API's form: JSON, a NUL, and the
// connection's end.
func serveRPC(ctx context.Context, conn net.Conn, rig *sim.Rig) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	var in struct{ Command string }
	if json.NewDecoder(bufio.NewReader(io.LimitReader(conn, 4096))).Decode(&in) != nil {
		return
	}
	h := handler{rig}
	s := rig.Snapshot()
	out := obj{"STATUS": []obj{h.rpcStatus(s, "S", 11, "ok")}, "id": 1}
	name := rig.Spec().Model.Name + " (Vnish " + h.version() + ")"
	switch in.Command {
	case "version":
		out["VERSION"] = []obj{{"API": "3.1", "Miner": "uart_trans.1.3", "CompileTime": "Fri Jan 24 12:00:00 UTC 2025", "BMMiner": "2.0.0 rwglr", "Type": name}}
	case "summary":
		out["SUMMARY"] = []obj{{
			"Elapsed": int64(s.MinerUptime.Seconds()), "GHS 5s": gh(s.Hashrate5s), "GHS av": gh(s.HashrateAvg), "GHS 30m": gh(s.Hashrate30m),
			"Accepted": s.Accepted, "Rejected": s.Rejected, "Stale": s.Stale, "Hardware Errors": s.HWErrors, "Best Share": int64(s.BestShare), "Found Blocks": 0,
		}}
	case "pools":
		pools := []obj{}
		for i, p := range s.Pools {
			state := "Alive"
			if !p.Alive {
				state = "Dead"
			}
			pools = append(pools, obj{"POOL": i, "URL": p.URL, "Status": state, "Priority": i, "User": p.User, "Accepted": p.Accepted, "Rejected": p.Rejected, "Stratum Active": p.Active})
		}
		out["POOLS"] = pools
	case "stats":
		out["STATS"] = []obj{{"BMMiner": "2.0.0", "Miner": "uart_trans.1.3", "CompileTime": "Fri Jan 24 12:00:00 UTC 2025", "Type": name}, h.rpcStats(s)}
	default:
		out = obj{"STATUS": []obj{h.rpcStatus(s, "E", 14, "Invalid command")}, "id": 1}
	}
	b, err := json.Marshal(out)
	if err != nil {
		return
	}
	_, _ = conn.Write(append(b, 0))
}

func (h handler) rpcStatus(s sim.Snapshot, kind string, code int, msg string) obj {
	return obj{"STATUS": kind, "When": s.Now.Unix(), "Code": code, "Msg": msg, "Description": "xminer " + h.version()}
}

func (h handler) rpcStats(s sim.Snapshot) obj {
	out := obj{
		"STATS": 0, "ID": "BTM_SOC0", "Elapsed": int64(s.MinerUptime.Seconds()), "GHS 5s": gh(s.Hashrate5s), "GHS av": gh(s.HashrateAvg),
		"rate_30m": gh(s.Hashrate30m), "fan_num": len(s.Fans), "miner_count": len(s.Boards), "total_rateideal": gh(s.HashrateNominal),
		"total_rate": gh(s.Hashrate5s), "Mode": 2,
	}
	for i, f := range s.Fans {
		out[fmt.Sprintf("fan%d", i+1)] = math.Round(float64(f.Speed))
	}
	for i, b := range s.Boards {
		if !b.Present || !b.Enabled {
			continue
		}
		n := i + 1
		out[fmt.Sprintf("chain_acn%d", n)], out[fmt.Sprintf("chain_rate%d", n)] = b.Chips, fmt.Sprintf("%.2f", gh(b.Hashrate))
		out[fmt.Sprintf("freq%d", n)], out[fmt.Sprintf("chain_hw%d", n)] = round(b.Frequency.MHz(), 2), b.HWErrors
		temps := func(o sim.BoardSnapshot, chip bool) string {
			var words []string
			for k := range 4 {
				v := o.PCB[k].Or(0)
				if chip {
					v = o.Chip[k].Or(0)
				}
				words = append(words, fmt.Sprintf("%.0f", math.Round(float64(v))))
			}
			return strings.Join(words, "-")
		}
		out[fmt.Sprintf("temp_pcb%d", n)], out[fmt.Sprintf("temp_chip%d", n)] = temps(b, false), temps(b, true)
	}
	return out
}
