package invitations

import (
	_ "embed" // the page
	"errors"
	"html/template"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"hark/api/limit"
	"hark/api/openid"
	"hark/api/pages"
	"hark/api/security"
	"hark/storage"
)

// maxForm is the most that the form may be, in bytes.
const maxForm = 4 << 10

//go:embed join.html
var pageSource string

// page is parsed when the program starts; it is part of it.
var page = template.Must(template.New("join.html").Parse(pageSource))

// codeForm is what a code looks like; nothing else is looked up.
var codeForm = regexp.MustCompile(`^hark_[0-9A-Za-z]{43}$`)

// pageView is what the page shows: where one joins, and a form, or a problem alone.
type pageView struct {
	Words   words
	Problem string // for people; empty where the form is all right
	Code    string // empty where nobody can join
	Welcome storage.Welcome
	Guest   bool
	Name    string // as it was typed before
	MaxName int

	Providers []openid.Choice // with which one can join

	As       string // address of who is signed in here and can join as the same person; empty for nobody
	Session  string // the id of their session
	Other    bool   // whether the invitation was mailed to another address
	There    bool   // whether they are in the workspace
	Disabled bool   // or were deactivated there
	Else     bool   // whether they want to join as somebody else
	Account  string // whose address is this then

	Current string // who is signed in here now and would not be any more; empty for nobody
	Replace string // the id of that session
}

// Page shows where a link leads, and asks for a name.
func (e *Endpoints) Page(c echo.Context) error {
	return e.show(c, http.StatusOK, c.QueryParam("code"), pageView{Else: c.QueryParam("as") == asElse})
}

// show shows the page of a code, with status if somebody can join by it.
func (e *Endpoints) show(c echo.Context, status int, code string, view pageView) error {
	view.Words, view.MaxName = wordsFor(c.Request().Header.Get("Accept-Language")), storage.MaxName
	welcome, err := e.welcome(c, code)
	if err != nil {
		return e.refuse(c, view, err)
	}
	current, err := e.deps.Browsers.SignedIn(c.Request())
	if err != nil {
		return err
	}
	view.Code, view.Welcome, view.Guest = code, welcome, !storage.JoinsGeneral(welcome.Role)
	view.Providers = e.deps.Browsers.Choices(welcome.WorkspaceID)
	if err := e.showPerson(c.Request().Context(), &view, current); err != nil {
		return err
	}
	return e.send(c, status, view)
}

// welcome finds what a code is for.
func (e *Endpoints) welcome(c echo.Context, code string) (storage.Welcome, error) {
	if !codeForm.MatchString(code) {
		return storage.Welcome{}, storage.ErrNotFound
	}
	return e.deps.Records.Welcome(c.Request().Context(), code)
}

// refuse says that nobody can join by a code, and to who has an invitation's code, why. Each
// counts for who tries codes.
func (e *Endpoints) refuse(c echo.Context, view pageView, err error) error {
	var over *storage.InvitationError
	switch {
	case errors.As(err, &over):
		view.Problem = view.Words.Over[over.State]
	case !errors.Is(err, storage.ErrNotFound):
		return err
	}
	e.deps.Security.Refused(c.Request().Context(), security.JoinFailed, err)
	if retry, ok := e.deps.Limits.Allow(limit.Joins, limit.AddressKey(c.RealIP())); !ok {
		return e.tooMany(c, view, retry)
	}
	if over == nil {
		view.Problem = view.Words.Unknown
		return e.send(c, http.StatusNotFound, view)
	}
	return e.send(c, http.StatusGone, view)
}

func (e *Endpoints) tooMany(c echo.Context, view pageView, retry time.Duration) error {
	view.Problem = view.Words.TooMany
	c.Response().Header().Set("Retry-After", strconv.Itoa(int(retry/time.Second)))
	return e.send(c, http.StatusTooManyRequests, view)
}

func (e *Endpoints) send(c echo.Context, status int, view pageView) error {
	return pages.ShowUnderCode(c, status, e.deps.PublicURL.Secure(), page, view)
}

// Join makes a user of who sends the form, and signs the browser in as them. Of the form
// only the code, the name, and the session to replace or to go on with are read. Another's session ends
// only after its end was announced.
func (e *Endpoints) Join(c echo.Context) error {
	req := c.Request()
	if err := e.deps.Browsers.CheckOrigin(req); err != nil {
		return err
	}
	if retry, ok := e.deps.Limits.Allow(limit.Joins, limit.AddressKey(c.RealIP())); !ok {
		return e.tooMany(c, pageView{Words: wordsFor(req.Header.Get("Accept-Language"))}, retry)
	}
	req.Body = http.MaxBytesReader(c.Response(), req.Body, maxForm)
	code, view := req.PostFormValue("code"), pageView{Name: req.PostFormValue("name")}
	if !codeForm.MatchString(code) {
		return e.show(c, http.StatusNotFound, "", view)
	}
	before, err := e.deps.Browsers.SignedIn(req)
	if err != nil {
		return err
	}
	if req.PostForm.Has("as") {
		return e.joinAs(c, before, code, view)
	}
	view.Else = true
	if before.UserID != "" && req.PostFormValue("replace") != before.CredentialID {
		view.Else = false
		return e.show(c, http.StatusConflict, code, view)
	}
	session := e.deps.Browsers.NewSession(req)
	joined, err := e.deps.Records.Join(req.Context(), code, view.Name, session)
	switch {
	case errors.Is(err, storage.ErrInvalid):
		view.Problem = wordsFor(req.Header.Get("Accept-Language")).BadName
		return e.show(c, http.StatusUnprocessableEntity, code, view)
	case errors.Is(err, storage.ErrNotFound), errors.Is(err, storage.ErrExpired):
		return e.show(c, http.StatusGone, code, pageView{})
	case err != nil:
		return err
	}
	e.deps.Browsers.Begin(c, joined.Session, joined.Secret, session.Device, before)
	return e.open(c, joined.ConversationID)
}

// open leads to a conversation, or to the app's first page.
func (e *Endpoints) open(c echo.Context, conversationID string) error {
	to := e.deps.PublicURL.Base + "/"
	if conversationID != "" {
		to += "c/" + conversationID
	}
	return c.Redirect(http.StatusSeeOther, to)
}
