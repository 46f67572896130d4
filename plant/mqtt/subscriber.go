package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"ballast/plant"
)

// Config is one broker.
type Config struct {
	Name     string
	Broker   string // "tcp://10.0.9.5:1883", "ssl://broker.example:8883"
	ClientID string // must differ from every other client of the broker
	User     string
	Password plant.Secret
	TLS      *tls.Config // nil is the system's
	Mapping  Mapping
	// Most is how many messages may wait to be read; further ones are dropped,
	// and the next reading says so. 0 is 4096.
	Most int
	// Rest is the longest pause between attempts to connect; 0 is 30 s.
	Rest time.Duration
	Log  *slog.Logger
}

// Subscriber is one subscription: a plant.Source of as many devices as the
// topics tell of.
type Subscriber struct {
	c      Config
	reader *Reader
	log    *slog.Logger
}

var _ plant.Source = (*Subscriber)(nil)

// New makes a subscriber. It does not connect yet.
func New(c Config) (*Subscriber, error) {
	reader, err := NewReader(c.Mapping)
	if err != nil {
		return nil, err
	}
	if c.Broker == "" || c.ClientID == "" {
		return nil, fmt.Errorf("broker %s: an address and a client ID must be given", c.Name)
	}
	if c.Most <= 0 {
		c.Most = 4096
	}
	if c.Rest <= 0 {
		c.Rest = 30 * time.Second
	}
	s := &Subscriber{c: c, reader: reader, log: c.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// Name implements plant.Source.
func (s *Subscriber) Name() string { return s.c.Name }

// event is a message, or the loss of the connection.
type event struct {
	topic    string
	payload  []byte
	retained bool
	at       time.Time
	lost     error
}

// Run implements plant.Source. While the broker cannot be reached, every
// device heard of before is Lost; connecting is tried again and again, and the
// topics are subscribed to anew each time.
func (s *Subscriber) Run(ctx context.Context, emit func(plant.Reading)) error {
	events := make(chan event, s.c.Most)
	var dropped atomic.Int64
	client := paho.NewClient(s.options(ctx, events, &dropped))
	token := client.Connect() // retries until it succeeds or Disconnect
	defer client.Disconnect(100)
	heard := map[string]plant.Reading{} // the last that was not lost, by device
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-token.Done():
			if err := token.Error(); err != nil && ctx.Err() == nil {
				return fmt.Errorf("connecting to broker %s: %w", s.c.Name, err)
			}
			token = never{}
		case e := <-events:
			if e.lost != nil {
				for _, name := range slices.Sorted(maps.Keys(heard)) {
					r := heard[name]
					emit(plant.Reading{Source: name, Kind: r.Kind, At: e.at, Life: r.Life, Quality: plant.Lost, Err: e.lost.Error(), LastGood: r.At})
				}
				clear(heard)
				continue
			}
			for _, r := range s.reader.Message(e.topic, e.payload, e.retained, e.at) {
				if n := dropped.Swap(0); n > 0 {
					r.Warn(plant.WarnDropped, e.topic, fmt.Sprintf("%d messages before this one", n))
				}
				if r.Quality != plant.Lost {
					heard[r.Source] = r
				}
				emit(r)
			}
		}
	}
}

// never is a token that is never done.
type never struct{ paho.Token }

func (never) Done() <-chan struct{} { return nil }

func (s *Subscriber) options(ctx context.Context, events chan<- event, dropped *atomic.Int64) *paho.ClientOptions {
	filters := map[string]byte{}
	for _, f := range s.reader.Filters() {
		filters[f] = 1
	}
	take := func(_ paho.Client, m paho.Message) {
		// paho waits for this function: it must not wait for anything itself.
		select {
		case events <- event{topic: m.Topic(), payload: m.Payload(), retained: m.Retained(), at: time.Now()}:
		default:
			dropped.Add(1)
		}
	}
	o := paho.NewClientOptions().AddBroker(s.c.Broker).SetClientID(s.c.ClientID).SetUsername(s.c.User).SetPassword(string(s.c.Password)).
		SetCleanSession(true).SetAutoReconnect(true).SetConnectRetry(true).SetConnectRetryInterval(min(2*time.Second, s.c.Rest)).
		SetMaxReconnectInterval(s.c.Rest).SetConnectTimeout(10 * time.Second).SetKeepAlive(30 * time.Second).SetPingTimeout(10 * time.Second).
		SetOrderMatters(true)
	if s.c.TLS != nil {
		o.SetTLSConfig(s.c.TLS)
	}
	o.SetOnConnectHandler(func(c paho.Client) {
		s.log.Info("connected to broker", "broker", s.c.Name)
		token := c.SubscribeMultiple(filters, take)
		if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			s.log.Error("broker does not take the subscription", "broker", s.c.Name, "error", token.Error())
			return
		}
		if t, ok := token.(*paho.SubscribeToken); ok {
			for filter, code := range t.Result() {
				if code >= 0x80 {
					s.log.Error("broker refuses a topic: check the user's rights", "broker", s.c.Name, "topic", filter)
				}
			}
		}
	})
	o.SetConnectionLostHandler(func(_ paho.Client, err error) {
		s.log.Warn("connection to broker lost", "broker", s.c.Name, "error", err)
		if err == nil {
			err = errors.New("the broker left")
		}
		select {
		case events <- event{lost: fmt.Errorf("connection to broker lost: %w", err), at: time.Now()}:
		case <-ctx.Done():
		}
	})
	var failing atomic.Bool // paho calls the handler from several goroutines
	o.SetConnectionNotificationHandler(func(_ paho.Client, n paho.ConnectionNotification) {
		switch n := n.(type) {
		case paho.ConnectionNotificationFailed:
			if !failing.Swap(true) { // once, not every two seconds
				s.log.Warn("broker cannot be reached", "broker", s.c.Name, "error", n.Reason)
			}
		case paho.ConnectionNotificationConnected:
			failing.Store(false)
		}
	})
	return o
}
