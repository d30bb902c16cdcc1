package sqldb

import (
	"context"
	"fmt"
	"time"

	"hark/storage"
	"hark/storage/sqldb/search"
)

// unsendGrace is how much later than [storage.UnsendWithin] a message can still
// be taken back: who presses in the last moment has a network in between.
const unsendGrace = 5 * time.Second

// draftPlace is a place in the list of one's drafts.
type draftPlace struct{ ID string }

// Drafts lists what the principal has recorded and not sent, in all conversations
// that they are in, the last begun first; 50 a page unless asked otherwise, 200
// at the most.
func (db *DB) Drafts(ctx context.Context, principal storage.Principal, page storage.Page) (list []storage.Message, next string, err error) {
	no, seal, err := db.pages(ctx, principal)
	if err != nil {
		return nil, "", err
	}
	name := "drafts " + principal.UserID
	after := draftPlace{ID: "~"} // above every id
	if page.Cursor != "" {
		if err := seal.Open(name, page.Cursor, &after); err != nil {
			return nil, "", fmt.Errorf("list drafts: %w", err)
		}
	}
	limit := pageLimit(page, 50, 200)
	var rows []messageRow
	err = db.read(ctx, "list drafts", func(ctx context.Context, s session) error {
		return s.listAll(ctx, &rows, selectMessages(principal, no).
			and(` AND m.sent_at IS NULL AND m.author_id = ? AND m.id < ? ORDER BY m.id DESC LIMIT ?`, principal.UserID, after.ID, limit+1))
	})
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next, err = seal.Close(name, draftPlace{rows[limit-1].ID})
	}
	for _, r := range rows {
		list = append(list, r.message())
	}
	return list, next, err
}

// SendMessage sends a draft of the principal: it becomes the newest message of its
// conversation. One that is sent already is returned as it is. It fails with
// storage.ErrRecording while it is being spoken.
func (db *DB) SendMessage(ctx context.Context, principal storage.Principal, id string) (storage.Message, error) {
	return db.changeOwn(ctx, "send message", principal, id, func(ctx context.Context, t *tx, row messageRow) error {
		switch {
		case !row.Draft:
			return nil
		case row.State == storage.Recording:
			return storage.ErrRecording
		}
		// A new number is its place behind all that was sent before: who has read
		// up to there reads on to it.
		n, err := t.next(ctx, "last_message", 1)
		if err != nil {
			return err
		}
		t.messageEvent(storage.MessageDeleted, row.ref(), nil)
		_, err = t.Exec(ctx, `UPDATE messages SET sent_at = ?, updated_at = ?, doc = ?, revision = revision + 1 WHERE id = ?`,
			toMS(t.now), toMS(t.now), search.Doc(t.workspaceNo, n), id)
		if err != nil {
			return err
		}
		if err := t.indexSent(ctx, id); err != nil {
			return err
		}
		row.Draft, row.CreatedAt = false, toMS(t.now)
		t.messageEvent(storage.MessageCreated, row.ref(), map[string]any{"state": row.State})
		return t.noteActivity(ctx, row.ConversationID)
	})
}

// indexSent makes a message searchable by its title, and by its transcript if
// that was made while it was a draft.
func (t *tx) indexSent(ctx context.Context, id string) error {
	row, err := t.indexedMessage(ctx, id)
	if err != nil || row.Version == 0 && row.Title == "" {
		return err
	}
	body, err := t.body(ctx, row)
	if err != nil {
		return err
	}
	return t.index(ctx, row, body)
}

// UnsendMessage makes a draft again of a message that its author sent within
// the last [storage.UnsendWithin], by the database's clock; later it fails with
// storage.ErrTooLate. To everybody else it is deleted. One that is a draft is
// returned as it is.
func (db *DB) UnsendMessage(ctx context.Context, principal storage.Principal, id string) (storage.Message, error) {
	return db.changeOwn(ctx, "unsend message", principal, id, func(ctx context.Context, t *tx, row messageRow) error {
		switch {
		case row.Draft:
			return nil
		case row.State == storage.Recording:
			return storage.ErrRecording
		case t.now.Sub(fromMS(row.CreatedAt)) > storage.UnsendWithin+unsendGrace:
			return storage.ErrTooLate
		}
		indexed, err := t.indexedMessage(ctx, id)
		if err != nil {
			return err
		}
		if err := t.unindex(ctx, indexed); err != nil {
			return err
		}
		t.messageEvent(storage.MessageDeleted, row.ref(), nil)
		_, err = t.Exec(ctx, `UPDATE messages SET sent_at = NULL, indexed_title = '', updated_at = ?, revision = revision + 1 WHERE id = ?`, toMS(t.now), id)
		if err != nil {
			return err
		}
		row.Draft = true
		t.messageEvent(storage.MessageCreated, row.ref(), map[string]any{"state": row.State})
		return t.forgetActivity(ctx, row.ConversationID)
	})
}

// DiscardDraft deletes a draft of the principal as [DB.DeleteMessage] does. One that
// has been sent meanwhile stays: storage.ErrSent.
func (db *DB) DiscardDraft(ctx context.Context, principal storage.Principal, id string) error {
	return db.changeBy(ctx, "discard draft", principal, func(ctx context.Context, t *tx) error {
		row, err := t.authored(ctx, principal, id)
		switch {
		case err != nil:
			return err
		case !row.Draft:
			return storage.ErrSent
		}
		return t.deleteMessage(ctx, row)
	})
}

// authored reads a message of the principal; another's is storage.ErrForbidden.
func (t *tx) authored(ctx context.Context, principal storage.Principal, id string) (messageRow, error) {
	row, err := t.message(ctx, t.workspaceNo, principal, id)
	if err == nil && !storage.MaySendMessage(principal, row.AuthorID) {
		err = storage.ErrForbidden
	}
	return row, err
}

// changeOwn changes a message of the principal, and returns it as it is then.
func (db *DB) changeOwn(ctx context.Context, op string, principal storage.Principal, id string, fn func(context.Context, *tx, messageRow) error) (storage.Message, error) {
	var row messageRow
	err := db.changeBy(ctx, op, principal, func(ctx context.Context, t *tx) (err error) {
		if row, err = t.authored(ctx, principal, id); err != nil {
			return err
		}
		if err := fn(ctx, t, row); err != nil {
			return err
		}
		row, err = t.message(ctx, t.workspaceNo, principal, id)
		return err
	})
	return row.message(), err
}
