package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hark/api/intake"
	"hark/api/messages"
	"hark/api/rest"
	"hark/api/signin"
	"hark/storage"
)

// dial opens a plain connection to the service and sends the head of an upload.
func (c *client) dial(conversation string, headers ...string) net.Conn {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.harness.http.Listener.Addr().String())
	must(c.t, err)
	c.t.Cleanup(func() { conn.Close() })
	must(c.t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	head := "POST /v1/conversations/" + conversation + "/messages HTTP/1.1\r\nHost: hark.test\r\nAuthorization: Bearer " + c.token + "\r\n"
	_, err = io.WriteString(conn, head+strings.Join(headers, "\r\n")+"\r\n\r\n")
	must(c.t, err)
	return conn
}

// TestTenGigabytes sends a body without end: it is refused when it passes the
// limit, or at once when it says how long it is, and not read on.
func TestTenGigabytes(t *testing.T) {
	h := newHarness(t)
	conversation := h.owner.conversation()
	for name, headers := range map[string][]string{
		"said beforehand": {"Content-Length: 10737418240"},
		"not said":        {"Transfer-Encoding: chunked"},
	} {
		t.Run(name, func(t *testing.T) {
			conn := h.owner.dial(conversation, headers...)
			var sent atomic.Int64
			go func() {
				chunk := append(wavHeader(2_000_000_000, 8000), make([]byte, 64<<10)...)
				for {
					text := chunk
					if name == "not said" {
						text = append([]byte(fmt.Sprintf("%x\r\n", len(chunk))), append(chunk, '\r', '\n')...)
					}
					n, err := conn.Write(text)
					sent.Add(int64(n))
					if err != nil {
						return
					}
				}
			}()
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			must(t, err)
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusRequestEntityTooLarge || !resp.Close {
				t.Errorf("status %d, connection closed %v", resp.StatusCode, resp.Close)
			}
			// What the kernel's buffers hold counts as sent, and so does what is
			// read on after the answer: some MB, not 10 GB.
			const readOn = 256 << 20
			if n := sent.Load(); n > 32<<20+readOn {
				t.Errorf("%d bytes were taken", n)
			}
		})
	}
}

// TestRefusedWhileSending has senders that write all they have before they
// read, as many do: they get the answer and not a broken connection.
func TestRefusedWhileSending(t *testing.T) {
	const size = 8 << 20
	h := newHarness(t, options{config: func(c *Config) { c.Intake.Limits.MaxBytes = 2 * size }})
	conversation := h.owner.conversation()
	picture := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, size)...)
	length := fmt.Sprintf("Content-Length: %d", len(picture))
	for name, c := range map[string]struct {
		conversation string
		headers      []string
		status       int
	}{
		"not audio":                       {conversation, []string{length}, http.StatusUnsupportedMediaType},
		"not audio, on a connection once": {conversation, []string{length, "Connection: close"}, http.StatusUnsupportedMediaType},
		"no such conversation":            {storage.NewID(), []string{length, "Connection: close"}, http.StatusNotFound},
		"no credential":                   {conversation, []string{length}, http.StatusUnauthorized},
		"a form without its boundary":     {conversation, []string{length, "Content-Type: multipart/form-data; boundary=x"}, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			sender := *h.owner
			sender.t = t
			if c.status == http.StatusUnauthorized {
				sender.token = "unknown"
			}
			conn := sender.dial(c.conversation, c.headers...)
			if _, err := conn.Write(picture); err != nil {
				t.Fatalf("could not send on: %v", err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			must(t, err)
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != c.status {
				t.Errorf("%d %s: %v", resp.StatusCode, body, err)
			}
		})
	}
}

// TestExpectContinue is what curl does: it waits to be asked for the body.
func TestExpectContinue(t *testing.T) {
	h := newHarness(t)
	conversation := h.owner.conversation()
	refused := h.owner.dial(conversation, "Content-Length: 10737418240", "Expect: 100-continue")
	resp, err := http.ReadResponse(bufio.NewReader(refused), nil)
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d before the body", resp.StatusCode)
	}

	clip := sine(time.Second)
	taken := h.owner.dial(conversation, fmt.Sprintf("Content-Length: %d", len(clip)), "Expect: 100-continue")
	r := bufio.NewReader(taken)
	resp, err = http.ReadResponse(r, nil)
	must(t, err)
	if resp.StatusCode != http.StatusContinue {
		t.Fatalf("status %d; want to be asked for the body", resp.StatusCode)
	}
	_, err = taken.Write(clip)
	must(t, err)
	resp, err = http.ReadResponse(r, nil)
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Errorf("status %d after the body", resp.StatusCode)
	}
}

// TestVanish has senders go in mid-body: nothing of it stays.
func TestVanish(t *testing.T) {
	h := newHarness(t)
	conversation := h.owner.conversation()
	form, contentType := formWith(sine(20 * time.Second))
	for name, send := range map[string]struct {
		headers []string
		body    []byte
	}{
		"raw":     {[]string{"Content-Length: 320044"}, sine(20 * time.Second)[:100_000]},
		"chunked": {[]string{"Transfer-Encoding: chunked"}, append([]byte("40000\r\n"), sine(20 * time.Second)[:100_000]...)},
		"form":    {[]string{"Content-Type: " + contentType, fmt.Sprintf("Content-Length: %d", len(form))}, form[:100_000]},
		"form cut behind the recording": {
			[]string{"Content-Type: " + contentType, fmt.Sprintf("Content-Length: %d", len(form)+100)},
			bytes.Replace(form, []byte("--\r\n"), []byte("\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nx"), 1),
		},
	} {
		t.Run(name, func(t *testing.T) {
			conn := h.owner.dial(conversation, send.headers...)
			_, err := conn.Write(send.body)
			must(t, err)
			// Half-closed, so that the answer, which nobody else would see, can be.
			must(t, conn.(*net.TCPConn).CloseWrite())
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			must(t, err)
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != http.StatusBadRequest || !bytes.Contains(body, []byte("incomplete_body")) {
				t.Errorf("status %d: %s", resp.StatusCode, body)
			}
		})
	}
	if n := h.objs.count(); n != 0 {
		t.Errorf("%d objects remain", n)
	}
	if list := decode[rest.Page[messages.Message]](h.owner.get("/v1/conversations/" + conversation + "/messages")); len(list.Items) != 0 {
		t.Errorf("%d messages came of it", len(list.Items))
	}
}

// TestSilentSender has a sender stop without going.
func TestSilentSender(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.StallTimeout = 50 * time.Millisecond }})
	conn := h.owner.dial(h.owner.conversation(), "Content-Length: 100000")
	_, err := conn.Write(sine(time.Second)[:5000])
	must(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestTimeout || !resp.Close {
		t.Errorf("status %d, connection closed %v", resp.StatusCode, resp.Close)
	}

	unread := h.owner.dial(storage.NewID(), "Content-Length: 100")
	resp, err = http.ReadResponse(bufio.NewReader(unread), nil)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("status %d for a body that nobody waits for", resp.StatusCode)
	}
}

func TestIdempotency(t *testing.T) {
	h := newHarness(t)
	conversation, other := h.owner.conversation(), h.owner.conversation()
	path := "/v1/conversations/" + conversation + "/messages"
	send := func(path string, clip []byte) *answer {
		return h.owner.send("POST", path, bytes.NewReader(clip), "Idempotency-Key", "k1")
	}
	clip := sine(time.Second)
	first := send(path, clip).want(201)
	if first.header.Get("Idempotent-Replayed") != "" {
		t.Error("the first is called a replay")
	}
	id := decode[messages.Message](first).ID

	again := send(path, clip).want(201)
	if again.header.Get("Idempotent-Replayed") != "true" || decode[messages.Message](again).ID != id {
		t.Errorf("again gave %v, %s", again.header, again.body)
	}
	form, contentType := formWith(clip)
	asForm := h.owner.send("POST", path, bytes.NewReader(form), "Idempotency-Key", "k1", "Content-Type", contentType).want(201)
	if decode[messages.Message](asForm).ID != id {
		t.Error("the same in a form is another message")
	}
	for name, a := range map[string]*answer{
		"another body":         send(path, sine(2*time.Second)),
		"a shorter body":       send(path, clip[:4000]),
		"another title":        send(path+"?title=x", clip),
		"another conversation": send("/v1/conversations/"+other+"/messages", clip),
	} {
		t.Run(name, func(t *testing.T) {
			a.t = t
			if p := a.problem(409, "idempotency_key_reused"); p.MessageID != id {
				t.Errorf("the message there is %q, want %q", p.MessageID, id)
			}
		})
	}
	mate := h.user("Mia", storage.RoleMember)
	must(t, h.db.AddConversationMember(t.Context(), h.owner.principal, conversation, mate.principal.UserID))
	if m := decode[messages.Message](mate.send("POST", path, bytes.NewReader(clip), "Idempotency-Key", "k1").want(201)); m.ID == id {
		t.Error("keys of two users meet")
	}
	if n := h.objs.count(); n != 2 {
		t.Errorf("%d objects; want one for each of two messages", n)
	}
	h.owner.send("DELETE", "/v1/messages/"+id, nil).want(204)
	send(path, clip).problem(409, "idempotency_key_spent")
}

// TestIdempotencyRace sends the same request ten times at once.
func TestIdempotencyRace(t *testing.T) {
	h := newHarness(t)
	conversation := h.owner.conversation()
	clip := sine(time.Second)
	ids := make([]string, 10)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			a, err := h.owner.try("POST", "/v1/conversations/"+conversation+"/messages", bytes.NewReader(clip), "Idempotency-Key", "race")
			if err != nil || a.status != 201 {
				t.Errorf("%v, %+v", err, a)
				return
			}
			ids[i] = decode[messages.Message](a).ID
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("messages %s and %s", ids[0], id)
		}
	}
	if list := decode[rest.Page[messages.Message]](h.owner.get("/v1/conversations/" + conversation + "/messages")); len(list.Items) != 1 {
		t.Errorf("%d messages", len(list.Items))
	}
	if n := h.objs.count(); n != 1 {
		t.Errorf("%d objects remain", n)
	}
}

// TestUploadsAtOnce holds recordings in mid-air and sends one more.
func TestUploadsAtOnce(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.Intake = intake.Config{PerUser: 2, PerNode: 3, Patience: 10 * time.Millisecond} }})
	mate := h.user("Mia", storage.RoleMember)
	conversation := h.owner.conversation(mate)
	clip := sine(time.Second)
	finish := make(chan struct{})
	var all sync.WaitGroup
	for _, c := range []*client{h.owner, h.owner, mate} {
		begun := make(chan struct{})
		all.Go(func() {
			body := &heldReader{r: bytes.NewReader(clip), begun: begun, release: finish}
			a, err := c.try("POST", "/v1/conversations/"+conversation+"/messages", body)
			if err != nil || a.status != 201 {
				t.Errorf("%v, %+v", err, a)
			}
		})
		<-begun
	}
	await(t, "three in flight", func() bool {
		return bytes.Contains(h.browser().get("/metrics").want(200).body, []byte("hark_http_uploads_in_flight 3\n"))
	})

	over := h.owner.send("POST", "/v1/conversations/"+conversation+"/messages", bytes.NewReader(clip))
	over.problem(429, "too_many_uploads")
	full := mate.send("POST", "/v1/conversations/"+conversation+"/messages", bytes.NewReader(clip))
	full.problem(503, "saturated")
	if over.header.Get("Retry-After") == "" || full.header.Get("Retry-After") == "" {
		t.Error("no word of when to try again")
	}
	close(finish)
	all.Wait()
	h.owner.record(conversation)
}

// heldReader gives half of a body, and the rest when it is released.
type heldReader struct {
	r       *bytes.Reader
	begun   chan struct{}
	release chan struct{}
	half    bool
}

func (h *heldReader) Read(p []byte) (int, error) {
	if !h.half {
		h.half = true
		close(h.begun)
		return h.r.Read(p[:min(len(p), 5000)])
	}
	<-h.release
	return h.r.Read(p)
}

// await waits for what another goroutine brings about and nothing signals.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// TestPanic has a part of the service panic.
func TestPanic(t *testing.T) {
	h := newHarness(t, options{deps: func(d *Deps) { d.Records.SignIn = panicking{d.Records.SignIn} }})
	h.owner.get("/v1/conversations").problem(500, "internal")
	if log := h.log.String(); !strings.Contains(log, "panic: the database is gone mad") || !strings.Contains(log, "hostile_test.go") {
		t.Error("the panic and its place are not in the log")
	}
}

type panicking struct{ signin.Records }

func (panicking) Authenticate(_ context.Context, _ string, _ storage.TokenKind) (storage.Principal, error) {
	panic(errors.New("the database is gone mad"))
}
