package rest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"hark/api/problem"
	"hark/storage"
)

// Authenticator finds out who sends a request. Its error is a problem for those
// who are refused, or a failure to look.
type Authenticator interface {
	Authenticate(req *http.Request) (storage.Principal, storage.TokenKind, error)
}

// SignedBy finds out for whom a signed address was made, by the id in its path and
// by its query. The principal may do what the address is for, and nothing else.
type SignedBy func(ctx context.Context, id string, query url.Values) (storage.Principal, error)

// ParamSignature is the query parameter that makes an address a signed one.
const ParamSignature = "signature"

// authenticate lets a request through when it says who asks: by a credential or,
// where signed is not nil, by a signed address.
func (a *API) authenticate(signed SignedBy) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c, call := humaecho.Unwrap(ctx), CallFrom(ctx.Context())
		var err error
		if signed != nil && c.QueryParam(ParamSignature) != "" {
			call.Principal, err = signed(ctx.Context(), c.Param("id"), c.QueryParams())
		} else {
			call.Principal, call.Kind, err = a.cfg.Authenticator.Authenticate(c.Request())
		}
		if err != nil {
			a.Answer(c, err)
			return
		}
		a.checkIDs(ctx, c, next)
	}
}

// checkIDs answers 404 where the path holds what cannot be an id, as it would for
// an id that does not exist.
func (a *API) checkIDs(ctx huma.Context, c echo.Context, next func(huma.Context)) {
	for i, id := range c.ParamValues() {
		if namesID(c.ParamNames()[i]) && !IsID(id) {
			a.Answer(c, problem.NotFound.Because(errors.New("path holds what is not an id")))
			return
		}
	}
	next(ctx)
}

// namesID reports whether a parameter of a path is an id of ours: id, or a name
// that ends in _id.
func namesID(param string) bool { return param == "id" || strings.HasSuffix(param, "_id") }

// IsID reports whether s has the form of our ids. Only that goes to storage,
// which so never sees what a database might choke on.
func IsID(s string) bool {
	id, err := uuid.Parse(s)
	return err == nil && id.String() == s
}

// checkScope lets a request through whose credential is good for what needs a
// scope (RFC 6750, section 3.1). A signed address comes only to where it may, and the
// token of an identity provider to no call of the API.
func (a *API) checkScope(need storage.Scope) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		scopes := CallFrom(ctx.Context()).Principal.Scopes
		if (need == "" || scopes.Sound() != "" || scopes.Allow(need)) && !scopes.Provision() {
			next(ctx)
			return
		}
		p := problem.InsufficientScope.Saying("The token lacks the scope "+string(need)+". Make one that has it.", nil)
		if scopes.Provision() {
			p = problem.InsufficientScope.Saying("The token is good for SCIM alone.", nil)
		}
		a.Answer(humaecho.Unwrap(ctx), p.WithHeader("WWW-Authenticate", `Bearer realm="hark", error="insufficient_scope", scope="`+string(need)+`"`))
	}
}
