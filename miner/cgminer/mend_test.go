package cgminer

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The repair list: what real firmwares send, and what they meant.
var mendCases = []struct {
	name, in, want string
	repair         string // "" when the input is fine
}{
	{"clean", `{"a":[1,2.5,"x",null,true]}`, `{"a":[1,2.5,"x",null,true]}`, ""},
	{"clean with NUL", "{\"a\":1}\x00", `{"a":1}`, ""},
	{"clean with NULs, blanks and a byte order mark", "\xef\xbb\xbf\n {\"a\":1}\r\n\x00\x00", `{"a":1}`, ""},
	{"S9 stats: no comma between objects", `{"STATS":[{"Type":"S9"}{"STATS":0}],"id":1}`, `{"STATS":[{"Type":"S9"},{"STATS":0}],"id":1}`, RepairMissingComma},
	{"S9 stats: no comma over a line", "{\"STATS\":[{\"a\":1}\n{\"b\":2}]}", `{"STATS":[{"a":1},{"b":2}]}`, RepairMissingComma},
	{"bmminer: comma after the bracket", `{"STATS":[,{"a":1}]}`, `{"STATS":[{"a":1}]}`, RepairStrayComma},
	{"btminer: comma before the brace", `{"a":1,"b":2,}`, `{"a":1,"b":2}`, RepairStrayComma},
	{"two commas", `{"a":1,,"b":[1,,2,]}`, `{"a":1,"b":[1,2]}`, RepairStrayComma},
	{"btminer 2023-01: no comma before temp0", `{"sn":"abc""temp0":45.5,"x":1}`, `{"sn":"abc","temp0":45.5,"x":1}`, RepairMissingComma},
	{"no comma after a number", `{"a":12"b":3}`, `{"a":12,"b":3}`, RepairMissingComma},
	{"btminer: line break inside text", "{\"Msg\":\"two\nlines\"}", `{"Msg":"twolines"}`, RepairControl},
	{"NUL inside", "{\"a\":1,\x00\"b\":2}", `{"a":1,"b":2}`, RepairControl},
	{"Avalon: inf and nan", `{"WU":inf,"DH":-nan,"x":-Infinity,"y":NaN}`, `{"WU":null,"DH":null,"x":null,"y":null}`, RepairNotNumber},
	{"info is no inf", `{"info":"inf","x":1,}`, `{"info":"inf","x":1}`, RepairStrayComma},
	{"Avalon: only the tail", `,"id":1}`, `{"id":1}`, RepairMissingStart},
	{"start lost", `"STATUS":[{"STATUS":"S"}],"id":1}`, `{"STATUS":[{"STATUS":"S"}],"id":1}`, RepairMissingStart},
	{"truncated in a number", `{"a":1,"GHS 5s":136`, `{"a":1}`, RepairTruncated},
	{"truncated in a text", `{"a":1,"b":"ooo oo`, `{"a":1}`, RepairTruncated},
	{"truncated in a key", `{"a":1,"chain_ra`, `{"a":1}`, RepairTruncated},
	{"truncated after a colon", `{"a":1,"b":`, `{"a":1}`, RepairTruncated},
	{"truncated after a whole text", `{"a":1,"b":"x"`, `{"a":1,"b":"x"}`, RepairTruncated},
	{"truncated deep", `{"STATS":[{"a":1},{"b":[1,2,3`, `{"STATS":[{"a":1},{"b":[1,2]}]}`, RepairTruncated},
	{"Whatsminer 2.0.4: pairs in a list", `{"Msg":{"error_code":["110":"2020-01-01","111":"2021"]}}`, `{"Msg":{"error_code":{"110":"2020-01-01","111":"2021"}}}`, RepairListObject},
	{"brace lost", `{"a":[{"b":1],"c":2}`, `{"a":[{"b":1}],"c":2}`, RepairMissingEnd},
	{"bracket lost", `{"a":[{"b":1},"c":2}`, `{"a":[{"b":1},"c",2]}`, RepairMissingEnd},
	{"quotes inside text", `{"Msg":"Access denied to "pools" command","Code":45}`, `{"Msg":"Access denied to \"pools\" command","Code":45}`, RepairQuote},
	{"bad escapes", `{"url":"C:\x\u12"}`, `{"url":"C:\\x\\u12"}`, RepairEscape},
	{"no value", `{"a":,"b":}`, `{"a":null,"b":null}`, RepairMissingValue},
	{"numbers of no JSON form", `{"a":05,"b":.5,"c":5.,"d":+7,"e":-00.50}`, `{"a":5,"b":0.5,"c":5,"d":7,"e":-0.50}`, RepairNumber},
	{"words", `{"a":N/A,"b":Not Available}`, `{"a":"N/A","b":"Not Available"}`, RepairBareWord},
	{"key without quotes", `{a:1,"b":2}`, `{"a":1,"b":2}`, RepairBareWord},
	{"rubbish before", `ok: {"a":1}`, `{"a":1}`, RepairGarbage},
	{"rubbish after", `{"a":1}}{"b":2}`, `{"a":1}`, RepairGarbage},
}

func TestMend(t *testing.T) {
	for _, c := range mendCases {
		t.Run(c.name, func(t *testing.T) {
			fixed, repairs, ok := Mend([]byte(c.in))
			if !ok {
				t.Fatal("not mended")
			}
			if !sameJSON(t, string(fixed), c.want) {
				t.Errorf("got  %s\nwant %s", fixed, c.want)
			}
			if c.repair == "" && len(repairs) > 0 || c.repair != "" && !slices.Contains(repairs, c.repair) {
				t.Errorf("repairs %q, want %q", repairs, c.repair)
			}
		})
	}
}

func TestMendRefuses(t *testing.T) {
	for _, in := range []string{
		"", "\x00", "   ", "<html><script>var a={b:1}</script></html>", "Socket connect failed: Connection refused\n",
		"{", "[", "{}}", "[[[", `{"`, `{"a`, `{"a":`, "null", "12", `"x"`, ",", "STATUS=S,When=1|", "}{",
		strings.Repeat("[", 1000), strings.Repeat(`{"a":`, 1000), "\xff\xfe\x00\x01",
	} {
		if fixed, _, ok := Mend([]byte(in)); ok {
			t.Errorf("%.40q was mended to %s", in, fixed)
		}
	}
}

// A long text that the end of the reply cut is kept: Avalon's "MM ID0" holds
// the machine.
func TestMendKeepsLongCutText(t *testing.T) {
	in := `{"STATS":[{"MM ID0":"` + strings.Repeat("Temp[30] ", 100)
	fixed, repairs, ok := Mend([]byte(in))
	if !ok || !slices.Contains(repairs, RepairTruncated) || !bytes.Contains(fixed, []byte("Temp[30] Temp[30]")) {
		t.Errorf("%v %q %.80s", ok, repairs, fixed)
	}
}

func TestMendCleanAllocatesNothing(t *testing.T) {
	in := []byte("{\"STATUS\":[{\"STATUS\":\"S\"}],\"SUMMARY\":[{\"Elapsed\":1}],\"id\":1}\x00")
	if n := testing.AllocsPerRun(100, func() { Mend(in) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	fixed, _, _ := Mend(in)
	if &fixed[0] != &in[0] {
		t.Error("clean input was copied")
	}
}

// Whatever part of a good reply arrives, the mended part agrees with the whole.
func TestMendTruncatedAgrees(t *testing.T) {
	whole := `{"STATUS":[{"STATUS":"S","When":1700000000,"Msg":"x"}],"STATS":[{"a":12.75,"b":"ooo","c":[1,22,{"d":null}],"e":true},{"f":"-1"}],"id":1}`
	var want any
	if err := json.Unmarshal([]byte(whole), &want); err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		fixed, _, ok := Mend([]byte(whole[:n]))
		if !ok {
			continue
		}
		var got any
		if err := json.Unmarshal(fixed, &got); err != nil {
			t.Fatalf("%d: %v in %s", n, err, fixed)
		}
		if !within(got, want) {
			t.Fatalf("%d: %s says what the whole does not", n, fixed)
		}
	}
}

// within tells whether everything in part is in whole.
func within(part, whole any) bool {
	switch p := part.(type) {
	case map[string]any:
		w, ok := whole.(map[string]any)
		for k, v := range p {
			if !ok || !within(v, w[k]) {
				return false
			}
		}
		return ok
	case []any:
		w, ok := whole.([]any)
		if !ok || len(p) > len(w) {
			return false
		}
		for i := range p {
			if !within(p[i], w[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(part, whole)
}

// Damage of any kind never yields invalid JSON, and mending twice is mending
// once.
func TestMendDamaged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(rapid.SampledFrom(mendCases).Draw(t, "seed").in)
		for range rapid.IntRange(0, 8).Draw(t, "damages") {
			if len(b) == 0 {
				break
			}
			i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
			switch rapid.IntRange(0, 3).Draw(t, "how") {
			case 0:
				b = append(b[:i:i], b[i+1:]...)
			case 1:
				b = append(b[:i:i], append([]byte{rapid.SampledFrom([]byte(`{}[]",:\0-. n`+"\x00\n\xff")).Draw(t, "byte")}, b[i:]...)...)
			case 2:
				b = b[:i]
			case 3:
				b = append(b, b[i:]...)
			}
		}
		checkMend(t, b)
	})
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func checkMend(t failer, in []byte) {
	t.Helper()
	before := bytes.Clone(in)
	fixed, repairs, ok := Mend(in)
	if !bytes.Equal(in, before) {
		t.Fatalf("the input was changed: %q", before)
	}
	if !ok {
		return
	}
	if !json.Valid(fixed) || fixed[0] != '{' && fixed[0] != '[' {
		t.Fatalf("%q was mended to invalid %q", in, fixed)
	}
	again, more, ok := Mend(fixed)
	if !ok || len(more) > 0 || !bytes.Equal(again, fixed) {
		t.Fatalf("%q: mended again (%v, %v): %q", in, ok, more, again)
	}
	if len(repairs) == 0 && !json.Valid(trim(in)) {
		t.Fatalf("%q was changed to %q without saying so", in, fixed)
	}
}

func FuzzMend(f *testing.F) {
	for _, c := range mendCases {
		f.Add([]byte(c.in))
	}
	f.Add([]byte(strings.Repeat("[", 300)))
	f.Add([]byte(`{"a":"` + strings.Repeat("x", 300)))
	f.Fuzz(func(t *testing.T, in []byte) { checkMend(t, in) })
}

func BenchmarkMendClean(b *testing.B) {
	in := []byte(`{"STATUS":[{"STATUS":"S"}],"STATS":[` + strings.Repeat(`{"chain_rate1":"36000.12","temp_chip1":"60-61-62-63"},`, 80) + `{}],"id":1}`)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if _, _, ok := Mend(in); !ok {
			b.Fatal("not clean")
		}
	}
}

func BenchmarkMendBroken(b *testing.B) {
	in := []byte(`{"STATUS":[{"STATUS":"S"}],"STATS":[` + strings.Repeat(`{"chain_rate1":"36000.12","temp_chip1":"60-61-62-63"}`, 80) + `],"id":1}`)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if _, _, ok := Mend(in); !ok {
			b.Fatal("not mended")
		}
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(a), &x); err != nil {
		t.Fatalf("%v in %s", err, a)
	}
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return reflect.DeepEqual(x, y)
}
