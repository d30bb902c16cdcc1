package signin

import "golang.org/x/text/language"

// words are the texts of the sign-in page in one language.
type words struct {
	Lang, Title, As, Once, Replaces, Button, Home string
	Incomplete, Used                              string
}

var (
	languages = language.NewMatcher([]language.Tag{language.English, language.German})
	texts     = []words{
		{
			Lang: "en", Title: "Sign in to Hark", As: "You’re signing in as", Once: "This link works once, on this browser.",
			Replaces: "This browser is signed in as someone else and will be signed out:", Button: "Sign in", Home: "Open Hark",
			Incomplete: "This link is incomplete. Copy the whole link and open it again.",
			Used:       "This sign-in link has expired or was already used. Ask for a new one.",
		},
		{
			Lang: "de", Title: "Bei Hark anmelden", As: "Du meldest dich an als", Once: "Dieser Link gilt einmal, für diesen Browser.",
			Replaces: "In diesem Browser ist jemand anderes angemeldet und wird abgemeldet:", Button: "Anmelden", Home: "Hark öffnen",
			Incomplete: "Dieser Link ist unvollständig. Kopiere den ganzen Link und öffne ihn noch einmal.",
			Used:       "Dieser Anmeldelink ist abgelaufen oder wurde schon benutzt. Bitte um einen neuen.",
		},
	}
)

// wordsFor are the texts in the language that an Accept-Language header
// (RFC 9110, section 12.5.4) likes best.
func wordsFor(accept string) words {
	_, at := language.MatchStrings(languages, accept)
	return texts[at]
}
