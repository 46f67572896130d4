package watch

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/alarm"
	"ballast/fleet"
	"ballast/ledger"
	"ballast/miner"
	"ballast/plant"
	"ballast/site"
	"ballast/unit"
)

// places is where everything stands: from the owner's description of the site
// where there is one, else from the places that machines have in the record.
type places struct {
	read     time.Time
	stamp    string
	sites    map[string]*site.Site
	machines map[int64]*placed
	devices  map[string]device
	caps     []capped
}

// placed is a machine's place, worked out once until the machine moves.
type placed struct {
	at      ledger.Place
	addr    netip.Addr
	site    string
	subject string
	where   *alarm.Where
	caps    []int // that it is under, into places.caps
}

type device struct {
	where *alarm.Where
	loop  *site.Loop
}

// capped is one cap with the device that measures what it limits, if any.
type capped struct {
	subject, name, source string
	where                 *alarm.Where
	limit                 unit.Power
}

// freshSites is how often the descriptions are read again.
const freshSites = 15 * time.Second

// locate reads the owners' descriptions of the sites.
func (w *Watch) locate(ctx context.Context) error {
	now := w.Clock()
	w.mu.Lock()
	fresh := now.Sub(w.places.read) < freshSites
	stamp := w.places.stamp
	w.mu.Unlock()
	if fresh {
		return nil
	}
	known, err := w.Record.Sites(ctx)
	if err != nil {
		return err
	}
	var mark strings.Builder
	for _, s := range known {
		mark.WriteString(s.Name + s.UpdatedAt.String())
	}
	p := places{read: now, stamp: mark.String(), sites: map[string]*site.Site{}, machines: map[int64]*placed{}, devices: map[string]device{}}
	w.mu.Lock()
	defer w.mu.Unlock()
	if stamp == p.stamp && w.places.machines != nil {
		w.places.read = now
		return nil
	}
	for _, s := range known {
		if len(s.Layout) == 0 || string(s.Layout) == "null" {
			continue
		}
		d, err := site.FromJSON(s.Layout)
		if err != nil {
			w.Log.Warn("a site's description cannot be read; alarms go by the machines' own places", "site", s.Name, "error", err)
			continue
		}
		p.sites[s.Name] = d
		p.describe(s.Name, d)
	}
	w.places = p
	return nil
}

// describe lists caps and devices of one site.
func (p *places) describe(name string, d *site.Site) {
	cap := func(kind, of, source string, limit unit.Power, where alarm.Where) {
		if limit > 0 {
			where.Site = name
			p.caps = append(p.caps, capped{"cap/" + name + "/" + kind + "/" + of, strings.TrimSpace(kind + " " + of), source, alarm.NewWhere(where), limit})
		}
	}
	meters := map[string]string{} // "feeder/F1", "pdu/P1", "" the site: by which device
	for _, m := range d.Meters {
		key := "site/"
		switch {
		case m.Feeder != "":
			key = "feeder/" + m.Feeder
		case m.PDU != "":
			key = "pdu/" + m.PDU
		}
		if m.Source != "" {
			meters[key] = m.Source
			p.devices[m.Source] = device{where: alarm.NewWhere(alarm.Where{Site: name, Feeder: m.Feeder, PDU: m.PDU})}
		}
	}
	cap("site", "", meters["site/"], d.Cap, alarm.Where{})
	for _, f := range d.Feeders {
		cap("feeder", f.Name, meters["feeder/"+f.Name], f.Cap, alarm.Where{Feeder: f.Name})
	}
	for i := range d.Loops {
		l := &d.Loops[i]
		where := alarm.Where{Site: name, Loop: l.Name}
		for pl := range d.Places() {
			if pl.Loop == l.Name {
				where.Container, where.Building = pl.Container, pl.Building
				break
			}
		}
		if l.Source != "" {
			p.devices[l.Source] = device{alarm.NewWhere(where), l}
		}
	}
	for _, b := range d.Buildings {
		cap("building", b.Name, "", b.Cap, alarm.Where{Building: b.Name})
		for _, c := range b.Containers {
			cap("container", c.Name, "", c.Cap, alarm.Where{Building: b.Name, Container: c.Name})
		}
	}
	for _, c := range d.Containers {
		cap("container", c.Name, "", c.Cap, alarm.Where{Container: c.Name})
	}
	at := map[string]site.Place{}
	for pl := range d.Places() {
		if _, ok := at[pl.PDU]; !ok {
			at[pl.PDU] = pl
		}
	}
	for _, u := range d.PDUs {
		pl := at[u.Name]
		where := alarm.Where{Site: name, Building: pl.Building, Container: pl.Container, Rack: pl.Rack, PDU: u.Name, Feeder: u.Feeder}
		source := cmp.Or(u.Source, meters["pdu/"+u.Name])
		cap("pdu", u.Name, source, u.Cap, where)
		if source != "" {
			p.devices[source] = device{where: alarm.NewWhere(where)}
		}
	}
}

// place is where a machine stands.
func (p *places) place(m *ledger.Machine) *placed {
	if x, ok := p.machines[m.ID]; ok && x.at == m.Place && x.addr == m.Addr && x.site == m.Site {
		return x
	}
	x := &placed{at: m.Place, addr: m.Addr, site: m.Site, subject: "machine/" + strconv.FormatInt(m.ID, 10)}
	where := alarm.Where{Site: m.Site, Building: m.Place.Building, Container: m.Place.Container, Rack: m.Place.Rack, Slot: m.Place.Slot, Segment: segment(m.Addr)}
	if d := p.sites[m.Site]; d != nil {
		pl, ok := d.Find(m.Addr, m.MAC, m.Serial)
		if !ok && m.Place.Rack != "" {
			pl, ok = findPlace(d, m.Place)
		}
		if ok {
			where.Building, where.Container, where.Rack, where.Slot = pl.Building, pl.Container, pl.Rack, strconv.Itoa(pl.Slot)
			where.PDU, where.Feeder, where.Loop = pl.PDU, pl.Feeder, pl.Loop
			for _, c := range d.Caps(pl) {
				kind, name, _ := strings.Cut(c.Of, " ")
				if i := slices.IndexFunc(p.caps, func(k capped) bool { return k.subject == "cap/"+m.Site+"/"+kind+"/"+name }); i >= 0 {
					x.caps = append(x.caps, i)
				}
			}
		}
	}
	x.where = alarm.NewWhere(where)
	p.machines[m.ID] = x
	return x
}

// findPlace finds the slot that the record says a machine stands in.
func findPlace(d *site.Site, at ledger.Place) (site.Place, bool) {
	for p := range d.Places() {
		if p.Building == at.Building && p.Container == at.Container && p.Rack == at.Rack && (at.Slot == "" || strconv.Itoa(p.Slot) == at.Slot) {
			return p, true
		}
	}
	return site.Place{}, false
}

// segment is the network that an address is in, as switches usually cut it.
func segment(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	bits := 24
	if a.Is6() && !a.Is4In6() {
		bits = 64
	}
	p, err := a.Unmap().Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// observe makes an observation of everything that is live. The lock is held.
func (w *Watch) observe(all []*fleet.Status, now time.Time) alarm.Observation {
	o := alarm.Observation{Machines: make([]alarm.Machine, 0, len(all))}
	maxAge := max(3*w.Fleet.Poller.Interval+10*time.Second, time.Minute)
	wishes := w.Fleet.Commander.Wishes()
	type sum struct {
		drawn          unit.Power
		told, hash, of int
	}
	sums := make([]sum, len(w.places.caps))
	if w.places.machines == nil {
		w.places.machines, w.places.devices = map[int64]*placed{}, map[string]device{}
	}
	for _, s := range all {
		if !s.Machine.Retired.IsZero() {
			continue
		}
		p := w.places.place(&s.Machine)
		m := alarm.Machine{ID: s.Machine.ID, Subject: p.subject, Name: nameOf(&s.Machine), Where: p.where, Model: s.Machine.Model, Family: s.Machine.Firmware, Group: s.Machine.Group,
			Contact: contact(s), Answered: s.LastAnswer, Watched: w.started, MaxAge: maxAge, Reading: s.Reading, Version: s.Machine.FirmwareVersion, Trouble: s.Trouble}
		if cmds := wishes[miner.ID(s.Machine.ID)]; len(cmds) > 0 {
			w.wishes(&m, cmds, now)
		}
		o.Machines = append(o.Machines, m)
		fresh := m.Contact == alarm.Answers && now.Sub(m.Answered) <= maxAge
		for _, i := range p.caps {
			sums[i].of++
			if !fresh {
				continue
			}
			if r := s.Reading; r != nil {
				if v, ok := r.Power.Get(); ok {
					sums[i].drawn += v
					sums[i].told++
				} else if r.State == miner.Hashing {
					sums[i].hash++ // draws, and does not say how much
				}
			}
		}
	}
	readings := map[string]*plant.Reading{}
	if w.Plant != nil {
		list := w.Plant(now)
		for i := range list {
			r := &list[i]
			readings[r.Source] = r
			if d, ok := w.device(r); ok {
				o.Devices = append(o.Devices, d)
			}
		}
	}
	for i, c := range w.places.caps {
		x := alarm.Cap{Subject: c.subject, Name: c.name, Where: c.where, Limit: c.limit}
		switch r := readings[c.source]; {
		case r != nil && r.Usable(now) && powerOf(r).Ok():
			x.Drawn, x.At, x.MaxAge, x.Source = powerOf(r), r.At, life(r), c.source
		case sums[i].told > 0 && sums[i].hash*10 <= sums[i].told:
			// Nearly all that draw say so: less than what is really drawn, never more.
			x.Drawn, x.At, x.MaxAge, x.Source = unit.Some(sums[i].drawn), now, maxAge, "the sum of "+strconv.Itoa(sums[i].told)+" machines"
		}
		o.Caps = append(o.Caps, x)
	}
	o.Self = w.self(now)
	return o
}

func (w *Watch) self(now time.Time) alarm.Ballast {
	polls := w.Fleet.Poller.Stats()
	b := alarm.Ballast{At: now, PollsDue: polls.Due + polls.Crowded, PollsLate: polls.Crowded}
	if w.Storing != nil {
		s := w.Storing()
		b.Failing, b.Error, b.Dropped = s.LastError != "", s.LastError, s.Dropped
	}
	return b
}

func nameOf(m *ledger.Machine) string {
	name := cmp.Or(m.Name, m.Hostname)
	if name == "" && m.Addr.IsValid() {
		name = m.Addr.String()
	}
	return cmp.Or(name, "machine "+strconv.FormatInt(m.ID, 10))
}

// contact is how far a machine can be read.
func contact(s *fleet.Status) alarm.Contact {
	switch {
	case s.Condition == fleet.CondSilent:
		return alarm.Silent
	case s.Condition == fleet.CondLocked:
		return alarm.Locked
	case s.LastPoll.IsZero():
		return alarm.Waiting
	case s.Condition == fleet.CondUnknown && s.Trouble != "":
		return alarm.Unreadable
	case s.Reading == nil:
		return alarm.Waiting
	}
	return alarm.Answers
}

// afterSettle is how long a fulfilled command still excuses what it does, when
// the firmware does not say how long it takes to settle.
const afterSettle = 10 * time.Minute

// wishes takes up what is wanted of a machine.
func (w *Watch) wishes(m *alarm.Machine, cmds []ledger.Command, now time.Time) {
	for _, c := range cmds {
		kind := miner.Kind(c.Kind)
		switch {
		case c.State.Open():
			// Until its deadline: the commander ends it then, one way or the other.
			until := now.Add(w.Every + 30*time.Second)
			if !c.Deadline.IsZero() && c.Deadline.Before(until) {
				until = c.Deadline
			}
			m.Wishes = append(m.Wishes, alarm.Wish{Kind: kind, Until: until})
		case c.State == ledger.Confirmed:
			settle := afterSettle
			if e, ok := w.Fleet.Envelope(miner.ID(m.ID)); ok {
				if s := e.Settle.For(kind); s > 0 {
					settle = s * 3 / 2
				}
			}
			if until := c.UpdatedAt.Add(settle); until.After(now) {
				m.Wishes = append(m.Wishes, alarm.Wish{Kind: kind, Until: until})
			}
		}
		if kind == miner.SetSleep && c.State.Standing() {
			m.AsleepBy = cmp.Or(c.Actor, "a command")
		}
	}
}

func life(r *plant.Reading) time.Duration {
	if r.Life > 0 {
		return r.Life
	}
	return 3 * time.Minute
}

func powerOf(r *plant.Reading) unit.Opt[unit.Power] {
	switch {
	case r.Meter != nil:
		return r.Meter.Power
	case r.PDU != nil:
		return r.PDU.Power
	}
	return unit.None[unit.Power]()
}

func (w *Watch) device(r *plant.Reading) (alarm.Device, bool) {
	if r.Kind == plant.WeatherKind {
		return alarm.Device{}, false
	}
	at, ok := w.places.devices[r.Source]
	if !ok {
		at = device{where: alarm.NewWhere(alarm.Where{Site: w.Site})}
	}
	d := alarm.Device{Subject: "device/" + r.Source, Name: r.Source, Kind: string(r.Kind), Where: at.where, Watched: w.started, MaxAge: life(r), Trouble: r.Err, Good: r.At}
	if r.Quality == plant.Lost {
		d.Good = r.LastGood
		return d, true
	}
	d.Power = powerOf(r)
	if c := r.Cooling; c != nil {
		d.Supply, d.Setpoint, d.Alarms = c.Supply, c.Setpoint, c.Alarms
		if at.loop != nil {
			d.Setpoint = d.Setpoint.OrElse(at.loop.Supply)
		}
	}
	return d, true
}
