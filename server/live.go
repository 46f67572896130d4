package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/fleet"
)

// hub makes the live stream's events once a second for everybody who listens.
//
// A client is a revision of the fleet: what it has seen. Each beat turns the
// changes since the last beat into one event; a client that is in step gets
// those very bytes, and one that is behind (it just connected, or its link was
// slow) gets an event of its own with everything since its revision. So a
// client can miss nothing, the server keeps no queue for anybody, and a client
// that stops reading is cut off by its write deadline.
//
// People who may see some sites only have a view of their own: everything is
// made once for each different scope that somebody listens with.
type hub struct {
	s     *Server
	mu    sync.Mutex
	views map[string]*view
	next  chan struct{} // closed at the next beat
	press press
}

// view is what clients of one scope see.
type view struct {
	scope     Scope
	listeners int
	beat      beat
	late      map[uint64]*lateEvent // what those get who are not in step, by what they have; until the next beat
}

// lateEvent is made once for all who lack the same.
type lateEvent struct {
	once sync.Once
	b    []byte
	to   uint64
}

type beat struct {
	made     bool // false before the first
	from, to uint64
	machines []byte // event for clients at from
	site     []byte
	alarms   []byte // event for all, when the open alarms changed
	alarmRev uint64 // of it; 0 is none yet
}

func newHub(s *Server) *hub { return &hub{s: s, views: map[string]*view{}, next: make(chan struct{})} }

// join adds a listener with a scope; leave takes it away.
func (h *hub) join(sites Scope) *view {
	h.mu.Lock()
	defer h.mu.Unlock()
	v, ok := h.views[sites.Key()]
	if !ok {
		v = &view{scope: sites}
		h.views[sites.Key()] = v
	}
	v.listeners++
	return v
}

// begin makes the first beat of a view at once: whoever opens the dashboard
// does not wait for the next second.
func (h *hub) begin(v *view) {
	h.mu.Lock()
	made := v.beat.made
	h.mu.Unlock()
	if !made {
		h.refresh(v, h.s.Fleet.All())
	}
}

func (h *hub) leave(v *view) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if v.listeners--; v.listeners == 0 {
		delete(h.views, v.scope.Key())
	}
}

// count is how many listen.
func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, v := range h.views {
		n += v.listeners
	}
	return n
}

// beatEvery is the rhythm of the stream.
const beatEvery = time.Second

// stalled is how long a client may take no bytes before it is cut off. It comes
// back with its revision when it reads again.
const stalled = 10 * time.Second

// recheckEvery is how long somebody who was signed out, disabled or given other
// grants goes on seeing what they saw.
const recheckEvery = 10 * time.Second

func (h *hub) run(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		h.mu.Lock()
		views := slices.Collect(maps.Values(h.views))
		h.mu.Unlock()
		if len(views) > 0 {
			all := h.s.Fleet.All()
			for _, v := range views {
				h.refresh(v, all)
			}
		}
		h.press.forget()
		h.mu.Lock()
		close(h.next)
		h.next = make(chan struct{})
		h.mu.Unlock()
	}
}

// refresh makes a view's next beat.
func (h *hub) refresh(v *view, all []*fleet.Status) {
	h.mu.Lock()
	from, first := v.beat.to, !v.beat.made
	was := v.beat
	h.mu.Unlock()
	b := beat{made: true, from: from, site: event("site", 0, h.s.site(v.scope, within(v.scope, all)))}
	if first { // nobody is in step with what was before it
		b.to = h.s.Fleet.Rev()
		b.from = b.to
	} else {
		b.machines, b.to = h.since(v.scope, from)
	}
	b.alarms, b.alarmRev = h.s.alarmsEvent(v.scope, was.alarms, was.alarmRev)
	h.mu.Lock()
	v.beat, v.late = b, nil
	h.mu.Unlock()
}

// catchUp is what a client that has seen lacks, or all for one that has nothing
// (fresh), with the revision that it then has. What is made once serves
// everybody who asks for the same before the next beat.
func (h *hub) catchUp(v *view, seen uint64, fresh bool) ([]byte, uint64) {
	key := seen + 1
	if fresh {
		key = 0
	}
	h.mu.Lock()
	if v.late == nil {
		v.late = map[uint64]*lateEvent{}
	}
	l, ok := v.late[key]
	if !ok {
		l = &lateEvent{}
		v.late[key] = l
	}
	b := v.beat
	h.mu.Unlock()
	l.once.Do(func() {
		switch {
		case fresh:
			// A revision from before the rows were read: what changes meanwhile comes
			// again, which does no harm. That of the last beat puts the client in step.
			l.to = b.to
			l.b = machinesEvent(within(v.scope, h.s.Fleet.All()), l.to, true)
		default:
			l.b, l.to = h.since(v.scope, seen)
		}
	})
	return l.b, l.to
}

// since is the event for who has seen everything up to a revision, and the
// revision that it brings them to.
func (h *hub) since(s Scope, seen uint64) ([]byte, uint64) {
	changed, to := h.s.Fleet.Changed(seen)
	gone, ok := h.gone(s, seen)
	if !ok { // away for so long that moves were forgotten
		return machinesEvent(within(s, h.s.Fleet.All()), to, true), to
	}
	return machinesEvent(within(s, changed), to, false, gone...), to
}

// gone are the machines that left a scope since a revision, and are not back.
// False when that is no longer known. Whoever is asked about twice is told twice,
// which does no harm.
func (h *hub) gone(s Scope, seen uint64) ([]int64, bool) {
	if s.All {
		return nil, true
	}
	moves, ok := h.s.Fleet.Left(seen)
	var gone []int64
	told := map[int64]bool{}
	for _, m := range moves {
		if told[m.ID] || !s.Covers(m.From) {
			continue
		}
		if at, ok := h.s.Fleet.MachineSite(m.ID); ok && !s.Covers(at) {
			told[m.ID] = true
			gone = append(gone, m.ID)
		}
	}
	return gone, ok
}

func (h *hub) now(v *view) (beat, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return v.beat, h.next
}

// epoch tells revisions of this process from those of one before it.
var epoch = strconv.FormatInt(time.Now().UnixMilli(), 36)

// event writes one server-sent event; id 0 leaves the client's revision alone.
func event(name string, id uint64, v any) []byte {
	var b bytes.Buffer
	if id > 0 {
		fmt.Fprintf(&b, "id: %s.%d\n", epoch, id)
	}
	b.WriteString("event: " + name + "\ndata: ")
	if err := json.NewEncoder(&b).Encode(v); err != nil { // ends with one newline
		return nil
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// MachinesEvent is the event "machines": rows that changed. With All set the
// client starts afresh: rows it knows and that are not in it are gone.
type MachinesEvent struct {
	All  bool    `json:"all"`
	Rows []Row   `json:"rows"`
	Gone []int64 `json:"gone,omitempty"` // machines that were retired, or moved to a site that the client does not see
}

func machinesEvent(changed []*fleet.Status, to uint64, all bool, gone ...int64) []byte {
	if len(changed)+len(gone) == 0 && !all {
		return nil
	}
	ev := MachinesEvent{All: all, Rows: make([]Row, 0, len(changed)), Gone: gone}
	for _, st := range changed {
		// Who went and came back since the last look at who stands where is here.
		if i := slices.Index(ev.Gone, st.Machine.ID); i >= 0 {
			ev.Gone = slices.Delete(ev.Gone, i, i+1)
		}
		switch {
		case st.Machine.Retired.IsZero():
			ev.Rows = append(ev.Rows, rowOf(st))
		case !all:
			ev.Gone = append(ev.Gone, st.Machine.ID)
		}
	}
	return event("machines", to+1, ev) // 0 is no id, and a fleet without machines is at 0
}

// livePath is where the stream is.
const livePath = "/api/v1/live"

func (s *Server) registerLive(mux *http.ServeMux) {
	live := huma.Operation{
		OperationID: "live", Method: http.MethodGet, Path: livePath, Summary: "Live stream of the site", Tags: []string{"site"},
		Description: "Server-sent events. `site` carries a Site each second, `machines` a MachinesEvent with the rows that changed, `alarms` an AlarmsEvent with all open alarms when they changed. " +
			"The event id is a revision: a client that reconnects with Last-Event-ID (or ?since=) gets what it missed; after a restart of the server it gets everything, marked all.",
		Parameters: []*huma.Param{{Name: "since", In: "query", Schema: &huma.Schema{Type: "string"}, Description: "Revision to go on from, when Last-Event-ID cannot be sent."}, {Name: "site", In: "query", Schema: &huma.Schema{Type: "string"}, Description: "Only this site."},
			{Name: "every", In: "query", Schema: &huma.Schema{Type: "integer"}, Description: "Seconds between beats, 1 to 60; for pages that nobody looks at."}},
		Responses: map[string]*huma.Response{"200": {Description: "The stream", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string"}}}}},
	}
	s.govern(&live)
	s.api.OpenAPI().AddOperation(&live)
	mux.HandleFunc("GET "+livePath, s.live)
}

func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	ctx, err := s.allow(r.Context(), policy["live"])
	if err != nil {
		status := http.StatusForbidden
		if se, ok := errors.AsType[huma.StatusError](err); ok {
			status = se.GetStatus()
		}
		problem(w, status, err.Error())
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	small := pressing(w, r)
	boundBuffer(r)
	send := func(b []byte) bool {
		if len(b) == 0 {
			return true
		}
		if small {
			b = s.hub.press.of(b)
		}
		_ = out.SetWriteDeadline(time.Now().Add(s.stalled))
		_, err := w.Write(b)
		return err == nil
	}
	if small {
		_, _ = w.Write(gzipHead)
	}
	since := r.Header.Get("Last-Event-ID")
	if since == "" {
		since = r.URL.Query().Get("since")
	}
	of, rev, _ := strings.Cut(since, ".")
	seen, err := strconv.ParseUint(rev, 10, 64)
	fresh := err != nil || of != epoch || seen == 0
	if !fresh {
		seen-- // see machinesEvent
	}
	only := r.URL.Query().Get("site")
	sites := scope(ctx).Narrow(only)
	checked := time.Now()
	every := 1
	if n, err := strconv.Atoi(r.URL.Query().Get("every")); err == nil {
		every = min(max(n, 1), 60)
	}
	view := s.hub.join(sites)
	defer s.hub.leave(view)
	s.hub.begin(view)
	if !send(event("hello", 0, map[string]string{"version": s.Version})) || !send([]byte("retry: 2000\n\n")) {
		return
	}
	told := uint64(0) // revision of the alarms that the client has
	for {
		if time.Since(checked) > s.recheck {
			if !s.still(r, only, sites) {
				// An empty id makes the browser forget its revision: whoever comes back
				// with other rights starts afresh.
				if send([]byte("id:\nevent: end\ndata: {}\n\n")) {
					_ = out.Flush()
				}
				return
			}
			checked = time.Now()
		}
		b, next := s.hub.now(view)
		if b.made || fresh {
			switch {
			case fresh:
				all, to := s.hub.catchUp(view, 0, true)
				if !send(all) {
					return
				}
				fresh, seen = false, to
			case seen == b.from:
				if !send(b.machines) {
					return
				}
				seen = b.to
			case seen < b.to:
				missed, to := s.hub.catchUp(view, seen, false)
				if !send(missed) {
					return
				}
				seen = to
			}
			if !send(b.site) {
				return
			}
			if b.alarmRev != told {
				if !send(b.alarms) {
					return
				}
				told = b.alarmRev
			}
		} else if !send([]byte(": waiting\n\n")) {
			return
		}
		if out.Flush() != nil {
			return
		}
		for n := every; n > 0; n-- {
			select {
			case <-r.Context().Done():
				return
			case <-next:
				_, next = s.hub.now(view)
			}
		}
	}
}
