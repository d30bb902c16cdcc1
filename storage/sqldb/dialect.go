package sqldb

import (
	"context"
	"io/fs"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
)

// dialect is all in which SQLite and Postgres differ, opening apart.
type dialect interface {
	name() string

	// migrations returns the dialect's schema.
	migrations() (goose.Dialect, fs.FS, error)

	// lockMigrations waits until no other node migrates, and keeps it so until
	// unlock is called.
	lockMigrations(ctx context.Context, pool *sqlx.DB) (unlock func() error, err error)

	// writable fails when the database takes no changes.
	writable(ctx context.Context, s session) error

	// now is an expression for the time of the database's clock in ms.
	now() string

	// forUpdate makes a SELECT lock the rows that it reads until the
	// transaction ends.
	forUpdate(query string) string

	// translate turns a driver's error into one of storage's sentinels where
	// it has that meaning.
	translate(err error) error

	// passing says whether what failed with err may succeed when it is run
	// again at once.
	passing(err error) bool

	// undone says whether a COMMIT that failed with err surely changed nothing.
	undone(err error) bool

	// stale says whether idle connections are no good after err.
	stale(err error) bool

	// among renders "column is one of nos" with one placeholder.
	among(column string, nos []int64) (condition string, arg any)

	// vacuum does what the database would do by itself after many changes.
	vacuum(ctx context.Context, s session) error

	// eraseSecrets overwrites the secrets that the database holds.
	eraseSecrets(ctx context.Context, db *DB) error

	// eraseDeleted overwrites the text of deleted messages.
	eraseDeleted(ctx context.Context, db *DB) error

	// index makes a message's words searchable; unindex forgets those of the
	// search_docs rows that the condition names.
	index(ctx context.Context, s session, d document) error
	unindex(ctx context.Context, s session, condition string, args ...any) error

	// find returns the newest hits, newest first, at most limit of them.
	find(ctx context.Context, s session, f finding, limit int) ([]candidate, error)
}
