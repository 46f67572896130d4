package simulate

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"ballast/market"
	"ballast/market/feed"
)

// Handler serves the chain as mempool.space's REST API does. Every answer says in
// its head that it is simulated.
func (c *Chain) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/blocks/tip/hash", func(w http.ResponseWriter, _ *http.Request) { text(w, fmt.Sprintf("%x", c.Tip().Hash)) })
	mux.HandleFunc("GET /api/blocks/tip/height", func(w http.ResponseWriter, _ *http.Request) { text(w, strconv.FormatInt(c.Tip().Height, 10)) })
	mux.HandleFunc("GET /api/block-height/{height}", func(w http.ResponseWriter, r *http.Request) {
		height, err := strconv.ParseInt(r.PathValue("height"), 10, 64)
		b, ok := c.At(height)
		if err != nil || !ok {
			http.Error(w, "Block not found", http.StatusNotFound)
			return
		}
		text(w, fmt.Sprintf("%x", b.Hash))
	})
	mux.HandleFunc("GET /api/v1/block/{hash}", func(w http.ResponseWriter, r *http.Request) {
		var hash [32]byte
		raw, err := hex.DecodeString(r.PathValue("hash"))
		if err != nil || len(raw) != len(hash) {
			http.Error(w, "Invalid hash", http.StatusBadRequest)
			return
		}
		copy(hash[:], raw)
		b, ok := c.ByHash(hash)
		if !ok {
			http.Error(w, "Block not found", http.StatusNotFound)
			return
		}
		reply(w, blockOf(b))
	})
	mux.HandleFunc("GET /api/v1/prices", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"time": c.now().Unix(), "USD": json.Number(strconv.FormatFloat(c.Price(), 'f', 2, 64))})
	})
	mux.HandleFunc("GET /api/v1/historical-price", func(w http.ResponseWriter, _ *http.Request) {
		rows := []map[string]any{}
		for _, d := range c.PastPrices() {
			rows = append(rows, map[string]any{"time": d.Day.Unix() + market.DaySeconds - 1, "USD": json.Number(strconv.FormatFloat(d.Price.Float(), 'f', 2, 64))})
		}
		reply(w, map[string]any{"prices": rows, "exchangeRates": map[string]any{}})
	})
	mux.HandleFunc("GET /api/v1/mining/pools/{period}", func(w http.ResponseWriter, r *http.Request) {
		n, ok := map[string]int{"24h": 144, "3d": 432, "1w": 1008, "1m": 4320}[r.PathValue("period")]
		if !ok {
			http.Error(w, "Invalid period", http.StatusBadRequest)
			return
		}
		sum, pools := 0, []map[string]any{}
		for i, p := range c.Pools(n) {
			pools = append(pools, map[string]any{"poolId": i + 1, "name": p.Pool, "blockCount": p.Blocks, "rank": i + 1})
			sum += p.Blocks
		}
		reply(w, map[string]any{"pools": pools, "blockCount": sum})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Simulated", "true")
		mux.ServeHTTP(w, r)
	})
}

func blockOf(b feed.Block) map[string]any {
	fees, _ := b.Fees.Get()
	return map[string]any{
		"id": fmt.Sprintf("%x", b.Hash), "height": b.Height, "version": b.Version, "timestamp": b.Time.Unix(), "merkle_root": fmt.Sprintf("%x", b.Merkle),
		"previousblockhash": fmt.Sprintf("%x", b.Prev), "nonce": b.Nonce, "bits": uint32(b.Bits),
		"extras": map[string]any{"totalFees": fees, "reward": fees + market.Subsidy(b.Height), "pool": map[string]any{"name": "Simulated"}},
	}
}

func text(w http.ResponseWriter, s string) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte(s))
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
