package server

import (
	"context"
	"errors"
	"net"
	"net/http"
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

type meOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Me
}

type signInInput struct {
	remote string
	agent  string
	Body   struct {
		Name     string `json:"name" maxLength:"100"`
		Password string `json:"password" maxLength:"1000"`
	}
}

// Resolve notes where a sign-in comes from, for the throttle.
func (i *signInInput) Resolve(ctx huma.Context) []error {
	i.remote, _, _ = net.SplitHostPort(ctx.RemoteAddr())
	return nil
}

type setUpInput struct {
	Body struct {
		Token    string `json:"token" maxLength:"200" doc:"From the one-time link."`
		Name     string `json:"name" minLength:"1" maxLength:"60" doc:"To sign in with."`
		Password string `json:"password" maxLength:"1000" doc:"At least 12 characters."`
	}
}

func (s *Server) registerSession() {
	op(s, huma.Operation{OperationID: "whoami", Method: http.MethodGet, Path: "/api/v1/session", Summary: "Who is signed in", Tags: []string{"session"}},
		func(ctx context.Context, _ *struct{}) (*struct{ Body Me }, error) {
			p, _ := principal(ctx)
			return &struct{ Body Me }{me(p)}, nil
		})
	op(s, huma.Operation{OperationID: "sign-in", Method: http.MethodPost, Path: "/api/v1/session", Summary: "Sign in with name and password", Tags: []string{"session"}, Errors: []int{401, 429}}, s.signIn)
	op(s, huma.Operation{OperationID: "sign-out", Method: http.MethodDelete, Path: "/api/v1/session", Summary: "Sign out", Tags: []string{"session"}, DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, _ *struct{}) (*struct {
			SetCookie http.Cookie `header:"Set-Cookie"`
		}, error) {
			if p, ok := principal(ctx); ok && p.Key == nil {
				_ = s.sessions.Destroy(ctx)
			}
			gone := s.cookie("", time.Unix(1, 0))
			gone.MaxAge = -1
			return &struct {
				SetCookie http.Cookie `header:"Set-Cookie"`
			}{gone}, nil
		})
	op(s, huma.Operation{OperationID: "set-up", Method: http.MethodPost, Path: "/api/v1/setup", Summary: "Use a one-time link: make or recover an account and sign in", Tags: []string{"session"}, Errors: []int{401, 409, 422}}, s.setUp)
}

func me(p Principal) Me {
	m := Me{Name: p.User.Name, FullName: p.User.FullName, Grants: p.User.Grants, Rights: p.Rights()}
	if p.Key != nil {
		m.Key = p.Key.Name
	}
	return m
}

func (s *Server) cookie(token string, expires time.Time) http.Cookie {
	return http.Cookie{Name: s.sessions.Cookie.Name, Value: token, Path: "/", Expires: expires, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(s.URL, "https://")}
}

// begin starts a fresh session for a user: never one that somebody else could
// have planted.
func (s *Server) begin(u ledger.User) (*meOutput, error) {
	ctx, err := s.sessions.Load(context.Background(), "")
	if err != nil {
		return nil, err
	}
	s.sessions.Put(ctx, "user", u.ID)
	token, expires, err := s.sessions.Commit(ctx)
	if err != nil {
		return nil, err
	}
	return &meOutput{SetCookie: s.cookie(token, expires), Body: me(Principal{User: u})}, nil
}

func (s *Server) signIn(ctx context.Context, in *signInInput) (*meOutput, error) {
	now := time.Now()
	name := strings.ToLower(strings.TrimSpace(in.Body.Name))
	keys := []string{"from " + in.remote, "as " + name}
	for _, k := range keys {
		if w := s.throttle.wait(k, now); w > 0 {
			return nil, huma.Error429TooManyRequests("too many wrong passwords; try again in " + w.Round(time.Second).String())
		}
	}
	u, err := s.Record.UserByName(ctx, name)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return nil, s.fail("reading the account", err)
	}
	if !CheckPassword(u.PasswordHash, in.Body.Password) || !u.Disabled.IsZero() {
		for _, k := range keys {
			s.throttle.failed(k, now)
		}
		s.Log.Warn("sign-in refused", "name", name, "from", in.remote)
		return nil, huma.Error401Unauthorized("name or password is wrong")
	}
	for _, k := range keys {
		s.throttle.passed(k)
	}
	if err := s.Record.Audit(ctx, ledger.Audit{Actor: u.Name, Action: "session.sign-in", Subject: "user/" + u.Name, Detail: "from " + in.remote}); err != nil {
		return nil, s.fail("writing the audit log", err)
	}
	return s.begin(u)
}

const shortestPassword = 12

func (s *Server) setUp(ctx context.Context, in *setUpInput) (*meOutput, error) {
	name := strings.TrimSpace(in.Body.Name)
	if utf8.RuneCountInString(in.Body.Password) < shortestPassword {
		return nil, huma.Error422UnprocessableEntity("the password is too short: at least 12 characters", &huma.ErrorDetail{Location: "body.password", Message: "at least 12 characters"})
	}
	hash := HashPassword(in.Body.Password) // before the transaction: it takes a tenth of a second
	var u ledger.User
	err := s.Record.Tx(ctx, func(tx ledger.Tx) error {
		by := ledger.Audit{Actor: name, Action: "user.set-up", Subject: "user/" + name}
		t, err := tx.UseSetupToken(ctx, ledger.HashSecret(in.Body.Token), by)
		if err != nil {
			return err
		}
		u, err = tx.UserByName(ctx, name)
		switch {
		case err == nil:
			// A link printed on the server's console recovers an account: whoever
			// can print it owns the data folder anyway.
			u, err = tx.EditUser(ctx, u.ID, ledger.UserEdit{PasswordHash: unit.Some(hash), Disabled: unit.Some(false), Grants: unit.Some(t.Grants)}, by)
		case errors.Is(err, ledger.ErrNotFound):
			u, err = tx.AddUser(ctx, ledger.User{Name: name, PasswordHash: hash, Grants: t.Grants}, by)
		}
		return err
	})
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return nil, huma.Error401Unauthorized("this link was used already or has expired; `ballast link` prints a new one")
	case errors.Is(err, ledger.ErrConflict):
		return nil, huma.Error409Conflict("this name is taken")
	case errors.Is(err, ledger.ErrInvalid):
		return nil, huma.Error422UnprocessableEntity(err.Error())
	case err != nil:
		return nil, s.fail("setting up the account", err)
	}
	return s.begin(u)
}

// Link makes a one-time link that sets up (or recovers) an admin's account.
func Link(ctx context.Context, record ledger.Store, url string, life time.Duration) (string, error) {
	secret, sum := ledger.NewSecret()
	err := record.AddSetupToken(ctx, ledger.SetupToken{Sum: sum, Purpose: "admin", Grants: []ledger.Grant{{Role: ledger.Admin}}, Expires: time.Now().Add(life)}, ledger.By("console"))
	if err != nil {
		return "", err
	}
	// In the fragment: it never reaches a server log or a Referer header.
	return strings.TrimRight(url, "/") + "/setup#" + secret, nil
}

// fail logs what went wrong inside and tells the client only where.
func (s *Server) fail(what string, err error) error {
	if errors.Is(err, context.Canceled) {
		return huma.NewError(499, "the request was cancelled")
	}
	s.Log.Error(what, "error", err)
	return huma.Error500InternalServerError(what + " failed; Ballast's log says more")
}
