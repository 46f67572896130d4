package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ballast/ledger"
)

// SaveSite implements ledger.Inventory.
func (s *Store) SaveSite(ctx context.Context, site ledger.Site, by ledger.Audit) error {
	name := strings.TrimSpace(ledger.Clean(site.Name, 0))
	if name == "" {
		return fmt.Errorf("site: %w: it has no name", ledger.ErrInvalid)
	}
	if len(site.Layout) == 0 {
		site.Layout = json.RawMessage("null")
	}
	if !json.Valid(site.Layout) {
		return fmt.Errorf("site %s: %w: its layout is no JSON", name, ledger.ErrInvalid)
	}
	ranges := make([]string, len(site.Ranges))
	for i, r := range site.Ranges {
		ranges[i] = ledger.Clean(r, 0)
	}
	return s.change(ctx, func(t *txn) error {
		now := micros(t.now())
		title, layout, text := ledger.Clean(site.Title, 0), string(site.Layout), jsonText(ranges)
		if site.Version != 0 {
			n, err := t.exec(ctx, "UPDATE sites SET title = $1, ranges = $2, layout = $3, updated_at = $4, version = version + 1 WHERE name = $5 AND version = $6",
				title, text, layout, now, name, site.Version)
			if err != nil {
				return fmt.Errorf("writing site %s: %w", name, err)
			}
			if n == 0 {
				return fmt.Errorf("site %s: %w: somebody else saved it since version %d", name, ledger.ErrConflict, site.Version)
			}
		} else {
			_, err := t.exec(ctx, "INSERT INTO sites (name, title, ranges, layout, created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, 1) "+
				"ON CONFLICT (name) DO UPDATE SET title = excluded.title, ranges = excluded.ranges, layout = excluded.layout, updated_at = excluded.updated_at, version = sites.version + 1",
				name, title, text, layout, now, now)
			if err != nil {
				return fmt.Errorf("writing site %s: %w", name, err)
			}
		}
		return t.audit(by.Or("site.save", "site/"+name, jsonText(map[string]any{"title": site.Title, "ranges": ranges, "layout": site.Layout})))
	})
}

const siteColumns = "SELECT name, title, ranges, layout, version, created_at, updated_at FROM sites"

func scanSite(rows *sql.Rows) (x ledger.Site, err error) {
	var ranges, layout string
	var created, updated int64
	if err = rows.Scan(&x.Name, &x.Title, &ranges, &layout, &x.Version, &created, &updated); err != nil {
		return x, err
	}
	if err = json.Unmarshal([]byte(ranges), &x.Ranges); err != nil {
		return x, fmt.Errorf("ranges of site %s: %w", x.Name, err)
	}
	x.Layout, x.CreatedAt, x.UpdatedAt = json.RawMessage(layout), moment(created), moment(updated)
	return x, nil
}

// Sites implements ledger.Inventory.
func (s *Store) Sites(ctx context.Context) ([]ledger.Site, error) {
	out, err := query(ctx, s.reader(), scanSite, siteColumns)
	if err != nil {
		return nil, fmt.Errorf("reading sites: %w", err)
	}
	slices.SortFunc(out, func(a, b ledger.Site) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Site implements ledger.Inventory.
func (s *Store) Site(ctx context.Context, name string) (ledger.Site, error) {
	out, err := query(ctx, s.reader(), scanSite, siteColumns+" WHERE name = $1", name)
	if err != nil {
		return ledger.Site{}, fmt.Errorf("reading site %s: %w", name, err)
	}
	if len(out) == 0 {
		return ledger.Site{}, notFound("site", name, ledger.ErrNotFound)
	}
	return out[0], nil
}

// RemoveSite implements ledger.Inventory.
func (s *Store) RemoveSite(ctx context.Context, name string, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		if _, err := t.bump(ctx, "machine", 0); err != nil { // no machine is observed into it meanwhile
			return err
		}
		var n int
		if err := t.QueryRowContext(ctx, "SELECT count(*) FROM machines WHERE site = $1 AND retired_at = 0", name).Scan(&n); err != nil {
			return fmt.Errorf("counting the machines of site %s: %w", name, err)
		}
		if n > 0 {
			return fmt.Errorf("site %s: %w: %d machines in service are at it", name, ledger.ErrConflict, n)
		}
		gone, err := t.exec(ctx, "DELETE FROM sites WHERE name = $1", name)
		if err != nil {
			return fmt.Errorf("removing site %s: %w", name, err)
		}
		if gone == 0 {
			return notFound("site", name, ledger.ErrNotFound)
		}
		return t.audit(by.Or("site.remove", "site/"+name, ""))
	})
}

// PlaceMachines implements ledger.Inventory.
func (s *Store) PlaceMachines(ctx context.Context, site string, places map[int64]ledger.Place, by ledger.Audit) (changed []int64, err error) {
	if len(places) == 0 {
		return nil, nil
	}
	err = s.change(ctx, func(t *txn) error {
		changed, err = t.place(ctx, site, places, by)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("placing the machines of site %s: %w", site, err)
	}
	return changed, nil
}

// told is how many moves one audit row names; the layout itself, which the audit
// log has too, tells the rest.
const told = 2000

func (t *txn) place(ctx context.Context, site string, places map[int64]ledger.Place, by ledger.Audit) ([]int64, error) {
	if _, err := t.bump(ctx, "machine", 0); err != nil { // not while a batch is being followed
		return nil, err
	}
	var w where
	w.and("site = ?", site)
	w.and("retired_at = 0")
	all, err := machines(ctx, t, &w, 0, t.e.dialect.Lock)
	if err != nil {
		return nil, err
	}
	var changed []int64
	var rows [][]any
	moves := map[string]string{}
	holds := make(map[ledger.Place]int64, len(all))
	for _, m := range all {
		p, ok := places[m.ID]
		if by := placedBy(p); ok && m.Placed != ledger.PlacedByHand && (m.Place != p || m.Placed != by) {
			m.Place, m.Placed = p, by
			changed = append(changed, m.ID)
			rows = append(rows, []any{strconv.FormatInt(m.ID, 10), p.Building, p.Container, p.Rack, p.Slot, string(by)})
			if len(moves) < told {
				moves[strconv.FormatInt(m.ID, 10)] = p.String()
			}
		}
		if m.Place.Slot == "" {
			continue
		}
		if other, taken := holds[m.Place]; taken {
			return nil, fmt.Errorf("machines %d and %d in %v: %w", other, m.ID, m.Place, ledger.ErrConflict)
		}
		holds[m.Place] = m.ID
	}
	if len(rows) == 0 {
		return nil, nil
	}
	// CAST because all values of the list are text here.
	err = t.bulkAs(ctx, "UPDATE machines SET building = v.column2, container = v.column3, rack = v.column4, slot = v.column5, placed = v.column6 FROM (",
		6, "TEXT", ") AS v WHERE machines.id = CAST(v.column1 AS BIGINT)", rows)
	if err != nil {
		return nil, fmt.Errorf("writing places: %w", err)
	}
	return changed, t.audit(by.Or("machine.place", "site/"+site, jsonText(map[string]any{"machines": len(rows), "places": moves})))
}

func placedBy(p ledger.Place) ledger.PlacedBy {
	if p == (ledger.Place{}) {
		return ledger.PlacedByNobody
	}
	return ledger.PlacedByLayout
}
