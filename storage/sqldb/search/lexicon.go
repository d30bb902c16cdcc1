package search

import (
	"context"
	"maps"
	"slices"
	"unicode/utf8"

	"hark/storage/sqldb/conn"
)

// Lexicon gathers how a transaction changes the lexicon of a workspace: by how
// many more messages of a conversation say a unit. The zero value changes
// nothing.
type Lexicon struct {
	counts map[int64]map[string]int64 // by the number of the conversation
}

func (l *Lexicon) add(conversationNo int64, units []string, by int64) {
	if l.counts == nil {
		l.counts = map[int64]map[string]int64{}
	}
	counts := l.counts[conversationNo]
	if counts == nil {
		counts = map[string]int64{}
		l.counts[conversationNo] = counts
	}
	for _, u := range units {
		if counts[u] += by; counts[u] == 0 {
			delete(counts, u)
		}
	}
}

const lexiconChunk = 500 // words in one statement

// Write writes the gathered changes, in the transaction of s. Words that are new to the workspace
// get their trigrams, and those that nobody says any more lose them.
func (l *Lexicon) Write(ctx context.Context, s conn.Session, workspaceNo int64) error {
	w := lexiconWriter{s, workspaceNo}
	for conversationNo, counts := range l.counts {
		units := slices.Sorted(maps.Keys(counts))
		err := conn.InChunks(len(units), lexiconChunk, func(from, to int) error {
			return w.writeCounts(ctx, conversationNo, units[from:to], counts)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lexiconWriter changes the lexicon of a workspace.
type lexiconWriter struct {
	conn.Session
	workspaceNo int64
}

func (l lexiconWriter) writeCounts(ctx context.Context, conversationNo int64, units []string, counts map[string]int64) error {
	var args []any
	var more, fewer []string
	for _, u := range units {
		args = append(args, l.workspaceNo, u, conversationNo, counts[u])
		if counts[u] < 0 {
			fewer = append(fewer, u)
		} else {
			more = append(more, u)
		}
	}
	_, err := l.Exec(ctx, `INSERT INTO lexicon (workspace_no, word, conversation_no, messages) VALUES `+conn.Tuples(len(units), 4)+`
		ON CONFLICT (workspace_no, word, conversation_no) DO UPDATE SET messages = lexicon.messages + excluded.messages`, args...)
	if err != nil {
		return err
	}
	fresh, err := l.withoutTrigrams(ctx, more)
	if err != nil {
		return err
	}
	if err := l.writeTrigrams(ctx, fresh); err != nil {
		return err
	}
	return l.dropUnsaid(ctx, conversationNo, fewer)
}

// withoutTrigrams returns those of the words that should have trigrams and
// have none yet, which their first trigram tells.
func (l lexiconWriter) withoutTrigrams(ctx context.Context, words []string) ([]string, error) {
	var wanted []string
	args := []any{l.workspaceNo}
	for _, w := range words {
		if tris := trigrams(w); len(tris) > 0 {
			wanted = append(wanted, w)
			args = append(args, tris[0], w)
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	var have []string
	err := l.List(ctx, &have, `SELECT word FROM lexicon_trigrams WHERE workspace_no = ? AND (trigram, word) IN (VALUES `+conn.Tuples(len(wanted), 2)+`)`, args...)
	known := make(map[string]bool, len(have))
	for _, w := range have {
		known[w] = true
	}
	return slices.DeleteFunc(wanted, func(w string) bool { return known[w] }), err
}

// knownWords says which of the words the workspace's lexicon has.
func (l lexiconWriter) knownWords(ctx context.Context, words []string) (map[string]bool, error) {
	known := map[string]bool{}
	if len(words) == 0 {
		return known, nil
	}
	args := []any{l.workspaceNo}
	for _, w := range words {
		args = append(args, w)
	}
	var list []string
	err := l.List(ctx, &list, `SELECT DISTINCT word FROM lexicon WHERE workspace_no = ? AND word IN `+conn.Tuples(1, len(words)), args...)
	for _, w := range list {
		known[w] = true
	}
	return known, err
}

// dropUnsaid removes words that no message of the conversation says any more.
func (l lexiconWriter) dropUnsaid(ctx context.Context, conversationNo int64, words []string) error {
	if len(words) == 0 {
		return nil
	}
	args := []any{l.workspaceNo, conversationNo}
	for _, w := range words {
		args = append(args, w)
	}
	_, err := l.Exec(ctx, `DELETE FROM lexicon WHERE workspace_no = ? AND conversation_no = ? AND messages <= 0 AND word IN `+conn.Tuples(1, len(words)), args...)
	if err != nil {
		return err
	}
	return l.dropTrigrams(ctx, words)
}

// dropTrigrams forgets the trigrams of those words that the lexicon has no more.
func (l lexiconWriter) dropTrigrams(ctx context.Context, words []string) error {
	known, err := l.knownWords(ctx, words)
	if err != nil {
		return err
	}
	for _, w := range words {
		tris := trigrams(w)
		if known[w] || len(tris) == 0 {
			continue
		}
		args := []any{l.workspaceNo, w}
		for _, tri := range tris {
			args = append(args, tri)
		}
		_, err := l.Exec(ctx, `DELETE FROM lexicon_trigrams WHERE workspace_no = ? AND word = ? AND trigram IN `+conn.Tuples(1, len(tris)), args...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (l lexiconWriter) writeTrigrams(ctx context.Context, words []string) error {
	var args []any
	for _, w := range words {
		for _, tri := range trigrams(w) {
			args = append(args, l.workspaceNo, tri, w)
		}
	}
	const width = 3
	return conn.InChunks(len(args)/width, 2*lexiconChunk, func(from, to int) error {
		_, err := l.Exec(ctx, `INSERT INTO lexicon_trigrams (workspace_no, trigram, word) VALUES `+conn.Tuples(to-from, width)+` ON CONFLICT DO NOTHING`,
			args[from*width:to*width]...)
		return err
	})
}

// The lengths in code points of words that are corrected and offered as corrections.
const (
	minCorrected = 3
	maxCorrected = 40
)

// trigrams returns the distinct sequences of three code points in a word and
// one space on both sides; none for words that are never offered as corrections.
func trigrams(word string) []string {
	if n := utf8.RuneCountInString(word); n < minCorrected || n > maxCorrected || isPair(word) {
		return nil
	}
	r := []rune(" " + word + " ")
	var list []string
	for i := range len(r) - 2 {
		list = append(list, string(r[i:i+3]))
	}
	slices.Sort(list)
	return slices.Compact(list)
}
