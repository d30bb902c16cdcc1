package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCommands gives the commands to one Hark as people and scripts do.
func TestCommands(t *testing.T) {
	t.Parallel()
	c := newCommands(t)
	t.Run("send", func(t *testing.T) { testSend(t, c) })
	t.Run("send again", func(t *testing.T) { testSendAgain(t, c) })
	t.Run("send from pipes", func(t *testing.T) { testSendPipes(t, c) })
	t.Run("send what cannot be", func(t *testing.T) { testSendWhatCannotBe(t, c) })
	t.Run("search", func(t *testing.T) { testSearch(t, c) })
	t.Run("lists", func(t *testing.T) { testLists(t, c) })
	t.Run("audit", func(t *testing.T) { testAudit(t, c) })
	t.Run("workspace", func(t *testing.T) { testWorkspace(t, c) })
	t.Run("usage", func(t *testing.T) { testUsage(t, c) })
	t.Run("json", func(t *testing.T) { testJSON(t, c) })
	t.Run("a conversation's name", func(t *testing.T) { testConversationNames(t, c) })
	t.Run("jobs", func(t *testing.T) { testJobs(t, c) })
	t.Run("a full disk", func(t *testing.T) { testFullDisk(t, c) })
	t.Run("a terminal", func(t *testing.T) { testTerminal(t, c) })
	t.Run("several workspaces", func(t *testing.T) { testWorkspaces(t, c) })
	t.Run("where Hark is not", func(t *testing.T) { testWrongWays(t, c) })
	t.Run("interrupted", func(t *testing.T) { testInterrupted(t, c) }) // ends it
}

func testSend(t *testing.T, c *commands) {
	one, two := c.tone(t, "one.wav", 1000), c.tone(t, "\x1b[31mtwo.wav", 1100)
	got := c.run(t, "send", one, two).want(t, 0)
	if n := strings.Count(got.stdout, "\nharbour [31mwall"); n != 2 || got.stderr != "" {
		t.Errorf("printed %q, said %q", got.stdout, got.stderr)
	}

	three := c.tone(t, "three.wav", 1200)
	all := decodeJSON[[]struct {
		File, State string
		Message     struct {
			ID, State string
			Original  struct{ Filename, SHA256 string }
			Links     struct{ Audio string }
		}
		Transcript struct {
			MessageID string `json:"message_id"`
			Text      string
		}
		Error *failure
	}](t, c.run(t, "send", "--json", three, one, "/nowhere").want(t, 1, "/nowhere"))
	if len(all) != 3 || all[0].State != sent || all[1].State != alreadySent || all[2].State != failed || all[2].Error.Detail == "" {
		t.Fatalf("got %+v", all)
	}
	if m := all[0]; m.File != three || m.Message.State != "ready" || m.Message.Original.Filename != "three.wav" || m.Message.Links.Audio == "" ||
		m.Transcript.MessageID != m.Message.ID || !strings.Contains(m.Transcript.Text, "harbour") {
		t.Errorf("got %+v", m)
	}
	if all[1].Message.ID == "" || all[1].Transcript.Text == "" {
		t.Errorf("what was there: %+v", all[1])
	}
	c.run(t, "send", "--title", "x", one, two).want(t, 2, "--title")
	c.run(t, "send").want(t, 2)
	if got := c.run(t, "sned").want(t, 2, "Usage:"); got.stdout != "" {
		t.Errorf("printed %q", got.stdout)
	}
}

func testSendAgain(t *testing.T, c *commands) {
	file := c.tone(t, "again.wav", 1300)
	send := func(args ...string) ran { return c.run(t, append([]string{"send", "--no-wait", file}, args...)...) }
	first := send().want(t, 0).id(t)
	there := func(r ran, code int) {
		t.Helper()
		if got := r.want(t, code, "already sent as "+first, "just now", "--again").id(t); got != first {
			t.Errorf("the message there is %s, and %s is named", first, got)
		}
	}
	there(send(), 0)
	if err := os.Chtimes(file, time.Now(), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	there(send(), 0)
	there(send("--title", "Another"), 1)

	forced := send("--title", "Another", "--again").want(t, 0).id(t)
	if forced == first {
		t.Error("--again made no message")
	}
	for range 2 {
		if err := mustClient(t, c.Instance).Delete(t.Context(), "/messages/"+first); err != nil {
			t.Fatal(err)
		}
		after := send().want(t, 0)
		if after.id(t) == first || after.stderr != "" {
			t.Errorf("after a deletion: %q, %q", after.stdout, after.stderr)
		}
		first = after.id(t)
		there(send(), 0)
	}
}

func testSendPipes(t *testing.T, c *commands) {
	clip, err := os.ReadFile(c.tone(t, "pipe.wav", 1400))
	if err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(c.dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, file := range []string{"-", "/dev/stdin", fifo} {
		cmd := c.command(t.Context(), "send", "--no-wait", file)
		if file == fifo {
			go func() { _ = os.WriteFile(fifo, clip, 0o600) }() // ends with its reader
		} else {
			cmd.Stdin = strings.NewReader(string(clip))
		}
		ids = append(ids, finish(t, cmd).want(t, 0).id(t))
	}
	if ids[0] != ids[1] || ids[0] != ids[2] {
		t.Errorf("one recording through three pipes is %v", ids)
	}
	c.run(t, "send", "--no-wait", "-").want(t, 1, "is empty")
	c.run(t, "send", "-", "-").want(t, 2, "twice")
	noise := c.command(t.Context(), "send", "--no-wait", "-")
	noise.Stdin = strings.NewReader("this is no recording, and there is no other copy of it")
	keptIn(t, c, finish(t, noise).want(t, 1, "status 415").stderr, "this is no recording, and there is no other copy of it")
	if left, err := filepath.Glob(filepath.Join(c.dir, "hark-send-*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// keptIn reads the file in which the words say that a pipe's bytes are kept,
// and removes it.
func keptIn(t *testing.T, c *commands, words, want string) {
	t.Helper()
	_, after, _ := strings.Cut(words, "'hark send ")
	path, _, found := strings.Cut(after, "'")
	if b, err := os.ReadFile(path); !found || err != nil || string(b) != want {
		t.Errorf("kept %q, %v; it said %s", b, err, words)
	}
	_ = os.Remove(path)
}

func testSendWhatCannotBe(t *testing.T, c *commands) {
	good := c.tone(t, "good.wav", 1500)
	empty := filepath.Join(c.dir, "empty.wav")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(c.dir, "missing.wav")
	got := c.run(t, "send", "--no-wait", c.dir, empty, missing, "/dev/null", good).
		want(t, 1, c.dir+": is a folder", empty+": is empty", missing+": no such file", "/dev/null: is neither")
	got.id(t)
	c.run(t, "send", empty).want(t, 1, "is empty")
}
