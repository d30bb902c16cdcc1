package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"hark/media/backoff"
	"hark/transcribe"
)

const (
	maxPatience = 2 * time.Minute // a server that asks for more gets the whole job back later
	maxMessage  = 300             // characters of a server's words that we keep
)

// pauses are between the tries of a call, where the server asks for none.
var pauses = backoff.Policy{First: 500 * time.Millisecond, Most: 30 * time.Second}

// callError is a request that failed.
type callError struct {
	status  int           // 0 when there was no answer
	message string        // bounded, without the key
	cause   error         // ctx's cause where the request was cut off
	after   time.Duration // the server's wish; 0 means none
	again   bool          // trying again may help
}

func (e *callError) Error() string {
	if e.status == 0 {
		return "ask transcription server: " + e.message
	}
	return fmt.Sprintf("transcription server answered %d: %s", e.status, e.message)
}

func (e *callError) Unwrap() error { return e.cause }

// RetryAfter is how long the server asks us to stay away; 0 when it does not.
func (e *callError) RetryAfter() time.Duration { return e.after }

// wantsPlain reports whether the server refused the form of answer that we
// asked for, as some models have no times to give.
func (e *callError) wantsPlain() bool {
	return (e.status == http.StatusBadRequest || e.status == http.StatusUnprocessableEntity) &&
		(strings.Contains(e.message, "response_format") || strings.Contains(e.message, "verbose_json") ||
			strings.Contains(e.message, "timestamp_granularities"))
}

// request sends a chunk until there is an answer, or no hope of one.
func (e *Engine) request(ctx context.Context, c chunk, opts transcribe.Options) (*reply, error) {
	for try := 0; ; try++ {
		plain := e.plain.Load()
		r, err := e.once(ctx, c, opts)
		if err == nil {
			return r, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var call *callError
		if errors.As(err, &call) && call.wantsPlain() && !plain {
			e.plain.Store(true)
			continue
		}
		if !errors.As(err, &call) || !call.again || try >= e.cfg.MaxRetries || call.after > maxPatience {
			return nil, permanent(call, err)
		}
		wait := max(pauses.After(try+1), call.after)
		e.cfg.Logger.WarnContext(ctx, "transcription server request failed, retrying", "try", try+1, "wait", wait, "error", err)
		if err := backoff.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// refusal reads an answer that is not 200.
func (e *Engine) refusal(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // what there is of it will do
	message, code := serverMessage(body)
	call := &callError{
		status:  resp.StatusCode,
		message: bounded(e.redact(message)),
		after:   retryAfter(resp.Header.Get("Retry-After"), time.Now()),
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		call.again = code != "insufficient_quota" // paid-up or not is for people to mend
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly:
		call.again = true
	default:
		call.again = resp.StatusCode >= 500
	}
	return call
}

// permanent makes an answer that stays the same for ever a failure with words
// for people. The server's own words are for the log.
func permanent(call *callError, err error) error {
	if call == nil || call.again || call.status < 300 {
		return err
	}
	var reason string
	switch call.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		reason = "The transcription server sends Hark to another address, where no sound is sent unasked. An administrator has to set HARK_OPENAI_URL to the right one; then retry."
	case http.StatusUnauthorized, http.StatusForbidden:
		reason = "The transcription server does not accept Hark's key. An administrator has to set a valid one; then retry."
	case http.StatusTooManyRequests, http.StatusPaymentRequired:
		reason = "The account at the transcription server is used up. An administrator has to renew it; then retry."
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		reason = "The transcription server does not know the model or the address that is set. An administrator has to correct them; then retry."
	case http.StatusRequestEntityTooLarge:
		reason = "The transcription server takes only smaller pieces. An administrator has to set a shorter chunk duration; then retry."
	default:
		reason = fmt.Sprintf("The transcription server refuses this recording (status %d); the server's log says why. The recording is kept and plays.", call.status)
	}
	return transcribe.Fail(call, "%s", reason)
}

// serverMessage finds the words for people and the code in an error body, in
// the forms that are about: OpenAI's, a bare string, and FastAPI's.
func serverMessage(body []byte) (message, code string) {
	var outer struct {
		Error   json.RawMessage `json:"error"`
		Detail  json.RawMessage `json:"detail"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(body, &outer) != nil {
		return string(body), ""
	}
	var inner struct {
		Message string `json:"message"`
		Code    any    `json:"code"`
	}
	if json.Unmarshal(outer.Error, &inner) == nil && inner.Message != "" {
		code, _ := inner.Code.(string)
		return inner.Message, code
	}
	for _, raw := range []json.RawMessage{outer.Error, outer.Detail} {
		var text string
		if json.Unmarshal(raw, &text) == nil && text != "" {
			return text, ""
		}
	}
	if outer.Message != "" {
		return outer.Message, ""
	}
	return string(body), ""
}

// bounded makes a server's words one short line.
func bounded(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if runes := []rune(s); len(runes) > maxMessage {
		return string(runes[:maxMessage]) + "…"
	}
	return s
}

// retryAfter reads the header of that name (RFC 9110, section 10.2.3): seconds
// or a date. It returns 0 for none, nonsense, or a time that is past.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(strings.TrimSpace(header)); err == nil {
		return time.Duration(min(max(seconds, 0), 24*3600)) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return min(max(date.Sub(now), 0), 24*time.Hour)
	}
	return 0
}
