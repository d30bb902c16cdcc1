package api

import "golang.org/x/text/language"

// signInWords are the texts of the sign-in page in one language.
type signInWords struct {
	Lang, Title, As, Once, Replaces, Button, Home string
	Incomplete, Used                              string
}

var (
	signInLanguages = language.NewMatcher([]language.Tag{language.English, language.German})
	signInTexts     = []signInWords{
		{
			Lang: "en", Title: "Sign in to Hark", As: "You sign in as", Once: "This address signs one browser in, once.",
			Replaces: "This browser is signed in as someone else. That session ends here:", Button: "Sign in here", Home: "To Hark",
			Incomplete: "This address is not complete. Open it as it was printed.",
			Used:       "This sign-in address was used before, or is too old. Ask for a new one.",
		},
		{
			Lang: "de", Title: "Bei Hark anmelden", As: "Du meldest dich an als", Once: "Diese Adresse meldet einen Browser an, ein einziges Mal.",
			Replaces: "In diesem Browser ist jemand anderes angemeldet. Diese Sitzung endet hier:", Button: "Hier anmelden", Home: "Zu Hark",
			Incomplete: "Diese Adresse ist nicht vollständig. Öffne sie so, wie sie ausgegeben wurde.",
			Used:       "Diese Anmeldeadresse wurde schon benutzt oder ist zu alt. Bitte um eine neue.",
		},
	}
)

// signInWordsFor are the texts in the language that an Accept-Language header
// (RFC 9110, section 12.5.4) likes best.
func signInWordsFor(accept string) signInWords {
	_, at := language.MatchStrings(signInLanguages, accept)
	return signInTexts[at]
}
