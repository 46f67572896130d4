package whatsminer

import (
	"bytes"
	"context"
	"crypto/aes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	driver "ballast/miner/whatsminer"
	"ballast/miner/whatsminer/crypt"
	"ballast/sim"
)

const secret = "0p3n-sesame"

// bench is a rig on its sockets with a clock of its own.
type bench struct {
	rig    *sim.Rig
	target miner.Target
	at     atomic.Int64
}

func stand(t testing.TB, version string, change func(*sim.Spec)) *bench {
	t.Helper()
	m, ok := miner.LookupModel("M60S_VK40")
	if !ok {
		t.Fatal("the table does not know the model")
	}
	spec := sim.Spec{Model: m, Firmware: miner.Whatsminer, Version: version, MAC: "c6:07:20:00:1e:c2", Serial: "HTM31X77JQ23", Password: secret, Seed: 7}
	if change != nil {
		change(&spec)
	}
	b := &bench{}
	b.at.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	b.rig = sim.NewRig(spec, func() time.Time { return time.Unix(0, b.at.Load()) })
	var err error
	if b.target, err = sim.Stand(t.Context(), New(), b.rig); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) advance(d time.Duration) { b.at.Add(int64(d)) }

// ask sends a request to 4028 and returns all that comes until the rig closes.
func (b *bench) ask(t testing.TB, request string) string {
	t.Helper()
	conn := b.dial(t, portV2)
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	reply, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(reply)
}

func (b *bench) dial(t testing.TB, port uint16) net.Conn {
	t.Helper()
	conn, err := b.target.DialPort(context.Background(), port)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

// token does the handshake of API v2.
func (b *bench) token(t testing.TB, password string) crypt.Token {
	t.Helper()
	msg := gjson.Get(b.ask(t, `{"cmd":"get_token"}`), "Msg")
	if len(msg.Get("time").Str) != 4 || len(msg.Get("salt").Str) != 8 || len(msg.Get("newsalt").Str) != 8 {
		t.Fatalf("token %s", msg.Raw)
	}
	return crypt.NewToken(password, msg.Get("time").Str, msg.Get("salt").Str, msg.Get("newsalt").Str)
}

// write sends a sealed command and opens the reply if that is sealed too.
func (b *bench) write(t testing.TB, tok crypt.Token, command string) string {
	t.Helper()
	plain := strings.Replace(command, "{", `{"token":"`+tok.Sign+`",`, 1)
	reply := b.ask(t, `{"enc":1,"data":"`+tok.Key.Seal([]byte(plain))+`"}`)
	if enc := gjson.Get(reply, "enc"); enc.Exists() {
		open, err := tok.Key.Open(enc.Str)
		if err != nil {
			t.Fatal(err)
		}
		return string(open)
	}
	return reply
}

func code(reply string) int64 { return gjson.Get(reply, "Code").Int() }

func TestOldFirmware(t *testing.T) {
	b := stand(t, "20220506.11.REL", nil)
	for _, command := range []string{"summary", "pools", "devs", "edevs", "devdetails", "status", "get_version", "get_miner_info", "get_psu", "summary+pools"} {
		reply := b.ask(t, `{"command":"`+command+`"}`)
		if !strings.HasSuffix(reply, "\x00") || !gjson.Valid(strings.TrimSuffix(reply, "\x00")) {
			t.Errorf("%s: %q", command, reply)
		}
	}
	if reply := b.ask(t, `{"cmd":"get_version"}`); gjson.Get(reply, "STATUS").Str != "S" || code(reply) != 131 || gjson.Get(reply, "Msg.fw_ver").Str != "20220506.11.REL" {
		t.Errorf("version %s", reply)
	}
	if reply := b.ask(t, `{"cmd":"summary"}`); gjson.Get(reply, "STATUS.0.STATUS").Str != "S" || !gjson.Get(reply, "SUMMARY.0.MHS 5s").Exists() {
		t.Errorf("summary %s", reply)
	}
	if reply := b.ask(t, `{"cmd":"summary+status"}`); code(reply) != 14 {
		t.Errorf("a command that cannot be joined: %s", reply)
	}
	tok := b.token(t, secret)
	if reply := b.write(t, tok, `{"cmd":"set_power_pct_v2","percent":"80"}`); code(reply) != 14 {
		t.Errorf("a command of later firmware: %s", reply)
	}
	if reply := b.write(t, tok, `{"cmd":"set_low_power"}`); reply != "" {
		t.Errorf("a change of mode is answered: %q", reply)
	}
	if got := b.rig.Snapshot().Mode; got != miner.ModeLow {
		t.Errorf("mode %q", got)
	}
	b.write(t, tok, `{"cmd":"power_off","respbefore":"true"}`)
	b.advance(time.Minute)
	if reply := b.ask(t, `{"cmd":"summary"}`); code(reply) != 132 || gjson.Get(reply, "STATUS").Str != "E" {
		t.Errorf("summary asleep: %s", reply)
	}
	if reply := b.ask(t, `{"cmd":"status"}`); gjson.Get(reply, "Msg.btmineroff").Str != "true" {
		t.Errorf("status asleep: %s", reply)
	}
}

// A list written like a dictionary is no JSON, and that is the point.
func TestErrorCodeForms(t *testing.T) {
	s := sim.Snapshot{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Faults: []miner.Fault{
		miner.NewFault(miner.BoardEEPROM, miner.Major, 1, "", ""), miner.NewFault(miner.FanMissing, miner.Critical, 0, "", ""),
	}}
	for version, want := range map[string]string{
		"20220506.11.REL": `"error_code":["411":"2026-03-01 12:00:00","110":"2026-03-01 12:00:00"]`,
		"20240827.13.Rel": `"error_code":[{"411":"2026-03-01 12:00:00"},{"110":"2026-03-01 12:00:00"}]`,
	} {
		m := &machine{generation: generationOf(version)}
		w := &writer{}
		m.errorCodes(w, &s)
		if string(w.b) != want {
			t.Errorf("%s: %s", version, w.b)
		}
	}
}

func TestMissingCommaOf2023(t *testing.T) {
	reply := stand(t, "20230115.12.Rel", nil).ask(t, `{"cmd":"get_psu"}`)
	if !strings.Contains(reply, `"vendor":"7""temp0":`) || gjson.Valid(reply) {
		t.Errorf("%s", reply)
	}
}

func TestHandshakeV2(t *testing.T) {
	b := stand(t, "20240827.13.Rel", nil)
	tok := b.token(t, secret)
	if reply := b.write(t, tok, `{"cmd":"set_led","color":"red","period":200,"duration":100,"start":0}`); code(reply) != 131 || !b.rig.Snapshot().Locating {
		t.Errorf("sealed write: %s", reply)
	}
	if reply := b.ask(t, `{"cmd":"power_off"}`); code(reply) != 45 {
		t.Errorf("a write in the clear: %s", reply)
	}
	if reply := b.write(t, b.token(t, "wrong"), `{"cmd":"power_off"}`); code(reply) != 23 || gjson.Get(reply, "Msg").Str != "enc json load err" {
		t.Errorf("wrong password: %s", reply)
	}
	forged := tok
	forged.Sign = "0123456789012345678901"
	if reply := b.write(t, forged, `{"cmd":"power_off"}`); code(reply) != 135 {
		t.Errorf("wrong token: %s", reply)
	}
	if reply := b.ask(t, `{"enc":1,"data":"!!"}`); code(reply) != 137 {
		t.Errorf("no base64: %s", reply)
	}
	if reply := b.ask(t, `{"cmd":`+"\n"); code(reply) != 23 {
		t.Errorf("no JSON: %s", reply)
	}
	if reply := b.ask(t, `{"cmd":"paint"}`); code(reply) != 14 || gjson.Get(reply, "STATUS").Str != "E" {
		t.Errorf("no such command: %s", reply)
	}
	if reply := b.write(t, tok, `{"cmd":"get_psu"}`); gjson.Get(reply, "Msg.model").Str == "" {
		t.Errorf("a sealed read: %s", reply)
	}
	for _, limit := range []string{`"1"`, `"90000"`, `3000`, `"x"`} {
		if reply := b.write(t, tok, `{"cmd":"adjust_power_limit","power_limit":`+limit+`}`); code(reply) == 131 {
			t.Errorf("limit %s: %s", limit, reply)
		}
	}
	b.advance(31 * time.Minute)
	if reply := b.write(t, tok, `{"cmd":"power_off"}`); code(reply) != 135 {
		t.Errorf("a token of 31 minutes: %s", reply)
	}
	if b.rig.Snapshot().Phase == sim.PhaseSleeping {
		t.Error("one of these put the rig to sleep")
	}
}

// Clients pad with zeros, as the vendor's first ones, or by PKCS #7.
func TestPaddings(t *testing.T) {
	b := stand(t, "20240827.13.Rel", nil)
	tok := b.token(t, secret)
	for name, pad := range map[string]func([]byte) []byte{
		"zeros": func(p []byte) []byte {
			for len(p)%16 != 0 {
				p = append(p, 0)
			}
			return p
		},
		"PKCS #7": func(p []byte) []byte {
			n := 16 - len(p)%16
			return append(p, bytes.Repeat([]byte{byte(n)}, n)...)
		},
	} {
		plain := pad([]byte(`{"token":"` + tok.Sign + `","cmd":"set_led","param":"auto"}`))
		block, err := aes.NewCipher(tok.Key[:])
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(plain); i += 16 {
			block.Encrypt(plain[i:], plain[i:])
		}
		reply := b.ask(t, `{"enc":1,"data":"`+base64.StdEncoding.EncodeToString(plain)+`"}`)
		if !gjson.Get(reply, "enc").Exists() {
			t.Errorf("%s: %s", name, reply)
		}
	}
}

func TestWriteLock(t *testing.T) {
	lock := func(s *sim.Spec) { s.WriteLock = true }
	b := stand(t, "20240827.13.Rel", lock)
	if reply := b.write(t, b.token(t, secret), `{"cmd":"power_off"}`); gjson.Get(reply, "Msg").Str != "can't access write cmd" {
		t.Errorf("API v2: %s", reply)
	}
	b = stand(t, "20250214.16.Rel", lock)
	l := b.line(t)
	if reply := l.signed(t, "super", secret, "set.miner.service", `"stop"`); gjson.Get(reply, "code").Int() != -4 {
		t.Errorf("API v3: %s", reply)
	}
	if reply := l.ask(t, `{"cmd":"get.device.info","param":"system"}`); gjson.Get(reply, "msg.system.apiswitch").Str != "0" {
		t.Errorf("the switch: %s", reply)
	}
}

// line is a connection to 4433.
type line struct{ net.Conn }

func (b *bench) line(t testing.TB) line {
	conn := b.dial(t, portV3)
	t.Cleanup(func() { conn.Close() })
	return line{conn}
}

func (l line) send(t testing.TB, body string) {
	t.Helper()
	if _, err := l.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)); err != nil {
		t.Fatal(err)
	}
}

func (l line) frame(t testing.TB) string {
	t.Helper()
	var head [4]byte
	if _, err := io.ReadFull(l, head[:]); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, binary.LittleEndian.Uint32(head[:]))
	if _, err := io.ReadFull(l, body); err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func (l line) ask(t testing.TB, request string) string {
	t.Helper()
	l.send(t, request)
	reply := l.frame(t)
	if !gjson.Valid(reply) {
		t.Fatalf("no JSON: %s", reply)
	}
	return reply
}

func (l line) signed(t testing.TB, account, password, command, param string) string {
	t.Helper()
	salt := gjson.Get(l.ask(t, `{"cmd":"get.device.info","param":"salt"}`), "msg.salt").Str
	token, key := crypt.Sign(command, password, salt, 1772366400)
	if command == "set.miner.pools" {
		param = `"` + key.Seal([]byte(param)) + `"`
	}
	return l.ask(t, fmt.Sprintf(`{"cmd":%q,"param":%s,"ts":1772366400,"token":%q,"account":%q}`, command, param, token, account))
}

func TestV3(t *testing.T) {
	b := stand(t, "20250214.16.Rel", nil)
	l := b.line(t)
	for _, request := range []string{
		`{"cmd":"get.device.info"}`, `{"cmd":"get.miner.setting"}`, `{"cmd":"get.system.setting"}`, `{"cmd":"get.fan.setting"}`,
		`{"cmd":"get.miner.status","param":"summary"}`, `{"cmd":"get.miner.status","param":"edevs"}`, `{"cmd":"get.miner.status","param":"pools"}`,
		`{"cmd":"get.miner.status","param":"summary+pools+edevs"}`,
	} {
		reply := l.ask(t, request)
		if gjson.Get(reply, "code").Int() != 0 || gjson.Get(reply, "desc").Str != gjson.Get(request, "cmd").Str {
			t.Errorf("%s: %s", request, reply)
		}
	}
	all := l.ask(t, `{"cmd":"get.miner.status","param":"summary+pools+edevs"}`)
	if n := gjson.Get(all, "msg.edevs.#").Int(); n != 3 || !gjson.Get(all, "msg.summary.hash-realtime").Exists() || gjson.Get(all, "msg.pools.0.accepted").Exists() {
		t.Errorf("status %s", all)
	}
	for request, want := range map[string]int64{`{"cmd":"get.miner.status"}`: -3, `{"cmd":"get.nothing"}`: -2, `{"cmd`: -3, `{"cmd":"set.miner.service","param":"stop"}`: -4} {
		if reply := l.ask(t, request); gjson.Get(reply, "code").Int() != want {
			t.Errorf("%s: %s", request, reply)
		}
	}
	l.send(t, "") // a heart beat comes back
	if beat := l.frame(t); beat != "" {
		t.Errorf("heart beat %q", beat)
	}
	// API v2 beside it is reduced, and says which firmware this is.
	if reply := b.ask(t, `{"cmd":"get_version"}`); gjson.Get(reply, "Msg.api_ver").Str != "3.0.1" {
		t.Errorf("version %s", reply)
	}
	if reply := b.ask(t, `{"cmd":"devs"}`); gjson.Get(reply, "DEVS.0.Chip Temp Max").Exists() {
		t.Errorf("devs %s", reply)
	}
}

func TestSignaturesV3(t *testing.T) {
	b := stand(t, "20250214.16.Rel", nil)
	l := b.line(t)
	code := func(account, password, command, param string) int64 {
		return gjson.Get(l.signed(t, account, password, command, param), "code").Int()
	}
	if c := code("super", secret, "set.system.led", `[{"color":"red","period":200,"duration":100,"start":0}]`); c != 0 || !b.rig.Snapshot().Locating {
		t.Errorf("led: %d", c)
	}
	if c := code("super", secret, "set.miner.pools", `[{"pool":"stratum+tcp://a:1","worker":"w","passwd":"p"}]`); c != 0 || b.rig.Snapshot().Pools[0].URL != "stratum+tcp://a:1" {
		t.Errorf("pools: %d", c)
	}
	limits := b.rig.Limits()
	if c := code("user1", secret, "set.miner.power_limit", ftoa(float64(limits.Min)+100)); c != 0 {
		t.Errorf("limit: %d", c)
	}
	for what, got := range map[string][2]int64{
		"a limit that is an object":     {code("super", secret, "set.miner.power_limit", `{"limit":3000}`), -3},
		"a limit out of range":          {code("super", secret, "set.miner.power_limit", "1"), -1},
		"a percentage as a number":      {code("super", secret, "set.miner.power_percent", `{"percent":80,"mode":"fast"}`), -3},
		"a percentage as a text":        {code("super", secret, "set.miner.power_percent", `{"percent":"80","mode":"fast"}`), 0},
		"no such mode":                  {code("super", secret, "set.miner.power_mode", `"warp"`), -3},
		"no such command":               {code("super", secret, "set.miner.paint", `"blue"`), -2},
		"a wrong password":              {code("super", "wrong", "set.miner.service", `"stop"`), -4},
		"an account that may not write": {code("admin", secret, "set.miner.service", `"stop"`), -4},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d, want %d", what, got[0], got[1])
		}
	}
	if b.rig.Snapshot().Phase == sim.PhaseSleeping {
		t.Error("one of these put the rig to sleep")
	}
	if c := code("super", secret, "set.miner.service", `"stop"`); c != 0 {
		t.Errorf("stop: %d", c)
	}
	b.advance(time.Minute)
	if reply := l.ask(t, `{"cmd":"get.miner.status","param":"pools"}`); gjson.Get(reply, "code").Int() != -1 {
		t.Errorf("pools asleep: %s", reply)
	}
	if reply := l.ask(t, `{"cmd":"get.miner.status","param":"summary+pools"}`); gjson.Get(reply, "msg.pools").Exists() || !gjson.Get(reply, "msg.summary").Exists() {
		t.Errorf("status asleep: %s", reply)
	}
	if reply := l.ask(t, `{"cmd":"get.device.info","param":"miner"}`); gjson.Get(reply, "msg.miner.working").Str != "false" {
		t.Errorf("asleep: %s", reply)
	}
}

// The firmware serves ten connections and drops the eleventh.
func TestElevenClients(t *testing.T) {
	b := stand(t, "20250214.16.Rel", nil)
	for range mostLines {
		b.line(t).ask(t, `{"cmd":"get.fan.setting"}`)
	}
	last := b.line(t)
	last.send(t, `{"cmd":"get.fan.setting"}`)
	if n, err := last.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Error("the eleventh client is served")
	}
}

func TestRefusesHugeFrames(t *testing.T) {
	l := stand(t, "20250214.16.Rel", nil).line(t)
	if _, err := l.Write([]byte("HTTP/1.1 200 OK\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if n, _ := l.Read(make([]byte, 1)); n > 0 {
		t.Error("a frame of a gigabyte is answered")
	}
}

// Every neutral fault has a code that the driver understands as the same, or as
// one of the same group where the vendor has none of its own.
func TestCodesAreUnderstood(t *testing.T) {
	kin := map[miner.Code]miner.Code{
		miner.ThermalCold: miner.ThermalAmbient, miner.FanImbalance: miner.FanSlow, miner.BoardDisabled: miner.BoardNoHash, miner.ChipMissing: miner.ChipFault,
		miner.RailOther: miner.RailVoltage, miner.RailPower: miner.RailVoltage, miner.SensorOther: miner.SensorTemperature, miner.SensorCurrent: miner.PSUOther,
		miner.FirmwareUpdate: miner.FirmwareConfig, miner.FirmwareOther: miner.FirmwareCrash, miner.ControlMemory: miner.ControlBoard,
		miner.ControlOther: miner.ControlBoard, miner.AdvisoryTuning: miner.BoardInit,
	}
	for _, c := range []miner.Code{
		1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 2000, 2001, 2002, 2003, 2004, 2010, 2011, 2012, 2020, 3000, 3001, 3002, 3003, 3004, 3005, 3006,
		3007, 3010, 3011, 3012, 3013, 4000, 4001, 4002, 5000, 5001, 5002, 5003, 6000, 6001, 6002, 6003, 6004, 7000, 7001, 7002, 7003, 7004, 7005, 7006,
		8000, 8001, 8002, 8003,
	} {
		n := vendorCode(miner.NewFault(c, miner.Major, 1, "", ""))
		r, err := driver.New().Parse(miner.Replies{"get_error_code": fmt.Appendf(nil, `{"error_code":["%d"]}`, n)})
		if err != nil || len(r.Faults) != 1 {
			t.Fatalf("%d as %d: %+v, %v", c, n, r.Faults, err)
		}
		want := c
		if k, ok := kin[c]; ok {
			want = k
		}
		if f := r.Faults[0]; f.Code != want {
			t.Errorf("%d is told as %d and understood as %d", c, n, f.Code)
		}
		board := c/1000 == 3 || c == miner.RailVoltage || c == miner.ThermalBoard || c == miner.CoolantFlow
		if f := r.Faults[0]; board && f.Index != 1 {
			t.Errorf("%d of board 1 is told as %d and understood of %d", c, n, f.Index)
		}
	}
}

func TestPorts(t *testing.T) {
	for version, want := range map[string]int{"": 2, "20250214.16.Rel": 2, "20241101.1": 2, "20240827.13": 1, "20220506.11.REL": 1, "odd": 2} {
		if got := New().Ports(sim.Spec{Version: version}); len(got) != want {
			t.Errorf("%q: ports %v", version, got)
		}
	}
}

func FuzzRequests(f *testing.F) {
	m, _ := miner.LookupModel("M60S_VK40")
	rigs := map[string]*machine{}
	for _, version := range []string{"20220506.11.REL", "20240827.13.Rel", "20250214.16.Rel"} {
		rigs[version] = machineOf(sim.NewRig(sim.Spec{Model: m, Firmware: miner.Whatsminer, Version: version, Password: secret}, func() time.Time { return time.Unix(1772366400, 0) }))
	}
	for _, request := range []string{`{"cmd":"summary"}`, `{"command":"summary+pools"}`, `{"enc":1,"data":"AAAA"}`, `{"cmd":"get.miner.status","param":"summary"}`, `{"cmd":"set.miner.pools","ts":1,"token":"x","account":"super"}`, `summary`, `{}`} {
		f.Add([]byte(request))
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		for version, m := range rigs {
			reply := bytes.TrimRight(m.answerV2(request, "127.0.0.1"), "\x00")
			if len(reply) > 0 && !gjson.ValidBytes(reply) {
				t.Fatalf("%s: %q gives %q", version, request, reply)
			}
			w := &writer{b: make([]byte, 4)}
			m.answerV3(w, request)
			if !gjson.ValidBytes(w.b[4:]) {
				t.Fatalf("%s: %q gives %q", version, request, w.b[4:])
			}
		}
	})
}

func BenchmarkAnswers(b *testing.B) {
	m, _ := miner.LookupModel("M60S_VK40")
	for _, c := range []struct{ version, request string }{
		{"20240827.13.Rel", `{"command":"summary+pools"}`},
		{"20240827.13.Rel", `{"command":"devs"}`},
		{"20250214.16.Rel", `{"cmd":"get.miner.status","param":"summary+pools+edevs"}`},
		{"20250214.16.Rel", `{"cmd":"get.device.info"}`},
	} {
		b.Run(c.request, func(b *testing.B) {
			rig := sim.NewRig(sim.Spec{Model: m, Firmware: miner.Whatsminer, Version: c.version, Password: secret}, nil)
			machine := machineOf(rig)
			b.ReportAllocs()
			for b.Loop() {
				if machine.v3 {
					machine.answerV3(&writer{b: make([]byte, 4, 4096)}, []byte(c.request))
				} else {
					machine.answerV2([]byte(c.request), "127.0.0.1")
				}
			}
		})
	}
}
