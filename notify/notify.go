// Package notify tells people and programs: by e-mail, webhook, Slack, Telegram
// and PagerDuty.
//
// A [Receiver] delivers one [Message] and gives back what the other side said. An
// [Outbox] delivers what waits in the record at least once: it tries again, later
// each time, keeps the order of what is about one thing, and sends no receiver
// more than it may get.
//
// Secrets (passwords, keys, addresses that are secrets themselves) come in by
// [Secrets] and never come out: not in errors, not in answers, not in logs.
package notify

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The ways a delivery can fail. What is neither is worth another try.
var (
	ErrInvalid = errors.New("not valid")                    // the settings
	ErrRefused = errors.New("the receiver refuses")         // for good: wrong key, unknown chat
	ErrTarget  = errors.New("this address is not asked")    // link-local, metadata
	ErrNoMail  = errors.New("no mail server is configured") // for mail without a receiver of its own
)

// State is what a message says about its subject.
type State string

// The states, in PagerDuty's words.
const (
	Trigger     State = "trigger"
	Acknowledge State = "acknowledge"
	Resolve     State = "resolve"
	Report      State = "report" // nothing happened: a report, a test
)

// Attachment is a file that goes with a mail.
type Attachment struct {
	Name        string // "report.pdf"
	ContentType string // "application/pdf"; empty is by the name's ending
	Data        []byte
}

// Message is one thing to say.
type Message struct {
	Subject  string    `json:"subject"` // one line
	Text     string    `json:"text"`
	HTML     string    `json:"html,omitempty"`
	Severity string    `json:"severity,omitempty"` // info, minor, major, critical
	Dedup    string    `json:"dedup,omitempty"`    // the same for all about one thing
	State    State     `json:"state"`
	Link     string    `json:"link,omitempty"`
	Source   string    `json:"source,omitempty"` // the site
	At       time.Time `json:"at"`
	// Details are facts by name, for programs.
	Details     map[string]string `json:"details,omitempty"`
	Attachments []Attachment      `json:"-"` // mail only
}

// Receiver is somebody or something that can be told. Deliver honours the
// context's deadline and returns what the other side said, shortened and without
// secrets; errors wrap ErrRefused when another try is useless.
type Receiver interface {
	Deliver(ctx context.Context, m Message) (answer string, err error)
}

// Kind is a kind of receiver.
type Kind string

// The kinds.
const (
	Email     Kind = "email"
	Webhook   Kind = "webhook"
	Slack     Kind = "slack"
	Telegram  Kind = "telegram"
	PagerDuty Kind = "pagerduty"
)

// Settings say how a receiver is reached; they hold no secret.
type Settings struct {
	Kind Kind `json:"kind" enum:"email,webhook,slack,telegram,pagerduty"`

	Host     string   `json:"host,omitempty" doc:"email: the mail server"`
	Port     int      `json:"port,omitempty" doc:"email: 0 is 587 with starttls, 465 with tls, 25 with none"`
	Security string   `json:"security,omitempty" enum:"starttls,tls,none" doc:"email: how the connection is encrypted"`
	CA       string   `json:"ca,omitempty" doc:"email: certificate (PEM) of a mail server that no public authority vouches for"`
	User     string   `json:"user,omitempty" doc:"email: account at the mail server; empty is no sign-in"`
	From     string   `json:"from,omitempty" doc:"email: sender"`
	To       []string `json:"to,omitempty" doc:"email: addresses"`

	URL  string `json:"url,omitempty" doc:"webhook: where to post to. telegram, pagerduty: another base address than the public one, such as events.eu.pagerduty.com"`
	Chat string `json:"chat,omitempty" doc:"telegram: chat id or @channel"`
}

// Secrets are a receiver's secrets by name: "password" (email), "key" (webhook:
// signs what is sent; pagerduty: integration key), "url" (slack), "token"
// (telegram).
type Secrets map[string]string

// SecretNames are the secrets that a kind takes.
func SecretNames(k Kind) []string {
	switch k {
	case Email:
		return []string{"password"}
	case Webhook, PagerDuty:
		return []string{"key"}
	case Slack:
		return []string{"url"}
	case Telegram:
		return []string{"token"}
	}
	return nil
}

// needed tells whether a kind does not work without its secret.
func needed(k Kind) bool { return k == Slack || k == Telegram || k == PagerDuty }

// Options are what all receivers of one server share.
type Options struct {
	// LinkLocal lets webhooks go to link-local addresses, where clouds keep their
	// metadata: off unless the owner of the server wants it.
	LinkLocal bool
	Version   string
}

// Check says what is wrong with settings. It asks nobody.
func (s *Settings) Check(sec Secrets) error {
	for name := range sec {
		if !slices.Contains(SecretNames(s.Kind), name) {
			return fmt.Errorf("%w: a %s receiver has no secret %q", ErrInvalid, s.Kind, name)
		}
	}
	if needed(s.Kind) && sec[SecretNames(s.Kind)[0]] == "" {
		return fmt.Errorf("%w: a %s receiver needs its %s", ErrInvalid, s.Kind, SecretNames(s.Kind)[0])
	}
	switch s.Kind {
	case Email:
		return s.checkMail(sec)
	case Webhook:
		if s.URL == "" {
			return fmt.Errorf("%w: url: where to post to", ErrInvalid)
		}
	case Slack:
		return checkAddress(sec["url"])
	case Telegram:
		if s.Chat == "" {
			return fmt.Errorf("%w: chat: the chat's id, or @ and the channel's name", ErrInvalid)
		}
		if strings.ContainsAny(sec["token"], "/?# \n") {
			return fmt.Errorf("%w: token: that is no bot's token", ErrInvalid)
		}
	case PagerDuty:
	default:
		return fmt.Errorf("%w: there is no kind of receiver %q", ErrInvalid, s.Kind)
	}
	if s.URL != "" {
		return checkAddress(s.URL)
	}
	return nil
}

func (s *Settings) checkMail(sec Secrets) error {
	if s.Host == "" || strings.ContainsAny(s.Host, " /:\r\n") {
		return fmt.Errorf("%w: host: the mail server's name, without port", ErrInvalid)
	}
	if s.Port < 0 || s.Port > 65535 {
		return fmt.Errorf("%w: port %d", ErrInvalid, s.Port)
	}
	if !slices.Contains([]string{"starttls", "tls", "none"}, s.Security) {
		return fmt.Errorf("%w: security: starttls, tls or none", ErrInvalid)
	}
	if s.Security == "none" && sec["password"] != "" {
		return fmt.Errorf("%w: a password does not go over a connection without encryption: use starttls or tls", ErrInvalid)
	}
	if _, err := mail.ParseAddress(s.From); err != nil {
		return fmt.Errorf("%w: from: %q is no address", ErrInvalid, s.From)
	}
	if len(s.To) == 0 || len(s.To) > 50 {
		return fmt.Errorf("%w: to: 1 to 50 addresses", ErrInvalid)
	}
	for _, a := range s.To {
		if _, err := mail.ParseAddress(a); err != nil {
			return fmt.Errorf("%w: to: %q is no address", ErrInvalid, a)
		}
	}
	return nil
}

func checkAddress(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return fmt.Errorf("%w: url: an address that begins with https:// or http://, without user and password", ErrInvalid)
	}
	return nil
}

// New makes a receiver of settings that were checked.
func New(s Settings, sec Secrets, o Options) (Receiver, error) {
	if err := s.Check(sec); err != nil {
		return nil, err
	}
	switch s.Kind {
	case Email:
		return NewMail(s, sec["password"]), nil
	case Webhook:
		return &webhook{poster: newPoster(o, sec), url: s.URL, key: sec["key"]}, nil
	case Slack:
		return &slack{poster: newPoster(o, sec), url: sec["url"]}, nil
	case Telegram:
		return &telegram{poster: newPoster(o, sec), base: s.URL, token: sec["token"], chat: s.Chat}, nil
	}
	return &pagerDuty{poster: newPoster(o, sec), url: s.URL, key: sec["key"]}, nil
}

// line is text on one line, at most n characters.
func line(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	return short(s, n)
}

// short is text of at most n characters.
func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
