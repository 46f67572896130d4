package server

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/debt/desk"
	"ballast/ledger"
)

// asker asks the API with a key, and reads typed answers.
type asker struct {
	t    *testing.T
	base string
	key  string
}

func askAs(t *testing.T, s *Server, grant ledger.Grant) asker {
	t.Helper()
	u, err := s.Record.AddUser(t.Context(), ledger.User{Name: fmt.Sprintf("%s at %s", grant.Role, grant.Site), Grants: []ledger.Grant{grant}}, ledger.By("test"))
	if err != nil {
		t.Fatal(err)
	}
	key, prefix, sum := ledger.NewAPIKey()
	if _, err := s.Record.AddAPIKey(t.Context(), ledger.APIKey{Prefix: prefix, Sum: sum, User: u.ID, Name: "k", Scopes: AllScopes()}, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	return asker{t, visit(t, s).base, key}
}

func (a asker) ask(method, path string, body, out any) (int, []byte) {
	a.t.Helper()
	var b bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&b).Encode(body); err != nil {
			a.t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.base+path, &b)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if out != nil && res.StatusCode < 300 {
		if err := json.Unmarshal(all, out); err != nil {
			a.t.Fatalf("%s %s: %v in %.300s", method, path, err, all)
		}
	}
	return res.StatusCode, all
}

func (a asker) must(method, path string, body, out any) {
	a.t.Helper()
	if code, all := a.ask(method, path, body, out); code >= 300 {
		a.t.Fatalf("%s %s: %d %.500s", method, path, code, all)
	}
}

func fileBody(kind, text string, preview bool, seen int64) map[string]any {
	return map[string]any{"kind": kind, "file": base64.StdEncoding.EncodeToString([]byte(text)), "preview": preview, "seen": seen}
}

// bring imports a file the way the page does: look, then write.
func (a asker) bring(kind, text string) DebtImport {
	a.t.Helper()
	var look, done DebtImport
	a.must("POST", "/api/v1/debt/import", fileBody(kind, text, true, 0), &look)
	if len(look.Errors) > 0 || look.Done {
		a.t.Fatalf("%s: %+v", kind, look.Errors)
	}
	a.must("POST", "/api/v1/debt/import", fileBody(kind, text, false, look.Rev), &done)
	if !done.Done {
		a.t.Fatalf("%s: %+v", kind, done)
	}
	return done
}

// withExample is a server whose record holds the example company, and somebody
// of finance.
func withExample(t *testing.T) (*Server, asker) {
	t.Helper()
	s := bare(t)
	a := askAs(t, s, ledger.Grant{Role: ledger.Finance})
	terms, files := desk.Example(time.Now(), 100_000, 2_000_000)
	var book DebtTerms
	a.must("GET", "/api/v1/debt/terms", nil, &book)
	a.must("PUT", "/api/v1/debt/terms", map[string]any{"seen": book.Rev, "terms": terms}, nil)
	for _, k := range desk.Kinds {
		if d := a.bring(string(k), files[k]); d.Adds == 0 && k != desk.Covenants {
			t.Fatalf("%s added nothing", k)
		}
	}
	return s, a
}

func TestDebtEmptyCompany(t *testing.T) {
	a := askAs(t, bare(t), ledger.Grant{Role: ledger.Finance})
	var p DebtPosition
	a.must("GET", "/api/v1/debt/position", nil, &p)
	if !p.Empty || len(p.Figures) == 0 || p.Example != "" {
		t.Errorf("%+v", p.Company)
	}
	for _, f := range p.Figures {
		if v, ok := f.Value.Get(); ok && v != 0 {
			t.Errorf("%s is %v without anything entered", f.Key, v)
		}
	}
	for _, path := range []string{"covenants", "weeks", "hashcost", "facilities", "terms", "board/board-pack.pdf", "board/board-pack.csv", "board/schedules.csv"} {
		if code, all := a.ask("GET", "/api/v1/debt/"+path, nil, nil); code != 200 {
			t.Errorf("%s: %d %.300s", path, code, all)
		}
	}
	for _, path := range []string{"facilities/none", "board/board-pack.exe", "templates/coins.csv", "templates/rates.pdf"} {
		if code, _ := a.ask("GET", "/api/v1/debt/"+path, nil, nil); code != 404 {
			t.Errorf("%s: %d", path, code)
		}
	}
}

// Debt is the whole company's: the right at one site is not enough.
func TestDebtTakesAllSites(t *testing.T) {
	s := bare(t)
	a := askAs(t, s, ledger.Grant{Role: ledger.Finance, Site: "hood"})
	for path, method := range map[string]string{"position": "GET", "facilities": "GET", "weeks": "GET", "board/board-pack.csv": "GET", "facilities/x": "DELETE", "entries/1": "DELETE"} {
		if code, all := a.ask(method, "/api/v1/debt/"+path, nil, nil); code != 403 || !strings.Contains(string(all), "all sites") {
			t.Errorf("%s: %d %s", path, code, all)
		}
	}
	if code, _ := a.ask("POST", "/api/v1/debt/import", fileBody("rates", "index,date,rate\nSOFR,2026-01-01,4%\n", false, 0), nil); code != 403 {
		t.Errorf("import: %d", code)
	}
}

func TestDebtPositionOfTheExample(t *testing.T) {
	_, a := withExample(t)
	var p DebtPosition
	a.must("GET", "/api/v1/debt/position?scope=all", nil, &p)
	if p.Empty || p.Example == "" || len(p.Covenants) != 5 || len(p.Wall) != 12 || len(p.Bases) != 4 || p.Changes.Note == "" {
		t.Errorf("%+v", p.Company)
	}
	// The register, the position and each facility's page tell the same cents.
	var r Register
	a.must("GET", "/api/v1/debt/facilities", nil, &r)
	var sum, counted int64
	for _, f := range r.Facilities {
		var page FacilityPage
		a.must("GET", "/api/v1/debt/facilities/"+f.ID, nil, &page)
		if page.Row.Balance != f.Balance || len(page.Versions) == 0 || len(page.Schedule) < 2 {
			t.Errorf("%s: %+v", f.ID, page.Row)
		}
		if last := page.Schedule[len(page.Schedule)-1]; last.Closing.Minor != 0 {
			t.Errorf("%s ends with %s", f.ID, last.Closing.Text)
		}
		if page.Paid.Minor+page.Short.Minor != page.Due.Minor {
			t.Errorf("%s: paid %d, short %d, due %d", f.ID, page.Paid.Minor, page.Short.Minor, page.Due.Minor)
		}
		sum += f.Balance.Minor
	}
	for _, c := range p.Counted {
		counted += c.Balance.Minor
	}
	if sum != r.Total.Minor || counted != sum {
		t.Errorf("the register sums to %d, told is %d, counted are %d", sum, r.Total.Minor, counted)
	}
	var w DebtWeeks
	a.must("GET", "/api/v1/debt/weeks", nil, &w)
	if w.Missing != "" || len(w.Weeks) != 13 {
		t.Fatalf("no plan: %s", w.Missing)
	}
	cash := w.Weeks[0].Opening.Minor
	for i, x := range w.Weeks {
		for _, l := range w.Lines {
			if l.Receipt {
				cash += l.Amounts[i].Minor
			} else {
				cash -= l.Amounts[i].Minor
			}
		}
		if x.Closing.Minor != cash || i > 0 && x.Opening != w.Weeks[i-1].Closing {
			t.Errorf("week %d closes with %d, its lines say %d", i+1, x.Closing.Minor, cash)
		}
	}
	for _, metric := range []string{"dscr", "liquidity", "coin-ltv", "runway-months"} {
		for _, against := range []string{"difficulty", "power%20price"} {
			var h DebtHashcost
			a.must("GET", "/api/v1/debt/hashcost?metric="+metric+"&against="+against, nil, &h)
			if h.Heat.Missing == "" && (len(h.Heat.Cells) != len(h.Heat.Other) || len(h.Heat.Cells[0]) != len(h.Heat.Price)) {
				t.Errorf("%s against %s: %+v", metric, against, h.Heat)
			}
		}
	}
	if code, all := a.ask("GET", "/api/v1/debt/board/board-pack.pdf", nil, nil); code != 200 || !bytes.HasPrefix(all, []byte("%PDF-")) || len(all) < 20_000 {
		t.Errorf("board pack: %d, %d bytes", code, len(all))
	} else if dir := os.Getenv("BALLAST_KEEP"); dir != "" {
		_ = os.WriteFile(filepath.Join(dir, "board-pack.pdf"), all, 0o600)
	}
	if code, all := a.ask("GET", "/api/v1/debt/board/board-pack.csv", nil, nil); code != 200 || !strings.Contains(string(all), "made up") || !strings.Contains(string(all), "Debt service cover") {
		t.Errorf("board pack: %d %.300s", code, all)
	}
}

// A damaged import, or one made from an older book, changes nothing: not the
// book, not the audit log.
func TestDamagedImportChangesNothing(t *testing.T) {
	s, a := withExample(t)
	state := func() string {
		b, err := s.Record.MoneyBook(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rigs, err := s.Record.RigPrices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		head, err := s.Record.VerifyAudit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all, _ := json.Marshal([]any{b, rigs, head})
		return string(all)
	}
	before := state()
	var rev struct{ Rev int64 }
	a.must("GET", "/api/v1/debt/facilities", nil, &rev)
	_, files := desk.Example(time.Now(), 100_000, 2_000_000)
	good := strings.Replace(files[desk.Facilities], "11.5%", "9%", 1) // would change one
	damage := map[string]struct{ kind, text string }{
		"a cut file":         {"facilities", good[:len(good)-70]},
		"one wrong cell":     {"facilities", strings.Replace(good, "linear", "lin", 1)},
		"a column gone":      {"facilities", strings.Replace(good, "principal", "amount", 1)},
		"not text":           {"facilities", "\xff\xfe\x00"},
		"half a spreadsheet": {"facilities", "PK\x03\x04half"},
		"last line wrong":    {"balances", "date,account,currency,amount\n2026-01-01,new,USD,5\n2026-01-02,new,USD,five\n"},
		"no such facility":   {"payments", "facility,due,paid,currency,amount\nmachine-loan,2026-01-01,2026-01-01,USD,5\nnobody,2026-01-01,2026-01-01,USD,5\n"},
		"a wrong price":      {"machine-prices", "date,tier_jth,usd_per_th,kind,source\n2026-01-01,<19,12,index,x\n2026-01-01,<19,-12,offer,x\n"},
	}
	for name, x := range damage {
		var look DebtImport
		a.must("POST", "/api/v1/debt/import", fileBody(x.kind, x.text, true, 0), &look)
		if len(look.Errors) == 0 {
			t.Errorf("%s: the preview finds nothing wrong", name)
		}
		if code, all := a.ask("POST", "/api/v1/debt/import", fileBody(x.kind, x.text, false, rev.Rev), nil); code != 422 {
			t.Errorf("%s: %d %.300s", name, code, all)
		}
		if state() != before {
			t.Fatalf("%s changed something", name)
		}
	}
	if code, _ := a.ask("POST", "/api/v1/debt/import", fileBody("facilities", good, false, rev.Rev-1), nil); code != 412 {
		t.Errorf("made from an older book: %d", code)
	}
	if state() != before {
		t.Fatal("an import from an older book changed something")
	}
	// And whatever bytes of a good file are damaged: all of it, or nothing.
	rapid.Check(t, func(r *rapid.T) {
		b := []byte(good)
		for range rapid.IntRange(1, 6).Draw(r, "bytes") {
			b[rapid.IntRange(0, len(b)-1).Draw(r, "at")] = rapid.Byte().Draw(r, "byte")
		}
		var look DebtImport
		a.must("POST", "/api/v1/debt/import", fileBody("facilities", string(b), true, 0), &look)
		if len(look.Errors) > 0 {
			if code, _ := a.ask("POST", "/api/v1/debt/import", fileBody("facilities", string(b), false, rev.Rev), nil); code != 422 || state() != before {
				r.Fatalf("%d for a file with errors", code)
			}
		}
	})
	// The good one is written, as one change.
	if done := a.bring("facilities", good); done.Changes != 1 || done.Rev != rev.Rev+1 {
		t.Errorf("%+v", done)
	}
	var page FacilityPage
	a.must("GET", "/api/v1/debt/facilities/machine-loan", nil, &page)
	if page.Row.Rate != "9%" || len(page.Facility.Covenants) != 3 || page.Versions[0].Changed[0].Field != "interest" {
		t.Errorf("%+v %+v", page.Row, page.Versions)
	}
}

// A template, filled in as it comes, can be imported: as CSV and as spreadsheet.
func TestDebtTemplates(t *testing.T) {
	a := askAs(t, bare(t), ledger.Grant{Role: ledger.Finance})
	for _, ending := range []string{".csv", ".xlsx"} {
		for _, k := range desk.Kinds {
			code, file := a.ask("GET", "/api/v1/debt/templates/"+string(k)+ending, nil, nil)
			if code != 200 {
				t.Fatalf("%s%s: %d", k, ending, code)
			}
			if d := a.bring(string(k), string(file)); ending == ".csv" && d.Adds+d.Changes == 0 || ending == ".xlsx" && d.Adds+d.Changes > 0 {
				t.Errorf("%s%s: %d added, %d changed", k, ending, d.Adds, d.Changes)
			}
		}
	}
}

func TestSaveFacility(t *testing.T) {
	s, a := withExample(t)
	var page FacilityPage
	a.must("GET", "/api/v1/debt/facilities/transformers", nil, &page)
	seen := page.Rev
	f := page.Facility
	f.Interest.Fixed = 50_000
	var preview, saved FacilityPage
	a.must("PUT", "/api/v1/debt/facilities/transformers", map[string]any{"seen": seen, "preview": true, "facility": f}, &preview)
	if preview.Row.Rate != "5%" || len(preview.Schedule) == 0 {
		t.Errorf("%+v", preview.Row)
	}
	if vs, _ := s.Record.FacilityVersions(t.Context(), "transformers"); len(vs) != 1 {
		t.Errorf("a preview saved: %d versions", len(vs))
	}
	a.must("PUT", "/api/v1/debt/facilities/transformers", map[string]any{"seen": seen, "facility": f}, &saved)
	if saved.Row.Version != 2 || saved.Rev != seen+1 || saved.Row.NextCash != preview.Row.NextCash {
		t.Errorf("%+v", saved.Row)
	}
	if code, _ := a.ask("PUT", "/api/v1/debt/facilities/transformers", map[string]any{"seen": seen, "facility": f}, nil); code != 412 {
		t.Errorf("from an older book: %d", code)
	}
	for name, x := range map[string]any{
		"another id":    map[string]any{"id": "other", "kind": "lease"},
		"a wrong field": map[string]any{"id": "transformers", "colour": "blue"},
		"nothing":       map[string]any{},
		"a wrong rate":  map[string]any{"id": "transformers", "interest": map[string]any{"fixed": "lots"}},
	} {
		if code, _ := a.ask("PUT", "/api/v1/debt/facilities/transformers", map[string]any{"seen": seen + 1, "facility": x}, nil); code != 422 {
			t.Errorf("%s: %d", name, code)
		}
	}
	var left Register
	a.must("DELETE", fmt.Sprintf("/api/v1/debt/facilities/transformers?seen=%d", seen+1), nil, &left)
	if len(left.Facilities) != 4 {
		t.Errorf("%d facilities are left", len(left.Facilities))
	}
	if code, _ := a.ask("DELETE", fmt.Sprintf("/api/v1/debt/facilities/transformers?seen=%d", seen+2), nil, nil); code != 404 {
		t.Errorf("removed twice: %d", code)
	}
}

// The position of a day is kept, and a week later the page says what changed.
func TestDebtDaysAreKept(t *testing.T) {
	s, a := withExample(t)
	week := time.Now().AddDate(0, 0, -7)
	if err := s.keepDebtDay(t.Context(), week); err != nil {
		t.Fatal(err)
	}
	var p DebtPosition
	a.must("GET", "/api/v1/debt/position", nil, &p)
	if p.Changes.Since != week.UTC().Format(time.DateOnly) || len(p.Changes.Figures) == 0 {
		t.Errorf("%+v", p.Changes)
	}
}

func TestSeedExample(t *testing.T) {
	s := bare(t)
	ctx := t.Context()
	if err := s.SeedExample(ctx, 60); err != nil {
		t.Fatal(err)
	}
	a := askAs(t, s, ledger.Grant{Role: ledger.Finance})
	var p DebtPosition
	a.must("GET", "/api/v1/debt/position", nil, &p)
	if p.Example == "" || p.Empty || p.Changes.Since == "" {
		t.Errorf("%+v %+v", p.Company, p.Changes)
	}
	rev := p.Rev
	if err := s.SeedExample(ctx, 60); err != nil {
		t.Fatal(err)
	}
	a.must("GET", "/api/v1/debt/position", nil, &p)
	if p.Rev != rev {
		t.Error("the example was written twice")
	}
}
