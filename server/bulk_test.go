package server

import (
	"encoding/json"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/miner"
	"ballast/unit"
)

func running(id int64, th unit.Hashrate, w unit.Power) *fleet.Status {
	st := at(id, "H", "C", "R", strconv.FormatInt(id, 10))
	st.Reading = &miner.Reading{State: miner.Hashing, HashrateNow: unit.Some(th), HashrateAverage: unit.Some(th), HashrateNominal: unit.Some(th), Power: unit.Some(w)}
	return st
}

func TestEffect(t *testing.T) {
	asleep := running(1, 0, 20)
	asleep.Reading.State, asleep.Condition, asleep.Reading.HashrateNominal = miner.Sleeping, fleet.CondSleeping, unit.Some[unit.Hashrate](200)
	silent := running(2, 200, 3400)
	silent.Condition = fleet.CondSilent
	e := miner.Envelope{Idle: unit.Some[unit.Power](20), PowerDefault: unit.Some[unit.Power](3400),
		Steps: []miner.Step{{Setting: miner.Setting{Kind: miner.SetProfile, Profile: "eco"}, Power: unit.Some[unit.Power](2500), Hashrate: unit.Some[unit.Hashrate](160)}}}
	for name, c := range map[string]struct {
		set  miner.Setting
		st   *fleet.Status
		e    miner.Envelope
		want Effect
	}{
		"sleep":                {miner.Setting{Kind: miner.SetSleep}, running(3, 200, 3400), e, Effect{PowerW: 3400, PowerAfterW: 20, HashrateThs: 200}},
		"sleep, idle not told": {miner.Setting{Kind: miner.SetSleep}, running(3, 200, 3400), miner.Envelope{}, Effect{PowerW: 3400, PowerUnknown: 1, PowerUnknownW: 3400, HashrateThs: 200}},
		"asleep already":       {miner.Setting{Kind: miner.SetSleep}, asleep, e, Effect{Already: 1, PowerW: 20, PowerAfterW: 20}},
		"wake":                 {miner.Setting{Kind: miner.SetWake}, asleep, e, Effect{PowerW: 20, PowerAfterW: 3400, HashrateAfter: 200}},
		"half the power":       {miner.Setting{Kind: miner.SetPower, Power: 1700}, running(3, 200, 3400), e, Effect{PowerW: 3400, PowerAfterW: 1700, HashrateThs: 200, HashrateAfter: 100, Modelled: true}},
		"a limit asleep":       {miner.Setting{Kind: miner.SetPower, Power: 1700}, asleep, e, Effect{PowerW: 20, PowerAfterW: 20}},
		"profile":              {miner.Setting{Kind: miner.SetProfile, Profile: "eco"}, running(3, 200, 3400), e, Effect{PowerW: 3400, PowerAfterW: 2500, HashrateThs: 200, HashrateAfter: 160}},
		"profile not known":    {miner.Setting{Kind: miner.SetProfile, Profile: "x"}, running(3, 200, 3400), e, Effect{PowerW: 3400, PowerUnknown: 1, PowerUnknownW: 3400, HashrateThs: 200, HashUnknown: 1, HashUnknownTh: 200}},
		"reboot":               {miner.Setting{Kind: miner.SetReboot}, running(3, 200, 3400), e, Effect{PowerW: 3400, PowerAfterW: 3400, HashrateThs: 200, HashrateAfter: 200}},
		"silent":               {miner.Setting{Kind: miner.SetSleep}, silent, e, Effect{Silent: 1}},
	} {
		k := newReckoning()
		k.add(c.st, c.set, c.e)
		k.Missing = nil
		got := k.Effect
		if got.Already != c.want.Already || got.Silent != c.want.Silent || got.PowerW != c.want.PowerW || got.PowerAfterW != c.want.PowerAfterW || got.PowerUnknown != c.want.PowerUnknown || got.PowerUnknownW != c.want.PowerUnknownW ||
			got.HashrateThs != c.want.HashrateThs || math.Abs(got.HashrateAfter-c.want.HashrateAfter) > 1e-9 || got.HashUnknown != c.want.HashUnknown || got.HashUnknownTh != c.want.HashUnknownTh || got.Modelled != c.want.Modelled {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// Money is said only when everything it takes is known.
func TestEffectInMoney(t *testing.T) {
	e := miner.Envelope{Idle: unit.Some[unit.Power](0)}
	price := func(p, h bool, c unit.Currency) func(string, time.Time) Prices {
		return func(string, time.Time) Prices {
			var out Prices
			if p {
				out.Power = unit.Some(unit.EnergyPriceOf(50, unit.USD))
			}
			if h {
				out.Hashprice = unit.Some(unit.HashpriceOf(40, c))
			}
			return out
		}
	}
	for _, c := range []struct {
		prices  func(string, time.Time) Prices
		want    string
		missing int
	}{
		{nil, "", 2},
		{price(true, false, unit.USD), "", 1},
		{price(false, true, unit.USD), "", 1},
		{price(true, true, unit.EUR), "", 1},
		// 10 PH/s at $40 a day less, 0.2 MW x 24 h at $50 saved.
		{price(true, true, unit.USD), "-$160.00", 0},
	} {
		k := newReckoning()
		for id := range int64(50) {
			k.add(running(id+1, 200, 4000), miner.Setting{Kind: miner.SetSleep}, e)
		}
		k.price(c.prices, time.Now())
		if k.MoneyPerDay != c.want || len(k.Missing) != c.missing {
			t.Errorf("%q, missing %v; want %q and %d", k.MoneyPerDay, k.Missing, c.want, c.missing)
		}
	}
}

func TestSiblings(t *testing.T) {
	var all []*fleet.Status
	for id := range int64(8) {
		all = append(all, running(id+1, unit.Hashrate(200+id), 4000))
	}
	all[7].Machine.Place.Rack, all[6].Machine.Model = "R9", "M60"
	got := compare(all[0], all)
	if got.Among != "rack" || got.Others != 5 || len(got.Figures) < 2 {
		t.Fatalf("%+v", got)
	}
	if f := got.Figures[0]; f.Name != "hashrate" || *f.Value != 200 || f.Low != 201 || f.Median != 203 || f.Quarter != 202 || f.Three != 204 || f.High != 205 || *f.Below != 0 {
		t.Errorf("%+v", f)
	}
	if got := compare(all[7], all); got.Among != "container" || got.Others != 6 {
		t.Errorf("alone in its rack, it is compared in the %s with %d", got.Among, got.Others)
	}
	if got := compare(all[6], all); got.Others != 0 || len(got.Figures) != 0 {
		t.Errorf("the only one of its model: %+v", got)
	}
}

// A batch from its wish to its end, by people of different rights.
func TestBatches(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	found := []fleet.Found{}
	for i := range 3 {
		found = append(found, fleet.Found{Addr: netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), Identity: miner.Identity{MAC: "02:00:00:00:00:0" + strconv.Itoa(i+1), Firmware: miner.Antminer}})
	}
	ms, err := s.Fleet.Observe(t.Context(), found)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Record.EditMachines(t.Context(), []int64{ms[2].ID}, ledger.MachineEdit{Retired: unit.Some(true)}, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	if err := s.Fleet.Renew(t.Context(), []int64{ms[2].ID}); err != nil {
		t.Fatal(err)
	}
	operator := []string{"Authorization", "Bearer " + grantKey(t, s, ledger.Grant{Role: ledger.Operator, Site: "site"})}
	technician := []string{"Authorization", "Bearer " + grantKey(t, s, ledger.Grant{Role: ledger.Technician, Site: "site"})}
	elsewhere := []string{"Authorization", "Bearer " + grantKey(t, s, ledger.Grant{Role: ledger.Operator, Site: "elsewhere"})}
	ids := []int64{ms[0].ID, ms[1].ID, ms[2].ID, ms[0].ID}
	wish := func(kind string, preview bool) map[string]any {
		return map[string]any{"machines": ids, "setting": map[string]any{"kind": kind}, "preview": preview}
	}
	code, out := v.do("POST", "/api/v1/commands", wish("sleep", true), operator...)
	if code != 200 || out["takes"] != 2.0 || out["batch"] != nil || len(out["reasons"].([]any)) != 1 || out["silent"] != 2.0 {
		t.Fatalf("preview: %d %v", code, out)
	}
	if code, out := v.do("POST", "/api/v1/commands", wish("sleep", false), technician...); code != 403 {
		t.Errorf("a technician put machines to sleep: %d %v", code, out)
	}
	if code, _ := v.do("POST", "/api/v1/commands", wish("sleep", false), elsewhere...); code != 404 {
		t.Errorf("somebody of another site: %d", code)
	}
	keyed := append([]string{"Idempotency-Key", "k1"}, operator...)
	code, out = v.do("POST", "/api/v1/commands", wish("sleep", false), keyed...)
	batch, _ := out["batch"].(string)
	if code != 200 || batch == "" || len(out["commands"].([]any)) != 2 {
		t.Fatalf("%d %v", code, out)
	}
	if _, again := v.do("POST", "/api/v1/commands", wish("sleep", false), keyed...); again["batch"] != batch {
		t.Errorf("the same wish again is batch %v", again["batch"])
	}
	code, out = v.do("GET", "/api/v1/batches/"+batch, nil, technician...)
	if code != 200 || out["open"] != 2.0 || out["machines"] != 2.0 || out["states"].(map[string]any)["pending"] != 2.0 || len(out["waiting"].([]any)) != 2 {
		t.Errorf("%d %v", code, out)
	}
	if code, _ := v.do("GET", "/api/v1/batches/"+batch, nil, elsewhere...); code != 404 {
		t.Errorf("another site's batch: %d", code)
	}
	if code, _ := v.do("POST", "/api/v1/batches/"+batch+"/cancel", nil, elsewhere...); code != 404 {
		t.Errorf("another site's batch taken back: %d", code)
	}
	if code, _ := v.do("POST", "/api/v1/batches/"+batch+"/cancel", nil, technician...); code != 403 {
		t.Errorf("a technician took back what they may not ask for: %d", code)
	}
	if code, out := v.do("POST", "/api/v1/batches/"+batch+"/cancel", nil, operator...); code != 200 || out["cancelled"] != 2.0 {
		t.Errorf("%d %v", code, out)
	}
	if _, out := v.do("GET", "/api/v1/batches/"+batch, nil, operator...); out["open"] != 0.0 || out["states"].(map[string]any)["cancelled"] != 2.0 || out["cancelled_by"] == nil {
		t.Errorf("after taking it back: %v", out)
	}
	if code, out := v.do("POST", "/api/v1/commands", map[string]any{"machines": ids[:1], "setting": map[string]any{"kind": "reboot"}}, technician...); code != 200 || out["batch"] == nil {
		t.Errorf("a technician may reboot: %d %v", code, out)
	}
}

func TestEditManyAndSearch(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	ms, err := s.Fleet.Observe(t.Context(), []fleet.Found{
		{Addr: netip.MustParseAddr("10.0.0.1"), Identity: miner.Identity{MAC: "02:00:5e:00:00:01", Serial: "SN-ALPHA", Firmware: miner.Antminer}},
		{Addr: netip.MustParseAddr("10.0.0.2"), Identity: miner.Identity{MAC: "02:00:5e:00:00:02", Serial: "SN-BETA", Firmware: miner.Antminer}}})
	if err != nil {
		t.Fatal(err)
	}
	tech := []string{"Authorization", "Bearer " + grantKey(t, s, ledger.Grant{Role: ledger.Technician})}
	both := []int64{ms[0].ID, ms[1].ID}
	if code, out := v.do("POST", "/api/v1/machines/edit", map[string]any{"machines": both, "group": "north", "add_tags": []string{"rma"}}, tech...); code != 200 || out["machines"] != 2.0 {
		t.Fatalf("%d %v", code, out)
	}
	if code, _ := v.do("POST", "/api/v1/machines/edit", map[string]any{"machines": both, "retired": true}, tech...); code != 403 {
		t.Errorf("a technician retired machines: %d", code)
	}
	if code, _ := v.do("POST", "/api/v1/machines/edit", map[string]any{"machines": []int64{ms[0].ID, 999}, "group": "x"}, tech...); code != 404 {
		t.Errorf("a machine that is not there: %d", code)
	}
	if st, _ := s.Fleet.Get(miner.ID(ms[0].ID)); st.Machine.Group != "north" || len(st.Machine.Tags) != 1 {
		t.Errorf("live it is %+v", st.Machine)
	}
	for words, want := range map[string]string{"02005e000002": "10.0.0.2", "02:00:5E:00:00:01": "10.0.0.1", "alpha": "10.0.0.1", "nort": "north", "RMA": "rma", "10.0.0.2": "10.0.0.2"} {
		hits := v.listing("/api/v1/search?q="+words, tech...)
		if len(hits) == 0 || hits[0]["name"] != want {
			t.Errorf("%s: %v", words, hits)
		}
	}
	if code, _ := v.do("POST", "/api/v1/machines/"+strconv.FormatInt(ms[0].ID, 10)+"/notes", map[string]any{"text": "fan replaced"}, tech...); code != 200 {
		t.Errorf("a note: %d", code)
	}
	code, m := v.do("GET", "/api/v1/machines/"+strconv.FormatInt(ms[0].ID, 10), nil, tech...)
	if code != 200 || m["notes"].([]any)[0].(map[string]any)["text"] != "fan replaced" || len(m["addresses"].([]any)) != 1 {
		t.Errorf("%d %v", code, m)
	}
	viewer := []string{"Authorization", "Bearer " + grantKey(t, s, ledger.Grant{Role: ledger.Viewer})}
	if code, _ := v.do("POST", "/api/v1/filters", map[string]any{"name": "hot", "query": "q=temp", "shared": true}, viewer...); code != 403 {
		t.Errorf("a viewer saved for everybody: %d", code)
	}
	_, mine := v.do("POST", "/api/v1/filters", map[string]any{"name": "hot", "query": "q=temp"}, viewer...)
	_, shared := v.do("POST", "/api/v1/filters", map[string]any{"name": "all", "query": "q=x", "shared": true}, tech...)
	if got := v.listing("/api/v1/filters", tech...); len(got) != 1 || got[0]["name"] != "all" {
		t.Errorf("the technician sees %v", got)
	}
	if got := v.listing("/api/v1/filters", viewer...); len(got) != 2 {
		t.Errorf("the viewer sees %v", got)
	}
	path := func(f map[string]any) string { return "/api/v1/filters/" + strconv.Itoa(int(f["id"].(float64))) }
	if code, _ := v.do("DELETE", path(mine), nil, tech...); code != 404 {
		t.Errorf("somebody else's filter: %d", code)
	}
	if code, _ := v.do("DELETE", path(shared), nil, viewer...); code != 403 {
		t.Errorf("a viewer removed everybody's filter: %d", code)
	}
	if code, _ := v.do("DELETE", path(mine), nil, viewer...); code != 204 {
		t.Errorf("one's own filter: %d", code)
	}
}

// listing is a GET that answers with a list.
func (v *visitor) listing(path string, header ...string) []map[string]any {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.base+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	var out []map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		v.t.Fatalf("%s: %v", path, err)
	}
	return out
}
