package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ballast/ledger"
)

// SaveReport implements ledger.Reports.
func (s *Store) SaveReport(ctx context.Context, r ledger.ReportDay) error {
	if _, err := time.Parse(time.DateOnly, r.Day); err != nil || r.Site == "" || !json.Valid(r.Body) {
		return fmt.Errorf("report of %q on %q: %w: site, day and JSON must be given", r.Site, r.Day, ledger.ErrInvalid)
	}
	return s.change(ctx, func(t *txn) error {
		_, err := t.exec(ctx, "INSERT INTO reports (site, day, body, made_at) VALUES ($1, $2, $3, $4) "+
			"ON CONFLICT (site, day) DO UPDATE SET body = excluded.body, made_at = excluded.made_at", r.Site, r.Day, string(r.Body), micros(r.MadeAt))
		if err != nil {
			return fmt.Errorf("writing the report of %s: %w", r.Day, err)
		}
		return nil
	})
}

func scanReport(rows *sql.Rows) (r ledger.ReportDay, err error) {
	var body string
	var made int64
	err = rows.Scan(&r.Site, &r.Day, &body, &made)
	r.Body, r.MadeAt = json.RawMessage(body), moment(made)
	return r, err
}

// Report implements ledger.Reports.
func (s *Store) Report(ctx context.Context, site, day string) (ledger.ReportDay, error) {
	rs, err := s.Reports(ctx, site, day, day)
	if err == nil && len(rs) == 0 {
		err = notFound("report", site+" "+day, ledger.ErrNotFound)
	}
	if err != nil {
		return ledger.ReportDay{}, err
	}
	return rs[0], nil
}

// Reports implements ledger.Reports.
func (s *Store) Reports(ctx context.Context, site, first, last string) ([]ledger.ReportDay, error) {
	out, err := query(ctx, s.reader(), scanReport, "SELECT site, day, body, made_at FROM reports WHERE site = $1 AND day >= $2 AND day <= $3 ORDER BY day DESC", site, first, last)
	if err != nil {
		return nil, fmt.Errorf("reading reports: %w", err)
	}
	return out, nil
}

// AddMeterEnergy implements ledger.Reports.
func (s *Store) AddMeterEnergy(ctx context.Context, es []ledger.MeterEnergy) error {
	const quarter = 15 * time.Minute
	rows := make([][]any, 0, len(es))
	for _, e := range es {
		if e.Site == "" || e.Meter == "" || e.Covered < 0 || e.At.IsZero() || !e.At.Truncate(quarter).Equal(e.At) {
			return fmt.Errorf("energy of meter %q: %w: site, meter and the start of a quarter must be given", e.Meter, ledger.ErrInvalid)
		}
		rows = append(rows, []any{e.Site, e.Meter, micros(e.At), e.Joules, e.Covered.Microseconds()})
	}
	return s.change(ctx, func(t *txn) error {
		// One by one: a batch may hold a quarter twice, which PostgreSQL refuses in
		// one statement. It is a handful of rows a minute.
		for _, r := range rows {
			_, err := t.exec(ctx, "INSERT INTO meter_energy (site, meter, at, energy, covered) VALUES ($1, $2, $3, $4, $5) "+
				"ON CONFLICT (site, at, meter) DO UPDATE SET energy = meter_energy.energy + excluded.energy, covered = meter_energy.covered + excluded.covered", r...)
			if err != nil {
				return fmt.Errorf("writing the energy of meter %v: %w", r[1], err)
			}
		}
		return nil
	})
}

// MeterEnergy implements ledger.Reports.
func (s *Store) MeterEnergy(ctx context.Context, site string, from, to time.Time) ([]ledger.MeterEnergy, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (e ledger.MeterEnergy, err error) {
		var at, covered int64
		err = rows.Scan(&e.Site, &e.Meter, &at, &e.Joules, &covered)
		e.At, e.Covered = moment(at), time.Duration(covered)*time.Microsecond
		return e, err
	}, "SELECT site, meter, at, energy, covered FROM meter_energy WHERE site = $1 AND at >= $2 AND at < $3 ORDER BY at, meter", site, micros(from), micros(to))
	if err != nil {
		return nil, fmt.Errorf("reading the energy of meters: %w", err)
	}
	return out, nil
}

const scheduleColumns = "id, site, recipients, minute, attach, enabled, created_at, updated_at"

func scanSchedule(rows *sql.Rows) (r ledger.ReportSchedule, err error) {
	var to, attach string
	var enabled, created, updated int64
	if err := rows.Scan(&r.ID, &r.Site, &to, &r.Minute, &attach, &enabled, &created, &updated); err != nil {
		return r, err
	}
	r.Enabled, r.CreatedAt, r.UpdatedAt = enabled != 0, moment(created), moment(updated)
	return r, errors.Join(json.Unmarshal([]byte(to), &r.Recipients), json.Unmarshal([]byte(attach), &r.Attach))
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// AddReportSchedule implements ledger.Reports.
func (s *Store) AddReportSchedule(ctx context.Context, r ledger.ReportSchedule, by ledger.Audit) (ledger.ReportSchedule, error) {
	r, err := r.Normal()
	if err != nil {
		return r, err
	}
	err = s.change(ctx, func(t *txn) (err error) {
		if r.ID, err = t.bump(ctx, "report schedule", 1); err != nil {
			return err
		}
		r.CreatedAt, r.UpdatedAt = t.now(), t.now()
		_, err = t.exec(ctx, "INSERT INTO report_schedules ("+scheduleColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			r.ID, r.Site, jsonText(r.Recipients), r.Minute, jsonText(r.Attach), number(r.Enabled), micros(r.CreatedAt), micros(r.UpdatedAt))
		if err != nil {
			return fmt.Errorf("writing a report schedule: %w", err)
		}
		return t.audit(by.Or("report.schedule", fmt.Sprintf("report-schedule/%d", r.ID), jsonText(r)))
	})
	return r, err
}

// EditReportSchedule implements ledger.Reports.
func (s *Store) EditReportSchedule(ctx context.Context, r ledger.ReportSchedule, by ledger.Audit) (ledger.ReportSchedule, error) {
	var out ledger.ReportSchedule
	err := s.change(ctx, func(t *txn) error {
		old, err := query(ctx, t, scanSchedule, "SELECT "+scheduleColumns+" FROM report_schedules WHERE id = $1"+t.e.dialect.Lock, r.ID)
		if err != nil {
			return fmt.Errorf("reading a report schedule: %w", err)
		}
		if len(old) == 0 {
			return notFound("report schedule", r.ID, ledger.ErrNotFound)
		}
		out = old[0]
		out.Recipients, out.Minute, out.Attach, out.Enabled = r.Recipients, r.Minute, r.Attach, r.Enabled
		if out, err = out.Normal(); err != nil {
			return err
		}
		out.UpdatedAt, err = t.revise(ctx, "report schedule", "report_schedules", out.ID, r.UpdatedAt, []string{"recipients", "minute", "attach", "enabled"},
			jsonText(out.Recipients), out.Minute, jsonText(out.Attach), number(out.Enabled))
		if err != nil {
			return err
		}
		return t.audit(by.Or("report.schedule", fmt.Sprintf("report-schedule/%d", out.ID), jsonText(out)))
	})
	return out, err
}

// DeleteReportSchedule implements ledger.Reports.
func (s *Store) DeleteReportSchedule(ctx context.Context, id int64, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		// The sends first: not every SQLite connection minds the cascade.
		if _, err := t.exec(ctx, "DELETE FROM report_sends WHERE schedule = $1", id); err != nil {
			return fmt.Errorf("deleting the sends of a report schedule: %w", err)
		}
		n, err := t.exec(ctx, "DELETE FROM report_schedules WHERE id = $1", id)
		if err != nil {
			return fmt.Errorf("deleting a report schedule: %w", err)
		}
		if n == 0 {
			return notFound("report schedule", id, ledger.ErrNotFound)
		}
		return t.audit(by.Or("report.unschedule", fmt.Sprintf("report-schedule/%d", id), ""))
	})
}

// ReportSchedules implements ledger.Reports.
func (s *Store) ReportSchedules(ctx context.Context) ([]ledger.ReportSchedule, error) {
	out, err := query(ctx, s.reader(), scanSchedule, "SELECT "+scheduleColumns+" FROM report_schedules ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("reading report schedules: %w", err)
	}
	return out, nil
}

// AddReportSend implements ledger.Reports.
func (s *Store) AddReportSend(ctx context.Context, r ledger.ReportSend) (ledger.ReportSend, error) {
	r.At, r.Error = ledger.Moment(r.At), ledger.Clean(r.Error, 500)
	if r.To == nil {
		r.To = []string{}
	}
	err := s.change(ctx, func(t *txn) (err error) {
		if r.ID, err = t.bump(ctx, "report send", 1); err != nil {
			return err
		}
		_, err = t.exec(ctx, "INSERT INTO report_sends (id, schedule, site, day, at, sent_to, by_hand, error) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			r.ID, r.Schedule, r.Site, r.Day, micros(r.At), jsonText(r.To), number(r.ByHand), r.Error)
		if t.e.dialect.Classify(err) == Reference {
			return notFound("report schedule", r.Schedule, ledger.ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("writing a report send: %w", err)
		}
		return nil
	})
	return r, err
}

// ReportSends implements ledger.Reports.
func (s *Store) ReportSends(ctx context.Context, f ledger.SendFilter) ([]ledger.ReportSend, error) {
	var w where
	if f.Schedule != 0 {
		w.and("schedule = ?", f.Schedule)
	}
	if len(f.Sites) > 0 {
		in(&w, "site", f.Sites)
	}
	if f.Day != "" {
		w.and("day = ?", f.Day)
	}
	if f.Before != 0 {
		w.and("id < ?", f.Before)
	}
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (r ledger.ReportSend, err error) {
		var at, byHand int64
		var to string
		if err := rows.Scan(&r.ID, &r.Schedule, &r.Site, &r.Day, &at, &to, &byHand, &r.Error); err != nil {
			return r, err
		}
		r.At, r.ByHand = moment(at), byHand != 0
		return r, json.Unmarshal([]byte(to), &r.To)
	}, "SELECT id, schedule, site, day, at, sent_to, by_hand, error FROM report_sends"+w.sql("id DESC", f.Limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading report sends: %w", err)
	}
	return out, nil
}
