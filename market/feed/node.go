package feed

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"ballast/market"
	"ballast/unit"
)

// Node is the company's own bitcoind or btcd, asked by JSON-RPC over HTTP.
type Node struct{ c *client }

var _ Chain = (*Node)(nil)

// NewNode takes the RPC's address; user and password are in the options or in
// the address (bitcoind's cookie is user __cookie__).
func NewNode(base string, o Options) (*Node, error) {
	c, err := newClient(base, o)
	if err != nil {
		return nil, err
	}
	return &Node{c}, nil
}

// Name is the address, without the password.
func (n *Node) Name() string { return n.c.name() }

// rpcError is what a node refuses with.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

const noSuchMethod = -32601

func (n *Node) call(ctx context.Context, to any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	q, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": "ballast", "method": method, "params": params})
	if err != nil {
		return err
	}
	a, err := n.c.do(ctx, http.MethodPost, "/", q)
	if err != nil {
		return err
	}
	return parseRPC(a.body, to, n.Name()+" "+method)
}

func parseRPC(body []byte, to any, what string) error {
	var v struct {
		Result json.RawMessage `json:"result"`
		Error  *rpcError       `json:"error"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("%s: %w: %w", what, ErrFormat, err)
	}
	if v.Error != nil {
		if v.Error.Code == noSuchMethod {
			return fmt.Errorf("%s: %w", what, ErrMethod)
		}
		return fmt.Errorf("%s: %.200q (%d): %w", what, v.Error.Message, v.Error.Code, ErrUnavailable)
	}
	if len(v.Result) == 0 || string(v.Result) == "null" {
		return fmt.Errorf("%s: no result: %w", what, ErrFormat)
	}
	if err := json.Unmarshal(v.Result, to); err != nil {
		return fmt.Errorf("%s: %w: %w", what, ErrFormat, err)
	}
	return nil
}

// Tip asks getbestblockhash.
func (n *Node) Tip(ctx context.Context) (h [32]byte, err error) {
	var s string
	if err := n.call(ctx, &s, "getbestblockhash"); err != nil {
		return h, err
	}
	return parseHash(s)
}

// At asks getblockhash.
func (n *Node) At(ctx context.Context, height int64) (h [32]byte, err error) {
	var s string
	if err := n.call(ctx, &s, "getblockhash", height); err != nil {
		return h, err
	}
	return parseHash(s)
}

// Block asks getblockheader, and getblockstats for the fees. btcd has no
// getblockstats, and a pruned bitcoind may not have the block: then the raw
// block is asked for and its coinbase read, and if that is not to be had either
// the fees are missing.
func (n *Node) Block(ctx context.Context, hash [32]byte) (Block, error) {
	id := hex.EncodeToString(hash[:])
	var raw json.RawMessage
	if err := n.call(ctx, &raw, "getblockheader", id, true); err != nil {
		return Block{}, err
	}
	b, err := parseNodeHeader(raw)
	if err != nil {
		return Block{}, fmt.Errorf("%s: %w", n.Name(), err)
	}
	if b.Hash != hash {
		return Block{}, fmt.Errorf("%s sends block %x for %s: %w", n.Name(), b.Hash, id, ErrLink)
	}
	var stats struct {
		Fee *int64 `json:"totalfee"`
	}
	if err := n.call(ctx, &stats, "getblockstats", id, []string{"totalfee"}); err == nil && stats.Fee != nil {
		b.Fees = unit.Some(*stats.Fee)
		return b, nil
	}
	var text string
	if err := n.call(ctx, &text, "getblock", id, 0); err != nil {
		return b, nil //nolint:nilerr // a pruned node still has the header
	}
	bytes, err := hex.DecodeString(text)
	if err != nil {
		return Block{}, fmt.Errorf("%s: a raw block that is not hex: %w", n.Name(), ErrFormat)
	}
	full, err := parseRaw(bytes, b.Height)
	if err != nil {
		return Block{}, fmt.Errorf("%s: %w", n.Name(), err)
	}
	if full.Hash != hash {
		return Block{}, fmt.Errorf("%s sends raw block %x for %s: %w", n.Name(), full.Hash, id, ErrLink)
	}
	b.Fees = full.Fees
	return b, nil
}

func parseNodeHeader(raw []byte) (Block, error) {
	var v struct {
		Hash    string `json:"hash"`
		Height  *int64 `json:"height"`
		Version *int64 `json:"version"`
		Merkle  string `json:"merkleroot"`
		Time    *int64 `json:"time"`
		Nonce   *int64 `json:"nonce"`
		Bits    string `json:"bits"`
		Prev    string `json:"previousblockhash"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return Block{}, fmt.Errorf("reading a header: %w: %w", ErrFormat, err)
	}
	bits, err := strconv.ParseUint(v.Bits, 16, 32)
	if err != nil || v.Height == nil || *v.Height < 0 || v.Version == nil || v.Time == nil || v.Nonce == nil || *v.Time < 0 || *v.Time >= 1<<32 || *v.Nonce < 0 || *v.Nonce >= 1<<32 {
		return Block{}, fmt.Errorf("a header without height, version, time, nonce or bits: %w", ErrFormat)
	}
	b := Block{Height: *v.Height, Version: int32(*v.Version), Time: time.Unix(*v.Time, 0).UTC(), Bits: market.Bits(bits), Nonce: uint32(*v.Nonce)}
	if b.Hash, err = parseHash(v.Hash); err != nil {
		return Block{}, err
	}
	if b.Merkle, err = parseHash(v.Merkle); err != nil {
		return Block{}, err
	}
	if v.Prev != "" {
		if b.Prev, err = parseHash(v.Prev); err != nil {
			return Block{}, err
		}
	}
	return b, nil
}
