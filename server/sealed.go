package server

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"
)

// errSealed reports a sealed value that is not ours, too old, for something
// else, or used before. Which of these is nobody's business.
var errSealed = errors.New("this attempt has expired; begin again")

// sealer keeps what a sign-in needs between its two steps (a challenge, a state
// and nonce) in the browser itself, encrypted: a flood of first steps costs no
// memory. Its key is made anew at each start. Of second steps that succeed it
// remembers which they were until they expire, so that none succeeds twice.
type sealer struct {
	aead cipher.AEAD

	mu   sync.Mutex
	used map[string]time.Time
}

// sealedLife is how long somebody may take between the two steps.
const sealedLife = 5 * time.Minute

func newSealer() *sealer {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // a key of 32 bytes is one
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the block size that GCM wants
	}
	return &sealer{aead: aead, used: map[string]time.Time{}}
}

type sealed struct {
	ID      string          `json:"id"`
	Expires time.Time       `json:"expires"`
	Value   json.RawMessage `json:"value"`
}

// seal encrypts v for one purpose.
func (s *sealer) seal(purpose string, v any, now time.Time) (string, error) {
	value, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(sealed{ID: rand.Text(), Expires: now.Add(sealedLife), Value: value})
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, b, []byte(purpose))), nil //nolint:gosec // this AEAD draws its nonce itself
}

// open decrypts what seal made for the same purpose into v. It gives the id by
// which use marks it as used.
func (s *sealer) open(purpose, text string, v any, now time.Time) (id string, err error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", errSealed
	}
	b, err = s.aead.Open(nil, nil, b, []byte(purpose))
	if err != nil {
		return "", errSealed
	}
	var x sealed
	if err := json.Unmarshal(b, &x); err != nil || now.After(x.Expires) {
		return "", errSealed
	}
	return x.ID, json.Unmarshal(x.Value, v)
}

// use marks id as used; false when it was already.
func (s *sealer) use(id string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until, ok := s.used[id]; ok && now.Before(until) {
		return false
	}
	for k, until := range s.used {
		if now.After(until) {
			delete(s.used, k)
		}
	}
	s.used[id] = now.Add(sealedLife)
	return true
}

// stepCookie carries a sealed value from the first step to the second. It is
// Lax because the second step of OpenID Connect comes from the provider's page.
func (s *Server) stepCookie(value string) *http.Cookie {
	c := &http.Cookie{Name: s.cookieName() + "-step", Value: value, Path: "/", MaxAge: int(sealedLife.Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure()} //nolint:gosec // as TLS is set up
	if value == "" {
		c.MaxAge = -1
	}
	return c
}
