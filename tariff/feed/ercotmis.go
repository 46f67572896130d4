package feed

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// ERCOTMIS is a report in ERCOT's market information system: a list of
// documents, each a zip of CSV. It needs no account. Real-time prices are one
// document a quarter-hour.
type ERCOTMIS struct {
	Report   ERCOTReport
	Points   []string
	List     string // ERCOTDocuments when empty
	Download string // ERCOTDownload when empty
	Most     int    // documents in one fetch; 200 when 0

	mu   sync.Mutex
	read map[string]time.Time // documents read, by id, with their day of publication
}

// Where the market information system lists documents and gives them out.
const (
	ERCOTDocuments = "https://www.ercot.com/misapp/servlets/IceDocListJsonWS"
	ERCOTDownload  = "https://www.ercot.com/misdownload/servlets/mirDownload"
)

// Name implements Feed.
func (f *ERCOTMIS) Name() string { return "ercot mis " + string(f.Report) }

// Series implements Feed.
func (f *ERCOTMIS) Series() []Series { return ercotSeries(f.Report, f.Points) }

// document is one entry of the list.
type document struct {
	ID        string
	Published time.Time
}

// parseDocuments reads the list; only documents of CSV count.
func parseDocuments(body []byte) ([]document, error) {
	if err := noPage(body); err != nil {
		return nil, err
	}
	var list struct {
		Result *struct {
			Documents []struct {
				Document struct {
					ID        string `json:"DocID"`
					Name      string `json:"FriendlyName"`
					Full      string `json:"ConstructedName"`
					Published string `json:"PublishDate"`
				} `json:"Document"`
			} `json:"DocumentList"`
		} `json:"ListDocsByRptTypeRes"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("%w: reading the list of documents: %w", ErrFormat, err)
	}
	if list.Result == nil {
		return nil, fmt.Errorf("%w: no list of documents", ErrFormat)
	}
	var out []document
	for _, d := range list.Result.Documents {
		name := strings.ToLower(d.Document.Name + d.Document.Full)
		at, err := time.Parse(time.RFC3339, d.Document.Published)
		if d.Document.ID == "" || err != nil || years(at) != nil || !strings.Contains(name, "csv") {
			continue
		}
		out = append(out, document{d.Document.ID, at})
	}
	slices.SortFunc(out, func(a, b document) int {
		return cmp.Or(a.Published.Compare(b.Published), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// Fetch implements Feed: the documents published about the time asked for that
// were not read yet, oldest first, so that a correction is a later revision.
func (f *ERCOTMIS) Fetch(ctx context.Context, web *Web, ask Ask) (Batch, error) {
	d, ok := ercotReports[f.Report]
	if !ok {
		return Batch{}, fmt.Errorf("ERCOT has no report %q", f.Report)
	}
	where := cmp.Or(f.List, ERCOTDocuments) + "?" + url.Values{"reportTypeId": {d.id}}.Encode()
	reply, err := f.get(ctx, web, where, ask.Fresh)
	if err != nil {
		return Batch{}, err
	}
	documents, err := parseDocuments(reply.Body)
	if err != nil {
		return Batch{}, err
	}
	var b Batch
	broken := 0
	wanted, all := f.wanted(documents, ask, d)
	for _, doc := range wanted {
		reply, err := f.get(ctx, web, cmp.Or(f.Download, ERCOTDownload)+"?"+url.Values{"doclookupId": {doc.ID}}.Encode(), true)
		if err != nil {
			return b, err
		}
		c, err := ParseERCOTCSV(f.Report, f.Points, reply.Body, doc.Published)
		b.join(c)
		if err != nil {
			// One broken document does not keep the others away; its gap is asked for
			// again.
			b.problem("document %s: %v", doc.ID, err)
			broken++
		}
		f.mu.Lock()
		f.read[doc.ID] = doc.Published
		f.mu.Unlock()
	}
	switch {
	case len(wanted) == 0:
		return b, ErrUnchanged
	case broken == len(wanted):
		return b, fmt.Errorf("%w: %s", ErrFormat, b.Problems[0])
	case all && broken == 0:
		reply.Keep()
	}
	return b, nil
}

func (f *ERCOTMIS) get(ctx context.Context, web *Web, where string, fresh bool) (*Reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, errors.Join(ErrRefused, bare(err))
	}
	return web.Get(ctx, req, fresh)
}

// wanted are the documents to read now; all tells whether none is left for the
// next time.
func (f *ERCOTMIS) wanted(documents []document, ask Ask, d ercotReport) (out []document, all bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.read == nil {
		f.read = map[string]time.Time{}
	}
	// What is about a day is published on the day before, or up to a day after.
	from, to := ask.From.Add(-36*time.Hour-d.horizon), ask.To.Add(36*time.Hour)
	for _, doc := range documents {
		if doc.Published.Before(from) || !doc.Published.Before(to) {
			continue
		}
		if _, read := f.read[doc.ID]; read && !ask.Fresh {
			continue
		}
		out = append(out, doc)
	}
	for id, at := range f.read {
		if at.Before(from.Add(-30 * 24 * time.Hour)) {
			delete(f.read, id)
		}
	}
	most := cmp.Or(f.Most, 200)
	return out[max(0, len(out)-most):], len(out) <= most
}
