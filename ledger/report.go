package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
)

// ReportDay is the report of a day that is over, as it was made. The ledger does
// not look inside.
type ReportDay struct {
	Site   string          `json:"site"`
	Day    string          `json:"day"` // "2026-11-22", in the site's zone
	Body   json.RawMessage `json:"body"`
	MadeAt time.Time       `json:"made_at"`
}

// MeterEnergy is the energy through a meter in a quarter of an hour.
type MeterEnergy struct {
	Site    string        `json:"site"`
	Meter   string        `json:"meter"`
	At      time.Time     `json:"at"` // start of the quarter
	Joules  int64         `json:"joules"`
	Covered time.Duration `json:"covered_ns"` // how much of the quarter was measured
}

// ReportSchedule is a daily report that goes out by e-mail.
type ReportSchedule struct {
	ID         int64     `json:"id"`
	Site       string    `json:"site"`
	Recipients []string  `json:"recipients"`
	Minute     int       `json:"minute"` // of the day on the site's clocks, from 0
	Attach     []string  `json:"attach"` // "pdf", "csv"
	Enabled    bool      `json:"enabled"`
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

// ReportSend is one attempt to send a report.
type ReportSend struct {
	ID       int64     `json:"id"`
	Schedule int64     `json:"schedule"`
	Site     string    `json:"site"`
	Day      string    `json:"day"`
	At       time.Time `json:"at"`
	To       []string  `json:"to"`
	ByHand   bool      `json:"by_hand"`         // somebody asked for it: no run of the schedule
	Error    string    `json:"error,omitempty"` // empty: the mail server took it
}

// SendFilter picks sends. Zero fields do not restrict.
type SendFilter struct {
	Schedule int64
	Sites    []string
	Day      string
	Before   int64 // the ID that the page before ended with
	Limit    int   // 0 is all
}

// Reports is what the ledger keeps for and of reports.
type Reports interface {
	// SaveReport keeps a day's report, in place of one that was made before.
	SaveReport(ctx context.Context, r ReportDay) error
	// Report is a day's report, or ErrNotFound.
	Report(ctx context.Context, site, day string) (ReportDay, error)
	// Reports are those of the days from first to last, newest first.
	Reports(ctx context.Context, site, first, last string) ([]ReportDay, error)

	// AddMeterEnergy adds to what quarters hold: energy and covered time.
	AddMeterEnergy(ctx context.Context, es []MeterEnergy) error
	// MeterEnergy is by time and meter; to is not included.
	MeterEnergy(ctx context.Context, site string, from, to time.Time) ([]MeterEnergy, error)

	// AddReportSchedule adds a schedule and gives it its number.
	AddReportSchedule(ctx context.Context, s ReportSchedule, by Audit) (ReportSchedule, error)
	// EditReportSchedule replaces all but the site; ErrNotFound; ErrStale when
	// UpdatedAt is set and it was changed since.
	EditReportSchedule(ctx context.Context, s ReportSchedule, by Audit) (ReportSchedule, error)
	// DeleteReportSchedule removes one with its sends; ErrNotFound.
	DeleteReportSchedule(ctx context.Context, id int64, by Audit) error
	// ReportSchedules are all, by number.
	ReportSchedules(ctx context.Context) ([]ReportSchedule, error)
	// AddReportSend notes an attempt.
	AddReportSend(ctx context.Context, s ReportSend) (ReportSend, error)
	// ReportSends are those that f picks, newest first.
	ReportSends(ctx context.Context, f SendFilter) ([]ReportSend, error)
}

// Normal checks a schedule and puts it in the ledger's forms.
func (s ReportSchedule) Normal() (ReportSchedule, error) {
	if s.Site == "" || s.Minute < 0 || s.Minute >= 24*60 {
		return s, fmt.Errorf("report schedule: %w: a site and a time of day must be given", ErrInvalid)
	}
	var to []string
	for _, r := range s.Recipients {
		a, err := mail.ParseAddress(strings.TrimSpace(r))
		if err != nil || strings.ContainsAny(r, "\r\n") {
			return s, fmt.Errorf("report schedule: %w: %.100q is no e-mail address", ErrInvalid, r)
		}
		if !slices.Contains(to, a.Address) {
			to = append(to, a.Address)
		}
	}
	if len(to) == 0 || len(to) > 50 {
		return s, fmt.Errorf("report schedule: %w: it needs one to fifty recipients", ErrInvalid)
	}
	attach := []string{}
	for _, a := range s.Attach {
		if a != "pdf" && a != "csv" {
			return s, fmt.Errorf("report schedule: %w: %.20q cannot be attached; pdf and csv can", ErrInvalid, a)
		}
		if !slices.Contains(attach, a) {
			attach = append(attach, a)
		}
	}
	s.Recipients, s.Attach, s.Site = to, attach, Clean(s.Site, 0)
	return s, nil
}
