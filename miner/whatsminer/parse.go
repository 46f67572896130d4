package whatsminer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// mostBoards bounds what is taken for a slot. MicroBT builds 1 to 4 boards into
// a machine.
const mostBoards = 8

// megahash is API v2's unit of hashrate, gigahash that of its factory figures.
const (
	gigahash = unit.GHs
	megahash = unit.GHs / 1e3
)

// Parse turns replies into a reading. It is pure and total; see
// [miner.Driver].
func (d *Driver) Parse(replies miner.Replies) (miner.Reading, error) {
	s := newSight(d.models.lookup)
	all, err := s.gather(replies)
	if err != nil {
		return s.r, err
	}
	slices.SortStableFunc(all, func(a, b told) int { return int(a.kind) - int(b.kind) })
	for _, t := range all {
		s.take(t)
	}
	s.finish()
	return s.r, nil
}

// kind is what a reply tells. Replies are read in this order: v3 before v2, so
// that v2 only fills what v3 leaves open, and what later kinds build upon
// before them.
type kind int

const (
	kindSystemSetting kind = iota
	kindDeviceInfo
	kindMinerSetting
	kindFanSetting
	kindSummary3
	kindBoards3
	kindPools3
	kindVersion
	kindMinerInfo
	kindDevDetails
	kindStatus
	kindSummary
	kindDevs
	kindPools
	kindPSU
	kindErrors
	kindNothing // MicroBT's, and tells nothing of the machine: a token, an acknowledgement
)

// told is a reply, or a part of one, of a known kind.
type told struct {
	kind  kind
	name  string
	value gjson.Result
}

// gather reads the replies and tells what they hold. The error is for when that
// is nothing at all.
func (s *sight) gather(replies miner.Replies) ([]told, error) {
	all := make([]told, 0, len(replies)+4)
	answered := false
	for _, name := range slices.Sorted(maps.Keys(replies)) {
		reply, ok := cgminer.Read(name, replies[name], s.r.Warn)
		if !ok {
			continue
		}
		for _, part := range partsOf(reply) {
			found, refused := recognise(part)
			all = append(all, found...)
			switch {
			case refused != "":
				s.r.Warn(miner.WarnRefused, part.Name, refused)
				answered = true
			case len(found) == 0:
				s.r.Warn(miner.WarnUnknown, part.Name, "not a Whatsminer's reply: "+cgminer.Excerpt([]byte(part.JSON().Raw)))
			}
		}
	}
	if len(all) == 0 && !answered {
		return nil, fmt.Errorf("reading a Whatsminer: %w", errUnreadable(s.r.Warnings))
	}
	return all, nil
}

// partsOf takes a combined reply apart. That is dear, so a reply that begins as
// the single ones do is not looked into.
func partsOf(r cgminer.Reply) []cgminer.Reply {
	if raw := r.JSON().Raw; r.Status.Kind != 0 || strings.HasPrefix(raw, `{"code":`) {
		return []cgminer.Reply{r}
	}
	return r.Parts()
}

// errUnreadable says why nothing could be read.
func errUnreadable(w []miner.Warning) error {
	if len(w) == 0 {
		return fmt.Errorf("%w: no replies", miner.ErrGarbage)
	}
	return fmt.Errorf("%w: %s: %s", miner.ErrGarbage, w[0].Where, w[0].Detail)
}

// sight is a reading in the making, with what the replies tell beside it.
type sight struct {
	r      miner.Reading
	lookup func(words string) (miner.Model, bool)
	zone   *time.Location // of the machine's clock
	model  miner.Model

	off       unit.Opt[bool] // the mining process is told not to run
	offReason string
	upfreq    unit.Opt[bool] // the frequency has risen to its target
	factory   unit.Opt[unit.Hashrate]
	detected  map[int]unit.Hashrate // by board, when the machine left the factory
	target    unit.Opt[unit.Hashrate]
	percent   unit.Opt[float64]    // quick limit in force, 100 when none
	limited   bool                 // a power limit was set by someone
	most      unit.Opt[unit.Power] // the limit that cannot be exceeded
	pcb       []float64            // board temperatures, apart from the boards
	liquid    unit.Opt[bool]
	boardNum  unit.Opt[int]
	summary   unit.Opt[unit.Temperature] // the summary's board temperature
	pools3    bool                       // API v3 has told the pools
	fast      string                     // fast boot, in the machine's word
}

func newSight(lookup func(string) (miner.Model, bool)) *sight {
	s := &sight{zone: time.UTC, lookup: lookup}
	s.r.Boards = make([]miner.Board, 0, 4)
	s.r.Identity.Firmware = miner.Whatsminer
	s.r.Identity.Make = "MicroBT"
	s.r.State = miner.Unknown
	return s
}

func (s *sight) take(t told) {
	switch {
	case t.kind == kindNothing:
	case t.kind == kindErrors:
		s.errors(t.name, t.value)
	case t.kind >= kindVersion:
		s.takeV2(t)
	default:
		s.takeV3(t)
	}
}

// object reads a value for the getters.
func object(t told) cgminer.Object { return cgminer.NewObject(t.name, t.value) }

// errors reads a list of error codes, each once.
func (s *sight) errors(name string, v gjson.Result) {
	for _, c := range complaints(v) {
		if slices.ContainsFunc(s.r.Faults, func(f miner.Fault) bool { return f.Vendor == c.code }) {
			continue
		}
		f, known := c.fault(s.zone)
		if !known {
			s.r.Warn(miner.WarnUnknown, name, "error code "+c.code)
		}
		s.r.Faults = append(s.r.Faults, f)
	}
}

// board is the board in a slot, made when it is not there yet.
func (s *sight) board(slot int) *miner.Board {
	for i := range s.r.Boards {
		if s.r.Boards[i].Index == slot {
			return &s.r.Boards[i]
		}
	}
	s.r.Boards = append(s.r.Boards, miner.Board{Index: slot})
	return &s.r.Boards[len(s.r.Boards)-1]
}

// psu is the machine's one power supply, made when it is not there yet.
func (s *sight) psu() *miner.PSU {
	if len(s.r.PSUs) == 0 {
		s.r.PSUs = []miner.PSU{{}}
	}
	return &s.r.PSUs[0]
}

// fan is one of the two case fans.
func (s *sight) fan(index int, name string, speed unit.Opt[unit.Speed]) {
	if !speed.Ok() || slices.ContainsFunc(s.r.Fans, func(f miner.Fan) bool { return f.Index == index }) {
		return
	}
	s.r.Fans = append(s.r.Fans, miner.Fan{Index: index, Name: name, Speed: speed})
}

// extra keeps every field that has no place in a reading, under the name of its
// reply and its own.
func (s *sight) extra(o cgminer.Object, prefix string, typed map[string]bool) {
	for _, f := range o.Fields() {
		if typed[f.Key] {
			continue
		}
		if text := f.Text(); text != "" {
			s.keep(prefix+f.Key, text)
		}
	}
}

func (s *sight) keep(key, value string) {
	if s.r.Extra == nil {
		s.r.Extra = make(map[string]string, 96)
	}
	s.r.Extra[key] = value
}

// named takes the machine's words for its model.
func (s *sight) named(words string) {
	id := &s.r.Identity
	if words == "" || id.Model != "" {
		return
	}
	m, ok := s.lookup(words)
	if !ok {
		id.Model = words
		s.r.Warn(miner.WarnUnknown, "model", words)
		return
	}
	s.model = m
	id.Make, id.Model = m.Make, m.Name
	if words != m.Name {
		id.ModelTold = words
	}
}

func (s *sight) mac(text string) {
	if s.r.Identity.MAC == "" {
		s.r.Identity.MAC = miner.NormalMAC(text)
	}
}

// models remembers what the table of models says of a machine's words, because
// every reading asks again and a fleet has few types. The zero models is empty.
type models struct {
	mu   sync.Mutex
	seen map[string]miner.Model
}

// mostModels bounds what is remembered: words come from outside.
const mostModels = 1024

func (c *models) lookup(words string) (miner.Model, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, ok := c.seen[words]; ok {
		return m, true
	}
	m, ok := miner.LookupModel(words)
	if ok && len(c.seen) < mostModels {
		if c.seen == nil {
			c.seen = map[string]miner.Model{}
		}
		c.seen[strings.Clone(words)] = m
	}
	return m, ok
}

// text fills a field of words that nothing has filled yet.
func text(to *string, words string) {
	if *to == "" {
		*to = words
	}
}

// opt fills a field that nothing has filled yet.
func opt[T any](to *unit.Opt[T], v unit.Opt[T]) { *to = to.OrElse(v) }

// whole turns a count into the type of a field that holds few.
func whole(v unit.Opt[int64]) unit.Opt[int] {
	if n, ok := v.Get(); ok && n < 1e6 {
		return unit.Some(int(n))
	}
	return unit.None[int]()
}

// mode puts a power mode in our words: v2 says "Normal", v3 "normal" or "1".
func mode(words string) string {
	switch strings.ToLower(words) {
	case "low", "0":
		return miner.ModeLow
	case "normal", "1":
		return miner.ModeNormal
	case "high", "2":
		return miner.ModeHigh
	}
	return words
}

// percentName is how a quick power percentage is called as a profile.
func percentName(percent float64) string {
	return strconv.FormatFloat(percent, 'f', -1, 64) + "%"
}

// errNotWhatsminer is what Identify wraps when the replies are another's.
var errNotWhatsminer = errors.New("not MicroBT's firmware")
