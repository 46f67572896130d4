package sim

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"ballast/miner"
)

// Stand puts one rig on the bench: it serves every port of its dialect on
// 127.0.0.1 at ports that are free, until ctx ends, and returns how to reach
// it. For tests and examples; a whole site has real addresses and real ports.
func Stand(ctx context.Context, d Dialect, r *Rig) (miner.Target, error) {
	t := miner.Target{Addr: netip.MustParseAddr("127.0.0.1"), Ports: map[uint16]uint16{}}
	for _, port := range d.Ports(r.Spec()) {
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return miner.Target{}, fmt.Errorf("listening for port %d: %w", port, err)
		}
		context.AfterFunc(ctx, func() { _ = l.Close() })
		t.Ports[port] = uint16(l.Addr().(*net.TCPAddr).Port)
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go d.Serve(ctx, port, conn, r)
			}
		}()
	}
	return t, nil
}
