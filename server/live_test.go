package server

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/unit"
)

// listener is a client of the live stream as a browser is one: it knows rows
// and the last id, and goes on from there when it comes back.
type listener struct {
	t     *testing.T
	base  string
	key   string
	gzip  bool
	last  string
	rows  map[int64]Row
	fresh int // times that it was told everything
	gone  int
}

// listen reads for as long as ctx lasts, or until until says so after an event.
func (l *listener) listen(ctx context.Context, until func() bool) {
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, l.base+livePath, nil)
	req.Header.Set("Authorization", "Bearer "+l.key)
	req.Header.Set("Accept-Encoding", "identity")
	if l.gzip {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	if l.last != "" {
		req.Header.Set("Last-Event-ID", l.last)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		if ctx.Err() == nil {
			l.t.Error(err)
		}
		return
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || l.gzip != (res.Header.Get("Content-Encoding") == "gzip") {
		l.t.Errorf("status %d, encoding %q", res.StatusCode, res.Header.Get("Content-Encoding"))
		return
	}
	var body io.Reader = res.Body
	if l.gzip {
		if body, err = gzip.NewReader(res.Body); err != nil {
			l.t.Error(err)
			return
		}
	}
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 64<<20)
	var name, data, id string
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "event":
			name = value
		case "data":
			data = value
		case "id":
			id = value
		case "":
			if lines.Text() == "" && name != "" {
				l.take(name, data, id)
				if until() {
					return
				}
			}
			name, data, id = "", "", ""
		}
	}
}

func (l *listener) take(name, data, id string) {
	if name != "machines" {
		return
	}
	var ev MachinesEvent
	if err := json.Unmarshal([]byte(data), &ev); err != nil {
		l.t.Error(err)
		return
	}
	if ev.All {
		l.rows, l.fresh = map[int64]Row{}, l.fresh+1
	}
	for _, r := range ev.Rows {
		l.rows[r.ID] = r
	}
	for _, id := range ev.Gone {
		if _, ok := l.rows[id]; ok {
			delete(l.rows, id)
			l.gone++
		}
	}
	if id != "" {
		l.last = id
	}
}

// differs says how what the listener shows differs from what is; nothing when it
// does not.
func (l *listener) differs(s *Server, sites Scope) string {
	want := map[int64]Row{}
	for _, st := range within(sites, s.Fleet.All()) {
		if st.Machine.Retired.IsZero() {
			want[st.Machine.ID] = rowOf(st)
		}
	}
	for id, w := range want {
		if got, ok := l.rows[id]; !ok || got.Name != w.Name || got.Site != w.Site {
			return fmt.Sprintf("machine %d: shows %q at %q (known %v), is %q at %q", id, got.Name, got.Site, ok, w.Name, w.Site)
		}
	}
	for id := range l.rows {
		if _, ok := want[id]; !ok {
			return fmt.Sprintf("machine %d is shown, and is not there", id)
		}
	}
	return ""
}

// stage is a server with machines at two sites, and keys of people who see both
// or one.
func stage(t *testing.T, machines int) (s *Server, base string, ids []int64, keys map[string]string) {
	t.Helper()
	s = bare(t)
	var seen []ledger.Sighting
	for i := range machines {
		seen = append(seen, ledger.Sighting{Addr: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), MAC: fmt.Sprintf("02:00:00:00:%02x:%02x", i>>8, i&255), Site: []string{"hood", "odessa"}[i%2]})
	}
	ms, err := s.Record.ObserveMachines(t.Context(), seen)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range ms {
		ids = append(ids, m.ID)
	}
	if err := s.Fleet.Renew(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	keys = map[string]string{}
	for who, grant := range map[string]ledger.Grant{"all": {Role: ledger.Viewer}, "hood": {Role: ledger.Viewer, Site: "hood"}} {
		u, err := s.Record.AddUser(t.Context(), ledger.User{Name: who, Grants: []ledger.Grant{grant}}, ledger.By("test"))
		if err != nil {
			t.Fatal(err)
		}
		key, prefix, sum := ledger.NewAPIKey()
		if _, err := s.Record.AddAPIKey(t.Context(), ledger.APIKey{Prefix: prefix, Sum: sum, User: u.ID, Name: "k", Scopes: AllScopes()}, ledger.By("test")); err != nil {
			t.Fatal(err)
		}
		keys[who] = key
	}
	return s, perform(t, s), ids, keys
}

// perform serves s until the test ends, beats and all.
func perform(t *testing.T, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx, l) }()
	t.Cleanup(func() { stop(); <-done })
	return "http://" + l.Addr().String()
}

// change names, retires, moves and takes back machines at random until ctx ends,
// and returns how many changes it made.
func change(ctx context.Context, t *testing.T, s *Server, ids []int64) int {
	r := rand.New(rand.NewPCG(1, 2))
	n := 0
	for ; ctx.Err() == nil; n++ {
		id := ids[r.IntN(1+r.IntN(len(ids)))] // some again and again
		e := ledger.MachineEdit{Name: unit.Some(fmt.Sprintf("name %d", n))}
		switch r.IntN(8) {
		case 0:
			e.Retired = unit.Some(true)
		case 1:
			e.Retired = unit.Some(false)
		case 2, 3, 4: // there and back between two beats, too
			e.Site = unit.Some([]string{"hood", "odessa"}[r.IntN(2)])
		}
		// Conflicts (an address that is taken at the other site) change nothing.
		if err := s.Record.EditMachines(context.WithoutCancel(ctx), []int64{id}, e, ledger.By("test")); err == nil {
			if err := s.Fleet.Renew(context.WithoutCancel(ctx), []int64{id}); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
	}
	return n
}

// Clients come and go while machines change; some are away for many beats. When
// all is quiet, what each has pieced together is what is, and none of them was
// told everything more than once.
func TestLiveMissesNothing(t *testing.T) {
	s, base, ids, keys := stage(t, 60)
	quiet, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	changes := 0
	wg.Go(func() { changes = change(quiet, t, s, ids) })
	var listeners []*listener
	for i := range 6 {
		who := []string{"all", "hood"}[i%2]
		l := &listener{t: t, base: base, key: keys[who], gzip: i%3 > 0, rows: map[int64]Row{}}
		listeners = append(listeners, l)
		wg.Go(func() {
			r := rand.New(rand.NewPCG(3, uint64(i)))
			for quiet.Err() == nil {
				ctx, leave := context.WithTimeout(quiet, time.Duration(300+r.IntN(1500))*time.Millisecond)
				l.listen(ctx, func() bool { return false })
				leave()
				time.Sleep(time.Duration(r.IntN(1+500*(i+1))) * time.Millisecond) // up to three beats
			}
		})
	}
	time.Sleep(8 * time.Second)
	stop()
	wg.Wait()
	for i, l := range listeners {
		scope := Scope{All: true}
		if i%2 == 1 {
			scope = Scope{Sites: []string{"hood"}}
		}
		ctx, leave := context.WithTimeout(t.Context(), 10*time.Second)
		l.listen(ctx, func() bool { return l.differs(s, scope) == "" })
		leave()
		if d := l.differs(s, scope); d != "" {
			t.Errorf("listener %d: %s", i, d)
		}
		if l.fresh != 1 {
			t.Errorf("listener %d was told everything %d times", i, l.fresh)
		}
	}
	if changes < 300 {
		t.Errorf("only %d changes: that proves little", changes)
	}
	moved := 0
	for _, l := range listeners {
		moved += l.gone
	}
	if moved == 0 {
		t.Error("nobody was told of a machine that went: the test lost its point")
	}
}

// A fleet without machines has a stream too, and its first machine is not missed
// by who was told that there is none, whether they stayed or come back.
func TestLiveOfAnEmptyFleet(t *testing.T) {
	s, base, _, keys := stage(t, 0)
	ctx, leave := context.WithTimeout(t.Context(), 15*time.Second)
	defer leave()
	begun := time.Now()
	gone := &listener{t: t, base: base, key: keys["all"], rows: map[int64]Row{}}
	gone.listen(ctx, func() bool { return gone.fresh == 1 })
	if d := time.Since(begun); gone.fresh != 1 || d > 500*time.Millisecond {
		t.Errorf("told everything %d times after %v: the first page waits for that", gone.fresh, d)
	}
	stays := &listener{t: t, base: base, key: keys["hood"], rows: map[int64]Row{}}
	told := make(chan struct{})
	go func() {
		defer close(told)
		stays.listen(ctx, func() bool { return len(stays.rows) == 1 })
	}()
	time.Sleep(1500 * time.Millisecond)
	ms, err := s.Record.ObserveMachines(ctx, []ledger.Sighting{{Addr: netip.MustParseAddr("10.0.0.1"), MAC: "02:00:00:00:00:01", Site: "hood"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Fleet.Renew(ctx, []int64{ms[0].ID}); err != nil {
		t.Fatal(err)
	}
	<-told
	gone.listen(ctx, func() bool { return len(gone.rows) == 1 })
	for name, l := range map[string]*listener{"who stays": stays, "who comes back": gone} {
		if d := l.differs(s, Scope{All: true}); d != "" || l.fresh != 1 {
			t.Errorf("%s: %q, told everything %d times", name, d, l.fresh)
		}
	}
}

// After a restart revisions begin anew; an id of the process before means
// nothing, and the client is told everything.
func TestLiveAfterARestart(t *testing.T) {
	s, base, ids, keys := stage(t, 20)
	l := &listener{t: t, base: base, key: keys["all"], gzip: true, rows: map[int64]Row{}}
	ctx, leave := context.WithTimeout(t.Context(), 10*time.Second)
	defer leave()
	l.listen(ctx, func() bool { return len(l.rows) == len(ids) })

	was := epoch
	t.Cleanup(func() { epoch = was })
	epoch = "another"
	if err := s.Record.EditMachines(t.Context(), ids[:3], ledger.MachineEdit{Retired: unit.Some(true)}, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	if err := s.Fleet.Renew(t.Context(), ids[:3]); err != nil {
		t.Fatal(err)
	}
	again := New(s.Options)
	l.base = perform(t, again)
	l.listen(ctx, func() bool { return l.fresh == 2 })
	if d := l.differs(again, Scope{All: true}); d != "" || l.fresh != 2 || !strings.HasPrefix(l.last, "another.") {
		t.Errorf("after the restart: %q, told everything %d times, id %s", d, l.fresh, l.last)
	}
}

// A client that stops reading is cut off, and what it missed comes when it is
// back; nobody else waits for it.
func TestLiveCutsOffWhoDoesNotRead(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the deadline")
	}
	s, base, ids, keys := stage(t, 400)
	s.stalled = 1500 * time.Millisecond
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetReadBuffer(4096)
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", livePath, keys["all"])

	other := &listener{t: t, base: base, key: keys["all"], gzip: true, rows: map[int64]Row{}}
	ctx, leave := context.WithTimeout(t.Context(), 60*time.Second)
	defer leave()
	beats := make(chan struct{}, 1000)
	go other.listen(ctx, func() bool { beats <- struct{}{}; return false })
	// Long names fill what the kernel takes on the way.
	long := strings.Repeat("x", 90)
	deadline := time.Now().Add(50 * time.Second)
	for n := 0; s.hub.count() > 1 || n == 0; n++ {
		if time.Now().After(deadline) {
			t.Fatalf("after %v the one who does not read is still there", 50*time.Second)
		}
		if err := s.Record.EditMachines(ctx, ids, ledger.MachineEdit{Name: unit.Some(fmt.Sprint(n, long)), Group: unit.Some(long)}, ledger.By("test")); err != nil {
			t.Fatal(err)
		}
		if err := s.Fleet.Renew(ctx, ids); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
	}
	if len(beats) < 5 {
		t.Errorf("the other one was told %d times meanwhile", len(beats))
	}
}

// A machine that left a scope and is back is there, whatever the last look at
// who stands where said.
func TestBackIsNotGone(t *testing.T) {
	st := &fleet.Status{Machine: ledger.Machine{ID: 38, Site: "hood"}}
	var ev MachinesEvent
	_, data, _ := strings.Cut(string(machinesEvent([]*fleet.Status{st}, 7, false, 12, 38)), "data: ")
	if err := json.Unmarshal([]byte(data), &ev); err != nil {
		t.Fatal(err)
	}
	if len(ev.Rows) != 1 || len(ev.Gone) != 1 || ev.Gone[0] != 12 {
		t.Errorf("%+v", ev)
	}
}
