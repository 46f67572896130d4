// Package secretbox seals secrets that the record keeps: a copy of the database
// alone tells none of them. The key is a file beside it, readable by its owner
// only; who has both has everything, and backups keep them apart.
//
// XChaCha20-Poly1305, a random nonce for each secret. What the secret is for (its
// context) is sealed with it, so that a sealed text copied from one row to
// another does not open there.
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

// Errors of this room.
var (
	ErrKey    = errors.New("not a usable key file")
	ErrSealed = errors.New("does not open with this key")
)

// version starts every sealed text, so that a later form can be told apart.
const version = "v1."

// Box seals and unseals with one key. It is safe for concurrent use.
type Box struct{ aead cipher.AEAD }

// Open reads the key file at path, and makes one with a fresh key when there is
// none. A file that others may read, or that holds no key, is ErrKey: nothing is
// overwritten, since what was sealed with it would be lost.
func Open(path string) (*Box, error) {
	key, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, err
		}
		key, err = read(path) // another process may have been quicker: its key counts
	}
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrKey, err)
	}
	return &Box{aead}, nil
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: %w: others may read it (%v); make it readable by its owner only", path, ErrKey, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key file: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != chacha20poly1305.KeySize {
		return nil, fmt.Errorf("%s: %w: want %d bytes in base64", path, ErrKey, chacha20poly1305.KeySize)
	}
	return key, nil
}

// create writes a fresh key under another name first, so that no moment shows
// half a key, and gives way to a file that is there by then.
func create(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return fmt.Errorf("making the key file: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	key := make([]byte, chacha20poly1305.KeySize)
	_, _ = rand.Read(key) // never fails
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing the key file: %w", err)
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("putting the key file in place: %w", err)
	}
	return nil
}

// Seal encrypts plain. The same context must be given to Unseal.
func (b *Box) Seal(plain, context []byte) string {
	nonce := make([]byte, b.aead.NonceSize(), b.aead.NonceSize()+len(plain)+b.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return version + base64.RawStdEncoding.EncodeToString(b.aead.Seal(nonce, nonce, plain, context))
}

// Unseal opens what Seal made with the same key and context; ErrSealed for
// anything else.
func (b *Box) Unseal(text string, context []byte) ([]byte, error) {
	body, ok := strings.CutPrefix(text, version)
	raw, err := base64.RawStdEncoding.Strict().DecodeString(body)
	if !ok || err != nil || len(raw) < b.aead.NonceSize() {
		return nil, fmt.Errorf("%w: not a sealed text", ErrSealed)
	}
	n := b.aead.NonceSize()
	plain, err := b.aead.Open(nil, raw[:n], raw[n:], context)
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}
