package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"ballast/ledger"
)

// ObserveMachines implements ledger.Inventory.
func (s *Store) ObserveMachines(ctx context.Context, batch []ledger.Sighting) ([]ledger.Machine, error) {
	var out []ledger.Machine
	err := s.change(ctx, func(t *txn) (err error) {
		out, err = t.observe(ctx, batch)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("observing %d machines: %w", len(batch), err)
	}
	return out, nil
}

func (t *txn) observe(ctx context.Context, batch []ledger.Sighting) ([]ledger.Machine, error) {
	// Two batches at once would both invent the machine they have in common:
	// the counter's row lets one through at a time.
	last, err := t.bump(ctx, "machine", 0)
	if err != nil {
		return nil, err
	}
	now := t.now()
	known, err := t.candidates(ctx, batch, last)
	if err != nil {
		return nil, err
	}
	cloned, err := shared(ctx, t)
	if err != nil {
		return nil, err
	}
	f := ledger.Follow(known, cloned, batch, last+1, now)
	if err := t.save(ctx, f); err != nil {
		return nil, err
	}
	if n := int(f.Next - last - 1); n > 0 {
		if _, err := t.bump(ctx, "machine", n); err != nil {
			return nil, err
		}
	}
	byID := make(map[int64]*ledger.Machine, len(known)+len(f.Touched))
	for i := range known {
		byID[known[i].ID] = &known[i]
	}
	maps.Copy(byID, f.Touched)
	out := make([]ledger.Machine, len(batch))
	for i, id := range f.Seen {
		if m := byID[id]; m != nil {
			out[i] = *m
		}
	}
	return out, nil
}

// candidates are the machines that any sighting of the batch could be.
func (t *txn) candidates(ctx context.Context, batch []ledger.Sighting, count int64) ([]ledger.Machine, error) {
	if int64(len(batch))*8 >= count { // most of them: one scan is cheaper than looking each up
		return machines(ctx, t, &where{}, 0, "")
	}
	var macs, serials, addrs []string
	for _, s := range batch {
		s = s.Normal(t.now())
		if s.MAC != "" {
			macs = append(macs, s.MAC)
		}
		if s.Serial != "" {
			serials = append(serials, s.Serial)
		}
		if s.Addr.IsValid() {
			addrs = append(addrs, s.Addr.String())
		}
	}
	found := map[int64]ledger.Machine{}
	for _, by := range []struct {
		column string
		values []string
	}{{"mac", macs}, {"serial", serials}, {"addr", addrs}} {
		for part := range slices.Chunk(by.values, bulkRows) {
			var w where
			w.and(by.column + " <> ''") // lets the partial index serve
			in(&w, by.column, part)
			ms, err := machines(ctx, t, &w, 0, "")
			if err != nil {
				return nil, err
			}
			for _, m := range ms {
				found[m.ID] = m
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b ledger.Machine) int { return int(a.ID - b.ID) }), nil
}

// save writes what Follow decided.
func (t *txn) save(ctx context.Context, f ledger.Followed) error {
	touched := slices.Sorted(maps.Keys(f.Touched))
	// MACs, serials and addresses are unique at every moment, so what changes
	// hands is first let go of by everybody.
	var release []int64
	rows, seen := make([][]any, 0, len(touched)), make([][]any, 0, len(touched))
	for _, id := range touched {
		m := f.Touched[id]
		old, ok := f.Old[id]
		if ok && onlySeen(old, *m) { // most of them, most of the time
			seen = append(seen, []any{id, micros(m.LastSeen)})
			continue
		}
		if ok && (old.MAC != "" && old.MAC != m.MAC || old.Serial != "" && old.Serial != m.Serial ||
			old.Addr.IsValid() && (old.Addr != m.Addr || old.Site != m.Site)) {
			release = append(release, id)
		}
		rows = append(rows, machineRow(m))
	}
	for part := range slices.Chunk(release, bulkRows) {
		var w where
		in(&w, "id", part)
		if _, err := t.exec(ctx, "UPDATE machines SET mac = '', serial = '', addr = ''"+w.text.String(), w.args...); err != nil {
			return fmt.Errorf("releasing identities: %w", err)
		}
	}
	err := t.bulk(ctx, "INSERT INTO machines ("+machineColumns+")", machineWidth, "ON CONFLICT (id) DO UPDATE SET "+
		"mac = excluded.mac, serial = excluded.serial, addr = excluded.addr, make = excluded.make, model = excluded.model, "+
		"firmware = excluded.firmware, firmware_version = excluded.firmware_version, hostname = excluded.hostname, site = excluded.site, "+
		"building = excluded.building, container = excluded.container, rack = excluded.rack, slot = excluded.slot, placed = excluded.placed, last_seen = excluded.last_seen", rows)
	if err != nil {
		return fmt.Errorf("writing machines: %w", err)
	}
	err = t.bulkAs(ctx, "UPDATE machines SET last_seen = v.column2 FROM (", 2, "BIGINT", ") AS v WHERE machines.id = v.column1", seen)
	if err != nil {
		return fmt.Errorf("writing when machines were seen: %w", err)
	}
	ends := make([][]any, len(f.Closed))
	for i, c := range f.Closed {
		ends[i] = []any{c.Machine, micros(c.Until)}
	}
	err = t.bulkAs(ctx, "UPDATE machine_addresses SET until = v.column2 FROM (", 2, "BIGINT",
		") AS v WHERE machine_addresses.machine = v.column1 AND machine_addresses.until = 0", ends)
	if err != nil {
		return fmt.Errorf("closing addresses: %w", err)
	}
	spans := make([][]any, len(f.Opened))
	for i, o := range f.Opened {
		spans[i] = []any{o.Machine, o.Site, addrText(o.Addr), micros(o.Since), micros(o.Until)}
	}
	if err := t.bulk(ctx, "INSERT INTO machine_addresses (machine, site, addr, since, until)", 5, "", spans); err != nil {
		return fmt.Errorf("writing addresses: %w", err)
	}
	changes := make([][]any, len(f.Changes))
	for i, c := range f.Changes {
		changes[i] = []any{c.Machine, micros(c.At), c.Field, c.Was, c.Now}
	}
	if err := t.bulk(ctx, "INSERT INTO machine_changes (machine, at, field, was, now)", 5, "", changes); err != nil {
		return fmt.Errorf("writing identity changes: %w", err)
	}
	cloned := make([][]any, len(f.Shared))
	for i, c := range f.Shared {
		cloned[i] = []any{c.Field, c.Value, micros(c.Since)}
	}
	if err := t.bulk(ctx, "INSERT INTO shared_identities (field, value, since)", 3, "ON CONFLICT DO NOTHING", cloned); err != nil {
		return fmt.Errorf("writing shared identities: %w", err)
	}
	return nil
}

// onlySeen tells whether nothing changed but when the machine was last seen.
func onlySeen(old, now ledger.Machine) bool {
	return old.MAC == now.MAC && old.Serial == now.Serial && old.Addr == now.Addr && old.Make == now.Make && old.Model == now.Model &&
		old.Firmware == now.Firmware && old.FirmwareVersion == now.FirmwareVersion && old.Hostname == now.Hostname && old.Site == now.Site &&
		old.Place == now.Place
}
