package feed

import (
	"encoding/hex"
	"testing"
	"time"

	"ballast/unit"
)

// genesis is the first block of Bitcoin, whole.
const genesis = "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c" +
	"0101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"

func TestGenesis(t *testing.T) {
	raw, err := hex.DecodeString(genesis)
	if err != nil {
		t.Fatal(err)
	}
	b, err := parseRaw(raw, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Check(Mainnet().Limit); err != nil {
		t.Error(err)
	}
	if got := hex.EncodeToString(b.Hash[:]); got != "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f" {
		t.Error(got)
	}
	if f, ok := b.Fees.Get(); !ok || f != 0 || !b.Time.Equal(time.Unix(1231006505, 0)) || b.Bits != 0x1d00ffff {
		t.Errorf("%+v", b)
	}
	for n := range len(raw) - 4 - 67 { // up to the output's script nothing may be missing
		if _, err := parseRaw(raw[:n], 0); err == nil {
			t.Fatalf("read whole from its first %d bytes", n)
		}
	}
}

func FuzzParseRaw(f *testing.F) {
	raw, _ := hex.DecodeString(genesis)
	f.Add(raw)
	f.Add(raw[:100])
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := parseRaw(raw, 840_000)
		if err == nil && (b.Fees.Or(-1) < 0 || b.Sum() != b.Hash) {
			t.Fatalf("%+v", b)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"id":"000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f","height":0,"version":1,"timestamp":1231006505,"merkle_root":"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b","previousblockhash":null,"nonce":2083236893,"bits":486604799,"extras":{"totalFees":0}}`))
	f.Add([]byte(`{"hash":"000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f","height":0,"version":1,"merkleroot":"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b","time":1231006505,"nonce":2083236893,"bits":"1d00ffff"}`))
	f.Add([]byte(`{"time":1703252411,"USD":43753,"EUR":40545}`))
	f.Add([]byte(`{"result":{"totalfee":5},"error":null,"id":"ballast"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, parse := range []func([]byte) (Block, error){parseMempoolBlock, parseNodeHeader} {
			if b, err := parse(body); err == nil {
				if b.Height < 0 {
					t.Fatalf("%+v", b)
				}
				_ = b.Check(Mainnet().Limit)
			}
		}
		if p, at, err := parseMempoolPrice(body, unit.USD); err == nil && (p.Minor <= 0 || at.IsZero()) {
			t.Fatalf("%v at %v", p, at)
		}
		var v struct {
			Fee *int64 `json:"totalfee"`
		}
		_ = parseRPC(body, &v, "fuzz")
	})
}
