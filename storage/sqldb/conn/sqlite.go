package conn

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jmoiron/sqlx"
	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"

	"hark/storage"
	"hark/storage/disk"
)

type sqlite struct{}

// openSQLite opens one connection to write with and a pool to read with. When
// it returns, the database file has its place in its folder on the disk.
func (db *DB) openSQLite(ctx context.Context, cfg Config) error {
	path, err := filepath.Abs(strings.TrimPrefix(cfg.URL, "sqlite://"))
	if err != nil {
		return err
	}
	if err := disk.MakeDir(filepath.Dir(path)); err != nil {
		return err
	}
	if err := keepPrivate(path); err != nil {
		return err
	}
	common := url.Values{"_busy_timeout": {"2000"}, "_foreign_keys": {"on"}, "_synchronous": {"FULL"}, "_cache_size": {"-8192"}}
	db.dialect = dialectOf(sqlite{})
	db.writer = db.openSQLitePool(path, common, url.Values{"_journal_mode": {"WAL"}, "_txlock": {"immediate"}, "_secure_delete": {"on"}}, 1)
	db.reader = db.openSQLitePool(path, common, url.Values{"mode": {"ro"}, "_query_only": {"on"}}, cfg.MaxConns)
	db.maxIdle = 1
	for _, pool := range []*sqlx.DB{db.writer, db.reader} {
		if err := pool.PingContext(ctx); err != nil {
			return errors.Join(fmt.Errorf("%s: %w%s", path, err, remedy(err)), db.Close())
		}
	}
	if err := disk.Sync(filepath.Dir(path)); err != nil {
		return errors.Join(err, db.Close())
	}
	return nil
}

// remedy is what to do about a file that cannot be read as a database; it is
// empty for other errors.
func remedy(err error) string {
	var e sqlite3.Error
	if !errors.As(err, &e) || e.Code != sqlite3.ErrCorrupt && e.Code != sqlite3.ErrNotADB {
		return ""
	}
	return ": move it aside with its -wal and -shm, then put a backup in its place, or start without one and run 'hark reindex'"
}

// keepPrivate makes the file, if it is not there, for its owner alone, and takes
// from others what permissions they have on it and on its companions. SQLite
// gives the companions that it makes the mode of the file.
func keepPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for _, companion := range []string{"", "-wal", "-shm"} {
		if err := disk.TightenFile(path + companion); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) openSQLitePool(path string, common, own url.Values, conns int) *sqlx.DB {
	for k, v := range common {
		own[k] = v
	}
	dsn := (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: own.Encode()}).String()
	pool := sql.OpenDB(sqliteConnector{dsn: dsn, driver: &sqlite3.SQLiteDriver{ConnectHook: db.tuneSQLite}})
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return sqlx.NewDb(pool, "sqlite3")
}

// sqliteNow is the SQL function that tells the time of the records.
const sqliteNow = "hark_now"

// tuneSQLite sets what mattn's data source name has no word for.
func (db *DB) tuneSQLite(c *sqlite3.SQLiteConn) error {
	if err := c.RegisterFunc(sqliteNow, func() int64 { return db.clock.now().UnixMilli() }, false); err != nil {
		return err
	}
	_, err := c.Exec(`PRAGMA mmap_size = 1073741824; PRAGMA temp_store = MEMORY`, nil)
	return err
}

// sqliteConnector opens connections without a driver registered by name.
type sqliteConnector struct {
	dsn    string
	driver *sqlite3.SQLiteDriver
}

// Connect opens a connection.
func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

// Driver is what opens them.
func (c sqliteConnector) Driver() driver.Driver { return c.driver }

func (sqlite) name() string { return SQLite }

func (sqlite) migrations() (goose.Dialect, fs.FS, error) {
	files, err := fs.Sub(migrationFiles, "migrations/sqlite")
	return goose.DialectSQLite3, files, err
}

// lockMigrations does nothing: there is one node.
func (sqlite) lockMigrations(context.Context, *sqlx.DB) (unlock func() error, err error) {
	return func() error { return nil }, nil
}

// writable has nothing to ask: a file tells only by being written.
func (sqlite) writable(context.Context, Session) error { return nil }

func (sqlite) now() string { return sqliteNow + `()` }

// forUpdate does nothing: a transaction that writes is the only one.
func (sqlite) forUpdate(query string) string { return query }

func (sqlite) byIndex(name string) string { return ` INDEXED BY ` + name }

func (sqlite) translate(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Code == sqlite3.ErrFull || e.SystemErrno == syscall.ENOSPC {
		return fmt.Errorf("%w: %w", storage.ErrNoSpace, err)
	}
	switch e.ExtendedCode {
	case sqlite3.ErrConstraintUnique, sqlite3.ErrConstraintPrimaryKey, sqlite3.ErrConstraintRowID:
		return fmt.Errorf("%w: %w", storage.ErrConflict, err)
	case sqlite3.ErrConstraintForeignKey:
		return fmt.Errorf("%w: %w", storage.ErrNotFound, err)
	case sqlite3.ErrConstraintTrigger: // which stand in for CHECK
		return fmt.Errorf("%w: %w", storage.ErrInvalid, err)
	}
	switch e.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrReadonly, sqlite3.ErrIoErr, sqlite3.ErrCantOpen, sqlite3.ErrProtocol:
		return fmt.Errorf("%w: %w", storage.ErrUnreachable, err)
	}
	return err
}

// undone believes every error: a COMMIT that fails is rolled back.
func (sqlite) undone(err error) bool { return true }

// stale is never so: the file is the same.
func (sqlite) stale(error) bool { return false }

func (sqlite) passing(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && (e.Code == sqlite3.ErrBusy || e.Code == sqlite3.ErrLocked)
}

func (sqlite) among(column string, nos []int64) (string, any) {
	list, _ := json.Marshal(nos) // integers cannot fail
	return column + ` IN (SELECT value FROM json_each(?))`, string(list)
}

// truncateLog moves the write-ahead log into the file and empties it, which it
// cannot while somebody reads an older state, whose pages stay.
func (sqlite) truncateLog(ctx context.Context, s Session) (done bool, err error) {
	var result struct{ Busy, Log, Checkpointed int }
	err = s.Get(ctx, &result, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return result.Busy == 0, err
}
