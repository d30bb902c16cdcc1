package signin

import (
	"errors"
	"net/http"
	"strings"

	"hark/api/problem"
	"hark/api/security"
	"hark/storage"
)

const maxSecret = 256 // bytes; nothing longer is looked up

// Authenticate finds out who asks ([rest.Authenticator]), and that no other site had
// a browser ask.
func (e *Endpoints) Authenticate(req *http.Request) (storage.Principal, storage.TokenKind, error) {
	secret, kind, err := e.credential(req)
	if err != nil {
		e.deps.Security.Refused(req.Context(), security.CredentialFailed, err)
		p := problem.BadCredential("", err)
		p.Detail = "Two session cookies came, and one of them is not Hark's. Clear this site's cookies, and sign in again."
		return storage.Principal{}, "", p
	}
	if secret == "" || len(secret) > maxSecret {
		return storage.Principal{}, "", problem.BadCredential("", errors.New("no credential"))
	}
	principal, err := e.deps.Records.Authenticate(req.Context(), secret, kind)
	if isNoCredential(err) {
		e.deps.Security.Refused(req.Context(), security.CredentialFailed, err)
		return storage.Principal{}, "", problem.BadCredential("invalid_token", err)
	}
	if err != nil {
		return storage.Principal{}, "", err
	}
	if kind == storage.SessionToken {
		if err := e.CheckOrigin(req); err != nil {
			return principal, kind, err
		}
	}
	return principal, kind, nil
}

// credential takes the secret out of a request: a bearer token (RFC 6750) or,
// when there is none, the session cookie. Other schemes are not for us: a proxy
// in front may ask for a password of its own.
func (e *Endpoints) credential(req *http.Request) (secret string, kind storage.TokenKind, err error) {
	if header := req.Header.Get("Authorization"); header != "" {
		if scheme, token, _ := strings.Cut(header, " "); strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(token), storage.APIToken, nil
		}
	}
	secret, err = e.sessionOf(req)
	return secret, storage.SessionToken, err
}
