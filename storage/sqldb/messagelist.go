package sqldb

import (
	"context"
	"slices"

	"hark/storage"
	"hark/storage/sqldb/cursor"
)

// messagePlace is a place in a conversation, for cursors.
type messagePlace struct {
	Doc   int64
	Newer bool // what came after it is wanted, not what came before
}

// beyond is behind every message.
const beyond = int64(1) << 62

// Messages lists what was sent into a conversation, the newest first; 50 a page unless asked
// otherwise, 200 at the most. A page around a message has as many before it as
// after it, where there are as many; if the message is not in the conversation,
// it is storage.ErrNotFound.
func (db *DB) Messages(ctx context.Context, principal storage.Principal, conversationID string, page storage.MessagePage) (storage.MessageList, error) {
	no, seal, err := db.pages(ctx, principal)
	if err != nil {
		return storage.MessageList{}, err
	}
	name := "messages " + principal.UserID + " " + conversationID
	list := messageLister{principal: principal, workspaceNo: no, conversationID: conversationID, limit: pageLimit(page.Page, 50, 200)}
	var found messageRun
	err = db.read(ctx, "list messages", func(ctx context.Context, s session) error {
		if _, err := s.conversation(ctx, no, principal, conversationID); err != nil {
			return err
		}
		list.session = s
		place := messagePlace{Doc: beyond}
		switch {
		case page.Cursor != "":
			if err := seal.Open(name, page.Cursor, &place); err != nil {
				return err
			}
		case page.Around != "":
			found, err = list.around(ctx, page.Around)
			return err
		}
		found, err = list.from(ctx, place)
		return err
	})
	if err != nil {
		return storage.MessageList{}, err
	}
	out := storage.MessageList{}
	for _, r := range found.rows {
		out.Messages = append(out.Messages, r.message())
	}
	if out.Older, err = found.older.sealed(seal, name); err == nil {
		out.Newer, err = found.newer.sealed(seal, name)
	}
	return out, err
}

// sealed is the cursor of a place; empty for none.
func (p *messagePlace) sealed(seal *cursor.Seal, list string) (string, error) {
	if p == nil {
		return "", nil
	}
	return seal.Close(list, *p)
}

// messageRun is a piece of a conversation, the newest first, and where it goes
// on; nil where it does not.
type messageRun struct {
	rows         []messageRow
	older, newer *messagePlace
}

// messageLister reads pieces of one conversation.
type messageLister struct {
	session
	principal      storage.Principal
	workspaceNo    int64
	conversationID string
	limit          int
}

// from reads a page that lies before or after a place. Who came to a place came
// from its other side, so there is something, or was.
func (l messageLister) from(ctx context.Context, place messagePlace) (run messageRun, err error) {
	rows, more, err := l.beside(ctx, place, l.limit)
	older, newer := edges(rows, place.Doc)
	run.rows = rows
	if more || place.Newer {
		run.older = older
	}
	if more && place.Newer || !place.Newer && place.Doc != beyond {
		run.newer = newer
	}
	return run, err
}

// around reads a page with a message in its middle, as far as there is enough
// on both sides; what the newer side lacks, the older has.
func (l messageLister) around(ctx context.Context, id string) (run messageRun, err error) {
	row, err := l.message(ctx, l.workspaceNo, l.principal, id)
	if err == nil && (row.ConversationID != l.conversationID || row.Draft) {
		err = storage.ErrNotFound
	}
	if err != nil {
		return run, err
	}
	after, moreAfter, err := l.beside(ctx, messagePlace{Doc: row.Doc, Newer: true}, l.limit/2)
	if err != nil {
		return run, err
	}
	before, moreBefore, err := l.beside(ctx, messagePlace{Doc: row.Doc + 1}, l.limit-len(after))
	run.rows = slices.Concat(after, before)
	older, newer := edges(run.rows, row.Doc)
	if moreAfter {
		run.newer = newer
	}
	if moreBefore {
		run.older = older
	}
	return run, err
}

// edges are the places from which it goes on beside rows; around doc, where
// there are none.
func edges(rows []messageRow, doc int64) (older, newer *messagePlace) {
	if len(rows) == 0 {
		return &messagePlace{Doc: doc + 1}, &messagePlace{Doc: doc - 1, Newer: true}
	}
	return &messagePlace{Doc: rows[len(rows)-1].Doc}, &messagePlace{Doc: rows[0].Doc, Newer: true}
}

// beside reads up to limit messages next to a place, the newest first, and says
// whether there are more on that side.
func (l messageLister) beside(ctx context.Context, place messagePlace, limit int) (rows []messageRow, more bool, err error) {
	side := ` AND m.doc < ? ORDER BY m.doc DESC LIMIT ?`
	if place.Newer {
		side = ` AND m.doc > ? ORDER BY m.doc LIMIT ?`
	}
	err = l.listAll(ctx, &rows, selectMessages(l.principal, l.workspaceNo).
		and(` AND m.conversation_id = ? AND m.sent_at IS NOT NULL`+side, l.conversationID, place.Doc, limit+1))
	if len(rows) > limit {
		rows, more = rows[:limit], true
	}
	if place.Newer {
		slices.Reverse(rows)
	}
	return rows, more, err
}
