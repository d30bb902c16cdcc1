package signin

import (
	"cmp"
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
	write := func(whom storage.Addressee, code storage.Token, secret string) (storage.NewJob, error) {
		return e.linkMail(req, whom, to, code, secret)
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
func (e *Endpoints) linkMail(req *http.Request, whom storage.Addressee, to string, code storage.Token, secret string) (storage.NewJob, error) {
	link := e.deps.PublicURL.Address() + "/sign-in?code=" + secret
	if to != "" {
		link += "&to=" + url.QueryEscape(to)
	}
	m, err := mail.NewMessage(whom.Email, language(whom, req), mail.SignIn{
		Link: link, Minutes: int(mailedLife / time.Minute), Device: deviceOrUnknown(req),
	})
	return mail.NewJob("sign-in "+code.ID, m), err
}

// notice makes the job that tells of a sign-in from a browser not seen before, or by a
// recovery code.
func (e *Endpoints) notice(req *http.Request) func(storage.Addressee, storage.Token) (storage.NewJob, error) {
	return func(to storage.Addressee, session storage.Token) (storage.NewJob, error) {
		if session.Method == storage.ByRecovery {
			return e.SecurityMail(req, mail.RecoveryCodeUsed)(to)
		}
		m, err := mail.NewMessage(to.Email, language(to, req), mail.NewDevice{
			Device: deviceOrUnknown(req), At: session.CreatedAt, Link: e.deps.PublicURL.Address() + "/settings",
		})
		return mail.NewJob("new device "+session.ID, m), err
	}
}

// SecurityMail makes the job that tells somebody of a change to how they sign in.
func (e *Endpoints) SecurityMail(req *http.Request, change mail.Change) storage.Notice {
	return func(to storage.Addressee) (storage.NewJob, error) {
		m, err := mail.NewMessage(to.Email, language(to, req), mail.SignInChanged{
			Change: change, Device: deviceOrUnknown(req), At: storage.Now(), Link: e.deps.PublicURL.Address() + "/settings",
		})
		return mail.NewJob(string(change)+" "+storage.NewID(), m), err
	}
}

// EmailMails makes the jobs that mail of an address which is to be confirmed, for somebody
// in a workspace, who asks for it.
func (e *Endpoints) EmailMails(req *http.Request, name, workspace string) *storage.EmailMails {
	return &storage.EmailMails{
		Confirm: func(to storage.Addressee, secret string) (storage.NewJob, error) {
			m, err := mail.NewMessage(to.Email, language(to, req), mail.ConfirmEmail{
				Name: name, Workspace: workspace, Device: deviceOrUnknown(req), Link: e.deps.PublicURL.Address() + "/confirm-email?code=" + secret, Until: storage.Now().Add(storage.EmailChangeLife),
			})
			return mail.NewJob("confirm email "+storage.NewID(), m), err
		},
		Taken: func(to storage.Addressee) (storage.NewJob, error) {
			m, err := mail.NewMessage(to.Email, language(to, req), mail.EmailTaken{Link: e.deps.PublicURL.Address() + "/sign-in"})
			return mail.NewJob("email taken "+storage.NewID(), m), err
		},
	}
}

// language is that of a mail: as who gets it chose, or else as who asks for it does.
func language(to storage.Addressee, req *http.Request) string {
	return cmp.Or(to.Language, wordsFor(req.Header.Get("Accept-Language")).Lang)
}

func deviceOrUnknown(req *http.Request) string {
	if name := DeviceName(req.UserAgent()); name != "" {
		return name
	}
	return wordsFor(req.Header.Get("Accept-Language")).SomeDevice
}
