package server

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Trouble is a warning or an error that Ballast logged, as often as it did.
type Trouble struct {
	Level  string    `json:"level" enum:"WARN,ERROR"`
	What   string    `json:"what"`
	Detail string    `json:"detail,omitempty" doc:"Of the last time; secrets are left out."`
	Count  int       `json:"count"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
}

// Troubles is a slog.Handler that keeps warnings and errors, the same ones
// together, at most mostTroubles of them; those that were quiet longest go
// first.
type Troubles struct {
	kept  *keptTroubles
	attrs string // of WithAttrs, rendered
	group string
}

type keptTroubles struct {
	mu  sync.Mutex
	all map[string]*Trouble
	now func() time.Time
}

const (
	mostTroubles  = 200
	longestDetail = 400
)

// NewTroubles is an empty ring.
func NewTroubles() *Troubles {
	return &Troubles{kept: &keptTroubles{all: map[string]*Trouble{}, now: time.Now}}
}

// Enabled implements slog.Handler.
func (t *Troubles) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

// Handle implements slog.Handler.
func (t *Troubles) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(t.attrs)
	r.Attrs(func(a slog.Attr) bool {
		writeAttr(&b, t.group, a)
		return b.Len() < 2*longestDetail
	})
	level := "WARN"
	if r.Level >= slog.LevelError {
		level = "ERROR"
	}
	what, detail := short(Redact(r.Message), 200), short(Redact(strings.TrimSpace(b.String())), longestDetail)
	k := t.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	key := level + what
	one, ok := k.all[key]
	if !ok {
		if len(k.all) >= mostTroubles {
			k.forget()
		}
		one = &Trouble{Level: level, What: what, First: now.UTC()}
		k.all[key] = one
	}
	one.Count++
	one.Detail, one.Last = detail, now.UTC()
	return nil
}

// forget makes room for one.
func (k *keptTroubles) forget() {
	oldest := ""
	for key, t := range k.all {
		if oldest == "" || t.Last.Before(k.all[oldest].Last) {
			oldest = key
		}
	}
	delete(k.all, oldest)
}

// WithAttrs implements slog.Handler.
func (t *Troubles) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	b.WriteString(t.attrs)
	for _, a := range attrs {
		writeAttr(&b, t.group, a)
	}
	return &Troubles{kept: t.kept, attrs: b.String(), group: t.group}
}

// WithGroup implements slog.Handler.
func (t *Troubles) WithGroup(name string) slog.Handler {
	if name == "" {
		return t
	}
	return &Troubles{kept: t.kept, attrs: t.attrs, group: t.group + name + "."}
}

// Since are the troubles whose last time is not before a time, newest first.
func (t *Troubles) Since(at time.Time) []Trouble {
	out := []Trouble{}
	if t == nil {
		return out
	}
	t.kept.mu.Lock()
	defer t.kept.mu.Unlock()
	for _, one := range t.kept.all {
		if !one.Last.Before(at) {
			out = append(out, *one)
		}
	}
	slices.SortFunc(out, func(a, b Trouble) int { return b.Last.Compare(a.Last) })
	return out
}

func writeAttr(b *strings.Builder, group string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		for _, in := range v.Group() {
			writeAttr(b, group+a.Key+".", in)
		}
		return
	}
	text := fmt.Sprint(v.Any())
	if secretKey.MatchString(a.Key) {
		text = hiddenText
	}
	fmt.Fprintf(b, "%s%s=%s ", group, a.Key, text)
}

func short(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

const hiddenText = "[hidden]"

var (
	secretKey = regexp.MustCompile(`(?i)pass(word|wd)?$|secret|token|bearer|community|api_?key|cookie|authorization`)
	redacted  = []struct {
		find *regexp.Regexp
		put  string
	}{
		{regexp.MustCompile(`://([^/@:\s]*):[^/@\s]*@`), "://$1:" + hiddenText + "@"},
		{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}`), "$1 " + hiddenText},
		{regexp.MustCompile(`blst_[A-Za-z0-9_-]+`), hiddenText},
		{regexp.MustCompile(`/setup#\S+`), "/setup#" + hiddenText},
		{regexp.MustCompile(`(?i)(["']?\b[\w.-]*(?:password|passwd|pwd|secret|token|api_?key|community)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&}]+)`), "${1}" + hiddenText},
	}
)

// Redact leaves out of a text what looks like a secret.
func Redact(s string) string {
	for _, r := range redacted {
		s = r.find.ReplaceAllString(s, r.put)
	}
	return s
}
