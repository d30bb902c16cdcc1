package main

import (
	"testing"
	"time"
)

// TestStopsInOrder asks a Hark to stop in the middle of its work: it must end
// without a failure well within its grace, hand the job back, and have it done
// after the next start.
func TestStopsInOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wav := longSentence.wav(t, dir)
	long := dir + "/long.wav"
	command(t, "ffmpeg", "-nostdin", "-v", "error", "-y", "-stream_loop", "15", "-i", wav, long)
	data := t.TempDir()

	hark := serve(t, data, "HARK_SHUTDOWN_GRACE=1s")
	c := mustClient(t, hark)
	ctx := within(t, 5*time.Minute)
	conv, err := c.FindConversation(ctx, "General")
	if err != nil {
		t.Fatal(err)
	}
	msg, err := c.Upload(ctx, conv.ID, long)
	if err != nil {
		t.Fatal(err)
	}
	awaitProgress(ctx, t, c, msg.ID)
	asked := time.Now()
	if err := hark.Stop(); err != nil {
		t.Fatalf("stop: %v", err)
	}
	if took := time.Since(asked); took > 15*time.Second {
		t.Errorf("it took %s to stop with a grace of 1 s", took)
	}

	c = mustClient(t, serve(t, data))
	if msg, err = c.Await(ctx, msg.ID); err != nil {
		t.Fatal(err)
	}
	playable(t, c, msg)
}
