package prom

import (
	"mime"
	"strconv"
	"strings"
)

// wantsOpenMetrics tells whether an Accept header prefers OpenMetrics 1.0 to the
// classic text format.
func wantsOpenMetrics(accept string) bool {
	open, plain := 0.0, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := quality(params["q"])
		switch {
		case kind == "application/openmetrics-text" && (params["version"] == "1.0.0" || params["version"] == ""):
			open = max(open, q)
		case kind == "text/plain":
			plain = max(plain, q)
		}
	}
	return open > 0 && open >= plain
}

// wantsGzip tells whether an Accept-Encoding header allows gzip.
func wantsGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		name, rest, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, ok := strings.CutPrefix(strings.TrimSpace(rest), "q=")
		return !ok || quality(q) > 0
	}
	return false
}

// quality reads a q value; without one it is 1, and 0 when it cannot be read.
func quality(s string) float64 {
	if s == "" {
		return 1
	}
	q, err := strconv.ParseFloat(s, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}
