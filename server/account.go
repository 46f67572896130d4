package server

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
	"ballast/unit"
)

// Account is one's own account.
type Account struct {
	ID         int64            `json:"id"`
	Name       string           `json:"name"`
	FullName   string           `json:"full_name"`
	Grants     []ledger.Grant   `json:"grants"`
	Password   bool             `json:"password" doc:"Whether there is a password to change."`
	Passkeys   []PasskeyInfo    `json:"passkeys"`
	Identities []LinkedIdentity `json:"identities" doc:"Accounts at the OpenID Connect provider that open this one."`
	CreatedAt  time.Time        `json:"created_at"`
}

// LinkedIdentity is an account at the provider that opens this one.
type LinkedIdentity struct {
	Issuer    string    `json:"issuer"`
	Subject   string    `json:"subject"`
	Email     string    `json:"email,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	LastUsed  time.Time `json:"last_used"`
}

// SessionInfo is one browser that is signed in.
type SessionInfo struct {
	ID       int64     `json:"id"`
	Current  bool      `json:"current" doc:"The one that asks."`
	Method   string    `json:"method" enum:"password,passkey,oidc,link"`
	Device   string    `json:"device" doc:"What the browser says it is, in words."`
	Agent    string    `json:"agent" doc:"What the browser says it is."`
	Address  string    `json:"address" doc:"Where it was last seen."`
	Since    time.Time `json:"since"`
	LastSeen time.Time `json:"last_seen" doc:"To the minute."`
	Expires  time.Time `json:"expires" doc:"When it ends without further use."`
}

// RoleInfo is what a role may do.
type RoleInfo struct {
	Role   ledger.Role `json:"role"`
	Rights []RightInfo `json:"rights"`
}

// RightInfo is a right, and what it is.
type RightInfo struct {
	Right   Right  `json:"right"`
	Meaning string `json:"meaning"`
}

func subject(user int64) string { return "user/" + strconv.FormatInt(user, 10) }

func (s *Server) registerAccount() {
	account := func(o huma.Operation) huma.Operation { o.Tags = []string{"account"}; return o }
	op(s, account(huma.Operation{OperationID: "account", Method: http.MethodGet, Path: "/api/v1/account", Summary: "Your account"}), s.ownAccount)
	op(s, account(huma.Operation{OperationID: "edit-account", Method: http.MethodPatch, Path: "/api/v1/account", Summary: "Change your name"}), s.editAccount)
	op(s, account(huma.Operation{OperationID: "change-password", Method: http.MethodPost, Path: "/api/v1/account/password", Summary: "Change your password; ends your other sessions", DefaultStatus: http.StatusNoContent, Errors: []int{409, 422, 429}}), s.changePassword)
	op(s, account(huma.Operation{OperationID: "sessions", Method: http.MethodGet, Path: "/api/v1/account/sessions", Summary: "Where you are signed in, last used first"}), s.ownSessions)
	op(s, account(huma.Operation{OperationID: "end-sessions", Method: http.MethodDelete, Path: "/api/v1/account/sessions", Summary: "Sign out everywhere else"}), s.endOtherSessions)
	op(s, account(huma.Operation{OperationID: "end-session", Method: http.MethodDelete, Path: "/api/v1/account/sessions/{id}", Summary: "End one of your sessions", DefaultStatus: http.StatusNoContent, Errors: []int{404}}), s.endSession)
	op(s, account(huma.Operation{OperationID: "unlink-identity", Method: http.MethodDelete, Path: "/api/v1/account/identities", Summary: "Part your account from one at the provider", DefaultStatus: http.StatusNoContent, Errors: []int{404, 409}}), s.unlinkIdentity)
	op(s, account(huma.Operation{OperationID: "roles", Method: http.MethodGet, Path: "/api/v1/roles", Summary: "The roles and what each may do"}),
		func(context.Context, *struct{}) (*struct{ Body []RoleInfo }, error) {
			out := []RoleInfo{}
			for _, r := range ledger.Roles() {
				info := RoleInfo{Role: r, Rights: []RightInfo{}}
				for _, right := range rights[r] {
					info.Rights = append(info.Rights, RightInfo{right, meanings[right]})
				}
				out = append(out, info)
			}
			return &struct{ Body []RoleInfo }{out}, nil
		})
}

func (s *Server) ownAccount(ctx context.Context, _ *struct{}) (*struct{ Body Account }, error) {
	p, _ := principal(ctx)
	keys, err := s.Record.Passkeys(ctx, p.User.ID)
	if err != nil {
		return nil, s.fail("reading the passkeys", err)
	}
	ids, err := s.Record.Identities(ctx, p.User.ID)
	if err != nil {
		return nil, s.fail("reading the linked accounts", err)
	}
	a := Account{ID: p.User.ID, Name: p.User.Name, FullName: p.User.FullName, Grants: p.User.Grants, Password: p.User.PasswordHash != "",
		Passkeys: passkeyInfos(keys), Identities: []LinkedIdentity{}, CreatedAt: p.User.CreatedAt}
	for _, i := range ids {
		a.Identities = append(a.Identities, LinkedIdentity{i.Issuer, i.Subject, i.Email, i.CreatedAt, i.LastUsed})
	}
	return &struct{ Body Account }{a}, nil
}

func (s *Server) editAccount(ctx context.Context, in *struct {
	Body struct {
		FullName *string `json:"full_name,omitempty" maxLength:"100"`
	}
}) (*struct{ Body Account }, error) {
	p, _ := principal(ctx)
	u, err := s.Record.EditUser(ctx, p.User.ID, ledger.UserEdit{FullName: opt(in.Body.FullName)}, ledger.By(p.Name()))
	if err != nil {
		return nil, s.recordError("changing the account", err)
	}
	p.User = u
	return s.ownAccount(context.WithValue(ctx, principalKey{}, p), nil)
}

func (s *Server) changePassword(ctx context.Context, in *struct {
	Body struct {
		Old string `json:"old" maxLength:"1000" doc:"The password in force."`
		New string `json:"new" maxLength:"1000" doc:"At least 12 characters."`
	}
}) (*cookiesOutput, error) {
	p, _ := principal(ctx)
	if p.User.PasswordHash == "" {
		return nil, huma.Error409Conflict("this account has no password; an admin can send you a link that sets one")
	}
	// A stolen session must not be a way to guess the password without limit.
	now, key := time.Now(), "change "+subject(p.User.ID)
	if err := checkPassword("body.new", in.Body.New, p.User.Name); err != nil {
		return nil, err
	}
	if w, _ := s.throttle.try(key, now); w > 0 {
		return nil, later("too many wrong passwords", w)
	}
	if !CheckPassword(p.User.PasswordHash, in.Body.Old) {
		return nil, huma.Error422UnprocessableEntity("the old password is wrong", &huma.ErrorDetail{Location: "body.old", Message: "is wrong"})
	}
	s.throttle.passed(key)
	hash := HashPassword(in.Body.New)
	var out *meOutput
	err := s.Record.Tx(ctx, func(tx ledger.Tx) error {
		u, err := tx.EditUser(ctx, p.User.ID, ledger.UserEdit{Version: unit.Some(p.User.Version), PasswordHash: unit.Some(hash)}, ledger.By(p.Name()))
		if err != nil {
			return err
		}
		if _, err := tx.EndSessions(ctx, ledger.SessionFilter{User: u.ID, Except: p.Session.ID}, ledger.Audit{Actor: p.Name(), Detail: "the password was changed"}); err != nil {
			return err
		}
		// This browser goes on, under a new token: whoever copied the old one is out.
		out, err = s.begin(ctx, tx, u, p.Session.Method)
		return err
	})
	if err != nil {
		return nil, s.recordError("changing the password", err)
	}
	return &cookiesOutput{out.SetCookie}, nil
}

func (s *Server) ownSessions(ctx context.Context, _ *struct{}) (*struct{ Body []SessionInfo }, error) {
	p, _ := principal(ctx)
	xs, err := s.Record.Sessions(ctx, ledger.SessionFilter{User: p.User.ID})
	if err != nil {
		return nil, s.fail("reading the sessions", err)
	}
	out := []SessionInfo{}
	for _, x := range xs {
		out = append(out, SessionInfo{ID: x.ID, Current: x.ID == p.Session.ID, Method: x.Method, Device: device(x.Device), Agent: x.Device, Address: x.Address, Since: x.CreatedAt, LastSeen: x.LastSeen, Expires: x.Expires})
	}
	return &struct{ Body []SessionInfo }{out}, nil
}

type endedBody struct {
	Body struct {
		Ended int `json:"ended" doc:"How many sessions ended."`
	}
}

func (s *Server) endOtherSessions(ctx context.Context, _ *struct{}) (*endedBody, error) {
	p, _ := principal(ctx)
	n, err := s.Record.EndSessions(ctx, ledger.SessionFilter{User: p.User.ID, Except: p.Session.ID}, ledger.By(p.Name()))
	if err != nil {
		return nil, s.fail("ending the sessions", err)
	}
	out := &endedBody{}
	out.Body.Ended = n
	return out, nil
}

func (s *Server) endSession(ctx context.Context, in *idInput) (*struct{}, error) {
	p, _ := principal(ctx)
	n, err := s.Record.EndSessions(ctx, ledger.SessionFilter{User: p.User.ID, ID: in.ID}, ledger.By(p.Name()))
	if err != nil {
		return nil, s.fail("ending the session", err)
	}
	if n == 0 {
		return nil, huma.Error404NotFound("there is no such session, or it ended")
	}
	return nil, nil
}

func (s *Server) unlinkIdentity(ctx context.Context, in *struct {
	Issuer  string `query:"issuer" required:"true" maxLength:"500"`
	Subject string `query:"subject" required:"true" maxLength:"500"`
}) (*struct{}, error) {
	p, _ := principal(ctx)
	err := s.Record.Tx(ctx, func(tx ledger.Tx) error {
		if err := tx.RemoveIdentity(ctx, in.Issuer, in.Subject, p.User.ID, ledger.By(p.Name())); err != nil {
			return err
		}
		return s.keepsWayIn(ctx, tx, p.User)
	})
	if err != nil {
		return nil, s.accountError("parting the accounts", err)
	}
	return nil, nil
}

// keepsWayIn fails when a user has nothing left to sign in with.
func (s *Server) keepsWayIn(ctx context.Context, tx ledger.Tx, u ledger.User) error {
	if u.PasswordHash != "" {
		return nil
	}
	keys, err := tx.Passkeys(ctx, u.ID)
	if err != nil || len(keys) > 0 {
		return err
	}
	ids, err := tx.Identities(ctx, u.ID)
	if err != nil || len(ids) > 0 {
		return err
	}
	return errNoWayIn
}

var errNoWayIn = huma.Error409Conflict("this is the only way you have to sign in; add another one first")

// accountError is recordError, but lets an answer of our own through.
func (s *Server) accountError(what string, err error) error {
	if _, ok := err.(huma.StatusError); ok { //nolint:errorlint // never wrapped
		return err
	}
	return s.recordError(what, err)
}

// device puts what a browser says it is into words: "Firefox on Linux". It is a
// help for the eye; the whole text stands beside it.
func device(agent string) string {
	first := func(pairs ...string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	// The order counts: everybody says they are Mozilla, Chrome and Safari too.
	browser := first("Edg/", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "FxiOS/", "Firefox", "HeadlessChrome/", "Chrome", "Chrome/", "Chrome", "CriOS/", "Chrome", "Safari/", "Safari", "curl/", "curl", "Go-http-client", "a program")
	system := first("iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "Windows", "Windows", "Macintosh", "Mac", "CrOS", "ChromeOS", "Linux", "Linux")
	switch {
	case browser == "" && system == "":
		return "an unknown browser"
	case browser == "":
		return system
	case system == "":
		return browser
	}
	return browser + " on " + system
}
