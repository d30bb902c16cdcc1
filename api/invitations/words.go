package invitations

import (
	"fmt"

	"golang.org/x/text/language"

	"hark/storage"
)

// words are the texts of the page on which one joins, in one language.
type words struct {
	Lang, Invitation, Places, Replaces, Stay, Name, NameHint, Button, Home string
	Unknown, BadName, TooMany, Or                                          string
	Gone, SomeoneElse, SignIn, Prove, OtherAddress                         string

	Over map[storage.InvitationState]string // by why nobody can join any more

	title, member, guest, with, joinAs, there, open string // formats
}

// ByProvider is what the button says by which one joins with a provider.
func (w words) ByProvider(name string) string { return fmt.Sprintf(w.with, name) }

// JoinAs is what the button says by which one joins as who is signed in.
func (w words) JoinAs(address string) string { return fmt.Sprintf(w.joinAs, address) }

// AlreadyThere says that one is in the workspace already.
func (w words) AlreadyThere(address string) string { return fmt.Sprintf(w.there, address) }

// Open is what the button says by which one goes there.
func (w words) Open(workspace string) string { return fmt.Sprintf(w.open, workspace) }

// Title says where one joins.
func (w words) Title(workspace string) string { return fmt.Sprintf(w.title, workspace) }

// Invites says who invites, and as what.
func (w words) Invites(inviter string, guest bool) string {
	if guest {
		return fmt.Sprintf(w.guest, inviter)
	}
	return fmt.Sprintf(w.member, inviter)
}

var (
	languages = language.NewMatcher([]language.Tag{language.English, language.German})
	texts     = []words{
		{
			Lang: "en", Invitation: "Invitation", Places: "You’ll be in:", Name: "Your name", NameHint: "This is what others see.",
			Or: "or", with: "Join with %s",
			Button: "Join", Home: "Open Hark", Stay: "Keep using Hark as you are",
			title: "Join %s", member: "%s invites you to leave and hear voice messages here.", guest: "%s invites you as a guest.",
			joinAs: "Join as %s", there: "You’re already here as %s.", open: "Open %s",
			Gone: "Your access to this workspace was turned off. Ask whoever invites you to turn it on again.", SomeoneElse: "Join as someone else",
			OtherAddress: "This invitation was sent to another address than the one you’re signed in with.",
			SignIn:       "Already use Hark here? Sign in first",
			Prove:        "Only your organization’s sign-in says who you are. Set a password or add a passkey in Settings, or give yours again there, then open the link again.",
			Replaces:     "You’ll join as someone new. This browser is signed in and will be signed out:",
			Unknown:      "This invitation link isn’t valid. Check that you opened the whole link, or ask for a new one.",
			BadName:      "Enter a name of 1 to 80 characters.",
			TooMany:      "There were too many tries from your network. Wait a few minutes, then open the link again.",
			Over: map[storage.InvitationState]string{
				storage.InvitationUsedUp:  "This invitation has been used up. Ask whoever sent it for a new one.",
				storage.InvitationExpired: "This invitation has expired. Ask whoever sent it for a new one.",
				storage.InvitationRevoked: "This invitation was revoked. Ask whoever sent it if you should still join.",
			},
		},
		{
			Lang: "de", Invitation: "Einladung", Places: "Du bist dann in:", Name: "Dein Name", NameHint: "Diesen Namen sehen die anderen.",
			Or: "oder", with: "Mit %s beitreten",
			Button: "Beitreten", Home: "Hark öffnen", Stay: "Angemeldet bleiben",
			title: "%s beitreten", member: "%s lädt dich ein, hier Sprachnachrichten aufzunehmen und zu hören.", guest: "%s lädt dich als Gast ein.",
			joinAs: "Als %s beitreten", there: "Du bist hier schon dabei, als %s.", open: "%s öffnen",
			Gone: "Dein Zugang zu diesem Arbeitsbereich wurde abgeschaltet. Bitte die Person, die dich einlädt, ihn wieder einzuschalten.", SomeoneElse: "Als jemand anderes beitreten",
			OtherAddress: "Diese Einladung ging an eine andere Adresse als die, mit der du angemeldet bist.",
			SignIn:       "Du nutzt Hark hier schon? Melde dich zuerst an",
			Prove:        "Wer du bist, sagt nur die Anmeldung deiner Organisation. Leg in den Einstellungen ein Passwort oder einen Passkey fest, oder gib deins dort noch einmal ein, und öffne den Link dann noch einmal.",
			Replaces:     "Du trittst als neue Person bei. In diesem Browser ist schon jemand angemeldet und wird abgemeldet:",
			Unknown:      "Dieser Einladungslink ist nicht gültig. Prüf, ob du den ganzen Link geöffnet hast, oder bitte um einen neuen.",
			BadName:      "Gib einen Namen mit 1 bis 80 Zeichen ein.",
			TooMany:      "Aus deinem Netz gab es zu viele Versuche. Warte ein paar Minuten und öffne den Link dann noch einmal.",
			Over: map[storage.InvitationState]string{
				storage.InvitationUsedUp:  "Diese Einladung ist aufgebraucht. Bitte die Person, die sie dir geschickt hat, um eine neue.",
				storage.InvitationExpired: "Diese Einladung ist abgelaufen. Bitte die Person, die sie dir geschickt hat, um eine neue.",
				storage.InvitationRevoked: "Diese Einladung wurde widerrufen. Frag die Person, die sie dir geschickt hat, ob du noch beitreten sollst.",
			},
		},
	}
)

// wordsFor are the texts in the language that an Accept-Language header
// (RFC 9110, section 12.5.4) likes best.
func wordsFor(accept string) words {
	_, at := language.MatchStrings(languages, accept)
	return texts[at]
}
