package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ask is the body of a request for faults.
type ask struct {
	Kind      FaultKind `json:"kind"`
	Rig       name      `json:"rig"`       // number, address, MAC, serial or hostname
	Rigs      []name    `json:"rigs"`      // several
	Container string    `json:"container"` // all of a container, or the container itself
	All       bool      `json:"all"`       // the whole site
	Index     int       `json:"index"`
	Amount    float64   `json:"amount"`
	Text      string    `json:"text"`
	For       string    `json:"for"` // simulated; empty is until cleared
}

// name is a rig's, written as text or as a number.
type name string

// UnmarshalJSON reads 17 or "17".
func (n *name) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err == nil {
		*n = name(s)
		return nil
	}
	var i int
	if err := json.Unmarshal(b, &i); err != nil {
		return errors.New("a rig is a number or a text")
	}
	*n = name(strconv.Itoa(i))
	return nil
}

// Handler is the control API: what is really going on, and what should.
func (s *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	get := func(path string, f func(*http.Request) (any, error)) { mux.Handle("GET "+path, answer(f)) }
	post := func(path string, f func(*http.Request) (any, error)) { mux.Handle("POST "+path, answer(f)) }
	get("/{$}", func(*http.Request) (any, error) { return controlIndex, nil })
	get("/kinds", func(*http.Request) (any, error) { return FaultKinds(), nil })
	get("/state", func(r *http.Request) (any, error) {
		return struct {
			Truth
			Listening Listening `json:"listening"`
		}{s.Truth(r.FormValue("rigs") == "true"), s.Listening()}, nil
	})
	get("/rigs", s.listRigs)
	get("/rigs/{rig}", s.showRig)
	get("/faults", func(*http.Request) (any, error) { return emptyNotNull(s.Faults()), nil })
	post("/faults", s.postFault)
	mux.Handle("DELETE /faults", answer(s.clearFaults))
	mux.Handle("DELETE /faults/{id}", answer(s.clearFaults))
	get("/events", s.listEvents)
	get("/orders", func(*http.Request) (any, error) { return emptyNotNull(s.Orders()), nil })
	post("/rigs/{rig}/repair", func(r *http.Request) (any, error) {
		i, err := s.Find(r.PathValue("rig"))
		if err != nil {
			return nil, err
		}
		return s.Repair(i)
	})
	post("/outlets/{pdu}/{outlet}/{what}", s.switchOutlet)
	post("/clock", s.postClock)
	get("/market/{series}", s.serveMarket)
	return http.NewCrossOriginProtection().Handler(mux)
}

var controlIndex = map[string]string{
	"GET /kinds":                       "every fault that can be injected, what its fields mean, and its defaults",
	"GET /state":                       "the site: time, weather, power, machines by phase, containers, how it listens; ?rigs=true adds every machine",
	"GET /rigs":                        "machines as they really are; ?container= ?firmware= ?phase= ?limit= pick some",
	"GET /rigs/{rig}":                  "one machine: the truth, and what its firmware sees; by number, address, MAC, serial or hostname",
	"GET /faults":                      "injected faults in force",
	"POST /faults":                     `inject: {"kind":"fan-dead","rig":17,"index":0,"amount":0.5,"text":"","for":"10m"}; "rigs":[..], "container":"C01" or "all":true instead of "rig"`,
	"DELETE /faults/{id}":              "clear one",
	"DELETE /faults":                   "clear many: ?kind= ?rig= ?container=; all without any",
	"GET /events":                      "what really happened: ?since= (number, from \"next\") ?rig= ?kind= ?limit=",
	"GET /orders":                      "work orders",
	"POST /rigs/{rig}/repair":          "repair a machine now",
	"POST /outlets/{pdu}/{outlet}/off": "switch an outlet of a PDU (from 0), or on",
	"POST /clock":                      `{"speed":60} or {"advance":"1h"}`,
	"GET /market/{series}":             "the electricity market that the site buys from: dam, rtm, load, load_forecast, wind_forecast or meter; ?from= ?to= (RFC 3339)",
}

// problem is an error with its HTTP status.
func statusOf(err error) int {
	switch {
	case errors.Is(err, ErrNoRig), errors.Is(err, ErrNoPlace):
		return http.StatusNotFound
	default:
		return http.StatusBadRequest
	}
}

// answer turns a function into a handler that speaks JSON.
func answer(f func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		v, err := f(r)
		w.Header().Set("Content-Type", "application/json")
		status := http.StatusOK
		if err != nil {
			status = statusOf(err)
			v = struct {
				Error string `json:"error"`
				Done  any    `json:"done,omitempty"`
			}{err.Error(), v}
		}
		w.WriteHeader(status)
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		if err := enc.Encode(v); err != nil {
			slog.Debug("control API: writing a reply", "error", err)
		}
	})
}

func emptyNotNull[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func decode(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	return nil
}

func (s *Site) listRigs(r *http.Request) (any, error) {
	limit := len(s.nodes)
	if text := r.FormValue("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("limit %q: %w", text, ErrOutOfRange)
		}
		limit = n
	}
	container, firmware, phase := r.FormValue("container"), r.FormValue("firmware"), r.FormValue("phase")
	out := []RigTruth{}
	for i := range s.nodes {
		if len(out) >= limit {
			break
		}
		t, err := s.RigTruth(i)
		if err != nil {
			return nil, err
		}
		if (container == "" || t.Container == container) && (firmware == "" || string(t.Firmware) == firmware) && (phase == "" || string(t.Phase) == phase) {
			out = append(out, t)
		}
	}
	return out, nil
}

func (s *Site) showRig(r *http.Request) (any, error) {
	i, err := s.Find(r.PathValue("rig"))
	if err != nil {
		return nil, err
	}
	truth, err := s.RigTruth(i)
	if err != nil {
		return nil, err
	}
	snap := s.nodes[i].rig.Snapshot()
	for p := range snap.Pools {
		snap.Pools[p].Password = ""
	}
	return struct {
		RigTruth
		Seen Snapshot `json:"seen"`
	}{truth, snap}, nil
}

func (s *Site) postFault(r *http.Request) (any, error) {
	var a ask
	if err := decode(r, &a); err != nil {
		return nil, err
	}
	f := Fault{Kind: a.Kind, Rig: -1, Container: a.Container, Index: a.Index, Amount: a.Amount, Text: a.Text}
	if a.For != "" {
		d, err := time.ParseDuration(a.For)
		if err != nil || d <= 0 {
			return nil, fmt.Errorf("for %q: not a duration such as \"10m\"", a.For)
		}
		f.Until = s.Now().Add(d)
	}
	info, err := infoOf(a.Kind)
	if err != nil {
		return nil, fmt.Errorf("%w; GET /kinds lists them", err)
	}
	names := a.Rigs
	if a.Rig != "" {
		names = append(names, a.Rig)
	}
	switch {
	case len(names) > 0:
		if info.Scope == ScopeContainer || info.Scope == ScopeSite {
			return nil, fmt.Errorf("%s falls on a %s, not on a rig", a.Kind, info.Scope)
		}
	case info.Scope == ScopeSite:
		return s.Inject(f)
	case a.Container == "" && !a.All:
		return nil, errors.New(`which? give "rig", "rigs", "container" or "all"`)
	default:
		return s.Inject(f)
	}
	var out []Fault
	for _, n := range names {
		i, err := s.Find(string(n))
		if err != nil {
			return out, err
		}
		f.Rig, f.Container = i, ""
		done, err := s.Inject(f)
		out = append(out, done...)
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

func (s *Site) clearFaults(r *http.Request) (any, error) {
	rig := -1
	if text := r.FormValue("rig"); text != "" {
		i, err := s.Find(text)
		if err != nil {
			return nil, err
		}
		rig = i
	}
	var id int64
	if text := r.PathValue("id"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n <= 0 {
			return nil, fmt.Errorf("id %q: %w", text, ErrFault)
		}
		id = n
	}
	container := r.FormValue("container")
	if container != "" {
		s.mu.Lock()
		known := s.zoneOf(container) != nil
		s.mu.Unlock()
		if !known {
			return nil, fmt.Errorf("%q: %w", container, ErrNoPlace)
		}
	}
	n := s.Clear(id, FaultKind(r.FormValue("kind")), rig, container)
	if id != 0 && n == 0 {
		return nil, fmt.Errorf("id %d: %w in force", id, ErrFault)
	}
	return map[string]int{"cleared": n}, nil
}

func (s *Site) listEvents(r *http.Request) (any, error) {
	since, limit, rig := 0, 1000, -1
	for text, into := range map[string]*int{"since": &since, "limit": &limit} {
		if v := r.FormValue(text); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil || n < 0 {
				return nil, fmt.Errorf("%s %q: %w", text, v, ErrOutOfRange)
			}
			*into = n
		}
	}
	if v := r.FormValue("rig"); v != "" {
		i, err := s.Find(v)
		if err != nil {
			return nil, err
		}
		rig = i
	}
	kind := EventKind(r.FormValue("kind"))
	all, next := s.Events(since)
	first := next - len(all)
	out := []Event{}
	for i, e := range all {
		if len(out) >= limit {
			next = first + i
			break
		}
		if (rig < 0 || e.Rig == rig) && (kind == "" || e.Kind == kind) {
			out = append(out, e)
		}
	}
	return map[string]any{"events": out, "next": next}, nil
}

func (s *Site) switchOutlet(r *http.Request) (any, error) {
	p, err1 := strconv.Atoi(r.PathValue("pdu"))
	o, err2 := strconv.Atoi(r.PathValue("outlet"))
	what := r.PathValue("what")
	if err1 != nil || err2 != nil || what != "on" && what != "off" {
		return nil, errors.New("want /outlets/{pdu}/{outlet}/on or off, counted from 0")
	}
	if err := s.SwitchOutlet(p, o, what == "on"); err != nil {
		return nil, err
	}
	return s.PDU(p)
}

func (s *Site) postClock(r *http.Request) (any, error) {
	var a struct {
		Speed   float64 `json:"speed"`
		Advance string  `json:"advance"`
	}
	if err := decode(r, &a); err != nil {
		return nil, err
	}
	if a.Speed != 0 {
		if err := s.SetSpeed(a.Speed); err != nil {
			return nil, err
		}
	}
	if a.Advance != "" {
		d, err := time.ParseDuration(a.Advance)
		if err != nil || d < 0 || d > 31*24*time.Hour {
			return nil, fmt.Errorf("advance %q: not a duration such as \"1h\", at most 744h", a.Advance)
		}
		s.Advance(d)
	}
	speed, running := s.clock.pace()
	return map[string]any{"at": s.Now(), "speed": speed, "running": running}, nil
}

// listenControl opens the control API's port. It has no sign-in, so it stays on
// this machine.
func (s *Site) listenControl() error {
	if s.cfg.Control == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(s.cfg.Control)
	if err != nil {
		return fmt.Errorf("control address: %w", err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); !strings.EqualFold(host, "localhost") && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("control address %s: the control API has no password and stays on a loopback address", s.cfg.Control)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return fmt.Errorf("control address: %w", err)
	}
	s.wire.control, s.wire.report.Control = l, l.Addr().String()
	return nil
}

func (s *Site) serveControl(ctx context.Context, l net.Listener) {
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	// A connection taken in the moment of closing is missed by Close.
	srv.ConnState = func(conn net.Conn, _ http.ConnState) {
		if ctx.Err() != nil {
			_ = conn.Close()
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) && ctx.Err() == nil {
		s.log.Warn("control API", "error", err)
	}
}
