package drivertest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"ballast/miner"
	"ballast/miner/drivertest"
	"ballast/miner/epic"
	"ballast/sim"
	dialect "ballast/sim/dialect/epic"
	"ballast/unit"
)

// victim names the fault that TestVictim's driver has, in a process of its own.
const victim = "BALLAST_DRIVERTEST_VICTIM"

// faulty are drivers with one fault each, and where the suite must see it. The
// first has none.
var faulty = []struct {
	name  string
	check string // the subtest that fails; "" fails nowhere
	words string // what it must say
	make  func(*liar)
}{
	{"is honest", "", "", func(*liar) {}},
	{"invents a zero", "read", "ambient_c is a present zero", func(l *liar) {
		l.read = func(r *miner.Reading, _ int) { r.TempAmbient = unit.Some(unit.Temperature(0)) }
	}},
	{"counts in GH/s", "read", "hashrate is", func(l *liar) {
		l.read = func(r *miner.Reading, _ int) { r.HashrateNow = unit.Some(r.HashrateNow.Or(0) * 1000) }
	}},
	{"forgets", "read", "the second reading lacks", func(l *liar) {
		l.read = func(r *miner.Reading, n int) {
			if n > 1 {
				r.Envelope = nil
				for i := range r.Boards {
					r.Boards[i].Chips = unit.None[int]()
				}
			}
		}
	}},
	{"numbers boards from one", "read", "board 0 has the index 1", func(l *liar) {
		l.read = func(r *miner.Reading, _ int) {
			for i := range r.Boards {
				r.Boards[i].Index++
			}
		}
	}},
	{"closes the gap", "board off", "lost or renamed", func(l *liar) {
		l.read = func(r *miner.Reading, _ int) {
			n := 0
			for _, b := range r.Boards {
				if b.Hashrate.Or(0) > 0 {
					b.Index = n
					r.Boards[n] = b
					n++
				}
			}
			r.Boards = r.Boards[:n]
		}
	}},
	{"guesses the model", "identify", "model \"Antminer S9\"", func(l *liar) {
		l.identify = func(id *miner.Identity) { id.Model = "Antminer S9" }
	}},
	{"gives no watts", "envelope", "power from", func(l *liar) {
		l.envelope = func(e *miner.Envelope) { e.PowerMin = unit.None[unit.Power]() }
	}},
	{"does nothing", "apply/locate", "no reading confirms it", func(l *liar) {
		l.apply = func(miner.Setting, error) error { return nil }
		l.deaf = true
	}},
	{"takes anything", "unsupported", "paint it blue", func(l *liar) {
		l.apply = func(miner.Setting, error) error { return nil }
	}},
	{"takes any figure", "invalid", "want a refusal", func(l *liar) {
		l.apply = func(miner.Setting, error) error { return nil }
	}},
	{"calls a denial a refusal", "password", "want a denial", func(l *liar) {
		l.apply = func(_ miner.Setting, err error) error {
			if errors.Is(err, miner.ErrDenied) {
				return fmt.Errorf("no: %w", miner.ErrRefused)
			}
			return err
		}
	}},
	{"tells the password", "password", "tells a password", func(l *liar) {
		l.apply = func(_ miner.Setting, err error) error {
			if err != nil {
				err = fmt.Errorf("%w (tried %q)", err, string(l.target.Credentials.Password))
			}
			return err
		}
	}},
	{"has words of its own", "invalid", "none of the sentinels", func(l *liar) {
		l.apply = func(_ miner.Setting, err error) error {
			if err != nil {
				err = errors.New("nope")
			}
			return err
		}
	}},
	{"takes its time", "deadline", "with a deadline of", func(l *liar) {
		l.read = func(*miner.Reading, int) {}
		l.delay = 2 * time.Second
	}},
	{"believes bad sockets", "broken sockets", "neither fails nor warns", func(l *liar) { l.optimist = true }},
	{"claims everybody", "another firmware", "want ErrNotMine", func(l *liar) { l.greedy = true }},
	{"panics", "parse", "panic", func(l *liar) {
		l.parse = func(replies miner.Replies) {
			for _, raw := range replies {
				_ = raw[0]
			}
		}
	}},
	{"leaves a goroutine", "identify", "found unexpected goroutines", func(l *liar) {
		l.identify = func(*miner.Identity) { go func() { time.Sleep(time.Minute) }() }
	}},
	{"mixes overlapping calls", "concurrent", "reading gives", func(l *liar) {
		var mu sync.Mutex
		var inside int
		l.read = func(r *miner.Reading, _ int) {
			mu.Lock()
			inside++
			mu.Unlock()
			time.Sleep(20 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			if inside > 1 {
				r.State = miner.Unknown
			}
			inside--
		}
	}},
}

// The suite passes an honest driver and sees each fault in the others.
func TestSuiteSeesFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a process for each fault")
	}
	for _, f := range faulty {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			filter := "^TestVictim$//^" + strings.ReplaceAll(strings.ReplaceAll(f.check, " ", "_"), "/", "$/^") + "$"
			if f.check == "" {
				filter = "^TestVictim$"
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", filter, "-test.v", "-test.timeout=120s")
			cmd.Env = append(os.Environ(), victim+"="+f.name)
			out, err := cmd.CombinedOutput()
			switch {
			case f.check == "" && err != nil:
				t.Errorf("an honest driver fails: %v\n%s", err, out)
			case f.check != "" && err == nil:
				t.Errorf("nobody noticed\n%s", out)
			case f.check != "" && !strings.Contains(string(out), f.words):
				t.Errorf("it fails without a word of %q:\n%s", f.words, out)
			}
		})
	}
}

func TestVictim(t *testing.T) {
	name := os.Getenv(victim)
	for _, f := range faulty {
		if f.name != name {
			continue
		}
		m, ok := miner.LookupModel("Antminer S19j Pro (104T)")
		if !ok {
			t.Fatal("no model")
		}
		l := &liar{Driver: epic.New()}
		f.make(l)
		drivertest.Run(t, drivertest.Suite{
			Driver: l, Dialect: dialect.New(), Specs: []sim.Spec{{Model: m}},
			Replies: func(ctx context.Context, _ miner.Device) (miner.Replies, error) {
				return miner.Replies{"summary": []byte(`{"Status":{"Operating State":"Mining"},"HBs":[{"Index":0,"Hashrate":[1e6,99.5,0.8],"Core Clock Avg":487.5}],"HBStatus":[{"Index":0,"Enabled":true,"Detected":true}]}`)}, nil
			},
		})
		return
	}
	t.Skip("for TestSuiteSeesFaults")
}

// liar bends what an honest driver does.
type liar struct {
	miner.Driver
	target   miner.Target
	identify func(*miner.Identity)
	read     func(r *miner.Reading, n int)
	envelope func(*miner.Envelope)
	apply    func(miner.Setting, error) error
	parse    func(miner.Replies)
	deaf     bool // settings never reach the machine
	optimist bool
	greedy   bool
	delay    time.Duration
}

func (l *liar) Open(t miner.Target) miner.Device {
	l.target = t
	return &lie{Device: l.Driver.Open(t), liar: l}
}

func (l *liar) Parse(replies miner.Replies) (miner.Reading, error) {
	if l.parse != nil {
		l.parse(replies)
	}
	return l.Driver.Parse(replies)
}

type lie struct {
	miner.Device
	liar *liar
	mu   sync.Mutex
	n    int
}

func (d *lie) Identify(ctx context.Context) (miner.Identity, error) {
	id, err := d.Device.Identify(ctx)
	if d.liar.identify != nil {
		d.liar.identify(&id)
	}
	if d.liar.greedy {
		return id, nil
	}
	return id, err
}

func (d *lie) Read(ctx context.Context) (miner.Reading, error) {
	r, err := d.Device.Read(ctx)
	d.mu.Lock()
	d.n++
	n := d.n
	d.mu.Unlock()
	time.Sleep(d.liar.delay)
	if d.liar.read != nil {
		d.liar.read(&r, n)
	}
	if d.liar.optimist {
		r.Warnings = nil
		return r, nil
	}
	return r, err
}

func (d *lie) Envelope(ctx context.Context) (miner.Envelope, error) {
	e, err := d.Device.Envelope(ctx)
	if d.liar.envelope != nil {
		d.liar.envelope(&e)
	}
	return e, err
}

func (d *lie) Apply(ctx context.Context, s miner.Setting) error {
	var err error
	if !d.liar.deaf {
		err = d.Device.Apply(ctx, s)
	}
	if d.liar.apply != nil {
		return d.liar.apply(s, err)
	}
	return err
}
