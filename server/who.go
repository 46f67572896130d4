package server

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"ballast/ledger"
)

// Principal is who makes a request.
type Principal struct {
	User    ledger.User
	Key     *ledger.APIKey  // when a program asks
	Session *ledger.Session // when a person does
}

// Name is how the audit log calls them.
func (p Principal) Name() string {
	if p.Key != nil {
		return p.User.Name + " (key " + p.Key.Name + ")"
	}
	return p.User.Name
}

type principalKey struct{}

func principal(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// errKey reports an API key that opens nothing.
var errKey = errors.New("the API key is unknown, expired or revoked")

// identify finds out who asks. Who brings nothing goes on as nobody; who brings a
// wrong key is told so.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, known, err := s.who(r)
		switch {
		case errors.Is(err, ledger.ErrNotFound):
			problem(w, http.StatusUnauthorized, errKey.Error())
			return
		case err != nil:
			if r.Context().Err() == nil {
				s.Log.Error("finding out who asks", "error", err)
			}
			problem(w, http.StatusServiceUnavailable, "who asks cannot be found out now, for the record does not answer; Ballast's log says more")
			return
		}
		if known {
			r = r.WithContext(context.WithValue(r.Context(), principalKey{}, p))
		}
		next.ServeHTTP(w, r)
	})
}

// who says who makes a request, by session cookie or API key; false is nobody.
// The record is asked each time: an end of a session, a new grant or a disabled
// account count from the next request on. The error is ledger.ErrNotFound for a
// wrong key; any other means that the record could not be asked.
func (s *Server) who(r *http.Request) (Principal, bool, error) {
	ctx := r.Context()
	if key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		p, err := s.byKey(ctx, key)
		return p, err == nil, err
	}
	c, err := r.Cookie(s.cookieName())
	if errors.Is(err, http.ErrNoCookie) || c.Value == "" {
		return Principal{}, false, nil
	}
	x, err := s.Record.SessionBySum(ctx, ledger.HashSecret(c.Value))
	if err != nil {
		return Principal{}, false, unlessNotFound(err)
	}
	u, err := s.Record.User(ctx, x.User)
	if err != nil || !u.Disabled.IsZero() {
		return Principal{}, false, unlessNotFound(err)
	}
	if now := time.Now(); now.Sub(x.LastSeen) > time.Minute {
		_ = s.Record.TouchSession(ctx, x.ID, callerOf(ctx).String(), sessionEnd(x.CreatedAt, now)) // no request fails for it
	}
	return Principal{User: u, Session: &x}, true, nil
}

// unlessNotFound is err unless it only says that there is no such row.
func unlessNotFound(err error) error {
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	return err
}

// still tells whether the one who asked for a stream may go on reading it: the
// same person or key, with the same sites.
func (s *Server) still(r *http.Request, site string, sites Scope) bool {
	was, _ := principal(r.Context())
	p, known, err := s.who(r)
	if err != nil || !known || p.User.ID != was.User.ID || (p.Key == nil) != (was.Key == nil) {
		return false
	}
	return p.Scope(policy["live"]).Narrow(site).Key() == sites.Key()
}

func (s *Server) byKey(ctx context.Context, key string) (Principal, error) {
	prefix, ok := ledger.KeyPrefix(key)
	if !ok {
		return Principal{}, ledger.ErrNotFound
	}
	k, err := s.Record.APIKeyByPrefix(ctx, prefix)
	if err != nil {
		return Principal{}, err
	}
	if !k.Valid(key, time.Now()) {
		return Principal{}, ledger.ErrNotFound
	}
	u, err := s.Record.User(ctx, k.User)
	if err != nil {
		return Principal{}, err
	}
	if !u.Disabled.IsZero() {
		return Principal{}, ledger.ErrNotFound
	}
	if time.Since(k.LastUsed) > time.Minute {
		_ = s.Record.TouchAPIKey(ctx, k.ID) // a convenience for people; no request fails for it
	}
	return Principal{User: u, Key: &k}, nil
}

// guardMetrics lets Prometheus in from this very machine, or with an API key. A
// request that came through a proxy is not from this machine.
func (s *Server) guardMetrics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := principal(r.Context()); !ok && !local(r) {
			problem(w, http.StatusUnauthorized, "scrape with an API key (authorization: credentials), or from the machine that Ballast runs on")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func local(r *http.Request) bool {
	for _, h := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && net.ParseIP(host).IsLoopback()
}

// Password hashing: argon2id with the parameters of RFC 9106's second choice,
// written in the PHC string format.
const (
	argonTime, argonMemory, argonThreads = 3, 64 << 10, 2
	argonKey                             = 32
)

// hashing bounds the memory that a burst of sign-ins takes: two at once.
var hashing = make(chan struct{}, 2)

func argon(password string, salt []byte, t, m uint32, p uint8) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, t, m, p, argonKey)
}

// HashPassword makes the text that the record keeps.
func HashPassword(password string) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	sum := argon(password, salt, argonTime, argonMemory, argonThreads)
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b.EncodeToString(salt), b.EncodeToString(sum))
}

// nobody is a hash that no password fits, so that an unknown name takes as long
// to refuse as a wrong password.
var nobody = sync.OnceValue(func() string { return HashPassword(rand.Text()) })

// CheckPassword compares in constant time.
func CheckPassword(hash, password string) bool {
	if hash == "" {
		CheckPassword(nobody(), password)
		return false
	}
	parts := strings.Split(hash, "$")
	var v int
	var m, t uint32
	var p uint8
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &v, &m, &t, &p); err != nil || v != argon2.Version || m > 1<<20 || t > 16 || p == 0 {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(want) != argonKey {
		return false
	}
	return subtle.ConstantTimeCompare(argon(password, salt, t, m, p), want) == 1
}
