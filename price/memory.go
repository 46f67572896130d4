package price

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"ballast/forecast"
)

// What the day-ahead models said of past days is kept in files, one for each
// series and model: a first forecast asks them for half a year of days, which
// takes a minute or two, and a restart need not.

// memoryHead is the first line of such a file; the ensemble's own words follow.
type memoryHead struct {
	Ballast  string `json:"ballast"` // what the file is
	Series   string `json:"series"`
	Model    string `json:"model"`
	Settings string `json:"settings"` // SHA-256 of how the model is set
	Sum      string `json:"sum"`      // SHA-256 of what follows
}

const memoryKind = "memory of a day-ahead model, 1"

// mostMemory bounds a file: half a year of both models is some megabytes.
const mostMemory = 256 << 20

// errForeign reports a file that is not this model's memory of this series.
var errForeign = errors.New("it is of something else")

// ensembleOf is the ensemble behind a model; nil when it has none.
func ensembleOf(f forecast.Forecaster) *forecast.Ensemble {
	switch m := f.(type) {
	case *forecast.Ensemble:
		return m
	case named:
		return ensembleOf(m.Forecaster)
	}
	return nil
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// settings are what decides what an ensemble says: with others its memory is not
// taken up. How many threads it takes does not.
func settings(e *forecast.Ensemble) (string, error) {
	groves := append([]forecast.Grove(nil), e.Groves...)
	plain := func(n *forecast.Nets) *forecast.Nets {
		if n == nil {
			return nil
		}
		c := *n
		c.Workers = 0
		return &c
	}
	for i := range groves {
		groves[i].Workers = 0
	}
	b, err := json.Marshal([]any{e.Name(), e.Windows, plain(e.Nets), plain(e.Softs), plain(e.Fans), groves, e.Groves == nil, e.Smooth,
		forecast.DefaultNets(), forecast.DefaultSofts(), forecast.DefaultFans(), forecast.DefaultGroves(), forecast.DefaultSmooth()})
	if err != nil {
		return "", fmt.Errorf("describing a model: %w", err)
	}
	return sum(b), nil
}

// memoryFile is where a model's memory of a series is; "" when nothing is kept.
func (d *Desk) memoryFile(series, model string) string {
	if d.Memory == "" {
		return ""
	}
	safe := strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, series+"-"+model)
	return filepath.Join(d.Memory, safe[:min(len(safe), 80)]+"-"+sum([]byte(series + "\x00" + model))[:8]+".json")
}

// save writes what a model remembers of a series: whole, or not at all.
func (d *Desk) save(series string, m *model) {
	e, file := ensembleOf(m.Forecaster), d.memoryFile(series, m.Name())
	if e == nil || file == "" {
		return
	}
	if err := write(file, series, m.Name(), e); err != nil {
		d.Log.Warn("keeping what a model said", "series", series, "model", m.Name(), "error", err)
	}
}

func write(file, series, name string, e *forecast.Ensemble) error {
	var body bytes.Buffer
	if err := e.Save(&body); err != nil {
		return err
	}
	how, err := settings(e)
	if err != nil {
		return err
	}
	head, err := json.Marshal(memoryHead{memoryKind, series, name, how, sum(body.Bytes())})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(file), ".memory-*")
	if err != nil {
		return err
	}
	_, err = out.Write(append(append(head, '\n'), body.Bytes()...))
	if err = errors.Join(err, out.Sync(), out.Close()); err == nil {
		err = os.Rename(out.Name(), file)
	}
	if err != nil {
		_ = os.Remove(out.Name()) // what stays would only take room
	}
	return err
}

// recall gives a fresh model what it said before the last stop. A file that is
// damaged, or of another series, model or setting, is left alone, with a word in
// the log; fresh makes the ensemble to go on with then.
func (d *Desk) recall(series, name string, fresh func() *forecast.Ensemble) *forecast.Ensemble {
	e, file := fresh(), d.memoryFile(series, name)
	if file == "" {
		return e
	}
	err := load(file, series, name, e)
	switch {
	case err == nil:
		return e
	case !errors.Is(err, os.ErrNotExist):
		d.Log.Warn("what a model said before is not taken up: it makes up for the past", "series", series, "model", name, "file", file, "error", err)
	}
	return fresh() // nothing of half a memory
}

func load(file, series, name string, e *forecast.Ensemble) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read from
	text, err := io.ReadAll(io.LimitReader(in, mostMemory+1))
	if err != nil {
		return err
	}
	first, body, ok := bytes.Cut(text, []byte("\n"))
	var head memoryHead
	if !ok || len(text) > mostMemory || json.Unmarshal(first, &head) != nil || head.Ballast != memoryKind {
		return fmt.Errorf("no memory of a model: %w", forecast.ErrFormat)
	}
	how, err := settings(e)
	switch {
	case err != nil:
		return err
	case head.Series != series || head.Model != name:
		return fmt.Errorf("of %s at %s: %w", head.Model, head.Series, errForeign)
	case head.Settings != how:
		return fmt.Errorf("of a model that is set otherwise: %w", errForeign)
	case head.Sum != sum(body):
		return fmt.Errorf("the check sum is wrong: %w", forecast.ErrFormat)
	}
	return e.Load(bytes.NewReader(body))
}
