package rest

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hark/api/limit"
	"hark/api/problem"
	"hark/storage"
)

// Bounds of a JSON body. The time also bounds the work that follows: a deadline
// that passes looks to net/http as if the caller had gone.
const (
	maxJSONBody     = 64 << 10 // bytes
	jsonBodyTimeout = 30 * time.Second
)

var problemType = reflect.TypeFor[problem.Problem]()

// Operation describes a call, whatever its address is.
type Operation struct {
	ID          string
	Summary     string         // a few words
	Description string         // CommonMark
	Status      int            // of success; 0 means 200, or 204 without a body
	Problems    []problem.Kind // what may go wrong beside 401, 422 and 500
	Example     any            // of the body of success
	Scope       storage.Scope  // that the credential must have; empty only where every credential will do
	Cost        limit.Class    // which of a person's limits it counts for; empty means none
	Signed      SignedBy       // who a signed address was made for; nil where no address can be signed
	Cacheable   bool           // may be kept by the caller, who asks each time whether it is still so
	MaxBody     int64          // of JSON, in bytes; 0 means 64 KiB
	Endless     bool           // goes on for as long as the caller listens

	// Document adds to the description what only this call has; nil for most.
	Document func(op *huma.Operation, schemas huma.Registry)
}

// Endpoint is an operation with what answers it.
type Endpoint struct {
	operation Operation
	register  func(a *API, described huma.Operation)
}

// Handle makes an endpoint: authenticated, its parameters checked, its errors
// problems. The handler gets the principal and never sees a request without one.
func Handle[I, O any](op Operation, handler func(context.Context, storage.Principal, *I) (*O, error)) Endpoint {
	return Endpoint{operation: op, register: func(a *API, described huma.Operation) {
		huma.Register(a.huma, described, func(ctx context.Context, in *I) (*O, error) {
			call := CallFrom(ctx)
			var out *O
			err := a.charge(ctx, op, call.Principal)
			if err == nil {
				out, err = handler(ctx, call.Principal, in)
			}
			if err != nil {
				p := a.problem(err)
				call.Err = p.Unwrap()
				return nil, p
			}
			if op.Cacheable {
				setCacheable(call.Response().Header())
			}
			return out, nil
		})
	}}
}

// register adds an endpoint to the routes, and to a group of the description.
func (a *API) register(group string, r Route) {
	op := r.Endpoint.operation
	r.Endpoint.register(a, a.describe(group, r))
	described := registeredOperation(a.Description().Paths[r.Path], r.Method)
	addExample(described, op)
	if op.Document != nil {
		op.Document(described, a.Description().Components.Schemas)
	}
	if op.Endless {
		a.endless[echoPath(r.Path)] = true
	}
}

// IsEndless reports whether the answers under a route, by echo's pattern for it, go
// on for as long as the caller listens.
func (a *API) IsEndless(route string) bool { return a.endless[route] }

// echoPath is a path with its parameters as echo writes them.
func echoPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// setCacheable lets an answer be kept by who asked, for the next time that they do
// and what they may see has not changed.
func setCacheable(header http.Header) {
	header.Set("Cache-Control", "private, no-cache")
	header.Add("Vary", "Authorization, Cookie")
}

func (a *API) describe(group string, r Route) huma.Operation {
	op := r.Endpoint.operation
	needed := []string{}
	if op.Scope != "" {
		needed = append(needed, string(op.Scope))
		op.Description = strings.TrimSpace(op.Description + "\n\nScope: `" + string(op.Scope) + "`.")
	}
	security := []map[string][]string{{"token": needed}, {"session": {}}}
	if op.Signed != nil {
		security = append(security, map[string][]string{"signed": {}})
	}
	described := huma.Operation{
		OperationID:                  op.ID,
		Method:                       r.Method,
		Path:                         r.Path,
		Tags:                         []string{group},
		Summary:                      op.Summary,
		Description:                  op.Description,
		DefaultStatus:                op.Status,
		MaxBodyBytes:                 cmp.Or(op.MaxBody, maxJSONBody),
		BodyReadTimeout:              jsonBodyTimeout,
		RejectUnknownQueryParameters: true,
		Security:                     security,
		Middlewares:                  huma.Middlewares{a.authenticate(op.Signed), a.checkScope(op.Scope), a.checkQuery},
		Responses:                    map[string]*huma.Response{},
	}
	if op.Cacheable {
		described.Responses["304"] = &huma.Response{Description: "Your copy is still good; only after If-None-Match"}
	}
	for _, k := range op.everyProblem() {
		a.describeProblem(&described, k)
	}
	return described
}

// charge takes one of what the call counts for.
func (a *API) charge(ctx context.Context, op Operation, principal storage.Principal) error {
	if op.Cost == "" {
		return nil
	}
	return a.cfg.Limits.Spend(ctx, principal, op.Cost, 1)
}

// everyProblem is what may go wrong with the call: any may be asked without a
// credential, or with a parameter that it does not know.
func (op Operation) everyProblem() []problem.Kind {
	all := append([]problem.Kind{problem.Unauthorized, problem.Internal}, op.Problems...)
	if op.Cost != "" {
		all = append(all, problem.RateLimited)
	}
	if op.Scope != "" {
		all = append(all, problem.InsufficientScope)
	}
	if !slices.Contains(all, problem.Validation) {
		all = append(all, problem.Validation)
	}
	return all
}

// describeProblem adds a kind of problem to the answers of a call; kinds that
// share a status share an entry.
func (a *API) describeProblem(op *huma.Operation, k problem.Kind) {
	status := strconv.Itoa(k.Status)
	response := op.Responses[status]
	if response == nil {
		response = &huma.Response{Content: map[string]*huma.MediaType{problem.MediaType: {
			Schema:   a.Description().Components.Schemas.Schema(problemType, true, "Problem"),
			Examples: map[string]*huma.Example{},
		}}}
		op.Responses[status] = response
	}
	if response.Description != "" {
		response.Description += " or "
	}
	response.Description += "`" + k.Code + "`: " + k.Title
	response.Content[problem.MediaType].Examples[k.Code] = &huma.Example{Ref: "#/components/examples/" + k.Code}
}

// addExample gives the answer of success its example.
func addExample(described *huma.Operation, op Operation) {
	if op.Example == nil {
		return
	}
	status := op.Status
	if status == 0 {
		status = http.StatusOK
	}
	described.Responses[strconv.Itoa(status)].Content["application/json"].Example = AsJSON(op.Example)
}

// registeredOperation finds the description that huma keeps, which may be
// added to until it is printed.
func registeredOperation(path *huma.PathItem, method string) *huma.Operation {
	switch method {
	case http.MethodGet:
		return path.Get
	case http.MethodPost:
		return path.Post
	case http.MethodPut:
		return path.Put
	case http.MethodPatch:
		return path.Patch
	case http.MethodDelete:
		return path.Delete
	default:
		panic("no call takes " + method)
	}
}
