package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/ledger/secretbox"
	"ballast/miner"
)

// MachinePassword is a password of machines as people see it: where it fits and
// how it does. The password itself is never told.
type MachinePassword struct {
	ID       int64     `json:"id"`
	Site     string    `json:"site" doc:"Empty: all sites."`
	Range    string    `json:"range" doc:"Addresses such as 10.20.0.0/16; empty: all."`
	Firmware string    `json:"firmware" doc:"Empty: all."`
	Group    string    `json:"group" doc:"Empty: all."`
	User     string    `json:"user" doc:"User name, where the firmware has one."`
	Note     string    `json:"note"`
	Updated  time.Time `json:"updated"`
	By       string    `json:"by"`
	Machines int       `json:"machines" doc:"Machines that are opened with it: it is the narrowest that fits."`
	Locked   int       `json:"locked" doc:"Of these, machines that refuse it."`
	Version  int64     `json:"version" doc:"Send it back as If-Match with an edit."`
}

// LockedMachine is one that wants a password.
type LockedMachine struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Addr     string `json:"addr"`
	Firmware string `json:"firmware"`
	Group    string `json:"group"`
	Site     string `json:"site"`
	Password int64  `json:"password,omitempty" doc:"The one that it refused; none: nobody gave one."`
}

type passwordsBody struct {
	Passwords []MachinePassword `json:"passwords"`
	Locked    []LockedMachine   `json:"locked" doc:"Machines that answer and want a password, at most 1000."`
	LockedAll int               `json:"locked_total"`
}

type passwordWish struct {
	Site     string  `json:"site,omitempty" maxLength:"100"`
	Range    string  `json:"range,omitempty" maxLength:"100"`
	Firmware string  `json:"firmware,omitempty" enum:"antminer,whatsminer,avalon,braiins,luxos,vnish,epic,bitaxe,cgminer,"`
	Group    string  `json:"group,omitempty" maxLength:"100"`
	User     string  `json:"user,omitempty" maxLength:"100"`
	Password *string `json:"password,omitempty" maxLength:"200" writeOnly:"true" doc:"Left out when changing: stays."`
	Note     string  `json:"note,omitempty" maxLength:"200"`
}

func (s *Server) registerPasswords() {
	tag := []string{"passwords"}
	op(s, huma.Operation{OperationID: "machine-passwords", Method: http.MethodGet, Path: "/api/v1/machine-passwords", Summary: "Passwords of machines: where they fit, never what they are", Tags: tag}, s.passwords)
	op(s, huma.Operation{OperationID: "add-machine-password", Method: http.MethodPost, Path: "/api/v1/machine-passwords", Summary: "Enter a password of machines", Tags: tag, DefaultStatus: http.StatusCreated, Errors: []int{409, 422},
		Description: "Kept sealed in the record. Machines that it fits are opened with it at once. It does not change the password on the machines."}, s.addPassword)
	op(s, huma.Operation{OperationID: "change-machine-password", Method: http.MethodPut, Path: "/api/v1/machine-passwords/{id}", Summary: "Change a password of machines, or where it fits", Tags: tag, Errors: []int{404, 409, 412, 422}}, s.changeMachinePassword)
	op(s, huma.Operation{OperationID: "delete-machine-password", Method: http.MethodDelete, Path: "/api/v1/machine-passwords/{id}", Summary: "Forget a password of machines", Tags: tag, Errors: []int{404, 409}}, s.deletePassword)
	op(s, huma.Operation{OperationID: "test-machine-password", Method: http.MethodPost, Path: "/api/v1/machine-passwords/test", Summary: "Try a password on one machine", Tags: tag, Errors: []int{404, 409, 422},
		Description: "Signs in and reads. Nothing is changed on the machine."}, s.testPassword)
}

// passwordContext is sealed with a password, so that it opens in no other row's
// place.
var passwordContext = []byte("machine password")

// LoadKeys reads the passwords of the record into keys.
func LoadKeys(ctx context.Context, record ledger.MachinePasswords, box *secretbox.Box, keys *fleet.Keys) error {
	rows, err := record.MachinePasswords(ctx)
	if err != nil {
		return fmt.Errorf("reading the machine passwords: %w", err)
	}
	var list []fleet.Key
	var bad error
	for _, r := range rows {
		k, err := keyOf(r)
		if err == nil {
			var plain []byte
			if plain, err = box.Unseal(r.Sealed, passwordContext); err == nil {
				k.Password = miner.Secret(plain)
				list = append(list, k)
				continue
			}
		}
		bad = errors.Join(bad, fmt.Errorf("machine password %d: %w", r.ID, err))
	}
	keys.Set(list) // those that open: one that does not must not lock out the others
	return bad
}

// keyOf is where a password fits, without it.
func keyOf(r ledger.MachinePassword) (fleet.Key, error) {
	k := fleet.Key{ID: r.ID, Site: r.Site, Firmware: miner.Firmware(r.Firmware), Group: r.Group, Credentials: miner.Credentials{User: r.User}}
	if r.Range == "" {
		return k, nil
	}
	var err error
	k.Ranges, err = fleet.ParseRanges([]string{r.Range})
	return k, err
}

// mayKey tells whether a password's site lies in the caller's scope; one for all
// sites takes all.
func mayKey(ctx context.Context, site string) bool {
	sites := scope(ctx)
	return sites.All || site != "" && sites.Covers(site)
}

func (s *Server) passwords(ctx context.Context, _ *struct{}) (*struct{ Body passwordsBody }, error) {
	rows, err := s.Record.MachinePasswords(ctx)
	if err != nil {
		return nil, s.fail("reading the passwords", err)
	}
	used, refused := map[int64]int{}, map[int64]int{}
	body := passwordsBody{Passwords: []MachinePassword{}, Locked: []LockedMachine{}}
	for _, st := range within(scope(ctx), s.Fleet.All()) {
		m := st.Machine
		if !m.Retired.IsZero() {
			continue
		}
		var id int64
		if s.Keys != nil {
			_, id = s.Keys.For(m.Addr, miner.Firmware(m.Firmware))
		}
		used[id]++
		if st.Condition == fleet.CondLocked {
			refused[id]++
			body.LockedAll++
			if len(body.Locked) < 1000 {
				body.Locked = append(body.Locked, LockedMachine{ID: m.ID, Name: rowOf(st).Name, Addr: addrText(m.Addr.IsValid(), m.Addr.String()), Firmware: m.Firmware, Group: m.Group, Site: m.Site, Password: id})
			}
		}
	}
	for _, r := range rows {
		if mayKey(ctx, r.Site) {
			body.Passwords = append(body.Passwords, MachinePassword{ID: r.ID, Site: r.Site, Range: r.Range, Firmware: r.Firmware, Group: r.Group, User: r.User, Note: r.Note, Updated: r.Updated, By: r.By, Version: r.Updated.UnixMicro(),
				Machines: used[r.ID], Locked: refused[r.ID]})
		}
	}
	return &struct{ Body passwordsBody }{body}, nil
}

// passwordRow is a password of the record that the one who asks may touch.
func (s *Server) passwordRow(ctx context.Context, id int64) (ledger.MachinePassword, error) {
	rows, err := s.Record.MachinePasswords(ctx)
	if err != nil {
		return ledger.MachinePassword{}, s.fail("reading the passwords", err)
	}
	i := slices.IndexFunc(rows, func(r ledger.MachinePassword) bool { return r.ID == id })
	if i < 0 || !mayKey(ctx, rows[i].Site) {
		return ledger.MachinePassword{}, huma.Error404NotFound("there is no password " + strconv.FormatInt(id, 10))
	}
	return rows[i], nil
}

func (s *Server) storable() error {
	if s.Box == nil || s.Keys == nil {
		return huma.Error409Conflict("this server keeps no machine passwords")
	}
	return nil
}

// keep writes a password and has the machines opened with it.
func (s *Server) keepPassword(ctx context.Context, row ledger.MachinePassword, w passwordWish) (int64, error) {
	if err := s.storable(); err != nil {
		return 0, err
	}
	row.Site, row.Range, row.Firmware, row.Group, row.User, row.Note = w.Site, strings.TrimSpace(w.Range), w.Firmware, strings.TrimSpace(w.Group), w.User, w.Note
	if !mayKey(ctx, row.Site) {
		return 0, huma.Error403Forbidden("a password for all sites takes the right to configure all of them; name a site")
	}
	if _, err := keyOf(row); err != nil {
		return 0, huma.Error422UnprocessableEntity(err.Error())
	}
	if w.Password != nil {
		row.Sealed = s.Box.Seal([]byte(*w.Password), passwordContext)
	}
	if row.Sealed == "" {
		return 0, huma.Error422UnprocessableEntity("enter the password")
	}
	p, _ := principal(ctx)
	id, err := s.Record.SaveMachinePassword(ctx, row, ledger.By(p.Name()))
	if err != nil {
		return 0, s.recordError("saving the password", err)
	}
	s.rekey(ctx)
	return id, nil
}

// rekey takes the passwords of the record into use.
func (s *Server) rekey(ctx context.Context) {
	if err := LoadKeys(ctx, s.Record, s.Box, s.Keys); err != nil {
		s.Log.Error("some machine passwords are not in use", "error", err)
	}
	s.Fleet.Rekey()
}

type passwordID struct {
	Body struct {
		ID int64 `json:"id"`
	}
}

func (s *Server) addPassword(ctx context.Context, in *struct{ Body passwordWish }) (*passwordID, error) {
	id, err := s.keepPassword(ctx, ledger.MachinePassword{}, in.Body)
	if err != nil {
		return nil, err
	}
	out := &passwordID{}
	out.Body.ID = id
	return out, nil
}

func (s *Server) changeMachinePassword(ctx context.Context, in *struct {
	ID int64 `path:"id" minimum:"1"`
	Based
	Body passwordWish
}) (*passwordID, error) {
	row, err := s.passwordRow(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if row.Updated, err = in.moment(); err != nil {
		return nil, err
	}
	out := &passwordID{}
	out.Body.ID, err = s.keepPassword(ctx, row, in.Body)
	return out, err
}

func (s *Server) deletePassword(ctx context.Context, in *idInput) (*struct{}, error) {
	if _, err := s.passwordRow(ctx, in.ID); err != nil {
		return nil, err
	}
	if err := s.storable(); err != nil {
		return nil, err
	}
	p, _ := principal(ctx)
	if err := s.Record.DeleteMachinePassword(ctx, in.ID, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("forgetting the password", err)
	}
	s.rekey(ctx)
	return nil, nil
}

type testPasswordInput struct {
	Body struct {
		Machine  int64   `json:"machine" minimum:"1"`
		ID       int64   `json:"id,omitempty" minimum:"0" doc:"A password that is kept,"`
		User     string  `json:"user,omitempty" maxLength:"100"`
		Password *string `json:"password,omitempty" maxLength:"200" writeOnly:"true" doc:"or one that is not kept yet."`
	}
}

// PasswordTest is how a password fits a machine.
type PasswordTest struct {
	Fits   string `json:"fits" enum:"yes,no,not-needed,unreachable" doc:"not-needed: this firmware lets everybody read, so only a command would show."`
	Detail string `json:"detail,omitempty"`
}

func (s *Server) testPassword(ctx context.Context, in *testPasswordInput) (*struct{ Body PasswordTest }, error) {
	st, err := s.status(ctx, in.Body.Machine)
	if err != nil {
		return nil, err
	}
	if err := s.storable(); err != nil {
		return nil, err
	}
	c := miner.Credentials{User: in.Body.User}
	switch {
	case in.Body.Password != nil:
		c.Password = miner.Secret(*in.Body.Password)
	case in.Body.ID != 0:
		row, err := s.passwordRow(ctx, in.Body.ID)
		if err != nil {
			return nil, err
		}
		plain, err := s.Box.Unseal(row.Sealed, passwordContext)
		if err != nil {
			return nil, huma.Error409Conflict("this password cannot be opened: the key file is another than the one that sealed it; enter it anew")
		}
		c = miner.Credentials{User: row.User, Password: miner.Secret(plain)}
	default:
		return nil, huma.Error422UnprocessableEntity("enter the password to try, or name one that is kept")
	}
	p, _ := principal(ctx)
	now := time.Now()
	throttled := "password-test/" + p.Name()
	if w, _ := s.throttle.try(throttled, now); w > 0 {
		return nil, huma.Error429TooManyRequests(fmt.Sprintf("too many wrong passwords; wait %v", w.Round(time.Second)))
	}
	if err := s.Record.Audit(ctx, ledger.Audit{Actor: p.Name(), Action: "password.test", Subject: fmt.Sprintf("machine/%d", in.Body.Machine)}); err != nil {
		return nil, s.fail("writing the audit log", err)
	}
	limit, cancel := context.WithTimeout(ctx, 12*time.Second)
	defer cancel()
	out := PasswordTest{}
	with := s.Fleet.TryKey(limit, st.Machine, c)
	switch {
	case with == nil:
		out.Fits = "yes"
		if open := s.Fleet.TryKey(limit, st.Machine, miner.Credentials{}); open == nil {
			out.Fits, out.Detail = "not-needed", "It reads without a password too: only a command would show whether this one fits."
		}
	case errors.Is(with, miner.ErrDenied):
		out.Fits = "no"
		return &struct{ Body PasswordTest }{out}, nil // it counts
	default:
		out.Fits, out.Detail = "unreachable", with.Error()
	}
	s.throttle.passed(throttled)
	return &struct{ Body PasswordTest }{out}, nil
}
