package scim

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/elimity-com/scim"

	"hark/storage/provision"
)

// FuzzPatch makes any PATCH ready, has the library read it, and does it: nothing panics,
// nothing but the bounds of the schema is kept, and it comes to the same twice.
func FuzzPatch(f *testing.F) {
	const operations = `{"schemas":["` + patchSchema + `"],"Operations":[`
	for _, one := range []string{
		`{"op":"Replace","path":"active","value":"False"}`, `{"op":"add","value":{"name.givenName":"A","emails[type eq \"work\"].value":"a@b"}}`, `{"op":"replace","value":{"active":false,"id":"x"}}`,
		`{"op":"remove","path":"members[value eq \"x\"]"}`, `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"x"}]}`, `{"op":"add","path":"members","value":[{"value":"x"}]}`,
		`{"op":"replace","path":"active","value":[{"value":"False"}]}`, `{"op":"replace","path":"emails[not (primary eq true)]","value":{"value":"a@b"}}`, `{"op":"replace","path":"name","value":null}`,
		`{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:User:displayName","value":"x"}`, `{"op":"add","value":{"urn:ietf:params:scim:schemas:core:2.0:User":{"displayName":"x"}}}`,
	} {
		f.Add([]byte(operations + one + "]}"))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, of := range []*memory{{}, {group: true}} {
			r := httptest.NewRequest("PATCH", "/v2/Users/x", strings.NewReader(string(body)))
			if of.group {
				r.URL.Path = "/v2/Groups/x"
			}
			err := ready(r)
			if err != nil || r.Method == "GET" {
				continue
			}
			server, err := scim.NewServer(&scim.ServerArgs{ServiceProviderConfig: &scim.ServiceProviderConfig{}, ResourceTypes: []scim.ResourceType{
				{Name: "User", Endpoint: "/Users", Schema: userSchema, Handler: of}, {Name: "Group", Endpoint: "/Groups", Schema: groupSchema, Handler: of},
			}})
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			if w.Code >= 500 {
				t.Errorf("%d: %s", w.Code, w.Body)
			}
		}
	})
}

// memory does a PATCH to somebody who is nowhere.
type memory struct {
	scim.ResourceHandler
	group bool
}

func (m *memory) Patch(_ *http.Request, _ string, operations []scim.PatchOperation) (scim.Resource, error) {
	d := draft{Known: provision.Known{UserName: "a", Name: "A", Email: "a@example.org", Active: true}}
	g := provision.GroupKnown{Name: "G", Members: []provision.Ref{{ID: "x"}, {ID: "y"}}}
	for _, one := range operations {
		var err error
		if m.group {
			err = applyToGroup(&g, one)
		} else {
			err = d.apply(one)
		}
		if err != nil {
			return scim.Resource{}, err
		}
	}
	_, _ = d.known().Clean()
	_, _ = g.Clean()
	return scim.Resource{}, nil
}

// FuzzFilter reads any filter: nothing panics, and what is read is bounded and names only
// fields that there are.
func FuzzFilter(f *testing.F) {
	for _, one := range []string{
		`userName eq "bjensen"`, `emails[type eq "work" and value co "@example.com"]`, `not (active eq false) and (id eq "x" or externalId pr)`, `meta.lastModified gt "2011-05-13T04:42:34Z"`,
		`userName eq "a\"b\u0041"`, `urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`, `members.value eq "x"`, `userName eq null`, strings.Repeat("(", 50) + "id pr" + strings.Repeat(")", 50),
	} {
		f.Add(one)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for of, known := range fields {
			read, err := readFilter(text, of)
			if err != nil {
				continue
			}
			parts := 0
			var look func(provision.Filter)
			look = func(one provision.Filter) {
				if parts++; parts > maxParts {
					t.Fatalf("more parts than there may be")
				}
				for _, part := range one.Parts {
					look(part)
				}
				if len(one.Parts) > 0 || one.Op == provision.Everything {
					return
				}
				for _, field := range known {
					if field == one.Field {
						return
					}
				}
				t.Errorf("%+v", one)
			}
			look(read)
			if _, err := json.Marshal(read); err != nil {
				t.Error(err)
			}
		}
	})
}
