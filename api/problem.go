package api

import (
	"context"
	"net/http"
)

// Problem is an error as callers get it (RFC 9457, application/problem+json).
// Everything in it is for them; the cause stays here for the log.
type Problem struct {
	Type      string         `json:"type" format:"uri-reference" doc:"Names the kind of problem; leads to its explanation" example:"/docs#problem-not-found"`
	Title     string         `json:"title" doc:"The kind of problem in a few words; the same each time" example:"Not found"`
	Status    int            `json:"status" doc:"HTTP status" example:"404"`
	Detail    string         `json:"detail" doc:"What is wrong this time and what to do" example:"There is no such thing, or you may not see it."`
	Instance  string         `json:"instance" format:"uri-reference" doc:"Names this occurrence" example:"urn:hark:request:0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	Code      string         `json:"code" doc:"The kind of problem for programs" example:"not_found"`
	RequestID string         `json:"request_id" doc:"Quote it when you ask for help; the server's log has it" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	State     string         `json:"state,omitempty" doc:"State of the message, where that is the problem" example:"processing"`
	MessageID string         `json:"message_id,omitempty" format:"uuid" doc:"The message that is there already, where that is the problem" example:"0197a3c2-7f3a-7d05-b1c6-5e7788990a1b"`
	Errors    []FieldProblem `json:"errors,omitempty" nullable:"false" doc:"Each field that is wrong"`

	headers http.Header
	cause   error
}

// FieldProblem is a field of a request that cannot be taken.
type FieldProblem struct {
	Field   string `json:"field" doc:"Where it stands in the request" example:"body.title"`
	Message string `json:"message" doc:"What is wrong with it" example:"must be 200 characters or fewer"`
}

// Error is the private cause with the public words.
func (p *Problem) Error() string {
	if p.cause != nil {
		return p.Code + ": " + p.cause.Error()
	}
	return p.Code + ": " + p.Detail
}

// Unwrap returns the private cause.
func (p *Problem) Unwrap() error { return p.cause }

// GetStatus is the HTTP status (huma.StatusError).
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are headers that go with the problem (huma.HeadersError).
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType is that of RFC 9457 (huma.ContentTypeFilter).
func (p *Problem) ContentType(string) string { return problemMediaType }

const problemMediaType = "application/problem+json"

// stamped returns a copy of p that names the request it answers.
func (p *Problem) stamped(ctx context.Context) *Problem {
	stamped := *p
	if call := callFrom(ctx); call != nil {
		stamped.Type = call.base + p.Type
		stamped.RequestID = call.id
		stamped.Instance = "urn:hark:request:" + call.id
	}
	return &stamped
}

// kind is a sort of problem: what all its occurrences share.
type kind struct {
	code   string
	status int
	title  string
	detail string // for when an occurrence has nothing to add
}

// because makes a problem of the kind. cause may be nil.
func (k kind) because(cause error) *Problem { return k.saying(k.detail, cause) }

// saying makes a problem of the kind with its own words. cause may be nil.
func (k kind) saying(detail string, cause error) *Problem {
	return &Problem{
		Type:   "/docs#" + k.anchor(),
		Title:  k.title,
		Status: k.status,
		Detail: detail,
		Code:   k.code,
		cause:  cause,
	}
}

// with adds a header to p.
func (p *Problem) with(header, value string) *Problem {
	if p.headers == nil {
		p.headers = http.Header{}
	}
	p.headers.Set(header, value)
	return p
}

// invalid makes a problem of one wrong field.
func invalid(field, message string, cause error) *Problem {
	p := kindValidation.saying(field+": "+message+".", cause)
	p.Errors = []FieldProblem{{Field: field, Message: message}}
	return p
}
