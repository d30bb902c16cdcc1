package storagetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

var errNoPooler = errors.New("no pgbouncer: Debian's package pgbouncer is not installed")

// poolerConfig is pgbouncer's as Debian has it, as far as it matters to a
// client: nothing is ignored that a client may send when it starts.
const poolerConfig = `[databases]
* = host=%s port=%d
[pgbouncer]
unix_socket_dir = %s
listen_port = 6432
auth_type = trust
auth_file = %s
pool_mode = %s
default_pool_size = 8
max_client_conn = 300
logfile = %s
pidfile = %s
`

// Pooler starts a pgbouncer in front of a database, in a pool mode (session,
// transaction or statement) and with more settings, and returns the URL through it. It ends with the
// test. It skips the test where there is no pgbouncer, or fails it in CI.
func Pooler(tb testing.TB, database, mode string, settings ...string) string {
	tb.Helper()
	address, err := startPooler(tb, database, mode, settings)
	if errors.Is(err, errNoPooler) && os.Getenv("CI") == "" {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return address
}

func startPooler(tb testing.TB, database, mode string, settings []string) (string, error) {
	binary, err := exec.LookPath("pgbouncer")
	if err != nil {
		if binary, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			return "", errNoPooler
		}
	}
	server, err := pgconn.ParseConfig(database)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "harkpool") // a socket's path must be short
	if err != nil {
		return "", err
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	at := func(name string) string { return filepath.Join(dir, name) }
	config := fmt.Sprintf(poolerConfig, server.Host, server.Port, dir, at("users"), mode, at("log"), at("pid")) + strings.Join(settings, "\n") + "\n"
	users := fmt.Sprintf("%q %q\n", server.User, server.Password)
	if err := errors.Join(os.WriteFile(at("ini"), []byte(config), 0o644), os.WriteFile(at("users"), []byte(users), 0o644)); err != nil {
		return "", err
	}
	cmd := exec.Command("/bin/sh", "-c", `"$1" -q "$2" </dev/null & cat >/dev/null; kill -INT $!; wait $!`, "pooler", binary, at("ini")) //nolint:noctx // ends with its input
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		if cmd.SysProcAttr.Credential, err = own(dir, "postgres"); err != nil { // pgbouncer refuses to run as root too
			return "", err
		}
	}
	input, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start pgbouncer: %w", err)
	}
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its log says why
		close(gone)
	}()
	tb.Cleanup(func() {
		input.Close() //nolint:errcheck // that it is closed is all that counts
		<-gone
	})
	query := url.Values{"host": {dir}, "port": {"6432"}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(server.User, server.Password), Path: "/" + server.Database, RawQuery: query.Encode()}
	return u.String(), awaitPooler(tb.Context(), dir, gone)
}

// awaitPooler waits until the pooler takes connections.
func awaitPooler(ctx context.Context, dir string, gone <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, ".s.PGSQL.6432"))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-gone:
			said, _ := os.ReadFile(filepath.Join(dir, "log"))
			return fmt.Errorf("pgbouncer ended: %s", said)
		case <-ctx.Done():
			return fmt.Errorf("pgbouncer does not answer: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
