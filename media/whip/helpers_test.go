package whip_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"hark/media/opus"
	"hark/media/whip"
	"hark/media/whip/whiptest"
)

// listen starts a server on loopback that is closed with the test.
func listen(t testing.TB, change ...func(*whip.Config)) *whip.Server {
	t.Helper()
	cfg := whip.Config{UDP: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&cfg)
	}
	s, err := whip.Listen(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// recording is a sink that keeps everything.
type recording struct {
	mu       sync.Mutex
	packets  []opus.Packet
	messages []string
	reason   whip.Reason
	session  *whip.Session
	faults   []string
	ended    chan struct{}
	changed  chan struct{} // gets a token when something came

	onMessage func(r *recording, text string)
}

func newRecording() *recording {
	return &recording{ended: make(chan struct{}), changed: make(chan struct{}, 1)}
}

func (r *recording) note() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

func (r *recording) Opus(p opus.Packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.packets); n > 0 && p.Position < r.packets[n-1].End() {
		r.faults = append(r.faults, "packets overlap")
	}
	if n, err := opus.Samples(p.Data); err != nil || n != p.Samples {
		r.faults = append(r.faults, "a packet is not what it says")
	}
	select {
	case <-r.ended:
		r.faults = append(r.faults, "a packet after the end")
	default:
	}
	p.Data = slices.Clone(p.Data)
	r.packets = append(r.packets, p)
	r.note()
}

func (r *recording) Message(data []byte) {
	r.mu.Lock()
	r.messages = append(r.messages, string(data))
	f := r.onMessage
	r.mu.Unlock()
	if f != nil {
		f(r, string(data))
	}
	r.note()
}

func (r *recording) Ended(reason whip.Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reason = reason
	close(r.ended)
}

// length is the end of the last packet.
func (r *recording) length() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.packets) == 0 {
		return 0
	}
	return time.Duration(r.packets[len(r.packets)-1].End()) * time.Second / opus.Rate
}

func (r *recording) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.packets)
}

// until waits for something to be true of the recording.
func (r *recording) until(t testing.TB, what string, f func() bool) {
	t.Helper()
	timeout := time.NewTimer(30 * time.Second)
	defer timeout.Stop()
	for !f() {
		select {
		case <-r.changed:
		case <-timeout.C:
			t.Fatalf("waited for %s", what)
		}
	}
}

// wait waits for the end and checks what every recording must be.
func (r *recording) wait(t testing.TB, want whip.Reason) {
	t.Helper()
	select {
	case <-r.ended:
	case <-time.After(60 * time.Second):
		t.Fatal("the session did not end")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reason != want {
		t.Errorf("the session ended as %q, want %q", r.reason, want)
	}
	for _, fault := range r.faults {
		t.Error(fault)
	}
}

// endpoint maps WHIP's HTTP onto a server. Each session's sink is what sinks
// makes.
func endpoint(t testing.TB, server *whip.Server, sinks func() *recording) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /whip", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		sink := sinks()
		session, err := server.Open(r.Context(), string(body), sink)
		if refused, ok := errors.AsType[*whip.OfferError](err); ok {
			http.Error(w, refused.Message, map[whip.OfferKind]int{whip.Malformed: 400, whip.Unacceptable: 406}[refused.Kind])
			return
		} else if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		sink.mu.Lock()
		sink.session = session
		sink.mu.Unlock()
		w.Header().Set("Location", "/session/"+session.ID())
		w.Header().Set("ETag", session.ETag())
		w.Header().Set("Content-Type", "application/sdp")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, session.Answer())
	})
	mux.HandleFunc("PATCH /session/{id}", func(w http.ResponseWriter, r *http.Request) {
		session, ok := server.Session(r.PathValue("id"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		patch(w, r, session)
	})
	mux.HandleFunc("DELETE /session/{id}", func(w http.ResponseWriter, r *http.Request) {
		if session, ok := server.Session(r.PathValue("id")); ok {
			session.Close(whip.Stopped)
		}
	})
	web := httptest.NewServer(mux)
	t.Cleanup(func() {
		web.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return web.URL + "/whip"
}

func patch(w http.ResponseWriter, r *http.Request, session *whip.Session) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if r.Header.Get("Content-Type") == "application/json" {
		var want struct{ Paused bool }
		_ = json.NewDecoder(bytes.NewReader(body)).Decode(&want)
		if want.Paused {
			session.Pause()
		} else {
			session.Resume()
		}
		return
	}
	patched, err := session.Patch(r.Context(), string(body), r.Header.Get("If-Match"))
	if err != nil {
		http.Error(w, err.Error(), patchStatus(err))
		return
	}
	w.Header().Set("ETag", patched.ETag)
	if patched.Fragment == "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	_, _ = io.WriteString(w, patched.Fragment)
}

func patchStatus(err error) int {
	refused, ok := errors.AsType[*whip.FragmentError](err)
	switch {
	case errors.Is(err, whip.ErrPrecondition):
		return http.StatusPreconditionFailed
	case errors.Is(err, whip.ErrPreconditionMissing):
		return http.StatusPreconditionRequired
	case ok && refused.Malformed:
		return http.StatusBadRequest
	case ok:
		return http.StatusUnprocessableEntity
	}
	return http.StatusInternalServerError
}

// dial connects a speaker to a new recording.
func dial(t testing.TB, server *whip.Server, change ...func(*whiptest.Config)) (*whiptest.Speaker, *recording) {
	t.Helper()
	sink := newRecording()
	cfg := whiptest.Config{URL: endpoint(t, server, func() *recording { return sink })}
	for _, f := range change {
		f(&cfg)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	speaker, err := whiptest.Dial(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(speaker.Vanish)
	return speaker, sink
}

// say says packets, 20 ms each.
func say(t testing.TB, speaker *whiptest.Speaker, packets [][]byte) {
	t.Helper()
	if err := speaker.Say(t.Context(), packets); err != nil {
		t.Fatal(err)
	}
}

// sayAll says packets, to the last that arrives, and stops.
func sayAll(t testing.TB, speaker *whiptest.Speaker, sink *recording, packets [][]byte) {
	t.Helper()
	say(t, speaker, packets)
	sink.until(t, "all packets", func() bool { return sink.count() == len(packets) })
	stop(t, speaker, sink)
}

// stop has the speaker end the session.
func stop(t testing.TB, speaker *whiptest.Speaker, sink *recording) {
	t.Helper()
	if err := speaker.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	sink.wait(t, whip.Stopped)
}

// openFirefox opens a session with an offer of Firefox's, to which nobody
// connects.
func openFirefox(t testing.TB, server *whip.Server) (*whip.Session, *recording) {
	t.Helper()
	offer, err := os.ReadFile("testdata/firefox.sdp")
	if err != nil {
		t.Fatal(err)
	}
	sink := newRecording()
	session, err := server.Open(t.Context(), string(offer), sink)
	if err != nil {
		t.Fatal(err)
	}
	return session, sink
}

// recordings are those of sessions that begin at the same time.
type recordings struct {
	mu  sync.Mutex
	all []*recording
}

// add makes one more.
func (r *recordings) add() *recording {
	sink := newRecording()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, sink)
	return sink
}

// take returns those that were added since the last take.
func (r *recordings) take() []*recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.all
	r.all = nil
	return taken
}

// tone is so many packets of 20 ms.
func tone(t testing.TB, packets int) [][]byte {
	t.Helper()
	pcm := make([]float32, packets*320)
	for i := range pcm {
		pcm[i] = float32(0.3 * math.Sin(float64(i)/16000*2*math.Pi*300) * (1 + math.Sin(float64(i)/16000*2*math.Pi*3)))
	}
	out, err := whiptest.Encode(pcm, 16000)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// near fails unless got is want, give or take slack.
func near(t testing.TB, what string, got, want, slack time.Duration) {
	t.Helper()
	if got < want-slack || got > want+slack {
		t.Errorf("%s is %v, want %v give or take %v", what, got, want, slack)
	}
}

func equal(a, b [][]byte) bool {
	return slices.EqualFunc(a, b, bytes.Equal)
}

func said(r *recording) [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all [][]byte
	for _, p := range r.packets {
		all = append(all, p.Data)
	}
	return all
}
