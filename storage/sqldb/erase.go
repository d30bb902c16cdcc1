package sqldb

import (
	"context"
	"fmt"
	"time"
)

// EraseDeleted takes what was deleted out of the bytes of a database of one
// machine: SQLite overwrites deleted rows by itself, but the full-text index
// only marks its entries as deleted, and the write-ahead log keeps older pages.
// It is run at intervals, by one goroutine, and does nothing when nothing was
// deleted. It rewrites the index in steps between which others write, and rests
// sixty times as long as that took, so that a large index is not always
// rewritten. In Postgres, vacuum does this.
func (db *DB) EraseDeleted(ctx context.Context) error {
	if err := db.dialect.eraseDeleted(ctx, db); err != nil {
		return fmt.Errorf("erase deleted text: %w", err)
	}
	return nil
}

const (
	eraseRest = 60  // times as long as erasing took
	eraseStep = 256 // pages of the index, a few milliseconds of work
)

// hasTombstones says whether the index has entries that are marked as deleted:
// FTS5 keeps the marks in pages of their own, from this id on
// (FTS5_TOMBSTONE_ROWID in fts5_index.c).
const hasTombstones = `SELECT EXISTS (SELECT 1 FROM search_index_data WHERE id >= 1 << 53)`

func (s sqlite) eraseDeleted(ctx context.Context, db *DB) error {
	if start := time.Now(); start.After(db.eraseFrom) {
		if err := s.rewriteIndex(ctx, db); err != nil {
			return err
		}
		db.eraseFrom = time.Now().Add(eraseRest * time.Since(start))
	}
	_, err := db.truncateLog(ctx)
	return err
}

// rewriteIndex merges the index into one without deleted entries.
func (sqlite) rewriteIndex(ctx context.Context, db *DB) error {
	for more := true; more; {
		err := db.write(ctx, "rewrite the index", func(ctx context.Context, t *tx) error {
			var marked bool
			if err := t.get(ctx, &marked, hasTombstones); err != nil || !marked {
				more = false
				return err
			}
			var before, after int64
			if err := t.get(ctx, &before, `SELECT total_changes()`); err != nil {
				return err
			}
			if _, err := t.exec(ctx, `INSERT INTO search_index (search_index, rank) VALUES ('merge', ?)`, -eraseStep); err != nil {
				return err
			}
			err := t.get(ctx, &after, `SELECT total_changes()`)
			more = after-before >= 2 // one is the statement itself: nothing was left to merge
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// truncateLog moves the write-ahead log into the file and empties it. done is
// false while somebody reads an older state, whose pages stay.
func (db *DB) truncateLog(ctx context.Context) (done bool, err error) {
	var result struct{ Busy, Log, Checkpointed int }
	err = db.writer.GetContext(ctx, &result, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return result.Busy == 0, err
}

// eraseDeleted leaves it to autovacuum.
func (postgres) eraseDeleted(context.Context, *DB) error { return nil }
