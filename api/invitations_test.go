package api

import (
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/api/invitations"
	"hark/api/limit"
	"hark/api/mail"
	"hark/api/people"
	"hark/api/rest"
	"hark/storage"
)

// invite makes an invitation, and returns it with the code of its link.
func (c *client) invite(body map[string]any) (invitations.NewInvitation, string) {
	c.t.Helper()
	made := decode[invitations.NewInvitation](c.json("POST", "/v1/invitations", body).want(http.StatusCreated))
	link, err := url.Parse(made.Link)
	must(c.t, err)
	if link.Path != "/join" {
		c.t.Fatalf("the link is %s", made.Link)
	}
	return made, link.Query().Get("code")
}

func (c *client) me() people.Me {
	c.t.Helper()
	return decode[people.Me](c.get("/v1/me").want(200))
}

// says checks what a page says, with its tags and entities taken out.
func (a *answer) says(status int, words ...string) *answer {
	a.t.Helper()
	a.want(status)
	text := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(string(a.body), ""))
	for _, one := range words {
		if !strings.Contains(text, one) {
			a.t.Errorf("the page does not say %q: %s", one, a.body)
		}
	}
	return a
}

// A guest comes by a link into the one conversation, and knows only whom they meet there.
func TestGuestJoins(t *testing.T) {
	h := newHarness(t)
	talk, secret := h.owner.conversation(), h.owner.conversation()
	h.user("Eve", storage.RoleMember)
	made, code := h.owner.invite(map[string]any{"role": "guest", "conversation_ids": []string{talk}})
	if made.Uses != 1 || made.UsesLeft != 1 || made.State != storage.InvitationOpen || made.Mailed || made.ExpiresAt.Sub(made.CreatedAt) != storage.DefaultInvitationLife {
		t.Errorf("made is %+v", made)
	}
	b := h.browser()
	for range 3 { // previews open it as often as they like
		page := b.get("/join?code="+code).says(200, "Join First", "Olga invites you as a guest.", "Field notes", "Your name")
		if page.header.Get("Content-Security-Policy") == "" || page.header.Get("Referrer-Policy") != "strict-origin" || page.header.Get("Cache-Control") != "no-store" || strings.Contains(string(page.body), "<script") {
			t.Errorf("%v", page.header)
		}
	}
	b.get("/join?code="+code, "Accept-Language", "de").says(200, "First beitreten", "Olga lädt dich als Gast ein.", "Dein Name")
	in := b.form("/join", url.Values{"code": {code}, "name": {" Gus \u202e"}}, "Sec-Fetch-Site", "same-origin").want(303)
	if to := in.header.Get("Location"); to != "/c/"+talk {
		t.Errorf("leads to %s", to)
	}
	me := b.me()
	if me.Name != "Gus" || me.Role != storage.Guest || me.NeedsNames || me.GeneralID != "" {
		t.Errorf("who joined is %+v", me)
	}
	b.get("/v1/conversations/" + talk).want(200)
	b.get("/v1/conversations/"+secret).problem(404, "not_found")
	if all := decode[struct{ Items []people.User }](b.get("/v1/users").want(200)).Items; len(all) != 2 || all[0].Name != "Olga" || all[1].Name != "Gus" {
		t.Errorf("a guest sees %+v", all)
	}
	b.get("/v1/members").problem(403, "forbidden")

	listed := decode[rest.Page[invitations.Invitation]](h.owner.get("/v1/invitations").want(200)).Items
	if len(listed) != 1 || listed[0].State != storage.InvitationUsedUp || listed[0].UsesLeft != 0 || len(listed[0].Joined) != 1 || listed[0].Joined[0].Name != "Gus" ||
		listed[0].CreatedBy.Name != "Olga" || len(listed[0].Conversations) != 1 || listed[0].Conversations[0].Title != "Field notes" {
		t.Errorf("listed are %+v", listed)
	}
	if strings.Contains(h.log.String(), code) {
		t.Error("the code is in the log")
	}
}

// Whoever comes as a member is where everybody is, and in what the invitation names.
func TestMemberJoins(t *testing.T) {
	h := newHarness(t, options{first: true})
	general := h.owner.me().GeneralID
	_, code := h.owner.invite(map[string]any{"role": "member", "uses": 2})
	b := h.browser()
	if to := b.form("/join", url.Values{"code": {code}, "name": {"Mia"}}).want(303).header.Get("Location"); to != "/c/"+general {
		t.Errorf("leads to %s, not to General", to)
	}
	if me := b.me(); me.Role != storage.RoleMember || me.GeneralID != general {
		t.Errorf("who joined is %+v", me)
	}
	// The conversation for everybody may be named too.
	_, code = h.owner.invite(map[string]any{"role": "member", "conversation_ids": []string{general, general}})
	h.browser().form("/join", url.Values{"code": {code}, "name": {"Max"}}).want(303)
}

// What a link says that lets nobody in, it says to who has an invitation's code.
func TestInvitationIsOver(t *testing.T) {
	h := newHarness(t)
	over := map[string]string{}
	_, over["used up"] = h.owner.invite(map[string]any{"role": "member"})
	h.browser().form("/join", url.Values{"code": {over["used up"]}, "name": {"Mia"}}).want(303)
	revoked, code := h.owner.invite(map[string]any{"role": "member"})
	over["revoked"] = code
	for range 2 {
		h.owner.send("DELETE", "/v1/invitations/"+revoked.ID, nil).want(204)
	}
	talk := h.owner.conversation()
	_, over["nowhere left"] = h.owner.invite(map[string]any{"role": "guest", "conversation_ids": []string{talk}})
	h.owner.send("DELETE", "/v1/conversations/"+talk, nil).want(204)
	for name, words := range map[string]string{"used up": "used up", "revoked": "was revoked", "nowhere left": "was revoked"} {
		h.browser().get("/join?code="+over[name]).says(410, words)
		gone := h.browser().form("/join", url.Values{"code": {over[name]}, "name": {"Again"}}).says(410, words)
		if gone.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: a session is made", name)
		}
	}
	unknown := h.browser().get("/join?code=hark_"+strings.Repeat("a", 43)).says(404, "isn’t valid").body
	for _, code := range []string{"", "hark_", "x", strings.Repeat("x", 5000), "hark_" + strings.Repeat("a", 42) + "'", over["revoked"][:47], over["revoked"] + "x", strings.ToUpper(over["revoked"])} {
		if page := h.browser().get("/join?code=" + url.QueryEscape(code)).want(404).body; string(page) != string(unknown) {
			t.Errorf("%.60q: another page: %s", code, page)
		}
		h.browser().form("/join", url.Values{"code": {code}, "name": {"Mia"}}).want(404)
	}
	if page := h.browser().form("/join", url.Values{"code": {"hark_" + strings.Repeat("a", 43)}, "name": {"Mia"}}).want(404).body; string(page) != string(unknown) {
		t.Errorf("another page for the form: %s", page)
	}
	// The code of a sign-in link is no invitation's, nor the other way.
	h.browser().get("/join?code=" + h.signInCode()).want(404)
	_, open := h.owner.invite(map[string]any{"role": "member"})
	h.browser().form("/sign-in", url.Values{"code": {open}}).want(410)
	h.browser().get("/v1/me", "Authorization", "Bearer "+open).problem(401, "unauthorized")
}

// An invitation that was revoked, or whose maker was deactivated or demoted, between page
// and form lets nobody in.
func TestRevokedBetweenPageAndForm(t *testing.T) {
	for name, end := range map[string]func(h *harness, ann *client, id string){
		"revoked": func(h *harness, _ *client, id string) { h.owner.send("DELETE", "/v1/invitations/"+id, nil).want(204) },
		"deactivated": func(h *harness, ann *client, _ string) {
			h.owner.json("PATCH", "/v1/members/"+ann.principal.UserID, map[string]any{"disabled": true}).want(200)
		},
		"demoted": func(h *harness, ann *client, _ string) {
			h.owner.json("PATCH", "/v1/members/"+ann.principal.UserID, map[string]any{"role": "member"}).want(200)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			ann := h.user("Ann", storage.Admin)
			made, code := ann.invite(map[string]any{"role": "member", "uses": 5})
			b := h.browser()
			b.get("/join?code="+code).says(200, "Ann invites you")
			end(h, ann, made.ID)
			b.form("/join", url.Values{"code": {code}, "name": {"Mia"}}).says(410, "was revoked")
			b.get("/v1/me").problem(401, "unauthorized")
		})
	}
}

// Of many who take the last uses at once, as many get in as there are.
func TestLastUseAtOnce(t *testing.T) {
	h := newHarness(t)
	_, code := h.owner.invite(map[string]any{"role": "member", "uses": 3})
	var all sync.WaitGroup
	statuses := make(chan int, 12)
	for range cap(statuses) {
		b := h.browser()
		all.Go(func() {
			body := url.Values{"code": {code}, "name": {"One of many"}}.Encode()
			a, err := b.try("POST", "/join", strings.NewReader(body), "Content-Type", "application/x-www-form-urlencoded")
			if err != nil {
				t.Error(err)
				return
			}
			statuses <- a.status
		})
	}
	all.Wait()
	close(statuses)
	got := map[int]int{}
	for status := range statuses {
		got[status]++
	}
	if got[303] != 3 || got[410] != 9 {
		t.Errorf("answered are %v", got)
	}
}

// Who is signed in is warned; only the form of the page that warned replaces their session.
func TestJoinReplacesSession(t *testing.T) {
	h := newHarness(t)
	b := h.browser()
	b.form("/sign-in", url.Values{"code": {h.signInCode()}}).want(303)
	_, code := h.owner.invite(map[string]any{"role": "member"})
	page := b.get("/join?code="+code).says(200, "will be signed out: Olga", "Keep using Hark as you are")
	b.form("/join", url.Values{"code": {code}, "name": {"Mia"}}).says(409, "will be signed out: Olga")
	b.form("/join", url.Values{"code": {code}, "name": {"Mia"}, "replace": {storage.NewID()}}).want(409)
	if me := b.me(); me.Name != "Olga" {
		t.Fatalf("signed in as %s", me.Name)
	}
	_, replace, _ := strings.Cut(string(page.body), `name="replace" value="`)
	replace, _, _ = strings.Cut(replace, `"`)
	b.form("/join", url.Values{"code": {code}, "name": {"Mia"}, "replace": {replace}}).want(303)
	if me := b.me(); me.Name != "Mia" {
		t.Errorf("signed in as %s", me.Name)
	}
	if sessions := string(h.owner.get("/v1/tokens").body); strings.Contains(sessions, `"session"`) {
		t.Errorf("the session that was replaced lives: %s", sessions)
	}
}

// A form of another site signs nobody in, what is not asked for in a form is not read, and
// nothing leads elsewhere.
func TestJoinAttacks(t *testing.T) {
	h := newHarness(t)
	_, code := h.owner.invite(map[string]any{"role": "member", "uses": 100})
	form := func(more url.Values) url.Values {
		values := url.Values{"code": {code}, "name": {"Mia"}}
		for key, value := range more {
			values[key] = value
		}
		return values
	}
	h.browser().form("/join", form(nil), "Sec-Fetch-Site", "cross-site").problem(403, "cross_site")
	h.browser().form("/join", form(nil), "Origin", "https://evil.example").problem(403, "cross_site")
	h.browser().form("/join", form(nil), "Origin", "null").problem(403, "cross_site")
	for _, more := range []url.Values{
		{"role": {"owner"}},
		{"Role": {"admin"}},
		{"role": {"owner", "admin"}, "disabled": {"false"}, "id": {h.owner.principal.UserID}},
		{"to": {"https://evil.example/"}, "return": {"//evil.example"}},
		{"name": {"Mia", "Olga"}},
	} {
		b := h.browser()
		to := b.form("/join?role=owner&to=https://evil.example&name=Other", form(more)).want(303).header.Get("Location")
		if to != "/" && !strings.HasPrefix(to, "/c/") {
			t.Errorf("leads to %s", to)
		}
		if me := b.me(); me.Role != storage.RoleMember || me.Name != "Mia" || me.ID == h.owner.principal.UserID {
			t.Errorf("with %v who joined is %+v", more, me)
		}
	}
	// As JSON, nothing is a form.
	h.browser().send("POST", "/join", strings.NewReader(`{"code":"`+code+`","name":"Mia","role":"owner"}`), "Content-Type", "application/json").want(404)
	// A name is text, whatever is in it.
	b := h.browser()
	evil := `<img src=x onerror=alert(1)>"'`
	b.form("/join", form(url.Values{"name": {evil}})).want(303)
	if me := b.me(); me.Name != evil {
		t.Errorf("named %q", me.Name)
	}
	again := b.get("/join?code=" + code).want(200)
	if strings.Contains(string(again.body), "<img") || !strings.Contains(string(again.body), "&lt;img src=x") {
		t.Errorf("the name is markup: %s", again.body)
	}
	for _, name := range []string{"", " ", "\u200b", strings.Repeat("x", 81), `"><script>` + strings.Repeat("x", 80)} {
		page := h.browser().form("/join", form(url.Values{"name": {name}})).says(422, "Enter a name of 1 to 80 characters.")
		if strings.Contains(string(page.body), "<script") {
			t.Errorf("the name is markup: %s", page.body)
		}
	}
	// The inviter's and the workspace's names are text too.
	h.owner.json("PATCH", "/v1/me", map[string]any{"name": `<b>Olga</b>`}).want(200)
	h.owner.json("PATCH", "/v1/workspace", map[string]any{"name": `</title><script>`}).want(200)
	if page := h.browser().get("/join?code="+code).says(200, "<b>Olga</b> invites you"); strings.Contains(string(page.body), "<b>") || strings.Contains(string(page.body), "<script>") {
		t.Errorf("names are markup: %s", page.body)
	}
}

// Nobody invites above a member, into what they are not in, or by a body that says more.
func TestInvitationRefusals(t *testing.T) {
	h := newHarness(t)
	ann, mia, gus, stranger := h.user("Ann", storage.Admin), h.user("Mia", storage.RoleMember), h.user("Gus", storage.Guest), h.stranger()
	talk, direct := h.owner.conversation(), decode[struct{ ID string }](h.owner.json("POST", "/v1/conversations", map[string]any{"kind": "direct", "member_ids": []string{ann.principal.UserID}}).want(201)).ID
	foreign := stranger.conversation()
	for _, who := range []*client{mia, gus} {
		who.json("POST", "/v1/invitations", map[string]any{"role": "member"}).problem(403, "forbidden")
		who.get("/v1/invitations").problem(403, "forbidden")
	}
	h.scoped("read", "write").json("POST", "/v1/invitations", map[string]any{"role": "member"}).problem(403, "insufficient_scope")
	for _, role := range []string{"owner", "admin", "OWNER", "", "Guest"} {
		h.owner.json("POST", "/v1/invitations", map[string]any{"role": role}).problem(422, "validation_failed")
	}
	for _, body := range []string{
		`{"Role": "guest"}`, `{"role": "member", "ROLE": "owner"}`, `{"role": "member", "role": "owner"}`, `{"role": "member", "created_by": "x"}`, `{"role": "member", "used": -5}`,
		`{"role": "member", "uses": 0}`, `{"role": "member", "uses": 1001}`, `{"role": "member", "uses": -1}`, `{"role": "member", "uses": 1.5}`,
		`{"role": "member", "expires_in": 3599}`, `{"role": "member", "expires_in": 2592001}`, `{"role": "guest"}`, `{"role": "guest", "conversation_ids": []}`,
		`{"role": "member", "conversation_ids": ["` + direct + `"]}`, `{"role": "member", "email": "no address"}`, `{"role": "member", "email": "a@example.org\r\nBcc: b@example.org"}`,
		`{"role": "member", "language": "fr"}`,
	} {
		a := h.owner.send("POST", "/v1/invitations", strings.NewReader(body), "Content-Type", "application/json")
		if a.status != 422 && a.status != 400 {
			t.Errorf("%s is answered with %d: %s", body, a.status, a.body)
		}
	}
	for _, place := range []string{talk, foreign, storage.NewID(), "x"} { // ann is in none of them
		ann.json("POST", "/v1/invitations", map[string]any{"role": "guest", "conversation_ids": []string{place}}).problem(404, "not_found")
	}
	made, _ := h.owner.invite(map[string]any{"role": "guest", "conversation_ids": []string{talk}})
	if listed := decode[rest.Page[invitations.Invitation]](ann.get("/v1/invitations").want(200)).Items; len(listed) != 1 || len(listed[0].Conversations) != 0 {
		t.Errorf("who is not in the conversation sees %+v", listed)
	}
	stranger.send("DELETE", "/v1/invitations/"+made.ID, nil).problem(404, "not_found")
	mia.send("DELETE", "/v1/invitations/"+made.ID, nil).problem(404, "not_found")
	h.owner.send("DELETE", "/v1/invitations/"+storage.NewID(), nil).problem(404, "not_found")
	ann.send("DELETE", "/v1/invitations/"+made.ID, nil).want(204)
	if left := decode[rest.Page[invitations.Invitation]](h.owner.get("/v1/invitations").want(200)).Items; left[0].State != storage.InvitationRevoked {
		t.Errorf("revoked is %+v", left)
	}
}

// The link goes by mail where mails can be sent, in the job of the same transaction.
func TestInvitationByMail(t *testing.T) {
	for _, can := range []bool{true, false} {
		h := newHarness(t, options{config: func(c *Config) { c.Mail = can }})
		made, code := h.owner.invite(map[string]any{"role": "member", "email": " grace@example.org ", "language": "de"})
		if made.Mailed != can || (made.Email == "grace@example.org") != can {
			t.Errorf("where mail can be sent is %v: %+v", can, made)
		}
		due, err := h.db.DueJobs(t.Context(), 10)
		must(t, err)
		if len(due) != map[bool]int{true: 1}[can] {
			t.Fatalf("due are %+v", due)
		}
		if !can {
			continue
		}
		waits, _ := h.owner.invite(map[string]any{"role": "member", "email": "grace@example.org"})
		h.owner.send("DELETE", "/v1/invitations/"+waits.ID, nil).want(204)
		if left, err := h.db.DueJobs(t.Context(), 10); err != nil || len(left) != 1 || left[0].ID != due[0].ID {
			t.Errorf("of an invitation that was revoked the mail is sent: %+v, %v", left, err)
		}
		job, err := h.db.BeginJob(t.Context(), storage.Mail, due[0].ID, "test", time.Minute)
		must(t, err)
		var message mail.Message
		var content mail.Invitation
		must(t, errors.Join(json.Unmarshal(job.Args, &message), json.Unmarshal(message.Data, &content)))
		if message.To != "grace@example.org" || message.Language != "de" || content.Inviter != "Olga" || content.Workspace != "First" ||
			content.Link != "http://hark.test/join?code="+code || !content.Until.Equal(made.ExpiresAt) || !strings.Contains(job.Subject, made.ID) {
			t.Errorf("the mail is %+v, %+v in %s", message, content, job.Subject)
		}
		if strings.Contains(h.log.String(), "grace@") || strings.Contains(string(h.owner.get("/v1/audit").want(200).body), "grace@") {
			t.Error("the address is in the log or the audit log")
		}
	}
}

// Tries are bounded by address, and so are invitations by person.
func TestJoinLimits(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) {
		c.Limits = limit.Config{Joins: limit.Rate{N: 3, Per: time.Hour}, Invitations: limit.Rate{N: 2, Per: time.Hour}}
	}})
	_, code := h.owner.invite(map[string]any{"role": "member", "uses": 100})
	h.owner.invite(map[string]any{"role": "member"})
	if p := h.owner.json("POST", "/v1/invitations", map[string]any{"role": "member"}).problem(429, "rate_limited"); p.Limit != "invitations" {
		t.Errorf("%+v", p)
	}
	h.browser().form("/join", url.Values{"code": {code}, "name": {"Mia"}}).want(303)
	h.browser().get("/join?code=guess").want(404)
	h.browser().form("/join", url.Values{"code": {code}, "name": {""}}).want(422)
	for _, a := range []*answer{h.browser().get("/join?code=guess"), h.browser().form("/join", url.Values{"code": {code}, "name": {"Max"}})} {
		if a.says(429, "too many tries").header.Get("Retry-After") != "1200" {
			t.Errorf("%v", a.header)
		}
	}
	h.browser().get("/join?code=" + code).want(200) // who has a link that is good looks as often as they like
	if !slices.ContainsFunc(h.securityEvents(), func(e map[string]any) bool { return e["event"] == "join_failed" }) {
		t.Error("what failed is not in the security log")
	}
}

// Below a path, all leads below it.
func TestJoinBelowPath(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.PublicURL = "https://example.org/hark" }})
	talk := h.owner.conversation()
	made := decode[invitations.NewInvitation](h.owner.json("POST", "/v1/invitations", map[string]any{"role": "guest", "conversation_ids": []string{talk}}).want(201))
	code, below := strings.CutPrefix(made.Link, "https://example.org/hark/join?code=")
	if !below {
		t.Fatalf("the link is %s", made.Link)
	}
	in := h.browser().form("/hark/join", url.Values{"code": {code}, "name": {"Gus"}}).want(303)
	if to, cookie := in.header.Get("Location"), in.header.Get("Set-Cookie"); to != "/hark/c/"+talk || !strings.Contains(cookie, "Path=/hark/") || !strings.Contains(cookie, "Secure") {
		t.Errorf("leads to %s with %s", to, cookie)
	}
}
