package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/ledger"
	"ballast/notify"
)

// Receiver is one receiver as the record keeps it: its secrets are sealed.
type Receiver struct {
	ID       int64             `json:"id"`
	Title    string            `json:"title"`
	Settings notify.Settings   `json:"settings"`
	Sealed   map[string]string `json:"sealed,omitempty"`
	Off      bool              `json:"off,omitempty"`
}

// ErrNoBox reports that this server has nowhere to keep secrets.
var ErrNoBox = errors.New("this server has no key file, so it can keep no secrets")

// sealedFor is what a receiver's secret belongs to: a sealed text copied to
// another receiver, or read as another secret, does not open. A new receiver has
// no number yet, so the seal carries its kind.
func sealedFor(kind notify.Kind, name string) string { return "receiver/" + string(kind) + "/" + name }

// Seal checks a receiver and seals its secrets. Secrets that are not given stay
// as they were in was; an empty one removes it.
func (w *Watch) Seal(r Receiver, was *Receiver, secrets notify.Secrets) (Receiver, error) {
	if strings.TrimSpace(r.Title) == "" {
		return r, fmt.Errorf("%w: title: a receiver needs one", notify.ErrInvalid)
	}
	r.Sealed = map[string]string{}
	if was != nil && was.Settings.Kind == r.Settings.Kind {
		for k, v := range was.Sealed {
			r.Sealed[k] = v
		}
		// A secret goes where it was meant to go: whoever redirects it must know it.
		if elsewhere(&was.Settings, &r.Settings) {
			for k := range r.Sealed {
				if _, given := secrets[k]; !given {
					return r, fmt.Errorf("%w: %s: give it again, for this sends it to another address", notify.ErrInvalid, k)
				}
			}
		}
	}
	for k, v := range secrets {
		switch {
		case !slices.Contains(notify.SecretNames(r.Settings.Kind), k):
			return r, fmt.Errorf("%w: a %s receiver has no secret %q", notify.ErrInvalid, r.Settings.Kind, k)
		case v == "":
			delete(r.Sealed, k)
		case w.Box == nil:
			return r, ErrNoBox
		default:
			r.Sealed[k] = w.Box.Seal([]byte(v), []byte(sealedFor(r.Settings.Kind, k)))
		}
	}
	sec, err := w.secrets(r)
	if err != nil {
		return r, err
	}
	return r, r.Settings.Check(sec)
}

// elsewhere tells whether a change of settings sends secrets to another host, or
// over a line that is less safe.
func elsewhere(was, is *notify.Settings) bool {
	return was.Host != is.Host || was.Port != is.Port || was.URL != is.URL || was.Security != is.Security || was.CA != is.CA
}

func (w *Watch) secrets(r Receiver) (notify.Secrets, error) {
	out := notify.Secrets{}
	for k, v := range r.Sealed {
		if w.Box == nil {
			return nil, ErrNoBox
		}
		text, err := w.Box.Unseal(v, []byte(sealedFor(r.Settings.Kind, k)))
		if err != nil {
			return nil, fmt.Errorf("the %s of receiver %q: %w", k, r.Title, err)
		}
		out[k] = string(text)
	}
	return out, nil
}

// receiver reads one from the record.
func (w *Watch) receiver(ctx context.Context, id int64) (Receiver, error) {
	d, err := w.Record.Document(ctx, ReceiverKind, id)
	if err != nil {
		return Receiver{}, err
	}
	var r Receiver
	if err := json.Unmarshal(d.Doc, &r); err != nil {
		return r, fmt.Errorf("reading receiver %d: %w", id, err)
	}
	r.ID = id
	return r, nil
}

// Receiver opens one for the outbox.
func (w *Watch) Receiver(ctx context.Context, id int64) (notify.Receiver, error) {
	r, err := w.receiver(ctx, id)
	if err != nil {
		return nil, err
	}
	if r.Off {
		return nil, fmt.Errorf("%w: receiver %q is switched off", notify.ErrInvalid, r.Title)
	}
	return w.open(r)
}

func (w *Watch) open(r Receiver) (notify.Receiver, error) {
	sec, err := w.secrets(r)
	if err != nil {
		return nil, err
	}
	return notify.New(r.Settings, sec, w.Notify)
}

// Test sends a labelled message to a receiver now and gives back what it said.
func (w *Watch) Test(ctx context.Context, id int64, by string) (string, error) {
	r, err := w.receiver(ctx, id)
	if err != nil {
		return "", err
	}
	to, err := w.open(r)
	if err != nil {
		return "", err
	}
	m := notify.Message{Subject: "[TEST] Ballast can reach this receiver", Severity: "info", State: notify.Report, Source: w.Site, At: w.Clock(), Link: w.URL,
		Dedup: "ballast-test-" + strconv.FormatInt(id, 10),
		Text:  fmt.Sprintf("This is a test that %s sent from Ballast at %s. Nothing is wrong at the site.", by, w.Site)}
	answer, err := to.Deliver(ctx, m)
	if err == nil && r.Settings.Kind == notify.PagerDuty {
		m.State = notify.Resolve // the test opened an incident there
		if _, err := to.Deliver(ctx, m); err != nil {
			return answer, fmt.Errorf("the test arrived, but its end did not: %w", err)
		}
	}
	return answer, err
}

// Send sends one mail through the first e-mail receiver's server; ErrNoMail when
// there is none.
func (w *Watch) Send(ctx context.Context, to []string, subject, text, html string, attachments []notify.Attachment) error {
	all, err := All[Receiver](ctx, w.Record, ReceiverKind)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Settings.Kind != notify.Email || r.Off {
			continue
		}
		sec, err := w.secrets(r)
		if err != nil {
			return err
		}
		limit, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return notify.NewMail(r.Settings, sec["password"]).Send(limit, to, subject, text, html, attachments)
	}
	return notify.ErrNoMail
}

// SaveReceiver writes one whose secrets were sealed. Of a change, version is the
// one that it is based on (ErrStale when there is a newer); 0 is any.
func (w *Watch) SaveReceiver(ctx context.Context, r Receiver, version int64, by ledger.Audit) (Receiver, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return r, err
	}
	// The audit log must not carry even sealed secrets: it is never cut.
	bare := r
	bare.Sealed = nil
	text, err := json.Marshal(bare)
	if err != nil {
		return r, err
	}
	by.Detail = string(text)
	d := ledger.Document{ID: r.ID, Kind: ReceiverKind, Doc: b}
	if version != 0 {
		d.UpdatedAt = time.UnixMicro(version)
	}
	d, err = w.Record.SaveDocument(ctx, d, by)
	r.ID = d.ID
	return r, err
}

// Subject is what the audit log calls a receiver.
func Subject(id int64) string { return ReceiverKind + "/" + strconv.FormatInt(id, 10) }
