package openid

import (
	"errors"
	"net/url"
	"testing"
)

// A provider that names itself in its answers is held to it (RFC 9207), and one that
// does not is, where it does.
func TestAnswerOfAnotherIssuer(t *testing.T) {
	p := &Provider{cfg: Config{Issuer: "https://sso.example.org"}}
	for name, c := range map[string]struct {
		names bool
		query string
		good  bool
	}{
		"named, as it says":           {true, "code=x&iss=https%3A%2F%2Fsso.example.org", true},
		"not named, as it says":       {true, "code=x", false},
		"another":                     {true, "code=x&iss=https%3A%2F%2Fevil.example", false},
		"named by one who need not":   {false, "code=x&iss=https%3A%2F%2Fsso.example.org", true},
		"another by one who need not": {false, "code=x&iss=https%3A%2F%2Fevil.example", false},
		"with a slash":                {false, "code=x&iss=https%3A%2F%2Fsso.example.org%2F", false},
		"empty":                       {false, "code=x&iss=", false},
		"named twice":                 {false, "code=x&iss=https%3A%2F%2Fsso.example.org&iss=https%3A%2F%2Fevil.example", false},
		"not named":                   {false, "code=x", true},
		"without a code":              {false, "", false},
	} {
		query, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.checkAnswer(&discovered{namesIss: c.names}, query); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	var refused *RefusedError
	err := p.checkAnswer(&discovered{}, url.Values{"error": {"access_denied"}, "error_description": {"no\x00\nway"}, "iss": {"https://evil.example"}})
	if errors.As(err, &refused) {
		t.Error("an error of another issuer is believed")
	}
	err = p.checkAnswer(&discovered{}, url.Values{"error": {"access_denied"}, "error_description": {"no\nway"}})
	if !errors.As(err, &refused) || refused.Code != "access_denied" {
		t.Errorf("%v", err)
	}
}

func TestNameOf(t *testing.T) {
	for want, claims := range map[string]claims{
		"Ada Lovelace": {map[string]any{"name": " Ada  Lovelace\n", "preferred_username": "ada"}},
		"Ada King":     {map[string]any{"given_name": "Ada", "family_name": "King"}},
		"ada":          {map[string]any{"name": "\u200b", "preferred_username": "ada"}},
		"countess":     {map[string]any{"email": "countess@example.org"}},
		"4711":         {map[string]any{"sub": "4711"}},
		"Owner":        {},
	} {
		if got := nameOf(claims); got != want {
			t.Errorf("%v is called %q, not %q", claims, got, want)
		}
	}
}
