package luxos

import (
	"math"
	"strings"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// chipBoard is one board's healthchipget, condensed.
type chipBoard struct {
	expected  int // positions, hashing or not
	answering int
	summary   unit.Opt[miner.ChipSummary]
	coldest   unit.Opt[unit.Temperature]
}

// takeChips condenses the chips of one board or of several. A chip that is not
// healthy counts as failed; one that was not yet examined tells nothing.
func (s *slow) takeChips(r *miner.Reading, part cgminer.Reply) {
	boards := map[int]*chipLists{}
	part.JSON().Get("CHIPS").ForEach(func(_, v gjson.Result) bool {
		c := readChip(v)
		if c.board < 0 || c.board >= mostBoards {
			return true
		}
		if boards[c.board] == nil {
			boards[c.board] = &chipLists{}
		}
		boards[c.board].add(c)
		return true
	})
	if len(boards) == 0 {
		for _, o := range part.Section("CHIPS") { // nearly JSON, or text
			if b, ok := o.Count("Board").Get(); ok && b < mostBoards {
				if boards[int(b)] == nil {
					boards[int(b)] = &chipLists{}
				}
				boards[int(b)].add(chipOf(o))
			}
		}
	}
	for board, list := range boards {
		if s.chips == nil {
			s.chips = map[int]chipBoard{}
		}
		if list.absurd > 0 {
			r.Warn(miner.WarnImplausible, part.Name+".ChipTemp", "chips at temperatures that cannot be")
		}
		s.chips[board] = list.condense()
	}
}

// chip is one entry of CHIPS.
type chip struct {
	board             int
	rate, clock, temp float64 // GH/s, MHz, °C; NaN when untold
	healthy           string
}

func readChip(v gjson.Result) chip {
	c := chip{board: -1, rate: math.NaN(), clock: math.NaN(), temp: math.NaN()}
	v.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "Board":
			c.board = int(num(value, -1))
		case "GHS 5m":
			c.rate = num(value, c.rate)
		case "Frequency":
			c.clock = num(value, c.clock)
		case "ChipTemp":
			c.temp = num(value, c.temp)
		case "Healthy":
			c.healthy = value.Str
		}
		return true
	})
	return c
}

// num is a number, also one in a text.
func num(v gjson.Result, missing float64) float64 {
	switch v.Type {
	case gjson.Number:
		return v.Num
	case gjson.String:
		return cgminer.Number(v.Str).Or(missing)
	}
	return missing
}

func chipOf(o cgminer.Object) chip {
	nan := math.NaN()
	return chip{
		board: int(o.Count("Board").Or(-1)), rate: o.Float("GHS 5m").Or(nan), clock: o.Float("Frequency").Or(nan),
		temp: o.Float("ChipTemp").Or(nan), healthy: o.Text("Healthy"),
	}
}

// chipLists gathers a board's chips.
type chipLists struct {
	c              miner.Chips
	count, failed  int
	examined       int
	absurd, silent int
	rates          bool
	temps          bool
}

func (l *chipLists) add(c chip) {
	l.count++
	switch strings.ToUpper(c.healthy) {
	case "N", "NO":
		l.failed++
		l.examined++
	case "Y", "YES":
		l.examined++
	}
	if c.rate == 0 && strings.EqualFold(c.healthy, "N") {
		l.silent++
	}
	const mostRate = 1e6 // GH/s
	if c.rate < 0 || c.rate > mostRate {
		c.rate = math.NaN()
	}
	if c.clock <= 0 || c.clock > 1e5 {
		c.clock = math.NaN()
	}
	if c.temp <= -60 || c.temp >= 200 {
		l.absurd++
		c.temp = math.NaN()
	}
	if c.temp == 0 {
		c.temp = math.NaN()
	}
	l.rates = l.rates || !math.IsNaN(c.rate)
	l.temps = l.temps || !math.IsNaN(c.temp)
	l.c.Hashrates = append(l.c.Hashrates, unit.Hashrate(c.rate/1e3))
	l.c.Frequencies = append(l.c.Frequencies, unit.Frequency(c.clock)*unit.Megahertz)
	l.c.Temps = append(l.c.Temps, unit.Temperature(c.temp))
}

func (l *chipLists) condense() chipBoard {
	if !l.rates {
		l.c.Hashrates = nil
	}
	if !l.temps {
		l.c.Temps = nil
	}
	if l.examined > 0 {
		l.c.Dead = unit.Some(l.failed)
	}
	out := chipBoard{expected: l.count, answering: l.count - l.silent, summary: miner.SummarizeChips(l.c)}
	low := math.Inf(1)
	for _, t := range l.c.Temps {
		if float64(t) < low {
			low = float64(t)
		}
	}
	if !math.IsInf(low, 1) {
		out.coldest = unit.Some(unit.Temperature(low))
	}
	return out
}
