package signin

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed" // the script
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"hark/api/limit"
	"hark/api/passkey"
	"hark/api/problem"
	"hark/api/security"
	"hark/storage"
)

// browserCookie binds the challenges that a browser was given to it, over all its tabs.
const browserCookie = "hark_passkey"

//go:embed signin.js
var script []byte

// Script has the form use passkeys; without it one signs in in the other ways.
func (e *Endpoints) Script(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-cache")
	return c.Blob(http.StatusOK, "text/javascript; charset=utf-8", script)
}

// PasskeyOptions answers the script with what a browser needs to sign in by a passkey.
// They are the same whoever asks, and nothing is kept of them here.
func (e *Endpoints) PasskeyOptions(c echo.Context) error {
	req := c.Request()
	if err := e.CheckOrigin(req); err != nil {
		return err
	}
	browser := e.browserOf(req)
	if browser == "" {
		browser = rand.Text()
	}
	options, err := e.deps.Keys.BeginSignIn(browser)
	if errors.Is(err, passkey.ErrOff) {
		return problem.NotFound.Because(err)
	}
	if err != nil {
		return err
	}
	cookie := e.newCookie(browserCookie, browser, int(passkey.Life.Seconds()))
	c.SetCookie(&cookie)
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, options)
}

// browserOf is what the browser was marked with when it asked for options; empty where it
// was not.
func (e *Endpoints) browserOf(req *http.Request) string {
	marks := req.CookiesNamed(cookieName(e.deps.PublicURL, browserCookie))
	if len(marks) != 1 || len(marks[0].Value) < len(rand.Text()) || len(marks[0].Value) > maxDevice {
		return ""
	}
	return marks[0].Value
}

// byPasskey signs in whose passkey signed a challenge of this browser's. Whatever is
// wrong is answered alike.
func (e *Endpoints) byPasskey(c echo.Context, view pageView) error {
	ctx, req := c.Request().Context(), c.Request()
	if !e.allow(c, limit.SignInsFrom, limit.AddressKey(c.RealIP())) {
		view.Problem = view.Words.TooMany
		return e.showForm(c, http.StatusTooManyRequests, view)
	}
	found, use, err := e.deps.Keys.FinishSignIn(e.browserOf(req), req.PostFormValue("state"), []byte(req.PostFormValue("passkey")), func(id []byte) (storage.Passkey, error) {
		return e.deps.Passkeys.PasskeyOf(ctx, id)
	})
	if errors.Is(err, passkey.ErrCloned) {
		err = cmp.Or(e.RefusePasskey(ctx, found, use.Challenge), err)
	}
	if err != nil {
		return e.refusePasskey(c, view, found, err)
	}
	err = e.enterAs(c, view, found.UserID, req.PostFormValue("replace"), storage.SignIn{UserID: found.UserID, Passkey: &use})
	if isNoCredential(err) { // disabled or removed, or the challenge was answered before
		return e.refusePasskey(c, view, found, err)
	}
	return err
}

// RefusePasskey records that a passkey may have a copy ([passkey.ErrCloned]), unless the
// challenge was answered before.
func (e *Endpoints) RefusePasskey(ctx context.Context, p storage.Passkey, challenge storage.Challenge) error {
	err := e.deps.Passkeys.RefusePasskey(ctx, p, challenge)
	if err == nil {
		e.deps.Security.Refused(ctx, security.SignInFailed, passkey.ErrCloned)
	}
	return err
}

// refusePasskey answers that a passkey was not taken, and records it when that is answered.
func (e *Endpoints) refusePasskey(c echo.Context, view pageView, found storage.Passkey, cause error) error {
	ctx := c.Request().Context()
	failed := storage.FailedSignIn{Method: string(storage.ByPasskey), UserID: found.UserID, Reason: "unknown"}
	status := http.StatusForbidden
	view.Problem = view.Words.WrongPasskey
	switch {
	case errors.Is(cause, passkey.ErrState), errors.Is(cause, storage.ErrExpired):
		failed.Reason, status, view.Problem = "challenge used or run out", http.StatusGone, view.Words.Late
	case errors.Is(cause, passkey.ErrCloned):
		failed.Reason = "count of signatures went back"
	case errors.Is(cause, passkey.ErrRefused):
		failed.Reason = "wrong response"
	case !errors.Is(cause, storage.ErrNotFound) && !errors.Is(cause, passkey.ErrOff):
		return cause
	}
	e.deps.Security.Refused(ctx, security.SignInFailed, cause)
	err := e.showForm(c, status, view)
	e.auditLater(ctx, failed)
	return err
}
