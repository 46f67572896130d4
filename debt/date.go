package debt

import (
	"fmt"
	"math/big"
	"time"
)

// Date is a day of the calendar, as a number of days since 1 January 1970.
type Date int32

// Day makes a date.
func Day(y int, m time.Month, d int) Date { return DateOf(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) }

// DateOf is the day of t in UTC.
func DateOf(t time.Time) Date {
	s := t.Unix()
	d := s / 86400
	if s%86400 < 0 {
		d--
	}
	return Date(d)
}

// ParseDate reads 2026-06-30.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("date %q: %w", s, ErrInvalid)
	}
	return DateOf(t), nil
}

// Time is midnight UTC of the day.
func (d Date) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String prints 2026-06-30.
func (d Date) String() string { return d.Time().Format(time.DateOnly) }

// MarshalText writes 2026-06-30.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads 2026-06-30.
func (d *Date) UnmarshalText(b []byte) error {
	v, err := ParseDate(string(b))
	if err == nil {
		*d = v
	}
	return err
}

// AddMonths goes n months on. A day that the month does not have becomes its
// last one; count from the first date each time, or the day is lost.
func (d Date) AddMonths(n int) Date {
	y, m, day := d.Time().Date()
	first := time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return DateOf(first.AddDate(0, 0, min(day, last)-1))
}

// DayCount is how a contract counts the part of a year between two dates.
type DayCount string

// The conventions (ISDA 2006 Definitions, 4.16).
const (
	Actual360    DayCount = "ACT/360"
	Actual365    DayCount = "ACT/365"  // fixed
	ActualActual DayCount = "ACT/ACT"  // ISDA: days in leap years over 366, others over 365
	Thirty360    DayCount = "30/360"   // bond basis
	ThirtyE360   DayCount = "30E/360"  // Eurobond basis
	Periods      DayCount = "1/period" // each period counts as its nominal months over 12
)

// Fraction is the part of a year from a to b, exactly. [Periods] is not a
// matter of dates and gives an error.
func (c DayCount) Fraction(a, b Date) (*big.Rat, error) {
	if b < a {
		return nil, fmt.Errorf("from %s back to %s: %w", a, b, ErrInvalid)
	}
	days := int64(b - a)
	switch c {
	case Actual360:
		return big.NewRat(days, 360), nil
	case Actual365:
		return big.NewRat(days, 365), nil
	case ActualActual:
		sum := new(big.Rat)
		for y := a.Time().Year(); y <= b.Time().Year(); y++ {
			from, to := max(a, Day(y, 1, 1)), min(b, Day(y+1, 1, 1))
			if to > from {
				sum.Add(sum, big.NewRat(int64(to-from), int64(Day(y+1, 1, 1)-Day(y, 1, 1))))
			}
		}
		return sum, nil
	case Thirty360, ThirtyE360:
		y1, m1, d1 := a.Time().Date()
		y2, m2, d2 := b.Time().Date()
		d1 = min(d1, 30)
		if c == ThirtyE360 || d1 == 30 {
			d2 = min(d2, 30)
		}
		return big.NewRat(int64(360*(y2-y1)+30*(int(m2)-int(m1))+d2-d1), 360), nil
	}
	return nil, fmt.Errorf("day count %q: %w", c, ErrInvalid)
}
