package passkey_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/google/uuid"

	"hark/api/passkey"
	"hark/api/rest"
	"hark/storage"
)

const (
	userID = "0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"
	holder = "a browser"
)

func newKeys(t *testing.T, address string, key byte) *passkey.Keys {
	t.Helper()
	public, err := rest.ParsePublicURL(address)
	if err != nil {
		t.Fatal(err)
	}
	k, err := passkey.New(public, bytes.Repeat([]byte{key}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// device is a software authenticator that uses Hark at an address.
type device struct {
	t     *testing.T
	party virtualwebauthn.RelyingParty
	auth  virtualwebauthn.Authenticator
	key   virtualwebauthn.Credential
}

func newDevice(t *testing.T, origin, id string) *device {
	user := uuid.MustParse(userID)
	return &device{
		t: t, party: virtualwebauthn.RelyingParty{ID: id, Name: "Hark", Origin: origin},
		auth: virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: user[:]}),
		key:  virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2),
	}
}

func (d *device) create(o passkey.Options) []byte {
	d.t.Helper()
	text, err := json.Marshal(o.PublicKey)
	if err != nil {
		d.t.Fatal(err)
	}
	options, err := virtualwebauthn.ParseAttestationOptions(string(text))
	if err != nil {
		d.t.Fatal(err)
	}
	return []byte(virtualwebauthn.CreateAttestationResponse(d.party, d.auth, d.key, *options))
}

func (d *device) sign(o passkey.Options) []byte {
	d.t.Helper()
	text, err := json.Marshal(o.PublicKey)
	if err != nil {
		d.t.Fatal(err)
	}
	options, err := virtualwebauthn.ParseAssertionOptions(string(text))
	if err != nil {
		d.t.Fatal(err)
	}
	return []byte(virtualwebauthn.CreateAssertionResponse(d.party, d.auth, d.key, *options))
}

func begin(t *testing.T) func(passkey.Options, error) passkey.Options {
	return func(o passkey.Options, err error) passkey.Options {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
}

var person = passkey.Person{UserID: userID, Name: "ada@example.org", Display: "Ada"}

func register(t *testing.T, k *passkey.Keys, d *device) storage.Passkey {
	t.Helper()
	o := begin(t)(k.BeginRegistration(holder, person))
	made, challenge, err := k.FinishRegistration(holder, o.State, person, d.create(o))
	if err != nil {
		t.Fatal(err)
	}
	if challenge.Value != o.PublicKey["challenge"] || time.Until(challenge.Expires) > passkey.Life || !bytes.Equal(made.CredentialID, d.key.ID) {
		t.Fatalf("%+v, %+v", made, challenge)
	}
	made.ID, made.UserID = "1", userID
	return made
}

// TestCeremonies makes a passkey, signs in by it and proves by it, on nodes that share a key.
func TestCeremonies(t *testing.T) {
	const address = "https://hark.example.org/below"
	k, other := newKeys(t, address, 7), newKeys(t, address, 7)
	d := newDevice(t, "https://hark.example.org", "hark.example.org")
	d.auth.Aaguid = uuid.MustParse("bada5566-a7aa-401f-bd96-45619a55120d")
	own := register(t, k, d)
	if own.Name != "1Password" {
		t.Errorf("called %q", own.Name)
	}
	find := func(id []byte) (storage.Passkey, error) {
		if !bytes.Equal(id, own.CredentialID) {
			return storage.Passkey{}, storage.ErrNotFound
		}
		return own, nil
	}
	o := begin(t)(k.BeginSignIn(holder))
	if o.PublicKey["rpId"] != "hark.example.org" || o.PublicKey["userVerification"] != "required" || o.PublicKey["allowCredentials"] != nil {
		t.Errorf("%v", o.PublicKey)
	}
	d.key.Counter = 3
	got, use, err := other.FinishSignIn(holder, o.State, d.sign(o), find)
	if err != nil || got.ID != own.ID || use.PasskeyID != own.ID || use.SignCount != 3 || use.Challenge.Value != o.PublicKey["challenge"] {
		t.Fatalf("%+v, %+v, %v", got, use, err)
	}
	own.SignCount = 3
	with := person
	with.Own = []storage.Passkey{own}
	again := begin(t)(k.BeginRegistration(holder, with))
	if list, _ := again.PublicKey["excludeCredentials"].([]any); len(list) != 1 {
		t.Errorf("excluded are %v", again.PublicKey["excludeCredentials"])
	}
	o = begin(t)(k.BeginProof(holder, with))
	d.key.Counter = 4
	if _, use, err := k.FinishProof(holder, o.State, with, d.sign(o)); err != nil || use.SignCount != 4 {
		t.Errorf("%+v, %v", use, err)
	}
	for _, counter := range []uint32{0, 2, 3} { // a copy that is behind
		d.key.Counter = counter
		o = begin(t)(k.BeginSignIn(holder))
		if got, _, err := k.FinishSignIn(holder, o.State, d.sign(o), find); !errors.Is(err, passkey.ErrCloned) || got.ID != own.ID {
			t.Errorf("count %d: %+v, %v", counter, got, err)
		}
		o = begin(t)(k.BeginProof(holder, with))
		if got, _, err := k.FinishProof(holder, o.State, with, d.sign(o)); !errors.Is(err, passkey.ErrCloned) || got.ID != own.ID {
			t.Errorf("count %d: %+v, %v", counter, got, err)
		}
	}
}

// TestRefused has responses and states that do not hold.
func TestRefused(t *testing.T) {
	const address = "https://hark.example.org"
	k := newKeys(t, address, 7)
	honest := newDevice(t, address, "hark.example.org")
	own := register(t, k, honest)
	find := func([]byte) (storage.Passkey, error) { return own, nil }
	finish := func(holder, state string, response []byte) error {
		_, _, err := k.FinishSignIn(holder, state, response, find)
		return err
	}
	other := func(change func(*device)) *device {
		d := *honest
		change(&d)
		return &d
	}
	for name, d := range map[string]*device{
		"another origin":       other(func(d *device) { d.party.Origin = "https://evil.example" }),
		"another port":         other(func(d *device) { d.party.Origin = "https://hark.example.org:8443" }),
		"a neighbour's origin": other(func(d *device) { d.party.Origin = "https://x.hark.example.org" }),
		"http":                 other(func(d *device) { d.party.Origin = "http://hark.example.org" }),
		"another party":        other(func(d *device) { d.party.ID = "example.org" }),
		"nobody verified":      other(func(d *device) { d.auth.Options.UserNotVerified = true }),
		"nobody there":         other(func(d *device) { d.auth.Options.UserNotPresent = true }),
		"another user":         other(func(d *device) { d.auth.Options.UserHandle = make([]byte, 16) }),
		"no user":              other(func(d *device) { d.auth.Options.UserHandle = nil }),
		"another key":          other(func(d *device) { d.key.Key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2).Key }),
	} {
		o := begin(t)(k.BeginSignIn(holder))
		if err := finish(holder, o.State, d.sign(o)); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.HasPrefix(name, "another user") || name == "no user" || name == "another key" {
			continue // nothing that a new passkey has
		}
		o = begin(t)(k.BeginRegistration(holder, person))
		if _, _, err := k.FinishRegistration(holder, o.State, person, d.create(o)); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("made for %s: %v", name, err)
		}
	}
	o, second := begin(t)(k.BeginSignIn(holder)), begin(t)(k.BeginSignIn(holder))
	response := honest.sign(o)
	for _, bad := range []string{"", "{}", "[]", "null", string(response[:len(response)/2]), strings.Repeat("[", 1000)} {
		if err := finish(holder, o.State, []byte(bad)); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	if err := finish(holder, second.State, response); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("another challenge: %v", err)
	}
	made := begin(t)(k.BeginRegistration(holder, person))
	foreign := begin(t)(newKeys(t, address, 8).BeginSignIn(holder))
	first, mac, _ := strings.Cut(o.State, ".")
	text, _ := base64.RawURLEncoding.DecodeString(first)
	later := base64.RawURLEncoding.EncodeToString(bytes.Replace(text, []byte(`"expires":"20`), []byte(`"expires":"21`), 1))
	for name, state := range map[string]string{
		"none": "", "no signature": first, "not ours": foreign.State, "of a registration": made.State, "made longer": later + "." + mac, "no base64": "*." + mac,
	} {
		if err := finish(holder, state, response); !errors.Is(err, passkey.ErrState) {
			t.Errorf("state %s: %v", name, err)
		}
	}
	if err := finish("another browser", o.State, response); !errors.Is(err, passkey.ErrState) {
		t.Errorf("another browser's state: %v", err)
	}
	if err := finish(holder, o.State, response); err != nil {
		t.Errorf("what is right: %v", err)
	}
}

func TestTrouble(t *testing.T) {
	for address, want := range map[string]passkey.Trouble{
		"https://hark.example.org": "", "https://hark.example.org:8443/below": "", "https://HARK.example.org": "", "http://localhost:8080": "", "http://hark.localhost": "",
		"http://hark.example.org": passkey.Insecure, "http://hark": passkey.NoDomain, "https://hark": passkey.NoDomain,
		"http://127.0.0.1:8080": passkey.NoDomain, "https://192.0.2.7": passkey.NoDomain, "https://[2001:db8::7]:443": passkey.NoDomain,
	} {
		k := newKeys(t, address, 7)
		if got := k.Trouble(); got != want || (k.Origin() == "") != (want != "") {
			t.Errorf("%s: %q, %q", address, got, k.Origin())
		}
		_, err := k.BeginSignIn(holder)
		if errors.Is(err, passkey.ErrOff) != (want != "") || want == "" && err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}
