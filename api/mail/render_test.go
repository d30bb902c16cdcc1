package mail_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"hark/api/mail"
)

var until = time.Date(2026, time.December, 2, 15, 4, 0, 0, time.FixedZone("", 3600))

const link = "https://hark.example.org/join?code=s3cret&x=<1>"

// contents are one of each, with names as people may choose them.
var contents = []mail.Content{
	mail.Test{},
	mail.Invitation{Inviter: "Ada <b>", Workspace: "Field & notes", Link: link, Until: until},
	mail.SignIn{Link: link, Minutes: 15, Device: "Firefox on Linux"},
	mail.NewDevice{Device: "Safari", At: until, Link: link},
	mail.SignInChanged{Change: mail.PasskeyAdded, Device: "Safari", At: until, Link: link},
	mail.SignInChanged{Change: mail.RecoveryCodesMade, Device: "Safari", At: until, Link: link},
	mail.SignInChanged{Change: mail.RecoveryCodeUsed, Device: "Safari", At: until, Link: link},
	mail.Recovery{Admin: "Ada <b>", Workspace: "Field & notes", Link: link, Until: until},
}

// send sends a mail to a real server and returns what arrived.
func send(t *testing.T, s *server, language string, c mail.Content) read {
	t.Helper()
	if _, err := s.sender(t, nil).Send(within(t, time.Minute), "id", message(t, "ada@example.net", language, c)); err != nil {
		t.Fatal(err)
	}
	return readMail(t, (<-s.came).data)
}

// Every mail says the same in text and HTML, in each language, and fetches nothing.
func TestMails(t *testing.T) {
	s := plain(t)
	tags := regexp.MustCompile(`(?s)<(head|style).*?</(head|style)>|<[^>]*>`)
	fetches := regexp.MustCompile(`(?i)<(img|link|script|iframe|object|video|audio|form)|url\(|@import|\bsrc=|background=`)
	for _, c := range contents {
		english := send(t, s, "", c)
		for language, want := range map[string]string{"en-GB": "en", "de": "de", "de-AT": "de", "fr": "en"} {
			r := send(t, s, language, c)
			if (r.subject == english.subject) != (want == "en") || (r.text == english.text) != (want == "en") || r.Get("Content-Language") != want {
				t.Errorf("%T in %s is %q", c, language, r.subject)
			}
			if r.subject == "" || strings.Contains(r.text, "{{") || strings.Contains(r.text, "<no value>") || !strings.Contains(r.html, `<html lang="`+want+`">`) {
				t.Errorf("%T in %s: %s", c, language, r.text)
			}
			if fetches.MatchString(r.html) || !strings.Contains(r.html, "prefers-color-scheme: dark") {
				t.Errorf("%T in %s has what is fetched, or is never dark:\n%s", c, language, r.html)
			}
			shown := strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(r.html, " "))), " ")
			for line := range strings.Lines(r.text) {
				line = strings.TrimSuffix(strings.TrimSpace(line), ":")
				if line != "" && line != "--" && !strings.Contains(shown, line) {
					t.Errorf("%T in %s: the HTML does not say %q but\n%s", c, language, line, shown)
				}
			}
			_, plain := c.(mail.Test)
			if n := strings.Count(html.UnescapeString(r.html), `href="https://hark.example.org/join?code=s3cret&x=`); !plain && n != 2 || plain && n != 0 {
				t.Errorf("%T in %s has %d links", c, language, n)
			}
			if !plain && !strings.Contains(r.text, "\n"+link) {
				t.Errorf("%T in %s: the text has no link", c, language)
			}
		}
	}
	if r := send(t, s, "de", contents[1]); !strings.Contains(r.text, "bis 2. Dezember 2026, 14:04 UTC") || r.subject != "Ada <b> lädt dich zu Field & notes ein" {
		t.Errorf("%s\n%s", r.subject, r.text)
	}
	if r := send(t, s, "en", mail.SignIn{Link: link, Minutes: 1, Device: "x"}); !strings.Contains(r.text, "for one minute.") {
		t.Errorf("%s", r.text)
	}
}

// What people call themselves becomes neither a header, nor a recipient, nor markup.
func TestInjection(t *testing.T) {
	s := plain(t)
	evil := "Eve\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script>\n.\r\nMAIL FROM:<x@example.org>\u202e" + strings.Repeat("x", 5000)
	for _, c := range []mail.Content{
		mail.Invitation{Inviter: evil, Workspace: evil, Link: link, Until: until},
		mail.SignIn{Link: link, Minutes: 5, Device: evil},
		mail.NewDevice{Device: evil, At: until, Link: link},
		mail.SignInChanged{Change: mail.PasskeyAdded, Device: evil, At: until, Link: link},
		mail.Recovery{Admin: evil, Workspace: evil, Link: link, Until: until},
	} {
		r := send(t, s, "en", c)
		if len(r.Header) != 9 || r.Get("Bcc") != "" {
			t.Errorf("%T: headers %v", c, r.Header)
		}
		if strings.Contains(r.html, "<script") || strings.ContainsAny(r.subject+r.text, "\u202e") || len(r.subject) > 300 || len(r.text) > 2000 {
			t.Errorf("%T: %q\n%s", c, r.subject, r.text)
		}
	}
	if n := len(s.all()); n != 5 {
		t.Errorf("%d mails arrived", n)
	}
	for _, d := range s.all() {
		if d.to != "ada@example.net" || d.from != "hark@example.org" {
			t.Errorf("from %s to %s", d.from, d.to)
		}
	}
}

func TestNewMessageRefuses(t *testing.T) {
	for name, c := range map[string]mail.Content{
		"no link":    mail.SignIn{},
		"script":     mail.SignIn{Link: "javascript:alert(1)"},
		"no host":    mail.SignIn{Link: "https:///x"},
		"two lines":  mail.SignIn{Link: "https://example.org/\r\nx"},
		"a relative": mail.NewDevice{Link: "/devices"},
	} {
		if _, err := mail.NewMessage("ada@example.net", "en", c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := mail.NewMessage("ada", "en", mail.Test{}); err == nil {
		t.Error("no address: taken")
	}
}
