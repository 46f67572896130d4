package drivertest

import (
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"ballast/miner"
	"ballast/unit"
)

func TestFields(t *testing.T) {
	var r miner.Reading
	if got := present(r); len(got) > 0 {
		t.Errorf("an empty reading has %v", got)
	}
	r.HashrateNow = unit.Some(unit.Hashrate(100))
	r.Accepted = unit.Some(int64(0)) // an honest zero
	r.TempChip = unit.Some(unit.Temperature(0))
	r.Boards = []miner.Board{{}, {Voltage: unit.Some(unit.Voltage(0)), Chip: unit.Some(miner.ChipSummary{})}}
	r.Fans = []miner.Fan{{Speed: unit.Some(unit.Speed(6000))}}
	r.Boards[1].Present = unit.Some(false) // not a number
	r.Envelope = &miner.Envelope{PowerMin: unit.Some(unit.Power(0))}
	zeros := presentZeros(r)
	for _, want := range []string{"boards.voltage_v", "envelope.power_min_w", "temp_chip_c"} {
		if !slices.Contains(zeros, want) {
			t.Errorf("%s is not among the zeros %v", want, zeros)
		}
	}
	if len(zeros) != 3 {
		t.Errorf("zeros %v", zeros)
	}
	less := r
	less.Fans, less.TempChip = nil, unit.None[unit.Temperature]()
	if got := strings.Join(lost(r, less), " "); got != "fans.speed_rpm temp_chip_c" {
		t.Errorf("lost %s", got)
	}
	if got := lost(less, r); len(got) > 0 {
		t.Errorf("lost %v by gaining", got)
	}
}

func TestEveryNumber(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1,"b 2":[3.5e+2,-4],"c":"5"}`: `{"a":X,"b 2":[X,X],"c":"5"}`,
		`{"a\"1":2}`:                        `{"a\"1":X}`,
		`"1`:                                `"1`,
		``:                                  ``,
		`\"7`:                               `\"7`,
	} {
		if got := string(everyNumber([]byte(in), "X")); got != want {
			t.Errorf("%s gives %s, want %s", in, got, want)
		}
	}
}

func TestMutateLeavesTheOriginal(t *testing.T) {
	raw := []byte(`{"a":1,"b":[2,3]}`)
	was := string(raw)
	rnd := rand.New(rand.NewPCG(1, 2))
	changed := 0
	for range 500 {
		if string(mutate(rnd, raw)) != was {
			changed++
		}
	}
	if string(raw) != was {
		t.Errorf("the original is now %s", raw)
	}
	if changed < 400 {
		t.Errorf("%d of 500 changed", changed)
	}
	mutate(rnd, nil)
}

func TestImplausible(t *testing.T) {
	good := miner.Reading{TempChip: unit.Some(unit.Temperature(84)), Power: unit.Some(unit.Power(3300)), Fans: []miner.Fan{{Speed: unit.Some(unit.Speed(0))}}}
	if got := implausible(good); got != "" {
		t.Errorf("good reading: %s", got)
	}
	for _, bad := range []miner.Reading{
		{TempChip: unit.Some(unit.Temperature(65535))}, {TempAmbient: unit.Some(unit.Temperature(-273))}, {Power: unit.Some(unit.Power(-1))},
		{Fans: []miner.Fan{{Speed: unit.Some(unit.Speed(65535))}}}, {HashrateNow: unit.Some(unit.Hashrate(1e300))},
		{Boards: []miner.Board{{TempOutlet: unit.Some(unit.Temperature(255))}}},
	} {
		if implausible(bad) == "" {
			t.Errorf("passes: %+v", bad)
		}
	}
}

func TestSame(t *testing.T) {
	if !sameURL("stratum+tcp://a:3333", "a:3333/") || sameURL("a:3333", "b:3333") {
		t.Error("URLs")
	}
	if !sameUser("acct.rig", "acct.rig") || !sameUser("acct", "acct.rig") || sameUser("", "acct") || sameUser("other", "acct") {
		t.Error("users")
	}
}

// What the bad sockets do is what they are called.
func TestFaults(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("hello, world"))
			c.Close()
		}
	}()
	target := miner.Target{Addr: l.Addr().(*net.TCPAddr).AddrPort().Addr().Unmap(), Ports: map[uint16]uint16{80: uint16(l.Addr().(*net.TCPAddr).Port)}}
	for _, test := range []struct {
		fault fault
		want  func(got string, err error) bool
	}{
		{fault{name: "hung"}, func(got string, err error) bool { return got == "" && isTimeout(err) }},
		{fault{name: "reset", reset: true}, func(got string, err error) bool { return got == "" && err != nil && !isTimeout(err) }},
		{fault{name: "cut", serve: cutting(5)}, func(got string, err error) bool { return got == "hello" && err != nil && !isTimeout(err) }},
		{fault{name: "drip", serve: dripping}, func(got string, _ error) bool {
			return len(got) > 0 && len(got) < 12 && got == "hello, world"[:len(got)]
		}},
		{fault{name: "garbage", serve: garbling}, func(got string, _ error) bool { return len(got) == 12 && got != "hello, world" }},
		{fault{name: "endless", serve: endless}, func(got string, _ error) bool { return len(got) == 16 }},
	} {
		t.Run(test.fault.name, func(t *testing.T) {
			bad := throughFault(t, target, test.fault)
			c, err := bad.DialPort(t.Context(), 80)
			if err != nil {
				if !test.fault.reset {
					t.Fatal(err)
				}
				return
			}
			defer c.Close()
			_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
			buf, n := make([]byte, 16), 0
			var rerr error
			for n < len(buf) && rerr == nil {
				var k int
				k, rerr = c.Read(buf[n:])
				n += k
			}
			if !test.want(string(buf[:n]), rerr) {
				t.Errorf("got %q, %v", buf[:n], rerr)
			}
		})
	}
}

func isTimeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}
