package debt

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"ballast/market"
	"ballast/unit"
)

// PeerColumns are the columns of a CSV of production reports; only the first
// three and source must be there.
var PeerColumns = []string{"firm", "month", "btc_mined", "installed_ehs", "luck", "source"}

// ReadPeerReports reads a CSV of production reports, all or nothing: every line
// that is wrong is told, each with its number.
func ReadPeerReports(r io.Reader) ([]PeerReport, error) {
	t, err := market.ReadTable(r)
	if err != nil {
		return nil, err
	}
	var bad []error
	for _, c := range []string{"firm", "month", "btc_mined", "source"} {
		if !t.Has(c) {
			bad = append(bad, fmt.Errorf("there is no column %s: %w", c, ErrInvalid))
		}
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	var out []PeerReport
	seen := map[string]int{}
	for i := range t.Len() {
		wrong := func(column, format string, args ...any) {
			bad = append(bad, fmt.Errorf("line %d, %s: "+format+": %w", append([]any{t.Line(i), column}, append(args, ErrInvalid)...)...))
		}
		x := PeerReport{Firm: t.Text(i, "firm"), Source: t.Text(i, "source")}
		if x.Firm == "" {
			wrong("firm", "it is empty")
		}
		if x.Source == "" {
			wrong("source", "it is empty: say where the report was published")
		}
		if x.Month, err = time.Parse("2006-01", t.Text(i, "month")); err != nil {
			wrong("month", "%q is no month such as 2025-09", t.Text(i, "month"))
		}
		if x.Mined, err = t.Money(i, "btc_mined", unit.BTC); err != nil || x.Mined.Minor <= 0 {
			wrong("btc_mined", "%q is no number of bitcoin", t.Text(i, "btc_mined"))
		}
		if t.Has("installed_ehs") {
			v, err := t.Float(i, "installed_ehs")
			if eh, ok := v.Get(); err != nil || ok && !(eh > 0 && eh < 1e5) {
				wrong("installed_ehs", "%q is no hashrate in EH/s", t.Text(i, "installed_ehs"))
			} else if ok {
				x.Installed = unit.Some(unit.Hashrate(eh) * unit.EHs)
			}
		}
		if t.Has("luck") {
			switch strings.ToLower(t.Text(i, "luck")) {
			case "", "no", "false", "0", "fpps", "pps+":
			case "yes", "true", "1", "pplns", "solo":
				x.Luck = true
			default:
				wrong("luck", "%q is neither yes nor no", t.Text(i, "luck"))
			}
		}
		if key := x.Firm + "\x00" + t.Text(i, "month"); seen[key] > 0 {
			wrong("firm", "%s reports this month on line %d too", x.Firm, seen[key])
		} else {
			seen[key] = t.Line(i)
		}
		out = append(out, x)
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("there is no report in it: %w", ErrNoData)
	}
	return out, nil
}
