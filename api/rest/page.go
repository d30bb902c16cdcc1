package rest

import (
	"net/url"

	"hark/storage"
)

// PageParams are the parameters of every list. The name is exported because
// huma looks into no other embedded struct.
type PageParams struct {
	Cursor string `query:"cursor" maxLength:"512" doc:"Where to go on: next_cursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"Items on a page, at the most"`
}

// Page is the same for storage.
func (p PageParams) Page() storage.Page { return storage.Page{Cursor: p.Cursor, Limit: p.Limit} }

// Page is one page of a list.
type Page[T any] struct {
	Items      []T    `json:"items" nullable:"false" doc:"Newest first"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Pass it as cursor to get the next page; left out on the last" example:"eyJhIjoxNzY3MjI1NjAwMDAwfQ"`
}

// PageOutput answers with a page and, in the Link header (RFC 8288), the
// address of the next.
type PageOutput[T any] struct {
	Link string `header:"Link" doc:"Address of the next page, rel=next; left out on the last"`
	Body Page[T]
}

// NewPage prints records with view. here is the address of this page.
func NewPage[R, T any](here *url.URL, records []R, next string, view func(R) T) *PageOutput[T] {
	out := &PageOutput[T]{Link: NextLink(here, next)}
	out.Body = Page[T]{Items: Views(records, view), NextCursor: next}
	return out
}

// Views prints records with view; the result is never nil.
func Views[R, T any](records []R, view func(R) T) []T {
	items := make([]T, len(records))
	for i, r := range records {
		items[i] = view(r)
	}
	return items
}

// NextLink is the Link header of a page, with all parameters of this one kept.
func NextLink(here *url.URL, next string) string {
	return PageLink(here, "next", next)
}

// PageLink leads to another page by its cursor; empty without one.
func PageLink(here *url.URL, rel, cursor string) string {
	if cursor == "" {
		return ""
	}
	q := here.Query()
	q.Set("cursor", cursor)
	return "<" + here.Path + "?" + q.Encode() + `>; rel="` + rel + `"`
}
