package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ballast/ledger"
)

func TestAuditAPI(t *testing.T) {
	s := bare(t)
	alice := admitted(t, s)
	for i := range 5 {
		if err := s.Record.SetSetting(t.Context(), fmt.Sprint("k", i), "v", ledger.By("=cmd|' /C calc'!A0")); err != nil {
			t.Fatal(err)
		}
	}
	rows := func(query string) []any {
		t.Helper()
		out := alice.must(200, "GET", "/api/v1/audit?"+query, nil)
		return out["rows"].([]any)
	}
	written := 0 // by us; opening a record writes some of its own
	for _, r := range rows("action=setting.") {
		if strings.HasPrefix(r.(map[string]any)["actor"].(string), "=cmd") {
			written++
		}
	}
	if written != 5 || len(rows("action=user.")) == 0 {
		t.Error("rows of settings:", written)
	}
	if n := len(rows("subject=setting/k3")); n != 1 {
		t.Error("rows of one setting:", n)
	}
	if n := len(rows("since=" + time.Now().Add(time.Hour).UTC().Format(time.RFC3339))); n != 0 {
		t.Error("rows from the future:", n)
	}
	// Page by page gives every row once.
	seen, before := map[float64]bool{}, ""
	for {
		out := alice.must(200, "GET", "/api/v1/audit?limit=2"+before, nil)
		for _, r := range out["rows"].([]any) {
			seq := r.(map[string]any)["seq"].(float64)
			if seen[seq] {
				t.Fatal("row twice:", seq)
			}
			seen[seq] = true
		}
		next, more := out["next"].(float64)
		if !more {
			break
		}
		before = fmt.Sprintf("&before=%v", next)
	}
	head, err := s.Record.AuditHead(t.Context())
	if err != nil || int64(len(seen)) != head.Seq {
		t.Errorf("%d rows on all pages of a log of %d (%v)", len(seen), head.Seq, err)
	}
	// What a spreadsheet would run is text.
	res, err := alice.http.Get(alice.base + "/api/v1/audit/export")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	buf := make([]byte, 1<<16)
	for {
		n, err := res.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			break
		}
	}
	res.Body.Close()
	if text := b.String(); !strings.Contains(text, "'=cmd|") || strings.Contains(text, ",=cmd") || strings.Count(text, "\n") != int(head.Seq)+2 || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment; filename=") {
		t.Errorf("%s\n%s", res.Header, text)
	}
}

// The check finds what an intruder with the database's password did, and an
// anchor what they did thoroughly.
func TestAuditCheck(t *testing.T) {
	s := bare(t)
	alice := admitted(t, s)
	if err := s.Record.Tx(t.Context(), func(tx ledger.Tx) error {
		for i := range 1200 {
			if err := tx.Audit(t.Context(), ledger.Audit{Actor: "x", Action: "y.z", Subject: fmt.Sprint(i)}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	check := func(anchors ...any) map[string]any {
		t.Helper()
		alice.must(202, "POST", "/api/v1/audit/check", map[string]any{"anchors": anchors})
		for range 200 {
			if out := alice.must(200, "GET", "/api/v1/audit/check", nil); out["running"] == false {
				return out
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Fatal("the check does not end")
		return nil
	}
	anchor := alice.must(200, "GET", "/api/v1/audit/anchor", nil)
	if out := check(); out["sound"] != true || out["done"] != out["total"] || out["by"] != "alice" {
		t.Error(out)
	}
	if out := check(map[string]any{"seq": anchor["seq"], "hash": anchor["hash"]}); out["sound"] != true || out["anchors"] != 1.0 {
		t.Error(out)
	}
	if out := check(map[string]any{"seq": anchor["seq"], "hash": strings.Repeat("0", 64)}); out["sound"] != false || !strings.Contains(out["problem"].(string), "anchored") {
		t.Error(out)
	}
	if out := check(map[string]any{"seq": 1e6, "hash": anchor["hash"]}); out["sound"] != false || !strings.Contains(out["problem"].(string), "missing") {
		t.Error(out)
	}
	raw := rawRecord(t, s)
	if _, err := raw.ExecContext(t.Context(), "UPDATE audit SET actor = 'nobody' WHERE seq = 7"); err != nil {
		t.Fatal(err)
	}
	if out := check(); out["sound"] != false || !strings.Contains(out["problem"].(string), "row 7 was altered") || out["head"].(map[string]any)["seq"] != 6.0 {
		t.Error(out)
	}
	if _, err := raw.ExecContext(t.Context(), "DELETE FROM audit_head"); err != nil {
		t.Fatal(err)
	}
	if code, _ := alice.do("GET", "/api/v1/audit", nil); code != 200 {
		t.Error("a log without head cannot be read:", code)
	}
	if out := check(); out["sound"] != false {
		t.Error(out)
	}
}
