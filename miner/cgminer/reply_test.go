package cgminer

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"ballast/miner"
)

// warnings collects remarks.
type warnings []miner.Warning

func (w *warnings) add(kind miner.WarningKind, where, detail string) {
	*w = append(*w, miner.Warning{Kind: kind, Where: where, Detail: detail})
}

func mustRead(t *testing.T, raw string) Reply {
	t.Helper()
	var w warnings
	r, ok := Read("test", []byte(raw), w.add)
	if !ok {
		t.Fatalf("not read: %v", w)
	}
	return r
}

func TestReadStatus(t *testing.T) {
	when := time.Unix(1700000000, 0).UTC()
	for name, c := range map[string]struct {
		raw  string
		want Status
	}{
		"list":        {`{"STATUS":[{"STATUS":"S","When":1700000000,"Code":11,"Msg":"Summary","Description":"cgminer"}],"id":1}`, Status{'S', 11, "Summary", "cgminer", when}},
		"object":      {`{"STATUS":{"STATUS":"I","when":1700000000,"Msg":"stats"}}`, Status{'I', 0, "stats", "", when}},
		"MicroBT":     {`{"STATUS":"E","When":1700000000,"Code":14,"Msg":"invalid cmd","Description":""}`, Status{'E', 14, "invalid cmd", "", when}},
		"in quotes":   {`{"STATUS":[{"STATUS":"W","When":"1700000000","Code":"7"}]}`, Status{'W', 7, "", "", when}},
		"no clock":    {`{"STATUS":[{"STATUS":"S","When":38601}]}`, Status{'S', 0, "", "", time.Time{}}},
		"text":        {"STATUS=S,When=1700000000,Code=11,Msg=Summary,Description=cgminer 4.9|SUMMARY,Elapsed=5|\x00", Status{'S', 11, "Summary", "cgminer 4.9", when}},
		"none":        {`{"minertype":"x"}`, Status{}},
		"of any kind": {`{"STATUS":7}`, Status{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mustRead(t, c.raw).Status; got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestSection(t *testing.T) {
	for name, raw := range map[string]string{
		"list":              `{"STATUS":[{"STATUS":"S"}],"SUMMARY":[{"Elapsed":5}],"id":1}`,
		"object":            `{"SUMMARY":{"Elapsed":5}}`,
		"list of lists":     `{"SUMMARY":[[{"Elapsed":5}]]}`,
		"lower case":        `{"summary":[{"Elapsed":5}]}`,
		"combined":          `{"summary":[{"STATUS":[{"STATUS":"S"}],"SUMMARY":[{"Elapsed":5}],"id":1}],"stats":[{"STATUS":[{"STATUS":"S"}],"STATS":[]}],"id":1}`,
		"combined, objects": `{"summary":{"STATUS":[{"STATUS":"S"}],"SUMMARY":[{"Elapsed":5}]},"id":1}`,
		"MicroBT combined":  `{"summary":[{"STATUS":"S","Msg":"Summary","SUMMARY":[{"Elapsed":5}]}]}`,
		"text":              "STATUS=S,When=1|SUMMARY,Elapsed=5|",
		"combined text":     "CMD=version|STATUS=S|VERSION,API=3.7|CMD=summary|STATUS=S,When=1|SUMMARY,Elapsed=5|\x00",
		"after a blank":     " \n{ \"SUMMARY\" : [ { \"Elapsed\" : 5 } ] }\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := mustRead(t, raw)
			if got := r.First("SUMMARY").Int("Elapsed").Or(-1); got != 5 || len(r.Section("SUMMARY")) != 1 {
				t.Errorf("elapsed %d of %d objects", got, len(r.Section("SUMMARY")))
			}
			if r.Has("NOTHING") || len(r.Section("NOTHING")) > 0 || !r.First("NOTHING").Empty() {
				t.Error("a section that is not there was found")
			}
		})
	}
}

func TestParts(t *testing.T) {
	r := mustRead(t, `{"summary":[{"STATUS":[{"STATUS":"S","Msg":"Summary"}],"SUMMARY":[{}]}],"stats":[{"STATUS":[{"STATUS":"E","Code":14,"Msg":"Invalid command"}]}],"id":1}`)
	parts := r.Parts()
	if len(parts) != 2 || parts[0].Name != "summary" || parts[1].Name != "stats" || !r.Combined() {
		t.Fatalf("parts %+v", parts)
	}
	if !parts[0].Status.OK() || !errors.Is(parts[1].Status.Err(), miner.ErrUnsupported) {
		t.Errorf("statuses %+v, %+v", parts[0].Status, parts[1].Status)
	}
	plain := mustRead(t, `{"STATUS":[{"STATUS":"S"}],"SUMMARY":[{}]}`)
	if got := plain.Parts(); len(got) != 1 || got[0].Name != "test" || plain.Combined() {
		t.Errorf("a plain reply has the parts %+v", got)
	}
}

func TestReadText(t *testing.T) {
	r := mustRead(t, `STATUS=S,When=1700000000,Code=7,Msg=2 Pool(s),Description=cgminer 4.11.1|POOL=0,URL=stratum+tcp://a\,b\=c:1,Status=Alive,User=x\|y|POOL=1,URL=two,Status=Dead|`)
	pools := r.Section("POOLS")
	if len(pools) != 2 || pools[0].Text("URL") != "stratum+tcp://a,b=c:1" || pools[0].Text("User") != "x|y" || pools[1].Int("POOL").Or(-1) != 1 {
		t.Errorf("pools %+v", pools)
	}
	// Avalon forgets to escape the commas in its MM IDs.
	r = mustRead(t, "STATUS=S,When=1|STATS=0,ID=AVA100,MM ID0=Ver[1] SYSTEMSTATU[Work: In Work, Hash Board: 3 ] Temp[30],MM Count=1|")
	o := r.First("STATS")
	if got := o.Text("MM ID0"); got != "Ver[1] SYSTEMSTATU[Work: In Work, Hash Board: 3 ] Temp[30]" || o.Int("MM Count").Or(0) != 1 {
		t.Errorf("MM ID0 is %q", got)
	}
}

func TestReadWarns(t *testing.T) {
	for name, c := range map[string]struct {
		raw  string
		kind miner.WarningKind
		ok   bool
	}{
		"mended":    {`{"STATS":[{"a":1}{"b":2}]}`, miner.WarnRepaired, true},
		"truncated": {`{"STATS":[{"a":1},{"b":`, miner.WarnTruncated, true},
		"HTML":      {"<html><body>login</body></html>", miner.WarnBroken, false},
		"empty":     {"\x00\n", miner.WarnBroken, false},
		"words":     {"Socket connect failed: Connection refused\n", miner.WarnBroken, false},
	} {
		t.Run(name, func(t *testing.T) {
			var w warnings
			if _, ok := Read("stats", []byte(c.raw), w.add); ok != c.ok || len(w) != 1 || w[0].Kind != c.kind || w[0].Where != "stats" {
				t.Errorf("ok %v, warnings %v", ok, w)
			}
		})
	}
}

func TestStatusErr(t *testing.T) {
	for _, c := range []struct {
		s    Status
		want error
	}{
		{Status{Kind: 'S'}, nil}, {Status{Kind: 'I'}, nil}, {Status{Kind: 'W'}, nil}, {Status{}, nil},
		{Status{Kind: 'E', Code: 45, Msg: "Access denied to 'addpool' command"}, miner.ErrLocked},
		{Status{Kind: 'E', Code: 14, Msg: "Invalid command"}, miner.ErrUnsupported},
		{Status{Kind: 'E', Code: 26, Msg: "Invalid pool id 7"}, miner.ErrRefused},
		{Status{Kind: 'F', Msg: "bug"}, miner.ErrRefused},
	} {
		err := c.s.Err()
		if !errors.Is(err, c.want) || err != nil && c.s.Msg != "" && !strings.Contains(err.Error(), c.s.Msg) {
			t.Errorf("%+v: %v, want %v", c.s, err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, c := range mendCases {
		f.Add([]byte(c.in))
	}
	f.Add([]byte("CMD=summary|STATUS=S,When=1|SUMMARY,Elapsed=5|CMD=|\x00"))
	f.Add([]byte(`STATUS=S|POOL=0,URL=a\,b|POOL=1|STATS=0,x,y=|=|`))
	f.Add([]byte(`{"summary":[{"STATUS":"S","Msg":{},"SUMMARY":[[{"a":"\u00e9"}],3]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if isText(trim(raw)) && !json.Valid(textToJSON(trim(raw))) {
			t.Fatalf("text %q became invalid JSON %s", raw, textToJSON(trim(raw)))
		}
		r, ok := Read("x", raw, nil)
		if !ok {
			return
		}
		if !json.Valid([]byte(r.JSON().Raw)) {
			t.Fatalf("%q was read as invalid JSON %s", raw, r.JSON().Raw)
		}
		for _, p := range r.Parts() {
			for _, name := range p.Root().Keys() {
				for _, o := range p.Section(name) {
					for _, key := range o.Keys() {
						_, _, _, _ = o.Float(key), o.Int(key), o.Bool(key), o.Floats(key)
						_ = o.List(key)
					}
				}
			}
		}
		_, _ = New().Parse(miner.Replies{"x": raw})
	})
}
