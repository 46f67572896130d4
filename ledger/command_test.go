package ledger

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"
)

func TestCommandStates(t *testing.T) {
	// The whole table, written out a second time: a change to either is seen.
	legal := map[CommandState]string{
		Pending:      "dispatched refused unreachable expired superseded cancelled",
		Dispatched:   "dispatched acknowledged confirmed drifted refused unreachable expired superseded",
		Acknowledged: "dispatched confirmed drifted refused unreachable expired superseded",
		Confirmed:    "drifted superseded",
		Drifted:      "dispatched confirmed refused unreachable expired superseded",
		Refused:      "", Unreachable: "", Expired: "", Superseded: "", Cancelled: "",
	}
	for _, from := range CommandStates() {
		var got []string
		for _, to := range CommandStates() {
			if from.Can(to) {
				got = append(got, string(to))
			}
		}
		want := legal[from]
		var words []string
		for w := range splitWords(want) {
			words = append(words, w)
		}
		if !slices.Equal(got, words) {
			t.Errorf("%s can become %v, want %v", from, got, words)
		}
		if kinds := count(from.Open(), from.Standing(), from.Final()); kinds != 1 {
			t.Errorf("%s is %d of open, standing and final", from, kinds)
		}
		if from.Final() != (want == "") {
			t.Errorf("%s final: %v", from, from.Final())
		}
	}
	if CommandState("lost").Final() || CommandState("lost").Known() {
		t.Error("an unknown state is final")
	}
}

func splitWords(s string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for len(s) > 0 {
			i := 0
			for i < len(s) && s[i] != ' ' {
				i++
			}
			if !yield(s[:i]) {
				return
			}
			s = s[min(i+1, len(s)):]
		}
	}
}

func count(bs ...bool) (n int) {
	for _, b := range bs {
		if b {
			n++
		}
	}
	return n
}

func TestApply(t *testing.T) {
	c := Command{ID: "x", State: Pending, UpdatedAt: dawn}
	next, err := c.Apply(Transition{From: Pending, To: Dispatched, Actor: "fleet", Detail: "sent"}, dawn.Add(time.Second))
	if err != nil || next.State != Dispatched || next.Attempts != 1 || next.Detail != "sent" || !next.UpdatedAt.After(dawn) {
		t.Errorf("dispatched: %+v, %v", next, err)
	}
	if next, err = next.Apply(Transition{From: Dispatched, To: Dispatched, Actor: "fleet"}, dawn); err != nil || next.Attempts != 2 {
		t.Errorf("second attempt: %+v, %v", next, err)
	}
	if next.UpdatedAt.Before(dawn.Add(time.Second)) {
		t.Error("a clock that steps back turned the command back")
	}
	for _, tr := range []struct {
		t    Transition
		want error
	}{
		{Transition{From: Pending, To: Dispatched, Actor: "fleet"}, ErrConflict}, // it is dispatched by now
		{Transition{From: Dispatched, To: Pending, Actor: "fleet"}, ErrConflict}, // no way back
		{Transition{From: Dispatched, To: "lost", Actor: "fleet"}, ErrInvalid},
		{Transition{From: Dispatched, To: Confirmed}, ErrInvalid}, // by nobody
	} {
		if after, err := next.Apply(tr.t, dawn); !errors.Is(err, tr.want) || after.State != Dispatched {
			t.Errorf("%+v: %v, now %s, want %v", tr.t, err, after.State, tr.want)
		}
	}
}

func TestNewCommandNormal(t *testing.T) {
	a, err := NewCommand{Kind: "power", Actor: "a", Setting: json.RawMessage(`{"power_w": 3250.50, "kind":"power"}`)}.Normal()
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewCommand{Kind: "power", Actor: "a", Setting: json.RawMessage("{\"kind\":\"power\",\n\"power_w\":3250.50}")}.Normal()
	if err != nil {
		t.Fatal(err)
	}
	if c := (Command{Kind: "power", Actor: "a", Setting: a.Setting}); !c.SameWish(b) {
		t.Errorf("%s and %s are not the same", a.Setting, b.Setting)
	}
	if string(a.Setting) != `{"kind":"power","power_w":3250.50}` {
		t.Errorf("canonical setting %s", a.Setting)
	}
	if c, err := (NewCommand{Kind: "sleep", Actor: "a"}).Normal(); err != nil || string(c.Setting) != "null" {
		t.Errorf("no setting: %s, %v", c.Setting, err)
	}
	for _, bad := range []NewCommand{
		{Kind: "power"}, {Actor: "a"},
		{Kind: "power", Actor: "a", Setting: json.RawMessage(`{"power_w":`)},
		{Kind: "power", Actor: "a", Setting: json.RawMessage(`{} {}`)},
	} {
		if _, err := bad.Normal(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
