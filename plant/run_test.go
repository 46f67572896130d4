package plant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type fake struct {
	name string
	run  func(ctx context.Context, emit func(Reading)) error
}

func (f fake) Name() string                                      { return f.name }
func (f fake) Run(ctx context.Context, emit func(Reading)) error { return f.run(ctx, emit) }

func TestRunAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 95*time.Second)
		defer cancel()
		broken := errors.New("no such map")
		sources := []Source{fake{"never", func(context.Context, func(Reading)) error { return broken }}}
		for i := range 3 {
			name := fmt.Sprint("m", i)
			sources = append(sources, fake{name, Poller{Name: name, Kind: MeterKind, Every: 10 * time.Second, Read: func(context.Context) (Reading, error) {
				return Reading{At: time.Now(), Quality: Good}, nil
			}}.Run})
		}
		var l Latest
		n, inside := 0, false
		err := RunAll(ctx, sources, func(r Reading) {
			if inside {
				t.Error("two at a time")
			}
			inside = true
			l.Put(r)
			n++
			inside = false
		})
		if !errors.Is(err, broken) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "never") {
			t.Error(err)
		}
		if n != 30 || len(l.All(time.Now())) != 3 {
			t.Errorf("%d readings of %d sources", n, len(l.All(time.Now())))
		}
	})
}

func TestSecret(t *testing.T) {
	s := Secret("hunter2")
	if text := fmt.Sprintf("%s %v %+v %#v %q", s, s, s, s, s); strings.Contains(text, "hunter2") {
		t.Error(text)
	}
	if b, err := s.MarshalText(); err != nil || string(b) != "[hidden]" || s.LogValue().String() != "[hidden]" {
		t.Errorf("%s %v", b, err)
	}
	if Secret("").String() != "" {
		t.Error("an empty secret looks like one")
	}
}
