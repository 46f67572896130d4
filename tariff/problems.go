package tariff

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ballast/unit/doc"
)

// Problem is one thing that is wrong in a contract, for an editor to point at.
type Problem = doc.Problem

// position is where the YAML library says that a text cannot be read.
var position = regexp.MustCompile(`^\[(\d+):\d+\] `)

// ProblemsOf takes the error of [Parse] apart. Of another error it makes one
// problem; of nil none.
func ProblemsOf(err error) []Problem {
	if err == nil {
		return nil
	}
	out := slices.Clone(doc.List(err))
	if len(out) == 0 {
		return []Problem{{What: err.Error()}}
	}
	for i, p := range out {
		if m := position.FindStringSubmatch(p.What); m != nil {
			out[i].Line, _ = strconv.Atoi(m[1])
			out[i].What, _, _ = strings.Cut(strings.TrimPrefix(p.What, m[0]), "\n")
		}
	}
	return out
}
