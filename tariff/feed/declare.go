package feed

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ballast/unit"
	"ballast/unit/doc"
)

// ErrInvalid reports declarations that make no sense; the error lists every
// problem with its place.
var ErrInvalid = errors.New("not a valid declaration of feeds")

// Secret is a key or password. It does not print.
type Secret string

// String implements fmt.Stringer without the secret.
func (Secret) String() string { return "(secret)" }

// MarshalText implements encoding.TextMarshaler without the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte("(secret)"), nil }

// UnmarshalText reads the secret.
func (s *Secret) UnmarshalText(b []byte) error { *s = Secret(b); return nil }

// Declared is a feed as an owner declares it. Which keys it takes depends on
// its kind.
type Declared struct {
	Kind string `yaml:"kind"` // ercot-api, ercot-mis, caiso, entsoe, csv or json
	URL  string `yaml:"url"`  // the operator's own when empty

	Every   time.Duration `yaml:"every"`   // see Plan
	Behind  time.Duration `yaml:"behind"`  //
	Ahead   time.Duration `yaml:"ahead"`   //
	Revisit time.Duration `yaml:"revisit"` //
	Past    time.Duration `yaml:"past"`    //

	Report string   `yaml:"report"` // ERCOT: dam, rtm, as, load_forecast, load, sced; CAISO: dam, fmm, rtm, load_forecast; ENTSO-E: dam, load_forecast
	Points []string `yaml:"points"` // ERCOT, CAISO: settlement points, services, zones or nodes

	User     string `yaml:"user"`     // ercot-api
	Password Secret `yaml:"password"` // ercot-api
	Key      Secret `yaml:"key"`      // ercot-api: of the subscription

	Area     string        `yaml:"area"`     // entsoe: EIC code
	Label    string        `yaml:"label"`    // entsoe: in the series' name; csv, json: the feed's name
	Token    Secret        `yaml:"token"`    // entsoe
	Currency unit.Currency `yaml:"currency"` // entsoe: EUR when empty; csv, json: of the prices
	Interval time.Duration `yaml:"interval"` // entsoe: 15m when empty; csv, json

	Series   string        `yaml:"series"`    // csv, json: its name
	Quantity Quantity      `yaml:"quantity"`  // csv, json: price (default), capacity price or load
	Lag      time.Duration `yaml:"lag"`       // csv, json: published so long after the interval's end, or
	DayAhead time.Duration `yaml:"day_ahead"` // csv, json: at this time of the day before (13h30m) on the clock of shape.zone
	Horizon  time.Duration `yaml:"horizon"`   // csv, json: see Series
	Final    time.Duration `yaml:"final"`     // csv, json: see Series
	Shape    *Shape        `yaml:"shape"`     // csv, json
	Headers  []Header      `yaml:"headers"`   // csv, json: of the request
}

// Header is a header of a request.
type Header struct {
	Name  string `yaml:"name"`
	Value Secret `yaml:"value"`
}

// declarations is the document that Parse reads.
type declarations struct {
	Feeds []Declared `yaml:"feeds"`
}

// Parse reads declarations of feeds and makes plans of them. now is the clock
// that signing in goes by.
func Parse(text []byte, now func() time.Time) ([]Plan, error) {
	var d declarations
	p := doc.Decode(text, &d)
	if err := p.Err(ErrInvalid); err != nil {
		return nil, err
	}
	return plans(d.Feeds, p, now)
}

// Plans checks declarations and makes plans of them; Parse is the same for text.
func Plans(feeds []Declared, now func() time.Time) ([]Plan, error) {
	return plans(feeds, new(doc.Problems), now)
}

func plans(feeds []Declared, p *doc.Problems, now func() time.Time) ([]Plan, error) {
	var plans []Plan
	seen := map[string]int{}
	for i := range feeds {
		at := fmt.Sprintf("feeds[%d]", i)
		plan := feeds[i].plan(p, at, now)
		if plan.Feed == nil {
			continue
		}
		for _, s := range plan.Feed.Series() {
			if j, ok := seen[s.Name]; ok {
				p.Bad(at, "%s comes from feeds[%d] already", s.Name, j)
			}
			seen[s.Name] = i
		}
		plans = append(plans, plan)
	}
	if err := p.Err(ErrInvalid); err != nil {
		return nil, err
	}
	return plans, nil
}

// takes are the keys of a kind beside those that all have.
var takes = map[string][]string{
	"ercot-api": {"report", "points", "user", "password", "key"},
	"ercot-mis": {"report", "points"},
	"caiso":     {"report", "points"},
	"entsoe":    {"report", "area", "label", "token", "currency", "interval"},
	"csv":       {"label", "currency", "interval", "series", "quantity", "lag", "day_ahead", "horizon", "final", "shape", "headers"},
	"json":      {"label", "currency", "interval", "series", "quantity", "lag", "day_ahead", "horizon", "final", "shape", "headers"},
}

func (d *Declared) plan(p *doc.Problems, at string, now func() time.Time) Plan {
	plan := Plan{Every: d.Every, Behind: d.Behind, Ahead: d.Ahead, Revisit: d.Revisit, Past: d.Past}
	given := map[string]bool{"report": d.Report != "", "points": d.Points != nil, "user": d.User != "", "password": d.Password != "", "key": d.Key != "",
		"area": d.Area != "", "label": d.Label != "", "token": d.Token != "", "currency": d.Currency != "", "interval": d.Interval != 0, "series": d.Series != "",
		"quantity": d.Quantity != "", "lag": d.Lag != 0, "day_ahead": d.DayAhead != 0, "horizon": d.Horizon != 0, "final": d.Final != 0, "shape": d.Shape != nil, "headers": d.Headers != nil}
	allowed, ok := takes[d.Kind]
	if !ok {
		p.Bad(at+".kind", "%q: want one of %s", d.Kind, strings.Join(sortedKeys(takes), ", "))
		return plan
	}
	for _, key := range sortedKeys(given) {
		if given[key] && !slices.Contains(allowed, key) {
			p.Bad(at+"."+key, "a feed of kind %s does not have it", d.Kind)
		}
	}
	for name, v := range map[string]time.Duration{"every": d.Every, "behind": d.Behind, "ahead": d.Ahead, "revisit": d.Revisit, "past": d.Past, "lag": d.Lag, "horizon": d.Horizon, "final": d.Final} {
		if v < 0 || v > 400*24*time.Hour || name == "every" && v > 0 && v < 5*time.Second {
			p.Bad(at+"."+name, "%v cannot be", v)
		}
	}
	if d.URL != "" {
		if err := (&Generic{URL: d.URL, Of: Series{Interval: time.Hour}, Shape: Shape{Time: "t", Value: "v"}}).Check(); err != nil {
			p.Bad(at+".url", "%v", err)
		}
	}
	switch d.Kind {
	case "ercot-api", "ercot-mis":
		reports(p, at, d, ercotReports)
		plan.Feed = d.ercot(p, at, now)
	case "caiso":
		reports(p, at, d, oasisReports)
		plan.Feed = &OASIS{Report: OASISReport(d.Report), Points: d.Points, URL: d.URL}
	case "entsoe":
		plan.Feed = d.entsoe(p, at)
	default:
		plan.Feed = d.generic(p, at)
	}
	return plan
}

func reports[K ~string, V any](p *doc.Problems, at string, d *Declared, known map[K]V) {
	if _, ok := known[K(d.Report)]; !ok {
		var all []string
		for k := range known {
			all = append(all, string(k))
		}
		slices.Sort(all)
		p.Bad(at+".report", "%q: want one of %s", d.Report, strings.Join(all, ", "))
	}
	if len(d.Points) == 0 || len(d.Points) > 100 {
		p.Bad(at+".points", "want 1 to 100 points")
	}
	for i, v := range d.Points {
		if strings.TrimSpace(v) == "" || slices.Contains(d.Points[:i], v) {
			p.Bad(fmt.Sprintf("%s.points[%d]", at, i), "%q: want points, each once", v)
		}
	}
}

func (d *Declared) ercot(p *doc.Problems, at string, now func() time.Time) Feed {
	if d.Kind == "ercot-mis" {
		f := &ERCOTMIS{Report: ERCOTReport(d.Report), Points: d.Points}
		if d.URL != "" { // where a mirror has the two under the operator's names
			base := strings.TrimSuffix(d.URL, "/")
			f.List, f.Download = base+"/misapp/servlets/IceDocListJsonWS", base+"/misdownload/servlets/mirDownload"
		}
		return f
	}
	f := &ERCOTAPI{Report: ERCOTReport(d.Report), Points: d.Points, URL: d.URL}
	if d.User == "" || d.Password == "" || d.Key == "" {
		p.Bad(at+".user", "the public API wants user, password and key; kind ercot-mis needs no account")
		return f
	}
	in := &ERCOTSignIn{User: d.User, Password: d.Password, Key: d.Key, Now: now}
	f.Authorize = in.Authorize
	return f
}

func (d *Declared) entsoe(p *doc.Problems, at string) Feed {
	if d.Report != string(ENTSOEDayAhead) && d.Report != string(ENTSOELoadForecast) {
		p.Bad(at+".report", "%q: want one of %s, %s", d.Report, ENTSOEDayAhead, ENTSOELoadForecast)
	}
	if len(d.Area) != 16 {
		p.Bad(at+".area", "%q: want an EIC code of 16 characters such as %q", d.Area, "10Y1001A1001A82H")
	}
	if d.Token == "" {
		p.Bad(at+".token", "the platform wants a security token")
	}
	token := string(d.Token)
	return &ENTSOE{Document: ENTSOEDocument(d.Report), Zone: d.Area, Label: d.Label, Currency: d.Currency, Interval: d.Interval, URL: d.URL, Token: func() string { return token }}
}

func (d *Declared) generic(p *doc.Problems, at string) Feed {
	if d.Shape == nil {
		d.Shape = &Shape{}
	}
	f := &Generic{Label: d.Label, JSON: d.Kind == "json", URL: d.URL, Shape: *d.Shape, Header: map[string]string{},
		Of: Series{Name: d.Series, Quantity: d.Quantity, Currency: d.Currency, Interval: d.Interval, Horizon: d.Horizon, Final: d.Final, Publish: Publication{Lag: d.Lag}}}
	if f.Of.Quantity == "" {
		f.Of.Quantity = EnergyPrice
	}
	if !slices.Contains([]Quantity{EnergyPrice, CapacityPrice, Load}, f.Of.Quantity) {
		p.Bad(at+".quantity", "%q: want %s, %s or %s", d.Quantity, EnergyPrice, CapacityPrice, Load)
	}
	if (f.Of.Quantity == Load) != (d.Currency == "") {
		p.Bad(at+".currency", "prices have a currency, load has none")
	}
	if strings.TrimSpace(d.Series) == "" {
		p.Bad(at+".series", "a series needs a name")
	}
	if d.URL == "" {
		p.Bad(at+".url", "where is it?")
	} else if _, err := d.Shape.reader(d.Interval); err != nil {
		p.Bad(at+".shape", "%v", err)
	}
	if d.DayAhead != 0 {
		if d.DayAhead < 0 || d.DayAhead >= 24*time.Hour || d.Lag != 0 {
			p.Bad(at+".day_ahead", "want a time of day such as 13h30m, and no lag")
		}
		loc, err := zone(d.Shape.Zone)
		if err == nil {
			f.Of.Publish = Publication{DayAhead: true, At: d.DayAhead, Zone: loc}
		}
	}
	for i, h := range d.Headers {
		if h.Name == "" || strings.ContainsAny(h.Name+string(h.Value), "\r\n") {
			p.Bad(fmt.Sprintf("%s.headers[%d]", at, i), "want a name and a value on one line")
		}
		f.Header[h.Name] = string(h.Value)
	}
	return f
}
