// Package problem is how Hark says that something went wrong: RFC 9457 problems
// of a fixed set of kinds.
//
// An error travels up from where it happened to [From], which turns it into HTTP
// and is the only one that does. What comes of storage and of a recording's
// bytes is known here; the errors of other packages are told apart by rules
// that those who answer the calls bring with them. The words of a problem are
// for callers; its cause stays inside for the log.
//
// All kinds stand in one table, whatever call they are of: their codes are part
// of the API, and must not meet.
package problem

import (
	"net/http"

	"hark/storage"
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
	Limit     string         `json:"limit,omitempty" doc:"Which of your limits was reached, where that is the problem" example:"searches"`
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
func (p *Problem) ContentType(string) string { return MediaType }

// MediaType is that of RFC 9457.
const MediaType = "application/problem+json"

// For returns a copy of p that names the request it answers, with the address of
// its explanation below base.
func (p *Problem) For(requestID, base string) *Problem {
	named := *p
	named.Type = base + p.Type
	named.RequestID = requestID
	named.Instance = "urn:hark:request:" + requestID
	return &named
}

// Kind is a sort of problem: what all its occurrences share.
type Kind struct {
	Code   string // for programs
	Status int    // of HTTP
	Title  string // a few words
	Detail string // for when an occurrence has nothing to add
}

// Because makes a problem of the kind. cause may be nil.
func (k Kind) Because(cause error) *Problem { return k.Saying(k.Detail, cause) }

// Saying makes a problem of the kind with its own words. cause may be nil.
func (k Kind) Saying(detail string, cause error) *Problem {
	return &Problem{
		Type:   "/docs#" + k.Anchor(),
		Title:  k.Title,
		Status: k.Status,
		Detail: detail,
		Code:   k.Code,
		cause:  cause,
	}
}

// WithHeader adds a header to p.
func (p *Problem) WithHeader(header, value string) *Problem {
	if p.headers == nil {
		p.headers = http.Header{}
	}
	p.headers.Set(header, value)
	return p
}

// Invalid makes a problem of one wrong field.
func Invalid(field, message string, cause error) *Problem {
	p := Validation.Saying(field+": "+message+".", cause)
	p.Errors = []FieldProblem{{Field: field, Message: message}}
	return p
}

// BadCredential asks for a credential, saying what was wrong with the one that
// came, if one did (RFC 6750, section 3). code is empty or an error code of the
// RFC.
func BadCredential(code string, cause error) *Problem {
	challenge := `Bearer realm="hark"`
	p := Unauthorized.Because(cause)
	if code != "" {
		challenge += `, error="` + code + `"`
		p.Detail = "The token or session is unknown, revoked or expired. Make a new one."
	}
	return p.WithHeader("WWW-Authenticate", challenge)
}

// NotMade says that something of a message is not made yet, and whether it ever
// will be.
func NotMade(k Kind, msg storage.Message, cause error) *Problem {
	detail := k.Detail + " It is " + string(msg.State) + "; look again when it is ready."
	if msg.State == storage.Failed {
		detail = "It could not be made: " + msg.FailureReason
	}
	p := k.Saying(detail, cause)
	p.State = string(msg.State)
	return p
}
