package secretbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret.key")
	a, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("key file %v, %v", info.Mode(), err)
	}
	sealed := a.Seal("hunter2", "receiver/7")
	b, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Open(sealed, "receiver/7"); err != nil || got != "hunter2" {
		t.Errorf("after a restart: %q, %v", got, err)
	}
	if strings.Contains(sealed, "hunter2") || !Sealed(sealed) || Sealed("hunter2") {
		t.Errorf("sealed %q", sealed)
	}
	if _, err := b.Open(sealed, "receiver/8"); !errors.Is(err, ErrSealed) {
		t.Errorf("opened at another place: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrKey) {
		t.Errorf("a key that others may read: %v", err)
	}
	bad := filepath.Join(t.TempDir(), "bad.key")
	if err := os.WriteFile(bad, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(bad); !errors.Is(err, ErrKey) {
		t.Errorf("no key: %v", err)
	}
	other, err := Open(filepath.Join(t.TempDir(), "other.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open(sealed, "receiver/7"); !errors.Is(err, ErrSealed) {
		t.Errorf("opened with another key: %v", err)
	}
}

// Programs that start at once end up with one key.
func TestKeyFileAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret.key")
	boxes := make([]*Box, 8)
	var wg sync.WaitGroup
	for i := range boxes {
		wg.Go(func() {
			b, err := Open(path)
			if err != nil {
				t.Error(err)
			}
			boxes[i] = b
		})
	}
	wg.Wait()
	sealed := boxes[0].Seal("x", "")
	for i, b := range boxes {
		if got, err := b.Open(sealed, ""); err != nil || got != "x" {
			t.Errorf("box %d: %v", i, err)
		}
	}
}

// What is sealed opens to the same, twice sealed it looks different, and any
// changed byte is seen.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, err := New(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		if err != nil {
			t.Fatal(err)
		}
		secret, what := rapid.String().Draw(t, "secret"), rapid.String().Draw(t, "what")
		sealed := b.Seal(secret, what)
		if got, err := b.Open(sealed, what); err != nil || got != secret {
			t.Fatalf("%q, %v", got, err)
		}
		if b.Seal(secret, what) == sealed {
			t.Fatal("a nonce was used twice")
		}
		raw := []byte(sealed)
		i := rapid.IntRange(0, len(raw)-2).Draw(t, "at") // the last character may hold unused bits
		raw[i] ^= 1
		if got, err := b.Open(string(raw), what); err == nil {
			t.Fatalf("a changed byte %d gave %q", i, got)
		}
	})
}

func FuzzOpen(f *testing.F) {
	b, err := New(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b.Seal("secret", "x"), "x")
	f.Add("box1:", "")
	f.Add("box1:AAAA", "")
	f.Fuzz(func(t *testing.T, sealed, what string) {
		if got, err := b.Open(sealed, what); err == nil && got != "secret" {
			t.Errorf("%q opened to %q", sealed, got)
		}
	})
}
