package cgminer

import (
	"context"

	"ballast/miner"
)

// Replies fetches what one reading is made of.
func (d *Device) Replies(ctx context.Context) (miner.Replies, error) { return d.fetch(ctx) }
