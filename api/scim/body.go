package scim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/schema"
	"github.com/scim2/filter-parser/v2"

	"hark/api/strictjson"
)

// maxOperations bounds what one PATCH may do.
const maxOperations = 1000

const patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

// Clients send more than a schema has, and not always in its types: Entra ID writes
// truths as text and operations with a capital, Okta sends null for what there is none of
// and the id in a PATCH. What follows makes of a body what the library takes, and leaves
// what is wrong for it to refuse.

// readyResource makes a resource (POST, PUT) fit for a schema: what it does not have is
// left out, and so is what is null.
func readyResource(body []byte, s schema.Schema) ([]byte, *errors.ScimError) {
	var resource map[string]any
	if err := strictjson.Unmarshal(body, &resource); err != nil || resource == nil {
		return nil, &errors.ScimErrorInvalidSyntax
	}
	ready := map[string]any{}
	for name, value := range resource {
		one, kept := attribute(s, name, "")
		switch {
		case value == nil:
		case kept && one.Mutability() != "readOnly":
			ready[name] = fitting(one, value)
		case strings.EqualFold(name, "schemas"), strings.EqualFold(name, schema.CommonAttributeExternalID):
			ready[name] = value
		}
	}
	return encoded(ready)
}

func encoded(v any) ([]byte, *errors.ScimError) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, &errors.ScimErrorInvalidSyntax
	}
	return body, nil
}

// operation is one of a PATCH.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path,omitempty"`
	Value any    `json:"value"`
}

// readyPatch makes a PATCH fit for a schema: an operation without a path becomes one for
// each attribute that it names, null takes away what is one, and what is not kept is left out. It
// reports whether anything is left to be done.
func readyPatch(body []byte, s schema.Schema) (ready []byte, something bool, scimErr *errors.ScimError) {
	var asked map[string]json.RawMessage
	if err := strictjson.Unmarshal(body, &asked); err != nil {
		return nil, false, &errors.ScimErrorInvalidSyntax
	}
	var schemas []string
	var operations []map[string]json.RawMessage
	if twice(asked) {
		return nil, false, &errors.ScimErrorInvalidSyntax
	}
	for name, raw := range asked {
		var err error
		switch strings.ToLower(name) {
		case "schemas":
			err = json.Unmarshal(raw, &schemas)
		case "operations":
			err = json.Unmarshal(raw, &operations)
		}
		if err != nil {
			return nil, false, &errors.ScimErrorInvalidSyntax
		}
	}
	if !slices.ContainsFunc(schemas, func(one string) bool { return strings.EqualFold(one, patchSchema) }) {
		return nil, false, saying(errors.ScimErrorInvalidValue, "schemas must have "+patchSchema+".")
	}
	if len(operations) == 0 || len(operations) > maxOperations {
		return nil, false, saying(errors.ScimErrorInvalidValue, "Operations must be 1 to 1000.")
	}
	var all []operation
	for _, raw := range operations {
		one, scimErr := readOperation(raw)
		if scimErr != nil {
			return nil, false, scimErr
		}
		more, scimErr := spread(one, s)
		if scimErr != nil {
			return nil, false, scimErr
		}
		if all = append(all, more...); len(all) > maxOperations {
			return nil, false, saying(errors.ScimErrorInvalidValue, "Operations must be 1 to 1000.")
		}
	}
	ready, scimErr = encoded(map[string]interface{}{"schemas": []string{patchSchema}, "Operations": all})
	return ready, len(all) > 0, scimErr
}

func saying(kind errors.ScimError, detail string) *errors.ScimError {
	kind.Detail = detail
	return &kind
}

// twice says whether an object has a name twice, in one case and another: names are the
// same in any (RFC 7643, section 2.1).
func twice[V any](object map[string]V) bool {
	seen := map[string]bool{}
	for name := range object {
		name = strings.ToLower(name)
		if seen[name] {
			return true
		}
		seen[name] = true
	}
	return false
}

func readOperation(raw map[string]json.RawMessage) (one operation, _ *errors.ScimError) {
	if twice(raw) {
		return one, &errors.ScimErrorInvalidSyntax
	}
	valued := false
	for name, part := range raw {
		var err error
		switch strings.ToLower(name) {
		case "op":
			err = json.Unmarshal(part, &one.Op)
		case "path":
			err = json.Unmarshal(part, &one.Path) // null is none
		case "value":
			valued = true
			err = json.Unmarshal(part, &one.Value)
		}
		if err != nil {
			return one, &errors.ScimErrorInvalidSyntax
		}
	}
	one.Op = strings.ToLower(one.Op)
	switch {
	case !slices.Contains([]string{"add", "replace", "remove"}, one.Op):
		return one, saying(errors.ScimErrorInvalidSyntax, "op must be add, replace or remove.")
	case !valued && one.Op != "remove":
		return one, saying(errors.ScimErrorInvalidValue, "To add and to replace take a value.")
	}
	return one, nil
}

// spread is what an operation does, attribute by attribute.
func spread(one operation, s schema.Schema) ([]operation, *errors.ScimError) {
	if one.Path != "" {
		return placed(one, s)
	}
	values, ok := one.Value.(map[string]any)
	switch {
	case one.Op == "remove":
		return nil, &errors.ScimErrorNoTarget
	case twice(values):
		return nil, &errors.ScimErrorInvalidSyntax
	case !ok:
		return nil, saying(errors.ScimErrorInvalidValue, "Without a path, value must be an object of attributes.")
	}
	var all []operation
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		switch {
		case strings.EqualFold(name, s.ID):
			more, scimErr := spread(operation{Op: one.Op, Value: value}, s)
			if scimErr != nil {
				return nil, scimErr
			}
			all = append(all, more...)
			continue
		case slices.ContainsFunc([]string{"id", "meta", "schemas", "groups"}, func(fixed string) bool { return strings.EqualFold(name, fixed) }),
			isExtension(name):
			continue
		}
		more, scimErr := placed(operation{Op: one.Op, Path: name, Value: value}, s)
		if scimErr != nil {
			return nil, scimErr
		}
		all = append(all, more...)
	}
	return all, nil
}

// isExtension says whether a key is the name of a schema, which holds attributes of its own.
func isExtension(name string) bool {
	const urn = "urn:ietf:params:scim:schemas:extension:"
	return len(name) > len(urn) && strings.EqualFold(name[:len(urn)], urn)
}

// placed makes the value of an operation with a path fit for what it names, or leaves out
// the operation where that is not kept.
func placed(one operation, s schema.Schema) ([]operation, *errors.ScimError) {
	if isExtension(one.Path) {
		return nil, nil
	}
	path, err := filter.ParsePath([]byte(one.Path))
	if err != nil || len(one.Path) > maxFilter {
		return nil, &errors.ScimErrorInvalidPath
	}
	name := path.AttributePath.AttributeName
	sub := path.AttributePath.SubAttributeName()
	if inner := path.SubAttributeName(); inner != "" {
		sub = inner
	}
	if uri := path.AttributePath.URI(); uri != "" && !strings.EqualFold(uri, s.ID) {
		return nil, nil
	}
	if strings.EqualFold(name, schema.CommonAttributeExternalID) {
		if one.Value == nil {
			one.Op = "remove"
		}
		return []operation{one}, nil
	}
	at, kept := attribute(s, name, sub)
	if !kept {
		if _, known := attribute(ignored[s.ID], name, sub); known || s.ID == schema.UserSchema && sub == "" && isCommonExtra(name) {
			return nil, nil
		}
		return nil, saying(errors.ScimErrorInvalidPath, "There is no attribute "+one.Path+".")
	}
	if whole, _ := attribute(s, name, ""); whole.Mutability() == "readOnly" {
		return nil, saying(errors.ScimErrorMutability, name+" cannot be changed.")
	}
	if one.Op != "remove" && one.Value == nil {
		if at.MultiValued() { // nobody says so much by so little
			return nil, saying(errors.ScimErrorInvalidValue, one.Path+" must be a list.")
		}
		one.Op = "remove"
	}
	if list, ok := one.Value.([]any); ok && !at.MultiValued() && len(list) == 1 { // Entra ID wraps values of one
		one.Value = list[0]
		if inner, ok := one.Value.(map[string]any); ok && !at.HasSubAttributes() {
			one.Value = inner["value"]
		}
	}
	if one.Value != nil {
		one.Value = fitting(at, one.Value)
	}
	return []operation{one}, nil
}

// isCommonExtra names what clients send of users that no schema of RFC 7643 has.
func isCommonExtra(name string) bool {
	return slices.ContainsFunc([]string{"department", "manager", "organization", "employeeNumber", "costCenter", "division"}, func(one string) bool { return strings.EqualFold(one, name) })
}

// fitting makes a value fit for an attribute: truths may be text, a list of one may be
// the one, and what is null in an object is not there.
func fitting(at schema.CoreAttribute, value any) any {
	switch v := value.(type) {
	case string:
		if at.AttributeType() == "boolean" {
			switch strings.ToLower(v) {
			case "true":
				return true
			case "false":
				return false
			}
		}
	case []any:
		if at.MultiValued() {
			list := []any{}
			for _, one := range v {
				if one != nil {
					list = append(list, fittingOne(at, one))
				}
			}
			return list
		}
	case map[string]any:
		if at.MultiValued() {
			return []any{fittingOne(at, v)}
		}
		return fittingOne(at, v)
	}
	return value
}

func fittingOne(at schema.CoreAttribute, value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	parts := map[string]any{}
	for name, part := range object {
		if sub, kept := at.SubAttributes().ContainsAttribute(name); kept && part != nil {
			parts[name] = fitting(sub, part)
		}
	}
	return parts
}
