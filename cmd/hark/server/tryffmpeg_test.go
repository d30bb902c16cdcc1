package server

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"hark/media/decode"
)

// An ffmpeg that runs and does not encode, or not what it was given, is found
// out when Hark starts.
func TestTryFFmpeg(t *testing.T) {
	t.Parallel()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("ffmpeg is not installed; 'make setup-test' installs it")
	} else if err != nil {
		t.Fatal(err)
	}
	try := func(t *testing.T, encoder string) error {
		t.Helper()
		p := &Program{log: slog.New(slog.DiscardHandler), decoder: decode.New(decode.Config{FFmpeg: ffmpeg})}
		p.cfg.ScratchDir, p.cfg.Transcriber.FFmpeg = t.TempDir(), encoder
		return p.tryFFmpeg(t.Context())
	}
	if err := try(t, ffmpeg); err != nil {
		t.Errorf("a good one: %v", err)
	}
	for name, script := range map[string]string{
		"has no AAC":        `echo "Unknown encoder 'aac'" >&2; exit 1`,
		"encodes nothing":   `exec cat >/dev/null`,
		"encodes trash":     `cat >/dev/null; echo trash >&3`,
		"encodes silence":   fmt.Sprintf(`exec %s -nostdin -loglevel error -y -f lavfi -i anullsrc=r=16000:cl=mono -t 0.25 -c:a aac -f mp4 /dev/fd/3`, ffmpeg),
		"does not know MP4": fmt.Sprintf(`exec %s -nostdin -loglevel error -y -f lavfi -i sine=440:r=16000 -t 0.25 -c:a aac -f adts /dev/fd/3`, ffmpeg),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ffmpeg")
			if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			err := try(t, path)
			if err == nil {
				t.Error("it was taken")
			}
			t.Log(err)
		})
	}
}
