package sqldb

import (
	"context"
	"fmt"
	"slices"

	"hark/storage"
	"hark/storage/sqldb/codec"
)

type conversationRow struct {
	ID            string
	No            int64
	Kind          storage.ConversationKind
	Title         string
	CreatedBy     string `db:"created_by"`
	CreatedAt     int64  `db:"created_at"`
	ActiveAt      int64  `db:"active_at"`
	LastMessageAt int64  `db:"last_message_at"`
	MemberCount   int    `db:"member_count"`
	History       storage.History
	ShownSince    int64 `db:"shown_since"` // to who asks
	Unread        int   // of who asks
}

func (r conversationRow) conversation(workspaceID string) storage.Conversation {
	return storage.Conversation{
		ID: r.ID, WorkspaceID: workspaceID, Kind: r.Kind, Title: r.Title, CreatedBy: r.CreatedBy,
		CreatedAt: fromMS(r.CreatedAt), LastMessageAt: fromMS(r.LastMessageAt), MemberCount: r.MemberCount,
		History: r.History, ShownSince: fromMS(r.ShownSince), Unread: max(0, r.Unread),
	}
}

// selectConversations reads conversations that a principal may see; conditions
// may be added.
func selectConversations(principal storage.Principal, workspaceNo int64) statement {
	return statement{text: `SELECT c.id, c.no, c.kind, c.title, c.created_by, c.created_at, c.active_at, c.history, me.shown_since, c.sent_count - me.heard_count AS unread,
		CASE WHEN c.last_message_at >= me.shown_since THEN c.last_message_at ELSE 0 END AS last_message_at,
		(SELECT COUNT(*) FROM conversation_members m WHERE m.conversation_id = c.id) AS member_count`}.
		with(visibleConversations(principal, workspaceNo))
}

func (s session) conversation(ctx context.Context, workspaceNo int64, principal storage.Principal, id string) (row conversationRow, err error) {
	err = s.getOne(ctx, &row, selectConversations(principal, workspaceNo).and(` AND c.id = ?`, id))
	return row, err
}

// errChannelsByAdmins is the error of a channel made by who may make none.
var errChannelsByAdmins = &storage.ForbiddenError{Reason: "In this workspace owners and admins create channels. Ask one of them."}

// CreateConversation makes a conversation of the principal and the named users of
// the workspace, whom they know of. [storage.MayCreateConversation] says who may, and
// [storage.MayAddMember] who may have guests in a channel: storage.ErrForbidden; a kind
// or a number of members that cannot be is storage.ErrInvalid. Of a direct conversation
// there is one for the same people: it is returned where it is there already, with the
// title that it has, and created is false.
func (db *DB) CreateConversation(ctx context.Context, principal storage.Principal, n storage.NewConversation) (c storage.Conversation, created bool, err error) {
	if err := storage.CheckConversation(n); err != nil {
		return c, false, fmt.Errorf("create conversation: %w", err)
	}
	members := append([]string{principal.UserID}, n.MemberIDs...)
	slices.Sort(members)
	members = slices.Compact(members)
	var row conversationRow
	err = db.changeBy(ctx, "create conversation", principal, func(ctx context.Context, t *tx) error {
		who, err := t.asNow(ctx, principal)
		switch {
		case err != nil:
			return err
		case storage.MayCreateConversation(who, n.Kind):
		case storage.MayCreateConversation(who, storage.Direct):
			return errChannelsByAdmins
		default:
			return storage.ErrForbidden
		}
		var id string
		if n.Kind == storage.Direct {
			id, created, err = t.directConversation(ctx, who, n.Title, members)
		} else {
			id, err = t.createChannel(ctx, who, n, members)
			created = true
		}
		if err != nil {
			return err
		}
		row, err = t.conversation(ctx, t.workspaceNo, principal, id)
		return err
	})
	return row.conversation(principal.WorkspaceID), created, err
}

// createChannel makes a channel. Who is in it from the beginning sees all of it.
func (t *tx) createChannel(ctx context.Context, maker storage.Principal, n storage.NewConversation, members []string) (id string, err error) {
	if err := t.mayAdd(ctx, maker, n.MemberIDs...); err != nil {
		return "", err
	}
	if id, err = t.createConversation(ctx, maker.UserID, n.Kind, n.Title, members); err != nil {
		return "", err
	}
	if n.History == storage.HistoryFromJoining {
		if _, err := t.Exec(ctx, `UPDATE conversations SET history = ? WHERE id = ?`, n.History, id); err != nil {
			return "", err
		}
	}
	t.auditChannel(ctx, maker, id, members)
	return id, nil
}

// auditChannel records that a channel was made, and who was put into it. Who talks
// with whom directly is not for the audit log.
func (t *tx) auditChannel(ctx context.Context, maker storage.Principal, id string, members []string) {
	t.audit(ctx, maker, storage.AuditChannelCreated, onConversation(id), nil)
	for _, userID := range members {
		t.audit(ctx, maker, storage.AuditMemberAdded, onMember(userID, id), nil)
	}
}

// createConversation makes a conversation of members, none of them twice.
func (t *tx) createConversation(ctx context.Context, makerID string, kind storage.ConversationKind, title string, members []string) (id string, err error) {
	no, err := t.next(ctx, "last_conversation", 1)
	if err != nil {
		return "", err
	}
	id = storage.NewID()
	_, err = t.Exec(ctx, `INSERT INTO conversations (id, workspace_no, no, kind, title, created_by, created_at, active_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, id, t.workspaceNo, no, kind, clean(title), makerID, toMS(t.now), toMS(t.now))
	if err != nil {
		return "", err
	}
	for _, userID := range members {
		if err := t.addMember(ctx, id, userID); err != nil {
			return "", err
		}
	}
	t.event(storage.ConversationCreated, id, "", nil)
	return id, nil
}

// Conversation returns a conversation that the principal is in.
func (db *DB) Conversation(ctx context.Context, principal storage.Principal, id string) (storage.Conversation, error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return storage.Conversation{}, err
	}
	var row listedRow
	err = db.read(ctx, "read conversation", func(ctx context.Context, s session) error {
		row, err = s.listedConversation(ctx, no, principal, id)
		return err
	})
	return row.conversation(principal.WorkspaceID), err
}

// conversationPlace is a place in the list of conversations.
type conversationPlace struct {
	ActiveAt int64
	ID       string
}

// Conversations lists what the principal is in, the last active first; 50 a page
// unless asked otherwise, 200 at the most. A conversation that becomes active
// between two pages is not listed again.
func (db *DB) Conversations(ctx context.Context, principal storage.Principal, page storage.Page) (list []storage.Conversation, next string, err error) {
	no, seal, err := db.pages(ctx, principal)
	if err != nil {
		return nil, "", err
	}
	name := "conversations " + principal.UserID
	found := selectConversations(principal, no)
	if page.Cursor != "" {
		var after conversationPlace
		if err := seal.Open(name, page.Cursor, &after); err != nil {
			return nil, "", fmt.Errorf("list conversations: %w", err)
		}
		found = found.and(` AND (c.active_at, c.id) < (?, ?)`, after.ActiveAt, after.ID)
	}
	limit := pageLimit(page, 50, 200)
	const order = ` ORDER BY c.active_at DESC, c.id DESC`
	var rows []listedRow
	err = db.read(ctx, "list conversations", func(ctx context.Context, s session) error {
		return s.listAll(ctx, &rows, withLastMessage(found.and(order+` LIMIT ?`, limit+1)).and(order))
	})
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next, err = seal.Close(name, conversationPlace{rows[limit-1].ActiveAt, rows[limit-1].ID})
	}
	for _, r := range rows {
		list = append(list, r.conversation(principal.WorkspaceID))
	}
	return list, next, err
}

// UpdateConversation changes what the patch names. The conversation's maker, owners and
// admins may; other members get storage.ErrForbidden.
func (db *DB) UpdateConversation(ctx context.Context, principal storage.Principal, id string, patch storage.ConversationPatch) (storage.Conversation, error) {
	var row listedRow
	err := db.changeBy(ctx, "update conversation", principal, func(ctx context.Context, t *tx) error {
		before, err := t.ownConversation(ctx, principal, id)
		if err != nil {
			return err
		}
		if patch.Title != nil {
			if _, err := t.Exec(ctx, `UPDATE conversations SET title = ? WHERE id = ?`, clean(*patch.Title), id); err != nil {
				return err
			}
		}
		if patch.History != nil {
			if err := t.setHistory(ctx, principal, before, *patch.History); err != nil {
				return err
			}
		}
		t.event(storage.ConversationUpdated, id, "", nil)
		if err := t.reviseNewest(ctx, id); err != nil {
			return err
		}
		row, err = t.listedConversation(ctx, t.workspaceNo, principal, id)
		return err
	})
	return row.conversation(principal.WorkspaceID), err
}

// setHistory changes what a conversation shows of its past: all to everybody in it, or
// nothing to who is added from now on.
func (t *tx) setHistory(ctx context.Context, by storage.Principal, row conversationRow, history storage.History) error {
	if err := storage.CheckHistory(row.Kind, history); err != nil || history == row.History || history == "" {
		return err
	}
	if _, err := t.Exec(ctx, `UPDATE conversations SET history = ? WHERE id = ?`, history, row.ID); err != nil {
		return err
	}
	t.audit(ctx, by, storage.AuditHistoryChanged, onConversation(row.ID), map[string]string{"from": string(row.History), "to": string(history)})
	if history != storage.HistoryAll {
		return nil
	}
	_, err := t.Exec(ctx, `UPDATE conversation_members SET shown_since = 0 WHERE conversation_id = ?`, row.ID)
	return err
}

// speakable reads a conversation that the principal may send messages into.
func (t *tx) speakable(ctx context.Context, principal storage.Principal, id string) (conversationRow, error) {
	row, err := t.conversation(ctx, t.workspaceNo, principal, id)
	if err == nil && !storage.MaySpeak(principal) {
		err = storage.ErrForbidden
	}
	return row, err
}

// ownConversation reads a conversation that the principal may change.
func (t *tx) ownConversation(ctx context.Context, principal storage.Principal, id string) (conversationRow, error) {
	row, err := t.conversation(ctx, t.workspaceNo, principal, id)
	if err == nil && !storage.MayChangeConversation(principal, row.CreatedBy) {
		err = storage.ErrForbidden
	}
	return row, err
}

// errOthersSpoke is the error of a maker who would delete what others said.
var errOthersSpoke = &storage.ForbiddenError{Reason: "Others have recorded messages here. Ask an owner or an admin of the workspace to delete it."}

// deletableConversation reads a conversation that the principal may delete. A
// draft of somebody else keeps it, too.
func (t *tx) deletableConversation(ctx context.Context, principal storage.Principal, id string) (conversationRow, error) {
	row, err := t.conversation(ctx, t.workspaceNo, principal, id)
	switch {
	case err != nil:
		return row, err
	case storage.MayDeleteConversation(principal, row.CreatedBy, true):
		return row, nil
	case !storage.MayDeleteConversation(principal, row.CreatedBy, false):
		return row, storage.ErrForbidden
	}
	var others bool
	err = t.Get(ctx, &others, `SELECT EXISTS (SELECT 1 FROM messages WHERE conversation_id = ? AND author_id <> ?)`, id, principal.UserID)
	if err == nil && others {
		err = errOthersSpoke
	}
	return row, err
}

// DeleteConversation deletes a conversation and all that was said in it: it is
// gone for everybody when the call returns, and [DB.PurgeDeleted] takes what is
// left of it. [storage.MayDeleteConversation] says who may; other members get
// storage.ErrForbidden.
func (db *DB) DeleteConversation(ctx context.Context, principal storage.Principal, id string) error {
	return db.changeBy(ctx, "delete conversation", principal, func(ctx context.Context, t *tx) error {
		row, err := t.deletableConversation(ctx, principal, id)
		if err != nil {
			return err
		}
		t.audit(ctx, principal, storage.AuditConversationDeleted, onConversation(id), map[string]string{"kind": string(row.Kind)})
		return t.markDeleted(ctx, id)
	})
}

// listedRow is a conversation with what was sent into it last.
type listedRow struct {
	conversationRow
	LastID         string           `db:"last_id"` // empty means that nothing was
	LastAuthorID   string           `db:"last_author_id"`
	LastAuthorName string           `db:"last_author_name"`
	LastAuthorNo   int64            `db:"last_author_no"`
	LastAuthorKind storage.UserKind `db:"last_author_kind"`
	LastTitle      string           `db:"last_title"`
	LastCreatedAt  int64            `db:"last_created_at"`
	LastDurationMS int64            `db:"last_duration_ms"`
	LastHead       []byte           `db:"last_head"` // of the transcript's blob
}

// withLastMessage puts what was sent last beside conversations that a query
// selects as selectConversations does: a lookup in an index for each of them,
// so the query should be of one page.
func withLastMessage(conversations statement) statement {
	return statement{text: `SELECT c.*, COALESCE(m.id, '') AS last_id, COALESCE(m.author_id, '') AS last_author_id, COALESCE(u.name, '') AS last_author_name, COALESCE(u.no, 0) AS last_author_no, COALESCE(u.kind, '') AS last_author_kind,
		COALESCE(m.title, '') AS last_title, COALESCE(m.sent_at, 0) AS last_created_at, COALESCE(m.duration_ms, 0) AS last_duration_ms,
		SUBSTR(t.body, 1, 320) AS last_head
		FROM (`}.with(conversations).and(`) c
		LEFT JOIN messages m ON m.doc = (SELECT s.doc FROM messages s WHERE s.conversation_id = c.id AND s.state <> 'recording' AND s.sent_at >= c.shown_since ORDER BY s.doc DESC LIMIT 1)
		LEFT JOIN users u ON u.id = m.author_id
		LEFT JOIN transcripts t ON t.message_id = m.id AND t.version = m.transcript_version`)
}

func (r listedRow) conversation(workspaceID string) storage.Conversation {
	c := r.conversationRow.conversation(workspaceID)
	if r.LastID != "" {
		c.LastMessage = &storage.LastMessage{
			ID: r.LastID, AuthorID: r.LastAuthorID, AuthorName: r.LastAuthorName, AuthorNo: r.LastAuthorNo, AuthorKind: r.LastAuthorKind, Title: r.LastTitle,
			FirstWords: codec.FirstWords(r.LastHead), DurationMS: r.LastDurationMS, CreatedAt: fromMS(r.LastCreatedAt),
		}
	}
	return c
}

// listedConversation reads a conversation with what was sent into it last.
func (s session) listedConversation(ctx context.Context, workspaceNo int64, principal storage.Principal, id string) (row listedRow, err error) {
	err = s.getOne(ctx, &row, withLastMessage(selectConversations(principal, workspaceNo).and(` AND c.id = ?`, id)))
	return row, err
}
