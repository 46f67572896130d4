package server

import (
	"math"
	"slices"
	"strings"
	"time"

	"ballast/fleet"
	"ballast/miner"
	"ballast/telemetry"
	"ballast/unit"
)

// Row is one machine as lists and the live stream show it.
type Row struct {
	ID          int64    `json:"id"`
	Name        string   `json:"name" doc:"Given by an operator, else the host name, else the address."`
	Addr        string   `json:"addr"`
	Make        string   `json:"make"`
	Model       string   `json:"model"`
	Firmware    string   `json:"firmware"`
	Site        string   `json:"site"`
	Group       string   `json:"group"`
	Place       string   `json:"place"`
	Tags        []string `json:"tags,omitempty"`
	Condition   string   `json:"condition" enum:"hashing,degraded,starting,sleeping,down,silent,locked,unknown"`
	Since       int64    `json:"since" doc:"Unix seconds since when it is in this condition."`
	Hashrate    *float64 `json:"hashrate_ths"`
	Nominal     *float64 `json:"nominal_ths"`
	Power       *float64 `json:"power_w"`
	Efficiency  *float64 `json:"efficiency_j_per_th"`
	Temperature *float64 `json:"temp_c" doc:"Hottest chip, else hottest board."`
	Faults      int      `json:"faults"`
	Warnings    int      `json:"warnings"`
	Seen        int64    `json:"seen" doc:"Unix seconds of the last answer; 0 is never."`
	Trouble     string   `json:"trouble,omitempty" doc:"Why the last poll gave no reading."`
}

// rowOf condenses a status. Numbers of a machine that no longer answers are
// history, not state: they are left out once it counts as silent.
func rowOf(s *fleet.Status) Row {
	m := s.Machine
	r := Row{ID: m.ID, Addr: addrText(m.Addr.IsValid(), m.Addr.String()), Make: m.Make, Model: m.Model, Firmware: m.Firmware, Site: m.Site, Group: m.Group, Tags: m.Tags,
		Place: placeText(m.Place.Building, m.Place.Container, m.Place.Rack, m.Place.Slot), Condition: string(s.Condition), Since: s.Since.Unix(), Trouble: s.Trouble}
	r.Name = m.Name
	if r.Name == "" {
		r.Name = m.Hostname
	}
	if r.Name == "" {
		r.Name = r.Addr
	}
	if !s.LastAnswer.IsZero() {
		r.Seen = s.LastAnswer.Unix()
	}
	if s.Reading == nil || s.Condition == fleet.CondSilent {
		return r
	}
	rd := s.Reading
	r.Hashrate = number(rd.HashrateNow.OrElse(rd.HashrateAverage), 3)
	r.Nominal = number(rd.HashrateNominal, 3)
	r.Power = number(rd.Power, 0)
	r.Efficiency = number(rd.JTH(), 2)
	r.Temperature = number(rd.MaxTemp(), 1)
	r.Faults, r.Warnings = len(rd.Faults), len(rd.Warnings)
	return r
}

func addrText(valid bool, s string) string {
	if !valid {
		return ""
	}
	return s
}

func placeText(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " / ")
}

// number is a quantity in its unit for JSON, rounded to what a person reads;
// nil when missing.
func number[T ~float64](o unit.Opt[T], places int) *float64 {
	v, ok := o.Get()
	if !ok || math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
		return nil
	}
	p := math.Pow10(places)
	return new(math.Round(float64(v)*p) / p)
}

// Site is the whole site in numbers.
type Site struct {
	Name      string    `json:"name"`
	Zone      string    `json:"zone"`
	Version   string    `json:"version"`
	Simulated bool      `json:"simulated" doc:"The machines are simulated: none of these numbers is real."`
	Now       time.Time `json:"now"`

	Machines   int            `json:"machines"`
	Conditions map[string]int `json:"conditions" doc:"Machines in each condition."`

	Hashrate   float64  `json:"hashrate_ths" doc:"Sum over machines that answer."`
	Nominal    float64  `json:"nominal_ths" doc:"Sum of what the firmwares expect at their present settings."`
	Power      float64  `json:"power_w" doc:"Sum of what machines tell of themselves at the wall."`
	Unmetered  int      `json:"unmetered" doc:"Hashing machines that do not tell their power: the sum lacks them."`
	Efficiency *float64 `json:"efficiency_j_per_th" doc:"Power over hashrate of the machines that tell both."`
	HottestC   *float64 `json:"hottest_c"`
	Faults     int      `json:"faults"`

	Polls    fleet.PollStats        `json:"polls"`
	Storing  telemetry.BatcherStats `json:"storing" doc:"From reply to disk."`
	Commands int                    `json:"open_commands"`
	Scan     fleet.ScanState        `json:"scan" doc:"The scan that runs, else the last one."`
}

func (s *Server) site(sites Scope, all []*fleet.Status) Site {
	out := Site{Name: s.Site, Zone: s.Zone, Version: s.Version, Simulated: s.Simulated, Now: time.Now().UTC(), Conditions: map[string]int{}}
	for _, c := range fleet.Conditions() {
		out.Conditions[string(c)] = 0
	}
	var bothP, bothH, hottest float64
	hottest = math.Inf(-1)
	for _, st := range all {
		if !st.Machine.Retired.IsZero() {
			continue
		}
		out.Machines++
		out.Conditions[string(st.Condition)]++
		if st.Reading == nil || st.Condition == fleet.CondSilent {
			continue
		}
		r := st.Reading
		h, okH := r.HashrateNow.OrElse(r.HashrateAverage).Get()
		p, okP := r.Power.Get()
		out.Hashrate += float64(h)
		out.Power += float64(p)
		if r.State == miner.Hashing {
			out.Nominal += float64(r.HashrateNominal.Or(0))
			if !okP {
				out.Unmetered++
			}
			if okH && okP {
				bothP, bothH = bothP+float64(p), bothH+float64(h)
			}
		}
		if t, ok := r.MaxTemp().Get(); ok {
			hottest = max(hottest, float64(t))
		}
		out.Faults += len(r.Faults)
	}
	if bothH > 0 {
		out.Efficiency = new(math.Round(bothP/bothH*100) / 100)
	}
	if !math.IsInf(hottest, 0) {
		out.HottestC = new(math.Round(hottest*10) / 10)
	}
	out.Polls = s.Fleet.Poller.Stats()
	if s.Batcher != nil {
		out.Storing = s.Batcher.Stats()
	}
	out.Commands = s.Fleet.Commander.Open()
	if s.Scans != nil {
		out.Scan, _ = s.Scans.Latest(sites.Covers)
	}
	return out
}
