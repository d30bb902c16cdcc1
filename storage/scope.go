package storage

import (
	"slices"
	"strings"
)

// Scope is a part of what a user may do, for which a credential is good.
type Scope string

// The scopes.
const (
	ScopeRead   Scope = "read"   // see, hear and search what the user may
	ScopeWrite  Scope = "write"  // change and delete, but record nothing
	ScopeRecord Scope = "record" // record messages, and send and discard drafts
	ScopeAdmin  Scope = "admin"  // credentials, and the workspace itself

	// ScopeProvision stands alone: to keep people and groups in step with an identity
	// provider's (SCIM), and nothing else. No other scopes reach so far, and not even none.
	ScopeProvision Scope = "scim"
)

// conversationScope begins a scope that holds the others to one conversation.
const conversationScope = "conversation:"

var actions = []Scope{ScopeRead, ScopeWrite, ScopeRecord, ScopeAdmin}

// Scopes bound a principal to parts of what its user may do: scopes with spaces
// between them (RFC 6749, section 3.3). Empty means all that the user may.
type Scopes string

// ParseScopes makes scopes of a list: one or more of read, write, record and
// admin and, where these are to hold for some conversations only,
// conversation:ID for each; or scim alone. No list means all that the user may.
func ParseScopes(list []string) (Scopes, error) {
	if slices.Contains(list, string(ScopeProvision)) {
		if slices.ContainsFunc(list, func(one string) bool { return one != string(ScopeProvision) }) {
			return "", &InvalidError{"scopes", "must not be anything else beside scim"}
		}
		return Scopes(ScopeProvision), nil
	}
	var scopes, places []string
	for _, one := range list {
		id, place := strings.CutPrefix(one, conversationScope)
		switch {
		case place && isID(id):
			places = append(places, one)
		case !slices.Contains(actions, Scope(one)):
			return "", &InvalidError{"scopes", "must be of read, write, record, admin and conversation:ID, or scim alone"}
		default:
			scopes = append(scopes, one)
		}
	}
	switch {
	case len(places) > 0 && len(scopes) == 0:
		return "", &InvalidError{"scopes", "must say what may be done in the conversation: read, write or record"}
	case len(places) > 0 && slices.Contains(scopes, string(ScopeAdmin)):
		return "", &InvalidError{"scopes", "must not hold admin to a conversation: it is about the workspace"}
	}
	all := append(scopes, places...)
	slices.Sort(all)
	return Scopes(strings.Join(slices.Compact(all), " ")), nil
}

// List returns the scopes one by one; all four where they bound nothing.
func (s Scopes) List() []string {
	if s == "" {
		return []string{string(ScopeRead), string(ScopeWrite), string(ScopeRecord), string(ScopeAdmin)}
	}
	return strings.Fields(string(s))
}

// Allow says whether the scopes are good for what needs one of them.
func (s Scopes) Allow(need Scope) bool { return s == "" || slices.Contains(s.List(), string(need)) }

// Provision says whether the scopes are those of an identity provider.
func (s Scopes) Provision() bool { return s == Scopes(ScopeProvision) }

// Conversations returns the ids of the conversations that the scopes are held
// to; none where they are not.
func (s Scopes) Conversations() (ids []string) {
	for _, one := range s.List() {
		if id, ok := strings.CutPrefix(one, conversationScope); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// Cover says whether the scopes reach into a conversation, whoever is in it.
func (s Scopes) Cover(conversationID string) bool {
	ids := s.Conversations()
	return len(ids) == 0 || slices.Contains(ids, conversationID)
}

// Within says whether the scopes are good for nothing that the other are not.
func (s Scopes) Within(other Scopes) bool {
	if other == "" {
		return true
	}
	for _, one := range s.List() {
		if !strings.HasPrefix(one, conversationScope) && !other.Allow(Scope(one)) {
			return false
		}
	}
	places, allowed := s.Conversations(), other.Conversations()
	outside := func(id string) bool { return !slices.Contains(allowed, id) }
	return len(allowed) == 0 || len(places) > 0 && !slices.ContainsFunc(places, outside)
}

// soundOf begins the scope of a signed address, which names a message.
const soundOf = "sound:"

// SoundOf are the scopes of a signed address: to hear one message, and nothing else.
func SoundOf(messageID string) Scopes { return Scopes(soundOf + messageID) }

// Sound returns the message whose sound alone the scopes are good for; empty
// when they are no signed address's.
func (s Scopes) Sound() string {
	id, signed := strings.CutPrefix(string(s), soundOf)
	if !signed {
		return ""
	}
	return id
}
