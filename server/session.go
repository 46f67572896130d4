package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
	"ballast/unit"
)

// Me is who is signed in.
type Me struct {
	Name     string         `json:"name"`
	FullName string         `json:"full_name,omitempty"`
	Grants   []ledger.Grant `json:"grants"`
	Rights   []Right        `json:"rights" enum:"look,repair,command,configure,money,administer,portal" doc:"What may be done at one site at least."`
	Key      string         `json:"key,omitempty" doc:"Name of the API key, when a program asks."`
}

// meOutput answers a sign-in: the session's cookie, and cookies that are over.
type meOutput struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      Me
}

type signInInput struct {
	Body struct {
		Name     string `json:"name" maxLength:"100"`
		Password string `json:"password" maxLength:"1000"`
	}
}

type setUpInput struct {
	Body struct {
		Token    string `json:"token" maxLength:"200" doc:"From the one-time link."`
		Name     string `json:"name" minLength:"1" maxLength:"60" doc:"To sign in with. A link that resets a password knows whose it is and does not look at it."`
		Password string `json:"password" maxLength:"1000" doc:"At least 12 characters."`
	}
}

// SetupLink is what a one-time link is good for.
type SetupLink struct {
	Purpose ledger.Purpose `json:"purpose" enum:"admin,invite,reset-password"`
	Name    string         `json:"name,omitempty" doc:"Whose password it resets."`
	Note    string         `json:"note,omitempty" doc:"Whom it was made for."`
	Grants  []ledger.Grant `json:"grants"`
	Expires time.Time      `json:"expires"`
}

func (s *Server) registerSession() {
	op(s, huma.Operation{OperationID: "whoami", Method: http.MethodGet, Path: "/api/v1/session", Summary: "Who is signed in", Tags: []string{"session"}},
		func(ctx context.Context, _ *struct{}) (*struct{ Body Me }, error) {
			p, _ := principal(ctx)
			return &struct{ Body Me }{me(p)}, nil
		})
	op(s, huma.Operation{OperationID: "sign-in", Method: http.MethodPost, Path: "/api/v1/session", Summary: "Sign in with name and password", Tags: []string{"session"}, Errors: []int{401, 429}}, s.signIn)
	op(s, huma.Operation{OperationID: "sign-out", Method: http.MethodDelete, Path: "/api/v1/session", Summary: "Sign out", Tags: []string{"session"}, DefaultStatus: http.StatusNoContent}, s.signOut)
	op(s, huma.Operation{OperationID: "setup-link", Method: http.MethodPost, Path: "/api/v1/setup/link", Summary: "What a one-time link is good for; uses nothing up", Tags: []string{"session"}, Errors: []int{401}}, s.setupLink)
	op(s, huma.Operation{OperationID: "set-up", Method: http.MethodPost, Path: "/api/v1/setup", Summary: "Use a one-time link: make or recover an account and sign in", Tags: []string{"session"}, Errors: []int{401, 409, 422}}, s.setUp)
}

func me(p Principal) Me {
	m := Me{Name: p.User.Name, FullName: p.User.FullName, Grants: p.User.Grants, Rights: p.Rights()}
	if p.Key != nil {
		m.Key = p.Key.Name
	}
	return m
}

// How long a session lasts: without use, and at most.
const (
	sessionIdle = 3 * 24 * time.Hour
	sessionLife = 14 * 24 * time.Hour
)

// sessionEnd is when a session that was used now ends.
func sessionEnd(begun, now time.Time) time.Time {
	if idle, last := now.Add(sessionIdle), begun.Add(sessionLife); idle.Before(last) {
		return idle
	}
	return begun.Add(sessionLife)
}

// secure tells whether people reach the server over TLS, its own or a proxy's.
func (s *Server) secure() bool { return strings.HasPrefix(s.URL, "https://") }

// cookieName is the session cookie's. Over TLS it has the prefix that makes
// browsers refuse one planted from a neighbouring name or over plain HTTP.
func (s *Server) cookieName() string {
	if s.secure() {
		return "__Host-ballast"
	}
	return "ballast"
}

func (s *Server) cookie(token string, expires time.Time) *http.Cookie {
	c := &http.Cookie{Name: s.cookieName(), Value: token, Path: "/", Expires: expires, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure()} //nolint:gosec // as TLS is set up
	if token == "" {
		c.MaxAge = -1
	}
	return c
}

// begin starts a fresh session for a user: never one that somebody else could
// have planted. One that this browser had before ends.
func (s *Server) begin(ctx context.Context, tx ledger.Tx, u ledger.User, method string) (*meOutput, error) {
	from := callerOf(ctx)
	if old := from.cookie(s.cookieName()); old != "" {
		if x, err := tx.SessionBySum(ctx, ledger.HashSecret(old)); err == nil {
			if _, err := tx.EndSessions(ctx, ledger.SessionFilter{ID: x.ID}, ledger.Audit{Actor: u.Name, Detail: "signed in again"}); err != nil {
				return nil, err
			}
		}
	}
	now := time.Now()
	token, sum := ledger.NewSecret()
	x, err := tx.AddSession(ctx, ledger.Session{Sum: sum, User: u.ID, Method: method, Device: from.agent, Address: from.String(), Expires: sessionEnd(now, now)})
	if err != nil {
		return nil, err
	}
	return &meOutput{SetCookie: []string{s.cookie(token, x.CreatedAt.Add(sessionLife)).String()}, Body: me(Principal{User: u})}, nil
}

// enter begins a session and writes the sign-in into the audit log, as one.
func (s *Server) enter(ctx context.Context, u ledger.User, method string) (out *meOutput, err error) {
	err = s.Record.Tx(ctx, func(tx ledger.Tx) error {
		if out, err = s.begin(ctx, tx, u, method); err != nil {
			return err
		}
		return tx.Audit(ctx, ledger.Audit{Actor: u.Name, Action: "session.sign-in", Subject: subject(u.ID), Detail: "by " + method + " from " + callerOf(ctx).String()})
	})
	if err != nil {
		return nil, s.fail("beginning the session", err)
	}
	return out, nil
}

func (s *Server) signIn(ctx context.Context, in *signInInput) (*meOutput, error) {
	nobody() // made once, and not in the time of the first unknown name
	now := time.Now()
	name := strings.ToLower(strings.TrimSpace(in.Body.Name))
	from := callerOf(ctx)
	keys := []string{"from " + from.bucket(), "as " + name}
	for _, k := range keys {
		w, slowed := s.throttle.try(k, now)
		if w > 0 {
			return nil, later("too many wrong passwords", w)
		}
		if slowed {
			// Not every wrong password, which would let a stranger write the log
			// full; the moment that guessing is slowed down.
			if err := s.Record.Audit(ctx, ledger.Audit{Actor: "nobody", Action: "session.guessing", Subject: "sign-in", Detail: "the fifth attempt in a row " + k}); err != nil {
				s.Log.Error("writing the audit log", "error", err)
			}
		}
	}
	u, err := s.Record.UserByName(ctx, name)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return nil, s.fail("reading the account", err)
	}
	if !CheckPassword(u.PasswordHash, in.Body.Password) || !u.Disabled.IsZero() {
		s.Log.Warn("sign-in refused", "name", name, "from", from)
		return nil, huma.Error401Unauthorized("name or password is wrong")
	}
	for _, k := range keys {
		s.throttle.passed(k)
	}
	return s.enter(ctx, u, "password")
}

// later is a 429 with its Retry-After.
func later(why string, wait time.Duration) error {
	return huma.ErrorWithHeaders(huma.Error429TooManyRequests(why+"; try again in "+retryAfter(wait)+" s"), http.Header{"Retry-After": {retryAfter(wait)}})
}

type cookiesOutput struct {
	SetCookie []string `header:"Set-Cookie"`
}

func (s *Server) signOut(ctx context.Context, _ *struct{}) (*cookiesOutput, error) {
	if p, ok := principal(ctx); ok && p.Session != nil {
		if _, err := s.Record.EndSessions(ctx, ledger.SessionFilter{ID: p.Session.ID}, ledger.Audit{Actor: p.Name(), Action: "session.sign-out", Subject: subject(p.User.ID)}); err != nil {
			return nil, s.fail("ending the session", err)
		}
	}
	return &cookiesOutput{[]string{s.cookie("", time.Unix(1, 0)).String()}}, nil
}

const shortestPassword = 12

// checkPassword says what is wrong with a password that somebody chose.
func checkPassword(field, password, name string) error {
	var wrong string
	switch {
	case utf8.RuneCountInString(password) < shortestPassword:
		wrong = "the password is too short: at least 12 characters"
	case strings.EqualFold(strings.TrimSpace(password), strings.TrimSpace(name)):
		wrong = "the password is the name: choose another"
	case strings.Trim(password, string([]rune(password)[:1])) == "":
		wrong = "the password is one character over and over: choose another"
	default:
		return nil
	}
	return huma.Error422UnprocessableEntity(wrong, &huma.ErrorDetail{Location: field, Message: wrong})
}

var errLink = huma.Error401Unauthorized("this link was used already or has expired; an admin, or `ballast link` on Ballast's machine, makes a new one")

func (s *Server) setupLink(ctx context.Context, in *struct {
	Body struct {
		Token string `json:"token" maxLength:"200" doc:"From the one-time link."`
	}
}) (*struct{ Body SetupLink }, error) {
	t, err := s.Record.SetupTokenBySum(ctx, ledger.HashSecret(in.Body.Token))
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, errLink
	}
	if err != nil {
		return nil, s.fail("reading the link", err)
	}
	l := SetupLink{Purpose: t.Purpose, Note: t.Note, Grants: t.Grants, Expires: t.Expires}
	if t.User != 0 {
		u, err := s.Record.User(ctx, t.User)
		if err != nil {
			return nil, s.recordError("reading the account", err)
		}
		l.Name = u.Name
	}
	return &struct{ Body SetupLink }{l}, nil
}

func (s *Server) setUp(ctx context.Context, in *setUpInput) (*meOutput, error) {
	name := strings.TrimSpace(in.Body.Name)
	if err := checkPassword("body.password", in.Body.Password, name); err != nil {
		return nil, err
	}
	sum := ledger.HashSecret(in.Body.Token)
	if _, err := s.Record.SetupTokenBySum(ctx, sum); errors.Is(err, ledger.ErrNotFound) {
		return nil, errLink // before the hash: a stranger does not make us work
	}
	hash := HashPassword(in.Body.Password) // before the transaction: it takes a tenth of a second
	var out *meOutput
	err := s.Record.Tx(ctx, func(tx ledger.Tx) error {
		by := ledger.Audit{Actor: name, Action: "user.set-up", Subject: "user/" + name}
		t, err := tx.UseSetupToken(ctx, sum, by)
		if err != nil {
			return err
		}
		u, err := s.account(ctx, tx, t, name, hash, by)
		if err != nil {
			return err
		}
		// Whoever was signed in with the old password is signed in no more.
		if _, err := tx.EndSessions(ctx, ledger.SessionFilter{User: u.ID}, ledger.Audit{Actor: u.Name, Detail: "the password was set anew"}); err != nil {
			return err
		}
		out, err = s.begin(ctx, tx, u, "link")
		return err
	})
	switch {
	case errors.Is(err, errGone), errors.Is(err, ledger.ErrNotFound):
		return nil, errLink
	case errors.Is(err, ledger.ErrConflict):
		return nil, huma.Error409Conflict("this name is taken; choose another")
	case errors.Is(err, ledger.ErrInvalid):
		return nil, huma.Error422UnprocessableEntity(err.Error())
	case err != nil:
		return nil, s.fail("setting up the account", err)
	}
	return out, nil
}

var errGone = errors.New("the account is disabled")

// account is the one that a token is for, made or changed as far as the token
// goes: an invitation never touches an account that exists.
func (s *Server) account(ctx context.Context, tx ledger.Tx, t ledger.SetupToken, name, hash string, by ledger.Audit) (ledger.User, error) {
	switch t.Purpose {
	case ledger.ForReset:
		u, err := tx.User(ctx, t.User)
		if err != nil {
			return u, err
		}
		if !u.Disabled.IsZero() {
			return u, errGone
		}
		return tx.EditUser(ctx, u.ID, ledger.UserEdit{PasswordHash: unit.Some(hash)}, ledger.Audit{Actor: u.Name, Action: "user.reset", Subject: subject(u.ID)})
	case ledger.ForConsole:
		u, err := tx.UserByName(ctx, name)
		if err == nil {
			// A link printed on the server's console recovers an account: whoever
			// can print it owns the data folder anyway.
			return tx.EditUser(ctx, u.ID, ledger.UserEdit{PasswordHash: unit.Some(hash), Disabled: unit.Some(false), Grants: unit.Some(t.Grants)}, by)
		}
		if !errors.Is(err, ledger.ErrNotFound) {
			return u, err
		}
	}
	return tx.AddUser(ctx, ledger.User{Name: name, PasswordHash: hash, Grants: t.Grants}, by)
}

// Link makes a one-time link that sets up (or recovers) an admin's account.
func Link(ctx context.Context, record ledger.Store, url string, life time.Duration) (string, error) {
	return link(ctx, record, url, ledger.SetupToken{Purpose: ledger.ForConsole, Grants: []ledger.Grant{{Role: ledger.Admin}}, Expires: time.Now().Add(life)}, ledger.By("console"))
}

func link(ctx context.Context, record ledger.Tx, url string, t ledger.SetupToken, by ledger.Audit) (string, error) {
	secret, sum := ledger.NewSecret()
	t.Sum = sum
	if err := record.AddSetupToken(ctx, t, by); err != nil {
		return "", err
	}
	// In the fragment: it never reaches a server log or a Referer header.
	return strings.TrimRight(url, "/") + "/setup#" + secret, nil
}

// ownPath is a path of this server to go to after sign-in, or "/": a link must
// not send people elsewhere.
func ownPath(to string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsFunc(to, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }) {
		return "/"
	}
	u, err := url.Parse(to)
	if err != nil || u.Host != "" || u.Scheme != "" || strings.HasPrefix(u.Path, "/api/") || strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	return to
}

// fail logs what went wrong inside and tells the client only where.
func (s *Server) fail(what string, err error) error {
	if errors.Is(err, context.Canceled) {
		return huma.NewError(499, "the request was cancelled")
	}
	s.Log.Error(what, "error", err)
	return huma.Error500InternalServerError(what + " failed; Ballast's log says more")
}
