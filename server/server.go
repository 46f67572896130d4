// Package server is Ballast's HTTP face: the API under /api/v1 (OpenAPI 3.1 at
// /openapi.yaml), the live stream, sign-in, /metrics, and the dashboard's web
// build.
//
// Every request passes the same gates in the same order: security headers and
// body limit, cross-origin protection, who is it ([Principal]), may they (the
// operation's right, see policy.go), and only then the handler. A new operation
// without a line in the policy does not register.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/ledger/secretbox"
	"ballast/plant"
	"ballast/telemetry"
)

// Options are what the server stands on.
type Options struct {
	Fleet     *fleet.Fleet
	Record    ledger.Store
	History   telemetry.Store
	Batcher   *telemetry.Batcher // for its figures; may be nil
	Metrics   http.Handler       // nil: no /metrics
	Web       fs.FS              // the dashboard's build; nil: API only
	Site      string
	Zone      string
	Version   string
	Simulated bool                                // the machines are simulated, and every page must say so
	URL       string                              // how people reach the server
	Scans     *fleet.Scans                        // looks for machines; nil: not available
	Keys      *fleet.Keys                         // machine passwords in use; nil: none can be entered
	Box       *secretbox.Box                      // seals what the record keeps of them
	Plant     func(now time.Time) []plant.Reading // newest of each meter and controller; nil: none
	Log       *slog.Logger
}

// Server is the HTTP face.
type Server struct {
	Options
	api      huma.API
	sessions *scs.SessionManager
	hub      *hub
	throttle *throttle
	handler  http.Handler
}

// maxBody bounds what a request may carry.
const maxBody = 1 << 20

// New builds the server; call Run to serve.
func New(o Options) *Server {
	s := &Server{Options: o, throttle: newThrottle()}
	s.sessions = scs.New()
	s.sessions.Store = o.Record.Sessions()
	s.sessions.HashTokenInStore = true
	s.sessions.Lifetime = 14 * 24 * time.Hour
	s.sessions.IdleTimeout = 3 * 24 * time.Hour
	s.sessions.Cookie.Name = "ballast"
	s.hub = newHub(s)

	mux := http.NewServeMux()
	config := huma.DefaultConfig("Ballast", o.Version)
	config.Info.Description = "One mining site, live: machines, history, commands. Quantities carry their unit in the field's name (power_w, hashrate_ths)."
	config.OpenAPIPath = "/openapi"
	config.DocsPath = ""
	config.CreateHooks = nil // no $schema field in every reply
	config.Components.Schemas = schemas()
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "apiKey", In: "cookie", Name: s.sessions.Cookie.Name},
		"key":     {Type: "http", Scheme: "bearer", Description: "API key"},
	}
	s.api = humago.New(mux, config)
	s.registerSession()
	s.registerSites()
	s.registerPlaces()
	s.registerScans()
	s.registerPasswords()
	s.registerPools()
	s.registerSite()
	s.registerMachines()
	s.registerHistory()
	s.registerCommands()
	s.registerLive(mux)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if err := o.Record.Ping(r.Context()); err != nil {
			http.Error(w, "the record does not answer", http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok")
	})
	if o.Metrics != nil {
		mux.Handle("GET /metrics", s.guardMetrics(o.Metrics))
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusNotFound, "no such endpoint: "+r.Method+" "+r.URL.Path)
	})
	if o.Web != nil {
		mux.Handle("/", static(o.Web))
	}
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusForbidden, "this request comes from another site's page")
	}))
	s.handler = headers(limitBody(cross.Handler(s.identify(compress(mux)))))
	return s
}

// Handler is the whole face, for tests.
func (s *Server) Handler() http.Handler { return s.handler }

// OpenAPI is the API's description, as YAML or as JSON.
func (s *Server) OpenAPI(asJSON bool) ([]byte, error) {
	if asJSON {
		return json.MarshalIndent(s.api.OpenAPI(), "", "  ")
	}
	return s.api.OpenAPI().YAML()
}

// Run serves on l until ctx ends, then lets requests under way finish for a few
// seconds.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go s.hub.run(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = srv.Shutdown(limit)
	}()
	err := srv.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		<-stopped
		return nil
	}
	return fmt.Errorf("serving: %w", err)
}
