package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"ballast/miner"
)

// TLS says how the dashboard and the API are served over TLS: with certificate
// files, or with certificates that an ACME provider gives.
type TLS struct {
	Cert string `yaml:"cert" doc:"File with the certificate and its chain, PEM. Read again when it changes."`
	Key  string `yaml:"key" doc:"File with the certificate's private key, PEM."`
	ACME ACME   `yaml:"acme" doc:"Certificates from an ACME provider (Let's Encrypt) instead of files. It must reach this server on port 443, or on port 80 through acme.http."`
}

// On tells whether there is TLS at all.
func (t TLS) On() bool { return t.Cert != "" || len(t.ACME.Hosts) > 0 }

// ACME says which certificates are asked for, and where.
type ACME struct {
	Hosts     []string `yaml:"hosts" doc:"Names to have certificates for. Naming one switches ACME on and accepts the provider's terms."`
	Email     string   `yaml:"email" doc:"Where the provider writes to when something is wrong with the certificates."`
	Directory string   `yaml:"directory" doc:"The provider's directory URL. Empty: Let's Encrypt."`
	Roots     string   `yaml:"roots" doc:"File with the root certificates of a provider of your own, PEM. Empty: the system's."`
	HTTP      string   `yaml:"http" doc:"Address such as :80 that answers the provider over plain HTTP and sends everybody else to HTTPS. Empty: the provider asks on port 443."`
}

// Limits bound how often the API may be asked.
type Limits struct {
	Address   int `yaml:"address" min:"0" max:"1000000" doc:"Requests a second from one address, four seconds' worth at once. 0 does not limit."`
	Principal int `yaml:"principal" min:"0" max:"1000000" doc:"Requests a second by one person or API key, four seconds' worth at once. 0 does not limit."`
}

// SignIn says how people sign in beside name and password and passkeys.
type SignIn struct {
	OIDC OIDC `yaml:"oidc" doc:"An OpenID Connect provider (Keycloak, Entra, Google, Okta, ...). Its redirect URI is <url>/api/v1/session/oidc/callback."`
}

// OIDC is an OpenID Connect provider.
type OIDC struct {
	Issuer           string       `yaml:"issuer" doc:"The provider's issuer URL, exactly as it calls itself. Empty: none."`
	Name             string       `yaml:"name" doc:"What the button on the sign-in page calls it. Empty: its host name."`
	ClientID         string       `yaml:"client_id" doc:"Ballast's client ID at the provider."`
	ClientSecret     miner.Secret `yaml:"client_secret" doc:"Ballast's client secret. Prefer client_secret_env or client_secret_file. A public client has none."`
	ClientSecretEnv  string       `yaml:"client_secret_env" doc:"Environment variable that holds the client secret."`
	ClientSecretFile string       `yaml:"client_secret_file" doc:"File whose first line is the client secret."`
	Scopes           []string     `yaml:"scopes" doc:"Scopes to ask for beside openid. Empty: profile and email."`
	Claim            string       `yaml:"claim" doc:"Claim of the ID token or the user info that grants are given for (groups)."`
	Grants           []ClaimGrant `yaml:"grants" doc:"Which value of the claim gives which role. With entries, people whom the provider gives a role get an account by signing in, and their grants follow the provider; without, the provider opens only accounts that were joined to it."`
	Domains          []string     `yaml:"domains" doc:"Domains that a verified e-mail address must be of. Empty: any."`
}

// ClaimGrant gives a role for a value of the claim.
type ClaimGrant struct {
	Value string `yaml:"value" doc:"Value of the claim (a group's name)."`
	Role  string `yaml:"role" enum:"viewer,technician,operator,engineer,finance,admin,tenant" doc:"Role that it gives."`
	Site  string `yaml:"site" doc:"Site at which it gives it. Empty: all."`
}

// Secret resolves the client secret, reading environment or file.
func (o OIDC) Secret() (miner.Secret, error) {
	switch {
	case o.ClientSecretEnv != "":
		v, ok := os.LookupEnv(o.ClientSecretEnv)
		if !ok {
			return "", fmt.Errorf("sign_in.oidc: environment variable %s is not set", o.ClientSecretEnv)
		}
		return miner.Secret(v), nil
	case o.ClientSecretFile != "":
		b, err := os.ReadFile(o.ClientSecretFile)
		if err != nil {
			return "", fmt.Errorf("sign_in.oidc: %w", err)
		}
		line, _, _ := strings.Cut(string(b), "\n")
		return miner.Secret(strings.TrimRight(line, "\r")), nil
	}
	return o.ClientSecret, nil
}

// checkAccess finds what is wrong in who may come in, and how.
func checkAccess(c *Config, add func(key, format string, args ...any)) {
	host, _, err := net.SplitHostPort(c.Listen)
	if err == nil && !loopback(host) && !c.TLS.On() && !c.ListenPlain {
		add("listen", "%s is open to a network without TLS: passwords and sessions could be read there. Set tls.cert and tls.key, or tls.acme.hosts; or, when a proxy in front does TLS, listen_plain: true with trusted_proxies", c.Listen)
	}
	switch t := c.TLS; {
	case (t.Cert == "") != (t.Key == ""):
		add("tls", "give both cert and key")
	case t.Cert != "" && len(t.ACME.Hosts) > 0:
		add("tls", "give certificate files or acme.hosts, not both")
	case t.On() && strings.HasPrefix(c.URL, "http://"):
		add("url", "%q is plain HTTP, and tls is on", c.URL)
	}
	for i, h := range c.TLS.ACME.Hosts {
		if _, err := netip.ParseAddr(h); err == nil || !strings.Contains(h, ".") || strings.ContainsAny(h, ":/*") {
			add(fmt.Sprintf("tls.acme.hosts[%d]", i), "%q is no name such as ballast.example.com", h)
		}
	}
	if a := c.TLS.ACME.HTTP; a != "" {
		if _, _, err := net.SplitHostPort(a); err != nil {
			add("tls.acme.http", "%q is no address such as :80", a)
		}
	}
	if d := c.TLS.ACME.Directory; d != "" && !webURL(d, true) {
		add("tls.acme.directory", "%q is no https URL", d)
	}
	for i, p := range c.TrustedProxies {
		if p != p.Masked() {
			add(fmt.Sprintf("trusted_proxies[%d]", i), "%v has bits set behind its mask; did you mean %v?", p, p.Masked())
		}
		if p.Bits() == 0 {
			add(fmt.Sprintf("trusted_proxies[%d]", i), "%v trusts everybody to say who they are; name the proxy's address", p)
		}
	}
	o := c.SignIn.OIDC
	if o.Issuer == "" {
		if o.ClientID != "" || len(o.Grants) > 0 {
			add("sign_in.oidc.issuer", "the provider's issuer URL is missing")
		}
		return
	}
	if !webURL(o.Issuer, false) {
		add("sign_in.oidc.issuer", "%q is no https URL (http is taken on loopback only)", o.Issuer)
	}
	if o.ClientID == "" {
		add("sign_in.oidc.client_id", "is missing")
	}
	n := 0
	for _, given := range []bool{o.ClientSecret != "", o.ClientSecretEnv != "", o.ClientSecretFile != ""} {
		if given {
			n++
		}
	}
	if n > 1 {
		add("sign_in.oidc", "give at most one of client_secret, client_secret_env, client_secret_file")
	}
	if len(o.Grants) > 0 && o.Claim == "" {
		add("sign_in.oidc.claim", "name the claim that the grants are given for")
	}
	for i, g := range o.Grants {
		if g.Value == "" {
			add(fmt.Sprintf("sign_in.oidc.grants[%d].value", i), "is empty")
		}
	}
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// webURL tells whether text is an https URL; http does on loopback unless strict.
func webURL(text string, strict bool) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	return u.Scheme == "https" || !strict && u.Scheme == "http" && loopback(u.Hostname())
}
