package braiins

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"ballast/sim"
	"ballast/unit"
)

// hub is the gRPC server that all rigs share while any of them is talked to. A
// call finds its rig by the connection that it came over.
type hub struct {
	mu     sync.Mutex
	users  int
	server *grpc.Server
	conns  *queue
}

// serve talks on one connection until it is closed.
func (h *hub) serve(ctx context.Context, conn net.Conn, m *machine) {
	c := &rigConn{Conn: conn, m: m, gone: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	conns := h.enter()
	defer h.leave()
	select {
	case conns.in <- c:
		<-c.gone
	case <-ctx.Done():
		_ = c.Close()
	}
}

func (h *hub) enter() *queue {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users++; h.server == nil {
		h.conns = &queue{in: make(chan net.Conn), closed: make(chan struct{})}
		h.server = grpc.NewServer(
			grpc.UnknownServiceHandler(handle), grpc.ForceServerCodec(rawCodec{}), grpc.ReadBufferSize(4<<10), grpc.WriteBufferSize(4<<10),
			grpc.MaxRecvMsgSize(1<<20), grpc.ConnectionTimeout(30*time.Second),
		)
		go func(s *grpc.Server, q *queue) { _ = s.Serve(q) }(h.server, h.conns)
	}
	return h.conns
}

func (h *hub) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users--; h.users == 0 {
		server := h.server
		h.server, h.conns = nil, nil
		go server.Stop() // it waits for handlers, and one of them may wait for us
	}
}

// queue is a listener that is handed its connections.
type queue struct {
	in     chan net.Conn
	once   sync.Once
	closed chan struct{}
}

// Accept waits for the next connection.
func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.in:
		return c, nil
	case <-q.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (q *queue) Close() error {
	q.once.Do(func() { close(q.closed) })
	return nil
}

// Addr is nowhere.
func (q *queue) Addr() net.Addr { return &net.TCPAddr{} }

// rigConn is a connection that knows its machine, and tells when it is closed.
type rigConn struct {
	net.Conn
	m    *machine
	once sync.Once
	gone chan struct{}
}

// Close closes the connection.
func (c *rigConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { close(c.gone) })
	return err
}

// rigAddr is the peer's address, with the machine that it is connected to.
type rigAddr struct {
	net.Addr
	m *machine
}

// RemoteAddr is how a handler finds the machine.
func (c *rigConn) RemoteAddr() net.Addr { return rigAddr{c.Conn.RemoteAddr(), c.m} }

// rawCodec passes encoded messages through.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) ([]byte, error) {
	b, ok := v.(message)
	if !ok {
		return nil, fmt.Errorf("a %T is no encoded message", v)
	}
	return b, nil
}

func (rawCodec) Unmarshal(data []byte, v any) error {
	b, ok := v.(*message)
	if !ok {
		return fmt.Errorf("a %T is no encoded message", v)
	}
	*b = append(message(nil), data...)
	return nil
}

// handle answers every call.
func handle(_ any, stream grpc.ServerStream) error {
	ctx := stream.Context()
	from, _ := peer.FromContext(ctx)
	addr, ok := from.Addr.(rigAddr)
	if !ok {
		return status.Error(codes.Internal, "no machine")
	}
	path, _ := grpc.MethodFromServerStream(stream)
	var in message
	if err := stream.RecvMsg(&in); err != nil {
		return err
	}
	c := &call{m: addr.m, s: addr.m.rig.Snapshot(), in: in, stream: stream}
	_, name, _ := strings.Cut(strings.TrimPrefix(path, "/braiins."), "/")
	switch path {
	case "/braiins.bos.ApiVersionService/GetApiVersion":
		return stream.SendMsg(c.version())
	case "/braiins.bos.v1.AuthenticationService/Login":
		return c.login()
	}
	minor, pre := c.m.at().apiVersion()
	known, ok := since[name]
	if !ok || !strings.HasPrefix(path, "/braiins.bos.v1.") || minor < known || minor == 0 && (strings.HasPrefix(pre, "alpha") || pre == "beta.0" || pre == "beta.1") {
		return status.Error(codes.Unimplemented, "")
	}
	md, _ := metadata.FromIncomingContext(ctx)
	if token := md.Get("authorization"); len(token) == 0 || !c.m.knows(token[0]) {
		return status.Error(codes.Unauthenticated, "Authentication required")
	}
	if name == "GetMinerStatus" {
		return c.watchStatus()
	}
	out, err := c.answer(name)
	if err != nil {
		return err
	}
	return stream.SendMsg(out)
}

// since says with which minor version of the API a method came (its change
// log); 0 is any from 1.0.0-beta.2 on.
var since = map[string]int64{
	"GetMinerDetails": 0, "GetMinerStats": 0, "GetHashboards": 0, "GetMinerStatus": 0, "GetCoolingState": 0, "GetTunerState": 0, "ListTargetProfiles": 0,
	"GetMinerConfiguration": 0, "GetConstraints": 0, "GetLocateDeviceStatus": 0, "SetLocateDeviceStatus": 0, "GetPoolGroups": 0, "GetLicenseState": 0,
	"PauseMining": 0, "ResumeMining": 0, "Start": 0, "Stop": 0, "Restart": 0, "Reboot": 0, "SetPowerTarget": 0, "SetHashrateTarget": 0,
	"SetDefaultPowerTarget": 0, "UpdatePoolGroup": 0, "GetNetworkInfo": 1, "GetErrors": 2, "SetPoolGroups": 2,
}

// call is one call on its way.
type call struct {
	m      *machine
	s      sim.Snapshot
	in     message
	stream grpc.ServerStream
}

func (c *call) login() error {
	if !c.m.accepts(c.in.text(1), c.in.text(2)) {
		return status.Error(codes.Unauthenticated, "Bad credentials")
	}
	token := c.m.newToken()
	if err := c.stream.SetHeader(metadata.Pairs("authorization", token)); err != nil {
		return err
	}
	var out message
	if minor, _ := c.m.at().apiVersion(); minor >= 1 {
		out.putText(1, token)
		out.putUint(2, uint64(tokenLife.Seconds()))
	}
	return c.stream.SendMsg(out)
}

// watchStatus streams the status: now, and whenever it changes.
func (c *call) watchStatus() error {
	last := 0
	for {
		s := c.m.rig.Snapshot()
		if now := c.m.status(&s); now != last {
			last = now
			var out message
			out.putUint(1, uint64(now))
			if err := c.stream.SendMsg(out); err != nil {
				return err
			}
		}
		select {
		case <-c.stream.Context().Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

var errBusy = errors.New("BOSminer is not running") //nolint:staticcheck // the firmware's words

func (c *call) answer(name string) (message, error) {
	m, s := c.m, &c.s
	switch name {
	case "GetMinerDetails":
		return c.details(), nil
	case "GetMinerStats":
		return c.stats(), nil
	case "GetHashboards":
		return c.hashboards(), nil
	case "GetCoolingState":
		return c.cooling(), nil
	case "GetTunerState":
		return c.tunerState(), nil
	case "ListTargetProfiles":
		var out message
		for _, p := range m.tuned() {
			out.put(1, c.powerProfile(p, int64(p.Power)))
		}
		return out, nil
	case "GetMinerConfiguration":
		return c.configuration(), nil
	case "GetConstraints":
		return c.constraints(), nil
	case "GetPoolGroups":
		return c.pools(), nil
	case "GetErrors":
		return c.errors(), nil
	case "GetNetworkInfo":
		return c.network(), nil
	case "GetLicenseState":
		var valid, fee, out message
		valid.putUint(1, 1)
		valid.putText(2, "Standard")
		valid.putUint(3, 86400)
		fee.putUint(1, 200)
		valid.put(4, fee)
		out.put(3, valid)
		return out, nil
	case "GetLocateDeviceStatus":
		return flag(s.Locating), nil
	case "SetLocateDeviceStatus":
		on := c.in.uint(1) != 0
		return flag(on), c.do(sim.Action{Kind: sim.DoLocate, On: on})
	case "PauseMining":
		return flag(s.Phase == sim.PhaseSleeping), c.do(sim.Action{Kind: sim.DoSleep})
	case "ResumeMining":
		if m.isStopped() {
			return nil, status.Error(codes.FailedPrecondition, errBusy.Error())
		}
		return flag(s.Phase == sim.PhaseHashing), c.do(sim.Action{Kind: sim.DoWake})
	case "Start":
		if !m.isStopped() {
			return flag(true), nil
		}
		return flag(false), c.do(sim.Action{Kind: sim.DoWake})
	case "Stop":
		already := m.isStopped()
		err := c.do(sim.Action{Kind: sim.DoSleep})
		m.setStopped(true)
		return flag(already), err
	case "Restart":
		m.setStopped(false)
		return flag(true), c.do(sim.Action{Kind: sim.DoRestart})
	case "Reboot":
		return nil, c.do(sim.Action{Kind: sim.DoReboot})
	}
	return c.set(name)
}

func (c *call) do(a sim.Action) error {
	if err := c.m.do(a); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	return nil
}

// set answers the methods that change settings. Field 1 of their requests says
// whether to put the setting into force.
func (c *call) set(name string) (message, error) {
	switch name {
	case "SetPowerTarget", "SetDefaultPowerTarget":
		_, w, _ := c.m.limits()
		if name == "SetPowerTarget" {
			w = int64(c.in.message(2).uint(1))
		}
		if err := c.m.setPower(w); err != nil {
			return nil, status.Error(codes.OutOfRange, err.Error())
		}
		var out message
		out.put(1, quantityUint(uint64(w)))
		return out, nil
	case "SetHashrateTarget":
		h := unit.Hashrate(c.in.message(2).double(1))
		if err := c.m.setRate(h); err != nil {
			return nil, status.Error(codes.OutOfRange, err.Error())
		}
		var out message
		out.put(1, quantity(h.TH()))
		return out, nil
	case "SetPoolGroups", "UpdatePoolGroup":
		return c.setPools(name)
	}
	return nil, status.Error(codes.Unimplemented, "")
}

func (c *call) setPools(name string) (message, error) {
	var pools []sim.PoolSnapshot
	group := "default"
	for _, g := range c.in.messages(2) {
		if name == "UpdatePoolGroup" && g.text(1) != c.m.groupUID() {
			return nil, status.Error(codes.NotFound, "Pool group not found")
		}
		group = g.text(2)
		for _, p := range g.messages(5) {
			if !validPool(p.text(2)) {
				return nil, status.Error(codes.InvalidArgument, "Invalid pool URL")
			}
			pools = append(pools, sim.PoolSnapshot{URL: p.text(2), User: p.text(3), Password: p.text(4)})
		}
	}
	if err := c.m.setPools(group, pools); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return nil, nil
}
