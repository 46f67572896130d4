// Package vnish is VNish's dialect: the xminer API on HTTP port 80 below
// /api/v1, and the cgminer API on 4028.
//
// Version 1.2 has chains where 1.3 has boards, no throttle, and a find-miner
// that toggles; versions before 1.2 want the token without "Bearer" except on
// system/*. POST settings answers the same whether it takes a setting or not,
// and a preset works only after mining has been restarted.
package vnish

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"ballast/miner"
	"ballast/sim"
)

const (
	webPort = 80
	rpcPort = 4028
	// factoryPassword is what VNish ships with.
	factoryPassword = "admin"
	tokenLife       = time.Hour
)

// Dialect is VNish.
type Dialect struct{}

var _ sim.Dialect = Dialect{}

// New makes the dialect.
func New() sim.Dialect { return Dialect{} }

// Firmware is miner.VNish.
func (Dialect) Firmware() miner.Firmware { return miner.VNish }

// Ports are the web API's and the cgminer API's.
func (Dialect) Ports(sim.Spec) []uint16 { return []uint16{webPort, rpcPort} }

// Serve answers requests until the peer leaves, on 4028 one.
func (Dialect) Serve(ctx context.Context, port uint16, conn net.Conn, rig *sim.Rig) {
	if port == rpcPort {
		serveRPC(ctx, conn, rig)
		return
	}
	sim.ServeHTTP(ctx, conn, handler{rig})
}

type handler struct{ rig *sim.Rig }

type obj = map[string]any

// memory is what the firmware keeps between requests.
type memory struct {
	mu      sync.Mutex
	tokens  map[string]time.Time // until when
	count   int
	tries   int    // wrong passwords in a row
	preset  string // configured, "" is none
	pending bool   // not yet in force
	percent int    // throttle
}

func (h handler) memory() *memory {
	return h.rig.Memo("vnish", func() any { return &memory{tokens: map[string]time.Time{}, percent: 100} }).(*memory)
}

func (h handler) version() string {
	if v := h.rig.Spec().Version; v != "" {
		return v
	}
	return "1.3.4"
}

func (h handler) is13() bool { return strings.HasPrefix(h.version(), "1.3") }
func (h handler) isBare() bool {
	return strings.HasPrefix(h.version(), "1.1") || strings.HasPrefix(h.version(), "1.0")
}
func (h handler) boards() string {
	if h.is13() {
		return "boards"
	}
	return "chains"
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, "/api/v1/")
	if !ok {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><html><head><title>AnthillOS</title></head><body><div id=\"root\"></div></body></html>")
		return
	}
	if r.Method == http.MethodPost && path == "unlock" {
		h.unlock(w, r)
		return
	}
	get, post := h.gets(), h.posts()
	switch {
	case r.Method == http.MethodGet && get[path].answer != nil:
		if get[path].private && !h.signed(path, r) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		reply(w, http.StatusOK, get[path].answer())
	case r.Method == http.MethodPost && post[path] != nil:
		if !h.signed(path, r) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			reply(w, http.StatusBadRequest, obj{"err": "reading the request"})
			return
		}
		status, out := post[path](body)
		if out == nil {
			w.WriteHeader(status)
			return
		}
		reply(w, status, out)
	default:
		reply(w, http.StatusNotFound, obj{"err": "Not Found"})
	}
}

func reply(w http.ResponseWriter, status int, out any) {
	b, err := json.Marshal(out)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"err":"encoding"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// unlock gives a token for the password; after five wrong ones it wants a pause.
func (h handler) unlock(w http.ResponseWriter, r *http.Request) {
	var in struct{ PW string }
	body, _ := io.ReadAll(r.Body)
	m := h.memory()
	m.mu.Lock()
	defer m.mu.Unlock()
	password := h.rig.Spec().Password
	if password == "" {
		password = factoryPassword
	}
	if json.Unmarshal(body, &in) != nil || in.PW != password {
		m.tries++
		if m.tries > 50 {
			reply(w, http.StatusTooManyRequests, obj{"unlock_timeout": 60})
			return
		}
		reply(w, http.StatusForbidden, obj{"unlock_timeout": nil})
		return
	}
	m.tries, m.count = 0, m.count+1
	token := hex.EncodeToString(fmt.Appendf(nil, "%s-%d", h.rig.Spec().Serial, m.count))
	for t, until := range m.tokens {
		if h.rig.Now().After(until) {
			delete(m.tokens, t)
		}
	}
	m.tokens[token] = h.rig.Now().Add(tokenLife)
	reply(w, http.StatusOK, obj{"token": token})
}

func (h handler) signed(path string, r *http.Request) bool {
	header := r.Header.Get("Authorization")
	token, bearer := strings.CutPrefix(header, "Bearer ")
	if strings.HasPrefix(path, "system/") && !bearer || h.isBare() && bearer && !strings.HasPrefix(path, "system/") {
		return false
	}
	m := h.memory()
	m.mu.Lock()
	defer m.mu.Unlock()
	until, ok := m.tokens[token]
	return ok && h.rig.Now().Before(until)
}
