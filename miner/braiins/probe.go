package braiins

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// found is what probing a machine learned.
type found struct {
	via     channel
	replies miner.Replies // that told something of who it is
}

// release is a BOS release: 25.07 is {25, 7}.
type release struct{ year, month int }

func (r release) before(year, month int) bool {
	return r.year < year || r.year == year && r.month < month
}

// releaseOf finds the release in a version's words:
// "2025-08-06-0-3881c51d-25.07-plus".
func releaseOf(version string) (release, bool) {
	for part := range strings.SplitSeq(version, "-") {
		y, rest, ok := strings.Cut(part, ".")
		m, _, _ := strings.Cut(rest, ".")
		year, err1 := strconv.Atoi(y)
		month, err2 := strconv.Atoi(m)
		if ok && err1 == nil && err2 == nil && len(y) == 2 && month >= 1 && month <= 12 {
			return release{year, month}, true
		}
	}
	return release{}, false
}

// portion gives a step of a search part of the time that is left, so that one
// silent port does not use up all of it.
func portion(ctx context.Context) (context.Context, context.CancelFunc) {
	const most = 3 * time.Second
	part := most
	if until, ok := ctx.Deadline(); ok {
		part = min(most, time.Until(until)/3)
	}
	return context.WithTimeout(ctx, part)
}

// probe finds out which generation answers. Every release since 2021 tells its
// version over GraphQL without signing in.
func (v *device) probe(ctx context.Context) (found, error) {
	f := found{replies: miner.Replies{}}
	ours, first := false, error(nil)
	note := func(err error) {
		if first == nil || errors.Is(err, miner.ErrNotMine) {
			first = err // somebody else's answer says more than silence
		}
	}
	var at release
	known := false
	if raw, err := v.askVersion(ctx); err != nil {
		note(err)
	} else {
		ours = true
		f.replies["graphql_version"] = raw
		at, known = releaseOf(gjson.GetBytes(raw, "data.bos.info.version.full").Str)
	}
	webSilent := !ours && errors.Is(first, miner.ErrUnreachable)
	if !webSilent && !(known && at.before(25, 1)) {
		raw, err := v.askREST(ctx)
		// A machine that wants to see a token first may be anybody's.
		if errors.Is(err, miner.ErrDenied) && (ours || v.askBOSminer(ctx) == nil) {
			err = nil
		}
		if err == nil {
			if raw != nil {
				f.replies["version"] = raw
			}
			f.via = &rest{web: v.web}
			return f, nil
		}
		if !errors.Is(err, miner.ErrDenied) {
			note(err)
		}
	}
	signs := v.target.Credentials != (miner.Credentials{})
	if signs && (ours || webSilent) && !(known && at.before(23, 8)) {
		c := newGRPC(v.target)
		short, cancel := portion(ctx)
		raw, err := c.fetch(short, "version")
		cancel()
		if err == nil && usableGRPC(raw) {
			f.replies["version"] = raw
			f.via = c
			return f, nil
		}
		c.close()
	}
	if !ours {
		if err := v.askBOSminer(ctx); err != nil {
			note(err)
			return f, first
		}
	}
	f.via = &bosminer{web: v.web}
	return f, nil
}

// askVersion asks GraphQL for what it tells anybody.
func (v *device) askVersion(ctx context.Context) ([]byte, error) {
	short, cancel := portion(ctx)
	defer cancel()
	r, err := v.web.do(short, http.MethodPost, "/graphql", []byte(`{"query":"{bos{info{version{full}}}bosminer{info{modelName}}}"}`))
	if err != nil {
		return nil, fmt.Errorf("asking for the version: %w", err)
	}
	if gjson.ValidBytes(r.body) && gjson.GetBytes(r.body, "data.bos.info.version.full").Str != "" {
		return r.body, nil
	}
	return nil, fmt.Errorf("asking for the version: %w (HTTP %d)", miner.ErrNotMine, r.status)
}

// askREST asks the public API for its version, with and without a slash at the
// end.
func (v *device) askREST(ctx context.Context) ([]byte, error) {
	for _, path := range []string{"/api/v1/version", "/api/v1/version/"} {
		r, err := v.web.do(ctx, http.MethodGet, path, nil)
		if err != nil {
			return nil, fmt.Errorf("asking for the API's version: %w", err)
		}
		switch {
		case r.status == http.StatusOK && gjson.ValidBytes(r.body) && gjson.GetBytes(r.body, "major").Exists():
			return r.body, nil
		case r.status == http.StatusUnauthorized && r.header.Get("Www-Authenticate") == "":
			return nil, fmt.Errorf("asking for the API's version: %w", miner.ErrDenied)
		}
	}
	return nil, fmt.Errorf("asking for the API's version: %w", miner.ErrNotMine)
}

// askBOSminer asks who answers on 4028.
func (v *device) askBOSminer(ctx context.Context) error {
	raw, err := cgminer.Ask(ctx, v.target, "version", "")
	if err != nil {
		return err
	}
	if !isBOS(raw) {
		return fmt.Errorf("asking for the version: %w", miner.ErrNotMine)
	}
	return nil
}

// Identify asks who is there. 4028 is asked first: any other firmware that
// listens there says so in one reply.
func (v *device) Identify(ctx context.Context) (miner.Identity, error) {
	ctx, done, err := v.take(ctx)
	if err != nil {
		return miner.Identity{}, err
	}
	defer done()
	short, cancel := portion(ctx)
	raw, err := cgminer.Ask(short, v.target, "version", "")
	cancel()
	if err == nil && !isBOS(raw) {
		return miner.Identity{}, fmt.Errorf("identifying: %w", miner.ErrNotMine)
	}
	f, err := v.probe(ctx)
	if err != nil {
		return miner.Identity{}, fmt.Errorf("identifying: %w", err)
	}
	v.mu.Lock()
	old := v.via
	v.via = f.via
	v.mu.Unlock()
	if old != nil {
		old.close()
	}
	v.begin()
	if raw != nil {
		f.replies["bosminer_version"] = raw
	}
	for _, name := range []string{"miner_details", "graphql_system", "iface_status", "bosminer"} {
		if !planned(f.via, name) {
			continue
		}
		// Without a password the model and the version are known all the same.
		if raw, err := f.via.fetch(ctx, name); err == nil {
			f.replies[name] = raw
		} else if errors.Is(err, miner.ErrUnreachable) && ctx.Err() != nil {
			break
		}
	}
	r, err := v.driver.Parse(f.replies)
	if err != nil {
		return miner.Identity{}, fmt.Errorf("identifying: %w", err)
	}
	r.Identity.Addr = v.target.Addr
	return r.Identity, nil
}
