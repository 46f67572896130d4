package miner

import (
	"regexp"
	"strconv"
	"strings"
)

// modelWords is what a machine's own words for its model say, after their form
// (case, spacing, order, punctuation) is gone.
type modelWords struct {
	key      string  // canonical: "s19j pro", "m30s+", "avalon 1246"
	revision string  // MicroBT's and Bitaxe's: "VE40", "601"
	th       float64 // the bin, told with its unit: "104T"
	maybeTH  float64 // a bare number that may be the bin: "1246-83"
}

// brands say whose words follow. Longer ones first, where one begins with
// another.
var brands = []struct{ word, make string }{
	{"antminer", "bitmain"}, {"bitmain", "bitmain"}, {"whatsminer", "microbt"}, {"microbt", "microbt"},
	{"avalonminer", "canaan"}, {"avalon", "canaan"}, {"canaan", "canaan"}, {"sealminer", "bitdeer"}, {"bitdeer", "bitdeer"},
	{"bitaxe", "bitaxe"}, {"blockminer", "blockminer"}, {"braiins mini miner", "bmm"}, {"braiins bmm", "bmm"},
}

// firmwareWords stand in front of or behind a model without saying anything of
// it.
var firmwareWords = []string{"braiinsos+", "braiinsos", "braiins os+", "braiins os", "hiveon", "vnish", "anthillos", "luxos", "luxminer"}

// readModelWords understands a model's name or says that it does not.
func readModelWords(told string) (modelWords, bool) {
	const most = 120
	if len(told) > most {
		return modelWords{}, false
	}
	text, remarks := plainWords(told)
	for _, w := range firmwareWords {
		text = cutWord(text, w)
	}
	brand := ""
	for _, b := range brands {
		rest := strings.Replace(text, b.word, " ", 1)
		if rest == text {
			continue
		}
		if brand != "" && brand != b.make {
			return modelWords{}, false
		}
		text, brand = rest, b.make
	}
	text = strings.Join(strings.Fields(text), " ")
	var w modelWords
	for _, r := range remarks {
		if m := binWord.FindStringSubmatch(r); m != nil {
			w.th, _ = strconv.ParseFloat(m[1], 64)
		}
	}
	if m := tailBin.FindStringSubmatchIndex(text); m != nil {
		w.th, _ = strconv.ParseFloat(text[m[2]:m[3]], 64)
		text = text[:m[0]]
	}
	for _, reader := range []struct {
		brand string // "" reads words without a brand as well
		read  func(text, brand string, remarks []string, w *modelWords) bool
	}{
		{"bitmain", antminerWords}, {"microbt", whatsminerWords}, {"canaan", avalonWords}, {"bitdeer", sealminerWords},
		{"bitaxe", bitaxeWords}, {"", otherWords},
	} {
		if (brand == "" || reader.brand == brand || reader.brand == "") && reader.read(text, brand, remarks, &w) {
			return w, true
		}
	}
	return modelWords{}, false
}

// plainWords folds case, turns separators into spaces and takes remarks in
// brackets out.
func plainWords(told string) (text string, remarks []string) {
	var b strings.Builder
	var remark *strings.Builder
	for _, c := range strings.ToLower(told) {
		out := &b
		if remark != nil {
			out = remark
		}
		switch {
		case c == '(' || c == '[':
			if remark == nil {
				remark = new(strings.Builder)
			}
		case c == ')' || c == ']':
			if remark != nil {
				remarks = append(remarks, strings.TrimSpace(remark.String()))
				remark = nil
				b.WriteByte(' ')
			}
		case c == 'γ':
			out.WriteString("gamma")
		case c <= ' ' || c == '_' || c == ',' || c == 0x7f || c == 0xa0:
			out.WriteByte(' ')
		case c == '™' || c == '®':
		default:
			out.WriteRune(c)
		}
	}
	if remark != nil { // never closed
		remarks = append(remarks, strings.TrimSpace(remark.String()))
	}
	return strings.TrimSpace(b.String()), remarks
}

// cutWord takes one whole word out of text.
func cutWord(text, word string) string {
	i := strings.Index(text, word)
	if i < 0 {
		return text
	}
	end := i + len(word)
	if (i > 0 && isWord(text[i-1])) || (end < len(text) && isWord(text[end])) {
		return text
	}
	return text[:i] + " " + text[end:]
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+'
}

var (
	binWord        = regexp.MustCompile(`^(\d+(?:\.\d+)?) ?th?(?:/?s)?$`)
	antminerWord   = regexp.MustCompile(`^([st]\d{1,2})(.*)$`)
	antminerParts  = regexp.MustCompile(`^(?:(\d+(?:\.\d+)?) ?(?:th/s|ths|th|t)\b|(\d+) ?(?:w|watts?)\b|(\d)u\b|(x? ?-?88)|([a-z]+)|(\+)|[ \-.])`)
	boardWord      = regexp.MustCompile(`^bhb\d{5}$`) // a hash board's type, told in place of the model's
	tailBin        = regexp.MustCompile(` (\d+(?:\.\d+)?) ?th?(?:/?s)?$`)
	whatsminerWord = regexp.MustCompile(`^m(\d{2})(se|ds|[slhkpd])?((?:plus|\+)*)(v[0-9a-z]{2,4})?$`)
	avalonWord     = regexp.MustCompile(`^(a?)(\d{3,4}|1[5-9])[ -]?(pro|xp|i|ha|hu)?((?:-[0-9a-z]*)*)$`)
	avalonHomeWord = regexp.MustCompile(`^(q|nano 3s?|mini 3)$`)
	sealminerWord  = regexp.MustCompile(`^(a\d|dl1)(pro|ultra)?(air|hydro|hyd)?$`)
	bitaxeWord     = regexp.MustCompile(`^([a-z]+)? ?v?(\d{3}|\d\.\d{1,2})?$`)
)

// antminerWords reads Bitmain's: a letter and a number, a letter for the chip
// bin, then words in an order that firmwares do not agree on.
func antminerWords(text, brand string, remarks []string, w *modelWords) bool {
	if boardWord.MatchString(text) {
		w.key = text
		return true
	}
	m := antminerWord.FindStringSubmatch(text)
	if m == nil || m[2] != "" && m[2][0] >= '0' && m[2][0] <= '9' {
		return false
	}
	var has antminerAttributes
	if !has.read(m[2], w) {
		return false
	}
	for _, r := range remarks {
		var more antminerAttributes // a remark says more, or nothing
		if of := *w; more.read(r, &of) && more.letter == "" {
			has.merge(more)
			*w = of
		}
	}
	w.key = m[1] + has.String()
	return true
}

type antminerAttributes struct {
	letter                                 string // "j", "k", "a", "al", "i", "e", "l"
	pro, xp, hyd, imm, nopic, dual, se, aa bool
	plus                                   int
	units                                  string // "3": rack units
}

func (a *antminerAttributes) read(text string, w *modelWords) bool {
	first := true
	for text != "" {
		m := antminerParts.FindStringSubmatch(text)
		if m == nil {
			return false
		}
		rest := text[len(m[0]):]
		switch {
		case m[1] != "":
			w.th, _ = strconv.ParseFloat(m[1], 64)
		case m[2] != "": // its watts: another way to say the bin
		case m[3] != "":
			a.units = m[3]
		case m[4] != "": // 88 chips a board instead of 76 or 114: the boards without PIC
			a.nopic = true
		case m[5] != "":
			if !a.words(m[5], first) {
				return false
			}
		case m[6] != "":
			a.plus++
		}
		if strings.TrimSpace(m[0]) != "" {
			first = false
		}
		text = rest
	}
	return true
}

// words reads a run of letters, words glued together included. A chip bin's
// letter may begin the first run.
func (a *antminerAttributes) words(run string, first bool) bool {
	was := *a
	for run != "" {
		word, rest := nextAntminerWord(run)
		switch word {
		case "pro":
			a.pro = true
		case "xp":
			a.xp = true
		case "plus":
			a.plus++
		case "hydro", "hyd":
			a.hyd = true
		case "immersion", "imm":
			a.imm = true
		case "nopic":
			a.nopic = true
		case "dual":
			a.dual = true
		case "se":
			a.se = true
		case "air", "amlogic", "aml", "bb", "xilinx", "xil", "cvitek": // the control board
		default:
			if run == "a" && a.pro {
				a.aa = true
				return true
			}
			if !first {
				return false
			}
			for _, letter := range []string{"al", "j", "k", "a", "i", "e", "l"} {
				if after, ok := strings.CutPrefix(run, letter); ok {
					*a = was
					if a.words(after, false) {
						a.letter = letter
						return true
					}
				}
			}
			return false
		}
		run, first = rest, false
	}
	return true
}

func nextAntminerWord(run string) (word, rest string) {
	for _, w := range []string{"pro", "xp", "plus", "hydro", "hyd", "immersion", "imm", "nopic", "dual", "se", "air", "amlogic", "aml", "bb", "xilinx", "xil", "cvitek"} {
		if after, ok := strings.CutPrefix(run, w); ok {
			return w, after
		}
	}
	return "", run
}

func (a *antminerAttributes) merge(b antminerAttributes) {
	a.pro, a.xp, a.hyd, a.imm = a.pro || b.pro, a.xp || b.xp, a.hyd || b.hyd, a.imm || b.imm
	a.nopic, a.dual, a.se, a.aa = a.nopic || b.nopic, a.dual || b.dual, a.se || b.se, a.aa || b.aa
	a.plus += b.plus
	if b.units != "" {
		a.units = b.units
	}
}

func (a antminerAttributes) String() string {
	var s strings.Builder
	s.WriteString(a.letter)
	for _, part := range []struct {
		has  bool
		word string
	}{
		{a.pro, " pro"}, {a.xp, " xp"}, {a.plus > 0, strings.Repeat("+", a.plus)}, {a.se, " se"}, {a.hyd, " hyd"}, {a.imm, " imm"},
		{a.nopic, " nopic"}, {a.dual, " dual"}, {a.aa, " a"}, {a.units != "", " " + a.units + "u"},
	} {
		if part.has {
			s.WriteString(part.word)
		}
	}
	return s.String()
}

// closedUp takes blanks and dashes out. Made once: a replacer builds its table at
// first use, and this is asked at every reading.
var closedUp = strings.NewReplacer(" ", "", "-", "")

// whatsminerWords reads MicroBT's: M, a number, S and pluses, then the
// hardware's revision.
func whatsminerWords(text, _ string, _ []string, w *modelWords) bool {
	m := whatsminerWord.FindStringSubmatch(closedUp.Replace(text))
	if m == nil {
		return false
	}
	plus := strings.Count(m[3], "+") + strings.Count(m[3], "plus")
	w.key = "m" + m[1] + m[2] + strings.Repeat("+", plus)
	w.revision = strings.ToUpper(m[4])
	return m[4] == "" || strings.ContainsAny(m[4], "0123456789")
}

// avalonWords reads Canaan's: four figures (the A in front comes and goes), two
// since the A15, or the name of a home machine. What follows dashes is a batch
// of which only the bin is understood.
func avalonWords(text, brand string, _ []string, w *modelWords) bool {
	if brand == "canaan" {
		home := text
		for _, name := range []string{"nano", "mini"} {
			if after, ok := strings.CutPrefix(text, name); ok {
				home = name + " " + strings.TrimSpace(after)
			}
		}
		if m := avalonHomeWord.FindString(home); m != "" {
			w.key = "avalon " + m
			return true
		}
	}
	m := avalonWord.FindStringSubmatch(text)
	if m == nil || brand == "" && len(m[2]) == 2 && m[1] == "" && m[3] == "" {
		return false
	}
	w.key = "avalon " + m[2]
	suffix := m[3]
	for part := range strings.SplitSeq(m[4], "-") {
		switch part {
		case "pro", "xp", "i", "ha", "hu":
			if suffix != "" {
				return false
			}
			suffix = part
		case "hyd", "hydro", "imm":
			return false
		default:
			if th, err := strconv.ParseFloat(part, 64); err == nil && w.maybeTH == 0 {
				w.maybeTH = th
			}
		}
	}
	w.key += suffix
	return true
}

// sealminerWords reads Bitdeer's, which are Avalon's and nobody's without the
// brand.
func sealminerWords(text, brand string, _ []string, w *modelWords) bool {
	m := sealminerWord.FindStringSubmatch(strings.ReplaceAll(text, " ", ""))
	if brand == "" || m == nil {
		return false
	}
	w.key = "sealminer " + m[1] + m[2]
	if strings.HasPrefix(m[3], "hyd") {
		w.key += " hydro"
	}
	return true
}

// bitaxeWords reads a Bitaxe's family, its board's version, or both.
func bitaxeWords(text, brand string, _ []string, w *modelWords) bool {
	m := bitaxeWord.FindStringSubmatch(text)
	if brand == "" || m == nil || text == "" {
		return false
	}
	if m[1] == "" {
		w.key = bitaxeBoardKey(m[2])
		return true
	}
	w.key, w.revision = "bitaxe "+m[1], m[2]
	return true
}

func bitaxeBoardKey(version string) string { return "bitaxe board " + version }

// otherWords reads names that are one word each, whatever their spacing.
func otherWords(text, brand string, _ []string, w *modelWords) bool {
	word := closedUp.Replace(text)
	switch {
	case brand == "blockminer", brand == "bmm":
		w.key = brand + " " + strings.TrimPrefix(word, "bmm")
	case brand == "" && strings.HasPrefix(word, "nerd"):
		w.key = word
	default:
		return false
	}
	return true
}
