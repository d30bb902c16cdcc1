// Package rest is what the calls of all nouns stand on, and knows none of them.
//
// A noun's package describes each of its calls by an [Operation] and makes an
// [Endpoint] of it and a handler, with [Handle]. [API.Add] registers endpoints
// under their methods and paths: as routes, and in the OpenAPI description.
//
// A request for an endpoint passes its guards before the handler is called: who
// asks is found out by the [Authenticator], ids in the path must be able to be ids,
// the credential must have the operation's scope, and the query one meaning.
// Then huma reads and checks parameters and body. A handler gets the
// storage.Principal who asks, and returns what is to be answered or an error; it
// never sees a request without a principal. Package problem turns the error into
// HTTP.
//
// What is known about a request travels in its context as a [Call]. Package
// front makes it, before anything else is done.
//
// Limits: JSON bodies 64 KiB and 30 s; pages of 100. JSON is read one way
// (package strictjson), and so are queries.
package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"hark/api/problem"
	"hark/api/strictjson"
)

// A key is what it is called, to the letter. huma has this for all APIs of a
// program alike; without it "KIND" is decoded and not checked.
func init() { huma.ValidateStrictCasing = true }

// Config says what an [API] works with. All but Problems are required.
type Config struct {
	Authenticator Authenticator
	Limits        *Limits
	Logger        *slog.Logger

	// Problems are of the errors that endpoints return, beside those of storage.
	Problems []problem.Rule
	// Description is what is said of the API beside its groups and operations.
	Description *huma.OpenAPI
}

// API is a set of routes and their description. Routes are added before it
// serves; then it is safe for concurrent use.
type API struct {
	cfg     Config
	echo    *echo.Echo
	huma    huma.API
	endless map[string]bool // echo's patterns of routes whose answers go on
}

// Group is a part of the description.
type Group struct {
	Name, Description string
	Routes            []Route
}

// Route is an endpoint by its address.
type Route struct {
	Method   string // GET, which answers HEAD too, POST, PATCH or DELETE
	Path     string // with parameters in braces
	Endpoint Endpoint
}

// New makes an [API] without routes.
func New(cfg Config) *API {
	a := &API{cfg: cfg, echo: echo.New(), endless: map[string]bool{}}
	a.echo.Logger.SetOutput(io.Discard) // Config.Logger has all of it
	a.echo.HTTPErrorHandler = func(err error, c echo.Context) { a.Answer(c, err) }
	a.echo.IPExtractor = echo.ExtractIPDirect()

	description := cfg.Description
	description.OpenAPI = "3.1.0"
	description.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	description.Components.Examples = problemExamples()
	a.huma = huma.NewAPI(huma.Config{
		OpenAPI: description,
		Formats: map[string]huma.Format{
			"application/json": {Marshal: WriteJSON, Unmarshal: strictjson.Unmarshal},
			"json":             {Marshal: WriteJSON, Unmarshal: strictjson.Unmarshal},
		},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{a.asProblem},
	}, withHEAD{humaecho.New(a.echo, huma.Config{}).Adapter()})
	return a
}

// Add registers the endpoints of groups, which the description has in this
// order.
func (a *API) Add(groups ...Group) {
	for _, g := range groups {
		a.Description().Tags = append(a.Description().Tags, &huma.Tag{Name: g.Name, Description: g.Description})
		for _, r := range g.Routes {
			a.register(g.Name, r)
		}
	}
}

// Echo has the routes, for what stands around them and for pages.
func (a *API) Echo() *echo.Echo { return a.echo }

// Page registers what answers GET and HEAD and is no call of the API.
func (a *API) Page(path string, handle echo.HandlerFunc) {
	a.echo.GET(path, handle)
	a.echo.HEAD(path, handle)
}

// Description describes all endpoints that were added (OpenAPI 3.1). It is not
// to be changed.
func (a *API) Description() *huma.OpenAPI { return a.huma.OpenAPI() }

// Print prints the description as JSON.
func (a *API) Print() ([]byte, error) {
	spec, err := json.Marshal(a.Description())
	if err != nil {
		return nil, fmt.Errorf("print the API description: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, spec, "", "  "); err != nil {
		return nil, fmt.Errorf("print the API description: %w", err)
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}

// problemExamples holds an example of each kind of problem, for all calls.
func problemExamples() map[string]*huma.Example {
	examples := map[string]*huma.Example{}
	for _, k := range problem.Kinds() {
		examples[k.Code] = &huma.Example{Summary: k.Title, Value: AsJSON(k.Example())}
	}
	return examples
}
