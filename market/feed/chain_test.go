package feed_test

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ballast/market"
	"ballast/market/feed"
	"ballast/unit"
)

// Blocks of these tests are mined at regtest's target: two hashes each.
const easy market.Bits = 0x207fffff

func rules(t *testing.T) feed.Rules {
	t.Helper()
	limit, err := easy.Target()
	if err != nil {
		t.Fatal(err)
	}
	return feed.Rules{Limit: limit}
}

var genesisTime = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// fakeChain is a chain of real headers and a server that tells it in the
// formats of mempool.space, bitcoind and btcd. Spoil changes answers.
type fakeChain struct {
	mu     sync.Mutex
	best   []feed.Block
	byHash map[[32]byte]feed.Block
	btcd   bool
	noFees bool
	asked  int
	Spoil  func(w http.ResponseWriter, r *http.Request, what string) bool
	prices string
}

func newChain(n int) *fakeChain {
	c := &fakeChain{byHash: map[[32]byte]feed.Block{}, prices: `{"time":1780300000,"USD":64123.57,"EUR":59000,"GBP":-1}`}
	c.extend(n, 0)
	return c
}

// extend mines n blocks; salt makes branches differ.
func (c *fakeChain) extend(n int, salt byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		b := feed.Block{Version: 0x20000000, Time: genesisTime, Bits: easy, Fees: unit.Some(int64(0))}
		if k := len(c.best); k > 0 {
			p := c.best[k-1]
			b.Height, b.Prev, b.Time = p.Height+1, p.Hash, p.Time.Add(10*time.Minute)
			b.Fees = unit.Some(1_000_000 + b.Height)
		}
		b.Merkle[0], b.Merkle[31] = salt, byte(b.Height)
		mine(&b)
		c.best = append(c.best, b)
		c.byHash[b.Hash] = b
	}
}

func mine(b *feed.Block) {
	target, err := b.Bits.Target()
	if err != nil {
		panic(err)
	}
	for {
		if b.Hash = b.Sum(); target.Meets(b.Hash) {
			return
		}
		b.Nonce++
	}
}

// drop removes the newest n blocks from the best chain.
func (c *fakeChain) drop(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.best = c.best[:len(c.best)-n]
}

func (c *fakeChain) tip() feed.Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.best[len(c.best)-1]
}

func (c *fakeChain) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

func (c *fakeChain) serve(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.asked++
		spoil := c.Spoil
		c.mu.Unlock()
		if r.Method == http.MethodPost {
			c.rpc(w, r, spoil)
			return
		}
		if spoil != nil && spoil(w, r, r.URL.Path) {
			return
		}
		c.rest(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (c *fakeChain) rest(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	path := r.URL.Path
	switch {
	case path == "/api/blocks/tip/hash":
		fmt.Fprintf(w, "%x", c.best[len(c.best)-1].Hash)
	case path == "/api/v1/prices":
		fmt.Fprint(w, c.prices)
	case path == "/api/v1/mining/pools/1w":
		fmt.Fprint(w, `{"pools":[{"poolId":111,"name":"Foundry USA","link":"https://foundrydigital.com","blockCount":312,"rank":1,"emptyBlocks":0,"slug":"foundryusa"},{"poolId":36,"name":"AntPool","link":"https://www.antpool.com","blockCount":190,"rank":2,"emptyBlocks":2,"slug":"antpool"}],"blockCount":502,"lastEstimatedHashrate":9.0e20}`)
	case strings.HasPrefix(path, "/api/block-height/"):
		h, err := strconv.Atoi(strings.TrimPrefix(path, "/api/block-height/"))
		if err != nil || h >= len(c.best) {
			http.Error(w, "Block not found", http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, "%x", c.best[h].Hash)
	case strings.HasPrefix(path, "/api/v1/block/"), strings.HasPrefix(path, "/api/block/"):
		var hash [32]byte
		_, _ = hex.Decode(hash[:], []byte(path[strings.LastIndexByte(path, '/')+1:]))
		b, ok := c.byHash[hash]
		if !ok || c.noFees && strings.HasPrefix(path, "/api/v1/") {
			http.Error(w, "Block not found", http.StatusNotFound)
			return
		}
		v := map[string]any{"id": fmt.Sprintf("%x", b.Hash), "height": b.Height, "version": b.Version, "timestamp": b.Time.Unix(), "tx_count": 1, "size": 300, "weight": 1200,
			"merkle_root": fmt.Sprintf("%x", b.Merkle), "previousblockhash": fmt.Sprintf("%x", b.Prev), "mediantime": b.Time.Unix(), "nonce": b.Nonce, "bits": uint32(b.Bits), "difficulty": 4.6565423739069247e-10}
		if b.Height == 0 {
			v["previousblockhash"] = nil
		}
		if strings.HasPrefix(path, "/api/v1/") {
			v["extras"] = map[string]any{"totalFees": b.Fees.Or(0), "reward": market.Subsidy(b.Height) + b.Fees.Or(0), "pool": map[string]any{"id": 0, "name": "Unknown", "slug": "unknown"}}
		}
		_ = json.NewEncoder(w).Encode(v)
	default:
		http.NotFound(w, r)
	}
}

func (c *fakeChain) rpc(w http.ResponseWriter, r *http.Request, spoil func(http.ResponseWriter, *http.Request, string) bool) {
	var q struct {
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
		ID     any               `json:"id"`
	}
	if u, p, _ := r.BasicAuth(); u != "ballast" || p != "hunter2" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if json.NewDecoder(r.Body).Decode(&q) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if spoil != nil && spoil(w, r, q.Method) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fail := func(code int, message string) {
		w.WriteHeader(http.StatusInternalServerError)
		_ = json.NewEncoder(w).Encode(map[string]any{"result": nil, "error": map[string]any{"code": code, "message": message}, "id": q.ID})
	}
	reply := func(v any) {
		_ = json.NewEncoder(w).Encode(map[string]any{"result": v, "error": nil, "id": q.ID})
	}
	block := func() (feed.Block, bool) {
		var s string
		var hash [32]byte
		if len(q.Params) > 0 {
			_ = json.Unmarshal(q.Params[0], &s)
		}
		_, _ = hex.Decode(hash[:], []byte(s))
		b, ok := c.byHash[hash]
		return b, ok
	}
	switch q.Method {
	case "getbestblockhash":
		reply(fmt.Sprintf("%x", c.best[len(c.best)-1].Hash))
	case "getblockhash":
		var h int
		if json.Unmarshal(q.Params[0], &h) != nil || h < 0 || h >= len(c.best) {
			fail(-8, "Block height out of range")
			return
		}
		reply(fmt.Sprintf("%x", c.best[h].Hash))
	case "getblockheader":
		b, ok := block()
		if !ok {
			fail(-5, "Block not found")
			return
		}
		v := map[string]any{"hash": fmt.Sprintf("%x", b.Hash), "confirmations": 1, "height": b.Height, "version": b.Version, "versionHex": "20000000", "merkleroot": fmt.Sprintf("%x", b.Merkle),
			"time": b.Time.Unix(), "nonce": b.Nonce, "bits": fmt.Sprintf("%08x", uint32(b.Bits)), "difficulty": 4.6565423739069247e-10}
		if b.Height > 0 {
			v["previousblockhash"] = fmt.Sprintf("%x", b.Prev)
		}
		reply(v)
	case "getblockstats":
		b, ok := block()
		if c.btcd {
			fail(-32601, "Command unimplemented")
			return
		}
		if !ok {
			fail(-5, "Block not found")
			return
		}
		reply(map[string]any{"totalfee": b.Fees.Or(0)})
	case "getblock":
		b, ok := block()
		if !ok || c.noFees {
			fail(-1, "Block not available (pruned data)")
			return
		}
		reply(hex.EncodeToString(raw(b)))
	default:
		fail(-32601, "Method not found")
	}
}

// raw is b with a coinbase of two outputs (the reward, and a witness
// commitment), as the network carries it.
func raw(b feed.Block) []byte {
	head := b.Header()
	out := append([]byte{}, head[:]...)
	out = append(out, 1)                   // one transaction
	out = append(out, 2, 0, 0, 0, 0, 1, 1) // version, marker, flag, one input
	out = append(out, make([]byte, 32)...) // no outpoint
	out = append(out, 0xff, 0xff, 0xff, 0xff, 4, 3, byte(b.Height), byte(b.Height>>8), byte(b.Height>>16), 0xff, 0xff, 0xff, 0xff)
	out = append(out, 2)
	out = binary.LittleEndian.AppendUint64(out, uint64(market.Subsidy(b.Height)+b.Fees.Or(0)))
	out = append(out, 22)
	out = append(out, make([]byte, 22)...)
	out = binary.LittleEndian.AppendUint64(out, 0)
	out = append(out, 38)
	return append(out, append(make([]byte, 38), 1, 32)...)
}
