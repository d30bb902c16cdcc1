package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/google/uuid"

	"hark/api/account"
	"hark/api/limit"
	"hark/api/mail"
	"hark/api/passkey"
	"hark/api/people"
	"hark/storage"
)

// atHome is a Hark whose address passkeys work at, and that can send mail.
var atHome = options{config: func(c *Config) { c.PublicURL, c.Mail = "http://localhost", true }}

// device is a software authenticator with one key of somebody's.
type device struct {
	party virtualwebauthn.RelyingParty
	auth  virtualwebauthn.Authenticator
	key   virtualwebauthn.Credential
}

func newDevice(who *client) *device {
	id := uuid.MustParse(who.principal.UserID)
	return &device{
		virtualwebauthn.RelyingParty{ID: "localhost", Name: "Hark", Origin: "http://localhost"},
		virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: id[:]}),
		virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2),
	}
}

// sign is what the device answers to options, once more than before.
func (d *device) sign(t *testing.T, o passkey.Options) string {
	t.Helper()
	text, err := json.Marshal(o.PublicKey)
	must(t, err)
	options, err := virtualwebauthn.ParseAssertionOptions(string(text))
	must(t, err)
	d.key.Counter++
	return virtualwebauthn.CreateAssertionResponse(d.party, d.auth, d.key, *options)
}

// adds is what the device answers to options that ask for a new key.
func (d *device) adds(t *testing.T, o passkey.Options) map[string]any {
	t.Helper()
	text, err := json.Marshal(o.PublicKey)
	must(t, err)
	options, err := virtualwebauthn.ParseAttestationOptions(string(text))
	must(t, err)
	return given(t, o, virtualwebauthn.CreateAttestationResponse(d.party, d.auth, d.key, *options))
}

// given is a body with what a device answered.
func given(t *testing.T, o passkey.Options, response string) map[string]any {
	t.Helper()
	var credential map[string]any
	must(t, json.Unmarshal([]byte(response), &credential))
	return map[string]any{"state": o.State, "credential": credential}
}

func (c *client) options(path string) passkey.Options {
	c.t.Helper()
	return decode[passkey.Options](c.send("POST", path, nil, "Sec-Fetch-Site", ourOwnPage, "User-Agent", firefox).want(200))
}

// passkey gives somebody a passkey, in a browser that is returned.
func (h *harness) passkey(who *client, d *device) *client {
	h.t.Helper()
	b := h.browser().enter(who)
	b.json("POST", "/v1/passkeys", d.adds(h.t, b.options("/v1/passkeys/options"))).want(201)
	return b
}

// usePasskey signs in by what a device answered.
func (c *client) usePasskey(state, response string, more ...string) *answer {
	c.t.Helper()
	return c.form("/sign-in", url.Values{"state": {state}, "passkey": {response}}, append(more, "Sec-Fetch-Site", ourOwnPage, "User-Agent", firefox)...)
}

// TestPasskey goes the way of a person: adds one, signs in, is asked for it again, renames and removes it.
func TestPasskey(t *testing.T) {
	h := newHarness(t, atHome)
	d := newDevice(h.owner)
	first := h.browser().enter(h.owner)
	if me := decode[people.Me](first.get("/v1/me").want(200)); !me.NeedsSignIn {
		t.Errorf("%+v", me)
	}
	first.json("PATCH", "/v1/account", map[string]any{"email": anAddress}).want(200)
	h.confirmEmail(h.browser(), anAddress)
	o := first.options("/v1/passkeys/options")
	user := o.PublicKey["user"].(map[string]any)
	if user["name"] != anAddress || user["displayName"] != "Olga" || o.PublicKey["attestation"] != "none" {
		t.Errorf("%v", o.PublicKey)
	}
	body, err := json.Marshal(d.adds(t, o))
	must(t, err)
	added := decode[account.Passkey](first.send("POST", "/v1/passkeys", bytes.NewReader(body), "Content-Type", "application/json", "User-Agent", firefox).want(201))
	if added.Name != "Firefox on Linux" || added.LastUsedAt != nil {
		t.Errorf("%+v", added)
	}
	if a := decode[account.Account](first.get("/v1/account").want(200)); !a.HasPasskey || a.HasPassword || a.PasskeyOrigin != "http://localhost" || a.PasskeyTrouble != "" {
		t.Errorf("%+v", a)
	}
	if me := decode[people.Me](first.get("/v1/me").want(200)); me.NeedsSignIn {
		t.Errorf("%+v", me)
	}
	page := h.browser().get("/sign-in?to=/settings").want(200)
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'") || !strings.Contains(policy, "default-src 'none'") {
		t.Error(policy)
	}
	for _, part := range []string{`autocomplete="username webauthn"`, `id="with-passkey"`, `src="sign-in.js"`, "Sign in with a passkey", "Use a recovery code"} {
		if !strings.Contains(string(page.body), part) {
			t.Errorf("no %s in %s", part, page.body)
		}
	}
	b := h.browser()
	in := b.options("/sign-in/passkey")
	b.form("/sign-in", url.Values{"state": {in.State}, "passkey": {d.sign(t, in)}, "to": {"/settings"}}, "User-Agent", firefox).want(303)
	if me := decode[people.Me](b.get("/v1/me").want(200)); me.Name != "Olga" {
		t.Errorf("%+v", me)
	}
	if list := h.audited(storage.AuditSignIn); list[0].Details["method"] != "passkey" {
		t.Errorf("%+v", list[0])
	}
	h.forgetProofs()
	b.send("POST", "/v1/passkeys/options", nil).problem(403, "step_up")
	b.send("POST", "/v1/recovery-codes", nil).problem(403, "step_up")
	b.send("DELETE", "/v1/passkeys/"+added.ID, nil).problem(403, "step_up")
	b.json("PATCH", "/v1/account", map[string]any{"email": "olga@example.net"}).problem(403, "step_up")
	o = b.options("/v1/step-up/options")
	b.json("POST", "/v1/step-up", map[string]any{"passkey": given(t, o, d.sign(t, o))}).want(204)
	b.send("PATCH", "/v1/passkeys/"+added.ID, strings.NewReader(`{"name": "Laptop"}`), "Content-Type", "application/json").want(200)
	list := decode[struct{ Items []account.Passkey }](b.get("/v1/passkeys").want(200)).Items
	if len(list) != 1 || list[0].Name != "Laptop" || list[0].LastUsedAt == nil {
		t.Errorf("%+v", list)
	}
	second := newDevice(h.owner)
	b.json("POST", "/v1/passkeys", second.adds(t, b.options("/v1/passkeys/options"))).want(201)
	b.send("DELETE", "/v1/passkeys/"+added.ID, nil).want(204)
	b.send("DELETE", "/v1/passkeys/"+added.ID, nil).want(404)
	gone := h.browser()
	o = gone.options("/sign-in/passkey")
	gone.usePasskey(o.State, d.sign(t, o)).want(403)
	var done []string
	for _, action := range []storage.AuditAction{storage.AuditPasskeyAdded, storage.AuditPasskeyRenamed, storage.AuditPasskeyRemoved} {
		for _, e := range h.audited(action) {
			done = append(done, fmt.Sprint(action, " ", e.Details["name"], e.Details["to"], " ", e.Actor.Name))
		}
	}
	if want := []string{"passkey_added Go-http-client Olga", "passkey_added Firefox on Linux Olga", "passkey_renamed Laptop Olga", "passkey_removed Laptop Olga"}; !slices.Equal(done, want) {
		t.Errorf("recorded are %q", done)
	}
	var told []string
	for _, m := range h.mails() {
		told = append(told, m.Template)
	}
	if want := []string{"sign_in_changed", "sign_in_changed"}; !slices.Equal(slices.DeleteFunc(told, func(s string) bool { return s == "new_device" }), want) {
		t.Errorf("told by %q", told)
	}
}

// Nobody gets in by what is another's, was used, or came from elsewhere, and all of it is answered alike.
func TestPasskeyAttacks(t *testing.T) {
	h := newHarness(t, atHome)
	bob := h.user("Bob", storage.RoleMember)
	d, off := newDevice(h.owner), newDevice(bob)
	h.passkey(h.owner, d)
	h.passkey(bob, off)
	must(t, h.db.DisableUser(t.Context(), bob.principal.WorkspaceID, bob.principal.UserID))

	b := h.browser()
	o := b.options("/sign-in/passkey")
	response := d.sign(t, o)
	h.browser().usePasskey(o.State, response).want(410) // a browser that was not asked
	other := h.browser()
	other.options("/sign-in/passkey")
	other.usePasskey(o.State, response).want(410) // one that was asked something else
	b.usePasskey(o.State, response).want(303)
	again := b.usePasskey(o.State, response).want(410) // replayed
	if again.header.Get("Set-Cookie") != "" {
		t.Errorf("%v", again.header)
	}
	for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		h.browser().form("/sign-in", url.Values{"state": {o.State}, "passkey": {response}}, header[0], header[1]).problem(403, "cross_site")
		h.browser().form("/sign-in", url.Values{"recovery": {"x"}}, header[0], header[1]).problem(403, "cross_site")
		h.browser().send("POST", "/sign-in/passkey", nil, header[0], header[1]).problem(403, "cross_site")
	}
	elsewhere := *d
	elsewhere.party.Origin = "http://evil.example"
	unknown := newDevice(h.owner)
	imposter := *d
	imposter.key.Key = unknown.key.Key
	same := map[string]string{}
	for name, device := range map[string]*device{"who is disabled": off, "another origin": &elsewhere, "an unknown key": unknown, "another's id": &imposter} {
		b := h.browser()
		o := b.options("/sign-in/passkey")
		refused := b.usePasskey(o.State, device.sign(t, o)).want(403)
		if refused.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %v", name, refused.header)
		}
		same[string(refused.body)] = name
	}
	if len(same) != 1 {
		t.Errorf("answers differ: %q", same)
	}
	// What is given out says nothing of anybody, whatever is asked.
	shape := func(body string) string {
		o := decode[passkey.Options](h.browser().send("POST", "/sign-in/passkey", strings.NewReader(body), "Content-Type", "application/x-www-form-urlencoded").want(200))
		delete(o.PublicKey, "challenge")
		return fmt.Sprint(o.PublicKey)
	}
	if known, none := shape("email="+anAddress), shape("email=nobody@example.org"); known != none || strings.Contains(known, "allowCredentials") {
		t.Errorf("%s\n%s", known, none)
	}

	// What is for one purpose or one session is for no other.
	olga := h.browser().enter(h.owner)
	eve := h.browser().enter(h.user("Eve", storage.RoleMember))
	adding := newDevice(h.owner)
	body := adding.adds(t, olga.options("/v1/passkeys/options"))
	eve.json("POST", "/v1/passkeys", body).want(422)
	h.browser().enter(h.owner).json("POST", "/v1/passkeys", body).want(422) // another session of the same person
	olga.json("POST", "/v1/passkeys", body).want(201)
	olga.json("POST", "/v1/passkeys", body).want(422)                                               // replayed
	eve.json("POST", "/v1/passkeys", adding.adds(t, eve.options("/v1/passkeys/options"))).want(409) // a key that is somebody's
	eve.send("POST", "/v1/step-up/options", nil).want(409)
	in := olga.options("/sign-in/passkey")
	olga.json("POST", "/v1/step-up", map[string]any{"passkey": given(t, in, d.sign(t, in))}).want(422)
	up := olga.options("/v1/step-up/options")
	olga.usePasskey(up.State, d.sign(t, up)).want(410)
	up = olga.options("/v1/step-up/options")
	proof := map[string]any{"passkey": given(t, up, d.sign(t, up))}
	olga.json("POST", "/v1/step-up", proof).want(204)
	olga.json("POST", "/v1/step-up", proof).want(422)
	listed := decode[struct{ Items []account.Passkey }](olga.get("/v1/passkeys").want(200)).Items
	eve.send("DELETE", "/v1/passkeys/"+listed[0].ID, nil).want(404)
	eve.json("PATCH", "/v1/passkeys/"+listed[0].ID, map[string]any{"name": "mine"}).want(404)
	if got := decode[struct{ Items []account.Passkey }](eve.get("/v1/passkeys").want(200)).Items; len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// A copy of a passkey that is behind is refused, and the audit log says so.
func TestClonedPasskey(t *testing.T) {
	h := newHarness(t, atHome)
	d := newDevice(h.owner)
	b := h.passkey(h.owner, d)
	copied := *d
	for range 3 {
		in := h.browser()
		o := in.options("/sign-in/passkey")
		in.usePasskey(o.State, d.sign(t, o)).want(303)
	}
	thief := h.browser()
	o := thief.options("/sign-in/passkey")
	refused := thief.usePasskey(o.State, copied.sign(t, o)).want(403)
	up := b.options("/v1/step-up/options")
	b.json("POST", "/v1/step-up", map[string]any{"passkey": given(t, up, copied.sign(t, up))}).want(422)
	list := h.audited(storage.AuditPasskeyRefused)
	if len(list) != 2 || list[0].Target.ID != h.owner.principal.UserID || list[0].Details["name"] == "" || refused.header.Get("Set-Cookie") != "" {
		t.Errorf("%+v", list)
	}
	if failed := h.audited(storage.AuditSignInFailed); failed[0].Details["reason"] != "count of signatures went back" || failed[0].Target.ID != h.owner.principal.UserID {
		t.Errorf("%+v", failed[0])
	}
}

// Where passkeys cannot work, the page says why, and everything else works.
func TestNoPasskeys(t *testing.T) {
	for address, why := range map[string]string{"http://hark.test": "need https", "https://192.0.2.7": "need a domain name"} {
		h := newHarness(t, options{config: func(c *Config) { c.PublicURL = address }})
		page := string(h.browser().get("/sign-in", "Host", "hark.test").want(200).body)
		if !strings.Contains(page, why) || strings.Contains(page, "<script") || strings.Contains(page, "webauthn") {
			t.Errorf("%s: %s", address, page)
		}
		h.browser().send("POST", "/sign-in/passkey", nil).want(404)
		if strings.HasPrefix(address, "https") {
			continue // the session's cookie does not come over http
		}
		b := h.browser().enter(h.owner)
		b.send("POST", "/v1/passkeys/options", nil).problem(409, "conflict")
		if a := decode[account.Account](b.get("/v1/account").want(200)); a.PasskeyOrigin != "" || a.PasskeyTrouble != "insecure" {
			t.Errorf("%+v", a)
		}
		h.browser().form("/sign-in", url.Values{"state": {"x"}, "passkey": {"{}"}}).want(403)
	}
}

// recoveryCodes makes them in a browser.
func (c *client) recoveryCodes() []string {
	c.t.Helper()
	return decode[struct{ Codes []string }](c.send("POST", "/v1/recovery-codes", nil).want(201)).Codes
}

func (c *client) recover(code string, more ...string) *answer {
	c.t.Helper()
	return c.form("/sign-in", url.Values{"recovery": {code}}, append(more, "Sec-Fetch-Site", ourOwnPage, "User-Agent", firefox)...)
}

// TestRecoveryCodes makes them, uses one, once, and makes new ones.
func TestRecoveryCodes(t *testing.T) {
	h := newHarness(t, atHome)
	b := h.account(h.owner, anAddress, aPassword)
	first := b.recoveryCodes()
	if len(first) != 10 || len(slices.Compact(slices.Sorted(slices.Values(first)))) != 10 || len(first[0]) != 23 {
		t.Fatalf("%q", first)
	}
	left := func() int { return decode[account.Account](b.get("/v1/account").want(200)).RecoveryCodes }
	if left() != 10 {
		t.Errorf("%d left", left())
	}
	h.mails()
	page := h.browser().get("/sign-in?with=recovery&to=/settings").want(200)
	if !strings.Contains(string(page.body), `name="recovery"`) || strings.Contains(string(page.body), "<script") {
		t.Errorf("%s", page.body)
	}
	in := h.browser()
	in.recover(" " + strings.ToUpper(strings.ReplaceAll(first[0], "-", " "))).want(303)
	in.get("/v1/me").want(200)
	told := h.mails()
	var changed mail.SignInChanged
	if len(told) != 1 || told[0].Template != "sign_in_changed" {
		t.Fatalf("%+v", told)
	}
	must(t, json.Unmarshal(told[0].Data, &changed))
	if changed.Change != mail.RecoveryCodeUsed || changed.Device != "Firefox on Linux" || changed.Link != "http://localhost/settings" {
		t.Errorf("%+v", changed)
	}
	if left() != 9 {
		t.Errorf("%d left", left())
	}
	same := map[string]bool{}
	for _, wrong := range []string{first[0], "", "x", "00000-00000-00000-00000", strings.Repeat("0", 5000)} {
		refused := h.browser().recover(wrong).want(403)
		same[string(refused.body)] = true
	}
	if len(same) != 1 {
		t.Errorf("answers differ: %v", same)
	}
	second := b.recoveryCodes()
	h.browser().recover(first[1]).want(403)
	h.browser().recover(second[1]).want(303)
	h.forgetProofs()
	b.send("POST", "/v1/recovery-codes", nil).problem(403, "step_up")
	made, used := h.audited(storage.AuditRecoveryCodesMade), h.audited(storage.AuditRecoveryCodeUsed)
	if len(made) != 2 || made[0].Details["ended"] != "9" || made[0].Details["made"] != "10" || len(used) != 2 || used[0].Details["left"] != "9" {
		t.Errorf("%+v, %+v", made, used)
	}
	for _, code := range append(first, second...) {
		if strings.Contains(h.log.String(), code) {
			t.Error("a code is in the log")
		}
	}
	// Another's session is not replaced silently.
	mal := h.browser().enter(h.user("Mal", storage.RoleMember))
	conflict := mal.recover(second[2]).want(409)
	if !strings.Contains(string(conflict.body), "<strong>Mal</strong>") || strings.Contains(string(conflict.body), second[2]) {
		t.Errorf("%s", conflict.body)
	}
	must(t, h.db.DisableUser(t.Context(), h.user("Zoe", storage.Owner).principal.WorkspaceID, h.owner.principal.UserID))
	h.browser().recover(second[2]).want(403)
}

// A recovery code that is tried many times at once signs in once, and guesses are few.
func TestRecoveryCodeAtOnce(t *testing.T) {
	h := newHarness(t, atHome, options{config: func(c *Config) {
		c.Limits = limit.Config{SignInsFrom: limit.Rate{N: 9, Per: time.Hour}}
	}})
	b := h.browser().enter(h.owner)
	code := b.recoveryCodes()[0]
	statuses := make([]int, 8)
	var all sync.WaitGroup
	for i := range statuses {
		browser := h.browser()
		all.Go(func() {
			got, err := browser.try("POST", "/sign-in", strings.NewReader(url.Values{"recovery": {code}}.Encode()), "Content-Type", "application/x-www-form-urlencoded")
			if err == nil {
				statuses[i] = got.status
			}
		})
	}
	all.Wait()
	slices.Sort(statuses)
	if want := []int{303, 403, 403, 403, 403, 403, 403, 403}; !slices.Equal(statuses, want) {
		t.Errorf("%v", statuses)
	}
	h.browser().recover("00000-00000-00000-00000").want(403)
	late := h.browser().recover("00000-00000-00000-00000").want(429)
	if late.header.Get("Retry-After") == "" || !strings.Contains(string(late.body), "Too many attempts") {
		t.Errorf("%v, %s", late.header, late.body)
	}
}
