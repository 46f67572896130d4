package prom

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"ballast/miner"
	"ballast/telemetry"
)

// The messages of remote write 1.0 (prometheus/prompb: remote.proto and
// types.proto), by their field numbers:
//
//	WriteRequest { repeated TimeSeries timeseries = 1 }
//	TimeSeries   { repeated Label labels = 1; repeated Sample samples = 2 }
//	Label        { string name = 1; string value = 2 }
//	Sample       { double value = 1; int64 timestamp = 2 }
//
// They are written by hand: a generated encoder would build half a million
// structs per poll of a large fleet. Labels must be sorted by name; __name__
// sorts first, then board, fan, firmware, machine, model, site.
const (
	fieldSeries = 1
	fieldLabel  = 1
	fieldSample = 2
	fieldName   = 1
	fieldValue  = 2
	fieldNumber = 1
	fieldTime   = 2
)

// encoder writes rows as one WriteRequest after the other.
type encoder struct {
	detail   Detail
	name     naming
	machine  [][]byte // labels __name__ and fan by machine metric
	board    [][]byte // label __name__ by board metric
	slots    [telemetry.MaxBoards][]byte
	buf      []byte
	sample   []byte
	labels   []byte
	family   []byte // label __name__ of the fleet's samples
	now      int64  // their time
	samples  int64
	machines []telemetry.Metric
	boards   []telemetry.Metric
}

func newEncoder(d Detail, name func(miner.ID) string) encoder {
	e := encoder{detail: d, name: name, machines: telemetry.MachineMetrics(), boards: telemetry.BoardMetrics()}
	for _, m := range e.machines {
		full, label, value := m.Prometheus()
		b := appendLabel(nil, "__name__", full)
		if label != "" {
			b = appendLabel(b, label, value)
		}
		e.machine = append(e.machine, b)
	}
	for _, m := range e.boards {
		full, _, _ := m.Prometheus()
		e.board = append(e.board, appendLabel(nil, "__name__", full))
	}
	for i := range e.slots {
		e.slots[i] = appendLabel(nil, "board", strconv.Itoa(i))
	}
	return e
}

func (e *encoder) reset() { e.buf, e.samples = e.buf[:0], 0 }

// compressed is the request so far, as the wire wants it.
func (e *encoder) compressed() []byte { return snappy.Encode(nil, e.buf) }

// fleet adds the totals as of a time.
func (e *encoder) fleet(rows []telemetry.Row, ms int64) {
	e.now = ms
	writeFleet(e, rows)
}

// Family is the name of the samples to come.
func (e *encoder) Family(name string, _ Type, _, _ string) {
	e.family = appendLabel(nil, "__name__", name)
}

// Sample adds one series of the family.
func (e *encoder) Sample(v float64, labels ...string) {
	pairs := slices.SortedFunc(slices.Chunk(labels, 2), func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	e.labels = e.labels[:0]
	for _, l := range pairs {
		if l[1] != "" {
			e.labels = appendLabel(e.labels, l[0], l[1])
		}
	}
	e.series(e.family, nil, v, e.now)
}

// row adds the series of one row.
func (e *encoder) row(r *telemetry.Row) {
	if e.detail == Fleet {
		return
	}
	ms := r.At.UnixMilli()
	e.labels = e.labels[:0]
	// A label with an empty value is no label.
	for _, l := range [...][2]string{{"firmware", string(r.Firmware)}, {"machine", e.name.of(r.Machine)}, {"model", r.Model}, {"site", r.Site}} {
		if l[1] != "" {
			e.labels = appendLabel(e.labels, l[0], l[1])
		}
	}
	for i, m := range e.machines {
		if v, ok := r.Get(m).Get(); ok {
			e.series(e.machine[i], nil, inBase(m, v), ms)
		}
	}
	if e.detail != Board {
		return
	}
	for k := range r.Boards {
		b := &r.Boards[k]
		if b.Index >= len(e.slots) {
			continue
		}
		for i, m := range e.boards {
			if v, ok := b.Get(m).Get(); ok {
				e.series(e.board[i], e.slots[b.Index], inBase(m, v), ms)
			}
		}
	}
}

func (e *encoder) series(name, slot []byte, v float64, ms int64) {
	s := e.sample[:0]
	s = protowire.AppendTag(s, fieldNumber, protowire.Fixed64Type)
	s = protowire.AppendFixed64(s, math.Float64bits(v))
	s = protowire.AppendTag(s, fieldTime, protowire.VarintType)
	s = protowire.AppendVarint(s, uint64(ms))
	e.sample = s
	size := len(name) + len(slot) + len(e.labels) + protowire.SizeTag(fieldSample) + protowire.SizeBytes(len(s))
	b := protowire.AppendTag(e.buf, fieldSeries, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(size))
	b = append(b, name...)
	b = append(b, slot...)
	b = append(b, e.labels...)
	b = protowire.AppendTag(b, fieldSample, protowire.BytesType)
	b = protowire.AppendBytes(b, s)
	e.buf = b
	e.samples++
}

func appendLabel(b []byte, name, value string) []byte {
	value = strings.ToValidUTF8(value, "\uFFFD")
	size := protowire.SizeTag(fieldName) + protowire.SizeBytes(len(name)) + protowire.SizeTag(fieldValue) + protowire.SizeBytes(len(value))
	b = protowire.AppendTag(b, fieldLabel, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(size))
	b = protowire.AppendTag(b, fieldName, protowire.BytesType)
	b = protowire.AppendString(b, name)
	b = protowire.AppendTag(b, fieldValue, protowire.BytesType)
	return protowire.AppendString(b, value)
}
