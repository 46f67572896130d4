// Package braiins serves Braiins OS as its machines do, in three generations:
//
//	22.08          GraphQL on 80 and BOSminer's cgminer API on 4028
//	23.12          both, and the public API over gRPC on 50051 (1.0.0-beta.5)
//	24.04          as 22.08: the operator has closed 50051
//	25.07, 26.04   all of these, and the public API over REST on 80
//
// and any release in between by the same dates. Sign-in is with root and the
// rig's password; a rig without one takes none and "root". Tokens and sessions
// live for an hour after their last use and die with a reboot.
//
// What the documents do not tell is done in the least helpful way that they
// allow: GraphQL tells the version and the model to anybody and nothing else
// without a session; an unknown field fails the whole query; boards that are not
// detected are not listed; a set-point out of range is refused in Rust's words.
package braiins

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"ballast/miner"
	"ballast/sim"
	"ballast/unit"
)

const (
	portWeb  = 80
	portAPI  = 4028
	portGRPC = 50051
)

// tokenLife is how long a token lives after its last use (README of the public
// API).
const tokenLife = time.Hour

// mostTokens bounds what a forgetful client can leave behind.
const mostTokens = 32

// Dialect is the Braiins family.
type Dialect struct {
	grpc hub
}

var _ sim.Dialect = (*Dialect)(nil)

// New makes the dialect.
func New() sim.Dialect { return &Dialect{} }

// Firmware names the family.
func (*Dialect) Firmware() miner.Firmware { return miner.Braiins }

// Ports are the ports that a release listens on.
func (*Dialect) Ports(s sim.Spec) []uint16 {
	r := releaseOf(s)
	if r.before(23, 3) || r.year == 24 {
		return []uint16{portWeb, portAPI}
	}
	return []uint16{portWeb, portAPI, portGRPC}
}

// Serve talks on one accepted connection.
func (d *Dialect) Serve(ctx context.Context, port uint16, conn net.Conn, rig *sim.Rig) {
	m := machineOf(rig)
	switch port {
	case portWeb:
		sim.ServeHTTP(ctx, conn, webHandler{m})
	case portAPI:
		serveAPI(ctx, conn, m)
	case portGRPC:
		d.grpc.serve(ctx, conn, m)
	default:
		conn.Close()
	}
}

// release is a BOS release: 25.07 is {25, 7}.
type release struct{ year, month int }

func (r release) before(year, month int) bool {
	return r.year < year || r.year == year && r.month < month
}

func (r release) String() string { return fmt.Sprintf("%02d.%02d", r.year, r.month) }

// newest is the release of a rig that names none.
var newest = release{26, 4}

func releaseOf(s sim.Spec) release {
	y, m, _ := strings.Cut(s.Version, ".")
	m, _, _ = strings.Cut(m, ".")
	year, err1 := strconv.Atoi(y)
	month, err2 := strconv.Atoi(m)
	if err1 != nil || err2 != nil {
		return newest
	}
	return release{year, month}
}

// machine is what a rig's Braiins OS keeps in memory.
type machine struct {
	rig  *sim.Rig
	made time.Time // of the tuned profiles

	mu      sync.Mutex
	tokens  map[string]time.Time // last use
	serial  uint64               // of tokens
	stopped bool                 // the mining process was told to stop
	rate    unit.Hashrate        // the hashrate target in force; 0 in power mode
	group   string
}

func machineOf(rig *sim.Rig) *machine {
	return rig.Memo("braiins", func() any {
		return &machine{
			rig: rig, made: rig.Now().Add(-4 * 24 * time.Hour).Truncate(time.Second),
			tokens: map[string]time.Time{}, group: "default",
		}
	}).(*machine)
}

// at is the release that runs now: firmware can be changed under a machine.
func (m *machine) at() release { return releaseOf(m.rig.Spec()) }

// version is a release's full name: "2025-07-06-0-3881c51d-25.07-plus".
func (r release) version() string {
	return fmt.Sprintf("20%02d-%02d-06-0-%08x-%s-plus", r.year, r.month, uint32(r.year*79190137+r.month*1047291), r)
}

// accepts checks a user and password.
func (m *machine) accepts(user, password string) bool {
	s := m.rig.Spec()
	want := s.User
	if want == "" {
		want = "root"
	}
	if user != want {
		return false
	}
	if s.Password == "" {
		return password == "" || password == "root"
	}
	return password == s.Password
}

// newToken signs somebody in.
func (m *machine) newToken() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	m.mu.Lock()
	defer m.mu.Unlock()
	m.serial++
	r := rand.New(rand.NewPCG(m.rig.Spec().Seed, m.serial))
	token := make([]byte, 16)
	for i := range token {
		token[i] = letters[r.IntN(len(letters))]
	}
	now := m.rig.Now()
	for t, used := range m.tokens {
		if now.Sub(used) > tokenLife || len(m.tokens) >= mostTokens {
			delete(m.tokens, t)
		}
	}
	m.tokens[string(token)] = now
	return string(token)
}

// knows checks a token and prolongs its life.
func (m *machine) knows(token string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	used, ok := m.tokens[token]
	now := m.rig.Now()
	if !ok || now.Sub(used) > tokenLife {
		delete(m.tokens, token)
		return false
	}
	m.tokens[token] = now
	return true
}

// do carries out a command, with what Braiins OS makes of it beside.
func (m *machine) do(a sim.Action) error {
	if err := m.rig.Do(a); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch a.Kind {
	case sim.DoPower:
		m.rate = 0
	case sim.DoWake:
		m.stopped = false
	case sim.DoReboot:
		clear(m.tokens)
		m.stopped = false
	}
	return nil
}

func (m *machine) setStopped(on bool) {
	m.mu.Lock()
	m.stopped = on
	m.mu.Unlock()
}

func (m *machine) isStopped() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stopped
}

func (m *machine) rateTarget() unit.Hashrate {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rate
}

func (m *machine) groupName() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.group
}

// setPools replaces the pools.
func (m *machine) setPools(group string, pools []sim.PoolSnapshot) error {
	if err := m.rig.Do(sim.Action{Kind: sim.DoPools, Pools: pools}); err != nil {
		return err
	}
	m.mu.Lock()
	m.group = group
	m.mu.Unlock()
	return nil
}

// setPower sets the power target, in whole watts.
func (m *machine) setPower(w int64) error {
	if err := m.do(sim.Action{Kind: sim.DoPower, Power: unit.Power(w)}); err != nil {
		low, _, high := m.limits()
		return fmt.Errorf("Power target out of range min: Some(%d), max: Some(%d)", low, high) //nolint:staticcheck // the firmware's words
	}
	return nil
}

// setRate sets the hashrate target: the tuner finds the profile that reaches it.
func (m *machine) setRate(h unit.Hashrate) error {
	profiles := m.rig.Profiles()
	low, high := profiles[0].Hashrate, profiles[len(profiles)-1].Hashrate
	if !(h >= low && h <= high) {
		return fmt.Errorf("Hashrate target out of range min: Some(%.2f), max: Some(%.2f)", low.TH(), high.TH()) //nolint:staticcheck // the firmware's words
	}
	for _, p := range profiles {
		if p.Hashrate >= h {
			if err := m.rig.Do(sim.Action{Kind: sim.DoProfile, Text: p.Name, Power: p.Power}); err != nil {
				return err
			}
			break
		}
	}
	m.mu.Lock()
	m.rate = h
	m.mu.Unlock()
	return nil
}

// powerTarget is the set-point in force, in whole watts.
func (m *machine) powerTarget(s *sim.Snapshot) int64 {
	if s.PowerTarget > 0 {
		return int64(s.PowerTarget)
	}
	_, w, _ := m.limits()
	return w
}

// limits are the bounds of the power target and its default, in whole watts.
func (m *machine) limits() (low, byDefault, high int64) {
	l := m.rig.Limits()
	low, high = int64(math.Ceil(float64(l.Min))), int64(l.Max)
	return low, min(max(int64(l.Default), low), high), high
}

// Values of the public API's MinerStatus and TunerState.
const (
	statusNotStarted = 1
	statusNormal     = 2
	statusPaused     = 3
	statusSuspended  = 4

	tunerStable = 2
	tunerTuning = 3
	tunerError  = 4
)

func (m *machine) status(s *sim.Snapshot) int {
	switch {
	case m.isStopped():
		return statusNotStarted
	case s.Phase == sim.PhaseSleeping:
		return statusPaused
	case s.Phase == sim.PhaseFailed:
		return statusSuspended
	}
	return statusNormal
}

func tunerState(s *sim.Snapshot) int {
	switch s.Phase {
	case sim.PhaseStarting, sim.PhaseRamping:
		return tunerTuning
	case sim.PhaseFailed:
		return tunerError
	}
	return tunerStable
}

// minerUptime is how long the mining process has been running. A pause does not
// end it, a stop does.
func (m *machine) minerUptime(s *sim.Snapshot) time.Duration {
	switch {
	case m.isStopped():
		return 0
	case s.MinerUptime > 0:
		return s.MinerUptime
	}
	return min(s.Uptime, time.Minute)
}

// firstBoard is the number of the first board: an S9's connectors are J6 to J8.
func (m *machine) firstBoard() int {
	if strings.Contains(m.rig.Spec().Model.Name, "S9") {
		return 6
	}
	return 1
}
