package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/miner"
	"ballast/plant"
)

// Machine is everything about one machine now.
type Machine struct {
	Row
	Record   ledger.Machine   `json:"record"`
	Version  int64            `json:"version" doc:"Of what people edit of it: send it back as If-Match with an edit."`
	Reading  *miner.Reading   `json:"reading,omitempty" doc:"The last good reading."`
	LastPoll time.Time        `json:"last_poll,omitzero"`
	Misses   int              `json:"misses" doc:"Polls in a row without a reading."`
	Envelope *miner.Envelope  `json:"envelope,omitempty" doc:"What it can be set to."`
	Commands []ledger.Command `json:"commands" doc:"Newest first, the last 20."`

	Advice    []Advice                `json:"advice" doc:"What the faults of the reading mean and what to do, one for each different code."`
	Notes     []ledger.Note           `json:"notes" doc:"What people wrote down, newest first."`
	Addresses []ledger.AddressSpan    `json:"addresses" doc:"Where it was, oldest first."`
	Changes   []ledger.IdentityChange `json:"changes" doc:"What it said of itself and no longer says, oldest first."`
}

type listInput struct {
	SiteQuery
	Condition string `query:"condition" enum:"hashing,degraded,starting,sleeping,down,silent,locked,unknown" doc:"Only machines in this condition."`
	Firmware  string `query:"firmware" doc:"Only machines of this firmware."`
	Group     string `query:"group" doc:"Only machines of this group."`
	Search    string `query:"search" maxLength:"100" doc:"Part of name, address, model, MAC or serial."`
	Sort      string `query:"sort" default:"id" enum:"id,name,hashrate,power,efficiency,temperature,since" doc:"Order; with desc the other way round. Missing values come last."`
	Desc      bool   `query:"desc"`
	Limit     int    `query:"limit" default:"500" minimum:"1" maximum:"10000"`
	Offset    int    `query:"offset" default:"0" minimum:"0"`
}

type listBody struct {
	Total    int   `json:"total" doc:"Machines that fit, on all pages."`
	Machines []Row `json:"machines"`
}

func (s *Server) registerSite() {
	op(s, huma.Operation{OperationID: "site", Method: http.MethodGet, Path: "/api/v1/site", Summary: "The site in numbers", Tags: []string{"site"}},
		func(ctx context.Context, in *SiteQuery) (*struct{ Body Site }, error) {
			sites := scope(ctx).Narrow(in.Only)
			return &struct{ Body Site }{s.site(sites, within(sites, s.Fleet.All()))}, nil
		})
	op(s, huma.Operation{OperationID: "plant", Method: http.MethodGet, Path: "/api/v1/plant", Summary: "Power meters, cooling controllers and PDUs, newest readings", Tags: []string{"site"}},
		func(context.Context, *struct{}) (*struct{ Body []plant.Reading }, error) {
			out := []plant.Reading{}
			if s.Plant != nil {
				out = append(out, s.Plant(time.Now())...)
			}
			return &struct{ Body []plant.Reading }{out}, nil
		})
	op(s, huma.Operation{OperationID: "scan", Method: http.MethodPost, Path: "/api/v1/scan", Summary: "Look for machines in address ranges", Tags: []string{"site"}, DefaultStatus: http.StatusAccepted, Errors: []int{409, 422}},
		s.scan)
	op(s, huma.Operation{OperationID: "scan-state", Method: http.MethodGet, Path: "/api/v1/scan", Summary: "How far the scan is", Tags: []string{"site"}},
		func(ctx context.Context, _ *struct{}) (*struct{ Body fleet.ScanState }, error) {
			var st fleet.ScanState
			if s.Scans != nil {
				st, _ = s.Scans.Latest(scope(ctx).Covers)
			}
			return &struct{ Body fleet.ScanState }{st}, nil
		})
}

type scanInput struct {
	Body struct {
		Ranges []string `json:"ranges,omitempty" maxItems:"64" doc:"Address ranges such as 10.20.0.0/16; none: those of the configuration."`
	}
}

// scan is startScan for the site of the configuration.
func (s *Server) scan(ctx context.Context, in *scanInput) (*struct{ Body fleet.ScanState }, error) {
	var start startScanInput
	start.Body.Site, start.Body.Ranges = s.Options.Site, in.Body.Ranges
	return s.startScan(ctx, &start)
}

func (s *Server) registerMachines() {
	op(s, huma.Operation{OperationID: "machines", Method: http.MethodGet, Path: "/api/v1/machines", Summary: "List machines", Tags: []string{"machines"}}, s.list)
	op(s, huma.Operation{OperationID: "machine", Method: http.MethodGet, Path: "/api/v1/machines/{id}", Summary: "One machine, everything it tells", Tags: []string{"machines"}, Errors: []int{404}}, s.machine)
	op(s, huma.Operation{OperationID: "edit-machine", Method: http.MethodPatch, Path: "/api/v1/machines/{id}", Summary: "Name, place, group, tag or retire a machine", Tags: []string{"machines"}, Errors: []int{404, 409, 412, 422}}, s.edit)
	op(s, huma.Operation{OperationID: "edit-machines", Method: http.MethodPost, Path: "/api/v1/machines/edit", Summary: "Group, tag or retire many machines, all or none", Tags: []string{"machines"}, Errors: []int{404, 409, 422}}, s.editMany)
	op(s, huma.Operation{OperationID: "add-note", Method: http.MethodPost, Path: "/api/v1/machines/{id}/notes", Summary: "Write something down about a machine", Tags: []string{"machines"}, Errors: []int{404, 422}}, s.addNote)
	op(s, huma.Operation{OperationID: "delete-note", Method: http.MethodDelete, Path: "/api/v1/machines/{id}/notes/{note}", Summary: "Remove a note", Tags: []string{"machines"}, DefaultStatus: http.StatusNoContent, Errors: []int{404}}, s.deleteNote)
	op(s, huma.Operation{OperationID: "machine-events", Method: http.MethodGet, Path: "/api/v1/machines/{id}/events", Summary: "What happened to a machine: commands, restarts, changes of firmware and address, notes", Tags: []string{"machines"}, Errors: []int{404, 422}}, s.machineEvents)
	op(s, huma.Operation{OperationID: "siblings", Method: http.MethodGet, Path: "/api/v1/machines/{id}/siblings", Summary: "A machine among those of its model nearby", Tags: []string{"machines"}, Errors: []int{404}}, s.siblings)
}

func (s *Server) list(ctx context.Context, in *listInput) (*struct{ Body listBody }, error) {
	search := strings.ToLower(in.Search)
	rows := []Row{}
	for _, st := range within(scope(ctx).Narrow(in.Only), s.Fleet.All()) {
		r := rowOf(st)
		switch {
		case !st.Machine.Retired.IsZero(),
			in.Condition != "" && r.Condition != in.Condition,
			in.Firmware != "" && r.Firmware != in.Firmware,
			in.Group != "" && r.Group != in.Group,
			search != "" && !strings.Contains(strings.ToLower(strings.Join([]string{r.Name, r.Addr, r.Make, r.Model, st.Machine.MAC, st.Machine.Serial}, "\n")), search):
			continue
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, order(in.Sort, in.Desc))
	body := listBody{Total: len(rows)}
	from := min(in.Offset, len(rows))
	body.Machines = rows[from:min(from+in.Limit, len(rows))]
	return &struct{ Body listBody }{body}, nil
}

// order compares rows; rows without the value come last either way.
func order(by string, desc bool) func(a, b Row) int {
	sign := 1
	if desc {
		sign = -1
	}
	optional := func(pick func(Row) *float64) func(a, b Row) int {
		return func(a, b Row) int {
			x, y := pick(a), pick(b)
			switch {
			case x == nil && y == nil:
				return 0
			case x == nil:
				return 1
			case y == nil:
				return -1
			}
			return sign * cmp.Compare(*x, *y)
		}
	}
	switch by {
	case "name":
		return func(a, b Row) int { return sign * strings.Compare(a.Name, b.Name) }
	case "hashrate":
		return optional(func(r Row) *float64 { return r.Hashrate })
	case "power":
		return optional(func(r Row) *float64 { return r.Power })
	case "efficiency":
		return optional(func(r Row) *float64 { return r.Efficiency })
	case "temperature":
		return optional(func(r Row) *float64 { return r.Temperature })
	case "since":
		return func(a, b Row) int { return sign * cmp.Compare(a.Since, b.Since) }
	}
	return func(a, b Row) int { return sign * cmp.Compare(a.ID, b.ID) }
}

type idInput struct {
	ID int64 `path:"id" minimum:"1"`
}

// within are the machines at sites that a scope has.
func within(sites Scope, all []*fleet.Status) []*fleet.Status {
	if sites.All {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(st *fleet.Status) bool { return !sites.Covers(st.Machine.Site) })
}

// status is a machine that the one who asks may see.
func (s *Server) status(ctx context.Context, id int64) (*fleet.Status, error) {
	st, ok := s.Fleet.Get(miner.ID(id))
	if !ok || !scope(ctx).Covers(st.Machine.Site) {
		return nil, huma.Error404NotFound("there is no machine " + strconv.FormatInt(id, 10))
	}
	return st, nil
}

func (s *Server) machine(ctx context.Context, in *idInput) (*struct{ Body Machine }, error) {
	st, err := s.status(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	commands, err := s.Record.Commands(ctx, ledger.CommandFilter{Machine: in.ID, Limit: 20})
	if err != nil {
		return nil, s.fail("reading the machine's commands", err)
	}
	m := Machine{Row: rowOf(st), Record: st.Machine, Version: st.Machine.Version(), Reading: st.Told(), LastPoll: st.LastPoll, Misses: st.Misses, Commands: commands, Advice: advice(st.Reading)}
	if e, ok := s.Fleet.Envelope(miner.ID(in.ID)); ok {
		m.Envelope = &e
	}
	if m.Notes, err = s.Record.NotesOf(ctx, in.ID); err != nil {
		return nil, s.fail("reading the machine's notes", err)
	}
	if m.Addresses, err = s.Record.AddressHistory(ctx, in.ID); err != nil {
		return nil, s.fail("reading where the machine was", err)
	}
	if m.Changes, err = s.Record.IdentityHistory(ctx, in.ID); err != nil {
		return nil, s.fail("reading what the machine was", err)
	}
	return &struct{ Body Machine }{m}, nil
}

type editInput struct {
	ID int64 `path:"id" minimum:"1"`
	Based
	Body struct {
		Name       *string       `json:"name,omitempty" maxLength:"100"`
		Group      *string       `json:"group,omitempty" maxLength:"100"`
		Place      *ledger.Place `json:"place,omitempty" doc:"Where it stands; all empty is nowhere. Conflict when another machine stands in that slot."`
		AddTags    []string      `json:"add_tags,omitempty" maxItems:"20"`
		RemoveTags []string      `json:"remove_tags,omitempty" maxItems:"20"`
		Retired    *bool         `json:"retired,omitempty"`
	}
}

func (s *Server) edit(ctx context.Context, in *editInput) (*struct{ Body Machine }, error) {
	st, err := s.status(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	p, _ := principal(ctx)
	if in.Body.Retired != nil && !p.May(Configure, st.Machine.Site) {
		return nil, huma.Error403Forbidden("retiring a machine takes the right to configure its site")
	}
	e := ledger.MachineEdit{Name: opt(in.Body.Name), Group: opt(in.Body.Group), Place: opt(in.Body.Place), Retired: opt(in.Body.Retired), AddTags: in.Body.AddTags, RemoveTags: in.Body.RemoveTags}
	if e.Version, err = in.opt(); err != nil {
		return nil, err
	}
	if err := s.Record.EditMachines(ctx, []int64{in.ID}, e, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("editing the machine", err)
	}
	if err := s.Fleet.Renew(ctx, []int64{in.ID}); err != nil {
		return nil, s.fail("reading the machine again", err)
	}
	return s.machine(ctx, &idInput{ID: in.ID})
}
