package tariff

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"ballast/tariff/internal/doc"
)

// Problem is one thing that is wrong in a contract, for an editor to point at.
type Problem struct {
	Line int    `json:"line,omitempty"` // from 1; 0 when it is not known
	At   string `json:"at,omitempty"`   // "versions[0].parts[2].price"
	What string `json:"what"`
}

// position is where the YAML library says that a text cannot be read.
var position = regexp.MustCompile(`^\[(\d+):\d+\] `)

// ProblemsOf takes the error of [Parse] apart. Of another error it makes one
// problem; of nil none.
func ProblemsOf(err error) []Problem {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*doc.Error](err)
	if !ok {
		return []Problem{{What: err.Error()}}
	}
	var out []Problem
	for _, p := range e.Problems {
		one := Problem{Line: p.Line, At: p.At, What: p.What}
		if m := position.FindStringSubmatch(p.What); m != nil {
			one.Line, _ = strconv.Atoi(m[1])
			first, _, _ := strings.Cut(strings.TrimPrefix(p.What, m[0]), "\n")
			one.What = first
		}
		out = append(out, one)
	}
	return out
}
