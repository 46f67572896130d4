package server

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/oauth2"

	"ballast/ledger"
	"ballast/miner"
	"ballast/unit"
)

// OIDC is an OpenID Connect provider that people sign in with.
type OIDC struct {
	Name         string // on the button
	Issuer       string
	ClientID     string
	ClientSecret miner.Secret
	Scopes       []string // openid is always asked for
	// Claim names the claim of the ID token (or of the user info) whose values
	// Grants are given for.
	Claim  string
	Grants []ClaimGrant
	// Domains are those that a verified e-mail address must be of; empty: any.
	Domains []string
	Client  *http.Client // nil: http.DefaultClient
}

// ClaimGrant gives a grant to whoever has a value of the claim.
type ClaimGrant struct {
	Value string
	Grant ledger.Grant
}

// provider speaks to the provider. Its description is fetched when it is first
// needed, and again after a failure: Ballast starts without it.
type provider struct {
	OIDC
	redirect string

	mu     sync.Mutex
	found  *oidc.Provider
	failed time.Time
}

func newProvider(o OIDC, address string) *provider {
	if o.Name == "" {
		o.Name = o.Issuer
		if u, err := url.Parse(o.Issuer); err == nil {
			o.Name = u.Hostname()
		}
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 10 * time.Second}
	}
	return &provider{OIDC: o, redirect: strings.TrimRight(address, "/") + "/api/v1/session/oidc/callback"}
}

// tries is how often a provider that does not answer is asked for its
// description: a page that is reloaded does not hammer it.
const providerRetry = 5 * time.Second

func (p *provider) discover() (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if time.Since(p.failed) < providerRetry {
		return nil, errors.New("the provider did not answer a moment ago")
	}
	// Not the request's context: the provider keeps it for fetching keys later.
	found, err := oidc.NewProvider(oidc.ClientContext(context.Background(), p.Client), p.Issuer)
	if err != nil {
		p.failed = time.Now()
		return nil, err
	}
	p.found = found
	return found, nil
}

func (p *provider) config(found *oidc.Provider) oauth2.Config {
	scopes := p.Scopes
	if !slices.Contains(scopes, oidc.ScopeOpenID) {
		scopes = append([]string{oidc.ScopeOpenID}, scopes...)
	}
	return oauth2.Config{ClientID: p.ClientID, ClientSecret: string(p.ClientSecret), Endpoint: found.Endpoint(), RedirectURL: p.redirect, Scopes: scopes}
}

// oidcStep is what the second step must match.
type oidcStep struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	To       string `json:"to"`
	Link     int64  `json:"link"` // the user who joins the identity to their account; 0 signs in
}

// goTo sends the browser elsewhere.
type goTo struct {
	Status    int
	Location  string   `header:"Location"`
	SetCookie []string `header:"Set-Cookie"`
	Cache     string   `header:"Cache-Control"`
}

func redirect(to string, cookies ...*http.Cookie) *goTo {
	g := &goTo{Status: http.StatusSeeOther, Location: to, Cache: "no-store"}
	for _, c := range cookies {
		g.SetCookie = append(g.SetCookie, c.String())
	}
	return g
}

func (s *Server) registerOIDC() {
	moved := map[string]*huma.Response{"303": {Description: "Go there"}}
	op(s, huma.Operation{OperationID: "oidc-begin", Method: http.MethodGet, Path: "/api/v1/session/oidc", Summary: "Go to the OpenID Connect provider to sign in", Tags: []string{"session"}, DefaultStatus: http.StatusSeeOther, Responses: moved},
		func(_ context.Context, in *struct {
			To string `query:"to" maxLength:"2000" doc:"A path of this server to come back to."`
		}) (*goTo, error) {
			return s.toProvider(oidcStep{To: ownPath(in.To)}, "/sign-in")
		})
	op(s, huma.Operation{OperationID: "link-identity", Method: http.MethodPost, Path: "/api/v1/account/identities", Summary: "Join your account to one at the provider", Tags: []string{"account"}, Errors: []int{409},
		Description: "Answers with the address to go to."},
		func(ctx context.Context, _ *struct{}) (*struct {
			SetCookie []string `header:"Set-Cookie"`
			Body      struct {
				Location string `json:"location"`
			}
		}, error) {
			p, _ := principal(ctx)
			if s.provider == nil {
				return nil, huma.Error409Conflict("no OpenID Connect provider is configured (sign_in.oidc)")
			}
			g, err := s.toProvider(oidcStep{To: "/settings/account", Link: p.User.ID}, "")
			if err != nil {
				return nil, err
			}
			out := &struct {
				SetCookie []string `header:"Set-Cookie"`
				Body      struct {
					Location string `json:"location"`
				}
			}{SetCookie: g.SetCookie}
			out.Body.Location = g.Location
			return out, nil
		})
	op(s, huma.Operation{OperationID: "oidc-return", Method: http.MethodGet, Path: "/api/v1/session/oidc/callback", Summary: "Come back from the provider", Tags: []string{"session"}, DefaultStatus: http.StatusSeeOther, Responses: moved}, s.fromProvider)
}

// toProvider sends the browser to the provider, or, when that does not answer,
// to the page where it came from.
func (s *Server) toProvider(step oidcStep, back string) (*goTo, error) {
	if s.provider == nil {
		return nil, huma.Error409Conflict("no OpenID Connect provider is configured (sign_in.oidc)")
	}
	found, err := s.provider.discover()
	if err != nil {
		s.Log.Error("asking the OpenID Connect provider", "issuer", s.provider.Issuer, "error", err)
		if back == "" {
			return nil, huma.Error409Conflict(s.provider.Name + " does not answer; try again, or sign in another way")
		}
		return redirect(back + "?problem=" + url.QueryEscape(s.provider.Name+" does not answer; try again, or sign in with your password")), nil
	}
	step.State, _ = ledger.NewSecret()
	step.Nonce, _ = ledger.NewSecret()
	step.Verifier = oauth2.GenerateVerifier()
	text, err := s.sealer.seal(stepOIDC, step, time.Now())
	if err != nil {
		return nil, s.fail("sealing the sign-in", err)
	}
	config := s.provider.config(found)
	return redirect(config.AuthCodeURL(step.State, oidc.Nonce(step.Nonce), oauth2.S256ChallengeOption(step.Verifier)), s.stepCookie(text)), nil
}

type returnInput struct {
	Code  string `query:"code" maxLength:"4000"`
	State string `query:"state" maxLength:"500"`
	Error string `query:"error" maxLength:"500"`
}

// fromProvider is the second step. Whatever goes wrong ends at the sign-in page
// with a sentence: nobody is left on a page of JSON.
func (s *Server) fromProvider(ctx context.Context, in *returnInput) (*goTo, error) {
	if s.provider == nil {
		return nil, huma.Error409Conflict("no OpenID Connect provider is configured (sign_in.oidc)")
	}
	now := time.Now()
	var step oidcStep
	id, err := s.sealer.open(stepOIDC, callerOf(ctx).cookie(s.stepCookie("x").Name), &step, now)
	back := "/sign-in"
	if step.Link != 0 {
		back = step.To
	}
	refuse := func(why string, err error) (*goTo, error) {
		s.Log.Warn("sign-in at the provider refused", "why", why, "from", callerOf(ctx), "error", err)
		return redirect(back+"?problem="+url.QueryEscape(why), s.stepCookie("")), nil
	}
	switch {
	case err != nil:
		return refuse(errSealed.Error(), err)
	case subtle.ConstantTimeCompare([]byte(in.State), []byte(step.State)) != 1:
		return refuse("the answer does not belong to this attempt; begin again", errors.New("state differs"))
	case in.Error != "":
		return refuse(s.provider.Name+" refused to sign you in", errors.New(in.Error))
	case !s.sealer.use(id, now):
		return refuse(errSealed.Error(), errSealed)
	}
	who, err := s.provider.claims(ctx, in.Code, step)
	if err != nil {
		return refuse(s.provider.Name+" did not prove who you are; begin again", err)
	}
	if why := s.provider.allowed(who); why != "" {
		return refuse(why, fmt.Errorf("e-mail %q, verified %v", who.email, who.verified))
	}
	var out *meOutput
	enter := func(tx ledger.Tx) error {
		u, err := s.identified(ctx, tx, who, step.Link)
		if err != nil || step.Link != 0 {
			return err
		}
		if out, err = s.begin(ctx, tx, u, "oidc"); err != nil {
			return err
		}
		return tx.Audit(ctx, ledger.Audit{Actor: u.Name, Action: "session.sign-in", Subject: subject(u.ID), Detail: "by oidc from " + callerOf(ctx).String()})
	}
	err = s.Record.Tx(ctx, enter)
	if errors.Is(err, ledger.ErrLastAdmin) {
		// The provider would lower the last admin: they come in as they were.
		s.Log.Warn("the provider's grants were not taken over", "error", err)
		who.keep = true
		err = s.Record.Tx(ctx, enter)
	}
	if r, ok := errors.AsType[refusal](err); ok {
		return refuse(string(r), err)
	}
	if err != nil {
		s.Log.Error("signing in with the provider", "error", err)
		return refuse("signing in failed; Ballast's log says more", err)
	}
	g := redirect(step.To, s.stepCookie(""))
	if out != nil {
		g.SetCookie = append(g.SetCookie, out.SetCookie...)
	}
	return g, nil
}

// refusal is a reason that the person is told.
type refusal string

func (r refusal) Error() string { return string(r) }

// proven is who the provider says somebody is.
type proven struct {
	issuer, subject string
	email           string
	verified        bool
	name, fullName  string
	values          []string // of the claim that grants are given for
	keep            bool     // leave the grants of an account that exists
}

// claims exchanges the code and checks the ID token: its signature by the
// provider's keys, its issuer, audience and time (the library), and that it was
// made for this attempt (the nonce).
func (p *provider) claims(ctx context.Context, code string, step oidcStep) (proven, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.Client), 15*time.Second)
	defer cancel()
	found, err := p.discover()
	if err != nil {
		return proven{}, err
	}
	config := p.config(found)
	tok, err := config.Exchange(ctx, code, oauth2.VerifierOption(step.Verifier))
	if err != nil {
		return proven{}, fmt.Errorf("exchanging the code: %w", err)
	}
	raw, _ := tok.Extra("id_token").(string)
	id, err := found.Verifier(&oidc.Config{ClientID: p.ClientID}).Verify(ctx, raw)
	if err != nil {
		return proven{}, fmt.Errorf("verifying the ID token: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(step.Nonce)) != 1 {
		return proven{}, errors.New("the ID token was made for another attempt: its nonce differs")
	}
	all := map[string]any{}
	if err := id.Claims(&all); err != nil {
		return proven{}, fmt.Errorf("reading the ID token: %w", err)
	}
	// Some providers keep what is large, groups most of all, for the user info.
	if _, ok := all[p.Claim]; (p.Claim != "" && !ok || all["email"] == nil) && found.UserInfoEndpoint() != "" {
		info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(tok))
		if err != nil {
			return proven{}, fmt.Errorf("asking for the user info: %w", err)
		}
		if info.Subject != id.Subject {
			return proven{}, errors.New("the user info is of somebody else")
		}
		more := map[string]any{}
		if err := info.Claims(&more); err != nil {
			return proven{}, fmt.Errorf("reading the user info: %w", err)
		}
		for k, v := range more {
			if _, ok := all[k]; !ok {
				all[k] = v
			}
		}
	}
	text := func(k string) string { v, _ := all[k].(string); return strings.TrimSpace(v) }
	verified, _ := all["email_verified"].(bool)
	who := proven{issuer: id.Issuer, subject: id.Subject, email: text("email"), verified: verified || text("email_verified") == "true", fullName: text("name")}
	who.name = text("preferred_username")
	if who.name == "" {
		who.name = who.email
	}
	switch v := all[p.Claim].(type) {
	case string:
		who.values = []string{v}
	case []any:
		for _, x := range v {
			if t, ok := x.(string); ok {
				who.values = append(who.values, t)
			}
		}
	}
	return who, nil
}

// allowed says why somebody may not come in; "" when they may. The domain is
// what stands after the last @ of an address that the provider has verified.
func (p *provider) allowed(who proven) string {
	if len(p.Domains) == 0 {
		return ""
	}
	if !who.verified || who.email == "" {
		return p.Name + " has not verified your e-mail address, and Ballast takes only addresses of " + strings.Join(p.Domains, ", ")
	}
	domain := who.email[strings.LastIndexByte(who.email, '@')+1:]
	if !slices.ContainsFunc(p.Domains, func(d string) bool { return strings.EqualFold(d, domain) }) {
		return "Ballast takes only addresses of " + strings.Join(p.Domains, ", ")
	}
	return ""
}

// granted is what the claim's values give.
func (p *provider) granted(values []string) []ledger.Grant {
	out := []ledger.Grant{}
	for _, g := range p.Grants {
		if slices.Contains(values, g.Value) && !slices.Contains(out, g.Grant) {
			out = append(out, g.Grant)
		}
	}
	return out
}

// identified is the account of somebody whom the provider has proven: the one
// that their identity is joined to, else a new one when the claim gives them a
// role. An account that exists is never taken for its name or e-mail address
// alone: its owner joins it, signed in.
func (s *Server) identified(ctx context.Context, tx ledger.Tx, who proven, join int64) (ledger.User, error) {
	by := ledger.By(s.provider.Name)
	known, err := tx.IdentityBySubject(ctx, who.issuer, who.subject)
	switch {
	case err != nil && !errors.Is(err, ledger.ErrNotFound):
		return ledger.User{}, err
	case join != 0:
		me, ok := principal(ctx)
		if !ok || me.Session == nil || me.User.ID != join {
			return ledger.User{}, refusal("you were signed out meanwhile; sign in and connect the accounts again")
		}
		if err == nil && known.User != join {
			return ledger.User{}, refusal("this account at " + s.provider.Name + " opens another account here already")
		}
		if err == nil {
			return me.User, nil
		}
		return me.User, tx.AddIdentity(ctx, ledger.Identity{Issuer: who.issuer, Subject: who.subject, User: join, Email: who.email}, ledger.By(me.Name()))
	case err == nil:
		u, err := tx.User(ctx, known.User)
		if err != nil {
			return u, err
		}
		if !u.Disabled.IsZero() {
			return u, refusal("your account here is disabled; ask an admin")
		}
		if err := tx.UseIdentity(ctx, who.issuer, who.subject, who.email); err != nil {
			return u, err
		}
		return s.regrant(ctx, tx, u, who, by)
	}
	grants := s.provider.granted(who.values)
	if len(grants) == 0 {
		return ledger.User{}, refusal("you have no account here, and " + s.provider.Name + " gives you no role; ask an admin")
	}
	if who.name == "" {
		return ledger.User{}, refusal(s.provider.Name + " tells neither a user name nor an e-mail address")
	}
	if _, err := tx.UserByName(ctx, who.name); err == nil {
		return ledger.User{}, refusal("the name " + who.name + " is taken here; if it is yours, sign in and connect the accounts in Your account")
	}
	u, err := tx.AddUser(ctx, ledger.User{Name: who.name, FullName: who.fullName, Grants: grants}, by)
	if err != nil {
		return u, err
	}
	return u, tx.AddIdentity(ctx, ledger.Identity{Issuer: who.issuer, Subject: who.subject, User: u.ID, Email: who.email}, by)
}

// regrant lets the provider decide anew what an account may that it made: one
// without a password of its own. Where no grants are configured, an admin does.
func (s *Server) regrant(ctx context.Context, tx ledger.Tx, u ledger.User, who proven, by ledger.Audit) (ledger.User, error) {
	if who.keep || len(s.provider.Grants) == 0 || u.PasswordHash != "" {
		return u, nil
	}
	grants := s.provider.granted(who.values)
	same := len(grants) == len(u.Grants) && !slices.ContainsFunc(grants, func(g ledger.Grant) bool { return !slices.Contains(u.Grants, g) })
	switch {
	case same:
		return u, nil
	case len(grants) == 0:
		return u, refusal(s.provider.Name + " gives you no role here any more; ask an admin")
	}
	return tx.EditUser(ctx, u.ID, ledger.UserEdit{Grants: unit.Some(grants)}, by)
}
