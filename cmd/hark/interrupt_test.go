package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stubConversation is the only conversation of the servers that stand in for a
// Hark which behaves as a real one does only when something breaks.
const stubConversation = `{"items": [{"id": "0197a3c2-6a00-7b11-8c22-3d44e5f60718", "title": "General"}]}`

// stub starts such a server: it knows one conversation, and does with uploads
// what upload does.
func stub(t *testing.T, upload http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/conversations", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, stubConversation) })
	mux.HandleFunc("POST /v1/conversations/{id}/messages", upload)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// watched is an address of the same Hark at which seen is told of each request.
func (c *commands) watched(t *testing.T, seen func(*http.Request)) string {
	t.Helper()
	to, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen(r)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// large makes a file that takes no room on the disk.
func (c *commands) large(t *testing.T) string {
	t.Helper()
	path := c.dir + "/large.wav"
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 64<<20); err != nil {
		t.Fatal(err)
	}
	return path
}

// testWrongWays has the commands go to where no Hark is, and be refused.
func testWrongWays(t *testing.T, c *commands) {
	file := c.tone(t, "ways.wav", 1700)
	large := c.large(t)
	hangUp := func(status int, take int64) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if take > 0 {
				_, _ = io.CopyN(io.Discard, r.Body, take)
			}
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			if status != 0 {
				_, _ = io.WriteString(conn, "HTTP/1.1 "+http.StatusText(status)+"\r\n")
			}
			conn.Close()
		}
	}
	refuse := func(status string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			conn.Close() // on what the sender has not sent yet
		}
	}
	for name, way := range map[string]struct {
		url, token, file string
		code             int
		says             []string
	}{
		"no Hark":                {"http://127.0.0.1:1", c.Token, file, 1, []string{"no Hark answers at http://127.0.0.1:1;"}},
		"another protocol":       {strings.Replace(c.URL, "http:", "https:", 1) + "/base", c.Token, file, 1, []string{"reach Hark at https://localhost:", "/base: "}},
		"a wrong token":          {c.URL, "hark_wrong", file, 1, []string{"hark token create", c.URL, "HARK_TOKEN"}},
		"no address":             {"127.0.0.1:8080", c.Token, file, 1, []string{"HARK_URL"}},
		"with /v1 and a slash":   {c.URL + "/v1/", c.Token, file, 0, nil},
		"another server":         {status(t, http.StatusOK, "<html>", ""), c.Token, file, 1, []string{"is not Hark", "HARK_URL"}},
		"moved":                  {status(t, http.StatusMovedPermanently, "", "https://hark.example.org/"), c.Token, file, 1, []string{"sends on to https://hark.example.org/", "HARK_URL"}},
		"a proxy's limit":        {stub(t, refuse("413 Request Entity Too Large")), c.Token, large, 1, []string{"Request Entity Too Large (status 413)"}},
		"a proxy's password":     {stub(t, refuse("401 Unauthorized")), c.Token, large, 1, []string{"status 401"}},
		"cut off in the middle":  {stub(t, hangUp(0, 1<<20)), c.Token, large, 1, []string{"nothing of it is kept"}},
		"cut off before it says": {stub(t, hangUp(0, 1<<30)), c.Token, file, 1, []string{"whether Hark has it is not known"}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := c.command(within(t, time.Minute), "send", "--no-wait", "-c", "General", way.file)
			cmd.Env = append(cmd.Env, "HARK_URL="+way.url, "HARK_TOKEN="+way.token)
			got := finish(t, cmd).want(t, way.code, way.says...)
			if way.code != 0 && got.stdout != "" {
				t.Errorf("printed %q", got.stdout)
			}
		})
	}
}

// status starts a server that has one answer for all.
func status(t *testing.T, code int, body, location string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if location != "" {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// testInterrupted sends signals to commands in the middle of their work, and in
// the end to the server.
func testInterrupted(t *testing.T, c *commands) {
	t.Run("while words are waited for", func(t *testing.T) {
		c.hold.Store(true)
		asked := make(chan struct{}, 100)
		address := c.watched(t, func(r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/v1/messages/") {
				asked <- struct{}{}
			}
		})
		var stderr bytes.Buffer
		cmd := c.command(within(t, time.Minute), "send", "-c", "General", c.tone(t, "held.wav", 1800))
		cmd.Env, cmd.Stderr = append(cmd.Env, "HARK_URL="+address), &stderr
		start(t, cmd)
		<-asked
		end(t, cmd, syscall.SIGINT)
		ran{code: cmd.ProcessState.ExitCode(), stderr: stderr.String()}.want(t, 130, "interrupted\n", "  kept: ", "held.wav, as ")
	})
	t.Run("in the middle of a file", func(t *testing.T) {
		large, next := c.large(t), c.tone(t, "next.wav", 1900)
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			arrived, gone := make(chan struct{}), make(chan struct{})
			address := stub(t, func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.CopyN(io.Discard, r.Body, 1<<20)
				close(arrived)
				<-gone
			})
			var stderr bytes.Buffer
			cmd := c.command(within(t, time.Minute), "send", "--no-wait", large, next)
			cmd.Env, cmd.Stderr = append(cmd.Env, "HARK_URL="+address), &stderr
			start(t, cmd)
			<-arrived
			end(t, cmd, sig)
			close(gone)
			ran{code: cmd.ProcessState.ExitCode(), stderr: stderr.String()}.
				want(t, 128+int(sig), "not sent: "+next, "large.wav", "nothing of it is kept by Hark")
		}
	})
	t.Run("in the middle of a pipe", func(t *testing.T) {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer write.Close()
		var stderr bytes.Buffer
		cmd := c.command(within(t, time.Minute), "send", "--no-wait", "-c", "General", "-")
		cmd.Stdin, cmd.Stderr = read, &stderr
		start(t, cmd)
		read.Close()
		if _, err := io.WriteString(write, strings.Repeat("x", 1<<20)); err != nil { // more than a pipe holds: most was read
			t.Fatal(err)
		}
		end(t, cmd, syscall.SIGINT)
		got := ran{code: cmd.ProcessState.ExitCode(), stderr: stderr.String()}.want(t, 130, "interrupted", "are kept")
		_, after, _ := strings.Cut(got.stderr, "'hark send ")
		path, _, _ := strings.Cut(after, "'")
		if b, err := os.ReadFile(path); err != nil || len(b) < 512<<10 || strings.Trim(string(b), "x") != "" {
			t.Errorf("%d bytes are kept, %v", len(b), err)
		}
	})
	t.Run("the server twice", func(t *testing.T) {
		// A job is held, so that an orderly stop takes as long as its grace.
		if err := c.Cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		awaitLog(t, c.Log, "msg=stopping")
		end(t, c.Cmd, syscall.SIGINT)
		if state := c.Cmd.ProcessState.Sys().(syscall.WaitStatus); !state.Signaled() || state.Signal() != syscall.SIGINT {
			t.Errorf("it ended with %v", c.Cmd.ProcessState)
		}
	})
}

// TestStoppedBeforeItWasReady stops a Hark that waits for its database: that is
// an orderly end.
func TestStoppedBeforeItWasReady(t *testing.T) {
	cmd := exec.CommandContext(within(t, time.Minute), harkBinary, "serve")
	cmd.Env = append(append(os.Environ(), quiet...), "HARK_DATA="+t.TempDir(), "HARK_ADDR=127.0.0.1:0", "HARK_DATABASE_URL=postgres://127.0.0.1:1/hark")
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if strings.Contains(lines.Text(), "part=records") {
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	end(t, cmd, syscall.SIGTERM)
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
}

// end sends a signal and waits for the end, which comes at once.
func end(t *testing.T, cmd *exec.Cmd, sig syscall.Signal) {
	t.Helper()
	asked := time.Now()
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if took := time.Since(asked); took > 15*time.Second {
		t.Errorf("it took %s to end", took)
	}
}

func eventually(t *testing.T, due func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !due(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen")
		}
	}
}

func awaitLog(t *testing.T, path, words string) {
	t.Helper()
	eventually(t, func() bool {
		log, err := os.ReadFile(path)
		return err == nil && strings.Contains(string(log), words)
	})
}
