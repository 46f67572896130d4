package whatsminer

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
)

// explain says what one of the vendor's codes means. known is false for a code
// that is in no list; it then gets its group's "other".
func explain(n int) (e explained, known bool) {
	if e, ok := plainCodes[n]; ok {
		return e, true
	}
	if e, ok := slotCodes[n/10]; ok && n%10 < mostBoards {
		e.at = n % 10
		e.text = fmt.Sprintf(e.text, e.at)
		return e, true
	}
	if slot, chip, kind, ok := chipOf(n); ok {
		e := chipCodes[kind]
		e.at = slot
		e.text = fmt.Sprintf(e.text, slot, chip)
		return e, true
	}
	if n/100 == 85 && n%10 < len(levelCodes) {
		e := levelCodes[n%10]
		e.text = fmt.Sprintf(e.text, n/10%10)
		return e, true
	}
	return groupOf(n), false
}

// chipOf takes a chip's code apart: 520012 is slot 0 chip 12, 5213 slot 1 chip 3.
func chipOf(n int) (slot, chip, kind int, ok bool) {
	text := strconv.Itoa(n)
	if len(text) < 4 || len(text) > 6 {
		return 0, 0, 0, false
	}
	kind, _ = strconv.Atoi(text[:2])
	slot, _ = strconv.Atoi(text[2:3])
	chip, _ = strconv.Atoi(text[3:])
	_, ok = chipCodes[kind]
	return slot, chip, kind, ok && slot < mostBoards
}

func groupOf(n int) explained {
	e := explained{miner.AdvisoryOther, miner.Major, atMachine, "unknown code"}
	switch {
	case n >= 100 && n < 200:
		e.code = miner.ThermalOther
	case n < 300 && n >= 200:
		// 276 to 296 are status bits whose meaning differs by power supply.
		e.code, e.at, e.text = miner.PSUOther, 0, "error bit of the power supply"
	case n < 400 && n >= 300:
		e.code = miner.SensorOther
	case n < 600 && n >= 400:
		e.code = miner.BoardOther
	case n < 700 && n >= 600:
		e.code = miner.ThermalOther
	case n < 800 && n >= 700:
		e.code = miner.ControlOther
	case n < 900 && n >= 800:
		e.code = miner.FirmwareOther
	case n >= 2000 && n < 2100:
		e.code, e.sev = miner.ControlOther, miner.Minor
	case n >= 5000 && n < 6000, n >= 500000 && n < 600000:
		e.code = miner.BoardOther
	case n >= 8000 && n < 10000:
		e.sev = miner.Minor
	case n >= 100000 && n < 200000:
		e.code = miner.FirmwareOther
	}
	return e
}

// complaint is one code as a machine told it.
type complaint struct {
	code   string
	since  string
	reason string
}

// complaints reads a list of codes in every form that firmwares write:
//
//	["111"]                                  2.0.1
//	["329":"2022-01-17 11:28:11"]            2.0.4, which a mended reply has as {"329":..}
//	[{"329":"2022-01-17 11:28:11"}]          2.0.5
//	[{"264":"2026-05-23 09:19:10","reason":"Power xfer error. code: .."}]    3.0.1
//
// A code of 0 is none.
func complaints(v gjson.Result) []complaint {
	var out []complaint
	switch {
	case v.IsArray():
		v.ForEach(func(_, e gjson.Result) bool {
			out = append(out, complaints(e)...)
			return true
		})
	case v.IsObject():
		reason := ""
		v.ForEach(func(key, value gjson.Result) bool {
			switch {
			case key.Str == "reason":
				reason = value.String()
			case isCode(key.Str):
				out = append(out, complaint{code: key.Str, since: value.String()})
			case value.IsArray() || value.IsObject():
				out = append(out, complaints(value)...)
			}
			return true
		})
		if reason != "" && len(out) == 1 {
			out[0].reason = reason
		}
	case v.Type == gjson.Number || v.Type == gjson.String:
		// "111,410" in one text has been seen beside a text for each.
		for code := range strings.FieldsFuncSeq(v.String(), func(r rune) bool { return r == ',' || r == ' ' }) {
			if isCode(code) {
				out = append(out, complaint{code: code})
			}
		}
	}
	return out
}

// isCode tells whether a text is a code: digits, and not zero.
func isCode(s string) bool {
	return len(s) > 0 && len(s) <= 7 && strings.Trim(s, "0123456789") == "" && strings.Trim(s, "0") != ""
}

// fault translates a complaint. zone is the machine's.
func (c complaint) fault(zone *time.Location) (f miner.Fault, known bool) {
	n, _ := strconv.Atoi(c.code)
	e, known := explain(n)
	if c.reason != "" {
		e.text = c.reason
		if e.sev == miner.Critical && strings.Contains(strings.ToLower(c.reason), "warning") {
			e.sev = miner.Minor // some codes were protections once and warn today
		}
	}
	f = miner.NewFault(e.code, e.sev, e.at, c.code, e.text)
	f.Since = instant(c.since, zone)
	return f, known
}

// instant reads a machine's local time; zero when it is none, or when the
// machine had no clock yet.
func instant(s string, zone *time.Location) time.Time {
	t, err := time.ParseInLocation(time.DateTime, strings.TrimSpace(s), zone)
	if err != nil || t.Year() < 2010 {
		return time.Time{}
	}
	return t.UTC()
}

// posixZone reads a time zone as MicroBT writes it: "CST-8" is 8 hours east.
// UTC when it cannot be read.
func posixZone(s string) *time.Location {
	s = strings.TrimSpace(s)
	at := strings.IndexAny(s, "+-0123456789")
	if at <= 0 {
		return time.UTC
	}
	name, rest := s[:at], s[at:]
	sign := -1
	switch rest[0] {
	case '-':
		sign, rest = 1, rest[1:]
	case '+':
		rest = rest[1:]
	}
	end := 0
	for end < len(rest) && (rest[end] >= '0' && rest[end] <= '9' || rest[end] == ':') {
		end++
	}
	hours, minutes, _ := strings.Cut(rest[:end], ":")
	h, err := strconv.Atoi(hours)
	if err != nil || h > 14 {
		return time.UTC
	}
	m, _ := strconv.Atoi(minutes)
	return time.FixedZone(name, sign*(h*3600+min(m, 59)*60))
}
