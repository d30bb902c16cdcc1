package api

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"hark/api/coding"
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
	page := s.showUnbuilt
	if app.Page != nil {
		below := app.Page.Below(s.base)
		page = func(c echo.Context) error { return sendAppFile(c, pageStatus(c), below) }
	}
	for _, path := range []string{"/", "/c/:id", "/m/:id", "/search", "/settings"} {
		s.getAndHead(path, page)
	}
	for name, file := range app.Files {
		s.getAndHead("/"+name, func(c echo.Context) error { return sendAppFile(c, http.StatusOK, file) })
	}
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
	h.Set("Content-Length", strconv.Itoa(len(body)))
	tag := `"` + f.Tag + `"`
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
		tag = `"` + f.Tag + "-" + encoding + `"`
	}
	h.Set("ETag", tag)
	if status == http.StatusOK && fresh(c.Request().Header, tag, storage.Now()) {
		h.Del("Content-Encoding")
		h.Del("Content-Length")
		return c.NoContent(http.StatusNotModified)
	}
	return c.Blob(status, f.Type, body)
}

func packed(f *web.File, accept string) (body []byte, encoding string) {
	forms := map[string][]byte{coding.Brotli: f.Brotli, coding.Gzip: f.Gzip, "": f.Body}
	var offered []string
	for _, name := range []string{coding.Brotli, coding.Gzip} {
		if forms[name] != nil {
			offered = append(offered, name)
		}
	}
	encoding = coding.Choose(accept, offered...)
	return forms[encoding], encoding
}

// showUnbuilt stands in for an app that was not built into this program.
func (s *Server) showUnbuilt(c echo.Context) error {
	page, err := renderPage(pageUnbuilt, s.base)
	if err != nil {
		return fmt.Errorf("show that there is no app: %w", err)
	}
	return sendPage(c, http.StatusOK, page)
}
