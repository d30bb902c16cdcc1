package signin

import (
	"context"
	_ "embed" // the page
	"html/template"
	"net/http"

	"github.com/labstack/echo/v4"

	"hark/api/pages"
	"hark/api/problem"
	"hark/api/security"
	"hark/storage"
)

// maxForm is the most that the sign-in form may be, in bytes.
const maxForm = 4 << 10

//go:embed signin.html
var pageSource string

// page is parsed when the program starts; it is part of it.
var page = template.Must(template.New("signin.html").Parse(pageSource))

// pageView is what the page shows: a problem, or a button for a code.
type pageView struct {
	Words   words
	Problem string // for people; empty when there is a code
	Code    string
	To      string // the page to open then; empty for the app's first
	Name    string // whom the code signs in
	Current string // who is signed in here now and would not be any more; empty for nobody
	Replace string // the id of that session
}

// Ask shows whom the address signs in, and a button. Opening the address
// does not use up its code: chats and mail programs open addresses to preview
// them.
func (e *Endpoints) Ask(c echo.Context) error {
	return e.show(c, http.StatusOK, c.QueryParam("code"), c.QueryParam("to"))
}

// show shows the page for a code, with status if the code is good. to is
// where it was asked to lead.
func (e *Endpoints) show(c echo.Context, status int, code, to string) error {
	ctx := c.Request().Context()
	view := pageView{Words: wordsFor(c.Request().Header.Get("Accept-Language")), Code: code}
	if landing := e.landing(to); landing != e.deps.PublicURL.Base+"/" {
		view.To = landing
	}
	if code == "" || len(code) > maxSecret {
		return e.refuse(c, http.StatusBadRequest, view, view.Words.Incomplete)
	}
	whom, err := e.deps.Records.Authenticate(ctx, code, storage.SignInToken)
	if isNoCredential(err) {
		e.deps.Security.Refused(ctx, security.SignInFailed, err)
		e.auditFailure(ctx, storage.FailedSignIn{Method: "link", Code: code, Reason: reasonOf(err)})
		return e.refuse(c, http.StatusGone, view, view.Words.Used)
	}
	if err != nil {
		return err
	}
	view.Name = whom.UserName
	current, err := e.signedIn(c.Request())
	if err != nil {
		return err
	}
	if current.UserID != whom.UserID {
		view.Current, view.Replace = current.UserName, current.CredentialID
	}
	return e.send(c, status, view)
}

func (e *Endpoints) refuse(c echo.Context, status int, view pageView, problem string) error {
	view.Code, view.Problem = "", problem
	return e.send(c, status, view)
}

// send keeps the page's address, which holds the code, from what is
// loaded and opened next. Over http browsers say where a form comes from by
// the Origin alone, which no-referrer would take away too.
func (e *Endpoints) send(c echo.Context, status int, view pageView) error {
	policy := "strict-origin"
	if e.deps.PublicURL.Secure() {
		policy = "no-referrer"
	}
	header := c.Response().Header()
	header.Set("Referrer-Policy", policy)
	header.Add("Vary", "Accept-Language, Cookie")
	return pages.Show(c, status, page, view)
}

// SignIn redeems a one-time code for a session. Another's session ends only
// after its end was announced.
func (e *Endpoints) SignIn(c echo.Context) error {
	ctx, req := c.Request().Context(), c.Request()
	if err := e.csrf.Check(req); err != nil {
		e.deps.Security.Refused(ctx, security.CrossSite, err)
		return problem.CrossSite.Because(err)
	}
	req.Body = http.MaxBytesReader(c.Response(), req.Body, maxForm)
	code, to := req.PostFormValue("code"), req.PostFormValue("to")
	if code == "" || len(code) > maxSecret {
		return e.show(c, http.StatusBadRequest, "", to)
	}
	before, err := e.signedIn(req)
	if err != nil {
		return err
	}
	if before.UserID != "" && req.PostFormValue("replace") != before.CredentialID {
		whom, err := e.deps.Records.Authenticate(ctx, code, storage.SignInToken)
		if err == nil && whom.UserID != before.UserID {
			return e.show(c, http.StatusConflict, code, to)
		}
	}
	session, secret, err := e.deps.Records.Redeem(ctx, code, e.deps.SessionTTL)
	if isNoCredential(err) {
		return e.show(c, http.StatusGone, code, to)
	}
	if err != nil {
		return err
	}
	e.deps.Security.Done(ctx, security.SignIn, session.UserID, session.ID)
	e.endReplaced(ctx, before)
	cookie := e.newSessionCookie(secret, int(e.deps.SessionTTL.Seconds()))
	c.SetCookie(&cookie)
	return c.Redirect(http.StatusSeeOther, e.landing(to))
}

// endReplaced revokes the session that the browser had before, whose cookie is
// overwritten: nobody could end it any more from here.
func (e *Endpoints) endReplaced(ctx context.Context, before storage.Principal) {
	if before.UserID == "" {
		return
	}
	if err := e.deps.Records.RevokeToken(ctx, before, before.CredentialID); err != nil {
		e.deps.Logger.WarnContext(ctx, "revoking replaced session failed", "token", before.CredentialID, "error", err)
		return
	}
	e.deps.Security.Done(ctx, security.SessionReplaced, before.UserID, before.CredentialID)
	e.revoked(ctx, before.WorkspaceID)
}

// signedIn is who the browser is signed in as; zero for nobody.
func (e *Endpoints) signedIn(req *http.Request) (storage.Principal, error) {
	secret, err := e.sessionOf(req)
	if err != nil || secret == "" || len(secret) > maxSecret {
		return storage.Principal{}, nil //nolint:nilerr // two cookies are nobody's
	}
	principal, err := e.deps.Records.Authenticate(req.Context(), secret, storage.SessionToken)
	if isNoCredential(err) {
		return storage.Principal{}, nil
	}
	return principal, err
}
