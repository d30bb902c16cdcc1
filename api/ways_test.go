package api

import (
	"strings"
	"testing"

	"hark/api/account"
	"hark/api/openid"
	"hark/api/openid/openidtest"
	"hark/api/people"
	"hark/api/signin"
	"hark/storage"
)

// waysHarness is a Hark with passkeys, and with a provider by which anyone joins.
func waysHarness(t *testing.T) (*harness, *openidtest.Provider) {
	t.Helper()
	op := newProvider(t, "http://localhost")
	cfg := configOf(op)
	anyoneJoins(&cfg)
	return newHarness(t, options{config: func(c *Config) { c.PublicURL, c.OpenID = "http://localhost", []openid.Config{cfg} }}), op
}

// Passkeys and providers stand for one another: either proves who one is for a change of
// the other, either is a way in, and the last of both stays.
func TestWaysTogether(t *testing.T) {
	h, op := waysHarness(t)
	b := h.browser()
	b.byOffice(op, "ada").want(303)
	d := newDevice(h.clientFor(h.owner.principal.WorkspaceID, storage.User{ID: h.userOf(b)}))
	asked := func(want bool) {
		t.Helper()
		if me := decode[people.Me](b.get("/v1/me").want(200)); me.NeedsSignIn != want {
			t.Errorf("%+v", me)
		}
	}
	asked(false)

	h.forgetProofs()
	b.send("POST", "/v1/passkeys/options", nil).problem(403, "step_up")
	b.send("POST", "/v1/recovery-codes", nil).problem(403, "step_up")
	to := decode[signin.Departure](b.json("POST", "/v1/step-up/provider", map[string]any{"provider": "op"}).want(200)).URL
	b.comeBack(b.login(op, to, "ada")).want(303)
	b.json("POST", "/v1/passkeys", d.adds(t, b.options("/v1/passkeys/options"))).want(201)
	b.recoveryCodes() // are no way in

	h.forgetProofs()
	office := "/v1/account/identities/" + b.account().Identities[0].ID
	b.send("DELETE", office, nil).problem(403, "step_up")
	o := b.options("/v1/step-up/options")
	b.json("POST", "/v1/step-up", map[string]any{"passkey": given(t, o, d.sign(t, o))}).want(204)
	b.send("DELETE", office, nil).want(204)
	asked(false)
	laptop := "/v1/passkeys/" + decode[struct{ Items []account.Passkey }](b.get("/v1/passkeys").want(200)).Items[0].ID
	b.send("DELETE", laptop, nil).problem(409, "last_way_in")
	b.comeBack(b.link(op, "mia")).want(303)
	b.send("DELETE", laptop, nil).want(204)
	b.send("DELETE", "/v1/account/identities/"+b.account().Identities[0].ID, nil).problem(409, "last_way_in")
	asked(false)
	b.send("POST", "/v1/step-up/options", nil).want(409) // there is none to ask for
}

// The page shows all ways in, those that people use most first, also where the browser
// comes back to from a provider, further down.
func TestSignInPageOfAllWays(t *testing.T) {
	h, op := waysHarness(t)
	shows := func(page, up string) {
		t.Helper()
		at := 0
		for _, part := range []string{
			`href="` + up + `page.css"`, `src="` + up + `sign-in.js"`, `action="` + up + `sign-in" class="fields" id="with-passkey"`, `action="` + up + `sign-in" class="fields">`,
			`autocomplete="username webauthn"`, `name="password"`, `name="provider" value="op"`, `href="` + up + `sign-in?with=recovery`,
		} {
			i := strings.Index(page[at:], part)
			if i < 0 {
				t.Fatalf("no %s after %q in %s", part, page[max(0, at-40):at], page)
			}
			at += i + len(part)
		}
	}
	shows(string(h.browser().get("/sign-in").want(200).body), "")
	b := h.browser().enter(h.owner)
	conflict := b.byOffice(op, "mia").want(409) // somebody is signed in, and nobody said that they go
	shows(string(conflict.body), "../../")
	if policy := conflict.header.Get("Content-Security-Policy"); !strings.Contains(policy, "connect-src 'self'") {
		t.Error(policy)
	}
	if me := decode[people.Me](b.get("/v1/me").want(200)); me.Name != "Olga" {
		t.Errorf("%+v", me)
	}
}
