package storagetest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const debianBinaries = "/usr/lib/postgresql/15/bin"

// watcher makes and runs a server until its own standard input ends, which
// the kernel brings about when the test process goes, and removes its folder.
// Nothing is synced: the folder never outlives the machine's running.
const watcher = `
bin=$1 dir=$2
trap 'rm -rf "$dir"' EXIT
"$bin/initdb" --no-sync -A trust -U hark -E UTF8 --locale=C -D "$dir/data" || exit 1
"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off -c full_page_writes=off \
	-c synchronous_commit=off -c max_connections=200 -c shared_buffers=256MB </dev/null &
cat >/dev/null
kill -INT $!
wait $!
`

// startCluster starts a private server and returns its URL. Postgres refuses
// to run as root, so root starts it as the user postgres.
func startCluster(ctx context.Context) (string, error) {
	if _, err := os.Stat(filepath.Join(debianBinaries, "postgres")); err != nil {
		return "", errNoServer
	}
	dir, err := os.MkdirTemp("", "harkpg")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("/bin/sh", "-c", watcher, "watcher", debianBinaries, dir) //nolint:noctx // ends with the process
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt from the terminal is the tests' alone
	if os.Geteuid() == 0 {
		if cmd.SysProcAttr.Credential, err = own(dir, "postgres"); err != nil {
			return "", err
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", err
	}
	defer log.Close() //nolint:errcheck // the watcher has its own
	cmd.Stdout, cmd.Stderr = log, log
	if _, err := cmd.StdinPipe(); err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start Postgres: %w", err)
	}
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	query := url.Values{"host": {dir}, "sslmode": {"disable"}}
	address := (&url.URL{Scheme: "postgres", User: url.User("hark"), Path: "/postgres", RawQuery: query.Encode()}).String()
	return address, awaitServer(ctx, address, gone)
}

// own gives dir to a user, and returns how to run as that user.
func own(dir, name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, int(uid), int(gid))
}

// awaitServer asks until the server answers.
func awaitServer(ctx context.Context, address string, gone <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		conn, err := pgx.Connect(ctx, address)
		if err == nil {
			tick.Stop()
			return conn.Close(ctx)
		}
		select {
		case ended := <-gone:
			return fmt.Errorf("private Postgres ended: %w", ended)
		case <-ctx.Done():
			return fmt.Errorf("private Postgres does not answer: %w", err)
		case <-tick.C:
		}
	}
}
