package avalon

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ballast/miner"
)

// Whatever is written as KEY[value] is read back, in its order.
func TestFieldsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type pair struct{ key, value string }
		pairs := rapid.SliceOf(rapid.Custom(func(t *rapid.T) pair {
			return pair{
				rapid.StringMatching(`[A-Za-z][A-Za-z0-9_]{0,12}`).Draw(t, "key"),
				rapid.StringMatching(`[^\[\]]{0,40}`).Draw(t, "value"),
			}
		})).Draw(t, "pairs")
		var b strings.Builder
		for _, p := range pairs {
			b.WriteString(rapid.SampledFrom([]string{" ", "", "\n", ", "}).Draw(t, "between") + p.key + "[" + p.value + "]")
		}
		got, whole := fields(b.String())
		if !whole || len(got) != len(pairs) {
			t.Fatalf("%q: %d fields of %d, whole %v", b.String(), len(got), len(pairs), whole)
		}
		for i, p := range pairs {
			if got[i].key != p.key || got[i].value != strings.TrimSpace(p.value) {
				t.Fatalf("%q: field %d is %+v, want %+v", b.String(), i, got[i], p)
			}
		}
	})
}

// A text that ends anywhere yields a beginning of what it would have.
func TestCutFieldsAreABeginning(t *testing.T) {
	text := "Ver[1246-83-21072802] SYSTEMSTATU[Work: In Work, Hash Board: 3 ] Elapsed[24684]BOOTBY[1] PVT_T0[ 63  70  70] SSID[] MPO[3200]"
	all, _ := fields(text)
	for n := range len(text) + 1 {
		part, whole := fields(text[:n])
		if len(part) > len(all) {
			t.Fatalf("%q: %d fields", text[:n], len(part))
		}
		for i := range part {
			if part[i] != all[i] {
				t.Errorf("%q: field %d is %+v, want %+v", text[:n], i, part[i], all[i])
			}
		}
		if open := strings.LastIndexByte(text[:n], '[') > strings.LastIndexByte(text[:n], ']'); whole == open {
			t.Errorf("%q: whole is %v", text[:n], whole)
		}
	}
}

// Lists keep their places, and read what strconv reads.
func TestNumbersKeepPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(rapid.OneOf(rapid.IntRange(-300, 70000), rapid.Just(math.MinInt32))).Draw(t, "numbers")
		words := make([]string, len(want))
		for i, v := range want {
			words[i] = rapid.SampledFrom([]string{"", " ", "  "}).Draw(t, "pad") + say(v)
			if v == math.MinInt32 {
				words[i] = "nan"
			}
		}
		got := numbers(strings.Join(words, " "))
		if len(got) != len(want) {
			t.Fatalf("%q: %v", words, got)
		}
		for i, v := range want {
			if v == math.MinInt32 != math.IsNaN(got[i]) || v != math.MinInt32 && got[i] != float64(v) {
				t.Fatalf("%q: %v", words, got)
			}
		}
	})
}

// seeds are texts with all the keys that mean something.
var seeds = []string{
	"Ver[1246-83-21072802_4ec6bb0_211fc46] DNA[02010000cbd2fd6d] SYSTEMSTATU[Work: In Work, Hash Board: 3 ] Elapsed[24684] BOOTBY[0x08.00000000] MH[999 697 1039] HW[2735] DH[2.732%] Temp[30] TMax[77] TAvg[65] Fan1[5344] FanR[72%] PS[0 1214 1316 242 3189 1320 3504] WALLPOWER[3504] PLL0[1796 4524 5435 2165] GHSspd[81072.68] GHSmm[83923.04] GHSavg[79656.63] WU[1112790.28] Freq[502.41] Led[0] MGHS[26907.01 26025.06 26724.56] MTmax[77 77 76] MTavg[66 65 64] TA[360] POWS[0] HASHS[0 0 0] POOLS[0] SoftOFF[0] ECHU[0 0 0] ECMM[0] SF0[472 492 512 532] PVT_T0[ 63  70  70] PVT_V0[305 312 311] MW0[611 634 672] ASICCRC0[0 0 1] ADJ[1] MPO[3200] WORKMODE[1]",
	"'STATS':{Ver[Q-25052801_14a19a2] LVer[25052801_14a19a2] STATE[2] SYSTEMSTATU[Work: In Idle, Hash Board: 1] ITemp[26] OTemp[-273] HBITemp[27] HBOTemp[27] TMax[0] SoftOffTime[1753425250] SoftOnTime[1753425190] FanErr[0] PS[0 1221 4 0 0 2245 146] PCOMM_E[0] GHSspd[0.00] SoftOFF[6] WORKLEVEL[0] Nonce Mask[25]}",
	"'HB0':{PVT_T0[ 58  59] PVT_V0[282 278] MW0[526 664]} 'HB1':{PVT_T0[ 58  59]",
}

func FuzzFields(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parts, _ := groups(s)
		for _, g := range parts {
			b, _ := fields(g.body)
			for _, x := range b {
				if x.key == "" || strings.ContainsAny(x.key, "[] ") || strings.ContainsRune(x.value, ']') {
					t.Fatalf("%q: %+v", s, x)
				}
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		for name, raw := range stats(f, s) {
			f.Add(name, raw)
		}
	}
	f.Add("pools", []byte(`,"id":1}`))
	f.Add("summary", []byte("CMD=summary|STATUS=S,When=1,Code=11,Msg=Summary|SUMMARY,Elapsed=5,MHS av=nan|"))
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		r, err := New().Parse(miner.Replies{name: raw})
		plausible(t, r, err)
	})
}

func FuzzText(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := New().Parse(stats(t, "MM ID0:Summary="+s, "HBinfo="+s))
		plausible(t, r, err)
	})
}

// plausible is what must hold of any reading.
func plausible(t *testing.T, r miner.Reading, err error) {
	t.Helper()
	if err != nil {
		return
	}
	if v, ok := r.Power.Get(); ok && !(v >= 0 && v <= 20000*64) {
		t.Errorf("power %v", v)
	}
	if v, ok := r.HashrateNow.Get(); ok && !(v >= 0 && v < 1e7) {
		t.Errorf("hashrate %v", v)
	}
	if len(r.Boards) > mostBoards*mostBoards || len(r.Extra) > 512 {
		t.Errorf("%d boards, %d extras", len(r.Boards), len(r.Extra))
	}
	for _, b := range r.Boards {
		if v, ok := b.TempChipMax.Get(); ok && !(v > -60 && v < 200) {
			t.Errorf("chip %v", v)
		}
		if v, ok := b.Chips.Get(); ok && v < 0 {
			t.Errorf("%d chips", v)
		}
	}
	if say(r) == "" {
		t.Error("it cannot be written as JSON")
	}
}
