package sqldb

import (
	"context"

	"hark/media/transcript"
	"hark/storage"
	"hark/storage/sqldb/search"
)

// Imported is a message that was worked on elsewhere. Without a key of an
// original it has no sound here.
type Imported struct {
	storage.NewMessage
	Transcript *transcript.Transcript
}

// Import records finished messages of the principal, such as another system's
// history: each is ready and searchable at once, and can be worked on again by
// a retry. All are recorded or none. A few hundred at a time are fastest.
func (db *DB) Import(ctx context.Context, principal storage.Principal, messages []Imported) error {
	return db.changeBy(ctx, "import messages", principal, func(ctx context.Context, t *tx) error {
		first, err := t.next(ctx, "last_message", len(messages))
		if err != nil {
			return err
		}
		var author int64
		if err := t.Get(ctx, &author, `SELECT no FROM users WHERE id = ?`, principal.UserID); err != nil {
			return err
		}
		places := map[string]int64{} // conversation id -> its number
		for i, m := range messages {
			if _, seen := places[m.ConversationID]; !seen {
				row, err := t.speakable(ctx, principal, m.ConversationID)
				if err != nil {
					return err
				}
				if err := t.noteActivity(ctx, row.ID); err != nil {
					return err
				}
				places[row.ID] = row.No
			}
			n := first + int64(i)
			err := t.importOne(ctx, principal, m, n, indexedMessage{
				ID: m.ID, Doc: search.Doc(t.workspaceNo, n), ConversationNo: places[m.ConversationID], AuthorNo: author, RecordedAt: t.recorded(m.NewMessage), Title: clean(m.Title),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) importOne(ctx context.Context, principal storage.Principal, m Imported, n int64, row indexedMessage) error {
	if m.Original.Key == "" {
		m.Original.Key = storage.NewOriginalKey(t.workspaceID, m.ID)
	}
	if err := t.insertMessage(ctx, principal, m.NewMessage, n, storage.Ready); err != nil {
		return err
	}
	if err := t.messageJob(ctx, m.ID, principal.UserID, m.Priority, "done", false); err != nil {
		return err
	}
	return t.putTranscript(ctx, row, m.Transcript)
}

// ImportAudit adds entries to the workspace's audit log, such as those that a
// measurement needs: who did what is theirs, and so are times that do not go back.
// Numbers and hashes are made as for all. A few thousand at a time are fastest.
func (db *DB) ImportAudit(ctx context.Context, principal storage.Principal, entries []storage.AuditEntry) error {
	return db.changeBy(ctx, "import audit log", principal, func(_ context.Context, t *tx) error {
		t.audits = append(t.audits, entries...)
		return nil
	})
}
