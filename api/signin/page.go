package signin

import (
	"context"
	_ "embed" // the page
	"errors"
	"html/template"
	"net/http"

	"github.com/labstack/echo/v4"

	"hark/api/openid"
	"hark/api/pages"
	"hark/api/passkey"
	"hark/api/security"
	"hark/storage"
)

// maxForm is the most that the sign-in form may be, in bytes: what a passkey signs is the
// longest that comes in it.
const maxForm = 32 << 10

//go:embed signin.html
var pageSource string

// page is parsed when the program starts; it is part of it.
var page = template.Must(template.New("signin.html").Parse(pageSource))

// pageView is what the page shows: a button for a code, a form for an address and a
// password, or a word of what happened.
type pageView struct {
	Words     words
	Up        string // leads from the page's address to that of the app
	Workspace string // that one signs in to; empty where it is not known yet
	Problem   string // for people; empty where there is none
	To        string // the page to open then; empty for the app's first

	Code string // for the button
	Name string // whom the code signs in

	Form     bool   // whether to ask for an address and a password
	Recovery bool   // or for a recovery code
	Passkeys string // the origin from which passkeys can be used; empty for nowhere
	Without  string // why they cannot, for people
	Email    string // that was typed
	Mail     bool   // whether a link can be mailed
	Sent     bool   // whether one was asked for

	Providers []openid.Choice // by which one can sign in
	Leave     string          // address at a provider that is opened next; empty for none
	Provider  string          // its name

	Current string // who is signed in here now and would not be any more; empty for nobody
	Replace string // the id of that session
}

func (e *Endpoints) newView(req *http.Request, to string) pageView {
	view := pageView{Words: wordsFor(req.Header.Get("Accept-Language")), Mail: e.deps.Mail}
	if landing := e.landing(to); landing != e.deps.PublicURL.Base+"/" {
		view.To = landing
	}
	return view
}

// Ask shows whom the address signs in, and a button; without a code, the form.
// Opening the address does not use up its code: chats and mail programs open
// addresses to preview them.
func (e *Endpoints) Ask(c echo.Context) error {
	view := e.newView(c.Request(), c.QueryParam("to"))
	view.Recovery = c.QueryParam("with") == withRecovery
	if !c.QueryParams().Has("code") {
		return e.showForm(c, http.StatusOK, view)
	}
	return e.showCode(c, http.StatusOK, view, c.QueryParam("code"))
}

// showCode shows the page for a code, with status if the code is good.
func (e *Endpoints) showCode(c echo.Context, status int, view pageView, code string) error {
	ctx := c.Request().Context()
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
	profile, err := e.deps.Records.Profile(ctx, whom)
	if err != nil {
		return err
	}
	view.Code, view.Name, view.Workspace = code, whom.UserName, profile.Workspace.Name
	current, err := e.SignedIn(c.Request())
	if err != nil {
		return err
	}
	same, err := e.samePerson(ctx, current, whom.UserID)
	if err != nil {
		return err
	}
	if !same {
		view.Current, view.Replace = current.UserName, current.CredentialID
	}
	return e.send(c, status, view)
}

// showForm shows the form for an address and a password. Who would be signed in by
// it is not known yet: whoever is signed in here is named.
func (e *Endpoints) showForm(c echo.Context, status int, view pageView) error {
	ctx := c.Request().Context()
	workspace, err := e.deps.Records.OnlyWorkspace(ctx)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	current, err := e.SignedIn(c.Request())
	if err != nil {
		return err
	}
	view.Form, view.Workspace, view.Providers = true, workspace.Name, e.Choices("")
	view.Current, view.Replace = current.UserName, current.CredentialID
	if view.Recovery || e.deps.Keys.Trouble() != passkey.NoTrouble {
		view.Without = view.Words.Without[e.deps.Keys.Trouble()]
		return e.send(c, status, view)
	}
	view.Passkeys = e.deps.Keys.Origin()
	return pages.ShowScripted(c, status, e.deps.PublicURL.Secure(), page, view)
}

func (e *Endpoints) refuse(c echo.Context, status int, view pageView, problem string) error {
	view.Problem = problem
	return e.send(c, status, view)
}

func (e *Endpoints) send(c echo.Context, status int, view pageView) error {
	return pages.ShowUnderCode(c, status, e.deps.PublicURL.Secure(), page, view)
}

// SignIn takes the forms of the page: a one-time code, an address with a password, an
// address to mail a link to, what a passkey signed, a recovery code, or a provider to go to.
func (e *Endpoints) SignIn(c echo.Context) error {
	req := c.Request()
	if err := e.CheckOrigin(req); err != nil {
		return err
	}
	req.Body = http.MaxBytesReader(c.Response(), req.Body, maxForm)
	view := e.newView(req, req.PostFormValue("to"))
	switch {
	case req.PostForm.Has("provider"):
		return e.byProvider(c, view)
	case req.PostForm.Has("email") && req.PostFormValue("way") == "mail":
		return e.byMail(c, view)
	case req.PostForm.Has("email"):
		return e.byPassword(c, view)
	case req.PostForm.Has("passkey"):
		return e.byPasskey(c, view)
	case req.PostForm.Has("recovery"):
		return e.byRecoveryCode(c, view)
	}
	return e.byCode(c, view)
}

// byCode redeems a one-time code for a session. Another's session ends only after
// its end was announced.
func (e *Endpoints) byCode(c echo.Context, view pageView) error {
	ctx, req := c.Request().Context(), c.Request()
	code := req.PostFormValue("code")
	if code == "" || len(code) > maxSecret {
		return e.showCode(c, http.StatusBadRequest, view, "")
	}
	before, err := e.SignedIn(req)
	if err != nil {
		return err
	}
	if before.UserID != "" && req.PostFormValue("replace") != before.CredentialID {
		whom, whomErr := e.deps.Records.Authenticate(ctx, code, storage.SignInToken)
		same, err := e.samePerson(ctx, before, whom.UserID)
		if err != nil {
			return err
		}
		if whomErr == nil && !same {
			return e.showCode(c, http.StatusConflict, view, code)
		}
	}
	err = e.begin(c, before, storage.SignIn{Code: code}, view.To)
	if isNoCredential(err) {
		return e.showCode(c, http.StatusGone, view, code)
	}
	return err
}

// begin makes the session of somebody who proved who they are, whichever way, and
// leads on to the page that they wanted. It fails as [Ways.SignIn] does, before anything is answered. The session
// is always a new one, whatever the browser brought.
func (e *Endpoints) begin(c echo.Context, before storage.Principal, proof storage.SignIn, to string) error {
	req := c.Request()
	session := e.NewSession(req)
	proof.Life, proof.Name, proof.Device = session.Life, session.Name, session.Device
	proof.Wanted = wanted(to)
	if e.deps.Mail {
		proof.Notice = e.notice(req)
	}
	made, secret, err := e.deps.Records.SignIn(req.Context(), proof)
	if err != nil {
		return err
	}
	e.Begin(c, made, secret, proof.Device, before)
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
	e.Revoked(ctx, before.WorkspaceID)
}

// SignedIn is who the browser is signed in as; zero for nobody.
func (e *Endpoints) SignedIn(req *http.Request) (storage.Principal, error) {
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
