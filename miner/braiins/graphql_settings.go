package braiins

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"ballast/miner"
)

// bosminerConfig reads the saved configuration.
func (p *parser) bosminerConfig(v gjson.Result) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "autotuning":
			p.configured = plain(p, v.Get("powerTarget"), mostPower, "graphql.autotuning.powerTarget").OrElse(p.configured)
			p.keep("configuration.tuner", v)
		case "groups":
			group := 0
			v.ForEach(func(_, v gjson.Result) bool {
				prefix := "pool_groups." + strconv.Itoa(group) + "."
				p.extra(prefix+"uid", text(v.Get("id")))
				p.extra(prefix+"quota", text(v.Get("strategy.quota")))
				p.extra(prefix+"fixedshareratio", text(v.Get("strategy.fixedShareRatio")))
				group++
				return group < 32
			})
		default:
			p.keep("configuration."+key.Str, v)
		}
		return true
	})
}

// metadata reads what the configuration may hold.
func (p *parser) metadata(v gjson.Result) {
	target := v.Get("autotuning.powerTarget")
	p.limits.min = plain(p, target.Get("min"), mostPower, "graphql.powerTarget.min").OrElse(p.limits.min)
	p.limits.max = plain(p, target.Get("max"), mostPower, "graphql.powerTarget.max").OrElse(p.limits.max)
	p.limits.byDefault = plain(p, target.Get("default"), mostPower, "graphql.powerTarget.default").OrElse(p.limits.byDefault)
	p.limits.stepless = p.limits.max.Ok()
	if boards := v.Get("hashChain.indexNames"); boards.Exists() && len(p.limits.boards) == 0 {
		p.limits.boards = texts(boards)
	}
	v.ForEach(func(key, v gjson.Result) bool {
		v.ForEach(func(inner, v gjson.Result) bool {
			if inner.Str != "powerTarget" && inner.Str != "indexNames" {
				p.keep("constraints."+key.Str+"."+inner.Str, v)
			}
			return true
		})
		return true
	})
}

// appeals reads what the machine's web page would show in a box until somebody
// closes it.
func (p *parser) appeals(v gjson.Result) {
	i := 0
	v.ForEach(func(_, v gjson.Result) bool {
		at := moment(v.Get("timestamp"))
		e := entry{at: at, text: text(v.Get("message")), index: -1}
		switch strings.ToUpper(text(v.Get("kind"))) {
		case "ERROR":
			e.severity = miner.Critical // as the words say
		case "WARNING":
			e.severity = miner.Minor
		case "INFO", "SUCCESS":
			e.severity = miner.Info
		}
		p.keep("appeals."+strconv.Itoa(i), v)
		if e.text != "" && !strings.EqualFold(text(v.Get("kind")), "SUCCESS") {
			p.errors = append(p.errors, e)
			p.seen(at)
		}
		i++
		return i < 64
	})
}
