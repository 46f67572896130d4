package server

import (
	"testing"
	"time"

	"ballast/debt"
	"ballast/debt/desk"
	"ballast/debt/play"
)

// The example company of a simulated site, floating rates and all, can be played
// as it stands in the money book.
func TestBookIsPlayable(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	b, err := exampleBook(now, 9600, 204_000, 54_000, 104e12)
	if err != nil {
		t.Fatal(err)
	}
	floating := false
	for _, f := range b.Facilities {
		floating = floating || f.Facility.Interest.Index != ""
	}
	if !floating {
		t.Fatal("the example has no floating rate to try")
	}
	c := playable(desk.Open(desk.In{Now: now, Book: b}))
	if len(c.Facilities) == 0 {
		t.Fatal("no facility came over")
	}
	c.Groups = []play.Group{{PH: 9.6, JTH: 21}}
	s := play.Scenario{From: debt.DateOf(now), To: debt.DateOf(now) + 100, Company: c}
	k := play.Known{Today: debt.DateOf(now), Price: play.Number{Value: 54_000, Known: true}, Hashprice: play.Number{Value: 33, Known: true}}
	if err := s.Check(k); err != nil {
		t.Fatal(err)
	}
}
