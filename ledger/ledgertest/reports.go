package ledgertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"ballast/ledger"
)

func testReports(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	save := func(site, day, body string) {
		t.Helper()
		ok(t, s.SaveReport(ctx, ledger.ReportDay{Site: site, Day: day, Body: json.RawMessage(body), MadeAt: c.Now()}))
	}
	save("odessa", "2026-02-28", `{"n":1}`)
	save("odessa", "2026-02-27", `{"n":2}`)
	save("hood", "2026-02-28", `{"n":3}`)
	c.Advance(time.Hour)
	save("odessa", "2026-02-28", `{"n":4}`)
	got := must(s.Report(ctx, "odessa", "2026-02-28"))(t)
	if string(got.Body) != `{"n":4}` || got.MadeAt != c.Now() {
		t.Errorf("made anew: %+v", got)
	}
	days := must(s.Reports(ctx, "odessa", "2026-02-01", "2026-02-28"))(t)
	if len(days) != 2 || days[0].Day != "2026-02-28" || days[1].Day != "2026-02-27" {
		t.Errorf("days %+v", days)
	}
	if _, err := s.Report(ctx, "hood", "2026-02-27"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a day without a report: %v", err)
	}
	for _, bad := range []ledger.ReportDay{{Site: "x", Day: "yesterday", Body: []byte("{}")}, {Site: "x", Day: "2026-02-01", Body: []byte("{")}, {Day: "2026-02-01", Body: []byte("{}")}} {
		if err := s.SaveReport(ctx, bad); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func testMeterEnergy(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	at := c.Now()
	e := func(meter string, n int, joules int64, covered time.Duration) ledger.MeterEnergy {
		return ledger.MeterEnergy{Site: "odessa", Meter: meter, At: at.Add(time.Duration(n) * 15 * time.Minute), Joules: joules, Covered: covered}
	}
	ok(t, s.AddMeterEnergy(ctx, []ledger.MeterEnergy{e("b", 0, 100, time.Minute), e("a", 0, 7, time.Second), e("a", 0, 3, time.Second), e("a", 1, 5, 0)}))
	ok(t, s.AddMeterEnergy(ctx, []ledger.MeterEnergy{e("b", 0, 11, time.Minute), {Site: "hood", Meter: "b", At: at, Joules: 1}}))
	ok(t, s.AddMeterEnergy(ctx, nil))
	got := must(s.MeterEnergy(ctx, "odessa", at, at.Add(15*time.Minute)))(t)
	want := []ledger.MeterEnergy{e("a", 0, 10, 2*time.Second), e("b", 0, 111, 2*time.Minute)}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if got := must(s.MeterEnergy(ctx, "odessa", at, at.Add(time.Hour)))(t); len(got) != 3 {
		t.Errorf("an hour: %v", got)
	}
	if err := s.AddMeterEnergy(ctx, []ledger.MeterEnergy{{Site: "odessa", Meter: "a", At: at.Add(time.Minute)}}); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("no quarter: %v", err)
	}
}

func testReportSchedules(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	one := must(s.AddReportSchedule(ctx, ledger.ReportSchedule{Site: "odessa", Recipients: []string{" ops@example.com ", "Ops <ops@example.com>", "b@example.com"}, Minute: 420, Attach: []string{"pdf", "pdf"}, Enabled: true}, ledger.By("alice")))(t)
	if one.ID == 0 || len(one.Recipients) != 2 || len(one.Attach) != 1 || one.CreatedAt != c.Now() {
		t.Errorf("added %+v", one)
	}
	for _, bad := range []ledger.ReportSchedule{
		{Site: "odessa"}, {Recipients: []string{"a@b.c"}}, {Site: "odessa", Recipients: []string{"a@b.c"}, Minute: 1440},
		{Site: "odessa", Recipients: []string{"no address"}}, {Site: "odessa", Recipients: []string{"a@b.c\r\nBcc: x@y.z"}}, {Site: "odessa", Recipients: []string{"a@b.c"}, Attach: []string{"exe"}},
	} {
		if _, err := s.AddReportSchedule(ctx, bad, ledger.By("alice")); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	c.Advance(time.Hour)
	edited := must(s.EditReportSchedule(ctx, ledger.ReportSchedule{ID: one.ID, Site: "elsewhere", Recipients: []string{"c@example.com"}, Minute: 1}, ledger.By("bob")))(t)
	if edited.Site != "odessa" || edited.Enabled || edited.Minute != 1 || !edited.UpdatedAt.Equal(c.Now()) || edited.CreatedAt.Equal(c.Now()) {
		t.Errorf("edited %+v", edited)
	}
	if all := must(s.ReportSchedules(ctx))(t); len(all) != 1 || fmt.Sprint(all[0]) != fmt.Sprint(edited) {
		t.Errorf("all %+v", all)
	}
	first := must(s.AddReportSend(ctx, ledger.ReportSend{Schedule: one.ID, Site: "odessa", Day: "2026-02-28", At: c.Now(), To: []string{"c@example.com"}, Error: "refused"}))(t)
	next := must(s.AddReportSend(ctx, ledger.ReportSend{Schedule: one.ID, Site: "odessa", Day: "2026-02-28", At: c.Now(), ByHand: true}))(t)
	sends := must(s.ReportSends(ctx, ledger.SendFilter{Schedule: one.ID, Day: "2026-02-28"}))(t)
	if len(sends) != 2 || sends[0].ID != next.ID || !sends[0].ByHand || sends[1].Error != "refused" || sends[1].To[0] != "c@example.com" || sends[1].At != c.Now() {
		t.Errorf("sends %+v", sends)
	}
	if page := must(s.ReportSends(ctx, ledger.SendFilter{Sites: []string{"odessa", "hood"}, Before: next.ID, Limit: 5}))(t); len(page) != 1 || page[0].ID != first.ID {
		t.Errorf("page %+v", page)
	}
	if page := must(s.ReportSends(ctx, ledger.SendFilter{Sites: []string{"hood"}}))(t); len(page) != 0 {
		t.Errorf("another site's %+v", page)
	}
	if _, err := s.AddReportSend(ctx, ledger.ReportSend{Schedule: 99}); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a send of no schedule: %v", err)
	}
	ok(t, s.DeleteReportSchedule(ctx, one.ID, ledger.By("bob")))
	for _, err := range []error{s.DeleteReportSchedule(ctx, one.ID, ledger.By("bob")), second(s.EditReportSchedule(ctx, edited, ledger.By("bob")))} {
		if !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("gone: %v", err)
		}
	}
	if sends := must(s.ReportSends(ctx, ledger.SendFilter{}))(t); len(sends) != 0 {
		t.Errorf("its sends stayed: %+v", sends)
	}
	if rows := must(s.AuditRows(ctx, ledger.AuditFilter{Action: "report."}))(t); len(rows) != 3 {
		t.Errorf("%d audit rows", len(rows))
	}
	must(s.VerifyAudit(ctx))(t)
}
