// Package search is the index of what was said: what a message is found by, how
// often which word is said, which messages have the words of a query, how they
// rank, and where in them the words stand.
//
// Package query folds what was said to tokens, in Go, so that both databases
// and the highlighting agree on what a word is. Hits are found newest first;
// the newest 2,000 are ranked (BM25 over what search_docs keeps of each
// message), and [Spot] cuts the snippet of the few that are shown out of their
// transcripts. The lexicon counts in how many messages of a conversation a word
// is said; it weighs words, plans Postgres queries, and knows the words that a
// misspelt one may have meant. It is only ever read for the conversations of a
// [Scope].
//
// Who may see what is not known here: package sqldb resolves a scope and loads
// the messages that were found. The tables search_docs, search_index, lexicon
// and lexicon_trigrams are this package's; of others it reads
// workspaces.last_message, and when messages were sent and by whom.
package search

import (
	"context"

	"hark/storage/sqldb/conn"
)

const docBits = 40 // bits of a doc that number messages in a workspace

// Doc is the number of the nth message of a workspace: messages.doc.
func Doc(workspaceNo, n int64) int64 { return workspaceNo<<docBits | n }

// Docs is the half-open range of the numbers of a workspace's messages.
func Docs(workspaceNo int64) (first, end int64) { return Doc(workspaceNo, 0), Doc(workspaceNo+1, 0) }

// Message is what the index needs to know of a message.
type Message struct {
	Doc            int64
	WorkspaceNo    int64
	ConversationNo int64
	AuthorNo       int64
	RecordedAt     int64 // ms
}

// index is what SQLite and Postgres do differently.
type index interface {
	// index makes a message's words searchable; unindex forgets those of the
	// search_docs rows that the condition names.
	index(ctx context.Context, s conn.Session, d document) error
	unindex(ctx context.Context, s conn.Session, condition string, args ...any) error

	// find returns the newest hits, newest first, at most limit of them.
	find(ctx context.Context, s conn.Session, f Finding, limit int) ([]Candidate, error)
}

func indexOf(s conn.Session) index {
	if s.Name() == conn.Postgres {
		return postgres{}
	}
	return sqlite{}
}

// Add makes a message, which is not in the index, findable by its title and
// what is said in it: body is the blob of its transcript, nil for none. It notes
// the words in l.
func Add(ctx context.Context, s conn.Session, l *Lexicon, m Message, title string, body []byte) error {
	d := newDocument(m, title, body)
	l.add(m.ConversationNo, d.units, 1)
	return indexOf(s).index(ctx, s, d)
}

// Remove takes a message out of the index that was added with this title and
// body.
func Remove(ctx context.Context, s conn.Session, l *Lexicon, m Message, title string, body []byte) error {
	l.add(m.ConversationNo, newDocument(m, title, body).units, -1)
	return indexOf(s).unindex(ctx, s, `workspace_no = ? AND doc = ?`, m.WorkspaceNo, m.Doc)
}

// Purge takes messages of a workspace out of the index and leaves the lexicon
// as it is; see [PurgeWords].
func Purge(ctx context.Context, s conn.Session, workspaceNo int64, docs []any) error {
	return indexOf(s).unindex(ctx, s, `workspace_no = ? AND doc IN `+conn.Tuples(1, len(docs)), append([]any{workspaceNo}, docs...)...)
}

// PurgeWords takes words of a conversation that is going out of the lexicon.
func PurgeWords(ctx context.Context, s conn.Session, workspaceNo, conversationNo int64, words []string) error {
	args := []any{workspaceNo, conversationNo}
	for _, w := range words {
		args = append(args, w)
	}
	_, err := s.Exec(ctx, `DELETE FROM lexicon WHERE workspace_no = ? AND conversation_no = ? AND word IN `+conn.Tuples(1, len(words)), args...)
	if err != nil {
		return err
	}
	return lexiconWriter{s, workspaceNo}.dropTrigrams(ctx, words)
}
