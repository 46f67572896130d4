package ledgertest

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/unit"
)

func testBatches(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	ids := seed(t, s, 4)
	ok(t, s.EditMachines(ctx, ids[3:], ledger.MachineEdit{Site: unit.Some("elsewhere")}, ledger.By("test")))
	site := must(s.Machine(ctx, ids[0]))(t).Site
	asked := ledger.NewBatch{Kind: "power", Setting: json.RawMessage(`{ "power_w": 3000, "kind": "power" }`), Actor: "alice", Reason: "heat", IdempotencyKey: "k",
		Machines: 4, Refused: []ledger.Refusals{{Why: "it cannot", Machines: []int64{77}}}}
	var batch ledger.Batch
	var made []ledger.Command
	give := func() error {
		return s.Tx(ctx, func(tx ledger.Tx) (err error) {
			if batch, err = tx.CreateBatch(ctx, asked); err != nil {
				return err
			}
			wishes := make([]ledger.NewCommand, len(ids))
			for i, id := range ids {
				wishes[i] = keyed(wish(id, 3000), "k/"+string(rune('a'+i)))
				wishes[i].Batch = batch.ID
			}
			made, err = tx.CreateCommands(ctx, wishes)
			return err
		})
	}
	ok(t, give())
	first := batch.ID
	c.Advance(time.Minute)
	ok(t, give())
	if batch.ID != first || made[0].Batch != first || len(must(s.Commands(ctx, ledger.CommandFilter{}))(t)) != 4 {
		t.Errorf("the same key again gave batch %s after %s, commands %+v", batch.ID, first, made)
	}
	other := asked
	other.Setting = json.RawMessage(`{"power_w":1}`)
	if _, err := s.CreateBatch(ctx, other); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("the same key for another wish: %v", err)
	}
	if _, err := s.CreateBatch(ctx, ledger.NewBatch{Actor: "a"}); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("a batch of no kind: %v", err)
	}
	for _, step := range []ledger.CommandState{ledger.Dispatched, ledger.Confirmed, ledger.Drifted, ledger.Confirmed} {
		c.Advance(10 * time.Second)
		now := must(s.Command(ctx, made[0].ID))(t)
		must(s.Transition(ctx, ledger.Transition{ID: made[0].ID, From: now.State, To: step, Actor: "fleet"}))(t)
	}
	shown := must(s.Command(ctx, made[0].ID))(t)
	if took := shown.ConfirmedAt.Sub(shown.CreatedAt); took != time.Minute+20*time.Second {
		t.Errorf("first confirmed after %v", took)
	}
	must(s.Transition(ctx, ledger.Transition{ID: made[1].ID, From: ledger.Pending, To: ledger.Cancelled, Actor: "alice"}))(t)
	if _, err := s.Transition(ctx, ledger.Transition{ID: made[1].ID, From: ledger.Cancelled, To: ledger.Dispatched, Actor: "fleet"}); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("a cancelled command was sent: %v", err)
	}
	ok(t, s.MarkCancelled(ctx, first, ledger.By("alice")))

	got := must(s.Batch(ctx, first, nil))(t)
	if want := (map[ledger.CommandState]int{ledger.Confirmed: 1, ledger.Cancelled: 1, ledger.Pending: 2}); !maps.Equal(got.States, want) {
		t.Errorf("states %v, want %v", got.States, want)
	}
	if got.CancelledBy != "alice" || !got.CancelledAt.Equal(c.Now()) || got.Machines != 4 || len(got.Refused) != 1 || got.Refused[0].Machines[0] != 77 || got.Reason != "heat" {
		t.Errorf("the batch is %+v", got)
	}
	here := must(s.Batch(ctx, first, []string{site}))(t)
	if here.Machines != 3 || len(here.Refused) != 0 || here.States[ledger.Pending] != 1 {
		t.Errorf("at %s the batch is %+v", site, here)
	}
	for _, sites := range [][]string{{}, {"nowhere"}} {
		if _, err := s.Batch(ctx, first, sites); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("at %v the batch gives %v", sites, err)
		}
		if list := must(s.Batches(ctx, ledger.BatchFilter{Sites: sites}))(t); len(list) != 0 {
			t.Errorf("at %v there are %d batches", sites, len(list))
		}
		if list := must(s.Commands(ctx, ledger.CommandFilter{Sites: sites}))(t); len(list) != 0 {
			t.Errorf("at %v there are %d commands", sites, len(list))
		}
	}
	if list := must(s.Commands(ctx, ledger.CommandFilter{Batch: first, Sites: []string{"elsewhere"}}))(t); len(list) != 1 || list[0].Machine != ids[3] {
		t.Errorf("elsewhere there are %+v", list)
	}
	second := must(s.CreateBatch(ctx, ledger.NewBatch{Kind: "sleep", Actor: "bob"}))(t)
	must(s.CreateCommand(ctx, ledger.NewCommand{Machine: ids[3], Kind: "sleep", Actor: "bob", Batch: second.ID}))(t)
	for _, f := range []struct {
		f    ledger.BatchFilter
		want []string
	}{
		{ledger.BatchFilter{}, []string{second.ID, first}},
		{ledger.BatchFilter{Limit: 1}, []string{second.ID}},
		{ledger.BatchFilter{Before: second.ID}, []string{first}},
		{ledger.BatchFilter{Actor: "alice"}, []string{first}},
		{ledger.BatchFilter{Kind: "sleep"}, []string{second.ID}},
		{ledger.BatchFilter{Sites: []string{"elsewhere"}}, []string{second.ID, first}},
		{ledger.BatchFilter{Sites: []string{site, "x"}, Actor: "alice"}, []string{first}},
	} {
		var got []string
		for _, b := range must(s.Batches(ctx, f.f))(t) {
			got = append(got, b.ID)
		}
		if !slices.Equal(got, f.want) {
			t.Errorf("%+v: %v, want %v", f.f, got, f.want)
		}
	}
}

func testNotes(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	ids := seed(t, s, 2)
	a := must(s.AddNote(ctx, ids[0], "  fan 2 rattles ", ledger.By("tom")))(t)
	c.Advance(time.Minute)
	b := must(s.AddNote(ctx, ids[0], "changed it", ledger.By("tom")))(t)
	want := []ledger.Note{{ID: b.ID, Machine: ids[0], At: c.Now(), Actor: "tom", Text: "changed it"}, {ID: a.ID, Machine: ids[0], At: c.Now().Add(-time.Minute), Actor: "tom", Text: "fan 2 rattles"}}
	if got := must(s.NotesOf(ctx, ids[0]))(t); !slices.Equal(got, want) {
		t.Errorf("notes %+v, want %+v", got, want)
	}
	if _, err := s.AddNote(ctx, ids[0], " \n", ledger.By("tom")); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("an empty note: %v", err)
	}
	if _, err := s.AddNote(ctx, 999, "x", ledger.By("tom")); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a note on nothing: %v", err)
	}
	if err := s.DeleteNote(ctx, ids[1], a.ID, ledger.By("tom")); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a note of another machine: %v", err)
	}
	ok(t, s.DeleteNote(ctx, ids[0], a.ID, ledger.By("tom")))
	if got := must(s.NotesOf(ctx, ids[0]))(t); len(got) != 1 || got[0].ID != b.ID {
		t.Errorf("left are %+v", got)
	}
}

func testSavedFilters(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	mine := must(s.SaveFilter(ctx, ledger.SavedFilter{Owner: 7, Name: "hot", Query: "q=temp%3E85"}, ledger.By("alice")))(t)
	shared := must(s.SaveFilter(ctx, ledger.SavedFilter{Name: "hot", Query: "q=temp%3E90"}, ledger.By("bob")))(t)
	must(s.SaveFilter(ctx, ledger.SavedFilter{Owner: 8, Name: "a", Query: "x"}, ledger.By("bob")))(t)
	c.Advance(time.Minute)
	again := must(s.SaveFilter(ctx, ledger.SavedFilter{Owner: 7, Name: "hot", Query: "q=temp%3E80"}, ledger.By("alice")))(t)
	if again.ID != mine.ID || mine.ID == shared.ID {
		t.Errorf("saved as %d, again as %d, shared as %d", mine.ID, again.ID, shared.ID)
	}
	if got := must(s.SavedFilters(ctx, 7))(t); !slices.Equal(got, []ledger.SavedFilter{again, shared}) {
		t.Errorf("alice has %+v", got)
	}
	if got := must(s.SavedFilter(ctx, shared.ID))(t); got != shared {
		t.Errorf("read %+v, saved %+v", got, shared)
	}
	ok(t, s.DeleteFilter(ctx, mine.ID, ledger.By("alice")))
	if _, err := s.SavedFilter(ctx, mine.ID); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a filter that was deleted: %v", err)
	}
	long := make([]byte, ledger.FilterLimit+1)
	for i := range long {
		long[i] = 'x'
	}
	for _, bad := range []ledger.SavedFilter{{Name: " "}, {Name: "x", Query: string(long)}} {
		if _, err := s.SaveFilter(ctx, bad, ledger.By("alice")); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("filter %q: %v", bad.Name, err)
		}
	}
}
