package search

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hark/storage/sqldb/conn"
	"hark/storage/sqldb/search/query"
)

// A conversation may be shown from a moment on to who was added to it: nothing that a
// search answers may tell of what was said before. Hits are sifted in the statements that
// find them, so that pages and totals are right. The lexicon counts all that was said,
// and so does not serve for such a conversation: what is shown of it is counted in the
// index instead, which takes longer.

// split parts a scope in what is shown whole and what is cut; there may be nothing of
// either.
func (s Scope) split() (whole, cut Scope) {
	whole, cut = s, s
	whole.Conversations, whole.ShownSince, cut.Conversations = nil, nil, nil
	for _, no := range s.Conversations {
		if s.ShownSince[no] > 0 {
			cut.Conversations = append(cut.Conversations, no)
		} else {
			whole.Conversations = append(whole.Conversations, no)
		}
	}
	return whole, cut
}

// shown adds to conditions that a row of search_docs, which is called row, is shown.
func (s Scope) shown(row, conditions string, args []any) (string, []any) {
	if len(s.ShownSince) == 0 {
		return conditions, args
	}
	var cases strings.Builder
	for _, no := range slices.Sorted(maps.Keys(s.ShownSince)) {
		fmt.Fprintf(&cases, " WHEN %d THEN %d", no, s.ShownSince[no])
	}
	since := `CASE ` + row + `.conversation_no` + cases.String() + ` ELSE 0 END`
	return conditions + ` AND (` + since + ` = 0 OR EXISTS (SELECT 1 FROM messages m WHERE m.doc = ` + row + `.doc AND (m.sent_at >= ` + since + ` OR m.author_id = ?)))`,
		append(args, s.Reader)
}

// measureCut adds how often something is said in what is shown of conversations.
func (f *Finding) measureCut(ctx context.Context, s conn.Session, cut Scope, units, beginnings []string) error {
	for _, u := range units {
		n, err := cut.uses(ctx, s, query.Term{Words: strings.Fields(u)})
		if err != nil {
			return err
		}
		f.uses[u] += n
	}
	for _, begin := range beginnings {
		n, err := cut.uses(ctx, s, query.Term{Words: []string{begin}, Prefix: true})
		if err != nil {
			return err
		}
		f.uses[begin+"*"] += n
	}
	return nil
}

// uses is in how many messages that are shown a term is said; those beyond the window do
// not count. As in the lexicon, who says it and when makes no difference.
func (s Scope) uses(ctx context.Context, in conn.Session, term query.Term) (int64, error) {
	_, end := Docs(s.WorkspaceNo)
	s.AuthorNo, s.After, s.Before = 0, 0, 0
	found, err := indexOf(in).find(ctx, in, Finding{scope: s, query: query.Query{Needed: []query.Term{term}}, below: end}, window)
	return int64(len(found)), err
}

// shownWords keeps of words those that are said in what is shown of conversations.
func (s Scope) shownWords(ctx context.Context, in conn.Session, words []lexiconWord) (said []lexiconWord, err error) {
	for _, w := range words {
		if w.Messages, err = s.uses(ctx, in, query.Term{Words: []string{w.Word}}); err != nil {
			return nil, err
		}
		if w.Messages > 0 {
			said = append(said, w)
		}
	}
	return said, nil
}

// merge adds up words that are in both lists.
func merge(words, more []lexiconWord) []lexiconWord {
	for _, w := range more {
		at := slices.IndexFunc(words, func(known lexiconWord) bool { return known.Word == w.Word })
		if at < 0 {
			words = append(words, w)
		} else {
			words[at].Messages += w.Messages
		}
	}
	return words
}
