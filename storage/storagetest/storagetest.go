// Package storagetest gives tests fresh databases of both kinds.
//
// SQLite lies in the test's own folder. Postgres is the server that
// HARK_TEST_POSTGRES names (a URL with the right to create databases) or,
// where Debian's PostgreSQL 15 is installed, a private server that is started
// for the test process: on a Unix socket in a folder of its own, not syncing,
// and watched by a small shell that stops it and removes its folder when the
// test process is gone, however it went. Each test gets a database of its own,
// cloned from a template that is migrated once.
//
// Where there is no Postgres, tests that ask for one are skipped, or fail when
// the environment says CI.
package storagetest

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
)

// Option changes how a database is opened.
type Option func(*sqldb.Config)

// OnCommit has fn called as sqldb.Config.OnCommit says.
func OnCommit(fn func(workspaceID string, events []storage.Event)) Option {
	return func(c *sqldb.Config) { c.OnCommit = fn }
}

// OnJobs has fn called as sqldb.Config.OnJobs says.
func OnJobs(fn func(jobs []storage.JobRef)) Option {
	return func(c *sqldb.Config) { c.OnJobs = fn }
}

// Clock has the database opened by a process whose clock is ahead of the real
// one, or behind when it is negative.
func Clock(ahead time.Duration) Option {
	return func(c *sqldb.Config) { c.Clock = func() time.Time { return time.Now().Add(ahead) } }
}

// Conns bounds the connections.
func Conns(n int) Option {
	return func(c *sqldb.Config) { c.MaxConns = n }
}

// New returns a fresh, migrated database on SQLite.
func New(tb testing.TB, opts ...Option) *sqldb.DB {
	tb.Helper()
	db := Open(tb, SQLite(tb), opts...)
	if err := db.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return db
}

// NewPostgres returns a fresh, migrated database on Postgres.
func NewPostgres(tb testing.TB, opts ...Option) *sqldb.DB {
	tb.Helper()
	return Open(tb, Postgres(tb), opts...)
}

// Each runs a test on a fresh, migrated database of each kind.
func Each(t *testing.T, test func(t *testing.T, db *sqldb.DB), opts ...Option) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, New(t, opts...)) })
	t.Run("postgres", func(t *testing.T) { test(t, NewPostgres(t, opts...)) })
}

// SQLite returns the URL of a database that does not exist yet.
func SQLite(tb testing.TB) string {
	tb.Helper()
	return "sqlite://" + filepath.Join(tb.TempDir(), "hark.db")
}

// Open opens a database without migrating it; it is closed when the test ends.
func Open(tb testing.TB, url string, opts ...Option) *sqldb.DB {
	tb.Helper()
	cfg := sqldb.Config{URL: url, Logger: slog.New(slog.DiscardHandler)}
	for _, o := range opts {
		o(&cfg)
	}
	db, err := sqldb.Open(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close database: %v", err)
		}
	})
	return db
}

// NewerSchema makes the schema of an empty database newer, by so many versions,
// than this build knows, and returns the newest that it does know.
func NewerSchema(tb testing.TB, url string, by int64) (db *sqldb.DB, newest int64) {
	tb.Helper()
	db = Open(tb, url)
	if err := db.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	_, newest, err := db.SchemaVersion(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	Exec(tb, url, fmt.Sprintf(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, TRUE)`, newest+by))
	return db, newest
}
