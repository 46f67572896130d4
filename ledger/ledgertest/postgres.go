//go:build unix

package ledgertest

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// RequirePostgres is the environment variable that makes a missing PostgreSQL
// a failure instead of a skipped test.
const RequirePostgres = "BALLAST_REQUIRE_POSTGRES"

// Postgres is a PostgreSQL server that a test started, on a Unix socket in a
// directory of its own and on no network.
type Postgres struct {
	socket string
	admin  *sql.DB
	count  atomic.Int64
}

// StartPostgres starts a server from the machine's own binaries and stops it
// when t ends. Without binaries it skips t, or fails it when BALLAST_REQUIRE_POSTGRES
// is set.
func StartPostgres(t testing.TB) *Postgres {
	t.Helper()
	bin, err := postgresBin()
	if err != nil {
		if os.Getenv(RequirePostgres) != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "ballast-pg") // not t.TempDir: a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	attr := unprivileged(t, dir)
	run := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.SysProcAttr, c.Dir = attr, dir
		c.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
		return c
	}
	data := filepath.Join(dir, "data")
	if out, err := run("initdb", "-D", data, "-U", "ballast", "-A", "trust", "-E", "UTF8", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	// A test's database need not survive the machine.
	server := run("postgres", "-D", data, "-k", dir, "-h", "", "-F", "-c", "max_connections=60", "-c", "deadlock_timeout=50ms", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB")
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- server.Wait() }()
	p := &Postgres{socket: dir}
	if p.admin, err = sql.Open("pgx", p.dsn("public")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.admin.Close()
		_ = server.Process.Signal(syscall.SIGINT) // fast shutdown; gone already is fine
		select {
		case <-exited:
		case <-time.After(20 * time.Second):
			_ = server.Process.Signal(syscall.SIGQUIT)
			<-exited
		}
		if t.Failed() {
			t.Logf("postgres said:\n%s", log.Bytes())
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for p.admin.PingContext(ctx) != nil {
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("postgres ended: %v\n%s", err, log.Bytes())
		case <-ctx.Done():
			t.Fatal("postgres does not answer")
		case <-time.After(20 * time.Millisecond):
		}
	}
	return p
}

// Schema makes an empty schema and returns how to reach it as if it were a
// database of its own. (A real one costs a second: it is a copy of 300 files.)
func (p *Postgres) Schema(t testing.TB) (dsn string) {
	t.Helper()
	name := fmt.Sprintf("ledger%d", p.count.Add(1))
	if _, err := p.admin.ExecContext(context.Background(), "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	return p.dsn(name)
}

func (p *Postgres) dsn(schema string) string {
	return "postgres://ballast@/postgres?" + url.Values{"host": {p.socket}, "search_path": {schema}}.Encode()
}

// postgresBin finds the newest installed server.
func postgresBin() (string, error) {
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian's place
	if err != nil {
		return "", err
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	slices.SortFunc(dirs, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	if len(dirs) > 0 {
		return filepath.Dir(dirs[0]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("no PostgreSQL server is installed (on Debian: apt-get install postgresql)")
}

// unprivileged gives dir to the user that runs the server: ourselves, or
// "postgres" when we are root, whom PostgreSQL refuses.
func unprivileged(t testing.TB, dir string) *syscall.SysProcAttr {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err1, err2, os.Chown(dir, uid, gid)); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}
