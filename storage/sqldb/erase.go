package sqldb

import (
	"context"
	"fmt"
	"time"

	"hark/storage/sqldb/conn"
	"hark/storage/sqldb/search"
)

// EraseDeleted takes what was deleted out of the bytes of a database of one
// machine: SQLite overwrites deleted rows by itself, but the full-text index
// only marks its entries as deleted, and the write-ahead log keeps older pages.
// It is run at intervals, by one goroutine, and does nothing when nothing was
// deleted. It rewrites the index in steps between which others write, and rests
// sixty times as long as that took, so that a large index is not always
// rewritten. In Postgres, vacuum does this.
func (db *DB) EraseDeleted(ctx context.Context) error {
	if db.Dialect() == conn.Postgres {
		return nil
	}
	if start := time.Now(); start.After(db.eraseFrom) {
		if err := db.rewriteIndex(ctx); err != nil {
			return fmt.Errorf("erase deleted text: %w", err)
		}
		db.eraseFrom = time.Now().Add(eraseRest * time.Since(start))
	}
	if _, err := db.conn.TruncateLog(ctx); err != nil {
		return fmt.Errorf("erase deleted text: %w", err)
	}
	return nil
}

const eraseRest = 60 // times as long as erasing took

func (db *DB) rewriteIndex(ctx context.Context) error {
	for more := true; more; {
		err := db.write(ctx, "rewrite the index", func(ctx context.Context, t *tx) (err error) {
			more, err = search.Rewrite(ctx, t.Session)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
