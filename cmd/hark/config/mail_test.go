package config

import (
	"strings"
	"testing"
)

func TestMailConfig(t *testing.T) {
	const url, from = "smtp://hark:secret@mail.example.org", "hark@example.org"
	for name, tc := range map[string]struct {
		cfg  MailConfig
		want string // the settings that are refused
	}{
		"none":                  {MailConfig{TLS: "required"}, ""},
		"all":                   {MailConfig{URL: url, From: from, TLS: "required"}, ""},
		"no server":             {MailConfig{From: from}, "HARK_SMTP_URL"},
		"no sender":             {MailConfig{URL: url}, "HARK_MAIL_FROM"},
		"no address":            {MailConfig{URL: "http://secret@mail.example.org", From: from}, "HARK_SMTP_URL"},
		"bad sender":            {MailConfig{URL: url, From: "hark"}, "HARK_SMTP_URL, HARK_SMTP_TLS, HARK_SMTP_CA, HARK_MAIL_FROM"},
		"password in the clear": {MailConfig{URL: url, From: from, TLS: "off"}, "HARK_SMTP_URL, HARK_SMTP_TLS, HARK_SMTP_CA, HARK_MAIL_FROM"},
	} {
		got := ""
		tc.cfg.check(func(key, format string, args ...any) {
			got += key
			for _, a := range args {
				if text, ok := a.(error); ok && strings.Contains(text.Error(), "secret") {
					t.Errorf("%s: the password is told: %v", name, text)
				}
			}
		})
		if got != tc.want {
			t.Errorf("%s: refused are %q, want %q", name, got, tc.want)
		}
		if sender, err := tc.cfg.Sender(); tc.want == "" && (err != nil || sender.Possible() != (tc.cfg.URL != "")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
