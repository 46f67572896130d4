package server

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// SiteInfo is one site that the one who asks may look at.
type SiteInfo struct {
	Name     string `json:"name" doc:"As grants, machines and metrics call it."`
	Title    string `json:"title" doc:"As people call it."`
	Machines int    `json:"machines"`
}

// SiteQuery narrows an operation to one site. It is exported because huma passes
// over embedded structs that are not.
type SiteQuery struct {
	Only string `query:"site" maxLength:"100" doc:"Only this site."`
}

// Narrow is the part of a scope that lies at site; an empty name does not
// narrow.
func (s Scope) Narrow(site string) Scope {
	switch {
	case site == "":
		return s
	case s.Covers(site):
		return Scope{Sites: []string{site}}
	}
	return Scope{}
}

func (s *Server) registerSites() {
	op(s, huma.Operation{OperationID: "sites", Method: http.MethodGet, Path: "/api/v1/sites", Summary: "The sites that you may look at", Tags: []string{"site"}}, s.sites)
}

func (s *Server) sites(ctx context.Context, _ *struct{}) (*struct{ Body []SiteInfo }, error) {
	known, err := s.Record.Sites(ctx)
	if err != nil {
		return nil, s.fail("reading the sites", err)
	}
	titles := map[string]string{s.Options.Site: s.Options.Site}
	for _, k := range known {
		titles[k.Name] = k.Title
	}
	count := map[string]int{}
	for _, st := range s.Fleet.All() {
		if st.Machine.Retired.IsZero() {
			count[st.Machine.Site]++
			if _, ok := titles[st.Machine.Site]; !ok {
				titles[st.Machine.Site] = st.Machine.Site
			}
		}
	}
	out := []SiteInfo{}
	for name, title := range titles {
		if scope(ctx).Covers(name) {
			out = append(out, SiteInfo{Name: name, Title: title, Machines: count[name]})
		}
	}
	slices.SortFunc(out, func(a, b SiteInfo) int { return strings.Compare(a.Title+a.Name, b.Title+b.Name) })
	return &struct{ Body []SiteInfo }{out}, nil
}
