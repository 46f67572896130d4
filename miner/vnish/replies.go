package vnish

import (
	"maps"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// The replies by the names that they are saved under.
const (
	replySummary  = "summary"
	replyStatus   = "status"
	replyInfo     = "info"
	replyPerf     = "perf-summary"
	replyChains   = "chains"
	replyChips    = "chips"
	replyFactory  = "factory-info"
	replyModel    = "model"
	replyPresets  = "presets"
	replySettings = "settings"
)

// parts are the replies, read as far as they are there. What changes slowly is
// kept between polls in this form.
type parts struct {
	summary  *summary
	status   *status
	info     *info
	perf     *perf
	chains   map[int]chainChips // by the machine's own number
	factory  *factory
	model    *modelInfo
	presets  *presets
	settings *settings

	warnings map[string][]miner.Warning // by reply
	now      time.Time                  // when the summary came, zero for saved replies
	age      time.Duration              // of info, whose uptime has gone on since
}

func (p *parts) any() bool {
	return p.summary != nil || p.status != nil || p.info != nil || p.perf != nil || p.chains != nil || p.factory != nil ||
		p.model != nil || p.presets != nil || p.settings != nil
}

type extra struct{ key, value string }

type extras []extra

func (e *extras) add(key, value string) {
	if value != "" {
		*e = append(*e, extra{key, value})
	}
}

// addAll adds the plain values of some keys under their own names.
func (e *extras) addAll(o cgminer.Object, keys ...string) {
	for _, k := range keys {
		e.add(k, o.Text(k))
	}
}

// take reads one reply into its part. Names differ in spelling and say less
// than content, so content decides and the name helps where it does not.
func (p *parts) take(name string, raw []byte) {
	var warnings []miner.Warning
	warn := func(kind miner.WarningKind, where, detail string) {
		var r miner.Reading
		r.Warn(kind, where, detail)
		warnings = append(warnings, r.Warnings...)
	}
	known := knownName(name)
	where := name
	if known != "" {
		where = known
	}
	if reply, ok := cgminer.Read(where, raw, warn); ok {
		root := reply.JSON()
		if told := recognise(root); told != "" {
			known = told
		}
		if !p.fill(known, root, warn) {
			warn(miner.WarnUnknown, where, cgminer.Excerpt(raw))
		}
	}
	if p.warnings == nil {
		p.warnings = map[string][]miner.Warning{}
	}
	p.warnings[where] = warnings
}

func knownName(name string) string {
	name = strings.ToLower(strings.Trim(name, "/"))
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".json"), ".txt")
	name = strings.TrimPrefix(strings.TrimPrefix(name, "api/v1/"), "web_")
	name = strings.NewReplacer("_", "-", "/", "-").Replace(name)
	switch name {
	case replySummary, replyStatus, replyInfo, replyPerf, replyChains, replyChips, replyFactory, replyModel, replyPresets, replySettings:
		return name
	case "boards":
		return replyChains
	case "chains-factory-info", "factoryinfo":
		return replyFactory
	case "autotune-presets":
		return replyPresets
	}
	return ""
}

// recognise says which reply this is, "" when nothing in it does.
func recognise(root gjson.Result) string {
	if root.IsArray() {
		first := root.Get("0")
		switch {
		case first.Get("chips").IsArray():
			return replyChains
		case first.Get("pretty").Exists() && first.Get("name").Exists():
			return replyPresets
		}
		return ""
	}
	has := func(paths ...string) bool {
		for _, path := range paths {
			if root.Get(path).Exists() {
				return true
			}
		}
		return false
	}
	switch {
	case has("miner.miner_status", "miner.chains", "miner.cooling.fans", "miner.miner_type", "miner.hr_realtime"):
		return replySummary
	case has("miner.overclock", "miner.misc", "regional"):
		return replySettings
	case has("fw_version", "fw_name"):
		return replyInfo
	case has("miner_state"):
		return replyStatus
	case has("preset_switcher", "current_preset"):
		return replyPerf
	case has("full_name", "series"):
		return replyModel
	case has("chips_per_chain"):
		return replyChips
	case has("psu_model", "has_pics", "psu_serial", "chains.0.board_model"):
		return replyFactory
	case root.Get("presets.0.pretty").Exists():
		return replyPresets
	}
	return ""
}

func (p *parts) fill(known string, root gjson.Result, warn cgminer.Warn) bool {
	o := cgminer.NewObject(known, root)
	switch known {
	case replyChains:
		p.chains = readChains(root)
		return p.chains != nil
	case replyChips:
		if chains := readChains(root.Get("chains")); chains != nil && p.chains == nil {
			p.chains = chains
		}
		return root.Get("chains").IsArray()
	case replyPresets:
		p.presets = readPresets(root)
		return p.presets != nil
	}
	if o.Empty() {
		return false
	}
	switch known {
	case replySummary:
		p.summary = readSummary(o, warn)
		if system := o.Object("system"); !system.Empty() && p.info == nil { // older versions put it here
			i := &info{}
			i.readSystem(system)
			p.info = i
		}
	case replyStatus:
		p.status = readStatus(o)
	case replyInfo:
		p.info = readInfo(o)
	case replyPerf:
		p.perf = readPerf(o)
	case replyFactory:
		p.factory = readFactory(o)
	case replyModel:
		p.model = readModel(o)
	case replySettings:
		p.settings = readSettings(o)
	default:
		return false
	}
	return true
}

// has tells whether a reply was read, and is what it should be.
func (p *parts) has(name string) bool {
	switch name {
	case replySummary:
		return p.summary != nil && p.summary.told
	case replyStatus:
		return p.status != nil && p.status.state != ""
	case replyInfo:
		return p.info != nil && p.info.isVNish
	case replyPerf:
		return p.perf != nil
	case replyChains:
		return p.chains != nil
	case replyFactory:
		return p.factory != nil
	case replyModel:
		return p.model != nil
	case replyPresets:
		return p.presets != nil
	case replySettings:
		return p.settings != nil
	}
	return false
}

// merge takes over what fresh has. Nothing that p had is changed in place.
func (p *parts) merge(fresh parts) {
	if fresh.summary != nil {
		p.summary = fresh.summary
	}
	if fresh.status != nil {
		p.status = fresh.status
	}
	if fresh.info != nil {
		p.info = fresh.info
	}
	if fresh.perf != nil {
		p.perf = fresh.perf
	}
	if fresh.chains != nil {
		p.chains = fresh.chains
	}
	if fresh.factory != nil {
		p.factory = fresh.factory
	}
	if fresh.model != nil {
		p.model = fresh.model
	}
	if fresh.presets != nil {
		p.presets = fresh.presets
	}
	if fresh.settings != nil {
		p.settings = fresh.settings
	}
	warnings := maps.Clone(p.warnings)
	if warnings == nil {
		warnings = map[string][]miner.Warning{}
	}
	maps.Copy(warnings, fresh.warnings)
	p.warnings = warnings
}
