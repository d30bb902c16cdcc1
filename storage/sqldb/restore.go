package sqldb

import (
	"cmp"
	"context"
	"time"

	"hark/storage"
	"hark/storage/sqldb/codec"
)

// Restored is a message that is made again from what lies in the object store.
type Restored struct {
	storage.Manifest
	Transcript *storage.StoredTranscript // nil means that the job has to listen

	// Node is which node has a recording that is in pieces still: its recorder
	// finishes it. Empty for a message whose original is whole.
	Node string
}

// RestoreWorkspace makes a workspace with the id that it had, unless it is
// there.
func (db *DB) RestoreWorkspace(ctx context.Context, w storage.ManifestWorkspace) error {
	w.Tidy()
	return db.write(ctx, "restore workspace", func(ctx context.Context, t *tx) error {
		if err := t.lockInstance(ctx); err != nil {
			return err
		}
		var n int
		if err := t.Get(ctx, &n, `SELECT COUNT(*) FROM workspaces WHERE id = ?`, w.ID); err != nil || n > 0 {
			return err
		}
		rules := storage.DefaultRules
		if w.Rules != nil {
			rules = w.Rules.Whole()
		}
		_, err := t.Exec(ctx, `INSERT INTO workspaces (no, id, name, created_at, invite_members, invite_guests, create_channels, see_directory)
			VALUES ((SELECT COALESCE(MAX(no), 0) + 1 FROM workspaces), ?, ?, ?, ?, ?, ?, ?)`, w.ID, clean(w.Name), toMS(w.CreatedAt),
			rules.InviteMembers, rules.InviteGuests, rules.CreateChannels, rules.SeeDirectory)
		return err
	})
}

// Restore makes the messages of a workspace again that are not there, in the
// order in which they are given, with their conversations and the people that
// they name where those are not there either; what is there stays as it is, and
// so does what was deleted and whose objects are about to go. Manifests are
// tidied first (see [storage.Manifest.Tidy]).
// Each message is searchable at once where its transcript is known, and gets a
// job for all that is missing. Nobody knows any more who heard it, so it is new to nobody
// who has heard all else there. All are made or none; it may be repeated.
func (db *DB) Restore(ctx context.Context, workspaceID string, messages []Restored) (restored int, err error) {
	err = db.change(ctx, "restore messages", workspaceID, func(ctx context.Context, t *tx) error {
		restored = 0
		heard := map[string]bool{} // conversations of which what comes counts as heard by who had nothing to hear
		for _, m := range messages {
			m.Tidy()
			var n int
			err := t.Get(ctx, &n, `SELECT (SELECT COUNT(*) FROM messages WHERE id = ?) + (SELECT COUNT(*) FROM doomed_objects WHERE key = ?)
					+ (SELECT COUNT(*) FROM conversations WHERE id = ? AND deleted_at > 0)`,
				m.Message.ID, storage.MessagePrefix(workspaceID, m.Message.ID), m.Conversation.ID)
			if err != nil {
				return err
			}
			if n > 0 {
				continue
			}
			if err := t.restorePlace(ctx, m.Manifest); err != nil {
				return err
			}
			if id := m.Conversation.ID; !heard[id] {
				heard[id] = true
				_, err := t.Exec(ctx, `UPDATE conversation_members SET heard_doc = ? WHERE conversation_id = ?
					AND heard_count = (SELECT c.sent_count FROM conversations c WHERE c.id = conversation_members.conversation_id)`, beyond, id)
				if err != nil {
					return err
				}
			}
			if err := t.restoreMessage(ctx, m); err != nil {
				return err
			}
			restored++
		}
		for id := range heard {
			_, err := t.Exec(ctx, `UPDATE conversation_members SET heard_doc = (SELECT COALESCE(MAX(m.doc), 0) FROM messages m WHERE m.conversation_id = conversation_members.conversation_id)
				WHERE conversation_id = ? AND heard_doc = ?`, id, beyond)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return restored, err
}

// restorePlace makes the people and the conversation of a message.
func (t *tx) restorePlace(ctx context.Context, m storage.Manifest) error {
	for _, p := range m.People {
		var n int
		if err := t.Get(ctx, &n, `SELECT COUNT(*) FROM users WHERE id = ?`, p.ID); err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		no, err := t.next(ctx, "last_user", 1)
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, `INSERT INTO users (id, workspace_no, no, kind, name, role, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			p.ID, t.workspaceNo, no, cmp.Or(p.Kind, storage.KindPerson), clean(p.Name), p.Role, toMS(t.now))
		if err != nil {
			return err
		}
	}
	var n int
	if err := t.Get(ctx, &n, `SELECT COUNT(*) FROM conversations WHERE id = ?`, m.Conversation.ID); err != nil || n > 0 {
		return err
	}
	no, err := t.next(ctx, "last_conversation", 1)
	if err != nil {
		return err
	}
	c := m.Conversation
	_, err = t.Exec(ctx, `INSERT INTO conversations (id, workspace_no, no, kind, title, created_by, created_at, active_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, c.ID, t.workspaceNo, no, c.Kind, clean(c.Title), c.CreatedBy, toMS(c.CreatedAt), toMS(c.CreatedAt))
	if err != nil {
		return err
	}
	if err := t.restoreMembers(ctx, c); err != nil {
		return err
	}
	t.event(storage.ConversationCreated, c.ID, "", nil)
	if err := t.restoreDirectKey(ctx, c); err != nil || !c.General {
		return err
	}
	return t.setGeneral(ctx, c.ID)
}

// restoreMembers puts those into a conversation who were in it, each of whom sees as much
// of it as before.
func (t *tx) restoreMembers(ctx context.Context, c storage.ManifestConversation) error {
	for _, id := range c.Members {
		if err := t.addMember(ctx, c.ID, id); err != nil {
			return err
		}
		if since, cut := c.ShownSince[id]; cut {
			if _, err := t.Exec(ctx, `UPDATE conversation_members SET shown_since = ? WHERE conversation_id = ? AND user_id = ?`, toMS(since), c.ID, id); err != nil {
				return err
			}
		}
	}
	if c.History != storage.HistoryFromJoining {
		return nil
	}
	_, err := t.Exec(ctx, `UPDATE conversations SET history = ? WHERE id = ?`, c.History, c.ID)
	return err
}

// restoreMessage makes a message whose place is there.
func (t *tx) restoreMessage(ctx context.Context, m Restored) error {
	state := storage.Received
	switch {
	case m.Node != "":
		state = storage.Recording
	case m.Transcript != nil:
		state = storage.Ready
	}
	n, err := t.next(ctx, "last_message", 1)
	if err != nil {
		return err
	}
	// What it replies to may be gone: that is not checked again.
	err = t.insertMessage(ctx, storage.Principal{UserID: m.Message.AuthorID}, storage.NewMessage{
		ID: m.Message.ID, ConversationID: m.Conversation.ID, Draft: storage.Draft{Title: m.Message.Title, RecordedAt: m.Message.RecordedAt, Unsent: m.Message.Draft},
		DurationMS: m.Message.DurationMS, Original: storage.Original(m.Original),
	}, n, state)
	if err != nil {
		return err
	}
	if !m.Message.Draft {
		t.events[len(t.events)-1].SentAt = toMS(m.Message.CreatedAt) // and not now
	}
	if err := t.restoreDetails(ctx, m); err != nil {
		return err
	}
	if m.Node != "" {
		return t.restoreRecording(ctx, m)
	}
	if err := t.restoreJob(ctx, m); err != nil {
		return err
	}
	if m.Transcript == nil {
		return t.reindexTitle(ctx, m.Message.ID)
	}
	row, err := t.indexedMessage(ctx, m.Message.ID)
	if err != nil {
		return err
	}
	row.Version = m.Transcript.Version - 1
	if err := t.putTranscript(ctx, row, &m.Transcript.Transcript); err != nil {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE transcripts SET created_at = ? WHERE message_id = ?`, toMS(m.Transcript.CreatedAt), m.Message.ID)
	return err
}

// restoreDetails adds what a new message does not have.
func (t *tx) restoreDetails(ctx context.Context, m Restored) error {
	rendition := storage.ManifestRendition{Key: storage.RenditionKey(m.Original.Key)}
	if m.Rendition != nil {
		rendition = *m.Rendition
	}
	var waveform []byte // NULL
	if len(m.Message.Waveform) > 0 {
		waveform = codec.EncodePeaks(m.Message.Waveform)
	}
	created := toMS(m.Message.CreatedAt)
	_, err := t.Exec(ctx, `UPDATE messages SET created_at = ?, sent_at = CASE WHEN sent_at IS NULL THEN NULL ELSE CAST(? AS BIGINT) END, reply_to = ?, reply_at_ms = ?, end_reason = ?, rendition_key = ?, rendition_type = ?,
			rendition_bytes = ?, loudness = ?, waveform = ? WHERE id = ?`,
		created, created, m.Message.ReplyTo, m.Message.ReplyAtMS, clean(m.Message.EndReason), rendition.Key, rendition.MediaType,
		rendition.Bytes, m.Message.LoudnessLUFS, waveform, m.Message.ID)
	if err != nil || m.Message.Draft {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE conversations SET active_at = CASE WHEN active_at < ? THEN CAST(? AS BIGINT) ELSE active_at END,
			last_message_at = CASE WHEN last_message_at < ? THEN CAST(? AS BIGINT) ELSE last_message_at END WHERE id = ?`,
		created, created, created, created, m.Conversation.ID)
	return err
}

// restoreRecording leaves a recording in pieces to the recorder of its node.
func (t *tx) restoreRecording(ctx context.Context, m Restored) error {
	_, err := t.Exec(ctx, `INSERT INTO recordings (message_id, workspace_no, node, lease_until, begun_at, captions) VALUES (?, ?, ?, ?, ?, ?)`,
		m.Message.ID, t.workspaceNo, m.Node, 1, toMS(m.Message.CreatedAt), storage.CaptionsOff)
	return err
}

// restoreJob gives a message the job that makes what is missing of it.
func (t *tx) restoreJob(ctx context.Context, m Restored) error {
	state := "waiting"
	if m.Transcript != nil && m.Rendition != nil && len(m.Message.Waveform) > 0 {
		state = "done"
	}
	priority := storage.PriorityOf(time.Duration(m.Message.DurationMS) * time.Millisecond)
	return t.messageJob(ctx, m.Message.ID, m.Message.AuthorID, priority, state, m.Transcript != nil && state == "waiting")
}

// DropUnusedWorkspaces deletes the workspaces in which nobody has said
// anything and that have no user but the one who came with them, and returns
// their names: a server makes such a one when it starts on an empty database.
// One workspace stays.
func (db *DB) DropUnusedWorkspaces(ctx context.Context) (names []string, err error) {
	err = db.write(ctx, "drop unused workspaces", func(ctx context.Context, t *tx) error {
		names = nil
		if err := t.lockInstance(ctx); err != nil {
			return err
		}
		var unused []workspaceRow
		err := t.List(ctx, &unused, `SELECT no, id, name, created_at FROM workspaces w
			WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.workspace_no = w.no)
			AND (SELECT COUNT(*) FROM users u WHERE u.workspace_no = w.no) < 2
			AND (SELECT COUNT(*) FROM conversations c WHERE c.workspace_no = w.no) < 2
			AND EXISTS (SELECT 1 FROM messages) ORDER BY no`)
		if err != nil {
			return err
		}
		for _, w := range unused {
			for _, table := range []string{"jobs", "audit", "events", "invitations", "conversations", "users"} {
				if _, err := t.Exec(ctx, `DELETE FROM `+table+` WHERE workspace_no = ?`, w.No); err != nil {
					return err
				}
			}
			if _, err := t.Exec(ctx, `DELETE FROM workspaces WHERE no = ?`, w.No); err != nil {
				return err
			}
			names = append(names, w.Name)
		}
		// Whose user was theirs can give the address to the one that they have now.
		_, err = t.Exec(ctx, `DELETE FROM accounts WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.account_id = accounts.id)`)
		return err
	})
	return names, err
}

// OwnerOf returns the first owner of a workspace who is not disabled; storage.ErrNotFound when
// there is none.
func (db *DB) OwnerOf(ctx context.Context, workspaceID string) (storage.User, error) {
	users, err := db.Users(ctx, workspaceID)
	if err != nil {
		return storage.User{}, err
	}
	for _, u := range users {
		if u.Role.Owns() && !u.Disabled {
			return u, nil
		}
	}
	return storage.User{}, storage.ErrNotFound
}
