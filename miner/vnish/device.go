package vnish

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/internal/web"
)

// everySlow is how often what changes slowly is asked for, in readings.
const everySlow = 30

// slow are the replies that keep between polls, in the order in which they are
// asked for.
var slow = []string{replyInfo, replyStatus, replyPerf, replyModel, replyFactory, replyChains, replyPresets, replySettings}

// private are the replies that need the password.
var private = map[string]bool{replyPresets: true, replySettings: true}

// Device is one machine.
type Device struct {
	driver *Driver
	target miner.Target

	mu     sync.Mutex
	parts  parts
	infoAt time.Time // when info came, by the driver's clock
	reads  int
	stale  bool            // ask for everything next time
	absent map[string]bool // replies that this version does not have
	token  string
	bare   bool // the token goes without "Bearer"
}

var _ miner.Device = (*Device)(nil)

// session is one call's connection with what signs its requests.
type session struct {
	*web.Session
	d *Device
}

func (d *Device) open() session { return session{d.driver.client.Open(d.target, Port), d} }

// Close forgets the token; no connection outlives a call.
func (d *Device) Close() {
	d.mu.Lock()
	d.token = ""
	d.mu.Unlock()
}

// call sends one request below /api/v1. A private one is signed, and signed in
// anew when the token is no longer taken.
func (s session) call(ctx context.Context, method, path string, body []byte, signed bool) (web.Reply, error) {
	r := web.Request{Method: method, Path: "/api/v1/" + path, Body: body}
	if !signed {
		return s.Do(ctx, r)
	}
	s.d.mu.Lock()
	token, bare := s.d.token, s.d.bare
	s.d.mu.Unlock()
	fresh := false
	for {
		if token == "" {
			var err error
			if token, err = s.unlock(ctx); err != nil {
				return web.Reply{}, err
			}
			fresh = true
		}
		r.Header = []string{"Authorization", "Bearer " + token}
		if bare && !strings.HasPrefix(path, "system") {
			r.Header[1] = token
		}
		reply, err := s.Do(ctx, r)
		if err != nil || reply.Status != http.StatusUnauthorized && reply.Status != http.StatusForbidden {
			return reply, err
		}
		switch {
		case !fresh:
			token = "" // it has expired
		case !bare:
			bare = true // an old version: remember how it wants its token
			s.d.mu.Lock()
			s.d.bare = true
			s.d.mu.Unlock()
		default:
			return reply, fmt.Errorf("%s %s: %w", method, path, miner.ErrDenied)
		}
	}
}

// unlock signs in.
func (s session) unlock(ctx context.Context) (string, error) {
	password := string(s.d.target.Credentials.Password)
	if password == "" {
		return "", fmt.Errorf("%w: VNish wants a password; none is configured (credentials)", miner.ErrDenied)
	}
	body, err := json.Marshal(map[string]string{"pw": password})
	if err != nil {
		return "", fmt.Errorf("signing in: %w", miner.ErrDenied)
	}
	reply, err := s.Do(ctx, web.Request{Method: http.MethodPost, Path: "/api/v1/unlock", Body: body})
	if err != nil {
		return "", fmt.Errorf("signing in: %w", err)
	}
	token := gjson.GetBytes(reply.Body, "token").String()
	switch {
	case reply.Status == http.StatusTooManyRequests:
		return "", fmt.Errorf("signing in: %w: too many attempts, it says", miner.ErrBusy)
	case reply.Status == http.StatusUnauthorized || reply.Status == http.StatusForbidden:
		return "", fmt.Errorf("signing in: %w", miner.ErrDenied)
	case token == "":
		return "", fmt.Errorf("signing in: %w: status %d, no token", miner.ErrGarbage, reply.Status)
	}
	s.d.mu.Lock()
	s.d.token = token
	s.d.mu.Unlock()
	return token, nil
}

// fetch asks for one reply. ErrGarbage when what comes back is not it,
// ErrUnsupported when this version does not have it.
func (s session) fetch(ctx context.Context, p *parts, name string) error {
	paths := []string{name}
	switch name {
	case replyFactory:
		paths = []string{"chains/factory-info"}
	case replyPresets:
		paths = []string{"autotune/presets"}
	case replyChains:
		paths = []string{"boards", "chains"} // 1.3, 1.2
		if i := cmp.Or(p.info, s.d.knownInfo()); i != nil && strings.HasPrefix(i.version, "1.2") {
			paths = []string{"chains", "boards"}
		}
	}
	for i, path := range paths {
		reply, err := s.call(ctx, http.MethodGet, path, nil, private[name])
		if err != nil {
			return err
		}
		last := i == len(paths)-1
		if reply.Status == http.StatusNotFound || reply.Status == http.StatusMethodNotAllowed {
			if last {
				return fmt.Errorf("%s: %w: status %d", name, miner.ErrUnsupported, reply.Status)
			}
			continue
		}
		if reply.Status != http.StatusOK {
			return fmt.Errorf("%s: %w: status %d", name, miner.ErrGarbage, reply.Status)
		}
		p.take(name, reply.Body)
		if p.has(name) {
			return nil
		}
		if last {
			return fmt.Errorf("%s: %w", name, miner.ErrGarbage)
		}
	}
	return nil
}

func (d *Device) knownInfo() *info {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.parts.info
}

// Identify asks for the info, which names the firmware.
func (d *Device) Identify(ctx context.Context) (miner.Identity, error) {
	s := d.open()
	defer s.Close()
	var p parts
	if err := s.fetch(ctx, &p, replyInfo); err != nil {
		if errors.Is(err, miner.ErrGarbage) || errors.Is(err, miner.ErrUnsupported) {
			err = fmt.Errorf("%w: %w", miner.ErrNotMine, err)
		}
		return miner.Identity{}, fmt.Errorf("identifying a VNish machine: %w", err)
	}
	r := p.reading()
	r.Identity.Addr = d.target.Addr
	return r.Identity, nil
}

// Read asks for the summary, and for the rest when it is due.
func (d *Device) Read(ctx context.Context) (miner.Reading, error) {
	d.mu.Lock()
	all := d.stale || d.reads%everySlow == 0
	d.reads++
	d.mu.Unlock()

	s := d.open()
	defer s.Close()
	start := d.driver.now()
	var fresh parts
	if err := s.fetch(ctx, &fresh, replySummary); err != nil {
		d.forget()
		return miner.Reading{}, fmt.Errorf("reading a VNish machine: %w", err)
	}
	var due []string
	if all {
		due = slow
	} else if fresh.summary.status.state == "" || fresh.summary.status.state != "mining" {
		due = []string{replyStatus}
	}
	failed, again := map[string]error{}, false
	for _, name := range due {
		if d.isAbsent(name) {
			continue
		}
		if err := s.fetch(ctx, &fresh, name); err != nil {
			if errors.Is(err, miner.ErrUnsupported) {
				d.setAbsent(name)
				continue
			}
			failed[name] = err
			if errors.Is(err, miner.ErrUnreachable) { // the rest would fare no better
				again = true
				break
			}
		}
	}
	now := d.driver.now()
	d.mu.Lock()
	d.parts.merge(fresh)
	if fresh.info != nil {
		d.infoAt = now
	}
	if all {
		d.stale = again
	}
	p := d.parts
	p.now, p.age = now, now.Sub(d.infoAt)
	d.mu.Unlock()

	r := p.reading()
	for name, err := range failed {
		kind := miner.WarnMissing
		if errors.Is(err, miner.ErrDenied) {
			kind = miner.WarnRefused
		}
		r.Warn(kind, name, err.Error())
	}
	r.At, r.Took = now, now.Sub(start)
	r.Identity.Addr = d.target.Addr
	return r, nil
}

func (d *Device) isAbsent(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.absent[name]
}

func (d *Device) setAbsent(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.absent == nil {
		d.absent = map[string]bool{}
	}
	d.absent[name] = true
}

// forget makes the next reading ask for everything: after a failure the machine
// may be another one, or itself after a restart or an update.
func (d *Device) forget() {
	d.mu.Lock()
	d.stale, d.absent = true, nil
	d.mu.Unlock()
}

// Envelope asks for the presets, unless they are known.
func (d *Device) Envelope(ctx context.Context) (miner.Envelope, error) {
	s := d.open()
	defer s.Close()
	p, err := d.withPresets(ctx, s)
	if err != nil {
		return miner.Envelope{}, fmt.Errorf("asking a VNish machine for its presets: %w", err)
	}
	return p.envelope(), nil
}

// withPresets are the parts with the presets and settings in them.
func (d *Device) withPresets(ctx context.Context, s session) (parts, error) {
	d.mu.Lock()
	p := d.parts
	d.mu.Unlock()
	if p.presets != nil && p.settings != nil {
		return p, nil
	}
	var fresh parts
	for _, name := range []string{replyPresets, replySettings} {
		if err := s.fetch(ctx, &fresh, name); err != nil && !errors.Is(err, miner.ErrUnsupported) {
			return p, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.parts.merge(fresh)
	return d.parts, nil
}
