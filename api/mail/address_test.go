package mail_test

import (
	"strings"
	"testing"
	"unicode"

	"hark/api/mail"
)

func TestCheckAddress(t *testing.T) {
	for given, want := range map[string]string{
		"ada@example.org": "ada@example.org", "  ada.b+c@mail.example.org ": "ada.b+c@mail.example.org", "root@localhost": "root@localhost",
		"jürgen@bücher.example": "jürgen@bücher.example", "o'neil@example.org": "o'neil@example.org",
	} {
		if got, err := mail.CheckAddress(given); err != nil || got != want {
			t.Errorf("%q is %q, %v", given, got, err)
		}
	}
	for _, bad := range []string{
		"", "ada", "@example.org", "ada@", "ada@example", "ada@@example.org", "Ada <ada@example.org>", "<ada@example.org>", "ada@example.org, eve@example.org",
		"ada@example.org\r\nBcc: eve@example.org", "ada\x00@example.org", `"a b"@example.org`, "ada@[127.0.0.1]", "ada@example.org (comment)",
		strings.Repeat("a", 65) + "@example.org", "ada@" + strings.Repeat("a.", 130) + "org", "a\u2028b@example.org>", "ada@exa mple.org",
	} {
		if got, err := mail.CheckAddress(bad); err == nil {
			t.Errorf("%q is taken as %q", bad, got)
		}
	}
}

// Whatever is taken for an address is one word of one line, with a domain, and is the
// same when it is looked at again.
func FuzzCheckAddress(f *testing.F) {
	for _, seed := range []string{"ada@example.org", "Ada <ada@example.org>", `"a\"b"@example.org`, "a@b.c\r\nRCPT TO:<x@y.z>", "=?utf-8?q?a?=@example.org", "a@xn--bcher-kva.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		got, err := mail.CheckAddress(given)
		if err != nil {
			return
		}
		if again, err := mail.CheckAddress(got); err != nil || again != got {
			t.Errorf("%q is %q, and again %q, %v", given, got, again, err)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) || strings.ContainsAny(got, "<>,\"") || len(got) > 254 || !strings.Contains(got, "@") {
			t.Errorf("%q is taken as %q", given, got)
		}
	})
}
