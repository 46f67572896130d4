package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"ballast/ledger/sqlite"
	"ballast/server"
)

type keyCmd struct {
	Add    keyAdd    `cmd:"" help:"Make an API key for a program, and print it once."`
	List   keyList   `cmd:"" help:"List the API keys."`
	Revoke keyRevoke `cmd:"" help:"Revoke an API key."`
}

type keyAdd struct {
	Name   string        `arg:"" help:"What it is for (grafana)."`
	Scopes []string      `default:"look" placeholder:"RIGHT,..." help:"What it may do: look, repair, command, configure, money, administer, portal. Never more than its owner may. Default: look."`
	For    time.Duration `placeholder:"DURATION" help:"How long it works (720h). Default: until it is revoked."`
	User   string        `placeholder:"NAME" help:"Whose key it is. Default: the account of this machine's console."`
}

func (c *keyAdd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := reachServer(common)
	if err != nil {
		return err
	}
	body := map[string]any{"name": c.Name, "scopes": c.Scopes}
	if c.For < 0 {
		return fmt.Errorf("%w: --for must be longer than nothing", errUsage)
	}
	if c.For > 0 {
		body["expires"] = time.Now().Add(c.For).UTC().Format(time.RFC3339)
	}
	if c.User != "" {
		body["user"] = c.User
	}
	var key server.NewKey
	if err := cl.call(ctx, http.MethodPost, "/api/v1/keys", body, &key); err != nil {
		return err
	}
	if common.JSON {
		return s.json(key)
	}
	// The key alone on standard output, so that it can be piped; the words beside.
	fmt.Fprintf(s.err, "Key %d of %s, %s. It is shown this once:\n", key.ID, key.Owner, until(key.KeyInfo))
	fmt.Fprintln(s.out, key.Key)
	return nil
}

type keyList struct {
	All bool `help:"Those that ended, too."`
}

func (c *keyList) Run(ctx context.Context, common *common, s *streams) error {
	keys, err := listKeys(ctx, common, c.All)
	if err != nil {
		return err
	}
	if common.JSON {
		return s.json(keys)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tOWNER\tMAY\tBEGINS\tWORKS\tLAST USED")
	for _, k := range keys {
		may := make([]string, len(k.Scopes))
		for i, r := range k.Scopes {
			may[i] = string(r)
		}
		used := "never"
		if !k.LastUsed.IsZero() {
			used = k.LastUsed.Local().Format("2006-01-02 15:04")
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, printable(k.Name), printable(k.Owner), strings.Join(may, ","), k.Prefix, until(k), used)
	}
	return w.Flush()
}

func listKeys(ctx context.Context, common *common, ended bool) ([]server.KeyInfo, error) {
	cl, err := reachServer(common)
	if err != nil {
		return nil, err
	}
	keys := []server.KeyInfo{}
	if err := cl.call(ctx, http.MethodGet, "/api/v1/keys?of=everybody", nil, &keys); err != nil {
		return nil, err
	}
	if !ended {
		keys = slices.DeleteFunc(keys, func(k server.KeyInfo) bool {
			return !k.Revoked.IsZero() || !k.Expires.IsZero() && time.Now().After(k.Expires)
		})
	}
	return keys, nil
}

func until(k server.KeyInfo) string {
	switch {
	case !k.Revoked.IsZero():
		return "revoked " + k.Revoked.Local().Format("2006-01-02")
	case k.Expires.IsZero():
		return "until revoked"
	case time.Now().After(k.Expires):
		return "expired " + k.Expires.Local().Format("2006-01-02")
	}
	return "until " + k.Expires.Local().Format("2006-01-02 15:04")
}

// printable takes what a terminal would obey out of a name.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

type keyRevoke struct {
	Key string `arg:"" help:"Its number, or how it begins (blst_…)."`
}

func (c *keyRevoke) Run(ctx context.Context, common *common, s *streams) error {
	keys, err := listKeys(ctx, common, false)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys, func(k server.KeyInfo) bool { return c.Key == strconv.FormatInt(k.ID, 10) || c.Key == k.Prefix })
	if i < 0 {
		return fmt.Errorf("%w: there is no working key %q; see `ballast key list`", errUsage, c.Key)
	}
	if keys[i].Owner == server.ConsoleAccount && keys[i].Name == server.ConsoleAccount {
		return fmt.Errorf("%w: this is the key that these commands use; it is made anew at each start", errUsage)
	}
	cl, err := reachServer(common)
	if err != nil {
		return err
	}
	if err := cl.call(ctx, http.MethodDelete, "/api/v1/keys/"+strconv.FormatInt(keys[i].ID, 10), nil, nil); err != nil {
		return err
	}
	if common.JSON {
		return s.json(map[string]any{"revoked": keys[i].ID, "name": keys[i].Name})
	}
	fmt.Fprintf(s.out, "Key %d (%s of %s) is revoked.\n", keys[i].ID, printable(keys[i].Name), printable(keys[i].Owner))
	return nil
}

func reachServer(common *common) (*client, error) {
	cfg, err := common.config()
	if err != nil {
		return nil, err
	}
	return connect(cfg.Data)
}

type backupCmd struct {
	File string `arg:"" type:"path" help:"Where to write the copy. It must not exist yet."`
}

// Run copies the record as it is at one instant while `ballast run` goes on
// writing, opens the copy, and verifies its audit log: a backup that cannot be
// read is none.
func (c *backupCmd) Run(ctx context.Context, common *common, s *streams) error {
	cfg, err := common.config()
	if err != nil {
		return err
	}
	if cfg.Ledger.Engine == "postgres" {
		return fmt.Errorf("%w: this record is in PostgreSQL, which has its own tools: pg_dump --format=custom --file=FILE \"$BALLAST_LEDGER_URL\" for a copy, pg_basebackup and WAL archiving for every instant", errUsage)
	}
	if _, err := os.Stat(ledgerPath(cfg)); err != nil {
		return fmt.Errorf("%w: there is no record in %s", errUsage, filepath.Dir(ledgerPath(cfg)))
	}
	begun := time.Now()
	record, err := sqlite.Open(ctx, ledgerPath(cfg), sqlite.Options{})
	if err != nil {
		return fmt.Errorf("opening the record: %w", err)
	}
	defer func() { _ = record.Close() }() // only read from
	if err := record.Backup(ctx, c.File); err != nil {
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("%w: %s exists already; a backup never overwrites one", errUsage, c.File)
		}
		return err
	}
	copied, err := sqlite.Open(ctx, c.File, sqlite.Options{})
	if err != nil {
		return fmt.Errorf("opening the copy: %w", err)
	}
	head, err := copied.VerifyAudit(ctx)
	if err = errors.Join(err, copied.Close()); err != nil {
		return fmt.Errorf("the copy was written, but: %w", err)
	}
	info, err := os.Stat(c.File)
	if err != nil {
		return err
	}
	if common.JSON {
		return s.json(map[string]any{"file": c.File, "bytes": info.Size(), "audit": head, "took_s": time.Since(begun).Seconds()})
	}
	fmt.Fprintf(s.out, "%s: %d bytes; its audit log is whole, %d rows (%s).\nThis is the record; the history is in %s.\n", c.File, info.Size(), head.Seq, head.Hash, telemetryPath(cfg))
	return nil
}
