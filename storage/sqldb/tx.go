package sqldb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"hark/storage"
	"hark/storage/sqldb/conn"
	"hark/storage/sqldb/search"
)

// session runs statements on a pool or in a transaction, and knows records.
type session struct {
	conn.Session
}

// getOne is Get for a statement that brings its arguments.
func (s session) getOne(ctx context.Context, dest any, q statement) error {
	return s.Get(ctx, dest, q.text, q.args...)
}

// listAll is List for a statement that brings its arguments.
func (s session) listAll(ctx context.Context, dest any, q statement) error {
	return s.List(ctx, dest, q.text, q.args...)
}

// read runs fn on the readers, as [conn.DB.Read] says.
func (db *DB) read(ctx context.Context, op string, fn func(context.Context, session) error) error {
	return db.conn.Read(ctx, op, func(ctx context.Context, s conn.Session) error { return fn(ctx, session{s}) })
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
	words       search.Lexicon
	jobs        []storage.JobRef // that wait when this is committed
	audits      []storage.AuditEntry
}

// write runs fn in a transaction, as [conn.DB.Write] says: it may run again, so
// fn must start afresh each time.
func (db *DB) write(ctx context.Context, op string, fn func(context.Context, *tx) error) error {
	return db.transact(ctx, op, func(ctx context.Context, t *tx) (err error) {
		if t.now, err = t.Clock(ctx); err != nil {
			return err
		}
		return fn(ctx, t)
	})
}

// transact is write for fn that sets tx.now itself.
func (db *DB) transact(ctx context.Context, op string, fn func(context.Context, *tx) error) error {
	return db.conn.Write(ctx, op, func(ctx context.Context, s conn.Session) error { return fn(ctx, &tx{session: session{s}}) })
}

// change runs fn while it holds the workspace: no other change of it comes
// between. What fn adds to tx.events and tx.words is written last; OnCommit
// gets the events when they are committed, and OnJobs the jobs.
func (db *DB) change(ctx context.Context, op, workspaceID string, fn func(context.Context, *tx) error) error {
	no, err := db.workspaceNo(ctx, workspaceID)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	var did done
	err = db.transact(ctx, op, func(ctx context.Context, t *tx) error {
		t.workspaceNo, t.workspaceID = no, workspaceID
		if err := t.lockWorkspace(ctx); err != nil {
			return err
		}
		if err := fn(ctx, t); err != nil {
			return err
		}
		did, err = t.complete(ctx)
		return err
	})
	if err == nil {
		db.tell(did)
	}
	return err
}

// done is what a change did that others are told of once it is committed.
type done struct {
	workspaceID string
	events      []storage.Event
	jobs        []storage.JobRef
}

// complete writes what a change left to be written last.
func (t *tx) complete(ctx context.Context) (done, error) {
	if err := t.words.Write(ctx, t.Session, t.workspaceNo); err != nil {
		return done{}, err
	}
	if err := t.writeAudit(ctx); err != nil {
		return done{}, err
	}
	events, err := t.writeEvents(ctx)
	return done{t.workspaceID, events, t.jobs}, err
}

func (db *DB) tell(did done) {
	if len(did.jobs) > 0 && db.onJobs != nil {
		db.onJobs(did.jobs)
	}
	if len(did.events) > 0 && db.onCommit != nil {
		db.onCommit(did.workspaceID, did.events)
	}
}

// changeBoth is change of two workspaces at once, which may be one: of that which is left
// and that which is gone to.
func (db *DB) changeBoth(ctx context.Context, op, from, to string, fn func(ctx context.Context, here, there *tx) error) error {
	fromNo, err := db.workspaceNo(ctx, from)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	toNo, err := db.workspaceNo(ctx, to)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	var did []done
	err = db.transact(ctx, op, func(ctx context.Context, here *tx) error {
		here.workspaceNo, here.workspaceID = fromNo, from
		there, held := here, []*tx{here}
		if toNo != fromNo {
			there = &tx{session: here.session, workspaceNo: toNo, workspaceID: to}
			held = append(held, there)
		}
		if toNo < fromNo { // all take them in one order
			slices.Reverse(held)
		}
		for _, t := range held {
			if err := t.lockWorkspace(ctx); err != nil {
				return err
			}
		}
		if err := fn(ctx, here, there); err != nil {
			return err
		}
		did = nil
		for _, t := range held {
			one, err := t.complete(ctx)
			if err != nil {
				return err
			}
			did = append(did, one)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, one := range did {
		db.tell(one)
	}
	return nil
}

// changeBy is change for what a principal asks. It fails with
// storage.ErrSignedOut where the credential that they came with was ended since
// they were let in: the body of a request may take hours to come. One that has
// run out meanwhile lets them finish.
func (db *DB) changeBy(ctx context.Context, op string, principal storage.Principal, fn func(context.Context, *tx) error) error {
	return db.change(ctx, op, principal.WorkspaceID, func(ctx context.Context, t *tx) error {
		if principal.CredentialID != "" { // commands on the server have none
			ended, err := t.tokenEnded(ctx, principal.CredentialID)
			if err == nil && ended {
				err = storage.ErrSignedOut
			}
			if err != nil {
				return err
			}
		}
		return fn(ctx, t)
	})
}

// lockWorkspace holds the workspace until the transaction ends, and reads the
// clock once it has it, so that times go by the order of the changes.
func (t *tx) lockWorkspace(ctx context.Context) error {
	var row struct {
		LastEvent int64 `db:"last_event"`
		Now       int64
	}
	lock := t.ForUpdate(`SELECT last_event FROM workspaces WHERE no = ?`)
	err := t.Get(ctx, &row, `SELECT last_event, `+t.NowSQL()+` AS now FROM (`+lock+`) AS locked`, t.workspaceNo)
	t.lastEvent, t.now = row.LastEvent, fromMS(row.Now)
	return err
}

// next reserves n numbers of one of the workspace's counters and returns the first.
func (t *tx) next(ctx context.Context, counter string, n int) (int64, error) {
	var last int64
	err := t.Get(ctx, &last, `UPDATE workspaces SET `+counter+` = `+counter+` + ? WHERE no = ? RETURNING `+counter, n, t.workspaceNo)
	return last - int64(n) + 1, err
}
