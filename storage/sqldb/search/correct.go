package search

import (
	"cmp"
	"context"
	"slices"
	"unicode/utf8"

	"hark/storage/sqldb/conn"
	"hark/storage/sqldb/search/query"
)

const maxCorrections = 3 // queries that are searched instead of one that found nothing

// Corrections returns up to three queries, the likeliest first, in which words that nobody said, in the
// conversations looked through, are replaced by similar ones that somebody did.
func (f Finding) Corrections(ctx context.Context, s conn.Session) ([]query.Query, error) {
	list := []query.Query{copyQuery(f.query)}
	changed := false
	for i, term := range f.query.Needed {
		for j, word := range term.Words {
			last := term.Prefix && j == len(term.Words)-1
			if f.uses[word] > 0 || last && f.uses[word+"*"] > 0 || query.Stop(word) {
				continue
			}
			similar, err := f.similarWords(ctx, s, word)
			if err != nil || len(similar) == 0 {
				return nil, err
			}
			if !changed {
				for len(list) < min(len(similar), maxCorrections) {
					list = append(list, copyQuery(f.query))
				}
			}
			changed = true
			for k := range list {
				t := &list[k].Needed[i]
				t.Words[j] = similar[min(k, len(similar)-1)]
				t.Prefix = t.Prefix && (!last || f.query.Completed)
			}
		}
	}
	if !changed {
		return nil, nil
	}
	return list, nil
}

func copyQuery(q query.Query) query.Query {
	q.Needed = slices.Clone(q.Needed)
	for i := range q.Needed {
		q.Needed[i].Words = slices.Clone(q.Needed[i].Words)
	}
	return q
}

// similarWords returns words said in the conversations looked through that
// are at most maxEdits(word) away, the nearest first and of those the most said.
func (f Finding) similarWords(ctx context.Context, s conn.Session, word string) ([]string, error) {
	length := utf8.RuneCountInString(word)
	if length < minCorrected || length > maxCorrected {
		return nil, nil
	}
	allowed := maxEdits(length)
	look := f.saidSharingTrigrams
	if allowed == 1 { // a short word shares hardly a trigram with what was meant
		look = f.saidOneEditAway
	}
	near := func(conversations []int64) ([]lexiconWord, error) {
		if len(conversations) == 0 {
			return nil, nil
		}
		said, err := look(ctx, s, word, conversations)
		return slices.DeleteFunc(said, func(w lexiconWord) bool {
			return query.Stop(w.Word) || distance(word, w.Word) > allowed // a stop word says nothing, and is in most messages
		}), err
	}
	whole, cut := f.scope.split()
	said, err := near(whole.Conversations)
	if err != nil {
		return nil, err
	}
	maybe, err := near(cut.Conversations)
	if err != nil {
		return nil, err
	}
	shown, err := cut.shownWords(ctx, s, maybe)
	if err != nil {
		return nil, err
	}
	said = merge(said, shown)
	slices.SortFunc(said, func(a, b lexiconWord) int {
		return cmp.Or(cmp.Compare(distance(word, a.Word), distance(word, b.Word)), cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.Word, b.Word))
	})
	var words []string
	for _, w := range said[:min(len(said), maxCorrections)] {
		words = append(words, w.Word)
	}
	return words, nil
}

// maxEdits is how many typing errors a word of so many code points may have.
func maxEdits(length int) int {
	if length < 6 {
		return 1
	}
	return 2
}

// lexiconWord is a word and in how many messages it is said.
type lexiconWord struct {
	Word     string
	Messages int64
}

// saidSharingTrigrams returns words said in conversations
// that may be two edits away: an edit changes at most four trigrams, so they
// share the others. What is said elsewhere changes neither the statement that
// is run nor what comes of it.
func (f Finding) saidSharingTrigrams(ctx context.Context, s conn.Session, word string, conversations []int64) ([]lexiconWord, error) {
	tris := trigrams(word)
	args := []any{f.scope.WorkspaceNo}
	for _, tri := range tris {
		args = append(args, tri)
	}
	among, nos := s.Among(lexiconPlace, conversations)
	length := utf8.RuneCountInString(word)
	allowed := maxEdits(length)
	args = append(args, length-allowed, length+allowed, max(2, len(tris)-4*allowed), f.scope.WorkspaceNo, nos)
	var said []lexiconWord
	err := s.List(ctx, &said, `SELECT l.word, CAST(SUM(l.messages) AS BIGINT) AS messages
		FROM (SELECT word FROM lexicon_trigrams WHERE workspace_no = ? AND trigram IN `+conn.Tuples(1, len(tris))+`
			AND LENGTH(word) BETWEEN ? AND ? GROUP BY word HAVING COUNT(*) >= ?) AS near
		CROSS JOIN lexicon l WHERE l.workspace_no = ? AND l.word = near.word AND `+among+` GROUP BY l.word`, args...)
	return said, err
}

// saidOneEditAway returns words said in conversations that
// are one edit away.
func (f Finding) saidOneEditAway(ctx context.Context, s conn.Session, word string, conversations []int64) ([]lexiconWord, error) {
	args := []any{f.scope.WorkspaceNo}
	near := oneEdit([]rune(word))
	for _, w := range near {
		args = append(args, w)
	}
	among, nos := s.Among(lexiconPlace, conversations)
	var said []lexiconWord
	err := s.List(ctx, &said, `SELECT word, CAST(SUM(messages) AS BIGINT) AS messages FROM lexicon
		WHERE workspace_no = ? AND word IN `+conn.Tuples(1, len(near))+` AND `+among+` GROUP BY word`, append(args, nos)...)
	return said, err
}

// oneEdit returns what one typing error, with letters a to z, makes of a word.
func oneEdit(w []rune) []string {
	var list []string
	add := func(parts ...[]rune) { list = append(list, string(slices.Concat(parts...))) }
	for i := range len(w) + 1 {
		if i < len(w) {
			add(w[:i], w[i+1:])
		}
		if i+1 < len(w) {
			add(w[:i], []rune{w[i+1], w[i]}, w[i+2:])
		}
		for c := 'a'; c <= 'z'; c++ {
			add(w[:i], []rune{c}, w[i:])
			if i < len(w) {
				add(w[:i], []rune{c}, w[i+1:])
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func distance(a, b string) int { return edits([]rune(a), []rune(b)) }

// edits is the Damerau-Levenshtein distance in its form of optimal string
// alignment: insertions, deletions, substitutions and swaps of neighbours.
func edits(a, b []rune) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			swap := 1
			if a[i-1] == b[j-1] {
				swap = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+swap)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
