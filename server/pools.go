package server

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/miner"
)

// PoolUse is one pool account in use: an address and the account that machines
// sign in with there (what stands before the first dot of their worker's name).
type PoolUse struct {
	URL      string   `json:"url"`
	Account  string   `json:"account"`
	Machines int      `json:"machines" doc:"That have it in their list."`
	Active   int      `json:"active" doc:"That get their work from it now."`
	Workers  int      `json:"workers" doc:"Different worker names."`
	Worker   string   `json:"worker" doc:"One of them."`
	Hashrate float64  `json:"hashrate_ths" doc:"Of the machines that are active on it."`
	Accepted int64    `json:"accepted" doc:"Shares, since each machine's miner started."`
	Rejected int64    `json:"rejected"`
	Stale    int64    `json:"stale"`
	Reject   *float64 `json:"reject_ratio" doc:"Rejected over all that were answered."`
	Lost     *float64 `json:"stale_ratio" doc:"Stale over all that were sent."`
	Dead     int      `json:"dead" doc:"Machines that say it does not answer."`
	Profile  string   `json:"profile,omitempty" doc:"A profile that has it."`

	ActiveIDs []int64 `json:"active_machines"`
	DeadIDs   []int64 `json:"dead_machines"`
}

// StrayMachine works for a pool that none of its profiles has.
type StrayMachine struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Site    string `json:"site"`
	URL     string `json:"url"`
	Worker  string `json:"worker"`
	Profile string `json:"profile" doc:"Where it should be."`
}

type poolsBody struct {
	Pools    []PoolUse      `json:"pools"`
	Stray    []StrayMachine `json:"stray" doc:"Machines on an unexpected pool, at most 1000."`
	StrayAll int            `json:"stray_total"`
	Told     int            `json:"told" doc:"Machines that tell their pools."`
	Idle     int            `json:"idle" doc:"Machines that should hash and have no pool that takes their work."`
	Now      time.Time      `json:"now"`
}

// PoolProfile is a named list of pools, without their passwords.
type PoolProfile struct {
	ID      int64         `json:"id"`
	Name    string        `json:"name"`
	Site    string        `json:"site" doc:"Machines of this site are expected on it; empty: of all."`
	Group   string        `json:"group" doc:"Machines of this group are expected on it; empty: of all."`
	Pools   []ProfilePool `json:"pools"`
	Updated time.Time     `json:"updated"`
	By      string        `json:"by"`
	Version int64         `json:"version" doc:"Send it back as If-Match with an edit."`
}

// ProfilePool is one pool of a profile.
type ProfilePool struct {
	URL    string `json:"url"`
	User   string `json:"user"`
	Secret bool   `json:"has_password"`
}

type profileWish struct {
	Name  string `json:"name" minLength:"1" maxLength:"100"`
	Site  string `json:"site,omitempty" maxLength:"100"`
	Group string `json:"group,omitempty" maxLength:"100"`
	Pools []struct {
		URL      string  `json:"url" minLength:"1" maxLength:"300"`
		User     string  `json:"user" minLength:"1" maxLength:"200" doc:"Worker name; {ip}, {ip3}, {ip4}, {mac}, {serial}, {name}, {id}, {container}, {rack} and {slot} are the machine's own."`
		Password *string `json:"password,omitempty" maxLength:"200" writeOnly:"true" doc:"Left out when changing: stays as it was for this address and user."`
	} `json:"pools" minItems:"1" maxItems:"3"`
}

func (s *Server) registerPools() {
	tag := []string{"pools"}
	op(s, huma.Operation{OperationID: "pools", Method: http.MethodGet, Path: "/api/v1/pools", Summary: "Pools in use, and how they do", Tags: tag}, s.pools)
	op(s, huma.Operation{OperationID: "pool-profiles", Method: http.MethodGet, Path: "/api/v1/pool-profiles", Summary: "Named lists of pools", Tags: tag}, s.profiles)
	op(s, huma.Operation{OperationID: "add-pool-profile", Method: http.MethodPost, Path: "/api/v1/pool-profiles", Summary: "Name a list of pools", Tags: tag, DefaultStatus: http.StatusCreated, Errors: []int{409, 422}},
		func(ctx context.Context, in *struct{ Body profileWish }) (*passwordID, error) {
			return s.keepProfile(ctx, ledger.PoolProfile{}, in.Body)
		})
	op(s, huma.Operation{OperationID: "change-pool-profile", Method: http.MethodPut, Path: "/api/v1/pool-profiles/{id}", Summary: "Change a list of pools", Tags: tag, Errors: []int{404, 409, 412, 422}},
		func(ctx context.Context, in *struct {
			ID int64 `path:"id" minimum:"1"`
			Based
			Body profileWish
		}) (*passwordID, error) {
			p, err := s.profile(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			if p.Updated, err = in.moment(); err != nil {
				return nil, err
			}
			return s.keepProfile(ctx, p, in.Body)
		})
	op(s, huma.Operation{OperationID: "delete-pool-profile", Method: http.MethodDelete, Path: "/api/v1/pool-profiles/{id}", Summary: "Forget a list of pools", Tags: tag, Errors: []int{404}},
		func(ctx context.Context, in *idInput) (*struct{}, error) {
			pr, err := s.profile(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			if !mayKey(ctx, pr.Site) {
				return nil, huma.Error403Forbidden("a profile for all sites takes the right to configure all of them")
			}
			p, _ := principal(ctx)
			if err := s.Record.DeletePoolProfile(ctx, in.ID, ledger.By(p.Name())); err != nil {
				return nil, s.recordError("forgetting the pools", err)
			}
			return nil, nil
		})
	op(s, huma.Operation{OperationID: "apply-pool-profile", Method: http.MethodPost, Path: "/api/v1/pool-profiles/{id}/apply", Summary: "Send machines to the pools of a profile", Tags: tag, Errors: []int{404, 409, 422},
		Description: "Each machine gets a command of its own, as from POST /api/v1/commands with kind pools; {ip4} and the like in worker names become the machine's own."}, s.applyProfile)
}

// account is what stands before the first dot of a worker's name.
func account(user string) string {
	name, _, _ := strings.Cut(user, ".")
	return name
}

// poolKey makes one key of the ways to write a pool's address.
func poolKey(url, user string) string {
	url = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(url)), "/")
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	return url + "\n" + account(user)
}

// working is the pool that a machine gets its work from, as far as it tells.
func working(r *miner.Reading) (miner.Pool, bool) {
	for _, p := range r.Pools {
		if p.Active.Or(false) {
			return p, true
		}
	}
	for _, p := range r.Pools { // firmwares that do not say which: the first that is alive
		if !p.Active.Ok() && p.Alive.Or(false) {
			return p, true
		}
	}
	return miner.Pool{}, false
}

func (s *Server) pools(ctx context.Context, in *SiteQuery) (*struct{ Body poolsBody }, error) {
	profiles, err := s.Record.PoolProfiles(ctx)
	if err != nil {
		return nil, s.fail("reading the pool profiles", err)
	}
	sites := scope(ctx).Narrow(in.Only)
	profiles = slices.DeleteFunc(profiles, func(p ledger.PoolProfile) bool { return p.Site != "" && !sites.Covers(p.Site) })
	return &struct{ Body poolsBody }{usePools(within(sites, s.Fleet.All()), profiles)}, nil
}

// usePools sums up what the machines tell of their pools.
func usePools(all []*fleet.Status, profiles []ledger.PoolProfile) poolsBody {
	body := poolsBody{Pools: []PoolUse{}, Stray: []StrayMachine{}, Now: time.Now().UTC()}
	uses := map[string]*PoolUse{}
	workers := map[string]map[string]bool{}
	for _, st := range all {
		r := st.Reading
		if !st.Machine.Retired.IsZero() || r == nil || st.Condition == fleet.CondSilent {
			continue
		}
		if len(r.Pools) > 0 {
			body.Told++
		}
		at, active := working(r)
		seen := map[string]bool{}
		for _, p := range r.Pools {
			if p.URL == "" {
				continue
			}
			key := poolKey(p.URL, p.User)
			u := uses[key]
			if u == nil {
				u = &PoolUse{URL: p.URL, Account: account(p.User), Worker: p.User, ActiveIDs: []int64{}, DeadIDs: []int64{}}
				uses[key], workers[key] = u, map[string]bool{}
			}
			workers[key][p.User] = true
			u.Accepted += p.Accepted.Or(0)
			u.Rejected += p.Rejected.Or(0)
			u.Stale += p.Stale.Or(0)
			if seen[key] {
				continue
			}
			seen[key] = true
			u.Machines++
			if alive, ok := p.Alive.Get(); ok && !alive {
				u.Dead++
				u.DeadIDs = append(u.DeadIDs, st.Machine.ID)
			}
			if active && poolKey(at.URL, at.User) == key && r.State == miner.Hashing {
				u.Active++
				u.ActiveIDs = append(u.ActiveIDs, st.Machine.ID)
				u.Hashrate += float64(r.HashrateNow.OrElse(r.HashrateAverage).Or(0))
			}
		}
		switch {
		case r.State != miner.Hashing && r.State != miner.Stopped:
		case !active:
			if len(r.Pools) > 0 {
				body.Idle++
			}
		default:
			if want, stray := expected(profiles, st.Machine, at); stray {
				body.StrayAll++
				if len(body.Stray) < 1000 {
					body.Stray = append(body.Stray, StrayMachine{ID: st.Machine.ID, Name: rowOf(st).Name, Site: st.Machine.Site, URL: at.URL, Worker: at.User, Profile: want})
				}
			}
		}
	}
	for key, u := range uses {
		u.Workers = len(workers[key])
		u.Reject = ratio(u.Rejected, u.Accepted+u.Rejected)
		u.Lost = ratio(u.Stale, u.Accepted+u.Rejected+u.Stale)
		for _, p := range profiles {
			if slices.ContainsFunc(p.Pools, func(q ledger.ProfilePool) bool { return poolKey(q.URL, q.User) == key }) {
				u.Profile = p.Name
			}
		}
		body.Pools = append(body.Pools, *u)
	}
	slices.SortFunc(body.Pools, func(a, b PoolUse) int {
		return cmp.Or(cmp.Compare(b.Hashrate, a.Hashrate), cmp.Compare(b.Machines, a.Machines), cmp.Compare(a.URL+a.Account, b.URL+b.Account))
	})
	return body
}

func ratio(part, whole int64) *float64 {
	if whole <= 0 {
		return nil
	}
	return new(float64(part) / float64(whole))
}

// expected tells whether a machine works where none of its profiles has it, and
// which one that is. A machine that no profile is meant for may be anywhere.
func expected(profiles []ledger.PoolProfile, m ledger.Machine, at miner.Pool) (name string, stray bool) {
	for _, p := range profiles {
		if p.Site != "" && p.Site != m.Site || p.Group != "" && p.Group != m.Group {
			continue
		}
		if slices.ContainsFunc(p.Pools, func(q ledger.ProfilePool) bool { return poolKey(q.URL, q.User) == poolKey(at.URL, at.User) }) {
			return "", false
		}
		if name == "" || p.Group != "" {
			name = p.Name
		}
	}
	return name, name != ""
}

func (s *Server) profiles(ctx context.Context, _ *struct{}) (*struct{ Body []PoolProfile }, error) {
	rows, err := s.Record.PoolProfiles(ctx)
	if err != nil {
		return nil, s.fail("reading the pool profiles", err)
	}
	out := []PoolProfile{}
	for _, r := range rows {
		if r.Site != "" && !scope(ctx).Covers(r.Site) {
			continue
		}
		p := PoolProfile{ID: r.ID, Name: r.Name, Site: r.Site, Group: r.Group, Updated: r.Updated, By: r.By, Version: r.Updated.UnixMicro(), Pools: []ProfilePool{}}
		for _, q := range r.Pools {
			p.Pools = append(p.Pools, ProfilePool{URL: q.URL, User: q.User, Secret: q.Sealed != ""})
		}
		out = append(out, p)
	}
	return &struct{ Body []PoolProfile }{out}, nil
}

func (s *Server) profile(ctx context.Context, id int64) (ledger.PoolProfile, error) {
	rows, err := s.Record.PoolProfiles(ctx)
	if err != nil {
		return ledger.PoolProfile{}, s.fail("reading the pool profiles", err)
	}
	i := slices.IndexFunc(rows, func(r ledger.PoolProfile) bool { return r.ID == id })
	if i < 0 || rows[i].Site != "" && !scope(ctx).Covers(rows[i].Site) {
		return ledger.PoolProfile{}, huma.Error404NotFound("there is no pool profile " + strconv.FormatInt(id, 10))
	}
	return rows[i], nil
}

// poolContext is sealed with a pool's password.
var poolContext = []byte("pool password")

func (s *Server) keepProfile(ctx context.Context, row ledger.PoolProfile, w profileWish) (*passwordID, error) {
	if row.ID != 0 && !mayKey(ctx, row.Site) || !mayKey(ctx, w.Site) {
		return nil, huma.Error403Forbidden("a profile for all sites takes the right to configure all of them; name a site")
	}
	was := row.Pools
	row.Name, row.Site, row.Group, row.Pools = w.Name, w.Site, w.Group, nil
	for _, q := range w.Pools {
		p := ledger.ProfilePool{URL: strings.TrimSpace(q.URL), User: strings.TrimSpace(q.User)}
		if err := poolURL(p.URL); err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
		switch {
		case q.Password == nil:
			for _, old := range was {
				if old.URL == p.URL && old.User == p.User {
					p.Sealed = old.Sealed
				}
			}
		case *q.Password != "":
			if err := s.storable(); err != nil {
				return nil, err
			}
			p.Sealed = s.Box.Seal([]byte(*q.Password), poolContext)
		}
		row.Pools = append(row.Pools, p)
	}
	p, _ := principal(ctx)
	id, err := s.Record.SavePoolProfile(ctx, row, ledger.By(p.Name()))
	if err != nil {
		return nil, s.recordError("saving the pools", err)
	}
	out := &passwordID{}
	out.Body.ID = id
	return out, nil
}

// poolURL refuses what no machine could use.
func poolURL(u string) error {
	scheme, rest, ok := strings.Cut(u, "://")
	if !ok || !slices.Contains([]string{"stratum+tcp", "stratum+ssl", "stratum+tls", "stratum2+tcp", "stratum", "tcp", "ssl"}, strings.ToLower(scheme)) {
		return fmt.Errorf("%q: want an address such as stratum+tcp://pool.example:3333", u)
	}
	host, _, _ := strings.Cut(rest, "/")
	name, port, ok := strings.Cut(host, ":")
	if n, err := strconv.Atoi(port); !ok || name == "" || err != nil || n < 1 || n > 65535 || strings.ContainsAny(rest, " \t\n\"'\\") {
		return fmt.Errorf("%q: want a host and a port, such as stratum+tcp://pool.example:3333", u)
	}
	return nil
}

// workerName fills in what a worker's name says of its machine.
func workerName(pattern string, m ledger.Machine) string {
	var third, fourth string
	if a := m.Addr; a.Is4() {
		b := a.As4()
		third, fourth = strconv.Itoa(int(b[2])), strconv.Itoa(int(b[3]))
	}
	name := m.Name
	if name == "" {
		name = m.Hostname
	}
	return strings.NewReplacer("{ip}", strings.ReplaceAll(addrText(m.Addr.IsValid(), m.Addr.String()), ".", "x"), "{ip3}", third, "{ip4}", fourth, "{mac}", strings.ReplaceAll(m.MAC, ":", ""),
		"{serial}", m.Serial, "{name}", name, "{id}", strconv.FormatInt(m.ID, 10), "{container}", m.Place.Container, "{rack}", m.Place.Rack, "{slot}", m.Place.Slot).Replace(pattern)
}

type applyInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		Machines []int64 `json:"machines" minItems:"1" maxItems:"20000"`
		Reason   string  `json:"reason,omitempty" maxLength:"500"`
		Preview  bool    `json:"preview,omitempty" doc:"Only say what would happen."`
	}
}

func (s *Server) applyProfile(ctx context.Context, in *applyInput) (*struct{ Body commandBody }, error) {
	row, err := s.profile(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var pools []miner.PoolSetting
	for _, q := range row.Pools {
		p := miner.PoolSetting{URL: q.URL, User: q.User, Password: "x"}
		if q.Sealed != "" {
			if err := s.storable(); err != nil {
				return nil, err
			}
			plain, err := s.Box.Unseal(q.Sealed, poolContext)
			if err != nil {
				return nil, huma.Error409Conflict("the password of " + q.URL + " cannot be opened: the key file is another than the one that sealed it; enter it anew")
			}
			p.Password = miner.Secret(plain)
		}
		pools = append(pools, p)
	}
	p, _ := principal(ctx)
	body := commandBody{Commands: []ledger.Command{}, Refused: []Refusal{}}
	var wishes []fleet.Request
	for _, id := range in.Body.Machines {
		st, err := s.status(ctx, id)
		if err != nil {
			return nil, err
		}
		setting := miner.Setting{Kind: miner.SetPools, Pools: slices.Clone(pools)}
		for i := range setting.Pools {
			setting.Pools[i].User = workerName(setting.Pools[i].User, st.Machine)
		}
		e, _ := s.Fleet.Envelope(miner.ID(id))
		if err := fleet.Check(setting, e); err != nil {
			body.Refused = append(body.Refused, Refusal{id, err.Error()})
			continue
		}
		if st.Reading != nil && st.Condition != fleet.CondSilent {
			body.PowerW += float64(st.Reading.Power.Or(0))
		}
		reason := in.Body.Reason
		if reason == "" {
			reason = "pools of " + row.Name
		}
		wishes = append(wishes, fleet.Request{Machine: miner.ID(id), Setting: setting, Actor: p.Name(), Reason: reason})
	}
	body.Takes = len(wishes)
	if in.Body.Preview || len(wishes) == 0 {
		if len(wishes) == 0 && !in.Body.Preview {
			return nil, huma.Error422UnprocessableEntity(body.Refused[0].Why)
		}
		return &struct{ Body commandBody }{body}, nil
	}
	if body.Commands, err = s.Fleet.Commander.Submit(ctx, wishes); err != nil {
		return nil, s.recordError("writing the commands", err)
	}
	return &struct{ Body commandBody }{body}, nil
}
