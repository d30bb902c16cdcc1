package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hark/storage"
)

// Bounds of a JSON body. The time also bounds the work that follows: a deadline
// that passes looks to net/http as if the caller had gone.
const (
	maxJSONBody     = 64 << 10 // bytes
	jsonBodyTimeout = 30 * time.Second
)

// operation describes a call and, with handle, answers it.
type operation struct {
	id, method, path string
	tag              string
	summary          string // a few words
	description      string // CommonMark
	status           int    // of success; 0 means 200, or 204 without a body
	problems         []kind // what may go wrong beside 401, 422 and 500
	example          any    // of the body of success
	player           bool   // may be opened by a signed address
	cacheable        bool   // may be kept by the caller, who asks each time whether it is still so
}

// handle registers a call: authenticated, its parameters checked, its errors
// problems. The handler gets the actor and never sees a request without one.
// The description is returned for what only some calls have to add.
func handle[I, O any](s *Server, op operation, handler func(context.Context, storage.Actor, *I) (*O, error)) *huma.Operation {
	described := s.describe(op)
	huma.Register(s.huma, described, func(ctx context.Context, in *I) (*O, error) {
		call := callFrom(ctx)
		out, err := handler(ctx, call.actor, in)
		if err != nil {
			problem := problemOf(err)
			call.err = problem.cause
			return nil, problem
		}
		if op.cacheable {
			setCacheable(call.response().Header())
		}
		return out, nil
	})
	registered := registeredOperation(s.huma.OpenAPI().Paths[op.path], op.method)
	s.addExamples(registered, op)
	return registered
}

// setCacheable lets an answer be kept by who asked, for the next time that they do
// and what they may see has not changed.
func setCacheable(h http.Header) {
	h.Set("Cache-Control", "private, no-cache")
	h.Add("Vary", "Authorization, Cookie")
}

func (s *Server) describe(op operation) huma.Operation {
	guard := s.authenticate
	security := []map[string][]string{{"token": {}}, {"session": {}}}
	if op.player {
		guard = s.authenticatePlayer
		security = append(security, map[string][]string{"signed": {}})
	}
	described := huma.Operation{
		OperationID:                  op.id,
		Method:                       op.method,
		Path:                         op.path,
		Tags:                         []string{op.tag},
		Summary:                      op.summary,
		Description:                  op.description,
		DefaultStatus:                op.status,
		MaxBodyBytes:                 maxJSONBody,
		BodyReadTimeout:              jsonBodyTimeout,
		RejectUnknownQueryParameters: true,
		Security:                     security,
		Middlewares:                  huma.Middlewares{guard, s.checkQuery},
		Responses:                    map[string]*huma.Response{},
	}
	if op.cacheable {
		described.Responses["304"] = &huma.Response{Description: "Your copy is still good; only after If-None-Match"}
	}
	for _, k := range op.everyProblem() {
		s.describeProblem(&described, k)
	}
	return described
}

// everyProblem is what may go wrong with the call: any may be asked without a
// credential, or with a parameter that it does not know.
func (op operation) everyProblem() []kind {
	all := append([]kind{kindUnauthorized, kindInternal}, op.problems...)
	if !slices.Contains(all, kindValidation) {
		all = append(all, kindValidation)
	}
	return all
}

// describeProblem adds a kind of problem to the answers of a call; kinds that
// share a status share an entry.
func (s *Server) describeProblem(op *huma.Operation, k kind) {
	status := strconv.Itoa(k.status)
	response := op.Responses[status]
	if response == nil {
		response = &huma.Response{Content: map[string]*huma.MediaType{problemMediaType: {
			Schema:   s.huma.OpenAPI().Components.Schemas.Schema(problemType, true, "Problem"),
			Examples: map[string]*huma.Example{},
		}}}
		op.Responses[status] = response
	}
	if response.Description != "" {
		response.Description += " or "
	}
	response.Description += "`" + k.code + "`: " + k.title
	response.Content[problemMediaType].Examples[k.code] = &huma.Example{Ref: "#/components/examples/" + k.code}
}

// addExamples gives the answer of success its example.
func (s *Server) addExamples(described *huma.Operation, op operation) {
	if op.example == nil {
		return
	}
	status := op.status
	if status == 0 {
		status = http.StatusOK
	}
	described.Responses[strconv.Itoa(status)].Content["application/json"].Example = asJSON(op.example)
}

// registeredOperation finds the description that huma keeps, which may be
// added to until it is printed.
func registeredOperation(path *huma.PathItem, method string) *huma.Operation {
	switch method {
	case http.MethodGet:
		return path.Get
	case http.MethodHead:
		return path.Head
	case http.MethodPost:
		return path.Post
	case http.MethodPatch:
		return path.Patch
	default:
		return path.Delete
	}
}

// asJSON turns a value into what its JSON reads as, so that descriptions print
// it with the names that callers see.
func asJSON(v any) any {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic("an example cannot be printed: " + err.Error())
	}
	var decoded any
	if err := json.Unmarshal(encoded, &decoded); err != nil {
		panic("an example cannot be read: " + err.Error())
	}
	return decoded
}
