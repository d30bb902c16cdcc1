package signin

import (
	"fmt"

	textlanguage "golang.org/x/text/language"

	"hark/api/passkey"
)

// words are the texts of the sign-in page in one language.
type words struct {
	Lang, Title, TitleOf, As, Once, Replaces, ReplacesOther, Button, Home string
	Incomplete, Used                                                      string

	Email, Password, OrMail, MailButton, NoMail  string
	Wrong, NoAddress, TooMany, Busy              string
	SentTitle, Sent, SentHint, Again, SomeDevice string

	Passkey, WrongPasskey, Late, NoPasskey, PasskeyFailed, Elsewhere, Unsupported string

	UseRecovery, Recovery, RecoveryHint, WrongRecovery string

	Without map[passkey.Trouble]string // why there can be no passkeys

	// Each with the name of a provider in it:
	With, Leaving, Continue                         string
	Away, NotFresh, Denied, Refused, Unsure         string
	NoUser, EmailInUse, Deactivated, InvitationOver string
	LinkedElsewhere, NotLinked, TooLate             string

	Or, Lost, NoProvider string
}

// ByProvider is what the button says that leads to a provider.
func (w words) ByProvider(name string) string { return fmt.Sprintf(w.With, name) }

// LeavingFor says that a provider is opened.
func (w words) LeavingFor(name string) string { return fmt.Sprintf(w.Leaving, name) }

// ContinueTo is what the link to a provider says.
func (w words) ContinueTo(name string) string { return fmt.Sprintf(w.Continue, name) }

var (
	languages = textlanguage.NewMatcher([]textlanguage.Tag{textlanguage.English, textlanguage.German})
	texts     = []words{
		{
			Lang: "en", Title: "Sign in to Hark", TitleOf: "Sign in to", As: "You’re signing in as", Once: "This link works once, on this browser.",
			Replaces: "This browser is signed in as someone else and will be signed out:", ReplacesOther: "This browser is signed in already. Signing in ends that session:",
			Button: "Sign in", Home: "Open Hark",
			Incomplete: "This link is incomplete. Copy the whole link and open it again.",
			Used:       "This sign-in link has expired or was already used. Ask for a new one.",

			Email: "Email", Password: "Password", OrMail: "No password yet, or forgot it?", MailButton: "Email me a sign-in link",
			NoMail:    "No password yet, or forgot it? This server can’t send mail. Ask whoever runs it for a sign-in link.",
			Wrong:     "Email or password is wrong.",
			NoAddress: "Enter your email address first.",
			TooMany:   "Too many attempts. Wait a while, then try again.",
			Busy:      "Too many people are signing in right now. Try again in a few seconds.",
			SentTitle: "Check your email", Sent: "If someone signs in with this address, a link is on its way:", SentHint: "It works once, for 15 minutes. Nothing there? Look in spam, or ask whoever runs this server.",
			Again: "Back to sign-in", SomeDevice: "an unknown device",

			Passkey: "Sign in with a passkey", WrongPasskey: "This passkey isn’t accepted here. Sign in another way.",
			Late:          "That took too long, or was done already. Try again.",
			NoPasskey:     "No passkey was used. Try again, or sign in another way.",
			PasskeyFailed: "The passkey can’t be used right now. Try again, or sign in another way.",
			Elsewhere:     "Passkeys only work at this server’s own address:",
			Unsupported:   "This browser is too old for passkeys.",

			UseRecovery: "Use a recovery code", Recovery: "Recovery code",
			RecoveryHint:  "One of the ten codes that you saved. Each works once.",
			WrongRecovery: "This code is wrong or was already used.",

			Without: map[passkey.Trouble]string{
				passkey.Insecure: "Passkeys need https, and this server is set up without it.",
				passkey.NoDomain: "Passkeys need a domain name, and this server’s address has none.",
			},

			With: "Sign in with %s", Leaving: "Opening %s…", Continue: "Continue to %s", Or: "or",
			Away:            "%s can’t be reached right now. Try again in a minute, or sign in another way.",
			NotFresh:        "%s didn’t confirm that you signed in there just now. Sign out of Hark and sign in again instead.",
			Denied:          "You cancelled at %s, or it doesn’t let you in. Try again, or ask whoever runs it.",
			Refused:         "%s refused the sign-in. A setting may be wrong: ask whoever runs this server.",
			Unsure:          "The answer from %s couldn’t be verified, so nobody was signed in. Try again. If it happens again, ask whoever runs this server.",
			NoUser:          "Nobody here is linked to this %s account. Ask for an invitation. If you sign in another way, do that, then link it under Settings.",
			EmailInUse:      "Someone signs in here with this email already. If it’s you, sign in that way, then link %s under Settings.",
			Deactivated:     "%s knows you, but your account here is deactivated. Ask an owner or admin.",
			InvitationOver:  "%s knows you, but the invitation can’t be used any more. Ask whoever sent it for a new one.",
			LinkedElsewhere: "This %s account is linked to someone else here. They have to unlink it first.",
			NotLinked:       "This isn’t the %s account that is linked to you. Try again with the linked one.",
			TooLate:         "Linking %s took too long. Start again from Settings.",
			Lost:            "This sign-in was interrupted or took too long. Start again.",
			NoProvider:      "This way to sign in isn’t available any more. Choose another.",
		},
		{
			Lang: "de", Title: "Bei Hark anmelden", TitleOf: "Anmelden bei", As: "Du meldest dich an als", Once: "Dieser Link gilt einmal, für diesen Browser.",
			Replaces: "In diesem Browser ist jemand anderes angemeldet und wird abgemeldet:", ReplacesOther: "In diesem Browser ist schon jemand angemeldet. Mit dem Anmelden endet diese Sitzung:",
			Button: "Anmelden", Home: "Hark öffnen",
			Incomplete: "Dieser Link ist unvollständig. Kopiere den ganzen Link und öffne ihn noch einmal.",
			Used:       "Dieser Anmeldelink ist abgelaufen oder wurde schon benutzt. Bitte um einen neuen.",

			Email: "E-Mail", Password: "Passwort", OrMail: "Noch kein Passwort, oder vergessen?", MailButton: "Link per E-Mail schicken",
			NoMail:    "Noch kein Passwort, oder vergessen? Dieser Server kann keine Mails senden. Bitte seinen Betreiber um einen Anmeldelink.",
			Wrong:     "E-Mail oder Passwort ist falsch.",
			NoAddress: "Gib zuerst deine E-Mail-Adresse ein.",
			TooMany:   "Zu viele Versuche. Warte eine Weile und versuche es dann noch einmal.",
			Busy:      "Gerade melden sich zu viele an. Versuche es in ein paar Sekunden noch einmal.",
			SentTitle: "Sieh in deine Mails", Sent: "Falls sich jemand mit dieser Adresse anmeldet, ist ein Link unterwegs:", SentHint: "Er gilt einmal, 15 Minuten lang. Nichts angekommen? Sieh im Spam nach, oder frag den Betreiber dieses Servers.",
			Again: "Zurück zur Anmeldung", SomeDevice: "einem unbekannten Gerät",

			Passkey: "Mit Passkey anmelden", WrongPasskey: "Dieser Passkey gilt hier nicht. Melde dich anders an.",
			Late:          "Das hat zu lange gedauert oder war schon erledigt. Versuche es noch einmal.",
			NoPasskey:     "Es wurde kein Passkey benutzt. Versuche es noch einmal oder melde dich anders an.",
			PasskeyFailed: "Der Passkey lässt sich gerade nicht benutzen. Versuche es noch einmal oder melde dich anders an.",
			Elsewhere:     "Passkeys gelten nur unter der Adresse dieses Servers:",
			Unsupported:   "Dieser Browser ist zu alt für Passkeys.",

			UseRecovery: "Wiederherstellungscode benutzen", Recovery: "Wiederherstellungscode",
			RecoveryHint:  "Einer der zehn Codes, die du aufbewahrt hast. Jeder gilt einmal.",
			WrongRecovery: "Dieser Code ist falsch oder wurde schon benutzt.",

			Without: map[passkey.Trouble]string{
				passkey.Insecure: "Passkeys brauchen https, und dieser Server ist ohne eingerichtet.",
				passkey.NoDomain: "Passkeys brauchen einen Domainnamen, und die Adresse dieses Servers hat keinen.",
			},

			With: "Mit %s anmelden", Leaving: "%s wird geöffnet …", Continue: "Weiter zu %s", Or: "oder",
			Away:            "%s ist gerade nicht erreichbar. Versuche es in einer Minute noch einmal, oder melde dich anders an.",
			NotFresh:        "%s hat nicht bestätigt, dass du dich dort gerade angemeldet hast. Melde dich stattdessen bei Hark ab und wieder an.",
			Denied:          "Du hast bei %s abgebrochen, oder du darfst dort nicht hinein. Versuche es noch einmal, oder frag den Betreiber dort.",
			Refused:         "%s hat die Anmeldung abgelehnt. Vielleicht ist etwas falsch eingestellt: Frag den Betreiber dieses Servers.",
			Unsure:          "Die Antwort von %s ließ sich nicht prüfen, deshalb wurde niemand angemeldet. Versuche es noch einmal. Passiert es wieder, frag den Betreiber dieses Servers.",
			NoUser:          "Mit diesem Konto bei %s ist hier niemand verknüpft. Bitte um eine Einladung. Wenn du dich sonst anders anmeldest, tu das und verknüpfe es dann in den Einstellungen.",
			EmailInUse:      "Mit dieser E-Mail-Adresse meldet sich hier schon jemand an. Wenn du das bist, melde dich so an und verknüpfe dann %s in den Einstellungen.",
			Deactivated:     "%s kennt dich, aber dein Konto hier ist deaktiviert. Frag eine Person mit der Rolle Eigentümer:in oder Admin.",
			InvitationOver:  "%s kennt dich, aber die Einladung gilt nicht mehr. Bitte die Person, die sie dir geschickt hat, um eine neue.",
			LinkedElsewhere: "Dieses Konto bei %s ist hier mit jemand anderem verknüpft. Dort muss es zuerst getrennt werden.",
			NotLinked:       "Das ist nicht das Konto bei %s, das mit dir verknüpft ist. Versuche es mit dem verknüpften noch einmal.",
			TooLate:         "Das Verknüpfen mit %s hat zu lange gedauert. Beginne in den Einstellungen von vorn.",
			Lost:            "Diese Anmeldung wurde unterbrochen oder hat zu lange gedauert. Beginne von vorn.",
			NoProvider:      "Diese Anmeldung gibt es nicht mehr. Wähle eine andere.",
		},
	}
)

// wordsFor are the texts in the language that an Accept-Language header
// (RFC 9110, section 12.5.4) likes best.
func wordsFor(accept string) words {
	_, at := textlanguage.MatchStrings(languages, accept)
	return texts[at]
}
