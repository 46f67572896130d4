package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"text/tabwriter"
	"time"

	"ballast/price"
)

type priceRiskCmd struct {
	Site string `placeholder:"NAME" help:"Which site, where there are several."`
	Top  int    `default:"5" help:"How many of the likeliest hours to show of each."`
}

func (c *priceRiskCmd) Run(ctx context.Context, common *common, s *streams) error {
	var sites []priceSite
	if err := ask(ctx, common, http.MethodGet, "/api/v1/price?"+query("site", c.Site), nil, &sites); err != nil {
		return err
	}
	out := []price.Risk{}
	for _, p := range sites {
		if p.Now == nil {
			continue
		}
		var r price.Risk
		if err := ask(ctx, common, http.MethodGet, "/api/v1/price/risk?"+query("site", p.Site), nil, &r); err != nil {
			return err
		}
		out = append(out, r)
	}
	if common.JSON {
		return s.json(out)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for i, r := range out {
		loc := time.Local
		if p := slices.IndexFunc(sites, func(p priceSite) bool { return p.Site == r.Site && p.Now != nil }); p >= 0 {
			loc = zoneOr(sites[p].Now.Zone)
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		for _, k := range r.Spikes {
			fmt.Fprintf(w, "%s\t%s above %g %s\t", r.Site, k.Series, k.Above, k.Unit)
			if k.NextHour != nil {
				fmt.Fprintf(w, "%.1f %% in the hour to come", 100**k.NextHour)
			}
			fmt.Fprintln(w)
			c.hours(w, k.Hours, loc)
		}
		for _, k := range r.Peaks {
			fmt.Fprintf(w, "%s\tcoincident peak %s on %s\t%s\n", r.Site, k.Set, k.Series, k.Why)
			c.hours(w, k.Hours, loc)
		}
	}
	return w.Flush()
}

// hours shows the likeliest, in the order of time.
func (c *priceRiskCmd) hours(w *tabwriter.Writer, list []price.Chance, loc *time.Location) {
	list = slices.DeleteFunc(slices.Clone(list), func(h price.Chance) bool { return h.P < 0.0005 || !h.To.After(time.Now()) })
	slices.SortFunc(list, func(a, b price.Chance) int {
		if a.P > b.P {
			return -1
		}
		return 1
	})
	list = list[:min(len(list), max(c.Top, 1))]
	slices.SortFunc(list, func(a, b price.Chance) int { return a.From.Compare(b.From) })
	for _, h := range list {
		fmt.Fprintf(w, "\t%s to %s\t%.1f %%\t%s\n", h.From.In(loc).Format("Mon 2006-01-02 15:04"), h.To.In(loc).Format("15:04"), 100*h.P, h.Model)
	}
}
