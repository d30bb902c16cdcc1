// Package provision has the nouns of what an identity provider keeps in step with its own
// directory: the people of a workspace and groups of them. Package scim speaks the
// protocol, and sqldb keeps the records.
//
// A [Person] is a user by the name that the provider has for them. Everybody who has an
// address to sign in by is one, whether a provider made them or not, so that a provider
// finds who was here before it. A [Group] is of persons, and may grant a role.
package provision

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hark/storage"
)

// Bounds of what a provider may keep here.
const (
	MaxPage    = 200   // resources in an answer
	MaxMembers = 5000  // of a group
	MaxGroups  = 5000  // of a workspace
	MaxListed  = 20000 // members of all groups in an answer, but for the first group's
	maxText    = 256   // characters of a name or an id that the provider chooses
)

// Person is a user as providers know them.
type Person struct {
	storage.User
	Known

	Groups    []Ref // that they are in
	ChangedAt time.Time
}

// Known is what a provider says of a person.
type Known struct {
	UserName   string // unique in the workspace, whatever its case
	ExternalID string // the provider's own; empty for none
	Name       string // to be called by
	GivenName  string // empty where it is not known, as the next
	FamilyName string
	Email      string // to sign in by; empty for none
	Active     bool
}

// Clean checks what a provider says, and brings it to the form in which it is kept. Where
// it names no address, a user name that is one will do.
func (k Known) Clean() (Known, error) {
	for field, text := range map[string]*string{"userName": &k.UserName, "externalId": &k.ExternalID, "name.givenName": &k.GivenName, "name.familyName": &k.FamilyName} {
		*text = strings.TrimSpace(storage.Printable(*text))
		if utf8.RuneCountInString(*text) > maxText {
			return k, tooLong(field)
		}
	}
	if k.UserName == "" {
		return k, &storage.InvalidError{Field: "userName", Problem: "must not be empty"}
	}
	if k.Email = strings.TrimSpace(k.Email); k.Email == "" && storage.CheckEmail(k.UserName) == nil {
		k.Email = k.UserName
	}
	if k.Email != "" && storage.CheckEmail(k.Email) != nil {
		return k, &storage.InvalidError{Field: "emails", Problem: "must be e-mail addresses, such as ada@example.org"}
	}
	var err error
	k.Name, err = storage.CleanName(k.Name)
	return k, err
}

func tooLong(field string) error {
	return &storage.InvalidError{Field: field, Problem: "must be 256 characters or fewer"}
}

// Group is a group of persons, as a provider has it.
type Group struct {
	ID string
	GroupKnown
	Role      storage.Role // that its members get; empty for none
	Size      int          // how many members it has, where they are not listed too
	CreatedAt time.Time
	ChangedAt time.Time
}

// GroupKnown is what a provider says of a group.
type GroupKnown struct {
	Name       string // unique in the workspace, whatever its case
	ExternalID string // the provider's own; empty for none
	Members    []Ref  // each once, the first added first; nil where they were not asked for
}

// Clean checks what a provider says, and brings it to the form in which it is kept.
func (k GroupKnown) Clean() (GroupKnown, error) {
	for field, text := range map[string]*string{"displayName": &k.Name, "externalId": &k.ExternalID} {
		*text = strings.TrimSpace(storage.Printable(*text))
		if utf8.RuneCountInString(*text) > maxText {
			return k, tooLong(field)
		}
	}
	if k.Name == "" {
		return k, &storage.InvalidError{Field: "displayName", Problem: "must not be empty"}
	}
	seen := map[string]bool{}
	k.Members = slices.DeleteFunc(slices.Clone(k.Members), func(one Ref) bool {
		again := seen[one.ID]
		seen[one.ID] = true
		return again
	})
	if len(k.Members) > MaxMembers {
		return k, &storage.InvalidError{Field: "members", Problem: "must be 5000 or fewer"}
	}
	return k, nil
}

// Ref names a person or a group.
type Ref struct{ ID, Name string }

// Query says which persons or groups are meant, and in which order.
type Query struct {
	Filter Filter // zero means all
	Sort   Field  // empty means by the order in which they came
	Down   bool   // the last first
	Skip   int    // so many before the page
	Count  int    // at most MaxPage; 0 only counts
	Bare   bool   // of groups: without their members
}

// Field is what persons or groups can be looked for by.
type Field string

// The fields. Text is compared whatever its case, but for ids.
const (
	ID         Field = "id"
	ExternalID Field = "external_id"
	UserName   Field = "user_name" // of persons, as the next
	Email      Field = "email"
	GivenName  Field = "given_name"
	FamilyName Field = "family_name"
	Active     Field = "active"
	Name       Field = "name"
	Members    Field = "members" // of groups: ids of persons; of persons: ids of groups
	CreatedAt  Field = "created_at"
	ChangedAt  Field = "changed_at"
)

// Op is how a filter's parts are put together, or what it asks of a field.
type Op string

// The operators. Those of times are the first and those behind it.
const (
	Everything Op = "" // or nothing, where Not is set
	And        Op = "and"
	Or         Op = "or"
	Equal      Op = "eq"
	Contains   Op = "co"
	Begins     Op = "sw"
	Ends       Op = "ew"
	Present    Op = "pr"
	After      Op = "gt"
	NotBefore  Op = "ge"
	Before     Op = "lt"
	NotAfter   Op = "le"
)

// Filter is a condition. It names fields and holds values, and is no text of any language.
type Filter struct {
	Op  Op
	Not bool // whether the opposite is meant

	Parts []Filter // of And and Or

	Field Field  // of the others
	Text  string // that the field is compared with
	Bool  bool   // of Active
	At    time.Time
}

// TakenError says that something which has to be unique is somebody else's.
type TakenError struct{ Field string } // as SCIM names it

// Error names the field.
func (e *TakenError) Error() string { return e.Field + " is taken" }

// Is makes it a storage.ErrConflict.
func (e *TakenError) Is(target error) bool { return target == storage.ErrConflict }

// FixedError says that a provider cannot change something here.
type FixedError struct{ Reason string } // a sentence for who keeps the provider

// Error is the reason.
func (e *FixedError) Error() string { return e.Reason }

// Is makes it a storage.ErrForbidden.
func (e *FixedError) Is(target error) bool { return target == storage.ErrForbidden }

// FullError says that the workspace has as many groups as it may.
type FullError struct{}

// Error says how many that is.
func (FullError) Error() string { return "a workspace has 5000 groups at most" }
