package search

import (
	"context"

	"hark/storage/sqldb/conn"
)

const eraseStep = 256 // pages of the index, a few milliseconds of work

// hasTombstones says whether the index has entries that are marked as deleted:
// FTS5 keeps the marks in pages of their own, from this id on
// (FTS5_TOMBSTONE_ROWID in fts5_index.c).
const hasTombstones = `SELECT EXISTS (SELECT 1 FROM search_index_data WHERE id >= 1 << 53)`

// Rewrite merges some of SQLite's index, in a transaction of its own, so that
// in the end no deleted entry is in it, which FTS5 only marks. more says that
// there is more to do.
func Rewrite(ctx context.Context, s conn.Session) (more bool, err error) {
	var marked bool
	if err := s.Get(ctx, &marked, hasTombstones); err != nil || !marked {
		return false, err
	}
	var before, after int64
	if err := s.Get(ctx, &before, `SELECT total_changes()`); err != nil {
		return false, err
	}
	if _, err := s.Exec(ctx, `INSERT INTO search_index (search_index, rank) VALUES ('merge', ?)`, -eraseStep); err != nil {
		return false, err
	}
	err = s.Get(ctx, &after, `SELECT total_changes()`)
	return after-before >= 2, err // one is the statement itself: nothing was left to merge
}
