package cgminer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// captured reads a folder of saved replies, and skips when it is not there.
func captured(t *testing.T, parts ...string) miner.Replies {
	t.Helper()
	shared := os.Getenv("BALLAST_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	dir := filepath.Join(append([]string{shared, "captures"}, parts...)...)
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("no captures here")
	}
	replies := miner.Replies{}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".json")
		if strings.HasSuffix(name, "_parsed") {
			continue
		}
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		replies[name] = raw
	}
	return replies
}

// The generic driver must make sense of machines whose own driver is not asked.
func TestForeignCaptures(t *testing.T) {
	r, err := cgminer.New().Parse(captured(t, "luxos"))
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	check("state", r.State, miner.Hashing)
	check("model", r.Identity.Model, "Antminer S19k Pro")
	check("hashrate", r.HashrateNow.Or(0).TH(), 59.75606)
	check("average", r.HashrateAverage.Or(0).TH(), 56.91791)
	check("accepted", r.Accepted.Or(0), int64(1483))
	check("rejected", r.Rejected.Or(-1), int64(1))
	check("best share", r.BestShare.Or(0), 32768.0)
	check("boards", len(r.Boards), 3)
	check("fans", len(r.Fans), 4)
	if len(r.Boards) == 3 {
		b := r.Boards[1]
		check("chips", b.Chips.Or(0), 77)
		check("board hashrate", b.Hashrate.Or(0).TH(), 18.93995)
		check("board temperature", float64(b.TempBoard.Or(0)), 47.0)
		check("frequency", b.Frequency.Or(0).MHz(), 300.0)
	}
	check("pool", r.Pools[0].URL, "stratum+tcp://ca.stratum.braiins.com:3333")
	check("pool alive", r.Pools[0].Alive.Or(false), true)
	check("difficulty", r.Pools[0].Difficulty.Or(0), 32768.0)

	q, err := cgminer.New().Parse(captured(t, "avalon"))
	if err != nil {
		t.Fatal(err)
	}
	check("Avalon's average", q.HashrateAverage.Or(0).TH(), 44.53960186)
	check("Avalon's elapsed", int(q.MinerUptime.Or(0).Seconds()), 37714)
}
