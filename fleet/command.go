package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"ballast/ledger"
	"ballast/miner"
)

// Commander carries out commands: it writes the wish, sends it, and believes it
// done only when a later reading shows it.
//
// One loop owns everything: every pass it looks at each open command, decides
// its next step from what is known (an answer of the machine, a reading, the
// clock) and writes all steps of the pass in one transaction, before anything
// they allow is done. So a crash loses no command and forgets no attempt: what
// was dispatched is found dispatched, and what cannot be repeated (a reboot) is
// not sent twice but watched for its proof.
type Commander struct {
	Record   ledger.Store
	Device   func(miner.ID) (miner.Device, bool)
	Envelope func(miner.ID) (miner.Envelope, bool) // what is known of it now; no traffic
	Soon     func(miner.ID)                        // poll this machine soon
	Interval time.Duration                         // of polling
	Deadline time.Duration                         // default, from creation to confirmation
	Parallel int                                   // machines commanded at once
	Log      *slog.Logger

	mu       sync.Mutex
	jobs     map[miner.ID][]*job
	busy     map[miner.ID]bool
	applying int
	wake     chan struct{}
}

// job is one command that is open, or standing and watched for drift.
type job struct {
	cmd     ledger.Command
	setting miner.Setting
	hidden  bool // the record does not hold the whole setting (a pool password)

	started  bool // an attempt is under way
	answered bool // its outcome is in err
	err      error
	at       time.Time // when it came
	retry    time.Time // not before

	ack      time.Time // of the last acknowledgement
	verdict  Verdict   // of the newest reading since
	evidence string
	contrary int // readings in a row that say otherwise
}

// Request is one wish of one actor for one machine.
type Request struct {
	Machine  miner.ID
	Setting  miner.Setting
	Actor    string
	Reason   string
	Key      string        // idempotency key; "" is none
	Deadline time.Duration // from now; 0 is the default
}

// applyTimeout bounds one attempt.
const applyTimeout = 20 * time.Second

// driftAfter is how many readings in a row must contradict a confirmed command
// before it counts as drifted: one odd reading is no drift.
const driftAfter = 3

// supersedes lists the kinds that a new command of a kind replaces.
func supersedes(k miner.Kind) []string {
	for _, class := range [][]miner.Kind{
		{miner.SetPower, miner.SetProfile, miner.SetMode},
		{miner.SetSleep, miner.SetWake},
		{miner.SetPools}, {miner.SetLocate},
	} {
		if slices.Contains(class, k) {
			out := make([]string, len(class))
			for i, c := range class {
				out[i] = string(c)
			}
			return out
		}
	}
	return nil
}

// repeatable tells whether sending a setting twice is the same as once.
func repeatable(k miner.Kind) bool { return k != miner.SetReboot && k != miner.SetRestart }

// watched tells whether a confirmed command is held against later readings.
func watched(k miner.Kind) bool { return repeatable(k) && k != miner.SetLocate }

// listed is a list as people write it.
func listed[T ~string](all []T) string {
	out := make([]string, len(all))
	for i, x := range all {
		out[i] = string(x)
	}
	return strings.Join(out, ", ")
}

// Check says why a setting cannot work on a machine with this envelope; nil
// when it may. An empty envelope forbids nothing: the driver will tell.
func Check(s miner.Setting, e miner.Envelope) error {
	if len(e.Kinds) > 0 && !e.Can(s.Kind) {
		return fmt.Errorf("%s: %w: it takes %s", s, miner.ErrUnsupported, listed(e.Kinds))
	}
	switch s.Kind {
	case miner.SetPower:
		least, ok1 := e.PowerMin.Get()
		most, ok2 := e.PowerMax.Get()
		if s.Power <= 0 || ok1 && s.Power < least || ok2 && s.Power > most {
			return fmt.Errorf("%s: %w: it takes %v to %v", s, miner.ErrRefused, e.PowerMin.Or(0), e.PowerMax.Or(0))
		}
	case miner.SetProfile:
		if names := stepNames(e); len(names) > 0 && !slices.Contains(names, s.Profile) {
			return fmt.Errorf("%s: %w: it has the profiles %s", s, miner.ErrRefused, listed(names))
		}
	case miner.SetMode:
		if !slices.Contains([]string{miner.ModeLow, miner.ModeNormal, miner.ModeHigh}, s.Mode) {
			return fmt.Errorf("%s: %w: modes are low, normal and high", s, miner.ErrRefused)
		}
	case miner.SetPools:
		if len(s.Pools) == 0 {
			return fmt.Errorf("pools: %w: the list is empty", miner.ErrRefused)
		}
	}
	return nil
}

func stepNames(e miner.Envelope) (out []string) {
	for _, s := range e.Steps {
		if s.Setting.Kind == miner.SetProfile {
			out = append(out, s.Setting.Profile)
		}
	}
	return out
}

// Submit writes wishes into the record, all or none, and starts carrying them
// out. A wish that cannot work on its machine fails the whole call, naming the
// machine; use Check first to sort them.
func (c *Commander) Submit(ctx context.Context, wishes []Request) ([]ledger.Command, error) {
	_, cmds, err := c.submit(ctx, nil, wishes)
	return cmds, err
}

// SubmitBatch is Submit for what was asked of several machines at once: the
// batch and its commands are written as one. The same idempotency key gives the
// same batch and commands again.
func (c *Commander) SubmitBatch(ctx context.Context, b ledger.NewBatch, wishes []Request) (ledger.Batch, []ledger.Command, error) {
	return c.submit(ctx, &b, wishes)
}

func (c *Commander) submit(ctx context.Context, b *ledger.NewBatch, wishes []Request) (batch ledger.Batch, cmds []ledger.Command, err error) {
	rows := make([]ledger.NewCommand, len(wishes))
	now := time.Now()
	for i, w := range wishes {
		if e, ok := c.Envelope(w.Machine); ok {
			if err := Check(w.Setting, e); err != nil {
				return batch, nil, fmt.Errorf("machine %d: %w", w.Machine, err)
			}
		}
		text, err := json.Marshal(keepable(w.Setting))
		if err != nil {
			return batch, nil, fmt.Errorf("machine %d: writing the setting: %w", w.Machine, err)
		}
		limit := w.Deadline
		if limit <= 0 {
			limit = c.Deadline
		}
		rows[i] = ledger.NewCommand{
			Machine: int64(w.Machine), Kind: string(w.Setting.Kind), Setting: text, Actor: w.Actor, Reason: w.Reason,
			IdempotencyKey: w.Key, Deadline: now.Add(limit), Supersedes: supersedes(w.Setting.Kind),
		}
	}
	if b != nil && len(rows) > 0 {
		b.Setting = rows[0].Setting
		err = c.Record.Tx(ctx, func(tx ledger.Tx) (err error) {
			if batch, err = tx.CreateBatch(ctx, *b); err != nil {
				return err
			}
			for i := range rows {
				rows[i].Batch = batch.ID
			}
			cmds, err = tx.CreateCommands(ctx, rows)
			return err
		})
	} else {
		cmds, err = c.Record.CreateCommands(ctx, rows)
	}
	if err != nil {
		return batch, nil, fmt.Errorf("writing the commands: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, cmd := range cmds {
		c.supersede(wishes[i].Machine, cmd)
		if cmd.State == ledger.Pending {
			c.take(cmd, wishes[i].Setting, false)
		}
	}
	c.kick()
	return batch, cmds, nil
}

// supersede forgets what the record has just superseded.
func (c *Commander) supersede(id miner.ID, by ledger.Command) {
	replaced := supersedes(miner.Kind(by.Kind))
	c.jobs[id] = slices.DeleteFunc(c.jobs[id], func(j *job) bool {
		return j.cmd.ID < by.ID && slices.Contains(replaced, j.cmd.Kind)
	})
}

func (c *Commander) take(cmd ledger.Command, s miner.Setting, hidden bool) {
	id := miner.ID(cmd.Machine)
	if slices.ContainsFunc(c.jobs[id], func(j *job) bool { return j.cmd.ID == cmd.ID }) {
		return // the same idempotent wish again
	}
	j := &job{cmd: cmd, setting: s, hidden: hidden}
	if cmd.State == ledger.Acknowledged || cmd.State.Standing() {
		j.ack = cmd.UpdatedAt
	}
	c.jobs[id] = append(c.jobs[id], j)
}

// keepable is the setting as the record may hold it: pool passwords that are
// no secret ("x", empty) stay, others are left out.
func keepable(s miner.Setting) any {
	type pool struct {
		URL      string `json:"url"`
		User     string `json:"user"`
		Password string `json:"password,omitempty"`
		Hidden   bool   `json:"password_hidden,omitempty"`
	}
	if s.Kind != miner.SetPools {
		return s
	}
	out := struct {
		Kind  miner.Kind `json:"kind"`
		Pools []pool     `json:"pools"`
	}{Kind: s.Kind}
	for _, p := range s.Pools {
		open := p.Password == "" || p.Password == "x" || p.Password == "123"
		k := pool{URL: p.URL, User: p.User, Hidden: !open}
		if open {
			k.Password = string(p.Password)
		}
		out.Pools = append(out.Pools, k)
	}
	return out
}

// kept reads a setting back from the record.
func kept(b []byte) (s miner.Setting, hidden bool, err error) {
	var extra struct {
		Pools []struct {
			Hidden bool `json:"password_hidden"`
		} `json:"pools"`
	}
	if err = json.Unmarshal(b, &s); err == nil {
		err = json.Unmarshal(b, &extra)
	}
	for _, p := range extra.Pools {
		hidden = hidden || p.Hidden
	}
	return s, hidden, err
}

func (c *Commander) kick() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// NewCommander makes a commander; set its fields before Run.
func NewCommander() *Commander {
	return &Commander{jobs: map[miner.ID][]*job{}, busy: map[miner.ID]bool{}, wake: make(chan struct{}, 1), Parallel: 256, Deadline: 15 * time.Minute, Interval: 10 * time.Second}
}

// Load takes up what the record says is open or standing: call it before Run.
func (c *Commander) Load(ctx context.Context) error {
	open, err := c.Record.OpenCommands(ctx)
	if err != nil {
		return fmt.Errorf("reading the open commands: %w", err)
	}
	standing, err := c.Record.Commands(ctx, ledger.CommandFilter{States: []ledger.CommandState{ledger.Confirmed, ledger.Drifted}})
	if err != nil {
		return fmt.Errorf("reading the standing commands: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cmd := range slices.Concat(standing, open) {
		s, hidden, err := kept(cmd.Setting)
		if err != nil {
			c.Log.Warn("a command in the record cannot be read", "command", cmd.ID, "error", err)
			continue
		}
		if cmd.State.Standing() && !watched(s.Kind) {
			continue
		}
		c.take(cmd, s, hidden)
	}
	return nil
}

// Reading holds a new reading against the machine's commands. It is cheap for
// machines that have none.
func (c *Commander) Reading(id miner.ID, r *miner.Reading) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, j := range c.jobs[id] {
		if j.cmd.State != ledger.Acknowledged && !j.cmd.State.Standing() {
			continue
		}
		v, why := Judge(j.setting, j.ack, r)
		if j.cmd.State.Standing() && (r.State == miner.Stopped || r.State == miner.Unknown) && v == Contrary {
			continue // a broken machine has not drifted
		}
		j.verdict, j.evidence = v, why
		if v == Contrary {
			j.contrary++
		} else {
			j.contrary = 0
		}
		if v == Shows && j.cmd.State != ledger.Confirmed || v == Contrary {
			c.kick()
		}
	}
}

// Desired is what the newest open or standing command of each class wants of a
// machine: why it is off on purpose, what it should draw.
func (c *Commander) Desired(id miner.ID) (out []ledger.Command) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, j := range c.jobs[id] {
		out = append(out, j.cmd)
	}
	return out
}

// Open counts commands that are not settled yet.
func (c *Commander) Open() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, js := range c.jobs {
		for _, j := range js {
			if j.cmd.State.Open() {
				n++
			}
		}
	}
	return n
}

// Run carries out commands until ctx ends, then waits for attempts under way.
func (c *Commander) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := c.pass(ctx, time.Now(), &wg); err != nil && ctx.Err() == nil {
			c.Log.Error("the command ledger could not be written; nothing is sent until it can", "error", err)
			select {
			case <-time.After(2 * time.Second):
			case <-ctx.Done():
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-c.wake:
			// Let what belongs together come together: one transaction for a
			// burst of answers instead of one each.
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// pass decides, writes, and then does.
func (c *Commander) pass(ctx context.Context, now time.Time, wg *sync.WaitGroup) error {
	c.mu.Lock()
	var steps []ledger.Transition
	moved := map[string]*job{}
	room := c.Parallel - c.applying
	claimed := map[miner.ID]bool{}
	for id, js := range c.jobs {
		for _, j := range js {
			to, detail := c.decide(j, now)
			if to == ledger.Dispatched {
				if c.busy[id] || claimed[id] || room <= 0 {
					continue
				}
				claimed[id] = true
				room--
			}
			if to != "" {
				steps = append(steps, ledger.Transition{ID: j.cmd.ID, From: j.cmd.State, To: to, Actor: "fleet", Detail: detail})
				moved[j.cmd.ID] = j
			}
		}
	}
	c.mu.Unlock()
	if len(steps) == 0 {
		return nil
	}
	done, err := c.Record.TransitionAll(ctx, steps)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, d := range done {
		j := moved[steps[i].ID]
		if d.Err != nil {
			// Someone else moved it (superseded by another process, or cancelled):
			// the record is right.
			c.drop(j)
			continue
		}
		j.cmd = d.Command
		switch {
		case j.cmd.State == ledger.Dispatched:
			c.send(ctx, j, wg)
		case j.cmd.State == ledger.Acknowledged:
			j.ack, j.verdict, j.contrary = j.at, "", 0
			c.Soon(miner.ID(j.cmd.Machine))
		case j.cmd.State.Standing() && watched(j.setting.Kind):
		default:
			c.drop(j)
		}
	}
	return nil
}

func (c *Commander) drop(j *job) {
	id := miner.ID(j.cmd.Machine)
	c.jobs[id] = slices.DeleteFunc(c.jobs[id], func(o *job) bool { return o == j })
	if len(c.jobs[id]) == 0 {
		delete(c.jobs, id)
	}
}

// send starts an attempt. The record already says dispatched.
func (c *Commander) send(ctx context.Context, j *job, wg *sync.WaitGroup) {
	id := miner.ID(j.cmd.Machine)
	j.started, j.answered = true, false
	c.busy[id] = true
	c.applying++
	dev, ok := c.Device(id)
	setting := j.setting
	wg.Go(func() {
		err := fmt.Errorf("machine %d: %w: it has no address now", id, miner.ErrUnreachable)
		if ok {
			limit, cancel := context.WithTimeout(ctx, applyTimeout)
			err = dev.Apply(limit, setting)
			cancel()
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		j.started, j.answered, j.err, j.at = false, true, err, time.Now()
		delete(c.busy, id)
		c.applying--
		c.kick()
	})
}

// decide is the next step of one job, "" for none. It only looks.
func (c *Commander) decide(j *job, now time.Time) (to ledger.CommandState, detail string) {
	late := !j.cmd.Deadline.IsZero() && now.After(j.cmd.Deadline)
	switch j.cmd.State {
	case ledger.Pending:
		switch {
		case late:
			return ledger.Expired, "the deadline passed before it was sent"
		case j.hidden:
			return ledger.Expired, "a pool password is not kept in the record, and Ballast was restarted before this was sent; give the command again"
		}
		return ledger.Dispatched, ""
	case ledger.Dispatched:
		return c.decideSent(j, now, late)
	case ledger.Acknowledged:
		return c.decideAcknowledged(j, now, late)
	case ledger.Confirmed:
		if j.contrary >= driftAfter {
			return ledger.Drifted, j.evidence
		}
	case ledger.Drifted:
		if j.verdict == Shows {
			return ledger.Confirmed, j.evidence
		}
	}
	return "", ""
}

func (c *Commander) decideSent(j *job, now time.Time, late bool) (ledger.CommandState, string) {
	switch {
	case j.started:
		return "", ""
	case !j.answered: // found dispatched at start: it may have arrived
		if !repeatable(j.setting.Kind) {
			j.at = j.cmd.UpdatedAt
			return ledger.Acknowledged, "Ballast was restarted while this was under way; not sent again, watching for its proof"
		}
		if late {
			return ledger.Expired, "the deadline passed while Ballast was down"
		}
		if j.hidden {
			return ledger.Expired, "a pool password is not kept in the record, and Ballast was restarted; give the command again"
		}
		return ledger.Dispatched, "sent again after a restart of Ballast"
	case j.err == nil:
		return ledger.Acknowledged, "acknowledged; waiting for telemetry"
	case final(j.err):
		return ledger.Refused, j.err.Error()
	case late:
		return ledger.Unreachable, j.err.Error()
	case !repeatable(j.setting.Kind) && !errors.Is(j.err, miner.ErrBusy):
		// The machine may have gone down because it obeys.
		return ledger.Acknowledged, "no answer, which a machine that restarts may fail to give; watching for its proof"
	}
	if j.retry.Before(j.at) {
		j.retry = j.at.Add(min(2*time.Second<<min(j.cmd.Attempts, 5), time.Minute))
	}
	if now.Before(j.retry) {
		return "", ""
	}
	return ledger.Dispatched, "again after: " + j.err.Error()
}

func (c *Commander) decideAcknowledged(j *job, now time.Time, late bool) (ledger.CommandState, string) {
	settle := c.settle(j)
	settled := now.After(j.ack.Add(settle))
	switch {
	case j.verdict == Shows:
		return ledger.Confirmed, j.evidence
	case j.verdict == CannotSay && settled:
		return ledger.Expired, "acknowledged, but never shown: " + j.evidence
	case j.verdict == Contrary && (settled || late):
		if !late && repeatable(j.setting.Kind) && j.cmd.Attempts < 3 && !j.hidden {
			return ledger.Dispatched, "not in force after " + settle.String() + ": " + j.evidence
		}
		return ledger.Drifted, "acknowledged, but " + j.evidence
	case late:
		why := j.evidence
		if why == "" {
			why = "no reading since the acknowledgement"
		}
		return ledger.Expired, "the deadline passed: " + why
	}
	return "", ""
}

// settle is how long telemetry may take to show a command.
func (c *Commander) settle(j *job) time.Duration {
	d := 10 * time.Minute
	if e, ok := c.Envelope(miner.ID(j.cmd.Machine)); ok {
		if s := e.Settle.For(j.setting.Kind); s > 0 {
			d = s
		}
	}
	return d + d/2 + 2*c.Interval
}

// final tells refusals that no retry will change.
func final(err error) bool {
	for _, e := range []error{miner.ErrDenied, miner.ErrLocked, miner.ErrUnsupported, miner.ErrRefused} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
