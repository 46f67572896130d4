package snmp

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gosnmp/gosnmp"
)

// agent is a small SNMP agent: a sorted list of objects, served for v2c, and
// for v3 to one user, with gosnmp's own codec.
type agent struct {
	t         testing.TB
	community string
	user      *gosnmp.UsmSecurityParameters // v3
	flags     gosnmp.SnmpV3MsgFlags
	conn      net.PacketConn

	mu      sync.Mutex
	objects map[string]gosnmp.SnmpPDU
	onSet   func(oid string, value int) gosnmp.SNMPError
	asked   int
	mute    bool
	endless bool // GETBULK never leaves the subtree
	root    string
	count   int
	salt    uint64
}

const engine = "\x80\x00\x1f\x88\x04ballast"

func startAgent(t testing.TB) *agent {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{t: t, community: "public", conn: conn, objects: map[string]gosnmp.SnmpPDU{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 65536)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if out := a.answer(slices.Clone(buf[:n])); out != nil {
				_, _ = conn.WriteTo(out, from)
			}
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return a
}

func (a *agent) address() string { return a.conn.LocalAddr().String() }

// set changes the agent's ways.
func (a *agent) set(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
}

func (a *agent) put(oid string, typ gosnmp.Asn1BER, value any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	oid = "." + strings.TrimPrefix(oid, ".")
	a.objects[oid] = gosnmp.SnmpPDU{Name: oid, Type: typ, Value: value}
}

func (a *agent) answer(raw []byte) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked++
	if a.mute {
		return nil
	}
	if a.user != nil {
		return a.answerV3(raw)
	}
	decoder := &gosnmp.GoSNMP{Version: gosnmp.Version2c}
	q, err := decoder.SnmpDecodePacket(raw)
	if err != nil || q.Version != gosnmp.Version2c || q.Community != a.community {
		return nil // as agents do
	}
	out, err := a.respond(q).MarshalMsg()
	if err != nil {
		a.t.Errorf("agent: %v", err)
	}
	return out
}

// respond carries out a request.
func (a *agent) respond(q *gosnmp.SnmpPacket) *gosnmp.SnmpPacket {
	r := &gosnmp.SnmpPacket{Version: q.Version, Community: q.Community, PDUType: gosnmp.GetResponse, RequestID: q.RequestID, MsgID: q.MsgID}
	for _, v := range q.Variables {
		switch q.PDUType {
		case gosnmp.GetRequest:
			o, ok := a.objects[v.Name]
			if !ok {
				o = gosnmp.SnmpPDU{Name: v.Name, Type: gosnmp.NoSuchInstance}
			}
			r.Variables = append(r.Variables, o)
		case gosnmp.GetBulkRequest:
			r.Variables = append(r.Variables, a.after(v.Name, int(q.MaxRepetitions))...)
		case gosnmp.SetRequest:
			value := int(gosnmp.ToBigInt(v.Value).Int64())
			if a.onSet == nil {
				r.Error, r.ErrorIndex = gosnmp.NotWritable, 1
			} else {
				r.Error = a.onSet(v.Name, value)
			}
			r.Variables = append(r.Variables, v)
		}
	}
	return r
}

// after lists the objects behind an OID.
func (a *agent) after(oid string, n int) (out []gosnmp.SnmpPDU) {
	names := make([]string, 0, len(a.objects))
	for name := range a.objects {
		names = append(names, name)
	}
	slices.SortFunc(names, compareOIDs)
	for _, name := range names {
		if compareOIDs(name, oid) > 0 && len(out) < n {
			out = append(out, a.objects[name])
		}
	}
	if a.endless {
		if a.root == "" || !strings.HasPrefix(oid, a.root+".") {
			a.root = oid
		}
		for len(out) < n {
			a.count++
			out = append(out, gosnmp.SnmpPDU{Name: a.root + "." + strconv.Itoa(a.count), Type: gosnmp.Integer, Value: 1})
		}
	}
	if len(out) == 0 {
		out = append(out, gosnmp.SnmpPDU{Name: oid, Type: gosnmp.EndOfMibView})
	}
	return out
}

func compareOIDs(a, b string) int {
	x, y := strings.Split(strings.Trim(a, "."), "."), strings.Split(strings.Trim(b, "."), ".")
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if c := cmp.Compare(m, n); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

// secure makes the agent talk v3 to one user only.
func (a *agent) secure(user string, auth gosnmp.SnmpV3AuthProtocol, authPass string, priv gosnmp.SnmpV3PrivProtocol, privPass string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.user = &gosnmp.UsmSecurityParameters{UserName: user, AuthoritativeEngineID: engine, AuthoritativeEngineBoots: 3, AuthoritativeEngineTime: 100,
		AuthenticationProtocol: auth, AuthenticationPassphrase: authPass, PrivacyProtocol: priv, PrivacyPassphrase: privPass}
	a.flags = gosnmp.AuthPriv
	if priv == gosnmp.NoPriv {
		a.flags = gosnmp.AuthNoPriv
	}
	if err := a.user.InitSecurityKeys(); err != nil {
		a.t.Fatal(err)
	}
}

func (a *agent) answerV3(raw []byte) []byte {
	// gosnmp reads other people's requests as traps.
	decoder := &gosnmp.GoSNMP{Version: gosnmp.Version3, SecurityModel: gosnmp.UserSecurityModel, SecurityParameters: a.user.Copy()}
	q, err := decoder.UnmarshalTrap(raw, true)
	if err != nil {
		return nil // wrong user, wrong password: silence
	}
	sp := a.user.Copy().(*gosnmp.UsmSecurityParameters)
	asked, _ := q.SecurityParameters.(*gosnmp.UsmSecurityParameters)
	var r *gosnmp.SnmpPacket
	if asked == nil || asked.AuthoritativeEngineID != engine { // discovery
		r = &gosnmp.SnmpPacket{PDUType: gosnmp.Report, RequestID: q.RequestID, MsgID: q.MsgID, MsgFlags: gosnmp.NoAuthNoPriv,
			Variables: []gosnmp.SnmpPDU{{Name: ".1.3.6.1.6.3.15.1.1.4.0", Type: gosnmp.Counter32, Value: uint32(1)}}}
		sp = &gosnmp.UsmSecurityParameters{AuthoritativeEngineID: engine, AuthoritativeEngineBoots: 3, AuthoritativeEngineTime: 100}
	} else {
		r = a.respond(q)
		r.MsgFlags = a.flags
		if a.user.PrivacyProtocol != gosnmp.NoPriv {
			a.salt++
			sp.PrivacyParameters = []byte{0, 0, 0, 0, 0, 0, byte(a.salt >> 8), byte(a.salt)}
		}
	}
	r.Version, r.SecurityModel, r.SecurityParameters, r.ContextEngineID = gosnmp.Version3, gosnmp.UserSecurityModel, sp, engine
	out, err := r.MarshalMsg()
	if err != nil {
		a.t.Errorf("agent: %v", err)
	}
	return out
}

// testDevice makes a device for an agent.
func testDevice(t testing.TB, a *agent, c Config) *Device {
	t.Helper()
	c.Name, c.Address = "pdu-1", a.address()
	if c.Community == "" && c.User == "" {
		c.Community = "public"
	}
	if c.Timeout == 0 {
		c.Timeout = 2e9
	}
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.drop)
	return d
}

func builtinMap(t testing.TB, name string) Map {
	t.Helper()
	m, err := Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func readOne(t testing.TB, d *Device) error {
	t.Helper()
	_, err := d.Read(t.Context())
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
