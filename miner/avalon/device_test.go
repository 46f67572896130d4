package avalon

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/sim"
	dialect "ballast/sim/dialect/avalon"
)

// bench is a rig on loopback whose time the test owns.
type bench struct {
	rig    *sim.Rig
	dev    miner.Device
	target miner.Target

	mu  sync.Mutex
	now time.Time
}

func stand(t *testing.T, spec sim.Spec) *bench {
	t.Helper()
	spec.Firmware, spec.User, spec.Password = miner.Avalon, "root", "Corr3ct-horse"
	b := &bench{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	b.rig = sim.NewRig(spec, func() time.Time {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.now
	})
	var err error
	if b.target, err = sim.Stand(t.Context(), dialect.New(), b.rig); err != nil {
		t.Fatal(err)
	}
	b.target.Credentials = miner.Credentials{User: "root", Password: "Corr3ct-horse"}
	b.dev = New().Open(b.target)
	t.Cleanup(b.dev.Close)
	return b
}

func (b *bench) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func (b *bench) read(t *testing.T) miner.Reading {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	r, err := b.dev.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// script stands up a machine that answers each request, written "command" or
// "command|parameter", by the first prefix that fits; "" closes in silence.
func script(t *testing.T, replies ...[2]string) (miner.Target, func() []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var asked []string
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			sim.ServeRPC(t.Context(), c, func(q sim.RPCRequest) []byte {
				mu.Lock()
				defer mu.Unlock()
				request := strings.Join(q.Commands, "+") + "|" + q.Parameter
				asked = append(asked, strings.TrimSuffix(request, "|"))
				for _, r := range replies {
					if strings.HasPrefix(request, r[0]) {
						return []byte(r[1])
					}
				}
				return []byte(`{"STATUS":[{"STATUS":"E","When":7,"Code":14,"Msg":"Invalid command","Description":"cgminer 4.11.1"}],"id":1}` + "\x00")
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	addr := l.Addr().(*net.TCPAddr)
	target := miner.Target{Addr: netip.MustParseAddr("127.0.0.1"), Ports: map[uint16]uint16{cgminer.Port: uint16(addr.Port)}}
	return target, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), asked...)
	}
}

const (
	versionReply = `{"STATUS":[{"STATUS":"S","When":986,"Code":22,"Msg":"CGMiner versions","Description":"cgminer 4.11.1"}],"VERSION":[{"CGMiner":"4.11.1","API":"3.7","PROD":"AvalonMiner 1246-83","MODEL":"1246-83","HWTYPE":"MM3v2_X3","SWTYPE":"MM315","VERSION":"21072802_4ec6bb0_211fc46","DNA":"02010000cbd2fd6d","MAC":"b4a2eb3d0b11"}],"id":1}` + "\x00"
	summaryReply = `{"STATUS":[{"STATUS":"S","When":986,"Code":11,"Msg":"Summary","Description":"cgminer 4.11.1"}],"SUMMARY":[{"Elapsed":986,"MHS av":80000000.0,"MHS 30s":81000000.0,"Accepted":5,"Rejected":0}],"id":1}` + "\x00"
	estatsReply  = `{"STATUS":[{"STATUS":"S","When":986,"Code":70,"Msg":"CGMiner stats","Description":"cgminer 4.11.1"}],"STATS":[{"STATS":0,"ID":"AVA100","MM ID0":"Ver[1246-83-21072802_4ec6bb0_211fc46] SYSTEMSTATU[Work: In Work, Hash Board: 3 ] Elapsed[986] SoftOFF[0] PS[0 1214 1316 242 3189 1320 3504] GHSspd[81072.68] MGHS[26907.01 26025.06 26724.56] MTmax[77 77 76] TA[360] Led[0] WORKMODE[1]"}],"id":1}` + "\x00"
	poolsReply   = `{"STATUS":[{"STATUS":"S","When":986,"Code":7,"Msg":"1 Pool(s)","Description":"cgminer 4.11.1"}],"POOLS":[{"POOL":0,"URL":"stratum+tcp://a:1","User":"u.w","Status":"Alive","Stratum Active":true}],"id":1}` + "\x00"
)

func says(kind, code, words string) string {
	return `{"STATUS":[{"STATUS":"` + kind + `","When":986,"Code":` + code + `,"Msg":"` + words + `","Description":"cgminer 4.11.1"}],"id":1}` + "\x00"
}

// A machine that refuses joined commands is asked one by one, and asked so from
// then on.
func TestOneByOne(t *testing.T) {
	target, asked := script(t, [2]string{"version|", versionReply}, [2]string{"summary|", summaryReply}, [2]string{"estats|", estatsReply}, [2]string{"pools|", poolsReply})
	dev := New().Open(target)
	defer dev.Close()
	for range 2 {
		r, err := dev.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tells(t, r, map[string]any{"power_w": 3504, "hashrate_now_ths": 81.07268, "accepted": 5, "pools.#": 1, "identity.mac": "b4:a2:eb:3d:0b:11"})
	}
	if got := strings.Join(asked(), " "); got != "version summary+estats+pools summary estats pools summary estats pools" {
		t.Errorf("asked %s", got)
	}
}

// One that hangs up on them is too, and one without estats is asked for stats.
func TestOldFirmware(t *testing.T) {
	target, asked := script(t, [2]string{"version|", versionReply}, [2]string{"summary|", summaryReply}, [2]string{"summary+", ""}, [2]string{"stats|", estatsReply}, [2]string{"pools|", poolsReply})
	dev := New().Open(target)
	defer dev.Close()
	for range 2 {
		r, err := dev.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tells(t, r, map[string]any{"power_w": 3504, "accepted": 5, "pools.#": 1})
	}
	if got := strings.Join(asked(), " "); got != "version summary+estats+pools summary estats pools summary stats pools summary stats pools" {
		t.Errorf("asked %s", got)
	}
}

// One that fails part of the way still yields what it said.
func TestPartOfTheReplies(t *testing.T) {
	target, _ := script(t, [2]string{"version|", versionReply}, [2]string{"estats|", estatsReply}, [2]string{"pools|", `,"id":1}` + "\x00"}, [2]string{"summary|", ""})
	dev := New().Open(target)
	defer dev.Close()
	r, err := dev.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tells(t, r, map[string]any{"power_w": 3504, "pools": nil, "accepted": nil})
	if len(r.Warnings) == 0 {
		t.Error("no warning of what is missing")
	}
}

// What acknowledgements and refusals mean, by their words and not their letter.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		kind, code, words string
		want              error
	}{
		{"S", "119", "ASC 0 set OK", nil},
		{"I", "118", "ASC 0 set info: success softoff:1753434821", nil},
		{"I", "118", "ASC 0 set info: WORKMODE[1]", nil},
		{"I", "118", "ASC 0 set info: Power off hash now ...", nil},
		{"I", "118", "ASC 0 set info: LED[1]", nil},
		{"I", "118", "ASC 0 set info: Unknown option: softoff", miner.ErrUnsupported},
		{"E", "120", "ASC 0 set failed: Unknown option: softoff", miner.ErrUnsupported},
		{"E", "120", "ASC 0 set failed: workmode unknown argument", miner.ErrRefused},
		{"I", "118", "ASC 0 set info: error:1 not support set workmode max_mode[2]", miner.ErrRefused},
		{"I", "118", "ASC 0 set info: current mode 0 is caling Don't permit switch mode", miner.ErrBusy},
		{"E", "120", "ASC 0 set failed: current mode 0 is caling Don't permit switch mode", miner.ErrBusy},
		{"I", "118", "ASC 0 set info: softoff parameter error", miner.ErrRefused},
		{"E", "45", "Access denied to 'ascset' command", miner.ErrLocked},
		{"E", "14", "Invalid command", miner.ErrUnsupported},
		{"F", "1", "out of memory", miner.ErrRefused},
	} {
		target, asked := script(t, [2]string{"version|", versionReply}, [2]string{"summary|", summaryReply}, [2]string{"estats|", estatsReply}, [2]string{"pools|", poolsReply}, [2]string{"ascset|0,softoff", says(c.kind, c.code, c.words)})
		dev := New().Open(target)
		err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetSleep})
		if !errors.Is(err, c.want) {
			t.Errorf("%s %q gives %v, want %v", c.kind, c.words, err, c.want)
		}
		if _, words, ok := strings.Cut(c.words, ": "); ok && c.want != nil && !strings.Contains(err.Error(), words) {
			t.Errorf("%v does not tell the machine's words %q", err, words)
		}
		if got := asked(); got[len(got)-1] != "ascset|0,softoff" {
			t.Errorf("asked %v", got)
		}
		dev.Close()
	}
}

// Waking is softon by the machine's clock, or a reboot where there is none; a
// connection that closes without a word is no failure.
func TestWake(t *testing.T) {
	base := [][2]string{{"version|", versionReply}, {"summary|", summaryReply}, {"estats|", estatsReply}, {"pools|", poolsReply}}
	for _, c := range []struct {
		name           string
		softon, reboot string
		want           string
		err            error
	}{
		{"silent softon", "", "", "ascset|0,softon,1:99", nil},
		{"no softon", says("E", "120", "ASC 0 set failed: Unknown option: softon"), "", "ascset|0,reboot,0", nil},
		{"refused softon", says("I", "118", "ASC 0 set info: softon parameter error"), says("S", "119", "ASC 0 set OK"), "ascset|0,reboot,0", nil},
		{"locked", says("E", "45", "Access denied to 'ascset' command"), "", "ascset|0,softon,1:99", miner.ErrLocked},
	} {
		t.Run(c.name, func(t *testing.T) {
			target, asked := script(t, append(append([][2]string(nil), base...), [2]string{"ascset|0,softon", c.softon}, [2]string{"ascset|0,reboot", c.reboot})...)
			dev := New().Open(target)
			defer dev.Close()
			if err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetWake}); !errors.Is(err, c.err) {
				t.Error(err)
			}
			if got := asked(); !strings.HasPrefix(got[len(got)-1], c.want) { // When is 986, the notice 5 s
				t.Errorf("asked %v", got)
			}
		})
	}
}

// Only setpool wants the web login. A wrong one is a denial, and no password is
// tried that was not given.
func TestPoolsWantTheLogin(t *testing.T) {
	for _, name := range []string{"1246-83", "Avalon 1047", "Avalon Q"} {
		b := stand(t, sim.Spec{Model: model(t, name)})
		pools := miner.Setting{Kind: miner.SetPools, Pools: []miner.PoolSetting{{URL: "stratum+tcp://pool-a.example:3333", User: "acct.rig", Password: "P00l-secret"}}}
		for what, c := range map[string]miner.Credentials{"none": {}, "wrong": {User: "root", Password: "Wr0ng-horse"}, "wrong user": {User: "admin", Password: "Corr3ct-horse"}} {
			target := b.target
			target.Credentials = c
			dev := New().Open(target)
			err := dev.Apply(t.Context(), pools)
			if !errors.Is(err, miner.ErrDenied) || !strings.Contains(err.Error(), "credentials") || strings.Contains(err.Error(), "horse") || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s, login %s: %v", name, what, err)
			}
			dev.Close()
		}
		if got := b.rig.Snapshot().Pools[0].URL; !strings.Contains(got, "pool.example") {
			t.Errorf("%s: pools were set: %s", name, got)
		}
		if err := b.dev.Apply(t.Context(), pools); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := b.rig.Snapshot().Pools[0].URL; got != "stratum+tcp://pool-a.example:3333" {
			t.Errorf("%s mines at %s", name, got)
		}
	}
}

// A pool's password is in no error, whatever the machine repeats.
func TestPoolPasswordStaysOut(t *testing.T) {
	target, _ := script(t, [2]string{"version|", versionReply}, [2]string{"summary|", summaryReply}, [2]string{"estats|", estatsReply}, [2]string{"pools|", poolsReply},
		[2]string{"ascset|0,setpool", says("I", "118", "ASC 0 set info: error: workerpassword is P00l-secret")})
	target.Credentials = miner.Credentials{User: "root", Password: "Corr3ct-horse"}
	dev := New().Open(target)
	defer dev.Close()
	err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetPools, Pools: []miner.PoolSetting{{URL: "stratum+tcp://a:1", User: "u", Password: "P00l-secret"}}})
	if !errors.Is(err, miner.ErrRefused) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "horse") {
		t.Error(err)
	}
	for _, pools := range [][]miner.PoolSetting{nil, {{URL: "a"}}, {{User: "a"}}, {{URL: "a", User: "b,c"}}, make([]miner.PoolSetting, 4)} {
		if err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetPools, Pools: pools}); !errors.Is(err, miner.ErrRefused) {
			t.Errorf("%+v gives %v", pools, err)
		}
	}
}

// The clock of a machine may be its uptime, or wrong: its own words are heeded.
func TestSleepByTheMachinesClock(t *testing.T) {
	for _, name := range []string{"1246-83", "Avalon 1047", "Avalon Q", "Avalon Nano 3S"} {
		b := stand(t, sim.Spec{Model: model(t, name)})
		b.read(t)
		b.advance(36 * time.Hour) // the last reply is long ago
		if err := b.dev.Apply(t.Context(), miner.Setting{Kind: miner.SetSleep}); err != nil {
			t.Fatal(err)
		}
		b.advance(30 * time.Second)
		r := b.read(t)
		if r.State != miner.Sleeping || r.HashrateNow.Or(1) != 0 || len(r.Faults) > 0 {
			t.Errorf("%s: %s at %v, faults %+v", name, r.State, r.HashrateNow.Or(-1), r.Faults)
		}
		if idle := r.Envelope.Idle.Or(0); idle != r.Power.Or(-1) {
			t.Errorf("%s draws %v asleep, and its envelope says %v", name, r.Power.Or(-1), idle)
		}
		b.advance(36 * time.Hour)
		if err := b.dev.Apply(t.Context(), miner.Setting{Kind: miner.SetWake}); err != nil {
			t.Fatal(err)
		}
		b.advance(10 * time.Minute)
		for range 30 {
			b.advance(time.Minute)
			if r, err := b.dev.Read(t.Context()); err == nil && r.State == miner.Hashing {
				break
			}
		}
		if r := b.read(t); r.State != miner.Hashing {
			t.Errorf("%s: %s after waking", name, r.State)
		}
	}
}

// A mode of a classic machine comes with the reboot that Apply sends.
func TestModeOfAClassicMachine(t *testing.T) {
	b := stand(t, sim.Spec{Model: model(t, "1246-83")})
	if r := b.read(t); r.Mode != miner.ModeNormal {
		t.Fatalf("mode %q", r.Mode)
	}
	if err := b.dev.Apply(t.Context(), miner.Setting{Kind: miner.SetMode, Mode: miner.ModeHigh}); err != nil {
		t.Fatal(err)
	}
	if s := b.rig.Snapshot(); s.Phase != sim.PhaseBooting {
		t.Errorf("it is %s", s.Phase)
	}
	for range 60 {
		b.advance(time.Minute)
		if r, err := b.dev.Read(t.Context()); err == nil && r.State == miner.Hashing {
			break
		}
	}
	r := b.read(t)
	if r.Mode != miner.ModeHigh || r.State != miner.Hashing {
		t.Errorf("mode %q, %s", r.Mode, r.State)
	}
	for _, mode := range []string{"", miner.ModeLow, "ludicrous"} {
		if err := b.dev.Apply(t.Context(), miner.Setting{Kind: miner.SetMode, Mode: mode}); !errors.Is(err, miner.ErrRefused) {
			t.Errorf("mode %q gives %v", mode, err)
		}
	}
}

// Replies of other firmwares are declined.
func TestNotMine(t *testing.T) {
	for _, raw := range []string{
		`{"STATUS":[{"STATUS":"S","When":1,"Code":22,"Msg":"LUXminer versions","Description":"LUXminer 2025"}],"VERSION":[{"API":"3.7","LUXminer":"2025","Miner":"2025","Type":"Antminer S19k Pro"}],"id":1}`,
		`{"STATUS":[{"STATUS":"S","When":1,"Code":22,"Msg":"CGMiner versions","Description":"cgminer 4.9.0"}],"VERSION":[{"BMMiner":"2.0.0","API":"3.1","Miner":"uart_trans.1.3","Type":"Antminer S19"}],"id":1}`,
		`{"STATUS":[{"STATUS":"S","When":1,"Code":22,"Msg":"CGMiner versions","Description":"cgminer 4.12.0"}],"VERSION":[{"CGMiner":"4.12.0","API":"3.7"}],"id":1}`,
		`{"STATUS":"E","When":1,"Code":14,"Msg":"invalid cmd","Description":""}`,
		"<html></html>", "",
	} {
		target, _ := script(t, [2]string{"version|", raw}, [2]string{"stats|", `{"STATUS":[{"STATUS":"S","When":1,"Code":70,"Msg":"stats"}],"STATS":[{"STATS":0,"ID":"BC50"}],"id":1}`})
		dev := New().Open(target)
		if id, err := dev.Identify(t.Context()); err == nil || !errors.Is(err, miner.ErrNotMine) && raw != "" {
			t.Errorf("%q is taken for %+v, %v", raw, id, err)
		}
		dev.Close()
	}
	// An A8 has no name of its own but a machine text.
	target, _ := script(t, [2]string{"version|", `{"STATUS":[{"STATUS":"S","When":1,"Code":22,"Msg":"CGMiner versions","Description":"cgminer 4.10.0"}],"VERSION":[{"CGMiner":"4.10.0","API":"3.7"}],"id":1}`},
		[2]string{"stats|", `{"STATUS":[{"STATUS":"S","When":1,"Code":70,"Msg":"stats"}],"STATS":[{"STATS":0,"ID":"AV80","MM ID1":"Ver[8411803-14b0f10] DNA[0137dace492a2ec1] TA[104]"}],"id":1}`})
	dev := New().Open(target)
	defer dev.Close()
	if id, err := dev.Identify(t.Context()); err != nil || id.Model != "Avalon 841" || id.Serial != "0137dace492a2ec1" {
		t.Errorf("%+v, %v", id, err)
	}
}

func TestHint(t *testing.T) {
	h := New().(miner.Hinter)
	if !h.Hint(4028, []byte(versionReply)) || h.Hint(80, []byte(versionReply)) || h.Hint(4028, []byte(`"LUXminer":"2025"`)) {
		t.Error("a wrong hint")
	}
}
