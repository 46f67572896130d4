package market_test

import (
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"ballast/market"
	"ballast/unit"
)

// The vectors of Bitcoin Core, src/test/pow_tests.cpp.
func TestRetargetVectors(t *testing.T) {
	for _, v := range []struct {
		first, last int64
		old, want   market.Bits
	}{
		{1261130161, 1262152739, 0x1d00ffff, 0x1d00d86a},
		{1231006505, 1233061996, 0x1d00ffff, 0x1d00ffff},
		{1279008237, 1279297671, 0x1c05a3f4, 0x1c0168fd},
		{1263163443, 1269211443, 0x1c387f6f, 0x1d00e1fd},
	} {
		got, err := market.Retarget(v.old, v.first, v.last)
		if err != nil || got != v.want {
			t.Errorf("%08x over %d s: %08x, %v; want %08x", uint32(v.old), v.last-v.first, uint32(got), err, uint32(v.want))
		}
	}
}

// The vectors of Bitcoin Core, src/test/arith_uint256_tests.cpp (bignum_SetCompact).
func TestBits(t *testing.T) {
	for _, v := range []struct {
		bits market.Bits
		want string // hex without leading zeros; empty is an error
	}{
		{0, ""}, {0x00123456, ""}, {0x01003456, ""}, {0x02000056, ""}, {0x03000000, ""}, {0x04000000, ""},
		{0x00923456, ""}, {0x01803456, ""}, {0x02800056, ""}, {0x03800000, ""}, {0x04800000, ""},
		{0x01123456, "12"}, {0x02123456, "1234"}, {0x03123456, "123456"}, {0x04123456, "12345600"},
		{0x04923456, ""}, {0x05009234, "92340000"}, {0xff123456, ""},
		{0x20123456, "1234560000000000000000000000000000000000000000000000000000000000"},
		{0x1d00ffff, "ffff0000000000000000000000000000000000000000000000000000"},
	} {
		got, err := v.bits.Target()
		if v.want == "" {
			if !errors.Is(err, market.ErrBits) {
				t.Errorf("%08x: %v, %v; want an error", uint32(v.bits), got, err)
			}
			continue
		}
		want, _ := new(big.Int).SetString(v.want, 16)
		if err != nil || got.Big().Cmp(want) != 0 {
			t.Errorf("%08x: %s, %v; want %s", uint32(v.bits), got, err, v.want)
		}
	}
}

func TestBitsProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := market.Bits(rapid.Uint32Range(1, 34).Draw(t, "size")<<24 | rapid.Uint32Range(0, 0xffffff).Draw(t, "word"))
		target, err := b.Target()
		if err != nil {
			return
		}
		back := target.Bits()
		again, err := back.Target()
		if err != nil || again != target {
			t.Fatalf("%08x -> %s -> %08x -> %s (%v)", uint32(b), target, uint32(back), again, err)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 1, 32).Draw(t, "target")
		n := new(big.Int).SetBytes(raw)
		target, err := market.TargetOf(n)
		if err != nil {
			return
		}
		cut, err := target.Bits().Target()
		if err != nil || cut.Big().Cmp(n) > 0 {
			t.Fatalf("compact form of %s is easier: %s, %v", target, cut, err)
		}
		// Losing less than one part in 2^15 is all a 23-bit mantissa may do.
		loss := new(big.Int).Sub(n, cut.Big())
		if loss.Lsh(loss, 15).Cmp(n) > 0 {
			t.Fatalf("compact form of %s lost too much: %s", target, cut)
		}
		at, err := market.TargetAt(target.Difficulty())
		if err != nil || at != target {
			t.Fatalf("target of its difficulty: %s, want %s (%v)", at, target, err)
		}
		// Exact hashes and difficulty times 2^32 agree within 16 ppm.
		if n.BitLen() > 40 {
			q, _ := new(big.Rat).Quo(target.Hashes(), market.HashesAtDifficulty(target.Difficulty())).Float64()
			if q < 1 || q > 1.000016 {
				t.Fatalf("hashes over difficulty x 2^32 = %v", q)
			}
		}
	})
}

func TestRetargetProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old := market.Bits(rapid.Uint32Range(0x17010000, 0x1d00ffff).Draw(t, "bits"))
		span := rapid.Int64Range(-1000, 6_000_000).Draw(t, "span")
		next, err := market.RetargetSpan(old, span)
		if err != nil {
			return
		}
		spans, ok := market.SpansBetween(old, next)
		clamped := min(max(span, market.MinTimespan), market.MaxTimespan)
		if !ok || clamped < spans.Min || clamped > spans.Max {
			t.Fatalf("span %d gives %08x, but its spans are %+v, %v", span, uint32(next), spans, ok)
		}
		for _, s := range []int64{spans.Min, spans.Max} {
			if b, _ := market.RetargetSpan(old, s); b != next {
				t.Fatalf("end %d of the spans gives %08x, want %08x", s, uint32(b), uint32(next))
			}
		}
	})
	// Blocks exactly 600 s apart: 2015 intervals, so difficulty creeps up.
	b, err := market.Retarget(0x17024ac6, 0, 2015*600)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := market.Bits(0x17024ac6).Target()
	now, _ := b.Target()
	if got, want := now.Diff()/old.Diff(), 2016.0/2015; got < want*0.99999 || got > want*1.00001 {
		t.Errorf("difficulty moved by %v, want %v", got, want)
	}
}

func TestSubsidy(t *testing.T) {
	for _, v := range []struct{ height, want int64 }{
		{-1, 0}, {0, 50e8}, {209_999, 50e8}, {210_000, 25e8}, {420_000, 1_250_000_000}, {630_000, 625_000_000},
		{840_000, 312_500_000}, {1_050_000, 156_250_000}, {32 * 210_000, 1}, {33 * 210_000, 0}, {64 * 210_000, 0}, {1 << 62, 0},
	} {
		if got := market.Subsidy(v.height); got != v.want {
			t.Errorf("subsidy at %d: %d, want %d", v.height, got, v.want)
		}
	}
	// Bitcoin Core, src/test/validation_tests.cpp: the sum of all subsidies.
	if got := market.Supply(14_000_000); got != 2_099_999_997_690_000 {
		t.Errorf("supply %d", got)
	}
	if n, at := market.NextHalving(953_568); n != 5 || at != 1_050_000 {
		t.Errorf("next halving %d at %d", n, at)
	}
}

func TestHashprice(t *testing.T) {
	usd := func(v int64) unit.Money { return unit.Money{Minor: v * 100, Currency: unit.USD} }
	for _, v := range []struct {
		name          string
		difficulty    int64
		price         int64
		subsidy       int64
		share         *big.Rat
		want, percent float64
	}{
		{"round numbers", 1e14, 100_000, 312_500_000, big.NewRat(0, 1), 62.864, 0.01},
		{"24 July 2021", 13_670_000_000_000, 33_806, 625_000_000, big.NewRat(126, 10000), 315, 0.1},
		{"7 August 2021", 14_496_000_000_000, 43_629, 625_000_000, big.NewRat(134, 10000), 383.5, 0.1},
		{"3 March 2025", 110_570_000_000_000, 86_350, 312_500_000, big.NewRat(193, 10000), 49.40, 1.6},
	} {
		target, err := market.TargetAt(big.NewRat(v.difficulty, 1))
		if err != nil {
			t.Fatal(err)
		}
		r, err := market.RewardWithFeeShare(v.subsidy, v.share)
		if err != nil {
			t.Fatal(err)
		}
		h, err := market.HashpriceOf(target, r, usd(v.price))
		if err != nil {
			t.Fatal(err)
		}
		if off := (h.PerPHDay()/v.want - 1) * 100; off > v.percent || off < -v.percent {
			t.Errorf("%s: %s, want %v within %v %%", v.name, h, v.want, v.percent)
		}
	}
}

// Hayes' lower bound of the bitcoin price, as Fantazzini et al. (2016) print it.
func TestBreakEvenPrice(t *testing.T) {
	power, _ := unit.ParseEnergyPrice("$0.135/kWh")
	cost := market.Hashcost(750, power, 1)
	sat := market.SatPerPHDayOver(market.HashesAtDifficulty(big.NewRat(60_883_825_480, 1)), market.Reward{Subsidy: 1_250_000_000})
	p, err := market.BreakEvenPrice(cost, sat)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.FloatString(4); got != "588.3616" {
		t.Errorf("break-even price %s, want 588.3616", got)
	}
}

// 35 $/PH/day at 12 c/kWh needs 12.2 J/TH; 21.5 J/TH at 6 c costs 30.96.
func TestHashcost(t *testing.T) {
	six, _ := unit.ParseEnergyPrice("6c/kWh")
	if got := market.Hashcost(21.5, six, 1); got.Micro != 30_960_000 {
		t.Errorf("hashcost %s", got)
	}
	twelve, _ := unit.ParseEnergyPrice("12c/kWh")
	h, _ := unit.ParseHashprice("$35/PH/day")
	e, ok := market.BreakEvenEfficiency(h, twelve, 1)
	if !ok || e < 12.15 || e > 12.16 {
		t.Errorf("break-even efficiency %v", e)
	}
	rapid.Check(t, func(t *rapid.T) {
		e := unit.Efficiency(rapid.Float64Range(5, 150).Draw(t, "efficiency"))
		pue := rapid.Float64Range(1, 1.6).Draw(t, "pue")
		p := unit.EnergyPrice{Micro: rapid.Int64Range(1_000_000, 500_000_000).Draw(t, "price"), Currency: unit.USD}
		back, ok := market.BreakEvenPower(market.Hashcost(e, p, pue), e, pue)
		if d := back.Micro - p.Micro; !ok || d > 5 || d < -5 {
			t.Fatalf("break-even of the hashcost at %s is %s", p, back)
		}
	})
}
