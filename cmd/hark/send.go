package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"hark/cmd/hark/client"
	"hark/cmd/hark/config"
	"hark/cmd/hark/terminal"
)

type sendCmd struct {
	config.ClientConfig
	Conversation string   `short:"c" placeholder:"ID|TITLE" help:"Conversation to send to; may be left out when there is only one."`
	Title        string   `placeholder:"TEXT" blank:"" help:"Title of the message, when one file is sent."`
	Bulk         bool     `help:"Work on these after what people wait for."`
	Wait         bool     `short:"w" negatable:"" default:"true" help:"Wait until the messages are transcribed, and print their words."`
	Again        bool     `help:"Send what was sent before once more."`
	JSON         bool     `name:"json" help:"Print a JSON array with an object for each file, and nothing else."`
	Files        []string `arg:"" name:"file" help:"Recordings, in any format people send; - is standard input."`
}

// Help is what 'hark send --help' says beside its flags.
func (sendCmd) Help() string {
	return `A file that cannot be sent does not keep the others from being sent. What comes
through a pipe is read to its end first; if it cannot be sent, it is kept in a
file that is named.

The same recording sent to the same conversation again within two days makes no
second message, unless --again is given or the first was deleted: the message
that is there is named and counts as sent. So after a broken connection or
Ctrl-C the same command can be given again.

With --json, each file is an object with "file", "state" (sent, already_sent,
failed, unknown or not_sent), "message" (as GET /v1/messages/{id}), "transcript"
(as GET /v1/messages/{id}/transcript, with --wait) and "error" ("detail" and,
where Hark refused, "status", "title" and "code").

Exit codes: 0 all are sent, 1 some are not or their work failed, 2 asked
wrongly, 130 interrupted.`
}

// Run sends the files one after the other, then waits for their transcripts.
func (s *sendCmd) Run(ctx context.Context) error {
	if s.Title != "" && len(s.Files) > 1 {
		return usageError("--title names one message, but several files are sent")
	}
	if i := slices.Index(s.Files, stdinName); i >= 0 && slices.Contains(s.Files[i+1:], stdinName) {
		return usageError("standard input (-) is named twice")
	}
	c, err := s.Open()
	if err != nil {
		return err
	}
	all := s.check()
	if err := s.sendAll(ctx, c, all); err != nil {
		return err
	}
	if s.JSON {
		if err := printJSON(all); err != nil {
			return err
		}
	}
	return summary(ctx, all)
}

// check looks at every file before any is sent, and says at once which cannot
// be.
func (s *sendCmd) check() []*delivery {
	all := make([]*delivery, len(s.Files))
	for i, file := range s.Files {
		all[i] = &delivery{File: file, State: notSent}
		if err := checkClip(file); err != nil {
			all[i].fail(err)
		}
	}
	return all
}

func (s *sendCmd) sendAll(ctx context.Context, c *client.Client, all []*delivery) error {
	if !slices.ContainsFunc(all, (*delivery).waits) {
		return nil
	}
	conv, err := c.FindConversation(ctx, s.Conversation)
	if err != nil {
		return err
	}
	for _, d := range all {
		if d.waits() && ctx.Err() == nil {
			s.deliver(ctx, c, conv, d)
		}
	}
	if !s.Wait {
		return nil
	}
	for _, d := range all {
		if d.Message == nil || d.over || ctx.Err() != nil {
			continue
		}
		switch err := s.follow(ctx, c, d); {
		case err == nil:
			d.over = true
		case !wasInterrupted(ctx, err):
			d.complain(fmt.Errorf("message %s: %w", d.Message.ID, err))
		}
	}
	return nil
}

// deliver sends one file and says what became of it.
func (s *sendCmd) deliver(ctx context.Context, c *client.Client, conv client.Conversation, d *delivery) {
	clip, err := openClip(ctx, d.File)
	if err == nil {
		err = clip.done(s.upload(ctx, c, conv, clip, d))
	}
	if wasInterrupted(ctx, err) {
		d.interrupt(err)
		return
	}
	if err != nil {
		d.fail(err)
		return
	}
	if d.State == alreadySent {
		d.sayThere(s.Title, time.Now())
	}
	if s.Wait {
		return
	}
	d.over = true
	if !s.JSON {
		if err := terminal.PrintLine(d.Message.ID); err != nil {
			d.complain(fmt.Errorf("message %s: %w", d.Message.ID, err))
		}
	}
}

// maxSpent is how often the same clip may have been sent and deleted in the
// days for which Hark remembers.
const maxSpent = 100

// upload sends a clip under a key that names what it holds, so that sending it
// again to the same conversation makes no second message. Where the message of
// a key was deleted, the next key makes another.
func (s *sendCmd) upload(ctx context.Context, c *client.Client, conv client.Conversation, clip *clip, d *delivery) error {
	name := conv.ID + "\n" + clip.sum
	if s.Again {
		name += "\n" + rand.Text()
	}
	for n := range maxSpent {
		key := sha256.Sum256(fmt.Appendf(nil, "%s\n%d", name, n))
		err := s.post(ctx, c, conv, clip, "send-"+hex.EncodeToString(key[:]), d)
		var (
			p     *client.Problem
			there client.Message
		)
		if !errors.As(err, &p) || p.Status != http.StatusConflict {
			return err
		}
		switch {
		case p.Code == "idempotency_key_spent":
			continue
		case p.MessageID != "": // it has another title or time
			if err := c.Get(ctx, "/messages/"+p.MessageID, nil, &there); err != nil {
				return err
			}
			d.State, d.Message = alreadySent, &there
			return nil
		}
		return err
	}
	return fmt.Errorf("it was sent and deleted %d times; --again sends it once more", maxSpent)
}

// post sends a clip under an idempotency key.
func (s *sendCmd) post(ctx context.Context, c *client.Client, conv client.Conversation, clip *clip, key string, d *delivery) error {
	query := url.Values{}
	for name, value := range map[string]string{"filename": clip.filename, "title": s.Title} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if !clip.recordedAt.IsZero() {
		query.Set("recorded_at", clip.recordedAt.UTC().Format(time.RFC3339))
	}
	if s.Bulk {
		query.Set("priority", "bulk")
	}
	bar := terminal.NewBar(os.Stderr, clip.filename, clip.size)
	defer bar.Finish()
	body := func() (io.ReadCloser, error) {
		bar.Set(0)
		return io.NopCloser(io.TeeReader(clip.body(), bar)), nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Base+"/conversations/"+conv.ID+"/messages?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	req.Body, _ = body()
	req.GetBody, req.ContentLength = body, clip.size
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("Idempotency-Key", key)
	req.Header.Set("Expect", "100-continue")
	resp, err := c.Send(req)
	if err != nil {
		return d.broken(err, bar.Count(), clip.size)
	}
	defer resp.Body.Close()
	msg := &client.Message{}
	if err := c.Decode(resp, msg); err != nil {
		return d.broken(err, clip.size, clip.size)
	}
	d.State, d.Message = sent, msg
	if resp.Header.Get("Idempotent-Replayed") == "true" {
		d.State = alreadySent
	}
	return nil
}

// follow waits until the work on a message is over and shows its words.
func (s *sendCmd) follow(ctx context.Context, c *client.Client, d *delivery) error {
	if err := awaitWork(ctx, c, d.Message); err != nil {
		return err
	}
	path := "/messages/" + d.Message.ID + "/transcript"
	if s.JSON {
		return c.Get(ctx, path, nil, &d.Transcript)
	}
	words, err := c.Text(ctx, path+".txt")
	if err != nil {
		return err
	}
	if words == "" {
		words = "(nobody speaks)\n"
	}
	out := terminal.Stdout()
	out.Printf("%s  %s\n%s", d.Message.ID, clock(d.Message.DurationMS), terminal.PrintableLines(words))
	return out.Err
}

// awaitWork asks for msg until the work on it is over.
func awaitWork(ctx context.Context, c *client.Client, msg *client.Message) error {
	bar := terminal.NewBar(os.Stderr, "transcribing", 1000)
	defer bar.Finish()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for msg.State != "ready" && msg.State != "failed" {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		if err := c.Get(ctx, "/messages/"+msg.ID, nil, msg); err != nil {
			return err
		}
		bar.Set(int64(msg.Progress * 1000))
	}
	if msg.State == "failed" && msg.Failure != nil {
		return errors.New(msg.Failure.Reason)
	}
	return nil
}

// clock prints milliseconds as h:mm:ss or m:ss.
func clock(ms int64) string {
	s := ms / 1000
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
