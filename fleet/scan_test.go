package fleet_test

import (
	"net/netip"
	"testing"
	"time"

	"ballast/fleet"
)

// A scan gives way while polls need the machine, and still comes to its end
// when they always do.
func TestScanGivesWay(t *testing.T) {
	asked := 0
	s := fleet.Scanner{Busy: func() bool { asked++; return asked%3 != 0 }}
	done, err := s.Scan(t.Context(), []netip.Prefix{netip.MustParsePrefix("127.99.1.0/28")}, func(fleet.Found) {}, nil)
	if err != nil || done.Probed != 16 {
		t.Errorf("%+v %v", done, err)
	}
	if asked < 2*16 || asked > 3*16 { // until free; a slow machine may let the wait run out
		t.Errorf("asked %d times for 16 addresses, each of which is free at the third", asked)
	}
	s.Busy = func() bool { return true }
	begin := time.Now()
	if done, err := s.Scan(t.Context(), []netip.Prefix{netip.MustParsePrefix("127.99.1.0/26")}, func(fleet.Found) {}, nil); err != nil || done.Probed != 64 {
		t.Errorf("%+v %v", done, err)
	}
	if took := time.Since(begin); took < 64*4*time.Millisecond {
		t.Errorf("64 addresses took only %v while something else was busy", took)
	}
}
