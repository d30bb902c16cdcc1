package scim

import (
	"net/http"
	"strings"

	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
	"github.com/scim2/filter-parser/v2"

	"hark/api/rest"
	"hark/storage/provision"
)

// users answers for /Users.
type users struct{ *Endpoints }

var _ scim.ResourceHandler = users{}

// Create makes a person, or takes up one that was deleted.
func (u users) Create(r *http.Request, attributes scim.ResourceAttributes) (scim.Resource, error) {
	d := draft{Known: provision.Known{Active: true}}
	d.take(attributes)
	person, err := u.deps.Records.AddPerson(r.Context(), caller(r), d.known())
	return userResource(r, person), asSCIM(r, err)
}

// Get returns a person.
func (u users) Get(r *http.Request, id string) (scim.Resource, error) {
	if !rest.IsID(id) {
		return scim.Resource{}, notFound()
	}
	person, err := u.deps.Records.Person(r.Context(), caller(r), id)
	return userResource(r, person), asSCIM(r, err)
}

// GetAll lists persons.
func (u users) GetAll(r *http.Request, params scim.ListRequestParams) (scim.Page, error) {
	q, err := queryOf(r, params, schema.UserSchema)
	if err != nil {
		return scim.Page{}, err
	}
	list, total, err := u.deps.Records.Persons(r.Context(), caller(r), q)
	page := scim.Page{TotalResults: total, Resources: []scim.Resource{}}
	for _, one := range list {
		page.Resources = append(page.Resources, userResource(r, one))
	}
	return page, asSCIM(r, err)
}

// Replace has a person be as a client says. A name and an address stay where it has none,
// and so does whether they are active.
func (u users) Replace(r *http.Request, id string, attributes scim.ResourceAttributes) (scim.Resource, error) {
	return u.change(r, id, func(d *draft) error {
		d.UserName, d.ExternalID, d.GivenName, d.FamilyName = "", "", "", ""
		d.take(attributes)
		return nil
	})
}

// Patch changes a person.
func (u users) Patch(r *http.Request, id string, operations []scim.PatchOperation) (scim.Resource, error) {
	return u.change(r, id, func(d *draft) error {
		for _, one := range operations {
			if err := d.apply(one); err != nil {
				return err
			}
		}
		return nil
	})
}

func (u users) change(r *http.Request, id string, edit func(*draft) error) (scim.Resource, error) {
	if !rest.IsID(id) {
		return scim.Resource{}, notFound()
	}
	person, err := u.deps.Records.ChangePerson(r.Context(), caller(r), id, func(known provision.Known) (provision.Known, error) {
		d := draft{Known: known}
		err := edit(&d)
		return d.known(), err
	})
	return userResource(r, person), asSCIM(r, err)
}

// Delete deactivates a person, who is gone for clients from then on.
func (u users) Delete(r *http.Request, id string) error {
	if !rest.IsID(id) {
		return notFound()
	}
	return asSCIM(r, u.deps.Records.RemovePerson(r.Context(), caller(r), id))
}

// draft is what a person is to be.
type draft struct {
	provision.Known

	display, formatted string // that were given; empty for none
	parts              bool   // whether parts of the name were
}

// known is what the draft comes to: the name to be called by is the first that was given
// of displayName, name.formatted and name's parts.
func (d draft) known() provision.Known {
	k := d.Known
	switch {
	case d.display != "":
		k.Name = d.display
	case d.formatted != "":
		k.Name = d.formatted
	case d.parts && k.GivenName+k.FamilyName != "":
		k.Name = strings.TrimSpace(k.GivenName + " " + k.FamilyName)
	case k.Name == "":
		k.Name, _, _ = strings.Cut(k.UserName, "@")
	}
	return k
}

// take takes over what attributes say, which are those of the schema.
func (d *draft) take(attributes map[string]any) {
	for name, value := range attributes {
		_ = d.set(strings.ToLower(name), value)
	}
}

// set sets one attribute, or part of one. Of a value of another type it takes nothing:
// the schema was asked before.
func (d *draft) set(name string, value any) error {
	word, _ := value.(string)
	switch name {
	case "username":
		d.UserName = word
	case "externalid":
		d.ExternalID = word
	case "displayname":
		d.display = word
	case "name":
		parts, _ := value.(map[string]any)
		for part, of := range parts {
			_ = d.set("name."+strings.ToLower(part), of)
		}
	case "name.formatted":
		d.formatted = word
	case "name.givenname":
		d.GivenName, d.parts = word, true
	case "name.familyname":
		d.FamilyName, d.parts = word, true
	case "active":
		if is, ok := value.(bool); ok {
			d.Active = is
		}
	case "emails":
		list, _ := value.([]any)
		if address := chosen(list); address != "" {
			d.Email = address
		}
	case "emails.value":
		d.Email = word
	}
	return nil
}

// chosen is the address that is kept of several.
func chosen(list []any) (address string) {
	best := -1
	for _, one := range list {
		parts, _ := one.(map[string]any)
		value, _ := parts["value"].(string)
		kind, _ := parts["type"].(string)
		primary, _ := parts["primary"].(bool)
		rank := 0
		switch {
		case primary:
			rank = 2
		case strings.EqualFold(kind, "work"):
			rank = 1
		}
		if value != "" && rank > best {
			address, best = value, rank
		}
	}
	return address
}

// apply does an operation of a PATCH.
func (d *draft) apply(one scim.PatchOperation) error {
	if one.Path == nil { // the body was made ready: each has one
		return errors.ScimErrorInvalidPath
	}
	name := strings.ToLower(one.Path.AttributePath.AttributeName)
	sub := strings.ToLower(one.Path.AttributePath.SubAttributeName() + one.Path.SubAttributeName())
	if name == "emails" {
		return d.applyEmail(one, sub)
	}
	if sub != "" {
		name += "." + sub
	}
	if one.Op != scim.PatchOperationRemove {
		return d.set(name, one.Value)
	}
	switch name {
	case "username", "active":
		return *saying(errors.ScimErrorMutability, name+" cannot be removed.")
	case "name":
		d.GivenName, d.FamilyName = "", ""
	default: // the name to be called by stays
		return d.set(name, nil)
	}
	return nil
}

// applyEmail does an operation on the one address that is kept, which is the primary one
// and for work.
func (d *draft) applyEmail(one scim.PatchOperation, sub string) error {
	if e := one.Path.ValueExpression; e != nil && !holds(e, map[string]string{"type": "work", "primary": "true", "value": d.Email}) {
		if asksFor(e, "value") && one.Op == scim.PatchOperationReplace {
			return errors.ScimErrorNoTarget
		}
		return nil // of another kind
	}
	if sub != "" && sub != "value" {
		return nil
	}
	if one.Op == scim.PatchOperationRemove {
		d.Email = ""
		return nil
	}
	switch value := one.Value.(type) {
	case string:
		d.Email = value
	case map[string]any:
		d.Email = chosen([]any{value})
	case []any:
		if address := chosen(value); address != "" && (one.Op == scim.PatchOperationReplace || d.Email == "" || outranks(value)) {
			d.Email = address
		}
	}
	return nil
}

// outranks says whether an address that is added stands before the one that is there.
func outranks(list []any) bool {
	for _, one := range list {
		parts, _ := one.(map[string]any)
		if primary, _ := parts["primary"].(bool); primary {
			return true
		}
		if kind, _ := parts["type"].(string); strings.EqualFold(kind, "work") {
			return true
		}
	}
	return false
}

// holds says whether a value, by its parts, is one that an expression of a path means.
func holds(e filter.Expression, parts map[string]string) bool {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		if e.Operator == filter.OR {
			return holds(e.Left, parts) || holds(e.Right, parts)
		}
		return holds(e.Left, parts) && holds(e.Right, parts)
	case *filter.NotExpression:
		return !holds(e.Expression, parts)
	case *filter.AttributeExpression:
		has := strings.ToLower(parts[strings.ToLower(e.AttributePath.AttributeName)])
		asked := strings.ToLower(asText(e.CompareValue))
		switch e.Operator {
		case filter.EQ:
			return has == asked
		case filter.NE:
			return has != asked
		case filter.CO:
			return strings.Contains(has, asked)
		case filter.SW:
			return strings.HasPrefix(has, asked)
		case filter.EW:
			return strings.HasSuffix(has, asked)
		case filter.PR:
			return has != ""
		}
	}
	return false
}

func asText(value any) string {
	switch value := value.(type) {
	case string:
		return unescaped(value)
	case bool:
		if value {
			return "true"
		}
		return "false"
	}
	return ""
}

// asksFor says whether an expression is about a part.
func asksFor(e filter.Expression, part string) bool {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		return asksFor(e.Left, part) || asksFor(e.Right, part)
	case *filter.NotExpression:
		return asksFor(e.Expression, part)
	case *filter.AttributeExpression:
		return strings.EqualFold(e.AttributePath.AttributeName, part)
	}
	return false
}

func userResource(r *http.Request, p provision.Person) scim.Resource {
	name := map[string]any{"formatted": p.Known.Name}
	for part, value := range map[string]string{"givenName": p.GivenName, "familyName": p.FamilyName} {
		if value != "" {
			name[part] = value
		}
	}
	attributes := scim.ResourceAttributes{"userName": p.UserName, "name": name, "displayName": p.Known.Name, "active": p.Active}
	if p.Known.Email != "" {
		attributes["emails"] = []any{map[string]any{"value": p.Known.Email, "type": "work", "primary": true}}
	}
	groups := []any{}
	for _, one := range p.Groups {
		groups = append(groups, map[string]any{"value": one.ID, "display": one.Name})
	}
	attributes["groups"] = groups
	resource := scim.Resource{ID: p.ID, Attributes: asked(r, attributes), Meta: scim.Meta{Created: &p.CreatedAt, LastModified: &p.ChangedAt}}
	if p.ExternalID != "" {
		resource.ExternalID = optional.NewString(p.ExternalID)
	}
	return resource
}
