package ledger

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// Whatever a setting's JSON, its canonical form is JSON for the same value and
// is its own canonical form.
func FuzzSetting(f *testing.F) {
	for _, s := range []string{`{"kind":"power","power_w":3250}`, `null`, `[1e400, "\u0000<&>", {"b":1,"a":{}}]`, `{"a":1,"a":2}`, "\xff", `"\ud800"`, `{} 1`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		once, err := canonicalJSON(b)
		if err != nil {
			return
		}
		if !json.Valid(once) || !utf8.Valid(once) {
			t.Fatalf("%q became %q", b, once)
		}
		twice, err := canonicalJSON(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q and then %q, %v", b, once, twice, err)
		}
	})
}

// Whatever a machine tells, its sighting can be stored and has one form.
func FuzzSighting(f *testing.F) {
	f.Add("AA:BB:CC:00:11:22", "HTM3SX45", "Bitmain")
	f.Add("00-00-00-00-00-00", "N/A", "\x00\xff")
	f.Add("aabb.ccdd.eeff0", " 0000 ", "é")
	f.Fuzz(func(t *testing.T, mac, serial, text string) {
		s := Sighting{MAC: mac, Serial: serial, Make: text, Hostname: text, Site: text}.Normal(dawn)
		for _, x := range []string{s.MAC, s.Serial, s.Make, s.Hostname, s.Site} {
			if Clean(x, identityLimit) != x {
				t.Fatalf("%q is not clean", x)
			}
		}
		if s != s.Normal(dawn) {
			t.Fatalf("%+v became %+v", s, s.Normal(dawn))
		}
		if s.MAC != "" && len(s.MAC) != 17 {
			t.Fatalf("MAC %q became %q", mac, s.MAC)
		}
	})
}
