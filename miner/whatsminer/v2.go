package whatsminer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/miner/whatsminer/crypt"
)

const portV2 = cgminer.Port

// Codes of API v2 replies (WhatsMiner API v2.0.5, "Message Code").
const (
	codeBadCommand   = 14
	codeBadJSON      = 23 // what is sealed with a wrong key becomes that
	codePermission   = 45
	codeOK           = 131
	codeFailed       = 132
	codeToken        = 134
	codeTokenInvalid = 135
	codeTokenLimit   = 136
	codeBadBase64    = 137
)

// tokenLife is how long a token is used. The machine forgets it after 30
// minutes.
const tokenLife = 25 * time.Minute

// quietWait is how long to wait for the reply to a command that makes the
// machine restart, which several firmwares never send.
const quietWait = 5 * time.Second

// sealer holds what API v2's writes need between calls.
type sealer struct {
	token   crypt.Token
	expires time.Time // zero when there is no token
}

// writeV2 sends one sealed command. A token that the machine does not know (any
// more) is renewed once. quiet says that silence is an acknowledgement.
func (d *Device) writeV2(ctx context.Context, command map[string]any, quiet bool) error {
	if d.target.Credentials.Password == "" {
		return errNoPassword
	}
	fresh := false
	if d.seal.expires.Before(d.now()) {
		if err := d.fetchToken(ctx, false); err != nil {
			return err
		}
		fresh = true
	}
	err := d.sendSealed(ctx, command, quiet)
	if !errors.Is(err, errToken) {
		return err
	}
	// A stale token is forgiven; and the vendor's document signs with the last
	// four characters of the time, its firmware tells no more than these, but
	// who knows of the next.
	if err := d.fetchToken(ctx, fresh); err != nil {
		return err
	}
	if err = d.sendSealed(ctx, command, quiet); errors.Is(err, errToken) {
		d.seal = sealer{}
		return fmt.Errorf("%w: %w", miner.ErrDenied, err)
	}
	return err
}

// errToken is the machine's verdict on a token.
var errToken = errors.New("the machine does not accept the token")

// errNoPassword says what to do about it.
var errNoPassword = fmt.Errorf("%w: no password is configured for this machine: set `credentials`", miner.ErrDenied)

// fetchToken asks for a token. short signs with the last four characters of the
// time only.
func (d *Device) fetchToken(ctx context.Context, short bool) error {
	d.seal = sealer{}
	raw, err := cgminer.AskRaw(ctx, d.target, portV2, []byte(`{"cmd":"get_token"}`))
	if err != nil {
		return fmt.Errorf("asking for a token: %w", err)
	}
	reply, ok := cgminer.Read("get_token", raw, nil)
	if !ok {
		return fmt.Errorf("asking for a token: %w: %s", miner.ErrGarbage, cgminer.Excerpt(raw))
	}
	msg := reply.JSON().Get("Msg")
	if !msg.IsObject() {
		msg = reply.JSON() // API 1.x tells it bare
	}
	clock, salt, newsalt := msg.Get("time").String(), msg.Get("salt").String(), msg.Get("newsalt").String()
	if salt == "" || newsalt == "" {
		if reply.Status.Code == codeTokenLimit || strings.Contains(reply.Status.Msg, "over max") {
			return fmt.Errorf("asking for a token: %w: %s", miner.ErrBusy, reply.Status.Msg)
		}
		return fmt.Errorf("asking for a token: %w", verdict(reply.Status))
	}
	if short && len(clock) > 4 {
		clock = clock[len(clock)-4:]
	}
	d.seal = sealer{
		token:   crypt.NewToken(string(d.target.Credentials.Password), clock, salt, newsalt),
		expires: d.now().Add(tokenLife),
	}
	return nil
}

// sendSealed sends a command under the token at hand.
func (d *Device) sendSealed(ctx context.Context, command map[string]any, quiet bool) error {
	name, _ := command["cmd"].(string)
	command["token"] = d.seal.token.Sign
	plain, err := json.Marshal(command)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	request, err := json.Marshal(map[string]any{"enc": 1, "data": d.seal.token.Key.Seal(plain)})
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	asking := ctx
	if quiet {
		var cancel context.CancelFunc
		asking, cancel = context.WithTimeout(ctx, quietWait)
		defer cancel()
	}
	raw, err := cgminer.AskRaw(asking, d.target, portV2, request)
	if err != nil {
		silent := errors.Is(err, cgminer.ErrSilent) || asking.Err() != nil && ctx.Err() == nil
		if quiet && silent && len(raw) == 0 {
			return nil
		}
		return fmt.Errorf("sending %s: %w", name, err)
	}
	status, err := d.unseal(raw)
	if err != nil {
		return fmt.Errorf("sending %s: %w", name, err)
	}
	if err := verdict(status); err != nil {
		return fmt.Errorf("sending %s: %w", name, err)
	}
	return nil
}

// unseal reads the reply to a sealed command, sealed itself or (errors) plain.
func (d *Device) unseal(raw []byte) (cgminer.Status, error) {
	reply, ok := cgminer.Read("reply", raw, nil)
	if !ok {
		return cgminer.Status{}, fmt.Errorf("%w: %s", miner.ErrGarbage, cgminer.Excerpt(raw))
	}
	enc := reply.JSON().Get("enc")
	if enc.Type != gjson.String {
		return reply.Status, nil
	}
	plain, err := d.seal.token.Key.Open(enc.Str)
	if err != nil {
		return cgminer.Status{}, fmt.Errorf("%w: %w", miner.ErrGarbage, err)
	}
	reply, ok = cgminer.Read("reply", plain, nil)
	if !ok {
		return cgminer.Status{}, fmt.Errorf("%w: the sealed reply does not open", miner.ErrGarbage)
	}
	return reply.Status, nil
}

// verdict is the error that a status stands for, in the machine's words.
func verdict(s cgminer.Status) error {
	words := s.Msg
	if words == "" {
		words = fmt.Sprintf("code %d", s.Code)
	}
	lower := strings.ToLower(words)
	switch {
	case strings.Contains(lower, "can't access write cmd"), s.Code == codePermission:
		return fmt.Errorf("%w: %s", miner.ErrLocked, words)
	case s.Code == codeTokenInvalid:
		return fmt.Errorf("%w: %s", errToken, words)
	case s.Code == codeTokenLimit, strings.Contains(lower, "over max"):
		return fmt.Errorf("%w: %s", miner.ErrBusy, words)
	case s.Code == codeBadJSON, s.Code == codeBadBase64, strings.Contains(lower, "enc json load err"):
		// It could not open what was sealed with the password's key.
		return fmt.Errorf("%w: %s", miner.ErrDenied, words)
	case s.Code == codeBadCommand:
		return fmt.Errorf("%w: %s", miner.ErrUnsupported, words)
	case !s.OK() || s.Code == codeFailed:
		return fmt.Errorf("%w: %s", miner.ErrRefused, words)
	}
	return nil
}
