package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"hark/storage"
)

// maxSignInForm is the most that the sign-in form may be, in bytes.
const maxSignInForm = 4 << 10

// routePages lays out what people see in a browser: the app, and the page that
// signs them in.
func (s *Server) routePages() {
	s.routeApp()
	s.getAndHead("/sign-in", s.askSignIn)
	s.echo.POST("/sign-in", s.signIn)
	s.getAndHead(stylePath, s.style)
}

// signInView is what the page shows: a problem, or a button for a code.
type signInView struct {
	Words   signInWords
	Problem string // for people; empty when there is a code
	Code    string
	Name    string // whom the code signs in
	Current string // who is signed in here now and would not be any more; empty for nobody
	Replace string // the id of that session
}

// askSignIn shows whom the address signs in, and a button. Opening the address
// does not use up its code: chats and mail programs open addresses to preview
// them.
func (s *Server) askSignIn(c echo.Context) error {
	return s.showSignIn(c, http.StatusOK, c.QueryParam("code"))
}

// showSignIn shows the page for a code, with status if the code is good.
func (s *Server) showSignIn(c echo.Context, status int, code string) error {
	ctx := c.Request().Context()
	view := signInView{Words: signInWordsFor(c.Request().Header.Get("Accept-Language")), Code: code}
	if code == "" || len(code) > maxSecret {
		return s.refuseSignIn(c, http.StatusBadRequest, view, view.Words.Incomplete)
	}
	whom, err := s.DB.Authenticate(ctx, code, storage.SignInToken)
	if isNoCredential(err) {
		s.security.refused(ctx, eventSignInFailed, err)
		return s.refuseSignIn(c, http.StatusGone, view, view.Words.Used)
	}
	if err != nil {
		return err
	}
	view.Name = whom.UserName
	current, err := s.signedIn(c.Request())
	if err != nil {
		return err
	}
	if current.UserID != whom.UserID {
		view.Current, view.Replace = current.UserName, current.TokenID
	}
	return s.showSignInPage(c, status, view)
}

func (s *Server) refuseSignIn(c echo.Context, status int, view signInView, problem string) error {
	view.Code, view.Problem = "", problem
	return s.showSignInPage(c, status, view)
}

// showSignInPage keeps the page's address, which holds the code, from what is
// loaded and opened next. Over http browsers say where a form comes from by
// the Origin alone, which no-referrer would take away too.
func (s *Server) showSignInPage(c echo.Context, status int, view signInView) error {
	policy := "strict-origin"
	if s.secure() {
		policy = "no-referrer"
	}
	h := c.Response().Header()
	h.Set("Referrer-Policy", policy)
	h.Add("Vary", "Accept-Language, Cookie")
	return s.showPage(c, status, pageSignIn, view)
}

// signIn redeems a one-time code for a session. Another's session ends only
// after its end was announced.
func (s *Server) signIn(c echo.Context) error {
	ctx, req := c.Request().Context(), c.Request()
	if err := s.csrf.Check(req); err != nil {
		s.security.refused(ctx, eventCrossSite, err)
		return kindCrossSite.because(err)
	}
	req.Body = http.MaxBytesReader(c.Response(), req.Body, maxSignInForm)
	code := req.PostFormValue("code")
	if code == "" || len(code) > maxSecret {
		return s.showSignIn(c, http.StatusBadRequest, "")
	}
	before, err := s.signedIn(req)
	if err != nil {
		return err
	}
	if before.UserID != "" && req.PostFormValue("replace") != before.TokenID {
		whom, err := s.DB.Authenticate(ctx, code, storage.SignInToken)
		if err == nil && whom.UserID != before.UserID {
			return s.showSignIn(c, http.StatusConflict, code)
		}
	}
	session, secret, err := s.DB.Redeem(ctx, code, s.cfg.SessionTTL)
	if isNoCredential(err) {
		return s.showSignIn(c, http.StatusGone, code)
	}
	if err != nil {
		return err
	}
	s.security.done(ctx, eventSignIn, session.UserID, session.ID)
	s.endReplaced(ctx, before)
	cookie := s.newSessionCookie(secret, int(s.cfg.SessionTTL.Seconds()))
	c.SetCookie(&cookie)
	return c.Redirect(http.StatusSeeOther, s.base+"/")
}

// endReplaced revokes the session that the browser had before, whose cookie is
// overwritten: nobody could end it any more from here.
func (s *Server) endReplaced(ctx context.Context, before storage.Actor) {
	if before.UserID == "" {
		return
	}
	if err := s.DB.RevokeToken(ctx, before, before.TokenID); err != nil {
		s.Logger.WarnContext(ctx, "session that was replaced not revoked", "token", before.TokenID, "error", err)
		return
	}
	s.security.done(ctx, eventSessionReplaced, before.UserID, before.TokenID)
	s.recheckLive()
}

// signedIn is who the browser is signed in as; zero for nobody.
func (s *Server) signedIn(req *http.Request) (storage.Actor, error) {
	secret, err := s.sessionOf(req)
	if err != nil || secret == "" || len(secret) > maxSecret {
		return storage.Actor{}, nil //nolint:nilerr // two cookies are nobody's
	}
	actor, err := s.DB.Authenticate(req.Context(), secret, storage.SessionToken)
	if isNoCredential(err) {
		return storage.Actor{}, nil
	}
	return actor, err
}

// isNoCredential tells a secret that is none, or none any more, from a failure
// to look.
func isNoCredential(err error) bool {
	return errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrExpired)
}
