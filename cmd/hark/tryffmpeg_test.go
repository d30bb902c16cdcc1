package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hark/media/decode"
)

// An ffmpeg that runs and does not encode, or not what it was given, is found
// out when Hark starts.
func TestTryFFmpeg(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	need(t, err != nil, "ffmpeg is not installed; 'make setup-test' installs it")
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

// A node whose ffmpeg is of no use does not start, and names the setting.
func TestStartTriesFFmpeg(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	need(t, err != nil, "ffmpeg is not installed; 'make setup-test' installs it")
	start := func(ffmpeg string) string {
		cmd := exec.CommandContext(within(t, 30*time.Second), harkBinary, "serve")
		cmd.Env = []string{
			"PATH=/usr/bin:/bin", "HARK_DATA=" + t.TempDir(), "HARK_ADDR=nowhere.invalid:1", "HARK_WEBRTC_UDP=off",
			"HARK_ENGINE=openai", "HARK_OPENAI_URL=http://127.0.0.1:1", "HARK_FFMPEG=" + ffmpeg,
		}
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Error("it started")
		}
		return string(out)
	}
	// This one gets as far as listening, where the test stops it.
	if out := start(ffmpeg); !strings.Contains(out, "ffmpeg encodes and decodes") || !strings.Contains(out, "HARK_ADDR") {
		t.Errorf("a good ffmpeg: %s", out)
	}
	if out := start("/bin/true"); !strings.Contains(out, "HARK_FFMPEG") || strings.Contains(out, "HARK_ADDR") {
		t.Errorf("no ffmpeg: %s", out)
	}
}
