package api

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"

	"github.com/labstack/echo/v4"
)

//go:embed page
var pageFiles embed.FS

// pageTemplates are parsed when the program starts; they are part of it, and
// cannot fail in any other way than in its tests.
var pageTemplates = template.Must(template.ParseFS(pageFiles, "page/*.html"))

// The pages by the names of their templates, and what each shows.
const (
	pageUnbuilt = "unbuilt.html"
	pageSignIn  = "signin.html"
	pageDocs    = "docs.html"
	stylePath   = "/page.css"
)

// pageCSP lets a page have our style sheet and send its form to us, and
// nothing else: no script, nothing inline, nothing from elsewhere.
const pageCSP = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (s *Server) showPage(c echo.Context, status int, name string, view any) error {
	page, err := renderPage(name, view)
	if err != nil {
		return err
	}
	return sendPage(c, status, page)
}

func renderPage(name string, view any) ([]byte, error) {
	var page bytes.Buffer
	if err := pageTemplates.ExecuteTemplate(&page, name, view); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return page.Bytes(), nil
}

func sendPage(c echo.Context, status int, page []byte) error {
	h := c.Response().Header()
	h.Set("Content-Security-Policy", pageCSP)
	return c.HTMLBlob(status, page)
}

func (s *Server) style(c echo.Context) error {
	css, err := pageFiles.ReadFile("page/page.css")
	if err != nil {
		return fmt.Errorf("read style: %w", err)
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=300")
	return c.Blob(http.StatusOK, "text/css; charset=utf-8", css)
}
