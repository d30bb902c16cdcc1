// Package conn is the connection to Hark's database, SQLite or Postgres: pools,
// transactions, the schema, the clock, and what the driver's errors mean.
//
// SQL is written once, with ? placeholders, on the common ground of both. What
// is written differently a [Dialect] knows. A question is asked of a [Session],
// which [DB.Read] and [DB.Write] hand to a function; errors that mean something
// to Hark are storage's sentinels from then on. Package search has its own
// statements by dialect; what the records mean is package sqldb's affair.
//
// # Two databases
//
// SQLite has one writer connection and a pool of readers; a commit is on the
// disk (WAL, synchronous=FULL) before it is answered. What is deleted there is
// overwritten (secure_delete).
//
// Where a pooler stands before Postgres, which Open finds out, nothing is asked
// of a connection that the pooler would not keep: no start-up parameters, no
// statements prepared for later, and never a lock of a session. Changes need
// transactions, so pgbouncer serves in its modes transaction and session, and
// is refused at the start in mode statement. Only what Postgres 13 has is used.
//
// # One clock
//
// Everything that nodes compare (leases, due times, the ends of credentials) is
// timed by one clock, that of the database: Postgres's own, and on SQLite, which
// one process writes, that process's. A node whose own clock is wrong takes
// nothing from others and loses nothing to them.
//
// # When the database is away
//
// A server that is not there, restarts, has no connection to spare, gives up a
// statement or takes no changes, and a file that cannot be written, is
// [storage.ErrUnreachable]. What surely changed nothing is tried again for a
// third of a second: all reads, and changes up to their COMMIT. A COMMIT whose
// answer was lost is not: it may have been done, and who asked finds out by
// asking again under the same idempotency key. [DB.Ping] makes a small change
// now and then, so that readiness shows a full disk as it does a standby.
package conn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// Config says where the database is.
type Config struct {
	// URL is sqlite:///path/hark.db (or sqlite://relative/path.db), whose
	// folder is made when it is missing, or postgres://….
	URL    string
	Logger *slog.Logger // nil means slog.Default

	SlowQuery time.Duration // operations that take longer are logged; 0 means 500 ms
	MaxConns  int           // connections to Postgres, or SQLite readers, at the most; at least 2; 0 means 4 a CPU and at least 8

	// Clock is the process's clock, which times the records on SQLite; those on
	// Postgres are timed by its server's. Nil means time.Now.
	Clock func() time.Time
}

// DB is a database. All methods are safe for concurrent use.
type DB struct {
	writer  *sqlx.DB
	reader  *sqlx.DB // the writer itself on Postgres
	dialect Dialect

	log     *slog.Logger
	slow    time.Duration
	clock   *steadyClock
	maxIdle int // connections that the writer keeps
	health  health
}

// Open connects to the database. It runs no migration; see [DB.Migrate]. A
// server that does not answer, or still starts, is storage.ErrUnreachable.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	db := &DB{log: cfg.Logger, slow: cfg.SlowQuery, clock: newSteadyClock(cfg.Clock)}
	if db.log == nil {
		db.log = slog.Default()
	}
	if db.slow == 0 {
		db.slow = 500 * time.Millisecond
	}
	if cfg.MaxConns == 0 {
		cfg.MaxConns = max(8, 4*runtime.GOMAXPROCS(0)) // which knows the limit of a container
	}
	cfg.MaxConns = max(2, cfg.MaxConns) // a migration runs beside its lock
	var err error
	scheme, _, _ := strings.Cut(cfg.URL, "://")
	switch scheme {
	case "sqlite":
		err = db.openSQLite(ctx, cfg)
	case "postgres", "postgresql":
		err = db.openPostgres(ctx, cfg)
	default:
		err = errors.New("the URL begins neither with sqlite:// nor with postgres://")
	}
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return db, nil
}

// Dialect is what is written differently for this database.
func (db *DB) Dialect() Dialect { return db.dialect }

// Close waits for what is under way and closes the connections.
func (db *DB) Close() error {
	var err error
	if db.reader != nil && db.reader != db.writer {
		err = db.reader.Close()
	}
	return errors.Join(err, db.writer.Close())
}

// dropIdle closes the connections that nobody uses now.
func (db *DB) dropIdle() {
	db.writer.SetMaxIdleConns(-1)
	db.writer.SetMaxIdleConns(db.maxIdle)
}
