package openai

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"

	"hark/media"
)

const testKey = "sk-very-secret"

// call is one request as our server understood it.
type call struct {
	n      int // 1 for the first
	fields map[string][]string
	pcm    []int16
}

// server speaks the transcription API. It takes every request apart and
// complains where a real one would, and more.
type server struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request, c call)

	mu       sync.Mutex
	calls    []call
	problems []error
}

// newServer starts a server that answers like a recogniser that hears tones;
// set answer for another.
func newServer(t *testing.T) *server {
	s := &server{answer: hearBeeps}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		s.Close()
		for _, err := range s.problems {
			t.Errorf("bad request: %v", err)
		}
	})
	return s
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	c, err := readCall(r)
	s.mu.Lock()
	c.n = len(s.calls) + 1
	s.calls = append(s.calls, c)
	if err != nil {
		s.problems = append(s.problems, err)
	}
	s.mu.Unlock()
	s.answer(w, r, c)
}

// count is how many requests came.
func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

func readCall(r *http.Request) (c call, err error) {
	if r.Method != http.MethodPost || r.URL.Path != "/v1/audio/transcriptions" {
		return c, fmt.Errorf("%s %s", r.Method, r.URL.Path)
	}
	if r.ContentLength <= 0 || len(r.TransferEncoding) > 0 {
		return c, fmt.Errorf("length %d, encoding %v", r.ContentLength, r.TransferEncoding)
	}
	if got := r.Header.Get("Authorization"); got != "Bearer "+testKey {
		return c, fmt.Errorf("authorization %q", got)
	}
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return c, err
	}
	c.fields = map[string][]string{}
	for form := multipart.NewReader(r.Body, params["boundary"]); ; {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return c, err
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return c, err
		}
		if part.FormName() != "file" {
			c.fields[part.FormName()] = append(c.fields[part.FormName()], string(body))
			continue
		}
		if part.FileName() != "audio.wav" {
			return c, fmt.Errorf("file is called %q", part.FileName())
		}
		if c.pcm, err = readWAV(body); err != nil {
			return c, err
		}
	}
	grains, form := c.fields["timestamp_granularities[]"], c.fields["response_format"]
	verbose := slices.Equal(form, []string{"verbose_json"}) && slices.Equal(grains, []string{"word", "segment"})
	plain := slices.Equal(form, []string{"json"}) && grains == nil
	if !verbose && !plain || c.fields["model"] == nil {
		return c, fmt.Errorf("fields %v", c.fields)
	}
	return c, nil
}

func readWAV(b []byte) ([]int16, error) {
	le := binary.LittleEndian
	switch {
	case len(b) < 44 || string(b[:4]) != "RIFF" || string(b[8:16]) != "WAVEfmt " || string(b[36:40]) != "data":
		return nil, errors.New("not a WAV file")
	case int(le.Uint32(b[4:])) != len(b)-8 || int(le.Uint32(b[40:])) != len(b)-44:
		return nil, errors.New("lengths in the WAV header are wrong")
	case le.Uint16(b[20:]) != 1 || le.Uint16(b[22:]) != 1 || le.Uint32(b[24:]) != media.SampleRate ||
		le.Uint32(b[28:]) != 2*media.SampleRate || le.Uint16(b[32:]) != 2 || le.Uint16(b[34:]) != 16:
		return nil, errors.New("not 16 kHz mono of 16 bits")
	}
	pcm := make([]int16, (len(b)-44)/2)
	for i := range pcm {
		pcm[i] = int16(le.Uint16(b[44+2*i:]))
	}
	return pcm, nil
}

// hearBeeps answers with a word for each tone, as OpenAI does: words without
// punctuation beside segments with it.
func hearBeeps(w http.ResponseWriter, _ *http.Request, c call) {
	var words, segments []map[string]any
	for i, b := range beeps(c.pcm) {
		words = append(words, map[string]any{"word": "beep" + strconv.Itoa(i), "start": b[0], "end": b[1]})
		segments = append(segments, map[string]any{
			"text": " Beep" + strconv.Itoa(i) + ".", "start": b[0] - 0.1, "end": b[1] + 0.1, "avg_logprob": -0.1, "no_speech_prob": 0.01,
		})
	}
	answerWith(200, map[string]any{"task": "transcribe", "language": "english", "text": "…", "words": words, "segments": segments})(w)
}

// beeps finds the stretches of sound, in seconds.
func beeps(pcm []int16) (found [][2]float64) {
	const step = media.SampleRate / 100
	on := false
	for i := 0; i < len(pcm); i += step {
		loud := slices.ContainsFunc(pcm[i:min(i+step, len(pcm))], func(x int16) bool { return x > 1000 })
		at := float64(i) / media.SampleRate
		switch {
		case loud && !on:
			found = append(found, [2]float64{at, at})
		case on:
			found[len(found)-1][1] = at
		}
		on = loud
	}
	return found
}

func replyJSON(body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, body)
	}
}

func answerWith(status int, body any) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(body); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// beepClip is tones of 400 ms at the given seconds, in silence of a length.
func beepClip(seconds float64, at ...float64) *clip {
	p := make([]float32, int(seconds*media.SampleRate))
	for _, s := range at {
		from := int(s * media.SampleRate)
		for i := range int(0.4 * media.SampleRate) {
			p[from+i] = float32(0.5 * math.Sin(float64(i)*0.3))
		}
	}
	return &clip{p: p}
}

// clip is a source of samples, in pieces of odd sizes.
type clip struct {
	p   []float32
	end error // io.EOF when nil
}

func (c *clip) ReadSamples(p []float32) (int, error) {
	if len(c.p) == 0 {
		if c.end != nil {
			return 0, c.end
		}
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 777)], c.p)
	c.p = c.p[n:]
	return n, nil
}
