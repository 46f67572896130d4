// Package forecast says what electricity will cost: distributions of prices for
// the hours of tomorrow, recalibrated every day without a person.
//
// The story in order:
//
//   - [Panel] is the past of one series: prices and the series that are known
//     ahead (load and wind forecasts), a row for each day, 24 hours each.
//   - Each model ([LEAR] first) forecasts the hours of one day from the days
//     before it and from nothing else.
//
// The package is pure: a panel in, numbers out. Times are local days of the
// market; days of 23 or 25 hours are brought to 24 before they come here.
package forecast

import "errors"

// Errors of this room.
var (
	// ErrTooShort reports a past that is shorter than a model needs.
	ErrTooShort = errors.New("the past is too short")
	// ErrFormat reports a file that cannot be read as what it should be; the error
	// says line and column.
	ErrFormat = errors.New("not in the expected format")
)

// Hours is how many hours a day has here.
const Hours = 24
