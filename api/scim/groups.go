package scim

import (
	"net/http"
	"slices"
	"strings"

	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"

	"hark/api/rest"
	"hark/storage/provision"
)

// groups answers for /Groups.
type groups struct{ *Endpoints }

var _ scim.ResourceHandler = groups{}

// Create makes a group.
func (g groups) Create(r *http.Request, attributes scim.ResourceAttributes) (scim.Resource, error) {
	group, err := g.deps.Records.AddGroup(r.Context(), caller(r), groupKnown(attributes))
	return groupResource(r, group), asSCIM(r, err)
}

// Get returns a group.
func (g groups) Get(r *http.Request, id string) (scim.Resource, error) {
	if !rest.IsID(id) {
		return scim.Resource{}, notFound()
	}
	group, err := g.deps.Records.Group(r.Context(), caller(r), id, !wants(r, "members"))
	return groupResource(r, group), asSCIM(r, err)
}

// GetAll lists groups.
func (g groups) GetAll(r *http.Request, params scim.ListRequestParams) (scim.Page, error) {
	q, err := queryOf(r, params, schema.GroupSchema)
	if err != nil {
		return scim.Page{}, err
	}
	q.Bare = !wants(r, "members")
	list, total, err := g.deps.Records.Groups(r.Context(), caller(r), q)
	page := scim.Page{TotalResults: total, Resources: []scim.Resource{}}
	for _, one := range list {
		page.Resources = append(page.Resources, groupResource(r, one))
	}
	return page, asSCIM(r, err)
}

// Replace has a group be as a client says.
func (g groups) Replace(r *http.Request, id string, attributes scim.ResourceAttributes) (scim.Resource, error) {
	if !rest.IsID(id) {
		return scim.Resource{}, notFound()
	}
	err := g.deps.Records.ChangeGroup(r.Context(), caller(r), id, func(provision.GroupKnown) (provision.GroupKnown, error) {
		return groupKnown(attributes), nil
	})
	if err != nil {
		return scim.Resource{}, asSCIM(r, err)
	}
	return g.Get(r, id)
}

// Patch changes a group, and answers with nothing: a group may be large.
func (g groups) Patch(r *http.Request, id string, operations []scim.PatchOperation) (scim.Resource, error) {
	if !rest.IsID(id) {
		return scim.Resource{}, notFound()
	}
	err := g.deps.Records.ChangeGroup(r.Context(), caller(r), id, func(known provision.GroupKnown) (provision.GroupKnown, error) {
		for _, one := range operations {
			if err := applyToGroup(&known, one); err != nil {
				return known, err
			}
		}
		return known, nil
	})
	return scim.Resource{}, asSCIM(r, err)
}

// Delete removes a group, and nobody who is in it.
func (g groups) Delete(r *http.Request, id string) error {
	if !rest.IsID(id) {
		return notFound()
	}
	return asSCIM(r, g.deps.Records.RemoveGroup(r.Context(), caller(r), id))
}

func groupKnown(attributes map[string]any) (known provision.GroupKnown) {
	for name, value := range attributes {
		word, _ := value.(string)
		switch strings.ToLower(name) {
		case "displayname":
			known.Name = word
		case "externalid":
			known.ExternalID = word
		case "members":
			known.Members = refs(value)
		}
	}
	return known
}

// refs are the members that a value names.
func refs(value any) (list []provision.Ref) {
	all, _ := value.([]any)
	for _, one := range all {
		parts, _ := one.(map[string]any)
		id, _ := parts["value"].(string)
		list = append(list, provision.Ref{ID: id})
	}
	return list
}

// applyToGroup does an operation of a PATCH.
func applyToGroup(known *provision.GroupKnown, one scim.PatchOperation) error {
	if one.Path == nil { // the body was made ready: each has one
		return errors.ScimErrorInvalidPath
	}
	word, _ := one.Value.(string)
	switch name := strings.ToLower(one.Path.AttributePath.AttributeName); {
	case name == "externalid":
		known.ExternalID = word
	case name == "displayname" && one.Op == scim.PatchOperationRemove:
		return *saying(errors.ScimErrorMutability, "displayName cannot be removed.")
	case name == "displayname":
		known.Name = word
	case name == "members":
		return applyToMembers(known, one)
	}
	return nil
}

func applyToMembers(known *provision.GroupKnown, one scim.PatchOperation) error {
	if one.Path.SubAttribute != nil || one.Path.AttributePath.SubAttribute != nil {
		return *saying(errors.ScimErrorMutability, "Parts of a member cannot be changed. Remove the member and add another.")
	}
	meant := func(member provision.Ref) bool { return true }
	if e := one.Path.ValueExpression; e != nil {
		meant = func(member provision.Ref) bool {
			return holds(e, map[string]string{"value": member.ID, "display": member.Name, "type": "User"})
		}
	}
	named := refs(one.Value)
	switch {
	case one.Op == scim.PatchOperationAdd && one.Path.ValueExpression == nil:
		known.Members = append(known.Members, named...)
	case one.Op == scim.PatchOperationReplace && one.Path.ValueExpression == nil:
		known.Members = named
	case one.Op != scim.PatchOperationRemove:
		return errors.ScimErrorNoTarget
	case len(named) > 0: // these alone, as Entra ID has it
		ids := map[string]bool{}
		for _, each := range named {
			ids[each.ID] = true
		}
		known.Members = slices.DeleteFunc(known.Members, func(member provision.Ref) bool { return ids[member.ID] && meant(member) })
	case one.Value != nil:
		// an empty list takes nobody away
	default:
		known.Members = slices.DeleteFunc(known.Members, meant)
	}
	return nil
}

func groupResource(r *http.Request, g provision.Group) scim.Resource {
	attributes := scim.ResourceAttributes{"displayName": g.Name}
	if g.Members != nil {
		members := make([]any, len(g.Members))
		for i, one := range g.Members {
			members[i] = map[string]any{"value": one.ID, "display": one.Name, "type": "User"}
		}
		attributes["members"] = members
	}
	resource := scim.Resource{ID: g.ID, Attributes: asked(r, attributes), Meta: scim.Meta{Created: &g.CreatedAt, LastModified: &g.ChangedAt}}
	if g.ExternalID != "" {
		resource.ExternalID = optional.NewString(g.ExternalID)
	}
	return resource
}
