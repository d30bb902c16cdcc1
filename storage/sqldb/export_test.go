package sqldb

import "context"

// MigrateTo stops at a version, for tests that begin with an older schema.
func (db *DB) MigrateTo(ctx context.Context, version int64) error {
	provider, err := db.migrator()
	if err == nil {
		_, err = provider.UpTo(ctx, version)
	}
	return err
}

// LexiconRows counts the rows of the lexicon and of its trigrams.
func (db *DB) LexiconRows(ctx context.Context) (words, trigrams int, err error) {
	err = db.read(ctx, "count lexicon", func(ctx context.Context, s session) error {
		if err := s.get(ctx, &words, `SELECT COUNT(*) FROM lexicon`); err != nil {
			return err
		}
		return s.get(ctx, &trigrams, `SELECT COUNT(*) FROM lexicon_trigrams`)
	})
	return words, trigrams, err
}

// IndexRows counts the messages in the index.
func (db *DB) IndexRows(ctx context.Context) (n int, err error) {
	err = db.read(ctx, "count index", func(ctx context.Context, s session) error {
		return s.get(ctx, &n, `SELECT COUNT(*) FROM search_docs`)
	})
	return n, err
}

// EndWaits makes every waiting job due now, as if its wait were over.
func (db *DB) EndWaits(ctx context.Context) error {
	return db.write(ctx, "end waits", func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `UPDATE jobs SET run_at = 0 WHERE state = 'waiting'`)
		return err
	})
}
