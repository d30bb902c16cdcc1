// Package web is the browser app: what people see. Its source is in src
// (Svelte, TypeScript); Vite builds it into dist, which is embedded here and
// served by package pages. The app talks to Hark through the public API alone,
// by types that are generated from the API's description.
//
// Beside each file that is worth it the build leaves what brotli and gzip make
// of it, so that nothing is compressed while somebody waits.
//
// dist is not in git. Without it Hark builds and serves its API all the same,
// and [Open] has no page.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// File is one file of the app. It is not to be changed.
type File struct {
	Type   string // media type, with its charset
	Body   []byte
	Brotli []byte // nil where it is not smaller
	Gzip   []byte // nil where it is not smaller
	Tag    string // names the content, as a strong entity tag without its quotes

	// Hashed says that the name changes with the content, so that it may be
	// kept for ever.
	Hashed bool
}

// App is the built app.
type App struct {
	// Page is the page of every address that people open; nil when the app is
	// not built.
	Page *File
	// Files are all others, by their path without a leading slash.
	Files map[string]*File
}

// Open returns the app that this program carries.
func Open() (*App, error) {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("open the web app: %w", err)
	}
	return open(built)
}

// Below returns a page as it is for an app below a path, such as /hark: with its
// files there, and the path told to its scripts. For "" it is the page itself.
func (f *File) Below(base string) *File {
	if base == "" {
		return f
	}
	body := bytes.ReplaceAll(f.Body, []byte(`="/`), []byte(`="`+base+`/`))
	body = bytes.Replace(body, []byte("<html "), []byte(`<html data-base="`+base+`" `), 1)
	return &File{Type: f.Type, Body: body, Tag: tagOf(body)}
}

// Must returns app, and panics on an error.
func Must(app *App, err error) *App {
	if err != nil {
		panic(err)
	}
	return app
}

func open(built fs.FS) (*App, error) {
	app := &App{Files: map[string]*File{}}
	err := fs.WalkDir(built, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || mediaTypes[path.Ext(name)] == "" {
			return err
		}
		file, err := read(built, name)
		if err != nil {
			return err
		}
		if name == "index.html" {
			app.Page = file
			return nil
		}
		app.Files[name] = file
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the web app: %w", err)
	}
	return app, nil
}

func read(built fs.FS, name string) (*File, error) {
	body, err := fs.ReadFile(built, name)
	if err != nil {
		return nil, err
	}
	file := &File{
		Type: mediaTypes[path.Ext(name)], Body: body,
		Tag: tagOf(body), Hashed: strings.HasPrefix(name, "assets/"),
	}
	for suffix, into := range map[string]*[]byte{".br": &file.Brotli, ".gz": &file.Gzip} {
		packed, err := fs.ReadFile(built, name+suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		*into = packed
	}
	return file, nil
}

func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:12])
}

// mediaTypes are the kinds of file that an app may have. Nothing else is
// served, and the packed forms only in place of what they were made of.
var mediaTypes = map[string]string{
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".css":         "text/css; charset=utf-8",
	".svg":         "image/svg+xml",
	".png":         "image/png",
	".ico":         "image/x-icon",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}
