package server

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
)

type editManyInput struct {
	Body struct {
		Machines   []int64  `json:"machines" minItems:"1" maxItems:"20000"`
		Group      *string  `json:"group,omitempty" maxLength:"100" doc:"Empty takes them out of their group."`
		AddTags    []string `json:"add_tags,omitempty" maxItems:"20"`
		RemoveTags []string `json:"remove_tags,omitempty" maxItems:"20"`
		Retired    *bool    `json:"retired,omitempty" doc:"Takes the right to configure their site."`
	}
}

// Edited is how many machines were changed.
type Edited struct {
	Machines int `json:"machines"`
}

func (s *Server) editMany(ctx context.Context, in *editManyInput) (*struct{ Body Edited }, error) {
	p, _ := principal(ctx)
	for _, id := range in.Body.Machines {
		st, err := s.status(ctx, id)
		if err != nil {
			return nil, err
		}
		if in.Body.Retired != nil && !p.May(Configure, st.Machine.Site) {
			return nil, huma.Error403Forbidden("retiring machines takes the right to configure their site")
		}
	}
	e := ledger.MachineEdit{Group: opt(in.Body.Group), Retired: opt(in.Body.Retired), AddTags: in.Body.AddTags, RemoveTags: in.Body.RemoveTags}
	if err := s.Record.EditMachines(ctx, in.Body.Machines, e, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("editing the machines", err)
	}
	if err := s.Fleet.Renew(ctx, in.Body.Machines); err != nil {
		return nil, s.fail("reading the machines again", err)
	}
	return &struct{ Body Edited }{Edited{len(in.Body.Machines)}}, nil
}

type noteInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"4000"`
	}
}

func (s *Server) addNote(ctx context.Context, in *noteInput) (*struct{ Body ledger.Note }, error) {
	if _, err := s.status(ctx, in.ID); err != nil {
		return nil, err
	}
	p, _ := principal(ctx)
	n, err := s.Record.AddNote(ctx, in.ID, in.Body.Text, ledger.By(p.Name()))
	if err != nil {
		return nil, s.recordError("writing the note", err)
	}
	return &struct{ Body ledger.Note }{n}, nil
}

func (s *Server) deleteNote(ctx context.Context, in *struct {
	ID   int64 `path:"id" minimum:"1"`
	Note int64 `path:"note" minimum:"1"`
}) (*struct{}, error) {
	if _, err := s.status(ctx, in.ID); err != nil {
		return nil, err
	}
	p, _ := principal(ctx)
	if err := s.Record.DeleteNote(ctx, in.ID, in.Note, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("removing the note", err)
	}
	return nil, nil
}
