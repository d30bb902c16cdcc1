package front

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"hark/api/coding"
	"hark/api/rest"
	"hark/storage"
)

// leastPacked is the size in bytes from which on a body is worth compressing.
const leastPacked = 1 << 10

// entity holds the text that answers a GET or HEAD until it is whole. So it
// leaves with its length, compressed by what the caller takes and, where they
// may keep it, with an entity tag by its content (RFC 9110, section 8.8.3), or
// as 304 when they have it already. What is not text, is a stream, or was
// tagged or compressed before goes straight through.
//
// HEAD is answered with the headers of GET: the body is made, measured and
// dropped here.
type entity struct {
	http.ResponseWriter
	echo   echo.Context
	packer *coding.Packer
	status int // 0 until the header is written
	held   bool
	body   bytes.Buffer
}

// hold makes the answer of c one that is held, if it may be. The returned
// function sends what was.
func (f *Front) hold(c echo.Context) (send func()) {
	if method := c.Request().Method; method != http.MethodGet && method != http.MethodHead {
		return func() {}
	}
	e := &entity{ResponseWriter: c.Response().Writer, echo: c, packer: f.packer}
	c.Response().Writer = e
	return e.send
}

// WriteHeader sends the header, or keeps the status of a body to hold.
func (e *entity) WriteHeader(status int) {
	e.status = status
	if e.held = isText(e.Header()) && hasBody(status); !e.held {
		e.ResponseWriter.WriteHeader(status)
	}
}

// Write sends p, or holds it.
func (e *entity) Write(p []byte) (int, error) {
	if e.status == 0 {
		e.WriteHeader(http.StatusOK)
	}
	if e.held {
		return e.body.Write(p)
	}
	return e.ResponseWriter.Write(p)
}

// FlushError sends what is held as it is: who flushes is sending a stream.
func (e *entity) FlushError() error {
	if e.held {
		e.held = false
		e.ResponseWriter.WriteHeader(e.status)
		if _, err := e.ResponseWriter.Write(e.body.Bytes()); err != nil {
			return err
		}
	}
	return http.NewResponseController(e.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (e *entity) Unwrap() http.ResponseWriter { return e.ResponseWriter }

// isText reports whether the headers are of text in no coding, which nobody
// has tagged.
func isText(header http.Header) bool {
	if header.Get("Content-Encoding") != "" || header.Get("ETag") != "" {
		return false
	}
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || mediaType == "text/event-stream" {
		return false
	}
	return strings.HasPrefix(mediaType, "text/") || mediaType == "application/json" ||
		strings.HasSuffix(mediaType, "+json") || mediaType == "application/x-subrip"
}

func hasBody(status int) bool {
	return status >= http.StatusOK && status != http.StatusNoContent && status != http.StatusNotModified
}

// send sends what is held.
func (e *entity) send() {
	if !e.held {
		return
	}
	header, body := e.Header(), e.body.Bytes()
	header.Add("Vary", "Accept-Encoding")
	chosen := e.coding()
	if e.status == http.StatusOK && !strings.Contains(header.Get("Cache-Control"), "no-store") {
		tag := contentTag(body)
		if chosen != "" {
			header.Set("ETag", "W/"+tag)
		} else {
			header.Set("ETag", tag)
		}
		if rest.TagMatches(e.echo.Request().Header, tag) {
			header.Del("Content-Type")
			e.echo.Response().Status = http.StatusNotModified // for the log
			e.ResponseWriter.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if chosen != "" {
		header.Set("Content-Encoding", chosen)
		body = e.packer.Pack(chosen, body)
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	e.ResponseWriter.WriteHeader(e.status)
	if e.echo.Request().Method != http.MethodHead {
		_, _ = e.ResponseWriter.Write(body) // a caller who has gone needs no telling
	}
}

// coding chooses how to compress what is held. An answer that another site has
// a signed-in browser ask for is not: with words of that site's choice in it,
// its length would tell what else is in it (BREACH).
func (e *entity) coding() string {
	req := e.echo.Request()
	if e.body.Len() < leastPacked {
		return ""
	}
	if call := rest.CallFrom(req.Context()); call != nil && call.Kind == storage.SessionToken && !fromOurPages(req) {
		return ""
	}
	return coding.Choose(req.Header.Get("Accept-Encoding"), coding.Zstd, coding.Gzip)
}

// fromOurPages reports whether a browser says that our own pages or its user
// made it ask, or does not say.
func fromOurPages(req *http.Request) bool {
	site := req.Header.Get("Sec-Fetch-Site")
	return site == "" || site == "same-origin" || site == "none"
}

// contentTag is the strong entity tag of a body.
func contentTag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}
