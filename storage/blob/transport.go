package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"hark/storage"
)

const dialTime = 3 * time.Second

// patience is how long a call may take, its retries included, before the
// store counts as lost.
type patience struct {
	short    time.Duration // a call without a body, or until a download's first byte
	part     time.Duration // sending one part of up to 5 MiB
	complete time.Duration // a server may copy all parts before it answers
	stall    time.Duration // a download that brings no byte for so long is dead
}

func usualPatience() patience {
	return patience{
		short:    15 * time.Second,
		part:     time.Minute,
		complete: 5 * time.Minute,
		stall:    30 * time.Second,
	}
}

var errSilent = errors.New("object store stopped sending")

// NewHTTPClient makes the client that a [Store] uses when it is given none.
func NewHTTPClient() *http.Client {
	dialer := &net.Dialer{Timeout: dialTime, KeepAlive: 15 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           dialer.DialContext,
			TLSHandshakeTimeout:   dialTime,
			ExpectContinueTimeout: time.Second,
			MaxIdleConns:          128,
			MaxIdleConnsPerHost:   128, // there is only one host
			IdleConnTimeout:       30 * time.Second,
			DisableCompression:    true, // sound does not shrink, and sums are of the bytes as kept
			ForceAttemptHTTP2:     true,
		},
		// A redirect tells of a wrong region; the signature is good for one host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func newRetryer(keys keyring) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		o.MaxBackoff = 2 * time.Second
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(isHopeless), retry.IsErrorRetryableFunc(keys.renews)}, o.Retryables...)
	})
}

// isHopeless makes what no second attempt mends fail at once.
func isHopeless(err error) aws.Ternary {
	if isUntrusted(err) || isPlain(err) {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// isMissing tells whether the store says that the object or bucket is not there.
func isMissing(err error) bool {
	switch errorCode(err) {
	case "NoSuchKey", "NotFound", "NoSuchBucket":
		return true
	}
	return false
}

// isFull reports whether a store refused an object for want of room (RFC 4918,
// section 11.5).
func isFull(err error) bool {
	return answerStatus(err) == http.StatusInsufficientStorage
}

// objectError names the operation and the object, and turns what is missing
// into storage.ErrNotFound, and a full disk into storage.ErrNoSpace. A missing bucket is a fault, not a missing object.
func objectError(op, key string, err error) error {
	if errorCode(err) == "NoSuchBucket" {
		return fmt.Errorf("%s object %s: %w", op, key, err)
	}
	if isMissing(err) {
		return fmt.Errorf("%s object %s: %w", op, key, storage.ErrNotFound)
	}
	if isFull(err) {
		err = fmt.Errorf("%w: %w", storage.ErrNoSpace, err)
	}
	return fmt.Errorf("%s object %s: %w", op, key, err)
}

// watchedBody is a download whose context ends when one Read waits longer
// than stall. Time that the caller takes between reads does not count.
type watchedBody struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	stall  time.Duration
	timer  *time.Timer
}

func newWatchedBody(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser, stall time.Duration) *watchedBody {
	timer := time.AfterFunc(stall, func() { cancel(errSilent) })
	timer.Stop()
	return &watchedBody{ReadCloser: body, ctx: ctx, cancel: cancel, stall: stall, timer: timer}
}

// Read reads on, for as long as bytes keep coming.
func (b *watchedBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.stall)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

// Close ends the request.
func (b *watchedBody) Close() error {
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.cancel(context.Canceled)
	return err
}
