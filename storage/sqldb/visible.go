package sqldb

import (
	"slices"

	"hark/storage"
	"hark/storage/sqldb/conn"
)

// What a principal may see is said here and nowhere else: every statement about
// conversations, messages, people or events that is made for a principal joins
// [visible], or looks into it.

// statement is SQL, and what stands for its question marks.
type statement struct {
	text string
	args []any
}

// and returns a statement that goes on with more.
func (s statement) and(text string, args ...any) statement {
	return statement{s.text + text, slices.Concat(s.args, args)}
}

// with returns a statement that goes on with another.
func (s statement) with(more statement) statement { return s.and(more.text, more.args...) }

// visible is, as a table of conversation_id, user_id, shown_since and how far they have
// heard it, the conversations that a principal may see: those that they are in and, with
// scopes of conversations, that are among these; with a signed address, none. What others
// sent into one before shown_since is not for them. Both
// databases plan a statement that joins it as if the condition stood in the
// statement itself.
func visible(principal storage.Principal) statement {
	if principal.Scopes.Sound() != "" {
		return statement{text: `(SELECT conversation_id, user_id, shown_since, heard_doc, heard_count FROM conversation_members WHERE 1 = 0)`}
	}
	places := principal.Scopes.Conversations()
	if len(places) == 0 {
		return joined(principal)
	}
	args := []any{principal.UserID}
	for _, id := range places {
		args = append(args, id)
	}
	return statement{`(SELECT conversation_id, user_id, shown_since, heard_doc, heard_count FROM conversation_members WHERE user_id = ? AND conversation_id IN ` + conn.Tuples(1, len(places)) + `)`, args}
}

// joined is the table of the conversations that a principal's user is in.
func joined(principal storage.Principal) statement {
	return statement{`(SELECT conversation_id, user_id, shown_since, heard_doc, heard_count FROM conversation_members WHERE user_id = ?)`, []any{principal.UserID}}
}

// visibleMessages reads, behind the columns of a SELECT, messages m with their
// workspaces w and authors u, and what the principal heard of them, h, that a principal may hear: what was sent into the
// conversations that they may see, as far back as it is shown to them, and what is
// their own there, drafts too; with a signed address, of that the one message. Conditions may be added.
func visibleMessages(principal storage.Principal, workspaceNo int64) statement {
	where := visible(principal)
	one := principal.Scopes.Sound()
	if one != "" {
		where = joined(principal)
	}
	messages := statement{text: ` FROM messages m JOIN workspaces w ON w.no = m.workspace_no JOIN users u ON u.id = m.author_id JOIN `}.
		with(where).
		and(` me ON me.conversation_id = m.conversation_id LEFT JOIN heard h ON h.message_id = m.id AND h.user_id = me.user_id WHERE m.workspace_no = ? AND (m.sent_at >= me.shown_since OR m.author_id = me.user_id)`, workspaceNo)
	if one != "" {
		return messages.and(` AND m.id = ?`, one)
	}
	return messages
}

// visibleConversations reads, behind the columns of a SELECT, conversations c
// that a principal may see. Conditions may be added.
func visibleConversations(principal storage.Principal, workspaceNo int64) statement {
	return statement{text: ` FROM `}.with(visible(principal)).
		and(` me JOIN conversations c ON c.id = me.conversation_id WHERE c.workspace_no = ?`, workspaceNo)
}

// known is, behind a statement about users u, the condition that a principal knows of
// them: of everybody, or of whom they share a conversation with.
func known(principal storage.Principal) statement {
	if storage.MaySeeEveryone(principal) {
		return statement{}
	}
	return met(principal)
}

// met is the condition that a principal is a user u, or shares a conversation with them.
func met(principal storage.Principal) statement {
	return statement{` AND (u.id = ? OR u.id IN (SELECT other.user_id FROM conversation_members other JOIN `, []any{principal.UserID}}.
		with(visible(principal)).and(` me ON me.conversation_id = other.conversation_id))`)
}
