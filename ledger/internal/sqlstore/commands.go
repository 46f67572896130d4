package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ballast/ledger"
)

const commandColumns = "id, machine, kind, setting, actor, reason, idempotency_key, deadline, state, attempts, events, created_at, updated_at, detail, batch, confirmed_at"

const commandWidth = 16

// command is a command with the number of its events, which is the Seq of the
// last of them.
type command struct {
	ledger.Command
	events int
}

func scanCommand(rows *sql.Rows) (c *command, err error) {
	c = &command{}
	var setting string
	var deadline, created, updated, confirmed int64
	err = rows.Scan(&c.ID, &c.Machine, &c.Kind, &setting, &c.Actor, &c.Reason, &c.IdempotencyKey, &deadline, &c.State, &c.Attempts, &c.events, &created, &updated, &c.Detail, &c.Batch, &confirmed)
	c.Setting, c.Deadline, c.CreatedAt, c.UpdatedAt, c.ConfirmedAt = json.RawMessage(setting), moment(deadline), moment(created), moment(updated), moment(confirmed)
	return c, err
}

func (c *command) row() []any {
	return []any{c.ID, c.Machine, c.Kind, string(c.Setting), c.Actor, c.Reason, c.IdempotencyKey, micros(c.Deadline), string(c.State), c.Attempts, c.events,
		micros(c.CreatedAt), micros(c.UpdatedAt), c.Detail, c.Batch, micros(c.ConfirmedAt)}
}

// apply moves c on and returns the event, as a row.
func (c *command) apply(tr ledger.Transition, t *txn) ([]any, error) {
	after, err := c.Apply(tr, t.now())
	if err != nil {
		return nil, err
	}
	c.Command = after
	c.events++
	return []any{c.ID, c.events, micros(after.UpdatedAt), string(tr.From), string(tr.To), ledger.Clean(tr.Actor, 0), after.Detail}, nil
}

func (t *txn) commands(ctx context.Context, w *where, order string) ([]*command, error) {
	out, err := query(ctx, t, scanCommand, "SELECT "+commandColumns+" FROM commands"+w.sql(order, 0)+t.e.dialect.Lock, w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading commands: %w", err)
	}
	return out, nil
}

func (t *txn) insertEvents(ctx context.Context, rows [][]any) error {
	if err := t.bulk(ctx, "INSERT INTO command_events (command, seq, at, from_state, to_state, actor, detail)", 7, "", rows); err != nil {
		return fmt.Errorf("writing command events: %w", err)
	}
	return nil
}

// updateCommands writes commands that are there already and locked.
func (t *txn) updateCommands(ctx context.Context, cs []*command) error {
	if len(cs) == 1 {
		c := cs[0]
		_, err := t.exec(ctx, "UPDATE commands SET state = $1, attempts = $2, events = $3, updated_at = $4, detail = $5, confirmed_at = $6 WHERE id = $7",
			string(c.State), c.Attempts, c.events, micros(c.UpdatedAt), c.Detail, micros(c.ConfirmedAt), c.ID)
		if err != nil {
			return fmt.Errorf("writing a command: %w", err)
		}
		return nil
	}
	rows := make([][]any, len(cs))
	for i, c := range cs {
		rows[i] = c.row()
	}
	err := t.bulk(ctx, "INSERT INTO commands ("+commandColumns+")", commandWidth, "ON CONFLICT (id) DO UPDATE SET state = excluded.state, "+
		"attempts = excluded.attempts, events = excluded.events, updated_at = excluded.updated_at, detail = excluded.detail, confirmed_at = excluded.confirmed_at", rows)
	if err != nil {
		return fmt.Errorf("writing commands: %w", err)
	}
	return nil
}

// CreateCommand implements ledger.Commands.
func (s *Store) CreateCommand(ctx context.Context, c ledger.NewCommand) (ledger.Command, error) {
	out, err := s.CreateCommands(ctx, []ledger.NewCommand{c})
	if err != nil {
		return ledger.Command{}, err
	}
	return out[0], nil
}

// CreateCommands implements ledger.Commands.
func (s *Store) CreateCommands(ctx context.Context, cs []ledger.NewCommand) ([]ledger.Command, error) {
	wishes := make([]ledger.NewCommand, len(cs))
	for i, c := range cs {
		var err error
		if wishes[i], err = c.Normal(); err != nil {
			return nil, err
		}
	}
	var out []ledger.Command
	err := s.change(ctx, func(t *txn) (err error) {
		out, err = t.createCommands(ctx, wishes)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("creating %d commands: %w", len(cs), err)
	}
	return out, nil
}

func (t *txn) createCommands(ctx context.Context, wishes []ledger.NewCommand) ([]ledger.Command, error) {
	byKey, err := t.byKey(ctx, wishes)
	if err != nil {
		return nil, err
	}
	live, err := t.live(ctx, wishes)
	if err != nil {
		return nil, err
	}
	now := t.now()
	made := make([]*command, 0, len(wishes))
	result := make([]*command, len(wishes))
	superseded := map[string]*command{}
	var events [][]any
	for i, w := range wishes {
		if w.IdempotencyKey != "" {
			if c, ok := byKey[w.IdempotencyKey]; ok {
				if !c.SameWish(w) {
					return nil, fmt.Errorf("idempotency key %q: %w: it belongs to command %s, which asks for something else", w.IdempotencyKey, ledger.ErrConflict, c.ID)
				}
				result[i] = c
				continue
			}
		}
		c := &command{events: 1, Command: ledger.Command{ID: t.e.ids.New(now), Machine: w.Machine, Kind: w.Kind, Setting: w.Setting, Actor: w.Actor, Reason: w.Reason,
			IdempotencyKey: w.IdempotencyKey, Deadline: w.Deadline, State: ledger.Pending, CreatedAt: now, UpdatedAt: now, Detail: w.Reason, Batch: w.Batch}}
		for _, old := range live[w.Machine] {
			if !slices.Contains(w.Supersedes, old.Kind) || !old.State.Can(ledger.Superseded) {
				continue
			}
			e, err := old.apply(ledger.Transition{From: old.State, To: ledger.Superseded, Actor: w.Actor, Detail: "by " + c.ID}, t)
			if err != nil {
				return nil, err
			}
			events = append(events, e)
			superseded[old.ID] = old
		}
		live[w.Machine] = append(live[w.Machine], c)
		if w.IdempotencyKey != "" {
			byKey[w.IdempotencyKey] = c
		}
		events = append(events, []any{c.ID, 1, micros(now), "", string(ledger.Pending), c.Actor, c.Reason})
		made = append(made, c)
		result[i] = c
	}
	if err := t.insertCommands(ctx, made, superseded, events); err != nil {
		return nil, err
	}
	if err := t.auditCommands(made); err != nil {
		return nil, err
	}
	out := make([]ledger.Command, len(result))
	for i, c := range result {
		out[i] = c.Command
	}
	return out, nil
}

// insertCommands writes new commands, the ones they superseded, and the events
// of both.
func (t *txn) insertCommands(ctx context.Context, made []*command, superseded map[string]*command, events [][]any) error {
	rows := make([][]any, len(made))
	for i, c := range made {
		rows[i] = c.row()
		delete(superseded, c.ID) // superseded within its own batch
	}
	err := t.bulk(ctx, "INSERT INTO commands ("+commandColumns+")", commandWidth, "", rows)
	switch t.e.dialect.Classify(err) {
	case Reference:
		return fmt.Errorf("a machine of these commands: %w", ledger.ErrNotFound)
	case Unique: // somebody used the same key since we looked: look again
		return errors.Join(errAgain, err)
	}
	if err != nil {
		return fmt.Errorf("writing commands: %w", err)
	}
	if len(superseded) > 0 {
		old := make([]*command, 0, len(superseded))
		for _, c := range superseded {
			old = append(old, c)
		}
		slices.SortFunc(old, func(a, b *command) int { return strings.Compare(a.ID, b.ID) })
		if err := t.updateCommands(ctx, old); err != nil {
			return err
		}
	}
	return t.insertEvents(ctx, events)
}

// byKey are the commands that the wishes' idempotency keys already belong to.
func (t *txn) byKey(ctx context.Context, wishes []ledger.NewCommand) (map[string]*command, error) {
	var keys []string
	for _, w := range wishes {
		if w.IdempotencyKey != "" {
			keys = append(keys, w.IdempotencyKey)
		}
	}
	found := map[string]*command{}
	for part := range slices.Chunk(keys, bulkRows) {
		var w where
		w.and("idempotency_key <> ''") // lets the partial index serve
		in(&w, "idempotency_key", part)
		cs, err := t.commands(ctx, &w, "id")
		if err != nil {
			return nil, err
		}
		for _, c := range cs {
			found[c.IdempotencyKey] = c
		}
	}
	return found, nil
}

const liveStates = "state IN ('pending', 'dispatched', 'acknowledged', 'confirmed', 'drifted')"

// live are the open and standing commands of the machines for which some wish
// supersedes something.
func (t *txn) live(ctx context.Context, wishes []ledger.NewCommand) (map[int64][]*command, error) {
	var ids []int64
	for _, w := range wishes {
		if len(w.Supersedes) > 0 {
			ids = append(ids, w.Machine)
		}
	}
	slices.Sort(ids)
	found := map[int64][]*command{}
	for part := range slices.Chunk(slices.Compact(ids), bulkRows) {
		var w where
		w.and(liveStates)
		in(&w, "machine", part)
		cs, err := t.commands(ctx, &w, "id")
		if err != nil {
			return nil, err
		}
		for _, c := range cs {
			found[c.Machine] = append(found[c.Machine], c)
		}
	}
	return found, nil
}

// auditCommands writes one audit row for each actor, kind, reason and batch. A row
// for many commands holds a digest of them, not the list: it stays small, and
// still nobody can change a command unseen.
func (t *txn) auditCommands(made []*command) error {
	type act struct{ actor, kind, reason, batch string }
	byAct := map[act][]*command{}
	var order []act
	for _, c := range made {
		a := act{c.Actor, c.Kind, c.Reason, c.Batch}
		if byAct[a] == nil {
			order = append(order, a)
		}
		byAct[a] = append(byAct[a], c)
	}
	for _, a := range order {
		cs := byAct[a]
		detail := map[string]any{"kind": a.kind, "reason": a.reason}
		if a.batch != "" {
			detail["batch"] = a.batch
		}
		subject := fmt.Sprintf("machine/%d", cs[0].Machine)
		if len(cs) == 1 {
			detail["command"], detail["setting"] = cs[0].ID, cs[0].Setting
		} else {
			subject = "machines"
			detail["count"], detail["first"], detail["last"], detail["sha256"] = len(cs), cs[0].ID, cs[len(cs)-1].ID, commandDigest(cs)
		}
		if err := t.audit(ledger.By(a.actor).Or("command.create", subject, jsonText(detail))); err != nil {
			return err
		}
	}
	return nil
}

// commandDigest is the SHA-256, in hex, over a line "id machine kind setting"
// for each command.
func commandDigest(cs []*command) string {
	h := sha256.New()
	for _, c := range cs {
		_, _ = fmt.Fprintf(h, "%s %d %q %s\n", c.ID, c.Machine, c.Kind, c.Setting)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Transition implements ledger.Commands.
func (s *Store) Transition(ctx context.Context, tr ledger.Transition) (ledger.Command, error) {
	out, err := s.TransitionAll(ctx, []ledger.Transition{tr})
	if err != nil {
		return ledger.Command{}, err
	}
	if out[0].Err != nil {
		return ledger.Command{}, out[0].Err
	}
	return out[0].Command, nil
}

// TransitionAll implements ledger.Commands.
func (s *Store) TransitionAll(ctx context.Context, trs []ledger.Transition) ([]ledger.Transitioned, error) {
	var out []ledger.Transitioned
	err := s.change(ctx, func(t *txn) (err error) {
		out, err = t.transitionAll(ctx, trs)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("moving %d commands on: %w", len(trs), err)
	}
	return out, nil
}

func (t *txn) transitionAll(ctx context.Context, trs []ledger.Transition) ([]ledger.Transitioned, error) {
	ids := make([]string, len(trs))
	for i, tr := range trs {
		ids[i] = tr.ID
	}
	slices.Sort(ids) // locked in one order by everybody
	found := map[string]*command{}
	for part := range slices.Chunk(slices.Compact(ids), bulkRows) {
		var w where
		in(&w, "id", part)
		cs, err := t.commands(ctx, &w, "id")
		if err != nil {
			return nil, err
		}
		for _, c := range cs {
			found[c.ID] = c
		}
	}
	out := make([]ledger.Transitioned, len(trs))
	moved := map[string]bool{}
	var events [][]any
	for i, tr := range trs {
		c := found[tr.ID]
		if c == nil {
			out[i].Err = notFound("command", tr.ID, ledger.ErrNotFound)
			continue
		}
		e, err := c.apply(tr, t)
		out[i] = ledger.Transitioned{Command: c.Command, Err: err}
		if err == nil {
			moved[c.ID] = true
			events = append(events, e)
		}
	}
	if len(moved) == 0 {
		return out, nil
	}
	changed := make([]*command, 0, len(moved))
	for id := range moved {
		changed = append(changed, found[id])
	}
	slices.SortFunc(changed, func(a, b *command) int { return strings.Compare(a.ID, b.ID) })
	if err := t.updateCommands(ctx, changed); err != nil {
		return nil, err
	}
	return out, t.insertEvents(ctx, events)
}

// Command implements ledger.Commands.
func (s *Store) Command(ctx context.Context, id string) (ledger.Command, error) {
	var w where
	w.and("id = ?", id)
	out, err := s.readCommands(ctx, &w, "id", 0)
	if err != nil {
		return ledger.Command{}, err
	}
	if len(out) == 0 {
		return ledger.Command{}, notFound("command", id, ledger.ErrNotFound)
	}
	return out[0], nil
}

// Commands implements ledger.Commands.
func (s *Store) Commands(ctx context.Context, f ledger.CommandFilter) ([]ledger.Command, error) {
	var w where
	if f.Machine != 0 {
		w.and("machine = ?", f.Machine)
	}
	if f.Batch != "" {
		w.and("batch <> ''") // lets the partial index serve
		w.and("batch = ?", f.Batch)
	}
	if f.Sites != nil {
		atSites(&w, "machine", f.Sites)
	}
	if len(f.States) > 0 {
		if !slices.ContainsFunc(f.States, func(s ledger.CommandState) bool { return !s.Open() && !s.Standing() }) {
			w.and(liveStates) // lets the partial index serve
		}
		states := make([]string, len(f.States))
		for i, s := range f.States {
			states[i] = string(s)
		}
		in(&w, "state", states)
	}
	if len(f.Kinds) > 0 {
		in(&w, "kind", f.Kinds)
	}
	if f.Actor != "" {
		w.and("actor = ?", f.Actor)
	}
	if !f.Since.IsZero() {
		w.and("created_at >= ?", micros(f.Since))
	}
	if !f.Until.IsZero() {
		w.and("created_at < ?", micros(f.Until))
	}
	if f.Before != "" {
		w.and("id < ?", f.Before)
	}
	return s.readCommands(ctx, &w, "id DESC", f.Limit)
}

// OpenCommands implements ledger.Commands.
func (s *Store) OpenCommands(ctx context.Context) ([]ledger.Command, error) {
	var w where
	w.and(liveStates)
	in(&w, "state", []string{string(ledger.Pending), string(ledger.Dispatched), string(ledger.Acknowledged)})
	return s.readCommands(ctx, &w, "id", 0)
}

func (s *Store) readCommands(ctx context.Context, w *where, order string, limit int) ([]ledger.Command, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (ledger.Command, error) {
		c, err := scanCommand(rows)
		return c.Command, err
	}, "SELECT "+commandColumns+" FROM commands"+w.sql(order, limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading commands: %w", err)
	}
	return out, nil
}

// CommandEvents implements ledger.Commands.
func (s *Store) CommandEvents(ctx context.Context, id string) ([]ledger.CommandEvent, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (e ledger.CommandEvent, err error) {
		var at int64
		err = rows.Scan(&e.Command, &e.Seq, &at, &e.From, &e.To, &e.Actor, &e.Detail)
		e.At = moment(at)
		return e, err
	}, "SELECT command, seq, at, from_state, to_state, actor, detail FROM command_events WHERE command = $1 ORDER BY seq", id)
	if err != nil {
		return nil, fmt.Errorf("reading command events: %w", err)
	}
	if len(out) == 0 {
		return nil, notFound("command", id, ledger.ErrNotFound)
	}
	return out, nil
}
