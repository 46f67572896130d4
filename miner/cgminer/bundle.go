package cgminer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"ballast/miner"
)

// Bundle is a set of replies, read and taken apart, to be searched by section.
type Bundle struct {
	Parts []Reply
}

// Collect reads all replies, in the order of their names. What cannot be read
// or was refused is warned of. An empty bundle means that nothing was readable.
func Collect(replies miner.Replies, warn Warn) Bundle {
	b := Bundle{}
	for _, name := range slices.Sorted(maps.Keys(replies)) {
		reply, ok := Read(name, replies[name], warn)
		if !ok {
			continue
		}
		for _, part := range reply.Parts() {
			if !part.Status.OK() {
				warn(miner.WarnRefused, part.Name, part.Status.Msg)
				continue
			}
			b.Parts = append(b.Parts, part)
		}
	}
	return b
}

// With is the first reply that has one of the sections.
func (b Bundle) With(sections ...string) (Reply, bool) {
	for _, s := range sections {
		for _, p := range b.Parts {
			if p.Has(s) {
				return p, true
			}
		}
	}
	return Reply{}, false
}

// Asker asks one machine for several reports, in one request if the machine
// takes multi-commands (cgminer, S9 and S17 do; S19 and MicroBT do not), and
// remembers which. The zero Asker knows nothing yet. It is safe for concurrent
// use.
type Asker struct {
	combined atomic.Int32 // 0 unknown, 1 yes, 2 no
}

// Ask returns the replies by command, or one combined reply under the commands
// joined by '+', which [Reply.Parts] takes apart. A report that one machine does
// not have is left out; the error is for when there is no reply at all.
func (a *Asker) Ask(ctx context.Context, t miner.Target, commands ...string) (miner.Replies, error) {
	if len(commands) > 1 && a.combined.Load() != 2 {
		joined := strings.Join(commands, "+")
		raw, err := Ask(ctx, t, joined, "")
		if err != nil && len(raw) == 0 && !errors.Is(err, ErrSilent) {
			return nil, err
		}
		if err == nil && holdsAll(raw, commands) {
			a.combined.Store(1)
			return miner.Replies{joined: raw}, nil
		}
		a.combined.Store(2)
	}
	out := make(miner.Replies, len(commands))
	var failed error
	for _, c := range commands {
		raw, err := Ask(ctx, t, c, "")
		if len(raw) > 0 {
			out[c] = raw
		}
		if err != nil {
			failed = err
			if ctx.Err() != nil || len(out) == 0 {
				break // nobody there: the rest would only wait
			}
		}
	}
	if len(out) == 0 {
		if failed == nil {
			failed = fmt.Errorf("%w: empty replies", miner.ErrGarbage)
		}
		return nil, failed
	}
	return out, nil
}

// holdsAll tells whether raw looks like a combined reply to all commands.
func holdsAll(raw []byte, commands []string) bool {
	for _, c := range commands {
		if !bytes.Contains(raw, []byte(`"`+c+`":`)) && !bytes.Contains(raw, []byte(`"`+c+`" :`)) {
			return false
		}
	}
	return true
}
