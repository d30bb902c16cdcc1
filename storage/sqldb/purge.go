package sqldb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hark/storage"
	"hark/storage/sqldb/conn"
	"hark/storage/sqldb/search"
)

// purgeStep is how many messages, words or events of a deleted conversation one
// transaction purges: others write between two of them.
const purgeStep = 500

// notDeleted is the condition under which the conversation of a message m is not
// deleted. What people ask needs none: a deleted conversation has no members.
const notDeleted = `EXISTS (SELECT 1 FROM conversations c WHERE c.id = m.conversation_id AND c.deleted_at = 0)`

// markDeleted has a conversation be gone for everybody, however much was said in
// it: nobody is in it any more, and what is being spoken in it ends. The rest is
// [DB.PurgeDeleted]'s.
func (t *tx) markDeleted(ctx context.Context, id string) error {
	var members []string
	if err := t.List(ctx, &members, `DELETE FROM conversation_members WHERE conversation_id = ? RETURNING user_id`, id); err != nil {
		return err
	}
	t.eventFor(members, storage.ConversationDeleted, id, "", nil)
	if err := t.forgetGeneral(ctx, id); err != nil {
		return err
	}
	_, err := t.Exec(ctx, `DELETE FROM recordings WHERE workspace_no = ? AND EXISTS
		(SELECT 1 FROM messages m WHERE m.id = recordings.message_id AND m.conversation_id = ?)`, t.workspaceNo, id)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE conversations SET deleted_at = ?, direct_key = NULL WHERE id = ?`, toMS(t.now), id)
	return err
}

// PurgeDeleted takes what is left of deleted conversations out of the database,
// and queues the deletion of their objects, in steps between which others write. It may be cut
// off anywhere and goes on from there the next time. It returns how many
// conversations are purged. That a conversation was deleted stays among the
// events, for those to hear who were away.
func (db *DB) PurgeDeleted(ctx context.Context) (purged int, err error) {
	for {
		p, err := db.nextPurge(ctx)
		if errors.Is(err, storage.ErrNotFound) {
			return purged, nil
		}
		if err != nil {
			return purged, err
		}
		for done := false; !done; {
			if done, err = p.step(ctx); err != nil {
				return purged, err
			}
		}
		purged++
	}
}

// purge is a deleted conversation that is being purged.
type purge struct {
	db          *DB
	ID          string
	No          int64
	WorkspaceNo int64  `db:"workspace_no"`
	WorkspaceID string `db:"workspace_id"`

	afterEvent int64 // the log is looked through up to here
}

// nextPurge is the conversation that was deleted first.
func (db *DB) nextPurge(ctx context.Context) (*purge, error) {
	p := &purge{db: db}
	err := db.read(ctx, "find deleted conversations", func(ctx context.Context, s session) error {
		return s.Get(ctx, p, `SELECT c.id, c.no, c.workspace_no, w.id AS workspace_id FROM conversations c JOIN workspaces w ON w.no = c.workspace_no
			WHERE c.deleted_at > 0 ORDER BY c.deleted_at, c.id LIMIT 1`)
	})
	return p, err
}

// step purges some of what there is, and says whether that was all. The
// conversation itself goes last, so that what a crash leaves is found again.
func (p *purge) step(ctx context.Context) (done bool, err error) {
	for _, some := range []func(context.Context) (more bool, err error){p.messages, p.words, p.events} {
		if more, err := some(ctx); more || err != nil {
			return false, err
		}
	}
	return true, p.change(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, `DELETE FROM conversations WHERE id = ?`, p.ID)
		return err
	})
}

// change runs fn while no other change of the workspace comes between: purging
// and writing lock the same rows of the lexicon.
func (p *purge) change(ctx context.Context, fn func(context.Context, *tx) error) error {
	return p.db.change(ctx, "purge conversation", p.WorkspaceID, fn)
}

// left lists up to purgeStep of what a query names, which ends in a limit, also as
// arguments of the next statement. It is a read, for which nobody waits.
func left[T any](ctx context.Context, p *purge, query string, of ...any) (list []T, args []any, err error) {
	err = p.db.read(ctx, "look for what is left of a conversation", func(ctx context.Context, s session) error {
		return s.List(ctx, &list, query, append(of, purgeStep)...)
	})
	for _, v := range list {
		args = append(args, v)
	}
	return list, args, err
}

// messages purges messages with their place in the index; what refers to them
// goes with them.
func (p *purge) messages(ctx context.Context) (more bool, err error) {
	_, docs, err := left[int64](ctx, p, `SELECT doc FROM messages WHERE conversation_id = ? ORDER BY doc LIMIT ?`, p.ID)
	if err != nil || len(docs) == 0 {
		return false, err
	}
	among := `doc IN ` + conn.Tuples(1, len(docs))
	return true, p.change(ctx, func(ctx context.Context, t *tx) error {
		if err := t.queueDeletion(ctx, among, docs...); err != nil {
			return err
		}
		if err := search.Purge(ctx, t.Session, t.workspaceNo, docs); err != nil {
			return err
		}
		_, err := t.Exec(ctx, `DELETE FROM messages WHERE `+among, docs...)
		return err
	})
}

// words purges what the lexicon has of the conversation.
func (p *purge) words(ctx context.Context) (more bool, err error) {
	said, _, err := left[string](ctx, p, `SELECT word FROM lexicon WHERE workspace_no = ? AND conversation_no = ? ORDER BY word LIMIT ?`, p.WorkspaceNo, p.No)
	if err != nil || len(said) == 0 {
		return false, err
	}
	return true, p.change(ctx, func(ctx context.Context, t *tx) error {
		return search.PurgeWords(ctx, t.Session, t.workspaceNo, p.No, said)
	})
}

// events purges the events of the conversation, but for its end.
func (p *purge) events(ctx context.Context) (more bool, err error) {
	list, seqs, err := left[int64](ctx, p, `SELECT seq FROM events WHERE workspace_no = ? AND seq > ? AND conversation_id = ? AND type <> ? ORDER BY seq LIMIT ?`,
		p.WorkspaceNo, p.afterEvent, p.ID, storage.ConversationDeleted)
	if err != nil || len(seqs) == 0 {
		return false, err
	}
	err = p.change(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, `DELETE FROM events WHERE workspace_no = ? AND seq IN `+conn.Tuples(1, len(seqs)), append([]any{t.workspaceNo}, seqs...)...)
		return err
	})
	if err == nil {
		p.afterEvent = list[len(list)-1]
	}
	return true, err
}

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
