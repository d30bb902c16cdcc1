package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"hark/cmd/hark/client"
	"hark/transcribe/wer"
)

// TestGStreamer has a WHIP client that was written elsewhere speak to Hark:
// simple-whip-client, which is GStreamer's webrtcbin, trickling its candidates.
func TestGStreamer(t *testing.T) {
	needCommand(t, "whip-client")
	wav := longSentence.wav(t, t.TempDir())
	hark := serve(t, t.TempDir(), "HARK_WEBRTC_UDP=:0") // GStreamer has no candidates on loopback
	c := mustClient(t, hark)
	ctx := within(t, 2*time.Minute)
	conv, err := c.FindConversation(ctx, "General")
	if err != nil {
		t.Fatal(err)
	}

	cmd := exec.CommandContext(ctx, "whip-client", "--disable-colors",
		"--url", hark.URL+"/v1/conversations/"+conv.ID+"/whip", "--token", hark.Token,
		"--audio", "filesrc location="+wav+" ! wavparse ! audioconvert ! audioresample ! audio/x-raw,rate=48000 ! identity sync=true ! "+
			"opusenc ! rtpopuspay pt=100 ssrc=1 ! queue ! application/x-rtp,media=audio,encoding-name=OPUS,payload=100")
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+withoutUPnP(t), "GST_REGISTRY="+filepath.Join(t.TempDir(), "registry"))
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("whip-client:\n%s", log.String())
		}
	})
	eventually(t, func() bool { // it is there, and records
		var ongoing struct {
			Items []struct{} `json:"items"`
		}
		return c.Get(ctx, "/conversations/"+conv.ID+"/recordings", nil, &ongoing) == nil && len(ongoing.Items) > 0
	})
	spoken := time.NewTimer(13 * time.Second) // the sentence takes 10.5
	defer spoken.Stop()
	select {
	case <-spoken.C:
	case <-ctx.Done():
		t.Fatal("the test took too long")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil { // it sends DELETE and ends
		t.Fatal(err)
	}
	_ = cmd.Wait() // its exit code says only that it was interrupted

	msg := onlyMessage(t, c, conv.ID)
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
}

// withoutUPnP is a folder with a library that stands in for GUPnP IGD, by which
// GStreamer's ICE would open ports in home routers. Debian 12 builds the real one
// with another libsoup than the client, and one process cannot have both.
func withoutUPnP(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "igd.c")
	const code = `void *gupnp_simple_igd_thread_new(void) { return 0; }
void gupnp_simple_igd_add_port(void) {}
void gupnp_simple_igd_remove_port_local(void) {}
unsigned long gupnp_simple_igd_get_type(void) { return 0; }
`
	if err := os.WriteFile(source, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	const library = "libgupnp-igd-1.0.so.4"
	command(t, "gcc", "-shared", "-fPIC", "-Wl,-soname,"+library, "-o", filepath.Join(dir, library), source)
	return dir
}

// onlyMessage is the one message of a conversation.
func onlyMessage(t *testing.T, c *client.Client, conversationID string) client.Message {
	t.Helper()
	var page struct {
		Items []client.Message `json:"items"`
	}
	if err := c.Get(t.Context(), "/conversations/"+conversationID+"/messages", nil, &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Items) != 1 {
		t.Fatalf("%d messages, want 1", len(page.Items))
	}
	return page.Items[0]
}
