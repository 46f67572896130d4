package crypt

import (
	"bytes"
	"crypto/aes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/tidwall/gjson"
	"pgregory.net/rapid"
)

// The hashes are those of `openssl passwd -1 -salt SALT PASSWORD` (OpenSSL 3.0).
func TestMD5CryptAgreesWithOpenSSL(t *testing.T) {
	for _, c := range []struct{ password, salt, want string }{
		{"admin", "BQ5hoXV9", "RxmaDUO33TS7O26yeMHZ81"},
		{"secret", "jbzkfQls", "t7G8TAVRVrofTVPwxC0q31"},
		{"x", "a", "TYcRT0JumNkKBBlirG1X4/"},
		{"verylongpasswordthatexceedssixteenbytes", "abcdefgh", "Fn9icuWaaym5Z7N5noLW90"},
		{"pw", "saltlong12", "pQHcqWkQwbnUq.Vper1b1."}, // the salt ends at its eighth byte
		{"", "BQ5hoXV9", "CYfwenQM4xmKGmSJJ/al11"},
	} {
		if got := MD5Crypt(c.password, c.salt); got != c.want {
			t.Errorf("MD5Crypt(%q, %q) = %q, want %q", c.password, c.salt, got, c.want)
		}
	}
}

// The vendor's example of a get_token reply, through the shell commands of the
// vendor's document.
func TestToken(t *testing.T) {
	tok := NewToken("admin", "5626", "BQ5hoXV9", "jbzkfQls")
	// openssl passwd -1 -salt jbzkfQls RxmaDUO33TS7O26yeMHZ815626
	if want := "w.BNbkCV6n1aNWgiBWLzT/"; tok.Sign != want {
		t.Errorf("sign %q, want %q", tok.Sign, want)
	}
	// printf %s RxmaDUO33TS7O26yeMHZ81 | sha256sum
	if want := "199e0a202039bb7b558db7a54697dca29cb278055b7e659a127fb844d5a2fbf6"; hex.EncodeToString(tok.Key[:]) != want {
		t.Errorf("key %x, want %s", tok.Key, want)
	}
}

func TestSign(t *testing.T) {
	// printf %s set.miner.servicepassuhCiDyVj1773869570 | openssl dgst -sha256 -binary | base64 | cut -c1-8
	if token, _ := Sign("set.miner.service", "pass", "uhCiDyVj", 1773869570); token != "Xe6su3wA" {
		t.Errorf("token %q", token)
	}
}

// Whoever opens it, by PKCS #7 or by stripping zeros, finds the JSON text.
func TestSealSuitsEveryReader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(`{"cmd":"` + rapid.StringMatching(`[a-z_]{0,40}`).Draw(t, "cmd") + `"}`)
		key := Key(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		sealed := key.Seal(text)
		back, err := key.Open(sealed)
		if err != nil || !bytes.Equal(back, text) {
			t.Fatalf("opened %q, %v; want %q", back, err, text)
		}
		raw, err := base64.StdEncoding.DecodeString(sealed)
		if err != nil {
			t.Fatal(err)
		}
		block, err := aes.NewCipher(key[:])
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(raw); i += 16 {
			block.Decrypt(raw[i:], raw[i:])
		}
		pad := int(raw[len(raw)-1])
		if pad < 1 || pad > 16 || !bytes.Equal(raw[len(raw)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
			t.Fatalf("not PKCS #7: %q", raw)
		}
		if !gjson.ValidBytes(raw[:len(raw)-pad]) || !gjson.ValidBytes(bytes.TrimRight(raw, "\x00")) {
			t.Fatalf("not JSON to everyone: %q", raw)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	for _, sealed := range []string{"", "!!!", "YWJj"} {
		if _, err := (Key{}).Open(sealed); !errors.Is(err, ErrCipher) {
			t.Errorf("Open(%q): %v", sealed, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(Key{1}.Seal([]byte(`{"a":1}`)))
	f.Add("")
	f.Add("AAAAAAAAAAAAAAAAAAAAAA==")
	f.Fuzz(func(t *testing.T, sealed string) {
		text, err := Key{1}.Open(sealed)
		if (err == nil) == errors.Is(err, ErrCipher) {
			t.Fatalf("%q, %v", text, err)
		}
	})
}

func BenchmarkToken(b *testing.B) {
	for b.Loop() {
		NewToken("admin", "5626", "BQ5hoXV9", "jbzkfQls")
	}
}
