package sqldb

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"

	"hark/storage"
	"hark/storage/sqldb/conn"
	"hark/storage/sqldb/cursor"
)

const searchTimeout = 5 * time.Second

// Config says where the database is, and what is called after changes.
type Config struct {
	URL       string           // see [conn.Config]
	Logger    *slog.Logger     // nil means slog.Default
	SlowQuery time.Duration    // see [conn.Config]
	MaxConns  int              // see [conn.Config]
	Clock     func() time.Time // see [conn.Config]

	// Secrets, when not nil, keeps the secrets of the instance: the key of
	// cursors and the API's signing key. Nil means that the database does, and
	// that is how nodes share them.
	Secrets secretSource

	// OnCommit, when not nil, is called with what happened in a workspace right
	// after it was committed, in the goroutine that changed it. It must not block.
	// Concurrent changes may call it out of order; Event.Seq has the order.
	OnCommit func(workspaceID string, events []storage.Event)

	// OnJobs, when not nil, is called in the same way with jobs that wait: they
	// are to be put in the queue. One that is not put there is found by DueJobs.
	OnJobs func(jobs []storage.JobRef)
}

// DB keeps Hark's records. All methods are safe for concurrent use.
type DB struct {
	conn *conn.DB

	log      *slog.Logger
	onCommit func(string, []storage.Event)
	onJobs   func([]storage.JobRef)
	secrets  secretSource // nil: in the database

	eraseFrom time.Time // before it EraseDeleted rests; its caller's alone

	searching  chan struct{} // holds a token for each search under way
	workspaces sync.Map      // workspace id -> its number; neither ever changes

	sealMu sync.Mutex
	seal   *cursor.Seal // nil until the first cursor
}

// Open connects to the database, as [conn.Open] says.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	pools, err := conn.Open(ctx, conn.Config{
		URL: cfg.URL, Logger: cfg.Logger, SlowQuery: cfg.SlowQuery, MaxConns: cfg.MaxConns, Clock: cfg.Clock,
	})
	if err != nil {
		return nil, err
	}
	return &DB{
		conn: pools, log: cfg.Logger, onCommit: cfg.OnCommit, onJobs: cfg.OnJobs, secrets: cfg.Secrets,
		searching: make(chan struct{}, max(2, runtime.GOMAXPROCS(0))),
	}, nil
}

// Close waits for what is under way and closes the connections.
func (db *DB) Close() error { return db.conn.Close() }

// Dialect is conn.SQLite or conn.Postgres.
func (db *DB) Dialect() string { return db.conn.Dialect().Name() }

// Migrate brings the schema to the newest version; see [conn.DB.Migrate].
func (db *DB) Migrate(ctx context.Context) error { return db.conn.Migrate(ctx) }

// SchemaVersion returns the version that the database has, and the newest that
// this build knows.
func (db *DB) SchemaVersion(ctx context.Context) (have, newest int64, err error) {
	return db.conn.SchemaVersion(ctx)
}

// Ping asks whether the database answers and takes changes; see [conn.DB.Ping].
func (db *DB) Ping(ctx context.Context) error { return db.conn.Ping(ctx) }

// Now is the time of the database's clock.
func (db *DB) Now(ctx context.Context) (time.Time, error) { return db.conn.Now(ctx) }

// Vacuum gathers statistics; see [conn.DB.Vacuum].
func (db *DB) Vacuum(ctx context.Context) error { return db.conn.Vacuum(ctx) }

// workspaceNo is the number of a workspace.
func (db *DB) workspaceNo(ctx context.Context, id string) (int64, error) {
	if no, ok := db.workspaces.Load(id); ok {
		return no.(int64), nil
	}
	var no int64
	err := db.read(ctx, "find workspace", func(ctx context.Context, s session) error {
		return s.Get(ctx, &no, `SELECT no FROM workspaces WHERE id = ?`, id)
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

// cursors returns the seal of this instance, reading its key the first time.
func (db *DB) cursors(ctx context.Context) (*cursor.Seal, error) {
	db.sealMu.Lock()
	defer db.sealMu.Unlock()
	if db.seal != nil {
		return db.seal, nil
	}
	key, err := db.secret(ctx, cursorKey)
	if err != nil {
		return nil, err
	}
	db.seal, err = cursor.New(key)
	return db.seal, err
}

// pages is what a list needs whose pages a principal asks for: the number of the
// workspace, and the seal of its cursors.
func (db *DB) pages(ctx context.Context, principal storage.Principal) (workspaceNo int64, seal *cursor.Seal, err error) {
	if workspaceNo, err = db.workspaceNo(ctx, principal.WorkspaceID); err != nil {
		return 0, nil, err
	}
	seal, err = db.cursors(ctx)
	return workspaceNo, seal, err
}

// pageLimit is how many items a page has at the most.
func pageLimit(p storage.Page, standard, most int) int {
	if p.Limit <= 0 {
		return standard
	}
	return min(p.Limit, most)
}
