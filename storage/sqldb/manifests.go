package sqldb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"hark/storage"
)

// revise notes that the manifests of the messages that condition names are to
// be written again.
func (t *tx) revise(ctx context.Context, condition string, args ...any) error {
	_, err := t.Exec(ctx, `UPDATE messages SET revision = revision + 1 WHERE `+condition, args...)
	return err
}

// reviseNewest has the manifest of a conversation's newest message written
// again, because it is the one that tells of the conversation and its members.
func (t *tx) reviseNewest(ctx context.Context, conversationID string) error {
	return t.revise(ctx, `id = (SELECT id FROM messages WHERE conversation_id = ? AND original_bytes > 0 ORDER BY doc DESC LIMIT 1)`, conversationID)
}

// reviseNewestOfAll is reviseNewest for every conversation of the workspace,
// since the manifest that was written last names the workspace and its owners.
func (t *tx) reviseNewestOfAll(ctx context.Context) error {
	return t.revise(ctx, `workspace_no = ? AND doc IN (SELECT MAX(doc) FROM messages WHERE workspace_no = ? AND original_bytes > 0 GROUP BY conversation_id)`,
		t.workspaceNo, t.workspaceNo)
}

// reviseNewestOf is reviseNewest for the conversations whose manifests name the
// user: those that they are in or made, and those where they said something.
func (t *tx) reviseNewestOf(ctx context.Context, u storage.User) error {
	if u.Role.Owns() {
		return t.reviseNewestOfAll(ctx)
	}
	return t.revise(ctx, `workspace_no = ? AND doc IN (SELECT MAX(m.doc) FROM messages m JOIN conversations c ON c.id = m.conversation_id
		WHERE m.workspace_no = ? AND m.original_bytes > 0 AND (c.created_by = ? OR m.author_id = ?
			OR EXISTS (SELECT 1 FROM conversation_members me WHERE me.conversation_id = c.id AND me.user_id = ?))
		GROUP BY m.conversation_id)`, t.workspaceNo, t.workspaceNo, u.ID, u.ID, u.ID)
}

// StaleManifests returns the ids of up to limit messages whose manifest does
// not tell what their record does, or is not written yet; the newest first, of
// those with ids below before, which may be empty. A message without a sound,
// such as a recording that is not finished, has none.
func (db *DB) StaleManifests(ctx context.Context, before string, limit int) ([]string, error) {
	if before == "" {
		before = "~" // above every id
	}
	var ids []string
	err := db.read(ctx, "list stale manifests", func(ctx context.Context, s session) error {
		return s.List(ctx, &ids, `SELECT id FROM messages m WHERE manifest_revision <> revision AND original_bytes > 0 AND id < ? AND `+notDeleted+`
			ORDER BY id DESC LIMIT ?`, before, limit)
	})
	return ids, err
}

// ManifestWritten notes that a manifest of [DB.Manifest] lies in the store, with
// its transcript. Where another was written meanwhile nobody knows which of the
// two came last: then it is to be written again. It fails with
// storage.ErrNotFound when the message has been deleted meanwhile: then both
// must go, too.
func (db *DB) ManifestWritten(ctx context.Context, m storage.Manifest) error {
	return db.write(ctx, "note manifest", func(ctx context.Context, t *tx) error {
		n, err := t.Exec(ctx, `UPDATE messages AS m SET manifest_revision = CASE WHEN manifest_revision = ? THEN CAST(? AS BIGINT) ELSE 0 END
			WHERE id = ? AND `+notDeleted, m.Replaces, m.Revision, m.Message.ID)
		if err == nil && n == 0 {
			err = storage.ErrNotFound
		}
		return err
	})
}

// manifestRow is what a manifest tells beside the message itself.
type manifestRow struct {
	messageRow
	Revision         int64
	ReadAt           int64                    `db:"read_at"` // by the database's clock: manifests of several nodes compare
	ManifestRevision int64                    `db:"manifest_revision"`
	WorkspaceName    string                   `db:"workspace_name"`
	WorkspaceCreated int64                    `db:"workspace_created"`
	Kind             storage.ConversationKind `db:"kind"`
	ConvTitle        string                   `db:"conversation_title"`
	ConvCreated      int64                    `db:"conversation_created"`
	General          bool                     `db:"general"`
	CreatedBy        string                   `db:"created_by"`
	History          storage.History
	storage.Rules
}

// Manifest returns what is to lie beside a message's objects, with its newest
// transcript, which is nil when there is none; storage.ErrNotFound when the
// message is gone, has no sound, or its manifest tells all already. The revision
// is read first: what changes meanwhile leaves the manifest stale.
func (db *DB) Manifest(ctx context.Context, messageID string) (m storage.Manifest, t *storage.StoredTranscript, err error) {
	var row manifestRow
	var people []personRow
	var transcript transcriptRow
	err = db.read(ctx, "read manifest", func(ctx context.Context, s session) error {
		err := s.Get(ctx, &row, `SELECT `+messageColumns+`, m.waveform, m.revision, m.manifest_revision, w.name AS workspace_name, w.created_at AS workspace_created,
				c.kind, c.title AS conversation_title, c.created_at AS conversation_created, c.id = w.general_id AS general, c.created_by, c.history, `+ruleColumns+`, (SELECT `+s.NowSQL()+`) AS read_at
			FROM messages m JOIN workspaces w ON w.no = m.workspace_no JOIN users u ON u.id = m.author_id
			JOIN conversations c ON c.id = m.conversation_id AND c.deleted_at = 0
			WHERE m.id = ? AND m.manifest_revision <> m.revision AND m.original_bytes > 0`, messageID)
		if err != nil {
			return err
		}
		if people, err = s.people(ctx, row); err != nil || row.TranscriptVersion == 0 {
			return err
		}
		return s.Get(ctx, &transcript, `SELECT version, language, engine, model, created_at, body FROM transcripts
			WHERE message_id = ? AND version = ?`, messageID, row.TranscriptVersion)
	})
	if err != nil {
		return m, nil, err
	}
	m = row.manifest(people)
	if transcript.Version == 0 {
		return m, nil, nil
	}
	stored, err := transcript.stored()
	if err != nil {
		return m, nil, fmt.Errorf("read transcript of %s: %w", messageID, err)
	}
	return m, &stored, nil
}

// personRow is somebody whom a manifest names.
type personRow struct {
	ID     string
	Kind   storage.UserKind
	Name   string
	Role   storage.Role
	Member bool

	ShownSince int64 `db:"shown_since"`
}

// people returns everybody whom the manifest of a message names: the members
// of the conversation, who made it, the author, and the workspace's owners.
func (s session) people(ctx context.Context, m manifestRow) (rows []personRow, err error) {
	err = s.List(ctx, &rows, `SELECT u.id, u.kind, u.name, u.role, me.user_id IS NOT NULL AS member, COALESCE(me.shown_since, 0) AS shown_since
		FROM users u LEFT JOIN conversation_members me ON me.user_id = u.id AND me.conversation_id = ?
		WHERE u.workspace_no = (SELECT workspace_no FROM messages WHERE id = ?) AND (me.user_id IS NOT NULL OR u.role = ? OR u.id = ? OR u.id = ?)
		ORDER BY u.no`, m.ConversationID, m.ID, storage.Owner, m.AuthorID, m.CreatedBy)
	return rows, err
}

func (r manifestRow) manifest(people []personRow) storage.Manifest {
	msg := r.message()
	m := storage.Manifest{
		WrittenAt: fromMS(r.ReadAt), Revision: r.Revision, Replaces: r.ManifestRevision,
		Workspace: storage.ManifestWorkspace{ID: r.Workspace, Name: r.WorkspaceName, CreatedAt: fromMS(r.WorkspaceCreated)},
		Conversation: storage.ManifestConversation{
			ID: r.ConversationID, Kind: r.Kind, Title: r.ConvTitle, CreatedBy: r.CreatedBy, CreatedAt: fromMS(r.ConvCreated),
			General: r.General, Members: []string{},
		},
		Message: storage.ManifestMessage{
			ID: msg.ID, AuthorID: msg.AuthorID, Title: msg.Title, ReplyTo: msg.ReplyTo, ReplyAtMS: msg.ReplyAtMS,
			RecordedAt: msg.RecordedAt, CreatedAt: msg.CreatedAt, Draft: msg.Unsent, DurationMS: msg.DurationMS, EndReason: msg.EndReason,
			LoudnessLUFS: msg.Loudness, Waveform: msg.Waveform,
		},
		Original: storage.ManifestOriginal{
			Key: msg.Original.Key, Format: msg.Original.Format, Bytes: msg.Original.Bytes,
			SHA256: msg.Original.SHA256, Filename: msg.Original.Filename,
		},
		TranscriptVersion: msg.TranscriptVersion,
	}
	if msg.Rendition != nil {
		m.Rendition = &storage.ManifestRendition{Key: msg.Rendition.Key, MediaType: msg.Rendition.MediaType, Bytes: msg.Rendition.Bytes}
	}
	if rules := r.Whole(); rules != storage.DefaultRules {
		m.Workspace.Rules = &rules
	}
	if r.History != storage.HistoryAll {
		m.Conversation.History = r.History
	}
	for _, p := range people {
		named := storage.ManifestPerson{ID: p.ID, Name: p.Name, Role: p.Role}
		if p.Kind == storage.KindIntegration {
			named.Kind = p.Kind
		}
		m.People = append(m.People, named)
		if p.Member {
			m.Conversation.Members = append(m.Conversation.Members, p.ID)
			if p.ShownSince > 0 {
				if m.Conversation.ShownSince == nil {
					m.Conversation.ShownSince = map[string]time.Time{}
				}
				m.Conversation.ShownSince[p.ID] = fromMS(p.ShownSince)
			}
		}
	}
	slices.Sort(m.Conversation.Members)
	return m
}
