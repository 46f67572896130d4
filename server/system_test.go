package server

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ballast/config"
	"ballast/ledger"
	"ballast/miner"
)

func TestTroublesKeepNoSecretAndNoMoreThanTheyMay(t *testing.T) {
	ring := NewTroubles()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	ring.kept.now = func() time.Time { return now }
	log := slog.New(ring).With("site", "hood", "password", "hunter2hunter2").WithGroup("mail")
	log.Info("not kept")
	for range 3 {
		log.Error("a report could not be sent", "error", errors.New("dial smtp://bob:pa55word@mail:25: Authorization: Bearer abcdefghijkl refused, password=s3cr3ts3cr3t"), "token", "tok-tok-tok", slog.Group("in", "community", "publicpublic"))
	}
	log.Warn("blst_0123456789ab_secretsecret was tried", "link", "http://x/setup#abcdef123456")
	got := ring.Since(now)
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	text := fmt.Sprintf("%+v", got)
	for _, secret := range []string{"hunter2", "pa55word", "abcdefghijkl", "s3cr3t", "tok-tok", "publicpublic", "secretsecret", "abcdef123456"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is kept in %s", secret, text)
		}
	}
	if !strings.Contains(text, "smtp://bob:") || !strings.Contains(text, "site=hood") || !strings.Contains(text, "mail.error=") {
		t.Errorf("too little is kept: %s", text)
	}
	for _, one := range got {
		if one.Level == "ERROR" && (one.Count != 3 || one.First != now) {
			t.Errorf("%+v", one)
		}
	}
	now = now.Add(25 * time.Hour)
	if got := ring.Since(now.Add(-24 * time.Hour)); len(got) != 0 {
		t.Errorf("yesterday's: %+v", got)
	}
	for i := range 3 * mostTroubles {
		now = now.Add(time.Second)
		log.Warn(fmt.Sprintf("trouble %d", i), "long", strings.Repeat("é", 5000))
	}
	got = ring.Since(time.Time{})
	if len(got) != mostTroubles || got[0].What != fmt.Sprintf("trouble %d", 3*mostTroubles-1) || len(got[0].Detail) > longestDetail+3 {
		t.Errorf("%d kept, newest %q with %d bytes", len(got), got[0].What, len(got[0].Detail))
	}
}

// admin is a client with every right.
func admin(t *testing.T, s *Server) (*visitor, []string) {
	t.Helper()
	v := visit(t, s)
	return v, []string{"Authorization", "Bearer " + grantKey(t, s, ledger.Grant{Role: ledger.Admin})}
}

func TestSystemAndBundle(t *testing.T) {
	s := bare(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "ledger.db")
	if err := os.WriteFile(file, make([]byte, 1234), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Keys = []config.Credential{{User: "root", Password: miner.Secret("hunter2hunter2")}}
	s.Settings = config.Explain(cfg, config.Places{"credentials": "ballast.yaml:1:1"})
	s.Files, s.RecordEngine, s.Troubles = Files{Data: dir, History: dir, Record: file}, "sqlite", NewTroubles()
	slog.New(s.Troubles).Error("mail refused", "password", "hunter2hunter2")
	v, key := admin(t, s)
	code, out := v.do("GET", "/api/v1/system", nil, key...)
	if code != 200 {
		t.Fatal(code, out)
	}
	process, disk := out["process"].(map[string]any), out["disk"].(map[string]any)
	if process["goroutines"].(float64) < 2 || process["memory_bytes"].(float64) < 1e6 || process["open_files"].(float64) < 3 || disk["free_bytes"].(float64) <= 0 ||
		out["record"].(map[string]any)["bytes"].(float64) != 1234 || len(out["troubles"].([]any)) != 1 || out["version"].(map[string]any)["record_engine"] != "sqlite" {
		t.Errorf("%v", out)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.base+"/api/v1/system/bundle", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(key[0], key[1])
	res, err := v.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/zip" {
		t.Fatal(res.Status, res.Header, err)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range z.File {
		names[f.Name] = true
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "hunter2") || strings.Contains(string(text), key[1][len("Bearer "):]) {
			t.Errorf("%s holds a secret", f.Name)
		}
		if strings.HasSuffix(f.Name, ".json") && !json.Valid(text) {
			t.Errorf("%s is no JSON", f.Name)
		}
	}
	for _, want := range []string{"README.txt", "system.json", "settings.json", "machines.json", "plant.json", "goroutines.txt"} {
		if !names[want] {
			t.Errorf("%s is missing", want)
		}
	}
	if rows, err := s.Record.AuditRows(t.Context(), ledger.AuditFilter{Action: "system.bundle"}); err != nil || len(rows) != 1 {
		t.Error("the download was not audited", rows, err)
	}
}

func TestGrowth(t *testing.T) {
	h := newHealth()
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	if g, _ := h.growth(at, 5); g.Ok() {
		t.Error("growth out of nothing")
	}
	for i := range 300 { // more than a day of looks
		h.sampled(at.Add(time.Duration(i)*sampleEvery), int64(i)*1000)
	}
	g, hours := h.growth(at.Add(300*sampleEvery), 300_000)
	if v, ok := g.Get(); !ok || v < 143_000 || v > 145_000 || hours > 24.5 || len(h.samples) > 146 {
		t.Errorf("%v bytes a day over %v h from %d looks", g, hours, len(h.samples))
	}
}
