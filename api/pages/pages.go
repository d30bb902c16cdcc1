// Package pages answers what people open in a browser: the app, the description
// of the API as a page, and the style of the pages that are not the app's.
//
// Pages ask nothing of other hosts. Those that are made here run no script, but for
// the one that is [ShowScripted].
package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"

	"github.com/labstack/echo/v4"
)

//go:embed *.html page.css
var files embed.FS

// The templates are parsed when the program starts; they are part of it, and
// cannot fail in any other way than in its tests.
var (
	docsPage    = template.Must(template.ParseFS(files, "docs.html"))
	unbuiltPage = template.Must(template.ParseFS(files, "unbuilt.html"))
)

// pageCSP lets a page have our style sheet and send its form to us, and
// nothing else: no script, nothing inline, nothing from elsewhere.
const pageCSP = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// scriptedCSP lets a page run our scripts too, and these ask us.
const scriptedCSP = pageCSP + "; script-src 'self'; connect-src 'self'"

// Show renders a page with [Style] and without scripts.
func Show(c echo.Context, status int, page *template.Template, view any) error {
	return show(c, status, pageCSP, page, view)
}

// ShowUnderCode is Show of a page whose address holds a code, which it keeps from what is
// loaded and opened next. Over http browsers say where a form comes from by the Origin
// alone, which no-referrer would take away too.
func ShowUnderCode(c echo.Context, status int, secure bool, page *template.Template, view any) error {
	keepCode(c, secure)
	return show(c, status, pageCSP, page, view)
}

// ShowScripted is ShowUnderCode of a page that scripts of ours run in.
func ShowScripted(c echo.Context, status int, secure bool, page *template.Template, view any) error {
	keepCode(c, secure)
	return show(c, status, scriptedCSP, page, view)
}

func keepCode(c echo.Context, secure bool) {
	policy := "strict-origin"
	if secure {
		policy = "no-referrer"
	}
	header := c.Response().Header()
	header.Set("Referrer-Policy", policy)
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Accept-Language, Cookie")
}

func show(c echo.Context, status int, policy string, page *template.Template, view any) error {
	rendered, err := render(page, view)
	if err != nil {
		return err
	}
	return send(c, status, policy, rendered)
}

func render(page *template.Template, view any) ([]byte, error) {
	var rendered bytes.Buffer
	if err := page.Execute(&rendered, view); err != nil {
		return nil, fmt.Errorf("render %s: %w", page.Name(), err)
	}
	return rendered.Bytes(), nil
}

func send(c echo.Context, status int, policy string, page []byte) error {
	c.Response().Header().Set("Content-Security-Policy", policy)
	return c.HTMLBlob(status, page)
}

// Style is the style sheet of the pages that [Show] renders.
func Style(c echo.Context) error {
	css, err := files.ReadFile("page.css")
	if err != nil {
		return fmt.Errorf("read style: %w", err)
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=300")
	return c.Blob(http.StatusOK, "text/css; charset=utf-8", css)
}
