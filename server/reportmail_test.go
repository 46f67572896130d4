package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/ledger/sqlite"
	"ballast/miner"
	"ballast/report"
	"ballast/telemetry"
)

type mailed struct {
	to                  []string
	subject, text, html string
	files               []report.Attachment
}

// post is a Mailer that keeps what it is given, or refuses.
type post struct {
	sent   []mailed
	refuse error
}

func (p *post) Send(_ context.Context, to []string, subject, text, html string, files []report.Attachment) error {
	if p.refuse != nil {
		return p.refuse
	}
	p.sent = append(p.sent, mailed{to, subject, text, html, files})
	return nil
}

// siteOfYesterday is a server whose one machine, with a nasty name, hashed
// through yesterday. Its record believes that it is two days ago.
func siteOfYesterday(t *testing.T) (*Server, *post, time.Time) {
	t.Helper()
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(13 * time.Hour) // one in the afternoon, UTC
	old := func() time.Time { return now.Add(-48 * time.Hour) }
	record, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{Clock: old})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { record.Close() })
	s := bare(t)
	o := s.Options
	o.Record, o.Site, o.URL = record, "hood", "https://ballast.example.com/"
	o.Mailer = &post{}
	s = New(o)
	s.reports.now = func() time.Time { return now }
	known, err := record.ObserveMachines(t.Context(), []ledger.Sighting{{MAC: "02:00:00:00:00:01", Hostname: "<b>rig</b>", Site: "hood", Model: "Antminer S19 Pro"}})
	if err != nil {
		t.Fatal(err)
	}
	var rows []telemetry.Row
	yesterday := now.Truncate(24 * time.Hour).Add(-24 * time.Hour)
	for at := yesterday; at.Before(yesterday.Add(24 * time.Hour)); at = at.Add(time.Minute) {
		r := telemetry.Row{Machine: miner.ID(known[0].ID), At: at, Outcome: telemetry.OK, Tags: telemetry.Tags{Site: "hood"}}
		r.Set(telemetry.Up, 1)
		r.Set(telemetry.Hashing, 1)
		r.Set(telemetry.Hashrate, 99)
		r.Set(telemetry.HashrateNominal, 110)
		r.Set(telemetry.Power, 3250)
		rows = append(rows, r)
	}
	if err := s.History.Append(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	return s, o.Mailer.(*post), now
}

func TestReportGoesOutOnce(t *testing.T) {
	s, mail, now := siteOfYesterday(t)
	v, key := admin(t, s)
	code, out := v.do("POST", "/api/v1/reports/schedules", map[string]any{"recipients": []string{"ops@example.com", "cfo@example.com"}, "at": "12:30", "attach": []string{"pdf", "csv"}, "enabled": true}, key...)
	if code != 201 || out["site"] != "hood" || out["at"] != "12:30" {
		t.Fatal(code, out)
	}
	s.reports.sendDue(t.Context(), now)
	s.reports.sendDue(t.Context(), now.Add(time.Minute))
	s.reports.sendDue(t.Context(), now.Add(10*time.Hour))
	if len(mail.sent) != 1 {
		t.Fatalf("%d mails", len(mail.sent))
	}
	day := now.Add(-24 * time.Hour).Format(time.DateOnly)
	m := mail.sent[0]
	if len(m.to) != 2 || m.subject != "hood, "+day+": 99.0 TH/s, uptime 100.00 %" {
		t.Errorf("to %v: %q", m.to, m.subject)
	}
	for _, want := range []string{"Daily report of hood, " + day, "90.0 %", "hashing below nominal", "11.0", "32.8 J/TH", "<b>rig</b>", "https://ballast.example.com/reports/daily/" + day} {
		if !strings.Contains(strings.Join(strings.Fields(m.text), " "), want) {
			t.Errorf("%q is not in\n%s", want, m.text)
		}
	}
	if strings.Contains(m.html, "<b>rig") || !strings.Contains(m.html, "&lt;b&gt;rig") || !strings.Contains(m.html, `href="https://ballast.example.com/reports/daily/`+day) {
		t.Errorf("%s", m.html)
	}
	if len(m.files) != 2 || m.files[0].Name != "hood-"+day+".pdf" || m.files[0].Type != "application/pdf" || !bytes.HasPrefix(m.files[0].Data, []byte("%PDF-")) {
		t.Errorf("files %+v", m.files)
	}
	if csv := string(m.files[1].Data); strings.Count(csv, "\n") != 2 || !strings.Contains(csv, ",99.000,110.000,") {
		t.Errorf("CSV\n%s", csv)
	}
	// The day is over: its report is kept as it was, and told again from there.
	if kept, err := s.Record.Report(t.Context(), "hood", day); err != nil || !strings.Contains(string(kept.Body), `"hashrate_ths":99`) {
		t.Errorf("kept %s, %v", kept.Body, err)
	}
	// The days in a row, with their sum.
	code, out = v.do("GET", "/api/v1/reports?from="+day+"&to="+day, nil, key...)
	days := out["days"].([]any)
	sum := out["sum"].(map[string]any)
	if code != 200 || len(days) != 1 || sum["work_th_days"].(float64) != 99 || sum["days"].(float64) != 1 || sum["lost_th_days"].(float64) < 10.99 {
		t.Errorf("%d %v", code, out)
	}
	// As files, each of the day that was asked for.
	for file, start := range map[string]string{"report.pdf": "%PDF-", "machines.csv": "day,site,", "quarters.csv": "from,", "summary.csv": "figure,"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.base+"/api/v1/reports/daily/"+day+"/"+file+"?site=hood", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(key[0], key[1])
		res, err := v.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || !strings.HasPrefix(string(b), start) || !strings.Contains(res.Header.Get("Content-Disposition"), "hood-"+day) {
			t.Errorf("%s: %d %.40q %v", file, res.StatusCode, b, res.Header)
		}
	}
	if code, out = v.do("PUT", "/api/v1/reports/schedules/1", map[string]any{"recipients": []string{"ops@example.com"}, "at": "23:59", "enabled": true}, key...); code != 200 || out["at"] != "23:59" {
		t.Errorf("changed: %d %v", code, out)
	}
	// By hand, whenever somebody wants.
	if code, out = v.do("POST", "/api/v1/reports/schedules/1/send", nil, key...); code != 200 || out["by_hand"] != true || out["error"] != nil || len(mail.sent) != 2 {
		t.Errorf("by hand: %d %v", code, out)
	}
	if code, _ := v.do("DELETE", "/api/v1/reports/schedules/1", nil, key...); code != 204 {
		t.Error(code)
	}
}

func TestReportThatIsRefusedIsTriedAgain(t *testing.T) {
	s, mail, now := siteOfYesterday(t)
	mail.refuse = errors.New("554 no such user")
	k, err := s.Record.AddReportSchedule(t.Context(), ledger.ReportSchedule{Site: "hood", Recipients: []string{"x@example.com"}, Minute: 60, Enabled: true}, ledger.By("test"))
	if err != nil {
		t.Fatal(err)
	}
	sends := func() []ledger.ReportSend {
		t.Helper()
		out, err := s.Record.ReportSends(t.Context(), ledger.SendFilter{Schedule: k.ID})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for i := range 100 {
		at := now.Add(time.Duration(i) * time.Minute)
		s.reports.now = func() time.Time { return at }
		s.reports.sendDue(t.Context(), at)
	}
	if got := sends(); len(got) != 4 || got[0].Error != "554 no such user" || got[0].At.Sub(got[3].At) != 30*time.Minute {
		t.Errorf("attempts %+v", got)
	}
	if code, out := func() (int, map[string]any) {
		v, key := admin(t, s)
		return v.do("GET", "/api/v1/reports/sends?limit=1", nil, key...)
	}(); code != http.StatusOK {
		t.Error(code, out)
	}
	mail.refuse = nil
	s.Mailer = nil // no mail server: nothing counts as tried
	before := len(sends())
	s.reports.sendDue(t.Context(), now.Add(24*time.Hour))
	if len(sends()) != before {
		t.Error("an attempt without a mail server")
	}
}
