package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"ballast/fleet"
	"ballast/ledger"
)

// Bunch is a group or a tag with the machines that carry it.
type Bunch struct {
	Name       string         `json:"name"`
	Machines   int            `json:"machines"`
	Conditions map[string]int `json:"conditions" doc:"Machines in each condition; those without any are left out."`
	Hashrate   float64        `json:"hashrate_ths" doc:"Sum over machines that answer."`
	Power      float64        `json:"power_w" doc:"Sum of what they tell."`
	Sites      []string       `json:"sites"`
}

func (s *Server) registerGroups() {
	op(s, huma.Operation{OperationID: "groups", Method: http.MethodGet, Path: "/api/v1/groups", Summary: "Groups of machines", Tags: []string{"machines"}},
		func(ctx context.Context, in *SiteQuery) (*struct{ Body []Bunch }, error) {
			return &struct{ Body []Bunch }{bunches(within(scope(ctx).Narrow(in.Only), s.Fleet.All()), func(m *ledger.Machine) []string { return []string{m.Group} })}, nil
		})
	op(s, huma.Operation{OperationID: "tags", Method: http.MethodGet, Path: "/api/v1/tags", Summary: "Tags on machines", Tags: []string{"machines"}},
		func(ctx context.Context, in *SiteQuery) (*struct{ Body []Bunch }, error) {
			return &struct{ Body []Bunch }{bunches(within(scope(ctx).Narrow(in.Only), s.Fleet.All()), func(m *ledger.Machine) []string { return m.Tags })}, nil
		})
	op(s, huma.Operation{OperationID: "search", Method: http.MethodGet, Path: "/api/v1/search", Summary: "Find machines, groups and tags by any of their names", Tags: []string{"machines"}}, s.search)
	op(s, huma.Operation{OperationID: "saved-filters", Method: http.MethodGet, Path: "/api/v1/filters", Summary: "Your saved filters, and everybody's", Tags: []string{"machines"}}, s.savedFilters)
	op(s, huma.Operation{OperationID: "save-filter", Method: http.MethodPost, Path: "/api/v1/filters", Summary: "Save a filter under a name, or replace the one of that name", Tags: []string{"machines"}, Errors: []int{422}}, s.saveFilter)
	op(s, huma.Operation{OperationID: "delete-filter", Method: http.MethodDelete, Path: "/api/v1/filters/{id}", Summary: "Remove a saved filter", Tags: []string{"machines"}, DefaultStatus: http.StatusNoContent, Errors: []int{404}}, s.deleteFilter)
}

// bunches gathers machines in service by the names that each carries.
func bunches(all []*fleet.Status, names func(*ledger.Machine) []string) []Bunch {
	at := map[string]*Bunch{}
	for _, st := range all {
		if !st.Machine.Retired.IsZero() {
			continue
		}
		for _, name := range names(&st.Machine) {
			if name == "" {
				continue
			}
			b := at[name]
			if b == nil {
				b = &Bunch{Name: name, Conditions: map[string]int{}, Sites: []string{}}
				at[name] = b
			}
			b.Machines++
			b.Conditions[string(st.Condition)]++
			if !slices.Contains(b.Sites, st.Machine.Site) {
				b.Sites = append(b.Sites, st.Machine.Site)
			}
			if st.Reading != nil && st.Condition != fleet.CondSilent {
				b.Hashrate += float64(st.Reading.HashrateNow.OrElse(st.Reading.HashrateAverage).Or(0))
				b.Power += float64(st.Reading.Power.Or(0))
			}
		}
	}
	out := []Bunch{}
	for _, b := range at {
		slices.Sort(b.Sites)
		out = append(out, *b)
	}
	slices.SortFunc(out, func(a, b Bunch) int { return natural(a.Name, b.Name) })
	return out
}

// Hit is something that a search found.
type Hit struct {
	Kind      string `json:"kind" enum:"machine,group,tag"`
	Machine   int64  `json:"machine,omitempty"`
	Name      string `json:"name"`
	Note      string `json:"note,omitempty" doc:"What it is, and the name that fits when it is none of those that lists show."`
	Condition string `json:"condition,omitempty"`
	Machines  int    `json:"machines,omitempty" doc:"Of a group or tag."`
}

type searchInput struct {
	SiteQuery
	Words string `query:"q" required:"true" minLength:"1" maxLength:"100"`
	Limit int    `query:"limit" default:"20" minimum:"1" maximum:"100"`
}

// search looks through names, addresses, MACs, serials, models, places, groups
// and tags. A MAC fits however it is written. Names that begin with the words
// come first.
func (s *Server) search(ctx context.Context, in *searchInput) (*struct{ Body []Hit }, error) {
	words := strings.ToLower(strings.TrimSpace(in.Words))
	hex := strings.NewReplacer(":", "", "-", "", ".", "").Replace(words)
	all := within(scope(ctx).Narrow(in.Only), s.Fleet.All())
	type ranked struct {
		Hit
		rank int
	}
	var found []ranked
	for kind, bunch := range map[string][]Bunch{
		"group": bunches(all, func(m *ledger.Machine) []string { return []string{m.Group} }),
		"tag":   bunches(all, func(m *ledger.Machine) []string { return m.Tags }),
	} {
		for _, b := range bunch {
			if name := strings.ToLower(b.Name); strings.Contains(name, words) {
				found = append(found, ranked{Hit{Kind: kind, Name: b.Name, Machines: b.Machines}, rank(name, words)})
			}
		}
	}
	for _, st := range all {
		m := &st.Machine
		if !m.Retired.IsZero() {
			continue
		}
		r := rowOf(st)
		best, why := 9, ""
		for _, f := range []struct{ text, why string }{
			{r.Name, ""}, {r.Addr, ""}, {m.Hostname, "host name " + m.Hostname}, {m.Serial, "serial " + m.Serial}, {m.MAC, "MAC " + m.MAC}, {r.Place, ""}, {r.Model, ""},
		} {
			text := strings.ToLower(f.text)
			if strings.Contains(text, words) && rank(text, words) < best {
				best, why = rank(text, words), f.why
			}
		}
		if len(hex) >= 4 && strings.Contains(strings.ReplaceAll(m.MAC, ":", ""), hex) && best == 9 {
			best, why = 2, "MAC "+m.MAC
		}
		if best < 9 {
			note := []string{r.Model, r.Addr, r.Place, why}
			found = append(found, ranked{Hit{Kind: "machine", Machine: r.ID, Name: r.Name, Condition: r.Condition, Note: strings.Join(slices.DeleteFunc(note, func(s string) bool { return s == "" }), " · ")}, best})
		}
	}
	slices.SortStableFunc(found, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(a.Kind, b.Kind), natural(a.Name, b.Name), cmp.Compare(a.Machine, b.Machine))
	})
	out := []Hit{}
	for _, f := range found[:min(len(found), in.Limit)] {
		out = append(out, f.Hit)
	}
	return &struct{ Body []Hit }{out}, nil
}

// rank is 0 for the very words, 1 for what begins with them, 2 for the rest.
func rank(text, words string) int {
	switch {
	case text == words:
		return 0
	case strings.HasPrefix(text, words):
		return 1
	}
	return 2
}

// SavedFilter is a saved filter as the one who asks sees it.
type SavedFilter struct {
	ledger.SavedFilter
	Shared bool `json:"shared" doc:"Everybody sees it."`
}

func (s *Server) savedFilters(ctx context.Context, _ *struct{}) (*struct{ Body []SavedFilter }, error) {
	p, _ := principal(ctx)
	have, err := s.Record.SavedFilters(ctx, p.User.ID)
	if err != nil {
		return nil, s.recordError("reading the saved filters", err)
	}
	out := []SavedFilter{}
	for _, f := range have {
		out = append(out, SavedFilter{f, f.Owner == 0})
	}
	return &struct{ Body []SavedFilter }{out}, nil
}

type saveFilterInput struct {
	Body struct {
		Name   string `json:"name" minLength:"1" maxLength:"100"`
		Query  string `json:"query" maxLength:"4000" doc:"The part of the page's address that makes the choice."`
		Shared bool   `json:"shared,omitempty" doc:"For everybody; takes the right to repair."`
	}
}

func (s *Server) saveFilter(ctx context.Context, in *saveFilterInput) (*struct{ Body SavedFilter }, error) {
	p, _ := principal(ctx)
	f := ledger.SavedFilter{Owner: p.User.ID, Name: in.Body.Name, Query: in.Body.Query}
	if in.Body.Shared {
		if p.Scope(Repair).None() {
			return nil, huma.Error403Forbidden("saving a filter for everybody takes the right to repair, which " + whoHas(Repair))
		}
		f.Owner = 0
	}
	f, err := s.Record.SaveFilter(ctx, f, ledger.By(p.Name()))
	if err != nil {
		return nil, s.recordError("saving the filter", err)
	}
	return &struct{ Body SavedFilter }{SavedFilter{f, f.Owner == 0}}, nil
}

func (s *Server) deleteFilter(ctx context.Context, in *idInput) (*struct{}, error) {
	p, _ := principal(ctx)
	f, err := s.Record.SavedFilter(ctx, in.ID)
	if err == nil && f.Owner != 0 && f.Owner != p.User.ID {
		err = ledger.ErrNotFound // other people's filters are theirs alone
	}
	if err != nil {
		return nil, s.recordError("reading the filter", err)
	}
	if f.Owner == 0 && p.Scope(Repair).None() {
		return nil, huma.Error403Forbidden("removing a filter of everybody takes the right to repair, which " + whoHas(Repair))
	}
	if err := s.Record.DeleteFilter(ctx, in.ID, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("removing the filter", err)
	}
	return nil, nil
}
