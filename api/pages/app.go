package pages

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"hark/api/coding"
	"hark/api/rest"
	"hark/api/web"
	"hark/storage"
)

// appCSP lets the app run its own scripts and styles, talk to us, and play and
// show what it made itself; nothing inline, nothing from elsewhere.
const appCSP = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
	"media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; font-src 'self'; object-src 'none'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types svelte-trusted-html hark-worker"

// app is opened when the program starts; it is part of it, and cannot fail in
// any other way than in its tests.
var app = web.Must(web.Open())

// App serves the browser app. It finds out by itself whether people are signed in.
type App struct {
	base string    // of the public address
	page *web.File // as it is below base; nil when the app is not built
}

// NewApp makes the [App] that this program carries, below a public address.
func NewApp(public rest.PublicURL) *App {
	a := &App{base: public.Base}
	if app.Page != nil {
		a.page = app.Page.Below(public.Base)
	}
	return a
}

// Page is the page of every address that people open.
func (a *App) Page(c echo.Context) error { return a.show(c, pageStatus(c)) }

// Files are what the page loads, by their paths.
func (a *App) Files() map[string]echo.HandlerFunc {
	files := map[string]echo.HandlerFunc{}
	for name, file := range app.Files {
		files["/"+name] = func(c echo.Context) error { return sendAppFile(c, http.StatusOK, file) }
	}
	return files
}

// NotFound answers with the app's page where the address is none of ours and
// somebody mistyped it: the page says so to people. It reports whether it did.
func (a *App) NotFound(c echo.Context, err error) bool {
	if !errors.Is(err, echo.ErrNotFound) || !wantsPage(c.Request()) || c.Response().Committed {
		return false
	}
	c.Response().Header().Set("Vary", "Accept")
	return a.show(c, http.StatusNotFound) == nil
}

// wantsPage reports whether a person asks with a browser, and not a program.
func wantsPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		strings.Contains(r.Header.Get("Accept"), "text/html") && !strings.HasPrefix(r.URL.Path, "/v1/")
}

// pageStatus is 404 for an address that holds an id which cannot be one; the
// page says so to people.
func pageStatus(c echo.Context) int {
	if id := c.Param("id"); id != "" && !rest.IsID(id) {
		return http.StatusNotFound
	}
	return http.StatusOK
}

// sendAppFile sends a file in the smallest form that the browser takes.
func sendAppFile(c echo.Context, status int, f *web.File) error {
	header := c.Response().Header()
	header.Add("Vary", "Accept-Encoding")
	if f.Hashed { // parts of a page, which is what has a policy
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		header.Set("Cache-Control", "no-cache")
		header.Set("Content-Security-Policy", appCSP)
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Permissions-Policy", "microphone=(self), camera=(), geolocation=()")
	}
	body, encoding := packed(f, c.Request().Header.Get("Accept-Encoding"))
	header.Set("Content-Length", strconv.Itoa(len(body)))
	tag := `"` + f.Tag + `"`
	if encoding != "" {
		header.Set("Content-Encoding", encoding)
		tag = `"` + f.Tag + "-" + encoding + `"`
	}
	header.Set("ETag", tag)
	if status == http.StatusOK && rest.Fresh(c.Request().Header, tag, storage.Now()) {
		header.Del("Content-Encoding")
		header.Del("Content-Length")
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

// show answers with the app's page, or says that the app was not built into this
// program.
func (a *App) show(c echo.Context, status int) error {
	if a.page != nil {
		return sendAppFile(c, status, a.page)
	}
	return Show(c, status, unbuiltPage, a.base)
}
