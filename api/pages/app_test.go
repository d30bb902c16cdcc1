package pages

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"hark/api/web"
)

func TestSendAppFile(t *testing.T) {
	file := &web.File{Type: "text/javascript; charset=utf-8", Body: []byte("plain"), Gzip: []byte("gz"), Brotli: []byte("br"), Tag: "abc", Hashed: true}
	send := func(f *web.File, headers ...string) *httptest.ResponseRecorder {
		req, rec := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil), httptest.NewRecorder()
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		if err := sendAppFile(echo.New().NewContext(req, rec), 200, f); err != nil {
			t.Fatal(err)
		}
		return rec
	}
	for accept, want := range map[string][2]string{
		"":                       {"plain", ""},
		"gzip":                   {"gz", "gzip"},
		"gzip, deflate, br":      {"br", "br"},
		"br;q=0, GZIP;q=0.5":     {"gz", "gzip"},
		"br; q=0.000, gzip; q=0": {"plain", ""},
	} {
		rec := send(file, "Accept-Encoding", accept)
		if rec.Body.String() != want[0] || rec.Header().Get("Content-Encoding") != want[1] {
			t.Errorf("%q: %q, %q", accept, rec.Body.String(), rec.Header().Get("Content-Encoding"))
		}
		if !strings.Contains(rec.Header().Get("Cache-Control"), "immutable") || rec.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: %v", accept, rec.Header())
		}
	}
	if rec := send(file, "Accept-Encoding", "br", "If-None-Match", `"abc-br"`); rec.Code != 304 || rec.Body.Len() != 0 {
		t.Errorf("%d %q", rec.Code, rec.Body.String())
	}
	if rec := send(&web.File{Body: []byte("page"), Tag: "abc"}, "Accept-Encoding", "br, gzip"); rec.Header().Get("Cache-Control") != "no-cache" || rec.Body.String() != "page" {
		t.Errorf("%v", rec.Header())
	}
}
