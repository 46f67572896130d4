package braiins

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// errNothing explains why nothing could be read.
var errNothing = errors.New("nothing of Braiins OS in it")

// parser turns replies into one reading.
type parser struct {
	lookup func(told string) (miner.Model, bool)

	r    miner.Reading
	read int  // replies that told something
	cut  bool // the reply at hand ended early

	brand    string // of the hardware, as told
	told     string // the model, in the best words that there are
	status   int    // MinerStatus: 0 is not told
	tuner    int    // TunerState: 0 is not told
	silent   bool   // the mining process does not answer, and that is told
	software string // the mining software's version, for want of the firmware's
	asleep   bool   // evidence of a pause, where the status does not tell
	errors   []entry
	limits   limits
	steps    []miner.Step

	configured unit.Opt[unit.Power]    // the power target as saved
	rampDown   unit.Opt[time.Duration] // how fast it is set to pause, where it is
	rampUp     unit.Opt[time.Duration] // and to resume
	last       time.Time               // the machine's clock, as late as the replies tell
}

// parse reads what there is. It never fails: what it could not read is a warning.
func (d *Driver) parse(replies miner.Replies) *parser {
	p := &parser{lookup: d.lookupModel}
	p.all(replies)
	p.finish()
	return p
}

// all reads replies, in an order that does not change from poll to poll.
func (p *parser) all(replies miner.Replies) {
	names := make([]string, 0, len(replies))
	for name := range replies {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		p.reply(name, replies[name])
	}
}

// clone is a parser that goes on from here without touching this one.
func (p *parser) clone() *parser {
	q := *p
	r := &q.r
	r.Boards, r.Fans, r.PSUs, r.Pools = slices.Clone(r.Boards), slices.Clone(r.Fans), slices.Clone(r.PSUs), slices.Clone(r.Pools)
	r.Faults, r.Warnings, r.Extra = slices.Clone(r.Faults), slices.Clone(r.Warnings), maps.Clone(r.Extra)
	q.errors = slices.Clone(p.errors)
	return &q
}

// Parse turns replies into a reading; see the package's comment for their
// names. Errors wrap [miner.ErrGarbage].
func (d *Driver) Parse(replies miner.Replies) (miner.Reading, error) {
	p := d.parse(replies)
	return p.r, p.err(len(replies))
}

// err says why nothing could be read, when nothing could.
func (p *parser) err(replies int) error {
	switch {
	case p.read > 0:
		return nil
	case replies == 0:
		return fmt.Errorf("reading no replies: %w: %w", miner.ErrGarbage, errNothing)
	}
	why := errNothing.Error()
	for _, w := range p.r.Warnings {
		why = w.Where + ": " + w.Detail
	}
	return fmt.Errorf("reading %d replies: %w: %s", replies, miner.ErrGarbage, why)
}

// reply reads one reply, whatever its name.
func (p *parser) reply(name string, raw []byte) {
	body := bytes.Trim(raw, "\x00 \t\r\n")
	if locating, ok := bareTruth(body); ok {
		if strings.Contains(name, "locate") {
			p.r.Locating, p.read = locating, p.read+1
		}
		return
	}
	if bytes.HasPrefix(body, []byte("STATUS=")) { // the cgminer API's text form
		if reply, ok := cgminer.Read(name, body, p.r.Warn); ok {
			p.bosminer(reply)
		}
		return
	}
	fixed, repairs, ok := cgminer.Mend(body)
	if !ok {
		if string(body) == "[]" || string(body) == "{}" {
			return // no pools, no errors: an answer
		}
		p.r.Warn(miner.WarnBroken, name, cgminer.Excerpt(body))
		return
	}
	p.cut = slices.Contains(repairs, cgminer.RepairTruncated)
	switch {
	case p.cut:
		p.r.Warn(miner.WarnTruncated, name, strings.Join(repairs, ", "))
	case len(repairs) > 0:
		p.r.Warn(miner.WarnRepaired, name, strings.Join(repairs, ", "))
	}
	p.root(name, gjson.ParseBytes(fixed), 0)
}

func bareTruth(body []byte) (is unit.Opt[bool], ok bool) {
	switch string(body) {
	case "true", "false":
		return truth(gjson.ParseBytes(body)), true
	}
	return is, false
}

// root reads one JSON document.
func (p *parser) root(name string, v gjson.Result, depth int) {
	if v.IsArray() {
		p.list(name, v)
		return
	}
	if camel(v.Raw) && !strings.Contains(v.Raw, `"STATUS"`) && !graphqlShaped(v) {
		v = gjson.Parse(snake(v.Raw))
	}
	if depth == 0 && isSet(v) {
		p.set(v)
		return
	}
	if kind := recognise(name, v); kind != nil {
		p.read++
		kind(p, v)
		return
	}
	switch {
	case v.Get("data").IsObject():
		p.graphql(v)
		return
	case v.Get("STATUS").Exists(), isCombined(v):
		if reply, ok := cgminer.Read(name, []byte(v.Raw), p.r.Warn); ok {
			p.bosminer(reply)
		}
		return
	case graphqlShaped(v):
		p.graphqlData(v) // the answer without its envelope
		return
	}
	if words := refusal(v); words != "" {
		p.r.Warn(miner.WarnRefused, name, words)
		return
	}
	p.r.Warn(miner.WarnUnknown, name, "a reply that Braiins OS does not give")
}

// isSet tells a whole set of replies in one file: {"miner_details": {..}, ..}.
func isSet(v gjson.Result) bool {
	first := firstKey(v.Raw)
	if _, ok := restPaths[first]; !ok {
		return false
	}
	if first == "miner_stats" { // which is also the name of a part of that reply
		inner := v.Get(first)
		return inner.Get("miner_stats").Exists() || inner.Get("power_stats").Exists() || inner.Get("pool_stats").Exists()
	}
	return !isCombined(v)
}

// set reads the replies of a set.
func (p *parser) set(v gjson.Result) {
	v.ForEach(func(key, value gjson.Result) bool {
		switch {
		case value.IsObject(), value.IsArray():
			p.root(key.Str, value, 1)
		case value.IsBool() && strings.Contains(key.Str, "locate"):
			p.r.Locating, p.read = truth(value), p.read+1
		}
		return true
	})
}

// graphqlShaped tells GraphQL's answers, whose keys are in camelCase by right.
func graphqlShaped(v gjson.Result) (is bool) {
	v.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "data", "bos", "bosminer", "events":
			is = value.IsObject()
		}
		return !is
	})
	return is
}

// list reads a reply that is a list: pools, or LuCI's interfaces.
func (p *parser) list(name string, v gjson.Result) {
	if camel(v.Raw) {
		v = gjson.Parse(snake(v.Raw))
	}
	switch first := v.Get("0"); {
	case first.Get("pools").Exists():
		p.read++
		p.poolGroups(v)
	case first.Get("macaddr").Exists():
		p.read++
		p.interfaces(v)
	case first.Get("STATUS").Exists():
		p.root(name, first, 1)
	default:
		p.r.Warn(miner.WarnUnknown, name, "a list that Braiins OS does not give")
	}
}

// kinds are the replies of the public API by a key that no other of them has at
// the top.
var kinds = map[string]func(*parser, gjson.Result){
	"miner_identity":             (*parser).details,
	"bos_version":                (*parser).details,
	"bosminer_uptime_s":          (*parser).details,
	"bos_mode":                   (*parser).details,
	"control_board_soc_family":   (*parser).details,
	"miner_stats":                (*parser).stats,
	"pool_stats":                 (*parser).stats,
	"power_stats":                (*parser).stats,
	"hashboards":                 (*parser).hashboards,
	"fans":                       (*parser).cooling,
	"highest_temperature":        (*parser).cooling,
	"overall_tuner_state":        (*parser).tunerState,
	"mode_state":                 (*parser).tunerState,
	"power_target_mode_state":    (*parser).tunerState,
	"hashrate_target_mode_state": (*parser).tunerState,
	"tuner":                      (*parser).configuration,
	"dps":                        (*parser).configuration,
	"hashboard_config":           (*parser).configuration,
	"tuner_constraints":          (*parser).constraints,
	"cooling_constraints":        (*parser).constraints,
	"dps_constraints":            (*parser).constraints,
	"hashboards_constraints":     (*parser).constraints,
	"power_target_profiles":      (*parser).profiles,
	"hashrate_target_profiles":   (*parser).profiles,
	"networks":                   (*parser).network,
	"default_gateway":            (*parser).network,
	"dns_servers":                (*parser).network,
	"points":                     (*parser).efficiency,
	"state":                      (*parser).license,
	"none":                       (*parser).license,
	"limited":                    (*parser).license,
	"valid":                      (*parser).license,
	"expired":                    (*parser).license,
}

// recognise finds who reads a document of the public API; nil when it is none.
func recognise(name string, v gjson.Result) (read func(*parser, gjson.Result)) {
	if k, ok := kinds[firstKey(v.Raw)]; ok && !common[firstKey(v.Raw)] {
		return k
	}
	keys, only := 0, gjson.Result{}
	v.ForEach(func(key, value gjson.Result) bool {
		keys++
		only = key
		if k, ok := kinds[key.Str]; ok && !isCommon(key.Str, value) {
			read = k
		}
		return read == nil
	})
	switch {
	case read != nil:
		return read
	case v.Get("major").Exists() && v.Get("minor").Exists():
		return (*parser).version
	case v.Get("pool_groups").IsArray():
		// The configuration's groups know nothing of being alive.
		if groups := v.Get("pool_groups"); strings.Contains(groups.Raw, `"alive"`) || strings.Contains(groups.Raw, `"stats"`) {
			return func(p *parser, v gjson.Result) { p.poolGroups(v.Get("pool_groups")) }
		}
		return (*parser).configuration
	case v.Get("errors.0.message").Exists() && !v.Get("data").Exists() && !v.Get("errors.0.locations").Exists(), name == "miner_errors" && v.Get("errors").IsArray():
		return (*parser).minerErrors
	case keys == 1 && only.Str == "status":
		return func(p *parser, v gjson.Result) { p.minerStatus(v.Get("status")) }
	case keys == 1 && only.Str == "enabled":
		return func(p *parser, v gjson.Result) { p.r.Locating = truth(v.Get("enabled")) }
	}
	return nil
}

// firstKey is the first key of a valid document, looked up by hand: it mostly
// settles what the document is.
func firstKey(raw string) string {
	_, rest, _ := strings.Cut(raw, `"`)
	key, _, _ := strings.Cut(rest, `"`)
	return key
}

// common are the keys that others use too: "fans" of a combined reply of the
// cgminer API, "state" of anything.
var common = map[string]bool{"fans": true, "state": true, "none": true, "limited": true, "valid": true, "expired": true}

func isCommon(key string, v gjson.Result) bool {
	if key == "fans" {
		return v.Get("0.STATUS").Exists()
	}
	return common[key] && !v.IsObject()
}

// isCombined tells a combined reply of the cgminer API: {"summary":[{"STATUS":..
func isCombined(v gjson.Result) (is bool) {
	v.ForEach(func(_, value gjson.Result) bool {
		is = value.IsArray() && strings.HasPrefix(strings.TrimLeft(value.Raw[1:], " \t\r\n"), "{") && value.Get("0.STATUS").Exists()
		return false
	})
	return is
}

// refusal is what an error document says: {"message": ".."} and its kin.
func refusal(v gjson.Result) string {
	for _, key := range []string{"message", "error", "detail", "errors.0.message", "error.message"} {
		if s := v.Get(key); s.Type == gjson.String && s.Str != "" {
			return text(s)
		}
	}
	return ""
}

// camel tells protobuf's JSON (chipsCount) from REST's (chips_count) by the
// first key that shows it.
func camel(raw string) bool {
	for i := strings.Index(raw, `":`); i > 0; {
		for j := i - 1; j >= 0 && raw[j] != '"'; j-- {
			switch c := raw[j]; {
			case c == '_':
				return false
			case c >= 'A' && c <= 'Z':
				return true
			}
		}
		next := strings.Index(raw[i+2:], `":`)
		if next < 0 {
			return false
		}
		i += 2 + next
	}
	return false
}

// snake writes every key of a JSON document in snake_case: chipsCount becomes
// chips_count, last15m and last15M become last_15m.
func snake(raw string) string {
	out := make([]byte, 0, len(raw)+64)
	for i := 0; i < len(raw); {
		if raw[i] != '"' {
			out = append(out, raw[i])
			i++
			continue
		}
		end := i + 1
		for end < len(raw) && raw[end] != '"' {
			if raw[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end+1, len(raw))
		if word := raw[i:end]; strings.HasPrefix(strings.TrimLeft(raw[end:], " \t\r\n"), ":") {
			out = snakeWord(out, word)
		} else {
			out = append(out, word...)
		}
		i = end
	}
	return string(out)
}

func snakeWord(out []byte, word string) []byte {
	for i := range len(word) {
		c, before := word[i], byte('"')
		if i > 0 {
			before = word[i-1]
		}
		letter := before >= 'a' && before <= 'z' || before >= 'A' && before <= 'Z'
		switch {
		case c >= 'A' && c <= 'Z':
			if letter {
				out = append(out, '_')
			}
			out = append(out, c|0x20)
		case c >= '0' && c <= '9' && letter:
			out = append(out, '_', c)
		default:
			out = append(out, c)
		}
	}
	return out
}
