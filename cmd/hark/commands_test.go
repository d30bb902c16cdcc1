package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hark/cmd/hark/bench"
	"hark/cmd/hark/instance"
	"hark/media"
)

// commands is a running Hark whose recogniser is a stub, and the commands that
// are given to it as in a shell.
type commands struct {
	*instance.Instance
	data string
	dir  string // for recordings
	hold atomic.Bool
}

// heardWords is what the stub hears in every recording.
const heardWords = "harbour \x1b[31mwall\u009b31m \u202egnirob"

func newCommands(t *testing.T) *commands {
	t.Helper()
	c := &commands{data: t.TempDir(), dir: t.TempDir()}
	end := make(chan struct{})
	recogniser := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if c.hold.Load() {
			select {
			case <-r.Context().Done():
			case <-end:
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"text": heardWords, "segments": []any{map[string]any{"text": heardWords, "start": 0, "end": 1}}})
	}))
	t.Cleanup(recogniser.Close)
	t.Cleanup(func() { close(end) })
	c.Instance = launch(t, instance.Config{
		Binary: harkBinary, Data: c.data,
		Env: []string{"HARK_ENGINE=openai", "HARK_OPENAI_URL=" + recogniser.URL, "HARK_WEBRTC_UDP=off", "HARK_SHUTDOWN_GRACE=30s"},
	})
	t.Cleanup(c.Kill)
	return c
}

// ran is what a command left.
type ran struct {
	code           int
	stdout, stderr string
}

// command prepares a command for this Hark.
func (c *commands) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, harkBinary, args...)
	cmd.Env = append(os.Environ(), "HARK_URL="+c.URL, "HARK_TOKEN="+c.Token, "HARK_DATA="+c.data, "HARK_MODELS="+c.dir, "TMPDIR="+c.dir, "TERM=xterm", "NO_COLOR=")
	return cmd
}

// run runs a command to its end.
func (c *commands) run(t *testing.T, args ...string) ran {
	t.Helper()
	return finish(t, c.command(within(t, time.Minute), args...))
}

func finish(t *testing.T, cmd *exec.Cmd) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &stdout
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &stderr
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ran{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// want compares what a command left: its exit code, and what it said.
func (r ran) want(t *testing.T, code int, stderr ...string) ran {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d; it said\n%s%s", r.code, code, r.stdout, r.stderr)
	}
	for _, words := range stderr {
		if !strings.Contains(r.stderr, words) {
			t.Errorf("it does not say %q but\n%s", words, r.stderr)
		}
	}
	if strings.ContainsAny(r.stdout+r.stderr, "\x1b\r\a\u009b\u202e") {
		t.Errorf("control characters in %q, %q", r.stdout, r.stderr)
	}
	return r
}

// id is the only thing that was printed.
func (r ran) id(t *testing.T) string {
	t.Helper()
	id := strings.TrimSpace(r.stdout)
	if len(id) != 36 {
		t.Fatalf("printed %q, and said\n%s", r.stdout, r.stderr)
	}
	return id
}

func decodeJSON[T any](t *testing.T, r ran) (v T) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(r.stdout))
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %q", err, r.stdout)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("more than JSON: %q", r.stdout)
	}
	return v
}

// tone makes a recording of its own, of so many milliseconds.
func (c *commands) tone(t *testing.T, name string, ms int64) string {
	t.Helper()
	path := filepath.Join(c.dir, name)
	if err := bench.WriteWAV(path, ms*media.SampleRate/1000, func(i int64) float64 { return math.Sin(float64(i)/5) / 2 }); err != nil {
		t.Fatal(err)
	}
	return path
}
