package drivertest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ballast/miner"
)

// checkParse holds the pure half to being total: nothing panics, nothing is
// invented, and what is there in part is read in part.
func checkParse(t *testing.T, b *bench) {
	if b.suite.Replies == nil {
		t.Skip("the suite does not say how to fetch raw replies")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	replies, err := b.suite.Replies(ctx, b.dev)
	if err != nil || len(replies) == 0 {
		t.Fatalf("fetching replies: %d, %v", len(replies), err)
	}
	parse := b.suite.Driver.Parse
	whole, err := parse(replies)
	if err != nil {
		t.Fatalf("parsing what the machine said: %v", err)
	}
	if again, err := parse(replies); err != nil || !slices.Equal(present(again), present(whole)) {
		t.Errorf("parsing the same twice differs: %v", err)
	}
	names := slices.Sorted(maps.Keys(replies))

	t.Run("nothing", func(t *testing.T) {
		if _, err := parse(nil); err == nil {
			t.Error("parsing no reply at all is no error")
		}
		for _, empty := range []string{"", "{}", "[]", "null", "0", "\"\"", "\x00", "<html><body>login</body></html>", "Socket connect failed: Connection refused\n"} {
			for _, name := range append(slices.Clone(names), "saved") {
				r, err := parse(miner.Replies{name: []byte(empty)})
				if got := present(r); len(got) > 0 {
					t.Errorf("%s = %q (%v) has %v", name, empty, err, got)
				}
			}
		}
	})
	t.Run("one reply alone", func(t *testing.T) {
		known := 0
		for _, name := range names {
			r, err := parse(miner.Replies{name: replies[name]})
			if err != nil {
				t.Errorf("%s alone: %v", name, err)
			}
			if invented := lost(r, whole); len(invented) > 0 {
				t.Errorf("%s alone tells what all together do not: %v", name, invented)
			}
			if saved, err := parse(miner.Replies{"saved file 7": replies[name]}); err == nil && len(present(saved)) > 0 {
				known++
			}
		}
		if known == 0 {
			t.Error("no reply is recognised under another name")
		}
	})
	t.Run("truncated", func(t *testing.T) {
		for _, name := range names {
			raw := replies[name]
			for n := 0; n < len(raw); n += max(1, len(raw)/20) {
				part := maps.Clone(replies)
				part[name] = raw[:n]
				_, _ = parse(part)
				_, _ = parse(miner.Replies{"x": raw[:n]})
			}
		}
	})
	t.Run("mutated", func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(b.spec.Seed, 7))
		end := time.Now().Add(300 * time.Millisecond) // per-chip replies are long
		for n := 0; n < 600 && (n < 60 || time.Now().Before(end)); n++ {
			name := names[rnd.IntN(len(names))]
			part := maps.Clone(replies)
			part[name] = mutate(rnd, replies[name])
			_, _ = parse(part)
		}
	})
	t.Run("absurd numbers", func(t *testing.T) {
		for _, name := range names {
			for _, number := range []string{"-273", "65535", "1e300", "-1", "null", "\"n/a\"", "[]", "{}", "true", "99999999999999999999"} {
				part := maps.Clone(replies)
				part[name] = everyNumber(replies[name], number)
				r, err := parse(part)
				if err != nil {
					continue
				}
				if bad := implausible(r); bad != "" {
					t.Errorf("every number of %s is %s, and the reading says %s", name, number, bad)
				}
			}
		}
	})
}

// implausible finds a temperature, fan or power that cannot be.
func implausible(r miner.Reading) string {
	temps := map[string]float64{}
	add := func(what string, v float64, ok bool) {
		if ok {
			temps[what] = v
		}
	}
	for what, o := range map[string]interface {
		Ok() bool
		MarshalJSON() ([]byte, error)
	}{"ambient": r.TempAmbient, "inlet": r.TempInlet, "outlet": r.TempOutlet, "board": r.TempBoard, "chip": r.TempChip} {
		j, _ := o.MarshalJSON()
		var v float64
		_, err := fmt.Sscan(string(j), &v)
		add(what, v, o.Ok() && err == nil)
	}
	for _, b := range r.Boards {
		for _, o := range []struct {
			what string
			v    float64
			ok   bool
		}{
			{"board inlet", float64(b.TempInlet.Or(0)), b.TempInlet.Ok()}, {"board outlet", float64(b.TempOutlet.Or(0)), b.TempOutlet.Ok()},
			{"board temperature", float64(b.TempBoard.Or(0)), b.TempBoard.Ok()}, {"chip maximum", float64(b.TempChipMax.Or(0)), b.TempChipMax.Ok()},
			{"chip mean", float64(b.TempChipMean.Or(0)), b.TempChipMean.Ok()},
		} {
			add(o.what, o.v, o.ok)
		}
	}
	for what, v := range temps {
		if !(v > -60 && v < 200) {
			return fmt.Sprintf("%s %v °C", what, v)
		}
	}
	for _, f := range r.Fans {
		if v, ok := f.Speed.Get(); ok && !(v >= 0 && v < 65535) {
			return fmt.Sprintf("fan %v", v)
		}
	}
	if p, ok := r.Power.Get(); ok && !(p >= 0 && p < 100_000) {
		return fmt.Sprintf("power %v", p)
	}
	if h, ok := r.HashrateNow.Get(); ok && !(h >= 0 && h < 1e6) {
		return fmt.Sprintf("hashrate %v", h)
	}
	return ""
}

// everyNumber replaces every number outside strings.
func everyNumber(raw []byte, with string) []byte {
	var out bytes.Buffer
	quoted := false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '\\' && quoted && i+1 < len(raw):
			out.Write(raw[i : i+2])
			i++
		case c == '"':
			quoted = !quoted
			out.WriteByte(c)
		case !quoted && (c >= '0' && c <= '9' || c == '-'):
			for i+1 < len(raw) && strings.IndexByte("0123456789.eE+-", raw[i+1]) >= 0 {
				i++
			}
			out.WriteString(with)
		default:
			out.WriteByte(c)
		}
	}
	return out.Bytes()
}

// mutate damages a reply the way lines, firmwares and memory do.
func mutate(rnd *rand.Rand, raw []byte) []byte {
	out := slices.Clone(raw)
	for range 1 + rnd.IntN(4) {
		if len(out) == 0 {
			return out
		}
		i := rnd.IntN(len(out))
		switch rnd.IntN(9) {
		case 0:
			out[i] ^= 1 << rnd.IntN(8)
		case 1: // a piece is missing
			out = slices.Delete(out, i, min(len(out), i+1+rnd.IntN(30)))
		case 2: // a piece is there twice
			j := min(len(out), i+1+rnd.IntN(60))
			out = slices.Insert(out, j, slices.Clone(out[i:j])...)
		case 3:
			out = bytes.Replace(out, []byte(","), nil, 1)
		case 4:
			out = append(out, 0, '\n', '}')
		case 5:
			out = bytes.ReplaceAll(out, []byte("\""), []byte("'"))
		case 6:
			out[i] = "{}[]\",:\\0-nN\x00\xff"[rnd.IntN(14)]
		case 7: // numbers become strings
			out = bytes.ReplaceAll(out, []byte(":1"), []byte(":\"1\",\"q\":2"))
		case 8:
			out = out[:i]
		}
	}
	return out
}
