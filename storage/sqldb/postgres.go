package sqldb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"hark/storage"
)

type postgres struct{}

func (db *DB) openPostgres(ctx context.Context, cfg Config) error {
	conf, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		return err
	}
	defaults := map[string]string{
		"application_name": "hark",
		"jit":              "off",               // compiling takes longer than any query here
		"plan_cache_mode":  "force_custom_plan", // a plan for any word suits neither rare nor common ones
	}
	for k, v := range defaults {
		if _, set := conf.RuntimeParams[k]; !set {
			conf.RuntimeParams[k] = v
		}
	}
	db.dialect = postgres{}
	pool := stdlib.OpenDB(*conf)
	pool.SetMaxOpenConns(cfg.MaxConns)
	pool.SetMaxIdleConns(cfg.MaxConns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	db.writer = sqlx.NewDb(pool, "pgx")
	db.reader = db.writer
	if err := errors.Join(db.Ping(ctx), db.compareClocks(ctx)); err != nil {
		return errors.Join(unreachable(err), db.Close())
	}
	return nil
}

// unreachable marks errors of a server that is not there or not ready, of
// those that say no.
func unreachable(err error) error {
	var refusal *pgconn.PgError
	var failed *pgconn.ConnectError
	switch {
	case errors.As(err, &refusal) && refusal.Code != pgStarting:
		return err
	case errors.As(err, &failed), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", storage.ErrUnreachable, err)
	}
	return err
}

func (postgres) name() string { return "postgres" }

// migrations takes a lock of the session, so that of several nodes that start
// at once one migrates and the others wait.
func (postgres) migrations() (goose.Dialect, fs.FS, []goose.ProviderOption, error) {
	files, err := fs.Sub(migrationFiles, "migrations/postgres")
	if err != nil {
		return "", nil, nil, err
	}
	const interval, tries = 1, 600 // seconds
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(interval, tries))
	return goose.DialectPostgres, files, []goose.ProviderOption{goose.WithSessionLocker(locker)}, err
}

// now is not the transaction's time, which would be that before its locks.
func (postgres) now() string {
	return `CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT)`
}

func (postgres) forUpdate(query string) string { return query + ` FOR UPDATE` }

// The classes of error that mean something to Hark (PostgreSQL, appendix A).
const (
	pgForeignKey    = "23503"
	pgUnique        = "23505"
	pgSerialization = "40001"
	pgDeadlock      = "40P01"
	pgDiskFull      = "53100"
	pgStarting      = "57P03"
)

func (postgres) translate(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case pgUnique:
		return fmt.Errorf("%w: %w", storage.ErrConflict, err)
	case pgForeignKey:
		return fmt.Errorf("%w: %w", storage.ErrNotFound, err)
	case pgDiskFull:
		return fmt.Errorf("%w: %w", storage.ErrNoSpace, err)
	}
	return err
}

func (postgres) passing(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == pgSerialization || e.Code == pgDeadlock)
}

func (postgres) among(column string, nos []int64) (string, any) {
	return column + ` = ANY(?)`, nos
}
