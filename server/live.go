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
}

// view is what clients of one scope see.
type view struct {
	scope     Scope
	listeners int
	beat      beat
}

type beat struct {
	from, to uint64
	machines []byte // event for clients at from
	site     []byte
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

func (h *hub) leave(v *view) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if v.listeners--; v.listeners == 0 {
		delete(h.views, v.scope.Key())
	}
}

// beatEvery is the rhythm of the stream.
const beatEvery = time.Second

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
		h.mu.Lock()
		close(h.next)
		h.next = make(chan struct{})
		h.mu.Unlock()
	}
}

// refresh makes a view's next beat.
func (h *hub) refresh(v *view, all []*fleet.Status) {
	h.mu.Lock()
	from := v.beat.to
	h.mu.Unlock()
	changed, to := h.s.Fleet.Changed(from)
	b := beat{from: from, to: to, site: event("site", 0, h.s.site(v.scope, within(v.scope, all)))}
	if from > 0 { // the first beat of a view has nobody in step yet
		b.machines = machinesEvent(within(v.scope, changed), to, false)
	}
	h.mu.Lock()
	v.beat = b
	h.mu.Unlock()
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
	Gone []int64 `json:"gone,omitempty"` // machines that were retired
}

func machinesEvent(changed []*fleet.Status, to uint64, all bool) []byte {
	if len(changed) == 0 && !all {
		return nil
	}
	ev := MachinesEvent{All: all, Rows: make([]Row, 0, len(changed))}
	for _, st := range changed {
		switch {
		case st.Machine.Retired.IsZero():
			ev.Rows = append(ev.Rows, rowOf(st))
		case !all:
			ev.Gone = append(ev.Gone, st.Machine.ID)
		}
	}
	return event("machines", to, ev)
}

func (s *Server) registerLive(mux *http.ServeMux) {
	live := huma.Operation{
		OperationID: "live", Method: http.MethodGet, Path: "/api/v1/live", Summary: "Live stream of the site", Tags: []string{"site"},
		Description: "Server-sent events. `site` carries a Site each second, `machines` a MachinesEvent with the rows that changed. " +
			"The event id is a revision: a client that reconnects with Last-Event-ID (or ?since=) gets what it missed; after a restart of the server it gets everything, marked all.",
		Parameters: []*huma.Param{{Name: "since", In: "query", Schema: &huma.Schema{Type: "string"}, Description: "Revision to go on from, when Last-Event-ID cannot be sent."}, {Name: "site", In: "query", Schema: &huma.Schema{Type: "string"}, Description: "Only this site."}},
		Responses:  map[string]*huma.Response{"200": {Description: "The stream", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string"}}}}},
	}
	s.govern(&live)
	s.api.OpenAPI().AddOperation(&live)
	mux.HandleFunc("GET /api/v1/live", s.live)
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
	send := func(b []byte) bool {
		if len(b) == 0 {
			return true
		}
		_ = out.SetWriteDeadline(time.Now().Add(10 * time.Second))
		_, err := w.Write(b)
		return err == nil
	}
	since := r.Header.Get("Last-Event-ID")
	if since == "" {
		since = r.URL.Query().Get("since")
	}
	of, rev, _ := strings.Cut(since, ".")
	seen, err := strconv.ParseUint(rev, 10, 64)
	fresh := err != nil || of != epoch
	sites := scope(ctx).Narrow(r.URL.Query().Get("site"))
	view := s.hub.join(sites)
	defer s.hub.leave(view)
	if !send(event("hello", 0, map[string]string{"version": s.Version})) || !send([]byte("retry: 2000\n\n")) {
		return
	}
	for {
		b, next := s.hub.now(view)
		if b.site != nil || fresh { // a fleet without machines stays at revision 0
			switch {
			case fresh:
				// Everything, with a revision taken before the rows: what changes
				// meanwhile comes again, which does no harm.
				to := s.Fleet.Rev()
				if !send(machinesEvent(within(sites, s.Fleet.All()), max(to, 1), true)) {
					return
				}
				fresh, seen = false, to
			case seen == b.from:
				if !send(b.machines) {
					return
				}
				seen = b.to
			case seen < b.to:
				changed, to := s.Fleet.Changed(seen)
				if !send(machinesEvent(within(sites, changed), to, false)) {
					return
				}
				seen = to
			}
			if !send(b.site) {
				return
			}
		} else if !send([]byte(": waiting\n\n")) {
			return
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-next:
		}
	}
}
