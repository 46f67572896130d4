package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/debt"
	"ballast/ledger"
	"ballast/market"
	"ballast/unit"
)

// PeerRow is one miner in the league table of a month.
type PeerRow struct {
	Rank      int      `json:"rank"`
	Firm      string   `json:"firm"`
	Class     string   `json:"class"`
	Realised  float64  `json:"realised_ehs"`
	Low       float64  `json:"low_ehs" doc:"With the tolerance of fee share, rounding and luck."`
	High      float64  `json:"high_ehs"`
	Share     float64  `json:"share" doc:"Of the network's hashrate."`
	Installed *float64 `json:"installed_ehs,omitempty"`
	Rate      *float64 `json:"realisation,omitempty" doc:"Realised over installed."`
	Growth    *float64 `json:"growth,omitempty" doc:"Of realised hashrate since the month before."`
	ShareGain *float64 `json:"share_gain,omitempty" doc:"Since the month before."`
	Mined     float64  `json:"mined_btc"`
	Source    string   `json:"source"`
}

// PeerClass is all miners of a size class together.
type PeerClass struct {
	Class    string   `json:"class"`
	From     float64  `json:"from_ehs" doc:"Realised hashrate from which on a miner belongs to it."`
	Firms    int      `json:"firms"`
	Realised float64  `json:"realised_ehs"`
	Share    float64  `json:"share"`
	Growth   *float64 `json:"growth,omitempty" doc:"Of those alone that reported both months, in the class they had the month before."`
}

// PeersBody is the league table of a month.
type PeersBody struct {
	Month     string      `json:"month"`
	Months    []string    `json:"months" doc:"With reports, newest first."`
	Rows      []PeerRow   `json:"rows"`
	Classes   []PeerClass `json:"classes"`
	FeeShare  float64     `json:"fee_share" doc:"Of the network's reward in that month, assumed with its doubt where the history has none."`
	FeeOff    float64     `json:"fee_share_off"`
	Simulated bool        `json:"simulated" doc:"Difficulty is of a simulated network: real reports do not fit it."`
	Why       string      `json:"why,omitempty" doc:"Why there is no table."`
	Columns   []string    `json:"columns" doc:"Of a CSV of reports."`
}

func (s *Server) registerPeers(tags []string) {
	op(s, huma.Operation{OperationID: "peers", Method: http.MethodGet, Path: "/api/v1/outlook/peers", Summary: "Miners of a month by realised hashrate", Tags: tags, Errors: []int{422}}, s.peers)
	op(s, huma.Operation{OperationID: "peer-reports", Method: http.MethodGet, Path: "/api/v1/outlook/peers/reports", Summary: "Production reports that were entered", Tags: tags},
		func(ctx context.Context, _ *struct{}) (*struct{ Body []ledger.PeerReport }, error) {
			rs, err := s.Record.PeerReports(ctx)
			if err != nil {
				return nil, s.recordError("reading the reports", err)
			}
			if rs == nil {
				rs = []ledger.PeerReport{}
			}
			return &struct{ Body []ledger.PeerReport }{rs}, nil
		})
	op(s, huma.Operation{OperationID: "add-peer-reports", Method: http.MethodPost, Path: "/api/v1/outlook/peers/reports", Summary: "Enter or import production reports", Tags: tags, Errors: []int{422},
		Description: "All or none: with one wrong line nothing is entered, and every wrong line is named."}, s.addPeerReports)
	op(s, huma.Operation{OperationID: "delete-peer-report", Method: http.MethodDelete, Path: "/api/v1/outlook/peers/reports", Summary: "Remove a production report", Tags: tags, Errors: []int{404}},
		func(ctx context.Context, in *struct {
			Firm  string `query:"firm" required:"true" maxLength:"200"`
			Month string `query:"month" required:"true" maxLength:"7"`
		}) (*struct{}, error) {
			p, _ := principal(ctx)
			if err := s.Record.DeletePeerReport(ctx, in.Firm, in.Month, ledger.By(p.Name())); err != nil {
				return nil, s.recordError("removing the report", err)
			}
			return nil, nil
		})
}

type peerReportsInput struct {
	Body struct {
		Text    string `json:"text" minLength:"1" maxLength:"900000" doc:"CSV with the columns firm, month, btc_mined, installed_ehs, luck and source."`
		Preview bool   `json:"preview,omitempty" doc:"Only say what would be entered and what is wrong."`
	}
}

type peerReportsBody struct {
	Entered []ledger.PeerReport `json:"entered" doc:"With preview, what would be."`
	Errors  []string            `json:"errors" doc:"What is wrong, line by line; then nothing was entered."`
}

func (s *Server) addPeerReports(ctx context.Context, in *peerReportsInput) (*struct{ Body peerReportsBody }, error) {
	out := peerReportsBody{Entered: []ledger.PeerReport{}, Errors: []string{}}
	rs, err := debt.ReadPeerReports(strings.NewReader(in.Body.Text))
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			for _, tail := range []error{debt.ErrInvalid, debt.ErrNoData, market.ErrInvalid} {
				line = strings.TrimSuffix(line, ": "+tail.Error())
			}
			out.Errors = append(out.Errors, line)
		}
		return &struct{ Body peerReportsBody }{out}, nil
	}
	for _, r := range rs {
		x := ledger.PeerReport{Firm: r.Firm, Month: r.Month.Format("2006-01"), Mined: r.Mined.Minor, Installed: -1, Luck: r.Luck, Source: r.Source}
		if h, ok := r.Installed.Get(); ok {
			x.Installed = int64(h)
		}
		out.Entered = append(out.Entered, x)
	}
	if in.Body.Preview {
		return &struct{ Body peerReportsBody }{out}, nil
	}
	p, _ := principal(ctx)
	if err := s.Record.SavePeerReports(ctx, out.Entered, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("entering the reports", err)
	}
	return &struct{ Body peerReportsBody }{out}, nil
}

type peersInput struct {
	Month    string  `query:"month" maxLength:"7" doc:"2025-09; missing: the newest with reports."`
	FeeShare float64 `query:"fee_share" default:"0.015" minimum:"0" maximum:"0.9" doc:"Of the network's reward in that month."`
	FeeOff   float64 `query:"fee_share_off" default:"0.01" minimum:"0" maximum:"0.5" doc:"How far that may be off."`
}

func (s *Server) peers(ctx context.Context, in *peersInput) (*struct{ Body PeersBody }, error) {
	rs, err := s.Record.PeerReports(ctx)
	if err != nil {
		return nil, s.recordError("reading the reports", err)
	}
	body := PeersBody{Months: []string{}, Rows: []PeerRow{}, Classes: []PeerClass{}, FeeShare: in.FeeShare, FeeOff: in.FeeOff, Columns: debt.PeerColumns, Simulated: s.MarketNow().Simulated}
	installed, mined := map[string]int64{}, map[string]int64{}
	var reports []debt.PeerReport
	for _, r := range rs {
		if n := len(body.Months); n == 0 || body.Months[n-1] != r.Month {
			body.Months = append(body.Months, r.Month)
		}
		month, err := time.Parse("2006-01", r.Month)
		if err != nil {
			return nil, s.fail("reading a report of "+r.Firm, err)
		}
		x := debt.PeerReport{Firm: r.Firm, Month: month, Mined: unit.Money{Minor: r.Mined, Currency: unit.BTC}, Luck: r.Luck, Source: r.Source}
		if r.Installed > 0 {
			x.Installed = unit.Some(unit.Hashrate(r.Installed))
		}
		installed[r.Firm+r.Month], mined[r.Firm+r.Month] = r.Installed, r.Mined
		reports = append(reports, x)
	}
	for i, j := 0, len(body.Months)-1; i < j; i, j = i+1, j-1 {
		body.Months[i], body.Months[j] = body.Months[j], body.Months[i]
	}
	if body.Month = in.Month; body.Month == "" && len(body.Months) > 0 {
		body.Month = body.Months[0]
	}
	if body.Month == "" {
		body.Why = "no report was entered yet"
		return &struct{ Body PeersBody }{body}, nil
	}
	month, err := time.Parse("2006-01", body.Month)
	if err != nil {
		return nil, huma.Error422UnprocessableEntity(fmt.Sprintf("%q is no month such as 2025-09", body.Month))
	}
	if s.Market == nil {
		body.Why = "nobody watches the market: realised hashrate takes its difficulty"
		return &struct{ Body PeersBody }{body}, nil
	}
	h, _, err := s.Market.Past(ctx)
	if err != nil {
		return nil, s.fail("reading the market's history", err)
	}
	classes := debt.SizeClasses()
	rows, sums, err := debt.League(reports, month, h, func(time.Time) (float64, float64) { return in.FeeShare, in.FeeOff }, classes)
	switch {
	case errors.Is(err, debt.ErrNoData), errors.Is(err, market.ErrNoData):
		body.Why = err.Error()
		return &struct{ Body PeersBody }{body}, nil
	case err != nil:
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	for _, r := range rows {
		x := PeerRow{Rank: r.Rank, Firm: r.Firm, Class: r.Class, Realised: float64(r.Realised.Hashrate) / 1e6, Share: r.Share, Source: r.Source, Mined: float64(mined[r.Firm+body.Month]) / market.Coin}
		x.Low, x.High = x.Realised*(1-r.Realised.Tolerance), x.Realised*(1+r.Realised.Tolerance)
		if i := installed[r.Firm+body.Month]; i > 0 {
			eh := float64(i) / 1e6
			x.Installed = &eh
		}
		if v, ok := r.Rate.Get(); ok {
			f := float64(v)
			x.Rate = &f
		}
		x.Growth, x.ShareGain = pointer(r.Growth), pointer(r.ShareGain)
		body.Rows = append(body.Rows, x)
	}
	for i, c := range sums {
		body.Classes = append(body.Classes, PeerClass{Class: c.Class, From: float64(classes[i].From) / 1e6, Firms: c.Firms, Realised: float64(c.Realised) / 1e6, Share: c.Share, Growth: pointer(c.Growth)})
	}
	return &struct{ Body PeersBody }{body}, nil
}

func pointer(o unit.Opt[float64]) *float64 {
	if v, ok := o.Get(); ok {
		return &v
	}
	return nil
}
