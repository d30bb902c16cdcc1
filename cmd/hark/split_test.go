package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hark/cmd/hark/client"
	"hark/cmd/hark/instance"
	"hark/storage/storagetest"
	"hark/transcribe/wer"
)

// outside is what Hark stands on past one machine: a Postgres, an S3 server and
// a NATS server, each a process of its own.
type outside struct {
	env []string // settings that name them
}

// startOutside starts the servers that docker-compose.yml names.
func startOutside(t *testing.T) outside {
	t.Helper()
	dir := t.TempDir()
	for _, sub := range []string{"objects", "meta", "nats"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s3, nats := freeAddr(t), freeAddr(t)
	natsHost, natsPort, _ := strings.Cut(nats, ":")
	daemon(t, []string{"ROOT_ACCESS_KEY=hark", "ROOT_SECRET_KEY=not-a-secret"},
		tool(t, "github.com/versity/versitygw/cmd/versitygw"), "--port", s3, "posix", "--sidecar", filepath.Join(dir, "meta"), filepath.Join(dir, "objects"))
	daemon(t, nil, tool(t, "github.com/nats-io/nats-server/v2"), "-js", "-sd", filepath.Join(dir, "nats"), "-a", natsHost, "-p", natsPort)
	awaitAddr(t, s3)
	awaitAddr(t, nats)
	return outside{env: []string{
		"HARK_DATABASE_URL=" + storagetest.Postgres(t),
		"HARK_S3_ENDPOINT=http://" + s3, "HARK_S3_ACCESS_KEY=hark", "HARK_S3_SECRET_KEY=not-a-secret",
		"HARK_NATS_URL=nats://" + nats,
	}}
}

// node starts one Hark of the service in a role.
func (o outside) node(t *testing.T, role string) *instance.Instance {
	t.Helper()
	return serve(t, t.TempDir(), append([]string{"HARK_ROLE=" + role}, o.env...)...)
}

// TestSplit runs the main job past one machine: an API and two workers, each a
// process, on an outside Postgres, S3 server and NATS. A worker is killed at
// its work, and the other must take it within 30 seconds.
func TestSplit(t *testing.T) {
	t.Parallel()
	out := startOutside(t)
	api := out.node(t, "api")
	first := out.node(t, "worker")
	c := mustClient(t, api)
	ctx := within(t, 10*time.Minute)
	conv, err := c.FindConversation(ctx, "General")
	if err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()
	wav := longSentence.wav(t, dir)
	msg, err := c.Upload(ctx, conv.ID, wav)
	if err != nil {
		t.Fatal(err)
	}
	if msg, err = c.Await(ctx, msg.ID); err != nil {
		t.Fatal(err)
	}
	heard, err := c.Transcript(ctx, msg.ID)
	if err != nil {
		t.Fatal(err)
	}
	if n := wer.Score(longSentence.text, heard.Text()); n.Rate() > 0.12 {
		t.Errorf("heard %q", heard.Text())
	}
	findWord(t, c, msg.ID, "debugging")
	playable(t, c, msg)

	// What is spoken to the API, which has no model, a worker hears.
	packets, length := longSentence.packets(t)
	s := talk(t, api, conv.ID, "")
	if err := s.Say(ctx, packets); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if msg, err = c.Await(ctx, s.message); err != nil {
		t.Fatal(err)
	}
	if off := msg.DurationMS - length.Milliseconds(); off < -100 || off > 100 {
		t.Errorf("%+v; %s were said", msg, length)
	}
	findWord(t, c, msg.ID, "debugging")
	playable(t, c, msg)

	// A clip long enough to be killed at.
	long := filepath.Join(dir, "long.wav")
	command(t, "ffmpeg", "-nostdin", "-v", "error", "-y", "-stream_loop", "15", "-i", wav, long)
	msg, err = c.Upload(ctx, conv.ID, long)
	if err != nil {
		t.Fatal(err)
	}
	awaitProgress(ctx, t, c, msg.ID)
	second := out.node(t, "worker")
	first.Kill()
	killed := time.Now()
	for running(ctx, t, second) == 0 {
		if time.Since(killed) > 30*time.Second {
			t.Fatal("the second worker did not take the job within 30 s")
		}
		time.Sleep(200 * time.Millisecond) // asks over HTTP; there is nothing to be told by
	}
	t.Logf("taken after %s", time.Since(killed).Round(100*time.Millisecond))
	if _, err := c.Await(ctx, msg.ID); err != nil {
		t.Fatal(err)
	}
	if n := countMessages(t, c, conv.ID); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
}

// awaitProgress waits until a worker is well into a message.
func awaitProgress(ctx context.Context, t *testing.T, c *client.Client, id string) {
	t.Helper()
	for {
		var msg client.Message
		if err := c.Get(ctx, "/messages/"+id, nil, &msg); err != nil {
			t.Fatal(err)
		}
		if msg.State == "ready" {
			t.Fatal("the work was over before the worker could be killed")
		}
		if msg.Progress > 0.05 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// running asks a worker how many messages it has in work.
func running(ctx context.Context, t *testing.T, worker *instance.Instance) int {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, worker.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		var n float64
		if _, err := fmt.Sscanf(line, `hark_jobs_in_work{kind="transcribe"} %f`, &n); err == nil {
			return int(n)
		}
	}
	t.Fatal("the worker does not say hark_jobs_in_work")
	return 0
}

// tool builds a server that go.mod pins as a tool.
func tool(t *testing.T, pkg string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), filepath.Base(strings.TrimSuffix(pkg, "/v2")))
	command(t, "go", "build", "-o", out, pkg)
	return out
}

// daemon runs a server until the test ends.
func daemon(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(name), log.String())
		}
	})
}

// freeAddr is a loopback address that nothing listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func awaitAddr(t *testing.T, addr string) {
	t.Helper()
	ctx := within(t, 30*time.Second)
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			conn.Close()
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("nothing listens on %s: %v", addr, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
