package forecast

import (
	"encoding/csv"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ballast/learn"
)

// data is the folder of the shared data, or a skip.
func data(t testing.TB, parts ...string) string {
	t.Helper()
	root := os.Getenv("BALLAST_SHARED")
	if root == "" {
		root = "../../shared"
	}
	path := filepath.Join(append([]string{root, "data"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skip("the shared data are not here")
	}
	return path
}

func market(t testing.TB, name string) *Panel {
	t.Helper()
	f, err := os.Open(data(t, "epf", name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := ReadEPF(f, name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// published are the paper's own forecasts of one model, hour by hour.
func published(t testing.TB, name, model string) []float64 {
	t.Helper()
	f, err := os.Open(data(t, "epf", "Forecasts_"+name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	c := slices.Index(rows[0], model)
	var out []float64
	for _, r := range rows[1:] {
		v, err := strconv.ParseFloat(r[c], 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// A few days against the paper's own forecasts; `ballast bench epf` does all.
func TestLEARIsThePublishedOne(t *testing.T) {
	for _, name := range []string{"NP", "PJM", "DE"} {
		p := market(t, name)
		start := p.Days() - 728
		want := published(t, name, "LEAR 1092")
		apart := 0.0
		days := []int{0, 1, 200, 500, 727}
		for _, d := range days {
			got, err := LEAR{Window: 1092, Workers: 2}.Forecast(p, start+d)
			if err != nil {
				t.Fatal(err)
			}
			for h, v := range got {
				apart += math.Abs(v-want[d*Hours+h]) / float64(Hours*len(days))
			}
		}
		t.Logf("%s: %.4f apart in the mean", name, apart)
		if apart > 0.06 {
			t.Errorf("%s: forecasts are %.3f away from the published ones in the mean", name, apart)
		}
	}
}

// The whole test period, on demand: BALLAST_EPF=NP,PJM,DE.
func TestLEARReproducesThePaper(t *testing.T) {
	names := os.Getenv("BALLAST_EPF")
	if names == "" {
		t.Skip("takes minutes; set BALLAST_EPF to the markets")
	}
	for name := range strings.SplitSeq(names, ",") {
		p := market(t, name)
		start := p.Days() - 728
		for _, window := range []int{56, 84, 1092, 1456} {
			want := published(t, name, "LEAR "+strconv.Itoa(window))
			var got, theirs, apart float64
			for d := range 728 {
				f, err := LEAR{Window: window, Workers: 2}.Forecast(p, start+d)
				if err != nil {
					t.Fatal(err)
				}
				for h, v := range f {
					real := p.Price[start+d][h]
					got += math.Abs(v-real) / 17472
					theirs += math.Abs(want[d*Hours+h]-real) / 17472
					apart += math.Abs(v-want[d*Hours+h]) / 17472
				}
			}
			t.Logf("%s %d: MAE %.4f, published %.4f, %.4f apart", name, window, got, theirs, apart)
		}
	}
}

// Nothing of the day itself or after it reaches a forecast.
func TestLEARSeesOnlyThePast(t *testing.T) {
	p := market(t, "NP")
	const d = 200
	before, err := LEAR{Window: 84}.Forecast(p, d)
	if err != nil {
		t.Fatal(err)
	}
	cut := &Panel{First: p.First, Price: p.Price[:d], Names: p.Names}
	for _, k := range p.Known {
		cut.Known = append(cut.Known, k[:d+1])
	}
	after, err := LEAR{Window: 84, Workers: 3}.Forecast(cut, d)
	if err != nil {
		t.Fatal(err)
	}
	if before != after {
		t.Error("the forecast changes when the future is cut away")
	}
	if _, err := (LEAR{Window: 84}).Forecast(p, 80); !errors.Is(err, ErrTooShort) {
		t.Error(err)
	}
}

func TestReadEPFSaysWhatIsWrong(t *testing.T) {
	good := "Date, Price, A, B\n2013-01-01 00:00:00,1,2,3\n2013-01-01 01:00:00,1,2,3\n"
	if p, err := ReadEPF(strings.NewReader(good), "x"); err != nil || p.Days() != 1 || p.Names[1] != "B" {
		t.Error(p, err)
	}
	for name, text := range map[string]string{
		"line 1":           "Date,Price\n",
		"line 2":           "Date,Price,A,B\nyesterday,1,2,3\n",
		"midnight":         "Date,Price,A,B\n2013-01-01 05:00:00,1,2,3\n",
		"line 3":           "Date,Price,A,B\n2013-01-01 00:00:00,1,2,3\n2013-01-01 02:00:00,1,2,3\n",
		"line 2, column 3": "Date,Price,A,B\n2013-01-01 00:00:00,1,x,3\n",
		"no hours":         "Date,Price,A,B\n",
		"header":           "",
	} {
		if _, err := ReadEPF(strings.NewReader(text), "x"); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadEPF(f *testing.F) {
	f.Add("Date, Price, A, B\n2013/1/1 0:00,1,2,3\n")
	f.Add(",Price,A,B\n2012-01-09 00:00:00,34.97,16382.0,3569.5275\n")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ReadEPF(strings.NewReader(s), "x")
		if err == nil && (p.Days() == 0 || len(p.Known[0]) != p.Days()) {
			t.Error("a panel without days")
		}
	})
}

func BenchmarkLEAR(b *testing.B) {
	p := market(b, "PJM")
	for _, w := range []int{84, 1456} {
		b.Run(strconv.Itoa(w), func(b *testing.B) {
			d := p.Days() - 728
			for b.Loop() {
				if _, err := (LEAR{Window: w}).Forecast(p, d); err != nil {
					b.Fatal(err)
				}
				d++
			}
		})
	}
}

// The selected middle is that of the sorted values.
func TestMedian(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(-9, 9).Draw(t, "v")) / 2 }), 1, 60).Draw(t, "values")
		sorted := learn.Sorted(v)
		n := len(v)
		want := (sorted[(n-1)/2] + sorted[n/2]) / 2
		if got := median(v); got != want {
			t.Fatalf("%v of %v, want %v", got, sorted, want)
		}
	})
}
