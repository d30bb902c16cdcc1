package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/api/account"
	"hark/api/audit"
	"hark/api/limit"
	"hark/api/mail"
	"hark/api/rest"
	"hark/api/signin"
	"hark/storage"
	"hark/storage/storagetest"
)

const (
	anAddress  = "olga@example.org"
	aPassword  = "harbour wall at seven"
	firefox    = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	ourOwnPage = "same-origin"
)

var canMail = options{config: func(c *Config) { c.Mail = true }}

// enter signs a browser in by a link of somebody's.
func (c *client) enter(who *client) *client {
	c.t.Helper()
	_, code, err := c.db.CreateToken(c.t.Context(), who.principal.UserID, storage.NewToken{Kind: storage.SignInToken, Name: "link", Life: time.Hour})
	must(c.t, err)
	c.form("/sign-in", url.Values{"code": {code}}, "User-Agent", firefox).want(303)
	return c
}

// account gives somebody an address and a password, in a browser that is returned.
func (h *harness) account(who *client, address, password string) *client {
	h.t.Helper()
	b := h.browser().enter(who)
	if decode[account.Account](b.json("PATCH", "/v1/account", map[string]any{"email": address, "password": password}).want(200)).Waiting != nil {
		h.confirmEmail(h.browser(), address)
	}
	return b
}

// password signs in by an address and a password.
func (c *client) password(address, password string, more ...string) *answer {
	c.t.Helper()
	values := url.Values{"email": {address}, "password": {password}}
	for i := 0; i+1 < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	return c.form("/sign-in", values, "Sec-Fetch-Site", ourOwnPage, "User-Agent", firefox)
}

// mails are those that wait to be sent, and their links by what they are for.
func (h *harness) mails() (mails []mail.Message) {
	h.t.Helper()
	h.settle()
	due, err := h.db.DueJobs(h.t.Context(), 100)
	must(h.t, err)
	for _, ref := range due {
		if ref.Kind != storage.Mail {
			continue
		}
		job, err := h.db.BeginJob(h.t.Context(), ref.Kind, ref.ID, "test", time.Minute)
		must(h.t, err)
		var m mail.Message
		must(h.t, json.Unmarshal(job.Args, &m))
		mails = append(mails, m)
	}
	return mails
}

var mailedCode = regexp.MustCompile(`code=(hark_[0-9A-Za-z]+)`)

func (h *harness) audited(action storage.AuditAction) []audit.AuditEntry {
	h.t.Helper()
	h.settle()
	return decode[rest.Page[audit.AuditEntry]](h.owner.get("/v1/audit?action=" + string(action)).want(200)).Items
}

// TestSignInByPassword goes the way of a person: the form, the session, the devices.
func TestSignInByPassword(t *testing.T) {
	h := newHarness(t)
	form := h.browser().get("/sign-in?to=/settings").want(200)
	for _, part := range []string{
		`autocomplete="username"`, `autocomplete="current-password"`, `Sign in to First`, `name="to" value="/settings"`, `method="post"`, "can’t send mail",
	} {
		if !strings.Contains(string(form.body), part) {
			t.Errorf("no %s in %s", part, form.body)
		}
	}
	if strings.Contains(string(form.body), `value="mail"`) || form.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v: %s", form.header, form.body)
	}
	if german := string(h.browser().get("/sign-in", "Accept-Language", "de").body); !strings.Contains(german, "Anmelden bei First") || !strings.Contains(german, ">Passwort<") {
		t.Errorf("%s", german)
	}
	h.account(h.owner, anAddress, aPassword)
	b := h.browser()
	in := b.password("  OLGA@example.org", aPassword, "to", "/settings").want(303)
	if in.header.Get("Location") != "/settings" {
		t.Errorf("%v", in.header)
	}
	if me := string(b.get("/v1/me", "User-Agent", firefox).want(200).body); !strings.Contains(me, `"Olga"`) {
		t.Errorf("%s", me)
	}
	var devices struct{ Items []signin.Token }
	must(t, json.Unmarshal(b.get("/v1/tokens").want(200).body, &devices))
	here := slices.IndexFunc(devices.Items, func(t signin.Token) bool { return t.Current })
	if own := devices.Items[here]; own.Device != "Firefox on Linux" || own.Name != "Firefox on Linux" || own.Address != "127.0.0.1" || own.Method != "password" {
		t.Errorf("%+v", own)
	}
	if list := h.audited(storage.AuditSignIn); list[0].Details["method"] != "password" || list[1].Details["method"] != "link" {
		t.Errorf("%+v", list)
	}
	if strings.Contains(h.log.String(), aPassword) || strings.Contains(strings.ToLower(h.log.String()), anAddress) || strings.Contains(h.log.String(), "argon2") {
		t.Error("an address or a password is in the log")
	}
	who := string(b.get("/v1/users").body) + string(b.get("/v1/me").body) + string(b.get("/v1/account").body)
	if strings.Contains(who, "argon2") || strings.Count(who, "example.org") != 1 {
		t.Errorf("%s", who)
	}
}

// Whoever guesses learns nothing: not by status, header, page or the time it takes.
func TestNobodyLearnsOfAccounts(t *testing.T) {
	h := newHarness(t, canMail)
	bob, eve := h.user("Bob", storage.RoleMember), h.user("Eve", storage.RoleMember)
	h.account(h.owner, anAddress, aPassword)
	h.account(bob, "bob@example.org", aPassword)
	must(t, h.db.DisableUser(t.Context(), bob.principal.WorkspaceID, bob.principal.UserID))
	must(t, h.db.SetEmail(t.Context(), eve.principal.UserID, "eve@example.org")) // without a password
	guesses := map[string][2]string{
		"a wrong password":      {anAddress, "harbour wall at eight"},
		"who is disabled":       {"bob@example.org", aPassword},
		"who has no password":   {"eve@example.org", ""},
		"who is not there":      {"mia@example.org", aPassword},
		"what is no address":    {"mia", aPassword},
		"a foreign address":     {"' OR 1=1 --@x.y", aPassword},
		"an address with a nul": {"mia\x00@example.org", aPassword},
	}
	same := map[string]string{}
	seen := func(a *answer, address string) string {
		header := a.header.Clone()
		for _, own := range []string{"Date", "X-Request-Id", "Content-Length", "Etag"} {
			header.Del(own)
		}
		page := strings.NewReplacer(address, "ADDRESS", strings.ReplaceAll(address, "'", "&#39;"), "ADDRESS", strings.ReplaceAll(address, "\x00", "\ufffd"), "ADDRESS").Replace(string(a.body))
		return fmt.Sprint(a.status, header, page)
	}
	for name, guess := range guesses {
		wrong := h.browser().password(guess[0], guess[1])
		if wrong.status != http.StatusForbidden || !strings.Contains(string(wrong.body), "Email or password is wrong.") || wrong.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d, %s", name, wrong.status, wrong.body)
		}
		same[seen(wrong, guess[0])] = name
	}
	if len(same) != 1 {
		t.Errorf("answers differ: %q", same)
	}
	clear(same)
	for _, address := range []string{anAddress, "bob@example.org", "eve@example.org", "mia@example.org"} {
		sent := h.browser().form("/sign-in", url.Values{"email": {address}, "way": {"mail"}}).want(200)
		if !strings.Contains(string(sent.body), "a link is on its way") {
			t.Errorf("%s", sent.body)
		}
		same[seen(sent, address)] = address
	}
	if len(same) != 1 {
		t.Errorf("answers differ: %q", same)
	}
	var to []string
	for _, m := range h.mails() {
		to = append(to, m.To)
	}
	if slices.Sort(to); !slices.Equal(to, []string{"eve@example.org", anAddress}) {
		t.Errorf("mailed to %q", to)
	}
	// Without the hash it is a twentieth. What the machine does beside it takes longer now
	// and then, so that the fastest count, of as many as it takes.
	var known, unknown time.Duration
	took := func(address string, fastest *time.Duration) {
		began := time.Now()
		h.browser().password(address, "harbour wall at eight").want(403)
		if d := time.Since(began); *fastest == 0 || d < *fastest {
			*fastest = d
		}
	}
	alike, rounds := false, 0
	for ; !alike && rounds < 50; rounds++ {
		took(anAddress, &known)
		took("mia@example.org", &unknown)
		alike = rounds > 3 && known < 2*unknown && unknown < 2*known
	}
	if !alike {
		t.Errorf("known takes %s, unknown %s", known, unknown)
	}
	failed := h.audited(storage.AuditSignInFailed)
	targets := map[string]int{}
	for _, e := range failed {
		if e.Details["method"] != "password" || e.Actor.Kind != storage.ActorNobody || e.Address != "127.0.0.1" {
			t.Errorf("%+v", e)
		}
		if e.Target != nil {
			targets[e.Target.ID]++
		}
	}
	if len(failed) != len(guesses)+2*rounds || targets[h.owner.principal.UserID] != 1+rounds || targets[bob.principal.UserID] != 1 || targets[eve.principal.UserID] != 1 {
		t.Errorf("%d recorded, of %v", len(failed), targets)
	}
}

// A link that was mailed works once, for a quarter of an hour, and lets one set a
// new password who forgot theirs.
func TestMailedLink(t *testing.T) {
	h := newHarness(t, canMail)
	old := h.account(h.owner, anAddress, aPassword)
	if told := h.mails(); len(told) != 0 {
		t.Errorf("told is %v", told)
	}
	h.browser().form("/sign-in", url.Values{"email": {""}, "way": {"mail"}}).want(400)
	h.browser().form("/sign-in", url.Values{"email": {anAddress}, "way": {"mail"}, "to": {"/search?q=a"}}, "Accept-Language", "de", "User-Agent", firefox).want(200)
	mails := h.mails()
	if len(mails) != 1 || mails[0].Template != "sign_in" || mails[0].To != anAddress || mails[0].Language != "de" || time.Until(mails[0].Until) > 15*time.Minute {
		t.Fatalf("%+v", mails)
	}
	var content mail.SignIn
	must(t, json.Unmarshal(mails[0].Data, &content))
	if !strings.HasPrefix(content.Link, "http://hark.test/sign-in?code=hark_") || !strings.HasSuffix(content.Link, "&to=%2Fsearch%3Fq%3Da") || content.Device != "Firefox on Linux" || content.Minutes != 15 {
		t.Errorf("%+v", content)
	}
	code := mailedCode.FindStringSubmatch(content.Link)[1]
	if strings.Contains(h.log.String(), code) {
		t.Error("the code is in the log")
	}
	b := h.browser()
	for range 2 { // as mail programs do
		if page := string(b.get("/sign-in?code=" + code).want(200).body); !strings.Contains(page, "Sign in to First") || !strings.Contains(page, "<strong>Olga</strong>") {
			t.Errorf("%s", page)
		}
	}
	b.form("/sign-in", url.Values{"code": {code}}, "User-Agent", firefox).want(303)
	h.browser().form("/sign-in", url.Values{"code": {code}}).want(410) // again
	if list := h.audited(storage.AuditSignIn); list[0].Details["method"] != "mail" {
		t.Errorf("%+v", list[0])
	}
	told := h.mails()
	var device mail.NewDevice
	if len(told) != 1 || told[0].Template != "new_device" {
		t.Fatalf("%+v", told)
	}
	must(t, json.Unmarshal(told[0].Data, &device))
	if device.Device != "Firefox on Linux" || device.Link != "http://hark.test/settings" || device.At.IsZero() {
		t.Errorf("%+v", device)
	}
	b.json("PATCH", "/v1/account", map[string]any{"password": "another wall at eight"}).want(200)
	old.get("/v1/me").want(401)
	h.browser().password(anAddress, aPassword).want(403)
	b.password(anAddress, "another wall at eight").want(303)
	if told := h.mails(); len(told) != 0 {
		t.Errorf("a browser that is known is told: %+v", told)
	}
}

// Signing in makes a new session, whatever the browser brings, and ends the one
// before: nobody can plant one.
func TestSessionFixation(t *testing.T) {
	h := newHarness(t)
	h.account(h.owner, anAddress, aPassword)
	mal := h.user("Mal", storage.RoleMember)
	planted := h.browser().enter(mal)
	before := sessionCookieOf(t, planted)
	if page := string(planted.get("/sign-in").want(200).body); !strings.Contains(page, "<strong>Mal</strong>") {
		t.Errorf("%s", page)
	}
	conflict := planted.password(anAddress, aPassword).want(409) // not without a warning
	if !strings.Contains(string(conflict.body), "<strong>Mal</strong>") || strings.Contains(string(conflict.body), aPassword) {
		t.Errorf("%s", conflict.body)
	}
	_, replace, _ := strings.Cut(string(conflict.body), `name="replace" value="`)
	replace, _, _ = strings.Cut(replace, `"`)
	planted.password(anAddress, aPassword, "replace", replace).want(303)
	after := sessionCookieOf(t, planted)
	if after == before {
		t.Error("the session is the one that was there")
	}
	h.browser().get("/v1/me", "Cookie", "hark_session="+before).want(401)
	again := planted.password(anAddress, aPassword).want(303) // the same person needs no warning
	if again.header.Get("Set-Cookie") == "" || sessionCookieOf(t, planted) == after {
		t.Error("the session was not renewed")
	}
	made := h.browser()
	made.form("/sign-in", url.Values{"email": {anAddress}, "password": {aPassword}}, "Cookie", "hark_session=hark_chosen; hark_device=x").want(303)
	if got := sessionCookieOf(t, made); got == "hark_chosen" || got == "" {
		t.Errorf("the session is %q", got)
	}
}

func sessionCookieOf(t *testing.T, c *client) string {
	t.Helper()
	here, err := url.Parse(c.harness.http.URL)
	must(t, err)
	for _, cookie := range c.http.Jar.Cookies(here) {
		if cookie.Name == "hark_session" {
			return cookie.Value
		}
	}
	return ""
}

// Other sites can sign nobody in, and no form leads elsewhere.
func TestSignInFormIsOurs(t *testing.T) {
	h := newHarness(t, canMail)
	h.account(h.owner, anAddress, aPassword)
	values := url.Values{"email": {anAddress}, "password": {aPassword}}
	for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		h.browser().form("/sign-in", values, header[0], header[1]).problem(403, "cross_site")
		h.browser().form("/sign-in", url.Values{"email": {anAddress}, "way": {"mail"}}, header[0], header[1]).problem(403, "cross_site")
	}
	if got := h.mails(); len(got) != 0 {
		t.Errorf("mailed %v", got)
	}
	for _, to := range []string{"//evil.example", `/\evil.example`, "https://evil.example/", "javascript:alert(1)", "/m/../..//evil.example", "/settings\n//evil.example"} {
		if in := h.browser().password(anAddress, aPassword, "to", to).want(303); in.header.Get("Location") != "/" {
			t.Errorf("%q leads to %q", to, in.header.Get("Location"))
		}
		page := h.browser().get("/sign-in?to=" + url.QueryEscape(to)).want(200)
		if strings.Contains(string(page.body), "evil") || strings.Contains(string(page.body), "alert") {
			t.Errorf("%s", page.body)
		}
	}
	h.browser().form("/sign-in", url.Values{"email": {strings.Repeat("x", 40<<10)}}).want(400)
	h.browser().get("/sign-in?email=x&password=y").want(200) // what is in an address is not read
}

func TestSignInLimits(t *testing.T) {
	few := options{config: func(c *Config) {
		c.Mail = true
		c.Limits = limit.Config{SignIns: limit.Rate{N: 3, Per: time.Hour}, SignInsFrom: limit.Rate{N: 13, Per: time.Hour}, SignInEmails: limit.Rate{N: 2, Per: time.Hour}}
	}}
	h := newHarness(t, few)
	b := h.account(h.owner, anAddress, aPassword)
	for _, address := range []string{anAddress, "mia@example.org"} { // known or not
		for range 3 {
			h.browser().password(address, "harbour wall at eight").want(403)
		}
		late := h.browser().password(strings.ToUpper(address), aPassword).want(429)
		if !strings.Contains(string(late.body), "Too many attempts") || late.header.Get("Retry-After") == "" || late.header.Get("Set-Cookie") != "" {
			t.Errorf("%v: %s", late.header, late.body)
		}
	}
	b.password(anAddress, aPassword).want(303) // a browser that is known is counted apart
	for _, status := range []int{204, 422, 422, 429} {
		given := aPassword
		if status == 422 {
			given = "harbour wall at eight"
		}
		b.json("POST", "/v1/step-up", map[string]any{"password": given}).want(status)
	}
	mailed := func(address string) *answer {
		return h.browser().form("/sign-in", url.Values{"email": {address}, "way": {"mail"}})
	}
	mailed("eve@example.org").want(200)
	mailed("eve@example.org").want(200)
	mailed("eve@example.org").want(429)
	mailed("bob@example.org").want(200)
	mailed("gus@example.org").want(429) // from here
	h.browser().password("gus@example.org", "x").want(429)
}

func TestChangeAccount(t *testing.T) {
	h := newHarness(t)
	b := h.browser().enter(h.owner)
	if a := decode[account.Account](b.get("/v1/account").want(200)); a.Email != "" || a.HasPassword || a.CanMail {
		t.Errorf("%+v", a)
	}
	change := func(c *client, body map[string]any) *answer { return c.json("PATCH", "/v1/account", body) }
	for field, body := range map[string]map[string]any{
		"body.email":    {"email": "Olga <olga@example.org>"},
		"body.password": {"email": anAddress, "password": "too short"},
	} {
		if p := change(b, body).problem(422, "validation_failed"); len(p.Errors) != 1 || p.Errors[0].Field != field {
			t.Errorf("%+v", p)
		}
	}
	for _, bad := range []string{"olga@example.org", "Olga Olga Olga", "First 123456", "qwertyuiop", "1234567890"} {
		change(b, map[string]any{"email": anAddress, "password": bad}).problem(422, "validation_failed")
	}
	change(b, map[string]any{"password": aPassword}).problem(422, "validation_failed") // nothing to sign in by
	for _, more := range []string{`"role": "owner"`, `"id": "x"`, `"account_id": "x"`, `"password_hash": "x"`, `"user_id": "x"`, `"PASSWORD": "x"`, `"Email": "x@y.zz"`, `"email": "eve@example.org"`} {
		a := b.send("PATCH", "/v1/account", strings.NewReader(`{"email": "olga@example.org", `+more+`}`), "Content-Type", "application/json")
		if a.status != 422 && a.status != 400 {
			t.Errorf("%s: %d", more, a.status)
		}
	}
	b.send("PATCH", "/v1/account", strings.NewReader(`{"email": "olga@example.org"}`), "Content-Type", "application/json", "Sec-Fetch-Site", "cross-site").problem(403, "cross_site")
	if a := decode[account.Account](b.get("/v1/account").want(200)); a.Email != "" {
		t.Errorf("%+v", a)
	}
	set := decode[account.Account](change(b, map[string]any{"email": anAddress, "password": aPassword}).want(200))
	if set.Email != anAddress || !set.HasPassword || set.ProvedUntil == nil {
		t.Errorf("%+v", set)
	}
	change(h.owner, map[string]any{"email": "mal@example.org"}).problem(403, "forbidden") // a token cannot
	h.owner.send("DELETE", "/v1/tokens", nil).problem(403, "forbidden")
	bob := h.browser().enter(h.user("Bob", storage.RoleMember))
	change(bob, map[string]any{"email": "OLGA@example.org"}).problem(409, "conflict")
	bob.json("POST", "/v1/step-up", map[string]any{"password": aPassword}).problem(409, "conflict")
}

// What is dangerous asks for the password again after a while.
func TestStepUp(t *testing.T) {
	h := newHarness(t)
	b, phone := h.account(h.owner, anAddress, aPassword), h.browser().enter(h.owner)
	asks := func(path, method string, body map[string]any) {
		t.Helper()
		if p := b.json(method, path, body).problem(403, "step_up"); !strings.HasSuffix(p.Type, "/docs#problem-step-up") {
			t.Errorf("%+v", p)
		}
	}
	h.forgetProofs()
	asks("/v1/account", "PATCH", map[string]any{"email": "olga@example.net"})
	asks("/v1/account", "PATCH", map[string]any{"password": "another wall at eight"})
	asks("/v1/tokens", "DELETE", nil)
	if p := b.json("POST", "/v1/step-up", map[string]any{"password": "harbour wall at eight"}).problem(422, "validation_failed"); p.Errors[0].Field != "body.password" {
		t.Errorf("%+v", p)
	}
	if failed := h.audited(storage.AuditSignInFailed); len(failed) != 1 || failed[0].Details["method"] != "step_up" || failed[0].Target.ID != h.owner.principal.UserID {
		t.Errorf("%+v", failed)
	}
	asks("/v1/tokens", "DELETE", nil)
	b.json("POST", "/v1/step-up", map[string]any{"password": aPassword}).want(204)
	phone.json("PATCH", "/v1/account", map[string]any{"email": "olga@example.net"}).problem(403, "step_up") // that was another browser
	b.json("PATCH", "/v1/account", map[string]any{"email": "olga@example.net"}).want(200)
	b.send("DELETE", "/v1/tokens", nil).want(204)
	phone.get("/v1/me").want(401)
	h.owner.get("/v1/me").want(401)
	b.get("/v1/me").want(200)
}

// forgetProofs is as if all had proved who they are long ago.
func (h *harness) forgetProofs() {
	h.t.Helper()
	storagetest.Exec(h.t, h.url, `UPDATE tokens SET proved_at = 1, own_proved_at = 1 WHERE proved_at > 0`)
}

// Who is disabled gets in by nothing, and what they asked for before is of no use.
func TestDisabledByEveryWay(t *testing.T) {
	h := newHarness(t, canMail)
	bob := h.user("Bob", storage.RoleMember)
	b := h.account(bob, "bob@example.org", aPassword)
	h.browser().form("/sign-in", url.Values{"email": {"bob@example.org"}, "way": {"mail"}}).want(200)
	code := mailedCode.FindStringSubmatch(string(h.mails()[0].Data))[1]
	must(t, h.db.DisableUser(t.Context(), bob.principal.WorkspaceID, bob.principal.UserID))
	b.get("/v1/me").want(401)
	b.json("PATCH", "/v1/account", map[string]any{"email": "b@example.org"}).want(401)
	h.browser().password("bob@example.org", aPassword).want(403)
	h.browser().form("/sign-in", url.Values{"code": {code}}).want(410)
	h.browser().form("/sign-in", url.Values{"email": {"bob@example.org"}, "way": {"mail"}}).want(200)
	if got := h.mails(); len(got) != 0 {
		t.Errorf("mailed %v", got)
	}
}
