package conn

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"hark/media/backoff"
)

const (
	readTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
)

// Read runs fn on the readers, within ten seconds, again when it failed by
// chance. op names it in the error and in the log.
func (db *DB) Read(ctx context.Context, op string, fn func(context.Context, Session) error) error {
	return db.retry(ctx, op, readTimeout, func(ctx context.Context) (again bool, err error) {
		err = fn(ctx, Session{db.reader, db.dialect})
		return db.dialect.passing(err), err
	})
}

// Write runs fn in a transaction, within thirty seconds, again when it failed
// by chance and surely changed nothing, so fn must start afresh each time. When
// Write returns nil, what fn changed is on the disk.
func (db *DB) Write(ctx context.Context, op string, fn func(context.Context, Session) error) error {
	err := db.retry(ctx, op, writeTimeout, func(ctx context.Context) (again bool, err error) { return db.once(ctx, fn) })
	db.health.note(err)
	return err
}

// maxTries bounds how often what failed by chance is run: about a third of a
// second, for clashes with others and connections that broke. Who asked can
// wait longer than that.
const maxTries = 6

var tryPauses = backoff.Policy{First: 15 * time.Millisecond, Most: 250 * time.Millisecond}

// retry runs once until it succeeds, or says that it is not to be run again,
// or has been tried often enough. It fails with the last error.
func (db *DB) retry(ctx context.Context, op string, timeout time.Duration, once func(context.Context) (again bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer db.logSlow(ctx, op, time.Now())
	for try := 1; ; try++ {
		again, err := once(ctx)
		if err == nil {
			return nil
		}
		if db.dialect.stale(err) {
			db.dropIdle()
		}
		if !again || try == maxTries || ctx.Err() != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
		_ = backoff.Sleep(ctx, tryPauses.After(try)) // a context that ended fails the next try
	}
}

// once runs fn in a transaction. again says that nothing was changed, and that
// it may succeed another time.
func (db *DB) once(ctx context.Context, fn func(context.Context, Session) error) (again bool, err error) {
	inner, err := db.writer.BeginTxx(ctx, nil)
	if err != nil {
		return db.dialect.passing(err), db.dialect.translate(err)
	}
	if err := fn(ctx, Session{inner, db.dialect}); err != nil {
		return db.dialect.passing(err), errors.Join(err, ignoreDone(inner.Rollback()))
	}
	if err := inner.Commit(); err != nil {
		return db.dialect.undone(err) && db.dialect.passing(err), errors.Join(db.dialect.translate(err), ignoreDone(inner.Rollback()))
	}
	return false, nil
}

// ignoreDone forgets that a transaction is over, which a cancelled context brings about.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func (db *DB) logSlow(ctx context.Context, op string, start time.Time) {
	if took := time.Since(start); took > db.slow {
		db.log.WarnContext(ctx, "slow database operation", "op", op, "took", took)
	}
}
