package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"ballast/ledger"
)

const machineColumns = "id, mac, serial, addr, make, model, firmware, firmware_version, hostname, site, " +
	"building, container, rack, slot, placed, group_name, name, retired_at, first_seen, last_seen"

const machineWidth = 20

func scanMachine(rows *sql.Rows) (m ledger.Machine, err error) {
	var addr string
	var retired, first, last int64
	err = rows.Scan(&m.ID, &m.MAC, &m.Serial, &addr, &m.Make, &m.Model, &m.Firmware, &m.FirmwareVersion, &m.Hostname, &m.Site,
		&m.Place.Building, &m.Place.Container, &m.Place.Rack, &m.Place.Slot, &m.Placed, &m.Group, &m.Name, &retired, &first, &last)
	m.Addr, m.Retired, m.FirstSeen, m.LastSeen = parseAddr(addr), moment(retired), moment(first), moment(last)
	return m, err
}

func machineRow(m *ledger.Machine) []any {
	return []any{m.ID, m.MAC, m.Serial, addrText(m.Addr), m.Make, m.Model, m.Firmware, m.FirmwareVersion, m.Hostname, m.Site,
		m.Place.Building, m.Place.Container, m.Place.Rack, m.Place.Slot, string(m.Placed), m.Group, m.Name, micros(m.Retired), micros(m.FirstSeen), micros(m.LastSeen)}
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func parseAddr(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a
}

// Machine implements ledger.Inventory.
func (s *Store) Machine(ctx context.Context, id int64) (ledger.Machine, error) {
	var w where
	w.and("id = ?", id)
	found, err := machines(ctx, s.reader(), &w, 0, "")
	if err != nil {
		return ledger.Machine{}, err
	}
	if len(found) == 0 {
		return ledger.Machine{}, notFound("machine", id, ledger.ErrNotFound)
	}
	return found[0], nil
}

// Machines implements ledger.Inventory.
func (s *Store) Machines(ctx context.Context, f ledger.MachineFilter) ([]ledger.Machine, error) {
	var w where
	if f.Site != "" {
		w.and("site = ?", f.Site)
	}
	if f.Group != "" {
		w.and("group_name = ?", f.Group)
	}
	if f.Tag != "" {
		w.and("id IN (SELECT machine FROM machine_tags WHERE tag = ?)", f.Tag)
	}
	if f.Addr.IsValid() {
		w.and("addr = ?", addrText(f.Addr.Unmap()))
	}
	if f.Search != "" {
		p := like(f.Search)
		const has = ` LIKE ? ESCAPE '\'`
		w.and("(lower(name)"+has+" OR lower(hostname)"+has+" OR mac"+has+" OR lower(serial)"+has+" OR addr"+has+" OR lower(model)"+has+")", p, p, p, p, p, p)
	}
	if retired, ok := f.Retired.Get(); ok {
		if retired {
			w.and("retired_at <> 0")
		} else {
			w.and("retired_at = 0")
		}
	}
	if f.After > 0 {
		w.and("id > ?", f.After)
	}
	return machines(ctx, s.reader(), &w, f.Limit, "")
}

// machines reads machines with their tags. lock is the dialect's, or "".
func machines(ctx context.Context, q querier, w *where, limit int, lock string) ([]ledger.Machine, error) {
	out, err := query(ctx, q, scanMachine, "SELECT "+machineColumns+" FROM machines"+w.sql("id", limit)+lock, w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading machines: %w", err)
	}
	return out, addTags(ctx, q, out)
}

// addTags fills in the tags of machines that are sorted by ID.
func addTags(ctx context.Context, q querier, ms []ledger.Machine) error {
	if len(ms) == 0 {
		return nil
	}
	type tag struct {
		machine int64
		tag     string
	}
	scan := func(rows *sql.Rows) (t tag, err error) {
		err = rows.Scan(&t.machine, &t.tag)
		return t, err
	}
	tags, err := query(ctx, q, scan, "SELECT machine, tag FROM machine_tags WHERE machine BETWEEN $1 AND $2", ms[0].ID, ms[len(ms)-1].ID)
	if err != nil {
		return fmt.Errorf("reading tags: %w", err)
	}
	for _, t := range tags {
		i, ok := slices.BinarySearchFunc(ms, t.machine, func(m ledger.Machine, id int64) int { return int(m.ID - id) })
		if ok {
			ms[i].Tags = append(ms[i].Tags, t.tag)
		}
	}
	if len(tags) > 0 {
		for i := range ms {
			slices.Sort(ms[i].Tags)
		}
	}
	return nil
}

// Groups implements ledger.Inventory.
func (s *Store) Groups(ctx context.Context) ([]ledger.Group, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (g ledger.Group, err error) {
		err = rows.Scan(&g.Name, &g.Machines)
		return g, err
	}, "SELECT group_name, count(*) FROM machines WHERE group_name <> '' AND retired_at = 0 GROUP BY group_name")
	if err != nil {
		return nil, fmt.Errorf("reading groups: %w", err)
	}
	// Sorted here: databases differ in how they order text.
	slices.SortFunc(out, func(a, b ledger.Group) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// AddressHistory implements ledger.Inventory.
func (s *Store) AddressHistory(ctx context.Context, machine int64) ([]ledger.AddressSpan, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (a ledger.AddressSpan, err error) {
		var addr string
		var since, until int64
		err = rows.Scan(&a.Machine, &a.Site, &addr, &since, &until)
		a.Addr, a.Since, a.Until = parseAddr(addr), moment(since), moment(until)
		return a, err
	}, "SELECT machine, site, addr, since, until FROM machine_addresses WHERE machine = $1 ORDER BY since, CASE until WHEN 0 THEN 1 ELSE 0 END, until", machine)
	if err != nil {
		return nil, fmt.Errorf("reading addresses: %w", err)
	}
	return out, nil
}

// IdentityHistory implements ledger.Inventory.
func (s *Store) IdentityHistory(ctx context.Context, machine int64) ([]ledger.IdentityChange, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (c ledger.IdentityChange, err error) {
		var at int64
		err = rows.Scan(&c.Machine, &at, &c.Field, &c.Was, &c.Now)
		c.At = moment(at)
		return c, err
	}, "SELECT machine, at, field, was, now FROM machine_changes WHERE machine = $1 ORDER BY at, field", machine)
	if err != nil {
		return nil, fmt.Errorf("reading identity changes: %w", err)
	}
	return out, nil
}

// SharedIdentities implements ledger.Inventory.
func (s *Store) SharedIdentities(ctx context.Context) ([]ledger.SharedIdentity, error) {
	return shared(ctx, s.reader())
}

func shared(ctx context.Context, q querier) ([]ledger.SharedIdentity, error) {
	out, err := query(ctx, q, func(rows *sql.Rows) (i ledger.SharedIdentity, err error) {
		var since int64
		err = rows.Scan(&i.Field, &i.Value, &since)
		i.Since = moment(since)
		return i, err
	}, "SELECT field, value, since FROM shared_identities ORDER BY since, field, value")
	if err != nil {
		return nil, fmt.Errorf("reading shared identities: %w", err)
	}
	return out, nil
}

// ClearShared implements ledger.Inventory.
func (s *Store) ClearShared(ctx context.Context, field, value string, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "DELETE FROM shared_identities WHERE field = $1 AND value = $2", field, value)
		if err != nil {
			return fmt.Errorf("clearing a shared identity: %w", err)
		}
		if n == 0 {
			return notFound("shared "+field, value, ledger.ErrNotFound)
		}
		return t.audit(by.Or("identity.clear", field+"/"+value, ""))
	})
}
