package signin

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"hark/api/limit"
	"hark/api/security"
	"hark/storage"
)

// withRecovery is the way by which the page asks for a recovery code.
const withRecovery = "recovery"

// byRecoveryCode signs in who has a recovery code, which says itself whose it is: 100
// random bits are no more guessed than the secret of a link. Tries are limited by address.
func (e *Endpoints) byRecoveryCode(c echo.Context, view pageView) error {
	ctx, req := c.Request().Context(), c.Request()
	view.Recovery = true
	if !e.allow(c, limit.SignInsFrom, limit.AddressKey(c.RealIP())) {
		view.Problem = view.Words.TooMany
		return e.showForm(c, http.StatusTooManyRequests, view)
	}
	err := storage.ErrNotFound
	if code, ok := storage.ReadRecoveryCode(req.PostFormValue("recovery")); ok {
		err = e.enterAs(c, view, "", req.PostFormValue("replace"), storage.SignIn{RecoveryCode: code})
	}
	if !isNoCredential(err) {
		return err
	}
	e.deps.Security.Refused(ctx, security.SignInFailed, errors.New("no such recovery code"))
	view.Problem = view.Words.WrongRecovery
	err = e.showForm(c, http.StatusForbidden, view)
	e.auditLater(ctx, storage.FailedSignIn{Method: string(storage.ByRecovery), Reason: "unknown or used"})
	return err
}
