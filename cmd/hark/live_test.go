package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/cmd/hark/client"
	"hark/cmd/hark/instance"
	"hark/media/whip/whiptest"
	"hark/transcribe/live"
	"hark/transcribe/wer"
)

// packets is the prompt as a browser sends it, and how long that takes.
func (s sentence) packets(t *testing.T) ([][]byte, time.Duration) {
	t.Helper()
	raw, err := exec.CommandContext(t.Context(), "ffmpeg", "-nostdin", "-v", "error", "-i", s.wav(t, t.TempDir()), "-f", "f32le", "-ac", "1", "-ar", "16000", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]float32, len(raw)/4)
	for i := range pcm {
		pcm[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	packets, err := whiptest.Encode(pcm, 16000)
	if err != nil {
		t.Fatal(err)
	}
	return packets, time.Duration(len(packets)) * 20 * time.Millisecond
}

// talker is somebody who speaks to Hark.
type talker struct {
	*whiptest.Speaker
	message string

	mu       sync.Mutex
	captions map[int]live.Caption // the latest of each segment
	partials int
	ended    string // the reason that came
}

func talk(t *testing.T, i *instance.Instance, conversation, query string) *talker {
	t.Helper()
	s := &talker{captions: map[int]live.Caption{}}
	var err error
	s.Speaker, err = whiptest.Dial(t.Context(), whiptest.Config{
		URL: i.URL + "/v1/conversations/" + conversation + "/whip" + query, Token: i.Token, Channel: true, OnMessage: s.hear,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Vanish)
	s.message = s.Header().Get("Hark-Message-Id")
	return s
}

func (s *talker) hear(text []byte) {
	var m struct {
		Type, Reason string
		live.Caption
	}
	if json.Unmarshal(text, &m) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m.Type {
	case "caption":
		s.captions[m.Segment] = m.Caption
		if !m.Final {
			s.partials++
		}
	case "ended":
		s.ended = m.Reason
	}
}

// TestSpeak speaks a sentence as a browser does: captions must come while it
// is spoken, to the speaker and to who listens, and when it ends the message is
// ready, right, as long as what was said, and found.
func TestSpeak(t *testing.T) {
	packets, length := longSentence.packets(t)
	hark := serve(t, t.TempDir())
	c := mustClient(t, hark)
	ctx := within(t, 5*time.Minute)
	conv, err := c.FindConversation(ctx, "General")
	if err != nil {
		t.Fatal(err)
	}
	streamed := streamCaptions(t, hark)
	s := talk(t, hark, conv.ID, "?captions=private&title=Spoken")
	if err := s.Say(ctx, packets); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	msg, err := c.Await(ctx, s.message)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("ready %s after the end", time.Since(asked).Round(10*time.Millisecond))
	if off := msg.DurationMS - length.Milliseconds(); off < -100 || off > 100 || msg.EndReason != "" || msg.Title != "Spoken" {
		t.Errorf("%+v; %s were said", msg, length)
	}
	heard, err := c.Transcript(ctx, msg.ID)
	if err != nil {
		t.Fatal(err)
	}
	if n := wer.Score(longSentence.text, heard.Text()); n.Rate() > 0.12 {
		t.Errorf("word error rate %.2f: heard %q", n.Rate(), heard.Text())
	}
	if at := findWord(t, c, msg.ID, "debugging"); at < 5000 || at > 9000 {
		t.Errorf("debugging is found at %d ms", at)
	}
	s.mu.Lock()
	if s.partials == 0 || len(s.captions) == 0 {
		t.Errorf("%d partials and %d segments came while it was spoken", s.partials, len(s.captions))
	}
	s.mu.Unlock()
	if n := streamed(); n == 0 {
		t.Error("no caption came as an event")
	}
	awaitRendition(ctx, t, c, msg)
}

// streamCaptions listens to events; the function it returns says how many
// captions came so far.
func streamCaptions(t *testing.T, i *instance.Instance) func() int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, i.URL+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+i.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	var mu sync.Mutex
	n := 0
	go func() { // ends with the test's context
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if lines.Text() == "event: message.caption" {
				mu.Lock()
				n++
				mu.Unlock()
			}
		}
	}()
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

// awaitRendition waits for what the job makes of a message that is ready.
func awaitRendition(ctx context.Context, t *testing.T, c *client.Client, msg client.Message) {
	t.Helper()
	for {
		var made struct {
			Rendition *struct {
				Bytes int64 `json:"bytes"`
			} `json:"rendition"`
		}
		if err := c.Get(ctx, "/messages/"+msg.ID, nil, &made); err != nil {
			t.Fatal(err)
		}
		if made.Rendition != nil {
			playable(t, c, msg)
			return
		}
		time.Sleep(50 * time.Millisecond) // asks over HTTP; the context bounds it
	}
}

// TestPortTaken starts a second Hark on the port of the first, on another
// folder: it must say which setting to change.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cmd := exec.CommandContext(t.Context(), harkBinary, "serve")
	cmd.Env = append(os.Environ(), "HARK_DATA="+t.TempDir(), "HARK_ADDR=127.0.0.1:0", "HARK_MODELS="+modelsFolder(t),
		"HARK_WEBRTC_UDP="+taken.LocalAddr().String(), "HARK_WEBRTC_TCP=off")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "the port for live recordings is taken; set HARK_WEBRTC_UDP") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestSpeakAndVanish has the speaker's machine go away without a word.
func TestSpeakAndVanish(t *testing.T) {
	packets, length := longSentence.packets(t)
	hark := serve(t, t.TempDir())
	c := mustClient(t, hark)
	ctx := within(t, 5*time.Minute)
	conv, err := c.FindConversation(ctx, "General")
	if err != nil {
		t.Fatal(err)
	}
	s := talk(t, hark, conv.ID, "")
	if err := s.Say(ctx, packets); err != nil {
		t.Fatal(err)
	}
	s.Vanish()
	gone := time.Now()
	msg, err := c.Await(ctx, s.message)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(gone); took > 35*time.Second {
		t.Errorf("it took %s to be ready", took)
	}
	if off := msg.DurationMS - length.Milliseconds(); off < -100 || off > 100 || msg.EndReason != "disconnected" {
		t.Errorf("%+v; %s were said", msg, length)
	}
	findWord(t, c, msg.ID, "debugging")
}

// TestStoppedWhileSpeaking asks Hark to stop while people speak: what they said
// is a whole message when it has stopped.
func TestStoppedWhileSpeaking(t *testing.T) {
	packets, _ := longSentence.packets(t)
	data := t.TempDir()
	hark := serve(t, data)
	c := mustClient(t, hark)
	ctx := within(t, 5*time.Minute)
	conv, err := c.FindConversation(ctx, "General")
	if err != nil {
		t.Fatal(err)
	}
	first, second := talk(t, hark, conv.ID, ""), talk(t, hark, conv.ID, "?captions=off")
	var speaking sync.WaitGroup
	for _, s := range []*talker{first, second} {
		speaking.Go(func() { _ = s.Say(ctx, packets[:200]) }) // 4 s
	}
	speaking.Wait()
	if err := hark.Stop(); err != nil {
		t.Fatalf("stop: %v", err)
	}
	first.mu.Lock()
	if first.ended != "server_stopped" {
		t.Errorf("the speaker is told %q", first.ended)
	}
	first.mu.Unlock()

	c = mustClient(t, serve(t, data))
	for _, s := range []*talker{first, second} {
		msg, err := c.Await(ctx, s.message)
		if err != nil {
			t.Fatal(err)
		}
		if msg.EndReason != "server_stopped" || msg.DurationMS < 3900 || msg.DurationMS > 4100 {
			t.Errorf("%+v", msg)
		}
		findWord(t, c, msg.ID, "connection")
	}
}

// TestKilledWhileSpeaking kills the whole process while three people speak.
// After the next start each message has all that was said up to 2 s before, is
// ready, and is found.
func TestKilledWhileSpeaking(t *testing.T) {
	rounds := rounds(3, 10)
	packets, length := longSentence.packets(t)
	data := t.TempDir()
	hark := serve(t, data, smallModel)
	ctx := within(t, 15*time.Minute)
	conv, err := mustClient(t, hark).FindConversation(ctx, "General")
	if err != nil {
		t.Fatal(err)
	}
	for round := range rounds {
		speaking, stop := context.WithCancel(ctx)
		var talkers []*talker
		var said sync.WaitGroup
		for _, query := range []string{"?captions=private", "?captions=off", "?captions=conversation"} {
			s := talk(t, hark, conv.ID, query)
			talkers = append(talkers, s)
			said.Go(func() { _ = s.Say(speaking, packets) })
		}
		// The moment of the kill is what is tested, so it is left to chance; by
		// 6 s everyone has said "connection".
		time.Sleep(6*time.Second + time.Duration(rand.Int64N(int64(length-7*time.Second))))
		hark.Kill()
		var sent []int64
		for _, s := range talkers {
			sent = append(sent, s.Sent()*20)
		}
		stop()
		said.Wait()

		hark = serve(t, data, smallModel)
		c := mustClient(t, hark)
		for i, s := range talkers {
			s.Vanish()
			msg, err := c.Await(ctx, s.message)
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			if msg.DurationMS < sent[i]-2000 || msg.DurationMS > sent[i]+200 || msg.EndReason != "server_lost" {
				t.Errorf("round %d: %+v; %d ms were said", round, msg, sent[i])
			}
			t.Logf("round %d: %d of %d ms", round, msg.DurationMS, sent[i])
			heard, err := c.Transcript(ctx, msg.ID)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.ToLower(heard.Text()), "connection") {
				t.Errorf("round %d: heard %q", round, heard.Text())
			}
			findWord(t, c, msg.ID, "connection")
		}
	}
}
