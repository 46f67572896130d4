package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
	"ballast/price"
	"ballast/tariff"
)

// ContractHead is an electricity contract in a list.
type ContractHead struct {
	ID        int64            `json:"id"`
	Site      string           `json:"site"`
	Name      string           `json:"name"`
	Revision  int              `json:"revision" doc:"From 1; one more with every change of the text."`
	Source    string           `json:"source" doc:"\"page\", or the file that it is read from: the file is read again at every start."`
	Currency  string           `json:"currency,omitempty"`
	Zone      string           `json:"zone,omitempty"`
	From      string           `json:"from,omitempty" doc:"First day of its first version."`
	To        string           `json:"to,omitempty" doc:"Last day of its last version; missing: until further notice."`
	InForce   bool             `json:"in_force" doc:"Today."`
	Kinds     []string         `json:"kinds" doc:"Of the parts of the version in force today."`
	Problems  []tariff.Problem `json:"problems" doc:"Why its text cannot be used any more."`
	UpdatedAt time.Time        `json:"updated_at"`
}

// ContractBody is one contract with its text and what it says.
type ContractBody struct {
	ContractHead
	Text      string         `json:"text"`
	Explained []string       `json:"explained" doc:"What it charges today, a sentence a part."`
	Warnings  []string       `json:"warnings"`
	Texts     []ContractText `json:"texts" doc:"Every text that it had, newest first."`
}

// ContractText is a text that a contract had.
type ContractText struct {
	Revision int       `json:"revision"`
	Actor    string    `json:"actor"`
	At       time.Time `json:"at"`
	Text     string    `json:"text"`
}

// ContractCheck says what is wrong with a text, and what it would mean.
type ContractCheck struct {
	OK        bool             `json:"ok"`
	Problems  []tariff.Problem `json:"problems"`
	Warnings  []string         `json:"warnings"`
	Name      string           `json:"name,omitempty"`
	Currency  string           `json:"currency,omitempty"`
	Series    []string         `json:"series" doc:"Market series that it asks for."`
	Explained []string         `json:"explained"`
	At        time.Time        `json:"at" doc:"The instant that was tried."`
	Price     *PriceTry        `json:"price,omitempty" doc:"What one more MWh costs then."`
}

// PriceTry is a price that a contract would give.
type PriceTry struct {
	PerMWh  float64   `json:"price_per_mwh"`
	Status  string    `json:"status" enum:"settled,provisional,expected,estimated,missing"`
	Missing []string  `json:"missing"`
	Parts   []PartNow `json:"parts"`
	LoadW   float64   `json:"load_w" doc:"At which it was reckoned."`
}

type contractPath struct {
	ID int64 `path:"id"`
}

type contractInput struct {
	Body struct {
		Site string `json:"site" minLength:"1" maxLength:"200"`
		Text string `json:"text" minLength:"1" maxLength:"262144" doc:"The contract, YAML; docs/tariff.md has the format."`
	}
}

type contractEdit struct {
	ID int64 `path:"id"`
	Based
	Body struct {
		Revision int    `json:"revision,omitempty" minimum:"1" doc:"As it was read: 412 when somebody else changed it meanwhile. One of this and If-Match takes an edit; If-Match goes first."`
		Text     string `json:"text" minLength:"1" maxLength:"262144"`
	}
}

type contractTry struct {
	Body struct {
		Site  string     `json:"site" minLength:"1" maxLength:"200"`
		ID    int64      `json:"id,omitempty" doc:"Of the contract that the text is to replace."`
		Text  string     `json:"text" maxLength:"262144"`
		At    *time.Time `json:"at,omitempty" doc:"Instant to try; default now."`
		LoadW *float64   `json:"load_w,omitempty" minimum:"0" maximum:"100000000000" doc:"What the site draws then; default what it draws now."`
	}
}

func (s *Server) registerContracts() {
	tags := []string{"price"}
	o := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1/contracts" + path, Summary: summary, Tags: tags, Errors: []int{404, 409, 412, 422, 503}}
	}
	op(s, o("contracts", http.MethodGet, "", "Electricity contracts"), s.contracts)
	op(s, o("add-contract", http.MethodPost, "", "Add an electricity contract"), s.addContract)
	op(s, o("check-contract", http.MethodPost, "/check", "Say what is wrong with a contract, and try it at an instant"), s.checkContract)
	op(s, o("contract", http.MethodGet, "/{id}", "An electricity contract, its texts, and what it charges"), s.contract)
	op(s, o("save-contract", http.MethodPut, "/{id}", "Give a contract another text"), s.saveContract)
	op(s, o("remove-contract", http.MethodDelete, "/{id}", "Take a contract out of use; its texts and statements stay"), s.removeContract)
}

func contractHead(c price.Contract, now time.Time) ContractHead {
	h := ContractHead{ID: c.ID, Site: c.Site, Name: c.Name, Revision: c.Revision, Source: c.Source, Kinds: []string{}, Problems: c.Problems, UpdatedAt: c.UpdatedAt}
	if h.Problems == nil {
		h.Problems = []tariff.Problem{}
	}
	if c.Parsed == nil {
		return h
	}
	h.Name, h.Currency, h.Zone = c.Parsed.Name, string(c.Parsed.Currency), c.Parsed.Zone
	if n := len(c.Parsed.Versions); n > 0 {
		h.From, h.To = c.Parsed.Versions[0].From.String(), c.Parsed.Versions[n-1].To.String()
	}
	if v, ok := c.Parsed.VersionAt(now); ok {
		h.InForce = true
		for _, p := range v.Parts {
			h.Kinds = append(h.Kinds, string(p.Kind))
		}
	}
	return h
}

func (s *Server) contracts(ctx context.Context, in *SiteQuery) (*struct{ Body []ContractHead }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	all, err := desk.Contracts(ctx)
	if err != nil {
		return nil, s.recordError("reading the contracts", err)
	}
	out := []ContractHead{}
	for _, c := range all {
		if scope(ctx).Narrow(in.Only).Covers(c.Site) {
			out = append(out, contractHead(c, time.Now()))
		}
	}
	return &struct{ Body []ContractHead }{out}, nil
}

// ownContract is one contract at a site where the one who asks may look into it.
func (s *Server) ownContract(ctx context.Context, id int64) (*price.Desk, price.Contract, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, price.Contract{}, err
	}
	all, err := desk.Contracts(ctx)
	if err != nil {
		return nil, price.Contract{}, s.recordError("reading the contracts", err)
	}
	for _, c := range all {
		if c.ID == id && scope(ctx).Covers(c.Site) {
			return desk, c, nil
		}
	}
	return nil, price.Contract{}, huma.Error404NotFound("there is no such contract")
}

func (s *Server) contract(ctx context.Context, in *contractPath) (*struct{ Body ContractBody }, error) {
	desk, c, err := s.ownContract(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	body := ContractBody{ContractHead: contractHead(c, time.Now()), Text: c.Text, Explained: []string{}, Warnings: []string{}, Texts: []ContractText{}}
	if c.Parsed != nil {
		body.Explained = c.Parsed.Explain(time.Now())
		if _, _, warnings, err := desk.Check(ctx, c.Site, c.ID, c.Text); err == nil {
			body.Warnings = append(body.Warnings, warnings...)
		}
	}
	texts, err := s.Record.ContractTexts(ctx, c.ID)
	if err != nil {
		return nil, s.recordError("reading the contract's texts", err)
	}
	for _, t := range texts {
		body.Texts = append(body.Texts, ContractText{t.Revision, t.Actor, t.At, t.Text})
	}
	return &struct{ Body ContractBody }{body}, nil
}

func (s *Server) addContract(ctx context.Context, in *contractInput) (*struct{ Body ContractHead }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	if !scope(ctx).Covers(in.Body.Site) {
		return nil, huma.Error404NotFound("there is no site " + in.Body.Site)
	}
	names, err := s.siteNames(ctx, scope(ctx).Narrow(in.Body.Site))
	if err != nil {
		return nil, s.recordError("reading the sites", err)
	}
	if len(names) == 0 {
		return nil, huma.Error404NotFound("there is no site " + in.Body.Site)
	}
	p, _ := principal(ctx)
	saved, err := desk.Save(ctx, ledger.PowerContract{Site: in.Body.Site, Text: in.Body.Text}, ledger.By(p.Name()))
	return s.savedContract(ctx, saved, err)
}

func (s *Server) saveContract(ctx context.Context, in *contractEdit) (*struct{ Body ContractHead }, error) {
	desk, c, err := s.ownContract(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	revision, err := in.or(int64(in.Body.Revision))
	if err != nil {
		return nil, err
	}
	if revision == 0 {
		return nil, huma.Error422UnprocessableEntity("say which revision this was made from: in the field revision, or as If-Match")
	}
	p, _ := principal(ctx)
	saved, err := desk.Save(ctx, ledger.PowerContract{ID: c.ID, Site: c.Site, Source: c.Source, Revision: int(revision), Text: in.Body.Text}, ledger.By(p.Name()))
	return s.savedContract(ctx, saved, err)
}

// savedContract answers a contract that was saved, or everything that is wrong
// with it, one error a problem.
func (s *Server) savedContract(ctx context.Context, saved ledger.PowerContract, err error) (*struct{ Body ContractHead }, error) {
	if bad, ok := errors.AsType[*price.Refused](err); ok {
		var details []error
		for _, p := range bad.Problems {
			details = append(details, &huma.ErrorDetail{Message: p.What, Location: p.At, Value: p.Line})
		}
		return nil, huma.Error422UnprocessableEntity("the contract makes no sense: "+bad.Error(), details...)
	}
	if err != nil {
		return nil, s.recordError("saving the contract", err)
	}
	_, c, err := s.ownContract(ctx, saved.ID)
	if err != nil {
		return nil, err
	}
	return &struct{ Body ContractHead }{contractHead(c, time.Now())}, nil
}

func (s *Server) removeContract(ctx context.Context, in *contractPath) (*struct{}, error) {
	desk, c, err := s.ownContract(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	p, _ := principal(ctx)
	if err := desk.Remove(ctx, c.ID, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("removing the contract", err)
	}
	return nil, nil
}

func (s *Server) checkContract(ctx context.Context, in *contractTry) (*struct{ Body ContractCheck }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	if !scope(ctx).Covers(in.Body.Site) {
		return nil, huma.Error404NotFound("there is no site " + in.Body.Site)
	}
	c, problems, warnings, err := desk.Check(ctx, in.Body.Site, in.Body.ID, in.Body.Text)
	if err != nil {
		return nil, s.recordError("checking the contract", err)
	}
	out := ContractCheck{OK: len(problems) == 0, Problems: problems, Warnings: warnings, Series: []string{}, Explained: []string{}, At: time.Now()}
	if out.Problems == nil {
		out.Problems = []tariff.Problem{}
	}
	if out.Warnings == nil {
		out.Warnings = []string{}
	}
	if c == nil {
		return &struct{ Body ContractCheck }{out}, nil
	}
	if in.Body.At != nil {
		out.At = *in.Body.At
	}
	out.Name, out.Currency, out.Explained = c.Name, string(c.Currency), c.Explain(out.At)
	out.Series = append(out.Series, c.Series()...)
	b, load, err := desk.Try(ctx, in.Body.Site, c, out.At, in.Body.LoadW)
	switch {
	case err == nil:
		try := &PriceTry{PerMWh: b.Total.PerMWh(), Status: b.Status.String(), Missing: b.Missing, Parts: []PartNow{}, LoadW: float64(load)}
		if try.Missing == nil {
			try.Missing = []string{}
		}
		for _, x := range b.Components {
			try.Parts = append(try.Parts, PartNow{x.Part, string(x.Kind), x.Price.PerMWh(), x.Status.String(), x.Source, x.Note})
		}
		out.Price = try
	case errors.Is(err, tariff.ErrNotInForce):
		out.Warnings = append(out.Warnings, err.Error())
	default:
		return nil, s.priceError("trying the contract", err)
	}
	return &struct{ Body ContractCheck }{out}, nil
}
