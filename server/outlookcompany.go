package server

import (
	"context"
	"fmt"
	"math"
	"time"

	"ballast/debt"
	"ballast/debt/desk"
	"ballast/debt/play"
	"ballast/unit"
)

// companyOf is the company of the money book as an outlook takes it: its
// facilities, its position today and the machines that hash. ok is false when
// nothing was entered yet.
func (s *Server) companyOf(ctx context.Context, now time.Time) (c play.Company, example string, ok bool, err error) {
	book, trouble, err := s.moneyBook(ctx)
	if err != nil || book.Empty() {
		return c, "", false, err
	}
	return playable(s.deskOf(book, trouble, debt.Scope{}, now)), book.Terms.Example, true, nil
}

// playable turns a desk into the company of a scenario.
func playable(d *desk.Desk) play.Company {
	p := d.Position
	c := play.Company{Name: d.Book.Terms.Company, Source: "the money book and the machines that hash, " + d.On.String(), Cash: p.Cash.Float(), Coins: p.Coins.Float(),
		Fixed: math.Round(p.Fixed.Float() / 365), Other: math.Round(p.Other.Float() / 365), Uptime: p.Uptime, Groups: []play.Group{}}
	var dear, draw, worth, priced float64
	for _, g := range p.Groups {
		ph := float64(g.Active) / 1000
		if ph <= 0 || g.Efficiency <= 0 {
			continue
		}
		c.Groups = append(c.Groups, play.Group{Name: g.Name, PH: math.Round(ph*1e6) / 1e6, JTH: math.Round(float64(g.Efficiency)*100) / 100})
		kw := ph * float64(g.Efficiency) // 1 PH/s at 1 J/TH draws 1 kW
		dear, draw = dear+kw*g.Power.PerMWh(), draw+kw
		if g.Overhead > 0 {
			c.Overhead = g.Overhead
		}
		if p.RigRate != nil {
			if r, ok := p.RigRate(g.Efficiency); ok {
				worth, priced = worth+ph*r.PerTH(), priced+ph
			}
		}
	}
	if draw > 0 {
		c.PowerPrice = math.Round(dear/draw*1000) / 1000
	}
	if priced > 0 {
		c.RigPerTH = unit.Some(math.Round(worth/priced*1000) / 1000)
		c.Source += fmt.Sprintf("; machines at %s", p.RigBasis)
	}
	if p.RigBeta > 0 {
		c.RigBeta = unit.Some(p.RigBeta)
	}
	held := false
	for _, f := range p.Book.Schedules {
		x := f.Facility
		// A scenario carries no reference rates: a floating rate is held at what it
		// is today.
		if x.Interest.Index != "" {
			for _, pay := range f.Payments {
				x.Interest = debt.Interest{Fixed: pay.Rate, DayCount: x.Interest.DayCount}
				if pay.Due > d.On {
					break
				}
			}
			held = true
		}
		c.Facilities = append(c.Facilities, x)
	}
	if held {
		c.Source += "; floating rates held at today's"
	}
	return c
}
