package api

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"hark/api/account"
	"hark/api/limit"
	"hark/api/mail"
	"hark/storage"
)

// codeTo is the code in the newest mail of those that an address is confirmed by.
func (h *harness) codeTo(address string) (code string) {
	h.t.Helper()
	for _, m := range h.mails() {
		if m.Template == "confirm_email" && m.To == address {
			code = mailedCode.FindStringSubmatch(string(m.Data))[1]
		}
	}
	if code == "" {
		h.t.Fatalf("nothing was mailed to %s", address)
	}
	return code
}

func (c *client) confirm(code string) *answer {
	c.t.Helper()
	return c.form("/confirm-email", url.Values{"code": {code}}, "Sec-Fetch-Site", ourOwnPage)
}

// confirmEmail opens the link that was mailed to an address.
func (h *harness) confirmEmail(in *client, address string) {
	h.t.Helper()
	in.confirm(h.codeTo(address)).want(200)
}

func (c *client) wants(address string) account.Account {
	c.t.Helper()
	return decode[account.Account](c.json("PATCH", "/v1/account", map[string]any{"email": address}).want(200))
}

func (c *client) ownAccount() account.Account {
	c.t.Helper()
	return decode[account.Account](c.get("/v1/account").want(200))
}

// TestConfirmEmail: an address holds from when its link is opened and the button pressed,
// in any browser; opening alone changes nothing.
func TestConfirmEmail(t *testing.T) {
	h := newHarness(t, canMail)
	b := h.account(h.owner, anAddress, aPassword)
	h.owner.json("PATCH", "/v1/me", map[string]any{"language": "de"}).want(200)
	if a := b.wants("olga@example.net"); a.Email != anAddress || a.Waiting == nil || a.Waiting.Email != "olga@example.net" || time.Until(a.Waiting.ExpiresAt) > time.Hour {
		t.Errorf("%+v", a)
	}
	code := h.codeTo("olga@example.net")
	for range 3 { // as mail programs and scanners do
		for _, way := range []string{"GET", "HEAD"} {
			b.send(way, "/confirm-email?code="+code, nil).want(200)
		}
	}
	elsewhere := h.browser()
	page := elsewhere.get("/confirm-email?code="+code, "Accept-Language", "de").want(200)
	for _, part := range []string{"Olga", "First", "olga@example.net", `method="post"`, "Bestätigen"} {
		if !strings.Contains(string(page.body), part) {
			t.Errorf("no %s in %s", part, page.body)
		}
	}
	if page.header.Get("Cache-Control") != "no-store" || page.header.Get("Referrer-Policy") == "" || strings.Contains(string(page.body), "<script") {
		t.Errorf("%v", page.header)
	}
	if b.ownAccount().Email != anAddress {
		t.Error("a look changed the address")
	}
	h.browser().password(anAddress, aPassword).want(303) // which still works

	elsewhere.form("/confirm-email", url.Values{"code": {code}}, "Sec-Fetch-Site", "cross-site").want(403)
	elsewhere.confirm(code).want(200)
	elsewhere.get("/v1/me").want(401) // and is signed in by nothing
	elsewhere.confirm(code).want(410)
	b.get("/confirm-email?code=" + code).want(410)
	if a := b.ownAccount(); a.Email != "olga@example.net" || a.Waiting != nil {
		t.Errorf("%+v", a)
	}
	h.browser().password(anAddress, aPassword).want(403)
	h.browser().password("olga@example.net", aPassword).want(303)
	var told bool
	for _, m := range h.mails() {
		if m.Template == "sign_in_changed" && m.To == anAddress && m.Language == "de" && strings.Contains(string(m.Data), string(mail.EmailChanged)) {
			told = true
		}
	}
	if !told {
		t.Error("the address of before was not told")
	}
	if asked, changed := h.audited(storage.AuditEmailAsked), h.audited(storage.AuditEmailChanged); len(asked) != 2 || len(changed) != 2 || changed[0].Actor.ID != h.owner.principal.UserID {
		t.Errorf("%+v %+v", asked, changed)
	}
	if log := strings.ToLower(h.log.String()); strings.Contains(log, "olga@") || strings.Contains(log, strings.ToLower(code)) {
		t.Error("an address or a code is in the log")
	}
}

// TestConfirmEmailOfAnother: who is signed in as somebody else confirms nothing, and nobody
// learns whether an address is taken.
func TestConfirmEmailOfAnother(t *testing.T) {
	h := newHarness(t, canMail)
	mia, bob := h.user("Mia", storage.RoleMember), h.user("Bob", storage.RoleMember)
	owner := h.account(h.owner, anAddress, aPassword)
	m, b := h.browser().enter(mia), h.browser().enter(bob)

	m.wants("mia@example.org")
	code := h.codeTo("mia@example.org")
	if page := owner.get("/confirm-email?code=" + code).want(409); strings.Contains(string(page.body), "Mia") || strings.Contains(string(page.body), "mia@") {
		t.Errorf("%s", page.body)
	}
	owner.confirm(code).want(409)
	m.confirm(code).want(200)

	// Of a taken address: the same answer, and a mail to whose it is.
	free := b.json("PATCH", "/v1/account", map[string]any{"email": "nobody@example.org"}).want(200)
	first := h.codeTo("nobody@example.org")
	taken := b.json("PATCH", "/v1/account", map[string]any{"email": strings.ToUpper(anAddress)}).want(200)
	cut := func(a *answer, email string) string {
		body := strings.Replace(string(a.body), email, "ADDRESS", 1)
		before, after, _ := strings.Cut(body, `"expires_at":"`)
		_, after, _ = strings.Cut(after, `"`)
		return before + after
	}
	if one, other := cut(free, "nobody@example.org"), cut(taken, strings.ToUpper(anAddress)); one != other {
		t.Errorf("%s\n%s", one, other)
	}
	var mails []string
	for _, m := range h.mails() {
		mails = append(mails, m.Template+" "+m.To)
		if strings.Contains(string(m.Data), "code=") || strings.Contains(string(m.Data), "Bob") {
			t.Errorf("%s", m.Data)
		}
	}
	if strings.Join(mails, ",") != "email_taken "+anAddress {
		t.Errorf("%q", mails)
	}
	b.confirm(first).want(410) // it was asked for something else meanwhile

	b.wants("bob@example.org")
	last := h.codeTo("bob@example.org")
	b.send("DELETE", "/v1/account/email-change", nil).want(204)
	if b.ownAccount().Waiting != nil {
		t.Error("it waits still")
	}
	b.confirm(last).want(410)
	for _, wrong := range []string{"", "x", last + "x", strings.Repeat("x", 5000)} {
		b.confirm(wrong)
		if a := b.get("/confirm-email?code=" + url.QueryEscape(wrong)); a.status != 410 {
			t.Errorf("%.20q: %d", wrong, a.status)
		}
	}
	// A token changes nothing of it.
	bob.send("DELETE", "/v1/account/email-change", nil).problem(403, "forbidden")
	bob.json("PATCH", "/v1/account", map[string]any{"email": "bob@example.org"}).problem(403, "forbidden")

	// Of two who want one address, the first to confirm has it.
	b.wants("one@example.org")
	his := h.codeTo("one@example.org")
	m.json("PATCH", "/v1/account", map[string]any{"email": "one@example.org"}).want(200)
	hers := h.codeTo("one@example.org")
	h.browser().confirm(hers).want(200)
	h.browser().confirm(his).want(409)
}

// TestConfirmEmailLimits: neither one person nor several fill somebody's mailbox.
func TestConfirmEmailLimits(t *testing.T) {
	h := newHarness(t, canMail, options{config: func(c *Config) { c.Limits.EmailChanges = limit.Rate{N: 3, Per: time.Hour} }})
	mia := h.browser().enter(h.user("Mia", storage.RoleMember))
	bob := h.browser().enter(h.user("Bob", storage.RoleMember))
	mia.wants("victim@example.org")
	bob.wants("Victim@example.org")
	mia.wants("victim@EXAMPLE.org")
	bob.json("PATCH", "/v1/account", map[string]any{"email": "victim@example.org"}).problem(429, "rate_limited")
	bob.wants("other@example.org")
	bob.json("PATCH", "/v1/account", map[string]any{"email": "third@example.org"}).problem(429, "rate_limited")
	for _, wrong := range []string{"a@example.org\r\nBcc: b@example.org", "a@example.org,b@example.org", "<a@example.org>"} {
		h.browser().enter(h.owner).json("PATCH", "/v1/account", map[string]any{"email": wrong}).problem(422, "validation_failed")
	}
}
