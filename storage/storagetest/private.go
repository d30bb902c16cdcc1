package storagetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Cluster is a Postgres server of one test, which may do to it what happens to
// servers. Its methods fail the test when they fail.
type Cluster struct {
	tb         testing.TB
	dir        string
	credential *syscall.Credential // nil: as this process
}

// NewCluster makes a server and starts it. It ends with the test. It skips the
// test where there is no Postgres, or fails it in CI.
func NewCluster(tb testing.TB) *Cluster {
	tb.Helper()
	if _, err := os.Stat(filepath.Join(debianBinaries, "postgres")); err != nil {
		if os.Getenv("CI") == "" {
			tb.Skip(errNoServer)
		}
		tb.Fatal(errNoServer)
	}
	c := &Cluster{tb: tb}
	var err error
	if c.dir, err = os.MkdirTemp("", "harkpg"); err != nil { // a socket's path must be short
		tb.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if c.credential, err = own(c.dir, "postgres"); err != nil {
			tb.Fatal(err)
		}
	}
	c.watch()
	c.run("initdb", "--no-sync", "-A", "trust", "-U", "hark", "-E", "UTF8", "--locale=C")
	c.Start()
	return c
}

// URL is the address of the server's database postgres.
func (c *Cluster) URL() string {
	query := url.Values{"host": {c.dir}, "sslmode": {"disable"}}
	return (&url.URL{Scheme: "postgres", User: url.User("hark"), Path: "/postgres", RawQuery: query.Encode()}).String()
}

// Start starts the server, and returns when it answers.
func (c *Cluster) Start() {
	c.tb.Helper()
	c.run("pg_ctl", "-w", "-l", filepath.Join(c.dir, "server.log"),
		"-o", "-k "+c.dir+" -c listen_addresses= -c fsync=off -c full_page_writes=off -c shared_buffers=32MB", "start")
}

// Stop stops the server, and breaks what connections there are.
func (c *Cluster) Stop() {
	c.tb.Helper()
	c.run("pg_ctl", "-w", "-m", "fast", "stop")
}

// Demote starts the server anew as a standby, which takes no changes.
func (c *Cluster) Demote() {
	c.tb.Helper()
	c.Stop()
	if err := os.WriteFile(filepath.Join(c.dir, "data", "standby.signal"), nil, 0o644); err != nil {
		c.tb.Fatal(err)
	}
	c.Start()
}

// Promote makes a standby the primary, without breaking a connection.
func (c *Cluster) Promote() {
	c.tb.Helper()
	c.run("pg_ctl", "-w", "promote")
}

// Set changes a setting of the server, for the connections there are too: they
// have it with their next statement. The server reads its file some time after
// it is asked to, and signals all connections before it takes a new one, so one
// that has the value says that they know.
func (c *Cluster) Set(setting, value string) {
	c.tb.Helper()
	Exec(c.tb, c.URL(), `SET default_transaction_read_only = off`, fmt.Sprintf(`ALTER SYSTEM SET %s = '%s'`, setting, value), `SELECT pg_reload_conf()`)
	ctx, cancel := context.WithTimeout(c.tb.Context(), time.Minute)
	defer cancel()
	for tick := time.NewTicker(5 * time.Millisecond); c.setting(ctx, setting) != value; <-tick.C {
		if ctx.Err() != nil {
			c.tb.Fatalf("%s is not %s: %v", setting, value, ctx.Err())
		}
	}
}

// setting is what a new connection has.
func (c *Cluster) setting(ctx context.Context, name string) (value string) {
	c.tb.Helper()
	conn, err := pgx.Connect(ctx, c.URL())
	if err == nil {
		err = errors.Join(conn.QueryRow(ctx, `SELECT current_setting($1)`, name).Scan(&value), conn.Close(ctx))
	}
	if err != nil {
		c.tb.Fatalf("ask for %s: %v", name, err)
	}
	return value
}

// run runs one of Postgres's programs on the server's folder.
func (c *Cluster) run(program string, args ...string) {
	c.tb.Helper()
	cmd := exec.Command(filepath.Join(debianBinaries, program), append([]string{"-D", filepath.Join(c.dir, "data")}, args...)...) //nolint:noctx // bounds itself
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.credential}
	log, err := os.CreateTemp("", "harkpg-*.log") // not a pipe, which the server would hold open
	if err != nil {
		c.tb.Fatal(err)
	}
	defer os.Remove(log.Name())
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())
		server, _ := os.ReadFile(filepath.Join(c.dir, "server.log"))
		c.tb.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, said, server)
	}
}

// watch ends the server and removes its folder at the test's end, or when the
// test process is gone.
func (c *Cluster) watch() {
	const script = `cat >/dev/null; "$1/pg_ctl" -D "$2/data" -m immediate stop; rm -rf "$2"`
	cmd := exec.Command("/bin/sh", "-c", script, "watcher", debianBinaries, c.dir) //nolint:noctx // ends with its input
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.credential}
	input, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.tb.Fatal(errors.Join(err, os.RemoveAll(c.dir)))
	}
	c.tb.Cleanup(func() {
		_ = input.Close()
		_ = cmd.Wait() // the server may be stopped already
	})
}
