package openai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"

	"hark/media"
	"hark/transcribe"
	"hark/transcribe/lang"
)

// maxReply bounds what we read of an answer. An hour of words with times is 1 MB.
const maxReply = 16 << 20

var (
	errTimeout    = errors.New("no answer in time")
	errReplyLarge = errors.New("the answer is too large")
)

// once sends a chunk one time and reads the answer.
func (e *Engine) once(ctx context.Context, c chunk, opts transcribe.Options) (*reply, error) {
	leave, err := e.gate.Enter(ctx, "", int(opts.Priority))
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, e.cfg.Timeout, errTimeout)
	defer cancel()
	req, err := e.newRequest(ctx, c, opts)
	if err != nil {
		return nil, err
	}
	resp, err := e.cfg.HTTPClient.Do(req)
	if err != nil {
		return nil, e.networkError(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, e.refusal(resp)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err != nil {
		return nil, e.networkError(ctx, err)
	}
	if len(body) > maxReply {
		return nil, errReplyLarge
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind == "text/plain" && !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		text := string(body)
		return &reply{Text: &text}, nil // a server that knows no other form
	}
	r, err := parseReply(body)
	if err != nil {
		return nil, &callError{message: e.redact(err.Error()), again: true}
	}
	return r, nil
}

// networkError is the error of a request that got no whole answer.
func (e *Engine) networkError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return &callError{message: e.redact(err.Error()), cause: context.Cause(ctx), again: true}
}

// newRequest makes the request for a chunk. Its length is known, as some
// servers take no chunked bodies, and the sound is not copied.
func (e *Engine) newRequest(ctx context.Context, c chunk, opts transcribe.Options) (*http.Request, error) {
	var head bytes.Buffer
	form := multipart.NewWriter(&head)
	fields := [][2]string{{"model", e.cfg.Model}}
	if e.plain.Load() {
		fields = append(fields, [2]string{"response_format", "json"})
	} else {
		fields = append(fields, [2]string{"response_format", "verbose_json"},
			[2]string{"timestamp_granularities[]", "word"}, [2]string{"timestamp_granularities[]", "segment"})
	}
	if language := lang.Primary(opts.Language); language != "" {
		fields = append(fields, [2]string{"language", language})
	}
	for _, f := range fields {
		if err := form.WriteField(f[0], f[1]); err != nil {
			return nil, fmt.Errorf("write form: %w", err)
		}
	}
	_, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="audio.wav"`},
		"Content-Type":        {"audio/wav"},
	})
	if err != nil {
		return nil, fmt.Errorf("write form: %w", err)
	}
	head.Write(media.WAVHeader(media.SampleRate, 1, len(c.pcm)))
	tail := "\r\n--" + form.Boundary() + "--\r\n"
	open := func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(head.Bytes()), bytes.NewReader(c.pcm), strings.NewReader(tail))), nil
	}
	body, _ := open()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.GetBody = open
	req.ContentLength = int64(head.Len() + len(c.pcm) + len(tail))
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Accept", "application/json")
	if e.cfg.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+e.cfg.APIKey)
	}
	return req, nil
}

// redact takes the key out of a text.
func (e *Engine) redact(s string) string {
	if e.cfg.APIKey == "" {
		return s
	}
	return strings.ReplaceAll(s, e.cfg.APIKey, "[key]")
}
