package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Listening is how a site listens.
type Listening struct {
	Shared    bool              `json:"shared"`          // one listener for every port, instead of one for every address and port
	Listeners int               `json:"listeners"`       //
	Limit     uint64            `json:"open_files"`      // that this process may have
	Ports     map[uint16]uint16 `json:"ports,omitempty"` // well-known port to the one listened on, where they differ
	Control   string            `json:"control,omitempty"`
	Silent    string            `json:"silent,omitempty"` // what keeps machines that are off from being silent, if anything
}

// ErrListen reports that the site's addresses and ports cannot be had.
var ErrListen = errors.New("listening")

// spareFiles are left for connections when listeners are counted.
const spareFiles = 2000

// wires is the network side of a site.
type wires struct {
	mu      sync.Mutex
	acc     *acceptor
	report  Listening
	sockets map[netip.AddrPort]int // key of the acceptor; the address is unspecified when shared
	silent  map[netip.AddrPort]bool
	control net.Listener
	known   atomic.Pointer[map[uint16]uint16] // listened-on port to the well-known one; replaced, never changed
	kick    chan struct{}
	conns   sync.WaitGroup
}

// changed asks for the listeners to be brought in line with the machines.
func (w *wires) changed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kick != nil {
		select {
		case w.kick <- struct{}{}:
		default:
		}
	}
}

// Listen takes all addresses and ports, on the loopback interface only. Ports
// below 1024 that this process may not have move up by 8000; see
// Listening.Ports.
func (s *Site) Listen() (Listening, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &s.wire
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.acc != nil {
		return w.report, nil
	}
	if !netip.MustParsePrefix("127.0.0.0/8").Overlaps(s.cfg.Network) || s.cfg.Network.Bits() < 8 {
		return Listening{}, fmt.Errorf("%w: %s is not on the loopback interface (127.0.0.0/8), where simulated machines live", ErrListen, s.cfg.Network)
	}
	limit := raiseFileLimit()
	acc, err := newAcceptor()
	if err != nil {
		return Listening{}, fmt.Errorf("%w: %w", ErrListen, err)
	}
	w.report = Listening{Limit: limit, Ports: map[uint16]uint16{}}
	w.sockets, w.silent, w.kick = map[netip.AddrPort]int{}, map[netip.AddrPort]bool{}, make(chan struct{}, 1)
	w.known.Store(&map[uint16]uint16{})
	w.acc = acc
	ports := s.ports()
	for _, step := range []func() error{
		func() error { return s.chooseMode(ports, limit) }, func() error { return s.choosePorts(ports) }, s.openAll, s.listenControl,
	} {
		if err := step(); err != nil {
			w.close()
			return Listening{}, fmt.Errorf("%w: %w", ErrListen, err)
		}
	}
	return w.report, nil
}

// ports tells how many machines want each well-known port.
func (s *Site) ports() map[uint16]int {
	ports := map[uint16]int{}
	for i := range s.nodes {
		for _, p := range s.nodes[i].ports {
			ports[p]++
		}
	}
	for ap := range s.gear {
		ports[ap.Port()]++
	}
	return ports
}

func (s *Site) chooseMode(ports map[uint16]int, limit uint64) error {
	w := &s.wire
	want := 0
	for _, n := range ports {
		want += n
	}
	fits := uint64(want)+spareFiles <= limit
	switch {
	case s.cfg.Shared == ShareAll, s.cfg.Shared == ShareAuto && (!fits || len(s.cfg.Silent) > 0):
		w.report.Shared = true
	case !fits:
		return fmt.Errorf("%d listeners and %d connections are more than the %d files that may be open; let machines share listeners", want, spareFiles, limit)
	case len(s.cfg.Silent) > 0:
		return errors.New("silent ranges need shared listeners")
	}
	if w.report.Shared && !canShare {
		return errors.New("this system cannot bind a listener to the loopback interface alone; simulate fewer machines")
	}
	return nil
}

// choosePorts finds out which ports this process may have for well-known ones.
func (s *Site) choosePorts(ports map[uint16]int) error {
	w := &s.wire
	known := maps.Clone(*w.known.Load())
	for port := range ports {
		real := port
		if p, ok := s.cfg.Ports[port]; ok {
			real = p
		} else if port < 1024 && !mayListen(port) {
			real = port + 8000
		}
		if other, taken := known[real]; taken && other != port {
			return fmt.Errorf("ports %d and %d would both be %d", other, port, real)
		}
		known[real] = port
		if real != port {
			w.report.Ports[port] = real
		}
	}
	w.known.Store(&known)
	return nil
}

func (w *wires) real(port uint16) uint16 {
	if p, ok := w.report.Ports[port]; ok {
		return p
	}
	return port
}

// openAll opens every listener there is to be.
func (s *Site) openAll() error {
	w := &s.wire
	if s.cfg.Hush && !w.report.Shared {
		if !canShare {
			return errors.New("silent addresses need Linux")
		}
		for real := range *w.known.Load() {
			ap := netip.AddrPortFrom(netip.IPv4Unspecified(), real)
			key, err := w.acc.listen(ap, true)
			if err == nil {
				err = w.acc.mute(key, ap, true)
			}
			if err != nil {
				return explain(ap, err)
			}
			w.sockets[ap], w.silent[ap] = key, true
		}
	}
	err := s.reconcile()
	w.report.Listeners = len(w.sockets)
	return err
}

// reconcile opens, closes, mutes and unmutes listeners until they fit what the
// machines are and what their lines suffer. Both locks are held.
func (s *Site) reconcile() error {
	w := &s.wire
	// New firmware may listen on a port that no machine had before.
	if err := s.choosePorts(s.ports()); err != nil {
		return err
	}
	if w.report.Shared {
		for real := range *w.known.Load() {
			ap := netip.AddrPortFrom(netip.IPv4Unspecified(), real)
			if _, ok := w.sockets[ap]; ok {
				continue
			}
			key, err := w.acc.listen(ap, false)
			if err != nil {
				return explain(ap, err)
			}
			w.sockets[ap] = key
		}
		return s.muteShared()
	}
	want := map[netip.AddrPort]bool{} // value: silent
	for i := range s.nodes {
		nd := &s.nodes[i]
		if nd.line.is(FaultWireRefused) {
			continue
		}
		for _, p := range nd.ports {
			want[netip.AddrPortFrom(nd.addr, w.real(p))] = nd.muted()
		}
	}
	for ap := range s.gear {
		want[netip.AddrPortFrom(ap.Addr(), w.real(ap.Port()))] = false
	}
	for ap, key := range w.sockets {
		if _, ok := want[ap]; !ok && !ap.Addr().IsUnspecified() {
			w.acc.close(key)
			delete(w.sockets, ap)
			delete(w.silent, ap)
		}
	}
	for ap, silent := range want {
		key, ok := w.sockets[ap]
		if !ok {
			var err error
			if key, err = w.acc.listen(ap, s.cfg.Hush); err != nil {
				return explain(ap, err)
			}
			w.sockets[ap] = key
		}
		if silent != w.silent[ap] {
			w.silent[ap] = silent // tried once; converse holds what gets through
			if err := w.acc.mute(key, ap, silent); err != nil {
				w.report.Silent = held + err.Error()
			}
		}
	}
	return nil
}

// held says that silence is imperfect.
const held = "connections are accepted and never answered: "

// muted tells whether packets to the node get lost, as of the last tick.
func (nd *node) muted() bool {
	return nd.line.cut.Load() || nd.line.is(FaultWireSilent) || nd.phase == PhaseOff || nd.phase == PhaseBooting
}

// muteShared gives the shared listeners the list of addresses whose packets are
// to be dropped: as many as a packet filter can hold, the configured ranges
// first. Connections to the others are accepted and never answered.
func (s *Site) muteShared() error {
	w := &s.wire
	asked := s.cfg.Hush || len(s.cfg.Silent) > 0
	var ranges, off, on []addrRange
	for _, p := range s.cfg.Silent {
		if p.Addr().Is4() {
			ranges = append(ranges, rangeOf(p))
		}
	}
	one := func(a netip.Addr) addrRange { return addrRange{number(a), number(a)} }
	for i := range s.nodes {
		if nd := &s.nodes[i]; nd.muted() {
			off = append(off, one(nd.addr))
		} else {
			on = append(on, one(nd.addr))
		}
	}
	for ap := range s.gear {
		on = append(on, one(ap.Addr()))
	}
	if s.cfg.Hush {
		ranges = append(ranges, gaps(s.cfg.Network, mergeRanges(on))...)
	}
	ranges = mergeRanges(ranges)
	if n := len(ranges); n > maxSilent {
		return fmt.Errorf("%d silent ranges are more than a packet filter holds (%d): place machines side by side, or fewer of them", n, maxSilent)
	}
	for _, r := range mergeRanges(off) {
		if len(ranges) < maxSilent {
			ranges = append(ranges, r)
		}
	}
	ranges = mergeRanges(ranges)
	for _, key := range w.sockets {
		if err := w.acc.silence(key, ranges); err != nil {
			if asked {
				return fmt.Errorf("making addresses silent on shared listeners (it wants CAP_NET_ADMIN): %w", err)
			}
			w.report.Silent = held + err.Error()
			return nil
		}
	}
	return nil
}

// Serve listens, unless that is done, and lets the site live on the wall clock
// at Config.Speed until ctx ends.
func (s *Site) Serve(ctx context.Context) error {
	report, err := s.Listen()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	speed, _ := s.clock.pace()
	s.clock.set(true, speed, 0)
	w := &s.wire
	s.log.Info("simulated site", "machines", len(s.nodes), "network", s.cfg.Network, "listeners", report.Listeners, "shared", report.Shared, "ports", report.Ports, "control", report.Control)
	var wg sync.WaitGroup
	w.mu.Lock()
	kick, acc, control := w.kick, w.acc, w.control
	w.mu.Unlock()
	wg.Go(func() { s.live(ctx, kick) })
	wg.Go(func() {
		acc.run(ctx, func(conn net.Conn) {
			w.conns.Go(func() { s.converse(ctx, conn) })
		})
	})
	if control != nil {
		wg.Go(func() { s.serveControl(ctx, control) })
	}
	<-ctx.Done()
	w.mu.Lock()
	w.close()
	w.mu.Unlock()
	wg.Wait()
	s.hangUp()
	speed, _ = s.clock.pace()
	s.clock.set(false, speed, 0)
	return nil
}

// live ticks the site on its running clock.
func (s *Site) live(ctx context.Context, kick <-chan struct{}) {
	t := time.NewTicker(500 * time.Millisecond)
	defer t.Stop()
	for {
		kicked := false
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-kick:
			kicked = true
		}
		speed, _ := s.clock.pace()
		s.catchUp(tickFor(speed))
		s.mu.Lock()
		if s.overheard() || kicked {
			s.wire.mu.Lock()
			if s.wire.acc != nil {
				if err := s.reconcile(); err != nil {
					s.log.Warn("simulated site: listeners", "error", err)
				}
			}
			s.wire.mu.Unlock()
		}
		s.mu.Unlock()
	}
}

// overheard tells whether a machine fell silent, or speaks again, since the
// listeners were told.
func (s *Site) overheard() bool {
	changed := false
	for i := range s.nodes {
		nd := &s.nodes[i]
		if m := nd.muted(); m != nd.quiet {
			nd.quiet = m
			changed = true
		}
	}
	return changed
}

// converse lets whoever answers at a connection's address talk.
func (s *Site) converse(ctx context.Context, conn net.Conn) {
	local, ok := conn.LocalAddr().(*net.TCPAddr)
	if !ok {
		_ = conn.Close()
		return
	}
	at := local.AddrPort()
	addr, port := at.Addr().Unmap(), (*s.wire.known.Load())[at.Port()]
	if serve, ok := s.gear[netip.AddrPortFrom(addr, port)]; ok {
		serve(ctx, conn)
		return
	}
	i, ok := s.At(addr)
	if !ok {
		reset(conn)
		return
	}
	nd := &s.nodes[i]
	ports := nd.line.ports.Load()
	switch {
	case ports == nil || !slices.Contains(*ports, port) || nd.dialect == nil || nd.line.is(FaultWireRefused):
		reset(conn)
	case nd.line.is(FaultWireHung) || nd.dead():
		hold(ctx, conn, &nd.line)
	default:
		nd.dialect.Serve(ctx, port, &lineConn{Conn: conn, ctx: ctx, nd: nd, moves: nd.line.moves.Load()}, nd.rig)
	}
}

// hangUp waits for conversations to end, which their context told them to.
func (s *Site) hangUp() {
	done := make(chan struct{})
	go func() {
		s.wire.conns.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		s.log.Warn("simulated site: some conversations did not end")
	}
}

// close gives everything back.
func (w *wires) close() {
	if w.acc != nil {
		for key := range maps.Values(w.sockets) {
			w.acc.close(key)
		}
		w.acc.stop()
	}
	if w.control != nil {
		_ = w.control.Close()
	}
	w.acc, w.kick, w.sockets = nil, nil, nil
}

// Listening tells how the site listens, once it does.
func (s *Site) Listening() Listening {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	r := s.wire.report
	r.Ports = maps.Clone(r.Ports)
	return r
}

// explain makes an error of listening say what to do.
func explain(ap netip.AddrPort, err error) error {
	switch {
	case isInUse(err):
		return fmt.Errorf("%s: another program has this port: stop it, or map the port to a free one: %w", ap, err)
	case isForbidden(err):
		return fmt.Errorf("%s: not allowed: map the port to one above 1024: %w", ap, err)
	}
	return fmt.Errorf("%s: %w", ap, err)
}
