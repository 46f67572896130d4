package fleet

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ballast/miner"
)

// scanPorts are the ports that a miner may have open, in the order of how many
// families use them. Every family answers on at least one of the first three.
var scanPorts = []uint16{4028, 80, 4433}

// Scanner finds machines in address ranges. The zero value with a Reach works.
type Scanner struct {
	Reach Reach
	// Connect bounds how long an address may stay silent; 0 is one second.
	Connect time.Duration
	// Identify bounds the dialogue with one address that answers; 0 is 10 s.
	Identify time.Duration
	// Hosts is how many addresses are tried at once; 0 is 1500. On a flat
	// network of real switches more loses machines: every silent address holds
	// a neighbour-table entry.
	Hosts int
	// Retry tries silent addresses a second time, however many they are. Without
	// it they are tried again only when they are few: where nearly every address
	// answers or refuses, silence is a lost packet and not an empty place.
	Retry bool
	// Busy tells that something more urgent wants the processor and the network
	// right now; the scan then goes at a walk, 250 addresses a second, until that is
	// over. It never stops: machines that are not found yet are not seen at all, and
	// a machine that is busy for good would never finish. nil is never.
	Busy func() bool
	// Missed hears of every address where nobody was found and whether it refused
	// (a host without a miner) or was silent, from one goroutine at a time. It may
	// be nil.
	Missed func(addr netip.Addr, refused bool)

	hearing sync.Mutex // one call of Missed at a time
}

// Found is one address that answered.
type Found struct {
	Addr     netip.Addr     `json:"addr"`
	Site     string         `json:"site,omitempty"` // that was scanned; empty: whose range it is in
	Open     []uint16       `json:"open_ports"`
	Identity miner.Identity `json:"identity,omitzero"`
	// Err says why the machine could not be identified in full: miner.ErrDenied
	// (a password is needed; Identity.Firmware is still right), ErrNoDriver.
	Err  error         `json:"-"`
	Note string        `json:"note,omitempty"` // Err in words
	Took time.Duration `json:"took_ns"`
}

// Progress is how far a scan is.
type Progress struct {
	Total      int64         `json:"total"` // addresses
	Probed     int64         `json:"probed"`
	Silent     int64         `json:"silent"`
	Refused    int64         `json:"refused"`
	Open       int64         `json:"open"`
	Identified int64         `json:"identified"`
	Unknown    int64         `json:"unknown"`
	Elapsed    time.Duration `json:"elapsed_ns"`
}

// Scan tries every address of the ranges and calls found for each that has a
// port open, from one goroutine at a time, and progress (may be nil) about ten
// times a second. It returns the final counts. Network and broadcast addresses
// of IPv4 ranges shorter than /31 are tried too: some sites use them.
func (s *Scanner) Scan(ctx context.Context, ranges []netip.Prefix, found func(Found), progress func(Progress)) (Progress, error) {
	begin := time.Now()
	var total int64
	for _, p := range ranges {
		n, err := size(p)
		if err != nil {
			return Progress{}, err
		}
		total += n
	}
	var c counters
	report := func() Progress { return c.progress(total, time.Since(begin)) }
	stop := make(chan struct{})
	var side sync.WaitGroup
	if progress != nil {
		side.Go(func() {
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					progress(report())
				case <-stop:
					return
				}
			}
		})
	}
	results := make(chan Found, 256)
	side.Go(func() {
		for f := range results {
			found(f)
		}
	})

	silent, weak := s.pass(ctx, each(ranges), &c, results)
	if (s.Retry || int64(len(silent)) <= total/10) && ctx.Err() == nil {
		c.probed.Add(-int64(len(silent)))
		c.silent.Add(-int64(len(silent)))
		again, more := s.pass(ctx, slices.Values(silent), &c, results)
		silent, weak = again, append(weak, more...)
	}
	for _, a := range silent {
		s.miss(a, false)
	}
	s.again(ctx, weak, int(total/100), &c, results)
	close(results)
	close(stop)
	side.Wait()
	done := report()
	if progress != nil {
		progress(done)
	}
	return done, ctx.Err()
}

type counters struct{ probed, silent, refused, open, identified, unknown atomic.Int64 }

func (c *counters) progress(total int64, elapsed time.Duration) Progress {
	return Progress{Total: total, Probed: c.probed.Load(), Silent: c.silent.Load(), Refused: c.refused.Load(),
		Open: c.open.Load(), Identified: c.identified.Load(), Unknown: c.unknown.Load(), Elapsed: elapsed}
}

// again asks once more, calmly, who answered but could not be made out in full:
// while tens of thousands of connections open and close, ours and theirs, some
// dialogues run out of time. Those of whom nothing at all is known then are asked
// twice more after a pause, when they are few: a machine that was slow for a moment
// should not be missed, a building full of printers should not be waited for.
func (s *Scanner) again(ctx context.Context, weak []Found, few int, c *counters, results chan<- Found) {
	const rounds, pause = 3, 2 * time.Second
	for round := range rounds {
		var (
			wg   sync.WaitGroup
			mu   sync.Mutex
			left []Found
			room = make(chan struct{}, 32)
			last = round == rounds-1
		)
		for _, f := range weak {
			room <- struct{}{}
			wg.Go(func() {
				defer func() { <-room }()
				if ctx.Err() == nil {
					if g := s.identify(ctx, f.Addr, f.Open); g.rank() > f.rank() {
						f = g
					}
				}
				if f.rank() == 0 && !last && ctx.Err() == nil {
					mu.Lock()
					left = append(left, f)
					mu.Unlock()
					return
				}
				c.count(f)
				results <- f
			})
		}
		wg.Wait()
		weak = left
		if len(weak) == 0 || last {
			return
		}
		if len(weak) > max(few, 16) || ctx.Err() != nil {
			break
		}
		select {
		case <-time.After(time.Duration(round+1) * pause):
		case <-ctx.Done():
		}
	}
	for _, f := range weak {
		c.count(f)
		results <- f
	}
}

// walk is what an address takes at least while something more urgent goes on.
const walk = 4 * time.Millisecond

// yield waits while something more urgent is going on.
func (s *Scanner) yield(ctx context.Context) {
	for end := time.Now().Add(walk); s.Busy != nil && s.Busy() && ctx.Err() == nil && time.Now().Before(end); {
		time.Sleep(walk / 4)
	}
}

// rank is how well an address was made out.
func (f Found) rank() int {
	switch {
	case f.Err == nil && f.Identity.Model != "" && f.Identity.Firmware != miner.CGMiner:
		return 3
	case f.Err == nil:
		return 2
	case errors.Is(f.Err, miner.ErrDenied):
		return 1
	}
	return 0
}

func (c *counters) count(f Found) {
	if f.rank() > 0 {
		c.identified.Add(1)
	} else {
		c.unknown.Add(1)
	}
}

// pass probes every address once. It returns the silent ones, and those that
// answer and could not be made out in full.
func (s *Scanner) pass(ctx context.Context, addrs func(func(netip.Addr) bool), c *counters, results chan<- Found) (silent []netip.Addr, weak []Found) {
	hosts := s.Hosts
	if hosts <= 0 {
		hosts = 1500
	}
	hosts = min(hosts, max(64, fileLimit()/8)) // three sockets a host, and room for dialogues
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		work = make(chan netip.Addr, hosts)
		talk = make(chan struct{}, 256) // dialogues at once
	)
	for range hosts {
		wg.Go(func() {
			for addr := range work {
				open, quiet := s.knock(ctx, addr)
				switch {
				case len(open) > 0:
					c.open.Add(1)
					talk <- struct{}{}
					wg.Go(func() {
						defer func() { <-talk }()
						f := s.identify(ctx, addr, open)
						if f.rank() < 3 && !errors.Is(f.Err, miner.ErrDenied) {
							mu.Lock()
							weak = append(weak, f)
							mu.Unlock()
							return
						}
						c.count(f)
						results <- f
					})
				case quiet:
					c.silent.Add(1)
					mu.Lock()
					silent = append(silent, addr)
					mu.Unlock()
				default:
					c.refused.Add(1)
					s.miss(addr, true)
				}
				c.probed.Add(1)
			}
		})
	}
	for addr := range addrs {
		s.yield(ctx)
		select {
		case work <- addr:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(work)
	wg.Wait()
	return silent, weak
}

func (s *Scanner) miss(addr netip.Addr, refused bool) {
	if s.Missed == nil {
		return
	}
	s.hearing.Lock()
	defer s.hearing.Unlock()
	s.Missed(addr, refused)
}

// knock tries the scan ports of one address. A refusal is an answer from a live
// host, so the next port follows at once; silence is waited for on all ports
// together, so that a silent address costs one timeout and not three.
func (s *Scanner) knock(ctx context.Context, addr netip.Addr) (open []uint16, quiet bool) {
	timeout := s.Connect
	if timeout <= 0 {
		timeout = time.Second
	}
	t := s.Reach.target(addr, "")
	type result struct {
		port uint16
		err  error
	}
	first := make(chan result, len(scanPorts))
	try := func(port uint16) result {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		conn, err := t.DialPort(ctx, port)
		if err == nil {
			reset(conn)
		}
		return result{port, err}
	}
	// Most addresses of a range either refuse everything or swallow everything,
	// and the first port tells which. It gets a short head start alone.
	head := time.NewTimer(min(timeout/4, 30*time.Millisecond))
	defer head.Stop()
	go func() { first <- try(scanPorts[0]) }()
	waiting := 1
	launch := func() {
		for _, p := range scanPorts[1:] {
			go func() { first <- try(p) }()
			waiting++
		}
	}
	launched := false
	for waiting > 0 {
		select {
		case r := <-first:
			waiting--
			switch {
			case r.err == nil:
				open = append(open, r.port)
			case !refusal(r.err):
				quiet = true
			}
			if !launched {
				launched = true
				if r.err == nil || refusal(r.err) {
					for _, p := range scanPorts[1:] { // a live host: no goroutines needed
						r := try(p)
						if r.err == nil {
							open = append(open, p)
						} else if !refusal(r.err) {
							quiet = true
						}
					}
				} else {
					launch()
				}
			}
		case <-head.C:
			if !launched {
				launched = true
				launch()
			}
		}
	}
	slices.SortFunc(open, func(a, b uint16) int { return slices.Index(scanPorts, a) - slices.Index(scanPorts, b) })
	return open, quiet && len(open) == 0
}

// refusal tells an active "nobody here" from silence.
func refusal(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET)
}

// reset closes a probe without leaving a TIME_WAIT behind.
func reset(conn net.Conn) {
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	conn.Close()
}

// identify finds the driver that fits: the ones that recognise the first words
// go first, in the registry's order, then the generic dialects.
func (s *Scanner) identify(ctx context.Context, addr netip.Addr, open []uint16) Found {
	begin := time.Now()
	limit := s.Identify
	if limit <= 0 {
		limit = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	f := Found{Addr: addr, Open: open}
	id, err := s.Reach.Recognise(ctx, addr, open)
	f.Identity, f.Err, f.Took = id, err, time.Since(begin)
	if err != nil {
		f.Note = err.Error()
	}
	return f
}

// Recognise asks who is at addr. open lists the ports to try; nil means all.
// On miner.ErrDenied the identity still names the firmware.
func (r Reach) Recognise(ctx context.Context, addr netip.Addr, open []uint16) (miner.Identity, error) {
	if open == nil {
		open = scanPorts
	}
	t := r.target(addr, "")
	words := make(map[uint16][]byte, len(open))
	for _, port := range open {
		if b := firstWords(ctx, t, port); len(b) > 0 {
			words[port] = b
		}
	}
	var likely, rest []miner.Driver
	for _, d := range r.Drivers {
		h, ok := d.(miner.Hinter)
		switch {
		case !ok:
			rest = append(rest, d)
		case slices.ContainsFunc(open, func(p uint16) bool { return len(words[p]) > 0 && h.Hint(p, words[p]) }):
			likely = append(likely, d)
		default:
			rest = append(rest, d)
		}
	}
	if len(words) == 0 {
		return miner.Identity{}, fmt.Errorf("ports %v of %v: %w: open, but nothing is said", open, addr, miner.ErrUnreachable)
	}
	denied := miner.Identity{Addr: addr}
	var deniedErr, last error
	for _, d := range append(likely, rest...) {
		id, err := r.ask(ctx, d, addr)
		switch {
		case err == nil:
			id.Addr = addr
			return id, nil
		case errors.Is(err, miner.ErrDenied) && deniedErr == nil && slices.Contains(likely, d):
			denied.Firmware, deniedErr = d.Firmware(), err
		case !errors.Is(err, miner.ErrNotMine):
			last = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	if deniedErr != nil {
		return denied, deniedErr
	}
	if last != nil {
		return miner.Identity{}, fmt.Errorf("%w (last: %w)", ErrNoDriver, last)
	}
	return miner.Identity{}, ErrNoDriver
}

func (r Reach) ask(ctx context.Context, d miner.Driver, addr netip.Addr) (miner.Identity, error) {
	dev := d.Open(r.target(addr, d.Firmware()))
	defer dev.Close()
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	return dev.Identify(ctx)
}

// firstWords sends the probe that fits a port and returns what comes back. Most
// firmwares speak the cgminer API on 4028, and ePIC speaks HTTP there: what is
// silent to the one is asked in the other.
func firstWords(ctx context.Context, t miner.Target, port uint16) []byte {
	web := []byte("GET / HTTP/1.1\r\nHost: " + t.Addr.String() + "\r\nConnection: close\r\n\r\n")
	switch port {
	case 4028:
		if got := probe(ctx, t, port, []byte(`{"command":"version"}`), 1500*time.Millisecond); len(got) > 0 {
			return got
		}
		return probe(ctx, t, port, web, 2*time.Second)
	case 4433:
		body := []byte(`{"cmd":"get.device.info"}`)
		return probe(ctx, t, port, append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...), 2*time.Second)
	}
	return probe(ctx, t, port, web, 2*time.Second)
}

// probe sends one request and returns at most 16 KiB of the answer.
func probe(ctx context.Context, t miner.Target, port uint16, ask []byte, limit time.Duration) []byte {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := t.DialPort(ctx, port)
	if err != nil {
		return nil
	}
	defer conn.Close()
	if d, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(d)
	}
	if _, err := conn.Write(ask); err != nil {
		return nil
	}
	var got bytes.Buffer
	buf := make([]byte, 4096)
	for got.Len() < 16<<10 {
		n, err := conn.Read(buf)
		got.Write(buf[:n])
		if err != nil || bytes.IndexByte(buf[:n], 0) >= 0 && port == 4028 || whole(port, got.Bytes()) {
			if err != nil && !errors.Is(err, io.EOF) && got.Len() == 0 {
				return nil
			}
			break
		}
	}
	return got.Bytes()
}

// whole tells that nothing more will come on a connection that may stay open.
func whole(port uint16, b []byte) bool {
	switch port {
	case 4433:
		return len(b) >= 4 && len(b) >= 4+int(binary.LittleEndian.Uint32(b))
	case 4028:
		t := bytes.TrimRight(b, "\x00\r\n ")
		return len(t) > 0 && (t[0] == '{' && t[len(t)-1] == '}' && bytes.Count(t, []byte("{")) == bytes.Count(t, []byte("}")) || t[len(t)-1] == '|')
	}
	return false
}

// size counts a range's addresses and refuses what no scan can finish.
func size(p netip.Prefix) (int64, error) {
	bits := p.Addr().BitLen() - p.Bits()
	if !p.IsValid() || bits > 20 {
		return 0, fmt.Errorf("range %v: a scan takes at most 1,048,576 addresses (a /12); name the subnets that hold machines", p)
	}
	return int64(1) << bits, nil
}

// each walks the ranges' addresses, each address once even when ranges overlap.
func each(ranges []netip.Prefix) func(func(netip.Addr) bool) {
	return func(yield func(netip.Addr) bool) {
		for i, p := range ranges {
			p = p.Masked()
			for a := p.Addr(); a.IsValid() && p.Contains(a); a = a.Next() {
				if slices.ContainsFunc(ranges[:i], func(q netip.Prefix) bool { return q.Contains(a) }) {
					continue
				}
				if !yield(a) {
					return
				}
			}
		}
	}
}

// fileLimit is how many files this process may have open.
func fileLimit() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 1024
	}
	return int(min(l.Cur, 1<<20))
}

// ParseRanges reads address ranges as people write them: 10.20.0.0/16, a single
// address, or 10.20.0.5-10.20.1.9.
func ParseRanges(texts []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range texts {
		text = strings.TrimSpace(text)
		if from, to, ok := strings.Cut(text, "-"); ok {
			span, err := spanned(from, to)
			if err != nil {
				return nil, err
			}
			out = append(out, span...)
			continue
		}
		if a, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no address range: want 10.20.0.0/16, 10.20.0.5 or 10.20.0.5-10.20.1.9", text)
		}
		out = append(out, p.Masked())
	}
	for _, p := range out {
		if _, err := size(p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// spanned covers from..to with the fewest prefixes.
func spanned(from, to string) (out []netip.Prefix, err error) {
	a, err1 := netip.ParseAddr(strings.TrimSpace(from))
	b, err2 := netip.ParseAddr(strings.TrimSpace(to))
	if err1 != nil || err2 != nil || a.BitLen() != b.BitLen() || b.Less(a) {
		return nil, fmt.Errorf("%s-%s is no address range: want the lower and the upper address, such as 10.20.0.5-10.20.1.9", from, to)
	}
	for a.IsValid() && !b.Less(a) {
		bits := a.BitLen()
		for bits > 0 {
			wider := netip.PrefixFrom(a, bits-1)
			if wider.Masked().Addr() != a || b.Less(last(wider)) {
				break
			}
			bits--
		}
		p := netip.PrefixFrom(a, bits)
		out = append(out, p)
		if len(out) > 256 {
			return nil, fmt.Errorf("%s-%s falls into too many ranges; write prefixes", from, to)
		}
		a = last(p).Next()
	}
	return out, nil
}

// last is the highest address of a prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
