package cgminer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"ballast/miner"
)

// Together asks several commands of one machine at once, as "version+summary",
// or one by one when its firmware refuses that, which it remembers. Its user
// serialises calls.
type Together struct {
	Target  miner.Target
	Singles bool // the firmware takes one command at a time
}

// Ask returns the replies; joined tells that they came as one. With some replies
// there, the error is nil unless the context is over.
func (t *Together) Ask(ctx context.Context, warn Warn, commands ...string) (replies []Reply, joined bool, err error) {
	silent := false
	if !t.Singles && len(commands) > 1 {
		raw, err := Ask(ctx, t.Target, strings.Join(commands, "+"), "")
		silent = errors.Is(err, ErrSilent)
		if err != nil && len(raw) == 0 && !silent {
			return nil, false, err
		}
		if len(raw) > 0 {
			reply, ok := Read("reply", raw, warn)
			switch {
			case !ok && err != nil:
				return nil, false, err
			case !ok:
				return nil, false, fmt.Errorf("%w: %s", miner.ErrGarbage, Excerpt(raw))
			case reply.Combined():
				return reply.Parts(), true, nil
			}
			t.Singles = !reply.Status.OK() // else it is cut, and worth another try next time
		}
	}
	var failed error
	for _, c := range commands {
		raw, err := Ask(ctx, t.Target, c, "")
		if len(raw) > 0 {
			if reply, ok := Read(c, raw, warn); ok {
				replies = append(replies, reply)
			} else {
				failed = errors.Join(failed, fmt.Errorf("%w: %s: %s", miner.ErrGarbage, c, Excerpt(raw)))
			}
		}
		if failed = errors.Join(failed, err); ctx.Err() != nil {
			break
		}
	}
	t.Singles = t.Singles || silent && len(replies) > 0
	if len(replies) == 0 || ctx.Err() != nil {
		return nil, false, cmp.Or(failed, ctx.Err(), miner.ErrGarbage)
	}
	return replies, false, nil
}
