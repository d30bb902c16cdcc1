package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"hark/api/limit"
	"hark/api/openid"
	"hark/api/security"
	"hark/storage"
)

// Choices are the providers by which people of a workspace can sign in; of every one
// where none is named.
func (e *Endpoints) Choices(workspaceID string) (all []openid.Choice) {
	for _, p := range e.deps.Providers {
		if workspaceID == "" || p.LeadsTo(workspaceID) {
			all = append(all, p.Choice())
		}
	}
	return all
}

func (e *Endpoints) provider(id string) *openid.Provider {
	for _, p := range e.deps.Providers {
		if p.Choice().ID == id {
			return p
		}
	}
	return nil
}

// depart begins a flow: it returns the address at the provider, and the cookie by which
// the browser is known when it comes back.
func (e *Endpoints) depart(ctx context.Context, provider *openid.Provider, f flow) (address string, cookie http.Cookie, err error) {
	f.Flow, f.Provider = openid.NewFlow(f.Purpose == toProve), provider.Choice().ID
	if address, err = provider.Begin(ctx, f.Flow); err != nil {
		return "", cookie, err
	}
	sealed, err := e.flows.seal(f)
	return address, e.newCookie(flowCookie, sealed, int(flowLife.Seconds())), err
}

// byProvider sends the browser to a provider. It goes by a page and not by a redirect:
// browsers follow none to elsewhere out of a form that may be sent to us alone.
func (e *Endpoints) byProvider(c echo.Context, view pageView) error {
	ctx, req := c.Request().Context(), c.Request()
	if !e.allow(c, limit.SignInsFrom, limit.AddressKey(c.RealIP())) {
		view.Problem = view.Words.TooMany
		return e.showForm(c, http.StatusTooManyRequests, view)
	}
	provider := e.provider(req.PostFormValue("provider"))
	if provider == nil {
		view.Problem = view.Words.NoProvider
		return e.showForm(c, http.StatusNotFound, view)
	}
	f := flow{Purpose: toSignIn, To: view.To, Replace: storage.CutBytes(req.PostFormValue("replace"), maxSecret)}
	if code := req.PostFormValue("invitation"); len(code) <= maxSecret {
		f.Invitation = code
	}
	address, cookie, err := e.depart(ctx, provider, f)
	if errors.Is(err, openid.ErrAway) {
		return e.away(c, view, provider, err)
	}
	if err != nil {
		return err
	}
	c.SetCookie(&cookie)
	c.Response().Header().Set("Refresh", "0; url="+address)
	view.Leave, view.Provider = address, provider.Choice().Name
	return e.send(c, http.StatusOK, view)
}

// away says that a provider cannot be reached now, beside the other ways in.
func (e *Endpoints) away(c echo.Context, view pageView, provider *openid.Provider, cause error) error {
	e.deps.Logger.WarnContext(c.Request().Context(), "provider cannot be reached", "provider", provider.Choice().ID, "error", cause)
	c.Response().Header().Set("Retry-After", "30")
	view.Problem = fmt.Sprintf(view.Words.Away, provider.Choice().Name)
	return e.showForm(c, http.StatusServiceUnavailable, view)
}

// Callback takes the browser back that went to a provider. Only the one that went is
// believed, and once: its cookie is cleared, whatever comes of it.
func (e *Endpoints) Callback(c echo.Context) error {
	ctx, req := c.Request().Context(), c.Request()
	f, err := e.flowOf(req)
	over := e.newCookie(flowCookie, "", -1)
	c.SetCookie(&over)
	view := e.newView(req, f.To)
	view.Up = "../../"
	provider, states := e.provider(c.Param("provider")), req.URL.Query()["state"]
	if err == nil && (len(states) != 1 || subtle.ConstantTimeCompare([]byte(states[0]), []byte(f.State)) != 1) {
		err = errors.New("the answer is of another flow: its state is not ours")
	}
	if err == nil && (provider == nil || provider.Choice().ID != f.Provider) {
		err = errors.New("the answer came to the address of another provider")
	}
	if err != nil {
		e.failed(ctx, storage.FailedSignIn{Provider: f.Provider, Reason: err.Error()}, err)
		return e.refuse(c, http.StatusBadRequest, view, view.Words.Lost)
	}
	vouched, err := provider.Finish(ctx, f.Flow, req.URL.Query())
	if err != nil {
		return e.refuseProvider(c, view, provider, err)
	}
	switch f.Purpose {
	case toLink, toProve:
		return e.comeBack(c, view, f, provider, vouched)
	}
	return e.enter(c, view, f, provider, vouched)
}

// failed records that a provider signed nobody in.
func (e *Endpoints) failed(ctx context.Context, failed storage.FailedSignIn, cause error) {
	e.deps.Security.Refused(ctx, security.SignInFailed, cause)
	failed.Method = string(storage.ByProvider)
	e.auditLater(ctx, failed)
}

// refuseProvider says in our own words what went wrong at a provider: nothing of what it
// wrote is shown.
func (e *Endpoints) refuseProvider(c echo.Context, view pageView, provider *openid.Provider, cause error) error {
	ctx, name := c.Request().Context(), provider.Choice().Name
	var refused *openid.RefusedError
	switch {
	case errors.Is(cause, openid.ErrAway):
		return e.away(c, view, provider, cause)
	case errors.Is(cause, storage.ErrNoAuthTime):
		return e.refuse(c, http.StatusForbidden, view, fmt.Sprintf(view.Words.NotFresh, name))
	case errors.As(cause, &refused):
		view.Problem = e.refusal(view.Words, refused.Code)
	default:
		view.Problem = view.Words.Unsure
	}
	e.deps.Logger.WarnContext(ctx, "sign-in by provider failed", "provider", provider.Choice().ID, "error", cause)
	e.failed(ctx, storage.FailedSignIn{Provider: provider.Choice().ID, WorkspaceID: provider.WorkspaceID(), Reason: cause.Error()}, cause)
	return e.refuse(c, http.StatusForbidden, view, fmt.Sprintf(view.Problem, name))
}

// refusal is what an error of a provider's means for people.
func (e *Endpoints) refusal(words words, code string) string {
	switch code {
	case "access_denied":
		return words.Denied
	case "server_error", "temporarily_unavailable":
		return words.Away
	}
	return words.Refused
}

// enter signs in whom a provider vouches for.
func (e *Endpoints) enter(c echo.Context, view pageView, f flow, provider *openid.Provider, v storage.Vouched) error {
	ctx := c.Request().Context()
	if v.WorkspaceID == "" {
		only, err := e.deps.Records.OnlyWorkspace(ctx)
		if errors.Is(err, storage.ErrNotFound) {
			return e.leadsNowhere(c, view, provider)
		}
		if err != nil {
			return err
		}
		v.WorkspaceID = only.ID
	}
	v.Invitation = f.Invitation
	err := e.enterAs(c, view, "", f.Replace, storage.SignIn{Vouched: &v})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, storage.ErrNotFound) && v.Invitation == "":
		return e.leadsNowhere(c, view, provider)
	}
	return e.refuseVouched(c, view, provider, v, err)
}

// leadsNowhere says that a provider is configured for no workspace that is there.
func (e *Endpoints) leadsNowhere(c echo.Context, view pageView, provider *openid.Provider) error {
	e.deps.Logger.ErrorContext(c.Request().Context(), "a provider leads to no workspace: set its workspace in HARK_OIDC to the id of one", "provider", provider.Choice().ID)
	return e.refuse(c, http.StatusInternalServerError, view, fmt.Sprintf(view.Words.Refused, provider.Choice().Name))
}

// refuseVouched says why somebody whom a provider knows is not let in.
func (e *Endpoints) refuseVouched(c echo.Context, view pageView, provider *openid.Provider, v storage.Vouched, cause error) error {
	var over *storage.InvitationError
	status, problem := http.StatusForbidden, ""
	switch {
	case errors.Is(cause, storage.ErrNoUser):
		problem = view.Words.NoUser
	case errors.Is(cause, storage.ErrEmailInUse):
		status, problem = http.StatusConflict, view.Words.EmailInUse
	case errors.Is(cause, storage.ErrDeactivated):
		problem = view.Words.Deactivated
	case errors.As(cause, &over), errors.Is(cause, storage.ErrNotFound):
		status, problem = http.StatusGone, view.Words.InvitationOver
	default:
		return cause
	}
	e.failed(c.Request().Context(), storage.FailedSignIn{Provider: v.Provider, WorkspaceID: v.WorkspaceID, Reason: cause.Error()}, cause)
	view.Problem = fmt.Sprintf(problem, provider.Choice().Name)
	if errors.Is(cause, storage.ErrEmailInUse) { // who they are can be shown here, and the identity linked then
		view.Email, view.To = v.Email, e.deps.PublicURL.Base+"/settings"
		return e.showForm(c, status, view)
	}
	return e.send(c, status, view)
}

// comeBack links an identity to who is signed in, or takes it as a proof of who they are.
func (e *Endpoints) comeBack(c echo.Context, view pageView, f flow, provider *openid.Provider, v storage.Vouched) error {
	ctx := c.Request().Context()
	current, err := e.SignedIn(c.Request())
	if err != nil {
		return err
	}
	if current.CredentialID == "" || current.CredentialID != f.Credential {
		return e.refuse(c, http.StatusForbidden, view, view.Words.Lost)
	}
	if f.Purpose == toLink {
		err = e.deps.Identities.LinkIdentity(ctx, current, v)
	} else {
		err = e.deps.Identities.ProveByIdentity(ctx, current, v)
	}
	problem := ""
	switch {
	case err == nil:
		return c.Redirect(http.StatusSeeOther, e.landing(f.To))
	case errors.Is(err, storage.ErrConflict) && f.Purpose == toLink:
		problem = view.Words.LinkedElsewhere
	case errors.Is(err, storage.ErrConflict):
		problem = view.Words.NotLinked
	case errors.Is(err, storage.ErrNoAuthTime):
		problem = view.Words.NotFresh
	case errors.Is(err, storage.ErrStepUp):
		problem = view.Words.TooLate
	default:
		return err
	}
	e.failed(ctx, storage.FailedSignIn{Provider: v.Provider, WorkspaceID: current.WorkspaceID, UserID: current.UserID, Reason: err.Error()}, err)
	return e.refuse(c, http.StatusConflict, view, fmt.Sprintf(problem, provider.Choice().Name))
}

// endSession is where a browser is to go that signed out of a session which began at a
// provider, so that the provider's ends too; empty where there is none.
func (e *Endpoints) endSession(ctx context.Context, session storage.ProviderSession) string {
	if provider := e.provider(session.Provider); provider != nil {
		return provider.EndSession(ctx, session.IDToken)
	}
	return ""
}
