package whatsminer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/tidwall/gjson"

	"ballast/miner"
)

// poll is one read under way: what came in, and what failed.
type poll struct {
	d      *Device
	got    miner.Replies
	slow   bool // everything is due
	failed []failure
}

type failure struct {
	name string
	err  error
}

// keep takes an answer, whole or cut short.
func (p *poll) keep(name string, raw []byte, err error) bool {
	if len(raw) > 0 {
		p.got[name] = raw
	}
	if err != nil {
		p.failed = append(p.failed, failure{name, err})
	}
	return err == nil
}

// parse reads what there is: this poll's answers, and for what was not asked
// the last known ones.
func (p *poll) parse() (miner.Reading, error) {
	all := maps.Clone(p.d.known)
	maps.Copy(all, p.got)
	r, err := p.d.parse(all)
	for _, f := range p.failed {
		r.Warn(miner.WarnMissing, f.name, f.err.Error())
	}
	return r, err
}

// remember keeps answers for the polls that do not ask.
func (p *poll) remember(names ...string) {
	for _, name := range names {
		if raw, ok := p.got[name]; ok && !refusal(raw) {
			p.d.known[name] = raw
		}
	}
}

// refusal tells whether a reply declines: nothing to remember it for.
func refusal(raw []byte) bool {
	status := gjson.GetBytes(raw, "STATUS")
	if status.IsArray() {
		status = status.Get("0.STATUS")
	}
	if status.Str == "E" || status.Str == "F" {
		return true
	}
	code := gjson.GetBytes(raw, "code")
	return code.Exists() && code.Int() != v3OK
}

// dead is the error of a poll without its main answer.
func (p *poll) dead() error {
	for _, f := range p.failed {
		return f.err
	}
	return fmt.Errorf("%w: nothing came", miner.ErrUnreachable)
}

// v3 polls over API v3.
func (p *poll) v3(ctx context.Context) (miner.Reading, error) {
	d := p.d
	status := p.status3(ctx)
	if !status && ctx.Err() != nil {
		return miner.Reading{}, p.dead()
	}
	if _, ok := p.got["get_device_info"]; !ok {
		raw, err := d.readV3(ctx, "get.device.info", "")
		if !p.keep("get_device_info", raw, err) && !status {
			return miner.Reading{}, p.dead()
		}
	}
	if p.slow {
		for _, what := range []string{"miner", "system", "fan"} {
			name := "get_" + what + "_setting"
			raw, err := d.readV3(ctx, "get."+what+".setting", "")
			p.keep(name, raw, err)
			p.remember(name)
			if ctx.Err() != nil {
				break
			}
		}
	}
	p.shares(ctx)
	return p.parse()
}

// status3 asks for the three parts of the status in one question. Firmware that
// takes only one part at a time declines, and is asked so from then on.
func (p *poll) status3(ctx context.Context) bool {
	d := p.d
	if !d.apart3 {
		raw, err := d.readV3(ctx, "get.miner.status", "summary+pools+edevs")
		if err != nil {
			p.keep("get_miner_status", raw, err)
			return false
		}
		if bytes.Contains(raw, []byte(`"summary"`)) {
			p.got["get_miner_status"] = raw
			return true
		}
	}
	told := false
	for _, part := range []string{"summary", "edevs", "pools"} {
		raw, err := d.readV3(ctx, "get.miner.status", part)
		if p.keep("get_miner_status_"+part, raw, err) && !refusal(raw) {
			told = true
		}
		if ctx.Err() != nil {
			break
		}
	}
	d.apart3 = d.apart3 || told
	return told
}

// shares asks API v2's pools for the counts that v3 does not have.
func (p *poll) shares(ctx context.Context) {
	d := p.d
	if d.noV2 && !p.slow || bytes.Contains(p.got["get_miner_status"], []byte(`"accepted"`)) {
		return
	}
	raw, err := d.askV2(ctx, "pools")
	d.noV2 = err != nil && ctx.Err() == nil
	if err == nil && !refusal(raw) {
		p.got["pools"] = raw
	}
}

// v2 polls over API v2.
func (p *poll) v2(ctx context.Context) (miner.Reading, error) {
	d := p.d
	summary, err := p.summary2(ctx)
	if err != nil {
		return miner.Reading{}, err
	}
	if summary {
		raw, err := d.askV2(ctx, "devs")
		p.keep("devs", raw, err)
	}
	if p.slow {
		for _, name := range []string{"get_version", "get_miner_info", "devdetails"} {
			if _, ok := p.got[name]; !ok {
				raw, err := d.askV2(ctx, name)
				p.keep(name, raw, err)
			}
			p.remember(name)
			if ctx.Err() != nil {
				break
			}
		}
	}
	asked := p.slow || !summary || d.reads%mediumEvery == 0 || d.last != miner.Hashing
	if asked {
		p.medium2(ctx)
	}
	r, err := p.parse()
	if err == nil && !asked && r.State != miner.Hashing {
		p.medium2(ctx) // why not?
		r, err = p.parse()
	}
	return r, err
}

// summary2 asks for summary and pools, joined if the firmware lets that. false
// without an error is a machine that declines to tell: its mining process is
// off.
func (p *poll) summary2(ctx context.Context) (bool, error) {
	d := p.d
	if !d.apart2 {
		raw, err := d.askV2(ctx, "summary+pools")
		if err != nil && len(raw) == 0 && errors.Is(err, miner.ErrUnreachable) && ctx.Err() != nil {
			return false, err
		}
		if bytes.Contains(raw, []byte(`"SUMMARY"`)) {
			p.keep("summary+pools", raw, err)
			return true, nil
		}
	}
	if _, ok := p.got["summary"]; !ok {
		raw, err := d.askV2(ctx, "summary")
		if err != nil && len(raw) == 0 {
			return false, err
		}
		p.keep("summary", raw, err)
	}
	if refusal(p.got["summary"]) || !bytes.ContainsAny(p.got["summary"], "{|") {
		return false, nil
	}
	raw, err := d.askV2(ctx, "pools")
	if p.keep("pools", raw, err) {
		d.apart2 = true
	}
	return true, nil
}

// medium2 asks for what need not be asked every time of a machine that hashes.
func (p *poll) medium2(ctx context.Context) {
	names := []string{"status", "get_error_code", "get_psu"}
	for _, name := range names {
		raw, err := p.d.askV2(ctx, name)
		p.keep(name, raw, err)
		if ctx.Err() != nil {
			break
		}
	}
	p.remember(names...)
}
