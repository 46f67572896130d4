package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"ballast/server"
)

type marketCmd struct{}

func (marketCmd) Run(ctx context.Context, common *common, s *streams) error {
	cfg, err := common.config()
	if err != nil {
		return err
	}
	cl, err := connect(cfg.Data)
	if err != nil {
		return err
	}
	var b server.MarketBody
	if err := cl.call(ctx, http.MethodGet, "/api/v1/market", nil, &b); err != nil {
		return err
	}
	if common.JSON {
		return s.json(b)
	}
	return printMarket(s.out, b)
}

func printMarket(out io.Writer, b server.MarketBody) error {
	if b.Simulated {
		fmt.Fprintln(out, "SIMULATED: nothing here is about the real network.")
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	line := func(name string, n *server.MarketNumber, digits int) {
		if n == nil {
			fmt.Fprintf(w, "%s\tnot known\t\t\n", name)
			return
		}
		fmt.Fprintf(w, "%s\t%s %s\t%s old\t%s\n", name, grouped(n.Value, digits), n.Unit, age(b.At.Sub(n.At)), n.Source)
	}
	line("price of a bitcoin", b.Price, 2)
	line("hashprice", b.Hashprice, 2)
	line("1 PH/s earns", b.Sat, 0)
	line("difficulty", b.Difficulty, 0)
	line("network hashrate", b.Network, 0)
	line("fees of a block", b.Fees, 0)
	line("subsidy", b.Subsidy, 0)
	line("height", b.Tip, 0)
	if r := b.Retarget; r != nil {
		fmt.Fprintf(w, "next retarget\t%+.1f %% (nine in ten: %+.1f to %+.1f)\tin %s, %d blocks\theight %d\n", 100*r.Change, 100*r.Low, 100*r.High, age(r.At.Sub(b.At)), r.Remaining, r.Height)
	}
	if h := b.Halving; h != nil {
		fmt.Fprintf(w, "next halving\t%s (%s to %s)\tin %s\theight %d\n", h.At.Format(time.DateOnly), h.Early.Format(time.DateOnly), h.Late.Format(time.DateOnly), age(h.At.Sub(b.At)), h.Height)
	}
	for _, m := range b.Missing {
		fmt.Fprintf(w, "! %s\t%s\t\t\n", m.What, m.Why)
	}
	for _, k := range b.Sources {
		state := "answers"
		if k.Failure != "" {
			state = "FAILS: " + k.Failure
		}
		fmt.Fprintf(w, "source %s\t%s\t\t%s\n", k.Name, strings.Join(k.Gives, ", "), state)
	}
	return w.Flush()
}

// grouped prints 106,912,345.6.
func grouped(v float64, digits int) string {
	text := strconv.FormatFloat(math.Abs(v), 'f', digits, 64)
	whole, rest, _ := strings.Cut(text, ".")
	var b strings.Builder
	if v < 0 {
		b.WriteByte('-')
	}
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if rest != "" {
		b.WriteString("." + rest)
	}
	return b.String()
}

// age prints 45 s, 12 min, 7 h, 3 days.
func age(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
