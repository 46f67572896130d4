package report

import (
	"encoding/json"
	"fmt"
	"time"
)

// Day is a calendar day in a zone.
type Day struct {
	year  int
	month time.Month
	day   int
	zone  *time.Location
}

// DayOf is the day that t falls on in zone.
func DayOf(t time.Time, zone *time.Location) Day {
	y, m, d := t.In(zone).Date()
	return Day{y, m, d, zone}
}

// ParseDay reads "2026-11-22".
func ParseDay(text string, zone *time.Location) (Day, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < 2009 || t.Year() > 2198 {
		return Day{}, fmt.Errorf("%w: %.20q is no day such as 2026-11-22", ErrDay, text)
	}
	return Day{t.Year(), t.Month(), t.Day(), zone}, nil
}

// String is "2026-11-22".
func (d Day) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.year, d.month, d.day) }

// Start is the first instant of the day. Where clocks skip midnight it is the
// first instant after.
func (d Day) Start() time.Time {
	t := time.Date(d.year, d.month, d.day, 0, 0, 0, 0, d.zone)
	// time.Date answers a midnight that does not exist with one offset or the
	// other; what belongs to the day before is not of this day.
	if t.Day() != d.day {
		_, before := t.Zone()
		_, after := t.Add(2 * time.Hour).Zone()
		t = t.Add(time.Duration(after-before) * time.Second)
	}
	return t
}

// End is the first instant of the next day.
func (d Day) End() time.Time { return d.Add(1).Start() }

// Length is 24 hours, or 23 or 25 on the days when clocks change.
func (d Day) Length() time.Duration { return d.End().Sub(d.Start()) }

// Add is the day n days later.
func (d Day) Add(n int) Day {
	y, m, day := time.Date(d.year, d.month, d.day+n, 12, 0, 0, 0, time.UTC).Date()
	return Day{y, m, day, d.zone}
}

// Before tells whether d is earlier than o.
func (d Day) Before(o Day) bool { return d.String() < o.String() }

// Zone is the day's time zone.
func (d Day) Zone() *time.Location { return d.zone }

// At is a time of day on this day, as clocks show it; one that clocks skip is as
// much later as they skip.
func (d Day) At(hour, minute int) time.Time {
	return time.Date(d.year, d.month, d.day, hour, minute, 0, 0, d.zone)
}

// Date is the day for people: "Sunday, 22 November 2026".
func (d Day) Date() string {
	return time.Date(d.year, d.month, d.day, 12, 0, 0, 0, time.UTC).Format("Monday, 2 January 2006")
}

// Read reads a report that was kept as JSON, with its times in the site's zone.
func Read(body []byte) (Report, error) {
	var r Report
	if err := json.Unmarshal(body, &r); err != nil {
		return r, fmt.Errorf("reading a kept report: %w", err)
	}
	zone, err := time.LoadLocation(r.Zone)
	if err != nil {
		return r, fmt.Errorf("reading a kept report: %w", err)
	}
	r.From, r.To = r.From.In(zone), r.To.In(zone)
	if !r.Since.IsZero() {
		r.Since = r.Since.In(zone)
	}
	for i := range r.Holes {
		r.Holes[i].From, r.Holes[i].To = r.Holes[i].From.In(zone), r.Holes[i].To.In(zone)
	}
	return r, nil
}
