// Package drivertest is the contract that every driver must pass against its
// own dialect, over real sockets. A driver's test calls it once:
//
//	func TestContract(t *testing.T) {
//		drivertest.Run(t, drivertest.Suite{
//			Driver: antminer.New(), Dialect: dialect.New(), Specs: specs, User: "root",
//		})
//	}
//
// It holds the driver to what package miner promises: who answers is found or
// declined, a reading tells what the rig's firmware knows and nothing that it
// does not, every kind of setting in the envelope is applied and shows in a
// later reading, the rest is ErrUnsupported, a deadline is a deadline on any
// socket, passwords stay out of errors, replies may be cut and bent at will.
//
// The rig runs on a clock that the suite owns, and waiting is advancing it, so
// that a settle time of ten minutes costs nothing.
package drivertest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ballast/miner"
	"ballast/sim"
)

// Suite is what Run needs to know of a driver.
type Suite struct {
	Driver  miner.Driver
	Dialect sim.Dialect
	// Specs are the machines to stand up, one for each API generation and shape
	// (air, hydro) that the driver claims. Empty MAC, serial, host name and
	// password are filled in.
	Specs []sim.Spec

	// User is the account that the firmware wants, "" where it knows only a
	// password.
	User string
	// NoPassword says that the firmware asks for none at all.
	NoPassword bool
	// OnePool says that the firmware has room for one pool only.
	OnePool bool
	// Unsaid names what this firmware cannot tell, see the Field constants.
	Unsaid []Field
	// Skip leaves checks out, by the name of their subtest, with the reason.
	Skip map[string]string
	// Replies fetches one complete set of raw replies from a device of this
	// driver, under the names that Parse documents. Without it the parser's
	// checks are left out, which a driver must not do for long.
	Replies func(context.Context, miner.Device) (miner.Replies, error)
	// NewRig replaces sim.NewRig.
	NewRig func(sim.Spec, func() time.Time) *sim.Rig
	// ZeroOK names paths of a reading (as in its JSON, indices left out:
	// "boards.voltage_v") that this firmware really tells as zero.
	ZeroOK []string
}

// Field names something that most firmwares tell.
type Field string

// The fields that a reading must have unless a suite says that the firmware
// does not tell them.
const (
	FieldMAC           Field = "mac"
	FieldSerial        Field = "serial"
	FieldHashrate      Field = "hashrate"
	FieldAverage       Field = "hashrate average"
	FieldNominal       Field = "hashrate nominal"
	FieldPower         Field = "power"
	FieldUptime        Field = "uptime" // either of the two
	FieldFans          Field = "fans"
	FieldPools         Field = "pools"
	FieldAccepted      Field = "accepted"
	FieldBoards        Field = "boards"
	FieldBoardHashrate Field = "board hashrate"
	FieldBoardTemp     Field = "board temperature" // any of them
	FieldChips         Field = "chips"
	FieldVersion       Field = "firmware version"
)

func (s Suite) tells(f Field) bool {
	return !slices.Contains(s.Unsaid, f)
}

// Run runs the contract.
func Run(t *testing.T, s Suite) {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, leaks) })
	if len(s.Specs) == 0 {
		t.Fatal("no specs to stand up")
	}
	for _, spec := range s.Specs {
		t.Run(specName(spec), func(t *testing.T) {
			for _, check := range []struct {
				name string
				run  func(*testing.T, *bench)
			}{
				{"identify", checkIdentify},
				{"read", checkRead},
				{"board off", checkBoardOff},
				{"envelope", checkEnvelope},
				{"apply", checkApply},
				{"unsupported", checkUnsupported},
				{"invalid", checkInvalid},
				{"password", checkPassword},
				{"deadline", checkDeadline},
				{"broken sockets", checkBrokenSockets},
				{"truncated", checkTruncated},
				{"another firmware", checkForeign},
				{"concurrent", checkConcurrent},
				{"parse", checkParse},
			} {
				t.Run(check.name, func(t *testing.T) {
					if why := s.Skip[check.name]; why != "" {
						t.Skip(why)
					}
					check.run(t, newBench(t, s, spec))
				})
			}
		})
	}
}

func specName(s sim.Spec) string {
	name := s.Model.Name
	if s.Version != "" {
		name += " " + s.Version
	}
	return strings.ReplaceAll(name, "/", "-")
}

// password is what every rig of a suite is given. It must be found in no error.
const password = "Corr3ct-horse-battery"

// bench is one rig on its sockets, its clock, and a device that talks to it.
type bench struct {
	suite  Suite
	spec   sim.Spec
	rig    *sim.Rig
	target miner.Target
	dev    miner.Device

	mu  sync.Mutex
	now time.Time
}

func newBench(t *testing.T, s Suite, spec sim.Spec) *bench {
	t.Helper()
	spec.Firmware = s.Driver.Firmware()
	if spec.MAC == "" {
		spec.MAC = "02:be:ef:00:12:34"
	}
	if spec.Serial == "" {
		spec.Serial = "BLST0042X7"
	}
	if spec.Hostname == "" {
		spec.Hostname = "rig-42"
	}
	if spec.Password == "" && !s.NoPassword {
		spec.User, spec.Password = s.User, password
	}
	for i := len(spec.BoardSerials); i < spec.Model.Boards; i++ {
		spec.BoardSerials = append(spec.BoardSerials, "BRD00000000"+string(rune('A'+i)))
	}
	b := &bench{suite: s, spec: spec, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	newRig := s.NewRig
	if newRig == nil {
		newRig = sim.NewRig
	}
	b.rig = newRig(spec, b.clock)
	b.settle(t)
	var err error
	if b.target, err = sim.Stand(t.Context(), s.Dialect, b.rig); err != nil {
		t.Fatal(err)
	}
	if !s.NoPassword {
		b.target.Credentials = miner.Credentials{User: spec.User, Password: miner.Secret(spec.Password)}
	}
	b.dev = s.Driver.Open(b.target)
	t.Cleanup(b.dev.Close)
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// advance moves the rig's time.
func (b *bench) advance(d time.Duration) {
	b.mu.Lock()
	b.now = b.now.Add(d)
	b.mu.Unlock()
}

// settle lets a rig that starts cold come to full power.
func (b *bench) settle(t *testing.T) {
	t.Helper()
	for range 240 {
		if b.rig.Snapshot().Phase == sim.PhaseHashing {
			for range 40 { // let the averages fill
				b.advance(time.Minute)
				b.rig.Snapshot()
			}
			return
		}
		b.advance(30 * time.Second)
	}
	t.Fatalf("the rig does not come up: it is %s after two hours", b.rig.Snapshot().Phase)
}

// until advances the clock and reads until ok says yes, for at most three times
// the settle time that the envelope promises.
func (b *bench) until(t *testing.T, what string, settle time.Duration, ok func(miner.Reading) bool) miner.Reading {
	t.Helper()
	const reads = 96
	step := max(3*settle/reads, time.Second)
	var last miner.Reading
	var lastErr error
	for range reads {
		r, err := b.read()
		if err == nil && ok(r) {
			return r
		}
		last, lastErr = r, err
		b.checkError(t, err)
		b.advance(step)
	}
	t.Errorf("%s: no reading confirms it within %v: state %s (%s), error %v", what, 3*settle, last.State, last.StateTold, lastErr)
	return last
}

func (b *bench) read() (miner.Reading, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return b.dev.Read(ctx)
}

func (b *bench) mustRead(t *testing.T) miner.Reading {
	t.Helper()
	r, err := b.read()
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return r
}

func (b *bench) apply(t *testing.T, s miner.Setting) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := b.dev.Apply(ctx, s)
	b.checkError(t, err)
	return err
}

func (b *bench) envelope(t *testing.T) miner.Envelope {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	e, err := b.dev.Envelope(ctx)
	if err != nil {
		t.Fatalf("asking for the envelope: %v", err)
	}
	return e
}

var sentinels = []error{
	miner.ErrNotMine, miner.ErrUnreachable, miner.ErrDenied, miner.ErrLocked, miner.ErrUnsupported, miner.ErrRefused, miner.ErrBusy, miner.ErrGarbage,
}

// checkError holds an error to what every error of a device must be: one of the
// sentinels, and silent about passwords.
func (b *bench) checkError(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, secret := range []string{b.spec.Password, wrongPassword, poolPassword} {
		if secret != "" && len(secret) > 4 && strings.Contains(err.Error(), secret) {
			t.Errorf("an error tells a password: %v", err)
		}
	}
	for _, s := range sentinels {
		if errors.Is(err, s) {
			return
		}
	}
	t.Errorf("the error wraps none of the sentinels: %v", err)
}
