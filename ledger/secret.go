package ledger

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// NewSecret is 256 random bits as text of 43 characters, fit for a URL, with
// what the ledger keeps of it. No salt or slow hash is needed: nobody can
// guess 256 random bits.
func NewSecret() (secret, sum string) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	return secret, HashSecret(secret)
}

// HashSecret is the SHA-256 of a secret, in hex: what the ledger keeps.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// SameSum compares two sums in constant time.
func SameSum(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// keyMark starts every API key, so that a leaked one is found by scanners and
// known for what it is.
const keyMark = "blst_"

// NewAPIKey is a new API key, to be shown to its owner once, with the prefix
// and the sum that the ledger keeps.
func NewAPIKey() (key, prefix, sum string) {
	var b [6]byte
	_, _ = rand.Read(b[:])
	secret, _ := NewSecret()
	prefix = keyMark + hex.EncodeToString(b[:])
	key = prefix + "_" + secret
	return key, prefix, HashSecret(key)
}

// KeyPrefix is the part of an API key that it is looked up by.
func KeyPrefix(key string) (prefix string, ok bool) {
	rest, ok := strings.CutPrefix(key, keyMark)
	if !ok {
		return "", false
	}
	id, secret, ok := strings.Cut(rest, "_")
	if !ok || len(id) != 12 || len(secret) != 43 {
		return "", false
	}
	return keyMark + id, true
}
