package ledger

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func chain(n int) []AuditRow {
	head := AuditStart()
	rows := make([]AuditRow, n)
	for i := range rows {
		rows[i] = Audit{Actor: "alice", Action: "setting.set", Subject: "setting/x", Detail: strings.Repeat("y", i)}.Chain(head, dawn.Add(time.Duration(i)))
		head = rows[i].Head()
	}
	return rows
}

func check(rows []AuditRow, claimed AuditHead, anchors ...AuditHead) error {
	c := NewChainCheck(anchors...)
	for _, r := range rows {
		if err := c.Next(r); err != nil {
			return err
		}
	}
	_, err := c.End(claimed)
	return err
}

// The hash of a known row, computed once by another program over the bytes
// that AuditRow.Sum documents: the format must never change by accident.
func TestAuditSum(t *testing.T) {
	r := Audit{Actor: "alice", Action: "machine.edit", Subject: "machine/17", Detail: `{"name":"x"}`}.Chain(AuditStart(), dawn)
	if want := "10b2dbcd77d3923daa27672e4473f4c91d392400b790f2389e6c88fb523fc1d9"; r.Hash != want {
		t.Errorf("hash %s, want %s", r.Hash, want)
	}
}

func TestChainCheck(t *testing.T) {
	rows := chain(5)
	head := rows[4].Head()
	if err := check(rows, head); err != nil {
		t.Fatal(err)
	}
	if err := check(nil, AuditStart()); err != nil {
		t.Fatal("empty log:", err)
	}
	if err := check(rows, head, AuditStart(), rows[2].Head(), head); err != nil {
		t.Fatal("true anchors:", err)
	}
	var zero ChainCheck
	if err := zero.Next(rows[0]); err != nil {
		t.Fatal("zero check:", err)
	}
	for name, bad := range map[string]error{
		"tail cut":               check(rows[:4], head),
		"tail cut, head too":     check(rows[:4], rows[3].Head(), head),
		"first removed":          check(rows[1:], head),
		"middle removed":         check(slices.Delete(slices.Clone(rows), 2, 3), head),
		"two exchanged":          check([]AuditRow{rows[1], rows[0], rows[2], rows[3], rows[4]}, head),
		"one twice":              check(slices.Insert(slices.Clone(rows), 2, rows[1]), head),
		"another chain, anchors": check(chain(7)[:5], chain(7)[4].Head(), AuditHead{3, "feed"}),
	} {
		if !errors.Is(bad, ErrTampered) {
			t.Errorf("%s: %v", name, bad)
		}
	}
}

// No two different rows have the same hash because text moved from one field
// to the next.
func TestAuditFieldsKeepApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 8, -1)
		a := Audit{Actor: text.Draw(t, "actor"), Action: text.Draw(t, "action"), Subject: text.Draw(t, "subject"), Detail: text.Draw(t, "detail")}
		b := a
		all := a.Actor + a.Action + a.Subject + a.Detail
		cut := func(n int) int { return rapid.IntRange(n, len(all)).Draw(t, "cut") }
		i := cut(0)
		j := cut(i)
		k := cut(j)
		b.Actor, b.Action, b.Subject, b.Detail = all[:i], all[i:j], all[j:k], all[k:]
		ra, rb := a.Chain(AuditStart(), dawn), b.Chain(AuditStart(), dawn)
		same := ra.Actor == rb.Actor && ra.Action == rb.Action && ra.Subject == rb.Subject && ra.Detail == rb.Detail
		if same != (ra.Hash == rb.Hash) {
			t.Fatalf("%+v and %+v", ra, rb)
		}
	})
}
