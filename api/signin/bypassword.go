package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"hark/api/limit"
	"hark/api/password"
	"hark/api/security"
	"hark/storage"
)

var (
	errNoAccount     = errors.New("no account that can sign in has this address")
	errWrongPassword = errors.New("wrong password")
)

// byPassword signs in who knows the password of an account. Whatever is wrong is
// answered alike, after as long.
func (e *Endpoints) byPassword(c echo.Context, view pageView) error {
	ctx, req := c.Request().Context(), c.Request()
	view.Email = req.PostFormValue("email")
	if !e.allow(c, limit.SignInsFrom, limit.AddressKey(c.RealIP())) {
		view.Problem = view.Words.TooMany
		return e.showForm(c, http.StatusTooManyRequests, view)
	}
	device := e.deviceOf(req)
	account, err := e.deps.Records.AccountByEmail(ctx, view.Email, device)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	counted := accountKey(view.Email)
	if account.KnownDevice {
		counted += "\x00" + device
	}
	if !e.allow(c, limit.SignIns, counted) {
		view.Problem = view.Words.TooMany
		return e.showForm(c, http.StatusTooManyRequests, view)
	}
	err = e.checkPassword(ctx, account, req.PostFormValue("password"))
	if errors.Is(err, password.ErrBusy) {
		c.Response().Header().Set("Retry-After", "10")
		view.Problem = view.Words.Busy
		return e.showForm(c, http.StatusServiceUnavailable, view)
	}
	if errors.Is(err, errNoAccount) || errors.Is(err, errWrongPassword) {
		return e.refusePassword(c, view, err)
	}
	if err != nil {
		return err
	}
	err = e.enterAs(c, view, account.UserID, req.PostFormValue("replace"), storage.SignIn{UserID: account.UserID, PasswordHash: account.PasswordHash})
	if isNoCredential(err) { // disabled, or the password was changed, just now
		return e.refusePassword(c, view, err)
	}
	return err
}

// enterAs begins a session by what somebody brought, who is userID as far as that is known before.
// Another's session ends only after its end was announced: replace is the id of the one that was.
func (e *Endpoints) enterAs(c echo.Context, view pageView, userID, replace string, proof storage.SignIn) error {
	before, err := e.SignedIn(c.Request())
	if err != nil {
		return err
	}
	same, err := e.samePerson(c.Request().Context(), before, userID)
	if err != nil {
		return err
	}
	if before.UserID != "" && !same && replace != before.CredentialID {
		return e.showForm(c, http.StatusConflict, view)
	}
	return e.begin(c, before, proof, view.To)
}

// checkPassword checks the password of an account. A hash is computed whether there is
// such an account or not.
func (e *Endpoints) checkPassword(ctx context.Context, account storage.Account, given string) error {
	hash := account.PasswordHash
	if account.UserID == "" {
		hash = ""
	}
	right, err := e.deps.Passwords.Verify(ctx, given, hash)
	switch {
	case err != nil:
		return err
	case hash == "":
		return errNoAccount
	case !right:
		return errWrongPassword
	}
	return nil
}

// refusePassword answers that it was not right, and records it when that is answered.
func (e *Endpoints) refusePassword(c echo.Context, view pageView, cause error) error {
	ctx := c.Request().Context()
	e.deps.Security.Refused(ctx, security.SignInFailed, errors.New("address and password do not fit"))
	failed := storage.FailedSignIn{Method: string(storage.ByPassword), Email: view.Email, Reason: "unknown"}
	if errors.Is(cause, errWrongPassword) {
		failed.Reason = "wrong password"
	}
	view.Problem = view.Words.Wrong
	err := e.showForm(c, http.StatusForbidden, view)
	e.auditLater(ctx, failed)
	return err
}

// allow takes one attempt of a class, and says in the answer when there will be one
// again if there is none.
func (e *Endpoints) allow(c echo.Context, class limit.Class, key string) bool {
	retry, ok := e.deps.Limits.Allow(class, key)
	if !ok {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(retry/time.Second)))
		e.deps.Security.Refused(c.Request().Context(), security.SignInFailed, fmt.Errorf("limit %s is reached", class))
	}
	return ok
}

// accountKey is what attempts at an account are counted by: its address, or as much
// of what came in its place as one may be long.
func accountKey(email string) string {
	return storage.EmailKey(storage.CutBytes(email, storage.MaxEmail))
}

// CheckOwn reports whether a password is the principal's, whose account it is; for
// who is signed in and is asked for it again. Its error is a problem where they asked
// too often; who guesses without a session does not count.
func (e *Endpoints) CheckOwn(ctx context.Context, principal storage.Principal, account storage.Account, given string) (bool, error) {
	if err := e.deps.Limits.Spend(ctx, storage.Principal{UserID: "step-up " + principal.UserID}, limit.SignIns, 1); err != nil {
		return false, err
	}
	right, err := e.deps.Passwords.Verify(ctx, given, account.PasswordHash)
	if err == nil && !right {
		e.deps.Security.Refused(ctx, security.SignInFailed, errWrongPassword)
		e.auditLater(ctx, storage.FailedSignIn{Method: "step_up", Email: account.Email, Reason: "wrong password"})
	}
	return right, err
}
