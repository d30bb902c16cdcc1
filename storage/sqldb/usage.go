package sqldb

import (
	"context"
	"time"

	"hark/storage"
)

// Usage returns what the principal and their workspace take.
func (db *DB) Usage(ctx context.Context, principal storage.Principal) (storage.Usage, error) {
	var u storage.Usage
	err := db.read(ctx, "read usage", func(ctx context.Context, s session) error {
		now, err := s.Clock(ctx)
		if err != nil {
			return err
		}
		return s.Get(ctx, &u, `SELECT w.stored_bytes AS stored,
			COALESCE((SELECT bytes FROM usage WHERE user_id = ? AND day = ?), 0) AS today,
			(SELECT COUNT(*) FROM messages WHERE author_id = ? AND state = 'received') AS waiting
			FROM workspaces w WHERE w.id = ?`, principal.UserID, dayOf(now), principal.UserID, principal.WorkspaceID)
	})
	return u, err
}

// addUsage counts what a person sent.
func (t *tx) addUsage(ctx context.Context, userID string, bytes int64) error {
	_, err := t.Exec(ctx, `INSERT INTO usage (user_id, day, bytes) VALUES (?, ?, ?) ON CONFLICT (user_id) DO UPDATE SET
		day = excluded.day, bytes = excluded.bytes + CASE WHEN usage.day = excluded.day THEN usage.bytes ELSE 0 END`,
		userID, dayOf(t.now), bytes)
	return err
}

// dayOf is the number of the day in UTC, from 1970.
func dayOf(at time.Time) int64 { return at.Unix() / (24 * 60 * 60) }
