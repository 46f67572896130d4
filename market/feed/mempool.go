package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/market"
	"ballast/unit"
)

// Mempool is an explorer that speaks mempool.space's REST API (also
// self-hosted; Esplora for what concerns blocks).
type Mempool struct{ c *client }

var (
	_ Chain  = (*Mempool)(nil)
	_ Quotes = (*Mempool)(nil)
)

// NewMempool takes the address up to, not including, /api.
func NewMempool(base string, o Options) (*Mempool, error) {
	c, err := newClient(base, o)
	if err != nil {
		return nil, err
	}
	return &Mempool{c}, nil
}

// Name is the address.
func (m *Mempool) Name() string { return m.c.name() }

func (m *Mempool) get(ctx context.Context, path string) (answer, error) {
	return m.c.do(ctx, http.MethodGet, path, nil)
}

func (m *Mempool) hash(ctx context.Context, path string) (h [32]byte, err error) {
	a, err := m.get(ctx, path)
	if err != nil {
		return h, err
	}
	if a.status != http.StatusOK {
		return h, fmt.Errorf("%s has no %s: %w", m.Name(), path, ErrUnavailable)
	}
	return parseHash(strings.TrimSpace(string(a.body)))
}

// Tip asks /api/blocks/tip/hash.
func (m *Mempool) Tip(ctx context.Context) ([32]byte, error) {
	return m.hash(ctx, "/api/blocks/tip/hash")
}

// At asks /api/block-height/:height.
func (m *Mempool) At(ctx context.Context, height int64) ([32]byte, error) {
	return m.hash(ctx, "/api/block-height/"+strconv.FormatInt(height, 10))
}

// Block asks /api/v1/block/:hash, which has the fees; where that is not known
// (Esplora), /api/block/:hash, without them.
func (m *Mempool) Block(ctx context.Context, hash [32]byte) (Block, error) {
	path := fmt.Sprintf("block/%x", hash)
	a, err := m.get(ctx, "/api/v1/"+path)
	if err == nil && a.status == http.StatusNotFound {
		a, err = m.get(ctx, "/api/"+path)
	}
	if err != nil {
		return Block{}, err
	}
	if a.status != http.StatusOK {
		return Block{}, fmt.Errorf("%s has no block %x: %w", m.Name(), hash, ErrUnavailable)
	}
	b, err := parseMempoolBlock(a.body)
	if err == nil && b.Hash != hash {
		err = fmt.Errorf("%s sends block %x for %x: %w", m.Name(), b.Hash, hash, ErrLink)
	}
	return b, err
}

func parseMempoolBlock(body []byte) (Block, error) {
	var v struct {
		ID        string  `json:"id"`
		Height    *int64  `json:"height"`
		Version   *int64  `json:"version"`
		Timestamp *uint32 `json:"timestamp"`
		Merkle    string  `json:"merkle_root"`
		Prev      *string `json:"previousblockhash"`
		Nonce     *uint32 `json:"nonce"`
		Bits      *uint32 `json:"bits"`
		Extras    struct {
			Fees *int64 `json:"totalFees"`
		} `json:"extras"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return Block{}, fmt.Errorf("reading a block: %w: %w", ErrFormat, err)
	}
	if v.Height == nil || v.Version == nil || v.Timestamp == nil || v.Nonce == nil || v.Bits == nil || *v.Height < 0 {
		return Block{}, fmt.Errorf("a block without height, version, timestamp, nonce or bits: %w", ErrFormat)
	}
	b := Block{Height: *v.Height, Version: int32(*v.Version), Time: time.Unix(int64(*v.Timestamp), 0).UTC(), Bits: market.Bits(*v.Bits), Nonce: *v.Nonce}
	var err error
	if b.Hash, err = parseHash(v.ID); err != nil {
		return Block{}, err
	}
	if b.Merkle, err = parseHash(v.Merkle); err != nil {
		return Block{}, err
	}
	if v.Prev != nil { // the genesis block has none
		if b.Prev, err = parseHash(*v.Prev); err != nil {
			return Block{}, err
		}
	}
	if v.Extras.Fees != nil {
		b.Fees = unit.Some(*v.Extras.Fees)
	}
	return b, nil
}

// Price asks /api/v1/prices.
func (m *Mempool) Price(ctx context.Context, c unit.Currency) (Stamped[unit.Money], error) {
	a, err := m.get(ctx, "/api/v1/prices")
	if err != nil {
		return Stamped[unit.Money]{}, err
	}
	if a.status != http.StatusOK {
		return Stamped[unit.Money]{}, fmt.Errorf("%s has no prices: %w", m.Name(), ErrUnavailable)
	}
	p, at, err := parseMempoolPrice(a.body, c)
	if err != nil {
		return Stamped[unit.Money]{}, fmt.Errorf("%s: %w", m.Name(), err)
	}
	return Stamped[unit.Money]{Value: p, At: at, Asked: m.c.now(), Source: m.Name() + "/api/v1/prices"}, nil
}

// parseMempoolPrice reads {"time":1703252411,"USD":43753,...}. Prices are read
// as decimals, never through a float.
func parseMempoolPrice(body []byte, c unit.Currency) (unit.Money, time.Time, error) {
	var v map[string]json.Number
	if err := json.Unmarshal(body, &v); err != nil {
		return unit.Money{}, time.Time{}, fmt.Errorf("reading prices: %w: %w", ErrFormat, err)
	}
	at, err := strconv.ParseUint(v["time"].String(), 10, 32)
	if err != nil {
		return unit.Money{}, time.Time{}, fmt.Errorf("prices without a time: %w", ErrFormat)
	}
	text := v[string(c)].String()
	r, ok := new(big.Rat).SetString(text)
	if text == "" || len(text) > 32 || strings.ContainsAny(text, "eE/") || !ok {
		return unit.Money{}, time.Time{}, fmt.Errorf("no price in %s: %w", c, ErrFormat)
	}
	p, err := unit.MoneyOf(r, c)
	if err != nil || p.Minor <= 0 { // -1 is what mempool sends for a price it does not have
		return unit.Money{}, time.Time{}, fmt.Errorf("price of %s %s: %w", text, c, ErrFormat)
	}
	return p, time.Unix(int64(at), 0).UTC(), nil
}

// PoolShare is how many blocks a pool found in a period.
type PoolShare struct {
	Pool   string
	Blocks int
}

// Pools asks /api/v1/mining/pools/:period (24h, 3d, 1w, 1m, ...): who found how
// many blocks, most first.
func (m *Mempool) Pools(ctx context.Context, period string) (Stamped[[]PoolShare], error) {
	a, err := m.get(ctx, "/api/v1/mining/pools/"+period)
	if err != nil {
		return Stamped[[]PoolShare]{}, err
	}
	var v struct {
		Pools []struct {
			Name   string `json:"name"`
			Blocks int    `json:"blockCount"`
		} `json:"pools"`
		Blocks int `json:"blockCount"`
	}
	if err := json.Unmarshal(a.body, &v); err != nil || a.status != http.StatusOK || len(v.Pools) == 0 {
		return Stamped[[]PoolShare]{}, fmt.Errorf("%s has no pools of %q: %w", m.Name(), period, ErrFormat)
	}
	var out []PoolShare
	sum := 0
	for _, p := range v.Pools {
		if p.Blocks < 0 || p.Name == "" {
			return Stamped[[]PoolShare]{}, fmt.Errorf("%s: pool %q with %d blocks: %w", m.Name(), p.Name, p.Blocks, ErrFormat)
		}
		sum += p.Blocks
		out = append(out, PoolShare{p.Name, p.Blocks})
	}
	if sum != v.Blocks {
		return Stamped[[]PoolShare]{}, fmt.Errorf("%s: the pools' blocks sum to %d of %d: %w", m.Name(), sum, v.Blocks, ErrFormat)
	}
	now := m.c.now()
	return Stamped[[]PoolShare]{Value: out, At: now, Asked: now, Source: m.Name() + "/api/v1/mining/pools"}, nil
}

// PastPrices asks /api/v1/historical-price: what the explorer knows of earlier
// prices, one for each day, the last of the day.
func (m *Mempool) PastPrices(ctx context.Context, c unit.Currency) ([]market.DayPrice, error) {
	a, err := m.get(ctx, "/api/v1/historical-price?currency="+string(c))
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, fmt.Errorf("%s has no earlier prices: %w", m.Name(), ErrUnavailable)
	}
	days, err := parsePastPrices(a.body, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name(), err)
	}
	return days, nil
}

// parsePastPrices reads {"prices":[{"time":1499904000,"USD":2254.9},...]}, in any
// order. Days without a price in the currency are left out.
func parsePastPrices(body []byte, c unit.Currency) ([]market.DayPrice, error) {
	var v struct {
		Prices []map[string]json.Number `json:"prices"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, fmt.Errorf("reading earlier prices: %w: %w", ErrFormat, err)
	}
	type told struct {
		at int64
		p  unit.Money
	}
	last := map[int64]told{}
	for _, row := range v.Prices {
		at, err := strconv.ParseUint(row["time"].String(), 10, 32)
		if err != nil {
			return nil, fmt.Errorf("an earlier price without a time: %w", ErrFormat)
		}
		text := row[string(c)].String()
		r, ok := new(big.Rat).SetString(text)
		if text == "" || len(text) > 32 || strings.ContainsAny(text, "eE/") || !ok {
			continue
		}
		p, err := unit.MoneyOf(r, c)
		if err != nil || p.Minor <= 0 {
			continue // -1 or 0 is what mempool sends for a price that it does not have
		}
		day := int64(at) / market.DaySeconds
		if t, ok := last[day]; !ok || int64(at) >= t.at {
			last[day] = told{int64(at), p}
		}
	}
	days := make([]market.DayPrice, 0, len(last))
	for day, t := range last {
		days = append(days, market.DayPrice{Day: time.Unix(day*market.DaySeconds, 0).UTC(), Price: t.p})
	}
	slices.SortFunc(days, func(a, b market.DayPrice) int { return a.Day.Compare(b.Day) })
	return days, nil
}
