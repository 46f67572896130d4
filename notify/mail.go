package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Mail sends mail through one server.
type Mail struct {
	s        Settings
	password string
}

// NewMail makes a Mail of settings that were checked.
func NewMail(s Settings, password string) *Mail { return &Mail{s, password} }

// Deliver implements Receiver.
func (m *Mail) Deliver(ctx context.Context, msg Message) (string, error) {
	return m.send(ctx, m.s.To, msg)
}

// Send sends one mail to a list of addresses. html may be empty.
func (m *Mail) Send(ctx context.Context, to []string, subject, text, html string, attachments []Attachment) error {
	_, err := m.send(ctx, to, Message{Subject: subject, Text: text, HTML: html, State: Report, At: time.Now(), Attachments: attachments})
	return err
}

func (m *Mail) send(ctx context.Context, to []string, msg Message) (string, error) {
	letter := gomail.NewMsg()
	if err := letter.From(m.s.From); err != nil {
		return "", fmt.Errorf("%w: from: %w", ErrInvalid, err)
	}
	if len(to) == 0 {
		return "", fmt.Errorf("%w: to nobody", ErrInvalid)
	}
	if err := letter.To(to...); err != nil {
		return "", fmt.Errorf("%w: to: %w", ErrInvalid, err)
	}
	letter.Subject(line(msg.Subject, 200))
	letter.SetDateWithValue(msg.At)
	letter.SetMessageID()
	letter.SetUserAgent("Ballast")
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	if msg.Dedup != "" {
		// All about one thing is one conversation in the reader's mailbox.
		letter.SetGenHeader(gomail.HeaderReferences, "<"+m.thread(msg.Dedup)+">")
	}
	if msg.State == Trigger && (msg.Severity == "critical" || msg.Severity == "major") {
		letter.SetImportance(gomail.ImportanceHigh)
	}
	text := msg.Text
	if msg.Link != "" {
		text += "\n\n" + msg.Link + "\n"
	}
	letter.SetBodyString(gomail.TypeTextPlain, text)
	if msg.HTML != "" {
		letter.AddAlternativeString(gomail.TypeTextHTML, msg.HTML)
	}
	for _, a := range msg.Attachments {
		var o []gomail.FileOption
		if a.ContentType != "" {
			o = append(o, gomail.WithFileContentType(gomail.ContentType(a.ContentType)))
		}
		if err := letter.AttachReader(line(a.Name, 120), bytes.NewReader(a.Data), o...); err != nil {
			return "", fmt.Errorf("attaching %s: %w", a.Name, err)
		}
	}
	client, err := m.client()
	if err != nil {
		return "", err
	}
	if err := client.DialAndSendWithContext(ctx, letter); err != nil {
		return "", m.named(err)
	}
	return line(m.hide(letter.ServerResponse()), 300), nil
}

// thread is the id of a conversation: a dedup key in the form of a message id.
func (m *Mail) thread(dedup string) string {
	sum := sha256.Sum256([]byte(dedup))
	host := "ballast"
	if a, err := mail.ParseAddress(m.s.From); err == nil {
		_, host, _ = strings.Cut(a.Address, "@")
	}
	return hex.EncodeToString(sum[:12]) + "@" + host
}

func (m *Mail) client() (*gomail.Client, error) {
	conf := &tls.Config{ServerName: m.s.Host, MinVersion: tls.VersionTLS12}
	if m.s.CA != "" {
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM([]byte(m.s.CA)) {
			return nil, fmt.Errorf("%w: ca: no certificate in PEM", ErrInvalid)
		}
	}
	o := []gomail.Option{gomail.WithTimeout(15 * time.Second), gomail.WithTLSConfig(conf), gomail.WithoutNoop()}
	port := m.s.Port
	fallback := func(p int) int {
		if port > 0 {
			return port
		}
		return p
	}
	switch m.s.Security {
	case "tls":
		o = append(o, gomail.WithSSL(), gomail.WithPort(fallback(465)))
	case "none":
		o = append(o, gomail.WithTLSPolicy(gomail.NoTLS), gomail.WithPort(fallback(25)))
	default: // never in clear when the server does not offer it
		o = append(o, gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithPort(fallback(587)))
	}
	if m.s.User != "" {
		o = append(o, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(m.s.User), gomail.WithPassword(m.password))
	}
	c, err := gomail.NewClient(m.s.Host, o...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return c, nil
}

// named tells what will not get better by itself: the server said no for good
// (a code of 5xx), or does not know the account.
func (m *Mail) named(err error) error {
	text := m.hide(err.Error())
	var se *gomail.SendError
	if errors.As(err, &se) && se.ErrorCode() >= 500 || strings.Contains(text, "535") {
		return fmt.Errorf("%w: %s", ErrRefused, text)
	}
	return errors.New(text)
}

func (m *Mail) hide(text string) string {
	if m.password == "" {
		return text
	}
	return strings.ReplaceAll(text, m.password, "[hidden]")
}
