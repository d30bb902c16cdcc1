package account

import (
	_ "embed" // the page
	"errors"
	"html/template"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/language"

	"hark/api/limit"
	"hark/api/mail"
	"hark/api/pages"
	"hark/api/security"
	"hark/storage"
)

// maxForm is the most that the form may be, in bytes.
const maxForm = 4 << 10

//go:embed confirm.html
var confirmSource string

// confirmPage is parsed when the program starts; it is part of it.
var confirmPage = template.Must(template.New("confirm.html").Parse(confirmSource))

// codeForm is what a code looks like; nothing else is looked up.
var codeForm = regexp.MustCompile(`^hark_[0-9A-Za-z]{43}$`)

// confirmView is what the page shows: a button, that it is done, or a problem.
type confirmView struct {
	Words   confirmWords
	Code    string
	Change  storage.EmailChange
	Done    bool
	Problem string
}

// confirmWords are the texts of the page in one language.
type confirmWords struct {
	Lang, Title, For, By, Button, Hint, Confirmed, Home string
	Over, Taken, Another, TooMany                       string
}

var (
	confirmLanguages = language.NewMatcher([]language.Tag{language.English, language.German})
	confirmTexts     = []confirmWords{
		{
			Lang: "en", Title: "Confirm your email address", For: "Let this person sign in to Hark", By: "with this address?", Button: "Confirm",
			Hint:      "Not you? Close this page. Nothing changes without your confirmation.",
			Confirmed: "From now on, you sign in with this address:", Home: "Open Hark",
			Over:    "This link has expired, was already used, or was replaced by a newer one. Set the address again under Settings.",
			Taken:   "Someone else confirmed this address first, so nothing was changed. Choose another one under Settings.",
			Another: "This link belongs to someone else than who is signed in here. Sign out first, or open the link in another browser.",
			TooMany: "Too many attempts. Wait a while, then open the link again.",
		},
		{
			Lang: "de", Title: "E-Mail-Adresse bestätigen", For: "Soll sich diese Person bei Hark", By: "mit dieser Adresse anmelden können?", Button: "Bestätigen",
			Hint:      "Du bist das nicht? Schließe diese Seite. Ohne deine Bestätigung ändert sich nichts.",
			Confirmed: "Ab jetzt meldest du dich mit dieser Adresse an:", Home: "Hark öffnen",
			Over:    "Dieser Link ist abgelaufen, wurde schon benutzt oder durch einen neueren ersetzt. Trage die Adresse in den Einstellungen noch einmal ein.",
			Taken:   "Jemand anderes hat diese Adresse zuerst bestätigt, deshalb wurde nichts geändert. Wähle in den Einstellungen eine andere.",
			Another: "Dieser Link gehört jemand anderem als der Person, die hier angemeldet ist. Melde dich zuerst ab, oder öffne den Link in einem anderen Browser.",
			TooMany: "Zu viele Versuche. Warte eine Weile und öffne dann den Link noch einmal.",
		},
	}
)

func newConfirmView(req *http.Request) confirmView {
	_, at := language.MatchStrings(confirmLanguages, req.Header.Get("Accept-Language"))
	return confirmView{Words: confirmTexts[at]}
}

// ConfirmPage shows whose address a link confirms, and a button. Opening it changes nothing:
// mail programs open addresses to look at them.
func (e *Endpoints) ConfirmPage(c echo.Context) error {
	return e.showConfirm(c, newConfirmView(c.Request()), c.QueryParam("code"))
}

// Confirm takes the form of the page. It signs nobody in.
func (e *Endpoints) Confirm(c echo.Context) error {
	req := c.Request()
	if err := e.deps.Browsers.CheckOrigin(req); err != nil {
		return err
	}
	req.Body = http.MaxBytesReader(c.Response(), req.Body, maxForm)
	code, view := req.PostFormValue("code"), newConfirmView(req)
	if refused, err := e.refuseConfirm(c, &view, code); refused || err != nil {
		return err
	}
	var err error
	view.Change, err = e.deps.Emails.ConfirmEmail(req.Context(), code, e.deps.SignIns.SecurityMail(req, mail.EmailChanged))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return e.sendConfirm(c, http.StatusGone, view, view.Words.Over)
	case errors.Is(err, storage.ErrConflict):
		return e.sendConfirm(c, http.StatusConflict, view, view.Words.Taken)
	case err != nil:
		return err
	}
	view.Done = true
	return e.sendConfirm(c, http.StatusOK, view, "")
}

func (e *Endpoints) showConfirm(c echo.Context, view confirmView, code string) error {
	if refused, err := e.refuseConfirm(c, &view, code); refused || err != nil {
		return err
	}
	view.Code = code
	return e.sendConfirm(c, http.StatusOK, view, "")
}

// refuseConfirm answers where a code confirms nothing, or somebody else is signed in than
// it belongs to, so that nobody confirms an address for another by mistake. What a good
// code confirms is in view then.
func (e *Endpoints) refuseConfirm(c echo.Context, view *confirmView, code string) (refused bool, err error) {
	ctx := c.Request().Context()
	err = storage.ErrNotFound
	if codeForm.MatchString(code) {
		view.Change, err = e.deps.Emails.EmailChange(ctx, code)
	}
	if errors.Is(err, storage.ErrNotFound) {
		e.deps.Security.Refused(ctx, security.EmailConfirmFailed, err)
		if retry, ok := e.deps.Limits.Allow(limit.SignInsFrom, limit.AddressKey(c.RealIP())); !ok {
			c.Response().Header().Set("Retry-After", strconv.Itoa(int(retry/time.Second)))
			return true, e.sendConfirm(c, http.StatusTooManyRequests, *view, view.Words.TooMany)
		}
		return true, e.sendConfirm(c, http.StatusGone, *view, view.Words.Over)
	}
	if err != nil {
		return false, err
	}
	current, err := e.deps.Browsers.SignedIn(c.Request())
	if err != nil || current.UserID == "" || current.UserID == view.Change.UserID {
		return false, err
	}
	account, err := e.deps.Records.Account(ctx, current)
	if err != nil || account.ID != "" && account.ID == view.Change.AccountID {
		return false, err
	}
	return true, e.sendConfirm(c, http.StatusConflict, *view, view.Words.Another)
}

func (e *Endpoints) sendConfirm(c echo.Context, status int, view confirmView, problem string) error {
	view.Problem = problem
	return pages.ShowUnderCode(c, status, e.deps.PublicURL.Secure(), confirmPage, view)
}
