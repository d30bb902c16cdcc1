package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/jmoiron/sqlx"

	"hark/storage"
)

// session runs statements on a pool or in a transaction.
type session struct {
	ext     sqlx.ExtContext
	dialect dialect
}

// get reads one row; none is storage.ErrNotFound.
func (s session) get(ctx context.Context, dest any, query string, args ...any) error {
	return s.fail(sqlx.GetContext(ctx, s.ext, dest, s.ext.Rebind(query), args...))
}

// list reads all rows into the slice that dest points to, in place of what an
// earlier try left in it.
func (s session) list(ctx context.Context, dest any, query string, args ...any) error {
	reflect.ValueOf(dest).Elem().SetZero()
	return s.fail(sqlx.SelectContext(ctx, s.ext, dest, s.ext.Rebind(query), args...))
}

// exec runs a statement and returns how many rows it touched.
func (s session) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := s.ext.ExecContext(ctx, s.ext.Rebind(query), args...)
	if err != nil {
		return 0, s.fail(err)
	}
	n, err := res.RowsAffected()
	return n, s.fail(err)
}

func (s session) fail(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return storage.ErrNotFound
	}
	return s.dialect.translate(err)
}

// read runs fn on the readers, within the time that a read may take, again
// when it failed by chance. op names it in the error and in the log.
func (db *DB) read(ctx context.Context, op string, fn func(context.Context, session) error) error {
	return db.retry(ctx, op, readTimeout, func(ctx context.Context) (again bool, err error) {
		err = fn(ctx, session{db.reader, db.dialect})
		return db.dialect.passing(err), err
	})
}

// maxTries bounds how often what failed by chance is run: about a third of a
// second, for clashes with others and connections that broke. Who asked can
// wait longer than that.
const maxTries = 6

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
		pause := time.Duration(1<<try) * 5 * time.Millisecond
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
		}
	}
}

// dropIdle closes the connections that nobody uses now.
func (db *DB) dropIdle() {
	db.writer.SetMaxIdleConns(-1)
	db.writer.SetMaxIdleConns(db.maxIdle)
}

// tx is a change under way.
type tx struct {
	session
	now time.Time // of the database's clock

	workspaceNo int64 // 0 outside of change
	workspaceID string
	lastEvent   int64
	events      []storage.Event
	audiences   map[int]string // by index into events
	words       lexiconChange
}

// write runs fn in a transaction, again when it failed by chance and surely
// changed nothing, so fn must start afresh each time.
func (db *DB) write(ctx context.Context, op string, fn func(context.Context, *tx) error) error {
	return db.transact(ctx, op, func(ctx context.Context, t *tx) (err error) {
		if t.now, err = t.clock(ctx); err != nil {
			return err
		}
		return fn(ctx, t)
	})
}

// transact is write for fn that sets tx.now itself.
func (db *DB) transact(ctx context.Context, op string, fn func(context.Context, *tx) error) error {
	err := db.retry(ctx, op, writeTimeout, func(ctx context.Context) (again bool, err error) { return db.once(ctx, fn) })
	db.health.note(err)
	return err
}

// once runs fn in a transaction. again says that nothing was changed, and that
// it may succeed another time.
func (db *DB) once(ctx context.Context, fn func(context.Context, *tx) error) (again bool, err error) {
	inner, err := db.writer.BeginTxx(ctx, nil)
	if err != nil {
		return db.dialect.passing(err), db.dialect.translate(err)
	}
	if err := fn(ctx, &tx{session: session{inner, db.dialect}}); err != nil {
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

// change runs fn while it holds the workspace: no other change of it comes
// between. What fn adds to tx.events and tx.words is written last; OnCommit
// hears of the events when they are committed.
func (db *DB) change(ctx context.Context, op, workspaceID string, fn func(context.Context, *tx) error) error {
	no, err := db.workspaceNo(ctx, workspaceID)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	var events []storage.Event
	err = db.transact(ctx, op, func(ctx context.Context, t *tx) error {
		t.workspaceNo, t.workspaceID = no, workspaceID
		if err := t.lockWorkspace(ctx); err != nil {
			return err
		}
		if err := fn(ctx, t); err != nil {
			return err
		}
		if err := t.writeWords(ctx); err != nil {
			return err
		}
		events, err = t.writeEvents(ctx)
		return err
	})
	if err == nil && len(events) > 0 && db.onCommit != nil {
		db.onCommit(workspaceID, events)
	}
	return err
}

// lockWorkspace holds the workspace until the transaction ends, and reads the
// clock once it has it, so that times go by the order of the changes.
func (t *tx) lockWorkspace(ctx context.Context) error {
	var row struct {
		LastEvent int64 `db:"last_event"`
		Now       int64
	}
	lock := t.dialect.forUpdate(`SELECT last_event FROM workspaces WHERE no = ?`)
	err := t.get(ctx, &row, `SELECT last_event, `+t.dialect.now()+` AS now FROM (`+lock+`) AS locked`, t.workspaceNo)
	t.lastEvent, t.now = row.LastEvent, fromMS(row.Now)
	return err
}

// next reserves n numbers of one of the workspace's counters and returns the first.
func (t *tx) next(ctx context.Context, counter string, n int) (int64, error) {
	var last int64
	err := t.get(ctx, &last, `UPDATE workspaces SET `+counter+` = `+counter+` + ? WHERE no = ? RETURNING `+counter, n, t.workspaceNo)
	return last - int64(n) + 1, err
}

func (db *DB) logSlow(ctx context.Context, op string, start time.Time) {
	if took := time.Since(start); took > db.slow {
		db.log.WarnContext(ctx, "slow database operation", "op", op, "took", took)
	}
}
