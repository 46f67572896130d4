// Package server is Ballast's HTTP face: the API under /api/v1 (OpenAPI 3.1 at
// /openapi.yaml), the live stream, sign-in, /metrics, and the dashboard's web
// build.
//
// Every request passes the same gates in the same order: security headers, where
// it comes from and body limit, cross-origin protection, how often this address
// asks, who it is ([Principal]), how often they ask, may they (the operation's
// right, see policy.go), and only then the handler. A new operation
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
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/go-webauthn/webauthn/webauthn"

	"ballast/alarm/watch"
	"ballast/config"
	"ballast/fleet"
	"ballast/ledger"
	"ballast/ledger/secretbox"
	"ballast/market/ticker"
	"ballast/plant"
	"ballast/price"
	"ballast/report"
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
	Simulated bool                                    // the machines are simulated, and every page must say so
	URL       string                                  // how people reach the server
	Scans     *fleet.Scans                            // looks for machines; nil: not available
	Keys      *fleet.Keys                             // machine passwords in use; nil: none can be entered
	Box       *secretbox.Box                          // seals what the record keeps of them
	Prices    func(site string, now time.Time) Prices // what power costs and hashrate earns; nil: neither is known
	Plant     func(now time.Time) []plant.Reading     // newest of each meter and controller; nil: none
	Mailer    report.Mailer                           // sends reports; nil: nothing is sent
	Meters    *report.MeterBook                       // what the meters told; nil: none
	Alarms    *watch.Watch                            // nil: nobody watches
	Log       *slog.Logger

	// What electricity costs and will cost; nil: not known. With no Prices, decisions
	// reckon with its marginal price.
	PriceDesk *price.Desk
	// The market of now; nil: nobody watches it. With no Prices, decisions reckon
	// with its hashprice.
	Market *ticker.Ticker
	// Whose outlook is reckoned; nil: the company is given with each scenario.
	Companies CompanySource

	OIDC           *OIDC          // sign-in with an OpenID Connect provider; nil: none
	Limits         Limits         // how often the API may be asked
	TrustedProxies []netip.Prefix // the addresses whose X-Forwarded-For is believed

	// What the pages of Ballast itself show.
	Troubles     *Troubles      // nil: none are kept
	Settings     []config.Entry // the configuration in force, secrets hidden
	Files        Files
	RecordEngine string
}

// Files are where things lie on disk; an empty path is not there.
type Files struct {
	Data, History, Record string
}

// Server is the HTTP face.
type Server struct {
	Options
	api         huma.API
	hub         *hub
	maps        mapViews
	throttle    *throttle
	reports     *reporter
	health      *health
	handler     http.Handler
	layouts     layouts
	stalled     time.Duration // how long a listener may take no bytes
	byAddress   *limiter
	byPrincipal *limiter
	sealer      *sealer
	passkeys    *webauthn.WebAuthn // nil: not possible under this URL
	provider    *provider          // nil: none
	check       *auditCheck
	runner      *runner
	background  sync.WaitGroup // work that outlives the request that asked for it
	recheck     time.Duration  // how often listeners are asked who they are
}

// maxBody bounds what a request may carry.
const maxBody = 1 << 20

// New builds the server; call Run to serve.
func New(o Options) *Server {
	s := &Server{Options: o, throttle: newThrottle(), stalled: stalled, maps: mapViews{views: map[string]*mapView{}}, sealer: newSealer(), check: &auditCheck{}, runner: newRunner(), recheck: recheckEvery,
		byAddress: newLimiter(o.Limits.Address, 10_000), byPrincipal: newLimiter(o.Limits.Principal, 10_000)}
	s.passkeys = newPasskeys(o.URL)
	if o.OIDC != nil {
		s.provider = newProvider(*o.OIDC, o.URL)
	}
	s.hub = newHub(s)
	s.reports = newReporter(s)
	s.health = newHealth()
	if s.PriceDesk != nil && s.PriceDesk.Load == nil {
		s.PriceDesk.Load = s.SiteLoad
	}
	if s.Prices == nil {
		s.Prices = s.pricesNow
	}

	mux := http.NewServeMux()
	about := huma.DefaultConfig("Ballast", o.Version)
	about.Info.Description = "One mining site, live: machines, history, commands. Quantities carry their unit in the field's name (power_w, hashrate_ths)."
	about.OpenAPIPath = "/openapi"
	about.DocsPath = ""
	about.CreateHooks = nil // no $schema field in every reply
	about.Transformers = append(about.Transformers, fewErrors)
	about.Components.Schemas = schemas()
	about.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "apiKey", In: "cookie", Name: "ballast", Description: "Over TLS its name is __Host-ballast."},
		"key":     {Type: "http", Scheme: "bearer", Description: "API key"},
	}
	s.api = humago.New(mux, about)
	s.registerSession()
	s.registerAccount()
	s.registerPasskeys()
	s.registerOIDC()
	s.registerPeople()
	s.registerKeys()
	s.registerAudit()
	s.registerSites()
	s.registerPlaces()
	s.registerScans()
	s.registerPasswords()
	s.registerPools()
	s.registerSite()
	s.registerMachines()
	s.registerGroups()
	s.registerMap()
	s.registerHistory()
	s.registerCommands()
	s.registerReports()
	s.registerReportMail()
	s.registerSystem()
	s.registerAlarms()
	s.registerActivity()
	s.registerPower()
	s.registerPrices()
	s.registerMarket()
	s.registerDebt()
	s.registerOutlook()
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
	if o.URL != "" {
		_ = cross.AddTrustedOrigin(strings.TrimRight(o.URL, "/")) // a proxy may have changed Host; a URL that is no origin is none
	}
	s.handler = s.headers(steady(s.locate(limitBody(cross.Handler(s.limitAddress(s.identify(s.limitPrincipal(compress(tag(mux))))))))))
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

// Run serves on doors until ctx ends, then lets requests under way finish for a
// few seconds. A door's TLS is its listener's.
func (s *Server) Run(ctx context.Context, doors ...net.Listener) error {
	srv := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx }, ConnContext: withConn,
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go s.hub.run(ctx)
	go s.sampleGrowth(ctx)
	keeping := make(chan struct{})
	go func() {
		defer close(keeping)
		s.keepDebtDays(ctx)
	}()
	reporting := make(chan struct{})
	go func() {
		defer close(reporting)
		s.reports.run(ctx)
	}()
	defer s.check.stop()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = srv.Shutdown(limit)
	}()
	failed := make(chan error, len(doors))
	for _, l := range doors {
		go func() { failed <- srv.Serve(l) }()
	}
	for range doors {
		if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving: %w", err)
		}
	}
	<-stopped
	s.runner.stop()
	s.background.Wait()
	<-reporting // it writes to the record, which closes next
	<-keeping
	return nil
}
