package main

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hark/cmd/hark/client"
	"hark/transcribe/wer"
)

// TestFormats sends one sentence in every format that phones and browsers
// record: each must give the same words, a rendition that plays, and a hit at
// the second at which a word was said.
func TestFormats(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wav := longSentence.wav(t, dir)
	hark := serve(t, t.TempDir())
	c := mustClient(t, hark)
	ctx := within(t, 5*time.Minute)
	conv, err := c.FindConversation(ctx, "General")
	if err != nil {
		t.Fatal(err)
	}

	encode := func(args ...string) func(t *testing.T, out string) {
		return func(t *testing.T, out string) {
			command(t, "ffmpeg", append(append([]string{"-nostdin", "-v", "error", "-y", "-i", wav}, args...), out)...)
		}
	}
	amr := func(t *testing.T, out string) {
		command(t, "sox", wav, "-r", "8000", "-c", "1", "-C", "7", "-t", "amr-nb", out)
	}
	formats := []struct {
		file   string
		encode func(t *testing.T, out string)
	}{
		{"a.wav", encode("-ar", "44100", "-ac", "2", "-c:a", "pcm_s24le")},
		{"a.mp3", encode("-ar", "44100", "-c:a", "libmp3lame", "-b:a", "96k")},
		{"a.m4a", encode("-ar", "44100", "-c:a", "aac", "-b:a", "64k")},
		{"a.webm", encode("-c:a", "libopus", "-b:a", "32k", "-f", "webm")},
		{"a.ogg", encode("-c:a", "libopus", "-b:a", "32k")},
		{"a.flac", encode("-c:a", "flac")},
		{"a.amr", amr},
		{"a.3gp", func(t *testing.T, out string) {
			amr(t, out+".amr")
			command(t, "ffmpeg", "-nostdin", "-v", "error", "-y", "-i", out+".amr", "-c", "copy", out)
		}},
		{"a.aiff", encode("-c:a", "pcm_s16be")},
		{"a.caf", encode("-c:a", "pcm_s16le")},
		{"a.wma", encode("-c:a", "wmav2", "-b:a", "64k")},
	}
	var starts []int64
	for _, f := range formats {
		t.Run(f.file, func(t *testing.T) {
			file := filepath.Join(dir, f.file)
			f.encode(t, file)
			msg, err := c.Upload(ctx, conv.ID, file)
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
				t.Errorf("word error rate %.2f: heard %q", n.Rate(), heard.Text())
			}
			starts = append(starts, findWord(t, c, msg.ID, "debugging"))
			playable(t, c, msg)
		})
	}
	for _, s := range starts {
		if d := s - starts[0]; d < -400 || d > 400 {
			t.Errorf("the same word is found at %v ms in the several formats", starts)
			break
		}
	}
}

// findWord searches for a word and returns where in the message it was found.
func findWord(t *testing.T, c *client.Client, messageID, word string) int64 {
	t.Helper()
	var answer searchAnswer
	if err := c.Get(t.Context(), "/search", url.Values{"q": {word}, "sort": {"newest"}}, &answer); err != nil {
		t.Fatal(err)
	}
	for _, hit := range answer.Hits {
		if hit.Message.ID == messageID {
			return hit.StartMS
		}
	}
	t.Fatalf("%q not found in message %s", word, messageID)
	return 0
}

// playable checks that the rendition is AAC in MP4 of the message's length.
func playable(t *testing.T, c *client.Client, msg client.Message) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.Base+"/messages/"+msg.ID+"/audio", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	resp, err := c.HTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "audio/mp4" {
		t.Fatalf("audio: %s, %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	file := filepath.Join(t.TempDir(), "rendition.m4a")
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, body.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	needCommand(t, "ffprobe")
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-show_entries", "stream=codec_name,channels", "-of", "csv=p=0", file).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "aac,1" {
		t.Errorf("ffprobe: %v %s", err, out)
	}
}
