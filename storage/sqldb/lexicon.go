package sqldb

import (
	"context"
	"maps"
	"slices"
	"unicode/utf8"
)

// lexiconChange gathers how a transaction changes the lexicon: by how many
// more messages of a conversation say a unit.
type lexiconChange map[int64]map[string]int64

func (c *lexiconChange) add(conversationNo int64, units []string, by int64) {
	if *c == nil {
		*c = lexiconChange{}
	}
	counts := (*c)[conversationNo]
	if counts == nil {
		counts = map[string]int64{}
		(*c)[conversationNo] = counts
	}
	for _, u := range units {
		if counts[u] += by; counts[u] == 0 {
			delete(counts, u)
		}
	}
}

const lexiconChunk = 500 // words in one statement

// writeWords writes the gathered changes. Words that are new to the workspace
// get their trigrams, and those that nobody says any more lose them.
func (t *tx) writeWords(ctx context.Context) error {
	for conversationNo, counts := range t.words {
		units := slices.Sorted(maps.Keys(counts))
		err := inChunks(len(units), lexiconChunk, func(from, to int) error {
			return t.writeCounts(ctx, conversationNo, units[from:to], counts)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) writeCounts(ctx context.Context, conversationNo int64, units []string, counts map[string]int64) error {
	var args []any
	var more, fewer []string
	for _, u := range units {
		args = append(args, t.workspaceNo, u, conversationNo, counts[u])
		if counts[u] < 0 {
			fewer = append(fewer, u)
		} else {
			more = append(more, u)
		}
	}
	_, err := t.exec(ctx, `INSERT INTO lexicon (workspace_no, word, conversation_no, messages) VALUES `+tuples(len(units), 4)+`
		ON CONFLICT (workspace_no, word, conversation_no) DO UPDATE SET messages = lexicon.messages + excluded.messages`, args...)
	if err != nil {
		return err
	}
	fresh, err := t.withoutTrigrams(ctx, more)
	if err != nil {
		return err
	}
	if err := t.writeTrigrams(ctx, fresh); err != nil {
		return err
	}
	return t.dropUnsaid(ctx, conversationNo, fewer)
}

// withoutTrigrams returns those of the words that should have trigrams and
// have none yet, which their first trigram tells.
func (t *tx) withoutTrigrams(ctx context.Context, words []string) ([]string, error) {
	var wanted []string
	args := []any{t.workspaceNo}
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
	err := t.list(ctx, &have, `SELECT word FROM lexicon_trigrams WHERE workspace_no = ? AND (trigram, word) IN (VALUES `+tuples(len(wanted), 2)+`)`, args...)
	known := make(map[string]bool, len(have))
	for _, w := range have {
		known[w] = true
	}
	return slices.DeleteFunc(wanted, func(w string) bool { return known[w] }), err
}

// knownWords says which of the words the workspace's lexicon has.
func (t *tx) knownWords(ctx context.Context, words []string) (map[string]bool, error) {
	known := map[string]bool{}
	if len(words) == 0 {
		return known, nil
	}
	args := []any{t.workspaceNo}
	for _, w := range words {
		args = append(args, w)
	}
	var list []string
	err := t.list(ctx, &list, `SELECT DISTINCT word FROM lexicon WHERE workspace_no = ? AND word IN `+tuples(1, len(words)), args...)
	for _, w := range list {
		known[w] = true
	}
	return known, err
}

// dropUnsaid removes words that no message of the conversation says any more.
func (t *tx) dropUnsaid(ctx context.Context, conversationNo int64, words []string) error {
	if len(words) == 0 {
		return nil
	}
	args := []any{t.workspaceNo, conversationNo}
	for _, w := range words {
		args = append(args, w)
	}
	_, err := t.exec(ctx, `DELETE FROM lexicon WHERE workspace_no = ? AND conversation_no = ? AND messages <= 0 AND word IN `+tuples(1, len(words)), args...)
	if err != nil {
		return err
	}
	return t.dropTrigrams(ctx, words)
}

// forgetWords removes a conversation from the lexicon.
func (t *tx) forgetWords(ctx context.Context, conversationNo int64) error {
	var words []string
	err := t.list(ctx, &words, `SELECT word FROM lexicon WHERE workspace_no = ? AND conversation_no = ?`, t.workspaceNo, conversationNo)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `DELETE FROM lexicon WHERE workspace_no = ? AND conversation_no = ?`, t.workspaceNo, conversationNo)
	if err != nil {
		return err
	}
	return inChunks(len(words), lexiconChunk, func(from, to int) error { return t.dropTrigrams(ctx, words[from:to]) })
}

// dropTrigrams forgets the trigrams of those words that the lexicon has no more.
func (t *tx) dropTrigrams(ctx context.Context, words []string) error {
	known, err := t.knownWords(ctx, words)
	if err != nil {
		return err
	}
	for _, w := range words {
		tris := trigrams(w)
		if known[w] || len(tris) == 0 {
			continue
		}
		args := []any{t.workspaceNo, w}
		for _, tri := range tris {
			args = append(args, tri)
		}
		_, err := t.exec(ctx, `DELETE FROM lexicon_trigrams WHERE workspace_no = ? AND word = ? AND trigram IN `+tuples(1, len(tris)), args...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) writeTrigrams(ctx context.Context, words []string) error {
	var args []any
	for _, w := range words {
		for _, tri := range trigrams(w) {
			args = append(args, t.workspaceNo, tri, w)
		}
	}
	const width = 3
	return inChunks(len(args)/width, 2*lexiconChunk, func(from, to int) error {
		_, err := t.exec(ctx, `INSERT INTO lexicon_trigrams (workspace_no, trigram, word) VALUES `+tuples(to-from, width)+` ON CONFLICT DO NOTHING`,
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
