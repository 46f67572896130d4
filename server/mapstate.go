package server

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/fleet"
	"ballast/miner"
)

// The state of all machines in one metric, for the map: two bytes a machine,
// little-endian, in the order of the map's machines.
//
//	offset  size  what
//	     0     4  "BMAP"
//	     4     2  format, 1
//	     6     2  flags: 1 delta, 2 values are names
//	     8     8  version of the map (its hex is Map.Version)
//	    16     8  epoch: revisions of another epoch mean nothing
//	    24     8  revision: what to ask changes since
//	    32     4  machines on the map
//	    36     4  entries that follow
//	    40     4  float32 scale   value = offset + scale x raw
//	    44     4  float32 offset
//	    48     4  float32 lowest value of all machines, NaN when none tells
//	    52     4  float32 highest
//	    56     4  bytes of names
//	    60     4  now, Unix seconds
//	    64        without delta: uint16 raw for each machine
//	              with delta: uint32 index for each entry, then uint16 raw for each
//	              then the names, UTF-8, one a line: raw is an index into them
//
// raw 65535 is "not told". What is beyond the range of raw is its nearest end.
const (
	mapHeader  = 64
	mapMissing = 0xFFFF
	mapType    = "application/vnd.ballast.map"
)

// mapMetric is one way to colour the map.
type mapMetric struct {
	scale, offset float64
	of            func(st *fleet.Status, now time.Time) (float64, bool)
	names         func(m *Map) []string         // for metrics whose values are names
	name          func(st *fleet.Status) string // of one machine
}

// told is what a machine tells of itself now; nil when it is silent, as in
// [rowOf]. (The map asks this of every machine each few seconds, so it does not
// make rows.)
func told(st *fleet.Status) *miner.Reading {
	if st.Condition == fleet.CondSilent {
		return nil
	}
	return st.Reading
}

// fromReading is a number of a machine's reading, missing when it is silent.
func fromReading(pick func(r *miner.Reading) (float64, bool)) func(*fleet.Status, time.Time) (float64, bool) {
	return func(st *fleet.Status, _ time.Time) (float64, bool) {
		if r := told(st); r != nil {
			return pick(r)
		}
		return 0, false
	}
}

func conditionNames(*Map) []string {
	var out []string
	for _, c := range fleet.Conditions() {
		out = append(out, string(c))
	}
	return out
}

// mapMetrics are the metrics of the map, by name.
var mapMetrics = map[string]mapMetric{
	"condition": {names: conditionNames, name: func(st *fleet.Status) string { return string(st.Condition) }},
	"hashrate": {scale: 0.1, of: fromReading(func(r *miner.Reading) (float64, bool) { // percent of nominal
		h, ok1 := r.HashrateNow.OrElse(r.HashrateAverage).Get()
		n, ok2 := r.HashrateNominal.Get()
		return 100 * float64(h/n), ok1 && ok2 && n > 0
	})},
	"temp":       {scale: 0.1, offset: -100, of: fromReading(func(r *miner.Reading) (float64, bool) { v, ok := r.MaxTemp().Get(); return float64(v), ok })},
	"efficiency": {scale: 0.01, of: fromReading(func(r *miner.Reading) (float64, bool) { v, ok := r.JTH().Get(); return float64(v), ok })},
	"power":      {scale: 1, of: fromReading(func(r *miner.Reading) (float64, bool) { v, ok := r.Power.Get(); return float64(v), ok })},
	"faults":     {scale: 1, of: fromReading(func(r *miner.Reading) (float64, bool) { return float64(len(r.Faults)), true })},
	"age": {scale: 1, of: func(st *fleet.Status, now time.Time) (float64, bool) {
		if st.LastAnswer.IsZero() {
			return 0, false
		}
		return max(now.Sub(st.LastAnswer).Seconds(), 0), true
	}},
	"model":    {names: func(m *Map) []string { return m.Models }, name: func(st *fleet.Status) string { return st.Machine.Model }},
	"firmware": {names: func(m *Map) []string { return m.Firmwares }, name: func(st *fleet.Status) string { return st.Machine.Firmware }},
	"group":    {names: func(m *Map) []string { return m.Groups }, name: func(st *fleet.Status) string { return st.Machine.Group }},
}

// raw is what goes over the wire for a value.
func (m mapMetric) raw(v float64) uint16 {
	return uint16(min(max(math.Round((v-m.offset)/m.scale), 0), mapMissing-1))
}

type mapStateInput struct {
	SiteQuery
	Metric string `query:"metric" default:"condition" enum:"condition,hashrate,temp,efficiency,power,firmware,model,group,faults,age"`
	Since  string `query:"since" maxLength:"80" doc:"<epoch>.<revision>.<version of the map>, the first two in decimal, as the last answer had them: only what changed since. Anything else gives everything."`
}

type mapStateOutput struct {
	Type  string `header:"Content-Type"`
	Cache string `header:"Cache-Control"`
	Body  []byte
}

func mapStateOperation() huma.Operation {
	return huma.Operation{OperationID: "map-state", Method: http.MethodGet, Path: "/api/v1/map/state", Summary: "One metric of all machines, compact", Tags: []string{"map"},
		Description: "Binary, little-endian, two bytes a machine; docs/machines.md has the format.",
		Responses:   map[string]*huma.Response{"200": {Description: "The state", Content: map[string]*huma.MediaType{mapType: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}}}
}

// thisEpoch is [epoch] as a number.
var thisEpoch = func() uint64 {
	n, err := strconv.ParseUint(epoch, 36, 64)
	if err != nil {
		return 0 // not possible: epoch was written in that base
	}
	return n
}()

func (s *Server) mapState(ctx context.Context, in *mapStateInput) (*mapStateOutput, error) {
	v, err := s.mapOf(ctx, scope(ctx).Narrow(in.Only))
	if err != nil {
		return nil, err
	}
	// Before the statuses: what changes meanwhile comes again, which does no harm.
	to := s.Fleet.Rev()
	var since uint64
	var of, version uint64
	if n, err := fmt.Sscanf(in.Since, "%d.%d.%x", &of, &since, &version); n != 3 || err != nil || of != thisEpoch || version != v.version || since > to {
		since = 0
	}
	return &mapStateOutput{Type: mapType, Cache: "no-store", Body: encodeState(v, mapMetrics[in.Metric], s.statuses(v), since, to, time.Now())}, nil
}

// encodeState writes the state of a map; since 0 writes all of it.
func encodeState(v *mapView, m mapMetric, each func(func(int, *fleet.Status) bool), since, to uint64, now time.Time) []byte {
	values := make([]uint16, len(v.Machines))
	var changed []uint32
	var names []string
	at := map[string]uint16{}
	if m.names != nil {
		names = m.names(&v.Map)
		for i, n := range names {
			at[n] = uint16(i)
		}
	}
	low, high := math.Inf(1), math.Inf(-1)
	for i, st := range each {
		raw := uint16(mapMissing)
		switch {
		case st == nil:
		case m.names != nil:
			if n, ok := at[m.name(st)]; ok {
				raw = n
			}
		default:
			if x, ok := m.of(st, now); ok && !math.IsNaN(x) && !math.IsInf(x, 0) {
				raw = m.raw(x)
				low, high = min(low, x), max(high, x)
			}
		}
		values[i] = raw
		if since > 0 && st != nil && st.Rev > since {
			changed = append(changed, uint32(i))
		}
	}
	delta := since > 0 && 6*len(changed) < 2*len(values)
	flags, entries := uint16(0), len(values)
	scale, offset := m.scale, m.offset
	if m.names != nil {
		flags, scale, offset = 2, 1, 0
	}
	if math.IsInf(low, 0) {
		low, high = math.NaN(), math.NaN()
	}
	if delta {
		flags, entries = flags|1, len(changed)
	}
	var text []byte
	for i, n := range names {
		if i > 0 {
			text = append(text, '\n')
		}
		text = append(text, strings.ReplaceAll(n, "\n", " ")...)
	}
	le := binary.LittleEndian
	out := make([]byte, 0, mapHeader+6*entries+len(text))
	out = append(out, "BMAP"...)
	out = le.AppendUint16(out, 1)
	out = le.AppendUint16(out, flags)
	out = le.AppendUint64(out, v.version)
	out = le.AppendUint64(out, thisEpoch)
	out = le.AppendUint64(out, to)
	out = le.AppendUint32(out, uint32(len(values)))
	out = le.AppendUint32(out, uint32(entries))
	for _, f := range []float64{scale, offset, low, high} {
		out = le.AppendUint32(out, math.Float32bits(float32(f)))
	}
	out = le.AppendUint32(out, uint32(len(text)))
	out = le.AppendUint32(out, uint32(now.Unix()))
	if delta {
		for _, i := range changed {
			out = le.AppendUint32(out, i)
		}
		for _, i := range changed {
			out = le.AppendUint16(out, values[i])
		}
	} else {
		for _, raw := range values {
			out = le.AppendUint16(out, raw)
		}
	}
	return slices.Concat(out, text)
}
