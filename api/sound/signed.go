package sound

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"hark/api/problem"
	"hark/api/rest"
	"hark/api/security"
	"hark/storage"
)

// signer makes and checks addresses that play sound without a header or a
// cookie. A signature covers the message, the form and version of the sound,
// the credential it was made for and when it ends. It says who asks, no more:
// whether the credential still holds and its user may hear the message is asked
// anew each time. No address is good for longer than its life from now on,
// however it came to be signed.
type signer struct {
	key  []byte
	life time.Duration
}

// clockSkew is how far the clocks of two nodes may be apart before one refuses
// the addresses of the other.
const clockSkew = 5 * time.Minute

// The query parameters of a signed address.
const (
	paramFormat    = "format"
	paramVersion   = "v"
	paramDownload  = "download" // not signed: it changes no byte
	paramExpires   = "expires"
	paramAs        = "as" // id of the credential
	paramSignature = rest.ParamSignature
)

// sign adds to q, which names a clip of the message, what plays it for who has
// the credential until expires, which is within the signer's life, and returns it.
func (s signer) sign(credentialID, messageID string, q url.Values, expires time.Time) url.Values {
	q.Set(paramExpires, strconv.FormatInt(expires.Unix(), 10))
	q.Set(paramAs, credentialID)
	q.Set(paramSignature, base64.RawURLEncoding.EncodeToString(s.mac(messageID, q)))
	return q
}

// verify returns the credential that a signed address was made for.
func (s signer) verify(messageID string, q url.Values, now time.Time) (credentialID string, err error) {
	given, err := base64.RawURLEncoding.DecodeString(q.Get(paramSignature))
	if err != nil || !hmac.Equal(given, s.mac(messageID, q)) {
		return "", problem.BadCredential("invalid_token", errors.New("signature does not fit the address"))
	}
	expires, err := strconv.ParseInt(q.Get(paramExpires), 10, 64)
	if err == nil && time.Unix(expires, 0).After(now.Add(s.life+clockSkew)) {
		return "", problem.BadCredential("invalid_token", errors.New("signed address ends later than any that is given out"))
	}
	if err != nil || !now.Before(time.Unix(expires, 0)) {
		p := problem.BadCredential("invalid_token", errors.New("signed address is over"))
		p.Detail = "This address was good for a short time only. Ask for a new one."
		return "", p
	}
	return q.Get(paramAs), nil
}

// mac covers each part with its length, so that no two addresses share one.
func (s signer) mac(messageID string, q url.Values) []byte {
	h := hmac.New(sha256.New, s.key)
	for _, part := range []string{"hark audio 3", messageID, q.Get(paramFormat), q.Get(paramVersion), q.Get(paramExpires), q.Get(paramAs)} {
		fmt.Fprintf(h, "%d:%s,", len(part), part)
	}
	return h.Sum(nil)
}

// authenticateSigned finds out for whom a signed address was made
// ([rest.SignedBy]). They may hear the message that it names, and nothing else,
// for as long as the credential is valid with which they asked for it.
func (e *Endpoints) authenticateSigned(ctx context.Context, messageID string, query url.Values) (storage.Principal, error) {
	credentialID, err := e.signer.verify(messageID, query, storage.Now())
	if err != nil {
		e.deps.Security.Refused(ctx, security.SignedRefused, err)
		return storage.Principal{}, err
	}
	listener, err := e.deps.Records.AuthenticateSigned(ctx, credentialID, messageID)
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrExpired) {
		e.deps.Security.Refused(ctx, security.SignedRefused, err)
		return storage.Principal{}, problem.BadCredential("invalid_token", err)
	}
	return listener, err
}

// derive makes a key for one purpose of the key for all.
func derive(key []byte, purpose string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("hark " + purpose))
	return h.Sum(nil)
}
