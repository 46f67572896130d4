package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ERCOTAPI is a report of ERCOT's public API, api.ercot.com.
type ERCOTAPI struct {
	Report    ERCOTReport
	Points    []string // "HB_NORTH"; of the load reports columns such as "systemTotal"
	URL       string   // the API; ERCOTPublicAPI when empty
	PageSize  int      // rows; 20,000 when 0
	Authorize func(context.Context, *Web, *http.Request) error
}

// ERCOTPublicAPI is where the public API is.
const ERCOTPublicAPI = "https://api.ercot.com/api/public-reports"

// Name implements Feed.
func (f *ERCOTAPI) Name() string { return "ercot " + string(f.Report) }

// Series implements Feed.
func (f *ERCOTAPI) Series() []Series { return ercotSeries(f.Report, f.Points) }

// maxPages bounds one fetch.
const maxPages = 50

// Fetch implements Feed: one request for each point, page by page.
func (f *ERCOTAPI) Fetch(ctx context.Context, web *Web, ask Ask) (Batch, error) {
	d, ok := ercotReports[f.Report]
	if !ok {
		return Batch{}, fmt.Errorf("ERCOT has no report %q", f.Report)
	}
	loc, err := central()
	if err != nil {
		return Batch{}, fmt.Errorf("the Texan clock: %w", err)
	}
	q := url.Values{}
	layout := time.DateOnly
	if f.Report == ERCOTSCED {
		layout = "2006-01-02T15:04:05"
	}
	q.Set(d.from, ask.From.In(loc).Format(layout))
	q.Set(d.to, ask.To.Add(-time.Second).In(loc).Format(layout))
	size := f.PageSize
	if size == 0 {
		size = 20_000
	}
	q.Set("size", strconv.Itoa(size))
	filters := f.Points
	if d.point == "" {
		filters = []string{""}
	}
	var all Batch
	unchanged, asked := 0, 0
	for _, p := range filters {
		if d.point != "" {
			q.Set(d.point, p)
		}
		for page, pages := 1, 1; page <= min(pages, maxPages); page++ {
			q.Set("page", strconv.Itoa(page))
			asked++
			b, n, err := f.page(ctx, web, d.path+"?"+q.Encode(), ask.Fresh)
			if errors.Is(err, ErrUnchanged) {
				unchanged++
				break // what follows did not change either
			}
			if err != nil {
				return all, err
			}
			all.join(b)
			pages = n
		}
	}
	if unchanged > 0 && unchanged == asked {
		return all, ErrUnchanged
	}
	return all, nil
}

func (f *ERCOTAPI) page(ctx context.Context, web *Web, path string, fresh bool) (Batch, int, error) {
	base := f.URL
	if base == "" {
		base = ERCOTPublicAPI
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/"+path, nil)
	if err != nil {
		return Batch{}, 0, fmt.Errorf("asking ERCOT: %w", bare(err))
	}
	req.Header.Set("Accept", "application/json")
	if f.Authorize != nil {
		if err := f.Authorize(ctx, web, req); err != nil {
			return Batch{}, 0, err
		}
	}
	reply, err := web.Get(ctx, req, fresh)
	if err != nil {
		return Batch{}, 0, err
	}
	b, pages, err := ParseERCOTJSON(f.Report, f.Points, reply.Body)
	if err == nil {
		reply.Keep()
	}
	return b, pages, err
}

// ERCOTSignIn gets and keeps the token that the public API asks for, with the
// user's name, password and subscription key.
type ERCOTSignIn struct {
	URL      string // ERCOTToken when empty
	Client   string // the API's own id at the identity provider: ERCOTClient when empty
	User     string
	Password Secret
	Key      Secret // of the subscription
	Now      func() time.Time

	mu    sync.Mutex
	token string
	until time.Time
}

// Where ERCOT signs users in, and the id of its public API there. Both are the
// same for everybody (developer.ercot.com).
const (
	ERCOTToken  = "https://ercotb2c.b2clogin.com/ercotb2c.onmicrosoft.com/B2C_1_PUBAPI-ROPC-FLOW/oauth2/v2.0/token" //nolint:gosec // an address
	ERCOTClient = "fec253ea-0d06-4272-a5e6-b478baeecd70"
)

// Authorize puts key and token on a request.
func (s *ERCOTSignIn) Authorize(ctx context.Context, web *Web, req *http.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == "" || !s.Now().Before(s.until) {
		if err := s.signIn(ctx, web); err != nil {
			return fmt.Errorf("signing in to ERCOT: %w", err)
		}
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Ocp-Apim-Subscription-Key", string(s.Key))
	return nil
}

func (s *ERCOTSignIn) signIn(ctx context.Context, web *Web) error {
	where, client := s.URL, s.Client
	if where == "" {
		where = ERCOTToken
	}
	if client == "" {
		client = ERCOTClient
	}
	form := url.Values{"grant_type": {"password"}, "username": {s.User}, "password": {string(s.Password)}, "response_type": {"id_token"},
		"client_id": {client}, "scope": {"openid " + client + " offline_access"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, where, strings.NewReader(form.Encode()))
	if err != nil {
		return bare(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	reply, err := web.Get(ctx, req, true)
	if err != nil {
		return err
	}
	var answer struct {
		Token string `json:"id_token"`
	}
	if err := json.Unmarshal(reply.Body, &answer); err != nil || answer.Token == "" {
		return fmt.Errorf("%w: no token", ErrFormat)
	}
	// A token is good for an hour.
	s.token, s.until = answer.Token, s.Now().Add(50*time.Minute)
	return nil
}
