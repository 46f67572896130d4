package server

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"ballast/fleet"
	"ballast/ledger"
)

func (s *Server) registerScans() {
	tag := []string{"discovery"}
	op(s, huma.Operation{OperationID: "start-scan", Method: http.MethodPost, Path: "/api/v1/scans", Summary: "Look for the machines of a site", Tags: tag, DefaultStatus: http.StatusAccepted, Errors: []int{404, 409, 422}}, s.startScan)
	op(s, huma.Operation{OperationID: "scans", Method: http.MethodGet, Path: "/api/v1/scans", Summary: "Scans, newest first", Tags: tag}, s.scans)
	op(s, huma.Operation{OperationID: "scan-report", Method: http.MethodGet, Path: "/api/v1/scans/{id}", Summary: "How far a scan is, what it found, and what it did not find and why", Tags: tag, Errors: []int{404}}, s.scanReport)
	op(s, huma.Operation{OperationID: "scan-found", Method: http.MethodGet, Path: "/api/v1/scans/{id}/found", Summary: "What answered a scan, as it comes", Tags: tag, Errors: []int{404}}, s.scanFound)
	op(s, huma.Operation{OperationID: "cancel-scan", Method: http.MethodDelete, Path: "/api/v1/scans/{id}", Summary: "Cancel a scan; what it found stays", Tags: tag, Errors: []int{404}}, s.cancelScan)
	op(s, huma.Operation{OperationID: "networks", Method: http.MethodGet, Path: "/api/v1/networks", Summary: "Private networks that this computer is in: where machines may be", Tags: tag,
		Description: "Read from this computer's own addresses. Nothing is sent and nothing is scanned."}, s.networks)
}

type startScanInput struct {
	Body struct {
		Site   string   `json:"site" minLength:"1" maxLength:"100"`
		Ranges []string `json:"ranges,omitempty" maxItems:"64" doc:"Address ranges such as 10.20.0.0/16; none: those of the site."`
		Keep   bool     `json:"keep,omitempty" doc:"The ranges belong to the site from now on, and are scanned again from time to time."`
	}
}

func (s *Server) startScan(ctx context.Context, in *startScanInput) (*struct{ Body fleet.ScanState }, error) {
	rec, err := s.siteOf(ctx, in.Body.Site)
	if err != nil {
		return nil, err
	}
	if s.Scans == nil {
		return nil, huma.Error409Conflict("this server does not scan")
	}
	ranges, err := fleet.ParseRanges(clean(in.Body.Ranges))
	if err != nil {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	for _, r := range ranges {
		for _, g := range s.Fleet.Grounds() {
			if g.Name != rec.Name && slices.ContainsFunc(g.Ranges, r.Overlaps) {
				return nil, huma.Error422UnprocessableEntity(r.String() + " has addresses of the site " + g.Name + "; scan them there")
			}
		}
	}
	p, _ := principal(ctx)
	if in.Body.Keep && len(ranges) > 0 {
		rec.Ranges = clean(append(rec.Ranges, in.Body.Ranges...))
		if err := s.Record.SaveSite(ctx, rec, ledger.By(p.Name())); err != nil {
			return nil, s.recordError("saving the site's ranges", err)
		}
		if err := s.Fleet.LoadGrounds(ctx); err != nil {
			return nil, s.fail("reading the sites", err)
		}
	}
	st, err := s.Scans.Start(context.WithoutCancel(ctx), rec.Name, ranges, ledger.By(p.Name()))
	switch {
	case errors.Is(err, fleet.ErrScanning):
		return nil, huma.Error409Conflict("a scan of this site is running; wait for its end or cancel it")
	case errors.Is(err, fleet.ErrNoRanges):
		return nil, huma.Error422UnprocessableEntity("name the address ranges to look in: the site has none yet")
	case err != nil:
		return nil, s.fail("starting the scan", err)
	}
	return &struct{ Body fleet.ScanState }{st}, nil
}

type scansInput struct {
	Only   string `query:"site" maxLength:"100" doc:"Only this site."`
	Before int64  `query:"before" minimum:"0" doc:"The id that the page before ended with."`
	Limit  int    `query:"limit" default:"20" minimum:"1" maximum:"200"`
}

func (s *Server) scans(ctx context.Context, in *scansInput) (*struct{ Body []fleet.ScanState }, error) {
	sites := scope(ctx).Narrow(in.Only)
	out := []fleet.ScanState{}
	for before := in.Before; len(out) < in.Limit; {
		page, err := s.Record.Scans(ctx, ledger.ScanFilter{Before: before, Limit: 200})
		if err != nil {
			return nil, s.fail("reading the scans", err)
		}
		for _, sc := range page {
			if before = sc.ID; sites.Covers(sc.Site) && len(out) < in.Limit {
				out = append(out, s.scanState(sc))
			}
		}
		if len(page) < 200 {
			break
		}
	}
	return &struct{ Body []fleet.ScanState }{out}, nil
}

// scanState is a scan of the record, with live figures while it runs.
func (s *Server) scanState(sc ledger.Scan) fleet.ScanState {
	if s.Scans != nil {
		if run, ok := s.Scans.Run(sc.ID); ok {
			return run.State()
		}
	}
	var r fleet.ScanReport
	_ = json.Unmarshal(sc.Report, &r) // a scan that was cut off has none
	r.ID, r.Site, r.Ranges, r.Actor, r.Started, r.Ended, r.End, r.Detail = sc.ID, sc.Site, sc.Ranges, sc.Actor, sc.Started, sc.Ended, sc.End, sc.Detail
	r.Running = false
	return r.ScanState
}

// scanOf is a scan that the one who asks may see.
func (s *Server) scanOf(ctx context.Context, id int64) (ledger.Scan, error) {
	sc, err := s.Record.Scan(ctx, id)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return sc, s.fail("reading the scan", err)
	}
	if err != nil || !scope(ctx).Covers(sc.Site) {
		return sc, huma.Error404NotFound("there is no scan " + strconv.FormatInt(id, 10))
	}
	return sc, nil
}

func (s *Server) scanReport(ctx context.Context, in *idInput) (*struct{ Body fleet.ScanReport }, error) {
	sc, err := s.scanOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if s.Scans != nil {
		if run, ok := s.Scans.Run(sc.ID); ok {
			return &struct{ Body fleet.ScanReport }{s.Scans.Report(run)}, nil
		}
	}
	r := fleet.ScanReport{Kinds: []fleet.ScanKind{}, Others: []fleet.ScanFound{}, Silent: []fleet.AddrRun{}, Refused: []fleet.AddrRun{}, Missing: []fleet.Absent{}}
	_ = json.Unmarshal(sc.Report, &r) // a scan that was cut off has none
	r.ScanState = s.scanState(sc)
	return &struct{ Body fleet.ScanReport }{r}, nil
}

type scanFoundInput struct {
	ID    int64 `path:"id" minimum:"1"`
	After int   `query:"after" minimum:"0" doc:"The seq of the last one that is known."`
	Limit int   `query:"limit" default:"1000" minimum:"1" maximum:"5000"`
}

type scanFoundBody struct {
	Found []fleet.ScanFound `json:"found"`
	Kept  bool              `json:"kept" doc:"False for scans of long ago, of which only the report is kept."`
}

func (s *Server) scanFound(ctx context.Context, in *scanFoundInput) (*struct{ Body scanFoundBody }, error) {
	sc, err := s.scanOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	body := scanFoundBody{Found: []fleet.ScanFound{}}
	if s.Scans != nil {
		if run, ok := s.Scans.Run(sc.ID); ok {
			body.Found, body.Kept = run.Found(in.After, in.Limit), true
		}
	}
	return &struct{ Body scanFoundBody }{body}, nil
}

func (s *Server) cancelScan(ctx context.Context, in *idInput) (*struct{ Body fleet.ScanState }, error) {
	sc, err := s.scanOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if s.Scans != nil {
		if run, ok := s.Scans.Run(sc.ID); ok && run.State().Running {
			p, _ := principal(ctx)
			if err := s.Record.Audit(ctx, ledger.Audit{Actor: p.Name(), Action: "scan.cancel", Subject: "site/" + sc.Site, Detail: strconv.FormatInt(sc.ID, 10)}); err != nil {
				return nil, s.fail("writing the audit log", err)
			}
			run.Cancel()
		}
	}
	return &struct{ Body fleet.ScanState }{s.scanState(sc)}, nil
}

type networksBody struct {
	Networks []string `json:"networks"`
}

func (s *Server) networks(context.Context, *struct{}) (*struct{ Body networksBody }, error) {
	var found []netip.Prefix
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, s.fail("reading this computer's addresses", err)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			found = append(found, p)
		}
	}
	return &struct{ Body networksBody }{networksBody{privateNetworks(found)}}, nil
}
