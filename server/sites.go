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

	Recorded     bool     `json:"recorded" doc:"It is in the record, and can be edited."`
	Ranges       []string `json:"ranges" doc:"Addresses that belong to it."`
	Zone         string   `json:"zone,omitempty"`
	Jurisdiction string   `json:"jurisdiction,omitempty"`
	Latitude     float64  `json:"latitude,omitempty"`
	Longitude    float64  `json:"longitude,omitempty"`
	Tariff       string   `json:"tariff,omitempty"`
	CapW         float64  `json:"cap_w,omitempty" doc:"At the grid connection."`
	Slots        int      `json:"slots" doc:"That its layout describes."`
	Placed       int      `json:"placed" doc:"Machines that stand in one."`
}

// SiteQuery narrows an operation to one site. It is exported because huma sees
// no parameters in an embedded struct that is not.
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
	by := map[string]*SiteInfo{}
	at := func(name string) *SiteInfo {
		if by[name] == nil {
			by[name] = &SiteInfo{Name: name, Title: name, Ranges: []string{}}
		}
		return by[name]
	}
	at(s.Options.Site)
	for _, k := range known {
		x := at(k.Name)
		x.Recorded, x.Ranges = true, append(x.Ranges, k.Ranges...)
		if k.Title != "" {
			x.Title = k.Title
		}
		if g, ok := s.Fleet.Ground(k.Name); ok && g.Layout != nil {
			l := g.Layout
			x.Zone, x.Jurisdiction, x.Latitude, x.Longitude, x.Tariff, x.CapW, x.Slots = l.Zone, l.Jurisdiction, l.Latitude, l.Longitude, l.Tariff, float64(l.Cap), l.Slots()
		}
	}
	for _, st := range s.Fleet.All() {
		if st.Machine.Retired.IsZero() {
			x := at(st.Machine.Site)
			x.Machines++
			if st.Machine.Place.Slot != "" {
				x.Placed++
			}
		}
	}
	out := []SiteInfo{}
	for name, x := range by {
		if scope(ctx).Covers(name) {
			out = append(out, *x)
		}
	}
	slices.SortFunc(out, func(a, b SiteInfo) int { return strings.Compare(a.Title+a.Name, b.Title+b.Name) })
	return &struct{ Body []SiteInfo }{out}, nil
}
