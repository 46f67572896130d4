package tariff

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/unit"
)

// Share is a part of something, in millionths: 2.1 % is 21000.
type Share int64

// whole is 100 %.
const whole Share = 1_000_000

// ParseShare reads "95%", "2.125 %" or "0.95".
func ParseShare(s string) (Share, error) {
	text := strings.TrimSpace(s)
	places := 6
	number, percent := strings.CutSuffix(text, "%")
	if percent {
		number, places = strings.TrimSpace(number), 4
	}
	r, err := decimal(number, places)
	if err != nil {
		return 0, fmt.Errorf("want a share such as %q: %w", "95%", err)
	}
	scale := int64(1_000_000)
	if percent {
		scale = 10_000
	}
	r.Mul(r, big.NewRat(scale, 1))
	if !r.IsInt() || !r.Num().IsInt64() {
		return 0, fmt.Errorf("%q is no share", s)
	}
	return Share(r.Num().Int64()), nil
}

// UnmarshalText reads "95%".
func (s *Share) UnmarshalText(b []byte) (err error) { *s, err = ParseShare(string(b)); return err }

// MarshalText writes "95%".
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String prints "2.1%".
func (s Share) String() string { return exactOf(big.NewRat(int64(s), 10_000)).String() + "%" }

func (s Share) rat() *big.Rat { return big.NewRat(int64(s), 1_000_000) }

// CapacityPrice is a price of demand, in millionths of a currency unit per kW,
// for a month or a year.
type CapacityPrice struct {
	Micro    int64
	Currency unit.Currency
	Yearly   bool
}

// ParseCapacityPrice reads "$9.25/kW", "$9.25/kW-month" or "$71.36/kW-year".
// Per MW is read too.
func ParseCapacityPrice(s string) (CapacityPrice, error) {
	text := strings.TrimSpace(s)
	var p CapacityPrice
	body := text
	for _, suffix := range []string{"-year", "-yr", "/year"} {
		if b, ok := strings.CutSuffix(body, suffix); ok {
			body, p.Yearly = b, true
			break
		}
	}
	if !p.Yearly {
		body = strings.TrimSuffix(strings.TrimSuffix(body, "-month"), "/month")
	}
	// An energy price has the same syntax and resolution; only the unit differs.
	per := int64(1)
	number, ok := strings.CutSuffix(body, "/kW")
	if !ok {
		number, ok = strings.CutSuffix(body, "/MW")
		per = 1000
	}
	if !ok {
		return p, fmt.Errorf("%q: want a price of demand such as %q", s, "$9.25/kW")
	}
	e, err := unit.ParseEnergyPrice(number + "/MWh")
	if err != nil || e.Micro%per != 0 {
		return p, fmt.Errorf("%q: want a price of demand such as %q", s, "$9.25/kW")
	}
	p.Micro, p.Currency = e.Micro/per, e.Currency
	return p, nil
}

// UnmarshalText reads "$9.25/kW".
func (p *CapacityPrice) UnmarshalText(b []byte) (err error) {
	*p, err = ParseCapacityPrice(string(b))
	return err
}

// MarshalText writes "$9.25/kW-month".
func (p CapacityPrice) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String prints "$9.25/kW-month".
func (p CapacityPrice) String() string {
	s := strings.TrimSuffix(unit.EnergyPrice{Micro: p.Micro, Currency: p.Currency}.String(), "/MWh")
	if p.Yearly {
		return s + "/kW-year"
	}
	return s + "/kW-month"
}

// monthly is the price for one month.
func (p CapacityPrice) monthly() *big.Rat {
	r := big.NewRat(p.Micro, 1_000_000)
	if p.Yearly {
		r.Quo(r, big.NewRat(12, 1))
	}
	return r
}

// Date is a day of the calendar, without a time zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day of t in t's own zone.
func DateOf(t time.Time) Date { y, m, d := t.Date(); return Date{y, m, d} }

// ParseDate reads "2026-03-08".
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, strings.TrimSpace(s))
	if err != nil {
		return Date{}, fmt.Errorf("%q: want a day such as %q", s, "2026-03-08")
	}
	return DateOf(t), nil
}

// UnmarshalText reads "2026-03-08".
func (d *Date) UnmarshalText(b []byte) (err error) { *d, err = ParseDate(string(b)); return err }

// MarshalText writes "2026-03-08".
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String prints "2026-03-08"; the zero Date prints "".
func (d Date) String() string {
	if d == (Date{}) {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// In is the first instant of the day.
func (d Date) In(loc *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, loc)
}

// AddDays moves the day.
func (d Date) AddDays(n int) Date { return DateOf(d.In(time.UTC).AddDate(0, 0, n)) }

// Before compares.
func (d Date) Before(e Date) bool { return d.In(time.UTC).Before(e.In(time.UTC)) }

// Month is a month of a year: what a statement is for.
type Month struct {
	Year  int
	Month time.Month
}

// ParseMonth reads "2026-03".
func ParseMonth(s string) (Month, error) {
	t, err := time.Parse("2006-01", strings.TrimSpace(s))
	if err != nil {
		return Month{}, fmt.Errorf("%q: want a month such as %q", s, "2026-03")
	}
	return MonthOf(t), nil
}

// MonthOf is the month of t in t's own zone.
func MonthOf(t time.Time) Month { y, m, _ := t.Date(); return Month{y, m} }

// UnmarshalText reads "2026-03".
func (m *Month) UnmarshalText(b []byte) (err error) { *m, err = ParseMonth(string(b)); return err }

// MarshalText writes "2026-03".
func (m Month) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// String prints "2026-03".
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m.Year, int(m.Month)) }

// Add moves by n months.
func (m Month) Add(n int) Month {
	i := m.Year*12 + int(m.Month) - 1 + n
	return Month{i / 12, time.Month(i%12 + 1)}
}

// Since is the number of months from n to m.
func (m Month) Since(n Month) int { return (m.Year-n.Year)*12 + int(m.Month) - int(n.Month) }

// Span is from the first instant of the month to the first of the next, in loc:
// 23 and 25 hour days are in it.
func (m Month) Span(loc *time.Location) (from, to time.Time) {
	return time.Date(m.Year, m.Month, 1, 0, 0, 0, 0, loc), time.Date(m.Year, m.Month+1, 1, 0, 0, 0, 0, loc)
}

// MonthDay is a day of every year.
type MonthDay struct {
	Month time.Month
	Day   int
}

// UnmarshalText reads "06-01".
func (d *MonthDay) UnmarshalText(b []byte) error {
	// 2000 is a leap year, so 02-29 reads.
	t, err := time.Parse(time.DateOnly, "2000-"+strings.TrimSpace(string(b)))
	if err != nil {
		return fmt.Errorf("%q: want a day of the year such as %q", b, "06-01")
	}
	*d = MonthDay{t.Month(), t.Day()}
	return nil
}

// MarshalText writes "06-01".
func (d MonthDay) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%02d-%02d", int(d.Month), d.Day), nil
}

func (d MonthDay) ordinal() int { return int(d.Month)*100 + d.Day }

// Hours is a part of the day on the local clock, "14:00-20:00"; it may pass
// midnight ("22:00-06:00").
type Hours struct{ from, to int } // minutes of the day, to at most 1440

// UnmarshalText reads "14:00-20:00".
func (h *Hours) UnmarshalText(b []byte) error {
	a, z, ok := strings.Cut(strings.TrimSpace(string(b)), "-")
	from, err1 := minutes(a)
	to, err2 := minutes(z)
	if !ok || err1 != nil || err2 != nil || from == 1440 || from == to {
		return fmt.Errorf("%q: want hours such as %q", b, "14:00-20:00")
	}
	*h = Hours{from, to}
	return nil
}

// MarshalText writes "14:00-20:00".
func (h Hours) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%02d:%02d-%02d:%02d", h.from/60, h.from%60, h.to/60, h.to%60), nil
}

func (h Hours) has(minute int) bool {
	if h.from < h.to {
		return minute >= h.from && minute < h.to
	}
	return minute >= h.from || minute < h.to
}

func minutes(s string) (int, error) {
	hh, mm, ok := strings.Cut(strings.TrimSpace(s), ":")
	h, err1 := strconv.Atoi(hh)
	m, err2 := strconv.Atoi(mm)
	if !ok || err1 != nil || err2 != nil || h < 0 || m < 0 || m > 59 || h*60+m > 1440 || len(mm) != 2 {
		return 0, fmt.Errorf("%q is no time of day", s)
	}
	return h*60 + m, nil
}

// Days is a set of weekdays; empty is all.
type Days uint8

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// UnmarshalText reads "weekdays", "weekends", "all", "mon-fri" or "mon, wed".
func (d *Days) UnmarshalText(b []byte) error {
	*d = 0
	for word := range strings.SplitSeq(strings.ToLower(string(b)), ",") {
		word = strings.TrimSpace(word)
		switch word {
		case "all":
			*d |= 0x7f
			continue
		case "weekdays":
			*d |= 0x3e
			continue
		case "weekends":
			*d |= 0x41
			continue
		}
		a, z, span := strings.Cut(word, "-")
		from, to := slices.Index(dayNames, a), slices.Index(dayNames, z)
		if !span {
			to = from
		}
		if from < 0 || to < 0 {
			return fmt.Errorf("%q: want days such as %q, %q or %q", b, "weekdays", "mon-fri", "sat, sun")
		}
		for i := from; ; i = (i + 1) % 7 {
			*d |= 1 << i
			if i == to {
				break
			}
		}
	}
	return nil
}

// MarshalText writes "mon, tue".
func (d Days) MarshalText() ([]byte, error) {
	var out []string
	for i, n := range dayNames {
		if d&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return []byte(strings.Join(out, ", ")), nil
}

func (d Days) has(w time.Weekday) bool { return d == 0 || d&(1<<w) != 0 }
