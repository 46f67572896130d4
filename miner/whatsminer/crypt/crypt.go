// Package crypt is the arithmetic of MicroBT's two handshakes, for the driver
// that signs and for the simulator that checks.
//
// API v2 (TCP 4028) derives a key from the password with md5crypt and seals
// every write with it; API v3 (TCP 4433) signs each write with SHA-256 and
// seals only what is secret. Both seal with AES-256 in ECB mode. None of it is
// strong, and all of it is the vendor's choice: a machine understands nothing
// else. Keep machines on a network of their own.
//
// Source: WhatsMiner API v2.0.5 and v3, as published by the vendor's support.
package crypt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
)

// ErrCipher says that a text is no ciphertext under the key: not base64, or not
// a whole number of blocks.
var ErrCipher = errors.New("not a sealed text")

// Key is an AES-256 key.
type Key [32]byte

// Token is what API v2 makes of a password and of a get_token reply: Sign goes
// into every write as "token", Key seals it.
type Token struct {
	Sign string
	Key  Key
}

// NewToken computes a token. time, salt and newsalt are as the machine told
// them.
func NewToken(password, time, salt, newsalt string) Token {
	secret := MD5Crypt(password, salt)
	return Token{Sign: MD5Crypt(secret+time, newsalt), Key: sha256.Sum256([]byte(secret))}
}

// Sign computes the token of one API v3 write, and the key for a parameter that
// must be sealed (set.miner.pools, set.user.change_passwd). unix is the time in
// the request's "ts".
func Sign(command, password, salt string, unix int64) (token string, key Key) {
	key = sha256.Sum256([]byte(command + password + salt + strconv.FormatInt(unix, 10)))
	return base64.StdEncoding.EncodeToString(key[:])[:8], key
}

// Seal encrypts a JSON text and writes it in base64.
//
// Sources differ on the padding: the vendor's clients of today pad by PKCS #7,
// its first ones and most others with zeros. The blanks and the ten line feeds
// written here are valid PKCS #7 and, to whoever strips zeros only, white space
// after a JSON value.
func (k Key) Seal(text []byte) string {
	const pad = '\n' // 10 of them, as PKCS #7 wants it
	b := bytes.Clone(text)
	for len(b)%aes.BlockSize != aes.BlockSize-pad {
		b = append(b, ' ')
	}
	b = append(b, bytes.Repeat([]byte{pad}, pad)...)
	block := k.cipher()
	for i := 0; i < len(b); i += aes.BlockSize {
		block.Encrypt(b[i:], b[i:])
	}
	return base64.StdEncoding.EncodeToString(b)
}

// Open decrypts what Seal or a machine sealed, and cuts the padding off,
// whichever it is. It cannot tell a wrong key: then the text is noise.
func (k Key) Open(sealed string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(sealed) // passes over line breaks
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCipher, err)
	}
	if len(b) == 0 || len(b)%aes.BlockSize != 0 {
		return nil, fmt.Errorf("%w: %d bytes", ErrCipher, len(b))
	}
	block := k.cipher()
	for i := 0; i < len(b); i += aes.BlockSize {
		block.Decrypt(b[i:], b[i:])
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' { // zeros, PKCS #7, blanks
		b = b[:len(b)-1]
	}
	return b, nil
}

func (k Key) cipher() cipher.Block {
	block, _ := aes.NewCipher(k[:]) // fails on keys of another length only
	return block
}
