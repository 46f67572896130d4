package feed

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func zone0(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func zipped(t testing.TB, members map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range sortedKeys(members) {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write([]byte(members[name]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// said prints points as "time value", in a zone, for comparison.
func said(b Batch, loc *time.Location) string {
	var out []string
	for _, p := range b.Points {
		out = append(out, fmt.Sprintf("%s %s %v %g", p.Series, p.Start.In(loc).Format("01-02 15:04-07"), p.Length, float64(p.Micro)/1e6))
	}
	return strings.Join(out, "\n")
}

// damCSV is a day of the day-ahead report: every hour of the day on the Texan
// clock costs its number in the day.
func damCSV(t testing.TB, date string) string {
	loc := zone0(t, "America/Chicago")
	d, err := time.ParseInLocation(time.DateOnly, date, loc)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag\n")
	y, m, dd := d.Date()
	n := 1
	last := -1
	for at := d; at.Before(time.Date(y, m, dd+1, 0, 0, 0, 0, loc)); at = at.Add(time.Hour) {
		flag := "N"
		if at.Hour() == last {
			flag = "Y"
		}
		last = at.Hour()
		fmt.Fprintf(&b, "%s,%02d:00,HB_NORTH,%d.25,%s\n%s,%02d:00,LZ_WEST,-1,%s\n", d.Format("01/02/2006"), at.Hour()+1, n, flag, d.Format("01/02/2006"), at.Hour()+1, flag)
		n++
	}
	return b.String()
}

func TestERCOTDayAheadOnDaysOfEveryLength(t *testing.T) {
	loc := zone0(t, "America/Chicago")
	for date, hours := range map[string]int{"2026-03-08": 23, "2026-07-01": 24, "2026-11-01": 25} {
		b, err := ParseERCOTCSV(ERCOTDayAhead, []string{"HB_NORTH"}, zipped(t, map[string]string{"cdr.00012331.0000000000000000.DAMSPNP4190.csv": damCSV(t, date)}), time.Time{})
		if err != nil || len(b.Problems) > 0 || len(b.Points) != hours {
			t.Fatalf("%s: %d points %v %v", date, len(b.Points), b.Problems, err)
		}
		midnight, _ := time.ParseInLocation(time.DateOnly, date, loc)
		for i, p := range b.Points {
			if !p.Start.Equal(midnight.Add(time.Duration(i)*time.Hour)) || p.Micro != int64(i+1)*1e6+250_000 || p.Length != time.Hour || p.Series != "ercot.dam.HB_NORTH" {
				t.Errorf("%s: %d: %+v", date, i, p)
			}
		}
	}
	// The hour that the clock skips, and a repeated one that is none, are problems.
	b, err := ParseERCOTCSV(ERCOTDayAhead, []string{"HB_NORTH"}, []byte("DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag\n"+
		"03/08/2026,03:00,HB_NORTH,1,N\n03/08/2026,04:00,HB_NORTH,1,Y\n03/08/2026,25:00,HB_NORTH,1,N\n03/08/2026,24:00,HB_NORTH,7.5,N\n03/08/2026,02:00,HB_NORTH,NaN,N\n"), time.Time{})
	if err != nil || len(b.Problems) != 4 || said(b, loc) != "ercot.dam.HB_NORTH 03-08 23:00-05 1h0m0s 7.5" {
		t.Errorf("%s %v %v", said(b, loc), b.Problems, err)
	}
}

func TestERCOTRealTime(t *testing.T) {
	loc := zone0(t, "America/Chicago")
	csv := `"DeliveryDate","DeliveryHour","DeliveryInterval","SettlementPointName","SettlementPointType","SettlementPointPrice","DSTFlag"
"11/01/2026","2","1","LZ_WEST","LZ","20.01","N"
"11/01/2026","2","1","LZ_WEST","LZEW","21.99","N"
"11/01/2026","2","4","LZ_WEST","LZ","5000","N"
"11/01/2026","2","1","LZ_WEST","LZ","-250.00","Y"
"11/01/2026","24","4","LZ_WEST","LZ","30","N"
"11/01/2026","24","5","LZ_WEST","LZ","30","N"
`
	want := `ercot.rtm.LZ_WEST 11-01 01:00-05 15m0s 20.01
ercot.rtm.LZ_WEST 11-01 01:45-05 15m0s 5000
ercot.rtm.LZ_WEST 11-01 01:00-06 15m0s -250
ercot.rtm.LZ_WEST 11-01 23:45-06 15m0s 30`
	b, err := ParseERCOTCSV(ERCOTRealTime, []string{"LZ_WEST"}, []byte(csv), time.Unix(1e9, 0))
	if err != nil || said(b, loc) != want || len(b.Problems) != 1 || b.Points[0].Published.Unix() != 1e9 {
		t.Errorf("%s %v %v", said(b, loc), b.Problems, err)
	}
	json := `{"_meta":{"totalRecords":4,"pageSize":1000,"totalPages":3,"currentPage":1,"query":{}},"report":{"reportEMIL":"NP6-905-CD"},
"fields":[{"name":"deliveryDate","label":"Delivery Date","dataType":"DATE"},{"name":"deliveryHour"},{"name":"deliveryInterval"},{"name":"settlementPoint"},{"name":"settlementPointType"},{"name":"settlementPointPrice"},{"name":"DSTFlag"}],
"data":[["2026-11-01",2,1,"LZ_WEST","LZ",20.01,false],["2026-11-01",2,1,"LZ_WEST","LZEW",21.99,false],["2026-11-01",2,4,"LZ_WEST","LZ",5E+3,false],["2026-11-01",2,1,"LZ_WEST","LZ",-250,true],["2026-11-01",24,4,"LZ_WEST","LZ",30.0,false],["2026-11-01",24]],"links":[]}`
	b, pages, err := ParseERCOTJSON(ERCOTRealTime, []string{"LZ_WEST"}, []byte(json))
	if err != nil || said(b, loc) != want || len(b.Problems) != 1 || pages != 3 {
		t.Errorf("%s %v %v", said(b, loc), b.Problems, err)
	}
}

func TestERCOTOtherReports(t *testing.T) {
	loc := zone0(t, "America/Chicago")
	for _, x := range []struct {
		report ERCOTReport
		points []string
		csv    string
		want   string
	}{
		{ERCOTAncillary, []string{"REGUP", "ECRS"}, "DeliveryDate,HourEnding,AncillaryType,MCPC,DSTFlag\n08/05/2026,01:00,ECRS,0.07,N\n08/05/2026,01:00,REGDN,0.89,N\n08/05/2026,01:00,REGUP,3.5,N\n",
			"ercot.as.ECRS 08-05 00:00-05 1h0m0s 0.07\nercot.as.REGUP 08-05 00:00-05 1h0m0s 3.5"},
		{ERCOTLoadForecast, []string{"SystemTotal", "North"}, "DeliveryDate,HourEnding,Coast,North,SystemTotal,Model,InUseFlag,DSTFlag\n09/03/2026,01:00,12000.5,1700.25,50000,A6,Y,N\n09/03/2026,01:00,9,9,9,X,N,N\n09/03/2026,02:00,1,,51000,A6,Y,N\n",
			"ercot.load_forecast.SystemTotal 09-03 00:00-05 1h0m0s 50000\nercot.load_forecast.North 09-03 00:00-05 1h0m0s 1700.25\nercot.load_forecast.SystemTotal 09-03 01:00-05 1h0m0s 51000"},
		{ERCOTLoad, []string{"TOTAL"}, "OperDay,HourEnding,COAST,EAST,FAR_WEST,NORTH,NORTH_C,SOUTHERN,SOUTH_C,WEST,TOTAL,DSTFlag\n08/20/2026,17:00,1,2,3,4,5,6,7,8,85508.21,N\n",
			"ercot.load.TOTAL 08-20 16:00-05 1h0m0s 85508.21"},
		{ERCOTSCED, []string{"HB_NORTH"}, "SCEDTimestamp,RepeatedHourFlag,SettlementPoint,LMP\n11/01/2026 01:10:14,N,HB_NORTH,20\n11/01/2026 01:10:13,Y,HB_NORTH,21\n11/01/2026 23:55:13,N,HB_NORTH,22\n",
			"ercot.sced.HB_NORTH 11-01 01:10-05 5m0s 20\nercot.sced.HB_NORTH 11-01 01:10-06 5m0s 21\nercot.sced.HB_NORTH 11-01 23:55-06 5m0s 22"},
	} {
		b, err := ParseERCOTCSV(x.report, x.points, []byte(x.csv), time.Time{})
		if err != nil || said(b, loc) != x.want || len(b.Problems) > 0 {
			t.Errorf("%s:\n%s\n%v %v", x.report, said(b, loc), b.Problems, err)
		}
		for _, s := range ercotSeries(x.report, x.points) {
			if s.Unit() == "" || s.Interval == 0 {
				t.Errorf("%+v", s)
			}
		}
	}
	// The API has the posting time of forecasts, in two postings for one hour.
	b, _, err := ParseERCOTJSON(ERCOTLoadForecast, []string{"systemTotal"}, []byte(`{"fields":[{"name":"postedDatetime"},{"name":"deliveryDate"},{"name":"hourEnding"},{"name":"systemTotal"},{"name":"model"},{"name":"inUseFlag"},{"name":"DSTFlag"}],
"data":[["2026-09-02T13:30:00","2026-09-03","01:00",51000.0,"A3",true,false],["2026-09-02T12:30:00","2026-09-03","01:00",50000.0,"A3",true,false]]}`))
	if err != nil || len(b.Points) != 2 || !b.Points[0].Published.After(b.Points[1].Published) {
		t.Errorf("%+v %v", b, err)
	}
}

// What operators send that is not what they say.
var wrong = map[string]string{
	"nothing":         "",
	"spaces":          "  \n",
	"a web page":      "<!DOCTYPE html><html><head><title>503</title></head></html>",
	"a page, shouted": "\ufeff\n <HTML>Access denied</HTML>",
	"half a zip":      "PK\x03\x04\x14\x00\x00\x00\x08\x00",
	"other columns":   "a,b,c\n1,2,3\n",
	"JSON":            `{"error":"x"}`,
	"other XML":       `<?xml version="1.0"?><Something><x/></Something>`,
	"broken XML":      `<?xml version="1.0"?><Publication_MarketDocument><TimeSeries>`,
	"binary":          "\x00\x01\x02\xff\xfe",
}

func TestWrongRepliesAreErrors(t *testing.T) {
	generic := Generic{Of: Series{Name: "x", Interval: time.Hour}, Shape: Shape{Time: "t", Value: "v"}}
	asJSON := generic
	asJSON.JSON = true
	for name, body := range wrong {
		for parser, f := range map[string]func([]byte) error{
			"ercot csv": func(b []byte) error {
				_, err := ParseERCOTCSV(ERCOTRealTime, []string{"HB_NORTH"}, b, time.Time{})
				return err
			},
			"ercot json": func(b []byte) error { _, _, err := ParseERCOTJSON(ERCOTRealTime, []string{"HB_NORTH"}, b); return err },
			"ercot list": func(b []byte) error { _, err := parseDocuments(b); return err },
			"oasis":      func(b []byte) error { _, err := ParseOASIS(OASISDayAhead, []string{"N"}, b); return err },
			"entsoe":     func(b []byte) error { _, err := (&ENTSOE{Document: ENTSOEDayAhead, Zone: "Z"}).Parse(b); return err },
			"csv":        func(b []byte) error { _, err := generic.Parse(b); return err },
			"json":       func(b []byte) error { _, err := asJSON.Parse(b); return err },
		} {
			err := f([]byte(body))
			if parser == "oasis" && name == "other XML" {
				continue // an OASIS document without rows
			}
			if !errors.Is(err, ErrFormat) {
				t.Errorf("%s from %s: %v", parser, name, err)
			}
		}
	}
	if _, _, err := ParseERCOTJSON(ERCOTRealTime, nil, []byte(`{"statusCode":429,"message":"Rate limit is exceeded. Try again in 30 seconds."}`)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "Rate limit") {
		t.Error(err)
	}
	// A zip that unpacks to more than is read.
	bomb := zipped(t, map[string]string{"x.csv": strings.Repeat("0", 1<<20)})
	if b, err := ParseERCOTCSV(ERCOTRealTime, nil, bomb, time.Time{}); !errors.Is(err, ErrFormat) {
		t.Error(b, err)
	}
}

const oasisHead = "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,OPR_INTERVAL,NODE_ID_XML,NODE_ID,NODE,MARKET_RUN_ID,LMP_TYPE,XML_DATA_ITEM,PNODE_RESMRID,GRP_TYPE,POS,MW,GROUP\n"

func oasisRow(start, end, item, node, value string) string {
	return start + "," + end + ",2026-02-01,8,0," + node + "," + node + "," + node + ",DAM,LMP," + item + "," + node + ",ALL,1," + value + ",1\n"
}

func oasisError(code, text string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<m:OASISReport xmlns:m="http://www.caiso.com/soa/OASISReport_v1.xsd">
<m:MessageHeader><m:TimeDate>2026-09-14T17:09:06.561Z</m:TimeDate><m:Source>OASIS</m:Source><m:Version>v20131201</m:Version></m:MessageHeader>
<m:MessagePayload><m:RTO><m:name>CAISO</m:name><m:ERROR><m:ERR_CODE>` + code + `</m:ERR_CODE><m:ERR_DESC>` + text + `</m:ERR_DESC></m:ERROR></m:RTO></m:MessagePayload></m:OASISReport>`
}

func TestOASIS(t *testing.T) {
	const node = "TH_NP15_GEN-APND"
	csv := oasisHead + oasisRow("2026-02-01T15:00:00-00:00", "2026-02-01T16:00:00-00:00", "LMP_PRC", node, "74.63123") +
		oasisRow("2026-02-01T15:00:00-00:00", "2026-02-01T16:00:00-00:00", "LMP_CONG_PRC", node, "-3") +
		oasisRow("2026-02-01T15:00:00-00:00", "2026-02-01T16:00:00-00:00", "LMP_PRC", "OTHER", "1") +
		oasisRow("2026-02-01T16:00:00-00:00", "2026-02-01T17:00:00-00:00", "LMP_PRC", node, "-5") +
		oasisRow("2026-02-01T17:00:00-00:00", "2026-02-01T17:00:00-00:00", "LMP_PRC", node, "1")
	// The LMP_TYPE column says LMP in every row of the data item too: the item decides.
	b, err := ParseOASIS(OASISDayAhead, []string{node}, zipped(t, map[string]string{"20260201_20260201_PRC_LMP_DAM_v12.csv": csv}))
	want := "caiso.dam." + node + " 02-01 15:00+00 1h0m0s 74.63123\ncaiso.dam." + node + " 02-01 16:00+00 1h0m0s -5"
	if err != nil || said(b, time.UTC) != want || len(b.Problems) != 1 {
		t.Errorf("%s %v %v", said(b, time.UTC), b.Problems, err)
	}
	xml := `<?xml version="1.0" encoding="UTF-8"?>
<OASISReport xmlns="http://www.caiso.com/soa/OASISReport_v1.xsd"><MessagePayload><RTO><name>CAISO</name><REPORT_ITEM><REPORT_HEADER><SYSTEM>OASIS</SYSTEM><REPORT>PRC_LMP</REPORT><UOM>US$/MWh</UOM></REPORT_HEADER>
<REPORT_DATA><DATA_ITEM>LMP_PRC</DATA_ITEM><RESOURCE_NAME>` + node + `</RESOURCE_NAME><OPR_DATE>2026-02-01</OPR_DATE><INTERVAL_NUM>8</INTERVAL_NUM><INTERVAL_START_GMT>2026-02-01T15:00:00-00:00</INTERVAL_START_GMT><INTERVAL_END_GMT>2026-02-01T16:00:00-00:00</INTERVAL_END_GMT><VALUE>74.63123</VALUE></REPORT_DATA>
<REPORT_DATA><DATA_ITEM>LMP_LOSS_PRC</DATA_ITEM><RESOURCE_NAME>` + node + `</RESOURCE_NAME><INTERVAL_START_GMT>2026-02-01T15:00:00-00:00</INTERVAL_START_GMT><INTERVAL_END_GMT>2026-02-01T16:00:00-00:00</INTERVAL_END_GMT><VALUE>1</VALUE></REPORT_DATA>
<REPORT_DATA><DATA_ITEM>LMP_PRC</DATA_ITEM><RESOURCE_NAME>` + node + `</RESOURCE_NAME><INTERVAL_START_GMT>2026-02-01T16:00:00-00:00</INTERVAL_START_GMT><INTERVAL_END_GMT>2026-02-01T17:00:00-00:00</INTERVAL_END_GMT><VALUE>-5</VALUE></REPORT_DATA>
</REPORT_ITEM></RTO></MessagePayload></OASISReport>`
	b, err = ParseOASIS(OASISDayAhead, []string{node}, zipped(t, map[string]string{"20260201_20260201_PRC_LMP_DAM_v12.xml": xml}))
	if err != nil || said(b, time.UTC) != want {
		t.Errorf("%s %v", said(b, time.UTC), err)
	}
	// Errors come as XML with status 200, zipped or not.
	for _, body := range [][]byte{[]byte(oasisError("1000", "No data returned for the specified selection")), zipped(t, map[string]string{"x.xml": oasisError("1000", "No data returned for the specified selection")})} {
		if _, err := ParseOASIS(OASISDayAhead, []string{node}, body); !errors.Is(err, ErrNoData) {
			t.Error(err)
		}
	}
	if _, err := ParseOASIS(OASISDayAhead, []string{node}, zipped(t, map[string]string{"INVALID_REQUEST.xml": oasisError("1004", "Data can be requested for period of 31 days only")})); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "31 days") {
		t.Error(err)
	}
	load := "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,LOAD_TYPE,OPR_DT,OPR_HR,OPR_INTERVAL,MARKET_RUN_ID,TAC_AREA_NAME,LABEL,XML_DATA_ITEM,POS,MW,EXECUTION_TYPE,GROUP\n" +
		"2026-02-01T15:00:00-00:00,2026-02-01T16:00:00-00:00,0,2026-02-01,8,0,DAM,CA ISO-TAC,Demand Forecast Day Ahead,SYS_FCST_DA_MW,3.8,23456.78,DAM,1\n" +
		"2026-02-01T15:00:00-00:00,2026-02-01T16:00:00-00:00,0,2026-02-01,8,0,DAM,PGE-TAC,Demand Forecast Day Ahead,SYS_FCST_DA_MW,3.8,9000,DAM,1\n"
	b, err = ParseOASIS(OASISLoadForecast, []string{"CA ISO-TAC"}, []byte(load))
	if err != nil || said(b, time.UTC) != "caiso.load_forecast.CA ISO-TAC 02-01 15:00+00 1h0m0s 23456.78" {
		t.Errorf("%s %v", said(b, time.UTC), err)
	}
	// The column of the price is called otherwise in the real-time report.
	rtm := strings.Replace(oasisHead, "POS,MW,GROUP", "POS,VALUE,OPR_INTERVAL2", 1) + oasisRow("2026-02-01T15:00:00-00:00", "2026-02-01T15:05:00-00:00", "LMP_PRC", node, "12.5")
	b, err = ParseOASIS(OASISRealTime, []string{node}, []byte(rtm))
	if err != nil || said(b, time.UTC) != "caiso.rtm."+node+" 02-01 15:00+00 5m0s 12.5" {
		t.Errorf("%s %v", said(b, time.UTC), err)
	}
}

// priceDocument is a document of ENTSO-E's platform as it comes.
func priceDocument(curve, resolution, start, end string, points ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>
<Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3">
  <mRID>68f443af488b4a0a9c4442bddd8c59c0</mRID><revisionNumber>1</revisionNumber><type>A44</type>
  <createdDateTime>2026-02-17T09:45:56Z</createdDateTime>
  <period.timeInterval><start>` + start + `</start><end>` + end + `</end></period.timeInterval>
  <TimeSeries><mRID>1</mRID><auction.type>A01</auction.type><businessType>A62</businessType>
    <in_Domain.mRID codingScheme="A01">10YBE----------2</in_Domain.mRID><out_Domain.mRID codingScheme="A01">10YBE----------2</out_Domain.mRID>
    <contract_MarketAgreement.type>A01</contract_MarketAgreement.type><currency_Unit.name>EUR</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name>
    <curveType>` + curve + `</curveType>
    <Period><timeInterval><start>` + start + `</start><end>` + end + `</end></timeInterval><resolution>` + resolution + `</resolution>`)
	for i := 0; i < len(points); i += 2 {
		fmt.Fprintf(&b, "<Point><position>%s</position><price.amount>%s</price.amount></Point>", points[i], points[i+1])
	}
	b.WriteString("</Period></TimeSeries></Publication_MarketDocument>")
	return b.String()
}

func acknowledgement(code, text string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0"><mRID>x</mRID>
<createdDateTime>2026-08-04T12:00:00Z</createdDateTime><Reason><code>` + code + `</code><text>` + text + `</text></Reason></Acknowledgement_MarketDocument>`
}

func TestENTSOE(t *testing.T) {
	f := &ENTSOE{Document: ENTSOEDayAhead, Zone: "10YBE----------2", Label: "BE"}
	for name, x := range map[string]struct{ doc, want string }{
		"A03: what is not there repeats": {priceDocument("A03", "PT15M", "2026-02-16T23:00Z", "2026-02-17T00:30Z", "1", "63.2", "4", "-10.50"),
			"23:00 63.2, 23:15 63.2, 23:30 63.2, 23:45 -10.5, 00:00 -10.5, 00:15 -10.5"},
		"A01: what is not there is missing": {priceDocument("A01", "PT15M", "2026-02-16T23:00Z", "2026-02-17T00:30Z", "1", "63.2", "4", "-10.50"),
			"23:00 63.2, 23:45 -10.5"},
		"hours, out of order": {priceDocument("A03", "PT60M", "2026-02-16T23:00Z", "2026-02-17T02:00Z", "3", "3", "1", "1"),
			"23:00 1, 00:00 1, 01:00 3"},
		"unreadable is not repeated": {priceDocument("A03", "PT60M", "2026-02-16T23:00Z", "2026-02-17T03:00Z", "1", "1", "2", "n/a", "4", "4"),
			"23:00 1, 02:00 4"},
		"first position missing": {priceDocument("A03", "PT60M", "2026-02-16T23:00Z", "2026-02-17T02:00Z", "2", "2"),
			"00:00 2, 01:00 2"},
	} {
		b, err := f.Parse([]byte(x.doc))
		var got []string
		for _, p := range b.Points {
			got = append(got, fmt.Sprintf("%s %g", p.Start.Format("15:04"), float64(p.Micro)/1e6))
		}
		if err != nil || strings.Join(got, ", ") != x.want || b.Points[0].Published.IsZero() || b.Points[0].Series != "entsoe.dam.BE" {
			t.Errorf("%s: %v %v %v", name, got, b.Problems, err)
		}
	}
	// The days on which the clock changes have 92 and 100 quarter-hours.
	for want, span := range map[int][2]string{92: {"2026-03-28T23:00Z", "2026-03-29T22:00Z"}, 100: {"2026-10-24T22:00Z", "2026-10-25T23:00Z"}} {
		b, err := f.Parse([]byte(priceDocument("A03", "PT15M", span[0], span[1], "1", "5")))
		if err != nil || len(b.Points) != want {
			t.Errorf("%d, want %d: %v", len(b.Points), want, err)
		}
	}
	for text, want := range map[string]error{
		acknowledgement("999", "No matching data found for Data item ENERGY_PRICES [12.1.D]"):                                   ErrNoData,
		acknowledgement("999", "Unauthorized. Missing or invalid security token."):                                              ErrRefused,
		priceDocument("A03", "P1Y", "2026-02-16T23:00Z", "2026-02-17T02:00Z", "1", "1"):                                         ErrFormat,
		priceDocument("A03", "PT60M", "2026-02-16T23:00Z", "2046-02-17T02:00Z", "1", "1"):                                       ErrFormat,
		priceDocument("A03", "PT60M", "2026-02-16T23:00Z", "2026-02-16T22:00Z", "1", "1"):                                       ErrFormat,
		strings.Replace(priceDocument("A03", "PT60M", "2026-02-16T23:00Z", "2026-02-17T02:00Z", "1", "1"), ">EUR<", ">PLN<", 1): ErrFormat,
	} {
		if b, err := f.Parse([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.200s: %+v %v, want %v", text, b, err, want)
		}
	}
	// Of two auctions the first sequence is the coupling's.
	two := strings.Replace(priceDocument("A03", "PT60M", "2026-02-16T23:00Z", "2026-02-17T00:00Z", "1", "1"), "<curveType>",
		"<classificationSequence_AttributeInstanceComponent.position>2</classificationSequence_AttributeInstanceComponent.position><curveType>", 1)
	if b, err := f.Parse([]byte(two)); err != nil || len(b.Points) != 0 {
		t.Errorf("%+v %v", b, err)
	}
	load := &ENTSOE{Document: ENTSOELoadForecast, Zone: "10YBE----------2", Label: "BE"}
	b, err := load.Parse([]byte(`<GL_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0"><TimeSeries><outBiddingZone_Domain.mRID codingScheme="A01">10YBE----------2</outBiddingZone_Domain.mRID>
<quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name><curveType>A01</curveType><Period><timeInterval><start>2026-06-01T00:00Z</start><end>2026-06-01T01:00Z</end></timeInterval><resolution>PT60M</resolution><Point><position>1</position><quantity>41000</quantity></Point></Period></TimeSeries></GL_MarketDocument>`))
	if err != nil || said(b, time.UTC) != "entsoe.load_forecast.BE 06-01 00:00+00 1h0m0s 41000" {
		t.Errorf("%s %v", said(b, time.UTC), err)
	}
}

func TestGenericCSVAndJSON(t *testing.T) {
	berlin := zone0(t, "Europe/Berlin")
	f := Generic{Of: Series{Name: "spot", Quantity: EnergyPrice, Currency: "EUR", Interval: time.Hour},
		Shape: Shape{Time: "Uhrzeit", Date: "Datum", Layout: "02.01.2006 15:04", Zone: "Europe/Berlin", Value: "Preis", Comma: true, Delimiter: ";", Skip: 1, Scale: "10", Where: []Match{{"Zone", "DE"}}}}
	// The clock goes back on 2026-10-25 at 3: the second row of the hour 2 is the
	// second hour.
	b, err := f.Parse([]byte("Preise in ct/kWh\nDatum;Uhrzeit;Zone;Preis\n25.10.2026;01:00;DE;1,5\n25.10.2026;02:00;DE;2,5\n25.10.2026;02:00;AT;9\n25.10.2026;02:00;DE;-1.002,75\n25.10.2026;03:00;DE;\n25.10.2026;04:00;DE;x\n"))
	if err != nil || said(b, berlin) != "spot 10-25 01:00+02 1h0m0s 15\nspot 10-25 02:00+02 1h0m0s 25\nspot 10-25 02:00+01 1h0m0s -10027.5" || len(b.Problems) != 1 {
		t.Errorf("%s %v %v", said(b, berlin), b.Problems, err)
	}
	f = Generic{JSON: true, Of: Series{Name: "spot", Interval: 15 * time.Minute}, Shape: Shape{Rows: "result.items", Time: "at.end", Ends: true, Layout: "unix-ms", Value: "price.eur", Where: []Match{{"kind", "final"}}}}
	b, err = f.Parse([]byte(`{"result":{"items":[{"at":{"end":1771286400000},"kind":"final","price":{"eur":0.1}},{"at":{"end":1771287300000},"kind":"draft","price":{"eur":1}},{"at":{"end":"soon"},"kind":"final","price":{"eur":1}},{"at":{"end":1771287300000},"kind":"final","price":{"eur":null}}]}}`))
	if err != nil || said(b, time.UTC) != "spot 02-16 23:45+00 15m0s 0.1" || len(b.Problems) != 1 {
		t.Errorf("%s %v %v", said(b, time.UTC), b.Problems, err)
	}
	// A time with its offset, and the midnight that is called 24:00.
	f = Generic{Of: Series{Name: "s", Interval: time.Hour}, Shape: Shape{Time: "t", Value: "v", Layout: "2006-01-02 15:04", Zone: "America/Chicago", Ends: true}}
	b, err = f.Parse([]byte("t,v\n2026-03-08 24:00,1\n2026-03-08 02:30,1\n"))
	if err != nil || said(b, zone0(t, "America/Chicago")) != "s 03-08 23:00-05 1h0m0s 1" || len(b.Problems) != 1 {
		t.Errorf("%s %v %v", said(b, time.UTC), b.Problems, err)
	}
	for problem, shape := range map[string]Shape{
		"names": {Time: "t"}, "zone": {Time: "t", Value: "v", Zone: "Texas"}, "scale": {Time: "t", Value: "v", Scale: "0"}, "delimiter": {Time: "t", Value: "v", Delimiter: "ab"}, "lines": {Time: "t", Value: "v", Skip: -1},
	} {
		g := Generic{Of: Series{Interval: time.Hour}, URL: "http://127.0.0.1/", Shape: shape}
		if err := g.Check(); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: %v", problem, err)
		}
	}
	for _, bad := range []string{"ftp://x", "no address", "http://x/{from", "http://x/{fromage}"} {
		g := Generic{Of: Series{Interval: time.Hour}, URL: bad, Shape: Shape{Time: "t", Value: "v"}}
		if err := g.Check(); err == nil {
			t.Errorf("%s is an address", bad)
		}
	}
	g := Generic{URL: "http://x/{from:2006-01-02}/{to:unix}?f={from}", Shape: Shape{Zone: "America/Chicago"}}
	if got, err := g.address(Ask{From: time.Unix(1771286400, 0), To: time.Unix(1771286401, 0)}); err != nil || got != "http://x/2026-02-16/1771286401?f=2026-02-17T00%3A00%3A00Z" {
		t.Error(got, err)
	}
}

func TestNumbers(t *testing.T) {
	for s, want := range map[string]int64{"24.84": 24_840_000, "-0.000001": -1, "1e3": 1_000_000_000, "2.5E-1": 250_000, "0.0000005": 0, "0.0000015": 2, " 7 ": 7_000_000} {
		if got, err := micro(s); err != nil || got != want {
			t.Errorf("%s: %d %v", s, got, err)
		}
	}
	for _, s := range []string{"", "NaN", "Inf", "1e400", "1e99", "0x10", "1_000", "--1", "1/3", "9999999999999", "1e-999999999"} {
		if got, err := micro(s); err == nil {
			t.Errorf("%q: %d", s, got)
		}
	}
}

// The files of the steering data, when they are there, are real prices in a
// generic CSV.
func TestRealPricesReadAsCSV(t *testing.T) {
	dir := os.Getenv("BALLAST_SHARED")
	body, err := os.ReadFile(dir + "/data/ercot/ercot_hubavg_rt_15min_2024-01_2025-11.csv")
	if dir == "" || err != nil {
		t.Skip("BALLAST_SHARED has no prices")
	}
	f := Generic{Of: Series{Name: "hub", Interval: 15 * time.Minute}, Shape: Shape{Time: "interval_start_utc", Layout: "2006-01-02 15:04:05-07:00", Value: "price_usd_per_mwh"}}
	b, err := f.Parse(body)
	if err != nil || len(b.Points) < 67_000 || len(b.Problems) > 0 {
		t.Errorf("%d points %v %v", len(b.Points), b.Problems, err)
	}
}
