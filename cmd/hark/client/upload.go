package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"hark/media/transcript"
)

// Upload sends a clip as one request body and returns when it is acknowledged.
func (c *Client) Upload(ctx context.Context, conversationID, file string) (Message, error) {
	f, err := os.Open(file)
	if err != nil {
		return Message{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Message{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Base+"/conversations/"+conversationID+"/messages", io.NopCloser(f))
	if err != nil {
		return Message{}, err
	}
	req.ContentLength = info.Size()
	req.Header.Set("Content-Type", "application/octet-stream")
	var msg Message
	return msg, c.Do(req, &msg)
}

// Await asks until the message's work is over: often at first, so that what is
// measured is the work, and less often the longer it takes, so that asking is no
// work to speak of.
func (c *Client) Await(ctx context.Context, id string) (Message, error) {
	began := time.Now()
	for {
		var msg Message
		if err := c.Get(ctx, "/messages/"+id, nil, &msg); err != nil {
			return msg, err
		}
		switch {
		case msg.State == "ready":
			return msg, nil
		case msg.State == "failed" && msg.Failure != nil:
			return msg, &FailedError{id, msg.Failure.Reason}
		}
		select {
		case <-ctx.Done():
			return msg, context.Cause(ctx)
		case <-time.After(min(max(10*time.Millisecond, time.Since(began)/100), time.Second)):
		}
	}
}

// FailedError says that a message's work failed.
type FailedError struct{ id, reason string }

func (e *FailedError) Error() string { return fmt.Sprintf("message %s failed: %s", e.id, e.reason) }

// Transcript gets the transcript of a message.
func (c *Client) Transcript(ctx context.Context, messageID string) (transcript.Transcript, error) {
	var t transcript.Transcript
	return t, c.Get(ctx, "/messages/"+messageID+"/transcript", nil, &t)
}
