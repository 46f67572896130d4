package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
	"ballast/market"
	"ballast/unit"
)

type rigPricesInput struct {
	Body struct {
		Text    string         `json:"text,omitempty" maxLength:"900000" doc:"CSV with the columns date, tier_jth, usd_per_th, kind and source."`
		Prices  []rigPriceBody `json:"prices,omitempty" maxItems:"1000"`
		Preview bool           `json:"preview,omitempty" doc:"Only say what would be entered and what is wrong."`
	}
}

type rigPriceBody struct {
	Day    string  `json:"day" maxLength:"10" doc:"2026-06-30"`
	Tier   string  `json:"tier" maxLength:"40" doc:"Efficiency: 15-20, <38, ~17.5, all; in J/TH."`
	PerTH  float64 `json:"usd_per_th" exclusiveMinimum:"0"`
	Kind   string  `json:"kind" enum:"index,transaction,offer,liquidation,estimate"`
	Source string  `json:"source" minLength:"1" maxLength:"400"`
}

type rigPricesBody struct {
	Entered []ledger.RigPrice `json:"entered" doc:"With preview, what would be."`
	Errors  []string          `json:"errors" doc:"What is wrong, line by line; then nothing was entered."`
}

func (s *Server) registerRigs(tags []string) {
	op(s, huma.Operation{OperationID: "rig-prices", Method: http.MethodGet, Path: "/api/v1/market/rigs", Summary: "What a TH/s of machine was sold for", Tags: tags},
		func(ctx context.Context, _ *struct{}) (*struct{ Body []ledger.RigPrice }, error) {
			ps, err := s.Record.RigPrices(ctx)
			if err != nil {
				return nil, s.recordError("reading the machine prices", err)
			}
			if ps == nil {
				ps = []ledger.RigPrice{}
			}
			return &struct{ Body []ledger.RigPrice }{ps}, nil
		})
	op(s, huma.Operation{OperationID: "add-rig-prices", Method: http.MethodPost, Path: "/api/v1/market/rigs", Summary: "Enter or import machine prices", Tags: tags, Errors: []int{409, 422},
		Description: "All or none: with one wrong line nothing is entered, and every wrong line is named."}, s.addRigPrices)
	op(s, huma.Operation{OperationID: "delete-rig-price", Method: http.MethodDelete, Path: "/api/v1/market/rigs/{id}", Summary: "Remove a machine price", Tags: tags, Errors: []int{404}},
		func(ctx context.Context, in *idInput) (*struct{}, error) {
			p, _ := principal(ctx)
			if err := s.Record.DeleteRigPrice(ctx, in.ID, ledger.By(p.Name())); err != nil {
				return nil, s.recordError("removing the machine price", err)
			}
			return nil, nil
		})
}

func (s *Server) addRigPrices(ctx context.Context, in *rigPricesInput) (*struct{ Body rigPricesBody }, error) {
	text := in.Body.Text
	if text == "" {
		// One reader for both ways in.
		var b strings.Builder
		b.WriteString("date,tier_jth,usd_per_th,kind,source\n")
		for _, p := range in.Body.Prices {
			fmt.Fprintf(&b, "%s,%q,%g,%s,%q\n", p.Day, p.Tier, p.PerTH, p.Kind, strings.NewReplacer("\n", " ", "\r", " ", `"`, "'", `\`, "/").Replace(p.Source))
		}
		text = b.String()
	}
	out := rigPricesBody{Entered: []ledger.RigPrice{}, Errors: []string{}}
	rigs, err := market.ReadRigs(strings.NewReader(text))
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			out.Errors = append(out.Errors, strings.TrimSuffix(line, ": "+market.ErrInvalid.Error()))
		}
		return &struct{ Body rigPricesBody }{out}, nil
	}
	if len(rigs) == 0 {
		return nil, huma.Error422UnprocessableEntity("there is no price in it")
	}
	for _, r := range rigs {
		out.Entered = append(out.Entered, ledger.RigPrice{At: r.At, Tier: r.Tier.String(), Micro: r.Rate.Micro, Currency: string(r.Rate.Currency), Kind: string(r.Kind), Source: r.Source})
	}
	if in.Body.Preview {
		return &struct{ Body rigPricesBody }{out}, nil
	}
	p, _ := principal(ctx)
	if out.Entered, err = s.Record.AddRigPrices(ctx, out.Entered, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("entering the machine prices", err)
	}
	return &struct{ Body rigPricesBody }{out}, nil
}

// Rigs is the book of machine prices in the record, for valuations.
func (s *Server) Rigs(ctx context.Context) (market.Rigs, error) {
	ps, err := s.Record.RigPrices(ctx)
	if err != nil {
		return nil, err
	}
	var out market.Rigs
	for _, p := range ps {
		t, err := market.ParseTier(strings.TrimSuffix(p.Tier, " J/TH"))
		if err != nil {
			return nil, fmt.Errorf("machine price %d: %w", p.ID, err)
		}
		out = append(out, market.RigPrice{At: p.At, Tier: t, Rate: market.RigRate{Micro: p.Micro, Currency: unit.Currency(p.Currency)}, Kind: market.RigPriceKind(p.Kind), Source: p.Source})
	}
	return out, nil
}
