package api

import (
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

// askSignIn shows a button. Opening the address does not use up its code:
// chats and mail programs open addresses to preview them.
func (s *Server) askSignIn(c echo.Context) error {
	if code := c.QueryParam("code"); code != "" && len(code) <= maxSecret {
		return s.showPage(c, http.StatusOK, pageSignIn, signInView{Code: code})
	}
	return s.showPage(c, http.StatusBadRequest, pageSignIn, signInView{Problem: "This address is not complete. Open it as it was printed."})
}

// signIn redeems a one-time code for a session.
func (s *Server) signIn(c echo.Context) error {
	if err := s.csrf.Check(c.Request()); err != nil {
		return kindCrossSite.because(err)
	}
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, maxSignInForm)
	code := c.FormValue("code")
	if code == "" || len(code) > maxSecret {
		return s.showPage(c, http.StatusBadRequest, pageSignIn, signInView{Problem: "This address is not complete. Open it as it was printed."})
	}
	_, secret, err := s.DB.Redeem(c.Request().Context(), code, s.cfg.SessionTTL)
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrExpired) {
		return s.showPage(c, http.StatusGone, pageSignIn, signInView{Problem: "This sign-in address was used before, or is too old. Ask for a new one."})
	}
	if err != nil {
		return err
	}
	cookie := s.newSessionCookie(secret, int(s.cfg.SessionTTL.Seconds()))
	c.SetCookie(&cookie)
	return c.Redirect(http.StatusSeeOther, "/")
}

// newSessionCookie holds a session for maxAge seconds; a negative maxAge
// clears it.
func (s *Server) newSessionCookie(secret string, maxAge int) http.Cookie {
	return http.Cookie{
		Name:     sessionCookie,
		Value:    secret,
		Path:     "/",
		MaxAge:   maxAge,
		HttpOnly: true,
		Secure:   s.public.Scheme == "https",
		SameSite: http.SameSiteLaxMode,
	}
}
