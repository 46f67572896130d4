package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"ballast/config"
	"ballast/ledger"
	"ballast/server"
)

// entry is how people and commands come in: the addresses that are listened on,
// and how each is called.
type entry struct {
	doors []net.Listener
	url   string // people's
	local string // of the commands on this machine
	oidc  *server.OIDC
	keep  func(context.Context) error // sees to the certificates; nil when nobody has to
	close func()
}

// addressOf is how people reach what listens at an address.
func addressOf(cfg config.Config, listen string) string {
	switch {
	case cfg.URL != "":
		return cfg.URL
	case len(cfg.TLS.ACME.Hosts) > 0:
		url := "https://" + cfg.TLS.ACME.Hosts[0]
		if _, port, err := net.SplitHostPort(listen); err == nil && port != "443" {
			url += ":" + port
		}
		return url
	case cfg.TLS.On():
		return "https://" + listen
	}
	return "http://" + listen
}

// openEntry puts TLS on l when it is configured. The commands of this machine
// then get a door of their own, plain and on loopback, so that they need not know
// whose name the certificate bears.
func (h *house) openEntry(ctx context.Context, l net.Listener) (*entry, error) {
	cfg := h.cfg
	e := &entry{url: addressOf(cfg, l.Addr().String()), local: "http://" + l.Addr().String(), doors: []net.Listener{l}, close: func() {}}
	var err error
	if e.oidc, err = provider(cfg.SignIn.OIDC); err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if !cfg.TLS.On() {
		return e, nil
	}
	var secure *tls.Config
	if cfg.TLS.Cert != "" {
		secure, err = server.FileTLS(ctx, cfg.TLS.Cert, cfg.TLS.Key, h.log)
	} else {
		a := cfg.TLS.ACME
		var c *server.Certificates
		c, err = server.OpenACME(server.ACME{Hosts: a.Hosts, Email: a.Email, Directory: a.Directory, Roots: a.Roots, Dir: filepath.Join(cfg.Data, "certificates"), HTTP: a.HTTP != ""}, h.log)
		if err == nil {
			secure, e.keep = c.TLS, c.Keep
		}
		if err == nil && c.HTTP != nil {
			e.close, err = h.serveACME(ctx, a.HTTP, c.HTTP)
		}
	}
	if err != nil {
		return nil, err
	}
	inside, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		e.close()
		return nil, fmt.Errorf("opening a door for this machine's commands: %w", err)
	}
	e.local = "http://" + inside.Addr().String()
	e.doors = []net.Listener{tls.NewListener(l, secure), inside}
	return e, nil
}

// serveACME answers the provider over plain HTTP.
func (h *house) serveACME(ctx context.Context, address string, answer http.Handler) (func(), error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("opening %s for the ACME provider: %w", address, err)
	}
	srv := &http.Server{Handler: answer, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	go func() { _ = srv.Serve(l) }() // ends with Close
	return func() { _ = srv.Close() }, nil
}

// provider is the OpenID Connect provider of the configuration; nil for none.
func provider(c config.OIDC) (*server.OIDC, error) {
	if c.Issuer == "" {
		return nil, nil
	}
	secret, err := c.Secret()
	if err != nil {
		return nil, err
	}
	o := &server.OIDC{Name: c.Name, Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: secret, Scopes: c.Scopes, Claim: c.Claim, Domains: c.Domains}
	if len(o.Scopes) == 0 {
		o.Scopes = []string{"profile", "email"}
	}
	for _, g := range c.Grants {
		o.Grants = append(o.Grants, server.ClaimGrant{Value: g.Value, Grant: ledger.Grant{Role: ledger.Role(g.Role), Site: g.Site}})
	}
	return o, nil
}
