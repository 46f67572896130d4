package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"strings"
)

// slack posts to an incoming webhook: its address is its secret.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
type slack struct {
	poster
	url string
}

// slackText escapes the three characters that Slack's text gives a meaning.
var slackText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Deliver implements Receiver.
func (s *slack) Deliver(ctx context.Context, m Message) (string, error) {
	type text struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	type block struct {
		Type     string `json:"type"`
		Text     *text  `json:"text,omitempty"`
		Elements []text `json:"elements,omitempty"`
	}
	subject := line(m.Subject, 140)
	blocks := []block{
		{Type: "header", Text: &text{"plain_text", subject}},
		{Type: "section", Text: &text{"mrkdwn", short(slackText.Replace(m.Text), 2900)}},
	}
	if m.Link != "" {
		blocks = append(blocks, block{Type: "context", Elements: []text{{"mrkdwn", "<" + m.Link + "|Open in Ballast>"}}})
	}
	answer, err := s.post(ctx, s.url, map[string]any{"text": slackText.Replace(subject), "blocks": blocks}, nil)
	return answer, err
}

// telegram speaks as a bot. https://core.telegram.org/bots/api#sendmessage
type telegram struct {
	poster
	base, token, chat string
}

// Deliver implements Receiver.
func (t *telegram) Deliver(ctx context.Context, m Message) (string, error) {
	base := t.base
	if base == "" {
		base = "https://api.telegram.org"
	}
	text := "<b>" + html.EscapeString(line(m.Subject, 300)) + "</b>\n" + html.EscapeString(short(m.Text, 3000))
	if m.Link != "" {
		text += "\n<a href=\"" + html.EscapeString(m.Link) + "\">Open in Ballast</a>"
	}
	answer, err := t.post(ctx, strings.TrimSuffix(base, "/")+"/bot"+t.token+"/sendMessage", map[string]any{
		"chat_id": t.chat, "text": text, "parse_mode": "HTML", "link_preview_options": map[string]bool{"is_disabled": true},
		"disable_notification": m.Severity == "info" || m.State != Trigger,
	}, nil)
	if err != nil {
		return "", err
	}
	var reply struct {
		OK          bool   `json:"ok"`
		Description string `json:"description"`
	}
	_, body, _ := strings.Cut(answer, ": ")
	if json.Unmarshal([]byte(body), &reply) == nil && !reply.OK {
		return "", fmt.Errorf("%w: %s", ErrRefused, reply.Description)
	}
	return answer, nil
}

// pagerDuty sends events of version 2.
// https://developer.pagerduty.com/docs/send-alert-event
type pagerDuty struct {
	poster
	url, key string
}

// Deliver implements Receiver.
func (p *pagerDuty) Deliver(ctx context.Context, m Message) (string, error) {
	to := p.url
	if to == "" {
		to = "https://events.pagerduty.com"
	}
	action := m.State
	if action == Report {
		action = Trigger // a test: PagerDuty knows nothing milder
	}
	event := map[string]any{"routing_key": p.key, "event_action": action, "dedup_key": short(m.Dedup, 255), "client": "Ballast"}
	if action == Trigger {
		source := m.Source
		if source == "" {
			source = "ballast"
		}
		event["payload"] = map[string]any{"summary": line(m.Subject, 1024), "source": source, "severity": pagerSeverity(m.Severity),
			"timestamp": m.At.UTC().Format("2006-01-02T15:04:05.000Z07:00"), "custom_details": map[string]any{"text": short(m.Text, 20000), "details": m.Details}}
		if m.Link != "" {
			event["client_url"] = m.Link
			event["links"] = []map[string]string{{"href": m.Link, "text": "Open in Ballast"}}
		}
	}
	answer, err := p.post(ctx, strings.TrimSuffix(to, "/")+"/v2/enqueue", event, nil)
	return answer, err
}

func pagerSeverity(s string) string {
	switch s {
	case "critical":
		return "critical"
	case "major":
		return "error"
	case "minor":
		return "warning"
	}
	return "info"
}
