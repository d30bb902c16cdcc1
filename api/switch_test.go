package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hark/api/account"
	"hark/api/people"
	"hark/api/rest"
	"hark/api/signin"
	"hark/storage"
)

// second makes a workspace of somebody's address, and returns who owns it.
func (h *harness) second(name, address string) *client {
	h.t.Helper()
	w, u, err := h.db.CreateWorkspaceFor(h.t.Context(), name, storage.NewOwner{Email: address})
	must(h.t, err)
	return h.clientFor(w.ID, u)
}

// otherOwner adds an owner to a workspace, so that the first can be deactivated.
func (h *harness) otherOwner(of *client) {
	h.t.Helper()
	_, err := h.db.CreateUser(h.t.Context(), of.principal.WorkspaceID, "Other", storage.Owner)
	must(h.t, err)
}

type joinedList struct {
	Items     []signin.JoinedWorkspace
	CanCreate bool `json:"can_create"`
}

func (c *client) switchTo(workspaceID string, headers ...string) *answer {
	c.t.Helper()
	return c.send("POST", "/v1/account/workspaces/"+workspaceID+"/switch", nil, headers...)
}

// TestSwitchWorkspace goes between two workspaces in one browser, as nobody else can.
func TestSwitchWorkspace(t *testing.T) {
	h := newHarness(t)
	b := h.account(h.owner, anAddress, aPassword)
	if b.me().Switches {
		t.Error("there is something to switch to in one workspace alone")
	}
	choir := h.second("Choir", anAddress)
	if !b.me().Switches || decode[people.Me](h.owner.get("/v1/me").want(200)).Switches {
		t.Error("a token learns of another workspace, or a browser does not")
	}
	list := decode[joinedList](b.get("/v1/account/workspaces").want(200))
	if len(list.Items) != 2 || !list.Items[0].Current || list.Items[1].Name != "Choir" || list.Items[1].Current || list.CanCreate {
		t.Fatalf("%+v", list)
	}
	old := b.session()
	in := b.switchTo(choir.principal.WorkspaceID).want(204)
	cookie := in.header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "hark_session=hark_") || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
		t.Errorf("cookie %q", cookie)
	}
	if me := b.me(); me.WorkspaceName != "Choir" || me.ID != choir.principal.UserID {
		t.Errorf("%+v", me)
	}
	if got := h.browserWith(old).get("/v1/me").status; got != 401 {
		t.Errorf("the session that was left is answered with %d", got)
	}
	if again := b.switchTo(choir.principal.WorkspaceID).want(204); again.header.Get("Set-Cookie") != "" {
		t.Errorf("%v", again.header)
	}

	// Another site's page cannot have a browser switch, nor a token, nor a stranger.
	b.switchTo(h.owner.principal.WorkspaceID, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example").want(403)
	h.owner.switchTo(choir.principal.WorkspaceID).want(403)
	h.owner.get("/v1/account/workspaces").want(403)
	stranger := h.browser().enter(h.stranger())
	stranger.switchTo(choir.principal.WorkspaceID).want(404)
	b.switchTo(storage.NewID()).want(404)
	b.switchTo(stranger.me().WorkspaceID).want(404)
	b.json("POST", "/v1/account/workspaces", map[string]any{"name": "Mine"}).want(403)

	// Who was deactivated gets neither back in, nor loses where they are.
	h.otherOwner(h.owner)
	must(t, h.db.DisableUser(t.Context(), h.owner.principal.WorkspaceID, h.owner.principal.UserID))
	b.switchTo(h.owner.principal.WorkspaceID).want(404)
	if b.me().WorkspaceName != "Choir" {
		t.Error("deactivated in one workspace, out of another")
	}
	if in := h.browser().password(anAddress, aPassword, "to", "/").want(303); in.header.Get("Location") != "/" {
		t.Errorf("%v", in.header)
	}
}

// session is the secret of the browser's session.
func (c *client) session() string {
	c.t.Helper()
	at, err := url.Parse(c.harness.http.URL)
	must(c.t, err)
	for _, cookie := range c.http.Jar.Cookies(at) {
		if cookie.Name == "hark_session" {
			return cookie.Value
		}
	}
	c.t.Fatal("no session")
	return ""
}

// browserWith is a browser with a session, stolen or planted.
func (h *harness) browserWith(session string) *client {
	h.t.Helper()
	b := h.browser()
	at, err := url.Parse(h.http.URL)
	must(h.t, err)
	b.http.Jar.SetCookies(at, []*http.Cookie{{Name: "hark_session", Value: session}})
	return b
}

// TestSwitchAtOnce has two tabs switch one session: one does, and the other finds it there.
// A session that was planted before is good for nothing after.
func TestSwitchAtOnce(t *testing.T) {
	h := newHarness(t)
	b := h.account(h.owner, anAddress, aPassword)
	choir, club := h.second("Choir", anAddress), h.second("Club", anAddress)
	planted := b.session()
	var made, out atomic.Int32
	var tabs sync.WaitGroup
	for _, to := range []*client{choir, club} {
		tab := h.browserWith(planted)
		tabs.Go(func() {
			switch got := tab.switchTo(to.principal.WorkspaceID).status; got {
			case 204:
				made.Add(1)
				if tab.session() == planted {
					t.Error("the session stayed the same")
				}
			case 401:
				out.Add(1)
			default:
				t.Errorf("status %d", got)
			}
		})
	}
	tabs.Wait()
	if made.Load() != 1 || out.Load() != 1 {
		t.Errorf("%d were switched, %d signed out", made.Load(), out.Load())
	}
	if got := h.browserWith(planted).get("/v1/me").status; got != 401 {
		t.Errorf("the planted session is answered with %d", got)
	}
}

// TestCreateWorkspaceInApp makes one where the operator lets people.
func TestCreateWorkspaceInApp(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.CreateWorkspaces = true }})
	b := h.browser().enter(h.owner)
	b.json("POST", "/v1/account/workspaces", map[string]any{"name": "Mine"}).want(403) // by no address
	b.json("PATCH", "/v1/account", map[string]any{"email": anAddress, "password": aPassword}).want(200)
	b.json("POST", "/v1/account/workspaces", map[string]any{"name": " "}).want(422)
	made := decode[signin.JoinedWorkspace](b.json("POST", "/v1/account/workspaces", map[string]any{"name": "Rowing  club"}).want(201))
	b.switchTo(made.ID).want(204)
	if me := b.me(); me.Role != storage.Owner || me.WorkspaceName != "Rowing club" || me.Name != "Olga" || me.NeedsNames {
		t.Errorf("%+v", me)
	}
	h.owner.json("POST", "/v1/account/workspaces", map[string]any{"name": "Mine"}).want(403)
}

// TestJoinAsWhoOneIs takes an invitation to another workspace in a signed-in browser.
func TestJoinAsWhoOneIs(t *testing.T) {
	h := newHarness(t)
	stranger := h.stranger()
	b := h.account(stranger, anAddress, aPassword)
	_, code, err := h.db.CreateInvitation(t.Context(), h.owner.principal, storage.NewInvitation{Role: storage.RoleMember, Uses: 3, Life: time.Hour})
	must(t, err)
	page := string(b.get("/join?code=" + code).want(200).body)
	as := hiddenField(t, page, "as")
	if !strings.Contains(page, "Join as "+anAddress) || strings.Contains(page, "signed out") || !strings.Contains(page, "as=new") {
		t.Errorf("%s", page)
	}
	if other := string(b.get("/join?code=" + code + "&as=new").want(200).body); !strings.Contains(other, "will be signed out") || !strings.Contains(other, `name="replace"`) {
		t.Errorf("%s", other)
	}
	join := func(c *client, as string) *answer {
		return c.form("/join", url.Values{"code": {code}, "as": {as}, "name": {"Sue"}}, "Sec-Fetch-Site", ourOwnPage)
	}
	h.browser().form("/join", url.Values{"code": {code}, "as": {as}, "name": {"Sue"}}, "Sec-Fetch-Site", ourOwnPage).want(409) // signed out since
	join(h.browser().enter(stranger), as).want(409)                                                                            // another session
	b.form("/join", url.Values{"code": {code}, "as": {as}, "name": {"Sue"}}, "Sec-Fetch-Site", "cross-site").want(403)
	join(b, as).want(303)
	me := b.me()
	if me.WorkspaceID != h.owner.principal.WorkspaceID || me.Name != "Sue" || me.Role != storage.RoleMember {
		t.Errorf("%+v", me)
	}

	// One that was mailed to somebody else says so, and not to whom.
	_, mailed, err := h.db.CreateInvitation(t.Context(), h.owner.principal, storage.NewInvitation{Role: storage.RoleMember, Uses: 1, Life: time.Hour, Email: "sue@example.net"})
	must(t, err)
	if page := string(h.browser().enter(stranger).get("/join?code=" + mailed).want(200).body); strings.Contains(page, "another address") || strings.Contains(page, "example.net") {
		t.Errorf("%s", page) // of who is there already
	}
	third := h.account(h.second("Third", "third@example.org"), "third@example.org", aPassword)
	if page := string(third.get("/join?code=" + mailed).want(200).body); !strings.Contains(page, "another address") || strings.Contains(page, "example.net") {
		t.Errorf("%s", page)
	}

	// Who has been there is led there, and the invitation is not used up.
	b.switchTo(stranger.principal.WorkspaceID).want(204)
	page = string(b.get("/join?code=" + code).want(200).body)
	if !strings.Contains(page, "already here as "+anAddress) || strings.Contains(page, `name="name"`) {
		t.Errorf("%s", page)
	}
	join(b, hiddenField(t, page, "as")).want(303)
	if b.me().ID != me.ID {
		t.Errorf("%+v", b.me())
	}
	b.switchTo(stranger.principal.WorkspaceID).want(204)
	must(t, h.db.DisableUser(t.Context(), me.WorkspaceID, me.ID))
	if page = string(b.get("/join?code=" + code).want(200).body); !strings.Contains(page, "was turned off") || strings.Contains(page, `name="name"`) {
		t.Errorf("%s", page)
	}

	// Who is not signed in can do so first, and comes back.
	page = string(h.browser().get("/join?code=" + code).want(200).body)
	if !strings.Contains(page, "sign-in?to=%2Fjoin%3Fcode%3D"+code) {
		t.Errorf("%s", page)
	}
	if in := h.browser().password(anAddress, aPassword, "to", "/join?code="+code).want(303); in.header.Get("Location") != "/join?code="+code {
		t.Errorf("%v", in.header)
	}
}

func hiddenField(t *testing.T, page, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `name="`+name+`" value="`)
	if !ok {
		t.Fatalf("no field %s in %s", name, page)
	}
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// TestSignInLandsInWorkspace signs in to the one that was used last, or that a link names,
// and warns of nothing where the browser was signed in as the same person.
func TestSignInLandsInWorkspace(t *testing.T) {
	h := newHarness(t)
	b := h.account(h.owner, anAddress, aPassword)
	choir := h.second("Choir", anAddress)
	room := h.owner.conversation()
	b.switchTo(choir.principal.WorkspaceID).want(204)
	again := h.browser()
	again.password(anAddress, aPassword).want(303)
	if me := again.me(); me.WorkspaceName != "Choir" {
		t.Errorf("%+v", me)
	}
	again.password(anAddress, aPassword, "to", "/c/"+room).want(303) // replaces the session without a warning
	if me := again.me(); me.WorkspaceName != "First" {
		t.Errorf("%+v", me)
	}
	b.enter(h.owner)
	if me := b.me(); me.WorkspaceName != "First" {
		t.Errorf("%+v", me)
	}
}

// TestNothingCrossesWorkspaces has an admin look for who else somebody is.
func TestNothingCrossesWorkspaces(t *testing.T) {
	h := newHarness(t)
	bob := h.user("Bob", storage.RoleMember)
	b := h.account(bob, anAddress, aPassword)
	choir := h.second("Choir of secrets", anAddress)
	b.switchTo(choir.principal.WorkspaceID).want(204)
	b.json("PATCH", "/v1/me", map[string]any{"name": "Robert"}).want(200)
	b.switchTo(bob.principal.WorkspaceID).want(204)
	b.json("DELETE", "/v1/tokens", nil).want(204)
	for _, path := range []string{"/v1/audit?limit=100", "/v1/members", "/v1/users", "/v1/invitations", "/v1/usage/members", "/v1/usage", "/v1/workspace", "/v1/me"} {
		body := string(h.owner.get(path).want(200).body)
		for _, secret := range []string{"Choir", choir.principal.UserID, choir.principal.WorkspaceID, "Robert"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s tells of %s: %s", path, secret, body)
			}
		}
	}
	for _, e := range decode[rest.Page[struct{ Action string }]](h.owner.get("/v1/audit?limit=100").want(200)).Items {
		if strings.Contains(e.Action, "switch") {
			t.Errorf("the log says %s", e.Action)
		}
	}
	// Nor by what is answered about the other's ids.
	for _, id := range []string{choir.principal.UserID, storage.NewID()} {
		h.owner.json("PATCH", "/v1/members/"+id, map[string]any{"role": "admin"}).want(404)
	}
}

// TestPasskeyInBothWorkspaces uses one passkey to sign in to each, and to be asked again.
func TestPasskeyInBothWorkspaces(t *testing.T) {
	h := newHarness(t, atHome)
	h.account(h.owner, anAddress, aPassword)
	choir, d := h.second("Choir", anAddress), newDevice(h.owner)
	b := h.passkey(h.owner, d)
	b.switchTo(choir.principal.WorkspaceID).want(204)
	var keys struct{ Items []account.Passkey }
	must(t, json.Unmarshal(b.get("/v1/passkeys").want(200).body, &keys))
	if len(keys.Items) != 1 {
		t.Fatalf("%+v", keys)
	}
	if excluded := b.options("/v1/passkeys/options").PublicKey["excludeCredentials"].([]any); len(excluded) != 1 {
		t.Errorf("a second passkey can be made on one device: %v", excluded)
	}
	h.forgetProofs()
	b.send("DELETE", "/v1/passkeys/"+keys.Items[0].ID, nil).problem(403, "step_up")
	o := b.options("/v1/step-up/options")
	b.json("POST", "/v1/step-up", map[string]any{"passkey": given(t, o, d.sign(t, o))}).want(204)
	b.json("PATCH", "/v1/passkeys/"+keys.Items[0].ID, map[string]any{"name": "Phone"}).want(200)

	other := h.browser()
	in := other.options("/sign-in/passkey")
	other.usePasskey(in.State, d.sign(t, in)).want(303)
	if me := other.me(); me.WorkspaceName != "Choir" { // where they were last
		t.Errorf("%+v", me)
	}
	// One that was made in a workspace lets nobody into another where they are deactivated.
	h.otherOwner(choir)
	must(t, h.db.DisableUser(t.Context(), choir.principal.WorkspaceID, choir.principal.UserID))
	other.get("/v1/me").want(401)
	in = other.options("/sign-in/passkey")
	other.usePasskey(in.State, d.sign(t, in)).want(303)
	if me := other.me(); me.WorkspaceName != "First" {
		t.Errorf("%+v", me)
	}
	h.otherOwner(h.owner)
	must(t, h.db.DisableUser(t.Context(), h.owner.principal.WorkspaceID, h.owner.principal.UserID))
	in = other.options("/sign-in/passkey")
	other.usePasskey(in.State, d.sign(t, in)).want(403)
}
