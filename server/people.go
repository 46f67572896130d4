package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/conditional"

	"ballast/ledger"
	"ballast/unit"
)

// Person is an account as an admin sees it.
type Person struct {
	ID        int64          `json:"id"`
	Name      string         `json:"name" doc:"To sign in with."`
	FullName  string         `json:"full_name,omitempty"`
	Grants    []ledger.Grant `json:"grants" doc:"Those that the one who asks may see."`
	Elsewhere bool           `json:"elsewhere" doc:"Has grants at other sites, too: only an admin of these may disable them or reset their password."`
	SignsIn   []string       `json:"signs_in" enum:"password,passkey,oidc" doc:"Ways that they have to sign in; none for accounts of programs."`
	Sessions  int            `json:"sessions" doc:"Browsers they are signed in with."`
	LastSeen  time.Time      `json:"last_seen,omitzero" doc:"In a session that has not ended."`
	Disabled  time.Time      `json:"disabled,omitzero"`
	CreatedAt time.Time      `json:"created_at"`
	Version   int64          `json:"version" doc:"Send it back with an edit, or as If-Match, so that nothing is overwritten that somebody else changed."`
	Self      bool           `json:"self" doc:"It is the one who asks."`
}

type personOutput struct {
	ETag string `header:"ETag"`
	Body Person
}

func (s *Server) registerPeople() {
	people := []string{"people"}
	op(s, huma.Operation{OperationID: "people", Method: http.MethodGet, Path: "/api/v1/people", Summary: "Everybody who has an account", Tags: people}, s.people)
	op(s, huma.Operation{OperationID: "person", Method: http.MethodGet, Path: "/api/v1/people/{id}", Summary: "One account", Tags: people, Errors: []int{304, 404}}, s.person)
	op(s, huma.Operation{OperationID: "edit-person", Method: http.MethodPatch, Path: "/api/v1/people/{id}", Summary: "Change name, grants, or disable", Tags: people, Errors: []int{404, 409, 412, 422},
		Description: "Disabling ends the person's sessions and stops their keys. The last admin at all sites can be neither disabled nor lowered (409)."}, s.editPerson)
	op(s, huma.Operation{OperationID: "reset-person", Method: http.MethodPost, Path: "/api/v1/people/{id}/reset", Summary: "Make a one-time link that sets a new password", Tags: people, DefaultStatus: http.StatusCreated, Errors: []int{404, 409}}, s.resetPerson)
	op(s, huma.Operation{OperationID: "end-person-sessions", Method: http.MethodDelete, Path: "/api/v1/people/{id}/sessions", Summary: "Sign somebody out everywhere", Tags: people, Errors: []int{404}}, s.endPersonSessions)
	op(s, huma.Operation{OperationID: "invites", Method: http.MethodGet, Path: "/api/v1/invites", Summary: "One-time links that wait to be used", Tags: people}, s.invites)
	op(s, huma.Operation{OperationID: "invite", Method: http.MethodPost, Path: "/api/v1/invites", Summary: "Make a one-time link for a new account", Tags: people, DefaultStatus: http.StatusCreated, Errors: []int{422}}, s.invite)
	op(s, huma.Operation{OperationID: "revoke-invite", Method: http.MethodDelete, Path: "/api/v1/invites/{id}", Summary: "Take back a one-time link", Tags: people, DefaultStatus: http.StatusNoContent, Errors: []int{404}}, s.revokeInvite)
}

// seen is the part of grants that lies in a scope, and whether there is more.
func (s Scope) seen(gs []ledger.Grant) (in []ledger.Grant, elsewhere bool) {
	in = []ledger.Grant{}
	for _, g := range gs {
		if s.All || g.Site != "" && s.Covers(g.Site) {
			in = append(in, g)
		} else {
			elsewhere = true
		}
	}
	return in, elsewhere
}

// may fails unless the one who asks is admin wherever grants are.
func (s Scope) may(gs []ledger.Grant) error {
	for _, g := range gs {
		if !s.All && (g.Site == "" || !s.Covers(g.Site)) {
			at := "at all sites"
			if g.Site != "" {
				at = "at " + g.Site
			}
			return huma.Error403Forbidden(fmt.Sprintf("this takes an admin %s", at))
		}
	}
	return nil
}

// known fails unless sites of grants exist and roles are given once.
func (s *Server) known(ctx context.Context, gs []ledger.Grant) error {
	sites, err := s.Record.Sites(ctx)
	if err != nil {
		return s.fail("reading the sites", err)
	}
	names := map[string]bool{"": true, s.Options.Site: true}
	for _, x := range sites {
		names[x.Name] = true
	}
	for _, st := range s.Fleet.All() {
		names[st.Machine.Site] = true
	}
	for i, g := range gs {
		switch {
		case !g.Role.Known():
			return huma.Error422UnprocessableEntity(fmt.Sprintf("there is no role %q", g.Role))
		case !names[g.Site]:
			return huma.Error422UnprocessableEntity(fmt.Sprintf("there is no site %q", g.Site))
		case slices.Contains(gs[:i], g):
			return huma.Error422UnprocessableEntity(fmt.Sprintf("the role %s is given twice for the same site", g.Role))
		}
	}
	return nil
}

// visible is a person that the one who asks may see.
func (s *Server) visible(ctx context.Context, tx ledger.Tx, id int64) (ledger.User, error) {
	u, err := tx.User(ctx, id)
	if err != nil {
		return u, s.recordError("reading the account", err)
	}
	if in, _ := scope(ctx).seen(u.Grants); len(in) == 0 && !scope(ctx).All {
		return u, huma.Error404NotFound(fmt.Sprintf("there is no person %d", id))
	}
	return u, nil
}

func (s *Server) describe(ctx context.Context, u ledger.User) (Person, error) {
	me, _ := principal(ctx)
	p := Person{ID: u.ID, Name: u.Name, FullName: u.FullName, SignsIn: []string{}, Disabled: u.Disabled, CreatedAt: u.CreatedAt, Version: u.Version, Self: u.ID == me.User.ID}
	p.Grants, p.Elsewhere = scope(ctx).seen(u.Grants)
	keys, err := s.Record.Passkeys(ctx, u.ID)
	if err != nil {
		return p, err
	}
	ids, err := s.Record.Identities(ctx, u.ID)
	if err != nil {
		return p, err
	}
	for way, has := range map[string]bool{"password": u.PasswordHash != "", "passkey": len(keys) > 0, "oidc": len(ids) > 0} {
		if has {
			p.SignsIn = append(p.SignsIn, way)
		}
	}
	slices.Sort(p.SignsIn)
	xs, err := s.Record.Sessions(ctx, ledger.SessionFilter{User: u.ID})
	if err != nil {
		return p, err
	}
	if p.Sessions = len(xs); p.Sessions > 0 {
		p.LastSeen = xs[0].LastSeen
	}
	return p, nil
}

func (s *Server) people(ctx context.Context, _ *struct{}) (*struct{ Body []Person }, error) {
	us, err := s.Record.Users(ctx)
	if err != nil {
		return nil, s.fail("reading the accounts", err)
	}
	out := []Person{}
	for _, u := range us {
		if in, _ := scope(ctx).seen(u.Grants); len(in) == 0 && !scope(ctx).All {
			continue
		}
		p, err := s.describe(ctx, u)
		if err != nil {
			return nil, s.fail("reading the accounts", err)
		}
		out = append(out, p)
	}
	return &struct{ Body []Person }{out}, nil
}

// personTag changes whenever the account does, or how the one who asks sees it.
func personTag(ctx context.Context, u ledger.User) string {
	return fmt.Sprintf("%d.%d.%x", u.ID, u.Version, scope(ctx).Key())
}

func (s *Server) person(ctx context.Context, in *struct {
	ID int64 `path:"id" minimum:"1"`
	conditional.Params
}) (*personOutput, error) {
	u, err := s.visible(ctx, s.Record, in.ID)
	if err != nil {
		return nil, err
	}
	if in.HasConditionalParams() {
		if err := in.PreconditionFailed(personTag(ctx, u), u.UpdatedAt); err != nil {
			return nil, err
		}
	}
	return s.personOutput(ctx, u)
}

func (s *Server) personOutput(ctx context.Context, u ledger.User) (*personOutput, error) {
	p, err := s.describe(ctx, u)
	if err != nil {
		return nil, s.fail("reading the account", err)
	}
	return &personOutput{ETag: `"` + personTag(ctx, u) + `"`, Body: p}, nil
}

type editPersonInput struct {
	ID int64 `path:"id" minimum:"1"`
	conditional.Params
	Body struct {
		Version  *int64          `json:"version,omitempty" doc:"The version that you looked at; 412 when it is no more."`
		FullName *string         `json:"full_name,omitempty" maxLength:"100"`
		Grants   *[]ledger.Grant `json:"grants,omitempty" maxItems:"200" doc:"All grants at sites where you are admin; those elsewhere stay."`
		Disabled *bool           `json:"disabled,omitempty"`
	}
}

func (s *Server) editPerson(ctx context.Context, in *editPersonInput) (*personOutput, error) {
	by, _ := principal(ctx)
	sites := scope(ctx)
	if in.Body.Grants != nil {
		if err := sites.may(*in.Body.Grants); err != nil {
			return nil, err
		}
		if err := s.known(ctx, *in.Body.Grants); err != nil {
			return nil, err
		}
	}
	var u ledger.User
	err := s.Record.Tx(ctx, func(tx ledger.Tx) error {
		was, err := s.visible(ctx, tx, in.ID)
		if err != nil {
			return err
		}
		if in.HasConditionalParams() {
			if err := in.PreconditionFailed(personTag(ctx, was), was.UpdatedAt); err != nil {
				return stale("the account")
			}
		}
		// Names and being disabled are not of one site: they take an admin wherever
		// the person has a grant.
		if in.Body.FullName != nil || in.Body.Disabled != nil {
			if err := sites.may(was.Grants); err != nil {
				return err
			}
		}
		e := ledger.UserEdit{Version: unit.Some(was.Version), FullName: opt(in.Body.FullName), Disabled: opt(in.Body.Disabled)}
		if in.Body.Version != nil {
			e.Version = unit.Some(*in.Body.Version)
		}
		if in.Body.Grants != nil {
			all := slices.Clone(*in.Body.Grants)
			for _, g := range was.Grants {
				if mine, _ := sites.seen([]ledger.Grant{g}); len(mine) == 0 {
					all = append(all, g)
				}
			}
			e.Grants = unit.Some(all)
		}
		if u, err = tx.EditUser(ctx, in.ID, e, ledger.By(by.Name())); err != nil {
			return err
		}
		if !u.Disabled.IsZero() {
			_, err = tx.EndSessions(ctx, ledger.SessionFilter{User: u.ID}, ledger.Audit{Actor: by.Name(), Detail: "the account was disabled"})
		}
		return err
	})
	if err != nil {
		return nil, s.accountError("changing the account", err)
	}
	return s.personOutput(ctx, u)
}

// Invite is a one-time link that waits to be used.
type Invite struct {
	ID        int64          `json:"id"`
	Purpose   ledger.Purpose `json:"purpose" enum:"admin,invite,reset-password"`
	Note      string         `json:"note,omitempty"`
	Name      string         `json:"name,omitempty" doc:"Whose password it resets."`
	Grants    []ledger.Grant `json:"grants"`
	CreatedAt time.Time      `json:"created_at"`
	Expires   time.Time      `json:"expires"`
}

// NewLink is a link that was just made. It is shown once: the record keeps only
// its hash.
type NewLink struct {
	Link    string    `json:"link"`
	Expires time.Time `json:"expires"`
}

// How long links work.
const (
	resetLife  = 24 * time.Hour
	inviteLife = 7 * 24 * time.Hour
)

func (s *Server) resetPerson(ctx context.Context, in *idInput) (*struct{ Body NewLink }, error) {
	by, _ := principal(ctx)
	u, err := s.visible(ctx, s.Record, in.ID)
	if err != nil {
		return nil, err
	}
	if err := scope(ctx).may(u.Grants); err != nil {
		return nil, err
	}
	if !u.Disabled.IsZero() {
		return nil, huma.Error409Conflict(u.Name + " is disabled; enable the account first")
	}
	expires := time.Now().Add(resetLife).UTC()
	text, err := link(ctx, s.Record, s.URL, ledger.SetupToken{Purpose: ledger.ForReset, User: u.ID, Note: u.Name, Expires: expires}, ledger.By(by.Name()))
	if err != nil {
		return nil, s.recordError("making the link", err)
	}
	return &struct{ Body NewLink }{NewLink{text, expires}}, nil
}

func (s *Server) endPersonSessions(ctx context.Context, in *idInput) (*endedBody, error) {
	by, _ := principal(ctx)
	u, err := s.visible(ctx, s.Record, in.ID)
	if err != nil {
		return nil, err
	}
	if err := scope(ctx).may(u.Grants); err != nil {
		return nil, err
	}
	n, err := s.Record.EndSessions(ctx, ledger.SessionFilter{User: u.ID}, ledger.By(by.Name()))
	if err != nil {
		return nil, s.fail("ending the sessions", err)
	}
	out := &endedBody{}
	out.Body.Ended = n
	return out, nil
}

func (s *Server) invites(ctx context.Context, _ *struct{}) (*struct{ Body []Invite }, error) {
	ts, err := s.Record.SetupTokens(ctx)
	if err != nil {
		return nil, s.fail("reading the links", err)
	}
	out := []Invite{}
	for _, t := range ts {
		u, err := s.inviteFor(ctx, t)
		if err != nil {
			continue // of sites where the one who asks is no admin
		}
		out = append(out, Invite{ID: t.ID, Purpose: t.Purpose, Note: t.Note, Name: u.Name, Grants: t.Grants, CreatedAt: t.CreatedAt, Expires: t.Expires})
	}
	return &struct{ Body []Invite }{out}, nil
}

// inviteFor fails unless the one who asks is admin wherever the link leads, and
// gives whose account it is when there is one.
func (s *Server) inviteFor(ctx context.Context, t ledger.SetupToken) (u ledger.User, err error) {
	if t.User != 0 {
		if u, err = s.visible(ctx, s.Record, t.User); err != nil {
			return u, err
		}
		return u, scope(ctx).may(u.Grants)
	}
	return u, scope(ctx).may(t.Grants)
}

func (s *Server) invite(ctx context.Context, in *struct {
	Body struct {
		Grants []ledger.Grant `json:"grants" minItems:"1" maxItems:"200"`
		Note   string         `json:"note,omitempty" maxLength:"100" doc:"For whom, so that you know later."`
		Hours  int            `json:"hours,omitempty" minimum:"0" maximum:"720" doc:"How long the link works; 0 is a week."`
	}
}) (*struct{ Body NewLink }, error) {
	by, _ := principal(ctx)
	if err := scope(ctx).may(in.Body.Grants); err != nil {
		return nil, err
	}
	if err := s.known(ctx, in.Body.Grants); err != nil {
		return nil, err
	}
	life := inviteLife
	if in.Body.Hours > 0 {
		life = time.Duration(in.Body.Hours) * time.Hour
	}
	expires := time.Now().Add(life).UTC()
	text, err := link(ctx, s.Record, s.URL, ledger.SetupToken{Purpose: ledger.ForInvite, Grants: in.Body.Grants, Note: strings.TrimSpace(in.Body.Note), Expires: expires}, ledger.By(by.Name()))
	if err != nil {
		return nil, s.recordError("making the link", err)
	}
	return &struct{ Body NewLink }{NewLink{text, expires}}, nil
}

func (s *Server) revokeInvite(ctx context.Context, in *idInput) (*struct{}, error) {
	by, _ := principal(ctx)
	ts, err := s.Record.SetupTokens(ctx)
	if err != nil {
		return nil, s.fail("reading the links", err)
	}
	for _, t := range ts {
		if t.ID != in.ID {
			continue
		}
		if _, err := s.inviteFor(ctx, t); err != nil {
			break
		}
		if err := s.Record.RevokeSetupToken(ctx, in.ID, ledger.By(by.Name())); err != nil {
			return nil, s.recordError("taking back the link", err)
		}
		return nil, nil
	}
	return nil, huma.Error404NotFound("there is no such link, or it was used, or it has expired")
}
