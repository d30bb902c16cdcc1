package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"hark/cmd/hark/client"
	"hark/cmd/hark/terminal"
)

// The states of a file of hark send.
const (
	notSent     = "not_sent"
	sent        = "sent"
	alreadySent = "already_sent"
	failed      = "failed"
	unknown     = "unknown" // all of it was sent, and the answer lost
)

// delivery is what became of one file, in the form that --json prints.
type delivery struct {
	File       string          `json:"file"`
	State      string          `json:"state"`
	Message    *client.Message `json:"message,omitempty"`
	Transcript json.RawMessage `json:"transcript,omitempty"`
	Error      *failure        `json:"error,omitempty"`

	over bool // nothing more is to be done for it
}

// failure is why something failed.
type failure struct {
	Status int    `json:"status,omitempty"`
	Title  string `json:"title,omitempty"`
	Detail string `json:"detail"`
	Code   string `json:"code,omitempty"`
}

// waits reports whether the file is still to be sent.
func (d *delivery) waits() bool { return d.State == notSent && !d.over }

// fail notes that the file was not sent, and says so.
func (d *delivery) fail(err error) {
	if d.State == notSent {
		d.State = failed
	}
	d.complain(err)
}

// complain notes what went wrong, and says so.
func (d *delivery) complain(err error) {
	d.note(err)
	d.say(err.Error())
}

// interrupt notes what is known of a file that was under way.
func (d *delivery) interrupt(err error) {
	d.note(err)
	d.over = false
}

// note keeps what went wrong.
func (d *delivery) note(err error) {
	d.over = true
	d.Error = &failure{Detail: err.Error()}
	var p *client.Problem
	if errors.As(err, &p) {
		*d.Error = failure{Status: p.Status, Title: p.Title, Detail: p.Detail, Code: p.Code}
	}
}

func (d *delivery) say(text string) {
	fmt.Fprintf(os.Stderr, "hark: %s: %s\n", terminal.Printable(d.File), terminal.PrintableLines(text))
}

// sayThere names the message that is there already. It is a failure if that
// has another title than is wanted, unless none is.
func (d *delivery) sayThere(title string, now time.Time) {
	text := fmt.Sprintf("already sent as %s, %s", d.Message.ID, ago(now.Sub(d.Message.CreatedAt)))
	other := title != "" && strings.TrimSpace(title) != d.Message.Title
	if other {
		text += fmt.Sprintf(", with the title %q", d.Message.Title)
	}
	text += "; --again sends it once more"
	d.say(text)
	if other {
		d.note(errors.New(text))
	}
}

// broken says what is known of a file after read of its bytes were taken and no
// answer came.
func (d *delivery) broken(err error, read, size int64) error {
	var p *client.Problem
	switch {
	case errors.As(err, &p):
		return err
	case read < size:
		return fmt.Errorf("%w; nothing of it is kept by Hark", err)
	}
	d.State = unknown
	return fmt.Errorf("%w; all of it was sent, but whether Hark has it is not known: the same command without --again tells, and makes no second message", err)
}

// summary is the error of a whole delivery; nil when all is well.
func summary(ctx context.Context, all []*delivery) error {
	var lines []string
	left, bad := false, false
	for _, d := range all {
		left = left || !d.over
		bad = bad || d.Error != nil
		lines = append(lines, "  "+d.line())
	}
	switch {
	case left && ctx.Err() != nil:
		return errors.New(context.Cause(ctx).Error() + "\n" + strings.Join(lines, "\n"))
	case bad:
		return &codedError{code: exitFailed} // each was said
	}
	return nil
}

// line says in one line what became of the file.
func (d *delivery) line() string {
	text := map[string]string{
		notSent: "not sent", failed: "failed", unknown: "not known",
		sent: "kept", alreadySent: "kept",
	}[d.State] + ": " + d.File
	switch {
	case d.Message != nil:
		return text + ", as " + d.Message.ID
	case d.Error != nil:
		return text + ": " + d.Error.Detail
	}
	return text
}

// ago says how long ago something was.
func ago(d time.Duration) string {
	count := func(n int, unit string) string {
		if n != 1 {
			unit += "s"
		}
		return fmt.Sprintf("%d %s ago", n, unit)
	}
	switch {
	case d < 10*time.Second: // or a clock is behind
		return "just now"
	case d < time.Minute:
		return count(int(d.Seconds()), "second")
	case d < time.Hour:
		return count(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		return count(int(d.Hours()), "hour")
	}
	return count(int(d.Hours()/24), "day")
}
