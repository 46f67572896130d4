package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/miner"
	"ballast/telemetry"
)

type metricInfo struct {
	Name  string `json:"name"`
	Unit  string `json:"unit"`
	Level string `json:"level" enum:"machine,board,fan,psu"`
	Kind  string `json:"kind" enum:"gauge,counter,elapsed"`
	Help  string `json:"help"`
}

type historyInput struct {
	SiteQuery
	Metrics   []string  `query:"metrics" required:"true" minItems:"1" maxItems:"40" doc:"Names as /api/v1/metrics lists them, separated by commas."`
	Aggregate string    `query:"aggregate" default:"mean" enum:"mean,min,max,sum,samples,increase,resets"`
	By        string    `query:"by" default:"none" enum:"none,site,group,model,firmware,version,machine,board"`
	Machines  []int64   `query:"machines" doc:"Only these machines, separated by commas."`
	Firmware  string    `query:"firmware" doc:"Only this firmware."`
	From      time.Time `query:"from" doc:"Start; default one hour before to."`
	To        time.Time `query:"to" doc:"End, not included; default now."`
	Bucket    int       `query:"bucket_s" minimum:"0" maximum:"604800" doc:"Seconds in a point; 0 picks one that gives about 300 points."`
}

// Series is one line of a chart.
type Series struct {
	Metric  string     `json:"metric"`
	Unit    string     `json:"unit"`
	Label   string     `json:"label,omitempty" doc:"The group, when grouped by a label."`
	Machine int64      `json:"machine,omitempty"`
	Board   *int       `json:"board,omitempty"`
	Values  []*float64 `json:"values" doc:"One for each time; null where nothing was measured."`
}

type historyBody struct {
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	Bucket      int       `json:"bucket_s"`
	Times       []int64   `json:"times" doc:"Unix seconds at the start of each point."`
	Series      []Series  `json:"series"`
	Resolutions []string  `json:"resolutions" doc:"What the answer was read from: raw rows or roll-ups."`
}

func (s *Server) registerHistory() {
	op(s, huma.Operation{OperationID: "metrics", Method: http.MethodGet, Path: "/api/v1/metrics", Summary: "What history can be asked for", Tags: []string{"history"}},
		func(context.Context, *struct{}) (*struct{ Body []metricInfo }, error) {
			var out []metricInfo
			for _, m := range telemetry.Metrics() {
				in := m.Info()
				out = append(out, metricInfo{in.Name, in.Unit.Symbol, string(in.Level), string(in.Kind), in.Help})
			}
			return &struct{ Body []metricInfo }{out}, nil
		})
	op(s, huma.Operation{OperationID: "history", Method: http.MethodGet, Path: "/api/v1/history", Summary: "Metrics over time", Tags: []string{"history"}, Errors: []int{422}}, s.history)
	op(s, huma.Operation{OperationID: "storage", Method: http.MethodGet, Path: "/api/v1/storage", Summary: "What history takes on disk", Tags: []string{"history"}},
		func(ctx context.Context, _ *struct{}) (*struct{ Body telemetry.Stats }, error) {
			st, err := s.History.Stats(ctx)
			if err != nil {
				return nil, s.fail("asking the store", err)
			}
			return &struct{ Body telemetry.Stats }{st}, nil
		})
	op(s, huma.Operation{OperationID: "ages", Method: http.MethodGet, Path: "/api/v1/storage/ages", Summary: "Rows by the time from their reply to the disk, since the start", Tags: []string{"history"}},
		func(context.Context, *struct{}) (*struct{ Body []telemetry.Age }, error) {
			out := []telemetry.Age{}
			if s.Batcher != nil {
				out = append(out, s.Batcher.Ages()...)
			}
			return &struct{ Body []telemetry.Age }{out}, nil
		})
	op(s, huma.Operation{OperationID: "export", Method: http.MethodGet, Path: "/api/v1/export", Summary: "Raw readings as a file", Tags: []string{"history"}, Errors: []int{422}}, s.export)
}

// nicely are the buckets that people read: all divide a day.
var nicely = []int{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 604800}

func (s *Server) history(ctx context.Context, in *historyInput) (*struct{ Body historyBody }, error) {
	q := telemetry.Query{Aggregate: telemetry.Aggregate(in.Aggregate), GroupBy: telemetry.GroupBy(in.By), From: in.From, To: in.To, Limit: 200_000}
	if sites := scope(ctx).Narrow(in.Only); !sites.All {
		if sites.None() {
			return nil, huma.Error404NotFound("there is no site " + in.Only)
		}
		q.Filter.Sites = sites.Sites
	}
	for _, name := range in.Metrics {
		m, err := telemetry.ParseMetric(strings.TrimSpace(name))
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error() + "; /api/v1/metrics lists them")
		}
		q.Metrics = append(q.Metrics, m)
	}
	for _, id := range in.Machines {
		q.Filter.Machines = append(q.Filter.Machines, miner.ID(id))
	}
	if in.Firmware != "" {
		q.Filter.Firmwares = []miner.Firmware{miner.Firmware(in.Firmware)}
	}
	if q.To.IsZero() {
		q.To = time.Now()
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-time.Hour)
	}
	bucket := in.Bucket
	if bucket == 0 {
		want := int(q.To.Sub(q.From).Seconds() / 300)
		bucket = nicely[len(nicely)-1]
		for _, n := range nicely {
			if n >= want && n >= int(s.Fleet.Poller.Interval.Seconds()) {
				bucket = n
				break
			}
		}
	}
	if n := q.To.Sub(q.From) / time.Second / time.Duration(bucket); n > 20_000 || n < 0 {
		return nil, huma.Error422UnprocessableEntity(fmt.Sprintf("from %v to %v is %d points of %d s; ask for at most 20,000 points, from before to", q.From, q.To, n, bucket))
	}
	q.Bucket = time.Duration(bucket) * time.Second
	res, err := s.History.Query(ctx, q)
	switch {
	case errors.Is(err, telemetry.ErrInvalid), errors.Is(err, telemetry.ErrTooMuch):
		return nil, huma.Error422UnprocessableEntity(err.Error())
	case err != nil:
		return nil, s.fail("reading history", err)
	}
	return &struct{ Body historyBody }{table(q, bucket, res)}, nil
}

// table lays the series on one common row of times.
func table(q telemetry.Query, bucket int, res telemetry.Result) historyBody {
	b := historyBody{From: q.From.UTC(), To: q.To.UTC(), Bucket: bucket, Times: []int64{}, Series: []Series{}}
	for _, r := range res.Resolutions {
		b.Resolutions = append(b.Resolutions, fmt.Sprint(r))
	}
	first := q.From.Unix() / int64(bucket) * int64(bucket)
	for t := first; t < q.To.Unix(); t += int64(bucket) {
		b.Times = append(b.Times, t)
	}
	for _, s := range res.Series {
		line := Series{Metric: s.Metric.String(), Unit: s.Metric.Info().Unit.Symbol, Label: s.Key.Label, Machine: int64(s.Key.Machine), Values: make([]*float64, len(b.Times))}
		if q.GroupBy == telemetry.ByBoard {
			line.Board = &s.Key.Board
		}
		for _, p := range s.Points {
			if i := (p.At.Unix() - first) / int64(bucket); i >= 0 && int(i) < len(line.Values) {
				line.Values[i] = &p.Value
			}
		}
		b.Series = append(b.Series, line)
	}
	return b
}

type exportInput struct {
	Format   string    `query:"format" default:"csv" enum:"csv,jsonl,parquet"`
	Level    string    `query:"level" default:"machine" enum:"machine,board"`
	Machines []int64   `query:"machines" doc:"Only these machines, separated by commas."`
	From     time.Time `query:"from" required:"true"`
	To       time.Time `query:"to" doc:"End, not included; default now."`
}

func (s *Server) export(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	q := telemetry.ExportQuery{Format: telemetry.Format(in.Format), Level: telemetry.Level(in.Level), From: in.From, To: in.To}
	if sites := scope(ctx); !sites.All {
		q.Filter.Sites = sites.Sites
	}
	for _, id := range in.Machines {
		q.Filter.Machines = append(q.Filter.Machines, miner.ID(id))
	}
	if q.To.IsZero() {
		q.To = time.Now()
	}
	if err := q.Check(); err != nil {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	kinds := map[string]string{"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl", "parquet": "application/vnd.apache.parquet"}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		out.SetHeader("Content-Type", kinds[in.Format])
		out.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename="ballast-%s-%s.%s"`, in.Level, q.From.UTC().Format("20060102T1504Z"), in.Format))
		if _, err := s.History.Export(out.Context(), out.BodyWriter(), q); err != nil {
			s.Log.Error("exporting history", "error", err)
			// The status is sent; breaking the connection is the only way left to
			// say that the file is not whole.
			panic(http.ErrAbortHandler)
		}
	}}, nil
}
