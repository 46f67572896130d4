package bitaxe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/miner/internal/web"
)

// everySlow is how often the asic reply is asked for, in readings.
const everySlow = 30

// Device is one machine.
type Device struct {
	driver *Driver
	target miner.Target

	mu     sync.Mutex
	parts  parts
	reads  int
	stale  bool // ask for everything next time
	noASIC bool // this version has no such reply
}

var _ miner.Device = (*Device)(nil)

func (d *Device) open() *web.Session { return d.driver.client.Open(d.target, Port) }

// Close is here for the interface: no connection outlives a call.
func (d *Device) Close() {}

// fetch asks for one reply. ErrGarbage when what comes back is not it,
// ErrUnsupported when this version does not have it.
func fetch(ctx context.Context, s *web.Session, p *parts, name string) error {
	reply, err := s.Get(ctx, "/api/system/"+name)
	switch {
	case err != nil:
		return err
	case reply.Status == http.StatusNotFound:
		return fmt.Errorf("%s: %w: status %d", name, miner.ErrUnsupported, reply.Status)
	case reply.Status == http.StatusUnauthorized:
		return fmt.Errorf("%s: %w: it answers private networks only", name, miner.ErrDenied)
	case reply.Status != http.StatusOK:
		return fmt.Errorf("%s: %w: status %d", name, miner.ErrGarbage, reply.Status)
	}
	p.take(name, reply.Body)
	if name == replyInfo && (p.info == nil || p.info.asicModel == "" && !p.info.rate.Ok()) || name == replyASIC && p.asic == nil {
		return fmt.Errorf("%s: %w", name, miner.ErrGarbage)
	}
	return nil
}

// Identify asks for the info, and for the asic reply where the model is told
// there.
func (d *Device) Identify(ctx context.Context) (miner.Identity, error) {
	s := d.open()
	defer s.Close()
	var p parts
	if err := fetch(ctx, s, &p, replyInfo); err != nil {
		if !errors.Is(err, miner.ErrUnreachable) {
			err = fmt.Errorf("%w: %w", miner.ErrNotMine, err)
		}
		return miner.Identity{}, fmt.Errorf("identifying a Bitaxe: %w", err)
	}
	if p.info.asicModel == "" {
		return miner.Identity{}, fmt.Errorf("identifying a Bitaxe: %w: it names no ASIC", miner.ErrNotMine)
	}
	if err := fetch(ctx, s, &p, replyASIC); err != nil && ctx.Err() != nil {
		return miner.Identity{}, fmt.Errorf("identifying a Bitaxe: %w", err)
	}
	r := p.reading()
	r.Identity.Addr = d.target.Addr
	return r.Identity, nil
}

// Read asks for the info, and for the asic reply when it is due.
func (d *Device) Read(ctx context.Context) (miner.Reading, error) {
	d.mu.Lock()
	slow := (d.stale || d.reads%everySlow == 0) && !d.noASIC
	d.reads++
	d.mu.Unlock()

	s := d.open()
	defer s.Close()
	start := d.driver.now()
	var fresh parts
	if err := fetch(ctx, s, &fresh, replyInfo); err != nil {
		d.forget()
		return miner.Reading{}, fmt.Errorf("reading a Bitaxe: %w", err)
	}
	var failed error
	if slow {
		failed = fetch(ctx, s, &fresh, replyASIC)
	}
	d.mu.Lock()
	d.parts.info, d.parts.warnings[0] = fresh.info, fresh.warnings[0]
	if fresh.asic != nil {
		d.parts.asic, d.parts.warnings[1] = fresh.asic, fresh.warnings[1]
	}
	if slow {
		d.noASIC = errors.Is(failed, miner.ErrUnsupported)
		d.stale = errors.Is(failed, miner.ErrUnreachable)
	}
	p := d.parts
	d.mu.Unlock()

	r := p.reading()
	if failed != nil && !errors.Is(failed, miner.ErrUnsupported) {
		r.Warn(miner.WarnMissing, replyASIC, failed.Error())
	}
	r.At = d.driver.now()
	r.Took = r.At.Sub(start)
	r.Identity.Addr = d.target.Addr
	return r, nil
}

// forget makes the next reading ask for everything.
func (d *Device) forget() {
	d.mu.Lock()
	d.stale, d.noASIC = true, false
	d.mu.Unlock()
}

// know asks for both replies, the asic reply only if it is not known.
func (d *Device) know(ctx context.Context, s *web.Session) (parts, error) {
	d.mu.Lock()
	p := d.parts
	d.mu.Unlock()
	var fresh parts
	if err := fetch(ctx, s, &fresh, replyInfo); err != nil {
		return p, err
	}
	p.info = fresh.info
	if p.asic == nil {
		if err := fetch(ctx, s, &fresh, replyASIC); err != nil && !errors.Is(err, miner.ErrUnsupported) {
			return p, err
		}
		p.asic = fresh.asic
	}
	return p, nil
}

// Envelope is what the machine offers.
func (d *Device) Envelope(ctx context.Context) (miner.Envelope, error) {
	s := d.open()
	defer s.Close()
	p, err := d.know(ctx, s)
	if err != nil {
		return miner.Envelope{}, fmt.Errorf("asking a Bitaxe what it offers: %w", err)
	}
	return p.envelope(), nil
}

// Apply sends one setting.
func (d *Device) Apply(ctx context.Context, set miner.Setting) error {
	s := d.open()
	defer s.Close()
	if err := d.apply(ctx, s, set); err != nil {
		return fmt.Errorf("setting %v on a Bitaxe: %w", set, err)
	}
	d.forget()
	return nil
}

func (d *Device) apply(ctx context.Context, s *web.Session, set miner.Setting) error {
	switch set.Kind {
	case miner.SetReboot:
		return write(ctx, s, http.MethodPost, "/restart", nil)
	case miner.SetPools, miner.SetSleep, miner.SetWake, miner.SetProfile:
	default:
		return miner.ErrUnsupported
	}
	p, err := d.know(ctx, s)
	if err != nil {
		return err
	}
	switch set.Kind {
	case miner.SetPools:
		if err := cgminer.CheckPools(set.Pools, p.info.room); err != nil {
			return err
		}
		return d.setPools(ctx, s, p, set.Pools)
	case miner.SetProfile:
		for _, one := range p.asic.points() {
			if one.name() == set.Profile {
				return write(ctx, s, http.MethodPatch, "", map[string]any{"frequency": one.mhz, "coreVoltage": one.millivolt})
			}
		}
		if len(p.asic.points()) == 0 {
			return fmt.Errorf("%w: it offers no clocks", miner.ErrUnsupported)
		}
		return fmt.Errorf("%w: no such profile: %q", miner.ErrRefused, set.Profile)
	}
	switch p.info.sleeps() {
	case "pause":
		if set.Kind == miner.SetSleep {
			return write(ctx, s, http.MethodPost, "/pause", nil)
		}
		return write(ctx, s, http.MethodPost, "/resume", nil)
	case "shutdown":
		if set.Kind == miner.SetSleep {
			return write(ctx, s, http.MethodPost, "/shutdown", nil)
		}
		if !p.info.shutdown.Or(false) {
			return nil // awake: a restart would only cost hashes
		}
		return write(ctx, s, http.MethodPost, "/restart", nil)
	}
	return miner.ErrUnsupported
}

// write sends one command or a part of the settings.
func write(ctx context.Context, s *web.Session, method, path string, settings map[string]any) error {
	r := web.Request{Method: method, Path: "/api/system" + path}
	if settings != nil {
		body, err := json.Marshal(settings)
		if err != nil {
			return fmt.Errorf("%w: %w", miner.ErrRefused, err)
		}
		r.Body = body
	}
	reply, err := s.Do(ctx, r)
	switch {
	case err != nil:
		return err
	case reply.Status >= 200 && reply.Status < 300:
		return nil
	case reply.Status == http.StatusNotFound || reply.Status == http.StatusMethodNotAllowed:
		return fmt.Errorf("%s: %w by this version", r.Path, miner.ErrUnsupported)
	case reply.Status == http.StatusUnauthorized:
		return fmt.Errorf("%s: %w: it wants a one-time password, or answers private networks only", r.Path, miner.ErrLocked)
	}
	const most = 100
	words := strings.ToValidUTF8(string(reply.Body[:min(len(reply.Body), most)]), "")
	return fmt.Errorf("%s: %w: status %d: %s", r.Path, miner.ErrRefused, reply.Status, words)
}

// setPools writes one or two pools, in the form that the version has, and
// restarts an ESP-Miner, which reads them at its start.
func (d *Device) setPools(ctx context.Context, s *web.Session, p parts, pools []miner.PoolSetting) error {
	type slot struct {
		host string
		port int
	}
	slots := make([]slot, len(pools))
	for i, one := range pools {
		host, port, err := split(one.URL)
		if err != nil {
			return err
		}
		slots[i] = slot{host, port}
	}
	if p.info.poolList != nil {
		if err := d.setSlots(ctx, s, p, pools, func(i int) (string, int) { return slots[i].host, slots[i].port }); err != nil {
			return err
		}
	} else {
		set := map[string]any{"stratumURL": slots[0].host, "stratumPort": slots[0].port, "stratumUser": pools[0].User, "stratumPassword": string(pools[0].Password)}
		if len(pools) > 1 {
			set["fallbackStratumURL"], set["fallbackStratumPort"] = slots[1].host, slots[1].port
			set["fallbackStratumUser"], set["fallbackStratumPassword"] = pools[1].User, string(pools[1].Password)
		} else {
			set["fallbackStratumURL"], set["fallbackStratumUser"] = "", ""
		}
		if err := write(ctx, s, http.MethodPatch, "", set); err != nil {
			return err
		}
	}
	if p.isNerd() {
		return nil // reconnects by itself
	}
	return write(ctx, s, http.MethodPost, "/restart", nil)
}

// setSlots writes the slots 0 and 1, selects them and empties the others.
func (d *Device) setSlots(ctx context.Context, s *web.Session, p parts, pools []miner.PoolSetting, at func(int) (string, int)) error {
	list := make([]map[string]any, len(pools))
	for i, one := range pools {
		host, port := at(i)
		list[i] = map[string]any{"id": i, "stratumURL": host, "stratumPort": port, "stratumUser": one.User, "stratumPassword": string(one.Password)}
	}
	set := map[string]any{"pools": list, "primaryPoolIndex": 0, "secondaryPoolIndex": len(pools) - 1}
	if err := write(ctx, s, http.MethodPatch, "", set); err != nil {
		return err
	}
	for _, slot := range p.info.poolList {
		if slot >= len(pools) {
			if err := write(ctx, s, http.MethodDelete, "/pools/"+strconv.Itoa(slot), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// split takes a pool's address apart. AxeOS wants host and port by themselves.
func split(url string) (host string, port int, err error) {
	rest := url
	if scheme, after, ok := strings.Cut(url, "://"); ok {
		if scheme != "stratum+tcp" && scheme != "stratum" && scheme != "tcp" {
			return "", 0, fmt.Errorf("%w: %s pools are to be set up on the machine", miner.ErrRefused, scheme)
		}
		rest = after
	}
	rest = strings.TrimSuffix(rest, "/")
	i := strings.LastIndexByte(rest, ':')
	if i <= 0 {
		return "", 0, fmt.Errorf("%w: pool %q has no port", miner.ErrRefused, url)
	}
	port, err = strconv.Atoi(rest[i+1:])
	if err != nil || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("%w: pool %q has no port", miner.ErrRefused, url)
	}
	return rest[:i], port, nil
}
