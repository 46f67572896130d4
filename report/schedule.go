package report

import (
	"context"
	"time"
)

// Mailer sends e-mail. The caller gives a context with a deadline.
type Mailer interface {
	Send(ctx context.Context, to []string, subject, text, html string, attachments []Attachment) error
}

// Attachment is a file of an e-mail.
type Attachment struct {
	Name string // "hood-2026-11-22.pdf"
	Type string // "application/pdf"
	Data []byte
}

// Schedule is when a site's report goes out: every day at a minute of the day on
// the site's clocks, with the report of the day before.
type Schedule struct {
	Minute  int // from 0 to 1439
	Since   time.Time
	Enabled bool
}

// Attempt is one attempt to send a day's report.
type Attempt struct {
	At time.Time
	OK bool
}

// How often a report that could not be sent is tried again.
const (
	attemptsAtMost = 4
	attemptEvery   = 10 * time.Minute
)

// Due is the day whose report is to be sent at now, if any. A run that was
// missed, because Ballast or the mail server was away, is caught up once and
// only the newest: nobody wants last week's reports in one night. tried are the
// attempts for a day. A schedule that was made or changed after its time of day
// begins with the next.
func (s Schedule) Due(zone *time.Location, now time.Time, tried func(Day) []Attempt) (Day, bool) {
	if !s.Enabled {
		return Day{}, false
	}
	today := DayOf(now, zone)
	run := today.At(s.Minute/60, s.Minute%60)
	if run.After(now) {
		today = today.Add(-1)
		run = today.At(s.Minute/60, s.Minute%60)
	}
	if run.Before(s.Since) {
		return Day{}, false
	}
	day := today.Add(-1)
	attempts := tried(day)
	for _, a := range attempts {
		if a.OK {
			return Day{}, false
		}
		if now.Sub(a.At) < attemptEvery {
			return Day{}, false
		}
	}
	return day, len(attempts) < attemptsAtMost
}

// Next is when a schedule runs next after now.
func (s Schedule) Next(zone *time.Location, now time.Time) time.Time {
	day := DayOf(now, zone)
	for {
		if run := day.At(s.Minute/60, s.Minute%60); run.After(now) {
			return run
		}
		day = day.Add(1)
	}
}
