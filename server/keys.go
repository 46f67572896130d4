package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
)

// KeyInfo is an API key, without its secret.
type KeyInfo struct {
	ID        int64     `json:"id"`
	Prefix    string    `json:"prefix" doc:"How the key begins; the rest was shown once."`
	Name      string    `json:"name"`
	User      int64     `json:"user"`
	Owner     string    `json:"owner" doc:"Whose it is: it can never do more than they."`
	Scopes    []Right   `json:"scopes" enum:"look,repair,command,configure,money,administer,portal"`
	CreatedAt time.Time `json:"created_at"`
	Expires   time.Time `json:"expires,omitzero"`
	Revoked   time.Time `json:"revoked,omitzero"`
	LastUsed  time.Time `json:"last_used,omitzero" doc:"To the minute."`
}

// NewKey is a key that was just made, with its secret.
type NewKey struct {
	KeyInfo
	Key string `json:"key" doc:"Shown this once: the record keeps only its hash."`
}

// ConsoleAccount is the account of the commands on Ballast's own machine, and
// the name of the key that they use. That key is made anew at each start.
const ConsoleAccount = "console"

func (s *Server) registerKeys() {
	keys := []string{"keys"}
	op(s, huma.Operation{OperationID: "keys", Method: http.MethodGet, Path: "/api/v1/keys", Summary: "API keys: yours, or everybody's for an admin", Tags: keys}, s.keys)
	op(s, huma.Operation{OperationID: "add-key", Method: http.MethodPost, Path: "/api/v1/keys", Summary: "Make an API key", Tags: keys, DefaultStatus: http.StatusCreated, Errors: []int{404, 422}}, s.addKey)
	op(s, huma.Operation{OperationID: "revoke-key", Method: http.MethodDelete, Path: "/api/v1/keys/{id}", Summary: "Revoke an API key", Tags: keys, DefaultStatus: http.StatusNoContent, Errors: []int{404}}, s.revokeKey)
}

func keyInfo(k ledger.APIKey, owner string) KeyInfo {
	i := KeyInfo{ID: k.ID, Prefix: k.Prefix, Name: k.Name, User: k.User, Owner: owner, Scopes: []Right{}, CreatedAt: k.CreatedAt, Expires: k.Expires, Revoked: k.Revoked, LastUsed: k.LastUsed}
	for _, sc := range k.Scopes {
		i.Scopes = append(i.Scopes, Right(sc))
	}
	return i
}

// governs tells whether the one who asks is admin wherever u has a grant.
func governs(ctx context.Context, u ledger.User) bool {
	p, _ := principal(ctx)
	sites := p.Scope(Administer)
	return sites.All || len(u.Grants) > 0 && sites.may(u.Grants) == nil
}

func (s *Server) keys(ctx context.Context, in *struct {
	Of string `query:"of" default:"me" enum:"me,everybody"`
}) (*struct{ Body []KeyInfo }, error) {
	p, _ := principal(ctx)
	of := p.User.ID
	if in.Of == "everybody" {
		if p.Scope(Administer).None() {
			return nil, huma.Error403Forbidden("the keys of others are an admin's to see")
		}
		of = 0
	}
	ks, err := s.Record.APIKeys(ctx, of)
	if err != nil {
		return nil, s.fail("reading the keys", err)
	}
	users, err := s.Record.Users(ctx)
	if err != nil {
		return nil, s.fail("reading the accounts", err)
	}
	owners := map[int64]ledger.User{}
	for _, u := range users {
		owners[u.ID] = u
	}
	out := []KeyInfo{}
	for _, k := range slices.Backward(ks) {
		if k.User == p.User.ID || governs(ctx, owners[k.User]) {
			out = append(out, keyInfo(k, owners[k.User].Name))
		}
	}
	return &struct{ Body []KeyInfo }{out}, nil
}

func (s *Server) addKey(ctx context.Context, in *struct {
	Body struct {
		Name    string    `json:"name" minLength:"1" maxLength:"60" doc:"What it is for."`
		Scopes  []Right   `json:"scopes" minItems:"1" maxItems:"7" uniqueItems:"true" enum:"look,repair,command,configure,money,administer,portal" doc:"What it may do, at most what its owner may."`
		Expires time.Time `json:"expires,omitzero" doc:"When it stops working; never when left out."`
		User    string    `json:"user,omitempty" maxLength:"100" doc:"Name of another owner, for an admin."`
	}
}) (*struct{ Body NewKey }, error) {
	p, _ := principal(ctx)
	owner := p
	if in.Body.User != "" && !strings.EqualFold(strings.TrimSpace(in.Body.User), p.User.Name) {
		u, err := s.Record.UserByName(ctx, in.Body.User)
		if err != nil || !governs(ctx, u) {
			return nil, huma.Error404NotFound(fmt.Sprintf("there is no %q whose keys you may make", in.Body.User))
		}
		owner = Principal{User: u}
	}
	now := time.Now()
	if e := in.Body.Expires; !e.IsZero() && !e.After(now) {
		return nil, huma.Error422UnprocessableEntity("the key would have expired already", &huma.ErrorDetail{Location: "body.expires", Message: "must lie ahead"})
	}
	name := strings.TrimSpace(in.Body.Name)
	if name == "" || owner.User.Name == ConsoleAccount && strings.EqualFold(name, ConsoleAccount) {
		return nil, huma.Error422UnprocessableEntity("choose another name for the key")
	}
	// What the owner may, and of a key that makes a key, what that key may; nor
	// does a key that ends make one that stays.
	scopes := make([]string, len(in.Body.Scopes))
	for i, r := range in.Body.Scopes {
		scopes[i] = string(r)
		if owner.Scope(r).None() {
			return nil, huma.Error422UnprocessableEntity(fmt.Sprintf("%s may not %s, and so no key of theirs", owner.Name(), r))
		}
		if p.Key != nil && p.Scope(r).None() {
			return nil, huma.Error422UnprocessableEntity(fmt.Sprintf("%s may not %s, and so no key that it makes", p.Name(), r))
		}
	}
	if p.Key != nil && !p.Key.Expires.IsZero() && (in.Body.Expires.IsZero() || in.Body.Expires.After(p.Key.Expires)) {
		return nil, huma.Error422UnprocessableEntity("a key cannot make one that works longer than itself")
	}
	key, prefix, sum := ledger.NewAPIKey()
	k, err := s.Record.AddAPIKey(ctx, ledger.APIKey{Prefix: prefix, Sum: sum, User: owner.User.ID, Name: name, Scopes: scopes, Expires: in.Body.Expires}, ledger.By(p.Name()))
	if err != nil {
		return nil, s.recordError("making the key", err)
	}
	return &struct{ Body NewKey }{NewKey{keyInfo(k, owner.User.Name), key}}, nil
}

func (s *Server) revokeKey(ctx context.Context, in *idInput) (*struct{}, error) {
	p, _ := principal(ctx)
	k, err := s.Record.APIKey(ctx, in.ID)
	if err == nil && k.User != p.User.ID {
		u, e := s.Record.User(ctx, k.User)
		if e != nil || !governs(ctx, u) {
			err = ledger.ErrNotFound
		}
	}
	if err != nil {
		return nil, s.recordError("reading the key", fmt.Errorf("API key %d: %w", in.ID, err))
	}
	// A key may end itself; to end others it takes what an admin has.
	if p.Key != nil && p.Key.ID != k.ID && p.Scope(Administer).None() {
		return nil, huma.Error404NotFound(fmt.Sprintf("there is no key %d that this key may revoke", in.ID))
	}
	if err := s.Record.RevokeAPIKey(ctx, in.ID, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("revoking the key", err)
	}
	return nil, nil
}
