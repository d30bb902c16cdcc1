package signin

import textlanguage "golang.org/x/text/language"

// words are the texts of the sign-in page in one language.
type words struct {
	Lang, Title, TitleOf, As, Once, Replaces, ReplacesOther, Button, Home string
	Incomplete, Used                                                      string

	Email, Password, OrMail, MailButton, NoMail  string
	Wrong, NoAddress, TooMany, Busy              string
	SentTitle, Sent, SentHint, Again, SomeDevice string
}

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
		},
	}
)

// wordsFor are the texts in the language that an Accept-Language header
// (RFC 9110, section 12.5.4) likes best.
func wordsFor(accept string) words {
	_, at := textlanguage.MatchStrings(languages, accept)
	return texts[at]
}
