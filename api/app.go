package api

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"hark/api/web"
	"hark/storage"
)

// appCSP lets the app run its own scripts and styles, talk to us, and play and
// show what it made itself; nothing inline, nothing from elsewhere.
const appCSP = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
	"media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; font-src 'none'; object-src 'none'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types svelte-trusted-html hark-worker"

// app is opened when the program starts; it is part of it, and cannot fail in
// any other way than in its tests.
var app = web.Must(web.Open())

// routeApp lays out what people open in a browser. The app itself finds out
// whether they are signed in.
func (s *Server) routeApp() {
	page := showUnbuilt
	if app.Page != nil {
		page = func(c echo.Context) error { return sendAppFile(c, pageStatus(c), app.Page) }
	}
	for _, path := range []string{"/", "/c/:id", "/m/:id", "/search", "/settings"} {
		s.getAndHead(path, page)
	}
	for name, file := range app.Files {
		s.getAndHead("/"+name, func(c echo.Context) error { return sendAppFile(c, http.StatusOK, file) })
	}
}

func (s *Server) getAndHead(path string, handle echo.HandlerFunc) {
	s.echo.GET(path, handle)
	s.echo.HEAD(path, handle)
}

// pageStatus is 404 for an address that holds an id which cannot be one; the
// page says so to people.
func pageStatus(c echo.Context) int {
	if id := c.Param("id"); id != "" && !isID(id) {
		return http.StatusNotFound
	}
	return http.StatusOK
}

// sendAppFile sends a file in the smallest form that the browser takes.
func sendAppFile(c echo.Context, status int, f *web.File) error {
	h := c.Response().Header()
	h.Set("Content-Security-Policy", appCSP)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "microphone=(self), camera=(), geolocation=()")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if f.Hashed {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, encoding := packed(f, c.Request().Header.Get("Accept-Encoding"))
	tag := `"` + f.Tag + `"`
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
		tag = `"` + f.Tag + "-" + encoding + `"`
	}
	h.Set("ETag", tag)
	if status == http.StatusOK && fresh(c.Request().Header, tag, storage.Now()) {
		h.Del("Content-Encoding")
		return c.NoContent(http.StatusNotModified)
	}
	return c.Blob(status, f.Type, body)
}

func packed(f *web.File, accept string) (body []byte, encoding string) {
	if f.Brotli != nil && accepts(accept, "br") {
		return f.Brotli, "br"
	}
	if f.Gzip != nil && accepts(accept, "gzip") {
		return f.Gzip, "gzip"
	}
	return f.Body, ""
}

// accepts reports whether an Accept-Encoding header names a coding without
// forbidding it (RFC 9110, section 12.5.3).
func accepts(header, coding string) bool {
	for _, part := range strings.Split(header, ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			weight = strings.TrimRight(strings.ReplaceAll(weight, " ", ""), "0")
			return weight != "q=" && weight != "q=0."
		}
	}
	return false
}

// showUnbuilt stands in for an app that was not built into this program.
func showUnbuilt(c echo.Context) error {
	page, err := renderPage(pageUnbuilt, nil)
	if err != nil {
		return fmt.Errorf("show that there is no app: %w", err)
	}
	return sendPage(c, http.StatusOK, page)
}
