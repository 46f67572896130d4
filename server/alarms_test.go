package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/miner"
	"ballast/notify"
)

func ruleBody() map[string]any {
	return map[string]any{"id": 0, "title": "Too hot", "watch": "chip-hot", "raise": 100, "clear": 90, "raise_after_s": 60, "clear_after_s": 60, "severity": "major",
		"means": "m", "safe": "s", "press": "p"}
}

// keyOf makes a key for somebody with grants.
func alarmKey(t *testing.T, s *Server, name string, grants ...ledger.Grant) string {
	t.Helper()
	u, err := s.Record.AddUser(t.Context(), ledger.User{Name: name, Grants: grants}, ledger.By("test"))
	if err != nil {
		t.Fatal(err)
	}
	key, prefix, sum := ledger.NewAPIKey()
	if _, err := s.Record.AddAPIKey(t.Context(), ledger.APIKey{Prefix: prefix, Sum: sum, User: u.ID, Name: "k", Scopes: AllScopes()}, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	return "Bearer " + key
}

func TestAlarmRules(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	admin := alarmKey(t, s, "admin", ledger.Grant{Role: ledger.Admin})
	code, out := v.do("GET", "/api/v1/alarm-rules", nil, "Authorization", admin)
	rules, _ := out["rules"].([]any)
	if code != 200 || len(rules) < 20 {
		t.Fatalf("first rules: %d %v", code, out)
	}
	code, added := v.do("POST", "/api/v1/alarm-rules", ruleBody(), "Authorization", admin)
	if code != 201 || added["id"] == 0 {
		t.Fatalf("adding: %d %v", code, added)
	}
	path := fmt.Sprintf("/api/v1/alarm-rules/%v", added["id"])
	body := ruleBody()
	body["raise"] = 110
	if code, out := v.do("PUT", path, body, "Authorization", admin); code != 200 || out["raise"] != 110.0 || out["id"] != added["id"] {
		t.Fatalf("changing: %d %v", code, out)
	}
	body["clear"] = 120
	if code, out := v.do("PUT", path, body, "Authorization", admin); code != 422 || !strings.Contains(fmt.Sprint(out["detail"]), "must clear below") {
		t.Errorf("levels the wrong way: %d %v", code, out)
	}
	if code, out := v.do("POST", "/api/v1/alarm-rules/preview", ruleBody(), "Authorization", admin); code != 200 || out["now"] == nil {
		t.Errorf("preview: %d %v", code, out)
	}
	// Somebody of one site may not change a rule of all, nor add one for another.
	local := alarmKey(t, s, "local", ledger.Grant{Role: ledger.Engineer, Site: "hood"})
	if code, _ := v.do("PUT", path, ruleBody(), "Authorization", local); code != 403 {
		t.Errorf("a rule of all sites changed by one of hood: %d", code)
	}
	body = ruleBody()
	body["match"] = map[string]any{"sites": []string{"odessa"}}
	if code, _ := v.do("POST", "/api/v1/alarm-rules", body, "Authorization", local); code != 404 {
		t.Errorf("a rule of odessa by one of hood: %d", code)
	}
	body["match"] = map[string]any{"sites": []string{"hood"}}
	if code, out := v.do("POST", "/api/v1/alarm-rules", body, "Authorization", local); code != 201 {
		t.Errorf("a rule of hood by one of hood: %d %v", code, out)
	}
	if code, _ := v.do("DELETE", path, nil, "Authorization", admin); code != 204 {
		t.Errorf("deleting: %d", code)
	}
	if code, _ := v.do("DELETE", path, nil, "Authorization", admin); code != 404 {
		t.Errorf("deleting twice: %d", code)
	}
}

// An edit names the version that it was made from: of two people who change the
// same thing, the second is told, and nothing of the first is lost.
func TestAlarmEditsDoNotOverwrite(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	admin := alarmKey(t, s, "admin", ledger.Grant{Role: ledger.Admin})
	code, receiver := v.do("POST", "/api/v1/receivers", map[string]any{"title": "hook", "settings": map[string]any{"kind": "webhook", "url": "http://127.0.0.1:9/"}}, "Authorization", admin)
	if code != 201 {
		t.Fatal(code, receiver)
	}
	window := map[string]any{"id": 0, "title": "Filters", "zone": "UTC", "days": []int{3}, "start": "02:00", "minutes": 60, "match": map[string]any{"containers": []string{"C01"}}}
	escalation := map[string]any{"id": 0, "title": "Night", "severities": []string{"critical"}, "steps": []any{map[string]any{"after_min": 0, "receivers": []any{receiver["id"]}}}, "ends": true}
	for _, c := range []struct {
		path string
		body map[string]any
		list string // the field of the list's answer; empty when it is the answer
	}{
		{"/api/v1/alarm-rules", ruleBody(), "rules"},
		{"/api/v1/maintenance-windows", window, ""},
		{"/api/v1/escalations", escalation, ""},
		{"/api/v1/receivers", map[string]any{"title": "other", "settings": map[string]any{"kind": "webhook", "url": "http://127.0.0.1:9/"}}, ""},
	} {
		code, added := v.do("POST", c.path, c.body, "Authorization", admin)
		if code != 201 {
			t.Fatalf("%s: %d %v", c.path, code, added)
		}
		one := fmt.Sprintf("%s/%v", c.path, added["id"])
		read := func() (version, title string) {
			_, text := askPlain(t, v.base, c.path, "Authorization", admin)
			var all []map[string]any
			if c.list != "" {
				var wrapped map[string]json.RawMessage
				if err := json.Unmarshal([]byte(text), &wrapped); err != nil {
					t.Fatal(err)
				}
				text = string(wrapped[c.list])
			}
			if err := json.Unmarshal([]byte(text), &all); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			for _, x := range all {
				if x["id"] == added["id"] {
					return fmt.Sprintf(`"%.0f"`, x["version"]), fmt.Sprint(x["title"])
				}
			}
			t.Fatalf("%s is not listed", one)
			return "", ""
		}
		first, _ := read()
		edit := func(title, match string) int {
			c.body["title"] = title
			header := []string{"Authorization", admin}
			if match != "" {
				header = append(header, "If-Match", match)
			}
			code, _ := v.do("PUT", one, c.body, header...)
			return code
		}
		if code := edit("mine", first); code != 200 {
			t.Errorf("%s: over the version that was read: %d", one, code)
		}
		if code := edit("theirs", first); code != 412 {
			t.Errorf("%s: over a newer version: %d", one, code)
		}
		if _, title := read(); title != "mine" {
			t.Errorf("%s: it is called %q after a refused edit", one, title)
		}
		for _, wrong := range []string{`"7"`, `"x"`, `"-1"`, "hello"} {
			if code := edit("wrong", wrong); code != 412 {
				t.Errorf("%s: If-Match: %s gives %d", one, wrong, code)
			}
		}
		second, _ := read()
		if code := edit("again", second); code != 200 || second == first {
			t.Errorf("%s: over the newest version %s: %d", one, second, code)
		}
		if edit("any", "*") != 200 || edit("none", "") != 200 {
			t.Errorf("%s: an edit that names no version is refused", one)
		}
	}
}

// Secrets go in and never come out: not in answers, not in the record's file in
// clear, not in the audit log.
func TestReceiverSecrets(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	admin := alarmKey(t, s, "admin", ledger.Grant{Role: ledger.Admin})
	got := make(chan [2]string, 4)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- [2]string{r.Header.Get(notify.SignatureHeader), string(b)}
		_, _ = io.WriteString(w, "thanks")
	}))
	defer hook.Close()
	const secret = "hunter2-hunter2"
	code, out := v.do("POST", "/api/v1/receivers", map[string]any{"title": "hook", "settings": map[string]any{"kind": "webhook", "url": hook.URL}, "secrets": map[string]any{"key": secret}}, "Authorization", admin)
	if code != 201 {
		t.Fatalf("%d %v", code, out)
	}
	path := fmt.Sprintf("/api/v1/receivers/%v", out["id"])
	if code, out := v.do("POST", path+"/test", map[string]any{}, "Authorization", admin); code != 200 || out["delivered"] != true || !strings.Contains(fmt.Sprint(out["answer"]), "thanks") {
		t.Fatalf("test: %d %v", code, out)
	}
	m := <-got
	if !strings.Contains(m[1], "[TEST]") || !strings.HasPrefix(m[0], "t=") {
		t.Errorf("the receiver got %v", m)
	}
	// Left out, the secret stays; sent elsewhere, it must be given again.
	if code, out := v.do("PUT", path, map[string]any{"title": "hook 2", "settings": map[string]any{"kind": "webhook", "url": hook.URL}}, "Authorization", admin); code != 200 || fmt.Sprint(out["secrets"]) != "[key]" {
		t.Errorf("renaming: %d %v", code, out)
	}
	if code, _ := v.do("PUT", path, map[string]any{"title": "hook", "settings": map[string]any{"kind": "webhook", "url": "http://evil.example/"}}, "Authorization", admin); code != 422 {
		t.Errorf("the secret was redirected without knowing it: %d", code)
	}
	rows, err := s.Record.AuditRows(t.Context(), ledger.AuditFilter{})
	if err != nil {
		t.Fatal(err)
	}
	docs, err := s.Record.Documents(t.Context(), "alarm_receiver")
	if err != nil {
		t.Fatal(err)
	}
	all, _ := json.Marshal([]any{rows, docs, out})
	if strings.Contains(string(all), secret) {
		t.Error("the secret is told")
	}
	for _, r := range rows {
		if strings.Contains(r.Detail, "box1:") {
			t.Errorf("the audit log carries a sealed secret: %s", r.Detail)
		}
	}
}

// A machine that does not answer becomes an alarm that is told, taken on and
// silenced; people of other sites see nothing of it.
func TestAlarmLife(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	admin := alarmKey(t, s, "admin", ledger.Grant{Role: ledger.Admin})
	other := alarmKey(t, s, "other", ledger.Grant{Role: ledger.Admin, Site: "elsewhere"})
	now := time.Now()
	s.Alarms.Clock = func() time.Time { return now }
	if err := s.Alarms.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A machine whose address another took is silent without being polled.
	ms, err := s.Record.ObserveMachines(t.Context(), []ledger.Sighting{{MAC: "02:00:00:00:00:01", Site: "site", Firmware: string(miner.Antminer)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Fleet.Renew(t.Context(), []int64{ms[0].ID}); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		now = now.Add(10 * time.Second)
		if err := s.Alarms.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	code, one := v.do("GET", "/api/v1/alarms/1", nil, "Authorization", admin)
	if code != 200 || one["class"] != "gone" || one["active"] != 1.0 || one["site"] != "site" {
		t.Fatalf("the alarm: %d %v", code, one)
	}
	for _, path := range []string{"/api/v1/alarms/1", "/api/v1/alarms/99"} {
		if code, _ := v.do("GET", path, nil, "Authorization", other); code != 404 {
			t.Errorf("%s for one of another site: %d", path, code)
		}
	}
	if code, _ := v.do("POST", "/api/v1/alarms/1/acknowledge", map[string]any{}, "Authorization", other); code != 404 {
		t.Errorf("taken on from another site: %d", code)
	}
	if code, out := v.do("POST", "/api/v1/alarms/1/acknowledge", map[string]any{"note": "mine"}, "Authorization", admin); code != 200 || out["acked_by"] != "admin (key k)" || out["ack_note"] != "mine" {
		t.Errorf("taking on: %d %v", code, out)
	}
	if code, out := v.do("POST", "/api/v1/alarms/1/silence", map[string]any{"minutes": 60, "reason": "known"}, "Authorization", admin); code != 201 || out["alarm"] != 1.0 {
		t.Errorf("silencing: %d %v", code, out)
	}
	if _, out := v.do("GET", "/api/v1/alarms/1", nil, "Authorization", admin); !strings.Contains(fmt.Sprint(out["quiet"]), "known") {
		t.Errorf("silenced: %v", out["quiet"])
	}
	rows, err := s.Record.AuditRows(t.Context(), ledger.AuditFilter{Subject: "alarm/1"})
	if err != nil || len(rows) != 1 || rows[0].Action != "alarm.acknowledge" || rows[0].Actor != "admin (key k)" {
		t.Errorf("audit %+v, %v", rows, err)
	}
	// After a restart it is the same alarm, still taken on.
	if err := s.Alarms.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Alarms.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if open := s.Alarms.Open(); len(open) != 1 || open[0].ID != 1 || open[0].AckedBy != "admin (key k)" {
		t.Errorf("after a restart: %+v", open)
	}
}
