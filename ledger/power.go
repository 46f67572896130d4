package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// MarketValue is one value that a market operator published for an interval of
// a series, as it was received.
type MarketValue struct {
	Series    string
	Start     time.Time     // whole seconds
	Length    time.Duration // whole seconds
	Micro     int64         // millionths of the series' unit
	Published time.Time     // zero when the operator does not say
	Received  time.Time
}

// PowerContract is an electricity contract of a site. The ledger does not look
// into its text.
type PowerContract struct {
	ID        int64     `json:"id"`
	Site      string    `json:"site"`
	Name      string    `json:"name"`
	Text      string    `json:"text"`     // YAML, as the owner wrote it
	Revision  int       `json:"revision"` // from 1; one more with every change of the text
	Source    string    `json:"source"`   // "page", or the file that it is read from
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Removed   time.Time `json:"removed_at,omitzero"`
}

// ContractText is a text that a contract had.
type ContractText struct {
	Contract int64     `json:"contract"`
	Revision int       `json:"revision"`
	Text     string    `json:"text"`
	Actor    string    `json:"actor"`
	At       time.Time `json:"at"`
}

// IssuedStatement is a month's statement as it was issued. It never changes.
type IssuedStatement struct {
	ID       int64           `json:"id"`
	Contract int64           `json:"contract"`
	Revision int             `json:"revision"` // of the contract's text that it was settled by
	Site     string          `json:"site"`
	Month    string          `json:"month"` // "2026-10"
	Body     json.RawMessage `json:"body"`
	Detail   []byte          `json:"-"` // compressed; the ledger does not look inside
	IssuedBy string          `json:"issued_by"`
	IssuedAt time.Time       `json:"issued_at"`
}

// StoredForecast is a forecast as it was made.
type StoredForecast struct {
	ID      int64
	Series  string
	Model   string // with its version
	Horizon string // "day" or "next"
	Issued  time.Time
	Start   time.Time // of the first slot
	End     time.Time // of the last
	Body    json.RawMessage
	Score   json.RawMessage // nil before it is scored
	Scored  time.Time
}

// ForecastFilter picks forecasts. Zero fields do not restrict.
type ForecastFilter struct {
	Series, Model, Horizon string
	From, To               time.Time // forecasts that begin in [From, To)
	EndBefore              time.Time // and that end at or before
	Unscored, Scored       bool
	Before                 int64 // the ID that the page before ended with
	Limit                  int   // 0 is all
	NoBody                 bool  // leave the bodies out
}

// Champion is the model whose forecasts of a series count since a time.
type Champion struct {
	ID      int64     `json:"id"`
	Series  string    `json:"series"`
	Horizon string    `json:"horizon"`
	Model   string    `json:"model"`
	Since   time.Time `json:"since"`
	Reason  string    `json:"reason"`
}

// ModelCard is what is known of a model at a series, as it was last written.
type ModelCard struct {
	Series  string          `json:"series"`
	Horizon string          `json:"horizon"`
	Model   string          `json:"model"`
	At      time.Time       `json:"at"`
	Body    json.RawMessage `json:"body"`
}

// PowerPrices is what the ledger keeps of electricity markets.
type PowerPrices interface {
	// KeepMarketValues appends values. Nothing is replaced: a revision is a
	// further value.
	KeepMarketValues(ctx context.Context, vs []MarketValue) error
	// WalkMarketValues gives each all values in the order in which they were kept.
	WalkMarketValues(ctx context.Context, each func(MarketValue) error) error
}

// PowerContracts is what the ledger keeps of what electricity costs.
type PowerContracts interface {
	// AddPowerContract adds a contract and gives it its number.
	AddPowerContract(ctx context.Context, c PowerContract, by Audit) (PowerContract, error)
	// EditPowerContract gives a contract another text and name. Revision must be
	// the one that was read: ErrStale when somebody else was faster.
	EditPowerContract(ctx context.Context, c PowerContract, by Audit) (PowerContract, error)
	// RemovePowerContract takes a contract out of use; its texts and statements stay.
	RemovePowerContract(ctx context.Context, id int64, by Audit) error
	// PowerContracts are those in use, by number; of one site, or all for "".
	PowerContracts(ctx context.Context, site string) ([]PowerContract, error)
	// PowerContract is one, removed or not; ErrNotFound.
	PowerContract(ctx context.Context, id int64) (PowerContract, error)
	// ContractTexts are all texts of a contract, newest first.
	ContractTexts(ctx context.Context, id int64) ([]ContractText, error)

	// IssueStatement writes a statement down for good. ErrConflict when that month
	// of the contract has one.
	IssueStatement(ctx context.Context, st IssuedStatement, by Audit) (IssuedStatement, error)
	// IssuedStatements are those of a contract (0: of all) and site ("": of all)
	// from first to last month, oldest first, without their details.
	IssuedStatements(ctx context.Context, site string, contract int64, first, last string) ([]IssuedStatement, error)
	// IssuedStatement is one with its detail; ErrNotFound.
	IssuedStatement(ctx context.Context, id int64) (IssuedStatement, error)
}

// Forecasts is what the ledger keeps of price forecasts.
type Forecasts interface {
	// AddForecast keeps a forecast; ErrConflict when that model's forecast of that
	// start is there.
	AddForecast(ctx context.Context, f StoredForecast) (StoredForecast, error)
	// ScoreForecast writes down how a forecast did. A later score replaces it:
	// prices are revised.
	ScoreForecast(ctx context.Context, id int64, score json.RawMessage) error
	// Forecasts are those that f picks, newest first.
	Forecasts(ctx context.Context, f ForecastFilter) ([]StoredForecast, error)
	// DropForecasts forgets forecasts of a horizon that ended before a time.
	DropForecasts(ctx context.Context, horizon string, before time.Time) (int64, error)

	// SetChampion makes a model the one that counts, in the ledger's audit log too.
	SetChampion(ctx context.Context, c Champion, by Audit) (Champion, error)
	// Champions are all that ever were, of a series or of all for "", newest first.
	Champions(ctx context.Context, series string) ([]Champion, error)
	// SaveModelCard keeps a card in the place of the one before.
	SaveModelCard(ctx context.Context, c ModelCard) error
	// ModelCards are the cards of a series, or of all for "".
	ModelCards(ctx context.Context, series string) ([]ModelCard, error)
}

// Normal checks a contract and puts it in the ledger's forms.
func (c PowerContract) Normal() (PowerContract, error) {
	c.Site, c.Name, c.Source = strings.TrimSpace(Clean(c.Site, 200)), strings.TrimSpace(Clean(c.Name, 200)), Clean(c.Source, 500)
	c.Text = Clean(c.Text, 0)
	if c.Site == "" || c.Name == "" || strings.TrimSpace(c.Text) == "" || len(c.Text) > 256<<10 {
		return c, fmt.Errorf("electricity contract: %w: site, name and a text of at most 256 kB must be given", ErrInvalid)
	}
	if c.Source == "" {
		c.Source = "page"
	}
	return c, nil
}
