package antminer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"syscall"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// generation is which form of stats a machine's 4028 gives.
type generation int

const (
	unknownForm generation = iota
	oldForm
	newForm
)

// device is one machine.
type device struct {
	driver  *Driver
	target  miner.Target
	asker   cgminer.Asker // for the old form
	cgi     *web
	info    *web // port 6060
	cadence *cgminer.Cadence

	mu         sync.Mutex
	form       generation
	slow       miner.Replies // what hardly changes, as last told
	denied     string        // why CGI could not be read, "" when it could
	power      bool          // port 6060 tells power
	infoFailed int           // how often it was asked in vain
	closed     bool          // 4028 does not listen
	last       miner.State   // of the last reading
	complained bool          // the last reading had faults
	modeAwake  string        // work mode before the last sleep
}

var _ miner.Device = (*device)(nil)

func newDevice(d *Driver, t miner.Target) *device {
	return &device{driver: d, target: t, cgi: newWeb(d.transport, t, webPort), info: newWeb(d.transport, t, infoPort),
		cadence: cgminer.NewCadence(t)}
}

// Requests with Bitmain's extension. The flag stands beside the command; inside
// "parameter" it is ignored.
var (
	askStats   = []byte(`{"command":"stats","new_api":true}`)
	askSummary = []byte(`{"command":"summary","new_api":true}`)
	askPools   = []byte(`{"command":"pools","new_api":true}`)
)

// Identify asks 4028 for the version, and the web interface for MAC and serial
// number when there are credentials. When 4028 is closed the web interface's
// realm decides.
func (d *device) Identify(ctx context.Context) (miner.Identity, error) {
	raw, err := cgminer.Ask(ctx, d.target, "version", "")
	replies := miner.Replies{}
	if err == nil {
		if !isStock(raw) {
			return miner.Identity{}, fmt.Errorf("asking for the version: %w: %s", miner.ErrNotMine, cgminer.Excerpt(raw))
		}
		replies["version"] = raw
	} else {
		if len(raw) > 0 || ctx.Err() != nil || errors.Is(err, cgminer.ErrSilent) {
			return miner.Identity{}, err
		}
		if err := d.cgi.isMine(ctx); err != nil {
			return miner.Identity{}, err
		}
	}
	if d.cgi.signed != nil {
		if raw, err := d.cgi.get(ctx, "get_system_info"); err == nil {
			replies["get_system_info"] = raw
		}
	}
	r, err := d.driver.Parse(replies)
	if err != nil && len(replies) > 0 {
		return miner.Identity{}, fmt.Errorf("identifying: %w", err)
	}
	r.Identity.Addr = d.target.Addr
	return r.Identity, nil
}

// Read asks for summary, stats and pools, and for the rest when it is due.
func (d *device) Read(ctx context.Context) (miner.Reading, error) {
	begin := time.Now()
	fast, failed := d.fetchFast(ctx)
	if len(fast) == 0 {
		return miner.Reading{}, failed
	}
	due := d.cadence.Due() || d.forgot()
	if due {
		d.fetchSlow(ctx, fast)
	}
	d.fetchPower(ctx, fast)
	r, err := d.driver.Parse(d.complete(fast))
	if err != nil {
		return r, err
	}
	if d.turned(&r) && !due {
		// Something happened: the configuration may say what, or the log.
		d.fetchSlow(ctx, fast)
		if r, err = d.driver.Parse(d.complete(fast)); err != nil {
			return r, err
		}
		d.turned(&r)
	}
	if failed != nil {
		r.Warn(miner.WarnMissing, "4028", failed.Error())
	}
	d.mu.Lock()
	if d.denied != "" {
		r.Warn(miner.WarnRefused, "cgi", d.denied)
	}
	d.mu.Unlock()
	r.At = time.Now()
	r.Took = r.At.Sub(begin)
	r.Identity.Addr = d.target.Addr
	return r, nil
}

// forgot tells whether nothing is known of what hardly changes.
func (d *device) forgot() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.slow == nil
}

// complete adds what hardly changes, as last told, to fresh replies.
func (d *device) complete(fast miner.Replies) miner.Replies {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make(miner.Replies, len(fast)+len(d.slow))
	maps.Copy(all, d.slow)
	maps.Copy(all, fast)
	return all
}

// turned tells whether the machine does something else than at the last
// reading, or has begun to complain, and remembers the work mode for waking.
func (d *device) turned(r *miner.Reading) bool {
	complains := len(r.Faults) > 0
	d.mu.Lock()
	defer d.mu.Unlock()
	turned := d.last != "" && d.last != r.State || complains && !d.complained
	d.last, d.complained = r.State, complains
	if r.Mode != "" {
		d.modeAwake = r.Mode
	}
	return turned
}

// fetchFast asks for what changes. It returns what came and the last failure.
func (d *device) fetchFast(ctx context.Context) (miner.Replies, error) {
	d.mu.Lock()
	form, closed := d.form, d.closed
	d.mu.Unlock()
	if closed {
		return d.fetchWeb(ctx)
	}
	if form == oldForm {
		replies, err := d.asker.Ask(ctx, d.target, "summary", "stats", "pools")
		return d.orWeb(ctx, replies, err)
	}
	stats, err := cgminer.AskRaw(ctx, d.target, apiPort, askStats)
	if len(stats) == 0 {
		return d.orWeb(ctx, nil, err)
	}
	if form == unknownForm {
		form = formOfStats(stats)
		if err == nil {
			d.mu.Lock()
			d.form = form
			d.mu.Unlock()
		}
		if form == oldForm {
			return d.asker.Ask(ctx, d.target, "summary", "stats", "pools")
		}
	}
	if err == nil && formOfStats(stats) != newForm {
		d.mu.Lock()
		d.form = unknownForm // another firmware since: find out next time
		d.mu.Unlock()
	}
	replies := miner.Replies{"stats_new": stats}
	for _, ask := range []struct {
		name    string
		request []byte
	}{{"summary_new", askSummary}, {"pools_new", askPools}} {
		if ctx.Err() != nil {
			break
		}
		raw, problem := cgminer.AskRaw(ctx, d.target, apiPort, ask.request)
		if len(raw) > 0 {
			replies[ask.name] = raw
		}
		if problem != nil {
			err = problem
		}
	}
	return replies, err
}

// formOfStats tells by the reply whether the machine knew the extension: one
// that does not answers as if it were not there.
func formOfStats(stats []byte) generation {
	if bytes.Contains(stats, []byte(`"chain"`)) || bytes.Contains(stats, []byte(`"rate_5s"`)) {
		return newForm
	}
	return oldForm
}

// orWeb turns to the web interface when nothing listens on 4028 and there is a
// password for it. While the mining process restarts only the configuration can
// be had, which at least tells sleep.
func (d *device) orWeb(ctx context.Context, replies miner.Replies, err error) (miner.Replies, error) {
	if err == nil || len(replies) > 0 || d.cgi.signed == nil || !errors.Is(err, syscall.ECONNREFUSED) {
		return replies, err
	}
	web, webErr := d.fetchWeb(ctx)
	if len(web) > 0 {
		d.mu.Lock()
		d.closed = true
		d.mu.Unlock()
		return web, webErr
	}
	if errors.Is(webErr, miner.ErrDenied) {
		return nil, webErr
	}
	if conf, confErr := d.cgi.get(ctx, "get_miner_conf"); confErr == nil {
		return miner.Replies{"get_miner_conf": conf}, err
	}
	return nil, err
}

// fetchWeb takes a whole reading from CGI.
func (d *device) fetchWeb(ctx context.Context) (miner.Replies, error) {
	replies := miner.Replies{}
	var last error
	for _, ask := range []struct{ name, cgi string }{{"stats_new", "stats"}, {"summary_new", "summary"}, {"pools_new", "pools"}} {
		raw, err := d.cgi.get(ctx, ask.cgi)
		if err != nil {
			last = err
			if errors.Is(err, miner.ErrDenied) || errors.Is(err, miner.ErrUnreachable) {
				break
			}
			continue
		}
		replies[ask.name] = raw
	}
	if len(replies) == 0 {
		d.mu.Lock()
		d.closed = false // ask 4028 again next time
		d.mu.Unlock()
	}
	return replies, last
}

// Most machines have nothing on port 6060, and a firewall may swallow the
// question: it is asked briefly, and no more after it failed twice.
const (
	infoTime  = time.Second
	infoTries = 2
)

// probePower finds out whether port 6060 tells power. Behind a port forward that
// does not name it, the port is somebody else's.
func (d *device) probePower(ctx context.Context) bool {
	d.mu.Lock()
	tries := d.infoFailed
	d.mu.Unlock()
	_, mapped := d.target.Ports[infoPort]
	if tries >= infoTries || !mapped && len(d.target.Ports) > 0 || ctx.Err() != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, infoTime)
	defer cancel()
	raw, err := d.info.do(ctx, d.info.base, http.MethodGet, "/miner_power", "", nil)
	if err == nil && (&parser{}).takePower(raw) {
		return true
	}
	d.mu.Lock()
	d.infoFailed++
	d.mu.Unlock()
	return false
}

// fetchPower asks port 6060 where it is known to tell power.
func (d *device) fetchPower(ctx context.Context, fast miner.Replies) {
	d.mu.Lock()
	power := d.power
	d.mu.Unlock()
	if !power || ctx.Err() != nil {
		return
	}
	if raw, err := d.info.do(ctx, d.info.base, http.MethodGet, "/miner_power", "", nil); err == nil {
		fast["miner_power"] = raw
	}
}

// fetchSlow asks for what hardly changes. What a machine does not have or
// declines is left as it was.
func (d *device) fetchSlow(ctx context.Context, fast miner.Replies) {
	ctx, cancel := halfTime(ctx)
	defer cancel()
	d.mu.Lock()
	slow := maps.Clone(d.slow)
	modern := d.form == newForm
	if d.form == oldForm && slow != nil {
		d.form = unknownForm // an update may have taught it the new one
	}
	d.mu.Unlock()
	if slow == nil {
		slow = miner.Replies{}
	}
	if raw, err := cgminer.Ask(ctx, d.target, "version", ""); err == nil && isStock(raw) {
		slow["version"] = raw
	}
	if modern {
		if raw, err := cgminer.Ask(ctx, d.target, "stats", ""); err == nil {
			if chips := chipMaps(raw); chips != nil {
				slow["chain_map"] = chips
			}
		}
	}
	denied := d.fetchConf(ctx, slow)
	power := d.probePower(ctx)
	d.fetchComplaint(ctx, slow, fast, power)
	d.mu.Lock()
	d.slow, d.denied, d.power = slow, denied, power
	d.closed = false // try 4028 again once a round
	d.mu.Unlock()
}

// fetchConf asks CGI. It returns why it could not, "" when it could or need not.
func (d *device) fetchConf(ctx context.Context, slow miner.Replies) string {
	if d.cgi.signed == nil {
		return ""
	}
	for _, name := range []string{"get_system_info", "get_miner_conf", "miner_type", "get_blink_status"} {
		raw, err := d.cgi.get(ctx, name)
		switch {
		case errors.Is(err, errNoEndpoint) && name == "get_blink_status":
			raw, err = d.oldBlink(ctx, "onPageLoaded")
		case errors.Is(err, errNoEndpoint):
			continue
		}
		if err != nil {
			delete(slow, name)
			return err.Error()
		}
		slow[name] = raw
	}
	return ""
}

// fetchComplaint asks what is wrong when something is: port 6060 for the error,
// CGI for the kernel log.
func (d *device) fetchComplaint(ctx context.Context, slow, fast miner.Replies, info bool) {
	delete(slow, "kernel_log")
	delete(slow, "warning")
	all := maps.Clone(slow)
	maps.Copy(all, fast)
	r, err := d.driver.Parse(all)
	if err != nil || r.State != miner.Stopped && len(r.Faults) == 0 {
		return
	}
	if info {
		if raw, err := d.info.do(ctx, d.info.base, http.MethodGet, "/warning", "", nil); err == nil {
			slow["warning"] = raw
		}
	}
	if d.cgi.signed == nil {
		return
	}
	raw, err := d.cgi.get(ctx, "get_kernel_log")
	if errors.Is(err, errNoEndpoint) {
		raw, err = d.cgi.get(ctx, "log")
	}
	if err == nil {
		slow["kernel_log"] = bytes.Clone(raw[max(0, len(raw)-logTail):])
	}
}

// halfTime leaves half of what time there is for what comes after.
func halfTime(ctx context.Context) (context.Context, context.CancelFunc) {
	if until, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, time.Now().Add(time.Until(until)/2))
	}
	return context.WithTimeout(ctx, 10*time.Second)
}

// chipMaps keeps the chip maps of an old-form stats, which its other figures
// would outlive badly.
func chipMaps(raw []byte) []byte {
	reply, ok := cgminer.Read("stats", raw, nil)
	if !ok {
		return nil
	}
	for _, o := range reply.Section("STATS") {
		out := []byte(`{"STATS":[{`)
		n := 0
		for _, f := range o.Fields() {
			if len(f.Key) < 10 || f.Key[:9] != "chain_acs" {
				continue
			}
			if n > 0 {
				out = append(out, ',')
			}
			n++
			out = fmt.Appendf(out, "%q:%q", f.Key, f.Text())
		}
		if n > 0 {
			return append(out, "}]}"...)
		}
	}
	return nil
}

// forget drops the slow replies, after a setting.
func (d *device) forget() {
	d.mu.Lock()
	d.slow = nil
	d.mu.Unlock()
}

// Close drops idle connections.
func (d *device) Close() { d.cgi.idle() }
