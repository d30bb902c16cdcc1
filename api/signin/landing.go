package signin

import (
	"regexp"
	"strings"
)

// maxLanding is the longest address that a sign-in leads to, in bytes.
const maxLanding = 512

// landingPlace is a page of the app, or the one on which one joins, by its path and query, written in one way:
// nothing in it can be read as another host, a scheme or a way up.
var landingPlace = regexp.MustCompile(`^/(?:(?:c|m)/[0-9a-f-]{36}|search|join|settings(?:/members|/invitations|/audit|/usage)?)(?:\?[A-Za-z0-9._~=&%+-]*)?$`)

// ofConversation finds the id of a conversation or a message in the address of its page.
var ofConversation = regexp.MustCompile(`/(?:c|m)/([0-9a-f-]{36})(?:\?|$)`)

// wanted is the id of the conversation or the message that a page of the app shows; empty
// of other pages.
func wanted(landing string) string {
	if found := ofConversation.FindStringSubmatch(landing); found != nil {
		return found[1]
	}
	return ""
}

// landing is the address to open after signing in, for one that was asked for:
// that one if it is such a page, below the public path or without it, or
// else the app's first page.
func (e *Endpoints) landing(to string) string {
	place := to
	if below, ok := strings.CutPrefix(to, e.deps.PublicURL.Base+"/"); ok {
		place = "/" + below
	}
	if len(to) > maxLanding || !landingPlace.MatchString(place) {
		return e.deps.PublicURL.Base + "/"
	}
	return e.deps.PublicURL.Base + place
}
