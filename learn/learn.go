// Package learn holds the small numerics that the domain needs and no
// maintained Go library has: the lasso by exact homotopy, boosted trees, a
// small network, quantiles and their calibration, and the aggregation of
// experts.
//
// The house calls these; they know nothing of mining or of electricity. They
// are pure: data in, a model or numbers out, the same for the same seed
// whatever the number of workers. What they return that is not obvious is
// written where it is computed, with its source.
//
// Matrices are row-major slices of float64 with their shape in the docs.
package learn

import "errors"

// Errors of this room.
var (
	// ErrShape reports slices whose lengths do not fit together.
	ErrShape = errors.New("shapes do not fit")
	// ErrNotFinite reports NaN or infinity where none may be.
	ErrNotFinite = errors.New("not a finite number")
	// ErrDamaged reports a stored model that is not what was stored.
	ErrDamaged = errors.New("the stored model is damaged")
)
