package web

import (
	"testing"
	"testing/fstest"
)

func TestOpen(t *testing.T) {
	app, err := open(fstest.MapFS{
		".gitkeep":                {},
		"index.html":              {Data: []byte("<!doctype html>")},
		"assets/index-abc.js":     {Data: []byte("let a = 1")},
		"assets/index-abc.js.br":  {Data: []byte("br")},
		"assets/index-abc.js.gz":  {Data: []byte("gz")},
		"assets/index-abc.js.map": {Data: []byte("{}")},
		"icon.svg":                {Data: []byte("<svg/>")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if app.Page == nil || len(app.Files) != 2 {
		t.Fatalf("page %v, %d files", app.Page, len(app.Files))
	}
	script, icon := app.Files["assets/index-abc.js"], app.Files["icon.svg"]
	if !script.Hashed || string(script.Brotli) != "br" || string(script.Gzip) != "gz" || script.Type != "text/javascript; charset=utf-8" {
		t.Errorf("%+v", script)
	}
	if icon.Hashed || icon.Brotli != nil || icon.Tag == script.Tag || icon.Tag == "" {
		t.Errorf("%+v", icon)
	}
}

func TestOpenUnbuilt(t *testing.T) {
	app, err := open(fstest.MapFS{".gitkeep": {}})
	if err != nil || app.Page != nil || len(app.Files) != 0 {
		t.Errorf("%+v, %v", app, err)
	}
	if _, err := Open(); err != nil {
		t.Error(err)
	}
}

func TestBelow(t *testing.T) {
	page := &File{Type: "text/html", Body: []byte(`<html lang="en"><link href="/icon.svg"><script src="/assets/a.js"></script>`), Tag: "a", Gzip: []byte("gz")}
	if page.Below("") != page {
		t.Error("a page at the root is another")
	}
	got := page.Below("/voice/hark")
	want := `<html data-base="/voice/hark" lang="en"><link href="/voice/hark/icon.svg"><script src="/voice/hark/assets/a.js"></script>`
	if string(got.Body) != want || got.Tag == page.Tag || got.Gzip != nil {
		t.Errorf("%+v: %s", got, got.Body)
	}
}
