package search

import (
	"context"
	"math"
	"slices"

	"hark/storage/sqldb/conn"
	"hark/storage/sqldb/search/query"
)

const (
	window    = 2000 // hits, the newest, that are ranked
	maxPlaces = 16   // conversations that are looked for in the index; of more, hits are sifted
)

// Scope is where a search looks: what the principal may see of it is resolved.
type Scope struct {
	WorkspaceNo   int64
	Conversations []int64 // their numbers; never empty
	AuthorNo      int64   // 0 means anybody
	After, Before int64   // bounds on recorded_at in ms, Before exclusive; 0 means none

	// ShownSince has of those conversations that are cut when what is shown of them
	// begins, by sent_at in ms; what Reader said themself is shown all the same.
	ShownSince map[int64]int64
	Reader     string
}

// Finding is a query in a scope, measured: ready to be run. It is a value that
// does not change.
type Finding struct {
	scope Scope
	query query.Query
	below int64 // only docs below this one

	uses map[string]int64 // in how many of the conversations' messages a unit is said
	last int64            // the workspace's newest doc
	walk int64            // messages to walk back over for a window of hits; 0 if hits are too rare for that
}

// Candidate is a hit as far as ranking needs it.
type Candidate struct {
	Doc     int64
	Tokens  int64
	Repeats string

	whole bool // the last word is said as it was typed, if it was to be completed
	score int64
}

// Measure makes a finding: it looks up how often what the query needs is said.
func Measure(ctx context.Context, s conn.Session, scope Scope, q query.Query) (Finding, error) {
	_, end := Docs(scope.WorkspaceNo)
	f := Finding{scope: scope, below: end}
	return f.asking(ctx, s, q)
}

// asking is the finding for another query.
func (f Finding) asking(ctx context.Context, s conn.Session, q query.Query) (Finding, error) {
	f.query = q
	err := f.measure(ctx, s)
	return f, err
}

// Query is what the finding looks for.
func (f Finding) Query() query.Query { return f.query }

// lexiconPlace is lexicon.conversation_no for conditions on words: written so
// that no database looks for each word in each conversation.
const lexiconPlace = "conversation_no + 0"

// measure looks up how often what the query needs is said.
func (f *Finding) measure(ctx context.Context, s conn.Session) error {
	var units, beginnings []string
	f.uses = map[string]int64{}
	for _, term := range slices.Concat(f.query.Needed, f.query.Unwanted) {
		units = append(units, termUnits(term)...)
	}
	for _, term := range f.query.Needed {
		if term.Prefix {
			beginnings = append(beginnings, term.Words[len(term.Words)-1])
		}
	}
	whole, cut := f.scope.split()
	if len(whole.Conversations) > 0 {
		if err := f.measureWhole(ctx, s, whole.Conversations, units, beginnings); err != nil {
			return err
		}
	}
	if len(cut.Conversations) > 0 {
		if err := f.measureCut(ctx, s, cut, units, beginnings); err != nil {
			return err
		}
	}
	return f.estimate(ctx, s)
}

// measureWhole counts in conversations of which all is shown.
func (f *Finding) measureWhole(ctx context.Context, s conn.Session, conversations []int64, units, beginnings []string) error {
	among, nos := s.Among(lexiconPlace, conversations)
	if len(units) > 0 {
		var rows []lexiconWord
		args := []any{f.scope.WorkspaceNo, nos}
		for _, u := range units {
			args = append(args, u)
		}
		err := s.List(ctx, &rows, `SELECT word, CAST(SUM(messages) AS BIGINT) AS messages FROM lexicon
			WHERE workspace_no = ? AND `+among+` AND word IN `+conn.Tuples(1, len(units))+` GROUP BY word`, args...)
		if err != nil {
			return err
		}
		for _, r := range rows {
			f.uses[r.Word] = r.Messages
		}
	}
	for _, begin := range beginnings {
		// A beginning of two letters has thousands of words: the first 2,000 tell enough.
		n := int64(0)
		err := s.Get(ctx, &n, `SELECT CAST(COALESCE(SUM(messages), 0) AS BIGINT) FROM (SELECT messages FROM lexicon
			WHERE workspace_no = ? AND word >= ? AND word < ? AND `+among+` LIMIT 2000) AS few`,
			f.scope.WorkspaceNo, begin, begin+"\U0010FFFF", nos)
		if err != nil {
			return err
		}
		f.uses[begin+"*"] = n
	}
	return nil
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
func (f *Finding) estimate(ctx context.Context, s conn.Session) error {
	var messages int64
	if err := s.Get(ctx, &messages, `SELECT last_message FROM workspaces WHERE no = ?`, f.scope.WorkspaceNo); err != nil {
		return err
	}
	f.last, f.walk = Doc(f.scope.WorkspaceNo, messages), 0
	total := float64(messages)
	if expected := f.expected(total); expected > window && expected*expected > walkFactor*window*total {
		f.walk = int64(walkSlack * window * total / expected)
	}
	return nil
}

// expected is how many of the messages are hits, if different terms say
// nothing of each other. A term that is typed twice counts once, and with one
// that is both wanted and unwanted nothing is found.
func (f Finding) expected(messages float64) float64 {
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

// Hopeless reports whether something that the query needs is said nowhere in
// the conversations looked through: then the index is not asked, whose answer
// takes the longer the more others say of it.
func (f Finding) Hopeless() bool {
	return slices.ContainsFunc(f.query.Needed, func(term query.Term) bool { return f.rarest(term) == 0 })
}

// rarest is the number of messages that say the rarest unit of a term.
func (f Finding) rarest(term query.Term) int64 {
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
