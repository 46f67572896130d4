package server

import (
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Based says what state of a thing an edit was made from, so that it does not
// overwrite what somebody else changed meanwhile.
type Based struct {
	Match string `header:"If-Match" maxLength:"100" doc:"The version that the edit was made from, in quotes. When there is a newer one the answer is 412 and nothing is changed; left out, or *, the edit is made in any case."`
}

// version is the one that an edit names; 0 is any.
func (b Based) version() (int64, error) {
	text := strings.TrimSpace(b.Match)
	if text == "" || text == "*" {
		return 0, nil
	}
	v, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(text, "W/"), `"`), 10, 64)
	if err != nil || v <= 0 {
		return 0, huma.Error412PreconditionFailed("If-Match names no version of this: send the one that was read, in quotes")
	}
	return v, nil
}
