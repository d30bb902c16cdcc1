package scim

import (
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
)

// User and group as they are kept here; what else RFC 7643 has of them is taken and ignored.
var (
	userSchema = schema.Schema{
		ID: schema.UserSchema, Name: optional.NewString("User"), Description: optional.NewString("A person in the workspace"),
		Attributes: schema.Attributes{
			schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{
				Name: "userName", Required: true, Uniqueness: schema.AttributeUniquenessServer(),
				Description: optional.NewString("Unique in the workspace. Where no e-mail address comes too, and this is one, they sign in by it."),
			})),
			schema.ComplexCoreAttribute(schema.ComplexParams{Name: "name", SubAttributes: []schema.SimpleParams{
				text("formatted"), text("familyName"), text("givenName"),
			}}),
			schema.SimpleCoreAttribute(text("displayName")),
			schema.SimpleCoreAttribute(schema.SimpleBooleanParams(schema.BooleanParams{Name: "active"})),
			schema.ComplexCoreAttribute(schema.ComplexParams{
				Name: "emails", MultiValued: true, SubAttributes: []schema.SimpleParams{text("value"), text("type"), truth("primary")},
				Description: optional.NewString("One is kept: the primary one, else that for work, else the first."),
			}),
			schema.ComplexCoreAttribute(schema.ComplexParams{
				Name: "groups", MultiValued: true, Mutability: schema.AttributeMutabilityReadOnly(), SubAttributes: []schema.SimpleParams{text("value"), text("display")},
			}),
		},
	}
	groupSchema = schema.Schema{
		ID: schema.GroupSchema, Name: optional.NewString("Group"), Description: optional.NewString("A group of users, whose members may get a role"),
		Attributes: schema.Attributes{
			schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{
				Name: "displayName", Required: true, Uniqueness: schema.AttributeUniquenessServer(), Description: optional.NewString("Unique in the workspace"),
			})),
			schema.ComplexCoreAttribute(schema.ComplexParams{
				Name: "members", MultiValued: true, SubAttributes: []schema.SimpleParams{text("value"), text("display"), text("type")},
				Description: optional.NewString("Users, at most 5000"),
			}),
		},
	}

	// ignored are what is known of RFC 7643 and not kept.
	ignored = map[string]schema.Schema{schema.UserSchema: schema.CoreUserSchema(), schema.GroupSchema: schema.CoreGroupSchema()}
)

func text(name string) schema.SimpleParams {
	return schema.SimpleStringParams(schema.StringParams{Name: name})
}

func truth(name string) schema.SimpleParams {
	return schema.SimpleBooleanParams(schema.BooleanParams{Name: name})
}

// attribute finds one that is kept, with one of its parts where sub is not empty.
func attribute(s schema.Schema, name, sub string) (schema.CoreAttribute, bool) {
	one, ok := s.Attributes.ContainsAttribute(name)
	if ok && sub != "" {
		one, ok = one.SubAttributes().ContainsAttribute(sub)
	}
	return one, ok
}
