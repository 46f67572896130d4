package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"ballast/ledger"
	"ballast/miner"
)

// Errors of Scans.
var (
	ErrScanning = errors.New("a scan of this site is running")
	ErrNoRanges = errors.New("no address ranges to scan")
)

// Scans looks for machines, site by site: one scan of a site at a time, each of
// which can be cancelled, and is remembered in the record.
type Scans struct {
	Fleet *Fleet
	Log   *slog.Logger
	Hosts int // addresses tried at once; 0 is 400: polling goes on beside and comes first

	mu     sync.Mutex
	recent []*ScanRun // newest last; the running ones and some that ended
}

// ScanRun is one scan, under way or lately ended.
type ScanRun struct {
	mu     sync.Mutex
	state  ScanState
	found  []ScanFound
	silent runs
	refuse runs
	ranges []netip.Prefix
	cancel context.CancelFunc
	done   chan struct{}
}

// ScanState is how far a scan is.
type ScanState struct {
	ID       int64          `json:"id"`
	Site     string         `json:"site"`
	Ranges   []string       `json:"ranges"`
	Actor    string         `json:"actor"`
	Running  bool           `json:"running"`
	Started  time.Time      `json:"started"`
	Ended    time.Time      `json:"ended,omitzero"`
	End      ledger.ScanEnd `json:"end,omitempty" enum:"done,cancelled,failed,cut-off"`
	Detail   string         `json:"detail,omitempty"`
	Progress Progress       `json:"progress"`
	Machines int            `json:"machines" doc:"Found and recognised."`
	New      int            `json:"new" doc:"Machines that the record did not know before."`
	Locked   int            `json:"locked" doc:"Machines that want a password nobody gave."`
	Unknown  int            `json:"unknown" doc:"Addresses that answer in no miner's dialect."`
}

// ScanFound is one address that answered.
type ScanFound struct {
	Seq      int        `json:"seq" doc:"Counts up from 1 in a scan: ask with the last one for what came after."`
	Addr     netip.Addr `json:"addr"`
	Machine  int64      `json:"machine,omitempty"`
	New      bool       `json:"new,omitempty"`
	Kind     string     `json:"kind" enum:"machine,locked,unknown"`
	Make     string     `json:"make,omitempty"`
	Model    string     `json:"model,omitempty"`
	Firmware string     `json:"firmware,omitempty"`
	Version  string     `json:"version,omitempty"`
	MAC      string     `json:"mac,omitempty"`
	Place    string     `json:"place,omitempty"`
	Note     string     `json:"note,omitempty"`
}

// ScanKind counts the machines of one make, model and firmware.
type ScanKind struct {
	Make     string `json:"make"`
	Model    string `json:"model"`
	Firmware string `json:"firmware"`
	Machines int    `json:"machines"`
	Locked   int    `json:"locked"`
}

// ScanReport is what came of a scan.
type ScanReport struct {
	ScanState
	Kinds   []ScanKind  `json:"kinds" doc:"Machines by model and firmware, most first."`
	Others  []ScanFound `json:"others" doc:"Addresses that answer and are no known miner: at most 500."`
	Silent  []AddrRun   `json:"silent" doc:"Runs of addresses that did not answer: at most 500."`
	Refused []AddrRun   `json:"refused" doc:"Runs of addresses where a host refuses: at most 500."`
	Missing []Absent    `json:"missing" doc:"Slots of the layout whose machine was looked for and not found: at most 500."`
}

// AddrRun is addresses that follow each other.
type AddrRun struct {
	First netip.Addr `json:"first"`
	Last  netip.Addr `json:"last"`
	Count int        `json:"count"`
}

// Absent is a slot whose machine did not show.
type Absent struct {
	Place string     `json:"place"`
	Addr  netip.Addr `json:"addr"`
	Why   string     `json:"why" enum:"silent,refused,unknown"`
}

// kept is how many scans that ended stay in memory with all they found.
const keptScans = 12

// Start begins a scan and returns at once. Empty ranges mean the site's own.
// ErrScanning when one of the site runs, ErrNoRanges when there is nothing to
// scan.
func (s *Scans) Start(ctx context.Context, site string, ranges []netip.Prefix, by ledger.Audit) (ScanState, error) {
	if len(ranges) == 0 {
		g, _ := s.Fleet.Ground(site)
		if ranges = g.Ranges; len(ranges) == 0 {
			return ScanState{}, fmt.Errorf("site %s: %w", site, ErrNoRanges)
		}
	}
	texts := make([]string, len(ranges))
	for i, r := range ranges {
		if _, err := size(r); err != nil {
			return ScanState{}, err
		}
		texts[i] = r.String()
	}
	ctx, cancel := context.WithCancel(ctx)
	run := &ScanRun{ranges: ranges, cancel: cancel, done: make(chan struct{})}
	run.state = ScanState{Site: site, Ranges: texts, Actor: by.Actor, Running: true, Started: time.Now().UTC()}
	s.mu.Lock()
	for _, r := range s.recent {
		if st := r.State(); st.Running && st.Site == site {
			s.mu.Unlock()
			cancel()
			return st, fmt.Errorf("%s: %w", site, ErrScanning)
		}
	}
	s.recent = append(s.recent, run)
	s.mu.Unlock()
	id, err := s.Fleet.Record.BeginScan(ctx, ledger.Scan{Site: site, Ranges: texts}, by)
	if err != nil {
		cancel()
		s.mu.Lock()
		s.recent = slices.DeleteFunc(s.recent, func(r *ScanRun) bool { return r == run })
		s.mu.Unlock()
		return ScanState{}, fmt.Errorf("writing that a scan began: %w", err)
	}
	run.mu.Lock()
	run.state.ID = id
	run.mu.Unlock()
	s.forget()
	go s.work(ctx, run)
	return run.State(), nil
}

// forget drops the oldest scans that ended.
func (s *Scans) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 0; len(s.recent) > keptScans && i < len(s.recent); {
		if s.recent[i].State().Running {
			i++
			continue
		}
		s.recent = slices.Delete(s.recent, i, i+1)
	}
}

// Run is a scan that is under way or lately ended.
func (s *Scans) Run(id int64) (*ScanRun, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.recent {
		if r.State().ID == id {
			return r, true
		}
	}
	return nil, false
}

// Latest is the scan that runs, else the last one, at sites that ok takes.
func (s *Scans) Latest(ok func(site string) bool) (ScanState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last ScanState
	for _, r := range s.recent {
		if st := r.State(); ok(st.Site) && (st.Running || !last.Running) {
			last = st
		}
	}
	return last, last.Site != ""
}

// Every scans each site that has ranges, at start and again every interval,
// until ctx ends. With an interval of 0 it scans once.
func (s *Scans) Every(ctx context.Context, interval time.Duration) error {
	if err := s.Fleet.Record.CutOffScans(ctx); err != nil {
		return err
	}
	for {
		for _, g := range s.Fleet.Grounds() {
			if len(g.Ranges) == 0 {
				continue
			}
			st, err := s.Start(ctx, g.Name, nil, ledger.By("system"))
			if err != nil {
				if !errors.Is(err, ErrScanning) && ctx.Err() == nil {
					s.Log.Error("scanning", "site", g.Name, "error", err)
				}
				continue
			}
			if r, ok := s.Run(st.ID); ok {
				<-r.done
			}
		}
		if interval <= 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(interval):
		}
	}
}

// State is how far the scan is.
func (r *ScanRun) State() ScanState {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Cancel stops the scan; what it found stays.
func (r *ScanRun) Cancel() { r.cancel() }

// Found is what answered, after the result with the given number.
func (r *ScanRun) Found(after, limit int) []ScanFound {
	r.mu.Lock()
	defer r.mu.Unlock()
	if after < 0 || after >= len(r.found) {
		return []ScanFound{}
	}
	return slices.Clone(r.found[after:min(len(r.found), after+limit)])
}

func (s *Scans) work(ctx context.Context, run *ScanRun) {
	defer close(run.done)
	defer run.cancel()
	f, site := s.Fleet, run.state.Site
	known := map[int64]bool{}
	for _, st := range f.All() {
		known[st.Machine.ID] = true
	}
	// Machines show up while the scan goes on, a batch at a time.
	var batch []Found
	flush := func() {
		if len(batch) == 0 {
			return
		}
		// What was found is kept when the scan is cancelled.
		machines, err := f.Observe(context.WithoutCancel(ctx), batch)
		if err != nil {
			s.Log.Error("recording what a scan found", "site", site, "error", err)
		}
		run.add(batch, machines, known)
		batch = batch[:0]
	}
	last := time.Now()
	hosts := s.Hosts
	if hosts <= 0 {
		hosts = 400
	}
	scanner := Scanner{Reach: f.Reach, Hosts: hosts, Busy: f.Poller.Busy, Missed: func(a netip.Addr, refused bool) {
		run.mu.Lock()
		defer run.mu.Unlock()
		if refused {
			run.refuse.add(a)
		} else {
			run.silent.add(a)
		}
	}}
	done, err := scanner.Scan(ctx, run.ranges, func(found Found) {
		found.Site = site
		batch = append(batch, found)
		if len(batch) >= 200 || time.Since(last) > time.Second {
			flush()
			last = time.Now()
		}
	}, func(p Progress) {
		run.mu.Lock()
		run.state.Progress = p
		run.mu.Unlock()
	})
	flush()
	run.mu.Lock()
	st := &run.state
	st.Progress, st.Ended, st.End = done, time.Now().UTC(), ledger.ScanDone
	switch {
	case errors.Is(err, context.Canceled):
		st.End = ledger.ScanCancelled
	case err != nil:
		st.End, st.Detail = ledger.ScanFailed, err.Error()
	}
	end := *st
	run.mu.Unlock()
	report := s.Report(run)
	report.Running = false
	text, err := json.Marshal(report)
	if err == nil {
		err = f.Record.EndScan(context.WithoutCancel(ctx), ledger.Scan{ID: end.ID, End: end.End, Detail: end.Detail, Report: text})
	}
	if err != nil {
		s.Log.Error("recording the end of a scan", "site", site, "error", err)
	}
	run.mu.Lock()
	run.state.Running = false
	run.mu.Unlock()
	s.Log.Info("scanned", "site", site, "addresses", done.Total, "machines", end.Machines, "new", end.New, "locked", end.Locked, "end", end.End, "took", done.Elapsed.Round(time.Millisecond))
}

// add takes results up. machines are what the record made of them, or nothing
// when it could not.
func (r *ScanRun) add(batch []Found, machines []ledger.Machine, known map[int64]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, b := range batch {
		out := ScanFound{Seq: len(r.found) + 1, Addr: b.Addr, Kind: "machine", Make: b.Identity.Make, Model: b.Identity.Model, Firmware: string(b.Identity.Firmware),
			Version: b.Identity.FirmwareVersion, MAC: b.Identity.MAC, Note: ledger.Clean(b.Note, 300)}
		switch {
		case errors.Is(b.Err, miner.ErrDenied):
			out.Kind = "locked"
			r.state.Locked++
		case b.Err != nil:
			out.Kind = "unknown"
			r.state.Unknown++
		default:
			r.state.Machines++
		}
		if i < len(machines) && machines[i].ID != 0 {
			m := machines[i]
			out.Machine, out.Place = m.ID, m.Place.String()
			if out.Model == "" {
				out.Make, out.Model = m.Make, m.Model
			}
			if !known[m.ID] {
				known[m.ID], out.New = true, true
				r.state.New++
			}
		}
		r.found = append(r.found, out)
	}
}

// mostListed is how many of each kind of detail a report lists.
const mostListed = 500

// Report is what came of a scan so far.
func (s *Scans) Report(r *ScanRun) ScanReport {
	r.mu.Lock()
	out := ScanReport{ScanState: r.state, Kinds: []ScanKind{}, Others: []ScanFound{}, Missing: []Absent{}, Silent: r.silent.list(mostListed), Refused: r.refuse.list(mostListed)}
	kinds := map[[3]string]*ScanKind{}
	unknown := map[netip.Addr]bool{}
	for _, f := range r.found {
		if f.Kind == "unknown" {
			unknown[f.Addr] = true
			if len(out.Others) < mostListed {
				out.Others = append(out.Others, f)
			}
			continue
		}
		key := [3]string{f.Make, f.Model, f.Firmware}
		k := kinds[key]
		if k == nil {
			k = &ScanKind{Make: f.Make, Model: f.Model, Firmware: f.Firmware}
			kinds[key] = k
		}
		k.Machines++
		if f.Kind == "locked" {
			k.Locked++
		}
	}
	silent, refused := r.silent.set(), r.refuse.set()
	r.mu.Unlock()
	for _, k := range kinds {
		out.Kinds = append(out.Kinds, *k)
	}
	slices.SortFunc(out.Kinds, func(a, b ScanKind) int {
		return cmp.Or(cmp.Compare(b.Machines, a.Machines), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Firmware, b.Firmware))
	})
	if g, ok := s.Fleet.Ground(out.Site); ok && g.Layout != nil {
		for p := range g.Layout.Places() {
			why := ""
			switch {
			case !p.Addr.IsValid():
			case silent[p.Addr]:
				why = "silent"
			case refused[p.Addr]:
				why = "refused"
			case unknown[p.Addr]:
				why = "unknown"
			}
			if why != "" && len(out.Missing) < mostListed {
				out.Missing = append(out.Missing, Absent{Place: p.String(), Addr: p.Addr, Why: why})
			}
		}
	}
	return out
}

// runs is a set of addresses.
type runs struct{ addrs []netip.Addr }

func (r *runs) add(a netip.Addr) { r.addrs = append(r.addrs, a) }

func (r *runs) set() map[netip.Addr]bool {
	out := make(map[netip.Addr]bool, len(r.addrs))
	for _, a := range r.addrs {
		out[a] = true
	}
	return out
}

// list is the set as runs of addresses that follow each other, at most limit.
func (r *runs) list(limit int) []AddrRun {
	slices.SortFunc(r.addrs, netip.Addr.Compare)
	out := []AddrRun{}
	for _, a := range r.addrs {
		if n := len(out); n > 0 && out[n-1].Last.Next() == a {
			out[n-1].Last = a
			out[n-1].Count++
			continue
		}
		if len(out) == limit {
			break
		}
		out = append(out, AddrRun{a, a, 1})
	}
	return out
}

// Networks are the private networks that this machine has an address in: where
// machines may be, for a person to choose from. Nothing is sent.
func Networks(all []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range all {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()).Masked()
		if !p.Addr().Is4() || !p.Addr().IsPrivate() || p.Bits() < 16 || p.Bits() > 30 || slices.Contains(out, p) {
			continue
		}
		out = append(out, p)
	}
	return out
}
