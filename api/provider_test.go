package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"hark/api/account"
	"hark/api/openid"
	"hark/api/openid/openidtest"
	"hark/api/signin"
	"hark/storage"
)

const clientSecret = "s3cret of hark & sons"

// The people of the provider.
var (
	providerAda = openidtest.Person{ID: "ada-1", Username: "ada", Name: "Ada Lovelace", Email: "ada@example.org", Verified: true}
	providerMia = openidtest.Person{ID: "mia-2", Username: "mia", Name: "Mia Berg", Email: "mia@elsewhere.example", Verified: true}
	providerEve = openidtest.Person{ID: "eve-3", Username: "eve", Name: "Eve", Email: anAddress, Verified: false}
)

// newProvider starts a provider that knows Hark at an address.
func newProvider(t *testing.T, public string) *openidtest.Provider {
	t.Helper()
	op, err := openidtest.Start(openidtest.Client{
		ID: "hark", Secret: clientSecret, Redirects: []string{public + "/sign-in/callback/*"}, Leaving: []string{public + "/sign-in"},
	}, providerAda, providerMia, providerEve)
	must(t, err)
	t.Cleanup(func() { _ = op.Close() })
	return op
}

// configOf is how Hark knows a provider.
func configOf(op *openidtest.Provider) openid.Config {
	return openid.Config{
		ID: "op", Name: "Office", Issuer: op.Issuer, ClientID: "hark", ClientSecret: clientSecret, Scopes: []string{"openid", "profile", "email"},
		GroupsClaim: "groups", DefaultRole: storage.RoleMember,
	}
}

// providerHarness is a harness with a provider, whose configuration change changes.
func providerHarness(t *testing.T, change func(*openid.Config), opts ...options) (*harness, *openidtest.Provider) {
	t.Helper()
	op := newProvider(t, "http://hark.test")
	cfg := configOf(op)
	if change != nil {
		change(&cfg)
	}
	return newHarness(t, append(opts, options{config: func(c *Config) { c.OpenID = append(c.OpenID, cfg) }})...), op
}

func anyoneJoins(c *openid.Config) { c.Join.Everyone = true }

// depart presses the button of a provider, and returns the address that opens.
func (c *client) depart(values ...string) string {
	c.t.Helper()
	form := url.Values{"provider": {"op"}}
	for i := 0; i+1 < len(values); i += 2 {
		form.Set(values[i], values[i+1])
	}
	page := c.form("/sign-in", form, "Sec-Fetch-Site", ourOwnPage, "User-Agent", firefox).want(200)
	_, address, ok := strings.Cut(page.header.Get("Refresh"), "0; url=")
	if !ok || !strings.Contains(string(page.body), "Continue to Office") {
		c.t.Fatalf("%v: %s", page.header, page.body)
	}
	return address
}

// comeBack opens the address that a provider sends the browser to.
func (c *client) comeBack(to *url.URL) *answer {
	c.t.Helper()
	return c.get(to.RequestURI(), "User-Agent", firefox, "Sec-Fetch-Site", "cross-site")
}

// byOffice signs in at the provider and comes back.
func (c *client) byOffice(op *openidtest.Provider, username string, values ...string) *answer {
	c.t.Helper()
	return c.comeBack(c.login(op, c.depart(values...), username))
}

func (h *harness) login(op *openidtest.Provider, address, username string) *url.URL {
	h.t.Helper()
	back, err := op.Login(address, username)
	must(h.t, err)
	return back
}

func (c *client) account() account.Account {
	c.t.Helper()
	return decode[account.Account](c.get("/v1/account").want(200))
}

// TestSignInByProvider goes the way of somebody who joins by themselves, comes again,
// and signs out.
func TestSignInByProvider(t *testing.T) {
	h, op := providerHarness(t, func(c *openid.Config) { c.Join.Domains = []string{"EXAMPLE.org"} })
	b := h.browser()
	if form := string(b.get("/sign-in?to=/settings").want(200).body); !strings.Contains(form, "Sign in with Office") || !strings.Contains(form, `name="provider" value="op"`) {
		t.Errorf("%s", form)
	}
	address, err := url.Parse(b.depart("to", "/search?q=a"))
	must(t, err)
	query := address.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "hark", "redirect_uri": "http://hark.test/sign-in/callback/op", "code_challenge_method": "S256", "scope": "openid profile email", "max_age": "",
	} {
		if got := query.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if len(query.Get("state")) < 26 || len(query.Get("nonce")) < 26 || len(query.Get("code_challenge")) != 43 {
		t.Errorf("%v", query)
	}
	in := b.comeBack(h.login(op, address.String(), "ada")).want(303)
	if in.header.Get("Location") != "/search?q=a" || !slices.ContainsFunc(in.header.Values("Set-Cookie"), func(c string) bool { return strings.HasPrefix(c, "hark_flow=;") }) {
		t.Errorf("%v", in.header)
	}
	if me := string(b.get("/v1/me").want(200).body); !strings.Contains(me, `"Ada Lovelace"`) || !strings.Contains(me, `"member"`) {
		t.Errorf("%s", me)
	}
	a := b.account()
	if len(a.Identities) != 1 || a.Identities[0].Provider != "op" || a.Identities[0].Name != "Office" || a.Identities[0].Email != "ada@example.org" || a.Identities[0].LastUsedAt == nil || a.Email != "ada@example.org" || a.HasPassword {
		t.Errorf("%+v", a)
	}
	if made := h.audited(storage.AuditUserCreated); made[0].Details["provider"] != "op" || made[0].Details["name"] != "Ada Lovelace" {
		t.Errorf("%+v", made[0])
	}
	if in := h.audited(storage.AuditSignIn); in[0].Details["method"] != "provider" || in[0].Details["provider"] != "op" {
		t.Errorf("%+v", in[0])
	}
	if linked := h.audited(storage.AuditIdentityLinked); len(linked) != 1 || linked[0].Details["issuer"] != op.Issuer {
		t.Errorf("%+v", linked)
	}
	out := decode[signin.SignedOut](b.send("POST", "/v1/sign-out", nil).want(200))
	left, err := op.Login(out.EndSessionURL, "")
	must(t, err)
	if left.String() != "http://hark.test/sign-in" || !strings.Contains(out.EndSessionURL, "id_token_hint=") {
		t.Errorf("%s leads to %s", out.EndSessionURL, left)
	}
	b.byOffice(op, "ada").want(303)                            // the same person
	if n := len(h.audited(storage.AuditUserCreated)); n != 2 { // beside the owner
		t.Errorf("%d users", n)
	}
	h.browser().byOffice(op, "mia").says(403, "Nobody here is linked to this Office account")
	if failed := h.audited(storage.AuditSignInFailed); failed[0].Details["method"] != "provider" || failed[0].Details["provider"] != "op" {
		t.Errorf("%+v", failed[0])
	}
	for _, secret := range []string{clientSecret, "s3cret", query.Get("state"), query.Get("nonce")} {
		if strings.Contains(h.log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

// An answer is believed once, by the browser that went, and as it was asked for.
func TestProviderAnswerOfAnother(t *testing.T) {
	h, op := providerHarness(t, anyoneJoins)
	lost := "interrupted or took too long"
	mine, other := h.browser(), h.browser()
	back := h.login(op, mine.depart(), "ada")
	other.comeBack(back).says(400, lost) // login CSRF: a browser that never went
	other.depart()
	other.comeBack(back).says(400, lost) // nor one that went on another way
	change := func(name, value string) *url.URL {
		query, changed := back.Query(), *back
		query.Del(name)
		if value != "" {
			query.Set(name, value)
		}
		changed.RawQuery = query.Encode()
		return &changed
	}
	for _, state := range []string{"", "x", back.Query().Get("state") + "x"} {
		b := h.browser()
		b.depart()
		b.comeBack(change("state", state)).says(400, lost)
	}
	mine.comeBack(back).want(303)
	mine.comeBack(back).says(400, lost) // again
	planted := h.browser()
	planted.depart()
	planted.get(back.RequestURI(), "Cookie", "hark_flow=planted").says(400, lost)
	for _, b := range []*client{other, planted} {
		b.get("/v1/me").want(401)
	}
	// A code of somebody's that was stolen, in a flow of the thief's own: PKCE and nonce.
	victim, thief := h.browser(), h.browser()
	stolen := h.login(op, victim.depart(), "ada").Query().Get("code")
	own := h.login(op, thief.depart(), "mia")
	query := own.Query()
	query.Set("code", stolen)
	own.RawQuery = query.Encode()
	thief.comeBack(own).says(403, "Office refused the sign-in")
	thief.get("/v1/me").want(401)
	twice := h.login(op, thief.depart(), "mia")
	twice.RawQuery += "&code=other"
	thief.comeBack(twice).says(403, "couldn’t be verified")
}

// What a provider refuses is said in our own words, and none of its own are shown.
func TestProviderRefuses(t *testing.T) {
	h, _ := providerHarness(t, anyoneJoins)
	for code, text := range map[string]string{
		"access_denied": "You cancelled at Office", "temporarily_unavailable": "can’t be reached right now", "<script>alert(1)</script>": "Office refused the sign-in",
	} {
		b := h.browser()
		address, err := url.Parse(b.depart())
		must(t, err)
		page := b.get("/sign-in/callback/op?" + url.Values{"state": {address.Query().Get("state")}, "error": {code}, "error_description": {"<b>bold\nwords</b>"}}.Encode())
		page.says(403, text)
		if strings.Contains(string(page.body), "bold") || strings.Contains(string(page.body), "alert(1)") || !strings.Contains(string(page.body), `href="../../page.css"`) {
			t.Errorf("%s", page.body)
		}
		b.get("/v1/me").want(401)
	}
	h.browser().get("/sign-in/callback/op?error=access_denied&state=x").says(400, "Start again")
	h.browser().get("/sign-in/callback/nobody").says(400, "Start again")
	h.browser().form("/sign-in", url.Values{"provider": {"nobody"}}).says(404, "isn’t available any more")
	h.browser().form("/sign-in", url.Values{"provider": {"op"}}, "Sec-Fetch-Site", "cross-site").problem(403, "cross_site")
}

// A provider's tokens are looked at closely.
func TestForgedTokens(t *testing.T) {
	h, op := providerHarness(t, anyoneJoins)
	now := time.Now().Unix()
	set := func(name string, value any) func(map[string]any) jose.SignatureAlgorithm {
		return func(claims map[string]any) jose.SignatureAlgorithm {
			if claims[name] = value; value == nil {
				delete(claims, name)
			}
			return ""
		}
	}
	algorithm := func(alg jose.SignatureAlgorithm) func(map[string]any) jose.SignatureAlgorithm {
		return func(map[string]any) jose.SignatureAlgorithm { return alg }
	}
	for name, change := range map[string]func(map[string]any) jose.SignatureAlgorithm{
		"another nonce":    set("nonce", "x"),
		"no nonce":         set("nonce", nil),
		"another audience": set("aud", []string{"other"}),
		"another's party":  set("azp", "other"),
		"two audiences": func(c map[string]any) jose.SignatureAlgorithm {
			c["aud"] = []string{"hark", "other"}
			delete(c, "azp")
			return ""
		},
		"another issuer":       set("iss", "https://evil.example"),
		"expired":              set("exp", now-120),
		"of the future":        set("iat", now+600),
		"not yet":              set("nbf", now+600),
		"no subject":           set("sub", ""),
		"a subject too long":   set("sub", strings.Repeat("x", 300)),
		"a subject with a NUL": set("sub", "ada-1\x00"),
		"another access token": set("at_hash", "x"),
		"somebody else's info": set("sub", "mia-2"),
		"no algorithm":         algorithm("none"),
		"a key that all know":  algorithm(jose.HS256),
	} {
		op.Forge(change)
		b := h.browser()
		page := b.byOffice(op, "ada")
		if page.status != 403 || !strings.Contains(string(page.body), "couldn’t be verified") {
			t.Errorf("%s: %d %s", name, page.status, page.body)
		}
		b.get("/v1/me").want(401)
	}
	for name, change := range map[string]func(map[string]any) jose.SignatureAlgorithm{
		"expired just now":     set("exp", now-20),
		"a clock that is fast": set("iat", now+20),
	} {
		op.Forge(change)
		if page := h.browser().byOffice(op, "ada"); page.status != 303 {
			t.Errorf("%s: %d %s", name, page.status, page.body)
		}
	}
	op.Forge(nil)
	must(t, op.Rotate())
	h.browser().byOffice(op, "ada").want(303) // its key is looked up anew
}

// An address makes nobody somebody who is here, whoever verified it.
func TestAddressIsNoProof(t *testing.T) {
	for name, c := range map[string]struct {
		join     func(*openid.Config)
		verified bool
		status   int
		says     string
	}{
		"verified":              {nil, true, 409, "Someone signs in here with this email already"},
		"verified, who joins":   {anyoneJoins, true, 409, "Someone signs in here with this email already"},
		"unverified":            {nil, false, 403, "Nobody here is linked"},
		"unverified, who joins": {anyoneJoins, false, 409, "Someone signs in here with this email already"},
		"unverified, by domain": {func(c *openid.Config) { c.Join.Domains = []string{"example.org"} }, false, 403, "Nobody here is linked"},
	} {
		t.Run(name, func(t *testing.T) {
			h, op := providerHarness(t, c.join)
			h.account(h.owner, anAddress, aPassword)
			eve := providerEve
			eve.Verified = c.verified
			op.Set(eve)
			b := h.browser()
			b.byOffice(op, "eve").says(c.status, c.says)
			b.get("/v1/me").want(401)
		})
	}
}

// The same address under another subject is another person: addresses change hands.
func TestSubjectIsTheKey(t *testing.T) {
	h, op := providerHarness(t, anyoneJoins)
	h.browser().byOffice(op, "ada").want(303)
	heir := openidtest.Person{ID: "ada-9", Username: "heir", Name: "Another Ada", Email: providerAda.Email, Verified: true}
	op.Set(heir)
	h.browser().byOffice(op, "heir").says(409, "Someone signs in here with this email already")
	renamed := providerAda
	renamed.Email, renamed.Name = "countess@example.org", "Somebody"
	op.Set(renamed)
	b := h.browser()
	b.byOffice(op, "ada").want(303)
	if me := string(b.get("/v1/me").body); !strings.Contains(me, "Ada Lovelace") {
		t.Errorf("%s", me)
	}
	if a := b.account(); a.Identities[0].Email != renamed.Email || a.Email != providerAda.Email {
		t.Errorf("%+v", a)
	}
}

// link goes to the provider to link it, and returns where it sends the browser back to.
func (c *client) link(op *openidtest.Provider, username string) *url.URL {
	c.t.Helper()
	to := decode[signin.Departure](c.json("POST", "/v1/account/identities", map[string]any{"provider": "op"}).want(200)).URL
	return c.login(op, to, username)
}

// TestLinkProvider links a provider, signs in by it, and unlinks it.
func TestLinkProvider(t *testing.T) {
	h, op := providerHarness(t, nil)
	b := h.account(h.owner, anAddress, aPassword)
	if a := b.account(); len(a.Providers) != 1 || a.Providers[0] != (account.Provider{ID: "op", Name: "Office"}) || len(a.Identities) != 0 {
		t.Errorf("%+v", a)
	}
	h.owner.json("POST", "/v1/account/identities", map[string]any{"provider": "op"}).problem(403, "forbidden")
	b.json("POST", "/v1/account/identities", map[string]any{"provider": "other"}).problem(404, "not_found")
	back := b.link(op, "mia")
	if in := b.comeBack(back).want(303); in.header.Get("Location") != "/settings" {
		t.Errorf("%v", in.header)
	}
	phone := h.browser()
	phone.byOffice(op, "mia").want(303)
	if me := string(phone.get("/v1/me").body); !strings.Contains(me, `"Olga"`) {
		t.Errorf("%s", me)
	}
	other := h.account(h.user("Bob", storage.RoleMember), "bob@example.org", aPassword)
	other.comeBack(other.link(op, "mia")).says(409, "linked to someone else")
	own := other.link(op, "ada")
	b.comeBack(own).says(400, "Start again") // in another's browser
	other.send("POST", "/v1/sign-out", nil).want(200)
	other.enter(h.owner).comeBack(own).says(403, "Start again") // or session

	id := b.account().Identities[0].ID
	h.browser().enter(h.user("Eve", storage.RoleMember)).send("DELETE", "/v1/account/identities/"+id, nil).problem(404, "not_found")
	h.forgetProofs()
	b.send("DELETE", "/v1/account/identities/"+id, nil).problem(403, "step_up")
	b.json("POST", "/v1/account/identities", map[string]any{"provider": "op"}).problem(403, "step_up")
	b.json("POST", "/v1/step-up", map[string]any{"password": aPassword}).want(204)
	b.send("DELETE", "/v1/account/identities/"+id, nil).want(204)
	phone.get("/v1/me").want(401) // which began by it
	b.get("/v1/me").want(200)
	if un := h.audited(storage.AuditIdentityUnlinked); len(un) != 1 || un[0].Details["ended"] != "1" {
		t.Errorf("%+v", un)
	}
	h.browser().byOffice(op, "mia").says(403, "Nobody here is linked")
}

// Who has no password proves at the provider who they are, and signs in there anew.
func TestProveByProvider(t *testing.T) {
	h, op := providerHarness(t, anyoneJoins)
	b := h.browser()
	b.byOffice(op, "ada").want(303)
	id := b.account().Identities[0].ID
	b.send("DELETE", "/v1/account/identities/"+id, nil).problem(409, "last_way_in")
	ada := h.clientFor(h.owner.principal.WorkspaceID, storage.User{ID: h.userOf(b)})
	h.forgetProofs()
	set := map[string]any{"password": aPassword}
	b.json("PATCH", "/v1/account", set).problem(403, "step_up")
	prove := func() *url.URL {
		to, err := url.Parse(decode[signin.Departure](b.json("POST", "/v1/step-up/provider", map[string]any{"provider": "op", "to": "/settings"}).want(200)).URL)
		must(t, err)
		if q := to.Query(); q.Get("max_age") != "0" || q.Get("prompt") != "login" {
			t.Errorf("%v", q)
		}
		return to
	}
	b.comeBack(h.login(op, prove().String(), "mia")).says(409, "isn’t the Office account")
	for name, at := range map[string]any{"not told": nil, "long ago": time.Now().Add(-time.Hour).Unix()} {
		op.Forge(func(c map[string]any) jose.SignatureAlgorithm {
			if c["auth_time"] = at; at == nil {
				delete(c, "auth_time")
			}
			return ""
		})
		b.comeBack(h.login(op, prove().String(), "ada")).says(403, "didn’t confirm")
		if b.json("PATCH", "/v1/account", set).status != 403 {
			t.Errorf("%s: it counts as a proof", name)
		}
	}
	op.Forge(nil)
	if in := b.comeBack(h.login(op, prove().String(), "ada")).want(303); in.header.Get("Location") != "/settings" {
		t.Errorf("%v", in.header)
	}
	b.json("PATCH", "/v1/account", set).want(200)
	b.send("DELETE", "/v1/account/identities/"+id, nil).want(204) // there is a password now
	b.get("/v1/me").want(200)
	ada.json("POST", "/v1/step-up/provider", map[string]any{"provider": "op"}).problem(403, "forbidden")

	// A session of the provider's that is old is no proof of today.
	op.Forge(func(c map[string]any) jose.SignatureAlgorithm {
		c["auth_time"] = time.Now().Add(-time.Hour).Unix()
		return ""
	})
	old := h.browser()
	old.byOffice(op, "mia").want(303)
	old.json("PATCH", "/v1/account", map[string]any{"password": "another wall at eight"}).problem(403, "step_up")
}

// userOf is the id of who is signed in.
func (h *harness) userOf(b *client) string {
	h.t.Helper()
	return decode[struct{ ID string }](b.get("/v1/me").want(200)).ID
}

// Groups make roles at each sign-in, and take no last owner away.
func TestGroupsMakeRoles(t *testing.T) {
	h, op := providerHarness(t, func(c *openid.Config) {
		c.Roles = map[string]storage.Role{"bosses": storage.Owner, "admins": storage.Admin, "staff": storage.RoleMember}
		c.DefaultRole, c.Join.Groups = storage.Guest, []string{"staff", "admins"}
	})
	h.browser().byOffice(op, "ada").says(403, "Nobody here is linked") // in no group
	role := func(groups ...string) string {
		ada := providerAda
		ada.Groups = groups
		op.Set(ada)
		b := h.browser()
		b.byOffice(op, "ada").want(303)
		return decode[struct{ Role string }](b.get("/v1/me").want(200)).Role
	}
	for _, step := range []struct{ groups, role string }{
		{"staff", "member"}, {"staff admins", "admin"}, {"others", "guest"}, {"bosses staff", "owner"}, {"admins", "admin"},
	} {
		if got := role(strings.Fields(step.groups)...); got != step.role {
			t.Errorf("in %q one is %s, not %s", step.groups, got, step.role)
		}
	}
	changes := h.audited(storage.AuditUserRoleChanged)
	if len(changes) != 4 || changes[3].Details["from"] != "member" || changes[3].Details["to"] != "admin" || changes[3].Details["why"] != "groups of provider op" {
		t.Errorf("%+v", changes)
	}
	if got := role("bosses"); got != "owner" {
		t.Errorf("%s", got)
	}
	must(t, h.db.DisableUser(t.Context(), h.owner.principal.WorkspaceID, h.owner.principal.UserID))
	if got := role("staff"); got != "owner" { // the last one
		t.Errorf("%s", got)
	}
}

// Who was deactivated is not let in by a provider either.
func TestDeactivatedAtProvider(t *testing.T) {
	h, op := providerHarness(t, anyoneJoins)
	b := h.browser()
	b.byOffice(op, "ada").want(303)
	must(t, h.db.DisableUser(t.Context(), h.owner.principal.WorkspaceID, h.userOf(b)))
	b.get("/v1/me").want(401)
	h.browser().byOffice(op, "ada").says(403, "deactivated")
	again := providerAda
	again.ID, again.Username = "ada-2", "again"
	op.Set(again)
	h.browser().byOffice(op, "again").says(403, "deactivated") // nor as somebody new with their address
}

// An invitation is joined with a provider, in the workspace that it is of.
func TestJoinWithProvider(t *testing.T) {
	h, op := providerHarness(t, func(c *openid.Config) { c.Roles = map[string]storage.Role{"admins": storage.Admin} })
	room := h.owner.conversation()
	invite := func(by *client, n storage.NewInvitation) string {
		_, code, err := h.db.CreateInvitation(t.Context(), by.principal, n)
		must(t, err)
		return code
	}
	code := invite(h.owner, storage.NewInvitation{Role: storage.Guest, Uses: 1, Life: time.Hour, ConversationIDs: []string{room}})
	b := h.browser()
	if page := string(b.get("/join?code=" + code).want(200).body); !strings.Contains(page, "Join with Office") || !strings.Contains(page, `name="invitation" value="`+code+`"`) {
		t.Errorf("%s", page)
	}
	b.byOffice(op, "ada", "invitation", code).want(303)
	me := string(b.get("/v1/me").want(200).body)
	if !strings.Contains(me, "Ada Lovelace") || !strings.Contains(me, `"guest"`) {
		t.Errorf("%s", me)
	}
	b.get("/v1/conversations/" + room).want(200)
	h.browser().byOffice(op, "mia", "invitation", code).says(410, "the invitation can’t be used")
	h.browser().byOffice(op, "mia", "invitation", "hark_nothing").says(410, "the invitation can’t be used")
	h.browser().byOffice(op, "ada", "invitation", code).want(303) // who is here signs in
}

// A provider leads to one workspace, and no invitation of another goes by it.
func TestProviderOfAnotherWorkspace(t *testing.T) {
	op := newProvider(t, "http://hark.test")
	cfg := configOf(op)
	cfg.Join.Everyone = true
	h := newHarness(t, options{config: func(c *Config) { c.OpenID = []openid.Config{cfg} }})
	h.stranger()
	h.browser().byOffice(op, "ada").says(500, "Office refused the sign-in") // to which of the two?
	cfg.Workspace = storage.NewID()
	gone := newHarness(t, options{config: func(c *Config) { c.OpenID = []openid.Config{cfg} }})
	gone.browser().byOffice(op, "ada").says(500, "Office refused the sign-in")
	if b := gone.account(gone.owner, anAddress, aPassword); len(b.account().Providers) != 0 {
		t.Error("a provider of another workspace is offered")
	}
	if !strings.Contains(h.log.String(), "set its workspace in HARK_OIDC") {
		t.Error("the log does not say what to do")
	}
}

// Two providers do not pass as one another, and no code of one is taken to the other
// for more than it is worth there.
func TestMixUp(t *testing.T) {
	honest, evil := newProvider(t, "http://hark.test"), newProvider(t, "http://hark.test")
	one, two := configOf(honest), configOf(evil)
	two.ID, two.Name = "evil", "Evil"
	one.Join.Everyone, two.Join.Everyone = true, true
	h := newHarness(t, options{config: func(c *Config) { c.OpenID = []openid.Config{one, two} }})
	b := h.browser()
	victim := h.login(honest, b.depart(), "ada") // what the honest one would answer
	address, err := url.Parse(strings.TrimPrefix(b.form("/sign-in", url.Values{"provider": {"evil"}}).want(200).header.Get("Refresh"), "0; url="))
	must(t, err)
	state, code := address.Query().Get("state"), victim.Query().Get("code")
	b.get("/sign-in/callback/op?state="+state+"&code="+code).says(400, "Start again") // a flow of the other's
	b.form("/sign-in", url.Values{"provider": {"evil"}}).want(200)
	b.get("/v1/me").want(401)
	b = h.browser()
	address, err = url.Parse(strings.TrimPrefix(b.form("/sign-in", url.Values{"provider": {"evil"}}).want(200).header.Get("Refresh"), "0; url="))
	must(t, err)
	b.get("/sign-in/callback/evil?state="+address.Query().Get("state")+"&code="+code).says(403, "Evil refused")
	b.get("/v1/me").want(401)
	for _, iss := range []string{honest.Issuer, ""} { // RFC 9207
		b := h.browser()
		address, err := url.Parse(strings.TrimPrefix(b.form("/sign-in", url.Values{"provider": {"evil"}}).want(200).header.Get("Refresh"), "0; url="))
		must(t, err)
		back := h.login(evil, address.String(), "ada")
		b.get(back.RequestURI()+"&iss="+url.QueryEscape(iss)).says(403, "couldn’t be verified")
		b.get("/v1/me").want(401)
	}
}

// A provider that is away stops nothing, and is asked again.
func TestProviderIsAway(t *testing.T) {
	h, op := providerHarness(t, anyoneJoins)
	back := h.browser()
	address := h.login(op, back.depart(), "ada")
	must(t, op.Close())
	back.comeBack(address).says(503, "Office can’t be reached right now")
	page := h.browser().form("/sign-in", url.Values{"provider": {"op"}, "to": {"/settings"}})
	page.says(503, "Office can’t be reached right now")
	if page.header.Get("Retry-After") == "" || !strings.Contains(string(page.body), `name="password"`) || !strings.Contains(string(page.body), `value="op"`) {
		t.Errorf("%v: %s", page.header, page.body)
	}
	b := h.account(h.owner, anAddress, aPassword)
	b.json("POST", "/v1/account/identities", map[string]any{"provider": "op"}).problem(503, "unavailable")
	b.send("POST", "/v1/sign-out", nil).want(200)
}

// Below a path and over https, addresses and cookies are of that place.
func TestProviderBelowPath(t *testing.T) {
	op := newProvider(t, "https://hark.test/voice")
	cfg := configOf(op)
	cfg.Join.Everyone = true
	h := newHarness(t, options{config: func(c *Config) { c.PublicURL, c.OpenID = "https://hark.test/voice", []openid.Config{cfg} }})
	page := h.browser().form("/voice/sign-in", url.Values{"provider": {"op"}, "to": {"/voice/settings"}}).want(200)
	cookie, err := http.ParseSetCookie(page.header.Get("Set-Cookie"))
	must(t, err)
	if cookie.Name != "__Secure-hark_flow-voice" || cookie.Path != "/voice/" || !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge != 900 {
		t.Errorf("%+v", cookie)
	}
	back := h.login(op, strings.TrimPrefix(page.header.Get("Refresh"), "0; url="), "ada")
	if back.Path != "/voice/sign-in/callback/op" {
		t.Errorf("%s", back)
	}
	in := h.browser().get(back.RequestURI(), "Cookie", cookie.Name+"="+cookie.Value).want(303)
	if in.header.Get("Location") != "/voice/settings" {
		t.Errorf("%v", in.header)
	}
}

// No answer leads elsewhere.
func TestProviderLeadsNowhereElse(t *testing.T) {
	h, op := providerHarness(t, anyoneJoins)
	for _, to := range []string{"//evil.example", `/\evil.example`, "https://evil.example/", "javascript:alert(1)", "/sign-in", "/settings\n//evil.example"} {
		if in := h.browser().byOffice(op, "ada", "to", to).want(303); in.header.Get("Location") != "/" {
			t.Errorf("%q leads to %q", to, in.header.Get("Location"))
		}
	}
}
