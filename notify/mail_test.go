package notify

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"
)

// postOffice is a small real SMTP server: EHLO, STARTTLS or TLS, AUTH PLAIN, one
// mail after the other.
type postOffice struct {
	t        *testing.T
	l        net.Listener
	cert     tls.Certificate
	pem      string
	tls      bool // from the first byte
	starttls bool
	password string // wanted; empty is no sign-in
	refuse   string // answer to RCPT TO
	mails    chan letterIn
}

type letterIn struct {
	from   string
	to     []string
	secure bool
	data   string
}

func newPostOffice(t *testing.T, change func(*postOffice)) *postOffice {
	t.Helper()
	p := &postOffice{t: t, starttls: true, mails: make(chan letterIn, 8)}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	p.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	p.pem = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	change(p)
	if p.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.l.Close() })
	go func() {
		for {
			c, err := p.l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *postOffice) serve(c net.Conn) {
	defer c.Close()
	secure := p.tls
	if p.tls {
		c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{p.cert}})
	}
	in := bufio.NewReader(c)
	say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
	say("220 post office")
	signedIn := p.password == ""
	var m letterIn
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb := strings.ToUpper(strings.SplitN(line, " ", 2)[0])
		switch {
		case verb == "EHLO":
			say("250-post office")
			if p.starttls && !secure {
				say("250-STARTTLS")
			}
			if p.password != "" && secure {
				say("250-AUTH PLAIN LOGIN")
			}
			say("250 8BITMIME")
		case verb == "STARTTLS":
			say("220 go on")
			c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{p.cert}})
			in, secure = bufio.NewReader(c), true
		case strings.HasPrefix(strings.ToUpper(line), "AUTH PLAIN "):
			raw, _ := base64.StdEncoding.DecodeString(line[len("AUTH PLAIN "):])
			if parts := strings.Split(string(raw), "\x00"); len(parts) == 3 && parts[2] == p.password {
				signedIn = true
				say("235 welcome")
			} else {
				say("535 5.7.8 bad credentials")
			}
		case verb == "MAIL":
			if !signedIn {
				say("530 sign in first")
				continue
			}
			m = letterIn{from: line, secure: secure}
			say("250 ok")
		case verb == "RCPT":
			if p.refuse != "" {
				say(p.refuse)
				continue
			}
			m.to = append(m.to, line)
			say("250 ok")
		case verb == "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				l, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(l, "."))
			}
			m.data = b.String()
			p.mails <- m
			say("250 2.0.0 queued as 4711")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (p *postOffice) settings(security string) Settings {
	return Settings{Kind: Email, Host: "127.0.0.1", Port: freePort(p.t, p.l), Security: security, CA: p.pem, From: "Ballast <ballast@example.com>", To: []string{"night@example.com", "boss@example.com"}}
}

func (p *postOffice) next() letterIn {
	p.t.Helper()
	select {
	case m := <-p.mails:
		return m
	case <-time.After(5 * time.Second):
		p.t.Fatal("no mail came")
		return letterIn{}
	}
}

func TestMail(t *testing.T) {
	for _, c := range []struct {
		security string
		change   func(*postOffice)
		user     string
	}{
		{"starttls", func(p *postOffice) { p.password = "s3cret" }, "ballast"},
		{"tls", func(p *postOffice) { p.tls, p.password = true, "s3cret" }, "ballast"},
		{"none", func(p *postOffice) { p.starttls = false }, ""},
	} {
		t.Run(c.security, func(t *testing.T) {
			p := newPostOffice(t, c.change)
			s := p.settings(c.security)
			s.User = c.user
			sec := Secrets{}
			if c.user != "" {
				sec["password"] = "s3cret"
			}
			answer, err := receiver(t, s, sec).Deliver(t.Context(), sample)
			if err != nil || !strings.Contains(answer, "queued as 4711") {
				t.Fatalf("%q, %v", answer, err)
			}
			m := p.next()
			if len(m.to) != 2 || m.secure != (c.security != "none") {
				t.Errorf("to %v, secure %v", m.to, m.secure)
			}
			msg, err := mail.ReadMessage(strings.NewReader(m.data))
			if err != nil {
				t.Fatal(err)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
			if err != nil || subject != "[CRITICAL] Machine does not answer: container <C01>" {
				t.Errorf("subject %q, %v", subject, err)
			}
			if msg.Header.Get("References") == "" || msg.Header.Get("Auto-Submitted") != "auto-generated" {
				t.Errorf("headers %v", msg.Header)
			}
			kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
			if err != nil || kind != "multipart/alternative" {
				t.Fatalf("content %q, %v", kind, err)
			}
			parts := multipart.NewReader(msg.Body, params["boundary"])
			var kinds []string
			for {
				part, err := parts.NextPart()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				k, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
				kinds = append(kinds, k)
				text, _ := io.ReadAll(part)
				if k == "text/plain" && !strings.Contains(string(text), "https://ballast.example/alarms/7") {
					t.Errorf("text without its link: %s", text)
				}
			}
			if strings.Join(kinds, " ") != "text/plain text/html" {
				t.Errorf("parts %v", kinds)
			}
		})
	}
}

func TestMailWithAttachments(t *testing.T) {
	p := newPostOffice(t, func(*postOffice) {})
	err := NewMail(p.settings("starttls"), "").Send(t.Context(), []string{"cfo@example.com"}, "Daily report", "see attached", "", []Attachment{{Name: "report.csv", ContentType: "text/csv", Data: []byte("a,b\n1,2\n")}})
	if err != nil {
		t.Fatal(err)
	}
	m := p.next()
	if len(m.to) != 1 || !strings.Contains(m.to[0], "cfo@example.com") || !strings.Contains(m.data, `filename="report.csv"`) || !strings.Contains(m.data, base64.StdEncoding.EncodeToString([]byte("a,b\n1,2\n"))) {
		t.Errorf("%v\n%s", m.to, m.data)
	}
}

func TestMailThatFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*postOffice)
		wish   func(*Settings)
		final  bool
	}{
		{"wrong password", func(p *postOffice) { p.password = "right" }, func(s *Settings) { s.User = "ballast" }, true},
		{"unknown recipient", func(p *postOffice) { p.refuse = "550 5.1.1 no such user" }, func(*Settings) {}, true},
		{"busy", func(p *postOffice) { p.refuse = "451 4.3.0 try later" }, func(*Settings) {}, false},
		{"no STARTTLS, and never in clear", func(p *postOffice) { p.starttls = false }, func(*Settings) {}, false},
		{"a certificate that nobody vouches for", func(*postOffice) {}, func(s *Settings) { s.CA = "" }, false},
		{"nobody there", func(*postOffice) {}, func(s *Settings) { s.Port = 1 }, false},
	} {
		p := newPostOffice(t, c.change)
		s := p.settings("starttls")
		c.wish(&s)
		sec := Secrets{}
		if s.User != "" {
			sec["password"] = "hunter2"
		}
		_, err := receiver(t, s, sec).Deliver(t.Context(), sample)
		if err == nil || errors.Is(err, ErrRefused) != c.final || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", c.name, err)
		}
		select {
		case m := <-p.mails:
			t.Errorf("%s: a mail went out all the same: %+v", c.name, m.to)
		default:
		}
	}
}
