package ledgertest

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/unit"
)

// testStale holds for everything that people edit under the version they read:
// the newest takes the edit, an older one changes nothing, no version takes any.
func testStale(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	by := ledger.By("alice")
	at := func(v int64) time.Time {
		if v == 0 {
			return time.Time{}
		}
		return time.UnixMicro(v).UTC()
	}
	password := must(s.SaveMachinePassword(ctx, ledger.MachinePassword{Sealed: "v1.a"}, by))(t)
	profile := must(s.SavePoolProfile(ctx, ledger.PoolProfile{Name: "p"}, by))(t)
	schedule := must(s.AddReportSchedule(ctx, ledger.ReportSchedule{Site: "odessa", Recipients: []string{"a@example.com"}}, by))(t)
	document := must(s.SaveDocument(ctx, ledger.Document{Kind: "rule", Doc: json.RawMessage(`"a"`)}, by))(t)
	machine := must(s.ObserveMachines(ctx, []ledger.Sighting{{Addr: addr(1), MAC: mac(1), Site: "odessa"}}))(t)[0].ID
	settings := []string{""} // the value of each version, by its number less one
	for _, x := range []struct {
		name  string
		write func(ctx context.Context, value string, version int64) error
		read  func() (value string, version int64)
	}{
		{"machine password", func(ctx context.Context, value string, version int64) error {
			return second(s.SaveMachinePassword(ctx, ledger.MachinePassword{ID: password, Sealed: "v1.a", Note: value, Updated: at(version)}, by))
		}, func() (string, int64) {
			p := must(s.MachinePasswords(ctx))(t)[0]
			return p.Note, p.Updated.UnixMicro()
		}},
		{"pool profile", func(ctx context.Context, value string, version int64) error {
			return second(s.SavePoolProfile(ctx, ledger.PoolProfile{ID: profile, Name: value, Updated: at(version)}, by))
		}, func() (string, int64) {
			p := must(s.PoolProfiles(ctx))(t)[0]
			return p.Name, p.Updated.UnixMicro()
		}},
		{"report schedule", func(ctx context.Context, value string, version int64) error {
			return second(s.EditReportSchedule(ctx, ledger.ReportSchedule{ID: schedule.ID, Recipients: []string{value + "@example.com"}, UpdatedAt: at(version)}, by))
		}, func() (string, int64) {
			p := must(s.ReportSchedules(ctx))(t)[0]
			return p.Recipients[0][:len(p.Recipients[0])-len("@example.com")], p.UpdatedAt.UnixMicro()
		}},
		{"document", func(ctx context.Context, value string, version int64) error {
			b, err := json.Marshal(value)
			return errors.Join(err, second(s.SaveDocument(ctx, ledger.Document{ID: document.ID, Kind: "rule", Doc: b, UpdatedAt: at(version)}, by)))
		}, func() (value string, version int64) {
			d := must(s.Document(ctx, "rule", document.ID))(t)
			ok(t, json.Unmarshal(d.Doc, &value))
			return value, d.UpdatedAt.UnixMicro()
		}},
		{"machine", func(ctx context.Context, value string, version int64) error {
			e := ledger.MachineEdit{Name: unit.Some(value)}
			if version != 0 {
				e.Version = unit.Some(version)
			}
			return s.EditMachines(ctx, []int64{machine}, e, by)
		}, func() (string, int64) {
			m := must(s.Machine(ctx, machine))(t)
			return m.Name, m.Version()
		}},
		{"setting", func(ctx context.Context, value string, version int64) error {
			if version == 0 {
				return s.SetSetting(ctx, "k", value, by)
			}
			was := unit.None[string]()
			if version > 1 {
				was = unit.Some(settings[version-1])
			}
			return s.ReplaceSetting(ctx, "k", was, value, by)
		}, func() (string, int64) {
			v, err := s.Setting(ctx, "k")
			if errors.Is(err, ledger.ErrNotFound) {
				return "", 1
			}
			ok(t, err)
			if settings[len(settings)-1] != v {
				settings = append(settings, v)
			}
			return v, int64(len(settings))
		}},
	} {
		rows := len(must(s.AuditRows(ctx, ledger.AuditFilter{}))(t))
		_, first := x.read()
		ok(t, x.write(ctx, "one", first)) // the clock stands still: two versions all the same
		value, second := x.read()
		if value != "one" || second == first {
			t.Errorf("%s: over the newest version it is %q, version %d after %d", x.name, value, second, first)
		}
		if err := x.write(ctx, "two", first); !errors.Is(err, ledger.ErrStale) {
			t.Errorf("%s: over an older version: %v", x.name, err)
		}
		if value, now := x.read(); value != "one" || now != second {
			t.Errorf("%s: a refused edit left %q", x.name, value)
		}
		if n := len(must(s.AuditRows(ctx, ledger.AuditFilter{}))(t)) - rows; n != 1 {
			t.Errorf("%s: %d audit rows for one edit", x.name, n)
		}
		ok(t, x.write(ctx, "three", 0))
		if value, _ := x.read(); value != "three" {
			t.Errorf("%s: in any case it is %q", x.name, value)
		}
		// Of many at once, one goes through.
		_, now := x.read()
		var wg sync.WaitGroup
		var through, stale atomic.Int32
		for _, name := range []string{"a", "b", "c", "d"} {
			wg.Go(func() {
				switch err := x.write(ctx, name, now); {
				case err == nil:
					through.Add(1)
				case errors.Is(err, ledger.ErrStale):
					stale.Add(1)
				default:
					t.Errorf("%s: at once with others: %v", x.name, err)
				}
			})
		}
		wg.Wait()
		if through.Load() != 1 || stale.Load() != 3 {
			t.Errorf("%s: of four edits of one version %d went through and %d were refused", x.name, through.Load(), stale.Load())
		}
	}
}
