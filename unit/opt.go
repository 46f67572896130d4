package unit

import (
	"bytes"
	"encoding/json"
)

// Opt is a value that may be missing. The zero Opt is missing. In JSON a
// missing Opt is null, or absent when its field is tagged omitzero.
type Opt[T any] struct {
	v  T
	ok bool
}

// Some is a present value.
func Some[T any](v T) Opt[T] { return Opt[T]{v: v, ok: true} }

// None is a missing value.
func None[T any]() Opt[T] { return Opt[T]{} }

// Get returns the value and whether there is one.
func (o Opt[T]) Get() (T, bool) { return o.v, o.ok }

// Ok tells whether there is a value.
func (o Opt[T]) Ok() bool { return o.ok }

// Or returns the value, or d when it is missing.
func (o Opt[T]) Or(d T) T {
	if o.ok {
		return o.v
	}
	return d
}

// OrElse returns o, or p when o is missing.
func (o Opt[T]) OrElse(p Opt[T]) Opt[T] {
	if o.ok {
		return o
	}
	return p
}

// IsZero tells encoding/json's omitzero that the value is missing.
func (o Opt[T]) IsZero() bool { return !o.ok }

// MarshalJSON writes the value or null.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.ok {
		return []byte("null"), nil
	}
	return json.Marshal(o.v)
}

// UnmarshalJSON reads a value or null.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	if bytes.Equal(bytes.TrimSpace(b), []byte("null")) {
		*o = Opt[T]{}
		return nil
	}
	if err := json.Unmarshal(b, &o.v); err != nil {
		return err
	}
	o.ok = true
	return nil
}
