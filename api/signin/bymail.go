package signin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"hark/api/limit"
	"hark/api/mail"
	"hark/storage"
)

// mailedLife is how long a link that was mailed can be used.
const mailedLife = 15 * time.Minute

// byMail mails a one-time link to who signs in by an address, if anybody does. The
// answer is the same if nobody does, and comes before it is looked up.
func (e *Endpoints) byMail(c echo.Context, view pageView) error {
	req := c.Request()
	if !e.deps.Mail {
		view.Problem = view.Words.NoMail
		return e.showForm(c, http.StatusBadRequest, view)
	}
	view.Email = req.PostFormValue("email")
	address, err := mail.CheckAddress(view.Email)
	if err != nil {
		view.Problem = view.Words.NoAddress
		return e.showForm(c, http.StatusBadRequest, view)
	}
	if !e.allow(c, limit.SignInsFrom, limit.AddressKey(c.RealIP())) || !e.allow(c, limit.SignInEmails, accountKey(address)) {
		view.Problem = view.Words.TooMany
		return e.showForm(c, http.StatusTooManyRequests, view)
	}
	to := view.To
	write := func(address string, code storage.Token, secret string) (storage.NewJob, error) {
		return e.linkMail(req, address, to, code, secret)
	}
	taken := e.later.do(req.Context(), "mailing sign-in link", func(ctx context.Context) error {
		err := e.deps.Records.MailSignIn(ctx, address, wanted(to), mailedLife, write)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		return err
	})
	if !taken {
		c.Response().Header().Set("Retry-After", "10")
		view.Problem = view.Words.Busy
		return e.showForm(c, http.StatusServiceUnavailable, view)
	}
	view.Sent = true
	return e.send(c, http.StatusOK, view)
}

// linkMail is the job that mails a link.
func (e *Endpoints) linkMail(req *http.Request, address, to string, code storage.Token, secret string) (storage.NewJob, error) {
	link := e.deps.PublicURL.Address() + "/sign-in?code=" + secret
	if to != "" {
		link += "&to=" + url.QueryEscape(to)
	}
	m, err := mail.NewMessage(address, language(req), mail.SignIn{
		Link: link, Minutes: int(mailedLife / time.Minute), Device: deviceOrUnknown(req),
	})
	return mail.NewJob("sign-in "+code.ID, m), err
}

// notice makes the job that tells of a sign-in from a browser not seen before, or by a
// recovery code.
func (e *Endpoints) notice(req *http.Request) func(string, storage.Token) (storage.NewJob, error) {
	return func(address string, session storage.Token) (storage.NewJob, error) {
		if session.Method == storage.ByRecovery {
			return e.SecurityMail(req, mail.RecoveryCodeUsed)(address)
		}
		m, err := mail.NewMessage(address, language(req), mail.NewDevice{
			Device: deviceOrUnknown(req), At: session.CreatedAt, Link: e.deps.PublicURL.Address() + "/settings",
		})
		return mail.NewJob("new device "+session.ID, m), err
	}
}

// SecurityMail makes the job that tells somebody of a change to how they sign in.
func (e *Endpoints) SecurityMail(req *http.Request, change mail.Change) func(address string) (storage.NewJob, error) {
	return func(address string) (storage.NewJob, error) {
		m, err := mail.NewMessage(address, language(req), mail.SignInChanged{
			Change: change, Device: deviceOrUnknown(req), At: storage.Now(), Link: e.deps.PublicURL.Address() + "/settings",
		})
		return mail.NewJob(string(change)+" "+storage.NewID(), m), err
	}
}

func language(req *http.Request) string { return wordsFor(req.Header.Get("Accept-Language")).Lang }

func deviceOrUnknown(req *http.Request) string {
	if name := DeviceName(req.UserAgent()); name != "" {
		return name
	}
	return wordsFor(req.Header.Get("Accept-Language")).SomeDevice
}
