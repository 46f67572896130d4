package mqtt

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"ballast/plant"
)

// testBroker is a broker that may be ended once more than it bears.
type testBroker struct {
	*broker.Server
	end func()
}

// startBroker starts a broker on a loopback address ("127.0.0.1:0" is any
// port), with one user who may sign in.
func startBroker(t *testing.T, address string) (*testBroker, string) {
	t.Helper()
	var l net.Listener
	var err error
	for range 100 { // the port of a broker that just ended
		if l, err = net.Listen("tcp", address); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := broker.New(&broker.Options{InlineClient: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := s.AddHook(new(door), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.AddListener(listeners.NewNet("t", l)); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(); err != nil {
		t.Fatal(err)
	}
	b := &testBroker{Server: s, end: sync.OnceFunc(func() { _ = s.Close() })}
	t.Cleanup(b.end)
	return b, l.Addr().String()
}

// door lets one user in, who may read everything.
type door struct{ broker.HookBase }

func (*door) ID() string { return "door" }

func (*door) Provides(b byte) bool {
	return b == broker.OnConnectAuthenticate || b == broker.OnACLCheck
}

func (*door) OnConnectAuthenticate(_ *broker.Client, p packets.Packet) bool {
	return string(p.Connect.Username) == "ballast" && string(p.Connect.Password) == "secret"
}

func (*door) OnACLCheck(_ *broker.Client, _ string, write bool) bool { return !write }

// listen runs a subscriber and hands its readings to the returned channel.
func listen(t *testing.T, c Config) (readings <-chan plant.Reading, stop func()) {
	t.Helper()
	m, err := ParseMapping([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	c.Name, c.ClientID, c.Mapping, c.Rest = "b", "ballast-test", m, 50*time.Millisecond
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan plant.Reading, 10_000)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, func(r plant.Reading) { out <- r }) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Run ended: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Run does not end")
		}
	})
	t.Cleanup(stop)
	return out, stop
}

func next(t *testing.T, readings <-chan plant.Reading) plant.Reading {
	t.Helper()
	select {
	case r := <-readings:
		return r
	case <-time.After(15 * time.Second):
		t.Fatal("no reading")
		return plant.Reading{}
	}
}

// publish publishes until a reading comes: the subscription takes a moment.
func publish(t *testing.T, s *testBroker, readings <-chan plant.Reading, topic, payload string) plant.Reading {
	t.Helper()
	for range 300 {
		if err := s.Publish(topic, []byte(payload), false, 0); err != nil {
			t.Fatal(err)
		}
		select {
		case r := <-readings:
			return r
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatal("nothing published arrives")
	return plant.Reading{}
}

func TestSubscriber(t *testing.T) {
	s, address := startBroker(t, "127.0.0.1:0")
	if err := s.Publish("weather/temperature", []byte("20.5"), true, 1); err != nil {
		t.Fatal(err)
	}
	readings, stop := listen(t, Config{Broker: "tcp://" + address, User: "ballast", Password: "secret"})
	kept := next(t, readings)
	if kept.Source != "roof" || kept.Quality != plant.Partial || kept.Weather.Temperature.Or(0) != 20.5 {
		t.Errorf("kept by the broker: %+v", kept)
	}
	const topic = "site/a/meter/b/state"
	if r := publish(t, s, readings, topic, `{"ts":1782907190250,"power":{"total":5},"energy":1,"hz":50}`); r.Source != "a-b" || r.Meter.Power.Or(0) != 5000 {
		t.Errorf("%+v", r)
	}
	if r := publish(t, s, readings, topic, `{"ts":`); r.Quality != plant.Lost || len(r.Warnings) == 0 {
		t.Errorf("malformed: %+v", r)
	}
	if r := publish(t, s, readings, "switch/pump", `ON`); !r.Cooling.Running.Or(false) {
		t.Errorf("after a malformed one: %+v", r)
	}

	// The broker goes and comes back: lost, and then as before.
	s.end()
	lost := map[string]plant.Reading{}
	for len(lost) < 3 {
		if r := next(t, readings); r.Quality == plant.Lost {
			lost[r.Source] = r
		}
	}
	if r := lost["a-b"]; r.Kind != plant.MeterKind || r.LastGood.IsZero() || !strings.Contains(r.Err, "broker") {
		t.Errorf("lost: %+v", r)
	}
	again, _ := startBroker(t, address)
	if r := publish(t, again, readings, "switch/pump", `OFF`); r.Cooling == nil || r.Cooling.Running.Or(true) {
		t.Errorf("after the broker came back: %+v", r)
	}
	stop()
}

// A broker that is not there yet, or does not like us, is tried again.
func TestSubscriberKeepsTrying(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	var log logs
	readings, _ := listen(t, Config{Broker: "tcp://" + address, User: "ballast", Password: "secret", Log: slog.New(slog.NewTextHandler(&log, nil))})
	time.Sleep(150 * time.Millisecond)
	s, _ := startBroker(t, address)
	if r := publish(t, s, readings, "switch/pump", `ON`); !r.Cooling.Running.Or(false) {
		t.Errorf("%+v", r)
	}
	if text := log.String(); strings.Count(text, "cannot be reached") != 1 || strings.Contains(text, "secret") {
		t.Errorf("log: %s", text)
	}
	var refused logs
	_, stop := listen(t, Config{Broker: "tcp://" + address, User: "ballast", Password: "wrong", Log: slog.New(slog.NewTextHandler(&refused, nil))})
	for range 200 {
		if strings.Contains(refused.String(), "cannot be reached") {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	if text := refused.String(); strings.Count(text, "cannot be reached") != 1 || strings.Contains(text, "wrong") {
		t.Errorf("log: %q", text)
	}
}

// More messages than can be taken are dropped, and it is said.
func TestSubscriberDrops(t *testing.T) {
	s, address := startBroker(t, "127.0.0.1:0")
	m, err := ParseMapping([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	sub, err := New(Config{Name: "b", Broker: "tcp://" + address, ClientID: "slow", User: "ballast", Password: "secret", Mapping: m, Most: 4})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	hold := make(chan struct{})
	var once sync.Once
	var said bool
	go func() {
		for range 200 { // until one arrives and is held
			_ = s.Publish("switch/pump", []byte("ON"), false, 0)
			select {
			case <-hold:
				for range 50 {
					_ = s.Publish("switch/pump", []byte("ON"), false, 1)
				}
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	_ = sub.Run(ctx, func(r plant.Reading) {
		once.Do(func() {
			close(hold)
			time.Sleep(300 * time.Millisecond) // a slow taker
		})
		for _, w := range r.Warnings {
			if w.Kind == plant.WarnDropped {
				said = true
				cancel()
			}
		}
	})
	if !said {
		t.Error("messages were dropped in silence, or not at all")
	}
}

// logs collects log lines.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
