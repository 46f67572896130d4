package epic

import (
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// The replies by the names that they are saved under.
const (
	replySummary      = "summary"
	replyCapabilities = "capabilities"
	replyNetwork      = "network"
	replyTemps        = "temps"
	replyHashrates    = "chip_hashrates"
	replyClocks       = "chip_clocks"
	replyVoltages     = "chip_voltages"
	replyChipTemps    = "chip_temps"
)

// paths are where the replies are asked for.
var paths = map[string]string{
	replySummary: "/summary", replyCapabilities: "/capabilities", replyNetwork: "/network", replyTemps: "/temps",
	replyHashrates: "/hashrate", replyClocks: "/clocks", replyVoltages: "/voltages", replyChipTemps: "/temps/chip",
}

// parts are the replies, read as far as they are there. What changes slowly is
// kept between polls in this form.
type parts struct {
	summary      *summary
	capabilities *capabilities
	network      *network
	temps        *boardLists
	hashrates    *boardLists
	clocks       *boardLists
	voltages     *boardLists
	chipTemps    *boardLists
	chips        map[int]chipFigures        // condensed from the four lists above, once
	warnings     map[string][]miner.Warning // by reply
}

// boardLists is a reply that lists figures by board: [{"Index":1,"Data":[...]}].
type boardLists struct {
	boards []boardList
}

type boardList struct {
	index  int
	values []float64   // one a sensor or chip; NaN where there was no number
	tuples [][]float64 // where each is a list
}

func (p *parts) any() bool {
	return p.summary != nil || p.capabilities != nil || p.network != nil || p.temps != nil || p.hashrates != nil ||
		p.clocks != nil || p.voltages != nil || p.chipTemps != nil
}

// take reads one reply into its part. A name that is none of ours is looked at
// for what it holds.
func (p *parts) take(name string, raw []byte) {
	var warnings []miner.Warning
	warn := func(kind miner.WarningKind, where, detail string) {
		var r miner.Reading
		r.Warn(kind, where, detail)
		warnings = append(warnings, r.Warnings...)
	}
	known := knownName(name)
	reply, ok := cgminer.Read(orElse(known, name), raw, warn)
	if ok {
		root := reply.JSON()
		if known == "" {
			known = recognise(root)
		}
		ok = p.fill(known, root, warn)
		if !ok {
			warn(miner.WarnUnknown, orElse(known, name), cgminer.Excerpt(raw))
		}
	}
	if p.warnings == nil {
		p.warnings = map[string][]miner.Warning{}
	}
	p.warnings[orElse(known, name)] = warnings
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// knownName is the reply's own name for the names that it goes by.
func knownName(name string) string {
	name = strings.ToLower(strings.Trim(name, "/"))
	name = strings.TrimSuffix(name, path.Ext(name))
	switch name {
	case "hashrate", "hashrates":
		return replyHashrates
	case "clocks":
		return replyClocks
	case "voltages":
		return replyVoltages
	case "temps/chip", "temps_chip":
		return replyChipTemps
	case "temps/board", "temps_board":
		return replyTemps
	}
	if _, ok := paths[name]; ok {
		return name
	}
	return ""
}

// recognise says which reply this is, "" when nothing in it does.
func recognise(root gjson.Result) string {
	switch {
	case root.IsObject():
		for _, k := range []string{"Session", "HBs", "HBStatus", "Fans Rpm", "StratumConfigs", "PerpetualTune.Running"} {
			if root.Get(k).Exists() {
				return replySummary
			}
		}
		for _, k := range []string{"Performance Estimator", "Tune Presets", "Chip Type", "Max HBs", "Control Board Version"} {
			if root.Get(k).Exists() {
				return replyCapabilities
			}
		}
		for _, k := range []string{"dhcp", "static"} {
			if root.Get(k).IsObject() {
				return replyNetwork
			}
		}
	case root.IsArray():
		lists := readBoardLists(root)
		if lists == nil {
			return ""
		}
		return lists.kind()
	}
	return ""
}

// kind tells per-chip lists apart by what they can be: rates come in triples, a
// board has a handful of sensors, clocks are MHz and lie far above any
// temperature. A list of zeros tells nothing.
func (l boardLists) kind() string {
	var all []float64
	longest := 0
	for _, b := range l.boards {
		if len(b.tuples) > 0 {
			return replyHashrates
		}
		all = append(all, b.values...)
		longest = max(longest, len(b.values))
	}
	if len(all) == 0 {
		return ""
	}
	low, high := slices.Min(all), slices.Max(all)
	switch {
	case low == 0 && high == 0:
		return ""
	case longest <= 8 && high < hottest:
		return replyTemps
	case longest > 8 && high < hottest && low >= 0:
		return replyChipTemps
	case longest > 8 && high >= 350 && high < 2000:
		return replyClocks
	}
	return ""
}

const hottest = 200

func (p *parts) fill(known string, root gjson.Result, warn cgminer.Warn) bool {
	if known == replySummary || known == replyCapabilities || known == replyNetwork {
		if !root.IsObject() || len(root.Raw) <= 2 {
			return false
		}
		o := cgminer.NewObject(known, root)
		switch known {
		case replySummary:
			p.summary = readSummary(o, warn)
		case replyCapabilities:
			p.capabilities = readCapabilities(o)
		case replyNetwork:
			p.network = readNetwork(o)
		}
		return true
	}
	lists := readBoardLists(root)
	if lists == nil {
		return false
	}
	switch known {
	case replyTemps:
		p.temps = lists
	case replyHashrates:
		p.hashrates = lists
	case replyClocks:
		p.clocks = lists
	case replyVoltages:
		p.voltages = lists
	case replyChipTemps:
		p.chipTemps = lists
	default:
		return false
	}
	return true
}

// readBoardLists reads a list by board, nil when it is none.
func readBoardLists(root gjson.Result) *boardLists {
	if !root.IsArray() {
		return nil
	}
	const mostBoards, mostChips = 16, 2000
	var out boardLists
	root.ForEach(func(_, v gjson.Result) bool {
		o := cgminer.NewObject("", v)
		index, ok := o.Count("Index").Get()
		data := o.Raw("Data")
		if !ok || index >= mostBoards || !data.IsArray() {
			return true
		}
		b := boardList{index: int(index)}
		first := data.Get("0")
		data.ForEach(func(_, chip gjson.Result) bool {
			if first.IsArray() {
				var tuple []float64
				chip.ForEach(func(_, n gjson.Result) bool {
					tuple = append(tuple, number(n))
					return len(tuple) < 8
				})
				b.tuples = append(b.tuples, tuple)
			} else {
				b.values = append(b.values, number(chip))
			}
			return len(b.values)+len(b.tuples) < mostChips
		})
		out.boards = append(out.boards, b)
		return len(out.boards) < mostBoards
	})
	if len(out.boards) == 0 {
		return nil
	}
	return &out
}

// of is the list of one board.
func (l *boardLists) of(index int) boardList {
	if l != nil {
		for _, b := range l.boards {
			if b.index == index {
				return b
			}
		}
	}
	return boardList{}
}
