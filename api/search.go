package api

import (
	"context"
	"errors"
	"html"
	"net/http"
	"strings"
	"time"

	"hark/storage"
)

// Hit is a message in which the words were found.
type Hit struct {
	Message Message `json:"message"`
	Snippet Snippet `json:"snippet"`
	StartMS int64   `json:"start_ms" doc:"When the first word that was found is said: play from here" example:"1210"`
	EndMS   int64   `json:"end_ms" doc:"When it ends" example:"1630"`
}

// Snippet is what was said around the find.
type Snippet struct {
	Text    string         `json:"text" example:"Ask not what your country can do for you."`
	Marks   []storage.Mark `json:"marks" nullable:"false" doc:"What to highlight: half-open ranges of text in Unicode code points"`
	HTML    string         `json:"html" doc:"The same with marks as <mark>, and everything else escaped" example:"Ask not what your <mark>country</mark> can do for you."`
	StartMS int64          `json:"start_ms" doc:"When the snippet begins" example:"200"`
}

// SearchResults is one page of hits.
type SearchResults struct {
	Hits          []Hit  `json:"hits" nullable:"false"`
	Total         int    `json:"total" doc:"Messages found, counted up to 1000" example:"1"`
	TotalIsCapped bool   `json:"total_is_capped" doc:"Whether there are that many or more" example:"false"`
	Corrected     string `json:"corrected,omitempty" doc:"What was searched for instead, when nothing was found for the words as they were spelt" example:"country"`
	NextCursor    string `json:"next_cursor,omitempty" doc:"Pass it as cursor to get the next page; left out on the last" example:"eyJhIjoxNzY3MjI1NjAwMDAwfQ"`
}

type (
	searchInput struct {
		Q            string       `query:"q" required:"true" minLength:"1" maxLength:"1000" doc:"Words, \"phrases\", prefix* and -without" example:"\"your country\" ask*"`
		Conversation string       `query:"conversation" format:"uuid" doc:"Only in this conversation"`
		From         string       `query:"from" format:"uuid" doc:"Only from this user"`
		After        string       `query:"after" doc:"Only what was recorded at this time or later: RFC 3339, or a date in UTC" example:"2026-03-01"`
		Before       string       `query:"before" doc:"Only what was recorded before this time: RFC 3339, or a date in UTC" example:"2026-04-01T00:00:00Z"`
		Sort         storage.Sort `query:"sort" enum:"relevance,newest" default:"relevance" doc:"Best match first, or newest first"`
		Typing       bool         `query:"typing" doc:"Whether the last word is still being typed: then it also finds words that begin with it"`
		Cursor       string       `query:"cursor" maxLength:"512" doc:"Where to go on: next_cursor of the page before"`
		Limit        int          `query:"limit" minimum:"1" maximum:"50" default:"20" doc:"Hits on a page, at the most"`
	}
	searchOutput struct {
		Link string `header:"Link" doc:"Address of the next page, rel=next; left out on the last"`
		Body SearchResults
	}
)

func (s *Server) routeSearch() {
	handle(s, operation{
		id: "search", method: http.MethodGet, path: "/v1/search", tag: tagSearch, summary: "Find what was said",
		description: "In all conversations you are in. When nothing is found, words that are spelt alike are tried, and `corrected` says which.",
		problems:    []kind{kindBadCursor, kindValidation, kindInvalidQuery}, example: exampleSearch(),
	}, s.search)
}

func (s *Server) search(ctx context.Context, actor storage.Actor, in *searchInput) (*searchOutput, error) {
	query := storage.Query{
		Text: in.Q, Conversation: in.Conversation, From: in.From, Sort: in.Sort, CompleteLast: in.Typing,
		Page: storage.Page{Cursor: in.Cursor, Limit: in.Limit},
	}
	var err error
	if query.After, err = parseMoment("query.after", in.After); err != nil {
		return nil, err
	}
	if query.Before, err = parseMoment("query.before", in.Before); err != nil {
		return nil, err
	}
	found, err := s.DB.Search(ctx, actor, query)
	if err != nil {
		return nil, err
	}
	return &searchOutput{
		Link: nextLink(callFrom(ctx).here(), found.NextCursor),
		Body: SearchResults{
			Hits: views(found.Hits, s.hitView), Total: found.Total, TotalIsCapped: found.Total >= storage.MaxTotal,
			Corrected: found.Corrected, NextCursor: found.NextCursor,
		},
	}, nil
}

// parseMoment reads a time, or a date as the midnight that begins it in UTC.
func parseMoment(field, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		at, err = time.Parse(time.DateOnly, value)
	}
	if err == nil && (at.Year() < 1 || at.Year() > 9999) {
		err = errors.New("year out of range")
	}
	if err != nil {
		return time.Time{}, invalid(field, "must be a time such as 2026-03-01T09:30:00Z or a date such as 2026-03-01", err)
	}
	return at.UTC(), nil
}

func (s *Server) hitView(h storage.Hit) Hit { return hitView(s.base, h) }

// hitView prints a hit, with the addresses of its message below base.
func hitView(base string, h storage.Hit) Hit {
	marks := h.Snippet.Marks
	if marks == nil {
		marks = []storage.Mark{}
	}
	return Hit{
		Message: messageView(base, h.Message),
		Snippet: Snippet{Text: h.Snippet.Text, Marks: marks, HTML: markup(h.Snippet), StartMS: h.Snippet.StartMS},
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
