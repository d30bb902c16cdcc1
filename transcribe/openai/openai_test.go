package openai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hark/media/transcript"
	"hark/transcribe"
)

func newEngine(t *testing.T, s *server, change func(*Config)) *Engine {
	t.Helper()
	cfg := Config{BaseURL: s.URL + "/v1", APIKey: testKey, Model: "whisper-1"}
	if change != nil {
		change(&cfg)
	}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// checkInvariants fails when a transcript is not what transcript.Transcript
// promises.
func checkInvariants(tr *transcript.Transcript, lengthMS int64) error {
	var last int64
	for _, s := range tr.Segments {
		if len(s.Words) == 0 || s.StartMS < last || s.EndMS < s.StartMS || s.EndMS > lengthMS {
			return fmt.Errorf("segment %+v after %d ms", s, last)
		}
		var texts []string
		at := s.StartMS
		for _, w := range s.Words {
			if w.StartMS < at || w.EndMS < w.StartMS || w.EndMS > s.EndMS || len(strings.Fields(w.Text)) != 1 {
				return fmt.Errorf("word %+v in %+v", w, s)
			}
			if w.Confidence < 0 || w.Confidence > 1 || math.IsNaN(w.Confidence) {
				return fmt.Errorf("confidence of %+v", w)
			}
			at = w.StartMS
			texts = append(texts, w.Text)
		}
		if s.Text != strings.Join(texts, " ") {
			return fmt.Errorf("text %q of words %q", s.Text, texts)
		}
		last = s.EndMS
	}
	return nil
}

func TestLongClipIsCutSentAndJoined(t *testing.T) {
	s := newServer(t)
	var progress []int64
	e := newEngine(t, s, func(c *Config) { c.ChunkDuration = 4 * time.Second; c.Concurrency = 3 })
	// The tone at 3.5 s lies over the first full chunk's end; from 8 to 16 s nobody speaks.
	at := []float64{0.5, 1.5, 3.5, 5, 6.2, 17, 18.1, 19.5}
	tr, err := e.Transcribe(t.Context(), beepClip(20.25, at...), transcribe.Options{
		Language: "en-GB", Progress: func(ms int64) { progress = append(progress, ms) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := checkInvariants(tr, 20250); err != nil {
		t.Error(err)
	}
	words := tr.Words()
	if len(words) != len(at) {
		t.Fatalf("heard %+v", words)
	}
	for i, w := range words {
		if math.Abs(float64(w.StartMS)-at[i]*1000) > 20 || math.Abs(float64(w.EndMS)-at[i]*1000-400) > 20 {
			t.Errorf("tone at %v s was placed at %d to %d ms", at[i], w.StartMS, w.EndMS)
		}
		if !strings.HasPrefix(w.Text, "Beep") || !strings.HasSuffix(w.Text, ".") || math.Abs(w.Confidence-math.Exp(-0.1)) > 1e-9 {
			t.Errorf("word is %+v", w)
		}
	}
	if tr.Language != "en" || tr.Engine != "openai" || tr.Model != "whisper-1" {
		t.Errorf("transcript is by %s %s in %q", tr.Engine, tr.Model, tr.Language)
	}
	if !slices.IsSorted(progress) || progress[len(progress)-1] != 20250 {
		t.Errorf("progress was %v", progress)
	}
	for _, c := range s.calls {
		if c.fields["language"][0] != "en" || len(c.pcm) > 4*16000 || len(beeps(c.pcm)) == 0 {
			t.Errorf("sent %d samples with %d tones as %v", len(c.pcm), len(beeps(c.pcm)), c.fields)
		}
	}
}

func TestSilenceIsNotSent(t *testing.T) {
	s := newServer(t)
	for name, c := range map[string]*clip{"silence": beepClip(30), "nothing": beepClip(0), "a click": {p: []float32{1, 1, 1}}} {
		tr, err := newEngine(t, s, nil).Transcribe(t.Context(), c, transcribe.Options{})
		if err != nil || tr.Segments == nil || len(tr.Segments) > 0 {
			t.Errorf("%s: %+v, %v", name, tr, err)
		}
	}
	if n := s.count(); n > 0 {
		t.Errorf("%d requests", n)
	}
}

// failures maps what a server can do wrong to what we make of it.
func TestFailures(t *testing.T) {
	ok := replyJSON(`{"text":"hello"}`)
	short := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"text":"hel`)
	}
	openaiError := func(status int, code, message string) func(http.ResponseWriter) {
		return answerWith(status, map[string]any{"error": map[string]any{"message": message, "code": code}})
	}
	for _, tc := range []struct {
		name      string
		answers   []func(http.ResponseWriter) // in turn; the last one repeats
		requests  int
		fails     string // part of the error; empty when it must work
		permanent string // part of the reason; empty when the error may pass
	}{
		{"busy, then fine", []func(http.ResponseWriter){openaiError(429, "rate_limit", "slow down"), ok}, 2, "", ""},
		{"broken, then fine", []func(http.ResponseWriter){answerWith(500, nil), answerWith(503, "x"), ok}, 3, "", ""},
		{"half an answer, then fine", []func(http.ResponseWriter){short, ok}, 2, "", ""},
		{"not JSON, then fine", []func(http.ResponseWriter){replyJSON("<html>"), ok}, 2, "", ""},
		{"never works", []func(http.ResponseWriter){answerWith(502, map[string]string{"detail": "bad gateway"})}, 3, "502: bad gateway", ""},
		{"always half an answer", []func(http.ResponseWriter){short}, 3, "unexpected EOF", ""},
		{"an answer without text", []func(http.ResponseWriter){replyJSON(`{"ok":true}`)}, 3, "no text", ""},
		{"wrong key", []func(http.ResponseWriter){openaiError(401, "", "Incorrect API key: "+testKey)}, 1, "Incorrect API key: [key]", "does not accept Hark's key"},
		{"no money", []func(http.ResponseWriter){openaiError(429, "insufficient_quota", "pay")}, 1, "pay", "used up"},
		{"no model", []func(http.ResponseWriter){answerWith(404, map[string]string{"error": "no such model"})}, 1, "no such model", "does not know the model"},
		{"too large", []func(http.ResponseWriter){answerWith(413, nil)}, 1, "413", "shorter chunk"},
		{"refused", []func(http.ResponseWriter){answerWith(400, map[string]string{"message": strings.Repeat("no\n\x00", 2000)})}, 1, "no no no", "refuses this recording (status 400)"},
		{"endless answer", []func(http.ResponseWriter){func(w http.ResponseWriter) {
			fmt.Fprint(w, strings.Repeat(" ", maxReply+1))
		}}, 1, "too large", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.answer = func(w http.ResponseWriter, _ *http.Request, c call) { tc.answers[min(c.n, len(tc.answers))-1](w) }
			var log bytes.Buffer
			e := newEngine(t, s, func(c *Config) { c.MaxRetries = 2; c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			tr, err := e.Transcribe(t.Context(), beepClip(1, 0.3), transcribe.Options{})
			if s.count() != tc.requests {
				t.Errorf("%d requests, want %d", s.count(), tc.requests)
			}
			if tc.fails == "" {
				if err != nil || tr.Text() != "hello" {
					t.Errorf("got %+v, %v", tr, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.fails) || len(err.Error()) > 1000 {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error()+log.String(), testKey) {
				t.Errorf("the key is in %q or %q", err, log.String())
			}
			var f *transcribe.PermanentError
			if is := errors.As(err, &f); is != (tc.permanent != "") || is && !strings.Contains(f.Reason, tc.permanent) {
				t.Errorf("failure is %+v", f)
			}
		})
	}
}

// A server that leads elsewhere gets nobody's speech, and not our key, to there.
func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		elsewhere := newServer(t)
		s := newServer(t)
		s.answer = func(w http.ResponseWriter, r *http.Request, _ call) {
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, status)
		}
		_, err := newEngine(t, s, func(c *Config) { c.HTTPClient = &http.Client{} }).Transcribe(t.Context(), beepClip(1, 0.3), transcribe.Options{})
		var f *transcribe.PermanentError
		if !errors.As(err, &f) || !strings.Contains(f.Reason, "HARK_OPENAI_URL") {
			t.Errorf("%d: %v", status, err)
		}
		if n := elsewhere.count(); n != 0 {
			t.Errorf("%d: %d requests went elsewhere", status, n)
		}
	}
}

func TestModelWithoutTimes(t *testing.T) {
	s := newServer(t)
	s.answer = func(w http.ResponseWriter, _ *http.Request, c call) {
		if c.fields["response_format"][0] != "json" {
			answerWith(400, map[string]any{"error": map[string]any{"message": "response_format 'verbose_json' is not compatible with model"}})(w)
			return
		}
		replyJSON(`{"text":"beep beep"}`)(w)
	}
	e := newEngine(t, s, func(c *Config) { c.ChunkDuration = 50 * time.Second; c.Concurrency = 1 })
	tr, err := e.Transcribe(t.Context(), beepClip(100, 1, 40, 60, 95), transcribe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := checkInvariants(tr, 100_000); err != nil {
		t.Error(err)
	}
	for i, c := range s.calls {
		if most := 30 * 16000; i >= 2 && len(c.pcm) > most {
			t.Errorf("request %d has %d samples", i+1, len(c.pcm))
		}
	}
	if n := s.count(); n < 3 || s.calls[n-1].fields["response_format"][0] != "json" {
		t.Errorf("%d requests", n)
	}

	// Several requests may be refused before the first answer is learnt from.
	e = newEngine(t, s, func(c *Config) { c.ChunkDuration = 2 * time.Second; c.Concurrency = 4 })
	if _, err := e.Transcribe(t.Context(), beepClip(8, 1, 3, 5, 7), transcribe.Options{}); err != nil {
		t.Error(err)
	}
}

// A reply in plain text comes from servers that know no other form.
func TestPlainText(t *testing.T) {
	s := newServer(t)
	s.answer = func(w http.ResponseWriter, _ *http.Request, _ call) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprint(w, "Hello, you.\n")
	}
	tr, err := newEngine(t, s, nil).Transcribe(t.Context(), beepClip(1, 0.3), transcribe.Options{Language: "de"})
	if err != nil || tr.Text() != "Hello, you." || tr.Language != "de" {
		t.Errorf("got %+v, %v", tr, err)
	}
}

func TestHangingServerTimesOut(t *testing.T) {
	s := newServer(t)
	s.answer = func(w http.ResponseWriter, r *http.Request, c call) {
		if c.n == 1 {
			<-r.Context().Done()
			return
		}
		replyJSON(`{"text":"late"}`)(w)
	}
	e := newEngine(t, s, func(c *Config) { c.Timeout = 200 * time.Millisecond })
	tr, err := e.Transcribe(t.Context(), beepClip(1, 0.3), transcribe.Options{})
	if err != nil || tr.Text() != "late" {
		t.Errorf("got %+v, %v", tr, err)
	}

	s.answer = func(_ http.ResponseWriter, r *http.Request, _ call) { <-r.Context().Done() }
	e = newEngine(t, s, func(c *Config) { c.Timeout = 50 * time.Millisecond; c.MaxRetries = -1 })
	if _, err := e.Transcribe(t.Context(), beepClip(1, 0.3), transcribe.Options{}); !errors.Is(err, errTimeout) || errors.Is(err, transcribe.ErrPermanent) {
		t.Errorf("got %v", err)
	}
}

func TestServerAway(t *testing.T) {
	s := newServer(t)
	e := newEngine(t, s, func(c *Config) { c.MaxRetries = 1 })
	s.Close()
	if _, err := e.Transcribe(t.Context(), beepClip(1, 0.3), transcribe.Options{}); err == nil || errors.Is(err, transcribe.ErrPermanent) {
		t.Errorf("got %v", err)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	s := newServer(t)
	var first time.Time
	s.answer = func(w http.ResponseWriter, _ *http.Request, c call) {
		if c.n == 1 {
			first = time.Now()
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(429)
			return
		}
		if waited := time.Since(first); waited < time.Second {
			t.Errorf("came back after %v", waited)
		}
		replyJSON(`{"text":"ok"}`)(w)
	}
	if _, err := newEngine(t, s, nil).Transcribe(t.Context(), beepClip(1, 0.3), transcribe.Options{}); err != nil {
		t.Error(err)
	}

	s.answer = func(w http.ResponseWriter, _ *http.Request, _ call) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(503)
	}
	before := s.count()
	_, err := newEngine(t, s, nil).Transcribe(t.Context(), beepClip(1, 0.3), transcribe.Options{})
	var polite interface{ RetryAfter() time.Duration }
	if !errors.As(err, &polite) || polite.RetryAfter() != 10*time.Minute || s.count() != before+1 {
		t.Errorf("got %v after %d requests", err, s.count()-before)
	}
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-3": 0, "soon": 0, "999999999": 24 * time.Hour,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2015 03:05:05 GMT": 0,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func TestCancellationEndsEverything(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("message deleted")
	s.answer = func(_ http.ResponseWriter, r *http.Request, _ call) {
		cancel(cause)
		<-r.Context().Done()
	}
	if _, err := newEngine(t, s, nil).Transcribe(ctx, beepClip(1, 0.3), transcribe.Options{}); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

func TestBrokenSource(t *testing.T) {
	s := newServer(t)
	c := beepClip(1, 0.3)
	c.end = errors.New("decoder broke")
	if _, err := newEngine(t, s, nil).Transcribe(t.Context(), c, transcribe.Options{}); !errors.Is(err, c.end) {
		t.Errorf("got %v", err)
	}
}

func TestRequestsAtOnceAreBounded(t *testing.T) {
	s := newServer(t)
	var running, most atomic.Int32
	s.answer = func(w http.ResponseWriter, r *http.Request, c call) {
		most.Store(max(most.Load(), running.Add(1)))
		hearBeeps(w, r, c)
		running.Add(-1)
	}
	e := newEngine(t, s, func(c *Config) { c.ChunkDuration = time.Second })
	done := make(chan error)
	for range 3 {
		go func() {
			_, err := e.Transcribe(t.Context(), beepClip(8, 0.3, 1.2, 2.4, 3.1, 4.5, 5.2, 6.3), transcribe.Options{})
			done <- err
		}()
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if most.Load() > 2 {
		t.Errorf("%d requests at once", most.Load())
	}
}

// roundTripper answers requests without a network, which a test's bubble
// cannot see into.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestUrgentClipsGoFirst has a clip of bulk and then one that somebody waits
// for queue behind a request that is under way.
func TestUrgentClipsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		proceed, order := make(chan struct{}), make(chan string, 3)
		answer := roundTripper(func(r *http.Request) (*http.Response, error) {
			if err := r.ParseMultipartForm(1 << 20); err != nil {
				t.Error(err)
			}
			order <- r.FormValue("language")
			<-proceed
			reply := httptest.NewRecorder()
			_, _ = reply.WriteString(`{"text": ""}`)
			return reply.Result(), nil
		})
		e, err := New(Config{BaseURL: "http://host", Model: "m", Concurrency: 1, HTTPClient: &http.Client{Transport: answer}})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for _, opts := range []transcribe.Options{{Language: "en", Priority: transcribe.Bulk}, {Language: "de", Priority: transcribe.Bulk}, {Language: "fr"}} {
			all.Go(func() {
				if _, err := e.Transcribe(t.Context(), beepClip(1, 0.3), opts); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait() // until it sends, or queues
		}
		close(proceed)
		all.Wait()
		if first, second, third := <-order, <-order, <-order; first != "en" || second != "fr" || third != "de" {
			t.Errorf("sent %s, %s, %s; want en, fr, de", first, second, third)
		}
	})
}

func TestNewChecksItsConfig(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no address":         {Model: "m"},
		"an odd address":     {Model: "m", BaseURL: "ftp://host"},
		"a password":         {Model: "m", BaseURL: "https://user:pw@host"},
		"a query":            {Model: "m", BaseURL: "https://host?key=1"},
		"no model":           {BaseURL: "https://host"},
		"a key of two lines": {Model: "m", BaseURL: "https://host", APIKey: "a\nb"},
		"tiny chunks":        {Model: "m", BaseURL: "https://host", ChunkDuration: time.Millisecond},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	for base, want := range map[string]string{
		"https://host":        "https://host/v1/audio/transcriptions",
		"https://host/v1/":    "https://host/v1/audio/transcriptions",
		"http://host:1/proxy": "http://host:1/proxy/v1/audio/transcriptions",
	} {
		if e, err := New(Config{BaseURL: base, Model: "m"}); err != nil || e.endpoint != want {
			t.Errorf("%s became %v, %v", base, e, err)
		}
	}
}
