// Package whatsminer serves a simulated rig as MicroBT's stock firmware does.
//
// The version of the rig picks the generation:
//
//   - before 2022-07-29 API 2.0.4: btminer as a fork of cgminer on TCP 4028,
//     replies that end with NUL, error codes as a list written like a
//     dictionary, refusals of the reads while the mining process is off, no
//     answer to a change of mode;
//   - before 2024-11 API 2.0.5: numbers as text here and there, reads that
//     answer zeros while asleep, a reason for being off, percentages of power;
//   - since then API 3 on TCP 4433, framed and kept open, and a reduced API 2
//     on 4028 beside it. From 2025-12 on boards tell their momentary rate.
//
// Writes want the real handshake: a token and the AES key of the password on
// 4028, a signed request on 4433. A rig with WriteLock declines them as a
// machine does whose "API write access" is off.
//
// Sources: WhatsMiner API v2.0.5 and v3 as published by the vendor, and what the
// clients of others say that machines really send (pyasic, asic-rs, MiningOS,
// the vendor's own MDK worker).
package whatsminer

import (
	"context"
	"hash/fnv"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"ballast/miner"
	"ballast/miner/whatsminer/crypt"
	"ballast/sim"
	"ballast/unit"
)

const (
	portV2 = 4028
	portV3 = 4433
)

// Dialect is MicroBT's firmware.
type Dialect struct{}

var _ sim.Dialect = Dialect{}

// New makes the dialect.
func New() sim.Dialect { return Dialect{} }

// Firmware is miner.Whatsminer.
func (Dialect) Firmware() miner.Firmware { return miner.Whatsminer }

// Ports are 4028, and 4433 where the version has API 3.
func (Dialect) Ports(s sim.Spec) []uint16 {
	if generationOf(s.Version).v3 {
		return []uint16{portV3, portV2}
	}
	return []uint16{portV2}
}

// Serve answers one connection.
func (Dialect) Serve(ctx context.Context, port uint16, conn net.Conn, rig *sim.Rig) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if port == portV3 {
		serveV3(conn, rig)
		return
	}
	machineOf(rig).serveV2(conn)
}

// newest is the version of a rig that names none.
const newest = "20251209.16.Rel2"

// generation is what differs between versions.
type generation struct {
	firmware string
	api      string
	v3       bool
	old      bool // API 2.0.4: a fork of cgminer
	realtime bool // v3: boards tell their momentary rate and status
	noComma  bool // get_psu of January 2023 lacks a comma
}

func generationOf(version string) generation {
	if version == "" {
		version = newest
	}
	date, _, _ := strings.Cut(version, ".")
	day, err := strconv.Atoi(date)
	if err != nil || len(date) != 8 {
		day = 20251209
	}
	g := generation{firmware: version}
	switch {
	case day < 20220729:
		g.old, g.api = true, "2.0.4"
	case day < 20241101:
		g.api, g.noComma = "2.0.5", day >= 20230101 && day < 20230201
	case day < 20250801:
		g.v3, g.api = true, "3.0.1"
	default:
		g.v3, g.api, g.realtime = true, "3.0.2", day >= 20251201
	}
	return g
}

// machine is what the dialect keeps for one rig.
type machine struct {
	rig *sim.Rig
	generation
	typ      string // "M60S_VK40"
	salt     string // of the password; API v3's as well
	password [2]string
	key      func() (secret string, key crypt.Key) // of API v2, computed when first needed

	mu      sync.Mutex
	tokens  []token
	random  uint64
	clients int // connections on 4433
	upfreq  int
	fast    bool // fast boot
}

// token is one that get_token gave out.
type token struct {
	sign, addr string
	until      time.Time
}

// machineOf is the rig's machine, made at first sight.
func machineOf(rig *sim.Rig) *machine {
	return rig.Memo("whatsminer", func() any {
		spec := rig.Spec()
		m := &machine{rig: rig, generation: generationOf(spec.Version), random: spec.Seed ^ hashOf(spec.MAC+spec.Serial), upfreq: 5}
		m.typ = typeOf(spec.Model)
		m.salt = m.word(8)
		m.password = [2]string{spec.Password, spec.Password}
		if spec.Password == "" {
			m.password = [2]string{"admin", "super"} // the factory's, of v2 and v3
		}
		m.key = sync.OnceValues(func() (string, crypt.Key) {
			t := crypt.NewToken(m.password[0], "", m.salt, "")
			return crypt.MD5Crypt(m.password[0], m.salt), t.Key
		})
		return m
	}).(*machine)
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// word makes a random text of n characters. The caller holds mu, or is alone.
func (m *machine) word(n int) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	b := make([]byte, n)
	for i := range b {
		m.random = m.random*6364136223846793005 + 1442695040888963407
		b[i] = alphabet[(m.random>>33)%uint64(len(alphabet))]
	}
	return string(b)
}

// typeOf is a model in the firmware's words: "M30S+_VE40".
func typeOf(m miner.Model) string {
	name := strings.TrimPrefix(m.Name, "Whatsminer ")
	if strings.HasPrefix(m.Variant, "V") {
		return name + "_" + m.Variant
	}
	return name
}

// Shapes of what the firmware computes from a snapshot.

func (m *machine) liquid() bool {
	c := m.rig.Spec().Model.Cooling
	return c == miner.Hydro || c == miner.Immersion
}

// off tells whether the mining process is off: told to, or given up.
func off(s *sim.Snapshot) bool { return s.Phase == sim.PhaseSleeping || s.Phase == sim.PhaseFailed }

// risen tells whether the frequency has reached its target.
func risen(s *sim.Snapshot) bool { return s.Phase == sim.PhaseHashing }

func (m *machine) powerLimit(s *sim.Snapshot) unit.Power {
	if s.PowerTarget > 0 {
		return s.PowerTarget
	}
	return m.rig.Limits().Default
}

// factory is the rate in the boards' EEPROMs: it does not move with settings.
func (m *machine) factory() unit.Hashrate { return m.rig.Spec().Model.Hashrate }

// powerRate is J/TH as the firmware tells it, 0 when nothing hashes.
func powerRate(s *sim.Snapshot) float64 {
	if s.Hashrate1m <= 0 {
		return 0
	}
	return float64(s.Power) / float64(s.Hashrate1m)
}

// fan is a case fan's speed; liquid-cooled machines have none and tell 0.
func fan(s *sim.Snapshot, i int) float64 {
	if i < len(s.Fans) {
		return float64(s.Fans[i].Speed)
	}
	return 0
}

// deadSensor is what a sensor that does not answer reads.
const deadSensor = 255

// temps are a board's temperatures: of the board itself, and the least, mean
// and greatest of its chips. A board without power tells zeros.
func temps(b *sim.BoardSnapshot, on bool) (board, low, mean, high float64) {
	if !b.Present || !on {
		return 0, 0, 0, 0
	}
	board = deadSensor
	for _, t := range b.PCB {
		if v, ok := t.Get(); ok && (board == deadSensor || float64(v) > board) {
			board = float64(v)
		}
	}
	low, high = deadSensor, deadSensor
	n := 0.0
	for _, t := range b.Chip {
		if v, ok := t.Get(); ok {
			c := float64(v)
			if n == 0 {
				low, high = c, c
			}
			low, high = min(low, c), max(high, c)
			mean += c
			n++
		}
	}
	if n == 0 {
		return board, low, deadSensor, high
	}
	return board, low, mean / n, high
}

// chipTemps are the machine's: over all boards that tell.
func chipTemps(s *sim.Snapshot) (low, mean, high float64) {
	n := 0.0
	for i := range s.Boards {
		b := &s.Boards[i]
		_, l, m, h := temps(b, b.Enabled && !off(s))
		if h == 0 || h == deadSensor {
			continue
		}
		if n == 0 {
			low, high = l, h
		}
		low, high = min(low, l), max(high, h)
		mean += m
		n++
	}
	if n > 0 {
		mean /= n
	}
	return low, mean, high
}

func sensor(t unit.Opt[unit.Temperature]) float64 {
	return float64(t.Or(deadSensor))
}

// running is how long the mining process runs, in seconds.
func running(s *sim.Snapshot) int64 { return int64(s.MinerUptime / time.Second) }

func boardSerial(spec sim.Spec, b *sim.BoardSnapshot, i int) string {
	if i < len(spec.BoardSerials) && spec.BoardSerials[i] != "" {
		return spec.BoardSerials[i]
	}
	return b.Serial
}
