package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

type sendCmd struct {
	ClientConfig
	Conversation string   `short:"c" placeholder:"ID|TITLE" help:"Conversation to send to; may be left out when there is only one."`
	Title        string   `placeholder:"TEXT" help:"Title of the message, when one file is sent."`
	Bulk         bool     `help:"Work on these after what people wait for."`
	Wait         bool     `short:"w" negatable:"" default:"true" help:"Wait until the messages are transcribed, and print their words."`
	Files        []string `arg:"" name:"file" help:"Recordings, in any format people send."`
}

// Run sends the files one after the other, then waits for their transcripts.
// A file that fails does not keep the others from being sent.
func (s *sendCmd) Run(ctx context.Context) error {
	if s.Title != "" && len(s.Files) > 1 {
		return errors.New("--title names one message, but several files are sent")
	}
	c, err := s.open()
	if err != nil {
		return err
	}
	conv, err := c.findConversation(ctx, s.Conversation)
	if err != nil {
		return err
	}
	var sent []message
	var failed error
	for _, file := range s.Files {
		msg, err := s.send(ctx, c, conv, file)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", file, err))
			continue
		}
		sent = append(sent, msg)
	}
	for _, msg := range sent {
		if !s.Wait {
			fmt.Println(msg.ID)
			continue
		}
		if err := waitAndPrint(ctx, c, msg); err != nil {
			failed = errors.Join(failed, fmt.Errorf("message %s: %w", msg.ID, err))
		}
	}
	return failed
}

func (s *sendCmd) send(ctx context.Context, c *client, conv conversation, file string) (message, error) {
	f, err := os.Open(file)
	if err != nil {
		return message{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return message{}, err
	}
	if !info.Mode().IsRegular() {
		return message{}, errors.New("not a file")
	}
	key, err := contentKey(f, conv.ID)
	if err != nil {
		return message{}, err
	}
	query := url.Values{"filename": {filepath.Base(file)}, "recorded_at": {info.ModTime().UTC().Format(time.RFC3339)}}
	if s.Title != "" {
		query.Set("title", s.Title)
	}
	if s.Bulk {
		query.Set("priority", "bulk")
	}
	bar := newBar(os.Stderr, filepath.Base(file), info.Size())
	defer bar.finish()
	body := io.TeeReader(f, bar)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/conversations/"+conv.ID+"/messages?"+query.Encode(), body)
	if err != nil {
		return message{}, err
	}
	req.ContentLength = info.Size()
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("Idempotency-Key", key)
	var msg message
	return msg, c.do(req, &msg)
}

// contentKey names a file by what it holds, so that sending it again to the
// same conversation, after a broken connection or by mistake, makes no second
// message. It leaves f at its start.
func contentKey(f io.ReadSeeker, conversationID string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, conversationID)
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	_, err := f.Seek(0, io.SeekStart)
	return "send-" + hex.EncodeToString(h.Sum(nil)), err
}

// waitAndPrint follows a message until its work is over and prints its words.
func waitAndPrint(ctx context.Context, c *client, msg message) error {
	bar := newBar(os.Stderr, "transcribing", 1000)
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for msg.State != "ready" && msg.State != "failed" {
		select {
		case <-ctx.Done():
			bar.finish()
			return context.Cause(ctx)
		case <-tick.C:
		}
		if err := c.get(ctx, "/messages/"+msg.ID, nil, &msg); err != nil {
			bar.finish()
			return err
		}
		bar.set(int64(msg.Progress * 1000))
	}
	bar.finish()
	if msg.State == "failed" && msg.Failure != nil {
		return errors.New(msg.Failure.Reason)
	}
	text, err := c.transcriptText(ctx, msg.ID)
	if err != nil {
		return err
	}
	fmt.Printf("%s  %s\n%s\n", msg.ID, clock(msg.DurationMS), text)
	return nil
}

func (c *client) transcriptText(ctx context.Context, messageID string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/messages/"+messageID+"/transcript.txt", nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", &problem{Status: resp.StatusCode, Title: http.StatusText(resp.StatusCode)}
	}
	text, err := io.ReadAll(resp.Body)
	if len(text) == 0 {
		text = []byte("(nobody speaks)")
	}
	return string(text), err
}

// clock prints milliseconds as h:mm:ss or m:ss.
func clock(ms int64) string {
	s := ms / 1000
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
