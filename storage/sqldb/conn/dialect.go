package conn

import (
	"context"
	"io/fs"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
)

// The names of the dialects.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Dialect is all in which SQLite and Postgres differ, opening and the search
// index apart.
type Dialect struct {
	grammar
	failures
	upkeep
}

// dialectOf gathers what one type knows of a database.
func dialectOf(d interface {
	grammar
	failures
	upkeep
},
) Dialect {
	return Dialect{d, d, d}
}

// Name is SQLite or Postgres.
func (d Dialect) Name() string { return d.name() }

// NowSQL is an expression for the time of the database's clock in ms.
func (d Dialect) NowSQL() string { return d.now() }

// ForUpdate makes a SELECT lock the rows that it reads until the transaction
// ends.
func (d Dialect) ForUpdate(query string) string { return d.forUpdate(query) }

// ByIndex is what stands behind a table and its alias to have that index used where the
// database would choose another, since it knows too little: SQLite gathers no statistics.
func (d Dialect) ByIndex(name string) string { return d.byIndex(name) }

// Among renders "column is one of nos" with one placeholder, and what stands
// for it.
func (d Dialect) Among(column string, nos []int64) (condition string, arg any) {
	return d.among(column, nos)
}

// grammar is what is written differently.
type grammar interface {
	name() string
	now() string
	forUpdate(query string) string
	byIndex(name string) string
	among(column string, nos []int64) (condition string, arg any)
}

// failures says what a driver's errors mean.
type failures interface {
	// translate turns an error into one of storage's sentinels where it has
	// that meaning.
	translate(err error) error

	// passing says whether what failed with err may succeed when it is run
	// again at once.
	passing(err error) bool

	// undone says whether a COMMIT that failed with err surely changed nothing.
	undone(err error) bool

	// stale says whether idle connections are no good after err.
	stale(err error) bool
}

// upkeep is what is done to the database as a whole.
type upkeep interface {
	// migrations returns the dialect's schema.
	migrations() (goose.Dialect, fs.FS, error)

	// lockMigrations waits until no other node migrates, and keeps it so until
	// unlock is called.
	lockMigrations(ctx context.Context, pool *sqlx.DB) (unlock func() error, err error)

	// writable fails when the database takes no changes.
	writable(ctx context.Context, s Session) error

	// vacuum does what the database would do by itself after many changes.
	vacuum(ctx context.Context, s Session) error

	// truncateLog empties the write-ahead log. done is false where it is not
	// empty afterwards.
	truncateLog(ctx context.Context, s Session) (done bool, err error)
}
