package cgminer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"ballast/miner"
)

// Device is one machine that speaks the API.
type Device struct {
	driver  *Driver
	target  miner.Target
	asker   Asker
	cadence *Cadence

	mu   sync.Mutex
	slow miner.Replies // version, config, devdetails
}

var _ miner.Device = (*Device)(nil)

// Identify asks for the version. Any reply of the API will do.
func (d *Device) Identify(ctx context.Context) (miner.Identity, error) {
	raw, err := Ask(ctx, d.target, "version", "")
	if err != nil {
		return miner.Identity{}, err
	}
	r := miner.Reading{Identity: miner.Identity{Firmware: miner.CGMiner, Addr: d.target.Addr}}
	reply, ok := Read("version", raw, nil)
	if !ok || reply.Status.Kind == 0 && !reply.Has("VERSION") {
		return miner.Identity{}, fmt.Errorf("asking for the version: %w: %s", miner.ErrNotMine, Excerpt(raw))
	}
	FillVersion(&r, reply)
	if r.Identity.Model == "" {
		// The model is told by stats only; without it the identity stands.
		if raw, err := Ask(ctx, d.target, "stats", ""); err == nil {
			if stats, ok := Read("stats", raw, nil); ok {
				fillIdentity(&r, Bundle{[]Reply{stats}})
			}
		}
	}
	return r.Identity, nil
}

// Read asks for summary, stats, devs and pools, and every 30th time for
// version, config and devdetails.
func (d *Device) Read(ctx context.Context) (miner.Reading, error) {
	begin := time.Now()
	replies, err := d.fetch(ctx)
	if err != nil {
		return miner.Reading{}, err
	}
	r, err := d.driver.Parse(replies)
	r.At = time.Now()
	r.Took = r.At.Sub(begin)
	r.Identity.Addr = d.target.Addr
	return r, err
}

func (d *Device) fetch(ctx context.Context) (miner.Replies, error) {
	replies, err := d.asker.Ask(ctx, d.target, "summary", "stats", "devs", "pools")
	if err != nil {
		return nil, err
	}
	due := d.cadence.Due()
	d.mu.Lock()
	slow := d.slow
	d.mu.Unlock()
	if due || slow == nil {
		if fresh, err := (&Asker{}).one(ctx, d.target, "version", "config", "devdetails"); err == nil {
			slow = fresh
			d.mu.Lock()
			d.slow = fresh
			d.mu.Unlock()
		}
	}
	maps.Copy(replies, slow)
	return replies, nil
}

// one asks for reports one by one and keeps what the machine has.
func (a *Asker) one(ctx context.Context, t miner.Target, commands ...string) (miner.Replies, error) {
	a.combined.Store(2)
	out, err := a.Ask(ctx, t, commands...)
	for name, raw := range out {
		if reply, ok := Read(name, raw, nil); !ok || !reply.Status.OK() {
			delete(out, name)
		}
	}
	return out, err
}

// Envelope asks whether we may write at all.
func (d *Device) Envelope(ctx context.Context) (miner.Envelope, error) {
	e := miner.Envelope{Source: "told", Settle: miner.Settle{Sleep: time.Minute, Wake: 10 * time.Minute, Adjust: 10 * time.Minute, Reboot: 10 * time.Minute}}
	_, err := Do(ctx, d.target, "privileged", "")
	switch {
	case err == nil:
		e.Kinds = []miner.Kind{miner.SetPools, miner.SetRestart}
	case errors.Is(err, miner.ErrUnreachable), errors.Is(err, miner.ErrGarbage):
		return miner.Envelope{}, err
	}
	return e, nil
}

// Apply restarts the mining process or replaces the pools.
func (d *Device) Apply(ctx context.Context, s miner.Setting) error {
	switch s.Kind {
	case miner.SetRestart:
		_, err := Do(ctx, d.target, "restart", "")
		return err
	case miner.SetPools:
		return d.setPools(ctx, s.Pools)
	}
	return fmt.Errorf("setting %s: %w", s.Kind, miner.ErrUnsupported)
}

// setPools adds the new pools, moves to the first of them and removes the old
// ones, so that the machine always has one to work for.
func (d *Device) setPools(ctx context.Context, pools []miner.PoolSetting) error {
	if err := CheckPools(pools, 0); err != nil {
		return err
	}
	before, err := Do(ctx, d.target, "pools", "")
	if err != nil {
		return err
	}
	old := len(before.Section("POOLS"))
	for _, p := range pools {
		if _, err := Do(ctx, d.target, "addpool", poolParameter(p)); err != nil {
			return err
		}
	}
	after, err := Do(ctx, d.target, "pools", "")
	if err != nil {
		return err
	}
	ids := poolIDs(after)
	if len(ids) < old+len(pools) {
		return fmt.Errorf("adding pools: %w: the machine lists %d pools, not %d", miner.ErrRefused, len(ids), old+len(pools))
	}
	if _, err := Do(ctx, d.target, "switchpool", ids[old]); err != nil {
		return err
	}
	// Pools are numbered by position: take the last of the old ones first.
	for i := old - 1; i >= 0; i-- {
		if _, err := Do(ctx, d.target, "removepool", ids[i]); err != nil {
			return err
		}
	}
	d.mu.Lock()
	d.slow = nil
	d.mu.Unlock()
	return nil
}

func poolIDs(reply Reply) []string {
	var ids []int64
	for i, o := range reply.Section("POOLS") {
		ids = append(ids, o.Count("POOL").Or(int64(i)))
	}
	slices.Sort(ids)
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = fmt.Sprint(id)
	}
	return out
}

// poolParameter is "URL,USR,PASS" with the API's escapes.
func poolParameter(p miner.PoolSetting) string {
	escape := strings.NewReplacer(`\`, `\\`, `,`, `\,`)
	return escape.Replace(p.URL) + "," + escape.Replace(p.User) + "," + escape.Replace(string(p.Password))
}

// CheckPools refuses a list of pools that no machine could use: empty, longer
// than most (0: no limit), or with an entry without an address or user.
func CheckPools(pools []miner.PoolSetting, most int) error {
	switch {
	case len(pools) == 0:
		return fmt.Errorf("%w: the list of pools is empty", miner.ErrRefused)
	case most > 0 && len(pools) > most:
		return fmt.Errorf("%w: %d pools, and the machine takes %d", miner.ErrRefused, len(pools), most)
	}
	for i, p := range pools {
		if strings.TrimSpace(p.URL) == "" {
			return fmt.Errorf("%w: pool %d has no address", miner.ErrRefused, i)
		}
		if strings.ContainsAny(p.URL+p.User+string(p.Password), "\x00\r\n") {
			return fmt.Errorf("%w: pool %d has a control character in it", miner.ErrRefused, i)
		}
	}
	return nil
}

// Close does nothing: every request has its own connection.
func (d *Device) Close() {}
