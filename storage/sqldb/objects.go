package sqldb

import (
	"context"
	"time"

	"hark/storage"
	"hark/storage/sqldb/conn"
)

// lateObject is how long after a message's deletion a worker or a recorder that
// had begun may still put an object of it.
const lateObject = time.Hour

// queueDeletion notes, in doomed_objects, the objects of the messages that condition names: all below the
// message's own prefix, and the rendition of an older version, which lies
// elsewhere. They are to be deleted at once, and again an hour later where a
// worker or a recorder may have put one meanwhile. (The table keeps its name,
// under which the version before this one reads it while both run.)
func (t *tx) queueDeletion(ctx context.Context, condition string, args ...any) error {
	for _, keys := range []struct{ of, among string }{
		{"'" + storage.MessagePrefix("' || w.id || '", "' || m.id || '") + "'", ""},
		{"m.rendition_key", " AND m.rendition_key LIKE 'renditions/%'"},
	} {
		_, err := t.Exec(ctx, `INSERT INTO doomed_objects (key, due_at, again_at)
			SELECT `+keys.of+`, CAST(? AS BIGINT), CASE WHEN EXISTS
				(SELECT 1 FROM jobs j WHERE j.message_id = m.id AND j.state = 'running') OR m.state = ? THEN CAST(? AS BIGINT) ELSE 0 END
			FROM messages m JOIN workspaces w ON w.no = m.workspace_no WHERE m.`+condition+keys.among+` ON CONFLICT (key) DO NOTHING`,
			append([]any{toMS(t.now), storage.Recording, toMS(t.now.Add(lateObject))}, args...)...)
		if err != nil {
			return err
		}
	}
	return nil
}

// ObjectsToDelete returns up to limit keys of objects to delete. Some may not
// exist. A key that ends in a slash stands for all below it. Keys come again until
// [DB.ForgetObjects] is called with them.
func (db *DB) ObjectsToDelete(ctx context.Context, limit int) ([]string, error) {
	var keys []string
	err := db.read(ctx, "list objects to delete", func(ctx context.Context, s session) error {
		return s.List(ctx, &keys, `SELECT key FROM doomed_objects WHERE due_at <= (SELECT `+s.NowSQL()+`) ORDER BY due_at, key LIMIT ?`, limit)
	})
	return keys, err
}

// ForgetObjects notes that objects are deleted. One that a worker may
// have put since its message was deleted is named once more, an hour later.
func (db *DB) ForgetObjects(ctx context.Context, keys []string) error {
	return db.write(ctx, "forget objects", func(ctx context.Context, t *tx) error {
		for _, key := range keys {
			again, err := t.Exec(ctx, `UPDATE doomed_objects SET due_at = again_at, again_at = 0 WHERE key = ? AND again_at > ?`, key, toMS(t.now))
			if err != nil {
				return err
			}
			if again == 0 {
				if _, err := t.Exec(ctx, `DELETE FROM doomed_objects WHERE key = ?`, key); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// KnownObjects says where the objects of messages and users are, by their ids, so that
// a sweeper can tell those that belong to none. A clip that is being sent has no
// message yet: the sweeper must leave young objects alone. A few hundred
// ids at a time are fastest.
func (db *DB) KnownObjects(ctx context.Context, ids []string) (map[string]storage.KnownObjects, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	var rows []struct {
		ID           string
		OriginalKey  string `db:"original_key"`
		RenditionKey string `db:"rendition_key"`
		Recording    bool
	}
	var users []struct{ ID, Picture, Pronunciation string }
	err := db.read(ctx, "look for whose objects are", func(ctx context.Context, s session) error {
		if err := s.List(ctx, &users, `SELECT id, picture, pronunciation FROM users WHERE id IN `+conn.Tuples(1, len(args)), args...); err != nil {
			return err
		}
		return s.List(ctx, &rows, `SELECT m.id, m.original_key, m.rendition_key, r.message_id IS NOT NULL AS recording
			FROM messages m LEFT JOIN recordings r ON r.message_id = m.id WHERE m.id IN `+conn.Tuples(1, len(args)), args...)
	})
	known := make(map[string]storage.KnownObjects, len(rows)+len(users))
	for _, u := range users {
		known[u.ID] = storage.KnownObjects{PictureKey: u.Picture, PronunciationKey: u.Pronunciation}
	}
	for _, r := range rows {
		known[r.ID] = storage.KnownObjects{OriginalKey: r.OriginalKey, RenditionKey: r.RenditionKey, Recording: r.Recording}
	}
	return known, err
}

// keepKeys is how long an idempotency key holds, and keepTokens how long a
// credential that is over is remembered as such.
const (
	keepKeys   = 48 * time.Hour
	keepTokens = 30 * 24 * time.Hour
)

// keysAtOnce is how many idempotency keys are forgotten in one transaction.
const keysAtOnce = 500

// SweepIdentity forgets idempotency keys after two days, and credentials that
// have been over for a month.
func (db *DB) SweepIdentity(ctx context.Context) error {
	for n := int64(keysAtOnce); n == keysAtOnce; {
		err := db.write(ctx, "sweep idempotency keys", func(ctx context.Context, t *tx) (err error) {
			n, err = t.Exec(ctx, `DELETE FROM idempotency_keys WHERE (user_id, key) IN
				(SELECT user_id, key FROM idempotency_keys WHERE created_at < ? LIMIT ?)`, toMS(t.now.Add(-keepKeys)), keysAtOnce)
			return err
		})
		if err != nil {
			return err
		}
	}
	return db.write(ctx, "sweep tokens", func(ctx context.Context, t *tx) error {
		old := toMS(t.now.Add(-keepTokens))
		_, err := t.Exec(ctx, `DELETE FROM tokens WHERE kind <> ? AND (ended_at > 0 AND ended_at < ? OR expires_at > 0 AND expires_at < ?)`,
			storage.APIToken, old, old)
		return err
	})
}
