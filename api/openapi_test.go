package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"hark/api/problem"
)

var update = flag.Bool("update", false, "write the golden files anew")

// describedServer is enough of a server to be described.
func describedServer(t *testing.T) *Server {
	t.Helper()
	s, err := serverAt(t, "https://hark.example.org")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func serverAt(t *testing.T, public string) (*Server, error) {
	t.Helper()
	return New(Deps{Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler)}, Config{
		PublicURL: public, SigningKey: bytes.Repeat([]byte{1}, 32), Version: "0.0.0-test",
	})
}

func TestOpenAPIGolden(t *testing.T) {
	got, err := describedServer(t).api.Print()
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the API description has changed; look at it, then run the tests with -update and read the difference")
	}
}

// TestExamplesConform checks every example against the schema it stands beside.
func TestExamplesConform(t *testing.T) {
	api := describedServer(t).api.Description()
	examples := 0
	for path, item := range api.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Head, item.Post, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			if op.Summary == "" || op.OperationID == "" || len(op.Tags) == 0 {
				t.Errorf("%s %s is not described", op.Method, path)
			}
			for status, response := range op.Responses {
				for mediaType, content := range response.Content {
					for _, example := range examplesOf(content) {
						examples++
						conforms(t, api, content.Schema, example, op.OperationID+" "+status+" "+mediaType)
					}
				}
			}
		}
	}
	problem := api.Components.Schemas.Map()["Problem"]
	for code, example := range api.Components.Examples {
		examples++
		conforms(t, api, problem, example.Value, code)
	}
	for name, schema := range api.Components.Schemas.Map() {
		for field, property := range schema.Properties {
			for _, example := range property.Examples {
				examples++
				conforms(t, api, property, example, name+"."+field)
			}
		}
	}
	if examples < 100 {
		t.Errorf("only %d examples", examples)
	}
}

func examplesOf(content *huma.MediaType) []any {
	var all []any
	if content.Example != nil {
		all = append(all, content.Example)
	}
	return all
}

func conforms(t *testing.T, api *huma.OpenAPI, schema *huma.Schema, example any, where string) {
	t.Helper()
	if schema.Ref == "" {
		schema.PrecomputeMessages()
	}
	encoded, err := json.Marshal(example)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	var value any
	if err := json.Unmarshal(encoded, &value); err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	result := &huma.ValidateResult{}
	huma.Validate(api.Components.Schemas, schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, value, result)
	for _, problem := range result.Errors {
		t.Errorf("%s: %v", where, problem)
	}
}

// TestDocsPage keeps the page honest and self-contained.
func TestDocsPage(t *testing.T) {
	s := describedServer(t)
	req, answer := httptest.NewRequest(http.MethodGet, "/docs", nil), httptest.NewRecorder()
	req.Host = "localhost"
	s.ServeHTTP(answer, req)
	if answer.Code != http.StatusOK {
		t.Fatalf("status %d", answer.Code)
	}
	text := answer.Body.String()
	for _, banned := range []string{"<script", "style=", "src=", "http://", "//cdn", "//unpkg"} {
		if strings.Contains(strings.ReplaceAll(text, "https://hark.example.org", ""), banned) {
			t.Errorf("the page holds %q", banned)
		}
	}
	for path, item := range s.api.Description().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Head, item.Post, item.Patch, item.Delete} {
			if op != nil && !strings.Contains(text, `id="`+op.OperationID+`"`) {
				t.Errorf("%s %s is not on the page", op.Method, path)
			}
		}
	}
	for _, k := range problem.Kinds() {
		if !strings.Contains(text, `id="`+k.Anchor()+`"`) {
			t.Errorf("problem %s is not on the page", k.Code)
		}
	}
}
