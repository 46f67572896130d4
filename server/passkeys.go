package server

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"ballast/ledger"
)

// PasskeyInfo is a passkey as its owner sees it.
type PasskeyInfo struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Synced    bool      `json:"synced" doc:"Kept by a provider on several devices, not on one alone."`
	CreatedAt time.Time `json:"created_at"`
	LastUsed  time.Time `json:"last_used,omitzero"`
}

// newPasskeys is what passkeys take; nil when they cannot work under url: they
// are bound to a name (not an address), and to TLS except on localhost.
func newPasskeys(address string) *webauthn.WebAuthn {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Hostname() != "localhost" {
		return nil
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil
	}
	w, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: "Ballast", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation, // which maker's authenticator it is is the owner's business
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil
	}
	return w
}

// keyHolder is a user as the library sees one.
type keyHolder struct {
	user ledger.User
	keys []webauthn.Credential
}

func (h keyHolder) WebAuthnID() []byte                         { return handle(h.user) }
func (h keyHolder) WebAuthnName() string                       { return h.user.Name }
func (h keyHolder) WebAuthnCredentials() []webauthn.Credential { return h.keys }
func (h keyHolder) WebAuthnDisplayName() string {
	if h.user.FullName != "" {
		return h.user.FullName
	}
	return h.user.Name
}

// handle is what an authenticator knows a user by: no name, nor anything that
// says who it is.
func handle(u ledger.User) []byte {
	b := binary.BigEndian.AppendUint64([]byte("ballast passkey user"), uint64(u.ID))
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(u.CreatedAt.UnixMicro())))
	return sum[:]
}

func (s *Server) holder(ctx context.Context, u ledger.User) (keyHolder, error) {
	ps, err := s.Record.Passkeys(ctx, u.ID)
	if err != nil {
		return keyHolder{}, err
	}
	h := keyHolder{user: u}
	for _, p := range ps {
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(p.Data), &c); err != nil {
			return h, err
		}
		h.keys = append(h.keys, c)
	}
	return h, nil
}

func passkeyInfos(ps []ledger.Passkey) []PasskeyInfo {
	out := []PasskeyInfo{}
	for _, p := range ps {
		var c webauthn.Credential
		_ = json.Unmarshal([]byte(p.Data), &c) // what cannot be read is shown as not synced
		out = append(out, PasskeyInfo{ID: p.ID, Name: p.Name, Synced: c.Flags.BackupState, CreatedAt: p.CreatedAt, LastUsed: p.LastUsed})
	}
	return out
}

// SignInMethods are the ways in beside name and password.
type SignInMethods struct {
	Passkeys bool   `json:"passkeys"`
	OIDC     string `json:"oidc,omitempty" doc:"What the provider is called on the button; empty: there is none."`
}

// optionsOutput is the first step of a ceremony: what the browser hands to its
// authenticator, and our own note of it.
type optionsOutput struct {
	SetCookie string          `header:"Set-Cookie"`
	Body      json.RawMessage `doc:"For PublicKeyCredential.parseCreationOptionsFromJSON or parseRequestOptionsFromJSON."`
}

func (s *Server) registerPasskeys() {
	op(s, huma.Operation{OperationID: "sign-in-methods", Method: http.MethodGet, Path: "/api/v1/session/methods", Summary: "Ways to sign in beside name and password", Tags: []string{"session"}},
		func(context.Context, *struct{}) (*struct{ Body SignInMethods }, error) {
			m := SignInMethods{Passkeys: s.passkeys != nil}
			if s.provider != nil {
				m.OIDC = s.provider.Name
			}
			return &struct{ Body SignInMethods }{m}, nil
		})
	op(s, huma.Operation{OperationID: "passkey-sign-in-options", Method: http.MethodPost, Path: "/api/v1/session/passkey/options", Summary: "Begin to sign in with a passkey", Tags: []string{"session"}, Errors: []int{409}}, s.passkeyChallenge)
	op(s, huma.Operation{OperationID: "passkey-sign-in", Method: http.MethodPost, Path: "/api/v1/session/passkey", Summary: "Sign in with a passkey", Tags: []string{"session"}, Errors: []int{401, 409, 429}}, s.passkeySignIn)

	account := []string{"account"}
	op(s, huma.Operation{OperationID: "passkeys", Method: http.MethodGet, Path: "/api/v1/account/passkeys", Summary: "Your passkeys", Tags: account},
		func(ctx context.Context, _ *struct{}) (*struct{ Body []PasskeyInfo }, error) {
			p, _ := principal(ctx)
			ps, err := s.Record.Passkeys(ctx, p.User.ID)
			if err != nil {
				return nil, s.fail("reading the passkeys", err)
			}
			return &struct{ Body []PasskeyInfo }{passkeyInfos(ps)}, nil
		})
	op(s, huma.Operation{OperationID: "passkey-options", Method: http.MethodPost, Path: "/api/v1/account/passkeys/options", Summary: "Begin to register a passkey", Tags: account, Errors: []int{409, 422, 429}}, s.passkeyOptions)
	op(s, huma.Operation{OperationID: "add-passkey", Method: http.MethodPost, Path: "/api/v1/account/passkeys", Summary: "Register a passkey", Tags: account, DefaultStatus: http.StatusCreated, Errors: []int{409, 422}}, s.addPasskey)
	op(s, huma.Operation{OperationID: "name-passkey", Method: http.MethodPatch, Path: "/api/v1/account/passkeys/{id}", Summary: "Rename a passkey", Tags: account, DefaultStatus: http.StatusNoContent, Errors: []int{404}},
		func(ctx context.Context, in *struct {
			ID   int64 `path:"id" minimum:"1"`
			Body struct {
				Name string `json:"name" minLength:"1" maxLength:"60"`
			}
		}) (*struct{}, error) {
			p, _ := principal(ctx)
			if err := s.Record.NamePasskey(ctx, in.ID, p.User.ID, in.Body.Name, ledger.By(p.Name())); err != nil {
				return nil, s.recordError("renaming the passkey", err)
			}
			return nil, nil
		})
	op(s, huma.Operation{OperationID: "remove-passkey", Method: http.MethodDelete, Path: "/api/v1/account/passkeys/{id}", Summary: "Remove a passkey", Tags: account, DefaultStatus: http.StatusNoContent, Errors: []int{404, 409}},
		func(ctx context.Context, in *idInput) (*struct{}, error) {
			p, _ := principal(ctx)
			err := s.Record.Tx(ctx, func(tx ledger.Tx) error {
				if err := tx.RemovePasskey(ctx, in.ID, p.User.ID, ledger.By(p.Name())); err != nil {
					return err
				}
				return s.keepsWayIn(ctx, tx, p.User)
			})
			if err != nil {
				return nil, s.accountError("removing the passkey", err)
			}
			return nil, nil
		})
}

var errNoPasskeys = huma.Error409Conflict("passkeys need Ballast to be reached under a name over TLS, or as localhost: set url (and tls) in its configuration")

// Purposes of sealed steps.
const (
	stepRegister = "register a passkey"
	stepPasskey  = "sign in with a passkey" //nolint:gosec // words
	stepOIDC     = "sign in at the provider"
)

func (s *Server) options(purpose string, options any, data *webauthn.SessionData) (*optionsOutput, error) {
	body, err := json.Marshal(options)
	if err != nil {
		return nil, s.fail("writing the passkey's options", err)
	}
	step, err := s.sealer.seal(purpose, data, time.Now())
	if err != nil {
		return nil, s.fail("sealing the passkey's challenge", err)
	}
	return &optionsOutput{SetCookie: s.stepCookie(step).String(), Body: body}, nil
}

func (s *Server) passkeyOptions(ctx context.Context, in *struct {
	Body struct {
		Password string `json:"password,omitempty" maxLength:"1000" doc:"Yours, when you have one: a passkey outlasts a session."`
	}
}) (*optionsOutput, error) {
	if s.passkeys == nil {
		return nil, errNoPasskeys
	}
	p, _ := principal(ctx)
	if p.User.PasswordHash != "" {
		now, key := time.Now(), "change "+subject(p.User.ID)
		if w, _ := s.throttle.try(key, now); w > 0 {
			return nil, later("too many wrong passwords", w)
		}
		if !CheckPassword(p.User.PasswordHash, in.Body.Password) {
			return nil, huma.Error422UnprocessableEntity("the password is wrong", &huma.ErrorDetail{Location: "body.password", Message: "is wrong"})
		}
		s.throttle.passed(key)
	}
	h, err := s.holder(ctx, p.User)
	if err != nil {
		return nil, s.fail("reading the passkeys", err)
	}
	creation, data, err := s.passkeys.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.keys).CredentialDescriptors()))
	if err != nil {
		return nil, s.fail("beginning to register a passkey", err)
	}
	return s.options(stepRegister, creation.Response, data)
}

func (s *Server) addPasskey(ctx context.Context, in *struct {
	Body struct {
		Name       string          `json:"name" minLength:"1" maxLength:"60" doc:"What you call it: the device, most often."`
		Credential json.RawMessage `json:"credential" doc:"PublicKeyCredential.toJSON() of the new credential."`
	}
}) (*struct{ Body PasskeyInfo }, error) {
	if s.passkeys == nil {
		return nil, errNoPasskeys
	}
	p, _ := principal(ctx)
	now := time.Now()
	var data webauthn.SessionData
	id, err := s.sealer.open(stepRegister, callerOf(ctx).cookie(s.stepCookie("x").Name), &data, now)
	if err != nil {
		return nil, huma.Error422UnprocessableEntity(errSealed.Error())
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(in.Body.Credential)
	if err != nil {
		return nil, huma.Error422UnprocessableEntity("this is no passkey: " + reason(err))
	}
	h, err := s.holder(ctx, p.User)
	if err != nil {
		return nil, s.fail("reading the passkeys", err)
	}
	c, err := s.passkeys.CreateCredential(h, data, parsed) // checks the challenge, the origin, and that data is this user's
	if err != nil || !s.sealer.use(id, now) {
		return nil, huma.Error422UnprocessableEntity("the passkey was not accepted: " + reason(err))
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, s.fail("writing the passkey", err)
	}
	added, err := s.Record.AddPasskey(ctx, ledger.Passkey{Credential: base64.RawURLEncoding.EncodeToString(c.ID), User: p.User.ID, Name: strings.TrimSpace(in.Body.Name), Data: string(text)}, ledger.By(p.Name()))
	if err != nil {
		return nil, s.recordError("adding the passkey", err)
	}
	return &struct{ Body PasskeyInfo }{passkeyInfos([]ledger.Passkey{added})[0]}, nil
}

func (s *Server) passkeyChallenge(context.Context, *struct{}) (*optionsOutput, error) {
	if s.passkeys == nil {
		return nil, errNoPasskeys
	}
	assertion, data, err := s.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, s.fail("beginning to sign in with a passkey", err)
	}
	return s.options(stepPasskey, assertion.Response, data)
}

// errPasskey is the one answer to every passkey that does not open an account,
// whatever the reason.
var errPasskey = huma.Error401Unauthorized("this passkey opens no account here")

func (s *Server) passkeySignIn(ctx context.Context, in *struct{ Body json.RawMessage }) (*meOutput, error) {
	if s.passkeys == nil {
		return nil, errNoPasskeys
	}
	now, key := time.Now(), "from "+callerOf(ctx).bucket()
	if w, _ := s.throttle.try(key, now); w > 0 {
		return nil, later("too many refused sign-ins", w)
	}
	u, err := s.byPasskey(ctx, in.Body, now)
	if err != nil {
		s.Log.Warn("passkey refused", "from", callerOf(ctx), "error", reason(err))
		if errors.Is(err, errSealed) {
			return nil, huma.Error401Unauthorized(errSealed.Error())
		}
		return nil, errPasskey
	}
	s.throttle.passed(key)
	out, err := s.enter(ctx, u, "passkey")
	if err != nil {
		return nil, err
	}
	out.SetCookie = append(out.SetCookie, s.stepCookie("").String())
	return out, nil
}

// byPasskey is whose account an assertion opens.
func (s *Server) byPasskey(ctx context.Context, body []byte, now time.Time) (ledger.User, error) {
	var data webauthn.SessionData
	id, err := s.sealer.open(stepPasskey, callerOf(ctx).cookie(s.stepCookie("x").Name), &data, now)
	if err != nil {
		return ledger.User{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(body)
	if err != nil {
		return ledger.User{}, err
	}
	p, err := s.Record.PasskeyByCredential(ctx, base64.RawURLEncoding.EncodeToString(parsed.RawID))
	if err != nil {
		return ledger.User{}, err
	}
	u, err := s.Record.User(ctx, p.User)
	if err != nil {
		return ledger.User{}, err
	}
	h, err := s.holder(ctx, u)
	if err != nil {
		return ledger.User{}, err
	}
	c, err := s.passkeys.ValidateDiscoverableLogin(func(_, user []byte) (webauthn.User, error) {
		if string(user) != string(handle(u)) {
			return nil, errPasskey
		}
		return h, nil
	}, data, parsed)
	switch {
	case err != nil:
		return ledger.User{}, err
	case c.Authenticator.CloneWarning:
		return ledger.User{}, errors.New("its counter went back: it may have been copied")
	case !u.Disabled.IsZero():
		return ledger.User{}, errGone
	case !s.sealer.use(id, now):
		return ledger.User{}, errSealed
	}
	text, err := json.Marshal(c)
	if err != nil {
		return ledger.User{}, err
	}
	return u, s.Record.UsePasskey(ctx, p.ID, string(text))
}

// reason is the library's own words for why it refused.
func reason(err error) string {
	if err == nil {
		return errSealed.Error()
	}
	if e, ok := errors.AsType[*protocol.Error](err); ok && e.DevInfo != "" {
		return e.Details + ": " + e.DevInfo
	}
	return err.Error()
}
