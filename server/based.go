package server

import (
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
	"ballast/unit"
)

// Based says what state of a thing an edit was made from, so that it does not
// overwrite what somebody else changed meanwhile. Whoever answers a thing to be
// edited gives its version in the body: the ETag of an answer names its bytes,
// which hold more than what people edit.
type Based struct {
	Match string `header:"If-Match" maxLength:"100" doc:"The version that the edit was made from, in quotes. When there is a newer one the answer is 412 and nothing is changed; left out, or *, the edit is made in any case."`
}

// Refused edits say what to do: the words that every 412 ends with.
const readAnew = "nothing was changed: read the newest version, put your change to that, and send its version along"

// stale is the answer to an edit of something that is no more what it was.
func stale(what string) error {
	return huma.Error412PreconditionFailed(what + " " + ledger.ErrStale.Error() + "; " + readAnew)
}

// version is the one that an edit names; 0 is any.
func (b Based) version() (int64, error) {
	text := strings.TrimSpace(b.Match)
	if text == "" || text == "*" {
		return 0, nil
	}
	v, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(text, "W/"), `"`), 10, 64)
	if err != nil || v <= 0 {
		return 0, huma.Error412PreconditionFailed("If-Match names no version of this: send the field version of what was read, in quotes; " + readAnew)
	}
	return v, nil
}

// or is the version that the header names, else the one that the body does, for
// operations that had a field for it first.
func (b Based) or(said int64) (int64, error) {
	v, err := b.version()
	if v == 0 {
		v = said
	}
	return v, err
}

// moment is the version where that is the time of the last change; zero is any.
func (b Based) moment() (time.Time, error) {
	v, err := b.version()
	if err != nil || v == 0 {
		return time.Time{}, err
	}
	return time.UnixMicro(v).UTC(), nil
}

// opt is the version where a record takes one that may be missing.
func (b Based) opt() (unit.Opt[int64], error) {
	v, err := b.version()
	if err != nil || v == 0 {
		return unit.None[int64](), err
	}
	return unit.Some(v), nil
}
