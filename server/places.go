package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/miner"
	"ballast/site"
	"ballast/unit"
)

// SiteRecord is everything that the record has of a site. Its description is
// what machines are placed by; its ranges are the addresses that belong to it.
type SiteRecord struct {
	Name    string    `json:"name" doc:"As grants, machines and metrics call it; it never changes."`
	Title   string    `json:"title" doc:"As people call it."`
	Ranges  []string  `json:"ranges" doc:"Addresses that belong to it, such as 10.20.0.0/16. No two sites share any."`
	Version int64     `json:"version" doc:"Send it back as If-Match when saving."`
	Layout  site.Site `json:"layout" doc:"The owner's description: buildings, containers, racks, feeders, PDUs, meters, loops."`
}

type siteName struct {
	Name string `path:"name" maxLength:"100"`
}

type siteAnswer struct {
	ETag string `header:"ETag"`
	Body SiteRecord
}

// layoutBody bounds a description: twenty thousand machines by MAC and serial.
const layoutBody = 8 << 20

func (s *Server) registerPlaces() {
	tag := []string{"places"}
	op(s, huma.Operation{OperationID: "site-record", Method: http.MethodGet, Path: "/api/v1/sites/{name}", Summary: "One site: its addresses and its layout", Tags: tag, Errors: []int{404}}, s.siteRecord)
	op(s, huma.Operation{OperationID: "add-site", Method: http.MethodPost, Path: "/api/v1/sites", Summary: "Add a site", Tags: tag, DefaultStatus: http.StatusCreated, Errors: []int{409, 422}}, s.addSite)
	op(s, huma.Operation{OperationID: "save-site", Method: http.MethodPut, Path: "/api/v1/sites/{name}", Summary: "Save a site's title, addresses and layout", Tags: tag, MaxBodyBytes: layoutBody, Errors: []int{404, 409, 412, 422, 428},
		Description: "Machines whose place follows the layout move with it, in the same step. If-Match must name the version that was read, so that two editors do not overwrite each other."}, s.saveSite)
	op(s, huma.Operation{OperationID: "remove-site", Method: http.MethodDelete, Path: "/api/v1/sites/{name}", Summary: "Remove a site that has no machines", Tags: tag, Errors: []int{404, 409}}, s.removeSite)
	op(s, huma.Operation{OperationID: "check-layout", Method: http.MethodPost, Path: "/api/v1/sites/{name}/check", Summary: "What is wrong with a layout, and where it would put the machines", Tags: tag, MaxBodyBytes: layoutBody, Errors: []int{404}}, s.checkLayout)
	op(s, huma.Operation{OperationID: "import-layout", Method: http.MethodPost, Path: "/api/v1/sites/{name}/import", Summary: "Read a table of machines and slots into a layout", Tags: tag, MaxBodyBytes: layoutBody, Errors: []int{404},
		Description: "Saves nothing: it answers the layout that would come of it, or the problems, line by line."}, s.importLayout)
	op(s, huma.Operation{OperationID: "export-layout", Method: http.MethodGet, Path: "/api/v1/sites/{name}/layout", Summary: "Download a site's layout", Tags: tag, Errors: []int{404},
		Responses: map[string]*huma.Response{"200": {Description: "The file", Content: map[string]*huma.MediaType{"application/yaml": {}, "text/csv": {}}}}}, s.exportLayout)
	op(s, huma.Operation{OperationID: "placement", Method: http.MethodGet, Path: "/api/v1/sites/{name}/placement", Summary: "Which machine stands where, which slots are empty, and what contradicts", Tags: tag, Errors: []int{404}}, s.placement)
	op(s, huma.Operation{OperationID: "place-machine", Method: http.MethodPut, Path: "/api/v1/machines/{id}/place", Summary: "Place a machine by hand, or let the layout decide again", Tags: []string{"machines"}, Errors: []int{404, 409, 412, 422}}, s.placeMachine)
}

// siteOf is a site of the record that the one who asks may act on.
func (s *Server) siteOf(ctx context.Context, name string) (ledger.Site, error) {
	if !scope(ctx).Covers(name) {
		return ledger.Site{}, huma.Error404NotFound("there is no site " + name)
	}
	rec, err := s.Record.Site(ctx, name)
	if errors.Is(err, ledger.ErrNotFound) {
		return rec, huma.Error404NotFound("there is no site " + name)
	}
	if err != nil {
		return rec, s.fail("reading the site", err)
	}
	return rec, nil
}

func (s *Server) answerSite(rec ledger.Site) (*siteAnswer, error) {
	out := SiteRecord{Name: rec.Name, Title: rec.Title, Ranges: rec.Ranges, Version: rec.Version}
	if out.Title == "" {
		out.Title = rec.Name
	}
	if out.Ranges == nil {
		out.Ranges = []string{}
	}
	// Read without a check: what is wrong with it is shown, so that it can be mended.
	if err := json.Unmarshal(rec.Layout, &out.Layout); err != nil {
		return nil, s.fail("reading the site's layout", err)
	}
	if out.Layout.Name == "" {
		out.Layout.Name = out.Title
	}
	return &siteAnswer{ETag: etag(rec.Version), Body: out}, nil
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

func (s *Server) siteRecord(ctx context.Context, in *siteName) (*siteAnswer, error) {
	rec, err := s.siteOf(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return s.answerSite(rec)
}

var siteNames = regexp.MustCompile(`^[\pL\pN][\pL\pN ._-]{0,62}$`)

type addSiteInput struct {
	Body struct {
		Name   string   `json:"name" minLength:"1" maxLength:"63" doc:"Short; letters, digits, spaces, dots and dashes. It never changes."`
		Title  string   `json:"title,omitempty" maxLength:"100"`
		Zone   string   `json:"zone,omitempty" maxLength:"60" doc:"IANA time zone."`
		Ranges []string `json:"ranges,omitempty" maxItems:"64"`
	}
}

func (s *Server) addSite(ctx context.Context, in *addSiteInput) (*siteAnswer, error) {
	if !scope(ctx).All {
		return nil, huma.Error403Forbidden("adding a site takes the right to configure all sites")
	}
	p, _ := principal(ctx)
	name := strings.TrimSpace(in.Body.Name)
	if !siteNames.MatchString(name) {
		return nil, huma.Error422UnprocessableEntity(fmt.Sprintf("%q: a site's name has letters, digits, spaces, dots and dashes", name))
	}
	title := strings.TrimSpace(in.Body.Title)
	if title == "" {
		title = name
	}
	layout := &site.Site{Name: title, Zone: in.Body.Zone}
	rec := ledger.Site{Name: name, Title: title, Ranges: clean(in.Body.Ranges)}
	err := s.Record.Tx(ctx, func(tx ledger.Tx) error {
		if _, err := tx.Site(ctx, name); !errors.Is(err, ledger.ErrNotFound) {
			return errors.Join(err, fmt.Errorf("there is a site %s already: %w", name, ledger.ErrConflict))
		}
		return s.writeSite(ctx, tx, rec, layout, p.Name())
	})
	if err != nil {
		return nil, s.siteError(err)
	}
	return s.saved(ctx, name, nil)
}

func clean(list []string) []string {
	out := []string{}
	for _, t := range list {
		if t = strings.TrimSpace(t); t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// writeSite checks a site against itself and the others and writes it.
func (s *Server) writeSite(ctx context.Context, tx ledger.Tx, rec ledger.Site, layout *site.Site, actor string) error {
	if err := layout.Check(); err != nil {
		return err
	}
	mine, err := fleet.ParseRanges(rec.Ranges)
	if err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrInvalid, err)
	}
	all, err := tx.Sites(ctx)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.Name == rec.Name {
			continue
		}
		theirs, err := fleet.ParseRanges(other.Ranges)
		if err != nil {
			continue // told when it is loaded
		}
		for _, a := range mine {
			for _, b := range theirs {
				if a.Overlaps(b) {
					return fmt.Errorf("%v and %v of site %s have addresses in common: %w", a, b, other.Name, ledger.ErrInvalid)
				}
			}
		}
	}
	if rec.Layout, err = json.Marshal(layout); err != nil {
		return err
	}
	return tx.SaveSite(ctx, rec, ledger.By(actor))
}

// siteError tells what is wrong with a description one by one.
func (s *Server) siteError(err error) error {
	if list := site.Problems(err); len(list) > 0 {
		details := make([]error, 0, len(list))
		for _, p := range list {
			details = append(details, &huma.ErrorDetail{Location: p.At, Message: p.What})
		}
		return huma.Error422UnprocessableEntity("the layout is not valid", details...)
	}
	if errors.Is(err, site.ErrInvalid) {
		return huma.Error422UnprocessableEntity(err.Error())
	}
	return s.recordError("saving the site", err)
}

// saved takes a saved site and the machines that it moved into the live fleet.
func (s *Server) saved(ctx context.Context, name string, moved []int64) (*siteAnswer, error) {
	if err := s.Fleet.LoadGrounds(ctx); err != nil {
		return nil, s.fail("reading the sites", err)
	}
	if err := s.Fleet.Renew(ctx, moved); err != nil {
		return nil, s.fail("reading the machines that moved", err)
	}
	rec, err := s.Record.Site(ctx, name)
	if err != nil {
		return nil, s.recordError("reading the site", err)
	}
	return s.answerSite(rec)
}

type saveSiteInput struct {
	Name  string `path:"name" maxLength:"100"`
	Match string `header:"If-Match" doc:"The ETag that was read with the site."`
	Body  struct {
		Title  string    `json:"title" minLength:"1" maxLength:"100"`
		Ranges []string  `json:"ranges" maxItems:"64"`
		Layout site.Site `json:"layout"`
	}
}

func (s *Server) saveSite(ctx context.Context, in *saveSiteInput) (*siteAnswer, error) {
	rec, err := s.siteOf(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	if in.Match == "" {
		return nil, huma.NewError(http.StatusPreconditionRequired, "send If-Match with the version that was read")
	}
	if in.Match != etag(rec.Version) {
		return nil, stale("the site")
	}
	p, _ := principal(ctx)
	rec.Title, rec.Ranges = strings.TrimSpace(in.Body.Title), clean(in.Body.Ranges)
	layout := &in.Body.Layout
	layout.Name = rec.Title
	var moved []int64
	err = s.Record.Tx(ctx, func(tx ledger.Tx) error {
		if err := s.writeSite(ctx, tx, rec, layout, p.Name()); err != nil {
			return err
		}
		moved, err = s.Fleet.Place(ctx, tx, rec.Name, layout, ledger.By(p.Name()))
		return err
	})
	if errors.Is(err, ledger.ErrConflict) && !errors.Is(err, ledger.ErrInvalid) {
		return nil, stale("the site")
	}
	if err != nil {
		return nil, s.siteError(err)
	}
	return s.saved(ctx, rec.Name, moved)
}

func (s *Server) removeSite(ctx context.Context, in *siteName) (*struct{}, error) {
	if _, err := s.siteOf(ctx, in.Name); err != nil {
		return nil, err
	}
	if in.Name == s.Options.Site {
		return nil, huma.Error409Conflict("this is the site of the configuration, which addresses without a range belong to")
	}
	p, _ := principal(ctx)
	if err := s.Record.RemoveSite(ctx, in.Name, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("removing the site", err)
	}
	if err := s.Fleet.LoadGrounds(ctx); err != nil {
		return nil, s.fail("reading the sites", err)
	}
	return nil, nil
}

type checkInput struct {
	Name string `path:"name" maxLength:"100"`
	Body struct {
		Layout site.Site `json:"layout"`
	}
}

// LayoutCheck is what a layout would do.
type LayoutCheck struct {
	Problems  []site.Problem        `json:"problems" doc:"None: it can be saved."`
	Slots     int                   `json:"slots"`
	Placed    int                   `json:"placed" doc:"Machines that it has a slot for."`
	Moves     int                   `json:"moves" doc:"Machines that saving it would move."`
	Conflicts []fleet.PlaceConflict `json:"conflicts"`
}

func (s *Server) checkLayout(ctx context.Context, in *checkInput) (*struct{ Body LayoutCheck }, error) {
	if _, err := s.siteOf(ctx, in.Name); err != nil {
		return nil, err
	}
	return &struct{ Body LayoutCheck }{s.judge(in.Name, &in.Body.Layout)}, nil
}

func (s *Server) judge(name string, layout *site.Site) LayoutCheck {
	out := LayoutCheck{Problems: []site.Problem{}, Conflicts: []fleet.PlaceConflict{}}
	if layout.Name == "" {
		layout.Name = name
	}
	if err := layout.Check(); err != nil {
		out.Problems = append(out.Problems, site.Problems(err)...)
		return out
	}
	out.Slots = layout.Slots()
	var machines []ledger.Machine
	for _, st := range s.Fleet.All() {
		if st.Machine.Site == name {
			machines = append(machines, st.Machine)
		}
	}
	pl := fleet.Assign(layout, machines)
	out.Conflicts = append(out.Conflicts, pl.Conflicts...)
	for _, m := range machines {
		p, ok := pl.Places[m.ID]
		if ok && p != (ledger.Place{}) {
			out.Placed++
		}
		if ok && p != m.Place {
			out.Moves++
		}
	}
	return out
}

type importInput struct {
	Name string `path:"name" maxLength:"100"`
	Body struct {
		Text      string    `json:"text" doc:"The table, with a head line."`
		Layout    site.Site `json:"layout" doc:"What it is read into: the layout that is being edited."`
		Base      string    `json:"base,omitempty" enum:"auto,0,1" default:"auto" doc:"What rows and indexes count from; auto finds out."`
		FromTop   bool      `json:"from_top,omitempty" doc:"Row numbers count from the top, as Foreman's do."`
		Container string    `json:"container,omitempty" maxLength:"100" doc:"For lines that name none."`
	}
}

// LayoutImport is what a table would make of a layout.
type LayoutImport struct {
	site.Import
	Layout *site.Site   `json:"layout,omitempty" doc:"Absent when there are problems."`
	Check  *LayoutCheck `json:"check,omitempty"`
}

func (s *Server) importLayout(ctx context.Context, in *importInput) (*struct{ Body LayoutImport }, error) {
	if _, err := s.siteOf(ctx, in.Name); err != nil {
		return nil, err
	}
	base := &in.Body.Layout
	if base.Name == "" {
		base.Name = in.Name
	}
	if err := base.Check(); err != nil {
		return nil, s.siteError(err)
	}
	from := map[string]int{"0": 0, "1": 1}
	number, told := from[in.Body.Base]
	if !told {
		number = -1
	}
	out := LayoutImport{Import: site.ImportTable(base, []byte(in.Body.Text), site.ImportOptions{Base: number, FromTop: in.Body.FromTop, Container: in.Body.Container})}
	if out.Layout = out.Import.Site; out.Layout != nil {
		c := s.judge(in.Name, out.Layout)
		out.Check = &c
	}
	return &struct{ Body LayoutImport }{out}, nil
}

type exportLayoutInput struct {
	Name   string `path:"name" maxLength:"100"`
	Format string `query:"format" default:"yaml" enum:"yaml,csv"`
}

func (s *Server) exportLayout(ctx context.Context, in *exportLayoutInput) (*huma.StreamResponse, error) {
	rec, err := s.siteOf(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	layout, err := site.FromJSON(rec.Layout)
	if err != nil {
		return nil, s.siteError(err)
	}
	var b bytes.Buffer
	kind := "text/csv; charset=utf-8"
	if in.Format == "csv" {
		err = layout.WriteTable(&b)
	} else {
		kind = "application/yaml; charset=utf-8"
		var text []byte
		if text, err = layout.YAML(); err == nil {
			b.Write(text)
		}
	}
	if err != nil {
		return nil, s.fail("writing the layout", err)
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		out.SetHeader("Content-Type", kind)
		out.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.%s"`, fileName(in.Name), in.Format))
		_, _ = out.BodyWriter().Write(b.Bytes()) // a client that left needs no file
	}}, nil
}

// PlacedMachine is a machine as the layout editor shows it.
type PlacedMachine struct {
	ID     int64           `json:"id"`
	Name   string          `json:"name"`
	Addr   string          `json:"addr,omitempty"`
	MAC    string          `json:"mac,omitempty"`
	Serial string          `json:"serial,omitempty"`
	Model  string          `json:"model,omitempty"`
	Place  string          `json:"place,omitempty" doc:"Hall/C01/R02/7"`
	Placed ledger.PlacedBy `json:"placed,omitempty" enum:"hand,layout"`

	Version int64 `json:"version" doc:"Send it back as If-Match with an edit of the machine."`
}

func placed(st *fleet.Status) PlacedMachine {
	m := st.Machine
	return PlacedMachine{ID: m.ID, Name: rowOf(st).Name, Addr: addrText(m.Addr.IsValid(), m.Addr.String()), MAC: m.MAC, Serial: m.Serial, Model: m.Model, Place: m.Place.String(), Placed: m.Placed, Version: m.Version()}
}

// PlacementBody is which machine stands where.
type PlacementBody struct {
	Machines  []PlacedMachine       `json:"machines"`
	Conflicts []fleet.PlaceConflict `json:"conflicts"`
	Slots     int                   `json:"slots"`
	Empty     []string              `json:"empty" doc:"Slots that no machine is in, at most 2000."`
	EmptyAll  int                   `json:"empty_total"`
}

func (s *Server) placement(ctx context.Context, in *siteName) (*struct{ Body PlacementBody }, error) {
	if _, err := s.siteOf(ctx, in.Name); err != nil {
		return nil, err
	}
	pl := s.Fleet.Placement(in.Name)
	body := PlacementBody{Machines: []PlacedMachine{}, Conflicts: append([]fleet.PlaceConflict{}, pl.Conflicts...), Empty: []string{}, EmptyAll: len(pl.Empty)}
	for _, p := range pl.Empty[:min(len(pl.Empty), 2000)] {
		body.Empty = append(body.Empty, p.String())
	}
	if g, ok := s.Fleet.Ground(in.Name); ok && g.Layout != nil {
		body.Slots = g.Layout.Slots()
	}
	for _, st := range s.Fleet.All() {
		m := st.Machine
		if m.Site != in.Name || !m.Retired.IsZero() {
			continue
		}
		body.Machines = append(body.Machines, placed(st))
	}
	return &struct{ Body PlacementBody }{body}, nil
}

type placeInput struct {
	ID int64 `path:"id" minimum:"1"`
	Based
	Body struct {
		Place *ledger.Place `json:"place,omitempty" doc:"Where it stands; left out, the layout decides again."`
	}
}

func (s *Server) placeMachine(ctx context.Context, in *placeInput) (*struct{ Body PlacedMachine }, error) {
	st, err := s.status(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	version, err := in.opt()
	if err != nil {
		return nil, err
	}
	p, _ := principal(ctx)
	var place ledger.Place
	if in.Body.Place != nil {
		place = *in.Body.Place
		if g, ok := s.Fleet.Ground(st.Machine.Site); ok && g.Layout != nil && g.Layout.Slots() > 0 && !hasSlot(g.Layout, place) {
			return nil, huma.Error422UnprocessableEntity(fmt.Sprintf("the layout of %s has no slot %s", st.Machine.Site, place))
		}
	}
	// Whoever the layout has there gives way: a hand wins.
	var ids []int64
	err = s.Record.Tx(ctx, func(tx ledger.Tx) error {
		ids = []int64{in.ID}
		if place.Slot != "" {
			there, err := tx.Machines(ctx, ledger.MachineFilter{Site: st.Machine.Site, Retired: unit.Some(false)})
			if err != nil {
				return err
			}
			for _, m := range there {
				if m.ID != in.ID && m.Place == place && m.Placed == ledger.PlacedByLayout {
					if _, err := tx.PlaceMachines(ctx, m.Site, map[int64]ledger.Place{m.ID: {}}, ledger.By(p.Name())); err != nil {
						return err
					}
					ids = append(ids, m.ID)
				}
			}
		}
		return tx.EditMachines(ctx, []int64{in.ID}, ledger.MachineEdit{Place: unit.Some(place), Version: version}, ledger.By(p.Name()))
	})
	if err != nil {
		return nil, s.recordError("placing the machine", err)
	}
	if err := s.Fleet.Renew(ctx, ids); err != nil {
		return nil, s.fail("reading the machine again", err)
	}
	now, _ := s.Fleet.Get(miner.ID(in.ID))
	return &struct{ Body PlacedMachine }{placed(now)}, nil
}

func hasSlot(layout *site.Site, p ledger.Place) bool {
	for q := range layout.Places() {
		if q.Building == p.Building && q.Container == p.Container && q.Rack == p.Rack && strconv.Itoa(q.Slot) == p.Slot {
			return true
		}
	}
	return false
}

// privateNetworks are where this machine has an address itself.
func privateNetworks(addrs []netip.Prefix) []string {
	out := []string{}
	for _, p := range fleet.Networks(addrs) {
		out = append(out, p.String())
	}
	return out
}
