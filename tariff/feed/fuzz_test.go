package feed

import (
	"slices"
	"testing"
	"time"
)

// sane is what every parser promises of whatever it is given.
func sane(t *testing.T, b Batch, series ...string) {
	t.Helper()
	for _, p := range b.Points {
		if years(p.Start) != nil && years(p.Start.Add(48*time.Hour)) != nil && years(p.Start.Add(-48*time.Hour)) != nil || p.Length < time.Minute || p.Length > 24*time.Hour || p.Micro > maxMicro || p.Micro < -maxMicro || !slices.Contains(series, p.Series) {
			t.Fatalf("%+v", p)
		}
	}
	if len(b.Problems) > enough+1 {
		t.Fatal("problems without end")
	}
}

func FuzzERCOTCSV(f *testing.F) {
	reports := []ERCOTReport{ERCOTDayAhead, ERCOTRealTime, ERCOTAncillary, ERCOTLoadForecast, ERCOTLoad, ERCOTSCED}
	f.Add(0, []byte(damCSV(f, "2026-11-01")))
	f.Add(0, zipped(f, map[string]string{"x.csv": damCSV(f, "2026-03-08")}))
	f.Add(1, []byte("DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointType,SettlementPointPrice,DSTFlag\n11/01/2026,2,1,HB_NORTH,HU,20.01,Y\n"))
	f.Add(2, []byte("DeliveryDate,HourEnding,AncillaryType,MCPC,DSTFlag\n08/05/2026,01:00,HB_NORTH,0.07,N\n"))
	f.Add(3, []byte("DeliveryDate,HourEnding,HB_NORTH,Model,InUseFlag,DSTFlag\n09/03/2026,24:00,12000.5,A6,Y,N\n"))
	f.Add(5, []byte("SCEDTimestamp,RepeatedHourFlag,SettlementPoint,LMP\n11/01/2026 01:10:14,N,HB_NORTH,20\n"))
	f.Fuzz(func(t *testing.T, which int, body []byte) {
		r := reports[uint(which)%uint(len(reports))]
		b, _ := ParseERCOTCSV(r, []string{"HB_NORTH"}, body, time.Time{})
		sane(t, b, ercotName(r, "HB_NORTH"))
	})
}

func FuzzERCOTJSON(f *testing.F) {
	f.Add([]byte(`{"_meta":{"totalPages":3},"fields":[{"name":"deliveryDate"},{"name":"hourEnding"},{"name":"settlementPoint"},{"name":"settlementPointPrice"},{"name":"DSTFlag"}],"data":[["2026-11-01","02:00","HB_NORTH",20.01,true],["2026-11-01","02:00"]]}`))
	f.Add([]byte(`{"statusCode":429,"message":"Rate limit is exceeded."}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, _, _ := ParseERCOTJSON(ERCOTDayAhead, []string{"HB_NORTH"}, body)
		sane(t, b, ercotName(ERCOTDayAhead, "HB_NORTH"))
	})
}

func FuzzERCOTDocuments(f *testing.F) {
	f.Add([]byte(`{"ListDocsByRptTypeRes":{"DocumentList":[{"Document":{"DocID":"1","FriendlyName":"SPP_csv","PublishDate":"2026-07-01T00:17:00-05:00"}}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, _ := parseDocuments(body)
		for i := range d {
			if d[i].ID == "" || i > 0 && d[i].Published.Before(d[i-1].Published) {
				t.Fatal(d)
			}
		}
	})
}

func FuzzOASIS(f *testing.F) {
	csv := oasisHead + oasisRow("2026-02-01T15:00:00-00:00", "2026-02-01T16:00:00-00:00", "LMP_PRC", "N", "74.63123")
	f.Add([]byte(csv))
	f.Add(zipped(f, map[string]string{"x.csv": csv}))
	f.Add([]byte(oasisError("1000", "No data returned for the specified selection")))
	f.Add([]byte(`<OASISReport><REPORT_DATA><DATA_ITEM>LMP_PRC</DATA_ITEM><RESOURCE_NAME>N</RESOURCE_NAME><INTERVAL_START_GMT>2026-02-01T15:00:00-00:00</INTERVAL_START_GMT><INTERVAL_END_GMT>2026-02-01T16:00:00-00:00</INTERVAL_END_GMT><VALUE>1</VALUE></REPORT_DATA></OASISReport>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, _ := ParseOASIS(OASISDayAhead, []string{"N"}, body)
		sane(t, b, "caiso.dam.N")
	})
}

func FuzzENTSOE(f *testing.F) {
	f.Add([]byte(priceDocument("A03", "PT15M", "2026-03-28T23:00Z", "2026-03-29T22:00Z", "1", "63.2", "4", "-10.50")))
	f.Add([]byte(priceDocument("A01", "PT60M", "2026-02-16T23:00Z", "2026-02-17T23:00Z", "2", "1e2", "9", "x")))
	f.Add([]byte(acknowledgement("999", "No matching data found")))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, _ := (&ENTSOE{Document: ENTSOEDayAhead, Zone: "10YBE----------2", Label: "BE"}).Parse(body)
		sane(t, b, "entsoe.dam.BE")
	})
}

func FuzzGenericCSV(f *testing.F) {
	f.Add([]byte("t,v,k\n2026-10-25 02:00,\"1,5\",a\n2026-10-25 24:00,-1.000,a\n"), "2006-01-02 15:04", true)
	f.Add([]byte("t,v,k\n1771286400,1,a\n"), "unix", false)
	f.Add([]byte("t,v,k\n2026-07-01T00:00:00Z,1e2,a\n"), "", false)
	f.Fuzz(func(t *testing.T, body []byte, layout string, ends bool) {
		g := Generic{Of: Series{Name: "s", Interval: time.Hour}, Shape: Shape{Time: "t", Value: "v", Layout: layout, Zone: "Europe/Berlin", Ends: ends, Comma: ends, Where: []Match{{"k", "a"}}}}
		b, _ := g.Parse(body)
		sane(t, b, "s")
	})
}

func FuzzGenericJSON(f *testing.F) {
	f.Add([]byte(`{"rows":[{"t":"2026-07-01T00:00:00Z","v":1.5},{"t":"x","v":null},{"t":1,"v":"2"}]}`), "rows", "t")
	f.Add([]byte(`[[1771286400,1]]`), "@this", "0")
	f.Fuzz(func(t *testing.T, body []byte, rows, at string) {
		g := Generic{JSON: true, Of: Series{Name: "s", Interval: time.Hour}, Shape: Shape{Rows: rows, Time: at, Value: "v", Layout: "rfc3339"}}
		b, _ := g.Parse(body)
		sane(t, b, "s")
	})
}

func FuzzLogLine(f *testing.F) {
	f.Add(line(Value{Point: point(2, 40, day0), Received: day0}))
	f.Add([]byte("00000000\t"))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := parseLine(body)
		if err != nil {
			return
		}
		again, err := parseLine(line(v)[:len(line(v))-1])
		if err != nil || again != v {
			t.Fatalf("%+v, again %+v, %v", v, again, err)
		}
	})
}
