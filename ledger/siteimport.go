package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// What a person brings of a site in files.
const (
	UtilityMeter = "utility-meter" // values are joules
	Award        = "award"         // values are watts
)

// SiteImport is a file that was brought in. It never changes; it may be
// withdrawn.
type SiteImport struct {
	ID          int64     `json:"id"`
	Site        string    `json:"site"`
	Kind        string    `json:"kind"`
	File        string    `json:"file" doc:"Its name."`
	Digest      string    `json:"digest" doc:"SHA-256 of its bytes, hexadecimal."`
	Format      string    `json:"format" doc:"As it was understood."`
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	Added       int       `json:"added" doc:"Intervals of which nothing was known."`
	Changed     int       `json:"changed" doc:"Intervals that an earlier import has otherwise."`
	Same        int       `json:"same"`
	Actor       string    `json:"actor"`
	At          time.Time `json:"at"`
	WithdrawnBy string    `json:"withdrawn_by,omitempty"`
	WithdrawnAt time.Time `json:"withdrawn_at,omitzero"`
}

// SiteValue is a value of an interval that an import has.
type SiteValue struct {
	Import    int64
	Name      string // of the meter; of awards always the same
	Start     time.Time
	Length    time.Duration
	Value     int64
	Estimated bool
}

// SiteMeter is what is known of a meter by its imports.
type SiteMeter struct {
	Name  string
	First time.Time // its first interval begins
	Last  time.Time // its last interval ends
	Ended time.Time // it was taken out; zero: it was not
}

// SiteImports is what the ledger keeps of files that people bring.
type SiteImports interface {
	// AddSiteImport keeps an import with its values, all or nothing. seen is the
	// newest import of the site and kind that the caller knew, 0 for none:
	// ErrStale when there is a newer one.
	AddSiteImport(ctx context.Context, i SiteImport, values []SiteValue, seen int64, by Audit) (SiteImport, error)
	// WithdrawSiteImport makes an import count no more; ErrNotFound, ErrConflict
	// when it was withdrawn already.
	WithdrawSiteImport(ctx context.Context, id int64, by Audit) error
	// SiteImport is one; ErrNotFound.
	SiteImport(ctx context.Context, id int64) (SiteImport, error)
	// SiteImports are those of a site and kind, withdrawn ones too, newest first.
	SiteImports(ctx context.Context, site, kind string) ([]SiteImport, error)
	// SiteValues are the values that touch [from, to), of all imports that count,
	// by import, start and name.
	SiteValues(ctx context.Context, site, kind string, from, to time.Time) ([]SiteValue, error)
	// SiteMeters are the names that the imports of a site that count have, sorted.
	SiteMeters(ctx context.Context, site, kind string) ([]SiteMeter, error)
	// EndSiteMeter says that a meter was taken out at a time; the zero time takes
	// that back.
	EndSiteMeter(ctx context.Context, site, name string, at time.Time, by Audit) error
}

// Normal checks an import and puts it in the ledger's forms.
func (i SiteImport) Normal(values []SiteValue) (SiteImport, error) {
	i.Site, i.File, i.Format, i.Digest = strings.TrimSpace(Clean(i.Site, 200)), Clean(i.File, 200), Clean(i.Format, 200), Clean(i.Digest, 64)
	if i.Site == "" || i.Kind != UtilityMeter && i.Kind != Award || len(values) == 0 {
		return i, fmt.Errorf("import: %w: site, kind and values must be given", ErrInvalid)
	}
	i.From, i.To = values[0].Start, values[0].Start
	for _, v := range values {
		if v.Name == "" || v.Name != Clean(v.Name, 200) || v.Start.IsZero() || v.Length < time.Minute || v.Length > time.Hour || v.Start.Unix() < 0 || i.Kind == UtilityMeter && v.Value < 0 {
			return i, fmt.Errorf("import: %w: the value of %q at %s", ErrInvalid, Clean(v.Name, 40), v.Start.UTC().Format(time.RFC3339))
		}
		if v.Start.Before(i.From) {
			i.From = v.Start
		}
		if end := v.Start.Add(v.Length); end.After(i.To) {
			i.To = end
		}
	}
	i.From, i.To = i.From.UTC(), i.To.UTC()
	return i, nil
}
