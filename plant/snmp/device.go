package snmp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gosnmp/gosnmp"

	"ballast/plant"
)

// Config is one PDU.
type Config struct {
	Name    string
	Map     Map
	Address string // "10.0.9.20" or with a port; the port is 161 when not said

	Community plant.Secret // v2c, when there is no User
	User      string       // v3
	// Auth is one of MD5, SHA, SHA224, SHA256, SHA384, SHA512, or "" for none;
	// Priv one of DES, AES, AES192, AES256, AES192C, AES256C, or "" for none.
	Auth, Priv         string
	AuthPass, PrivPass plant.Secret

	Every   time.Duration // 0 is 30 s
	Timeout time.Duration // for one exchange; 0 is 2 s
	Life    time.Duration // 0 is three times Every
	Log     *slog.Logger
}

// The ways that switching can fail before or after the PDU is told.
var (
	ErrReadOnly     = errors.New("the map does not say how to switch")
	ErrNoOutlet     = errors.New("the PDU shows no such outlet, so nothing is switched")
	ErrNotConfirmed = errors.New("told, and the PDU shows something else")
)

// Device is one PDU: a plant.Source.
type Device struct {
	c        Config
	m        prepared
	scalars  []string // OIDs to get
	columns  []string // subtrees to walk
	fixed    []string // subtrees and OIDs of decimals and names, asked once
	security gosnmp.SnmpV3SecurityParameters
	flags    gosnmp.SnmpV3MsgFlags
	host     string
	port     uint16

	mu      sync.Mutex // one exchange at a time
	session *gosnmp.GoSNMP
	known   objects // decimals and names, while the session lasts
}

var _ plant.Source = (*Device)(nil)

var auths = map[string]gosnmp.SnmpV3AuthProtocol{"": gosnmp.NoAuth, "MD5": gosnmp.MD5, "SHA": gosnmp.SHA, "SHA224": gosnmp.SHA224,
	"SHA256": gosnmp.SHA256, "SHA384": gosnmp.SHA384, "SHA512": gosnmp.SHA512}

var privs = map[string]gosnmp.SnmpV3PrivProtocol{"": gosnmp.NoPriv, "DES": gosnmp.DES, "AES": gosnmp.AES, "AES192": gosnmp.AES192,
	"AES256": gosnmp.AES256, "AES192C": gosnmp.AES192C, "AES256C": gosnmp.AES256C}

// New makes a device. It does not talk to it yet.
func New(c Config) (*Device, error) {
	m, err := c.Map.prepare()
	if err != nil {
		return nil, err
	}
	if c.Every <= 0 {
		c.Every = 30 * time.Second
	}
	if c.Timeout <= 0 {
		c.Timeout = 2 * time.Second
	}
	d := &Device{c: c, m: m, host: c.Address, port: 161}
	if host, port, err := net.SplitHostPort(c.Address); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("PDU %s: port %q: %w", c.Name, port, err)
		}
		d.host, d.port = host, uint16(n)
	}
	if d.host == "" {
		return nil, fmt.Errorf("PDU %s: no address", c.Name)
	}
	if err := d.secure(); err != nil {
		return nil, fmt.Errorf("PDU %s: %w", c.Name, err)
	}
	d.plan()
	return d, nil
}

// secure turns the configuration into what gosnmp wants.
func (d *Device) secure() error {
	if d.c.User == "" {
		if d.c.Community == "" {
			return errors.New("neither a community nor a user is given")
		}
		return nil
	}
	auth, ok1 := auths[strings.ToUpper(d.c.Auth)]
	priv, ok2 := privs[strings.ToUpper(d.c.Priv)]
	if !ok1 || !ok2 {
		return fmt.Errorf("unknown protocol %q or %q", d.c.Auth, d.c.Priv)
	}
	d.flags = gosnmp.NoAuthNoPriv
	switch {
	case priv != gosnmp.NoPriv && auth == gosnmp.NoAuth:
		return errors.New("privacy needs authentication")
	case priv != gosnmp.NoPriv:
		d.flags = gosnmp.AuthPriv
	case auth != gosnmp.NoAuth:
		d.flags = gosnmp.AuthNoPriv
	}
	d.security = &gosnmp.UsmSecurityParameters{UserName: d.c.User, AuthenticationProtocol: auth, AuthenticationPassphrase: string(d.c.AuthPass),
		PrivacyProtocol: priv, PrivacyPassphrase: string(d.c.PrivPass)}
	return nil
}

// plan lists what is to be asked, each once.
func (d *Device) plan() {
	add := func(list *[]string, oid string) {
		if !slices.Contains(*list, oid) {
			*list = append(*list, oid)
		}
	}
	for i := range d.m.points {
		p := &d.m.points[i]
		if p.oid.column {
			add(&d.columns, p.oid.root())
		} else {
			add(&d.scalars, p.oid.prefix)
		}
		if p.decimals != nil {
			add(&d.fixed, p.decimals.root())
		}
	}
	if d.m.names != nil {
		add(&d.fixed, d.m.names.root())
	}
}

// Name implements plant.Source.
func (d *Device) Name() string { return d.c.Name }

// Run implements plant.Source.
func (d *Device) Run(ctx context.Context, emit func(plant.Reading)) error {
	defer d.drop()
	return plant.Poller{Name: d.c.Name, Kind: d.c.Map.Kind, Every: d.c.Every, Life: d.c.Life, Read: d.Read, Log: d.c.Log}.Run(ctx, emit)
}

func (d *Device) drop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dropLocked()
}

func (d *Device) dropLocked() {
	if d.session != nil {
		_ = d.session.Close() // a UDP socket: nothing can be lost
		d.session, d.known = nil, nil
	}
}

// Read reads everything once. It fails when the agent does not answer or has
// none of the objects.
func (d *Device) Read(ctx context.Context) (plant.Reading, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	start := time.Now()
	r, err := d.read(ctx)
	if err != nil {
		d.dropLocked()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return plant.Reading{}, fmt.Errorf("reading %s: %w", d.c.Name, err)
	}
	r.Source, r.Life, r.At = d.c.Name, d.c.Life, time.Now()
	r.Took = r.At.Sub(start)
	return r, nil
}

func (d *Device) read(ctx context.Context) (plant.Reading, error) {
	stop, err := d.open(ctx)
	if err != nil {
		return plant.Reading{}, err
	}
	defer stop()
	if d.known == nil {
		known := objects{}
		for _, root := range d.fixed {
			if err := d.walk(root, known); err != nil {
				return plant.Reading{}, err
			}
		}
		d.known = known
	}
	told := objects{}
	for part := range slices.Chunk(d.scalars, atOnce) {
		p, err := d.session.Get(part)
		if err != nil {
			return plant.Reading{}, err
		}
		for _, v := range p.Variables {
			told[v.Name] = v
		}
	}
	for _, root := range d.columns {
		if err := d.walk(root, told); err != nil {
			return plant.Reading{}, err
		}
	}
	for oid, v := range d.known {
		if _, ok := told[oid]; !ok {
			told[oid] = v
		}
	}
	r, values := d.m.read(d.c.Map.Kind, told, d.known)
	if values == 0 {
		return plant.Reading{}, errors.New("the agent has none of the objects of this map")
	}
	return r, nil
}

// atOnce is how many objects one request asks for: the answer must fit the
// agent's idea of a packet.
const atOnce = 20

// most bounds a walk: an agent that never ends must not fill the memory.
const most = 8192

var errTooMany = errors.New("the agent lists more objects than any PDU has")

// walk reads a subtree, or one object when root is one.
func (d *Device) walk(root string, into objects) error {
	found := 0
	err := d.session.BulkWalk(root, func(v gosnmp.SnmpPDU) error {
		if found++; found > most {
			return errTooMany
		}
		into[v.Name] = v
		return nil
	})
	if err != nil || found > 0 {
		return err
	}
	p, err := d.session.Get([]string{root})
	if err != nil {
		return err
	}
	for _, v := range p.Variables {
		into[v.Name] = v
	}
	return nil
}

// open makes a session when there is none, and ties it to ctx until stop.
func (d *Device) open(ctx context.Context) (stop func(), err error) {
	if d.session == nil {
		s := &gosnmp.GoSNMP{Target: d.host, Port: d.port, Transport: "udp", Version: gosnmp.Version2c, Community: string(d.c.Community),
			Timeout: d.c.Timeout, Retries: 1, MaxOids: gosnmp.MaxOids, MaxRepetitions: 25}
		if d.security != nil {
			s.Version, s.SecurityModel, s.MsgFlags, s.SecurityParameters = gosnmp.Version3, gosnmp.UserSecurityModel, d.flags, d.security.Copy()
		}
		s.Context = ctx
		if err := s.Connect(); err != nil {
			return nil, err
		}
		d.session = s
	}
	d.session.Context = ctx
	conn := d.session.Conn
	// gosnmp looks at ctx between attempts only: wake it up in the middle of one.
	cut := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return func() {
		if !cut() {
			d.dropLocked() // the deadline may yet be spoilt
		}
	}, nil
}

// SetOutlet switches one outlet and returns when the PDU shows it. It refuses,
// with nothing switched, when the map does not say how (ErrReadOnly) or the PDU
// does not show the outlet's state (ErrNoOutlet). ErrNotConfirmed means that
// the PDU took the command and shows something else after wait.
func (d *Device) SetOutlet(ctx context.Context, n int, on bool, wait time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.setOutlet(ctx, n, on, wait); err != nil {
		return fmt.Errorf("switching outlet %d of %s: %w", n, d.c.Name, err)
	}
	return nil
}

func (d *Device) setOutlet(ctx context.Context, n int, on bool, wait time.Duration) error {
	if d.m.sw == nil {
		return ErrReadOnly
	}
	stop, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer stop()
	was, err := d.outlet(n)
	if err != nil {
		return err
	}
	if was == on {
		return nil
	}
	value := d.c.Map.Switch.Off
	if on {
		value = d.c.Map.Switch.On
	}
	p, err := d.session.Set([]gosnmp.SnmpPDU{{Name: d.m.sw.of(n), Type: gosnmp.Integer, Value: value}})
	if err != nil {
		d.dropLocked()
		return err
	}
	if p.Error != gosnmp.NoError {
		return fmt.Errorf("the PDU refuses: %s", p.Error)
	}
	end := time.Now().Add(wait)
	for {
		now, err := d.outlet(n)
		if err != nil {
			return err
		}
		if now == on {
			return nil
		}
		left := time.Until(end)
		if left <= 0 {
			return ErrNotConfirmed
		}
		select {
		case <-time.After(min(left, 250*time.Millisecond)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// outlet is whether an outlet is on.
func (d *Device) outlet(n int) (bool, error) {
	for i := range d.m.points {
		p := &d.m.points[i]
		if p.Field != "outlet.#.on" {
			continue
		}
		answer, err := d.session.Get([]string{p.oid.of(n)})
		if err != nil {
			d.dropLocked()
			return false, err
		}
		for _, v := range answer.Variables {
			if x, ok := p.value(v, d.known, n); ok {
				return x != 0, nil
			}
		}
	}
	return false, ErrNoOutlet
}
