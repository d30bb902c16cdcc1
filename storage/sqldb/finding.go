package sqldb

import (
	"context"
	"math"
	"slices"

	"hark/storage"
	"hark/storage/sqldb/query"
)

const (
	window    = 2000 // hits, the newest, that are ranked
	maxPlaces = 16   // conversations that are looked for in the index; of more, hits are sifted
)

// finding is a parsed search in one workspace.
type finding struct {
	workspaceNo   int64
	query         query.Query
	conversations []int64 // where to look: the actor's, or the one asked for; never empty
	authorNo      int64   // 0 means anybody
	after, before int64   // bounds on recorded_at in ms, before exclusive; 0 means none
	below         int64   // only docs below this one

	uses map[string]int64 // in how many of the conversations' messages a unit is said
	last int64            // the workspace's newest doc
	walk int64            // messages to walk back over for a window of hits; 0 if hits are too rare for that
}

// candidate is a hit as far as ranking needs it.
type candidate struct {
	Doc     int64
	Tokens  int64
	Repeats string

	score int64
}

// finding resolves what the query names, as far as the actor may see it. It
// returns false when there is nothing to look through.
func (s session) finding(ctx context.Context, workspaceNo int64, actor storage.Actor, q storage.Query, parsed query.Query) (f finding, ok bool, err error) {
	f = finding{
		workspaceNo: workspaceNo, query: parsed, after: toMS(q.After), before: toMS(q.Before),
		below: (workspaceNo + 1) << docBits,
	}
	if q.Conversation != "" {
		row, err := s.conversation(ctx, workspaceNo, actor, q.Conversation)
		if err != nil {
			return f, false, err
		}
		f.conversations = []int64{row.No}
	} else {
		err := s.list(ctx, &f.conversations, `SELECT c.no FROM conversation_members me JOIN conversations c ON c.id = me.conversation_id
			WHERE me.user_id = ? AND c.workspace_no = ?`, actor.UserID, workspaceNo)
		if err != nil || len(f.conversations) == 0 {
			return f, false, err
		}
	}
	if q.From != "" {
		var authors []int64
		err := s.list(ctx, &authors, `SELECT no FROM users WHERE id = ? AND workspace_no = ?`, q.From, workspaceNo)
		if err != nil || len(authors) == 0 {
			return f, false, err
		}
		f.authorNo = authors[0]
	}
	return f, true, s.measure(ctx, &f)
}

// lexiconPlace is lexicon.conversation_no for conditions on words: written so
// that no database looks for each word in each conversation.
const lexiconPlace = "conversation_no + 0"

// measure looks up how often what the query needs is said.
func (s session) measure(ctx context.Context, f *finding) error {
	var units []any
	f.uses = map[string]int64{}
	for _, term := range slices.Concat(f.query.Needed, f.query.Unwanted) {
		for _, u := range termUnits(term) {
			units = append(units, u)
		}
	}
	among, nos := f.among(s, lexiconPlace)
	if len(units) > 0 {
		var rows []struct {
			Word     string
			Messages int64
		}
		err := s.list(ctx, &rows, `SELECT word, CAST(SUM(messages) AS BIGINT) AS messages FROM lexicon
			WHERE workspace_no = ? AND `+among+` AND word IN `+tuples(1, len(units))+` GROUP BY word`, append([]any{f.workspaceNo, nos}, units...)...)
		if err != nil {
			return err
		}
		for _, r := range rows {
			f.uses[r.Word] = r.Messages
		}
	}
	for _, term := range f.query.Needed {
		if !term.Prefix {
			continue
		}
		// A beginning of two letters has thousands of words: the first 2,000 tell enough.
		begin, n := term.Words[len(term.Words)-1], int64(0)
		err := s.get(ctx, &n, `SELECT CAST(COALESCE(SUM(messages), 0) AS BIGINT) FROM (SELECT messages FROM lexicon
			WHERE workspace_no = ? AND word >= ? AND word < ? AND `+among+` LIMIT 2000) AS few`,
			f.workspaceNo, begin, begin+"\U0010FFFF", nos)
		if err != nil {
			return err
		}
		f.uses[begin+"*"] = n
	}
	return s.estimate(ctx, f)
}

func (f finding) among(s session, column string) (string, any) {
	return s.dialect.among(column, f.conversations)
}

// walkFactor is the number of messages that Postgres can pass over in the
// time in which it gathers one hit from its index, by the window: measured.
const walkFactor = 0.3

// phraseShare is which share of the messages that have a phrase's rarest word
// is taken to have the phrase.
const phraseShare = 1.0 / 16

// walkSlack is how many times the messages that a walk is expected to take it
// takes at the most.
const walkSlack = 1.5

// estimate sets last and walk. With words that say nothing of each other,
// gathering all hits costs as many steps as there are hits, and walking back
// from the newest message until the window is full the more, the fewer there are.
func (s session) estimate(ctx context.Context, f *finding) error {
	var messages int64
	if err := s.get(ctx, &messages, `SELECT last_message FROM workspaces WHERE no = ?`, f.workspaceNo); err != nil {
		return err
	}
	f.last, f.walk = f.workspaceNo<<docBits|messages, 0
	total := float64(messages)
	if expected := f.expected(total); expected > window && expected*expected > walkFactor*window*total {
		f.walk = int64(walkSlack * window * total / expected)
	}
	return nil
}

// expected is how many of the messages are hits, if different terms say
// nothing of each other. A term that is typed twice counts once, and with one
// that is both wanted and unwanted nothing is found.
func (f finding) expected(messages float64) float64 {
	share := func(t query.Term) float64 { return min(1, float64(f.rarest(t))/max(messages, 1)) }
	expected, typed := messages, map[string]bool{}
	for _, term := range f.query.Needed {
		if typed[term.String()] {
			continue
		}
		typed[term.String()] = true
		expected *= share(term)
		if len(term.Words) > 1 && !slices.ContainsFunc(termUnits(term), isPair) {
			expected *= phraseShare
		}
	}
	for _, term := range f.query.Unwanted {
		switch {
		case typed[term.String()]:
			return 0
		case len(term.Words) == 1 && !term.Prefix:
			expected *= 1 - share(term)
		}
	}
	return expected
}

// rarest is the number of messages that say the rarest unit of a term.
func (f finding) rarest(term query.Term) int64 {
	least := int64(math.MaxInt64)
	for _, u := range termUnits(term) {
		least = min(least, f.uses[u])
	}
	if term.Prefix {
		least = min(least, f.uses[term.Words[len(term.Words)-1]+"*"])
	}
	return least
}

// termUnits returns whole units that a message with the term has, enough to
// tell the few messages that may have it: a phrase's stop words only in pairs.
// The last word of a prefix is not among them.
func termUnits(term query.Term) []string {
	whole := term.Words
	if term.Prefix {
		whole = whole[:len(whole)-1]
	}
	if len(term.Words) == 1 {
		return slices.Clone(whole)
	}
	var units []string
	for i, w := range whole {
		switch {
		case !query.Stop(w):
			units = append(units, w)
		case i > 0 && query.Stop(whole[i-1]):
			units = append(units, pair(whole[i-1], w))
		}
	}
	return units
}
