package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var sample = Message{Subject: "[CRITICAL] Machine does not answer:\r\n container <C01>", Text: "It means: a & b\n- m1", HTML: "<p>x</p>", Severity: "critical", Dedup: "ballast-alarm-7",
	State: Trigger, Link: "https://ballast.example/alarms/7", Source: "odessa", At: time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC), Details: map[string]string{"affected": "12"}}

// catch is a receiver on loopback that keeps what it got.
type catch struct {
	*httptest.Server
	path   string
	header http.Header
	body   []byte
}

func newCatch(t *testing.T, answer func(http.ResponseWriter)) *catch {
	t.Helper()
	c := &catch{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.path, c.header = r.URL.Path, r.Header
		c.body, _ = io.ReadAll(r.Body)
		answer(w)
	}))
	t.Cleanup(c.Close)
	return c
}

func say(status int, text string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

func receiver(t *testing.T, s Settings, sec Secrets) Receiver {
	t.Helper()
	r, err := New(s, sec, Options{Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWebhook(t *testing.T) {
	c := newCatch(t, say(200, "ok"))
	answer, err := receiver(t, Settings{Kind: Webhook, URL: c.URL + "/in"}, Secrets{"key": "k1"}).Deliver(t.Context(), sample)
	if err != nil || answer != "200 OK: ok" {
		t.Fatalf("%q, %v", answer, err)
	}
	var b WebhookBody
	if err := json.Unmarshal(c.body, &b); err != nil {
		t.Fatal(err)
	}
	if b.Version != 1 || b.ID != sample.Dedup || b.State != Trigger || b.Severity != "critical" || b.Link != sample.Link || b.Details["affected"] != "12" || !b.At.Equal(sample.At) {
		t.Errorf("body %+v", b)
	}
	sent := c.header.Get(SignatureHeader)
	stamp, _, _ := strings.Cut(strings.TrimPrefix(sent, "t="), ",")
	var at int64
	if err := json.Unmarshal([]byte(stamp), &at); err != nil {
		t.Fatal(err)
	}
	if sent != Sign("k1", time.Unix(at, 0), c.body) || sent == Sign("k2", time.Unix(at, 0), c.body) || sent == Sign("k1", time.Unix(at, 0), append(c.body, ' ')) {
		t.Errorf("signature %q", sent)
	}
}

// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
func TestSlack(t *testing.T) {
	c := newCatch(t, say(200, "ok"))
	if _, err := receiver(t, Settings{Kind: Slack}, Secrets{"url": c.URL + "/services/T0/B0/x"}).Deliver(t.Context(), sample); err != nil {
		t.Fatal(err)
	}
	var b struct {
		Text   string
		Blocks []struct {
			Type string
			Text struct{ Type, Text string }
		}
	}
	if err := json.Unmarshal(c.body, &b); err != nil {
		t.Fatal(err)
	}
	if len(b.Blocks) != 3 || b.Blocks[0].Type != "header" || b.Blocks[0].Text.Type != "plain_text" || strings.ContainsAny(b.Blocks[0].Text.Text, "\r\n") || !strings.Contains(b.Text, "&lt;C01&gt;") ||
		b.Blocks[1].Text.Type != "mrkdwn" || !strings.Contains(b.Blocks[1].Text.Text, "a &amp; b") {
		t.Errorf("body %s", c.body)
	}
}

// https://core.telegram.org/bots/api#sendmessage
func TestTelegram(t *testing.T) {
	c := newCatch(t, say(200, `{"ok":true,"result":{"message_id":5}}`))
	s := Settings{Kind: Telegram, URL: c.URL, Chat: "-100123"}
	if _, err := receiver(t, s, Secrets{"token": "123:abc"}).Deliver(t.Context(), sample); err != nil {
		t.Fatal(err)
	}
	var b struct {
		ChatID    string `json:"chat_id"`
		Text      string
		ParseMode string `json:"parse_mode"`
	}
	if err := json.Unmarshal(c.body, &b); err != nil {
		t.Fatal(err)
	}
	if c.path != "/bot123:abc/sendMessage" || b.ChatID != "-100123" || b.ParseMode != "HTML" || !strings.Contains(b.Text, "&lt;C01&gt;") || !strings.Contains(b.Text, "a &amp; b") {
		t.Errorf("%s %s", c.path, c.body)
	}
	no := newCatch(t, say(403, `{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked"}`))
	s.URL = no.URL
	if _, err := receiver(t, s, Secrets{"token": "123:abc"}).Deliver(t.Context(), sample); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "kicked") || strings.Contains(err.Error(), "123:abc") {
		t.Errorf("kicked: %v", err)
	}
}

// https://developer.pagerduty.com/docs/send-alert-event
func TestPagerDuty(t *testing.T) {
	c := newCatch(t, say(202, `{"status":"success","message":"Event processed","dedup_key":"x"}`))
	r := receiver(t, Settings{Kind: PagerDuty, URL: c.URL}, Secrets{"key": "R0UTING"})
	for _, x := range []struct {
		state  State
		action string
	}{{Trigger, "trigger"}, {Acknowledge, "acknowledge"}, {Resolve, "resolve"}, {Report, "trigger"}} {
		m := sample
		m.State = x.state
		if _, err := r.Deliver(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		var b struct {
			RoutingKey  string `json:"routing_key"`
			EventAction string `json:"event_action"`
			DedupKey    string `json:"dedup_key"`
			Payload     *struct{ Summary, Source, Severity, Timestamp string }
			Links       []struct{ Href string }
		}
		if err := json.Unmarshal(c.body, &b); err != nil {
			t.Fatal(err)
		}
		if c.path != "/v2/enqueue" || b.RoutingKey != "R0UTING" || b.EventAction != x.action || b.DedupKey != sample.Dedup {
			t.Errorf("%s: %s", x.state, c.body)
		}
		if (b.Payload != nil) != (x.action == "trigger") {
			t.Errorf("%s: payload %v", x.state, b.Payload)
		}
		if p := b.Payload; p != nil && (p.Severity != "critical" || p.Source != "odessa" || strings.ContainsAny(p.Summary, "\r\n") || b.Links[0].Href != sample.Link) {
			t.Errorf("payload %+v", p)
		}
	}
}

func TestWhatReceiversAnswer(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter)
		final  bool
		wait   time.Duration
	}{
		{"no", say(404, "no_such_hook"), true, 0},
		{"elsewhere", func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://169.254.169.254/")
			w.WriteHeader(http.StatusFound)
		}, true, 0},
		{"broken", say(500, "oops"), false, 0},
		{"busy", func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		}, false, 7 * time.Second},
	} {
		srv := newCatch(t, c.answer)
		_, err := receiver(t, Settings{Kind: Webhook, URL: srv.URL}, nil).Deliver(t.Context(), sample)
		var after *After
		if err == nil || errors.Is(err, ErrRefused) != c.final || errors.As(err, &after) != (c.wait > 0) || after != nil && after.Wait != c.wait {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	done := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done }))
	defer slow.Close()
	defer close(done)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := receiver(t, Settings{Kind: Webhook, URL: slow.URL}, nil).Deliver(ctx, sample); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("slow: %v", err)
	}
	// Nobody there: the address of a Slack hook is a secret even in errors.
	_, err := receiver(t, Settings{Kind: Slack}, Secrets{"url": "http://127.0.0.1:1/services/SECRET"}).Deliver(t.Context(), sample)
	if err == nil || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("refused connection: %v", err)
	}
}

// A webhook must not become a way to read the cloud's metadata, by any spelling.
func TestTargets(t *testing.T) {
	for addr, ok := range map[string]bool{
		"169.254.169.254": false, "169.254.1.1": false, "fe80::1": false, "::ffff:169.254.169.254": false, "fd00:ec2::254": false, "100.100.100.200": false,
		"0.0.0.0": false, "::": false, "224.0.0.1": false, "255.255.255.255": false, "127.0.0.1": true, "10.1.2.3": true, "192.168.1.4": true, "93.184.216.34": true, "::1": true,
	} {
		if why := refuses(netip.MustParseAddr(addr), false); (why == "") != ok {
			t.Errorf("%s: %q", addr, why)
		}
	}
	if refuses(netip.MustParseAddr("169.254.169.254"), true) != "" || refuses(netip.MustParseAddr("0.0.0.0"), true) == "" {
		t.Error("link-local, when the owner allows it")
	}
	for _, u := range []string{"http://169.254.169.254/latest", "http://[fe80::1%25lo]/", "http://[::ffff:169.254.169.254]/", "http://2852039166/"} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := receiver(t, Settings{Kind: Webhook, URL: u}, nil).Deliver(ctx, sample)
		cancel()
		if err == nil || strings.HasPrefix(u, "http://169") && !errors.Is(err, ErrTarget) {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func TestSettingsThatMakeNoSense(t *testing.T) {
	for name, c := range map[string]struct {
		s   Settings
		sec Secrets
	}{
		"kind":              {Settings{Kind: "fax"}, nil},
		"no url":            {Settings{Kind: Webhook}, nil},
		"file":              {Settings{Kind: Webhook, URL: "file:///etc/passwd"}, nil},
		"password in url":   {Settings{Kind: Webhook, URL: "https://a:b@example.com/"}, nil},
		"no slack url":      {Settings{Kind: Slack}, nil},
		"no token":          {Settings{Kind: Telegram, Chat: "1"}, nil},
		"path in token":     {Settings{Kind: Telegram, Chat: "1"}, Secrets{"token": "a/../b"}},
		"unknown secret":    {Settings{Kind: Webhook, URL: "https://example.com/"}, Secrets{"password": "x"}},
		"no recipient":      {Settings{Kind: Email, Host: "h", Security: "tls", From: "a@b.c"}, nil},
		"bad recipient":     {Settings{Kind: Email, Host: "h", Security: "tls", From: "a@b.c", To: []string{"x\r\nBcc: y@z"}}, nil},
		"password in clear": {Settings{Kind: Email, Host: "h", Security: "none", User: "u", From: "a@b.c", To: []string{"d@e.f"}}, Secrets{"password": "p"}},
	} {
		if err := c.s.Check(c.sec); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func freePort(t *testing.T, l net.Listener) int {
	t.Helper()
	return l.Addr().(*net.TCPAddr).Port
}
