package render

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hark/media"
)

// program writes a shell script that stands in for ffmpeg.
func program(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCancellingKillsTheEncoderAndItsChildren(t *testing.T) {
	alive := filepath.Join(t.TempDir(), "alive")
	if err := syscall.Mkfifo(alive, 0o600); err != nil {
		t.Fatal(err)
	}
	scratch := t.TempDir()
	// Both processes hold the pipe open for as long as they live. Nothing reads
	// the sound, so the renderer comes to wait for ffmpeg.
	ffmpeg := program(t, "exec 5>"+alive+"\n/bin/sleep 1000 &\necho started >&5\nwait")
	r := New(Config{FFmpeg: ffmpeg, ScratchDir: scratch})
	spool := spoolOf(t, sine(300, 0.1, 60))
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	done := make(chan error, 1)
	go func() {
		_, err := r.Render(ctx, spool, Analysis{LoudnessLUFS: -20, FloorLUFS: -20, TruePeakDBTP: -17})
		done <- err
	}()
	pipe, err := os.Open(alive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pipe.Close() }()
	if said, err := bufio.NewReader(pipe).ReadString('\n'); said != "started\n" {
		t.Fatalf("%q, %v", said, err)
	}
	why := errors.New("shutting down")
	cancel(why)
	if err := <-done; !errors.Is(err, why) {
		t.Errorf("error %v", err)
	}
	if rest, err := io.ReadAll(pipe); err != nil || len(rest) > 0 { // ends when both are gone
		t.Errorf("%q, %v", rest, err)
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("scratch folder holds %v, %v", left, err)
	}
}

func TestCancelledBeforeItStarts(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("deleted")
	cancel(why)
	for _, peak := range []float64{-20, 0} { // with and without a need to try the gain
		_, err := New(Config{FFmpeg: needTool(t, "ffmpeg"), ScratchDir: t.TempDir()}).
			Render(ctx, spoolOf(t, sine(300, 0.1, 1)), Analysis{LoudnessLUFS: -20, FloorLUFS: -20, TruePeakDBTP: peak})
		if !errors.Is(err, why) {
			t.Errorf("error %v", err)
		}
	}
}

func TestEncoderFailures(t *testing.T) {
	for name, test := range map[string]struct {
		ffmpeg func(t *testing.T) string
		said   string
	}{
		"says why":        {func(t *testing.T) string { return program(t, "echo no such encoder >&2; exit 1") }, "exit status 1: no such encoder"},
		"stops reading":   {func(t *testing.T) string { return program(t, "exit 0") }, "ffmpeg stopped reading"},
		"is missing":      {func(t *testing.T) string { return filepath.Join(t.TempDir(), "nothing") }, "no such file"},
		"cannot be found": {func(*testing.T) string { return "hark-no-such-program" }, "not found"},
	} {
		t.Run(name, func(t *testing.T) {
			scratch := t.TempDir()
			r := New(Config{FFmpeg: test.ffmpeg(t), ScratchDir: scratch})
			_, err := r.Render(t.Context(), spoolOf(t, sine(300, 0.1, 60)), Analysis{LoudnessLUFS: -20, FloorLUFS: -20, TruePeakDBTP: -17})
			if err == nil || !strings.Contains(err.Error(), test.said) {
				t.Errorf("error %v, want %q in it", err, test.said)
			}
			if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
				t.Errorf("scratch folder holds %v, %v", left, err)
			}
		})
	}
}

// A sound that breaks off is no rendition, and the encoder does not outlive it.
func TestBrokenSoundEndsTheEncoder(t *testing.T) {
	spool, err := media.NewSpool(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = spool.Close() }()
	if err := spool.WriteSamples(sine(300, 0.1, 60)); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("damaged after a minute")
	_ = spool.CloseWrite(broken)
	_, err = New(Config{FFmpeg: needTool(t, "ffmpeg"), ScratchDir: t.TempDir()}).
		Render(t.Context(), spool, Analysis{LoudnessLUFS: -20, FloorLUFS: -20, TruePeakDBTP: -17})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}
