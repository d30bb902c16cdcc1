package signin

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"hark/api/openid"
)

// flowLife is how long somebody may take at a provider.
const flowLife = 15 * time.Minute

// flowCookie is the name of the cookie that holds a flow.
const flowCookie = "hark_flow"

// maxFlow is the longest flow that is looked at, in bytes.
const maxFlow = 4 << 10

// purpose is what somebody goes to a provider for.
type purpose string

const (
	toSignIn purpose = "sign_in"
	toLink   purpose = "link"
	toProve  purpose = "prove"
)

// flow is somebody's way to a provider and back. No node keeps it: the browser that
// went has it, in a cookie that it can neither read nor change, and that is cleared when
// it comes back.
type flow struct {
	openid.Flow
	Provider   string  `json:"provider"`
	Purpose    purpose `json:"purpose"`
	To         string  `json:"to,omitempty"`         // the page to open then
	Replace    string  `json:"replace,omitempty"`    // id of the session that may end
	Invitation string  `json:"invitation,omitempty"` // code
	Credential string  `json:"credential,omitempty"` // id of the session that links or proves
}

var errNoFlow = errors.New("the browser has no flow under way")

// flows seals flows by AES-GCM. It is safe for concurrent use.
type flows struct{ aead cipher.AEAD }

var flowEncoding = base64.RawURLEncoding.Strict()

func newFlows(key []byte) (flows, error) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("sign-in flows"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return flows{}, fmt.Errorf("prepare sign-in flows: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return flows{}, fmt.Errorf("prepare sign-in flows: %w", err)
	}
	return flows{aead}, nil
}

func (f flows) seal(one flow) (string, error) {
	plain, err := json.Marshal(one)
	if err != nil {
		return "", fmt.Errorf("seal sign-in flow: %w", err)
	}
	nonce := make([]byte, f.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return flowEncoding.EncodeToString(f.aead.Seal(nonce, nonce, plain, nil)), nil
}

// open fails with errNoFlow for what seal did not make, or too long ago.
func (f flows) open(sealed string) (one flow, err error) {
	text, err := flowEncoding.DecodeString(sealed)
	if err != nil || len(sealed) > maxFlow || len(text) < f.aead.NonceSize() {
		return one, errNoFlow
	}
	nonce, text := text[:f.aead.NonceSize()], text[f.aead.NonceSize():]
	plain, err := f.aead.Open(nil, nonce, text, nil)
	if err != nil || json.Unmarshal(plain, &one) != nil || time.Since(one.At) > flowLife {
		return flow{}, errNoFlow
	}
	return one, nil
}

// flowOf is the flow that a browser has under way.
func (e *Endpoints) flowOf(req *http.Request) (flow, error) {
	cookies := req.CookiesNamed(cookieName(e.deps.PublicURL, flowCookie))
	if len(cookies) != 1 {
		return flow{}, errNoFlow
	}
	return e.flows.open(cookies[0].Value)
}
