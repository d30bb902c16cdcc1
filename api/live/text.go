package live

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"hark/api/problem"
	"hark/api/rest"
	"hark/api/strictjson"
)

// maxText is the most that a body of text may hold, in bytes. An offer of a
// browser has 2 to 10 KiB.
const maxText = 64 << 10

// text is a body that is read whole.
type text struct {
	mediaType string
	text      string
}

// readText reads a small body of one of the media types. What is too large is
// not read.
func readText(req *http.Request, body io.Reader, mediaTypes ...string) (text, error) {
	mediaType, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(mediaTypes, mediaType) {
		return text{}, problem.Unsupported.Saying("The body must be "+strings.Join(mediaTypes, " or ")+", and its Content-Type must say so.", err)
	}
	if req.ContentLength > maxText {
		return text{}, tooMuchText()
	}
	read, err := io.ReadAll(io.LimitReader(body, maxText+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return text{}, problem.TooSlow.Because(err)
	case err != nil:
		return text{}, problem.Incomplete.Because(fmt.Errorf("read body: %w", err))
	case len(read) > maxText:
		return text{}, tooMuchText()
	case !utf8.Valid(read):
		return text{}, problem.BadRequest.Saying("The body is not text in UTF-8.", nil)
	}
	return text{mediaType: mediaType, text: string(read)}, nil
}

func tooMuchText() error {
	return problem.TooLarge.Saying(fmt.Sprintf("The body may have %d KiB.", maxText>>10), nil)
}

// parsePaused reads {"paused": true}.
func parsePaused(body string) (bool, error) {
	members, err := strictjson.Object([]byte(body))
	if err != nil {
		return false, problem.BadRequest.Saying(`The body is not JSON such as {"paused": true}.`, err)
	}
	for name := range members {
		if name != "paused" {
			return false, problem.Invalid("body."+rest.Shorten(name), "is not known", nil)
		}
	}
	switch string(members["paused"]) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, problem.Invalid("body.paused", "must be true or false", nil)
}

// refusedOffer and refusedPatch add what a refused body should have been.
func refusedOffer(err error) error { return refusedBody(err, "Accept-Post", mediaTypeSDP) }
func refusedPatch(err error) error { return refusedBody(err, "Accept-Patch", acceptPatch) }

func refusedBody(err error, header, accepted string) error {
	var p *problem.Problem
	if errors.As(err, &p) && p.Status == http.StatusUnsupportedMediaType {
		return p.WithHeader(header, accepted)
	}
	return err
}

// rawBody describes a body that its handler reads. It is set after the call is
// registered: otherwise huma would read it.
func rawBody(description string, mediaTypes ...string) *huma.RequestBody {
	content := map[string]*huma.MediaType{}
	for _, mediaType := range mediaTypes {
		content[mediaType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return &huma.RequestBody{Required: true, Description: description, Content: content}
}

// describeBody describes an answer in a form of its own.
func describeBody(op *huma.Operation, status int, description, mediaType string) {
	response := op.Responses[strconv.Itoa(status)]
	if response == nil {
		response = &huma.Response{}
		op.Responses[strconv.Itoa(status)] = response
	}
	response.Description = description
	response.Content = map[string]*huma.MediaType{mediaType: {Schema: &huma.Schema{Type: huma.TypeString}}}
}
