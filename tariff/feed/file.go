package feed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// File is a Store in memory with a log on disk: every new value is a line, on disk
// when Put returns. Opening reads the log again, and writes it anew when more
// than half of it is of no use any more.
type File struct {
	Memory
	mu   sync.Mutex
	path string
	f    *os.File
	bad  error // once writing fails nothing more is written
}

var _ Store = (*File)(nil)

// OpenFile opens or makes a log. A line that a crash left unfinished, or that
// was damaged, is passed over; damaged says how many.
func OpenFile(path string) (s *File, damaged int, err error) {
	s = &File{path: path}
	lines := 0
	f, err := os.Open(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, 0, fmt.Errorf("opening the prices: %w", err)
	default:
		lines, damaged, err = s.load(f)
		_ = f.Close()
		if err != nil {
			return nil, 0, fmt.Errorf("reading the prices: %w", err)
		}
	}
	kept := 0
	_ = s.every(func(Value) error { kept++; return nil })
	if damaged > 0 || lines > 2*kept {
		if err := s.compact(); err != nil {
			return nil, 0, err
		}
	}
	s.f, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("opening the prices: %w", err)
	}
	return s, damaged, nil
}

const maxLine = 4096

func (s *File) load(r io.Reader) (lines, damaged int, err error) {
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 0, maxLine), 1<<20)
	s.Memory.mu.Lock()
	defer s.Memory.mu.Unlock()
	s.series = map[string][]entry{}
	for scan.Scan() {
		lines++
		v, err := parseLine(scan.Bytes())
		if err != nil {
			damaged++
			continue
		}
		s.put(v)
	}
	if errors.Is(scan.Err(), bufio.ErrTooLong) {
		return lines, damaged + 1, nil
	}
	return lines, damaged, scan.Err()
}

// line is a value as text: checksum, series, start and length in seconds,
// millionths, published and received in Unix nanoseconds.
func line(v Value) []byte {
	body := fmt.Sprintf("%s\t%d\t%d\t%d\t%d\t%d", strconv.Quote(v.Series), v.Start.Unix(), int64(v.Length/time.Second), v.Micro, nanos(v.Published), nanos(v.Received))
	return fmt.Appendf(nil, "%08x\t%s\n", crc32.ChecksumIEEE([]byte(body)), body)
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func instant(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

var errLine = errors.New("a damaged line")

func parseLine(b []byte) (Value, error) {
	sum, body, ok := bytes.Cut(b, []byte("\t"))
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if !ok || err != nil || uint32(want) != crc32.ChecksumIEEE(body) {
		return Value{}, errLine
	}
	f := strings.Split(string(body), "\t")
	if len(f) != 6 {
		return Value{}, errLine
	}
	name, err := strconv.Unquote(f[0])
	if err != nil {
		return Value{}, errLine
	}
	var n [5]int64
	for i := range n {
		if n[i], err = strconv.ParseInt(f[i+1], 10, 64); err != nil {
			return Value{}, errLine
		}
	}
	v := Value{Point: Point{Series: name, Start: time.Unix(n[0], 0).UTC(), Length: time.Duration(n[1]) * time.Second, Micro: n[2], Published: instant(n[3])}, Received: instant(n[4])}
	if years(v.Start) != nil || v.Length <= 0 || v.Length > 24*time.Hour {
		return Value{}, errLine
	}
	return v, nil
}

// compact writes what is kept into a new log and puts it in the place of the
// old one.
func (s *File) compact() error {
	f, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.path)+".new-*")
	if err != nil {
		return fmt.Errorf("writing the prices anew: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // when it was not renamed
	w := bufio.NewWriter(f)
	err = s.every(func(v Value) error { _, err := w.Write(line(v)); return err })
	err = errors.Join(err, w.Flush(), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), s.path)
	}
	if err != nil {
		return fmt.Errorf("writing the prices anew: %w", err)
	}
	return nil
}

// Put implements Store. What could not be written is kept in memory, and the
// error says so.
func (s *File) Put(_ context.Context, received time.Time, points []Point) ([]Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes, kept, err := s.putAll(received, points)
	if len(kept) == 0 || s.bad != nil {
		return changes, errors.Join(err, s.bad)
	}
	var b bytes.Buffer
	for _, v := range kept {
		b.Write(line(v))
	}
	_, e := s.f.Write(b.Bytes())
	if e == nil {
		e = s.f.Sync()
	}
	if e != nil {
		s.bad = fmt.Errorf("writing the prices: %w", e)
	}
	return changes, errors.Join(err, s.bad)
}

// Close closes the log.
func (s *File) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad = os.ErrClosed
	return s.f.Close()
}
