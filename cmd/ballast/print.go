package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// query builds a query string from pairs, leaving out empty values.
func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q.Encode()
}

// callKeyed posts with an idempotency key.
func (c *client) callKeyed(ctx context.Context, path, key string, body, out any) error {
	if key == "" {
		return c.call(ctx, http.MethodPost, path, body, out)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	keyed := *c
	keyed.http = &http.Client{Transport: keyTransport(key)}
	res, err := keyed.request(ctx, http.MethodPost, path, json.RawMessage(bytes.TrimSpace(b)))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(out)
}

type keyTransport string

func (k keyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Idempotency-Key", string(k))
	return http.DefaultTransport.RoundTrip(r)
}

func show[T fmt.Stringer](o unit.Opt[T]) string {
	if v, ok := o.Get(); ok {
		return v.String()
	}
	return "-"
}

func shown[T any](o unit.Opt[T]) string {
	if v, ok := o.Get(); ok {
		return fmt.Sprint(v)
	}
	return "-"
}

func round(h unit.Opt[unit.Hashrate]) string {
	if v, ok := h.Get(); ok {
		return fmt.Sprintf("%.4g TH/s", float64(v))
	}
	return "-"
}

// printReading shows a reading to a person; what the machine does not tell is
// left out or a dash.
func printReading(s *streams, r miner.Reading) {
	id := r.Identity
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	line := func(name string, values ...string) {
		if text := strings.TrimSpace(strings.Join(values, "  ")); text != "" && strings.Trim(text, "- ") != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, text)
		}
	}
	line("machine", strings.TrimSpace(id.Make+" "+id.Model), string(id.Firmware), id.FirmwareVersion)
	line("identity", id.MAC, id.Serial, id.Hostname)
	line("state", string(r.State), r.StateTold)
	line("hashrate", "now "+round(r.HashrateNow), "average "+round(r.HashrateAverage), "nominal "+round(r.HashrateNominal))
	line("power", show(r.Power), string(r.PowerSource))
	line("limit", show(r.PowerLimit), r.Profile, r.Mode, r.Tuning)
	line("efficiency", show(r.JTH()))
	line("temperatures", "chip "+show(r.TempChip), "board "+show(r.TempBoard), "ambient "+show(r.TempAmbient), "inlet "+show(r.TempInlet), "outlet "+show(r.TempOutlet))
	if up, ok := r.Uptime.OrElse(r.MinerUptime).Get(); ok {
		line("uptime", up.Round(time.Second).String())
	}
	for _, b := range r.Boards {
		line(fmt.Sprintf("board %d", b.Index), round(b.Hashrate), "chips "+shown(b.Chips)+"/"+shown(b.ChipsExpected), "chip max "+show(b.TempChipMax), "board "+show(b.TempBoard), show(b.Voltage), show(b.Frequency), "errors "+shown(b.HWErrors), b.Status)
	}
	var fans []string
	for _, f := range r.Fans {
		fans = append(fans, show(f.Speed))
	}
	line("fans", fans...)
	for _, p := range r.PSUs {
		line(fmt.Sprintf("psu %d", p.Index), p.Model, "in "+show(p.PowerIn)+" "+show(p.VoltageIn), "out "+show(p.VoltageOut)+" "+show(p.CurrentOut), show(p.Temp))
	}
	for _, p := range r.Pools {
		line(fmt.Sprintf("pool %d", p.Index), p.URL, p.User, p.Status, "accepted "+shown(p.Accepted), "rejected "+shown(p.Rejected))
	}
	for _, f := range r.Faults {
		line("fault", fmt.Sprint(int(f.Code)), f.Group, string(f.Severity), f.Vendor, f.Text)
	}
	for _, x := range r.Warnings {
		line("data warning", string(x.Kind), x.Where, x.Detail)
	}
	_ = w.Flush()
}

func printEnvelope(s *streams, e miner.Envelope) {
	kinds := make([]string, len(e.Kinds))
	for i, k := range e.Kinds {
		kinds[i] = string(k)
	}
	fmt.Fprintf(s.out, "can be set: %s (%s)\n", strings.Join(kinds, ", "), e.Source)
	if e.PowerMin.Ok() || e.PowerMax.Ok() {
		fmt.Fprintf(s.out, "power from %s to %s, default %s\n", show(e.PowerMin), show(e.PowerMax), show(e.PowerDefault))
	}
	for _, st := range e.Steps {
		fmt.Fprintf(s.out, "  %-16s %8s  %s\n", st.Name, show(st.Power), round(st.Hashrate))
	}
}
