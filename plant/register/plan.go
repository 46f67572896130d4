package register

import (
	"cmp"
	"slices"

	"ballast/plant/modbus"
)

// block is what one request reads, and the points that lie in it.
type block struct {
	table   modbus.Table
	address int
	count   int
	points  []*point
}

// plan covers points with as few requests as the limits allow: neighbours are
// read together, and so are points with up to gap registers between them.
func plan(points []*point, most, gap int) []block {
	points = slices.Clone(points)
	slices.SortFunc(points, func(a, b *point) int {
		return cmp.Or(cmp.Compare(a.table, b.table), cmp.Compare(a.Address, b.Address), cmp.Compare(a.words, b.words))
	})
	var out []block
	for _, p := range points {
		limit := p.table.Max()
		if most > 0 && !p.table.Bits() {
			limit = max(min(limit, most), p.words)
		}
		start, end := int(p.Address), int(p.Address)+p.words
		if n := len(out); n > 0 {
			b := &out[n-1]
			last := b.address + b.count
			if b.table == p.table && start-last <= gap && max(end, last)-b.address <= limit {
				b.count = max(end, last) - b.address
				b.points = append(b.points, p)
				continue
			}
		}
		out = append(out, block{table: p.table, address: start, count: p.words, points: []*point{p}})
	}
	return out
}

// split covers the points of a block without any gap, for a device that
// refuses to read registers it does not have.
func (b block) split(most int) []block {
	return plan(b.points, most, 0)
}

// whole tells whether the block has no gaps, so that splitting it is no help.
func (b block) whole(most int) bool { return len(b.split(most)) == 1 }
