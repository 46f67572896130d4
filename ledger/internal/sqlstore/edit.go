package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ballast/ledger"
)

// EditMachines implements ledger.Inventory.
func (s *Store) EditMachines(ctx context.Context, ids []int64, e ledger.MachineEdit, by ledger.Audit) error {
	if len(ids) == 0 {
		return nil
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	err := s.change(ctx, func(t *txn) error { return t.editMachines(ctx, ids, e, by) })
	if err != nil {
		return fmt.Errorf("editing %d machines: %w", len(ids), err)
	}
	return nil
}

func (t *txn) editMachines(ctx context.Context, ids []int64, e ledger.MachineEdit, by ledger.Audit) error {
	if _, err := t.bump(ctx, "machine", 0); err != nil { // not while a batch is being followed
		return err
	}
	now := t.now()
	for part := range slices.Chunk(ids, bulkRows) {
		var w where
		in(&w, "id", part)
		found, err := machines(ctx, t, &w, 0, t.e.dialect.Lock)
		if err != nil {
			return err
		}
		for i, id := range part {
			if i >= len(found) || found[i].ID != id {
				return notFound("machine", id, ledger.ErrNotFound)
			}
			m := found[i]
			if v, ok := e.Version.Get(); ok && v != m.Version() {
				return fmt.Errorf("machine %d: %w", id, ledger.ErrStale)
			}
			edit(&m, e, now)
			if err := t.freeAddress(ctx, found[i], &m, now); err != nil {
				return err
			}
			_, err := t.exec(ctx, "UPDATE machines SET addr = $1, site = $2, building = $3, container = $4, rack = $5, slot = $6, "+
				"placed = $7, group_name = $8, name = $9, retired_at = $10 WHERE id = $11", addrText(m.Addr), m.Site, m.Place.Building, m.Place.Container,
				m.Place.Rack, m.Place.Slot, string(m.Placed), m.Group, m.Name, micros(m.Retired), m.ID)
			if err != nil {
				return fmt.Errorf("writing machine %d: %w", id, err)
			}
			if err := t.slotFree(ctx, m); err != nil {
				return err
			}
		}
	}
	if err := t.editTags(ctx, ids, e); err != nil {
		return err
	}
	subject := "machines"
	if len(ids) == 1 {
		subject = fmt.Sprintf("machine/%d", ids[0])
	}
	return t.audit(by.Or("machine.edit", subject, jsonText(editDetail(ids, e))))
}

// edit applies e to one machine.
func edit(m *ledger.Machine, e ledger.MachineEdit, now time.Time) {
	text := func(s string) string { return strings.TrimSpace(ledger.Clean(s, 0)) }
	m.Name, m.Group = text(e.Name.Or(m.Name)), text(e.Group.Or(m.Group))
	if site, ok := e.Site.Get(); ok && text(site) != m.Site {
		m.Site, m.Place, m.Placed = text(site), ledger.Place{}, ledger.PlacedByNobody
	}
	if p, ok := e.Place.Get(); ok {
		m.Place = ledger.Place{Building: text(p.Building), Container: text(p.Container), Rack: text(p.Rack), Slot: text(p.Slot)}
		m.Placed = ledger.PlacedByHand
		if m.Place == (ledger.Place{}) {
			m.Placed = ledger.PlacedByNobody
		}
	}
	if retired, ok := e.Retired.Get(); ok {
		switch {
		case !retired:
			m.Retired = time.Time{}
		case m.Retired.IsZero():
			m.Retired = now
		}
	}
}

// freeAddress sees to it that no two machines in service hold one address of
// one site: a machine that comes back from retirement finds its address taken
// and has none until it is seen; one that is put into another site must not
// take an address there by decree.
func (t *txn) freeAddress(ctx context.Context, was ledger.Machine, m *ledger.Machine, now time.Time) error {
	moved, back := was.Site != m.Site, !was.Retired.IsZero() && m.Retired.IsZero()
	if !m.Addr.IsValid() || !(moved || back) {
		return nil
	}
	var taken int
	err := t.QueryRowContext(ctx, "SELECT count(*) FROM machines WHERE addr = $1 AND site = $2 AND retired_at = 0 AND id <> $3 AND addr <> ''",
		addrText(m.Addr), m.Site, m.ID).Scan(&taken)
	if err != nil {
		return fmt.Errorf("looking for the address of machine %d: %w", m.ID, err)
	}
	if taken > 0 {
		if moved {
			return fmt.Errorf("machine %d to site %s: %w: another machine there has its address %s", m.ID, m.Site, ledger.ErrConflict, m.Addr)
		}
		m.Addr = netip.Addr{}
	}
	if moved || taken > 0 {
		if _, err := t.exec(ctx, "UPDATE machine_addresses SET until = $1 WHERE machine = $2 AND until = 0", micros(now), m.ID); err != nil {
			return fmt.Errorf("closing an address: %w", err)
		}
	}
	if moved {
		if _, err := t.exec(ctx, "INSERT INTO machine_addresses (machine, site, addr, since, until) VALUES ($1, $2, $3, $4, 0)",
			m.ID, m.Site, addrText(m.Addr), micros(now)); err != nil {
			return fmt.Errorf("opening an address: %w", err)
		}
	}
	return nil
}

// slotFree refuses a second machine in service in the slot of m.
func (t *txn) slotFree(ctx context.Context, m ledger.Machine) error {
	if m.Place.Slot == "" || !m.Retired.IsZero() {
		return nil
	}
	var other int64
	err := t.QueryRowContext(ctx, "SELECT coalesce(min(id), 0) FROM machines WHERE site = $1 AND rack = $2 AND slot = $3 AND building = $4 "+
		"AND container = $5 AND retired_at = 0 AND id <> $6", m.Site, m.Place.Rack, m.Place.Slot, m.Place.Building, m.Place.Container, m.ID).Scan(&other)
	if err != nil {
		return fmt.Errorf("looking into the slot of machine %d: %w", m.ID, err)
	}
	if other != 0 {
		return fmt.Errorf("machine %d to rack %s slot %s: %w: machine %d stands there", m.ID, m.Place.Rack, m.Place.Slot, ledger.ErrConflict, other)
	}
	return nil
}

func (t *txn) editTags(ctx context.Context, ids []int64, e ledger.MachineEdit) error {
	for _, tag := range e.RemoveTags {
		for part := range slices.Chunk(ids, bulkRows) {
			var w where
			w.and("tag = ?", tag)
			in(&w, "machine", part)
			if _, err := t.exec(ctx, "DELETE FROM machine_tags"+w.text.String(), w.args...); err != nil {
				return fmt.Errorf("removing tag %s: %w", tag, err)
			}
		}
	}
	var rows [][]any
	for _, tag := range e.AddTags {
		tag = strings.TrimSpace(ledger.Clean(tag, 0))
		if tag == "" {
			continue
		}
		for _, id := range ids {
			rows = append(rows, []any{id, tag})
		}
	}
	if err := t.bulk(ctx, "INSERT INTO machine_tags (machine, tag)", 2, "ON CONFLICT DO NOTHING", rows); err != nil {
		return fmt.Errorf("adding tags: %w", err)
	}
	return nil
}

// editDetail is what the audit log keeps of an edit.
func editDetail(ids []int64, e ledger.MachineEdit) map[string]any {
	d := map[string]any{"machines": ids}
	if v, ok := e.Name.Get(); ok {
		d["name"] = v
	}
	if v, ok := e.Group.Get(); ok {
		d["group"] = v
	}
	if v, ok := e.Site.Get(); ok {
		d["site"] = v
	}
	if v, ok := e.Place.Get(); ok {
		d["place"] = v
	}
	if v, ok := e.Retired.Get(); ok {
		d["retired"] = v
	}
	if len(e.AddTags) > 0 {
		d["add_tags"] = e.AddTags
	}
	if len(e.RemoveTags) > 0 {
		d["remove_tags"] = e.RemoveTags
	}
	return d
}

// jsonText is v as JSON, for audit details; v holds nothing that cannot be.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%q", err)
	}
	return string(b)
}
