package metering

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// columns is what the columns of a head are; -1 is none.
type columns struct {
	meter, quality, unit, minutes, dst, revision, direction, site, bid int

	date, start, end, stamp int // start and end may be dates with times, or times beside a date
	hour, number            int // hour ending, number of the interval in its day

	values []value
	slots  []slot // of a row a day
	odd    []string
}

// value is a column of energy or power.
type value struct {
	at     int
	unit   string // "" is not said
	name   string // of the head
	sold   bool   // an offer: negative
	amount bool   // the head says that it is one: kWh, usage, award
}

// slot is a column of a row a day.
type slot struct {
	at     int
	minute int  // of the day, from its label; -1: counted
	number int  // counted from 1
	second bool // the second of an hour that comes twice
}

var (
	wordBreak = regexp.MustCompile(`[^a-z0-9*:]+`)
	unitWord  = regexp.MustCompile(`\b(kwh|mwh|wh|kw|mw|kilowatt hours?|megawatt hours?|kilowatts?|megawatts?)\b`)
	slotClock = regexp.MustCompile(`^(?:he |hour |kwh |mwh |interval |int |h )?(\d{1,2}):(\d{2})(?::00)?(\*|x| dst| 2| b)?( kwh| mwh)?$`)
	slotHalf  = regexp.MustCompile(`^(\d{1,2}):(\d{2}) ?(am|pm)$`)
	slotCount = regexp.MustCompile(`^(he|hr|hour|hour ending|h|int|interval|kwh|mwh|kw|value|v|q|p)? ?(\d{1,3})(\*|x| dst| 2x)?( kwh| mwh)?$`)
)

// plain is a head in lower case with one space between words.
func plain(head string) string {
	return strings.Trim(wordBreak.ReplaceAllString(strings.ToLower(head), " "), " ")
}

func unitOf(text string) string {
	switch unitWord.FindString(text) {
	case "kwh", "kilowatt hour", "kilowatt hours":
		return "kWh"
	case "mwh", "megawatt hour", "megawatt hours":
		return "MWh"
	case "wh":
		return "Wh"
	case "kw", "kilowatt", "kilowatts":
		return "kW"
	case "mw", "megawatt", "megawatts":
		return "MW"
	}
	return ""
}

func has(text string, words ...string) bool {
	for w := range strings.FieldsSeq(text) {
		if slices.Contains(words, w) {
			return true
		}
	}
	return false
}

// columnsOf tells what a line says of the columns, if it is a head.
func columnsOf(cells []string, award bool) columns {
	c := columns{meter: -1, quality: -1, unit: -1, minutes: -1, dst: -1, revision: -1, direction: -1, site: -1, bid: -1, date: -1, start: -1, end: -1, stamp: -1, hour: -1, number: -1}
	first := func(at *int, i int) {
		if *at < 0 {
			*at = i
		}
	}
	for i, cell := range cells {
		h := plain(cell)
		if s, ok := slotOf(h, i); ok {
			c.slots = append(c.slots, s)
			continue
		}
		unit := unitOf(h)
		switch {
		case h == "":
		case unit == "" && has(h, "kvarh", "kvar", "kvah", "kva", "mvarh", "therms", "voltage", "temperature", "price", "cost", "charge", "amount", "spp", "rate", "total", "mcpc"):
			c.odd = append(c.odd, cell)
		case unit == "" && has(h, "surplusgeneration") || h == "consumption surplusgeneration" || h == "direction" || h == "flow direction":
			first(&c.direction, i)
		case has(h, "dst", "dstflag", "daylight") || strings.Contains(h, "repeated hour"):
			first(&c.dst, i)
		case has(h, "revision", "version", "posted", "published"):
			first(&c.revision, i)
		case unit == "" && has(h, "quality", "status", "flag", "flags", "estimated", "actual", "estimate", "validation", "qc"):
			first(&c.quality, i)
		case h == "uom" || h == "unit" || h == "units" || h == "unit of measure":
			first(&c.unit, i)
		case has(h, "minutes", "duration") && unit == "" || h == "interval length" || h == "interval minutes" || h == "interval min":
			first(&c.minutes, i)
		case award && (has(h, "bid", "offer") && has(h, "id") || h == "bidid" || h == "offerid" || has(h, "point") || h == "settlementpoint"):
			first(&c.bid, i)
		case award && (h == "site" || h == "location"):
			first(&c.site, i)
		case h == "hour ending" || h == "hourending" || h == "he" || h == "hour" || h == "hr" || h == "hour end" || h == "delivery hour" || h == "hour number":
			first(&c.hour, i)
		case h == "interval" || h == "interval number" || h == "interval no" || h == "interval id" || h == "period" || h == "settlement period" || h == "delivery interval":
			first(&c.number, i)
		case isMeter(h) && unit == "":
			first(&c.meter, i)
		case isDay(h):
			first(&c.date, i)
		case isEnd(h):
			first(&c.end, i)
		case isStart(h):
			first(&c.start, i)
		case isStamp(h):
			first(&c.stamp, i)
		case has(h, "generation", "generated", "received", "export", "exported", "reverse", "surplus", "solar", "returned"):
			c.odd = append(c.odd, cell)
		case unit != "" || isAmount(h, award):
			c.values = append(c.values, value{at: i, unit: unit, name: strings.TrimSpace(cell), sold: award && has(h, "offer", "sold", "sale"), amount: isAmount(h, award)})
		}
	}
	if len(c.values) > 1 {
		if parts := slices.DeleteFunc(slices.Clone(c.values), func(v value) bool { return has(plain(v.name), "total", "net", "sum") }); len(parts) > 0 && len(parts) < len(c.values) {
			for _, v := range c.values {
				if has(plain(v.name), "total", "net", "sum") {
					c.odd = append(c.odd, v.name)
				}
			}
			c.values = parts
		}
	}
	// Energy goes before the power beside it.
	if energy := slices.DeleteFunc(slices.Clone(c.values), func(v value) bool { return v.unit == "kW" || v.unit == "MW" }); !award && len(energy) > 0 && len(energy) < len(c.values) {
		for _, v := range c.values {
			if v.unit == "kW" || v.unit == "MW" {
				c.odd = append(c.odd, v.name)
			}
		}
		c.values = energy
	}
	return c
}

// good tells whether a line is the head of a table of a row an interval.
func (c *columns) good() bool {
	timed := c.stamp >= 0 || c.start >= 0 || c.end >= 0 || c.date >= 0
	return timed && len(c.values) > 0 && len(c.slots) < 20
}

// wide tells whether a line is the head of a table of a row a day.
func (c *columns) wide() bool {
	return len(c.slots) >= 23 && (c.date >= 0 || c.stamp >= 0 || c.start >= 0)
}

func (c *columns) said(head []string) string {
	var out []string
	say := func(what string, at int) {
		if at >= 0 {
			out = append(out, fmt.Sprintf("%s from %q", what, clip(head[at])))
		}
	}
	say("days", c.date)
	say("begin", c.start)
	say("end", c.end)
	say("times", c.stamp)
	say("hours", c.hour)
	say("numbers", c.number)
	for _, v := range c.values {
		say("values", v.at)
	}
	say("meters", c.meter)
	say("quality", c.quality)
	return strings.Join(out, ", ")
}

func isMeter(h string) bool {
	switch strings.ReplaceAll(h, " ", "") {
	case "meter", "meterid", "meternumber", "meterno", "metername", "meterserial", "meterserialnumber", "esiid", "esi", "nmi", "mpan", "ean", "sdp", "sdpid", "spid", "channel", "channelid", "usagepoint", "servicepoint", "servicepointid", "serviceid", "saidd", "said", "zaehlpunkt", "zählpunkt", "pod", "premise", "premiseid", "recorder", "recorderid":
		return true
	}
	return false
}

func isDay(h string) bool {
	switch h {
	case "date", "day", "usage date", "read date", "reading date", "interval date", "delivery date", "deliverydate", "operating day", "operating date", "flow date", "trade date", "local date", "datum", "meter read date", "usage day":
		return true
	}
	return false
}

func isEnd(h string) bool {
	if h == "to" || h == "until" || h == "ending" || h == "end" {
		return true
	}
	return has(h, "end", "ending", "endtime", "stop") && !has(h, "hour") && has(h, "time", "date", "datetime", "interval", "usage", "period", "endtime", "local", "timestamp", "reading", "read")
}

func isStart(h string) bool {
	if h == "from" || h == "start" || h == "begin" || h == "beginning" {
		return true
	}
	return has(h, "start", "starting", "begin", "beginning", "starttime") && has(h, "time", "date", "datetime", "interval", "usage", "period", "starttime", "local", "timestamp", "hour", "reading", "read")
}

func isStamp(h string) bool {
	switch h {
	case "time", "datetime", "date time", "timestamp", "time stamp", "interval time", "reading time", "read time", "date and time", "local time", "interval datetime", "interval date time", "meter read time", "zeit", "utc", "time utc", "datetime utc", "usage time":
		return true
	}
	return has(h, "timestamp", "datetime") || strings.HasSuffix(h, "time period") || h == "interval start end" || h == "time range"
}

func isAmount(h string, award bool) bool {
	if award {
		return has(h, "award", "awarded", "awards", "mw", "mwh", "quantity", "qty", "cleared", "volume", "position")
	}
	return has(h, "usage", "consumption", "energy", "value", "delivered", "quantity", "reading", "import", "load", "verbrauch", "consumed", "used", "demand")
}

// slotOf reads the head of a column of a row a day: "00:15", "HE01", "Int 3",
// "7", "02:00*".
func slotOf(h string, at int) (slot, bool) {
	if m := slotClock.FindStringSubmatch(h); m != nil {
		hours, _ := strconv.Atoi(m[1])
		minutes, _ := strconv.Atoi(m[2])
		if hours > 24 || minutes > 59 || hours == 24 && minutes > 0 {
			return slot{}, false
		}
		return slot{at: at, minute: hours*60 + minutes, second: m[3] != ""}, true
	}
	if m := slotHalf.FindStringSubmatch(h); m != nil {
		hours, _ := strconv.Atoi(m[1])
		minutes, _ := strconv.Atoi(m[2])
		if hours < 1 || hours > 12 || minutes > 59 {
			return slot{}, false
		}
		hours %= 12
		if m[3] == "pm" {
			hours += 12
		}
		return slot{at: at, minute: hours*60 + minutes}, true
	}
	if m := slotCount.FindStringSubmatch(h); m != nil {
		n, _ := strconv.Atoi(m[2])
		if n > 300 {
			return slot{}, false
		}
		return slot{at: at, minute: -1, number: n, second: m[3] != ""}, true
	}
	return slot{}, false
}
