package storage

import "time"

// Query is a search. The words are parsed by sqldb: bare words, the last of
// which may be the beginning of one, "phrases", prefix* and -without. Without
// words, a query that is limited lists messages, the newest first.
type Query struct {
	Text          string
	Conversation  string    // conversation id; empty means all the caller is in
	From          string    // author's user id; empty means anybody
	After, Before time.Time // bounds on when the message was recorded; zero means none
	Sort          Sort
	Page          Page
}

// Limited says whether the query looks at some messages only, whatever its words.
func (q Query) Limited() bool {
	return q.Conversation != "" || q.From != "" || !q.After.IsZero() || !q.Before.IsZero()
}

// Sort orders hits. The zero value is Relevance.
type Sort string

// The orders of hits.
const (
	Relevance Sort = "relevance" // how well it matches, the newer of equals first
	Newest    Sort = "newest"
)

// MaxTotal caps how far hits are counted: a Total of MaxTotal means that many or more.
const MaxTotal = 1000

// Results is one page of hits.
type Results struct {
	Hits       []Hit
	Total      int    // hits in all, up to MaxTotal
	NextCursor string // empty on the last page
	Corrected  string // the query that was searched instead, when nothing matched the one asked; else empty

	// Conversations and People are those that are called by the words: a few of
	// each, on the first page of a query that is not limited.
	Conversations []Conversation
	People        []User
}

// Hit is a message in which the words were found.
type Hit struct {
	Message    Message // without waveform
	TitleMarks []Mark  // what of its title matches
	Snippet    Snippet // around the first match; the beginning, if only the title matches
	StartMS    int64   // when the first matching word is said; 0 if none is
	EndMS      int64   // when it ends
}

// Snippet is the neighbourhood of a match, as plain text, with an ellipsis where
// the message goes on. Marks are ranges of
// it to highlight, in Unicode code points, ordered and not overlapping.
type Snippet struct {
	Text    string
	Marks   []Mark
	StartMS int64 // when the snippet's first word is said
}

// Mark is the half-open range [Start, End) of code points.
type Mark struct {
	Start int `json:"start"`
	End   int `json:"end"`
}
