// Package secretbox keeps small secrets (a mail password, a webhook key, the
// password of a machine) in the record so that the record alone does not tell
// them: they are sealed with a key that stands in a file of its own, outside the
// database and its backups.
//
// The cipher is XChaCha20-Poly1305. Its nonce of 192 bits is drawn at random for
// each sealing. What a secret belongs to ("receiver/7") is authenticated with it,
// so that a sealed text moved to another place does not open there.
package secretbox

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// Errors of this package.
var (
	ErrKey    = errors.New("the key file cannot be used")
	ErrSealed = errors.New("the secret cannot be opened") // another key, another place, or damaged
)

// mark starts every sealed text and says how it was made.
const mark = "box1:"

// Box seals and opens secrets. It is safe for concurrent use.
type Box struct {
	aead cipher.AEAD
}

// Open reads the key file at path and makes it, readable by its owner only, when
// it is not there. A file that others may read is refused.
func Open(path string) (*Box, error) {
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = create(path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s may be read by others (mode %o): chmod 600 it", ErrKey, path, info.Mode().Perm())
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(key)))
	if err != nil || len(raw) != chacha20poly1305.KeySize {
		return nil, fmt.Errorf("%w: %s does not hold a key", ErrKey, path)
	}
	return New(raw)
}

// New makes a box of a key of 32 bytes.
func New(key []byte) (*Box, error) {
	a, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return &Box{a}, nil
}

// create writes a fresh key. Two programs that start at once agree on one: the
// file is linked into place whole, and whoever comes second takes what is there.
func create(path string) ([]byte, error) {
	raw := make([]byte, chacha20poly1305.KeySize)
	_, _ = rand.Read(raw) // never fails: crypto/rand
	text := []byte(base64.StdEncoding.EncodeToString(raw) + "\n")
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(text); err != nil {
		_ = f.Close()
		return nil, err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return os.ReadFile(path)
		}
		return nil, err
	}
	return text, nil
}

// Seal hides a secret that belongs to what.
func (b *Box) Seal(secret, what string) string {
	nonce := make([]byte, b.aead.NonceSize(), b.aead.NonceSize()+len(secret)+b.aead.Overhead())
	_, _ = rand.Read(nonce)
	return mark + base64.RawStdEncoding.EncodeToString(b.aead.Seal(nonce, nonce, []byte(secret), []byte(what)))
}

// Open gives back what was sealed for what; ErrSealed when it was not, or not
// with this key.
func (b *Box) Open(sealed, what string) (string, error) {
	rest, ok := strings.CutPrefix(sealed, mark)
	raw, err := base64.RawStdEncoding.DecodeString(rest)
	if !ok || err != nil || len(raw) < b.aead.NonceSize() {
		return "", fmt.Errorf("%w: it is none", ErrSealed)
	}
	n := b.aead.NonceSize()
	out, err := b.aead.Open(nil, raw[:n], raw[n:], []byte(what))
	if err != nil {
		return "", fmt.Errorf("%w: it was sealed with another key or for something else", ErrSealed)
	}
	return string(out), nil
}

// Sealed tells whether text is what Seal writes.
func Sealed(text string) bool { return strings.HasPrefix(text, mark) }
