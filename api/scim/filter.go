package scim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/elimity-com/scim/schema"
	"github.com/scim2/filter-parser/v2"

	"hark/storage/provision"
)

// Bounds of a filter.
const (
	maxFilter = 2000 // bytes
	maxParts  = 40   // comparisons
)

// fields are what can be asked for, by the names of RFC 7643 in lower case.
var fields = map[string]map[string]provision.Field{
	schema.UserSchema: {
		"id": provision.ID, "externalid": provision.ExternalID, "username": provision.UserName, "active": provision.Active,
		"displayname": provision.Name, "name": provision.Name, "name.formatted": provision.Name, "name.givenname": provision.GivenName, "name.familyname": provision.FamilyName,
		"emails": provision.Email, "emails.value": provision.Email, "groups": provision.Members, "groups.value": provision.Members,
		"meta.created": provision.CreatedAt, "meta.lastmodified": provision.ChangedAt,
	},
	schema.GroupSchema: {
		"id": provision.ID, "externalid": provision.ExternalID, "displayname": provision.Name, "members": provision.Members, "members.value": provision.Members,
		"meta.created": provision.CreatedAt, "meta.lastmodified": provision.ChangedAt,
	},
}

// readFilter makes a condition of a filter (RFC 7644, section 3.4.2.2). Its error says
// what cannot be asked for.
func readFilter(text, of string) (provision.Filter, error) {
	if len(text) > maxFilter {
		return provision.Filter{}, fmt.Errorf("a filter may have %d bytes", maxFilter)
	}
	parsed, err := filter.ParseFilter([]byte(text))
	if err != nil {
		return provision.Filter{}, err
	}
	r := filterReader{of: of}
	return r.read(parsed, "")
}

type filterReader struct {
	of    string // a schema
	parts int
}

// read reads an expression; inside of a value path, attributes are parts of base.
func (r *filterReader) read(e filter.Expression, base string) (f provision.Filter, err error) {
	if r.parts++; r.parts > maxParts {
		return f, fmt.Errorf("a filter may have %d parts", maxParts)
	}
	switch e := e.(type) {
	case *filter.LogicalExpression:
		left, err := r.read(e.Left, base)
		if err != nil {
			return f, err
		}
		right, err := r.read(e.Right, base)
		op := provision.And
		if e.Operator == filter.OR {
			op = provision.Or
		}
		return provision.Filter{Op: op, Parts: []provision.Filter{left, right}}, err
	case *filter.NotExpression:
		f, err = r.read(e.Expression, base)
		f.Not = !f.Not
		return f, err
	case *filter.ValuePath:
		if base != "" || !r.names(e.AttributePath) || e.AttributePath.SubAttributeName() != "" {
			return f, fmt.Errorf("%s cannot be asked for", e.AttributePath)
		}
		return r.read(e.ValueFilter, strings.ToLower(e.AttributePath.AttributeName)+".")
	case *filter.AttributeExpression:
		return r.compare(e, base)
	default:
		return f, fmt.Errorf("%T cannot be asked for", e)
	}
}

// names says whether a path is of the schema.
func (r *filterReader) names(path filter.AttributePath) bool {
	return path.URI() == "" || strings.EqualFold(path.URI(), r.of)
}

var ops = map[filter.CompareOperator]provision.Op{
	filter.EQ: provision.Equal, filter.NE: provision.Equal, filter.CO: provision.Contains, filter.SW: provision.Begins, filter.EW: provision.Ends, filter.PR: provision.Present,
	filter.GT: provision.After, filter.GE: provision.NotBefore, filter.LT: provision.Before, filter.LE: provision.NotAfter,
}

func (r *filterReader) compare(e *filter.AttributeExpression, base string) (f provision.Filter, err error) {
	name := base + strings.ToLower(e.AttributePath.AttributeName)
	if sub := e.AttributePath.SubAttributeName(); sub != "" {
		name += "." + strings.ToLower(sub)
	}
	f = provision.Filter{Op: ops[e.Operator], Not: e.Operator == filter.NE}
	refuse := func() (provision.Filter, error) {
		return f, fmt.Errorf("%s cannot be asked for with %s", name, e.Operator)
	}
	if !r.names(e.AttributePath) {
		return refuse()
	}
	if fixed, ok := r.fixed(name, e); ok {
		return fixed, nil
	}
	f.Field = fields[r.of][name]
	if f.Field == "" {
		return refuse()
	}
	if f.Op == provision.Present {
		return f, nil
	}
	times := slices.Contains([]provision.Op{provision.After, provision.NotBefore, provision.Before, provision.NotAfter}, f.Op)
	switch f.Field {
	case provision.Active:
		value, ok := e.CompareValue.(bool)
		if text, isText := e.CompareValue.(string); isText && (strings.EqualFold(text, "true") || strings.EqualFold(text, "false")) {
			value, ok = strings.EqualFold(text, "true"), true
		}
		if f.Bool = value; !ok || f.Op != provision.Equal {
			return refuse()
		}
		return f, nil
	case provision.CreatedAt, provision.ChangedAt:
		text, _ := e.CompareValue.(string)
		if f.At, err = time.Parse(time.RFC3339, text); err != nil || f.Op != provision.Equal && !times {
			return refuse()
		}
		return f, nil
	case provision.Members:
		if f.Op != provision.Equal {
			return refuse()
		}
	}
	switch value := e.CompareValue.(type) {
	case nil: // is there none
		f.Op, f.Not = provision.Present, !f.Not
		if e.Operator != filter.EQ && e.Operator != filter.NE {
			return refuse()
		}
	case string:
		if f.Text = unescaped(value); times {
			return refuse()
		}
	default:
		return refuse()
	}
	return f, nil
}

// fixed answers what is the same of all: addresses are for work, members are users.
func (r *filterReader) fixed(name string, e *filter.AttributeExpression) (provision.Filter, bool) {
	is := map[string]string{"emails.type": "work", "members.type": "user"}[name]
	text, _ := e.CompareValue.(string)
	holds := strings.EqualFold(text, is)
	if name == "emails.primary" {
		is = "true"
		holds, _ = e.CompareValue.(bool)
	}
	if is == "" {
		return provision.Filter{}, false
	}
	switch e.Operator {
	case filter.PR:
		holds = true
	case filter.NE:
		holds = !holds
	case filter.EQ:
	default:
		return provision.Filter{}, false
	}
	return provision.Filter{Not: !holds}, true
}

// unescaped is a text of a filter, in which the parser leaves escapes as they are.
func unescaped(text string) string {
	var plain string
	if json.Unmarshal([]byte(`"`+text+`"`), &plain) != nil {
		return text
	}
	return plain
}
