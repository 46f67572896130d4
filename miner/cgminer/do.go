package cgminer

import (
	"context"
	"fmt"
	"strings"

	"ballast/miner"
)

// The API's own status codes that mean more than their words.
// (ckolivas/cgminer api.c: MSG_INVCMD, MSG_ACCDENY, MSG_INVJSON.)
const (
	codeInvalidCommand = 14
	codeAccessDenied   = 45
)

// Err is what a reply's status says: nil when the machine accepted (S, I and W),
// [miner.ErrUnsupported] when it does not know the command, [miner.ErrLocked]
// when its api-allow does not grant us writing, else [miner.ErrRefused] with the
// machine's words.
func (s Status) Err() error {
	if s.OK() {
		return nil
	}
	words := s.Msg
	if words == "" {
		words = s.Description
	}
	lower := strings.ToLower(words)
	switch {
	case s.Code == codeAccessDenied, strings.HasPrefix(lower, "access denied"):
		return fmt.Errorf("%w: %s", miner.ErrLocked, words)
	case s.Code == codeInvalidCommand, strings.HasPrefix(lower, "invalid command"):
		return fmt.Errorf("%w: %s", miner.ErrUnsupported, words)
	}
	return fmt.Errorf("%w: %s", miner.ErrRefused, words)
}

// Do sends a privileged command and returns the machine's reply. Errors are
// those of [Ask] and [Status.Err], and [miner.ErrGarbage] for an unreadable
// reply. A connection closed without a reply, as commands that restart the
// machine cause, is [ErrSilent].
func Do(ctx context.Context, t miner.Target, command, parameter string) (Reply, error) {
	raw, err := Ask(ctx, t, command, parameter)
	if err != nil {
		return Reply{}, err
	}
	reply, ok := Read(command, raw, nil)
	if !ok {
		return Reply{}, fmt.Errorf("asking %q: %w: %s", command, miner.ErrGarbage, Excerpt(raw))
	}
	if err := reply.Status.Err(); err != nil {
		return reply, fmt.Errorf("asking %q: %w", command, err)
	}
	return reply, nil
}
