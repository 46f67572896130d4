package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// webhook posts JSON, signed when it has a key.
type webhook struct {
	poster
	url, key string
}

// WebhookBody is what a webhook gets.
type WebhookBody struct {
	Version  int               `json:"version"` // 1
	ID       string            `json:"id"`      // the same for all about one thing
	State    State             `json:"state"`
	Severity string            `json:"severity"`
	Subject  string            `json:"subject"`
	Text     string            `json:"text"`
	Link     string            `json:"link,omitempty"`
	Source   string            `json:"source,omitempty"`
	At       time.Time         `json:"at"`
	Details  map[string]string `json:"details,omitempty"`
}

// SignatureHeader carries "t=<unix seconds>,v1=<hex>": the HMAC-SHA256, under the
// receiver's key, of the seconds, a dot and the body. The receiver refuses what
// is older than a few minutes, so that nothing can be played again.
const SignatureHeader = "X-Ballast-Signature"

// Sign is the value of SignatureHeader.
func Sign(key string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(t + "."))
	h.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(h.Sum(nil))
}

// Deliver implements Receiver.
func (w *webhook) Deliver(ctx context.Context, m Message) (string, error) {
	b, err := json.Marshal(WebhookBody{1, m.Dedup, m.State, m.Severity, m.Subject, m.Text, m.Link, m.Source, m.At.UTC(), m.Details})
	if err != nil {
		return "", fmt.Errorf("writing the message: %w", err)
	}
	header := map[string]string{}
	if w.key != "" {
		header[SignatureHeader] = Sign(w.key, time.Now(), b)
	}
	answer, err := w.postRaw(ctx, w.url, b, header)
	return answer, err
}
