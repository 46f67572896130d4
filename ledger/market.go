package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"
)

// MarketPoint is one number of a series of the market at one time.
type MarketPoint struct {
	Series string    `json:"series"`
	At     time.Time `json:"at"`
	Value  float64   `json:"value"`
	Source string    `json:"source"`
}

// MarketBlock is a block of the chain as it was checked. The ledger does not
// look inside.
type MarketBlock struct {
	Source string
	Height int64
	Body   json.RawMessage
}

// MarketEpoch is a difficulty period: 2016 blocks that share a target.
type MarketEpoch struct {
	Number int       `json:"number"`
	At     time.Time `json:"at"` // of its first block
	Bits   uint32    `json:"bits"`
	Source string    `json:"source"`
}

// MarketEntry is a number that somebody entered because no feed tells it. It is
// never changed: who was wrong withdraws it and enters another.
type MarketEntry struct {
	ID          int64     `json:"id"`
	Series      string    `json:"series"`
	Value       float64   `json:"value"`
	At          time.Time `json:"at"`     // when it was true
	Source      string    `json:"source"` // where the person has it from
	Actor       string    `json:"actor"`
	EnteredAt   time.Time `json:"entered_at"`
	WithdrawnBy string    `json:"withdrawn_by,omitempty"`
	WithdrawnAt time.Time `json:"withdrawn_at,omitzero"`
}

// RigPrice is what a TH/s of machine was sold for.
type RigPrice struct {
	ID        int64     `json:"id"`
	At        time.Time `json:"at"`
	Tier      string    `json:"tier"` // "15-20 J/TH"
	Micro     int64     `json:"micro_per_th"`
	Currency  string    `json:"currency"`
	Kind      string    `json:"kind"`
	Source    string    `json:"source"`
	Actor     string    `json:"actor"`
	EnteredAt time.Time `json:"entered_at"`
}

// Market is what the ledger keeps of the bitcoin market. What feeds tell is not
// audited, what people enter is.
type Market interface {
	// SaveMarketPoints keeps points, in place of those of the same series and time.
	SaveMarketPoints(ctx context.Context, ps []MarketPoint) error
	// MarketPoints are a series' points from a time on, to not included, by time.
	// With a step, only the last of each step.
	MarketPoints(ctx context.Context, series string, from, to time.Time, step time.Duration) ([]MarketPoint, error)

	// SaveMarketBlocks keeps blocks and forgets those of the same source under
	// height keep.
	SaveMarketBlocks(ctx context.Context, bs []MarketBlock, keep int64) error
	// MarketBlocks are a source's, by height.
	MarketBlocks(ctx context.Context, source string) ([]MarketBlock, error)

	// SaveMarketEpochs keeps epochs, in place of those of the same number.
	SaveMarketEpochs(ctx context.Context, es []MarketEpoch) error
	// MarketEpochs are all, by number.
	MarketEpochs(ctx context.Context) ([]MarketEpoch, error)

	// AddMarketEntry enters a number by hand.
	AddMarketEntry(ctx context.Context, e MarketEntry, by Audit) (MarketEntry, error)
	// WithdrawMarketEntry takes one back; ErrNotFound, and ErrConflict when it was
	// taken back before.
	WithdrawMarketEntry(ctx context.Context, id int64, by Audit) error
	// MarketEntries are the newest first; before is the ID that the page before
	// ended with, 0 for the first.
	MarketEntries(ctx context.Context, before int64, limit int) ([]MarketEntry, error)

	// AddRigPrices enters prices, all or none; ErrConflict when one of them was
	// entered before.
	AddRigPrices(ctx context.Context, ps []RigPrice, by Audit) ([]RigPrice, error)
	// DeleteRigPrice removes one; ErrNotFound.
	DeleteRigPrice(ctx context.Context, id int64, by Audit) error
	// RigPrices are all, by time.
	RigPrices(ctx context.Context) ([]RigPrice, error)
}

// Series of the market that people can enter: the price of a bitcoin in US
// dollars, difficulty, and the average fees of a block in satoshi.
const (
	SeriesPrice      = "price_usd"
	SeriesDifficulty = "difficulty"
	SeriesFees       = "fees_sat"
	SeriesHashprice  = "hashprice_usd" // never entered: always reckoned
)

// EntrySeries are the series that can be entered by hand.
func EntrySeries() []string { return []string{SeriesPrice, SeriesDifficulty, SeriesFees} }

// Normal checks an entry and puts it in the ledger's forms.
func (e MarketEntry) Normal() (MarketEntry, error) {
	e.Source = Clean(e.Source, 400)
	switch {
	case !slices.Contains(EntrySeries(), e.Series):
		return e, fmt.Errorf("market entry: %w: %.40q cannot be entered", ErrInvalid, e.Series)
	case math.IsNaN(e.Value) || math.IsInf(e.Value, 0) || e.Value < 0 || e.Value == 0 && e.Series != SeriesFees:
		return e, fmt.Errorf("market entry: %w: %g is no value of %s", ErrInvalid, e.Value, e.Series)
	case e.At.IsZero():
		return e, fmt.Errorf("market entry: %w: when it was true must be given", ErrInvalid)
	case e.Source == "":
		return e, fmt.Errorf("market entry: %w: where it is from must be given", ErrInvalid)
	}
	e.At = Moment(e.At)
	return e, nil
}
