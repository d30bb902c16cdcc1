package sqldb

import (
	"context"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// dialect is all in which SQLite and Postgres differ, opening apart.
type dialect interface {
	name() string

	// migrations returns the dialect's schema and how goose applies it.
	migrations() (goose.Dialect, fs.FS, []goose.ProviderOption, error)

	// now is an expression for the time of the database's clock in ms.
	now() string

	// forUpdate makes a SELECT lock the rows that it reads until the
	// transaction ends.
	forUpdate(query string) string

	// translate turns a driver's error into one of storage's sentinels where
	// it has that meaning.
	translate(err error) error

	// passing says whether a transaction that failed with err may succeed when
	// it is run again.
	passing(err error) bool

	// among renders "column is one of nos" with one placeholder.
	among(column string, nos []int64) (condition string, arg any)

	// vacuum does what the database would do by itself after many changes.
	vacuum(ctx context.Context, s session) error

	// eraseSecrets overwrites the secrets that the database holds.
	eraseSecrets(ctx context.Context, db *DB) error

	// index makes a message's words searchable; unindex forgets those of the
	// search_docs rows that the condition names.
	index(ctx context.Context, s session, d document) error
	unindex(ctx context.Context, s session, condition string, args ...any) error

	// find returns the newest hits, newest first, at most limit of them.
	find(ctx context.Context, s session, f finding, limit int) ([]candidate, error)
}
