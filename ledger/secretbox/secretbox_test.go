package secretbox

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestSealUnseal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.key")
	b, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Open(filepath.Join(t.TempDir(), "secrets.key"))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		context := rapid.SliceOf(rapid.Byte()).Draw(t, "context")
		sealed := b.Seal(plain, context)
		if got, err := again.Unseal(sealed, context); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%q, %v", got, err)
		}
		if b.Seal(plain, context) == sealed {
			t.Fatal("sealed alike twice")
		}
		if len(plain) > 8 && strings.Contains(sealed, string(plain)) {
			t.Fatal("readable")
		}
		if _, err := other.Unseal(sealed, context); !errors.Is(err, ErrSealed) {
			t.Fatalf("another key: %v", err)
		}
		if _, err := b.Unseal(sealed, append(context, 'x')); !errors.Is(err, ErrSealed) {
			t.Fatalf("another context: %v", err)
		}
		at := rapid.IntRange(0, len(sealed)-1).Draw(t, "at")
		changed := []byte(sealed)
		changed[at] ^= 1
		if got, err := b.Unseal(string(changed), context); err == nil {
			t.Fatalf("opened with byte %d changed: %q", at, got)
		}
	})
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k")
	var wg sync.WaitGroup
	boxes := make([]*Box, 8)
	for i := range boxes { // at once: one key comes of it
		wg.Go(func() {
			b, err := Open(path)
			if err != nil {
				t.Error(err)
			}
			boxes[i] = b
		})
	}
	wg.Wait()
	sealed := boxes[0].Seal([]byte("secret"), nil)
	for _, b := range boxes {
		if got, err := b.Unseal(sealed, nil); err != nil || string(got) != "secret" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrKey) {
		t.Errorf("readable by all: %v", err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "bad"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(filepath.Dir(path), "bad")); !errors.Is(err, ErrKey) {
		t.Errorf("no key in it: %v", err)
	}
}

func FuzzUnseal(f *testing.F) {
	b, err := Open(filepath.Join(f.TempDir(), "k"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("v1.", []byte(nil))
	f.Add(b.Seal([]byte("x"), nil)[:20], []byte("c"))
	f.Fuzz(func(t *testing.T, text string, context []byte) {
		if plain, err := b.Unseal(text, context); err == nil {
			t.Fatalf("made up, and opens as %q", plain)
		}
	})
}
