package ledgertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/ledger"
)

func wish(machine int64, watts int) ledger.NewCommand {
	return ledger.NewCommand{Machine: machine, Kind: "power", Setting: json.RawMessage(fmt.Sprintf(`{"kind":"power","power_w":%d}`, watts)),
		Actor: "dispatch", Reason: "price above strike"}
}

func testCreateCommands(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	ids := seed(t, s, 2)
	w := wish(ids[0], 3250)
	w.Deadline = c.Now().Add(10 * time.Minute)
	got := must(s.CreateCommand(ctx, w))(t)
	want := ledger.Command{ID: got.ID, Machine: ids[0], Kind: "power", Setting: w.Setting, Actor: "dispatch", Reason: "price above strike", Deadline: w.Deadline,
		State: ledger.Pending, CreatedAt: c.Now(), UpdatedAt: c.Now(), Detail: "price above strike"}
	if stored := must(s.Command(ctx, got.ID))(t); fmt.Sprintf("%+v", stored) != fmt.Sprintf("%+v", want) || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("stored\n%+v\ncreated\n%+v\nwant\n%+v", stored, got, want)
	}
	events := must(s.CommandEvents(ctx, got.ID))(t)
	if !slices.Equal(events, []ledger.CommandEvent{{Command: got.ID, Seq: 1, At: c.Now(), To: ledger.Pending, Actor: "dispatch", Detail: "price above strike"}}) {
		t.Errorf("events %+v", events)
	}
	if _, err := s.CreateCommands(ctx, []ledger.NewCommand{wish(ids[1], 1), wish(999, 1)}); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a machine that is not there: %v", err)
	}
	if all := must(s.Commands(ctx, ledger.CommandFilter{}))(t); len(all) != 1 {
		t.Errorf("a batch that failed was half done: %d commands", len(all))
	}
	for _, bad := range []ledger.NewCommand{{Machine: ids[0], Actor: "a"}, {Machine: ids[0], Kind: "sleep"}, {Machine: ids[0], Kind: "x", Actor: "a", Setting: json.RawMessage("{")}} {
		if _, err := s.CreateCommand(ctx, bad); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for _, err := range []error{
		second(s.Command(ctx, "nope")), second(s.CommandEvents(ctx, "nope")),
		second(s.Transition(ctx, ledger.Transition{ID: "nope", From: ledger.Pending, To: ledger.Dispatched, Actor: "fleet"})),
	} {
		if !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("a command that is not there: %v", err)
		}
	}
	many := make([]ledger.NewCommand, 1234)
	for i := range many {
		many[i] = wish(ids[i%2], i)
	}
	made := must(s.CreateCommands(ctx, many))(t)
	for i := range made {
		if made[i].Machine != many[i].Machine || string(made[i].Setting) != string(many[i].Setting) {
			t.Fatalf("command %d of a batch is %+v", i, made[i])
		}
		if i > 0 && made[i].ID <= made[i-1].ID {
			t.Fatalf("%s after %s", made[i].ID, made[i-1].ID)
		}
	}
	if none := must(s.CreateCommands(ctx, nil))(t); len(none) != 0 {
		t.Errorf("an empty batch gave %v", none)
	}
	if n := len(must(s.AuditRows(ctx, ledger.AuditFilter{Action: "command.create"}))(t)); n != 2 {
		t.Errorf("%d audit rows for one command and one batch, want 2", n)
	}
}

func second[T any](_ T, err error) error { return err }

func testIdempotency(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	ids := seed(t, s, 2)
	w := wish(ids[0], 3000)
	w.IdempotencyKey = "order-1"
	first := must(s.CreateCommand(ctx, w))(t)
	must(s.Transition(ctx, ledger.Transition{ID: first.ID, From: ledger.Pending, To: ledger.Dispatched, Actor: "fleet"}))(t)
	same := w
	same.Setting = json.RawMessage("{ \"power_w\": 3000,\n \"kind\": \"power\" }")
	same.Reason, same.Deadline = "again", time.Now()
	if again := must(s.CreateCommand(ctx, same))(t); again.ID != first.ID || again.State != ledger.Dispatched || again.Reason != first.Reason {
		t.Errorf("the same key gave %+v", again)
	}
	for name, change := range map[string]func(*ledger.NewCommand){
		"machine": func(w *ledger.NewCommand) { w.Machine = ids[1] },
		"kind":    func(w *ledger.NewCommand) { w.Kind = "profile" },
		"setting": func(w *ledger.NewCommand) { w.Setting = json.RawMessage(`{"kind":"power","power_w":3001}`) },
		"actor":   func(w *ledger.NewCommand) { w.Actor = "mallory" },
	} {
		other := w
		change(&other)
		if _, err := s.CreateCommand(ctx, other); !errors.Is(err, ledger.ErrConflict) {
			t.Errorf("the same key, another %s: %v", name, err)
		}
	}
	twice := must(s.CreateCommands(ctx, []ledger.NewCommand{keyed(wish(ids[1], 1), "k"), keyed(wish(ids[1], 1), "k"), keyed(w, "order-1"), wish(ids[1], 1)}))(t)
	if twice[0].ID != twice[1].ID || twice[2].ID != first.ID || twice[3].ID == twice[0].ID {
		t.Errorf("keys within a batch: %+v", twice)
	}
	if all := must(s.Commands(ctx, ledger.CommandFilter{}))(t); len(all) != 3 {
		t.Errorf("%d commands, want 3", len(all))
	}
}

func keyed(w ledger.NewCommand, key string) ledger.NewCommand {
	w.IdempotencyKey = key
	return w
}

// Of many callers with one key all get the one command.
func testIdempotencyAtOnce(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	ids := seed(t, s, 1)
	var wg sync.WaitGroup
	got := make([]string, 8)
	for i := range got {
		wg.Go(func() {
			c, err := s.CreateCommand(ctx, keyed(wish(ids[0], 1), "k"))
			if err != nil {
				t.Error(err)
			}
			got[i] = c.ID
		})
	}
	wg.Wait()
	slices.Sort(got)
	if len(slices.Compact(got)) != 1 {
		t.Errorf("commands %v", got)
	}
}

func testSupersede(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	ids := seed(t, s, 2)
	first := must(s.CreateCommand(ctx, wish(ids[0], 1)))(t)
	locate := must(s.CreateCommand(ctx, ledger.NewCommand{Machine: ids[0], Kind: "locate", Actor: "alice"}))(t)
	neighbour := must(s.CreateCommand(ctx, wish(ids[1], 1)))(t)
	refused := must(s.CreateCommand(ctx, wish(ids[0], 2)))(t)
	must(s.Transition(ctx, ledger.Transition{ID: refused.ID, From: ledger.Pending, To: ledger.Refused, Actor: "fleet"}))(t)
	for _, to := range []ledger.CommandState{ledger.Dispatched, ledger.Confirmed} {
		from := must(s.Command(ctx, first.ID))(t).State
		must(s.Transition(ctx, ledger.Transition{ID: first.ID, From: from, To: to, Actor: "fleet"}))(t)
	}
	newer := wish(ids[0], 3)
	newer.Supersedes = []string{"power", "profile", "mode"}
	newest := newer
	newest.Setting = json.RawMessage(`{"power_w":4}`)
	made := must(s.CreateCommands(ctx, []ledger.NewCommand{newer, newest}))(t) // the second replaces the first at once
	for id, want := range map[string]ledger.CommandState{
		first.ID: ledger.Superseded, locate.ID: ledger.Pending, neighbour.ID: ledger.Pending, refused.ID: ledger.Refused,
		made[0].ID: ledger.Superseded, made[1].ID: ledger.Pending,
	} {
		if c := must(s.Command(ctx, id))(t); c.State != want {
			t.Errorf("command %s is %s, want %s", id, c.State, want)
		}
	}
	if c := must(s.Command(ctx, first.ID))(t); c.Detail != "by "+made[0].ID {
		t.Errorf("superseded %q", c.Detail)
	}
	if made[0].State != ledger.Superseded {
		t.Errorf("returned as %s", made[0].State)
	}
	for _, id := range []string{first.ID, made[0].ID} {
		ev := must(s.CommandEvents(ctx, id))(t)
		for i, e := range ev {
			if e.Seq != i+1 {
				t.Errorf("event %d of %s has Seq %d", i, id, e.Seq)
			}
		}
		if last := ev[len(ev)-1]; last.To != ledger.Superseded || last.Actor != "dispatch" {
			t.Errorf("last event %+v", last)
		}
	}
}

func testTransitions(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	ids := seed(t, s, 3)
	a, b, d := must(s.CreateCommand(ctx, wish(ids[0], 1)))(t), must(s.CreateCommand(ctx, wish(ids[1], 1)))(t), must(s.CreateCommand(ctx, wish(ids[2], 1)))(t)
	c.Advance(time.Second)
	out := must(s.TransitionAll(ctx, []ledger.Transition{
		{ID: a.ID, From: ledger.Pending, To: ledger.Dispatched, Actor: "fleet", Detail: "try 1"},
		{ID: b.ID, From: ledger.Dispatched, To: ledger.Acknowledged, Actor: "fleet"},
		{ID: "nope", From: ledger.Pending, To: ledger.Dispatched, Actor: "fleet"},
		{ID: d.ID, From: ledger.Pending, To: ledger.Acknowledged, Actor: "fleet"},
		{ID: a.ID, From: ledger.Dispatched, To: ledger.Acknowledged, Actor: "fleet", Detail: "yes\x00"},
	}))(t)
	for i, want := range []error{nil, ledger.ErrConflict, ledger.ErrNotFound, ledger.ErrConflict, nil} {
		if !errors.Is(out[i].Err, want) || (want == nil) != (out[i].Err == nil) {
			t.Errorf("transition %d: %v, want %v", i, out[i].Err, want)
		}
	}
	if got := must(s.Command(ctx, a.ID))(t); got.State != ledger.Acknowledged || got.Attempts != 1 || got.Detail != "yes" || got.UpdatedAt != c.Now() {
		t.Errorf("command %+v", got)
	}
	if got := must(s.Command(ctx, b.ID))(t); got.State != ledger.Pending {
		t.Errorf("a lost race moved the command to %s", got.State)
	}
	want := []ledger.CommandEvent{
		{Command: a.ID, Seq: 1, At: a.CreatedAt, To: ledger.Pending, Actor: "dispatch", Detail: "price above strike"},
		{Command: a.ID, Seq: 2, At: c.Now(), From: ledger.Pending, To: ledger.Dispatched, Actor: "fleet", Detail: "try 1"},
		{Command: a.ID, Seq: 3, At: c.Now(), From: ledger.Dispatched, To: ledger.Acknowledged, Actor: "fleet", Detail: "yes"},
	}
	if got := must(s.CommandEvents(ctx, a.ID))(t); !slices.Equal(got, want) {
		t.Errorf("events %+v", got)
	}
	must(s.Transition(ctx, ledger.Transition{ID: a.ID, From: ledger.Acknowledged, To: ledger.Confirmed, Actor: "fleet"}))(t)
	open2 := must(s.OpenCommands(ctx))(t)
	if len(open2) != 2 || open2[0].ID != b.ID || open2[1].ID != d.ID {
		t.Errorf("open commands %+v", open2)
	}
}

// Of many who want to move one command on, one does.
func testTransitionAtOnce(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	ids := seed(t, s, 1)
	for range 5 {
		c := must(s.CreateCommand(ctx, wish(ids[0], 1)))(t)
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				_, err := s.Transition(ctx, ledger.Transition{ID: c.ID, From: ledger.Pending, To: ledger.Dispatched, Actor: "fleet"})
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, ledger.ErrConflict):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d won", won.Load())
		}
	}
}

func testCommandPages(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	ids := seed(t, s, 3)
	var all []ledger.Command
	for i := range 25 {
		c.Advance(time.Minute)
		w := wish(ids[i%3], i)
		if i%5 == 0 {
			w.Kind, w.Actor = "sleep", "alice"
		}
		all = append(all, must(s.CreateCommand(ctx, w))(t))
	}
	slices.Reverse(all)
	var paged []ledger.Command
	for before := ""; ; {
		page := must(s.Commands(ctx, ledger.CommandFilter{Before: before, Limit: 10}))(t)
		if len(page) == 0 {
			break
		}
		paged = append(paged, page...)
		before = page[len(page)-1].ID
	}
	equal := func(a, b ledger.Command) bool { return a.ID == b.ID }
	if !slices.EqualFunc(paged, all, equal) {
		t.Errorf("pages hold %d commands, want %d", len(paged), len(all))
	}
	must(s.TransitionAll(ctx, []ledger.Transition{
		{ID: all[0].ID, From: ledger.Pending, To: ledger.Dispatched, Actor: "fleet"}, {ID: all[1].ID, From: ledger.Pending, To: ledger.Expired, Actor: "fleet"},
	}))(t)
	pick := func(keep func(int, ledger.Command) bool) (out []ledger.Command) {
		for i, c := range all {
			if keep(i, c) {
				out = append(out, c)
			}
		}
		return out
	}
	for name, x := range map[string]struct {
		f    ledger.CommandFilter
		want []ledger.Command
	}{
		"machine":     {ledger.CommandFilter{Machine: ids[1]}, pick(func(_ int, c ledger.Command) bool { return c.Machine == ids[1] })},
		"kind":        {ledger.CommandFilter{Kinds: []string{"sleep", "wake"}}, pick(func(_ int, c ledger.Command) bool { return c.Kind == "sleep" })},
		"actor":       {ledger.CommandFilter{Actor: "alice"}, pick(func(_ int, c ledger.Command) bool { return c.Actor == "alice" })},
		"live state":  {ledger.CommandFilter{States: []ledger.CommandState{ledger.Dispatched, ledger.Confirmed}}, all[:1]},
		"final state": {ledger.CommandFilter{States: []ledger.CommandState{ledger.Expired}}, all[1:2]},
		"both":        {ledger.CommandFilter{States: []ledger.CommandState{ledger.Expired, ledger.Dispatched}}, all[:2]},
		"time":        {ledger.CommandFilter{Since: all[10].CreatedAt, Until: all[5].CreatedAt}, all[6:11]},
	} {
		if got := must(s.Commands(ctx, x.f))(t); !slices.EqualFunc(got, x.want, equal) {
			t.Errorf("%s: %d commands, want %d", name, len(got), len(x.want))
		}
	}
}

// The ledger against a map: any sequence of creating, repeating, superseding
// and moving on leaves the same commands, states, attempts and events in both.
func testCommandModel(t *testing.T, open Open) {
	c := newClock()
	s := open(t, c.Now)
	ids := seed(t, s, 400)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		ctx := t.Context()
		machines := []int64{ids[round*2%400], ids[round*2%400+1]}
		round++
		type entry struct {
			ledger.Command
			events []string
		}
		model := map[string]*entry{}
		var order []string
		keys := map[string]string{}
		before := map[string]bool{}
		for _, m := range machines {
			for _, old := range must(s.Commands(ctx, ledger.CommandFilter{Machine: m}))(t) {
				before[old.ID] = true // of a check that shared the machine
			}
		}
		state := rapid.SampledFrom(ledger.CommandStates())
		t.Repeat(map[string]func(*rapid.T){
			"create": func(t *rapid.T) {
				w := wish(rapid.SampledFrom(machines).Draw(t, "machine"), rapid.IntRange(1, 3).Draw(t, "watts"))
				w.Kind = rapid.SampledFrom([]string{"power", "sleep", "locate"}).Draw(t, "kind")
				if rapid.Bool().Draw(t, "keyed") {
					w.IdempotencyKey = fmt.Sprintf("%d-%d", round, rapid.IntRange(1, 4).Draw(t, "key"))
				}
				if rapid.Bool().Draw(t, "supersedes") {
					w.Supersedes = []string{"power", "sleep"}
				}
				got, err := s.CreateCommand(ctx, w)
				if id, used := keys[w.IdempotencyKey]; used && w.IdempotencyKey != "" {
					if first := model[id]; !first.SameWish(w) {
						if !errors.Is(err, ledger.ErrConflict) {
							t.Fatalf("reused key: %v", err)
						}
					} else if err != nil || got.ID != id || got.State != first.State {
						t.Fatalf("repeated wish: %+v, %v", got, err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if w.IdempotencyKey != "" {
					keys[w.IdempotencyKey] = got.ID
				}
				for _, id := range order {
					if e := model[id]; e.Machine == w.Machine && slices.Contains(w.Supersedes, e.Kind) && (e.State.Open() || e.State.Standing()) {
						e.events = append(e.events, string(e.State)+">superseded")
						e.State = ledger.Superseded
					}
				}
				model[got.ID] = &entry{got, []string{">pending"}}
				order = append(order, got.ID)
			},
			"move": func(t *rapid.T) {
				if len(order) == 0 {
					t.Skip("nothing to move")
				}
				e := model[rapid.SampledFrom(order).Draw(t, "command")]
				tr := ledger.Transition{ID: e.ID, From: e.State, To: state.Draw(t, "to"), Actor: "fleet"}
				if rapid.IntRange(0, 4).Draw(t, "stale") == 0 {
					tr.From = state.Draw(t, "from")
				}
				_, err := s.Transition(ctx, tr)
				if legal := tr.From == e.State && e.State.Can(tr.To); legal != (err == nil) || (!legal && !errors.Is(err, ledger.ErrConflict)) {
					t.Fatalf("%s, asked from %s to %s: %v", e.State, tr.From, tr.To, err)
				}
				if err == nil {
					e.events = append(e.events, string(tr.From)+">"+string(tr.To))
					e.State = tr.To
					if tr.To == ledger.Dispatched {
						e.Attempts++
					}
				}
			},
			"": func(t *rapid.T) { c.Advance(time.Millisecond) },
		})
		var open []string
		for _, id := range order {
			e, got := model[id], must(s.Command(ctx, id))(t)
			if got.State != e.State || got.Attempts != e.Attempts {
				t.Fatalf("command %s is %s after %d attempts, the model says %s after %d", id, got.State, got.Attempts, e.State, e.Attempts)
			}
			var events []string
			for _, ev := range must(s.CommandEvents(ctx, id))(t) {
				events = append(events, string(ev.From)+">"+string(ev.To))
			}
			if !slices.Equal(events, e.events) {
				t.Fatalf("events %v, the model says %v", events, e.events)
			}
			if e.State.Open() {
				open = append(open, id)
			}
		}
		var have []string
		for _, c := range must(s.OpenCommands(ctx))(t) {
			if slices.Contains(machines, c.Machine) && !before[c.ID] {
				have = append(have, c.ID)
			}
		}
		if strings.Join(have, " ") != strings.Join(open, " ") {
			t.Fatalf("open %v, the model says %v", have, open)
		}
	})
}
