package pages

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"hark/api/problem"
	"hark/api/rest"
)

// Docs serves the description of the API, as OpenAPI and as a page.
type Docs struct{ spec, page []byte }

// NewDocs prints the description, which must be whole by now.
func NewDocs(api *rest.API) (*Docs, error) {
	spec, err := api.Print()
	if err != nil {
		return nil, err
	}
	view, err := newDocsView(api.Description())
	if err != nil {
		return nil, err
	}
	page, err := render(docsPage, view)
	return &Docs{spec: spec, page: page}, err
}

// Spec answers with the description as OpenAPI.
func (d *Docs) Spec(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "public, max-age=300")
	return c.Blob(http.StatusOK, "application/json", d.spec)
}

// Page answers with the description for people.
func (d *Docs) Page(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "public, max-age=300")
	return send(c, http.StatusOK, pageCSP, d.page)
}

// docsView is the description, laid out for reading.
type docsView struct {
	Title, Version string
	About          []template.HTML
	Groups         []docsGroup
	Problems       []docsProblem
	Schemas        []docsSchema
}

type docsGroup struct {
	Name, Description string
	Calls             []docsCall
}

type docsCall struct {
	ID, Method, Path, Summary string
	About                     []template.HTML
	Params                    []docsParam
	Body                      []docsContent
	Answers                   []docsAnswer
}

type docsParam struct {
	Name, In, Type, Description string
	Required                    bool
}

type docsContent struct{ MediaType, Schema, Fields, Example string }

type docsAnswer struct {
	Status, Description string
	Contents            []docsContent
}

type docsProblem struct {
	Anchor, Code, Title, Detail string
	Status                      int
}

type docsSchema struct {
	Name   string
	Fields []docsParam
}

func newDocsView(api *huma.OpenAPI) (docsView, error) {
	view := docsView{Title: api.Info.Title, Version: api.Info.Version, About: paragraphs(api.Info.Description)}
	for _, tag := range api.Tags {
		calls, err := docsCalls(api, tag.Name)
		if err != nil {
			return docsView{}, err
		}
		view.Groups = append(view.Groups, docsGroup{Name: tag.Name, Description: tag.Description, Calls: calls})
	}
	for _, k := range problem.Kinds() {
		view.Problems = append(view.Problems, docsProblem{Anchor: k.Anchor(), Code: k.Code, Title: k.Title, Detail: k.Detail, Status: k.Status})
	}
	schemas := api.Components.Schemas.Map()
	for _, name := range sortedKeys(schemas) {
		view.Schemas = append(view.Schemas, docsSchema{Name: name, Fields: docsFields(schemas[name])})
	}
	return view, nil
}

// docsCalls lists the calls of one group by path, then by method.
func docsCalls(api *huma.OpenAPI, tag string) ([]docsCall, error) {
	var calls []docsCall
	for _, path := range sortedKeys(api.Paths) {
		item := api.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Head, item.Post, item.Patch, item.Delete} {
			if op == nil || !slices.Contains(op.Tags, tag) {
				continue
			}
			call, err := docsCallOf(op)
			if err != nil {
				return nil, err
			}
			calls = append(calls, call)
		}
	}
	return calls, nil
}

func docsCallOf(op *huma.Operation) (docsCall, error) {
	call := docsCall{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, About: paragraphs(op.Description)}
	for _, p := range op.Parameters {
		call.Params = append(call.Params, docsParam{
			Name: p.Name, In: p.In, Type: typeName(p.Schema), Description: describe(p.Description, p.Schema), Required: p.Required,
		})
	}
	var err error
	if op.RequestBody != nil {
		if call.Body, err = docsContents(op.RequestBody.Content); err != nil {
			return docsCall{}, err
		}
	}
	for _, status := range sortedKeys(op.Responses) {
		answer := docsAnswer{Status: status, Description: op.Responses[status].Description}
		if status < "4" {
			if answer.Contents, err = docsContents(op.Responses[status].Content); err != nil {
				return docsCall{}, err
			}
		}
		call.Answers = append(call.Answers, answer)
	}
	return call, nil
}

func docsContents(content map[string]*huma.MediaType) ([]docsContent, error) {
	var contents []docsContent
	for _, mediaType := range sortedKeys(content) {
		c := content[mediaType]
		shown := docsContent{MediaType: mediaType, Schema: refName(c.Schema)}
		switch example := c.Example.(type) {
		case nil:
		case string:
			shown.Example = example
		default:
			printed, err := json.MarshalIndent(example, "", "  ")
			if err != nil {
				return nil, fmt.Errorf("print an example: %w", err)
			}
			shown.Example = string(printed)
		}
		contents = append(contents, shown)
	}
	return contents, nil
}

func docsFields(schema *huma.Schema) []docsParam {
	var fields []docsParam
	for _, name := range sortedKeys(schema.Properties) {
		p := schema.Properties[name]
		fields = append(fields, docsParam{
			Name: name, Type: typeName(p), Description: describe(p.Description, p),
			Required: slices.Contains(schema.Required, name),
		})
	}
	return fields
}

// describe adds to a description what a schema allows.
func describe(text string, schema *huma.Schema) string {
	if schema == nil || len(schema.Enum) == 0 {
		return text
	}
	values := make([]string, len(schema.Enum))
	for i, v := range schema.Enum {
		values[i] = fmt.Sprint(v)
	}
	return strings.TrimSpace(text + " (one of " + strings.Join(values, ", ") + ")")
}

func typeName(schema *huma.Schema) string {
	switch {
	case schema == nil:
		return ""
	case schema.Ref != "":
		return refName(schema)
	case schema.Type == huma.TypeArray:
		return "list of " + typeName(schema.Items)
	case schema.Format != "":
		return schema.Format
	}
	return schema.Type
}

func refName(schema *huma.Schema) string {
	if schema == nil {
		return ""
	}
	return strings.TrimPrefix(schema.Ref, "#/components/schemas/")
}

// paragraphs prints the little CommonMark that our descriptions use:
// paragraphs and code spans.
func paragraphs(text string) []template.HTML {
	var printed []template.HTML
	for _, paragraph := range strings.Split(text, "\n\n") {
		if paragraph == "" {
			continue
		}
		var b strings.Builder
		for i, part := range strings.Split(paragraph, "`") {
			part = template.HTMLEscapeString(part)
			if i%2 == 1 {
				part = "<code>" + part + "</code>"
			}
			b.WriteString(part)
		}
		printed = append(printed, template.HTML(b.String())) //nolint:gosec // escaped above
	}
	return printed
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
