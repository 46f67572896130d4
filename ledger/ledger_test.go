package ledger

import (
	"crypto/rand"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestIDs(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	ids := NewIDs(func(b []byte) { _, _ = rand.Read(b) })
	last := ""
	for i := range 10_000 {
		now := dawn.Add(time.Duration(i%7-3) * time.Millisecond) // a clock that steps back and forth
		id := ids.New(now)
		if !form.MatchString(id) {
			t.Fatalf("%s is no UUIDv7", id)
		}
		if id <= last {
			t.Fatalf("%s after %s", id, last)
		}
		last = id
	}
	// The first 48 bits are the milliseconds since 1970.
	if id := NewIDs(func(b []byte) {}).New(time.UnixMilli(0x0123456789ab)); !strings.HasPrefix(id, "01234567-89ab-7") {
		t.Errorf("time in %s", id)
	}
}

func TestIDsAreUniqueAcrossGoroutines(t *testing.T) {
	ids := NewIDs(func(b []byte) { clear(b) }) // no luck: order alone must do
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				id := ids.New(dawn)
				mu.Lock()
				if seen[id] {
					t.Errorf("%s twice", id)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "s"))
		limit := rapid.IntRange(0, 12).Draw(t, "limit")
		c := Clean(s, limit)
		if !utf8.ValidString(c) || strings.Contains(c, "\x00") || (limit > 0 && len(c) > limit) {
			t.Fatalf("%q became %q", s, c)
		}
		if Clean(c, limit) != c {
			t.Fatalf("%q is not clean after all", c)
		}
		if limit == 0 && utf8.ValidString(s) && !strings.Contains(s, "\x00") && c != s {
			t.Fatalf("clean %q was changed", s)
		}
	})
}

func TestNormalIdentity(t *testing.T) {
	for in, want := range map[string]string{
		"AA:BB:CC:00:11:22": "aa:bb:cc:00:11:22", "aabbcc001122": "aa:bb:cc:00:11:22", "aa-bb-cc-00-11-22": "aa:bb:cc:00:11:22",
		"00:00:00:00:00:00": "", "FFFFFFFFFFFF": "", "aa:bb": "", "hello": "", "": "", "aa:bb:cc:00:11:22:33": "",
	} {
		if got := normalMAC(in); got != want {
			t.Errorf("MAC %q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		" HTM3SX45 ": "HTM3SX45", "N/A": "", "unknown": "", "0": "", "0000000000": "", "": "", "AB\x00CD": "ABCD",
	} {
		if got := normalSerial(in); got != want {
			t.Errorf("serial %q: %q, want %q", in, got, want)
		}
	}
}

func TestSecrets(t *testing.T) {
	secret, sum := NewSecret()
	if other, _ := NewSecret(); other == secret || len(secret) != 43 || HashSecret(secret) != sum {
		t.Errorf("secret %q", secret)
	}
	key, prefix, sum := NewAPIKey()
	if p, ok := KeyPrefix(key); !ok || p != prefix || HashSecret(key) != sum {
		t.Errorf("key %q: prefix %q %v", key, p, ok)
	}
	for _, bad := range []string{"", "blst_", "blst_0123456789ab", "blst_0123456789ab_short", "x" + key, key + "x"} {
		if p, ok := KeyPrefix(bad); ok {
			t.Errorf("%q has prefix %q", bad, p)
		}
	}
	k := APIKey{Sum: sum}
	if !k.Valid(key, dawn) || k.Valid(key+"x", dawn) {
		t.Error("validity of a key")
	}
	k.Expires = dawn
	if k.Valid(key, dawn) || !k.Valid(key, dawn.Add(-1)) {
		t.Error("expiry of a key")
	}
	k.Expires, k.Revoked = time.Time{}, dawn
	if k.Valid(key, dawn) {
		t.Error("a revoked key is valid")
	}
	if (APIKey{}).Valid("", dawn) {
		t.Error("the zero key is valid")
	}
}

func TestRoles(t *testing.T) {
	for _, r := range Roles() {
		if !r.Known() {
			t.Errorf("%s is not known", r)
		}
	}
	for _, r := range []Role{"", "root", "owner", "Admin"} {
		if r.Known() {
			t.Errorf("%q is a role", r)
		}
	}
}
