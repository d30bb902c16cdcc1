package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"hark/storage"
)

const maxSecret = 256 // bytes; nothing longer is looked up

// authenticate lets a request through when it says who asks. Ids in the path
// that cannot be ids are answered here, as any other id that is not there.
func (s *Server) authenticate(ctx huma.Context, next func(huma.Context)) {
	c := humaecho.Unwrap(ctx)
	if err := s.identify(callFrom(ctx.Context())); err != nil {
		s.answer(c, err)
		return
	}
	s.checkIDs(ctx, c, next)
}

// authenticatePlayer is authenticate for the addresses that players open, which
// may be signed instead.
func (s *Server) authenticatePlayer(ctx huma.Context, next func(huma.Context)) {
	c := humaecho.Unwrap(ctx)
	if c.QueryParam("signature") == "" {
		s.authenticate(ctx, next)
		return
	}
	actor, err := s.signer.verify(c.Param("id"), c.QueryParams(), storage.Now())
	if err != nil {
		s.security.refused(ctx.Context(), eventSignedRefused, err)
		s.answer(c, err)
		return
	}
	callFrom(ctx.Context()).actor = actor
	s.checkIDs(ctx, c, next)
}

func (s *Server) checkIDs(ctx huma.Context, c echo.Context, next func(huma.Context)) {
	for i, id := range c.ParamValues() {
		if c.ParamNames()[i] != paramSession && !isID(id) { // a session's name is looked up in memory
			s.answer(c, kindNotFound.because(errors.New("path holds what is not an id")))
			return
		}
	}
	next(ctx)
}

// isID reports whether s has the form of our ids. Only that goes to storage,
// which so never sees what a database might choke on.
func isID(s string) bool {
	id, err := uuid.Parse(s)
	return err == nil && id.String() == s
}

// identify finds out who asks, and that a browser was not made to ask.
func (s *Server) identify(call *call) error {
	req := call.echo.Request()
	secret, kind, err := s.credential(req)
	if err != nil {
		s.security.refused(req.Context(), eventCredentialFailed, err)
		p := unauthorized("", err)
		p.Detail = "Two session cookies came, and one of them is not Hark's. Clear this site's cookies, and sign in again."
		return p
	}
	if secret == "" || len(secret) > maxSecret {
		return unauthorized("", errors.New("no credential"))
	}
	actor, err := s.DB.Authenticate(req.Context(), secret, kind)
	if isNoCredential(err) {
		s.security.refused(req.Context(), eventCredentialFailed, err)
		return unauthorized("invalid_token", err)
	}
	if err != nil {
		return err
	}
	call.actor, call.secret, call.kind = actor, secret, kind
	if kind == storage.SessionToken {
		if err := s.csrf.Check(req); err != nil {
			s.security.refused(req.Context(), eventCrossSite, err)
			return kindCrossSite.because(err)
		}
	}
	return nil
}

// credential takes the secret out of a request: a bearer token (RFC 6750) or,
// when there is none, the session cookie. Other schemes are not for us: a proxy
// in front may ask for a password of its own.
func (s *Server) credential(req *http.Request) (secret string, kind storage.TokenKind, err error) {
	if header := req.Header.Get("Authorization"); header != "" {
		if scheme, token, _ := strings.Cut(header, " "); strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(token), storage.APIToken, nil
		}
	}
	secret, err = s.sessionOf(req)
	return secret, storage.SessionToken, err
}

// unauthorized asks for a credential, saying what was wrong with the one that
// came, if one did (RFC 6750, section 3).
func unauthorized(problem string, cause error) *Problem {
	challenge := `Bearer realm="hark"`
	p := kindUnauthorized.because(cause)
	if problem != "" {
		challenge += `, error="` + problem + `"`
		p.Detail = "The token or session is unknown, revoked or expired. Make a new one."
	}
	return p.with("WWW-Authenticate", challenge)
}

// stillValid checks that the credential which a long-lived request came with
// has not been revoked since.
func (s *Server) stillValid(ctx context.Context, call *call) error {
	_, err := s.DB.Authenticate(ctx, call.secret, call.kind)
	return err
}
