package antminer

import (
	"context"

	"ballast/miner"
)

// Replies fetches what one reading is made of.
func Replies(ctx context.Context, d miner.Device) (miner.Replies, error) {
	dev := d.(*device)
	fast, err := dev.fetchFast(ctx)
	if err != nil {
		return nil, err
	}
	dev.fetchSlow(ctx, fast)
	dev.fetchPower(ctx, fast)
	return dev.complete(fast), nil
}
