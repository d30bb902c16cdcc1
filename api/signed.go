package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hark/storage"
)

// signer makes and checks addresses that play sound without a header or a
// cookie. A signature covers the message, the form and version of the sound,
// the person it was made for and when it ends. It says who asks, no more:
// whether they may hear the message is asked anew each time. No address is good
// for longer than its life from now on, however it came to be signed.
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
	paramAs        = "as" // workspace and user, joined by a full stop
	paramSignature = "signature"
)

// sign adds to q, which names a clip of the message, what plays it for actor
// until expires, which is within the signer's life, and returns it.
func (s signer) sign(actor storage.Actor, messageID string, q url.Values, expires time.Time) url.Values {
	q.Set(paramExpires, strconv.FormatInt(expires.Unix(), 10))
	q.Set(paramAs, actor.WorkspaceID+"."+actor.UserID)
	q.Set(paramSignature, base64.RawURLEncoding.EncodeToString(s.mac(messageID, q)))
	return q
}

// verify returns the actor that a signed address was made for.
func (s signer) verify(messageID string, q url.Values, now time.Time) (storage.Actor, error) {
	given, err := base64.RawURLEncoding.DecodeString(q.Get(paramSignature))
	if err != nil || !hmac.Equal(given, s.mac(messageID, q)) {
		return storage.Actor{}, unauthorized("invalid_token", errors.New("signature does not fit the address"))
	}
	expires, err := strconv.ParseInt(q.Get(paramExpires), 10, 64)
	if err == nil && time.Unix(expires, 0).After(now.Add(s.life+clockSkew)) {
		return storage.Actor{}, unauthorized("invalid_token", errors.New("signed address ends later than any that is given out"))
	}
	if err != nil || !now.Before(time.Unix(expires, 0)) {
		p := unauthorized("invalid_token", errors.New("signed address is over"))
		p.Detail = "This address was good for a short time only. Ask for a new one."
		return storage.Actor{}, p
	}
	workspaceID, userID, ok := strings.Cut(q.Get(paramAs), ".")
	if !ok {
		return storage.Actor{}, unauthorized("invalid_token", errors.New("signed address names nobody"))
	}
	return storage.Actor{WorkspaceID: workspaceID, UserID: userID, Role: storage.Guest}, nil
}

// mac covers each part with its length, so that no two addresses share one.
func (s signer) mac(messageID string, q url.Values) []byte {
	h := hmac.New(sha256.New, s.key)
	for _, part := range []string{"hark audio 2", messageID, q.Get(paramFormat), q.Get(paramVersion), q.Get(paramExpires), q.Get(paramAs)} {
		fmt.Fprintf(h, "%d:%s,", len(part), part)
	}
	return h.Sum(nil)
}
