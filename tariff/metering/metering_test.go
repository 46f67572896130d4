package metering

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func chicago(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// walls are the labels of a day's intervals as a clock on the wall shows them:
// 92 quarters on the day that loses an hour, 100 on the one that gains one.
func walls(day time.Time, step time.Duration, ends bool, layout string) (out []string) {
	for at := day; at.Before(day.AddDate(0, 0, 1)); at = at.Add(step) {
		label := at
		if ends {
			label = at.Add(step)
		}
		out = append(out, label.Format(layout))
	}
	return out
}

// TestForms reads one site's week in every form, around both changes of the
// clock: each must give the same intervals with the same energy.
func TestForms(t *testing.T) {
	zone := chicago(t)
	for _, first := range []time.Time{time.Date(2026, 3, 6, 0, 0, 0, 0, zone), time.Date(2026, 10, 30, 0, 0, 0, 0, zone), time.Date(2026, 7, 1, 0, 0, 0, 0, zone)} {
		last := first.AddDate(0, 0, 4)
		// 1.00 kWh more each quarter; an hour is the sum of four.
		kwh := func(at time.Time, step time.Duration) float64 {
			sum := 0.0
			for q := at; q.Before(at.Add(step)); q = q.Add(15 * time.Minute) {
				sum += 100 + q.Sub(first).Minutes()/15
			}
			return sum
		}
		spans := func(step time.Duration, each func(day, at time.Time)) {
			for day := first; day.Before(last); day = day.AddDate(0, 0, 1) {
				for at := day; at.Before(day.AddDate(0, 0, 1)); at = at.Add(step) {
					each(day, at)
				}
			}
		}
		type form struct {
			step time.Duration
			how  How
			text func(b *strings.Builder, step time.Duration)
		}
		row := func(head string, line func(day, at, end time.Time, v float64) string) func(*strings.Builder, time.Duration) {
			return func(b *strings.Builder, step time.Duration) {
				b.WriteString(head + "\n")
				spans(step, func(day, at time.Time) { b.WriteString(line(day, at, at.Add(step), kwh(at, step)) + "\n") })
			}
		}
		const local = "2006-01-02 15:04"
		wide := func(columns int, head func(i int) string) func(*strings.Builder, time.Duration) {
			return func(b *strings.Builder, step time.Duration) {
				b.WriteString("Meter,Date")
				for i := range columns {
					b.WriteString("," + head(i))
				}
				b.WriteString("\n")
				for day := first; day.Before(last); day = day.AddDate(0, 0, 1) {
					b.WriteString("M1," + day.Format("1/2/2006"))
					n := 0
					for at := day; at.Before(day.AddDate(0, 0, 1)); at = at.Add(step) {
						fmt.Fprintf(b, ",%.3f", kwh(at, step))
						n++
					}
					b.WriteString(strings.Repeat(",", columns-n) + "\n")
				}
			}
		}
		forms := map[string]form{
			"offsets, start and end": {15 * time.Minute, How{}, row("Start Time,End Time,Usage (kWh)", func(_, at, end time.Time, v float64) string {
				return at.Format(time.RFC3339) + "," + end.Format(time.RFC3339) + fmt.Sprintf(",%.3f", v)
			})},
			"UTC stamps, starts": {15 * time.Minute, How{Stamp: Starts}, row("Timestamp,kWh", func(_, at, _ time.Time, v float64) string {
				return at.UTC().Format("2006-01-02T15:04:05Z") + fmt.Sprintf(",%.3f", v)
			})},
			"local starts": {15 * time.Minute, How{}, row("Account 12\nName,Somebody\n\nInterval Start,Value (MWh),Quality", func(_, at, _ time.Time, v float64) string { return at.Format(local) + fmt.Sprintf(",%.6f,A", v/1000) })},
			"local ends": {30 * time.Minute, How{}, row("Interval End\tMWh", func(_, _, end time.Time, v float64) string {
				return end.Format("01/02/2006 15:04") + fmt.Sprintf("\t%.6f", v/1000)
			})},
			"local ends, written with the hour that ended": {15 * time.Minute, How{}, row("Ending,kWh", func(_, at, _ time.Time, v float64) string {
				_, offset := at.Zone()
				return at.Add(15*time.Minute).In(time.FixedZone("", offset)).Format(local) + fmt.Sprintf(",%.3f", v)
			})},
			"stamps that are found out": {15 * time.Minute, How{}, row("Date/Time,kW", func(_, _, end time.Time, v float64) string { return end.Format(local) + fmt.Sprintf(",%.3f", 4*v) })},
			"standard time all year": {15 * time.Minute, How{Clock: Standard, Stamp: Starts}, row("Time,kWh", func(_, at, _ time.Time, v float64) string {
				return at.In(time.FixedZone("", -6*3600)).Format(local) + fmt.Sprintf(",%.3f", v)
			})},
			"twelve hours": {15 * time.Minute, How{}, row("Usage Date,Start Time,Usage kWh", func(day, at, _ time.Time, v float64) string {
				return day.Format("01/02/2006") + "," + at.Format("3:04 PM") + fmt.Sprintf(",%.3f", v)
			})},
			"date and end of interval": {15 * time.Minute, How{}, row("Date,End Time,kWh", func(day, _, end time.Time, v float64) string {
				return day.Format("2006-01-02") + "," + end.Format("15:04") + fmt.Sprintf(",%.3f", v)
			})},
			"Smart Meter Texas": {15 * time.Minute, How{}, row("ESIID,USAGE_DATE,REVISION_DATE,USAGE_START_TIME,USAGE_END_TIME,USAGE_KWH,ESTIMATED_ACTUAL,CONSUMPTION_SURPLUSGENERATION", func(day, at, end time.Time, v float64) string {
				return "'10443720000000001," + day.Format("01/02/2006") + ",01/15/2027 03:00:00," + at.Format(" 15:04") + "," + end.Format(" 15:04") + fmt.Sprintf(",%.3f,A,Consumption", v)
			})},
			"start and end in one column": {time.Hour, How{}, row("Energy consumption time period,Usage(Real energy in kilowatt-hours),Reading quality", func(_, at, end time.Time, v float64) string {
				return at.Format("2006-01-02 15:04:05") + " to " + end.Format("2006-01-02 15:04:05") + fmt.Sprintf(",%.3f,", v)
			})},
			"ends at the last minute": {15 * time.Minute, How{}, row("TYPE,DATE,START TIME,END TIME,IMPORT (kWh),EXPORT (kWh),COST,NOTES", func(day, at, end time.Time, v float64) string {
				return "Electric usage," + day.Format(time.DateOnly) + "," + at.Format("15:04") + "," + end.Add(-time.Minute).Format("15:04") + fmt.Sprintf(",%.3f,0.50,$1.20,", v)
			})},
			"start, duration and what was fed back": {15 * time.Minute, How{Unit: "kWh"}, row("Meter Number,Date,Start Time,Duration,Consumption,Generation,Net", func(day, at, _ time.Time, v float64) string {
				return "0551," + day.Format("1/2/2006") + "," + at.Format("3:04 PM") + fmt.Sprintf(",15,%.3f,0.25,%.3f", v, v-0.25)
			})},
			"decimal comma": {15 * time.Minute, How{Stamp: Starts}, row("Zeit;Verbrauch kWh", func(_, at, _ time.Time, v float64) string {
				return at.Format("02.01.2006 15:04") + ";" + strings.Replace(fmt.Sprintf("%.3f", v), ".", ",", 1)
			})},
			"newest first": {15 * time.Minute, How{Stamp: Starts}, func(b *strings.Builder, step time.Duration) {
				var lines []string
				spans(step, func(_, at time.Time) { lines = append(lines, at.Format(local)+fmt.Sprintf(",%.3f", kwh(at, step))) })
				b.WriteString("DateTime,kWh\n")
				for i := range lines {
					b.WriteString(lines[len(lines)-1-i] + "\n")
				}
			}},
			"hour ending, counted on": {time.Hour, How{}, row("Date,Hour Ending,kWh", func(day, at, _ time.Time, v float64) string {
				return day.Format(time.DateOnly) + fmt.Sprintf(",%d,%.3f", int(at.Sub(day).Hours())+1, v)
			})},
			"hour ending, by the clock": {time.Hour, How{}, row("Date,Hour Ending,MWh,DSTFlag", func(day, at, _ time.Time, v float64) string {
				again := "N"
				if at.Add(-time.Hour).Hour() == at.Hour() {
					again = "Y"
				}
				return day.Format("01/02/2006") + fmt.Sprintf(",%02d:00,%.6f,%s", at.Hour()+1, v/1000, again)
			})},
			"number of the interval": {15 * time.Minute, How{}, row("Read Date,Interval,kWh", func(day, at, _ time.Time, v float64) string {
				return day.Format("2006/01/02") + fmt.Sprintf(",%d,%.3f", int(at.Sub(day).Minutes()/15)+1, v)
			})},
			"hour and interval": {15 * time.Minute, How{}, row("Delivery Date,Delivery Hour,Delivery Interval,MWh,Repeated Hour Flag", func(day, at, _ time.Time, v float64) string {
				again := "N"
				if at.Add(-time.Hour).Hour() == at.Hour() {
					again = "Y"
				}
				return day.Format("01/02/2006") + fmt.Sprintf(",%d,%d,%.6f,%s", at.Hour()+1, at.Minute()/15+1, v/1000, again)
			})},
			"a row a day, 25 columns":  {time.Hour, How{Unit: "kWh"}, wide(25, func(i int) string { return fmt.Sprintf("HE%02d", i+1) })},
			"a row a day, 100 columns": {15 * time.Minute, How{Unit: "kWh"}, wide(100, func(i int) string { return fmt.Sprint("Int ", i+1) })},
		}
		// By the clock: an empty or doubled hour.
		forms["a row a day, 24 hours by the clock and one twice"] = form{time.Hour, How{Unit: "kWh"}, func(b *strings.Builder, step time.Duration) {
			b.WriteString("Date,01:00,02:00,02:00*")
			for h := 3; h <= 24; h++ {
				fmt.Fprintf(b, ",%02d:00", h)
			}
			b.WriteString("\n")
			for day := first; day.Before(last); day = day.AddDate(0, 0, 1) {
				cells := make([]string, 25)
				seen := map[int]bool{}
				for at := day; at.Before(day.AddDate(0, 0, 1)); at = at.Add(step) {
					i := at.Hour()
					if i > 1 {
						i++
					}
					if seen[at.Hour()] {
						i = 2
					}
					seen[at.Hour()] = true
					cells[i] = fmt.Sprintf("%.3f", kwh(at, step))
				}
				b.WriteString(day.Format(time.DateOnly) + "," + strings.Join(cells, ",") + "\n")
			}
		}}
		for name, form := range forms {
			t.Run(first.Format("01-02 ")+name, func(t *testing.T) {
				var b strings.Builder
				form.text(&b, form.step)
				how := form.how
				how.Zone = zone
				f, err := ReadMeter([]byte(b.String()), how)
				if err != nil || len(f.Problems) > 0 {
					t.Fatalf("%v %v\n%s", err, f, b.String()[:200])
				}
				n := 0
				spans(form.step, func(_, at time.Time) {
					if n >= len(f.Readings) {
						n++
						return
					}
					r := f.Readings[n]
					if !r.Start.Equal(at) || r.Length != form.step || math.Abs(float64(r.Value)-kwh(at, form.step)*3.6e6) > 5000 {
						t.Fatalf("reading %d is %v %v %d, want %v %v", n, r.Start.In(zone), r.Length, r.Value, at, kwh(at, form.step)*3.6e6)
					}
					n++
				})
				if len(f.Readings) != n || len(f.Gaps) > 0 || f.Doubles > 0 || len(f.Meters) != 1 {
					t.Errorf("%d readings, want %d; gaps %v, doubles %d, meters %v", len(f.Readings), n, f.Gaps, f.Doubles, f.Meters)
				}
			})
		}
	}
}

// What a person must settle or mend is told with its line, and nothing is taken.
func TestProblems(t *testing.T) {
	for name, x := range map[string]struct {
		text  string
		how   How
		field string
		line  int
		what  string
	}{
		"start or end":          {"Time,kWh\n2026-07-01 09:00,1\n2026-07-01 09:15,1\n", How{}, "stamp", 0, "begin or end"},
		"month or day":          {"Start,kWh\n03/04/2026 09:00,1\n03/04/2026 09:15,1\n", How{}, "dates", 0, "two ways"},
		"no unit":               {"Start,Value\n2026-07-01 09:00,1\n2026-07-01 09:15,1\n", How{}, "unit", 0, "kWh, MWh or kW"},
		"the hour skipped":      {"Start,kWh\n2026-03-08 02:00,7\n2026-03-08 02:15,7\n", How{}, "clock", 2, "does not exist"},
		"daily totals":          {"Date,kWh\n2026-07-01,100\n", How{}, "", 2, "daily totals"},
		"twice, differently":    {"Start,kWh\n2026-07-01 09:00,1\n2026-07-01 09:15,1\n2026-07-01 09:15,2\n", How{}, "", 4, "twice"},
		"negative":              {"Start,kWh\n2026-07-01 09:00,1\n2026-07-01 09:15,-1\n", How{}, "", 3, "negative"},
		"no number":             {"Start,kWh\n2026-07-01 09:00,1\n2026-07-01 09:15,abc\n", How{}, "", 3, "no number"},
		"no time":               {"Start,kWh\n2026-07-01 09:00,1\nsoon,1\n", How{}, "dates", 3, "no date or time"},
		"no interval":           {"Start,kWh\n2026-07-01 09:00,1\n", How{}, "interval", 0, "how long"},
		"too much":              {"Start,MWh\n2026-07-01 09:00,1\n2026-07-01 09:15,1e9\n", How{}, "unit", 3, "more than a site"},
		"overlaps":              {"Start,End,kWh\n2026-07-01 09:00,2026-07-01 10:00,1\n2026-07-01 09:15,2026-07-01 09:30,1\n", How{}, "interval", 3, "overlaps"},
		"no head":               {"a,b\nc,d\n", How{}, "", 0, "no line names"},
		"a value for hour 25":   {"Date,Hour Ending,kWh\n2026-07-01,24,1\n2026-07-01,25,1\n", How{}, "clock", 3, "number 25"},
		"an hour ending of 0":   {"Date,Hour Ending,kWh\n2026-07-01,0,1\n2026-07-01,1,1\n", How{}, "", 0, "hour ending of 0"},
		"a day twice":           {"Date," + strings.Join(walls(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), time.Hour, false, "15:04"), ",") + "\n2026-07-01,1\n2026-07-01,2\n", How{Unit: "kWh"}, "", 3, "twice"},
		"on no whole interval":  {"Start,kWh\n2026-07-01 09:07,1\n2026-07-01 09:22,1\n", How{}, "stamp", 2, "begins at"},
		"only heads":            {"Start,kWh\n", How{}, "", 0, "no reading"},
		"no electricity in XML": {"<feed><entry/></feed>", How{}, "", 0, "no interval block"},
	} {
		t.Run(name, func(t *testing.T) {
			x.how.Zone = chicago(t)
			f, err := ReadMeter([]byte(x.text), x.how)
			if err != nil || len(f.Problems) == 0 {
				t.Fatalf("%v %+v", err, f)
			}
			p := f.Problems[0]
			if p.Field != x.field || p.Line != x.line || !strings.Contains(p.What, x.what) {
				t.Errorf("%+v", f.Problems)
			}
		})
	}
	for _, text := range []string{"", "PK\x03\x04rest", "%PDF-1.7", "a\x00b", "<feed><entry></feed>"} {
		if _, err := ReadMeter([]byte(text), How{}); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Flags, several meters, doubles, revisions and gaps.
func TestDetails(t *testing.T) {
	zone := chicago(t)
	f, err := ReadMeter([]byte("Meter,Start,kWh,Flag\nA,2026-07-01 09:00,\"1,000.5\",A\nA,2026-07-01 09:15,1,E\nA,2026-07-01 09:15,1,E\nA,2026-07-01 10:00,3,A\nB,2026-07-01 09:00,5,VALID\nB,2026-07-01 09:15,n/a,\nTotal,,1005.5,\n"), How{Zone: zone, Interval: 15 * time.Minute})
	if err != nil || len(f.Problems) > 0 {
		t.Fatal(err, f.Problems)
	}
	if len(f.Meters) != 2 || f.Meters[0].Readings != 3 || f.Meters[0].Estimated != 1 || f.Doubles != 1 || f.Missing != 2 || len(f.Gaps) != 1 || f.Readings[0].Value != 3_601_800_000 {
		t.Errorf("%+v, doubles %d, missing %d, gaps %v, %v", f.Meters, f.Doubles, f.Missing, f.Gaps, f.Readings[0])
	}
	// Of two revisions the newest; what was fed back is left out.
	f, err = ReadMeter([]byte("ESIID,USAGE_DATE,REVISION_DATE,USAGE_START_TIME,USAGE_END_TIME,USAGE_KWH,ESTIMATED_ACTUAL,CONSUMPTION_SURPLUSGENERATION\n"+
		"1,07/14/2026,07/15/2026 03:00:00,00:00,00:15,5,E,Consumption\n1,07/14/2026,07/16/2026 03:00:00,00:00,00:15,7,A,Consumption\n1,07/14/2026,07/15/2026 03:00:00,00:15,00:30,9,A,Consumption\n1,07/14/2026,07/15/2026 03:00:00,00:00,00:15,1,A,Surplus Generation\n"), How{Zone: zone})
	if err != nil || len(f.Problems) > 0 || len(f.Readings) != 2 || f.Readings[0].Value != 7*3_600_000 || f.Readings[0].Estimated {
		t.Errorf("%v %+v", err, f)
	}
	// A column a meter; the total beside them is no third one.
	f, err = ReadMeter([]byte("Start,Feeder 1 kWh,Feeder 2 kWh,Total kWh\n2026-07-01 09:00,1,2,3\n2026-07-01 09:15,1,2,3\n"), How{Zone: zone})
	if err != nil || len(f.Problems) > 0 || len(f.Meters) != 2 || f.Meters[1].Joules != 4*3_600_000 {
		t.Errorf("%v %+v", err, f)
	}
	// UTF-16, as Excel exports it.
	text := "Start\tkWh\n2026-07-01 09:00\t1\n2026-07-01 09:15\t1\n"
	wide := []byte{0xff, 0xfe}
	for _, c := range []byte(text) {
		wide = append(wide, c, 0)
	}
	if f, err = ReadMeter(wide, How{Zone: zone}); err != nil || len(f.Readings) != 2 {
		t.Errorf("UTF-16: %v %+v", err, f)
	}
}

const greenButton = `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:espi="http://naesb.org/espi">
 <entry><link rel="self" href="/r/Sub/1/UsagePoint/1"/><title>ESI 1044</title><content><espi:UsagePoint><espi:ServiceCategory><espi:kind>0</espi:kind></espi:ServiceCategory></espi:UsagePoint></content></entry>
 <entry><link rel="self" href="/r/Sub/1/UsagePoint/1/MeterReading/1"/><link rel="related" href="/r/ReadingType/1"/><content><espi:MeterReading/></content></entry>
 <entry><link rel="self" href="/r/Sub/1/UsagePoint/1/MeterReading/2"/><link rel="related" href="/r/ReadingType/2"/><content><espi:MeterReading/></content></entry>
 <entry><link rel="self" href="/r/ReadingType/1"/><content><espi:ReadingType><espi:accumulationBehaviour>4</espi:accumulationBehaviour><espi:flowDirection>1</espi:flowDirection><espi:intervalLength>900</espi:intervalLength><espi:powerOfTenMultiplier>3</espi:powerOfTenMultiplier><espi:uom>72</espi:uom></espi:ReadingType></content></entry>
 <entry><link rel="self" href="/r/ReadingType/2"/><content><espi:ReadingType><espi:flowDirection>19</espi:flowDirection><espi:powerOfTenMultiplier>0</espi:powerOfTenMultiplier><espi:uom>72</espi:uom></espi:ReadingType></content></entry>
 <entry><link rel="up" href="/r/Sub/1/UsagePoint/1/MeterReading/1/IntervalBlock"/><content>
  <espi:IntervalBlock><espi:interval><espi:duration>1800</espi:duration><espi:start>1782864000</espi:start></espi:interval>
   <espi:IntervalReading><espi:timePeriod><espi:duration>900</espi:duration><espi:start>1782864000</espi:start></espi:timePeriod><espi:value>12</espi:value></espi:IntervalReading>
   <espi:IntervalReading><espi:ReadingQuality><espi:quality>8</espi:quality></espi:ReadingQuality><espi:timePeriod><espi:duration>900</espi:duration><espi:start>1782864900</espi:start></espi:timePeriod><espi:value>13</espi:value></espi:IntervalReading>
  </espi:IntervalBlock></content></entry>
 <entry><link rel="up" href="/r/Sub/1/UsagePoint/1/MeterReading/2/IntervalBlock"/><content><espi:IntervalBlock><espi:IntervalReading><espi:timePeriod><espi:duration>900</espi:duration><espi:start>1782864000</espi:start></espi:timePeriod><espi:value>99</espi:value></espi:IntervalReading></espi:IntervalBlock></content></entry>
</feed>`

func TestGreenButton(t *testing.T) {
	f, err := ReadMeter([]byte(greenButton), How{Zone: chicago(t)})
	if err != nil || len(f.Problems) > 0 || len(f.Readings) != 2 {
		t.Fatalf("%v %+v", err, f)
	}
	a, b := f.Readings[0], f.Readings[1]
	if a.Meter != "ESI 1044" || a.Start.Unix() != 1782864000 || a.Length != 15*time.Minute || a.Value != 12_000*3600 || a.Estimated || !b.Estimated || b.Value != 13_000*3600 {
		t.Errorf("%+v", f.Readings)
	}
	if !strings.Contains(fmt.Sprint(f.Remarks), "fed back") {
		t.Errorf("remarks %v", f.Remarks)
	}
	// Two types and no link: not guessed.
	f, err = ReadMeter([]byte(strings.ReplaceAll(greenButton, `rel="related"`, `rel="x"`)), How{})
	if err != nil || len(f.Problems) != 1 || !strings.Contains(f.Problems[0].What, "no link") {
		t.Errorf("%v %+v", err, f)
	}
	// Power over the interval, and another power of ten.
	f, _ = ReadMeter([]byte(strings.Replace(strings.Replace(greenButton, "uom>72", "uom>38", 1), "Multiplier>3", "Multiplier>-1", 1)), How{})
	if len(f.Readings) != 2 || f.Readings[0].Value != 1080 { // 1.2 W for a quarter of an hour
		t.Errorf("%+v", f)
	}
}

func TestAwards(t *testing.T) {
	zone := chicago(t)
	f, err := ReadAwards([]byte("Delivery Date,Hour Ending,Settlement Point,Bid ID,Energy Only Bid Awarded in MW,Settlement Point Price\n11/01/2026,01:00,HB_NORTH,1,10,22\n11/01/2026,01:00,HB_NORTH,2,2.5,22\n11/01/2026,25,HB_NORTH,1,7,22\n11/13/2026,24:00,HB_NORTH,1,0,22\n"), How{Zone: zone})
	if err != nil || len(f.Problems) > 0 {
		t.Fatal(err, f.Problems)
	}
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, zone)
	if len(f.Readings) != 3 || f.Readings[0].Value != 12_500_000 || !f.Readings[1].Start.Equal(day.Add(24*time.Hour)) || f.Readings[2].Value != 0 {
		t.Errorf("%+v", f.Readings)
	}
	// MWh of an hour, and an offer that was taken.
	f, err = ReadAwards([]byte("start,mwh\n2026-07-01T00:00:00-05:00,3\n2026-07-01T01:00:00-05:00,-4\n"), How{Zone: zone})
	if err != nil || len(f.Problems) > 0 || len(f.Readings) != 2 || f.Readings[0].Value != 3_000_000 || f.Readings[1].Value != -4_000_000 {
		t.Errorf("%v %+v", err, f)
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{greenButton, "Time,kWh\n2026-07-01 00:00,1\n2026-07-01 00:15,1\n", "Date,HE1,HE2\n07/13/2026,1,2\n", "ESIID,USAGE_DATE,USAGE_START_TIME,USAGE_END_TIME,USAGE_KWH\n1,07/14/2026,23:45,00:00,5\n",
		"Date;Hour Ending;MWh;DST\n2026-11-01;2*;1,5;Y\n", "Date," + strings.Join(walls(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), 15*time.Minute, true, "15:04"), ",") + "\n2026-11-01" + strings.Repeat(",1", 96), "start,mw\n2026-07-01T00:00:00-05:00,3\n"} {
		f.Add([]byte(seed), byte(0))
	}
	zone := chicago(f)
	f.Fuzz(func(t *testing.T, data []byte, how byte) {
		h := How{Zone: zone, Stamp: []Stamp{"", Starts, Ends}[how%3], Clock: []Clock{Local, Standard, UTC}[how/3%3], Dates: []Dates{"", MonthFirst, DayFirst}[how/9%3], Unit: []string{"", "kWh"}[how/27%2]}
		for _, read := range []func([]byte, How) (*File, error){ReadMeter, ReadAwards} {
			file, err := read(data, h)
			if err != nil {
				if !errors.Is(err, ErrFormat) {
					t.Fatalf("an error of no kind: %v", err)
				}
				continue
			}
			if len(file.Problems) > 0 {
				continue
			}
			// What is taken is in order, disjoint, and adds up.
			sums := map[string]int64{}
			for i, r := range file.Readings {
				if i > 0 && file.Readings[i-1].Meter == r.Meter && r.Start.Before(file.Readings[i-1].End()) {
					t.Fatalf("%v overlaps %v", r, file.Readings[i-1])
				}
				if !plausible(r.Length) || r.Meter == "" {
					t.Fatalf("reading %+v", r)
				}
				sums[r.Meter] += r.Value
			}
			for _, m := range file.Meters {
				if sums[m.Name] != m.Joules || m.Readings == 0 {
					t.Fatalf("meter %+v sums to %d", m, sums[m.Name])
				}
			}
		}
	})
}
