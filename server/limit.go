package server

import (
	"container/list"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound how often the API may be asked: by one address before it is
// known who asks, and by one person or key after. A rate of 0 does not limit.
type Limits struct {
	Address   float64 // requests a second
	Principal float64 // requests a second
}

// bursts says how many seconds' worth may come at once.
const burstSeconds = 4

// limiter is a token bucket for each key, of bounded memory: the key unused for
// longest makes room.
type limiter struct {
	rate rate.Limit
	max  int

	mu   sync.Mutex
	keys map[string]*list.Element
	used *list.List // of *bucket, the last used first
}

type bucket struct {
	key string
	*rate.Limiter
}

func newLimiter(perSecond float64, most int) *limiter {
	return &limiter{rate: rate.Limit(perSecond), max: most, keys: map[string]*list.Element{}, used: list.New()}
}

// wait takes one request from key's bucket, or says how long until there is
// one.
func (l *limiter) wait(key string, now time.Time) time.Duration {
	if l.rate <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.keys[key]
	if ok {
		l.used.MoveToFront(e)
	} else {
		if l.used.Len() >= l.max {
			oldest := l.used.Back()
			delete(l.keys, l.used.Remove(oldest).(*bucket).key)
		}
		e = l.used.PushFront(&bucket{key, rate.NewLimiter(l.rate, max(1, int(math.Ceil(float64(l.rate)*burstSeconds))))})
		l.keys[key] = e
	}
	b := e.Value.(*bucket)
	if b.AllowN(now, 1) {
		return 0
	}
	return time.Duration((1 - b.TokensAt(now)) / float64(l.rate) * float64(time.Second))
}

// limitAddress refuses an address that asks too often.
func (s *Server) limitAddress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if limited(r) {
			if wait := s.byAddress.wait(callerOf(r.Context()).bucket(), time.Now()); wait > 0 {
				tooMany(w, wait, "this address asks too often")
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// limitPrincipal refuses a person or a key that asks too often.
func (s *Server) limitPrincipal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p, ok := principal(r.Context()); ok && limited(r) {
			key := "user " + strconv.FormatInt(p.User.ID, 10)
			if p.Key != nil {
				key = "key " + strconv.FormatInt(p.Key.ID, 10)
			}
			if wait := s.byPrincipal.wait(key, time.Now()); wait > 0 {
				tooMany(w, wait, p.Name()+" asks too often")
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func limited(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }

func tooMany(w http.ResponseWriter, wait time.Duration, who string) {
	w.Header().Set("Retry-After", retryAfter(wait))
	problem(w, http.StatusTooManyRequests, who+"; try again in "+retryAfter(wait)+" s")
}

// retryAfter is a wait in whole seconds, at least one.
func retryAfter(wait time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
}
