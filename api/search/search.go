// Package search answers where something was said: messages with the moment, and
// conversations and people that are called by the words.
//
// The query goes to storage as it was typed. What storage finds is printed by the
// views of the nouns that it is of.
package search

import (
	"context"
	"errors"
	"html"
	"strings"
	"time"

	"hark/api/conversations"
	"hark/api/example"
	"hark/api/intake"
	"hark/api/limit"
	"hark/api/messages"
	"hark/api/people"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// Records is what the call asks of storage.
type Records interface {
	Search(ctx context.Context, principal storage.Principal, q storage.Query) (storage.Results, error)
}

// Endpoints answer the call that searches.
type Endpoints struct {
	records Records
	public  rest.PublicURL
}

// New makes [Endpoints].
func New(records Records, public rest.PublicURL) *Endpoints {
	return &Endpoints{records: records, public: public}
}

// Hit is a message in which the words were found.
type Hit struct {
	Message    messages.Message `json:"message"`
	TitleMarks []storage.Mark   `json:"title_marks" nullable:"false" doc:"What to highlight in the message's title: half-open ranges in Unicode code points"`
	Snippet    Snippet          `json:"snippet"`
	StartMS    int64            `json:"start_ms" doc:"When the first word that was found is said: play from here. 0 if only the title has it" example:"1210"`
	EndMS      int64            `json:"end_ms" doc:"When it ends" example:"1630"`
}

// Snippet is what was said around the find.
type Snippet struct {
	Text    string         `json:"text" doc:"With an ellipsis where the message goes on; empty without a transcript" example:"Ask not what your country can do for you."`
	Marks   []storage.Mark `json:"marks" nullable:"false" doc:"What to highlight: half-open ranges of text in Unicode code points"`
	HTML    string         `json:"html" doc:"The same with marks as <mark>, and everything else escaped" example:"Ask not what your <mark>country</mark> can do for you."`
	StartMS int64          `json:"start_ms" doc:"When the snippet begins" example:"200"`
}

// SearchResults is one page of hits.
type SearchResults struct { //nolint:revive // named as in the description of the API
	Hits          []Hit  `json:"hits" nullable:"false"`
	Total         int    `json:"total" doc:"Messages found, counted up to 1000" example:"1"`
	TotalIsCapped bool   `json:"total_is_capped" doc:"Whether there are that many or more" example:"false"`
	Corrected     string `json:"corrected,omitempty" doc:"What was searched for instead, when nothing was found for the words as they were spelt" example:"country"`
	NextCursor    string `json:"next_cursor,omitempty" doc:"Pass it as cursor to get the next page; left out on the last" example:"eyJhIjoxNzY3MjI1NjAwMDAwfQ"`

	Conversations []conversations.Conversation `json:"conversations" nullable:"false" doc:"Conversations that are called by the words, up to 5: on the first page of a search without filters"`
	People        []people.User                `json:"people" nullable:"false" doc:"People who are called by the words, up to 5: on the first page of a search without filters"`
}

type (
	searchInput struct {
		Q            string       `query:"q" maxLength:"1000" doc:"Words, \"phrases\", prefix* and -without. All words must be there. The last word, and the last of a phrase whose quote is not closed, also finds words that begin with it; in quotes it does not. May be left out where there is a filter: then all messages are listed, the newest first" example:"\"your country\" ask*"`
		Conversation string       `query:"conversation" format:"uuid" doc:"Only in this conversation"`
		From         string       `query:"from" format:"uuid" doc:"Only from this user"`
		After        string       `query:"after" doc:"Only what was recorded at this time or later: RFC 3339, or a date in UTC" example:"2026-03-01"`
		Before       string       `query:"before" doc:"Only what was recorded before this time: RFC 3339, or a date in UTC" example:"2026-04-01T00:00:00Z"`
		Sort         storage.Sort `query:"sort" enum:"relevance,newest" default:"relevance" doc:"Best match first, or newest first; without words always newest first"`
		Typing       bool         `query:"typing" deprecated:"true" doc:"Without effect: the last word is always completed"`
		Cursor       string       `query:"cursor" maxLength:"512" doc:"Where to go on: next_cursor of the page before"`
		Limit        int          `query:"limit" minimum:"1" maximum:"50" default:"20" doc:"Hits on a page, at the most"`
	}
	searchOutput struct {
		Link string `header:"Link" doc:"Address of the next page, rel=next; left out on the last"`
		Body SearchResults
	}
)

// Search finds what was said, and the moment at which it was.
func (e *Endpoints) Search() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "search", Cost: limit.Searches, Scope: storage.ScopeRead, Summary: "Search messages",
		Description: "In all conversations you are in: by what was said and by titles, whatever the case and the accents. " +
			"The same words find the same, at any time in typing them. Whole words come before words that only begin like the last one. " +
			"When nothing is found, words that are spelt alike are tried, and `corrected` says which.",
		Problems: []problem.Kind{problem.BadCursor, problem.Validation, problem.InvalidQuery}, Example: resultsExample(),
	}, e.search)
}

func (e *Endpoints) search(ctx context.Context, principal storage.Principal, in *searchInput) (*searchOutput, error) {
	query := storage.Query{
		Text: in.Q, Conversation: in.Conversation, From: in.From, Sort: in.Sort,
		Page: storage.Page{Cursor: in.Cursor, Limit: in.Limit},
	}
	var err error
	if query.After, err = parseMoment("query.after", in.After); err != nil {
		return nil, err
	}
	if query.Before, err = parseMoment("query.before", in.Before); err != nil {
		return nil, err
	}
	found, err := e.records.Search(ctx, principal, query)
	if err != nil {
		return nil, err
	}
	return &searchOutput{
		Link: rest.NextLink(rest.CallFrom(ctx).Here(), found.NextCursor),
		Body: SearchResults{
			Hits: rest.Views(found.Hits, e.hit), Total: found.Total, TotalIsCapped: found.Total >= storage.MaxTotal,
			Corrected: found.Corrected, NextCursor: found.NextCursor,
			Conversations: rest.Views(found.Conversations, conversations.View), People: rest.Views(found.People, people.View),
		},
	}, nil
}

// parseMoment reads a time, or a date as the midnight that begins it in UTC.
func parseMoment(field, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	at, err := intake.ParseTime(value)
	if err != nil {
		at, err = time.Parse(time.DateOnly, value)
	}
	if err == nil && (at.Year() < 1 || at.Year() > 9999) {
		err = errors.New("year out of range")
	}
	if err != nil {
		return time.Time{}, problem.Invalid(field, "must be a time such as 2026-03-01T09:30:00Z or a date such as 2026-03-01", err)
	}
	return at.UTC(), nil
}

func (e *Endpoints) hit(h storage.Hit) Hit { return hitView(e.public.Base, h) }

// hitView prints a hit, with the addresses of its message below base.
func hitView(base string, h storage.Hit) Hit {
	return Hit{
		Message: messages.View(base, h.Message), TitleMarks: append([]storage.Mark{}, h.TitleMarks...),
		Snippet: Snippet{
			Text: h.Snippet.Text, Marks: append([]storage.Mark{}, h.Snippet.Marks...),
			HTML: markup(h.Snippet), StartMS: h.Snippet.StartMS,
		},
		StartMS: h.StartMS, EndMS: h.EndMS,
	}
}

// markup prints a snippet as HTML in which only the marks are markup. Marks
// that do not fit the text are left out.
func markup(s storage.Snippet) string {
	text := []rune(s.Text)
	var b strings.Builder
	done := 0
	for _, m := range s.Marks {
		if m.Start < done || m.End <= m.Start || m.End > len(text) {
			continue
		}
		b.WriteString(html.EscapeString(string(text[done:m.Start])))
		b.WriteString("<mark>" + html.EscapeString(string(text[m.Start:m.End])) + "</mark>")
		done = m.End
	}
	b.WriteString(html.EscapeString(string(text[done:])))
	return b.String()
}

func resultsExample() SearchResults {
	return SearchResults{
		Total: 1, Conversations: []conversations.Conversation{}, People: []people.User{},
		Hits: []Hit{hitView("", storage.Hit{
			Message: example.Message(), StartMS: 1210, EndMS: 1630,
			Snippet: storage.Snippet{Text: "…your country can do for you.", Marks: []storage.Mark{{Start: 6, End: 13}}, StartMS: 980},
		})},
	}
}
