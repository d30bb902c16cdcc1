package conn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"hark/storage"
)

// migrateTimeout bounds how long a node waits for another one's migration.
const migrateTimeout = 10 * time.Minute

type postgres struct{}

// openPostgres connects as is fastest and, when there is a pooler between, as
// that allows.
func (db *DB) openPostgres(ctx context.Context, cfg Config) error {
	conf, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		return err
	}
	if _, set := conf.RuntimeParams["application_name"]; !set {
		conf.RuntimeParams["application_name"] = "hark"
	}
	pooled, err := findPooler(ctx, conf)
	if err != nil {
		return explain(postgres{}.translate(err))
	}
	if pooled {
		conf = throughPooler(conf, cfg.URL)
	} else {
		conf = direct(conf)
	}
	pool := stdlib.OpenDB(*conf, stdlib.OptionAfterConnect(tunePostgres))
	pool.SetMaxOpenConns(cfg.MaxConns)
	pool.SetMaxIdleConns(cfg.MaxConns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	db.dialect, db.writer, db.maxIdle = dialectOf(postgres{}), sqlx.NewDb(pool, "pgx"), cfg.MaxConns
	db.reader = db.writer
	if err = db.probePostgres(ctx); err == nil {
		err = db.compareClocks(ctx)
	}
	if err != nil {
		return errors.Join(explain(err), db.Close())
	}
	return nil
}

// probePostgres makes sure of what every change needs: a transaction, and a
// server that writes.
func (db *DB) probePostgres(ctx context.Context) error {
	return db.retry(ctx, "begin a transaction", readTimeout, func(ctx context.Context) (bool, error) {
		return db.once(ctx, func(ctx context.Context, s Session) error { return s.writable(ctx, s) })
	})
}

// writable fails on a standby, and where the operator made the database
// read-only.
func (p postgres) writable(ctx context.Context, s Session) error {
	var readOnly string
	if err := s.Get(ctx, &readOnly, `SELECT current_setting('transaction_read_only')`); err != nil {
		return err
	}
	if readOnly != "off" {
		return errReadOnly
	}
	return nil
}

func (postgres) name() string { return Postgres }

func (postgres) migrations() (goose.Dialect, fs.FS, error) {
	files, err := fs.Sub(migrationFiles, "migrations/postgres")
	return goose.DialectPostgres, files, err
}

// lockMigrations holds an advisory lock, in a transaction on a connection of
// its own, so that of several nodes that start at once one migrates and the
// others wait; a session's lock would get lost in a pooler. Waiting holds no
// connection.
func (p postgres) lockMigrations(ctx context.Context, pool *sqlx.DB) (unlock func() error, err error) {
	for began := time.Now(); ; {
		held, err := tryMigrationLock(ctx, pool)
		if err != nil {
			return nil, p.translate(err)
		}
		if held != nil {
			return func() error { return ignoreDone(held.Rollback()) }, nil
		}
		if time.Since(began) > migrateTimeout {
			return nil, fmt.Errorf("%w: another node has been migrating for %s", storage.ErrUnreachable, migrateTimeout)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// tryMigrationLock returns the transaction that has the lock, or nil while
// another node has it.
func tryMigrationLock(ctx context.Context, pool *sqlx.DB) (*sqlx.Tx, error) {
	tx, err := pool.BeginTxx(ctx, nil)
	if err != nil {
		return nil, err
	}
	var got bool
	// The key is that of earlier versions too, which may start beside this one.
	err = tx.GetContext(ctx, &got, `SELECT pg_try_advisory_xact_lock($1)`, lock.DefaultLockID)
	if err == nil && got {
		if _, err = tx.ExecContext(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`); err == nil {
			return tx, nil
		}
	}
	return nil, errors.Join(err, ignoreDone(tx.Rollback()))
}

// now is not the transaction's time, which would be that before its locks.
func (postgres) now() string {
	return `CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT)`
}

func (postgres) forUpdate(query string) string { return query + ` FOR UPDATE` }

func (postgres) byIndex(string) string { return "" }

func (postgres) among(column string, nos []int64) (string, any) {
	return column + ` = ANY(?)`, nos
}

// truncateLog leaves its log to the server.
func (postgres) truncateLog(context.Context, Session) (done bool, err error) { return true, nil }
