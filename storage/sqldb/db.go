package sqldb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"hark/storage"
)

const (
	readTimeout   = 10 * time.Second
	searchTimeout = 5 * time.Second
	writeTimeout  = 30 * time.Second
)

// Config says where the database is.
type Config struct {
	// URL is sqlite:///path/hark.db (or sqlite://relative/path.db), whose
	// folder is made when it is missing, or postgres://….
	URL    string
	Logger *slog.Logger // nil means slog.Default

	SlowQuery time.Duration // operations that take longer are logged; 0 means 500 ms
	MaxConns  int           // connections to Postgres, or SQLite readers, at the most; at least 2; 0 means 4 a CPU and at least 8

	// Secrets, when not nil, keeps the secrets of the instance: the key of
	// cursors and the API's signing key. Nil means that the database does, and
	// that is how nodes share them.
	Secrets secretSource

	// Clock is the process's clock, which times the records on SQLite; those on
	// Postgres are timed by its server's. Nil means time.Now.
	Clock func() time.Time

	// OnCommit, when not nil, is told what happened in a workspace right after
	// it was committed, in the goroutine that changed it. It must not block.
	// Concurrent changes may tell out of order; Event.Seq has the order.
	OnCommit func(workspaceID string, events []storage.Event)
}

// DB keeps Hark's records. All methods are safe for concurrent use.
type DB struct {
	writer  *sqlx.DB
	reader  *sqlx.DB // the writer itself on Postgres
	dialect dialect

	log      *slog.Logger
	slow     time.Duration
	onCommit func(string, []storage.Event)
	secrets  secretSource // nil: in the database
	clock    *steadyClock
	maxIdle  int // connections that the writer keeps

	eraseFrom time.Time // before it EraseDeleted rests; its caller's alone
	health    health

	searching  chan struct{} // holds a token for each search under way
	workspaces sync.Map      // workspace id -> its number; neither ever changes

	sealMu sync.Mutex
	seal   *cursorSeal // nil until the first cursor
}

// Open connects to the database. It runs no migration; see [DB.Migrate]. A
// server that does not answer, or still starts, is storage.ErrUnreachable.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	db := &DB{
		log: cfg.Logger, slow: cfg.SlowQuery, onCommit: cfg.OnCommit, secrets: cfg.Secrets, clock: newSteadyClock(cfg.Clock),
		searching: make(chan struct{}, max(2, runtime.GOMAXPROCS(0))),
	}
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

// Dialect is "sqlite" or "postgres".
func (db *DB) Dialect() string { return db.dialect.name() }

// Close waits for what is under way and closes the connections.
func (db *DB) Close() error {
	var err error
	if db.reader != nil && db.reader != db.writer {
		err = db.reader.Close()
	}
	return errors.Join(err, db.writer.Close())
}

// workspaceNo is the number of a workspace.
func (db *DB) workspaceNo(ctx context.Context, id string) (int64, error) {
	if no, ok := db.workspaces.Load(id); ok {
		return no.(int64), nil
	}
	var no int64
	err := db.read(ctx, "find workspace", func(ctx context.Context, s session) error {
		return s.get(ctx, &no, `SELECT no FROM workspaces WHERE id = ?`, id)
	})
	if err != nil {
		return 0, err
	}
	db.workspaces.Store(id, no)
	return no, nil
}

// toMS is t as it stands in a column; the zero time is 0.
func toMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMS is the time that stands in a column.
func fromMS(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// clean makes text fit for both databases: valid UTF-8 without NUL.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}
