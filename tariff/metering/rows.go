package metering

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// order finds out how dates are written, or asks.
func (f *File) order(cells []string) (Dates, bool) {
	if f.how.Dates != "" {
		return f.how.Dates, true
	}
	order, ok := ordered(cells)
	if !ok {
		f.problem(0, "dates", "say whether months or days come first", "dates such as %q can be read in two ways", clip(cells[0]))
	}
	return order, ok
}

// unitFor is the unit of a value, and whether the row is one of energy at all.
func (f *File) unitFor(c columns, r row, said string) (string, bool) {
	if d := plain(r.cell(c.direction)); d != "" && has(d, "surplus", "generation", "received", "reverse", "export", "r") {
		f.remark("rows of what the site fed back are left out")
		return "", false
	}
	if cell := r.cell(c.unit); cell != "" && said == "" {
		if said = unitOf(plain(cell)); said == "" {
			f.remark("rows in %s are left out", clip(cell))
			return "", false
		}
	}
	if f.how.Unit != "" {
		if said != "" && said != f.how.Unit {
			f.remark("the file says %s; read as %s, as was asked", said, f.how.Unit)
		}
		said = f.how.Unit
	}
	if said == "" && f.award {
		said = "MW"
		f.remark("no unit is named: MW")
	}
	if said == "" {
		if !slices.ContainsFunc(f.Problems, func(p Problem) bool { return p.Field == "unit" && p.Line == 0 }) {
			f.problem(0, "unit", "choose the unit", "the file does not say whether its values are kWh, MWh or kW")
		}
		return "kWh", true
	}
	return said, true
}

func (f *File) meterOf(c columns, r row, column string) string {
	if f.award {
		return "award"
	}
	name := strings.Trim(r.cell(c.meter), "'\"= ")
	switch {
	case name != "" && column != "":
		return clipName(name + " " + column)
	case name != "":
		return clipName(name)
	case column != "":
		return clipName(column)
	case f.how.Meter != "":
		return clipName(f.how.Meter)
	}
	return "main"
}

func clipName(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100])
	}
	return s
}

// absent tells whether a cell says that there is no value.
func absent(text string) bool {
	switch strings.ToLower(text) {
	case "", "-", "--", "n/a", "na", "null", "nan", "none", "missing", "#n/a":
		return true
	}
	return false
}

// totals tells whether a row sums others.
func totals(r row) bool {
	for _, c := range r.cells {
		switch l := strings.ToLower(c); {
		case strings.HasPrefix(l, "total"), strings.HasPrefix(l, "sum"), strings.HasPrefix(l, "end of"), strings.HasPrefix(l, "grand"):
			return true
		}
	}
	return false
}

// estimated tells what a quality flag says.
func (f *File) estimated(flag string) bool {
	h := plain(flag)
	switch h {
	case "", "a", "actual", "v", "valid", "validated", "verified", "ok", "good", "r", "raw", "measured", "false", "0", "no", "act", "final", "normal", "revenue", "g", "m":
		return false
	case "e", "est", "estimated", "estimate", "s", "substituted", "substitute", "f", "edited", "interpolated", "true", "1", "yes", "c", "calculated", "derived", "partial":
		return true
	}
	switch {
	case strings.HasPrefix(h, "est") || has(h, "estimated", "substituted", "interpolated"):
		return true
	case strings.HasPrefix(h, "act") || has(h, "actual", "validated", "measured"):
		return false
	}
	f.remark("the quality %q is taken as an estimate", clip(flag))
	return true
}

// timed is a row whose time was read.
type timed struct {
	row
	a, z    stamped // start (or the only stamp) and end
	hasZ    bool
	day     wall
	hour    int // ending; -1 none
	number  int // in the day, or in the hour; -1 none
	starred bool
	ranged  bool // start and end are in one column
}

// readRows reads a table of a row an interval.
func (f *File) readRows(c columns, head row, body []row, mayComma bool) error {
	f.adds = f.award && (c.bid >= 0 || len(c.values) > 1)
	if !f.award && len(c.values) > 1 {
		var names []string
		for _, v := range c.values {
			names = append(names, v.name)
		}
		f.remark("%d columns are taken for %d meters, which are added up: %s", len(names), len(names), clip(strings.Join(names, ", ")))
	}
	if len(c.odd) > 0 {
		f.remark("left out: %s", strings.Join(c.odd[:min(8, len(c.odd))], ", "))
	}
	var cells, numbers []string
	for _, r := range body {
		for _, at := range []int{c.date, c.start, c.end, c.stamp} {
			if v, _, _ := strings.Cut(r.cell(at), " to "); v != "" {
				cells = append(cells, v)
			}
		}
		if v := r.cell(c.values[0].at); v != "" {
			numbers = append(numbers, v)
		}
	}
	order, ok := f.order(cells)
	if !ok {
		return nil
	}
	comma := mayComma && hasDecimalComma(numbers)
	list := f.when(c, body, order)
	if len(list) == 0 {
		return nil
	}
	if first, last := list[0], list[len(list)-1]; last.key().Before(first.key()) {
		slices.Reverse(list) // newest first
	}
	if c.hour >= 0 || c.number >= 0 {
		f.byNumber(c, head, list, comma)
		return nil
	}
	f.byTime(c, list, comma)
	return nil
}

func (t *timed) key() time.Time {
	if !t.day.IsZero() {
		return t.day
	}
	return t.a.wall
}

// when reads the times of rows.
func (f *File) when(c columns, body []row, order Dates) (out []timed) {
	bad := 0
	for _, r := range body {
		t := timed{row: r, hour: -1, number: -1}
		fail := func(at int, err error) {
			if bad++; bad <= 20 && !totals(r) {
				f.problem(r.line, "dates", "", "%v", err)
			}
			_ = at
		}
		parts := 0
		read := func(at int) (stamped, bool) {
			if at < 0 || r.cell(at) == "" {
				return stamped{}, false
			}
			s, err := moment(r.cell(at), order)
			if err != nil {
				fail(at, err)
				parts = -100
				return s, false
			}
			parts++
			return s, true
		}
		day, dated := read(c.date)
		if dated {
			t.day = day.wall.Truncate(24 * time.Hour)
		}
		if c.hour >= 0 || c.number >= 0 {
			if !dated {
				if s, ok := read(max(c.stamp, c.start)); ok && s.date {
					t.day, dated = s.wall.Truncate(24*time.Hour), true
				}
			}
			if !dated {
				if parts == 0 && !totals(r) {
					f.problem(r.line, "dates", "", "no date")
				}
				continue
			}
			if !f.numbers(c, r, &t) {
				continue
			}
			out = append(out, t)
			continue
		}
		a, okA := read(c.start)
		z, okZ := read(c.end)
		if from, to, both := strings.Cut(strings.ToLower(r.cell(c.stamp)), " to "); both && !okA && !okZ && parts >= 0 {
			// "2026-01-01 00:00:00 to 2026-01-01 01:00:00" in one column.
			var errA, errZ error
			a, errA = moment(from, order)
			z, errZ = moment(to, order)
			if errA != nil || errZ != nil {
				fail(c.stamp, cmp.Or(errA, errZ))
				continue
			}
			okA, okZ, t.ranged, parts = true, true, true, parts+1
		} else if !okA && parts >= 0 {
			a, okA = read(c.stamp)
		}
		if parts < 0 {
			continue
		}
		if !okA && !okZ && dated && day.clock {
			a, okA = day, true
			t.day = wall{}
		}
		if !okA && !okZ {
			if parts > 0 && dated {
				f.problem(r.line, "", "ask the utility for interval data: 5, 15, 30 or 60 minutes", "a day without a time: these are daily totals")
				return nil
			}
			if !totals(r) && bad < 20 {
				bad++
				f.problem(r.line, "dates", "", "no time")
			}
			continue
		}
		join := func(s stamped) (stamped, bool) {
			if s.date {
				return s, true
			}
			if !dated {
				f.problem(r.line, "dates", "", "a time without a date")
				return s, false
			}
			s.wall = t.day.Add(s.wall.Sub(time.Unix(0, 0).UTC()))
			s.date = true
			return s, true
		}
		if okA {
			if a, okA = join(a); !okA {
				continue
			}
		}
		if okZ {
			if z, okZ = join(z); !okZ {
				continue
			}
		}
		if okA && okZ && !z.offset && !a.offset && z.wall.Equal(z.wall.Truncate(24*time.Hour)) && !z.wall.After(a.wall) {
			z.wall = z.wall.AddDate(0, 0, 1) // 23:45 to 00:00
		}
		t.hasZ = okZ
		if t.a, t.z = a, z; !okA {
			t.a = z
		}
		out = append(out, t)
	}
	return out
}

// numbers reads the hour and the number of an interval.
func (f *File) numbers(c columns, r row, t *timed) bool {
	one := func(at int, what string) (int, bool) {
		text := strings.ToLower(r.cell(at))
		text = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(text, "he"), "hour"))
		for _, mark := range []string{"*", "x", " dst"} {
			if rest, ok := strings.CutSuffix(text, mark); ok {
				text, t.starred = rest, true
			}
		}
		text, _, _ = strings.Cut(text, ":")
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 0 || n > 300 {
			if !totals(r) {
				f.problem(r.line, "", "", "%q is no %s", clip(r.cell(at)), what)
			}
			return 0, false
		}
		return n, true
	}
	ok := true
	if c.hour >= 0 {
		t.hour, ok = one(c.hour, "hour of a day")
		if t.hour > 25 {
			f.problem(r.line, "", "", "hour %d", t.hour)
			return false
		}
	}
	if ok && c.number >= 0 {
		t.number, ok = one(c.number, "number of an interval")
	}
	switch h := plain(r.cell(c.dst)); h {
	case "y", "yes", "true", "1", "d", "dst repeated":
		t.starred = true
	}
	return ok
}

// byNumber lays rows that count their intervals.
func (f *File) byNumber(c columns, head row, list []timed, comma bool) {
	low, high, most := 999, -1, 0
	for _, t := range list {
		if c.hour >= 0 {
			low, high = min(low, t.hour), max(high, t.hour)
		} else {
			low, high = min(low, t.number), max(high, t.number)
		}
		most = max(most, t.number)
	}
	length := time.Hour
	perHour := 1
	switch {
	case c.hour >= 0 && c.number >= 0:
		perHour = max(most, 1)
		if 60%perHour != 0 {
			f.problem(0, "interval", "", "%d intervals in an hour", perHour)
			return
		}
		length = time.Hour / time.Duration(perHour)
	case c.number >= 0 && f.how.Interval > 0 && !f.award:
		length = f.how.Interval
	case c.number >= 0:
		switch {
		case most <= 25:
			length = time.Hour
		case most <= 50:
			length = 30 * time.Minute
		case most <= 100:
			length = 15 * time.Minute
		default:
			length = 5 * time.Minute
		}
	}
	base := 1
	if low == 0 {
		if c.hour >= 0 && has(plain(head.cell(c.hour)), "ending", "hourending", "he", "end") {
			f.problem(0, "", "hour ending goes from 1 to 24", "an hour ending of 0")
			return
		}
		base = 0
		f.remark("%q counts from 0: the beginnings of intervals", clip(head.cell(max(c.hour, c.number))))
	}
	days := map[dayKey][]counted{}
	var keys []dayKey
	for _, t := range list {
		index := t.number - base
		if c.hour >= 0 {
			index = (t.hour - base) * perHour
			if c.number >= 0 {
				index += t.number - 1
			}
		}
		if index < 0 {
			f.problem(t.line, "", "", "interval %d of a day", index)
			continue
		}
		f.values(c, t.row, comma, func(meter string, v counted) {
			v.index, v.second = index, t.starred
			k := dayKey{meter, t.day}
			if _, there := days[k]; !there {
				keys = append(keys, k)
			}
			days[k] = append(days[k], v)
		})
	}
	for _, k := range keys {
		f.lay(k, days[k], length)
	}
}

// values gives each every value of a row with its meter.
func (f *File) values(c columns, r row, comma bool, each func(meter string, v counted)) {
	for _, v := range c.values {
		unit, use := f.unitFor(c, r, v.unit)
		if !use {
			return
		}
		text := r.cell(v.at)
		if absent(text) {
			continue
		}
		n, err := amount(text, comma)
		if err != nil {
			f.problem(r.line, "", "", "%v", err)
			continue
		}
		column := ""
		if len(c.values) > 1 {
			column = v.name
		}
		if h := plain(r.cell(c.quality)); h == "n" || h == "missing" || h == "null" || h == "x" {
			continue
		}
		each(f.meterOf(c, r, column), counted{line: r.line, value: n, flag: r.cell(c.quality), unit: unit, sold: v.sold})
	}
}

// byTime lays rows that name a time.
func (f *File) byTime(c columns, list []timed, comma bool) {
	ends := c.start < 0 && c.end >= 0
	step := f.step(c, list)
	if step == 0 && c.minutes < 0 {
		f.problem(0, "interval", "choose the interval", "one cannot tell how long the intervals are")
		return
	}
	if c.start < 0 && c.end < 0 && !list[0].ranged {
		switch f.how.Stamp {
		case Starts, Ends:
			ends = f.how.Stamp == Ends
		default:
			var sure bool
			if ends, sure = stampEnds(list, step); !sure {
				f.problem(0, "stamp", "say which they are", "one cannot tell whether the times are when intervals begin or end")
				return
			}
			f.remark("times are when intervals %s", map[bool]string{true: "end", false: "begin"}[ends])
		}
	}
	if ends {
		turn(list)
	}
	seen := map[string]map[int64]bool{}
	var best map[string]int // by meter and start: the reading kept
	if c.revision >= 0 {
		best = map[string]int{}
	}
	revisions := map[int]string{}
	for _, t := range list {
		length := step
		if text := t.cell(c.minutes); text != "" {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.ToLower(text), " min"))
			if err != nil || n < 1 || n > 1440 {
				f.problem(t.line, "interval", "", "%q minutes", clip(text))
				continue
			}
			length = time.Duration(n) * time.Minute
			if n >= 300 && n%60 == 0 && n <= 3600 { // seconds
				length = time.Duration(n) * time.Second
			}
		} else if (c.start >= 0 || t.ranged) && t.hasZ {
			if length = t.z.wall.Sub(t.a.wall); t.a.offset != t.z.offset || length <= 0 || !t.a.offset && !plausible(length) {
				length = step // over a change of the clock the labels are no difference
			}
		}
		f.values(c, t.row, comma, func(meter string, v counted) {
			at, ok := f.at(t, ends, length, v, seen, meter, best != nil)
			if !ok {
				return
			}
			n := len(f.Readings)
			f.take(v, meter, at, length)
			if best == nil || len(f.Readings) == n {
				return
			}
			key := meter + "\x00" + strconv.FormatInt(at.Unix(), 10)
			revisions[n] = t.cell(c.revision)
			was, there := best[key]
			switch {
			case !there:
				best[key] = n
			case later(t.cell(c.revision), revisions[was], f.how.Dates):
				f.Readings[was], revisions[was] = f.Readings[n], t.cell(c.revision)
				f.Readings = f.Readings[:n]
				f.remark("of rows with several revisions the newest counts")
			case t.cell(c.revision) != revisions[was]:
				f.Readings = f.Readings[:n]
				f.remark("of rows with several revisions the newest counts")
			}
		})
	}
}

func later(a, b string, order Dates) bool {
	x, errA := moment(a, cmp.Or(order, MonthFirst))
	y, errB := moment(b, cmp.Or(order, MonthFirst))
	if errA == nil && errB == nil {
		return x.wall.After(y.wall)
	}
	m, errA := strconv.Atoi(a)
	n, errB := strconv.Atoi(b)
	if errA == nil && errB == nil {
		return m > n
	}
	return a > b
}

// at is when the interval of a row begins.
func (f *File) at(t timed, ends bool, length time.Duration, v counted, seen map[string]map[int64]bool, meter string, revised bool) (time.Time, bool) {
	if t.a.offset {
		if ends {
			return t.a.wall.Add(-length), true
		}
		return t.a.wall, true
	}
	had := seen[meter]
	if had == nil {
		had = map[int64]bool{}
		seen[meter] = had
	}
	var could []time.Time
	if ends {
		could = instants(t.a.wall.Add(-length), f.zone)
		for _, at := range instants(t.a.wall, f.zone) {
			if at = at.Add(-length); !slices.ContainsFunc(could, at.Equal) {
				could = append(could, at)
			}
		}
	} else {
		could = instants(t.a.wall, f.zone)
	}
	if len(could) == 0 {
		f.skipped(t.line, t.a.wall, v.value)
		return time.Time{}, false
	}
	best := could[0]
	for _, at := range could {
		if !had[at.Unix()] && !(revised && len(could) == 1) {
			best = at
			break
		}
	}
	had[best.Unix()] = true
	return best, true
}

// turn mends ends that are midnight: "2026-03-01 00:00" beside a column with the
// date may be the end of that date or of the one before. The rows around tell.
func turn(list []timed) {
	for i := range list {
		t := &list[i]
		if t.day.IsZero() || t.a.offset || !t.a.wall.Equal(t.day) {
			continue
		}
		same := i > 0 && list[i-1].day.Equal(t.day) || i == 0 && !(len(list) > 1 && list[1].day.Equal(t.day))
		if same {
			t.a.wall = t.a.wall.AddDate(0, 0, 1)
		}
	}
}

// step is the interval of rows that do not say it: what lies between most rows
// in a row.
func (f *File) step(c columns, list []timed) time.Duration {
	if f.how.Interval > 0 {
		return f.how.Interval
	}
	count := map[time.Duration]int{}
	last := map[string]time.Time{}
	for _, t := range list {
		if (c.start >= 0 || t.ranged) && t.hasZ && plausible(t.z.wall.Sub(t.a.wall)) {
			count[t.z.wall.Sub(t.a.wall)]++
			continue
		}
		m := t.cell(c.meter)
		if was, ok := last[m]; ok {
			if d := t.a.wall.Sub(was); d > 0 {
				count[d]++
			}
		}
		last[m] = t.a.wall
	}
	best, most := time.Duration(0), 0
	for d, n := range count {
		if plausible(d) && (n > most || n == most && d < best) {
			best, most = d, n
		}
	}
	return best
}

// stampEnds finds out from where days begin and end whether times are ends.
func stampEnds(list []timed, step time.Duration) (ends, sure bool) {
	first, last := list[0].a.wall, list[len(list)-1].a.wall
	if list[0].a.offset {
		return false, false
	}
	clock := func(t wall) time.Duration { return t.Sub(t.Truncate(24 * time.Hour)) }
	switch {
	case clock(first) == 0 && clock(last) == 24*time.Hour-step:
		return false, true
	case clock(first) == step && clock(last) == 0:
		return true, true
	}
	return false, false
}
