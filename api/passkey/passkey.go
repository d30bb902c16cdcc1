// Package passkey has the ceremonies of WebAuthn by which people get passkeys, sign in
// by them and prove again who they are.
//
//	Begin… ── options, state ──> browser ── authenticator ── response, state ──> Finish…
//
// Nothing is kept between the two halves. What the second needs of the first (the
// challenge above all, what it is for, and how long it is good) goes to the browser and
// back as a state that is sealed with the key that all nodes share, so that any node
// finishes what another began, and a stranger who asks for options writes nothing. A
// state is bound to a holder: the browser that asked, by a cookie, or the session. That
// each challenge is answered once, storage sees to: the second half returns a
// storage.Challenge, which is used up in the transaction of what it lets somebody do.
//
// Keys are discoverable, so that nobody types an address, and the authenticator verifies
// its user each time (by a fingerprint, a face or a PIN): a passkey is possession and
// that. Which model an authenticator is, is not asked.
//
// # Where passkeys work
//
// The relying party is the host of the public address, and responses are taken from its
// origin alone; a path in it plays no part, and neither does the name by which a proxy
// asks. No passkey can be made for an IP address or a host without a domain, or over http
// from anywhere but localhost: [Keys.Trouble] says so.
package passkey

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"hark/api/rest"
	"hark/storage"
)

// Life is how long a challenge can be answered.
const Life = 5 * time.Minute

// MaxResponse is how long the response of a browser may be, in bytes: the longest
// signatures that are asked for, and as much again.
const MaxResponse = 16 << 10

// Trouble is why there can be no passkeys. It is part of the API.
type Trouble string

// The troubles.
const (
	NoTrouble Trouble = ""
	Insecure  Trouble = "insecure"  // the public address is http, and not localhost
	NoDomain  Trouble = "no_domain" // the public address has an IP address or a single word in place of a domain
)

// The errors of the second halves. What is wrong with a response stands behind ErrRefused.
var (
	ErrOff     = errors.New("there are no passkeys at this public address")
	ErrState   = errors.New("the state is not one that was given to who brings it, or has run out")
	ErrRefused = errors.New("the passkey's response does not hold")
	ErrCloned  = errors.New("the passkey's count of signatures went back: there may be a copy of it")
)

// Keys knows the relying party. It is safe for concurrent use.
type Keys struct {
	party   *webauthn.WebAuthn
	seal    []byte
	trouble Trouble
	origin  string
}

// New makes [Keys] for a public address. key is what nodes share.
func New(public rest.PublicURL, key []byte) (*Keys, error) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("hark passkey ceremonies"))
	name := strings.ToLower(strings.TrimSuffix(public.Hostname(), "."))
	k := &Keys{seal: mac.Sum(nil), trouble: troubleOf(public, name), origin: public.Scheme + "://" + public.Host}
	life := webauthn.TimeoutConfig{Enforce: true, Timeout: Life, TimeoutUVD: Life}
	var err error
	k.party, err = webauthn.New(&webauthn.Config{
		RPID: rpID(k.trouble, name), RPDisplayName: "Hark", RPOrigins: []string{k.origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: life, Registration: life},
		// Password managers add outputs that nobody asked for; none is read here.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys for %s: %w", name, err)
	}
	return k, nil
}

func troubleOf(public rest.PublicURL, name string) Trouble {
	if protocol.ValidateRPID(name) != nil {
		return NoDomain
	}
	if !public.Secure() && name != "localhost" && !strings.HasSuffix(name, ".localhost") {
		return Insecure
	}
	return NoTrouble
}

// rpID is the id of the relying party; empty where there can be none.
func rpID(trouble Trouble, name string) string {
	if trouble != NoTrouble {
		return ""
	}
	return name
}

// Trouble says why there can be no passkeys.
func (k *Keys) Trouble() Trouble { return k.trouble }

// Origin is where pages have to come from that use passkeys, such as
// https://hark.example.org; empty where none can.
func (k *Keys) Origin() string {
	if k.trouble != NoTrouble {
		return ""
	}
	return k.origin
}

// Options are for a browser: what navigator.credentials takes, in JSON, and the state to
// bring back with its response.
type Options struct {
	PublicKey map[string]any `json:"public_key" doc:"For PublicKeyCredential.parseCreationOptionsFromJSON or parseRequestOptionsFromJSON (WebAuthn, level 3)"`
	State     string         `json:"state" maxLength:"8192" doc:"To be sent back with the response, within 5 minutes, by who asked"`
}

// purpose is what a state is for.
type purpose string

const (
	registration purpose = "registration"
	signIn       purpose = "sign in"
	proof        purpose = "proof"
)

// state is what goes to the browser and back.
type state struct {
	Purpose purpose              `json:"purpose"`
	Holder  string               `json:"holder"` // hashed
	Session webauthn.SessionData `json:"session"`
}

// options seals a state and puts it beside the options.
func (k *Keys) options(p purpose, holder string, publicKey any, session *webauthn.SessionData) (Options, error) {
	text, err := json.Marshal(state{p, hashed(holder), *session})
	if err != nil {
		return Options{}, fmt.Errorf("seal state: %w", err)
	}
	fields, _ := rest.AsJSON(publicKey).(map[string]any)
	encode := base64.RawURLEncoding.EncodeToString
	return Options{PublicKey: fields, State: encode(text) + "." + encode(k.sign(text))}, nil
}

// open returns the ceremony that a state belongs to.
func (k *Keys) open(p purpose, holder, sealed string) (webauthn.SessionData, error) {
	first, second, _ := strings.Cut(sealed, ".")
	text, err := base64.RawURLEncoding.DecodeString(first)
	signature, signatureErr := base64.RawURLEncoding.DecodeString(second)
	if err != nil || signatureErr != nil || !hmac.Equal(signature, k.sign(text)) {
		return webauthn.SessionData{}, ErrState
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil {
		return webauthn.SessionData{}, ErrState
	}
	if s.Purpose != p || s.Holder != hashed(holder) || !storage.Now().Before(s.Session.Expires) {
		return webauthn.SessionData{}, ErrState
	}
	return s.Session, nil
}

func (k *Keys) sign(text []byte) []byte {
	mac := hmac.New(sha256.New, k.seal)
	mac.Write(text)
	return mac.Sum(nil)
}

func hashed(holder string) string {
	sum := sha256.Sum256([]byte(holder))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Person is whose passkeys they are.
type Person struct {
	UserID  string
	Name    string // by which the authenticator lists the passkey: an address where there is one
	Display string
	Own     []storage.Passkey // that they have
}

// WebAuthnID is the user handle, which authenticators keep.
func (p Person) WebAuthnID() []byte { return handle(p.UserID) }

// WebAuthnName is by what the authenticator lists the passkey.
func (p Person) WebAuthnName() string { return p.Name }

// WebAuthnDisplayName is what the person is called.
func (p Person) WebAuthnDisplayName() string { return p.Display }

// WebAuthnCredentials are the passkeys that the person has.
func (p Person) WebAuthnCredentials() []webauthn.Credential {
	own := make([]webauthn.Credential, len(p.Own))
	for i, one := range p.Own {
		own[i] = webauthn.Credential{
			ID: one.CredentialID, PublicKey: one.PublicKey,
			Flags:         webauthn.CredentialFlags{BackupEligible: one.BackupEligible, BackupState: one.BackedUp},
			Authenticator: webauthn.Authenticator{SignCount: one.SignCount},
		}
		for _, transport := range one.Transports {
			own[i].Transport = append(own[i].Transport, protocol.AuthenticatorTransport(transport))
		}
	}
	return own
}

// handle is the user handle of a user: the bytes of their id.
func handle(userID string) []byte {
	id, err := uuid.Parse(userID)
	if err != nil {
		return nil
	}
	return id[:]
}
