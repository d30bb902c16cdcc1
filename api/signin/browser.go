package signin

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"hark/api/problem"
	"hark/api/security"
	"hark/storage"
)

// What other pages need by which a browser gets a session, such as that on which
// somebody joins: they make it in their own transaction.

// NewSession is the session that a browser is to have: for how long, by what name, and
// the mark by which the browser is known again.
func (e *Endpoints) NewSession(req *http.Request) storage.SignIn {
	return storage.SignIn{Life: e.deps.SessionTTL, Name: DeviceName(req.UserAgent()), Device: e.deviceOf(req)}
}

// CheckOrigin refuses a form that another site had a browser send. Its error is a problem.
func (e *Endpoints) CheckOrigin(req *http.Request) error {
	if err := e.csrf.Check(req); err != nil {
		e.deps.Security.Refused(req.Context(), security.CrossSite, err)
		return problem.CrossSite.Because(err)
	}
	return nil
}

// Begin has a browser have a session from now on; that which it had before ends.
func (e *Endpoints) Begin(c echo.Context, session storage.Token, secret, device string, before storage.Principal) {
	ctx := c.Request().Context()
	e.deps.Security.Done(ctx, security.SignIn, session.UserID, session.ID)
	e.endReplaced(ctx, before)
	cookie, mark := e.newSessionCookie(secret, int(e.deps.SessionTTL.Seconds())), e.newCookie(deviceCookie, device, deviceLife)
	c.SetCookie(&cookie)
	c.SetCookie(&mark)
}

// GoOn has a browser's session go on in another workspace.
func (e *Endpoints) GoOn(c echo.Context, session storage.Token, secret string, before storage.Principal) {
	cookie := e.switched(c.Request().Context(), session, secret, before)
	c.SetCookie(&cookie)
}
