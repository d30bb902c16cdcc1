package storage

import (
	"strings"
	"testing"
)

func TestEmailKey(t *testing.T) {
	for given, want := range map[string]string{
		" Ada@Example.ORG ": "ada@example.org", "STRASSE@example.org": "strasse@example.org", "straße@example.org": "strasse@example.org", "ａｄａ@example.org": "ada@example.org", "": "",
	} {
		if got := EmailKey(given); got != want {
			t.Errorf("%q is %q, not %q", given, got, want)
		}
	}
}

func TestCheckEmail(t *testing.T) {
	for _, good := range []string{"ada@example.org", "jürgen@bücher.example", "a@b"} {
		if err := CheckEmail(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "ada", "@example.org", "ada@", "a\x00@b", "a\n@b", "\xff@b", strings.Repeat("a", MaxEmail) + "@b"} {
		if CheckEmail(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// Only a session of one's own, which is good for everything, changes how one signs in.
func TestMayChangeAccount(t *testing.T) {
	whole := Principal{UserID: "ada", Role: Guest}
	place := Principal{UserID: "ada", Role: Owner, Scopes: "conversation:01a204c2-4dc4-7140-b091-ce2f79242aa2 read"}
	for name, c := range map[string]struct {
		p    Principal
		with TokenKind
		may  bool
	}{
		"a browser":        {whole, SessionToken, true},
		"a token":          {whole, APIToken, false},
		"a link":           {whole, SignInToken, false},
		"nothing":          {whole, "", false},
		"a signed address": {Principal{UserID: "ada", Role: Owner, Scopes: SoundOf("x")}, SessionToken, false},
		"one place":        {place, SessionToken, false},
	} {
		if MayChangeAccount(c.p, c.with) != c.may {
			t.Errorf("%s: not %v", name, c.may)
		}
	}
}
