package storagetest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"hark/storage/sqldb"
	"hark/storage/sqldb/conn"
)

// Postgres returns the URL of a fresh, migrated database, which is dropped
// when the test ends. It skips the test where there is no server, or fails it
// in CI.
func Postgres(tb testing.TB) string {
	tb.Helper()
	s := server(tb)
	return s.create(tb, "TEMPLATE "+s.template)
}

// EmptyPostgres is [Postgres] without a schema.
func EmptyPostgres(tb testing.TB) string {
	tb.Helper()
	return server(tb).create(tb, "")
}

// LimitedPostgres is the URL of an empty database whose user has no rights but
// to it, and may have at most so many connections.
func LimitedPostgres(tb testing.TB, conns int) string {
	tb.Helper()
	s := server(tb)
	role := fmt.Sprintf("hark_role_%016x", rand.Uint64())
	if err := s.run(tb.Context(), fmt.Sprintf(`CREATE ROLE %s LOGIN CONNECTION LIMIT %d`, role, conns)); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.run(context.Background(), `DROP ROLE `+role); err != nil { // the test's context is over
			tb.Errorf("drop role: %v", err)
		}
	})
	address, err := url.Parse(s.create(tb, "OWNER "+role))
	if err != nil {
		tb.Fatal(err)
	}
	address.User = url.User(role)
	return address.String()
}

// postgres is a server that tests may use.
type postgres struct {
	url      *url.URL // of its database postgres
	template string   // a migrated database
}

// theServer starts once a process; its watcher ends it with the process.
var theServer = sync.OnceValues(findServer)

var errNoServer = errors.New("no Postgres: HARK_TEST_POSTGRES is not set, and Debian's postgresql-15 is not installed")

func server(tb testing.TB) *postgres {
	tb.Helper()
	s, err := theServer()
	if errors.Is(err, errNoServer) && os.Getenv("CI") == "" {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func findServer() (*postgres, error) {
	ctx := context.Background() // the server outlives the test that needs it first
	address := os.Getenv("HARK_TEST_POSTGRES")
	if address == "" {
		var err error
		if address, err = startCluster(ctx); err != nil {
			return nil, err
		}
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("HARK_TEST_POSTGRES: %w", err)
	}
	s := &postgres{url: u}
	if err := s.makeTemplate(ctx); err != nil {
		return nil, fmt.Errorf("make template database: %w", err)
	}
	return s, nil
}

// at is the URL of a database of the server.
func (s *postgres) at(database string) string {
	u := *s.url
	u.Path = "/" + database
	return u.String()
}

// run executes statements in the server's own database, one after the other.
func (s *postgres) run(ctx context.Context, statements ...string) error {
	conn, err := pgx.Connect(ctx, s.url.String())
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", statement, err), conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}

// makeTemplate makes the migrated database that others are cloned from. On a
// shared server it is named after the schema and used again; it gets its name
// when it is whole.
func (s *postgres) makeTemplate(ctx context.Context) (err error) {
	fingerprint := fnv.New64a()
	for _, line := range conn.Schema("postgres") {
		fmt.Fprintln(fingerprint, line)
	}
	s.template = fmt.Sprintf("hark_template_%016x", fingerprint.Sum64())
	conn, err := pgx.Connect(ctx, s.url.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }() // and with it the lock
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(4812769)`); err != nil {
		return err
	}
	var exists bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)`, s.template).Scan(&exists); err != nil || exists {
		return err
	}
	draft := fmt.Sprintf("hark_draft_%016x", rand.Uint64())
	if _, err := conn.Exec(ctx, `CREATE DATABASE `+draft); err != nil {
		return err
	}
	if err := migrate(ctx, s.at(draft)); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `ALTER DATABASE `+draft+` RENAME TO `+s.template)
	return err
}

func migrate(ctx context.Context, url string) error {
	db, err := sqldb.Open(ctx, sqldb.Config{URL: url, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return errors.Join(db.Migrate(ctx), db.Close())
}

// create makes a database that is dropped when the test ends.
func (s *postgres) create(tb testing.TB, options string) string {
	tb.Helper()
	name := fmt.Sprintf("hark_test_%016x", rand.Uint64())
	if err := s.run(tb.Context(), `CREATE DATABASE `+name+` `+options); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.run(context.Background(), `DROP DATABASE `+name+` WITH (FORCE)`); err != nil { // the test's context is over
			tb.Errorf("drop database: %v", err)
		}
	})
	return s.at(name)
}
